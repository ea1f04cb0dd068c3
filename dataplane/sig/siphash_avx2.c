/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Twice four lanes: a round is a chain of 14 steps, and two that do not wait for each other fill its gaps.
 * Compiled for AVX2 and called only where the CPU has it.
 */
#include "dataplane/sig/siphash.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "tollgate/load.h"

#define HALVES 2
#define HALF 4

struct state {
	__m256i v[4];
};

/* By whole bytes: one instruction, where shifts take three. */
static inline __m256i rotate_16(__m256i x)
{
	return _mm256_shuffle_epi8(
		x, _mm256_broadcastsi128_si256(
			   _mm_setr_epi8(6, 7, 0, 1, 2, 3, 4, 5, 14, 15, 8, 9, 10, 11, 12, 13)));
}

static inline __m256i rotate_32(__m256i x)
{
	return _mm256_shuffle_epi32(x, 0xb1);
}

#define ROTATE(x, n) _mm256_or_si256(_mm256_slli_epi64(x, n), _mm256_srli_epi64(x, 64 - (n)))

static inline void round_of(__m256i v[4])
{
	v[0] = _mm256_add_epi64(v[0], v[1]);
	v[2] = _mm256_add_epi64(v[2], v[3]);
	v[1] = _mm256_xor_si256(ROTATE(v[1], 13), v[0]);
	v[3] = _mm256_xor_si256(rotate_16(v[3]), v[2]);
	v[0] = _mm256_add_epi64(rotate_32(v[0]), v[3]);
	v[2] = _mm256_add_epi64(v[2], v[1]);
	v[3] = _mm256_xor_si256(ROTATE(v[3], 21), v[0]);
	v[1] = _mm256_xor_si256(ROTATE(v[1], 17), v[2]);
	v[2] = rotate_32(v[2]);
}

static inline void rounds(struct state s[HALVES], unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		round_of(s[0].v);
		round_of(s[1].v);
	}
}

/* Zeros up to the last word's end, and there the length: then all words are alike. */
static inline unsigned pad(struct tg_siphash_text *t)
{
	const unsigned words = t->len / 8 + 1;
	static const uint64_t zero;

	__builtin_memcpy(t->bytes + t->len, &zero, sizeof(zero));
	t->bytes[8 * words - 1] = (uint8_t)t->len;
	return words;
}

static inline __m256i words_at(const struct tg_siphash_text t[HALF], unsigned i)
{
	return _mm256_set_epi64x((long long)tg_load_u64(t[3].bytes + 8 * (size_t)i),
				 (long long)tg_load_u64(t[2].bytes + 8 * (size_t)i),
				 (long long)tg_load_u64(t[1].bytes + 8 * (size_t)i),
				 (long long)tg_load_u64(t[0].bytes + 8 * (size_t)i));
}

static inline void absorb_words(struct state s[HALVES], const __m256i m[HALVES])
{
	unsigned h;

	for (h = 0; h < HALVES; h++)
		s[h].v[3] = _mm256_xor_si256(s[h].v[3], m[h]);
	rounds(s, 2);
	for (h = 0; h < HALVES; h++)
		s[h].v[0] = _mm256_xor_si256(s[h].v[0], m[h]);
}

static inline void absorb(struct state s[HALVES], const struct tg_siphash_text *t, unsigned i)
{
	const __m256i m[HALVES] = { words_at(t, i), words_at(t + HALF, i) };

	absorb_words(s, m);
}

/* Lanes whose text has ended keep what they have. */
static inline void absorb_some(struct state s[HALVES], const struct tg_siphash_text *t, unsigned i,
			       const __m256i words[HALVES])
{
	struct state before[HALVES] = { s[0], s[1] };
	unsigned h, k;

	absorb(s, t, i);
	for (h = 0; h < HALVES; h++) {
		const __m256i goes_on = _mm256_cmpgt_epi64(words[h],
							   _mm256_set1_epi64x((long long)i));

		for (k = 0; k < 4; k++)
			s[h].v[k] = _mm256_blendv_epi8(before[h].v[k], s[h].v[k], goes_on);
	}
}

