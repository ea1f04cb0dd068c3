/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames for tests: parameters -> bytes, lengths and checksums right unless asked otherwise. Its
 * checksum is the plain word-by-word loop of RFC 1071 §4.1, so that it is an oracle for checksum.h.
 *
 *	uint8_t frame[TG_PKT_MAX];
 *	const struct tg_pkt p = { .n_vlan = 1, .vlan = { 7 }, .dport = 5080 };
 *	size_t len = tg_pkt_build(&p, sip, strlen(sip), frame);
 *
 * All zero is: Ethernet, no tag, IPv4 192.0.2.1:5060 -> 198.51.100.2:5060, UDP.
 */
#ifndef TG_TESTS_PKT_H
#define TG_TESTS_PKT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TG_PKT_MAX 65600 /* two MACs, type, tags, labels, and the longest IPv4 packet */
#define TG_PKT_MAX_TAGS 4
#define TG_PKT_MAX_EXT 8

struct tg_pkt {
	bool ipv6;
	bool no_ethernet; /* the frame begins at the IP header */
	const char *src;  /* text; NULL = 192.0.2.1 or 2001:db8::1 */
	const char *dst;  /* NULL = 198.51.100.2 or 2001:db8:1::2 */
	uint16_t sport;	  /* 0 = 5060 */
	uint16_t dport;	  /* 0 = 5060 */

	unsigned n_vlan;		/* tags, outermost first */
	uint16_t vlan[TG_PKT_MAX_TAGS]; /* the whole TCI: PCP, DEI, VID */
	uint16_t tpid[TG_PKT_MAX_TAGS]; /* 0 = 0x8100; the outer one of several: 0x88a8 */
	unsigned n_mpls;		/* labels in front of the IP header, the last one with S */
	uint16_t ethertype;		/* 0 = IP; else the payload follows this type at once */

	uint8_t dscp;		/* the whole TOS or traffic class octet */
	uint8_t proto;		/* 0 = UDP; else the payload follows the IP header and extensions */
	uint8_t ipv4_options;	/* bytes of no-operation options, a multiple of 4, up to 40 */
	uint16_t ipv4_fragment; /* flags and offset as on the wire: 0x2000 = MF, 0x4000 = DF */
	uint8_t ext[TG_PKT_MAX_EXT]; /* IPv6 extension headers in order, 0-terminated unless ... */
	unsigned n_ext;		     /* ... this is set: hop-by-hop options are number 0 */
	uint16_t ipv6_fragment;	     /* offset and M of an extension header 44, as on the wire */

	bool zero_udp_checksum; /* "none": legal on IPv4 only */
	bool bad_udp_checksum;
	bool bad_ip_checksum;
	unsigned pad_to; /* zeros up to this frame length, as Ethernet does to 60 */
};

/* Builds the frame in out, TG_PKT_MAX bytes; returns its length. Fails the test if it cannot be. */
size_t tg_pkt_build(const struct tg_pkt *p, const void *payload, size_t len, uint8_t *out);

/* RFC 1071 over bytes, starting from `sum`; folded, not complemented, host order. */
uint16_t tg_pkt_sum(const uint8_t *bytes, size_t len, uint32_t sum);

#endif
