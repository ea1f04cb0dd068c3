/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Claims in bulk: one feed line in 32 bytes, in arrays that sort fast. 10 M lines are 320 MB; a
 * struct tg_record would be 96 bytes each.
 */
#ifndef TG_CONTROL_ROWS_H
#define TG_CONTROL_ROWS_H

#include "control/error.h"
#include "control/feed.h"
#include "tollgate/num.h"

/*
 * Identity of a claim is (key, sub, source); rows sort by it. One kind is one stretch of the array,
 * exact numbers first, and all claims on one number stand together.
 *
 *	key   bit 54-55 kind, 50-53 digits, 0-49 lo
 *	sub   bit 2-51 hi, 0-1 roles
 *	meta  bit 24-63 expires, 20-23 category, 13-19 score, 12 gone, 0-11 source
 */
struct tg_row {
	uint64_t key;
	uint64_t sub;
	uint64_t meta;
	uint32_t batch; /* that made the claim, 0 = see tg_run; in a feed being read: its line */
	uint32_t ref; /* place of the reference in its batch's (feed's) text, less one; 0 = none */
};
static_assert(sizeof(struct tg_row) == 32, "two rows to a cache line");

#define TG_ROW_SOURCE_MAX 0xfffu
#define TG_ROW_GONE (1ull << 12)	  /* the claim was withdrawn */
#define TG_ROW_KEY_EXACT_END (1ull << 54) /* keys of kind exact are below */

struct tg_row tg_row_pack(const struct tg_record *r, unsigned source);
/* All but the reference. */
void tg_row_unpack(const struct tg_row *row, struct tg_record *r);

static inline enum tg_record_kind tg_row_kind(const struct tg_row *r)
{
	return (enum tg_record_kind)(r->key >> 54);
}

static inline unsigned tg_row_digits(const struct tg_row *r)
{
	return (unsigned)(r->key >> 50 & 15);
}

static inline uint64_t tg_row_lo(const struct tg_row *r)
{
	return r->key & ((1ull << 50) - 1);
}

static inline uint64_t tg_row_hi(const struct tg_row *r)
{
	return r->sub >> 2;
}

static inline unsigned tg_row_roles(const struct tg_row *r)
{
	return (unsigned)(r->sub & 3);
}

static inline int64_t tg_row_expires(const struct tg_row *r)
{
	return (int64_t)(r->meta >> 24);
}

static inline unsigned tg_row_category(const struct tg_row *r)
{
	return (unsigned)(r->meta >> 20 & 15);
}

static inline unsigned tg_row_score(const struct tg_row *r)
{
	return (unsigned)(r->meta >> 13 & 127);
}

static inline unsigned tg_row_source(const struct tg_row *r)
{
	return (unsigned)(r->meta & TG_ROW_SOURCE_MAX);
}

static inline bool tg_row_expired(const struct tg_row *r, int64_t now)
{
	return tg_row_expires(r) != 0 && tg_row_expires(r) <= now;
}

/* Same kind and number, whatever the roles and the source. */
static inline bool tg_row_same_number(const struct tg_row *a, const struct tg_row *b)
{
	return a->key == b->key && a->sub >> 2 == b->sub >> 2;
}

/* < 0, 0, > 0 by (key, sub, source). */
static inline int tg_row_compare(const struct tg_row *a, const struct tg_row *b)
{
	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	if (a->sub != b->sub)
		return a->sub < b->sub ? -1 : 1;
	return (int)tg_row_source(a) - (int)tg_row_source(b);
}

/* Memory for arrays of any size, large ones on huge pages where there are some; contents zero. NULL =
 * none left. Freed with the size it was asked for. */
void *tg_rows_alloc(size_t bytes);
void tg_rows_free(void *p, size_t bytes);

/* Sorts by tg_row_compare, in place. */
void tg_rows_sort(struct tg_row *rows, size_t n);

/* A sort key and whose it is. */
struct tg_pair {
	uint64_t key;
	uint64_t index;
};

/* Stable, by key. The result stands in one of the two arrays, which is returned. */
struct tg_pair *tg_pairs_sort(struct tg_pair *pairs, struct tg_pair *spare, size_t n);

#endif
