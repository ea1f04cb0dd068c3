/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "dataplane/flow/memory.h"
#include "tests/support/tg_test.h"

#define KEY 0x0123456789abcdefull

struct fixture {
	struct tg_memory m;
	void *block;
};

static struct fixture fixture_make(uint32_t entries)
{
	struct fixture f;

	f.block = tg_test_block(tg_memory_size(entries));
	tg_memory_init(&f.m, f.block, entries);
	return f;
}

static struct tg_memory_record record(enum tg_action action, enum tg_mode mode)
{
	return (struct tg_memory_record){
		.verdict = {
			.action = (uint8_t)action,
			.reason = TG_REASON_FRAUD,
			.mode = (uint8_t)mode,
			.answer = 3,
			.rule = 7,
			.shadow_rule = TG_RULE_NONE,
			.trunk = 2,
			.identity = 1,
		},
		.epoch = 5,
		.kept = mode == TG_MODE_ENFORCE &&
			(action == TG_ACTION_REJECT || action == TG_ACTION_DROP),
	};
}

static bool put(struct fixture *f, uint64_t key, uint16_t print, uint64_t now,
		const struct tg_memory_record *r)
{
	const struct tg_memory_key k = { key, print };
	const struct tg_memory_look l = tg_memory_look(&f->m, k, now);

	return tg_memory_put_at(&l, k, tg_memory_pack(r, now));
}

static bool find_record(const struct fixture *f, struct tg_memory_key k, uint64_t now,
			struct tg_memory_record *r)
{
	const struct tg_memory_look l = tg_memory_look(&f->m, k, now);
	const unsigned same = tg_memory_ways(&l, TG_MEMORY_SAME);

	if (!same)
		return false;
	*r = tg_memory_show(&l, same, now);
	return true;
}

static bool find(const struct fixture *f, uint64_t key, uint16_t print, uint64_t now)
{
	struct tg_memory_record r;

	return find_record(f, (struct tg_memory_key){ key, print }, now, &r);
}

/* Every field at every limit comes back as it went in. */
TG_TEST(memory_every_field_survives, TG_NEEDS_NOTHING)
{
	static const struct tg_memory_record records[] = {
		{ { .shadow_rule = TG_RULE_NONE }, 0, false, 0 },
		{ { TG_ACTION_DROP, TG_REASON_COUNT - 1, TG_MODE_ENFORCE, TG_POLICY_MAX_ANSWERS - 1,
		    TG_POLICY_MAX_RULES - 1, TG_RULE_NONE, TG_POLICY_MAX_TRUNKS - 1,
		    TG_SIG_MAX_IDS - 1 },
		  TG_MEMORY_EPOCHS - 1,
		  true,
		  0 },
		{ { TG_ACTION_REJECT, TG_REASON_UNLISTED, TG_MODE_ENFORCE, 1, TG_RULE_NONE,
		    TG_RULE_NONE, 1, TG_SIG_NO_ID },
		  1,
		  false,
		  0 },
	};
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(records); i++) {
		struct fixture f = fixture_make(64);
		struct tg_memory_record got;

		assert_true(put(&f, KEY, 9, 1000, &records[i]));
		assert_true(find_record(&f, (struct tg_memory_key){ KEY, 9 }, 1000, &got));
		assert_memory_equal(&got.verdict, &records[i].verdict, sizeof(got.verdict));
		assert_int_equal(got.epoch, records[i].epoch);
		assert_int_equal(got.kept, records[i].kept);
		free(f.block);
	}
}

/* RFC 3261 §17.1.1.2: an INVITE may come again for 64*T1 = 32 s. */
TG_TEST(memory_lives_32_seconds, TG_NEEDS_NOTHING)
{
	/* Also across the wrap of the 19-bit expiry, and at odd phases of the 256 ms tick. */
	static const uint64_t starts[] = { 0, 1, 255, 1000, ((1ull << 19) - 60) << 8, 1ull << 40 };
	const struct tg_memory_record r = record(TG_ACTION_REJECT, TG_MODE_ENFORCE);
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(starts); i++) {
		struct fixture f = fixture_make(4);

		assert_true(put(&f, KEY, 0, starts[i], &r));
		assert_true(find(&f, KEY, 0, starts[i]));
		assert_true(find(&f, KEY, 0, starts[i] + TG_MEMORY_LIFETIME_MS));
		assert_false(find(&f, KEY, 0, starts[i] + TG_MEMORY_LIFETIME_MS + 600));
		assert_false(find(&f, KEY, 0, starts[i] + 3600 * 1000));
		free(f.block);
	}
}

/* An empty memory stays empty at every time, also where the expiry field would wrap to zero. */
TG_TEST(memory_empty_is_never_alive, TG_NEEDS_NOTHING)
{
	const struct tg_memory_record r = record(TG_ACTION_PASS, TG_MODE_ENFORCE);
	uint64_t now;

	for (now = 0; now < 3ull << 27; now += 10000) {
		struct fixture f = fixture_make(4);

		assert_false(find(&f, 0, 0, now));
		assert_true(put(&f, 1, 0, now, &r) && put(&f, 2, 0, now, &r));
		free(f.block);
	}
}

TG_TEST(memory_expired_ways_are_used_again, TG_NEEDS_NOTHING)
{
	const struct tg_memory_record r = record(TG_ACTION_REJECT, TG_MODE_ENFORCE);
	struct fixture f = fixture_make(4);
	uint64_t round, i;

	for (round = 0; round < 100; round++) {
		for (i = 0; i < TG_MEMORY_WAYS; i++)
			assert_true(put(&f, i + 1, 0, round * 40000, &r));
		assert_false(put(&f, 99, 0, round * 40000, &r));
	}
	free(f.block);
}

