/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is known of PASSporTs whose signatures were verified lately, by a keyed hash of the whole Identity
 * value. Not of certificate and signature alone, or other claims could borrow the signature of good ones.
 *
 * Fixed size. An entry ages out; where a set is full the one that would have aged out first goes, and
 * its PASSporT is unverified again, which is no failure (SIP-39). May not know what verifying is.
 */
#ifndef TG_FLOW_VERIFIED_H
#define TG_FLOW_VERIFIED_H

#include "tollgate/base.h"

#define TG_VERIFIED_WAYS 4

struct tg_verified_set;

/* One per pipeline; written and read by its worker only. */
struct tg_verified {
	struct tg_verified_set *set;
	uint64_t n_sets; /* 0: nothing is ever known */
};

/* 0 entries take no memory. */
size_t tg_verified_size(uint32_t entries);
/* `block`: tg_verified_size bytes, cache-line aligned, the caller's. */
void tg_verified_init(struct tg_verified *t, void *block, uint32_t entries);

/* `now_ms`: any monotonic clock. False: nothing is known; *state is untouched. */
bool tg_verified_find(const struct tg_verified *t, uint64_t key, uint64_t now_ms, uint8_t *state);

/* Known for `for_ms` from now on, in place of what was known before. */
void tg_verified_put(struct tg_verified *t, uint64_t key, uint8_t state, uint32_t for_ms,
		     uint64_t now_ms);

#endif
