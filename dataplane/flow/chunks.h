/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * User messages of SCTP put together from their DATA or I-DATA chunks (RFC 9260 §6.9, RFC 8260 §2.2), and the
 * frames that wait meanwhile. A message may be judged when its last piece is there, and changed as far as none
 * of the bytes in question has gone on; so its frames wait, for some milliseconds at most, and everything that
 * comes behind them in the same direction of the association waits with them: order is the peer's measure of loss.
 *
 * Fixed size, one worker's own, no clock, nothing of M3UA or ISUP. `flow` is a keyed 64-bit hash of what one
 * direction of an association is known by (verification tag and ports, not addresses: it may have several).
 */
#ifndef TG_FLOW_CHUNKS_H
#define TG_FLOW_CHUNKS_H

#include "tollgate/base.h"
#include "tollgate/reason.h"

/* An MSU is 272 octets (Q.703 §2.3.3), of broadband links 4091 (Q.2140); M3UA puts some 50 around it. */
#define TG_CHUNKS_MESSAGE_MAX 4608
/* The smallest path of IPv4 (576) leaves 516 octets in a chunk: nine pieces; SCTP_MAXSEG may make more. */
#define TG_CHUNKS_PIECES 64
/*
 * How long a frame waits at most. Pieces of a message are sent back to back; what is not there by then was lost,
 * or waits for an acknowledgement of what we hold. A fifth of the shortest RTO.Min in use for SS7 (100 ms;
 * RFC 9260 §16 says 1 s), so that no retransmission comes of it.
 */
#define TG_CHUNKS_HOLD_MS 20
/* How long the pieces are kept: past RTO.Max (60 s), so that a piece that was lost still completes its message. */
#define TG_CHUNKS_LIFE_MS 64000

struct tg_chunks;

struct tg_chunks_config {
	uint32_t sets;	 /* messages in pieces, or remembered, at a time; 6.2 KiB each */
	uint32_t frames; /* frames that may wait at a time, over all flows */
};

/* Cache-line aligned, a multiple of it; 0 if the configuration is not possible. */
size_t tg_chunks_size(const struct tg_chunks_config *config);
/* `block`: tg_chunks_size bytes, the caller's. */
struct tg_chunks *tg_chunks_init(void *block, const struct tg_chunks_config *config);

/* Before a burst: what earlier results pointed to may be used again from here on. */
void tg_chunks_begin(struct tg_chunks *c, uint64_t now_ms);

struct tg_chunks_piece {
	uint64_t flow;
	uint32_t tsn;
	uint32_t message; /* stream sequence number, or I-DATA's message identifier */
	uint32_t fsn;	  /* I-DATA: of this piece */
	uint32_t ppid;	  /* only with `begin` */
	uint16_t stream;
	bool begin;
	bool end;
	bool unordered;
	bool interleaved; /* I-DATA */
	struct tg_span bytes;
};

/* Where a piece of a whole message stands. */
struct tg_chunks_part {
	uint32_t tsn;
	uint16_t off; /* in the message */
	uint16_t len;
	bool gone; /* its frame went on in an earlier burst, or before its message was complete */
};

enum tg_chunks_outcome {
	TG_CHUNKS_PART,	 /* kept, now or before, and more is wanted */
	TG_CHUNKS_WHOLE, /* it completes its message: `bytes`, `part` */
	TG_CHUNKS_PASS, /* of no interest: let go before, whole before (a repetition), or see `reason` */
};

/* Valid until the next tg_chunks_begin. */
struct tg_chunks_result {
	enum tg_chunks_outcome outcome;
	enum tg_reason
		reason; /* PASS: SCTP_PART, SCTP_UNASSEMBLED (pieces that contradict each other), SCTP_FULL */
	struct tg_span
		bytes; /* WHOLE: the message. PART: its beginning as far as it is there, or {NULL, 0} */
	uint32_t ppid;			   /* of the beginning; without one 0 */
	const struct tg_chunks_part *part; /* WHOLE: ascending by `off` */
	unsigned n_parts;
	uint16_t set; /* PART: for tg_chunks_let_go */
};

/*
 * One more piece of a message that is in several (begin and end are not both set, there are bytes), of the frame in
 * hand. A piece with the same TSN and the same bytes is a repetition: PART as long as its message is not whole, then
 * PASS. Pieces without a beginning are kept as well, but nothing waits for them: their message began before us, or
 * its beginning was lost and is sent again.
 *
 * PASS has a reason of
 *   SCTP_PART         of a message that was let go, or was whole before
 *   SCTP_UNASSEMBLED  contradicts what is known of its message, which is given up (if it was whole: only counted)
 *   SCTP_FULL         too long, too many pieces, or no room for one more message
 * and so have all later pieces of a message that was let go or given up. That is remembered for as long as its
 * place is not needed; then a repeated beginning makes frames wait in vain.
 */
void tg_chunks_add(struct tg_chunks *c, const struct tg_chunks_piece *p,
		   struct tg_chunks_result *r);

/* What begins like this is no call: nothing waits for the rest of it, which is PASS from now on (SCTP_PART). */
void tg_chunks_let_go(struct tg_chunks *c, uint16_t set);

struct tg_chunks_held {
	void *const *handle; /* frames that go now, before the one in hand, in order of arrival */
	unsigned n;
	enum tg_reason
		reason; /* NONE, or SCTP_FULL: it should have waited, and there was no room */
};

/*
 * Once all pieces of the frame in hand were added; every packet of the flow, with pieces or without, has to come
 * through here, unless it brought none and nothing waits (tg_chunks_idle). True: the frame waits (`handle` is
 * kept), because it brought a piece that is waited for, or because others of its flow wait. False: it goes, and
 * `held` with it, valid until the next tg_chunks_begin.
 */
bool tg_chunks_frame(struct tg_chunks *c, uint64_t flow, void *handle, struct tg_chunks_held *held);

/* Any frame waiting at all? One load: most bursts have none, and then need not come to tg_chunks_frame. */
bool tg_chunks_idle(const struct tg_chunks *c);

/*
 * Frames that have waited long enough, and those at the head of their flow that nothing waits for any more while
 * something behind them does; of a flow in order of arrival, up to `max`; call every millisecond, until it returns
 * less than max. What they waited for is kept, but does not make frames wait again; their pieces are `gone`.
 * UINT64_MAX as the time: all that wait.
 */
unsigned tg_chunks_release(struct tg_chunks *c, uint64_t now_ms, void **handle, unsigned max);

#endif
