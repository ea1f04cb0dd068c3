/* SPDX-License-Identifier: BSD-3-Clause */
/* RFC 4648: which six bits a character stands for, in either alphabet; they differ in the last two. */
#ifndef TG_SIG_BASE64_H
#define TG_SIG_BASE64_H

#include "tollgate/base.h"

static inline int tg_base64_sextet(uint8_t c, const char last[2])
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == (uint8_t)last[0] ? 62 : c == (uint8_t)last[1] ? 63 : -1;
}

static inline uint8_t tg_base64_char(unsigned sextet, const char last[2])
{
	if (sextet < 26)
		return (uint8_t)('A' + sextet);
	if (sextet < 52)
		return (uint8_t)('a' + sextet - 26);
	return (uint8_t)(sextet < 62 ? '0' + sextet - 52 : (unsigned char)last[sextet - 62]);
}

#endif
