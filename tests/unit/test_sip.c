/* SPDX-License-Identifier: BSD-3-Clause */
/* SIP: what a datagram is, the header loop, which identities an INVITE has. */
#include <stdlib.h>
#include <string.h>

#include "tests/support/sip_test.h"

struct start_case {
	const char *text;
	size_t len;
	enum tg_reason reason;
};

#define START(text, reason)                                                                        \
	{                                                                                          \
		text, sizeof(text) - 1, TG_REASON_##reason                                         \
	}

static void check_starts(const struct start_case *c, size_t n)
{
	struct tg_sip sip;

	for (; n > 0; n--, c++) {
		const enum tg_reason got = sip_test_parse(c->text, c->len, &sip);

		if (got != c->reason)
			fail_msg("\"%s\": %d instead of %d", c->text, got, c->reason);
	}
}

TG_TEST(SIPT_5_start_line_decides, TG_NEEDS_NOTHING)
{
	static const struct start_case cases[] = {
		START("INVITE sip:a@b SIP/2.0\r\n\r\n", NONE),
		START("INVITE sip:a@b sip/2.0\r\n\r\n", NONE), /* §7.1: version ignores case */
		START("INVITE sip:a@b SIP/2.0\n\n", NONE),
		START("INVITE sip:a@b SIP/2.0 \t\r\n\r\n", NONE),
		START("INVITE  sip:a@b  SIP/2.0\r\n\r\n", NONE),
		START("INVITE\tsip:a@b\tSIP/2.0\r\n\r\n", NONE),
		START("ACK sip:a@b SIP/2.0\r\n\r\n", NONE),
		START("CANCEL sip:a@b SIP/2.0\r\n\r\n", NONE),
		START("invite sip:a@b SIP/2.0\r\n\r\n", SIP_REQUEST), /* §7.1: methods do not */
		START("BYE sip:a@b SIP/2.0\r\n", SIP_REQUEST),
		START("OPTIONS sip:a@b SIP/2.0", SIP_REQUEST),
		START("INVITEX sip:a@b SIP/2.0\r\n\r\n", SIP_REQUEST),
		START("SIP/2.0 200 OK\r\n\r\n", SIP_RESPONSE),
		START("SIP/2.0 ", SIP_RESPONSE),
		START("SIP/2.0", NOT_SIP),
		START("SIP/2.00 200 OK\r\n", NOT_SIP),
		START("SIP/7.0 200 OK\r\n", NOT_SIP),
		START("NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\r\n", NOT_SIP),
		START("GET / HTTP/1.1\r\n\r\n", NOT_SIP),
		START("OPTIONS sip:a@b SIP/7.0\r\n\r\n", NOT_SIP),
		START("INVITE sip:a@b SIP/2.01\r\n\r\n", NOT_SIP),
		START("INVITE sip:a@bSIP/2.0\r\n\r\n", NOT_SIP),
		START("INVITE sip:a@b\r\nSIP/2.0\r\n\r\n", NOT_SIP),
		START("INVITE\r\n\r\n", NOT_SIP),
		START("INVITE", NOT_SIP),
		START("I", NOT_SIP),
		START(" INVITE sip:a@b SIP/2.0\r\n\r\n", NOT_SIP),
		START("IN@VITE sip:a@b SIP/2.0\r\n\r\n", NOT_SIP),
		START("INVITE SIP/2.0\r\n\r\n", SIP_MALFORMED),
		START("INVITE sip:a@b SIP/2.0", SIP_MALFORMED),
		START("INVITE sip:a", SIP_MALFORMED),
	};

	check_starts(cases, TG_ARRAY_LEN(cases));
}

