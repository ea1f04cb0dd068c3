/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A message is fixed parameters, pointers to variable ones, and an optional part (Q.763 §1.5). Every
 * pointer counts from its own octet.
 */
#include "tollgate/isup.h"

#include <string.h>

#include "tollgate/cursor.h"

/* Q.763 table 5 */
enum parameter {
	END_OF_OPTIONAL = 0x00,
	FORWARD_INDICATORS = 0x08, /* optional forward call indicators */
	CALLING = 0x0a,
	REDIRECTING = 0x0b,
	ORIGINAL_CALLED = 0x28,
	LOCATION = 0x3f,
	GENERIC_NUMBER = 0xc0,
};

#define FORWARD_SEGMENTATION 0x04 /* Q.763 §3.38 C */

/* How an address parameter's octets lie before its digits. */
enum shape {
	SHAPE_CALLED,	  /* odd/NAI, INN/NPI */
	SHAPE_CALLING,	  /* odd/NAI, NI/NPI/APRI/SI */
	SHAPE_GENERIC,	  /* qualifier, odd/NAI, NI/NPI/APRI/SI */
	SHAPE_SUBSEQUENT, /* odd */
};

struct reader {
	struct tg_isup *isup;
	struct tg_span message;
	uint16_t used; /* of isup->text */
};

static void set_empty(struct tg_isup *isup, enum tg_isup_variant variant)
{
	isup->sig.text = (struct tg_span){ (const uint8_t *)isup->text, sizeof(isup->text) };
	isup->sig.digits = isup->sig.text.data;
	isup->sig.n_ids = 0;
	isup->sig.ids_left_out = 0;
	isup->sig.caller = TG_SIG_NO_ID;
	isup->sig.called = TG_SIG_NO_ID;
	isup->sig.protocol = TG_PROTOCOL_ISUP;
	isup->sig.message = TG_MESSAGE_IAM;
	isup->sig.attest = 0;
	isup->sig.passports = 0;
	isup->sig.passports_unread = 0;
	isup->sig.verification = 0;
	isup->cic = 0;
	isup->circuit_octets = 0;
	isup->variant = (uint8_t)variant;
	isup->bicc = false;
	isup->type = 0;
	isup->category = 0;
	isup->more_follows = false;
	isup->end_of_digits = false;
}

/* ---- addresses --------------------------------------------------------------------------------- */

/* Q.763 §3.9, §3.10, §3.26, §3.51. What stands before the digits. */
static void read_indicators(struct tg_cursor *c, enum shape shape, struct tg_isup_party *p)
{
	uint8_t octet;

	*p = (struct tg_isup_party){ .plan = 1 };
	if (shape == SHAPE_GENERIC)
		p->qualifier = tg_cursor_u8(c);
	octet = tg_cursor_u8(c);
	p->odd = octet & 0x80;
	if (shape == SHAPE_SUBSEQUENT)
		return;
	p->nature = octet & 0x7f;
	octet = tg_cursor_u8(c);
	p->plan = octet >> 4 & 7;
	if (shape == SHAPE_CALLED) {
		p->inn_not_allowed = octet & 0x80;
		return;
	}
	p->incomplete = octet & 0x80;
	p->presentation = octet >> 2 & 3;
	p->screening = octet & 3;
}

/* The address in `octets`, kept as an identity; false: its indicators are cut short. */
static bool add_address(struct reader *r, enum tg_id_source source, enum shape shape,
			struct tg_span octets)
{
	struct tg_sig_msg *const m = &r->isup->sig;
	struct tg_cursor c = tg_cursor_init(octets);
	struct tg_isup_party p;
	struct tg_identity *id;
	int n;

	read_indicators(&c, shape, &p);
	if (c.failed)
		return false;
	p.octets_off = (uint16_t)(octets.data - r->message.data);
	p.digits_off = (uint16_t)(c.pos - r->message.data);
	p.digits_len = (uint8_t)tg_cursor_left(&c);
	if (m->n_ids == TG_SIG_MAX_IDS) {
		m->ids_left_out += m->ids_left_out < UINT8_MAX;
		return true;
	}
	/* More digits than are kept make no number, and there is no way to change them. */
	n = tg_bcd_decode((struct tg_span){ c.pos, p.digits_len }, p.odd, r->isup->text + r->used,
			  TG_ISUP_DIGITS_MAX);
	id = &m->id[m->n_ids];
	memset(id, 0, sizeof(*id));
	id->raw_off = r->used;
	id->raw_len = n < 0 ? 0 : (uint16_t)n;
	id->source = (uint8_t)source;
	id->role = source == TG_ID_GENERIC_NUMBER ? (uint8_t)tg_isup_generic_role(p.qualifier)
						  : (uint8_t)tg_id_source_role(source);
	id->cls = n < 0 ? TG_NUM_CLASS_MALFORMED : TG_NUM_CLASS_ABSENT;
	if (source == TG_ID_CALLED_NUMBER) {
		m->called = m->n_ids;
		r->isup->end_of_digits = n >= 0 && n < 2 * p.digits_len - p.odd;
	} else if (source == TG_ID_CALLING_NUMBER && m->caller == TG_SIG_NO_ID) {
		m->caller = m->n_ids;
	}
	r->isup->party[m->n_ids++] = p;
	r->used += id->raw_len;
	return true;
}

