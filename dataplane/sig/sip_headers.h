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
 * symbol, name in lower case, its first two letters (0 if the row before has the same), compact form
 * (RFC 3261 §7.3.3; 0 = none), and which identity it carries. To add a header that carries one: a row here
 * and a row in sig.h.
 */
#define TG_SIP_HEADERS(X)                                                                          \
	X(VIA, "via", 'v', 'i', 'v', TG_SIP_NO_IDENTITY)	 /* RFC 3261 §20.42 */            \
	X(FROM, "from", 'f', 'r', 'f', TG_ID_FROM)		 /* §20.20 */                     \
	X(TO, "to", 't', 'o', 't', TG_ID_TO)			 /* §20.39 */                     \
	X(CALL_ID, "call-id", 'c', 'a', 'i', TG_SIP_NO_IDENTITY) /* §20.8 */                      \
	X(CSEQ, "cseq", 'c', 's', 0, TG_SIP_NO_IDENTITY)	 /* §20.16 */                     \
	X(PAI, "p-asserted-identity", 'p', '-', 0, TG_ID_PAI)	 /* RFC 3325 §9.1 */              \
	X(PPI, "p-preferred-identity", 0, 0, 0, TG_ID_PPI)	 /* RFC 3325 §9.2 */              \
	X(RPID, "remote-party-id", 'r', 'e', 0, TG_ID_RPID) /* draft-ietf-sip-privacy-04 §5.1 */  \
	X(DIVERSION, "diversion", 'd', 'i', 0, TG_ID_DIVERSION)		 /* RFC 5806 §4 */        \
	X(HISTORY_INFO, "history-info", 'h', 'i', 0, TG_ID_HISTORY_INFO) /* RFC 7044 §5 */        \
	X(IDENTITY, "identity", 'i', 'd', 'y', TG_SIP_NO_IDENTITY)	 /* RFC 8224 §4 */

#define TG_SIP_NO_IDENTITY TG_ID_SOURCE_COUNT

enum tg_sip_header {
	TG_SIP_HEADER_OTHER,
#define X(sym, name, first, second, compact, source) TG_SIP_HEADER_##sym,
	TG_SIP_HEADERS(X)
#undef X
	TG_SIP_HEADER_COUNT
};

/* A name as its first eight bytes, whatever their case, can be compared at once. */
struct tg_sip_name {
	const char *text;
	uint8_t first[8]; /* without the bit that is a letter's case; zero behind its end */
	uint8_t mask[8];  /* those bits */
	uint8_t len;	  /* 0: there is no such compact form */
	uint8_t source;	  /* enum tg_id_source, or TG_SIP_NO_IDENTITY */
	uint8_t header;	  /* enum tg_sip_header */
	bool is_sister;	  /* begins with the same two letters as the one before */
};

/* One more, which is nothing: whoever looks for a sister looks behind the last. */
extern const struct tg_sip_name tg_sip_name[2 * TG_SIP_HEADER_COUNT + 1];

/*
 * Two bytes choose the names that a line can begin with: the index of the first one, or 0. Five bits of
 * a letter ignore case. No hash: the table has 8 KiB, of which a message's lines read some 15 cache lines. A
 * compact form may have a blank or a tab behind it, where the colon or a second letter could stand.
 */
#define TG_SIP_SLOT(first, second) TG_SIP_PAIR_SLOT((first) | (second) << 8)
#define TG_SIP_PAIR_SLOT(pair) ((pair)&0x1f1fu)
#define TG_SIP_SLOTS 0x2000
extern const uint8_t tg_sip_name_slot[TG_SIP_SLOTS + 4 * TG_SIP_HEADER_COUNT];

/* What the identity of each source is to the call (sig.h). */
static const uint8_t tg_sip_source_role[TG_ID_SOURCE_COUNT] = {
#define X(sym, name, role) [TG_ID_##sym] = TG_ROLE_##role,
	TG_ID_SOURCES(X)
#undef X
};

/* The header field of this name: all bytes before the colon, len > 0. */
enum tg_sip_header tg_sip_header_find(const uint8_t *name, uint32_t len);

/* enum tg_id_source, or TG_SIP_NO_IDENTITY. */
unsigned tg_sip_header_source(enum tg_sip_header header);

#endif