TG_TEST(SIPT_5_media_and_others_are_not_sip, TG_NEEDS_NOTHING)
{
	static const struct start_case cases[] = {
		START("\x80\x00\x12\x34\x00\x00\x00\xa0\x11\x22\x33\x44\xff\xff",
		      NOT_SIP),					    /* RTP */
		START("\x81\xc8\x00\x0c\x11\x22\x33\x44", NOT_SIP), /* RTCP */
		START("\x00\x01\x00\x00\x21\x12\xa4\x42", NOT_SIP), /* STUN */
		START("\x12\x34\x01\x00\x00\x01\x00\x00", NOT_SIP), /* DNS */
		START("\x16\xfe\xfd\x00\x00\x00", NOT_SIP),	    /* DTLS */
		START("\xf8\x01\x02\x03",
		      NOT_SIP), /* SigComp: its own reason, by whoever knows ports */
		START("<13>host app: INVITE sip:a@b SIP/2.0\r\n", NOT_SIP),
		START("\x00\x00\x00\x00\x01", NOT_SIP),
	};

	check_starts(cases, TG_ARRAY_LEN(cases));
}

/* What the pipeline does not even hand over is what the parser would turn away. */
TG_TEST(SIPT_5_what_cannot_begin_is_not_sip, TG_NEEDS_NOTHING)
{
	uint8_t bytes[] = "INVITE sip:+12025550123@example.com SIP/2.0\r\n\r\n";
	struct tg_span datagram = { bytes, sizeof(bytes) - 1 };
	struct tg_sip sip;
	unsigned first, refused = 0;

	assert_true(tg_sip_may_begin(datagram));
	assert_true(tg_sip_may_begin((struct tg_span){ NULL, 0 }));
	for (first = 0; first < 256; first++) {
		bytes[0] = (uint8_t)first;
		if (tg_sip_may_begin(datagram))
			continue;
		refused++;
		datagram.len = sizeof(bytes) - 1;
		assert_int_equal(tg_sip_parse(datagram, &sip), TG_REASON_NOT_SIP);
		datagram.len = 1;
		assert_int_equal(tg_sip_parse(datagram, &sip), TG_REASON_NOT_SIP);
	}
	assert_int_equal(refused, 128);
}

TG_TEST(SIPT_7_keepalives, TG_NEEDS_NOTHING)
{
	static const struct start_case cases[] = {
		START("", SIP_KEEPALIVE),	START("\r\n\r\n", SIP_KEEPALIVE),
		START("\n", SIP_KEEPALIVE),	START("\0\0\0\0", SIP_KEEPALIVE),
		START("\r\n\0", SIP_KEEPALIVE),
	};
	struct tg_sip sip;

	check_starts(cases, TG_ARRAY_LEN(cases));
	assert_int_equal(tg_sip_parse((struct tg_span){ NULL, 0 }, &sip), TG_REASON_SIP_KEEPALIVE);
}

TG_TEST(SIPT_8_response_with_an_invite_in_it, TG_NEEDS_NOTHING)
{
	static const char text[] =
		"SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\nX: INVITE sip:a@b SIP/2.0\r\n"
		"From: <sip:+12025550123@example.com>;tag=1\r\n\r\n";
	struct tg_sip sip;

	assert_int_equal(sip_test_parse(text, sizeof(text) - 1, &sip), TG_REASON_SIP_RESPONSE);
	assert_int_equal(sip.sig.n_ids, 0);
	assert_int_equal(sip.sig.caller, TG_SIG_NO_ID);
}

TG_TEST(sip_line_ends_before_the_start_line, TG_NEEDS_NOTHING)
{
	static const char text[] = "\r\n\r\n\r\n" SIP_WITH("");
	struct tg_sip sip;

	assert_int_equal(sip_test_parse(text, sizeof(text) - 1, &sip), TG_REASON_NONE);
	assert_string_equal(sip_test_raw(&sip, TG_ID_FROM, 0), "+12025550123");
}

TG_TEST(SIPT_1_body_is_not_looked_at, TG_NEEDS_NOTHING)
{
	static const char text[] = SIP_WITH(
		"Content-Length: 4\r\n") "v=0\r\n"
					 "P-Asserted-Identity: <sip:+12025550177@example.com>\r\n"
					 "To: <sip:x@y>;tag=evil\r\n\r\n";
	struct tg_sip sip;

	assert_int_equal(sip_test_parse(text, sizeof(text) - 1, &sip), TG_REASON_NONE);
	assert_null(sip_test_raw(&sip, TG_ID_PAI, 0));
	assert_false(sip.duplicate);
}

