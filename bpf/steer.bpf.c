/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * XDP on one port of a trunk: signalling to the dataplane's socket, everything else to the peer port;
 * everything to the peer port, or nowhere, while the dataplane does not live. README.md has the
 * picture, tollgate/bpf_abi.h what the maps mean. One instance of the program a port.
 *
 * Untouched means that nothing here writes to a frame.
 */
#include <linux/bpf.h>
/* linux/bpf.h before libbpf's helpers, which take its types for granted */
#include <bpf/bpf_helpers.h>

#include "tollgate/bpf_abi.h"
#include "tollgate/frame.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tg_steer_config);
} config SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TG_STEER_MAX_PORTS);
	__type(key, __u32);
	__type(value, struct tg_steer_port);
} ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, TG_STEER_MAX_PORTS *TG_STEER_MAX_QUEUES);
	__type(key, __u32);
	__type(value, struct tg_steer_heartbeat);
} heartbeats SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, TG_STEER_ROOM(TG_STEER_MAX_NET_RULES));
	__type(key, struct tg_steer_net_key);
	__type(value, struct tg_steer_net_rule);
} rule_nets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TG_STEER_VLANS);
	__type(key, __u32);
	__type(value, __u32);
} rule_vlans SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, TG_STEER_ROOM(TG_STEER_MAX_PORT_RULES));
	__type(key, struct tg_steer_port_key);
	__type(value, __u32);
} rule_ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TG_STEER_PROTOCOLS);
	__type(key, __u32);
	__type(value, __u32);
} rule_protocols SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TG_STEER_MAX_REASONS);
	__type(key, __u32);
	__type(value, __u32);
} rule_reasons SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TG_STEER_MAX_PORTS *TG_STEER_OUTCOMES_STRIDE);
	__type(key, __u32);
	__type(value, struct tg_steer_count);
} outcomes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TG_STEER_MAX_PORTS *TG_STEER_MAX_REASONS);
	__type(key, __u32);
	__type(value, __u64);
} reasons SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, TG_STEER_MAX_PORTS);
	__type(key, __u32);
	__type(value, __u32);
} devices SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, TG_STEER_MAX_QUEUES);
	__type(key, __u32);
	__type(value, __u32);
} TG_STEER_XSKS_MAP SEC(".maps");

/* Which port this instance is on; set before it is loaded, so that the verifier sees a constant. */
const volatile __u32 slot = 0;

/*
 * A function of its own to the verifier: verified once with any arguments, not once for each path that
 * leads to it. With everything inline the paths through walk, rules and liveness multiply (460,000
 * instructions looked at, of a million allowed); so they add up. Hence not static, and the null checks.
 */
#define TG_VERIFIED_ALONE __attribute__((noinline))

static __u32 array_flags(void *map, __u32 index)
{
	const __u32 *flags = bpf_map_lookup_elem(map, &index);

	return flags ? *flags : 0;
}

/* What the longest prefix around one address says. */
TG_ALWAYS_INLINE struct tg_steer_net_rule net_rule(const __u8 *addr, bool ipv4)
{
	struct tg_steer_net_key key = { .prefix_len = 128 };
	const struct tg_steer_net_rule *rule;

	if (ipv4) {
		key.addr[10] = key.addr[11] = 0xff;
		__builtin_memcpy(key.addr + 12, addr, 4);
	} else {
		__builtin_memcpy(key.addr, addr, 16);
	}
	rule = bpf_map_lookup_elem(&rule_nets, &key);
	return rule ? *rule : (struct tg_steer_net_rule){ 0 };
}

/* The addresses: RFC 791 §3.1, RFC 8200 §3. The walk has seen a whole IP header; the verifier has not. */
static __u32 net_flags(const __u8 *data, const __u8 *end, const struct tg_frame *f)
{
	/* Tags and labels end far below: the mask is for the verifier, which adds up to 65535 at most. */
	const __u8 *ip = data + (f->l3_off & 0xfff);
	struct tg_steer_net_rule src, dst;

	barrier_var(ip); /* one pointer for check and access, or the verifier sees two */
	if (f->ip_version == 4) {
		if (ip + 20 > end)
			return 0;
		src = net_rule(ip + 12, true);
		dst = net_rule(ip + 16, true);
	} else if (f->ip_version == 6) {
		if (ip + 40 > end)
			return 0;
		src = net_rule(ip + 8, false);
		dst = net_rule(ip + 24, false);
	} else {
		return 0;
	}
	if (src.prefix_len == dst.prefix_len)
		return src.flags | dst.flags;
	return src.prefix_len > dst.prefix_len ? src.flags : dst.flags;
}

