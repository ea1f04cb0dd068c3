/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "tests/support/pkt.h"
#include "tests/support/tg_test.h"
#include "tollgate/frame.h"

#define NONE TG_REASON_NONE

static const char sip[] = "INVITE sip:+12025550123@192.0.2.9 SIP/2.0\r\n\r\n";
#define SIP_LEN (sizeof(sip) - 1)

static uint8_t bytes[TG_PKT_MAX];

static enum tg_reason walk(const uint8_t *data, size_t len, enum tg_link link, struct tg_frame *f)
{
	return tg_frame_walk(data, data + len, link, f);
}

/* Whatever the walk says of a cut frame, it never points behind the cut. */
static void check_truncated(void *ctx, const uint8_t *data, size_t len)
{
	const struct tg_pkt *p = ctx;
	struct tg_frame f;
	const enum tg_reason r = walk(data, len, p->no_ethernet ? TG_LINK_IP : TG_LINK_ETHERNET,
				      &f);

	assert_true(f.n_vlan <= TG_FRAME_MAX_VLAN);
	if (r == NONE) {
		assert_true(f.payload_off + (size_t)f.payload_len <= len);
		assert_int_equal(f.l4_proto, TG_IPPROTO_UDP);
	} else {
		assert_in_range(r, 0, TG_REASON_COUNT - 1);
	}
}

struct frame_case {
	struct tg_pkt pkt;
	enum tg_reason reason;
	const char *payload;  /* NULL: the INVITE */
	uint16_t payload_off; /* only if NONE */
};

static void check_frames(const struct frame_case *cases, size_t n_cases)
{
	size_t i;

	for (i = 0; i < n_cases; i++) {
		const struct frame_case *c = &cases[i];
		const char *payload = c->payload ? c->payload : sip;
		const size_t n = tg_pkt_build(&c->pkt, payload, strlen(payload), bytes);
		struct tg_frame f;
		const enum tg_reason r =
			walk(bytes, n, c->pkt.no_ethernet ? TG_LINK_IP : TG_LINK_ETHERNET, &f);

		if (r != c->reason)
			fail_msg("case %zu: %s, not %s", i, tg_reason_name(r),
				 tg_reason_name(c->reason));
		if (r == NONE) {
			assert_int_equal(f.payload_off, c->payload_off);
			assert_int_equal(f.payload_len, strlen(payload));
			assert_int_equal(f.l4_off, c->payload_off - 8);
			assert_memory_equal(bytes + f.payload_off, payload, strlen(payload));
			assert_int_equal(f.ip_version, c->pkt.ipv6 ? 6 : 4);
			assert_int_equal(f.dscp, c->pkt.dscp);
		}
		tg_guard_truncate(bytes, n, check_truncated, (void *)&c->pkt);
	}
}

#define CHECK_FRAMES(...)                                                                          \
	do {                                                                                       \
		static const struct frame_case cases[] = { __VA_ARGS__ };                          \
		check_frames(cases, TG_ARRAY_LEN(cases));                                          \
	} while (0)

TG_TEST(frame_plain_udp, TG_NEEDS_NOTHING)
{
	CHECK_FRAMES(
		{ .payload_off = 42, .reason = NONE },
		{ .pkt = { .ipv6 = true, .dscp = 0xb9 }, .payload_off = 62, .reason = NONE },
		{ .pkt = { .no_ethernet = true }, .payload_off = 28, .reason = NONE },
		{ .pkt = { .no_ethernet = true, .ipv6 = true }, .payload_off = 48, .reason = NONE },
		{ .payload = "", .payload_off = 42, .reason = NONE }, );
}