TG_TEST(SIP_1_names_ignore_case_and_have_compact_forms, TG_NEEDS_NOTHING)
{
	static const char text[] = "INVITE sip:+12025550199@example.net SIP/2.0\r\n"
				   "V: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
				   "f \t: <sip:+12025550123@example.com>;TAG=1928301774\r\n"
				   "T:<sip:+12025550198@example.net>\r\n"
				   "i\t:\tcall\r\n"
				   "cSEQ: 7 INVITE\r\n"
				   "p-AssERTED-identity : <tel:+12025550124>\r\n\r\n";
	struct tg_sip sip;

	assert_int_equal(sip_test_parse(text, sizeof(text) - 1, &sip), TG_REASON_NONE);
	assert_string_equal(sip_test_raw(&sip, TG_ID_FROM, 0), "+12025550123");
	assert_string_equal(sip_test_raw(&sip, TG_ID_TO, 0), "+12025550198");
	assert_string_equal(sip_test_raw(&sip, TG_ID_PAI, 0), "+12025550124");
	assert_string_equal(sip_test_text(sip.call_id), "call");
	assert_string_equal(sip_test_text(sip.from_tag), "1928301774");
	assert_string_equal(sip_test_text(sip.branch), "z9hG4bK1");
	assert_int_equal(sip.cseq, 7);
}

TG_TEST(SIP_2_folded_fields, TG_NEEDS_NOTHING)
{
	static const char text[] = SIP_START SIP_FRAME
		"From:\r\n \"A\r\n\tB\"\r\n  <sip:+12025550123@example.com\r\n ;user=phone>\r\n"
		" ;tag\r\n =\r\n 19283\r\n" SIP_TO
		"P-Asserted-Identity: <sip:+12025550124@example.com>\r\n "
		",\n\t<tel:+12025550125>\r\n\r\n";
	struct tg_sip sip;

	assert_int_equal(sip_test_parse(text, sizeof(text) - 1, &sip), TG_REASON_NONE);
	assert_string_equal(sip_test_raw(&sip, TG_ID_FROM, 0), "+12025550123");
	assert_string_equal(sip_test_text(sip.from_tag), "19283");
	assert_string_equal(sip_test_raw(&sip, TG_ID_PAI, 0), "+12025550124");
	assert_string_equal(sip_test_raw(&sip, TG_ID_PAI, 1), "+12025550125");
}

TG_TEST(SIP_3_rows_and_comma_lists, TG_NEEDS_NOTHING)
{
	static const char text[] = SIP_WITH(
		"P-Asserted-Identity: \"A, B\" <sip:+12025550111@h;x=\"1,2\">;p=\"q,r\", "
		"<tel:+12025550112>\r\n"
		"Diversion: <sip:a,b@h>;reason=unconditional,<sip:+12025550113@h>;counter=1\r\n"
		"P-Asserted-Identity: sip:+12025550114@h,sip:+12025550115@h\r\n"
		"History-Info: <sip:+12025550116@h>;index=1, <sip:+12025550117@h>;index=1.1\r\n");
	struct tg_sip sip;

	assert_int_equal(sip_test_parse(text, sizeof(text) - 1, &sip), TG_REASON_NONE);
	assert_string_equal(sip_test_raw(&sip, TG_ID_PAI, 0), "+12025550111");
	assert_string_equal(sip_test_raw(&sip, TG_ID_PAI, 1), "+12025550112");
	assert_string_equal(sip_test_raw(&sip, TG_ID_PAI, 2), "+12025550114");
	assert_string_equal(sip_test_raw(&sip, TG_ID_PAI, 3), "+12025550115");
	assert_null(sip_test_raw(&sip, TG_ID_PAI, 4));
	assert_string_equal(sip_test_raw(&sip, TG_ID_DIVERSION, 0), "a,b");
	assert_string_equal(sip_test_raw(&sip, TG_ID_DIVERSION, 1), "+12025550113");
	assert_string_equal(sip_test_raw(&sip, TG_ID_HISTORY_INFO, 1), "+12025550117");
	assert_int_equal(sip.sig.id[3].role, TG_ROLE_CALLER);
}

