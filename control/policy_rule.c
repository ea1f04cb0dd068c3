/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "control/policy_doc.h"

#define GUARDED (1u << TG_CATEGORY_ALLOW | 1u << TG_CATEGORY_EMERGENCY)
/* What a list says for certain, or the plan: nobody estimated anything. */
#define DETERMINISTIC                                                                              \
	(1u << TG_CATEGORY_DNO | 1u << TG_CATEGORY_UNALLOCATED | 1u << TG_CATEGORY_INVALID)

struct rule_in {
	const struct policy_doc_rule *rule;
	const struct policy_doc_when *when;
	char path[POLICY_PATH_MAX / 2];	     /* "rules[3]" */
	char when_path[POLICY_PATH_MAX / 2]; /* "rules[3].when" */
};

int tg_policy_draft_unknown(const struct policy_draft *d, const char *path, const char *kind,
			    const char *given, const char *const *names, size_t n)
{
	return tg_yaml_refuse(d->yaml, d->err, path, "there is no %s %s%s", kind,
			      tg_yaml_quote(given).text,
			      n ? tg_yaml_hint(given, names, n).text : "; none is defined");
}

/* ---- what then --------------------------------------------------------------------------------- */

static const char *action_word(const struct rule_in *in)
{
	return in->rule->action == POLICY_ACTION_ANONYMISE ? "anonymise"
							   : tg_action_name(in->rule->action);
}

/* DNO, unallocated and invalid numbers are refused for what they are; 603+ is for what was inferred. */
static int check_answer_class(const struct policy_draft *d, const struct rule_in *in,
			      const struct tg_policy_rule *r)
{
	if (!(r->categories & DETERMINISTIC) ||
	    strcasecmp(d->answer[r->answer].phrase, TG_POLICY_NETWORK_BLOCKED) != 0)
		return 0;
	return tg_yaml_refuse(
		d->yaml, d->err, tg_policy_path(in->path, "answer").text,
		"Network Blocked is for calls that analytics blocked, not for dno, "
		"unallocated or invalid numbers (ATIS-1000099): answer those with 403, "
		"404 or a plain 603");
}

static int take_answer(const struct policy_draft *d, const struct rule_in *in,
		       struct tg_policy_rule *r)
{
	const struct policy_path path = tg_policy_path(in->path, "answer");
	const bool diverts = r->action == TG_ACTION_DIVERT;
	const char *names[TG_POLICY_MAX_ANSWERS];
	uint32_t i;

	if (r->action != TG_ACTION_REJECT && !diverts)
		return !in->rule->answer ? 0
					 : tg_yaml_refuse(d->yaml, d->err, path.text,
							  "only actions reject and divert have an "
							  "answer");
	if (!in->rule->answer)
		return tg_yaml_refuse(d->yaml, d->err, in->path,
				      "rule %s %ss, so it must name an answer", r->name,
				      tg_action_name(r->action));
	for (i = 0; i < d->n_answers; i++) {
		names[i] = d->answer[i].name;
		if (strcmp(in->rule->answer, names[i]) == 0)
			break;
	}
	if (i == d->n_answers)
		return tg_policy_draft_unknown(d, path.text, "answer", in->rule->answer, names, i);
	if (diverts != (d->answer[i].code < 400))
		return tg_yaml_refuse(d->yaml, d->err, path.text,
				      diverts ? "answer %s ends the call: a divert needs a code of "
						"300 to 399, or a sink"
					      : "answer %s diverts the call: a reject needs a code "
						"of 400 to 699",
				      names[i]);
	r->answer = (uint8_t)i;
	return check_answer_class(d, in, r);
}

/* `anonymise` is a mark that every policy has. */
static int anonymise(struct policy_draft *d, const struct rule_in *in, struct tg_policy_rule *r)
{
	static const struct tg_policy_mark hidden = { .name = "anonymise",
						      .flags = TG_MARK_ANONYMISE };
	uint32_t i;

	for (i = 0; i < d->n_marks; i++) {
		if (memcmp(&d->mark[i], &hidden, sizeof(hidden)) == 0)
			break;
	}
	if (i == TG_POLICY_MAX_MARKS)
		return tg_yaml_refuse(d->yaml, d->err, in->path,
				      "more than %d marks, anonymise among them",
				      TG_POLICY_MAX_MARKS);
	if (i == d->n_marks)
		d->mark[d->n_marks++] = hidden;
	r->answer = (uint8_t)i;
	return 0;
}

