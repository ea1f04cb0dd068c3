/* SPDX-License-Identifier: BSD-3-Clause */
/* Huge pages: the table's memory, and EAL's. */
#include "control/doctor.h"

#define POOL "/sys/kernel/mm/hugepages/hugepages-%ukB/"

static const unsigned sizes_kb[] = { 2048, 1048576 };

static void check_reserved(struct tg_doctor *d)
{
	const struct tg_doctor_where where = { "memory", "huge pages", NULL };
	long long total = 0, unused = 0, n, n_free;
	bool any_pool = false;
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(sizes_kb); i++) {
		if (tg_doctor_number(d, &n, POOL "nr_hugepages", sizes_kb[i]) != 0 ||
		    tg_doctor_number(d, &n_free, POOL "free_hugepages", sizes_kb[i]) != 0)
			continue;
		any_pool = true;
		total += n * sizes_kb[i] / 1024;
		unused += n_free * sizes_kb[i] / 1024;
	}
	if (!any_pool) {
		tg_doctor_find(d, where, TG_DOCTOR_WARN, "the kernel has none");
		tg_doctor_advise(d, "run tollgate-dp with --no-huge -m 512: it works, at a higher "
				    "cost of each lookup");
	} else if (total == 0) {
		tg_doctor_find(d, where, TG_DOCTOR_WARN, "none is reserved");
		tg_doctor_advise(d,
				 "echo 1024 > /sys/kernel/mm/hugepages/hugepages-2048kB/"
				 "nr_hugepages; for good: vm.nr_hugepages=1024 in /etc/sysctl.d; "
				 "about 512 MB for tollgate-dp, and 10 bytes a number, twice, for "
				 "the table");
	} else {
		tg_doctor_find(d, where, unused ? TG_DOCTOR_OK : TG_DOCTOR_WARN,
			       "%lld MB are reserved, %lld MB of them free", total, unused);
		if (!unused)
			tg_doctor_advise(d, "unless tollgate-dp has them: reserve more, or its "
					    "next table lies on small pages");
	}
}

static void check_mounted(struct tg_doctor *d)
{
	const struct tg_doctor_where where = { "memory", "hugetlbfs", NULL };

	if (tg_doctor_mounted(d, "hugetlbfs", NULL)) {
		tg_doctor_find(d, where, TG_DOCTOR_OK, "mounted");
		return;
	}
	tg_doctor_find(d, where, TG_DOCTOR_NOTE, "not mounted");
	tg_doctor_advise(d, "mount -t hugetlbfs none /dev/hugepages, or run tollgate-dp with "
			    "--in-memory");
}

void tg_doctor_memory(struct tg_doctor *d)
{
	check_reserved(d);
	check_mounted(d);
}
