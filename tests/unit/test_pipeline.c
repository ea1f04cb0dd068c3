/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "tests/support/generation.h"
#include "tests/support/pkt.h"
#include "tests/support/sip_text.h"
#include "tests/support/tg_test.h"
#include "tollgate/event.h"

static const struct tg_pipeline_config config = {
	.memory_entries = 1024,
	.cap_entries = 64,
	.key = "0123456789abcde",
};

struct fixture {
	struct tg_test_generation g;
	struct tg_test_generation empty;
	struct tg_pipeline *pl;
	uint64_t now;
};

static struct tg_pipeline *pipeline_make(const struct tg_pipeline_config *c)
{
	const size_t size = tg_pipeline_size(c);
	void *memory = aligned_alloc(TG_CACHE_LINE, size);

	assert_non_null(memory);
	assert_true(size % TG_CACHE_LINE == 0);
	memset(memory, 0xa5, size);
	return tg_pipeline_init(memory, c);
}

static void setup(struct fixture *f)
{
	assert_true(tg_test_generation_init(&f->g, false));
	assert_true(tg_test_generation_init(&f->empty, true));
	f->pl = pipeline_make(&config);
	f->now = 1000;
}

static void teardown(struct fixture *f)
{
	tg_test_generation_fini(&f->g);
	tg_test_generation_fini(&f->empty);
	free(f->pl);
}

/* One frame at a time; a frame stays until the next but TG_BURST. */
struct shot {
	uint8_t frame[TG_PKT_MAX];
	struct tg_frame_in in;
};

static struct shot *shoot(const struct tg_pkt *p, const void *payload, size_t len)
{
	static struct shot shots[TG_BURST];
	static unsigned next;
	struct shot *s = &shots[next++ % TG_BURST];

	s->in = (struct tg_frame_in){ .data = s->frame };
	s->in.len = (uint32_t)tg_pkt_build(p, payload, len, s->frame);
	return s;
}

static struct shot *shoot_sip(const struct tg_sip_text *t)
{
	const struct tg_pkt p = { 0 };
	char text[TG_SIP_TEXT_MAX];

	return shoot(&p, text, tg_sip_text(t, text));
}

static struct tg_result judge_in(struct fixture *f, const struct tg_generation *gen,
				 const struct tg_frame_in *in)
{
	struct tg_result r;

	memset(&r, 0xee, sizeof(r));
	tg_pipeline_burst(f->pl, gen, in, 1, f->now, &r);
	assert_true(r.reason < TG_REASON_COUNT);
	return r;
}

static struct tg_result judge(struct fixture *f, const struct tg_sip_text *t)
{
	return judge_in(f, &f->g.gen, &shoot_sip(t)->in);
}

static void assert_result(const struct tg_result *r, bool judged, enum tg_fate fate,
			  enum tg_reason reason)
{
	assert_string_equal(tg_reason_name(r->reason), tg_reason_name(reason));
	assert_int_equal(r->judged, judged);
	assert_int_equal(r->fate, fate);
}

/* ---- verdicts and fates ------------------------------------------------------------------------ */

TG_TEST(pipeline_verdicts, TG_NEEDS_NOTHING)
{
	static const struct {
		const char *from, *called;
		uint16_t port;
		enum tg_action action;
		enum tg_fate fate;
		enum tg_reason reason;
		unsigned rule;
	} cases[] = {
		{ TG_TEST_CLEAN, NULL, 0, TG_ACTION_PASS, TG_FATE_FORWARD, TG_REASON_UNLISTED,
		  TG_RULE_NONE },
		{ TG_TEST_FRAUD, NULL, 0, TG_ACTION_REJECT, TG_FATE_ANSWER, TG_REASON_FRAUD, 0 },
		{ TG_TEST_FRAUD, NULL, 1, TG_ACTION_REJECT, TG_FATE_FORWARD, TG_REASON_FRAUD, 0 },
		{ TG_TEST_SCAM_BY_PREFIX, NULL, 0, TG_ACTION_REJECT, TG_FATE_ANSWER, TG_REASON_SCAM,
		  0 },
		{ TG_TEST_SPAM, NULL, 0, TG_ACTION_PASS, TG_FATE_FORWARD, TG_REASON_SPAM,
		  TG_RULE_NONE },
		{ TG_TEST_TDOS, NULL, 0, TG_ACTION_DROP, TG_FATE_ABSORB, TG_REASON_TDOS, 2 },
		{ TG_TEST_ALLOWED, TG_TEST_IRSF_CALLED, 0, TG_ACTION_PASS, TG_FATE_FORWARD,
		  TG_REASON_ALLOW, TG_RULE_NONE },
		{ TG_TEST_CLEAN, TG_TEST_IRSF_CALLED, 0, TG_ACTION_REJECT, TG_FATE_ANSWER,
		  TG_REASON_IRSF, 1 },
		{ TG_TEST_FRAUD, "112", 0, TG_ACTION_PASS, TG_FATE_FORWARD, TG_REASON_EMERGENCY,
		  TG_RULE_NONE },
	};
	struct fixture f;
	unsigned i;

	setup(&f);
	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		const struct tg_sip_text t = { .from = cases[i].from,
					       .called = cases[i].called,
					       .call = i };
		struct shot *s = shoot_sip(&t);
		struct tg_result r;

		s->in.port = cases[i].port;
		r = judge_in(&f, &f.g.gen, &s->in);
		assert_result(&r, true, cases[i].fate, cases[i].reason);
		assert_int_equal(r.verdict.action, cases[i].action);
		assert_int_equal(r.verdict.rule, cases[i].rule);
		assert_int_equal(r.verdict.trunk, cases[i].port ? 1 : 0);
		assert_false(r.repeated);
	}
	teardown(&f);
}

