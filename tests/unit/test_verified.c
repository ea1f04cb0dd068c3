/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "dataplane/flow/verified.h"
#include "tests/support/tg_test.h"

#define WAYS TG_VERIFIED_WAYS

static struct tg_verified make(uint32_t entries)
{
	struct tg_verified t;

	tg_verified_init(&t, aligned_alloc(TG_CACHE_LINE, tg_verified_size(entries)), entries);
	return t;
}

static void expect(const struct tg_verified *t, uint64_t key, uint64_t now, int want)
{
	uint8_t state = 99;
	const bool found = tg_verified_find(t, key, now, &state);

	assert_int_equal(found ? state : -1, want);
	if (!found)
		assert_int_equal(state, 99);
}

TG_TEST(SIP_39_results_age_out, TG_NEEDS_NOTHING)
{
	struct tg_verified t = make(WAYS);

	expect(&t, 0, 0, -1); /* an empty place is nobody's */
	tg_verified_put(&t, 0, 3, 100, 50);
	expect(&t, 0, 50, 3);
	expect(&t, 0, 149, 3);
	expect(&t, 0, 150, -1);
	tg_verified_put(&t, 0, 4, 10, 200);
	expect(&t, 0, 209, 4);
	tg_verified_put(&t, 0, 5, 10, 205); /* the later word */
	expect(&t, 0, 214, 5);
	expect(&t, 1, 205, -1);
	free(t.set);
}

TG_TEST(SIP_39_results_are_bounded, TG_NEEDS_NOTHING)
{
	struct tg_verified t = make(WAYS), none;
	uint64_t key;

	assert_int_equal(t.n_sets, 1);
	for (key = 1; key <= WAYS; key++)
		tg_verified_put(&t, key, (uint8_t)key, (uint32_t)(1000 * key), 0);
	for (key = 1; key <= WAYS; key++)
		expect(&t, key, 0, (int)key);
	/* the one that would have gone first goes */
	tg_verified_put(&t, 77, 7, 5000, 0);
	expect(&t, 1, 0, -1);
	expect(&t, 2, 0, 2);
	expect(&t, 77, 0, 7);
	/* one that has aged out goes before one that holds */
	tg_verified_put(&t, 78, 8, 100, 2500);
	expect(&t, 2, 1999, -1);
	expect(&t, 3, 2500, 3);
	expect(&t, 78, 2500, 8);
	free(t.set);

	assert_int_equal(tg_verified_size(0), 0);
	tg_verified_init(&none, NULL, 0);
	tg_verified_put(&none, 1, 1, 1000, 0);
	expect(&none, 1, 0, -1);
}
