/* SPDX-License-Identifier: BSD-3-Clause */
/* Prefixes and ranges as people mean them; random ones are in test_table.c. */
#include <stdlib.h>
#include <string.h>

#include "control/build_priv.h"
#include "tests/support/image.h"
#include "tests/support/tg_test.h"

static struct tg_num number(const char *text)
{
	const struct tg_span s = { (const uint8_t *)text, (uint32_t)strlen(text) };
	const struct tg_num n = tg_num_from_feed(s);

	assert_false(tg_num_is_none(n));
	return n;
}

static uint32_t both(enum tg_category category, unsigned score)
{
	const uint32_t slot = tg_listing_slot(category, score);

	return tg_listing_make(slot, slot);
}

static struct tg_build_interval prefix(const char *text, uint32_t listing)
{
	const struct tg_num n = number(text);
	const uint64_t lo = tg_num_aligned(n);

	return (struct tg_build_interval){
		.lo = lo,
		.hi = lo + tg_num_pow10(15 - tg_num_len(n)) - 1,
		.listing = listing,
		.digits_min = (uint8_t)tg_num_len(n),
		.digits_max = 15,
	};
}

static struct tg_build_interval range(const char *from, const char *to, uint32_t listing)
{
	struct tg_build_interval v = prefix(to, listing);

	v.lo = tg_num_aligned(number(from));
	v.digits_max = v.digits_min;
	return v;
}

static uint32_t look_up(const struct tg_build_interval *intervals, unsigned n, const char *text)
{
	const struct tg_build_input in = {
		.kind = TG_IMAGE_BASE,
		.intervals = intervals,
		.n_intervals = n,
	};
	struct tg_test_image im = tg_test_image_build(&in);
	const struct tg_num num = number(text);
	struct tg_table_adapt adapt = { 0 };
	uint32_t listing;

	tg_table_lookup_burst(&im.table, NULL, &adapt, &num, 1, &listing);
	tg_test_image_free(&im);
	return listing;
}

/* The caller's category and score, without the mark that a range said so. */
static uint32_t caller(uint32_t listing)
{
	const uint32_t slot = tg_listing_side(listing, TG_SIDE_CALLER);

	assert_int_equal(slot != 0, (listing & TG_LISTING_CALLER_BY_RANGE) != 0);
	return slot;
}

TG_TEST(NUM_5_prefix_is_open_range_has_a_length, TG_NEEDS_NOTHING)
{
	const struct tg_build_interval v[] = {
		prefix("+9597", both(TG_CATEGORY_WANGIRI, 60)),
		range("+85281000000", "+85281999999", both(TG_CATEGORY_UNALLOCATED, 100)),
	};
	static const struct {
		const char *number;
		unsigned category;
	} rows[] = {
		{ "+9597", TG_CATEGORY_WANGIRI },
		{ "+959771234567", TG_CATEGORY_WANGIRI },
		{ "+959799999999999", TG_CATEGORY_WANGIRI },
		{ "+959", TG_CATEGORY_NONE },
		{ "+9598", TG_CATEGORY_NONE },
		{ "+9596999999", TG_CATEGORY_NONE },
		{ "+85281000000", TG_CATEGORY_UNALLOCATED },
		{ "+85281999999", TG_CATEGORY_UNALLOCATED },
		{ "+85280999999", TG_CATEGORY_NONE },
		{ "+85282000000", TG_CATEGORY_NONE },
		{ "+8528150000", TG_CATEGORY_NONE },
		{ "+852815000000", TG_CATEGORY_NONE },
		{ "+999999999999999", TG_CATEGORY_NONE },
		{ "+1", TG_CATEGORY_NONE },
	};
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(rows); i++)
		assert_int_equal(tg_slot_category(caller(look_up(v, 2, rows[i].number))),
				 rows[i].category);
}

TG_TEST(NUM_6_narrower_wins_whatever_the_order, TG_NEEDS_NOTHING)
{
	const struct tg_build_interval a = prefix("+44", both(TG_CATEGORY_SPAM, 10));
	const struct tg_build_interval b = prefix("+447700900", both(TG_CATEGORY_ALLOW, 0));
	const struct tg_build_interval c = prefix("+4477", both(TG_CATEGORY_FRAUD, 100));
	const struct tg_build_interval orders[][3] = {
		{ a, b, c }, { a, c, b }, { b, a, c }, { b, c, a }, { c, a, b }, { c, b, a },
	};
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(orders); i++) {
		assert_int_equal(caller(look_up(orders[i], 3, "+447700900123")),
				 tg_listing_slot(TG_CATEGORY_ALLOW, 0));
		assert_int_equal(caller(look_up(orders[i], 3, "+447700800123")),
				 tg_listing_slot(TG_CATEGORY_FRAUD, 100));
		assert_int_equal(caller(look_up(orders[i], 3, "+442079460123")),
				 tg_listing_slot(TG_CATEGORY_SPAM, 10));
	}
}

