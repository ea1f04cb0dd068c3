/* SPDX-License-Identifier: BSD-3-Clause */
/* What becomes of frames: verdicts, fates, checksums, trunks, events. */
#include "tests/support/shots.h"

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
		{ "\x16\xfe\xfd\x00", 4, 5060, TG_REASON_TLS },
		{ "\x16\xfe\xfd\x00", 4, 5062, TG_REASON_NOT_SIP },
		{ "\x30\xff\x00\x00", 4, 2152, TG_REASON_TUNNEL },
		{ "\x08\x00\x00\x00", 4, 4789, TG_REASON_TUNNEL },
		{ "\x08\x00\x00\x00", 4, 6635, TG_REASON_TUNNEL },
		{ "\x08\x00\x00\x00", 4, 9899, TG_REASON_SCTP_MALFORMED },
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
	struct tg_pipeline_config c = pipeline_config;

	assert_true(tg_pipeline_size(&c) > 0);
	c.memory_entries = 0;
	assert_int_equal(tg_pipeline_size(&c), 0);
	c.memory_entries = UINT32_MAX;
	assert_int_equal(tg_pipeline_size(&c), 0);
	c = pipeline_config;
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
