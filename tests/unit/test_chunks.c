/* SPDX-License-Identifier: BSD-3-Clause */
/* User messages of SCTP in pieces: put together whatever the order, while their frames wait. */
#include "tests/support/chunks.h"

#define FLOW 7

TG_TEST(SCTP_4_pieces_make_a_message, TG_NEEDS_NOTHING)
{
	struct tg_chunks_result r;
	struct tg_chunks_held h;
	struct fixture f;

	setup(&f);
	r = add(&f, FLOW, 10, 5, "Babc");
	assert_part(&r, "abc");
	assert_int_equal(r.ppid, 3);
	assert_true(frame(&f, FLOW, NULL));
	later(&f, 1);
	r = add(&f, FLOW, 11, 5, "de");
	assert_part(&r, "abcde");
	assert_true(frame(&f, FLOW, NULL));
	assert_false(tg_chunks_idle(f.c));
	r = add(&f, FLOW, 12, 5, "fghE");
	assert_whole(&r, "abcdefgh", 3);
	assert_int_equal(r.ppid, 3);
	assert_int_equal(r.part[0].tsn, 10);
	assert_int_equal(r.part[2].tsn, 12);
	assert_false(r.part[0].gone || r.part[1].gone || r.part[2].gone);
	assert_false(frame(&f, FLOW, &h));
	assert_held(&h, 1, 2);
	assert_true(tg_chunks_idle(f.c));
	teardown(&f);
}

/* Every order of four pieces, each in a frame of its own; what went before the beginning did is gone. */
TG_TEST(SCTP_4_any_order, TG_NEEDS_NOTHING)
{
	static const char *const piece[] = { "Bab", "cdef", "g", "hijE" };
	static const char *const whole = "abcdefghij";
	unsigned perm, kind;

	for (perm = 0; perm < 256; perm++) {
		const unsigned order[] = { perm & 3, perm >> 2 & 3, perm >> 4 & 3, perm >> 6 };
		unsigned k, seen = 0;

		for (k = 0; k < 4; k++)
			seen |= 1u << order[k];
		if (seen != 15)
			continue;
		for (kind = 0; kind < 3; kind++) {
			struct tg_chunks_result r = { 0 };
			struct tg_chunks_held h;
			bool begun = false;
			unsigned n = 0;
			struct fixture f;

			setup(&f);
			for (k = 0; k < 4; k++) {
				const unsigned i = order[k];
				const uint32_t tsn = UINT32_MAX - 1 + i; /* wraps */

				r = kind == 0	? add(&f, FLOW, tsn, 5, piece[i])
				    : kind == 1 ? add_unordered(&f, FLOW, tsn, piece[i])
						: add_mid(&f, tsn, 5, i, piece[i]);
				begun |= i == 0;
				if (k == 3)
					break;
				assert_int_equal(r.outcome, TG_CHUNKS_PART);
				/* Unordered, what touches nothing is a message of its own. */
				if (kind != 1 || i == 0)
					assert_int_equal(r.bytes.data != NULL, begun);
				assert_int_equal(frame(&f, FLOW, NULL), begun);
				n += begun;
				later(&f, 1);
			}
			assert_whole(&r, whole, 4);
			for (k = 0; k < 4; k++)
				assert_int_equal(r.part[order[k]].gone, k < 3 - n);
			assert_false(frame(&f, FLOW, &h));
			assert_held(&h, 4 - n, n);
			teardown(&f);
		}
	}
}

/* Messages of several streams between each other, as a sender that interleaves them sends (RFC 8260). */
TG_TEST(SCTP_4_interleaved_messages, TG_NEEDS_NOTHING)
{
	struct tg_chunks_result r;
	struct tg_chunks_held h;
	struct fixture f;

	setup(&f);
	r = add_mid(&f, 10, 1, 0, "Bone");
	assert_part(&r, "one");
	assert_true(frame(&f, FLOW, NULL));
	r = add_mid(&f, 11, 2, 0, "Btwo");
	assert_part(&r, "two");
	assert_true(frame(&f, FLOW, NULL));
	r = add_mid(&f, 12, 1, 1, "1E");
	assert_whole(&r, "one1", 2);
	assert_true(frame(&f, FLOW, NULL)); /* the second is still waited for */
	r = add_mid(&f, 13, 2, 1, "2E");
	assert_whole(&r, "two2", 2);
	assert_false(r.part[0].gone);
	assert_false(frame(&f, FLOW, &h));
	assert_held(&h, 1, 3);
	teardown(&f);
}