TG_TEST(frame_ports_and_protocol, TG_NEEDS_NOTHING)
{
	const struct tg_pkt udp = { .sport = 49152, .dport = 5080, .dscp = 0x68 };
	const struct tg_pkt tcp = { .proto = TG_IPPROTO_TCP };
	struct tg_frame f;
	size_t n = tg_pkt_build(&udp, sip, SIP_LEN, bytes);

	assert_int_equal(walk(bytes, n, TG_LINK_ETHERNET, &f), NONE);
	assert_int_equal(f.sport, 49152);
	assert_int_equal(f.dport, 5080);
	assert_int_equal(f.l3_off, 14);
	n = tg_pkt_build(&tcp, "\x13\xc4\x13\xc5\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20, bytes);
	assert_int_equal(walk(bytes, n, TG_LINK_ETHERNET, &f), TG_REASON_TCP_MALFORMED);
	assert_int_equal(f.sport, 5060);
	assert_int_equal(f.dport, 5061);
	assert_int_equal(f.payload_len, 0);
	/* Too short for its ports: none are made up from what follows the packet. */
	n = tg_pkt_build(&tcp, "\x13", 1, bytes);
	bytes[n] = 0xc4;
	assert_int_equal(walk(bytes, n + 4, TG_LINK_ETHERNET, &f), TG_REASON_TCP_MALFORMED);
	assert_int_equal(f.sport, 0);
}

/* A TCP header of `words` 32-bit words by its own word, and what follows it. */
static size_t build_tcp(uint16_t dport, unsigned words, const char *payload, size_t len)
{
	const struct tg_pkt p = { .proto = TG_IPPROTO_TCP };
	uint8_t tcp[128] = { 0x13, 0xc4, (uint8_t)(dport >> 8), (uint8_t)dport };

	tcp[12] = (uint8_t)(words << 4);
	memcpy(tcp + 24, payload, len);
	return tg_pkt_build(&p, tcp, 24 + len, bytes);
}

TG_TEST(SIPT_4_tcp_header_and_tls_ports, TG_NEEDS_NOTHING)
{
	static const struct {
		uint16_t dport;
		unsigned words;
		const char *payload;
		size_t len;
		enum tg_reason reason;
	} cases[] = {
		{ 5060, 6, "INVITE", 6, TG_REASON_NONE },
		{ 5060, 6, "", 0, TG_REASON_NONE },
		{ 5060, 4, "INVITE", 6, TG_REASON_TCP_MALFORMED }, /* shorter than a header is */
		{ 5060, 8, "INVITE", 6, TG_REASON_TCP_MALFORMED }, /* longer than the packet */
		{ 5061, 6, "\x16\x03\x01\x02", 4, TG_REASON_TLS },
		{ 5061, 6, "INVITE", 6, TG_REASON_NONE }, /* in the clear on that port */
		{ 5061, 6, "", 0, TG_REASON_NONE },
		{ 443, 6, "\x17\x03", 2, TG_REASON_TLS },
	};
	struct tg_frame f;
	size_t n, cut;
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		n = build_tcp(cases[i].dport, cases[i].words, cases[i].payload, cases[i].len);
		assert_int_equal(walk(bytes, n, TG_LINK_ETHERNET, &f), cases[i].reason);
		if (cases[i].reason == TG_REASON_NONE) {
			assert_int_equal(f.payload_off, 14 + 20 + 24);
			assert_int_equal(f.payload_len, cases[i].len);
		}
		for (cut = 14 + 20; cut < n; cut++)
			assert_true(walk(bytes, cut, TG_LINK_ETHERNET, &f) != TG_REASON_NONE);
	}
}

TG_TEST(L2_1_vlan_tags, TG_NEEDS_NOTHING)
{
	const struct tg_pkt qinq = { .n_vlan = 2, .vlan = { 0xefff, 0x3064 } };
	struct tg_frame f;
	size_t n;

	CHECK_FRAMES(
		{ .pkt = { .n_vlan = 1, .vlan = { 7 } }, .payload_off = 46, .reason = NONE },
		{ .pkt = { .n_vlan = 1, .vlan = { 0xe000 } }, .payload_off = 46, .reason = NONE },
		{ .pkt = { .n_vlan = 1, .tpid = { 0x9100 } }, .payload_off = 46, .reason = NONE },
		{ .pkt = { .n_vlan = 2, .ipv6 = true }, .payload_off = 70, .reason = NONE },
		{ .pkt = { .n_vlan = 2, .tpid = { 0x8100, 0x8100 } },
		  .payload_off = 50,
		  .reason = NONE },
		{ .pkt = { .n_vlan = 3 }, .payload_off = 54, .reason = NONE },
		{ .pkt = { .n_vlan = 4 }, .reason = TG_REASON_VLAN_DEPTH }, );
	n = tg_pkt_build(&qinq, sip, SIP_LEN, bytes);
	assert_int_equal(walk(bytes, n, TG_LINK_ETHERNET, &f), NONE);
	assert_int_equal(f.n_vlan, 2);
	assert_int_equal(f.vlan[0], 0xfff); /* priority and drop bits are no part of the VID */
	assert_int_equal(f.vlan[1], 0x064);
	assert_int_equal(f.l3_off, 22);
}

