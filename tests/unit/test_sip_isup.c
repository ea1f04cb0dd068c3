/* SPDX-License-Identifier: BSD-3-Clause */
/* SIP-I: ISUP in the body of an INVITE, read and changed. */
#include <stdio.h>

#include "tests/support/sip_isup_message.h"

static bool read_body(const struct text *t, struct tg_sip *sip, struct tg_isup *isup,
		      unsigned *first)
{
	assert_int_equal(tg_sip_parse(span_of(t), sip), TG_REASON_NONE);
	tg_sig_normalise(&sip->sig, NULL);
	return tg_sip_isup_read(sip, NULL, isup, first);
}

/* As usual_iam is. */
static void check_identities(const struct tg_sip *sip, const struct tg_isup *isup, unsigned first)
{
	static const struct {
		enum tg_id_source source;
		const char *digits;
	} want[] = {
		{ TG_ID_CALLED_NUMBER, "442079460123" },
		{ TG_ID_CALLING_NUMBER, "12025550123" },
		{ TG_ID_ORIGINAL_CALLED_NUMBER, "447700900123" },
		{ TG_ID_REDIRECTING_NUMBER, "6591234567" },
		{ TG_ID_GENERIC_NUMBER, "12025550199" },
	};
	unsigned i;

	assert_int_equal(sip->sig.n_ids, first + TG_ARRAY_LEN(want));
	for (i = 0; i < TG_ARRAY_LEN(want); i++) {
		const struct tg_identity *id = &sip->sig.id[first + i];
		const struct tg_span raw = tg_identity_raw(&sip->sig, first + i);
		char text[TG_NUM_TEXT_MAX];

		assert_int_equal(id->source, want[i].source);
		assert_int_equal(raw.len, strlen(want[i].digits));
		assert_memory_equal(raw.data, want[i].digits, raw.len);
		assert_int_equal(id->cls, TG_NUM_CLASS_E164);
		tg_num_format(id->num, text);
		assert_string_equal(text + 1, want[i].digits);
		assert_int_equal(isup->party[i].nature, INTERNATIONAL);
	}
	assert_true(sip->sig.caller < first && sip->sig.called < first);
	assert_string_equal(sip_test_text(tg_identity_raw(&sip->sig, sip->sig.called)),
			    "+12025550199");
}

static const struct {
	const char *fields;
	const char *body;
} readable[] = {
	{ "Content-Type: application/ISUP;version=itu-t92+\r\n", "@" },
	{ "c: application/isup\r\n", "@" },
	{ "Content-Type: application/isup ; version=etsi356\r\nContent-Encoding: identity\r\n",
	  "@" },
	{ "Content-Type: application/isup\r\nContent-Transfer-Encoding: base64\r\n", "#" },
	/* The part first, last, alone; the close delimiter or its line end missing; an epilogue. */
	{ MULTIPART, ISUP_PART SDP_PART "--b1--\r\n" },
	{ MULTIPART, SDP_PART ISUP_PART "--b1--" },
	{ MULTIPART, ISUP_PART },
	{ MULTIPART, ISUP_PART "--b1--\r\nan epilogue\r\n--b1\r\n\r\n" },
	/* A preamble, which may hold anything but the delimiter; padding behind it (RFC 2046 §5.1.1). */
	{ "Content-Type: Multipart/Mixed; boundary=\"b 1:?\"\r\n",
	  "preamble --b 1:?\r\n--b 1:?x\r\n--b 1:? \t\r\nContent-Type: application/isup\r\n\r\n"
	  "@\r\n--b 1:?--" },
	/* Bare LF; a folded field; names in any case. */
	{ "Content-Type: multipart/mixed;\r\n boundary=b1\r\n",
	  "--b1\ncontent-type:\n\tapplication/isup;\n version=itu-t92+\n\n@\n--b1--\n" },
	{ "Content-Type: multipart/mixed;boundary=b1\r\n", SDP_PART BASE64_PART "--b1--" },
	{ "Content-Type: multipart/mixed;boundary=b1\r\n",
	  "--b1\r\nContent-Transfer-Encoding: binary\r\nContent-Disposition: signal;"
	  "handling=optional\r\nContent-Type: application/isup\r\n\r\n@\r\n--b1--" },
	/* Within another one; a boundary that begins like the outer one. */
	{ "Content-Type: multipart/mixed;boundary=b1\r\n",
	  "--b1\r\nContent-Type: multipart/related;boundary=b12\r\n\r\n--b12\r\n\r\ntext\r\n"
	  "--b12\r\nContent-Type: application/isup\r\n\r\n@\r\n--b12--\r\n" SDP_PART "--b1--" },
	{ "Content-Type: multipart/mixed;boundary=b1\r\n",
	  "--b1\r\nContent-Type: multipart/mixed;boundary=b2\r\n\r\n"
	  "--b2\r\nContent-Type: multipart/mixed;boundary=b3\r\n\r\n"
	  "--b3\r\nContent-Type: multipart/mixed;boundary=b4\r\n\r\n"
	  "--b4\r\nContent-Type: application/isup\r\n\r\n@\r\n--b4--" },
	/* Another part is encoded: this one is not. */
	{ MULTIPART, "--b1\r\nContent-Type: application/sdp\r\nContent-Encoding: gzip\r\n\r\n"
		     "x\r\n" ISUP_PART "--b1--" },
	/* The first of several. */
	{ MULTIPART, ISUP_PART "--b1\r\nContent-Type: application/isup\r\n\r\nx\r\n--b1--" },
};

