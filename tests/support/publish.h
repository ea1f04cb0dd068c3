/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A whole generation to publish, as sealed memfds: a base that lists one number, a delta to it that
 * lists another, and the default policy.
 */
#ifndef TG_TESTS_PUBLISH_H
#define TG_TESTS_PUBLISH_H

#include "dataplane/run/swap.h"
#include "tests/support/sealed.h"
#include "tests/support/tg_test.h"
#include "tollgate/ctl.h"

static const uint64_t tg_test_in_base = 12025550123;  /* in the base */
static const uint64_t tg_test_in_delta = 12025550124; /* in the delta */

struct tg_test_set {
	struct tg_sealed_image base, delta, policy;
	int base_fd, delta_fd, policy_fd;
};

static inline void tg_test_set_open(struct tg_test_set *s)
{
	s->base = tg_sealed_table(0, &tg_test_in_base, 1);
	s->delta = tg_sealed_table(s->base.id, &tg_test_in_delta, 1);
	s->policy = tg_sealed_policy(NULL);
	s->base_fd = tg_sealed_memfd(&s->base, 0, TG_SEALED_ALL);
	s->delta_fd = tg_sealed_memfd(&s->delta, 0, TG_SEALED_ALL);
	s->policy_fd = tg_sealed_memfd(&s->policy, 0, TG_SEALED_ALL);
}

static inline void tg_test_set_close(struct tg_test_set *s)
{
	close(s->base_fd);
	close(s->delta_fd);
	close(s->policy_fd);
	free(s->base.bytes);
	free(s->delta.bytes);
	free(s->policy.bytes);
}

static inline struct tg_ctl_publish tg_test_publish(uint64_t generation, uint32_t parts,
						    const struct tg_test_set *s)
{
	struct tg_ctl_publish msg = { .h = { TG_CTL_MAGIC, TG_CTL_VERSION, TG_CTL_PUBLISH },
				      .generation = generation,
				      .parts = parts };
	unsigned n = 0;

	if (parts & TG_CTL_PART_BASE)
		msg.length[n++] = s->base.length;
	if (parts & TG_CTL_PART_DELTA)
		msg.length[n++] = s->delta.length;
	if (parts & TG_CTL_PART_POLICY)
		msg.length[n++] = s->policy.length;
	return msg;
}

static inline unsigned tg_test_fds(uint32_t parts, const struct tg_test_set *s,
				   int fds[TG_CTL_MAX_FDS])
{
	unsigned n = 0;

	if (parts & TG_CTL_PART_BASE)
		fds[n++] = s->base_fd;
	if (parts & TG_CTL_PART_DELTA)
		fds[n++] = s->delta_fd;
	if (parts & TG_CTL_PART_POLICY)
		fds[n++] = s->policy_fd;
	return n;
}

#define TG_TEST_BASE_POLICY (TG_CTL_PART_BASE | TG_CTL_PART_POLICY)
#define TG_TEST_ALL_PARTS (TG_TEST_BASE_POLICY | TG_CTL_PART_DELTA)

static inline struct tg_ctl_ack tg_test_apply(struct tg_swap *swap, uint64_t generation,
					      uint32_t parts, const struct tg_test_set *s)
{
	const struct tg_ctl_publish msg = tg_test_publish(generation, parts, s);
	int fds[TG_CTL_MAX_FDS];
	const unsigned n = tg_test_fds(parts, s, fds);
	struct tg_ctl_ack ack;

	tg_swap_apply(swap, &msg, fds, n, &ack);
	assert_int_equal(ack.h.type, TG_CTL_ACK);
	assert_int_equal(ack.generation, generation);
	if (ack.status != 0 && !ack.text[0])
		fail_msg("refused with %d and no sentence", ack.status);
	return ack;
}

/* Is the number listed by what is in force? */
static inline bool tg_test_listed(const struct tg_swap *swap, uint64_t number)
{
	const struct tg_generation *g = tg_swap_current(swap);
	const struct tg_num num = tg_num_make(TG_NUM_E164, 11, number);
	struct tg_table_adapt adapt = { 0 };
	uint32_t listing;

	assert_non_null(g);
	tg_table_lookup_burst(&g->base, g->has_delta ? &g->delta : NULL, &adapt, &num, 1, &listing);
	return listing != 0;
}

#endif
