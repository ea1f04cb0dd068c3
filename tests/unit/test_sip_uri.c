/* SPDX-License-Identifier: BSD-3-Clause */
/* SIP addresses: what of a name-addr or URI is the user, and what the whole says of a number. */
#include <string.h>

#include "tests/support/sip_test.h"

#define ABSENT ""

struct addr_case {
	const char *text;
	const char *raw; /* ABSENT: no user part */
};

static void parse_with(const char *before, const char *value, const char *after, struct tg_sip *sip)
{
	static char text[8192];

	strcpy(text, before);
	strcat(strcat(text, value), after);
	if (sip_test_parse(text, strlen(text), sip) != TG_REASON_NONE)
		fail_msg("%s: not read", value);
}

static void check_raw(const struct addr_case *c, const struct tg_sip *sip, enum tg_id_source source)
{
	const char *raw = sip_test_raw(sip, source, 0);

	if (!raw || strcmp(raw, c->raw) != 0)
		fail_msg("%s: \"%s\" instead of \"%s\"", c->text, raw, c->raw);
}

/* Each as From, alone, and as the second of a comma list. */
static void check_addresses(const struct addr_case *c, size_t n)
{
	for (; n > 0; n--, c++) {
		struct tg_sip sip;

		parse_with(SIP_START SIP_FRAME SIP_TO "From: ", c->text, "\r\n\r\n", &sip);
		check_raw(c, &sip, TG_ID_FROM);
		parse_with(SIP_START SIP_FRAME SIP_TO "P-Asserted-Identity: <sip:h>, ", c->text,
			   "\r\n\r\n", &sip);
		assert_string_equal(sip_test_raw(&sip, TG_ID_PAI, 0), ABSENT);
		if (!sip_test_raw(&sip, TG_ID_PAI, 1) ||
		    strcmp(sip_test_raw(&sip, TG_ID_PAI, 1), c->raw) != 0)
			fail_msg("in a list: %s", c->text);
	}
}

static void check_request_uris(const struct addr_case *c, size_t n)
{
	for (; n > 0; n--, c++) {
		struct tg_sip sip;

		parse_with("INVITE ", c->text, " SIP/2.0\r\n" SIP_FRAME SIP_FROM SIP_TO "\r\n",
			   &sip);
		check_raw(c, &sip, TG_ID_REQUEST_URI);
	}
}

TG_TEST(SIP_4_quoted_display_name, TG_NEEDS_NOTHING)
{
	static const struct addr_case cases[] = {
		{ "\"sip:+12025550166@x\" <sip:real@y>", "real" },
		{ "\"<sip:fake@x>\" <sip:real@y>", "real" },
		{ "\"a \\\" <sip:fake@x>, \\\\\" <sip:real@y>", "real" },
		{ "\"\" <sip:real@y>", "real" },
		{ "Bob <sip:real@y>", "real" },
		{ "A. G. Bell <sip:real@y>", "real" },
		{ "sip:fake@x <sip:real@y>", "real" },
		{ "\xd0\xaf <sip:real@y>", "real" },
		{ "\"\xff\xfe\"<sip:real@y>", "real" },
		{ "< sip:real@y >", "real" },
		{ "<SIP:real@y>", "real" },
	};
	static const struct addr_case unbalanced[] = {
		/* RFC 4475 §3.1.2.6: never closed. What a lenient peer would route is judged. */
		{ "\"Mr. J. User <sip:real@y>", "real" },
		{ "\"a\\\" <sip:real@y>", "real" },
		{ "<sip:real@y", "real" },
	};
	size_t i;

	check_addresses(cases, TG_ARRAY_LEN(cases));
	for (i = 0; i < TG_ARRAY_LEN(unbalanced); i++) {
		struct tg_sip sip;

		parse_with(SIP_START SIP_FRAME SIP_TO "From: ", unbalanced[i].text, "\r\n\r\n",
			   &sip);
		check_raw(&unbalanced[i], &sip, TG_ID_FROM);
	}
}

/* Quotation marks that never close must not be searched from again and again. */
TG_TEST(OP_10_unbalanced_quotes_cost_linear_time, TG_NEEDS_NOTHING)
{
	static char text[TG_SIP_MAX_HEADER_BYTES];
	const size_t head = strlen(SIP_START SIP_FRAME SIP_FROM SIP_TO "P-Asserted-Identity: ");
	struct tg_sip sip;
	unsigned i;

	memcpy(text, SIP_START SIP_FRAME SIP_FROM SIP_TO "P-Asserted-Identity: ", head);
	for (i = 0; head + 3 * i + 6 < sizeof(text); i++)
		memcpy(text + head + 3 * i, ",\\\"", 3);
	memcpy(text + head + 3 * i, "\r\n\r\n", 4);
	/* 5,000 marks of 15 KB: at quadratic cost the loop takes half a minute, else milliseconds. */
	for (i = 0; i < 200; i++)
		assert_int_equal(
			tg_sip_parse((struct tg_span){ (uint8_t *)text, sizeof(text) }, &sip),
			TG_REASON_NONE);
	assert_int_equal(sip.sig.ids_left_out, UINT8_MAX);
}

