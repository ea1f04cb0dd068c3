/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xdp attach, detach, status, rule, policy, limit, metrics; bypass. They work on the pinned maps, not
 * through the daemon: the bypass must be at hand when nothing else lives.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/cmd.h"
#include "control/xdp.h"

struct options {
	const char *set;
	const char *fail;
	const char *mode;
	const char *rules;
	const char *limit;
};

/* Takes the options that are allowed; the first argument that is none, or -1. */
static int parse(int argc, char **argv, const char *allowed, struct options *o)
{
	static const struct option options[] = {
		{ "set", required_argument, NULL, 's' },
		{ "fail", required_argument, NULL, 'f' },
		{ "mode", required_argument, NULL, 'm' },
		{ "rules", required_argument, NULL, 'r' },
		{ "limit", required_argument, NULL, 'l' },
		{ NULL, 0, NULL, 0 },
	};
	int opt;

	*o = (struct options){ .set = TG_STEER_SET_DIR };
	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == '?' || !strchr(allowed, opt))
			return -1;
		*(opt == 's'   ? &o->set
		  : opt == 'f' ? &o->fail
		  : opt == 'm' ? &o->mode
		  : opt == 'r' ? &o->rules
			       : &o->limit) = optarg;
	}
	return optind;
}

static int refuse(const struct tg_cmd_env *env, const struct tg_error *err)
{
	return tg_cmd_error(env, err->code == -EINVAL ? TG_EXIT_USAGE : TG_EXIT_REFUSED, NULL, err);
}

static int print_json(json_t *j)
{
	json_dumpf(j, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(j);
	return TG_EXIT_OK;
}

/* Index of a word, or -1. */
static int word_in(const char *word, const char *(*name)(unsigned), unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		if (strcmp(word, name(i)) == 0)
			return (int)i;
	}
	return -1;
}

/* Milliseconds; 0: none. */
static uint64_t parse_ms(const char *text)
{
	char *end;
	const unsigned long ms = strtoul(text, &end, 10);

	return *text < '0' || *text > '9' || *end || ms > TG_STEER_LIMIT_MAX_NS / 1000000
		       ? 0
		       : ms * 1000000ull;
}

/* malloc'd; NULL: said already. */
static char *read_file(const struct tg_cmd_env *env, const char *path)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	struct tg_error err;
	char *text = NULL;
	size_t size = 0;

	if (f && getdelim(&text, &size, 0, f) < 0 && !ferror(f)) {
		free(text);
		text = strdup("");
	}
	if (!f || ferror(f) || !text) {
		tg_error_set(&err, -errno, "cannot read %s: %s", path, strerror(errno));
		tg_cmd_error(env, TG_EXIT_FILE, NULL, &err);
		free(text);
		text = NULL;
	}
	if (f && f != stdin)
		fclose(f);
	return text;
}

/* Rules of a file, malloc'd. *rc: the exit code if NULL. */
static struct tg_xdp_rules *rules_of(const struct tg_cmd_env *env, const char *path, int *rc)
{
	struct tg_xdp_rules *rules = malloc(sizeof(*rules));
	char *text = rules ? read_file(env, path) : NULL;
	struct tg_error err;

	*rc = TG_EXIT_FILE;
	if (text && tg_xdp_rules_parse(rules, text, &err) == 0) {
		free(text);
		return rules;
	}
	if (text)
		*rc = tg_cmd_error(env, TG_EXIT_INPUT, path, &err);
	free(text);
	free(rules);
	return NULL;
}

/* ---- attach, detach ------------------------------------------------------------------------------ */

static int show_attached(const struct tg_cmd_env *env, const struct tg_xdp_attach *a,
			 const struct tg_xdp_attached *out)
{
	static const char *const how[] = { "attached", "was attached already",
					   "took the place of another version" };
	unsigned i;

	if (env->json)
		return print_json(json_pack(
			"{s:s, s:[s, s], s:[s, s], s:s, s:s}", "set", a->dir, "ports", a->ifname[0],
			a->ifname[1], "how", how[out->how[0]], how[out->how[1]], "mode",
			tg_xdp_mode_name(out->mode), "why_generic", out->why_generic));
	for (i = 0; i < 2; i++)
		printf("%s: %s, %s mode\n", a->ifname[i], how[out->how[i]],
		       tg_xdp_mode_name(out->mode));
	if (*out->why_generic)
		printf("not native: %s\n", out->why_generic);
	return TG_EXIT_OK;
}

