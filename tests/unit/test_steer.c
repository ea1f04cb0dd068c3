/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The XDP program, frame by frame, through BPF_PROG_TEST_RUN: where each frame goes, what is counted,
 * and that not a byte of it changes. The kernel takes frames of 14 bytes and more.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bpf/steer.skel.h"
#include "tests/support/pkt.h"
#include "tests/support/tg_test.h"
#include "tollgate/bpf_abi.h"
#include "tollgate/frame.h"

#define SLOT 4u /* neither the first nor, with its peer 5, the last */
#define LOOPBACK 1u
#define LIMIT_NS                                                                                   \
	(10ull * 1000 * 1000 * 1000) /* a test that is kept from its core is no stale beat */
#define RTP_PORT 16384

enum dataplane {
	FRESH,
	STALE,
	NEVER,
	FROM_THE_FUTURE,
	NO_SOCKET
};

struct steer_case {
	const char *name;
	struct tg_pkt pkt;
	enum tg_steer_outcome outcome;
	enum tg_reason reason;
};

/* The INVITE, with the dataplane in this state. */
struct state_case {
	const char *name;
	enum dataplane dataplane;
	enum tg_steer_bypass bypass;
	enum tg_steer_policy policy;
	enum tg_steer_outcome outcome;
};

static struct steer *skel;
static int xsk = -1;
static uint8_t bytes[TG_PKT_MAX], after[TG_PKT_MAX];

static const char payload[] = "INVITE sip:+12025550123@192.0.2.9 SIP/2.0\r\n\r\n";
static const uint8_t rtp[] = { 0x80, 0x08, 0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 2, 0xd5, 0xd5 };

/* ---- the program and its maps -------------------------------------------------------------------- */

static int quiet(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, fmt, args) : 0;
}

static void put(const struct bpf_map *map, const void *key, const void *value)
{
	const int rc = bpf_map_update_elem(bpf_map__fd(map), key, value, BPF_ANY);

	if (rc != 0)
		fail_msg("%s: %s", bpf_map__name(map), strerror(-rc));
}

static void put_index(const struct bpf_map *map, uint32_t index, uint32_t value)
{
	put(map, &index, &value);
}

static void rule_port(uint8_t protocol, uint16_t port, uint32_t flags)
{
	const struct tg_steer_port_key key = { .port = port, .protocol = protocol };

	put(skel->maps.rule_ports, &key, &flags);
	put_index(skel->maps.rule_protocols, protocol, TG_STEER_RULE_PORTS);
}

static void rule_net(uint32_t prefix_len, const uint8_t addr[16], uint32_t flags)
{
	struct tg_steer_net_key key = { .prefix_len = prefix_len };
	const struct tg_steer_net_rule rule = { .flags = flags, .prefix_len = prefix_len };

	memcpy(key.addr, addr, 16);
	put(skel->maps.rule_nets, &key, &rule);
}

