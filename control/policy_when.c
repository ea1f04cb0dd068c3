/* SPDX-License-Identifier: BSD-3-Clause */
/* The conditions of a rule: from words to bits, intervals and words of the image. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/policy_doc.h"
#include "tollgate/numbering.h"

#define ALL_ROLES ((1u << TG_ROLE_COUNT) - 1)
#define VALID_BIT (1u << TG_NUMBERING_VALID)
#define NOT_IN_PLAN_BITS                                                                           \
	(1u << TG_NUMBERING_NO_COUNTRY | 1u << TG_NUMBERING_LENGTH | 1u << TG_NUMBERING_NO_RANGE)

/* ---- lists ------------------------------------------------------------------------------------- */

struct list_in {
	const char *path; /* of the conditions */
	const char *key;
	const struct policy_doc_list *list;
};

static void entry_path(const struct list_in *in, unsigned i, char path[POLICY_PATH_MAX])
{
	snprintf(path, POLICY_PATH_MAX, "%s.%s[%u]", in->path, in->key, i);
}

/* Words that several rules share are there once for each: 64 bytes are not worth a search. */
static int take_words(struct policy_draft *d, struct list_in in, struct tg_policy_list *out)
{
	char path[POLICY_PATH_MAX];
	unsigned i;

	if (in.list->n == 0)
		return 0;
	*out = (struct tg_policy_list){ (uint16_t)d->n_words, (uint16_t)in.list->n };
	for (i = 0; i < in.list->n; i++) {
		const char *word = in.list->word[i];

		entry_path(&in, i, path);
		if (d->n_words == TG_POLICY_MAX_WORDS)
			return tg_yaml_refuse(d->yaml, d->err, path,
					      "more than %d words in all rules together",
					      TG_POLICY_MAX_WORDS);
		if (strlen(word) > TG_POLICY_WORD_MAX ||
		    !tg_policy_text_valid(word, strlen(word) + 1))
			return tg_yaml_refuse(d->yaml, d->err, path,
					      "%s: 1 to %d characters, no control characters",
					      in.key, TG_POLICY_WORD_MAX);
		memcpy(d->word[d->n_words++].text, word, strlen(word));
	}
	return 0;
}

/* "+65" is every number that begins with it. */
static int take_numbers(struct policy_draft *d, struct list_in in, struct tg_policy_list *out)
{
	char path[POLICY_PATH_MAX];
	unsigned i;

	if (in.list->n == 0)
		return 0;
	*out = (struct tg_policy_list){ (uint16_t)d->n_intervals, (uint16_t)in.list->n };
	for (i = 0; i < in.list->n; i++) {
		const char *text = in.list->word[i];
		const struct tg_num n = tg_num_from_feed(
			(struct tg_span){ (const uint8_t *)text, (uint32_t)strlen(text) });
		uint64_t lo;

		entry_path(&in, i, path);
		if (tg_num_kind(n) != TG_NUM_E164)
			return tg_yaml_refuse(
				d->yaml, d->err, path,
				"%s: + and the digits that a number begins with, not %s", in.key,
				tg_yaml_quote(text).text);
		if (d->n_intervals == TG_POLICY_MAX_INTERVALS)
			return tg_yaml_refuse(
				d->yaml, d->err, path,
				"more than %d numbers in all rules together: list them "
				"in a feed",
				TG_POLICY_MAX_INTERVALS);
		lo = tg_num_aligned(n);
		d->interval[d->n_intervals++] = (struct tg_policy_interval){
			lo, lo + tg_num_pow10(TG_NUM_MAX_DIGITS - tg_num_len(n)) - 1
		};
	}
	return 0;
}

static int take_lists(struct policy_draft *d, const char *path, const struct policy_doc_when *w,
		      struct tg_policy_rule *r)
{
	const struct {
		const char *key;
		const struct policy_doc_list *list;
		struct tg_policy_list *out;
		int (*take)(struct policy_draft *, struct list_in, struct tg_policy_list *);
	} lists[] = {
		{ "number", &w->number, &r->number, take_numbers },
		{ "number_not", &w->number_not, &r->number_not, take_numbers },
		{ "region", &w->region, &r->region, take_words },
		{ "raw_prefix", &w->raw_prefix, &r->raw, take_words },
		{ "raw_prefix_not", &w->raw_prefix_not, &r->raw_not, take_words },
		{ "tgrp", &w->tgrp, &r->tgrp, take_words },
		{ "trunk_context", &w->trunk_context, &r->trunk_context, take_words },
		{ "orig_ioi", &w->orig_ioi, &r->orig_ioi, take_words },
	};
	unsigned i;
	int ret = 0;

