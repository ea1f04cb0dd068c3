/* SPDX-License-Identifier: BSD-3-Clause */
/* The stateless answer to an INVITE, the To-tag that stands in for state, the transaction's key. */
#include <stdlib.h>
#include <string.h>

#include "tests/support/sip_test.h"

#define OUT_MAX 4096
#define TAG "tgabcdefghijklm"

static const uint8_t key[16] = "0123456789abcdef";
static const struct tg_sip_source peer = { "192.0.2.1", 5060 };

#define SPAN(text)                                                                                 \
	{                                                                                          \
		(const uint8_t *)(text), sizeof(text) - 1                                          \
	}

static const struct tg_sip_answer decline = { .code = 603, .phrase = SPAN("Decline") };

/* The answer as a string, or NULL if none was built; static storage. */
static const char *answer_to(const char *text, const struct tg_sip_answer *answer,
			     const struct tg_sip_source *source)
{
	static char out[OUT_MAX];
	struct tg_sip sip;
	unsigned n;

	assert_int_equal(
		tg_sip_parse((struct tg_span){ (const uint8_t *)text, (uint32_t)strlen(text) },
			     &sip),
		TG_REASON_NONE);
	n = tg_sip_answer_build(&sip, answer, source, TAG, (uint8_t *)out, sizeof(out) - 1);
	out[n] = 0;
	return n > 0 ? out : NULL;
}

static const char *top_via_of(const char *via, const struct tg_sip_source *source)
{
	static char line[OUT_MAX];
	const char *answer, *begin;
	char text[2048];

	strcpy(text, SIP_START "Call-ID: c\r\nCSeq: 1 INVITE\r\n" SIP_FROM SIP_TO "Via: ");
	strcat(strcat(text, via), "\r\n\r\n");
	answer = answer_to(text, &decline, source);
	if (!answer)
		return "(none)";
	begin = strstr(answer, "Via: ") + 5;
	memcpy(line, begin, (size_t)(strstr(begin, "\r\n") - begin));
	line[strstr(begin, "\r\n") - begin] = 0;
	return line;
}

TG_TEST(SIP_28_final_answer_byte_by_byte, TG_NEEDS_NOTHING)
{
	static const char invite[] =
		"INVITE sip:+12025550199@example.net SIP/2.0\r\n"
		"v: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK776asdhds\r\n"
		"Record-Route: <sip:proxy.example.com;lr>\r\n"
		"Max-Forwards: 70\r\n"
		"t: \"Bob\" <sip:+12025550199@example.net>;x=y\r\n"
		"f: Alice <sip:+12025550123@example.com>;tag=1928301774\r\n"
		"Via: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK1;received=203.0.113.1;rport\r\n"
		"i: a84b4c76e66710@192.0.2.1\r\n"
		"Require: 100rel\r\n"
		"CSeq: 314159 INVITE\r\n"
		"Contact: <sip:alice@192.0.2.1>\r\n"
		"Content-Length: 4\r\n\r\nv=0\n";
	static const struct tg_sip_answer with_reason = {
		.code = 608,
		.phrase = SPAN("Rejected"),
		.reason = SPAN("Q.850;cause=21;text=\"Call rejected\""),
	};

	assert_string_equal(
		answer_to(invite, &with_reason, &peer),
		"SIP/2.0 608 Rejected\r\n"
		"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK776asdhds\r\n"
		"Via: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK1;received=203.0.113.1;rport\r\n"
		"From: Alice <sip:+12025550123@example.com>;tag=1928301774\r\n"
		"To: \"Bob\" <sip:+12025550199@example.net>;x=y;tag=" TAG "\r\n"
		"Call-ID: a84b4c76e66710@192.0.2.1\r\n"
		"CSeq: 314159 INVITE\r\n"
		"Reason: Q.850;cause=21;text=\"Call rejected\"\r\n"
		"Content-Length: 0\r\n\r\n");
}

