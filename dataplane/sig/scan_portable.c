/* SPDX-License-Identifier: BSD-3-Clause */
/* Eight bytes at a time in a general register: every CPU has one. */
#include "dataplane/sig/scan.h"
#include "dataplane/sig/siphash.h"
#include "tollgate/load.h"

#define EACH(byte) ((uint64_t)(byte)*0x0101010101010101ull)
#define LOW7 EACH(0x7f)
#define HIGH EACH(0x80)

/* The high bit of each byte that equals `byte`. Exact in every byte: no sum leaves its byte. */
static inline uint64_t equal(uint64_t w, uint8_t byte)
{
	const uint64_t x = w ^ EACH(byte);

	return ~(((x & LOW7) + LOW7) | x) & HIGH;
}

/* The high bit of each byte in ':'..'@'. Seven-bit sums stay in their byte; a byte above 0x7f is
 * struck out at the end. */
static inline uint64_t colon_to_at(uint64_t w)
{
	const uint64_t low = w & LOW7;
	const uint64_t reached = low + EACH(0x80 - ':');
	const uint64_t passed = low + EACH(0x80 - '@' - 1);

	return reached & ~passed & ~w & HIGH;
}

/* Byte i's high bit to bit i: the product has flag i at bit 8i + 7*(8-i) = 56 + i, and no two
 * flags meet in one bit. */
static inline uint64_t gather(uint64_t flags)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	flags = __builtin_bswap64(flags);
#endif
	return (flags >> 7) * 0x0102040810204080ull >> 56;
}

static inline uint64_t line_feeds(const uint8_t *p)
{
	uint64_t bits = 0;
	unsigned i;

	for (i = 0; i < TG_SCAN_BLOCK; i += 8)
		bits |= gather(equal(tg_load_u64(p + i), '\n')) << i;
	return bits;
}

static inline uint64_t delimiter_flags(uint64_t w)
{
	return colon_to_at(w) | equal(w, '"') | equal(w, ',') | equal(w, '\\');
}

static inline uint64_t delimiters(const uint8_t *p)
{
	uint64_t bits = 0;
	unsigned i;

	for (i = 0; i < TG_SCAN_BLOCK; i += 8)
		bits |= gather(delimiter_flags(tg_load_u64(p + i))) << i;
	return bits;
}

static inline uint64_t specials(const uint8_t *p)
{
	uint64_t bits = 0;
	unsigned i;

	for (i = 0; i < TG_SCAN_BLOCK; i += 8) {
		const uint64_t w = tg_load_u64(p + i);
		const uint64_t up_to_space = ~((w & LOW7) + EACH(0x80 - ' ' - 1)) & ~w & HIGH;

		bits |= gather(delimiter_flags(w) | up_to_space) << i;
	}
	return bits;
}

static inline uint64_t low_bits(uint64_t bits, size_t n)
{
	return n < TG_SCAN_BLOCK ? bits & ~(~0ull << n) : bits;
}

static inline unsigned put_bits(uint64_t bits, uint32_t at, uint16_t *to)
{
	unsigned n;

	for (n = 0; bits; bits &= bits - 1)
		to[n++] = (uint16_t)(at + (uint32_t)__builtin_ctzll(bits));
	return n;
}

#define WALK_OPS tg_scan_portable
#define WALK_NAME "portable"
#define WALK_HASH tg_siphash_portable
#define WALK_HASH_WORDS tg_siphash_words_portable
#include "dataplane/sig/sip_walk.inc.c"

static enum tg_reason walk_by_grammar(struct tg_sip_reader *r, uint32_t from,
				      uint32_t behind_method)
{
	return walk_message(r, false, from, behind_method);
}

const struct tg_scan_ops tg_scan_grammar = {
	.name = "grammar",
	.index = index_range,
	.walk = walk_by_grammar,
	.hash = tg_siphash_portable,
	.hash_words = tg_siphash_words_portable,
};
