/* SPDX-License-Identifier: BSD-3-Clause */
/* What is changed in an initial address message in place, and what later messages add to one that was read. */
#include <string.h>

#include "tollgate/isup.h"

/* ---- what later messages add ------------------------------------------------------------------- */

static uint32_t text_used(const struct tg_isup *isup)
{
	uint32_t used = TG_ISUP_TEXT_BEGIN;
	unsigned i;

	for (i = 0; i < isup->sig.n_ids; i++) {
		const uint32_t end = (uint32_t)isup->sig.id[i].raw_off + isup->sig.id[i].raw_len;

		used = end > used ? end : used;
	}
	return used;
}

bool tg_isup_append(struct tg_isup *isup, struct tg_span digits)
{
	const uint32_t used = text_used(isup);
	struct tg_identity *called;
	uint32_t end;
	unsigned i;

	if (isup->sig.called == TG_SIG_NO_ID)
		return false;
	called = &isup->sig.id[isup->sig.called];
	if (called->cls == TG_NUM_CLASS_MALFORMED ||
	    called->raw_len + (uint64_t)digits.len > TG_ISUP_DIGITS_MAX ||
	    used + digits.len > sizeof(isup->text))
		return false;
	if (digits.len == 0)
		return true;
	end = (uint32_t)called->raw_off + called->raw_len;
	memmove(isup->text + end + digits.len, isup->text + end, used - end);
	memcpy(isup->text + end, digits.data, digits.len);
	for (i = 0; i < isup->sig.n_ids; i++)
		if (isup->sig.id[i].raw_off >= end && i != isup->sig.called)
			isup->sig.id[i].raw_off += (uint16_t)digits.len;
	called->raw_len += (uint16_t)digits.len;
	return true;
}

static bool merge_one(struct tg_isup *isup, const struct tg_isup *sgm, unsigned i)
{
	struct tg_sig_msg *const m = &isup->sig;
	/* Not by sgm->sig.digits: it may be a copy, the original of which has been read over. */
	const struct tg_span raw = { (const uint8_t *)sgm->text + sgm->sig.id[i].raw_off,
				     sgm->sig.id[i].raw_len };
	const uint32_t used = text_used(isup);

	if (m->n_ids == TG_SIG_MAX_IDS || raw.len > sizeof(isup->text) - used)
		return false;
	memcpy(isup->text + used, raw.data, raw.len);
	m->id[m->n_ids] = sgm->sig.id[i];
	m->id[m->n_ids].raw_off = (uint16_t)used;
	isup->party[m->n_ids] = sgm->party[i];
	if (m->id[m->n_ids].source == TG_ID_CALLING_NUMBER && m->caller == TG_SIG_NO_ID)
		m->caller = m->n_ids;
	m->n_ids++;
	return true;
}

void tg_isup_merge(struct tg_isup *isup, const struct tg_isup *sgm)
{
	uint32_t left_out = (uint32_t)isup->sig.ids_left_out + sgm->sig.ids_left_out;
	unsigned i;

	for (i = 0; i < sgm->sig.n_ids; i++)
		left_out += !merge_one(isup, sgm, i);
	isup->sig.ids_left_out = left_out < UINT8_MAX ? (uint8_t)left_out : UINT8_MAX;
	isup->more_follows = false;
}

/* ---- same-length edits ------------------------------------------------------------------------- */

static bool same_party(const struct tg_isup_party *a, const struct tg_isup_party *b)
{
	return a->digits_off == b->digits_off && a->digits_len == b->digits_len &&
	       a->nature == b->nature && a->plan == b->plan && a->screening == b->screening &&
	       a->qualifier == b->qualifier && a->odd == b->odd &&
	       a->inn_not_allowed == b->inn_not_allowed && a->incomplete == b->incomplete;
}

static enum tg_reason read_again(struct tg_span message, const struct tg_isup *was,
				 struct tg_isup *is)
{
	const enum tg_isup_variant variant = (enum tg_isup_variant)was->variant;

	if (was->circuit_octets == 0)
		return tg_isup_read_encapsulated(message, variant, is);
	return tg_isup_read(message, variant, was->bicc, is);
}

/*
 * Parameters of a crafted message may lie over each other: an edit of one would be an edit of both. Found
 * out by reading the message again: nothing else may have changed than the digits of `edited`, or, if that
 * is no identity, the presentation of those who call.
 */
static bool reads_alike(struct tg_span message, const struct tg_isup *was, unsigned edited)
{
	struct tg_isup is;
	unsigned i;

	if (read_again(message, was, &is) != TG_REASON_NONE || is.sig.n_ids != was->sig.n_ids ||
	    is.sig.ids_left_out != was->sig.ids_left_out || is.type != was->type ||
	    is.cic != was->cic || is.category != was->category)
		return false;
	for (i = 0; i < is.sig.n_ids; i++) {
		const struct tg_span a = tg_identity_raw(&is.sig, i),
				     b = tg_identity_raw(&was->sig, i);
		const bool hidden = edited == TG_SIG_NO_ID && tg_isup_names_caller(&was->sig.id[i]);

		if (is.sig.id[i].source != was->sig.id[i].source || a.len != b.len ||
		    (i != edited && memcmp(a.data, b.data, a.len) != 0) ||
		    !same_party(&is.party[i], &was->party[i]) ||
		    (!hidden && is.party[i].presentation != was->party[i].presentation))
			return false;
	}
	return true;
}

