/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The vectorised part of reading SIP: where lines end and where delimiters stand. Knows bytes, no
 * grammar. Two variants of one text (scan.inc.c); one is in use.
 */
#ifndef TG_SIG_SCAN_H
#define TG_SIG_SCAN_H

#include "tollgate/base.h"

#define TG_SCAN_BLOCK 64 /* bytes a step: one bit each in a 64-bit word */

/* Header bytes that an index covers; sip.h has the same limit. */
#define TG_SCAN_MAX 16384

/* Lines a call: 17 are usual in an INVITE, so one call does. It ends with the block in which it
 * found this many; that block may hold 64 more. */
#define TG_SCAN_LINES 64

struct tg_scan_index {
	uint64_t delimiter[TG_SCAN_MAX / TG_SCAN_BLOCK]; /* bit i % 64 of word i / 64: text[i] */
	uint16_t eol[TG_SCAN_LINES + TG_SCAN_BLOCK];	 /* offsets of line feeds */
};

struct tg_scan_ops {
	const char *name;
	/*
	 * Indexes text[from, end), end <= TG_SCAN_MAX, `from` being the start of a line: offsets of line
	 * feeds into ix->eol from its beginning, delimiters " , : ; < = > ? @ \ into their words, for
	 * whole blocks (bits behind `end` are zero or not, as it comes). Stops behind the first empty line,
	 * or where TG_SCAN_LINES are reached. Returns how many line feeds.
	 */
	unsigned (*index)(const uint8_t *text, uint32_t from, uint32_t end,
			  struct tg_scan_index *ix);
};

extern const struct tg_scan_ops tg_scan_portable;
extern const struct tg_scan_ops tg_scan_avx2; /* x86-64 only */

/* The variant in use: the best one the CPU has, chosen before main(). Written only then and by
 * tg_sip_variant_set, which no packet code calls: plain loads suffice. */
extern const struct tg_scan_ops *tg_scan;

#endif
