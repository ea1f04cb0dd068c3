/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/run/swap.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Between two looks at the workers: a busy worker answers within a burst (some 10 us), an idle one
 * within its sleep (200 us by default). */
#define WAIT_NS 20000

int tg_held_compose(uint64_t number, struct tg_part *const part[TG_PART_COUNT],
		    struct tg_held **out, struct tg_why *why)
{
	struct tg_image_error err;
	struct tg_held *held;
	unsigned i;

	if (!part[TG_PART_BASE])
		return tg_why_set(why, -EINVAL, "no base: neither given nor in force");
	if (!part[TG_PART_POLICY])
		return tg_why_set(why, -EINVAL, "no policy: neither given nor in force");
	if (part[TG_PART_DELTA] && tg_table_check_delta(&part[TG_PART_BASE]->table,
							&part[TG_PART_DELTA]->table, &err) != 0)
		return tg_why_set(why, -EINVAL,
				  "delta: %s (section %s, offset %" PRIu64 "; for %016" PRIx64
				  ", base is %016" PRIx64 ")",
				  tg_image_error_text(err.code), tg_image_section_name(err.section),
				  err.offset, part[TG_PART_DELTA]->table.header->base_id,
				  tg_part_id(part[TG_PART_BASE]));
	held = calloc(1, sizeof(*held));
	if (!held)
		return tg_why_set(why, -ENOMEM, "out of memory");
	for (i = 0; i < TG_PART_COUNT; i++)
		held->part[i] = tg_part_get(part[i]);
	held->gen.base = part[TG_PART_BASE]->table;
	held->gen.has_delta = part[TG_PART_DELTA] != NULL;
	if (held->gen.has_delta)
		held->gen.delta = part[TG_PART_DELTA]->table;
	held->gen.policy = part[TG_PART_POLICY]->policy;
	held->gen.number = number;
	held->gen.hash = tg_generation_hash(&held->gen);
	*out = held;
	return 0;
}

void tg_held_free(struct tg_held *held)
{
	unsigned i;

	if (!held)
		return;
	for (i = 0; i < TG_PART_COUNT; i++)
		tg_part_put(held->part[i]);
	free(held);
}

int tg_swap_init(struct tg_swap *swap, uint32_t n_workers)
{
	const size_t size = rte_rcu_qsbr_get_memsize(n_workers);

	memset(swap, 0, sizeof(*swap));
	swap->qsbr = aligned_alloc(TG_CACHE_LINE,
				   (size + TG_CACHE_LINE - 1) / TG_CACHE_LINE * TG_CACHE_LINE);
	if (!swap->qsbr)
		return -ENOMEM;
	if (rte_rcu_qsbr_init(swap->qsbr, n_workers) != 0) {
		free(swap->qsbr);
		return -EINVAL;
	}
	swap->n_workers = n_workers;
	swap->timeout_ns = TG_SWAP_TIMEOUT_NS;
	pthread_mutex_init(&swap->lock, NULL);
	return 0;
}

void tg_swap_fini(struct tg_swap *swap)
{
	tg_held_free(swap->leaving);
	tg_held_free(swap->held);
	free(swap->qsbr);
	pthread_mutex_destroy(&swap->lock);
}

void tg_swap_join(struct tg_swap *swap, uint32_t worker)
{
	(void)rte_rcu_qsbr_thread_register(swap->qsbr, worker);
	rte_rcu_qsbr_thread_online(swap->qsbr, worker);
}

