/* SPDX-License-Identifier: BSD-3-Clause */
/* Which variant of the scanner is in use. */
#include "dataplane/sig/scan.h"

#include <string.h>

#include "tollgate/cpu.h"
#include "tollgate/sip.h"

const struct tg_scan_ops *tg_scan = &tg_scan_portable;

/* The best one first. */
static const struct variant {
	const struct tg_scan_ops *ops;
	bool (*has)(void); /* NULL: every CPU has it */
} variants[] = {
#if defined(__x86_64__)
	{ &tg_scan_avx512, tg_cpu_has_avx512 },
	{ &tg_scan_avx2, tg_cpu_has_avx2 },
#endif
	{ &tg_scan_portable, NULL },
	{ &tg_scan_grammar, NULL },
};

TG_CONSTRUCTOR static void choose(void)
{
	(void)tg_sip_variant_set(NULL);
}

const char *tg_sip_variant(void)
{
	return tg_scan->name;
}

bool tg_sip_variant_set(const char *name)
{
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(variants); i++) {
		if ((!name || strcmp(name, variants[i].ops->name) == 0) &&
		    (!variants[i].has || variants[i].has())) {
			tg_scan = variants[i].ops;
			return true;
		}
	}
	return false;
}
