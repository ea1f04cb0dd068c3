/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Octets: first as an image, base and delta; then as changes {kind, offset, value: 8 octets each} to a
 * valid image, whose checksums are made to fit again, so that the checks behind them are reached.
 * Whatever opens is looked up in.
 */
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "control/build.h"
#include "tollgate/load.h"
#include "tollgate/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHANGES_MAX 16
#define BURST 67

static void must(bool holds)
{
	if (!holds)
		__builtin_trap();
}

static void look_up(const struct tg_table *base, const struct tg_table *delta)
{
	static const char *const variants[] = { "portable", "avx2", "avx512" };
	struct tg_table_adapt adapt = { 0 };
	struct tg_num nums[BURST];
	uint32_t first[BURST], again[BURST];
	uint64_t seed = 1;
	unsigned i, v;

	for (i = 0; i < BURST; i++) {
		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		nums[i].v = i % 3 ? seed >> 8
				  : seed; /* all kinds, also words that num never makes */
	}
	nums[0] = tg_num_make(TG_NUM_E164, 15, TG_NUMBERS_END - 1);
	nums[1] = tg_num_make(TG_NUM_E164, 12, 447700900123);
	nums[2] = tg_num_make(TG_NUM_SHORT, 3, 118);
	for (v = 0; v < TG_ARRAY_LEN(variants); v++) {
		if (!tg_table_variant_set(variants[v]))
			continue;
		tg_table_lookup_burst(base, delta, &adapt, nums, BURST, v ? again : first);
		must(v == 0 || memcmp(first, again, sizeof(first)) == 0);
	}
	tg_table_variant_set(NULL);
}

static void try_image(const void *image, uint64_t length)
{
	static const struct tg_table none;
	struct tg_image_error err;
	struct tg_table t;

	if (tg_table_open(&t, image, length, TG_IMAGE_BASE, &err) == 0)
		look_up(&t, NULL);
	must(err.code < TG_IMAGE_ERROR_COUNT && err.offset <= length);
	if (tg_table_open(&t, image, length, TG_IMAGE_DELTA, &err) == 0)
		look_up(&none, &t);
	must(err.code < TG_IMAGE_ERROR_COUNT && err.section < TG_IMAGE_SECTION_COUNT);
}

/* A small image with all sections but the filter, and with one of those that are built for it. */
static uint8_t *make_image(enum tg_image_kind kind, uint64_t *length)
{
	static const struct tg_build_number numbers[] = { { 447700900123, 0x451, 0 },
							  { 12025550123, 0x323, 0 } };
	static const struct tg_build_interval intervals[] = {
		{ 447700900000000, 447700900999999, 0x321, 12, 15, { 0 } },
		{ 852810000000000, 852819999999999, 0x641, 11, 11, { 0 } },
	};
	const struct tg_build_short code = { tg_num_make(TG_NUM_SHORT, 3, 118).v, 0x451, 0 };
	const struct tg_build_input in = {
		.kind = kind,
		.base_id = kind == TG_IMAGE_DELTA,
		.hash_key = 77777,
		.numbers = numbers,
		.n_numbers = 2,
		.intervals = intervals,
		.n_intervals = 2,
		.shorts = &code,
		.n_shorts = 1,
		.replaces_ranges = kind == TG_IMAGE_DELTA,
	};
	struct tg_build *build;
	uint8_t *image;
	uint64_t id;

	must(tg_build_plan(&in, &build, length, NULL) == 0);
	image = calloc(1, *length);
	must(image && tg_build_write(build, image, &id, NULL) == 0);
	tg_build_free(build);
	return image;
}

/* Checksums that fit, as far as the sections lie inside. */
static void reseal(uint8_t *image, uint64_t length)
{
	struct tg_image_header *h = (struct tg_image_header *)(void *)image;
	uint32_t i;

	for (i = 0; i < h->n_sections && i < TG_IMAGE_MAX_SECTIONS; i++) {
		struct tg_image_section *s = &h->section[i];

		if (s->offset <= length && s->length <= length - s->offset)
			s->checksum = XXH3_64bits(image + s->offset, s->length);
	}
	h->id = tg_image_id(h);
	h->checksum = XXH3_64bits(h, offsetof(struct tg_image_header, checksum));
}

/* Octet 0: which section (0 = header); 1-3: place in it; 4-7: the new value. */
static void change(uint8_t *image, const struct tg_image_header *h, const uint8_t *bytes)
{
	const unsigned which = bytes[0] % (h->n_sections + 1);
	const uint64_t from = which ? h->section[which - 1].offset : 0;
	const uint64_t room = which ? h->section[which - 1].length : sizeof(*h);
	const uint64_t at = (tg_load_u32(bytes) >> 8) % (room - 3);

	memcpy(image + from + at, bytes + 4, 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t *valid[2];
	static uint64_t length[2];
	const unsigned which = size & 1;
	struct tg_image_header h;
	uint8_t *copy;
	size_t i;

	if (!valid[which])
		valid[which] = make_image(which ? TG_IMAGE_DELTA : TG_IMAGE_BASE, &length[which]);
	copy = aligned_alloc(64, (size + 64) & ~(size_t)63);
	must(copy);
	memcpy(copy, data, size);
	try_image(copy, size);
	free(copy);

	copy = aligned_alloc(64, (length[which] + 63) & ~(size_t)63);
	must(copy);
	memcpy(copy, valid[which], length[which]);
	memcpy(&h, copy, sizeof(h));
	for (i = 0; i + 8 <= size && i < CHANGES_MAX * 8; i += 8)
		change(copy, &h, data + i);
	reseal(copy, length[which]);
	try_image(copy, length[which]);
	free(copy);
	return 0;
}
