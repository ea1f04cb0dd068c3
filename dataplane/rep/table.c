/* SPDX-License-Identifier: BSD-3-Clause */
/* A burst of numbers through {base, delta}: filter and exact table, then ranges and short codes. */
#include <string.h>

#include "dataplane/rep/probe.h"
#include "dataplane/rep/ranges.h"
#include "tollgate/cpu.h"

/* Written before main() and by tests only: plain loads suffice. */
static const struct tg_probe_ops *probe = &tg_probe_portable;

/* The best first. */
static const struct variant {
	const struct tg_probe_ops *ops;
	bool (*has)(void); /* NULL: every CPU has it */
} variants[] = {
#if defined(__x86_64__)
	{ &tg_probe_avx512, tg_cpu_has_avx512 },
	{ &tg_probe_avx2, tg_cpu_has_avx2 },
#endif
	{ &tg_probe_portable, NULL },
};

/* By name, or NULL = any; NULL if there is none that runs here. */
static const struct tg_probe_ops *find(const char *name)
{
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(variants); i++)
		if ((!name || strcmp(name, variants[i].ops->name) == 0) &&
		    (!variants[i].has || variants[i].has()))
			return variants[i].ops;
	return NULL;
}

TG_CONSTRUCTOR static void choose(void)
{
	probe = find(NULL);
}

const char *tg_table_variant(void)
{
	return probe->name;
}

bool tg_table_variant_set(const char *name)
{
	const struct tg_probe_ops *ops = find(name);

	if (ops)
		probe = ops;
	return ops;
}

/*
 * When to ask the filter. It saves a table line for each key that it stops and costs a filter line
 * for every key; measured, it pays below 15-20 % passing keys at 10 M numbers and below 10-15 % at
 * 1 M (perf/README.md). What passes is what is listed plus 1.3 %, and the share that is listed is
 * known whether the filter is asked or not, so nothing has to be tried: bypassed above 12 %, asked
 * again below 9 %.
 */
#define SHARE(percent) ((percent)*65536u / 100)
#define BYPASS_ABOVE SHARE(12)
#define ASK_BELOW SHARE(9)
/* The memory of the average: 4096 numbers, some 40 bursts of packets, less than a millisecond at full
 * load. A longer array is looked up in pieces, so that it does not wait for its end to learn that the
 * filter does not pay. */
#define EWMA_SHIFT 12
#define PIECE (1u << EWMA_SHIFT)

static void adapt_to(struct tg_table_adapt *adapt, unsigned n, unsigned hits)
{
	const int64_t surprise = ((int64_t)hits << 16) -
				 (int64_t)adapt->hit_ewma * (int64_t)n; /* below 2^29 */

	adapt->hit_ewma = (uint32_t)((int64_t)adapt->hit_ewma + surprise / (1 << EWMA_SHIFT));
	if (adapt->hit_ewma > BYPASS_ABOVE)
		adapt->bypassed = 1;
	else if (adapt->hit_ewma < ASK_BELOW)
		adapt->bypassed = 0;
}

static unsigned count_listed(const uint32_t *listings, unsigned n)
{
	unsigned count = 0, i;

	for (i = 0; i < n; i++)
		count += listings[i] != 0;
	return count;
}

/* How many of n tell what share of them is listed: an eighth of what a burst of packets has, all of less. (To count all
 * took 0.4 ns of the 4 that a lookup takes at 1 M.) */
static unsigned enough_of(unsigned n)
{
	return n < TG_BURST ? n : n / 8;
}

static void lookup_with_filter(const struct tg_table *t, struct tg_table_adapt *adapt,
			       const struct tg_num *nums, unsigned n, uint32_t *listings)
{
	unsigned at, piece;

	for (at = 0; at < n; at += piece) {
		unsigned passed, hits;

		piece = n - at < PIECE ? n - at : PIECE;
		if (adapt->bypassed) {
			const unsigned some = enough_of(piece);

			probe->exact(t, nums + at, piece, listings + at);
			adapt_to(adapt, some, count_listed(listings + at, some));
			continue;
		}
		passed = probe->filtered(t, nums + at, piece, listings + at);
		hits = count_listed(listings + at, piece);
		adapt->filter_negatives += piece - passed;
		adapt->filter_false += passed - hits;
		adapt_to(adapt, piece, hits);
	}
}

