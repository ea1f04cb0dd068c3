/* SPDX-License-Identifier: BSD-3-Clause */
/* Damage of every kind is refused, with its place, before anything is looked up. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/support/image.h"
#include "tests/support/tg_test.h"
#include "tollgate/num.h"

#define NUMBER 12025550123ull

static struct tg_test_image small_image(enum tg_image_kind kind)
{
	static const struct tg_build_number numbers[] = {
		{ NUMBER, TG_LISTING_TOMBSTONE, 0 },
		{ 447700900123, 0x451, 0 },
		{ 61491570156, 0x451, 0 },
	};
	static const struct tg_build_interval intervals[] = {
		{ 447700900000000, 447700900999999, 0x321, 12, 15, { 0 } },
		{ 852810000000000, 852819999999999, 0x641, 11, 11, { 0 } },
	};
	const struct tg_build_short shorts[] = {
		{ tg_num_make(TG_NUM_SHORT, 3, 118).v, 0x451, 0 },
		{ tg_num_make(TG_NUM_SHORT, 5, 7).v, 0x451, 0 },
	};
	const bool delta = kind == TG_IMAGE_DELTA;
	const struct tg_build_input in = {
		.kind = kind,
		.base_id = delta ? 7 : 0,
		.hash_key = 0x1234567,
		.numbers = delta ? numbers : numbers + 1,
		.n_numbers = delta ? 3 : 2,
		.intervals = intervals,
		.n_intervals = TG_ARRAY_LEN(intervals),
		.shorts = shorts,
		.n_shorts = TG_ARRAY_LEN(shorts),
		.replaces_ranges = delta,
	};

	return tg_test_image_build(&in);
}

static bool opens(const void *bytes, uint64_t length, enum tg_image_kind kind,
		  struct tg_image_error *err)
{
	struct tg_table t;
	const int rc = tg_table_open(&t, bytes, length, kind, err);

	assert_true(rc == 0 || rc == -EINVAL);
	assert_int_equal(rc == 0, err->code == TG_IMAGE_ERROR_NONE);
	assert_true(rc == 0 || (t.header == NULL && t.buckets == NULL));
	return rc == 0;
}

/* The section in which byte `at` lies: the header also stands for the gaps. */
static enum tg_image_section_kind section_at(const struct tg_image_header *h, uint64_t at)
{
	uint32_t i;

	for (i = 0; i < h->n_sections; i++)
		if (at >= h->section[i].offset && at < h->section[i].offset + h->section[i].length)
			return (enum tg_image_section_kind)h->section[i].kind;
	return TG_IMAGE_SECTION_HEADER;
}

static void flip_every_byte(enum tg_image_kind kind)
{
	struct tg_test_image im = small_image(kind);
	const struct tg_image_header h = *(const struct tg_image_header *)im.bytes;
	uint8_t *bytes = im.bytes;
	struct tg_image_error err;
	uint64_t at;

	for (at = 0; at < im.length; at++) {
		bytes[at] ^= (uint8_t)(1u << at % 8);
		if (opens(bytes, im.length, kind, &err))
			fail_msg("byte %llu flipped, and nobody noticed", (unsigned long long)at);
		assert_int_equal(err.section, section_at(&h, at));
		if (err.section != TG_IMAGE_SECTION_HEADER)
			assert_in_range(at, err.offset, err.offset + err.length - 1);
		bytes[at] ^= (uint8_t)(1u << at % 8);
	}
	assert_true(opens(bytes, im.length, kind, &err));
	tg_test_image_free(&im);
}

TG_TEST(TB_5_every_flipped_byte_is_noticed, TG_NEEDS_NOTHING)
{
	flip_every_byte(TG_IMAGE_BASE);
	flip_every_byte(TG_IMAGE_DELTA);
}

TG_TEST(TB_5_flipped_bytes_of_a_large_image_are_noticed, TG_NEEDS_NOTHING)
{
	enum {
		N = 200000
	};
	static struct tg_build_number numbers[N];
	const struct tg_build_input in = { .kind = TG_IMAGE_BASE,
					   .numbers = numbers,
					   .n_numbers = N };
	struct tg_test_image im;
	struct tg_image_error err;
	uint64_t seed = 3, at;
	uint8_t *bytes;
	unsigned i;

	for (i = 0; i < N; i++)
		numbers[i] = (struct tg_build_number){ 447700000000ull + i * 3, 0x451, 0 };
	im = tg_test_image_build(&in);
	bytes = im.bytes;
	for (i = 0; i < 400; i++) {
		at = tg_test_random(&seed) % im.length;
		bytes[at] ^= 0x40;
		assert_false(opens(bytes, im.length, TG_IMAGE_BASE, &err));
		bytes[at] ^= 0x40;
	}
	assert_true(opens(bytes, im.length, TG_IMAGE_BASE, &err));
	tg_test_image_free(&im);
}