/* Two PASSporTs in a list, one in the compact form of a name, one that is none. */
TG_TEST(SIP_38_identity_headers, TG_NEEDS_NOTHING)
{
	static const char text[] = SIP_WITH(
		"Identity: "
		"eyJhbGciOiJFUzI1NiIsInBwdCI6InNoYWtlbiJ9.eyJhdHRlc3QiOiJCIiwiZGVzdCI6e"
		"yJ0biI6WyI2NTkxMjM0NTY3Il19LCJpYXQiOjEsIm9yaWciOnsidG4iOiIxMjAyNTU1MDE"
		"yMSJ9fQ"
		".c2ln;info=<https://a,b>;ppt=shaken,"
		"eyJhbGciOiJFUzI1NiIsInBwdCI6ImRpdiJ9.eyJkZXN0Ijp7InRuIjpbIjY1OTEyMzQ1N"
		"jciXX0sImRpdiI6eyJ0biI6IjY1OTEyMzQ1NjgifSwiaWF0IjoxLCJvcmlnIjp7InRuIjo"
		"iMTIwMjU1NTAxMjEifX0"
		".c2ln;info=<https://a>\r\n"
		"y: ..c2ln;info=<https://a>\r\n"
		"Identity: nonsense\r\n");
	struct tg_sip sip;

	assert_int_equal(sip_test_parse(text, sizeof(text) - 1, &sip), TG_REASON_NONE);
	assert_int_equal(sip.n_passports, 4);
	tg_sip_read_passports(&sip);
	tg_sig_normalise(&sip.sig, NULL);
	assert_int_equal(sip.sig.passports, 3);
	assert_int_equal(sip.sig.passports_unread, 1);
	assert_int_equal(sip.sig.attest, 'B');
	assert_int_equal(sip.sig.n_ids, 6);
	assert_int_equal(sip.sig.id[3].source, TG_ID_PASSPORT_ORIG);
	assert_int_equal(tg_num_value(sip.sig.id[3].num), 12025550121);
	assert_int_equal(sip.sig.id[5].source, TG_ID_PASSPORT_DIV);
	assert_int_equal(sip.sig.id[5].role, TG_ROLE_REDIRECTING);
	assert_int_equal(tg_num_value(sip.sig.id[5].num), 6591234568);
}

TG_TEST(sip_roles_follow_the_table, TG_NEEDS_NOTHING)
{
	static const char text[] = SIP_WITH(
		"Remote-Party-ID: <sip:+12025550111@h>;party=calling\r\n"
		"Diversion: <sip:+12025550112@h>\r\n"
		"P-Preferred-Identity: <sip:+12025550113@h>\r\n");
	struct tg_sip sip;
	unsigned i;

	assert_int_equal(sip_test_parse(text, sizeof(text) - 1, &sip), TG_REASON_NONE);
	assert_int_equal(sip.sig.n_ids, 6);
	for (i = 0; i < sip.sig.n_ids; i++)
		assert_int_equal(sip.sig.id[i].role, tg_id_source_role(sip.sig.id[i].source));
	assert_int_equal(sip.sig.id[0].role, TG_ROLE_CALLED);
	assert_int_equal(sip.sig.called, 0);
	assert_int_equal(sip.sig.protocol, TG_PROTOCOL_SIP);
	assert_int_equal(sip.sig.message, TG_MESSAGE_INVITE);
}

struct caller_case {
	const char *lines;
	const char *from;
	const char *caller; /* NULL = nobody */
};

