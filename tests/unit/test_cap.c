/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "dataplane/flow/cap.h"
#include "tests/support/tg_test.h"

struct fixture {
	struct tg_cap c;
	void *block;
};

static struct fixture fixture_make(uint32_t entries)
{
	struct fixture f;

	f.block = tg_test_block(tg_cap_size(entries));
	tg_cap_init(&f.c, f.block, entries);
	return f;
}

static unsigned allowed(struct fixture *f, uint64_t source, uint32_t rate, uint64_t now, unsigned n)
{
	unsigned yes = 0;

	while (n--)
		yes += tg_cap_allow(&f->c, source, (struct tg_cap_rate){ rate, 1000 }, now);
	return yes;
}

TG_TEST(cap_burst_is_one_second_of_rate, TG_NEEDS_NOTHING)
{
	static const uint32_t rates[] = { 0, 1, 10, 1000 };
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(rates); i++) {
		struct fixture f = fixture_make(64);

		assert_int_equal(allowed(&f, 7, rates[i], 5, 3000), rates[i]);
		free(f.block);
	}
}

TG_TEST(cap_refills_at_the_rate, TG_NEEDS_NOTHING)
{
	struct fixture f = fixture_make(64);
	uint64_t now = 1000;
	unsigned total = 0;

	assert_int_equal(allowed(&f, 7, 10, now, 100), 10);
	assert_int_equal(allowed(&f, 7, 10, now + 99, 100), 0);
	assert_int_equal(allowed(&f, 7, 10, now + 100, 100), 1);
	/* Ten a second for ten seconds, asked for every 7 ms: no rounding gets lost. */
	for (now += 100; now < 11100; now += 7)
		total += allowed(&f, 7, 10, now, 1);
	assert_in_range(total, 98, 100);
	/* A long silence fills the bucket, not more. */
	assert_int_equal(allowed(&f, 7, 10, now + 3600 * 1000, 100), 10);
	free(f.block);
}

TG_TEST(cap_sources_are_independent, TG_NEEDS_NOTHING)
{
	struct fixture f = fixture_make(64);

	assert_int_equal(allowed(&f, 1ull << 40, 5, 0, 9), 5);
	assert_int_equal(allowed(&f, 2ull << 40, 5, 0, 9), 5);
	assert_int_equal(allowed(&f, 1ull << 40, 5, 0, 9), 0);
	/* 0 marks an empty entry inside, but is a source like any other. */
	assert_int_equal(allowed(&f, 0, 5, 0, 9), 5);
	assert_int_equal(allowed(&f, 0, 5, 0, 9), 0);
	free(f.block);
}

TG_TEST(cap_full_set_forgets_the_quietest, TG_NEEDS_NOTHING)
{
	struct fixture f = fixture_make(TG_CAP_WAYS);
	uint64_t s;

	for (s = 1; s <= TG_CAP_WAYS; s++)
		assert_int_equal(allowed(&f, s, 2, s, 2), 2);
	assert_false(tg_cap_allow(&f.c, 1, (struct tg_cap_rate){ 2, 1000 },
				  100)); /* seen again: source 2 is the quietest now */
	assert_true(tg_cap_allow(&f.c, 50, (struct tg_cap_rate){ 2, 1000 }, 101));
	assert_false(tg_cap_allow(&f.c, 1, (struct tg_cap_rate){ 2, 1000 }, 102));
	assert_false(tg_cap_allow(&f.c, 3, (struct tg_cap_rate){ 2, 1000 }, 103));
	assert_int_equal(allowed(&f, 2, 2, 104, 9), 2); /* forgotten, so it begins afresh */
	free(f.block);
}

/* The 32-bit millisecond clock wraps after 49 days. */
TG_TEST(cap_survives_the_wrap_of_its_clock, TG_NEEDS_NOTHING)
{
	struct fixture f = fixture_make(64);
	const uint64_t edge = 1ull << 32;

	assert_int_equal(allowed(&f, 7, 10, edge - 50, 100), 10);
	assert_int_equal(allowed(&f, 7, 10, edge + 49, 100), 0);
	assert_int_equal(allowed(&f, 7, 10, edge + 50, 100), 1);
	free(f.block);
}

/* A rate beyond what the field holds is as good as the field's maximum, and overflows nothing. */
TG_TEST(cap_absurd_rates_do_not_overflow, TG_NEEDS_NOTHING)
{
	struct fixture f = fixture_make(64);

	assert_int_equal(allowed(&f, 7, UINT32_MAX, 0, 1000), 1000);
	assert_int_equal(allowed(&f, 7, UINT32_MAX, 1u << 31, 1000), 1000);
	free(f.block);
}