/* A To of 112 costs a listed caller nothing: the call goes where the Request-URI says. */
TG_TEST(SIP_36_forged_emergency_is_rejected, TG_NEEDS_NOTHING)
{
	static const struct tg_sip_text texts[] = {
		{ .from = TG_TEST_FRAUD, .to = "112", .call = 1 },
		{ .from = TG_TEST_FRAUD,
		  .to = "911",
		  .call = 2,
		  .extra = "Diversion: <sip:112@h>\r\n" },
		{ .from = TG_TEST_FRAUD, .call = 3, .extra = "Diversion: <urn:service:sos>\r\n" },
		{ .from = TG_TEST_FRAUD,
		  .call = 4,
		  .extra = "Remote-Party-ID: <urn:service:sos>;party=called\r\n" },
	};
	struct fixture f;
	unsigned i;

	setup(&f);
	for (i = 0; i < TG_ARRAY_LEN(texts); i++) {
		const struct tg_result r = judge(&f, &texts[i]);

		assert_result(&r, true, TG_FATE_ANSWER, TG_REASON_FRAUD);
	}
	teardown(&f);
}

TG_TEST(pipeline_without_generation_passes_all, TG_NEEDS_NOTHING)
{
	const struct tg_sip_text t = { .from = TG_TEST_FRAUD };
	struct fixture f;
	struct tg_result r;

	setup(&f);
	r = judge_in(&f, NULL, &shoot_sip(&t)->in);
	assert_result(&r, false, TG_FATE_FORWARD, TG_REASON_NO_GENERATION);
	teardown(&f);
}

/* TB-15: an empty table passes everything. */
TG_TEST(TB_15_empty_table_passes_all, TG_NEEDS_NOTHING)
{
	const struct tg_sip_text t = { .from = TG_TEST_FRAUD };
	struct fixture f;
	struct tg_result r;

	setup(&f);
	r = judge_in(&f, &f.empty.gen, &shoot_sip(&t)->in);
	assert_result(&r, true, TG_FATE_FORWARD, TG_REASON_UNLISTED);
	teardown(&f);
}

/* Every message of a full burst gets its own numbers' listings, with others in between. */
TG_TEST(pipeline_burst_keeps_messages_apart, TG_NEEDS_NOTHING)
{
	static const char *const from[] = { TG_TEST_CLEAN, TG_TEST_FRAUD, NULL, TG_TEST_SPAM };
	static const enum tg_reason expect[] = { TG_REASON_UNLISTED, TG_REASON_FRAUD,
						 TG_REASON_NOT_SIP, TG_REASON_SPAM };
	struct tg_frame_in in[TG_BURST];
	struct tg_result out[TG_BURST];
	const struct tg_pkt p = { 0 };
	struct fixture f;
	unsigned i, k;

	setup(&f);
	for (i = 0; i < TG_BURST; i++) {
		const struct tg_sip_text t = { .from = from[i % 4], .call = i };

		in[i] = from[i % 4] ? shoot_sip(&t)->in : shoot(&p, "\x80\x08rtp", 5)->in;
	}
	tg_pipeline_burst(f.pl, &f.g.gen, in, TG_BURST, f.now, out);
	for (i = 0; i < TG_BURST; i++) {
		assert_int_equal(out[i].reason, expect[i % 4]);
		if (!out[i].judged)
			continue;
		for (k = 0; k < out[i].sip->sig.n_ids; k++)
			if (out[i].sip->sig.id[k].source == TG_ID_FROM)
				assert_int_equal(out[i].listing[k] != 0, i % 4 != 0);
	}
	teardown(&f);
}

