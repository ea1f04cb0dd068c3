/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls in fragments through the pipeline: what is held, judged, handed back and counted. */
#include <stdlib.h>
#include <string.h>

#include "dataplane/flow/frags.h"
#include "tests/support/cut.h"
#include "tests/support/generation.h"
#include "tests/support/pkt.h"
#include "tests/support/sip_text.h"
#include "tests/support/tg_test.h"
#include "tollgate/event.h"

#define SETS 16
#define FRAMES 512 /* a source's share is 128: as many as a datagram may have */

struct fixture {
	struct tg_test_generation g;
	struct tg_pipeline *pl;
	uint64_t now;
	uint8_t whole[TG_PKT_MAX]; /* the frame that is cut */
	size_t len;
	uint32_t total;
	uintptr_t next_handle; /* frames are numbered from 1 */
	uint8_t frame[TG_BURST][4096];
	unsigned n_frames;
};

static void setup(struct fixture *f)
{
	static const struct tg_pipeline_config config = { .memory_entries = 1024,
							  .cap_entries = 64,
							  .key = "0123456789abcde",
							  .frag_sets = SETS,
							  .frag_frames = FRAMES };
	const size_t size = tg_pipeline_size(&config);

	memset(f, 0, sizeof(*f));
	assert_true(tg_test_generation_init(&f->g, false));
	f->pl = aligned_alloc(TG_CACHE_LINE, size);
	assert_non_null(f->pl);
	memset(f->pl, 0xa5, size);
	f->pl = tg_pipeline_init(f->pl, &config);
	f->now = 1000;
}

static void teardown(struct fixture *f)
{
	tg_test_generation_fini(&f->g);
	free(f->pl);
}

/* A call of some 3 KiB: three frames at an MTU of 1500. */
static void load_call(struct fixture *f, const struct tg_pkt *p, const char *from, unsigned call)
{
	static char identity[2900];
	struct tg_sip_text t = { .from = from, .call = call, .extra = identity };
	char text[TG_SIP_TEXT_MAX];
	unsigned n;

	n = (unsigned)snprintf(identity, sizeof(identity), "Identity: ");
	memset(identity + n, 'e', sizeof(identity) - n - 3);
	memcpy(identity + sizeof(identity) - 3, "\r\n", 3);
	f->len = tg_pkt_build(p, text, tg_sip_text(&t, text), f->whole);
	f->total = tg_cut_total(f->whole, f->len);
}

static struct tg_frame_in cut_in(struct fixture *f, const struct tg_cut *c)
{
	uint8_t *frame = f->frame[f->n_frames++ % TG_BURST];

	return (struct tg_frame_in){ .data = frame,
				     .len = (uint32_t)tg_cut(f->whole, f->len, c, frame),
				     .handle = (void *)++f->next_handle };
}

static struct tg_result judge_in(struct fixture *f, const struct tg_frame_in *in)
{
	struct tg_result r;

	memset(&r, 0xee, sizeof(r));
	tg_pipeline_burst(f->pl, &f->g.gen, in, 1, f->now, &r);
	return r;
}

static struct tg_result judge(struct fixture *f, const struct tg_cut *c)
{
	const struct tg_frame_in in = cut_in(f, c);

	return judge_in(f, &in);
}

/* From `off` on, `len` bytes or what there is. */
static struct tg_cut part(const struct fixture *f, uint32_t off, uint32_t len, uint32_t id)
{
	const bool more = off + len < f->total;

	return (struct tg_cut){ off, more ? len : f->total - off, more, id };
}

static struct tg_result judge_part(struct fixture *f, uint32_t off, uint32_t len, uint32_t id)
{
	const struct tg_cut c = part(f, off, len, id);

	return judge(f, &c);
}

static void assert_result(const struct tg_result *r, enum tg_fate fate, enum tg_reason reason)
{
	assert_string_equal(tg_reason_name(r->reason), tg_reason_name(reason));
	assert_int_equal(r->fate, fate);
}

static void assert_held(const struct tg_result *r, const uintptr_t *handles, unsigned n,
			enum tg_reason reason)
{
	unsigned i;

	assert_int_equal(r->n_held, n);
	if (n > 0)
		assert_string_equal(tg_reason_name(r->held_reason), tg_reason_name(reason));
	for (i = 0; i < n; i++)
		assert_int_equal((uintptr_t)r->held[i], handles[i]);
}

static const struct tg_pkt families[] = { { 0 },
					  { .ipv6 = true },
					  { .n_vlan = 3 },
					  { .n_vlan = 1, .ipv6 = true },
					  { .ipv4_options = 8 } };

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

static void load_payload(struct fixture *f, const struct tg_pkt *p, const char *begin)
{
	static uint8_t payload[3000];

	memset(payload, 0x20, sizeof(payload));
	memcpy(payload, begin, strlen(begin));
	f->len = tg_pkt_build(p, payload, sizeof(payload), f->whole);
	f->total = tg_cut_total(f->whole, f->len);
}

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
