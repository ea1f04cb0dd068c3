/* SPDX-License-Identifier: BSD-3-Clause */
/* 32 bytes at a time; compiled for AVX2 and called only where the CPU has it. */
#include "dataplane/sig/scan.h"

#if defined(__x86_64__)
#include <immintrin.h>

static inline __m256i load32(const uint8_t *p)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

static inline __m256i equal(__m256i v, char byte)
{
	return _mm256_cmpeq_epi8(v, _mm256_set1_epi8(byte));
}

static inline uint64_t join(__m256i low, __m256i high)
{
	return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high)
							     << 32;
}

static inline uint64_t block_lf(const uint8_t *p)
{
	return join(equal(load32(p), '\n'), equal(load32(p + 32), '\n'));
}

static inline __m256i delimiters(__m256i v)
{
	const __m256i rank = _mm256_sub_epi8(v, _mm256_set1_epi8(':'));
	const __m256i last = _mm256_set1_epi8('@' - ':');
	const __m256i colon_to_at = _mm256_cmpeq_epi8(_mm256_min_epu8(rank, last), rank);

	return _mm256_or_si256(_mm256_or_si256(colon_to_at, equal(v, '"')),
			       _mm256_or_si256(equal(v, ','), equal(v, '\\')));
}

static inline uint64_t block_delimiters(const uint8_t *p)
{
	return join(delimiters(load32(p)), delimiters(load32(p + 32)));
}

#define SCAN_OPS tg_scan_avx2
#define SCAN_NAME "avx2"
#include "dataplane/sig/scan.inc.c"
#endif
