/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every test of the tree as one cmocka group: unit tests that registered themselves, the replay of
 * each fuzz target's corpus, and the system scripts. Ends with cmocka's summary and one line
 * "N passed, N failed, N skipped".
 *
 * A system script is an executable tests/system/test_*.sh; its line "# needs: root ..." says what it
 * needs, exit 77 means "skipped" with the last line of output as the reason.
 */
#include <fcntl.h>
#include <fnmatch.h>
#include <getopt.h>
#include <glob.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/tg_test.h"
#include "tollgate/cpu.h"

#define EXIT_SKIP 77
#define TEST_SECONDS 300 /* a test that hangs is a failure, not a build that never ends */
#define MAX_TESTS 2048

struct test_case {
	char name[128];
	void (*run)(void **state);
	unsigned needs;
	char command[384]; /* for programs and scripts */
	char log[384];
};

static struct tg_test *registered;
static struct test_case cases[MAX_TESTS];
static struct CMUnitTest tests[MAX_TESTS];
static const struct test_case *running;
static unsigned n_tests, n_passed, n_skipped;
static const char *build_dir = "build";
static const char *match;

void tg_test_register(struct tg_test *t)
{
	t->next = registered;
	registered = t;
}

const char *tg_test_build_dir(void)
{
	return build_dir;
}

static bool have_hugepages(void)
{
	return geteuid() == 0 && access("/proc/sys/vm/nr_hugepages", W_OK) == 0 &&
	       access("/sys/kernel/mm/hugepages/hugepages-2048kB", R_OK) == 0;
}

/* "return XDP_PASS", handed to the kernel: a container may have root and still be refused. */
static bool have_bpf(void)
{
	static const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_XDP,
				.insn_cnt = TG_ARRAY_LEN(pass),
				.insns = (uint64_t)(uintptr_t)pass,
				.license = (uint64_t)(uintptr_t) "BSD" };
	const long fd = syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));

	if (fd >= 0)
		close((int)fd);
	return fd >= 0;
}

static const char *missing_need(unsigned needs)
{
	if ((needs & TG_NEEDS_ROOT) && geteuid() != 0)
		return "root";
	if ((needs & TG_NEEDS_HUGEPAGES) && !have_hugepages())
		return "huge pages";
	if ((needs & TG_NEEDS_BPF) && !have_bpf())
		return "BPF";
	if ((needs & TG_NEEDS_CAPTURES) && !tg_test_captures())
		return "captures";
	if ((needs & TG_NEEDS_AVX2) && !tg_cpu_has_avx2())
		return "AVX2";
	return NULL;
}

void tg_test_skip(const char *why)
{
	n_skipped++;
	print_message("           %s skipped: %s\n", running->name, why);
	skip();
}

static void print_log_tail(const char *path)
{
	char command[512];

	print_message("---- last lines of %s\n", path);
	snprintf(command, sizeof(command), "tail -n 40 '%s'", path);
	fflush(stdout);
	if (system(command) != 0)
		print_message("(no log)\n");
}

static void last_line(const char *path, char *line, size_t size)
{
	char buf[256];
	FILE *f = fopen(path, "r");

	snprintf(line, size, "no reason given");
	while (f && fgets(buf, sizeof(buf), f)) {
		buf[strcspn(buf, "\n")] = 0;
		if (buf[0])
			snprintf(line, size, "%s", buf);
	}
	if (f)
		fclose(f);
}

