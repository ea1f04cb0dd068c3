/* SPDX-License-Identifier: BSD-3-Clause */
/* What tgctl doctor asks the kernel itself; nothing here judges. */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <unistd.h>

#include "control/doctor.h"

/* ---- ethtool ------------------------------------------------------------------------------------- */

static int ethtool(int fd, const char *ifname, void *command)
{
	struct ifreq ifr = { .ifr_data = command };

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", ifname);
	return ioctl(fd, SIOCETHTOOL, &ifr) == 0 ? 0 : -errno;
}

/* One value, -1 if the driver has none. */
static int ethtool_value(int fd, const char *ifname, uint32_t command)
{
	struct ethtool_value value = { .cmd = command };

	return ethtool(fd, ifname, &value) == 0 ? (int)value.data : -1;
}

static int read_features(int fd, const char *ifname, struct tg_doctor_port *out)
{
	struct ethtool_drvinfo driver = { .cmd = ETHTOOL_GDRVINFO };
	const int rc = ethtool(fd, ifname, &driver);
	int flags;

	if (rc == -ENODEV || rc == -EPERM)
		return rc;
	if (rc == 0)
		snprintf(out->driver, sizeof(out->driver), "%s", driver.driver);
	out->rx_checksum = ethtool_value(fd, ifname, ETHTOOL_GRXCSUM);
	out->tx_checksum = ethtool_value(fd, ifname, ETHTOOL_GTXCSUM);
	out->gro = ethtool_value(fd, ifname, ETHTOOL_GGRO);
	flags = ethtool_value(fd, ifname, ETHTOOL_GFLAGS);
	out->lro = flags < 0 ? -1 : (flags & ETH_FLAG_LRO) != 0;
	out->rx_vlan_strip = flags < 0 ? -1 : (flags & ETH_FLAG_RXVLAN) != 0;
	return 0;
}

/* ---- rtnetlink: which XDP mode ------------------------------------------------------------------- */

static int ask_link(int fd, unsigned ifindex, void *answer, size_t size)
{
	struct {
		struct nlmsghdr header;
		struct ifinfomsg link;
	} request = {
		.header = { .nlmsg_len = sizeof(request),
			    .nlmsg_type = RTM_GETLINK,
			    .nlmsg_flags = NLM_F_REQUEST },
		.link = { .ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex },
	};
	ssize_t n;

	if (send(fd, &request, sizeof(request), 0) != (ssize_t)sizeof(request))
		return -errno;
	n = recv(fd, answer, size, 0);
	return n < 0 ? -errno : (int)n;
}

static const struct rtattr *find_attribute(const void *data, int len, unsigned short type)
{
	const struct rtattr *a = data;

	for (; RTA_OK(a, len); a = RTA_NEXT(a, len)) {
		if ((a->rta_type & NLA_TYPE_MASK) == type)
			return a;
	}
	return NULL;
}

static int attached(const char *ifname)
{
	static union {
		struct nlmsghdr header;
		uint8_t bytes[32768]; /* more than the kernel sends of one link (NLMSG_GOODSIZE) */
	} answer;
	const struct rtattr *xdp, *mode;
	int n, fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0)
		return -1;
	n = ask_link(fd, if_nametoindex(ifname), &answer, sizeof(answer));
	close(fd);
	if (n < 0 || !NLMSG_OK(&answer.header, (unsigned)n) ||
	    answer.header.nlmsg_type != RTM_NEWLINK)
		return -1;
	xdp = find_attribute(IFLA_RTA(NLMSG_DATA(&answer.header)),
			     (int)IFLA_PAYLOAD(&answer.header), IFLA_XDP);
	mode = xdp ? find_attribute(RTA_DATA(xdp), (int)RTA_PAYLOAD(xdp), IFLA_XDP_ATTACHED) : NULL;
	return mode ? *(const uint8_t *)RTA_DATA(mode) : -1;
}

static int probe_port(const char *ifname, struct tg_doctor_port *out)
{
	int rc, fd;

	*out = (struct tg_doctor_port){ .xdp = -1 };
	if (if_nametoindex(ifname) == 0)
		return -ENODEV;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	rc = read_features(fd, ifname, out);
	close(fd);
	if (rc == 0)
		out->xdp = attached(ifname);
	return rc;
}

/* ---- the kernel's abilities ---------------------------------------------------------------------- */

static int probe_bpf(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_DEVMAP, .key_size = 4, .value_size = 4, .max_entries = 1
	};
	const long fd = syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));

	if (fd < 0)
		return -errno;
	close((int)fd);
	return 0;
}

static int probe_af_xdp(void)
{
	const int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int probe_clock(void)
{
	struct timex t = { .modes = 0 };

	if (adjtimex(&t) < 0)
		return -errno;
	return (t.status & STA_UNSYNC) != 0;
}

const struct tg_doctor_env tg_doctor_machine = {
	.root = "",
	.port = probe_port,
	.bpf = probe_bpf,
	.af_xdp = probe_af_xdp,
	.clock_synced = probe_clock,
};
