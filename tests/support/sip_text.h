/* SPDX-License-Identifier: BSD-3-Clause */
/* SIP requests for tests, from the few things in which they differ. */
#ifndef TG_TESTS_SIP_TEXT_H
#define TG_TESTS_SIP_TEXT_H

#include <stdint.h>
#include <stdio.h>

#define TG_SIP_TEXT_MAX 4096

/* NULL or 0: what stands behind the field. */
struct tg_sip_text {
	const char *method; /* INVITE; also in CSeq unless it is an ACK or CANCEL's own */
	const char *from;   /* user part: TG_TEST_CLEAN */
	const char *called; /* user part of Request-URI and To: TG_TEST_CLEAN_CALLED */
	const char *to;	    /* user part of To, where it is another one */
	const char *via; /* the topmost Via: "SIP/2.0/UDP 192.0.2.1;rport;branch=z9hG4bK<call>" */
	const char *to_tag; /* none */
	const char *extra;  /* header lines, each with CRLF */
	unsigned call;	    /* in Call-ID and branch: 0 */
	unsigned cseq;	    /* 1 */
};

static inline unsigned tg_sip_text(const struct tg_sip_text *t, char out[TG_SIP_TEXT_MAX])
{
	const char *method = t->method ? t->method : "INVITE";
	const char *from = t->from ? t->from : "+12025550177";
	const char *called = t->called ? t->called : "+61491570156";
	char via[128];

	snprintf(via, sizeof(via), "SIP/2.0/UDP 192.0.2.1;rport;branch=z9hG4bK%u", t->call);
	return (unsigned)snprintf(out, TG_SIP_TEXT_MAX,
				  "%s sip:%s@example.net SIP/2.0\r\n"
				  "Via: %s\r\n"
				  "Max-Forwards: 70\r\n"
				  "From: \"A\" <sip:%s@example.com>;tag=f%u\r\n"
				  "To: <sip:%s@example.net>%s%s\r\n"
				  "Call-ID: call-%u@example.com\r\n"
				  "CSeq: %u %s\r\n"
				  "Contact: <sip:%s@192.0.2.1>\r\n"
				  "%s"
				  "Content-Length: 0\r\n"
				  "\r\n",
				  method, called, t->via ? t->via : via, from, t->call,
				  t->to ? t->to : called, t->to_tag ? ";tag=" : "",
				  t->to_tag ? t->to_tag : "", t->call, t->cseq ? t->cseq : 1,
				  method, from, t->extra ? t->extra : "");
}

#endif