/* A program or script as a test: 0 passes, 77 skips, anything else fails and shows its log. */
static void run_program(const struct test_case *c)
{
	char line[256];
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		const int fd = open(c->log, O_WRONLY | O_CREAT | O_TRUNC, 0644);

		if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
			_exit(126);
		setenv("TG_BUILD", build_dir, 1);
		execl("/bin/sh", "sh", "-c", c->command, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIP) {
		last_line(c->log, line, sizeof(line));
		tg_test_skip(line);
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		print_log_tail(c->log);
		fail_msg("%s: %s %d", c->name, WIFEXITED(status) ? "exit" : "signal",
			 WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	}
}

static void run_case(void **state)
{
	const struct test_case *c = *state;
	const char *missing = missing_need(c->needs);

	running = c;
	if (missing)
		tg_test_skip(missing);
	if (c->run) {
		void *none = NULL;

		alarm(TEST_SECONDS);
		c->run(&none);
		alarm(0);
	} else {
		run_program(c);
	}
	n_passed++;
}

/* A part of the name, in which * and ? stand for what they do in a shell. */
static bool matches(const char *name)
{
	char pattern[128];

	if (!match)
		return true;
	snprintf(pattern, sizeof(pattern), "*%s*", match);
	return fnmatch(pattern, name, 0) == 0;
}

static struct test_case *add_case(const char *name, unsigned needs)
{
	struct test_case *c = &cases[n_tests];

	if (!matches(name))
		return NULL;
	if (n_tests == MAX_TESTS) {
		fprintf(stderr, "more than %d tests\n", MAX_TESTS);
		exit(2);
	}
	snprintf(c->name, sizeof(c->name), "%s", name);
	c->needs = needs;
	tests[n_tests] =
		(struct CMUnitTest){ .name = c->name, .test_func = run_case, .initial_state = c };
	n_tests++;
	return c;
}

static void add_program(const char *kind, const char *path, const char *args, unsigned needs)
{
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	struct test_case *c;
	char name[128];

	snprintf(name, sizeof(name), "%s/%s", kind, base);
	c = add_case(name, needs);
	if (!c)
		return;
	snprintf(c->command, sizeof(c->command), "timeout -k 20 %d '%s' %s", TEST_SECONDS, path,
		 args);
	snprintf(c->log, sizeof(c->log), "%s/tests/logs/%s.log", build_dir, base);
}

static unsigned script_needs(const char *path)
{
	unsigned needs = 0;
	char line[256];
	FILE *f = fopen(path, "r");

	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, "# needs:", 8) != 0)
			continue;
		if (strstr(line, "root"))
			needs |= TG_NEEDS_ROOT;
		if (strstr(line, "hugepages"))
			needs |= TG_NEEDS_HUGEPAGES;
		if (strstr(line, "bpf"))
			needs |= TG_NEEDS_BPF;
		if (strstr(line, "captures"))
			needs |= TG_NEEDS_CAPTURES;
	}
	if (f)
		fclose(f);
	return needs;
}

static void add_globbed(const char *kind, const char *pattern)
{
	const bool fuzz = strcmp(kind, "fuzz") == 0;
	char args[256] = "";
	glob_t g;
	size_t i;

	if (glob(pattern, 0, NULL, &g) != 0)
		return;
	for (i = 0; i < g.gl_pathc; i++) {
		if (fuzz)
			snprintf(args, sizeof(args), "'tests/fuzz/corpus/%s'",
				 strstr(g.gl_pathv[i], "/replay_") + strlen("/replay_"));
		add_program(kind, g.gl_pathv[i], args, fuzz ? 0 : script_needs(g.gl_pathv[i]));
	}
	globfree(&g);
}

static int by_name(const void *a, const void *b)
{
	const struct tg_test *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static void add_registered(void)
{
	static struct tg_test *sorted[MAX_TESTS];
	struct tg_test *t;
	size_t n = 0, i;

	for (t = registered; t && n < MAX_TESTS; t = t->next)
		sorted[n++] = t;
	qsort(sorted, n, sizeof(*sorted), by_name);
	for (i = 0; i < n; i++) {
		struct test_case *c = add_case(sorted[i]->name, sorted[i]->needs);

		if (c)
			c->run = sorted[i]->run;
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "build", required_argument, NULL, 'b' },
		{ "match", required_argument, NULL, 'm' },
		{ "no-system", no_argument, NULL, 'n' },
		{ NULL, 0, NULL, 0 },
	};
	bool with_system = true;
	char path[384];
	int opt, failed;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 'b':
			build_dir = optarg;
			break;
		case 'm':
			match = optarg;
			break;
		case 'n':
			with_system = false;
			break;
		default:
			return 2;
		}
	}
	snprintf(path, sizeof(path), "%s/tests/logs", build_dir);
	if (mkdir(path, 0755) != 0 && access(path, W_OK) != 0) {
		perror(path);
		return 2;
	}
	add_registered();
	snprintf(path, sizeof(path), "%s/tests/replay_*", build_dir);
	add_globbed("fuzz", path);
	if (with_system)
		add_globbed("system", "tests/system/test_*.sh");

	if (n_tests == 0) {
		fprintf(stderr, "no test has \"%s\" in its name\n", match ? match : "");
		return 2;
	}
	failed = _cmocka_run_group_tests("tollgate", tests, n_tests, NULL, NULL);
	printf("%u passed, %u failed, %u skipped\n", n_passed, n_tests - n_passed - n_skipped,
	       n_skipped);
	return failed ? 1 : 0;
}
