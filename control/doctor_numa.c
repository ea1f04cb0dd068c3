/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory, ports and cores on one node: a packet that crosses costs some 100 ns twice. */
#include <stdlib.h>
#include <string.h>

#include "control/doctor.h"

static struct tg_doctor_where at(const char *check, const char *port)
{
	return (struct tg_doctor_where){ "numa", check, port };
}

/* The node of a port's device; -1: none, as of virtual devices and machines with one node. */
static long long node_of(const struct tg_doctor *d, const char *port)
{
	long long node;

	if (tg_doctor_number(d, &node, "/sys/class/net/%s/device/numa_node", port) != 0)
		return -1;
	return node;
}

/* "0-3,8": whether core is in it. */
static bool in_list(const char *list, long core)
{
	char *end;
	long from, to;

	while (*list) {
		from = to = strtol(list, &end, 10);
		if (end == list)
			return false;
		if (*end == '-')
			to = strtol(end + 1, &end, 10);
		if (core >= from && core <= to)
			return true;
		list = *end == ',' ? end + 1 : end;
		if (list == end && *end)
			return false;
	}
	return false;
}

/* The first core of `cores` that is not in `list`, -1: all are. */
static long first_outside(const char *cores, const char *list)
{
	char *end;
	long from, to;

	while (*cores) {
		from = to = strtol(cores, &end, 10);
		if (end == cores)
			return -1;
		if (*end == '-')
			to = strtol(end + 1, &end, 10);
		for (; from <= to; from++) {
			if (!in_list(list, from))
				return from;
		}
		if (*end != ',')
			return -1;
		cores = end + 1;
	}
	return -1;
}

static void check_cores(struct tg_doctor *d, const char *port, long long node)
{
	char list[512];
	long core;

	if (tg_doctor_read(d, list, sizeof(list), "/sys/devices/system/node/node%lld/cpulist",
			   node) != 0)
		return;
	if (!d->cores) {
		tg_doctor_find(d, at("cores", port), TG_DOCTOR_NOTE,
			       "node %lld, whose cores are %s", node, list);
		tg_doctor_advise(d, "tollgate-dp -l with some of these; --cores checks a choice");
		return;
	}
	core = first_outside(d->cores, list);
	if (core < 0) {
		tg_doctor_find(d, at("cores", port), TG_DOCTOR_OK, "%s are all on its node %lld",
			       d->cores, node);
		return;
	}
	tg_doctor_find(d, at("cores", port), TG_DOCTOR_WARN, "core %ld is not on its node %lld",
		       core, node);
	tg_doctor_advise(d, "choose cores of %s for tollgate-dp -l", list);
}

static void check_huge_pages(struct tg_doctor *d, const char *port, long long node)
{
	long long n;

	if (tg_doctor_number(d, &n,
			     "/sys/devices/system/node/node%lld/hugepages/hugepages-2048kB/"
			     "nr_hugepages",
			     node) != 0)
		return;
	if (n > 0) {
		tg_doctor_find(d, at("huge pages", port), TG_DOCTOR_OK,
			       "%lld of 2 MB on its node %lld", n, node);
		return;
	}
	tg_doctor_find(d, at("huge pages", port), TG_DOCTOR_WARN, "none of 2 MB on its node %lld",
		       node);
	tg_doctor_advise(d,
			 "echo 1024 > /sys/devices/system/node/node%lld/hugepages/"
			 "hugepages-2048kB/nr_hugepages",
			 node);
}

static void check_pair(struct tg_doctor *d, const char *port, const char *peer)
{
	const long long a = node_of(d, port), b = node_of(d, peer);

	if (a < 0 || b < 0 || a == b)
		return;
	tg_doctor_find(d, at("pair", port), TG_DOCTOR_WARN,
		       "on node %lld, its peer %s on node %lld", a, peer, b);
	tg_doctor_advise(d, "two ports of one card, or two slots of one node");
}

void tg_doctor_numa(struct tg_doctor *d)
{
	const unsigned nodes = tg_doctor_entries(d, "/sys/devices/system/node", "node");
	unsigned i;

	if (nodes < 2) {
		tg_doctor_find(d, at("nodes", NULL), TG_DOCTOR_OK,
			       "one: nothing can be on another");
		return;
	}
	tg_doctor_find(d, at("nodes", NULL), TG_DOCTOR_OK, "%u", nodes);
	for (i = 0; i < d->n_ports; i++) {
		const long long node = node_of(d, d->port[i]);

		if (node < 0) {
			tg_doctor_find(d, at("device", d->port[i]), TG_DOCTOR_NOTE,
				       "belongs to no node");
			continue;
		}
		check_cores(d, d->port[i], node);
		check_huge_pages(d, d->port[i], node);
		if (i % 2 == 1)
			check_pair(d, d->port[i], d->port[i - 1]);
	}
}
