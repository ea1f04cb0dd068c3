/* SPDX-License-Identifier: BSD-3-Clause */
/* Fragments that disagree, run out of time or room, or carry wrong checksums. */
#include "tests/support/pieces.h"

/* ---- fragments that disagree ------------------------------------------------------------------- */

TG_TEST(L3_3_overlaps_make_no_verdict, TG_NEEDS_NOTHING)
{
	/* the piece that disagrees with 0-1480, and with a last piece from 2960 on */
	static const struct tg_cut bad[] = {
		{ 8, 1480, true, 0 },	 { 0, 1472, true, 0 },	  { 1472, 16, true, 0 },
		{ 0, 1488, true, 0 },	 { 2952, 16, true, 0 },	  { 2968, 8, true, 0 },
		{ 1480, 1600, true, 0 }, { 1480, 100, false, 0 },
	};
	struct fixture f;
	unsigned i, family;

	setup(&f);
	for (family = 0; family < TG_ARRAY_LEN(families); family++) {
		for (i = 0; i < TG_ARRAY_LEN(bad); i++) {
			const uintptr_t h = f.next_handle + 1;
			struct tg_cut c = bad[i];
			struct tg_result r;

			c.id = 1 + i;
			load_call(&f, &families[family], TG_TEST_FRAUD, i);
			(void)judge_part(&f, 0, 1480, c.id);
			(void)judge_part(&f, 2960, 1480, c.id);
			r = judge(&f, &c);
			assert_result(&r, TG_FATE_FORWARD, TG_REASON_FRAGMENT_OVERLAP);
			assert_false(r.judged);
			assert_held(&r, (uintptr_t[]){ h, h + 1 }, 2, TG_REASON_FRAGMENT_OVERLAP);
			/* The datagram stays given up, also when it would be complete. */
			r = judge_part(&f, 1480, 1480, c.id);
			assert_result(&r, TG_FATE_FORWARD, TG_REASON_FRAGMENT_OVERLAP);
		}
	}
	teardown(&f);
}

/* The same place with other bytes: one endpoint takes the first, another the last. */
TG_TEST(L3_3_same_place_other_bytes, TG_NEEDS_NOTHING)
{
	struct fixture f;
	struct tg_result r;

	setup(&f);
	load_call(&f, &families[0], TG_TEST_CLEAN, 1);
	(void)judge_part(&f, 0, 1480, 1);
	load_call(&f, &families[0], TG_TEST_FRAUD, 1);
	r = judge_part(&f, 0, 1480, 1);
	assert_result(&r, TG_FATE_FORWARD, TG_REASON_FRAGMENT_OVERLAP);
	assert_held(&r, (uintptr_t[]){ 1 }, 1, TG_REASON_FRAGMENT_OVERLAP);
	/* Also where the first one said that it is no call. */
	load_payload(&f, &families[0], "BYE sip:a@b SIP/2.0\r\n");
	(void)judge_part(&f, 0, 1480, 2);
	load_call(&f, &families[0], TG_TEST_FRAUD, 1);
	r = judge_part(&f, 0, 1480, 2);
	assert_result(&r, TG_FATE_FORWARD, TG_REASON_FRAGMENT_OVERLAP);
	teardown(&f);
}

TG_TEST(L3_4_tiny_first_fragment, TG_NEEDS_NOTHING)
{
	static const struct tg_pkt v4 = { 0 }, v6 = { .ipv6 = true, .ext = { 60 } };
	struct fixture f;
	struct tg_result r;

	setup(&f);
	/* IPv4: eight bytes are the UDP header, and nothing of the message. */
	load_call(&f, &v4, TG_TEST_FRAUD, 1);
	assert_int_equal(judge_part(&f, 0, 8, 1).fate, TG_FATE_HOLD);
	r = judge_part(&f, 8, 4000, 1);
	assert_result(&r, TG_FATE_ANSWER, TG_REASON_FRAUD);
	/* IPv6: a first fragment without all headers is discarded (RFC 8200 §4.5), so no verdict. */
	load_call(&f, &v6, TG_TEST_FRAUD, 2);
	r = judge_part(&f, 0, 8, 2); /* the options header; UDP follows in the next one */
	assert_result(&r, TG_FATE_FORWARD, TG_REASON_FRAGMENT_MALFORMED);
	r = judge_part(&f, 8, 4000, 2);
	assert_result(&r, TG_FATE_FORWARD, TG_REASON_FRAGMENT_MALFORMED);
	/* With the UDP header in it, it is a datagram like others. */
	assert_int_equal(judge_part(&f, 0, 16, 3).fate, TG_FATE_HOLD);
	r = judge_part(&f, 16, 4000, 3);
	assert_result(&r, TG_FATE_ANSWER, TG_REASON_FRAUD);
	teardown(&f);
}

