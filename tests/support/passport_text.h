/* SPDX-License-Identifier: BSD-3-Clause */
/* PASSporTs for tests of what reads them: from JSON to base64url. */
#ifndef TG_TESTS_PASSPORT_TEXT_H
#define TG_TESTS_PASSPORT_TEXT_H

#include <stdint.h>
#include <string.h>

#define TG_PASSPORT_TEXT_MAX 8192

static inline void tg_passport_encode(const char *text, char *out)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint32_t acc = 0;
	unsigned bits = 0;

	for (; *text; text++) {
		acc = acc << 8 | (uint8_t)*text;
		for (bits += 8; bits >= 6; bits -= 6)
			*out++ = alphabet[acc >> (bits - 6) & 63];
	}
	if (bits)
		*out++ = alphabet[acc << (6 - bits) & 63];
	*out = 0;
}

/* Under a signature that is none. Valid until the next call. */
static inline const char *tg_passport_text(const char *header, const char *claims, const char *tail)
{
	static char text[TG_PASSPORT_TEXT_MAX];
	size_t n;

	tg_passport_encode(header, text);
	strcat(text, ".");
	n = strlen(text);
	tg_passport_encode(claims, text + n);
	strcat(text, ".c2lnbmF0dXJl");
	strcat(text, tail);
	return text;
}

#endif
