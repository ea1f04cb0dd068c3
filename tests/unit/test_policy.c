/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The decision, trunk matching and the validation of a policy image. Policies are compiled from
 * text, so that what is tested is what operators write.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/image_write.h"
#include "control/policy_file.h"
#include "tests/support/tg_test.h"
#include "tollgate/policy.h"

/* ---- helpers ----------------------------------------------------------------------------------- */

struct fixture {
	void *image;
	uint64_t length;
	struct tg_policy p;
};

static struct fixture compile(const char *text)
{
	struct tg_image_error ierr;
	struct tg_error err;
	struct fixture f;

	if (tg_policy_compile(text, strlen(text), &f.image, &f.length, &err) != 0)
		fail_msg("%u:%u: %s", (unsigned)err.line, err.column, err.text);
	assert_int_equal(tg_policy_open(&f.p, f.image, f.length, &ierr), 0);
	return f;
}

#define ANSWER "answers:\n  - { name: no, code: 603, phrase: Decline }\n"

static struct fixture with_rules(const char *rules)
{
	char text[4096];

	snprintf(text, sizeof(text), "version: 1\n" ANSWER "rules:\n%s", rules);
	return compile(text);
}

/* A message with a caller (P-Asserted-Identity), a From, the called number and To. */
enum {
	PAI,
	FROM,
	RURI,
	TO,
	DIVERSION,
	N_IDS
};

struct call {
	struct tg_sig_msg msg;
	uint32_t listing[TG_SIG_MAX_IDS];
};

static void set_id(struct call *c, unsigned i, enum tg_id_source source, enum tg_role role)
{
	c->msg.id[i].source = (uint8_t)source;
	c->msg.id[i].role = (uint8_t)role;
	c->msg.id[i].cls = TG_NUM_CLASS_E164;
}

static struct call plain_call(void)
{
	struct call c;

	memset(&c, 0, sizeof(c));
	set_id(&c, PAI, TG_ID_PAI, TG_ROLE_CALLER);
	set_id(&c, FROM, TG_ID_FROM, TG_ROLE_CALLER);
	set_id(&c, RURI, TG_ID_REQUEST_URI, TG_ROLE_CALLED);
	set_id(&c, TO, TG_ID_TO, TG_ROLE_ORIGINAL_CALLED);
	set_id(&c, DIVERSION, TG_ID_DIVERSION, TG_ROLE_REDIRECTING);
	c.msg.n_ids = N_IDS;
	c.msg.caller = PAI;
	c.msg.called = RURI;
	return c;
}

static uint32_t as_caller(enum tg_category category, unsigned score)
{
	return tg_listing_make(tg_listing_slot(category, score), 0);
}

static uint32_t as_called(enum tg_category category, unsigned score)
{
	return tg_listing_make(0, tg_listing_slot(category, score));
}

static struct tg_verdict decide_on(const struct fixture *f, unsigned trunk, const struct call *c)
{
	const struct tg_policy_call call = { .trunk = trunk,
					     .msg = &c->msg,
					     .listing = c->listing };
	struct tg_verdict v;

	memset(&v, 0xa5, sizeof(v));
	tg_policy_decide(&f->p, &call, &v);
	return v;
}

static struct tg_verdict decide(const struct fixture *f, const struct call *c)
{
	return decide_on(f, 0, c);
}

static void expect(const struct fixture *f, const struct call *c, enum tg_action action,
		   enum tg_reason reason, unsigned identity)
{
	const struct tg_verdict v = decide(f, c);

	if (v.action != action || v.reason != reason || v.identity != identity)
		fail_msg("%s, reason %u, identity %u; not %s, %u, %u", tg_action_name(v.action),
			 v.reason, v.identity, tg_action_name(action), reason, identity);
	assert_int_equal(v.rule == TG_RULE_NONE,
			 strcmp(tg_policy_rule_name(&f->p, v.rule), "-") == 0);
}

/* ---- the default policy (architecture §9) ------------------------------------------------------ */

