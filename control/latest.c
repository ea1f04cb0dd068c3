/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/latest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Numbers that a delta may gather until its base is there: to copy and build them takes 25 ms. */
#define DELTA_MOST 262144

static void drop_snapshot(struct tg_latest *l)
{
	if (l->has_snapshot)
		tg_ledger_snapshot_free(&l->snapshot);
	l->has_snapshot = false;
}

void tg_latest_clear(struct tg_latest *l)
{
	drop_snapshot(l);
	tg_memimage_put(l->base);
	tg_memimage_put(l->delta);
	free(l->overlay);
	*l = (struct tg_latest){ .ledger = NULL };
}

bool tg_latest_wants_base(const struct tg_latest *l)
{
	if (!l->base || l->overdue || tg_ledger_wants_base(l->ledger, l->base_batch))
		return true;
	return l->has_snapshot && l->snapshot.input.n_numbers > l->fold;
}

/* ---- building ------------------------------------------------------------------------------------ */

static int build_image(const struct tg_build_input *in, struct tg_memimage **image,
		       struct tg_error *err)
{
	struct tg_memimage_draft draft;
	struct tg_build *build;
	uint64_t length, id;
	int rc;

	rc = tg_build_plan(in, &build, &length, err);
	if (rc != 0)
		return rc;
	rc = tg_memimage_begin(&draft, length, err);
	if (rc != 0)
		goto free_build;
	rc = tg_build_write(build, draft.map, &id, err);
	if (rc != 0) {
		tg_memimage_discard(&draft);
		goto free_build;
	}
	rc = tg_memimage_seal(&draft, in->kind, image, err);
free_build:
	tg_build_free(build);
	return rc;
}

int tg_latest_build_base(struct tg_ledger *ledger, int64_t now, struct tg_latest_base *base,
			 struct tg_error *err)
{
	struct tg_ledger_snapshot snapshot;
	int rc;

	rc = tg_ledger_snapshot_base(ledger, now, &snapshot, err);
	if (rc != 0)
		return rc;
	snapshot.input.kind = TG_IMAGE_BASE;
	snapshot.input.created = (uint64_t)now;
	base->batch = snapshot.batch;
	base->time = now;
	rc = build_image(&snapshot.input, &base->image, err);
	tg_ledger_snapshot_free(&snapshot);
	return rc;
}

static int by_value(const void *a, const void *b)
{
	const struct tg_latest_overlay *x = a, *y = b;

	return x->number.value < y->number.value ? -1 : x->number.value > y->number.value;
}

static struct tg_latest_overlay *overlay_find(const struct tg_latest *l, uint64_t value)
{
	const struct tg_latest_overlay key = { .number.value = value };

	if (l->n_overlay == 0)
		return NULL;
	return bsearch(&key, l->overlay, l->n_overlay, sizeof(key), by_value);
}

/* The snapshot's numbers with the overlay's in their place; malloc'd. */
static struct tg_build_number *lay_over(const struct tg_latest *l, const struct tg_build_input *in,
					uint64_t *n)
{
	struct tg_build_number *numbers = malloc((in->n_numbers + l->n_overlay) * sizeof(*numbers));
	uint64_t i, count = 0;

	if (!numbers)
		return NULL;
	for (i = 0; i < in->n_numbers; i++) {
		if (!overlay_find(l, in->numbers[i].value))
			numbers[count++] = in->numbers[i];
	}
	for (i = 0; i < l->n_overlay; i++)
		numbers[count++] = l->overlay[i].number;
	*n = count;
	return numbers;
}

static int build_delta(const struct tg_latest *l, const struct tg_ledger_snapshot *snapshot,
		       int64_t now, struct tg_memimage **delta, struct tg_error *err)
{
	struct tg_build_input in = { .kind = TG_IMAGE_DELTA };
	struct tg_build_number *numbers = NULL;
	int rc;

	if (snapshot)
		in = snapshot->input;
	in.kind = TG_IMAGE_DELTA;
	in.base_id = l->base->id;
	in.created = (uint64_t)now;
	*delta = NULL;
	if (l->n_overlay > 0) {
		numbers = lay_over(l, &in, &in.n_numbers);
		if (!numbers)
			return tg_error_set(err, -ENOMEM, "no memory");
		in.numbers = numbers;
	}
	/* Nothing changed: no delta is quicker to ask than an empty one. */
	rc = in.n_numbers == 0 && !in.replaces_ranges ? 0 : build_image(&in, delta, err);
	free(numbers);
	return rc;
}