/* RFC 8260 §2.1: the same MID, ordered and unordered, or on another stream, is another message. */
TG_TEST(SCTP_4_same_mid_other_space, TG_NEEDS_NOTHING)
{
	struct tg_chunks_piece p = { .flow = FLOW,
				     .tsn = 20,
				     .message = 1,
				     .fsn = 1,
				     .stream = 1,
				     .unordered = true,
				     .interleaved = true };
	struct tg_chunks_result r;
	struct fixture f;

	setup(&f);
	r = add_mid(&f, 10, 1, 0, "Bone");
	set_bytes(&p, "twoE");
	r = add_piece(&f, &p);
	assert_part(&r, NULL);
	p.unordered = false;
	p.stream = 2;
	r = add_piece(&f, &p);
	assert_part(&r, NULL);
	p.stream = 1;
	r = add_piece(&f, &p);
	assert_whole(&r, "onetwo", 2);
	teardown(&f);
}

/* Several pieces in one frame, with the end of one message and the beginning of the next. */
TG_TEST(SCTP_1_pieces_of_two_messages_in_a_frame, TG_NEEDS_NOTHING)
{
	struct tg_chunks_result r;
	struct tg_chunks_held h;
	struct fixture f;

	setup(&f);
	(void)add(&f, FLOW, 10, 5, "Bab");
	assert_true(frame(&f, FLOW, NULL));
	r = add(&f, FLOW, 11, 5, "cdE");
	assert_whole(&r, "abcd", 2);
	r = add(&f, FLOW, 12, 6, "Bef");
	assert_part(&r, "ef");
	assert_true(frame(&f, FLOW, NULL)); /* with both */
	r = add(&f, FLOW, 13, 6, "ghE");
	assert_whole(&r, "efgh", 2);
	assert_false(frame(&f, FLOW, &h));
	assert_held(&h, 1, 2);
	/* All of it in one frame: nothing has to wait. */
	(void)add(&f, FLOW, 14, 7, "Bij");
	r = add(&f, FLOW, 15, 7, "klE");
	assert_whole(&r, "ijkl", 2);
	assert_false(r.part[0].gone || r.part[1].gone);
	assert_false(frame(&f, FLOW, NULL));
	teardown(&f);
}

/* A flow's frames keep their order; those of others do not wait. */
TG_TEST(SCTP_1_what_comes_behind_waits_as_well, TG_NEEDS_NOTHING)
{
	struct tg_chunks_result r;
	struct tg_chunks_held h;
	struct fixture f;

	setup(&f);
	(void)add(&f, FLOW, 10, 5, "Bab");
	assert_true(frame(&f, FLOW, NULL));
	assert_true(frame(&f, FLOW, NULL)); /* no pieces */
	assert_false(frame(&f, 8, NULL));
	(void)add(&f, 8, 10, 5, "Bxy"); /* the same name in another flow is another message */
	assert_true(frame(&f, 8, NULL));
	later(&f, 1);
	r = add(&f, FLOW, 11, 5, "cdE");
	assert_whole(&r, "abcd", 2);
	assert_false(frame(&f, FLOW, &h));
	assert_held(&h, 1, 2);
	r = add(&f, 8, 11, 5, "zE");
	assert_whole(&r, "xyz", 2);
	assert_false(frame(&f, 8, &h));
	assert_held(&h, 4, 1);
	assert_true(tg_chunks_idle(f.c));
	teardown(&f);
}

/* The key 0 is as good as any. */
TG_TEST(chunks_flow_zero, TG_NEEDS_NOTHING)
{
	struct tg_chunks_result r;
	struct tg_chunks_held h;
	struct fixture f;

	setup(&f);
	(void)add(&f, 0, 10, 5, "Bab");
	assert_true(frame(&f, 0, NULL));
	r = add(&f, 0, 11, 5, "cdE");
	assert_whole(&r, "abcd", 2);
	assert_false(frame(&f, 0, &h));
	assert_held(&h, 1, 1);
	teardown(&f);
}

