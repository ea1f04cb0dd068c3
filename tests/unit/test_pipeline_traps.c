/* SPDX-License-Identifier: BSD-3-Clause */
/* What a call or a keep-alive may carry without being treated otherwise, and what an answer never says. */
#include "tests/support/shots.h"

#define RAW(text) text, sizeof(text) - 1

/* SigComp (RFC 3320 §7) begins with five one bits; on SIP's port it may hold a call. */
TG_TEST(SIPT_6_sigcomp_passes_and_is_counted, TG_NEEDS_NOTHING)
{
	static const struct {
		const char *bytes;
		unsigned len;
		uint16_t sport, dport;
		enum tg_reason reason;
	} cases[] = {
		{ RAW("\xf8\x01\x02"), 40000, 5060, TG_REASON_SIGCOMP },
		{ RAW("\xff\x01\x02"), 5060, 40000, TG_REASON_SIGCOMP },
		{ RAW("\xf7\x01\x02"), 40000, 5060, TG_REASON_NOT_SIP },
		{ RAW("\xf8"), 40000, 5060, TG_REASON_NOT_SIP },
		{ RAW("\xf8\x01\x02"), 40000, 5062, TG_REASON_NOT_SIP },
	};
	struct fixture f;
	unsigned i;

	setup(&f);
	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		const struct tg_pkt p = { .sport = cases[i].sport, .dport = cases[i].dport };
		const struct shot *s = shoot(&p, cases[i].bytes, cases[i].len);
		const struct tg_result r = judge_in(&f, &f.g.gen, &s->in);

		assert_result(&r, false, TG_FATE_FORWARD, cases[i].reason);
	}
	assert_int_equal(tg_reason_kind(TG_REASON_SIGCOMP), TG_REASON_KIND_BLIND);
	teardown(&f);
}

/* IPsec, also with null encryption as on 3GPP's Gm (TS 33.203 §6.3) and in UDP (RFC 3948); what is no
 * signalling at all is not blind: neighbours (ND), BFD (RFC 5881). */
TG_TEST(SIPT_4_ipsec_is_counted_and_neighbours_are_not, TG_NEEDS_NOTHING)
{
	static const struct tg_sip_text t = { .from = TG_TEST_FRAUD };
	static const struct {
		struct tg_pkt pkt;
		enum tg_reason reason;
	} cases[] = {
		{ { .proto = 50 }, TG_REASON_TUNNEL },
		{ { .proto = 50, .ipv6 = true }, TG_REASON_TUNNEL },
		{ { .proto = 58, .ipv6 = true }, TG_REASON_ICMP },
		{ { .sport = 49152, .dport = 3784 }, TG_REASON_NOT_SIP },
		{ { .sport = 4500, .dport = 4500 }, TG_REASON_TUNNEL },
	};
	char text[TG_SIP_TEXT_MAX + 8] = "\x01\x02\x03\x04\x05\x06\x07\x08"; /* SPI, number */
	const unsigned len = 8 + tg_sip_text(&t, text + 8);
	struct fixture f;
	unsigned i;

	setup(&f);
	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		const struct shot *s = shoot(&cases[i].pkt, text, len);
		const struct tg_result r = judge_in(&f, &f.g.gen, &s->in);

		assert_result(&r, false, TG_FATE_FORWARD, cases[i].reason);
	}
	teardown(&f);
}

/* Who asks for privacy is screened by what the network says of him, and the answer does not tell it. */
TG_TEST(SIP_12_privacy_hides_nobody_from_screening, TG_NEEDS_NOTHING)
{
	static const char *const asked[] = { "id", "header;user", "id;critical", "none" };
	uint8_t answer[TG_ANSWER_MAX + 1];
	struct fixture f;
	unsigned i, len;

	setup(&f);
	for (i = 0; i < TG_ARRAY_LEN(asked); i++) {
		char extra[256];
		const struct tg_sip_text t = { .from = "anonymous", .extra = extra, .call = i };
		const struct shot *s;
		struct tg_result r;

		snprintf(extra, sizeof(extra),
			 "Privacy: %s\r\nP-Asserted-Identity: <sip:" TG_TEST_FRAUD
			 "@a.example>\r\n",
			 asked[i]);
		s = shoot_sip(&t);
		r = judge_in(&f, &f.g.gen, &s->in);
		assert_result(&r, true, TG_FATE_ANSWER, TG_REASON_FRAUD);
		len = tg_answer_build(f.pl, &f.g.gen, &s->in, &r, answer, TG_ANSWER_MAX);
		assert_true(len > 0);
		answer[len] = 0;
		assert_null(strstr((const char *)answer + r.frame.payload_off, &TG_TEST_FRAUD[1]));
	}
	teardown(&f);
}

