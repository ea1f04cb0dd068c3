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

/* Names and the answer's code are copied now: the policy may be gone when the event is read. */
static void fill_policy(struct tg_event *e, const struct tg_policy *p, const struct tg_verdict *v)
{
	const char *rule = tg_policy_rule_name(p, v->rule);

	memcpy(e->rule, rule, strnlen(rule, sizeof(e->rule) - 1));
	if (v->trunk < p->n_trunks)
		memcpy(e->trunk, p->trunk[v->trunk].name,
		       strnlen(p->trunk[v->trunk].name, sizeof(e->trunk) - 1));
	if (v->action == TG_ACTION_REJECT)
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
	memcpy(e->src, tg_layout_source(r->data, f), len);
	memcpy(e->dst, tg_layout_destination(r->data, f), len);
}

void tg_event_fill(struct tg_event *e, const struct tg_generation *gen,
		   const struct tg_frame_in *in, const struct tg_result *r)
{
	const struct tg_sig_msg *m = &r->sip->sig;
	unsigned i;

	memset(e, 0, sizeof(*e));
	e->generation = gen->number;
	e->generation_hash = gen->hash;
	e->call_key = XXH3_64bits(r->sip->call_id.data, r->sip->call_id.len);
	e->verdict = r->verdict;
	e->protocol = m->protocol;
	e->fate = r->fate;
	e->reason = r->reason;
	e->repeated = r->repeated;
	e->caller = m->caller;
	e->called = m->called;
	e->n_ids = m->n_ids;
	for (i = 0; i < m->n_ids; i++)
		fill_identity(&e->id[i], m, i, r->listing[i]);
	fill_policy(e, &gen->policy, &r->verdict);
	fill_frame(e, in, r);
}
