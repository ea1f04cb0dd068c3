/* SPDX-License-Identifier: BSD-3-Clause */
/* What the conditions of a rule mean. */
#include "dataplane/policy/match.h"

#include <string.h>

#include "tollgate/numbering.h"

/* ---- one identity ------------------------------------------------------------------------------ */

static bool in_intervals(const struct tg_policy *p, struct tg_policy_list list, uint64_t aligned)
{
	unsigned i;

	for (i = list.first; i < (unsigned)list.first + list.n; i++)
		if (aligned >= p->interval[i].lo && aligned <= p->interval[i].hi)
			return true;
	return false;
}

static bool begins_with_any(const struct tg_policy *p, struct tg_policy_list list,
			    struct tg_span text)
{
	unsigned i;

	for (i = list.first; i < (unsigned)list.first + list.n; i++) {
		const size_t len = strnlen(p->word[i].text, sizeof(p->word[i].text));

		if (text.len >= len && memcmp(text.data, p->word[i].text, len) == 0)
			return true;
	}
	return false;
}

static bool is_one_of(const struct tg_policy *p, struct tg_policy_list list, const void *text,
		      size_t len)
{
	const uint8_t *s = text;
	unsigned i;
	size_t k;

	for (i = list.first; i < (unsigned)list.first + list.n; i++) {
		const char *word = p->word[i].text;

		for (k = 0; k < len && word[k]; k++) {
			const uint8_t c = s[k], d = (uint8_t)word[k];
			const bool letter = (uint8_t)((c | 0x20) - 'a') < 26;

			if (c != d && !(letter && (c | 0x20) == (d | 0x20)))
				break;
		}
		if (k == len && word[k] == 0)
			return true;
	}
	return false;
}

/* Begins as the called number does, and is another: as if a neighbour called. */
static bool is_neighbour(const struct tg_sig_msg *m, struct tg_num n, unsigned digits)
{
	struct tg_num called;
	uint64_t unit;

	if (m->called >= m->n_ids || m->called >= TG_SIG_MAX_IDS)
		return false;
	called = m->id[m->called].num;
	if (tg_num_kind(called) != TG_NUM_E164 || tg_num_kind(n) != TG_NUM_E164 ||
	    tg_num_len(called) < digits || tg_num_len(n) < digits || called.v == n.v)
		return false;
	unit = tg_num_pow10(TG_NUM_MAX_DIGITS - digits);
	return tg_num_aligned(called) / unit == tg_num_aligned(n) / unit;
}

static bool matches_plan(const struct tg_policy_rule *r, const struct tg_policy *p, struct tg_num n)
{
	const struct tg_numbering plan = tg_numbering_find(n);

	return (!r->states || r->states >> plan.state & 1) &&
	       (!r->types || (plan.state == TG_NUMBERING_VALID && r->types >> plan.type & 1)) &&
	       (!r->region.n || is_one_of(p, r->region, plan.region, strlen(plan.region)));
}

/* `asked` is 0, or has the bit of what the parameter says, and the parameter is one that says it. */
static bool says(unsigned asked, unsigned says_so, unsigned source, unsigned value)
{
	return !asked || ((says_so >> source & 1) && (asked >> value & 1));
}

static bool asks_party(const struct tg_policy_rule *r)
{
	return r->natures || r->number_plans || r->presentations || r->screenings || r->inns ||
	       r->incompletes || r->qualifiers;
}

/* Conditions on a parameter of ISUP; nothing else meets one: each is asked of some of their sources. */
static bool matches_party(const struct tg_policy_rule *r, const struct tg_policy_call *call,
			  unsigned i)
{
	const unsigned source = call->msg->id[i].source & 15;
	const struct tg_isup_party *p;

	if (!call->isup || i < call->first_party || i - call->first_party >= TG_SIG_MAX_IDS)
		return false;
	p = &call->isup->party[i - call->first_party];
	return says(r->natures, TG_POLICY_PARTY_SOURCES, source, tg_isup_nature(p->nature)) &&
	       says(r->number_plans, TG_POLICY_PARTY_SOURCES, source, tg_isup_plan(p->plan)) &&
	       says(r->presentations, TG_POLICY_SHOWN_SOURCES, source,
		    tg_isup_shown(p->presentation)) &&
	       says(r->screenings, TG_POLICY_SCREENED_SOURCES, source, p->screening & 3) &&
	       says(r->inns, 1u << TG_ID_CALLED_NUMBER, source, p->inn_not_allowed) &&
	       says(r->incompletes, TG_POLICY_INCOMPLETE_SOURCES, source, p->incomplete) &&
	       says(r->qualifiers, 1u << TG_ID_GENERIC_NUMBER, source,
		    tg_isup_qualifier(p->qualifier));
}

