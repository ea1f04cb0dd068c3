/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames in memory through tg_pipeline_burst, in total and phase by phase: INVITEs of 800 bytes with a
 * share of listed callers, and media mixed in.
 *
 *	bench_pipeline [ENTRIES ...]		1000000 10000000 unless told
 *
 * A phase's cost is the difference of two cases that run next to each other: each does what the one
 * before it does, for a burst, and one phase more, with the contracts' own functions. Each pass moves
 * the clock on past the verdict memory's 32 s: every call is a new one.
 */
#include <inttypes.h>

#include "perf/bursts.h"
#include "perf/doc.h"
#include "perf/traffic.h"
#include "tollgate/checksum.h"

#define SIZE 800

struct lab {
	struct bursts b; /* first: see bursts_total */
	uint64_t seed;
	unsigned expected;
	struct tg_frame frame[TG_BURST];
	struct tg_sip sip[TG_BURST];
};

/* ---- the phases ---------------------------------------------------------------------------------- */

enum depth {
	WALK,
	PARSE,
	CHECKSUM,
	NORMALISE,
	LOOKUP
};

static unsigned read_burst(void *ctx, unsigned at, unsigned depth)
{
	struct lab *lab = ctx;
	unsigned n = 0, i;

	bursts_prefetch(&lab->b, at);
	for (i = 0; i < TG_BURST; i++) {
		const struct tg_frame_in *in = &lab->b.in[at + i];
		struct tg_frame *f = &lab->frame[n];
		enum tg_reason reason;

		reason = tg_frame_walk(in->data, in->data + in->len, TG_LINK_ETHERNET, f);
		if (reason != TG_REASON_NONE)
			continue;
		if (depth >= PARSE)
			reason = tg_sip_parse(
				(struct tg_span){ in->data + f->payload_off, f->payload_len },
				&lab->sip[n]);
		if (reason != TG_REASON_NONE)
			continue;
		n += depth < CHECKSUM || tg_checksum_udp_ok(in->data, f);
	}
	return n;
}

static const struct tg_sig_msg *normalise(void *ctx, unsigned i,
					  const struct tg_num_profile *profile)
{
	struct lab *lab = ctx;

	tg_sig_normalise(&lab->sip[i].sig, profile);
	return &lab->sip[i].sig;
}

static inline uint64_t phases(struct lab *lab, enum depth depth)
{
	static const struct bursts_reader reader = { read_burst, normalise, NORMALISE, LOOKUP };

	return bursts_read(&lab->b, &reader, lab, depth);
}

static uint64_t run_walk(void *ctx)
{
	return phases(ctx, WALK);
}

static uint64_t run_parse(void *ctx)
{
	return phases(ctx, PARSE);
}

static uint64_t run_checksum(void *ctx)
{
	return phases(ctx, CHECKSUM);
}

static uint64_t run_normalise(void *ctx)
{
	return phases(ctx, NORMALISE);
}

static uint64_t run_lookup(void *ctx)
{
	return phases(ctx, LOOKUP);
}

enum {
	C_WALK,
	C_PARSE,
	C_CHECKSUM,
	C_NORMALISE,
	C_LOOKUP,
	C_EMPTY,
	C_TOTAL,
	N_CASES
};

/* ---- the laboratory ------------------------------------------------------------------------------ */

static void fill(struct lab *lab, uint64_t n_entries, unsigned listed, unsigned media)
{
	unsigned i, calls = 0;

	lab->expected = 0;
	for (i = 0; i < BURSTS_FRAMES; i++) {
		uint8_t *const frame = lab->b.buffers + (size_t)i * BURSTS_BUFFER;
		const uint64_t serial = calls;
		unsigned len;

		/* 37 and 100 have no common factor: media and calls alternate. */
		if (i * 37ull % 100 < media) {
			len = traffic_media_frame(frame, i);
		} else {
			const struct traffic_call call = { generation_caller(n_entries, listed,
									     serial),
							   generation_called(serial), serial };

			len = traffic_invite_frame(frame, SIZE, TRAFFIC_USUAL, &call);
			lab->expected += serial * 61 % 100 < listed;
			calls++;
		}
		lab->b.in[i] = (struct tg_frame_in){ .data = frame, .len = len };
	}
	/* A fast wrong answer is worth nothing. */
	if (bursts_run(&lab->b, &lab->b.g->gen, 0, BURSTS_FRAMES) != lab->expected)
		doc_give_up("pipeline", "rejects others than those listed");
}

#define PASSES 48
#define SAMPLES (PASSES * (BURSTS_FRAMES / TG_BURST) / N_WHAT + PASSES)

static double monotonic_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Random lines of the part of the table that is asked first: two for each call of the last burst, which
 * names two numbers. The least that looking them up could cost. */
static uint64_t bare_reads(struct lab *lab)
{
	const struct tg_table *t = &lab->b.g->gen.base;
	const bool filter = t->filter && !tg_pipeline_adapt(lab->b.pl)->bypassed;
	const uint8_t *lines = filter ? (const void *)t->filter : (const void *)t->buckets;
	const uint64_t bytes = filter ? t->n_filter_blocks * (uint64_t)TG_FILTER_BLOCK_BYTES
				      : t->exact.n_buckets * (uint64_t)TG_BUCKET_BYTES;
	const uint8_t *line[2 * TG_BURST];
	uint64_t sum = 0;
	unsigned n = 0, i;

	for (i = 0; i < TG_BURST; i++)
		n += lab->b.out[i].judged ? 2 : 0;
	for (i = 0; i < n; i++) {
		line[i] = lines +
			  bench_random(&lab->seed) % (bytes / TG_CACHE_LINE) * TG_CACHE_LINE;
		__builtin_prefetch(line[i]);
	}
	for (i = 0; i < n; i++)
		sum += *line[i];
	return sum;
}

