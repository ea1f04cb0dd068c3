/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Table lookups against the memory-parallel limit (independent random line reads of the same region),
 * and against DPDK's rte_hash and rte_member, which hold the same numbers.
 *
 *	bench_lookup [ENTRIES ...]		1000000 10000000 unless told
 */
#include <inttypes.h>

#include "control/build.h"
#include "control/build_priv.h"
#include "perf/doc.h"
#include "perf/dpdk_tables.h"
#include "perf/huge.h"
#include "tollgate/table.h"

#define QUERIES (1u << 21)
/* What one case asks for before the next one's turn: 5 to 100 ms, long enough that what it leaves in
 * the caches, above all its filter, is its own. */
#define SLICE (1u << 20)
#define SLICES (QUERIES / SLICE)
#define LONG_BURST 4096 /* the pipeline never drains: what the table itself costs */
#define PACKET_BURST 96 /* 32 packets with three identities each */
static_assert(SLICE % LONG_BURST == 0 && SLICE % DPDK_BULK_MAX == 0, "whole bursts");

struct lab {
	uint64_t n;
	void *image;
	uint64_t length;
	struct tg_table table;
	struct tg_table plain;	  /* the same without its filter */
	struct tg_table filtered; /* the same with a filter, though the builder thinks it vain */
	uint32_t *filter;	  /* that one's, if the image has none */
	size_t filter_bytes;
	struct tg_table_adapt adapt;
	struct rte_hash *hash;
	struct rte_member_setsum *member; /* NULL where the builder makes no filter */
	struct tg_num *queries;
	uint64_t *keys; /* the same numbers as integers */
	unsigned slice;
	uint32_t *listings;
	const char *pages;
	double build_s, open_s, filter_s, hash_s, member_s;
};

/* ---- cases -------------------------------------------------------------------------------------- */

static inline const uint64_t *line_of(const struct lab *lab, uint64_t key)
{
	const uint32_t c = tg_crc32c_u64(key);

	return lab->table.buckets +
	       (uint64_t)tg_exact_home(&lab->table.exact, c) * TG_BUCKET_ENTRIES;
}

/* Where the next case begins. */
static unsigned next_slice(struct lab *lab)
{
	return lab->slice++ % SLICES * SLICE;
}

static uint64_t limit_plain(void *ctx)
{
	struct lab *lab = ctx;
	const uint64_t *keys = lab->keys + next_slice(lab);
	uint64_t sum = 0;
	unsigned i;

	for (i = 0; i < SLICE; i++)
		sum += *line_of(lab, keys[i]);
	return sum;
}

static inline uint64_t limit_batch(struct lab *lab, unsigned batch)
{
	const uint64_t *keys = lab->keys + next_slice(lab);
	const uint64_t *line[64];
	uint64_t sum = 0;
	unsigned at, i;

	for (at = 0; at < SLICE; at += batch) {
		for (i = 0; i < batch; i++) {
			line[i] = line_of(lab, keys[at + i]);
			__builtin_prefetch(line[i]);
		}
		for (i = 0; i < batch; i++)
			sum += *line[i];
	}
	return sum;
}

static uint64_t limit_32(void *ctx)
{
	return limit_batch(ctx, 32);
}

static uint64_t limit_64(void *ctx)
{
	return limit_batch(ctx, 64);
}

/* Each line is asked for 32 reads ahead of its own. */
static uint64_t limit_rolling(void *ctx)
{
	struct lab *lab = ctx;
	const uint64_t *keys = lab->keys + next_slice(lab);
	const uint64_t *line[32];
	uint64_t sum = 0;
	unsigned i;

	for (i = 0; i < 32; i++)
		line[i] = line_of(lab, keys[i]);
	for (i = 0; i < SLICE; i++) {
		sum += *line[i % 32];
		line[i % 32] = line_of(lab, keys[(i + 32) % SLICE]);
		__builtin_prefetch(line[i % 32]);
	}
	return sum;
}

/* Answers go to the same few cache lines every time, as a worker's do. */
static uint64_t look_up(struct lab *lab, const struct tg_table *t, unsigned burst)
{
	const struct tg_num *nums = lab->queries + next_slice(lab);
	uint64_t sum = 0;
	unsigned at, n;

	for (at = 0; at < SLICE; at += n) {
		n = SLICE - at < burst ? SLICE - at : burst;
		tg_table_lookup_burst(t, NULL, &lab->adapt, nums + at, n, lab->listings);
		sum += lab->listings[n - 1];
	}
	return sum;
}

