/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/build_priv.h"
#include "tests/support/image.h"
#include "tests/support/tg_test.h"

#define SPAM_50 0x323u

static int plan(const struct tg_build_input *in, struct tg_error *err)
{
	struct tg_build *build;
	uint64_t length;
	const int rc = tg_build_plan(in, &build, &length, err);

	assert_int_equal(rc == 0, build != NULL);
	tg_build_free(build);
	return rc;
}

static const struct tg_build_number good_number = { 12025550123, SPAM_50, 0 };
static const struct tg_build_interval good_interval = { 10, 20, SPAM_50, 11, 11, { 0 } };

TG_TEST(build_refuses_what_no_table_may_hold, TG_NEEDS_NOTHING)
{
	static const struct tg_build_number numbers[] = {
		{ 0, SPAM_50, 0 },
		{ TG_NUMBERS_END, SPAM_50, 0 },
		{ 1, 0, 0 },
		{ 1, TG_LISTING_TOMBSTONE, 0 },
		{ 1, 0xf, 0 },		/* no such category */
		{ 1, 101 << 4 | 1, 0 }, /* no such score */
		{ 1, SPAM_50 | TG_LISTING_CALLER_BY_RANGE, 0 },
	};
	static const struct tg_build_interval intervals[] = {
		{ 20, 10, SPAM_50, 1, 15, { 0 } },
		{ 0, TG_NUMBERS_END, SPAM_50, 1, 15, { 0 } },
		{ 10, 20, SPAM_50, 0, 15, { 0 } },
		{ 10, 20, SPAM_50, 1, 16, { 0 } },
		{ 10, 20, SPAM_50, 5, 4, { 0 } },
		{ 10, 20, 0, 1, 15, { 0 } },
		{ 10, 20, TG_LISTING_TOMBSTONE, 1, 15, { 0 } },
	};
	struct tg_build_input in = { .kind = TG_IMAGE_BASE };
	struct tg_error err;
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(numbers); i++) {
		in.numbers = &numbers[i];
		in.n_numbers = 1;
		assert_int_equal(plan(&in, &err), -EINVAL);
		assert_true(strlen(err.text) > 10);
	}
	in.n_numbers = 0;
	for (i = 0; i < TG_ARRAY_LEN(intervals); i++) {
		in.intervals = &intervals[i];
		in.n_intervals = 1;
		assert_int_equal(plan(&in, &err), -EINVAL);
	}
}

TG_TEST(build_refuses_what_contradicts_itself, TG_NEEDS_NOTHING)
{
	const struct tg_build_short e164 = { tg_num_make(TG_NUM_E164, 3, 118).v, SPAM_50, 0 };
	const struct tg_build_input rows[] = {
		{ .kind = TG_IMAGE_POLICY },
		{ .kind = TG_IMAGE_BASE, .base_id = 1 },
		{ .kind = TG_IMAGE_DELTA },
		{ .kind = TG_IMAGE_BASE, .replaces_ranges = true },
		{ .kind = TG_IMAGE_DELTA,
		  .base_id = 1,
		  .intervals = &good_interval,
		  .n_intervals = 1 },
		{ .kind = TG_IMAGE_BASE, .shorts = &e164, .n_shorts = 1 },
	};
	struct tg_error err;
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(rows); i++)
		assert_int_equal(plan(&rows[i], &err), -EINVAL);
}

static int write_to(const struct tg_build_input *in, struct tg_error *err)
{
	struct tg_build *build;
	uint64_t length, id;
	void *image;
	int rc;

	assert_int_equal(tg_build_plan(in, &build, &length, err), 0);
	image = aligned_alloc(4096, (length + 4095) & ~4095ull);
	memset(image, 0, length);
	rc = tg_build_write(build, image, &id, err);
	free(image);
	tg_build_free(build);
	return rc;
}

/* Also where the bucket overflows and the two meet only when they look for a second place. */
TG_TEST(build_names_a_number_that_stands_twice, TG_NEEDS_NOTHING)
{
	enum {
		N = 100000
	};
	struct tg_build_number *numbers = calloc(N + 1, sizeof(*numbers));
	struct tg_build_input in = { .kind = TG_IMAGE_BASE,
				     .numbers = numbers,
				     .n_numbers = N + 1 };
	struct tg_error err;
	unsigned i, twin;
	char text[32];

	for (i = 0; i < N; i++)
		numbers[i] = (struct tg_build_number){ 447700000000ull + i, SPAM_50, 0 };
	for (twin = 0; twin < N; twin += 997) {
		numbers[N] = numbers[twin];
		assert_int_equal(write_to(&in, &err), -EEXIST);
		snprintf(text, sizeof(text), "+%llu ", (unsigned long long)numbers[twin].value);
		assert_non_null(strstr(err.text, text));
	}
	free(numbers);
}