static __u32 port_flags(const struct tg_frame *f)
{
	struct tg_steer_port_key key = { .port = f->sport, .protocol = f->l4_proto };
	const __u32 *src, *dst;

	src = bpf_map_lookup_elem(&rule_ports, &key);
	key.port = f->dport;
	dst = bpf_map_lookup_elem(&rule_ports, &key);
	return (src ? *src : 0) | (dst ? *dst : 0);
}

/* Rules of the transport: by port; by protocol; fragments by protocol alone, all of a datagram alike. */
static __u32 transport_flags(const struct tg_frame *f, int reason)
{
	const __u32 decided = TG_STEER_RULE_STEER | TG_STEER_RULE_FORWARD;
	__u32 protocol = f->l4_proto, flags;

	if (f->ip_version == 0)
		return 0;
	if (reason == TG_REASON_FRAGMENT) {
		/* Extension headers behind the fragment header hide the protocol: it may be signalling. */
		if (tg_frame_is_extension(f->l4_proto))
			protocol = TG_IPPROTO_UDP;
		flags = array_flags(&rule_protocols, protocol);
		return flags & TG_STEER_RULE_PORTS ? TG_STEER_RULE_STEER : flags;
	}
	if (f->sport || f->dport) {
		flags = port_flags(f);
		if (flags & decided)
			return flags;
	}
	return array_flags(&rule_protocols, protocol);
}

/* tg_frame_walk. */
TG_VERIFIED_ALONE int steer_walk(struct xdp_md *ctx, struct tg_frame *f)
{
	const __u8 *data = (const __u8 *)(long)ctx->data;
	const __u8 *end = (const __u8 *)(long)ctx->data_end;

	return f ? (int)tg_frame_walk(data, end, TG_LINK_ETHERNET, f) : TG_REASON_NONE;
}

/*
 * STEER, FORWARD or neither, by the first that says one; OPEN, CLOSED or neither likewise. Only nets and
 * vlans name a trunk, so only they have a policy.
 */
TG_VERIFIED_ALONE int steer_rules(struct xdp_md *ctx, const struct tg_frame *f, int reason)
{
	const __u32 decided = TG_STEER_RULE_STEER | TG_STEER_RULE_FORWARD;
	const __u32 policy = TG_STEER_RULE_OPEN | TG_STEER_RULE_CLOSED;
	__u32 net, vlan = 0, what;

	if (!f)
		return 0;
	net = net_flags((const __u8 *)(long)ctx->data, (const __u8 *)(long)ctx->data_end, f);
	if (f->n_vlan)
		vlan = array_flags(&rule_vlans, f->vlan[0] & (TG_STEER_VLANS - 1));
	what = net & decided;
	if (!what)
		what = vlan & decided;
	if (!what)
		what = transport_flags(f, reason) & decided;
	if (!what)
		what = array_flags(&rule_reasons, reason) & decided;
	return (int)(what | (net & policy ? net & policy : vlan & policy));
}

/* Why the socket of this queue is not to be had, or TG_STEER_STEERED. */
static enum tg_steer_outcome liveness(__u32 queue, __u64 limit)
{
	const struct tg_steer_heartbeat *beat;
	__u32 index = slot * TG_STEER_MAX_QUEUES + queue;
	__s64 age;
	__u64 ns;