/* ---- parts ------------------------------------------------------------------------------------- */

/* The variable parameter to which the pointer at `at` leads; {NULL, 0} if it leads out. */
static struct tg_span follow(struct tg_cursor *at)
{
	struct tg_cursor c = *at;
	const uint8_t pointer = tg_cursor_u8(at);

	tg_cursor_skip(&c, pointer);
	if (pointer == 0 || at->failed || c.failed)
		return (struct tg_span){ NULL, 0 };
	return tg_cursor_take(&c, tg_cursor_u8(&c));
}

static bool read_optional_parameter(struct reader *r, uint8_t name, struct tg_span value)
{
	switch (name) {
	case CALLING:
		return add_address(r, TG_ID_CALLING_NUMBER, SHAPE_CALLING, value);
	case REDIRECTING:
		return add_address(r, TG_ID_REDIRECTING_NUMBER, SHAPE_CALLING, value);
	case ORIGINAL_CALLED:
		return add_address(r, TG_ID_ORIGINAL_CALLED_NUMBER, SHAPE_CALLING, value);
	case LOCATION:
		return add_address(r, TG_ID_LOCATION_NUMBER, SHAPE_CALLING, value);
	case GENERIC_NUMBER:
		return add_address(r, TG_ID_GENERIC_NUMBER, SHAPE_GENERIC, value);
	case FORWARD_INDICATORS:
		r->isup->more_follows = value.len > 0 && (value.data[0] & FORWARD_SEGMENTATION);
		return true;
	default:
		return true;
	}
}

/* The optional part to which the pointer at `at` leads; a pointer of 0 says that there is none. */
static bool read_optional(struct reader *r, struct tg_cursor *at)
{
	struct tg_cursor c = *at;
	const uint8_t pointer = tg_cursor_u8(at);

	if (at->failed || pointer == 0)
		return !at->failed;
	tg_cursor_skip(&c, pointer);
	for (;;) {
		const uint8_t name = tg_cursor_u8(&c);
		struct tg_span value;

		if (c.failed)
			return false;
		if (name == END_OF_OPTIONAL)
			return true;
		value = tg_cursor_take(&c, tg_cursor_u8(&c));
		if (c.failed || !read_optional_parameter(r, name, value))
			return false;
	}
}

/* ---- messages ---------------------------------------------------------------------------------- */

/* Q.763 table 32: nature of connection 1, forward call indicators 2, category 1, transmission medium 1;
 * called number; optional part. */
static bool read_iam_itu(struct reader *r, struct tg_cursor *c)
{
	struct tg_span called;

	tg_cursor_skip(c, 3);
	r->isup->category = tg_cursor_u8(c);
	tg_cursor_skip(c, 1);
	called = follow(c);
	return called.data && add_address(r, TG_ID_CALLED_NUMBER, SHAPE_CALLED, called) &&
	       read_optional(r, c);
}

/* T1.113.3 table 16: nature of connection 1, forward call indicators 2, category 1; user service
 * information, called number; optional part. */
static bool read_iam_ansi(struct reader *r, struct tg_cursor *c)
{
	struct tg_span called;

	tg_cursor_skip(c, 3);
	r->isup->category = tg_cursor_u8(c);
	if (!follow(c).data)
		return false;
	called = follow(c);
	return called.data && add_address(r, TG_ID_CALLED_NUMBER, SHAPE_CALLED, called) &&
	       read_optional(r, c);
}

/* Q.763 table 41: subsequent number; optional part */
static bool read_sam(struct reader *r, struct tg_cursor *c)
{
	const struct tg_span subsequent = follow(c);

	return subsequent.data &&
	       add_address(r, TG_ID_CALLED_NUMBER, SHAPE_SUBSEQUENT, subsequent) &&
	       read_optional(r, c);
}

/* From the message type on. */
static enum tg_reason read_message(struct reader *r, struct tg_cursor *c)
{
	struct tg_isup *const isup = r->isup;
	bool ok;

