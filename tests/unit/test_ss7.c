/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls over SS7 through the pipeline: whole messages, one or more a packet. */
#include "tests/support/ss7_shots.h"
#include "tollgate/checksum.h"

static struct ss7_fixture s;

TG_TEST(IS_1_clean_call_passes_untouched, TG_NEEDS_NOTHING)
{
	struct tg_result r;

	ss7_setup(&s);
	r = ss7_judge_call(&s, &(struct tg_ss7_call){ .cic = 7, .opc = 1, .dpc = 2 }, 1);
	assert_result(&r, true, TG_FATE_FORWARD, TG_REASON_UNLISTED);
	assert_int_equal(r.sig->protocol, TG_PROTOCOL_ISUP);
	assert_int_equal(r.sig->message, TG_MESSAGE_IAM);
	assert_int_equal(r.ss7->isup.cic, 7);
	assert_int_equal(r.ss7->mtp3.opc, 1);
	assert_null(r.sip);
	ss7_teardown(&s);
}

/* N1 of traps §1.4: the digits become the sink's, and nothing else does. */
TG_TEST(IS_11_listed_caller_goes_to_the_sink, TG_NEEDS_NOTHING)
{
	const struct tg_ss7_call call = { .calling = TG_SS7_LISTED, .cic = 7 };
	struct ss7_sent sent;
	struct tg_frame_in in;
	struct tg_isup isup;
	struct tg_result r;
	unsigned i, differ = 0;

	ss7_setup(&s);
	in = ss7_shoot_call(&s, &call, 1);
	r = ss7_judge(&s, &in);
	assert_result(&r, true, TG_FATE_EDIT, TG_REASON_FRAUD);
	assert_true(r.changed);
	sent = ss7_send(&s, &in, &r);
	ss7_read_back(&sent, 0, &isup);
	assert_digits(&isup, isup.sig.called, "44207946000");
	assert_digits(&isup, isup.sig.caller, TG_SS7_LISTED);
	assert_true(isup.end_of_digits);
	assert_int_equal(isup.cic, 7);
	for (i = 0; i < in.len; i++)
		differ += sent.bytes[i] != in.data[i];
	assert_true(differ <= 6 + 4); /* octets of digits, and the checksum */
	ss7_teardown(&s);
}

TG_TEST(IS_11_national_number_goes_to_the_sinks_national_form, TG_NEEDS_NOTHING)
{
	const struct tg_ss7_call call = { .calling = TG_SS7_LISTED,
					  .called = "2079460123",
					  .called_nature = 3 };
	struct ss7_sent sent;
	struct tg_frame_in in;
	struct tg_isup isup;
	struct tg_result r;

	ss7_setup(&s);
	memcpy(s.f.g.trunk[0].profile.country_code, "44", 2);
	s.f.g.trunk[0].profile.country_code_len = 2;
	in = ss7_shoot_call(&s, &call, 1);
	r = ss7_judge(&s, &in);
	assert_result(&r, true, TG_FATE_EDIT, TG_REASON_FRAUD);
	sent = ss7_send(&s, &in, &r);
	ss7_read_back(&sent, 0, &isup);
	assert_digits(&isup, isup.sig.called, "2079460000");
	ss7_teardown(&s);
}

