/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Table lookups against the memory-parallel limit (independent random line reads of the same region)
 * and against rte_hash_lookup_bulk_data with 8-byte keys, which hold the same numbers.
 *
 *	bench_lookup [ENTRIES ...]		1000000 10000000 unless told
 *
 * Prints a table and writes lookup.json to the bench folder beside its own.
 */
#include <inttypes.h>
#include <jansson.h>
#include <libgen.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_hash.h>
#include <rte_lcore.h>
#include <sys/stat.h>

#include "control/build.h"
#include "perf/bench.h"
#include "tollgate/table.h"

#define QUERIES (1u << 20)
#define LONG_BURST 4096 /* the pipeline never drains: what the table itself costs */
#define PACKET_BURST 96 /* 32 packets with three identities each */
static_assert(QUERIES % LONG_BURST == 0, "whole bursts");
#define RTE_BULK RTE_HASH_LOOKUP_BULK_MAX

struct lab {
	uint64_t n;
	void *image;
	uint64_t length;
	struct tg_table table;
	struct tg_table plain; /* the same without its filter */
	struct tg_table_adapt adapt;
	struct rte_hash *hash;
	struct tg_num *queries;
	uint64_t *keys; /* the same numbers as integers */
	uint32_t *listings;
	const char *pages;
	double build_s, open_s, hash_s;
};

/* ---- cases -------------------------------------------------------------------------------------- */

static inline const uint64_t *line_of(const struct lab *lab, uint64_t key)
{
	const uint32_t c = tg_crc32c_u64(key);

	return lab->table.buckets +
	       (uint64_t)tg_exact_home(&lab->table.exact, c) * TG_BUCKET_ENTRIES;
}

static uint64_t limit_plain(void *ctx)
{
	const struct lab *lab = ctx;
	uint64_t sum = 0;
	unsigned i;

	for (i = 0; i < QUERIES; i++)
		sum += *line_of(lab, lab->keys[i]);
	return sum;
}