static uint64_t table_long(void *ctx)
{
	struct lab *lab = ctx;

	return look_up(lab, &lab->plain, LONG_BURST);
}

static uint64_t table_packets(void *ctx)
{
	struct lab *lab = ctx;

	return look_up(lab, &lab->plain, PACKET_BURST);
}

static uint64_t filter_long(void *ctx)
{
	struct lab *lab = ctx;

	return look_up(lab, &lab->table, LONG_BURST);
}

static uint64_t filter_packets(void *ctx)
{
	struct lab *lab = ctx;

	return look_up(lab, &lab->table, PACKET_BURST);
}

/* What the filter would do, asked whatever passes: a fresh state for each burst. */
static uint64_t filter_always(void *ctx)
{
	struct lab *lab = ctx;
	const struct tg_num *nums = lab->queries + next_slice(lab);
	uint64_t sum = 0;
	unsigned at;

	for (at = 0; at < SLICE; at += LONG_BURST) {
		struct tg_table_adapt fresh = { 0 };

		tg_table_lookup_burst(&lab->filtered, NULL, &fresh, nums + at, LONG_BURST,
				      lab->listings);
		sum += lab->listings[LONG_BURST - 1];
	}
	return sum;
}

static uint64_t rte_32(void *ctx)
{
	struct lab *lab = ctx;

	return dpdk_hash_count(lab->hash, lab->keys + next_slice(lab), SLICE, 32);
}

static uint64_t rte_64(void *ctx)
{
	struct lab *lab = ctx;

	return dpdk_hash_count(lab->hash, lab->keys + next_slice(lab), SLICE, 64);
}

static uint64_t rte_member(void *ctx)
{
	struct lab *lab = ctx;

	return dpdk_member_count(lab->member, lab->keys + next_slice(lab), SLICE);
}

enum {
	LIMIT_PLAIN,
	LIMIT_32,
	LIMIT_64,
	LIMIT_ROLLING,
	TABLE,
	TABLE_PACKETS,
	FILTER_ALWAYS,
	FILTER,
	FILTER_PACKETS,
	RTE_32,
	RTE_64,
	RTE_MEMBER,
	N_CASES
};

/* ---- the laboratory ------------------------------------------------------------------------------ */

static uint32_t listing_of(uint64_t i)
{
	return tg_listing_make(tg_listing_slot(TG_CATEGORY_FRAUD, (unsigned)(i % 101)), 0);
}

/* The one that the image has, or else one beside it. */
static void add_filter(struct lab *lab, const struct tg_build_number *numbers)
{
	const uint64_t blocks = (lab->n * 10 + 255) / 256;
	const double start = bench_now_ns();
	const char *pages;

	lab->plain = lab->filtered = lab->table;
	lab->plain.filter = NULL;
	if (lab->table.filter)
		return;
	lab->filter_bytes = blocks * TG_FILTER_BLOCK_BYTES;
	lab->filter = bench_alloc(lab->filter_bytes, &pages);
	tg_build_filter(&lab->table.exact, numbers, lab->n, lab->filter, (uint32_t)blocks);
	lab->filtered.filter = lab->filter;
	lab->filtered.n_filter_blocks = (uint32_t)blocks;
	lab->filter_s = (bench_now_ns() - start) / 1e9;
}

