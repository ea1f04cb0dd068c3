/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A background thread for what takes long, so that the main loop always answers. Jobs run one after
 * the other in the order of submission; the daemon has a worker for each kind of job that is not to
 * wait for another kind.
 *
 * Ownership: a job is the caller's memory. Between submit and done() only run() touches what the job
 * owns, in the worker; everything else happens in the main thread. No lock is needed beyond that.
 */
#ifndef TG_CONTROL_WORKER_H
#define TG_CONTROL_WORKER_H

#include <stdatomic.h>

#include "tollgate/base.h"

struct event_base;

struct tg_job {
	void (*run)(struct tg_job *job);  /* worker thread */
	void (*done)(struct tg_job *job); /* main thread; may free the job */
	/* Set by the main thread, polled by run(). Relaxed: it carries no data, a late look is only a
	 * late stop. */
	atomic_bool cancelled;
	struct tg_job *next; /* the worker's */
};

struct tg_worker;

/* `nice` as in nice(1): how far its work stands back. */
int tg_worker_open(struct event_base *loop, const char *name, int nice, struct tg_worker **worker);
void tg_worker_submit(struct tg_worker *worker, struct tg_job *job);
/* Cancels what waits and runs, waits for the thread, and calls done() of every job. */
void tg_worker_close(struct tg_worker *worker);

#endif
