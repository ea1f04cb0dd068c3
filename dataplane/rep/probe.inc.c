/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The probe, as a software pipeline over chunks of numbers. A variant defines
 *	static unsigned match(const struct view *v, const uint64_t *const bucket[GROUP],
 *			      const uint64_t want[GROUP], uint32_t found[GROUP])
 *		found[i] = the listing of the entry in bucket[i] that equals want[i] in the bits of
 *		v->match_mask, 0 = none; bit i of the result: none, but the bucket's overflow bit for
 *		this tag is set
 *	static bool block_has(const uint32_t *block, uint32_t hash)
 *		all eight bits of `hash` are set in the filter block
 * and perhaps, with PROBE_ASKS, the number ASKED and
 *	static void ask_some(const struct view *v, struct keys *k, unsigned at,
 *			     const struct tg_num *nums)
 *		ask_bucket for ASKED numbers, keys `at` and up
 * and PROBE_OPS and PROBE_NAME, then includes this file. Not compiled on its own.
 *
 * Why a pipeline: a line from memory takes 150-250 ns, and a core keeps about 24 misses in flight, so
 * independent lines cost 7-10 ns each as long as some 24 are always under way. Probing 32 lines only
 * after all 32 have been asked for drains that queue at the end of each chunk (2.0 times the limit,
 * measured); asking for chunk i+1 between the probes of chunk i does not (1.25 times).
 */
#include <string.h>

#include "dataplane/rep/probe_view.h"

/* Keys that come from here and there, each with the index of its answer. */
struct scattered {
	struct keys keys;
	uint32_t at[BLOCK_CHUNK];
};

static inline struct view view_of(const struct tg_table *t)
{
	return (struct view){
		.buckets = t->buckets,
		.exact = t->exact,
		.match_mask = tg_exact_match_mask(&t->exact),
		.listing_shift = tg_exact_tag_bits(&t->exact) + 1,
	};
}

#ifndef PROBE_ASKS
#define ASKED 4
static inline void ask_some(const struct view *v, struct keys *k, unsigned at,
			    const struct tg_num *nums)
{
	unsigned i;

#pragma GCC unroll 4
	for (i = 0; i < ASKED; i++)
		ask_bucket(v, k, at + i, nums[i]);
}
#endif
static_assert(STRETCH % ASKED == 0, "stretches are asked for in whole parts");

/* Keys `from` to the last; nums[] of the whole chunk. */
static inline void ask_from(const struct view *v, struct keys *k, unsigned from,
			    const struct tg_num *nums)
{
	for (; from + ASKED <= k->n; from += ASKED)
		ask_some(v, k, from, nums + from);
	for (; from < k->n; from++)
		ask_bucket(v, k, from, nums[from]);
}

static inline uint64_t low_bits(unsigned n)
{
	return ~0ull >> (64 - n);
}

/* Keys `from`, a whole number of groups, to the last: listings to `found`, which need have no room for
 * more. Bit i of the result: key i may stand in its other bucket. */
static inline uint64_t match_from(const struct view *v, struct keys *k, unsigned from,
				  uint32_t *found)
{
	uint32_t last[GROUP];
	uint64_t missed = 0;
	unsigned g = from, i;

	for (; g + GROUP <= k->n; g += GROUP)
		missed |= (uint64_t)match(v, k->bucket + g, k->want + g, found + g) << g;
	if (g == k->n)
		return missed;
	for (i = k->n; i % GROUP; i++) {
		k->bucket[i] = k->bucket[g];
		k->want[i] = k->want[g];
	}
	missed |= (uint64_t)match(v, k->bucket + g, k->want + g, last) << g;
	for (i = g; i < k->n; i++)
		found[i] = last[i - g];
	return missed & low_bits(k->n);
}

/* Asks for the other bucket of key `from` (5 % of keys); it is probed a chunk later, when it has come. */
static inline void ask_other(const struct view *v, const struct keys *k, unsigned from, uint32_t at,
			     struct scattered *others)
{
	const uint32_t home =
		(uint32_t)((size_t)(k->bucket[from] - v->buckets) / TG_BUCKET_ENTRIES);
	const uint32_t other = tg_exact_other(&v->exact, home, k->want[from]);
	const unsigned i = others->keys.n++;

	others->keys.bucket[i] = v->buckets + (size_t)other * TG_BUCKET_ENTRIES;
	others->keys.want[i] = k->want[from] | tg_exact_displaced(&v->exact);
	others->at[i] = at;
	__builtin_prefetch(others->keys.bucket[i]);
}

/* These have not been found at home: what is found here is the answer. */
static inline void probe_others(const struct view *v, struct scattered *others, uint32_t *listings)
{
	uint32_t found[BLOCK_CHUNK];
	unsigned i;

	if (others->keys.n == 0)
		return;
	match_from(v, &others->keys, 0, found);
	for (i = 0; i < others->keys.n; i++)
		listings[others->at[i]] = found[i];
	others->keys.n = 0;
}

static inline unsigned at_most(unsigned n, unsigned limit)
{
	return n < limit ? n : limit;
}

