/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "dataplane/policy/match.h"
#include "tollgate/numbering.h"

static const char *const action_names[] = {
#define X(sym, name) [TG_ACTION_##sym] = name,
	TG_ACTIONS(X)
#undef X
};

static const char *const mode_names[] = {
#define X(sym, name) [TG_MODE_##sym] = name,
	TG_MODES(X)
#undef X
};

const char *tg_action_name(unsigned action)
{
	return action < TG_ACTION_COUNT ? action_names[action] : "?";
}

const char *tg_mode_name(unsigned mode)
{
	return mode < TG_MODE_COUNT ? mode_names[mode] : "?";
}

/* One more than the exception, so that all other reasons are 0. */
static const uint8_t exceptions[TG_REASON_COUNT] = {
#define X(sym, name) [TG_REASON_##sym] = TG_EXCEPTION_##sym + 1,
	TG_EXCEPTIONS(X)
#undef X
};

static const char *const exception_names[] = {
#define X(sym, name) [TG_EXCEPTION_##sym] = name,
	TG_EXCEPTIONS(X)
#undef X
};

enum tg_exception tg_exception_of(unsigned reason)
{
	return reason < TG_REASON_COUNT && exceptions[reason]
		       ? (enum tg_exception)(exceptions[reason] - 1)
		       : TG_EXCEPTION_COUNT;
}

const char *tg_exception_name(unsigned exception)
{
	return exception < TG_EXCEPTION_COUNT ? exception_names[exception] : "?";
}

const char *tg_policy_rule_name(const struct tg_policy *p, unsigned rule)
{
	return rule < p->n_rules ? p->rule[rule].name : "-";
}

/* ---- trunks ------------------------------------------------------------------------------------ */

static bool prefix_matches(const struct tg_policy_prefix *p, unsigned version,
			   const uint8_t *address)
{
	const unsigned whole = p->bits / 8, rest = p->bits % 8;

	if (p->version == 0 || !address)
		return true;
	if (p->version != version || memcmp(p->address, address, whole) != 0)
		return false;
	return rest == 0 || (p->address[whole] ^ address[whole]) >> (8 - rest) == 0;
}

/* The way that the packet came, without what is in it. */
static bool link_matches(const struct tg_policy_trunk *t, const struct tg_trunk_key *key)
{
	/* VID 0 carries a priority and no VLAN (IEEE 802.1Q §9.6): such a frame is untagged. */
	const uint16_t vlan = key->vlan == 0 ? TG_TRUNK_NO_VLAN : key->vlan;

	return (t->port == TG_TRUNK_ANY_PORT || t->port == key->port) &&
	       (t->vlan == TG_TRUNK_ANY_VLAN || t->vlan == vlan) &&
	       prefix_matches(&t->peer, key->ip_version, key->peer) &&
	       prefix_matches(&t->local, key->ip_version, key->local);
}

static bool mtp3_matches(const struct tg_policy_trunk *t, const struct tg_mtp3 *m)
{
	if (!m)
		return t->opc == TG_TRUNK_ANY_POINT_CODE && t->dpc == TG_TRUNK_ANY_POINT_CODE &&
		       !t->has_network_appearance;
	return (t->opc == TG_TRUNK_ANY_POINT_CODE || t->opc == m->opc) &&
	       (t->dpc == TG_TRUNK_ANY_POINT_CODE || t->dpc == m->dpc) &&
	       (!t->has_network_appearance ||
		(m->has_network_appearance && m->network_appearance == t->network_appearance));
}

unsigned tg_policy_trunk_find(const struct tg_policy *p, const struct tg_trunk_key *key)
{
	unsigned i;

	for (i = 0; i + 1 < p->n_trunks; i++)
		if (link_matches(&p->trunk[i], key) && mtp3_matches(&p->trunk[i], key->mtp3))
			break;
	return i;
}

enum tg_mtp3_variant tg_policy_mtp3_variant(const struct tg_policy *p,
					    const struct tg_trunk_key *key)
{
	unsigned i;

	for (i = 0; i + 1 < p->n_trunks; i++)
		if (link_matches(&p->trunk[i], key))
			break;
	return (enum tg_mtp3_variant)p->trunk[i].mtp3;
}

