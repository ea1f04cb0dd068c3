/* SPDX-License-Identifier: BSD-3-Clause */
/* What the XDP program needs of the kernel. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/doctor.h"

/* XDP by BPF link: Linux 5.9. Everything else that is used is older. */
#define KERNEL_MAJOR 5
#define KERNEL_MINOR 9

static struct tg_doctor_where at(const char *check)
{
	return (struct tg_doctor_where){ "bpf", check, NULL };
}

static void check_kernel(struct tg_doctor *d)
{
	char release[64] = "?";
	int major = 0, minor = 0;
	bool old;

	(void)tg_doctor_read(d, release, sizeof(release), "/proc/sys/kernel/osrelease");
	(void)sscanf(release, "%d.%d", &major, &minor);
	old = major < KERNEL_MAJOR || (major == KERNEL_MAJOR && minor < KERNEL_MINOR);
	tg_doctor_find(d, at("kernel"), old ? TG_DOCTOR_FAIL : TG_DOCTOR_OK, "Linux %s", release);
	if (old)
		tg_doctor_advise(d,
				 "Linux %d.%d or later: XDP programs that outlive their loader "
				 "need it",
				 KERNEL_MAJOR, KERNEL_MINOR);
}

static void check_call(struct tg_doctor *d, const char *check, int rc)
{
	if (rc == 0) {
		tg_doctor_find(d, at(check), TG_DOCTOR_OK, "usable");
		return;
	}
	tg_doctor_find(d, at(check), TG_DOCTOR_FAIL, "%s", strerror(-rc));
	if (rc == -EPERM || rc == -EACCES)
		tg_doctor_advise(d, "run as root, or with CAP_BPF, CAP_NET_ADMIN and CAP_NET_RAW");
	else
		tg_doctor_advise(d, "a kernel with CONFIG_BPF_SYSCALL and CONFIG_XDP_SOCKETS; bind "
				    "the ports to vfio-pci to go without XDP");
}

static void check_jit(struct tg_doctor *d)
{
	long long jit;

	if (tg_doctor_number(d, &jit, "/proc/sys/net/core/bpf_jit_enable") != 0) {
		tg_doctor_find(d, at("jit"), TG_DOCTOR_NOTE, "cannot be told here");
	} else if (jit == 0) {
		tg_doctor_find(d, at("jit"), TG_DOCTOR_WARN, "off: programs are interpreted");
		tg_doctor_advise(d, "sysctl -w net.core.bpf_jit_enable=1");
	} else {
		tg_doctor_find(d, at("jit"), TG_DOCTOR_OK, "on");
	}
}

static void check_bpffs(struct tg_doctor *d)
{
	if (tg_doctor_mounted(d, "bpf", "/sys/fs/bpf")) {
		tg_doctor_find(d, at("bpffs"), TG_DOCTOR_OK, "mounted at /sys/fs/bpf");
		return;
	}
	tg_doctor_find(d, at("bpffs"), TG_DOCTOR_NOTE, "not mounted at /sys/fs/bpf");
	tg_doctor_advise(d,
			 "mount -t bpf bpf /sys/fs/bpf, or leave it to tgctl xdp attach: what "
			 "keeps the XDP program is pinned there. Under `ip netns exec`, whose /sys "
			 "goes with the command: nsenter --net");
}

void tg_doctor_bpf(struct tg_doctor *d)
{
	check_kernel(d);
	check_call(d, "bpf", d->env->bpf());
	check_call(d, "af_xdp", d->env->af_xdp());
	check_jit(d);
	check_bpffs(d);
}