/* What is no call does not wait, and neither does what is still to come of it. */
TG_TEST(SCTP_4_let_go, TG_NEEDS_NOTHING)
{
	struct tg_chunks_result r;
	struct tg_chunks_held h;
	struct fixture f;

	setup(&f);
	r = add(&f, FLOW, 10, 5, "Bab");
	tg_chunks_let_go(f.c, r.set);
	assert_false(frame(&f, FLOW, NULL));
	r = add(&f, FLOW, 12, 5, "xyE");
	assert_pass(&r, TG_REASON_SCTP_PART);
	r = add(&f, FLOW, 11, 5, "mn");
	assert_pass(&r, TG_REASON_SCTP_PART);
	assert_false(frame(&f, FLOW, NULL));
	/* Let go after its frame had to wait: frames go with the next one, or are released. */
	r = add(&f, FLOW, 13, 6, "Bab");
	assert_true(frame(&f, FLOW, NULL));
	tg_chunks_let_go(f.c, r.set);
	assert_false(frame(&f, FLOW, &h));
	assert_held(&h, 3, 1);
	r = add_unordered(&f, FLOW, 14, "Bab");
	assert_true(frame(&f, FLOW, NULL));
	tg_chunks_let_go(f.c, r.set);
	assert_released(&f, 5, 1);
	r = add_unordered(&f, FLOW, 15, "c");
	assert_pass(&r, TG_REASON_SCTP_PART);
	r = add_unordered(&f, FLOW, 16, "dE");
	assert_pass(&r, TG_REASON_SCTP_PART);
	/* The next unordered message is not taken for more of it. */
	r = add_unordered(&f, FLOW, 17, "Bef");
	assert_part(&r, "ef");
	teardown(&f);
}

/* ---- repetitions ------------------------------------------------------------------------------- */

TG_TEST(SCTP_5_repeated_piece, TG_NEEDS_NOTHING)
{
	struct tg_chunks_result r;
	struct tg_chunks_held h;
	struct fixture f;

	setup(&f);
	(void)add(&f, FLOW, 10, 5, "Bab");
	assert_true(frame(&f, FLOW, NULL));
	later(&f, 1);
	r = add(&f, FLOW, 10, 5, "Bab");
	assert_part(&r, "ab");
	assert_true(frame(&f, FLOW, NULL));
	r = add(&f, FLOW, 11, 5, "cdE");
	assert_whole(&r, "abcd", 2);
	assert_false(frame(&f, FLOW, &h));
	assert_held(&h, 1, 2);
	/* Whole before: not again, and nothing waits. */
	r = add(&f, FLOW, 10, 5, "Bab");
	assert_pass(&r, TG_REASON_SCTP_PART);
	assert_false(frame(&f, FLOW, NULL));
	r = add(&f, FLOW, 11, 5, "cdE");
	assert_pass(&r, TG_REASON_SCTP_PART);
	/* As long as it is remembered. */
	later(&f, TG_CHUNKS_LIFE_MS);
	r = add(&f, FLOW, 11, 5, "cdE");
	assert_part(&r, NULL);
	teardown(&f);
}

/* A piece that was lost before us, and is sent again, completes its message. */
TG_TEST(SCTP_5_lost_piece_comes_late, TG_NEEDS_NOTHING)
{
	struct tg_chunks_result r;
	struct fixture f;

	setup(&f);
	(void)add(&f, FLOW, 10, 5, "Bab");
	assert_true(frame(&f, FLOW, NULL));
	(void)add(&f, FLOW, 12, 5, "efE");
	assert_true(frame(&f, FLOW, NULL));
	later(&f, TG_CHUNKS_HOLD_MS);
	assert_released(&f, 1, 2);
	later(&f, TG_CHUNKS_LIFE_MS - TG_CHUNKS_HOLD_MS - 1);
	r = add(&f, FLOW, 11, 5, "cd");
	assert_whole(&r, "abcdef", 3);
	assert_true(r.part[0].gone && !r.part[1].gone && r.part[2].gone);
	assert_false(frame(&f, FLOW, NULL));
	teardown(&f);
}

TG_TEST(SCTP_5_tsn_and_mid_wrap, TG_NEEDS_NOTHING)
{
	struct tg_chunks_result r;
	struct fixture f;
	uint32_t i;

	setup(&f);
	for (i = 0; i < 4; i++) {
		const uint32_t tsn = UINT32_MAX - i;

		(void)add(&f, FLOW + i, tsn + 2, 5, "efE");
		(void)add(&f, FLOW + i, tsn, 5, "Bab");
		r = add(&f, FLOW + i, tsn + 1, 5, "cd");
		assert_whole(&r, "abcdef", 3);
		assert_int_equal(r.part[0].tsn, tsn);
		(void)add_unordered(&f, FLOW + i, tsn + 5, "efE");
		(void)add_unordered(&f, FLOW + i, tsn + 3, "Bab");
		r = add_unordered(&f, FLOW + i, tsn + 4, "cd");
		assert_whole(&r, "abcdef", 3);
	}
	(void)add_mid(&f, UINT32_MAX, UINT32_MAX, 0, "Bab");
	r = add_mid(&f, 0, UINT32_MAX, 1, "cdE");
	assert_whole(&r, "abcd", 2);
	(void)add_mid(&f, 1, 0, 0, "Bab");
	r = add_mid(&f, 2, 0, 1, "cdE");
	assert_whole(&r, "abcd", 2);
	teardown(&f);
}

