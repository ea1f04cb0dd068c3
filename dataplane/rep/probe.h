/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The exact table and its filter, a burst at a time. Variants of one text (probe.inc.c), of which one
 * is in use.
 */
#ifndef TG_REP_PROBE_H
#define TG_REP_PROBE_H

#include "tollgate/table.h"

/* The table has buckets. Words that are no E.164 number are taken for one: the caller knows better. */
struct tg_probe_ops {
	const char *name;
	/* listings[i] = what the table says of nums[i], 0 = nothing. */
	void (*exact)(const struct tg_table *t, const struct tg_num *nums, unsigned n,
		      uint32_t *listings);
	/* The same, through the filter that the table has. Returns how many numbers passed it. */
	unsigned (*filtered)(const struct tg_table *t, const struct tg_num *nums, unsigned n,
			     uint32_t *listings);
};

extern const struct tg_probe_ops tg_probe_portable;
extern const struct tg_probe_ops tg_probe_avx2;	  /* x86-64 only */
extern const struct tg_probe_ops tg_probe_avx512; /* ... */

#endif
