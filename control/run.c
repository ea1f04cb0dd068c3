/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

size_t tg_rows_find(const struct tg_row *rows, size_t n, uint64_t key)
{
	size_t lo = 0;

	while (n > 0) {
		const size_t half = n / 2;

		if (rows[lo + half].key < key) {
			lo += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return lo;
}

/* First row that is not before `row` in the order of identities. */
static size_t find_identity(const struct tg_row *rows, size_t n, const struct tg_row *row)
{
	size_t lo = 0;

	while (n > 0) {
		const size_t half = n / 2;

		if (tg_row_compare(&rows[lo + half], row) < 0) {
			lo += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return lo;
}

const struct tg_row *tg_rows_find_row(const struct tg_row *rows, size_t n, const struct tg_row *row)
{
	const size_t i = find_identity(rows, n, row);

	return i < n && tg_row_compare(&rows[i], row) == 0 ? &rows[i] : NULL;
}

bool tg_view_find_row(const struct tg_view *v, const struct tg_row *row, struct tg_row *found)
{
	const struct tg_row *at = tg_rows_find_row(v->over, v->n_over, row);
	const bool over = at != NULL;

	if (!over && v->base)
		at = tg_rows_find_row(v->base->rows, v->base->n, row);
	if (!at || (over && (at->meta & TG_ROW_GONE)))
		return false;
	*found = *at;
	if (!over && found->batch == 0)
		found->batch = v->base->own_batch;
	return true;
}

struct tg_view_iter tg_view_begin(const struct tg_view *v, uint64_t from_key)
{
	struct tg_view_iter it = { .over = v->over, .over_end = v->over + v->n_over };

	it.over += tg_rows_find(v->over, v->n_over, from_key);
	if (v->base) {
		it.base = v->base->rows + tg_rows_find(v->base->rows, v->base->n, from_key);
		it.base_end = v->base->rows + v->base->n;
		it.own_batch = v->base->own_batch;
	}
	return it;
}

bool tg_view_next(struct tg_view_iter *it)
{
	for (;;) {
		const bool base = it->base != it->base_end, over = it->over != it->over_end;
		int order;

		if (!base && !over)
			return false;
		order = !over ? -1 : !base ? 1 : tg_row_compare(it->base, it->over);
		if (order < 0) {
			it->row = *it->base++;
			if (it->row.batch == 0)
				it->row.batch = it->own_batch;
			return true;
		}
		if (order == 0)
			it->base++;
		it->row = *it->over++;
		if (!(it->row.meta & TG_ROW_GONE))
			return true;
	}
}

size_t tg_rows_merge(const struct tg_row *old, size_t n_old, const struct tg_row *young,
		     size_t n_young, bool drop_gone, struct tg_row *out)
{
	const struct tg_row *const old_end = old + n_old, *const young_end = young + n_young;
	size_t n = 0;

	while (old != old_end || young != young_end) {
		const int order = young == young_end ? -1
				  : old == old_end   ? 1
						     : tg_row_compare(old, young);
		const struct tg_row *const row = order < 0 ? old : young;

		if (order <= 0)
			old++;
		if (order >= 0)
			young++;
		if (!drop_gone || !(row->meta & TG_ROW_GONE))
			out[n++] = *row;
	}
	return n;
}

static int index_expiry(struct tg_run *run)
{
	struct tg_pair *pairs, *sorted;
	size_t n = 0, i, at = 0;

	for (i = 0; i < run->n; i++)
		n += tg_row_expires(&run->rows[i]) != 0;
	if (n == 0)
		return 0;
	pairs = tg_rows_alloc(2 * n * sizeof(*pairs));
	run->by_expiry = tg_rows_alloc(n * sizeof(*run->by_expiry));
	run->n_by_expiry = n;
	if (!pairs || !run->by_expiry) {
		tg_rows_free(pairs, 2 * n * sizeof(*pairs));
		return -ENOMEM;
	}
	for (i = 0; i < run->n; i++)
		if (tg_row_expires(&run->rows[i]) != 0)
			pairs[at++] = (struct tg_pair){ (uint64_t)tg_row_expires(&run->rows[i]),
							i };
	sorted = tg_pairs_sort(pairs, pairs + n, n);
	for (i = 0; i < n; i++)
		run->by_expiry[i] = (uint32_t)sorted[i].index;
	tg_rows_free(pairs, 2 * n * sizeof(*pairs));
	return 0;
}

static uint64_t kind_key(enum tg_record_kind kind)
{
	return (uint64_t)kind << 54;
}

static int index_ranges(struct tg_run *run)
{
	size_t blocks, i;

	run->first_range = tg_rows_find(run->rows, run->n, kind_key(TG_RECORD_RANGE));
	run->end_range = tg_rows_find(run->rows, run->n, kind_key(TG_RECORD_RANGE + 1));
	blocks = (run->end_range - run->first_range + TG_RUN_REACH - 1) / TG_RUN_REACH;
	run->range_reach = calloc(blocks ? blocks : 1, sizeof(*run->range_reach));
	if (!run->range_reach)
		return -ENOMEM;
	for (i = run->first_range; i < run->end_range; i++) {
		uint64_t *const reach = &run->range_reach[(i - run->first_range) / TG_RUN_REACH];

		if (tg_row_hi(&run->rows[i]) > *reach)
			*reach = tg_row_hi(&run->rows[i]);
	}
	return 0;
}

static void count_numbers(struct tg_run *run)
{
	size_t i;

	for (i = 0; i < run->n; i++)
		if (i == 0 || !tg_row_same_number(&run->rows[i - 1], &run->rows[i]))
			run->n_numbers[tg_row_kind(&run->rows[i])]++;
}

static size_t merge_into(struct tg_row *out, const struct tg_view *v, const struct tg_row *changes,
			 const struct tg_row *changes_end)
{
	struct tg_view_iter it = tg_view_begin(v, 0);
	bool more = tg_view_next(&it);
	size_t n = 0;

	while (more || changes != changes_end) {
		const int order = changes == changes_end ? -1
				  : !more		 ? 1
							 : tg_row_compare(&it.row, changes);

		if (order < 0)
			out[n++] = it.row;
		else if (!(changes->meta & TG_ROW_GONE))
			out[n++] = *changes;
		if (order >= 0)
			changes++;
		if (order <= 0)
			more = tg_view_next(&it);
	}
	return n;
}

struct tg_run *tg_run_adopt(struct tg_row *rows, size_t n, size_t bytes)
{
	struct tg_run *const run = calloc(1, sizeof(*run));

	if (!run) {
		tg_rows_free(rows, bytes);
		return NULL;
	}
	run->users = 1;
	run->rows = rows;
	run->n = n;
	run->bytes = bytes;
	count_numbers(run);
	/* Places in a run are 32 bits wide (by_expiry). */
	if (n > UINT32_MAX || index_expiry(run) != 0 || index_ranges(run) != 0) {
		tg_run_put(run);
		return NULL;
	}
	return run;
}

struct tg_run *tg_run_build(const struct tg_view *v, const struct tg_row *changes, size_t n_changes)
{
	const size_t room = (v->base ? v->base->n : 0) + v->n_over + n_changes;
	struct tg_row *const rows = tg_rows_alloc(room * sizeof(*rows));

	if (!rows)
		return NULL;
	return tg_run_adopt(rows, merge_into(rows, v, changes, changes + n_changes),
			    room * sizeof(*rows));
}

struct tg_run *tg_run_get(struct tg_run *run)
{
	/* Relaxed: whoever gets already holds a use, or the lock under which the run is published. */
	if (run)
		__atomic_add_fetch(&run->users, 1, __ATOMIC_RELAXED);
	return run;
}

void tg_run_put(struct tg_run *run)
{
	/* Release orders a user's reads before its put, acquire the last one's free behind all puts:
	 * without them a run could be unmapped under a reader that is about to finish. */
	if (!run || __atomic_sub_fetch(&run->users, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	tg_rows_free(run->rows, run->bytes);
	tg_rows_free(run->by_expiry, run->n_by_expiry * sizeof(*run->by_expiry));
	free(run->range_reach);
	free(run);
}

int tg_row_list_add(struct tg_row_list *list, const struct tg_row *row)
{
	if (list->n == list->cap) {
		const size_t cap = list->cap ? list->cap * 2 : 16;
		struct tg_row *p = realloc(list->rows, cap * sizeof(*p));

		if (!p)
			return -ENOMEM;
		list->rows = p;
		list->cap = cap;
	}
	list->rows[list->n++] = *row;
	return 0;
}

void tg_row_list_free(struct tg_row_list *list)
{
	free(list->rows);
	memset(list, 0, sizeof(*list));
}

int tg_view_claims(const struct tg_view *v, uint64_t key, uint64_t hi, struct tg_row_list *list)
{
	struct tg_view_iter it = tg_view_begin(v, key);

	while (tg_view_next(&it) && it.row.key == key && tg_row_hi(&it.row) <= hi)
		if (tg_row_hi(&it.row) == hi && tg_row_list_add(list, &it.row) != 0)
			return -ENOMEM;
	return 0;
}

bool tg_view_has_number(const struct tg_view *v, const struct tg_row *row)
{
	struct tg_view_iter it = tg_view_begin(v, row->key);

	while (tg_view_next(&it) && it.row.key == row->key && tg_row_hi(&it.row) <= tg_row_hi(row))
		if (tg_row_hi(&it.row) == tg_row_hi(row))
			return true;
	return false;
}

/* Of the base's ranges with lo <= value and as many digits: those that reach it, unless withdrawn or
 * replaced above. */
static int base_ranges(const struct tg_view *v, uint64_t first_key, uint64_t value,
		       struct tg_row_list *list)
{
	const struct tg_run *const run = v->base;
	const uint64_t end_key = first_key + value + 1;
	size_t i = tg_rows_find(run->rows, run->n, first_key);

	while (i < run->end_range && run->rows[i].key < end_key) {
		const size_t block = (i - run->first_range) / TG_RUN_REACH;
		struct tg_row row;

		if (run->range_reach[block] < value) {
			i = run->first_range + (block + 1) * TG_RUN_REACH;
			continue;
		}
		row = run->rows[i++];
		if (tg_row_hi(&row) < value || tg_rows_find_row(v->over, v->n_over, &row))
			continue;
		if (row.batch == 0)
			row.batch = run->own_batch;
		if (tg_row_list_add(list, &row) != 0)
			return -ENOMEM;
	}
	return 0;
}

static int covering_ranges(const struct tg_view *v, unsigned digits, uint64_t value,
			   struct tg_row_list *list)
{
	const uint64_t first = kind_key(TG_RECORD_RANGE) | (uint64_t)digits << 50;
	size_t i;

	for (i = tg_rows_find(v->over, v->n_over, first);
	     i < v->n_over && v->over[i].key <= first + value; i++)
		if (tg_row_hi(&v->over[i]) >= value && !(v->over[i].meta & TG_ROW_GONE) &&
		    tg_row_list_add(list, &v->over[i]) != 0)
			return -ENOMEM;
	return v->base ? base_ranges(v, first, value, list) : 0;
}

int tg_view_covering(const struct tg_view *v, struct tg_num num, struct tg_row_list *list)
{
	const unsigned digits = tg_num_len(num);
	const uint64_t value = tg_num_value(num);
	uint64_t front = value;
	unsigned d;
	int rc;

	if (tg_num_kind(num) == TG_NUM_SHORT)
		return tg_view_claims(v, kind_key(TG_RECORD_SHORT) | (uint64_t)digits << 50 | value,
				      value, list);
	if (tg_num_kind(num) != TG_NUM_E164)
		return 0;
	rc = tg_view_claims(v, kind_key(TG_RECORD_EXACT) | (uint64_t)digits << 50 | value, value,
			    list);
	for (d = digits; !rc && d > 0; d--, front /= 10)
		rc = tg_view_claims(v, kind_key(TG_RECORD_PREFIX) | (uint64_t)d << 50 | front,
				    front, list);
	return rc ? rc : covering_ranges(v, digits, value, list);
}
