/* SPDX-License-Identifier: BSD-3-Clause */
/* What the benchmarks of the pipeline share: frames in memory that go through it in bursts, slice by slice. */
#ifndef PERF_BURSTS_H
#define PERF_BURSTS_H

#include "perf/generation.h"
#include "tollgate/pipeline.h"

/* 16384 x 2176 = 36 MB of buffers, as mbufs are apart; more than the caches of this kind of machine hold for one
 * guest if each frame fills 800 bytes of its own (14 MB). */
#define BURSTS_FRAMES 16384
#define BURSTS_BUFFER 2176
/* What a case does before the next one's turn, a millisecond: a table's 12 ns are a hundredth of a
 * packet, and less than what a shared machine gives or takes from one second to the next. */
#define BURSTS_SLICE 1024
#define BURSTS_SLICES (BURSTS_FRAMES / BURSTS_SLICE)

struct bursts {
	uint8_t *buffers;
	struct tg_frame_in in[BURSTS_FRAMES];
	struct generation *g;
	struct tg_generation unlisted; /* the same policy, nothing in the table */
	struct tg_pipeline *pl;
	uint64_t now_ms;
	unsigned slice;
	struct tg_result out[TG_BURST];
};

/* Memory for tables of up to `entries`, frames and a pipeline; huge pages where they can be had: *pages. Ends the
 * program if there is none. */
void bursts_open(struct bursts *b, uint64_t entries, const char **pages);

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

#endif