TG_TEST(SIP_5_name_addr_and_addr_spec, TG_NEEDS_NOTHING)
{
	struct tg_sip sip;

	parse_with(SIP_START SIP_FRAME SIP_TO "From: ", "sip:+12025550123@h;tag=12;x=y", "\r\n\r\n",
		   &sip);
	assert_string_equal(sip_test_raw(&sip, TG_ID_FROM, 0), "+12025550123");
	assert_string_equal(sip_test_text(sip.from_tag), "12");
	parse_with(SIP_START SIP_FRAME SIP_TO "From: ", "<sip:+12025550123@h;tag=12>;x=y",
		   "\r\n\r\n", &sip);
	assert_string_equal(sip_test_text(sip.from_tag), "(none)");
}

TG_TEST(SIP_6_delimiters_in_the_user_part, TG_NEEDS_NOTHING)
{
	static const struct addr_case cases[] = {
		{ "<sip:a;b?c@h>", "a" },
		{ "<sip:a?b,c@h>", "a?b,c" },
		{ "<sip:+12025550123;npdi;rn=+12025550188@h;user=phone>", "+12025550123" },
		{ "<sip:+12025550123;tgrp=tg1;trunk-context=+1-202@h>", "+12025550123" },
		{ "<sip:+12025550123;isub=1411;ext=123;postd=pp22@h>", "+12025550123" },
		{ "<sip:a/b=c&d$e+f@h?Subject=x>", "a/b=c&d$e+f" },
		{ "<sip:a@h;x=b@c>", "a" },
		{ "<sip:;x=y@h>", ABSENT },
		{ "<sip:@h>", ABSENT },
	};

	check_addresses(cases, TG_ARRAY_LEN(cases));
}

TG_TEST(SIP_7_escapes_stay_as_on_the_wire, TG_NEEDS_NOTHING)
{
	static const struct addr_case cases[] = {
		{ "<sip:%2B12025550123@h>", "%2B12025550123" },
		{ "<sip:%252B12025550123@h>", "%252B12025550123" },
		{ "<sip:sips%3Auser%40example.com@h>", "sips%3Auser%40example.com" },
		{ "<sip:null-%00-null@h>", "null-%00-null" },
	};
	struct tg_sip sip;

	check_addresses(cases, TG_ARRAY_LEN(cases));
	parse_with(SIP_START SIP_FRAME SIP_TO "From: ", "<sip:%2B%31%32025550123@h>", "\r\n\r\n",
		   &sip);
	tg_sig_normalise(&sip.sig, NULL);
	assert_int_equal(sip.sig.id[2].cls, TG_NUM_CLASS_E164);
	assert_int_equal(tg_num_value(sip.sig.id[2].num), 12025550123);
	/* Undone once: what is left has a percent sign and is no number. */
	parse_with(SIP_START SIP_FRAME SIP_TO "From: ", "<sip:%252B12025550123@h>", "\r\n\r\n",
		   &sip);
	tg_sig_normalise(&sip.sig, NULL);
	assert_int_not_equal(sip.sig.id[2].cls, TG_NUM_CLASS_E164);
	assert_true(tg_num_is_none(sip.sig.id[2].num));
}

TG_TEST(SIP_8_password, TG_NEEDS_NOTHING)
{
	static const struct addr_case cases[] = {
		{ "<sip:user:pw@h>", "user" },
		{ "<sip:+12025550123:p;w@h>", "+12025550123" },
		{ "sip:user:pw@h:5060", "user" },
		{ "<sip::pw@h>", ABSENT },
	};

	check_addresses(cases, TG_ARRAY_LEN(cases));
}

