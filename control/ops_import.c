/* SPDX-License-Identifier: BSD-3-Clause */
/* Feeds: import, in the bulk worker, with progress and cancellation. */
#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/ops.h"

#define PROGRESS_MS 200
#define FILE_NAME_MAX 255

struct import_work {
	struct tg_op_work work; /* first: rq->work */
	struct tg_job job;
	struct tg_daemon *d;
	struct tg_request *rq; /* NULL: the client has left */
	struct event *ticker;
	FILE *in;
	int fd;	       /* of a pipe, read by read_pipe */
	int cancel_fd; /* readable once the import is cancelled */
	char source[TG_SOURCE_NAME_MAX + 1];
	char file[FILE_NAME_MAX + 1];
	struct tg_import import;
	/* Written by the worker, shown by the ticker; relaxed: figures of different moments do no
	 * harm, and the phases are string literals. */
	_Atomic(const char *) phase;
	_Atomic uint64_t done;
	_Atomic uint64_t total;
	struct tg_import_result result;
	struct tg_error err;
	int rc;
};

static struct import_work *import_of(struct tg_job *job)
{
	return (struct import_work *)((char *)job - offsetof(struct import_work, job));
}

/* ---- reading ------------------------------------------------------------------------------------- */

/* A pipe may stay silent for ever; a cancelled import must not. */
static ssize_t read_pipe(void *cookie, char *buf, size_t size)
{
	struct import_work *w = cookie;
	struct pollfd p[] = { { .fd = w->cancel_fd, .events = POLLIN },
			      { .fd = w->fd, .events = POLLIN } };
	ssize_t n;

	do {
		if (poll(p, TG_ARRAY_LEN(p), -1) < 0 && errno != EINTR)
			return -1;
		if (p[0].revents) {
			errno = ECANCELED;
			return -1;
		}
		n = p[1].revents ? read(w->fd, buf, size) : -1;
	} while (n < 0 && (!p[1].revents || errno == EAGAIN || errno == EINTR));
	return n;
}

static int close_pipe(void *cookie)
{
	const struct import_work *w = cookie;

	return close(w->fd);
}

/* Takes over fd. A file keeps its size, for the progress. */
static int open_feed(struct import_work *w, int fd)
{
	const cookie_io_functions_t pipe_io = { .read = read_pipe, .close = close_pipe };
	struct stat st;

	w->fd = fd;
	if (fstat(fd, &st) != 0 || S_ISDIR(st.st_mode))
		errno = EISDIR;
	else
		w->in = S_ISREG(st.st_mode) ? fdopen(fd, "r") : fopencookie(w, "r", pipe_io);
	if (w->in)
		return 0;
	close(fd);
	return -errno;
}

/* ---- in the worker ------------------------------------------------------------------------------- */

static bool on_progress(void *ctx, const char *phase, uint64_t done, uint64_t total)
{
	struct import_work *w = ctx;

	atomic_store_explicit(&w->phase, phase, memory_order_relaxed);
	atomic_store_explicit(&w->done, done, memory_order_relaxed);
	atomic_store_explicit(&w->total, total, memory_order_relaxed);
	return !atomic_load_explicit(&w->job.cancelled, memory_order_relaxed);
}

static void import_run(struct tg_job *job)
{
	struct import_work *w = import_of(job);

	if (atomic_load_explicit(&job->cancelled, memory_order_relaxed))
		w->rc = tg_error_set(&w->err, -ECANCELED, "cancelled");
	else
		w->rc = tg_ledger_import(w->d->ledger, w->in, &w->import, &w->result, &w->err);
	fclose(w->in);
	w->in = NULL;
}

/* ---- in the loop --------------------------------------------------------------------------------- */

static void import_free(struct import_work *w)
{
	if (w->in)
		fclose(w->in);
	if (w->ticker)
		event_free(w->ticker);
	if (w->cancel_fd >= 0)
		close(w->cancel_fd);
	free(w);
}

