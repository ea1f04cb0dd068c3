/* SPDX-License-Identifier: BSD-3-Clause */
/* What rules do when they match, and what does not compile. */
#include <errno.h>
#include <stdio.h>

#include "tests/support/policy_text.h"

/* ---- outcomes ---------------------------------------------------------------------------------- */

#define BY_NUMBER(name, number, rest)                                                              \
	"  - name: " name "\n    when: { role: [caller], number: ['" number "'] }\n    " rest "\n"

TG_TEST(policy_actions_name_their_answer_or_mark, TG_NEEDS_NOTHING)
{
	static const struct {
		const char *from;
		enum tg_action action;
		unsigned answer;
	} rows[] = {
		{ "+12025550123", TG_ACTION_DIVERT, 2 }, { "+447700900123", TG_ACTION_MARK, 0 },
		{ "+61491570156", TG_ACTION_MARK, 1 },	 { "+6591234567", TG_ACTION_DROP, 0 },
		{ "+85221234567", TG_ACTION_PASS, 0 },	 { "+4915112345678", TG_ACTION_MARK, 1 },
	};
	struct fixture f;
	unsigned i;

	load(&f,
	     HEAD BY_NUMBER("a", "+1", "action: divert\n    answer: moved")
		     BY_NUMBER("b", "+44", "action: mark\n    mark: tag")
			     BY_NUMBER("c", "+61", "action: anonymise")
				     BY_NUMBER("d", "+65", "action: drop")
					     BY_NUMBER("e", "+852", "action: pass")
						     BY_NUMBER("f", "+49", "action: anonymise"));
	assert_int_equal(f.p.n_marks, 2);
	assert_string_equal(f.p.mark[1].name, "anonymise");
	for (i = 0; i < TG_ARRAY_LEN(rows); i++) {
		const struct tg_sip_text t = { .from = rows[i].from };
		const struct tg_verdict v = decide(&f, &t, 0);

		assert_int_equal(v.action, rows[i].action);
		assert_int_equal(v.answer, rows[i].answer);
		assert_int_equal(v.rule, i);
	}
	free(f.image);
}

/* A rule that is tried out takes nothing away from the rules behind it. */
TG_TEST(policy_shadow_rule_is_noted_and_decides_last, TG_NEEDS_NOTHING)
{
	static const struct tg_sip_text both = { .from = UK }, one = { .from = SG };
	struct tg_verdict v;
	struct fixture f;

	load(&f, HEAD "  - name: try\n    when: { role: [caller], class: [e164] }\n"
		      "    action: drop\n    shadow: yes\n" BY_NUMBER(
			      "real", "+44", "action: reject\n    answer: no"));
	v = decide(&f, &both, 0);
	assert_int_equal(v.action, TG_ACTION_REJECT);
	assert_int_equal(v.mode, TG_MODE_ENFORCE);
	assert_int_equal(v.rule, 1);
	assert_int_equal(v.shadow_rule, 0);
	v = decide(&f, &one, 0);
	assert_int_equal(v.action, TG_ACTION_DROP);
	assert_int_equal(v.mode, TG_MODE_SHADOW);
	assert_int_equal(v.rule, 0);
	free(f.image);
}

/* Of a share, exactly those calls whose hash is in it; the others as in shadow. */
TG_TEST(policy_share_is_a_fixed_part_of_the_calls, TG_NEEDS_NOTHING)
{
	static const struct tg_sip_text t = { .from = UK };
	unsigned enforced = 0, i;
	struct fixture f;

	load(&f, HEAD BY_NUMBER("r", "+44", "action: reject\n    answer: no\n    share: 25"));
	assert_true(f.p.has_shares);
	for (i = 0; i < 256; i++) {
		struct tg_verdict v;

		f.call.share = i << 24;
		v = decide(&f, &t, 0);
		assert_int_equal(v.action, TG_ACTION_REJECT);
		enforced += v.mode == TG_MODE_ENFORCE;
		assert_int_equal(v.mode == TG_MODE_ENFORCE, i < 64);
	}
	assert_int_equal(enforced, 64);
	free(f.image);
}

struct spent {
	uint64_t of[8];
	unsigned n;
	bool left;
};

static bool spend(void *ctx, const struct tg_policy_rule *rule, uint64_t of)
{
	struct spent *s = ctx;

	assert_int_equal(rule->limit_calls, 5);
	assert_int_equal(rule->limit_ms, 60000);
	s->of[s->n++] = of;
	return s->left;
}

