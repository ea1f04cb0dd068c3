/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames in memory through tg_pipeline_burst, in total and phase by phase: calls over SS7 (ISUP in M3UA), with a share
 * of listed callers; alone, several to a packet, and among the other messages of calls.
 *
 *	bench_ss7 [ENTRIES ...]		1000000 10000000 unless told
 *
 * As bench_pipeline: a phase's cost is the difference of two cases that run next to each other.
 */
#include <inttypes.h>

#include "perf/bursts.h"
#include "perf/doc.h"
#include "perf/traffic_ss7.h"
#include "tollgate/isup.h"
#include "tollgate/mtp3.h"
#include "tollgate/sctp.h"

#define MESSAGES (TG_BURST * TRAFFIC_SS7_BUNDLE_MAX)

/* Another mix is another time: a change is known for 64 s by its chunk, which might be one of these. */
#define FORGET_CHANGES_MS 100000

struct lab {
	struct bursts b; /* first: see bursts_total */
	unsigned expected;
	struct tg_isup isup[MESSAGES];
};

struct mix {
	const char *name;
	struct generation_ss7 of;
};

static const struct mix mixes[] = {
	{ "IAMs", { 0, 100, 1 } },
	{ "IAMs", { 1, 100, 1 } },
	{ "IAMs", { 10, 100, 1 } },
	{ "4 IAMs a packet", { 1, 100, 4 } },
	{ "IAM, ACM, ANM, REL, RLC", { 1, 20, 1 } },
	{ "the same, 4 a packet", { 1, 20, 4 } },
};

/* ---- the phases ---------------------------------------------------------------------------------- */

enum depth {
	WALK,
	CHUNKS,
	LAYER,
	USER_PART,
	NORMALISE,
	LOOKUP
};

static unsigned read_packet(struct lab *lab, struct tg_span packet, enum depth depth, unsigned n)
{
	struct tg_sctp_chunk c;
	struct tg_sctp_data d;
	struct tg_mtp3 mtp3;
	struct tg_sctp s;

	if (!tg_sctp_open(packet, &s))
		return n;
	while (tg_sctp_next(&s, &c)) {
		if (!tg_sctp_data_read(&c, &d) || depth == CHUNKS)
			continue;
		if (tg_m3ua_read(d.user, &mtp3) == TG_REASON_NONE && depth >= USER_PART)
			n += tg_isup_read(mtp3.user, TG_ISUP_ITU, false, &lab->isup[n]) ==
			     TG_REASON_NONE;
	}
	return n;
}

static unsigned read_burst(void *ctx, unsigned at, unsigned depth)
{
	struct lab *lab = ctx;
	struct tg_frame f;
	unsigned n = 0, i;

	bursts_prefetch(&lab->b, at);
	for (i = 0; i < TG_BURST; i++) {
		const struct tg_frame_in *in = &lab->b.in[at + i];

		if (tg_frame_walk(in->data, in->data + in->len, TG_LINK_ETHERNET, &f) ==
			    TG_REASON_SCTP &&
		    depth >= CHUNKS)
			n = read_packet(lab,
					(struct tg_span){ in->data + f.payload_off, f.payload_len },
					depth, n);
	}
	return n;
}

static const struct tg_sig_msg *normalise(void *ctx, unsigned i,
					  const struct tg_num_profile *profile)
{
	struct lab *lab = ctx;

	tg_isup_normalise(&lab->isup[i], profile);
	return &lab->isup[i].sig;
}

static uint64_t phases(struct lab *lab, enum depth depth)
{
	static const struct bursts_reader reader = { read_burst, normalise, NORMALISE, LOOKUP };

	return bursts_read(&lab->b, &reader, lab, depth);
}

static uint64_t run_walk(void *ctx)
{
	return phases(ctx, WALK);
}

static uint64_t run_chunks(void *ctx)
{
	return phases(ctx, CHUNKS);
}

static uint64_t run_layer(void *ctx)
{
	return phases(ctx, LAYER);
}

static uint64_t run_user_part(void *ctx)
{
	return phases(ctx, USER_PART);
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
	C_CHUNKS,
	C_LAYER,
	C_USER_PART,
	C_NORMALISE,
	C_LOOKUP,
	C_EMPTY,
	C_TOTAL,
	N_CASES
};

/* ---- the laboratory ------------------------------------------------------------------------------ */

