/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One TCP connection through a pipeline, segment by segment: frames are made here, changed as the
 * pipeline says, and read by a receiver that keeps the first copy of each byte. Inline, because fuzz
 * targets link no other support. Its checksum is the plain loop of RFC 1071 §4.1, an oracle for what
 * the dataplane computes.
 *
 *	struct tcp_lab lab;
 *	tcp_lab_init(&lab, &gen, pl);
 *	tcp_lab_queue(&lab, &(struct tcp_segment){ .dir = 0, .off = 0, .bytes = text, .len = n });
 *	tcp_lab_run(&lab);              what is queued is one burst
 *	lab.out[0][0 .. lab.have[0])    what the far end has read
 *	lab.line[]                      what was judged
 *
 * Direction 0 is from 192.0.2.1:49152, port 0 (the outside), to 198.51.100.2:5060; 1 is the way back.
 */
#ifndef TG_TESTS_TCP_H
#define TG_TESTS_TCP_H

#include <stdlib.h>
#include <string.h>

#include "tollgate/checksum.h"
#include "tollgate/pipeline.h"

#define TCP_LAB_STREAM (256 * 1024)
#define TCP_LAB_FRAME 9100
#define TCP_LAB_LINES 4096

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

struct tcp_segment {
	unsigned dir;
	uint32_t off; /* of the stream: byte 0 has sequence number isn + 1 */
	const void *bytes;
	uint32_t len;
	uint8_t flags; /* 0 = ACK */
	bool no_ack;
	uint32_t ack; /* offset in the other stream */
	bool bad_checksum;
	bool syn; /* seq is the isn itself; off is not used */
};

/* A judged call. */
struct tcp_line {
	uint32_t call; /* what stands behind "Call-ID: c" */
	uint8_t action;
	uint8_t reason; /* the verdict's */
	uint8_t counted;
	bool repeated;
	uint8_t fate;
};

struct tcp_lab {
	const struct tg_generation *gen;
	struct tg_pipeline *pl;
	uint64_t now_ms;
	uint32_t isn[2];
	uint16_t port[2]; /* TCP ports of both ends */
	uint8_t pipeline_port[2];
	unsigned n;
	struct tcp_segment queued[TG_BURST];
	struct tg_frame_in in[TG_BURST];
	struct tg_result result[TG_BURST];
	uint8_t frame[TG_BURST][TCP_LAB_FRAME];
	uint8_t original[TCP_LAB_FRAME];
	uint8_t out[2][TCP_LAB_STREAM];
	bool got[2][TCP_LAB_STREAM];
	uint32_t have[2]; /* in order */
	unsigned n_lines;
	struct tcp_line line[TCP_LAB_LINES];
	uint64_t reason[TG_REASON_COUNT];
	unsigned n_edited;
};

static inline void tcp_lab_require(bool ok)
{
	if (!ok)
		abort();
}

static inline void tcp_lab_init(struct tcp_lab *lab, const struct tg_generation *gen,
				struct tg_pipeline *pl)
{
	memset(lab, 0, sizeof(*lab));
	lab->gen = gen;
	lab->pl = pl;
	lab->isn[0] = 0xfffff000; /* wraps within the first message or two */
	lab->isn[1] = 0x12345678;
	lab->port[0] = 49152;
	lab->port[1] = 5060;
	lab->pipeline_port[1] = 1;
	lab->now_ms = 1000;
}

