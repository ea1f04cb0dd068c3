/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How many answers one source address may have: a token bucket each, so that nobody makes us reflect
 * answers at a forged address (traps OP-8). Fixed size; where a set is full, the source that was
 * quiet longest is forgotten, which gives it a fresh bucket: an attacker who forges that many sources
 * hits each of them with no more than one burst.
 */
#ifndef TG_FLOW_CAP_H
#define TG_FLOW_CAP_H

#include "tollgate/base.h"

#define TG_CAP_WAYS 4

struct tg_cap_set;

/* One per pipeline; written and read by its worker only. */
struct tg_cap {
	struct tg_cap_set *set;
	uint64_t n_sets;
};

size_t tg_cap_size(uint32_t entries);
/* `block`: tg_cap_size bytes, cache-line aligned, the caller's. */
void tg_cap_init(struct tg_cap *c, void *block, uint32_t entries);

/*
 * One more answer to `source` (a keyed hash of its address) now? Takes a token if so. `per_second` is
 * the rate and the burst; 0 = never.
 */
bool tg_cap_allow(struct tg_cap *c, uint64_t source, uint32_t per_second, uint64_t now_ms);

#endif
