/* SPDX-License-Identifier: BSD-3-Clause */
/* User messages of SCTP in pieces: time, room, and floods that want both. */
#include "tests/support/chunks.h"

#define FLOW 7
#define SHARE (CHUNKS_SETS / 4)
#define FRAME_SHARE (CHUNKS_FRAMES / 4)

TG_TEST(chunks_sizes, TG_NEEDS_NOTHING)
{
	static const struct tg_chunks_config bad[] = {
		{ 0, 1 }, { 1, 0 }, { 65536, 1 }, { 1, (1u << 20) + 1 }
	};
	static const struct tg_chunks_config most = { 65535, 1u << 20 };
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(bad); i++)
		assert_int_equal(tg_chunks_size(&bad[i]), 0);
	assert_int_equal(tg_chunks_size(&most) % TG_CACHE_LINE, 0);
	assert_in_range(tg_chunks_size(&most), 65535ull * 6144, 65535ull * 6400 + (100u << 20));
}

/* With the least of everything: one message at a time, one frame. */
TG_TEST(chunks_smallest, TG_NEEDS_NOTHING)
{
	struct tg_chunks_result r;
	struct tg_chunks_held h;
	struct fixture f;

	setup_sized(&f, 1, 1);
	(void)add(&f, FLOW, 10, 5, "Bab");
	assert_true(frame(&f, FLOW, NULL));
	r = add(&f, FLOW, 11, 5, "cd");
	assert_part(&r, "abcd");
	assert_false(frame(&f, FLOW, &h)); /* no room for it, so all go */
	assert_held(&h, 1, 1);
	assert_int_equal(h.reason, TG_REASON_SCTP_FULL);
	later(&f, 1);
	r = add(&f, FLOW, 12, 5, "efE");
	assert_whole(&r, "abcdef", 3);
	assert_true(r.part[0].gone && r.part[1].gone && !r.part[2].gone);
	r = add(&f, 8, 10, 5, "Bab");
	assert_pass(&r, TG_REASON_SCTP_FULL); /* the whole one is still to be read */
	later(&f, 1);
	r = add(&f, 8, 10, 5, "Bab");
	assert_part(&r, "ab");
	teardown(&f);
}

/* ---- time -------------------------------------------------------------------------------------- */

TG_TEST(SCTP_4_waiting_ends, TG_NEEDS_NOTHING)
{
	struct tg_chunks_result r;
	struct fixture f;

	setup(&f);
	(void)add(&f, FLOW, 10, 5, "Bab");
	assert_true(frame(&f, FLOW, NULL));
	later(&f, 5);
	assert_true(frame(&f, FLOW, NULL));
	assert_released(&f, 0, 0);
	later(&f, TG_CHUNKS_HOLD_MS - 6);
	assert_released(&f, 0, 0);
	later(&f, 1);
	assert_released(&f, 1, 2); /* the second one with it: what it waited for has gone */
	assert_released(&f, 0, 0);
	assert_true(tg_chunks_idle(f.c));
	/* The message is put together further on, and nothing waits for it again. */
	r = add(&f, FLOW, 11, 5, "cd");
	assert_part(&r, "abcd");
	assert_false(frame(&f, FLOW, NULL));
	r = add(&f, FLOW, 10, 5, "Bab");
	assert_part(&r, "abcd");
	assert_false(frame(&f, FLOW, NULL));
	r = add(&f, FLOW, 12, 5, "efE");
	assert_whole(&r, "abcdef", 3);
	assert_true(r.part[0].gone && r.part[1].gone && !r.part[2].gone);
	assert_false(frame(&f, FLOW, NULL));
	teardown(&f);
}

/* What a later message needs does not go when an earlier one is given up; nobody waits longer for it. */
TG_TEST(SCTP_4_every_frame_waits_its_own_time, TG_NEEDS_NOTHING)
{
	struct tg_chunks_result r;
	struct tg_chunks_held h;
	struct fixture f;

	setup(&f);
	(void)add(&f, FLOW, 10, 5, "Bab");
	assert_true(frame(&f, FLOW, NULL));
	later(&f, 8);
	assert_true(frame(&f, FLOW, NULL));
	(void)add(&f, FLOW, 12, 6, "Bcd");
	assert_true(frame(&f, FLOW, NULL));
	later(&f, TG_CHUNKS_HOLD_MS - 8);
	assert_released(&f, 1, 2);
	assert_true(frame(&f, FLOW, NULL));
	later(&f, 7);
	assert_released(&f, 0, 0);
	r = add(&f, FLOW, 13, 6, "efE");
	assert_whole(&r, "cdef", 2);
	assert_false(r.part[0].gone);
	assert_false(frame(&f, FLOW, &h));
	assert_held(&h, 3, 2);
	teardown(&f);
}

