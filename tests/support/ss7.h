/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls over SS7 for tests: parameters -> ISUP, M3UA or M2PA, DATA chunks, an SCTP packet. Inline, because
 * fuzz targets link no other support. All zero is: an IAM to +61491570156 (ST at its end) from +12025550177, both
 * international, circuit 0, from point code 0 to 0, in M3UA.
 */
#ifndef TG_TESTS_SS7_H
#define TG_TESTS_SS7_H

#include <string.h>

#include "tollgate/isup.h"
#include "tollgate/load.h"
#include "tollgate/mtp3.h"
#include "tollgate/sctp.h"

#define TG_SS7_MESSAGE_MAX 1024
#define TG_SS7_PACKET_MAX 2048
#define TG_SS7_CALLED_DEFAULT "61491570156"
#define TG_SS7_CALLING_DEFAULT "12025550177"

struct tg_ss7_call {
	const char *called; /* digits; NULL = TG_SS7_CALLED_DEFAULT */
	const char
		*calling; /* digits; NULL = TG_SS7_CALLING_DEFAULT, "" = the parameter is missing */
	const char *generic;	/* additional calling party number, if not NULL */
	uint8_t type;		/* enum tg_isup_type; 0 = IAM */
	uint8_t called_nature;	/* 0 = international */
	uint8_t calling_nature; /* 0 = international */
	uint8_t presentation;	/* enum tg_isup_presentation */
	uint8_t category;	/* 0 = ordinary subscriber */
	bool no_st;		/* more digits may follow */
	bool segments;		/* a segmentation message follows */
	bool bicc;
	uint32_t cic;
	uint32_t opc, dpc;
	unsigned
		padding; /* octets of a parameter that nobody reads, to make it longer; at most 250 */
};

struct tg_ss7_text {
	uint8_t data[TG_SS7_MESSAGE_MAX];
	uint32_t len;
};

static inline void tg_ss7_put(struct tg_ss7_text *t, unsigned octet)
{
	t->data[t->len++] = (uint8_t)octet;
}

/* Two digits an octet, low nibble first; F is ST. */
static inline void tg_ss7_put_digits(struct tg_ss7_text *t, const char *digits, bool st)
{
	const size_t n = strlen(digits) + st;
	size_t i;

	for (i = 0; i < n; i++) {
		const unsigned digit = digits[i] ? (unsigned)(digits[i] - '0') : 15;

		if (i % 2 == 0)
			tg_ss7_put(t, digit);
		else
			t->data[t->len - 1] |= (uint8_t)(digit << 4);
	}
}

/* Q.763 §3.9, §3.10: what stands before the digits, which are counted with ST. */
static inline void tg_ss7_put_address(struct tg_ss7_text *t, unsigned nature, unsigned second,
				      const char *digits, bool st)
{
	tg_ss7_put(t, ((strlen(digits) + st) % 2 ? 0x80 : 0) | nature);
	tg_ss7_put(t, second);
	tg_ss7_put_digits(t, digits, st);
}

static inline unsigned tg_ss7_octets(const char *digits, bool st)
{
	return (unsigned)(strlen(digits) + st + 1) / 2;
}

static inline void tg_ss7_put_circuit(struct tg_ss7_text *t, const struct tg_ss7_call *c)
{
	unsigned i;

	for (i = 0; i < (c->bicc ? 4u : 2u); i++)
		tg_ss7_put(t, c->cic >> 8 * i);
}