TG_TEST(L2_2_mpls_labels_then_ip, TG_NEEDS_NOTHING)
{
	const struct tg_pkt p = { .n_mpls = 3, .n_vlan = 3, .ipv6 = true };
	struct tg_frame f;
	size_t n;

	CHECK_FRAMES({ .pkt = { .n_mpls = 1 }, .payload_off = 46, .reason = NONE },
		     { .pkt = { .n_mpls = 4 }, .payload_off = 58, .reason = NONE },
		     { .pkt = { .n_mpls = 2, .n_vlan = 1, .ipv6 = true },
		       .payload_off = 74,
		       .reason = NONE },
		     { .pkt = { .n_mpls = 5 }, .reason = TG_REASON_MPLS },
		     { .pkt = { .n_mpls = 1, .proto = 6 }, .reason = TG_REASON_TCP_MALFORMED },
		     { .pkt = { .n_mpls = 1, .ipv4_fragment = 0x2000 },
		       .reason = TG_REASON_FRAGMENT }, );
	n = tg_pkt_build(&p, sip, SIP_LEN, bytes);
	assert_int_equal(walk(bytes, n, TG_LINK_ETHERNET, &f), NONE);
	assert_int_equal(f.n_mpls, 3);
	assert_int_equal(f.n_vlan, 3);
	assert_int_equal(f.l3_off, 14 + 12 + 12);
}

/* RFC 4385 §3 and RFC 5586 §2: what begins with 0 or 1 is no IP, nor is anything but 4 and 6. */
TG_TEST(L2_2_pseudowires_pass, TG_NEEDS_NOTHING)
{
	const struct tg_pkt p = { .n_mpls = 2 };
	struct tg_frame f;
	unsigned nibble;
	size_t n = tg_pkt_build(&p, sip, SIP_LEN, bytes);

	for (nibble = 0; nibble < 16; nibble++) {
		bytes[22] = (uint8_t)(nibble << 4 | 5);
		if (nibble == 4)
			assert_int_equal(walk(bytes, n, TG_LINK_ETHERNET, &f), NONE);
		else if (nibble != 6)
			assert_int_equal(walk(bytes, n, TG_LINK_ETHERNET, &f), TG_REASON_MPLS);
	}
}

TG_TEST(L2_2_what_is_blind, TG_NEEDS_NOTHING)
{
	CHECK_FRAMES({ .pkt = { .ethertype = 0x8847 }, .reason = TG_REASON_MPLS },
		     { .pkt = { .ethertype = 0x8848, .n_vlan = 2 }, .reason = TG_REASON_MPLS },
		     { .pkt = { .ethertype = 0x8864 }, .reason = TG_REASON_PPPOE },
		     { .pkt = { .ethertype = 0x88e5 }, .reason = TG_REASON_TUNNEL },
		     { .pkt = { .ethertype = 0x88e7 }, .reason = TG_REASON_TUNNEL },
		     { .pkt = { .ethertype = 0x8909 }, .reason = TG_REASON_TUNNEL },
		     { .pkt = { .ethertype = 0x894f }, .reason = TG_REASON_TUNNEL }, );
}

TG_TEST(L2_3_what_is_not_ip, TG_NEEDS_NOTHING)
{
	CHECK_FRAMES(
		{ .pkt = { .ethertype = 0x0806 }, .reason = TG_REASON_NOT_IP }, /* ARP */
		{ .pkt = { .ethertype = 0x88cc }, .reason = TG_REASON_NOT_IP }, /* LLDP */
		{ .pkt = { .ethertype = 0x8863 }, .reason = TG_REASON_NOT_IP }, /* discovery */
		{ .pkt = { .ethertype = 0x8809 }, .reason = TG_REASON_NOT_IP }, /* LACP */
		{ .pkt = { .ethertype = 0x88f7 }, .reason = TG_REASON_NOT_IP }, /* PTP */
		{ .pkt = { .ethertype = 38 }, .reason = TG_REASON_NOT_IP }, /* LLC: STP, IS-IS */
		{ .pkt = { .ethertype = 0x0806, .n_vlan = 1 }, .reason = TG_REASON_NOT_IP }, );
}

