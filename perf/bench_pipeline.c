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

#include "perf/doc.h"
#include "perf/generation.h"
#include "perf/huge.h"
#include "perf/traffic.h"
#include "tollgate/checksum.h"

/* 16384 x 2176 = 36 MB of buffers, of which the frames fill 14 MB: more than the caches of this kind
 * of machine hold for one guest. */
#define FRAMES 16384
#define BUFFER 2176
#define SIZE 800
#define FORGET_MS 40000
/* What a case does before the next one's turn, a millisecond: a table's 12 ns are a hundredth of a
 * packet, and less than what a shared machine gives or takes from one second to the next. */
#define SLICE 1024
#define SLICES (FRAMES / SLICE)
#define KEYS (TG_BURST * TG_SIG_MAX_IDS)

struct lab {
	uint8_t *buffers;
	struct tg_frame_in in[FRAMES];
	struct generation *g;
	struct tg_generation unlisted; /* the same policy, nothing in the table */
	struct tg_pipeline *pl;
	struct tg_table_adapt adapt;
	uint64_t now_ms;
	unsigned slice;
	uint64_t seed;
	unsigned expected;
	struct tg_result out[TG_BURST];
	struct tg_frame frame[TG_BURST];
	struct tg_sip sip[TG_BURST];
	struct tg_num num[KEYS];
	uint32_t listing[KEYS];
};

/* The frame that the next case begins with. */
static unsigned next_slice(struct lab *lab)
{
	return lab->slice++ % SLICES * SLICE;
}

/* ---- the phases ---------------------------------------------------------------------------------- */

static void prefetch(const struct lab *lab, unsigned at)
{
	unsigned i;

	for (i = 0; i < TG_BURST; i++) {
		__builtin_prefetch(lab->in[at + i].data);
		__builtin_prefetch(lab->in[at + i].data + TG_CACHE_LINE);
	}
}

enum depth {
	WALK,
	PARSE,
	CHECKSUM,
	NORMALISE,
	LOOKUP
};

