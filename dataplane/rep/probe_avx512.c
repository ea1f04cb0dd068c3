/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A bucket an instruction; compiled for AVX-512 (F, BW, DQ, VL) and called only where the CPU has it. What this saves
 * is instructions, not loads: a lookup in memory costs what its line takes to come and, since a prefetch that
 * misses the TLB holds up what follows, what the probe takes to compute.
 */
#include "dataplane/rep/probe_view.h"

#if defined(__x86_64__)
#include <immintrin.h>

/*
 * CRC-32C of eight words: the remainder of y x^32 by P, with carry-less products (Barrett's way, as in Gopal et al., "Fast
 * CRC Computation Using PCLMULQDQ", Intel 2009, reflected). The quotient's 64 bits are the low ones of y times
 * floor(x^96 / P); times P, what is left of y x^32 stands above them.
 */
static inline __m512i crc32c(__m512i y)
{
	const __m512i inverse = _mm512_set1_epi64(0x4869ec38dea713f1);
	const __m512i p = _mm512_set1_epi64(0x105ec76f1);
	const __m512i even = _mm512_clmulepi64_epi128(y, inverse, 0x00);
	const __m512i odd = _mm512_clmulepi64_epi128(y, inverse, 0x01);

	return _mm512_unpackhi_epi64(_mm512_clmulepi64_epi128(even, p, 0x00),
				     _mm512_clmulepi64_epi128(odd, p, 0x00));
}

/* ask_bucket of eight: table_layout.h's mix, home and tag, in lanes. */
#define PROBE_ASKS
#define ASKED 8
static inline void ask_some(const struct view *v, struct keys *k, unsigned at,
			    const struct tg_num *nums)
{
	const struct tg_exact_shape *const s = &v->exact;
	const uint64_t key = s->hash_key << (64 - TG_KEY_BITS);
	const uint64_t low_mask = (1ull << s->low_bits) - 1;
	const __m512i factor = _mm512_set1_epi64((long long)key);
	const __m512i y = _mm512_srli_epi64(_mm512_mullo_epi64(_mm512_loadu_si512(nums), factor),
					    64 - TG_KEY_BITS);
	const __m512i c = crc32c(y);
	const __m512i home = _mm512_srli_epi64(
		_mm512_mul_epu32(c, _mm512_set1_epi64((long long)s->n_buckets)), 32);
	const __m512i low = _mm512_and_si512(c, _mm512_set1_epi64((long long)low_mask));
	const __m512i high = _mm512_sll_epi64(_mm512_srli_epi64(y, 32),
					      _mm_cvtsi32_si128((int)s->low_bits));
	const __m512i bucket = _mm512_add_epi64(
		_mm512_slli_epi64(home, 6), _mm512_set1_epi64((long long)(uintptr_t)v->buckets));
	unsigned i;

	static_assert(TG_BUCKET_BYTES == 1 << 6, "");
	_mm512_storeu_si512(k->bucket + at, bucket);
	_mm512_storeu_si512(k->want + at, _mm512_or_si512(low, high));
#pragma GCC unroll 8
	for (i = 0; i < ASKED; i++)
		__builtin_prefetch(k->bucket[at + i]);
}

/* In the first lane: the entry that matches, zero if there is none, and the one that has the overflow bit. */
struct answer {
	__m128i entry;
	__m128i overflow;
};

static inline struct answer match_one(const uint64_t *bucket, uint64_t want, __m512i mask)
{
	const __m512i entries = _mm512_loadu_si512(bucket);
	const __m512i w = _mm512_set1_epi64((long long)want);
	const __mmask8 hit = _mm512_cmpeq_epi64_mask(_mm512_and_si512(entries, mask), w);

	static_assert(TG_BUCKET_ENTRIES == 8, "an index of three bits, tg_exact_overflow_entry's");
	return (struct answer){
		_mm512_castsi512_si128(_mm512_maskz_compress_epi64(hit, entries)),
		_mm512_castsi512_si128(_mm512_permutexvar_epi64(w, entries)),
	};
}

static inline __m256i first_lanes(__m128i a, __m128i b, __m128i c, __m128i d)
{
	return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_unpacklo_epi64(a, b)),
				       _mm_unpacklo_epi64(c, d), 1);
}

static inline unsigned match(const struct view *v, const uint64_t *const bucket[GROUP],
			     const uint64_t want[GROUP], uint32_t found[GROUP])
{
	const __m512i mask = _mm512_set1_epi64((long long)v->match_mask);
	const struct answer a = match_one(bucket[0], want[0], mask);
	const struct answer b = match_one(bucket[1], want[1], mask);
	const struct answer c = match_one(bucket[2], want[2], mask);
	const struct answer d = match_one(bucket[3], want[3], mask);
	const __m256i hit = first_lanes(a.entry, b.entry, c.entry, d.entry);
	const __m256i overflow = first_lanes(a.overflow, b.overflow, c.overflow, d.overflow);
	/* out with the overflow bit, and down to the listing */
	const __m256i listing = _mm256_srl_epi64(_mm256_slli_epi64(hit, 1),
						 _mm_cvtsi32_si128((int)v->listing_shift + 1));

	_mm_storeu_si128((void *)found, _mm256_cvtepi64_epi32(listing));
	return (unsigned)(_mm256_testn_epi64_mask(listing, listing) &
			  _mm256_movepi64_mask(overflow));
}

static inline bool block_has(const uint32_t *block, uint32_t hash)
{
	const __m256i factors = _mm256_loadu_si256((const void *)tg_filter_factor);
	const __m256i product = _mm256_mullo_epi32(_mm256_set1_epi32((int)hash), factors);
	const __m256i bits = _mm256_sllv_epi32(_mm256_set1_epi32(1),
					       _mm256_srli_epi32(product, 27));

	return _mm256_testc_si256(_mm256_loadu_si256((const void *)block), bits);
}

#define PROBE_OPS tg_probe_avx512
#define PROBE_NAME "avx512"
#include "dataplane/rep/probe.inc.c"
#endif
