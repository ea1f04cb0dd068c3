/* SPDX-License-Identifier: BSD-3-Clause */
/* Policy text to image: what is accepted, what it becomes, and where a complaint points. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/policy_doc.h"
#include "control/policy_file.h"
#include "tests/support/policy_compile.h"
#include "tollgate/policy.h"

/* ---- complaints -------------------------------------------------------------------------------- */

TG_TEST(policy_file_refuses_what_is_no_yaml, TG_NEEDS_NOTHING)
{
	static const struct refusal rows[] = {
		{ "", "1:1: there is nothing in it" },
		{ "# only a comment\n", "1:1: there is nothing in it" },
		{ "version: 1\n  rules: [\n", "2:8: not YAML: mapping values are not allowed" },
		{ "version: 1\n\ttrunks: 5\n", "2:1: not YAML: found a tab character" },
		{ "version: 1\nrules: [\n", "3:1: not YAML: " },
		{ "version: 1\nx: \xff\n", "2:4: not plain UTF-8 text: invalid leading" },
		{ "version: 1\nx: \xc3(\n", "2:5: not plain UTF-8 text: invalid trailing" },
		{ "version: 1\nx: a\001\n", "2:5: not plain UTF-8 text: control characters" },
		{ "version: 1\n---\nversion: 1\n", "2:1: a second document begins" },
		{ "version: &x 1\nrules: *x\n", "2:8: aliases (*name) are not used here" },
		{ "version: 1\nrules: [[[[[[[[[[[[[[[[[[[\n", "2:23: nested too deeply" },
		{ "version: 1\ntrunks: [&x {}, &x {}]\n", "2:" },
	};

	CHECK(rows);
	expect_refusal(&(struct refusal){ "v\0ersion: 1", "1:2: not plain UTF-8 text" }, 11);
}

TG_TEST(policy_file_refuses_what_is_not_in_the_schema, TG_NEEDS_NOTHING)
{
	static const struct refusal rows[] = {
		{ "- a\n", "1:1: the document must be a mapping" },
		{ "rules: []\n", "1:1: the document: key \"version\" is missing" },
		{ "version: 2\n", "1:10: version 2 is not known here" },
		{ "version: one\n", "1:10: version must be a whole number, not \"one\"" },
		{ "version: 010\n", "1:10: version: write \"010\" without leading zeros" },
		{ "version: 0x1\n", "1:10: version must be a whole number" },
		{ "version: -1\n", "1:10: version must be a whole number" },
		{ "version: 4294967296\n", "1:10: version is too large" },
		{ "version: 12345678901\n", "1:10: version is too large" },
		{ "version: 1\nversion: 1\n", "2:1: key \"version\" is given twice" },
		{ "version: 1\nruls: []\n", "2:1: unknown key \"ruls\" (did you mean \"rules\"?)" },
		{ "version: 1\nbananas: []\n", "2:1: unknown key \"bananas\"; one of: version, " },
		{ "version: 1\n? [a]\n: 1\n", "2:3: a key must be one value" },
		{ "version: 1\nrules: ~\n", "2:8: rules must be a list" },
		{ "version: 1\nrules:\n  - name: r\n", "3:5: rules: key \"action\" is missing" },
		{ REJECT("when: { categry: [fraud] }"),
		  "8:13: unknown key \"categry\" (did you mean \"category\"?)" },
		{ REJECT("when: { category: fraud }"), "8:23: category must be a list" },
		{ REJECT("when: { category: [frud] }"),
		  "8:24: unknown category \"frud\" (did you mean \"fraud\"?)" },
		{ REJECT("when: { category: [fraud, [scam]] }"),
		  "8:31: category must be one value" },
		{ REJECT("when: { category: [] }"), "8:23: category: the list is empty" },
		{ REJECT("when: { role: [Caller] }"), "8:20: unknown role \"Caller\"" },
		{ REJECT("when: { class: [12] }"), "8:21: unknown class \"12\"; one of: absent, " },
		{ REJECT("when: { score: 80 }"), "8:20: score must be a mapping" },
		{ REJECT("when: { score: { min: 8.5 } }"), "8:27: min must be a whole number" },
		{ RULE("action: block"), "6:13: unknown action \"block\"; one of: pass, " },
		{ TRUNK("exceptions: { sip_malformed: reject }"),
		  "3:54: unknown sip_malformed \"reject\"; one of: pass, drop" },
		{ TRUNK("exceptions: { tls: drop }"), "3:39: unknown key \"tls\"; one of: " },
		{ TRUNK("exceptions: [sip_malformed]"), "3:37: exceptions must be a mapping" },
		{ TRUNK("mode: enforced"), "3:31: unknown mode \"enforced\" (did you mean" },
		{ TRUNK("name: \"\""), "3:25: key \"name\" is given twice" },
	};

	CHECK(rows);
}

