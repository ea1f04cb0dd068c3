/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of tg_chunks share: chunks.c puts messages together, chunks_wait.c keeps the frames.
 *
 * Frames have numbers in order of arrival, and those of a flow leave in this order only: so a piece has gone if
 * its frame's number is below that of the flow's first frame here, and nothing has to be noted when frames leave.
 */
#ifndef TG_FLOW_CHUNKS_STATE_H
#define TG_FLOW_CHUNKS_STATE_H

#include "dataplane/flow/chunks.h"

enum tg_chunks_set_state {
	TG_CHUNKS_FREE,
	TG_CHUNKS_COLLECTING,
	TG_CHUNKS_PASSING, /* let go or given up: `reason` is what its pieces count as */
	TG_CHUNKS_COMPLETE,
};

struct tg_chunks_set {
	uint64_t expiry_ms;
	uint64_t born;	      /* order of age */
	uint64_t first_frame; /* holding: the first one that has to wait for it */
	uint32_t pinned;      /* results of this burst point into it */
	uint32_t message;
	uint32_t ppid;
	uint32_t lo; /* index (TSN, or I-DATA's FSN) of the first and of the last piece seen */
	uint32_t hi;
	uint16_t stream;
	uint16_t n; /* pieces */
	uint16_t len;
	uint8_t state;
	uint8_t reason;
	bool begin; /* `lo` is the message's first piece, `hi` its last */
	bool end;
	bool unordered;
	bool interleaved;
	bool holding; /* frames wait for it */
	bool over;    /* they did, and do not any more */
} TG_ALIGNED(TG_CACHE_LINE);

/* Pieces by index, their bytes one behind the other. */
struct tg_chunks_body {
	struct tg_chunks_part part[TG_CHUNKS_PIECES];
	uint64_t frame[TG_CHUNKS_PIECES];
	uint32_t index[TG_CHUNKS_PIECES];
	uint8_t bytes[TG_CHUNKS_MESSAGE_MAX];
} TG_ALIGNED(TG_CACHE_LINE);

static_assert(sizeof(struct tg_chunks_set) == TG_CACHE_LINE, "choosing touches one line a set");
static_assert(sizeof(struct tg_chunks_body) == 6144, "as chunks.h says");

struct tg_chunks_frame {
	void *handle;
	uint64_t number;
	uint64_t ms;   /* when it came */
	uint32_t next; /* of its flow, or free */
};

/* The frames of a flow that wait. */
struct tg_chunks_line {
	uint64_t flow;
	uint32_t first;
	uint32_t last;
	uint32_t n;
};

#define TG_CHUNKS_NONE UINT32_MAX
/* One flow may have a fourth of the sets under way and of the frames. */
#define TG_CHUNKS_SHARE 4

struct tg_chunks {
	uint64_t *flow; /* per set; 0 = free */
	struct tg_chunks_set *set;
	struct tg_chunks_body *body;
	struct tg_chunks_line *line;
	struct tg_chunks_frame *frame;
	void **out; /* frames that left in this burst: n_out + n_waiting is never more than its size */
	uint64_t now_ms;
	uint64_t born;
	uint64_t number;  /* of the frame in hand */
	uint64_t hand;	  /* its flow, if it brought a piece that is waited for */
	uint64_t next_ms; /* no frame has waited long enough before */
	uint32_t n_sets;
	uint32_t n_frames;
	uint32_t n_holding; /* sets */
	uint32_t n_lines;   /* none is empty: as many as frames at most */
	uint32_t n_waiting; /* frames */
	uint32_t n_out;
	uint32_t free_frame;
	uint32_t burst;
	bool loose; /* there may be frames that nothing waits for */
} TG_ALIGNED(TG_CACHE_LINE);

static inline uint32_t tg_chunks_share(uint32_t of)
{
	return of > TG_CHUNKS_SHARE ? of / TG_CHUNKS_SHARE : 1;
}

/* The number of the flow's first frame that has not gone: it waits, or is in hand. */
uint64_t tg_chunks_first_here(const struct tg_chunks *c, uint64_t flow);

/* The set is not complete and has its beginning: frames that brought pieces wait, unless they did already. */
void tg_chunks_hold(struct tg_chunks *c, uint32_t i);
/* Frames do not wait for it any more, and never again. */
void tg_chunks_stop(struct tg_chunks *c, uint32_t i);

#endif
