/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/sig/siphash.h"

#include <sodium/crypto_shorthash.h>

#include "dataplane/sig/scan.h"

void tg_siphash_portable(const uint8_t *key, struct tg_siphash_text *text, unsigned n,
			 uint64_t *hash)
{
	unsigned i;

	for (i = 0; i < n; i++)
		crypto_shorthash((unsigned char *)&hash[i], text[i].bytes, text[i].len, key);
}

void tg_siphash_words_portable(const uint8_t *key, const uint64_t (*word)[TG_SIPHASH_LANES],
			       unsigned n_words, unsigned n, uint64_t hash[TG_SIPHASH_LANES])
{
	uint64_t text[TG_SIPHASH_WORDS_MAX];
	unsigned i, k;

	for (i = 0; i < n; i++) {
		for (k = 0; k < n_words && k < TG_SIPHASH_WORDS_MAX; k++)
			text[k] = word[k][i];
		crypto_shorthash((unsigned char *)&hash[i], (const unsigned char *)text,
				 k * sizeof(text[0]), key);
	}
}

void tg_siphash_words(const uint8_t *key, const uint64_t (*word)[TG_SIPHASH_LANES],
		      unsigned n_words, unsigned n, uint64_t hash[TG_SIPHASH_LANES])
{
	tg_scan->hash_words(key, word, n_words, n, hash);
}