TG_TEST(SIP_9_schemes_hosts_and_missing_users, TG_NEEDS_NOTHING)
{
	static const struct addr_case cases[] = {
		{ "<tel:+1-202-555-0123>", "+1-202-555-0123" },
		{ "tel:+12025550123", "+12025550123" },
		{ "<tel:+12025550123;isub=1>", "+12025550123" },
		{ "<tel:5550123;phone-context=+1202>", "5550123" },
		{ "<TEL:(202)555.0123 >", "(202)555.0123" },
		{ "<sips:+12025550123@[2001:db8::1]:5061>", "+12025550123" },
		{ "<sip:[2001:db8::1]>", ABSENT },
		{ "<sip:h>", ABSENT },
		{ "sip:h:5060", ABSENT },
		{ "<sip:h;user=phone>", ABSENT },
		{ "<tel:>", ABSENT },
		{ "<>", ABSENT },
		{ "<urn:service:sos>", ABSENT },
		{ "<isbn:2983792873>", ABSENT },
		{ "<http://www.example.com/+12025550123>", ABSENT },
		{ "<http://+12025550123@www.example.com/>", "+12025550123" },
		{ "<h323:+12025550123@gw>", "+12025550123" },
		{ "<im:alice@h>", "alice" },
		{ "<+12025550123@h>", ABSENT },
		{ "<1sip:+12025550123@h>", ABSENT },
		{ "+12025550123", ABSENT },
		{ "*", ABSENT },
	};
	static const struct addr_case uris[] = {
		{ "sip:h", ABSENT },
		{ "tel:+12025550123;x=y", "+12025550123" },
		{ "<sip:a@h>", "a" },	/* RFC 4475 §3.1.2.8 */
		{ "sip:a@h; lr", "a" }, /* §3.1.2.9 */
		{ "sip:a@h?Route=%3Csip:b@h%3E", "a" },
		{ "soap.beep://192.0.2.103:3002", ABSENT },
		{ "*", ABSENT },
	};

	check_addresses(cases, TG_ARRAY_LEN(cases));
	check_request_uris(uris, TG_ARRAY_LEN(uris));
}

struct class_case {
	const char *from;
	enum tg_num_class cls;
	unsigned flags;
};

static void check_classes(const struct class_case *c, size_t n,
			  const struct tg_num_profile *profile)
{
	for (; n > 0; n--, c++) {
		struct tg_sip sip;

		parse_with(SIP_START SIP_FRAME SIP_TO "From: ", c->from, "\r\n\r\n", &sip);
		assert_int_equal(sip.sig.id[2].source, TG_ID_FROM);
		tg_sig_normalise(&sip.sig, profile);
		if (sip.sig.id[2].cls != c->cls || sip.sig.id[2].flags != c->flags)
			fail_msg("%s: %s, flags %x", c->from, tg_num_class_name(sip.sig.id[2].cls),
				 sip.sig.id[2].flags);
		assert_int_equal(tg_num_is_none(sip.sig.id[2].num),
				 c->cls != TG_NUM_CLASS_E164 && c->cls != TG_NUM_CLASS_SHORT_CODE);
	}
}

TG_TEST(SIP_9_local_numbers_stay_raw, TG_NEEDS_NOTHING)
{
	static const struct tg_num_profile national = {
		.country_code_len = 1,
		.country_code = { '1' },
		.bare = TG_NUM_BARE_NATIONAL,
		.national_min = 10,
		.national_max = 10,
	};
	static const struct class_case cases[] = {
		{ "<tel:2025550123>", TG_NUM_CLASS_E164, 0 },
		{ "<tel:2025550123;phone-context=+44>", TG_NUM_CLASS_UNRESOLVED,
		  TG_ID_FLAG_TEL_LOCAL },
		{ "<tel:2025550123;x=y;PHONE-CONTEXT=example.com>", TG_NUM_CLASS_UNRESOLVED,
		  TG_ID_FLAG_TEL_LOCAL },
		{ "<tel:+12025550123;phone-context=+44>", TG_NUM_CLASS_E164, 0 },
		{ "<sip:2025550123;phone-context=+44@h>", TG_NUM_CLASS_UNRESOLVED,
		  TG_ID_FLAG_TEL_LOCAL },
		{ "<sip:2025550123@h;phone-context=+44>", TG_NUM_CLASS_E164, 0 },
		{ "<sip:2025550123;phone-contexts=+44@h>", TG_NUM_CLASS_E164, 0 },
	};

	check_classes(cases, TG_ARRAY_LEN(cases), &national);
}