/* A flood of calls that pass leaves a way for a reject in every bucket. */
TG_TEST(OP_9_passes_cannot_crowd_out_rejects, TG_NEEDS_NOTHING)
{
	const struct tg_memory_record pass = record(TG_ACTION_PASS, TG_MODE_ENFORCE);
	const struct tg_memory_record shadow = record(TG_ACTION_REJECT, TG_MODE_SHADOW);
	const struct tg_memory_record reject = record(TG_ACTION_REJECT, TG_MODE_ENFORCE);
	struct fixture f = fixture_make(4);

	assert_true(put(&f, 1, 0, 0, &pass));
	assert_true(put(&f, 2, 0, 0, &shadow));
	assert_true(put(&f, 3, 0, 0, &pass));
	assert_false(put(&f, 4, 0, 0, &pass));
	assert_false(put(&f, 4, 0, 0, &shadow));
	assert_true(put(&f, 5, 0, 0, &reject));
	assert_false(put(&f, 6, 0, 0, &reject));
	assert_true(find(&f, 1, 0, 0));
	assert_true(find(&f, 5, 0, 0));
	free(f.block);
}

TG_TEST(memory_full_of_rejects_takes_no_more, TG_NEEDS_NOTHING)
{
	const struct tg_memory_record drop = record(TG_ACTION_DROP, TG_MODE_ENFORCE);
	struct fixture f = fixture_make(1); /* rounded up to a bucket */
	uint64_t i;

	for (i = 0; i < TG_MEMORY_WAYS; i++)
		assert_true(put(&f, i << 32, 0, 0, &drop));
	assert_false(put(&f, 77, 0, 0, &drop));
	free(f.block);
}

/* Another INVITE that borrows the transaction of a good one is not its retransmission. */
TG_TEST(memory_print_tells_identities_apart, TG_NEEDS_NOTHING)
{
	const struct tg_memory_record pass = record(TG_ACTION_PASS, TG_MODE_ENFORCE);
	struct fixture f = fixture_make(64);

	assert_true(put(&f, KEY, 1, 0, &pass));
	assert_true(find(&f, KEY, 1, 0));
	assert_false(find(&f, KEY, 2, 0));
	assert_false(find(&f, KEY ^ 1, 1, 0));
	free(f.block);
}

/* A CANCEL is absorbed only if nothing of its transaction was let through. */
TG_TEST(memory_kept_back_is_all_or_nothing, TG_NEEDS_NOTHING)
{
	const struct tg_memory_record pass = record(TG_ACTION_PASS, TG_MODE_ENFORCE);
	const struct tg_memory_record shadow = record(TG_ACTION_REJECT, TG_MODE_SHADOW);
	const struct tg_memory_record reject = record(TG_ACTION_REJECT, TG_MODE_ENFORCE);
	struct fixture f = fixture_make(4);

	assert_false(tg_memory_kept_back(&f.m, KEY, 0));
	assert_true(put(&f, KEY, 1, 0, &reject));
	assert_true(tg_memory_kept_back(&f.m, KEY, 0));
	assert_false(tg_memory_kept_back(&f.m, KEY ^ 1, 0));
	assert_false(tg_memory_kept_back(&f.m, KEY, 40000));
	assert_true(put(&f, KEY, 2, 0, &pass));
	assert_false(tg_memory_kept_back(&f.m, KEY, 0));
	assert_true(put(&f, KEY + 1, 1, 0, &shadow));
	assert_false(tg_memory_kept_back(&f.m, KEY + 1, 0));
	free(f.block);
}

/* For what follows an INVITE and names nobody: any verdict of the transaction. */
TG_TEST(memory_finds_any_of_a_transaction, TG_NEEDS_NOTHING)
{
	const struct tg_memory_record divert = record(TG_ACTION_DIVERT, TG_MODE_ENFORCE);
	struct fixture f = fixture_make(64);
	struct tg_memory_record got;

	assert_false(tg_memory_find_any(&f.m, KEY, 0, &got));
	assert_true(put(&f, KEY, 7, 0, &divert));
	assert_true(tg_memory_find_any(&f.m, KEY, 0, &got));
	assert_int_equal(got.verdict.action, TG_ACTION_DIVERT);
	assert_false(tg_memory_find_any(&f.m, KEY ^ 1, 0, &got));
	assert_false(tg_memory_find_any(&f.m, KEY, 40000, &got));
	free(f.block);
}

/* Keys spread over all buckets whatever their number, and what was taken is found again. */
TG_TEST(memory_remembers_what_it_has_room_for, TG_NEEDS_NOTHING)
{
	const struct tg_memory_record reject = record(TG_ACTION_REJECT, TG_MODE_ENFORCE);
	static uint64_t keys[1000];
	struct fixture f = fixture_make(10000);
	uint64_t seed = 42;
	unsigned i, kept = 0;

	for (i = 0; i < TG_ARRAY_LEN(keys); i++) {
		keys[i] = tg_test_random(&seed);
		if (put(&f, keys[i], 0, 500, &reject))
			kept++;
		else
			keys[i] = 0;
	}
	/* Poisson with mean 0.4 in 2500 buckets: P(more than 4) = 6e-5, so 0.15 buckets overflow. */
	assert_true(kept >= TG_ARRAY_LEN(keys) - 3);
	for (i = 0; i < TG_ARRAY_LEN(keys); i++)
		assert_true(keys[i] == 0 || find(&f, keys[i], 0, 500));
	free(f.block);
}
