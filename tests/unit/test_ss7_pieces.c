/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls over SS7 that come in several chunks, several packets, or several messages. */
#include "dataplane/flow/chunks.h"
#include "dataplane/flow/circuits.h"
#include "tests/support/ss7_shots.h"

static struct ss7_fixture s;

/* The message in pieces of `size` octets, a packet each, from `tsn` on; how many there are. */
static unsigned cut(const struct tg_ss7_text *m, const struct tg_ss7_data *as, uint32_t size,
		    struct tg_frame_in *in)
{
	const unsigned n = (m->len + size - 1) / size;
	unsigned i;

	for (i = 0; i < n; i++) {
		struct tg_ss7_data d = *as;
		struct tg_ss7_packet p;

		d.tsn = as->tsn + i;
		d.fsn = i;
		d.middle = true;
		d.flags |= (i == 0 ? TG_SCTP_FLAG_BEGIN : 0) | (i + 1 == n ? TG_SCTP_FLAG_END : 0);
		tg_ss7_packet_begin(&p, 0);
		tg_ss7_packet_data(&p, &d, m->data + i * size,
				   i + 1 == n ? m->len - i * size : size);
		tg_ss7_packet_end(&p);
		in[i] = ss7_frame(&s, &ss7_pkt, &p);
	}
	return n;
}

/* What the far end puts together of the frames that were sent. */
static void put_together(const struct ss7_sent *sent, unsigned n, struct tg_ss7_text *m)
{
	unsigned i;

	m->len = 0;
	for (i = 0; i < n; i++) {
		struct tg_sctp_chunk c;
		struct tg_sctp_data d = { 0 };
		struct tg_frame f;
		struct tg_sctp sctp;

		assert_int_equal(tg_frame_walk(sent[i].bytes, sent[i].bytes + sent[i].len,
					       TG_LINK_ETHERNET, &f),
				 TG_REASON_SCTP);
		assert_true(tg_sctp_checksum_ok(
			(struct tg_span){ sent[i].bytes + f.payload_off, f.payload_len }));
		assert_true(tg_sctp_open(
			(struct tg_span){ sent[i].bytes + f.payload_off, f.payload_len }, &sctp));
		assert_true(tg_sctp_next(&sctp, &c) && tg_sctp_data_read(&c, &d));
		memcpy(m->data + m->len, d.user.data, d.user.len);
		m->len += d.user.len;
	}
}

static void check_called(const struct tg_ss7_text *m, const char *want)
{
	struct tg_isup isup;
	struct tg_mtp3 mtp3;

	assert_int_equal(tg_m3ua_read((struct tg_span){ m->data, m->len }, &mtp3), TG_REASON_NONE);
	assert_int_equal(tg_isup_read(mtp3.user, TG_ISUP_ITU, false, &isup), TG_REASON_NONE);
	assert_digits(&isup, isup.sig.called, want);
}

/* The digits lie in two pieces, wherever it is cut; both go out changed, and every octet else as it came. */
static void check_in_pieces(const struct tg_ss7_data *as, uint32_t size)
{
	const struct tg_ss7_call call = { .calling = TG_SS7_LISTED };
	const struct tg_ss7_text m = tg_ss7_message(&call);
	struct ss7_sent sent[TG_SS7_FRAMES];
	struct tg_frame_in in[TG_SS7_FRAMES];
	struct tg_ss7_text got;
	struct tg_result r;
	unsigned n, i;

	ss7_setup(&s);
	n = cut(&m, as, size, in);
	for (i = 0; i + 1 < n; i++) {
		r = ss7_judge(&s, &in[i]);
		assert_int_equal(r.fate, TG_FATE_HOLD);
		assert_false(r.judged);
	}
	r = ss7_judge(&s, &in[i]);
	assert_true(r.judged && r.changed);
	assert_string_equal(tg_reason_name(r.reason), "fraud");
	assert_int_equal(r.n_held, n - 1);
	assert_true(r.held_changes);
	for (i = 0; i + 1 < n; i++)
		sent[i] = ss7_send_held(&s, r.held[i]);
	sent[i] = ss7_send(&s, &in[i], &r);
	put_together(sent, n, &got);
	check_called(&got, "44207946000");
	ss7_teardown(&s);
}

