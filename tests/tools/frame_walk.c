/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What tg_frame_walk makes of every frame of the Ethernet captures given, a line each; and the same
 * frames in one capture MERGED, so that another dissector runs once over all of them. Captures that
 * are not Ethernet, or not captures, are left out.
 *
 *	capture  frame  reason  vlans  protocol  sport  dport  payload
 *
 * tab-separated; reason `-` for a whole UDP datagram; protocol 0 if IP was not reached; payload is
 * the length, a colon and the first 32 bytes in hex.
 */
#include <pcap/pcap.h>
#include <stdio.h>
#include <string.h>

#include "tollgate/frame.h"

#define MAX_SHOWN 32
#define SNAPLEN 262144 /* as tcpdump -s 0 */

static void print_frame(const uint8_t *data, uint32_t len)
{
	struct tg_frame f;
	const enum tg_reason r = tg_frame_walk(data, data + len, TG_LINK_ETHERNET, &f);
	unsigned i;

	printf("%s\t", r == TG_REASON_NONE ? "-" : tg_reason_name(r));
	for (i = 0; i < f.n_vlan; i++)
		printf("%s%u", i ? "," : "", f.vlan[i]);
	printf("\t%u\t%u\t%u\t", f.l4_proto, f.sport, f.dport);
	if (f.payload_off != 0)
		printf("%u:", f.payload_len);
	for (i = 0; i < f.payload_len && i < MAX_SHOWN; i++)
		printf("%02x", data[f.payload_off + i]);
	putchar('\n');
}

static void walk_capture(const char *path, pcap_dumper_t *merged)
{
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	char error[PCAP_ERRBUF_SIZE];
	struct pcap_pkthdr *header;
	unsigned long number = 0;
	const u_char *data;
	pcap_t *capture;

	capture = pcap_open_offline(path, error);
	if (!capture) {
		fprintf(stderr, "%s\n", error);
		return;
	}
	while (pcap_datalink(capture) == DLT_EN10MB && pcap_next_ex(capture, &header, &data) == 1) {
		printf("%s\t%lu\t", base, ++number);
		print_frame(data, header->caplen);
		pcap_dump((u_char *)merged, header, data);
	}
	pcap_close(capture);
}

int main(int argc, char **argv)
{
	pcap_dumper_t *merged;
	pcap_t *dead;
	int i;

	if (argc < 3) {
		fprintf(stderr, "usage: %s MERGED CAPTURE...\n", argv[0]);
		return 2;
	}
	dead = pcap_open_dead(DLT_EN10MB, SNAPLEN);
	merged = dead ? pcap_dump_open(dead, argv[1]) : NULL;
	if (!merged) {
		fprintf(stderr, "%s: %s\n", argv[1], dead ? pcap_geterr(dead) : "no memory");
		return 4;
	}
	for (i = 2; i < argc; i++)
		walk_capture(argv[i], merged);
	pcap_dump_close(merged);
	pcap_close(dead);
	return 0;
}
