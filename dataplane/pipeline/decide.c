/* SPDX-License-Identifier: BSD-3-Clause */
/* The last phase: a verdict for each INVITE, and what becomes of the frame. */
#include <string.h>

#include "dataplane/pipeline/layout.h"
#include "dataplane/pipeline/state.h"

/*
 * ISUP has no name for a call. An exchange that repeats an attempt on another circuit (dual seizure, blocking, a
 * failed continuity check: Q.764 §2.8.2) does so within a moment; who hangs up and dials again takes longer.
 */
#define REPEAT_ATTEMPT_MS 4000

/* ---- the verdict ------------------------------------------------------------------------------- */

struct tg_verdict tg_decide_now(const struct tg_burst_state *b, const struct tg_message *m,
				struct tg_verdict v, uint8_t epoch)
{
	if (epoch != b->pl->epoch) {
		v.trunk = m->trunk;
		v.rule = TG_RULE_NONE;
		v.answer = TG_ANSWER_FALLBACK;
	}
	if (!m->sig || v.identity >= m->sig->n_ids)
		v.identity = TG_SIG_NO_ID;
	return v;
}

bool tg_decide_recall(const struct tg_burst_state *b, const struct tg_message *m,
		      struct tg_result *r)
{
	struct tg_memory_look *const l = &b->pl->transaction;
	struct tg_memory_record rec;

	if (!m->has_key)
		return false;
	*l = tg_memory_look(&b->pl->memory, m->key, b->now_ms);
	if (tg_likely(!tg_memory_ways(l, TG_MEMORY_SAME)))
		return false;
	rec = tg_memory_show(l, tg_memory_ways(l, TG_MEMORY_SAME), b->now_ms);
	r->verdict = tg_decide_now(b, m, rec.verdict, rec.epoch);
	r->repeated = true;
	return true;
}

/*
 * Another transaction of a call that has a verdict: the INVITE again with credentials, or along another
 * branch (traps SIP-22, SIP-24): the same, unless it names others (SIP-25). Where rules count calls it is
 * judged anew, or one Call-ID would do for any number of calls.
 */
static bool inherit(const struct tg_burst_state *b, const struct tg_message *m, struct tg_result *r)
{
	struct tg_memory_look *const l = &b->pl->call;
	struct tg_memory_record rec;

	if (!m->has_key)
		return false;
	*l = tg_memory_look(&b->pl->calls, m->call, b->now_ms);
	if (tg_likely(!tg_memory_ways(l, TG_MEMORY_KNOWN)))
		return false;
	rec = tg_memory_show(l, tg_memory_ways(l, TG_MEMORY_KNOWN), b->now_ms);
	if (m->ss7 && rec.age_ms > REPEAT_ATTEMPT_MS)
		return false;
	r->same_call = true;
	if (b->gen->policy.has_limits || !tg_memory_ways(l, TG_MEMORY_SAME))
		return false;
	rec = tg_memory_show(l, tg_memory_ways(l, TG_MEMORY_SAME), b->now_ms);
	r->verdict = tg_decide_now(b, m, rec.verdict, rec.epoch);
	return true;
}

/* What a rule counts, by the rule's name: it goes on counting when the policy around it is changed. */
struct limit_key {
	char rule[TG_POLICY_NAME_MAX + 1];
	uint64_t of;
};

static_assert(sizeof(struct limit_key) == 40, "hashed as bytes: no padding");

static bool spend(void *ctx, const struct tg_policy_rule *rule, uint64_t of)
{
	const struct tg_burst_state *b = ctx;
	struct limit_key key = { .of = of };

	memcpy(key.rule, rule->name, strnlen(rule->name, sizeof(key.rule)));
	return tg_cap_allow(&b->pl->limits, tg_state_hash(b->pl, &key, sizeof(key)),
			    (struct tg_cap_rate){ rule->limit_calls, rule->limit_ms }, b->now_ms);
}

/* An address is 4 or 16 bytes, so this is no source's. */
struct priority_key {
	char label[8];
	uint16_t trunk;
};