	if (queue >= TG_STEER_MAX_QUEUES || !bpf_map_lookup_elem(&TG_STEER_XSKS_MAP, &queue))
		return TG_STEER_BYPASS_NO_SOCKET;
	beat = bpf_map_lookup_elem(&heartbeats, &index);
	if (!beat)
		return TG_STEER_BYPASS_NO_SOCKET;
	/* Written by one worker with a plain aligned store: whole, old or new. */
	ns = *(const volatile __u64 *)&beat->ns;
	age = (__s64)(bpf_ktime_get_ns() - ns);
	if (ns == 0 || age > (__s64)limit || age < -(__s64)limit)
		return TG_STEER_BYPASS_STALE;
	return TG_STEER_STEERED;
}

/* The dataplane does not live: open or closed? */
static enum tg_steer_outcome failed(enum tg_steer_outcome why, __u32 flags, __u32 bypass)
{
	__u32 index = slot;
	const struct tg_steer_port *port = bpf_map_lookup_elem(&ports, &index);
	bool closed = port && port->policy == TG_STEER_FAIL_CLOSED;

	if (flags & (TG_STEER_RULE_OPEN | TG_STEER_RULE_CLOSED))
		closed = flags & TG_STEER_RULE_CLOSED;
	if (!closed && bypass != TG_STEER_BYPASS_OFF)
		return why;
	return why == TG_STEER_BYPASS_STALE ? TG_STEER_CLOSED_STALE : TG_STEER_CLOSED_NO_SOCKET;
}

static enum tg_steer_outcome decide(__u32 flags, __u32 queue)
{
	__u32 zero = 0;
	const struct tg_steer_config *c = bpf_map_lookup_elem(&config, &zero);
	enum tg_steer_outcome live;

	if (!(flags & TG_STEER_RULE_STEER))
		return flags & TG_STEER_RULE_FORWARD ? TG_STEER_EXEMPT : TG_STEER_FORWARDED;
	if (!c || c->bypass == TG_STEER_BYPASS_ON)
		return TG_STEER_BYPASS_FORCED;
	live = liveness(queue, c->heartbeat_limit_ns);
	if (live == TG_STEER_STEERED) {
		/* The socket may have gone since: its process ends on another CPU. */
		if (bpf_redirect_map(&TG_STEER_XSKS_MAP, queue, 0) == XDP_REDIRECT)
			return TG_STEER_STEERED;
		live = TG_STEER_BYPASS_NO_SOCKET;
	}
	return failed(live, flags, c->bypass);
}

static void count(enum tg_steer_outcome outcome, __u32 reason, __u64 bytes)
{
	__u32 index = slot * TG_STEER_OUTCOMES_STRIDE + outcome;
	struct tg_steer_count *c = bpf_map_lookup_elem(&outcomes, &index);
	__u64 *r;

	/* Of this CPU, and XDP does not interrupt itself on it: no atomics. */
	if (c) {
		c->packets++;
		c->bytes += bytes;
	}
	if (outcome == TG_STEER_STEERED)
		return;
	index = slot * TG_STEER_MAX_REASONS + reason;
	r = bpf_map_lookup_elem(&reasons, &index);
	if (r)
		++*r;
}

SEC("xdp")
int TG_STEER_PROG(struct xdp_md *ctx)
{
	enum tg_steer_outcome outcome;
	int action = XDP_DROP, reason;
	struct tg_frame f;

	reason = steer_walk(ctx, &f);
	outcome = decide((__u32)steer_rules(ctx, &f, reason), ctx->rx_queue_index);
	switch (outcome) {
	case TG_STEER_STEERED:
		action = XDP_REDIRECT;
		break;
	case TG_STEER_CLOSED_NO_SOCKET:
	case TG_STEER_CLOSED_STALE:
		break;
	default:
		if (bpf_redirect_map(&devices, slot ^ 1, 0) == XDP_REDIRECT)
			action = XDP_REDIRECT;
		else
			outcome = TG_STEER_NO_PEER;
		break;
	}
	count(outcome, (__u32)reason, ctx->data_end - ctx->data);
	return action;
}

/* What libxdp looks for in a program's BTF before it gives it a socket: README.md. */
__uint(xsk_prog_version, 1) SEC("xdp_metadata");

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static_assert((int)TG_REASON_COUNT < TG_STEER_MAX_REASONS, "room for every reason and NONE");