static void rule_net4(const uint8_t addr[4], uint32_t len, uint32_t flags)
{
	uint8_t mapped[16] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

	memcpy(mapped + 12, addr, 4);
	rule_net(96 + len, mapped, flags);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void set_dataplane(enum dataplane d)
{
	struct tg_steer_heartbeat beat = { .ns = 0 };
	const uint32_t queue = 0, index = SLOT * TG_STEER_MAX_QUEUES;

	switch (d) {
	case FRESH:
	case NO_SOCKET:
		beat.ns = now_ns();
		break;
	case STALE:
		beat.ns = now_ns() - 2 * LIMIT_NS;
		break;
	case FROM_THE_FUTURE:
		beat.ns = now_ns() + 3 * LIMIT_NS;
		break;
	case NEVER:
		break;
	}
	put(skel->maps.heartbeats, &index, &beat);
	if (d == NO_SOCKET)
		bpf_map_delete_elem(bpf_map__fd(skel->maps.xsks_map), &queue);
	else
		put_index(skel->maps.xsks_map, queue, (uint32_t)xsk);
}

static void set_bypass(enum tg_steer_bypass bypass, enum tg_steer_policy policy)
{
	const struct tg_steer_config config = { .abi = TG_STEER_ABI,
						.bypass = bypass,
						.heartbeat_limit_ns = LIMIT_NS };
	const struct tg_steer_port port = { .ifindex = LOOPBACK, .policy = policy };
	const uint32_t zero = 0, slot = SLOT;

	put(skel->maps.config, &zero, &config);
	put(skel->maps.ports, &slot, &port);
}

/* SIP on 5060, all of SCTP; a dataplane that lives. */
static void steer_open(void)
{
	libbpf_print_fn_t old = libbpf_set_print(quiet);

	skel = steer__open();
	assert_non_null(skel);
	skel->rodata->slot = SLOT;
	assert_int_equal(steer__load(skel), 0);
	libbpf_set_print(old);
	xsk = socket(AF_XDP, SOCK_RAW, 0);
	assert_true(xsk >= 0);
	put_index(skel->maps.devices, SLOT ^ 1, LOOPBACK);
	rule_port(TG_IPPROTO_UDP, 5060, TG_STEER_RULE_STEER);
	rule_port(TG_IPPROTO_TCP, 5060, TG_STEER_RULE_STEER);
	put_index(skel->maps.rule_protocols, TG_IPPROTO_SCTP, TG_STEER_RULE_STEER);
	set_bypass(TG_STEER_BYPASS_AUTO, TG_STEER_FAIL_OPEN);
	set_dataplane(FRESH);
}

static void steer_close(void)
{
	close(xsk);
	steer__destroy(skel);
}

/* ---- one frame ----------------------------------------------------------------------------------- */

struct seen {
	uint64_t packets[TG_STEER_OUTCOMES_STRIDE];
	uint64_t bytes[TG_STEER_OUTCOMES_STRIDE];
	uint64_t reason[TG_REASON_COUNT + 1];
};

/* n values of a per-CPU array from `first` on, CPU by CPU; freed by the caller. */
static void *look_at(const struct bpf_map *map, uint32_t first, uint32_t n, size_t size)
{
	void *values = calloc(n * (size_t)libbpf_num_possible_cpus(), size);
	uint32_t *keys = calloc(n, sizeof(*keys));
	uint32_t before = first - 1, last = 0;

	assert_int_equal(
		bpf_map_lookup_batch(bpf_map__fd(map), &before, &last, keys, values, &n, NULL), 0);
	assert_int_equal(keys[0], first);
	free(keys);
	return values;
}

static void look(struct seen *s)
{
	const unsigned n_cpus = (unsigned)libbpf_num_possible_cpus();
	const struct tg_steer_count *counts = look_at(skel->maps.outcomes,
						      SLOT * TG_STEER_OUTCOMES_STRIDE,
						      TG_STEER_OUTCOME_COUNT, sizeof(*counts));
	const uint64_t *packets = look_at(skel->maps.reasons, SLOT * TG_STEER_MAX_REASONS,
					  TG_REASON_COUNT + 1, sizeof(*packets));
	unsigned i;

	memset(s, 0, sizeof(*s));
	for (i = 0; i < TG_STEER_OUTCOME_COUNT * n_cpus; i++) {
		s->packets[i / n_cpus] += counts[i].packets;
		s->bytes[i / n_cpus] += counts[i].bytes;
	}
	for (i = 0; i < (TG_REASON_COUNT + 1) * n_cpus; i++)
		s->reason[i / n_cpus] += packets[i];
	free((void *)counts);
	free((void *)packets);
}

/* The one counter that moved, by one; TG_STEER_OUTCOME_COUNT if it is not so. */
static unsigned moved(const uint64_t *before, const uint64_t *now, unsigned n)
{
	unsigned i, which = n;

	for (i = 0; i < n; i++) {
		if (now[i] == before[i])
			continue;
		if (which != n || now[i] != before[i] + 1)
			return n;
		which = i;
	}
	return which;
}

static int expected_action(enum tg_steer_outcome outcome)
{
	switch (outcome) {
	case TG_STEER_CLOSED_NO_SOCKET:
	case TG_STEER_CLOSED_STALE:
	case TG_STEER_NO_PEER:
		return XDP_DROP;
	default:
		return XDP_REDIRECT;
	}
}

/* Runs the frame; fails unless it came out as it went in, was counted once, and its action fits. */
static enum tg_steer_outcome run(const uint8_t *frame, size_t len, unsigned *reason)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = (uint32_t)len,
		    .data_out = after, .data_size_out = sizeof(after));
	struct seen before, now;
	unsigned outcome;

	look(&before);
	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(skel->progs.xsk_def_prog), &opts),
			 0);
	look(&now);
	assert_int_equal(opts.data_size_out, len);
	assert_memory_equal(after, frame, len);
	outcome = moved(before.packets, now.packets, TG_STEER_OUTCOME_COUNT);
	assert_true(outcome < TG_STEER_OUTCOME_COUNT);
	assert_int_equal(now.bytes[outcome], before.bytes[outcome] + len);
	assert_int_equal(opts.retval, expected_action(outcome));
	*reason = moved(before.reason, now.reason, TG_REASON_COUNT + 1);
	/* What is steered, the dataplane counts. */
	assert_int_equal(*reason == TG_REASON_COUNT + 1, outcome == TG_STEER_STEERED);
	return outcome;
}