/* The optional part: calling, generic, forward call indicators, padding. */
static inline void tg_ss7_put_optional(struct tg_ss7_text *t, const struct tg_ss7_call *c)
{
	const char *calling = c->calling ? c->calling : TG_SS7_CALLING_DEFAULT;
	unsigned i;

	if (calling[0] && c->type != TG_ISUP_SGM) {
		tg_ss7_put(t, 0x0a);
		tg_ss7_put(t, 2 + tg_ss7_octets(calling, false));
		tg_ss7_put_address(t, c->calling_nature ? c->calling_nature : 4,
				   0x10 | c->presentation << 2 | 3, calling, false);
	}
	if (c->generic) {
		tg_ss7_put(t, 0xc0);
		tg_ss7_put(t, 3 + tg_ss7_octets(c->generic, false));
		tg_ss7_put(t, 6);
		tg_ss7_put_address(t, 4, 0x11, c->generic, false);
	}
	if (c->segments) {
		tg_ss7_put(t, 0x08);
		tg_ss7_put(t, 1);
		tg_ss7_put(t, 0x04);
	}
	if (c->padding) {
		tg_ss7_put(t, 0x20); /* user-to-user information */
		tg_ss7_put(t, c->padding);
		for (i = 0; i < c->padding; i++)
			tg_ss7_put(t, 'p');
	}
	tg_ss7_put(t, 0);
}

/* Q.763 tables 32 (IAM), 41 (SAM), 49 (SGM) */
static inline struct tg_ss7_text tg_ss7_isup(const struct tg_ss7_call *c)
{
	const char *called = c->called ? c->called : TG_SS7_CALLED_DEFAULT;
	const unsigned type = c->type ? c->type : TG_ISUP_IAM;
	const bool st = !c->no_st && type != TG_ISUP_SGM;
	struct tg_ss7_text t = { .len = 0 };

	tg_ss7_put_circuit(&t, c);
	tg_ss7_put(&t, type);
	if (type == TG_ISUP_SGM) {
		tg_ss7_put(&t, 1);
		tg_ss7_put_optional(&t, c);
		return t;
	}
	if (type == TG_ISUP_SAM) {
		tg_ss7_put(&t, 2);
		tg_ss7_put(&t, 0);
		tg_ss7_put(&t, 1 + tg_ss7_octets(called, st));
		tg_ss7_put(&t, (strlen(called) + st) % 2 ? 0x80 : 0);
		tg_ss7_put_digits(&t, called, st);
		return t;
	}
	tg_ss7_put(&t, 0x00);
	tg_ss7_put(&t, 0x20);
	tg_ss7_put(&t, 0x01);
	tg_ss7_put(&t, c->category ? c->category : 10);
	tg_ss7_put(&t, 0x00);
	tg_ss7_put(&t, 2);
	tg_ss7_put(&t, 1 + 1 + 2 + tg_ss7_octets(called, st));
	tg_ss7_put(&t, 2 + tg_ss7_octets(called, st));
	tg_ss7_put_address(&t, c->called_nature ? c->called_nature : 4, 0x10, called, st);
	tg_ss7_put_optional(&t, c);
	return t;
}

/* RFC 4666 §3.3.1: protocol data alone. */
static inline struct tg_ss7_text tg_ss7_m3ua(const struct tg_ss7_call *c, unsigned si,
					     const uint8_t *user, uint32_t len)
{
	const uint32_t padded = (len + 3) & ~3u;
	struct tg_ss7_text t = { .len = 8 + 4 + 12 + padded };

	memset(t.data, 0, t.len);
	t.data[0] = 1;
	t.data[2] = 1;
	t.data[3] = 1;
	tg_store_be32(t.data + 4, t.len);
	tg_store_be16(t.data + 8, 0x0210);
	tg_store_be16(t.data + 10, (uint16_t)(4 + 12 + len));
	tg_store_be32(t.data + 12, c->opc);
	tg_store_be32(t.data + 16, c->dpc);
	t.data[20] = (uint8_t)si;
	t.data[21] = 2;
	memcpy(t.data + 24, user, len);
	return t;
}