TG_TEST(policy_default_follows_the_contract, TG_NEEDS_NOTHING)
{
	static const enum tg_category rejected[] = {
		TG_CATEGORY_FRAUD,	 TG_CATEGORY_SCAM,    TG_CATEGORY_DNO,
		TG_CATEGORY_UNALLOCATED, TG_CATEGORY_INVALID,
	};
	const struct fixture f = compile(tg_policy_default_text);
	unsigned category, score, i;

	for (category = 1; category < TG_CATEGORY_COUNT; category++) {
		bool listed_in = false;

		for (i = 0; i < TG_ARRAY_LEN(rejected); i++)
			listed_in |= category == rejected[i];
		for (score = 0; score <= TG_SCORE_MAX; score++) {
			const bool reject = listed_in && score >= 80;
			struct call c = plain_call();

			c.listing[PAI] = as_caller(category, score);
			expect(&f, &c, reject ? TG_ACTION_REJECT : TG_ACTION_PASS,
			       tg_category_reason(category), PAI);
			assert_int_equal(decide(&f, &c).mode, TG_MODE_SHADOW);
			c = plain_call();
			c.listing[RURI] = as_called(category, score);
			expect(&f, &c, reject ? TG_ACTION_REJECT : TG_ACTION_PASS,
			       tg_category_reason(category), RURI);
		}
	}
	free(f.image);
}

TG_TEST(policy_default_leaves_forwarded_and_dialled_numbers, TG_NEEDS_NOTHING)
{
	const struct fixture f = compile(tg_policy_default_text);
	struct call c = plain_call();

	c.listing[DIVERSION] = as_caller(TG_CATEGORY_FRAUD, 100);
	expect(&f, &c, TG_ACTION_PASS, TG_REASON_FRAUD, DIVERSION);
	c = plain_call();
	c.listing[TO] = as_called(TG_CATEGORY_SCAM, 100);
	expect(&f, &c, TG_ACTION_PASS, TG_REASON_SCAM, TO);
	free(f.image);
}

TG_TEST(policy_unlisted_passes, TG_NEEDS_NOTHING)
{
	const struct fixture f = compile(tg_policy_default_text);
	struct call c = plain_call();

	expect(&f, &c, TG_ACTION_PASS, TG_REASON_UNLISTED, TG_SIG_NO_ID);
	/* On the other side than the role asks: no listing at all. */
	c.listing[PAI] = as_called(TG_CATEGORY_FRAUD, 100);
	c.listing[RURI] = as_caller(TG_CATEGORY_FRAUD, 100);
	expect(&f, &c, TG_ACTION_PASS, TG_REASON_UNLISTED, TG_SIG_NO_ID);
	c.msg.n_ids = 0;
	c.msg.caller = TG_SIG_NO_ID;
	c.msg.called = TG_SIG_NO_ID;
	expect(&f, &c, TG_ACTION_PASS, TG_REASON_UNLISTED, TG_SIG_NO_ID);
	free(f.image);
}

TG_TEST(policy_first_listed_in_order_is_the_reason, TG_NEEDS_NOTHING)
{
	const struct fixture f = compile("version: 1\n");
	struct call c = plain_call();

	c.listing[DIVERSION] = as_caller(TG_CATEGORY_TDOS, 10);
	expect(&f, &c, TG_ACTION_PASS, TG_REASON_TDOS, DIVERSION);
	c.listing[FROM] = as_caller(TG_CATEGORY_SPAM, 10);
	expect(&f, &c, TG_ACTION_PASS, TG_REASON_SPAM, FROM);
	c.listing[RURI] = as_called(TG_CATEGORY_IRSF, 10);
	expect(&f, &c, TG_ACTION_PASS, TG_REASON_IRSF, RURI);
	c.listing[PAI] = as_caller(TG_CATEGORY_WANGIRI, 10);
	expect(&f, &c, TG_ACTION_PASS, TG_REASON_WANGIRI, PAI);
	free(f.image);
}

/* ---- guards ------------------------------------------------------------------------------------ */

#define REJECT_ALL                                                                                 \
	"  - name: all\n    when: { class: [absent, e164, short_code, withheld, unavailable, "     \
	"malformed, unresolved, alphanumeric] }\n    action: reject\n    answer: no\n"