/* Beyond the trunk's share of calls of priority: passed as well, but counted as what may be forged. */
static bool is_excess(const struct tg_burst_state *b, unsigned trunk)
{
	const struct tg_policy_trunk *t = &b->gen->policy.trunk[trunk];
	struct priority_key key;

	if (!t->international)
		return false;
	memset(&key, 0, sizeof(key));
	memcpy(key.label, "priority", sizeof(key.label));
	key.trunk = (uint16_t)trunk;
	return !tg_cap_allow(&b->pl->cap, tg_state_hash(b->pl, &key, sizeof(key)),
			     (struct tg_cap_rate){ t->priority_per_second, 1000 }, b->now_ms);
}

static void read_extra(const struct tg_message *m, struct tg_sig_extra *extra)
{
	*extra = (struct tg_sig_extra){ .traits = 0 };
	if (m->sip)
		tg_sip_extra_read(m->sip, extra);
	if (m->isup)
		tg_isup_extra_add(m->isup, extra);
}

/* The same for retransmissions, and on every box of a cluster. */
static uint32_t share_of(const struct tg_burst_state *b, const struct tg_message *m)
{
	if (m->ss7)
		return (uint32_t)(m->key.key >> 32);
	if (m->sip->call_id.len == 0)
		return 0;
	return (uint32_t)tg_state_hash(b->pl, m->sip->call_id.data, m->sip->call_id.len);
}

void tg_decide_judge(const struct tg_burst_state *b, const struct tg_message *m,
		     struct tg_result *r)
{
	const struct tg_policy *const p = &b->gen->policy;
	struct tg_sig_extra extra;
	struct tg_policy_call call = {
		.trunk = m->trunk,
		.msg = m->sig,
		.isup = m->isup,
		.first_party = m->first_party,
		.listing = r->listing,
		.spend = spend,
		.ctx = (void *)(uintptr_t)b,
	};

	if (inherit(b, m, r))
		return;
	if (p->asks_extra) {
		read_extra(m, &extra);
		call.extra = &extra;
	}
	if (p->has_shares)
		call.share = share_of(b, m);
	tg_policy_decide(p, &call, &r->verdict);
	if (tg_likely(r->verdict.action == TG_ACTION_PASS))
		return;
	if (!call.extra)
		read_extra(m, &extra);
	if (tg_policy_guard_priority(&extra, &r->verdict) && is_excess(b, m->trunk))
		r->verdict.reason = TG_REASON_PRIORITY_EXCESS;
}

/* ---- carrying it out --------------------------------------------------------------------------- */

/* Found out by doing it: no second list of conditions to keep in step. Rejected calls are few, and
 * building is about as much work as reading was. */
static bool is_answerable(const struct tg_burst_state *b, const struct tg_message *m,
			  const struct tg_result *r)
{
	return tg_answer_build(b->pl, b->gen, &b->in[m->frame], r, b->pl->scratch,
			       sizeof(b->pl->scratch)) > 0;
}

static bool is_editable(const struct tg_burst_state *b, const struct tg_message *m,
			const struct tg_result *r)
{
	return tg_edit_build(b->pl, b->gen, &b->in[m->frame], r, b->pl->scratch,
			     sizeof(b->pl->scratch)) > 0;
}

/* Has the answer of a DIVERT a status line? That of a policy that is gone is the built-in one's. */
static bool has_code(const struct tg_policy *p, const struct tg_verdict *v)
{
	return v->answer >= p->n_answers || p->answer[v->answer].code != 0;
}