/* The same stream sequence number, 65,536 messages later: not the message whose end never came. */
TG_TEST(SCTP_5_ssn_wraps, TG_NEEDS_NOTHING)
{
	struct tg_chunks_result r;
	struct fixture f;

	setup(&f);
	(void)add(&f, FLOW, 10, 5, "Bab");
	(void)add(&f, FLOW, 11, 5, "cd");
	r = add(&f, FLOW, 10 + 65536, 5, "Bef");
	assert_part(&r, "ef");
	r = add(&f, FLOW, 11 + 65536, 5, "ghE");
	assert_whole(&r, "efgh", 2);
	r = add(&f, FLOW, 12, 5, "ghE");
	assert_whole(&r, "abcdgh", 3);
	teardown(&f);
}

/* A restart brings new verification tags (RFC 9260 §5.2.4.1), so another flow, and knows nothing of the old. */
TG_TEST(SCTP_5_association_restart, TG_NEEDS_NOTHING)
{
	struct tg_chunks_result r;
	struct tg_chunks_held h;
	struct fixture f;

	setup(&f);
	(void)add(&f, FLOW, 10, 5, "Bab");
	assert_true(frame(&f, FLOW, NULL));
	r = add(&f, FLOW + 1, 10, 5, "Bxy");
	assert_part(&r, "xy");
	assert_true(frame(&f, FLOW + 1, NULL));
	r = add(&f, FLOW + 1, 11, 5, "zzE");
	assert_whole(&r, "xyzz", 2);
	assert_false(frame(&f, FLOW + 1, &h));
	assert_held(&h, 2, 1);
	later(&f, TG_CHUNKS_HOLD_MS);
	assert_released(&f, 1, 1);
	teardown(&f);
}

/* ---- pieces that contradict each other --------------------------------------------------------- */

/* A message of TSNs 10 (begins), 12, 14 (ends), in order; then what cannot be. */
TG_TEST(SCTP_4_contradictions, TG_NEEDS_NOTHING)
{
	static const struct {
		const char *text;
		uint32_t tsn;
		uint16_t stream;
		bool unordered;
	} bad[] = {
		{ "Bax", 10, 1, false },			   /* other bytes */
		{ "Babc", 10, 1, false },			   /* another length */
		{ "ab", 10, 1, false },				   /* the first does not begin */
		{ "Bcd", 12, 1, false },			   /* one in between begins */
		{ "cdE", 12, 1, false },			   /* or ends */
		{ "ef", 14, 1, false },				   /* the last does not end */
		{ "Bxx", 9, 1, false },				   /* two beginnings */
		{ "Bxx", 11, 1, false },  { "xxE", 13, 1, false }, /* two ends */
		{ "xxE", 15, 1, false },  { "xx", 9, 1, false },   /* before the beginning */
		{ "xx", 15, 1, false },				   /* behind the end */
		{ "cd", 12, 2, false }, /* the same TSN on another stream */
		{ "cd", 12, 1, true },	/* or without order */
	};
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(bad); i++) {
		struct tg_chunks_piece p = { .flow = FLOW,
					     .tsn = bad[i].tsn,
					     .message = 5,
					     .stream = bad[i].stream,
					     .ppid = 3,
					     .unordered = bad[i].unordered };
		struct tg_chunks_result r;
		struct tg_chunks_held h;
		struct fixture f;

		setup(&f);
		(void)add(&f, FLOW, 10, 5, "Bab");
		(void)add(&f, FLOW, 12, 5, "cd");
		(void)add(&f, FLOW, 14, 5, "efE");
		assert_true(frame(&f, FLOW, NULL));
		set_bytes(&p, bad[i].text);
		r = add_piece(&f, &p);
		assert_pass(&r, TG_REASON_SCTP_UNASSEMBLED);
		assert_false(frame(&f, FLOW, &h));
		assert_held(&h, 1, 1);
		/* It stays given up, also when it would be complete. */
		r = add(&f, FLOW, 11, 5, "x");
		assert_pass(&r, TG_REASON_SCTP_UNASSEMBLED);
		r = add(&f, FLOW, 13, 5, "x");
		assert_pass(&r, TG_REASON_SCTP_UNASSEMBLED);
		assert_false(frame(&f, FLOW, NULL));
		teardown(&f);
	}
}