/* RFC 4165 §2, Q.704 §2.2: sequence numbers, priority, service information octet, ITU label. */
static inline struct tg_ss7_text tg_ss7_m2pa(const struct tg_ss7_call *c, unsigned si,
					     const uint8_t *user, uint32_t len)
{
	const uint32_t label = c->dpc | c->opc << 14;
	struct tg_ss7_text t = { .len = 8 + 8 + 1 + 1 + 4 + len };
	unsigned i;

	memset(t.data, 0, t.len);
	t.data[0] = 1;
	t.data[2] = 11;
	t.data[3] = 1;
	tg_store_be32(t.data + 4, t.len);
	t.data[11] = 7;
	t.data[15] = 9;
	t.data[17] = (uint8_t)(0x80 | si);
	for (i = 0; i < 4; i++)
		t.data[18 + i] = (uint8_t)(label >> 8 * i);
	memcpy(t.data + 22, user, len);
	return t;
}

/* The call in M3UA, as a user message of SCTP. */
static inline struct tg_ss7_text tg_ss7_message(const struct tg_ss7_call *c)
{
	const struct tg_ss7_text isup = tg_ss7_isup(c);

	return tg_ss7_m3ua(c, c->bicc ? TG_SI_BICC : TG_SI_ISUP, isup.data, isup.len);
}

/* ---- SCTP -------------------------------------------------------------------------------------- */

struct tg_ss7_packet {
	uint8_t data[TG_SS7_PACKET_MAX];
	uint32_t len;
};

/* vtag 0 = 0x11223344; ports 2905. */
static inline void tg_ss7_packet_begin(struct tg_ss7_packet *p, uint32_t vtag)
{
	memset(p, 0, sizeof(*p));
	tg_store_be16(p->data, 2905);
	tg_store_be16(p->data + 2, 2905);
	tg_store_be32(p->data + 4, vtag ? vtag : 0x11223344);
	p->len = TG_SCTP_HEADER;
}

static inline void tg_ss7_packet_chunk(struct tg_ss7_packet *p, unsigned type, unsigned flags,
				       const void *value, uint32_t len)
{
	uint8_t *const c = p->data + p->len;

	c[0] = (uint8_t)type;
	c[1] = (uint8_t)flags;
	tg_store_be16(c + 2, (uint16_t)(4 + len));
	if (len > 0)
		memcpy(c + 4, value, len);
	p->len += 4 + ((len + 3) & ~3u);
}

struct tg_ss7_data {
	uint32_t tsn;
	uint32_t message; /* SSN or MID */
	uint32_t fsn;
	uint32_t ppid; /* 0 = M3UA, UINT32_MAX = 0 */
	uint16_t stream;
	uint8_t flags; /* TG_SCTP_FLAG_*; 0 = begin and end */
	bool interleaved;
	bool middle; /* flags of 0 are meant */
};

static inline void tg_ss7_packet_data(struct tg_ss7_packet *p, const struct tg_ss7_data *d,
				      const void *user, uint32_t len)
{
	const uint8_t flags = d->flags || d->middle ? d->flags
						    : TG_SCTP_FLAG_BEGIN | TG_SCTP_FLAG_END;
	const uint32_t ppid = d->ppid == UINT32_MAX ? 0 : d->ppid ? d->ppid : TG_PPID_M3UA;
	uint8_t value[TG_SS7_PACKET_MAX];
	uint32_t n = 12;

	tg_store_be32(value, d->tsn);
	tg_store_be16(value + 4, d->stream);
	if (d->interleaved) {
		tg_store_be16(value + 6, 0);
		tg_store_be32(value + 8, d->message);
		tg_store_be32(value + 12, flags & TG_SCTP_FLAG_BEGIN ? ppid : d->fsn);
		n = 16;
	} else {
		tg_store_be16(value + 6, (uint16_t)d->message);
		tg_store_be32(value + 8, ppid);
	}
	memcpy(value + n, user, len);
	tg_ss7_packet_chunk(p, d->interleaved ? TG_SCTP_I_DATA : TG_SCTP_DATA, flags, value,
			    n + len);
}

static inline void tg_ss7_packet_end(struct tg_ss7_packet *p)
{
	tg_store_be32(p->data + 8, tg_sctp_checksum((struct tg_span){ p->data, p->len }));
}

#endif
