/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One worker: one core, run to completion. Receives, has the pipeline judge, has act carry out, and
 * reports its quiescent state. Nothing that it writes is written by anybody else.
 */
#ifndef TG_RUN_WORKER_H
#define TG_RUN_WORKER_H

#include <rte_mbuf.h>

#include "dataplane/run/beat.h"
#include "dataplane/run/config.h"
#include "dataplane/run/dispatch.h"
#include "dataplane/run/events.h"
#include "dataplane/run/port.h"
#include "dataplane/run/swap.h"
#include "dataplane/run/verify.h"
#include "tollgate/pipeline.h"
#include "tollgate/stats.h"

/*
 * What a worker polls: queue `queue` of both ports of a pair, on which it also transmits. No transmit
 * queue is shared, and with symmetric RSS both directions of a call meet in one worker.
 */
struct tg_unit {
	const struct tg_port *port[2];
	uint16_t queue;
	uint16_t pair;
	struct tg_dispatch_route *route[2]; /* of what port[i] receives; NULL: it is all ours */
};

#define TG_WORKER_MAX_UNITS 64
/* A frame in several buffers is copied together to be read. Longer than the longest jumbo frame; of
 * a longer one the head is read. */
#define TG_WORKER_SCRATCH 10240

/* One burst on its way through the phases. */
struct tg_burst {
	unsigned n;
	uint16_t queue;
	const struct tg_port *from;
	const struct tg_port *to;
	const struct tg_generation *gen;
	struct rte_mbuf *mbuf[TG_BURST];
	uint64_t bytes;
	uint32_t media; /* bit i: mbuf[i] is, and goes on without having been judged */
	unsigned n_in;	/* the others */
	struct tg_frame_in in[TG_BURST];
	struct tg_result out[TG_BURST];
	uint8_t of[TG_BURST]; /* in[j] and out[j] are mbuf[of[j]] */
};

struct tg_worker {
	/* Set before the start. */
	struct tg_swap *swap;
	const bool *quit;
	struct tg_event_ring *events;  /* NULL: nobody wants them */
	struct tg_verify_port *verify; /* NULL: no PASSporT is verified */
	struct tg_pipeline *pipeline;
	uint32_t index;
	unsigned lcore;
	unsigned idle_us; /* longest sleep, 0 = never */
	unsigned n_units;
	struct tg_unit unit[TG_WORKER_MAX_UNITS];
	struct tg_dispatch *dispatch; /* NULL: nothing is handed on between workers */
	const struct tg_dispatch_inbox *inbox;
	unsigned n_inboxes;
	const struct tg_beats *beats;
	unsigned n_lines; /* heartbeats of its queues, 0: no XDP program in front */
	struct tg_steer_heartbeat *line[2 * TG_WORKER_MAX_UNITS];
	uint64_t tsc_hz;
	uint64_t tsc_per_ms;
	uint64_t ns_per_cycle; /* 32-bit fixed point */
	/* The worker's own. */
	uint64_t last_tsc;
	uint64_t release_tsc; /* when held frames are looked at next */
	bool behind;	      /* a queue had a full burst in this round */
	uint32_t empty_polls;
	uint64_t event_ns; /* when this burst's events happened, 0 = not asked for yet */
	uint8_t checksum;  /* TG_PIPELINE_CSUM_*, for frames of which the NIC says nothing */
	struct tg_pulse pulse;
	struct tg_burst burst;
	uint8_t answer[TG_ANSWER_MAX];
	uint8_t held[TG_ANSWER_MAX]; /* a frame that was held, if it lies in several buffers */
	uint8_t scratch[TG_BURST][TG_WORKER_SCRATCH];
	struct tg_stats stats TG_ALIGNED(TG_CACHE_LINE);
} TG_ALIGNED(TG_CACHE_LINE);

/*
 * Only the worker writes its counters, so it needs no read-modify-write that others could not split:
 * a relaxed store is a plain move that the compiler may not tear, and readers' relaxed loads get one
 * value or the next. Nothing else is ordered by a counter.
 */
static inline void tg_count(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

/* Makes the workers' memory, on the NUMA node of each; spreads the pairs' queues; rings between them. */
struct tg_workers {
	unsigned n;
	struct tg_worker *worker[RTE_MAX_LCORE];
	struct tg_dispatch *dispatch;
};
int tg_workers_open(struct tg_workers *workers, const struct tg_config *config,
		    const struct tg_ports *ports, const struct tg_beats *beats, struct tg_why *why);
void tg_workers_close(struct tg_workers *workers);

/*
 * The loop; lcore_function_t, `worker` is a struct tg_worker. Returns 0 once *quit is set; with an XDP
 * program in front, once that forwards by itself and the worker's sockets are empty. Workers between
 * which SCTP is dispatched must all run, and wait for each other at the end.
 */
int tg_worker_run(void *worker);

/* Milliseconds as the worker's pipeline counts them. */
static inline uint64_t tg_worker_ms(const struct tg_worker *w, uint64_t tsc)
{
	return tsc / w->tsc_per_ms;
}

/*
 * Whether the worker stood still for so long that what it has in hand was sent again by its sender,
 * and its repetition has passed in the kernel: neither judge it nor send it. False without an XDP program in
 * front. Reads the clock.
 */
bool tg_worker_overtaken(struct tg_worker *w);

/* All workers' counters; any thread, also while they run. */
void tg_workers_sum(const struct tg_workers *workers, struct tg_stats *sum);

#endif