	for (i = 0; i < TG_ARRAY_LEN(lists) && ret == 0; i++)
		ret = lists[i].take(d, (struct list_in){ path, lists[i].key, lists[i].list },
				    lists[i].out);
	return ret;
}

/* ---- trunks ------------------------------------------------------------------------------------ */

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
	return tg_policy_draft_unknown(d, path, "trunk", given, names, i);
}

/* By name, and by where their calls come from: a rule has a bit for each trunk either way. */
static int take_trunks(const struct policy_draft *d, const char *path,
		       const struct policy_doc_when *w, struct tg_policy_rule *r)
{
	const bool abroad = w->international == POLICY_YES;
	uint64_t bits = 0;
	unsigned i;
	int ret = 0;

	if (!w->trunk.n)
		r->trunks = TG_RULE_ANY_TRUNK;
	for (i = 0; i < w->trunk.n && ret == 0; i++) {
		char entry[POLICY_PATH_MAX];

		snprintf(entry, sizeof(entry), "%s.trunk[%u]", path, i);
		ret = take_trunk(d, entry, w->trunk.word[i], r);
	}
	if (ret != 0 || !w->international)
		return ret;
	for (i = 0; i < d->n_trunks; i++)
		if ((d->trunk[i].international != 0) == abroad)
			bits |= 1ull << i;
	r->trunks &= bits;
	return r->trunks
		       ? 0
		       : tg_yaml_refuse(d->yaml, d->err, tg_policy_path(path, "international").text,
					"no trunk %s \"international: yes\": nothing would match",
					abroad ? "has" : "is without");
}

/* ---- ranges and the plan ----------------------------------------------------------------------- */

/* Both ends of a range within [low, high]; what is left out is open. */
static int take_range(const struct policy_draft *d, const struct policy_path *path,
		      const struct policy_doc_range *in, const uint32_t limits[2], uint8_t *out_min)
{
	const uint32_t min = in && in->min ? *in->min : limits[0];
	const uint32_t max = in && in->max ? *in->max : limits[1];
	const char *key = strrchr(path->text, '.') + 1;

	if (min < limits[0] || min > limits[1])
		return tg_yaml_refuse(d->yaml, d->err, tg_policy_path(path->text, "min").text,
				      "%s is %u to %u, not %u", key, limits[0], limits[1], min);
	if (max < limits[0] || max > limits[1])
		return tg_yaml_refuse(d->yaml, d->err, tg_policy_path(path->text, "max").text,
				      "%s is %u to %u, not %u", key, limits[0], limits[1], max);
	if (min > max)
		return tg_yaml_refuse(d->yaml, d->err, path->text,
				      "%s min %u is above max %u: nothing would match", key, min,
				      max);
	out_min[0] = (uint8_t)min;
	out_min[1] = (uint8_t)max;
	return 0;
}

static int take_ranges(const struct policy_draft *d, const char *path,
		       const struct policy_doc_when *w, struct tg_policy_rule *r)
{
	static const uint32_t scores[] = { 0, TG_SCORE_MAX }, digits[] = { 1, TG_NUM_MAX_DIGITS };
	const struct policy_path score = tg_policy_path(path, "score");
	const struct policy_path length = tg_policy_path(path, "digits");
	uint8_t ends[2] = { 0 };
	int ret;

	if (w->score && !w->categories)
		return tg_yaml_refuse(
			d->yaml, d->err, score.text,
			"score is of a listing, so the rule must name a category too");
	ret = take_range(d, &score, w->score, scores, ends);
	if (ret != 0)
		return ret;
	r->score_min = ends[0];
	r->score_max = ends[1];
	if (!w->digits)
		return 0;
	ret = take_range(d, &length, w->digits, digits, ends);
	r->digits_min = ends[0];
	r->digits_max = ends[1];
	return ret;
}

