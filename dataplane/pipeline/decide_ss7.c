/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The last phase for calls over SS7 (traps §1.4). Nothing is answered, and nothing is kept back: a DATA chunk that
 * does not arrive stops its association. What a verdict wants is written over the message, octet for octet, and
 * remembered by TSN, so that every copy of it goes out alike.
 */
#include <string.h>

#include "dataplane/pipeline/layout.h"
#include "dataplane/pipeline/sctp.h"
#include "dataplane/pipeline/ss7.h"

#define CHANGES_MAX 8 /* a sink is one, a restriction one an address, a null message two or three */
/* A run of equal bytes shorter than this between two changes is cheaper changed along with them. */
#define GAP 4

/* ---- what is changed --------------------------------------------------------------------------- */

/* The verdict carried out on a copy of the message. N1: the call goes to the sink, where the next exchange releases
 * it, and the circuits stay in step. N2, a message that means nothing, where that is not possible: the exchange
 * before gives the call up after T7 (Q.764 §2.9.8). */
static bool rewrite(const struct tg_burst_state *b, const struct tg_message *m,
		    const struct tg_verdict *v, uint8_t *copy)
{
	const struct tg_ss7_message *const s = m->ss7;
	const struct tg_span user = s->ss7.mtp3.user;
	uint8_t *const octets = copy + (user.data - s->place.bytes.data);
	const struct tg_isup *const isup = &s->ss7.isup;
	char digits[TG_ISUP_DIGITS_MAX];

	switch (tg_policy_ss7_effect(&b->gen->policy, v, isup, digits)) {
	case TG_SS7_NONE:
		return false;
	case TG_SS7_RESTRICT:
		return tg_isup_restrict(octets, user.len, isup);
	case TG_SS7_SINK:
		if (tg_isup_set_called(octets, user.len, isup,
				       (struct tg_span){ (const uint8_t *)digits,
							 isup->sig.id[isup->sig.called].raw_len }))
			return true;
		break; /* the digits lie under another parameter */
	case TG_SS7_NULL:
		break;
	}
	return tg_isup_null(octets, user.len, isup);
}

/* The first run of differing bytes in [*at, to); its length, 0: there is none. */
static uint32_t next_change(const uint8_t *was, const uint8_t *is, uint32_t *at, uint32_t to)
{
	uint32_t i = *at, last;

	while (i < to && was[i] == is[i])
		i++;
	*at = last = i;
	for (; i < to && i - *at < TG_PATCH_MAX && i - last <= GAP; i++)
		if (was[i] != is[i])
			last = i;
	return *at < to ? last - *at + 1 : 0;
}

/* What differs in one part, which lies in one chunk. */
static enum tg_reason collect(const struct tg_ss7_message *s, const struct tg_chunks_part *part,
			      const uint8_t *is, struct tg_patch *patch, unsigned *n)
{
	const uint8_t *const was = s->place.bytes.data;
	const uint32_t end = (uint32_t)part->off + part->len;
	uint32_t at = part->off, len;

	for (; (len = next_change(was, is, &at, end)) > 0; at += len) {
		struct tg_patch *const p = &patch[*n];

		if (part->gone)
			return TG_REASON_SCTP_TOO_LATE;
		if (*n == CHANGES_MAX)
			return TG_REASON_EDIT_IMPOSSIBLE;
		*p = (struct tg_patch){
			.tsn = part->tsn,
			.off = (uint16_t)(at - part->off),
			.len = (uint8_t)len,
		};
		memcpy(p->was, was + at, len);
		memcpy(p->is, is + at, len);
		(*n)++;
	}
	return TG_REASON_NONE;
}

/* By its first verdict: that is what every copy gets, whatever the policy says by now. */
static bool is_changed_already(const struct tg_burst_state *b, const struct tg_message *m)
{
	const struct tg_ss7_place *const place = &m->ss7->place;
	unsigned i;

	for (i = 0; i < place->n_parts; i++) {
		const struct tg_chunks_part *part = &place->part[i];

		if (tg_patches_wanted(b->pl->patches, b->out[m->frame].association, part->tsn,
				      (struct tg_span){ place->bytes.data + part->off, part->len },
				      b->now_ms))
			return true;
	}
	return false;
}

static uint64_t association_bit(uint64_t association)
{
	return 1ull << (association & 63);
}

/* NONE, or why the call goes on as it is. */
static enum tg_reason carry_out(const struct tg_burst_state *b, const struct tg_message *m,
				const struct tg_result *r)
{
	const struct tg_ss7_place *const place = &m->ss7->place;
	struct tg_pipeline *const pl = b->pl;
	struct tg_patch patch[CHANGES_MAX];
	enum tg_reason obstacle;
	unsigned n = 0, i;

	static_assert(sizeof(pl->scratch) >= TG_CHUNKS_MESSAGE_MAX, "any message in pieces fits");
	if (m->ss7->ss7.isup.type != TG_ISUP_IAM)
		return TG_REASON_ISUP_TOO_LATE;
	if (r->repeated && is_changed_already(b, m))
		return TG_REASON_NONE;
	if (place->signed_by_sctp)
		return TG_REASON_SCTP_AUTH;
	/* A capture that begins above SCTP has no chunks. */
	if (!b->out[m->frame].association || place->bytes.len > sizeof(pl->scratch))
		return TG_REASON_EDIT_IMPOSSIBLE;
	memcpy(pl->scratch, place->bytes.data, place->bytes.len);
	if (!rewrite(b, m, &r->verdict, pl->scratch))
		return TG_REASON_EDIT_IMPOSSIBLE;
	for (i = 0; i < place->n_parts; i++) {
		obstacle = collect(m->ss7, &place->part[i], pl->scratch, patch, &n);
		if (obstacle != TG_REASON_NONE)
			return obstacle;
	}
	for (i = 0; i < n; i++)
		patch[i].flow = b->out[m->frame].association;
	pl->new_patches |= association_bit(b->out[m->frame].association);
	return tg_patches_put(pl->patches, patch, n, b->now_ms) ? TG_REASON_NONE
								: TG_REASON_MEMORY_FULL;
}