/* 1 KiB of words: twice the keys of a burst of packets. */
#define DELTA_PIECE 256

/* The delta's word on a number replaces the base's; a tombstone leaves it to the ranges. */
static void lay_over(const uint32_t *delta, unsigned n, uint32_t *listings)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		const uint32_t word = delta[i] == TG_LISTING_TOMBSTONE ? 0 : delta[i];

		listings[i] = delta[i] ? word : listings[i];
	}
}

static void lookup_in_delta(const struct tg_table *delta, const struct tg_num *nums, unsigned n,
			    uint32_t *listings)
{
	uint32_t words[DELTA_PIECE];
	unsigned at, piece;

	for (at = 0; at < n; at += piece) {
		piece = n - at < DELTA_PIECE ? n - at : DELTA_PIECE;
		probe->exact(delta, nums + at, piece, words);
		lay_over(words, piece, listings + at);
	}
}

/* Which bits of the kinds are set in any word, and which in all. */
struct kinds {
	uint64_t any;
	uint64_t all;
};

static struct kinds kinds_of(const struct tg_num *nums, unsigned n)
{
	struct kinds k = { 0, ~0ull };
	unsigned i;

	for (i = 0; i < n; i++) {
		k.any |= nums[i].v;
		k.all &= nums[i].v;
	}
	return (struct kinds){ k.any >> TG_NUM_KIND_SHIFT, k.all >> TG_NUM_KIND_SHIFT };
}
static_assert(TG_NUM_E164 == 1 && TG_NUM_SHORT == 2, "kinds are told apart by a bit");

/* The exact table takes every word for a number: what it says of others is void. */
static void keep_e164(const struct tg_num *nums, unsigned n, uint32_t *listings)
{
	unsigned i;

	for (i = 0; i < n; i++)
		listings[i] = nums[i].v >> TG_NUM_KIND_SHIFT == TG_NUM_E164 ? listings[i] : 0;
}

void tg_table_lookup_burst(const struct tg_table *base, const struct tg_table *delta,
			   struct tg_table_adapt *adapt, const struct tg_num *nums, unsigned n,
			   uint32_t *listings)
{
	const struct tg_table *rest = delta && delta->header && delta->header->replaces_ranges
					      ? delta
					      : base;
	struct kinds kinds;

	if (base->filter)
		lookup_with_filter(base, adapt, nums, n, listings);
	else if (base->buckets)
		probe->exact(base, nums, n, listings);
	else
		memset(listings, 0, n * sizeof(*listings));
	if (delta && delta->buckets)
		lookup_in_delta(delta, nums, n, listings);
	kinds = kinds_of(nums, n); /* not before: the probe reads them while it waits for lines */
	if (kinds.any != TG_NUM_E164 || kinds.all != TG_NUM_E164)
		keep_e164(nums, n, listings);
	if (rest->range_bounds)
		tg_ranges_lookup_burst(rest, nums, n, listings);
	if (rest->shorts && kinds.any & TG_NUM_SHORT)
		tg_shorts_lookup_burst(rest, nums, n, listings);
}

void tg_table_prefetch(const struct tg_table *base, const struct tg_table_adapt *adapt,
		       const struct tg_num *nums, unsigned n)
{
	const bool filter = base->filter && !adapt->bypassed;
	const uint8_t *lines = filter ? (const void *)base->filter : (const void *)base->buckets;
	const uint32_t n_lines = filter ? base->n_filter_blocks : base->exact.n_buckets;
	const size_t size = filter ? TG_FILTER_BLOCK_BYTES : TG_BUCKET_BYTES;
	unsigned i;

	for (i = 0; lines && i < n; i++) {
		const uint32_t c = tg_crc32c_u64(tg_exact_mix(&base->exact, nums[i].v));

		__builtin_prefetch(lines + ((uint64_t)c * n_lines >> 32) * size);
	}
}
