/* SPDX-License-Identifier: BSD-3-Clause */
/* Four entries an instruction; compiled for AVX2 and called only where the CPU has it. */
#include "dataplane/rep/probe_view.h"

#if defined(__x86_64__)
#include <immintrin.h>

/* One load wherever it lies: for the baseline CPU the compiler would split an ordinary unaligned one. */
static inline __m256i load(const void *p)
{
	return _mm256_lddqu_si256(p);
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

static inline unsigned overflow(const uint64_t *bucket, uint64_t want)
{
	return (unsigned)(bucket[tg_exact_overflow_entry(want)] >> 63);
}

/* Four keys at a time, so that the reduction across lanes is a transposition shared by all four. */
static inline unsigned match(const struct view *v, const uint64_t *const bucket[GROUP],
			     const uint64_t want[GROUP], uint32_t found[GROUP])
{
	const __m256i mask = _mm256_set1_epi64x((long long)v->match_mask);
	const __m256i a = match_one(bucket[0], want[0], mask);
	const __m256i b = match_one(bucket[1], want[1], mask);
	const __m256i c = match_one(bucket[2], want[2], mask);
	const __m256i d = match_one(bucket[3], want[3], mask);
	const __m256i ab = _mm256_or_si256(_mm256_unpacklo_epi64(a, b),
					   _mm256_unpackhi_epi64(a, b));
	const __m256i cd = _mm256_or_si256(_mm256_unpacklo_epi64(c, d),
					   _mm256_unpackhi_epi64(c, d));
	const __m256i hit = _mm256_or_si256(_mm256_permute2x128_si256(ab, cd, 0x20),
					    _mm256_permute2x128_si256(ab, cd, 0x31));
	/* out with the overflow bit, and down to the listing */
	const __m256i listing = _mm256_srl_epi64(_mm256_slli_epi64(hit, 1),
						 _mm_cvtsi32_si128((int)v->listing_shift + 1));
	const __m256i low_halves =
		_mm256_permutevar8x32_epi32(listing, _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6));
	const __m256i none = _mm256_cmpeq_epi64(listing, _mm256_setzero_si256());

	_mm_storeu_si128((void *)found, _mm256_castsi256_si128(low_halves));
	return (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(none)) &
	       (overflow(bucket[0], want[0]) | overflow(bucket[1], want[1]) << 1 |
		overflow(bucket[2], want[2]) << 2 | overflow(bucket[3], want[3]) << 3);
}

static inline bool block_has(const uint32_t *block, uint32_t hash)
{
	const uint32_t *f = tg_filter_factor;
	const __m256i factors = _mm256_setr_epi32((int)f[0], (int)f[1], (int)f[2], (int)f[3],
						  (int)f[4], (int)f[5], (int)f[6], (int)f[7]);
	const __m256i product = _mm256_mullo_epi32(_mm256_set1_epi32((int)hash), factors);
	const __m256i bits = _mm256_sllv_epi32(_mm256_set1_epi32(1),
					       _mm256_srli_epi32(product, 27));

	return _mm256_testc_si256(load(block), bits);
}

#define PROBE_OPS tg_probe_avx2
#define PROBE_NAME "avx2"
#include "dataplane/rep/probe.inc.c"
#endif