/* Messages that overlap for ever: what is no longer needed leaves, though something behind it waits. */
TG_TEST(SCTP_4_frames_in_front_go_first, TG_NEEDS_NOTHING)
{
	struct fixture f;
	uint32_t i;

	setup(&f);
	(void)add(&f, FLOW, 10, 0, "Bab");
	assert_true(frame(&f, FLOW, NULL));
	for (i = 1; i < 100; i++) {
		struct tg_chunks_result r;

		later(&f, 15);
		assert_released(&f, 0, 0);
		r = add(&f, FLOW, 10 + 2 * i - 1, i - 1, "cdE");
		assert_whole(&r, "abcd", 2);
		assert_false(r.part[0].gone);
		(void)add(&f, FLOW, 10 + 2 * i, i, "Bab");
		assert_true(frame(&f, FLOW, NULL));
		assert_released(&f, i, 1);
	}
	teardown(&f);
}

/* The release in small portions, with a frame of the flow in between. */
TG_TEST(SCTP_4_release_in_portions, TG_NEEDS_NOTHING)
{
	struct tg_chunks_held h;
	struct fixture f;
	void *out[2];
	unsigned i;

	setup(&f);
	(void)add(&f, FLOW, 10, 5, "Bab");
	for (i = 0; i < 6; i++)
		assert_true(frame(&f, FLOW, NULL));
	later(&f, TG_CHUNKS_HOLD_MS);
	assert_int_equal(tg_chunks_release(f.c, f.now, out, 2), 2);
	assert_int_equal((uintptr_t)out[0], 1);
	assert_int_equal((uintptr_t)out[1], 2);
	assert_int_equal(tg_chunks_release(f.c, f.now, out, 1), 1);
	assert_int_equal((uintptr_t)out[0], 3);
	assert_false(frame(&f, FLOW, &h));
	assert_held(&h, 4, 3);
	assert_int_equal(tg_chunks_release(f.c, f.now, out, 2), 0);
	teardown(&f);
}

TG_TEST(chunks_give_up_everything, TG_NEEDS_NOTHING)
{
	struct fixture f;
	void *out[8];
	uint64_t flow;

	setup(&f);
	for (flow = 1; flow <= 4; flow++) {
		(void)add(&f, flow, 10, 5, "Bab");
		assert_true(frame(&f, flow, NULL));
	}
	assert_int_equal(tg_chunks_release(f.c, UINT64_MAX, out, 8), 4);
	assert_true(tg_chunks_idle(f.c));
	teardown(&f);
}

/* ---- length ------------------------------------------------------------------------------------ */

TG_TEST(SCTP_4_longest_message, TG_NEEDS_NOTHING)
{
	static const struct {
		unsigned n; /* pieces */
		unsigned len;
		unsigned last;
		bool whole;
	} cases[] = {
		{ TG_CHUNKS_PIECES, 72, 72, true },
		{ TG_CHUNKS_PIECES, 72, 73, false },
		{ TG_CHUNKS_PIECES + 1, 1, 1, false },
		{ 2, TG_CHUNKS_MESSAGE_MAX - 1, 1, true },
		{ 2, TG_CHUNKS_MESSAGE_MAX, 1, false },
		{ 2, 1, UINT16_MAX, false },
		{ 2, UINT16_MAX, 1, false },
	};
	static uint8_t bytes[UINT16_MAX];
	unsigned i, k, kind, backwards;

	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		for (kind = 0; kind < 6; kind++) {
			struct tg_chunks_result r = { 0 };
			struct fixture f;

			backwards = kind >= 3;
			setup(&f);
			for (k = 0; k < cases[i].n; k++) {
				const unsigned at = backwards ? cases[i].n - 1 - k : k;
				struct tg_chunks_piece p = {
					.flow = FLOW,
					.tsn = 1000 + at,
					.fsn = at,
					.message = 5,
					.begin = at == 0,
					.end = at == cases[i].n - 1,
					.unordered = kind % 3 == 1,
					.interleaved = kind % 3 == 2,
				};

				p.bytes.data = bytes;
				p.bytes.len = p.end ? cases[i].last : cases[i].len;
				r = add_piece(&f, &p);
			}
			if (cases[i].whole) {
				assert_int_equal(r.outcome, TG_CHUNKS_WHOLE);
				assert_int_equal(r.n_parts, cases[i].n);
				assert_int_equal(r.bytes.len,
						 (cases[i].n - 1) * cases[i].len + cases[i].last);
				assert_false(frame(&f, FLOW, NULL));
			} else {
				assert_pass(&r, TG_REASON_SCTP_FULL);
				assert_false(frame(&f, FLOW, NULL));
			}
			teardown(&f);
		}
	}
}

