/* SPDX-License-Identifier: BSD-3-Clause */
/* What a variant of the probe and the pipeline around it share (probe.inc.c). */
#ifndef TG_REP_PROBE_VIEW_H
#define TG_REP_PROBE_VIEW_H

#include "dataplane/rep/probe.h"

/* How far ahead of its probe a line is asked for: 2.7 times the 24 that the core can have in flight, so
 * that hardly a probe has to wait for the slowest of them. (32: 4 % slower, measured.) */
#define CHUNK 64
/* Arrays shorter than this go by half chunks: there is less to ask for, and the first probe is due. */
#define SHORT 256
#define GROUP 4 /* keys of one match(): four 64-bit lanes */
/* Asked for in a row, before as many are probed: page walks overlap only while they are so close that
 * the core sees several at once. (4: 15 % slower at 10 M, 30 % at 100 M; 32: 25 % slower at 10 M.) */
#define STRETCH 16
static_assert(CHUNK / 2 % STRETCH == 0 && STRETCH % GROUP == 0 && CHUNK <= 64,
	      "chunks are whole stretches, these whole groups; a bit for each key");

/* What a probe needs of the table, copied: nothing that is stored can change it, so that it stays in
 * registers (a third of the time, measured). */
struct view {
	const uint64_t *buckets;
	struct tg_exact_shape exact;
	uint64_t match_mask;
	unsigned listing_shift;
};

#endif
