/* SPDX-License-Identifier: BSD-3-Clause */
#include <dlfcn.h>
#include <errno.h>
#include <pcap/pcap.h>
#include <pcap/sll.h>
#include <stdlib.h>
#include <string.h>

#include "control/capture.h"
#include "control/netxray.h"
#include "tollgate/load.h"

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define ETHERTYPE_VLAN 0x8100
#define ETHERTYPE_QINQ 0x88a8

struct tg_capture {
	pcap_t *pcap; /* or: */
	struct tg_netxray *netxray;
	int link_type;
	uint64_t n;
};

/* libpcap brings D-Bus, systemd and their compression libraries along: 1.7 ms of the 3.1 ms that tgctl
 * took to start (fork to exit), and only `replay` reads captures. */
static struct {
	__typeof__(pcap_fopen_offline_with_tstamp_precision) *fopen_offline;
	__typeof__(pcap_datalink) *datalink;
	__typeof__(pcap_next_ex) *next_ex;
	__typeof__(pcap_geterr) *geterr;
	__typeof__(pcap_close) *close;
} pcap;

static int load_pcap(struct tg_error *err)
{
	static const char *const names[] = { "libpcap.so.0.8",
					     "libpcap.so.1" }; /* Debian's; others' */
	const struct {
		const char *name;
		void *to; /* a function's pointer: POSIX lets dlsym's result be one */
	} functions[] = {
		{ "pcap_fopen_offline_with_tstamp_precision", &pcap.fopen_offline },
		{ "pcap_datalink", &pcap.datalink },
		{ "pcap_next_ex", &pcap.next_ex },
		{ "pcap_geterr", &pcap.geterr },
		{ "pcap_close", &pcap.close },
	};
	void *lib = NULL;
	unsigned i;

	if (pcap.close)
		return 0;
	for (i = 0; i < TG_ARRAY_LEN(names) && !lib; i++)
		lib = dlopen(names[i], RTLD_NOW);
	for (i = 0; i < TG_ARRAY_LEN(functions) && lib; i++) {
		void *const f = dlsym(lib, functions[i].name);

		if (!f)
			break;
		memcpy(functions[i].to, &f, sizeof(f));
	}
	return lib && pcap.close ? 0 : tg_error_set(err, -ENOSYS, "no libpcap: %s", dlerror());
}

static int open_pcap(struct tg_capture *c, FILE *in, struct tg_error *err)
{
	char text[PCAP_ERRBUF_SIZE] = "";
	const int rc = load_pcap(err);

	if (rc != 0) {
		if (in != stdin)
			fclose(in);
		return rc;
	}
	c->pcap = pcap.fopen_offline(in, PCAP_TSTAMP_PRECISION_NANO, text);
	if (!c->pcap) {
		if (in != stdin)
			fclose(in);
		return tg_error_set(err, -EINVAL, "not readable as a capture: %s", text);
	}
	c->link_type = pcap.datalink(c->pcap);
	return 0;
}

int tg_capture_open(const char *path, struct tg_capture **capture, struct tg_error *err)
{
	const bool is_stdin = strcmp(path, "-") == 0;
	struct tg_capture *c = calloc(1, sizeof(*c));
	FILE *in;
	int rc;

	if (!c)
		return tg_error_set(err, -ENOMEM, "out of memory");
	in = is_stdin ? stdin : fopen(path, "rb");
	if (!in)
		rc = tg_error_set(err, -errno, "%s", strerror(errno));
	else if (!is_stdin && tg_netxray_detect(in))
		rc = tg_netxray_open(in, &c->netxray, err);
	else
		rc = open_pcap(c, in, err);
	if (rc != 0)
		free(c);
	else
		*capture = c;
	return rc;
}

void tg_capture_close(struct tg_capture *c)
{
	if (!c)
		return;
	if (c->pcap)
		pcap.close(c->pcap); /* closes the file */
	tg_netxray_close(c->netxray);
	free(c);
}

static bool take(struct tg_capture_frame *f, uint32_t n)
{
	if (f->len < n)
		return false;
	f->data += n;
	f->len -= n;
	return true;
}

