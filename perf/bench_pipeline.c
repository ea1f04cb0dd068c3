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
#include "perf/traffic.h"
#include "tollgate/checksum.h"

/* 16384 x 2176 = 36 MB of buffers, of which the frames fill 14 MB: more than the caches of this kind
 * of machine hold for one guest. */
#define FRAMES 16384
#define BUFFER 2176
#define SIZE 800
#define FORGET_MS 40000
#define KEYS (TG_BURST * TG_SIG_MAX_IDS)

struct lab {
	uint8_t *buffers;
	struct tg_frame_in in[FRAMES];
	struct generation *g;
	struct tg_generation unlisted; /* the same policy, nothing in the table */
	struct tg_pipeline *pl;
	struct tg_table_adapt adapt;
	uint64_t now_ms;
	unsigned expected;
	struct tg_result out[TG_BURST];
	struct tg_frame frame[TG_BURST];
	struct tg_sip sip[TG_BURST];
	struct tg_num num[KEYS];
	uint32_t listing[KEYS];
};

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
	uint64_t sum = 0;
	unsigned at, i, k;

	for (at = 0; at < FRAMES; at += TG_BURST) {
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
static uint64_t total(struct lab *lab, const struct tg_generation *gen)
{
	uint64_t kept = 0;
	unsigned at, i;

	lab->now_ms += FORGET_MS;
	for (at = 0; at < FRAMES; at += TG_BURST) {
		tg_pipeline_burst(lab->pl, gen, &lab->in[at], TG_BURST, lab->now_ms, lab->out);
		for (i = 0; i < TG_BURST; i++)
			kept += lab->out[i].fate != TG_FATE_FORWARD;
	}
	return kept;
}

static uint64_t run_total(void *ctx)
{
	struct lab *lab = ctx;

	return total(lab, &lab->g->gen);
}

static uint64_t run_empty_table(void *ctx)
{
	struct lab *lab = ctx;

	return total(lab, &lab->unlisted);
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
	if (total(lab, &lab->g->gen) != lab->expected)
		doc_give_up("pipeline", "rejects others than those listed");
}

static void report(const struct bench_case *c, uint64_t n_entries, unsigned listed, unsigned media,
		   struct doc *doc)
{
	const double t[N_CASES] = { bench_ns(&c[0]), bench_ns(&c[1]), bench_ns(&c[2]),
				    bench_ns(&c[3]), bench_ns(&c[4]), bench_ns(&c[5]),
				    bench_ns(&c[6]) };
	const double added = bench_difference(&c[C_TOTAL], &c[C_EMPTY]);
	json_t *row = json_pack("{s:I,s:i,s:i,s:f}", "entries", (json_int_t)n_entries,
				"listed_percent", (int)listed, "media_percent", (int)media,
				"table_adds", added);
	unsigned i;

	for (i = 0; i < N_CASES; i++)
		json_object_set_new(row, c[i].name, doc_spread(&c[i]));
	doc_row(doc, row);
	printf("%9" PRIu64 " %4u %% %4u %%  %6.0f %6.0f %6.0f %6.0f %6.0f %6.0f  %6.0f  %6.1f\n",
	       n_entries, listed, media, t[C_WALK], t[C_PARSE] - t[C_WALK],
	       t[C_CHECKSUM] - t[C_PARSE], t[C_NORMALISE] - t[C_CHECKSUM],
	       t[C_LOOKUP] - t[C_NORMALISE], t[C_TOTAL] - t[C_LOOKUP], t[C_TOTAL], added);
	fflush(stdout);
	if (n_entries == 10000000 && listed == 0 && media == 0)
		doc_mark(doc, DOC_AT_MOST, 12, added,
			 "pipeline: ns a packet that 10 M entries add to an empty table (4 numbers "
			 "a call)");
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
		bench_alternate(c, N_CASES, lab, FRAMES);
		report(c, n_entries, mix[i][0], mix[i][1], doc);
	}
	generation_free(g);
}

int main(int argc, char **argv)
{
	const struct tg_pipeline_config config = {
		.memory_entries = TG_PIPELINE_MEMORY_DEFAULT,
		.cap_entries = TG_PIPELINE_CAP_DEFAULT,
	};
	uint64_t sizes[8] = { 1000000, 10000000 };
	unsigned n = 2, i;
	static struct lab lab;
	struct generation g;
	const char *pages;
	struct doc doc;

	if (argc > 1)
		for (n = 0; n < TG_ARRAY_LEN(sizes) && (int)n + 1 < argc; n++)
			sizes[n] = strtoull(argv[n + 1], NULL, 10);
	doc_open(&doc, argv[0], "pipeline");
	lab.buffers = bench_alloc((size_t)FRAMES * BUFFER, &pages);
	lab.pl = tg_pipeline_init(bench_alloc(tg_pipeline_size(&config), &pages), &config);
	printf("%d frames, INVITEs of %d bytes (headers as usual), %s pages; ns a packet, median "
	       "of "
	       "%d alternating runs\n"
	       "  entries listed media     walk  parse  cksum   norm lookup decide   total  "
	       "table adds\n",
	       FRAMES, SIZE, pages, BENCH_RUNS);
	for (i = 0; i < n; i++)
		measure(&lab, &g, sizes[i], &doc);
	return doc_close(&doc,
			 "16384 frames in memory (36 MB of buffers), INVITEs of 800 bytes, each "
			 "a new call, callers drawn from the whole table; media is RTP of 214 "
			 "bytes; phases are differences of neighbouring cases");
}
