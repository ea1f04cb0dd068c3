/* SPDX-License-Identifier: BSD-3-Clause */
/* What tgctl does without a daemon: dispatch, help, usage errors, offline commands, exit codes. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/cmd.h"
#include "control/policy_file.h"
#include "tests/support/tg_test.h"

struct output {
	int rc;
	char out[16384];
	char err[16384];
};

static int redirect(int fd, const char *path)
{
	const int saved = dup(fd);
	const int to = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(saved >= 0 && to >= 0);
	dup2(to, fd);
	close(to);
	return saved;
}

static void restore(int fd, int saved, const char *path, char *text, size_t size)
{
	FILE *f;
	size_t n;

	dup2(saved, fd);
	close(saved);
	f = fopen(path, "r");
	assert_non_null(f);
	n = fread(text, 1, size - 1, f);
	text[n] = 0;
	fclose(f);
	unlink(path);
}

/* Splits at spaces; runs tgctl's main in this process. */
static struct output tgctl(const char *line)
{
	static struct output o;
	char copy[512], out[64], err[64], *argv[32] = { NULL }, *save = NULL, *word;
	int argc = 0, out_fd, err_fd;

	snprintf(copy, sizeof(copy), "tgctl %s", line);
	for (word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	snprintf(out, sizeof(out), "/tmp/tg-ctl-out-%d", getpid());
	snprintf(err, sizeof(err), "/tmp/tg-ctl-err-%d", getpid());
	fflush(stdout);
	out_fd = redirect(1, out);
	err_fd = redirect(2, err);
	optind = 0; /* getopt anew */
	o.rc = tg_cmd_main(argc, argv);
	fflush(stdout);
	restore(2, err_fd, err, o.err, sizeof(o.err));
	restore(1, out_fd, out, o.out, sizeof(o.out));
	return o;
}

static const char *const all_commands[] = {
#define X(sym) #sym,
	TG_CMDS(X)
#undef X
};

TG_TEST(tgctl_every_command_has_help_with_examples, TG_NEEDS_NOTHING)
{
	char name[32], line[64];
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(all_commands); i++) {
		struct output o;
		char *space;

		snprintf(name, sizeof(name), "%s", all_commands[i]);
		space = strchr(name, '_');
		if (space)
			*space = ' ';
		snprintf(line, sizeof(line), "%s --help", name);
		o = tgctl(line);
		assert_int_equal(o.rc, TG_EXIT_OK);
		assert_non_null(strstr(o.out, "examples:\n  "));
		assert_non_null(strstr(o.out, name));
		assert_non_null(strstr(o.out, "Exit codes: 0 ok"));
		assert_non_null(strstr(tgctl("--help").out, name));
	}
}

TG_TEST(tgctl_usage_errors_are_2, TG_NEEDS_NOTHING)
{
	static const char *const bad[] = {
		"",
		"nonsense",
		"feed",
		"table nonsense",
		"feed import",
		"feed import a.csv",
		"feed import a.csv b.csv --source x",
		"feed import a.csv --source x --nonsense",
		"number add",
		"number add +12025550123",
		"number add +12025550123 --category fraud",
		"number del",
		"number lookup",
		"explain",
		"explain --from +12025550123",
		"explain +12025550123 --to +12025550124",
		"table activate",
		"table list extra",
		"policy check",
		"events --lines x --file /dev/null",
		"status --socket",
	};
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(bad); i++) {
		const struct output o = tgctl(bad[i]);

		if (o.rc != TG_EXIT_USAGE)
			fail_msg("tgctl %s: %d", bad[i], o.rc);
		assert_true(strlen(o.err) > 0);
	}
}

TG_TEST(tgctl_without_a_daemon_is_5, TG_NEEDS_NOTHING)
{
	static const char *const lines[] = {
		"--socket /nonexistent/s status",
		"status --socket=/nonexistent/s",
		"number add +12025550123 --category fraud --score 9 --socket /nonexistent/s",
		"table list --socket /nonexistent/s",
		"feed import /dev/null --source x --socket /nonexistent/s",
		"events --socket /nonexistent/s",
	};
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(lines); i++) {
		const struct output o = tgctl(lines[i]);

		assert_int_equal(o.rc, TG_EXIT_UNREACHABLE);
		assert_non_null(strstr(o.err, "/nonexistent/s"));
	}
}

TG_TEST(tgctl_json_errors_are_objects, TG_NEEDS_NOTHING)
{
	const struct output o = tgctl("status --json --socket /nonexistent/s");
	json_t *j = json_loads(o.out, 0, NULL);

	assert_non_null(j);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(j, "error"), "exit")),
			 TG_EXIT_UNREACHABLE);
	assert_string_equal(o.err, "");
	json_decref(j);
}

