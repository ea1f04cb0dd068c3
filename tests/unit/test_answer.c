/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/generation.h"
#include "tests/support/pkt.h"
#include "tests/support/sip_text.h"
#include "tests/support/tg_test.h"
#include "tollgate/checksum.h"

static const struct tg_pipeline_config config = {
	.memory_entries = 1024,
	.cap_entries = 64,
	.key = "0123456789abcde",
};

/* One INVITE of a listed caller, and what we say to it. */
struct answer {
	uint8_t request[TG_PKT_MAX];
	struct tg_frame_in in;
	struct tg_result r;
	uint8_t frame[TG_ANSWER_MAX];
	unsigned len;
	struct tg_frame f;	  /* of the answer */
	char text[TG_ANSWER_MAX]; /* its payload, NUL-terminated */
};

struct fixture {
	struct tg_test_generation g;
	struct tg_pipeline *pl;
};

static void setup(struct fixture *fx)
{
	assert_true(tg_test_generation_init(&fx->g, false));
	fx->pl = aligned_alloc(TG_CACHE_LINE, tg_pipeline_size(&config));
	assert_non_null(fx->pl);
	tg_pipeline_init(fx->pl, &config);
}

static void teardown(struct fixture *fx)
{
	tg_test_generation_fini(&fx->g);
	free(fx->pl);
}

/* The request as the sender's frame, judged; fails the test unless it is to be answered. */
static void request(struct fixture *fx, struct answer *a, const struct tg_pkt *p, const char *text,
		    size_t len)
{
	memset(a, 0, sizeof(*a));
	a->in.data = a->request;
	a->in.len = (uint32_t)tg_pkt_build(p, text, len, a->request);
	a->in.link = p->no_ethernet ? TG_LINK_IP : TG_LINK_ETHERNET;
	tg_pipeline_burst(fx->pl, &fx->g.gen, &a->in, 1, 1000, &a->r);
	assert_int_equal(a->r.fate, TG_FATE_ANSWER);
}

static void build(struct fixture *fx, struct answer *a)
{
	a->len = tg_answer_build(fx->pl, &fx->g.gen, &a->in, &a->r, a->frame, sizeof(a->frame));
	assert_true(a->len > 0 && a->len <= sizeof(a->frame));
	assert_int_equal(
		tg_frame_walk(a->frame, a->frame + a->len, (enum tg_link)a->in.link, &a->f),
		TG_REASON_NONE);
	assert_int_equal(a->f.payload_off + a->f.payload_len, a->len);
	memcpy(a->text, a->frame + a->f.payload_off, a->f.payload_len);
}

static struct answer *answer_text(struct fixture *fx, const struct tg_pkt *p, const char *text,
				  size_t len)
{
	static struct answer a;

	request(fx, &a, p, text, len);
	build(fx, &a);
	return &a;
}

static struct answer *answer(struct fixture *fx, const struct tg_pkt *p,
			     const struct tg_sip_text *t)
{
	char text[TG_SIP_TEXT_MAX];

	return answer_text(fx, p, text, tg_sip_text(t, text));
}

/* RFC 1071 by the plain loop of the support library, not by the code under test. */
static void assert_checksums(const struct answer *a)
{
	const uint8_t *ip = a->frame + a->f.l3_off, *udp = a->frame + a->f.l4_off;
	const uint16_t udp_len = (uint16_t)(8 + a->f.payload_len);
	const bool v6 = a->f.ip_version == 6;
	uint32_t pseudo = tg_pkt_sum(ip + (v6 ? 8 : 12), v6 ? 32 : 8, TG_IPPROTO_UDP + udp_len);

	assert_int_equal(tg_pkt_sum(udp, udp_len, pseudo), 0xffff);
	assert_true(udp[6] != 0 || udp[7] != 0); /* "none" is not for us (RFC 8200 §8.1) */
	if (!v6)
		assert_int_equal(tg_pkt_sum(ip, 20, 0), 0xffff);
}