TG_TEST(SIP_18_isup_in_a_body_is_read, TG_NEEDS_NOTHING)
{
	const struct message iam = usual_iam();
	struct tg_isup isup;
	struct tg_sip sip;
	unsigned first;
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(readable); i++) {
		const struct text t = invite(readable[i].fields, readable[i].body, &iam);

		if (!read_body(&t, &sip, &isup, &first))
			fail_msg("%s | %s", readable[i].fields, readable[i].body);
		check_identities(&sip, &isup, first);
		assert_int_equal(tg_sip_body(&sip, false), TG_SIP_BODY_ISUP);
	}
}

#define BOUNDARY_71 "12345678901234567890123456789012345678901234567890123456789012345678901"

static const struct {
	const char *fields;
	const char *body;
} unreadable[] = {
	{ "", "" },
	{ "Content-Type: application/isup\r\n", "" },
	{ "Content-Type: application/sdp\r\n", "v=0\r\n" },
	{ "Content-Type: application/isup-x\r\n", "@" },
	{ "", "@" },
	/* Encoded, as a whole or the part (SIP-19); in what no binary protocol comes in. */
	{ "Content-Type: application/isup\r\nContent-Encoding: gzip\r\n", "@" },
	{ "e: gzip\r\n" MULTIPART, ISUP_PART "--b1--" },
	{ MULTIPART, "--b1\r\nContent-Type: application/isup\r\nContent-Encoding: gzip\r\n\r\n@" },
	{ "Content-Type: application/isup\r\nContent-Transfer-Encoding: quoted-printable\r\n",
	  "@" },
	/* No boundary, another one, none at all, in the middle of a line. */
	{ "Content-Type: multipart/mixed\r\n", ISUP_PART },
	{ "Content-Type: multipart/mixed;boundary=\r\n", ISUP_PART },
	{ "Content-Type: multipart/mixed;boundary=b2\r\n", ISUP_PART },
	{ "Content-Type: multipart/mixed;boundary=" BOUNDARY_71 "\r\n",
	  "--" BOUNDARY_71 "\r\nContent-Type: application/isup\r\n\r\n@" },
	{ MULTIPART, "@" },
	{ MULTIPART, " --b1\r\nContent-Type: application/isup\r\n\r\n@" },
	{ MULTIPART, "--b1--\r\n" ISUP_PART },
	{ MULTIPART, "--b1x\r\nContent-Type: application/isup\r\n\r\n@" },
	/* A part without an empty line has no body; a media type where no header is. */
	{ MULTIPART, "--b1\r\nContent-Type: application/isup\r\n--b1--" },
	{ MULTIPART, "--b1\r\n\r\nContent-Type: application/isup\r\n\r\n@\r\n--b1--" },
	/* Too deep. */
	{ "Content-Type: multipart/mixed;boundary=b1\r\n",
	  "--b1\r\nContent-Type: multipart/mixed;boundary=b2\r\n\r\n"
	  "--b2\r\nContent-Type: multipart/mixed;boundary=b3\r\n\r\n"
	  "--b3\r\nContent-Type: multipart/mixed;boundary=b4\r\n\r\n"
	  "--b4\r\nContent-Type: multipart/mixed;boundary=b5\r\n\r\n"
	  "--b5\r\nContent-Type: application/isup\r\n\r\n@\r\n--b5--" },
	/* No IAM: ACM; a pointer that leads out; base64 that is none. */
	{ "Content-Type: application/isup\r\n", "\x06\x16\x14\x01" },
	{ "Content-Type: application/isup\r\n", "\x01\x10\x40\x01\x0a\x02\xf0" },
	{ "Content-Type: application/isup\r\nContent-Transfer-Encoding: base64\r\n", "====" },
};

