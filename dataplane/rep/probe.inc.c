/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The probe, as a software pipeline over chunks of 32 numbers. A variant defines
 *	static void match(const uint64_t *const bucket[GROUP], const uint64_t want[GROUP],
 *			  uint64_t mask, uint64_t hit[GROUP])
 *		hit[i]: the OR of those entries of bucket[i] that equal want[i] in the bits of `mask`
 *	static bool block_has(const uint32_t *block, uint32_t hash)
 *		all eight bits of `hash` are set in the filter block
 * and PROBE_OPS and PROBE_NAME, then includes this file. Not compiled on its own.
 *
 * Why a pipeline: a line from memory takes 150-250 ns, and a core keeps about 24 misses in flight, so
 * independent lines cost 7-10 ns each as long as some 24 are always under way. Probing 32 lines only
 * after all 32 have been asked for drains that queue at the end of each chunk (2.0 times the limit,
 * measured); asking for chunk i+1 between the probes of chunk i does not (1.25 times).
 */

#define CHUNK TG_BURST /* 32 in flight: just above the 24 that the core can have */
#define GROUP 4	       /* keys of one match(): four 64-bit lanes */
static_assert(CHUNK % GROUP == 0, "chunks are whole groups");

/* Keys on their way into buckets that have been asked for. Groups are filled up with copies of
 * their last key: matching a key twice changes nothing. */
struct keys {
	const uint64_t *bucket[CHUNK];
	uint64_t want[CHUNK];
	uint32_t at[CHUNK]; /* index of number and answer */
	unsigned n;
};

/* The number as a key, 0 (which no number is) for whatever is no E.164 number. */
static inline uint64_t key_of(struct tg_num num)
{
	return tg_num_kind(num) == TG_NUM_E164 ? tg_num_value(num) : 0;
}

static inline void ask_bucket(const struct tg_table *t, struct keys *k, unsigned i, uint64_t y,
			      uint32_t c)
{
	k->bucket[i] = t->buckets + (size_t)tg_exact_home(&t->exact, c) * TG_BUCKET_ENTRIES;
	k->want[i] = tg_exact_tag(&t->exact, y, c);
	__builtin_prefetch(k->bucket[i]);
}

static inline void ask_group(const struct tg_table *t, struct keys *k, unsigned g,
			     const struct tg_num *nums, uint32_t from)
{
	unsigned i;

	for (i = g; i < g + GROUP; i++) {
		const uint32_t at = from + (i < k->n ? i : k->n - 1);
		const uint64_t y = tg_exact_mix(&t->exact, key_of(nums[at]));

		k->at[i] = at;
		ask_bucket(t, k, i, y, tg_crc32c_u64(y));
	}
}

/* Repeats the last key up to a whole group; returns the end. n > 0. */
static inline unsigned fill_group(struct keys *k)
{
	unsigned i;

	for (i = k->n; i % GROUP; i++) {
		k->bucket[i] = k->bucket[k->n - 1];
		k->want[i] = k->want[k->n - 1];
		k->at[i] = k->at[k->n - 1];
	}
	return i;
}

/* Writes what the group's buckets say; notes in `missed` the keys that may stand in their other
 * bucket (5 % of keys: noted without a branch). Returns the new number of notes. */
static inline unsigned probe_group(const struct tg_table *t, const struct keys *k, unsigned g,
				   uint32_t *listings, uint8_t *missed, unsigned n_missed)
{
	uint64_t hit[GROUP];
	unsigned i;

	match(k->bucket + g, k->want + g, tg_exact_match_mask(&t->exact), hit);
	for (i = 0; i < GROUP; i++) {
		const uint32_t listing = (uint32_t)tg_exact_listing(&t->exact, hit[i]);
		const uint64_t overflow =
			k->bucket[g + i][tg_exact_overflow_entry(k->want[g + i])] >> 63;
		uint32_t *answer = &listings[k->at[g + i]];

		*answer = listing ? listing : *answer;
		missed[n_missed] = (uint8_t)(g + i);
		n_missed += (unsigned)overflow & !listing;
	}
	return n_missed;
}

/* Asks for the other buckets; they are probed a chunk later, when they have come. */
static inline void ask_others(const struct tg_table *t, const struct keys *k, const uint8_t *missed,
			      unsigned n_missed, struct keys *others)
{
	unsigned i;

	for (i = 0; i < n_missed; i++) {
		const unsigned from = missed[i];
		const uint32_t home =
			(uint32_t)((size_t)(k->bucket[from] - t->buckets) / TG_BUCKET_ENTRIES);
		const uint32_t other = tg_exact_other(&t->exact, home, k->want[from]);

		others->bucket[i] = t->buckets + (size_t)other * TG_BUCKET_ENTRIES;
		others->want[i] = k->want[from] | tg_exact_displaced(&t->exact);
		others->at[i] = k->at[from];
		__builtin_prefetch(others->bucket[i]);
	}
	others->n = n_missed;
}

