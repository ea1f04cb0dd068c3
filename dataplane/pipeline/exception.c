/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What cannot be read, or a verdict that cannot be carried out: passed and counted, unless its trunk drops
 * it. Nothing is remembered of it: a retransmission meets the same, and a CANCEL that goes on is answered
 * with 481 by who never saw its INVITE.
 */
#include <string.h>

#include "dataplane/pipeline/state.h"

uint32_t tg_exception_drops(const struct tg_burst_state *b, unsigned i)
{
	const struct tg_policy *const p = &b->gen->policy;
	const struct tg_policy_trunk *trunk;

	if (tg_likely(!p->has_drops))
		return 0;
	trunk = &p->trunk[tg_state_trunk(b, i)];
	return trunk->mode == TG_MODE_ENFORCE ? trunk->drops : 0;
}

bool tg_exception_is_spared(const struct tg_burst_state *b, unsigned i, struct tg_span text)
{
	const struct tg_policy_trunk *trunk = &b->gen->policy.trunk[tg_state_trunk(b, i)];
	struct tg_sip *const sip = &b->pl->sip[TG_MESSAGES_MAX];
	const struct tg_sig_msg *const m = &sip->sig;
	struct tg_sig_extra extra;

	if (text.len == 0 || !memchr(text.data, '\n', text.len))
		return false; /* not even a start line */
	(void)tg_sip_parse(text, sip);
	if (sip->method != TG_SIP_INVITE)
		return true;
	tg_sig_normalise(&sip->sig, &trunk->profile);
	if (m->called < m->n_ids && (m->id[m->called].flags & TG_ID_FLAG_EMERGENCY))
		return true;
	tg_sip_extra_read(sip, &extra);
	return extra.priority;
}

/* Fragments have had their word: all of a datagram's frames share it. */
#define OF_FRAGMENTS                                                                               \
	(1u << TG_EXCEPTION_FRAGMENT_MALFORMED | 1u << TG_EXCEPTION_FRAGMENT_OVERLAP |             \
	 1u << TG_EXCEPTION_FRAGMENT_LIMIT | 1u << TG_EXCEPTION_FRAGMENTS_UNASSEMBLED)

static bool is_dropped(const struct tg_burst_state *b, unsigned i)
{
	const struct tg_result *const r = &b->out[i];
	const enum tg_exception e = tg_exception_of(r->reason);

	if (e == TG_EXCEPTION_COUNT || r->fate != TG_FATE_FORWARD ||
	    r->frame.l4_proto != TG_IPPROTO_UDP ||
	    !(tg_exception_drops(b, i) & 1u << e & ~OF_FRAGMENTS))
		return false;
	/* What has a verdict was asked about the guards. */
	return r->judged ||
	       !tg_exception_is_spared(
		       b, i,
		       (struct tg_span){ r->data + r->frame.payload_off, r->frame.payload_len });
}

void tg_decide_exceptions(const struct tg_burst_state *b)
{
	unsigned i;

	if (tg_likely(!b->gen->policy.has_drops))
		return;
	for (i = 0; i < b->n; i++)
		if (tg_unlikely(is_dropped(b, i)))
			b->out[i].fate = TG_FATE_ABSORB;
}
