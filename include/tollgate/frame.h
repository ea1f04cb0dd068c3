/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The common header walk: Ethernet, 802.1Q and 802.1ad tags, MPLS labels, IPv4 with options, IPv6 with
 * extension headers, UDP, TCP. Shared by the dataplane and the XDP program, hence inline, loops with constant
 * bounds, and its own (data, end) checks; the cursor begins above it.
 *
 * May not know what a payload means.
 */
#ifndef TG_FRAME_H
#define TG_FRAME_H

#include "tollgate/base.h"
#include "tollgate/load.h"
#include "tollgate/reason.h"

#define TG_FRAME_MAX_VLAN 3
/* Transport, entropy (two), service: what a provider's network stacks up. Deeper is `mpls`. */
#define TG_FRAME_MAX_MPLS 4
#define TG_FRAME_MAX_IPV6_EXT 6

/* IEEE 802 registration authority, EtherType values */
enum tg_ethertype {
	TG_ETHERTYPE_IPV4 = 0x0800,
	TG_ETHERTYPE_VLAN = 0x8100,	/* 802.1Q customer tag */
	TG_ETHERTYPE_QINQ = 0x88a8,	/* 802.1ad service tag */
	TG_ETHERTYPE_QINQ_OLD = 0x9100, /* service tag before 802.1ad */
	TG_ETHERTYPE_IPV6 = 0x86dd,
	TG_ETHERTYPE_MPLS = 0x8847,
	TG_ETHERTYPE_MPLS_UPSTREAM = 0x8848, /* RFC 5332 */
	TG_ETHERTYPE_PPPOE_SESSION = 0x8864,
	TG_ETHERTYPE_CMD = 0x8909,    /* Cisco MetaData, a tag between switches */
	TG_ETHERTYPE_MACSEC = 0x88e5, /* 802.1AE */
	TG_ETHERTYPE_PBB = 0x88e7,    /* 802.1ah */
	TG_ETHERTYPE_NSH = 0x894f,    /* RFC 8300 */
};

/* IANA, Assigned Internet Protocol Numbers */
enum tg_ipproto {
	TG_IPPROTO_HOP_BY_HOP = 0,
	TG_IPPROTO_ICMP = 1,
	TG_IPPROTO_IPV4 = 4,
	TG_IPPROTO_TCP = 6,
	TG_IPPROTO_UDP = 17,
	TG_IPPROTO_IPV6 = 41,
	TG_IPPROTO_ROUTING = 43,
	TG_IPPROTO_FRAGMENT = 44,
	TG_IPPROTO_GRE = 47,
	TG_IPPROTO_ESP = 50,
	TG_IPPROTO_AH = 51,
	TG_IPPROTO_ICMPV6 = 58,
	TG_IPPROTO_DEST_OPTIONS = 60,
	TG_IPPROTO_ETHERIP = 97,
	TG_IPPROTO_L2TPV3 = 115,
	TG_IPPROTO_SCTP = 132,
	TG_IPPROTO_MOBILITY = 135,
	TG_IPPROTO_MPLS = 137,
	TG_IPPROTO_HIP = 139,
	TG_IPPROTO_SHIM6 = 140,
	TG_IPPROTO_ETHERNET = 143,    /* SRv6, RFC 8986 */
	TG_IPPROTO_EXPERIMENT1 = 253, /* RFC 4727; extension headers by RFC 7045 */
	TG_IPPROTO_EXPERIMENT2 = 254,
};

/* RFC 9293 §3.1: offsets in the header, and its length without options. */
enum tg_tcp_header {
	TG_TCP_OFF_SEQ = 4,
	TG_TCP_OFF_ACK = 8,
	TG_TCP_OFF_OFFSET = 12,
	TG_TCP_OFF_FLAGS = 13,
	TG_TCP_OFF_CHECKSUM = 16,
	TG_TCP_HEADER = 20,
};

/* Where a frame begins. Live frames are Ethernet; captures may begin at the IP header, or at MTP3's service
 * information octet, where no walk is needed. */
enum tg_link {
	TG_LINK_ETHERNET,
	TG_LINK_IP,
	TG_LINK_MTP3,
};