/* P5: nothing but an initial INVITE is judged; every frame ends in one named reason. */
TG_TEST(P5_only_initial_invites_are_judged, TG_NEEDS_NOTHING)
{
	static const struct {
		struct tg_sip_text text;
		enum tg_reason reason;
	} cases[] = {
		{ { .from = TG_TEST_FRAUD, .to_tag = "x" }, TG_REASON_SIP_IN_DIALOG },
		{ { .from = TG_TEST_FRAUD, .method = "REGISTER" }, TG_REASON_SIP_REQUEST },
		{ { .from = TG_TEST_FRAUD, .method = "BYE", .to_tag = "x" },
		  TG_REASON_SIP_REQUEST },
		{ { .from = TG_TEST_FRAUD, .method = "ACK", .to_tag = "x" },
		  TG_REASON_SIP_REQUEST },
		{ { .from = TG_TEST_FRAUD, .method = "CANCEL" }, TG_REASON_SIP_REQUEST },
	};
	struct fixture f;
	unsigned i;

	setup(&f);
	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		const struct tg_result r = judge(&f, &cases[i].text);

		assert_result(&r, false, TG_FATE_FORWARD, cases[i].reason);
	}
	teardown(&f);
}

/* P8: what is not looked into is counted by what it probably is. */
TG_TEST(P8_datagrams_without_sip_are_counted_by_kind, TG_NEEDS_NOTHING)
{
	static const struct {
		const char *payload;
		unsigned len;
		uint16_t dport;
		enum tg_reason reason;
	} cases[] = {
		{ "\x80\x08\x00\x01", 4, 20000, TG_REASON_NOT_SIP },
		{ "\x00\x01\x00\x00\x21\x12\xa4\x42", 8, 5060, TG_REASON_NOT_SIP }, /* STUN */
		{ "\r\n\r\n", 4, 5060, TG_REASON_SIP_KEEPALIVE },
		{ "", 0, 5060, TG_REASON_SIP_KEEPALIVE },
		{ "SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\n\r\n", 34, 5060, TG_REASON_SIP_RESPONSE },
		{ "NOTIFY * HTTP/1.1\r\n\r\n", 21, 1900, TG_REASON_NOT_SIP },
		{ "\xf8\x01\x02", 3, 5060, TG_REASON_SIGCOMP },
		{ "\xf8\x01\x02", 3, 20000, TG_REASON_NOT_SIP },
		{ "\x16\xfe\xfd\x00", 4, 5061, TG_REASON_TLS },
		{ "\x30\xff\x00\x00", 4, 2152, TG_REASON_TUNNEL },
		{ "\x08\x00\x00\x00", 4, 4789, TG_REASON_TUNNEL },
		{ "\x08\x00\x00\x00", 4, 6635, TG_REASON_TUNNEL },
		{ "\x08\x00\x00\x00", 4, 9899, TG_REASON_SCTP },
	};
	struct fixture f;
	unsigned i;

	setup(&f);
	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		const struct tg_pkt p = { .dport = cases[i].dport, .sport = 40000 };
		const struct shot *s = shoot(&p, cases[i].payload, cases[i].len);
		const struct tg_result r = judge_in(&f, &f.g.gen, &s->in);

		assert_result(&r, false, TG_FATE_FORWARD, cases[i].reason);
	}
	teardown(&f);
}

/* ---- verdict memory ---------------------------------------------------------------------------- */

/* P4: the first verdict holds for the transaction, in both directions of a table swap. */
TG_TEST(P4_one_verdict_across_table_swaps, TG_NEEDS_NOTHING)
{
	const struct tg_sip_text t = { .from = TG_TEST_FRAUD, .call = 1 };
	const struct tg_sip_text u = { .from = TG_TEST_FRAUD, .call = 2 };
	struct tg_result first, again;
	struct fixture f;

	setup(&f);
	first = judge_in(&f, &f.g.gen, &shoot_sip(&t)->in);
	assert_result(&first, true, TG_FATE_ANSWER, TG_REASON_FRAUD);
	f.now += 500; /* T1 */
	again = judge_in(&f, &f.empty.gen, &shoot_sip(&t)->in);
	assert_result(&again, true, TG_FATE_ANSWER, TG_REASON_FRAUD);
	assert_true(again.repeated);
	assert_memory_equal(&again.verdict, &first.verdict, sizeof(first.verdict));

	first = judge_in(&f, &f.empty.gen, &shoot_sip(&u)->in);
	assert_result(&first, true, TG_FATE_FORWARD, TG_REASON_UNLISTED);
	f.now += 31000; /* Timer B has not fired yet */
	again = judge_in(&f, &f.g.gen, &shoot_sip(&u)->in);
	assert_result(&again, true, TG_FATE_FORWARD, TG_REASON_UNLISTED);
	assert_true(again.repeated);

	f.now += 3000; /* over: a new call */
	again = judge_in(&f, &f.g.gen, &shoot_sip(&u)->in);
	assert_result(&again, true, TG_FATE_ANSWER, TG_REASON_FRAUD);
	assert_false(again.repeated);
	teardown(&f);
}