/* N2: no sink, or one that is longer than the number. */
TG_TEST(IS_11_without_a_sink_that_fits_the_message_is_null, TG_NEEDS_NOTHING)
{
	static const struct {
		const char *called, *sink;
	} cases[] = { { "4420794", TG_SS7_SINK }, { TG_SS7_CALLED_DEFAULT, "" } };
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		const struct tg_ss7_call call = { .calling = TG_SS7_LISTED,
						  .called = cases[i].called,
						  .cic = 3 };
		struct ss7_sent sent;
		struct tg_frame_in in;
		struct tg_isup isup = { .type = 0 };
		struct tg_result r;

		ss7_setup(&s);
		memset(s.f.g.trunk[0].sink, 0, sizeof(s.f.g.trunk[0].sink));
		memcpy(s.f.g.trunk[0].sink, cases[i].sink, strlen(cases[i].sink));
		in = ss7_shoot_call(&s, &call, 1);
		r = ss7_judge(&s, &in);
		assert_result(&r, true, TG_FATE_EDIT, TG_REASON_FRAUD);
		sent = ss7_send(&s, &in, &r);
		ss7_read_back(&sent, 0, &isup);
		assert_int_equal(isup.cic, 3);
		assert_int_not_equal(isup.type, TG_ISUP_IAM);
		assert_int_not_equal(isup.type, 0);
		ss7_teardown(&s);
	}
}

/* What is only recorded, and what a mark can do. */
TG_TEST(SCTP_1_shadow_and_anonymity, TG_NEEDS_NOTHING)
{
	static struct tg_policy_mark mark = { .name = "hide", .flags = TG_MARK_ANONYMISE };
	const struct tg_ss7_call call = { .calling = TG_SS7_LISTED };
	struct ss7_sent sent;
	struct tg_frame_in in;
	struct tg_isup isup;
	struct tg_result r;

	ss7_setup(&s);
	in = ss7_shoot_call(&s, &call, 1);
	in.port = 1; /* the default trunk: shadow */
	r = ss7_judge(&s, &in);
	assert_result(&r, true, TG_FATE_FORWARD, TG_REASON_FRAUD);
	assert_int_equal(r.verdict.action, TG_ACTION_REJECT);
	assert_false(r.changed);

	s.f.g.gen.policy.mark = &mark;
	s.f.g.gen.policy.n_marks = 1;
	s.f.g.rule[0].action = TG_ACTION_MARK;
	in = ss7_shoot_call(&s, &call, 2);
	r = ss7_judge(&s, &in);
	assert_result(&r, true, TG_FATE_EDIT, TG_REASON_FRAUD);
	sent = ss7_send(&s, &in, &r);
	ss7_read_back(&sent, 0, &isup);
	assert_digits(&isup, isup.sig.called, TG_SS7_CALLED_DEFAULT);
	assert_digits(&isup, isup.sig.caller, TG_SS7_LISTED);
	assert_int_equal(isup.party[isup.sig.caller].presentation, TG_ISUP_RESTRICTED);

	mark.flags = TG_MARK_PLUS; /* has no place in ISUP */
	in = ss7_shoot_call(&s, &call, 3);
	s.f.now += 60000;
	r = ss7_judge(&s, &in);
	assert_result(&r, true, TG_FATE_FORWARD, TG_REASON_EDIT_IMPOSSIBLE);
	ss7_teardown(&s);
}

TG_TEST(SCTP_1_a_verdict_is_per_chunk, TG_NEEDS_NOTHING)
{
	static const char *const calling[] = { TG_SS7_CALLING_DEFAULT, TG_SS7_LISTED,
					       "12025550178" };
	struct tg_ss7_packet p;
	struct ss7_sent sent;
	struct tg_frame_in in;
	struct tg_isup isup;
	struct tg_result r;
	const struct tg_result *v;
	unsigned i;

	ss7_setup(&s);
	tg_ss7_packet_begin(&p, 0);
	tg_ss7_packet_chunk(&p, 3, 0, "sack", 4);
	for (i = 0; i < 3; i++) {
		const struct tg_ss7_call c = { .calling = calling[i], .cic = i };
		const struct tg_ss7_text m = tg_ss7_message(&c);

		tg_ss7_packet_data(&p, &(struct tg_ss7_data){ .tsn = 10 + i }, m.data, m.len);
	}
	tg_ss7_packet_end(&p);
	in = ss7_frame(&s, &ss7_pkt, &p);
	r = ss7_judge(&s, &in);
	assert_result(&r, true, TG_FATE_EDIT, TG_REASON_UNLISTED);
	for (i = 0, v = &r; v; v = v->next, i++) {
		assert_true(v->judged);
		assert_int_equal(v->ss7->isup.cic, i);
		assert_int_equal(v->reason, i == 1 ? TG_REASON_FRAUD : TG_REASON_UNLISTED);
		assert_int_equal(v->changed, i == 1);
	}
	assert_int_equal(i, 3);
	sent = ss7_send(&s, &in, &r);
	for (i = 0; i < 3; i++) {
		ss7_read_back(&sent, i, &isup);
		assert_digits(&isup, isup.sig.called,
			      i == 1 ? "44207946000" : TG_SS7_CALLED_DEFAULT);
	}
	ss7_teardown(&s);
}

