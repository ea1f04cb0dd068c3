/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "tollgate/policy.h"

/* Nature of address, Q.763 §3.9 b. */
#define NATIONAL 3
#define INTERNATIONAL 4

/* The international number in the form that the called number has; NULL: it has none there. */
static const char *in_form(const char *number, unsigned nature, const struct tg_num_profile *p)
{
	if (nature == INTERNATIONAL)
		return number;
	if (nature != NATIONAL || p->country_code_len == 0 ||
	    strncmp(number, p->country_code, p->country_code_len) != 0)
		return NULL;
	return number + p->country_code_len;
}

bool tg_policy_sink_digits(const struct tg_policy_trunk *t, const char *answer_sink,
			   unsigned nature, unsigned n, char digits[])
{
	const char *const sink = answer_sink[0] ? answer_sink : t->sink;
	const char *form;
	size_t len;

	if (sink[0] != '+') /* a number of whatever plan: it may be written into a URI only */
		return false;
	form = in_form(sink + 1, nature, &t->profile);
	len = form ? strlen(form) : 0;
	if (len == 0 || len > n)
		return false;
	memcpy(digits, form, len);
	memset(digits + len, '0', n - len);
	return true;
}

static bool ends_at_sink(const struct tg_policy *p, const struct tg_verdict *v,
			 const struct tg_isup *isup, char digits[TG_ISUP_DIGITS_MAX])
{
	const unsigned called = isup->sig.called;
	const char *answer_sink = "";

	if (called >= isup->sig.n_ids)
		return false;
	if (v->action == TG_ACTION_DIVERT && v->answer < p->n_answers)
		answer_sink = p->answer[v->answer].sink;
	return tg_policy_sink_digits(&p->trunk[v->trunk], answer_sink, isup->party[called].nature,
				     isup->sig.id[called].raw_len, digits);
}

enum tg_ss7_effect tg_policy_ss7_effect(const struct tg_policy *p, const struct tg_verdict *v,
					const struct tg_isup *isup, char digits[TG_ISUP_DIGITS_MAX])
{
	if (v->action == TG_ACTION_PASS)
		return TG_SS7_NONE;
	if (v->action == TG_ACTION_MARK)
		return v->answer < p->n_marks && p->mark[v->answer].flags & TG_MARK_ANONYMISE &&
				       isup->sig.caller != TG_SIG_NO_ID
			       ? TG_SS7_RESTRICT
			       : TG_SS7_NONE;
	return ends_at_sink(p, v, isup, digits) ? TG_SS7_SINK : TG_SS7_NULL;
}