static void take_delta(struct tg_latest *l, struct tg_memimage *delta)
{
	tg_memimage_put(l->delta);
	l->delta = delta;
	l->dirty = false;
	l->overlay_moved = false;
}

/* Can the ledger still tell what the delta lacks? */
static bool can_tell(const struct tg_latest *l)
{
	if (!l->has_snapshot)
		return tg_ledger_tells_delta(l->ledger, l->base_batch);
	return l->snapshot.input.n_numbers <= DELTA_MOST &&
	       tg_ledger_tells_delta(l->ledger, l->snapshot.batch);
}

/* Both ascending; `news` prevails. malloc'd. */
static struct tg_build_number *merge_numbers(const struct tg_build_input *old,
					     const struct tg_build_input *news, uint64_t *n)
{
	struct tg_build_number *out = malloc((old->n_numbers + news->n_numbers + 1) * sizeof(*out));
	uint64_t i = 0, k = 0, count = 0;

	if (!out)
		return NULL;
	while (i < old->n_numbers || k < news->n_numbers) {
		if (k == news->n_numbers ||
		    (i < old->n_numbers && old->numbers[i].value < news->numbers[k].value)) {
			out[count++] = old->numbers[i++];
			continue;
		}
		i += i < old->n_numbers && old->numbers[i].value == news->numbers[k].value;
		out[count++] = news->numbers[k++];
	}
	*n = count;
	return out;
}

/* The old snapshot with what is new laid over it takes the new one's place; the old one stays as it is.
 * *borrowed: its ranges are the old one's. */
static int carry_on(const struct tg_ledger_snapshot *old, struct tg_ledger_snapshot *news,
		    bool *borrowed)
{
	struct tg_build_input *in = &news->input;
	uint64_t n;
	struct tg_build_number *numbers = merge_numbers(&old->input, in, &n);

	if (!numbers)
		return -ENOMEM;
	free((void *)(uintptr_t)in->numbers); /* malloc'd; const is for the builder */
	in->numbers = numbers;
	in->n_numbers = n;
	*borrowed = !in->replaces_ranges && old->input.replaces_ranges;
	if (*borrowed) {
		/* Room that was made for some, although there are none. */
		free((void *)(uintptr_t)in->intervals);
		free((void *)(uintptr_t)in->shorts);
		in->replaces_ranges = true;
		in->intervals = old->input.intervals;
		in->n_intervals = old->input.n_intervals;
		in->shorts = old->input.shorts;
		in->n_shorts = old->input.n_shorts;
	}
	return 0;
}

/* After carry_on: `from` has no ranges any more, so that they are freed once. */
static void forget_ranges(struct tg_build_input *from)
{
	from->intervals = NULL;
	from->shorts = NULL;
}

/* From the ledger: all that changed since the last delta, or since the base. -ESTALE: too much of it. */
static int refresh_from_ledger(struct tg_latest *l, int64_t now, struct tg_error *err)
{
	struct tg_ledger_snapshot snapshot;
	struct tg_memimage *delta;
	const size_t n_overlay = l->n_overlay;
	bool borrowed = false;
	int rc;

	if (!can_tell(l))
		return -ESTALE;
	rc = l->has_snapshot ? tg_ledger_snapshot_delta(l->ledger, l->snapshot.batch,
							l->snapshot_time, now, &snapshot, err)
			     : tg_ledger_snapshot_delta(l->ledger, l->base_batch, l->base_time, now,
							&snapshot, err);
	if (rc != 0)
		return rc;
	if (l->has_snapshot && carry_on(&l->snapshot, &snapshot, &borrowed) != 0)
		rc = tg_error_set(err, -ENOMEM, "no memory");
	l->n_overlay = 0; /* the ledger knows it all */
	if (rc == 0)
		rc = build_delta(l, &snapshot, now, &delta, err);
	if (rc != 0) {
		l->n_overlay = n_overlay;
		if (borrowed)
			forget_ranges(&snapshot.input);
		tg_ledger_snapshot_free(&snapshot);
		return rc;
	}
	if (borrowed)
		forget_ranges(&l->snapshot.input);
	drop_snapshot(l);
	l->snapshot = snapshot;
	l->snapshot_time = now;
	l->has_snapshot = true;
	l->batch = snapshot.batch;
	take_delta(l, delta);
	return 0;
}