/* After a path has failed over, all that waited comes at once: bursts of full packets, each full of calls. */
TG_TEST(SCTP_1_a_burst_of_packets_full_of_calls, TG_NEEDS_NOTHING)
{
	struct tg_frame_in in[TG_BURST];
	struct tg_result out[TG_BURST];
	unsigned i, listed = 0, calls = 0, tsn = 1;

	ss7_setup(&s);
	for (i = 0; i < TG_BURST; i++)
		in[i] = ss7_full_packet(&s, &tsn);
	tg_pipeline_burst(s.f.pl, &s.f.g.gen, in, TG_BURST, 1000, out);
	for (i = 0; i < TG_BURST; i++) {
		const struct tg_result *r;

		for (r = &out[i]; r && r->judged; r = r->next, calls++)
			listed += r->changed;
	}
	assert_int_equal(calls, tsn - 1);
	assert_int_equal(listed, (tsn - 1) / 10);
	assert_true(calls > 400);
	ss7_teardown(&s);
}

/* The same TSN, bundled otherwise, after a swap of policy and table. */
TG_TEST(SCTP_5_retransmission_is_changed_alike, TG_NEEDS_NOTHING)
{
	const struct tg_ss7_call call = { .calling = TG_SS7_LISTED }, other = { .cic = 1 };
	const struct tg_ss7_text m = tg_ss7_message(&call), n = tg_ss7_message(&other);
	struct ss7_sent first, again;
	struct tg_ss7_packet p;
	struct tg_frame_in in;
	struct tg_isup a, b;
	struct tg_result r;

	ss7_setup(&s);
	in = ss7_shoot(&s, &m, &(struct tg_ss7_data){ .tsn = UINT32_MAX });
	r = ss7_judge(&s, &in);
	first = ss7_send(&s, &in, &r);
	assert_true(first.changed);

	s.f.empty.gen.policy = s.f.g.gen.policy;
	memcpy(s.f.g.trunk[0].sink, "+4930", 6);
	tg_ss7_packet_begin(&p, 0);
	tg_ss7_packet_data(&p, &(struct tg_ss7_data){ .tsn = 0 }, n.data, n.len);
	tg_ss7_packet_data(&p, &(struct tg_ss7_data){ .tsn = UINT32_MAX }, m.data, m.len);
	tg_ss7_packet_end(&p);
	in = ss7_frame(&s, &(struct tg_pkt){ .proto = TG_IPPROTO_SCTP, .src = "203.0.113.9" }, &p);
	s.f.now += 1000;
	r = judge_in(&s.f, &s.f.empty.gen, &in);
	assert_result(&r, true, TG_FATE_EDIT, TG_REASON_UNLISTED);
	assert_non_null(r.next);
	assert_true(r.next->repeated && r.next->changed);
	again = ss7_send(&s, &in, &r);
	ss7_read_back(&first, 0, &a);
	ss7_read_back(&again, 1, &b);
	assert_digits(&a, a.sig.called, "44207946000");
	assert_digits(&b, b.sig.called, "44207946000");
	ss7_teardown(&s);
}