/* Offsets are from the first byte of the frame. */
struct tg_frame {
	uint16_t l3_off;
	uint16_t l4_off;
	uint16_t payload_off;
	uint16_t payload_len; /* by the UDP or IP length: Ethernet padding is not payload */
	uint16_t sport;
	uint16_t dport;
	uint16_t vlan[TG_FRAME_MAX_VLAN]; /* VID, outermost first */
	uint8_t n_vlan;
	uint8_t n_mpls;	    /* labels; they say nothing of the way back */
	uint8_t ip_version; /* 4 or 6, 0 when not IP */
	uint8_t l4_proto;   /* of an IPv6 fragment: what its fragment header names */
	uint8_t dscp;	    /* with ECN: the TOS / traffic class octet */
	/* Only of a fragment; its bytes begin at l4_off. */
	uint8_t frag_more; /* M: not the datagram's last */
	uint16_t frag_off; /* where its bytes belong in the datagram */
	uint16_t frag_len; /* how many, by the IP header: the frame may end before */
	uint32_t frag_id;
};

/* Ports whose payload is not a call in the clear, whatever is in it. */
enum tg_frame_port {
	TG_PORT_HTTPS = 443,
	TG_PORT_L2TP = 1701,	  /* RFC 2661 */
	TG_PORT_GTPU = 2152,	  /* 3GPP TS 29.281 */
	TG_PORT_ESP = 4500,	  /* RFC 3948 */
	TG_PORT_GRE = 4754,	  /* RFC 8086 */
	TG_PORT_VXLAN = 4789,	  /* RFC 7348 */
	TG_PORT_VXLAN_GPE = 4790, /* IANA vxlan-gpe */
	TG_PORT_SIPS = 5061,
	TG_PORT_GENEVE = 6081, /* RFC 8926 */
	TG_PORT_MPLS = 6635,   /* RFC 7510 */
	TG_PORT_SCTP = 9899,   /* RFC 6951 */
};

/*
 * The checks below have the form `p + n > end`, not `end - p < n`: it is the form from which the
 * BPF verifier learns how much of the packet may be read. n is at most 65535, so p + n does not wrap.
 */

/*
 * SIP is known by its start line on any port, also on one that usually carries a tunnel. Three
 * capitals, or line ends before them (RFC 3261 §7.5), begin every message that matters here, and no
 * header of the encapsulations above (an MPLS label may, one in a thousand).
 */
TG_ALWAYS_INLINE bool tg_frame_is_text(const uint8_t *p, const uint8_t *end)
{
	if (p + 3 > end)
		return false;
	if (p[0] == '\r' || p[0] == '\n')
		return p[1] == '\r' || p[1] == '\n' || (p[1] >= 'A' && p[1] <= 'Z');
	return p[0] >= 'A' && p[0] <= 'Z' && p[1] >= 'A' && p[1] <= 'Z' && p[2] >= 'A' &&
	       p[2] <= 'Z';
}

/* Encapsulations in UDP: told by the destination port, as their RFCs say, where not text. */
TG_ALWAYS_INLINE enum tg_reason tg_frame_udp_inside(const uint8_t *p, const uint8_t *end,
						    const struct tg_frame *f)
{
	/* RFC 6951 §5.4: answers go to where the other end sent from. Media begins with 10 (RFC 3550 §5.1). */
	const bool from_sctp = f->sport == TG_PORT_SCTP && p + 1 <= end && p[0] >> 6 != 2;
	enum tg_reason reason;

	switch (from_sctp ? f->sport : f->dport) {
	case TG_PORT_L2TP:
	case TG_PORT_GTPU:
	case TG_PORT_ESP:
	case TG_PORT_GRE:
	case TG_PORT_VXLAN:
	case TG_PORT_VXLAN_GPE:
	case TG_PORT_GENEVE:
	case TG_PORT_MPLS:
		reason = TG_REASON_TUNNEL;
		break;
	case TG_PORT_SCTP:
		reason = TG_REASON_SCTP;
		break;
	default:
		/* RFC 7983 §7: DTLS records begin with 20-63 */
		if ((f->dport != TG_PORT_SIPS && f->sport != TG_PORT_SIPS) || p + 1 > end ||
		    p[0] < 20 || p[0] > 63)
			return TG_REASON_NONE;
		reason = TG_REASON_TLS;
		break;
	}
	if (f->payload_len == 0 || (f->payload_len >= 3 && tg_frame_is_text(p, end)))
		return TG_REASON_NONE;
	return reason;
}