/* Two chunks, a stretch at a time: `next` is asked for while `now` is probed. */
static inline uint64_t ask_and_match(const struct view *v, struct keys *next,
				     const struct tg_num *nums, struct keys *now,
				     uint32_t *listings)
{
	const unsigned both = at_most(next->n, now->n) / STRETCH * STRETCH;
	uint64_t missed = 0;
	unsigned end, g, i;

	for (end = STRETCH; end <= both; end += STRETCH) {
		for (i = end - STRETCH; i < end; i += ASKED)
			ask_some(v, next, i, nums + i);
		for (g = end - STRETCH; g < end; g += GROUP)
			missed |= (uint64_t)match(v, now->bucket + g, now->want + g, listings + g)
				  << g;
	}
	ask_from(v, next, both, nums);
	return missed | match_from(v, now, both, listings);
}

static void probe_exact(const struct tg_table *t, const struct tg_num *nums, unsigned n,
			uint32_t *listings)
{
	const struct view v = view_of(t);
	struct keys chunk[2], *now = &chunk[0], *next = &chunk[1], *done;
	struct scattered others;
	uint64_t missed;
	unsigned at, i;

	others.keys.n = 0;
	now->n = at_most(n, CHUNK);
	ask_from(&v, now, 0, nums);
	for (at = 0; at < n; at += CHUNK) {
		next->n = at_most(n - at - now->n, CHUNK);
		missed = ask_and_match(&v, next, nums + at + now->n, now, listings + at);
		probe_others(&v, &others, listings);
		for (; missed; missed &= missed - 1) {
			i = (unsigned)__builtin_ctzll(missed);
			ask_other(&v, now, i, at + i, &others);
		}
		done = now;
		now = next;
		next = done;
	}
	probe_others(&v, &others, listings);
}

/* ---- through the filter: one more stage in front ------------------------------------------------ */

/* Keys whose filter block has been asked for. */
struct asked {
	const uint32_t *block[BLOCK_CHUNK];
	uint32_t hash[BLOCK_CHUNK];
	unsigned n;
};

static inline void ask_blocks(const struct tg_table *t, const struct view *v, struct asked *a,
			      const struct tg_num *nums, unsigned n)
{
	const uint32_t *filter = t->filter;
	const uint32_t n_blocks = t->n_filter_blocks;
	unsigned i;

#pragma GCC unroll 4
	for (i = 0; i < n; i++) {
		const uint64_t y = tg_exact_mix(&v->exact, nums[i].v);

		a->hash[i] = tg_filter_hash(y);
		a->block[i] = filter +
			      (size_t)tg_filter_block(n_blocks, tg_crc32c_u64(y)) * TG_FILTER_WORDS;
		__builtin_prefetch(a->block[i]);
	}
	a->n = n;
}

/* Keys that pass go on to their buckets. `nums` is the chunk's, `at` the index of its first. */
static inline void probe_blocks(const struct view *v, const struct asked *a,
				const struct tg_num *nums, uint32_t at, struct scattered *passed)
{
	uint64_t pass = 0;
	unsigned n = 0, i;

#pragma GCC unroll 4
	for (i = a->n; i-- > 0;)
		pass += pass + block_has(a->block[i], a->hash[i]);
	for (; pass; pass &= pass - 1) {
		i = (unsigned)__builtin_ctzll(pass);
		passed->at[n] = at + i;
		ask_bucket(v, &passed->keys, n++, nums[i]);
	}
	passed->keys.n = n;
}

static inline void probe_passed(const struct view *v, struct scattered *passed,
				struct scattered *others, uint32_t *listings)
{
	uint32_t found[BLOCK_CHUNK];
	uint64_t missed;
	unsigned i;

	missed = passed->keys.n ? match_from(v, &passed->keys, 0, found) : 0;
	for (i = 0; i < passed->keys.n; i++)
		listings[passed->at[i]] = found[i];
	probe_others(v, others, listings);
	for (; missed; missed &= missed - 1) {
		i = (unsigned)__builtin_ctzll(missed);
		ask_other(v, &passed->keys, i, passed->at[i], others);
	}
}

/* In step i: blocks of chunk i+1 are asked for, those of chunk i read, buckets of chunk i-1 read,
 * other buckets of chunk i-2. */
static unsigned probe_filtered(const struct tg_table *t, const struct tg_num *nums, unsigned n,
			       uint32_t *listings)
{
	const struct view v = view_of(t);
	struct asked asked[2];
	struct scattered passed[2], others;
	unsigned at, turn = 0, n_passed = 0;

	memset(listings, 0, n * sizeof(*listings));
	others.keys.n = 0;
	passed[1].keys.n = 0;
	ask_blocks(t, &v, &asked[0], nums, at_most(n, BLOCK_CHUNK));
	for (at = 0; at < n; at += BLOCK_CHUNK, turn ^= 1) {
		const unsigned end = at + asked[turn].n;

		ask_blocks(t, &v, &asked[turn ^ 1], nums + end, at_most(n - end, BLOCK_CHUNK));
		probe_blocks(&v, &asked[turn], nums + at, at, &passed[turn]);
		n_passed += passed[turn].keys.n;
		probe_passed(&v, &passed[turn ^ 1], &others, listings);
	}
	probe_passed(&v, &passed[turn ^ 1], &others, listings);
	probe_others(&v, &others, listings);
	return n_passed;
}

const struct tg_probe_ops PROBE_OPS = {
	.name = PROBE_NAME,
	.exact = probe_exact,
	.filtered = probe_filtered,
};
