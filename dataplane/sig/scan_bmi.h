/* SPDX-License-Identifier: BSD-3-Clause */
/* Of a bit map in a register: what BMI has instructions for. For the variants that are compiled for it. */
#ifndef TG_SIG_SCAN_BMI_H
#define TG_SIG_SCAN_BMI_H

#include <immintrin.h>

#include "dataplane/sig/scan.h"

static inline uint64_t low_bits(uint64_t bits, size_t n)
{
	return _bzhi_u64(bits, n < TG_SCAN_BLOCK ? (unsigned)n : TG_SCAN_BLOCK);
}

/* Three without a branch: more lines than that in 64 bytes are rare, and how many there are is not to be
 * guessed. (The trailing zeros of nothing are 64: a place that the next one's bits write over.) */
static inline unsigned put_bits(uint64_t bits, uint32_t at, uint16_t *to)
{
	const unsigned n = (unsigned)__builtin_popcountll(bits);
	unsigned i;

	for (i = 0; i < 3; i++, bits = _blsr_u64(bits))
		to[i] = (uint16_t)(at + _tzcnt_u64(bits));
	for (; i < n; i++, bits = _blsr_u64(bits))
		to[i] = (uint16_t)(at + _tzcnt_u64(bits));
	return n;
}

#endif
