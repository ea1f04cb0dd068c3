/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/sig/sip_headers.h"

#include "dataplane/sig/sip_text.h"

struct header {
	const char *name;
	uint8_t len;
	uint8_t source;
};

static const struct header headers[TG_SIP_HEADER_COUNT] = {
#define X(sym, text, first, second, compact, src)                                                  \
	[TG_SIP_HEADER_##sym] = { .name = (text), .len = sizeof(text) - 1, .source = (src) },
	TG_SIP_HEADERS(X)
#undef X
};

/*
 * Length and first letter of a name choose the one header it can be. Five bits of a letter ignore
 * case; the factor keeps all names apart, which the compiler checks: two values for one slot are an
 * error (-Woverride-init).
 */
#define SLOTS 64
#define SLOT(len, letter) (((len)*5 + ((letter)&31)) % SLOTS)

static const uint8_t by_name[SLOTS] = {
#define X(sym, text, first, second, compact, src)                                                  \
	[SLOT(sizeof(text) - 1, first)] = TG_SIP_HEADER_##sym,
	TG_SIP_HEADERS(X)
#undef X
};

/* By compact form; a header without one stands behind the letters, where no lookup goes. */
static const uint8_t by_letter[32 + TG_SIP_HEADER_COUNT] = {
#define X(sym, text, first, second, compact, src)                                                  \
	[(compact) ? ((compact)&31) : 32 + TG_SIP_HEADER_##sym] = TG_SIP_HEADER_##sym,
	TG_SIP_HEADERS(X)
#undef X
};

enum tg_sip_header tg_sip_header_find(const uint8_t *name, uint32_t len)
{
	enum tg_sip_header h;

	/* RFC 3261 §25.1 HCOLON: spaces and tabs, but no fold, may stand before the colon. */
	while (tg_unlikely(name[len - 1] <= ' ') && len > 1 && tg_sip_is_wsp(name[len - 1]))
		len--;
	if (len == 1) {
		h = (enum tg_sip_header)by_letter[name[0] & 31];
		return (uint8_t)((name[0] | 0x20) - 'a') < 26 ? h : TG_SIP_HEADER_OTHER;
	}
	h = (enum tg_sip_header)by_name[SLOT(len, name[0])];
	if (headers[h].len != len || !tg_sip_same(name, headers[h].name, len))
		return TG_SIP_HEADER_OTHER;
	return h;
}

unsigned tg_sip_header_source(enum tg_sip_header header)
{
	return headers[header].source;
}