/* ---- the decision ------------------------------------------------------------------------------ */

static enum tg_category category_of(uint32_t listing, enum tg_side side)
{
	const enum tg_category c = tg_slot_category(tg_listing_side(listing, side));

	return c < TG_CATEGORY_COUNT ? c : TG_CATEGORY_NONE;
}

/* Reasons follow classes by name, so that a new class does not compile without one. */
static enum tg_reason class_reason(unsigned cls)
{
	switch ((enum tg_num_class)cls) {
	case TG_NUM_CLASS_ABSENT:
		return TG_REASON_NUMBER_ABSENT;
	case TG_NUM_CLASS_SHORT_CODE:
		return TG_REASON_NUMBER_SHORT_CODE;
	case TG_NUM_CLASS_WITHHELD:
		return TG_REASON_NUMBER_WITHHELD;
	case TG_NUM_CLASS_UNAVAILABLE:
		return TG_REASON_NUMBER_UNAVAILABLE;
	case TG_NUM_CLASS_MALFORMED:
		return TG_REASON_NUMBER_MALFORMED;
	case TG_NUM_CLASS_UNRESOLVED:
		return TG_REASON_NUMBER_UNRESOLVED;
	case TG_NUM_CLASS_ALPHANUMERIC:
		return TG_REASON_NUMBER_ALPHANUMERIC;
	case TG_NUM_CLASS_E164: /* a number like any other is no reason of its own */
	case TG_NUM_CLASS_COUNT:
		break;
	}
	return TG_REASON_RULE;
}

static void add_view(struct tg_views *vs, const struct tg_sig_msg *msg, const uint32_t *listing,
		     unsigned i)
{
	const struct tg_identity *id = &msg->id[i];
	const uint32_t slot = tg_listing_side(listing[i], tg_role_side(id->role));
	const enum tg_category category = category_of(listing[i], tg_role_side(id->role));
	struct tg_view *v;

	/* The called party as the network describes it: neither caller nor where the call goes. */
	if (id->flags & TG_ID_FLAG_PARTY_CALLED)
		return;
	v = &vs->view[vs->n++];
	*v = (struct tg_view){
		.role_bit = (uint8_t)(1u << (id->role & 7)),
		.score = (uint8_t)tg_slot_score(slot),
		.category = (uint8_t)category,
		.index = (uint8_t)i,
	};
	if (category != TG_CATEGORY_NONE)
		v->category_bit = (uint16_t)(1u << category);
	/* An anonymous From beside the network's own number is a subscriber who withholds it from
	 * the called party, which is his right: only the network's statement has a class. */
	if (id->role != TG_ROLE_CALLER || msg->caller == TG_SIG_NO_ID || msg->caller == i)
		v->class_bit = (uint16_t)(1u << (id->cls & 15));
	vs->category_bits |= v->category_bit;
	vs->class_bits |= v->class_bit;
	vs->role_bits |= v->role_bit;
}

static void order_views(struct tg_views *vs, const struct tg_sig_msg *msg, const uint32_t *listing,
			unsigned n_ids)
{
	unsigned i;

	vs->n = 0;
	vs->has_contradictions = false;
	vs->category_bits = 0;
	vs->class_bits = 0;
	vs->role_bits = 0;
	if (msg->caller < n_ids)
		add_view(vs, msg, listing, msg->caller);
	if (msg->called < n_ids && msg->called != msg->caller)
		add_view(vs, msg, listing, msg->called);
	for (i = 0; i < n_ids; i++) {
		if (i != msg->caller && i != msg->called)
			add_view(vs, msg, listing, i);
	}
}

static void pass_because(struct tg_verdict *v, enum tg_reason reason, unsigned identity)
{
	v->reason = (uint8_t)reason;
	v->identity = (uint8_t)identity;
}

/* Only where the call goes: no switch routes by the To (RFC 3261 §8.1.1.2), and whoever calls may
 * write 112 into it. */