TG_TEST(L2_5_padding_is_not_payload, TG_NEEDS_NOTHING)
{
	CHECK_FRAMES(
		{ .pkt = { .pad_to = 60 }, .payload = "\r\n", .payload_off = 42, .reason = NONE },
		{ .pkt = { .pad_to = 60 }, .payload = "", .payload_off = 42, .reason = NONE },
		{ .pkt = { .pad_to = 200, .ipv6 = true }, .payload_off = 62, .reason = NONE }, );
}

TG_TEST(L3_1_ipv4_options, TG_NEEDS_NOTHING)
{
	const struct tg_pkt p = { 0 };
	struct tg_frame f;
	size_t n;

	CHECK_FRAMES({ .pkt = { .ipv4_options = 4 }, .payload_off = 46, .reason = NONE },
		     { .pkt = { .ipv4_options = 40 }, .payload_off = 82, .reason = NONE }, );
	n = tg_pkt_build(&p, sip, SIP_LEN, bytes);
	bytes[14] = 0x44; /* four words: less than the header */
	assert_int_equal(walk(bytes, n, TG_LINK_ETHERNET, &f), TG_REASON_IP_MALFORMED);
	bytes[14] = 0x65; /* version 6 under IPv4's type */
	assert_int_equal(walk(bytes, n, TG_LINK_ETHERNET, &f), TG_REASON_IP_MALFORMED);
}

TG_TEST(L3_1_ipv6_extension_headers, TG_NEEDS_NOTHING)
{
	CHECK_FRAMES(
		{ .pkt = { .ipv6 = true, .ext = { 0 }, .n_ext = 1 },
		  .payload_off = 70,
		  .reason = NONE },
		{ .pkt = { .ipv6 = true, .ext = { 60 } }, .payload_off = 70, .reason = NONE },
		{ .pkt = { .ipv6 = true, .ext = { 43 } }, .payload_off = 70, .reason = NONE },
		{ .pkt = { .ipv6 = true, .ext = { 51 } }, .payload_off = 78, .reason = NONE },
		{ .pkt = { .ipv6 = true, .ext = { 0, 60, 43, 44, 51, 60 }, .n_ext = 6 },
		  .payload_off = 118,
		  .reason = NONE },
		{ .pkt = { .ipv6 = true, .ext = { 60, 60, 60, 60, 60, 60, 60 } },
		  .reason = TG_REASON_IP_EXTENSION },
		/* hop-by-hop anywhere but first, RFC 8200 §4.1 */
		{ .pkt = { .ipv6 = true, .ext = { 60, 0 }, .n_ext = 2 },
		  .reason = TG_REASON_IP_EXTENSION },
		{ .pkt = { .ipv6 = true, .ext = { 135 } }, .reason = TG_REASON_IP_EXTENSION },
		{ .pkt = { .ipv6 = true, .ext = { 139 } }, .reason = TG_REASON_IP_EXTENSION },
		{ .pkt = { .ipv6 = true, .ext = { 140 } }, .reason = TG_REASON_IP_EXTENSION },
		{ .pkt = { .ipv6 = true, .ext = { 253 } }, .reason = TG_REASON_IP_EXTENSION },
		{ .pkt = { .ipv6 = true, .ext = { 60, 254 } }, .reason = TG_REASON_IP_EXTENSION },
		{ .pkt = { .ipv6 = true, .proto = 59 }, .reason = TG_REASON_OTHER_TRANSPORT },
		{ .pkt = { .proto = 51 }, .reason = TG_REASON_IP_EXTENSION }, );
}