/* At the end of the mapping, so that a byte read behind the end faults. */
TG_TEST(TB_5_every_truncation_is_noticed, TG_NEEDS_NOTHING)
{
	struct tg_test_image im = small_image(TG_IMAGE_BASE);
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const size_t room = (im.length + page - 1) / page * page;
	uint8_t *area = mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			     -1, 0);
	struct tg_image_error err;
	uint64_t n;

	assert_true(area != MAP_FAILED);
	assert_int_equal(mprotect(area + room, page, PROT_NONE), 0);
	for (n = 0; n <= im.length; n += 8) {
		/* a word's alignment is the caller's duty */
		uint8_t *at = area + room - (im.length - im.length % 8);

		at = n <= im.length - im.length % 8 ? area + room - n : at;
		memcpy(at, im.bytes, n);
		if (n < im.length)
			assert_false(opens(at, n, TG_IMAGE_BASE, &err));
		else
			assert_true(opens(at, n, TG_IMAGE_BASE, &err));
		n += n > 1024 && n + 4096 < im.length ? 1000 : 0;
	}
	munmap(area, room + page);
	tg_test_image_free(&im);
}

/* What a header may say that is well made and not for us; each is asked with good checksums, unless
 * what is wrong comes before them. */
static const struct {
	const char *what;
	size_t field;
	unsigned width;
	uint64_t value;
	bool resealed;
	enum tg_image_error_code code;
} headers[] = {
#define H(field) offsetof(struct tg_image_header, field)
	{ "magic", H(magic), 8, 0, true, TG_IMAGE_ERROR_MAGIC },
	{ "byte order", H(byte_order), 4, 0x04030201, true, TG_IMAGE_ERROR_BYTE_ORDER },
	{ "older", H(version), 4, TG_IMAGE_VERSION - 1, true, TG_IMAGE_ERROR_OLD_VERSION },
	{ "newer", H(version), 4, TG_IMAGE_VERSION + 1, true, TG_IMAGE_ERROR_NEW_VERSION },
	{ "kind", H(kind), 4, TG_IMAGE_POLICY, true, TG_IMAGE_ERROR_KIND },
	{ "count", H(n_exact), 8, 1, false, TG_IMAGE_ERROR_HEADER_CHECKSUM },
	{ "length", H(length), 8, 0, true, TG_IMAGE_ERROR_LENGTH },
	{ "reserved", H(reserved), 8, 1, true, TG_IMAGE_ERROR_LAYOUT },
	{ "section kind", H(section[0].kind), 4, 99, true, TG_IMAGE_ERROR_LAYOUT },
	{ "offset", H(section[1].offset), 8, 1ull << 63, false, TG_IMAGE_ERROR_HEADER_CHECKSUM },
	{ "n_exact", H(n_exact), 8, 1, true, TG_IMAGE_ERROR_CONTENT },
	{ "n_short", H(n_short), 8, 1, true, TG_IMAGE_ERROR_LAYOUT },
	{ "n_ranges", H(n_ranges), 8, 0, true, TG_IMAGE_ERROR_LAYOUT },
	{ "even key", H(hash_key), 8, 2, true, TG_IMAGE_ERROR_CONTENT },
	{ "long key", H(hash_key), 8, (1ull << 50) + 1, true, TG_IMAGE_ERROR_CONTENT },
	{ "base replaces", H(replaces_ranges), 8, 1, true, TG_IMAGE_ERROR_CONTENT },
	{ "base has a base", H(base_id), 8, 1, true, TG_IMAGE_ERROR_CONTENT },
};

TG_TEST(TB_4_headers_of_another_make_are_refused_by_name, TG_NEEDS_NOTHING)
{
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(headers); i++) {
		struct tg_test_image im = small_image(TG_IMAGE_BASE);
		struct tg_image_error err;

		memcpy((uint8_t *)im.bytes + headers[i].field, &headers[i].value, headers[i].width);
		if (headers[i].resealed)
			tg_test_image_reseal(im.bytes);
		assert_false(opens(im.bytes, im.length, TG_IMAGE_BASE, &err));
		if (err.code != headers[i].code)
			fail_msg("%s: %s", headers[i].what, tg_image_error_text(err.code));
		assert_int_equal(err.section, TG_IMAGE_SECTION_HEADER);
		tg_test_image_free(&im);
	}
}

