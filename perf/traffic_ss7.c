/* SPDX-License-Identifier: BSD-3-Clause */
#include "perf/traffic_ss7.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/ss7.h"
#include "tollgate/checksum.h"
#include "tollgate/frame.h"

#define ASSOCIATIONS 64
#define CIRCUITS 4096 /* between two point codes: a circuit code has 12 bits (Q.763 §1.2) */
#define HEAD 34	      /* Ethernet 14, IPv4 20 */

/* Q.763 table 4 */
enum {
	ACM = 0x06,
	ANM = 0x09,
	REL = 0x0c,
	RLC = 0x10
};

const char *traffic_ss7_name(enum traffic_ss7_kind kind)
{
	static const char *const name[] = { "usual", "rich", "ACM", "ANM", "REL", "RLC" };

	return name[kind];
}

static void put_parameter(struct tg_ss7_text *t, unsigned name, const void *value, unsigned len)
{
	tg_ss7_put(t, name);
	tg_ss7_put(t, len);
	memcpy(t->data + t->len, value, len);
	t->len += len;
}

/* An address of Q.763 §3.10's form; `qualifier` of a generic number, or negative. */
static void put_number(struct tg_ss7_text *t, unsigned name, int qualifier, uint64_t number)
{
	char digits[21];

	snprintf(digits, sizeof(digits), "%" PRIu64, number);
	tg_ss7_put(t, name);
	tg_ss7_put(t, (qualifier < 0 ? 2 : 3) + tg_ss7_octets(digits, false));
	if (qualifier >= 0)
		tg_ss7_put(t, (unsigned)qualifier);
	tg_ss7_put_address(t, 4, 0x13, digits, false);
}

/* Where who calls was before; numbers that differ from call to call, and are nobody's else. */
static void put_history(struct tg_ss7_text *t, const struct traffic_call *call)
{
	static const uint8_t redirection[] = { 0x24, 0x21 };
	const uint64_t other = call->called ^ 0x155;

	put_number(t, 0x28, -1, other);	    /* original called number */
	put_number(t, 0x0b, -1, other + 1); /* redirecting number */
	put_parameter(t, 0x13, redirection, sizeof(redirection));
	put_number(t, 0x3f, -1, other + 2); /* location number */
	put_number(t, 0xc0, 6, call->caller);
	put_number(t, 0xc0, 1, other + 3);
	put_number(t, 0xc0, 8, other + 4);
}

/* Q.763 table 32: in the order in which exchanges send it, which is no particular one. */
static void put_iam(struct tg_ss7_text *t, const struct traffic_call *call, bool rich)
{
	static const uint8_t fixed[] = { 0x01, 0x00, 0x60, 0x01, 0x0a, 0x00, 0x02 };
	static const uint8_t forward[] = { 0x00 }, hops[] = { 0x1f }, delay[] = { 0x00, 0x14 };
	static const uint8_t service[] = { 0x80, 0x90, 0xa3 };
	char called[21];

	snprintf(called, sizeof(called), "%" PRIu64, call->called);
	memcpy(t->data + t->len, fixed, sizeof(fixed));
	t->len += sizeof(fixed);
	tg_ss7_put(t, 1 + 1 + 2 + tg_ss7_octets(called, true));
	tg_ss7_put(t, 2 + tg_ss7_octets(called, true));
	tg_ss7_put_address(t, 4, 0x10, called, true);
	put_number(t, 0x0a, -1, call->caller);
	put_parameter(t, 0x08, forward, sizeof(forward));
	put_parameter(t, 0x1d, service, sizeof(service)); /* user service information */
	put_parameter(t, 0x31, delay, sizeof(delay));	  /* propagation delay counter */
	put_parameter(t, 0x3d, hops, sizeof(hops));	  /* hop counter */
	if (rich)
		put_history(t, call);
	tg_ss7_put(t, 0);
}