/* Two runs that each fit, and are too much together. */
TG_TEST(SCTP_4_joined_runs_too_long, TG_NEEDS_NOTHING)
{
	static uint8_t bytes[TG_CHUNKS_MESSAGE_MAX];
	struct tg_chunks_piece p = { .flow = FLOW, .unordered = true, .begin = true };
	struct tg_chunks_result r;
	struct fixture f;

	setup(&f);
	p.bytes = (struct tg_span){ bytes, TG_CHUNKS_MESSAGE_MAX / 2 };
	p.tsn = 10;
	r = add_piece(&f, &p);
	assert_int_equal(r.outcome, TG_CHUNKS_PART);
	p.tsn = 12;
	p.begin = false;
	p.end = true;
	r = add_piece(&f, &p);
	assert_int_equal(r.outcome, TG_CHUNKS_PART);
	p.tsn = 11;
	p.end = false;
	p.bytes.len = 1;
	r = add_piece(&f, &p);
	assert_pass(&r, TG_REASON_SCTP_FULL);
	assert_false(frame(&f, FLOW, NULL));
	teardown(&f);
}

/* Nothing is read beyond a piece, whichever its length. */
TG_TEST(SCTP_4_pieces_at_a_guard_page, TG_NEEDS_NOTHING)
{
	static const uint8_t bytes[] = "the quick brown fox jumps over the lazy dog";
	struct tg_guard g;
	unsigned len;

	for (len = 1; len < sizeof(bytes); len++) {
		struct tg_chunks_piece p = { .flow = FLOW, .tsn = 10, .begin = true };
		struct tg_chunks_result r;
		struct fixture f;
		unsigned k;

		setup(&f);
		g = tg_guard_copy(bytes, len);
		p.bytes = (struct tg_span){ g.data, len };
		r = add_piece(&f, &p);
		r = add_piece(&f, &p);
		assert_int_equal(r.outcome, TG_CHUNKS_PART);
		p.tsn = 11;
		p.begin = false;
		p.end = true;
		r = add_piece(&f, &p);
		assert_int_equal(r.outcome, TG_CHUNKS_WHOLE);
		for (k = 0; k < 2 * len; k++)
			assert_int_equal(r.bytes.data[k], bytes[k % len]);
		tg_guard_free(&g);
		teardown(&f);
	}
}

/* ---- room -------------------------------------------------------------------------------------- */

/* Begun messages of one association: its own oldest goes, others' stay. */
TG_TEST(OP_9_messages_of_one_flow, TG_NEEDS_NOTHING)
{
	struct tg_chunks_result r;
	struct fixture f;
	uint32_t i;

	setup_sized(&f, CHUNKS_SETS, 1024); /* frames for all of it */
	(void)add(&f, 8, 10, 5, "Bab");
	assert_true(frame(&f, 8, NULL));
	for (i = 0; i < 100; i++) {
		later(&f, 0);
		r = add(&f, FLOW, 1000 * i, i, "Bab");
		assert_part(&r, "ab");
		assert_true(frame(&f, FLOW, NULL));
	}
	/* Those that had to make room are no longer waited for. */
	assert_released(&f, 2, 100 - SHARE);
	r = add(&f, FLOW, 1000 * (100 - SHARE) + 1, 100 - SHARE, "cdE");
	assert_whole(&r, "abcd", 2);
	r = add(&f, FLOW, 1000 * (99 - SHARE) + 1, 99 - SHARE, "cdE");
	assert_part(&r, NULL);
	r = add(&f, 8, 11, 5, "cdE");
	assert_whole(&r, "abcd", 2);
	teardown(&f);
}