/* ---- the verdict ------------------------------------------------------------------------------- */

/* What continues an IAM is of interest only if it makes a difference, and once: the call is on its way. */
static bool is_of_interest(const struct tg_burst_state *b, const struct tg_message *m,
			   const struct tg_verdict *v)
{
	struct tg_circuits_call call;

	if (m->ss7->ss7.isup.type == TG_ISUP_IAM)
		return true;
	return v->action != TG_ACTION_PASS &&
	       tg_circuits_find(b->pl->circuits, tg_ss7_circuit(b->pl, m->ss7), b->now_ms, &call);
}

/*
 * What nearly every IAM is: a call that nobody knows and nobody minds, for the first time. As below, but without what
 * only others need: two looks at what is remembered, two entries. False: nothing was done.
 */
static bool decide_unlisted(const struct tg_burst_state *b, const struct tg_message *m)
{
	const uint32_t *const listing = &b->pl->listings[m->first_key];
	const struct tg_policy *const p = &b->gen->policy;
	struct tg_memory_look transaction, call;
	struct tg_memory_record rec = { .epoch = b->pl->epoch };
	struct tg_result *r;
	uint64_t packed;

	if (!m->has_key || p->has_limits || !tg_policy_passes(p, m->sig, listing))
		return false;
	transaction = tg_memory_look(&b->pl->memory, m->key, b->now_ms);
	call = tg_memory_look(&b->pl->calls, m->call, b->now_ms);
	if (tg_memory_ways(&transaction, TG_MEMORY_SAME) || tg_memory_ways(&call, TG_MEMORY_KNOWN))
		return false;
	rec.verdict = tg_policy_unlisted(p, m->trunk);
	packed = tg_memory_pack(&rec, b->now_ms);
	tg_memory_put_at(&transaction, m->key, packed);
	tg_memory_put_at(&call, m->call, packed);
	r = tg_decide_place(b, m);
	r->repeated = false;
	r->same_call = false;
	r->changed = false;
	r->reason = rec.verdict.reason;
	r->verdict = rec.verdict;
	r->sig = m->sig;
	r->sip = NULL;
	r->ss7 = &m->ss7->ss7;
	r->isup = m->isup;
	r->listing = listing;
	return true;
}

static void decide_other(const struct tg_burst_state *b, const struct tg_message *m)
{
	struct tg_result r = {
		.fate = TG_FATE_FORWARD,
		.sig = m->sig,
		.ss7 = &m->ss7->ss7,
		.isup = m->isup,
		.listing = &b->pl->listings[m->first_key],
	};
	enum tg_reason obstacle = TG_REASON_NONE;
	struct tg_result *const frame = &b->out[m->frame];

	if (!tg_decide_find(b, m, &r)) {
		frame->reason = TG_REASON_BAD_CHECKSUM;
		return;
	}
	if (!is_of_interest(b, m, &r.verdict)) {
		if (!frame->judged)
			frame->reason = TG_REASON_ISUP_OTHER;
		return;
	}
	if (r.verdict.mode == TG_MODE_ENFORCE && r.verdict.action != TG_ACTION_PASS) {
		obstacle = carry_out(b, m, &r);
		r.changed = obstacle == TG_REASON_NONE;
	}
	r.reason = obstacle == TG_REASON_NONE ? r.verdict.reason : (uint8_t)obstacle;
	if (!r.repeated && obstacle == TG_REASON_NONE)
		(void)tg_decide_commit(b, m, &r, r.changed);
	/* Whatever follows goes to the sink as well, or has been found out about. */
	if (r.verdict.action != TG_ACTION_PASS && !tg_circuits_idle(b->pl->circuits, b->now_ms))
		tg_circuits_end(b->pl->circuits, tg_ss7_circuit(b->pl, m->ss7));
	r.same_call |= m->ss7->ss7.isup.type != TG_ISUP_IAM;
	tg_decide_report(b, m, &r);
}

void tg_decide_ss7(const struct tg_burst_state *b, const struct tg_message *m)
{
	if (!decide_unlisted(b, m))
		decide_other(b, m);
}

/* What was changed before has been found where its chunk was read. What has been put since, in this burst, is looked
 * for in all packets of its association; and may have pushed out another. */
static bool is_patched(const struct tg_burst_state *b, unsigned i)
{
	const struct tg_result *const r = &b->out[i];
	const bool known = b->pl->is_patched >> i & 1;

	if (tg_likely(!b->pl->new_patches))
		return known;
	return (known || (b->pl->new_patches & association_bit(r->association))) &&
	       tg_packet_is_patched(b->pl, b->in[i].data, &r->frame, r->association);
}

/* Also packets that bring again what was changed before. Those that wait are looked at when they go. */
void tg_decide_packets(const struct tg_burst_state *b)
{
	unsigned i;

	if (!b->pl->new_patches && !b->pl->is_patched)
		return;
	for (i = 0; i < b->n; i++) {
		struct tg_result *const r = &b->out[i];

		if (r->association && r->fate == TG_FATE_FORWARD &&
		    r->reason != TG_REASON_BAD_CHECKSUM && is_patched(b, i) &&
		    tg_state_checksum_ok(&b->in[i], r))
			r->fate = TG_FATE_EDIT;
	}
}
