/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IP datagrams put together from their fragments (RFC 791 §3.2, RFC 8200 §4.5): the bytes are copied,
 * the frames that brought them are held by an opaque handle and come back in the order of arrival:
 * with the frame that completes the datagram, or when they have waited long enough, or when room is
 * needed. Nothing is lost, and nothing here decides what becomes of a frame.
 *
 * Fixed size, one worker's own, no clock. A datagram is named by a keyed 64-bit hash; the names are
 * searched one by one (128 of them are 16 cache lines), so there is no table that anybody could aim at.
 */
#ifndef TG_FLOW_FRAGS_H
#define TG_FLOW_FRAGS_H

#include "tollgate/base.h"
#include "tollgate/policy.h"
#include "tollgate/reason.h"

/* 64 KiB in pieces of an MTU of 576 (552 bytes) are 119. */
#define TG_FRAGS_PIECES 128
/* What stands before the first piece: Ethernet 14, three tags 12, four labels 16, and an IPv4 header
 * with options 60, or IPv6 40 with the fragment header 8 and 166 bytes of others. */
#define TG_FRAGS_HEAD 256

/*
 * How long a frame is held. Fragments of one datagram are sent back to back; what is not there after
 * this time was lost, or is late on purpose. Less than SIP's T1 (500 ms, RFC 3261 §17.1.1.1), so that
 * no frame of ours outlives the retransmission that its loss would have caused.
 */
#define TG_FRAGS_HOLD_MS 200
/*
 * How long the copy is kept: as long as endpoints keep theirs (Linux: ipfrag_time 30 s; RFC 8200
 * §4.5: 60 s). A last fragment that comes after the others have gone still completes the datagram
 * here, and is the one that a verdict can keep back. Holding time is therefore no way round.
 */
#define TG_FRAGS_LIFE_IPV4_MS 30000
#define TG_FRAGS_LIFE_IPV6_MS 60000

struct tg_frags_set;
struct tg_frags_body;
struct tg_frags_freed;

/* One per pipeline; used by its worker only. */
struct tg_frags {
	uint64_t *key;	  /* per set; 0 = free */
	uint64_t *source; /* per set; of no meaning when it is free */
	uint16_t *unused; /* free sets, a stack */
	struct tg_frags_set *set;
	struct tg_frags_body *body;
	struct tg_frags_freed *freed; /* ring of frames that nobody waits for any longer */
	uint64_t next_ms;	      /* nothing is due before */
	uint32_t n_sets;
	uint32_t n_frames; /* most frames that may be held */
	uint32_t n_unused;
	uint32_t oldest; /* sets that are not free, a list by age */
	uint32_t youngest;
	uint32_t n_out; /* held now: in sets, or freed and not yet taken */
	uint32_t freed_at;
	uint32_t n_freed;
	uint32_t n_pinned;
	uint16_t pinned[TG_BURST]; /* sets that results of this burst point into */
};

#define TG_FRAGS_SETS_MAX 65535
#define TG_FRAGS_FRAMES_MAX 1048576
/* One source may have a fourth of the sets and of the frames: a flood from one address, or from three,
 * leaves room. Beyond that the source's own oldest datagram is given up. */
#define TG_FRAGS_SOURCE_SHARE 4

/* Cache-line aligned, a multiple of it: the sets' 64 KiB each and what describes them. */
size_t tg_frags_size(uint32_t n_sets, uint32_t n_frames);
/* `block`: tg_frags_size bytes, the caller's. */
void tg_frags_init(struct tg_frags *f, void *block, uint32_t n_sets, uint32_t n_frames);

/* Before a burst: what earlier results pointed to may be used again from here on. */
void tg_frags_begin(struct tg_frags *f);

struct tg_frags_piece {
	uint64_t key;	     /* keyed hash of what the fragments of one datagram have in common */
	uint64_t source;     /* keyed hash of who sends */
	struct tg_span head; /* what stands before the bytes in their frame */
	const uint8_t *data;
	uint16_t len;
	uint16_t off;	/* in the datagram, a multiple of 8 */
	bool more;	/* M or MF: not the last */
	uint8_t ecn;	/* the two bits */
	bool ipv6;	/* how long the copy is kept */
	uint32_t drops; /* bit per enum tg_exception: see tg_frags_result */
	void *handle;	/* the frame */
};

enum tg_frags_outcome {
	TG_FRAGS_HELD,	/* the frame is held */
	TG_FRAGS_WHOLE, /* it completes its datagram */
	TG_FRAGS_PASS,	/* forward it */
};

/* Valid until the next tg_frags_begin. */
struct tg_frags_result {
	enum tg_frags_outcome outcome;
	enum tg_reason reason; /* PASS: what it counts as, and held[] with it */
	void *const *held;     /* WHOLE, PASS: frames that go the same way, before this one */
	unsigned n_held;
	/* The first piece's head and what follows it, the caller's to change (lengths, checksum).
	 * WHOLE: all of the datagram. HELD: the first piece, if this was it, else NULL; only until the
	 * next tg_frags_add. */
	uint8_t *bytes;
	uint32_t head_len;
	uint32_t len; /* behind the head */
	uint16_t set;
	/* What the datagram's first fragment to arrive said, unless it is spared: bit per enum tg_exception
	 * for which its frames are not to pass. */
	uint32_t drops;
};

/*
 * One more fragment. PASS has a reason of
 *   FRAGMENT_MALFORMED   no endpoint puts this together
 *   FRAGMENT_OVERLAP     two fragments disagree: which one is believed is the endpoint's secret
 *                        (IPv6: it discards them all, RFC 5722 §4)
 *   FRAGMENT_LIMIT       more pieces than are kept track of, or no room for one more frame
 *   or what tg_frags_let_go was told,
 * and so have all later fragments of that datagram (but a frame without room). An exact duplicate is
 * held like its original.
 */
void tg_frags_add(struct tg_frags *f, const struct tg_frags_piece *p, uint64_t now_ms,
		  struct tg_frags_result *r);

/* The first piece, just held, says that there is nothing to judge: becomes PASS, now and for what is
 * still to come of the datagram, with `reason`. */
void tg_frags_let_go(struct tg_frags *f, enum tg_reason reason, struct tg_frags_result *r);

/* The first piece, just held, says that no frame of the datagram is ever to be dropped. */
void tg_frags_spare(struct tg_frags *f, const struct tg_frags_result *r);

/* A frame that is held no longer, although its datagram is not complete: forward it, but if its datagram's
 * `drops` has the reason. */
struct tg_frags_freed {
	void *handle;
	uint8_t reason; /* FRAGMENTS_UNASSEMBLED (time), FRAGMENT_LIMIT (room) */
	bool drop;
};

/* Time passes here only, so that what waits to be added is added first. Up to `max` frames, those of one datagram in the order of arrival; call until it returns less.
 * UINT64_MAX as the time gives up everything. */
unsigned tg_frags_release(struct tg_frags *f, uint64_t now_ms, struct tg_frags_freed *out,
			  unsigned max);

#endif