TG_TEST(SIP_19_isup_that_cannot_be_read, TG_NEEDS_NOTHING)
{
	const struct message iam = usual_iam();
	struct tg_isup isup;
	struct tg_sip sip;
	struct tg_sip_edits e;
	unsigned first, n_ids;
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(unreadable); i++) {
		const struct text t = invite(unreadable[i].fields, unreadable[i].body, &iam);

		assert_int_equal(tg_sip_parse(span_of(&t), &sip), TG_REASON_NONE);
		n_ids = sip.sig.n_ids;
		if (tg_sip_isup_read(&sip, NULL, &isup, &first))
			fail_msg("%s | %s", unreadable[i].fields, unreadable[i].body);
		assert_int_equal(sip.sig.n_ids, n_ids);
		tg_sip_edits_init(&e);
		assert_false(tg_sip_isup_edit_restrict(&sip, &e));
		assert_int_equal(e.n, 0);
	}
}

TG_TEST(SIP_18_longer_than_any_isup_message, TG_NEEDS_NOTHING)
{
	struct message iam = begin_iam("442079460123", INTERNATIONAL);
	struct text t;
	struct tg_isup isup;
	struct tg_sip sip;
	unsigned first;

	put(&iam, 0);
	t = invite("Content-Type: application/isup\r\n", "@", &iam);
	assert_true(read_body(&t, &sip, &isup, &first));
	memset(t.data + t.len, 0, TG_SIP_ISUP_MAX);
	t.len += TG_SIP_ISUP_MAX - (iam.len - 2);
	assert_true(read_body(&t, &sip, &isup, &first));
	t.len++;
	assert_false(read_body(&t, &sip, &isup, &first));
}

/* RFC 3261 §18.3: what is behind the body is nobody's. */
TG_TEST(SIPT_1_isup_ends_with_the_body, TG_NEEDS_NOTHING)
{
	const struct message iam = usual_iam();
	struct tg_isup isup;
	struct tg_sip sip;
	unsigned first;
	char fields[128];
	struct text t;
	int cut;

	for (cut = 0; cut < 2; cut++) {
		snprintf(fields, sizeof(fields),
			 "Content-Type: application/isup\r\nContent-Length: %u\r\n",
			 iam.len - 2 - (unsigned)cut);
		t = invite(fields, "@ and more", &iam);
		assert_int_equal(read_body(&t, &sip, &isup, &first), cut == 0);
	}
	t = invite("Content-Type: application/isup\r\nl: 9999\r\n", "@", &iam);
	assert_true(read_body(&t, &sip, &isup, &first));
}

TG_TEST(IS_10_variant_by_media_type, TG_NEEDS_NOTHING)
{
	static const struct {
		const char *parameters;
		enum tg_isup_variant want;
	} cases[] = {
		{ "", TG_ISUP_ITU },
		{ ";version=itu-t88", TG_ISUP_ITU },
		{ ";version=itu-t92+;base=itu-t88", TG_ISUP_ITU },
		{ ";version=etsi121", TG_ISUP_ITU },
		{ ";version=ttc93+", TG_ISUP_ITU },
		{ ";version=ansi88", TG_ISUP_ANSI },
		{ "; base = \"ANSI00\"", TG_ISUP_ANSI },
		{ ";version=gr317", TG_ISUP_ANSI },
		{ ";version=nxv3;base=ansi88", TG_ISUP_ANSI },
		{ ";inversion=ansi88;version=\"x;version=ansi88\"", TG_ISUP_ITU },
	};
	const struct message iam = usual_iam();
	struct tg_sip_isup at;
	struct tg_sip sip;
	char fields[128];
	struct text t;
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		snprintf(fields, sizeof(fields), "Content-Type: application/isup%s\r\n",
			 cases[i].parameters);
		t = invite(fields, "@", &iam);
		assert_int_equal(tg_sip_parse(span_of(&t), &sip), TG_REASON_NONE);
		assert_true(tg_sip_isup_find(&sip, &at));
		assert_int_equal(at.variant, cases[i].want);
	}
}

