/* SPDX-License-Identifier: BSD-3-Clause */
/* The conditions of rules, from text to verdict: what operators write, over messages as SIP has them. */
#include <stdio.h>

#include "tests/support/passport_text.h"
#include "tests/support/policy_text.h"

struct match {
	const char *when; /* of a rule that rejects */
	struct tg_sip_text text;
	unsigned trunk;
	bool matches;
	enum tg_reason reason; /* of a match; 0: rule */
};

static void check_match(const struct match *m, unsigned i, enum tg_stir_state verification)
{
	struct fixture f;
	struct tg_verdict v;
	char text[4096];

	snprintf(text, sizeof(text),
		 HEAD "  - name: r\n    when: { %s }\n    action: reject\n"
		      "    answer: no\n",
		 m->when);
	load(&f, text);
	f.verification = verification;
	v = decide(&f, &m->text, m->trunk);
	if ((v.action == TG_ACTION_REJECT) != m->matches)
		fail_msg("row %u: %s: %s", i, m->when, tg_action_name(v.action));
	if (m->matches && v.reason != (m->reason ? m->reason : TG_REASON_RULE))
		fail_msg("row %u: %s: reason %s", i, m->when, tg_reason_name(v.reason));
	free(f.image);
}

static void check_matches(const struct match *m, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		check_match(&m[i], i, TG_STIR_UNVERIFIED);
}

#define PAI(number) "P-Asserted-Identity: <sip:" number "@h>\r\n"
#define DIVERSION(number) "Diversion: <sip:" number "@h>;reason=unconditional\r\n"

TG_TEST(SIP_10_contradictions_between_statements, TG_NEEDS_NOTHING)
{
#define C TG_REASON_CONTRADICTION
	static const struct match rows[] = {
		{ "contradiction: [from-pai]", { .from = SG, .extra = PAI(UK) }, 0, true, C },
		{ "contradiction: [from-pai]", { .from = SG, .extra = PAI(SG) }, 0, false, 0 },
		{ "contradiction: [from-pai]",
		  { .from = "91234567", .extra = PAI(SG) },
		  0,
		  false,
		  0 },
		{ "contradiction: [from-pai]", { .from = SG }, 0, false, 0 },
		/* Whoever withholds his number contradicts nobody. */
		{ "contradiction: [from-pai]",
		  { .from = "anonymous", .extra = PAI(SG) },
		  0,
		  false,
		  0 },
		/* One of two is the same: From agrees, they do not. */
		{ "contradiction: [from-pai]",
		  { .from = SG, .extra = PAI(UK) "P-Asserted-Identity: <tel:" SG ">\r\n" },
		  0,
		  false,
		  0 },
		{ "contradiction: [pai-pai]",
		  { .from = SG, .extra = PAI(UK) "P-Asserted-Identity: <tel:" SG ">\r\n" },
		  0,
		  true,
		  C },
		{ "contradiction: [pai-pai]",
		  { .from = UK, .extra = PAI(SG) "P-Asserted-Identity: <tel:" SG ">\r\n" },
		  0,
		  false,
		  0 },
		{ "contradiction: [from-rpid, pai-rpid]",
		  { .from = SG, .extra = "Remote-Party-ID: <sip:" UK "@h>;party=calling\r\n" },
		  0,
		  true,
		  C },
		{ "contradiction: [from-rpid]",
		  { .from = SG, .extra = "Remote-Party-ID: <sip:" UK "@h>;party=called\r\n" },
		  0,
		  false,
		  0 },
		{ "contradiction: [from-ppi]",
		  { .from = SG, .extra = "P-Preferred-Identity: <sip:" UK "@h>\r\n" },
		  0,
		  true,
		  C },
		{ "contradiction: [to-diversion]",
		  { .from = SG, .to = UK, .extra = DIVERSION("+12025550123") },
		  0,
		  true,
		  C },
		{ "contradiction: [to-diversion]",
		  { .from = SG, .to = UK, .extra = DIVERSION(UK) },
		  0,
		  false,
		  0 },
		{ "contradiction: [caller-diversion]",
		  { .from = SG, .extra = DIVERSION(SG) },
		  0,
		  true,
		  C },
		{ "contradiction: [caller-called]", { .from = SG, .called = SG }, 0, true, C },
		{ "contradiction: [caller-called]", { .from = SG, .called = UK }, 0, false, 0 },
	};
#undef C

	check_matches(rows, TG_ARRAY_LEN(rows));
}

