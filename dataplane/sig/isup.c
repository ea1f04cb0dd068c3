/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A message is fixed parameters, pointers to variable ones, and an optional part (Q.763 §1.5). Every
 * pointer counts from its own octet.
 */
#include "tollgate/isup.h"

#include <string.h>

#include "tollgate/cursor.h"
#include "tollgate/digits.h"

#define FORWARD_SEGMENTATION 0x04 /* Q.763 §3.38 C */

/* How an address parameter's octets lie before its digits. */
enum shape {
	SHAPE_SUBSEQUENT, /* odd */
	SHAPE_CALLED,	  /* odd/NAI, INN/NPI */
	SHAPE_CALLING,	  /* odd/NAI, NI/NPI/APRI/SI */
	SHAPE_GENERIC,	  /* qualifier, odd/NAI, NI/NPI/APRI/SI */
};

/* A parameter whose digits are an identity. */
struct address {
	uint8_t source; /* enum tg_id_source */
	uint8_t role;	/* enum tg_role */
	uint8_t shape;	/* enum shape */
	uint8_t octets; /* before the digits */
};

enum parameter {
	OTHER,
	CALLED,
	SUBSEQUENT,
	CALLING,
	REDIRECTING,
	ORIGINAL_CALLED,
	LOCATION,
	GENERIC_NUMBER,
	FORWARD_INDICATORS, /* optional forward call indicators: no address */
};

static const struct address addresses[] = {
	[CALLED] = { TG_ID_CALLED_NUMBER, TG_ROLE_CALLED, SHAPE_CALLED, 2 },
	[SUBSEQUENT] = { TG_ID_CALLED_NUMBER, TG_ROLE_CALLED, SHAPE_SUBSEQUENT, 1 },
	[CALLING] = { TG_ID_CALLING_NUMBER, TG_ROLE_CALLER, SHAPE_CALLING, 2 },
	[REDIRECTING] = { TG_ID_REDIRECTING_NUMBER, TG_ROLE_REDIRECTING, SHAPE_CALLING, 2 },
	[ORIGINAL_CALLED] = { TG_ID_ORIGINAL_CALLED_NUMBER, TG_ROLE_ORIGINAL_CALLED, SHAPE_CALLING,
			      2 },
	[LOCATION] = { TG_ID_LOCATION_NUMBER, TG_ROLE_CALLER, SHAPE_CALLING, 2 },
	[GENERIC_NUMBER] = { TG_ID_GENERIC_NUMBER, TG_ROLE_CALLER, SHAPE_GENERIC, 3 },
};

#define END_OF_OPTIONAL 0x00

/* Q.763 table 5, by name; four cache lines, of which usual parameters touch one. */
static const uint8_t parameters[256] = {
	[0x08] = FORWARD_INDICATORS, [0x0a] = CALLING,	[0x0b] = REDIRECTING,
	[0x28] = ORIGINAL_CALLED,    [0x3f] = LOCATION, [0xc0] = GENERIC_NUMBER,
};

struct reader {
	struct tg_isup *isup;
	struct tg_span message;
	uint32_t used; /* of isup->text */
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

/* Q.763 §3.9, §3.10, §3.26, §3.51. `octets`: those before the digits, as many as `a` says. */
static inline void read_indicators(const uint8_t *octets, const struct address *a,
				   struct tg_isup_party *p)
{
	/* The one before the last, and the last; a subsequent number has one, and E.164's plan. */
	const bool one = a->shape == SHAPE_SUBSEQUENT, called = a->shape == SHAPE_CALLED;
	const uint8_t first = octets[a->octets - 2 + one],
		      last = one ? 0x10 : octets[a->octets - 1];
	const uint8_t low = called ? 0 : last;

