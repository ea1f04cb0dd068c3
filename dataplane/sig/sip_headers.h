/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The SIP header fields that are read; all others are passed over. This table is the only place
 * that knows their names.
 */
#ifndef TG_SIG_SIP_HEADERS_H
#define TG_SIG_SIP_HEADERS_H

#include "tollgate/base.h"
#include "tollgate/sig.h"

/*
 * symbol, name in lower case, its first two letters, compact form (RFC 3261 §7.3.3; 0 = none), and which
 * identity it carries. To add a header that carries one: a row here and a row in sig.h.
 */
#define TG_SIP_HEADERS(X)                                                                          \
	X(VIA, "via", 'v', 'i', 'v', TG_SIP_NO_IDENTITY)	 /* RFC 3261 §20.42 */            \
	X(FROM, "from", 'f', 'r', 'f', TG_ID_FROM)		 /* §20.20 */                     \
	X(TO, "to", 't', 'o', 't', TG_ID_TO)			 /* §20.39 */                     \
	X(CALL_ID, "call-id", 'c', 'a', 'i', TG_SIP_NO_IDENTITY) /* §20.8 */                      \
	X(CSEQ, "cseq", 'c', 's', 0, TG_SIP_NO_IDENTITY)	 /* §20.16 */                     \
	X(PAI, "p-asserted-identity", 'p', '-', 0, TG_ID_PAI)	 /* RFC 3325 §9.1 */              \
	X(PPI, "p-preferred-identity", 'p', '-', 0, TG_ID_PPI)	 /* RFC 3325 §9.2 */              \
	X(RPID, "remote-party-id", 'r', 'e', 0, TG_ID_RPID) /* draft-ietf-sip-privacy-04 §5.1 */  \
	X(DIVERSION, "diversion", 'd', 'i', 0, TG_ID_DIVERSION)		 /* RFC 5806 §4 */        \
	X(HISTORY_INFO, "history-info", 'h', 'i', 0, TG_ID_HISTORY_INFO) /* RFC 7044 §5 */

#define TG_SIP_NO_IDENTITY TG_ID_SOURCE_COUNT

enum tg_sip_header {
	TG_SIP_HEADER_OTHER,
#define X(sym, name, first, second, compact, source) TG_SIP_HEADER_##sym,
	TG_SIP_HEADERS(X)
#undef X
	TG_SIP_HEADER_COUNT
};

/*
 * With which letter, and with which two bytes, a header field that is read can begin. Five bits of a
 * letter ignore case; a compact form is followed by a colon or white space. Pairs are hashes into 64
 * bits; the factors keep out what messages are full of (Contact, Content-, Date, Privacy, Route).
 */
#define TG_SIP_PAIR(first, second) (((first)*4 + (second)*9) & 63)
#define TG_SIP_PAIR_BIT(first, second) (1ull << TG_SIP_PAIR((first)&31, (second)&31))
#define X(sym, name, first, second, compact, source)                                               \
	(1u << ((first)&31)) | ((compact) ? 1u << ((compact)&31) : 0) |
static const uint32_t tg_sip_header_letters = TG_SIP_HEADERS(X) 0;
#undef X
#define X(sym, name, first, second, compact, source)                                               \
	TG_SIP_PAIR_BIT(first, second) |                                                           \
		((compact) ? TG_SIP_PAIR_BIT(compact, ':') | TG_SIP_PAIR_BIT(compact, ' ') |       \
				     TG_SIP_PAIR_BIT(compact, '\t')                                \
			   : 0) |
static const uint64_t tg_sip_header_pairs = TG_SIP_HEADERS(X) 0;
#undef X

/* Most lines end their stay here. `line` has at least one byte and a line end. */
static inline bool tg_sip_header_may_begin(const uint8_t *line)
{
	return (tg_sip_header_letters >> (line[0] & 31) & 1) &&
	       (tg_sip_header_pairs >> TG_SIP_PAIR(line[0] & 31, line[1] & 31) & 1);
}

/* The header field of this name: all bytes before the colon, len > 0. */
enum tg_sip_header tg_sip_header_find(const uint8_t *name, uint32_t len);

/* enum tg_id_source, or TG_SIP_NO_IDENTITY. */
unsigned tg_sip_header_source(enum tg_sip_header header);

#endif
