/* SPDX-License-Identifier: BSD-3-Clause */
/* What a variant of the probe and the pipeline around it share (probe.inc.c). */
#ifndef TG_REP_PROBE_VIEW_H
#define TG_REP_PROBE_VIEW_H

#include "dataplane/rep/probe.h"

#define CHUNK TG_BURST /* 32 in flight: just above the 24 that the core can have */
#define GROUP 4	       /* keys of one match(): four 64-bit lanes */
static_assert(CHUNK % GROUP == 0 && CHUNK <= 32, "chunks are whole groups; a bit for each key");

/* What a probe needs of the table, copied: nothing that is stored can change it, so that it stays in
 * registers (a third of the time, measured). */
struct view {
	const uint64_t *buckets;
	struct tg_exact_shape exact;
	uint64_t match_mask;
	unsigned listing_shift;
};

#endif