/* ---- PASSporTs --------------------------------------------------------------------------------- */

/* An Identity header line; `attest` and `div` may be NULL. Eight of them are valid at a time. */
static const char *identity(const char *attest, const char *orig, const char *div)
{
	static char lines[8][TG_PASSPORT_TEXT_MAX + 16];
	static unsigned next;
	char *const line = lines[next++ % TG_ARRAY_LEN(lines)];
	char claims[256], more[128] = "";

	if (attest)
		snprintf(more, sizeof(more), "\"attest\":\"%s\",", attest);
	if (div)
		snprintf(more + strlen(more), sizeof(more) - strlen(more),
			 "\"div\":{\"tn\":\"%s\"},", div + 1);
	snprintf(claims, sizeof(claims),
		 "{%s\"dest\":{\"tn\":[\"61491570156\"]},\"iat\":1790000000,"
		 "\"orig\":{\"tn\":\"%s\"}}",
		 more, orig + 1); /* without the +: RFC 8225 §5.2.1 */
	snprintf(line, sizeof(lines[0]), "Identity: %.1000s\r\n",
		 tg_passport_text("{\"alg\":\"ES256\",\"typ\":\"passport\"}", claims,
				  ";info=<https://cert.example.org/p.cer>"));
	return line;
}

static const char *both(const char *a, const char *b)
{
	static char lines[2 * TG_PASSPORT_TEXT_MAX + 32];

	snprintf(lines, sizeof(lines), "%s%s", a, b);
	return lines;
}

static void check_identity(const char *when, const char *from, const char *extra, bool matches)
{
	const struct match m = { when,
				 { .from = from, .extra = extra },
				 0,
				 matches,
				 strstr(when, "contradiction") ? TG_REASON_CONTRADICTION : 0 };

	check_match(&m, 0, TG_STIR_UNVERIFIED);
}

TG_TEST(SIP_38_contradictions_with_passports, TG_NEEDS_NOTHING)
{
	const char *const from = "contradiction: [from-identity]";
	const char *const pai = "contradiction: [pai-identity]";
	const char *const div = "contradiction: [diversion-identity]";

	check_identity(from, SG, identity("A", SG, NULL), false);
	check_identity(from, SG, identity("A", UK, NULL), true);
	/* as the trunk writes it: the same number */
	check_identity(from, "91234567", identity("A", SG, NULL), false);
	check_identity(from, "anonymous", identity("A", UK, NULL), false);
	check_identity(from, SG, "", false);
	/* The compact form has the claims of the message itself. */
	check_identity(from, SG, "Identity: ..c2ln;info=<https://a>\r\n", false);
	check_identity(from, SG, "Identity: nonsense\r\n", false);
	/* a chain: each has the caller's number; one that agrees is enough */
	check_identity(from, SG, both(identity("A", SG, NULL), identity(NULL, SG, UK)), false);
	check_identity(pai, SG, both(PAI(UK), identity("A", SG, NULL)), true);
	check_identity(pai, SG, both(PAI(SG), identity("A", SG, NULL)), false);
	check_identity(pai, SG, identity("A", UK, NULL), false);

	check_identity(div, SG, both(DIVERSION(UK), identity(NULL, SG, UK)), false);
	check_identity(div, SG, both(DIVERSION("+12025550123"), identity(NULL, SG, UK)), true);
	/* Nobody contradicts who says nothing. */
	check_identity(div, SG, both(DIVERSION(UK), identity("A", SG, NULL)), false);
	check_identity(div, SG, identity(NULL, SG, UK), false);
}