/* Another association has the same TSN: nothing of it is ours. */
TG_TEST(SCTP_5_restart_has_nothing_of_before, TG_NEEDS_NOTHING)
{
	const struct tg_ss7_call call = { .calling = TG_SS7_LISTED };
	const struct tg_ss7_text m = tg_ss7_message(&call);
	struct tg_ss7_packet p;
	struct tg_frame_in in;
	struct tg_result r;

	ss7_setup(&s);
	in = ss7_shoot(&s, &m, &(struct tg_ss7_data){ .tsn = 5 });
	r = ss7_judge(&s, &in);
	assert_int_equal(r.fate, TG_FATE_EDIT);
	tg_ss7_packet_begin(&p, 0x55667788);
	tg_ss7_packet_data(&p, &(struct tg_ss7_data){ .tsn = 5 }, m.data, m.len);
	tg_ss7_packet_end(&p);
	in = ss7_frame(&s, &ss7_pkt, &p);
	r = judge_in(&s.f, &s.f.empty.gen, &in);
	assert_false(r.repeated);
	ss7_teardown(&s);
}

/* Whatever carries no call is told apart, and never touched. */
TG_TEST(SCTP_7_other_chunks_and_payloads_pass, TG_NEEDS_NOTHING)
{
	static const uint8_t aspup[] = { 1, 0, 3, 1, 0, 0, 0, 8 };
	static const struct {
		uint8_t type;
		uint32_t ppid;
		enum tg_reason reason;
	} cases[] = {
		{ 1, 0, TG_REASON_SCTP_CONTROL },
		{ 3, 0, TG_REASON_SCTP_CONTROL },
		{ 4, 0, TG_REASON_SCTP_CONTROL },
		{ 6, 0, TG_REASON_SCTP_CONTROL },
		{ 10, 0, TG_REASON_SCTP_CONTROL },
		{ 0xc0, 0, TG_REASON_SCTP_CONTROL },
		{ 0, 46, TG_REASON_SCTP_OTHER }, /* Diameter */
		{ 0, TG_PPID_DTLS, TG_REASON_TLS },
		{ 0, TG_PPID_M3UA, TG_REASON_SIGTRAN_OTHER },
		{ 0, UINT32_MAX, TG_REASON_SIGTRAN_OTHER },
	};
	unsigned i;

	ss7_setup(&s);
	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		struct tg_ss7_packet p;
		struct tg_frame_in in;
		struct tg_result r;

		tg_ss7_packet_begin(&p, 0);
		if (cases[i].type)
			tg_ss7_packet_chunk(&p, cases[i].type, 0, aspup, sizeof(aspup));
		else
			tg_ss7_packet_data(&p, &(struct tg_ss7_data){ .ppid = cases[i].ppid },
					   aspup, sizeof(aspup));
		tg_ss7_packet_end(&p);
		in = ss7_frame(&s, &ss7_pkt, &p);
		r = ss7_judge(&s, &in);
		assert_result(&r, false, TG_FATE_FORWARD, cases[i].reason);
	}
	ss7_teardown(&s);
}

TG_TEST(M3_4_other_user_parts_are_counted, TG_NEEDS_NOTHING)
{
	static const struct {
		uint8_t si, type;
		enum tg_reason reason;
	} cases[] = {
		{ TG_SI_SCCP, 9, TG_REASON_SCCP },
		{ TG_SI_TUP, 0x11, TG_REASON_TUP },
		{ TG_SI_ISUP, 6, TG_REASON_ISUP_OTHER },
		{ TG_SI_ISUP, 12, TG_REASON_ISUP_OTHER },
		{ TG_SI_ISUP, TG_ISUP_SAM, TG_REASON_ISUP_MALFORMED },
		{ TG_SI_ISUP, TG_ISUP_IAM, TG_REASON_ISUP_MALFORMED },
		{ 9, 0, TG_REASON_SIGTRAN_OTHER },
	};
	unsigned i;

	ss7_setup(&s);
	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		const struct tg_ss7_call c = { .cic = 1 };
		const uint8_t user[] = { 1, 0, cases[i].type, 0xff };
		const struct tg_ss7_text m = tg_ss7_m3ua(&c, cases[i].si, user, sizeof(user));
		const struct tg_frame_in in = ss7_shoot(&s, &m, &(struct tg_ss7_data){ .tsn = i });
		const struct tg_result r = ss7_judge(&s, &in);

		assert_result(&r, false, TG_FATE_FORWARD, cases[i].reason);
	}
	ss7_teardown(&s);
}

