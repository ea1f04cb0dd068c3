/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tgctl's subcommands. To add one: a row in TG_CMDS (cmd.c) and a function in a cmd_*.c; what it
 * talks to in the daemon is an operation (ops.h).
 */
#ifndef TG_CONTROL_CMD_H
#define TG_CONTROL_CMD_H

#include <jansson.h>

#include "control/error.h"
#include "control/exit.h"

struct tg_cmd_env {
	const char *socket;
	bool json;
	const struct tg_cmd *cmd;
};

struct tg_cmd {
	const char *name;						 /* one or two words */
	int (*run)(const struct tg_cmd_env *env, int argc, char **argv); /* argv[0] is the name */
	const char *usage; /* arguments after the name */
	const char *what;  /* one line */
	const char *help;  /* options and what they mean; may be empty */
	const char *examples;
};

/* The whole of tgctl; the exit code. */
int tg_cmd_main(int argc, char **argv);

/* "tgctl: NAME: what" and the usage line; TG_EXIT_USAGE. */
int tg_cmd_usage(const struct tg_cmd_env *env, const char *fmt, ...) TG_PRINTF(2, 3);

/* Prints an error as the caller wants it: text on standard error, or a JSON object on standard
 * output. Returns exit_code. `file` may be NULL. */
int tg_cmd_error(const struct tg_cmd_env *env, enum tg_exit exit_code, const char *file,
		 const struct tg_error *err);

/* {"op": op}, to which members are added. */
json_t *tg_cmd_request(const char *op);
/* Leaves out what is NULL. */
void tg_cmd_add(json_t *request, const char *key, const char *value);

/*
 * Calls the daemon. Prints errors; with --json prints the result, too. *result is a new reference, or
 * NULL. Returns the exit code: PENDING if the result says that it is not in force. `print` (may be
 * NULL) shows the result to a person.
 */
struct tg_cmd_call {
	json_t *request;			       /* taken over */
	int fd;					       /* or -1 */
	void (*progress)(void *ctx, json_t *progress); /* NULL, NULL when it is over */
	void (*print)(json_t *result);
};
int tg_cmd_call(const struct tg_cmd_env *env, const struct tg_cmd_call *call);

/* What makes "1 rule" two of them. */
static inline const char *tg_cmd_s(json_int_t n)
{
	return n == 1 ? "" : "s";
}

/* Members of results, for printing. */
json_int_t tg_cmd_int(json_t *j, const char *key);
const char *tg_cmd_text(json_t *j, const char *key); /* "-" when absent or null */
/* "in force as generation 12 after 1.9 ms (durable after 0.8 ms)", or why not. */
void tg_cmd_print_effect(json_t *result);

/* A steering set's status (tg_xdp_status_json) for a person. */
void tg_cmd_print_xdp(json_t *xdp);

#define TG_CMDS(X)                                                                                 \
	X(status)                                                                                  \
	X(metrics)                                                                                 \
	X(feed_import)                                                                             \
	X(feed_list)                                                                               \
	X(number_add)                                                                              \
	X(number_del)                                                                              \
	X(number_lookup)                                                                           \
	X(explain)                                                                                 \
	X(table_list)                                                                              \
	X(table_rollback)                                                                          \
	X(table_activate)                                                                          \
	X(table_verify)                                                                            \
	X(table_index)                                                                             \
	X(policy_check)                                                                            \
	X(policy_load)                                                                             \
	X(policy_show)                                                                             \
	X(xdp_attach)                                                                              \
	X(xdp_detach)                                                                              \
	X(xdp_status)                                                                              \
	X(xdp_rule)                                                                                \
	X(xdp_policy)                                                                              \
	X(xdp_limit)                                                                               \
	X(xdp_metrics)                                                                             \
	X(bypass)                                                                                  \
	X(replay)                                                                                  \
	X(events)                                                                                  \
	X(doctor)

#define X(sym) int tg_cmd_##sym(const struct tg_cmd_env *env, int argc, char **argv);
TG_CMDS(X)
#undef X

#endif
