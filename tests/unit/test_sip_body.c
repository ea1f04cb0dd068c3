/* SPDX-License-Identifier: BSD-3-Clause */
/* Bodies that are not read although they may name somebody: told from those that name nobody. */
#include <stdio.h>
#include <string.h>

#include "tests/support/sip_test.h"

#define HEAD                                                                                       \
	"INVITE sip:+61491570156@b.example SIP/2.0\r\n"                                            \
	"From: <sip:+12025550123@a.example>;tag=1\r\nTo: <sip:+61491570156@b.example>\r\n"         \
	"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n"
#define SDP "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n"
#define PART(type) "--b1\r\nContent-Type: " type "\r\n\r\n"

struct body_case {
	const char *fields;
	const char *body;
	enum tg_sip_body want;
	enum tg_sip_body streamed;
};

static enum tg_sip_body body_of(const char *text, size_t len, bool in_stream)
{
	const struct tg_guard g = tg_guard_copy(text, len);
	struct tg_guard gone = g;
	enum tg_sip_body kind = TG_SIP_BODY_CLEAR;
	struct tg_sip sip;

	if (tg_sip_parse((struct tg_span){ g.data, (uint32_t)len }, &sip) == TG_REASON_NONE)
		kind = tg_sip_body(&sip, in_stream);
	tg_guard_free(&gone);
	return kind;
}

static void check_bodies(const struct body_case *c, size_t n)
{
	char text[2048];

	for (; n > 0; n--, c++) {
		const int len = snprintf(text, sizeof(text), HEAD "%s\r\n%s", c->fields, c->body);
		int cut;

		assert_true(len > 0 && len < (int)sizeof(text));
		if (body_of(text, (size_t)len, false) != c->want)
			fail_msg("%s | %s", c->fields, c->body);
		if (body_of(text, (size_t)len, true) != c->streamed)
			fail_msg("stream: %s | %s", c->fields, c->body);
		/* Whatever is cut off, nothing behind it is read, nor is less found to be more. */
		for (cut = 0; cut < len; cut++) {
			const enum tg_sip_body got = body_of(text, (size_t)cut, false);

			assert_true(got == TG_SIP_BODY_CLEAR || got == c->want);
			(void)body_of(text, (size_t)cut, true);
		}
	}
}

TG_TEST(SIP_18_isup_in_a_body_is_counted, TG_NEEDS_NOTHING)
{
	static const struct body_case cases[] = {
		{ "", "", TG_SIP_BODY_CLEAR, TG_SIP_BODY_CLEAR },
		{ "Content-Type: application/sdp\r\n", SDP, TG_SIP_BODY_CLEAR, TG_SIP_BODY_CLEAR },
		{ "Content-Type: text/plain\r\n", "hello", TG_SIP_BODY_CLEAR, TG_SIP_BODY_CLEAR },
		{ "Content-Type: application/ISUP;version=itu-t92+\r\n", "\x01\x10\x40",
		  TG_SIP_BODY_ISUP, TG_SIP_BODY_ISUP },
		{ "c:application/isup\r\n", "\x01\x10", TG_SIP_BODY_ISUP, TG_SIP_BODY_ISUP },
		{ "Content-Type:\r\n application/isup\r\n", "\x01\x10", TG_SIP_BODY_ISUP,
		  TG_SIP_BODY_ISUP },
		/* Quoted boundary, preamble, the part first, last, within another, in base64. */
		{ "Content-Type: multipart/mixed;boundary=\"b1\"\r\n",
		  "a preamble\r\n" PART("application/sdp")
			  SDP PART("application/ISUP") "\x01\r\n--b1--",
		  TG_SIP_BODY_ISUP, TG_SIP_BODY_ISUP },
		{ "Content-Type: multipart/mixed;boundary=b1\r\n",
		  PART("application/isup;base=itu-t92+") "\x01\r\n" PART("application/sdp") SDP
		  "--b1--",
		  TG_SIP_BODY_ISUP, TG_SIP_BODY_ISUP },
		{ "Content-Type: Multipart/Related;boundary=b1\r\n",
		  PART("multipart/mixed;boundary=b2") "--b2\r\nContent-Transfer-Encoding: "
						      "base64\r\n"
						      "Content-Type: application/isup\r\n\r\nARBA",
		  TG_SIP_BODY_ISUP, TG_SIP_BODY_ISUP },
		/* No ISUP in it; in a stream nobody has looked. */
		{ "Content-Type: multipart/mixed;boundary=b1\r\n",
		  PART("application/sdp") SDP PART("application/pidf+xml") "<isup/>--b1--",
		  TG_SIP_BODY_CLEAR, TG_SIP_BODY_ISUP },
		{ "Content-Type: multipart/mixed;boundary=b1\r\n", "/isup application/isu",
		  TG_SIP_BODY_CLEAR, TG_SIP_BODY_ISUP },
		/* The header says so, but there is no body. */
		{ "Content-Type: application/isup\r\n", "", TG_SIP_BODY_CLEAR, TG_SIP_BODY_ISUP },
		/* In another header field, or in a display name, it means nothing. */
		{ "Accept: application/isup\r\n", "x=1", TG_SIP_BODY_CLEAR, TG_SIP_BODY_CLEAR },
	};

	check_bodies(cases, TG_ARRAY_LEN(cases));
}

TG_TEST(SIP_19_encoded_bodies_are_counted, TG_NEEDS_NOTHING)
{
	static const struct body_case cases[] = {
		{ "Content-Type: application/sdp\r\nContent-Encoding: gzip\r\n", "\x1f\x8b\x08",
		  TG_SIP_BODY_ENCODED, TG_SIP_BODY_ENCODED },
		{ "e: deflate\r\nc: application/isup\r\n", "\x78\x9c", TG_SIP_BODY_ENCODED,
		  TG_SIP_BODY_ENCODED },
		{ "c: application/isup\r\nE: gzip\r\n", "\x1f\x8b", TG_SIP_BODY_ENCODED,
		  TG_SIP_BODY_ENCODED },
		{ "Content-Encoding: identity\r\nc: text/plain\r\n", "hello", TG_SIP_BODY_CLEAR,
		  TG_SIP_BODY_CLEAR },
		{ "Content-Encoding:\r\nc: text/plain\r\n", "hello", TG_SIP_BODY_CLEAR,
		  TG_SIP_BODY_CLEAR },
		{ "Content-Type: application/pkcs7-mime;smime-type=enveloped-data\r\n",
		  "\x30\x82\x01", TG_SIP_BODY_ENCODED, TG_SIP_BODY_ENCODED },
	};

	check_bodies(cases, TG_ARRAY_LEN(cases));
}
