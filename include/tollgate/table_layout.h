/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the writer (control) and the reader (rep) of a table's sections must agree on, bit by bit: the
 * bijection of a number, the shape of a bucket, of a filter block, of the ranges. All functions are
 * pure and total: whatever the image's bytes, an index computed here is inside its section.
 *
 * Exact numbers. x is the number as an integer, below 2^50, K the image's odd hash_key:
 *
 *	y      = x * K mod 2^50           a permutation of 50-bit integers: K is odd
 *	c      = crc32c(y)                for given high 18 bits of y a permutation of its low 32
 *	home   = c * n_buckets >> 32      so the numbers of one bucket are an interval of c ...
 *	tag    = y >> 32 . low bits of c  ... of which the low `low_bits` bits tell c
 *
 * Hence (home, tag) is the number again: an entry is exact, though it holds only the tag. A number
 * whose home is full stands in home' = H(tag) - home mod n_buckets, flagged; as H(tag) - home' = home
 * such an entry is exact too. An entry, and a bucket of eight of them in one cache line:
 *
 *	bit 63                     overflow bit: of the bucket, not of the entry; see below
 *	bit 62 .. tag_bits + 1     listing (listing.h); an all-zero entry is empty
 *	bit tag_bits               displaced: this bucket is not the number's home
 *	bit tag_bits - 1 .. 0      tag, tag_bits = 18 + low_bits
 *
 * The eight overflow bits of a bucket are a filter: bit 63 of entry (tag & 7) is set if a number at
 * home here, of that class of tags, stands elsewhere. Where it is clear the second bucket need not
 * be read.
 */
#ifndef TG_TABLE_LAYOUT_H
#define TG_TABLE_LAYOUT_H

#include "tollgate/listing.h"
#include "tollgate/num.h"

#if defined(__SSE4_2__)
#include <nmmintrin.h>
#endif

/* ---- section "exact" -------------------------------------------------------------------------- */

#define TG_KEY_BITS 50
#define TG_KEY_MASK ((1ull << TG_KEY_BITS) - 1)
#define TG_KEY_HIGH_BITS (TG_KEY_BITS - 32)
#define TG_NUMBERS_END 1000000000000000ull /* 10^15: numbers and aligned numbers are below */
static_assert(TG_NUMBERS_END < 1ull << TG_KEY_BITS, "every number is a key");

#define TG_BUCKET_ENTRIES 8
#define TG_BUCKET_BYTES (TG_BUCKET_ENTRIES * sizeof(uint64_t))
static_assert(TG_BUCKET_BYTES == TG_CACHE_LINE, "a bucket is a cache line");
#define TG_ENTRY_OVERFLOW (1ull << 63)

/*
 * A stored listing has 22 bits (the two range bits are in answers only). 63 bits less the listing,
 * the displaced flag and the high 18 bits of y leave 22 for low_bits, and low_bits is
 * 32 - floor(log2 n_buckets): at least 2^10 buckets, 64 KiB, however few the numbers.
 */
#define TG_LISTING_STORED_BITS (2 * TG_LISTING_SLOT_BITS)
#define TG_LOW_BITS_MAX (63 - TG_LISTING_STORED_BITS - 1 - TG_KEY_HIGH_BITS)
#define TG_BUCKETS_MIN (1u << (32 - TG_LOW_BITS_MAX))
static_assert(TG_LOW_BITS_MAX == 22 && TG_BUCKETS_MIN == 1024, "the smallest table is 64 KiB");
#define TG_BUCKETS_MAX 0xffffffffu

struct tg_exact_shape {
	uint64_t hash_key; /* K */
	uint32_t n_buckets;
	uint32_t low_bits; /* 1 to TG_LOW_BITS_MAX */
};

/* n_buckets from TG_BUCKETS_MIN to TG_BUCKETS_MAX. */
static inline struct tg_exact_shape tg_exact_shape(uint64_t hash_key, uint32_t n_buckets)
{
	/* 32 - floor(log2 n_buckets): an interval of c, at most 2^32 / n_buckets rounded up, is no
	 * longer than 2^low_bits, so that its numbers differ in these bits. */
	return (struct tg_exact_shape){
		.hash_key = hash_key,
		.n_buckets = n_buckets,
		.low_bits = (uint32_t)__builtin_clz(n_buckets) + 1,
	};
}

/* CRC-32C (polynomial 0x1edc6f41, reflected) of eight octets, from 0, without inversions: what the
 * CPU's instruction computes. The function is for CPUs without one, and for its test. */
uint32_t tg_crc32c_u64_table(uint64_t v);

static inline uint32_t tg_crc32c_u64(uint64_t v)
{
#if defined(__SSE4_2__)
	return (uint32_t)_mm_crc32_u64(0, v);
#else
	return tg_crc32c_u64_table(v);
#endif
}

/* Bits of `number` above the 50 of a key do not matter: they leave the product at its upper end. (Done
 * with shifts because a 50-bit mask is a constant that costs a register.) */
