/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/run/telemetry.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_telemetry.h>

static const struct tg_telemetry *telemetry;
static pthread_mutex_t telemetry_lock = PTHREAD_MUTEX_INITIALIZER;

/* One answer in the making. */
struct request {
	struct rte_tel_data *data;
	const struct tg_stats *sum;
	const char *params; /* what stands after the comma, or NULL */
	int rc;
};

static void add(struct rte_tel_data *d, const char *name, uint64_t value)
{
	(void)rte_tel_data_add_dict_u64(d, name, value);
}

static void add_hex(struct rte_tel_data *d, const char *name, uint64_t value)
{
	char text[17];

	snprintf(text, sizeof(text), "%016" PRIx64, value);
	(void)rte_tel_data_add_dict_string(d, name, text);
}

/* ---- /tollgate/stats, reasons, latency --------------------------------------------------------- */

static int show_stats(struct request *r)
{
	static const struct {
		const char *name;
		size_t offset;
	} fields[] = {
#define FIELD(f) { #f, offsetof(struct tg_stats, f) }
		FIELD(rx_packets),	 FIELD(rx_bytes),	    FIELD(tx_packets),
		FIELD(tx_bytes),	 FIELD(tx_dropped),	    FIELD(no_mbuf),
		FIELD(answers_sent),	 FIELD(verdicts_repeated),  FIELD(events_dropped),
		FIELD(filter_negatives), FIELD(filter_false),	    FIELD(busy_cycles),
		FIELD(idle_cycles),	 FIELD(links_taken_down),   FIELD(links_not_taken_down),
		FIELD(frames_edited),	 FIELD(verdicts_same_call), FIELD(bodies_isup),
		FIELD(bodies_encoded),	 FIELD(frames_dispatched),  FIELD(dispatch_full),
#undef FIELD
	};
	unsigned i;

	rte_tel_data_start_dict(r->data);
	for (i = 0; i < TG_ARRAY_LEN(fields); i++)
		add(r->data, fields[i].name,
		    *(const uint64_t *)((const uint8_t *)r->sum + fields[i].offset));
	return 0;
}

static int show_reasons(struct request *r)
{
	unsigned i;

	rte_tel_data_start_dict(r->data);
	for (i = 0; i < TG_REASON_COUNT; i++)
		add(r->data, tg_reason_name(i), r->sum->reason[i]);
	return 0;
}

/* Every frame of an exception, by what its trunk's policy for it is. */
static int show_exceptions(struct request *r)
{
	char name[64];
	unsigned i;

	rte_tel_data_start_dict(r->data);
	for (i = 0; i < TG_EXCEPTION_COUNT; i++) {
		const struct tg_stats_exception e = tg_stats_exception(r->sum,
								       (enum tg_exception)i);

		snprintf(name, sizeof(name), "%s_pass", tg_exception_name(i));
		add(r->data, name, e.passed);
		snprintf(name, sizeof(name), "%s_drop", tg_exception_name(i));
		add(r->data, name, e.dropped);
	}
	return 0;
}

static int show_passports(struct request *r)
{
	unsigned i;

	rte_tel_data_start_dict(r->data);
	for (i = 0; i < TG_STIR_STATE_COUNT; i++)
		add(r->data, tg_stir_state_name(i), r->sum->passports[i]);
	return 0;
}

static int show_latency(struct request *r)
{
	static const struct {
		const char *name;
		unsigned per_mille;
	} marks[] = {
		{ "p50_ns", 500 }, { "p99_ns", 990 }, { "p999_ns", 999 }, { "max_ns", 1000 }
	};
	uint64_t frames = 0;
	unsigned i;

	rte_tel_data_start_dict(r->data);
	for (i = 0; i < TG_STATS_LATENCY_BUCKETS; i++)
		frames += r->sum->latency[i];
	add(r->data, "frames", frames);
	for (i = 0; i < TG_ARRAY_LEN(marks); i++)
		add(r->data, marks[i].name, tg_stats_latency_quantile(r->sum, marks[i].per_mille));
	return 0;
}

/* ---- /tollgate/generation ---------------------------------------------------------------------- */

static void add_generation(void *ctx, const struct tg_held *held)
{
	struct rte_tel_data *d = ctx;
	const struct tg_generation *g;

	if (!held) {
		add(d, "number", 0);
		add(d, "base_entries", 0);
		add(d, "delta_entries", 0);
		return;
	}
	g = &held->gen;
	add(d, "number", g->number);
	add_hex(d, "hash", g->hash);
	add_hex(d, "base_id", g->base.header->id);
	add(d, "base_entries", g->base.header->n_exact);
	add(d, "base_ranges", g->base.header->n_ranges);
	add(d, "base_short_codes", g->base.header->n_short);
	add(d, "base_created", g->base.header->created);
	add(d, "delta_entries", g->has_delta ? g->delta.header->n_exact : 0);
	if (g->has_delta) {
		add_hex(d, "delta_id", g->delta.header->id);
		add(d, "delta_created", g->delta.header->created);
	}
	add_hex(d, "policy_id", g->policy.header->id);
	add(d, "policy_trunks", g->policy.n_trunks);
	add(d, "policy_rules", g->policy.n_rules);
}

static int show_generation(struct request *r)
{
	rte_tel_data_start_dict(r->data);
	tg_swap_info(telemetry->swap, add_generation, r->data);
	return 0;
}

/* ---- /tollgate/trunks, actions ----------------------------------------------------------------- */

