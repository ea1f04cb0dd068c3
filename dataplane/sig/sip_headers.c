/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/sig/sip_headers.h"

#include "dataplane/sig/sip_text.h"

struct header {
	const char *name;
	uint8_t len;
	uint8_t source;
};

static const struct header headers[TG_SIP_HEADER_COUNT] = {
#define X(sym, text, letter, compact, src)                                                         \
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
#define X(sym, text, letter, compact, src) [SLOT(sizeof(text) - 1, letter)] = TG_SIP_HEADER_##sym,
	TG_SIP_HEADERS(X)
#undef X
};

/* By compact form; a header without one stands behind the letters, where no lookup goes. */
static const uint8_t by_letter[32 + TG_SIP_HEADER_COUNT] = {
#define X(sym, text, letter, compact, src)                                                         \
	[(compact) ? ((compact)&31) : 32 + TG_SIP_HEADER_##sym] = TG_SIP_HEADER_##sym,
	TG_SIP_HEADERS(X)
#undef X
};

/* With which letters a header that is read can begin: most lines end their stay here. */
#define LETTER_BIT(letter) ((letter) ? 1u << ((letter)&31) : 0u)
#define X(sym, text, letter, compact, src) LETTER_BIT(letter) | LETTER_BIT(compact) |
static const uint32_t first_letters = TG_SIP_HEADERS(X) 0;
#undef X

#define NAME_MAX_LEN 20 /* of the table; longer names need not be looked for */

#define X(sym, text, letter, compact, src)                                                         \
	static_assert(sizeof(text) - 1 <= NAME_MAX_LEN, "raise NAME_MAX_LEN");
TG_SIP_HEADERS(X)
#undef X

static enum tg_sip_header find_name(const uint8_t *name, uint32_t len)
{
	enum tg_sip_header h;

	if (len == 1) {
		h = (enum tg_sip_header)by_letter[name[0] & 31];
		return (uint8_t)((name[0] | 0x20) - 'a') < 26 ? h : TG_SIP_HEADER_OTHER;
	}
	h = (enum tg_sip_header)by_name[SLOT(len, name[0])];
	if (headers[h].len != len || !tg_sip_same(name, headers[h].name, len))
		return TG_SIP_HEADER_OTHER;
	return h;
}

/* RFC 3261 §25.1 HCOLON: spaces and tabs, but no fold, may stand before the colon. */
enum tg_sip_header tg_sip_header_find(const uint8_t *line, uint32_t len, uint32_t *value)
{
	const uint32_t most = len < NAME_MAX_LEN + 1 ? len : NAME_MAX_LEN + 1;
	enum tg_sip_header h;
	uint32_t i = 0;

	*value = 0;
	if (len == 0 || !(first_letters >> (line[0] & 31) & 1))
		return TG_SIP_HEADER_OTHER;
	while (i < most && line[i] != ':' && !tg_sip_is_wsp(line[i]))
		i++;
	if (i == 0 || i == most)
		return TG_SIP_HEADER_OTHER;
	h = find_name(line, i);
	while (i < len && tg_sip_is_wsp(line[i]))
		i++;
	if (i == len || line[i] != ':')
		return TG_SIP_HEADER_OTHER;
	*value = i + 1;
	return h;
}

unsigned tg_sip_header_source(enum tg_sip_header header)
{
	return headers[header].source;
}
