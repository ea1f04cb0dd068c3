/* SPDX-License-Identifier: BSD-3-Clause */
/* A frame, as Ethernet and as bare IP; of a whole datagram also the checksums. */
#include <string.h>

#include "tollgate/checksum.h"
#include "tollgate/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		__builtin_trap();
}

static void check(const uint8_t *data, size_t size, enum tg_link link)
{
	static uint8_t copy[1 << 17];
	struct tg_frame f;
	const enum tg_reason reason = tg_frame_walk(data, data + size, link, &f);

	must(reason <= TG_REASON_NONE && f.n_vlan <= TG_FRAME_MAX_VLAN);
	if (link == TG_LINK_ETHERNET && tg_frame_is_media(data, (uint32_t)size))
		must(reason == TG_REASON_NONE && f.payload_len > 0 &&
		     data[f.payload_off] >> 6 == 2);
	if (reason != TG_REASON_NONE)
		return;
	must(f.ip_version == 4 || f.ip_version == 6);
	must(f.l3_off < f.l4_off && f.payload_off + (size_t)f.payload_len <= size);
	if (f.l4_proto == TG_IPPROTO_TCP) {
		must(f.payload_off >= f.l4_off + TG_TCP_HEADER);
		(void)tg_checksum_tcp_ok(data, &f);
		return;
	}
	must(f.l4_proto == TG_IPPROTO_UDP && f.payload_off == f.l4_off + 8);
	(void)tg_checksum_udp_ok(data, &f);
	if (size > sizeof(copy))
		return;
	memcpy(copy, data, size);
	tg_checksum_udp_fill(copy, &f);
	must(tg_checksum_udp_ok(copy, &f));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check(data, size, TG_LINK_ETHERNET);
	check(data, size, TG_LINK_IP);
	return 0;
}
