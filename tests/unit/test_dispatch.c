/* SPDX-License-Identifier: BSD-3-Clause */
/* SCTP over several workers: whose a packet is, and its way there. Threads: tests/tsan/test_dispatch.c; whole
 * workers: tests/system/test_dispatch.sh. */
#include <string.h>

#include "dataplane/run/dispatch.h"
#include "tests/support/pkt.h"
#include "tests/support/tg_test.h"
#include "tollgate/load.h"

#define SCTP 132
#define TSC_HZ 1000000000ull /* a cycle is a nanosecond */
#define MS 1000000ull

/* ---- whose it is --------------------------------------------------------------------------------- */

/* Common header (RFC 9260 §3.1) and a HEARTBEAT. */
static size_t sctp_packet(uint32_t tag, uint16_t sport, uint16_t dport, uint8_t out[20])
{
	memset(out, 0, 20);
	tg_store_be16(out, sport);
	tg_store_be16(out + 2, dport);
	tg_store_be32(out + 4, tag);
	out[12] = 4;
	out[15] = 8;
	return 20;
}

static size_t frame_of(const struct tg_pkt *p, uint32_t tag, uint8_t *frame)
{
	uint8_t packet[20];
	const size_t len = sctp_packet(tag, 2905, 2906, packet);

	return tg_pkt_build(p, packet, len, frame);
}

static uint8_t frame[TG_PKT_MAX];

static const struct tg_pkt paths[] = {
	{ .proto = SCTP },
	{ .proto = SCTP, .src = "192.0.2.99", .dst = "203.0.113.7" },
	{ .proto = SCTP, .ipv6 = true },
	{ .proto = SCTP, .ipv6 = true, .ext = { 60 } },
	{ .proto = SCTP, .ipv4_options = 8, .dscp = 0xb8 },
	{ .proto = SCTP, .n_vlan = 1, .vlan = { 7 } },
	{ .proto = SCTP, .n_vlan = 1, .vlan = { 7 }, .ipv6 = true },
	{ .proto = SCTP, .n_vlan = 2, .vlan = { 7, 8 } },
	{ .proto = SCTP, .n_mpls = 2 },
	{ .sport = 40000, .dport = 9899 },
	{ .sport = 9899, .dport = 40000 },
	{ .sport = 9899, .dport = 9899, .ipv6 = true, .n_vlan = 1, .vlan = { 3 } },
};

TG_TEST(SCTP_6_all_paths_of_an_association_have_one_owner, TG_NEEDS_NOTHING)
{
	unsigned i, tag;

	for (tag = 1; tag < 200; tag++) {
		const int owner = tg_dispatch_owner(frame,
						    (uint32_t)frame_of(&paths[0], tag, frame), 7);

		assert_in_range(owner, 0, 6);
		for (i = 1; i < TG_ARRAY_LEN(paths); i++) {
			const size_t len = frame_of(&paths[i], tag, frame);

			assert_int_equal(tg_dispatch_owner(frame, (uint32_t)len, 7), owner);
		}
	}
}

/* Of a frame in several buffers the first is looked at: its headers are there, its end is not. */
TG_TEST(L2_4_owner_of_a_frame_that_goes_on_in_other_buffers, TG_NEEDS_NOTHING)
{
	uint8_t packet[3000] = { 0 };
	unsigned i;

	sctp_packet(0xabcdef01, 2905, 2906, packet);
	for (i = 0; i < TG_ARRAY_LEN(paths); i++) {
		const size_t whole = tg_pkt_build(&paths[i], packet, sizeof(packet), frame);

		assert_true(whole > 2048);
		assert_int_equal(tg_dispatch_owner(frame, 2048, 64),
				 tg_dispatch_owner(frame, (uint32_t)whole, 64));
		assert_int_not_equal(tg_dispatch_owner(frame, 2048, 64), -1);
	}
}

TG_TEST(L3_11_associations_spread_over_owners, TG_NEEDS_NOTHING)
{
	static const unsigned owners[] = { 2, 3, 7, 64 };
	enum {
		TAGS,
		COUNTING,
		PORTS,
		KINDS
	};
	unsigned i, kind, k;

	for (i = 0; i < TG_ARRAY_LEN(owners); i++) {
		for (kind = 0; kind < KINDS; kind++) {
			const unsigned n = 2000 * owners[i];
			unsigned hits[64] = { 0 };
			uint64_t seed = 5;

			for (k = 0; k < n; k++) {
				const uint32_t tag = kind == TAGS ? (uint32_t)tg_test_random(&seed)
						     : kind == COUNTING ? k
									: 0x1234;
				uint8_t packet[20];
				int owner;
				size_t len = sctp_packet(
					tag, kind == PORTS ? (uint16_t)(k % 60000) : 2905,
					(uint16_t)(kind == PORTS ? 2905 + k / 60000 : 2905),
					packet);

				len = tg_pkt_build(&paths[0], packet, len, frame);
				owner = tg_dispatch_owner(frame, (uint32_t)len, owners[i]);
				assert_in_range(owner, 0, owners[i] - 1);
				hits[owner]++;
			}
			/* 2000 each, standard deviation 45 */
			for (k = 0; k < owners[i]; k++)
				assert_in_range(hits[k], 1800, 2200);
		}
	}
}