TG_TEST(policy_file_refuses_impossible_trunks, TG_NEEDS_NOTHING)
{
	static const struct refusal rows[] = {
		{ "version: 1\ntrunks:\n  - { name: a }\n",
		  "3:5: trunks: key \"port\" is missing" },
		{ "version: 1\ntrunks:\n  - { name: a, port: eth0 }\n",
		  "3:22: port must be a DPDK port number or any, not \"eth0\"" },
		{ "version: 1\ntrunks:\n  - { name: a, port: 65535 }\n", "3:22: port must be" },
		{ "version: 1\ntrunks:\n  - { name: a b, port: 0 }\n", "3:13: name \"a b\": only" },
		{ "version: 1\ntrunks:\n  - { name: \"\", port: 0 }\n", "3:13: name is empty" },
		{ "version: 1\ntrunks:\n  - { name: a1234567890123456789012345678901, port: 0 }\n",
		  "3:13: name \"a1234567890123456789012345678901\" is longer than 31" },
		{ TRUNK("vlan: 0"), "3:31: vlan must be 1 to 4094, any or none, not \"0\"" },
		{ TRUNK("vlan: 4095"), "3:31: vlan must be" },
		{ TRUNK("vlan: 0100"), "3:31: vlan must be" },
		{ TRUNK("peer: 192.0.2.1/24"), "3:31: peer \"192.0.2.1/24\" has bits set beyond "
					       "its prefix; write 192.0.2.0/24" },
		{ TRUNK("peer: 192.0.2.0/33"), "3:31: peer \"192.0.2.0/33\": the prefix length" },
		{ TRUNK("peer: 192.0.2.0/"), "3:31: peer \"192.0.2.0/\": the prefix length" },
		{ TRUNK("peer: 192.0.2.0/+8"), "3:31: peer \"192.0.2.0/+8\": the prefix length" },
		{ TRUNK("peer: 192.0.2"), "3:31: peer \"192.0.2\" is no address prefix" },
		{ TRUNK("peer: example.net"), "3:31: peer \"example.net\" is no address prefix" },
		{ TRUNK("peer: '2001:db8::1/32'"), "3:31: peer \"2001:db8::1/32\" has bits set" },
		{ TRUNK("peer: '2001:db8::/129'"), "3:31: peer \"2001:db8::/129\": the prefix" },
		{ TRUNK("answers_per_second: 0"), "3:45: answers_per_second must be 1 to 1000000" },
		{ TRUNK("answers_per_second: 1000001"), "3:45: answers_per_second must be" },
		{ "version: 1\ntrunks:\n  - { name: a, port: 0 }\n  - { name: a, port: 1 }\n",
		  "4:13: two trunks are named a" },
		{ "version: 1\ntrunks:\n  - { name: a, port: 0, peer: 10.0.0.0/8 }\n"
		  "  - { name: b, port: 0, vlan: 5, peer: 10.1.0.0/16 }\n",
		  "4:5: trunk b never gets a call: trunk a before it" },
		{ "version: 1\ntrunks:\n  - { name: default, port: any }\n  - { name: a, port: 1 "
		  "}\n",
		  "3:5: trunk default takes what no other trunk matches: it must be the last" },
		{ "version: 1\ntrunks:\n  - { name: default, port: 0 }\n",
		  "3:5: trunk default takes what no other trunk matches: port any" },
		{ TRUNK("profile: { national_prefix: '0' }"),
		  "3:34: profile: national numbers need" },
		{ TRUNK("profile: { country_code: '065' }"),
		  "3:50: country_code: no country code" },
		{ TRUNK("profile: { country_code: '6512' }"),
		  "3:50: trunks[0].profile.country_code: "
		  "1 to 3 digits" },
		{ TRUNK("profile: { country_code: '65', national_max: 14 }"),
		  "3:70: national_max must be 1 to 13" },
		{ TRUNK("profile: { country_code: '65', national_min: 9, national_max: 8 }"),
		  "3:87: national_max must be 9 to 13" },
		{ TRUNK("profile: { country_code: '65', national_min: 0 }"),
		  "3:70: national_min must be 1 to 13" },
		{ TRUNK("profile: { international_prefixes: ['00', '+'] }"),
		  "3:67: trunks[0].profile.international_prefixes[1]: 1 to 7 digits, not \"+\"" },
		{ TRUNK("profile: { international_prefixes: ['001', '00'] }"),
		  "3:68: trunks[0].profile.international_prefixes[1]: \"00\" begins another of "
		  "them, or is begun by one: what follows would be a guess" },
		{ TRUNK("profile: { international_prefixes: ['1', '2', '3', '4', '5'] }"),
		  "3:81: international_prefixes: more than 4 entries" },
	};

	CHECK(rows);
}