static int set_limit(const struct options *o, uint64_t ns, struct tg_error *err)
{
	struct tg_xdp *xdp;
	int rc = tg_xdp_open(o->set, &xdp, err);

	if (rc == 0)
		rc = tg_xdp_set_limit(xdp, ns, err);
	tg_xdp_close(xdp);
	return rc;
}

int tg_cmd_xdp_attach(const struct tg_cmd_env *env, int argc, char **argv)
{
	static const char *const modes[] = { "best", "native", "generic" };
	struct tg_xdp_rules *rules = NULL;
	struct tg_xdp_attached out;
	struct tg_xdp_attach a;
	struct tg_error err;
	struct options o;
	uint64_t limit = 0;
	int i, policy = 0, rc;

	i = parse(argc, argv, "sfmrl", &o);
	if (i < 0 || argc - i != 2)
		return tg_cmd_usage(env, "two interfaces");
	a = (struct tg_xdp_attach){ .dir = o.set, .ifname = { argv[i], argv[i + 1] } };
	while (o.mode && a.mode <= TG_XDP_GENERIC && strcmp(o.mode, modes[a.mode]) != 0)
		a.mode++;
	if (a.mode > TG_XDP_GENERIC)
		return tg_cmd_usage(env, "--mode best, native or generic");
	if (o.fail && (policy = word_in(o.fail, tg_xdp_policy_name, 2)) < 0)
		return tg_cmd_usage(env, "--fail open or closed");
	a.has_policy = o.fail != NULL;
	a.policy = (enum tg_steer_policy)policy;
	if (o.limit && (limit = parse_ms(o.limit)) < TG_STEER_LIMIT_MIN_NS)
		return tg_cmd_usage(env, "--limit 5 to 10000 ms");
	if (o.rules && !(rules = rules_of(env, o.rules, &rc)))
		return rc;
	a.rules = rules;
	rc = tg_xdp_attach(&a, &out, &err);
	if (rc == 0 && limit)
		rc = set_limit(&o, limit, &err);
	free(rules);
	return rc == 0 ? show_attached(env, &a, &out) : refuse(env, &err);
}

int tg_cmd_xdp_detach(const struct tg_cmd_env *env, int argc, char **argv)
{
	struct tg_error err;
	struct options o;
	unsigned ports;
	int rc;

	if (parse(argc, argv, "s", &o) != argc)
		return tg_cmd_usage(env, "no arguments but --set");
	rc = tg_xdp_detach(o.set, &ports, &err);
	if (rc != 0 && rc != -ENOENT)
		return refuse(env, &err);
	if (env->json)
		return print_json(json_pack("{s:s, s:i}", "set", o.set, "detached", (int)ports));
	if (rc == -ENOENT)
		printf("%s\n", err.text);
	else
		printf("detached from %u ports; nothing forwards between them now but tollgate-dp, "
		       "once it is started again\n",
		       ports);
	return TG_EXIT_OK;
}

/* ---- status -------------------------------------------------------------------------------------- */

static int read_status(const char *set, struct tg_xdp_status *s, struct tg_error *err)
{
	struct tg_xdp *xdp;
	int rc = tg_xdp_open(set, &xdp, err);

	if (rc == 0)
		rc = tg_xdp_status(xdp, s, err);
	tg_xdp_close(xdp);
	return rc;
}

int tg_cmd_xdp_status(const struct tg_cmd_env *env, int argc, char **argv)
{
	struct tg_xdp_status s;
	struct tg_error err;
	struct options o;
	json_t *j;

	if (parse(argc, argv, "s", &o) != argc)
		return tg_cmd_usage(env, "no arguments but --set");
	if (read_status(o.set, &s, &err) != 0)
		return refuse(env, &err);
	j = tg_xdp_status_json(o.set, &s);
	if (env->json)
		return print_json(j);
	tg_cmd_print_xdp(j);
	json_decref(j);
	return TG_EXIT_OK;
}

