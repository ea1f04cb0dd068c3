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
 *	0x08  '\\' (row 5)
 */
static inline __m256i classes(__m256i v)
{
	const __m256i by_low = _mm256_broadcastsi128_si256(_mm_setr_epi8(
		0x10, 0, 0x01, 0, 0, 0, 0, 0, 0, 0, 0x20, 0x20, 0x29, 0x20, 0x20, 0x20));
	const __m256i by_high = _mm256_broadcastsi128_si256(
		_mm_setr_epi8(0, 0, 0x01, 0x20, 0x10, 0x08, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
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

static inline uint64_t delimiters(const uint8_t *p)
{
	const __m256i none = _mm256_setzero_si256();

	return ~join(_mm256_cmpeq_epi8(classes(load32(p)), none),
		     _mm256_cmpeq_epi8(classes(load32(p + 32)), none));
}

static inline uint64_t blanks(const uint8_t *p)
{
	const __m256i space = _mm256_set1_epi8(' ');

	return join(_mm256_cmpeq_epi8(_mm256_min_epu8(load32(p), space), load32(p)),
		    _mm256_cmpeq_epi8(_mm256_min_epu8(load32(p + 32), space), load32(p + 32)));
}

static inline uint64_t low_bits(uint64_t bits, size_t n)
{
	return _bzhi_u64(bits, n < TG_SCAN_BLOCK ? (unsigned)n : TG_SCAN_BLOCK);
}

#define WALK_OPS tg_scan_avx2
#define WALK_NAME "avx2"
#define WALK_HASH tg_siphash_avx2
#include "dataplane/sig/sip_walk.inc.c"
#endif
