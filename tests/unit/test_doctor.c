/* SPDX-License-Identifier: BSD-3-Clause */
/* tgctl doctor over a machine made of files: everything in order, then one thing wrong at a time. */
#include <errno.h>
#include <limits.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/doctor.h"
#include "tests/support/tg_test.h"

/* ---- the machine --------------------------------------------------------------------------------- */

static char root[64];
static struct tg_doctor_port says;
static int port_rc, bpf_rc, af_xdp_rc, synced;

static int fake_port(const char *ifname, struct tg_doctor_port *out)
{
	(void)ifname;
	*out = says;
	return port_rc;
}

static int fake_bpf(void)
{
	return bpf_rc;
}

static int fake_af_xdp(void)
{
	return af_xdp_rc;
}

static int fake_synced(void)
{
	return synced;
}

static const struct tg_doctor_env env = { root, fake_port, fake_bpf, fake_af_xdp, fake_synced };

/* A file below the root, folders included; NULL removes it. */
static void put(const char *path, const char *text)
{
	char whole[PATH_MAX], *slash;
	FILE *f;

	snprintf(whole, sizeof(whole), "%s%s", root, path);
	if (!text) {
		unlink(whole);
		return;
	}
	for (slash = strchr(whole + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		(void)mkdir(whole, 0700);
		*slash = '/';
	}
	f = fopen(whole, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

#define POOL "/sys/kernel/mm/hugepages/hugepages-2048kB/"
#define NODE(n) "/sys/devices/system/node/node" #n
#define NODE_POOL(n) NODE(n) "/hugepages/hugepages-2048kB/nr_hugepages"
#define NET(port, file) "/sys/class/net/" port "/" file
#define CLOCK "/sys/devices/system/clocksource/clocksource0/"

static const struct {
	const char *path;
	const char *text;
} healthy[] = {
	{ POOL "nr_hugepages", "1024\n" },
	{ POOL "free_hugepages", "512\n" },
	{ "/proc/mounts", "none /dev/hugepages hugetlbfs rw 0 0\n"
			  "bpf /sys/fs/bpf bpf rw 0 0\n" },
	{ "/proc/sys/kernel/osrelease", "6.1.0-18-amd64\n" },
	{ "/proc/sys/net/core/bpf_jit_enable", "1\n" },
	{ NODE(0) "/cpulist", "0-3,8-11\n" },
	{ NODE(1) "/cpulist", "4-7,12-15\n" },
	{ NODE_POOL(0), "512\n" },
	{ NODE_POOL(1), "512\n" },
	{ NET("out0", "carrier"), "1\n" },
	{ NET("out0", "flags"), "0x1103\n" },
	{ NET("out0", "mtu"), "1500\n" },
	{ NET("out0", "queues/rx-0/x"), "" },
	{ NET("out0", "queues/tx-0/x"), "" },
	{ NET("out0", "device/numa_node"), "1\n" },
	{ NET("in0", "carrier"), "1\n" },
	{ NET("in0", "flags"), "0x1103\n" },
	{ NET("in0", "mtu"), "1500\n" },
	{ NET("in0", "queues/rx-0/x"), "" },
	{ NET("in0", "device/numa_node"), "1\n" },
	{ CLOCK "current_clocksource", "tsc\n" },
	{ CLOCK "available_clocksource", "tsc hpet acpi_pm\n" },
};

static void make_healthy(struct tg_doctor *d)
{
	unsigned i;

	snprintf(root, sizeof(root), "/tmp/tg-doctor-XXXXXX");
	assert_non_null(mkdtemp(root));
	for (i = 0; i < TG_ARRAY_LEN(healthy); i++)
		put(healthy[i].path, healthy[i].text);
	says = (struct tg_doctor_port){ .driver = "ice", .xdp = XDP_ATTACHED_DRV };
	port_rc = bpf_rc = af_xdp_rc = synced = 0;
	memset(d, 0, sizeof(*d));
	d->env = &env;
	d->n_ports = 2;
	d->port[0] = "out0";
	d->port[1] = "in0";
	d->cores = "4-6,12";
}

static void remove_root(void)
{
	char command[96];

	snprintf(command, sizeof(command), "rm -rf %s", root);
	assert_int_equal(system(command), 0);
}

/* The first finding of a check, of any port. */
static const struct tg_doctor_finding *find(const struct tg_doctor *d, const char *group,
					    const char *check, const char *has)
{
	unsigned i;

	for (i = 0; i < d->n; i++) {
		const struct tg_doctor_finding *f = &d->finding[i];

		if (strcmp(f->group, group) == 0 && strcmp(f->check, check) == 0 &&
		    strstr(f->found, has))
			return f;
	}
	return NULL;
}

/* ---- tests --------------------------------------------------------------------------------------- */

static struct tg_doctor doctor;

TG_TEST(doctor_has_nothing_to_say_of_a_healthy_machine, TG_NEEDS_NOTHING)
{
	unsigned i;

	make_healthy(&doctor);
	tg_doctor_run(&doctor);
	for (i = 0; i < doctor.n; i++) {
		if (doctor.finding[i].result != TG_DOCTOR_OK)
			print_message("%s %s: %s\n", doctor.finding[i].group,
				      doctor.finding[i].check, doctor.finding[i].found);
		assert_string_equal(doctor.finding[i].advice, "");
	}
	assert_int_equal(tg_doctor_count(&doctor, TG_DOCTOR_OK), doctor.n);
	assert_true(doctor.n > 20);
	remove_root();
}

/* One file changed (NULL: removed), and what must be said. */
static const struct illness {
	const char *path, *text;
	const char *group, *check;
	enum tg_doctor_result result;
	const char *found, *advice;
} illnesses[] = {
	{ POOL "nr_hugepages", "0\n", "memory", "huge pages", TG_DOCTOR_WARN, "none is reserved",
	  "nr_hugepages" },
	{ POOL "nr_hugepages", NULL, "memory", "huge pages", TG_DOCTOR_WARN, "the kernel has none",
	  "--no-huge" },
	{ POOL "nr_hugepages", "many\n", "memory", "huge pages", TG_DOCTOR_WARN,
	  "the kernel has none", "--no-huge" },
	{ POOL "free_hugepages", "0\n", "memory", "huge pages", TG_DOCTOR_WARN, "2048 MB", "more" },
	{ "/proc/mounts", "bpf /sys/fs/bpf bpf rw 0 0\n", "memory", "hugetlbfs", TG_DOCTOR_NOTE,
	  "not mounted", "mount -t hugetlbfs" },
	{ "/proc/mounts", "x /dev/hugepages hugetlbfs rw\nbpf /elsewhere bpf rw 0 0\n", "bpf",
	  "bpffs", TG_DOCTOR_NOTE, "not mounted", "mount -t bpf" },
	{ "/proc/mounts", NULL, "bpf", "bpffs", TG_DOCTOR_NOTE, "not mounted", "mount -t bpf" },
	{ "/proc/sys/kernel/osrelease", "5.8.0\n", "bpf", "kernel", TG_DOCTOR_FAIL, "5.8.0",
	  "5.9" },
	{ "/proc/sys/kernel/osrelease", "4.19.1\n", "bpf", "kernel", TG_DOCTOR_FAIL, "4.19",
	  "5.9" },
	{ "/proc/sys/kernel/osrelease", "", "bpf", "kernel", TG_DOCTOR_FAIL, "Linux", "5.9" },
	{ "/proc/sys/net/core/bpf_jit_enable", "0\n", "bpf", "jit", TG_DOCTOR_WARN, "off",
	  "bpf_jit_enable=1" },
	{ "/proc/sys/net/core/bpf_jit_enable", NULL, "bpf", "jit", TG_DOCTOR_NOTE, "cannot", "" },
	{ NET("out0", "carrier"), "0\n", "port", "link", TG_DOCTOR_FAIL, "no carrier", "cable" },
	{ NET("in0", "carrier"), NULL, "port", "link", TG_DOCTOR_FAIL, "down",
	  "ip link set in0 up" },
	{ NET("out0", "flags"), "0x1003\n", "port", "promiscuous", TG_DOCTOR_WARN, "off",
	  "ip link set out0 promisc on" },
	{ NET("in0", "mtu"), "9000\n", "port", "mtu", TG_DOCTOR_FAIL, "longer than", "mtu 3498" },
	{ NET("in0", "mtu"), "1496\n", "port", "mtu", TG_DOCTOR_FAIL, "but in0 has 1496",
	  "the same on both" },
	{ NET("out0", "queues/rx-1/x"), "", "port", "queues", TG_DOCTOR_NOTE, "2",
	  "queue_count=2" },
	{ NET("in0", "device/numa_node"), "0\n", "numa", "pair", TG_DOCTOR_WARN,
	  "its peer out0 on node 1", "one card" },
	{ NET("in0", "device/numa_node"), "0\n", "numa", "cores", TG_DOCTOR_WARN,
	  "core 4 is not on its node 0", "0-3,8-11" },
	{ NET("out0", "device/numa_node"), "-1\n", "numa", "device", TG_DOCTOR_NOTE, "no node",
	  "" },
	{ NODE_POOL(1), "0\n", "numa", "huge pages", TG_DOCTOR_WARN, "none", "node1" },
	{ CLOCK "current_clocksource", "hpet\n", "clock", "source", TG_DOCTOR_WARN, "hpet",
	  "echo tsc" },
	{ CLOCK "current_clocksource", NULL, "clock", "source", TG_DOCTOR_NOTE, "cannot", "" },
};

TG_TEST(doctor_names_what_is_wrong_and_what_to_do, TG_NEEDS_NOTHING)
{
	const struct tg_doctor_finding *f;
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(illnesses); i++) {
		const struct illness *ill = &illnesses[i];

		print_message("%s %s: %s\n", ill->group, ill->check, ill->found);
		make_healthy(&doctor);
		put(ill->path, ill->text);
		tg_doctor_run(&doctor);
		f = find(&doctor, ill->group, ill->check, ill->found);
		assert_non_null(f);
		assert_int_equal(f->result, ill->result);
		assert_non_null(strstr(f->advice, ill->advice));
		assert_int_equal(*f->advice == 0, *ill->advice == 0);
		assert_int_equal(tg_doctor_count(&doctor, TG_DOCTOR_FAIL) > 0,
				 ill->result == TG_DOCTOR_FAIL);
		remove_root();
	}
}

TG_TEST(doctor_reads_core_lists, TG_NEEDS_NOTHING)
{
	static const struct {
		const char *cores;
		long outside; /* the first core that is not of 4-7,12-15; -1: none */
	} cases[] = { { "4", -1 },     { "4-7", -1 }, { "4-7,12-15", -1 },
		      { "15,4", -1 },  { "8", 8 },    { "4-8", 8 },
		      { "12-16", 16 }, { "0", 0 },    { "7,12,3", 3 } };
	const struct tg_doctor_finding *f;
	char text[64];
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		print_message("%s\n", cases[i].cores);
		make_healthy(&doctor);
		doctor.cores = cases[i].cores;
		tg_doctor_run(&doctor);
		snprintf(text, sizeof(text), "core %ld is not", cases[i].outside);
		f = find(&doctor, "numa", "cores", cases[i].outside < 0 ? "are all on" : text);
		assert_non_null(f);
		assert_int_equal(f->result, cases[i].outside < 0 ? TG_DOCTOR_OK : TG_DOCTOR_WARN);
		remove_root();
	}
	make_healthy(&doctor);
	doctor.cores = NULL;
	tg_doctor_run(&doctor);
	assert_int_equal(find(&doctor, "numa", "cores", "4-7,12-15")->result, TG_DOCTOR_NOTE);
	remove_root();
}

TG_TEST(doctor_knows_drivers_modes_and_offloads, TG_NEEDS_NOTHING)
{
	static const struct {
		struct tg_doctor_port says;
		const char *check, *found;
		enum tg_doctor_result result;
		const char *advice;
	} cases[] = {
		{ { .driver = "e1000e", .xdp = XDP_ATTACHED_DRV },
		  "driver",
		  "e1000e",
		  TG_DOCTOR_WARN,
		  "generic" },
		{ { .xdp = XDP_ATTACHED_DRV }, "driver", "unknown", TG_DOCTOR_WARN, "generic" },
		{ { .driver = "ena" }, "xdp", "no program", TG_DOCTOR_NOTE, "tgctl xdp attach" },
		{ { .driver = "ena", .xdp = XDP_ATTACHED_SKB },
		  "xdp",
		  "generic",
		  TG_DOCTOR_WARN,
		  "native" },
		{ { .driver = "ena", .xdp = -1 }, "xdp", "cannot", TG_DOCTOR_NOTE, "" },
		{ { .driver = "nfp", .xdp = XDP_ATTACHED_HW },
		  "xdp",
		  "in the NIC",
		  TG_DOCTOR_OK,
		  "" },
		{ { .driver = "ice", .rx_vlan_strip = 1 },
		  "offload",
		  "rxvlan is on",
		  TG_DOCTOR_FAIL,
		  "ethtool -K out0 rxvlan off" },
		{ { .driver = "ice", .lro = 1 },
		  "offload",
		  "lro is on",
		  TG_DOCTOR_FAIL,
		  "ethtool -K out0 lro off" },
		{ { .driver = "ice", .xdp = XDP_ATTACHED_SKB, .gro = 1 },
		  "offload",
		  "gro is on",
		  TG_DOCTOR_WARN,
		  "gro off" },
		{ { .driver = "veth", .xdp = XDP_ATTACHED_DRV },
		  "far end",
		  "veth",
		  TG_DOCTOR_NOTE,
		  "tx off" },
	};
	const struct tg_doctor_finding *f;
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		make_healthy(&doctor);
		says = cases[i].says;
		tg_doctor_run(&doctor);
		f = find(&doctor, "port", cases[i].check, cases[i].found);
		assert_non_null(f);
		assert_string_equal(f->port, "out0");
		assert_int_equal(f->result, cases[i].result);
		assert_non_null(strstr(f->advice, cases[i].advice));
		remove_root();
	}
	make_healthy(&doctor);
	says.gro = says.lro = says.rx_vlan_strip = -1; /* does not say */
	tg_doctor_run(&doctor);
	assert_null(find(&doctor, "port", "offload", ""));
	snprintf(says.driver, sizeof(says.driver), "veth");
	says.rx_vlan_strip = 1; /* of no NIC */
	tg_doctor_run(&doctor);
	assert_null(find(&doctor, "port", "offload", "rxvlan"));
	says.gro = 1; /* native mode comes before it */
	tg_doctor_run(&doctor);
	assert_null(find(&doctor, "port", "offload", "gro"));
	remove_root();
}