/* After a cooked header: an Ethertype, tags that were kept, and the packet. */
static enum tg_reason strip_to_ip(struct tg_capture_frame *f, uint16_t ethertype)
{
	while (ethertype == ETHERTYPE_VLAN || ethertype == ETHERTYPE_QINQ) {
		if (f->len < 4)
			return TG_REASON_TRUNCATED;
		ethertype = tg_load_be16(f->data + 2);
		(void)take(f, 4);
	}
	if (ethertype != ETHERTYPE_IPV4 && ethertype != ETHERTYPE_IPV6)
		return TG_REASON_NOT_IP;
	return TG_REASON_NONE;
}

/* https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html and _SLL2: the protocol's offset in the
 * header, and its length. */
static enum tg_reason strip_cooked(struct tg_capture_frame *f, uint32_t protocol, uint32_t header)
{
	uint16_t ethertype;

	if (f->len < header)
		return TG_REASON_TRUNCATED;
	ethertype = tg_load_be16(f->data + protocol);
	(void)take(f, header);
	return strip_to_ip(f, ethertype);
}

/* LINKTYPE_NULL: an address family in the byte order of the machine that captured, LINKTYPE_LOOP: in
 * network order. IPv6 has three numbers (NetBSD and OpenBSD, FreeBSD, Darwin), none of them the byte
 * swap of another. */
static enum tg_reason strip_family(struct tg_capture_frame *f)
{
	uint32_t family;

	if (f->len < 4)
		return TG_REASON_TRUNCATED;
	family = tg_load_be32(f->data);
	if (family > 0xffff)
		family = __builtin_bswap32(family);
	(void)take(f, 4);
	return family == 2 || family == 24 || family == 28 || family == 30 ? TG_REASON_NONE
									   : TG_REASON_NOT_IP;
}

/*
 * MTP2 (Q.703 §2.2): BSN, FSN, and the length of what follows, 63 for all that is longer. Up to two octets are no
 * message, but fill-in or link status. What is behind the length, the check sequence, was captured or not.
 */
static enum tg_reason strip_mtp2(struct tg_capture_frame *f, uint32_t pseudo_header)
{
	uint32_t length;

	if (!take(f, pseudo_header) || f->len < 3)
		return TG_REASON_TRUNCATED;
	length = f->data[2] & 0x3f;
	(void)take(f, 3);
	if (length <= 2)
		return TG_REASON_SIGTRAN_OTHER;
	if (length > f->len)
		return TG_REASON_TRUNCATED;
	if (length < 63)
		f->len = length;
	f->link = TG_LINK_MTP3;
	return TG_REASON_NONE;
}

static enum tg_reason strip_link(int link_type, struct tg_capture_frame *f)
{
	f->link = TG_LINK_IP;
	switch (link_type) {
	case DLT_EN10MB:
		f->link = TG_LINK_ETHERNET;
		return TG_REASON_NONE;
	case DLT_LINUX_SLL:
		return strip_cooked(f, offsetof(struct sll_header, sll_protocol), SLL_HDR_LEN);
	case DLT_LINUX_SLL2:
		return strip_cooked(f, offsetof(struct sll2_header, sll2_protocol), SLL2_HDR_LEN);
	case DLT_NULL:
	case DLT_LOOP:
		return strip_family(f);
	case DLT_RAW:
	case DLT_IPV4:
	case DLT_IPV6:
		return TG_REASON_NONE;
	case DLT_MTP2_WITH_PHDR: /* sent or received, annex A, link number: four octets */
		return strip_mtp2(f, 4);
	case DLT_MTP2:
		return strip_mtp2(f, 0);
	case DLT_MTP3:
		f->link = TG_LINK_MTP3;
		return TG_REASON_NONE;
	default:
		return TG_REASON_LINK_TYPE;
	}
}

int tg_capture_next(struct tg_capture *c, struct tg_capture_frame *f, struct tg_error *err)
{
	struct pcap_pkthdr *header;
	const u_char *data;
	int got;

	if (c->netxray)
		return tg_netxray_next(c->netxray, f, err);
	got = pcap.next_ex(c->pcap, &header, &data);
	if (got == PCAP_ERROR_BREAK)
		return 0;
	if (got != 1)
		return tg_error_set(err, -EINVAL, "after frame %llu: %s", (unsigned long long)c->n,
				    pcap.geterr(c->pcap));
	*f = (struct tg_capture_frame){
		.data = data,
		.len = header->caplen,
		.number = ++c->n,
		.time_ns = (uint64_t)header->ts.tv_sec * 1000000000u +
			   (uint64_t)header->ts.tv_usec, /* ns: asked for in tg_capture_open */
	};
	f->reason = strip_link(c->link_type, f);
	return 1;
}