TG_TEST(SIP_13_anonymous_forms, TG_NEEDS_NOTHING)
{
	static const struct class_case cases[] = {
		{ "\"Anonymous\" <sip:anonymous@anonymous.invalid>", TG_NUM_CLASS_WITHHELD, 0 },
		{ "Anonymous <sip:anonymous@192.0.2.1>", TG_NUM_CLASS_WITHHELD, 0 },
		{ "<sip:thisis@Anonymous.Invalid:5060>", TG_NUM_CLASS_WITHHELD, 0 },
		{ "<sip:anonymous.invalid>", TG_NUM_CLASS_WITHHELD, 0 },
		{ "sip:anonymous.invalid;tag=1", TG_NUM_CLASS_WITHHELD, 0 },
		{ "<sip:x@anonymous.invalid.example.com>", TG_NUM_CLASS_ALPHANUMERIC, 0 },
		/* The number is there: it is judged, whatever the host. */
		{ "\"Anonymous\" <sip:+12025550123@anonymous.invalid>", TG_NUM_CLASS_E164, 0 },
		{ "<sip:restricted@h>", TG_NUM_CLASS_WITHHELD, 0 },
		{ "<sip:unavailable@h>", TG_NUM_CLASS_UNAVAILABLE, 0 },
		{ "<sip:unknown@unknown.invalid>", TG_NUM_CLASS_UNAVAILABLE, 0 },
		{ "<sip:0@h>", TG_NUM_CLASS_UNAVAILABLE, 0 },
		{ "<sip:h>", TG_NUM_CLASS_ABSENT, 0 },
		{ "<sip:asterisk@h>", TG_NUM_CLASS_UNAVAILABLE, 0 },
		{ "<sip:+1202555012345678@h>", TG_NUM_CLASS_MALFORMED, 0 },
	};

	check_classes(cases, TG_ARRAY_LEN(cases), NULL);
}

TG_TEST(SIP_14_digits_outside_the_uri_are_no_number, TG_NEEDS_NOTHING)
{
	static const struct addr_case cases[] = {
		{ "\"+12025550123\" <sip:h>;tag=+12025550123", ABSENT },
		{ "<sip:h;x=+12025550123>;tag=12025550123", ABSENT },
		{ "\"12025550123\" <sip:alice@12025550123.example>;tag=1", "alice" },
	};

	check_addresses(cases, TG_ARRAY_LEN(cases));
}

TG_TEST(SIP_36_emergency_calls_are_flagged, TG_NEEDS_NOTHING)
{
	static const struct {
		const char *uri;
		bool emergency;
	} cases[] = {
		{ "urn:service:sos", true },	       { "URN:Service:SOS.police", true },
		{ "urn:service:sosage", false },       { "urn:service:test.sos", false },
		{ "urn:service:counseling", false },   { "sip:112@h", true },
		{ "sip:911@h;user=phone", true },      { "sip:%39%31%31@h", true },
		{ "tel:999;phone-context=+44", true }, { "sip:+12025550199@h", false },
	};
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		struct tg_sip sip;

		parse_with("INVITE ", cases[i].uri, " SIP/2.0\r\n" SIP_FRAME SIP_FROM SIP_TO "\r\n",
			   &sip);
		tg_sig_normalise(&sip.sig, NULL);
		if (!(sip.sig.id[0].flags & TG_ID_FLAG_EMERGENCY) == cases[i].emergency)
			fail_msg("Request-URI %s", cases[i].uri);
		/* Nowhere else: a To or From is whatever the caller wrote. */
		parse_with(SIP_START SIP_FRAME SIP_FROM "To: <", cases[i].uri, ">\r\n\r\n", &sip);
		tg_sig_normalise(&sip.sig, NULL);
		assert_false(sip.sig.id[2].flags & TG_ID_FLAG_EMERGENCY);
		parse_with(SIP_START SIP_FRAME SIP_TO "From: <", cases[i].uri, ">\r\n\r\n", &sip);
		tg_sig_normalise(&sip.sig, NULL);
		assert_false(sip.sig.id[2].flags & TG_ID_FLAG_EMERGENCY);
	}
}

TG_TEST(sig_names, TG_NEEDS_NOTHING)
{
	assert_string_equal(tg_role_name(TG_ROLE_ORIGINAL_CALLED), "original_called");
	assert_string_equal(tg_role_name(TG_ROLE_COUNT), "?");
	assert_string_equal(tg_id_source_name(TG_ID_PAI), "p-asserted-identity");
	assert_string_equal(tg_id_source_name(TG_ID_SOURCE_COUNT), "?");
	assert_string_equal(tg_protocol_name(TG_PROTOCOL_SIP), "sip");
	assert_string_equal(tg_protocol_name(TG_PROTOCOL_COUNT), "?");
	assert_string_equal(tg_message_name(TG_MESSAGE_INVITE), "INVITE");
	assert_string_equal(tg_message_name(TG_MESSAGE_SGM), "SGM");
	assert_string_equal(tg_message_name(TG_MESSAGE_COUNT), "?");
	assert_int_equal(tg_id_source_role(TG_ID_DIVERSION), TG_ROLE_REDIRECTING);
	assert_int_equal(tg_id_source_role(TG_ID_REQUEST_URI), TG_ROLE_CALLED);
}