/* Telemetry's dictionary keys are letters, digits, '_' and '/'; a trunk may be called anything. */
static const char *key_of(const char *name, char key[TG_POLICY_NAME_MAX + 1])
{
	size_t i, n = strnlen(name, TG_POLICY_NAME_MAX);

	for (i = 0; i < n; i++) {
		const char c = name[i];

		key[i] = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
				 ? c
				 : '_';
	}
	key[n] = 0;
	return key;
}

static uint64_t judged(const struct tg_stats *s, unsigned trunk)
{
	uint64_t n = 0;
	unsigned i;

	for (i = 0; i < TG_REASON_COUNT; i++)
		n += s->trunk_reason[trunk][i];
	return n;
}

static int find_trunk(const struct tg_policy *p, const char *name)
{
	char key[TG_POLICY_NAME_MAX + 1];
	unsigned i;

	for (i = 0; i < p->n_trunks; i++) {
		if (strcmp(p->trunk[i].name, name) == 0 ||
		    strcmp(key_of(p->trunk[i].name, key), name) == 0)
			return (int)i;
	}
	return -1;
}

/* Without a name: calls judged on each trunk. With one: that trunk's calls by reason. */
static void add_trunks(void *ctx, const struct tg_held *held)
{
	struct request *r = ctx;
	const struct tg_policy *p = held ? &held->gen.policy : NULL;
	char key[TG_POLICY_NAME_MAX + 1];
	int trunk;
	unsigned i;

	if (p && !r->params) {
		for (i = 0; i < p->n_trunks; i++)
			add(r->data, key_of(p->trunk[i].name, key), judged(r->sum, i));
		return;
	}
	trunk = p ? find_trunk(p, r->params) : 0;
	if (!p || trunk < 0) {
		r->rc = r->params ? -ENOENT : 0;
		return;
	}
	for (i = 0; i < TG_REASON_COUNT; i++) {
		if (r->sum->trunk_reason[trunk][i])
			add(r->data, tg_reason_name(i), r->sum->trunk_reason[trunk][i]);
	}
}

static int show_trunks(struct request *r)
{
	rte_tel_data_start_dict(r->data);
	tg_swap_info(telemetry->swap, add_trunks, r);
	return r->rc;
}

/* "enforce_reject": calls so decided, on all trunks or on the one named. */
static void add_actions(void *ctx, const struct tg_held *held)
{
	struct request *r = ctx;
	unsigned from = 0, to = TG_POLICY_MAX_TRUNKS, mode, action, i;
	char name[32];

	if (r->params) {
		const int trunk = held ? find_trunk(&held->gen.policy, r->params) : -1;

		if (trunk < 0) {
			r->rc = -ENOENT;
			return;
		}
		from = (unsigned)trunk;
		to = from + 1;
	}
	for (mode = 0; mode < TG_MODE_COUNT; mode++) {
		for (action = 0; action < TG_ACTION_COUNT; action++) {
			uint64_t n = 0;

			for (i = from; i < to; i++)
				n += r->sum->trunk_action[i][mode][action];
			snprintf(name, sizeof(name), "%s_%s", tg_mode_name(mode),
				 tg_action_name(action));
			add(r->data, name, n);
		}
	}
}

static int show_actions(struct request *r)
{
	rte_tel_data_start_dict(r->data);
	tg_swap_info(telemetry->swap, add_actions, r);
	return r->rc;
}

/* ---- commands ---------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	int (*show)(struct request *r);
	const char *help;
} commands[] = {
	{ "/tollgate/stats", show_stats, "Packets, bytes, answers, drops, all workers" },
	{ "/tollgate/reasons", show_reasons, "Frames by the reason in which they ended" },
	{ "/tollgate/exceptions", show_exceptions,
	  "Frames that could not be read or judged as policy says, by whether they passed" },
	{ "/tollgate/trunks", show_trunks,
	  "Calls judged by trunk; with a trunk's name, by reason. Parameters: [trunk]" },
	{ "/tollgate/actions", show_actions, "Calls by mode and action. Parameters: [trunk]" },
	{ "/tollgate/passports", show_passports,
	  "PASSporTs by what their verification came to (--stir)" },
	{ "/tollgate/latency", show_latency, "From receive to transmit, nanoseconds" },
	{ "/tollgate/generation", show_generation, "What is in force" },
};

static int respond(unsigned command, const char *params, struct rte_tel_data *data)
{
	struct tg_stats *sum = calloc(1, sizeof(*sum));
	struct request r = { .data = data,
			     .sum = sum,
			     .params = params && *params ? params : NULL };
	int rc = -ENODEV;

	if (!sum)
		return -ENOMEM;
	pthread_mutex_lock(&telemetry_lock);
	if (telemetry) {
		telemetry->sum(telemetry->sum_ctx, sum);
		rc = commands[command].show(&r);
	}
	pthread_mutex_unlock(&telemetry_lock);
	free(sum);
	return rc;
}

static int callback(const char *cmd, const char *params, struct rte_tel_data *data)
{
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(commands); i++) {
		if (strcmp(cmd, commands[i].name) == 0)
			return respond(i, params, data);
	}
	return -EINVAL;
}

int tg_telemetry_open(const struct tg_telemetry *source)
{
	unsigned i;
	int rc;

	for (i = 0; i < TG_ARRAY_LEN(commands); i++) {
		rc = rte_telemetry_register_cmd(commands[i].name, callback, commands[i].help);
		if (rc != 0)
			return rc;
	}
	pthread_mutex_lock(&telemetry_lock);
	telemetry = source;
	pthread_mutex_unlock(&telemetry_lock);
	return 0;
}

void tg_telemetry_close(void)
{
	pthread_mutex_lock(&telemetry_lock);
	telemetry = NULL;
	pthread_mutex_unlock(&telemetry_lock);
}
