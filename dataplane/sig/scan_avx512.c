/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * 64 bytes at a time; compiled for AVX-512 with VBMI2 and called only where the CPU has it. Those CPUs (Ice Lake, Zen 4
 * and later) do not slow down for it.
 */
#include "dataplane/sig/scan.h"
#include "dataplane/sig/siphash.h"

#if defined(__x86_64__)
#include <immintrin.h>

static inline uint64_t line_feeds(const uint8_t *p)
{
	return _mm512_cmpeq_epi8_mask(_mm512_loadu_si512(p), _mm512_set1_epi8('\n'));
}

#define IN 0x80

/* Of each byte below 0x80, whether it is one. */
struct set {
	uint8_t has[128];
};

static const struct set delimiter_set TG_ALIGNED(64) = {
	.has = { ['"'] = IN, [','] = IN, [':' ... '@'] = IN, ['\\'] = IN },
};

static const struct set special_set TG_ALIGNED(64) = {
	.has = { [0 ... ' '] = IN, ['"'] = IN, [','] = IN, [':' ... '@'] = IN, ['\\'] = IN },
};

/* The table is asked by the lowest seven bits: the eighth, set, strikes out what it says. */
static inline uint64_t of_set(const uint8_t *p, const struct set *set)
{
	const __m512i bytes = _mm512_loadu_si512(p);
	const __m512i found = _mm512_permutex2var_epi8(_mm512_load_si512(set->has), bytes,
						       _mm512_load_si512(set->has + 64));

	return _mm512_movepi8_mask(_mm512_andnot_si512(bytes, found));
}

static inline uint64_t delimiters(const uint8_t *p)
{
	return of_set(p, &delimiter_set);
}

static inline uint64_t specials(const uint8_t *p)
{
	return of_set(p, &special_set);
}

static inline uint64_t low_bits(uint64_t bits, size_t n)
{
	return _bzhi_u64(bits, n < TG_SCAN_BLOCK ? (unsigned)n : TG_SCAN_BLOCK);
}

/* The places of the bits, pressed together. Sixteen at once: more lines than that in 64 bytes are empty ones. */
static inline unsigned put_bits(uint64_t bits, uint32_t at, uint16_t *to)
{
	static const uint8_t place[64] TG_ALIGNED(64) = {
		0,  1,	2,  3,	4,  5,	6,  7,	8,  9,	10, 11, 12, 13, 14, 15,
		16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
		32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47,
		48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63,
	};
	const __m512i places = _mm512_maskz_compress_epi8(bits, _mm512_load_si512(place));
	const __m256i base = _mm256_set1_epi16((short)at);
	const unsigned n = (unsigned)__builtin_popcountll(bits);
	uint8_t rest[64];
	unsigned i;

	_mm256_storeu_si256(
		(void *)to,
		_mm256_add_epi16(base, _mm256_cvtepu8_epi16(_mm512_castsi512_si128(places))));
	if (tg_unlikely(n > 16)) {
		_mm512_storeu_si512(rest, places);
		for (i = 16; i < n; i++)
			to[i] = (uint16_t)(at + rest[i]);
	}
	return n;
}

#define WALK_OPS tg_scan_avx512
#define WALK_NAME "avx512"
#define WALK_HASH tg_siphash_avx512
#define WALK_HASH_WORDS tg_siphash_words_avx512
#include "dataplane/sig/sip_walk.inc.c"
#endif
