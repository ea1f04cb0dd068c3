/* SPDX-License-Identifier: BSD-3-Clause */
/* Operations that only report, but take their time: verify and sources, jobs of the disk worker; and
 * waiting until SQLite is up to date. */
#include <errno.h>
#include <stdlib.h>

#include "control/ops.h"

struct report_work {
	struct tg_op_work work; /* first: rq->work */
	struct tg_job job;
	struct tg_daemon *d;
	struct tg_request *rq; /* NULL: the client has left */
	/* Worker thread. */
	int (*make)(struct tg_daemon *d, json_t **result, struct tg_error *err);
	json_t *result;
	struct tg_error err;
	int rc;
};

static struct report_work *report_of(struct tg_job *job)
{
	return (struct report_work *)((char *)job - offsetof(struct report_work, job));
}

static void report_gone(struct tg_op_work *work)
{
	struct report_work *w = (struct report_work *)work;

	w->rq = NULL;
}

static void report_run(struct tg_job *job)
{
	struct report_work *w = report_of(job);

	w->rc = w->make(w->d, &w->result, &w->err);
}

static void report_done(struct tg_job *job)
{
	struct report_work *w = report_of(job);

	if (w->rq && w->rc == 0)
		tg_request_ok(w->rq, json_incref(w->result));
	else if (w->rq)
		tg_request_error(w->rq, TG_EXIT_REFUSED, NULL, &w->err);
	json_decref(w->result);
	free(w);
}

static void report(struct tg_daemon *d, struct tg_request *rq,
		   int (*make)(struct tg_daemon *d, json_t **result, struct tg_error *err))
{
	struct report_work *w = calloc(1, sizeof(*w));

	if (!w) {
		tg_op_refuse(rq, TG_EXIT_REFUSED, "no memory");
		return;
	}
	w->work.gone = report_gone;
	w->job.run = report_run;
	w->job.done = report_done;
	w->d = d;
	w->rq = rq;
	w->make = make;
	rq->work = &w->work;
	tg_worker_submit(d->disk, &w->job);
}

static int make_verification(struct tg_daemon *d, json_t **result, struct tg_error *err)
{
	struct tg_images_history history;
	struct tg_ledger_status status;
	struct tg_error why;
	int rc;

	rc = tg_ledger_verify(d->ledger, err);
	/* The history as written, not as of now: image files come and go only through this worker. */
	if (rc == 0 && tg_images_read_history(d->images, &history, &why) == 0)
		rc = tg_images_verify(d->images, &history, err);
	if (rc != 0)
		return rc;
	tg_ledger_status(d->ledger, &status);
	*result = json_pack("{s:I, s:s, s:i}", "batches", (json_int_t)status.batch, "chain_head",
			    status.chain_head, "generations", (int)history.n);
	return 0;
}

void tg_op_verify(struct tg_daemon *d, struct tg_request *rq)
{
	report(d, rq, make_verification);
}

static int make_sources(struct tg_daemon *d, json_t **result, struct tg_error *err)
{
	struct tg_source *sources;
	json_t *array;
	size_t i, n;
	int rc;

	rc = tg_ledger_sources(d->ledger, &sources, &n, err);
	if (rc != 0)
		return rc;
	array = json_array();
	for (i = 0; i < n; i++)
		json_array_append_new(array,
				      json_pack("{s:s, s:I, s:I, s:o}", "source", sources[i].name,
						"claims", (json_int_t)sources[i].n_claims, "batch",
						(json_int_t)sources[i].batch, "time",
						tg_op_time(sources[i].time)));
	free(sources);
	*result = json_pack("{s:o}", "sources", array);
	return 0;
}

void tg_op_sources(struct tg_daemon *d, struct tg_request *rq)
{
	report(d, rq, make_sources);
}

/* ---- SQLite -------------------------------------------------------------------------------------- */

struct index_work {
	struct tg_op_work work; /* first: rq->work */
	TAILQ_ENTRY(index_work) link;
	struct tg_daemon *d;
	struct tg_request *rq;
};

static void index_gone(struct tg_op_work *work)
{
	struct index_work *w = (struct index_work *)work;

	TAILQ_REMOVE(&w->d->index_waiters, w, link);
	free(w);
}

void tg_ops_indexed(struct tg_daemon *d, const struct tg_error *err)
{
	struct tg_ledger_status status;
	struct index_work *w;

	tg_ledger_status(d->ledger, &status);
	/* index_gone takes it off the list, which the analyser does not see. */
	/* NOLINTBEGIN(clang-analyzer-unix.Malloc) */
	while ((w = TAILQ_FIRST(&d->index_waiters)) != NULL) {
		if (err)
			tg_request_error(w->rq, TG_EXIT_REFUSED, NULL, err);
		else
			tg_request_ok(w->rq,
				      json_pack("{s:I, s:I}", "batch", (json_int_t)status.batch,
						"indexed_batch", (json_int_t)status.indexed_batch));
		index_gone(&w->work);
	}
	/* NOLINTEND(clang-analyzer-unix.Malloc) */
}

void tg_op_index(struct tg_daemon *d, struct tg_request *rq)
{
	struct index_work *w = calloc(1, sizeof(*w));

	if (!w) {
		tg_op_refuse(rq, TG_EXIT_REFUSED, "no memory");
		return;
	}
	w->work.gone = index_gone;
	w->d = d;
	w->rq = rq;
	rq->work = &w->work;
	TAILQ_INSERT_TAIL(&d->index_waiters, w, link);
	tg_daemon_index(d);
}
