/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Phase 2 for what SCTP carries: user messages to what is in them. Calls become messages of the burst; everything
 * else is told apart for the counters only.
 */
#include "dataplane/pipeline/ss7.h"

#include "dataplane/pipeline/layout.h"
#include "tollgate/sctp.h"
#include "tollgate/siphash.h"
#include "tollgate/sua.h"

void tg_ss7_note(struct tg_ss7_reader *p, enum tg_reason reason)
{
	const bool blind = tg_reason_kind(reason) == TG_REASON_KIND_BLIND;

	if (p->reason == TG_REASON_SCTP_CONTROL || p->reason == TG_REASON_SCTP_PART ||
	    (blind && tg_reason_kind(p->reason) != TG_REASON_KIND_BLIND))
		p->reason = reason;
	if (blind) /* by now p->reason is */
		p->b->out[p->frame].unread = (uint8_t)p->reason;
}

/* ---- user parts -------------------------------------------------------------------------------- */

/* The second word's upper half: no association (sctp.c) is named like this. */
#define ROUTE (0x73733720ull << 32)

static uint64_t name_route(struct tg_pipeline *pl, const struct tg_mtp3 *m)
{
	const uint64_t route[2] = { m->opc | (uint64_t)m->dpc << 32,
				    m->network_appearance |
					    (uint64_t)m->has_network_appearance << 32 | ROUTE };

	return tg_state_name(pl, route);
}

/* Asked for where calls are continued, or may be: mostly never. */
uint64_t tg_ss7_circuit(const struct tg_pipeline *pl, const struct tg_ss7_message *s)
{
	const uint64_t word[2] = { s->route, s->ss7.isup.cic | (uint64_t)s->ss7.isup.bicc << 32 };

	return tg_state_hash(pl, word, sizeof(word));
}

/* What continues an IAM is read with it, as if all had come at once. */
static bool read_on(struct tg_pipeline *pl, struct tg_ss7_message *s)
{
	struct tg_isup more = s->ss7.isup;
	struct tg_isup *const isup = &s->ss7.isup;
	const uint64_t circuit = tg_ss7_circuit(pl, s);
	struct tg_circuits_call call;
	struct tg_span digits = { NULL, 0 };

	if (more.type == TG_ISUP_SAM) {
		if (more.sig.called < more.sig.n_ids)
			digits = (struct tg_span){ (const uint8_t *)more.text +
							   more.sig.id[more.sig.called].raw_off,
						   more.sig.id[more.sig.called].raw_len };
		if (!tg_circuits_add(pl->circuits, circuit, s->place.part[0].tsn, digits,
				     pl->now_ms, &call))
			return false;
	} else if (!tg_circuits_find(pl->circuits, circuit, pl->now_ms, &call)) {
		return false;
	}
	if (tg_isup_read(call.iam, (enum tg_isup_variant)more.variant, more.bicc, isup) !=
		    TG_REASON_NONE ||
	    !tg_isup_append(isup, call.digits))
		return false;
	if (more.type == TG_ISUP_SGM)
		tg_isup_merge(isup, &more);
	isup->type = more.type;
	isup->sig.message = more.sig.message;
	return true;
}

/* Digits may follow where nobody says that they are all there, parameters where the IAM says so. */
static void begin_circuit(struct tg_pipeline *pl, const struct tg_ss7_message *s)
{
	if (!s->ss7.isup.end_of_digits || s->ss7.isup.more_follows)
		tg_circuits_begin(pl->circuits, tg_ss7_circuit(pl, s), s->place.part[0].tsn,
				  s->ss7.mtp3.user, pl->now_ms);
	else if (!tg_circuits_idle(pl->circuits, pl->now_ms))
		tg_circuits_end(pl->circuits, tg_ss7_circuit(pl, s));
}

static unsigned search_trunk(const struct tg_ss7_reader *p, const struct tg_mtp3 *mtp3)
{
	const struct tg_trunk_key key = tg_state_trunk_key(&p->b->in[p->frame],
							   &p->b->out[p->frame], mtp3);

	return tg_policy_trunk_find(&p->b->gen->policy, &key);
}

/* All that the search looks at is compared; where the answer is kept is nothing but a matter of speed. */
static unsigned find_trunk(const struct tg_ss7_reader *p, const struct tg_mtp3 *mtp3,
			   uint64_t route)
{
	const struct tg_frame_in *const in = &p->b->in[p->frame];
	const struct tg_result *const r = &p->b->out[p->frame];
	const uint64_t policy = p->b->gen->policy.header->id;
	uint64_t addresses, link;
	struct tg_way *w;

	if (tg_unlikely(r->frame.ip_version != 4))
		return search_trunk(p, mtp3);
	addresses = tg_load_u64(tg_layout_source(r->data, &r->frame));
	link = in->port | (uint64_t)tg_layout_vlan(&r->frame) << 16 | 1ull << 32;
	w = &p->b->pl->way[((addresses ^ route) + link) * 0x9e3779b97f4a7c15ull >> 32 &
			   (TG_WAYS - 1)];
	if (tg_unlikely(w->addresses != addresses || w->link != link || w->route != route ||
			w->policy != policy))
		*w = (struct tg_way){ addresses, link, route, policy,
				      (uint8_t)search_trunk(p, mtp3) };
	return w->trunk;
}

