/* SPDX-License-Identifier: BSD-3-Clause */
/* Prefixes and ranges, and short codes: what is asked after the exact table. */
#ifndef TG_REP_RANGES_H
#define TG_REP_RANGES_H

#include "tollgate/table.h"

/* For each E.164 number: fills the roles that listings[i] does not answer from the narrowest
 * interval, marked as BY_RANGE. The table has ranges. */
void tg_ranges_lookup_burst(const struct tg_table *t, const struct tg_num *nums, unsigned n,
			    uint32_t *listings);

/* listings[i] of each short code. */
void tg_shorts_lookup_burst(const struct tg_table *t, const struct tg_num *nums, unsigned n,
			    uint32_t *listings);

#endif