TG_TEST(SCTP_4_contradictions_of_i_data, TG_NEEDS_NOTHING)
{
	static const struct {
		const char *text;
		uint32_t tsn;
		uint32_t fsn;
	} bad[] = {
		{ "cx", 12, 1 },  /* other bytes */
		{ "cd", 13, 1 },  /* the same piece under another TSN */
		{ "cd", 12, 2 },  /* and the other way round */
		{ "Bxx", 11, 2 }, /* begins, and is not the first */
		{ "xx", 11, 0 },  /* the first, and does not begin */
		{ "xxE", 15, 4 }, { "xx", 15, 4 },
	};
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(bad); i++) {
		struct tg_chunks_result r;
		struct fixture f;

		setup(&f);
		(void)add_mid(&f, 10, 5, 0, "Bab");
		(void)add_mid(&f, 12, 5, 1, "cd");
		(void)add_mid(&f, 14, 5, 3, "efE");
		r = add_mid(&f, bad[i].tsn, 5, bad[i].fsn, bad[i].text);
		assert_pass(&r, TG_REASON_SCTP_UNASSEMBLED);
		r = add_mid(&f, 13, 5, 2, "xx");
		assert_pass(&r, TG_REASON_SCTP_UNASSEMBLED);
		teardown(&f);
	}
}

/* The payload protocol decides what the message is read as. */
TG_TEST(SCTP_8_two_ppids, TG_NEEDS_NOTHING)
{
	struct tg_chunks_piece p = { .flow = FLOW, .tsn = 10, .message = 5, .stream = 1 };
	struct tg_chunks_result r;
	struct fixture f;

	setup(&f);
	(void)add(&f, FLOW, 10, 5, "Bab");
	set_bytes(&p, "Bab");
	p.ppid = 4;
	r = add_piece(&f, &p);
	assert_pass(&r, TG_REASON_SCTP_UNASSEMBLED);
	teardown(&f);
}

/* A message that was whole is not judged again, whatever is sent under its TSNs; that it is tried is counted. */
TG_TEST(SCTP_5_other_bytes_afterwards, TG_NEEDS_NOTHING)
{
	struct tg_chunks_result r;
	struct fixture f;

	setup(&f);
	(void)add(&f, FLOW, 10, 5, "Bab");
	(void)add(&f, FLOW, 11, 5, "cdE");
	r = add(&f, FLOW, 11, 5, "cxE");
	assert_pass(&r, TG_REASON_SCTP_UNASSEMBLED);
	r = add(&f, FLOW, 11, 5, "cdE");
	assert_pass(&r, TG_REASON_SCTP_PART);
	teardown(&f);
}

/* Unordered messages are told apart by TSNs alone: what does not touch is never guessed to belong together. */
TG_TEST(SCTP_4_unordered_messages_with_holes, TG_NEEDS_NOTHING)
{
	struct tg_chunks_result r;
	struct fixture f;

	setup(&f);
	r = add_unordered(&f, FLOW, 10, "Bab"); /* 11 is missing, which ends it */
	assert_part(&r, "ab");
	r = add_unordered(&f, FLOW, 13, "mn"); /* of the next message, whose beginning is missing */
	assert_part(&r, NULL);
	r = add_unordered(&f, FLOW, 12, "Bkl");
	assert_part(&r, "klmn");
	r = add_unordered(&f, FLOW, 14, "oE");
	assert_whole(&r, "klmno", 3);
	r = add_unordered(&f, FLOW, 11, "cdE");
	assert_whole(&r, "abcd", 2);
	/* Three runs, joined by two pieces. */
	(void)add_unordered(&f, FLOW, 20, "Ba");
	(void)add_unordered(&f, FLOW, 24, "eE");
	(void)add_unordered(&f, FLOW, 22, "c");
	r = add_unordered(&f, FLOW, 23, "d");
	assert_part(&r, NULL);
	r = add_unordered(&f, FLOW, 21, "b");
	assert_whole(&r, "abcde", 5);
	teardown(&f);
}

/* Impossible pieces change nothing. */
TG_TEST(SCTP_2_empty_piece, TG_NEEDS_NOTHING)
{
	struct tg_chunks_result r;
	struct fixture f;

	setup(&f);
	r = add(&f, FLOW, 10, 5, "B");
	assert_pass(&r, TG_REASON_SCTP_UNASSEMBLED);
	r = add(&f, FLOW, 10, 5, "BabE");
	assert_pass(&r, TG_REASON_SCTP_UNASSEMBLED);
	assert_false(frame(&f, FLOW, NULL));
	(void)add(&f, FLOW, 10, 5, "Bab");
	r = add(&f, FLOW, 11, 5, "cdE");
	assert_whole(&r, "abcd", 2);
	teardown(&f);
}