/* Every address turned round, every tag kept, in IPv4 and IPv6. */
TG_TEST(L2_1_answer_keeps_the_vlan_stack, TG_NEEDS_NOTHING)
{
	static const struct tg_pkt pkts[] = {
		{ 0 },
		{ .n_vlan = 1, .vlan = { 0xf007 } },
		{ .n_vlan = 2, .vlan = { 0x6123, 0xb456 }, .tpid = { 0x88a8, 0x8100 } },
		{ .ipv6 = true },
		{ .ipv6 = true, .n_vlan = 2, .vlan = { 0x2001, 0xe002 } },
		{ .no_ethernet = true },
		{ .ipv6 = true, .no_ethernet = true },
		{ .ipv4_options = 12, .pad_to = 1500 },
		{ .ipv6 = true, .ext = { 60 } },
	};
	struct fixture fx;
	unsigned i;

	setup(&fx);
	for (i = 0; i < TG_ARRAY_LEN(pkts); i++) {
		const struct tg_sip_text t = { .from = TG_TEST_FRAUD, .call = i };
		const struct answer *a = answer(&fx, &pkts[i], &t);
		const unsigned l3 = a->r.frame.l3_off, addr = pkts[i].ipv6 ? 8 : 12;
		const unsigned n = pkts[i].ipv6 ? 16 : 4;

		assert_int_equal(a->f.l3_off, l3);
		if (!pkts[i].no_ethernet) {
			assert_memory_equal(a->frame, a->request + 6, 6);
			assert_memory_equal(a->frame + 6, a->request, 6);
			assert_memory_equal(a->frame + 12, a->request + 12, l3 - 12);
		}
		assert_memory_equal(a->frame + l3 + addr, a->request + l3 + addr + n, n);
		assert_memory_equal(a->frame + l3 + addr + n, a->request + l3 + addr, n);
		assert_int_equal(a->f.l4_off - l3, pkts[i].ipv6 ? 40 : 20); /* nothing optional */
		assert_checksums(a);
	}
	teardown(&fx);
}

TG_TEST(answer_ip_headers_are_fresh, TG_NEEDS_NOTHING)
{
	/* EF with ECT(0): the DSCP is the call's, the ECN bits were the way's. */
	struct tg_pkt p = { .dscp = 0xba };
	const struct tg_sip_text t = { .from = TG_TEST_FRAUD };
	const struct answer *a;
	const uint8_t *ip;
	struct fixture fx;

	setup(&fx);
	a = answer(&fx, &p, &t);
	ip = a->frame + a->f.l3_off;
	assert_int_equal(ip[0], 0x45);
	assert_int_equal(ip[1], 0xb8);
	assert_int_equal(ip[6], 0x40); /* DF */
	assert_int_equal(ip[8], 64);
	p.ipv6 = true;
	a = answer(&fx, &p, &t);
	ip = a->frame + a->f.l3_off;
	assert_int_equal(ip[0], 0x6b);
	assert_int_equal(ip[1], 0x80);
	assert_int_equal(ip[2] | ip[3], 0); /* flow label */
	assert_int_equal(ip[7], 64);
	teardown(&fx);
}

/* RFC 3581 §4 and RFC 3261 §18.2.2; never to a maddr or to sent-by's address. */
TG_TEST(answer_goes_to_the_source_address, TG_NEEDS_NOTHING)
{
	static const struct {
		const char *via;
		uint16_t port;
		const char *has;
	} cases[] = {
		{ "SIP/2.0/UDP 192.0.2.1;rport;branch=z9hG4bK1", 31337, ";rport=31337" },
		{ "SIP/2.0/UDP 192.0.2.1:5080;branch=z9hG4bK2", 5080, "z9hG4bK2\r\n" },
		{ "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK3", 5060, "z9hG4bK3\r\n" },
		{ "SIP/2.0/UDP pbx.example.com:5070;branch=z9hG4bK4", 5070, ";received=192.0.2.1" },
		{ "SIP/2.0/UDP 203.0.113.9:5070;rport;maddr=203.0.113.8;branch=z9hG4bK5", 31337,
		  ";received=192.0.2.1" },
	};
	const struct tg_pkt p = { .sport = 31337, .dport = 5066 };
	struct fixture fx;
	uint8_t source[4];
	unsigned i;

	setup(&fx);
	assert_int_equal(inet_pton(AF_INET, "192.0.2.1", source), 1);
	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		const struct tg_sip_text t = { .from = TG_TEST_FRAUD, .via = cases[i].via };
		const struct answer *a = answer(&fx, &p, &t);

		assert_int_equal(a->f.sport, 5066);
		assert_int_equal(a->f.dport, cases[i].port);
		assert_memory_equal(a->frame + a->f.l3_off + 16, source, 4);
		assert_non_null(strstr(a->text, cases[i].has));
	}
	teardown(&fx);
}

/* The rule's answer: code, phrase and, where there is room, the Reason. */
TG_TEST(answer_says_what_the_rule_says, TG_NEEDS_NOTHING)
{
	const struct tg_pkt p = { 0 };
	const struct tg_sip_text caller = { .from = TG_TEST_FRAUD, .extra = "X: 123456789\r\n" };
	const struct tg_sip_text called = { .called = TG_TEST_IRSF_CALLED, .call = 1 };
	const struct answer *a;
	struct fixture fx;

	setup(&fx);
	a = answer(&fx, &p, &caller);
	assert_int_equal(strncmp(a->text, "SIP/2.0 603 Decline\r\n", 21), 0);
	assert_non_null(strstr(a->text, "\r\nReason: " TG_TEST_REASON "\r\n"));
	assert_non_null(strstr(a->text, "\r\nCall-ID: call-0@example.com\r\n"));
	assert_non_null(strstr(a->text, "\r\nCSeq: 1 INVITE\r\n"));
	assert_non_null(strstr(a->text, "\r\nContent-Length: 0\r\n\r\n"));
	a = answer(&fx, &p, &called);
	assert_int_equal(strncmp(a->text, "SIP/2.0 403 Forbidden\r\n", 23), 0);
	assert_null(strstr(a->text, "Reason:"));
	teardown(&fx);
}

