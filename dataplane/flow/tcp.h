/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SIP over TCP (RFC 3261 §18.3, RFC 9293): both directions of a connection read as streams, whatever
 * the segments' boundaries, order or repetitions; and the bytes of a stream that were changed, so that
 * they are changed the same way whenever they are sent again. No segment is ever held, dropped or
 * made here: this is a copy of what the endpoint will read.
 *
 * Fixed size, one worker's own, no clock. A connection is a keyed hash, so that nobody can aim at a
 * set. What is not known about a stream is never guessed: it is read again from the next start line on,
 * and what lies between counts as not inspected.
 *
 * Segments come with a right checksum: others are not the endpoint's.
 */
#ifndef TG_FLOW_TCP_H
#define TG_FLOW_TCP_H

#include "tollgate/base.h"
#include "tollgate/policy.h"
#include "tollgate/reason.h"
#include "tollgate/sip.h"
#include "tollgate/sip_edit.h"

struct tg_tcp_config {
	uint32_t flows;	  /* connections, rounded up to whole sets */
	uint32_t buffers; /* messages that are in pieces at one time */
	uint32_t patches; /* changes not yet acknowledged, of up to TG_TCP_PATCH bytes */
};

/* 3.5 MiB of flows, 7 MiB of buffers, 64 KiB of patches a worker. */
#define TG_TCP_FLOWS_DEFAULT 8192
#define TG_TCP_BUFFERS_DEFAULT 256
#define TG_TCP_PATCHES_DEFAULT 1024
#define TG_TCP_LIMIT 65000 /* of each: indices have 16 bits */

/* An INVITE up to this length is kept whole while it is in pieces, of a longer one only its header. */
#define TG_TCP_MESSAGE_MAX TG_SIP_MAX_HEADER_BYTES
/* A buffer: a message in pieces, and one jumbo segment that runs ahead. */
#define TG_TCP_WINDOW (TG_TCP_MESSAGE_MAX + 9216)
#define TG_TCP_RANGES TG_BURST /* runs of bytes that are ahead of a hole */

/* A hole that nobody fills: 1 s is the first retransmission's usual delay (RFC 6298 §2), 3 s the
 * second's. After that the stream is read anew. */
#define TG_TCP_HOLE_MS 5000
/* A connection without a segment for this long may lose its place to another. Nothing is lost with
 * it, unless a message is half here. */
#define TG_TCP_IDLE_MS 60000

#define TG_TCP_NONE 0xffff
#define TG_TCP_PATCH 56

struct tg_tcp;

/* 0 if the configuration is not possible. */
size_t tg_tcp_size(const struct tg_tcp_config *config);
/* `block`: tg_tcp_size bytes, cache-line aligned, the caller's. */
struct tg_tcp *tg_tcp_init(void *block, const struct tg_tcp_config *config);

/* Before a burst: texts of the last one are given up. */
void tg_tcp_begin_burst(struct tg_tcp *t, uint64_t now_ms);

/* RFC 9293 §3.1 */
#define TG_TCP_FLAG_FIN 0x01u
#define TG_TCP_FLAG_SYN 0x02u
#define TG_TCP_FLAG_RST 0x04u
#define TG_TCP_FLAG_ACK 0x10u

struct tg_tcp_segment {
	uint64_t flow; /* keyed hash of the connection, the same for both directions */
	uint8_t dir;   /* 0 or 1 */
	uint8_t flags; /* TG_TCP_FLAG_*, as on the wire */
	bool sip_port; /* one of the ports is SIP's: what cannot be read there counts as blind */
	uint32_t seq;
	uint32_t ack;
	struct tg_span payload;
};

/* Bytes of a stream, for this burst. */
struct tg_tcp_place {
	uint32_t seq;
	uint16_t flow; /* TG_TCP_NONE: of no stream that is read */
	uint8_t dir;
};

/* What was decided when a message's header was complete, and its body was not. */
struct tg_tcp_decision {
	uint32_t seq; /* of the message's first byte */
	bool valid;
	bool repeated;
	bool same_call;
	bool blocked;
	uint8_t reason;
	uint8_t epoch;
	struct tg_verdict verdict;
};

/* An initial INVITE, or a 483 (Too Many Hops) that may be an answer to one that we changed. */
struct tg_tcp_message {
	struct tg_span head; /* in the segment or in a buffer; stays until the next burst */
	struct tg_tcp_place place;
	bool is_response;
	bool whole; /* all of it has come: report it. Else it will be given once more */
};

/* One segment being read. The caller's; its fields are this module's. */
struct tg_tcp_reader {
	struct tg_tcp *t;
	struct tg_tcp_stream *s;   /* NULL: there is nothing to read */
	struct tg_span data;	   /* in order, in the segment or the buffer */
	struct tg_span rest;	   /* of the segment: not in the buffer yet */
	uint32_t off;		   /* of data: read up to here */
	struct tg_tcp_place place; /* of the segment's payload */
	bool sip_port;
	uint8_t reason; /* what the segment counts as, so far */
};

/* Takes the segment in. */
void tg_tcp_open(struct tg_tcp *t, const struct tg_tcp_segment *seg, struct tg_tcp_reader *r);
/* The next message in what has come, *sip filled in; false: no more. Call it until then. */
bool tg_tcp_next(struct tg_tcp_reader *r, struct tg_sip *sip, struct tg_tcp_message *m);
/* What the segment counts as if no message in it says otherwise. */
static inline enum tg_reason tg_tcp_reason(const struct tg_tcp_reader *r)
{
	return (enum tg_reason)r->reason;
}

/* Where to keep the decision on a message that is not whole, and to find it when it is. */
struct tg_tcp_decision *tg_tcp_decision(struct tg_tcp *t, struct tg_tcp_place message);

/*
 * From now on the message goes out changed by this script of the same length, in this burst's segments
 * and whenever its bytes are sent again. All or nothing:
 *   NONE           done
 *   TCP_TOO_LATE   some of them went out in an earlier burst
 *   MEMORY_FULL    no room to remember them
 */
enum tg_reason tg_tcp_patch(struct tg_tcp *t, struct tg_tcp_place message,
			    const struct tg_sip_edits *e);
/* Is any of the segment's `len` bytes to be changed? */
bool tg_tcp_is_patched(const struct tg_tcp *t, struct tg_tcp_place segment, uint32_t len);
/* Changes them. `tcp` is the segment's header, whose checksum is carried on (RFC 1624): right stays
 * right, wrong stays wrong. */
void tg_tcp_apply(const struct tg_tcp *t, struct tg_tcp_place segment, uint8_t *tcp,
		  uint32_t header_len, uint32_t len);

#endif