TG_TEST(policy_limit_counts_numbers_ranges_and_trunks, TG_NEEDS_NOTHING)
{
	static const struct {
		const char *per;
		uint64_t of[2]; /* for two callers of one range */
	} rows[] = {
		{ "per: caller", { (3ull << 52) | 0, 1 } },
		{ "per: caller, digits: 7", { 0, 0 } },
		{ "per: called", { 0, 0 } },
		{ "per: trunk", { 0, 0 } },
	};
	static const struct tg_sip_text a = { .from = "+447700900123" },
					b = { .from = "+447700900124" };
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(rows); i++) {
		struct spent s = { .left = true };
		struct fixture f;
		char text[4096];

		snprintf(text, sizeof(text),
			 HEAD BY_NUMBER("r", "+44",
					"action: reject\n    answer: no\n    limit: { "
					"%s, calls: 5, seconds: 60 }"),
			 rows[i].per);
		load(&f, text);
		f.call.spend = spend;
		f.call.ctx = &s;
		assert_int_equal(decide(&f, &a, 0).action, TG_ACTION_PASS);
		s.left = false;
		assert_int_equal(decide(&f, &b, 0).action, TG_ACTION_REJECT);
		assert_int_equal(decide(&f, &b, 0).reason, TG_REASON_RATE);
		assert_int_equal(s.n, 3);
		assert_int_equal(s.of[1], s.of[2]);
		assert_int_equal(s.of[0] != s.of[1], i == 0);
		/* Calls that the rule does not match take nothing. */
		decide(&f, &(struct tg_sip_text){ .from = SG }, 0);
		assert_int_equal(s.n, 3);
		free(f.image);
	}
}

TG_TEST(SIP_36_calls_of_priority, TG_NEEDS_NOTHING)
{
	static const struct {
		const char *extra;
		bool priority;
	} rows[] = {
		{ "Priority: emergency\r\n", true },
		{ "Priority: psap-callback\r\n", true },
		{ "Priority: urgent\r\n", false },
		{ "Priority: emergency-like\r\n", false },
		{ "Resource-Priority: dsn.flash, wps.0\r\n", true },
		{ "Resource-Priority: ETS.2\r\n", true },
		{ "Resource-Priority: esnet.1\r\n", true },
		{ "Resource-Priority: dsn.flash\r\n", false },
		{ "Resource-Priority: etsx.0\r\n", false },
		{ "P-Asserted-Identity: <tel:+6591234567;cpc=priority>\r\n", true },
		{ "P-Asserted-Identity: <sip:+6591234567;CPC=emergency@h>\r\n", true },
		{ "P-Asserted-Identity: <tel:+6591234567;cpc=ordinary>\r\n", false },
		{ "Subject: Priority: emergency\r\n", false },
	};
	struct fixture f;
	unsigned i;

	load(&f, RULE("role: [caller], class: [e164]"));
	for (i = 0; i < TG_ARRAY_LEN(rows); i++) {
		const struct tg_sip_text t = { .from = UK, .extra = rows[i].extra };
		struct tg_verdict v = decide(&f, &t, 0);

		assert_int_equal(v.action, TG_ACTION_REJECT);
		if (tg_policy_guard_priority(&f.extra, &v) != rows[i].priority)
			fail_msg("%s", rows[i].extra);
		assert_int_equal(v.action, rows[i].priority ? TG_ACTION_PASS : TG_ACTION_REJECT);
		if (rows[i].priority)
			assert_int_equal(v.reason, TG_REASON_PRIORITY);
	}
	free(f.image);
}

/* ---- what does not compile --------------------------------------------------------------------- */

struct refusal {
	const char *text;
	const char *why; /* beginning of the complaint, behind line and column */
};

static void check_refusals(const struct refusal *r, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		struct tg_error err = { 0 };
		uint64_t length;
		void *image;

		if (tg_policy_compile(r[i].text, strlen(r[i].text), &image, &length, &err) == 0)
			fail_msg("accepted; expected %s", r[i].why);
		assert_int_equal(err.code, -EINVAL);
		assert_true(err.line > 0 && err.column > 0);
		if (strncmp(err.text, r[i].why, strlen(r[i].why)) != 0)
			fail_msg("%s\nexpected %s", err.text, r[i].why);
	}
}

