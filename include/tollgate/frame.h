/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The common header walk: Ethernet, 802.1Q and 802.1ad tags, IPv4 with options, IPv6 with extension
 * headers, UDP. Shared by the dataplane and the XDP program, hence inline, loops with constant
 * bounds, and its own (data, end) checks; the cursor begins above it.
 *
 * May not know what a payload means.
 */
#ifndef TG_FRAME_H
#define TG_FRAME_H

#include "tollgate/base.h"
#include "tollgate/load.h"
#include "tollgate/reason.h"

#define TG_FRAME_MAX_VLAN 2
#define TG_FRAME_MAX_IPV6_EXT 6

#define TG_IPPROTO_UDP 17

/* Where a frame begins. Live frames are Ethernet; captures may begin at the IP header. */
enum tg_link {
	TG_LINK_ETHERNET,
	TG_LINK_IP,
};

/* Offsets are from the first byte of the frame. */
struct tg_frame {
	uint16_t l3_off;
	uint16_t l4_off;
	uint16_t payload_off;
	uint16_t payload_len; /* by the UDP length: Ethernet padding and IP slack are not payload */
	uint16_t sport;
	uint16_t dport;
	uint16_t vlan[TG_FRAME_MAX_VLAN]; /* VID, outermost first */
	uint8_t n_vlan;
	uint8_t ip_version; /* 4 or 6, 0 when not IP */
	uint8_t l4_proto;
	uint8_t dscp; /* with ECN: the TOS / traffic class octet */
};

/*
 * TG_REASON_NONE: a whole UDP datagram, all fields set. Anything else: the reason for which the
 * frame is not looked into further; what was reached by then is set, the rest zero. A length that
 * does not fit the frame is never trusted.
 */
static inline enum tg_reason tg_frame_walk(const uint8_t *data, const uint8_t *end,
					   enum tg_link link, struct tg_frame *f);

#endif