static inline void probe_others(const struct tg_table *t, struct keys *others, uint32_t *listings)
{
	const unsigned end = others->n ? fill_group(others) : 0;
	uint64_t hit[GROUP];
	unsigned g, i;

	for (g = 0; g < end; g += GROUP) {
		match(others->bucket + g, others->want + g, tg_exact_match_mask(&t->exact), hit);
		for (i = 0; i < GROUP; i++) {
			const uint32_t listing = (uint32_t)tg_exact_listing(&t->exact, hit[i]);
			uint32_t *answer = &listings[others->at[g + i]];

			*answer = listing ? listing : *answer;
		}
	}
	others->n = 0;
}

static inline unsigned at_most_chunk(unsigned left)
{
	return left < CHUNK ? left : CHUNK;
}

static void probe_exact(const struct tg_table *t, const struct tg_num *nums, unsigned n,
			uint32_t *listings)
{
	struct keys chunk[2], others = { .n = 0 };
	uint8_t missed[CHUNK + 1];
	struct keys *now = &chunk[0], *next = &chunk[1], *done;
	unsigned at, g;

	now->n = at_most_chunk(n);
	for (g = 0; g < now->n; g += GROUP)
		ask_group(t, now, g, nums, 0);
	for (at = 0; at < n; at += CHUNK) {
		unsigned n_missed = 0;

		next->n = at_most_chunk(n - at - now->n);
		for (g = 0; g < now->n; g += GROUP) {
			if (g < next->n)
				ask_group(t, next, g, nums, at + CHUNK);
			n_missed = probe_group(t, now, g, listings, missed, n_missed);
		}
		probe_others(t, &others, listings);
		ask_others(t, now, missed, n_missed, &others);
		done = now;
		now = next;
		next = done;
	}
	probe_others(t, &others, listings);
}

/* ---- through the filter: one more stage in front ------------------------------------------------ */

/* Keys whose filter block has been asked for. */
struct asked {
	uint64_t y[CHUNK];
	uint32_t c[CHUNK];
	const uint32_t *block[CHUNK];
	unsigned n;
};

static inline void ask_blocks(const struct tg_table *t, struct asked *a, const struct tg_num *nums)
{
	unsigned i;

	for (i = 0; i < a->n; i++) {
		const uint64_t y = tg_exact_mix(&t->exact, key_of(nums[i]));
		const uint32_t c = tg_crc32c_u64(y);

		a->y[i] = y;
		a->c[i] = c;
		a->block[i] = t->filter +
			      (size_t)tg_filter_block(t->n_filter_blocks, c) * TG_FILTER_WORDS;
		__builtin_prefetch(a->block[i]);
	}
}

/* Keys that pass go on to their buckets. */
static inline void probe_blocks(const struct tg_table *t, const struct asked *a, uint32_t from,
				struct keys *k)
{
	uint8_t passed[CHUNK + 1];
	unsigned n = 0, i;

	for (i = 0; i < a->n; i++) {
		passed[n] = (uint8_t)i;
		n += block_has(a->block[i], tg_filter_hash(a->y[i]));
	}
	for (i = 0; i < n; i++) {
		k->at[i] = from + passed[i];
		ask_bucket(t, k, i, a->y[passed[i]], a->c[passed[i]]);
	}
	k->n = n;
}

static inline void probe_keys(const struct tg_table *t, struct keys *k, struct keys *others,
			      uint32_t *listings)
{
	const unsigned end = k->n ? fill_group(k) : 0;
	uint8_t missed[CHUNK + 1];
	unsigned n_missed = 0, g;

	for (g = 0; g < end; g += GROUP)
		n_missed = probe_group(t, k, g, listings, missed, n_missed);
	probe_others(t, others, listings);
	ask_others(t, k, missed, n_missed, others);
}

/* In step i: blocks of chunk i+1 are asked for, those of chunk i read, buckets of chunk i-1 read,
 * other buckets of chunk i-2. */
static unsigned probe_filtered(const struct tg_table *t, const struct tg_num *nums, unsigned n,
			       uint32_t *listings)
{
	struct asked asked[2];
	struct keys keys[2], others = { .n = 0 };
	unsigned at, turn = 0, passed = 0;

	keys[1].n = 0;
	asked[0].n = at_most_chunk(n);
	ask_blocks(t, &asked[0], nums);
	for (at = 0; at < n; at += CHUNK, turn ^= 1) {
		asked[turn ^ 1].n = at_most_chunk(n - at - asked[turn].n);
		ask_blocks(t, &asked[turn ^ 1], nums + at + asked[turn].n);
		probe_blocks(t, &asked[turn], at, &keys[turn]);
		passed += keys[turn].n;
		probe_keys(t, &keys[turn ^ 1], &others, listings);
	}
	probe_keys(t, &keys[turn ^ 1], &others, listings);
	probe_others(t, &others, listings);
	return passed;
}

const struct tg_probe_ops PROBE_OPS = {
	.name = PROBE_NAME,
	.exact = probe_exact,
	.filtered = probe_filtered,
};
