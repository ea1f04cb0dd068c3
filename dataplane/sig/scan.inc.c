/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The two searches, over blocks of 64 bytes. A variant defines, for 64 readable bytes at p,
 *	static uint64_t block_lf(const uint8_t *p)          bit i: p[i] is LF
 *	static uint64_t block_delimiters(const uint8_t *p)  bit i: p[i] is a delimiter
 * and SCAN_OPS and SCAN_NAME, then includes this file. Not compiled on its own.
 */
#include <string.h>

/* A block of which only n < 64 bytes may be read. Zero is neither line feed nor delimiter. */
struct scan_tail {
	uint8_t bytes[TG_SCAN_BLOCK];
};

static const uint8_t *tail_copy(struct scan_tail *t, const uint8_t *p, uint32_t n)
{
	memset(t->bytes, 0, sizeof(t->bytes));
	memcpy(t->bytes, p, n);
	return t->bytes;
}

static unsigned scan_lines(const uint8_t *text, uint32_t from, uint32_t end, uint16_t *eol,
			   unsigned cap)
{
	uint32_t line = from, block;
	struct scan_tail tail;
	unsigned n = 0;

	for (block = from; block < end; block += TG_SCAN_BLOCK) {
		const uint32_t left = end - block;
		const uint8_t *p = text + block;
		uint64_t lf = block_lf(left >= TG_SCAN_BLOCK ? p : tail_copy(&tail, p, left));

		for (; lf; lf &= lf - 1) {
			const uint32_t at = block + (uint32_t)__builtin_ctzll(lf);

			if (n == cap)
				return n;
			eol[n++] = (uint16_t)at;
			if (at == line || (at == line + 1 && text[line] == '\r'))
				return n;
			line = at + 1;
		}
	}
	return n;
}

static void scan_delimiters(const uint8_t *p, uint32_t len, uint32_t readable, uint64_t *map)
{
	struct scan_tail tail;
	uint32_t i;

	for (i = 0; i < len; i += TG_SCAN_BLOCK) {
		const uint32_t left = len - i;
		const bool whole = readable - i >= TG_SCAN_BLOCK;
		uint64_t bits = block_delimiters(whole ? p + i : tail_copy(&tail, p + i, left));

		if (left < TG_SCAN_BLOCK)
			bits &= (1ull << left) - 1;
		*map++ = bits;
	}
}

const struct tg_scan_ops SCAN_OPS = {
	.name = SCAN_NAME,
	.lines = scan_lines,
	.delimiters = scan_delimiters,
};
