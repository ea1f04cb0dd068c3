/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbers into buckets, straight into the image. A number's bucket is anywhere in a table that is far
 * larger than the caches, and beyond what the TLB knows: placed in the order of the input, each costs
 * a cache miss and a page walk. So they are dealt out by region of the table first, which is written
 * sequentially, then placed region by region, each of which is in the cache while it fills.
 *
 * First every number goes to its home, as far as there is room; then those left over (7 % at a load
 * of .80) go to their other bucket, or send somebody from their home to his, or, rarely, walk on.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/build_priv.h"

#define AHEAD 32

/* Ten numbers in the 12.5 places of each 100 bytes: a load of .80, 10 bytes a number. At .75 it would
 * be 10.7 bytes for 5.2 % displaced numbers instead of 6.8 %. */
#define BYTES_PER_NUMBER 10

uint64_t tg_build_buckets(uint64_t n)
{
	const uint64_t buckets = (n * BYTES_PER_NUMBER + TG_BUCKET_BYTES - 1) / TG_BUCKET_BYTES;

	return buckets < TG_BUCKETS_MIN ? TG_BUCKETS_MIN : buckets;
}

/*
 * A filter of 10 bits a number is an eighth of the table. It pays where it is in a cache that the
 * table is not in. Tables below 4 MiB (400,000 numbers) are within a core's own share of the last
 * level cache; filters above 16 MiB (13 M numbers) are not, and their lines would cost what the
 * table's cost.
 */
#define FILTER_BITS_PER_NUMBER 10
#define FILTER_TABLE_MIN (4u << 20)
#define FILTER_MAX (16u << 20)

uint64_t tg_build_filter_blocks(uint64_t n)
{
	const uint64_t bits = TG_FILTER_BLOCK_BYTES * 8;
	const uint64_t blocks = (n * FILTER_BITS_PER_NUMBER + bits - 1) / bits;

	if (tg_build_buckets(n) * TG_BUCKET_BYTES < FILTER_TABLE_MIN ||
	    blocks * TG_FILTER_BLOCK_BYTES > FILTER_MAX)
		return 0;
	return blocks;
}

/* An entry without displaced flag, and its home. */
struct placing {
	uint64_t entry;
	uint32_t home;
};

struct builder {
	const struct tg_exact_shape *shape;
	uint64_t *buckets;
	uint64_t seed; /* of the walk */
	struct placing *left;
	uint64_t n_left;
	uint64_t cap_left;
};

static inline uint64_t *bucket_of(const struct builder *b, uint32_t bucket)
{
	return b->buckets + (size_t)bucket * TG_BUCKET_ENTRIES;
}

static inline uint64_t tag_of(const struct builder *b, uint64_t entry)
{
	return entry & (tg_exact_displaced(b->shape) - 1);
}

static inline uint32_t other_of(const struct builder *b, uint64_t entry, uint32_t bucket)
{
	return tg_exact_other(b->shape, bucket, tag_of(b, entry));
}

/* Entries stand in front, without gaps. */
static inline unsigned used_of(const uint64_t *bucket)
{
	unsigned n = 0, i;

	for (i = 0; i < TG_BUCKET_ENTRIES; i++)
		n += (bucket[i] & ~TG_ENTRY_OVERFLOW) != 0;
	return n;
}

/* Is there an entry with the tag and displaced flag of `entry`? */
static inline bool stands_in(const struct builder *b, const uint64_t *bucket, uint64_t entry)
{
	const uint64_t mask = tg_exact_match_mask(b->shape);
	unsigned same = 0, i;

	for (i = 0; i < TG_BUCKET_ENTRIES; i++)
		same += (bucket[i] & ~TG_ENTRY_OVERFLOW) != 0 &&
			(bucket[i] & mask) == (entry & mask);
	return same;
}