/* RFC 3261 §18.2.1, RFC 3581 §4 */
TG_TEST(sip_answer_received_and_rport, TG_NEEDS_NOTHING)
{
	static const struct tg_sip_source nat = { "203.0.113.9", 61000 };
	static const struct tg_sip_source six = { "2001:db8::9", 5060 };
	static const struct {
		const char *via;
		const struct tg_sip_source *source;
		const char *answer;
	} cases[] = {
		{ "SIP/2.0/UDP 192.0.2.1;branch=b", &peer, "SIP/2.0/UDP 192.0.2.1;branch=b" },
		{ "SIP/2.0/UDP 192.0.2.1:5060", &peer, "SIP/2.0/UDP 192.0.2.1:5060" },
		{ "SIP/2.0/UDP host.example.com;branch=b", &peer,
		  "SIP/2.0/UDP host.example.com;branch=b;received=192.0.2.1" },
		{ "SIP/2.0/UDP 10.0.0.1 ; branch=b", &nat,
		  "SIP/2.0/UDP 10.0.0.1 ; branch=b;received=203.0.113.9" },
		{ "SIP/2.0/UDP 192.0.2.1;rport;branch=b", &peer,
		  "SIP/2.0/UDP 192.0.2.1;rport=5060;branch=b;received=192.0.2.1" },
		{ "SIP/2.0/UDP 10.0.0.1;branch=b;rport", &nat,
		  "SIP/2.0/UDP 10.0.0.1;branch=b;rport=61000;received=203.0.113.9" },
		{ "SIP/2.0/UDP 10.0.0.1;RPORT=;branch=b", &nat,
		  "SIP/2.0/UDP 10.0.0.1;RPORT=61000;branch=b;received=203.0.113.9" },
		{ "SIP/2.0/UDP 10.0.0.1;rport=4;branch=b", &nat,
		  "SIP/2.0/UDP 10.0.0.1;rport=4;branch=b;received=203.0.113.9" },
		/* A received= that the sender wrote is replaced, on either side of rport. */
		{ "SIP/2.0/UDP 10.0.0.1;received=1.2.3.4;rport", &nat,
		  "SIP/2.0/UDP 10.0.0.1;received=203.0.113.9;rport=61000" },
		{ "SIP/2.0/UDP 10.0.0.1;rport;received=1.2.3.4;x", &nat,
		  "SIP/2.0/UDP 10.0.0.1;rport=61000;received=203.0.113.9;x" },
		/* The first member of a list is the topmost Via. */
		{ "SIP/2.0/UDP 10.0.0.1;rport;x=\"a,b\" , SIP/2.0/UDP h2;rport", &nat,
		  "SIP/2.0/UDP 10.0.0.1;rport=61000;x=\"a,b\";received=203.0.113.9 , SIP/2.0/UDP "
		  "h2;rport" },
		{ "SIP/2.0/UDP [2001:db8::9]:5060;branch=b", &six,
		  "SIP/2.0/UDP [2001:db8::9]:5060;branch=b" },
		{ "SIP/2.0/UDP [2001:db8::1];rport", &six,
		  "SIP/2.0/UDP [2001:db8::1];rport=5060;received=2001:db8::9" },
		{ "SIP / 2.0 / UDP\r\n 192.0.2.1\r\n :5060 ;branch = b", &peer,
		  "SIP / 2.0 / UDP 192.0.2.1 :5060 ;branch = b" },
		{ "SIP/2.0/UDP h;;,;,,", &peer, "(none)" }, /* RFC 4475 §3.1.2.1 */
		{ "SIP/2.0/UDP ;branch=b", &peer, "(none)" },
		{ "SIP/2.0/UDP h:port;branch=b", &peer, "(none)" },
		{ "SIP/2.0/UDP h:99999;branch=b", &peer, "(none)" },
		{ "SIP/3.0/UDP h;branch=b", &peer, "(none)" },
		{ "SIP/2.0/UDP h;branch=\"b", &peer, "(none)" },
		{ "SIP/2.0/UDP h;branch=b\rX: y", &peer, "(none)" },
		{ "HTTP", &peer, "(none)" },
	};
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(cases); i++)
		assert_string_equal(top_via_of(cases[i].via, cases[i].source), cases[i].answer);
}