static const char *outcome_name(unsigned outcome)
{
	static const char *const names[] = {
#define X(sym, name, kind) name,
		TG_STEER_OUTCOMES(X)
#undef X
	};
	return outcome < TG_ARRAY_LEN(names) ? names[outcome] : "?";
}

static void expect(const char *name, size_t len, enum tg_steer_outcome outcome, unsigned reason)
{
	struct tg_frame f;
	unsigned got_reason;
	const enum tg_steer_outcome got = run(bytes, len, &got_reason);

	if (got != outcome)
		fail_msg("%s: %s, not %s", name, outcome_name(got), outcome_name(outcome));
	if (got != TG_STEER_STEERED && got_reason != reason)
		fail_msg("%s: %s, not %s", name, tg_reason_name(got_reason),
			 tg_reason_name(reason));
	assert_int_equal(tg_frame_walk(bytes, bytes + len, TG_LINK_ETHERNET, &f), reason);
}

/* Cut anywhere: where it goes may differ, but it comes out whole and counted by the walk's reason. */
static void check_cut(void *ctx, const uint8_t *data, size_t len)
{
	struct tg_frame f;
	unsigned reason;

	(void)ctx;
	if (len < 14)
		return;
	if (run(data, len, &reason) != TG_STEER_STEERED)
		assert_int_equal(reason, tg_frame_walk(data, data + len, TG_LINK_ETHERNET, &f));
}

static size_t build(const struct tg_pkt *p)
{
	return tg_pkt_build(p, payload, sizeof(payload) - 1, bytes);
}

static void check_case(const struct steer_case *c)
{
	const size_t len = build(&c->pkt);

	expect(c->name, len, c->outcome, c->reason);
	tg_guard_truncate(bytes, len, check_cut, NULL);
}

static void check_frames(const struct steer_case *cases, size_t n)
{
	size_t i;

	steer_open();
	for (i = 0; i < n; i++)
		check_case(&cases[i]);
	steer_close();
}

static void check_states(const struct state_case *cases, size_t n)
{
	size_t i;

	steer_open();
	for (i = 0; i < n; i++) {
		const struct state_case *c = &cases[i];

		set_bypass(c->bypass, c->policy);
		set_dataplane(c->dataplane);
		check_case(&(struct steer_case){
			c->name, { .ipv4_fragment = 0 }, c->outcome, TG_REASON_NONE });
		check_case(&(struct steer_case){
			c->name, { .ipv4_fragment = 0x2000 }, c->outcome, TG_REASON_FRAGMENT });
	}
	steer_close();
}

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

	check_frames(cases, TG_ARRAY_LEN(cases));
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

	check_frames(cases, TG_ARRAY_LEN(cases));
}