static enum tg_mtp3_variant find_variant(const struct tg_ss7_reader *p)
{
	const struct tg_trunk_key key = tg_state_trunk_key(&p->b->in[p->frame],
							   &p->b->out[p->frame], NULL);

	return tg_policy_mtp3_variant(&p->b->gen->policy, &key);
}

static void set_place(const struct tg_ss7_reader *p, const struct tg_ss7_user *u,
		      struct tg_ss7_place *place)
{
	place->bytes = u->bytes;
	place->only = (struct tg_chunks_part){ .tsn = u->tsn, .len = (uint16_t)u->bytes.len };
	place->part = u->part ? u->part : &place->only;
	place->n_parts = u->part ? u->n_parts : 1;
	place->signed_by_sctp = p->is_signed;
}

static enum tg_reason read_isup(struct tg_ss7_reader *p, const struct tg_ss7_user *u,
				const struct tg_mtp3 *mtp3, bool bicc)
{
	/* Each frame behind this one has its place. */
	const unsigned most = TG_MESSAGES_MAX - (p->b->n - p->frame - 1);
	struct tg_pipeline *const pl = p->b->pl;
	struct tg_ss7_message *const s = &pl->ss7[pl->n_ss7];
	enum tg_reason reason;
	struct tg_message *m;
	unsigned trunk;

	/* Four of five messages of a call: out before anything is asked or kept. */
	if (tg_isup_is_other(mtp3->user, bicc))
		return TG_REASON_ISUP_OTHER;
	if (pl->n_messages >= most)
		return TG_REASON_SCTP_FULL;
	s->route = name_route(pl, mtp3);
	trunk = find_trunk(p, mtp3, s->route);
	reason = tg_isup_read(mtp3->user, (enum tg_isup_variant)p->b->gen->policy.trunk[trunk].isup,
			      bicc, &s->ss7.isup);
	if (reason != TG_REASON_NONE)
		return reason;
	s->ss7.mtp3 = *mtp3;
	set_place(p, u, &s->place);
	if (s->ss7.isup.type == TG_ISUP_IAM)
		begin_circuit(pl, s);
	else if (!read_on(pl, s))
		return TG_REASON_ISUP_OTHER;
	/* What belongs to SIP alone is not looked at: see struct tg_message. */
	m = &pl->message[pl->n_messages++];
	m->sig = &s->ss7.isup.sig;
	m->sip = NULL;
	m->ss7 = s;
	m->isup = &s->ss7.isup;
	m->frame = (uint16_t)p->frame;
	m->trunk = (uint8_t)trunk;
	m->first_party = 0;
	m->in_stream = false;
	pl->n_ss7++;
	return TG_REASON_NONE;
}

static enum tg_reason read_user_part(struct tg_ss7_reader *p, const struct tg_ss7_user *u,
				     const struct tg_mtp3 *mtp3)
{
	switch (mtp3->si) {
	case TG_SI_ISUP:
		return read_isup(p, u, mtp3, false);
	case TG_SI_BICC:
		return read_isup(p, u, mtp3, true);
	case TG_SI_SCCP:
		return TG_REASON_SCCP;
	case TG_SI_TUP:
		return TG_REASON_TUP;
	default:
		return TG_REASON_SIGTRAN_OTHER;
	}
}

/* ---- adaptation layers ------------------------------------------------------------------------- */

/* Without a protocol identifier (traps SCTP-8): the common header that all of them have (RFC 4666 §1.4, version 1,
 * spare 0, class, length of the message) tells by its class; chance makes one in 2^30. */
static uint32_t guess_ppid(struct tg_span message)
{
	const uint8_t *const h = message.data;

	if (message.len < 8 || h[0] != 1 || h[1] != 0 ||
	    tg_load_be32(h + 4) - 8 > message.len - 8 + 3)
		return TG_PPID_NONE;
	switch (h[2]) {
	case 1: /* transfer messages */
		return TG_PPID_M3UA;
	case 6: /* MTP2 user adaptation messages */
		return TG_PPID_M2UA;
	case 7: /* connectionless and connection-oriented messages */
	case 8:
		return TG_PPID_SUA;
	case 11:
		return TG_PPID_M2PA;
	default: /* management of any of them */
		return TG_PPID_M3UA;
	}
}

static enum tg_reason read_layer(struct tg_ss7_reader *p, const struct tg_ss7_user *u)
{
	uint32_t ppid = tg_sctp_ppid(u->ppid);
	enum tg_reason reason;
	struct tg_mtp3 mtp3;
	struct tg_sua sua;