static void build_table(struct lab *lab)
{
	struct tg_build_input in = { .kind = TG_IMAGE_BASE, .n_numbers = lab->n };
	struct tg_build_number *numbers = malloc(lab->n * sizeof(*numbers));
	struct tg_image_error image_err;
	struct tg_build *build;
	struct tg_error err;
	double start;
	uint64_t id, i;

	if (!numbers)
		doc_give_up("memory", "none for the list");
	for (i = 0; i < lab->n; i++)
		numbers[i] = (struct tg_build_number){ bench_number(i), listing_of(i), 0 };
	in.numbers = numbers;
	start = bench_now_ns();
	if (tg_build_plan(&in, &build, &lab->length, &err) != 0)
		doc_give_up("plan", err.text);
	lab->image = bench_alloc(lab->length, &lab->pages);
	if (tg_build_write(build, lab->image, &id, &err) != 0)
		doc_give_up("write", err.text);
	lab->build_s = (bench_now_ns() - start) / 1e9;
	tg_build_free(build);
	start = bench_now_ns();
	if (tg_table_open(&lab->table, lab->image, lab->length, TG_IMAGE_BASE, &image_err) != 0)
		doc_give_up("open", tg_image_error_text(image_err.code));
	lab->open_s = (bench_now_ns() - start) / 1e9;
	add_filter(lab, numbers);
	free(numbers);
}

static uint64_t count_listed(struct lab *lab, const struct tg_table *t)
{
	uint64_t count = 0;
	unsigned at, i;

	memset(&lab->adapt, 0, sizeof(lab->adapt));
	for (at = 0; at < QUERIES; at += LONG_BURST) {
		tg_table_lookup_burst(t, NULL, &lab->adapt, lab->queries + at, LONG_BURST,
				      lab->listings);
		for (i = 0; i < LONG_BURST; i++)
			count += lab->listings[i] != 0;
	}
	return count;
}

/* `percent` of them listed, evenly drawn, in no order: the worst case for caches. */
static void make_queries(struct lab *lab, unsigned percent)
{
	uint64_t seed = 99 + percent, expected = 0;
	unsigned i;

	for (i = 0; i < QUERIES; i++) {
		const uint64_t r = bench_random(&seed);
		const bool hit = r % 100 < percent;
		const uint64_t value = bench_number(hit ? r / 128 % lab->n
							: lab->n + r / 128 % (1u << 30));

		lab->queries[i] = bench_num(value);
		lab->keys[i] = value;
		expected += hit;
	}
	/* A fast wrong answer is worth nothing, also not a rival's. */
	if (count_listed(lab, &lab->plain) != expected ||
	    count_listed(lab, &lab->filtered) != expected ||
	    count_listed(lab, &lab->table) != expected)
		doc_give_up("lookup", "wrong answers");
	if (dpdk_hash_count(lab->hash, lab->keys, QUERIES, 32) != expected)
		doc_give_up("rte_hash", "wrong answers");
	if (lab->member && dpdk_member_count(lab->member, lab->keys, QUERIES) < expected)
		doc_give_up("rte_member", "wrong answers");
}

/* ---- report -------------------------------------------------------------------------------------- */

/* How many of numbers that are not listed pass all the same. */
static double false_positives(struct lab *lab)
{
	make_queries(lab, 0);
	(void)count_listed(lab, &lab->filtered);
	return (double)lab->adapt.filter_false /
	       (double)(lab->adapt.filter_false + lab->adapt.filter_negatives);
}

static void mark(struct doc *doc, const struct lab *lab, const struct bench_case *c,
		 const struct bench_case *limit, const struct bench_case *rte, unsigned percent)
{
	const unsigned m = (unsigned)(lab->n / 1000000);

	/* What the project promises, not what it has reached: a missed mark has to show as missed. */
	doc_mark(doc, DOC_AT_MOST, m >= 10 ? 1.25 : 1.5, bench_ratio(&c[TABLE], limit),
		 "lookup: exact table to memory-parallel limit, %u M, %u %% hits", m, percent);
	if (lab->table.filter && m >= 10 && percent == 0)
		doc_mark(doc, DOC_AT_MOST, 0.8, bench_ratio(&c[FILTER], limit),
			 "lookup: with filter to memory-parallel limit, %u M, %u %% hits", m,
			 percent);
	if (lab->table.filter)
		doc_mark(doc, DOC_AT_MOST, 1.05, bench_ratio(&c[FILTER], &c[TABLE]),
			 "lookup: with filter to table alone, %u M, %u %% hits", m, percent);
	doc_mark(doc, DOC_AT_LEAST,
		 percent >= 100	 ? 6.0
		 : percent >= 10 ? 3.5
				 : 2.5,
		 bench_ratio(rte, &c[FILTER]),
		 "lookup: rte_hash bulk to ours, 8-byte keys, %u M, %u %% hits", m, percent);
}