/* Under another policy the decision stands, but indices into the old one mean nothing. */
TG_TEST(P4_policy_swap_keeps_the_decision_not_the_indices, TG_NEEDS_NOTHING)
{
	const struct tg_sip_text t = { .from = TG_TEST_FRAUD };
	struct tg_result r;
	struct fixture f;

	setup(&f);
	r = judge(&f, &t);
	assert_int_equal(r.verdict.rule, 0);
	f.g.policy_header.id = 77;
	f.g.gen.policy.n_rules = 0;
	f.g.gen.policy.n_answers = 0;
	r = judge(&f, &t);
	assert_result(&r, true, TG_FATE_ANSWER, TG_REASON_FRAUD);
	assert_true(r.repeated);
	assert_int_equal(r.verdict.rule, TG_RULE_NONE);
	assert_int_equal(r.verdict.answer, TG_ANSWER_FALLBACK);
	teardown(&f);
}

TG_TEST(pipeline_retransmission_in_one_burst, TG_NEEDS_NOTHING)
{
	const struct tg_sip_text t = { .from = TG_TEST_FRAUD };
	struct tg_frame_in in[2];
	struct tg_result out[2];
	struct fixture f;

	setup(&f);
	in[0] = in[1] = shoot_sip(&t)->in;
	tg_pipeline_burst(f.pl, &f.g.gen, in, 2, f.now, out);
	assert_false(out[0].repeated);
	assert_true(out[1].repeated);
	assert_int_equal(out[1].fate, TG_FATE_ANSWER);
	teardown(&f);
}

/* A listed caller cannot ride on the verdict of a clean call by repeating its branch and Call-ID. */
TG_TEST(OP_9_borrowed_transaction_is_judged_anew, TG_NEEDS_NOTHING)
{
	const struct tg_sip_text clean = { .call = 5 },
				 fraud = { .from = TG_TEST_FRAUD, .call = 5 };
	const struct tg_sip_text cancel = { .method = "CANCEL", .call = 5 };
	struct tg_result r;
	struct fixture f;

	setup(&f);
	r = judge(&f, &clean);
	assert_result(&r, true, TG_FATE_FORWARD, TG_REASON_UNLISTED);
	r = judge(&f, &fraud);
	assert_result(&r, true, TG_FATE_ANSWER, TG_REASON_FRAUD);
	assert_false(r.repeated);
	r = judge(&f, &clean);
	assert_true(r.repeated);
	/* One of them went on, so the CANCEL must. */
	r = judge(&f, &cancel);
	assert_result(&r, false, TG_FATE_FORWARD, TG_REASON_SIP_REQUEST);
	teardown(&f);
}

/* SIP-22: a new CSeq (after a 401 or 407) is a new transaction. */
TG_TEST(SIP_22_new_cseq_is_judged_again, TG_NEEDS_NOTHING)
{
	const struct tg_sip_text t = { .from = TG_TEST_FRAUD },
				 u = { .from = TG_TEST_FRAUD, .cseq = 2 };
	struct tg_result r;
	struct fixture f;

	setup(&f);
	(void)judge(&f, &t);
	r = judge(&f, &u);
	assert_result(&r, true, TG_FATE_ANSWER, TG_REASON_FRAUD);
	assert_false(r.repeated);
	teardown(&f);
}

/* OP-9: where a reject cannot be remembered the call goes on, and so does its CANCEL. */
TG_TEST(OP_9_full_memory_fails_open, TG_NEEDS_NOTHING)
{
	struct tg_pipeline_config small = config;
	struct tg_sip_text t = { .from = TG_TEST_FRAUD };
	struct fixture f;
	struct tg_result r;

	setup(&f);
	free(f.pl);
	small.memory_entries = 4;
	f.pl = pipeline_make(&small);
	for (t.call = 0; t.call < 4; t.call++) {
		r = judge(&f, &t);
		assert_result(&r, true, TG_FATE_ANSWER, TG_REASON_FRAUD);
	}
	r = judge(&f, &t);
	assert_result(&r, true, TG_FATE_FORWARD, TG_REASON_MEMORY_FULL);
	assert_int_equal(r.verdict.action, TG_ACTION_REJECT);
	t.method = "CANCEL";
	r = judge(&f, &t);
	assert_result(&r, false, TG_FATE_FORWARD, TG_REASON_SIP_REQUEST);
	t.call = 0;
	r = judge(&f, &t);
	assert_result(&r, false, TG_FATE_ABSORB, TG_REASON_CANCEL_ABSORBED);
	/* Calls that pass are simply judged again. */
	t = (struct tg_sip_text){ .call = 9 };
	r = judge(&f, &t);
	assert_result(&r, true, TG_FATE_FORWARD, TG_REASON_UNLISTED);
	r = judge(&f, &t);
	assert_false(r.repeated);
	teardown(&f);
}