static json_int_t packets(json_t *port, const char *outcome)
{
	return tg_cmd_int(json_object_get(port, "packets"), outcome);
}

static void print_beat(json_t *p)
{
	if (json_is_integer(json_object_get(p, "heartbeat_age_ns")))
		printf("heartbeat %.1f ms old (pid %lld, %lld queue%s%s)",
		       (double)tg_cmd_int(p, "heartbeat_age_ns") / 1e6,
		       (long long)tg_cmd_int(p, "pid"),
		       (long long)(tg_cmd_int(p, "queues_fresh") + tg_cmd_int(p, "queues_stale")),
		       tg_cmd_s(tg_cmd_int(p, "queues_fresh") + tg_cmd_int(p, "queues_stale")),
		       tg_cmd_int(p, "queues_stale") > 0 ? ", not all of them live" : "");
	else
		printf("no heartbeat%s",
		       json_is_true(json_object_get(p, "draining")) ? ", planned stop" : "");
}

void tg_cmd_print_xdp(json_t *x)
{
	json_t *p;
	size_t i;

	if (json_object_get(x, "error")) {
		printf("xdp            %s\n", tg_cmd_text(x, "error"));
		return;
	}
	printf("xdp            bypass %s, heartbeat limit %lld ms, %s\n", tg_cmd_text(x, "bypass"),
	       (long long)tg_cmd_int(x, "heartbeat_limit_ns") / 1000000, tg_cmd_text(x, "set"));
	json_array_foreach(json_object_get(x, "ports"), i, p) {
		printf("  %-12s %s; %s mode, program %lld, fail-%s; ", tg_cmd_text(p, "port"),
		       tg_cmd_text(p, "state"), tg_cmd_text(p, "mode"),
		       (long long)tg_cmd_int(p, "program"), tg_cmd_text(p, "fail"));
		print_beat(p);
		printf("\n  %-12s packets: %lld steered, %lld bypassed, %lld forwarded, %lld "
		       "dropped\n",
		       "", (long long)packets(p, "steered"),
		       (long long)(packets(p, "bypass_forced") + packets(p, "bypass_no_socket") +
				   packets(p, "bypass_stale")),
		       (long long)(packets(p, "forwarded") + packets(p, "exempt")),
		       (long long)(packets(p, "closed_no_socket") + packets(p, "closed_stale") +
				   packets(p, "no_peer")));
	}
}

static void print_metric(const char *name, const char *type, const char *help)
{
	printf("# HELP tollgate_%s %s\n# TYPE tollgate_%s %s\n", name, help, name, type);
}

/* Prometheus' text format; labels from small sets only. */
static void print_metrics(const struct tg_xdp_status *s)
{
	unsigned i, k;

	print_metric("bypass_state", "gauge", "1 for the state that a port's signalling is in");
	for (i = 0; i < s->n_ports; i++) {
		for (k = 0; k < TG_XDP_STATE_COUNT; k++)
			printf("tollgate_bypass_state{port=\"%s\",state=\"%s\"} %d\n",
			       s->ports[i].port.ifname, tg_xdp_state_name(k),
			       s->ports[i].state == k);
	}
	print_metric("heartbeat_age_seconds", "gauge", "age of the oldest heartbeat of a port");
	for (i = 0; i < s->n_ports; i++) {
		if (s->ports[i].fresh + s->ports[i].stale > 0)
			printf("tollgate_heartbeat_age_seconds{port=\"%s\"} %.6f\n",
			       s->ports[i].port.ifname, (double)s->ports[i].age_ns / 1e9);
	}
	print_metric("xdp_packets_total", "counter", "frames by where the XDP program sent them");
	for (i = 0; i < s->n_ports; i++) {
		for (k = 0; k < TG_STEER_OUTCOME_COUNT; k++)
			printf("tollgate_xdp_packets_total{port=\"%s\",outcome=\"%s\"} %" PRIu64
			       "\n",
			       s->ports[i].port.ifname, tg_xdp_outcome_name(k),
			       s->ports[i].outcome[k].packets);
	}
	print_metric("xdp_bytes_total", "counter", "their bytes");
	for (i = 0; i < s->n_ports; i++) {
		for (k = 0; k < TG_STEER_OUTCOME_COUNT; k++)
			printf("tollgate_xdp_bytes_total{port=\"%s\",outcome=\"%s\"} %" PRIu64 "\n",
			       s->ports[i].port.ifname, tg_xdp_outcome_name(k),
			       s->ports[i].outcome[k].bytes);
	}
}

