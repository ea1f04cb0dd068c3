/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lookups against a reference that knows nothing of images: a sorted array for exact numbers, a linear
 * scan over prefixes and ranges. All CPU variants, every burst length, base and delta.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/support/image.h"
#include "tests/support/tg_test.h"
#include "tollgate/cpu.h"

static const char *const variants[] = { "portable", "avx2", "avx512" };

/* ---- the reference ------------------------------------------------------------------------------ */

struct world {
	struct tg_build_number *numbers;
	size_t n_numbers;
	struct tg_build_interval *intervals;
	size_t n_intervals;
	struct tg_build_short *shorts;
	size_t n_shorts;
};

static int by_value(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static const struct tg_build_number *find_number(const struct world *w, uint64_t value)
{
	return w->n_numbers
		       ? bsearch(&value, w->numbers, w->n_numbers, sizeof(*w->numbers), by_value)
		       : NULL;
}

static bool prevails(uint64_t width, uint32_t slot, uint64_t best_width, uint32_t best)
{
	static const enum tg_category first[] = { TG_CATEGORY_ALLOW, TG_CATEGORY_EMERGENCY };
	const enum tg_category mine = tg_slot_category(slot), theirs = tg_slot_category(best);
	unsigned i;

	if (!best || width != best_width)
		return !best || width < best_width;
	for (i = 0; i < TG_ARRAY_LEN(first); i++)
		if ((mine == first[i]) != (theirs == first[i]))
			return mine == first[i];
	if (tg_slot_score(slot) != tg_slot_score(best))
		return tg_slot_score(slot) > tg_slot_score(best);
	return mine < theirs;
}

static uint32_t range_slot(const struct world *w, struct tg_num n, enum tg_side side)
{
	const uint64_t at = tg_num_aligned(n);
	uint64_t best_width = 0;
	uint32_t best = 0;
	size_t i;

	for (i = 0; i < w->n_intervals; i++) {
		const struct tg_build_interval *v = &w->intervals[i];
		const uint32_t slot = tg_listing_side(v->listing, side);

		if (at < v->lo || at > v->hi || tg_num_len(n) < v->digits_min ||
		    tg_num_len(n) > v->digits_max || !slot)
			continue;
		if (prevails(v->hi - v->lo, slot, best_width, best)) {
			best = slot;
			best_width = v->hi - v->lo;
		}
	}
	return best;
}

static uint32_t short_listing(const struct world *w, struct tg_num n)
{
	size_t i;

	for (i = 0; i < w->n_shorts; i++)
		if (w->shorts[i].num == n.v)
			return w->shorts[i].listing;
	return 0;
}

/* `ranges` is the world whose prefixes, ranges and short codes hold. */
static uint32_t expected(const struct world *base, const struct world *delta,
			 const struct world *ranges, struct tg_num n)
{
	const struct tg_build_number *e = NULL;
	uint32_t listing, from_range;

	if (tg_num_kind(n) == TG_NUM_SHORT)
		return short_listing(ranges, n);
	if (tg_num_kind(n) != TG_NUM_E164)
		return 0;
	if (delta)
		e = find_number(delta, tg_num_value(n));
	if (!e)
		e = find_number(base, tg_num_value(n));
	listing = e && e->listing != TG_LISTING_TOMBSTONE ? e->listing : 0;
	if (!tg_listing_side(listing, TG_SIDE_CALLER)) {
		from_range = range_slot(ranges, n, TG_SIDE_CALLER);
		if (from_range)
			listing |= from_range | TG_LISTING_CALLER_BY_RANGE;
	}
	if (!tg_listing_side(listing, TG_SIDE_CALLED)) {
		from_range = range_slot(ranges, n, TG_SIDE_CALLED);
		if (from_range)
			listing |= tg_listing_make(0, from_range) | TG_LISTING_CALLED_BY_RANGE;
	}
	return listing;
}

/* ---- random worlds ------------------------------------------------------------------------------ */

static uint32_t random_slot(uint64_t *seed)
{
	const uint64_t r = tg_test_random(seed) >> 16;

	return tg_listing_slot((enum tg_category)(1 + r % (TG_CATEGORY_COUNT - 1)),
			       (unsigned)(r >> 8) % (TG_SCORE_MAX + 1));
}

static uint32_t random_listing(uint64_t *seed)
{
	const unsigned roles = 1 + (unsigned)(tg_test_random(seed) >> 20) % 3;
	const uint32_t caller = roles & 1 ? random_slot(seed) : 0;

	return tg_listing_make(caller, roles & 2 ? random_slot(seed) : 0);
}

/* 1 to 15 digits; few leading digits, so that prefixes meet numbers and one another. */
static struct tg_num random_number(uint64_t *seed)
{
	const uint64_t r = tg_test_random(seed) >> 8;
	const unsigned digits = 1 + (unsigned)(r % 15);
	const uint64_t unit = tg_num_pow10(digits - 1);
	uint64_t value = unit + tg_test_random(seed) % (9 * unit);

	if (digits > 4 && r & 0x100000)
		value = 8521 * tg_num_pow10(digits - 4) + value % tg_num_pow10(digits - 4);
	return tg_num_make(TG_NUM_E164, digits, value);
}

static void sort_numbers(struct world *w)
{
	size_t i, n = 0;

	if (w->n_numbers == 0)
		return;
	qsort(w->numbers, w->n_numbers, sizeof(*w->numbers), by_value);
	for (i = 0; i < w->n_numbers; i++)
		if (n == 0 || w->numbers[i].value != w->numbers[n - 1].value)
			w->numbers[n++] = w->numbers[i];
	w->n_numbers = n;
}

static struct tg_build_interval random_interval(uint64_t *seed)
{
	const struct tg_num a = random_number(seed);
	const unsigned digits = tg_num_len(a);
	const uint64_t unit = tg_num_pow10(15 - digits), r = tg_test_random(seed) >> 8;
	struct tg_build_interval v = {
		.lo = tg_num_aligned(a),
		.hi = tg_num_aligned(a) + unit - 1,
		.listing = random_listing(seed),
		.digits_min = (uint8_t)digits,
		.digits_max = 15,
	};

	if (r & 1) { /* a range of up to 1000 numbers */
		v.hi += r / 2 % 1000 * unit;
		v.digits_max = (uint8_t)digits;
		if (v.hi >= TG_NUMBERS_END)
			v.hi = TG_NUMBERS_END - 1;
	}
	return v;
}

static struct world random_world(uint64_t seed, size_t numbers, size_t intervals, size_t shorts)
{
	struct world w = {
		.numbers = calloc(numbers + 1, sizeof(*w.numbers)),
		.n_numbers = numbers,
		.intervals = calloc(intervals + 1, sizeof(*w.intervals)),
		.n_intervals = intervals,
		.shorts = calloc(shorts + 1, sizeof(*w.shorts)),
		.n_shorts = shorts,
	};
	size_t i;

	for (i = 0; i < numbers; i++) {
		w.numbers[i].value = tg_num_value(random_number(&seed));
		w.numbers[i].listing = random_listing(&seed);
	}
	sort_numbers(&w);
	for (i = 0; i < intervals; i++)
		w.intervals[i] = random_interval(&seed);
	for (i = 0; i < shorts; i++)
		w.shorts[i] = (struct tg_build_short){
			.num = tg_num_make(TG_NUM_SHORT, 5, (shorts - i) * 7).v,
			.listing = random_listing(&seed),
		};
	return w;
}

static void free_world(struct world *w)
{
	free(w->numbers);
	free(w->intervals);
	free(w->shorts);
}

static struct tg_build_input input_of(const struct world *w, uint64_t base_id, bool ranges)
{
	return (struct tg_build_input){
		.kind = base_id ? TG_IMAGE_DELTA : TG_IMAGE_BASE,
		.base_id = base_id,
		.created = 1767225600,
		.hash_key = 0x2b0d1a5c3f711,
		.numbers = w->numbers,
		.n_numbers = w->n_numbers,
		.intervals = w->intervals,
		.n_intervals = ranges ? w->n_intervals : 0,
		.shorts = w->shorts,
		.n_shorts = ranges ? w->n_shorts : 0,
		.replaces_ranges = base_id && ranges,
	};
}

/* A number of a world, one beside it, one of its short codes, a random one, or none. */
static struct tg_num random_query(uint64_t *seed, const struct world *w)
{
	const uint64_t r = tg_test_random(seed) >> 8;
	const unsigned what = (unsigned)(r % 8);
	struct tg_num n = random_number(seed);
	uint64_t value;
	unsigned digits = 1;

	if (what == 0)
		return r & 0x1000 ? (struct tg_num){ 0 }
				  : tg_num_make(TG_NUM_SHORT, 5, r / 0x2000 % 500);
	if (what == 1 && w->n_intervals) {
		value = w->intervals[r / 8 % w->n_intervals].hi + (r >> 40) % 2;
		digits = w->intervals[r / 8 % w->n_intervals].digits_min;
		value = value / tg_num_pow10(15 - digits);
		return value < tg_num_pow10(digits) ? tg_num_make(TG_NUM_E164, digits, value) : n;
	}
	if (what >= 5 || w->n_numbers == 0)
		return n;
	value = w->numbers[r / 8 % w->n_numbers].value + (what == 4);
	while (digits < 15 && value >= tg_num_pow10(digits))
		digits++;
	return value < tg_num_pow10(digits) ? tg_num_make(TG_NUM_E164, digits, value) : n;
}

/* ---- comparison --------------------------------------------------------------------------------- */

#define BURST_MAX 101

static void compare(const struct world *base, const struct tg_test_image *base_image,
		    const struct world *delta, const struct tg_test_image *delta_image,
		    unsigned rounds)
{
	const bool replaced = delta && delta_image->table.header->replaces_ranges;
	const struct world *ranges = replaced ? delta : base;
	struct tg_num nums[BURST_MAX];
	uint32_t got[BURST_MAX + 1];
	unsigned v, round, n, i, listed = 0;

	for (v = 0; v < TG_ARRAY_LEN(variants); v++) {
		struct tg_table_adapt adapt = { 0 };
		uint64_t seed = 11;

		if (!tg_table_variant_set(variants[v]))
			continue;
		for (round = 0; round < rounds; round++) {
			n = round % BURST_MAX;
			for (i = 0; i < n; i++)
				nums[i] = random_query(&seed, delta && round & 1 ? delta : base);
			memset(got, 0xa5, sizeof(got));
			tg_table_lookup_burst(&base_image->table,
					      delta ? &delta_image->table : NULL, &adapt, nums, n,
					      got);
			for (i = 0; i < n; i++) {
				const uint32_t want = expected(base, delta, ranges, nums[i]);

				if (got[i] != want)
					fail_msg("%s, %u of %u: %#llx is %#x, not %#x", variants[v],
						 i, n, (unsigned long long)nums[i].v, want, got[i]);
				listed += want != 0;
			}
			assert_int_equal(got[n], 0xa5a5a5a5u);
		}
	}
	tg_table_variant_set(NULL);
	assert_true(rounds == 0 || base->n_numbers + base->n_intervals == 0 || listed > 0);
}

static void run_world(size_t numbers, size_t intervals, size_t shorts, unsigned rounds)
{
	struct world base = random_world(numbers * 31 + intervals + 1, numbers, intervals, shorts);
	const struct tg_build_input in = input_of(&base, 0, true);
	struct tg_test_image image = tg_test_image_build(&in);

	compare(&base, &image, NULL, NULL, rounds);
	tg_test_image_free(&image);
	free_world(&base);
}

TG_TEST(table_agrees_with_a_linear_scan, TG_NEEDS_NOTHING)
{
	run_world(3000, 300, 50, 3 * BURST_MAX * 7);
	run_world(1, 0, 0, BURST_MAX);
	run_world(0, 1, 0, BURST_MAX);
	run_world(0, 0, 1, BURST_MAX);
	run_world(500, 1, 0, BURST_MAX * 2);
	run_world(0, 500, 3, BURST_MAX * 2);
	run_world(50000, 20, 100, BURST_MAX * 8);
}

TG_TEST(TB_15_empty_table_lists_nothing, TG_NEEDS_NOTHING)
{
	const struct tg_table none = { 0 };
	const struct tg_num n = tg_num_make(TG_NUM_E164, 11, 12025550123);
	struct tg_table_adapt adapt = { 0 };
	uint32_t listing = 1;

	run_world(0, 0, 0, BURST_MAX);
	tg_table_lookup_burst(&none, NULL, &adapt, &n, 1, &listing);
	assert_int_equal(listing, 0);
	listing = 1;
	tg_table_lookup_burst(&none, &none, &adapt, &n, 1, &listing);
	assert_int_equal(listing, 0);
}

/* The delta takes some of the base's numbers away, changes some, and adds some of its own. */
static struct world random_delta(const struct world *base, uint64_t seed, size_t n)
{
	struct world w = random_world(seed, n, 100, 20);
	size_t i;

	for (i = 0; i < w.n_numbers; i++) {
		const uint64_t r = tg_test_random(&seed) >> 8;

		if (r % 4 && base->n_numbers)
			w.numbers[i].value = base->numbers[r / 4 % base->n_numbers].value;
		if (r % 4 >= 2)
			w.numbers[i].listing = TG_LISTING_TOMBSTONE;
	}
	sort_numbers(&w);
	return w;
}

static void run_delta(size_t numbers, size_t changes, bool ranges)
{
	struct world base = random_world(numbers + 5, numbers, 100, 20);
	struct world delta = random_delta(&base, changes + 9, changes);
	const struct tg_build_input base_in = input_of(&base, 0, true);
	struct tg_test_image base_image = tg_test_image_build(&base_in);
	const struct tg_build_input delta_in = input_of(&delta, base_image.id, ranges);
	struct tg_test_image delta_image = tg_test_image_build(&delta_in);
	struct tg_image_error err;

	assert_int_equal(tg_table_check_delta(&base_image.table, &delta_image.table, &err), 0);
	compare(&base, &base_image, &delta, &delta_image, 3 * BURST_MAX);
	tg_test_image_free(&base_image);
	tg_test_image_free(&delta_image);
	free_world(&base);
	free_world(&delta);
}

TG_TEST(table_delta_stands_in_for_the_base, TG_NEEDS_NOTHING)
{
	run_delta(5000, 2000, false);
	run_delta(5000, 2000, true);
	run_delta(5000, 0, false);
	run_delta(0, 1000, true);
}

TG_TEST(TB_11_delta_of_another_base_is_refused, TG_NEEDS_NOTHING)
{
	struct world w = random_world(1, 10, 0, 0);
	const struct tg_build_input base_in = input_of(&w, 0, true);
	struct tg_test_image base = tg_test_image_build(&base_in);
	const struct tg_build_input delta_in = input_of(&w, base.id + 1, false);
	struct tg_test_image delta = tg_test_image_build(&delta_in);
	struct tg_image_error err = { 0 };

	assert_int_equal(tg_table_check_delta(&base.table, &delta.table, &err), -22);
	assert_int_equal(err.code, TG_IMAGE_ERROR_WRONG_BASE);
	assert_int_equal(err.offset, offsetof(struct tg_image_header, base_id));
	tg_test_image_free(&base);
	tg_test_image_free(&delta);
	free_world(&w);
}

/* Blocks of consecutive numbers, as carriers list them, and beside each block numbers that are not
 * listed. 600,000 numbers have a filter; it is asked, and bypassed when most pass. */
TG_TEST(TB_7_filter_is_bypassed_when_too_much_passes, TG_NEEDS_NOTHING)
{
	enum {
		N = 600000,
		BLOCK = 1000
	};
	struct tg_build_number *numbers = calloc(N, sizeof(*numbers));
	struct tg_num *nums = calloc(2 * N, sizeof(*nums));
	uint32_t *got = calloc(2 * N, sizeof(*got));
	struct tg_build_input in = { .kind = TG_IMAGE_BASE, .numbers = numbers, .n_numbers = N };
	struct tg_test_image im;
	unsigned i, v;

	for (i = 0; i < N; i++) {
		const uint64_t value = 447700000000 + (uint64_t)(i / BLOCK) * 10000 + i % BLOCK;

		numbers[i].value = value;
		numbers[i].listing = tg_listing_make(tg_listing_slot(TG_CATEGORY_SPAM, i % 101), 0);
		nums[2 * i] = tg_num_make(TG_NUM_E164, 12, value);
		nums[2 * i + 1] = tg_num_make(TG_NUM_E164, 12, value + BLOCK);
	}
	im = tg_test_image_build(&in);
	assert_non_null(im.table.filter);
	for (v = 0; v < TG_ARRAY_LEN(variants); v++) {
		struct tg_table_adapt adapt = { 0 };

		if (!tg_table_variant_set(variants[v]))
			continue;
		tg_table_lookup_burst(&im.table, NULL, &adapt, nums, 2 * N, got);
		assert_int_equal(adapt.bypassed, 1);
		for (i = 0; i < N; i++) {
			assert_int_equal(got[2 * i], numbers[i].listing);
			assert_int_equal(got[2 * i + 1], 0);
			nums[2 * i] = nums[2 * i + 1];
		}
		tg_table_lookup_burst(&im.table, NULL, &adapt, nums, 2 * N, got);
		assert_int_equal(adapt.bypassed, 0);
		assert_true(adapt.filter_negatives > N);
		for (i = 0; i < 2 * N; i++)
			assert_int_equal(got[i], 0);
		for (i = 0; i < N; i++)
			nums[2 * i] = tg_num_make(TG_NUM_E164, 12, numbers[i].value);
	}
	tg_table_variant_set(NULL);
	tg_test_image_free(&im);
	free(numbers);
	free(nums);
	free(got);
}

/* Half a million allowed numbers in the middle of a prefix that is listed, and a few listed ones among them:
 * each has its own answer, and a neighbour has the prefix's. */
TG_TEST(TB_14_huge_allow_list_hides_nothing, TG_NEEDS_NOTHING)
{
	enum {
		N = 500000,
		FRAUD = 999, /* each so many */
	};
	const uint32_t allow = tg_listing_make(tg_listing_slot(TG_CATEGORY_ALLOW, 0), 0);
	const uint32_t fraud = tg_listing_make(tg_listing_slot(TG_CATEGORY_FRAUD, 95), 0);
	const struct tg_build_interval prefix = { .lo = 447 * tg_num_pow10(12),
						  .hi = 448 * tg_num_pow10(12) - 1,
						  .listing = tg_listing_make(
							  tg_listing_slot(TG_CATEGORY_SPAM, 60), 0),
						  .digits_min = 3,
						  .digits_max = 15 };
	struct tg_build_number *numbers = calloc(N, sizeof(*numbers));
	struct tg_num *nums = calloc(2 * N, sizeof(*nums));
	uint32_t *got = calloc(2 * N, sizeof(*got));
	const struct tg_build_input in = { .kind = TG_IMAGE_BASE,
					   .numbers = numbers,
					   .n_numbers = N,
					   .intervals = &prefix,
					   .n_intervals = 1 };
	struct tg_table_adapt adapt = { 0 };
	struct tg_test_image im;
	unsigned i;

	for (i = 0; i < N; i++) {
		const uint64_t value = 447700000000 + 2 * (uint64_t)i;

		numbers[i].value = value;
		numbers[i].listing = i % FRAUD == 0 ? fraud : allow;
		nums[2 * i] = tg_num_make(TG_NUM_E164, 12, value);
		nums[2 * i + 1] = tg_num_make(TG_NUM_E164, 12, value + 1);
	}
	im = tg_test_image_build(&in);
	tg_table_lookup_burst(&im.table, NULL, &adapt, nums, 2 * N, got);
	for (i = 0; i < N; i++) {
		assert_int_equal(got[2 * i], i % FRAUD == 0 ? fraud : allow);
		assert_int_equal(got[2 * i + 1], prefix.listing | TG_LISTING_CALLER_BY_RANGE);
	}
	tg_test_image_free(&im);
	free(numbers);
	free(nums);
	free(got);
}

TG_TEST(TB_6_filter_never_decides_and_is_rarely_wrong, TG_NEEDS_NOTHING)
{
	struct world w = random_world(77, 900000, 0, 0);
	const struct tg_build_input in = input_of(&w, 0, true);
	struct tg_test_image im = tg_test_image_build(&in);
	struct tg_table_adapt adapt = { 0 };
	struct tg_num nums[96];
	uint32_t got[96];
	uint64_t seed = 5, asked = 0;
	unsigned round, i;

	assert_non_null(im.table.filter);
	for (round = 0; round < 3000; round++) {
		for (i = 0; i < 96; i++)
			nums[i] = tg_num_make(TG_NUM_E164, 15,
					      tg_num_pow10(14) + tg_test_random(&seed) / 64 %
									 tg_num_pow10(14));
		if (round % 8 == 0) /* one in 768 is listed */
			nums[5] = random_query(&seed, &w);
		tg_table_lookup_burst(&im.table, NULL, &adapt, nums, 96, got);
		for (i = 0; i < 96; i++)
			assert_int_equal(got[i], expected(&w, NULL, &w, nums[i]));
		asked += 96;
	}
	assert_true(adapt.filter_negatives > asked * 97 / 100);
	/* 1.3 % expected for 10 bits a number */
	assert_in_range(adapt.filter_false, asked * 9 / 1000, asked * 17 / 1000);
	tg_test_image_free(&im);
	free_world(&w);
}

TG_TEST(table_variants_can_be_chosen, TG_NEEDS_NOTHING)
{
	const char *best = tg_table_variant();

	assert_true(tg_table_variant_set("portable"));
	assert_string_equal(tg_table_variant(), "portable");
	assert_false(tg_table_variant_set("sse9"));
	assert_string_equal(tg_table_variant(), "portable");
	assert_true(tg_table_variant_set(NULL));
	assert_string_equal(tg_table_variant(), best);
}

TG_TEST(table_has_the_best_variant_of_the_cpu, TG_NEEDS_AVX2)
{
	assert_string_equal(tg_table_variant(), tg_cpu_has_avx512() ? "avx512" : "avx2");
	assert_true(tg_table_variant_set("avx2"));
	assert_string_equal(tg_table_variant(), "avx2");
	assert_true(tg_table_variant_set(NULL));
}
