/* SPDX-License-Identifier: BSD-3-Clause */
/* tg_siphash_burst, compiled for each CPU; scan.c chooses. */
#ifndef TG_SIG_SIPHASH_H
#define TG_SIG_SIPHASH_H

#include "tollgate/siphash.h"

void tg_siphash_portable(const uint8_t *key, struct tg_siphash_text *text, unsigned n,
			 uint64_t *hash);
void tg_siphash_avx2(const uint8_t *key, struct tg_siphash_text *text, unsigned n,
		     uint64_t *hash); /* x86-64 only */
void tg_siphash_words_portable(const uint8_t *key, const uint64_t (*word)[TG_SIPHASH_LANES],
			       unsigned n_words, unsigned n, uint64_t hash[TG_SIPHASH_LANES]);
void tg_siphash_words_avx2(const uint8_t *key, const uint64_t (*word)[TG_SIPHASH_LANES],
			   unsigned n_words, unsigned n,
			   uint64_t hash[TG_SIPHASH_LANES]); /* x86-64 only */

#endif