TG_TEST(L3_5_atomic_fragment_is_judged_at_once, TG_NEEDS_NOTHING)
{
	static const struct tg_pkt atomic = { .ipv6 = true, .ext = { 44 } };
	struct fixture f;
	struct tg_result r;
	struct tg_frame_in in;

	setup(&f);
	load_call(&f, &atomic, TG_TEST_FRAUD, 1);
	in = (struct tg_frame_in){ .data = f.whole, .len = (uint32_t)f.len };
	r = judge_in(&f, &in);
	assert_result(&r, TG_FATE_ANSWER, TG_REASON_FRAUD);
	assert_int_equal(r.n_held, 0);
	teardown(&f);
}

TG_TEST(L3_4_impossible_fragments, TG_NEEDS_NOTHING)
{
	static const struct {
		struct tg_cut cut;
		enum tg_reason reason;
	} cases[] = {
		{ { 0, 1481, true, 0 }, TG_REASON_FRAGMENT_MALFORMED }, /* not a multiple of 8 */
		{ { 0, 0, true, 0 }, TG_REASON_FRAGMENT_MALFORMED },
		{ { 800, 0, false, 0 }, TG_REASON_FRAGMENT_MALFORMED },
	};
	struct fixture f;
	struct tg_result r;
	struct tg_frame_in in;
	struct tg_cut c;
	unsigned i, family;

	setup(&f);
	for (family = 0; family < TG_ARRAY_LEN(families); family++) {
		for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
			c = cases[i].cut;
			c.id = 1 + i;
			load_call(&f, &families[family], TG_TEST_FRAUD, i);
			r = judge(&f, &c);
			assert_result(&r, TG_FATE_FORWARD, cases[i].reason);
		}
	}
	/* The ping of death: ends behind 64 KiB. */
	load_call(&f, &families[0], TG_TEST_FRAUD, 1);
	c = part(&f, 0, 1480, 9);
	in = cut_in(&f, &c);
	tg_store_be16((uint8_t *)(uintptr_t)in.data + 20, 0x1fff);
	tg_checksum_ipv4_fill((uint8_t *)(uintptr_t)in.data + 14);
	r = judge_in(&f, &in);
	assert_result(&r, TG_FATE_FORWARD, TG_REASON_FRAGMENT_MALFORMED);
	/* Cut off by a capture. */
	c = part(&f, 0, 1480, 10);
	in = cut_in(&f, &c);
	in.len--;
	r = judge_in(&f, &in);
	assert_result(&r, TG_FATE_FORWARD, TG_REASON_TRUNCATED);
	teardown(&f);
}

/* RFC 3168 §5.3: congestion experienced on one fragment, not capable of it on another. */
TG_TEST(L3_2_ecn_that_cannot_be, TG_NEEDS_NOTHING)
{
	static const struct {
		uint8_t ecn[2];
		bool judged;
	} cases[] = { { { 3, 0 }, false }, { { 0, 3 }, false }, { { 3, 3 }, true },
		      { { 2, 3 }, true },  { { 0, 0 }, true },	{ { 1, 2 }, true } };
	struct fixture f;
	unsigned i, k;

	setup(&f);
	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		struct tg_result r = { 0 };

		for (k = 0; k < 2; k++) {
			const struct tg_pkt p = { .dscp = (uint8_t)(0xb8 | cases[i].ecn[k]) };

			load_call(&f, &p, TG_TEST_CLEAN, i);
			r = judge_part(&f, k * 2000, 2000, i + 1);
		}
		assert_int_equal(r.fate, TG_FATE_FORWARD);
		assert_int_equal(r.judged, cases[i].judged);
		assert_int_equal(r.n_held, 1);
		if (!cases[i].judged)
			assert_int_equal(r.reason, TG_REASON_FRAGMENT_MALFORMED);
	}
	teardown(&f);
}

/* ---- time and room ----------------------------------------------------------------------------- */

static unsigned release(struct fixture *f, struct tg_released *out, unsigned max)
{
	return tg_pipeline_release(f->pl, f->now, out, max);
}