static void fill(struct lab *lab, const struct mix *mix, uint64_t entries)
{
	unsigned i;

	lab->expected = 0;
	lab->b.now_ms += FORGET_CHANGES_MS;
	for (i = 0; i < BURSTS_FRAMES; i++) {
		uint8_t *const frame = lab->b.buffers + (size_t)i * BURSTS_BUFFER;
		bool listed;

		lab->b.in[i] = (struct tg_frame_in){
			.data = frame,
			.len = generation_ss7_frame(frame, entries, &mix->of, i, &listed),
		};
		lab->expected += listed;
	}
	/* A fast wrong answer is worth nothing. */
	if (bursts_run(&lab->b, &lab->b.g->gen, 0, BURSTS_FRAMES) != lab->expected)
		doc_give_up("pipeline", "changes others than those listed");
}

static void report(const struct bench_case *c, uint64_t entries, const struct mix *mix,
		   struct doc *doc)
{
	double t[N_CASES];
	json_t *row = json_pack("{s:I,s:s,s:i,s:i,s:i}", "entries", (json_int_t)entries, "traffic",
				mix->name, "listed_percent", (int)mix->of.listed, "iam_percent",
				(int)mix->of.iams, "messages_a_packet", (int)mix->of.bundle);
	unsigned i;

	for (i = 0; i < N_CASES; i++) {
		t[i] = bench_ns(&c[i]);
		json_object_set_new(row, c[i].name, doc_spread(&c[i]));
	}
	doc_row(doc, row);
	printf("%9" PRIu64
	       " %-24s %2u %%  %5.0f %6.0f %6.0f %6.0f %6.0f %6.0f %6.0f  %6.0f %6.0f\n",
	       entries, mix->name, mix->of.listed, t[C_WALK], t[C_CHUNKS] - t[C_WALK],
	       t[C_LAYER] - t[C_CHUNKS], t[C_USER_PART] - t[C_LAYER],
	       t[C_NORMALISE] - t[C_USER_PART], t[C_LOOKUP] - t[C_NORMALISE],
	       t[C_TOTAL] - t[C_LOOKUP], t[C_TOTAL], t[C_EMPTY]);
	fflush(stdout);
}

static void measure(struct lab *lab, struct generation *g, uint64_t entries, struct doc *doc)
{
	unsigned i;

	generation_make(g, entries);
	bursts_use(&lab->b, g);
	for (i = 0; i < TG_ARRAY_LEN(mixes); i++) {
		struct bench_case c[N_CASES] = {
			[C_WALK] = { "walk", run_walk, { 0 } },
			[C_CHUNKS] = { "chunks", run_chunks, { 0 } },
			[C_LAYER] = { "m3ua", run_layer, { 0 } },
			[C_USER_PART] = { "isup", run_user_part, { 0 } },
			[C_NORMALISE] = { "normalise", run_normalise, { 0 } },
			[C_LOOKUP] = { "lookup", run_lookup, { 0 } },
			[C_EMPTY] = { "total_empty_table", bursts_empty_table, { 0 } },
			[C_TOTAL] = { "total", bursts_total, { 0 } },
		};

		fill(lab, &mixes[i], entries);
		bench_alternate_slices(c, N_CASES, lab, BURSTS_SLICE, 2 * BURSTS_SLICES);
		report(c, entries, &mixes[i], doc);
	}
	generation_free(g);
}

int main(int argc, char **argv)
{
	static struct lab lab;
	struct bursts_sizes sizes;
	struct generation g;
	const char *pages;
	struct doc doc;
	unsigned i;

	doc_open(&doc, argv[0], "ss7");
	bursts_open(&lab.b, argc, argv, &sizes, &pages);
	printf("%d frames, ISUP in M3UA, %s pages; ns a packet, median of %d alternating runs\n"
	       "  entries traffic                listed   walk chunks   m3ua   isup   norm lookup "
	       "decide   total  empty table\n",
	       BURSTS_FRAMES, pages, BENCH_RUNS);
	for (i = 0; i < sizes.n; i++)
		measure(&lab, &g, sizes.entries[i], &doc);
	return doc_close(
		&doc,
		"16384 frames in memory (36 MB of buffers), ISUP in M3UA, each call a new one on "
		"64 associations, callers drawn from the whole table; phases are differences of "
		"neighbouring cases; what carries a listed call out (tg_edit_build) is not among "
		"them");
}
