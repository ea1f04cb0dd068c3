/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <stdio.h>

#include "control/cmd.h"

/* Down to a thousandth, never up: 100 % means that nothing was left out. */
static void print_coverage(json_t *c)
{
	json_t *share = json_object_get(c, "inspected_share_at_least"), *value;
	json_t *bodies = json_object_get(c, "bodies");
	const json_int_t isup = tg_cmd_int(bodies, "isup"), encoded = tg_cmd_int(bodies, "encoded");
	const char *reason;
	bool any = false;

	if (json_is_real(share))
		printf("  coverage     at least %.1f %% of call attempts inspected: %lld judged; "
		       "%lld "
		       "frames that may\n"
		       "               have held a call passed uninspected\n",
		       floor(json_real_value(share) * 1000) / 10,
		       (long long)tg_cmd_int(c, "judged"), (long long)tg_cmd_int(c, "uninspected"));
	else
		printf("  coverage     no call attempts yet\n");
	json_object_foreach(json_object_get(c, "reasons"), reason, value) {
		if (json_integer_value(value) == 0)
			continue;
		printf("%s%s %lld", any ? ", " : "  uninspected  ", reason,
		       (long long)json_integer_value(value));
		any = true;
	}
	if (any)
		printf("\n");
	if (isup + encoded > 0)
		printf("  bodies       not read in judged calls: %lld with ISUP, %lld compressed "
		       "or "
		       "encrypted\n",
		       (long long)isup, (long long)encoded);
}

/* Passing is the rule, and is in the coverage above. */
static void print_exceptions(json_t *exceptions)
{
	const char *condition;
	json_t *counts;
	bool any = false;

	json_object_foreach(exceptions, condition, counts) {
		if (tg_cmd_int(counts, "drop") == 0)
			continue;
		printf("%s%s %lld",
		       any ? ", " : "  exceptions   dropped, as policy says: ", condition,
		       (long long)tg_cmd_int(counts, "drop"));
		any = true;
	}
	if (any)
		printf("\n");
}

static void print_frames(json_t *s)
{
	json_t *reason;
	size_t i;

	if (tg_cmd_int(s, "rx_packets") == 0)
		return;
	printf("  frames by reason");
	json_array_foreach(json_object_get(s, "top_reasons"), i, reason)
		printf("%s %s %lld", i ? "," : "", tg_cmd_text(reason, "reason"),
		       (long long)tg_cmd_int(reason, "frames"));
	printf("\n  latency      p50 %.1f us, p99 %.1f us\n",
	       (double)tg_cmd_int(s, "latency_p50_ns") / 1e3,
	       (double)tg_cmd_int(s, "latency_p99_ns") / 1e3);
}

static void print_stats(json_t *s)
{
	json_t *modes = json_object_get(s, "actions");
	json_t *actions, *value;
	const char *mode, *action;

	if (!json_is_object(s)) {
		printf("  no figures: the dataplane did not answer in time\n");
		return;
	}
	printf("  packets      %lld in, %lld out, %lld dropped on transmit\n",
	       (long long)tg_cmd_int(s, "rx_packets"), (long long)tg_cmd_int(s, "tx_packets"),
	       (long long)tg_cmd_int(s, "tx_dropped"));
	printf("  calls        %lld judged, %lld came again, %lld answers sent, %lld messages "
	       "changed\n",
	       (long long)tg_cmd_int(s, "judged"), (long long)tg_cmd_int(s, "verdicts_repeated"),
	       (long long)tg_cmd_int(s, "answers_sent"), (long long)tg_cmd_int(s, "frames_edited"));
	json_object_foreach(modes, mode, actions) {
		bool any = false;

		json_object_foreach(actions, action, value) {
			if (json_integer_value(value) == 0)
				continue;
			if (any)
				printf(",");
			else
				printf("  %-12s", mode);
			printf(" %s %lld", action, (long long)json_integer_value(value));
			any = true;
		}
		if (any)
			printf("\n");
	}
	print_coverage(json_object_get(s, "coverage"));
	print_exceptions(json_object_get(s, "exceptions"));
	print_frames(s);
	if (tg_cmd_int(s, "events_dropped") > 0)
		printf("  events       %lld dropped: the log is slower than the calls\n",
		       (long long)tg_cmd_int(s, "events_dropped"));
}

static void print_table(json_t *t, json_t *p)
{
	printf("table          %lld entries (%lld numbers, %lld ranges, %lld short codes)\n",
	       (long long)tg_cmd_int(t, "entries"), (long long)tg_cmd_int(t, "numbers"),
	       (long long)tg_cmd_int(t, "ranges"), (long long)tg_cmd_int(t, "short_codes"));
	if (json_is_integer(json_object_get(t, "generation")))
		printf("  generation   %lld, %s, base %s, %lld numbers in the delta%s\n",
		       (long long)tg_cmd_int(t, "generation"),
		       json_is_true(json_object_get(t, "in_force")) ? "in force" : "not in force",
		       tg_cmd_text(t, "base"), (long long)tg_cmd_int(t, "delta_entries"),
		       json_is_true(json_object_get(t, "building")) ? ", a new base is being built"
								    : "");
	if (json_is_integer(json_object_get(t, "pinned")))
		printf("  pinned       to generation %lld until `tgctl table activate latest`\n",
		       (long long)tg_cmd_int(t, "pinned"));
	if (json_is_object(p))
		printf("  published    %s, acknowledged after %.2f ms, swapped in %.1f us\n",
		       tg_cmd_text(p, "time"), (double)tg_cmd_int(p, "acknowledged_ns") / 1e6,
		       (double)tg_cmd_int(p, "swap_ns") / 1e3);
}

