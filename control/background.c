/* SPDX-License-Identifier: BSD-3-Clause */
/* The daemon's standing jobs in its workers: a new base, the journal and images to disk, SQLite's index. */
#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/daemon.h"

/* A second's worth of adds goes into one SQLite transaction. */
#define INDEX_DELAY_MS 1000
/* 50,000 records at some 300,000/s: 170 ms. */
#define INDEX_STEP 50000

/* ---- a new base ---------------------------------------------------------------------------------- */

struct base_job {
	struct tg_job job;
	struct tg_daemon *d;
	struct tg_latest_base base;
	struct tg_error err;
	int rc;
};

static void base_run(struct tg_job *job)
{
	struct base_job *b = (struct base_job *)job;

	b->rc = -1;
	if (!atomic_load_explicit(&job->cancelled, memory_order_relaxed))
		b->rc = tg_latest_build_base(b->d->ledger, time(NULL), &b->base, &b->err);
}

static void base_done(struct tg_job *job)
{
	struct base_job *b = (struct base_job *)job;
	struct tg_daemon *d = b->d;

	d->base_building = false;
	if (d->stopping) {
		if (b->rc == 0)
			tg_memimage_put(b->base.image);
	} else if (b->rc == 0) {
		tg_daemon_alarm(d, TG_DAEMON_ALARM_BUILD, false, NULL);
		tg_latest_set_base(&d->latest, &b->base);
		tg_daemon_changed(d, NULL);
	} else {
		/* The old base goes on; the next change tries again. */
		tg_daemon_alarm(d, TG_DAEMON_ALARM_BUILD, true, b->err.text);
		tg_rollout_abandon(d, b->err.text);
	}
	free(b);
}

void tg_background_base(struct tg_daemon *d)
{
	struct base_job *b;

	if (d->base_building)
		return;
	b = calloc(1, sizeof(*b));
	if (!b) {
		tg_daemon_alarm(d, TG_DAEMON_ALARM_BUILD, true, "no memory");
		return;
	}
	b->job.run = base_run;
	b->job.done = base_done;
	b->d = d;
	d->base_building = true;
	tg_worker_submit(d->build, &b->job);
}

/* ---- the journal to disk ------------------------------------------------------------------------- */

struct flush_job {
	struct tg_job job;
	struct tg_daemon *d;
	uint64_t durable;
	struct tg_error err;
	int rc;
};

static void flush_run(struct tg_job *job)
{
	struct flush_job *f = (struct flush_job *)job;

	f->rc = tg_ledger_flush(f->d->ledger, &f->durable, &f->err);
}

/* Those who wait for no more than what is durable; with an error all. */
static void tell_flushed(struct tg_daemon *d, const struct tg_error *err)
{
	struct tg_daemon_flush *f = TAILQ_FIRST(&d->flushes), *next;

	for (; f; f = next) {
		next = TAILQ_NEXT(f, link);
		if (!err && f->batch > d->durable)
			continue;
		TAILQ_REMOVE(&d->flushes, f, link);
		f->done(f, f->batch > d->durable ? err : NULL);
	}
}

static void flush_done(struct tg_job *job)
{
	struct flush_job *f = (struct flush_job *)job;
	struct tg_daemon *d = f->d;

	d->flushing = false;
	d->durable = f->durable;
	tg_daemon_alarm(d, TG_DAEMON_ALARM_JOURNAL, f->rc != 0, f->err.text);
	tell_flushed(d, f->rc != 0 ? &f->err : NULL);
	free(f);
	/* Committed while it was under way. */
	if (!TAILQ_EMPTY(&d->flushes) && !d->stopping)
		tg_daemon_flush(d, NULL);
}

void tg_daemon_flush(struct tg_daemon *d, struct tg_daemon_flush *f)
{
	struct flush_job *job;

	if (f)
		TAILQ_INSERT_TAIL(&d->flushes, f, link);
	if (d->flushing)
		return;
	job = calloc(1, sizeof(*job));
	if (!job) {
		const struct tg_error err = { .code = -ENOMEM, .text = "no memory to flush" };

		tell_flushed(d, &err);
		return;
	}
	job->job.run = flush_run;
	job->job.done = flush_done;
	job->d = d;
	d->flushing = true;
	tg_worker_submit(d->flush, &job->job);
}

void tg_background_flush_abandon(struct tg_daemon *d)
{
	const struct tg_error err = { .code = -ECANCELED, .text = "the daemon stops" };

	tell_flushed(d, &err);
}

/* ---- images to disk ------------------------------------------------------------------------------ */

struct persist_job {
	struct tg_job job;
	struct tg_daemon *d;
	struct tg_images_history history; /* to write: what a dataplane has taken */
	struct tg_images_history keep;	  /* and what is on its way to one, whose files stay */
	struct tg_memimage *image[3 * TG_IMAGES_HISTORY]; /* with references */
	unsigned n;
	struct tg_error err;
	int rc;
};