TG_TEST(SCTP_8_payload_protocol_missing_or_swapped, TG_NEEDS_NOTHING)
{
	static const uint32_t ppid[] = { TG_PPID_M3UA, 0x03000000, UINT32_MAX };
	const struct tg_ss7_call call = { .calling = TG_SS7_LISTED };
	const struct tg_ss7_text m = tg_ss7_message(&call);
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(ppid); i++) {
		struct tg_frame_in in;
		struct tg_result r;

		ss7_setup(&s);
		in = ss7_shoot(&s, &m, &(struct tg_ss7_data){ .tsn = i, .ppid = ppid[i] });
		r = ss7_judge(&s, &in);
		assert_result(&r, true, TG_FATE_EDIT, TG_REASON_FRAUD);
		ss7_teardown(&s);
	}
}

TG_TEST(M3_5_m2pa_sequence_numbers_are_untouched, TG_NEEDS_NOTHING)
{
	const struct tg_ss7_call call = { .calling = TG_SS7_LISTED, .opc = 5, .dpc = 9, .cic = 2 };
	const struct tg_ss7_text isup = tg_ss7_isup(&call);
	const struct tg_ss7_text m = tg_ss7_m2pa(&call, TG_SI_ISUP, isup.data, isup.len);
	struct ss7_sent sent;
	struct tg_frame_in in;
	struct tg_result r;
	unsigned at;

	ss7_setup(&s);
	s.f.g.trunk[0].opc = 5;
	s.f.g.trunk[0].dpc = 9;
	in = ss7_shoot(&s, &m, &(struct tg_ss7_data){ .ppid = TG_PPID_M2PA });
	r = ss7_judge(&s, &in);
	assert_result(&r, true, TG_FATE_EDIT, TG_REASON_FRAUD);
	assert_int_equal(r.ss7->mtp3.opc, 5);
	sent = ss7_send(&s, &in, &r);
	at = r.frame.payload_off + TG_SCTP_HEADER + 16;
	assert_memory_equal(sent.bytes + at, m.data, 22);
	ss7_teardown(&s);
}

TG_TEST(M3_4_trunk_by_point_codes, TG_NEEDS_NOTHING)
{
	struct tg_ss7_call call = { .calling = TG_SS7_LISTED, .opc = 5, .dpc = 9 };
	struct tg_result r;

	ss7_setup(&s);
	s.f.g.trunk[0].opc = 5;
	r = ss7_judge_call(&s, &call, 1);
	assert_result(&r, true, TG_FATE_EDIT, TG_REASON_FRAUD);
	call.opc = 6;
	r = ss7_judge_call(&s, &call, 2);
	assert_result(&r, true, TG_FATE_FORWARD, TG_REASON_FRAUD);
	assert_int_equal(r.verdict.trunk, 1);
	ss7_teardown(&s);
}

