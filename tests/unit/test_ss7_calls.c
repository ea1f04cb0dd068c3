/* SPDX-License-Identifier: BSD-3-Clause */
/* What kind of call it is, over SS7: of priority, of emergency, BICC, an attempt again; and of an old exchange. */
#include "dataplane/pipeline/state.h"
#include "tests/support/ss7_shots.h"

static struct ss7_fixture s;

TG_TEST(IS_13_calls_of_priority_pass, TG_NEEDS_NOTHING)
{
	const struct tg_ss7_call call = { .calling = TG_SS7_LISTED, .category = 11 };
	struct tg_result r;

	ss7_setup(&s);
	r = ss7_judge_call(&s, &call, 1);
	assert_result(&r, true, TG_FATE_FORWARD, TG_REASON_PRIORITY);
	ss7_teardown(&s);
}

TG_TEST(SIP_36_emergency_over_isup, TG_NEEDS_NOTHING)
{
	const struct tg_ss7_call call = { .calling = TG_SS7_LISTED,
					  .called = "112",
					  .called_nature = 3 };
	struct tg_result r;

	ss7_setup(&s);
	r = ss7_judge_call(&s, &call, 1);
	assert_result(&r, true, TG_FATE_FORWARD, TG_REASON_EMERGENCY);
	ss7_teardown(&s);
}

TG_TEST(IS_1_bicc, TG_NEEDS_NOTHING)
{
	const struct tg_ss7_call call = { .calling = TG_SS7_LISTED,
					  .bicc = true,
					  .cic = 0x01020304 };
	struct ss7_sent sent;
	struct tg_frame_in in;
	struct tg_isup isup;
	struct tg_result r;

	ss7_setup(&s);
	in = ss7_shoot_call(&s, &call, 1);
	r = ss7_judge(&s, &in);
	assert_result(&r, true, TG_FATE_EDIT, TG_REASON_FRAUD);
	assert_int_equal(r.sig->protocol, TG_PROTOCOL_BICC);
	sent = ss7_send(&s, &in, &r);
	ss7_read_back(&sent, 0, &isup);
	assert_int_equal(isup.cic, 0x01020304);
	assert_digits(&isup, isup.sig.called, "44207946000");
	ss7_teardown(&s);
}

/* An exchange tries again on another circuit, at once; who dials again is another call. */
TG_TEST(IS_9_repeat_attempt_is_the_same_call, TG_NEEDS_NOTHING)
{
	struct tg_ss7_call call = { .cic = 1 };
	struct tg_result r;

	ss7_setup(&s);
	r = ss7_judge_call(&s, &call, 1);
	assert_false(r.same_call);
	call.cic = 2;
	s.f.now += 300;
	r = ss7_judge_call(&s, &call, 2);
	assert_true(r.judged && r.same_call);
	call.cic = 3;
	s.f.now += 10000;
	r = ss7_judge_call(&s, &call, 3);
	assert_false(r.same_call);
	ss7_teardown(&s);
}

/* RFC 2960 Appendix B, word for word: what old exchanges send, and take. */
static uint32_t adler32_of(const uint8_t *p, uint32_t len)
{
	uint32_t a = 1, b = 0, i;

	for (i = 0; i < len; i++) {
		a = (a + (i >= 8 && i < 12 ? 0 : p[i])) % 65521;
		b = (b + a) % 65521;
	}
	return b << 16 | a;
}

TG_TEST(SCTP_3_adler32_is_read_and_stays, TG_NEEDS_NOTHING)
{
	const struct tg_ss7_call call = { .calling = TG_SS7_LISTED };
	struct ss7_sent sent;
	struct tg_frame_in in;
	struct tg_result r;
	uint8_t *packet;

	ss7_setup(&s);
	in = ss7_shoot_call(&s, &call, 1);
	packet = s.frame[0].bytes + 14 + 20;
	tg_store_be32(packet + 8, adler32_of(packet, in.len - 34));
	r = ss7_judge(&s, &in);
	assert_result(&r, true, TG_FATE_EDIT, TG_REASON_FRAUD);
	sent = ss7_send(&s, &in, &r);
	assert_int_equal(tg_load_be32(sent.bytes + 34 + 8),
			 adler32_of(sent.bytes + 34, in.len - 34));
	packet[8] ^= 1;
	in.checksum = TG_PIPELINE_CSUM_ALWAYS;
	r = ss7_judge(&s, &in);
	assert_result(&r, false, TG_FATE_FORWARD, TG_REASON_BAD_CHECKSUM);
	ss7_teardown(&s);
}

