/* SPDX-License-Identifier: BSD-3-Clause */
/* `tgctl status`: the daemon's own state, and the dataplane's counters where it answers in time. */
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/ops.h"
#include "control/xdp_watch.h"
#include "tollgate/stats.h"

/* The dataplane answers from its control thread, not from a worker: milliseconds. Longer than this
 * and the answer is that there is none. */
#define STATS_WAIT_MS 300
#define TOP_REASONS 8

struct status_work {
	struct tg_op_work work; /* first: rq->work */
	TAILQ_ENTRY(status_work) link;
	struct tg_daemon *d;
	struct tg_request *rq;
	struct event *deadline;
};

/* ---- the dataplane's figures --------------------------------------------------------------------- */

static json_t *actions_json(const struct tg_stats *s)
{
	json_t *modes = json_object();
	unsigned mode, action, trunk;

	for (mode = 0; mode < TG_MODE_COUNT; mode++) {
		json_t *actions = json_object();

		for (action = 0; action < TG_ACTION_COUNT; action++) {
			uint64_t n = 0;

			for (trunk = 0; trunk < TG_POLICY_MAX_TRUNKS; trunk++)
				n += s->trunk_action[trunk][mode][action];
			json_object_set_new(actions, tg_action_name(action),
					    json_integer((json_int_t)n));
		}
		json_object_set_new(modes, tg_mode_name(mode), actions);
	}
	return modes;
}

/* Every reason has its place, also at 0: a rate needs a first value. */
static json_t *uninspected_json(const struct tg_stats *s)
{
	json_t *reasons = json_object();
	unsigned i;

	for (i = 0; i < TG_REASON_COUNT; i++) {
		const uint64_t n = s->reason[i] + s->unread[i];

		if (tg_reason_kind(i) == TG_REASON_KIND_BLIND)
			json_object_set_new(reasons, tg_reason_name(i),
					    json_integer((json_int_t)n));
	}
	return reasons;
}

/* The share is null before anything came. */
static json_t *coverage_json(const struct tg_stats *s)
{
	const struct tg_stats_coverage c = tg_stats_coverage(s);
	const double all = (double)c.judged + (double)c.uninspected;

	return json_pack("{s:I, s:I, s:o, s:o, s:{s:I, s:I}}", "judged", (json_int_t)c.judged,
			 "uninspected", (json_int_t)c.uninspected, "inspected_share_at_least",
			 all > 0 ? json_real((double)c.judged / all) : json_null(), "reasons",
			 uninspected_json(s), "bodies", "isup", (json_int_t)s->bodies_isup,
			 "encoded", (json_int_t)s->bodies_encoded);
}

/* Every condition and both policies have their place, also at 0. */
static json_t *exceptions_json(const struct tg_stats *s)
{
	json_t *j = json_object();
	unsigned i;

	for (i = 0; i < TG_EXCEPTION_COUNT; i++) {
		const struct tg_stats_exception e = tg_stats_exception(s, (enum tg_exception)i);

		json_object_set_new(j, tg_exception_name(i),
				    json_pack("{s:I, s:I}", "pass", (json_int_t)e.passed, "drop",
					      (json_int_t)e.dropped));
	}
	return j;
}

/* The most frequent reasons, in that order. */
static json_t *top_reasons_json(const struct tg_stats *s)
{
	bool taken[TG_REASON_COUNT] = { false };
	json_t *top = json_array();
	unsigned i, r;

	for (i = 0; i < TOP_REASONS; i++) {
		unsigned best = TG_REASON_COUNT;

		for (r = 0; r < TG_REASON_COUNT; r++) {
			if (!taken[r] && s->reason[r] > 0 &&
			    (best == TG_REASON_COUNT || s->reason[r] > s->reason[best]))
				best = r;
		}
		if (best == TG_REASON_COUNT)
			break;
		taken[best] = true;
		json_array_append_new(top, json_pack("{s:s, s:I}", "reason", tg_reason_name(best),
						     "frames", (json_int_t)s->reason[best]));
	}
	return top;
}