/* A P-Asserted-Identity that the caller made up hides nothing: From is looked up as well. */
TG_TEST(SIP_11_asserted_identity_hides_no_listed_from, TG_NEEDS_NOTHING)
{
	static const char clean[] = "P-Asserted-Identity: <sip:" TG_TEST_CLEAN "@a.example>\r\n";
	static const char listed[] = "P-Asserted-Identity: <sip:" TG_TEST_FRAUD "@a.example>\r\n";
	const struct tg_sip_text forged = { .from = TG_TEST_FRAUD, .extra = clean };
	const struct tg_sip_text told = { .from = TG_TEST_CLEAN, .extra = listed, .call = 1 };
	const struct tg_sip_text none = { .from = TG_TEST_CLEAN, .extra = clean, .call = 2 };
	struct fixture f;
	struct tg_result r;

	setup(&f);
	r = judge(&f, &forged);
	assert_result(&r, true, TG_FATE_ANSWER, TG_REASON_FRAUD);
	assert_int_equal(r.sip->sig.id[r.verdict.identity].source, TG_ID_FROM);
	r = judge(&f, &told);
	assert_result(&r, true, TG_FATE_ANSWER, TG_REASON_FRAUD);
	assert_int_equal(r.sip->sig.id[r.verdict.identity].source, TG_ID_PAI);
	r = judge(&f, &none);
	assert_result(&r, true, TG_FATE_FORWARD, TG_REASON_UNLISTED);
	teardown(&f);
}

/* What proxies and user agents answer by 420, 421, 483: ours is the verdict, no other. */
TG_TEST(SIP_29_other_refusals_are_not_ours, TG_NEEDS_NOTHING)
{
	static const char *const extra[] = {
		"Proxy-Require: foo\r\n", "Require: 100rel, foo\r\n",	      "Max-Forwards: 0\r\n",
		"Max-Forwards: x\r\n",	  "Supported: 100rel\r\nRSeq: 1\r\n",
	};
	uint8_t answer[TG_ANSWER_MAX + 1];
	struct fixture f;
	unsigned i, len;

	setup(&f);
	for (i = 0; i < TG_ARRAY_LEN(extra); i++) {
		struct tg_sip_text t = { .extra = extra[i], .call = i };
		const struct shot *s;
		struct tg_result r = judge(&f, &t);

		assert_result(&r, true, TG_FATE_FORWARD, TG_REASON_UNLISTED);
		t.method = "OPTIONS";
		r = judge(&f, &t);
		assert_result(&r, false, TG_FATE_FORWARD, TG_REASON_SIP_REQUEST);
		t.method = NULL;
		t.from = TG_TEST_FRAUD;
		t.call += 100;
		s = shoot_sip(&t);
		r = judge_in(&f, &f.g.gen, &s->in);
		assert_result(&r, true, TG_FATE_ANSWER, TG_REASON_FRAUD);
		len = tg_answer_build(f.pl, &f.g.gen, &s->in, &r, answer, TG_ANSWER_MAX);
		assert_true(len > 0);
		answer[len] = 0;
		assert_non_null(strstr((const char *)answer + r.frame.payload_off,
				       "SIP/2.0 603 Decline\r\n"));
		assert_null(strstr((const char *)answer + r.frame.payload_off, "Require:"));
	}
	teardown(&f);
}