/* A verdict from before a policy swap: its answer is gone, the built-in one stands in. */
TG_TEST(answer_of_a_gone_policy_is_603, TG_NEEDS_NOTHING)
{
	const struct tg_pkt p = { 0 };
	const struct tg_sip_text t = { .called = TG_TEST_IRSF_CALLED };
	static struct answer a;
	struct fixture fx;
	char text[TG_SIP_TEXT_MAX];

	setup(&fx);
	request(&fx, &a, &p, text, tg_sip_text(&t, text));
	fx.g.policy_header.id++;
	request(&fx, &a, &p, text, tg_sip_text(&t, text));
	assert_true(a.r.repeated);
	build(&fx, &a);
	assert_int_equal(strncmp(a.text, "SIP/2.0 603 Decline\r\n", 21), 0);
	teardown(&fx);
}

/* OP-8: no datagram of ours is longer than the one that asked for it because of a Reason. */
TG_TEST(OP_8_reason_is_dropped_before_the_answer_outgrows, TG_NEEDS_NOTHING)
{
	const char *lean =
		"INVITE sip:b@x SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
		"From: <sip:" TG_TEST_FRAUD "@x>;tag=1\r\nTo: <sip:b@x>\r\n"
		"Call-ID: 1\r\nCSeq: 1 INVITE\r\nContact: <sip:a@192.0.2.1>\r\n"
		"Max-Forwards: 70\r\nX-Pad: %0*d\r\nContent-Length: 0\r\n\r\n";
	const struct tg_pkt p = { 0 };
	bool with = false, without = false;
	struct fixture fx;
	char text[1024];
	int pad;

	setup(&fx);
	fx.g.trunk[0].answers_per_second = 1000;
	for (pad = 1; pad < 120; pad++) {
		const int len = snprintf(text, sizeof(text), lean, pad, 0);
		const struct answer *a = answer_text(&fx, &p, text, (size_t)len);
		const bool has = strstr(a->text, "\r\nReason: ") != NULL;

		assert_true(!has || a->f.payload_len <= a->r.frame.payload_len);
		assert_true(has || !with); /* it does not come and go */
		with |= has;
		without |= !has;
	}
	assert_true(with && without);
	teardown(&fx);
}

/* The longest request that can be judged has an answer that fits what tg_answer_build promises. */
TG_TEST(answer_to_a_jumbo_request_fits, TG_NEEDS_NOTHING)
{
	static char text[9000], vias[8200];
	const struct tg_pkt p = { .n_vlan = 2, .vlan = { 1, 2 }, .ipv6 = true };
	struct fixture fx;
	size_t n = 0, len;
	int i;

	setup(&fx);
	for (i = 0; i < 15; i++)
		n += (size_t)snprintf(vias + n, sizeof(vias) - n,
				      "Via: SIP/2.0/UDP 192.0.2.%d;branch=z9hG4bK%0480d\r\n", i, i);
	len = (size_t)snprintf(text, sizeof(text),
			       "INVITE sip:b@x SIP/2.0\r\n%sFrom: <sip:" TG_TEST_FRAUD
			       "@x>;tag=1\r\nTo: <sip:b@x>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\r\n",
			       vias);
	assert_true(answer_text(&fx, &p, text, len)->len > 7200);
	teardown(&fx);
}

/* What the caller has too little room for is not built, at any size, and nothing is overrun. */
TG_TEST(answer_respects_the_room_it_gets, TG_NEEDS_NOTHING)
{
	const struct tg_pkt p = { .n_vlan = 1, .vlan = { 5 } };
	const struct tg_sip_text t = { .from = TG_TEST_FRAUD };
	char text[TG_SIP_TEXT_MAX];
	static struct answer a;
	struct fixture fx;
	unsigned cap, need = 0;

	setup(&fx);
	request(&fx, &a, &p, text, tg_sip_text(&t, text));
	for (cap = 0; cap <= 1024; cap++) {
		uint8_t *out = malloc(cap ? cap : 1);
		const unsigned len = tg_answer_build(fx.pl, &fx.g.gen, &a.in, &a.r, out, cap);

		assert_true(len <= cap);
		assert_true(len > 0 || need == 0);
		if (len > 0 && need == 0)
			need = cap;
		free(out); /* the address sanitizer watches its end */
	}
	assert_true(need > 0);
	teardown(&fx);
}