static bool guard_emergency(const struct tg_sig_msg *msg, const uint32_t *listing, unsigned n_ids,
			    struct tg_verdict *v)
{
	const unsigned i = msg->called;

	if (i >= n_ids || (!(msg->id[i].flags & TG_ID_FLAG_EMERGENCY) &&
			   category_of(listing[i], TG_SIDE_CALLED) != TG_CATEGORY_EMERGENCY))
		return false;
	pass_because(v, TG_REASON_EMERGENCY, i);
	return true;
}

static bool guard_allow(const struct tg_sig_msg *msg, const uint32_t *listing, unsigned n_ids,
			struct tg_verdict *v)
{
	if (msg->caller < n_ids &&
	    category_of(listing[msg->caller], TG_SIDE_CALLER) == TG_CATEGORY_ALLOW) {
		pass_because(v, TG_REASON_ALLOW, msg->caller);
		return true;
	}
	if (msg->called < n_ids &&
	    category_of(listing[msg->called], TG_SIDE_CALLED) == TG_CATEGORY_ALLOW) {
		pass_because(v, TG_REASON_ALLOW, msg->called);
		return true;
	}
	return false;
}

#define SPARED_BITS (1u << TG_CATEGORY_ALLOW | 1u << TG_CATEGORY_EMERGENCY)

static bool identity_matches(const struct tg_policy_rule *r, const struct tg_views *vs,
			     const struct tg_view *v)
{
	if (!(r->roles & v->role_bit))
		return false;
	if (r->categories && (!(r->categories & v->category_bit) || v->score < r->score_min ||
			      v->score > r->score_max))
		return false;
	/* Who names the header wants that header's class: UK rules tell Network and Presentation
	 * Number apart. */
	if (r->classes && !(r->classes & (r->sources ? 1u << (vs->call->msg->id[v->index].cls & 15)
						     : v->class_bit)))
		return false;
	if (r->extended && !tg_match_identity(r, vs, v))
		return false;
	return r->action == TG_ACTION_PASS || !(v->category_bit & SPARED_BITS);
}

/* The first view that meets all conditions of this entry, or NULL. Most rules are out at once. */
static const struct tg_view *entry_matches(const struct tg_policy_rule *r, struct tg_views *vs)
{
	unsigned i;

	if (!(r->trunks >> vs->trunk & 1) || !(r->roles & vs->role_bits) ||
	    (r->categories && !(r->categories & vs->category_bits)) ||
	    (r->classes && !r->sources && !(r->classes & vs->class_bits)) ||
	    (r->extended && !tg_match_message(r, vs)))
		return NULL;
	for (i = 0; i < vs->n; i++)
		if (identity_matches(r, vs, &vs->view[i]))
			return &vs->view[i];
	return NULL;
}

/* The rule at p->rule[i], and what stands behind it to be met as well. */
static const struct tg_view *rule_matches(const struct tg_policy *p, unsigned i,
					  struct tg_views *vs)
{
	const struct tg_view *v = entry_matches(&p->rule[i], vs);

	while (v && ++i < p->n_rules && p->rule[i].also)
		if (!entry_matches(&p->rule[i], vs))
			return NULL;
	return v;
}

static uint64_t limit_of(const struct tg_policy_rule *r, const struct tg_views *vs)
{
	const struct tg_sig_msg *const m = vs->call->msg;
	const unsigned i = r->limit == TG_LIMIT_CALLED ? m->called : m->caller;
	struct tg_num n = { 0 };

	if (r->limit == TG_LIMIT_TRUNK)
		return vs->trunk;
	if (i < m->n_ids)
		n = m->id[i].num;
	if (r->limit_digits && tg_num_kind(n) == TG_NUM_E164 && tg_num_len(n) > r->limit_digits)
		n = tg_num_make(TG_NUM_E164, r->limit_digits,
				tg_num_value(n) / tg_num_pow10(tg_num_len(n) - r->limit_digits));
	/* Who has no number shares one count with all who have none. */
	return n.v;
}

