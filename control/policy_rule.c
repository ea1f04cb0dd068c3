/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/policy_doc.h"

#define ALL_ROLES ((1u << TG_ROLE_COUNT) - 1)
#define GUARDED (1u << TG_CATEGORY_ALLOW | 1u << TG_CATEGORY_EMERGENCY)

struct rule_in {
	const struct policy_doc_rule *rule;
	const struct policy_doc_when *when;
	char path[POLICY_PATH_MAX / 2];	     /* "rules[3]" */
	char when_path[POLICY_PATH_MAX / 2]; /* "rules[3].when" */
};

static int unknown_name(const struct policy_draft *d, const char *path, const char *kind,
			const char *given, const char *const *names, size_t n)
{
	return tg_yaml_refuse(d->yaml, d->err, path, "there is no %s %s%s", kind,
			      tg_yaml_quote(given).text,
			      n ? tg_yaml_hint(given, names, n).text : "; none is defined");
}

static int take_trunk(const struct policy_draft *d, const char *path, const char *given,
		      struct tg_policy_rule *r)
{
	const char *names[TG_POLICY_MAX_TRUNKS];
	uint32_t i;

	for (i = 0; i < d->n_trunks; i++) {
		names[i] = d->trunk[i].name;
		if (strcmp(given, names[i]) == 0) {
			r->trunks |= 1ull << i;
			return 0;
		}
	}
	return unknown_name(d, path, "trunk", given, names, i);
}

static int take_trunks(const struct policy_draft *d, const struct rule_in *in,
		       struct tg_policy_rule *r)
{
	unsigned i;
	int ret = 0;

	if (!in->when->trunk_count)
		r->trunks = TG_RULE_ANY_TRUNK;
	for (i = 0; i < in->when->trunk_count && ret == 0; i++) {
		char path[POLICY_PATH_MAX];

		snprintf(path, sizeof(path), "%s.trunk[%u]", in->when_path, i);
		ret = take_trunk(d, path, in->when->trunk[i], r);
	}
	return ret;
}

static int take_score(const struct policy_draft *d, const struct rule_in *in,
		      struct tg_policy_rule *r)
{
	const struct policy_path path = tg_policy_path(in->when_path, "score");
	const struct policy_doc_score *score = in->when->score;
	const uint32_t min = score && score->min ? *score->min : 0;
	const uint32_t max = score && score->max ? *score->max : TG_SCORE_MAX;

	if (score && !r->categories)
		return tg_yaml_refuse(
			d->yaml, d->err, path.text,
			"score is of a listing, so the rule must name a category too");
	if (min > TG_SCORE_MAX)
		return tg_yaml_refuse(d->yaml, d->err, tg_policy_path(path.text, "min").text,
				      "score is 0 to %d, not %u", TG_SCORE_MAX, min);
	if (max > TG_SCORE_MAX)
		return tg_yaml_refuse(d->yaml, d->err, tg_policy_path(path.text, "max").text,
				      "score is 0 to %d, not %u", TG_SCORE_MAX, max);
	if (min > max)
		return tg_yaml_refuse(d->yaml, d->err, path.text,
				      "score min %u is above max %u: nothing would match", min,
				      max);
	r->score_min = (uint8_t)min;
	r->score_max = (uint8_t)max;
	return 0;
}

static int take_answer(const struct policy_draft *d, const struct rule_in *in,
		       struct tg_policy_rule *r)
{
	const struct policy_path path = tg_policy_path(in->path, "answer");
	const char *names[TG_POLICY_MAX_ANSWERS];
	uint32_t i;

	if (r->action != TG_ACTION_REJECT)
		return !in->rule->answer ? 0
					 : tg_yaml_refuse(d->yaml, d->err, path.text,
							  "only action reject has an answer");
	if (!in->rule->answer)
		return tg_yaml_refuse(d->yaml, d->err, in->path,
				      "rule %s rejects, so it must name an answer", r->name);
	for (i = 0; i < d->n_answers; i++) {
		names[i] = d->answer[i].name;
		if (strcmp(in->rule->answer, names[i]) == 0) {
			r->answer = (uint8_t)i;
			return 0;
		}
	}
	return unknown_name(d, path.text, "answer", in->rule->answer, names, i);
}

static int take_action(const struct policy_draft *d, const struct rule_in *in,
		       struct tg_policy_rule *r)
{
	r->action = (uint8_t)in->rule->action;
	if (r->action == TG_ACTION_DIVERT || r->action == TG_ACTION_MARK)
		return tg_yaml_refuse(d->yaml, d->err, tg_policy_path(in->path, "action").text,
				      "action %s is not available yet", tg_action_name(r->action));
	if (r->action == TG_ACTION_PASS)
		return 0;
	if (r->categories & GUARDED)
		return tg_yaml_refuse(d->yaml, d->err,
				      tg_policy_path(in->when_path, "category").text,
				      "allow and emergency always pass: no rule can %s them",
				      tg_action_name(r->action));
	if (!r->categories && !r->classes && r->trunks == TG_RULE_ANY_TRUNK)
		return tg_yaml_refuse(d->yaml, d->err, in->path,
				      "rule %s would %s every call: it must name a category, a "
				      "class or a trunk",
				      r->name, tg_action_name(r->action));
	return 0;
}

static int check_name(const struct policy_draft *d, const struct rule_in *in, uint32_t i)
{
	uint32_t j;

	for (j = 0; j < i; j++) {
		if (strcmp(d->rule[j].name, d->rule[i].name) == 0)
			return tg_yaml_refuse(d->yaml, d->err,
					      tg_policy_path(in->path, "name").text,
					      "two rules are named %s", d->rule[i].name);
	}
	return 0;
}

static int take_rule(struct policy_draft *d, const struct policy_doc_rule *rule, uint32_t i)
{
	static const struct policy_doc_when always;
	struct tg_policy_rule *r = &d->rule[i];
	struct rule_in in = { .rule = rule, .when = rule->when ? rule->when : &always };
	int ret;

	snprintf(in.path, sizeof(in.path), "rules[%u]", i);
	snprintf(in.when_path, sizeof(in.when_path), "rules[%u].when", i);
	ret = tg_policy_draft_name(d, in.path, rule->name, r->name);
	if (ret == 0)
		ret = check_name(d, &in, i);
	if (ret != 0)
		return ret;
	r->roles = (uint8_t)(in.when->roles ? in.when->roles : ALL_ROLES);
	r->categories = (uint16_t)in.when->categories;
	r->classes = (uint16_t)in.when->classes;
	ret = take_score(d, &in, r);
	if (ret == 0)
		ret = take_trunks(d, &in, r);
	if (ret == 0)
		ret = take_action(d, &in, r);
	return ret == 0 ? take_answer(d, &in, r) : ret;
}

int tg_policy_draft_rules(struct policy_draft *d, const struct policy_doc *doc)
{
	uint32_t i;
	int ret = 0;

	for (i = 0; i < doc->rules_count && ret == 0; i++)
		ret = take_rule(d, &doc->rules[i], i);
	d->n_rules = doc->rules_count;
	return ret;
}
