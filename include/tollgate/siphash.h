/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SipHash-2-4 (Aumasson and Bernstein 2012) of several texts at once: for names whose parts others choose. One text is
 * a chain of steps that wait for each other: eight of them in vector registers take little longer than one.
 */
#ifndef TG_SIPHASH_H
#define TG_SIPHASH_H

#include "tollgate/base.h"

#define TG_SIPHASH_LANES 8

/*
 * hash[i] of the words word[0][i] to word[n_words - 1][i], as they lie in memory, i < n <= TG_SIPHASH_LANES, under a key
 * of 16 bytes: all are equally long, so nothing has to be put in place. n_words <= TG_SIPHASH_WORDS_MAX; lanes from n on may hold anything.
 */
#define TG_SIPHASH_WORDS_MAX 24

void tg_siphash_words(const uint8_t *key, const uint64_t (*word)[TG_SIPHASH_LANES],
		      unsigned n_words, unsigned n, uint64_t hash[TG_SIPHASH_LANES]);

#endif
