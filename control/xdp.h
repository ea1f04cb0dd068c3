/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The XDP program from user space: a steering set (bpf_abi.h) is made, taken over, changed, read and
 * removed. Whoever attaches may end: everything is pinned.
 *
 * What changes a set does so under a lock (flock on the folder it lies in), checks everything before it
 * changes anything, and can be done again: what is there already is kept, what an earlier try left
 * half-done is completed or removed.
 */
#ifndef TG_CONTROL_XDP_H
#define TG_CONTROL_XDP_H

#include <jansson.h>

#include "control/error.h"
#include "control/xdp_rules.h"
#include "tollgate/bpf_abi.h"

struct tg_xdp; /* an open set */

/* ---- attach, detach ------------------------------------------------------------------------------ */

enum tg_xdp_want_mode {
	TG_XDP_BEST,
	TG_XDP_NATIVE,
	TG_XDP_GENERIC
};

struct tg_xdp_attach {
	const char *dir;
	const char *ifname[2]; /* a pair, in the namespace of the caller */
	enum tg_xdp_want_mode mode;
	bool has_policy;
	enum tg_steer_policy policy;	  /* of both ports */
	const struct tg_xdp_rules *rules; /* NULL: as they are, in a new set the default ones */
};

enum tg_xdp_attached_as {
	TG_XDP_ATTACHED_NEW,
	TG_XDP_ATTACHED_SAME,	  /* was there: the same program */
	TG_XDP_ATTACHED_REPLACED, /* was there: another program, replaced without a gap */
};

struct tg_xdp_attached {
	enum tg_xdp_attached_as how[2];
	enum tg_steer_mode mode;
	char why_generic[128]; /* what native mode failed with; empty in native mode */
};

/*
 * Loads, attaches, pins; or takes over what the set has, if it is ours: the link is on this interface,
 * its program is the one that runs there, and the maps fit. On failure nothing is left but what was
 * there. Mounts a bpf file system on /sys/fs/bpf if that is where dir is and there is none.
 */
int tg_xdp_attach(const struct tg_xdp_attach *a, struct tg_xdp_attached *out, struct tg_error *err);

/* Removes programs, links, maps, pins and the folder, also half-made ones and another build's.
 * *ports: how many were attached. -ENOENT: there is nothing. */
int tg_xdp_detach(const char *dir, unsigned *ports, struct tg_error *err);

/* ---- an attached set ----------------------------------------------------------------------------- */

/* -ENOENT: nothing is attached there. -EPROTO: another build's. */
int tg_xdp_open(const char *dir, struct tg_xdp **xdp, struct tg_error *err);
void tg_xdp_close(struct tg_xdp *xdp);
/* False once the set was detached, or detached and made again. */
bool tg_xdp_is_current(const struct tg_xdp *xdp);

int tg_xdp_set_bypass(struct tg_xdp *xdp, enum tg_steer_bypass bypass, struct tg_error *err);
int tg_xdp_set_limit(struct tg_xdp *xdp, uint64_t ns, struct tg_error *err);
int tg_xdp_set_policy(struct tg_xdp *xdp, const char *ifname, enum tg_steer_policy policy,
		      struct tg_error *err);

int tg_xdp_read_rules(struct tg_xdp *xdp, struct tg_xdp_rules *r, struct tg_error *err);
/*
 * Reads the rules, lets `change` edit them, and changes the maps to what they are then; under one lock.
 * What is added comes first, then what goes, so that no frame meets less than both rule sets have in
 * common. `change` returns negative errno to leave things as they are; on failure the old rules are back
 * in force.
 */
int tg_xdp_change_rules(struct tg_xdp *xdp,
			int (*change)(void *ctx, struct tg_xdp_rules *r, struct tg_error *err),
			void *ctx, struct tg_error *err);

/* ---- what it does -------------------------------------------------------------------------------- */

/* Of one port. What each means for signalling: */
#define TG_XDP_STATES(X)                                                                           \
	X(FILTERING, "filtering") /* to the dataplane */                                           \
	X(PARTIAL, "partial")	  /* some queues have no dataplane that lives */                   \
	X(BYPASS, "bypass")	  /* port to port: fail-open */                                    \
	X(CLOSED, "closed")	  /* dropped: fail-closed */                                       \
	X(FORCED, "forced")	  /* port to port: tgctl bypass on */                              \
	X(GONE, "gone")		  /* the interface does not exist any more */

enum tg_xdp_state {
#define X(sym, name) TG_XDP_##sym,
	TG_XDP_STATES(X)
#undef X
	TG_XDP_STATE_COUNT
};

struct tg_xdp_port {
	unsigned slot;
	struct tg_steer_port port;
	enum tg_xdp_state state;
	uint32_t program; /* id; 0: gone */
	uint8_t tag[8];	  /* of the program's instructions, as bpftool shows it */
	unsigned fresh;	  /* queues whose heartbeat is within the limit */
	unsigned stale;	  /* queues that had one */
	uint64_t age_ns;  /* the oldest of these; only with fresh or stale */
	uint32_t pid;	  /* who writes, or wrote, them */
	bool draining;	  /* a planned stop */
	struct tg_steer_count outcome[TG_STEER_OUTCOME_COUNT];
	uint64_t reason[TG_STEER_MAX_REASONS]; /* not steered, by reason of the frame walk */
};

struct tg_xdp_status {
	struct tg_steer_config config;
	unsigned n_ports;
	struct tg_xdp_port ports[TG_STEER_MAX_PORTS];
};

int tg_xdp_status(struct tg_xdp *xdp, struct tg_xdp_status *s, struct tg_error *err);

const char *tg_xdp_state_name(unsigned state);
const char *tg_xdp_outcome_name(unsigned outcome);
const char *tg_xdp_bypass_name(unsigned bypass);
const char *tg_xdp_mode_name(unsigned mode);
const char *tg_xdp_policy_name(unsigned policy);

/* Packets whose outcome is of a kind: DP, KERNEL or DROP (TG_STEER_OUTCOMES). */
#define TG_XDP_SIGNALLING_BYPASSED                                                                 \
	(1u << TG_STEER_BYPASS_FORCED | 1u << TG_STEER_BYPASS_NO_SOCKET |                          \
	 1u << TG_STEER_BYPASS_STALE)
#define TG_XDP_SIGNALLING_DROPPED (1u << TG_STEER_CLOSED_NO_SOCKET | 1u << TG_STEER_CLOSED_STALE)
uint64_t tg_xdp_sum(const struct tg_xdp_port *p, unsigned outcomes);

/* {"set", "bypass", "heartbeat_limit_ns", "ports": [...]} */
json_t *tg_xdp_status_json(const char *dir, const struct tg_xdp_status *s);

#endif