static const struct bench_case *fastest(const struct bench_case *c, unsigned n)
{
	const struct bench_case *best = c;
	unsigned i;

	for (i = 1; i < n; i++)
		if (bench_ns(&c[i]) < bench_ns(best))
			best = &c[i];
	return best;
}

static void report(struct doc *doc, const struct lab *lab, const struct bench_case *c,
		   unsigned n_cases, unsigned percent)
{
	const struct bench_case *limit = fastest(&c[LIMIT_PLAIN], LIMIT_ROLLING + 1);
	const struct bench_case *rte = fastest(&c[RTE_32], 2);
	const double gain = bench_difference(&c[TABLE], &c[FILTER_ALWAYS]);
	json_t *row = json_pack("{s:I,s:i,s:s,s:s}", "entries", (json_int_t)lab->n, "hit_percent",
				(int)percent, "pages", lab->pages, "limit_kernel", limit->name);
	unsigned i;

	json_object_set_new(row, "limit", doc_spread(limit));
	for (i = TABLE; i < N_CASES; i++)
		json_object_set_new(row, c[i].name,
				    i < n_cases ? doc_spread(&c[i]) : json_string("-"));
	json_object_set_new(row, "filter_gain", json_real(gain));
	doc_row(doc, row);
	printf("%9" PRIu64 " %4u %% %6.1f  %5.1f (%4.2f) %5.1f (%4.2f)  %5.1f (%4.2f) %5.1f "
	       "(%4.2f)"
	       " %6.1f   %6.1f %5.1f\n",
	       lab->n, percent, bench_ns(limit), bench_ns(&c[TABLE]), bench_ratio(&c[TABLE], limit),
	       bench_ns(&c[TABLE_PACKETS]), bench_ratio(&c[TABLE_PACKETS], limit),
	       bench_ns(&c[FILTER]), bench_ratio(&c[FILTER], limit), bench_ns(&c[FILTER_PACKETS]),
	       bench_ratio(&c[FILTER_PACKETS], limit), gain, bench_ns(rte),
	       bench_ratio(rte, &c[FILTER]));
	fflush(stdout);
	mark(doc, lab, c, limit, rte, percent);
}

static void report_sizes(struct doc *doc, struct lab *lab)
{
	const double bytes = (double)lab->length / (double)lab->n, passing = false_positives(lab);
	const double member =
		lab->member ? (double)dpdk_member_count(lab->member, lab->keys, QUERIES) / QUERIES
			    : 0;

	doc_row(doc, json_pack("{s:I,s:f,s:b,s:f,s:f,s:f,s:f,s:f,s:f,s:f}", "entries",
			       (json_int_t)lab->n, "bytes_an_entry", bytes, "has_filter",
			       lab->table.filter != NULL, "false_positive_percent", passing * 100,
			       "build_seconds", lab->build_s, "open_seconds", lab->open_s,
			       "rte_hash_seconds", lab->hash_s, "rte_member_seconds", lab->member_s,
			       "rte_member_false_positive_percent", member * 100, "filter_seconds",
			       lab->filter_s));
	printf("%9" PRIu64 " image %.2f bytes an entry on %s pages; built in %.2f s, opened in "
	       "%.3f s; %.2f %% pass the filter%s; rte_hash filled in %.2f s\n",
	       lab->n, bytes, lab->pages, lab->build_s, lab->open_s, passing * 100,
	       lab->table.filter ? "" : ", which the image does without", lab->hash_s);
	if (lab->member)
		printf("%9" PRIu64 " rte_member: %.2f %% pass, filled in %.2f s\n", lab->n,
		       member * 100, lab->member_s);
	fflush(stdout);
	if (lab->n < 100000000)
		return;
	doc_mark(doc, DOC_AT_MOST, 10.7, bytes, "lookup: bytes an entry, all in, %u M",
		 (unsigned)(lab->n / 1000000));
	doc_mark(doc, DOC_AT_MOST, 7, lab->build_s, "lookup: seconds to build %u M on one core",
		 (unsigned)(lab->n / 1000000));
}

