/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SipHash-2-4 (Aumasson and Bernstein 2012) of several texts at once: for names whose parts others choose. One text is
 * a chain of steps that wait for each other: eight of them in vector registers take little longer than one.
 */
#ifndef TG_SIPHASH_H
#define TG_SIPHASH_H

#include "tollgate/base.h"

#define TG_SIPHASH_LANES 8
#define TG_SIPHASH_TEXT_MAX 248 /* 31 words, and one for the length */

/* `bytes` has room behind the longest text: what is copied in whole blocks may end there. */
struct tg_siphash_text {
	uint32_t len; /* at most TG_SIPHASH_TEXT_MAX */
	uint8_t bytes[TG_SIPHASH_TEXT_MAX + 72] TG_ALIGNED(32);
};

/*
 * hash[i] of text[i], i < n <= TG_SIPHASH_LANES, under a key of 16 bytes. Bytes behind a text may be overwritten.
 */
void tg_siphash_burst(const uint8_t *key, struct tg_siphash_text *text, unsigned n, uint64_t *hash);

/*
 * The same where text i is the words word[0][i] to word[n_words - 1][i], as they lie in memory, and all are equally long:
 * nothing has to be put in place. n_words <= TG_SIPHASH_WORDS_MAX; lanes from n on may hold anything.
 */
#define TG_SIPHASH_WORDS_MAX 24

void tg_siphash_words(const uint8_t *key, const uint64_t (*word)[TG_SIPHASH_LANES],
		      unsigned n_words, unsigned n, uint64_t hash[TG_SIPHASH_LANES]);

#endif
