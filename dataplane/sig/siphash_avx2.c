/* SPDX-License-Identifier: BSD-3-Clause */
/* Twice four lanes; compiled for AVX2 and called only where the CPU has it. */
#include "dataplane/sig/siphash.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define PARTS 2
#define LANES 4
#define VECTOR __m256i

#define ADD _mm256_add_epi64
#define XOR _mm256_xor_si256
/* By whole bytes: one instruction, where shifts take three. */
#define ROTATE(x, n)                                                                               \
	((n) == 32   ? _mm256_shuffle_epi32(x, 0xb1)                                               \
	 : (n) == 16 ? rotate_16(x)                                                                \
		     : _mm256_or_si256(_mm256_slli_epi64(x, n), _mm256_srli_epi64(x, 64 - (n))))

static inline VECTOR rotate_16(VECTOR x)
{
	return _mm256_shuffle_epi8(
		x, _mm256_broadcastsi128_si256(
			   _mm_setr_epi8(6, 7, 0, 1, 2, 3, 4, 5, 14, 15, 8, 9, 10, 11, 12, 13)));
}

static inline VECTOR every(uint64_t word)
{
	return _mm256_set1_epi64x((long long)word);
}

static inline VECTOR gather(const struct tg_siphash_text t[LANES], size_t at)
{
	return _mm256_set_epi64x(
		(long long)tg_load_u64(t[3].bytes + at), (long long)tg_load_u64(t[2].bytes + at),
		(long long)tg_load_u64(t[1].bytes + at), (long long)tg_load_u64(t[0].bytes + at));
}

static inline VECTOR load(const uint64_t word[LANES])
{
	return _mm256_loadu_si256((const void *)word);
}

static inline void store(uint64_t word[LANES], VECTOR v)
{
	_mm256_storeu_si256((void *)word, v);
}

static inline VECTOR choose(VECTOR ended, VECTOR goes_on, VECTOR words, unsigned i)
{
	return _mm256_blendv_epi8(ended, goes_on, _mm256_cmpgt_epi64(words, every(i)));
}

#define WIDE_HASH tg_siphash_avx2
#define WIDE_WORDS tg_siphash_words_avx2
#include "dataplane/sig/siphash_wide.inc.c"
#endif
