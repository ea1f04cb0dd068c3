/* SPDX-License-Identifier: BSD-3-Clause */
/* policy check, load, show; replay. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/cmd.h"
#include "control/policy_file.h"
#include "control/replay.h"
#include "control/server.h"

/* 0 with *text malloc'd, or an exit code, the reason printed. */
static int read_policy(const struct tg_cmd_env *env, const char *file, char **text, size_t *len)
{
	struct tg_error err;

	*text = NULL;
	*len = 0;
	if (tg_policy_read_file(file, text, len, &err) != 0)
		return tg_cmd_error(env, TG_EXIT_FILE, file, &err);
	if (*len <= TG_SERVER_MAX_REQUEST / 2)
		return 0;
	/* Escaped, it has to fit into a request. */
	free(*text);
	*text = NULL;
	tg_error_set(&err, -EFBIG, "longer than %u bytes: that is no policy",
		     TG_SERVER_MAX_REQUEST / 2);
	return tg_cmd_error(env, TG_EXIT_INPUT, file, &err);
}

static int print_checked(const struct tg_cmd_env *env, const char *file, const void *image,
			 uint64_t length)
{
	struct tg_image_error why;
	struct tg_policy p;

	if (tg_policy_open(&p, image, length, &why) != 0) {
		struct tg_error err;

		tg_error_set(&err, -EINVAL, "compiled to an image that is not valid: %s",
			     tg_image_error_text(why.code));
		return tg_cmd_error(env, TG_EXIT_INPUT, file, &err);
	}
	if (env->json)
		printf("{\"policy\":\"%016" PRIx64
		       "\",\"trunks\":%u,\"rules\":%u,\"answers\":%u}\n",
		       p.header->id, p.n_trunks, p.n_rules, p.n_answers);
	else
		printf("%s: %u trunk%s (with the catch-all), %u rule%s, %u answer%s\n", file,
		       p.n_trunks, tg_cmd_s(p.n_trunks), p.n_rules, tg_cmd_s(p.n_rules),
		       p.n_answers, tg_cmd_s(p.n_answers));
	return TG_EXIT_OK;
}

int tg_cmd_policy_check(const struct tg_cmd_env *env, int argc, char **argv)
{
	struct tg_error err;
	uint64_t length;
	void *image;
	size_t len;
	char *text;
	int rc;

	if (argc != 2)
		return tg_cmd_usage(env, "one FILE");
	rc = read_policy(env, argv[1], &text, &len);
	if (rc != 0)
		return rc;
	rc = tg_policy_compile(text, len, &image, &length, &err);
	free(text);
	if (rc != 0)
		return tg_cmd_error(env, TG_EXIT_INPUT, argv[1], &err);
	rc = print_checked(env, argv[1], image, length);
	free(image);
	return rc;
}

static void print_loaded(json_t *r)
{
	printf("policy %s: ", tg_cmd_text(r, "policy"));
	tg_cmd_print_effect(r);
}

int tg_cmd_policy_load(const struct tg_cmd_env *env, int argc, char **argv)
{
	json_t *request, *value;
	struct tg_error err;
	size_t len;
	char *text;
	int rc;

	if (argc != 2)
		return tg_cmd_usage(env, "one FILE");
	rc = read_policy(env, argv[1], &text, &len);
	if (rc != 0)
		return rc;
	value = json_stringn(text, len);
	free(text);
	/* JSON ends a text at no byte, C does. */
	if (!value || strlen(json_string_value(value)) != len) {
		json_decref(value);
		tg_error_set(&err, -EILSEQ, "not UTF-8 text");
		return tg_cmd_error(env, TG_EXIT_INPUT, argv[1], &err);
	}
	request = tg_cmd_request("policy.load");
	json_object_set_new(request, "text", value);
	tg_cmd_add(request, "file", argv[1]);
	return tg_cmd_call(
		env, &(struct tg_cmd_call){ .request = request, .fd = -1, .print = print_loaded });
}

static void print_policy(json_t *r)
{
	fputs(tg_cmd_text(r, "text"), stdout);
	if (strcmp(tg_cmd_text(r, "policy"), tg_cmd_text(r, "in_force")) != 0)
		fprintf(stderr, "tgctl: policy %s is in force, not this one (%s)\n",
			tg_cmd_text(r, "in_force"), tg_cmd_text(r, "policy"));
}

int tg_cmd_policy_show(const struct tg_cmd_env *env, int argc, char **argv)
{
	if (argc > 1)
		return tg_cmd_usage(env, "%s: no such argument", argv[1]);
	return tg_cmd_call(env, &(struct tg_cmd_call){ .request = tg_cmd_request("policy.show"),
						       .fd = -1,
						       .print = print_policy });
}

int tg_cmd_replay(const struct tg_cmd_env *env, int argc, char **argv)
{
	char **args = calloc((size_t)argc + 2, sizeof(*args));
	static char json[] = "--json";
	int n = 0, i, rc;

	if (!args)
		return TG_EXIT_USAGE;
	args[n++] = argv[0];
	if (env->json) /* it stood in front of the command */
		args[n++] = json;
	for (i = 1; i < argc; i++)
		args[n++] = argv[i];
	rc = tg_replay_main(n, args);
	free(args);
	return rc;
}
