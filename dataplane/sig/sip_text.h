/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Small things that all SIP files need: white space, names that ignore case, and a header field's
 * value with a bit map of its delimiters, in which the next one is a few instructions away.
 */
#ifndef TG_SIG_SIP_TEXT_H
#define TG_SIG_SIP_TEXT_H

#include "dataplane/sig/scan.h"
#include "tollgate/base.h"
#include "tollgate/sip.h"

/* RFC 3261 §25.1 LWS: a value's inside may be folded, so CR and LF count. */
static inline bool tg_sip_is_lws(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static inline bool tg_sip_is_wsp(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* Names ignore case (RFC 3261 §7.3.1). `lower` has n bytes, letters in lower case; bit 6 is set in
 * letters only (of what names are made of), and only there may bit 5 differ. */
static inline bool tg_sip_same(const uint8_t *p, const char *lower, uint32_t n)
{
	uint8_t differs = 0;
	uint32_t i;

	for (i = 0; i < n; i++) {
		const uint8_t l = (uint8_t)lower[i];

		differs |= (uint8_t)((p[i] ^ l) & ~((l & 0x40) >> 1));
	}
	return differs == 0;
}

#define TG_SIP_IS(p, len, literal)                                                                 \
	((len) == sizeof(literal) - 1 && tg_sip_same(p, literal, sizeof(literal) - 1))

#define TG_SIP_BEGINS(p, len, literal)                                                             \
	((len) >= sizeof(literal) - 1 && tg_sip_same(p, literal, sizeof(literal) - 1))

/*
 * A value and where its delimiters (scan.h) stand. Offsets below are into `p`; "none" is `len`.
 * After a quotation mark that is never closed, marks are plain characters: searching again from each
 * would cost quadratic time on crafted values.
 */
struct tg_sip_value {
	const uint8_t *p;
	uint32_t len;
	bool unbalanced;
	uint64_t map[TG_SCAN_WORDS(TG_SIP_MAX_HEADER_BYTES)];
};

/* `text` is [p, p + len); bytes up to `end` may be looked at. len <= TG_SIP_MAX_HEADER_BYTES. */
static inline void tg_sip_value_init(struct tg_sip_value *v, struct tg_span text,
				     const uint8_t *end)
{
	v->p = text.data;
	v->len = text.len;
	v->unbalanced = false;
	tg_scan->delimiters(text.data, text.len, (uint32_t)(end - text.data), v->map);
}

/* The first delimiter at or behind offset i. */
static inline uint32_t tg_sip_value_next(const struct tg_sip_value *v, uint32_t i)
{
	uint32_t word = i / TG_SCAN_BLOCK;
	uint64_t bits;

	if (i >= v->len)
		return v->len;
	bits = v->map[word] >> (i % TG_SCAN_BLOCK);
	if (bits)
		return i + (uint32_t)__builtin_ctzll(bits);
	for (word++; word < TG_SCAN_WORDS(v->len); word++)
		if (v->map[word])
			return word * TG_SCAN_BLOCK + (uint32_t)__builtin_ctzll(v->map[word]);
	return v->len;
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

#endif