/* SIP_31: an answer that upstream takes for a dead trunk makes the call come back on another one. */
TG_TEST(SIP_31_no_503_500_408, TG_NEEDS_NOTHING)
{
	static const struct refusal rows[] = {
		{ ANSWER("code: 503, phrase: x"),
		  "3:22: code 503 is not possible: upstream takes it" },
		{ ANSWER("code: 500, phrase: x"),
		  "3:22: code 500 is not possible: upstream takes it" },
		{ ANSWER("code: 408, phrase: x"),
		  "3:22: code 408 is not possible: upstream takes it" },
		{ ANSWER("code: 401, phrase: x"),
		  "3:22: code 401 is not possible: it asks for cred" },
		{ ANSWER("code: 407, phrase: x"),
		  "3:22: code 407 is not possible: it asks for cred" },
		{ ANSWER("code: 200, phrase: x"),
		  "3:22: code 200 is not possible: an answer that" },
		{ ANSWER("code: 299, phrase: x"),
		  "3:22: code 299 is not possible: an answer that" },
		{ ANSWER("code: 700, phrase: x"),
		  "3:22: code 700 is not possible: an answer that" },
	};
	static const unsigned fine[] = { 400, 403, 404, 480, 486, 501, 600, 603, 607, 608, 699 };
	unsigned i;

	CHECK(rows);
	for (i = 0; i < TG_ARRAY_LEN(fine); i++) {
		char text[128];
		void *image;

		snprintf(text, sizeof(text), ANSWER("code: %u, phrase: x"), fine[i]);
		assert_int_equal(compile(text, &image).answer[0].code, fine[i]);
		free(image);
	}
}

TG_TEST(policy_file_refuses_header_injection, TG_NEEDS_NOTHING)
{
	static const struct refusal rows[] = {
		{ ANSWER("code: 603, phrase: \"x\\r\\nContact: <sip:a@b>\""),
		  "3:35: phrase has a line" },
		{ ANSWER("code: 603, phrase: \"x\\n\""), "3:35: phrase has a line end" },
		{ ANSWER("code: 603, phrase: \"\\e[2J\""), "3:35: phrase has a line end" },
		{ ANSWER("code: 603, phrase: \"\\x9b2J\""), "3:35: phrase has a line end" },
		{ ANSWER("code: 603, phrase: \"a\\0b\""), "3:35: phrase has a NUL character" },
		{ ANSWER("code: 603, phrase: x, reason: \"Q.850;cause=21\\r\\nX: y\""),
		  "3:46: reason has a line end" },
		{ ANSWER("code: 603, phrase: x, reason: 'Q.850;text=\"x'"), "3:46: reason is no" },
		{ ANSWER("code: 603, phrase: x, reason: 'Q.850;text=\"x\\'"),
		  "3:46: reason is no" },
		{ ANSWER("code: 603, phrase: x, reason: 'Q.850;'"), "3:46: reason is no Reason" },
		{ ANSWER("code: 603, phrase: x, reason: 'Q.850;cause='"),
		  "3:46: reason is no Reason" },
		{ ANSWER("code: 603, phrase: x, reason: ';cause=1'"), "3:46: reason is no Reason" },
		{ ANSWER("code: 603, phrase: x, reason: 'Q.850,'"), "3:46: reason is no Reason" },
		{ ANSWER("code: 603, phrase: x, reason: 'call rejected'"),
		  "3:46: reason is no Reason" },
		{ ANSWER("code: 603, phrase: "
			 "0123456789012345678901234567890123456789012345678901234567890123"),
		  "3:35: phrase is longer than 63 bytes" },
	};
	static const char *const fine[] = {
		"Q.850",
		"SIP;cause=603",
		"Q.850 ; cause=21 ; text=\"a;b,c \\\" d\"",
		"SIP;cause=603;text=\"x\", Q.850;cause=21;location=LN",
		"Q.850;cause=21;x",
	};
	unsigned i;

	CHECK(rows);
	for (i = 0; i < TG_ARRAY_LEN(fine); i++) {
		char text[256];
		void *image;

		snprintf(text, sizeof(text), ANSWER("code: 603, phrase: Grüße, reason: '%s'"),
			 fine[i]);
		assert_string_equal(compile(text, &image).answer[0].reason, fine[i]);
		free(image);
	}
}

