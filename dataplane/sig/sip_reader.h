/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A message that is being read. The grammar (sip.c, sip_uri.c, sip_via.c) reads any header field; the
 * walk (sip_walk.inc.c) reads the forms that nearly all fields have, with the same result, and leaves
 * the others to it.
 */
#ifndef TG_SIG_SIP_READER_H
#define TG_SIG_SIP_READER_H

#include "dataplane/sig/sip_headers.h"
#include "dataplane/sig/sip_text.h"
#include "dataplane/sig/sip_uri.h"
#include "tollgate/digits.h"

struct tg_sip_reader {
	struct tg_sip *sip;
	const uint8_t *text;
	const uint8_t *end;	   /* of the datagram */
	uint32_t limit;		   /* what of it may be header */
	unsigned reserved;	   /* bit per enum tg_id_source: values whose place is still kept */
	unsigned seen;		   /* bit per enum tg_sip_header */
	struct tg_sip_value value; /* what the grammar reads */
};

/*
 * The start line, whose method ends at offset `from`, and which ends at offset `end`. NONE: an INVITE's
 * Request-URI has been read; or why not to read on. Here and below, the index has the bytes between.
 */
enum tg_reason tg_sip_read_start_line(struct tg_sip_reader *r, uint32_t from, uint32_t end);

/* One header field, folds included: [line, end) without the last line end. */
void tg_sip_read_field(struct tg_sip_reader *r, uint32_t line, uint32_t end);

/* First values of these always find a place (sig.h); the Request-URI comes first anyway. */
#define TG_SIP_RESERVED (1u << TG_ID_TO | 1u << TG_ID_FROM | 1u << TG_ID_PAI | 1u << TG_ID_RPID)

#define TG_SIP_RESERVED_COUNT 4

/* '+' and digits are a number on any trunk, and are read while they are at hand. Everything else is
 * tg_sig_normalise's, which knows the trunk. */
static inline void tg_sip_read_number(const struct tg_sip_reader *r, struct tg_span user,
				      struct tg_identity *id)
{
	enum tg_num_class cls;
	struct tg_num num;

	if (tg_likely(user.len >= TG_DIGITS_MIN &&
		      user.data + user.len - r->text >= TG_DIGITS_MAX &&
		      tg_num_from_plain_text(user, &num, &cls) && cls == TG_NUM_CLASS_E164)) {
		id->num = num;
		id->cls = TG_NUM_CLASS_E164;
		id->flags &= (uint8_t)~TG_ID_FLAG_EMERGENCY;
	}
}

/* What an identity's raw form is, and its place in the list. */
static inline void tg_sip_add_identity(struct tg_sip_reader *r, enum tg_id_source source,
				       const struct tg_sip_addr *a)
{
	struct tg_sig_msg *const m = &r->sip->sig;
	const bool called = a->flags & TG_ID_FLAG_PARTY_CALLED;
	const unsigned own = called ? 0 : r->reserved & 1u << source;
	struct tg_identity *const id = &m->id[m->n_ids];

	/* n_ids and the kept places together never exceed the list: one's own is free to take. */
	r->reserved &= ~own;
	if (tg_unlikely(m->n_ids + (unsigned)__builtin_popcount(r->reserved) >= TG_SIG_MAX_IDS)) {
		m->ids_left_out += m->ids_left_out < UINT8_MAX;
		return;
	}
	*id = (struct tg_identity){
		.raw_off = a->user.data ? (uint16_t)(a->user.data - r->text) : 0,
		.raw_len = (uint16_t)a->user.len,
		.source = (uint8_t)source,
		.role = called ? TG_ROLE_ORIGINAL_CALLED : tg_sip_source_role[source],
		.cls = a->anonymous ? TG_NUM_CLASS_WITHHELD : TG_NUM_CLASS_ABSENT,
		.flags = a->flags,
	};
	if (a->user.data)
		tg_sip_read_number(r, a->user, id);
	m->n_ids++;
}

/* A header of which each message has one; true for the first. */
static inline bool tg_sip_is_first(struct tg_sip_reader *r, enum tg_sip_header header)
{
	if (tg_unlikely(r->seen & 1u << header)) {
		r->sip->duplicate = true;
		return false;
	}
	r->seen |= 1u << header;
	return true;
}

/* RFC 3261 §20.16: digits LWS method. Not read as a number: absent. Too large a number saturates,
 * so that the ACK, which repeats it, still has the same. [at, end) is the value. */
static inline void tg_sip_read_cseq(struct tg_sip_reader *r, uint32_t at, uint32_t end)
{
	uint64_t n = 0;
	uint32_t i;

	if (!tg_sip_is_first(r, TG_SIP_HEADER_CSEQ))
		return;
	for (i = at; i < end && (uint8_t)(r->text[i] - '0') < 10; i++)
		if (n <= UINT32_MAX)
			n = n * 10 + (uint64_t)(r->text[i] - '0');
	if (i == at || i == end || !tg_sip_is_lws(r->text[i]))
		return;
	r->sip->cseq = n <= UINT32_MAX ? (uint32_t)n : UINT32_MAX;
	tg_sip_set_span(&r->sip->cseq_value, r->text + at, end - at);
}

#endif