TG_TEST(sip_answer_to, TG_NEEDS_NOTHING)
{
	static const struct {
		const char *to;
		const char *answer;
	} cases[] = {
		{ "sip:a@b", "sip:a@b;tag=" TAG },
		{ "<sip:a@b;tag=1>", "<sip:a@b;tag=1>;tag=" TAG },
		{ "<sip:a@b>;tag", "<sip:a@b>;tag=" TAG },
		{ "<sip:a@b>;tag=;x=y", "<sip:a@b>;tag=" TAG ";x=y" },
		{ "\"A\r\n B\"\r\n\t<sip:a@b>", "\"A B\"\t<sip:a@b>;tag=" TAG },
		{ "\"A <sip:a@b>", NULL },
		{ "<sip:a@b", NULL },
		{ "", NULL },
	};
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		const char *answer, *to;
		char text[1024];

		strcpy(text, SIP_START SIP_FRAME SIP_FROM "To: ");
		strcat(strcat(text, cases[i].to), "\r\n\r\n");
		answer = answer_to(text, &decline, &peer);
		if (!cases[i].answer) {
			assert_null(answer);
			continue;
		}
		assert_non_null(answer);
		to = strstr(answer, "\r\nTo: ") + 6;
		assert_memory_equal(to, cases[i].answer, strlen(cases[i].answer));
		assert_memory_equal(to + strlen(cases[i].answer), "\r\n", 2);
	}
}

/* No Via, From, To, Call-ID or CSeq, or two of them: judged, but there is no right answer. */
TG_TEST(SIP_15_not_answerable, TG_NEEDS_NOTHING)
{
	static const char *const lines[] = {
		"Via: SIP/2.0/UDP 192.0.2.1\r\n",
		SIP_FROM,
		SIP_TO,
		"Call-ID: c\r\n",
		"CSeq: 1 INVITE\r\n",
	};
	char text[4096];
	size_t skip, i;

	for (skip = 0; skip <= TG_ARRAY_LEN(lines); skip++) {
		strcpy(text, SIP_START);
		for (i = 0; i < TG_ARRAY_LEN(lines); i++)
			if (i != skip)
				strcat(text, lines[i]);
		strcat(text, "\r\n");
		if (skip == TG_ARRAY_LEN(lines))
			assert_non_null(answer_to(text, &decline, &peer));
		else
			assert_null(answer_to(text, &decline, &peer));
	}
	for (i = 1; i < TG_ARRAY_LEN(lines); i++) {
		strcpy(text, SIP_START SIP_FRAME SIP_FROM SIP_TO);
		strcat(strcat(text, lines[i]), "\r\n");
		assert_null(answer_to(text, &decline, &peer));
	}
	assert_null(answer_to(SIP_WITH_TO("<sip:a@b>\r\nCSeq: x INVITE"), &decline, &peer));
}

TG_TEST(sip_answer_via_limit, TG_NEEDS_NOTHING)
{
	unsigned n, i;

	for (n = TG_SIP_MAX_VIAS - 1; n <= TG_SIP_MAX_VIAS + 1; n++) {
		const char *answer;
		char text[4096];

		strcpy(text, SIP_START SIP_FROM SIP_TO "Call-ID: c\r\nCSeq: 1 INVITE\r\n");
		for (i = 0; i < n; i++)
			strcat(text, "v: SIP/2.0/UDP 192.0.2.1\r\n");
		strcat(text, "\r\n");
		answer = answer_to(text, &decline, &peer);
		if (n > TG_SIP_MAX_VIAS) {
			assert_null(answer);
			continue;
		}
		for (i = 0; (answer = strstr(answer, "\r\nVia: ")); i++)
			answer += 2;
		assert_int_equal(i, n);
	}
}

TG_TEST(P6_nothing_that_splits_a_header, TG_NEEDS_NOTHING)
{
	static const struct tg_sip_source nobody = { "", 5060 };
	static const struct tg_sip_answer bad[] = {
		{ .code = 603, .phrase = SPAN("De\r\ncline") },
		{ .code = 603, .phrase = SPAN("Decline"), .reason = SPAN("a\nb") },
		{ .code = 200, .phrase = SPAN("OK") },
		{ .code = 700, .phrase = SPAN("?") },
	};
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(bad); i++)
		assert_null(answer_to(SIP_WITH(""), &bad[i], &peer));
	assert_null(answer_to(SIP_WITH(""), &decline, &nobody));
	assert_null(answer_to(SIP_WITH_FROM("<sip:a@b>\rX: y;tag=1"), &decline, &peer));
	assert_null(answer_to(SIP_START SIP_FROM SIP_TO "CSeq: 1 INVITE\r\nCall-ID: a\rb\r\n"
							"Via: SIP/2.0/UDP h\r\n\r\n",
			      &decline, &peer));
	assert_non_null(answer_to(SIP_WITH(""), &decline, &peer));
}