TG_TEST(L3_1_ipv6_headers_that_lie, TG_NEEDS_NOTHING)
{
	const struct tg_pkt p = { .ipv6 = true, .ext = { 60 } };
	const struct tg_pkt routing = { .ipv6 = true, .ext = { 43 } };
	struct tg_frame f;
	size_t n = tg_pkt_build(&p, sip, SIP_LEN, bytes);

	bytes[14] = 0x45;
	assert_int_equal(walk(bytes, n, TG_LINK_ETHERNET, &f), TG_REASON_IP_MALFORMED);
	bytes[14] = 0x60;
	bytes[55] = 255; /* the option header's length: 2048 bytes */
	assert_int_equal(walk(bytes, n, TG_LINK_ETHERNET, &f), TG_REASON_IP_MALFORMED);
	tg_store_be16(bytes + 18, 7); /* no room for an extension header */
	assert_int_equal(walk(bytes, n, TG_LINK_ETHERNET, &f), TG_REASON_IP_MALFORMED);
	/* The same, where the packet claims to be long enough, and the frame is not. */
	tg_store_be16(bytes + 18, 4096);
	assert_int_equal(walk(bytes, n, TG_LINK_ETHERNET, &f), TG_REASON_TRUNCATED);
	/* A jumbogram. */
	bytes[20] = 0;
	tg_store_be16(bytes + 18, 0);
	assert_int_equal(walk(bytes, n, TG_LINK_ETHERNET, &f), TG_REASON_IP_EXTENSION);
	/* Segments left: the checksum covers another destination. */
	n = tg_pkt_build(&routing, sip, SIP_LEN, bytes);
	bytes[57] = 1;
	assert_int_equal(walk(bytes, n, TG_LINK_ETHERNET, &f), TG_REASON_IP_EXTENSION);
}

TG_TEST(L3_2_fragments, TG_NEEDS_NOTHING)
{
	CHECK_FRAMES(
		{ .pkt = { .ipv4_fragment = 0x2000 }, .reason = TG_REASON_FRAGMENT },
		{ .pkt = { .ipv4_fragment = 0x0001 }, .reason = TG_REASON_FRAGMENT },
		{ .pkt = { .ipv4_fragment = 0x3fff }, .reason = TG_REASON_FRAGMENT },
		/* DF, and the bit of RFC 3514 */
		{ .pkt = { .ipv4_fragment = 0xc000 }, .payload_off = 42, .reason = NONE },
		{ .pkt = { .ipv4_fragment = 0x2000, .proto = 6 }, .reason = TG_REASON_FRAGMENT },
		{ .pkt = { .ipv6 = true, .ext = { 44 }, .ipv6_fragment = 0x0001 },
		  .reason = TG_REASON_FRAGMENT },
		{ .pkt = { .ipv6 = true, .ext = { 44 }, .ipv6_fragment = 0x0008 },
		  .reason = TG_REASON_FRAGMENT },
		{ .pkt = { .ipv6 = true, .ext = { 0, 44 }, .n_ext = 2, .ipv6_fragment = 0xfff9 },
		  .reason = TG_REASON_FRAGMENT }, );
}

/* What putting a datagram together needs of each piece. */
TG_TEST(L3_2_fragment_fields, TG_NEEDS_NOTHING)
{
	static const struct {
		struct tg_pkt pkt;
		uint16_t l4_off, off;
		bool more;
		uint32_t id;
	} cases[] = {
		{ { .ipv4_fragment = 0x2000 }, 34, 0, true, 0x1234 },
		{ { .ipv4_fragment = 0x1fff, .n_vlan = 2 }, 42, 65528, false, 0x1234 },
		{ { .ipv4_fragment = 0x6002, .ipv4_options = 8 }, 42, 16, true, 0x1234 },
		{ { .ipv6 = true, .ext = { 44 }, .ipv6_fragment = 0x0001 },
		  62,
		  0,
		  true,
		  0x12345678 },
		{ { .ipv6 = true, .ext = { 0, 44, 60 }, .n_ext = 3, .ipv6_fragment = 0xfff8 },
		  70,
		  65528,
		  false,
		  0x12345678 },
	};
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		size_t n = tg_pkt_build(&cases[i].pkt, sip, SIP_LEN, bytes);
		struct tg_frame f;

		assert_int_equal(walk(bytes, n, TG_LINK_ETHERNET, &f), TG_REASON_FRAGMENT);
		assert_int_equal(f.l4_off, cases[i].l4_off);
		assert_int_equal(f.frag_off, cases[i].off);
		assert_int_equal(f.frag_len, n - cases[i].l4_off);
		assert_int_equal(f.frag_more, cases[i].more);
		assert_int_equal(f.frag_id, cases[i].id);
		assert_int_equal(f.l4_proto, cases[i].pkt.n_ext == 3 ? 60 : TG_IPPROTO_UDP);
		assert_int_equal(f.payload_off, 0);
		/* Ethernet's padding, or a cut: the IP header says how long the piece is. */
		assert_int_equal(walk(bytes, n - 9, TG_LINK_ETHERNET, &f), TG_REASON_FRAGMENT);
		assert_int_equal(f.frag_len, n - cases[i].l4_off);
	}
}

