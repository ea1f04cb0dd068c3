/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls in fragments through the pipeline: what is held, judged, handed back and counted. */
#include "tests/support/pieces.h"

/* Pieces of 1480 in every order: the last to come is judged, the others share its fate. */
TG_TEST(L3_2_fragments_in_every_order, TG_NEEDS_NOTHING)
{
	static const unsigned orders[][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
					      { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
	struct fixture f;
	unsigned i, k, family, call = 0;

	setup(&f);
	for (family = 0; family < TG_ARRAY_LEN(families); family++) {
		for (i = 0; i < 2 * TG_ARRAY_LEN(orders); i++) {
			const bool fraud = i % 2;
			const uintptr_t first = f.next_handle + 1;
			struct tg_result r;

			load_call(&f, &families[family], fraud ? TG_TEST_FRAUD : TG_TEST_CLEAN,
				  ++call);
			for (k = 0; k < 3; k++) {
				r = judge_part(&f, orders[i / 2][k] * 1480, 1480, call);
				if (k < 2)
					assert_result(&r, TG_FATE_HOLD, TG_REASON_FRAGMENT);
			}
			assert_true(r.judged);
			assert_result(&r, fraud ? TG_FATE_ANSWER : TG_FATE_FORWARD,
				      fraud ? TG_REASON_FRAUD : TG_REASON_UNLISTED);
			assert_held(&r, (uintptr_t[]){ first, first + 1 }, 2, TG_REASON_FRAGMENT);
			assert_int_equal(r.sip->sig.text.len, f.total - 8);
			assert_memory_equal(r.data + r.frame.payload_off,
					    f.whole + f.len - r.frame.payload_len,
					    r.frame.payload_len);
		}
	}
	teardown(&f);
}

/* The identities may stand in any fragment, and be cut by its end. */
TG_TEST(L3_2_identities_in_later_fragments, TG_NEEDS_NOTHING)
{
	struct fixture f;
	unsigned size, family, call = 0;
	uint32_t off;

	setup(&f);
	for (family = 0; family < TG_ARRAY_LEN(families); family++) {
		for (size = 32; size < 1600; size += 56) {
			struct tg_result r = { 0 };

			load_call(&f, &families[family], TG_TEST_FRAUD, ++call);
			f.now += 50; /* fewer than 100 answers a second */
			for (off = 0; off < f.total; off += size)
				r = judge_part(&f, off, size, call);
			assert_result(&r, TG_FATE_ANSWER, TG_REASON_FRAUD);
			assert_int_equal(r.n_held, (f.total - 1) / size);
		}
	}
	teardown(&f);
}

/* All in one burst, with another call's pieces in between: results stay apart. */
TG_TEST(L3_2_interleaved_in_one_burst, TG_NEEDS_NOTHING)
{
	static const char *const from[] = { TG_TEST_FRAUD, TG_TEST_CLEAN, TG_TEST_SPAM };
	struct tg_frame_in in[TG_BURST];
	struct tg_result out[TG_BURST];
	struct fixture f;
	unsigned i, k;

	setup(&f);
	for (i = 0; i < 3; i++) {
		load_call(&f, &families[0], from[i], i + 1);
		for (k = 0; k < 7; k++) {
			const struct tg_cut c = part(&f, k * 504, 504, i + 1);

			in[k * 3 + i] = cut_in(&f, &c);
		}
	}
	tg_pipeline_burst(f.pl, &f.g.gen, in, 21, f.now, out);
	for (i = 0; i < 18; i++)
		assert_int_equal(out[i].fate, TG_FATE_HOLD);
	assert_result(&out[18], TG_FATE_ANSWER, TG_REASON_FRAUD);
	assert_result(&out[19], TG_FATE_FORWARD, TG_REASON_UNLISTED);
	assert_result(&out[20], TG_FATE_FORWARD, TG_REASON_SPAM);
	for (i = 0; i < 3; i++) {
		assert_int_equal(out[18 + i].n_held, 6);
		for (k = 0; k < 6; k++)
			assert_ptr_equal(out[18 + i].held[k], in[k * 3 + i].handle);
	}
	teardown(&f);
}

/* Same identification, but another VLAN, port, source or protocol version: other datagrams. */
TG_TEST(L3_2_what_tells_datagrams_apart, TG_NEEDS_NOTHING)
{
	static const struct tg_pkt first = { .n_vlan = 1, .vlan = { 7 } };
	static const struct {
		struct tg_pkt pkt;
		uint16_t port;
		bool same;
	} others[] = {
		{ { .n_vlan = 1, .vlan = { 8 } }, 0, false },
		{ { .n_vlan = 0 }, 0, false },
		{ { .n_vlan = 2, .vlan = { 7, 1 } }, 0, false },
		{ { .n_vlan = 1, .vlan = { 7 }, .n_mpls = 1 }, 0, false },
		{ { .n_vlan = 1, .vlan = { 7 } }, 1, false },
		{ { .n_vlan = 1, .vlan = { 7 }, .src = "192.0.2.3" }, 0, false },
		{ { .n_vlan = 1, .vlan = { 7 }, .dst = "192.0.2.3" }, 0, false },
		{ { .n_vlan = 1, .vlan = { 7 }, .ipv6 = true }, 0, false },
		{ { .n_vlan = 1, .vlan = { 0xe007 } }, 0, true }, /* a priority is no address */
	};
	struct fixture f;
	unsigned i;

	setup(&f);
	for (i = 0; i < TG_ARRAY_LEN(others); i++) {
		struct tg_frame_in in;
		struct tg_result r;
		struct tg_cut c;

		load_call(&f, &first, TG_TEST_CLEAN, i);
		assert_int_equal(judge_part(&f, 0, 2000, i + 1).fate, TG_FATE_HOLD);
		load_call(&f, &others[i].pkt, TG_TEST_CLEAN, i);
		c = part(&f, 2000, 2000, i + 1);
		in = cut_in(&f, &c);
		in.port = others[i].port;
		r = judge_in(&f, &in);
		assert_int_equal(r.fate, others[i].same ? TG_FATE_FORWARD : TG_FATE_HOLD);
		assert_int_equal(r.judged, others[i].same);
	}
	teardown(&f);
}

TG_TEST(L3_2_duplicates_share_the_fate, TG_NEEDS_NOTHING)
{
	struct fixture f;
	struct tg_result r;

	setup(&f);
	load_call(&f, &families[0], TG_TEST_FRAUD, 1);
	assert_int_equal(judge_part(&f, 0, 1480, 1).fate, TG_FATE_HOLD);
	assert_int_equal(judge_part(&f, 0, 1480, 1).fate, TG_FATE_HOLD);
	assert_int_equal(judge_part(&f, 2960, 1480, 1).fate, TG_FATE_HOLD);
	assert_int_equal(judge_part(&f, 2960, 1480, 1).fate, TG_FATE_HOLD);
	r = judge_part(&f, 1480, 1480, 1);
	assert_result(&r, TG_FATE_ANSWER, TG_REASON_FRAUD);
	assert_held(&r, (uintptr_t[]){ 1, 2, 3, 4 }, 4, TG_REASON_FRAGMENT);
	/* What comes after that is a new datagram, which never completes. */
	assert_int_equal(judge_part(&f, 1480, 1480, 1).fate, TG_FATE_HOLD);
	teardown(&f);
}

/* A call that is sent again in fragments has the verdict of the first time; so has its CANCEL. */
TG_TEST(P4_fragmented_call_is_judged_once, TG_NEEDS_NOTHING)
{
	const struct tg_pkt p = { 0 };
	const struct tg_sip_text cancel = { .method = "CANCEL", .from = TG_TEST_FRAUD, .call = 1 };
	char text[TG_SIP_TEXT_MAX];
	struct fixture f;
	struct tg_result r;
	unsigned i;

	setup(&f);
	load_call(&f, &families[0], TG_TEST_FRAUD, 1);
	for (i = 0; i < 3; i++) {
		(void)judge_part(&f, 0, 1600, i + 1);
		r = judge_part(&f, 1600, 1600 + 8 * i, i + 1);
		if (i == 0)
			assert_false(r.repeated);
		(void)judge_part(&f, 3200, 1600, i + 1);
	}
	f.len = tg_pkt_build(&p, text, tg_sip_text(&cancel, text), f.whole);
	f.total = tg_cut_total(f.whole, f.len);
	assert_int_equal(judge_part(&f, 0, 160, 9).fate, TG_FATE_HOLD);
	r = judge_part(&f, 160, 1600, 9);
	assert_result(&r, TG_FATE_ABSORB, TG_REASON_CANCEL_ABSORBED);
	assert_int_equal(r.n_held, 1);
	teardown(&f);
}

/* ---- what is no call waits for nothing --------------------------------------------------------- */

TG_TEST(L3_2_what_is_no_call_is_not_held, TG_NEEDS_NOTHING)
{
	static const struct {
		struct tg_pkt pkt;
		const char *begin;
		enum tg_reason reason, rest;
	} cases[] = {
		{ { 0 }, "\x80\x08media", TG_REASON_NOT_SIP, TG_REASON_FRAGMENT },
		{ { .ipv6 = true }, "text\nof something", TG_REASON_NOT_SIP, TG_REASON_FRAGMENT },
		{ { 0 }, "SIP/2.0 200 OK\r\n", TG_REASON_SIP_RESPONSE, TG_REASON_FRAGMENT },
		{ { 0 }, "BYE sip:a@b SIP/2.0\r\n", TG_REASON_SIP_REQUEST, TG_REASON_FRAGMENT },
		{ { 0 },
		  "INVITE sip:a@b SIP/2.0\r\nTo: <sip:a@b>;tag=x\r\nA: b\r\n",
		  TG_REASON_SIP_IN_DIALOG,
		  TG_REASON_FRAGMENT },
		{ { .dport = 2152 }, "\x30\xff\x01", TG_REASON_TUNNEL, TG_REASON_TUNNEL },
		{ { .ipv6 = true, .dport = 9899 }, "\x0b\x59", TG_REASON_SCTP, TG_REASON_SCTP },
		{ { .sport = 5061 }, "\x16\xfe\xfd", TG_REASON_TLS, TG_REASON_TLS },
		{ { .proto = 6 }, "", TG_REASON_FRAGMENT_NOT_UDP, TG_REASON_FRAGMENT_NOT_UDP },
		{ { .proto = 132, .ipv6 = true },
		  "",
		  TG_REASON_FRAGMENT_NOT_UDP,
		  TG_REASON_FRAGMENT_NOT_UDP },
		{ { .proto = 50 }, "", TG_REASON_FRAGMENT_NOT_UDP, TG_REASON_FRAGMENT_NOT_UDP },
	};
	struct fixture f;
	unsigned i;

	setup(&f);
	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		const bool udp = cases[i].rest != TG_REASON_FRAGMENT_NOT_UDP;
		const uintptr_t h = f.next_handle + 1;
		struct tg_result r;

		load_payload(&f, &cases[i].pkt, cases[i].begin);
		/* In order: each frame goes on at once. */
		r = judge_part(&f, 0, 1480, 100 + i);
		assert_result(&r, TG_FATE_FORWARD, cases[i].reason);
		assert_held(&r, NULL, 0, TG_REASON_FRAGMENT);
		r = judge_part(&f, 1480, 1480, 100 + i);
		assert_result(&r, TG_FATE_FORWARD, cases[i].rest);
		r = judge_part(&f, 2960, 1480, 100 + i);
		assert_result(&r, TG_FATE_FORWARD, cases[i].rest);
		/* Last first: what was held goes on with the one that tells. */
		r = judge_part(&f, 2960, 1480, 200 + i);
		assert_int_equal(r.fate, udp ? TG_FATE_HOLD : TG_FATE_FORWARD);
		r = judge_part(&f, 0, 1480, 200 + i);
		assert_result(&r, TG_FATE_FORWARD, cases[i].reason);
		assert_held(&r, (uintptr_t[]){ h + 3 }, udp ? 1 : 0, cases[i].rest);
	}
	teardown(&f);
}

/* A first fragment that ends within the start line may still be a call's. */
TG_TEST(L3_2_start_line_in_two_fragments, TG_NEEDS_NOTHING)
{
	struct fixture f;
	unsigned first;

	setup(&f);
	for (first = 8; first <= 88; first += 8) {
		struct tg_result r;

		load_call(&f, &families[0], TG_TEST_FRAUD, first);
		assert_int_equal(judge_part(&f, 0, first, first).fate, TG_FATE_HOLD);
		r = judge_part(&f, first, 4000, first);
		assert_result(&r, TG_FATE_ANSWER, TG_REASON_FRAUD);
	}
	teardown(&f);
}

/* The event of a call in fragments is that of the whole. */
TG_TEST(L3_2_event_of_a_call_in_fragments, TG_NEEDS_NOTHING)
{
	struct tg_frame_in in;
	struct tg_event e;
	struct fixture f;
	struct tg_result r;
	struct tg_cut c;

	setup(&f);
	load_call(&f, &families[3], TG_TEST_FRAUD, 1);
	(void)judge_part(&f, 2000, 4000, 1);
	c = part(&f, 0, 2000, 1);
	in = cut_in(&f, &c);
	r = judge_in(&f, &in);
	tg_event_fill(&e, &f.g.gen, &in, &r);
	assert_int_equal(e.ip_version, 6);
	assert_int_equal(e.sport, 5060);
	assert_int_equal(e.src[15], 1);
	assert_int_equal(e.dst[15], 2);
	assert_memory_equal(e.id[e.caller].raw, TG_TEST_FRAUD, strlen(TG_TEST_FRAUD));
	teardown(&f);
}

/* A mirror loop, or a hairpin through both directions: one call, one count. */
TG_TEST(L3_12_seen_twice_is_one_call, TG_NEEDS_NOTHING)
{
	struct tg_frame_in in;
	struct fixture f;
	struct tg_result r;
	unsigned i;

	setup(&f);
	load_call(&f, &families[0], TG_TEST_CLEAN, 1);
	in = (struct tg_frame_in){ .data = f.whole, .len = (uint32_t)f.len };
	for (i = 0; i < 4; i++) {
		in.port = i % 2;
		r = judge_in(&f, &in);
		assert_int_equal(r.repeated, i > 0);
		assert_result(&r, TG_FATE_FORWARD, TG_REASON_UNLISTED);
	}
	/* The same call in fragments, on its way back. */
	(void)judge_part(&f, 0, 1480, 1);
	r = judge_part(&f, 1480, 4000, 1);
	assert_true(r.repeated);
	teardown(&f);
}

static void check_truncated(void *ctx, const uint8_t *data, size_t len)
{
	struct fixture *f = ctx;
	const struct tg_frame_in in = { .data = data, .len = (uint32_t)len, .handle = f };
	const struct tg_result r = judge_in(f, &in);
	struct tg_released freed[TG_BURST];

	assert_true(r.reason < TG_REASON_COUNT);
	assert_false(r.judged);
	(void)tg_pipeline_release(f->pl, UINT64_MAX, freed, TG_BURST);
}

TG_TEST(L3_2_fragments_cut_anywhere, TG_NEEDS_NOTHING)
{
	struct fixture f;
	unsigned family;

	setup(&f);
	for (family = 0; family < TG_ARRAY_LEN(families); family++) {
		struct tg_frame_in in;
		struct tg_cut c;

		load_call(&f, &families[family], TG_TEST_FRAUD, 1);
		c = part(&f, 0, 800, 1);
		in = cut_in(&f, &c);
		tg_guard_truncate(in.data, in.len, check_truncated, &f);
		c = part(&f, 800, 4000, 1);
		in = cut_in(&f, &c);
		tg_guard_truncate(in.data, in.len, check_truncated, &f);
	}
	teardown(&f);
}
