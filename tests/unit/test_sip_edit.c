/* SPDX-License-Identifier: BSD-3-Clause */
/* Scripts of changes to a message: what they say, and that carrying them out says nothing else. */
#include <stdlib.h>
#include <string.h>

#include "tests/support/sip_test.h"
#include "tollgate/sip_edit.h"

#define OUT_MAX 4096

static struct tg_span span(const char *s)
{
	return (struct tg_span){ (const uint8_t *)s, (uint32_t)strlen(s) };
}

/* What an edit is asked for; one function a kind, so that tables can name it. */
enum kind {
	SINK,
	MAX_FORWARDS,
	STATUS,
	HEADER,
	DISPLAY,
	HIDE,
	HIDE_SAME,
	PLUS
};

static bool ask(enum kind kind, struct tg_span m, const char *arg, struct tg_sip_edits *e)
{
	struct tg_sip sip;

	switch (kind) {
	case SINK:
		return tg_sip_edit_sink(m, span(arg), e);
	case MAX_FORWARDS:
		return tg_sip_edit_max_forwards(m, e);
	case STATUS:
		return tg_sip_edit_status(m, 603, span(arg), e);
	case HEADER:
		return tg_sip_edit_header(m, span(arg), e);
	case DISPLAY:
		return tg_sip_edit_display(m, span(arg), e);
	case HIDE:
		return tg_sip_edit_anonymise(m, TG_SIP_ANY_LENGTH, e);
	case HIDE_SAME:
		return tg_sip_edit_anonymise(m, TG_SIP_SAME_LENGTH, e);
	case PLUS:
		break;
	}
	if (tg_sip_parse(m, &sip) != TG_REASON_NONE)
		return false;
	tg_sig_normalise(&sip.sig, &(struct tg_num_profile){ .bare = TG_NUM_BARE_INTERNATIONAL,
							     .international_prefix_len = { 2 },
							     .international_prefix = { "00" } });
	return tg_sip_edit_plus(&sip, e);
}

static bool keeps_length(enum kind kind)
{
	return kind == SINK || kind == MAX_FORWARDS || kind == STATUS || kind == HIDE_SAME;
}

struct edit_case {
	enum kind kind;
	const char *arg;
	const char *text;
	const char *expect; /* NULL = no place for it */
};

struct cut {
	const struct edit_case *c;
};

/* Cut anywhere, an edit finds its place or does not; what comes out has the length that it should. */
static void check_cut(void *ctx, const uint8_t *data, size_t len)
{
	const struct edit_case *c = ((struct cut *)ctx)->c;
	const struct tg_span m = { data, (uint32_t)len };
	struct tg_sip_edits e;
	uint8_t out[OUT_MAX];
	bool found;

	tg_sip_edits_init(&e);
	found = ask(c->kind, m, c->arg, &e);
	assert_false(e.failed);
	assert_true(found == (e.n > 0));
	if (found && keeps_length(c->kind)) {
		assert_true(tg_sip_edits_same_length(&e));
		assert_int_equal(tg_sip_edits_apply(m, &e, out, sizeof(out)), len);
	}
}

/* Carried out in place, in pieces of every size, it is the same. */
static void check_pieces(const struct tg_sip_edits *e, const char *text, const char *expect)
{
	const uint32_t len = (uint32_t)strlen(text);
	uint8_t copy[OUT_MAX];
	uint32_t size, at;

	for (size = 1; size <= len; size++) {
		memcpy(copy, text, len);
		for (at = 0; at < len; at += size)
			tg_sip_edits_patch(e, at, copy + at, len - at < size ? len - at : size);
		assert_memory_equal(copy, expect, len);
	}
}

static void check_case(const struct edit_case *c)
{
	struct tg_sip_edits e;
	struct cut cut = { c };
	uint8_t out[OUT_MAX];
	unsigned n;

	tg_guard_truncate(c->text, strlen(c->text), check_cut, &cut);
	tg_sip_edits_init(&e);
	assert_int_equal(ask(c->kind, span(c->text), c->arg, &e), c->expect != NULL);
	if (!c->expect) {
		assert_int_equal(e.n, 0);
		return;
	}
	n = tg_sip_edits_apply(span(c->text), &e, out, sizeof(out) - 1);
	out[n] = 0;
	assert_string_equal((char *)out, c->expect);
	if (keeps_length(c->kind))
		check_pieces(&e, c->text, c->expect);
	/* One byte less room is too little. */
	assert_int_equal(tg_sip_edits_apply(span(c->text), &e, out, n - 1), 0);
}