TG_TEST(policy_file_refuses_impossible_rules, TG_NEEDS_NOTHING)
{
	static const struct refusal rows[] = {
		{ REJECT("when: { category: [fraud], score: { min: 101 } }"),
		  "8:46: score is 0 to 100, not 101" },
		{ REJECT("when: { category: [fraud], score: { max: 101 } }"),
		  "8:46: score is 0 to 100, not 101" },
		{ REJECT("when: { category: [fraud], score: { min: 9, max: 8 } }"),
		  "8:39: score min 9 is above max 8" },
		{ REJECT("when: { class: [malformed], score: { min: 9 } }"),
		  "8:40: score is of a listing" },
		{ REJECT("when: { category: [fraud], trunk: [sg] }"),
		  "8:40: there is no trunk \"sg\"; one of: default" },
		{ REJECT("when: { category: [allow] }"), "8:23: allow and emergency always pass" },
		{ REJECT("when: { category: [emergency] }"),
		  "8:23: allow and emergency always pass" },
		{ REJECT("when: {}"), "5:5: rule r would reject every call" },
		{ REJECT(""), "5:5: rule r would reject every call" },
		{ RULE("action: drop"), "5:5: rule r would drop every call" },
		{ RULE("action: reject\n    when: { category: [fraud] }"),
		  "5:5: rule r rejects, so it must name an answer" },
		{ RULE("action: reject\n    answer: aa\n    when: { category: [fraud] }"),
		  "7:13: there is no answer \"aa\"; one of: a" },
		{ RULE("action: pass\n    answer: a"), "7:13: only actions reject and" },
		{ "version: 1\nrules:\n  - { name: r, action: pass }\n  - { name: r, action: pass "
		  "}\n",
		  "4:13: two rules are named r" },
		{ "version: 1\nanswers:\n  - { name: r, code: 603, phrase: x }\n"
		  "  - { name: r, code: 603, phrase: x }\n",
		  "4:13: two answers are named r" },
	};

	CHECK(rows);
}

/* Columns are bytes from the line's beginning, whatever libyaml takes for a character or a line. */
TG_TEST(policy_file_columns_are_bytes, TG_NEEDS_NOTHING)
{
	static const struct refusal rows[] = {
		{ "version: 1\ntrunks: [ { name: a, port: \"é\", x: 1 } ]\n",
		  "2:34: unknown key \"x\"" },
		{ "version: 1 # \xe2\x80\xa8 \xc2\x85\nx: 1\n", "2:1: unknown key \"x\"" },
		{ "version: 1\r\nx: 1\r\n", "2:1: unknown key \"x\"" },
	};

	CHECK(rows);
}

/* ---- limits ------------------------------------------------------------------------------------ */

static char *many(const char *head, const char *format, unsigned n)
{
	char *text = malloc(strlen(head) + 1 + (size_t)n * 96), *end = text;
	unsigned i;

	end += sprintf(end, "%s", head);
	for (i = 0; i < n; i++)
		end += sprintf(end, format, i, i);
	return text;
}

TG_TEST(policy_file_limits, TG_NEEDS_NOTHING)
{
	static const struct {
		const char *head;
		const char *format;
		unsigned most;
		const char *at; /* of one more; NULL = wherever */
	} rows[] = {
		{ "version: 1\ntrunks:\n", "  - { name: t%u, port: %u }\n",
		  TG_POLICY_MAX_TRUNKS - 1, "3:3: more than 63 trunks" },
		{ "version: 1\nanswers:\n", "  - { name: a%u, code: 603, phrase: x%u }\n",
		  TG_POLICY_MAX_ANSWERS, "35:5: answers: more than 32 entries" },
		{ "version: 1\nrules:\n", "  - { name: r%u-%u, action: pass }\n",
		  TG_POLICY_MAX_RULES, "259:5: rules: more than 256 entries" },
	};
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(rows); i++) {
		char *text = many(rows[i].head, rows[i].format, rows[i].most);
		struct refusal one_more;
		void *image;

		compile(text, &image);
		free(image);
		free(text);
		text = many(rows[i].head, rows[i].format, rows[i].most + 1);
		one_more = (struct refusal){ text, rows[i].at };
		expect_refusal(&one_more, strlen(text));
		free(text);
	}
}