/* What the verdict makes of the frame; *obstacle if something stands in its way. */
static enum tg_fate find_fate(const struct tg_burst_state *b, const struct tg_message *m,
			      const struct tg_result *r, enum tg_reason *obstacle)
{
	const struct tg_verdict *const v = &r->verdict;
	enum tg_fate fate = TG_FATE_FORWARD;

	if (v->mode != TG_MODE_ENFORCE || v->action == TG_ACTION_PASS)
		return TG_FATE_FORWARD;
	if (v->action == TG_ACTION_DROP)
		return TG_FATE_ABSORB;
	if (v->action == TG_ACTION_MARK || v->action == TG_ACTION_DIVERT) {
		if (is_editable(b, m, r))
			return TG_FATE_EDIT;
		*obstacle = TG_REASON_EDIT_IMPOSSIBLE;
	}
	if (v->action == TG_ACTION_REJECT ||
	    (v->action == TG_ACTION_DIVERT && has_code(&b->gen->policy, v))) {
		*obstacle = TG_REASON_NONE;
		fate = TG_FATE_ANSWER;
		/* It was possible the first time, and its CANCEL will be absorbed. */
		if (!r->repeated && !is_answerable(b, m, r)) {
			*obstacle = TG_REASON_ANSWER_IMPOSSIBLE;
			fate = TG_FATE_FORWARD;
		}
	}
	return fate;
}

bool tg_decide_commit(const struct tg_burst_state *b, const struct tg_message *m,
		      const struct tg_result *r, bool kept)
{
	const struct tg_memory_record rec = {
		.verdict = r->verdict,
		.epoch = b->pl->epoch,
		.kept = kept,
	};
	uint64_t packed;

	if (!m->has_key)
		return true;
	packed = tg_memory_pack(&rec, b->now_ms);
	if (!tg_memory_put_at(&b->pl->transaction, m->key, packed) && kept)
		return false;
	if (!r->same_call || !tg_memory_ways(&b->pl->call, TG_MEMORY_SAME))
		tg_memory_put_at(&b->pl->call, m->call, packed);
	return true;
}

static bool may_answer(const struct tg_burst_state *b, const struct tg_message *m,
		       const struct tg_result *r)
{
	const struct tg_policy_trunk *trunk = &b->gen->policy.trunk[m->trunk];
	const uint8_t *source = tg_layout_source(r->data, &r->frame);
	const uint64_t id = tg_state_hash(b->pl, source, r->frame.ip_version == 6 ? 16 : 4);

	return tg_cap_allow(&b->pl->cap, id,
			    (struct tg_cap_rate){ trunk->answers_per_second, 1000 }, b->now_ms);
}

/* A packet that its endpoint will discard: as if it had not been judged. */
static void forget(struct tg_result *r)
{
	memset(&r->verdict, 0, sizeof(r->verdict));
	r->repeated = false;
	r->same_call = false;
	r->sig = NULL;
	r->sip = NULL;
	r->isup = NULL;
	r->listing = NULL;
	r->reason = TG_REASON_BAD_CHECKSUM;
}

/* Nothing is done about it, and nothing is written down: it needs no proof. */
static bool is_clean_pass(const struct tg_verdict *v)
{
	return v->action == TG_ACTION_PASS && v->reason == TG_REASON_UNLISTED;
}

bool tg_decide_find(const struct tg_burst_state *b, const struct tg_message *m, struct tg_result *r)
{
	const struct tg_frame_in *const in = &b->in[m->frame];
	const struct tg_result *const frame = &b->out[m->frame];

	if (!tg_decide_recall(b, m, r)) {
		if (b->gen->policy.has_limits && !tg_state_checksum_ok(in, frame))
			return false;
		tg_decide_judge(b, m, r);
	}
	return tg_likely(is_clean_pass(&r->verdict)) || tg_state_checksum_ok(in, frame);
}

static void decide_invite(const struct tg_burst_state *b, const struct tg_message *m,
			  struct tg_result *r)
{
	enum tg_reason obstacle = TG_REASON_NONE;

	r->listing = &b->pl->listings[m->first_key];
	r->isup = m->isup;
	r->first_party = m->first_party;
	if (tg_unlikely(!tg_decide_find(b, m, r))) {
		forget(r);
		return;
	}
	r->judged = true;
	r->sig = m->sig;
	r->fate = (uint8_t)find_fate(b, m, r, &obstacle);
	/* What keeps a call back has to be remembered, or the call goes on: then its retransmissions and
	 * its CANCEL must go the same way. */
	if (!r->repeated && obstacle == TG_REASON_NONE &&
	    !tg_decide_commit(b, m, r, r->fate == TG_FATE_ANSWER || r->fate == TG_FATE_ABSORB)) {
		obstacle = TG_REASON_MEMORY_FULL;
		r->fate = TG_FATE_FORWARD;
	}
	r->reason = obstacle == TG_REASON_NONE ? r->verdict.reason : (uint8_t)obstacle;
	if (r->fate == TG_FATE_ANSWER && !may_answer(b, m, r)) {
		r->fate = TG_FATE_ABSORB;
		r->reason = TG_REASON_ANSWER_CAPPED;
	}
}