/* Puts an entry in a place, whose overflow bit stays. */
static inline void put(uint64_t *place, uint64_t entry)
{
	*place = entry | (*place & TG_ENTRY_OVERFLOW);
}

static struct placing place_number(const struct builder *b, const struct tg_build_number *n)
{
	const uint64_t y = tg_exact_mix(b->shape, n->value);
	const uint32_t c = tg_crc32c_u64(y);

	return (struct placing){
		.entry = tg_exact_entry(b->shape, tg_exact_tag(b->shape, y, c), n->listing),
		.home = tg_exact_home(b->shape, c),
	};
}

static int leave_over(struct builder *b, const struct placing *p)
{
	if (b->n_left == b->cap_left) {
		const uint64_t cap = b->cap_left ? b->cap_left * 2 : 1024;
		struct placing *left = realloc(b->left, cap * sizeof(*left));

		if (!left)
			return -ENOMEM;
		b->left = left;
		b->cap_left = cap;
	}
	b->left[b->n_left++] = *p;
	return 0;
}

static int place_at_home(struct builder *b, const struct placing *p)
{
	uint64_t *home = bucket_of(b, p->home);
	const unsigned used = used_of(home);

	if (stands_in(b, home, p->entry))
		return -EEXIST;
	if (used == TG_BUCKET_ENTRIES)
		return leave_over(b, p);
	home[used] = p->entry;
	return 0;
}

/* The number's second place, if there is room; notes the absence at home. */
static bool place_elsewhere(const struct builder *b, const struct placing *p)
{
	uint64_t *other = bucket_of(b, other_of(b, p->entry, p->home));
	const unsigned used = used_of(other);

	if (used == TG_BUCKET_ENTRIES)
		return false;
	put(&other[used], p->entry | tg_exact_displaced(b->shape));
	bucket_of(b, p->home)[tg_exact_overflow_entry(p->entry)] |= TG_ENTRY_OVERFLOW;
	return true;
}

/* Somebody at home with room elsewhere makes way. */
static bool swap_at_home(const struct builder *b, const struct placing *p)
{
	uint64_t *home = bucket_of(b, p->home);
	unsigned i;

	for (i = 0; i < TG_BUCKET_ENTRIES; i++) {
		const struct placing resident = { home[i] & ~TG_ENTRY_OVERFLOW, p->home };

		if (home[i] & tg_exact_displaced(b->shape))
			continue;
		if (place_elsewhere(b, &resident)) {
			put(&home[i], p->entry);
			return true;
		}
	}
	return false;
}

/* Takes a random place in the other bucket; who stood there is next, from his own home. */
static struct placing evict(struct builder *b, const struct placing *p)
{
	const uint32_t bucket = other_of(b, p->entry, p->home);
	struct placing out = { 0, bucket };
	uint64_t *place;

	b->seed = b->seed * 6364136223846793005ull + 1442695040888963407ull; /* Knuth's MMIX */
	place = bucket_of(b, bucket) + (b->seed >> 61);
	out.entry = *place & ~TG_ENTRY_OVERFLOW;
	if (out.entry & tg_exact_displaced(b->shape)) {
		out.entry &= ~tg_exact_displaced(b->shape);
		out.home = other_of(b, out.entry, bucket);
	}
	put(place, p->entry | tg_exact_displaced(b->shape));
	bucket_of(b, p->home)[tg_exact_overflow_entry(p->entry)] |= TG_ENTRY_OVERFLOW;
	return out;
}

/* A home that has somebody to place is full, and stays so: entries change places, none leaves. A step
 * fails once in 10^4 (nine candidates, a third of the buckets full): a walk of 500 that leads nowhere
 * means that the key is bad. */
#define WALK_MAX 500

static int settle(struct builder *b, struct placing p)
{
	unsigned step;

	for (step = 0; step < WALK_MAX; step++) {
		if (place_elsewhere(b, &p) || swap_at_home(b, &p))
			return 0;
		p = evict(b, &p);
	}
	return -EAGAIN;
}