	isup->type = tg_cursor_u8(c);
	if (c->failed || r->message.len > UINT16_MAX)
		return TG_REASON_ISUP_MALFORMED;
	switch (isup->type) {
	case TG_ISUP_IAM:
		ok = isup->variant == TG_ISUP_ANSI ? read_iam_ansi(r, c) : read_iam_itu(r, c);
		break;
	case TG_ISUP_SAM:
		isup->sig.message = TG_MESSAGE_SAM;
		ok = read_sam(r, c);
		break;
	case TG_ISUP_SGM: /* Q.763 table 49: optional part only */
		isup->sig.message = TG_MESSAGE_SGM;
		ok = read_optional(r, c);
		break;
	default:
		return TG_REASON_ISUP_OTHER;
	}
	return ok ? TG_REASON_NONE : TG_REASON_ISUP_MALFORMED;
}

enum tg_reason tg_isup_read(struct tg_span message, enum tg_isup_variant variant, bool bicc,
			    struct tg_isup *isup)
{
	struct tg_cursor c = tg_cursor_init(message);
	struct reader r = { isup, message, 0 };

	set_empty(isup, variant);
	isup->bicc = bicc;
	isup->circuit_octets = bicc ? 4 : 2;
	isup->sig.protocol = bicc ? TG_PROTOCOL_BICC : TG_PROTOCOL_ISUP;
	/* Q.763 §1.2, Q.1902.3: least significant octet first */
	isup->cic = bicc ? __builtin_bswap32(tg_cursor_be32(&c))
			 : __builtin_bswap16(tg_cursor_be16(&c));
	return read_message(&r, &c);
}

enum tg_reason tg_isup_read_encapsulated(struct tg_span message, enum tg_isup_variant variant,
					 struct tg_isup *isup)
{
	struct tg_cursor c = tg_cursor_init(message);
	struct reader r = { .message = message };

	set_empty(isup, variant);
	r.isup = isup;
	return read_message(&r, &c);
}

/* ---- numbers ----------------------------------------------------------------------------------- */

static enum tg_num_nature nature_of(uint8_t nature)
{
	switch (tg_isup_nature(nature)) {
	case TG_ISUP_NATURE_SUBSCRIBER:
		return TG_NUM_NATURE_SUBSCRIBER;
	case TG_ISUP_NATURE_NATIONAL:
		return TG_NUM_NATURE_NATIONAL;
	case TG_ISUP_NATURE_INTERNATIONAL:
		return TG_NUM_NATURE_INTERNATIONAL;
	default: /* network-specific, spare, national use: no more than the digits say themselves */
		return TG_NUM_NATURE_UNKNOWN;
	}
}

static void normalise(struct tg_identity *id, const struct tg_isup_party *p, struct tg_span digits,
		      const struct tg_num_profile *profile)
{
	if (id->cls == TG_NUM_CLASS_MALFORMED) /* more digits than are kept */
		return;
	if (p->presentation == TG_ISUP_NOT_AVAILABLE) {
		id->cls = TG_NUM_CLASS_UNAVAILABLE;
		return;
	}
	if (digits.len > 0 && tg_isup_plan(p->plan) != TG_ISUP_PLAN_E164) {
		id->cls = TG_NUM_CLASS_UNRESOLVED;
		return;
	}
	id->cls = (uint8_t)tg_num_from_digits(digits, nature_of(p->nature), profile, &id->num);
	/* All of these have three digits, and no separators are among a parameter's. */
	if (id->role == TG_ROLE_CALLED && digits.len == 3 && tg_num_is_emergency(digits))
		id->flags |= TG_ID_FLAG_EMERGENCY;
}

void tg_isup_normalise(struct tg_isup *isup, const struct tg_num_profile *profile)
{
	unsigned i;

	for (i = 0; i < isup->sig.n_ids; i++)
		normalise(&isup->sig.id[i], &isup->party[i], tg_identity_raw(&isup->sig, i),
			  profile);
}

void tg_isup_extra_add(const struct tg_isup *isup, struct tg_sig_extra *extra)
{
	const unsigned caller = isup->sig.caller;

	extra->priority |= tg_isup_is_priority(isup);
	if (caller < isup->sig.n_ids &&
	    tg_isup_shown(isup->party[caller].presentation) == TG_ISUP_SHOWN_RESTRICTED) {
		extra->traits |= 1u << TG_TRAIT_PRIVACY;
		extra->privacy |= 1u << TG_PRIVACY_ID;
	}
	if (isup->sig.ids_left_out)
		extra->traits |= 1u << TG_TRAIT_IDS_LEFT_OUT;
}

bool tg_isup_is_priority(const struct tg_isup *isup)
{
	return tg_isup_category(isup->category) == TG_ISUP_CATEGORY_PRIORITY;
}