TG_TEST(IS_2_nature_in_a_body_is_read_with_the_trunks_profile, TG_NEEDS_NOTHING)
{
	static const struct tg_num_profile uk = {
		.country_code = "44",
		.country_code_len = 2,
		.national_prefix = "0",
		.national_prefix_len = 1,
		.national_min = 7,
		.national_max = 10,
	};
	struct message iam = begin_iam("2079460123", NATIONAL);
	char text[TG_NUM_TEXT_MAX];
	struct tg_isup isup;
	struct tg_sip sip;
	unsigned first;
	struct text t;

	put(&iam, 0);
	t = invite("Content-Type: application/isup\r\n", "@", &iam);
	assert_int_equal(tg_sip_parse(span_of(&t), &sip), TG_REASON_NONE);
	tg_sig_normalise(&sip.sig, &uk);
	assert_true(tg_sip_isup_read(&sip, &uk, &isup, &first));
	tg_num_format(sip.sig.id[first].num, text);
	assert_string_equal(text, "+442079460123");
	/* As often as one likes: the digits are not text that a profile could be applied to. */
	tg_sig_normalise(&sip.sig, &uk);
	tg_num_format(sip.sig.id[first].num, text);
	assert_string_equal(text, "+442079460123");
}

TG_TEST(SIP_18_more_identities_than_there_is_room_for, TG_NEEDS_NOTHING)
{
	static const char diversion[] = "Diversion: <sip:+12025550100@a.example>\r\n";
	const struct message iam = usual_iam();
	char fields[1024] = "Content-Type: application/isup\r\n";
	struct tg_isup isup;
	struct tg_sip sip;
	unsigned first, i;
	struct text t;

	for (i = 0; i < TG_SIG_MAX_IDS - 3 - 2; i++)
		strcat(fields, diversion);
	t = invite(fields, "@", &iam);
	assert_true(read_body(&t, &sip, &isup, &first));
	assert_int_equal(first, TG_SIG_MAX_IDS - 2);
	assert_int_equal(sip.sig.n_ids, TG_SIG_MAX_IDS);
	assert_int_equal(sip.sig.ids_left_out, 3);
	assert_int_equal(sip.sig.id[first + 1].source, TG_ID_CALLING_NUMBER);
	strcat(fields, diversion);
	strcat(fields, diversion);
	t = invite(fields, "@", &iam);
	assert_true(read_body(&t, &sip, &isup, &first));
	assert_int_equal(sip.sig.n_ids, TG_SIG_MAX_IDS);
	assert_int_equal(sip.sig.ids_left_out, 5);
}

static void truncated(void *ctx, const uint8_t *data, size_t len)
{
	struct tg_isup isup;
	struct tg_sip sip;
	struct tg_sip_edits e;
	unsigned first;

	(void)ctx;
	if (tg_sip_parse((struct tg_span){ data, (uint32_t)len }, &sip) != TG_REASON_NONE)
		return;
	tg_sip_isup_read(&sip, NULL, &isup, &first);
	tg_sip_edits_init(&e);
	tg_sip_isup_edit_restrict(&sip, &e);
}

TG_TEST(SIP_18_isup_truncated_at_each_length, TG_NEEDS_NOTHING)
{
	const struct message iam = usual_iam();
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(readable); i++) {
		const struct text t = invite(readable[i].fields, readable[i].body, &iam);

		tg_guard_truncate(t.data, t.len, truncated, NULL);
	}
}

/* ---- edits ------------------------------------------------------------------------------------- */

static struct text applied(const struct text *t, const struct tg_sip_edits *e)
{
	struct text out;

	assert_true(tg_sip_edits_same_length(e));
	out.len = tg_sip_edits_apply(span_of(t), e, out.data, sizeof(out.data));
	assert_int_equal(out.len, t->len);
	return out;
}

static void check_called(const struct tg_isup *isup, const char *want)
{
	const struct tg_span raw = tg_identity_raw(&isup->sig, isup->sig.called);

	assert_int_equal(raw.len, strlen(want));
	assert_memory_equal(raw.data, want, raw.len);
}

