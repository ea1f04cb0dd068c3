/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/rep/ranges.h"

#define CALLER_BITS TG_LISTING_SLOT_MASK
#define CALLED_BITS (TG_LISTING_SLOT_MASK << TG_LISTING_SLOT_BITS)

/* Numbers of a chunk that ranges have a say in, from phase to phase. */
struct asking {
	uint64_t aligned[TG_BURST];
	uint32_t lo[TG_BURST]; /* bounds between which the number's lies; then the bound */
	uint32_t hi[TG_BURST];
	uint8_t at[TG_BURST];
	unsigned n;
};

static inline bool answered(uint32_t listing)
{
	return (listing & CALLER_BITS) && (listing & CALLED_BITS);
}

static void gather(const struct tg_table *t, struct asking *a, const struct tg_num *nums,
		   unsigned n, const uint32_t *listings)
{
	unsigned i;

	a->n = 0;
	for (i = 0; i < n; i++) {
		uint64_t aligned;

		if (tg_num_kind(nums[i]) != TG_NUM_E164 || answered(listings[i]))
			continue;
		aligned = tg_num_aligned(nums[i]);
		if (aligned >= TG_NUMBERS_END) /* a word that num never makes */
			continue;
		a->at[a->n] = (uint8_t)i;
		a->aligned[a->n++] = aligned;
		__builtin_prefetch(&t->range_index[aligned >> t->range_shift]);
	}
}

static void narrow(const struct tg_table *t, struct asking *a)
{
	unsigned i;

	for (i = 0; i < a->n; i++) {
		const uint32_t *cell = &t->range_index[a->aligned[i] >> t->range_shift];

		a->lo[i] = cell[0];
		a->hi[i] = cell[1];
		__builtin_prefetch(&t->range_bounds[a->lo[i] + (a->hi[i] - a->lo[i] + 1) / 2]);
	}
}

/* The last bound at or below the number, by halving; it is in lo..hi (open.c checks the index). */
static void search(const struct tg_table *t, struct asking *a)
{
	unsigned i;

	for (i = 0; i < a->n; i++) {
		uint32_t lo = a->lo[i], left = a->hi[i] - lo;

		while (left) {
			const uint32_t half = (left + 1) / 2;
			const bool up = t->range_bounds[lo + half].from <= a->aligned[i];

			lo = up ? lo + half : lo;
			left = up ? left - half : half - 1;
		}
		a->lo[i] = lo;
		__builtin_prefetch(&t->range_sets[t->range_bounds[lo].set]);
	}
}

static inline uint32_t fill(uint32_t listing, uint32_t from_range)
{
	const uint32_t caller = from_range & CALLER_BITS, called = from_range & CALLED_BITS;

	if (!(listing & CALLER_BITS) && caller)
		listing |= caller | TG_LISTING_CALLER_BY_RANGE;
	if (!(listing & CALLED_BITS) && called)
		listing |= called | TG_LISTING_CALLED_BY_RANGE;
	return listing;
}

void tg_ranges_lookup_burst(const struct tg_table *t, const struct tg_num *nums, unsigned n,
			    uint32_t *listings)
{
	struct asking a;
	unsigned at, i;

	for (at = 0; at < n; at += TG_BURST) {
		const unsigned left = n - at;

		gather(t, &a, nums + at, left < TG_BURST ? left : TG_BURST, listings + at);
		narrow(t, &a);
		search(t, &a);
		for (i = 0; i < a.n; i++) {
			const unsigned k = at + a.at[i];
			const struct tg_range_set *set =
				&t->range_sets[t->range_bounds[a.lo[i]].set];

			listings[k] = fill(listings[k], set->listing[tg_num_len(nums[k])]);
		}
	}
}

static uint32_t find_short(const struct tg_table *t, uint64_t num)
{
	uint64_t lo = 0, hi = t->n_shorts;

	while (lo < hi) {
		const uint64_t mid = lo + (hi - lo) / 2;

		if (t->shorts[mid].num == num)
			return t->shorts[mid].listing;
		if (t->shorts[mid].num < num)
			lo = mid + 1;
		else
			hi = mid;
	}
	return 0;
}

void tg_shorts_lookup_burst(const struct tg_table *t, const struct tg_num *nums, unsigned n,
			    uint32_t *listings)
{
	unsigned i;

	for (i = 0; i < n; i++)
		if (tg_num_kind(nums[i]) == TG_NUM_SHORT)
			listings[i] = find_short(t, nums[i].v);
}
