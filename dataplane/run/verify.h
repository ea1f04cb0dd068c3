/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * PASSporTs on their way to be verified and back: two rings for each worker, one thread that owns struct
 * tg_stir. A worker never waits and a call is never held: the call that brings a PASSporT is judged as
 * `unverified`; what comes out is there for what follows it.
 *
 *	worker  tg_verify_ask ──► ring of copies ──► tg_verifier_run: tg_stir_verify
 *	        tg_verify_collect ◄── ring of results ◄──┘
 */
#ifndef TG_RUN_VERIFY_H
#define TG_RUN_VERIFY_H

#include "dataplane/run/config.h"
#include "tollgate/pipeline.h"
#include "tollgate/stats.h"

/* Questions of one worker that have no answer yet. At 150 us each the last one waits for 40 ms, less than
 * the INVITE that comes back with credentials takes on a long trunk; 0.5 MiB. */
#define TG_VERIFY_QUEUE 256

/* A result is kept for 64*T1, as a verdict is; a valid one no longer than it is fresh. */
#define TG_VERIFY_KEEP_MS 32000

struct tg_verifier;
struct tg_verify_port;

/* Opens `dir` (stir.h). 0, or what tg_stir_open says, or -ENOMEM; with *why. */
int tg_verifier_open(struct tg_verifier **verifier, const char *dir, unsigned n_workers,
		     struct tg_why *why);
/* The thread's function, until tg_verifier_stop. tg_verifier_start makes such a thread, beside the workers'
 * cores; it needs EAL. */
void *tg_verifier_run(void *verifier);
int tg_verifier_start(struct tg_verifier *verifier, struct tg_why *why);
void tg_verifier_stop(struct tg_verifier *verifier);
/* Stops and waits for the thread that tg_verifier_start made. No worker may be at work. NULL is fine. */
void tg_verifier_close(struct tg_verifier *verifier);

/* Worker `i`'s; NULL without a verifier. The rest is that worker's only. */
struct tg_verify_port *tg_verifier_port(struct tg_verifier *verifier, unsigned i);

/* False: TG_VERIFY_QUEUE questions wait already. */
bool tg_verify_put(struct tg_verify_port *port, const struct tg_unverified *question);
/* False: there is no result at the moment. */
bool tg_verify_get(struct tg_verify_port *port, struct tg_verification *result);

/* A judged result: asks what nobody has been asked yet. What finds the queue full stays unverified. */
void tg_verify_ask(struct tg_verify_port *port, struct tg_pipeline *pl, const struct tg_result *r,
		   uint64_t now_ms, struct tg_stats *stats);
/* Is anything to come? Otherwise there is nothing to collect. */
bool tg_verify_waits(const struct tg_verify_port *port);
void tg_verify_collect(struct tg_verify_port *port, struct tg_pipeline *pl, uint64_t now_ms,
		       struct tg_stats *stats);

#endif