/* Begun messages of forged associations: the oldest goes, so a message sent back to back gets through. */
TG_TEST(OP_9_flood_leaves_room_for_messages, TG_NEEDS_NOTHING)
{
	struct tg_chunks_result r;
	struct tg_chunks_held h;
	struct fixture f;
	unsigned i;

	setup_sized(&f, CHUNKS_SETS, 4096);
	for (i = 0; i < 500; i++) {
		later(&f, 0);
		r = add(&f, 1000 + i, 10, 5, "Bab");
		assert_part(&r, "ab");
		assert_true(frame(&f, 1000 + i, NULL));
		if (i % 50 != 0)
			continue;
		(void)add(&f, FLOW, 10 + i, i, "Bab");
		assert_true(frame(&f, FLOW, NULL));
		r = add(&f, 2000 + i, 10, 5, "Bab");
		r = add(&f, FLOW, 11 + i, i, "cdE");
		assert_whole(&r, "abcd", 2);
		assert_false(frame(&f, FLOW, &h));
		assert_int_equal(h.n, 1);
	}
	teardown(&f);
}

/* What is only remembered gives way before what is under way, and does not count as a flow's. */
TG_TEST(OP_9_memories_give_way, TG_NEEDS_NOTHING)
{
	struct tg_chunks_result r;
	struct fixture f;
	uint32_t i;

	setup(&f);
	(void)add(&f, 8, 10, 5, "Bab"); /* older than all */
	for (i = 0; i < 100; i++) {
		later(&f, 0);
		(void)add(&f, FLOW, 10 + 2 * i, i, "Bab");
		r = add(&f, FLOW, 11 + 2 * i, i, "cdE");
		assert_whole(&r, "abcd", 2);
	}
	for (i = 100 - CHUNKS_SETS + 1; i < 100; i++) {
		r = add(&f, FLOW, 11 + 2 * i, i, "cdE");
		assert_pass(&r, TG_REASON_SCTP_PART);
	}
	r = add(&f, 8, 11, 5, "cdE");
	assert_whole(&r, "abcd", 2);
	teardown(&f);
}

/* What nobody waits for gives way before what frames wait for. */
TG_TEST(OP_9_abandoned_messages_give_way, TG_NEEDS_NOTHING)
{
	struct tg_chunks_result r;
	struct fixture f;
	unsigned i;

	setup(&f);
	(void)add(&f, FLOW, 10, 5, "Bab");
	assert_true(frame(&f, FLOW, NULL));
	for (i = 0; i < 100; i++) { /* no beginnings */
		later(&f, 0);
		r = add(&f, 1000 + i, 10, 5, "ab");
		assert_part(&r, NULL);
		assert_false(frame(&f, 1000 + i, NULL));
	}
	r = add(&f, FLOW, 11, 5, "cdE");
	assert_whole(&r, "abcd", 2);
	teardown(&f);
}

/* Frames behind a message that never ends: a flow may have its share of those that wait, then all of its go. */
TG_TEST(OP_9_frames_of_one_flow, TG_NEEDS_NOTHING)
{
	struct tg_chunks_result r;
	struct tg_chunks_held h;
	struct fixture f;
	unsigned i;

	setup(&f);
	(void)add(&f, 8, 10, 5, "Bab");
	assert_true(frame(&f, 8, NULL));
	(void)add(&f, FLOW, 10, 5, "Bab");
	for (i = 0; i < FRAME_SHARE; i++)
		assert_true(frame(&f, FLOW, NULL));
	assert_false(frame(&f, FLOW, &h));
	assert_held(&h, 2, FRAME_SHARE);
	assert_int_equal(h.reason, TG_REASON_SCTP_FULL);
	assert_false(frame(&f, FLOW, NULL)); /* nothing is waited for now */
	r = add(&f, 8, 11, 5, "cdE");
	assert_whole(&r, "abcd", 2);
	assert_false(r.part[0].gone);
	assert_false(frame(&f, 8, &h));
	assert_held(&h, 1, 1);
	assert_int_equal(h.reason, TG_REASON_NONE);
	teardown(&f);
}

