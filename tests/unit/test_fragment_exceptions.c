/* SPDX-License-Identifier: BSD-3-Clause */
/* Datagrams that cannot be put together, on a trunk that drops them: all their frames, or none. */
#include "tests/support/pieces.h"

static void set_drop(struct fixture *f, enum tg_exception e)
{
	f->g.trunk[0].drops = 1u << e;
	f->g.gen.policy.has_drops = true;
}

static unsigned release(struct fixture *f, struct tg_released *out)
{
	return tg_pipeline_release(f->pl, f->now, out, TG_BURST);
}

/* Two fragments that disagree: the frames that waited, this one, and whatever follows. */
static void overlap(struct fixture *f, uint32_t id, struct tg_result out[2])
{
	const struct tg_cut bad = { 8, 1480, true, id };

	load_call(f, &families[0], TG_TEST_CLEAN, id);
	assert_int_equal(judge_part(f, 0, 1480, id).fate, TG_FATE_HOLD);
	out[0] = judge(f, &bad);
	out[1] = judge_part(f, 2960, 1480, id);
}

TG_TEST(L3_3_overlaps_are_dropped_where_policy_says, TG_NEEDS_NOTHING)
{
	struct tg_result r[2];
	struct fixture f;

	setup(&f);
	set_drop(&f, TG_EXCEPTION_FRAGMENT_LIMIT); /* another one */
	overlap(&f, 1, r);
	assert_result(&r[0], TG_FATE_FORWARD, TG_REASON_FRAGMENT_OVERLAP);
	assert_result(&r[1], TG_FATE_FORWARD, TG_REASON_FRAGMENT_OVERLAP);
	set_drop(&f, TG_EXCEPTION_FRAGMENT_OVERLAP);
	overlap(&f, 2, r);
	assert_result(&r[0], TG_FATE_ABSORB, TG_REASON_FRAGMENT_OVERLAP);
	assert_int_equal(r[0].n_held, 1);
	assert_int_equal(r[0].held_reason, TG_REASON_FRAGMENT_OVERLAP);
	assert_result(&r[1], TG_FATE_ABSORB, TG_REASON_FRAGMENT_OVERLAP);
	f.g.trunk[0].mode = TG_MODE_SHADOW;
	overlap(&f, 3, r);
	assert_result(&r[0], TG_FATE_FORWARD, TG_REASON_FRAGMENT_OVERLAP);
	assert_result(&r[1], TG_FATE_FORWARD, TG_REASON_FRAGMENT_OVERLAP);
	teardown(&f);
}

TG_TEST(L3_4_malformed_fragments_are_dropped_where_policy_says, TG_NEEDS_NOTHING)
{
	static const struct tg_pkt v6 = { .ipv6 = true, .ext = { 60 } };
	const struct tg_cut odd = { 0, 1481, true, 1 };
	enum tg_fate fate = TG_FATE_FORWARD;
	struct tg_result r;
	struct fixture f;
	unsigned i;

	setup(&f);
	for (i = 0; i < 2; i++) {
		load_call(&f, &families[0], TG_TEST_CLEAN, 1);
		r = judge(&f, &odd); /* no multiple of 8 */
		assert_result(&r, fate, TG_REASON_FRAGMENT_MALFORMED);
		/* IPv6, and not all headers in the first. */
		load_call(&f, &v6, TG_TEST_CLEAN, 2);
		r = judge_part(&f, 0, 8, 2 + i);
		assert_result(&r, fate, TG_REASON_FRAGMENT_MALFORMED);
		r = judge_part(&f, 8, 4000, 2 + i);
		assert_result(&r, fate, TG_REASON_FRAGMENT_MALFORMED);
		set_drop(&f, TG_EXCEPTION_FRAGMENT_MALFORMED);
		fate = TG_FATE_ABSORB;
	}
	teardown(&f);
}