TG_TEST(tgctl_missing_files_are_4, TG_NEEDS_NOTHING)
{
	assert_int_equal(tgctl("feed import /nonexistent --source x").rc, TG_EXIT_FILE);
	assert_int_equal(tgctl("policy check /nonexistent").rc, TG_EXIT_FILE);
	assert_int_equal(tgctl("policy check /tmp").rc, TG_EXIT_FILE);
	assert_int_equal(tgctl("policy load /nonexistent").rc, TG_EXIT_FILE);
	assert_int_equal(tgctl("events --file /nonexistent").rc, TG_EXIT_FILE);
	/* ... and say why. */
	assert_non_null(strstr(tgctl("policy check /nonexistent").err, strerror(ENOENT)));
	assert_non_null(strstr(tgctl("policy check /tmp").err, strerror(EISDIR)));
}

static const char *write_file(const char *name, const char *text)
{
	static char path[96];
	FILE *f;

	snprintf(path, sizeof(path), "/tmp/tg-ctl-%d-%s", getpid(), name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	return path;
}

TG_TEST(tgctl_policy_check_is_offline_and_tells_where, TG_NEEDS_NOTHING)
{
	const char *path = write_file("p.yaml", tg_policy_default_text);
	struct output o;
	char line[128], *bad;
	json_t *j;

	snprintf(line, sizeof(line), "policy check %s", path);
	assert_int_equal(tgctl(line).rc, TG_EXIT_OK);
	snprintf(line, sizeof(line), "policy check %s --json", path);
	j = json_loads(tgctl(line).out, 0, NULL);
	assert_true(json_integer_value(json_object_get(j, "trunks")) >= 1);
	json_decref(j);

	bad = malloc(strlen(tg_policy_default_text) + 32);
	sprintf(bad, "%snonsense: [1, 2\n", tg_policy_default_text);
	write_file("p.yaml", bad);
	free(bad);
	o = tgctl(line);
	assert_int_equal(o.rc, TG_EXIT_INPUT);
	j = json_loads(o.out, 0, NULL);
	assert_true(json_integer_value(json_object_get(json_object_get(j, "error"), "line")) > 1);
	json_decref(j);
	snprintf(line, sizeof(line), "policy check %s", path);
	assert_non_null(strstr(tgctl(line).err, path)); /* FILE:LINE:COLUMN: */
	unlink(path);
}

TG_TEST(tgctl_events_shows_the_last_lines, TG_NEEDS_NOTHING)
{
	const char *path = write_file("e.json",
				      "{\"time\":\"2026-11-24T00:00:00.000001Z\",\"caller\":\"+1\","
				      "\"verdict\":\"pass\"}\n"
				      "{\"time\":\"2026-11-24T00:00:00.000002Z\",\"caller\":\"+2\","
				      "\"verdict\":\"reject\"}\n"
				      "not json\n"
				      "{\"time\":\"2026-11-24T00:00:00.00000"); /* being written */
	struct output o;
	char line[160];

	snprintf(line, sizeof(line), "events --file %s", path);
	o = tgctl(line);
	assert_int_equal(o.rc, TG_EXIT_OK);
	assert_non_null(strstr(o.out, "2026-11-24T00:00:00.000001Z pass   +1 -> nobody"));
	assert_non_null(strstr(o.out, "reject +2"));
	assert_non_null(strstr(o.out, "not json\n"));
	assert_null(strstr(o.out, "00.00000\n"));
	snprintf(line, sizeof(line), "events --json --lines 2 --file %s", path);
	o = tgctl(line);
	assert_true(strncmp(o.out, "{\"time\":\"2026-11-24T00:00:00.000002Z\"", 37) == 0);
	unlink(path);
}

TG_TEST(tgctl_doctor_has_its_own_exit_code, TG_NEEDS_NOTHING)
{
	struct output o;
	json_t *j;

	assert_int_equal(tgctl("doctor --bogus").rc, TG_EXIT_USAGE);
	assert_int_equal(tgctl("doctor --cores").rc, TG_EXIT_USAGE);
	o = tgctl("doctor lo");
	assert_int_equal(o.rc, TG_EXIT_USAGE);
	assert_non_null(strstr(o.err, "pairs"));
	o = tgctl("doctor --cores 0 nosuch0 nosuch1");
	assert_int_equal(o.rc, TG_EXIT_UNFIT);
	assert_non_null(strstr(o.out, "fail  port nosuch1, interface: No such device"));
	o = tgctl("doctor --json nosuch0 nosuch1");
	assert_int_equal(o.rc, TG_EXIT_UNFIT);
	j = json_loads(o.out, 0, NULL);
	assert_true(json_integer_value(json_object_get(j, "fail")) >= 2);
	json_decref(j);
}