static inline uint64_t limit_batch(const struct lab *lab, unsigned batch)
{
	const uint64_t *line[64];
	uint64_t sum = 0;
	unsigned at, i;

	for (at = 0; at < QUERIES; at += batch) {
		for (i = 0; i < batch; i++) {
			line[i] = line_of(lab, lab->keys[at + i]);
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

/* Answers go to the same few cache lines every time, as a worker's do. */
static uint64_t look_up(struct lab *lab, const struct tg_table *t, unsigned burst)
{
	uint64_t sum = 0;
	unsigned at, n;

	for (at = 0; at < QUERIES; at += n) {
		n = QUERIES - at < burst ? QUERIES - at : burst;
		tg_table_lookup_burst(t, NULL, &lab->adapt, lab->queries + at, n, lab->listings);
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

static uint64_t rte_bulk(const struct lab *lab, unsigned bulk)
{
	const void *keys[RTE_BULK];
	void *data[RTE_BULK];
	uint64_t sum = 0, mask;
	unsigned at, i;

	for (at = 0; at < QUERIES; at += bulk) {
		for (i = 0; i < bulk; i++)
			keys[i] = &lab->keys[at + i];
		mask = 0;
		if (rte_hash_lookup_bulk_data(lab->hash, keys, bulk, &mask, data) < 0)
			return 0;
		sum += mask;
	}
	return sum;
}

static uint64_t rte_32(void *ctx)
{
	return rte_bulk(ctx, 32);
}

static uint64_t rte_64(void *ctx)
{
	return rte_bulk(ctx, 64);
}

enum {
	LIMIT_PLAIN,
	LIMIT_32,
	LIMIT_64,
	TABLE_LONG,
	TABLE_PACKETS,
	FILTER_LONG,
	FILTER_PACKETS,
	RTE_32,
	RTE_64,
	N_CASES
};

/* ---- the laboratory ------------------------------------------------------------------------------ */

static void give_up(const char *what, const char *why)
{
	fprintf(stderr, "bench_lookup: %s: %s\n", what, why);
	exit(1);
}

static uint32_t listing_of(uint64_t i)
{
	return tg_listing_make(tg_listing_slot(TG_CATEGORY_FRAUD, (unsigned)(i % 101)), 0);
}

static void build_table(struct lab *lab)
{
	struct tg_build_input in = { .kind = TG_IMAGE_BASE, .n_numbers = lab->n };
	struct tg_build_number *numbers;
	struct tg_image_error image_err;
	struct tg_build *build;
	struct tg_error err;
	const char *pages;
	double start;
	uint64_t id, i;

	numbers = bench_alloc(lab->n * sizeof(*numbers), &pages);
	for (i = 0; i < lab->n; i++)
		numbers[i] = (struct tg_build_number){ bench_number(i), listing_of(i), 0 };
	in.numbers = numbers;
	start = bench_now_ns();
	if (tg_build_plan(&in, &build, &lab->length, &err) != 0)
		give_up("plan", err.text);
	lab->image = bench_alloc(lab->length, &lab->pages);
	if (tg_build_write(build, lab->image, &id, &err) != 0)
		give_up("write", err.text);
	lab->build_s = (bench_now_ns() - start) / 1e9;
	tg_build_free(build);
	munmap(numbers, lab->n * sizeof(*numbers));
	start = bench_now_ns();
	if (tg_table_open(&lab->table, lab->image, lab->length, TG_IMAGE_BASE, &image_err) != 0)
		give_up("open", tg_image_error_text(image_err.code));
	lab->open_s = (bench_now_ns() - start) / 1e9;
	lab->plain = lab->table;
	lab->plain.filter = NULL;
}

static void build_hash(struct lab *lab)
{
	const struct rte_hash_parameters p = {
		.name = "bench",
		.entries = (uint32_t)(lab->n + lab->n / 8),
		.key_len = sizeof(uint64_t),
		.socket_id = (int)rte_socket_id(),
	};
	const double start = bench_now_ns();
	uint64_t i;

	lab->hash = rte_hash_create(&p);
	if (!lab->hash)
		give_up("rte_hash_create", rte_strerror(rte_errno));
	for (i = 0; i < lab->n; i++) {
		const uint64_t key = bench_number(i);

		if (rte_hash_add_key_data(lab->hash, &key, (void *)(uintptr_t)listing_of(i)) != 0)
			give_up("rte_hash_add_key_data", "no room");
	}
	lab->hash_s = (bench_now_ns() - start) / 1e9;
}

static void make_queries(struct lab *lab, unsigned percent)
{
	uint64_t seed = 99 + percent, expected = 0, got = 0;
	unsigned at, i;

	for (i = 0; i < QUERIES; i++) {
		const uint64_t r = bench_random(&seed);
		const bool hit = r % 100 < percent;
		const uint64_t value = bench_number(hit ? r / 128 % lab->n
							: lab->n + r / 128 % (1u << 30));

		lab->queries[i] = bench_num(value);
		lab->keys[i] = value;
		expected += hit;
	}
	/* A fast wrong answer is worth nothing. */
	memset(&lab->adapt, 0, sizeof(lab->adapt));
	for (at = 0; at < QUERIES; at += LONG_BURST) {
		tg_table_lookup_burst(&lab->table, NULL, &lab->adapt, lab->queries + at, LONG_BURST,
				      lab->listings);
		for (i = 0; i < LONG_BURST; i++)
			got += lab->listings[i] != 0;
	}
	if (got != expected)
		give_up("lookup", "wrong answers");
}

/* ---- report -------------------------------------------------------------------------------------- */

static void add_mark(json_t *marks, const char *what, uint64_t n, unsigned percent, double limit,
		     double got)
{
	char name[96];

	snprintf(name, sizeof(name), "%s, %" PRIu64 " M entries, %u %% hits", what, n / 1000000,
		 percent);
	json_array_append_new(marks,
			      json_pack("{s:s,s:f,s:f}", "mark", name, "limit", limit, "got", got));
}

static void report(const struct lab *lab, const struct bench_case *c, unsigned percent,
		   json_t *rows, json_t *marks)
{
	const struct bench_case *limit = &c[LIMIT_PLAIN], *rte = &c[RTE_32];
	json_t *row = json_pack("{s:I,s:i,s:s}", "entries", (json_int_t)lab->n, "hit_percent",
				(int)percent, "pages", lab->pages);
	unsigned i;

	for (i = LIMIT_32; i <= LIMIT_64; i++)
		if (bench_ns(&c[i]) < bench_ns(limit))
			limit = &c[i];
	if (bench_ns(&c[RTE_64]) < bench_ns(rte))
		rte = &c[RTE_64];
	for (i = 0; i < N_CASES; i++)
		json_object_set_new(row, c[i].name, json_real(bench_ns(&c[i])));
	json_array_append_new(rows, row);
	printf("%9" PRIu64 " %5u %% %7.1f  %5.1f (%4.2f) %5.1f (%4.2f) %5.1f (%4.2f) %5.1f (%4.2f) "
	       " %6.1f  %5.1f\n",
	       lab->n, percent, bench_ns(limit), bench_ns(&c[TABLE_LONG]),
	       bench_ratio(&c[TABLE_LONG], limit), bench_ns(&c[TABLE_PACKETS]),
	       bench_ratio(&c[TABLE_PACKETS], limit), bench_ns(&c[FILTER_LONG]),
	       bench_ratio(&c[FILTER_LONG], limit), bench_ns(&c[FILTER_PACKETS]),
	       bench_ratio(&c[FILTER_PACKETS], limit), bench_ns(rte),
	       bench_ratio(rte, &c[FILTER_LONG]));
	fflush(stdout);
	/* What the project promises, not what it has reached: a missed mark has to show as missed. */
	add_mark(marks, "exact table to memory limit, at most", lab->n, percent,
		 lab->n >= 10000000 ? 1.25 : 1.5, bench_ratio(&c[TABLE_LONG], limit));
	add_mark(marks, "with filter to without, at most", lab->n, percent, 1.05,
		 bench_ratio(&c[FILTER_LONG], &c[TABLE_LONG]));
	add_mark(marks, "faster than rte_hash, at least", lab->n, percent,
		 percent >= 100	 ? 6.0
		 : percent >= 10 ? 3.5
				 : 2.5,
		 bench_ratio(rte, &c[FILTER_LONG]));
}

static void measure(uint64_t n, json_t *rows, json_t *marks)
{
	static const unsigned hit_percent[] = { 0, 10, 100 };
	struct lab lab = { .n = n };
	const char *pages;
	unsigned i;

	lab.queries = bench_alloc(QUERIES * sizeof(*lab.queries), &pages);
	lab.keys = bench_alloc(QUERIES * sizeof(*lab.keys), &pages);
	lab.listings = bench_alloc(LONG_BURST * sizeof(*lab.listings), &pages);
	build_table(&lab);
	build_hash(&lab);
	for (i = 0; i < TG_ARRAY_LEN(hit_percent); i++) {
		struct bench_case cases[N_CASES] = {
			[LIMIT_PLAIN] = { "limit_plain", limit_plain, { 0 } },
			[LIMIT_32] = { "limit_batch_32", limit_32, { 0 } },
			[LIMIT_64] = { "limit_batch_64", limit_64, { 0 } },
			[TABLE_LONG] = { "table", table_long, { 0 } },
			[TABLE_PACKETS] = { "table_burst_96", table_packets, { 0 } },
			[FILTER_LONG] = { "filter_table", filter_long, { 0 } },
			[FILTER_PACKETS] = { "filter_table_burst_96", filter_packets, { 0 } },
			[RTE_32] = { "rte_hash_bulk_32", rte_32, { 0 } },
			[RTE_64] = { "rte_hash_bulk_64", rte_64, { 0 } },
		};

		make_queries(&lab, hit_percent[i]);
		bench_alternate(cases, N_CASES, &lab, QUERIES);
		report(&lab, cases, hit_percent[i], rows, marks);
	}
	printf("%9" PRIu64 " image %.2f bytes a number on %s pages; built in %.2f s, opened in "
	       "%.3f s; rte_hash filled in %.2f s\n",
	       n, (double)lab.length / (double)n, lab.pages, lab.build_s, lab.open_s, lab.hash_s);
	fflush(stdout);
	rte_hash_free(lab.hash);
	munmap(lab.image, lab.length);
	munmap(lab.queries, QUERIES * sizeof(*lab.queries));
	munmap(lab.keys, QUERIES * sizeof(*lab.keys));
	munmap(lab.listings, LONG_BURST * sizeof(*lab.listings));
}

/* rte_hash lives in the EAL's memory, some 50 bytes an entry: on huge pages if there are enough for
 * it and for the image, else on small ones. DPDK 22.11 refuses --no-huge with --in-memory. */
static void start_eal(uint64_t most)
{
	const uint64_t megabytes = most * 56 / 1000000 + 256;
	char line[256], *argv[16], *rest = line;
	uint64_t free_pages = 0;
	bool huge;
	FILE *f = fopen("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "r");
	int argc = 0;

	if (f) {
		if (fscanf(f, "%" SCNu64, &free_pages) != 1)
			free_pages = 0;
		fclose(f);
	}
	huge = free_pages * 2 >= 2 * megabytes;
	snprintf(line, sizeof(line),
		 "bench_lookup --no-pci --no-telemetry --log-level=error -l 0 %s -m %" PRIu64,
		 huge ? "--in-memory" : "--no-huge --file-prefix=bench_lookup", megabytes);
	while (argc < 15 && (argv[argc] = strsep(&rest, " ")))
		argc++;
	argv[argc] = NULL;
	if (rte_eal_init(argc, argv) < 0)
		give_up("rte_eal_init", rte_strerror(rte_errno));
	printf("variant %s; rte_hash on %s pages; ns a lookup, median of %d alternating runs "
	       "(ratio "
	       "to limit)\n",
	       tg_table_variant(), huge ? "2 MiB" : "small", BENCH_RUNS);
}

static int write_json(const char *program, json_t *doc)
{
	char path[4096], copy[4096];

	snprintf(copy, sizeof(copy), "%s", program);
	snprintf(path, sizeof(path), "%s/../bench", dirname(copy));
	(void)mkdir(path, 0777);
	strncat(path, "/lookup.json", sizeof(path) - strlen(path) - 1);
	if (json_dump_file(doc, path, JSON_INDENT(1) | JSON_REAL_PRECISION(4)) != 0) {
		perror(path);
		return 1;
	}
	printf("written to %s\n", path);
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t sizes[8] = { 1000000, 10000000 }, most = 0;
	unsigned n = 2, i;
	json_t *rows = json_array(), *marks = json_array(), *doc;
	int rc;

	if (argc > 1)
		for (n = 0; n < TG_ARRAY_LEN(sizes) && (int)n + 1 < argc; n++)
			sizes[n] = strtoull(argv[n + 1], NULL, 10);
	for (i = 0; i < n; i++)
		most = sizes[i] > most ? sizes[i] : most;
	if (most == 0)
		give_up("usage", "bench_lookup [ENTRIES ...]");
	start_eal(most);
	printf("  entries    hits   limit        table     in bursts      + filter     in bursts  "
	       "rte_hash     x\n");
	for (i = 0; i < n; i++)
		measure(sizes[i], rows, marks);
	doc = json_pack("{s:s,s:o,s:o}", "variant", tg_table_variant(), "rows", rows, "marks",
			marks);
	rc = write_json(argv[0], doc);
	json_decref(doc);
	rte_eal_cleanup();
	return rc;
}
