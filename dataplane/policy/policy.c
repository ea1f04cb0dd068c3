/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "tollgate/policy.h"

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

const char *tg_policy_rule_name(const struct tg_policy *p, unsigned rule)
{
	return rule < p->n_rules ? p->rule[rule].name : "-";
}

/* ---- trunks ------------------------------------------------------------------------------------ */

static bool peer_matches(const struct tg_policy_trunk *t, const struct tg_trunk_key *key)
{
	const unsigned whole = t->peer_bits / 8, rest = t->peer_bits % 8;

	if (t->peer_version == 0)
		return true;
	if (t->peer_version != key->ip_version || memcmp(t->peer, key->peer, whole) != 0)
		return false;
	return rest == 0 || (t->peer[whole] ^ key->peer[whole]) >> (8 - rest) == 0;
}

unsigned tg_policy_trunk_find(const struct tg_policy *p, const struct tg_trunk_key *key)
{
	/* VID 0 carries a priority and no VLAN (IEEE 802.1Q §9.6): such a frame is untagged. */
	const uint16_t vlan = key->vlan == 0 ? TG_TRUNK_NO_VLAN : key->vlan;
	unsigned i;

	for (i = 0; i + 1 < p->n_trunks; i++) {
		const struct tg_policy_trunk *t = &p->trunk[i];

		if ((t->port == TG_TRUNK_ANY_PORT || t->port == key->port) &&
		    (t->vlan == TG_TRUNK_ANY_VLAN || t->vlan == vlan) && peer_matches(t, key))
			break;
	}
	return i;
}

/* ---- the decision ------------------------------------------------------------------------------ */

/* An identity as rules see it. */
struct view {
	uint16_t category_bit; /* on the side that its role asks; 0 = not listed */
	uint16_t class_bit;    /* 0 = no rule may ask for its class */
	uint8_t role_bit;
	uint8_t score;
	uint8_t category;
	uint8_t index; /* in the message */
};

/* All identities in the order in which a rule tries them, and what they have between them. */
struct views {
	struct view view[TG_SIG_MAX_IDS];
	unsigned n;
	uint16_t category_bits;
	uint16_t class_bits;
	uint8_t role_bits;
};

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

static void add_view(struct views *vs, const struct tg_sig_msg *msg, const uint32_t *listing,
		     unsigned i)
{
	const struct tg_identity *id = &msg->id[i];
	const uint32_t slot = tg_listing_side(listing[i], tg_role_side(id->role));
	const enum tg_category category = category_of(listing[i], tg_role_side(id->role));
	struct view *v;

	/* The called party as the network describes it: neither caller nor where the call goes. */
	if (id->flags & TG_ID_FLAG_PARTY_CALLED)
		return;
	v = &vs->view[vs->n++];
	*v = (struct view){
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

static void order_views(struct views *vs, const struct tg_sig_msg *msg, const uint32_t *listing,
			unsigned n_ids)
{
	unsigned i;

	vs->n = 0;
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

static bool rule_matches(const struct tg_policy_rule *r, const struct view *v)
{
	if (!(r->roles & v->role_bit))
		return false;
	if (r->categories && (!(r->categories & v->category_bit) || v->score < r->score_min ||
			      v->score > r->score_max))
		return false;
	if (r->classes && !(r->classes & v->class_bit))
		return false;
	return r->action == TG_ACTION_PASS || !(v->category_bit & SPARED_BITS);
}

static enum tg_reason rule_reason(const struct tg_policy_rule *r, const struct tg_sig_msg *msg,
				  const struct view *v)
{
	if (r->categories)
		return tg_category_reason((enum tg_category)v->category);
	return r->classes ? class_reason(msg->id[v->index].cls) : TG_REASON_RULE;
}

/* Can no identity of the message meet the rule's conditions? Spares most rules the inner loop. */
static bool rule_is_out(const struct tg_policy_rule *r, unsigned trunk, const struct views *vs)
{
	return !(r->trunks >> trunk & 1) || !(r->roles & vs->role_bits) ||
	       (r->categories && !(r->categories & vs->category_bits)) ||
	       (r->classes && !(r->classes & vs->class_bits));
}

static bool apply_rules(const struct tg_policy *p, unsigned trunk, const struct tg_sig_msg *msg,
			const struct views *vs, struct tg_verdict *v)
{
	unsigned i, j;

	for (i = 0; i < p->n_rules; i++) {
		const struct tg_policy_rule *r = &p->rule[i];

		if (rule_is_out(r, trunk, vs))
			continue;
		for (j = 0; j < vs->n && !rule_matches(r, &vs->view[j]); j++)
			;
		if (j == vs->n)
			continue;
		v->action = r->action;
		v->reason = (uint8_t)rule_reason(r, msg, &vs->view[j]);
		v->answer = r->answer;
		v->rule = (uint16_t)i;
		v->identity = vs->view[j].index;
		return true;
	}
	return false;
}

void tg_policy_decide(const struct tg_policy *p, unsigned trunk, const struct tg_sig_msg *msg,
		      const uint32_t *listing, struct tg_verdict *v)
{
	const unsigned n_ids = msg->n_ids < TG_SIG_MAX_IDS ? msg->n_ids : TG_SIG_MAX_IDS;
	uint32_t listed = 0;
	struct views views;
	uint8_t flags = 0;
	unsigned i;

	if (tg_unlikely(trunk >= p->n_trunks))
		trunk = p->n_trunks - 1;
	*v = (struct tg_verdict){
		.action = TG_ACTION_PASS,
		.reason = TG_REASON_UNLISTED,
		.mode = p->trunk[trunk].mode,
		.rule = TG_RULE_NONE,
		.trunk = (uint8_t)trunk,
		.identity = TG_SIG_NO_ID,
	};
	for (i = 0; i < n_ids; i++) {
		listed |= listing[i];
		flags |= msg->id[i].flags;
	}
	/* Nearly every call: in no list, and no rule that could mind. */
	if (tg_likely(!listed && !(flags & TG_ID_FLAG_EMERGENCY) && !p->judges_unlisted))
		return;

	if (guard_emergency(msg, listing, n_ids, v) || guard_allow(msg, listing, n_ids, v))
		return;
	order_views(&views, msg, listing, n_ids);
	if (apply_rules(p, trunk, msg, &views, v))
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