static void check_cases(const struct edit_case *c, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		check_case(&c[i]);
}

#define URI(uri) "INVITE " uri " SIP/2.0\r\nMax-Forwards: 70\r\n\r\nbody"

TG_TEST(sip_edit_sink, TG_NEEDS_NOTHING)
{
	static const struct edit_case cases[] = {
		{ SINK, "+6599", URI("sip:+12025550199@h:5060;user=phone"),
		  URI("sip:+65990000000@h:5060;user=phone") },
		{ SINK, "+65990000000", URI("sip:+12025550199@h"), URI("sip:+65990000000@h") },
		{ SINK, "+659900000000", URI("sip:+12025550199@h"), NULL }, /* longer */
		{ SINK, "+6599", URI("tel:+1-202-555-0199"), URI("tel:+6-599-000-0000") },
		{ SINK, "+6599", URI("tel:+1-202-555-0199;ext=5"),
		  URI("tel:+6-599-000-0000;ext=5") },
		{ SINK, "+6599", URI("sip:%2b12025550199@h"), URI("sip:%2B65990000000@h") },
		{ SINK, "+6599", URI("sip:0012025550199@h"), URI("sip:+659900000000@h") },
		{ SINK, "6599", URI("sip:12025550199:pw@h"), URI("sip:65990000000:pw@h") },
		/* SIP-6, NUM-7: a routing number would win over the number. */
		{ SINK, "+6599", URI("sip:+12025550199;npdi;rn=+12025550100@h"),
		  URI("sip:+65990000000;npdi;xn=+12025550100@h") },
		{ SINK, "+6599", URI("<sip:+12025550199@h>"), URI("<sip:+65990000000@h>") },
		{ SINK, "+6599", URI("sip:alice@h"), URI("sip:+6599@h") },
		{ SINK, "+6599", URI("sip:bob@h"), NULL },
		{ SINK, "+6599", URI("sip:example.net"), NULL }, /* no user part */
		{ SINK, "+6599", URI("urn:service:sos"), NULL },
		{ SINK, "+6599", "\r\n\r\nCANCEL sip:+12025550199@h SIP/2.0\r\n\r\n",
		  "\r\n\r\nCANCEL sip:+65990000000@h SIP/2.0\r\n\r\n" },
		{ SINK, "+6599", "SIP/2.0 200 OK\r\n\r\n", NULL },
	};

	check_cases(cases, TG_ARRAY_LEN(cases));
}

TG_TEST(sip_edit_max_forwards, TG_NEEDS_NOTHING)
{
	static const struct edit_case cases[] = {
		{ MAX_FORWARDS, NULL, "INVITE sip:a SIP/2.0\r\nMax-Forwards: 70\r\n\r\n",
		  "INVITE sip:a SIP/2.0\r\nMax-Forwards:  0\r\n\r\n" },
		{ MAX_FORWARDS, NULL, "INVITE sip:a SIP/2.0\nmax-forwards :7\nA: b\n\n",
		  "INVITE sip:a SIP/2.0\nmax-forwards :0\nA: b\n\n" },
		{ MAX_FORWARDS, NULL, "INVITE sip:a SIP/2.0\r\nMax-Forwards: x\r\n\r\n", NULL },
		{ MAX_FORWARDS, NULL, "INVITE sip:a SIP/2.0\r\nA: b\r\n\r\nMax-Forwards: 70\r\n",
		  NULL }, /* in the body */
	};

	check_cases(cases, TG_ARRAY_LEN(cases));
}

TG_TEST(sip_edit_status, TG_NEEDS_NOTHING)
{
	static const struct edit_case cases[] = {
		{ STATUS, "Decline", "SIP/2.0 483 Too Many Hops\r\nA: b\r\n\r\n",
		  "SIP/2.0 603 Decline      \r\nA: b\r\n\r\n" },
		{ STATUS, "Network Blocked", "SIP/2.0 483 Hops\n\n", "SIP/2.0 603 Netw\n\n" },
		{ STATUS, "Decline", "SIP/2.0 483 \r\n\r\n", "SIP/2.0 603 \r\n\r\n" },
		{ STATUS, "Decline", "SIP/2.0 48\r\n\r\n", NULL },
		{ STATUS, "Decline", "INVITE sip:a SIP/2.0\r\n\r\n", NULL },
	};

	check_cases(cases, TG_ARRAY_LEN(cases));
}

