/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The XDP program, frame by frame, through BPF_PROG_TEST_RUN: where each frame goes, what is counted,
 * and that not a byte of it changes. The kernel takes frames of 14 bytes and more.
 */
#include <bpf/bpf.h>
#include <string.h>

#include "tests/support/steer_lab.h"
#include "tests/support/tg_test.h"
#include "tollgate/frame.h"

static const uint8_t rtp[] = { 0x80, 0x08, 0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 2, 0xd5, 0xd5 };

#define NONE TG_REASON_NONE

/* ---- what is signalling -------------------------------------------------------------------------- */

TG_TEST(steer_frame_families, TG_NEEDS_BPF)
{
	static const struct steer_case cases[] = {
		{ "UDP to 5060", { .sport = 5062 }, TG_STEER_STEERED, NONE },
		{ "UDP from 5060", { .dport = 5062 }, TG_STEER_STEERED, NONE },
		{ "media", { .sport = RTP_PORT, .dport = 20000 }, TG_STEER_FORWARDED, NONE },
		{ "UDP over IPv6", { .ipv6 = true }, TG_STEER_STEERED, NONE },
		{ "media over IPv6",
		  { .ipv6 = true, .sport = RTP_PORT, .dport = 20000 },
		  TG_STEER_FORWARDED,
		  NONE },
		{ "tagged", { .n_vlan = 1, .vlan = { 7 } }, TG_STEER_STEERED, NONE },
		{ "tagged twice", { .n_vlan = 2, .vlan = { 7, 8 } }, TG_STEER_STEERED, NONE },
		{ "too many tags",
		  { .n_vlan = 4, .vlan = { 1, 2, 3, 4 } },
		  TG_STEER_FORWARDED,
		  TG_REASON_VLAN_DEPTH },
		{ "labelled", { .n_mpls = 2 }, TG_STEER_STEERED, NONE },
		{ "IPv4 options", { .ipv4_options = 40 }, TG_STEER_STEERED, NONE },
		{ "IPv6 extensions",
		  { .ipv6 = true, .ext = { 0, 60 }, .n_ext = 2 },
		  TG_STEER_STEERED,
		  NONE },
		{ "TCP, cut short", { .proto = 6 }, TG_STEER_FORWARDED, TG_REASON_TCP_MALFORMED },
		{ "SCTP", { .proto = 132 }, TG_STEER_STEERED, TG_REASON_SCTP },
		{ "ICMP", { .proto = 1 }, TG_STEER_FORWARDED, TG_REASON_ICMP },
		{ "GRE", { .proto = 47 }, TG_STEER_FORWARDED, TG_REASON_TUNNEL },
		{ "IPv6 over IPv4", { .proto = 41 }, TG_STEER_FORWARDED, TG_REASON_TUNNEL },
		{ "PPPoE", { .ethertype = 0x8864 }, TG_STEER_FORWARDED, TG_REASON_PPPOE },
		{ "ARP", { .ethertype = 0x0806 }, TG_STEER_FORWARDED, TG_REASON_NOT_IP },
		{ "SIP on the port of a tunnel",
		  { .sport = 5060, .dport = 4789 },
		  TG_STEER_STEERED,
		  NONE },
		{ "wrong UDP checksum", { .bad_udp_checksum = true }, TG_STEER_STEERED, NONE },
		{ "wrong IP checksum", { .bad_ip_checksum = true }, TG_STEER_STEERED, NONE },
		{ "padded", { .pad_to = 200 }, TG_STEER_STEERED, NONE },
	};

	steer_lab_check_frames(cases, TG_ARRAY_LEN(cases));
}