TG_TEST(L3_11_other_frames_stay_where_they_came_in, TG_NEEDS_NOTHING)
{
	static const struct tg_pkt others[] = {
		{ .dport = 5060 },
		{ .dport = 5060, .n_vlan = 1, .vlan = { 7 } },
		{ .dport = 5060, .ipv6 = true },
		{ .dport = 5060, .n_mpls = 1 },
		{ .proto = 6 },
		{ .proto = 50 },
		{ .ethertype = 0x0806 },
		/* fragments have no header, or only the first has */
		{ .proto = SCTP, .ipv4_fragment = 0x2000 },
		{ .proto = SCTP, .ipv4_fragment = 0x0010 },
		{ .proto = SCTP, .ipv6 = true, .ext = { 44 }, .ipv6_fragment = 1 },
		{ .dport = 9899, .ipv4_fragment = 0x2000 },
	};
	static const uint8_t rtp[20] = { 0x80, 0 };
	static const char options[] = "OPTIONS sip:a@b SIP/2.0\r\n\r\n";
	const struct tg_pkt text = { .dport = 9899 }, media = { .sport = 9899, .dport = 40000 };
	size_t len;
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(others); i++) {
		len = frame_of(&others[i], 0x1234, frame);
		assert_int_equal(tg_dispatch_owner(frame, (uint32_t)len, 2), -1);
	}
	len = tg_pkt_build(&text, options, sizeof(options) - 1, frame); /* SIP on any port */
	assert_int_equal(tg_dispatch_owner(frame, (uint32_t)len, 2), -1);
	len = tg_pkt_build(&media, rtp, sizeof(rtp), frame);
	assert_int_equal(tg_dispatch_owner(frame, (uint32_t)len, 2), -1);
}

static void same_or_none(void *owner, const uint8_t *data, size_t len)
{
	const int got = tg_dispatch_owner(data, (uint32_t)len, 64);

	assert_true(got == -1 || got == *(const int *)owner);
}

TG_TEST(L3_11_owner_of_truncated_frames, TG_NEEDS_NOTHING)
{
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(paths); i++) {
		const size_t len = frame_of(&paths[i], 0x55667788, frame);
		int owner = tg_dispatch_owner(frame, (uint32_t)len, 64);

		assert_int_not_equal(owner, -1);
		tg_guard_truncate(frame, len, same_or_none, &owner);
	}
}

/* ---- its way there ------------------------------------------------------------------------------- */

#define FRAMES 4096
#define FRAME_ROOM 64

/* Buffers without a pool: nothing here frees one. */
static struct rte_mbuf buffer[FRAMES];
static uint8_t bytes[FRAMES][FRAME_ROOM];

/* One whose association is owner `want`'s of `n`, or SIP for -1. */
static struct rte_mbuf *make_frame(unsigned i, int want, unsigned n)
{
	const struct tg_pkt sip = { .dport = 5060 };
	uint32_t tag = i * 64 + 1;
	size_t len;

	do {
		len = want < 0 ? frame_of(&sip, tag, frame) : frame_of(&paths[0], tag, frame);
		tag++;
	} while (tg_dispatch_owner(frame, (uint32_t)len, n) != want);
	assert_true(len <= FRAME_ROOM);
	memcpy(bytes[i], frame, len);
	memset(&buffer[i], 0, sizeof(buffer[i]));
	buffer[i].buf_addr = bytes[i];
	buffer[i].data_len = (uint16_t)len;
	buffer[i].pkt_len = (uint32_t)len;
	return &buffer[i];
}

static struct tg_dispatch *open_workers(unsigned n)
{
	struct tg_dispatch_pair pair = { .n = n };
	struct tg_dispatch *d;
	unsigned i;

	for (i = 0; i < n; i++)
		pair.owner[i] = (struct tg_dispatch_owner){ (uint16_t)i, 0 };
	assert_int_equal(tg_dispatch_open(&d, n, &pair, 1, TSC_HZ), 0);
	return d;
}