TG_TEST(L3_6_waiting_ends, TG_NEEDS_NOTHING)
{
	struct tg_released freed[8];
	struct fixture f;
	struct tg_result r;

	setup(&f);
	load_call(&f, &families[0], TG_TEST_FRAUD, 1);
	(void)judge_part(&f, 1480, 1480, 1);
	f.now += TG_FRAGS_HOLD_MS - 1;
	(void)judge_part(&f, 0, 1480, 1);
	assert_int_equal(release(&f, freed, 8), 0);
	f.now++;
	assert_int_equal(release(&f, freed, 8), 2);
	assert_int_equal((uintptr_t)freed[0].handle, 1);
	assert_int_equal((uintptr_t)freed[1].handle, 2);
	assert_int_equal(freed[0].reason, TG_REASON_FRAGMENTS_UNASSEMBLED);
	assert_int_equal(release(&f, freed, 8), 0);
	/* A last fragment that stays away until the others have gone is no way round: it is the one
	 * without which the datagram is nothing. */
	f.now += 20000;
	r = judge_part(&f, 2960, 1480, 1);
	assert_result(&r, TG_FATE_ANSWER, TG_REASON_FRAUD);
	assert_int_equal(r.n_held, 0);
	/* When endpoints have given up as well, it is a new datagram's. */
	(void)judge_part(&f, 0, 1480, 2);
	f.now += TG_FRAGS_LIFE_IPV4_MS;
	assert_int_equal(release(&f, freed, 8), 1);
	r = judge_part(&f, 1480, 4000, 2);
	assert_int_equal(r.fate, TG_FATE_HOLD);
	assert_int_equal(tg_pipeline_release(f.pl, UINT64_MAX, freed, 8), 1);
	teardown(&f);
}

/* Unfinished datagrams of forged sources: the oldest are given up, and a call still gets through. */
TG_TEST(L3_6_flood_leaves_room_for_calls, TG_NEEDS_NOTHING)
{
	struct tg_released freed[TG_BURST];
	struct fixture f;
	struct tg_result r;
	unsigned i, n, gone = 0;

	setup(&f);
	for (i = 0; i < 500; i++) {
		char src[16];
		const struct tg_pkt p = { .src = src };

		snprintf(src, sizeof(src), "198.51.%u.%u", i / 250, 1 + i % 250);
		load_call(&f, &p, TG_TEST_FRAUD, i);
		assert_int_equal(judge_part(&f, 0, 1480, i + 1).fate, TG_FATE_HOLD);
		n = release(&f, freed, TG_BURST);
		if (n > 0) {
			assert_int_equal(freed[0].reason, TG_REASON_FRAGMENT_LIMIT);
			assert_int_equal((uintptr_t)freed[0].handle, ++gone); /* the oldest */
		}
		if (i % 50 != 0)
			continue;
		load_call(&f, &families[1], TG_TEST_FRAUD, 1000 + i);
		(void)judge_part(&f, 0, 1480, 7);
		r = judge_part(&f, 1480, 4000, 7);
		assert_result(&r, TG_FATE_ANSWER, TG_REASON_FRAUD);
		f.next_handle -= 2;
	}
	assert_in_range(gone, 500 - SETS, 499);
	teardown(&f);
}

/* One source may have a fourth: its own oldest go, not others'. */
TG_TEST(L3_6_flood_of_one_source, TG_NEEDS_NOTHING)
{
	static const struct tg_pkt calm = { .src = "198.51.100.77" };
	struct fixture f;
	struct tg_result r;
	unsigned i;

	setup(&f);
	load_call(&f, &calm, TG_TEST_FRAUD, 1);
	assert_int_equal(judge_part(&f, 0, 1480, 1).fate, TG_FATE_HOLD);
	load_call(&f, &families[0], TG_TEST_FRAUD, 2);
	for (i = 0; i < 100; i++)
		(void)judge_part(&f, 0, 1480, 2 + i);
	load_call(&f, &calm, TG_TEST_FRAUD, 1);
	r = judge_part(&f, 1480, 4000, 1);
	assert_result(&r, TG_FATE_ANSWER, TG_REASON_FRAUD);
	assert_held(&r, (uintptr_t[]){ 1 }, 1, TG_REASON_FRAGMENT);
	teardown(&f);
}

/* More pieces than are kept track of: passes, counted. */
TG_TEST(L3_6_too_many_pieces, TG_NEEDS_NOTHING)
{
	struct fixture f;
	struct tg_result r = { 0 };
	unsigned i;

	setup(&f);
	load_call(&f, &families[0], TG_TEST_FRAUD, 1);
	for (i = 0; i <= TG_FRAGS_PIECES; i++)
		r = judge_part(&f, i * 8, 8, 1);
	assert_result(&r, TG_FATE_FORWARD, TG_REASON_FRAGMENT_LIMIT);
	assert_int_equal(r.n_held, TG_FRAGS_PIECES);
	assert_int_equal(r.held_reason, TG_REASON_FRAGMENT_LIMIT);
	teardown(&f);
}