	if (ppid == TG_PPID_NONE)
		ppid = guess_ppid(u->bytes);
	switch (ppid) {
	case TG_PPID_M3UA:
		reason = tg_m3ua_read(u->bytes, &mtp3);
		break;
	case TG_PPID_M2UA:
		reason = tg_m2ua_read(u->bytes, find_variant(p), &mtp3);
		break;
	case TG_PPID_M2PA:
		reason = tg_m2pa_read(u->bytes, find_variant(p), &mtp3);
		break;
	case TG_PPID_SUA:
		reason = tg_sua_read(u->bytes, &sua);
		return reason == TG_REASON_NONE ? TG_REASON_SCCP : reason;
	case TG_PPID_DTLS:
		return TG_REASON_TLS;
	default:
		return TG_REASON_SCTP_OTHER;
	}
	return reason == TG_REASON_NONE ? read_user_part(p, u, &mtp3) : reason;
}

void tg_ss7_read_message(struct tg_ss7_reader *p, const struct tg_ss7_user *u)
{
	const enum tg_reason reason = read_layer(p, u);

	if (reason != TG_REASON_NONE)
		tg_ss7_note(p, reason);
}

bool tg_ss7_is_no_call(uint32_t ppid, struct tg_span start)
{
	uint8_t si;

	ppid = tg_sctp_ppid(ppid);
	if (ppid == TG_PPID_M3UA)
		return tg_m3ua_peek_service(start, &si) && si != TG_SI_ISUP && si != TG_SI_BICC;
	return ppid != TG_PPID_NONE && ppid != TG_PPID_M2UA && ppid != TG_PPID_M2PA;
}

enum tg_reason tg_ss7_read_msu(struct tg_burst_state *b, unsigned i)
{
	const struct tg_frame_in *const in = &b->in[i];
	struct tg_ss7_reader p = { .b = b, .frame = i };
	const struct tg_ss7_user user = {
		.bytes = { in->data, in->len },
		.tsn = (uint32_t)(b->now_ms * TG_BURST + i), /* no two alike */
	};
	enum tg_reason reason;
	struct tg_mtp3 mtp3;

	reason = tg_mtp3_read(user.bytes, find_variant(&p), &mtp3);
	if (reason == TG_REASON_NONE)
		reason = read_user_part(&p, &user, &mtp3);
	return reason == TG_REASON_NONE ? TG_REASON_ISUP_OTHER : reason;
}

/* ---- phase 3: keys ----------------------------------------------------------------------------- */

#define CALL (1ull << 63) /* no circuit's word */
#define CALL_WORDS 2	  /* before its identities */

static_assert(CALL_WORDS + TG_SIG_MAX_IDS <= TG_SIPHASH_WORDS_MAX, "all fit");

/* Messages with equally many identities, until there are eight. */
struct alike {
	struct tg_message *message[TG_SIPHASH_LANES];
	unsigned n;
};

/*
 * What tells an IAM from all others is its chunk's TSN; a call's attempts are told by their parties. Of SipHashes each,
 * so whoever chooses TSNs and numbers aims at nothing.
 */
static void take_keys(const struct tg_burst_state *b, struct alike *a, unsigned n_ids)
{
	uint64_t transaction[2][TG_SIPHASH_LANES];
	uint64_t call[CALL_WORDS + TG_SIG_MAX_IDS][TG_SIPHASH_LANES];
	uint64_t transactions[TG_SIPHASH_LANES], calls[TG_SIPHASH_LANES];
	unsigned i, k;

	for (i = 0; i < a->n; i++) {
		const struct tg_message *const m = a->message[i];

		transaction[0][i] = b->out[m->frame].association;
		transaction[1][i] = m->ss7->place.part[0].tsn;
		call[0][i] = m->ss7->route;
		call[1][i] = CALL | m->trunk;
		for (k = 0; k < n_ids; k++)
			call[CALL_WORDS + k][i] = tg_state_identity(b->pl, m->sig, k);
	}
	tg_siphash_words(b->pl->flow_key, transaction, 2, a->n, transactions);
	tg_siphash_words(b->pl->flow_key, call, CALL_WORDS + n_ids, a->n, calls);
	for (i = 0; i < a->n; i++) {
		struct tg_message *const m = a->message[i];

		m->has_key = m->isup->type == TG_ISUP_IAM && b->out[m->frame].association;
		m->key.key = transactions[i];
		m->call.key = calls[i];
		m->key.print = m->call.print = (uint16_t)(calls[i] >> 48);
		tg_memory_prefetch(&b->pl->memory, transactions[i]);
		tg_memory_prefetch(&b->pl->calls, calls[i]);
	}
	a->n = 0;
}

void tg_ss7_keys_burst(const struct tg_burst_state *b)
{
	struct alike alike[TG_SIG_MAX_IDS + 1];
	unsigned i;

	for (i = 0; i <= TG_SIG_MAX_IDS; i++)
		alike[i].n = 0;
	for (i = 0; i < b->pl->n_messages; i++) {
		struct tg_message *const m = &b->pl->message[i];
		struct alike *a;

		if (!m->ss7)
			continue;
		a = &alike[m->sig->n_ids];
		a->message[a->n++] = m;
		if (a->n == TG_SIPHASH_LANES)
			take_keys(b, a, m->sig->n_ids);
	}
	for (i = 0; i <= TG_SIG_MAX_IDS; i++)
		if (alike[i].n)
			take_keys(b, &alike[i], i);
}
