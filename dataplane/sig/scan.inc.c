/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The index, block by block. A variant defines, for 64 readable bytes at p,
 *	static struct block block_read(const uint8_t *p)
 * and SCAN_OPS and SCAN_NAME, between the two inclusions of this file. Not compiled on its own.
 */
#ifndef SCAN_OPS
struct block {
	uint64_t lf;	     /* bit i: p[i] is LF */
	uint64_t delimiters; /* bit i: p[i] is a delimiter */
};
#else
#include <string.h>

/* A block of which only n < 64 bytes may be read. Zero is neither line feed nor delimiter. */
static struct block block_read_tail(const uint8_t *p, uint32_t n)
{
	uint8_t bytes[TG_SCAN_BLOCK] = { 0 };

	memcpy(bytes, p, n);
	return block_read(bytes);
}

static unsigned scan_index(const uint8_t *text, uint32_t from, uint32_t end,
			   struct tg_scan_index *ix)
{
	uint64_t mask = ~0ull << (from % TG_SCAN_BLOCK);
	uint32_t base = from - from % TG_SCAN_BLOCK, line = from;
	unsigned n = 0;

	for (; base < end && n < TG_SCAN_LINES; base += TG_SCAN_BLOCK) {
		const struct block b = tg_likely(end - base >= TG_SCAN_BLOCK)
					       ? block_read(text + base)
					       : block_read_tail(text + base, end - base);
		uint64_t lf = b.lf & mask;

		ix->delimiter[base / TG_SCAN_BLOCK] = b.delimiters;
		mask = ~0ull;
		for (; lf; lf &= lf - 1) {
			const uint32_t at = base + (uint32_t)__builtin_ctzll(lf);

			ix->eol[n++] = (uint16_t)at;
			if (tg_unlikely(at - line < 2) && (at == line || text[line] == '\r'))
				return n;
			line = at + 1;
		}
	}
	return n;
}

const struct tg_scan_ops SCAN_OPS = {
	.name = SCAN_NAME,
	.index = scan_index,
};
#endif