/* ---- checksums, answers, seen twice ------------------------------------------------------------ */

TG_TEST(L3_9_checksums_of_fragments, TG_NEEDS_NOTHING)
{
	static const struct {
		struct tg_pkt pkt;
		bool ipv4_wrong; /* of one fragment */
		uint8_t word;
		enum tg_fate fate;
		enum tg_reason reason;
	} cases[] = {
		{ { .bad_udp_checksum = true }, false, 0, TG_FATE_FORWARD, TG_REASON_BAD_CHECKSUM },
		/* no NIC knows a datagram that it has seen a part of */
		{ { .bad_udp_checksum = true },
		  false,
		  TG_PIPELINE_CSUM_GOOD,
		  TG_FATE_FORWARD,
		  TG_REASON_BAD_CHECKSUM },
		{ { 0 }, false, TG_PIPELINE_CSUM_BAD, TG_FATE_ANSWER, TG_REASON_FRAUD },
		{ { .zero_udp_checksum = true }, false, 0, TG_FATE_ANSWER, TG_REASON_FRAUD },
		{ { .zero_udp_checksum = true, .ipv6 = true },
		  false,
		  0,
		  TG_FATE_FORWARD,
		  TG_REASON_BAD_CHECKSUM },
		{ { .bad_udp_checksum = true },
		  false,
		  TG_PIPELINE_CSUM_IGNORE,
		  TG_FATE_ANSWER,
		  TG_REASON_FRAUD },
		/* a fragment that its endpoint throws away takes no part */
		{ { 0 }, true, 0, TG_FATE_FORWARD, TG_REASON_BAD_CHECKSUM },
		{ { 0 }, true, TG_PIPELINE_CSUM_GOOD, TG_FATE_FORWARD, TG_REASON_BAD_CHECKSUM },
		{ { 0 }, true, TG_PIPELINE_CSUM_IGNORE, TG_FATE_ANSWER, TG_REASON_FRAUD },
	};
	struct fixture f;
	unsigned i, k;

	setup(&f);
	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		struct tg_result r = { 0 };

		load_call(&f, &cases[i].pkt, TG_TEST_FRAUD, i);
		for (k = 0; k < 2; k++) {
			const struct tg_cut c = part(&f, k * 2000, 2000, i + 1);
			struct tg_frame_in in = cut_in(&f, &c);

			in.checksum = cases[i].word;
			if (k == 1 && cases[i].ipv4_wrong)
				((uint8_t *)(uintptr_t)in.data)[24] ^= 1;
			r = judge_in(&f, &in);
		}
		assert_result(&r, cases[i].fate, cases[i].reason);
	}
	teardown(&f);
}

/* What came in fragments was too long for a link: its answer must not be, and nothing is fragmented by
 * us. Without an answer that fits, the call goes on. */
TG_TEST(L3_7_answers_to_fragments_fit_the_link, TG_NEEDS_NOTHING)
{
	static char vias[4096];
	static uint8_t out[TG_ANSWER_MAX];
	struct tg_sip_text t = { .from = TG_TEST_FRAUD, .extra = vias };
	char text[TG_SIP_TEXT_MAX];
	const struct tg_pkt p = { .n_vlan = 1 };
	struct fixture f;
	struct tg_result r;
	unsigned n, len = 0;

	setup(&f);
	for (n = 0; n < 12; n++) {
		const struct tg_frame_in *in;
		struct tg_frame_in last;
		struct tg_cut c;

		len += (unsigned)snprintf(vias + len, sizeof(vias) - len,
					  "Via: SIP/2.0/UDP 192.0.2.%u;branch=z9hG4bK%0150u\r\n", n,
					  n);
		t.call = n;
		f.len = tg_pkt_build(&p, text, tg_sip_text(&t, text), f.whole);
		f.total = tg_cut_total(f.whole, f.len);
		(void)judge_part(&f, 0, 400, n + 1);
		c = part(&f, 400, 4000, n + 1);
		last = cut_in(&f, &c);
		in = &last;
		r = judge_in(&f, in);
		if (r.fate == TG_FATE_ANSWER)
			assert_in_range(tg_answer_build(f.pl, &f.g.gen, in, &r, out, sizeof(out)),
					60, 18 + 1500);
		else
			assert_result(&r, TG_FATE_FORWARD, TG_REASON_ANSWER_IMPOSSIBLE);
		assert_int_equal(r.fate == TG_FATE_ANSWER, n < 6);
	}
	teardown(&f);
}