static inline void init(struct state *s, const uint8_t *key)
{
	const uint64_t k[2] = { tg_load_u64(key), tg_load_u64(key + 8) };

	s->v[0] = _mm256_set1_epi64x((long long)(k[0] ^ 0x736f6d6570736575ull));
	s->v[1] = _mm256_set1_epi64x((long long)(k[1] ^ 0x646f72616e646f6dull));
	s->v[2] = _mm256_set1_epi64x((long long)(k[0] ^ 0x6c7967656e657261ull));
	s->v[3] = _mm256_set1_epi64x((long long)(k[1] ^ 0x7465646279746573ull));
}

static inline void finish(struct state s[HALVES], uint64_t hash[TG_SIPHASH_LANES])
{
	unsigned h;

	for (h = 0; h < HALVES; h++)
		s[h].v[2] = _mm256_xor_si256(s[h].v[2], _mm256_set1_epi64x(0xff));
	rounds(s, 4);
	for (h = 0; h < HALVES; h++)
		_mm256_storeu_si256((void *)(hash + HALF * (size_t)h),
				    _mm256_xor_si256(_mm256_xor_si256(s[h].v[0], s[h].v[1]),
						     _mm256_xor_si256(s[h].v[2], s[h].v[3])));
}

/* Lanes without a text of their own do what the first does. */
static void hash_lanes(const uint8_t *key, struct tg_siphash_text *text,
		       const uint64_t words[TG_SIPHASH_LANES], uint64_t *hash)
{
	const __m256i n[HALVES] = { _mm256_loadu_si256((const void *)words),
				    _mm256_loadu_si256((const void *)(words + HALF)) };
	uint64_t least = words[0], most = words[0];
	struct state s[HALVES];
	unsigned i;

	for (i = 1; i < TG_SIPHASH_LANES; i++) {
		least = words[i] < least ? words[i] : least;
		most = words[i] > most ? words[i] : most;
	}
	init(&s[0], key);
	s[1] = s[0];
	for (i = 0; i < least; i++)
		absorb(s, text, i);
	for (; i < most; i++)
		absorb_some(s, text, i, n);
	finish(s, hash);
}

void tg_siphash_avx2(const uint8_t *key, struct tg_siphash_text *text, unsigned n, uint64_t *hash)
{
	uint64_t words[TG_SIPHASH_LANES];
	unsigned i;

	/* A chain of one or two is shorter than the whole width. */
	if (n <= 2) {
		tg_siphash_portable(key, text, n, hash);
		return;
	}
	for (i = 0; i < n; i++)
		words[i] = pad(&text[i]);
	for (; i < TG_SIPHASH_LANES; i++)
		words[i] = words[0];
	hash_lanes(key, text, words, hash);
}

void tg_siphash_words_avx2(const uint8_t *key, const uint64_t (*word)[TG_SIPHASH_LANES],
			   unsigned n_words, unsigned n, uint64_t hash[TG_SIPHASH_LANES])
{
	const uint64_t octets = 8 * (uint64_t)n_words;
	const __m256i length = _mm256_slli_epi64(_mm256_set1_epi64x((long long)octets), 56);
	const __m256i last[HALVES] = { length, length };
	struct state s[HALVES];
	unsigned i;

	if (n <= 2) {
		tg_siphash_words_portable(key, word, n_words, n, hash);
		return;
	}
	init(&s[0], key);
	s[1] = s[0];
	for (i = 0; i < n_words; i++) {
		const __m256i m[HALVES] = {
			_mm256_loadu_si256((const void *)word[i]),
			_mm256_loadu_si256((const void *)(word[i] + HALF)),
		};

		absorb_words(s, m);
	}
	absorb_words(s, last);
	finish(s, hash);
}
#endif
