/* SPDX-License-Identifier: BSD-3-Clause */
#include "tollgate/num.h"

#define BCD_ST 15 /* end of pulsing; also TBCD's filler (3GPP TS 29.002 §17.7.8) */

int tg_bcd_decode(struct tg_span bcd, bool odd, char *digits, unsigned cap)
{
	static const char symbols[16] = "0123456789ABCDE";
	unsigned n = 0;
	uint32_t i;

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
