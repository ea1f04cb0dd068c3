/* SPDX-License-Identifier: BSD-3-Clause */
/* Which variant of the scanner is in use. */
#include "dataplane/sig/scan.h"

#include <string.h>

#include "tollgate/sip.h"

const struct tg_scan_ops *tg_scan = &tg_scan_portable;

static const struct tg_scan_ops *best(void)
{
#if defined(__x86_64__)
	/* All that the Makefile compiles *_avx2.c for. */
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
	    __builtin_cpu_supports("bmi2"))
		return &tg_scan_avx2;
#endif
	return &tg_scan_portable;
}

TG_CONSTRUCTOR static void choose(void)
{
	tg_scan = best();
}

const char *tg_sip_variant(void)
{
	return tg_scan->name;
}

bool tg_sip_variant_set(const char *name)
{
	const struct tg_scan_ops *const all[] = { best(), &tg_scan_portable, &tg_scan_grammar };
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(all); i++) {
		if (!name || strcmp(name, all[i]->name) == 0) {
			tg_scan = all[i];
			return true;
		}
	}
	return false;
}