TG_TEST(sip_caller_is_the_networks_statement, TG_NEEDS_NOTHING)
{
	static const struct caller_case cases[] = {
		{ "", "<sip:+12025550101@h>", "+12025550101" },
		{ "", "sip:h", NULL },
		{ "Remote-Party-ID: <sip:+12025550102@h>\r\n", "<sip:f@h>", "+12025550102" },
		{ "Remote-Party-ID: <sip:x@h>;party=\"called\";a=b\r\n", "<sip:f@h>", "x" },
		{ "Remote-Party-ID: <sip:x@h>;screen=yes; party = called\r\n", "<sip:f@h>", "f" },
		{ "Remote-Party-ID: <sip:x@h>;party=called, <sip:y@h>\r\n", "<sip:f@h>", "y" },
		{ "Remote-Party-ID: <sip:r@h>\r\nP-Asserted-Identity: <sip:p@h>\r\n", "<sip:f@h>",
		  "p" },
		{ "P-Asserted-Identity: <sip:h>, <tel:+12025550103>\r\n", "<sip:f@h>",
		  "+12025550103" },
		{ "P-Asserted-Identity: <sip:h>\r\n", "<sip:f@h>", "f" },
		{ "P-Preferred-Identity: <sip:p@h>\r\n", "<sip:f@h>", "f" },
		{ "Diversion: <sip:d@h>\r\nHistory-Info: <sip:d@h>\r\n", "sip:h", NULL },
	};
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		const char *got;
		struct tg_sip sip;
		char text[1024];

		strcpy(text, SIP_START SIP_FRAME SIP_TO "From: ");
		strcat(strcat(strcat(strcat(text, cases[i].from), "\r\n"), cases[i].lines), "\r\n");
		assert_int_equal(sip_test_parse(text, strlen(text), &sip), TG_REASON_NONE);
		got = sip.sig.caller == TG_SIG_NO_ID
			      ? NULL
			      : sip_test_text(tg_identity_raw(&sip.sig, sip.sig.caller));
		if (!got != !cases[i].caller || (got && strcmp(got, cases[i].caller) != 0))
			fail_msg("case %zu: caller %s instead of %s", i, got, cases[i].caller);
	}
}

TG_TEST(sip_party_called_is_no_caller, TG_NEEDS_NOTHING)
{
	static const char text[] = SIP_WITH("Remote-Party-ID: <sip:911@h>;party=called\r\n");
	struct tg_sip sip;

	assert_int_equal(sip_test_parse(text, sizeof(text) - 1, &sip), TG_REASON_NONE);
	assert_int_equal(sip.sig.id[3].flags, TG_ID_FLAG_PARTY_CALLED);
	assert_int_equal(sip.sig.id[3].role, TG_ROLE_ORIGINAL_CALLED);
	tg_sig_normalise(&sip.sig, NULL);
	/* Only the Request-URI can make a call an emergency call. */
	assert_int_equal(sip.sig.id[3].flags, TG_ID_FLAG_PARTY_CALLED);
}

/* The list is full of what a caller can add freely; what decides must still get in. */
TG_TEST(sip_first_values_always_have_a_place, TG_NEEDS_NOTHING)
{
	static const char called[] = "Remote-Party-ID: <sip:c@h>;party=called\r\n";
	static const char tail[] = "Remote-Party-ID: <sip:r@h>\r\n"
				   "P-Asserted-Identity: <sip:p1@h>, <sip:p2@h>\r\n" SIP_TO SIP_FROM
				   "\r\n";
	struct tg_sip sip;
	char text[4096];
	unsigned i;

	strcpy(text, SIP_START SIP_FRAME);
	for (i = 0; i < 20; i++)
		strcat(strcat(text, "Diversion: <sip:d@h>\r\n"), called);
	strcat(text, tail);
	assert_int_equal(sip_test_parse(text, strlen(text), &sip), TG_REASON_NONE);
	assert_int_equal(sip.sig.n_ids, TG_SIG_MAX_IDS);
	assert_int_equal(sip.sig.ids_left_out, 1 + 40 + 5 - TG_SIG_MAX_IDS);
	assert_string_equal(sip_test_raw(&sip, TG_ID_PAI, 0), "p1");
	assert_null(sip_test_raw(&sip, TG_ID_PAI, 1));
	assert_string_equal(sip_test_raw(&sip, TG_ID_FROM, 0), "+12025550123");
	assert_string_equal(sip_test_raw(&sip, TG_ID_TO, 0), "+12025550199");
	assert_int_equal(sip.sig.id[sip.sig.caller].source, TG_ID_PAI);
}

