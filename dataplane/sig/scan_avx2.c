/* SPDX-License-Identifier: BSD-3-Clause */
/* 32 bytes at a time; compiled for AVX2 and called only where the CPU has it. */
#include "dataplane/sig/scan.h"
#include "dataplane/sig/siphash.h"

#if defined(__x86_64__)
#include <immintrin.h>

static inline __m256i load32(const uint8_t *p)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

/*
 * A byte's class by its two halves: both tables have the bit for exactly the bytes of that class.
 *
 *	0x01  '"' ',' (row 2)      0x20  ':' to '?' (row 3)     0x10  '@' (row 4)
 *	0x08  '\\' (row 5)         0x40  below the space (rows 0 and 1)   0x80  the space (row 2)
 */
#define BLANK 0xc0

static inline __m256i classes(__m256i v)
{
	const __m256i by_low = _mm256_broadcastsi128_si256(
		_mm_setr_epi8((char)0xd0, 0x40, 0x41, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40,
			      0x60, 0x60, 0x69, 0x60, 0x60, 0x60));
	const __m256i by_high = _mm256_broadcastsi128_si256(_mm_setr_epi8(
		0x40, 0x40, (char)0x81, 0x20, 0x10, 0x08, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
	const __m256i high = _mm256_and_si256(_mm256_srli_epi16(v, 4), _mm256_set1_epi8(0x0f));

	/* The shuffle by `v` yields zero for a byte above 0x7f: it has no class, which is right. */
	return _mm256_and_si256(_mm256_shuffle_epi8(by_low, v), _mm256_shuffle_epi8(by_high, high));
}

static inline uint64_t join(__m256i low, __m256i high)
{
	return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high)
							     << 32;
}

static inline uint64_t line_feeds(const uint8_t *p)
{
	const __m256i lf = _mm256_set1_epi8('\n');

	return join(_mm256_cmpeq_epi8(load32(p), lf), _mm256_cmpeq_epi8(load32(p + 32), lf));
}

/* Bytes of any class of `mask`. */
static inline uint64_t of_class(const uint8_t *p, uint8_t mask)
{
	const __m256i none = _mm256_setzero_si256(), of = _mm256_set1_epi8((char)mask);

	return ~join(_mm256_cmpeq_epi8(_mm256_and_si256(classes(load32(p)), of), none),
		     _mm256_cmpeq_epi8(_mm256_and_si256(classes(load32(p + 32)), of), none));
}

static inline uint64_t delimiters(const uint8_t *p)
{
	return of_class(p, (uint8_t)~BLANK);
}

static inline uint64_t specials(const uint8_t *p)
{
	return of_class(p, 0xff);
}

static inline uint64_t low_bits(uint64_t bits, size_t n)
{
	return _bzhi_u64(bits, n < TG_SCAN_BLOCK ? (unsigned)n : TG_SCAN_BLOCK);
}

/* Three without a branch: more lines than that in 64 bytes are rare, and how many there are is not to be
 * guessed. (The trailing zeros of nothing are 64: a place that the next one's bits write over.) */
static inline unsigned put_bits(uint64_t bits, uint32_t at, uint16_t *to)
{
	const unsigned n = (unsigned)__builtin_popcountll(bits);
	unsigned i;

	for (i = 0; i < 3; i++, bits = _blsr_u64(bits))
		to[i] = (uint16_t)(at + _tzcnt_u64(bits));
	for (; i < n; i++, bits = _blsr_u64(bits))
		to[i] = (uint16_t)(at + _tzcnt_u64(bits));
	return n;
}

#define WALK_OPS tg_scan_avx2
#define WALK_NAME "avx2"
#define WALK_HASH tg_siphash_avx2
#define WALK_HASH_WORDS tg_siphash_words_avx2
#include "dataplane/sig/sip_walk.inc.c"
#endif
