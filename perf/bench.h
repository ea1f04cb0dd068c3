/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What benchmarks share: cases that run alternately in one process and are compared by ratio, a sink
 * that keeps their results alive, numbers to list and to ask for, memory on huge pages.
 *
 *	struct bench_case cases[] = { { "limit", run_limit }, { "table", run_table } };
 *
 *	bench_alternate(cases, TG_ARRAY_LEN(cases), &ctx, operations);
 *	ratio = bench_ratio(&cases[1], &cases[0]);
 *
 * Machines differ, and a shared one differs from second to second: absolute times are for the reader,
 * a mark is always a ratio of two cases that ran next to each other.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "tollgate/num.h"

#define BENCH_RUNS 9 /* odd, for the median; a first run that warms up is not counted */

struct bench_case {
	const char *name;
	uint64_t (*run)(void *ctx); /* returns something that depends on all of its work */
	double ns[BENCH_RUNS];	    /* per operation */
};

/* What has been computed must not be computed in vain. */
extern volatile uint64_t bench_sink;

/* CPU time of this thread: what others take from the core in between does not count. */
static inline double bench_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static inline int bench_compare_doubles(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static inline double bench_median(const double values[BENCH_RUNS])
{
	double sorted[BENCH_RUNS];

	memcpy(sorted, values, sizeof(sorted));
	qsort(sorted, BENCH_RUNS, sizeof(*sorted), bench_compare_doubles);
	return sorted[BENCH_RUNS / 2];
}

static inline double bench_ns(const struct bench_case *c)
{
	return bench_median(c->ns);
}

/* The median of the ratios, each of two neighbours in time. */
static inline double bench_ratio(const struct bench_case *c, const struct bench_case *to)
{
	double ratio[BENCH_RUNS];
	unsigned i;

	for (i = 0; i < BENCH_RUNS; i++)
		ratio[i] = c->ns[i] / to->ns[i];
	return bench_median(ratio);
}

/* The median of the differences, likewise. */
static inline double bench_difference(const struct bench_case *c, const struct bench_case *less)
{
	double difference[BENCH_RUNS];
	unsigned i;

	for (i = 0; i < BENCH_RUNS; i++)
		difference[i] = c->ns[i] - less->ns[i];
	return bench_median(difference);
}

/*
 * Runs all cases in turn, BENCH_RUNS + 1 times; a run is `slices` calls of each, again in turn, of
 * `operations` each. Slices of a millisecond or so let all cases share what a shared machine does to
 * one of them; a case then has to go on from slice to slice by itself.
 */
static inline void bench_alternate_slices(struct bench_case *cases, unsigned n, void *ctx,
					  uint64_t operations, unsigned slices)
{
	unsigned run, slice, i;

	for (run = 0; run <= BENCH_RUNS; run++) {
		const unsigned to = run ? run - 1 : 0; /* the first is overwritten */

		for (i = 0; i < n; i++)
			cases[i].ns[to] = 0;
		for (slice = 0; slice < slices; slice++)
			for (i = 0; i < n; i++) {
				const double start = bench_now_ns();

				bench_sink += cases[i].run(ctx);
				cases[i].ns[to] += (bench_now_ns() - start) /
						   ((double)operations * slices);
			}
	}
}

static inline void bench_alternate(struct bench_case *cases, unsigned n, void *ctx,
				   uint64_t operations)
{
	bench_alternate_slices(cases, n, ctx, operations, 1);
}

/* Number i of an endless sequence of different 15-digit numbers in no order: a permutation of 50-bit
 * integers, applied until it stays among them. No table of what was given out is needed. */
static inline uint64_t bench_number(uint64_t i)
{
	const uint64_t mask = (1ull << 50) - 1, first = 100000000000000ull;
	uint64_t x = first + i;

	do {
		x = x * 0x2545f4914f6cdull & mask;
		x ^= x >> 25;
		x = x * 0x1e3779b97f4a7ull & mask;
		x ^= x >> 23;
	} while (x < first || x >= 10 * first);
	return x;
}

static inline struct tg_num bench_num(uint64_t value)
{
	return tg_num_make(TG_NUM_E164, 15, value);
}

/* xorshift64*: which number to ask for next. */
static inline uint64_t bench_random(uint64_t *seed)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return *seed * 0x2545f4914f6cdd1dull >> 16;
}

/* Zeroed memory, on 2 MiB pages if there are enough free ones, else with the kernel asked for
 * transparent ones; *pages says which. Ends the program when there is none. */
static inline void *bench_alloc(size_t bytes, const char **pages)
{
	const size_t huge = (bytes + (2u << 20) - 1) & ~(size_t)((2u << 20) - 1);
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
	void *p = mmap(NULL, huge, PROT_READ | PROT_WRITE, flags | MAP_HUGETLB | MAP_POPULATE, -1,
		       0);

	*pages = "2 MiB";
	if (p == MAP_FAILED) {
		*pages = "transparent huge";
		p = mmap(NULL, huge + (2u << 20), PROT_READ | PROT_WRITE, flags, -1, 0);
		if (p == MAP_FAILED) {
			perror("mmap");
			exit(1);
		}
		p = (void *)(((uintptr_t)p + (2u << 20) - 1) & ~(uintptr_t)((2u << 20) - 1));
		if (madvise(p, huge, MADV_HUGEPAGE) != 0)
			*pages = "4 KiB";
	}
	return p;
}

/* What bench_alloc gave: whole pages of 2 MiB go back at once. NULL is nothing. */
static inline void bench_free(void *p, size_t bytes)
{
	if (p)
		munmap(p, (bytes + (2u << 20) - 1) & ~(size_t)((2u << 20) - 1));
}

#endif