static void check_ports_of(uint8_t proto, enum tg_steer_outcome outcome)
{
	const struct tg_pkt p = { .proto = proto };
	uint8_t segment[24] = { 0x13, 0xc4, 0x20, 0 }; /* from 5060 */
	size_t len = tg_pkt_build(&p, segment, sizeof(segment), bytes);
	unsigned reason;

	assert_int_equal(run(bytes, len, &reason), outcome);
	memcpy(segment, "\x20\x00\x13\xc4", 4); /* to 5060 */
	len = tg_pkt_build(&p, segment, sizeof(segment), bytes);
	assert_int_equal(run(bytes, len, &reason), outcome);
}

TG_TEST(steer_ports_are_of_their_protocol, TG_NEEDS_BPF)
{
	steer_open();
	check_ports_of(TG_IPPROTO_TCP, TG_STEER_STEERED);
	rule_port(TG_IPPROTO_TCP, 5060, 0);
	check_ports_of(TG_IPPROTO_TCP, TG_STEER_FORWARDED);
	/* A port that says forward goes before a protocol that says steer. */
	check_ports_of(TG_IPPROTO_SCTP, TG_STEER_STEERED);
	rule_port(TG_IPPROTO_SCTP, 5060, TG_STEER_RULE_FORWARD);
	put_index(skel->maps.rule_protocols, TG_IPPROTO_SCTP, TG_STEER_RULE_STEER);
	check_ports_of(TG_IPPROTO_SCTP, TG_STEER_EXEMPT);
	steer_close();
}

/* ---- a dataplane that does not live -------------------------------------------------------------- */

