/* SPDX-License-Identifier: BSD-3-Clause */
/* Where messages of a stream begin and end: each input also cut at every length. */
#include <string.h>

#include "tests/support/sip_test.h"
#include "tollgate/sip_stream.h"

static struct tg_span span(const char *s)
{
	return (struct tg_span){ (const uint8_t *)s, (uint32_t)strlen(s) };
}

/* What is cut short is never something else than the whole: it may become it. */
static void check_start(void *ctx, const uint8_t *data, size_t len)
{
	const struct tg_span s = { data, (uint32_t)len };
	const enum tg_sip_start whole = *(const enum tg_sip_start *)ctx, cut = tg_sip_start(s);

	if (len > 0 && whole >= TG_SIP_START_REQUEST)
		assert_true(cut == TG_SIP_START_MAYBE || cut == whole);
}

TG_TEST(SIPT_2_start_lines, TG_NEEDS_NOTHING)
{
	static const struct {
		const char *text;
		enum tg_sip_start start;
	} cases[] = {
		{ "INVITE sip:x SIP/2.0\r\n", TG_SIP_START_REQUEST },
		{ "X-1 anything sip/2.0 \n", TG_SIP_START_REQUEST },
		{ "SIP/2.0 200 OK\r\n", TG_SIP_START_RESPONSE },
		{ "INVITE sip:x", TG_SIP_START_MAYBE },
		{ "INVITE sip:x HTTP/1.1\r\n", TG_SIP_START_NO },
		{ "INVITE\r\nx SIP/2.0\r\n", TG_SIP_START_NO },
		{ "SIP/1.0 200 OK\r\n", TG_SIP_START_NO },
		{ "\x16\x03\x01", TG_SIP_START_NO },
		{ " INVITE sip:x SIP/2.0\r\n", TG_SIP_START_NO },
		{ "", TG_SIP_START_MAYBE },
		/* No method is that long. */
		{ "MMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMM",
		  TG_SIP_START_NO },
	};
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		enum tg_sip_start start = cases[i].start;

		assert_int_equal(tg_sip_start(span(cases[i].text)), start);
		tg_guard_truncate(cases[i].text, strlen(cases[i].text), check_start, &start);
	}
}

static void check_head(void *ctx, const uint8_t *data, size_t len)
{
	const uint32_t whole = *(const uint32_t *)ctx;
	const struct tg_span s = { data, (uint32_t)len };
	uint32_t from;

	assert_int_equal(tg_sip_head_end(s, 0), whole && len >= whole ? whole : 0);
	/* Searched on from two bytes before its old end, nothing is overlooked. */
	for (from = 0; whole && from + 2 < whole && from <= len; from++)
		assert_int_equal(tg_sip_head_end(s, from), len >= whole ? whole : 0);
}

TG_TEST(SIPT_2_head_ends, TG_NEEDS_NOTHING)
{
	static const struct {
		const char *text;
		uint32_t end;
	} cases[] = {
		{ "a\r\n\r\nbody", 5 }, { "a\n\nbody", 3 },   { "a\r\n\nb", 4 }, { "a\n\r\nb", 4 },
		{ "a\r\n \r\nb", 0 },	{ "a\r\n\r\r\n", 0 }, { "a\r\rb", 0 },	 { "", 0 },
	};
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		uint32_t end = cases[i].end;

		tg_guard_truncate(cases[i].text, strlen(cases[i].text), check_head, &end);
	}
}

static void check_length(void *ctx, const uint8_t *data, size_t len)
{
	const int64_t length = tg_sip_content_length((struct tg_span){ data, (uint32_t)len });

	(void)ctx;
	assert_true(length >= TG_SIP_LENGTH_BAD && length <= TG_SIP_LENGTH_MAX);
}

TG_TEST(SIPT_2_content_lengths, TG_NEEDS_NOTHING)
{
	static const struct {
		const char *lines;
		int64_t length;
	} cases[] = {
		{ "A sip:b SIP/2.0\r\nContent-Length: 12\r\n\r\n", 12 },
		{ "A sip:b SIP/2.0\r\nl: 0\r\n\r\n", 0 },
		{ "A sip:b SIP/2.0\r\nL\t :\r\n  7 \r\n\r\n", 7 },
		{ "A sip:b SIP/2.0\nX: Content-Length: 3\n\n", TG_SIP_LENGTH_ABSENT },
		{ "A sip:b SIP/2.0\r\n\r\nl: 5\r\n", TG_SIP_LENGTH_ABSENT }, /* of the body */
		{ "A sip:b SIP/2.0\r\nl: 5\r\nl: 5\r\n\r\n", 5 },
		{ "A sip:b SIP/2.0\r\nl: 5\r\nl: 6\r\n\r\n", TG_SIP_LENGTH_BAD },
		{ "A sip:b SIP/2.0\r\nl:\r\n\r\n", TG_SIP_LENGTH_BAD },
		{ "A sip:b SIP/2.0\r\nl: 5 5\r\n\r\n", TG_SIP_LENGTH_BAD },
		{ "A sip:b SIP/2.0\r\nl: +5\r\n\r\n", TG_SIP_LENGTH_BAD },
		{ "A sip:b SIP/2.0\r\nl: 999999999\r\n\r\n", 999999999 },
		{ "A sip:b SIP/2.0\r\nl: 18446744073709551617\r\n\r\n", TG_SIP_LENGTH_BAD },
		{ "Content-Length: 3\r\n", 3 }, /* a line by itself */
		{ "", TG_SIP_LENGTH_ABSENT },
	};
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		assert_int_equal(tg_sip_content_length(span(cases[i].lines)), cases[i].length);
		tg_guard_truncate(cases[i].lines, strlen(cases[i].lines), check_length, NULL);
	}
}

static void check_response(void *ctx, const uint8_t *data, size_t len)
{
	static struct tg_sip sip;

	(void)ctx;
	tg_sip_parse_response((struct tg_span){ data, (uint32_t)len }, &sip);
	(void)tg_sip_status((struct tg_span){ data, (uint32_t)len });
}

TG_TEST(SIPT_8_response_names_its_transaction, TG_NEEDS_NOTHING)
{
	static const char text[] =
		"SIP/2.0 483 Too Many Hops\r\nVia: SIP/2.0/TCP a;branch=z9hG4bKx\r\n"
		"f: <sip:a>;tag=1\r\nt: <sip:b>;tag=2\r\ni: call@id\r\n"
		"CSeq: 7 INVITE\r\n\r\n";
	static const char request[] =
		"INVITE sip:b SIP/2.0\r\nVia: SIP/2.0/TCP a;branch=z9hG4bKx\r\n"
		"f: <sip:a>;tag=1\r\nt: <sip:b>\r\ni: call@id\r\n"
		"CSeq: 7 INVITE\r\n\r\n";
	static const uint8_t key[16] = "a key";
	static struct tg_sip sip, invite;

	tg_sip_parse_response(span(text), &sip);
	assert_int_equal(sip.sig.n_ids, 0);
	assert_int_equal(sip.cseq, 7);
	assert_int_equal(tg_sip_parse(span(request), &invite), TG_REASON_NONE);
	assert_true(sip_test_keys(&sip, key).transaction ==
		    sip_test_keys(&invite, key).transaction);
	assert_int_equal(tg_sip_status(span(text)), 483);
	assert_int_equal(tg_sip_status(span("SIP/2.0 4x3 no")), 0);
	assert_int_equal(tg_sip_status(span(request)), 0);
	tg_guard_truncate(text, sizeof(text) - 1, check_response, NULL);
}
