/* SPDX-License-Identifier: BSD-3-Clause */
/* Names, and a set's status as JSON: the same for tgctl and tollgated. */
#include <stdio.h>

#include "control/xdp.h"

static const char *const outcome_names[] = {
#define X(sym, name, kind) name,
	TG_STEER_OUTCOMES(X)
#undef X
};
static const char *const state_names[] = {
#define X(sym, name) name,
	TG_XDP_STATES(X)
#undef X
};
static const char *const bypass_names[] = { "auto", "on", "off" };
static const char *const mode_names[] = { "native", "generic" };
static const char *const policy_names[] = { "open", "closed" };

static const char *name_in(const char *const *names, size_t n, unsigned i)
{
	return i < n ? names[i] : "?";
}

const char *tg_xdp_outcome_name(unsigned outcome)
{
	return name_in(outcome_names, TG_ARRAY_LEN(outcome_names), outcome);
}

const char *tg_xdp_state_name(unsigned state)
{
	return name_in(state_names, TG_ARRAY_LEN(state_names), state);
}

const char *tg_xdp_bypass_name(unsigned bypass)
{
	return name_in(bypass_names, TG_ARRAY_LEN(bypass_names), bypass);
}

const char *tg_xdp_mode_name(unsigned mode)
{
	return name_in(mode_names, TG_ARRAY_LEN(mode_names), mode);
}

const char *tg_xdp_policy_name(unsigned policy)
{
	return name_in(policy_names, TG_ARRAY_LEN(policy_names), policy);
}

uint64_t tg_xdp_sum(const struct tg_xdp_port *p, unsigned outcomes)
{
	uint64_t sum = 0;
	unsigned i;

	for (i = 0; i < TG_STEER_OUTCOME_COUNT; i++) {
		if (outcomes >> i & 1)
			sum += p->outcome[i].packets;
	}
	return sum;
}

static json_t *tag_json(const struct tg_xdp_port *p)
{
	char text[17];
	unsigned i;

	if (p->program == 0)
		return json_null();
	for (i = 0; i < sizeof(p->tag); i++)
		snprintf(text + 2 * i, 3, "%02x", p->tag[i]);
	return json_string(text);
}

static json_t *reasons_json(const struct tg_xdp_port *p)
{
	json_t *reasons = json_object();
	unsigned i;

	for (i = 0; i <= TG_REASON_COUNT; i++) {
		if (p->reason[i])
			json_object_set_new(reasons,
					    i == TG_REASON_COUNT ? "udp" : tg_reason_name(i),
					    json_integer((json_int_t)p->reason[i]));
	}
	return reasons;
}

static json_t *port_json(const struct tg_xdp_port *p)
{
	json_t *packets = json_object(), *bytes = json_object();
	const bool beats = p->fresh + p->stale > 0;
	unsigned i;

	for (i = 0; i < TG_STEER_OUTCOME_COUNT; i++) {
		json_object_set_new(packets, tg_xdp_outcome_name(i),
				    json_integer((json_int_t)p->outcome[i].packets));
		json_object_set_new(bytes, tg_xdp_outcome_name(i),
				    json_integer((json_int_t)p->outcome[i].bytes));
	}
	return json_pack(
		"{s:s, s:i, s:s, s:s, s:s, s:i, s:o, s:o, s:i, s:i, s:o, s:b, s:o, s:o, s:o}",
		"port", p->port.ifname, "slot", (int)p->slot, "state", tg_xdp_state_name(p->state),
		"mode", tg_xdp_mode_name(p->port.mode), "fail", tg_xdp_policy_name(p->port.policy),
		"program", (int)p->program, "tag", tag_json(p), "heartbeat_age_ns",
		beats ? json_integer((json_int_t)p->age_ns) : json_null(), "queues_fresh",
		(int)p->fresh, "queues_stale", (int)p->stale, "pid",
		beats ? json_integer(p->pid) : json_null(), "draining", p->draining, "packets",
		packets, "bytes", bytes, "not_steered", reasons_json(p));
}

json_t *tg_xdp_status_json(const char *dir, const struct tg_xdp_status *s)
{
	json_t *ports = json_array();
	unsigned i;

	for (i = 0; i < s->n_ports; i++)
		json_array_append_new(ports, port_json(&s->ports[i]));
	return json_pack("{s:s, s:s, s:I, s:o}", "set", dir, "bypass",
			 tg_xdp_bypass_name(s->config.bypass), "heartbeat_limit_ns",
			 (json_int_t)s->config.heartbeat_limit_ns, "ports", ports);
}
