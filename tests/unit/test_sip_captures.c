/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SIP captures made by others, whole UDP datagrams, against what tshark reads in them. Where tshark
 * lists an INVITE that is not judged, the reason stands in the table below; anything else is an error,
 * in either direction.
 */
#include <glob.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/sip_test.h"
#include "tollgate/frame.h"

struct exception {
	const char *capture; /* how its name begins */
	unsigned frame;
	enum tg_reason reason; /* why tshark's line is not ours */
};

static const struct exception exceptions[] = {
	/* re-INVITEs */
	{ "NormB+sipnab__codec-negotiation", 308, TG_REASON_SIP_IN_DIALOG },
	{ "ajbanjara+Wireshark__Asterisk_ZFONE_XLITE", 1036, TG_REASON_SIP_IN_DIALOG },
	{ "ajbanjara+Wireshark__T38", 11, TG_REASON_SIP_IN_DIALOG },
	{ "ajbanjara+Wireshark__T38", 12, TG_REASON_SIP_IN_DIALOG },
	/* SIP over TCP: the stream is read by others (tests/system/replay_captures.py) */
	{ "OISF+suricata-verify__sip-body-large", 9, TG_REASON_TCP_PART },
	{ "irontec+sngrep__ipip", 1, TG_REASON_TCP_PART },
	/* in GTP */
	{ "arkime+arkime__gtp-iphone", 40, TG_REASON_TUNNEL },
	{ "open5gs+open5gs__ipsec_to_nonipsec_call", 136, TG_REASON_TUNNEL },
	{ "open5gs+open5gs__ipsec_to_nonipsec_call", 139, TG_REASON_TUNNEL },
	{ "open5gs+open5gs__nonipsec_to_ipsec_call", 36, TG_REASON_TUNNEL },
	/* in IP fragments */
	{ "irontec+sngrep__ipv6frag", 2, TG_REASON_FRAGMENT },
	{ "irontec+sngrep__ipv6frag", 5, TG_REASON_FRAGMENT },
	{ "open5gs+open5gs__ipsec_to_nonipsec_call", 130, TG_REASON_FRAGMENT },
	{ "open5gs+open5gs__ipsec_to_nonipsec_call", 133, TG_REASON_FRAGMENT },
	{ "open5gs+open5gs__ipsec_to_nonipsec_call", 172, TG_REASON_FRAGMENT },
	{ "open5gs+open5gs__ipsec_to_nonipsec_call", 181, TG_REASON_FRAGMENT },
};

struct expected {
	unsigned frame;
	bool found; /* judged, or its exception is in the table */
	char from[128], pai[128], ppi[128], ruri[128], to[128];
};

#define MAX_EXPECTED 64

static struct expected expected[MAX_EXPECTED];
static unsigned n_expected;

/* "name=value" among those separated by ';' in a column; empty if not there */
static void candidate(const char *column, const char *name, char value[128])
{
	const size_t n = strlen(name);
	const char *p;

	value[0] = 0;
	for (p = column; p; p = strchr(p, ';') ? strchr(p, ';') + 1 : NULL)
		if (strncmp(p, name, n) == 0 && p[n] == '=') {
			snprintf(value, 128, "%.*s", (int)strcspn(p + n + 1, ";"), p + n + 1);
			return;
		}
}

static void read_expected(const char *path)
{
	char line[1024], protocol[32], message[32], caller[512], called[512];
	FILE *f = fopen(path, "r");
	unsigned frame;

	n_expected = 0;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		struct expected *e = &expected[n_expected];

		assert_int_equal(sscanf(line, "%u\t%31[^\t]\t%31[^\t]\t%511[^\t]\t%511[^\t\n]",
					&frame, protocol, message, caller, called),
				 5);
		if (strcmp(protocol, "sip") != 0 || strcmp(message, "INVITE") != 0)
			continue;
		assert_true(++n_expected < MAX_EXPECTED);
		e->frame = frame;
		e->found = false;
		candidate(caller, "from", e->from);
		candidate(caller, "pai", e->pai);
		candidate(caller, "ppi", e->ppi);
		candidate(called, "ruri", e->ruri);
		candidate(called, "to", e->to);
	}
	fclose(f);
}

static bool is_raw(const struct tg_sip *sip, enum tg_id_source source, const char *text)
{
	const char *raw = sip_test_raw(sip, source, 0);

	return strcmp(raw ? raw : "", text) == 0;
}