/* Four flows have all of it: the next one goes on at once, and who waited longest makes room. */
TG_TEST(OP_9_frames_of_all, TG_NEEDS_NOTHING)
{
	struct tg_chunks_result r;
	struct tg_chunks_held h;
	struct fixture f;
	uint64_t flow;
	unsigned i;

	setup(&f);
	for (flow = 1; flow <= 4; flow++) {
		(void)add(&f, flow, 10, 5, "Bab");
		for (i = 0; i < FRAME_SHARE; i++)
			assert_true(frame(&f, flow, NULL));
	}
	for (i = 0; i < 3; i++) { /* one flow is let go for it, not three */
		(void)add(&f, FLOW, 10 + 2 * i, i, "Bab");
		assert_false(frame(&f, FLOW, &h));
		assert_int_equal(h.n, 0);
		assert_int_equal(h.reason, TG_REASON_SCTP_FULL);
		assert_true(tg_chunks_release(f.c, f.now, NULL, 0) == 0);
	}
	assert_released(&f, 1, FRAME_SHARE);
	(void)add(&f, FLOW, 20, 9, "Bab");
	assert_true(frame(&f, FLOW, NULL));
	r = add(&f, FLOW, 21, 9, "cdE");
	assert_whole(&r, "abcd", 2);
	assert_false(r.part[0].gone);
	teardown(&f);
}

/* Whatever comes in a burst: what results point to stays until the next one, and a flow's share is its share. */
TG_TEST(OP_9_results_stay_valid_for_a_burst, TG_NEEDS_NOTHING)
{
	struct tg_chunks_result whole, r;
	struct tg_chunks_held h, none;
	struct fixture f;
	uint32_t i;

	setup(&f);
	(void)add(&f, FLOW, 10, 5, "Bab");
	assert_true(frame(&f, FLOW, NULL));
	later(&f, 1);
	whole = add(&f, FLOW, 11, 5, "cdE");
	assert_false(frame(&f, FLOW, &h));
	for (i = 0; i < 100; i++) {
		r = add(&f, FLOW, 1000 * i, 100 + i, "Bxy");
		if (i < SHARE)
			assert_part(&r, "xy");
		else
			assert_pass(&r, TG_REASON_SCTP_FULL);
	}
	for (i = 0; i < 100; i++) {
		r = add(&f, 1000 + i, 10, 5, "Bxy");
		if (i < CHUNKS_SETS - SHARE - 1)
			assert_part(&r, "xy");
		else
			assert_pass(&r, TG_REASON_SCTP_FULL);
		assert_int_equal(
			tg_chunks_frame(f.c, 1000 + i, (void *)(uintptr_t)(100 + i), &none),
			i < CHUNKS_SETS - SHARE - 1);
	}
	assert_whole(&whole, "abcd", 2);
	assert_held(&h, 1, 1);
	later(&f, 0);
	r = add(&f, 5000, 10, 5, "Bxy");
	assert_part(&r, "xy");
	teardown(&f);
}

/* More frames between two tg_chunks_begin than a burst has: what came out stays valid, so at last none waits. */
TG_TEST(OP_9_burst_without_end, TG_NEEDS_NOTHING)
{
	const unsigned frames = 16; /* a flow's share is 4 */
	struct tg_chunks_held held[100];
	uintptr_t next = 0;
	struct fixture f;
	unsigned i, k;

	setup_sized(&f, 1024, frames);
	for (i = 0; i < TG_ARRAY_LEN(held); i++) {
		const bool room = next + 1 <= frames + TG_BURST;
		struct tg_chunks_result r = add(&f, FLOW, 2 * i, i, "Bab");

		assert_part(&r, "ab");
		assert_int_equal(tg_chunks_frame(f.c, FLOW, (void *)(next + 1), &held[i]), room);
		assert_int_equal(held[i].reason, room ? TG_REASON_NONE : TG_REASON_SCTP_FULL);
		r = add(&f, FLOW, 2 * i + 1, i, "cdE");
		assert_whole(&r, "abcd", 2);
		assert_int_equal(r.part[0].gone, !room);
		assert_false(tg_chunks_frame(f.c, FLOW, NULL, &held[i]));
		assert_int_equal(held[i].n, room);
		next += room;
	}
	assert_int_equal(next, frames + TG_BURST);
	for (i = 0, next = 0; i < TG_ARRAY_LEN(held); i++)
		for (k = 0; k < held[i].n; k++)
			assert_int_equal((uintptr_t)held[i].handle[k], ++next);
	later(&f, 0);
	(void)add(&f, FLOW, 2 * i, i, "Bab");
	assert_true(frame(&f, FLOW, NULL));
	teardown(&f);
}