/* RFC 768. `left`: what the IP header says there is. */
TG_ALWAYS_INLINE enum tg_reason tg_frame_udp(const uint8_t *p, const uint8_t *end, uint32_t left,
					     struct tg_frame *f)
{
	uint32_t len;

	if (left < 8)
		return TG_REASON_UDP_MALFORMED;
	if (p + 8 > end)
		return TG_REASON_TRUNCATED;
	f->sport = tg_load_be16(p);
	f->dport = tg_load_be16(p + 2);
	len = tg_load_be16(p + 4);
	if (len < 8 || len > left)
		return TG_REASON_UDP_MALFORMED;
	if (p + left > end)
		return TG_REASON_TRUNCATED;
	f->payload_off = (uint16_t)(f->l4_off + 8);
	f->payload_len = (uint16_t)(len - 8);
	return tg_frame_udp_inside(p + 8, end, f);
}

/* Where TLS is usual, what does not begin like SIP is TLS, or the middle of it. */
TG_ALWAYS_INLINE bool tg_frame_is_tls_port(const struct tg_frame *f)
{
	return f->sport == TG_PORT_SIPS || f->dport == TG_PORT_SIPS || f->sport == TG_PORT_HTTPS ||
	       f->dport == TG_PORT_HTTPS;
}

/* RFC 9293 §3.1. `left`: what the IP header says there is. */
TG_ALWAYS_INLINE enum tg_reason tg_frame_tcp(const uint8_t *p, const uint8_t *end, uint32_t left,
					     struct tg_frame *f)
{
	uint32_t header;

	if (left < TG_TCP_HEADER)
		return TG_REASON_TCP_MALFORMED;
	if (p + TG_TCP_HEADER > end)
		return TG_REASON_TRUNCATED;
	f->sport = tg_load_be16(p);
	f->dport = tg_load_be16(p + 2);
	header = (p[TG_TCP_OFF_OFFSET] >> 4) * 4u;
	if (header < TG_TCP_HEADER || header > left)
		return TG_REASON_TCP_MALFORMED;
	if (p + left > end)
		return TG_REASON_TRUNCATED;
	f->payload_off = (uint16_t)(f->l4_off + header);
	f->payload_len = (uint16_t)(left - header);
	if (left > header && tg_frame_is_tls_port(f) && !tg_frame_is_text(p + header, end))
		return TG_REASON_TLS;
	return TG_REASON_NONE;
}

/* RFC 9260 §3.1. The packet is the payload, common header and all, as it is in UDP (RFC 6951). */
TG_ALWAYS_INLINE enum tg_reason tg_frame_sctp(const uint8_t *p, const uint8_t *end, uint32_t left,
					      struct tg_frame *f)
{
	if (left >= 4 && p + 4 <= end) {
		f->sport = tg_load_be16(p);
		f->dport = tg_load_be16(p + 2);
	}
	if (p + left > end)
		return TG_REASON_TRUNCATED;
	f->payload_off = f->l4_off;
	f->payload_len = (uint16_t)left;
	return TG_REASON_SCTP;
}

TG_ALWAYS_INLINE enum tg_reason tg_frame_l4(const uint8_t *p, const uint8_t *end, uint32_t left,
					    struct tg_frame *f)
{
	switch (f->l4_proto) {
	case TG_IPPROTO_UDP:
		return tg_frame_udp(p, end, left, f);
	case TG_IPPROTO_TCP:
		return tg_frame_tcp(p, end, left, f);
	case TG_IPPROTO_SCTP:
		return tg_frame_sctp(p, end, left, f);
	case TG_IPPROTO_ICMP:
	case TG_IPPROTO_ICMPV6:
		return TG_REASON_ICMP;
	case TG_IPPROTO_IPV4:
	case TG_IPPROTO_IPV6:
	case TG_IPPROTO_GRE:
	case TG_IPPROTO_ESP:
	case TG_IPPROTO_ETHERIP:
	case TG_IPPROTO_L2TPV3:
	case TG_IPPROTO_MPLS:
	case TG_IPPROTO_ETHERNET:
		return TG_REASON_TUNNEL;
	case TG_IPPROTO_AH: /* on IPv4; the IPv6 walk steps over it */
		return TG_REASON_IP_EXTENSION;
	default:
		return TG_REASON_OTHER_TRANSPORT;
	}
}