static int take_mark(struct policy_draft *d, const struct rule_in *in, struct tg_policy_rule *r)
{
	const struct policy_path path = tg_policy_path(in->path, "mark");
	const char *names[TG_POLICY_MAX_MARKS];
	uint32_t i;

	if (in->rule->action != TG_ACTION_MARK && in->rule->mark)
		return tg_yaml_refuse(d->yaml, d->err, path.text, "only action mark has a mark");
	if (r->action != TG_ACTION_MARK)
		return 0;
	if (in->rule->action == POLICY_ACTION_ANONYMISE)
		return anonymise(d, in, r);
	if (!in->rule->mark)
		return tg_yaml_refuse(d->yaml, d->err, in->path,
				      "rule %s marks, so it must name a mark", r->name);
	for (i = 0; i < d->n_marks; i++) {
		names[i] = d->mark[i].name;
		if (strcmp(in->rule->mark, names[i]) == 0) {
			r->answer = (uint8_t)i;
			return 0;
		}
	}
	return tg_policy_draft_unknown(d, path.text, "mark", in->rule->mark, names, i);
}

static bool keeps_back(const struct tg_policy_rule *r)
{
	return r->action == TG_ACTION_REJECT || r->action == TG_ACTION_DROP ||
	       r->action == TG_ACTION_DIVERT;
}

static int take_action(const struct policy_draft *d, const struct rule_in *in,
		       struct tg_policy_rule *r)
{
	const bool anonymous = in->rule->action == POLICY_ACTION_ANONYMISE;

	r->action = anonymous ? TG_ACTION_MARK : (uint8_t)in->rule->action;
	if (r->action == TG_ACTION_PASS)
		return 0;
	if (r->categories & GUARDED)
		return tg_yaml_refuse(
			d->yaml, d->err, tg_policy_path(in->when_path, "category").text,
			"allow and emergency always pass: no rule can %s them", action_word(in));
	if (keeps_back(r) && !r->categories && !r->classes && !r->extended && !in->rule->limit &&
	    r->trunks == TG_RULE_ANY_TRUNK && !in->rule->also_count)
		return tg_yaml_refuse(d->yaml, d->err, in->path,
				      "rule %s would %s every call: it must name a category, a "
				      "class, a trunk or another condition",
				      r->name, action_word(in));
	return 0;
}

static int take_share(const struct policy_draft *d, const struct rule_in *in,
		      struct tg_policy_rule *r)
{
	const uint32_t *share = in->rule->share;

	if (share && (*share < 1 || *share > 100))
		return tg_yaml_refuse(d->yaml, d->err, tg_policy_path(in->path, "share").text,
				      "share must be 1 to 100 of a hundred calls");
	if (share && in->rule->shadow)
		return tg_yaml_refuse(d->yaml, d->err, tg_policy_path(in->path, "share").text,
				      "a rule in shadow has no share: leave one of them out");
	r->share = share ? (uint8_t)*share : 100;
	r->shadow = (uint8_t)in->rule->shadow;
	return 0;
}

static int take_limit(const struct policy_draft *d, const struct rule_in *in,
		      struct tg_policy_rule *r)
{
	const struct policy_path path = tg_policy_path(in->path, "limit");
	const struct policy_doc_limit *limit = in->rule->limit;
	const uint32_t most = limit && limit->seconds
				      ? (uint32_t)(TG_LIMIT_MAX_PRODUCT / 1000 / limit->seconds)
				      : 0;