/* The ring from worker `from` to `to`, at its other end; inboxes are in the order of workers. */
static const struct tg_dispatch_inbox *inbox(struct tg_dispatch *d, unsigned to, unsigned from,
					     unsigned side)
{
	const struct tg_dispatch_inbox *in;
	unsigned n, i;

	in = tg_dispatch_inboxes(d, to, &n);
	for (i = 0; i < n; i++) {
		if (in[i].ring == tg_dispatch_route(d, from, 0, side)->to[to].ring)
			return &in[i];
	}
	fail();
	return NULL;
}

TG_TEST(L3_11_nothing_is_dispatched_where_one_worker_polls, TG_NEEDS_NOTHING)
{
	const struct tg_dispatch_pair pair[2] = { { 1, { { 0, 0 } } }, { 1, { { 1, 0 } } } };
	struct tg_dispatch *d = (struct tg_dispatch *)&pair;
	unsigned n = 1;

	assert_int_equal(tg_dispatch_open(&d, 2, pair, 2, TSC_HZ), 0);
	assert_null(d);
	assert_null(tg_dispatch_route(d, 0, 0, 0));
	assert_null(tg_dispatch_inboxes(d, 0, &n));
	assert_int_equal(n, 0);
	tg_dispatch_close(d);
}

TG_TEST(L3_11_a_pair_with_one_worker_beside_one_with_two, TG_NEEDS_NOTHING)
{
	const struct tg_dispatch_pair pair[2] = { { 1, { { 0, 0 } } },
						  { 2, { { 0, 1 }, { 1, 0 } } } };
	const struct tg_dispatch_inbox *in;
	struct tg_dispatch *d;
	unsigned n;

	assert_int_equal(tg_dispatch_open(&d, 2, pair, 2, TSC_HZ), 0);
	assert_null(tg_dispatch_route(d, 0, 0, 0));
	assert_null(tg_dispatch_route(d, 1, 0, 1));
	assert_non_null(tg_dispatch_route(d, 0, 1, 0));
	in = tg_dispatch_inboxes(d, 0, &n);
	assert_int_equal(n, 2);
	assert_int_equal(in[0].unit, 1);
	assert_int_equal(in[0].side + in[1].side, 1);
	tg_dispatch_close(d);
}

TG_TEST(L3_11_order_is_kept_and_no_frame_is_lost_or_twice, TG_NEEDS_NOTHING)
{
	struct tg_dispatch *d = open_workers(3);
	struct tg_dispatch_route *route = tg_dispatch_route(d, 1, 0, 0);
	struct rte_mbuf *want[4][FRAMES], *burst[TG_BURST], *got[TG_BURST];
	unsigned n_want[4] = { 0 }, n_got[3] = { 0 }, refused, kept, i, k, n, round;
	uint64_t seed = 7, waited;

	assert_int_equal(route->n, 3);
	assert_null(route->to[1].ring);
	for (round = i = 0; round < 60; round++) {
		const uint64_t now = (1000 + round) * MS;
		unsigned n_kept = 0;

		n = 1 + (unsigned)(tg_test_random(&seed) % TG_BURST);
		for (k = 0; k < n; k++, i++) {
			const unsigned to = (unsigned)(tg_test_random(&seed) % 4);

			burst[k] = make_frame(i, (int)to - 1, 3);
			want[to][n_want[to]++] = burst[k];
			n_kept += to == 0 || to == 2;
		}
		kept = tg_dispatch_burst(route, burst, n, now, &refused);
		assert_int_equal(refused, 0);
		assert_int_equal(kept, n_kept);
		/* SIP and our own, in the order in which they came */
		for (k = 0; k < kept; k++)
			assert_true(k == 0 || burst[k] > burst[k - 1]);
		for (k = 0; k < 3; k += 2) {
			n = tg_dispatch_take(inbox(d, k, 1, 0), got, now + 77, &waited);
			assert_int_equal(waited, n ? 77 : 0);
			assert_memory_equal(got, want[k + 1] + n_got[k], n * sizeof(got[0]));
			n_got[k] += n;
			assert_int_equal(n_got[k], n_want[k + 1]);
			/* the other direction, and the others' rings, have nothing of it */
			assert_int_equal(tg_dispatch_take(inbox(d, k, 1, 1), got, now, &waited), 0);
		}
		assert_false(tg_dispatch_waits(d, 1));
	}
	assert_true(n_got[0] > 100 && n_got[2] > 100);
	tg_dispatch_close(d);
}