/* A Via without branch (RFC 2543) has no transaction: answered each time, without memory. */
TG_TEST(pipeline_no_branch_is_judged_without_memory, TG_NEEDS_NOTHING)
{
	const struct tg_sip_text t = { .from = TG_TEST_FRAUD, .via = "SIP/2.0/UDP 192.0.2.1" };
	struct tg_result r;
	struct fixture f;

	setup(&f);
	r = judge(&f, &t);
	assert_result(&r, true, TG_FATE_ANSWER, TG_REASON_FRAUD);
	r = judge(&f, &t);
	assert_result(&r, true, TG_FATE_ANSWER, TG_REASON_FRAUD);
	assert_false(r.repeated);
	teardown(&f);
}

/* ---- ACK and CANCEL ---------------------------------------------------------------------------- */

/* The To-tag of the answer that we give to `t`. */
static void our_tag(struct fixture *f, const struct tg_sip_text *t, char tag[TG_SIP_TAG_LEN + 1])
{
	struct tg_result r = judge(f, t);

	assert_int_equal(r.fate, TG_FATE_ANSWER);
	tg_sip_to_tag(r.sip, config.key, tag);
	tag[TG_SIP_TAG_LEN] = 0;
}

/* SIP-26: the ACK of our answer is absorbed, without state; an ACK of another's passes. */
TG_TEST(SIP_26_ack_of_our_answer_is_absorbed, TG_NEEDS_NOTHING)
{
	struct tg_sip_text t = { .from = TG_TEST_FRAUD, .call = 3 };
	char tag[TG_SIP_TAG_LEN + 1];
	struct tg_result r;
	struct fixture f;

	setup(&f);
	our_tag(&f, &t, tag);
	free(f.pl);
	f.pl = pipeline_make(&config); /* another box, or restarted: same key, no memory */
	t.method = "ACK";
	t.to_tag = tag;
	r = judge(&f, &t);
	assert_result(&r, false, TG_FATE_ABSORB, TG_REASON_ACK_ABSORBED);
	tag[0] ^= 1;
	r = judge(&f, &t);
	assert_result(&r, false, TG_FATE_FORWARD, TG_REASON_SIP_REQUEST);
	tag[0] ^= 1;
	t.call = 4; /* another call's */
	r = judge(&f, &t);
	assert_result(&r, false, TG_FATE_FORWARD, TG_REASON_SIP_REQUEST);
	teardown(&f);
}

TG_TEST(pipeline_cancel_follows_its_invite, TG_NEEDS_NOTHING)
{
	static const struct {
		const char *from;
		uint16_t port;
		enum tg_fate fate;
		enum tg_reason reason;
	} cases[] = {
		{ TG_TEST_FRAUD, 0, TG_FATE_ABSORB, TG_REASON_CANCEL_ABSORBED },
		{ TG_TEST_FRAUD, 1, TG_FATE_FORWARD, TG_REASON_SIP_REQUEST }, /* shadow */
		{ TG_TEST_CLEAN, 0, TG_FATE_FORWARD, TG_REASON_SIP_REQUEST },
		{ TG_TEST_TDOS, 0, TG_FATE_ABSORB, TG_REASON_CANCEL_ABSORBED },
	};
	struct fixture f;
	unsigned i;

	setup(&f);
	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		struct tg_sip_text t = { .from = cases[i].from, .call = i };
		struct shot *s = shoot_sip(&t);
		struct tg_result r;

		s->in.port = cases[i].port;
		(void)judge_in(&f, &f.g.gen, &s->in);
		t.method = "CANCEL";
		s = shoot_sip(&t);
		s->in.port = cases[i].port;
		r = judge_in(&f, &f.g.gen, &s->in);
		assert_result(&r, false, cases[i].fate, cases[i].reason);
	}
	teardown(&f);
}

/* ---- what cannot be answered goes on ------------------------------------------------------------ */

TG_TEST(pipeline_unanswerable_calls_go_on, TG_NEEDS_NOTHING)
{
	static const struct {
		struct tg_pkt pkt;
		struct tg_sip_text text;
	} cases[] = {
		/* SIP-15: a second Call-ID: which one would the answer carry? */
		{ { 0 }, { .from = TG_TEST_FRAUD, .extra = "Call-ID: other\r\n" } },
		{ { .dst = "224.0.1.75" }, { .from = TG_TEST_FRAUD, .call = 1 } },
		{ { .src = "255.255.255.255" }, { .from = TG_TEST_FRAUD, .call = 2 } },
		{ { .src = "0.0.0.0" }, { .from = TG_TEST_FRAUD, .call = 3 } },
		{ { .ipv6 = true, .dst = "ff02::1" }, { .from = TG_TEST_FRAUD, .call = 4 } },
		{ { .ipv6 = true, .src = "::" }, { .from = TG_TEST_FRAUD, .call = 5 } },
	};
	struct fixture f;
	unsigned i;

	setup(&f);
	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		struct tg_sip_text t = cases[i].text;
		char text[TG_SIP_TEXT_MAX];
		struct tg_result r;

		r = judge_in(&f, &f.g.gen, &shoot(&cases[i].pkt, text, tg_sip_text(&t, text))->in);
		assert_result(&r, true, TG_FATE_FORWARD, TG_REASON_ANSWER_IMPOSSIBLE);
		assert_int_equal(r.verdict.action, TG_ACTION_REJECT);
		t.method = "CANCEL";
		r = judge_in(&f, &f.g.gen, &shoot(&cases[i].pkt, text, tg_sip_text(&t, text))->in);
		assert_int_equal(r.fate, TG_FATE_FORWARD);
	}
	teardown(&f);
}

