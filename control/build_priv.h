/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The parts of the builder: exact table and filter (build_exact.c), ranges (build_ranges.c), and
 * build.c, which checks the input and puts them together.
 */
#ifndef TG_CONTROL_BUILD_PRIV_H
#define TG_CONTROL_BUILD_PRIV_H

#include "control/build.h"
#include "tollgate/table_layout.h"

/* How many buckets for n numbers, n > 0. */
uint64_t tg_build_buckets(uint64_t n);
/* How many filter blocks, 0 = a filter would not pay. */
uint64_t tg_build_filter_blocks(uint64_t n);

/*
 * Places all numbers in `buckets` (zero bytes). 0; -EAGAIN when this hash_key leaves a number without
 * a place (the buckets are then to be zeroed again); -EEXIST when a number stands twice, which *twice
 * names; -ENOMEM.
 */
int tg_build_exact(const struct tg_exact_shape *shape, const struct tg_build_number *numbers,
		   uint64_t n, uint64_t *buckets, uint64_t *twice);
/* Sets every number's bits in `filter` (zero bytes). */
void tg_build_filter(const struct tg_exact_shape *shape, const struct tg_build_number *numbers,
		     uint64_t n, uint32_t *filter, uint32_t n_blocks);

/* Flattened ranges, malloc'd. All zero = there are none. */
struct tg_flat_ranges {
	struct tg_range_bound *bounds;
	uint64_t n_bounds;
	struct tg_range_set *sets;
	uint64_t n_sets;
	unsigned shift; /* of the index */
};

/* 0 or -ENOMEM. n > 0; the intervals have been checked. */
int tg_build_flatten(const struct tg_build_interval *intervals, uint64_t n,
		     struct tg_flat_ranges *flat);
void tg_build_flat_free(struct tg_flat_ranges *flat);
/* Fills tg_range_cells(flat->shift) + 1 words. */
void tg_build_range_index(const struct tg_flat_ranges *flat, uint32_t *index);

#endif