/* Q.763 tables 21 (ACM), 22 (ANM), 33 (REL), 34 (RLC): from the message type on. */
static void put_other(struct tg_ss7_text *t, enum traffic_ss7_kind kind)
{
	static const uint8_t acm[] = { ACM, 0x16, 0x34, 0x01, 0x11, 0x02, 0x00, 0x00, 0x00 };
	static const uint8_t anm[] = { ANM, 0x01, 0x11, 0x02, 0x16, 0x34, 0x00 };
	static const uint8_t rel[] = { REL, 0x02, 0x00, 0x02, 0x82, 0x90 };
	static const uint8_t rlc[] = { RLC, 0x00 };
	static const struct tg_span text[] = {
		[TRAFFIC_ACM] = { acm, sizeof(acm) },
		[TRAFFIC_ANM] = { anm, sizeof(anm) },
		[TRAFFIC_REL] = { rel, sizeof(rel) },
		[TRAFFIC_RLC] = { rlc, sizeof(rlc) },
	};

	memcpy(t->data + t->len, text[kind].data, text[kind].len);
	t->len += text[kind].len;
}

/* Behind the common header of M3UA a routing context (RFC 4666 §3.3.1), as links have that serve several. */
static struct tg_ss7_text message_text(const struct traffic_ss7_message *m)
{
	const struct tg_ss7_call call = {
		.opc = 0x1001 + (uint32_t)(m->call.serial / CIRCUITS % 16),
		.dpc = 0x2002,
		.cic = (uint32_t)(m->call.serial % CIRCUITS),
	};
	struct tg_ss7_text isup = { .len = 0 }, t;

	tg_ss7_put_circuit(&isup, &call);
	if (m->kind <= TRAFFIC_IAM_RICH)
		put_iam(&isup, &m->call, m->kind == TRAFFIC_IAM_RICH);
	else
		put_other(&isup, m->kind);
	t = tg_ss7_m3ua(&call, TG_SI_ISUP, isup.data, isup.len);
	memmove(t.data + 16, t.data + 8, t.len - 8);
	tg_store_be32(t.data + 8, 0x00060008);
	tg_store_be32(t.data + 12, 7);
	t.len += 8;
	tg_store_be32(t.data + 4, t.len);
	return t;
}

unsigned traffic_ss7_message(uint8_t *out, const struct traffic_ss7_message *m)
{
	const struct tg_ss7_text t = message_text(m);

	memcpy(out, t.data, t.len);
	return t.len;
}

/* Two hosts, one path: the vtag tells associations apart. */
static void put_heads(uint8_t *out, unsigned payload)
{
	static const uint8_t head[HEAD] = {
		0x02, 0, 0,    0,  0,	2, 0x02, 0, 0,	  0, 0,	 1,
		0x08, 0, 0x45, 0,  0,	0, 0,	 0, 0x40, 0, 64, TG_IPPROTO_SCTP,
		0,    0, 198,  51, 100, 7, 192,	 0, 2,	  9,
	};

	memcpy(out, head, sizeof(head));
	tg_store_be16(out + 16, (uint16_t)(20 + payload));
	tg_checksum_ipv4_fill(out + 14);
}

unsigned traffic_ss7_frame(uint8_t *out, const struct traffic_ss7_message *m, unsigned n,
			   uint64_t serial)
{
	const uint32_t first = (uint32_t)(serial / ASSOCIATIONS) * n;
	struct tg_ss7_packet p;
	struct tg_frame f;
	unsigned i;

	tg_ss7_packet_begin(&p, 0x9e3779b1u * (1 + (uint32_t)(serial % ASSOCIATIONS)));
	for (i = 0; i < n; i++) {
		const struct tg_ss7_text t = message_text(&m[i]);
		const struct tg_ss7_data d = {
			.tsn = 0x1000 + first + i,
			.message = first + i,
			.stream = (uint16_t)(1 + m[i].call.serial % 16),
		};

		tg_ss7_packet_data(&p, &d, t.data, t.len);
	}
	tg_ss7_packet_end(&p);
	put_heads(out, p.len);
	memcpy(out + HEAD, p.data, p.len);
	if (HEAD + p.len > TRAFFIC_SS7_FRAME_MAX ||
	    tg_frame_walk(out, out + HEAD + p.len, TG_LINK_ETHERNET, &f) != TG_REASON_SCTP) {
		fprintf(stderr, "traffic: a frame that cannot be read\n");
		exit(1);
	}
	return HEAD + p.len;
}
