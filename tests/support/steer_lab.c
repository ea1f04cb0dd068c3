/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/support/steer_lab.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/tg_test.h"
#include "tollgate/frame.h"

struct steer *steer_lab_skel;
static int xsk = -1;
uint8_t steer_lab_frame[TG_PKT_MAX];
static uint8_t after[TG_PKT_MAX];

static const char payload[] = "INVITE sip:+12025550123@192.0.2.9 SIP/2.0\r\n\r\n";

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

void steer_lab_put_index(const struct bpf_map *map, uint32_t index, uint32_t value)
{
	put(map, &index, &value);
}

void steer_lab_rule_port(uint8_t protocol, uint16_t port, uint32_t flags)
{
	const struct tg_steer_port_key key = { .port = port, .protocol = protocol };

	put(steer_lab_skel->maps.rule_ports, &key, &flags);
	steer_lab_put_index(steer_lab_skel->maps.rule_protocols, protocol, TG_STEER_RULE_PORTS);
}

void steer_lab_rule_net(uint32_t prefix_len, const uint8_t addr[16], uint32_t flags)
{
	struct tg_steer_net_key key = { .prefix_len = prefix_len };
	const struct tg_steer_net_rule rule = { .flags = flags, .prefix_len = prefix_len };

	memcpy(key.addr, addr, 16);
	put(steer_lab_skel->maps.rule_nets, &key, &rule);
}

void steer_lab_rule_net4(const uint8_t addr[4], uint32_t len, uint32_t flags)
{
	uint8_t mapped[16] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

	memcpy(mapped + 12, addr, 4);
	steer_lab_rule_net(96 + len, mapped, flags);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

void steer_lab_set_dataplane(enum steer_dataplane d)
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
	put(steer_lab_skel->maps.heartbeats, &index, &beat);
	if (d == NO_SOCKET)
		bpf_map_delete_elem(bpf_map__fd(steer_lab_skel->maps.xsks_map), &queue);
	else
		steer_lab_put_index(steer_lab_skel->maps.xsks_map, queue, (uint32_t)xsk);
}

void steer_lab_set_bypass(enum tg_steer_bypass bypass, enum tg_steer_policy policy)
{
	const struct tg_steer_config config = { .abi = TG_STEER_ABI,
						.bypass = bypass,
						.heartbeat_limit_ns = LIMIT_NS };
	const struct tg_steer_port port = { .ifindex = LOOPBACK, .policy = policy };
	const uint32_t zero = 0, slot = SLOT;

	put(steer_lab_skel->maps.config, &zero, &config);
	put(steer_lab_skel->maps.ports, &slot, &port);
}

/* SIP on 5060, all of SCTP; a dataplane that lives. */
void steer_lab_open(void)
{
	libbpf_print_fn_t old = libbpf_set_print(quiet);

	steer_lab_skel = steer__open();
	assert_non_null(steer_lab_skel);
	steer_lab_skel->rodata->slot = SLOT;
	assert_int_equal(steer__load(steer_lab_skel), 0);
	libbpf_set_print(old);
	xsk = socket(AF_XDP, SOCK_RAW, 0);
	assert_true(xsk >= 0);
	steer_lab_put_index(steer_lab_skel->maps.devices, SLOT ^ 1, LOOPBACK);
	steer_lab_rule_port(TG_IPPROTO_UDP, 5060, TG_STEER_RULE_STEER);
	steer_lab_rule_port(TG_IPPROTO_TCP, 5060, TG_STEER_RULE_STEER);
	steer_lab_put_index(steer_lab_skel->maps.rule_protocols, TG_IPPROTO_SCTP,
			    TG_STEER_RULE_STEER);
	steer_lab_set_bypass(TG_STEER_BYPASS_AUTO, TG_STEER_FAIL_OPEN);
	steer_lab_set_dataplane(FRESH);
}

void steer_lab_close(void)
{
	close(xsk);
	steer__destroy(steer_lab_skel);
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
	const struct tg_steer_count *counts = look_at(steer_lab_skel->maps.outcomes,
						      SLOT * TG_STEER_OUTCOMES_STRIDE,
						      TG_STEER_OUTCOME_COUNT, sizeof(*counts));
	const uint64_t *packets = look_at(steer_lab_skel->maps.reasons, SLOT * TG_STEER_MAX_REASONS,
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
enum tg_steer_outcome steer_lab_run(const uint8_t *frame, size_t len, unsigned *reason)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = (uint32_t)len,
		    .data_out = after, .data_size_out = sizeof(after));
	struct seen before, now;
	unsigned outcome;

	look(&before);
	assert_int_equal(
		bpf_prog_test_run_opts(bpf_program__fd(steer_lab_skel->progs.xsk_def_prog), &opts),
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

void steer_lab_expect(const char *name, size_t len, enum tg_steer_outcome outcome, unsigned reason)
{
	struct tg_frame f;
	unsigned got_reason;
	const enum tg_steer_outcome got = steer_lab_run(steer_lab_frame, len, &got_reason);

	if (got != outcome)
		fail_msg("%s: %s, not %s", name, outcome_name(got), outcome_name(outcome));
	if (got != TG_STEER_STEERED && got_reason != reason)
		fail_msg("%s: %s, not %s", name, tg_reason_name(got_reason),
			 tg_reason_name(reason));
	assert_int_equal(
		tg_frame_walk(steer_lab_frame, steer_lab_frame + len, TG_LINK_ETHERNET, &f),
		reason);
}

/* Cut anywhere: where it goes may differ, but it comes out whole and counted by the walk's reason. */
void steer_lab_check_cut(void *ctx, const uint8_t *data, size_t len)
{
	struct tg_frame f;
	unsigned reason;

	(void)ctx;
	if (len < 14)
		return;
	if (steer_lab_run(data, len, &reason) != TG_STEER_STEERED)
		assert_int_equal(reason, tg_frame_walk(data, data + len, TG_LINK_ETHERNET, &f));
}

size_t steer_lab_build(const struct tg_pkt *p)
{
	return tg_pkt_build(p, payload, sizeof(payload) - 1, steer_lab_frame);
}

static void check_case(const struct steer_case *c)
{
	const size_t len = steer_lab_build(&c->pkt);

	steer_lab_expect(c->name, len, c->outcome, c->reason);
	tg_guard_truncate(steer_lab_frame, len, steer_lab_check_cut, NULL);
}

void steer_lab_check_frames(const struct steer_case *cases, size_t n)
{
	size_t i;

	steer_lab_open();
	for (i = 0; i < n; i++)
		check_case(&cases[i]);
	steer_lab_close();
}

void steer_lab_check_states(const struct steer_state_case *cases, size_t n)
{
	size_t i;

	steer_lab_open();
	for (i = 0; i < n; i++) {
		const struct steer_state_case *c = &cases[i];

		steer_lab_set_bypass(c->bypass, c->policy);
		steer_lab_set_dataplane(c->dataplane);
		check_case(&(struct steer_case){
			c->name, { .ipv4_fragment = 0 }, c->outcome, TG_REASON_NONE });
		check_case(&(struct steer_case){
			c->name, { .ipv4_fragment = 0x2000 }, c->outcome, TG_REASON_FRAGMENT });
	}
	steer_lab_close();
}