TG_TEST(sip_answer_fits_or_is_not_built, TG_NEEDS_NOTHING)
{
	static const char text[] = SIP_WITH("");
	struct tg_sip sip;
	uint8_t out[OUT_MAX];
	unsigned whole, cap;

	assert_int_equal(sip_test_parse(text, sizeof(text) - 1, &sip), TG_REASON_NONE);
	whole = tg_sip_answer_build(&sip, &decline, &peer, TAG, out, sizeof(out));
	assert_true(whole > 0);
	for (cap = 0; cap < whole; cap++) {
		struct tg_guard g = tg_guard_copy(out, cap);

		assert_int_equal(tg_sip_answer_build(&sip, &decline, &peer, TAG, g.data, cap), 0);
		tg_guard_free(&g);
	}
	assert_int_equal(tg_sip_answer_build(&sip, &decline, &peer, TAG, out, whole), whole);
}

/* Our own answer, read back: what the peer sees of it. */
TG_TEST(SIP_26_ack_of_our_answer_is_ours, TG_NEEDS_NOTHING)
{
	static const char invite[] = SIP_WITH("");
	static const uint8_t other_key[16] = "fedcba9876543210";
	struct tg_sip sip, ack;
	char tag[TG_SIP_TAG_LEN + 1] = "", again[TG_SIP_TAG_LEN], text[1024];

	assert_int_equal(sip_test_parse(invite, sizeof(invite) - 1, &sip), TG_REASON_NONE);
	tg_sip_to_tag(&sip, key, tag);
	tg_sip_to_tag(&sip, key, again);
	assert_memory_equal(tag, again, TG_SIP_TAG_LEN); /* SIP-27: no state, same tag */
	assert_int_equal(strspn(tag, "abcdefghijklmnopqrstuvwxyz234567"), TG_SIP_TAG_LEN);

	/* RFC 3261 §17.1.1.3: same branch, Call-ID, From, CSeq number; To of the response. */
	strcpy(text, "ACK sip:+12025550199@example.net SIP/2.0\r\n"
		     "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK776asdhds\r\n"
		     "Call-ID: a84b4c76e66710@192.0.2.1\r\nCSeq: 314159 ACK\r\n" SIP_FROM
		     "To: <sip:+12025550199@example.net>;tag=");
	strcat(strcat(text, tag), "\r\n\r\n");
	assert_int_equal(sip_test_parse(text, strlen(text), &ack), TG_REASON_NONE);
	assert_int_equal(ack.method, TG_SIP_ACK);
	assert_int_equal(ack.sig.n_ids, 0);
	assert_true(tg_sip_to_tag_is_ours(&ack, key));
	assert_false(tg_sip_to_tag_is_ours(&ack, other_key));
	assert_false(tg_sip_to_tag_is_ours(&sip, key)); /* no To tag at all */
	assert_true(sip_test_keys(&ack, key).transaction == sip_test_keys(&sip, key).transaction);
	*(strstr(text, tag) + 5) ^= 1;
	assert_int_equal(sip_test_parse(text, strlen(text), &ack), TG_REASON_NONE);
	assert_false(tg_sip_to_tag_is_ours(&ack, key));
}