/* Fragments have no ports to go by (but the first), and all of a datagram must go one way. */
TG_TEST(steer_fragments_by_protocol, TG_NEEDS_BPF)
{
	static const struct steer_case cases[] = {
		{ "first", { .ipv4_fragment = 0x2000 }, TG_STEER_STEERED, TG_REASON_FRAGMENT },
		{ "middle", { .ipv4_fragment = 0x2064 }, TG_STEER_STEERED, TG_REASON_FRAGMENT },
		{ "last", { .ipv4_fragment = 0x0064 }, TG_STEER_STEERED, TG_REASON_FRAGMENT },
		{ "of media: nobody knows",
		  { .ipv4_fragment = 0x2000, .dport = 20000, .sport = 1 },
		  TG_STEER_STEERED,
		  TG_REASON_FRAGMENT },
		{ "of SCTP, all of which is listed",
		  { .ipv4_fragment = 0x2000, .proto = 132 },
		  TG_STEER_STEERED,
		  TG_REASON_FRAGMENT },
		{ "of ICMP",
		  { .ipv4_fragment = 0x2000, .proto = 1 },
		  TG_STEER_FORWARDED,
		  TG_REASON_FRAGMENT },
		{ "don't fragment is none", { .ipv4_fragment = 0x4000 }, TG_STEER_STEERED, NONE },
		{ "IPv6",
		  { .ipv6 = true, .ext = { 44 }, .ipv6_fragment = 0x0321 },
		  TG_STEER_STEERED,
		  TG_REASON_FRAGMENT },
		{ "IPv6, protocol hidden",
		  { .ipv6 = true, .ext = { 44, 60 }, .ipv6_fragment = 1 },
		  TG_STEER_STEERED,
		  TG_REASON_FRAGMENT },
		{ "IPv6 of ICMP",
		  { .ipv6 = true, .ext = { 44 }, .ipv6_fragment = 1, .proto = 58 },
		  TG_STEER_FORWARDED,
		  TG_REASON_FRAGMENT },
	};

	steer_lab_check_frames(cases, TG_ARRAY_LEN(cases));
}

static void check_ports_of(uint8_t proto, enum tg_steer_outcome outcome)
{
	const struct tg_pkt p = { .proto = proto };
	uint8_t segment[24] = { 0x13, 0xc4, 0x20, 0 }; /* from 5060 */
	size_t len = tg_pkt_build(&p, segment, sizeof(segment), steer_lab_frame);
	unsigned reason;

	assert_int_equal(steer_lab_run(steer_lab_frame, len, &reason), outcome);
	memcpy(segment, "\x20\x00\x13\xc4", 4); /* to 5060 */
	len = tg_pkt_build(&p, segment, sizeof(segment), steer_lab_frame);
	assert_int_equal(steer_lab_run(steer_lab_frame, len, &reason), outcome);
}

TG_TEST(steer_ports_are_of_their_protocol, TG_NEEDS_BPF)
{
	steer_lab_open();
	check_ports_of(TG_IPPROTO_TCP, TG_STEER_STEERED);
	steer_lab_rule_port(TG_IPPROTO_TCP, 5060, 0);
	check_ports_of(TG_IPPROTO_TCP, TG_STEER_FORWARDED);
	/* A port that says forward goes before a protocol that says steer. */
	check_ports_of(TG_IPPROTO_SCTP, TG_STEER_STEERED);
	steer_lab_rule_port(TG_IPPROTO_SCTP, 5060, TG_STEER_RULE_FORWARD);
	steer_lab_put_index(steer_lab_skel->maps.rule_protocols, TG_IPPROTO_SCTP,
			    TG_STEER_RULE_STEER);
	check_ports_of(TG_IPPROTO_SCTP, TG_STEER_EXEMPT);
	steer_lab_close();
}

/* ---- a dataplane that does not live -------------------------------------------------------------- */

TG_TEST(steer_open_and_closed, TG_NEEDS_BPF)
{
	static const struct steer_state_case cases[] = {
#define OPEN TG_STEER_BYPASS_AUTO, TG_STEER_FAIL_OPEN
#define CLOSED TG_STEER_BYPASS_AUTO, TG_STEER_FAIL_CLOSED
		{ "open, lives", FRESH, OPEN, TG_STEER_STEERED },
		{ "open, hangs", STALE, OPEN, TG_STEER_BYPASS_STALE },
		{ "open, not yet", NEVER, OPEN, TG_STEER_BYPASS_STALE },
		{ "open, nonsense", FROM_THE_FUTURE, OPEN, TG_STEER_BYPASS_STALE },
		{ "open, gone", NO_SOCKET, OPEN, TG_STEER_BYPASS_NO_SOCKET },
		{ "open, back again", FRESH, OPEN, TG_STEER_STEERED },
		{ "closed, lives", FRESH, CLOSED, TG_STEER_STEERED },
		{ "closed, hangs", STALE, CLOSED, TG_STEER_CLOSED_STALE },
		{ "closed, not yet", NEVER, CLOSED, TG_STEER_CLOSED_STALE },
		{ "closed, nonsense", FROM_THE_FUTURE, CLOSED, TG_STEER_CLOSED_STALE },
		{ "closed, gone", NO_SOCKET, CLOSED, TG_STEER_CLOSED_NO_SOCKET },
#undef OPEN
#undef CLOSED
	};

	steer_lab_check_states(cases, TG_ARRAY_LEN(cases));
}

