/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define META_EXPIRES 24
#define META_CATEGORY 20
#define META_SCORE 13

struct tg_row tg_row_pack(const struct tg_record *r, unsigned source)
{
	return (struct tg_row){
		.key = (uint64_t)r->kind << 54 | (uint64_t)r->digits << 50 | r->lo,
		.sub = r->hi << 2 | r->roles,
		.meta = (uint64_t)r->expires << META_EXPIRES |
			(uint64_t)r->category << META_CATEGORY | (uint64_t)r->score << META_SCORE |
			source,
	};
}

void tg_row_unpack(const struct tg_row *row, struct tg_record *r)
{
	memset(r, 0, sizeof(*r));
	r->kind = (uint8_t)tg_row_kind(row);
	r->digits = (uint8_t)tg_row_digits(row);
	r->lo = tg_row_lo(row);
	r->hi = tg_row_hi(row);
	r->roles = (uint8_t)tg_row_roles(row);
	r->expires = tg_row_expires(row);
	r->category = (uint8_t)tg_row_category(row);
	r->score = (uint8_t)tg_row_score(row);
}

#define MAP_FROM_BYTES (256u * 1024)
#define HUGE_PAGE_BYTES (2u << 20)

void *tg_rows_alloc(size_t bytes)
{
	void *p;

	if (bytes < MAP_FROM_BYTES)
		return calloc(1, bytes ? bytes : 1);
	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		 -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	/* 320 MB are 78,000 small pages: as many faults, and a TLB miss at every row of a scatter. */
	if (bytes >= HUGE_PAGE_BYTES)
		(void)madvise(p, bytes, MADV_HUGEPAGE);
	return p;
}

void tg_rows_free(void *p, size_t bytes)
{
	if (bytes < MAP_FROM_BYTES)
		free(p);
	else if (p)
		munmap(p, bytes);
}

static int compare_rows(const void *a, const void *b)
{
	return tg_row_compare(a, b);
}

/* 256 open streams of one cache line each stay in L1 (16 KiB) and in the second-level TLB. */
#define DIGIT_BITS 8
#define DIGITS 8

static unsigned digit_of(uint64_t key, unsigned digit)
{
	return (unsigned)(key >> digit * DIGIT_BITS) & 0xff;
}

/* Least significant digit first; a digit in which all keys agree (kind, length, leading digits) costs
 * nothing. */
struct tg_pair *tg_pairs_sort(struct tg_pair *pairs, struct tg_pair *spare, size_t n)
{
	static _Thread_local size_t count[DIGITS][1 << DIGIT_BITS];
	unsigned d, b;
	size_t i;

	memset(count, 0, sizeof(count));
	for (i = 0; i < n; i++)
		for (d = 0; d < DIGITS; d++)
			count[d][digit_of(pairs[i].key, d)]++;
	for (d = 0; n > 0 && d < DIGITS; d++) {
		struct tg_pair *const from = pairs;
		size_t place = 0;

		if (count[d][digit_of(pairs[0].key, d)] == n)
			continue;
		for (b = 0; b < 1 << DIGIT_BITS; b++) {
			const size_t of_this = count[d][b];

			count[d][b] = place;
			place += of_this;
		}
		for (i = 0; i < n; i++)
			spare[count[d][digit_of(from[i].key, d)]++] = from[i];
		pairs = spare;
		spare = from;
	}
	return pairs;
}

static void sort_equal_keys(struct tg_row *rows, size_t n)
{
	size_t i, j;

	for (i = 0; i < n; i = j) {
		for (j = i + 1; j < n && rows[j].key == rows[i].key; j++)
			;
		if (j - i > 1)
			qsort(rows + i, j - i, sizeof(*rows), compare_rows);
	}
}

/* Sorts (key, place) pairs of half a row's size, then moves each row once. */
static int sort_by_key(struct tg_row *rows, size_t n)
{
	struct tg_pair *const pairs = tg_rows_alloc(2 * n * sizeof(*pairs));
	struct tg_row *moved;
	struct tg_pair *sorted;
	size_t i;

	if (!pairs)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		pairs[i] = (struct tg_pair){ rows[i].key, i };
	sorted = tg_pairs_sort(pairs, pairs + n, n);
	moved = tg_rows_alloc(n * sizeof(*moved));
	if (!moved) {
		tg_rows_free(pairs, 2 * n * sizeof(*pairs));
		return -ENOMEM;
	}
	/* A row read at random is a miss; ten ahead cover memory's some 100 ns at 10 ns a row. */
	for (i = 0; i < n; i++) {
		if (i + 10 < n)
			__builtin_prefetch(&rows[sorted[i + 10].index]);
		moved[i] = rows[sorted[i].index];
	}
	tg_rows_free(pairs, 2 * n * sizeof(*pairs));
	memcpy(rows, moved, n * sizeof(*rows));
	tg_rows_free(moved, n * sizeof(*moved));
	return 0;
}

int tg_rows_sort(struct tg_row *rows, size_t n)
{
	size_t i;
	int rc;

	for (i = 1; i < n && tg_row_compare(&rows[i - 1], &rows[i]) <= 0; i++)
		;
	if (i >= n)
		return 0;
	if (n < 4096) {
		qsort(rows, n, sizeof(*rows), compare_rows);
		return 0;
	}
	rc = sort_by_key(rows, n);
	if (!rc)
		sort_equal_keys(rows, n);
	return rc;
}