enum what {
	EMPTY, /* table */
	FULL,
	BARE, /* an empty table, and reads of as many lines as the lookups need */
	N_WHAT
};

struct added {
	double table; /* ns a packet, above an empty table */
	double bare;
};

/*
 * What the table adds to a packet: bursts turn about with it and with an empty one, each timed by
 * itself, and the medians of thousands compared. Ten nanoseconds do not show in anything coarser.
 */
static struct added added_by_table(struct lab *lab)
{
	static double ns[N_WHAT][SAMPLES];
	unsigned n[N_WHAT] = { 0 }, pass, at, i;

	for (pass = 0; pass < PASSES; pass++)
		for (at = 0; at < BURSTS_FRAMES; at += TG_BURST) {
			const enum what what = (pass + at / TG_BURST) % N_WHAT;
			const double start = monotonic_ns();

			bench_sink += bursts_run(&lab->b,
						 what == FULL ? &lab->b.g->gen : &lab->b.unlisted,
						 at, TG_BURST);
			if (what == BARE)
				bench_sink += bare_reads(lab);
			ns[what][n[what]++] = monotonic_ns() - start;
		}
	for (i = 0; i < N_WHAT; i++)
		qsort(ns[i], n[i], sizeof(**ns), bench_compare_doubles);
	return (struct added){
		(ns[FULL][n[FULL] / 2] - ns[EMPTY][n[EMPTY] / 2]) / TG_BURST,
		(ns[BARE][n[BARE] / 2] - ns[EMPTY][n[EMPTY] / 2]) / TG_BURST,
	};
}

static void report(const struct bench_case *c, uint64_t n_entries, unsigned listed, unsigned media,
		   struct added added, struct doc *doc)
{
	const double t[N_CASES] = { bench_ns(&c[0]), bench_ns(&c[1]), bench_ns(&c[2]),
				    bench_ns(&c[3]), bench_ns(&c[4]), bench_ns(&c[5]),
				    bench_ns(&c[6]) };
	json_t *row = json_pack("{s:I,s:i,s:i,s:f,s:f}", "entries", (json_int_t)n_entries,
				"listed_percent", (int)listed, "media_percent", (int)media,
				"table_adds", added.table, "bare_reads_add", added.bare);
	unsigned i;

	for (i = 0; i < N_CASES; i++)
		json_object_set_new(row, c[i].name, doc_spread(&c[i]));
	doc_row(doc, row);
	printf("%9" PRIu64
	       " %4u %% %4u %%  %6.0f %6.0f %6.0f %6.0f %6.0f %6.0f  %6.0f  %6.1f   %6.1f\n",
	       n_entries, listed, media, t[C_WALK], t[C_PARSE] - t[C_WALK],
	       t[C_CHECKSUM] - t[C_PARSE], t[C_NORMALISE] - t[C_CHECKSUM],
	       t[C_LOOKUP] - t[C_NORMALISE], t[C_TOTAL] - t[C_LOOKUP], t[C_TOTAL], added.table,
	       added.bare);
	fflush(stdout);
	if (n_entries == 10000000 && listed == 0 && media == 0)
		doc_mark(doc, DOC_AT_MOST, 12, added.table,
			 "pipeline: ns a packet that 10 M entries add (2 bare reads: %.1f)",
			 added.bare);
}

static void measure(struct lab *lab, struct generation *g, uint64_t n_entries, struct doc *doc)
{
	static const unsigned mix[][2] = { { 0, 0 }, { 1, 0 }, { 10, 0 }, { 1, 90 }, { 1, 99 } };
	unsigned i;

	generation_make(g, n_entries);
	bursts_use(&lab->b, g);
	for (i = 0; i < TG_ARRAY_LEN(mix); i++) {
		struct bench_case c[N_CASES] = {
			{ "walk", run_walk, { 0 } },
			{ "parse", run_parse, { 0 } },
			{ "checksum", run_checksum, { 0 } },
			{ "normalise", run_normalise, { 0 } },
			{ "lookup", run_lookup, { 0 } },
			{ "total_empty_table", bursts_empty_table, { 0 } },
			{ "total", bursts_total, { 0 } },
		};

		fill(lab, n_entries, mix[i][0], mix[i][1]);
		bench_alternate_slices(c, N_CASES, lab, BURSTS_SLICE, 2 * BURSTS_SLICES);
		report(c, n_entries, mix[i][0], mix[i][1], added_by_table(lab), doc);
	}
	generation_free(g);
}

int main(int argc, char **argv)
{
	static struct lab lab = { .seed = 7 };
	struct bursts_sizes sizes;
	struct generation g;
	const char *pages;
	struct doc doc;
	unsigned i;

	doc_open(&doc, argv[0], "pipeline");
	bursts_open(&lab.b, argc, argv, &sizes, &pages);
	printf("%d frames, INVITEs of %d bytes (headers as usual), %s pages; ns a packet, median "
	       "of "
	       "%d alternating runs\n"
	       "  entries listed media     walk  parse  cksum   norm lookup decide   total  "
	       "table adds  2 reads add\n",
	       BURSTS_FRAMES, SIZE, pages, BENCH_RUNS);
	for (i = 0; i < sizes.n; i++)
		measure(&lab, &g, sizes.entries[i], &doc);
	return doc_close(&doc,
			 "16384 frames in memory (36 MB of buffers), INVITEs of 800 bytes, each "
			 "a new call, callers drawn from the whole table; media is RTP of 214 "
			 "bytes; phases are differences of neighbouring cases");
}