bool tg_match_identity(const struct tg_policy_rule *r, const struct tg_views *vs,
		       const struct tg_view *v)
{
	const struct tg_sig_msg *const m = vs->call->msg;
	const struct tg_identity *const id = &m->id[v->index];
	const struct tg_policy *const p = vs->policy;

	if (r->sources && !(r->sources >> (id->source & 15) & 1))
		return false;
	if (asks_party(r) && !matches_party(r, vs->call, v->index))
		return false;
	if (r->digits_max && (tg_num_is_none(id->num) || tg_num_len(id->num) < r->digits_min ||
			      tg_num_len(id->num) > r->digits_max))
		return false;
	if (r->number.n || r->number_not.n) {
		if (tg_num_kind(id->num) != TG_NUM_E164)
			return false;
		if (r->number.n && !in_intervals(p, r->number, tg_num_aligned(id->num)))
			return false;
		if (in_intervals(p, r->number_not, tg_num_aligned(id->num)))
			return false;
	}
	if (r->same_prefix && !is_neighbour(m, id->num, r->same_prefix))
		return false;
	if (r->raw.n && !begins_with_any(p, r->raw, tg_identity_raw(m, v->index)))
		return false;
	if (r->raw_not.n &&
	    (id->raw_len == 0 || begins_with_any(p, r->raw_not, tg_identity_raw(m, v->index))))
		return false;
	return !(r->states || r->types || r->region.n) || matches_plan(r, p, id->num);
}

/* ---- contradictions ---------------------------------------------------------------------------- */

#define CONTRADICTION_BIT(sym) (1u << TG_CONTRADICTION_##sym)

static bool is_number_of(const struct tg_sig_msg *m, unsigned i, unsigned source)
{
	return m->id[i].source == source && tg_num_kind(m->id[i].num) == TG_NUM_E164 &&
	       !(m->id[i].flags & TG_ID_FLAG_PARTY_CALLED);
}

/* Both headers name numbers, and none that is the same. */
static bool disagree(const struct tg_sig_msg *m, unsigned one, unsigned other)
{
	bool both = false;
	unsigned i, j;

	for (i = 0; i < m->n_ids; i++) {
		if (!is_number_of(m, i, one))
			continue;
		for (j = 0; j < m->n_ids; j++) {
			if (!is_number_of(m, j, other))
				continue;
			if (m->id[i].num.v == m->id[j].num.v)
				return false;
			both = true;
		}
	}
	return both;
}

static bool differ_among(const struct tg_sig_msg *m, unsigned source)
{
	uint64_t first = 0;
	unsigned i;

	for (i = 0; i < m->n_ids; i++) {
		if (!is_number_of(m, i, source))
			continue;
		if (first && first != m->id[i].num.v)
			return true;
		first = m->id[i].num.v;
	}
	return false;
}

static bool names(const struct tg_sig_msg *m, unsigned source, unsigned party)
{
	unsigned i;

	if (party >= m->n_ids || tg_num_kind(m->id[party].num) != TG_NUM_E164)
		return false;
	for (i = 0; i < m->n_ids; i++)
		if (is_number_of(m, i, source) && m->id[i].num.v == m->id[party].num.v)
			return true;
	return false;
}

static bool same_number(const struct tg_sig_msg *m, unsigned a, unsigned b)
{
	return a < m->n_ids && b < m->n_ids && tg_num_kind(m->id[a].num) == TG_NUM_E164 &&
	       m->id[a].num.v == m->id[b].num.v;
}

static bool has_source(const struct tg_sig_msg *m, unsigned source)
{
	unsigned i;

	for (i = 0; i < m->n_ids; i++)
		if (m->id[i].source == source)
			return true;
	return false;
}