int tg_cmd_xdp_metrics(const struct tg_cmd_env *env, int argc, char **argv)
{
	struct tg_xdp_status s;
	struct tg_error err;
	struct options o;

	if (parse(argc, argv, "s", &o) != argc)
		return tg_cmd_usage(env, "no arguments but --set");
	if (read_status(o.set, &s, &err) != 0)
		return refuse(env, &err);
	print_metrics(&s);
	return TG_EXIT_OK;
}

/* ---- switches ------------------------------------------------------------------------------------ */

enum which {
	BYPASS,
	LIMIT,
	POLICY
};

struct change {
	enum which which;
	const char *ifname;
	uint64_t value;
};

static int change(const struct tg_cmd_env *env, const char *set, const struct change *c)
{
	struct tg_xdp *xdp;
	struct tg_error err;
	int rc = tg_xdp_open(set, &xdp, &err);

	if (rc == 0 && c->which == BYPASS)
		rc = tg_xdp_set_bypass(xdp, (enum tg_steer_bypass)c->value, &err);
	else if (rc == 0 && c->which == LIMIT)
		rc = tg_xdp_set_limit(xdp, c->value, &err);
	else if (rc == 0)
		rc = tg_xdp_set_policy(xdp, c->ifname, (enum tg_steer_policy)c->value, &err);
	tg_xdp_close(xdp);
	return rc == 0 ? TG_EXIT_OK : refuse(env, &err);
}

int tg_cmd_bypass(const struct tg_cmd_env *env, int argc, char **argv)
{
	static const char *const what[] = {
		"signalling goes to the dataplane while it lives",
		"all signalling passes unfiltered, until `tgctl bypass auto`",
		"signalling is never passed unfiltered: without a dataplane it is dropped",
	};
	struct options o;
	int i, bypass, rc;

	i = parse(argc, argv, "s", &o);
	bypass = i >= 0 && argc - i == 1
			 ? word_in(argv[i], tg_xdp_bypass_name, TG_STEER_BYPASS_COUNT)
			 : -1;
	if (bypass < 0)
		return tg_cmd_usage(env, "on, off or auto");
	rc = change(env, o.set, &(struct change){ BYPASS, NULL, (uint64_t)bypass });
	if (rc != TG_EXIT_OK)
		return rc;
	if (env->json)
		return print_json(
			json_pack("{s:s}", "bypass", tg_xdp_bypass_name((unsigned)bypass)));
	printf("bypass %s: %s\n", tg_xdp_bypass_name((unsigned)bypass), what[bypass]);
	return TG_EXIT_OK;
}

int tg_cmd_xdp_limit(const struct tg_cmd_env *env, int argc, char **argv)
{
	struct options o;
	const int i = parse(argc, argv, "s", &o);
	const uint64_t ns = i >= 0 && argc - i == 1 ? parse_ms(argv[i]) : 0;

	if (ns < TG_STEER_LIMIT_MIN_NS)
		return tg_cmd_usage(env, "5 to 10000 milliseconds");
	return change(env, o.set, &(struct change){ LIMIT, NULL, ns });
}

int tg_cmd_xdp_policy(const struct tg_cmd_env *env, int argc, char **argv)
{
	struct options o;
	const int i = parse(argc, argv, "s", &o);
	const int policy = i >= 0 && argc - i == 2 ? word_in(argv[i + 1], tg_xdp_policy_name, 2)
						   : -1;

	if (policy < 0)
		return tg_cmd_usage(env, "an interface, and open or closed");
	return change(env, o.set, &(struct change){ POLICY, argv[i], (uint64_t)policy });
}