static int settle_all(struct builder *b, uint64_t *at)
{
	const uint64_t displaced = tg_exact_displaced(b->shape);
	uint64_t i;
	int rc = 0;

	for (i = 0; i < b->n_left && rc == 0; i++) {
		const struct placing *p = &b->left[i];

		*at = i;
		if (i + AHEAD < b->n_left) {
			const struct placing *next = &b->left[i + AHEAD];

			__builtin_prefetch(bucket_of(b, next->home), 1);
			__builtin_prefetch(bucket_of(b, other_of(b, next->entry, next->home)), 1);
		}
		if (stands_in(b, bucket_of(b, p->home), p->entry) ||
		    stands_in(b, bucket_of(b, other_of(b, p->entry, p->home)),
			      p->entry | displaced))
			return -EEXIST;
		rc = settle(b, *p);
	}
	return rc;
}

/* Which number it was: only for an error's text, hence by trying all. */
static uint64_t value_of(const struct builder *b, const struct placing *p,
			 const struct tg_build_number *numbers, uint64_t n)
{
	uint64_t i;

	for (i = 0; i < n; i++) {
		const struct placing q = place_number(b, &numbers[i]);

		if (q.home == p->home && tag_of(b, q.entry) == tag_of(b, p->entry))
			return numbers[i].value;
	}
	return 0;
}

/* In the order of the input, each bucket asked for AHEAD places before it is needed. */
static int place_in_order(struct builder *b, const struct tg_build_number *numbers, uint64_t n,
			  uint64_t *twice)
{
	struct placing ring[AHEAD];
	uint64_t i;
	int rc = 0;

	for (i = 0; i < n + AHEAD && rc == 0; i++) {
		struct placing *p = &ring[i % AHEAD];

		if (i >= AHEAD && i - AHEAD < n)
			rc = place_at_home(b, p);
		if (rc == -EEXIST)
			*twice = numbers[i - AHEAD].value;
		if (i < n) {
			*p = place_number(b, &numbers[i]);
			__builtin_prefetch(bucket_of(b, p->home), 1);
		}
	}
	return rc;
}

/* 2 MiB of buckets: in a core's share of the last level cache, and 500 regions at 100 M numbers, so
 * that what is dealt out to them is written in few enough places at a time. */
#define REGION_SHIFT 15
static_assert(TG_BUCKET_BYTES << REGION_SHIFT == 2u << 20, "a region is 2 MiB");

/* Dealt out at a time: 16 MiB of places, which are used again and again. (For all numbers at once it
 * would be 16 bytes each, and a fresh page costs more than a page walk.) */
#define BLOCK (1u << 20)

/* Who goes where: `cap` places a region. */
struct deal {
	struct placing *places;
	uint32_t *used; /* of each region */
	uint64_t n_regions;
	uint64_t cap;
};

/* Homes are evenly spread by a secret key: a region's share has a standard deviation of its square
 * root, and eight of these are never needed; whoever finds no room all the same is placed at once. */
static int deal_init(struct deal *d, const struct tg_exact_shape *shape)
{
	const uint64_t share = (((uint64_t)BLOCK << REGION_SHIFT) + shape->n_buckets - 1) /
			       shape->n_buckets;
	uint64_t root = 1;

	while (root * root < share)
		root++;
	d->n_regions = ((uint64_t)shape->n_buckets + (1u << REGION_SHIFT) - 1) >> REGION_SHIFT;
	d->cap = share + 8 * root;
	d->used = malloc(d->n_regions * sizeof(*d->used));
	d->places = calloc(d->n_regions * d->cap, sizeof(*d->places));
	if (d->used && d->places)
		return 0;
	free(d->used);
	free(d->places);
	return -ENOMEM;
}