TG_TEST(SCTP_4_call_in_pieces_is_changed_in_the_right_ones, TG_NEEDS_NOTHING)
{
	const struct tg_ss7_text m =
		tg_ss7_message(&(struct tg_ss7_call){ .calling = TG_SS7_LISTED });
	uint32_t size;

	for (size = 4; size < m.len; size++)
		check_in_pieces(&(struct tg_ss7_data){ .tsn = UINT32_MAX - 2, .stream = 3 }, size);
}

TG_TEST(SCTP_4_call_in_pieces_unordered_and_interleaved, TG_NEEDS_NOTHING)
{
	check_in_pieces(&(struct tg_ss7_data){ .tsn = 7, .flags = TG_SCTP_FLAG_UNORDERED }, 16);
	check_in_pieces(&(struct tg_ss7_data){ .tsn = 7, .interleaved = true, .message = 99 }, 16);
}

/* What comes behind a piece that waits, comes out behind it, and is judged all the same. */
TG_TEST(SCTP_4_order_is_kept_while_pieces_wait, TG_NEEDS_NOTHING)
{
	const struct tg_ss7_call call = { .calling = TG_SS7_LISTED }, other = { .cic = 5 };
	const struct tg_ss7_text m = tg_ss7_message(&call);
	struct tg_frame_in in[TG_SS7_FRAMES], between;
	struct tg_result r;
	unsigned n;

	ss7_setup(&s);
	n = cut(&m, &(struct tg_ss7_data){ .tsn = 1 }, 40, in);
	assert_int_equal(n, 2);
	r = ss7_judge(&s, &in[0]);
	assert_int_equal(r.fate, TG_FATE_HOLD);
	between = ss7_shoot_call(&s, &other, 9);
	r = ss7_judge(&s, &between);
	assert_int_equal(r.fate, TG_FATE_HOLD);
	assert_true(r.judged);
	r = ss7_judge(&s, &in[1]);
	assert_int_equal(r.n_held, 2);
	assert_ptr_equal(r.held[0], in[0].handle);
	assert_ptr_equal(r.held[1], between.handle);
	assert_true(ss7_send_held(&s, r.held[0]).changed || r.fate == TG_FATE_EDIT);
	assert_false(ss7_send_held(&s, r.held[1]).changed);
	ss7_teardown(&s);
}

/* Waiting ends; what has gone cannot be changed any more, and that is counted. */
TG_TEST(SCTP_4_waiting_ends_and_the_verdict_is_too_late, TG_NEEDS_NOTHING)
{
	const struct tg_ss7_call call = { .calling = TG_SS7_LISTED };
	const struct tg_ss7_text m = tg_ss7_message(&call);
	struct tg_frame_in in[TG_SS7_FRAMES];
	struct tg_released freed[TG_BURST];
	struct tg_result r;

	ss7_setup(&s);
	assert_int_equal(cut(&m, &(struct tg_ss7_data){ .tsn = 1 }, 50, in), 2);
	r = ss7_judge(&s, &in[0]);
	assert_int_equal(r.fate, TG_FATE_HOLD);
	assert_int_equal(
		tg_pipeline_release(s.f.pl, s.f.now + TG_CHUNKS_HOLD_MS - 1, freed, TG_BURST), 0);
	s.f.now += TG_CHUNKS_HOLD_MS;
	assert_int_equal(tg_pipeline_release(s.f.pl, s.f.now, freed, TG_BURST), 1);
	assert_ptr_equal(freed[0].handle, in[0].handle);
	assert_true(freed[0].changes && !freed[0].drop);
	assert_false(ss7_send_held(&s, freed[0].handle).changed);
	r = ss7_judge(&s, &in[1]);
	assert_result(&r, true, TG_FATE_FORWARD, TG_REASON_SCTP_TOO_LATE);
	assert_int_equal(r.n_held, 0);
	/* Sent again from the beginning, it is known, and still goes on as it came. */
	r = ss7_judge(&s, &in[0]);
	assert_int_equal(r.fate, TG_FATE_FORWARD);
	ss7_teardown(&s);
}