TG_TEST(SIP_38_attestation, TG_NEEDS_NOTHING)
{
	check_identity("attestation: [A]", SG, identity("A", SG, NULL), true);
	check_identity("attestation: [A]", SG, identity("B", SG, NULL), false);
	check_identity("attestation: [B, C]", SG, identity("C", SG, NULL), true);
	check_identity("attestation: [A, B, C]", SG, identity(NULL, SG, UK), false);
	check_identity("attestation: [none]", SG, identity(NULL, SG, UK), true);
	check_identity("attestation: [none]", SG, identity("C", SG, NULL), false);
	check_identity("attestation: [none]", SG, "", true);
	check_identity("attestation: [none]", SG, "Identity: nonsense\r\n", true);
	/* of the first that says so */
	check_identity("attestation: [B]", SG,
		       both(identity(NULL, SG, UK), identity("B", SG, NULL)), true);
}

TG_TEST(SIP_39_verification_as_far_as_it_is_known, TG_NEEDS_NOTHING)
{
	enum tg_stir_state asked, known;
	char when[64];

	for (asked = 0; asked < TG_STIR_STATE_COUNT; asked++) {
		for (known = 0; known < TG_STIR_STATE_COUNT; known++) {
			const struct match m = { when,
						 { .from = SG, .extra = identity("A", SG, NULL) },
						 0,
						 asked == known,
						 0 };

			snprintf(when, sizeof(when), "verification: [%s]",
				 tg_stir_state_name(asked));
			check_match(&m, known, known);
		}
	}
	/* There is nothing to verify, which is not the same as that nobody has. */
	check_identity("verification: [unverified]", SG, "", false);
	check_identity("verification: [valid, bad_signature, stale, no_certificate, untrusted, "
		       "unsupported, unverified]",
		       SG, "", false);
	/* What cannot be read is there all the same. */
	check_identity("verification: [unverified]", SG, "Identity: nonsense\r\n", true);
}

TG_TEST(SIP_39_of_several_passports, TG_NEEDS_NOTHING)
{
	static const enum tg_stir_state from_best[] = {
		TG_STIR_VALID, TG_STIR_UNSUPPORTED, TG_STIR_NO_CERTIFICATE, TG_STIR_UNTRUSTED,
		TG_STIR_STALE, TG_STIR_UNVERIFIED,  TG_STIR_BAD_SIGNATURE,
	};
	unsigned i, j;

	assert_int_equal(TG_ARRAY_LEN(from_best), TG_STIR_STATE_COUNT);
	for (i = 0; i < TG_STIR_STATE_COUNT; i++) {
		for (j = i; j < TG_STIR_STATE_COUNT; j++) {
			assert_int_equal(tg_stir_worse(from_best[i], from_best[j]), from_best[j]);
			assert_int_equal(tg_stir_worse(from_best[j], from_best[i]), from_best[j]);
		}
	}
}

TG_TEST(NUM_1_conditions_on_the_raw_form, TG_NEEDS_NOTHING)
{
	static const struct match rows[] = {
		/* Singapore: +65 from abroad and a bare 65 mean opposite things. */
		{ "source: [from], raw_prefix: ['65', '0065']",
		  { .from = "6591234567" },
		  0,
		  true,
		  0 },
		{ "source: [from], raw_prefix: ['65', '0065']", { .from = SG }, 0, false, 0 },
		{ "source: [from], raw_prefix: ['+65']", { .from = SG }, 0, true, 0 },
		/* China: a call from abroad that lost its 00. */
		{ "source: [from], raw_prefix_not: ['00', '+']",
		  { .from = "8613800138000" },
		  1,
		  true,
		  0 },
		{ "source: [from], raw_prefix_not: ['00', '+']",
		  { .from = "008613800138000" },
		  1,
		  false,
		  0 },
		/* Nothing begins with nothing. */
		{ "source: [p-asserted-identity], raw_prefix_not: ['00']",
		  { .from = SG, .extra = "P-Asserted-Identity: <sip:h>\r\n" },
		  1,
		  false,
		  0 },
	};

	check_matches(rows, TG_ARRAY_LEN(rows));
}