TG_TEST(L3_6_what_stays_incomplete_is_dropped_where_policy_says, TG_NEEDS_NOTHING)
{
	struct tg_released freed[TG_BURST];
	struct fixture f;
	struct tg_result r;
	unsigned drop;

	setup(&f);
	for (drop = 0; drop < 2; drop++) {
		if (drop)
			set_drop(&f, TG_EXCEPTION_FRAGMENTS_UNASSEMBLED);
		load_call(&f, &families[0], TG_TEST_FRAUD, 1 + drop);
		(void)judge_part(&f, 0, 1480, 1 + drop);
		(void)judge_part(&f, 1480, 1480, 1 + drop);
		f.now += TG_FRAGS_HOLD_MS;
		assert_int_equal(release(&f, freed), 2);
		assert_int_equal(freed[0].reason, TG_REASON_FRAGMENTS_UNASSEMBLED);
		assert_int_equal(freed[0].drop, drop);
		assert_int_equal(freed[1].drop, drop);
		/* The copy is still there: the last one completes it, and is judged. */
		r = judge_part(&f, 2960, 1480, 1 + drop);
		assert_result(&r, TG_FATE_ANSWER, TG_REASON_FRAUD);
	}
	teardown(&f);
}

TG_TEST(L3_6_what_has_no_room_is_dropped_where_policy_says, TG_NEEDS_NOTHING)
{
	struct tg_released freed[TG_BURST];
	struct fixture f;
	unsigned i, drop, gone;

	for (drop = 0; drop < 2; drop++) {
		setup(&f);
		if (drop)
			set_drop(&f, TG_EXCEPTION_FRAGMENT_LIMIT);
		for (i = gone = 0; i < SETS; i++) {
			load_call(&f, &families[0], TG_TEST_CLEAN, i);
			(void)judge_part(&f, 0, 1480, 1 + i);
			if (release(&f, freed) == 0)
				continue;
			assert_int_equal(freed[0].reason, TG_REASON_FRAGMENT_LIMIT);
			assert_int_equal(freed[0].drop, drop);
			gone++;
		}
		assert_int_equal(gone, SETS - SETS / TG_FRAGS_SOURCE_SHARE);
		teardown(&f);
	}
}

/* The first fragment says whom it is for: an emergency call's frames pass whatever becomes of them. */
TG_TEST(SIP_36_fragments_of_emergency_calls_are_spared, TG_NEEDS_NOTHING)
{
	static const struct {
		const char *begin;
		bool drop;
	} cases[] = {
		{ "INVITE sip:+12025550123@b.example SIP/2.0\r\nX: ", true },
		{ "INVITE urn:service:sos SIP/2.0\r\nX: ", false },
		{ "INVITE sip:112@b.example SIP/2.0\r\nX: ", false },
		{ "INVITE sip:a@b.example SIP/2.0\r\nPriority: psap-callback\r\nX: ", false },
		{ "ACK sip:a@b.example SIP/2.0\r\nX: ", false },
	};
	struct tg_released freed[TG_BURST];
	struct fixture f;
	unsigned i, last_first;

	for (i = 0; i < 2 * TG_ARRAY_LEN(cases); i++) {
		last_first = i % 2;
		setup(&f);
		set_drop(&f, TG_EXCEPTION_FRAGMENTS_UNASSEMBLED);
		load_payload(&f, &families[0], cases[i / 2].begin);
		assert_int_equal(judge_part(&f, last_first ? 2960 : 0, 1480, 1).fate, TG_FATE_HOLD);
		assert_int_equal(judge_part(&f, last_first ? 0 : 2960, 1480, 1).fate, TG_FATE_HOLD);
		f.now += TG_FRAGS_HOLD_MS;
		assert_int_equal(release(&f, freed), 2);
		assert_int_equal(freed[0].drop, cases[i / 2].drop);
		assert_int_equal(freed[1].drop, cases[i / 2].drop);
		teardown(&f);
	}
}