TG_TEST(SIP_36_emergency_is_never_blocked, TG_NEEDS_NOTHING)
{
	const struct fixture f = with_rules(REJECT_ALL);
	struct call c = plain_call();

	expect(&f, &c, TG_ACTION_REJECT, TG_REASON_RULE, PAI);
	c.msg.id[RURI].flags = TG_ID_FLAG_EMERGENCY;
	expect(&f, &c, TG_ACTION_PASS, TG_REASON_EMERGENCY, RURI);
	c.listing[PAI] = as_caller(TG_CATEGORY_FRAUD, 100);
	c.listing[RURI] = as_called(TG_CATEGORY_ALLOW, 100);
	expect(&f, &c, TG_ACTION_PASS, TG_REASON_EMERGENCY, RURI);

	c = plain_call();
	c.listing[RURI] = as_called(TG_CATEGORY_EMERGENCY, 0);
	expect(&f, &c, TG_ACTION_PASS, TG_REASON_EMERGENCY, RURI);
	/* Not from the caller's side: "911" as a caller is a forgery as often as not. */
	c = plain_call();
	c.msg.id[PAI].flags = TG_ID_FLAG_EMERGENCY;
	expect(&f, &c, TG_ACTION_REJECT, TG_REASON_RULE, PAI);
	free(f.image);
}

/* Whoever is listed could otherwise get through with a To of his own making. */
TG_TEST(SIP_36_emergency_only_where_the_call_goes, TG_NEEDS_NOTHING)
{
	const struct fixture f = with_rules(REJECT_ALL);
	unsigned i;

	for (i = 0; i < N_IDS; i++) {
		struct call c = plain_call();

		if (i == RURI)
			continue;
		c.msg.id[i].flags |= TG_ID_FLAG_EMERGENCY;
		c.listing[i] = as_called(TG_CATEGORY_EMERGENCY, 0);
		expect(&f, &c, TG_ACTION_REJECT, TG_REASON_RULE, PAI);
	}
	free(f.image);
}

TG_TEST(policy_emergency_does_not_depend_on_rules, TG_NEEDS_NOTHING)
{
	const struct fixture f = compile("version: 1\n");
	struct call c = plain_call();

	c.msg.id[RURI].flags = TG_ID_FLAG_EMERGENCY;
	expect(&f, &c, TG_ACTION_PASS, TG_REASON_EMERGENCY, RURI);
	free(f.image);
}

TG_TEST(policy_allow_on_either_side_wins, TG_NEEDS_NOTHING)
{
	const struct fixture f = with_rules(REJECT_ALL);
	struct call c = plain_call();

	c.listing[PAI] = as_caller(TG_CATEGORY_ALLOW, 0);
	c.listing[RURI] = as_called(TG_CATEGORY_FRAUD, 100);
	expect(&f, &c, TG_ACTION_PASS, TG_REASON_ALLOW, PAI);
	c.listing[PAI] = as_caller(TG_CATEGORY_FRAUD, 100);
	c.listing[RURI] = as_called(TG_CATEGORY_ALLOW, 0);
	expect(&f, &c, TG_ACTION_PASS, TG_REASON_ALLOW, RURI);
	/* Anybody may write an allowed number into a From. */
	c = plain_call();
	c.listing[PAI] = as_caller(TG_CATEGORY_FRAUD, 100);
	c.listing[FROM] = as_caller(TG_CATEGORY_ALLOW, 0);
	expect(&f, &c, TG_ACTION_REJECT, TG_REASON_RULE, PAI);
	free(f.image);
}

TG_TEST(policy_allowed_identity_matches_no_block_rule, TG_NEEDS_NOTHING)
{
	static const struct {
		enum tg_category category;
		enum tg_action action;
		enum tg_reason reason;
	} rows[] = {
		{ TG_CATEGORY_ALLOW, TG_ACTION_PASS, TG_REASON_ALLOW },
		{ TG_CATEGORY_EMERGENCY, TG_ACTION_PASS, TG_REASON_EMERGENCY },
		{ TG_CATEGORY_SPAM, TG_ACTION_REJECT, TG_REASON_RULE },
	};
	const struct fixture f = with_rules(
		"  - name: forwarded\n    when: { role: [redirecting], "
		"class: [e164] }\n    action: reject\n    answer: no\n");
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(rows); i++) {
		struct call c = plain_call();

		c.listing[DIVERSION] = as_caller(rows[i].category, 0);
		expect(&f, &c, rows[i].action, rows[i].reason, DIVERSION);
	}
	free(f.image);
}

