/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sequences of pieces of SCTP messages, frames and releases: each frame comes out once, in order of its flow and in
 * time; a whole message is the pieces that it says it is. An operation is six bytes:
 *
 *	0  bit 0-1 flow, bit 2-3 ordered, unordered, I-DATA, or no piece, bit 4: B, bit 5: E, bit 6: a wrong
 *	   byte, bit 7: the frame goes on with the next operation
 *	1  TSN, from 128 before the wrap on
 *	2  bit 0-3 SSN or MID, bit 4-5 stream, bit 6: let go, bit 7: of the same burst as what came before
 *	3  bit 0-6 FSN, bit 7: four more flows
 *	4  length: the upper seven bits, times 48 if bit 0
 *	5  bit 0-4 milliseconds passed before, bit 5-6 how many at a time are released, bit 7: release
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/flow/chunks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FLOWS 8
#define OPERATION 6
#define OPERATIONS 512
#define LEN_MAX (1 + 127 * 48)
#define KEPT 16

/* small, so that every limit is met: of a flow's share two sets, six frames */
static const struct tg_chunks_config config = { .sets = 9, .frames = 24 };
static struct tg_chunks *c;

struct frame {
	uint64_t ms;
	uint8_t flow;
	bool out;
};

struct world {
	struct frame frame[OPERATIONS + 1]; /* handle = its number, from 1 */
	unsigned n;			    /* the one in hand */
	unsigned last_out[FLOWS];
	unsigned brought[FLOWS][3][256]; /* the last frame with a piece of that TSN */
	bool touched[FLOWS];		 /* a wrong byte was sent: it may stand anywhere */
	uint64_t now_ms;
	/* of this burst: where results point to, and what stood there */
	struct tg_span result[KEPT];
	uint8_t copy[KEPT][TG_CHUNKS_MESSAGE_MAX];
	unsigned n_kept;
};

static void require(bool ok)
{
	if (!ok)
		abort();
}

static unsigned flow_of(const uint8_t *op)
{
	return (op[0] & 3u) | (op[3] >> 7) << 2;
}

static uint8_t byte_of(unsigned flow, uint32_t tsn, unsigned at)
{
	return (uint8_t)(flow * 31 + tsn * 7 + at);
}

/* ---- frames ------------------------------------------------------------------------------------ */

static void came_out(struct world *w, const void *handle)
{
	const uintptr_t h = (uintptr_t)handle;
	struct frame *f;

	require(h >= 1 && h <= w->n);
	f = &w->frame[h];
	require(!f->out && h > w->last_out[f->flow]);
	f->out = true;
	w->last_out[f->flow] = (unsigned)h;
}

static void release(struct world *w, uint64_t now_ms, unsigned max)
{
	void *handle[8];
	unsigned n, i;

	do {
		n = tg_chunks_release(c, now_ms, handle, max);
		require(n <= max);
		for (i = 0; i < n; i++)
			came_out(w, handle[i]);
	} while (n == max);
	for (i = 1; i < w->n; i++)
		require(w->frame[i].out || now_ms < w->frame[i].ms + TG_CHUNKS_HOLD_MS);
}

static void give_frame(struct world *w, unsigned flow)
{
	struct tg_chunks_held h;
	unsigned i;
	bool waits;

	w->frame[w->n].flow = (uint8_t)flow;
	w->frame[w->n].ms = w->now_ms;
	waits = tg_chunks_frame(c, flow + 1, (void *)(uintptr_t)w->n, &h);
	require(waits ? h.n == 0 && !tg_chunks_idle(c) : true);
	for (i = 0; i < h.n; i++)
		came_out(w, h.handle[i]);
	if (!waits)
		came_out(w, (void *)(uintptr_t)w->n);
	for (i = 1; !waits && i < w->n; i++)
		require(w->frame[i].flow != flow || w->frame[i].out);
}

/* ---- pieces ------------------------------------------------------------------------------------ */

static void keep(struct world *w, struct tg_span bytes)
{
	if (w->n_kept == KEPT || bytes.len == 0)
		return;
	w->result[w->n_kept] = bytes;
	memcpy(w->copy[w->n_kept++], bytes.data, bytes.len);
}

static void next_burst(struct world *w)
{
	unsigned i;

	for (i = 0; i < w->n_kept; i++)
		require(memcmp(w->result[i].data, w->copy[i], w->result[i].len) == 0);
	w->n_kept = 0;
	tg_chunks_begin(c, w->now_ms);
}