#define FROM(from) "INVITE sip:b@h SIP/2.0\r\nFrom: " from "\r\nTo: <sip:b@h>\r\n\r\nbody"

TG_TEST(sip_edit_header, TG_NEEDS_NOTHING)
{
	static const struct edit_case cases[] = {
		{ HEADER, "X-Tollgate: suspect", FROM("<sip:a@h>;tag=1"),
		  "INVITE sip:b@h SIP/2.0\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\n"
		  "X-Tollgate: suspect\r\n\r\nbody" },
		{ HEADER, "X: y", "INVITE sip:a SIP/2.0\nA: b\n c\n\n",
		  "INVITE sip:a SIP/2.0\nA: b\n c\nX: y\r\n\n" },
		/* Read without an empty line (sig/README), written to as well. */
		{ HEADER, "X: y", "INVITE sip:a SIP/2.0\r\nA: b\r\n",
		  "INVITE sip:a SIP/2.0\r\nA: b\r\nX: y\r\n" },
		{ HEADER, "X: y", "INVITE sip:a SIP/2.0\r\nA: b", NULL },
	};

	check_cases(cases, TG_ARRAY_LEN(cases));
}

TG_TEST(sip_edit_display, TG_NEEDS_NOTHING)
{
	static const struct edit_case cases[] = {
		{ DISPLAY, "[SPAM] ", FROM("\"Al \\\"<b>\" <sip:a@h>;tag=1"),
		  FROM("\"[SPAM] Al \\\"<b>\" <sip:a@h>;tag=1") },
		{ DISPLAY, "[SPAM] ", FROM("Al B <sip:a@h>;tag=1"),
		  FROM("\"[SPAM] Al B\" <sip:a@h>;tag=1") },
		{ DISPLAY, "[SPAM]", FROM("<sip:a@h>;tag=1"), FROM("\"[SPAM]\" <sip:a@h>;tag=1") },
		{ DISPLAY, "[SPAM]", FROM("sip:a@h;tag=1"), FROM("\"[SPAM]\" <sip:a@h>;tag=1") },
		{ DISPLAY, "!", FROM("<sip:a@h>") "", FROM("\"!\" <sip:a@h>") "" },
		{ DISPLAY, "!",
		  "INVITE sip:b@h SIP/2.0\r\nf: <sip:a@h>\r\n"
		  "P-Asserted-Identity: \"x\" <sip:a@h>, <tel:+1>\r\n\r\n",
		  "INVITE sip:b@h SIP/2.0\r\nf: \"!\" <sip:a@h>\r\n"
		  "P-Asserted-Identity: \"!x\" <sip:a@h>, <tel:+1>\r\n\r\n" },
		{ DISPLAY, "!", FROM("\"Al <sip:a@h>"), NULL }, /* never closed */
		{ DISPLAY, "!", FROM("<sip:a@h"), NULL },
		{ DISPLAY, "!", "INVITE sip:b@h SIP/2.0\r\nTo: <sip:a@h>\r\n\r\n", NULL },
	};

	check_cases(cases, TG_ARRAY_LEN(cases));
}

#define HIDDEN "\"Anonymous\" <sip:anonymous@anonymous.invalid>"