TG_TEST(build_names_a_short_code_that_stands_twice, TG_NEEDS_NOTHING)
{
	const uint64_t code = tg_num_make(TG_NUM_SHORT, 5, 118).v;
	const struct tg_build_short shorts[] = { { code, SPAM_50, 0 }, { code, SPAM_50, 0 } };
	const struct tg_build_input in = { .kind = TG_IMAGE_BASE, .shorts = shorts, .n_shorts = 2 };
	struct tg_error err;

	assert_int_equal(write_to(&in, &err), -EEXIST);
	assert_string_equal(err.text, "00118 stands twice");
}

/* Ten bytes a number; the filter while it pays. Around the boundary of each rule. */
TG_TEST(build_sizes, TG_NEEDS_NOTHING)
{
	assert_int_equal(tg_build_buckets(1), TG_BUCKETS_MIN);
	assert_int_equal(tg_build_buckets(6553), 1024);
	assert_int_equal(tg_build_buckets(6554), 1025);
	assert_int_equal(tg_build_buckets(100000000), 15625000);
	assert_int_equal(tg_build_filter_blocks(400000), 0);
	assert_int_equal(tg_build_filter_blocks(1000000), 39063);
	assert_true(tg_build_filter_blocks(13000000) > 0);
	assert_int_equal(tg_build_filter_blocks(14000000), 0);
}

/* The same contents have the same id, whenever they were made and in whatever order they came. */
TG_TEST(build_id_is_of_the_contents, TG_NEEDS_NOTHING)
{
	struct tg_build_number two[] = { good_number, { 447700900123, SPAM_50, 0 } };
	struct tg_build_input in = {
		.kind = TG_IMAGE_BASE, .hash_key = 12345, .numbers = two, .n_numbers = 2
	};
	struct tg_test_image a = tg_test_image_build(&in), b;

	in.created = 99;
	b = tg_test_image_build(&in);
	assert_int_equal(a.id, b.id);
	tg_test_image_free(&b);
	two[1].listing++;
	b = tg_test_image_build(&in);
	assert_int_not_equal(a.id, b.id);
	tg_test_image_free(&a);
	tg_test_image_free(&b);
}

/* A key is secret unless it is given: two builds of the same numbers do not share one. */
TG_TEST(TB_6_hash_key_is_random, TG_NEEDS_NOTHING)
{
	const struct tg_build_input in = { .kind = TG_IMAGE_BASE,
					   .numbers = &good_number,
					   .n_numbers = 1 };
	struct tg_test_image a = tg_test_image_build(&in), b = tg_test_image_build(&in);

	assert_int_not_equal(a.table.header->hash_key, b.table.header->hash_key);
	tg_test_image_free(&a);
	tg_test_image_free(&b);
}

static uint64_t spread(uint64_t i)
{
	return i * 0x9e3779b97f4a7c15ull % (TG_NUMBERS_END - 1) + 1;
}

/* Far beyond the load that the builder plans with, everything finds a place; a table with less room
 * than numbers says so, and a number is never left out in silence. */
TG_TEST(TB_7_numbers_find_places_at_all_loads, TG_NEEDS_NOTHING)
{
	static const unsigned percent[] = { 10, 50, 75, 80, 90, 95, 101 };
	const uint32_t n_buckets = 5000;
	const struct tg_exact_shape shape = tg_exact_shape(0x2b0d1a5c3f711, n_buckets);
	struct tg_build_number *numbers = calloc(8 * n_buckets * 11 / 10, sizeof(*numbers));
	uint64_t *buckets = malloc(n_buckets * TG_BUCKET_BYTES);
	uint64_t twice, i;
	unsigned k;

	for (k = 0; k < TG_ARRAY_LEN(percent); k++) {
		const uint64_t n = 8 * n_buckets * percent[k] / 100;
		uint64_t used = 0;
		int rc;

		for (i = 0; i < n; i++)
			numbers[i] = (struct tg_build_number){ spread(i), SPAM_50, 0 };
		memset(buckets, 0, n_buckets * TG_BUCKET_BYTES);
		rc = tg_build_exact(&shape, numbers, n, buckets, &twice);
		assert_int_equal(rc, percent[k] > 100 ? -EAGAIN : 0);
		for (i = 0; i < n_buckets * 8; i++)
			used += (buckets[i] & ~TG_ENTRY_OVERFLOW) != 0;
		assert_true(rc != 0 || used == n);
	}
	free(buckets);
	free(numbers);
}