TG_TEST(IS_12_sink_in_header_and_body, TG_NEEDS_NOTHING)
{
	const struct message iam = usual_iam();
	struct tg_isup isup;
	struct tg_sip sip;
	unsigned first;
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(readable) - 1; i++) {
		const struct text t = invite(readable[i].fields, readable[i].body, &iam);
		struct tg_sip_edits e;
		struct text out;

		assert_true(read_body(&t, &sip, &isup, &first));
		tg_sip_edits_init(&e);
		assert_true(tg_sip_edit_sink(span_of(&t),
					     (struct tg_span){ (const uint8_t *)"+999", 4 }, &e));
		assert_true(tg_sip_isup_edit_called(
			&sip, (struct tg_span){ (const uint8_t *)"999000000000", 12 }, &e));
		out = applied(&t, &e);
		assert_true(read_body(&out, &sip, &isup, &first));
		assert_string_equal(sip_test_text(tg_identity_raw(&sip.sig, sip.sig.called)),
				    "+99900000000");
		check_called(&isup, "999000000000");
		assert_string_equal(sip_test_raw(&sip, TG_ID_CALLING_NUMBER, 0), "12025550123");
		assert_string_equal(sip_test_raw(&sip, TG_ID_GENERIC_NUMBER, 0), "12025550199");
	}
}

TG_TEST(IS_12_anonymous_in_header_and_body, TG_NEEDS_NOTHING)
{
	const struct message iam = usual_iam();
	struct tg_isup isup;
	struct tg_sip sip;
	unsigned first;
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(readable) - 1; i++) {
		const struct text t = invite(readable[i].fields, readable[i].body, &iam);
		struct tg_sip_edits e;
		struct text out;

		assert_true(read_body(&t, &sip, &isup, &first));
		tg_sip_edits_init(&e);
		assert_true(tg_sip_edit_anonymise(span_of(&t), TG_SIP_SAME_LENGTH, &e));
		assert_true(tg_sip_isup_edit_restrict(&sip, &e));
		out = applied(&t, &e);
		assert_true(read_body(&out, &sip, &isup, &first));
		assert_int_equal(isup.party[1].presentation, TG_ISUP_RESTRICTED);
		assert_int_equal(isup.party[2].presentation, TG_ISUP_ALLOWED);
		assert_int_equal(isup.party[4].presentation, TG_ISUP_RESTRICTED);
		check_called(&isup, "442079460123");
	}
}

TG_TEST(IS_12_nobody_calls_in_the_body, TG_NEEDS_NOTHING)
{
	struct message iam = begin_iam("442079460123", INTERNATIONAL);
	struct tg_sip_edits e;
	struct tg_isup isup;
	struct tg_sip sip;
	unsigned first;
	struct text t;

	put(&iam, 0);
	t = invite("Content-Type: application/isup\r\n", "@", &iam);
	assert_true(read_body(&t, &sip, &isup, &first));
	tg_sip_edits_init(&e);
	assert_true(tg_sip_isup_edit_restrict(&sip, &e));
	assert_int_equal(e.n, 0);
}

TG_TEST(IS_12_no_edit_that_the_body_has_no_place_for, TG_NEEDS_NOTHING)
{
	static const uint8_t nines[] = "999999999999";
	const struct message iam = usual_iam();
	struct tg_sip_edits e;
	struct tg_isup isup;
	struct tg_sip sip;
	unsigned first;
	struct text t = invite("Content-Type: application/isup\r\n", "@", &iam);

	assert_true(read_body(&t, &sip, &isup, &first));
	tg_sip_edits_init(&e);
	assert_true(tg_sip_edit_max_forwards(span_of(&t), &e) == false);
	assert_false(tg_sip_isup_edit_called(&sip, (struct tg_span){ nines, 11 }, &e));
	assert_false(tg_sip_isup_edit_called(&sip, (struct tg_span){ nines, 13 }, &e));
	assert_int_equal(e.n, 0);
	assert_false(e.failed);
	/* Of two nobody knows which one counts. */
	t = invite(MULTIPART, ISUP_PART ISUP_PART "--b1--", &iam);
	assert_true(read_body(&t, &sip, &isup, &first));
	assert_false(tg_sip_isup_edit_called(&sip, (struct tg_span){ nines, 12 }, &e));
	assert_false(tg_sip_isup_edit_restrict(&sip, &e));
	assert_int_equal(e.n, 0);
	/* No room in the script. */
	t = invite("Content-Type: application/isup\r\n", "@", &iam);
	assert_true(read_body(&t, &sip, &isup, &first));
	e.text_used = TG_SIP_EDITS_TEXT;
	assert_false(tg_sip_isup_edit_called(&sip, (struct tg_span){ nines, 12 }, &e));
	assert_int_equal(e.n, 0);
	assert_false(e.failed);
}