TG_TEST(L3_5_atomic_ipv6_fragment_is_whole, TG_NEEDS_NOTHING)
{
	CHECK_FRAMES({ .pkt = { .ipv6 = true, .ext = { 44 } }, .payload_off = 70, .reason = NONE },
		     /* reserved bits are ignored on reception, RFC 8200 §4.5 */
		     { .pkt = { .ipv6 = true, .ext = { 44 }, .ipv6_fragment = 6 },
		       .payload_off = 70,
		       .reason = NONE }, );
}

TG_TEST(frame_other_transports_are_told_apart, TG_NEEDS_NOTHING)
{
	CHECK_FRAMES({ .pkt = { .proto = 1 }, .reason = TG_REASON_ICMP },
		     { .pkt = { .proto = 58, .ipv6 = true }, .reason = TG_REASON_ICMP },
		     { .pkt = { .proto = 132 }, .reason = TG_REASON_SCTP },
		     { .pkt = { .proto = 6 }, .reason = TG_REASON_TCP_MALFORMED },
		     { .pkt = { .proto = 4 }, .reason = TG_REASON_TUNNEL },
		     { .pkt = { .proto = 41 }, .reason = TG_REASON_TUNNEL },
		     { .pkt = { .proto = 47 }, .reason = TG_REASON_TUNNEL },
		     { .pkt = { .proto = 50 }, .reason = TG_REASON_TUNNEL },
		     { .pkt = { .proto = 97 }, .reason = TG_REASON_TUNNEL },
		     { .pkt = { .proto = 115 }, .reason = TG_REASON_TUNNEL },
		     { .pkt = { .proto = 137 }, .reason = TG_REASON_TUNNEL },
		     { .pkt = { .proto = 143, .ipv6 = true }, .reason = TG_REASON_TUNNEL },
		     { .pkt = { .proto = 89 }, .reason = TG_REASON_OTHER_TRANSPORT }, );
}

#define TUNNELLED(port, begin)                                                                     \
	{                                                                                          \
		.pkt = { .dport = port }, .payload = begin, .reason = TG_REASON_TUNNEL             \
	}

TG_TEST(frame_tunnels_in_udp, TG_NEEDS_NOTHING)
{
	CHECK_FRAMES(TUNNELLED(1701, "\xc8\x02"), TUNNELLED(2152, "\x30\xff\x01\x01"),
		     TUNNELLED(4500, "\xff"), TUNNELLED(4754, "\x20\x01\x08\x01"),
		     TUNNELLED(4789, "\x08"), TUNNELLED(4790, "\x0c"), TUNNELLED(6081, "\x02"),
		     TUNNELLED(6635, "\x41\x42\x31\x40"),
		     { .pkt = { .dport = 9899 }, .payload = "\x0b\x59", .reason = TG_REASON_SCTP },
		     { .pkt = { .dport = 2152 }, .payload = "", .payload_off = 42, .reason = NONE },
		     /* only the destination tells: a source port is anybody's */
		     { .pkt = { .sport = 2152 },
		       .payload = "\x30\xff\x01\x01",
		       .payload_off = 42,
		       .reason = NONE }, );
}

TG_TEST(SIPT_5_sip_on_a_tunnels_port_is_sip, TG_NEEDS_NOTHING)
{
	CHECK_FRAMES({ .pkt = { .dport = 4789 }, .payload_off = 42, .reason = NONE },
		     { .pkt = { .dport = 9899 }, .payload_off = 42, .reason = NONE },
		     { .pkt = { .dport = 5061 }, .payload_off = 42, .reason = NONE },
		     { .pkt = { .dport = 2152 },
		       .payload = "\r\n\r\nINVITE",
		       .payload_off = 42,
		       .reason = NONE },
		     { .pkt = { .dport = 2152 },
		       .payload = "\nINVITE",
		       .payload_off = 42,
		       .reason = NONE },
		     { .pkt = { .dport = 6635 },
		       .payload = "SIP/2.0",
		       .payload_off = 42,
		       .reason = NONE },
		     /* what follows the payload is not looked at */
		     { .pkt = { .dport = 2152, .pad_to = 60 },
		       .payload = "AC",
		       .reason = TG_REASON_TUNNEL }, );
}