static int take_plan(const struct policy_draft *d, const char *path,
		     const struct policy_doc_when *w, struct tg_policy_rule *r)
{
	if (w->valid && w->plan)
		return tg_yaml_refuse(d->yaml, d->err, tg_policy_path(path, "plan").text,
				      "either valid or plan");
	r->states = (uint8_t)w->plan;
	if (w->valid)
		r->states = w->valid == POLICY_YES ? VALID_BIT : NOT_IN_PLAN_BITS;
	if (w->types && r->states && !(r->states & VALID_BIT))
		return tg_yaml_refuse(d->yaml, d->err, tg_policy_path(path, "type").text,
				      "only a number that is in its plan has a type: nothing would "
				      "match");
	r->types = (uint16_t)w->types;
	if (w->same_prefix && (*w->same_prefix < 1 || *w->same_prefix > TG_NUM_MAX_DIGITS))
		return tg_yaml_refuse(d->yaml, d->err, tg_policy_path(path, "same_prefix").text,
				      "same_prefix must be 1 to %d digits", TG_NUM_MAX_DIGITS);
	r->same_prefix = w->same_prefix ? (uint8_t)*w->same_prefix : 0;
	return 0;
}

/* ---- parameters of ISUP ------------------------------------------------------------------------ */

/* The conditions on one parameter, and of which sources it can be asked. */
struct parameter_condition {
	const char *key;
	uint32_t asked;
	uint32_t sources;
	const char *of; /* who has it */
};

static int check_parameters(const struct policy_draft *d, const char *path,
			    const struct policy_doc_when *w)
{
	const struct parameter_condition conditions[] = {
		{ "nature", w->natures, TG_POLICY_PARTY_SOURCES, "parameters of ISUP" },
		{ "number_plan", w->number_plans, TG_POLICY_PARTY_SOURCES, "parameters of ISUP" },
		{ "presentation", w->presentations, TG_POLICY_SHOWN_SOURCES,
		  "parameters of ISUP but the called number" },
		{ "screening", w->screenings, TG_POLICY_SCREENED_SOURCES,
		  "calling, generic and location numbers" },
		{ "qualifier", w->qualifiers, 1u << TG_ID_GENERIC_NUMBER, "generic numbers" },
		{ "inn", w->inn, 1u << TG_ID_CALLED_NUMBER, "the called number" },
		{ "incomplete", w->incomplete, TG_POLICY_INCOMPLETE_SOURCES,
		  "calling and generic numbers" },
	};
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(conditions); i++)
		if (conditions[i].asked && w->sources && !(w->sources & conditions[i].sources))
			return tg_yaml_refuse(
				d->yaml, d->err, tg_policy_path(path, conditions[i].key).text,
				"%s is of %s, and source names none: nothing would match",
				conditions[i].key, conditions[i].of);
	return 0;
}

static int take_isup(const struct policy_draft *d, const char *path,
		     const struct policy_doc_when *w, struct tg_policy_rule *r)
{
	static const uint8_t incomplete[] = { 0, [POLICY_YES] = 1 << 1, [POLICY_NO] = 1 << 0 };

	r->natures = (uint8_t)w->natures;
	r->number_plans = (uint8_t)w->number_plans;
	r->presentations = (uint8_t)w->presentations;
	r->screenings = (uint8_t)w->screenings;
	r->qualifiers = (uint8_t)w->qualifiers;
	r->inns = (uint8_t)w->inn;
	r->incompletes = incomplete[w->incomplete];
	r->protocols = (uint8_t)w->protocols;
	r->calling_categories = (uint8_t)w->calling_categories;
	return check_parameters(d, path, w);
}

/* ---- all of them ------------------------------------------------------------------------------- */

int tg_policy_draft_when(struct policy_draft *d, const char *path, const struct policy_doc_when *w,
			 struct tg_policy_rule *r)
{
	int ret;

	r->roles = (uint8_t)(w->roles ? w->roles : ALL_ROLES);
	r->sources = (uint16_t)w->sources;
	r->categories = (uint16_t)w->categories;
	r->classes = (uint16_t)w->classes;
	r->contradictions = (uint16_t)w->contradictions;
	r->privacy = (uint8_t)w->privacy;
	r->attestations = (uint8_t)w->attestations;
	r->verifications = (uint8_t)w->verifications;
	r->has = (uint32_t)w->has;
	r->has_not = (uint32_t)w->has_not;
	if (r->has & r->has_not)
		return tg_yaml_refuse(d->yaml, d->err, tg_policy_path(path, "has_not").text,
				      "has and has_not name the same: nothing would match");
	ret = take_ranges(d, path, w, r);
	if (ret == 0)
		ret = take_plan(d, path, w, r);
	if (ret == 0)
		ret = take_isup(d, path, w, r);
	if (ret == 0)
		ret = take_lists(d, path, w, r);
	if (ret == 0)
		ret = take_trunks(d, path, w, r);
	r->extended = tg_policy_rule_is_extended(r);
	return ret;
}