/* Media is none of the dataplane's business, dead or alive, open or closed. */
TG_TEST(steer_media_passes_in_every_state, TG_NEEDS_BPF)
{
	const struct tg_pkt p = { .sport = RTP_PORT, .dport = RTP_PORT + 2 };
	const size_t len = tg_pkt_build(&p, rtp, sizeof(rtp), steer_lab_frame);
	unsigned d, bypass, policy;

	steer_lab_open();
	for (d = FRESH; d <= NO_SOCKET; d++) {
		for (bypass = 0; bypass < TG_STEER_BYPASS_COUNT; bypass++) {
			for (policy = TG_STEER_FAIL_OPEN; policy <= TG_STEER_FAIL_CLOSED;
			     policy++) {
				steer_lab_set_dataplane(d);
				steer_lab_set_bypass(bypass, policy);
				steer_lab_expect("media", len, TG_STEER_FORWARDED, NONE);
			}
		}
	}
	steer_lab_close();
}

TG_TEST(steer_bypass_on_and_off, TG_NEEDS_BPF)
{
	static const struct steer_state_case cases[] = {
#define ON TG_STEER_BYPASS_ON
#define OFF TG_STEER_BYPASS_OFF
		{ "on, lives", FRESH, ON, TG_STEER_FAIL_OPEN, TG_STEER_BYPASS_FORCED },
		{ "on, gone, closed", NO_SOCKET, ON, TG_STEER_FAIL_CLOSED, TG_STEER_BYPASS_FORCED },
		{ "off, lives", FRESH, OFF, TG_STEER_FAIL_OPEN, TG_STEER_STEERED },
		{ "off, hangs", STALE, OFF, TG_STEER_FAIL_OPEN, TG_STEER_CLOSED_STALE },
		{ "off, gone", NO_SOCKET, OFF, TG_STEER_FAIL_OPEN, TG_STEER_CLOSED_NO_SOCKET },
#undef ON
#undef OFF
	};

	steer_lab_check_states(cases, TG_ARRAY_LEN(cases));
}

TG_TEST(steer_peer_gone_is_counted, TG_NEEDS_BPF)
{
	const uint32_t peer = SLOT ^ 1;
	const struct tg_pkt media = { .sport = RTP_PORT, .dport = RTP_PORT };

	steer_lab_open();
	assert_int_equal(bpf_map_delete_elem(bpf_map__fd(steer_lab_skel->maps.devices), &peer), 0);
	steer_lab_expect("media", steer_lab_build(&media), TG_STEER_NO_PEER, NONE);
	steer_lab_expect("signalling", steer_lab_build(&(struct tg_pkt){ 0 }), TG_STEER_STEERED,
			 NONE);
	steer_lab_close();
}

/* ---- rules --------------------------------------------------------------------------------------- */

TG_TEST(steer_nets_decide_before_ports, TG_NEEDS_BPF)
{
	static const uint8_t net[4] = { 192, 0, 2, 0 }, host[4] = { 192, 0, 2, 1 };
	static const uint8_t peer[4] = { 198, 51, 100, 2 };
	static const uint8_t net6[16] = { 0x20, 0x01, 0x0d, 0xb8 };
	const struct tg_pkt media = { .sport = RTP_PORT, .dport = RTP_PORT };
	const struct tg_pkt sip6 = { .ipv6 = true };

	steer_lab_open();
	steer_lab_rule_net4(net, 24, TG_STEER_RULE_FORWARD);
	steer_lab_expect("SIP of an exempt net", steer_lab_build(&(struct tg_pkt){ 0 }),
			 TG_STEER_EXEMPT, NONE);
	steer_lab_expect("IPv6 is another net", steer_lab_build(&sip6), TG_STEER_STEERED, NONE);
	steer_lab_rule_net4(host, 32, TG_STEER_RULE_STEER);
	steer_lab_expect("the longer prefix", steer_lab_build(&media), TG_STEER_STEERED, NONE);
	steer_lab_rule_net4(peer, 32, TG_STEER_RULE_FORWARD);
	steer_lab_expect("steer wins a tie", steer_lab_build(&media), TG_STEER_STEERED, NONE);
	steer_lab_rule_net4(host, 32, TG_STEER_RULE_CLOSED);
	steer_lab_expect("a rule of policy alone decides nothing",
			 steer_lab_build(&(struct tg_pkt){ 0 }), TG_STEER_EXEMPT, NONE);
	steer_lab_rule_net(32, net6, TG_STEER_RULE_FORWARD);
	steer_lab_expect("IPv6 prefix", steer_lab_build(&sip6), TG_STEER_EXEMPT, NONE);
	steer_lab_close();
}