TG_TEST(SIP_15_duplicated_fields, TG_NEEDS_NOTHING)
{
	static const char *const extra[] = { SIP_FROM, SIP_TO, "i: second\r\n",
					     "CSeq: 2 INVITE\r\n" };
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(extra); i++) {
		struct tg_sip sip;
		char text[1024];

		strcpy(text, SIP_START SIP_FRAME);
		strcat(strcat(strcat(text, SIP_FROM SIP_TO), extra[i]), "\r\n");
		assert_int_equal(sip_test_parse(text, strlen(text), &sip), TG_REASON_NONE);
		assert_true(sip.duplicate);
		assert_int_equal(sip.sig.n_ids, 3);
		assert_int_equal(sip.cseq, 314159);
		assert_string_equal(sip_test_text(sip.call_id), "a84b4c76e66710@192.0.2.1");
	}
}

TG_TEST(SIP_16_line_ends_and_odd_bytes, TG_NEEDS_NOTHING)
{
	static const struct start_case cases[] = {
		START("INVITE sip:a@b SIP/2.0\nVia: SIP/2.0/UDP h\nFrom: <sip:a@b>\n\n", NONE),
		START("INVITE sip:a@b SIP/2.0\r\nSubject: \xff\xfe\0\x01\r\nTo: <sip:a@b>\r\n\r\n",
		      NONE),
		/* Cut at a line's end: read. Anywhere else: not. */
		START("INVITE sip:a@b SIP/2.0\r\nTo: <sip:a@b>\r\n", NONE),
		START("INVITE sip:a@b SIP/2.0\r\n", NONE),
		START("INVITE sip:a@b SIP/2.0\r\nTo: <sip:a@b>\r\nSub", SIP_MALFORMED),
		START("INVITE sip:a@b SIP/2.0\r\nTo: <sip:a@b>\r\n\r", SIP_MALFORMED),
		START("INVITE sip:a@b SIP/2.0\r\nTo: <sip:a@b>\r\n ", SIP_MALFORMED),
		START("INVITE sip:a@b SIP/2.0\rVia: SIP/2.0/UDP h\r\r", SIP_MALFORMED),
		START("ACK sip:a@b SIP/2.0\r\nTo: <sip:a@b", SIP_REQUEST),
		/* In lines that say nothing. */
		START("INVITE sip:a@b SIP/2.0\r\n\tfolded start line\r\nno colon\r\n: no "
		      "name\r\n\r\n",
		      NONE),
	};

	check_starts(cases, TG_ARRAY_LEN(cases));
}

/* A name that begins as two others do, and is neither: with the colon where the next one of the table has it. */
TG_TEST(SIP_1_no_name_is_taken_for_its_neighbour, TG_NEEDS_NOTHING)
{
	static const char text[] = "INVITE sip:+12025550199@example.net SIP/2.0\r\n"
				   "v\t  : SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
				   "C\001eq: 8 INVITE, which is no sequence number of ours\r\n"
				   "f: <sip:+12025550123@example.com>;tag=2\r\n"
				   "f\001: <sip:+12025550111@example.com>;tag=3\r\n"
				   "t\t : <sip:+12025550198@example.net>\r\n"
				   "i\t     : call-1@example.com\r\n"
				   "CSeq: 7 INVITE\r\n\r\n";
	struct tg_sip sip;

	assert_int_equal(sip_test_parse(text, sizeof(text) - 1, &sip), TG_REASON_NONE);
	assert_false(sip.duplicate);
	assert_int_equal(sip.sig.n_ids, 3);
	assert_int_equal(sip.n_vias, 1);
	assert_int_equal(sip.cseq, 7);
	assert_string_equal(sip_test_raw(&sip, TG_ID_FROM, 0), "+12025550123");
	assert_string_equal(sip_test_raw(&sip, TG_ID_TO, 0), "+12025550198");
	assert_string_equal(sip_test_text(sip.call_id), "call-1@example.com");
}