/* Large tables are filled region by region, a block of numbers at a time: more than one of each. */
TG_TEST(build_by_region_places_every_number_where_it_is_looked_for, TG_NEEDS_NOTHING)
{
	enum {
		N = 1200000
	};
	const struct tg_exact_shape shape = tg_exact_shape(0x2b0d1a5c3f711,
							   (uint32_t)tg_build_buckets(N));
	struct tg_build_number *numbers = malloc(N * sizeof(*numbers));
	uint64_t *buckets = calloc(shape.n_buckets, TG_BUCKET_BYTES);
	const struct tg_table table = { .buckets = buckets, .exact = shape };
	struct tg_table_adapt adapt = { 0 };
	struct tg_num *nums = malloc(N * sizeof(*nums));
	uint32_t *listings = malloc(N * sizeof(*listings));
	uint64_t twice, i;

	for (i = 0; i < N; i++) {
		numbers[i] = (struct tg_build_number){ spread(i), SPAM_50, 0 };
		nums[i] = tg_num_make(TG_NUM_E164, 15, spread(i));
	}
	assert_int_equal(tg_build_exact(&shape, numbers, N, buckets, &twice), 0);
	tg_table_lookup_burst(&table, NULL, &adapt, nums, N, listings);
	for (i = 0; i < N; i++)
		assert_int_equal(listings[i], SPAM_50);
	memset(buckets, 0, shape.n_buckets * TG_BUCKET_BYTES);
	numbers[N - 1] = numbers[5]; /* in different blocks */
	assert_int_equal(tg_build_exact(&shape, numbers, N, buckets, &twice), -EEXIST);
	assert_int_equal(twice, numbers[5].value);
	free(listings);
	free(nums);
	free(buckets);
	free(numbers);
}

/* tag and bucket are the number: no two numbers share both, whatever the shape. */
TG_TEST(layout_is_a_bijection, TG_NEEDS_NOTHING)
{
	static const uint32_t sizes[] = { 1024, 1025, 2047, 2048, 4099, 1000003, 0xffffffff };
	uint64_t seed = 8, inverse;
	unsigned k, i;

	for (k = 0; k < TG_ARRAY_LEN(sizes); k++)
		for (i = 0; i < 20000; i++) {
			const uint64_t key = (tg_test_random(&seed) & TG_KEY_MASK) | 1;
			const struct tg_exact_shape s = tg_exact_shape(key, sizes[k]);
			const uint64_t x = tg_test_random(&seed) & TG_KEY_MASK;
			const uint64_t y = tg_exact_mix(&s, x);
			const uint32_t c = tg_crc32c_u64(y);
			const uint32_t home = tg_exact_home(&s, c);
			const uint64_t tag = tg_exact_tag(&s, y, c);
			const uint32_t other = tg_exact_other(&s, home, tag);
			uint64_t first = (((uint64_t)home << 32) + s.n_buckets - 1) / s.n_buckets;
			uint64_t back;

			assert_true(home < s.n_buckets && other < s.n_buckets);
			assert_int_equal(tg_exact_other(&s, other, tag), home);
			assert_true(tag < tg_exact_displaced(&s));
			assert_int_equal(tg_exact_listing(&s, tg_exact_entry(&s, tag, 0x3fffff) |
								      TG_ENTRY_OVERFLOW),
					 0x3fffff);
			/* back: c is the one value of the home's interval with these low bits */
			back = first + ((tag - first) & ((1ull << s.low_bits) - 1));
			assert_int_equal(back, c);
			/* and y's high bits are the tag's; its low ones follow, as crc is linear */
			assert_int_equal(tag >> s.low_bits, y >> 32);
			for (inverse = key, back = 0; back < 5; back++)
				inverse *= 2 - key * inverse;
			assert_int_equal(y * inverse & TG_KEY_MASK, x);
		}
}

/* Bits of a 32-bit input that crc32c tells apart: all 32, so that it permutes them. */
TG_TEST(layout_crc_permutes_low_words, TG_NEEDS_NOTHING)
{
	uint32_t row[32];
	unsigned rank = 0, i, j;

	for (i = 0; i < 32; i++)
		row[i] = tg_crc32c_u64(1ull << i);
	for (i = 0; i < 32; i++) {
		for (j = rank; j < 32 && !(row[j] >> i & 1); j++)
			;
		if (j == 32)
			continue;
		row[j] ^= row[rank];
		row[rank] ^= row[j];
		row[j] ^= row[rank];
		for (j = 0; j < 32; j++)
			if (j != rank && row[j] >> i & 1)
				row[j] ^= row[rank];
		rank++;
	}
	assert_int_equal(rank, 32);
}

TG_TEST(layout_crc_is_the_same_by_instruction_and_table, TG_NEEDS_NOTHING)
{
	uint64_t seed = 4;
	unsigned i;

	assert_int_equal(tg_crc32c_u64_table(0), 0);
	/* one bit: its remainder modulo the reflected polynomial 0x82f63b78 */
	assert_int_equal(tg_crc32c_u64_table(1ull << 63), 0x82f63b78u);
	for (i = 0; i < 10000; i++) {
		const uint64_t v = tg_test_random(&seed);

		assert_int_equal(tg_crc32c_u64(v), tg_crc32c_u64_table(v));
	}
}