/* Most messages in pieces are no calls, and wait for nothing. */
TG_TEST(SCTP_4_what_is_no_call_is_not_held, TG_NEEDS_NOTHING)
{
	static const struct {
		uint32_t ppid;
		uint8_t si;
	} cases[] = { { TG_PPID_M3UA, TG_SI_SCCP },
		      { 46, TG_SI_ISUP },
		      { TG_PPID_SUA, TG_SI_ISUP } };
	const struct tg_ss7_call call = { .calling = TG_SS7_LISTED };
	const struct tg_ss7_text isup = tg_ss7_isup(&call);
	unsigned i, k;

	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		const struct tg_ss7_text m = tg_ss7_m3ua(&call, cases[i].si, isup.data, isup.len);
		struct tg_frame_in in[TG_SS7_FRAMES];
		unsigned n;

		ss7_setup(&s);
		n = cut(&m, &(struct tg_ss7_data){ .tsn = 1, .ppid = cases[i].ppid }, 32, in);
		for (k = 0; k < n; k++) {
			const struct tg_result r = ss7_judge(&s, &in[k]);

			assert_result(&r, false, TG_FATE_FORWARD, TG_REASON_SCTP_PART);
		}
		ss7_teardown(&s);
	}
}

/* A piece whose packet the endpoint discards takes no part. */
TG_TEST(L3_9_checksums_of_pieces, TG_NEEDS_NOTHING)
{
	const struct tg_ss7_call call = { .calling = TG_SS7_LISTED };
	const struct tg_ss7_text m = tg_ss7_message(&call);
	struct tg_frame_in in[TG_SS7_FRAMES];
	struct tg_result r;

	ss7_setup(&s);
	assert_int_equal(cut(&m, &(struct tg_ss7_data){ .tsn = 1 }, 50, in), 2);
	s.frame[0].bytes[in[0].len - 1] ^= 1;
	r = ss7_judge(&s, &in[0]);
	assert_result(&r, false, TG_FATE_FORWARD, TG_REASON_BAD_CHECKSUM);
	s.frame[0].bytes[in[0].len - 1] ^= 1;
	r = ss7_judge(&s, &in[0]);
	assert_int_equal(r.fate, TG_FATE_HOLD);
	r = ss7_judge(&s, &in[1]);
	assert_true(r.judged && r.changed);
	ss7_teardown(&s);
}

/* A retransmission of one piece alone, after all have gone, is changed as it was. */
TG_TEST(SCTP_5_piece_alone_is_changed_again, TG_NEEDS_NOTHING)
{
	const struct tg_ss7_call call = { .calling = TG_SS7_LISTED };
	const struct tg_ss7_text m = tg_ss7_message(&call);
	struct tg_frame_in in[TG_SS7_FRAMES];
	struct ss7_sent first, again;
	struct tg_result r;

	ss7_setup(&s);
	assert_int_equal(cut(&m, &(struct tg_ss7_data){ .tsn = 1 }, 50, in), 2);
	ss7_judge(&s, &in[0]);
	r = ss7_judge(&s, &in[1]);
	first = ss7_send_held(&s, r.held[0]);
	assert_true(first.changed);
	s.f.now += 3000;
	r = ss7_judge(&s, &in[0]);
	assert_result(&r, false, TG_FATE_EDIT, TG_REASON_SCTP_PART);
	again = ss7_send(&s, &in[0], &r);
	assert_memory_equal(again.bytes, first.bytes, first.len);
	ss7_teardown(&s);
}

/* ---- overlap sending, segmentation --------------------------------------------------------------- */

/* The called number is +447700900999, listed; its last digits come later. */
static const struct tg_ss7_call overlap = { .called = "4477009", .no_st = true, .cic = 8 };

static struct tg_result judge_sam(const char *digits, bool last, uint32_t tsn)
{
	const struct tg_ss7_call sam = {
		.type = TG_ISUP_SAM, .called = digits, .no_st = !last, .cic = 8
	};
	const struct tg_frame_in in = ss7_shoot_call(&s, &sam, tsn);

