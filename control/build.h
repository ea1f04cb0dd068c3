/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The writer's side of table.h: merged listings -> the bytes of a base or delta image. Pure: works on
 * arrays, writes into memory that the caller mapped (a memfd, a file), knows no source and no store.
 */
#ifndef TG_CONTROL_BUILD_H
#define TG_CONTROL_BUILD_H

#include "control/error.h"
#include "tollgate/image.h"
#include "tollgate/listing.h"

/* One E.164 number; each value at most once, any order. `listing` is non-zero. */
struct tg_build_number {
	uint64_t value;
	uint32_t listing; /* TG_LISTING_TOMBSTONE in a delta */
	uint32_t zero;
};

/* A prefix or range in the aligned space (value * 10^(15 - length)): lo..hi inclusive, for numbers
 * of digits_min to digits_max digits. Any order, may overlap. Narrower wins, role by role; of equal
 * width allow, then emergency, then the higher score. */
struct tg_build_interval {
	uint64_t lo;
	uint64_t hi;
	uint32_t listing;
	uint8_t digits_min;
	uint8_t digits_max;
	uint8_t zero[2];
};

/* A short code: struct tg_num's word. */
struct tg_build_short {
	uint64_t num;
	uint32_t listing;
	uint32_t zero;
};

struct tg_build_input {
	enum tg_image_kind kind; /* BASE or DELTA */
	uint64_t base_id;	 /* DELTA */
	uint64_t created;
	uint64_t hash_key; /* 0 = choose at random */
	const struct tg_build_number *numbers;
	uint64_t n_numbers;
	const struct tg_build_interval *intervals;
	uint64_t n_intervals;
	const struct tg_build_short *shorts;
	uint64_t n_shorts;
	bool replaces_ranges; /* DELTA: intervals and shorts are the whole truth, else there are none */
};

struct tg_build; /* a planned image: sizes, flattened ranges, the chosen key */

/* Plans; *length is what tg_build_write fills. Negative errno with *err. Free with tg_build_free. */
int tg_build_plan(const struct tg_build_input *in, struct tg_build **build, uint64_t *length,
		  struct tg_error *err);
/* `image`: *length zero bytes, page-aligned. *id is the image's id. */
int tg_build_write(struct tg_build *build, void *image, uint64_t *id, struct tg_error *err);
void tg_build_free(struct tg_build *build);

#endif
