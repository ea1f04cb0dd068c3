/* SPDX-License-Identifier: BSD-3-Clause */
/* What the pipeline remembers of transactions, and what follows an INVITE. */
#include "tests/support/shots.h"

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
	struct tg_pipeline_config small = pipeline_config;
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
	f.pl = pipeline_make(&pipeline_config); /* another box, or restarted: same key, no memory */
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

/* Who does not know the key cannot make what we take for ours: the same call, the tag of another key. */
TG_TEST(OP_11_tags_of_another_key_are_not_ours, TG_NEEDS_NOTHING)
{
	struct tg_sip_text t = { .from = TG_TEST_FRAUD, .call = 3 };
	struct tg_pipeline_config other = pipeline_config;
	char tag[TG_SIP_TAG_LEN + 1];
	struct tg_result r;
	struct fixture f;

	setup(&f);
	our_tag(&f, &t, tag);
	free(f.pl);
	other.key[sizeof(other.key) - 1] ^= 1;
	f.pl = pipeline_make(&other);
	t.method = "ACK";
	t.to_tag = tag;
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
