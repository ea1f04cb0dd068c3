/* SPDX-License-Identifier: BSD-3-Clause */
/* Each rule pack (control/packs) against its own table (tests/vectors/packs), through the compiler. */
#include "tests/support/isup_message.h"
#include "tests/support/policy_text.h"

#define COLUMNS 8 /* see a table's first line */

enum {
	TRUNK,
	FROM,
	CALLED,
	HEADERS,
	LISTED,
	VERDICT,
	RULE_NAME,
	STATUS
};

static unsigned trunk_named(const struct fixture *f, const char *name)
{
	unsigned i;

	for (i = 0; i < f->p.n_trunks; i++)
		if (strcmp(f->p.trunk[i].name, name) == 0)
			return i;
	fail_msg("no trunk %s", name);
	return 0;
}

/* "fraud" lists every caller, "called:spam" whoever is called; score 100. */
static void list(struct fixture *f, const char *word)
{
	static const char *const names[] = {
#define X(sym, name, kind) name,
		TG_CATEGORIES(X)
#undef X
	};
	const bool called = strncmp(word, "called:", 7) == 0;
	uint32_t listing = 0;
	unsigned i;

	memset(f->listing, 0, sizeof(f->listing));
	if (strcmp(word, "-") == 0)
		return;
	for (i = 0; i < TG_ARRAY_LEN(names); i++) {
		const uint32_t slot = tg_listing_slot((enum tg_category)(i + 1), TG_SCORE_MAX);

		if (strcmp(names[i], word + (called ? 7 : 0)) == 0)
			listing = called ? tg_listing_make(0, slot) : tg_listing_make(slot, 0);
	}
	assert_int_not_equal(listing, 0);
	for (i = 0; i < TG_SIG_MAX_IDS; i++)
		f->listing[i] = listing;
}

static void header_lines(const char *text, char *out, size_t size)
{
	const char *end;

	out[0] = 0;
	while (strcmp(text, "-") != 0 && *text) {
		const size_t used = strlen(out);

		end = strstr(text, " ;; ");
		snprintf(out + used, size - used, "%.*s\r\n",
			 (int)(end ? end - text : (long)strlen(text)), text);
		text = end ? end + 4 : "";
	}
}

/* "national:2079460123": which of `names`, and the digits behind it. */
static unsigned word_before(const char *text, const char *const names[], unsigned n,
			    const char **digits)
{
	const size_t len = strcspn(text, ":");
	unsigned i;

	for (i = 0; i < n; i++)
		if (strlen(names[i]) == len && strncmp(text, names[i], len) == 0)
			break;
	if (i == n || text[len] != ':')
		fail_msg("unknown word before the digits: %s", text);
	*digits = text + len + 1;
	return i;
}

static unsigned nature_of(const char *text, const char **digits)
{
	static const char *const names[] = {
#define X(sym, name) name,
		TG_ISUP_NATURES(X)
#undef X
	};

	return tg_isup_nature_wire(
		(enum tg_isup_nature)word_before(text, names, TG_ARRAY_LEN(names), digits));
}

/* "additional_calling:12025550199", "redirecting:447700900123" */
static void put_parameter(struct message *m, char *text)
{
	static const char *const names[] = { "redirecting", "additional_called",
					     "additional_calling" };
	static const unsigned qualifiers[] = { 0, 1, 6 };
	const char *digits;
	unsigned i;

	text[strcspn(text, " ")] = 0;
	i = word_before(text, names, TG_ARRAY_LEN(names), &digits);
	if (i == 0)
		put_calling(m, 0x0b, digits, INTERNATIONAL, 0);
	else
		put_generic(m, qualifiers[i], digits);
}

static struct tg_verdict decide_isup(struct fixture *f, char *const column[COLUMNS], unsigned trunk)
{
	const char *digits, *at;
	struct tg_isup isup;
	struct tg_verdict v;
	struct message m;
	unsigned nature;
	char text[64];

	nature = nature_of(column[CALLED], &digits);
	m = begin_iam(digits, nature);
	nature = nature_of(column[FROM], &digits);
	put_calling(&m, 0x0a, digits, nature, ALLOWED_BY_NETWORK);
	for (at = column[HEADERS]; at && strcmp(at, "-") != 0; at = at ? at + 4 : NULL) {
		snprintf(text, sizeof(text), "%s", at);
		put_parameter(&m, text);
		at = strstr(at, " ;; ");
	}
	put(&m, 0);
	assert_int_equal(read_message(&m, &isup), TG_REASON_NONE);
	tg_isup_normalise(&isup, &f->p.trunk[trunk].profile);
	f->call = (struct tg_policy_call){
		.trunk = trunk, .msg = &isup.sig, .listing = f->listing, .isup = &isup
	};
	tg_policy_decide(&f->p, &f->call, &v);
	return v;
}

static struct tg_verdict decide_sip(struct fixture *f, char *const column[COLUMNS], unsigned trunk)
{
	char extra[1024];
	const struct tg_sip_text t = { .from = column[FROM],
				       .called = column[CALLED],
				       .extra = extra };

	header_lines(column[HEADERS], extra, sizeof(extra));
	return decide(f, &t, trunk);
}