/* OP-8: a source gets so many answers, then silence; the far end is spared all the same. */
/* Labels are not symmetric: whoever is rejected on a label path goes on, and is counted. */
TG_TEST(L2_2_no_answer_on_a_label_path, TG_NEEDS_NOTHING)
{
	static const struct tg_pkt pkts[] = { { .n_mpls = 1 },
					      { .n_mpls = 2, .n_vlan = 1, .ipv6 = true } };
	const struct tg_sip_text fraud = { .from = TG_TEST_FRAUD }, drop = { .from = TG_TEST_TDOS };
	char text[TG_SIP_TEXT_MAX];
	struct fixture f;
	unsigned i;

	setup(&f);
	for (i = 0; i < TG_ARRAY_LEN(pkts); i++) {
		struct tg_result r;

		r = judge_in(&f, &f.g.gen, &shoot(&pkts[i], text, tg_sip_text(&fraud, text))->in);
		assert_result(&r, true, TG_FATE_FORWARD, TG_REASON_ANSWER_IMPOSSIBLE);
		assert_int_equal(r.verdict.action, TG_ACTION_REJECT);
		r = judge_in(&f, &f.g.gen, &shoot(&pkts[i], text, tg_sip_text(&drop, text))->in);
		assert_result(&r, true, TG_FATE_ABSORB, TG_REASON_TDOS);
	}
	teardown(&f);
}

TG_TEST(OP_8_answers_to_one_source_are_capped, TG_NEEDS_NOTHING)
{
	struct tg_sip_text t = { .from = TG_TEST_FRAUD };
	const struct tg_pkt other = { .src = "192.0.2.9" };
	char text[TG_SIP_TEXT_MAX];
	struct tg_result r;
	struct fixture f;

	setup(&f);
	f.g.trunk[0].answers_per_second = 2;
	for (t.call = 0; t.call < 4; t.call++) {
		r = judge(&f, &t);
		assert_result(&r, true, t.call < 2 ? TG_FATE_ANSWER : TG_FATE_ABSORB,
			      t.call < 2 ? TG_REASON_FRAUD : TG_REASON_ANSWER_CAPPED);
	}
	r = judge_in(&f, &f.g.gen, &shoot(&other, text, tg_sip_text(&t, text))->in);
	assert_int_equal(r.fate, TG_FATE_ANSWER);
	f.now += 500;
	t.call = 3; /* its retransmission is answered when there is a token again */
	r = judge(&f, &t);
	assert_result(&r, true, TG_FATE_ANSWER, TG_REASON_FRAUD);
	assert_true(r.repeated);
	teardown(&f);
}

/* ---- checksums --------------------------------------------------------------------------------- */

/* L3-9, L3-10: a packet that its endpoint would discard makes no verdict. */
TG_TEST(L3_9_bad_checksum_makes_no_verdict, TG_NEEDS_NOTHING)
{
	static const struct {
		struct tg_pkt pkt;
		uint8_t checksum;
		bool good;
	} cases[] = {
		{ { 0 }, TG_PIPELINE_CSUM_UNKNOWN, true },
		{ { .bad_udp_checksum = true }, TG_PIPELINE_CSUM_UNKNOWN, false },
		{ { .bad_ip_checksum = true }, TG_PIPELINE_CSUM_UNKNOWN, false },
		{ { .bad_udp_checksum = true }, TG_PIPELINE_CSUM_GOOD, true },
		{ { .bad_udp_checksum = true }, TG_PIPELINE_CSUM_IGNORE, true },
		{ { 0 }, TG_PIPELINE_CSUM_BAD, false },
		{ { .zero_udp_checksum = true }, TG_PIPELINE_CSUM_UNKNOWN, true },
		{ { .ipv6 = true }, TG_PIPELINE_CSUM_UNKNOWN, true },
		{ { .ipv6 = true, .bad_udp_checksum = true }, TG_PIPELINE_CSUM_UNKNOWN, false },
		{ { .ipv6 = true, .zero_udp_checksum = true }, TG_PIPELINE_CSUM_UNKNOWN, false },
	};
	struct fixture f;
	unsigned i;

	setup(&f);
	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		const struct tg_sip_text t = { .from = TG_TEST_FRAUD, .call = i };
		char text[TG_SIP_TEXT_MAX];
		struct shot *s = shoot(&cases[i].pkt, text, tg_sip_text(&t, text));
		struct tg_result r;

		s->in.checksum = cases[i].checksum;
		r = judge_in(&f, &f.g.gen, &s->in);
		assert_result(&r, cases[i].good, cases[i].good ? TG_FATE_ANSWER : TG_FATE_FORWARD,
			      cases[i].good ? TG_REASON_FRAUD : TG_REASON_BAD_CHECKSUM);
	}
	teardown(&f);
}