/* By what their verification came to; only what there is. */
static json_t *passports_json(const struct tg_stats *s)
{
	json_t *j = json_object();
	unsigned i;

	for (i = 0; i < TG_STIR_STATE_COUNT; i++)
		if (s->passports[i])
			json_object_set_new(j, tg_stir_state_name(i),
					    json_integer((json_int_t)s->passports[i]));
	return j;
}

static json_t *stats_json(const struct tg_ctl_stats *m)
{
	const struct tg_stats *s = &m->sum;

	return json_pack(
		"{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, "
		"s:o, s:I, s:I}",
		"uptime_ms", (json_int_t)m->uptime_ms, "rx_packets", (json_int_t)s->rx_packets,
		"tx_packets", (json_int_t)s->tx_packets, "tx_dropped", (json_int_t)s->tx_dropped,
		"answers_sent", (json_int_t)s->answers_sent, "events_dropped",
		(json_int_t)s->events_dropped, "judged", (json_int_t)tg_stats_coverage(s).judged,
		"verdicts_repeated", (json_int_t)s->verdicts_repeated, "verdicts_same_call",
		(json_int_t)s->verdicts_same_call, "frames_edited", (json_int_t)s->frames_edited,
		"frames_dispatched", (json_int_t)s->frames_dispatched, "dispatch_full",
		(json_int_t)s->dispatch_full, "actions", actions_json(s), "passports",
		passports_json(s), "coverage", coverage_json(s), "exceptions", exceptions_json(s),
		"top_reasons", top_reasons_json(s), "latency_p50_ns",
		(json_int_t)tg_stats_latency_quantile(s, 500), "latency_p99_ns",
		(json_int_t)tg_stats_latency_quantile(s, 990));
}

/* ---- the daemon's own ---------------------------------------------------------------------------- */

static json_t *daemon_json(const struct tg_daemon *d)
{
	const char *events = d->config.events;

	return json_pack("{s:i, s:I, s:s, s:s, s:o}", "pid", (int)getpid(), "uptime_ms",
			 (json_int_t)((tg_server_now_ns() - d->start_ns) / 1000000u), "state",
			 d->config.state_dir, "dataplane_socket", d->config.dataplane, "events",
			 events ? json_string(events) : json_null());
}

static json_t *dataplane_json(const struct tg_daemon *d, const struct tg_ctl_stats *stats)
{
	const bool connected = tg_publish_connected(d->publish);
	json_t *j = json_pack("{s:b}", "connected", connected);

	if (!connected)
		return j;
	json_object_set_new(j, "pid", json_integer(d->peer.hello.pid));
	json_object_set_new(j, "workers", json_integer(d->peer.hello.n_workers));
	json_object_set_new(j, "ports", json_integer(d->peer.hello.n_ports));
	json_object_set_new(j, "generation", json_integer((json_int_t)d->peer.generation));
	json_object_set_new(j, "base", tg_op_id(d->peer.base_id));
	json_object_set_new(j, "delta", tg_op_id(d->peer.delta_id));
	json_object_set_new(j, "policy", tg_op_id(d->peer.policy_id));
	json_object_set_new(j, "stats", stats ? stats_json(stats) : json_null());
	return j;
}

static json_t *table_json(struct tg_daemon *d, const struct tg_ledger_status *st)
{
	const struct tg_generations_set *s = tg_generations_current(&d->generations);
	json_t *j = json_pack("{s:I, s:I, s:I, s:I}", "entries",
			      (json_int_t)st->n_numbers + (json_int_t)st->n_ranges +
				      (json_int_t)st->n_shorts,
			      "numbers", (json_int_t)st->n_numbers, "ranges",
			      (json_int_t)st->n_ranges, "short_codes", (json_int_t)st->n_shorts);

	json_object_set_new(j, "generation",
			    s ? json_integer((json_int_t)s->meta.number) : json_null());
	json_object_set_new(
		j, "in_force",
		json_boolean(s && d->peer.generation != 0 && d->peer.generation == s->meta.number));
	json_object_set_new(j, "pinned",
			    d->pinned ? json_integer((json_int_t)d->pin.meta.number) : json_null());
	json_object_set_new(j, "base", tg_op_id(s ? s->meta.base_id : 0));
	json_object_set_new(j, "delta", tg_op_id(s ? s->meta.delta_id : 0));
	json_object_set_new(j, "policy", tg_op_id(s ? s->meta.policy_id : 0));
	json_object_set_new(j, "base_bytes",
			    s && s->base ? json_integer((json_int_t)s->base->length) : json_null());
	json_object_set_new(
		j, "delta_entries",
		json_integer(s && s->delta ? (json_int_t)s->delta->header->n_exact : 0));
	json_object_set_new(j, "building", json_boolean(d->base_building));
	return j;
}