TG_TEST(SIPT_4_dtls_on_the_sips_port_is_tls, TG_NEEDS_NOTHING)
{
	CHECK_FRAMES(
		{ .pkt = { .dport = 5061 }, .payload = "\x16\xfe\xfd", .reason = TG_REASON_TLS },
		{ .pkt = { .sport = 5061 }, .payload = "\x17\xfe\xfd", .reason = TG_REASON_TLS },
		{ .pkt = { .dport = 5061 },
		  .payload = "\x80\xc8",
		  .payload_off = 42,
		  .reason = NONE },
		{ .pkt = { .dport = 5062 },
		  .payload = "\x16\xfe\xfd",
		  .payload_off = 42,
		  .reason = NONE }, );
}

TG_TEST(frame_udp_length_decides, TG_NEEDS_NOTHING)
{
	const struct tg_pkt p = { 0 };
	const size_t n = tg_pkt_build(&p, sip, SIP_LEN, bytes);
	uint8_t *length = bytes + 14 + 20 + 4;
	struct tg_frame f;

	tg_store_be16(length, 8 + 6);
	assert_int_equal(walk(bytes, n, TG_LINK_ETHERNET, &f), NONE);
	assert_int_equal(f.payload_len, 6);
	tg_store_be16(length, 7);
	assert_int_equal(walk(bytes, n, TG_LINK_ETHERNET, &f), TG_REASON_UDP_MALFORMED);
	tg_store_be16(length, 0);
	assert_int_equal(walk(bytes, n, TG_LINK_ETHERNET, &f), TG_REASON_UDP_MALFORMED);
	tg_store_be16(length, (uint16_t)(8 + SIP_LEN + 1));
	assert_int_equal(walk(bytes, n, TG_LINK_ETHERNET, &f), TG_REASON_UDP_MALFORMED);
	/* Padding behind the packet does not make room for it. */
	memset(bytes + n, 0, 64);
	assert_int_equal(walk(bytes, n + 64, TG_LINK_ETHERNET, &f), TG_REASON_UDP_MALFORMED);
	tg_store_be16(bytes + 14 + 2, 27); /* seven bytes of UDP */
	assert_int_equal(walk(bytes, n, TG_LINK_ETHERNET, &f), TG_REASON_UDP_MALFORMED);
}

TG_TEST(frame_ipv4_total_length, TG_NEEDS_NOTHING)
{
	const struct tg_pkt p = { .ipv4_options = 4 };
	const size_t n = tg_pkt_build(&p, sip, SIP_LEN, bytes);
	struct tg_frame f;

	tg_store_be16(bytes + 16, 23);
	assert_int_equal(walk(bytes, n, TG_LINK_ETHERNET, &f), TG_REASON_IP_MALFORMED);
	tg_store_be16(bytes + 16, 0); /* segmentation offload */
	assert_int_equal(walk(bytes, n, TG_LINK_ETHERNET, &f), TG_REASON_TRUNCATED);
	tg_store_be16(bytes + 16, 0xffff);
	assert_int_equal(walk(bytes, n, TG_LINK_ETHERNET, &f), TG_REASON_TRUNCATED);
}

TG_TEST(frame_one_byte_missing_is_truncated, TG_NEEDS_NOTHING)
{
	const struct tg_pkt p[] = { { 0 }, { .ipv6 = true, .ext = { 60, 51 } }, { .n_vlan = 2 } };
	struct tg_frame f;
	size_t i, n;

	for (i = 0; i < TG_ARRAY_LEN(p); i++) {
		n = tg_pkt_build(&p[i], sip, SIP_LEN, bytes);
		assert_int_equal(walk(bytes, n, TG_LINK_ETHERNET, &f), NONE);
		while (n-- > 0)
			assert_int_equal(walk(bytes, n, TG_LINK_ETHERNET, &f), TG_REASON_TRUNCATED);
	}
}