TG_TEST(doctor_reports_what_the_kernel_refuses, TG_NEEDS_NOTHING)
{
	const struct tg_doctor_finding *f;

	make_healthy(&doctor);
	port_rc = -ENODEV;
	bpf_rc = -EPERM;
	af_xdp_rc = -EAFNOSUPPORT;
	synced = 1;
	tg_doctor_run(&doctor);
	f = find(&doctor, "port", "interface", "");
	assert_int_equal(f->result, TG_DOCTOR_FAIL);
	assert_non_null(strstr(f->advice, "vfio-pci"));
	f = find(&doctor, "bpf", "bpf", "");
	assert_int_equal(f->result, TG_DOCTOR_FAIL);
	assert_non_null(strstr(f->advice, "CAP_BPF"));
	f = find(&doctor, "bpf", "af_xdp", "");
	assert_int_equal(f->result, TG_DOCTOR_FAIL);
	assert_non_null(strstr(f->advice, "CONFIG_XDP_SOCKETS"));
	assert_int_equal(find(&doctor, "clock", "synchronised", "no")->result, TG_DOCTOR_WARN);
	synced = -EPERM;
	port_rc = -EPERM;
	tg_doctor_run(&doctor);
	assert_int_equal(find(&doctor, "clock", "synchronised", "cannot")->result, TG_DOCTOR_NOTE);
	assert_non_null(strstr(find(&doctor, "port", "interface", "")->advice, "root"));
	remove_root();
}

