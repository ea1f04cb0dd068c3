/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * 64 bytes at a time; compiled for AVX-512 with VBMI and called only where the CPU has it. Those CPUs (Ice Lake, Zen 4
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

#define WALK_OPS tg_scan_avx512
#define WALK_NAME "avx512"
#define WALK_HASH tg_siphash_avx512
#include "dataplane/sig/scan_bmi.h"
#include "dataplane/sig/sip_walk.inc.c"
#endif
