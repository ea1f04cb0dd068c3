/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SipHash-2-4 of eight texts in vector registers. A variant defines the type VECTOR of LANES words of 64 bits, how
 * many of them make eight (PARTS: a round is a chain of 14 steps, and two that do not wait for each other fill its gaps),
 *	ADD(a, b), XOR(a, b), ROTATE(a, n)
 *	static VECTOR every(uint64_t word)
 *	static VECTOR gather(const struct tg_siphash_text t[LANES], size_t at)	eight bytes of each
 *	static VECTOR load(const uint64_t word[LANES])
 *	static void store(uint64_t word[LANES], VECTOR v)
 *	static VECTOR choose(VECTOR ended, VECTOR goes_on, VECTOR words, unsigned i)	by words > i
 * and WIDE_HASH and WIDE_WORDS, then includes this file. Not compiled on its own.
 */
struct state {
	VECTOR v[4];
};

static inline void round_of(VECTOR v[4])
{
	v[0] = ADD(v[0], v[1]);
	v[2] = ADD(v[2], v[3]);
	v[1] = XOR(ROTATE(v[1], 13), v[0]);
	v[3] = XOR(ROTATE(v[3], 16), v[2]);
	v[0] = ADD(ROTATE(v[0], 32), v[3]);
	v[2] = ADD(v[2], v[1]);
	v[3] = XOR(ROTATE(v[3], 21), v[0]);
	v[1] = XOR(ROTATE(v[1], 17), v[2]);
	v[2] = ROTATE(v[2], 32);
}

static inline void rounds(struct state s[PARTS], unsigned n)
{
	unsigned i, k;

	for (i = 0; i < n; i++)
		for (k = 0; k < PARTS; k++)
			round_of(s[k].v);
}

static inline void absorb_words(struct state s[PARTS], const VECTOR m[PARTS])
{
	unsigned k;

	for (k = 0; k < PARTS; k++)
		s[k].v[3] = XOR(s[k].v[3], m[k]);
	rounds(s, 2);
	for (k = 0; k < PARTS; k++)
		s[k].v[0] = XOR(s[k].v[0], m[k]);
}

static inline void absorb(struct state s[PARTS], const struct tg_siphash_text *t, unsigned i)
{
	VECTOR m[PARTS];
	unsigned k;

	for (k = 0; k < PARTS; k++)
		m[k] = gather(t + LANES * (size_t)k, 8 * (size_t)i);
	absorb_words(s, m);
}

/* Lanes whose text has ended keep what they have. */
static inline void absorb_some(struct state s[PARTS], const struct tg_siphash_text *t, unsigned i,
			       const VECTOR words[PARTS])
{
	struct state before[PARTS];
	unsigned k, j;

	for (k = 0; k < PARTS; k++)
		before[k] = s[k];
	absorb(s, t, i);
	for (k = 0; k < PARTS; k++)
		for (j = 0; j < 4; j++)
			s[k].v[j] = choose(before[k].v[j], s[k].v[j], words[k], i);
}

static inline void init(struct state s[PARTS], const uint8_t *key)
{
	uint64_t v[4];
	unsigned k, j;

	tg_siphash_init(key, v);
	for (k = 0; k < PARTS; k++)
		for (j = 0; j < 4; j++)
			s[k].v[j] = every(v[j]);
}

static inline void finish(struct state s[PARTS], uint64_t hash[TG_SIPHASH_LANES])
{
	unsigned k;

	for (k = 0; k < PARTS; k++)
		s[k].v[2] = XOR(s[k].v[2], every(0xff));
	rounds(s, 4);
	for (k = 0; k < PARTS; k++)
		store(hash + LANES * (size_t)k,
		      XOR(XOR(s[k].v[0], s[k].v[1]), XOR(s[k].v[2], s[k].v[3])));
}

/* Lanes without a text of their own do what the first does. */
static void hash_lanes(const uint8_t *key, struct tg_siphash_text *text,
		       const uint64_t words[TG_SIPHASH_LANES], uint64_t *hash)
{
	uint64_t least = words[0], most = words[0];
	struct state s[PARTS];
	VECTOR n[PARTS];
	unsigned i, k;

	for (i = 1; i < TG_SIPHASH_LANES; i++) {
		least = words[i] < least ? words[i] : least;
		most = words[i] > most ? words[i] : most;
	}
	for (k = 0; k < PARTS; k++)
		n[k] = load(words + LANES * (size_t)k);
	init(s, key);
	for (i = 0; i < least; i++)
		absorb(s, text, i);
	for (; i < most; i++)
		absorb_some(s, text, i, n);
	finish(s, hash);
}

void WIDE_HASH(const uint8_t *key, struct tg_siphash_text *text, unsigned n, uint64_t *hash)
{
	uint64_t words[TG_SIPHASH_LANES];
	unsigned i;

	/* A chain of one or two is shorter than the whole width. */
	if (n <= 2) {
		tg_siphash_portable(key, text, n, hash);
		return;
	}
	for (i = 0; i < n; i++)
		words[i] = tg_siphash_pad(&text[i]);
	for (; i < TG_SIPHASH_LANES; i++)
		words[i] = words[0];
	hash_lanes(key, text, words, hash);
}

void WIDE_WORDS(const uint8_t *key, const uint64_t (*word)[TG_SIPHASH_LANES], unsigned n_words,
		unsigned n, uint64_t hash[TG_SIPHASH_LANES])
{
	struct state s[PARTS];
	const uint64_t length = (uint64_t)n_words * 8 << 56;
	VECTOR m[PARTS];
	unsigned i, k;

	if (n <= 2) {
		tg_siphash_words_portable(key, word, n_words, n, hash);
		return;
	}
	init(s, key);
	for (i = 0; i < n_words; i++) {
		for (k = 0; k < PARTS; k++)
			m[k] = load(word[i] + LANES * (size_t)k);
		absorb_words(s, m);
	}
	for (k = 0; k < PARTS; k++)
		m[k] = every(length);
	absorb_words(s, m);
	finish(s, hash);
}
