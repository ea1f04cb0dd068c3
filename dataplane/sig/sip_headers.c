/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/sig/sip_headers.h"

#include "dataplane/sig/sip_text.h"

#define BYTE(text, i) ((uint8_t)(sizeof(text) > (i) + 1 ? (text)[(i) % sizeof(text)] : 0))
/* Bit 5 is the case of a letter; what names are made of besides letters has no bit 6. */
#define MASK(text, i) ((uint8_t)(BYTE(text, i) & 0x40 ? 0xdf : BYTE(text, i) ? 0xff : 0))
#define EACH(f, text)                                                                              \
	{                                                                                          \
		f(text, 0) & MASK(text, 0), f(text, 1) & MASK(text, 1),                            \
			f(text, 2) & MASK(text, 2), f(text, 3) & MASK(text, 3),                    \
			f(text, 4) & MASK(text, 4), f(text, 5) & MASK(text, 5),                    \
			f(text, 6) & MASK(text, 6), f(text, 7) & MASK(text, 7)                     \
	}

/* Names by header, and behind them the compact forms. */
const struct tg_sip_name tg_sip_name[2 * TG_SIP_HEADER_COUNT + 1] = {
#define X(sym, name, initial, second, compact, src)                                                \
	[TG_SIP_HEADER_##sym] = {                                                                  \
		.text = (name),                                                                    \
		.is_sister = (initial) == 0,                                                       \
		.first = EACH(BYTE, name),                                                         \
		.mask = EACH(MASK, name),                                                          \
		.len = sizeof(name) - 1,                                                           \
		.source = (src),                                                                   \
		.header = TG_SIP_HEADER_##sym,                                                     \
	},                                                                                         \
	[TG_SIP_HEADER_COUNT + TG_SIP_HEADER_##sym] = {                                            \
		.text = (const char[]){ (compact), 0 },                                            \
		.first = { (compact)&0xdf },                                                       \
		.mask = { 0xdf },                                                                  \
		.len = (compact) != 0,                                                             \
		.header = TG_SIP_HEADER_##sym,                                                     \
	},
	TG_SIP_HEADERS(X)
#undef X
};

/* A slot that may not exist stands behind the others, where no lookup goes. */
#define SLOT_IF(exists, sym, first, second, n)                                                     \
	((exists) ? TG_SIP_SLOT(first, second)                                                     \
		  : TG_SIP_SLOTS + (n)*TG_SIP_HEADER_COUNT + TG_SIP_HEADER_##sym)
/* "v<tab>" has the slot of "via" already. */
#define HAS_TAB(initial, second, compact)                                                          \
	((compact) && ((initial) != (compact) || ((second) ^ '\t') & 0x1f))

const uint8_t tg_sip_name_slot[TG_SIP_SLOTS + 4 * TG_SIP_HEADER_COUNT] = {
#define X(sym, name, initial, second, compact, src)                                                \
	[SLOT_IF(initial, sym, initial, second,                                                    \
		 0)] = TG_SIP_HEADER_##sym,                                                        \
		 [SLOT_IF(compact, sym, compact, ':', 1)] = TG_SIP_HEADER_COUNT +                  \
							    TG_SIP_HEADER_##sym,                   \
		 [SLOT_IF(compact, sym, compact, ' ', 2)] = TG_SIP_HEADER_COUNT +                  \
							    TG_SIP_HEADER_##sym,                   \
		 [SLOT_IF(HAS_TAB(initial, second, compact), sym, compact, '\t', 3)] =             \
			 TG_SIP_HEADER_COUNT + TG_SIP_HEADER_##sym,
	TG_SIP_HEADERS(X)
#undef X
};

enum tg_sip_header tg_sip_header_find(const uint8_t *name, uint32_t len)
{
	unsigned i;

	/* RFC 3261 §25.1 HCOLON: spaces and tabs, but no fold, may stand before the colon. */
	while (tg_unlikely(name[len - 1] <= ' ') && len > 1 && tg_sip_is_wsp(name[len - 1]))
		len--;
	for (i = 1; i < TG_ARRAY_LEN(tg_sip_name); i++) {
		const struct tg_sip_name *const n = &tg_sip_name[i];

		if (n->len == len && tg_sip_same(name, n->text, len))
			return (enum tg_sip_header)n->header;
	}
	return TG_SIP_HEADER_OTHER;
}

unsigned tg_sip_header_source(enum tg_sip_header header)
{
	return tg_sip_name[header].source;
}