void tg_swap_leave(struct tg_swap *swap, uint32_t worker)
{
	rte_rcu_qsbr_thread_offline(swap->qsbr, worker);
	(void)rte_rcu_qsbr_thread_unregister(swap->qsbr, worker);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

bool tg_swap_reclaim(struct tg_swap *swap)
{
	if (!swap->leaving)
		return true;
	if (rte_rcu_qsbr_check(swap->qsbr, swap->leaving_token, false) != 1)
		return false;
	tg_held_free(swap->leaving);
	swap->leaving = NULL;
	return true;
}

int tg_swap_publish(struct tg_swap *swap, struct tg_held *held, uint64_t *swap_ns,
		    struct tg_why *why)
{
	const struct timespec wait = { .tv_nsec = WAIT_NS };
	uint64_t start;

	if (!tg_swap_reclaim(swap))
		return tg_why_set(why, -EBUSY,
				  "a worker still reads generation %" PRIu64
				  ", which was replaced before",
				  swap->leaving->gen.number);
	pthread_mutex_lock(&swap->lock);
	swap->leaving = swap->held;
	swap->held = held;
	pthread_mutex_unlock(&swap->lock);

	start = now_ns();
	/* Release, pairs with the acquire load in tg_swap_current: whoever sees the pointer sees the
	 * generation behind it. */
	__atomic_store_n(&swap->current, &held->gen, __ATOMIC_RELEASE);
	/* Adds to the token with release order, so after the store above. A worker that reports the
	 * new token read it with acquire order, hence loads the new pointer from then on; its report
	 * is a release store that rte_rcu_qsbr_check reads with acquire order, hence all it did with
	 * the old generation lies before the free. A plain increment would allow a worker to report
	 * the token and still pick up the old pointer afterwards. */
	swap->leaving_token = rte_rcu_qsbr_start(swap->qsbr);

	while (rte_rcu_qsbr_check(swap->qsbr, swap->leaving_token, false) != 1) {
		*swap_ns = now_ns() - start;
		if (*swap_ns > swap->timeout_ns)
			return tg_why_set(
				why, -ETIMEDOUT,
				"in force, but a worker has not taken it up within %" PRIu64
				" ms; generation %" PRIu64 " is kept for it",
				swap->timeout_ns / 1000000,
				swap->leaving ? swap->leaving->gen.number : 0);
		nanosleep(&wait, NULL);
	}
	*swap_ns = now_ns() - start;
	tg_held_free(swap->leaving);
	swap->leaving = NULL;
	return 0;
}

static const uint32_t part_bit[TG_PART_COUNT] = {
	[TG_PART_BASE] = TG_CTL_PART_BASE,
	[TG_PART_DELTA] = TG_CTL_PART_DELTA,
	[TG_PART_POLICY] = TG_CTL_PART_POLICY,
};

static int check_message(const struct tg_swap *swap, const struct tg_ctl_publish *msg,
			 unsigned n_fds, struct tg_why *why)
{
	const uint32_t known = TG_CTL_PART_BASE | TG_CTL_PART_DELTA | TG_CTL_PART_POLICY |
			       TG_CTL_PART_NO_DELTA;
	const uint64_t in_force = swap->held ? swap->held->gen.number : 0;
	const unsigned n_parts = (unsigned)__builtin_popcount(msg->parts & ~TG_CTL_PART_NO_DELTA);

	if (msg->parts == 0 || (msg->parts & ~known) != 0)
		return tg_why_set(why, -EINVAL, "parts 0x%x: none, or unknown ones", msg->parts);
	if ((msg->parts & TG_CTL_PART_DELTA) && (msg->parts & TG_CTL_PART_NO_DELTA))
		return tg_why_set(why, -EINVAL, "both a delta and none");
	if (n_parts != n_fds)
		return tg_why_set(why, -EINVAL, "%u parts announced, %u descriptors came", n_parts,
				  n_fds);
	if (msg->generation <= in_force)
		return tg_why_set(why, -ESTALE,
				  "generation %" PRIu64 " is not newer than %" PRIu64
				  ", which is in force",
				  msg->generation, in_force);
	return 0;
}

/* part[] gets one reference each, also on failure; the caller puts them. */
static int gather_parts(const struct tg_swap *swap, const struct tg_ctl_publish *msg,
			const int *fds, struct tg_part *part[TG_PART_COUNT], struct tg_why *why)
{
	const bool drops_delta = (msg->parts & (TG_CTL_PART_BASE | TG_CTL_PART_NO_DELTA)) != 0;
	unsigned i, n = 0;
	int rc;

	for (i = 0; i < TG_PART_COUNT; i++) {
		if (msg->parts & part_bit[i]) {
			rc = tg_part_open_memfd(fds[n], (enum tg_part_place)i, msg->length[n],
						&part[i], why);
			if (rc != 0)
				return rc;
			n++;
		} else if (swap->held && !(i == TG_PART_DELTA && drops_delta)) {
			part[i] = tg_part_get(swap->held->part[i]);
		}
	}
	return 0;
}

void tg_swap_apply(struct tg_swap *swap, const struct tg_ctl_publish *msg, const int *fds,
		   unsigned n_fds, struct tg_ctl_ack *ack)
{
	struct tg_part *part[TG_PART_COUNT] = { NULL };
	struct tg_why why = { "" };
	struct tg_held *held = NULL;
	unsigned i;
	int rc;

	*ack = (struct tg_ctl_ack){
		.h = { TG_CTL_MAGIC, TG_CTL_VERSION, TG_CTL_ACK },
		.generation = msg->generation,
	};
	rc = check_message(swap, msg, n_fds, &why);
	if (rc == 0)
		rc = gather_parts(swap, msg, fds, part, &why);
	if (rc == 0)
		rc = tg_held_compose(msg->generation, part, &held, &why);
	if (rc == 0) {
		rc = tg_swap_publish(swap, held, &ack->swap_ns, &why);
		if (rc != 0 && rc != -ETIMEDOUT)
			tg_held_free(held);
	}
	for (i = 0; i < TG_PART_COUNT; i++)
		tg_part_put(part[i]);
	ack->status = rc;
	memcpy(ack->text, why.text, sizeof(ack->text) - 1);
}

void tg_swap_info(struct tg_swap *swap, void (*show)(void *ctx, const struct tg_held *held),
		  void *ctx)
{
	pthread_mutex_lock(&swap->lock);
	show(ctx, swap->held);
	pthread_mutex_unlock(&swap->lock);
}