/* ---- what is accepted -------------------------------------------------------------------------- */

TG_TEST(policy_file_default_trunk_is_added_unless_there, TG_NEEDS_NOTHING)
{
	struct tg_policy p;
	void *image;

	p = compile("version: 1\n", &image);
	assert_int_equal(p.n_trunks, 1);
	assert_string_equal(p.trunk[0].name, "default");
	assert_int_equal(p.trunk[0].mode, TG_MODE_SHADOW);
	assert_int_equal(p.trunk[0].drops, 0);
	assert_false(p.has_drops);
	assert_int_equal(p.trunk[0].answers_per_second, 1000);
	assert_int_equal(p.trunk[0].profile.country_code_len, 0);
	free(image);
	p = compile("version: 1\ntrunks:\n  - { name: a, port: 3, vlan: none }\n"
		    "  - { name: default, port: any, mode: enforce }\n",
		    &image);
	assert_int_equal(p.n_trunks, 2);
	assert_int_equal(p.trunk[0].port, 3);
	assert_int_equal(p.trunk[0].vlan, TG_TRUNK_NO_VLAN);
	assert_int_equal(p.trunk[1].mode, TG_MODE_ENFORCE);
	free(image);
}

TG_TEST(policy_file_takes_every_key, TG_NEEDS_NOTHING)
{
	static const char text[] =
		"version: 1\n"
		"trunks:\n"
		"  - name: t\n    port: 7\n    vlan: 12\n    peer: 2001:db8::/32\n    mode: "
		"enforce\n"
		"    answers_per_second: 5\n"
		"    exceptions: { sip_malformed: drop, memory_full: pass, fragment_limit: drop }\n"
		"    profile: { country_code: 852, international_prefixes: [001, 08], "
		"national_prefix: "
		"0, bare: international, national_min: 7, national_max: 9 }\n"
		"answers:\n  - { name: n, code: 607, phrase: Unwanted, reason: 'SIP;cause=607' }\n"
		"rules:\n  - name: r\n    when: { role: [redirecting], category: [dno, irsf], "
		"score: { "
		"min: 3, max: 4 }, class: [e164], trunk: [default, t] }\n"
		"    action: reject\n    answer: n\n";
	const struct tg_policy_trunk *t;
	const struct tg_policy_rule *r;
	struct tg_policy p;
	void *image;

	p = compile(text, &image);
	t = &p.trunk[0];
	assert_int_equal(t->port, 7);
	assert_int_equal(t->vlan, 12);
	assert_int_equal(t->peer.version, 6);
	assert_int_equal(t->peer.bits, 32);
	assert_memory_equal(t->peer.address, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_int_equal(t->mode, TG_MODE_ENFORCE);
	assert_int_equal(t->answers_per_second, 5);
	assert_int_equal(t->drops,
			 1u << TG_EXCEPTION_SIP_MALFORMED | 1u << TG_EXCEPTION_FRAGMENT_LIMIT);
	assert_int_equal(p.trunk[1].drops, 0);
	assert_true(p.has_drops);
	assert_int_equal(t->profile.country_code_len, 3);
	assert_memory_equal(t->profile.country_code, "852", 3);
	assert_int_equal(t->profile.international_prefix_len[0], 3);
	assert_memory_equal(t->profile.international_prefix[0], "001", 3);
	assert_int_equal(t->profile.international_prefix_len[1], 2);
	assert_int_equal(t->profile.international_prefix_len[2], 0);
	assert_int_equal(t->profile.national_prefix_len, 1);
	assert_int_equal(t->profile.national_prefix[0], '0');
	assert_int_equal(t->profile.bare, TG_NUM_BARE_INTERNATIONAL);
	assert_int_equal(t->profile.national_min, 7);
	assert_int_equal(t->profile.national_max, 9);
	assert_string_equal(p.answer[0].name, "n");
	assert_int_equal(p.answer[0].code, 607);
	assert_string_equal(p.answer[0].phrase, "Unwanted");
	assert_string_equal(p.answer[0].reason, "SIP;cause=607");
	r = &p.rule[0];
	assert_string_equal(r->name, "r");
	assert_int_equal(r->roles, 1 << TG_ROLE_REDIRECTING);
	assert_int_equal(r->categories, 1 << TG_CATEGORY_DNO | 1 << TG_CATEGORY_IRSF);
	assert_int_equal(r->score_min, 3);
	assert_int_equal(r->score_max, 4);
	assert_int_equal(r->classes, 1 << TG_NUM_CLASS_E164);
	assert_int_equal(r->trunks, 3);
	assert_int_equal(r->action, TG_ACTION_REJECT);
	assert_int_equal(r->answer, 0);
	free(image);
}

/* The same text says the same, whenever it is compiled; another text does not. */
TG_TEST(policy_file_id_is_of_the_contents, TG_NEEDS_NOTHING)
{
	void *a, *b, *c;
	const uint64_t id = compile("version: 1\n", &a).header->id;

	assert_int_equal(compile("# other words\nversion: 1\nrules: []\n", &b).header->id, id);
	assert_int_not_equal(compile(TRUNK("mode: shadow"), &c).header->id, id);
	free(a);
	free(b);
	free(c);
}

/* ---- samples and manual ------------------------------------------------------------------------ */

TG_TEST(policy_file_default_is_the_sample, TG_NEEDS_NOTHING)
{
	size_t len;
	uint8_t *sample = tg_test_read_file("control/samples/policy-default.yaml", &len);

	assert_string_equal((const char *)sample, tg_policy_default_text);
	free(sample);
}

TG_TEST(policy_file_samples_compile, TG_NEEDS_NOTHING)
{
	static const char *const samples[] = {
		"control/samples/policy-default.yaml",
		"control/samples/policy-enforce-demo.yaml",
		"control/samples/policy-singapore.yaml",
		"control/samples/policy-ss7.yaml",
	};
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(samples); i++) {
		struct tg_error err;
		uint64_t length;
		void *image;

		if (tg_policy_compile_file(samples[i], &image, &length, &err) != 0)
			fail_msg("%s:%u:%u: %s", samples[i], (unsigned)err.line, err.column,
				 err.text);
		free(image);
	}
}