static void free_lab(struct lab *lab)
{
	dpdk_hash_free(lab->hash);
	dpdk_member_free(lab->member);
	bench_free(lab->image, lab->length);
	bench_free(lab->filter, lab->filter_bytes);
	bench_free(lab->queries, QUERIES * sizeof(*lab->queries));
	bench_free(lab->keys, QUERIES * sizeof(*lab->keys));
	bench_free(lab->listings, LONG_BURST * sizeof(*lab->listings));
}

static void measure(struct doc *doc, uint64_t n)
{
	static const unsigned hit_percent[] = { 0, 10, 50, 100 };
	struct lab lab = { .n = n };
	const char *pages;
	unsigned i;

	lab.queries = bench_alloc(QUERIES * sizeof(*lab.queries), &pages);
	lab.keys = bench_alloc(QUERIES * sizeof(*lab.keys), &pages);
	lab.listings = bench_alloc(LONG_BURST * sizeof(*lab.listings), &pages);
	build_table(&lab);
	lab.hash = dpdk_hash(n, &lab.hash_s);
	if (lab.table.filter)
		lab.member = dpdk_member(n, &lab.member_s);
	for (i = 0; i < TG_ARRAY_LEN(hit_percent); i++) {
		const unsigned n_cases = lab.member ? N_CASES : RTE_MEMBER;
		struct bench_case cases[N_CASES] = {
			[LIMIT_PLAIN] = { "plain", limit_plain, { 0 } },
			[LIMIT_32] = { "batches of 32", limit_32, { 0 } },
			[LIMIT_64] = { "batches of 64", limit_64, { 0 } },
			[LIMIT_ROLLING] = { "32 ahead", limit_rolling, { 0 } },
			[TABLE] = { "table", table_long, { 0 } },
			[TABLE_PACKETS] = { "table_burst_96", table_packets, { 0 } },
			[FILTER_ALWAYS] = { "filter_always", filter_always, { 0 } },
			[FILTER] = { "filter_table", filter_long, { 0 } },
			[FILTER_PACKETS] = { "filter_table_burst_96", filter_packets, { 0 } },
			[RTE_32] = { "rte_hash_bulk_32", rte_32, { 0 } },
			[RTE_64] = { "rte_hash_bulk_64", rte_64, { 0 } },
			[RTE_MEMBER] = { "rte_member_bulk_64", rte_member, { 0 } },
		};

		make_queries(&lab, hit_percent[i]);
		bench_alternate_slices(cases, n_cases, &lab, SLICE, SLICES);
		report(doc, &lab, cases, n_cases, hit_percent[i]);
	}
	report_sizes(doc, &lab);
	free_lab(&lab);
}

/* Image, the filter beside it, queries. */
static uint64_t own_bytes(uint64_t entries)
{
	return entries * 13 + (64u << 20);
}

int main(int argc, char **argv)
{
	uint64_t sizes[8] = { 1000000, 10000000 }, most = 0;
	unsigned n = 2, i;
	struct doc doc;
	bool huge;

	if (argc > 1)
		for (n = 0; n < TG_ARRAY_LEN(sizes) && (int)n + 1 < argc; n++)
			sizes[n] = strtoull(argv[n + 1], NULL, 10);
	for (i = 0; i < n; i++)
		most = sizes[i] > most ? sizes[i] : most;
	if (most == 0 || most > 1000000000)
		doc_give_up("usage", "bench_lookup [ENTRIES ...]");
	doc_open(&doc, argv[0], "lookup");
	huge = huge_borrow(own_bytes(most) + dpdk_bytes(most));
	dpdk_start(most, huge);
	printf("variant %s, %s pages; ns a lookup, median of %d runs in turn (ratio to limit)\n"
	       "  entries   hits  limit         table  in bursts 96       + filter  in bursts 96 "
	       "  gain rte_hash     x\n",
	       tg_table_variant(), huge ? "2 MiB" : "small", BENCH_RUNS);
	for (i = 0; i < n; i++)
		measure(&doc, sizes[i]);
	return doc_close(&doc,
			 "Numbers of 15 digits in no order; 2^21 different queries, evenly drawn; "
			 "`limit`: independent random reads of lines of the table's own bytes, the "
			 "best of four kernels; `filter_always`: as if nothing were bypassed, "
			 "`filter_gain`: what asking it saves; rte_hash and rte_member hold the "
			 "same numbers as 8-byte keys, on the same kind of pages. ns a lookup.");
}
