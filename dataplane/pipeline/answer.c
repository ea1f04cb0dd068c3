/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <string.h>

#include "dataplane/pipeline/layout.h"
#include "tollgate/checksum.h"
#include "tollgate/load.h"

#define SIP_PORT 5060 /* RFC 3261 §18.1.1: the default of a sent-by without port */
#define ETHERNET_MACS 12
#define IPV4_HEADER 20
#define IPV6_HEADER 40
#define UDP_HEADER 8
#define TTL 64 /* RFC 1700's default */
#define ECN_BITS 3u

/* The link carried the request: an Ethernet of 1500 bytes, or a jumbo one. Nothing of ours needs
 * fragments, and an answer is seldom longer than what it copies its fields from. */
#define MTU 1500

static const struct tg_sip_answer fallback_answer = {
	.code = TG_ANSWER_FALLBACK_CODE, /* RFC 3261 §21.6.2: no other place to try either */
	.phrase = { (const uint8_t *)"Decline", 7 },
};

static unsigned headers_len(const struct tg_frame *f)
{
	return f->l3_off + (f->ip_version == 6 ? IPV6_HEADER : IPV4_HEADER) + UDP_HEADER;
}

/* The longest frame we may send back. What came in fragments tells that it was too long for a link. */
static unsigned frame_limit(const struct tg_frame_in *in, const struct tg_result *r)
{
	const struct tg_frame *f = &r->frame;
	const unsigned request = (unsigned)f->payload_off + f->payload_len - f->l3_off;

	return request <= MTU || r->data != in->data ? f->l3_off + MTU : TG_ANSWER_MAX;
}

/* RFC 3261 §18.2.2 and RFC 3581 §4; the address is always the source (maddr would let a forged
 * request aim our answers anywhere). */
static uint16_t reply_port(const struct tg_frame *f, const struct tg_sip *sip)
{
	if (sip->rport.data)
		return f->sport;
	return sip->via_port ? sip->via_port : SIP_PORT;
}

/* An address that one host may have: not unspecified, multicast or broadcast. */
static bool is_host_address(const uint8_t *a, unsigned version)
{
	static const uint8_t unspecified[16];

	if (version == 4)
		return a[0] != 0 && a[0] < 224;
	return a[0] != 0xff && memcmp(a, unspecified, sizeof(unspecified)) != 0;
}

/* Labels are a route of one direction (RFC 3031 §3.1): the way back has others, which nobody told us. */
static bool has_way_back(const struct tg_frame *f)
{
	return f->n_mpls == 0;
}

static bool is_between_hosts(const struct tg_frame_in *in, const struct tg_result *r)
{
	const struct tg_frame *f = &r->frame;

	if (in->link == TG_LINK_ETHERNET && ((r->data[0] | r->data[6]) & 1))
		return false; /* group bit (IEEE 802.3 §3.2.3) */
	return is_host_address(tg_layout_source(r->data, f), f->ip_version) &&
	       is_host_address(tg_layout_destination(r->data, f), f->ip_version);
}

static struct tg_span text_span(const char *s, size_t max)
{
	const uint32_t len = (uint32_t)strnlen(s, max);

	return (struct tg_span){ len ? (const uint8_t *)s : NULL, len };
}

/* A verdict from before the policy was swapped may name an answer that no longer exists. */
struct tg_sip_answer tg_layout_answer(const struct tg_policy *p, unsigned index)
{
	const struct tg_policy_answer *a;

	if (index >= p->n_answers || p->answer[index].code == 0)
		return fallback_answer;
	a = &p->answer[index];
	return (struct tg_sip_answer){
		.code = a->code,
		.phrase = text_span(a->phrase, sizeof(a->phrase)),
		.reason = text_span(a->reason, sizeof(a->reason)),
		.contact = text_span(a->contact, sizeof(a->contact)),
		.call_info = text_span(a->call_info, sizeof(a->call_info)),
	};
}

/* Where a message may be written. */
struct room {
	uint8_t *at;
	unsigned len;
};

/* Fills in the SIP message behind the headers. An answer longer than its request would make us an
 * amplifier (traps OP-8): then it goes without its Call-Info and its Reason, and what remains, but for a
 * Contact, the request had too. */
