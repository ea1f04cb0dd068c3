/* SPDX-License-Identifier: BSD-3-Clause */
/* The dataplane's event file: its last lines, and what is appended. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "control/client.h"
#include "control/cmd.h"

#define FOLLOW_MS 100

struct events_options {
	const char *file;
	bool follow;
	unsigned long lines;
};

static const char *text_or(json_t *j, const char *key, const char *fallback)
{
	const char *text = json_string_value(json_object_get(j, key));

	return text ? text : fallback;
}

static void print_event(const struct tg_cmd_env *env, const char *line, size_t len)
{
	json_t *e = env->json ? NULL : json_loadb(line, len, 0, NULL);

	if (!e) {
		fwrite(line, 1, len, stdout);
		return;
	}
	if (json_object_get(e, "event")) {
		printf("%s %-6s %s: %s, was %s\n", text_or(e, "time", "-"),
		       text_or(e, "event", "-"), text_or(e, "port", "-"), text_or(e, "state", "-"),
		       text_or(e, "was", "-"));
		json_decref(e);
		return;
	}
	printf("%s %-6s %s -> %s, %s, %s (%s, trunk %s, generation %lld)%s\n",
	       text_or(e, "time", "-"), text_or(e, "verdict", "-"), text_or(e, "caller", "nobody"),
	       text_or(e, "called", "nobody"), text_or(e, "reason", "-"),
	       text_or(e, "rule", "no rule"), text_or(e, "mode", "-"), text_or(e, "trunk", "-"),
	       (long long)tg_cmd_int(e, "generation"),
	       json_is_true(json_object_get(e, "repeated")) ? " again" : "");
	json_decref(e);
}

/* Whole lines up to the end of the file; of one that is being written the rest comes later. */
static void print_lines(const struct tg_cmd_env *env, FILE *f)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	clearerr(f);
	while ((n = getline(&line, &size, f)) > 0) {
		if (line[n - 1] != '\n') {
			fseeko(f, -(off_t)n, SEEK_CUR);
			break;
		}
		print_event(env, line, (size_t)n);
	}
	free(line);
	fflush(stdout);
}

/* To where the last n lines begin, in blocks from the end. */
static void seek_last(FILE *f, unsigned long n)
{
	char block[4096];
	off_t pos;

	if (fseeko(f, 0, SEEK_END) != 0)
		return; /* a pipe: from where it is */
	pos = ftello(f);
	while (pos > 0) {
		const size_t want = pos < (off_t)sizeof(block) ? (size_t)pos : sizeof(block);
		size_t i;

		pos -= (off_t)want;
		fseeko(f, pos, SEEK_SET);
		if (fread(block, 1, want, f) != want)
			break;
		for (i = want; i-- > 0;) {
			/* The newline in front of the first line that is wanted ends another one. */
			if (block[i] == '\n' && n-- == 0) {
				fseeko(f, pos + (off_t)i + 1, SEEK_SET);
				return;
			}
		}
	}
	rewind(f);
}

/* A log that was rotated away, or cut off, goes on from its beginning. */
static FILE *reopen_rotated(FILE *f, const char *file)
{
	struct stat open_one, named;
	FILE *other;

	if (fstat(fileno(f), &open_one) != 0 || stat(file, &named) != 0)
		return f;
	if (open_one.st_ino == named.st_ino && open_one.st_dev == named.st_dev) {
		if (S_ISREG(named.st_mode) && ftello(f) > named.st_size)
			rewind(f);
		return f;
	}
	other = fopen(file, "re");
	if (!other)
		return f;
	fclose(f);
	return other;
}

static int show(const struct tg_cmd_env *env, const struct events_options *o)
{
	const struct timespec pause = { 0, FOLLOW_MS * 1000000 };
	FILE *f = fopen(o->file, "re");
	struct tg_error err;

	if (!f) {
		tg_error_set(&err, -errno, "cannot open %s: %s", o->file, strerror(errno));
		return tg_cmd_error(env, TG_EXIT_FILE, NULL, &err);
	}
	seek_last(f, o->lines);
	print_lines(env, f);
	while (o->follow && !ferror(stdout)) {
		nanosleep(&pause, NULL);
		f = reopen_rotated(f, o->file);
		print_lines(env, f);
	}
	fclose(f);
	return TG_EXIT_OK;
}

/* The daemon knows where tollgate-dp writes. malloc'd, or NULL with the exit code. */
static char *ask_for_file(const struct tg_cmd_env *env, int *rc)
{
	const struct tg_client_call call = { .socket = env->socket,
					     .request = tg_cmd_request("status"),
					     .fd = -1 };
	struct tg_client_error error;
	json_t *result = NULL;
	const char *file;
	char *copy = NULL;

	*rc = (int)tg_client_call(&call, &result, &error);
	if (*rc != 0) {
		*rc = tg_cmd_error(env, (enum tg_exit) * rc, error.file, &error.err);
		return NULL;
	}
	file = json_string_value(json_object_get(json_object_get(result, "daemon"), "events"));
	if (file)
		copy = strdup(file);
	json_decref(result);
	if (!copy)
		*rc = tg_cmd_usage(env, "the daemon was not told where events are; --file F");
	return copy;
}

static bool parse(int argc, char **argv, struct events_options *o)
{
	static const struct option options[] = {
		{ "follow", no_argument, NULL, 'f' },
		{ "lines", required_argument, NULL, 'n' },
		{ "file", required_argument, NULL, 'F' },
		{ NULL, 0, NULL, 0 },
	};
	char *end;
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 'f':
			o->follow = true;
			break;
		case 'n':
			o->lines = strtoul(optarg, &end, 10);
			if (*optarg < '0' || *optarg > '9' || *end)
				return false;
			break;
		case 'F':
			o->file = optarg;
			break;
		default:
			return false;
		}
	}
	return optind == argc;
}

int tg_cmd_events(const struct tg_cmd_env *env, int argc, char **argv)
{
	struct events_options o = { .lines = 10 };
	char *asked = NULL;
	int rc = 0;

	if (!parse(argc, argv, &o))
		return tg_cmd_usage(env, "bad option or argument");
	if (!o.file) {
		asked = ask_for_file(env, &rc);
		if (!asked)
			return rc;
		o.file = asked;
	}
	rc = show(env, &o);
	free(asked);
	return rc;
}