TG_TEST(doctor_json_has_every_finding, TG_NEEDS_NOTHING)
{
	json_t *j, *check;
	size_t i;

	make_healthy(&doctor);
	put(NET("in0", "carrier"), "0\n");
	doctor.n_ports = 0;
	tg_doctor_run(&doctor);
	assert_int_equal(find(&doctor, "port", "ports", "none")->result, TG_DOCTOR_NOTE);
	doctor.n_ports = 2;
	tg_doctor_run(&doctor);
	j = tg_doctor_json(&doctor);
	assert_int_equal(json_array_size(json_object_get(j, "checks")), doctor.n);
	assert_int_equal(json_integer_value(json_object_get(j, "fail")), 1);
	assert_int_equal(json_integer_value(json_object_get(j, "ok")), doctor.n - 1);
	json_array_foreach(json_object_get(j, "checks"), i, check)
		assert_string_equal(json_string_value(json_object_get(check, "found")),
				    doctor.finding[i].found);
	json_decref(j);
	remove_root();
}

TG_TEST(doctor_looks_at_this_machine, TG_NEEDS_NOTHING)
{
	memset(&doctor, 0, sizeof(doctor));
	doctor.env = &tg_doctor_machine;
	doctor.n_ports = 2;
	doctor.port[0] = doctor.port[1] = "lo";
	tg_doctor_run(&doctor);
	assert_non_null(find(&doctor, "bpf", "kernel", "Linux"));
	assert_int_equal(find(&doctor, "port", "link", "")->result, TG_DOCTOR_OK);
	assert_int_equal(find(&doctor, "port", "xdp", "")->result, TG_DOCTOR_NOTE);
}
