/* SPDX-License-Identifier: BSD-3-Clause */
/* What the benchmarks of the pipeline share: frames in memory that go through it in bursts, slice by slice. */
#ifndef PERF_BURSTS_H
#define PERF_BURSTS_H

#include "perf/generation.h"
#include "perf/traffic_ss7.h"
#include "tollgate/pipeline.h"

/* 16384 x 2176 = 36 MB of buffers, as mbufs are apart; more than the caches of this kind of machine hold for one
 * guest if each frame fills 800 bytes of its own (14 MB). */
#define BURSTS_FRAMES 16384
#define BURSTS_BUFFER 2176
/* What a case does before the next one's turn, a millisecond: a table's 12 ns are a hundredth of a
 * packet, and less than what a shared machine gives or takes from one second to the next. */
#define BURSTS_SLICE 1024
#define BURSTS_SLICES (BURSTS_FRAMES / BURSTS_SLICE)

/* Of the messages of a burst, as many of them as fit into its packets. */
#define BURSTS_NUMBERS (TG_BURST * TRAFFIC_SS7_BUNDLE_MAX * TG_SIG_MAX_IDS)

struct bursts {
	uint8_t *buffers;
	struct tg_frame_in in[BURSTS_FRAMES];
	struct generation *g;
	struct tg_generation unlisted; /* the same policy, nothing in the table */
	struct tg_pipeline *pl;
	uint64_t now_ms;
	unsigned slice;
	struct tg_result out[TG_BURST];
	/* What is looked up beside the pipeline: the numbers of a burst. */
	struct tg_num num[BURSTS_NUMBERS];
	uint32_t listing[BURSTS_NUMBERS];
	struct tg_table_adapt adapt;
};

/* How many entries the tables have that are measured with: the program's arguments, else 1 M and 10 M. */
struct bursts_sizes {
	uint64_t entries[8];
	unsigned n;
};

/* Memory for tables of those sizes, frames and a pipeline; huge pages where they can be had: *pages. Ends the
 * program if there is none. */
void bursts_open(struct bursts *b, int argc, char **argv, struct bursts_sizes *sizes,
		 const char **pages);

/* From now on with this generation. */
void bursts_use(struct bursts *b, struct generation *g);

/* The frame that the next case begins with. */
static inline unsigned bursts_next_slice(struct bursts *b)
{
	return b->slice++ % BURSTS_SLICES * BURSTS_SLICE;
}

/* As the pipeline does. */
static inline void bursts_prefetch(const struct bursts *b, unsigned at)
{
	unsigned i;

	for (i = 0; i < TG_BURST; i++) {
		__builtin_prefetch(b->in[at + i].data);
		__builtin_prefetch(b->in[at + i].data + TG_CACHE_LINE);
	}
}

/* `n` frames through the pipeline, at a time when it has forgotten all of them. How many were not let through as
 * they are. */
uint64_t bursts_run(struct bursts *b, const struct tg_generation *gen, unsigned from, unsigned n);

/* Cases: the next slice through the pipeline. `ctx` begins with struct bursts. */
uint64_t bursts_total(void *ctx);
uint64_t bursts_empty_table(void *ctx);

/* What a benchmark does for a burst in place of the pipeline: reads the messages of the burst from `at` on, as deep as is
 * asked for, and says how many there are; from a depth on each has its numbers normalised, from another on all are
 * looked up. */
struct bursts_reader {
	unsigned (*read)(void *lab, unsigned at, unsigned depth);
	const struct tg_sig_msg *(*normalise)(void *lab, unsigned i,
					      const struct tg_num_profile *profile);
	unsigned normalised_from;
	unsigned looked_up_from;
};

/* The next slice so far. Inline: a reader's functions and depth are the compiler's to know. */
TG_ALWAYS_INLINE uint64_t bursts_read(struct bursts *b, const struct bursts_reader *r, void *lab,
				      unsigned depth)
{
	const struct tg_num_profile *profile = &b->g->gen.policy.trunk[0].profile;
	const unsigned from = bursts_next_slice(b);
	uint64_t sum = 0;
	unsigned at, i, k;

	for (at = from; at < from + BURSTS_SLICE; at += TG_BURST) {
		const unsigned n = r->read(lab, at, depth);
		unsigned keys = 0;

		sum += n;
		for (i = 0; depth >= r->normalised_from && i < n; i++) {
			const struct tg_sig_msg *const m = r->normalise(lab, i, profile);

			for (k = 0; k < m->n_ids; k++)
				b->num[keys++] = m->id[k].num;
		}
		if (depth >= r->looked_up_from)
			tg_table_lookup_burst(&b->g->gen.base, NULL, &b->adapt, b->num, keys,
					      b->listing);
	}
	return sum;
}

#endif