/* Is the call within what the rule lets pass? Asked last: asking takes one. */
static bool is_within_limit(const struct tg_policy_rule *r, const struct tg_views *vs)
{
	return r->limit_calls &&
	       (!vs->call->spend || vs->call->spend(vs->call->ctx, r, limit_of(r, vs)));
}

/* Is this call none of the share for which the rule is carried out? */
static bool is_in_shadow(const struct tg_policy_rule *r, const struct tg_policy_call *call)
{
	return r->shadow || (uint64_t)call->share * 100 >> 32 >= r->share;
}

static enum tg_reason rule_reason(const struct tg_policy_rule *r, const struct tg_sig_msg *msg,
				  const struct tg_view *v)
{
	if (r->limit_calls)
		return TG_REASON_RATE;
	if (r->categories)
		return tg_category_reason((enum tg_category)v->category);
	if (r->contradictions)
		return TG_REASON_CONTRADICTION;
	if (r->classes)
		return class_reason(msg->id[v->index].cls);
	return r->states && !(r->states >> TG_NUMBERING_VALID & 1) ? TG_REASON_NOT_IN_PLAN
								   : TG_REASON_RULE;
}

static void take_rule(const struct tg_policy *p, unsigned i, const struct tg_views *vs,
		      const struct tg_view *by, struct tg_verdict *v)
{
	v->action = p->rule[i].action;
	v->reason = (uint8_t)rule_reason(&p->rule[i], vs->call->msg, by);
	v->answer = p->rule[i].answer;
	v->rule = (uint16_t)i;
	v->identity = by->index;
}

/*
 * A rule in shadow must not keep a call from the rules behind it, or trying one out would let pass what
 * was rejected before. So it is noted, and only what it alone would have decided is its verdict.
 */
static bool apply_rules(const struct tg_policy *p, struct tg_views *vs, struct tg_verdict *v)
{
	struct tg_verdict shadow = *v;
	unsigned i;

	for (i = 0; i < p->n_rules; i++) {
		const struct tg_view *by;

		if (p->rule[i].also)
			continue;
		by = rule_matches(p, i, vs);
		if (!by || is_within_limit(&p->rule[i], vs))
			continue;
		if (!is_in_shadow(&p->rule[i], vs->call)) {
			take_rule(p, i, vs, by, v);
			return true;
		}
		if (v->shadow_rule == TG_RULE_NONE) {
			v->shadow_rule = (uint16_t)i;
			take_rule(p, i, vs, by, &shadow);
			shadow.mode = TG_MODE_SHADOW;
		}
	}
	if (v->shadow_rule == TG_RULE_NONE)
		return false;
	*v = shadow; /* its own rule, so none stands beside it */
	return true;
}

bool tg_policy_guard_priority(const struct tg_sig_extra *extra, struct tg_verdict *v)
{
	if (!extra->priority)
		return false;
	v->action = TG_ACTION_PASS;
	v->answer = 0;
	v->rule = TG_RULE_NONE;
	pass_because(v, TG_REASON_PRIORITY, TG_SIG_NO_ID);
	return true;
}

void tg_policy_decide(const struct tg_policy *p, const struct tg_policy_call *call,
		      struct tg_verdict *v)
{
	const unsigned trunk = tg_likely(call->trunk < p->n_trunks) ? call->trunk : p->n_trunks - 1;
	const struct tg_sig_msg *const msg = call->msg;
	const uint32_t *const listing = call->listing;
	const unsigned n_ids = msg->n_ids;
	struct tg_views views;
	unsigned i;

	*v = tg_policy_unlisted(p, trunk);
	if (tg_likely(tg_policy_passes(p, msg, listing)))
		return;

	if (guard_emergency(msg, listing, n_ids, v) || guard_allow(msg, listing, n_ids, v))
		return;
	views.policy = p;
	views.call = call;
	views.trunk = trunk;
	order_views(&views, msg, listing, n_ids);
	if (apply_rules(p, &views, v))
		return;
	for (i = 0; i < views.n; i++) {
		if (views.view[i].category_bit) {
			pass_because(v,
				     tg_category_reason((enum tg_category)views.view[i].category),
				     views.view[i].index);
			return;
		}
	}
}
