/* SPDX-License-Identifier: BSD-3-Clause */
/* Four entries an instruction; compiled for AVX2 and called only where the CPU has it. */
#include "dataplane/rep/probe.h"

#if defined(__x86_64__)
#include <immintrin.h>

static inline __m256i load(const void *p)
{
	return _mm256_loadu_si256(p);
}

/* Half a bucket: the entries that match, zero in place of the others. */
static inline __m256i matching(const uint64_t *entry, __m256i want, __m256i mask)
{
	const __m256i e = load(entry);

	return _mm256_and_si256(e, _mm256_cmpeq_epi64(_mm256_and_si256(e, mask), want));
}

static inline __m256i match_one(const uint64_t *bucket, uint64_t want, __m256i mask)
{
	const __m256i w = _mm256_set1_epi64x((long long)want);

	return _mm256_or_si256(matching(bucket, w, mask), matching(bucket + 4, w, mask));
}

/* Four keys at a time, so that the reduction across lanes is a transposition shared by all four. */
static inline void match(const uint64_t *const bucket[4], const uint64_t want[4], uint64_t mask,
			 uint64_t hit[4])
{
	const __m256i m = _mm256_set1_epi64x((long long)mask);
	const __m256i a = match_one(bucket[0], want[0], m);
	const __m256i b = match_one(bucket[1], want[1], m);
	const __m256i c = match_one(bucket[2], want[2], m);
	const __m256i d = match_one(bucket[3], want[3], m);
	const __m256i ab = _mm256_or_si256(_mm256_unpacklo_epi64(a, b),
					   _mm256_unpackhi_epi64(a, b));
	const __m256i cd = _mm256_or_si256(_mm256_unpacklo_epi64(c, d),
					   _mm256_unpackhi_epi64(c, d));

	_mm256_storeu_si256((void *)hit, _mm256_or_si256(_mm256_permute2x128_si256(ab, cd, 0x20),
							 _mm256_permute2x128_si256(ab, cd, 0x31)));
}

static inline bool block_has(const uint32_t *block, uint32_t hash)
{
	const __m256i product = _mm256_mullo_epi32(_mm256_set1_epi32((int)hash),
						   load(tg_filter_factor));
	const __m256i bits = _mm256_sllv_epi32(_mm256_set1_epi32(1),
					       _mm256_srli_epi32(product, 27));

	return _mm256_testc_si256(load(block), bits);
}

#define PROBE_OPS tg_probe_avx2
#define PROBE_NAME "avx2"
#include "dataplane/rep/probe.inc.c"
#endif