/* Returns the action, enum tg_action. */
static unsigned check_row(struct fixture *f, const char *where, char *const column[COLUMNS])
{
	const bool isup = strncmp(column[TRUNK], "isup ", 5) == 0;
	const unsigned trunk = trunk_named(f, column[TRUNK] + (isup ? 5 : 0));
	char verdict[32], rule[64];
	struct tg_verdict v;
	bool trial;

	list(f, column[LISTED]);
	v = isup ? decide_isup(f, column, trunk) : decide_sip(f, column, trunk);
	/* A pack starts in shadow, whatever its rules say. */
	assert_int_equal(v.mode, TG_MODE_SHADOW);
	trial = v.rule != TG_RULE_NONE && f->p.rule[v.rule].shadow;
	snprintf(verdict, sizeof(verdict), "%s%s", trial ? "~" : "", tg_action_name(v.action));
	snprintf(rule, sizeof(rule), "%s", tg_policy_rule_name(&f->p, v.rule));
	if (strcmp(verdict, column[VERDICT]) != 0 || strcmp(rule, column[RULE_NAME]) != 0)
		fail_msg("%s: from %s: %s by %s, not %s by %s", where, column[FROM], verdict, rule,
			 column[VERDICT], column[RULE_NAME]);
	if (v.action == TG_ACTION_REJECT)
		assert_int_equal(f->p.answer[v.answer].code, atoi(column[STATUS]));
	else
		assert_string_equal(column[STATUS], "-");
	return v.action;
}

static void check_pack(const char *name)
{
	char path[96], where[128], *text, *line, *save = NULL, used[TG_POLICY_MAX_RULES] = { 0 };
	bool seen[TG_ACTION_COUNT] = { false };
	struct fixture f;
	unsigned n = 0, i;
	uint8_t *bytes;
	size_t len;

	snprintf(path, sizeof(path), "control/packs/%s.yaml", name);
	bytes = tg_test_read_file(path, &len);
	text = strndup((const char *)bytes, len);
	assert_non_null(text);
	load(&f, text);
	free(text);
	free(bytes);
	snprintf(path, sizeof(path), "tests/vectors/packs/%s.txt", name);
	bytes = tg_test_read_file(path, &len);
	text = strndup((const char *)bytes, len);
	assert_non_null(text);
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *column[COLUMNS], *at = line;

		n++;
		if (line[0] == '#')
			continue;
		for (i = 0; i < COLUMNS && at; i++) {
			column[i] = at;
			at = strstr(at, " | ");
			if (at) {
				*at = 0;
				at += 3;
			}
		}
		snprintf(where, sizeof(where), "%s:%u", path, n);
		if (i != COLUMNS || at)
			fail_msg("%s: not %d columns", where, COLUMNS);
		seen[check_row(&f, where, column)] = true;
		for (i = 0; i < f.p.n_rules; i++)
			used[i] |= strcmp(f.p.rule[i].name, column[RULE_NAME]) == 0;
	}
	assert_true(seen[TG_ACTION_REJECT] && seen[TG_ACTION_PASS]);
	/* A rule that no row reaches is not tested, also one that marks; one with a limit counts calls:
	 * test_actions.c. */
	for (i = 0; i < f.p.n_rules; i++)
		if (!used[i] && !f.p.rule[i].limit_calls)
			fail_msg("%s: no row for rule %s", path, f.p.rule[i].name);
	free(text);
	free(bytes);
	free(f.image);
}

#define PACK(name)                                                                                 \
	TG_TEST(packs_##name, TG_NEEDS_NOTHING)                                                    \
	{                                                                                          \
		check_pack(#name);                                                                 \
	}

PACK(hk)
PACK(sg)
PACK(cn)
PACK(uk)
PACK(au)
PACK(us)
PACK(eu)

/* NUM-7, NUM-8: what stands behind the number is no part of it: lists go by the number, not by rn. */
TG_TEST(NUM_7_NUM_8_parameters_are_no_part_of_the_number, TG_NEEDS_NOTHING)
{
	static const char *const called[] = {
		UK ";npdi;rn=+12025550188",
		UK ";cic=+1-6789",
		UK ";tgrp=tg1;trunk-context=+1-202",
	};
	struct fixture f;
	unsigned i;

	load(&f, RULE("role: [called], number: ['" UK "']"));
	for (i = 0; i < TG_ARRAY_LEN(called); i++) {
		const struct tg_sip_text t = { .from = SG, .called = called[i] };

		assert_int_equal(decide(&f, &t, 0).action, TG_ACTION_REJECT);
	}
	free(f.image);
}

/* NUM-9: a roaming number as the called one is nobody's: a rule lets its range pass before lists are asked. */
TG_TEST(NUM_9_roaming_numbers_are_no_subscribers, TG_NEEDS_NOTHING)
{
	const struct tg_sip_text roaming = { .from = UK, .called = "+6599900123" };
	const struct tg_sip_text plain = { .from = UK, .called = SG };
	struct fixture f;

	load(&f, HEAD "  - name: msrn\n    when: { role: [called], number: ['+65999'] }\n"
		      "    action: pass\n"
		      "  - name: listed\n    when: { role: [called], category: [fraud] }\n"
		      "    action: reject\n    answer: no\n");
	list(&f, "called:fraud");
	assert_int_equal(decide(&f, &roaming, 0).action, TG_ACTION_PASS);
	assert_int_equal(decide(&f, &plain, 0).action, TG_ACTION_REJECT);
	free(f.image);
}