/* ---- rules ------------------------------------------------------------------------------------- */

TG_TEST(policy_rules_match_in_order, TG_NEEDS_NOTHING)
{
	const struct fixture f = with_rules(
		"  - name: first\n    when: { category: [spam], score: { min: 20, max: 40 } }\n"
		"    action: pass\n"
		"  - name: second\n    when: { category: [spam, irsf], score: { min: 30 } }\n"
		"    action: drop\n");
	static const struct {
		unsigned score;
		unsigned rule;
		enum tg_action action;
	} rows[] = {
		{ 19, TG_RULE_NONE, TG_ACTION_PASS },
		{ 20, 0, TG_ACTION_PASS },
		{ 40, 0, TG_ACTION_PASS },
		{ 41, 1, TG_ACTION_DROP },
		{ 100, 1, TG_ACTION_DROP },
	};
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(rows); i++) {
		struct call c = plain_call();

		c.listing[PAI] = as_caller(TG_CATEGORY_SPAM, rows[i].score);
		expect(&f, &c, rows[i].action, TG_REASON_SPAM, PAI);
		assert_int_equal(decide(&f, &c).rule, rows[i].rule);
	}
	free(f.image);
}

TG_TEST(policy_identities_within_a_rule_in_order, TG_NEEDS_NOTHING)
{
	const struct fixture f = with_rules("  - name: any\n    when: { category: [spam, irsf] }\n"
					    "    action: reject\n    answer: no\n");
	struct call c = plain_call();

	c.listing[DIVERSION] = as_caller(TG_CATEGORY_SPAM, 1);
	c.listing[FROM] = as_caller(TG_CATEGORY_SPAM, 1);
	expect(&f, &c, TG_ACTION_REJECT, TG_REASON_SPAM, FROM);
	c.listing[RURI] = as_called(TG_CATEGORY_IRSF, 1);
	expect(&f, &c, TG_ACTION_REJECT, TG_REASON_IRSF, RURI);
	c.listing[PAI] = as_caller(TG_CATEGORY_SPAM, 1);
	expect(&f, &c, TG_ACTION_REJECT, TG_REASON_SPAM, PAI);
	free(f.image);
}

TG_TEST(policy_class_is_the_reason, TG_NEEDS_NOTHING)
{
	static const enum tg_reason reason[TG_NUM_CLASS_COUNT] = {
		[TG_NUM_CLASS_ABSENT] = TG_REASON_NUMBER_ABSENT,
		[TG_NUM_CLASS_E164] = TG_REASON_RULE,
		[TG_NUM_CLASS_SHORT_CODE] = TG_REASON_NUMBER_SHORT_CODE,
		[TG_NUM_CLASS_WITHHELD] = TG_REASON_NUMBER_WITHHELD,
		[TG_NUM_CLASS_UNAVAILABLE] = TG_REASON_NUMBER_UNAVAILABLE,
		[TG_NUM_CLASS_MALFORMED] = TG_REASON_NUMBER_MALFORMED,
		[TG_NUM_CLASS_UNRESOLVED] = TG_REASON_NUMBER_UNRESOLVED,
		[TG_NUM_CLASS_ALPHANUMERIC] = TG_REASON_NUMBER_ALPHANUMERIC,
	};
	static const char *const names[] = {
#define X(sym, name) name,
		TG_NUM_CLASSES(X)
#undef X
	};
	unsigned asked, cls;

	for (asked = 0; asked < TG_NUM_CLASS_COUNT; asked++) {
		struct fixture f;
		char rule[256];

		snprintf(rule, sizeof(rule),
			 "  - name: form\n    when: { role: [called], class: [%s] }\n"
			 "    action: reject\n    answer: no\n",
			 names[asked]);
		f = with_rules(rule);
		for (cls = 0; cls < TG_NUM_CLASS_COUNT; cls++) {
			struct call c = plain_call();

			c.msg.id[RURI].cls = (uint8_t)cls;
			if (cls == asked)
				expect(&f, &c, TG_ACTION_REJECT, reason[cls], RURI);
			else
				expect(&f, &c, TG_ACTION_PASS, TG_REASON_UNLISTED, TG_SIG_NO_ID);
		}
		free(f.image);
	}
}

