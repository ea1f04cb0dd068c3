/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/merge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* 0 allow, 1 emergency, 2 the rest. */
static int class_of(unsigned category)
{
	if (category == TG_CATEGORY_ALLOW)
		return 0;
	return category == TG_CATEGORY_EMERGENCY ? 1 : 2;
}

int tg_merge_compare(const struct tg_row *a, const struct tg_row *b,
		     const struct tg_merge_order *order)
{
	const unsigned ca = tg_row_category(a), cb = tg_row_category(b);

	if (class_of(ca) != class_of(cb))
		return class_of(ca) - class_of(cb);
	if (tg_row_score(a) != tg_row_score(b))
		return (int)tg_row_score(b) - (int)tg_row_score(a);
	if (ca != cb)
		return (int)ca - (int)cb;
	if (!order || !order->rank)
		return (int)tg_row_source(a) - (int)tg_row_source(b);
	return (int)order->rank[tg_row_source(a)] - (int)order->rank[tg_row_source(b)];
}

static uint32_t slot_of(const struct tg_row *row)
{
	return row ? tg_listing_slot((enum tg_category)tg_row_category(row), tg_row_score(row)) : 0;
}

uint32_t tg_merge_listing(const struct tg_row *rows, size_t n, int64_t now,
			  const struct tg_merge_order *order)
{
	const struct tg_row *best[2] = { NULL, NULL };
	unsigned side;
	size_t i;

	for (i = 0; i < n; i++) {
		if ((rows[i].meta & TG_ROW_GONE) || tg_row_expired(&rows[i], now))
			continue;
		for (side = 0; side < 2; side++)
			if ((tg_row_roles(&rows[i]) >> side & 1) &&
			    (!best[side] || tg_merge_compare(&rows[i], best[side], order) < 0))
				best[side] = &rows[i];
	}
	return tg_listing_make(slot_of(best[TG_SIDE_CALLER]), slot_of(best[TG_SIDE_CALLED]));
}

struct tg_build_interval tg_merge_interval(const struct tg_row *row)
{
	const unsigned digits = tg_row_digits(row);
	const uint64_t unit = tg_num_pow10(TG_NUM_MAX_DIGITS - digits);

	/* A range reaches to just before its last number's successor, as a prefix does: the two are
	 * then equally wide when they say the same. */
	return (struct tg_build_interval){
		.lo = tg_row_lo(row) * unit,
		.hi = (tg_row_hi(row) + 1) * unit - 1,
		.digits_min = (uint8_t)digits,
		.digits_max = tg_row_kind(row) == TG_RECORD_PREFIX ? TG_NUM_MAX_DIGITS
								   : (uint8_t)digits,
	};
}

static int grow(void **array, size_t *cap, size_t need, size_t size)
{
	size_t n = *cap ? *cap : 64;
	void *p;

	if (need <= *cap)
		return 0;
	while (n < need)
		n *= 2;
	p = realloc(*array, n * size);
	if (!p)
		return -ENOMEM;
	*array = p;
	*cap = n;
	return 0;
}

int tg_merge_reserve(struct tg_merge_output *out, size_t numbers, size_t intervals, size_t shorts)
{
	int rc = grow((void **)&out->numbers, &out->cap_numbers, numbers, sizeof(*out->numbers));

	if (!rc)
		rc = grow((void **)&out->intervals, &out->cap_intervals, intervals,
			  sizeof(*out->intervals));
	if (!rc)
		rc = grow((void **)&out->shorts, &out->cap_shorts, shorts, sizeof(*out->shorts));
	return rc;
}

int tg_merge_append(struct tg_merge_output *out, const struct tg_row *row, uint32_t listing,
		    bool tombstone)
{
	const bool exact = tg_row_kind(row) == TG_RECORD_EXACT;
	struct tg_build_interval interval;

	if (listing == 0 && !(tombstone && exact))
		return 0;
	if (tg_merge_reserve(out, out->n_numbers + 1, out->n_intervals + 1, out->n_shorts + 1) != 0)
		return -ENOMEM;
	switch (tg_row_kind(row)) {
	case TG_RECORD_EXACT:
		out->numbers[out->n_numbers++] = (struct tg_build_number){
			.value = tg_row_lo(row),
			.listing = listing ? listing : TG_LISTING_TOMBSTONE,
		};
		break;
	case TG_RECORD_SHORT:
		out->shorts[out->n_shorts++] = (struct tg_build_short){
			.num = tg_num_make(TG_NUM_SHORT, tg_row_digits(row), tg_row_lo(row)).v,
			.listing = listing,
		};
		break;
	default:
		interval = tg_merge_interval(row);
		interval.listing = listing;
		out->intervals[out->n_intervals++] = interval;
	}
	return 0;
}

int tg_merge_rows(struct tg_merge_output *out, const struct tg_row *rows, size_t n, int64_t now,
		  const struct tg_merge_order *order)
{
	size_t i, j;
	int rc;

	for (i = 0; i < n; i = j) {
		for (j = i + 1; j < n && tg_row_same_number(&rows[i], &rows[j]); j++)
			;
		rc = tg_merge_append(out, &rows[i], tg_merge_listing(rows + i, j - i, now, order),
				     false);
		if (rc)
			return rc;
	}
	return 0;
}

void tg_merge_finish(struct tg_merge_output *out, struct tg_build_input *in)
{
	in->numbers = out->numbers;
	in->n_numbers = out->n_numbers;
	in->intervals = out->intervals;
	in->n_intervals = out->n_intervals;
	in->shorts = out->shorts;
	in->n_shorts = out->n_shorts;
	memset(out, 0, sizeof(*out));
}

void tg_merge_free(struct tg_merge_output *out)
{
	free(out->numbers);
	free(out->intervals);
	free(out->shorts);
	memset(out, 0, sizeof(*out));
}
