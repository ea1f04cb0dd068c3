/* SPDX-License-Identifier: BSD-3-Clause */
/* What the SIP tests share: an INVITE around the lines under test, and both CPU variants. */
#ifndef TG_SIP_TEST_H
#define TG_SIP_TEST_H

#include "tests/support/tg_test.h"
#include "tollgate/sip.h"

/* Header lines that every INVITE has, except From and To. */
#define SIP_FRAME                                                                                  \
	"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK776asdhds\r\n"                              \
	"Call-ID: a84b4c76e66710@192.0.2.1\r\n"                                                    \
	"CSeq: 314159 INVITE\r\n"
#define SIP_START "INVITE sip:+12025550199@example.net SIP/2.0\r\n"
#define SIP_FROM "From: <sip:+12025550123@example.com>;tag=1928301774\r\n"
#define SIP_TO "To: <sip:+12025550199@example.net>\r\n"

/* An INVITE with further header lines; with other From, To, start lines. */
#define SIP_WITH(lines) SIP_START SIP_FRAME SIP_FROM SIP_TO lines "\r\n"
#define SIP_WITH_FROM(from) SIP_START SIP_FRAME "From: " from "\r\n" SIP_TO "\r\n"
#define SIP_WITH_TO(to) SIP_START SIP_FRAME SIP_FROM "To: " to "\r\n\r\n"
#define SIP_WITH_URI(uri) "INVITE " uri " SIP/2.0\r\n" SIP_FRAME SIP_FROM SIP_TO "\r\n"

/*
 * Parses under every CPU variant, on a copy that ends at a guard page, truncated at every length;
 * variants must agree each time. Then parses `text` itself, so that spans in *sip outlive the call.
 */
enum tg_reason sip_test_parse(const void *text, size_t len, struct tg_sip *sip);

/* The same reading, as far as a caller may look? */
bool sip_test_same(const struct tg_sip *a, const struct tg_sip *b);

/* Raw form of the n-th identity of a source, or NULL if there is none; static storage. */
const char *sip_test_raw(const struct tg_sip *sip, enum tg_id_source source, unsigned nth);

/* The keys of one message. */
static inline struct tg_sip_keys sip_test_keys(const struct tg_sip *sip, const uint8_t *key)
{
	struct tg_sip_keys keys = { .sip = sip };

	tg_sip_keys_burst(&keys, 1, key);
	return keys;
}

/* A span as a string ("(none)" if absent); static storage, four at a time. */
const char *sip_test_text(struct tg_span s);

#endif