TG_TEST(steer_trunks_have_their_own_policy, TG_NEEDS_BPF)
{
	static const uint8_t host[4] = { 192, 0, 2, 1 };
	const struct tg_pkt tagged = { .n_vlan = 2, .vlan = { 0xe007, 9 } }; /* PCP is no VID */
	const struct tg_pkt media = { .n_vlan = 1, .vlan = { 7 }, .sport = 1, .dport = 1 };

	steer_lab_open();
	steer_lab_set_dataplane(STALE);
	steer_lab_put_index(steer_lab_skel->maps.rule_vlans, 7, TG_STEER_RULE_CLOSED);
	steer_lab_expect("untagged", steer_lab_build(&(struct tg_pkt){ 0 }), TG_STEER_BYPASS_STALE,
			 NONE);
	steer_lab_expect("its VLAN", steer_lab_build(&tagged), TG_STEER_CLOSED_STALE, NONE);
	steer_lab_expect("media of its VLAN", steer_lab_build(&media), TG_STEER_FORWARDED, NONE);
	steer_lab_set_bypass(TG_STEER_BYPASS_ON, TG_STEER_FAIL_CLOSED);
	steer_lab_expect("the operator's word", steer_lab_build(&tagged), TG_STEER_BYPASS_FORCED,
			 NONE);
	steer_lab_set_bypass(TG_STEER_BYPASS_AUTO, TG_STEER_FAIL_CLOSED);
	steer_lab_rule_net4(host, 32, TG_STEER_RULE_OPEN);
	steer_lab_expect("its peer, before its VLAN", steer_lab_build(&tagged),
			 TG_STEER_BYPASS_STALE, NONE);
	steer_lab_close();
}

TG_TEST(steer_frames_by_reason, TG_NEEDS_BPF)
{
	const struct tg_pkt gre = { .proto = 47 }, arp = { .ethertype = 0x0806 };

	steer_lab_open();
	steer_lab_put_index(steer_lab_skel->maps.rule_reasons, TG_REASON_TUNNEL,
			    TG_STEER_RULE_STEER);
	steer_lab_expect("tunnels, asked for", steer_lab_build(&gre), TG_STEER_STEERED,
			 TG_REASON_TUNNEL);
	steer_lab_expect("nothing else", steer_lab_build(&arp), TG_STEER_FORWARDED,
			 TG_REASON_NOT_IP);
	steer_lab_put_index(steer_lab_skel->maps.rule_protocols, TG_IPPROTO_GRE,
			    TG_STEER_RULE_FORWARD);
	steer_lab_expect("a protocol goes before it", steer_lab_build(&gre), TG_STEER_EXEMPT,
			 TG_REASON_TUNNEL);
	steer_lab_close();
}

TG_TEST(steer_without_rules_is_a_wire, TG_NEEDS_BPF)
{
	const struct tg_steer_port_key key = { .port = 5060, .protocol = TG_IPPROTO_UDP };

	steer_lab_open();
	bpf_map_delete_elem(bpf_map__fd(steer_lab_skel->maps.rule_ports), &key);
	steer_lab_expect("SIP", steer_lab_build(&(struct tg_pkt){ 0 }), TG_STEER_FORWARDED, NONE);
	steer_lab_close();
}

TG_TEST(steer_bytes_of_every_kind, TG_NEEDS_BPF)
{
	uint64_t seed = 4;
	unsigned i, k;
	uint8_t frame[96];

	steer_lab_open();
	for (i = 0; i < 4000; i++) {
		size_t len = 14 + tg_test_random(&seed) % (sizeof(frame) - 14);

		for (k = 0; k < sizeof(frame); k++)
			frame[k] = (uint8_t)tg_test_random(&seed);
		if (i & 1)
			memcpy(frame + 12, i & 2 ? "\x08\x00\x45" : "\x86\xdd\x60", 3);
		steer_lab_check_cut(NULL, frame, len);
	}
	steer_lab_close();
}
