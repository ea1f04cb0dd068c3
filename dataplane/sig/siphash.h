/* SPDX-License-Identifier: BSD-3-Clause */
/* SipHash of texts, and tg_siphash_words, compiled for each CPU; scan.c chooses. */
#ifndef TG_SIG_SIPHASH_H
#define TG_SIG_SIPHASH_H

#include "tollgate/load.h"
#include "tollgate/siphash.h"

#define TG_SIPHASH_TEXT_MAX 248 /* 31 words, and one for the length */

/* `bytes` has room behind the longest text: what is copied in whole blocks may end there. */
struct tg_siphash_text {
	uint32_t len; /* at most TG_SIPHASH_TEXT_MAX */
	uint8_t bytes[TG_SIPHASH_TEXT_MAX + 72] TG_ALIGNED(32);
};

/*
 * hash[i] of text[i], i < n <= TG_SIPHASH_LANES, under a key of 16 bytes. Bytes behind a text may be overwritten.
 */
void tg_siphash_portable(const uint8_t *key, struct tg_siphash_text *text, unsigned n,
			 uint64_t *hash);
void tg_siphash_words_portable(const uint8_t *key, const uint64_t (*word)[TG_SIPHASH_LANES],
			       unsigned n_words, unsigned n, uint64_t hash[TG_SIPHASH_LANES]);
/* x86-64 only */
void tg_siphash_avx2(const uint8_t *key, struct tg_siphash_text *text, unsigned n, uint64_t *hash);
void tg_siphash_words_avx2(const uint8_t *key, const uint64_t (*word)[TG_SIPHASH_LANES],
			   unsigned n_words, unsigned n, uint64_t hash[TG_SIPHASH_LANES]);
void tg_siphash_avx512(const uint8_t *key, struct tg_siphash_text *text, unsigned n,
		       uint64_t *hash);
void tg_siphash_words_avx512(const uint8_t *key, const uint64_t (*word)[TG_SIPHASH_LANES],
			     unsigned n_words, unsigned n, uint64_t hash[TG_SIPHASH_LANES]);

/* As it lies, from or to an integer: words are little-endian. */
static inline uint64_t tg_siphash_word(uint64_t x)
{
	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? x : __builtin_bswap64(x);
}

/* Zeros up to the last word's end, and there the length: then all words are alike. How many there are. */
static inline unsigned tg_siphash_pad(struct tg_siphash_text *t)
{
	const unsigned words = t->len / 8 + 1;
	static const uint64_t zero;

	__builtin_memcpy(t->bytes + t->len, &zero, sizeof(zero));
	t->bytes[8 * words - 1] = (uint8_t)t->len;
	return words;
}

static inline void tg_siphash_init(const uint8_t *key, uint64_t v[4])
{
	const uint64_t k[2] = { tg_siphash_word(tg_load_u64(key)),
				tg_siphash_word(tg_load_u64(key + 8)) };

	v[0] = k[0] ^ 0x736f6d6570736575ull;
	v[1] = k[1] ^ 0x646f72616e646f6dull;
	v[2] = k[0] ^ 0x6c7967656e657261ull;
	v[3] = k[1] ^ 0x7465646279746573ull;
}

#endif
