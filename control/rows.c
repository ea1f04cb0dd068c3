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
#define DIGIT_VALUES (1u << DIGIT_BITS)
#define DIGITS 8

/* Least significant digit first; a digit in which all keys agree costs nothing. */
struct tg_pair *tg_pairs_sort(struct tg_pair *pairs, struct tg_pair *spare, size_t n)
{
	unsigned d, b;
	size_t i;

	for (d = 0; n > 0 && d < DIGITS; d++) {
		struct tg_pair *const from = pairs;
		const unsigned shift = d * DIGIT_BITS;
		size_t count[DIGIT_VALUES] = { 0 }, place = 0;

		for (i = 0; i < n; i++)
			count[from[i].key >> shift & (DIGIT_VALUES - 1)]++;
		if (count[from[0].key >> shift & (DIGIT_VALUES - 1)] == n)
			continue;
		for (b = 0; b < DIGIT_VALUES; b++) {
			const size_t of_this = count[b];

			count[b] = place;
			place += of_this;
		}
		for (i = 0; i < n; i++)
			spare[count[from[i].key >> shift & (DIGIT_VALUES - 1)]++] = from[i];
		pairs = spare;
		spare = from;
	}
	return pairs;
}

static void insertion_sort(struct tg_row *rows, size_t n)
{
	size_t i, k;

	for (i = 1; i < n; i++) {
		const struct tg_row row = rows[i];

		for (k = i; k > 0 && tg_row_compare(&rows[k - 1], &row) > 0; k--)
			rows[k] = rows[k - 1];
		rows[k] = row;
	}
}

/* Swaps rows into buckets by one digit of the key; end[b] becomes the end of bucket b. */
static void distribute(struct tg_row *rows, size_t n, unsigned shift, size_t end[DIGIT_VALUES])
{
	size_t next[DIGIT_VALUES], i, place = 0;
	unsigned b;

	memset(end, 0, DIGIT_VALUES * sizeof(*end));
	for (i = 0; i < n; i++)
		end[rows[i].key >> shift & (DIGIT_VALUES - 1)]++;
	for (b = 0; b < DIGIT_VALUES; b++) {
		next[b] = place;
		place += end[b];
		end[b] = place;
	}
	for (b = 0; b < DIGIT_VALUES; b++) {
		while (next[b] < end[b]) {
			struct tg_row row = rows[next[b]];
			unsigned to = (unsigned)(row.key >> shift & (DIGIT_VALUES - 1));

			while (to != b) {
				const struct tg_row other = rows[next[to]];

				rows[next[to]++] = row;
				row = other;
				to = (unsigned)(row.key >> shift & (DIGIT_VALUES - 1));
			}
			rows[next[b]++] = row;
		}
	}
}

/* Most significant differing digit first, in place: memory for a copy of 320 MB costs more to get than
 * the sort. Recursion ends after at most seven levels, as each takes eight of a key's 56 bits or all
 * that differ. */
static void sort_by_key(struct tg_row *rows, size_t n)
{
	uint64_t low = UINT64_MAX, high = 0;
	size_t end[DIGIT_VALUES], i;
	unsigned b, bits;

	if (n <= 32) {
		insertion_sort(rows, n);
		return;
	}
	for (i = 0; i < n; i++) {
		low = rows[i].key < low ? rows[i].key : low;
		high = rows[i].key > high ? rows[i].key : high;
	}
	if (low == high) {
		/* One number's, or ranges with one beginning: few, unless somebody is testing us. */
		qsort(rows, n, sizeof(*rows), compare_rows);
		return;
	}
	bits = 64u - (unsigned)__builtin_clzll(low ^ high);
	distribute(rows, n, bits > DIGIT_BITS ? bits - DIGIT_BITS : 0, end);
	for (b = 0, i = 0; b < DIGIT_VALUES; i = end[b++])
		if (end[b] - i > 1)
			sort_by_key(rows + i, end[b] - i);
}

void tg_rows_sort(struct tg_row *rows, size_t n)
{
	size_t i;

	for (i = 1; i < n && tg_row_compare(&rows[i - 1], &rows[i]) <= 0; i++)
		;
	if (i < n)
		sort_by_key(rows, n);
}
