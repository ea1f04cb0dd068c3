/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The probe, as a software pipeline over chunks of 32 numbers. A variant defines
 *	static unsigned match(const struct view *v, const uint64_t *const bucket[GROUP],
 *			      const uint64_t want[GROUP], uint32_t found[GROUP])
 *		found[i] = the listing of the entry in bucket[i] that equals want[i] in the bits of
 *		v->match_mask, 0 = none; bit i of the result: none, but the bucket's overflow bit for
 *		this tag is set
 *	static bool block_has(const uint32_t *block, uint32_t hash)
 *		all eight bits of `hash` are set in the filter block
 * and PROBE_OPS and PROBE_NAME, then includes this file. Not compiled on its own.
 *
 * Why a pipeline: a line from memory takes 150-250 ns, and a core keeps about 24 misses in flight, so
 * independent lines cost 7-10 ns each as long as some 24 are always under way. Probing 32 lines only
 * after all 32 have been asked for drains that queue at the end of each chunk (2.0 times the limit,
 * measured); asking for chunk i+1 between the probes of chunk i does not (1.25 times).
 */
#include "dataplane/rep/probe_view.h"

/* Keys on their way into buckets that have been asked for. */
struct keys {
	const uint64_t *bucket[CHUNK];
	uint64_t want[CHUNK];
	unsigned n;
};

/* Keys that come from here and there, each with the index of its answer. */
struct scattered {
	struct keys keys;
	uint32_t at[CHUNK];
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

/*
 * The number's word goes into the multiplication as it is: digits and kind, above bit 50, do not come
 * through modulo 2^50. A word that is no E.164 number keeps bits of its kind in what is looked for,
 * above all that a match compares: it is found nowhere.
 */
static inline void ask_bucket(const struct view *v, struct keys *k, unsigned i, struct tg_num num)
{
	const uint64_t y = tg_exact_mix(&v->exact, num.v);
	const uint32_t c = tg_crc32c_u64(y);
	const uint64_t no_e164 = (num.v ^ (uint64_t)TG_NUM_E164 << TG_NUM_KIND_SHIFT) &
				 ~0ull << TG_NUM_KIND_SHIFT;

	k->bucket[i] = v->buckets + (size_t)tg_exact_home(&v->exact, c) * TG_BUCKET_ENTRIES;
	k->want[i] = tg_exact_tag(&v->exact, y, c) | no_e164;
	__builtin_prefetch(k->bucket[i]);
}
static_assert(TG_KEY_HIGH_BITS + TG_LOW_BITS_MAX + 1 <= TG_NUM_KIND_SHIFT,
	      "a kind is above tag and displaced flag");

/* Repeats the last key up to a whole group; returns its end. */
static inline unsigned fill_group(struct keys *k)
{
	unsigned i;

	for (i = k->n; i % GROUP; i++) {
		k->bucket[i] = k->bucket[k->n - 1];
		k->want[i] = k->want[k->n - 1];
	}
	return i;
}

/* All keys of `k`: listings to `found`. Bit i of the result: key i may stand in its other bucket. */
static inline uint32_t match_all(const struct view *v, struct keys *k, uint32_t *found)
{
	const unsigned end = fill_group(k);
	uint32_t missed = 0;
	unsigned g;

	for (g = 0; g < end; g += GROUP)
		missed |= (uint32_t)match(v, k->bucket + g, k->want + g, found + g) << g;
	return missed & (uint32_t)((1ull << k->n) - 1);
}

/* No branch: which of the keys are listed is what nobody can predict. */
static inline void answer(uint32_t *listing, uint32_t found)
{
	*listing = found | (*listing & -(uint32_t)(found == 0));
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

static inline void probe_others(const struct view *v, struct scattered *others, uint32_t *listings)
{
	uint32_t found[CHUNK];
	unsigned i;

	if (others->keys.n == 0)
		return;
	match_all(v, &others->keys, found);
	for (i = 0; i < others->keys.n; i++)
		answer(&listings[others->at[i]], found[i]);
	others->keys.n = 0;
}

static inline unsigned at_most_chunk(unsigned left)
{
	return left < CHUNK ? left : CHUNK;
}

static inline void ask_all(const struct view *v, struct keys *k, const struct tg_num *nums,
			   unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		ask_bucket(v, k, i, nums[i]);
	k->n = n;
}

/* Two whole chunks, group by group: `next` is asked for while `now` is probed. */
static inline uint32_t ask_and_match(const struct view *v, struct keys *next,
				     const struct tg_num *nums, const struct keys *now,
				     uint32_t *found)
{
	uint32_t missed = 0;
	unsigned g, i;

	for (g = 0; g < CHUNK; g += GROUP) {
		for (i = g; i < g + GROUP; i++)
			ask_bucket(v, next, i, nums[i]);
		missed |= (uint32_t)match(v, now->bucket + g, now->want + g, found + g) << g;
	}
	next->n = CHUNK;
	return missed;
}

static void probe_exact(const struct tg_table *t, const struct tg_num *nums, unsigned n,
			uint32_t *listings)
{
	const struct view v = view_of(t);
	struct keys chunk[2], *now = &chunk[0], *next = &chunk[1], *done;
	struct scattered others;
	uint32_t found[CHUNK], missed;
	unsigned at, i;

	others.keys.n = 0;
	ask_all(&v, now, nums, at_most_chunk(n));
	for (at = 0; at < n; at += CHUNK) {
		const unsigned left = n - at - now->n;

		if (left >= CHUNK) {
			missed = ask_and_match(&v, next, nums + at + CHUNK, now, found);
		} else {
			ask_all(&v, next, nums + at + now->n, left);
			missed = match_all(&v, now, found);
		}
		for (i = 0; i < now->n; i++)
			answer(&listings[at + i], found[i]);
		probe_others(&v, &others, listings);
		for (; missed; missed &= missed - 1) {
			i = (unsigned)__builtin_ctz(missed);
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
	const uint32_t *block[CHUNK];
	uint32_t hash[CHUNK];
	unsigned n;
};

static inline void ask_blocks(const struct tg_table *t, const struct view *v, struct asked *a,
			      const struct tg_num *nums, unsigned n)
{
	const uint32_t *filter = t->filter;
	const uint32_t n_blocks = t->n_filter_blocks;
	unsigned i;

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
	uint32_t pass = 0;
	unsigned n = 0, i;

	for (i = 0; i < a->n; i++)
		pass |= (uint32_t)block_has(a->block[i], a->hash[i]) << i;
	for (; pass; pass &= pass - 1) {
		i = (unsigned)__builtin_ctz(pass);
		passed->at[n] = at + i;
		ask_bucket(v, &passed->keys, n++, nums[i]);
	}
	passed->keys.n = n;
}

static inline void probe_passed(const struct view *v, struct scattered *passed,
				struct scattered *others, uint32_t *listings)
{
	uint32_t found[CHUNK], missed;
	unsigned i;

	missed = passed->keys.n ? match_all(v, &passed->keys, found) : 0;
	for (i = 0; i < passed->keys.n; i++)
		answer(&listings[passed->at[i]], found[i]);
	probe_others(v, others, listings);
	for (; missed; missed &= missed - 1) {
		i = (unsigned)__builtin_ctz(missed);
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

	others.keys.n = 0;
	passed[1].keys.n = 0;
	ask_blocks(t, &v, &asked[0], nums, at_most_chunk(n));
	for (at = 0; at < n; at += CHUNK, turn ^= 1) {
		const unsigned end = at + asked[turn].n;

		ask_blocks(t, &v, &asked[turn ^ 1], nums + end, at_most_chunk(n - end));
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