static void check_whole(const struct world *w, unsigned flow, unsigned kind,
			const struct tg_chunks_result *r)
{
	uint32_t end = 0;
	unsigned i, k;

	require(r->n_parts >= 2 && r->n_parts <= TG_CHUNKS_PIECES);
	for (i = 0; i < r->n_parts; i++) {
		const struct tg_chunks_part *p = &r->part[i];
		const unsigned last = w->brought[flow][kind][(uint8_t)(p->tsn - 128)];

		require(p->off == end && p->len > 0);
		require(kind == 2 || p->tsn == r->part[0].tsn + i);
		require(last > 0 && (p->gone || !w->frame[last].out));
		for (k = 0; !w->touched[flow] && k < p->len; k++)
			require(r->bytes.data[end + k] == byte_of(flow, p->tsn, k));
		end += p->len;
	}
	require(end == r->bytes.len && end <= TG_CHUNKS_MESSAGE_MAX);
}

static void check(struct world *w, unsigned flow, unsigned kind, const struct tg_chunks_result *r)
{
	switch (r->outcome) {
	case TG_CHUNKS_WHOLE:
		require(r->reason == TG_REASON_NONE);
		check_whole(w, flow, kind, r);
		break;
	case TG_CHUNKS_PART:
		require(r->reason == TG_REASON_NONE && r->n_parts == 0 && r->set < config.sets);
		break;
	default:
		require(r->outcome == TG_CHUNKS_PASS && r->bytes.len == 0 && r->n_parts == 0);
		require(r->reason == TG_REASON_SCTP_PART || r->reason == TG_REASON_SCTP_FULL ||
			r->reason == TG_REASON_SCTP_UNASSEMBLED);
	}
	keep(w, r->bytes);
}

static void add(struct world *w, const uint8_t *op)
{
	static uint8_t bytes[LEN_MAX];
	const unsigned flow = flow_of(op), kind = op[0] >> 2 & 3;
	struct tg_chunks_piece p = { .flow = flow + 1,
				     .tsn = op[1] - 128u,
				     .message = op[2] & 15,
				     .fsn = kind == 2 ? op[3] & 127 : 0,
				     .ppid = op[0] & 0x10 ? 3 : 0,
				     .stream = op[2] >> 4 & 3,
				     .begin = op[0] & 0x10,
				     .end = op[0] & 0x20,
				     .unordered = kind == 1,
				     .interleaved = kind == 2 };
	struct tg_chunks_result r;
	unsigned i;

	p.bytes.data = bytes;
	p.bytes.len = 1 + (op[4] >> 1) * (op[4] & 1 ? 48u : 1u);
	for (i = 0; i < p.bytes.len; i++)
		bytes[i] = byte_of(flow, p.tsn, i);
	if (op[0] & 0x40) {
		bytes[p.bytes.len - 1] ^= 1;
		w->touched[flow] = true;
	}
	w->brought[flow][kind][op[1]] = w->n;
	tg_chunks_add(c, &p, &r);
	check(w, flow, kind, &r);
	if ((op[2] & 0x40) && r.outcome == TG_CHUNKS_PART)
		tg_chunks_let_go(c, r.set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;
	unsigned flow = FLOWS, i; /* FLOWS: no frame in hand */
	size_t at;

	if (!c)
		c = aligned_alloc(TG_CACHE_LINE, tg_chunks_size(&config));
	require(c);
	c = tg_chunks_init(c, &config);
	memset(&w, 0, sizeof(w));
	tg_chunks_begin(c, 0);
	for (at = 0; at + OPERATION <= size && w.n < OPERATIONS; at += OPERATION) {
		const uint8_t *op = data + at;

		if (flow == FLOWS) {
			w.now_ms += op[5] & 31;
			w.n++;
			if (!(op[2] & 0x80))
				next_burst(&w);
			if (op[5] & 0x80)
				release(&w, w.now_ms, 1 + (op[5] >> 5 & 3));
			flow = flow_of(op);
		}
		if (flow == flow_of(op) && (op[0] >> 2 & 3) != 3)
			add(&w, op);
		if (!(op[0] & 0x80)) {
			give_frame(&w, flow);
			flow = FLOWS;
		}
	}
	if (flow != FLOWS)
		give_frame(&w, flow);
	next_burst(&w);
	w.n++;
	release(&w, UINT64_MAX, 8);
	require(tg_chunks_idle(c));
	for (i = 1; i < w.n; i++)
		require(w.frame[i].out);
	return 0;
}
