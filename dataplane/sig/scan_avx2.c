/* SPDX-License-Identifier: BSD-3-Clause */
/* 32 bytes at a time; compiled for AVX2 and called only where the CPU has it. */
#include "dataplane/sig/scan.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "dataplane/sig/scan.inc.c"

static inline __m256i load32(const uint8_t *p)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

/*
 * A byte's class by its two halves: both tables have the bit for exactly the bytes of that class.
 *
 *	0x01  '"' ',' (row 2)      0x20  ':' to '?' (row 3)     0x10  '@' (row 4)
 *	0x08  '\\' (row 5)         0x80  LF (row 0): the sign bit, which movemask reads
 */
static inline __m256i classes(__m256i v)
{
	const __m256i by_low = _mm256_broadcastsi128_si256(_mm_setr_epi8(
		0x10, 0, 0x01, 0, 0, 0, 0, 0, 0, 0, (char)0xa0, 0x20, 0x29, 0x20, 0x20, 0x20));
	const __m256i by_high = _mm256_broadcastsi128_si256(
		_mm_setr_epi8((char)0x80, 0, 0x01, 0x20, 0x10, 0x08, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
	const __m256i high = _mm256_and_si256(_mm256_srli_epi16(v, 4), _mm256_set1_epi8(0x0f));

	/* The shuffle by `v` yields zero for a byte above 0x7f: it has no class, which is right. */
	return _mm256_and_si256(_mm256_shuffle_epi8(by_low, v), _mm256_shuffle_epi8(by_high, high));
}

static inline uint64_t join(__m256i low, __m256i high)
{
	return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high)
							     << 32;
}

static inline struct block block_read(const uint8_t *p)
{
	const __m256i none = _mm256_setzero_si256();
	const __m256i low = classes(load32(p)), high = classes(load32(p + 32));
	const uint64_t lf = join(low, high);

	return (struct block){
		.lf = lf,
		.delimiters = ~(join(_mm256_cmpeq_epi8(low, none), _mm256_cmpeq_epi8(high, none)) |
				lf),
	};
}

#define SCAN_OPS tg_scan_avx2
#define SCAN_NAME "avx2"
#include "dataplane/sig/scan.inc.c"
#endif
