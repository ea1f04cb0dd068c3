/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The reputation table as the packet path sees it: an opened image, and burst lookups in
 * {base, delta}. Reads only; shared by all workers without a lock.
 *
 * Exact numbers stand in one-cache-line buckets of eight 8-byte entries, each a key remainder and a
 * listing; in front of them, where it pays, a split-block Bloom filter; behind them prefixes and
 * ranges, flattened to sorted boundaries. See dataplane/rep/README.md for layout and arithmetic.
 */
#ifndef TG_TABLE_H
#define TG_TABLE_H

#include "tollgate/base.h"
#include "tollgate/image.h"
#include "tollgate/listing.h"
#include "tollgate/num.h"
#include "tollgate/table_layout.h"

/* An opened image. The caller's memory; the fields are rep's own. The image stays mapped for as long
 * as the table is used. All zero is a table in which nothing is listed. */
struct tg_table {
	const struct tg_image_header *header;
	const uint64_t *buckets; /* TG_BUCKET_ENTRIES words each; NULL = none */
	struct tg_exact_shape exact;
	const uint32_t *filter; /* TG_FILTER_WORDS words a block; NULL = none */
	uint32_t n_filter_blocks;
	uint32_t range_shift;
	const uint32_t *range_index;
	const struct tg_range_bound *range_bounds;
	uint64_t n_range_bounds;
	const struct tg_range_set *range_sets;
	const struct tg_short_entry *shorts;
	uint64_t n_shorts;
};

/*
 * Validates everything once: header, checksums, shapes, order, every index and every listing, so that
 * no lookup can leave the image or answer what listing.h does not know, whatever the bytes are. What
 * only the writer can know, that a number stands where it is looked for, is the checksums' to keep.
 * `image` is aligned as a mapping is (8 bytes suffice). 0, or -EINVAL with *err and *t all zero.
 */
int tg_table_open(struct tg_table *t, const void *image, uint64_t length, enum tg_image_kind kind,
		  struct tg_image_error *err);

/* May `delta` be laid over `base`? 0 or -EINVAL with *err. */
int tg_table_check_delta(const struct tg_table *base, const struct tg_table *delta,
			 struct tg_image_error *err);

/* Per-worker state of the adaptive filter: whether it is asked at all. All zero is a fresh one. */
struct tg_table_adapt {
	uint32_t hit_ewma;	   /* share of numbers that the base lists, 16-bit fixed point */
	uint32_t bypassed;	   /* 1 = too many pass: the filter is not asked */
	uint64_t filter_negatives; /* statistics */
	uint64_t filter_false;	   /* passed the filter, not in the table */
};

/*
 * One listing (listing.h) for each number, 0 = in no list. A number that is none gets 0. `delta` may
 * be NULL. Any n; best in multiples of TG_BURST. For each role: exact, then the narrowest interval;
 * the delta's word on an exact number stands in for the base's.
 */
void tg_table_lookup_burst(const struct tg_table *base, const struct tg_table *delta,
			   struct tg_table_adapt *adapt, const struct tg_num *nums, unsigned n,
			   uint32_t *listings);

/*
 * Asks for the lines that a lookup of these numbers in `base` reads first: of the filter while that is
 * asked, else their buckets. For whoever has 100 ns of other work between knowing numbers and looking
 * them up.
 */
void tg_table_prefetch(const struct tg_table *base, const struct tg_table_adapt *adapt,
		       const struct tg_num *nums, unsigned n);

/* The CPU variant in use ("avx512", "avx2", "portable"), and a way for tests to force one; NULL = best. */
const char *tg_table_variant(void);
bool tg_table_variant_set(const char *name);

#endif
