/* SPDX-License-Identifier: BSD-3-Clause */
/* What a variant of the probe and the pipeline around it share (probe.inc.c). */
#ifndef TG_REP_PROBE_VIEW_H
#define TG_REP_PROBE_VIEW_H

#include "dataplane/rep/probe.h"

/* How far ahead of its probe a line is asked for: somewhat more than the 24 that the core can have in flight, so that
 * hardly a probe has to wait for its line. (On Zen 3 64 were 4 % faster in long arrays, on Zen 4 3 % slower.) */
#define CHUNK 32
/* The same for the filter's blocks, which are not asked for between probes (32: 20 % slower), and room for either. */
#define BLOCK_CHUNK 64
#define GROUP 4 /* keys of one match(): four 64-bit lanes */
/* Asked for in a row, before as many are probed: page walks overlap only while they are so close that the core sees
 * several at once, and while a row is asked for nothing is probed. (At 10 M on Zen 4, times the limit: 8: 1.30,
 * 16: 1.33, 32: 1.49; 4 was 15 % slower on Zen 3.) */
#define STRETCH 8
static_assert(CHUNK % STRETCH == 0 && STRETCH % GROUP == 0 && CHUNK <= BLOCK_CHUNK &&
		      BLOCK_CHUNK <= 64,
	      "chunks are whole stretches, these whole groups; a bit for each key");

/* What a probe needs of the table, copied: nothing that is stored can change it, so that it stays in
 * registers (a third of the time, measured). */
struct view {
	const uint64_t *buckets;
	struct tg_exact_shape exact;
	uint64_t match_mask;
	unsigned listing_shift;
};

/* Keys on their way into buckets that have been asked for. */
struct keys {
	const uint64_t *bucket[BLOCK_CHUNK];
	uint64_t want[BLOCK_CHUNK];
	unsigned n;
};

static inline void ask_bucket(const struct view *v, struct keys *k, unsigned i, struct tg_num num)
{
	const uint64_t y = tg_exact_mix(&v->exact, num.v);
	const uint32_t c = tg_crc32c_u64(y);

	k->bucket[i] = v->buckets + (size_t)tg_exact_home(&v->exact, c) * TG_BUCKET_ENTRIES;
	k->want[i] = tg_exact_tag(&v->exact, y, c);
	__builtin_prefetch(k->bucket[i]);
}

#endif
