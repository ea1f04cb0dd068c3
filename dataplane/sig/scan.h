/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The vectorised part of reading SIP: where lines end and where a value's delimiters stand. Knows
 * bytes, no grammar. Two variants of one text (scan.inc.c); one is in use.
 */
#ifndef TG_SIG_SCAN_H
#define TG_SIG_SCAN_H

#include "tollgate/base.h"

#define TG_SCAN_BLOCK 64 /* bytes a step: one bit each in a 64-bit word */

/* Words of a bit map over n bytes. */
#define TG_SCAN_WORDS(n) (((n) + TG_SCAN_BLOCK - 1) / TG_SCAN_BLOCK)

struct tg_scan_ops {
	const char *name;
	/*
	 * Offsets of the line feeds in text[from, end), at most `cap`; stops behind the first empty
	 * line. `from` is the start of a line; end <= 65536. Returns how many.
	 */
	unsigned (*lines)(const uint8_t *text, uint32_t from, uint32_t end, uint16_t *eol,
			  unsigned cap);
	/*
	 * Bit i of `map` is set if p[i] is one of " , : ; < = > ? @ or \ for i < len; the bits above,
	 * up to the next full word, are zero. `readable` >= len bytes may be looked at.
	 */
	void (*delimiters)(const uint8_t *p, uint32_t len, uint32_t readable, uint64_t *map);
};

extern const struct tg_scan_ops tg_scan_portable;
extern const struct tg_scan_ops tg_scan_avx2; /* x86-64 only */

/* The variant in use: the best one the CPU has, chosen before main(). Written only then and by
 * tg_sip_variant_set, which no packet code calls: plain loads suffice. */
extern const struct tg_scan_ops *tg_scan;

#endif
