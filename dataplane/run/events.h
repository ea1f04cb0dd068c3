/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Verdicts on their way to the log: a ring for each worker, one thread that writes JSON lines. A
 * worker never waits: if its ring is full, because the disk or the reader is slow, the event is
 * dropped and counted.
 */
#ifndef TG_RUN_EVENTS_H
#define TG_RUN_EVENTS_H

#include "dataplane/run/config.h"
#include "tollgate/event.h"
#include "tollgate/pipeline.h"

struct tg_events;
struct tg_event_ring;

/* Opens the file and starts the writer. -ENOENT and the like with *why. */
int tg_events_open(struct tg_events **events, const struct tg_config *config, unsigned n_workers,
		   struct tg_why *why);
/* Writes what the rings still hold and ends the writer; gives up on a reader that does not read. */
void tg_events_close(struct tg_events *events);

/* Worker `i`'s ring. */
struct tg_event_ring *tg_events_ring(struct tg_events *events, unsigned i);
/* Lines that could not be written, because the disk was full or the reader went away. Any thread. */
uint64_t tg_events_lost(const struct tg_events *events);

/* The worker's side; `r` is a judged result. Everything but passing calls in no list is wanted, or
 * (--events-all) everything. */
bool tg_events_want(const struct tg_event_ring *ring, const struct tg_result *r);
/* Is also what passes in no list wanted? */
bool tg_events_want_all(const struct tg_event_ring *ring);
/* False: the ring is full. */
bool tg_events_put(struct tg_event_ring *ring, const struct tg_generation *gen,
		   const struct tg_frame_in *in, const struct tg_result *r, uint64_t time_ns);
/* UTC in nanoseconds since the epoch. */
uint64_t tg_events_now(void);

#endif