#define ACTION(rest) HEAD "  - name: r\n    when: { class: [e164] }\n    " rest "\n"
#define ANSWER(rest) "version: 1\nanswers:\n  - { name: a, " rest " }\n"
#define MARK(rest) "version: 1\nmarks:\n  - { name: m, " rest " }\n"

TG_TEST(policy_file_refuses_conditions_that_say_nothing, TG_NEEDS_NOTHING)
{
	static const struct refusal rows[] = {
		{ RULE("number: ['65']"), "number: + and the digits" },
		{ RULE("number: ['+65x']"), "number: + and the digits" },
		{ RULE("number_not: ['+']"), "number_not: + and the digits" },
		{ RULE("raw_prefix: ['']"), "raw_prefix" },
		{ RULE("raw_prefix: [\"a\\tb\"]"), "raw_prefix: 1 to 63 characters" },
		{ RULE("valid: no, plan: [length]"), "either valid or plan" },
		{ RULE("valid: maybe"), "unknown valid" },
		{ RULE("valid: no, type: [fixed]"), "only a number that is in its plan" },
		{ RULE("type: [landline]"), "unknown type" },
		{ RULE("digits: { min: 9, max: 8 }"), "digits min 9 is above max 8" },
		{ RULE("digits: { max: 16 }"), "digits is 1 to 15, not 16" },
		{ RULE("same_prefix: 0"), "same_prefix must be 1 to 15" },
		{ RULE("has: [diversion], has_not: [diversion]"), "has and has_not name the same" },
		{ RULE("contradiction: [from-to]"), "unknown contradiction" },
		{ RULE("attestation: [D]"), "unknown attestation" },
		{ RULE("verification: [failed]"), "unknown verification" },
		{ RULE("privacy: [all]"), "unknown privacy" },
		{ RULE("trunk: [home], international: yes"), "no trunk has" },
		{ RULE("score: { min: 1 }"), "score is of a listing" },
	};

	check_refusals(rows, TG_ARRAY_LEN(rows));
}

TG_TEST(policy_file_refuses_outcomes_that_cannot_be, TG_NEEDS_NOTHING)
{
	static const struct refusal rows[] = {
		{ ACTION("action: divert"), "rule r diverts, so it must name an answer" },
		{ ACTION("action: divert\n    answer: no"), "answer no ends the call" },
		{ ACTION("action: reject\n    answer: moved"), "answer moved diverts the call" },
		{ ACTION("action: mark"), "rule r marks, so it must name a mark" },
		{ ACTION("action: mark\n    mark: tga"), "there is no mark \"tga\" (did you mean" },
		{ ACTION("action: anonymise\n    mark: tag"), "only action mark has a mark" },
		{ ACTION("action: mark\n    mark: tag\n    answer: no"),
		  "only actions reject and divert" },
		{ ACTION("action: drop\n    share: 0"), "share must be 1 to 100" },
		{ ACTION("action: drop\n    share: 101"), "share must be 1 to 100" },
		{ ACTION("action: drop\n    share: 5\n    shadow: yes"),
		  "a rule in shadow has no" },
		{ ACTION("action: drop\n    limit: { per: caller, calls: 0, seconds: 60 }"),
		  "calls must be 1 to" },
		{ ACTION("action: drop\n    limit: { per: caller, calls: 1, seconds: 0 }"),
		  "seconds must be 1 to 86400" },
		{ ACTION("action: drop\n    limit: { per: caller, calls: 50, seconds: 86400 }"),
		  "calls must be 1 to 49" },
		{ ACTION("action: drop\n    limit: { per: trunk, digits: 5, calls: 1, seconds: 1 "
			 "}"),
		  "digits are of the caller" },
		{ ACTION("action: drop\n    also: [{ number: ['x'] }]"),
		  "number: + and the digits" },
		{ HEAD "  - { name: r, action: divert, answer: moved }\n",
		  "rule r would divert every call" },
		{ HEAD "  - { name: r, when: { category: [allow] }, action: anonymise }\n",
		  "allow and emergency always pass: no rule can anonymise" },
		/* SIP-32 */
		{ HEAD "  - { name: r, when: { category: [spam, dno] }, action: reject, answer: "
		       "blocked }\n",
		  "Network Blocked is for calls that analytics blocked" },
	};

	check_refusals(rows, TG_ARRAY_LEN(rows));
}

