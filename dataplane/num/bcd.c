/* SPDX-License-Identifier: BSD-3-Clause */
#include "tollgate/load.h"
#include "tollgate/num.h"

#define BCD_ST 15 /* end of pulsing; also TBCD's filler (3GPP TS 29.002 §17.7.8) */

static const char symbols[16] = "0123456789ABCDE";

#ifdef __SSSE3__
#include <immintrin.h>

#define PLAIN_MIN 4 /* octets: two loads of four, which overlap, read no octet outside */
#define PLAIN_MAX 8

/* All nibbles at once; room for 16 symbols is asked for, whatever there are. */
static unsigned decode_plain(struct tg_span bcd, bool odd, char *digits)
{
	const unsigned nibbles = 2 * bcd.len - odd;
	const uint32_t head = tg_load_u32(bcd.data), tail = tg_load_u32(bcd.data + bcd.len - 4);
	const uint64_t octets = head | (uint64_t)tail << 8 * (bcd.len - 4);
	const __m128i both = _mm_cvtsi64_si128((int64_t)octets), low = _mm_set1_epi8(BCD_ST);
	const __m128i d = _mm_and_si128(_mm_unpacklo_epi8(both, _mm_srli_epi16(both, 4)), low);
	const unsigned ends = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(d, low)) | 1u << nibbles;

	_mm_storeu_si128(
		(__m128i *)(void *)digits,
		_mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)symbols), d));
	return (unsigned)__builtin_ctz(ends);
}
#endif

int tg_bcd_decode(struct tg_span bcd, bool odd, char *digits, unsigned cap)
{
	unsigned n = 0;
	uint32_t i;

#ifdef __SSSE3__
	if (bcd.len - PLAIN_MIN <= PLAIN_MAX - PLAIN_MIN && cap >= 16)
		return (int)decode_plain(bcd, odd, digits);
#endif

	for (i = 0; i < bcd.len; i++) {
		const unsigned low = bcd.data[i] & 15u, high = bcd.data[i] >> 4;

		if (low == BCD_ST)
			return (int)n;
		if (n == cap)
			return -1;
		digits[n++] = symbols[low];
		if (high == BCD_ST || (odd && i + 1 == bcd.len))
			return (int)n;
		if (n == cap)
			return -1;
		digits[n++] = symbols[high];
	}
	return (int)n;
}