TG_TEST(NUM_10_home_number_from_abroad, TG_NEEDS_NOTHING)
{
#define HOME "role: [caller], number: ['+65'], international: yes, has_not: [redirected]"
	static const struct match rows[] = {
		{ HOME, { .from = SG }, 0, true, 0 },
		{ HOME, { .from = "91234567" }, 0, true, 0 },
		{ HOME, { .from = SG }, 1, false, 0 },
		{ HOME, { .from = UK }, 0, false, 0 },
		/* Late forwarding: a home number calls a roamer, who forwards back. */
		{ HOME, { .from = SG, .extra = DIVERSION("+6598765432") }, 0, false, 0 },
		{ HOME,
		  { .from = SG,
		    .extra = "History-Info: <sip:+6598765432@h>;index=1, <sip:+61491570156@h>;"
			     "index=1.1\r\n" },
		  0,
		  false,
		  0 },
		/* RFC 7044: a single entry is where the call goes, and redirected by nobody. */
		{ HOME,
		  { .from = SG, .extra = "History-Info: <sip:+61491570156@h>;index=1\r\n" },
		  0,
		  true,
		  0 },
		{ "role: [caller], number_not: ['+65'], international: yes",
		  { .from = UK },
		  0,
		  true,
		  0 },
		{ "role: [caller], number_not: ['+65'], international: yes",
		  { .from = SG },
		  0,
		  false,
		  0 },
		/* What is no number is not foreign either. */
		{ "role: [caller], number_not: ['+65']", { .from = "anonymous" }, 0, false, 0 },
		{ "role: [caller], international: no", { .from = SG }, 1, true, 0 },
		{ "role: [caller], international: no", { .from = SG }, 0, false, 0 },
	};
#undef HOME

	check_matches(rows, TG_ARRAY_LEN(rows));
}

TG_TEST(NUM_11_presentation_number_is_judged_apart, TG_NEEDS_NOTHING)
{
	static const struct match rows[] = {
		{ "source: [from], number: ['+44']", { .from = UK, .extra = PAI(SG) }, 0, true, 0 },
		{ "source: [p-asserted-identity], number: ['+44']",
		  { .from = UK, .extra = PAI(SG) },
		  0,
		  false,
		  0 },
		{ "role: [caller], class: [withheld]",
		  { .from = "anonymous", .extra = PAI(SG) },
		  0,
		  false,
		  0 },
		{ "source: [from], class: [withheld]",
		  { .from = "anonymous", .extra = PAI(SG) },
		  0,
		  true,
		  TG_REASON_NUMBER_WITHHELD },
	};

	check_matches(rows, TG_ARRAY_LEN(rows));
}

