/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Token buckets by key: how many answers one source address may have, so that nobody makes us reflect
 * answers at a forged address (traps OP-8), and how many calls a rule lets pass for one number. Fixed size;
 * where a set is full, the key that was quiet longest is forgotten, which gives it a fresh bucket: it fails
 * open, and an attacker who forges that many sources hits each of them with no more than one burst.
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

/* `count` in `period_ms`, and as many at once; their product fits 32 bits. count 0 = never. */
struct tg_cap_rate {
	uint32_t count;
	uint32_t period_ms;
};

/* One more of `key` (a keyed hash) now? Takes a token if so. */
bool tg_cap_allow(struct tg_cap *c, uint64_t key, struct tg_cap_rate rate, uint64_t now_ms);

#endif