/* A subscriber who withholds his number from the called party has not withheld it from us. */
TG_TEST(policy_class_of_a_caller_is_the_networks_statement, TG_NEEDS_NOTHING)
{
	const struct fixture f = with_rules(
		"  - name: anonymous\n    when: { role: [caller], class: "
		"[withheld] }\n    action: reject\n    answer: no\n");
	struct call c = plain_call();

	c.msg.id[FROM].cls = TG_NUM_CLASS_WITHHELD;
	expect(&f, &c, TG_ACTION_PASS, TG_REASON_UNLISTED, TG_SIG_NO_ID);
	c.msg.caller = FROM;
	expect(&f, &c, TG_ACTION_REJECT, TG_REASON_NUMBER_WITHHELD, FROM);
	c.msg.caller = TG_SIG_NO_ID;
	expect(&f, &c, TG_ACTION_REJECT, TG_REASON_NUMBER_WITHHELD, FROM);
	free(f.image);
}

TG_TEST(policy_category_and_class_must_both_hold, TG_NEEDS_NOTHING)
{
	const struct fixture f = with_rules(
		"  - name: both\n    when: { role: [called], category: [irsf], class: "
		"[short_code] }\n    action: reject\n    answer: no\n");
	struct call c = plain_call();

	c.listing[RURI] = as_called(TG_CATEGORY_IRSF, 50);
	expect(&f, &c, TG_ACTION_PASS, TG_REASON_IRSF, RURI);
	c.msg.id[RURI].cls = TG_NUM_CLASS_SHORT_CODE;
	expect(&f, &c, TG_ACTION_REJECT, TG_REASON_IRSF, RURI);
	/* Not one identity the one, another one the other. */
	c.listing[RURI] = 0;
	c.listing[TO] = as_called(TG_CATEGORY_IRSF, 50);
	c.msg.id[TO].role = TG_ROLE_CALLED;
	expect(&f, &c, TG_ACTION_PASS, TG_REASON_IRSF, TO);
	free(f.image);
}

TG_TEST(policy_remote_party_id_of_the_called_party_has_no_say, TG_NEEDS_NOTHING)
{
	const struct fixture f = with_rules("  - name: any\n    when: { category: [fraud] }\n"
					    "    action: reject\n    answer: no\n");
	struct call c = plain_call();

	c.listing[FROM] = as_caller(TG_CATEGORY_FRAUD, 100) | as_called(TG_CATEGORY_FRAUD, 100);
	expect(&f, &c, TG_ACTION_REJECT, TG_REASON_FRAUD, FROM);
	c.msg.id[FROM].flags = TG_ID_FLAG_PARTY_CALLED;
	expect(&f, &c, TG_ACTION_PASS, TG_REASON_UNLISTED, TG_SIG_NO_ID);
	free(f.image);
}

TG_TEST(policy_rule_of_another_trunk, TG_NEEDS_NOTHING)
{
	const struct fixture f = compile(
		"version: 1\n" ANSWER "trunks:\n  - { name: a, port: 0, mode: enforce }\n"
		"  - { name: b, port: 1 }\nrules:\n  - name: only-b\n    when: { trunk: [b] }\n"
		"    action: reject\n    answer: no\n");
	const struct call c = plain_call();
	struct tg_verdict v;

	v = decide_on(&f, 0, &c);
	assert_int_equal(v.action, TG_ACTION_PASS);
	assert_int_equal(v.mode, TG_MODE_ENFORCE);
	v = decide_on(&f, 1, &c);
	assert_int_equal(v.action, TG_ACTION_REJECT);
	assert_int_equal(v.reason, TG_REASON_RULE);
	assert_int_equal(v.mode, TG_MODE_SHADOW);
	assert_int_equal(v.trunk, 1);
	/* What nobody ever passes is the catch-all. */
	v = decide_on(&f, 99, &c);
	assert_int_equal(v.trunk, 2);
	assert_int_equal(v.action, TG_ACTION_PASS);
	free(f.image);
}

/* ---- against a plain reading of the contract --------------------------------------------------- */

