/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The generation in force: published with one store, read by workers without waiting, freed after
 * every worker has passed a quiescent state. Runs without ports: tests and the thread sanitizer use
 * it as the dataplane does. The protocol and its memory ordering: README.md.
 *
 * Threads: one publisher (the control thread); any number of registered workers; any other thread
 * through tg_swap_info.
 */
#ifndef TG_RUN_SWAP_H
#define TG_RUN_SWAP_H

#include <pthread.h>
#include <rte_rcu_qsbr.h>

#include "dataplane/run/config.h"
#include "dataplane/run/part.h"
#include "tollgate/ctl.h"
#include "tollgate/pipeline.h"

/* A generation and the images that it stands on. */
struct tg_held {
	struct tg_generation gen;
	struct tg_part *part[TG_PART_COUNT]; /* delta may be NULL */
};

/*
 * Puts opened parts together; the delta (may be NULL) must fit the base. Takes references of its
 * own. 0, or negative errno with *why.
 */
int tg_held_compose(uint64_t number, struct tg_part *const part[TG_PART_COUNT],
		    struct tg_held **held, struct tg_why *why);
void tg_held_free(struct tg_held *held);

/* How long a publication waits for its slowest worker before it says so. */
#define TG_SWAP_TIMEOUT_NS 1000000000ull

struct tg_swap {
	const struct tg_generation *current; /* what workers load; NULL = none yet */
	struct rte_rcu_qsbr *qsbr;
	struct tg_held *held;	 /* owner of `current`; written under `lock` */
	struct tg_held *leaving; /* replaced, but a worker may still read it */
	uint64_t leaving_token;
	uint64_t timeout_ns;
	uint32_t n_workers;
	pthread_mutex_t lock; /* readers of `held` that are no workers */
};

int tg_swap_init(struct tg_swap *swap, uint32_t n_workers);
/* After every worker has left. */
void tg_swap_fini(struct tg_swap *swap);

/*
 * The worker's side. `worker` is below n_workers. tg_swap_current may be called from join to leave;
 * what it returns holds until the next tg_swap_quiescent.
 */
void tg_swap_join(struct tg_swap *swap, uint32_t worker);
void tg_swap_leave(struct tg_swap *swap, uint32_t worker);

static inline const struct tg_generation *tg_swap_current(const struct tg_swap *swap)
{
	/* Acquire, pairs with the release store in tg_swap_publish: without it a worker could see
	 * the pointer before what it points to. */
	return __atomic_load_n(&swap->current, __ATOMIC_ACQUIRE);
}

static inline void tg_swap_quiescent(struct tg_swap *swap, uint32_t worker)
{
	rte_rcu_qsbr_quiescent(swap->qsbr, worker);
}

/*
 * The publisher's side: puts `held` in force and waits until every worker decides with it, then frees
 * what was in force before. Takes `held` over if it returns 0 or -ETIMEDOUT.
 *   0           *swap_ns is the time from the store to the last worker's quiescent state
 *   -ETIMEDOUT  in force, but a worker has not answered; the old generation is kept until it has
 *   -EBUSY      a generation before the last one is still not free
 */
int tg_swap_publish(struct tg_swap *swap, struct tg_held *held, uint64_t *swap_ns,
		    struct tg_why *why);

/* Frees what a time-out left behind, if it can be by now. True: nothing is left. */
bool tg_swap_reclaim(struct tg_swap *swap);

/*
 * One PUBLISH message with its descriptors (which stay the caller's): opens the parts given, takes
 * the rest from what is in force, publishes. Fills *ack; what is in force stays so on any failure
 * but -ETIMEDOUT.
 */
void tg_swap_apply(struct tg_swap *swap, const struct tg_ctl_publish *msg, const int *fds,
		   unsigned n_fds, struct tg_ctl_ack *ack);

/* Calls show(ctx, held) with the generation in force, or NULL; it stays whole for the call. */
void tg_swap_info(struct tg_swap *swap, void (*show)(void *ctx, const struct tg_held *held),
		  void *ctx);

#endif
