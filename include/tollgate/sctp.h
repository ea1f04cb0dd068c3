/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SCTP (RFC 9260): a packet's chunks and what its DATA chunks carry. No state, no copy: spans point into
 * the packet. Reassembly is flow's business.
 */
#ifndef TG_SCTP_H
#define TG_SCTP_H

#include "tollgate/base.h"
#include "tollgate/cursor.h"

#define TG_SCTP_HEADER 12
#define TG_SCTP_CHECKSUM_OFFSET 8

/* RFC 9260 §3.2 and the registry; all others are passed over. */
enum tg_sctp_chunk_type {
	TG_SCTP_DATA = 0,
	TG_SCTP_INIT = 1,
	TG_SCTP_INIT_ACK = 2,
	TG_SCTP_ABORT = 6,
	TG_SCTP_AUTH = 15,   /* RFC 4895: what follows it cannot be edited */
	TG_SCTP_I_DATA = 64, /* RFC 8260 */
};

/* Payload protocol identifiers (registry "SCTP Payload Protocol Identifiers"). */
enum tg_sctp_ppid {
	TG_PPID_NONE = 0, /* seen in the field for any of these */
	TG_PPID_M2UA = 2,
	TG_PPID_M3UA = 3,
	TG_PPID_SUA = 4,
	TG_PPID_M2PA = 5,
	TG_PPID_DTLS = 47, /* RFC 6083 */
};

struct tg_sctp {
	uint64_t
		name; /* ports and verification tag as they lie in the packet: the same for all of a direction */
	uint16_t sport;
	uint16_t dport;
	uint32_t vtag;
	struct tg_cursor chunks; /* what tg_sctp_next has not read yet */
};

struct tg_sctp_chunk {
	uint8_t type;
	uint8_t flags;
	struct tg_span value; /* without the four bytes of its header, without padding */
};

#define TG_SCTP_FLAG_END 0x01
#define TG_SCTP_FLAG_BEGIN 0x02
#define TG_SCTP_FLAG_UNORDERED 0x04

struct tg_sctp_data {
	uint32_t tsn;
	uint32_t message; /* stream sequence number, or I-DATA's message identifier */
	uint32_t fsn;	  /* I-DATA: of this fragment; 0 in the first */
	uint32_t ppid;	  /* host order; I-DATA: only with `begin`, else 0 */
	uint16_t stream;
	bool begin;
	bool end;
	bool unordered;
	bool interleaved; /* I-DATA */
	struct tg_span user;
};

/* Three steps that every packet of an association takes, so they are compiled where it is read. */

/* False: no SCTP header. */
static inline bool tg_sctp_open(struct tg_span packet, struct tg_sctp *s)
{
	const uint8_t *head;

	s->chunks = tg_cursor_init(packet);
	head = tg_cursor_take(&s->chunks, TG_SCTP_HEADER).data;
	if (!head)
		return false;
	s->name = tg_load_u64(head);
	s->sport = tg_load_be16(head);
	s->dport = tg_load_be16(head + 2);
	s->vtag = tg_load_be32(head + 4);
	return true;
}

#define TG_SCTP_CHUNK_HEADER 4
#define TG_SCTP_DATA_HEADER 12 /* behind the chunk's */
#define TG_SCTP_I_DATA_HEADER 16

/* The next chunk. False: there is none, or what is left is no chunk (s->chunks.failed): a length below 4 or
 * behind the packet's end. The length counts the header, but not the padding to a multiple of four, which a last
 * chunk may lack (RFC 9260 §3.2). */
static inline bool tg_sctp_next(struct tg_sctp *s, struct tg_sctp_chunk *c)
{
	const uint32_t left = (uint32_t)tg_cursor_left(&s->chunks);
	uint32_t length, padded;
	struct tg_span whole;

	*c = (struct tg_sctp_chunk){ 0 };
	if (left < TG_SCTP_CHUNK_HEADER || s->chunks.failed) {
		s->chunks.failed |= left > 0;
		return false;
	}
	length = tg_load_be16(s->chunks.pos + 2);
	padded = (length + 3) & ~3u;
	whole = tg_cursor_take(&s->chunks, padded < left ? padded : left);
	if (length < TG_SCTP_CHUNK_HEADER || length > whole.len) {
		s->chunks.failed = true;
		return false;
	}
	c->type = whole.data[0];
	c->flags = whole.data[1];
	c->value = (struct tg_span){ whole.data + TG_SCTP_CHUNK_HEADER,
				     length - TG_SCTP_CHUNK_HEADER };
	return true;
}

/* A DATA or I-DATA chunk's inside; false if it is neither, or too short, or without user data (RFC 9260
 * §3.3.1: a sender must not). */
static inline bool tg_sctp_data_read(const struct tg_sctp_chunk *c, struct tg_sctp_data *d)
{
	struct tg_cursor r = tg_cursor_init(c->value);
	const uint8_t *head;

	d->interleaved = c->type == TG_SCTP_I_DATA;
	if (c->type != TG_SCTP_DATA && !d->interleaved)
		return false;
	head = tg_cursor_take(&r, d->interleaved ? TG_SCTP_I_DATA_HEADER : TG_SCTP_DATA_HEADER)
		       .data;
	d->user = tg_cursor_take(&r, (uint32_t)tg_cursor_left(&r));
	if (!head || d->user.len == 0)
		return false;
	d->begin = c->flags & TG_SCTP_FLAG_BEGIN;
	d->end = c->flags & TG_SCTP_FLAG_END;
	d->unordered = c->flags & TG_SCTP_FLAG_UNORDERED;
	d->tsn = tg_load_be32(head);
	d->stream = tg_load_be16(head + 4);
	d->fsn = 0;
	if (d->interleaved) { /* RFC 8260 §2.1 */
		const uint32_t ppid_or_fsn = tg_load_be32(head + 12);

		d->message = tg_load_be32(head + 8);
		d->ppid = d->begin ? ppid_or_fsn : 0;
		d->fsn = d->begin ? 0 : ppid_or_fsn;
	} else { /* RFC 9260 §3.3.1 */
		d->message = tg_load_be16(head + 6);
		d->ppid = tg_load_be32(head + 8);
	}
	return true;
}
/* One of TG_PPID_*: some peers send it in their own byte order (traps SCTP-8). */
static inline uint32_t tg_sctp_ppid(uint32_t ppid)
{
	return ppid > 0xffffff ? __builtin_bswap32(ppid) : ppid;
}

/* CRC32c (RFC 9260 §6.8, Appendix A) of a packet whose checksum field counts as zero, as it goes on the
 * wire: compare with, and store at, bytes 8-11. `packet` has at least TG_SCTP_HEADER bytes. */
uint32_t tg_sctp_checksum(struct tg_span packet);

/* What a packet's checksum is right as. */
enum tg_sctp_sum {
	TG_SCTP_SUM_WRONG,
	TG_SCTP_SUM_CRC32C,
	TG_SCTP_SUM_ZERO, /* RFC 9653: both ends have agreed on it if one of them sends it */
	TG_SCTP_SUM_ADLER32, /* RFC 2960 Appendix B; until RFC 3309. Some old exchanges never changed */
};

enum tg_sctp_sum tg_sctp_checksum_kind(struct tg_span packet);
bool tg_sctp_checksum_ok(struct tg_span packet);
/* Of a packet that was changed: of the kind that it had before; zero stays. WRONG, where a NIC's word or nobody was
 * asked: CRC32c. */
void tg_sctp_checksum_fill(uint8_t *packet, uint32_t len, enum tg_sctp_sum kind);

#endif