static void print_status(json_t *r)
{
	json_t *daemon = json_object_get(r, "daemon"), *dp = json_object_get(r, "dataplane");
	json_t *ledger = json_object_get(r, "ledger"), *xdp = json_object_get(r, "xdp"), *alarm;
	size_t i;

	printf("daemon         pid %lld, up %lld s, state in %s\n",
	       (long long)tg_cmd_int(daemon, "pid"),
	       (long long)tg_cmd_int(daemon, "uptime_ms") / 1000, tg_cmd_text(daemon, "state"));
	print_table(json_object_get(r, "table"), json_object_get(r, "publication"));
	printf("ledger         batch %lld (%lld in SQLite), %lld claim%s of %lld source%s, "
	       "next expiry %s\n",
	       (long long)tg_cmd_int(ledger, "batch"),
	       (long long)tg_cmd_int(ledger, "indexed_batch"),
	       (long long)tg_cmd_int(ledger, "claims"), tg_cmd_s(tg_cmd_int(ledger, "claims")),
	       (long long)tg_cmd_int(ledger, "sources"), tg_cmd_s(tg_cmd_int(ledger, "sources")),
	       tg_cmd_text(ledger, "next_expiry"));
	printf("  chain head   %s\n", tg_cmd_text(ledger, "chain_head"));
	if (json_is_true(json_object_get(dp, "connected"))) {
		printf("dataplane      pid %lld, generation %lld, %lld worker%s, %lld ports\n",
		       (long long)tg_cmd_int(dp, "pid"), (long long)tg_cmd_int(dp, "generation"),
		       (long long)tg_cmd_int(dp, "workers"), tg_cmd_s(tg_cmd_int(dp, "workers")),
		       (long long)tg_cmd_int(dp, "ports"));
		print_stats(json_object_get(dp, "stats"));
	} else {
		printf("dataplane      not connected\n");
	}
	if (json_is_object(xdp))
		tg_cmd_print_xdp(xdp);
	json_array_foreach(json_object_get(r, "alarms"), i, alarm)
		printf("ALARM          %s%s%s\n", tg_cmd_text(alarm, "text"),
		       *tg_cmd_text(alarm, "detail") ? ": " : "", tg_cmd_text(alarm, "detail"));
}

int tg_cmd_status(const struct tg_cmd_env *env, int argc, char **argv)
{
	if (argc > 1)
		return tg_cmd_usage(env, "%s: no such argument", argv[1]);
	return tg_cmd_call(env, &(struct tg_cmd_call){ .request = tg_cmd_request("status"),
						       .fd = -1,
						       .print = print_status });
}

/* ---- for Prometheus ------------------------------------------------------------------------------ */

static void print_metric(const char *name, const char *type, const char *help)
{
	printf("# HELP tollgate_%s %s\n# TYPE tollgate_%s %s\n", name, help, name, type);
}

static void print_exception_metrics(json_t *exceptions)
{
	const char *condition, *policy;
	json_t *counts, *value;

	print_metric("exception_policy_total", "counter",
		     "frames that could not be read or judged as policy says, by what was done");
	json_object_foreach(exceptions, condition, counts)
		json_object_foreach(counts, policy, value)
			printf("tollgate_exception_policy_total{condition=\"%s\",policy=\"%s\"} "
			       "%lld\n",
			       condition, policy, (long long)json_integer_value(value));
}

static void print_metrics(json_t *r)
{
	json_t *dp = json_object_get(r, "dataplane"), *stats = json_object_get(dp, "stats");
	json_t *c = json_object_get(stats, "coverage"), *value;
	const char *name;

	print_metric("dataplane_connected", "gauge", "1 while the daemon reaches the dataplane");
	printf("tollgate_dataplane_connected %d\n", json_is_true(json_object_get(dp, "connected")));
	if (!json_is_object(c))
		return;
	print_metric("call_attempts_total", "counter", "judged, each call once");
	printf("tollgate_call_attempts_total %lld\n", (long long)tg_cmd_int(c, "judged"));
	print_metric("uninspected_total", "counter",
		     "frames with what may have been a call and passed uninspected");
	json_object_foreach(json_object_get(c, "reasons"), name, value)
		printf("tollgate_uninspected_total{reason=\"%s\"} %lld\n", name,
		       (long long)json_integer_value(value));
	print_metric("uninspected_bodies_total", "counter",
		     "bodies that were not read, of calls judged by their header");
	json_object_foreach(json_object_get(c, "bodies"), name, value)
		printf("tollgate_uninspected_bodies_total{kind=\"%s\"} %lld\n", name,
		       (long long)json_integer_value(value));
	print_exception_metrics(json_object_get(stats, "exceptions"));
}

int tg_cmd_metrics(const struct tg_cmd_env *env, int argc, char **argv)
{
	if (argc > 1)
		return tg_cmd_usage(env, "%s: no such argument", argv[1]);
	return tg_cmd_call(env, &(struct tg_cmd_call){ .request = tg_cmd_request("status"),
						       .fd = -1,
						       .print = print_metrics });
}