static void put_digits(uint8_t *octets, struct tg_span digits)
{
	uint32_t i;

	for (i = 0; i < digits.len; i++) {
		uint8_t *const octet = octets + i / 2;
		const uint8_t digit = digits.data[i] - '0';

		*octet = i & 1 ? (uint8_t)((*octet & 0x0f) | digit << 4)
			       : (uint8_t)((*octet & 0xf0) | digit);
	}
}

bool tg_isup_set_called(uint8_t *message, uint32_t len, const struct tg_isup *isup,
			struct tg_span digits)
{
	uint8_t saved[TG_ISUP_DIGITS_MAX / 2];
	const struct tg_isup_party *p;
	uint32_t i;

	if (isup->type != TG_ISUP_IAM || isup->sig.called == TG_SIG_NO_ID)
		return false;
	p = &isup->party[isup->sig.called];
	if (digits.len == 0 || digits.len != isup->sig.id[isup->sig.called].raw_len ||
	    digits.len > 2u * p->digits_len || (uint32_t)p->digits_off + p->digits_len > len)
		return false;
	for (i = 0; i < digits.len; i++)
		if ((uint8_t)(digits.data[i] - '0') > 9)
			return false;
	memcpy(saved, message + p->digits_off, (digits.len + 1) / 2);
	put_digits(message + p->digits_off, digits);
	if (reads_alike((struct tg_span){ message, len }, isup, isup->sig.called))
		return true;
	memcpy(message + p->digits_off, saved, (digits.len + 1) / 2);
	return false;
}

bool tg_isup_restrict(uint8_t *message, uint32_t len, const struct tg_isup *isup)
{
	uint8_t saved[TG_SIG_MAX_IDS];
	uint32_t at[TG_SIG_MAX_IDS];
	unsigned n = 0, i;

	if (isup->type != TG_ISUP_IAM || isup->sig.caller == TG_SIG_NO_ID)
		return false;
	for (i = 0; i < isup->sig.n_ids; i++) {
		at[n] = isup->party[i].digits_off - 1u; /* NI, NPI, APRI, SI: right before them */
		if (!tg_isup_names_caller(&isup->sig.id[i]) || at[n] >= len ||
		    isup->party[i].presentation == TG_ISUP_NOT_AVAILABLE)
			continue;
		saved[n] = message[at[n]];
		message[at[n]] = (uint8_t)((saved[n] & ~0x0c) | TG_ISUP_RESTRICTED << 2);
		n++;
	}
	if (reads_alike((struct tg_span){ message, len }, isup, TG_SIG_NO_ID))
		return true;
	while (n-- > 0)
		message[at[n]] = saved[n];
	return false;
}

/* ---- a message that does nothing ---------------------------------------------------------------- */

/* Q.763 table 4 and its amendments end with 0x43, B-ISUP's and T1.113's are elsewhere (0x39-0x3d, 0xe9-0xed),
 * as are the national ones that are known (from 0xe0): spare with all of them. */
#define UNASSIGNED_MESSAGE 0x70
/* Q.763 table 5 and T1.113 table 5 leave it spare. */
#define UNASSIGNED_PARAMETER 0x7e
#define MESSAGE_COMPATIBILITY 0x38
/* Q.763 §3.33: transit exchanges interpret it as well (A 0), do not release (B 0), do not notify (C 0), discard
 * the message (D 1); passing it on is not possible: discard (E 1), in broadband as well (GF 01); last octet. */
#define DISCARD_SILENTLY 0xb8
#define END_OF_OPTIONAL 0

bool tg_isup_null(uint8_t *message, uint32_t len, const struct tg_isup *isup)
{
	/* What is not known is read as a message with an optional part only: its pointer follows the type. */
	static const uint8_t head[] = { UNASSIGNED_MESSAGE, 1, MESSAGE_COMPATIBILITY, 1,
					DISCARD_SILENTLY };
	uint32_t at = isup->circuit_octets, left;

	/* The head, a parameter's name and length, the end. */
	if (isup->type != TG_ISUP_IAM || len < at + sizeof(head) + 2 + 1 ||
	    message[at] != TG_ISUP_IAM)
		return false;
	memcpy(message + at, head, sizeof(head));
	at += (uint32_t)sizeof(head);
	for (left = len - 1 - at; left > 0;) {
		uint32_t n = left - 2 < UINT8_MAX ? left - 2 : UINT8_MAX;

		if (left - 2 - n == 1) /* too little for another one */
			n--;
		message[at] = UNASSIGNED_PARAMETER;
		message[at + 1] = (uint8_t)n;
		at += 2 + n;
		left -= 2 + n;
	}
	message[len - 1] = END_OF_OPTIONAL;
	return true;
}
