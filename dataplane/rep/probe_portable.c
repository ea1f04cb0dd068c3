/* SPDX-License-Identifier: BSD-3-Clause */
/* Plain C, which the compiler turns into whatever vectors the baseline CPU has. */
#include "dataplane/rep/probe_view.h"

static inline unsigned match(const struct view *v, const uint64_t *const bucket[GROUP],
			     const uint64_t want[GROUP], uint32_t found[GROUP])
{
	unsigned missed = 0, i, j;

	for (i = 0; i < GROUP; i++) {
		const uint64_t *entry = bucket[i];
		const uint64_t overflow = entry[tg_exact_overflow_entry(want[i])] >> 63;
		uint64_t hit = 0;

		for (j = 0; j < TG_BUCKET_ENTRIES; j++)
			hit |= entry[j] & -(uint64_t)((entry[j] & v->match_mask) == want[i]);
		found[i] = (uint32_t)((hit & ~TG_ENTRY_OVERFLOW) >> v->listing_shift);
		missed |= ((unsigned)overflow & (found[i] == 0)) << i;
	}
	return missed;
}

static inline bool block_has(const uint32_t *block, uint32_t hash)
{
	uint32_t missing = 0;
	unsigned i;

	for (i = 0; i < TG_FILTER_WORDS; i++)
		missing |= tg_filter_bit(hash, i) & ~block[i];
	return missing == 0;
}

#define PROBE_OPS tg_probe_portable
#define PROBE_NAME "portable"
#include "dataplane/rep/probe.inc.c"