static void import_gone(struct tg_op_work *work)
{
	struct import_work *w = (struct import_work *)work;

	w->rq = NULL;
	event_del(w->ticker);
	atomic_store_explicit(&w->job.cancelled, true, memory_order_relaxed);
	(void)eventfd_write(w->cancel_fd, 1);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct import_work *w = arg;
	const char *phase = atomic_load_explicit(&w->phase, memory_order_relaxed);

	(void)fd;
	(void)what;
	tg_request_progress(
		w->rq,
		json_pack("{s:s, s:I, s:I}", "phase", phase, "done",
			  (json_int_t)atomic_load_explicit(&w->done, memory_order_relaxed), "total",
			  (json_int_t)atomic_load_explicit(&w->total, memory_order_relaxed)));
}

static json_t *result_json(const struct import_work *w)
{
	const struct tg_import_result *r = &w->result;

	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "source", w->source, "batch",
			 (json_int_t)r->batch, "records", (json_int_t)r->records, "added",
			 (json_int_t)r->added, "changed", (json_int_t)r->changed, "removed",
			 (json_int_t)r->removed);
}

static void import_done(struct tg_job *job)
{
	struct import_work *w = import_of(job);
	struct tg_daemon *d = w->d;
	struct tg_request *rq = w->rq;

	if (rq)
		rq->work = NULL;
	if (w->rc == 0 && rq) {
		tg_request_progress(rq, json_pack("{s:s, s:i, s:i}", "phase", "publish", "done", 0,
						  "total", 0));
		tg_op_ledger_changed(d, rq, result_json(w), w->result.batch);
	} else if (w->rc == 0) {
		/* The client left too late: the batch is committed. */
		tg_daemon_ledger_moved(d);
		tg_daemon_changed(d, NULL);
	} else if (rq) {
		tg_request_error(rq, tg_op_exit(&w->err), w->file, &w->err);
	}
	import_free(w);
}

static struct import_work *import_new(struct tg_daemon *d, struct tg_request *rq)
{
	struct import_work *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->work.gone = import_gone;
	w->job.run = import_run;
	w->job.done = import_done;
	w->d = d;
	w->rq = rq;
	w->phase = "queued";
	w->cancel_fd = eventfd(0, EFD_CLOEXEC);
	w->ticker = event_new(d->loop, -1, EV_PERSIST, on_tick, w);
	if (w->cancel_fd >= 0 && w->ticker)
		return w;
	import_free(w);
	return NULL;
}

void tg_op_import(struct tg_daemon *d, struct tg_request *rq)
{
	const struct timeval tick = { 0, PROGRESS_MS * 1000 };
	struct import_work *w;
	int fd = rq->fd, rc;

	if (fd < 0) {
		tg_op_refuse(rq, TG_EXIT_REFUSED, "no feed came with the request");
		return;
	}
	w = import_new(d, rq);
	if (!w) {
		tg_op_refuse(rq, TG_EXIT_REFUSED, "no memory");
		return;
	}
	rq->fd = -1;
	rc = open_feed(w, fd);
	if (rc != 0) {
		tg_op_refuse(rq, TG_EXIT_FILE, "cannot read the feed: %s", strerror(-rc));
		import_free(w);
		return;
	}
	snprintf(w->source, sizeof(w->source), "%s", tg_op_text(rq, "source", ""));
	snprintf(w->file, sizeof(w->file), "%s", tg_op_text(rq, "file", "feed"));
	w->import = (struct tg_import){
		.source = strlen(tg_op_text(rq, "source", "")) > TG_SOURCE_NAME_MAX ? ""
										    : w->source,
		.file = w->file,
		.mode = strcmp(tg_op_text(rq, "mode", ""), "add") == 0 ? TG_IMPORT_ADD
								       : TG_IMPORT_REPLACE,
		.force = tg_op_flag(rq, "force"),
		.progress = on_progress,
		.ctx = w,
	};
	rq->work = &w->work;
	event_add(w->ticker, &tick);
	tg_worker_submit(d->bulk, &w->job);
}