TG_TEST(SIP_12_anonymise_hides_every_statement_of_the_caller, TG_NEEDS_NOTHING)
{
	static const struct edit_case cases[] = {
		{ HIDE, NULL, FROM("\"Alice\" <sip:+447700900123@192.0.2.1;user=phone>;tag=1"),
		  "INVITE sip:b@h SIP/2.0\r\nFrom: " HIDDEN ";tag=1\r\nTo: <sip:b@h>\r\n"
		  "Privacy: id\r\n\r\nbody" },
		{ HIDE, NULL,
		  "INVITE sip:b@h SIP/2.0\r\nf: sip:a@h;tag=1\r\nPrivacy: none\r\n"
		  "P-Asserted-Identity: <sip:a@h>, <tel:+1202>\r\n"
		  "Remote-Party-ID: \"A\" <sip:a@h>;party=calling\r\n\r\n",
		  "INVITE sip:b@h SIP/2.0\r\nf: " HIDDEN ";tag=1\r\nPrivacy: id\r\n"
		  "P-Asserted-Identity: " HIDDEN ", " HIDDEN "\r\n"
		  "Remote-Party-ID: " HIDDEN ";party=calling\r\n\r\n" },
		{ HIDE, NULL,
		  "INVITE sip:b@h SIP/2.0\r\nFrom: <sip:a@h>\r\nPrivacy: header\r\n"
		  "\r\n",
		  "INVITE sip:b@h SIP/2.0\r\nFrom: " HIDDEN "\r\nPrivacy: header\r\n\r\n" },
		{ HIDE, NULL, FROM("\"A <sip:a@h>"), NULL },
		{ HIDE, NULL, "INVITE sip:b@h SIP/2.0\r\nTo: <sip:a@h>\r\n\r\n", NULL },
	};

	check_cases(cases, TG_ARRAY_LEN(cases));
}

TG_TEST(sip_edit_anonymise_same_length, TG_NEEDS_NOTHING)
{
	static const struct edit_case cases[] = {
		{ HIDE_SAME, NULL, FROM("\"Alice\" <sip:+447700900123@gw.example.com:5060>;tag=1"),
		  FROM(HIDDEN "  ;tag=1") },
		{ HIDE_SAME, NULL, FROM("<sip:+447700900123@192.0.2.1:5060>;tag=1"),
		  FROM("<sip:anonymous@anonymous.invalid> ;tag=1") },
		{ HIDE_SAME, NULL, FROM("<sip:+447700900123@192.0.2.1>;tag=1"),
		  FROM("<sip:anonymous@192.0.2.1>    ;tag=1") },
		{ HIDE_SAME, NULL, FROM("sip:+447700900123@192.0.2.1;tag=1"),
		  FROM("<sip:anonymous@192.0.2.1>  ;tag=1") },
		{ HIDE_SAME, NULL, FROM("<sip:a@h>;tag=1"), NULL },
		{ HIDE_SAME, NULL, FROM("<sip:example.com>;tag=1"), NULL },
	};

	check_cases(cases, TG_ARRAY_LEN(cases));
}

TG_TEST(sip_edit_plus, TG_NEEDS_NOTHING)
{
	static const struct edit_case cases[] = {
		{ PLUS, NULL, FROM("<sip:0085221234567@h>;tag=1"),
		  FROM("<sip:+85221234567@h>;tag=1") },
		{ PLUS, NULL, FROM("<sip:852-2123-4567@h>"), FROM("<sip:+85221234567@h>") },
		{ PLUS, NULL, FROM("<sip:+85221234567@h>"), NULL }, /* as it should be */
		{ PLUS, NULL, FROM("<sip:anonymous@anonymous.invalid>"), NULL },
	};

	check_cases(cases, TG_ARRAY_LEN(cases));
}

/* Several edits make one script, in the order of the message whatever the order of asking. */
TG_TEST(sip_edits_compose, TG_NEEDS_NOTHING)
{
	const struct tg_span m = span(FROM("<sip:a@h>;tag=1"));
	struct tg_sip_edits e;
	uint8_t out[OUT_MAX];
	unsigned i;

	tg_sip_edits_init(&e);
	assert_true(tg_sip_edit_header(m, span("X: y"), &e));
	assert_true(tg_sip_edit_display(m, span("!"), &e));
	out[tg_sip_edits_apply(m, &e, out, sizeof(out))] = 0;
	assert_string_equal((char *)out, "INVITE sip:b@h SIP/2.0\r\nFrom: \"!\" <sip:a@h>;tag=1\r\n"
					 "To: <sip:b@h>\r\nX: y\r\n\r\nbody");
	assert_false(tg_sip_edits_same_length(&e));
	for (i = 1; i < e.n; i++)
		assert_true(e.edit[i - 1].off + e.edit[i - 1].len <= e.edit[i].off);
	/* What does not fit any more leaves the script as it was. */
	for (i = 0; i < TG_SIP_EDITS_MAX; i++)
		tg_sip_edit_header(m, span("X: y"), &e);
	assert_false(e.failed);
	assert_true(tg_sip_edits_apply(m, &e, out, sizeof(out)) > 0);
}
