/* SPDX-License-Identifier: BSD-3-Clause */
#include "perf/doc.h"

#include <libgen.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

volatile uint64_t bench_sink;

void doc_give_up(const char *what, const char *why)
{
	fprintf(stderr, "fatal: %s: %s\n", what, why);
	exit(1);
}

static void pin(void)
{
	const char *asked = getenv("TG_BENCH_CORE");
	const long last = sysconf(_SC_NPROCESSORS_ONLN) - 1;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(asked ? (size_t)atoi(asked) : (size_t)last, &set);
	if (sched_setaffinity(0, sizeof(set), &set) != 0)
		perror("sched_setaffinity");
}

void doc_open(struct doc *doc, const char *program, const char *name)
{
	*doc = (struct doc){ program, name, json_array(), json_array() };
	pin();
}

void doc_row(struct doc *doc, json_t *row)
{
	json_array_append_new(doc->rows, row);
}

void doc_mark(struct doc *doc, enum doc_sense sense, double limit, double got, const char *fmt, ...)
{
	const bool met = sense == DOC_AT_MOST ? got <= limit : got >= limit;
	char mark[160];
	va_list args;

	va_start(args, fmt);
	vsnprintf(mark, sizeof(mark), fmt, args);
	va_end(args);
	json_array_append_new(doc->marks,
			      json_pack("{s:s,s:f,s:f,s:s,s:b}", "mark", mark, "limit", limit,
					"got", got, "sense",
					sense == DOC_AT_MOST ? "at most" : "at least", "met", met));
}

json_t *doc_spread(const struct bench_case *c)
{
	double least = c->ns[0], most = c->ns[0];
	unsigned i;

	for (i = 1; i < BENCH_RUNS; i++) {
		least = c->ns[i] < least ? c->ns[i] : least;
		most = c->ns[i] > most ? c->ns[i] : most;
	}
	return json_pack("{s:f,s:f,s:f}", "median", bench_ns(c), "min", least, "max", most);
}

/* ---- the machine --------------------------------------------------------------------------------- */

/* The rest of the first line of a file that begins with `key` and a colon; "" if there is none. */
static void find_line(const char *path, const char *key, char *out, size_t size)
{
	FILE *f = fopen(path, "re");
	char line[512];

	out[0] = 0;
	while (f && fgets(line, sizeof(line), f)) {
		const char *colon = strchr(line, ':');

		if (*key && (!colon || strncmp(line, key, strlen(key)) != 0))
			continue;
		if ((size_t)snprintf(out, size, "%s",
				     *key ? colon + 1 + strspn(colon + 1, " \t") : line) >= size)
			out[size - 1] = 0;
		out[strcspn(out, "\n")] = 0;
		break;
	}
	if (f)
		fclose(f);
}

static json_t *machine(void)
{
	char model[128], huge[64], memory[64], governor[64], caches[3][64], line[64];
	struct utsname os;
	double load = 0;
	unsigned i;

	uname(&os);
	find_line("/proc/cpuinfo", "model name", model, sizeof(model));
	find_line("/proc/meminfo", "MemTotal", memory, sizeof(memory));
	find_line("/proc/meminfo", "HugePages_Total", huge, sizeof(huge));
	find_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "", governor,
		  sizeof(governor));
	for (i = 0; i < 3; i++) {
		static const unsigned index[3] = { 0, 2, 3 };

		snprintf(line, sizeof(line), "/sys/devices/system/cpu/cpu0/cache/index%u/size",
			 index[i]);
		find_line(line, "", caches[i], sizeof(caches[i]));
	}
	(void)getloadavg(&load, 1);
	return json_pack("{s:s,s:i,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:f,s:s}", "cpu", model, "cores",
			 (int)sysconf(_SC_NPROCESSORS_ONLN), "l1d", caches[0], "l2", caches[1],
			 "l3", caches[2], "memory", memory, "huge_pages_2M", huge, "kernel",
			 os.release, "governor", governor[0] ? governor : "none (virtual)",
			 "load_average", load, "compiler", __VERSION__);
}

/* ---- the file ------------------------------------------------------------------------------------ */

static void print_marks(const json_t *marks)
{
	const json_t *m;
	size_t i;

	json_array_foreach(marks, i, m)
		printf("%-7s %-78s %s %5.2f  got %6.2f\n",
		       json_is_true(json_object_get(m, "met")) ? "met" : "MISSED",
		       json_string_value(json_object_get(m, "mark")),
		       json_string_value(json_object_get(m, "sense")),
		       json_real_value(json_object_get(m, "limit")),
		       json_real_value(json_object_get(m, "got")));
}

int doc_close(struct doc *doc, const char *about)
{
	json_t *root = json_pack("{s:s,s:o,s:s,s:i,s:O,s:O}", "name", doc->name, "machine",
				 machine(), "about", about, "runs", BENCH_RUNS, "rows", doc->rows,
				 "marks", doc->marks);
	char program[2048], path[4096];
	int rc = 0;

	snprintf(program, sizeof(program), "%s", doc->program);
	snprintf(path, sizeof(path), "%s/../bench", dirname(program));
	(void)mkdir(path, 0777); /* EEXIST is the usual case; the next line tells of others */
	snprintf(path + strlen(path), sizeof(path) - strlen(path), "/%s.json", doc->name);
	print_marks(doc->marks);
	if (!root || json_dump_file(root, path, JSON_INDENT(1) | JSON_REAL_PRECISION(5)) != 0) {
		perror(path);
		rc = 1;
	}
	json_decref(root);
	json_decref(doc->rows);
	json_decref(doc->marks);
	return rc;
}