/* Of the list an answer says what the policy lets it say: no category, score, rule or number of ours. */
TG_TEST(SIP_33_answer_tells_nothing_of_the_list, TG_NEEDS_NOTHING)
{
	static const char *const secrets[] = { "fraud",	     "scam",	 "irsf",     "95",
					       "bad-called", "bad-call", "outside",  "+4477009001",
					       "generation", "feed",	 "Tollgate", "Server:" };
	static const struct tg_sip_text cases[] = {
		{ .from = TG_TEST_FRAUD },
		{ .from = TG_TEST_SCAM_BY_PREFIX, .call = 1 },
		{ .called = TG_TEST_IRSF_CALLED, .call = 2 },
	};
	uint8_t answer[TG_ANSWER_MAX + 1];
	struct fixture f;
	unsigned i, k, len;

	setup(&f);
	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		const struct shot *s = shoot_sip(&cases[i]);
		const struct tg_result r = judge_in(&f, &f.g.gen, &s->in);
		char *text;

		assert_int_equal(r.fate, TG_FATE_ANSWER);
		len = tg_answer_build(f.pl, &f.g.gen, &s->in, &r, answer, TG_ANSWER_MAX);
		assert_true(len > 0);
		answer[len] = 0;
		text = (char *)answer + r.frame.payload_off;
		/* From, To and Call-ID are the caller's own, our tag is a hash: the rest is ours. */
		for (k = 0; k < TG_ARRAY_LEN(secrets); k++) {
			char copy[TG_ANSWER_MAX + 1], *line, *save = NULL;

			memcpy(copy, text, strlen(text) + 1);
			for (line = strtok_r(copy, "\r\n", &save); line;
			     line = strtok_r(NULL, "\r\n", &save)) {
				if (strncmp(line, "From:", 5) != 0 && strncmp(line, "To:", 3) != 0)
					assert_null(strstr(line, secrets[k]));
			}
		}
	}
	teardown(&f);
}

/* A lost OPTIONS takes the trunk down: whoever sends it, it goes on at once, in its place in the burst. */
TG_TEST(SIP_34_keepalives_are_never_kept_back, TG_NEEDS_NOTHING)
{
	static const char *const methods[] = { "OPTIONS", "REGISTER", "SUBSCRIBE",
					       "NOTIFY",  "PUBLISH",  "MESSAGE" };
	struct tg_frame_in in[2 * TG_ARRAY_LEN(methods)];
	struct tg_result out[2 * TG_ARRAY_LEN(methods)];
	struct fixture f;
	unsigned i, n = 0;

	setup(&f);
	for (i = 0; i < TG_ARRAY_LEN(methods); i++) {
		const struct tg_sip_text call = { .from = TG_TEST_FRAUD, .call = i };
		const struct tg_sip_text other = { .method = methods[i],
						   .from = TG_TEST_FRAUD,
						   .called = TG_TEST_IRSF_CALLED,
						   .call = i };

		in[n++] = shoot_sip(&call)->in;
		in[n++] = shoot_sip(&other)->in;
	}
	tg_pipeline_burst(f.pl, &f.g.gen, in, n, f.now, out);
	for (i = 0; i < n; i += 2) {
		assert_result(&out[i], true, TG_FATE_ANSWER, TG_REASON_FRAUD);
		assert_result(&out[i + 1], false, TG_FATE_FORWARD, TG_REASON_SIP_REQUEST);
		assert_int_equal(out[i + 1].n_held, 0);
	}
	teardown(&f);
}

/* With every table of its state full the box judges and counts what it can, and loses no frame. */
TG_TEST(SIP_35_overload_sheds_inspection_not_packets, TG_NEEDS_NOTHING)
{
	struct tg_pipeline_config small = pipeline_config;
	unsigned answered = 0, passed = 0, i;
	struct fixture f;

	setup(&f);
	free(f.pl);
	small.memory_entries = 4;
	small.cap_entries = 4;
	small.frag_sets = 4;
	small.frag_frames = 8;
	f.pl = pipeline_make(&small);
	for (i = 0; i < 400; i++) {
		/* Half of it fragments that never become whole. */
		const struct tg_pkt p = { .ipv4_fragment = i & 1 ? 0x2000 : 0 };
		const struct tg_sip_text t = { .from = TG_TEST_FRAUD, .call = i };
		char text[TG_SIP_TEXT_MAX];
		struct tg_result r;
		unsigned len = tg_sip_text(&t, text);

		r = judge_in(&f, &f.g.gen, &shoot(&p, text, i & 1 ? len & ~7u : len)->in);
		if (i & 1) {
			assert_true(r.fate == TG_FATE_HOLD || r.fate == TG_FATE_FORWARD);
			continue;
		}
		answered += r.fate == TG_FATE_ANSWER;
		passed += r.fate == TG_FATE_FORWARD;
		if (r.fate == TG_FATE_FORWARD)
			assert_int_equal(r.reason, TG_REASON_MEMORY_FULL);
	}
	assert_true(answered >= 1);
	assert_int_equal(answered + passed, 200);
	teardown(&f);
}