/* Nobody is answered and nothing is written down when a call in no list passes: it costs no sum, unless
 * its verdict is recorded, or the NIC has said so anyway. */
TG_TEST(L3_9_clean_passes_are_not_summed, TG_NEEDS_NOTHING)
{
	static const struct {
		uint8_t checksum;
		bool judged;
	} cases[] = {
		{ TG_PIPELINE_CSUM_UNKNOWN, true }, { TG_PIPELINE_CSUM_ALWAYS, false },
		{ TG_PIPELINE_CSUM_BAD, false },    { TG_PIPELINE_CSUM_IGNORE, true },
		{ TG_PIPELINE_CSUM_GOOD, true },
	};
	const struct tg_pkt bad = { .bad_udp_checksum = true };
	struct fixture f;
	unsigned i;

	setup(&f);
	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		const struct tg_sip_text t = { .call = i };
		char text[TG_SIP_TEXT_MAX];
		struct shot *s = shoot(&bad, text, tg_sip_text(&t, text));
		struct tg_result r;

		s->in.checksum = cases[i].checksum;
		r = judge_in(&f, &f.g.gen, &s->in);
		assert_result(&r, cases[i].judged, TG_FATE_FORWARD,
			      cases[i].judged ? TG_REASON_UNLISTED : TG_REASON_BAD_CHECKSUM);
	}
	teardown(&f);
}

TG_TEST(L3_9_bad_checksum_absorbs_nothing, TG_NEEDS_NOTHING)
{
	const struct tg_pkt bad = { .bad_udp_checksum = true };
	struct tg_sip_text t = { .from = TG_TEST_FRAUD };
	char text[TG_SIP_TEXT_MAX], tag[TG_SIP_TAG_LEN + 1];
	struct tg_result r;
	struct fixture f;

	setup(&f);
	our_tag(&f, &t, tag);
	t.method = "CANCEL";
	r = judge_in(&f, &f.g.gen, &shoot(&bad, text, tg_sip_text(&t, text))->in);
	assert_result(&r, false, TG_FATE_FORWARD, TG_REASON_BAD_CHECKSUM);
	t.method = "ACK";
	t.to_tag = tag;
	r = judge_in(&f, &f.g.gen, &shoot(&bad, text, tg_sip_text(&t, text))->in);
	assert_result(&r, false, TG_FATE_FORWARD, TG_REASON_BAD_CHECKSUM);
	teardown(&f);
}

/* ---- trunks, hostile frames, the rest ---------------------------------------------------------- */

/* L2-1: the outer tag's VID picks the trunk; a priority tag (VID 0) is no VLAN. */
TG_TEST(L2_1_outer_vlan_picks_the_trunk, TG_NEEDS_NOTHING)
{
	static const struct {
		struct tg_pkt pkt;
		unsigned trunk;
	} cases[] = {
		{ { 0 }, 1 },
		{ { .n_vlan = 1, .vlan = { 0xa000 | 7 } }, 0 },
		{ { .n_vlan = 2, .vlan = { 7, 9 } }, 0 },
		{ { .n_vlan = 2, .vlan = { 9, 7 } }, 1 },
		{ { .n_vlan = 1, .vlan = { 0xe000 } }, 1 },
	};
	struct fixture f;
	unsigned i;

	setup(&f);
	f.g.trunk[0].vlan = 7;
	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		const struct tg_sip_text t = { .from = TG_TEST_FRAUD, .call = i };
		char text[TG_SIP_TEXT_MAX];
		const struct tg_result r = judge_in(
			&f, &f.g.gen, &shoot(&cases[i].pkt, text, tg_sip_text(&t, text))->in);

		assert_int_equal(r.verdict.trunk, cases[i].trunk);
	}
	teardown(&f);
}

static void judge_cut(void *ctx, const uint8_t *data, size_t len)
{
	struct fixture *f = ctx;
	const struct tg_frame_in in = { .data = data, .len = (uint32_t)len };
	const struct tg_result r = judge_in(f, &f->g.gen, &in);

	assert_false(r.repeated);
	/* Cut anywhere, a frame contradicts its own lengths: it passes, and nothing is made of it. */
	if (r.judged)
		assert_int_equal(r.fate, TG_FATE_ANSWER);
	else
		assert_int_equal(r.fate, TG_FATE_FORWARD);
	f->now += r.judged;
}

