/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fragments of a frame, as a router makes them (RFC 791 §3.2) or a sender (RFC 8200 §4.5). Inline,
 * because fuzz targets link no other support.
 */
#ifndef TG_TESTS_CUT_H
#define TG_TESTS_CUT_H

#include <string.h>

#include "tollgate/checksum.h"
#include "tollgate/frame.h"

struct tg_cut {
	uint32_t off; /* behind the IP header */
	uint32_t len;
	bool more;
	uint32_t id; /* 0: 0x1234 */
};

/* Bytes behind the IP header of a whole frame. */
static inline uint32_t tg_cut_total(const uint8_t *frame, size_t len)
{
	struct tg_frame f;

	(void)tg_frame_walk(frame, frame + len, TG_LINK_ETHERNET, &f);
	if (f.ip_version == 6)
		return tg_load_be16(frame + f.l3_off + 4);
	return tg_load_be16(frame + f.l3_off + 2) - (frame[f.l3_off] & 15u) * 4;
}

/* One fragment of `frame` (IPv6: no extension headers), its length; `out` has room for it. */
static inline size_t tg_cut(const uint8_t *frame, size_t len, const struct tg_cut *c, uint8_t *out)
{
	struct tg_frame f;
	uint8_t *ip;
	size_t head;

	(void)tg_frame_walk(frame, frame + len, TG_LINK_ETHERNET, &f);
	head = f.l3_off + (f.ip_version == 6 ? 40u : (frame[f.l3_off] & 15u) * 4);
	memcpy(out, frame, head);
	ip = out + f.l3_off;
	if (f.ip_version == 6) {
		memset(out + head, 0, 8);
		out[head] = ip[6];
		ip[6] = TG_IPPROTO_FRAGMENT;
		tg_store_be16(ip + 4, (uint16_t)(8 + c->len));
		tg_store_be16(out + head + 2, (uint16_t)(c->off | c->more));
		tg_store_be32(out + head + 4, c->id ? c->id : 0x1234);
		memcpy(out + head + 8, frame + head + c->off, c->len);
		return head + 8 + c->len;
	}
	tg_store_be16(ip + 2, (uint16_t)(head - f.l3_off + c->len));
	tg_store_be16(ip + 4, (uint16_t)(c->id ? c->id : 0x1234));
	tg_store_be16(ip + 6, (uint16_t)((unsigned)c->more << 13 | c->off / 8));
	tg_checksum_ipv4_fill(ip);
	memcpy(out + head, frame + head + c->off, c->len);
	return head + c->len;
}

#endif
