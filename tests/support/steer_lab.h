/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The XDP program in a laboratory: loaded and attached nowhere, its maps filled by hand, frames run
 * through it one at a time (BPF_PROG_TEST_RUN). One at a time is open.
 */
#ifndef TG_TESTS_STEER_LAB_H
#define TG_TESTS_STEER_LAB_H

#include "bpf/steer.skel.h"
#include "tests/support/pkt.h"
#include "tollgate/bpf_abi.h"

#define SLOT 4u /* neither the first nor, with its peer 5, the last */
#define LOOPBACK 1u
#define LIMIT_NS                                                                                   \
	(10ull * 1000 * 1000 * 1000) /* a test that is kept from its core is no stale beat */
#define RTP_PORT 16384

enum steer_dataplane {
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
struct steer_state_case {
	const char *name;
	enum steer_dataplane dataplane;
	enum tg_steer_bypass bypass;
	enum tg_steer_policy policy;
	enum tg_steer_outcome outcome;
};

extern struct steer *steer_lab_skel;
extern uint8_t steer_lab_frame[TG_PKT_MAX]; /* what is built, and expected of */

/* SIP on 5060, all of SCTP; a dataplane that lives. */
void steer_lab_open(void);
void steer_lab_close(void);

void steer_lab_put_index(const struct bpf_map *map, uint32_t index, uint32_t value);
void steer_lab_rule_port(uint8_t protocol, uint16_t port, uint32_t flags);
void steer_lab_rule_net(uint32_t prefix_len, const uint8_t addr[16], uint32_t flags);
void steer_lab_rule_net4(const uint8_t addr[4], uint32_t len, uint32_t flags);
void steer_lab_set_dataplane(enum steer_dataplane d);
void steer_lab_set_bypass(enum tg_steer_bypass bypass, enum tg_steer_policy policy);

/* An INVITE in this frame; its length. */
size_t steer_lab_build(const struct tg_pkt *p);
/* Runs a frame; fails unless it came out as it went in, was counted once, and its action fits. */
enum tg_steer_outcome steer_lab_run(const uint8_t *frame, size_t len, unsigned *reason);
void steer_lab_expect(const char *name, size_t len, enum tg_steer_outcome outcome, unsigned reason);
/* Cut anywhere: where it goes may differ, but it comes out whole and counted by the walk's reason. */
void steer_lab_check_cut(void *ctx, const uint8_t *data, size_t len);

/* In a laboratory of their own; each also cut at every length. */
void steer_lab_check_frames(const struct steer_case *cases, size_t n);
void steer_lab_check_states(const struct steer_state_case *cases, size_t n);

#endif