/* Behind an AUTH chunk nothing can be changed: the verdict stands, and says so. */
TG_TEST(SCTP_7_signed_chunks_pass_and_are_counted, TG_NEEDS_NOTHING)
{
	const struct tg_ss7_call call = { .calling = TG_SS7_LISTED };
	const struct tg_ss7_text m = tg_ss7_message(&call);
	struct tg_ss7_packet p;
	struct tg_frame_in in;
	struct tg_result r;

	ss7_setup(&s);
	tg_ss7_packet_begin(&p, 0);
	tg_ss7_packet_chunk(&p, TG_SCTP_AUTH, 0, "12345678", 8);
	tg_ss7_packet_data(&p, &(struct tg_ss7_data){ .tsn = 1 }, m.data, m.len);
	tg_ss7_packet_end(&p);
	in = ss7_frame(&s, &ss7_pkt, &p);
	r = ss7_judge(&s, &in);
	assert_result(&r, true, TG_FATE_FORWARD, TG_REASON_SCTP_AUTH);
	assert_int_equal(r.verdict.action, TG_ACTION_REJECT);
	assert_false(r.changed);
	ss7_teardown(&s);
}

TG_TEST(L3_9_sctp_checksum, TG_NEEDS_NOTHING)
{
	const struct tg_ss7_call call = { .calling = TG_SS7_LISTED }, clean = { .cic = 2 };
	struct tg_frame_in in;
	struct tg_result r;
	uint8_t *frame;

	ss7_setup(&s);
	in = ss7_shoot_call(&s, &call, 1);
	frame = s.frame[s.n_frames - 1].bytes;
	frame[14 + 20 + 8] ^= 1;
	r = ss7_judge(&s, &in);
	assert_result(&r, false, TG_FATE_FORWARD, TG_REASON_BAD_CHECKSUM);
	in.checksum = TG_PIPELINE_CSUM_IGNORE;
	r = ss7_judge(&s, &in);
	assert_result(&r, true, TG_FATE_EDIT, TG_REASON_FRAUD);
	/* Nobody is blamed with a clean pass: it needs no proof, unless all is recorded. */
	in = ss7_shoot_call(&s, &clean, 2);
	frame = s.frame[s.n_frames - 1].bytes;
	frame[14 + 20 + 8] ^= 1;
	r = ss7_judge(&s, &in);
	assert_result(&r, true, TG_FATE_FORWARD, TG_REASON_UNLISTED);
	in.checksum = TG_PIPELINE_CSUM_ALWAYS;
	r = ss7_judge(&s, &in);
	assert_result(&r, false, TG_FATE_FORWARD, TG_REASON_BAD_CHECKSUM);
	ss7_teardown(&s);
}

/* Zero is what both ends agreed on (RFC 9653), and stays. */
TG_TEST(SCTP_10_zero_checksum_stays, TG_NEEDS_NOTHING)
{
	const struct tg_ss7_call call = { .calling = TG_SS7_LISTED };
	struct ss7_sent sent;
	struct tg_frame_in in;
	struct tg_result r;

	ss7_setup(&s);
	in = ss7_shoot_call(&s, &call, 1);
	memset(s.frame[0].bytes + 14 + 20 + 8, 0, 4);
	r = ss7_judge(&s, &in);
	assert_result(&r, true, TG_FATE_EDIT, TG_REASON_FRAUD);
	sent = ss7_send(&s, &in, &r);
	assert_int_equal(tg_load_be32(sent.bytes + 14 + 20 + 8), 0);
	ss7_teardown(&s);
}

TG_TEST(SCTP_9_sctp_in_udp, TG_NEEDS_NOTHING)
{
	static const struct tg_pkt ways[] = {
		{ .sport = 9899, .dport = 9899 },
		{ .sport = 40000, .dport = 9899 },
		{ .sport = 9899, .dport = 40000, .ipv6 = true },
		{ .sport = 9899, .dport = 9899, .zero_udp_checksum = true },
	};
	const struct tg_ss7_call call = { .calling = TG_SS7_LISTED };
	const struct tg_ss7_text m = tg_ss7_message(&call);
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(ways); i++) {
		struct tg_ss7_packet p;
		struct ss7_sent sent;
		struct tg_frame_in in;
		struct tg_result r;

		ss7_setup(&s);
		tg_ss7_packet_begin(&p, 0);
		tg_ss7_packet_data(&p, &(struct tg_ss7_data){ .tsn = i }, m.data, m.len);
		tg_ss7_packet_end(&p);
		in = ss7_frame(&s, &ways[i], &p);
		r = ss7_judge(&s, &in);
		assert_result(&r, true, TG_FATE_EDIT, TG_REASON_FRAUD);
		sent = ss7_send(&s, &in, &r);
		assert_true(tg_checksum_udp_ok(sent.bytes, &r.frame));
		assert_int_equal(tg_load_be16(sent.bytes + r.frame.l4_off + 6) == 0,
				 ways[i].zero_udp_checksum);
		ss7_teardown(&s);
	}
}

