/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/run/link.h"

#include <rte_ip.h>
#include <rte_thash.h>

#include "tests/support/tg_test.h"

#define SECOND 1000

/* One look at both links, and what must be done to each port. */
struct look {
	unsigned ms; /* after the one before */
	bool up[2];
	enum tg_link_act act[2];
};

static void check_looks(const struct look *looks, size_t n)
{
	struct tg_link_pair p = { .expected_ms = { TG_LINK_GRACE_MS, TG_LINK_GRACE_MS } };
	uint64_t now = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		enum tg_link_act act[2];

		now += looks[i].ms;
		tg_link_step(&p, looks[i].up, now, act);
		if (act[0] != looks[i].act[0] || act[1] != looks[i].act[1])
			fail_msg("look %zu: %d %d", i, (int)act[0], (int)act[1]);
		assert_false(p.held_down[0] && p.held_down[1]);
	}
}

#define CHECK_LOOKS(...)                                                                           \
	do {                                                                                       \
		static const struct look looks[] = { __VA_ARGS__ };                                \
		check_looks(looks, TG_ARRAY_LEN(looks));                                           \
	} while (0)

TG_TEST(L2_7_lost_link_goes_through, TG_NEEDS_NOTHING)
{
	CHECK_LOOKS({ 0, { true, true }, { TG_LINK_KEEP, TG_LINK_KEEP } },
		    { 100, { false, true }, { TG_LINK_KEEP, TG_LINK_DOWN } },
		    /* what is held down has no link, which means nothing */
		    { 100, { false, false }, { TG_LINK_KEEP, TG_LINK_KEEP } },
		    { 60 * SECOND, { false, false }, { TG_LINK_KEEP, TG_LINK_KEEP } },
		    { 100, { true, false }, { TG_LINK_KEEP, TG_LINK_UP } },
		    /* it takes its time to come up */
		    { 9 * SECOND, { true, false }, { TG_LINK_KEEP, TG_LINK_KEEP } },
		    { 100, { true, true }, { TG_LINK_KEEP, TG_LINK_KEEP } },
		    { 100, { true, false }, { TG_LINK_DOWN, TG_LINK_KEEP } },
		    { 100, { false, true }, { TG_LINK_UP, TG_LINK_KEEP } }, );
}

/* Both wires are cut, one after the other or at once: no port is left down for good. */
TG_TEST(L2_7_both_links_lost, TG_NEEDS_NOTHING)
{
	CHECK_LOOKS({ 0, { true, true }, { TG_LINK_KEEP, TG_LINK_KEEP } },
		    { 100, { false, false }, { TG_LINK_KEEP, TG_LINK_DOWN } },
		    { 100, { true, false }, { TG_LINK_KEEP, TG_LINK_UP } },
		    /* the second wire is still cut */
		    { TG_LINK_GRACE_MS, { true, false }, { TG_LINK_DOWN, TG_LINK_KEEP } },
		    { 100, { false, false }, { TG_LINK_KEEP, TG_LINK_KEEP } },
		    { 100, { false, true }, { TG_LINK_UP, TG_LINK_KEEP } },
		    { 100, { true, true }, { TG_LINK_KEEP, TG_LINK_KEEP } }, );
}

TG_TEST(L2_7_links_that_come_up_at_start, TG_NEEDS_NOTHING)
{
	CHECK_LOOKS({ 0, { false, false }, { TG_LINK_KEEP, TG_LINK_KEEP } },
		    { 3 * SECOND, { true, false }, { TG_LINK_KEEP, TG_LINK_KEEP } },
		    { 3 * SECOND, { true, true }, { TG_LINK_KEEP, TG_LINK_KEEP } },
		    { 100, { false, true }, { TG_LINK_KEEP, TG_LINK_DOWN } }, );
	CHECK_LOOKS({ TG_LINK_GRACE_MS, { true, false }, { TG_LINK_DOWN, TG_LINK_KEEP } }, );
}

/*
 * Several queues: fragments have no ports, so NICs hash the addresses only. With the key that ports
 * get, both directions and all fragments of two hosts meet in one queue, and no other order is made of
 * them than the wire's; checked with DPDK's own Toeplitz.
 */
TG_TEST(L3_11_fragments_of_two_hosts_meet_in_one_queue, TG_NEEDS_NOTHING)
{
	uint64_t seed = 11;
	uint8_t key[52];
	unsigned i, w;

	tg_ports_rss_key(key, sizeof(key));
	for (i = 0; i < 1000; i++) {
		uint32_t there[8], back[8], four[2], ports[3], ports_back[3];

		for (w = 0; w < 8; w++)
			there[w] = (uint32_t)tg_test_random(&seed);
		for (w = 0; w < 8; w++)
			back[w] = there[(w + 4) % 8];
		assert_int_equal(rte_softrss(there, 8, key), rte_softrss(back, 8, key));
		four[0] = there[1];
		four[1] = there[0];
		assert_int_equal(rte_softrss(there, 2, key), rte_softrss(four, 2, key));
		ports[0] = there[0];
		ports[1] = there[1];
		ports[2] = there[2];
		ports_back[0] = ports[1];
		ports_back[1] = ports[0];
		ports_back[2] = ports[2] << 16 | ports[2] >> 16;
		assert_int_equal(rte_softrss(ports, 3, key), rte_softrss(ports_back, 3, key));
	}
	assert_true(RTE_ETH_RSS_IP & RTE_ETH_RSS_FRAG_IPV4 & ~RTE_ETH_RSS_NONFRAG_IPV4_UDP);
	assert_true(RTE_ETH_RSS_IP & RTE_ETH_RSS_FRAG_IPV6 & ~RTE_ETH_RSS_NONFRAG_IPV6_UDP);
}