TG_TEST(pipeline_frames_cut_anywhere_pass, TG_NEEDS_NOTHING)
{
	static const struct tg_pkt pkts[] = {
		{ 0 }, { .n_vlan = 2, .vlan = { 5, 6 } }, { .ipv6 = true }, { .ipv4_options = 8 }
	};
	struct fixture f;
	unsigned i;

	setup(&f);
	for (i = 0; i < TG_ARRAY_LEN(pkts); i++) {
		const struct tg_sip_text t = { .from = TG_TEST_FRAUD, .call = i };
		char text[TG_SIP_TEXT_MAX];
		const struct shot *s = shoot(&pkts[i], text, tg_sip_text(&t, text));
		const uint64_t before = f.now;

		tg_guard_truncate(s->frame, s->in.len, judge_cut, &f);
		assert_int_equal(f.now, before + 1); /* only the whole frame was judged */
	}
	teardown(&f);
}

TG_TEST(pipeline_sizes_that_are_not_possible, TG_NEEDS_NOTHING)
{
	struct tg_pipeline_config c = config;

	assert_true(tg_pipeline_size(&c) > 0);
	c.memory_entries = 0;
	assert_int_equal(tg_pipeline_size(&c), 0);
	c.memory_entries = UINT32_MAX;
	assert_int_equal(tg_pipeline_size(&c), 0);
	c = config;
	c.cap_entries = 0;
	assert_int_equal(tg_pipeline_size(&c), 0);
}

TG_TEST(pipeline_generation_hash_names_the_images, TG_NEEDS_NOTHING)
{
	struct fixture f;
	uint64_t hash;

	setup(&f);
	hash = tg_generation_hash(&f.g.gen);
	assert_int_equal(hash, f.g.gen.hash);
	assert_int_not_equal(hash, tg_generation_hash(&f.empty.gen));
	f.g.gen.delta = f.g.gen.base; /* there, but not in force */
	assert_int_equal(hash, tg_generation_hash(&f.g.gen));
	f.g.gen.has_delta = true;
	assert_int_not_equal(hash, tg_generation_hash(&f.g.gen));
	teardown(&f);
}

/* ---- events ------------------------------------------------------------------------------------ */

TG_TEST(event_says_what_was_decided, TG_NEEDS_NOTHING)
{
	const struct tg_pkt p = {
		.ipv6 = true, .n_vlan = 1, .vlan = { 0x6000 | 12 }, .sport = 5070
	};
	const struct tg_sip_text t = { .from = TG_TEST_FRAUD };
	char text[TG_SIP_TEXT_MAX];
	struct tg_event e;
	struct tg_result r;
	struct fixture f;
	struct shot *s;

	setup(&f);
	s = shoot(&p, text, tg_sip_text(&t, text));
	r = judge_in(&f, &f.g.gen, &s->in);
	memset(&e, 0xee, sizeof(e));
	tg_event_fill(&e, &f.g.gen, &s->in, &r);
	assert_int_equal(e.generation, 1);
	assert_int_equal(e.generation_hash, f.g.gen.hash);
	assert_string_equal(e.rule, "bad-callers");
	assert_string_equal(e.trunk, "outside");
	assert_int_equal(e.answer_code, 603);
	assert_int_equal(e.ip_version, 6);
	assert_int_equal(e.vlan, 12);
	assert_int_equal(e.sport, 5070);
	assert_int_equal(e.dport, 5060);
	assert_int_equal(e.src[15], 1);
	assert_int_equal(e.dst[15], 2);
	assert_int_equal(e.n_ids, r.sip->sig.n_ids);
	assert_int_equal(e.id[e.caller].raw_len, strlen(TG_TEST_FRAUD));
	assert_memory_equal(e.id[e.caller].raw, TG_TEST_FRAUD, strlen(TG_TEST_FRAUD));
	assert_int_equal(tg_slot_score(tg_listing_side(e.id[e.caller].listing, TG_SIDE_CALLER)),
			 95);
	teardown(&f);
}

/* A raw form longer than its field is cut, and its length says so. */
TG_TEST(event_cuts_long_raw_forms, TG_NEEDS_NOTHING)
{
	char from[400], text[TG_SIP_TEXT_MAX];
	struct tg_sip_text t = { .from = from };
	const struct tg_pkt p = { 0 };
	struct tg_event e;
	struct tg_result r;
	struct fixture f;
	struct shot *s;

	setup(&f);
	memset(from, 'a', sizeof(from));
	from[300] = 0;
	s = shoot(&p, text, tg_sip_text(&t, text));
	r = judge_in(&f, &f.g.gen, &s->in);
	assert_true(r.judged);
	tg_event_fill(&e, &f.g.gen, &s->in, &r);
	assert_int_equal(e.id[e.caller].raw_len, 255);
	assert_int_equal(e.id[e.caller].raw[TG_EVENT_RAW_MAX - 1], 'a');
	assert_string_equal(e.rule, "-");
	assert_int_equal(e.answer_code, 0);
	teardown(&f);
}