TG_TEST(policy_file_that_is_none, TG_NEEDS_NOTHING)
{
	struct tg_error err;
	uint64_t length;
	void *image;

	assert_int_equal(tg_policy_compile_file("/nonexistent", &image, &length, &err), -ENOENT);
	assert_int_equal(err.line, 0);
	assert_int_equal(tg_policy_compile_file("/", &image, &length, &err), -EISDIR);
	assert_int_equal(tg_policy_compile_file("/dev/zero", &image, &length, &err), -EFBIG);
	assert_null(image);
}

static void expect_documented(const char *manual, const cyaml_schema_value_t *s)
{
	const cyaml_schema_field_t *f;

	if (s->type == CYAML_SEQUENCE)
		expect_documented(manual, s->sequence.entry);
	if (s->type != CYAML_MAPPING)
		return;
	for (f = s->mapping.fields; f->key; f++) {
		char quoted[64];

		snprintf(quoted, sizeof(quoted), "`%s`", f->key);
		if (!strstr(manual, quoted))
			fail_msg("dataplane/policy/README.md does not explain %s", quoted);
		expect_documented(manual, &f->value);
	}
}

TG_TEST(policy_readme_explains_every_key, TG_NEEDS_NOTHING)
{
	size_t len;
	uint8_t *manual = tg_test_read_file("dataplane/policy/README.md", &len);

	expect_documented((const char *)manual, &tg_policy_schema);
	free(manual);
}

/* Every beginning of a policy, at a guard page: an answer, and no read beyond the end. */
static void compile_prefix(void *ctx, const uint8_t *data, size_t len)
{
	struct tg_error err;
	uint64_t length;
	void *image;

	(void)ctx;
	if (tg_policy_compile((const char *)data, len, &image, &length, &err) == 0)
		free(image);
}

TG_TEST(policy_file_truncated_text, TG_NEEDS_NOTHING)
{
	tg_guard_truncate(tg_policy_default_text, strlen(tg_policy_default_text), compile_prefix,
			  NULL);
}
