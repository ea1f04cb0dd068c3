/* SPDX-License-Identifier: BSD-3-Clause */
/* Eight lanes, which have a rotation; compiled for AVX-512 and called only where the CPU has it. */
#include "dataplane/sig/siphash.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define PARTS 1
#define LANES 8
#define VECTOR __m512i

#define ADD _mm512_add_epi64
#define XOR _mm512_xor_si512
#define ROTATE(x, n) _mm512_rol_epi64(x, n)

static inline VECTOR every(uint64_t word)
{
	return _mm512_set1_epi64((long long)word);
}

static inline VECTOR gather(const struct tg_siphash_text t[LANES], size_t at)
{
	return _mm512_set_epi64(
		(long long)tg_load_u64(t[7].bytes + at), (long long)tg_load_u64(t[6].bytes + at),
		(long long)tg_load_u64(t[5].bytes + at), (long long)tg_load_u64(t[4].bytes + at),
		(long long)tg_load_u64(t[3].bytes + at), (long long)tg_load_u64(t[2].bytes + at),
		(long long)tg_load_u64(t[1].bytes + at), (long long)tg_load_u64(t[0].bytes + at));
}

static inline VECTOR load(const uint64_t word[LANES])
{
	return _mm512_loadu_si512(word);
}

static inline void store(uint64_t word[LANES], VECTOR v)
{
	_mm512_storeu_si512(word, v);
}

static inline VECTOR choose(VECTOR ended, VECTOR goes_on, VECTOR words, unsigned i)
{
	return _mm512_mask_blend_epi64(_mm512_cmpgt_epi64_mask(words, every(i)), ended, goes_on);
}

#define WIDE_HASH tg_siphash_avx512
#define WIDE_WORDS tg_siphash_words_avx512
#include "dataplane/sig/siphash_wide.inc.c"
#endif