/* ---- rules --------------------------------------------------------------------------------------- */

struct rule_change {
	enum tg_xdp_rule_op op;
	const char *line;		  /* or */
	const struct tg_xdp_rules *rules; /* all of them */
};

static int change_rules(void *ctx, struct tg_xdp_rules *r, struct tg_error *err)
{
	const struct rule_change *c = ctx;

	if (c->line)
		return tg_xdp_rules_apply(r, c->op, c->line, err);
	memcpy(r, c->rules, sizeof(*r));
	return 0;
}

static void print_rule(void *ctx, const char *text)
{
	(void)ctx;
	puts(text);
}

static void append_rule(void *ctx, const char *text)
{
	json_array_append_new(ctx, json_string(text));
}

static int list_rules(const struct tg_cmd_env *env, struct tg_xdp *xdp)
{
	struct tg_xdp_rules *r = malloc(sizeof(*r));
	struct tg_error err;
	json_t *array;
	int rc;

	rc = r ? tg_xdp_read_rules(xdp, r, &err) : tg_error_set(&err, -ENOMEM, "no memory");
	if (rc != 0) {
		rc = refuse(env, &err);
	} else if (env->json) {
		array = json_array();
		tg_xdp_rules_each(r, append_rule, array);
		rc = print_json(json_pack("{s:o}", "rules", array));
	} else {
		tg_xdp_rules_each(r, print_rule, NULL);
		rc = TG_EXIT_OK;
	}
	free(r);
	return rc;
}

/* The words of one rule, as a line. malloc'd. */
static char *join_words(int argc, char **argv)
{
	size_t size = 1;
	char *line;
	int i;

	for (i = 0; i < argc; i++)
		size += strlen(argv[i]) + 1;
	line = calloc(1, size);
	for (i = 0; line && i < argc; i++) {
		strncat(line, argv[i], size - strlen(line) - 1);
		strncat(line, " ", size - strlen(line) - 1);
	}
	return line;
}

static int edit_rules(const struct tg_cmd_env *env, struct tg_xdp *xdp, struct rule_change *c)
{
	struct tg_error err;
	const int rc = tg_xdp_change_rules(xdp, change_rules, c, &err);

	if (rc == 0)
		return env->json ? print_json(json_pack("{s:b}", "ok", 1)) : TG_EXIT_OK;
	return tg_cmd_error(env, err.column ? TG_EXIT_INPUT : TG_EXIT_REFUSED, NULL, &err);
}

int tg_cmd_xdp_rule(const struct tg_cmd_env *env, int argc, char **argv)
{
	struct rule_change c = { .op = TG_XDP_RULE_ADD };
	struct tg_xdp_rules *rules = NULL;
	struct tg_xdp *xdp = NULL;
	struct tg_error err;
	char *line = NULL;
	struct options o;
	int i, rc = 0;
	const char *verb;

	i = parse(argc, argv, "s", &o);
	verb = i >= 0 && i < argc ? argv[i++] : "";
	if (strcmp(verb, "del") == 0)
		c.op = TG_XDP_RULE_DEL;
	if (!((strcmp(verb, "list") == 0 && i == argc) ||
	      (strcmp(verb, "load") == 0 && argc - i == 1) ||
	      ((strcmp(verb, "add") == 0 || c.op == TG_XDP_RULE_DEL) && i < argc)))
		return tg_cmd_usage(env, "add RULE, del RULE, list, or load FILE");
	if (*verb == 'l' && i < argc) {
		rules = rules_of(env, argv[i], &rc);
		c.rules = rules;
		if (!rules)
			return rc;
	} else if (*verb != 'l') {
		line = join_words(argc - i, argv + i);
		c.line = line;
	}
	if (tg_xdp_open(o.set, &xdp, &err) != 0)
		rc = refuse(env, &err);
	else
		rc = c.line || c.rules ? edit_rules(env, xdp, &c) : list_rules(env, xdp);
	tg_xdp_close(xdp);
	free(line);
	free(rules);
	return rc;
}
