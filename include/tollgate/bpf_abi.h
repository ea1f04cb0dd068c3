/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * All that the XDP program and user space share: maps, their keys and values, and where they are
 * pinned. bpf/steer.bpf.c reads it as BPF, control (tgctl, tollgated) and dataplane/run as plain C.
 *
 * A steering set is a folder in a bpf file system. It holds up to eight pairs of ports of one network
 * namespace; ports take slots 0..15, and the peer of slot s is slot s ^ 1.
 *
 *   SET/config SET/ports SET/heartbeats SET/rule_* SET/outcomes SET/reasons SET/devices   shared
 *   SET/portSLOT/link  SET/portSLOT/xsks_map                                              of one port
 *
 * Who writes what:
 *
 *   config       tgctl                     rule_*           tgctl
 *   ports        tgctl, at attach          devices          tgctl, at attach
 *   heartbeats   tollgate-dp, its workers  xsks_map         libxdp, inside tollgate-dp
 *   outcomes, reasons                      the program, per CPU; read by tgctl and tollgated
 *
 * All integers are in host order, addresses in network order. A set whose config.abi is not
 * TG_STEER_ABI is another build's: leave it alone and say so.
 */
#ifndef TG_BPF_ABI_H
#define TG_BPF_ABI_H

#include "tollgate/base.h"
#include "tollgate/reason.h"

/* The layout's version, and the reasons': rules and counters are indexed by reason. */
#define TG_STEER_LAYOUT 1u
#define TG_STEER_ABI (TG_STEER_LAYOUT << 16 | (uint32_t)TG_REASON_COUNT)

/* The default set; tgctl xdp --set and tollgate-dp --xdp-set name others. */
#define TG_STEER_SET_DIR "/sys/fs/bpf/tollgate"

/* libxdp gives a socket to a program that is attached already if the program has this name, a map of
 * this name, and a version in its BTF (libxdp 1.3.1, xsk.c, xsk_lookup_program). bpf/README.md. */
#define TG_STEER_PROG xsk_def_prog
#define TG_STEER_XSKS_MAP xsks_map

#define TG_STEER_MAX_PORTS 16  /* slots of a set */
#define TG_STEER_MAX_QUEUES 64 /* receive queues of a port; those above are bypassed */
#define TG_STEER_IFNAME 16
#define TG_STEER_MAX_PORT_RULES 16384
#define TG_STEER_MAX_NET_RULES 4096
#define TG_STEER_ROOM(rules) (2 * (rules)) /* of a map: new rules go in before old ones go */
#define TG_STEER_VLANS 4096
#define TG_STEER_PROTOCOLS 256
#define TG_STEER_MAX_REASONS                                                                       \
	128 /* room for TG_REASON_COUNT, so that a new reason changes no layout */

/* What to do with signalling. */
enum tg_steer_bypass {
	TG_STEER_BYPASS_AUTO, /* to the dataplane while it lives; else by the policy of port or rule */
	TG_STEER_BYPASS_ON,  /* port to port in the kernel, unfiltered, whatever any policy says */
	TG_STEER_BYPASS_OFF, /* never: while the dataplane is gone, signalling is dropped */
	TG_STEER_BYPASS_COUNT
};

/* `config`: ARRAY of one. */
struct tg_steer_config {
	uint32_t abi;	 /* TG_STEER_ABI */
	uint32_t bypass; /* enum tg_steer_bypass */
	uint64_t heartbeat_limit_ns;
};

/*
 * How old a heartbeat may be. Below: a worker on a busy machine is kept from its core for tens of
 * milliseconds, and every false alarm lets calls pass unfiltered. Above: what arrives before the limit
 * waits in the socket of a dataplane that hangs, and is sent again by its sender after SIP's T1 of
 * 500 ms (RFC 3261 §17.1.1.1) or SCTP's RTO.Min of 1 s (RFC 9260 §16): by then signalling must flow.
 * 100 ms of a 1,000 calls/s trunk (7 messages each) is 700 frames: a socket's ring holds 2048.
 */
#define TG_STEER_LIMIT_DEFAULT_NS (100ull * 1000 * 1000)
#define TG_STEER_LIMIT_MIN_NS (5ull * 1000 * 1000)
#define TG_STEER_LIMIT_MAX_NS (10ull * 1000 * 1000 * 1000)

enum tg_steer_policy {
	TG_STEER_FAIL_OPEN,   /* dataplane gone: signalling passes unfiltered */
	TG_STEER_FAIL_CLOSED, /* dataplane gone: signalling is dropped */
};

/* How the program is attached; both ports of a pair alike. */
enum tg_steer_mode {
	TG_STEER_NATIVE,  /* in the driver, before an skb is made */
	TG_STEER_GENERIC, /* on skbs: works with any driver, and is slower */
};

/* `ports`: ARRAY[TG_STEER_MAX_PORTS] by slot. ifindex 0: the slot is free. */
struct tg_steer_port {
	uint32_t ifindex;
	uint32_t policy; /* enum tg_steer_policy */
	uint32_t mode;	 /* enum tg_steer_mode */
	uint32_t zero;
	char ifname[TG_STEER_IFNAME];
};

