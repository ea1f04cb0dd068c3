/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sorted stretches of claims: an immutable run of everything, a small younger array laid over it, and
 * reading the two as one. No locks, no sources' names, no files.
 */
#ifndef TG_CONTROL_RUN_H
#define TG_CONTROL_RUN_H

#include "control/rows.h"

/* Immutable once built; shared by counting. */
struct tg_run {
	struct tg_row *rows; /* sorted, unique, none of them gone */
	size_t n;
	size_t bytes;	    /* behind rows */
	uint32_t own_batch; /* the batch of rows whose batch is 0: known only at commit */
	uint32_t users;	    /* atomic */
	uint64_t n_numbers[TG_RECORD_KIND_COUNT]; /* distinct numbers (ranges, ...) */
	uint32_t *by_expiry;			  /* rows that expire, soonest first */
	size_t n_by_expiry;
	uint64_t *range_reach; /* highest `hi` in each TG_RUN_REACH rows from first_range on */
	size_t first_range, end_range;
};

#define TG_RUN_REACH 256

/* A run with younger rows over it: a row of `over` stands for the one with the same (key, sub, source)
 * below; TG_ROW_GONE withdraws it. `base` may be NULL. */
struct tg_view {
	const struct tg_run *base;
	const struct tg_row *over; /* sorted, unique */
	size_t n_over;
};

/* Walks a view in order; gone rows are left out. */
struct tg_view_iter {
	const struct tg_row *base, *base_end;
	const struct tg_row *over, *over_end;
	uint32_t own_batch;
	struct tg_row row; /* the current one, its batch filled in */
};
struct tg_view_iter tg_view_begin(const struct tg_view *v, uint64_t from_key);
bool tg_view_next(struct tg_view_iter *it);

/* First row whose key is at least `key`. */
size_t tg_rows_find(const struct tg_row *rows, size_t n, uint64_t key);
/* The row with this identity, or NULL; may be gone. */
const struct tg_row *tg_rows_find_row(const struct tg_row *rows, size_t n,
				      const struct tg_row *row);

/*
 * A new run: all of the view, changed by `changes` (sorted, unique; gone rows withdraw). Rows of
 * `changes` keep their batch, 0 included. NULL = no memory.
 */
struct tg_run *tg_run_build(const struct tg_view *v, const struct tg_row *changes,
			    size_t n_changes);
/* A run of rows (sorted, unique, none gone) in memory of tg_rows_alloc(bytes), which it takes over, also
 * when it fails. */
struct tg_run *tg_run_adopt(struct tg_row *rows, size_t n, size_t bytes);
/* Another user; the last put frees it. Both take NULL. */
struct tg_run *tg_run_get(struct tg_run *run);
void tg_run_put(struct tg_run *run);

/* Two sorted arrays into one, `young` before `old` where identities agree. With `drop_gone` what is
 * gone is left out. Returns how many were written to out (room for both). */
size_t tg_rows_merge(const struct tg_row *old, size_t n_old, const struct tg_row *young,
		     size_t n_young, bool drop_gone, struct tg_row *out);

/* Rows that grow. */
struct tg_row_list {
	struct tg_row *rows;
	size_t n, cap;
};
int tg_row_list_add(struct tg_row_list *list, const struct tg_row *row);
void tg_row_list_free(struct tg_row_list *list);

/* Adds the view's claims on one number (kind, digits, lo, hi) to the list. */
int tg_view_claims(const struct tg_view *v, uint64_t key, uint64_t hi, struct tg_row_list *list);
/* Adds all claims that cover `num`: its own, prefixes, ranges. */
int tg_view_covering(const struct tg_view *v, struct tg_num num, struct tg_row_list *list);

/* Is there a claim with this row's identity? *found is it, its batch filled in. */
bool tg_view_find_row(const struct tg_view *v, const struct tg_row *row, struct tg_row *found);

/* Is anything claimed of this row's number? */
bool tg_view_has_number(const struct tg_view *v, const struct tg_row *row);

#endif
