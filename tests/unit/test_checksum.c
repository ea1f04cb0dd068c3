/* SPDX-License-Identifier: BSD-3-Clause */
/* Against the packet builder's plain loop of RFC 1071 §4.1, no code of which is in checksum.c. */
#include <string.h>

#include "tests/support/pkt.h"
#include "tests/support/tg_test.h"
#include "tollgate/checksum.h"

static uint8_t frame[TG_PKT_MAX];
static uint8_t payload[65507];

static void fill_random(uint8_t *p, size_t len, uint64_t seed)
{
	size_t i;

	for (i = 0; i < len; i++)
		p[i] = (uint8_t)tg_test_random(&seed);
}

static size_t build(const struct tg_pkt *p, size_t len, struct tg_frame *f)
{
	const size_t n = tg_pkt_build(p, payload, len, frame);

	assert_int_equal(
		tg_frame_walk(frame, frame + n, p->no_ethernet ? TG_LINK_IP : TG_LINK_ETHERNET, f),
		TG_REASON_NONE);
	return n;
}

/* Right as built; wrong when spoilt; and filling restores every byte. */
static void check_length(const struct tg_pkt *p, size_t len)
{
	static uint8_t want[TG_PKT_MAX];
	struct tg_frame f;
	const size_t n = build(p, len, &f);

	assert_true(tg_checksum_udp_ok(frame, &f));
	memcpy(want, frame, n);
	frame[f.l4_off + 6] ^= 0x5a;
	if (f.ip_version == 4)
		frame[f.l3_off + 11] ^= 0xa5;
	assert_false(tg_checksum_udp_ok(frame, &f));
	tg_checksum_udp_fill(frame, &f);
	assert_memory_equal(frame, want, n);
}

TG_TEST(checksum_every_length, TG_NEEDS_NOTHING)
{
	static const struct tg_pkt kinds[] = {
		{ .dport = 5080 },
		{ .ipv6 = true, .n_vlan = 1 },
		{ .ipv4_options = 36, .no_ethernet = true },
		{ .ipv6 = true, .ext = { 60, 51 } },
	};
	size_t i, len;

	fill_random(payload, sizeof(payload), 1);
	for (i = 0; i < TG_ARRAY_LEN(kinds); i++) {
		for (len = 0; len < 300; len++)
			check_length(&kinds[i], len);
		check_length(&kinds[i], 1472);
		check_length(&kinds[i], 65407);
	}
}

/* All ones carry at every step: what is added up does not overflow. */
TG_TEST(checksum_longest_datagram_of_ones, TG_NEEDS_NOTHING)
{
	const struct tg_pkt v4 = { 0 }, v6 = { .ipv6 = true };

	memset(payload, 0xff, sizeof(payload));
	check_length(&v4, sizeof(payload));
	check_length(&v4, sizeof(payload) - 1);
	check_length(&v6, sizeof(payload));
	memset(payload, 0, sizeof(payload));
	check_length(&v4, sizeof(payload));
}

TG_TEST(L3_9_any_flipped_bit_is_seen, TG_NEEDS_NOTHING)
{
	const struct tg_pkt kinds[] = { { 0 }, { .ipv6 = true } };
	struct tg_frame f;
	size_t i, bit;

	fill_random(payload, 64, 2);
	for (i = 0; i < TG_ARRAY_LEN(kinds); i++) {
		(void)build(&kinds[i], 61, &f);
		for (bit = 0; bit < 8 * (8 + 61); bit++) {
			uint8_t *p = frame + f.l4_off + bit / 8;

			*p ^= (uint8_t)(1u << bit % 8);
			assert_false(tg_checksum_udp_ok(frame, &f));
			*p ^= (uint8_t)(1u << bit % 8);
		}
		for (bit = 0; bit < 8 * 8; bit++) { /* the addresses' first or last bytes */
			uint8_t *p = frame + f.l3_off + 12 + bit / 8;

			*p ^= (uint8_t)(1u << bit % 8);
			assert_false(tg_checksum_udp_ok(frame, &f));
			*p ^= (uint8_t)(1u << bit % 8);
		}
		assert_true(tg_checksum_udp_ok(frame, &f));
	}
}

TG_TEST(L3_9_bad_checksums, TG_NEEDS_NOTHING)
{
	const struct tg_pkt kinds[] = {
		{ .bad_udp_checksum = true },
		{ .bad_ip_checksum = true },
		{ .bad_ip_checksum = true, .zero_udp_checksum = true },
		{ .bad_udp_checksum = true, .ipv6 = true },
	};
	struct tg_frame f;
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(kinds); i++) {
		(void)build(&kinds[i], 40, &f);
		assert_false(tg_checksum_udp_ok(frame, &f));
	}
}

TG_TEST(L3_10_zero_is_none_on_ipv4_only, TG_NEEDS_NOTHING)
{
	const struct tg_pkt v4 = { .zero_udp_checksum = true };
	const struct tg_pkt v6 = { .zero_udp_checksum = true, .ipv6 = true };
	struct tg_frame f;

	(void)build(&v4, 40, &f);
	assert_true(tg_checksum_udp_ok(frame, &f));
	(void)build(&v6, 40, &f);
	assert_false(tg_checksum_udp_ok(frame, &f));
}

/* A payload word makes the sum come out as zero: 0xffff is what goes out (RFC 768). */
TG_TEST(checksum_that_is_zero_is_sent_as_ones, TG_NEEDS_NOTHING)
{
	const struct tg_pkt kinds[] = { { 0 }, { .ipv6 = true } };
	struct tg_frame f;
	uint16_t checksum;
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(kinds); i++) {
		memset(payload, 0, 2);
		(void)build(&kinds[i], 2, &f);
		checksum = tg_load_be16(frame + f.l4_off + 6);
		tg_store_be16(payload, checksum); /* now the sum is all ones */
		(void)build(&kinds[i], 2, &f);
		assert_int_equal(tg_load_be16(frame + f.l4_off + 6), 0xffff);
		assert_true(tg_checksum_udp_ok(frame, &f));
		tg_checksum_udp_fill(frame, &f);
		assert_int_equal(tg_load_be16(frame + f.l4_off + 6), 0xffff);
		assert_true(tg_checksum_udp_ok(frame, &f));
	}
}

/* Nothing behind the datagram is read, and padding does not count. */
TG_TEST(L2_5_checksum_stops_at_the_datagram, TG_NEEDS_NOTHING)
{
	const struct tg_pkt p = { 0 };
	struct tg_frame f;
	size_t len;

	fill_random(payload, 64, 3);
	for (len = 0; len < 17; len++) {
		const size_t n = build(&p, len, &f);
		struct tg_guard g = tg_guard_copy(frame, n);

		assert_true(tg_checksum_udp_ok(g.data, &f));
		tg_checksum_udp_fill(g.data, &f);
		assert_memory_equal(g.data, frame, n);
		tg_guard_free(&g);
		memset(frame + n, 0xab, 64);
		assert_true(tg_checksum_udp_ok(frame, &f));
	}
}
