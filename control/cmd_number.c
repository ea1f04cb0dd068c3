/* SPDX-License-Identifier: BSD-3-Clause */
/* number add, del, lookup; explain. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "control/cmd.h"

/* Options are the request's members: --category C is "category": "C". */
static json_t *parse_members(const char *op, const struct option *options, int argc, char **argv)
{
	json_t *request = tg_cmd_request(op);
	int opt, index;

	while ((opt = getopt_long(argc, argv, "", options, &index)) != -1) {
		if (opt != 0) {
			json_decref(request);
			return NULL;
		}
		if (options[index].has_arg == no_argument)
			json_object_set_new(request, options[index].name, json_true());
		else
			tg_cmd_add(request, options[index].name, optarg);
	}
	return request;
}

static void print_change(json_t *r)
{
	printf("%s %s for %s: ", tg_cmd_text(r, "kind"), tg_cmd_text(r, "number"),
	       tg_cmd_text(r, "role"));
	tg_cmd_print_effect(r);
}

static int change_number(const struct tg_cmd_env *env, json_t *request, int argc, char **argv)
{
	if (!request)
		return tg_cmd_usage(env, "bad option");
	if (argc - optind != 1) {
		json_decref(request);
		return tg_cmd_usage(env, "one NUMBER");
	}
	tg_cmd_add(request, "number", argv[optind]);
	return tg_cmd_call(
		env, &(struct tg_cmd_call){ .request = request, .fd = -1, .print = print_change });
}

int tg_cmd_number_add(const struct tg_cmd_env *env, int argc, char **argv)
{
	static const struct option options[] = {
		{ "category", required_argument, NULL, 0 }, { "score", required_argument, NULL, 0 },
		{ "role", required_argument, NULL, 0 },	    { "kind", required_argument, NULL, 0 },
		{ "expires", required_argument, NULL, 0 },  { "ref", required_argument, NULL, 0 },
		{ "force", no_argument, NULL, 0 },	    { NULL, 0, NULL, 0 },
	};
	json_t *request = parse_members("add", options, argc, argv);

	if (request && !json_object_get(request, "category")) {
		json_decref(request);
		return tg_cmd_usage(env, "--category C is needed");
	}
	if (request && !json_object_get(request, "score")) {
		json_decref(request);
		return tg_cmd_usage(env, "--score N is needed");
	}
	return change_number(env, request, argc, argv);
}

int tg_cmd_number_del(const struct tg_cmd_env *env, int argc, char **argv)
{
	static const struct option options[] = {
		{ "role", required_argument, NULL, 0 },
		{ "kind", required_argument, NULL, 0 },
		{ NULL, 0, NULL, 0 },
	};

	return change_number(env, parse_members("del", options, argc, argv), argc, argv);
}

/* ---- lookup and explain -------------------------------------------------------------------------- */

static void print_side(const char *name, json_t *side)
{
	if (json_is_object(side))
		printf("  %s %s %lld%s", name, tg_cmd_text(side, "category"),
		       (long long)tg_cmd_int(side, "score"),
		       strcmp(tg_cmd_text(side, "by"), "range") == 0 ? " (prefix or range)" : "");
	else
		printf("  %s not listed", name);
}

static void print_listing(const char *title, json_t *listing)
{
	printf("  %-16s", title);
	if (json_is_object(listing)) {
		print_side("as caller", json_object_get(listing, "caller"));
		printf(",");
		print_side("as called", json_object_get(listing, "called"));
		printf("\n");
	} else {
		printf("  no table\n");
	}
}

static void print_claim(json_t *c)
{
	json_t *decides = json_object_get(c, "decides"), *side;
	size_t i;

	printf("  %-16s %s %s %s: %s %lld, batch %lld", tg_cmd_text(c, "source"),
	       tg_cmd_text(c, "kind"), tg_cmd_text(c, "number"), tg_cmd_text(c, "role"),
	       tg_cmd_text(c, "category"), (long long)tg_cmd_int(c, "score"),
	       (long long)tg_cmd_int(c, "batch"));
	if (json_is_string(json_object_get(c, "expires")))
		printf(", %s %s", json_is_true(json_object_get(c, "expired")) ? "expired" : "until",
		       tg_cmd_text(c, "expires"));
	if (*tg_cmd_text(c, "ref"))
		printf(", ref %s", tg_cmd_text(c, "ref"));
	json_array_foreach(decides, i, side)
		printf("%s%s", i ? ", " : "   <- decides as ", json_string_value(side));
	printf("\n");
}

static void print_number(json_t *r)
{
	json_t *claim, *claims = json_object_get(r, "claims");
	size_t i;

	printf("%s\n", tg_cmd_text(r, "number"));
	json_array_foreach(claims, i, claim)
		print_claim(claim);
	if (json_array_size(claims) == 0)
		printf("  no source claims anything of it\n");
	print_listing("sources merged:", json_object_get(r, "merged"));
	print_listing("table in force:", json_object_get(r, "in_force"));
}