	p->qualifier = a->shape == SHAPE_GENERIC ? octets[0] : 0;
	p->odd = first >> 7;
	p->nature = one ? 0 : first & 0x7f;
	p->plan = last >> 4 & 7;
	p->presentation = low >> 2 & 3;
	p->screening = low & 3;
	p->incomplete = low >> 7;
	p->inn_not_allowed = called & last >> 7;
}

/* The address in `octets`, kept as an identity; false: its indicators are cut short. */
static bool add_address(struct reader *r, const struct address *a, struct tg_span octets)
{
	struct tg_isup *const isup = r->isup;
	const unsigned i = isup->sig.n_ids;
	struct tg_cursor c = tg_cursor_init(octets);
	const uint8_t *const head = tg_cursor_take(&c, a->octets).data;
	struct tg_isup_party *p;
	struct tg_identity *id;
	unsigned len;
	int n;

	if (!head)
		return false;
	if (tg_unlikely(i == TG_SIG_MAX_IDS)) {
		isup->sig.ids_left_out += isup->sig.ids_left_out < UINT8_MAX;
		return true;
	}
	p = &isup->party[i];
	read_indicators(head, a, p);
	p->digits_off = (uint16_t)(c.pos - r->message.data);
	p->digits_len = (uint8_t)tg_cursor_left(&c);
	/* More digits than are kept make no number, and there is no way to change them. */
	n = tg_bcd_decode((struct tg_span){ c.pos, p->digits_len }, p->odd, isup->text + r->used,
			  TG_ISUP_DIGITS_MAX);
	len = n < 0 ? 0 : (unsigned)n;
	id = &isup->sig.id[i];
	id->num = (struct tg_num){ 0 };
	id->raw_off = (uint16_t)r->used;
	id->raw_len = (uint16_t)len;
	id->source = a->source;
	id->role = a->shape == SHAPE_GENERIC ? (uint8_t)tg_isup_generic_role(p->qualifier)
					     : a->role;
	id->cls = n < 0 ? TG_NUM_CLASS_MALFORMED : TG_NUM_CLASS_ABSENT;
	id->flags = 0;
	if (a->source == TG_ID_CALLED_NUMBER) {
		isup->sig.called = (uint8_t)i;
		isup->end_of_digits = n >= 0 && n < 2 * p->digits_len - p->odd;
	} else if (a->source == TG_ID_CALLING_NUMBER && isup->sig.caller == TG_SIG_NO_ID) {
		isup->sig.caller = (uint8_t)i;
	}
	isup->sig.n_ids = (uint8_t)(i + 1);
	r->used += len;
	return true;
}

/* ---- parts ------------------------------------------------------------------------------------- */

/* The variable parameter to which the pointer at `at` leads; {NULL, 0} if it leads out. */
static inline struct tg_span follow(struct tg_cursor at)
{
	struct tg_cursor c = at;
	const uint8_t pointer = tg_cursor_u8(&at);

	tg_cursor_skip(&c, pointer);
	if (pointer == 0)
		return (struct tg_span){ NULL, 0 };
	return tg_cursor_take(&c, tg_cursor_u8(&c));
}

/* `value` is a parameter's of the optional part; false: it cannot be read. */
static bool read_optional_parameter(struct reader *r, enum parameter what, struct tg_span value)
{
	if (what != FORWARD_INDICATORS)
		return add_address(r, &addresses[what], value);
	r->isup->more_follows = value.len > 0 && (value.data[0] & FORWARD_SEGMENTATION);
	return true;
}

/* The optional part to which the pointer at `at` leads; a pointer of 0 says that there is none. */
static bool read_optional(struct reader *r, struct tg_cursor at)
{
	struct tg_cursor c = at;
	const uint8_t pointer = tg_cursor_u8(&at);

	if (at.failed || pointer == 0)
		return !at.failed;
	tg_cursor_skip(&c, pointer);
	for (;;) {
		const uint8_t name = tg_cursor_u8(&c);
		enum parameter what;
		struct tg_span value;

		if (c.failed)
			return false;
		if (name == END_OF_OPTIONAL)
			return true;
		value = tg_cursor_take(&c, tg_cursor_u8(&c));
		if (c.failed)
			return false;
		what = (enum parameter)parameters[name];
		if (what != OTHER && !read_optional_parameter(r, what, value))
			return false;
	}
}

/* ---- messages ---------------------------------------------------------------------------------- */

/*
 * Nature of connection 1, forward call indicators 2, category 1; then
 *   Q.763 table 32     transmission medium 1; called number; optional part
 *   T1.113.3 table 16  user service information, called number; optional part
 */
static bool read_iam(struct reader *r, struct tg_cursor *c)
{
	const bool ansi = r->isup->variant == TG_ISUP_ANSI;
	const uint8_t *const fixed = tg_cursor_take(c, ansi ? 4 : 5).data;
	struct tg_span called;

	if (!fixed)
		return false;
	r->isup->category = fixed[3];
	if (ansi) {
		if (!follow(*c).data)
			return false;
		tg_cursor_skip(c, 1);
	}
	called = follow(*c);
	tg_cursor_skip(c, 1);
	return called.data && add_address(r, &addresses[CALLED], called) && read_optional(r, *c);
}

/* Q.763 table 41: subsequent number; optional part */
static bool read_sam(struct reader *r, struct tg_cursor *c)
{
	const struct tg_span subsequent = follow(*c);

	tg_cursor_skip(c, 1);
	return subsequent.data && add_address(r, &addresses[SUBSEQUENT], subsequent) &&
	       read_optional(r, *c);
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
		ok = read_iam(r, c);
		break;
	case TG_ISUP_SAM:
		isup->sig.message = TG_MESSAGE_SAM;
		ok = read_sam(r, c);
		break;
	case TG_ISUP_SGM: /* Q.763 table 49: optional part only */
		isup->sig.message = TG_MESSAGE_SGM;
		ok = read_optional(r, *c);
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
	struct reader r = { isup, message, TG_ISUP_TEXT_BEGIN };

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
	struct reader r = { .message = message, .used = TG_ISUP_TEXT_BEGIN };

	set_empty(isup, variant);
	r.isup = isup;
	return read_message(&r, &c);
}

/* ---- numbers ----------------------------------------------------------------------------------- */

#define INTERNATIONAL 4 /* nature of address, Q.763 §3.9 b */
#define E164 1		/* numbering plan, Q.763 §3.9 d */

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

/* What nearly every number is; cls stays what it is where the digits are not read here. */
static inline bool normalise_plain(struct tg_identity *id, const struct tg_isup_party *p,
				   struct tg_span digits)
{
	enum tg_num_class cls;

	if (p->nature != INTERNATIONAL || p->plan != E164 ||
	    p->presentation == TG_ISUP_NOT_AVAILABLE || id->raw_off < TG_ISUP_TEXT_BEGIN ||
	    !tg_num_from_plain_digits(digits, &id->num, &cls))
		return false;
	id->cls = (uint8_t)cls;
	return true;
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

	for (i = 0; i < isup->sig.n_ids; i++) {
		struct tg_identity *const id = &isup->sig.id[i];
		const struct tg_span digits = { isup->sig.digits + id->raw_off, id->raw_len };

		if (tg_unlikely(!normalise_plain(id, &isup->party[i], digits)))
			normalise(id, &isup->party[i], digits, profile);
	}
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