TG_TEST(L3_11_full_ring_is_left_alone_until_it_is_empty, TG_NEEDS_NOTHING)
{
	struct tg_dispatch *d = open_workers(2);
	struct tg_dispatch_route *route = tg_dispatch_route(d, 0, 0, 0);
	struct rte_mbuf *burst[TG_BURST];
	unsigned sent = 0, taken = 0, refused, kept, i, k, n;
	uint64_t waited;

	for (i = 0; sent == i; i += TG_BURST) {
		assert_true(i <= TG_DISPATCH_ROOM);
		for (k = 0; k < TG_BURST; k++)
			burst[k] = make_frame(i + k, 1, 2);
		kept = tg_dispatch_burst(route, burst, TG_BURST, MS, &refused);
		assert_int_equal(kept, refused);
		sent += TG_BURST - kept;
	}
	/* What did not go in is what came last. */
	assert_in_range(sent, TG_DISPATCH_ROOM - TG_BURST, TG_DISPATCH_ROOM);
	for (k = 0; k < kept; k++)
		assert_ptr_equal(burst[k], &buffer[sent + k]);
	assert_true(tg_dispatch_waits(d, 0));
	/* With room again, but not empty: what came later must not come in between. */
	do {
		n = tg_dispatch_take(inbox(d, 1, 0, 0), burst, MS, &waited);
		for (k = 0; k < n; k++)
			assert_ptr_equal(burst[k], &buffer[taken + k]);
		taken += n;
		burst[0] = make_frame(FRAMES - 1, 1, 2);
		kept = tg_dispatch_burst(route, burst, 1, MS, &refused);
		assert_int_equal(kept, taken < sent);
		assert_int_equal(refused, taken < sent);
	} while (taken < sent);
	assert_int_equal(tg_dispatch_take(inbox(d, 1, 0, 0), burst, MS, &waited), 1);
	assert_ptr_equal(burst[0], &buffer[FRAMES - 1]);
	tg_dispatch_close(d);
}

TG_TEST(L3_11_worker_that_stands_still_is_handed_nothing, TG_NEEDS_NOTHING)
{
	/* ns since the owner's last round; how many frames find their way to it */
	static const struct {
		uint64_t ago;
		bool empty;
		unsigned handed_on;
	} steps[] = {
		{ 99 * MS, false, 1 },	{ 101 * MS, false, 0 },
		{ 5000 * MS, true, 0 },			      /* gone for good */
		{ 1 * MS, false, 1 },			      /* back, and what it had is gone */
		{ 101 * MS, false, 0 }, { 1 * MS, false, 0 }, /* back, but behind */
		{ 1 * MS, true, 1 },
	};
	struct tg_dispatch *d = open_workers(2);
	struct tg_dispatch_route *route = tg_dispatch_route(d, 0, 0, 1);
	struct rte_mbuf *burst[TG_BURST] = { make_frame(0, 1, 2) };
	unsigned refused, i;
	uint64_t now = 3600000 * MS, waited;

	/* Not begun yet: it will. */
	assert_int_equal(tg_dispatch_burst(route, burst, 1, now, &refused), 0);
	for (i = 0; i < TG_ARRAY_LEN(steps); i++) {
		struct rte_mbuf *got[TG_BURST];

		if (steps[i].empty)
			while (tg_dispatch_take(inbox(d, 1, 0, 1), got, now, &waited) > 0)
				;
		now += 10000 * MS;
		tg_dispatch_round(d, 1, now - steps[i].ago);
		assert_int_equal(tg_dispatch_burst(route, burst, 1, now, &refused),
				 1 - steps[i].handed_on);
		assert_int_equal(refused, 1 - steps[i].handed_on);
	}
	while (tg_dispatch_take(inbox(d, 1, 0, 1), burst, now, &waited) > 0)
		;
	/* Another core's clock may be ahead. */
	tg_dispatch_round(d, 1, now + 100);
	burst[0] = &buffer[0];
	assert_int_equal(tg_dispatch_burst(route, burst, 1, now, &refused), 0);
	assert_int_equal(tg_dispatch_take(inbox(d, 1, 0, 1), burst, now - 100, &waited), 1);
	assert_int_equal(waited, 0);
	tg_dispatch_close(d);
}

TG_TEST(dispatch_workers_wait_for_each_other_at_the_end, TG_NEEDS_NOTHING)
{
	struct tg_dispatch *d = open_workers(2);

	assert_false(tg_dispatch_all_done(d));
	tg_dispatch_done(d);
	assert_false(tg_dispatch_all_done(d));
	tg_dispatch_done(d);
	assert_true(tg_dispatch_all_done(d));
	tg_dispatch_close(d);
}
