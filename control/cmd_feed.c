/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control/cmd.h"

static void show_progress(void *ctx, json_t *p)
{
	const json_int_t done = tg_cmd_int(p, "done"), total = tg_cmd_int(p, "total");
	static bool shown;

	(void)ctx;
	if (!p && !shown)
		return;
	shown = p != NULL;
	if (!p)
		fprintf(stderr, "\r%26s\r", ""); /* what comes has the line to itself */
	else if (total > 0)
		fprintf(stderr, "\r%-10s %3d %%      ", tg_cmd_text(p, "phase"),
			(int)(100.0 * (double)done / (double)total));
	else
		fprintf(stderr, "\r%-10s %lld      ", tg_cmd_text(p, "phase"), (long long)done);
	fflush(stderr);
}

static void print_import(json_t *r)
{
	printf("batch %lld of %s: %lld records, %lld added, %lld changed, %lld removed\n",
	       (long long)tg_cmd_int(r, "batch"), tg_cmd_text(r, "source"),
	       (long long)tg_cmd_int(r, "records"), (long long)tg_cmd_int(r, "added"),
	       (long long)tg_cmd_int(r, "changed"), (long long)tg_cmd_int(r, "removed"));
	tg_cmd_print_effect(r);
}

struct import_options {
	const char *source;
	bool add;
	bool force;
	bool progress;
};

static bool parse_import(int argc, char **argv, struct import_options *o)
{
	static const struct option options[] = {
		{ "source", required_argument, NULL, 's' },
		{ "add", no_argument, NULL, 'a' },
		{ "force", no_argument, NULL, 'f' },
		{ "progress", no_argument, NULL, 'p' },
		{ NULL, 0, NULL, 0 },
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 's':
			o->source = optarg;
			break;
		case 'a':
			o->add = true;
			break;
		case 'f':
			o->force = true;
			break;
		case 'p':
			o->progress = true;
			break;
		default:
			return false;
		}
	}
	return true;
}

static int import_fd(const struct tg_cmd_env *env, const struct import_options *o, const char *file,
		     int fd)
{
	const bool progress = o->progress || isatty(STDERR_FILENO);
	json_t *request = tg_cmd_request("import");
	int rc;

	tg_cmd_add(request, "source", o->source);
	tg_cmd_add(request, "file", file);
	tg_cmd_add(request, "mode", o->add ? "add" : "replace");
	json_object_set_new(request, "force", json_boolean(o->force));
	rc = tg_cmd_call(env, &(struct tg_cmd_call){ .request = request,
						     .fd = fd,
						     .progress = progress ? show_progress : NULL,
						     .print = print_import });
	return rc;
}

int tg_cmd_feed_import(const struct tg_cmd_env *env, int argc, char **argv)
{
	struct import_options o = { .source = NULL };
	struct tg_error err;
	const char *file;
	int fd, rc;

	if (!parse_import(argc, argv, &o))
		return tg_cmd_usage(env, "bad option");
	if (argc - optind != 1)
		return tg_cmd_usage(env, "one FILE, or - for standard input");
	if (!o.source)
		return tg_cmd_usage(env, "--source NAME is needed");
	file = argv[optind];
	if (strcmp(file, "-") == 0)
		return import_fd(env, &o, "stdin", STDIN_FILENO);
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		tg_error_set(&err, -errno, "cannot open %s: %s", file, strerror(errno));
		return tg_cmd_error(env, TG_EXIT_FILE, NULL, &err);
	}
	rc = import_fd(env, &o, file, fd);
	close(fd);
	return rc;
}

static void print_sources(json_t *r)
{
	json_t *s;
	size_t i;

	printf("%-20s %12s %8s  %s\n", "source", "claims", "batch", "time");
	json_array_foreach(json_object_get(r, "sources"), i, s)
		printf("%-20s %12lld %8lld  %s\n", tg_cmd_text(s, "source"),
		       (long long)tg_cmd_int(s, "claims"), (long long)tg_cmd_int(s, "batch"),
		       tg_cmd_text(s, "time"));
}

int tg_cmd_feed_list(const struct tg_cmd_env *env, int argc, char **argv)
{
	if (argc > 1)
		return tg_cmd_usage(env, "%s: no such argument", argv[1]);
	return tg_cmd_call(env, &(struct tg_cmd_call){ .request = tg_cmd_request("sources"),
						       .fd = -1,
						       .print = print_sources });
}
