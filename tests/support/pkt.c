/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/support/pkt.h"

#include <arpa/inet.h>
#include <string.h>

#include "tests/support/tg_test.h"
#include "tollgate/load.h"

#define PROTO_UDP 17
#define EXT_ROUTING 43
#define EXT_FRAGMENT 44
#define EXT_AH 51

uint16_t tg_pkt_sum(const uint8_t *bytes, size_t len, uint32_t sum)
{
	size_t i;

	for (i = 0; i + 1 < len; i += 2) {
		sum += tg_load_be16(bytes + i);
		sum = (sum & 0xffff) + (sum >> 16);
	}
	if (len & 1)
		sum += (uint32_t)bytes[len - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static size_t put_ethernet(const struct tg_pkt *p, uint8_t *out)
{
	static const uint8_t macs[12] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1 };
	const uint16_t ip = p->n_mpls ? 0x8847 : p->ipv6 ? 0x86dd : 0x0800;
	size_t n = sizeof(macs);
	unsigned i;

	memcpy(out, macs, sizeof(macs));
	for (i = 0; i < p->n_vlan; i++) {
		const uint16_t usual = i + 1 < p->n_vlan ? 0x88a8 : 0x8100;

		tg_store_be16(out + n, p->tpid[i] ? p->tpid[i] : usual);
		tg_store_be16(out + n + 2, p->vlan[i]);
		n += 4;
	}
	tg_store_be16(out + n, p->ethertype ? p->ethertype : ip);
	n += 2;
	for (i = 0; i < p->n_mpls; i++, n += 4) /* RFC 3032 §2.1: label, TC, S, TTL */
		tg_store_be32(out + n, (16 + i) << 12 | (i + 1 == p->n_mpls) << 8 | 64);
	return n;
}

static void put_address(int family, const char *text, const char *otherwise, uint8_t *out)
{
	assert_int_equal(inet_pton(family, text ? text : otherwise, out), 1);
}

static size_t put_ipv4(const struct tg_pkt *p, size_t l4_len, uint8_t *out)
{
	const size_t header = 20u + p->ipv4_options;

	assert_true(p->ipv4_options % 4 == 0 && p->ipv4_options <= 40);
	assert_true(header + l4_len <= UINT16_MAX);
	memset(out, 0, 20);
	memset(out + 20, 1, p->ipv4_options); /* no-operation */
	out[0] = (uint8_t)(0x40 | header / 4);
	out[1] = p->dscp;
	tg_store_be16(out + 2, (uint16_t)(header + l4_len));
	tg_store_be16(out + 4, 0x1234);
	tg_store_be16(out + 6, p->ipv4_fragment);
	out[8] = 64;
	out[9] = p->proto ? p->proto : PROTO_UDP;
	put_address(AF_INET, p->src, "192.0.2.1", out + 12);
	put_address(AF_INET, p->dst, "198.51.100.2", out + 16);
	tg_store_be16(out + 10, (uint16_t)~tg_pkt_sum(out, header, 0));
	if (p->bad_ip_checksum)
		out[10] ^= 0x40;
	return header;
}

/* One extension header of 8 (AH: 12 + 4) bytes; its first octet is the caller's to set. */
static size_t put_extension(const struct tg_pkt *p, uint8_t type, uint8_t *out)
{
	memset(out, 0, 16);
	switch (type) {
	case EXT_FRAGMENT:
		tg_store_be16(out + 2, p->ipv6_fragment);
		tg_store_be32(out + 4, 0x12345678);
		return 8;
	case EXT_AH:
		out[1] = 2; /* RFC 4302 §2.2: 4-byte words minus 2 */
		return 16;
	case EXT_ROUTING: /* type 0, no segments left */
		return 8;
	default:
		out[2] = 1; /* PadN */
		out[3] = 4;
		return 8;
	}
}

static size_t put_ipv6(const struct tg_pkt *p, size_t l4_len, uint8_t *out)
{
	unsigned n_ext = p->n_ext, i;
	uint8_t *next = out + 6;
	size_t n = 40;

	if (n_ext == 0)
		n_ext = (unsigned)strnlen((const char *)p->ext, TG_PKT_MAX_EXT);
	memset(out, 0, 40);
	tg_store_be32(out, 0x60000000u | (uint32_t)p->dscp << 20 | 0x12345);
	out[7] = 64;
	put_address(AF_INET6, p->src, "2001:db8::1", out + 8);
	put_address(AF_INET6, p->dst, "2001:db8:1::2", out + 24);
	for (i = 0; i < n_ext; i++) {
		*next = p->ext[i];
		next = out + n;
		n += put_extension(p, p->ext[i], out + n);
	}
	*next = p->proto ? p->proto : PROTO_UDP;
	assert_true(n - 40 + l4_len <= UINT16_MAX);
	tg_store_be16(out + 4, (uint16_t)(n - 40 + l4_len));
	return n;
}

static uint16_t udp_checksum(const struct tg_pkt *p, const uint8_t *ip, const uint8_t *udp,
			     size_t len)
{
	const uint32_t pseudo = PROTO_UDP + (uint32_t)len;
	const uint16_t addresses = p->ipv6 ? tg_pkt_sum(ip + 8, 32, pseudo)
					   : tg_pkt_sum(ip + 12, 8, pseudo);
	const uint16_t sum = (uint16_t)~tg_pkt_sum(udp, len, addresses);

	return sum ? sum : 0xffff;
}

static void put_udp(const struct tg_pkt *p, const uint8_t *ip, size_t payload_len, uint8_t *udp)
{
	const size_t len = 8 + payload_len;

	tg_store_be16(udp, p->sport ? p->sport : 5060);
	tg_store_be16(udp + 2, p->dport ? p->dport : 5060);
	tg_store_be16(udp + 4, (uint16_t)len);
	tg_store_be16(udp + 6, 0);
	if (!p->zero_udp_checksum)
		tg_store_be16(udp + 6, udp_checksum(p, ip, udp, len));
	if (p->bad_udp_checksum)
		udp[6] ^= 0x40;
}

size_t tg_pkt_build(const struct tg_pkt *p, const void *payload, size_t len, uint8_t *out)
{
	const size_t udp_len = p->proto || p->ethertype ? 0 : 8;
	uint8_t *ip;
	size_t n;

	n = p->no_ethernet ? 0 : put_ethernet(p, out);
	ip = out + n;
	if (!p->ethertype)
		n += p->ipv6 ? put_ipv6(p, udp_len + len, ip) : put_ipv4(p, udp_len + len, ip);
	assert_true(n + udp_len + len <= TG_PKT_MAX);
	if (len > 0)
		memcpy(out + n + udp_len, payload, len);
	if (udp_len)
		put_udp(p, ip, len, out + n);
	n += udp_len + len;
	assert_true(p->pad_to <= TG_PKT_MAX);
	while (n < p->pad_to)
		out[n++] = 0;
	return n;
}