int tg_cmd_number_lookup(const struct tg_cmd_env *env, int argc, char **argv)
{
	json_t *request;

	if (argc != 2)
		return tg_cmd_usage(env, "one NUMBER");
	request = tg_cmd_request("lookup");
	tg_cmd_add(request, "number", argv[1]);
	return tg_cmd_call(
		env, &(struct tg_cmd_call){ .request = request, .fd = -1, .print = print_number });
}

/* What happens to an IAM. In shadow, what would. */
static void print_wire(json_t *wire)
{
	const char *level = tg_cmd_text(wire, "level"), *effect = tg_cmd_text(wire, "effect");
	const bool shadow = strcmp(level, "N0") == 0 && strcmp(effect, "none") != 0;

	printf("    on the wire: %s", shadow ? "nothing (N0); enforced: " : "");
	if (strcmp(effect, "sink") == 0)
		printf("the called number becomes %s", tg_cmd_text(wire, "called"));
	else if (strcmp(effect, "null") == 0)
		printf("the message becomes one that is discarded, as no sink has its form and "
		       "length");
	else if (strcmp(effect, "restrict") == 0)
		printf("the calling number's presentation becomes restricted");
	else
		printf("nothing: such a mark has no place in an IAM");
	if (shadow)
		printf("\n");
	else
		printf(" (%s)\n", level);
}

static void print_verdict(const char *what, json_t *v)
{
	const char *answer = json_string_value(json_object_get(v, "answer"));
	const char *rule = json_string_value(json_object_get(v, "rule"));
	const char *mark = json_string_value(json_object_get(v, "mark"));
	const char *shadow = json_string_value(json_object_get(v, "shadow_rule"));
	json_t *beyond = json_object_get(v, "beyond_limit");
	json_t *wire = json_object_get(v, "wire");

	printf("  %s: %s%s%s, reason %s, %s%s (trunk %s, %s)\n", what, tg_cmd_text(v, "verdict"),
	       answer || mark ? " with " : "",
	       answer ? answer
	       : mark ? mark
		      : "",
	       tg_cmd_text(v, "reason"), rule ? "rule " : "no rule matched", rule ? rule : "",
	       tg_cmd_text(v, "trunk"),
	       strcmp(tg_cmd_text(v, "mode"), "enforce") == 0 ? "enforced"
							      : "shadow: decided, not carried out");
	if (wire)
		print_wire(wire);
	if (shadow)
		printf("    rule %s, in shadow, would have come first\n", shadow);
	if (beyond)
		print_verdict("  beyond the limit", beyond);
}

static void print_explanation(json_t *r)
{
	json_t *number, *v = json_object_get(r, "verdicts"), *verdict;
	const char *what;
	size_t i;

	json_array_foreach(json_object_get(r, "numbers"), i, number)
		print_number(number);
	if (!json_is_object(v)) {
		printf("nothing is in force yet\n");
		return;
	}
	printf("policy and table of generation %lld\n", (long long)tg_cmd_int(r, "generation"));
	json_object_foreach(v, what, verdict)
		print_verdict(strcmp(what, "as_caller") == 0   ? "as caller"
			      : strcmp(what, "as_called") == 0 ? "as called"
							       : "this call",
			      verdict);
}

int tg_cmd_explain(const struct tg_cmd_env *env, int argc, char **argv)
{
	static const struct option options[] = {
		{ "from", required_argument, NULL, 0 },
		{ "to", required_argument, NULL, 0 },
		{ "trunk", required_argument, NULL, 0 },
		{ "attestation", required_argument, NULL, 0 },
		{ "verification", required_argument, NULL, 0 },
		{ "protocol", required_argument, NULL, 0 },
		{ "opc", required_argument, NULL, 0 },
		{ "dpc", required_argument, NULL, 0 },
		{ "network-appearance", required_argument, NULL, 0 },
		{ "nature-from", required_argument, NULL, 0 },
		{ "nature-to", required_argument, NULL, 0 },
		{ "presentation", required_argument, NULL, 0 },
		{ "screening", required_argument, NULL, 0 },
		{ "calling-category", required_argument, NULL, 0 },
		{ "redirecting-number", required_argument, NULL, 0 },
		{ "original-called-number", required_argument, NULL, 0 },
		{ "location-number", required_argument, NULL, 0 },
		{ "generic-number", required_argument, NULL, 0 },
		{ "called-party-number", required_argument, NULL, 0 },
		{ "calling-party-number", required_argument, NULL, 0 },
		{ NULL, 0, NULL, 0 },
	};
	json_t *request = parse_members("explain", options, argc, argv);
	const bool from = json_object_get(request, "from"), to = json_object_get(request, "to");
	const int n = request ? argc - optind : -1;

	if (n == 1 && !from && !to) {
		tg_cmd_add(request, "number", argv[optind]);
	} else if (n != 0 || !from || !to) {
		json_decref(request);
		return tg_cmd_usage(env, n < 0 ? "bad option"
					       : "either one NUMBER, or --from A and --to B");
	}
	return tg_cmd_call(env, &(struct tg_cmd_call){
					.request = request, .fd = -1, .print = print_explanation });
}
