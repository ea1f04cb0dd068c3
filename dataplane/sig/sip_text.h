/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Small things that all SIP files need: white space, names that ignore case, and a header field's
 * value with a bit map of its delimiters, in which the next one is a few instructions away.
 */
#ifndef TG_SIG_SIP_TEXT_H
#define TG_SIG_SIP_TEXT_H

#include "dataplane/sig/scan.h"
#include "tollgate/base.h"
#include "tollgate/load.h"
#include "tollgate/sip.h"

/*
 * Field by field: a copy of a whole span right after its two fields were stored cannot be forwarded
 * from the store buffer and waits for it. Measured: turning a media packet away took three times as long.
 */
static inline void tg_sip_set_span(struct tg_span *s, const uint8_t *data, uint32_t len)
{
	s->data = data;
	s->len = len;
}

/* RFC 3261 §25.1 LWS: a value's inside may be folded, so CR and LF count. */
static inline bool tg_sip_is_lws(uint8_t c)
{
	return c <= ' ' && ((1ull << ' ' | 1ull << '\t' | 1ull << '\r' | 1ull << '\n') >> c & 1);
}

static inline bool tg_sip_is_wsp(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* Bits in which `l`, a piece of a lower-case name, and `w` differ, but for the case of letters: bit 5
 * does not count where bit 6 is set, which of what names are made of only letters have. */
static inline uint64_t tg_sip_differs(uint64_t w, uint64_t l)
{
	return (w ^ l) & ~((l & 0x4040404040404040ull) >> 1);
}

static inline uint16_t tg_sip_load_u16(const void *p)
{
	uint16_t v;

	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}

/* Names ignore case (RFC 3261 §7.3.1). `lower` has n > 0 bytes, letters in lower case. Compared in the
 * largest pieces that fit; the last one overlaps the one before it. */
static inline bool tg_sip_same(const uint8_t *p, const char *lower, uint32_t n)
{
	const uint32_t last = n - 8;
	uint64_t differs = 0;
	uint32_t i;

	if (n >= 8) {
		for (i = 0; i < last; i += 8)
			differs |= tg_sip_differs(tg_load_u64(p + i), tg_load_u64(lower + i));
		return (differs |
			tg_sip_differs(tg_load_u64(p + last), tg_load_u64(lower + last))) == 0;
	}
	if (n >= 4)
		return (tg_sip_differs(tg_load_u32(p), tg_load_u32(lower)) |
			tg_sip_differs(tg_load_u32(p + (n - 4)), tg_load_u32(lower + (n - 4)))) ==
		       0;
	if (n >= 2)
		return (tg_sip_differs(tg_sip_load_u16(p), tg_sip_load_u16(lower)) |
			tg_sip_differs(tg_sip_load_u16(p + (n - 2)),
				       tg_sip_load_u16(lower + (n - 2)))) == 0;
	return tg_sip_differs(p[0], (uint8_t)lower[0]) == 0;
}

#define TG_SIP_IS(p, len, literal)                                                                 \
	((len) == sizeof(literal) - 1 && tg_sip_same(p, literal, sizeof(literal) - 1))

#define TG_SIP_BEGINS(p, len, literal)                                                             \
	((len) >= sizeof(literal) - 1 && tg_sip_same(p, literal, sizeof(literal) - 1))

static_assert(TG_SIP_MAX_HEADER_BYTES == TG_SCAN_MAX, "an index covers a header");

/*
 * A text, its index, and the value in it that is being read: offsets are into the text, the value
 * ends at `len`, which is also what "none" is. After a quotation mark that is never closed, marks are
 * plain characters: searching again from each would cost quadratic time on crafted values.
 */
struct tg_sip_value {
	const uint8_t *p;
	uint32_t len;
	bool unbalanced;
	struct tg_scan_index index;
};

/* A text that is one value: what an answer repeats. */
static inline void tg_sip_value_init(struct tg_sip_value *v, struct tg_span text)
{
	v->p = text.data;
	v->len = text.len;
	v->unbalanced = false;
	tg_scan->index(text.data, 0, text.len, &v->index);
}

/* A walk over delimiters: what is left of the word that it stands in. */
struct tg_sip_walk {
	const struct tg_sip_value *v;
	uint64_t bits;
	uint32_t word;
};

/* The next delimiter of the walk, or v->len, on which it stays. */
static inline uint32_t tg_sip_walk_next(struct tg_sip_walk *w)
{
	const uint32_t len = w->v->len;
	uint32_t i;

	while (tg_unlikely(w->bits == 0)) {
		if ((w->word + 1) * TG_SCAN_BLOCK >= len)
			return len;
		w->bits = w->v->index.delimiter[++w->word];
	}
	i = w->word * TG_SCAN_BLOCK + (uint32_t)__builtin_ctzll(w->bits);
	w->bits &= w->bits - 1;
	return i < len ? i : len;
}

/* The walk goes on at offset i. */
static inline void tg_sip_walk_to(struct tg_sip_walk *w, uint32_t i)
{
	w->word = i / TG_SCAN_BLOCK;
	w->bits = 0;
	if (i < w->v->len)
		w->bits = w->v->index.delimiter[w->word] & (~0ull << (i % TG_SCAN_BLOCK));
}

static inline struct tg_sip_walk tg_sip_walk_from(const struct tg_sip_value *v, uint32_t i)
{
	struct tg_sip_walk w = { .v = v };

	tg_sip_walk_to(&w, i);
	return w;
}

/* The first delimiter at or behind offset i, or v->len. */
static inline uint32_t tg_sip_value_next(const struct tg_sip_value *v, uint32_t i)
{
	struct tg_sip_walk w = tg_sip_walk_from(v, i);

	return tg_sip_walk_next(&w);
}

static inline uint32_t tg_sip_skip_lws(const uint8_t *p, uint32_t i, uint32_t end)
{
	while (i < end && tg_sip_is_lws(p[i]))
		i++;
	return i;
}

/* The end of [from, end) without the white space before it. */
static inline uint32_t tg_sip_trim_lws(const uint8_t *p, uint32_t from, uint32_t end)
{
	while (end > from && tg_sip_is_lws(p[end - 1]))
		end--;
	return end;
}

/* RFC 3261 §25.1 token */
static inline bool tg_sip_is_token(uint8_t c)
{
	static const uint64_t set[4] = {
		/* ! % ' * + - . 0-9 */
		1ull << '!' | 1ull << '%' | 1ull << '\'' | 1ull << '*' | 1ull << '+' | 1ull << '-' |
			1ull << '.' | 0x3ffull << '0',
		/* A-Z _ ` a-z ~ */
		0x3ffffffull << ('A' - 64) | 1ull << ('_' - 64) | 1ull << ('`' - 64) |
			0x3ffffffull << ('a' - 64) | 1ull << ('~' - 64),
	};

	return set[c >> 6] >> (c & 63) & 1;
}

/* The start line's end without the version, or 0 if it does not end with " SIP/2.0". White space
 * behind it is not allowed, but read (RFC 4475 §3.1.2.10 and others). */
static inline uint32_t tg_sip_strip_version(const uint8_t *text, uint32_t from, uint32_t end)
{
	static const char version[] = "sip/2.0";
	const uint32_t n = sizeof(version) - 1;

	end = tg_sip_trim_lws(text, from, end);
	if (end - from < n + 1 || !tg_sip_same(text + end - n, version, n) ||
	    !tg_sip_is_wsp(text[end - n - 1]))
		return 0;
	return end - n;
}

#endif