TG_TEST(image_of_the_other_kind_is_refused, TG_NEEDS_NOTHING)
{
	struct tg_test_image base = small_image(TG_IMAGE_BASE), delta = small_image(TG_IMAGE_DELTA);
	struct tg_image_error err;

	assert_false(opens(base.bytes, base.length, TG_IMAGE_DELTA, &err));
	assert_int_equal(err.code, TG_IMAGE_ERROR_KIND);
	assert_false(opens(delta.bytes, delta.length, TG_IMAGE_BASE, &err));
	assert_int_equal(err.code, TG_IMAGE_ERROR_KIND);
	tg_test_image_free(&base);
	tg_test_image_free(&delta);
}

/* Sections whose checksums are right and whose contents are not: {section, word, value}. A word is 8
 * bytes, counted from the section's start; UINT64_MAX = the section's last. */
static const struct {
	enum tg_image_section_kind section;
	uint64_t word;
	uint64_t value;
} contents[] = {
	{ TG_IMAGE_SECTION_EXACT, 17, 5 },		    /* an entry without a listing */
	{ TG_IMAGE_SECTION_EXACT, 17, 0x7fffffffffffffff }, /* no such category */
	{ TG_IMAGE_SECTION_RANGE_INDEX, 0, 1 },
	{ TG_IMAGE_SECTION_RANGE_INDEX, 3, 0xffffffff },
	{ TG_IMAGE_SECTION_RANGE_BOUNDS, 0, 1 },	  /* the first is at 0 */
	{ TG_IMAGE_SECTION_RANGE_BOUNDS, 2, 0 },	  /* ascending */
	{ TG_IMAGE_SECTION_RANGE_BOUNDS, 1, 50 },	  /* no such set */
	{ TG_IMAGE_SECTION_RANGE_BOUNDS, 1, 1ull << 32 }, /* not zero */
	{ TG_IMAGE_SECTION_RANGE_BOUNDS, 2, 1ull << 60 },
	{ TG_IMAGE_SECTION_RANGE_SETS, 3, 0x451 },	 /* set 0 is empty */
	{ TG_IMAGE_SECTION_RANGE_SETS, 8, 0x451 },	 /* a number of no digits */
	{ TG_IMAGE_SECTION_RANGE_SETS, 14, 0xf },	 /* no such category */
	{ TG_IMAGE_SECTION_RANGE_SETS, 14, 1ull << 22 }, /* an answer's bit */
	{ TG_IMAGE_SECTION_SHORT, 0, 118 },		 /* no short code */
	{ TG_IMAGE_SECTION_SHORT, 0, UINT64_MAX },
	{ TG_IMAGE_SECTION_SHORT, 1, 0 }, /* no listing */
	{ TG_IMAGE_SECTION_SHORT, 1, 1ull << 32 | 0x451 },
};

TG_TEST(image_contents_are_checked_beyond_checksums, TG_NEEDS_NOTHING)
{
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(contents); i++) {
		struct tg_test_image im = small_image(TG_IMAGE_BASE);
		const struct tg_image_section *s = tg_image_find(im.table.header,
								 contents[i].section);
		struct tg_image_error err;

		assert_non_null(s);
		memcpy((uint8_t *)im.bytes + s->offset + 8 * contents[i].word, &contents[i].value,
		       8);
		tg_test_image_reseal(im.bytes);
		assert_false(opens(im.bytes, im.length, TG_IMAGE_BASE, &err));
		if (err.code != TG_IMAGE_ERROR_CONTENT || err.section != contents[i].section)
			fail_msg("row %u: %s in %s at %llu", i, tg_image_error_text(err.code),
				 tg_image_section_name(err.section),
				 (unsigned long long)err.offset);
		tg_test_image_free(&im);
	}
}

TG_TEST(image_tombstones_are_for_deltas, TG_NEEDS_NOTHING)
{
	struct tg_test_image delta = small_image(TG_IMAGE_DELTA);
	struct tg_image_header *h = delta.bytes;
	struct tg_image_error err;

	h->kind = TG_IMAGE_BASE;
	h->base_id = 0;
	h->replaces_ranges = 0;
	tg_test_image_reseal(h);
	assert_false(opens(delta.bytes, delta.length, TG_IMAGE_BASE, &err));
	assert_int_equal(err.code, TG_IMAGE_ERROR_CONTENT);
	assert_int_equal(err.section, TG_IMAGE_SECTION_EXACT);
	tg_test_image_free(&delta);
}

TG_TEST(image_texts_name_every_code_and_section, TG_NEEDS_NOTHING)
{
	unsigned i;

	for (i = 0; i < TG_IMAGE_ERROR_COUNT; i++)
		assert_true(strlen(tg_image_error_text(i)) > 4);
	for (i = 0; i < TG_IMAGE_SECTION_COUNT; i++)
		assert_true(strlen(tg_image_section_name(i)) > 4);
	assert_string_equal(tg_image_error_text(TG_IMAGE_ERROR_COUNT), "?");
	assert_string_equal(tg_image_section_name(TG_IMAGE_SECTION_COUNT), "?");
}