/* A delta that an earlier daemon left on disk: nothing can be laid over it, but it is better than
 * none until the new base is there. */
static bool foreign_delta(const struct tg_latest *l)
{
	return l->delta && !l->has_snapshot;
}

int tg_latest_refresh(struct tg_latest *l, int64_t now, struct tg_error *err)
{
	struct tg_memimage *delta;
	int rc;

	if (!l->dirty)
		return 0;
	rc = refresh_from_ledger(l, now, err);
	if (rc != -ESTALE)
		return rc;
	l->overdue = true;
	if (!l->overlay_moved || foreign_delta(l)) {
		l->dirty = false; /* what there is to show comes with the base */
		return 0;
	}
	rc = build_delta(l, l->has_snapshot ? &l->snapshot : NULL, now, &delta, err);
	if (rc == 0)
		take_delta(l, delta);
	return rc;
}

/* ---- the overlay --------------------------------------------------------------------------------- */

/* What a delta says of the number: an answer by prefix or range is not stored, it shows through a
 * side that is empty. */
static uint32_t stored_listing(uint32_t listing)
{
	uint32_t caller = tg_listing_side(listing, TG_SIDE_CALLER);
	uint32_t called = tg_listing_side(listing, TG_SIDE_CALLED);

	if (listing & TG_LISTING_CALLER_BY_RANGE)
		caller = 0;
	if (listing & TG_LISTING_CALLED_BY_RANGE)
		called = 0;
	listing = tg_listing_make(caller, called);
	return listing ? listing : TG_LISTING_TOMBSTONE;
}

static bool overlay_put(struct tg_latest *l, uint64_t value, uint32_t listing, uint64_t batch)
{
	struct tg_latest_overlay *o = overlay_find(l, value);
	size_t i;

	if (!o && l->n_overlay == l->cap_overlay) {
		const size_t cap = l->cap_overlay ? 2 * l->cap_overlay : 64;
		struct tg_latest_overlay *more = realloc(l->overlay, cap * sizeof(*more));

		if (!more)
			return false;
		l->overlay = more;
		l->cap_overlay = cap;
	}
	if (!o) {
		for (i = l->n_overlay; i > 0 && l->overlay[i - 1].number.value > value; i--)
			l->overlay[i] = l->overlay[i - 1];
		l->n_overlay++;
		o = &l->overlay[i];
	}
	*o = (struct tg_latest_overlay){ { value, listing, 0 }, batch };
	l->overlay_moved = true;
	return true;
}

bool tg_latest_touch(struct tg_latest *l, const struct tg_record *record, int64_t now)
{
	struct tg_ledger_status status;
	struct tg_claim *claims;
	uint32_t listing;
	struct tg_num num;
	size_t n;

	l->dirty = true;
	if (l->base && can_tell(l))
		return true;
	if (!l->base || foreign_delta(l) || record->kind != TG_RECORD_EXACT)
		return false;
	num = tg_num_make(TG_NUM_E164, record->digits, record->lo);
	if (tg_ledger_lookup(l->ledger, num, now, &claims, &n, &listing, NULL) != 0)
		return false;
	free(claims);
	/* The batch of this very change, or a later one's: either way a base that speaks up to there
	 * knows the change. */
	tg_ledger_status(l->ledger, &status);
	return overlay_put(l, record->lo, stored_listing(listing), status.batch);
}

void tg_latest_set_base(struct tg_latest *l, const struct tg_latest_base *base)
{
	size_t i, n = 0;

	drop_snapshot(l); /* it speaks of the old base */
	tg_memimage_put(l->base);
	tg_memimage_put(l->delta);
	l->base = base->image;
	l->base_batch = base->batch;
	l->base_time = base->time;
	l->delta = NULL;
	l->batch = base->batch;
	l->overdue = false;
	l->dirty = true;
	for (i = 0; i < l->n_overlay; i++) {
		if (l->overlay[i].batch > base->batch)
			l->overlay[n++] = l->overlay[i];
	}
	l->n_overlay = n;
	l->overlay_moved = n > 0;
}