static inline uint64_t tg_exact_mix(const struct tg_exact_shape *s, uint64_t number)
{
	return number * (s->hash_key << (64 - TG_KEY_BITS)) >> (64 - TG_KEY_BITS);
}

static inline uint32_t tg_exact_home(const struct tg_exact_shape *s, uint32_t c)
{
	return (uint32_t)((uint64_t)c * s->n_buckets >> 32);
}

static inline uint64_t tg_exact_tag(const struct tg_exact_shape *s, uint64_t y, uint32_t c)
{
	return (c & ((1ull << s->low_bits) - 1)) | y >> 32 << s->low_bits;
}

static inline uint32_t tg_exact_tag_bits(const struct tg_exact_shape *s)
{
	return TG_KEY_HIGH_BITS + s->low_bits;
}

static inline uint64_t tg_exact_displaced(const struct tg_exact_shape *s)
{
	return 1ull << tg_exact_tag_bits(s);
}

/* What an entry is compared in: tag and displaced flag. */
static inline uint64_t tg_exact_match_mask(const struct tg_exact_shape *s)
{
	return (2ull << tg_exact_tag_bits(s)) - 1;
}

/* The other bucket of a tag; its own inverse. `bucket` is below n_buckets. The factor is 2^64 divided
 * by the golden ratio: it spreads the tag over the upper half of the product. */
static inline uint32_t tg_exact_other(const struct tg_exact_shape *s, uint32_t bucket, uint64_t tag)
{
	const uint32_t mixed = (uint32_t)(tag * 0x9e3779b97f4a7c15ull >> 32);
	const uint32_t h = tg_exact_home(s, mixed);

	return h >= bucket ? h - bucket : h - bucket + s->n_buckets;
}

static inline uint64_t tg_exact_entry(const struct tg_exact_shape *s, uint64_t tag,
				      uint32_t listing)
{
	return (uint64_t)listing << (tg_exact_tag_bits(s) + 1) | tag;
}

/* Takes any entry, empty ones too; the overflow bit is ignored. */
static inline uint64_t tg_exact_listing(const struct tg_exact_shape *s, uint64_t entry)
{
	return (entry & ~TG_ENTRY_OVERFLOW) >> (tg_exact_tag_bits(s) + 1);
}

static inline unsigned tg_exact_overflow_entry(uint64_t tag)
{
	return (unsigned)(tag % TG_BUCKET_ENTRIES);
}

/* ---- section "filter" --------------------------------------------------------------------------
 *
 * A split-block Bloom filter (as in Apache Parquet's format): one block of eight 32-bit words a
 * number, one bit in each word. Ten bits a number: 1.3 % pass that are not in the table. */

#define TG_FILTER_WORDS 8
#define TG_FILTER_BLOCK_BYTES (TG_FILTER_WORDS * sizeof(uint32_t))

/* Odd factors, one a word, as Parquet has them. */
static const uint32_t tg_filter_factor[TG_FILTER_WORDS] = {
	0x47b6137bu, 0x44974d91u, 0x8824ad5bu, 0xa2b7289du,
	0x705495c7u, 0x2df1424bu, 0x9efc4947u, 0x5c6bfb31u,
};

static inline uint32_t tg_filter_block(uint32_t n_blocks, uint32_t c)
{
	return (uint32_t)((uint64_t)c * n_blocks >> 32);
}

static inline uint32_t tg_filter_hash(uint64_t y)
{
	return (uint32_t)(y * 0x9e3779b97f4a7c15ull >> 32);
}

static inline uint32_t tg_filter_bit(uint32_t hash, unsigned word)
{
	return 1u << (hash * tg_filter_factor[word] >> 27);
}

/* ---- sections "range-index", "range-bounds", "range-sets" --------------------------------------
 *
 * All prefixes and ranges, flattened: bound i says what holds for aligned numbers from its own
 * `from` to just before the next one's. What holds is a set: one listing for each number length, in
 * one cache line. Bound 0 is at 0; set 0 is empty.
 *
 * The index has a u32 for each cell of 2^shift aligned numbers, and one more: the bound that the
 * cell's first number falls to; so the search is between two neighbours of the index. */

struct tg_range_bound {
	uint64_t from;
	uint32_t set;
	uint32_t zero;
};
static_assert(sizeof(struct tg_range_bound) == 16, "four bounds to a cache line");

struct tg_range_set {
	uint32_t listing[16]; /* [digits]; [0] is zero */
};
static_assert(sizeof(struct tg_range_set) == TG_CACHE_LINE, "one line a set");

/* Cells of an index over [0, 10^15); the index has one word more. */
static inline uint64_t tg_range_cells(unsigned shift)
{
	return ((TG_NUMBERS_END - 1) >> shift) + 1;
}

/* ---- section "short" --------------------------------------------------------------------------- */

struct tg_short_entry {
	uint64_t num; /* struct tg_num's word; ascending */
	uint32_t listing;
	uint32_t zero;
};
static_assert(sizeof(struct tg_short_entry) == 16, "four codes to a cache line");

#endif
