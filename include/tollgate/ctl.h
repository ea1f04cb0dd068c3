/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages between tollgated and tollgate-dp. The dataplane listens on a Unix SOCK_SEQPACKET socket,
 * the daemon connects (and connects again). One message a packet; images travel as sealed memfds
 * (SCM_RIGHTS). Same machine, same byte order; a version that differs is refused.
 *
 *   dataplane -> daemon   HELLO on connect: what is in force
 *   daemon -> dataplane   PUBLISH with up to three descriptors, in the order base, delta, policy
 *   dataplane -> daemon   ACK when every worker decides with it, or why it was refused
 *   daemon -> dataplane   STATS_REQUEST;  dataplane -> daemon   STATS
 */
#ifndef TG_CTL_H
#define TG_CTL_H

#include "tollgate/base.h"
#include "tollgate/image.h"
#include "tollgate/stats.h"

#define TG_CTL_MAGIC 0x4c544354u /* "TCTL" */
#define TG_CTL_VERSION 2 /* another one also where struct tg_stats, or what it counts by, grows */
#define TG_CTL_MAX_FDS 3
#define TG_CTL_TEXT_MAX 256

#define TG_CTL_MESSAGES(X)                                                                         \
	X(HELLO, hello)                                                                            \
	X(PUBLISH, publish)                                                                        \
	X(ACK, ack)                                                                                \
	X(STATS_REQUEST, stats_request)                                                            \
	X(STATS, stats)

enum tg_ctl_type {
#define X(sym, name) TG_CTL_##sym,
	TG_CTL_MESSAGES(X)
#undef X
	TG_CTL_TYPE_COUNT
};

struct tg_ctl_header {
	uint32_t magic;
	uint16_t version;
	uint16_t type;
};

/* Ids are image ids (image.h); 0 = none. */
struct tg_ctl_hello {
	struct tg_ctl_header h;
	uint64_t generation;
	uint64_t base_id;
	uint64_t delta_id;
	uint64_t policy_id;
	uint32_t pid;
	uint32_t n_workers;
	uint32_t n_ports;
	uint32_t zero;
};

#define TG_CTL_PART_BASE 0x1 /* a descriptor follows */
#define TG_CTL_PART_DELTA 0x2
#define TG_CTL_PART_POLICY 0x4
#define TG_CTL_PART_NO_DELTA 0x8 /* the new generation has no delta */

/* A generation: the parts given, and what is in force for the rest. A new base without a delta part
 * drops the delta that is in force. */
struct tg_ctl_publish {
	struct tg_ctl_header h;
	uint64_t generation; /* greater than any before, also after a rollback */
	uint32_t parts;	     /* TG_CTL_PART_* */
	uint32_t zero;
	uint64_t length[TG_CTL_MAX_FDS]; /* image bytes behind each descriptor, in order */
};

struct tg_ctl_ack {
	struct tg_ctl_header h;
	uint64_t generation; /* the one asked for */
	int32_t status;	     /* 0 or negative errno */
	uint32_t zero;
	uint64_t swap_ns;	    /* store to last worker's quiescent state */
	char text[TG_CTL_TEXT_MAX]; /* why it was refused, NUL-terminated */
};

struct tg_ctl_stats_request {
	struct tg_ctl_header h;
};

struct tg_ctl_stats {
	struct tg_ctl_header h;
	uint64_t generation;
	uint64_t generation_hash;
	uint64_t uptime_ms;
	struct tg_stats sum; /* all workers */
};

#endif
