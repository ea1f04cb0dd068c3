/* SPDX-License-Identifier: BSD-3-Clause */
/* Time: how much it costs to read, and whether it is right. */
#include <string.h>

#include "control/doctor.h"

#define SOURCE "/sys/devices/system/clocksource/clocksource0/"

/* Those that are read without a system call. */
static const char *const fast[] = { "tsc", "kvm-clock", "hyperv_clocksource_tsc_page",
				    "arch_sys_counter", "xen" };

static void check_source(struct tg_doctor *d)
{
	const struct tg_doctor_where where = { "clock", "source", NULL };
	char source[64], available[256] = "";
	unsigned i;

	if (tg_doctor_read(d, source, sizeof(source), SOURCE "current_clocksource") != 0) {
		tg_doctor_find(d, where, TG_DOCTOR_NOTE, "cannot be told here");
		return;
	}
	for (i = 0; i < TG_ARRAY_LEN(fast); i++) {
		if (strcmp(source, fast[i]) == 0) {
			tg_doctor_find(d, where, TG_DOCTOR_OK, "%s", source);
			return;
		}
	}
	(void)tg_doctor_read(d, available, sizeof(available), SOURCE "available_clocksource");
	tg_doctor_find(d, where, TG_DOCTOR_WARN, "%s: a reading is a system call or a bus access",
		       source);
	if (strstr(available, "tsc"))
		tg_doctor_advise(d, "echo tsc > " SOURCE "current_clocksource; if the kernel goes "
				    "back, its log says why");
	else
		tg_doctor_advise(d,
				 "the TSC is not offered (%s): see the kernel's log, and the "
				 "firmware's settings",
				 available);
}

static void check_sync(struct tg_doctor *d)
{
	const struct tg_doctor_where where = { "clock", "synchronised", NULL };
	const int rc = d->env->clock_synced();

	if (rc == 0) {
		tg_doctor_find(d, where, TG_DOCTOR_OK, "yes");
	} else if (rc == 1) {
		tg_doctor_find(d, where, TG_DOCTOR_WARN, "no");
		tg_doctor_advise(d,
				 "apt-get install chrony: listings expire by the wall clock, and "
				 "events are evidence");
	} else {
		tg_doctor_find(d, where, TG_DOCTOR_NOTE, "cannot be told here: %s", strerror(-rc));
	}
}

void tg_doctor_clock(struct tg_doctor *d)
{
	check_source(d);
	check_sync(d);
}
