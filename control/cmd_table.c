/* SPDX-License-Identifier: BSD-3-Clause */
/* table list, rollback, activate, verify, index. */
#include <stdio.h>

#include "control/cmd.h"

static int call(const struct tg_cmd_env *env, json_t *request, void (*print)(json_t *result))
{
	return tg_cmd_call(env,
			   &(struct tg_cmd_call){ .request = request, .fd = -1, .print = print });
}

static void print_list(json_t *r)
{
	json_t *g;
	size_t i;

	printf("%10s %6s  %-20s %-16s %-16s %-16s %10s\n", "generation", "first", "time", "base",
	       "delta", "policy", "entries");
	json_array_foreach(json_object_get(r, "generations"), i, g)
		printf("%10lld %6lld  %-20s %-16s %-16s %-16s %10lld%s\n",
		       (long long)tg_cmd_int(g, "generation"), (long long)tg_cmd_int(g, "first"),
		       tg_cmd_text(g, "time"), tg_cmd_text(g, "base"), tg_cmd_text(g, "delta"),
		       tg_cmd_text(g, "policy"), (long long)tg_cmd_int(g, "entries"),
		       json_is_true(json_object_get(g, "in_force")) ? "  in force" : "");
	if (json_is_integer(json_object_get(r, "pinned")))
		printf("pinned to generation %lld until `tgctl table activate latest`\n",
		       (long long)tg_cmd_int(r, "pinned"));
}

int tg_cmd_table_list(const struct tg_cmd_env *env, int argc, char **argv)
{
	if (argc > 1)
		return tg_cmd_usage(env, "%s: no such argument", argv[1]);
	return call(env, tg_cmd_request("table.list"), print_list);
}

static void print_activation(json_t *r)
{
	if (json_is_integer(json_object_get(r, "activated")))
		printf("images of generation %lld instead of generation %lld: ",
		       (long long)tg_cmd_int(r, "activated"),
		       (long long)tg_cmd_int(r, "instead_of"));
	else
		printf("what the ledger says now: ");
	tg_cmd_print_effect(r);
	if (json_is_true(json_object_get(r, "pinned")))
		printf("the ledger is unchanged; pinned until `tgctl table activate latest`\n");
}

int tg_cmd_table_rollback(const struct tg_cmd_env *env, int argc, char **argv)
{
	if (argc > 1)
		return tg_cmd_usage(env, "%s: no such argument", argv[1]);
	return call(env, tg_cmd_request("table.rollback"), print_activation);
}

int tg_cmd_table_activate(const struct tg_cmd_env *env, int argc, char **argv)
{
	json_t *request;

	if (argc != 2)
		return tg_cmd_usage(env, "\"latest\" or one GENERATION");
	request = tg_cmd_request("table.activate");
	tg_cmd_add(request, "generation", argv[1]);
	return call(env, request, print_activation);
}

static void print_verified(json_t *r)
{
	printf("%lld batches, %lld generations on disk: all hashes hold; chain head %s\n",
	       (long long)tg_cmd_int(r, "batches"), (long long)tg_cmd_int(r, "generations"),
	       tg_cmd_text(r, "chain_head"));
}

int tg_cmd_table_verify(const struct tg_cmd_env *env, int argc, char **argv)
{
	if (argc > 1)
		return tg_cmd_usage(env, "%s: no such argument", argv[1]);
	return call(env, tg_cmd_request("verify"), print_verified);
}

static void print_indexed(json_t *r)
{
	printf("SQLite knows batch %lld of %lld\n", (long long)tg_cmd_int(r, "indexed_batch"),
	       (long long)tg_cmd_int(r, "batch"));
}

int tg_cmd_table_index(const struct tg_cmd_env *env, int argc, char **argv)
{
	if (argc > 1)
		return tg_cmd_usage(env, "%s: no such argument", argv[1]);
	return call(env, tg_cmd_request("index"), print_indexed);
}
