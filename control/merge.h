/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The merge rule, in one place: many claims on one number -> one listing; sorted claims -> what an
 * image is built from. Role by role: allow, then emergency, then the highest score, then the category
 * that stands first in TG_CATEGORIES, then the source's name. Pure.
 */
#ifndef TG_CONTROL_MERGE_H
#define TG_CONTROL_MERGE_H

#include "control/build.h"
#include "control/rows.h"

/* Who the sources are, by the number in a row: their places in the order of names. NULL = one source. */
struct tg_merge_order {
	const uint16_t *rank;
};

/* < 0 when `a` prevails over `b`. */
int tg_merge_compare(const struct tg_row *a, const struct tg_row *b,
		     const struct tg_merge_order *order);

/* The listing of n claims on the same number; what has expired or is gone does not count. 0 = none. */
uint32_t tg_merge_listing(const struct tg_row *rows, size_t n, int64_t now,
			  const struct tg_merge_order *order);

/* How far a prefix or range reaches, in the aligned space (build.h). */
struct tg_build_interval tg_merge_interval(const struct tg_row *row);

/* Arrays that grow; all zero is empty. */
struct tg_merge_output {
	struct tg_build_number *numbers;
	struct tg_build_interval *intervals;
	struct tg_build_short *shorts;
	size_t n_numbers, n_intervals, n_shorts;
	size_t cap_numbers, cap_intervals, cap_shorts;
};

/* Makes room beforehand; 0 or -ENOMEM. */
int tg_merge_reserve(struct tg_merge_output *out, size_t numbers, size_t intervals, size_t shorts);
/* One number's claims; an exact number without a listing is left out, or a tombstone. */
int tg_merge_append(struct tg_merge_output *out, const struct tg_row *row, uint32_t listing,
		    bool tombstone);
/* All of a sorted array. */
int tg_merge_rows(struct tg_merge_output *out, const struct tg_row *rows, size_t n, int64_t now,
		  const struct tg_merge_order *order);
/* Hands the arrays to *in (malloc'd, see tg_records_input_free). */
void tg_merge_finish(struct tg_merge_output *out, struct tg_build_input *in);
void tg_merge_free(struct tg_merge_output *out);

#endif