static void check_invite(const char *name, unsigned frame, const struct tg_sip *sip)
{
	unsigned i;

	for (i = 0; i < n_expected && expected[i].frame != frame; i++)
		;
	if (i == n_expected) {
		/* tshark's list leaves out an INVITE in which nobody has a user part. */
		for (i = 0; i < sip->sig.n_ids; i++)
			if (sip->sig.id[i].raw_len > 0)
				fail_msg("%s frame %u: judged, not in tshark's list", name, frame);
		return;
	}
	expected[i].found = true;
	if (!is_raw(sip, TG_ID_FROM, expected[i].from) ||
	    !is_raw(sip, TG_ID_PAI, expected[i].pai) || !is_raw(sip, TG_ID_PPI, expected[i].ppi) ||
	    !is_raw(sip, TG_ID_REQUEST_URI, expected[i].ruri) ||
	    !is_raw(sip, TG_ID_TO, expected[i].to))
		fail_msg("%s frame %u: other numbers than tshark's", name, frame);
}

static void check_not_judged(const char *name, unsigned frame, enum tg_reason reason)
{
	unsigned i, x;

	for (i = 0; i < n_expected && expected[i].frame != frame; i++)
		;
	if (i == n_expected || expected[i].found)
		return;
	for (x = 0; x < TG_ARRAY_LEN(exceptions); x++)
		if (strncmp(name, exceptions[x].capture, strlen(exceptions[x].capture)) == 0 &&
		    exceptions[x].frame == frame && exceptions[x].reason == reason)
			expected[i].found = true;
	if (!expected[i].found)
		fail_msg("%s frame %u: not judged: %s", name, frame, tg_reason_name(reason));
}

/* Bytes of the link header when it is neither Ethernet nor IP. */
static unsigned link_bytes(int type, enum tg_link *link)
{
	*link = TG_LINK_IP;
	switch (type) {
	case DLT_EN10MB:
		*link = TG_LINK_ETHERNET;
		return 0;
	case DLT_LINUX_SLL:
		return 16;
	case DLT_NULL:
		return 4;
	default:
		assert_true(type == DLT_RAW);
		return 0;
	}
}

static enum tg_reason read_frame(const uint8_t *data, uint32_t len, enum tg_link link,
				 struct tg_sip *sip)
{
	struct tg_frame f;
	enum tg_reason reason = tg_frame_walk(data, data + len, link, &f);

	if (reason != TG_REASON_NONE)
		return reason;
	if (f.l4_proto == TG_IPPROTO_TCP)
		return TG_REASON_TCP_PART;
	reason = tg_sip_parse((struct tg_span){ data + f.payload_off, f.payload_len }, sip);
	if (reason == TG_REASON_NONE && sip->method != TG_SIP_INVITE)
		return TG_REASON_SIP_REQUEST;
	return reason;
}

static unsigned check_capture(const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	char text[512], error[PCAP_ERRBUF_SIZE];
	unsigned frame = 0, skip, judged = 0, i;
	struct pcap_pkthdr *header;
	const uint8_t *data;
	enum tg_link link;
	pcap_t *pcap;

	snprintf(text, sizeof(text), "%s.tshark.tsv", path);
	read_expected(text);
	pcap = pcap_open_offline(path, error);
	if (!pcap) { /* a format that only tshark knows: nothing to be found in it */
		assert_int_equal(n_expected, 0);
		return 0;
	}
	skip = link_bytes(pcap_datalink(pcap), &link);
	while (pcap_next_ex(pcap, &header, &data) == 1) {
		enum tg_reason reason;
		struct tg_sip sip;

		frame++;
		if (header->caplen < skip)
			continue;
		reason = read_frame(data + skip, header->caplen - skip, link, &sip);
		if (reason == TG_REASON_NONE) {
			check_invite(name, frame, &sip);
			judged++;
		} else {
			check_not_judged(name, frame, reason);
		}
	}
	pcap_close(pcap);
	for (i = 0; i < n_expected; i++)
		if (!expected[i].found)
			fail_msg("%s frame %u: not read at all", name, expected[i].frame);
	return judged;
}

static unsigned check_folder(const char *pattern)
{
	unsigned judged = 0;
	char path[256];
	size_t i;
	glob_t g;

	snprintf(path, sizeof(path), "%s/%s", tg_test_captures(), pattern);
	assert_int_equal(glob(path, 0, NULL, &g), 0);
	for (i = 0; i < g.gl_pathc; i++) {
		const size_t n = strlen(g.gl_pathv[i]);

		if (n < 4 || strcmp(g.gl_pathv[i] + n - 4, ".tsv") != 0)
			judged += check_capture(g.gl_pathv[i]);
	}
	globfree(&g);
	return judged;
}

TG_TEST(sip_captures_as_tshark_reads_them, TG_NEEDS_CAPTURES)
{
	static const char *const variants[] = { "avx512", "avx2", "portable", "grammar" };
	unsigned v;

	for (v = 0; v < TG_ARRAY_LEN(variants); v++)
		if (tg_sip_variant_set(variants[v]))
			assert_int_equal(check_folder("sip/*.pcap*"), 52);
	tg_sip_variant_set(NULL);
	assert_int_equal(check_folder("negative/*.pcap*"), 0);
}
