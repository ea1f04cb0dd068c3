/* SPDX-License-Identifier: BSD-3-Clause */
/* Plain C, which the compiler turns into whatever vectors the baseline CPU has. */
#include "dataplane/rep/probe.h"

static inline void match(const uint64_t *const bucket[4], const uint64_t want[4], uint64_t mask,
			 uint64_t hit[4])
{
	unsigned i, j;

	for (i = 0; i < 4; i++) {
		const uint64_t *entry = bucket[i];
		uint64_t found = 0;

		for (j = 0; j < TG_BUCKET_ENTRIES; j++)
			found |= (entry[j] & mask) == want[i] ? entry[j] : 0;
		hit[i] = found;
	}
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