static int deal_out(struct builder *b, struct deal *d, const struct tg_build_number *numbers,
		    uint64_t n, struct placing *twice)
{
	uint64_t i;
	int rc = 0;

	for (i = 0; i < n && rc == 0; i++) {
		const struct placing p = place_number(b, &numbers[i]);
		const uint32_t region = p.home >> REGION_SHIFT;

		if (d->used[region] < d->cap) {
			d->places[region * d->cap + d->used[region]++] = p;
			continue;
		}
		rc = place_at_home(b, &p);
		*twice = p;
	}
	return rc;
}

static int place_region(struct builder *b, const struct placing *places, uint32_t n,
			struct placing *twice)
{
	uint32_t i;
	int rc = 0;

	for (i = 0; i < n && rc == 0; i++) {
		if (i + AHEAD < n)
			__builtin_prefetch(bucket_of(b, places[i + AHEAD].home), 1);
		rc = place_at_home(b, &places[i]);
		*twice = places[i];
	}
	return rc;
}

static int place_block(struct builder *b, struct deal *d, const struct tg_build_number *numbers,
		       uint64_t n, struct placing *twice)
{
	uint64_t r;
	int rc;

	memset(d->used, 0, d->n_regions * sizeof(*d->used));
	rc = deal_out(b, d, numbers, n, twice);
	for (r = 0; r < d->n_regions && rc == 0; r++)
		rc = place_region(b, &d->places[r * d->cap], d->used[r], twice);
	return rc;
}

static int place_by_region(struct builder *b, const struct tg_build_number *numbers, uint64_t n,
			   uint64_t *twice)
{
	struct placing last = { 0 };
	struct deal d;
	uint64_t at;
	int rc;

	rc = deal_init(&d, b->shape);
	if (rc)
		return rc;
	for (at = 0; at < n && rc == 0; at += BLOCK)
		rc = place_block(b, &d, numbers + at, n - at < BLOCK ? n - at : BLOCK, &last);
	free(d.places);
	free(d.used);
	if (rc == -EEXIST)
		*twice = value_of(b, &last, numbers, n);
	return rc;
}

/* Up to two regions, there is nothing to be gained. */
static int all_at_home(struct builder *b, const struct tg_build_number *numbers, uint64_t n,
		       uint64_t *twice)
{
	return b->shape->n_buckets >> REGION_SHIFT < 2 ? place_in_order(b, numbers, n, twice)
						       : place_by_region(b, numbers, n, twice);
}

int tg_build_exact(const struct tg_exact_shape *shape, const struct tg_build_number *numbers,
		   uint64_t n, uint64_t *buckets, uint64_t *twice)
{
	struct builder b = { .shape = shape, .buckets = buckets, .seed = shape->hash_key };
	uint64_t at = 0;
	int rc;

	rc = all_at_home(&b, numbers, n, twice);
	if (rc == 0) {
		rc = settle_all(&b, &at);
		if (rc == -EEXIST)
			*twice = value_of(&b, &b.left[at], numbers, n);
	}
	free(b.left);
	return rc;
}

void tg_build_filter(const struct tg_exact_shape *shape, const struct tg_build_number *numbers,
		     uint64_t n, uint32_t *filter, uint32_t n_blocks)
{
	uint64_t ys[AHEAD], i;
	uint32_t *ring[AHEAD];
	unsigned w;

	for (i = 0; i < n + AHEAD; i++) {
		const unsigned slot = i % AHEAD;

		if (i >= AHEAD && i - AHEAD < n)
			for (w = 0; w < TG_FILTER_WORDS; w++)
				ring[slot][w] |= tg_filter_bit(tg_filter_hash(ys[slot]), w);
		if (i < n) {
			ys[slot] = tg_exact_mix(shape, numbers[i].value);
			ring[slot] = filter +
				     (size_t)tg_filter_block(n_blocks, tg_crc32c_u64(ys[slot])) *
					     TG_FILTER_WORDS;
			__builtin_prefetch(ring[slot], 1);
		}
	}
}
