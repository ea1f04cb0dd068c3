/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of flow/tcp*.c share: connections, buffers, patches, and their pools. */
#ifndef TG_FLOW_TCP_STATE_H
#define TG_FLOW_TCP_STATE_H

#include "dataplane/flow/tcp.h"
#include "tollgate/sip_stream.h"

#define TG_TCP_WAYS 8

enum tg_tcp_stream_state {
	TG_TCP_UNSYNCED, /* `next` means nothing; wait for a start line */
	TG_TCP_FRESH,	 /* at the stream's beginning: nothing of it was read yet */
	TG_TCP_READING,
	TG_TCP_LONG_HEAD, /* header above its limit: line by line up to its end */
	TG_TCP_IGNORED,	  /* not SIP in the clear; counts as `reason` */
};

/* One direction. */
struct tg_tcp_stream {
	uint32_t next;	     /* sequence number behind what has come in order */
	uint32_t skip;	     /* body bytes still to come before the next message */
	uint32_t total;	     /* announced: length of the message in hand */
	uint32_t scanned;    /* bytes of the message in hand that are known not to end its header */
	uint32_t burst;	     /* in which the four below were noted */
	uint32_t sent;	     /* `next` before this burst: all before it went out */
	uint32_t ahead_from; /* and what is ahead of a hole, from the first byte to the last */
	uint32_t ahead_to;
	int32_t length;	   /* LONG_HEAD: Content-Length so far */
	uint32_t isn;	   /* of a SYN that nobody has answered yet */
	uint32_t head_seq; /* of the message whose head is kept */
	uint16_t buffer;
	uint16_t head;	/* buffer with the head of a long INVITE, until its body has come */
	uint16_t patch; /* first of this stream's, ascending in no order */
	uint8_t state;
	uint8_t reason; /* IGNORED */
	bool announced; /* the message in hand was given with its header */
	bool mid_line;	/* LONG_HEAD: what comes is the rest of a line */
	bool syn;	/* isn holds */
	struct tg_tcp_decision decision;
};

struct tg_tcp_flow {
	uint32_t seen_ms;
	uint32_t burst;	  /* last touched */
	bool is_sip;	  /* a SIP message was read */
	bool is_answered; /* the other side acknowledges what we saw: somebody is there */
	bool is_closed;	  /* FIN or RST: its place may be taken */
	struct tg_tcp_stream stream[2];
} TG_ALIGNED(TG_CACHE_LINE);

/* The names of a set's flows; 0 = free. */
struct tg_tcp_set {
	uint64_t id[TG_TCP_WAYS];
};

static_assert(sizeof(struct tg_tcp_set) == TG_CACHE_LINE, "the names of a set are a cache line");

struct tg_tcp_range {
	uint32_t from; /* offsets into bytes[] */
	uint32_t to;
};

/* bytes[0..len) are in order and end at the stream's `next`. */
struct tg_tcp_buffer {
	uint32_t len;
	uint32_t pinned;  /* the burst whose messages point here */
	uint64_t hole_ms; /* since when there are ranges */
	uint16_t n_ranges;
	uint16_t link;				  /* free list, or those to be freed */
	struct tg_tcp_range range[TG_TCP_RANGES]; /* behind len, ascending, apart */
	uint8_t bytes[TG_TCP_WINDOW];
} TG_ALIGNED(TG_CACHE_LINE);

struct tg_tcp_patch {
	uint32_t seq;
	uint16_t link;
	uint8_t len;
	uint8_t bytes[TG_TCP_PATCH];
};

static_assert(sizeof(struct tg_tcp_patch) == TG_CACHE_LINE, "a patch is a cache line");

struct tg_tcp {
	struct tg_tcp_set *set;
	struct tg_tcp_flow *flow;
	struct tg_tcp_buffer *buffer;
	struct tg_tcp_patch *patch;
	uint64_t n_sets;
	uint64_t now_ms;
	uint32_t burst;
	uint16_t free_buffer;
	uint16_t free_patch;
	uint16_t retired; /* buffers that this burst's messages point into */
};

/* a - b of sequence numbers (RFC 9293 §3.4) */
static inline int32_t tg_tcp_diff(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

/* ---- tcp.c: connections ------------------------------------------------------------------------ */

uint16_t tg_tcp_find(const struct tg_tcp *t, uint64_t id);
/* A place for a new connection, or TG_TCP_NONE. */
uint16_t tg_tcp_add(struct tg_tcp *t, uint64_t id);
void tg_tcp_remove(struct tg_tcp *t, uint16_t flow);

/* ---- tcp_buffer.c ------------------------------------------------------------------------------ */

/* The stream's buffer, a new and empty one if it has none; NULL if there is none to be had. */
struct tg_tcp_buffer *tg_tcp_buffer(struct tg_tcp *t, struct tg_tcp_stream *s);
/* Takes away that buffer, or the one of the head; what points into it holds until the next burst. */
void tg_tcp_buffer_drop(struct tg_tcp *t, struct tg_tcp_stream *s);
void tg_tcp_head_drop(struct tg_tcp *t, struct tg_tcp_stream *s);
/* Keeps a copy of an INVITE's head apart. False: no buffer to be had. */
bool tg_tcp_head_keep(struct tg_tcp *t, struct tg_tcp_stream *s, struct tg_span head);
void tg_tcp_buffer_free_retired(struct tg_tcp *t);

/*
 * bytes at offset `at` of the buffer. What is there already stays; *differs is set if it is not the
 * same. Returns how many bytes of them it has place for, from the first on.
 */
uint32_t tg_tcp_buffer_put(struct tg_tcp_buffer *b, uint32_t at, struct tg_span bytes,
			   bool *differs);
/* Forgets the first n bytes. NULL, and nothing kept, if that takes a second buffer and there is none. */
struct tg_tcp_buffer *tg_tcp_buffer_shift(struct tg_tcp *t, struct tg_tcp_stream *s, uint32_t n);

/* ---- tcp_stream.c ------------------------------------------------------------------------------ */

/* What else may begin where SIP could: TLS, SigComp, the upgrade to a WebSocket that carries SIP. NONE:
 * none of them. */
enum tg_reason tg_tcp_foreign(struct tg_span s, bool sip_port);
/* Nothing of either direction is read from here on; all counts as `reason`. */
void tg_tcp_ignore(struct tg_tcp_flow *f, enum tg_reason reason);
/* Gives up what is in hand: the stream means nothing until the next start line. */
void tg_tcp_desync(struct tg_tcp *t, struct tg_tcp_stream *s);
/* Offset of a start line among the lines of s, or s.len. */
uint32_t tg_tcp_find_start(struct tg_span s);
/* Reads from offset `at` of r->data on, as a message's first byte. */
void tg_tcp_resync(struct tg_tcp_reader *r, uint32_t at);

/* ---- tcp_patch.c ------------------------------------------------------------------------------- */

/* Forgets what the other side has acknowledged, or all. */
void tg_tcp_patch_acked(struct tg_tcp *t, struct tg_tcp_stream *s, uint32_t ack);
void tg_tcp_patch_drop(struct tg_tcp *t, struct tg_tcp_stream *s);

#endif