static unsigned read_burst(struct lab *lab, unsigned at, enum depth depth)
{
	unsigned n = 0, i;

	prefetch(lab, at);
	for (i = 0; i < TG_BURST; i++) {
		const struct tg_frame_in *in = &lab->in[at + i];
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

static inline uint64_t phases(struct lab *lab, enum depth depth)
{
	const struct tg_num_profile *profile = &lab->g->gen.policy.trunk[0].profile;
	const unsigned from = next_slice(lab);
	uint64_t sum = 0;
	unsigned at, i, k;

	for (at = from; at < from + SLICE; at += TG_BURST) {
		const unsigned n = read_burst(lab, at, depth);
		unsigned keys = 0;

		sum += n;
		for (i = 0; depth >= NORMALISE && i < n; i++) {
			tg_sig_normalise(&lab->sip[i].sig, profile);
			for (k = 0; k < lab->sip[i].sig.n_ids; k++)
				lab->num[keys++] = lab->sip[i].sig.id[k].num;
		}
		if (depth >= LOOKUP)
			tg_table_lookup_burst(&lab->g->gen.base, NULL, &lab->adapt, lab->num, keys,
					      lab->listing);
	}
	return sum;
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

/* Returns how many calls were not let through. */
static uint64_t total(struct lab *lab, const struct tg_generation *gen, unsigned from, unsigned n)
{
	uint64_t kept = 0;
	unsigned at, i;

	lab->now_ms += FORGET_MS;
	for (at = from; at < from + n; at += TG_BURST) {
		tg_pipeline_burst(lab->pl, gen, &lab->in[at], TG_BURST, lab->now_ms, lab->out);
		for (i = 0; i < TG_BURST; i++)
			kept += lab->out[i].fate != TG_FATE_FORWARD;
	}
	return kept;
}

static uint64_t run_total(void *ctx)
{
	struct lab *lab = ctx;

	return total(lab, &lab->g->gen, next_slice(lab), SLICE);
}

static uint64_t run_empty_table(void *ctx)
{
	struct lab *lab = ctx;

	return total(lab, &lab->unlisted, next_slice(lab), SLICE);
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
	for (i = 0; i < FRAMES; i++) {
		uint8_t *const frame = lab->buffers + (size_t)i * BUFFER;
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
		lab->in[i] = (struct tg_frame_in){ .data = frame, .len = len };
	}
	/* A fast wrong answer is worth nothing. */
	if (total(lab, &lab->g->gen, 0, FRAMES) != lab->expected)
		doc_give_up("pipeline", "rejects others than those listed");
}

#define PASSES 48
#define SAMPLES (PASSES * (FRAMES / TG_BURST) / N_WHAT + PASSES)

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
	const struct tg_table *t = &lab->g->gen.base;
	const bool filter = t->filter && !tg_pipeline_adapt(lab->pl)->bypassed;
	const uint8_t *lines = filter ? (const void *)t->filter : (const void *)t->buckets;
	const uint64_t bytes = filter ? t->n_filter_blocks * (uint64_t)TG_FILTER_BLOCK_BYTES
				      : t->exact.n_buckets * (uint64_t)TG_BUCKET_BYTES;
	const uint8_t *line[2 * TG_BURST];
	uint64_t sum = 0;
	unsigned n = 0, i;

	for (i = 0; i < TG_BURST; i++)
		n += lab->out[i].judged ? 2 : 0;
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
		for (at = 0; at < FRAMES; at += TG_BURST) {
			const enum what what = (pass + at / TG_BURST) % N_WHAT;
			const double start = monotonic_ns();

			bench_sink += total(lab, what == FULL ? &lab->g->gen : &lab->unlisted, at,
					    TG_BURST);
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
	lab->g = g;
	lab->unlisted = g->gen;
	memset(&lab->unlisted.base, 0, sizeof(lab->unlisted.base));
	for (i = 0; i < TG_ARRAY_LEN(mix); i++) {
		struct bench_case c[N_CASES] = {
			{ "walk", run_walk, { 0 } },
			{ "parse", run_parse, { 0 } },
			{ "checksum", run_checksum, { 0 } },
			{ "normalise", run_normalise, { 0 } },
			{ "lookup", run_lookup, { 0 } },
			{ "total_empty_table", run_empty_table, { 0 } },
			{ "total", run_total, { 0 } },
		};

		fill(lab, n_entries, mix[i][0], mix[i][1]);
		bench_alternate_slices(c, N_CASES, lab, SLICE, 2 * SLICES);
		report(c, n_entries, mix[i][0], mix[i][1], added_by_table(lab), doc);
	}
	generation_free(g);
}

/* Table and filter at 11.25 bytes an entry, pages begun, buffers, verdict memory. */
static uint64_t own_bytes(uint64_t entries, const struct tg_pipeline_config *config)
{
	return entries * 12 + (8u << 20) + (uint64_t)FRAMES * BUFFER + tg_pipeline_size(config);
}

int main(int argc, char **argv)
{
	const struct tg_pipeline_config config = {
		.memory_entries = TG_PIPELINE_MEMORY_DEFAULT,
		.cap_entries = TG_PIPELINE_CAP_DEFAULT,
	};
	uint64_t sizes[8] = { 1000000, 10000000 };
	unsigned n = 2, i;
	static struct lab lab = { .seed = 7 };
	struct generation g;
	uint64_t most = 0;
	const char *pages;
	struct doc doc;

	if (argc > 1)
		for (n = 0; n < TG_ARRAY_LEN(sizes) && (int)n + 1 < argc; n++)
			sizes[n] = strtoull(argv[n + 1], NULL, 10);
	doc_open(&doc, argv[0], "pipeline");
	for (i = 0; i < n; i++)
		most = sizes[i] > most ? sizes[i] : most;
	(void)huge_borrow(own_bytes(most, &config));
	lab.buffers = bench_alloc((size_t)FRAMES * BUFFER, &pages);
	lab.pl = tg_pipeline_init(bench_alloc(tg_pipeline_size(&config), &pages), &config);
	printf("%d frames, INVITEs of %d bytes (headers as usual), %s pages; ns a packet, median "
	       "of "
	       "%d alternating runs\n"
	       "  entries listed media     walk  parse  cksum   norm lookup decide   total  "
	       "table adds  2 reads add\n",
	       FRAMES, SIZE, pages, BENCH_RUNS);
	for (i = 0; i < n; i++)
		measure(&lab, &g, sizes[i], &doc);
	return doc_close(&doc,
			 "16384 frames in memory (36 MB of buffers), INVITEs of 800 bytes, each "
			 "a new call, callers drawn from the whole table; media is RTP of 214 "
			 "bytes; phases are differences of neighbouring cases");
}
