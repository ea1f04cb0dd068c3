/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What counts as signalling, as an operator writes it, one rule a line:
 *
 *	udp PORT[-PORT] [ACTION]      also tcp, sctp: source or destination port
 *	protocol NAME|NUMBER [ACTION] a whole IP protocol: tcp, udp, sctp, gre, ...
 *	net PREFIX [ACTION] [POLICY]  source or destination address; the longest prefix wins
 *	vlan VID [ACTION] [POLICY]    outermost tag
 *	frame REASON [ACTION]         how the frame walk ended: mpls, tunnel, fragment, ...
 *
 * ACTION: steer (to the dataplane; the default) or forward (port to port, never inspected). POLICY: open
 * or closed, what happens to that trunk's signalling while the dataplane is gone; without one the port's
 * policy holds, and a POLICY without an ACTION leaves open what is signalling. `#` begins a comment.
 *
 * Knows nothing of BPF: xdp_maps.c reads and writes the maps.
 */
#ifndef TG_CONTROL_XDP_RULES_H
#define TG_CONTROL_XDP_RULES_H

#include "control/error.h"
#include "tollgate/bpf_abi.h"

#define TG_XDP_RULE_TEXT_MAX 128

/* The protocols whose ports the frame walk reads. */
#define TG_XDP_PORT_PROTOCOLS(X)                                                                   \
	X(UDP, "udp", 17)                                                                          \
	X(TCP, "tcp", 6)                                                                           \
	X(SCTP, "sctp", 132)

enum tg_xdp_port_protocol {
#define X(sym, name, number) TG_XDP_##sym,
	TG_XDP_PORT_PROTOCOLS(X)
#undef X
	TG_XDP_PORT_PROTOCOL_COUNT
};

extern const uint8_t tg_xdp_port_protocol[TG_XDP_PORT_PROTOCOL_COUNT]; /* IP protocol numbers */

struct tg_xdp_net {
	struct tg_steer_net_key key; /* bits behind the prefix are zero */
	uint32_t flags;
};

/* Flags of each; 0: no rule. PORTS (bpf_abi.h) is not among them, it follows from `ports`. */
struct tg_xdp_rules {
	uint8_t ports[TG_XDP_PORT_PROTOCOL_COUNT][65536];
	uint8_t protocols[TG_STEER_PROTOCOLS];
	uint8_t vlans[TG_STEER_VLANS];
	uint8_t reasons[TG_STEER_MAX_REASONS];
	unsigned n_ports; /* rules among `ports`, at most TG_STEER_MAX_PORT_RULES */
	unsigned n_nets;
	struct tg_xdp_net nets[TG_STEER_MAX_NET_RULES]; /* sorted by key */
};

/* SIP on 5060 over UDP and TCP, all of SCTP. */
void tg_xdp_rules_default(struct tg_xdp_rules *r);

enum tg_xdp_rule_op {
	TG_XDP_RULE_ADD,
	TG_XDP_RULE_DEL
};

/*
 * Applies one line. Adding what is there replaces its flags; deleting takes no ACTION or POLICY, and what
 * is not there is -ENOENT. An error names the column and changes nothing. A blank or comment line is
 * nothing to add, and nothing to delete.
 */
int tg_xdp_rules_apply(struct tg_xdp_rules *r, enum tg_xdp_rule_op op, const char *line,
		       struct tg_error *err);

/* A whole text in place of what is there. An error names line and column and leaves *r undefined. */
int tg_xdp_rules_parse(struct tg_xdp_rules *r, const char *text, struct tg_error *err);

/* The rules as lines that tg_xdp_rules_apply takes, ports in ranges, in a fixed order. */
void tg_xdp_rules_each(const struct tg_xdp_rules *r, void (*line)(void *ctx, const char *text),
		       void *ctx);

/* The place of a prefix in nets, or where it would be. */
bool tg_xdp_rules_find_net(const struct tg_xdp_rules *r, const struct tg_steer_net_key *key,
			   unsigned *at);

#endif