static bool reads_as_match(const struct tg_policy_rule *r, const struct call *c, unsigned i)
{
	const struct tg_identity *id = &c->msg.id[i];
	const bool caller_side = id->role == TG_ROLE_CALLER || id->role == TG_ROLE_REDIRECTING;
	const uint32_t slot = caller_side ? c->listing[i] & 0x7ff : c->listing[i] >> 11 & 0x7ff;
	const unsigned category = slot & 15, score = slot >> 4;
	const bool bystander = id->role == TG_ROLE_CALLER && i != c->msg.caller &&
			       c->msg.caller != TG_SIG_NO_ID;

	if (!(r->trunks & 1) || !(r->roles >> id->role & 1) || id->flags & TG_ID_FLAG_PARTY_CALLED)
		return false;
	if (r->action != TG_ACTION_PASS &&
	    (category == TG_CATEGORY_ALLOW || category == TG_CATEGORY_EMERGENCY))
		return false;
	if (r->categories && (category == 0 || !(r->categories >> category & 1) ||
			      score < r->score_min || score > r->score_max))
		return false;
	return !r->classes || (!bystander && r->classes >> id->cls & 1);
}

static unsigned plain_reading(const struct fixture *f, const struct call *c, unsigned *identity)
{
	const unsigned order[] = { c->msg.caller, c->msg.called, 0, 1, 2, 3, 4 };
	unsigned r, i;

	for (r = 0; r < f->p.n_rules; r++) {
		for (i = 0; i < TG_ARRAY_LEN(order); i++) {
			if (order[i] < N_IDS && reads_as_match(&f->p.rule[r], c, order[i])) {
				*identity = order[i];
				return r;
			}
		}
	}
	*identity = TG_SIG_NO_ID;
	return TG_RULE_NONE;
}

static struct call random_call(uint64_t *seed)
{
	struct call c = plain_call();
	unsigned i;

	for (i = 0; i < N_IDS; i++) {
		const uint64_t x = tg_test_random(seed);
		/* No emergency and no allow on the two that guards look at: those have their tests. */
		const unsigned n = i == PAI || i == RURI ? TG_CATEGORY_ALLOW : TG_CATEGORY_COUNT;

		if (x & 1)
			c.listing[i] =
				tg_listing_make(tg_listing_slot((x >> 8) % n, (x >> 16) % 101),
						tg_listing_slot((x >> 24) % n, (x >> 32) % 101));
		c.msg.id[i].cls = (x & 6) ? TG_NUM_CLASS_E164 : (x >> 40) % TG_NUM_CLASS_COUNT;
		if (i != PAI && i != RURI && (x & 0x78) == 0)
			c.msg.id[i].flags = TG_ID_FLAG_PARTY_CALLED;
	}
	return c;
}

TG_TEST(policy_agrees_with_a_plain_reading, TG_NEEDS_NOTHING)
{
	struct fixture f = compile(
		"version: 1\n" ANSWER "trunks:\n  - { name: a, port: 0 }\nrules:\n"
		"  - { name: r0, when: { role: [redirecting], category: [fraud, irsf], score: { "
		"min: "
		"60 } }, action: reject, answer: no }\n"
		"  - { name: r1, when: { role: [caller], class: [withheld, malformed] }, action: "
		"reject, answer: no }\n"
		"  - { name: r2, when: { trunk: [default], class: [e164] }, action: drop }\n"
		"  - { name: r3, when: { role: [called, original_called], category: [spam, scam, "
		"allow], class: [e164, short_code] }, action: pass }\n"
		"  - { name: r4, when: { category: [dno, invalid, tdos], score: { max: 50 } }, "
		"action: drop }\n"
		"  - { name: r5, when: { role: [original_called], class: [absent, unavailable] }, "
		"action: drop }\n");
	uint64_t seed = 20260101;
	unsigned matched = 0, i;

	for (i = 0; i < 20000; i++) {
		const struct call c = random_call(&seed);
		const struct tg_verdict v = decide(&f, &c);
		unsigned identity;
		const unsigned rule = plain_reading(&f, &c, &identity);

		assert_int_equal(v.rule, rule);
		if (rule == TG_RULE_NONE) {
			assert_int_equal(v.action, TG_ACTION_PASS);
			continue;
		}
		matched++;
		assert_int_equal(v.identity, identity);
		assert_int_equal(v.action, f.p.rule[rule].action);
	}
	assert_in_range(matched, 5000, 19000);
	free(f.image);
}