/* Each field counts, and bytes cannot be moved from one to the next. */
TG_TEST(sip_hashes_depend_on_every_field, TG_NEEDS_NOTHING)
{
	static const struct {
		const char *call_id, *tag, *branch;
		uint32_t cseq;
		bool same_transaction;
	} cases[] = {
		{ "ab", "c", "d", 1, true },  { "a", "bc", "d", 1, false },
		{ "ab", "cd", "", 1, false }, { "ab", "c", "e", 1, false },
		{ "ab", "c", "d", 2, false }, { "ab", "x", "d", 1, true },
		{ "", "ab", "cd", 1, false },
	};
	char tag[TG_ARRAY_LEN(cases)][TG_SIP_TAG_LEN];
	uint64_t transaction[TG_ARRAY_LEN(cases)];
	size_t i, k;

	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		struct tg_sip sip;

		memset(&sip, 0, sizeof(sip));
		sip.call_id = (struct tg_span){ (const uint8_t *)cases[i].call_id,
						(uint32_t)strlen(cases[i].call_id) };
		sip.from_tag = (struct tg_span){ (const uint8_t *)cases[i].tag,
						 (uint32_t)strlen(cases[i].tag) };
		sip.branch = (struct tg_span){ (const uint8_t *)cases[i].branch,
					       (uint32_t)strlen(cases[i].branch) };
		sip.cseq = cases[i].cseq;
		tg_sip_to_tag(&sip, key, tag[i]);
		transaction[i] = sip_test_keys(&sip, key).transaction;
		assert_int_equal(transaction[i] == transaction[0], cases[i].same_transaction);
		for (k = 0; k < i; k++)
			assert_memory_not_equal(tag[i], tag[k], TG_SIP_TAG_LEN);
	}
}

/* Any number of messages, with fields of any length up to where the text ends: as one by one, in any variant. */
TG_TEST(sip_keys_of_a_burst_are_those_of_its_messages, TG_NEEDS_NOTHING)
{
	static const char *const variants[] = { "avx512", "avx2", "portable" };
	uint8_t text[600];
	struct tg_sip_keys keys[33], alone[TG_ARRAY_LEN(keys)];
	struct tg_sip sip[TG_ARRAY_LEN(keys)];
	unsigned v, n, i;

	for (i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * 7 + i / 256);
	for (i = 0; i < TG_ARRAY_LEN(sip); i++) {
		const uint32_t branch = i * 37 % 130, tag = i * i % 80, call_id = i * 11 % 310;

		memset(&sip[i], 0, sizeof(sip[i]));
		sip[i].sig.text = (struct tg_span){ text, sizeof(text) };
		sip[i].cseq = i * 0x10001;
		sip[i].branch = (struct tg_span){ text + i, branch };
		sip[i].from_tag = (struct tg_span){ tag ? text + sizeof(text) - tag : NULL, tag };
		sip[i].call_id = (struct tg_span){ text + sizeof(text) - call_id, call_id };
		keys[i].sip = &sip[i];
	}
	assert_true(tg_sip_variant_set("portable"));
	for (i = 0; i < TG_ARRAY_LEN(sip); i++)
		alone[i] = sip_test_keys(&sip[i], key);
	for (v = 0; v < TG_ARRAY_LEN(variants); v++) {
		if (!tg_sip_variant_set(variants[v]))
			continue;
		for (n = 0; n <= TG_ARRAY_LEN(keys); n++) {
			tg_sip_keys_burst(keys, n, key);
			for (i = 0; i < n; i++) {
				assert_true(keys[i].transaction == alone[i].transaction);
				assert_true(keys[i].call == alone[i].call);
				keys[i].transaction = keys[i].call = 0;
			}
		}
	}
	tg_sip_variant_set(NULL);
}

TG_TEST(sip_cseq_numbers, TG_NEEDS_NOTHING)
{
	static const struct {
		const char *cseq;
		uint32_t number;
		bool readable;
	} cases[] = {
		{ "0 INVITE", 0, true },
		{ "0009\r\n  INVITE", 9, true },
		{ "4294967295 INVITE", UINT32_MAX, true },
		{ "4294967296 INVITE", UINT32_MAX, true },
		{ "36893488147419103232 INVITE", UINT32_MAX, true },
		{ "INVITE", 0, false },
		{ "1", 0, false },
		{ "-1 INVITE", 0, false },
		{ "1INVITE", 0, false },
	};
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		struct tg_sip sip;
		char text[1024];

		strcpy(text, SIP_START SIP_FROM SIP_TO "CSeq: ");
		strcat(strcat(text, cases[i].cseq), "\r\n\r\n");
		assert_int_equal(sip_test_parse(text, strlen(text), &sip), TG_REASON_NONE);
		assert_int_equal(sip.cseq, cases[i].number);
		assert_int_equal(sip.cseq_value.data != NULL, cases[i].readable);
	}
}