/* All that RFC 3261 and its extensions define: those that are not read are passed over. */
TG_TEST(SIP_1_every_compact_form, TG_NEEDS_NOTHING)
{
	static const char text[] =
		"INVITE sip:+12025550199@example.net SIP/2.0\r\n"
		"v: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
		"a: *;audio\r\nb: <sip:x@h>;tag=1\r\nc: application/sdp\r\n"
		"d: fork\r\ne: gzip\r\nf: <sip:+12025550123@example.com>;tag=2\r\n"
		"i: call\r\nj: *;audio\r\nk: 100rel\r\nl: 0\r\nm: <sip:x@h>;tag=3\r\n"
		"n: id\r\no: presence\r\nr: <sip:x@h>\r\ns: From: <sip:x@h>\r\n"
		"t: <sip:+12025550198@example.net>\r\nu: x\r\nx: 1800\r\n"
		"y: a.b.c;info=<https://x/y>\r\nCSeq: 7 INVITE\r\n\r\n";
	struct tg_sip sip;

	assert_int_equal(sip_test_parse(text, sizeof(text) - 1, &sip), TG_REASON_NONE);
	assert_int_equal(sip.sig.n_ids, 3);
	assert_string_equal(sip_test_raw(&sip, TG_ID_FROM, 0), "+12025550123");
	assert_string_equal(sip_test_raw(&sip, TG_ID_TO, 0), "+12025550198");
	assert_string_equal(sip_test_text(sip.call_id), "call");
	assert_string_equal(sip_test_text(sip.from_tag), "2");
	assert_int_equal(sip.to_tag.len, 0);
	assert_int_equal(sip.n_vias, 1);
	assert_int_equal(sip.n_passports, 1);
	assert_false(sip.duplicate);
}

TG_TEST(SIP_20_unknown_header_fields_do_not_matter, TG_NEEDS_NOTHING)
{
	static const char text[] = SIP_WITH("Fromage: <sip:x@h>;tag=2\r\n"
					    "Too: <sip:x@h>;tag=3\r\n"
					    "X-To: <sip:x@h>;tag=4\r\n"
					    "P-Asserted-Identities: <sip:x@h>\r\n"
					    "6: SIP/2.0/UDP x\r\n"
					    "P\rAsserted-Identity: <sip:x@h>\r\n"
					    "Via\r\n: x\r\n"
					    "P-Asserted-Identity-And-More: <sip:x@h>\r\n");
	struct tg_sip sip;

	assert_int_equal(sip_test_parse(text, sizeof(text) - 1, &sip), TG_REASON_NONE);
	assert_int_equal(sip.sig.n_ids, 3);
	assert_int_equal(sip.n_vias, 1);
	assert_int_equal(sip.to_tag.len, 0);
	assert_false(sip.duplicate);
}

TG_TEST(SIP_21_only_an_initial_invite_is_judged, TG_NEEDS_NOTHING)
{
	static const struct {
		const char *to;
		enum tg_reason reason;
	} cases[] = {
		{ "<sip:a@b>;tag=1", TG_REASON_SIP_IN_DIALOG },
		{ "sip:a@b;tag=1", TG_REASON_SIP_IN_DIALOG },
		{ "\"x;tag=2\" <sip:a@b> ; x=y ; TAG = 1", TG_REASON_SIP_IN_DIALOG },
		{ "<sip:a@b;tag=1>", TG_REASON_NONE }, /* the URI's, not the header's */
		{ "\";tag=1\" <sip:a@b>", TG_REASON_NONE },
		{ "<sip:a@b>;tag=", TG_REASON_NONE },
		{ "<sip:a@b>;tag", TG_REASON_NONE },
		{ "<sip:a@b>;x=\";tag=1\"", TG_REASON_NONE },
		{ "<sip:a@b>;tagx=1", TG_REASON_NONE },
		{ "<sip:a@b>;x=y,tag=1", TG_REASON_NONE },
	};
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		struct tg_sip sip;
		char text[1024];

		strcpy(text, SIP_START SIP_FRAME SIP_FROM "To: ");
		strcat(strcat(text, cases[i].to), "\r\n\r\n");
		if (sip_test_parse(text, strlen(text), &sip) != cases[i].reason)
			fail_msg("To: %s", cases[i].to);
	}
}