/* Of SIP and SS7 in one burst, each call has its own key, however many there are. */
TG_TEST(P4_calls_of_sip_behind_hundreds_over_ss7, TG_NEEDS_NOTHING)
{
	const struct tg_sip_text sip[] = { { .from = TG_TEST_CLEAN, .call = 1 },
					   { .from = TG_TEST_FRAUD, .call = 2 },
					   { .from = TG_TEST_FRAUD, .call = 2 } };
	struct tg_frame_in in[TG_BURST];
	struct tg_result out[TG_BURST];
	unsigned i, tsn = 1;

	ss7_setup(&s);
	for (i = 0; i < TG_BURST - 3; i++)
		in[i] = ss7_full_packet(&s, &tsn);
	assert_true(tsn > 256);
	for (; i < TG_BURST; i++)
		in[i] = shoot_sip(&sip[i - (TG_BURST - 3)])->in;
	tg_pipeline_burst(s.f.pl, &s.f.g.gen, in, TG_BURST, 1000, out);
	assert_result(&out[TG_BURST - 3], true, TG_FATE_FORWARD, TG_REASON_UNLISTED);
	assert_result(&out[TG_BURST - 2], true, TG_FATE_ANSWER, TG_REASON_FRAUD);
	assert_false(out[TG_BURST - 2].repeated);
	assert_true(out[TG_BURST - 1].repeated);
	ss7_teardown(&s);
}

/* A packet counts as its first call; what else is in it, and was not read, counts as that. */
TG_TEST(P8_chunk_beside_a_call_that_is_not_read, TG_NEEDS_NOTHING)
{
	const struct tg_ss7_text m = tg_ss7_message(&(struct tg_ss7_call){ .cic = 1 });
	struct tg_ss7_packet p;
	struct tg_frame_in in;
	struct tg_result r;
	bool call_first;

	for (call_first = false;; call_first = true) {
		ss7_setup(&s);
		tg_ss7_packet_begin(&p, 0);
		if (call_first)
			tg_ss7_packet_data(&p, &(struct tg_ss7_data){ .tsn = 1 }, m.data, m.len);
		tg_ss7_packet_chunk(&p, TG_SCTP_DATA, 3, "short", 5);
		if (!call_first)
			tg_ss7_packet_data(&p, &(struct tg_ss7_data){ .tsn = 1 }, m.data, m.len);
		tg_ss7_packet_end(&p);
		in = ss7_frame(&s, &ss7_pkt, &p);
		r = ss7_judge(&s, &in);
		assert_result(&r, true, TG_FATE_FORWARD, TG_REASON_UNLISTED);
		assert_int_equal(r.unread, TG_REASON_SCTP_MALFORMED);
		in = ss7_shoot_call(&s, &(struct tg_ss7_call){ .cic = 2 }, 2);
		assert_int_equal(ss7_judge(&s, &in).unread, 0);
		ss7_teardown(&s);
		if (call_first)
			break;
	}
}

TG_TEST(P8_calls_beyond_what_a_burst_holds_are_counted, TG_NEEDS_NOTHING)
{
	const uint32_t most = TG_SS7_PACKET_MAX - 14 - 20;
	struct tg_frame_in in[TG_BURST];
	struct tg_result out[TG_BURST];
	unsigned i, sent = 0, judged = 0, unread = 0;
	const struct tg_result *r;

	ss7_setup(&s);
	for (i = 0; i < TG_BURST; i++) {
		struct tg_ss7_packet p;

		tg_ss7_packet_begin(&p, 0);
		for (;;) {
			const struct tg_ss7_text m = tg_ss7_message(
				&(struct tg_ss7_call){ .called = "1", .calling = "", .cic = sent });

			if (p.len + 16 + m.len > most)
				break;
			tg_ss7_packet_data(&p, &(struct tg_ss7_data){ .tsn = ++sent }, m.data,
					   m.len);
		}
		tg_ss7_packet_end(&p);
		in[i] = ss7_frame(&s, &ss7_pkt, &p);
	}
	assert_true(sent > TG_MESSAGES_MAX);
	tg_pipeline_burst(s.f.pl, &s.f.g.gen, in, TG_BURST, 1000, out);
	for (i = 0; i < TG_BURST; i++) {
		unsigned here = 0;

		for (r = &out[i]; r; r = r->next)
			here++;
		judged += here;
		assert_true(out[i].judged);
		assert_int_equal(out[i].unread, here < sent / TG_BURST ? TG_REASON_SCTP_FULL : 0);
		unread += out[i].unread != 0;
	}
	assert_int_equal(judged, TG_MESSAGES_MAX);
	assert_true(unread > 0);
	ss7_teardown(&s);
}