static void persist_run(struct tg_job *job)
{
	struct persist_job *p = (struct persist_job *)job;
	struct tg_images *images = p->d->images;
	unsigned i;

	for (i = 0; i < p->n && p->rc == 0; i++)
		p->rc = tg_images_store(images, p->image[i], &p->err);
	if (p->rc == 0)
		p->rc = tg_images_commit(images, &p->history, &p->err);
	if (p->rc == 0)
		tg_images_collect(images, &p->keep);
}

static void persist_done(struct tg_job *job)
{
	struct persist_job *p = (struct persist_job *)job;
	struct tg_daemon *d = p->d;
	unsigned i;

	for (i = 0; i < p->n; i++) {
		if (p->rc == 0)
			p->image[i]->stored = true;
		tg_memimage_put(p->image[i]);
	}
	tg_daemon_alarm(d, TG_DAEMON_ALARM_DISK, p->rc != 0, p->err.text);
	d->persisting = false;
	free(p);
	if (d->persist_again)
		tg_background_persist(d);
}

static void persist_add(struct persist_job *p, struct tg_memimage *image)
{
	/* Also one that was stored before: while it was in no set of the history (a table that was
	 * pinned for long) its file was collected. One that is there costs a look at it. */
	if (image)
		p->image[p->n++] = tg_memimage_ref(image);
}

/* If the images on their way were what a dataplane dies of, it must not find them at its next start. */
static void leave_out_unanswered(const struct tg_daemon *d, struct tg_images_history *h)
{
	if (d->in_flight && h->n > 0 && h->set[h->n - 1].number == d->sent.meta.number)
		h->n--;
}

/* What is to be kept as of now; changes that come while the job runs go with the next one. */
void tg_background_persist(struct tg_daemon *d)
{
	struct persist_job *p;
	unsigned i;

	d->persist_again = d->persisting;
	if (d->persisting)
		return;
	p = calloc(1, sizeof(*p));
	if (!p) {
		tg_daemon_alarm(d, TG_DAEMON_ALARM_DISK, true, "no memory");
		return;
	}
	p->job.run = persist_run;
	p->job.done = persist_done;
	p->d = d;
	tg_generations_to_history(&d->generations, &p->keep);
	p->history = p->keep;
	leave_out_unanswered(d, &p->history);
	/* The history's sets are the first of the list. */
	for (i = 0; i < p->history.n; i++) {
		persist_add(p, d->generations.set[i].base);
		persist_add(p, d->generations.set[i].delta);
		persist_add(p, d->generations.set[i].policy);
	}
	d->persisting = true;
	if (!d->stopping) {
		tg_worker_submit(d->disk, &p->job);
		return;
	}
	/* The worker has ended, and what came into force while it wrote goes to disk all the same. */
	p->job.run(&p->job);
	p->job.done(&p->job);
}

/* ---- SQLite -------------------------------------------------------------------------------------- */

struct index_job {
	struct tg_job job;
	struct tg_daemon *d;
	struct tg_error err;
	int rc;
};

static void index_run(struct tg_job *job)
{
	struct index_job *x = (struct index_job *)job;
	uint64_t durable;

	/* SQLite takes what is durable. */
	x->rc = tg_ledger_flush(x->d->ledger, &durable, &x->err);
	if (x->rc == 0 && !atomic_load_explicit(&job->cancelled, memory_order_relaxed))
		x->rc = tg_ledger_index_step(x->d->ledger, INDEX_STEP, &x->err);
}

/* A step at a time: a daemon that stops waits for one at most. */
static void index_done(struct tg_job *job)
{
	struct index_job *x = (struct index_job *)job;
	struct tg_daemon *d = x->d;

	if (x->rc > 0 && !d->stopping && !d->base_building) {
		tg_worker_submit(d->index, &x->job);
		return;
	}
	if (x->rc > 0 && !d->stopping) {
		/* A base is what somebody waits for, and wants the same memory and disk. */
		d->indexing = false;
		free(x);
		tg_background_index_soon(d);
		return;
	}
	d->indexing = false;
	tg_daemon_alarm(d, TG_DAEMON_ALARM_INDEX, x->rc < 0, x->err.text);
	tg_ops_indexed(d, x->rc < 0 ? &x->err : NULL);
	free(x);
}

void tg_daemon_index(struct tg_daemon *d)
{
	struct index_job *x;

	if (d->indexing)
		return;
	x = calloc(1, sizeof(*x));
	if (!x)
		return; /* the next change starts it again */
	x->job.run = index_run;
	x->job.done = index_done;
	x->d = d;
	d->indexing = true;
	tg_worker_submit(d->index, &x->job);
}

void tg_background_index_soon(struct tg_daemon *d)
{
	const struct timeval tv = { INDEX_DELAY_MS / 1000, INDEX_DELAY_MS % 1000 * 1000 };

	if (!evtimer_pending(d->index_timer, NULL))
		event_add(d->index_timer, &tv);
}