/* An attended transfer comes as an INVITE that names the call it replaces. It is judged as any other:
 * a caller could write the header too, and the contract promises a line for every initial INVITE. */
TG_TEST(SIP_23_replaces_is_judged, TG_NEEDS_NOTHING)
{
	static const char text[] = SIP_WITH(
		"Replaces: 425928@example.org;to-tag=7743;from-tag=6472\r\n"
		"Join: 12adf2f34456gs5;to-tag=12345;from-tag=54321\r\n");
	struct tg_sip sip;

	assert_int_equal(sip_test_parse(text, sizeof(text) - 1, &sip), TG_REASON_NONE);
	assert_int_equal(sip.to_tag.len, 0);
}

TG_TEST(SIPT_9_header_limit, TG_NEEDS_NOTHING)
{
	static char text[3 * TG_SIP_MAX_HEADER_BYTES];
	const size_t head = strlen(SIP_START SIP_FRAME SIP_FROM SIP_TO);
	struct tg_sip sip;
	size_t len;

	memset(text, 'x', sizeof(text));
	memcpy(text, SIP_START SIP_FRAME SIP_FROM SIP_TO, head);
	memcpy(text + head, "X: ", 3);
	for (len = TG_SIP_MAX_HEADER_BYTES - 2; len <= TG_SIP_MAX_HEADER_BYTES + 2; len++) {
		memcpy(text + len - 4, "\r\n\r\n", 4);
		assert_int_equal(
			tg_sip_parse((struct tg_span){ (uint8_t *)text, sizeof(text) }, &sip),
			len <= TG_SIP_MAX_HEADER_BYTES ? TG_REASON_NONE : TG_REASON_SIP_OVERSIZE);
		memcpy(text + len - 4, "xxxx", 4);
	}
	memset(text, 'x', sizeof(text));
	memcpy(text, "INVITE sip:", 11);
	assert_int_equal(tg_sip_parse((struct tg_span){ (uint8_t *)text, sizeof(text) }, &sip),
			 TG_REASON_SIP_OVERSIZE);
	memcpy(text, "INVITX sip:", 11);
	assert_int_equal(tg_sip_parse((struct tg_span){ (uint8_t *)text, sizeof(text) }, &sip),
			 TG_REASON_NOT_SIP);
}

/* More lines than one call of the scanner yields. */
TG_TEST(sip_many_lines, TG_NEEDS_NOTHING)
{
	unsigned before;

	for (before = 55; before < 75; before++) {
		struct tg_sip sip;
		char text[4096];
		unsigned i;

		strcpy(text, SIP_START SIP_FRAME);
		for (i = 0; i < before; i++)
			strcat(text, "Subject: x\r\n y\r\n");
		strcat(text, SIP_FROM SIP_TO "\r\nFrom: body\r\n");
		assert_int_equal(sip_test_parse(text, strlen(text), &sip), TG_REASON_NONE);
		assert_string_equal(sip_test_text(sip.from_tag), "1928301774");
		assert_false(sip.duplicate);
	}
}

TG_TEST(sip_variants, TG_NEEDS_AVX2)
{
	const char *const best = tg_sip_variant();

	assert_string_not_equal(best, "portable");
	assert_true(tg_sip_variant_set("avx2"));
	assert_string_equal(tg_sip_variant(), "avx2");
	assert_true(tg_sip_variant_set("portable"));
	assert_string_equal(tg_sip_variant(), "portable");
	assert_false(tg_sip_variant_set("mmx"));
	assert_string_equal(tg_sip_variant(), "portable");
	assert_true(tg_sip_variant_set(NULL));
	assert_string_equal(tg_sip_variant(), best);
}