/* RFC 791 §3.1. */
TG_ALWAYS_INLINE enum tg_reason tg_frame_ipv4(const uint8_t *p, const uint8_t *end,
					      struct tg_frame *f)
{
	uint32_t header, total;

	if (p + 20 > end)
		return TG_REASON_TRUNCATED;
	header = (p[0] & 15u) * 4;
	total = tg_load_be16(p + 2);
	if (p[0] >> 4 != 4 || header < 20)
		return TG_REASON_IP_MALFORMED;
	f->ip_version = 4;
	f->dscp = p[1];
	f->l4_proto = p[9];
	/* Captured before segmentation offload filled it in: nobody knows what went out. */
	if (total == 0)
		return TG_REASON_TRUNCATED;
	if (total < header)
		return TG_REASON_IP_MALFORMED;
	f->l4_off = (uint16_t)(f->l3_off + header);
	if (tg_load_be16(p + 6) & 0x3fff) { /* MF, offset */
		f->frag_more = p[6] >> 5 & 1;
		f->frag_off = (uint16_t)(tg_load_be16(p + 6) << 3);
		f->frag_len = (uint16_t)(total - header);
		f->frag_id = tg_load_be16(p + 4);
		return TG_REASON_FRAGMENT;
	}
	p += header;
	if (p > end)
		return TG_REASON_TRUNCATED;
	return tg_frame_l4(p, end, total - header, f);
}

/*
 * How long the IPv6 extension header at p is (8 bytes are there), or why the walk ends at it. After
 * a routing header with segments left the destination is not the one that the UDP checksum covers
 * (RFC 8200 §8.1), so that nothing behind it can be judged.
 */
TG_ALWAYS_INLINE enum tg_reason tg_frame_extension(const uint8_t *p, uint8_t type, bool first,
						   uint32_t *len)
{
	*len = (p[1] + 1u) * 8; /* RFC 8200 §4.3, §4.4, §4.6 */
	switch (type) {
	case TG_IPPROTO_HOP_BY_HOP:
		return first ? TG_REASON_NONE : TG_REASON_IP_EXTENSION; /* RFC 8200 §4.1 */
	case TG_IPPROTO_ROUTING:
		return p[3] == 0 ? TG_REASON_NONE : TG_REASON_IP_EXTENSION;
	case TG_IPPROTO_DEST_OPTIONS:
		return TG_REASON_NONE;
	case TG_IPPROTO_FRAGMENT:
		*len = 8; /* §4.5; offset 0 and M = 0 is a whole packet, RFC 6946 */
		return tg_load_be16(p + 2) & 0xfff9 ? TG_REASON_FRAGMENT : TG_REASON_NONE;
	case TG_IPPROTO_AH:
		*len = (p[1] + 2u) * 4; /* RFC 4302 §2.2 */
		return TG_REASON_NONE;
	default:
		return TG_REASON_IP_EXTENSION;
	}
}

TG_ALWAYS_INLINE bool tg_frame_is_extension(uint8_t type)
{
	switch (type) {
	case TG_IPPROTO_HOP_BY_HOP:
	case TG_IPPROTO_ROUTING:
	case TG_IPPROTO_FRAGMENT:
	case TG_IPPROTO_AH:
	case TG_IPPROTO_DEST_OPTIONS:
	case TG_IPPROTO_MOBILITY:
	case TG_IPPROTO_HIP:
	case TG_IPPROTO_SHIM6:
	case TG_IPPROTO_EXPERIMENT1:
	case TG_IPPROTO_EXPERIMENT2:
		return true;
	default:
		return false;
	}
}

/* RFC 8200 §3, §4. */
TG_ALWAYS_INLINE enum tg_reason tg_frame_ipv6(const uint8_t *p, const uint8_t *end,
					      struct tg_frame *f)
{
	uint32_t left, len, off = f->l3_off + 40u;
	enum tg_reason reason;
	unsigned i;

