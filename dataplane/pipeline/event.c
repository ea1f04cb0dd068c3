/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>
#include <xxhash.h>

#include "dataplane/pipeline/layout.h"
#include "tollgate/event.h"

static void fill_identity(struct tg_event_identity *e, const struct tg_sig_msg *m, unsigned i,
			  uint32_t listing)
{
	const struct tg_span raw = tg_identity_raw(m, i);

	e->num = m->id[i].num;
	e->listing = listing;
	e->source = m->id[i].source;
	e->role = m->id[i].role;
	e->cls = m->id[i].cls;
	e->raw_len = (uint8_t)(raw.len < UINT8_MAX ? raw.len : UINT8_MAX);
	if (raw.len > 0)
		memcpy(e->raw, raw.data, raw.len < TG_EVENT_RAW_MAX ? raw.len : TG_EVENT_RAW_MAX);
}

static void fill_party(struct tg_event_identity *e, const struct tg_isup_party *p)
{
	e->has_party = true;
	e->nature = p->nature;
	e->plan = p->plan;
	e->presentation = p->presentation;
	e->screening = p->screening;
	e->qualifier = p->qualifier;
}

static void fill_ss7(struct tg_event *e, const struct tg_ss7 *s)
{
	const struct {
		uint32_t opc, dpc, appearance, cic;
		uint64_t caller, called;
	} name = { s->mtp3.opc,
		   s->mtp3.dpc,
		   s->mtp3.network_appearance,
		   s->isup.cic,
		   e->caller < e->n_ids ? e->id[e->caller].num.v : 0,
		   e->called < e->n_ids ? e->id[e->called].num.v : 0 };

	static_assert(sizeof(name) == 32, "nothing between the fields is hashed");
	e->call_key = XXH3_64bits(&name, sizeof(name));
	e->has_mtp3 = true;
	e->opc = s->mtp3.opc;
	e->dpc = s->mtp3.dpc;
	e->has_network_appearance = s->mtp3.has_network_appearance;
	e->network_appearance = s->mtp3.network_appearance;
	e->cic = s->isup.cic;
	e->calling_category = s->isup.category;
}

static void copy_name(char to[TG_POLICY_NAME_MAX + 1], const char *name)
{
	memcpy(to, name, strnlen(name, TG_POLICY_NAME_MAX));
}

/* Names and the answer's code are copied now: the policy may be gone when the event is read. */
static void fill_policy(struct tg_event *e, const struct tg_policy *p, const struct tg_verdict *v)
{
	copy_name(e->rule, tg_policy_rule_name(p, v->rule));
	copy_name(e->shadow_rule, tg_policy_rule_name(p, v->shadow_rule));
	if (v->trunk < p->n_trunks)
		copy_name(e->trunk, p->trunk[v->trunk].name);
	if (v->action == TG_ACTION_MARK && v->answer < p->n_marks)
		copy_name(e->mark, p->mark[v->answer].name);
	if (v->action == TG_ACTION_REJECT || v->action == TG_ACTION_DIVERT)
		e->answer_code = v->answer < p->n_answers ? p->answer[v->answer].code
							  : TG_ANSWER_FALLBACK_CODE;
}

static void fill_frame(struct tg_event *e, const struct tg_frame_in *in, const struct tg_result *r)
{
	const struct tg_frame *f = &r->frame;
	const size_t len = f->ip_version == 6 ? 16 : 4;

	e->ip_version = f->ip_version;
	e->port = in->port;
	e->vlan = tg_layout_vlan(f);
	e->sport = f->sport;
	e->dport = f->dport;
	if (f->ip_version == 0)
		return;
	memcpy(e->src, tg_layout_source(r->data, f), len);
	memcpy(e->dst, tg_layout_destination(r->data, f), len);
}

void tg_event_fill(struct tg_event *e, const struct tg_generation *gen,
		   const struct tg_frame_in *in, const struct tg_result *r)
{
	const struct tg_sig_msg *m = r->sig;
	unsigned i;

	memset(e, 0, sizeof(*e));
	e->generation = gen->number;
	e->generation_hash = gen->hash;
	e->verdict = r->verdict;
	e->protocol = m->protocol;
	e->message = m->message;
	e->fate = r->fate;
	e->reason = r->reason;
	e->repeated = r->repeated;
	e->same_call = r->same_call;
	e->attest = m->attest;
	e->passports = (uint8_t)(m->passports + m->passports_unread);
	e->verification = m->verification;
	e->caller = m->caller;
	e->called = m->called;
	e->n_ids = m->n_ids;
	for (i = 0; i < m->n_ids; i++)
		fill_identity(&e->id[i], m, i, r->listing[i]);
	for (i = r->first_party; r->isup && i < m->n_ids; i++)
		fill_party(&e->id[i], &r->isup->party[i - r->first_party]);
	if (r->ss7) {
		fill_ss7(e, r->ss7);
		/* Its frame may be another call's as well, or have to wait. */
		e->fate = r->changed ? TG_FATE_EDIT : TG_FATE_FORWARD;
	} else {
		e->call_key = XXH3_64bits(r->sip->call_id.data, r->sip->call_id.len);
	}
	fill_policy(e, &gen->policy, &r->verdict);
	fill_frame(e, in, r);
}