/* Zero-length and overlong chunks: what was before them counts, the rest passes. */
TG_TEST(SCTP_2_malformed_chunk_passes, TG_NEEDS_NOTHING)
{
	const struct tg_ss7_call call = { .calling = TG_SS7_LISTED };
	const struct tg_ss7_text m = tg_ss7_message(&call);
	struct tg_ss7_packet p;
	struct tg_frame_in in;
	struct tg_result r;

	ss7_setup(&s);
	tg_ss7_packet_begin(&p, 0);
	tg_ss7_packet_chunk(&p, 3, 0, "sack", 4);
	p.data[p.len - 5] = 0;
	p.data[TG_SCTP_HEADER + 3] = 0;
	tg_ss7_packet_data(&p, &(struct tg_ss7_data){ .tsn = 1 }, m.data, m.len);
	tg_ss7_packet_end(&p);
	in = ss7_frame(&s, &ss7_pkt, &p);
	r = ss7_judge(&s, &in);
	assert_result(&r, false, TG_FATE_FORWARD, TG_REASON_SCTP_MALFORMED);
	ss7_teardown(&s);
}

static void judge_cut(void *ctx, const uint8_t *data, size_t len)
{
	const struct tg_frame_in in = { .data = data,
					.len = (uint32_t)len,
					.checksum = TG_PIPELINE_CSUM_IGNORE };
	const struct tg_result r = ss7_judge(&s, &in);

	assert_true(r.fate == TG_FATE_FORWARD || r.fate == TG_FATE_EDIT);
	(*(unsigned *)ctx) += r.judged;
}

TG_TEST(ss7_truncated_at_each_length, TG_NEEDS_NOTHING)
{
	const struct tg_ss7_call call = { .calling = TG_SS7_LISTED, .generic = "12025550102" };
	struct tg_frame_in in;
	unsigned judged = 0;

	ss7_setup(&s);
	in = ss7_shoot_call(&s, &call, 1);
	tg_guard_truncate(in.data, in.len, judge_cut, &judged);
	assert_int_equal(judged, 1);
	ss7_teardown(&s);
}

TG_TEST(ss7_event_says_where_it_came_from, TG_NEEDS_NOTHING)
{
	const struct tg_ss7_call call = { .calling = TG_SS7_LISTED, .opc = 3, .dpc = 4, .cic = 9 };
	struct tg_frame_in in;
	struct tg_event e;
	struct tg_result r;

	ss7_setup(&s);
	in = ss7_shoot_call(&s, &call, 1);
	r = ss7_judge(&s, &in);
	tg_event_fill(&e, &s.f.g.gen, &in, &r);
	assert_int_equal(e.protocol, TG_PROTOCOL_ISUP);
	assert_int_equal(e.message, TG_MESSAGE_IAM);
	assert_int_equal(e.fate, TG_FATE_EDIT);
	assert_true(e.has_mtp3);
	assert_int_equal(e.opc, 3);
	assert_int_equal(e.dpc, 4);
	assert_int_equal(e.cic, 9);
	assert_true(e.id[e.caller].has_party);
	assert_int_equal(e.id[e.caller].nature, 4);
	ss7_teardown(&s);
}
