/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Phase 2 for what SCTP carries: user messages to what is in them. Calls become messages of the burst; everything
 * else is told apart for the counters only.
 */
#include "dataplane/pipeline/ss7.h"

#include "tollgate/sctp.h"
#include "tollgate/sua.h"

void tg_ss7_note(struct tg_ss7_reader *p, enum tg_reason reason)
{
	const bool blind = tg_reason_kind(reason) == TG_REASON_KIND_BLIND;

	if (p->reason == TG_REASON_SCTP_CONTROL || p->reason == TG_REASON_SCTP_PART ||
	    (blind && tg_reason_kind(p->reason) != TG_REASON_KIND_BLIND))
		p->reason = reason;
}

/* ---- user parts -------------------------------------------------------------------------------- */

/* The second word's upper half: no association (sctp.c) is named like this. */
#define ROUTE (0x73733720ull << 32)

static void name_circuit(struct tg_pipeline *pl, struct tg_ss7_message *s)
{
	const struct tg_mtp3 *const m = &s->ss7.mtp3;
	const struct tg_isup *const isup = &s->ss7.isup;
	const uint64_t route[2] = { m->opc | (uint64_t)m->dpc << 32,
				    m->network_appearance | ROUTE };

	s->route = tg_state_name(pl, route);
	s->circuit = tg_state_mix(pl, s->route, isup->cic | (uint64_t)isup->bicc << 32);
}

/* What continues an IAM is read with it, as if all had come at once. */
static bool read_on(struct tg_pipeline *pl, struct tg_ss7_message *s)
{
	struct tg_isup more = s->ss7.isup;
	struct tg_isup *const isup = &s->ss7.isup;
	struct tg_circuits_call call;
	struct tg_span digits = { NULL, 0 };

	if (more.type == TG_ISUP_SAM) {
		if (more.sig.called < more.sig.n_ids)
			digits = (struct tg_span){ (const uint8_t *)more.text +
							   more.sig.id[more.sig.called].raw_off,
						   more.sig.id[more.sig.called].raw_len };
		if (!tg_circuits_add(pl->circuits, s->circuit, s->place.part[0].tsn, digits,
				     pl->now_ms, &call))
			return false;
	} else if (!tg_circuits_find(pl->circuits, s->circuit, pl->now_ms, &call)) {
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
		tg_circuits_begin(pl->circuits, s->circuit, s->place.part[0].tsn, s->ss7.mtp3.user,
				  pl->now_ms);
	else if (!tg_circuits_idle(pl->circuits, pl->now_ms))
		tg_circuits_end(pl->circuits, s->circuit);
}

static unsigned find_trunk(const struct tg_ss7_reader *p, const struct tg_mtp3 *mtp3)
{
	const struct tg_trunk_key key = tg_state_trunk_key(&p->b->in[p->frame],
							   &p->b->out[p->frame], mtp3);

	return tg_policy_trunk_find(&p->b->gen->policy, &key);
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
	unsigned trunk;

	/* Four of five messages of a call: out before anything is asked or kept. */
	if (tg_isup_is_other(mtp3->user, bicc))
		return TG_REASON_ISUP_OTHER;
	if (pl->n_messages >= most)
		return TG_REASON_SCTP_FULL;
	trunk = find_trunk(p, mtp3);
	reason = tg_isup_read(mtp3->user, (enum tg_isup_variant)p->b->gen->policy.trunk[trunk].isup,
			      bicc, &s->ss7.isup);
	if (reason != TG_REASON_NONE)
		return reason;
	s->ss7.mtp3 = *mtp3;
	set_place(p, u, &s->place);
	name_circuit(pl, s);
	if (s->ss7.isup.type == TG_ISUP_IAM)
		begin_circuit(pl, s);
	else if (!read_on(pl, s))
		return TG_REASON_ISUP_OTHER;
	pl->message[pl->n_messages++] = (struct tg_message){
		.sig = &s->ss7.isup.sig,
		.ss7 = s,
		.isup = &s->ss7.isup,
		.frame = (uint16_t)p->frame,
		.trunk = (uint8_t)trunk,
	};
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