TG_TEST(steer_open_and_closed, TG_NEEDS_BPF)
{
	static const struct state_case cases[] = {
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

	check_states(cases, TG_ARRAY_LEN(cases));
}

/* Media is none of the dataplane's business, dead or alive, open or closed. */
TG_TEST(steer_media_passes_in_every_state, TG_NEEDS_BPF)
{
	const struct tg_pkt p = { .sport = RTP_PORT, .dport = RTP_PORT + 2 };
	const size_t len = tg_pkt_build(&p, rtp, sizeof(rtp), bytes);
	unsigned d, bypass, policy;

	steer_open();
	for (d = FRESH; d <= NO_SOCKET; d++) {
		for (bypass = 0; bypass < TG_STEER_BYPASS_COUNT; bypass++) {
			for (policy = TG_STEER_FAIL_OPEN; policy <= TG_STEER_FAIL_CLOSED;
			     policy++) {
				set_dataplane(d);
				set_bypass(bypass, policy);
				expect("media", len, TG_STEER_FORWARDED, NONE);
			}
		}
	}
	steer_close();
}

TG_TEST(steer_bypass_on_and_off, TG_NEEDS_BPF)
{
	static const struct state_case cases[] = {
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

	check_states(cases, TG_ARRAY_LEN(cases));
}

TG_TEST(steer_peer_gone_is_counted, TG_NEEDS_BPF)
{
	const uint32_t peer = SLOT ^ 1;
	const struct tg_pkt media = { .sport = RTP_PORT, .dport = RTP_PORT };

	steer_open();
	assert_int_equal(bpf_map_delete_elem(bpf_map__fd(skel->maps.devices), &peer), 0);
	expect("media", build(&media), TG_STEER_NO_PEER, NONE);
	expect("signalling", build(&(struct tg_pkt){ 0 }), TG_STEER_STEERED, NONE);
	steer_close();
}

/* ---- rules --------------------------------------------------------------------------------------- */

TG_TEST(steer_nets_decide_before_ports, TG_NEEDS_BPF)
{
	static const uint8_t net[4] = { 192, 0, 2, 0 }, host[4] = { 192, 0, 2, 1 };
	static const uint8_t peer[4] = { 198, 51, 100, 2 };
	static const uint8_t net6[16] = { 0x20, 0x01, 0x0d, 0xb8 };
	const struct tg_pkt media = { .sport = RTP_PORT, .dport = RTP_PORT };
	const struct tg_pkt sip6 = { .ipv6 = true };

	steer_open();
	rule_net4(net, 24, TG_STEER_RULE_FORWARD);
	expect("SIP of an exempt net", build(&(struct tg_pkt){ 0 }), TG_STEER_EXEMPT, NONE);
	expect("IPv6 is another net", build(&sip6), TG_STEER_STEERED, NONE);
	rule_net4(host, 32, TG_STEER_RULE_STEER);
	expect("the longer prefix", build(&media), TG_STEER_STEERED, NONE);
	rule_net4(peer, 32, TG_STEER_RULE_FORWARD);
	expect("steer wins a tie", build(&media), TG_STEER_STEERED, NONE);
	rule_net4(host, 32, TG_STEER_RULE_CLOSED);
	expect("a rule of policy alone decides nothing", build(&(struct tg_pkt){ 0 }),
	       TG_STEER_EXEMPT, NONE);
	rule_net(32, net6, TG_STEER_RULE_FORWARD);
	expect("IPv6 prefix", build(&sip6), TG_STEER_EXEMPT, NONE);
	steer_close();
}

TG_TEST(steer_trunks_have_their_own_policy, TG_NEEDS_BPF)
{
	static const uint8_t host[4] = { 192, 0, 2, 1 };
	const struct tg_pkt tagged = { .n_vlan = 2, .vlan = { 0xe007, 9 } }; /* PCP is no VID */
	const struct tg_pkt media = { .n_vlan = 1, .vlan = { 7 }, .sport = 1, .dport = 1 };

	steer_open();
	set_dataplane(STALE);
	put_index(skel->maps.rule_vlans, 7, TG_STEER_RULE_CLOSED);
	expect("untagged", build(&(struct tg_pkt){ 0 }), TG_STEER_BYPASS_STALE, NONE);
	expect("its VLAN", build(&tagged), TG_STEER_CLOSED_STALE, NONE);
	expect("media of its VLAN", build(&media), TG_STEER_FORWARDED, NONE);
	set_bypass(TG_STEER_BYPASS_ON, TG_STEER_FAIL_CLOSED);
	expect("the operator's word", build(&tagged), TG_STEER_BYPASS_FORCED, NONE);
	set_bypass(TG_STEER_BYPASS_AUTO, TG_STEER_FAIL_CLOSED);
	rule_net4(host, 32, TG_STEER_RULE_OPEN);
	expect("its peer, before its VLAN", build(&tagged), TG_STEER_BYPASS_STALE, NONE);
	steer_close();
}

TG_TEST(steer_frames_by_reason, TG_NEEDS_BPF)
{
	const struct tg_pkt gre = { .proto = 47 }, arp = { .ethertype = 0x0806 };

	steer_open();
	put_index(skel->maps.rule_reasons, TG_REASON_TUNNEL, TG_STEER_RULE_STEER);
	expect("tunnels, asked for", build(&gre), TG_STEER_STEERED, TG_REASON_TUNNEL);
	expect("nothing else", build(&arp), TG_STEER_FORWARDED, TG_REASON_NOT_IP);
	put_index(skel->maps.rule_protocols, TG_IPPROTO_GRE, TG_STEER_RULE_FORWARD);
	expect("a protocol goes before it", build(&gre), TG_STEER_EXEMPT, TG_REASON_TUNNEL);
	steer_close();
}

TG_TEST(steer_without_rules_is_a_wire, TG_NEEDS_BPF)
{
	const struct tg_steer_port_key key = { .port = 5060, .protocol = TG_IPPROTO_UDP };

	steer_open();
	bpf_map_delete_elem(bpf_map__fd(skel->maps.rule_ports), &key);
	expect("SIP", build(&(struct tg_pkt){ 0 }), TG_STEER_FORWARDED, NONE);
	steer_close();
}

TG_TEST(steer_bytes_of_every_kind, TG_NEEDS_BPF)
{
	uint64_t seed = 4;
	unsigned i, k;
	uint8_t frame[96];

	steer_open();
	for (i = 0; i < 4000; i++) {
		size_t len = 14 + tg_test_random(&seed) % (sizeof(frame) - 14);

		for (k = 0; k < sizeof(frame); k++)
			frame[k] = (uint8_t)tg_test_random(&seed);
		if (i & 1)
			memcpy(frame + 12, i & 2 ? "\x08\x00\x45" : "\x86\xdd\x60", 3);
		check_cut(NULL, frame, len);
	}
	steer_close();
}
