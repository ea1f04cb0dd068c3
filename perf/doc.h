/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a benchmark leaves behind: build/bench/NAME.json with the machine it ran on, its rows, and its
 * marks, each next to its limit. perf/report makes pages and pictures of these files.
 *
 *	{ "name", "machine": {...}, "about": "...", "rows": [...],
 *	  "marks": [{ "mark", "limit", "got", "sense": "at most"|"at least", "met" }] }
 */
#ifndef PERF_DOC_H
#define PERF_DOC_H

#include <jansson.h>

#include "perf/bench.h"

struct doc {
	const char *program; /* argv[0]: where build/ is */
	const char *name;
	json_t *rows;
	json_t *marks;
};

/* Pins the process to the core that TG_BENCH_CORE names, else to the last one, where timer ticks and
 * interrupts are fewest; so all that is compared runs on the same core. */
void doc_open(struct doc *doc, const char *program, const char *name);

/* Takes the reference. */
void doc_row(struct doc *doc, json_t *row);

enum doc_sense {
	DOC_AT_MOST,
	DOC_AT_LEAST,
};
void doc_mark(struct doc *doc, enum doc_sense sense, double limit, double got, const char *fmt, ...)
	TG_PRINTF(5, 6);

/* Writes the file and prints the marks; `about`: input, working set, what is compared with what. The
 * program's exit code: 0, or 1 if it cannot be written. A missed mark is a finding, not a failure. */
int doc_close(struct doc *doc, const char *about);

/* { "median", "min", "max" } of a case, ns an operation. */
json_t *doc_spread(const struct bench_case *c);

/* "fatal: what: why" on standard error, exit 1: for what a benchmark cannot go on without. */
void doc_give_up(const char *what, const char *why) __attribute__((noreturn));

#endif