	return ss7_judge(&s, &in);
}

TG_TEST(IS_3_digits_add_up_and_the_verdict_is_too_late, TG_NEEDS_NOTHING)
{
	struct tg_result r;

	ss7_setup(&s);
	r = ss7_judge_call(&s, &overlap, 1);
	assert_result(&r, true, TG_FATE_FORWARD, TG_REASON_UNLISTED);
	r = judge_sam("00", false, 2);
	assert_result(&r, false, TG_FATE_FORWARD, TG_REASON_ISUP_OTHER);
	r = judge_sam("00", false, 2); /* the same again: no digits of its own */
	assert_result(&r, false, TG_FATE_FORWARD, TG_REASON_ISUP_OTHER);
	r = judge_sam("999", true, 3);
	assert_result(&r, true, TG_FATE_FORWARD, TG_REASON_ISUP_TOO_LATE);
	assert_int_equal(r.verdict.reason, TG_REASON_IRSF);
	assert_int_equal(r.sig->message, TG_MESSAGE_SAM);
	assert_digits(&r.ss7->isup, r.sig->called, &TG_TEST_IRSF_CALLED[1]);
	assert_true(r.same_call);
	/* Once is enough. */
	r = judge_sam("9", true, 4);
	assert_result(&r, false, TG_FATE_FORWARD, TG_REASON_ISUP_OTHER);
	ss7_teardown(&s);
}

/* Who calls is known with the IAM; what follows goes to the sink's side as it is. */
TG_TEST(IS_3_rules_on_the_caller_hold_at_once, TG_NEEDS_NOTHING)
{
	struct tg_ss7_call call = overlap;
	struct tg_result r;

	ss7_setup(&s);
	memcpy(s.f.g.trunk[0].sink, "+4420\0\0\0\0", 10);
	call.calling = TG_SS7_LISTED;
	r = ss7_judge_call(&s, &call, 1);
	assert_result(&r, true, TG_FATE_EDIT, TG_REASON_FRAUD);
	r = judge_sam("00999", true, 2);
	assert_result(&r, false, TG_FATE_FORWARD, TG_REASON_ISUP_OTHER);
	ss7_teardown(&s);
}

TG_TEST(IS_4_identities_of_a_segment, TG_NEEDS_NOTHING)
{
	const struct tg_ss7_call iam = { .segments = true, .cic = 8 };
	const struct tg_ss7_call sgm = { .type = TG_ISUP_SGM, .generic = TG_SS7_LISTED, .cic = 8 };
	struct tg_result r;

	ss7_setup(&s);
	r = ss7_judge_call(&s, &iam, 1);
	assert_result(&r, true, TG_FATE_FORWARD, TG_REASON_UNLISTED);
	r = ss7_judge_call(&s, &sgm, 2);
	assert_result(&r, true, TG_FATE_FORWARD, TG_REASON_ISUP_TOO_LATE);
	assert_int_equal(r.verdict.reason, TG_REASON_FRAUD);
	assert_int_equal(r.sig->message, TG_MESSAGE_SGM);
	ss7_teardown(&s);
}

/* Circuits of other exchanges have the same numbers. */
TG_TEST(IS_3_another_circuit_knows_nothing_of_it, TG_NEEDS_NOTHING)
{
	struct tg_ss7_call call = overlap;
	struct tg_result r;

	ss7_setup(&s);
	call.opc = 77;
	ss7_judge_call(&s, &call, 1);
	r = judge_sam("00999", true, 2);
	assert_result(&r, false, TG_FATE_FORWARD, TG_REASON_ISUP_OTHER);
	/* and the time in which digits may follow is over */
	ss7_judge_call(&s, &overlap, 3);
	s.f.now += TG_CIRCUITS_LIFE_MS + 1;
	r = judge_sam("00999", true, 4);
	assert_result(&r, false, TG_FATE_FORWARD, TG_REASON_ISUP_OTHER);
	ss7_teardown(&s);
}