static json_t *ledger_json(const struct tg_ledger_status *st)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:s, s:o}", "batch", (json_int_t)st->batch,
			 "indexed_batch", (json_int_t)st->indexed_batch, "claims",
			 (json_int_t)st->n_claims, "sources", (json_int_t)st->n_sources,
			 "chain_head", st->chain_head, "next_expiry", tg_op_time(st->next_expiry));
}

static json_t *publication_json(const struct tg_daemon *d)
{
	if (d->published_time == 0)
		return json_null();
	return json_pack("{s:o, s:I, s:I}", "time", tg_op_time(d->published_time),
			 "acknowledged_ns", (json_int_t)d->published_ns, "swap_ns",
			 (json_int_t)d->published_swap_ns);
}

static json_t *alarms_json(const struct tg_daemon *d)
{
	json_t *array = json_array();
	unsigned i;

	for (i = 0; i < TG_DAEMON_ALARM_COUNT; i++) {
		if (d->alarm[i].on)
			json_array_append_new(array, json_pack("{s:s, s:s, s:s}", "alarm",
							       tg_daemon_alarm_name(i), "text",
							       tg_daemon_alarm_text(i), "detail",
							       d->alarm[i].detail));
	}
	return array;
}

static json_t *status_json(struct tg_daemon *d, const struct tg_ctl_stats *stats)
{
	struct tg_ledger_status st;

	tg_ledger_status(d->ledger, &st);
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "daemon", daemon_json(d),
			 "dataplane", dataplane_json(d, stats), "table", table_json(d, &st),
			 "ledger", ledger_json(&st), "publication", publication_json(d), "alarms",
			 alarms_json(d), "xdp", tg_xdp_watch_json(d->xdp));
}

/* ---- waiting for them ---------------------------------------------------------------------------- */

static void status_free(struct status_work *w)
{
	TAILQ_REMOVE(&w->d->status_waiters, w, link);
	event_free(w->deadline);
	free(w);
}

static void status_gone(struct tg_op_work *work)
{
	status_free((struct status_work *)work);
}

static void status_answer(struct status_work *w, const struct tg_ctl_stats *stats)
{
	tg_request_ok(w->rq, status_json(w->d, stats));
	status_free(w);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	status_answer(arg, NULL);
}

void tg_ops_stats(void *ctx, const struct tg_ctl_stats *stats)
{
	struct tg_daemon *d = ctx;
	struct status_work *w;

	/* status_answer takes it off the list, which the analyser does not see. */
	while ((w = TAILQ_FIRST(&d->status_waiters)) != NULL)
		status_answer(w, stats); /* NOLINT(clang-analyzer-unix.Malloc) */
}

void tg_op_status(struct tg_daemon *d, struct tg_request *rq)
{
	const struct timeval wait = { 0, STATS_WAIT_MS * 1000 };
	struct status_work *w;

	w = tg_publish_request_stats(d->publish) == 0 ? calloc(1, sizeof(*w)) : NULL;
	if (w)
		w->deadline = evtimer_new(d->loop, on_deadline, w);
	if (!w || !w->deadline) {
		free(w);
		tg_request_ok(rq, status_json(d, NULL));
		return;
	}
	w->work.gone = status_gone;
	w->d = d;
	w->rq = rq;
	rq->work = &w->work;
	TAILQ_INSERT_TAIL(&d->status_waiters, w, link);
	event_add(w->deadline, &wait);
}