	if (p + 40 > end)
		return TG_REASON_TRUNCATED;
	if (p[0] >> 4 != 6)
		return TG_REASON_IP_MALFORMED;
	f->ip_version = 6;
	f->dscp = (uint8_t)(tg_load_be16(p) >> 4);
	f->l4_proto = p[6];
	left = tg_load_be16(p + 4);
	if (left == 0 && f->l4_proto == TG_IPPROTO_HOP_BY_HOP)
		return TG_REASON_IP_EXTENSION; /* a jumbogram, RFC 2675 §3 */
	p += 40;
	for (i = 0; i < TG_FRAME_MAX_IPV6_EXT && tg_frame_is_extension(f->l4_proto); i++) {
		if (left < 8)
			return TG_REASON_IP_MALFORMED;
		if (p + 8 > end)
			return TG_REASON_TRUNCATED;
		reason = tg_frame_extension(p, f->l4_proto, i == 0, &len);
		if (reason == TG_REASON_FRAGMENT) {
			f->l4_off = (uint16_t)(off + 8);
			f->l4_proto = p[0];
			f->frag_more = p[3] & 1;
			f->frag_off = tg_load_be16(p + 2) & 0xfff8;
			f->frag_len = (uint16_t)(left - 8);
			f->frag_id = tg_load_be32(p + 4);
		}
		if (reason != TG_REASON_NONE)
			return reason;
		if (len > left)
			return TG_REASON_IP_MALFORMED;
		f->l4_proto = p[0];
		p += len;
		if (p > end)
			return TG_REASON_TRUNCATED;
		left -= len;
		off += len;
	}
	if (tg_frame_is_extension(f->l4_proto))
		return TG_REASON_IP_EXTENSION;
	f->l4_off = (uint16_t)off;
	return tg_frame_l4(p, end, left, f);
}

/*
 * Behind an MPLS EtherType: steps over the labels (RFC 3032 §2.1: the last has bit S set) and tells
 * what follows by its first nibble, as routers do (RFC 4928 §2). A pseudowire's control word (0,
 * RFC 4385 §3) or associated channel (1, RFC 5586 §2) is no IP. `type` becomes the EtherType of what
 * was found, or stays.
 */
TG_ALWAYS_INLINE const uint8_t *tg_frame_mpls(const uint8_t *p, const uint8_t *end, uint32_t *type,
					      struct tg_frame *f)
{
	bool bottom = false;
	unsigned i;

	for (i = 0; i < TG_FRAME_MAX_MPLS && !bottom; i++) {
		if (p + 4 > end)
			return p;
		bottom = p[2] & 1;
		f->n_mpls++;
		p += 4;
	}
	if (!bottom || p + 1 > end)
		return p;
	if (p[0] >> 4 == 4)
		*type = TG_ETHERTYPE_IPV4;
	else if (p[0] >> 4 == 6)
		*type = TG_ETHERTYPE_IPV6;
	return p;
}

/*
 * TG_REASON_NONE: a whole UDP datagram, all fields set. TG_REASON_FRAGMENT: a fragment, with what is
 * needed to put the datagram together. Anything else: the reason for which the
 * frame is not looked into further; what was reached by then is set, the rest zero. A length that
 * does not fit the frame is never trusted. A priority tag counts as a tag with VID 0.
 *
 * Where the frame ends before the IP packet does, what can be told from the headers still is
 * (fragment, tcp, icmp, ...); a UDP datagram is `truncated`.
 */
static inline enum tg_reason tg_frame_walk(const uint8_t *data, const uint8_t *end,
					   enum tg_link link, struct tg_frame *f)
{
	const uint8_t *p = data;
	uint32_t type, i;