static uint16_t find_contradictions(const struct tg_sig_msg *m)
{
	unsigned bits = 0;

	if (disagree(m, TG_ID_FROM, TG_ID_PAI))
		bits |= CONTRADICTION_BIT(FROM_PAI);
	if (disagree(m, TG_ID_FROM, TG_ID_RPID))
		bits |= CONTRADICTION_BIT(FROM_RPID);
	if (disagree(m, TG_ID_FROM, TG_ID_PPI))
		bits |= CONTRADICTION_BIT(FROM_PPI);
	if (disagree(m, TG_ID_PAI, TG_ID_RPID))
		bits |= CONTRADICTION_BIT(PAI_RPID);
	if (disagree(m, TG_ID_FROM, TG_ID_PASSPORT_ORIG))
		bits |= CONTRADICTION_BIT(FROM_IDENTITY);
	if (disagree(m, TG_ID_PAI, TG_ID_PASSPORT_ORIG))
		bits |= CONTRADICTION_BIT(PAI_IDENTITY);
	if (differ_among(m, TG_ID_PAI))
		bits |= CONTRADICTION_BIT(PAI_PAI);
	if (disagree(m, TG_ID_TO, TG_ID_DIVERSION))
		bits |= CONTRADICTION_BIT(TO_DIVERSION);
	if (names(m, TG_ID_DIVERSION, m->caller))
		bits |= CONTRADICTION_BIT(CALLER_DIVERSION);
	if (same_number(m, m->caller, m->called))
		bits |= CONTRADICTION_BIT(CALLER_CALLED);
	if (disagree(m, TG_ID_DIVERSION, TG_ID_PASSPORT_DIV))
		bits |= CONTRADICTION_BIT(DIVERSION_IDENTITY);
	if (disagree(m, TG_ID_CALLING_NUMBER, has_source(m, TG_ID_PAI) ? TG_ID_PAI : TG_ID_FROM))
		bits |= CONTRADICTION_BIT(CALLER_ISUP);
	if (disagree(m, TG_ID_CALLED_NUMBER, TG_ID_REQUEST_URI))
		bits |= CONTRADICTION_BIT(CALLED_ISUP);
	return (uint16_t)bits;
}

/* ---- the message ------------------------------------------------------------------------------- */

static uint32_t what_it_has(const struct tg_policy_call *call)
{
	uint32_t bits = call->extra ? call->extra->traits << TG_RULE_HAS_TRAIT : 0;
	unsigned i;

	for (i = 0; i < call->msg->n_ids; i++) {
		bits |= 1u << (call->msg->id[i].source & 15);
		if (call->msg->id[i].role == TG_ROLE_REDIRECTING)
			bits |= 1u << (TG_RULE_HAS_TRAIT + TG_TRAIT_REDIRECTED);
	}
	return bits;
}

static bool span_is_one_of(const struct tg_policy *p, struct tg_policy_list list,
			   const struct tg_span *s)
{
	return list.n == 0 || (s->len > 0 && is_one_of(p, list, s->data, s->len));
}

static enum tg_attestation attestation_of(const struct tg_sig_msg *m)
{
	return m->attest >= 'A' && m->attest <= 'C' ? (enum tg_attestation)(m->attest - 'A')
						    : TG_ATTESTATION_NONE;
}

static_assert(TG_ATTESTATION_A == 0 && TG_ATTESTATION_B == 1 && TG_ATTESTATION_C == 2,
	      "in the order of the letters");

/* A call without PASSporTs is not "unverified": there is nothing to verify. */
static bool matches_passports(const struct tg_policy_rule *r, const struct tg_sig_msg *m)
{
	if (r->attestations && !(r->attestations >> attestation_of(m) & 1))
		return false;
	return !r->verifications ||
	       (m->passports + m->passports_unread > 0 && r->verifications >> m->verification & 1);
}

static bool matches_protocol(const struct tg_policy_rule *r, const struct tg_policy_call *call)
{
	if (r->protocols && !(r->protocols >> (call->msg->protocol & 7) & 1))
		return false;
	return !r->calling_categories ||
	       (call->isup && r->calling_categories >> tg_isup_category(call->isup->category) & 1);
}

bool tg_match_message(const struct tg_policy_rule *r, struct tg_views *vs)
{
	static const struct tg_sig_extra nothing;
	const struct tg_sig_extra *const x = vs->call->extra ? vs->call->extra : &nothing;

	if (r->contradictions && !vs->has_contradictions) {
		vs->contradictions = find_contradictions(vs->call->msg);
		vs->has_contradictions = true;
	}
	if (r->contradictions && !(r->contradictions & vs->contradictions))
		return false;
	if (r->has || r->has_not) {
		const uint32_t has = what_it_has(vs->call);

		if ((has & r->has) != r->has || (has & r->has_not))
			return false;
	}
	return matches_protocol(r, vs->call) && matches_passports(r, vs->call->msg) &&
	       (!r->privacy || (r->privacy & x->privacy)) &&
	       span_is_one_of(vs->policy, r->tgrp, &x->tgrp) &&
	       span_is_one_of(vs->policy, r->trunk_context, &x->trunk_context) &&
	       span_is_one_of(vs->policy, r->orig_ioi, &x->orig_ioi);
}

bool tg_policy_rule_is_extended(const struct tg_policy_rule *r)
{
	return r->sources || r->types || r->states || r->digits_max || r->same_prefix ||
	       r->number.n || r->number_not.n || r->region.n || r->raw.n || r->raw_not.n ||
	       r->tgrp.n || r->trunk_context.n || r->orig_ioi.n || r->has || r->has_not ||
	       r->contradictions || r->privacy || r->attestations || r->verifications ||
	       r->protocols || r->calling_categories || asks_party(r);
}