static unsigned build_sip(const struct tg_pipeline *pl, const struct tg_generation *gen,
			  const struct tg_result *r, struct room room)
{
	const struct tg_frame *f = &r->frame;
	struct tg_sip_answer answer = tg_layout_answer(&gen->policy, r->verdict.answer);
	struct tg_sip_source source = { .port = f->sport };
	char tag[TG_SIP_TAG_LEN];
	unsigned len;

	if (!inet_ntop(f->ip_version == 6 ? AF_INET6 : AF_INET, tg_layout_source(r->data, f),
		       source.text, sizeof(source.text)))
		return 0;
	tg_sip_to_tag(r->sip, tg_layout_key(pl), tag);
	len = tg_sip_answer_build(r->sip, &answer, &source, tag, room.at, room.len);
	if (answer.call_info.data && (len == 0 || len > f->payload_len)) {
		answer.call_info = (struct tg_span){ NULL, 0 };
		len = tg_sip_answer_build(r->sip, &answer, &source, tag, room.at, room.len);
	}
	if (answer.reason.data && (len == 0 || len > f->payload_len)) {
		answer.reason = (struct tg_span){ NULL, 0 };
		len = tg_sip_answer_build(r->sip, &answer, &source, tag, room.at, room.len);
	}
	return len;
}

static void write_ethernet(const struct tg_frame_in *in, const struct tg_result *r, uint8_t *out)
{
	memcpy(out, r->data, r->frame.l3_off); /* tags and type as they were */
	if (in->link == TG_LINK_ETHERNET && r->frame.l3_off >= ETHERNET_MACS) {
		memcpy(out, r->data + 6, 6);
		memcpy(out + 6, r->data, 6);
	}
}

/* RFC 791 §3.1: no options, no fragment, so identification may be 0 (RFC 6864 §4.1). The DSCP is the
 * request's; its ECN bits were about the way it came (RFC 3168 §5), not about this packet's. */
static void write_ipv4(const uint8_t *in, const struct tg_frame *f, unsigned udp_len, uint8_t *ip)
{
	memset(ip, 0, IPV4_HEADER);
	ip[0] = 0x45;
	ip[1] = (uint8_t)(f->dscp & ~ECN_BITS);
	tg_store_be16(ip + 2, (uint16_t)(IPV4_HEADER + udp_len));
	tg_store_be16(ip + 6, 0x4000); /* DF */
	ip[8] = TTL;
	ip[9] = TG_IPPROTO_UDP;
	memcpy(ip + 12, tg_layout_destination(in, f), 4);
	memcpy(ip + 16, tg_layout_source(in, f), 4);
}

/* RFC 8200 §3. */
static void write_ipv6(const uint8_t *in, const struct tg_frame *f, unsigned udp_len, uint8_t *ip)
{
	tg_store_be32(ip, 6u << 28 | (uint32_t)(f->dscp & ~ECN_BITS) << 20);
	tg_store_be16(ip + 4, (uint16_t)udp_len);
	ip[6] = TG_IPPROTO_UDP;
	ip[7] = TTL;
	memcpy(ip + 8, tg_layout_destination(in, f), 16);
	memcpy(ip + 24, tg_layout_source(in, f), 16);
}

unsigned tg_answer_build(const struct tg_pipeline *pl, const struct tg_generation *gen,
			 const struct tg_frame_in *in, const struct tg_result *r, uint8_t *out,
			 unsigned cap)
{
	const struct tg_frame *f = &r->frame;
	const unsigned headers = headers_len(f);
	unsigned limit, len;
	struct tg_frame a = *f;

	if (!has_way_back(f) || f->dport == 0 || reply_port(f, r->sip) == 0 ||
	    !is_between_hosts(in, r) || cap <= headers)
		return 0;
	limit = cap < frame_limit(in, r) ? cap : frame_limit(in, r);
	len = build_sip(pl, gen, r, (struct room){ out + headers, limit - headers });
	if (len == 0)
		return 0;

	a.l4_off = (uint16_t)(headers - UDP_HEADER);
	a.payload_off = (uint16_t)headers;
	a.payload_len = (uint16_t)len;
	a.sport = f->dport;
	a.dport = reply_port(f, r->sip);
	write_ethernet(in, r, out);
	if (f->ip_version == 6)
		write_ipv6(r->data, f, UDP_HEADER + len, out + f->l3_off);
	else
		write_ipv4(r->data, f, UDP_HEADER + len, out + f->l3_off);
	tg_store_be16(out + a.l4_off, a.sport);
	tg_store_be16(out + a.l4_off + 2, a.dport);
	tg_store_be16(out + a.l4_off + 4, (uint16_t)(UDP_HEADER + len));
	tg_store_be16(out + a.l4_off + 6, 0);
	tg_checksum_udp_fill(out, &a);
	return headers + len;
}