/* ---- ACK and CANCEL ---------------------------------------------------------------------------- */

/* Of an INVITE that went to a sink: the next hop may route by the Request-URI, which RFC 3261 §9.1 and
 * §17.1.1.3 want to be that of the INVITE. */
static void follow_to_sink(const struct tg_burst_state *b, const struct tg_message *m,
			   struct tg_result *r)
{
	struct tg_memory_record rec;

	if (!b->gen->policy.has_sinks || !m->has_key ||
	    !tg_memory_find_any(&b->pl->memory, m->key.key, b->now_ms, &rec) || rec.kept ||
	    rec.verdict.action != TG_ACTION_DIVERT || rec.verdict.mode != TG_MODE_ENFORCE)
		return;
	/* A checksum that we would make right must not have been wrong. */
	if (!tg_state_checksum_ok(&b->in[m->frame], r))
		return;
	r->verdict = tg_decide_now(b, m, rec.verdict, rec.epoch);
	if (is_editable(b, m, r))
		r->fate = TG_FATE_EDIT;
}

/* An ACK or CANCEL that belongs to an answer of ours goes no further; any other passes. */
static void decide_other(const struct tg_burst_state *b, const struct tg_message *m,
			 struct tg_result *r)
{
	const bool ack = m->sip->method == TG_SIP_ACK;
	const bool ours = ack ? tg_sip_to_tag_is_ours(m->sip, b->pl->tag_key)
			      : m->has_key && tg_memory_kept_back(&b->pl->memory, m->key.key,
								  b->now_ms);

	r->reason = TG_REASON_SIP_REQUEST;
	if (!ours) {
		follow_to_sink(b, m, r);
		return;
	}
	if (!tg_state_checksum_ok(&b->in[m->frame], r)) {
		r->reason = TG_REASON_BAD_CHECKSUM;
		return;
	}
	r->fate = TG_FATE_ABSORB;
	r->reason = ack ? TG_REASON_ACK_ABSORBED : TG_REASON_CANCEL_ABSORBED;
}

struct tg_result *tg_decide_place(const struct tg_burst_state *b, const struct tg_message *m)
{
	struct tg_result *first = &b->out[m->frame], *r = first, *last = first;

	if (first->judged) {
		r = &b->pl->more[b->pl->n_more++];
		*r = *first;
		while (last->next)
			last = (struct tg_result *)last->next;
		last->next = r;
		r->next = NULL;
	}
	r->judged = true;
	return r;
}

struct tg_result *tg_decide_report(const struct tg_burst_state *b, const struct tg_message *m,
				   const struct tg_result *v)
{
	struct tg_result *const r = tg_decide_place(b, m);

	r->repeated = v->repeated;
	r->same_call = v->same_call;
	r->changed = v->changed;
	r->reason = v->reason;
	r->verdict = v->verdict;
	r->sig = v->sig;
	r->sip = v->sip;
	r->ss7 = v->ss7;
	r->isup = v->isup;
	r->listing = v->listing;
	return r;
}

/* In the order of arrival: a retransmission in the same burst finds its first copy's verdict. */
void tg_decide_burst(const struct tg_burst_state *b)
{
	unsigned i;

	for (i = 0; i < b->pl->n_messages; i++) {
		const struct tg_message *m = &b->pl->message[i];

		if (m->ss7)
			tg_decide_ss7(b, m);
		else if (m->in_stream)
			tg_decide_stream(b, m);
		else if (m->sip->method == TG_SIP_INVITE)
			decide_invite(b, m, &b->out[m->frame]);
		else
			decide_other(b, m, &b->out[m->frame]);
	}
}