	*f = (struct tg_frame){ 0 };
	if (link == TG_LINK_IP) {
		if (p + 1 > end)
			return TG_REASON_TRUNCATED;
		return p[0] >> 4 == 6 ? tg_frame_ipv6(p, end, f) : tg_frame_ipv4(p, end, f);
	}
	if (p + 14 > end)
		return TG_REASON_TRUNCATED;
	type = tg_load_be16(p + 12);
	p += 14;
	for (i = 0; i < TG_FRAME_MAX_VLAN; i++) {
		if (type != TG_ETHERTYPE_VLAN && type != TG_ETHERTYPE_QINQ &&
		    type != TG_ETHERTYPE_QINQ_OLD)
			break;
		if (p + 4 > end)
			return TG_REASON_TRUNCATED;
		f->vlan[i] = tg_load_be16(p) & 0xfff;
		f->n_vlan++;
		type = tg_load_be16(p + 2);
		p += 4;
	}
	if (type == TG_ETHERTYPE_MPLS || type == TG_ETHERTYPE_MPLS_UPSTREAM)
		p = tg_frame_mpls(p, end, &type, f);
	f->l3_off = (uint16_t)(14 + 4 * (f->n_vlan + f->n_mpls));
	switch (type) {
	case TG_ETHERTYPE_IPV4:
		return tg_frame_ipv4(p, end, f);
	case TG_ETHERTYPE_IPV6:
		return tg_frame_ipv6(p, end, f);
	case TG_ETHERTYPE_VLAN:
	case TG_ETHERTYPE_QINQ:
	case TG_ETHERTYPE_QINQ_OLD:
		return TG_REASON_VLAN_DEPTH;
	case TG_ETHERTYPE_MPLS:
	case TG_ETHERTYPE_MPLS_UPSTREAM:
		return TG_REASON_MPLS;
	case TG_ETHERTYPE_PPPOE_SESSION:
		return TG_REASON_PPPOE;
	case TG_ETHERTYPE_CMD:
	case TG_ETHERTYPE_MACSEC:
	case TG_ETHERTYPE_PBB:
	case TG_ETHERTYPE_NSH:
		return TG_REASON_TUNNEL;
	default: /* also 802.3 with LLC (type <= 1500), ARP, LLDP, ... */
		return TG_REASON_NOT_IP;
	}
}

/* Ports behind the last one on which tg_frame_udp_inside looks for anything. */
#define TG_PORT_MEDIA_MIN (TG_PORT_SCTP + 1)

/* A constant as it lies in a frame, to compare what was loaded as it lies there. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define TG_FRAME_BE32(x) __builtin_bswap32(x)
#else
#define TG_FRAME_BE32(x) (x)
#endif

/* RTP and RTCP: version 2 in the first two bits (RFC 3550 §5.1). `left`: as tg_frame_udp. */
TG_ALWAYS_INLINE bool tg_frame_udp_is_media(const uint8_t *p, uint32_t left)
{
	const uint32_t len = tg_load_be16(p + 4);

	return len > 8 && len <= left && tg_load_be16(p + 2) >= TG_PORT_MEDIA_MIN && p[8] >> 6 == 2;
}

/*
 * A first look, one cache line, for what most frames of a trunk are: a whole datagram of RTP or RTCP,
 * not more than one VLAN tag, nothing unusual. True: tg_frame_walk says NONE, and the payload is not
 * SIP. False says nothing.
 */
TG_ALWAYS_INLINE bool tg_frame_is_media(const uint8_t *p, uint32_t len)
{
	uint32_t off = 14, left;

	/* 14 + 4 + 40 + 8 and a byte of payload: all that is read below. */
	if (len < 67)
		return false;
	/* Type IPv4, version 4 with 20 bytes, no fragment, UDP: two comparisons for most. What is left is
	 * then more than the header has, since it is more than 28. */
	if (tg_likely((tg_load_u32(p + 12) & TG_FRAME_BE32(0xffffff00)) ==
			      TG_FRAME_BE32(TG_ETHERTYPE_IPV4 << 16 | 0x4500) &&
		      (tg_load_u32(p + 20) & TG_FRAME_BE32(0x3fff00ff)) ==
			      TG_FRAME_BE32(TG_IPPROTO_UDP))) {
		const uint32_t udp = tg_load_be16(p + 38);

		left = tg_load_be16(p + 16);
		return left + 14 <= len && udp > 8 && udp + 20 <= left &&
		       tg_load_be16(p + 36) >= TG_PORT_MEDIA_MIN && p[42] >> 6 == 2;
	}
	if (tg_load_be16(p + 12) == TG_ETHERTYPE_VLAN)
		off = 18;
	p += off;
	if (tg_load_be16(p - 2) == TG_ETHERTYPE_IPV4) {
		left = tg_load_be16(p + 2);
		return p[0] == 0x45 && (tg_load_be32(p + 6) & 0x3fff00ff) == TG_IPPROTO_UDP &&
		       left >= 20 && left + off <= len && tg_frame_udp_is_media(p + 20, left - 20);
	}
	if (tg_load_be16(p - 2) == TG_ETHERTYPE_IPV6) {
		left = tg_load_be16(p + 4);
		return p[0] >> 4 == 6 && p[6] == TG_IPPROTO_UDP && left + 40 + off <= len &&
		       tg_frame_udp_is_media(p + 40, left);
	}
	return false;
}

#endif
