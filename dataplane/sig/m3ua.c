/* SPDX-License-Identifier: BSD-3-Clause */
/* The adaptation layers with the common header of RFC 4666 that carry MTP3's messages: M3UA, M2UA (RFC 3331). */
#include "tollgate/mtp3.h"

#include "dataplane/sig/xua.h"

#define CLASS_TRANSFER 1 /* §3.1.2 */
#define CLASS_MAUP 6	 /* RFC 3331 §3.1.2 */
#define TYPE_DATA 1

enum parameter {
	DRAFT_PROTOCOL_DATA =
		2, /* up to draft-ietf-sigtran-m3ua-06: an MSU; unused since (RFC 4666 §3.2) */
	NETWORK_APPEARANCE = 0x0200,
	PROTOCOL_DATA = 0x0210,
	M2UA_DATA = 0x0300,	/* RFC 3331 §3.3.1.1 */
	M2UA_DATA_TTC = 0x0301, /* length octet in front */
};

/* The parameters of a DATA message of this class. SIGTRAN_OTHER: it is something else. */
static inline enum tg_reason open_data(struct tg_span message, uint8_t message_class,
				       struct tg_cursor *params)
{
	struct tg_xua x;
	const enum tg_reason reason = tg_xua_open(message, &x);

	if (reason == TG_REASON_NONE && (x.message_class != message_class || x.type != TYPE_DATA))
		return TG_REASON_SIGTRAN_OTHER;
	*params = x.params;
	return reason;
}

#define LABEL 12

/* RFC 4666 §3.3.1 Protocol Data */
static enum tg_reason read_protocol_data(struct tg_span value, struct tg_mtp3 *m)
{
	struct tg_cursor c = tg_cursor_init(value);
	const uint8_t *const label = tg_cursor_take(&c, LABEL).data;

	m->user = tg_cursor_take(&c, (uint32_t)tg_cursor_left(&c));
	if (!label || m->user.len == 0)
		return TG_REASON_SIGTRAN_MALFORMED;
	m->opc = tg_load_be32(label);
	m->dpc = tg_load_be32(label + 4);
	m->si = label[8];
	m->ni = label[9];
	m->sls = label[11]; /* behind the message's priority */
	return TG_REASON_NONE;
}

enum tg_reason tg_m3ua_read(struct tg_span message, struct tg_mtp3 *m)
{
	struct tg_span value, data = { NULL, 0 }, draft = { NULL, 0 };
	uint32_t appearance = 0;
	bool has_appearance = false;
	struct tg_cursor c;
	enum tg_reason reason = open_data(message, CLASS_TRANSFER, &c);
	uint16_t tag;

	if (reason != TG_REASON_NONE)
		return reason;
	while (tg_xua_next(&c, &tag, &value)) {
		if (tag == PROTOCOL_DATA && !data.data) {
			data = value;
		} else if (tag == DRAFT_PROTOCOL_DATA && !draft.data) {
			draft = value;
		} else if (tag == NETWORK_APPEARANCE && value.len == 4) {
			appearance = tg_load_be32(value.data);
			has_appearance = true;
		}
	}
	if (c.failed || (!data.data && !draft.data))
		return TG_REASON_SIGTRAN_MALFORMED;
	reason = data.data ? read_protocol_data(data, m) : tg_mtp3_read(draft, TG_MTP3_ITU, m);
	m->network_appearance = appearance;
	m->has_network_appearance = has_appearance;
	return reason;
}

bool tg_m3ua_peek_service(struct tg_span start, uint8_t *si)
{
	struct tg_cursor c = tg_cursor_init(start);
	uint16_t tag, length;

	*si = 0;
	tg_cursor_skip(&c, 8);
	while (!c.failed) {
		tag = tg_cursor_be16(&c);
		length = tg_cursor_be16(&c);
		if (tag == PROTOCOL_DATA) {
			tg_cursor_skip(&c, 8); /* OPC, DPC */
			*si = tg_cursor_u8(&c);
			break;
		}
		tg_cursor_skip(&c, length < 4 ? UINT16_MAX : ((length + 3u) & ~3u) - 4);
	}
	return !c.failed;
}

enum tg_reason tg_m2ua_read(struct tg_span message, enum tg_mtp3_variant variant, struct tg_mtp3 *m)
{
	struct tg_span value, msu = { NULL, 0 };
	struct tg_cursor c;
	const enum tg_reason reason = open_data(message, CLASS_MAUP, &c);
	uint16_t tag;

	if (reason != TG_REASON_NONE)
		return reason;
	while (tg_xua_next(&c, &tag, &value)) {
		if (tag == M2UA_DATA)
			msu = value;
		else if (tag == M2UA_DATA_TTC && value.len > 0)
			msu = (struct tg_span){ value.data + 1, value.len - 1 };
	}
	return c.failed || !msu.data ? TG_REASON_SIGTRAN_MALFORMED : tg_mtp3_read(msu, variant, m);
}
