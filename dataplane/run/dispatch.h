/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SCTP over several workers. What is remembered of one direction of an association (fragments, edits,
 * verdicts) is one worker's own; its packets come in by any queue: from other addresses (multihoming),
 * or hashed by addresses only. So a worker hands what belongs to another one of the same pair on to it,
 * through a ring that only these two use, and that one judges and forwards it as if it had received it.
 *
 * Knows rings and where SCTP's header stands; no pipeline, no ports. Where there is only one worker, or one
 * queue, there is none of it.
 */
#ifndef TG_RUN_DISPATCH_H
#define TG_RUN_DISPATCH_H

#include <rte_mbuf.h>
#include <rte_ring.h>

#include "dataplane/run/config.h"

/*
 * Frames that may wait for one worker, of one direction of a pair, in all of its rings together: as many as in a
 * NIC's receive ring, which are 1 ms of 1 Mpps. A worker that is further behind would lose them there, too.
 */
#define TG_DISPATCH_ROOM 1024

struct tg_dispatch; /* all rings of the program */

/* A pair of ports as far as it matters here: who polls it. */
struct tg_dispatch_owner {
	uint16_t worker;
	uint16_t unit; /* the first of that worker's in this pair: where it transmits */
};
struct tg_dispatch_pair {
	unsigned n;
	struct tg_dispatch_owner owner[TG_CONFIG_MAX_QUEUES]; /* ascending by worker, each once */
};

/* To one of a pair's owners. */
struct tg_dispatch_to {
	struct rte_ring *ring; /* NULL: that is us */
	const uint64_t *round; /* when that worker last came round; 0: has not begun */
	bool shut;	       /* nothing is handed on before its ring is empty */
};
/* What a worker receives of one direction of a pair goes here. Its own, and nobody else's. */
struct tg_dispatch_route {
	unsigned n;
	uint64_t patience; /* TSC cycles */
	struct tg_dispatch_to to[];
};

/* What comes to a worker from one other, of one direction of a pair. */
struct tg_dispatch_inbox {
	struct rte_ring *ring;
	uint16_t unit;
	uint8_t side; /* of the unit's ports: where it was received */
};

/*
 * Rings between all owners of each pair that has more than one. *d is NULL, and 0 is returned, if no pair
 * has. -ENOMEM.
 */
int tg_dispatch_open(struct tg_dispatch **d, unsigned n_workers,
		     const struct tg_dispatch_pair *pair, unsigned n_pairs, uint64_t tsc_hz);
/* No worker may run; frees what still lies in the rings. NULL is taken. */
void tg_dispatch_close(struct tg_dispatch *d);

/* NULL: all that this worker receives there is its own. */
struct tg_dispatch_route *tg_dispatch_route(struct tg_dispatch *d, unsigned worker, unsigned pair,
					    unsigned side);
const struct tg_dispatch_inbox *tg_dispatch_inboxes(const struct tg_dispatch *d, unsigned worker,
						    unsigned *n);

/*
 * Whose a frame is among `n` owners, by what all packets of one direction of an association have in
 * common, whatever their path: verification tag and ports. An INIT has tag 0, and carries no call.
 * -1: not SCTP, over IP or UDP, or a fragment.
 */
int tg_dispatch_owner(const uint8_t *frame, uint32_t len, unsigned n);

/*
 * Hands others' frames on; what stays is moved together at the beginning of mbuf[0..n), in order. Returns how
 * many stay. In *refused: how many of them are another's, who has no room for them, or has not
 * come round for 100 ms; they have to be judged here. Its ring then stays shut until it is empty: so an association
 * is overtaken once, not in every burst. n <= TG_BURST.
 */
unsigned tg_dispatch_burst(struct tg_dispatch_route *route, struct rte_mbuf **mbuf, unsigned n,
			   uint64_t now, unsigned *refused);

/* Up to TG_BURST frames, in the order in which they were handed on. *waited: for how many cycles the first has. */
unsigned tg_dispatch_take(const struct tg_dispatch_inbox *inbox, struct rte_mbuf **mbuf,
			  uint64_t now, uint64_t *waited);

/* Frames that this worker handed on wait in a ring. */
bool tg_dispatch_waits(const struct tg_dispatch *d, unsigned worker);

/* The worker comes round to its inboxes. */
void tg_dispatch_round(struct tg_dispatch *d, unsigned worker, uint64_t now);

/*
 * At the end a worker must not leave while others may hand something on to it. done: this one will not any
 * more. all_done: nobody will; what then is not in the rings will never be.
 */
void tg_dispatch_done(struct tg_dispatch *d);
bool tg_dispatch_all_done(const struct tg_dispatch *d);

#endif
