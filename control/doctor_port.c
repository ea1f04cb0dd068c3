/* SPDX-License-Identifier: BSD-3-Clause */
/* The ports: driver, XDP mode, link, MTU, queues, and offloads that change frames on their way. */
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>

#include "control/doctor.h"

/*
 * The longest frame that XDP redirects and net_af_xdp receives whole: a page of 4096, less the
 * headroom of 256 and the 320 that skb_shared_info takes at its end, less Ethernet with two tags (22).
 */
#define MTU_MAX 3498

/* Drivers with XDP of their own (Linux 6.12); `zero_copy`: AF_XDP without copying, too. */
static const struct {
	const char *name;
	bool zero_copy;
} native[] = {
	{ "atlantic", false },	{ "bnxt_en", false },	   { "bonding", false },
	{ "ena", false },	{ "fsl_dpaa2_eth", true }, { "fsl_enetc", false },
	{ "gve", true },	{ "hv_netvsc", false },	   { "i40e", true },
	{ "ice", true },	{ "igb", true },	   { "igc", true },
	{ "ixgbe", true },	{ "ixgbevf", false },	   { "mana", false },
	{ "mlx4_en", false },	{ "mlx5_core", true },	   { "mvneta", false },
	{ "mvpp2", false },	{ "nfp", true },	   { "octeontx2-nic", false },
	{ "qede", false },	{ "sfc", false },	   { "stmmac", true },
	{ "tsnep", true },	{ "tun", false },	   { "veth", false },
	{ "virtio_net", true }, { "vmxnet3", false },
};

struct port {
	struct tg_doctor *d;
	const char *name;
	struct tg_doctor_port says;
	bool virtual_pair; /* veth: has a far end instead of a wire */
};

static struct tg_doctor_where at(const struct port *p, const char *check)
{
	return (struct tg_doctor_where){ "port", check, p->name };
}

static void check_driver(const struct port *p)
{
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(native); i++) {
		if (strcmp(native[i].name, p->says.driver) != 0)
			continue;
		tg_doctor_find(p->d, at(p, "driver"), TG_DOCTOR_OK, "%s: native XDP%s",
			       p->says.driver,
			       native[i].zero_copy ? ", AF_XDP without copying" : "");
		return;
	}
	tg_doctor_find(p->d, at(p, "driver"), TG_DOCTOR_WARN, "%s: not known to have native XDP",
		       *p->says.driver ? p->says.driver : "unknown");
	tg_doctor_advise(p->d, "XDP works, in generic mode: every frame becomes an skb first. Fine "
			       "for signalling; for media, a NIC with native XDP");
}

static void check_xdp(const struct port *p)
{
	switch (p->says.xdp) {
	case XDP_ATTACHED_NONE:
		tg_doctor_find(p->d, at(p, "xdp"), TG_DOCTOR_NOTE, "no program is attached");
		tg_doctor_advise(p->d,
				 "tgctl xdp attach before tollgate-dp starts, or a dataplane that "
				 "ends takes the trunk with it");
		break;
	case XDP_ATTACHED_DRV:
		tg_doctor_find(p->d, at(p, "xdp"), TG_DOCTOR_OK, "attached, native mode");
		break;
	case XDP_ATTACHED_HW:
		tg_doctor_find(p->d, at(p, "xdp"), TG_DOCTOR_OK, "attached, in the NIC");
		break;
	case XDP_ATTACHED_SKB:
		tg_doctor_find(p->d, at(p, "xdp"), TG_DOCTOR_WARN,
			       "attached, generic mode: every frame becomes an skb first");
		tg_doctor_advise(p->d,
				 "native mode, if the driver has it: tgctl xdp detach, attach "
				 "again, and read what it says");
		break;
	default:
		tg_doctor_find(p->d, at(p, "xdp"), TG_DOCTOR_NOTE, "cannot be told here");
		break;
	}
}

static void check_link(const struct port *p)
{
	long long carrier = 0;

	if (tg_doctor_number(p->d, &carrier, "/sys/class/net/%s/carrier", p->name) != 0) {
		tg_doctor_find(p->d, at(p, "link"), TG_DOCTOR_FAIL, "the port is down");
		tg_doctor_advise(p->d, "ip link set %s up", p->name);
	} else if (carrier != 1) {
		tg_doctor_find(p->d, at(p, "link"), TG_DOCTOR_FAIL, "no carrier");
		tg_doctor_advise(p->d, "cable, transceiver, and the far end's port");
	} else {
		tg_doctor_find(p->d, at(p, "link"), TG_DOCTOR_OK, "up");
	}
}

/* The bypass has to see frames to others' addresses, also when no dataplane has asked for them. */
static void check_promiscuous(const struct port *p)
{
	long long flags;

	if (p->virtual_pair ||
	    tg_doctor_number(p->d, &flags, "/sys/class/net/%s/flags", p->name) != 0)
		return;
	if (flags & IFF_PROMISC) {
		tg_doctor_find(p->d, at(p, "promiscuous"), TG_DOCTOR_OK, "on");
		return;
	}
	tg_doctor_find(p->d, at(p, "promiscuous"), TG_DOCTOR_WARN, "off");
	tg_doctor_advise(p->d,
			 "ip link set %s promisc on, for good: frames are for others, and "
			 "tollgate-dp, which asks for them, may not be there",
			 p->name);
}