TG_TEST(SIP_30_SIP_32_answers_that_peers_understand, TG_NEEDS_NOTHING)
{
	static const struct refusal rows[] = {
		{ ANSWER("phrase: x"), "answer a has neither a code nor a sink" },
		{ ANSWER("code: 603"), "answer a: key \"phrase\" is missing" },
		{ ANSWER("code: 302, phrase: x"), "a code of 300 to 399 sends the call elsewhere" },
		{ ANSWER("code: 603, phrase: x, contact: '<sip:a@b>'"),
		  "only an answer of 300 to 399 has a contact" },
		{ ANSWER("code: 302, phrase: x, contact: 'a@b'"), "contact is no address" },
		{ ANSWER("code: 302, phrase: x, contact: '<sip:a@b>, <sip:c@d>'"),
		  "contact is no address" },
		{ ANSWER("code: 603, phrase: x, sink: '+65'"), "a sink diverts the call" },
		{ ANSWER("sink: '+'"), "sink is a number" },
		{ ANSWER("sink: '65x'"), "sink is a number" },
		{ ANSWER("sink: '6+5'"), "sink is a number" },
		{ ANSWER("sink: '+12345678901234567'"), "sink is longer than 16 bytes" },
		{ ANSWER("code: 608, phrase: Rejected, call_info: card"), "call_info is no" },
		{ ANSWER("code: 608, phrase: Rejected, call_info: \"<a>\\r\\nX: y\""),
		  "call_info has a line end" },
		{ ANSWER("code: 603, phrase: Network Blocked"), "Network Blocked is 603 with" },
		{ ANSWER("code: 603, phrase: network blocked, reason: SIP;cause=603"),
		  "Network Blocked is 603 with" },
		{ ANSWER("code: 607, phrase: Network Blocked, reason: "
			 "'SIP;cause=603;text=\"v=analytics1;tel=+1\"'"),
		  "Network Blocked is 603 with" },
		{ MARK("plus: no"), "mark m changes nothing" },
		{ MARK("header: 'Via: x'"), "header is one line" },
		{ MARK("header: 'f: x'"), "header is one line" },
		{ MARK("header: 'X-A:x'"), "header is one line" },
		{ MARK("header: \"X-A: b\\r\\nC: d\""), "header has a line end" },
		{ MARK("header: 'P-Asserted-Identity: <sip:a@b>'"), "header is one line" },
		{ MARK("display: 'a\"b'"), "display holds" },
		{ MARK("display: x, anonymise: yes"), "mark m: who is anonymous" },
	};

	check_refusals(rows, TG_ARRAY_LEN(rows));
}

TG_TEST(policy_trunks_by_both_addresses, TG_NEEDS_NOTHING)
{
	static const uint8_t peer[] = { 192, 0, 2, 1 }, one[] = { 198, 51, 100, 1 },
			     other[] = { 198, 51, 100, 2 };
	static const struct refusal rows[] = {
		{ "version: 1\ntrunks:\n  - { name: t, port: 0, local: x }\n",
		  "local \"x\" is no" },
		{ "version: 1\ntrunks:\n  - { name: t, port: 0, peer: 192.0.2.1, local: '::1' }\n",
		  "local and peer are of different" },
		{ "version: 1\ntrunks:\n  - { name: t, port: 0, mtu: 575 }\n", "mtu must be 576" },
		{ "version: 1\ntrunks:\n  - { name: t, port: 0, priority_per_second: 0 }\n",
		  "priority_per_second must be 1" },
	};
	struct tg_trunk_key key = { 0, TG_TRUNK_NO_VLAN, 4, peer, one, NULL };
	struct fixture f;

	check_refusals(rows, TG_ARRAY_LEN(rows));
	load(&f, "version: 1\ntrunks:\n"
		 "  - { name: a, port: 0, peer: 192.0.2.0/24, local: 198.51.100.1 }\n"
		 "  - { name: b, port: 0, peer: 192.0.2.0/24, local: 198.51.100.2 }\n");
	assert_int_equal(tg_policy_trunk_find(&f.p, &key), 0);
	key.local = other;
	assert_int_equal(tg_policy_trunk_find(&f.p, &key), 1);
	key.local = peer;
	assert_int_equal(tg_policy_trunk_find(&f.p, &key), 2);
	free(f.image);
}