static inline uint16_t tcp_lab_sum(const uint8_t *p, size_t len, uint32_t sum)
{
	size_t i;

	for (i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	if (len & 1)
		sum += (uint32_t)p[len - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* IPv4 at offset 0 of the frame; TCP with 12 bytes of options behind it. */
#define TCP_LAB_IP 20u
#define TCP_LAB_TCP 32u
#define TCP_LAB_HEADERS (TCP_LAB_IP + TCP_LAB_TCP)

static inline bool tcp_lab_sum_right(const uint8_t *frame, uint32_t len)
{
	const uint32_t l4 = len - TCP_LAB_IP;

	return tcp_lab_sum(frame + TCP_LAB_IP, l4,
			   tcp_lab_sum(frame + 12, 8, TG_IPPROTO_TCP + l4)) == 0xffff;
}

static inline uint32_t tcp_lab_build(const struct tcp_lab *lab, const struct tcp_segment *s,
				     uint8_t *out)
{
	static const uint8_t address[2][4] = { { 192, 0, 2, 1 }, { 198, 51, 100, 2 } };
	const uint32_t len = TCP_LAB_HEADERS + s->len, l4 = TCP_LAB_TCP + s->len;
	uint8_t *tcp = out + TCP_LAB_IP;

	tcp_lab_require(len <= TCP_LAB_FRAME);
	memset(out, 0, TCP_LAB_HEADERS);
	out[0] = 0x45;
	tg_store_be16(out + 2, (uint16_t)len);
	out[8] = 64;
	out[9] = TG_IPPROTO_TCP;
	memcpy(out + 12, address[s->dir], 4);
	memcpy(out + 16, address[!s->dir], 4);
	tg_store_be16(out + 10, (uint16_t)~tcp_lab_sum(out, TCP_LAB_IP, 0));
	tg_store_be16(tcp, lab->port[s->dir]);
	tg_store_be16(tcp + 2, lab->port[!s->dir]);
	tg_store_be32(tcp + 4, lab->isn[s->dir] + (s->syn ? 0 : 1 + s->off));
	tg_store_be32(tcp + 8, s->no_ack ? 0 : lab->isn[!s->dir] + 1 + s->ack);
	tcp[12] = TCP_LAB_TCP / 4 << 4;
	tcp[13] = s->flags ? s->flags : TCP_ACK;
	memset(tcp + 20, 1, TCP_LAB_TCP - 20); /* no-operation */
	if (s->len > 0)
		memcpy(tcp + TCP_LAB_TCP, s->bytes, s->len);
	tg_store_be16(tcp + 16, (uint16_t)~tcp_lab_sum(
					tcp, l4, tcp_lab_sum(out + 12, 8, TG_IPPROTO_TCP + l4)));
	if (s->bad_checksum)
		tcp[16] ^= 0x40;
	return len;
}

static inline void tcp_lab_deliver(struct tcp_lab *lab, const struct tcp_segment *s,
				   const uint8_t *payload)
{
	uint32_t i;

	for (i = 0; i < s->len && s->off + i < TCP_LAB_STREAM; i++) {
		if (lab->got[s->dir][s->off + i])
			continue;
		lab->got[s->dir][s->off + i] = true;
		lab->out[s->dir][s->off + i] = payload[i];
	}
	while (lab->have[s->dir] < TCP_LAB_STREAM && lab->got[s->dir][lab->have[s->dir]])
		lab->have[s->dir]++;
}

static inline uint32_t tcp_lab_call(const struct tg_sip *sip)
{
	uint32_t i, v = 0;

	for (i = 1; i < sip->call_id.len && (uint8_t)(sip->call_id.data[i] - '0') < 10; i++)
		v = v * 10 + (uint32_t)(sip->call_id.data[i] - '0');
	return v;
}

static inline void tcp_lab_lines(struct tcp_lab *lab, const struct tg_result *r)
{
	for (; r && r->judged; r = r->next) {
		if (lab->n_lines == TCP_LAB_LINES)
			return;
		lab->line[lab->n_lines++] = (struct tcp_line){
			.call = tcp_lab_call(r->sip),
			.action = r->verdict.action,
			.reason = r->verdict.reason,
			.counted = r->reason,
			.repeated = r->repeated,
			.fate = r->fate,
		};
	}
}

/* What becomes of frame i: it goes on, at its own length, and its checksum is as right as it was. */
static inline void tcp_lab_forward(struct tcp_lab *lab, unsigned i)
{
	const struct tcp_segment *s = &lab->queued[i];
	const struct tg_result *r = &lab->result[i];
	const uint32_t len = lab->in[i].len;

	tcp_lab_require(r->fate == TG_FATE_FORWARD || r->fate == TG_FATE_EDIT);
	tcp_lab_require(r->reason < TG_REASON_COUNT && r->n_held == 0);
	lab->reason[r->reason]++;
	memcpy(lab->original, lab->frame[i], len);
	if (r->fate == TG_FATE_EDIT) {
		tcp_lab_require(tg_edit_build(lab->pl, lab->gen, &lab->in[i], r, lab->frame[i],
					      len) == len);
		/* Nothing but payload and its checksum. */
		tcp_lab_require(memcmp(lab->original, lab->frame[i], TCP_LAB_IP + 16) == 0);
		tcp_lab_require(memcmp(lab->original + TCP_LAB_IP + 18,
				       lab->frame[i] + TCP_LAB_IP + 18, TCP_LAB_TCP - 18) == 0);
		lab->n_edited++;
	}
	tcp_lab_require(tcp_lab_sum_right(lab->frame[i], len) == !s->bad_checksum);
	tcp_lab_lines(lab, r);
	if (!s->bad_checksum)
		tcp_lab_deliver(lab, s, lab->frame[i] + TCP_LAB_HEADERS);
}

static inline void tcp_lab_run(struct tcp_lab *lab)
{
	unsigned i;

	tg_pipeline_burst(lab->pl, lab->gen, lab->in, lab->n, lab->now_ms, lab->result);
	for (i = 0; i < lab->n; i++)
		tcp_lab_forward(lab, i);
	lab->n = 0;
}

static inline void tcp_lab_queue(struct tcp_lab *lab, const struct tcp_segment *s)
{
	const unsigned i = lab->n++;

	lab->queued[i] = *s;
	lab->in[i] = (struct tg_frame_in){
		.data = lab->frame[i],
		.len = tcp_lab_build(lab, s, lab->frame[i]),
		.port = lab->pipeline_port[s->dir],
		.link = TG_LINK_IP,
	};
	if (lab->n == TG_BURST)
		tcp_lab_run(lab);
}

static inline void tcp_lab_send(struct tcp_lab *lab, const struct tcp_segment *s)
{
	tcp_lab_queue(lab, s);
	tcp_lab_run(lab);
}

/* SYN, SYN ACK, ACK. */
static inline void tcp_lab_connect(struct tcp_lab *lab)
{
	tcp_lab_send(lab, &(struct tcp_segment){ .flags = TCP_SYN, .syn = true, .no_ack = true });
	tcp_lab_send(lab,
		     &(struct tcp_segment){ .dir = 1, .flags = TCP_SYN | TCP_ACK, .syn = true });
	tcp_lab_send(lab, &(struct tcp_segment){ .flags = TCP_ACK });
}

#endif