static void check_queues(const struct port *p)
{
	char dir[64];
	unsigned n;

	snprintf(dir, sizeof(dir), "/sys/class/net/%s/queues", p->name);
	n = tg_doctor_entries(p->d, dir, "rx-");
	tg_doctor_find(p->d, at(p, "queues"), n > 1 ? TG_DOCTOR_NOTE : TG_DOCTOR_OK,
		       "%u to receive from", n);
	if (n > 1)
		tg_doctor_advise(p->d,
				 "--vdev net_af_xdpN,iface=%s,queue_count=%u and tollgate-dp "
				 "--queues %u, or ethtool -L %s combined 1: what comes on a queue "
				 "that nobody polls passes unfiltered",
				 p->name, n, n, p->name);
}

static void check_mtu(const struct port *p, const char *peer)
{
	long long mtu, other;

	if (tg_doctor_number(p->d, &mtu, "/sys/class/net/%s/mtu", p->name) != 0)
		return;
	if (mtu > MTU_MAX) {
		tg_doctor_find(p->d, at(p, "mtu"), TG_DOCTOR_FAIL,
			       "%lld: longer than XDP redirects (%d)", mtu, MTU_MAX);
		tg_doctor_advise(p->d,
				 "ip link set %s mtu %d or less, on its peer too; or bind both "
				 "to vfio-pci",
				 p->name, MTU_MAX);
	} else if (peer && tg_doctor_number(p->d, &other, "/sys/class/net/%s/mtu", peer) == 0 &&
		   other != mtu) {
		tg_doctor_find(p->d, at(p, "mtu"), TG_DOCTOR_FAIL, "%lld, but %s has %lld", mtu,
			       peer, other);
		tg_doctor_advise(p->d,
				 "the same on both: what fits one and not the other is dropped "
				 "without a word to its sender");
	} else {
		tg_doctor_find(p->d, at(p, "mtu"), TG_DOCTOR_OK, "%lld%s", mtu,
			       peer ? ", as its peer" : "");
	}
}

static void check_offload(const struct port *p, const char *feature, int on,
			  enum tg_doctor_result bad, const char *why)
{
	if (on < 0)
		return;
	tg_doctor_find(p->d, at(p, "offload"), on ? bad : TG_DOCTOR_OK, "%s is %s", feature,
		       on ? "on" : "off");
	if (on)
		tg_doctor_advise(p->d, "ethtool -K %s %s off: %s", p->name, feature, why);
}

static void check_offloads(const struct port *p)
{
	if (!p->virtual_pair) /* there the far end decides where the tag is */
		check_offload(p, "rxvlan", p->says.rx_vlan_strip, TG_DOCTOR_FAIL,
			      "the NIC takes the tag off before XDP sees the frame, and nothing "
			      "puts it back");
	check_offload(p, "lro", p->says.lro, TG_DOCTOR_FAIL,
		      "frames leave merged, not as they came");
	if (p->says.xdp == XDP_ATTACHED_SKB)
		check_offload(p, "gro", p->says.gro, TG_DOCTOR_WARN,
			      "generic mode sees frames after they were merged");
	if (!p->virtual_pair)
		return;
	tg_doctor_find(p->d, at(p, "far end"), TG_DOCTOR_NOTE,
		       "a veth pair: its far end is not seen from here");
	tg_doctor_advise(p->d,
			 "at the far end: ethtool -K IF tx off txvlan off (or frames come without "
			 "checksums and tags) and gro on (or what XDP redirects to it is "
			 "dropped)");
}

static bool open_port(struct port *p)
{
	const int rc = p->d->env->port(p->name, &p->says);

	if (rc == 0) {
		p->virtual_pair = strcmp(p->says.driver, "veth") == 0;
		return true;
	}
	tg_doctor_find(p->d, at(p, "interface"), TG_DOCTOR_FAIL, "%s", strerror(-rc));
	tg_doctor_advise(p->d, "%s",
			 rc == -ENODEV ? "no such interface in this network namespace; one that is "
					 "bound to vfio-pci is DPDK's: dpdk-devbind.py --status"
				       : "run as root");
	return false;
}

void tg_doctor_port(struct tg_doctor *d)
{
	unsigned i;

	if (d->n_ports == 0) {
		tg_doctor_find(d, (struct tg_doctor_where){ "port", "ports", NULL }, TG_DOCTOR_NOTE,
			       "none was named");
		tg_doctor_advise(d, "tgctl doctor PORT PEER, by interface name, looks at a pair");
	}
	for (i = 0; i < d->n_ports; i++) {
		struct port p = { .d = d, .name = d->port[i] };

		if (!open_port(&p))
			continue;
		check_driver(&p);
		check_xdp(&p);
		check_link(&p);
		check_mtu(&p, (i ^ 1) < d->n_ports ? d->port[i ^ 1] : NULL);
		check_queues(&p);
		check_promiscuous(&p);
		check_offloads(&p);
	}
}