	if (!limit)
		return 0;
	if (limit->seconds < 1 || limit->seconds > 86400)
		return tg_yaml_refuse(d->yaml, d->err, tg_policy_path(path.text, "seconds").text,
				      "seconds must be 1 to 86400");
	if (limit->calls < 1 || limit->calls > most)
		return tg_yaml_refuse(d->yaml, d->err, tg_policy_path(path.text, "calls").text,
				      "calls must be 1 to %u in %u seconds", most, limit->seconds);
	if (limit->digits && (limit->per == TG_LIMIT_TRUNK || *limit->digits < 1 ||
			      *limit->digits > TG_NUM_MAX_DIGITS))
		return tg_yaml_refuse(d->yaml, d->err, tg_policy_path(path.text, "digits").text,
				      "digits are of the caller or the called number, 1 to %d",
				      TG_NUM_MAX_DIGITS);
	r->limit = (uint8_t)limit->per;
	r->limit_digits = limit->digits ? (uint8_t)*limit->digits : 0;
	r->limit_calls = limit->calls;
	r->limit_ms = limit->seconds * 1000;
	return 0;
}

/* ---- rules ------------------------------------------------------------------------------------- */

static int check_name(const struct policy_draft *d, const struct rule_in *in, uint32_t n)
{
	uint32_t j;

	for (j = 0; j < n; j++) {
		if (strcmp(d->rule[j].name, d->rule[n].name) == 0)
			return tg_yaml_refuse(d->yaml, d->err,
					      tg_policy_path(in->path, "name").text,
					      "two rules are named %s", d->rule[n].name);
	}
	return 0;
}

/* Conditions that another identity has to meet: entries behind their rule. */
static int take_also(struct policy_draft *d, const struct rule_in *in)
{
	const struct tg_policy_rule *const first = &d->rule[d->n_rules - 1];
	unsigned i;
	int ret = 0;

	for (i = 0; i < in->rule->also_count && ret == 0; i++) {
		struct tg_policy_rule *r = &d->rule[d->n_rules];
		char path[POLICY_PATH_MAX];

		snprintf(path, sizeof(path), "%s.also[%u]", in->path, i);
		if (d->n_rules == TG_POLICY_MAX_RULES)
			return tg_yaml_refuse(d->yaml, d->err, path,
					      "more than %d rules, entries of also included",
					      TG_POLICY_MAX_RULES);
		memcpy(r->name, first->name, sizeof(r->name));
		r->also = 1;
		r->action = first->action;
		r->answer = first->answer;
		r->share = 100;
		d->n_rules++;
		ret = tg_policy_draft_when(d, path, &in->rule->also[i], r);
	}
	return ret;
}

static int take_rule(struct policy_draft *d, const struct policy_doc_rule *rule, uint32_t i)
{
	static const struct policy_doc_when always;
	struct tg_policy_rule *r = &d->rule[d->n_rules];
	struct rule_in in = { .rule = rule, .when = rule->when ? rule->when : &always };
	int ret;

	snprintf(in.path, sizeof(in.path), "rules[%u]", i);
	snprintf(in.when_path, sizeof(in.when_path), "rules[%u].when", i);
	if (d->n_rules == TG_POLICY_MAX_RULES)
		return tg_yaml_refuse(d->yaml, d->err, in.path,
				      "more than %d rules, entries of also included",
				      TG_POLICY_MAX_RULES);
	ret = tg_policy_draft_name(d, in.path, rule->name, r->name);
	if (ret == 0)
		ret = check_name(d, &in, d->n_rules);
	if (ret == 0)
		ret = tg_policy_draft_when(d, in.when_path, in.when, r);
	if (ret == 0)
		ret = take_action(d, &in, r);
	if (ret == 0)
		ret = take_answer(d, &in, r);
	if (ret == 0)
		ret = take_mark(d, &in, r);
	if (ret == 0)
		ret = take_share(d, &in, r);
	if (ret == 0)
		ret = take_limit(d, &in, r);
	d->n_rules++;
	return ret == 0 ? take_also(d, &in) : ret;
}

int tg_policy_draft_rules(struct policy_draft *d, const struct policy_doc *doc)
{
	uint32_t i;
	int ret = 0;

	for (i = 0; i < doc->rules_count && ret == 0; i++)
		ret = take_rule(d, &doc->rules[i], i);
	return ret;
}