TG_TEST(NUM_4_conditions_on_the_plan, TG_NEEDS_NOTHING)
{
#define N TG_REASON_NOT_IN_PLAN
	static const struct match rows[] = {
		{ "role: [caller], valid: no", { .from = "+9991234567" }, 0, true, N },
		{ "role: [caller], valid: no", { .from = "+6591" }, 0, true, N },
		{ "role: [caller], valid: no", { .from = SG }, 0, false, 0 },
		{ "role: [caller], valid: yes", { .from = SG }, 0, true, 0 },
		{ "role: [caller], plan: [no_country]", { .from = "+9991234567" }, 0, true, N },
		{ "role: [caller], plan: [no_country]", { .from = "+6591" }, 0, false, 0 },
		{ "role: [caller], valid: no", { .from = "anonymous" }, 0, false, 0 },
		{ "role: [caller], type: [mobile]", { .from = SG }, 0, true, 0 },
		{ "role: [caller], type: [fixed]", { .from = SG }, 0, false, 0 },
		{ "role: [caller], type: [fixed]", { .from = "+6561234567" }, 0, true, 0 },
		{ "role: [caller], region: [SG, GB]", { .from = SG }, 0, true, 0 },
		{ "role: [caller], region: [CA]", { .from = "+12025550123" }, 0, false, 0 },
		{ "role: [caller], digits: { min: 13 }", { .from = "+4477009001234" }, 0, true, 0 },
		{ "role: [caller], digits: { max: 7 }", { .from = "+6123456" }, 0, true, 0 },
		{ "role: [caller], digits: { max: 7 }", { .from = SG }, 0, false, 0 },
		{ "role: [called], class: [short_code], digits: { min: 3, max: 3 }",
		  { .from = SG, .called = "995" },
		  0,
		  true,
		  TG_REASON_NUMBER_SHORT_CODE },
		/* Neighbour spoofing. */
		{ "role: [caller], same_prefix: 7",
		  { .from = "+12025550123", .called = "+12025559999" },
		  0,
		  true,
		  0 },
		{ "role: [caller], same_prefix: 8",
		  { .from = "+12025550123", .called = "+12025559999" },
		  0,
		  false,
		  0 },
		{ "role: [caller], same_prefix: 7",
		  { .from = "+12025550123", .called = "+12025550123" },
		  0,
		  false,
		  0 },
	};
#undef N

	check_matches(rows, TG_ARRAY_LEN(rows));
}

TG_TEST(policy_conditions_on_the_message, TG_NEEDS_NOTHING)
{
	static const struct match rows[] = {
		{ "has: [diversion]", { .from = SG, .extra = DIVERSION(UK) }, 0, true, 0 },
		{ "has: [diversion]", { .from = SG }, 0, false, 0 },
		{ "has_not: [p-asserted-identity]", { .from = SG }, 0, true, 0 },
		{ "has_not: [p-asserted-identity]", { .from = SG, .extra = PAI(SG) }, 0, false, 0 },
		{ "has: [identity]",
		  { .from = SG, .extra = "Identity: e30.e30.AA\r\n" },
		  0,
		  true,
		  0 },
		{ "has_not: [identity]",
		  { .from = SG, .extra = "y: e30.e30.AA\r\n" },
		  0,
		  false,
		  0 },
		{ "privacy: [id]", { .from = SG, .extra = "Privacy: user; ID\r\n" }, 0, true, 0 },
		{ "privacy: [id]", { .from = SG, .extra = "Privacy: none\r\n" }, 0, false, 0 },
		{ "has: [privacy]", { .from = SG, .extra = "Privacy: none\r\n" }, 0, false, 0 },
		{ "has: [replaces]",
		  { .from = SG, .extra = "Replaces: a;from-tag=1\r\n" },
		  0,
		  true,
		  0 },
		{ "orig_ioi: [Carrier.example]",
		  { .from = SG,
		    .extra = "P-Charging-Vector: icid-value=1;orig-ioi=\"carrier.EXAMPLE\"\r\n" },
		  0,
		  true,
		  0 },
		{ "orig_ioi: [carrier.example]",
		  { .from = SG,
		    .extra = "P-Charging-Vector: icid-value=1;orig-ioi=carrier.example.net\r\n" },
		  0,
		  false,
		  0 },
		{ "tgrp: [TG-1], trunk_context: [example.com]",
		  { .from = SG, .extra = "m: <sip:+65;tgrp=tg-1;trunk-context=example.com@h>\r\n" },
		  0,
		  true,
		  0 },
		{ "tgrp: [tg-1]",
		  { .from = SG, .extra = "m: <sip:+65@h;tgrp=tg-1>\r\n" },
		  0,
		  false,
		  0 },
		{ "trunk: [home]", { .from = SG }, 1, true, 0 },
		{ "trunk: [home]", { .from = SG }, 0, false, 0 },
	};

	check_matches(rows, TG_ARRAY_LEN(rows));
}