/*
 * `heartbeats`: ARRAY[TG_STEER_MAX_PORTS * TG_STEER_MAX_QUEUES] of one cache line each, created with
 * BPF_F_MMAPABLE: tollgate-dp maps it shared and writes with plain stores, no system call.
 * Index: slot * TG_STEER_MAX_QUEUES + receive queue.
 *
 * `ns` is CLOCK_MONOTONIC (what bpf_ktime_get_ns reads). The worker that polls this queue writes it
 * (one aligned 64-bit store), at least four times within the limit, at the end of a round in which it
 * has received from the queue and handed everything it forwards to the peer's transmit ring, or to another
 * worker that goes round. Nobody else does: no timer, no other thread.
 *
 * 0: no one forwards. tollgate-dp writes 0
 *   - to the slots of its ports before it creates their sockets: what an earlier process left must not
 *     vouch for this one;
 *   - at a planned stop, before it drains the sockets and closes them.
 * A worker that finds its own last beat older than the limit (it was stopped, or starved) treats what
 * waits in its socket before it beats again.
 *
 * The program steers to the socket while now - ns <= limit. A beat from the future by more than the
 * limit is no beat.
 */
struct tg_steer_heartbeat {
	uint64_t ns;
	uint32_t pid;	/* for people: who writes */
	uint32_t state; /* for people: enum tg_steer_beat_state */
	uint64_t zero[6];
} TG_ALIGNED(TG_CACHE_LINE);

enum tg_steer_beat_state {
	TG_STEER_BEAT_NONE,
	TG_STEER_BEAT_FORWARDING,
	TG_STEER_BEAT_DRAINING, /* planned stop; ns is 0 */
};

/*
 * Rules. Value: flags. What says "steer" or "forward" first decides, in this order:
 *
 *   rule_nets       LPM_TRIE: source and destination, the longer prefix wins, steer wins a tie
 *   rule_vlans      ARRAY[4096] by outermost VID (VID 0 stands for priority tags only)
 *   rule_ports      HASH {protocol, port}: source or destination port, steer wins
 *   rule_protocols  ARRAY[256] by IP protocol
 *   rule_reasons    ARRAY by enum tg_reason: how the frame walk ended (mpls, tunnel, ...)
 *
 * Nothing says anything: forward. Fragments have no ports (but the first): a fragment is steered if
 * its protocol's rule says steer or has TG_STEER_RULE_PORTS, so that all fragments of a datagram go
 * one way. Of OPEN and CLOSED the first that is said in the order nets, vlans counts, else the port's policy.
 */
enum tg_steer_rule_flags {
	TG_STEER_RULE_STEER = 1,
	TG_STEER_RULE_FORWARD = 2,
	TG_STEER_RULE_OPEN = 4,
	TG_STEER_RULE_CLOSED = 8,
	TG_STEER_RULE_PORTS = 16, /* rule_protocols only: rule_ports has a port of it to steer */
};

struct tg_steer_port_key {
	uint16_t port; /* host order */
	uint8_t protocol;
	uint8_t zero;
};

/* IPv4 as ::ffff:a.b.c.d (RFC 4291 §2.5.5.2), so 96 + length. */
struct tg_steer_net_key {
	uint32_t prefix_len;
	uint8_t addr[16];
};

struct tg_steer_net_rule {
	uint32_t flags;
	uint32_t prefix_len; /* as in the key: a lookup does not say what matched */
};

/*
 * Where a frame went. `outcomes`: PERCPU_ARRAY[TG_STEER_MAX_PORTS * TG_STEER_OUTCOMES_STRIDE] of struct
 * tg_steer_count, index slot * stride + outcome. Every frame is in exactly one.
 *
 *   DP  to the dataplane's socket    KERNEL  port to port    DROP  nowhere
 */
#define TG_STEER_OUTCOMES(X)                                                                       \
	X(STEERED, "steered", DP)                                                                  \
	X(FORWARDED, "forwarded", KERNEL) /* nothing makes it signalling: media, the rest */       \
	X(EXEMPT, "exempt", KERNEL)	  /* a rule says forward */                                \
	X(BYPASS_FORCED, "bypass_forced", KERNEL)                                                  \
	X(BYPASS_NO_SOCKET, "bypass_no_socket", KERNEL)                                            \
	X(BYPASS_STALE, "bypass_stale", KERNEL) /* heartbeat older than the limit, or none */      \
	X(CLOSED_NO_SOCKET, "closed_no_socket", DROP)                                              \
	X(CLOSED_STALE, "closed_stale", DROP)                                                      \
	X(NO_PEER, "no_peer", DROP) /* the peer port is gone */

enum tg_steer_outcome {
#define X(sym, name, kind) TG_STEER_##sym,
	TG_STEER_OUTCOMES(X)
#undef X
	TG_STEER_OUTCOME_COUNT,
	TG_STEER_OUTCOMES_STRIDE = 16,
};

struct tg_steer_count {
	uint64_t packets;
	uint64_t bytes;
};

/* `reasons`: PERCPU_ARRAY of uint64_t packets, index slot * TG_STEER_MAX_REASONS + enum tg_reason (NONE:
 * a whole UDP datagram): how the frame walk ended for what was not steered. With what tollgate-dp
 * counts, every frame of a port is in exactly one reason: coverage stays an honest figure. */

/* `devices`: DEVMAP[TG_STEER_MAX_PORTS] by slot: the port's ifindex. `xsks_map`: XSKMAP by queue. */

static_assert(sizeof(struct tg_steer_config) == 16, "as in the kernel");
static_assert(sizeof(struct tg_steer_port) == 32, "as in the kernel");
static_assert(sizeof(struct tg_steer_heartbeat) == TG_CACHE_LINE, "one writer a line");
static_assert(sizeof(struct tg_steer_port_key) == 4, "no padding: a hash key is its bytes");
static_assert(sizeof(struct tg_steer_net_key) == 20, "no padding: a trie key is its bytes");
static_assert((int)TG_STEER_OUTCOME_COUNT <= (int)TG_STEER_OUTCOMES_STRIDE, "room for outcomes");

#endif
