/* SPDX-License-Identifier: BSD-3-Clause */
#include "tollgate/mtp3.h"

#include "tollgate/cursor.h"

static uint32_t le24(struct tg_cursor *c)
{
	const uint32_t low = tg_cursor_u8(c);
	const uint32_t middle = tg_cursor_u8(c);

	return low | middle << 8 | (uint32_t)tg_cursor_u8(c) << 16;
}

/* Octets go out least significant bit first (Q.703 §2.2), so the label is little-endian. */
static void read_label(struct tg_cursor *c, enum tg_mtp3_variant variant, struct tg_mtp3 *m)
{
	uint32_t label;

	switch (variant) {
	case TG_MTP3_ANSI: /* DPC 24, OPC 24, SLS 8 */
		m->dpc = le24(c);
		m->opc = le24(c);
		m->sls = tg_cursor_u8(c);
		break;
	case TG_MTP3_JAPAN: /* DPC 16, OPC 16, SLS 4 */
		m->dpc = __builtin_bswap16(tg_cursor_be16(c));
		m->opc = __builtin_bswap16(tg_cursor_be16(c));
		m->sls = tg_cursor_u8(c) & 15;
		break;
	case TG_MTP3_ITU: /* DPC 14, OPC 14, SLS 4 */
	default:
		label = __builtin_bswap32(tg_cursor_be32(c));
		m->dpc = label & 0x3fff;
		m->opc = label >> 14 & 0x3fff;
		m->sls = (uint8_t)(label >> 28);
		break;
	}
}

enum tg_reason tg_mtp3_read(struct tg_span msu, enum tg_mtp3_variant variant, struct tg_mtp3 *m)
{
	struct tg_cursor c = tg_cursor_init(msu);
	const uint8_t sio = tg_cursor_u8(&c);

	m->network_appearance = 0;
	m->has_network_appearance = false;
	m->si = sio & 15;
	m->ni = sio >> 6;
	read_label(&c, variant, m);
	m->user = tg_cursor_take(&c, (uint32_t)tg_cursor_left(&c));
	if (c.failed || m->user.len == 0)
		return TG_REASON_SIGTRAN_MALFORMED;
	/* Q.704 §14.2.1: 0 to 2 are the network's own management and tests. */
	return m->si < TG_SI_SCCP ? TG_REASON_SIGTRAN_OTHER : TG_REASON_NONE;
}
