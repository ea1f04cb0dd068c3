/* SPDX-License-Identifier: BSD-3-Clause */
#include "tollgate/sua.h"

#include "dataplane/sig/xua.h"

/* RFC 3868 §3.1.2 */
#define CLASS_CONNECTIONLESS 7
#define CLASS_CONNECTION 8
#define TYPE_CLDT 1
#define TYPE_CLDR 2
#define TYPE_LAST_OF_CONNECTION 11 /* COIT */

enum parameter {
	SOURCE_ADDRESS = 0x0102, /* §3.10 */
	DESTINATION_ADDRESS = 0x0103,
	DATA = 0x010b,
	NETWORK_APPEARANCE = 0x010d,
	GLOBAL_TITLE = 0x8001, /* §3.10.2, within an address */
	POINT_CODE = 0x8002,
	SUBSYSTEM_NUMBER = 0x8003,
};

#define PLAN_E164 1
#define NATURE_ONLY 1 /* global title indicator: the plan is E.164 (Q.713 §3.4.2.3.1) */

/* §3.10.2.3: reserved 3, GTI 1, number of digits 1, translation type 1, plan 1, nature 1, digits */
static bool read_title(struct tg_span value, struct tg_sua_title *t)
{
	struct tg_cursor c = tg_cursor_init(value);

	tg_cursor_skip(&c, 3);
	t->indicator = tg_cursor_u8(&c);
	t->n_digits = tg_cursor_u8(&c);
	t->translation_type = tg_cursor_u8(&c);
	t->plan = tg_cursor_u8(&c);
	t->nature = tg_cursor_u8(&c);
	t->digits = tg_cursor_take(&c, (t->n_digits + 1u) / 2);
	return !c.failed;
}

/* §3.10.2: routing indicator 2, address indicator 2, which says nothing that the parameters do not; these. */
static bool read_address(struct tg_span value, struct tg_sua_address *a)
{
	struct tg_cursor c = tg_cursor_init(value);
	struct tg_span inner;
	uint16_t tag;

	a->routing = tg_cursor_be16(&c);
	tg_cursor_skip(&c, 2);
	while (tg_xua_next(&c, &tag, &inner)) {
		if (tag == GLOBAL_TITLE && !read_title(inner, &a->title))
			return false;
		if (tag == POINT_CODE && inner.len == 4) {
			a->has_point_code = true;
			a->point_code = tg_load_be32(inner.data);
		}
		if (tag == SUBSYSTEM_NUMBER && inner.len == 4) {
			a->has_ssn = true;
			a->ssn = inner.data[3];
		}
	}
	return !c.failed;
}

static enum tg_reason kind_of(const struct tg_xua *x, enum tg_sua_message *message)
{
	if (x->message_class == CLASS_CONNECTIONLESS && x->type == TYPE_CLDT)
		*message = TG_SUA_CLDT;
	else if (x->message_class == CLASS_CONNECTIONLESS && x->type == TYPE_CLDR)
		*message = TG_SUA_CLDR;
	else if (x->message_class == CLASS_CONNECTION && x->type > 0 &&
		 x->type <= TYPE_LAST_OF_CONNECTION)
		*message = TG_SUA_CONNECTION;
	else
		return TG_REASON_SIGTRAN_OTHER;
	return TG_REASON_NONE;
}

static bool read_parameter(struct tg_sua *s, uint16_t tag, struct tg_span value)
{
	switch (tag) {
	case SOURCE_ADDRESS:
		return read_address(value, &s->source);
	case DESTINATION_ADDRESS:
		return read_address(value, &s->destination);
	case DATA:
		s->data = value;
		return true;
	case NETWORK_APPEARANCE:
		if (value.len == 4) {
			s->network_appearance = tg_load_be32(value.data);
			s->has_network_appearance = true;
		}
		return true;
	default:
		return true;
	}
}

enum tg_reason tg_sua_read(struct tg_span message, struct tg_sua *s)
{
	struct tg_xua x;
	enum tg_reason reason = tg_xua_open(message, &x);
	struct tg_span value;
	uint16_t tag;

	*s = (struct tg_sua){ .message = TG_SUA_CONNECTION };
	if (reason == TG_REASON_NONE)
		reason = kind_of(&x, &s->message);
	if (reason != TG_REASON_NONE)
		return reason;
	while (tg_xua_next(&x.params, &tag, &value))
		if (!read_parameter(s, tag, value))
			return TG_REASON_SIGTRAN_MALFORMED;
	if (x.params.failed || (s->message == TG_SUA_CLDT && !s->data.data))
		return TG_REASON_SIGTRAN_MALFORMED;
	return TG_REASON_NONE;
}

/* Q.713 §3.4.2.3.1 */
static enum tg_num_nature nature_of(uint8_t nature)
{
	switch (nature) {
	case 1:
		return TG_NUM_NATURE_SUBSCRIBER;
	case 3:
		return TG_NUM_NATURE_NATIONAL;
	case 4:
		return TG_NUM_NATURE_INTERNATIONAL;
	default:
		return TG_NUM_NATURE_UNKNOWN;
	}
}

enum tg_num_class tg_sua_number(const struct tg_sua_title *t, const struct tg_num_profile *profile,
				struct tg_num *out)
{
	char text[UINT8_MAX + 1];
	const int n = tg_bcd_decode(t->digits, t->n_digits & 1, text, sizeof(text));

	*out = (struct tg_num){ 0 };
	if (n <= 0)
		return TG_NUM_CLASS_ABSENT;
	if (t->plan != PLAN_E164 && t->indicator != NATURE_ONLY)
		return TG_NUM_CLASS_UNRESOLVED;
	return tg_num_from_digits((struct tg_span){ (const uint8_t *)text, (uint32_t)n },
				  nature_of(t->nature), profile, out);
}
