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
 * symbol, name in lower case, its first letter, compact form (RFC 3261 §7.3.3; 0 = none), and which
 * identity it carries. To add a header that carries one: a row here and a row in sig.h.
 */
#define TG_SIP_HEADERS(X)                                                                          \
	X(VIA, "via", 'v', 'v', TG_SIP_NO_IDENTITY)	    /* RFC 3261 §20.42 */                 \
	X(FROM, "from", 'f', 'f', TG_ID_FROM)		    /* §20.20 */                          \
	X(TO, "to", 't', 't', TG_ID_TO)			    /* §20.39 */                          \
	X(CALL_ID, "call-id", 'c', 'i', TG_SIP_NO_IDENTITY) /* §20.8 */                           \
	X(CSEQ, "cseq", 'c', 0, TG_SIP_NO_IDENTITY)	    /* §20.16 */                          \
	X(PAI, "p-asserted-identity", 'p', 0, TG_ID_PAI)    /* RFC 3325 §9.1 */                   \
	X(PPI, "p-preferred-identity", 'p', 0, TG_ID_PPI)   /* RFC 3325 §9.2 */                   \
	X(RPID, "remote-party-id", 'r', 0, TG_ID_RPID)	    /* draft-ietf-sip-privacy-04 §5.1 */  \
	X(DIVERSION, "diversion", 'd', 0, TG_ID_DIVERSION)  /* RFC 5806 §4 */                     \
	X(HISTORY_INFO, "history-info", 'h', 0, TG_ID_HISTORY_INFO) /* RFC 7044 §5 */

#define TG_SIP_NO_IDENTITY TG_ID_SOURCE_COUNT

enum tg_sip_header {
	TG_SIP_HEADER_OTHER,
#define X(sym, name, letter, compact, source) TG_SIP_HEADER_##sym,
	TG_SIP_HEADERS(X)
#undef X
	TG_SIP_HEADER_COUNT
};

/* Which header field the line of len bytes begins with; *value is the offset behind its colon. */
enum tg_sip_header tg_sip_header_find(const uint8_t *line, uint32_t len, uint32_t *value);

/* enum tg_id_source, or TG_SIP_NO_IDENTITY. */
unsigned tg_sip_header_source(enum tg_sip_header header);

#endif
