/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The vectorised part of reading SIP: where delimiters and line ends stand, and the header fields of a
 * message, whose usual forms are read straight out of such bit maps (sip_walk.inc.c). Variants of one
 * text; one is in use.
 */
#ifndef TG_SIG_SCAN_H
#define TG_SIG_SCAN_H

#include "tollgate/base.h"
#include "tollgate/reason.h"

#define TG_SCAN_BLOCK 64 /* bytes a step: one bit each in a 64-bit word */

/* Header bytes that an index covers; sip.h has the same limit. */
#define TG_SCAN_MAX 16384

struct tg_scan_index {
	uint64_t delimiter[TG_SCAN_MAX / TG_SCAN_BLOCK]; /* bit i % 64 of word i / 64: text[i] */
};

struct tg_sip_reader;
struct tg_siphash_text;

struct tg_scan_ops {
	const char *name;
	/*
	 * Delimiters " , : ; < = > ? @ \ of text[from, end), end <= TG_SCAN_MAX, into their words, for
	 * whole blocks (bits before `from` and behind `end` are zero or not, as it comes).
	 */
	void (*index)(const uint8_t *text, uint32_t from, uint32_t end, struct tg_scan_index *ix);
	/* The start line at offset `from`, behind whose method `uri` stands, and all header fields; as
	 * tg_sip_parse has it. */
	enum tg_reason (*walk)(struct tg_sip_reader *r, uint32_t from, uint32_t uri);
	/* siphash.h */
	void (*hash)(const uint8_t *key, struct tg_siphash_text *text, unsigned n, uint64_t *hash);
	void (*hash_words)(const uint8_t *key, const uint64_t (*word)[8], unsigned n_words,
			   unsigned n, uint64_t *hash);
};

extern const struct tg_scan_ops tg_scan_grammar; /* for tests: everything by the grammar */
extern const struct tg_scan_ops tg_scan_portable;
extern const struct tg_scan_ops tg_scan_avx2;	/* x86-64 only */
extern const struct tg_scan_ops tg_scan_avx512; /* x86-64 only */

/* The variant in use: the best one the CPU has, chosen before main(). Written only then and by
 * tg_sip_variant_set, which no packet code calls: plain loads suffice. */
extern const struct tg_scan_ops *tg_scan;

#endif