TG_TEST(L2_4_longest_datagrams, TG_NEEDS_NOTHING)
{
	static uint8_t payload[65535 - 28];
	const struct tg_pkt v4 = { .n_vlan = 2 }, v6 = { .ipv6 = true, .n_vlan = 2 };
	struct tg_frame f;
	size_t n = tg_pkt_build(&v4, payload, sizeof(payload), bytes);

	assert_int_equal(walk(bytes, n, TG_LINK_ETHERNET, &f), NONE);
	assert_int_equal(f.payload_len, sizeof(payload));
	assert_int_equal(walk(bytes, n - 1, TG_LINK_ETHERNET, &f), TG_REASON_TRUNCATED);
	n = tg_pkt_build(&v6, payload, sizeof(payload), bytes);
	assert_int_equal(walk(bytes, n, TG_LINK_ETHERNET, &f), NONE);
	assert_int_equal(f.payload_len, sizeof(payload));
}

TG_TEST(frame_link_ip_tells_the_version, TG_NEEDS_NOTHING)
{
	uint8_t junk[40] = { 0x55 };
	struct tg_frame f;

	assert_int_equal(walk(junk, 0, TG_LINK_IP, &f), TG_REASON_TRUNCATED);
	assert_int_equal(walk(junk, sizeof(junk), TG_LINK_IP, &f), TG_REASON_IP_MALFORMED);
	assert_int_equal(f.ip_version, 0);
}

/* Truncated, it is never called whole. */
static void check_media_truncated(void *ctx, const uint8_t *data, size_t len)
{
	struct tg_frame f;

	(void)ctx;
	if (tg_frame_is_media(data, (uint32_t)len))
		assert_int_equal(walk(data, len, TG_LINK_ETHERNET, &f), NONE);
}

/* What the first look calls media, the walk calls a whole datagram; and it sees the usual forms. */
TG_TEST(SIPT_5_media_is_seen_at_the_first_look, TG_NEEDS_NOTHING)
{
	static const struct {
		struct tg_pkt pkt;
		uint8_t first;
		bool media;
	} cases[] = {
		{ { .dport = 20000 }, 0x80, true },
		{ { .dport = 20000 }, 0xbf, true },
		{ { .dport = 20000, .ipv6 = true }, 0x90, true },
		{ { .dport = 20000, .n_vlan = 1, .vlan = { 7 } }, 0x80, true },
		{ { .dport = 20000, .n_vlan = 1, .vlan = { 7 }, .ipv6 = true }, 0x80, true },
		{ { .dport = 20000, .pad_to = 128 }, 0x80, true },
		{ { .dport = 20000, .bad_udp_checksum = true }, 0x80, true },
		{ { .dport = 20000 }, 0x7f, false },
		{ { .dport = 20000 }, 0xc0, false },
		{ { .dport = 20000 }, 0xf8, false },
		{ { .dport = 20000 }, 'I', false },
		{ { .dport = TG_PORT_MEDIA_MIN }, 0x80, true },
		{ { .dport = TG_PORT_SCTP }, 0x80, false },
		{ { .dport = TG_PORT_GTPU }, 0x80, false },
		{ { .dport = 20000, .n_vlan = 2, .vlan = { 7, 8 } }, 0x80, false },
		{ { .dport = 20000, .n_mpls = 1 }, 0x80, false },
		{ { .dport = 20000, .ipv4_options = 4 }, 0x80, false },
		{ { .dport = 20000, .ipv4_fragment = 0x2000 }, 0x80, false },
		{ { .dport = 20000, .ipv4_fragment = 0x4000 }, 0x80, true },
		{ { .dport = 20000, .ipv6 = true, .n_ext = 1 }, 0x80, false },
		{ { .dport = 20000, .proto = TG_IPPROTO_TCP }, 0x80, false },
	};
	size_t i, n, at;

	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		uint8_t payload[40] = { cases[i].first };
		struct tg_frame f;

		n = tg_pkt_build(&cases[i].pkt, payload, sizeof(payload), bytes);
		if (tg_frame_is_media(bytes, (uint32_t)n) != cases[i].media)
			fail_msg("case %zu", i);
		tg_guard_truncate(bytes, n, check_media_truncated, NULL);
		/* Each byte of the head spoilt: still nothing that the walk would not call whole. */
		for (at = 12; at < 50; at++) {
			const uint8_t was = bytes[at];

			for (bytes[at] = 0; bytes[at] != 0xff; bytes[at]++)
				check_media_truncated(NULL, bytes, n);
			bytes[at] = was;
		}
		if (cases[i].media)
			assert_int_equal(walk(bytes, n, TG_LINK_ETHERNET, &f), NONE);
	}
}