TG_TEST(SIP_15_malformed_headers_as_a_condition, TG_NEEDS_NOTHING)
{
	static const struct match rows[] = {
		{ "has: [duplicate_header]",
		  { .from = SG, .extra = "From: <sip:a@h>\r\n" },
		  0,
		  true,
		  0 },
		{ "has: [duplicate_header]", { .from = SG }, 0, false, 0 },
		{ "has: [cseq_mismatch]", { .from = SG }, 0, false, 0 },
	};
	struct fixture f;
	char text[TG_SIP_TEXT_MAX];
	const struct tg_sip_text t = { .from = SG };
	char *cseq;

	check_matches(rows, TG_ARRAY_LEN(rows));
	load(&f, RULE("has: [cseq_mismatch]"));
	tg_sip_text(&t, text);
	cseq = strstr(text, "1 INVITE\r\n");
	memcpy(cseq, "1 CANCEL", 8);
	assert_int_equal(
		tg_sip_parse((struct tg_span){ (uint8_t *)text, (uint32_t)strlen(text) }, &f.sip),
		TG_REASON_NONE);
	tg_sip_extra_read(&f.sip, &f.extra);
	assert_int_equal(f.extra.traits, 1u << TG_TRAIT_CSEQ_MISMATCH);
	free(f.image);
}

static void read_cut(void *ctx, const uint8_t *data, size_t len)
{
	struct tg_sig_extra x;
	struct tg_sip sip;

	(void)ctx;
	(void)tg_sip_parse((struct tg_span){ data, (uint32_t)len }, &sip);
	tg_sip_extra_read(&sip, &x);
	assert_true(x.tgrp.len <= len && x.trunk_context.len <= len && x.orig_ioi.len <= len);
}

TG_TEST(sip_extra_cut_anywhere, TG_NEEDS_NOTHING)
{
	const struct tg_sip_text t = {
		.extra = "m: <sip:a;tgrp=x;trunk-context=y@h>\r\nPrivacy: id;none\r\n"
			 "P-Charging-Vector: a=b;orig-ioi=\"z\"\r\nResource-Priority: "
			 "wps.0,ets.1\r\n"
	};
	char text[TG_SIP_TEXT_MAX];

	tg_guard_truncate(text, tg_sip_text(&t, text), read_cut, NULL);
}

TG_TEST(policy_also_asks_another_identity, TG_NEEDS_NOTHING)
{
	static const struct {
		struct tg_sip_text text;
		bool matches;
	} rows[] = {
		{ { .from = UK, .called = SG }, true },
		{ { .from = UK, .called = "+61491570156" }, false },
		{ { .from = SG, .called = SG }, false },
	};
	struct fixture f;
	unsigned i;

	load(&f, HEAD "  - name: r\n    when: { role: [caller], number_not: ['+65'] }\n"
		      "    also: [{ role: [called], number: ['+659'] }]\n"
		      "    action: reject\n    answer: no\n"
		      "  - name: next\n    when: { role: [caller], number: ['+44'] }\n"
		      "    action: mark\n    mark: tag\n");
	assert_int_equal(f.p.n_rules, 3);
	for (i = 0; i < TG_ARRAY_LEN(rows); i++)
		assert_int_equal(decide(&f, &rows[i].text, 0).action == TG_ACTION_REJECT,
				 rows[i].matches);
	/* The conditions of one rule are no rule of their own. */
	assert_string_equal(tg_policy_rule_name(&f.p, decide(&f, &rows[1].text, 0).rule), "next");
	free(f.image);
}