TG_TEST(NUM_6_of_equal_width_allow_then_emergency_then_score, TG_NEEDS_NOTHING)
{
	static const struct {
		enum tg_category category;
		unsigned score;
	} order[] = { /* each prevails over all that follow */
		      { TG_CATEGORY_ALLOW, 7 },	    { TG_CATEGORY_ALLOW, 0 },
		      { TG_CATEGORY_EMERGENCY, 0 }, { TG_CATEGORY_DNO, 100 },
		      { TG_CATEGORY_FRAUD, 99 },    { TG_CATEGORY_SCAM, 99 },
		      { TG_CATEGORY_FRAUD, 0 }
	};
	unsigned i, j;

	for (i = 0; i < TG_ARRAY_LEN(order); i++)
		for (j = 0; j < TG_ARRAY_LEN(order); j++) {
			const unsigned first = i < j ? i : j;
			const struct tg_build_interval v[] = {
				prefix("+120255501", both(order[i].category, order[i].score)),
				prefix("+120255501", both(order[j].category, order[j].score)),
			};

			assert_int_equal(
				caller(look_up(v, 2, "+12025550123")),
				tg_listing_slot(order[first].category, order[first].score));
		}
}

/* A narrower interval that says nothing of a role hides nothing there. */
TG_TEST(ranges_roles_are_independent, TG_NEEDS_NOTHING)
{
	const uint32_t spam = tg_listing_slot(TG_CATEGORY_SPAM, 40);
	const uint32_t dno = tg_listing_slot(TG_CATEGORY_DNO, 100);
	const struct tg_build_interval v[] = {
		prefix("+61", tg_listing_make(spam, spam)),
		prefix("+61491570", tg_listing_make(dno, 0)),
	};
	const uint32_t listing = look_up(v, 2, "+61491570156");

	assert_int_equal(tg_listing_side(listing, TG_SIDE_CALLER), dno);
	assert_int_equal(tg_listing_side(listing, TG_SIDE_CALLED), spam);
	assert_true(listing & TG_LISTING_CALLER_BY_RANGE && listing & TG_LISTING_CALLED_BY_RANGE);
}

/* The exact word on one role leaves the other to the ranges. */
TG_TEST(ranges_fill_what_exact_leaves_open, TG_NEEDS_NOTHING)
{
	const uint32_t fraud = tg_listing_slot(TG_CATEGORY_FRAUD, 95);
	const uint32_t irsf = tg_listing_slot(TG_CATEGORY_IRSF, 70);
	const struct tg_build_interval v[] = { prefix("+9597", tg_listing_make(irsf, irsf)) };
	const struct tg_build_number exact = { 959771234567, tg_listing_make(fraud, 0), 0 };
	const struct tg_build_input in = {
		.kind = TG_IMAGE_BASE,
		.numbers = &exact,
		.n_numbers = 1,
		.intervals = v,
		.n_intervals = 1,
	};
	struct tg_test_image im = tg_test_image_build(&in);
	const struct tg_num n = number("+959771234567");
	struct tg_table_adapt adapt = { 0 };
	uint32_t listing;

	tg_table_lookup_burst(&im.table, NULL, &adapt, &n, 1, &listing);
	assert_int_equal(listing, tg_listing_make(fraud, irsf) | TG_LISTING_CALLED_BY_RANGE);
	tg_test_image_free(&im);
}

/* 20,000 ranges that all overlap in the middle: as many boundaries, and no more work than that. */
TG_TEST(ranges_that_all_overlap_are_flattened, TG_NEEDS_NOTHING)
{
	enum {
		N = 20000
	};
	struct tg_build_interval *v = calloc(N, sizeof(*v));
	struct tg_flat_ranges flat;
	unsigned i;

	for (i = 0; i < N; i++)
		v[i] = (struct tg_build_interval){
			.lo = 100000000000000ull + i * 10,
			.hi = 900000000000000ull - i * 10 - 1,
			.listing = both(TG_CATEGORY_SPAM, i % 2),
			.digits_min = 15,
			.digits_max = 15,
		};
	assert_int_equal(tg_build_flatten(v, N, &flat), 0);
	assert_int_equal(flat.n_sets, 3);
	assert_int_equal(flat.n_bounds, 2 * N + 1);
	tg_build_flat_free(&flat);
	free(v);
}

/* Neighbours that say the same are one; the whole space needs no bound but the first. */
TG_TEST(ranges_equal_neighbours_are_joined, TG_NEEDS_NOTHING)
{
	struct tg_build_interval v[10];
	struct tg_flat_ranges flat;
	char text[3] = "+0";
	unsigned i;

	for (i = 1; i <= 9; i++) {
		text[1] = (char)('0' + i);
		v[i - 1] = prefix(text, both(TG_CATEGORY_SPAM, 1));
	}
	assert_int_equal(tg_build_flatten(v, 9, &flat), 0);
	assert_int_equal(flat.n_bounds, 2);
	assert_int_equal(flat.bounds[1].from, 100000000000000ull);
	assert_int_equal(flat.n_sets, 2);
	tg_build_flat_free(&flat);
}
