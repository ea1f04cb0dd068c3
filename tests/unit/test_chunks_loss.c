/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What becomes of messages in pieces when packets are lost, with a peer that repairs it as SCTP does: the far end
 * acknowledges each packet, the sender sends again what three acknowledgements of later chunks left out (RFC 9260
 * §7.2.4), or what T3-rtx ran out for (§6.3.3). Three pieces a message, a chunk a packet, a stream of its own each.
 *
 *	sender -- (loss) -- tg_chunks -- (loss) -- far end
 */
#include "tests/support/chunks.h"

#define FLOW 7
#define PIECES 3
#define CHUNKS_MAX 1536
#define MESSAGE 20 /* of which a piece is lost, with all that comes before it out of the way */
#define WIRE_MS 2  /* between us and the far end, one way */
#define RTO_MS 100 /* the least that SS7 uses */

enum kept {
	NOT_WHOLE,
	IN_TIME,
	LATE, /* a part of it had gone */
};

struct event {
	uint64_t ms;
	uint32_t tsn;
};

struct queue {
	struct event event[CHUNKS_MAX * 8];
	unsigned first;
	unsigned end;
};

struct chunk {
	uint64_t sent_ms; /* last */
	unsigned missing; /* reports */
	unsigned times;	  /* sent */
	unsigned lose;	  /* so often, before us */
	unsigned lose_behind;
	unsigned late_by; /* packets that it lets pass, when it is sent first */
	bool to_send;
	bool acked;
};

struct world {
	struct fixture f;
	struct chunk chunk[CHUNKS_MAX];
	enum kept message[CHUNKS_MAX / PIECES];
	bool gone[CHUNKS_MAX / PIECES][PIECES];
	uint32_t tsn_of[CHUNKS_MAX * 8]; /* frames */
	struct queue ahead;		 /* to the far end */
	struct queue back;		 /* acknowledgements */
	uint32_t n;			 /* chunks */
	uint32_t next;
	unsigned per_ms;
	unsigned waited; /* frames */
	unsigned full;
	uint64_t lost_ms;  /* when we should have got it */
	uint64_t noted_ms; /* when the sender heard of it first */
	uint64_t again_ms; /* when we got it */
};

static void put(struct queue *q, uint64_t ms, uint32_t tsn)
{
	assert_true(q->end < TG_ARRAY_LEN(q->event));
	q->event[q->end++] = (struct event){ ms, tsn };
}

static bool take(struct queue *q, uint64_t now, uint32_t *tsn)
{
	if (q->first == q->end || q->event[q->first].ms > now)
		return false;
	*tsn = q->event[q->first++].tsn;
	return true;
}

/* ---- the far end, and us ----------------------------------------------------------------------- */

static void forward(struct world *w, uint32_t tsn)
{
	if (w->chunk[tsn].lose_behind > 0)
		w->chunk[tsn].lose_behind--;
	else
		put(&w->ahead, w->f.now + WIRE_MS, tsn);
}

static void forward_held(struct world *w, void *const *handle, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		forward(w, w->tsn_of[(uintptr_t)handle[i]]);
}

static void note_whole(struct world *w, uint32_t message, const struct tg_chunks_result *r)
{
	unsigned i;

	w->message[message] = IN_TIME;
	for (i = 0; i < PIECES; i++) {
		w->gone[message][i] = r->part[i].gone;
		if (r->part[i].gone)
			w->message[message] = LATE;
	}
}

static void arrive(struct world *w, uint32_t tsn)
{
	static const char *const text[PIECES] = { "Bab", "cd", "efE" };
	const uint32_t message = tsn / PIECES;
	struct tg_chunks_held held;
	struct tg_chunks_result r;
	bool waits;

	if (w->lost_ms && !w->again_ms && message == MESSAGE && w->chunk[tsn].times > 1)
		w->again_ms = w->f.now;
	later(&w->f, 0);
	r = add(&w->f, FLOW, tsn, message, text[tsn % PIECES]);
	if (r.outcome == TG_CHUNKS_WHOLE)
		note_whole(w, message, &r);
	assert_true(w->f.next + 1 < TG_ARRAY_LEN(w->tsn_of));
	w->tsn_of[w->f.next + 1] = tsn;
	waits = frame(&w->f, FLOW, &held);
	w->full += held.reason == TG_REASON_SCTP_FULL;
	forward_held(w, held.handle, held.n);
	w->waited += waits;
	if (!waits)
		forward(w, tsn);
}

static void release(struct world *w)
{
	void *out[64];
	unsigned n;

	do {
		n = tg_chunks_release(w->f.c, w->f.now, out, 64);
		forward_held(w, out, n);
	} while (n == 64);
}

/* ---- the sender -------------------------------------------------------------------------------- */

static void send(struct world *w, uint32_t tsn)
{
	struct chunk *c = &w->chunk[tsn];

	c->sent_ms = w->f.now;
	c->to_send = false;
	c->times++;
	if (c->lose > 0) {
		c->lose--;
		w->lost_ms = w->f.now;
	} else {
		arrive(w, tsn);
	}
}

/* RFC 9260 §7.2.4: each acknowledgement of a later chunk is a report; the third one sends it again, once. */
static void acknowledge(struct world *w, uint32_t tsn)
{
	uint32_t i;

	w->chunk[tsn].acked = true;
	for (i = 0; i < tsn; i++) {
		struct chunk *c = &w->chunk[i];

		if (c->acked || c->times == 0 || c->to_send)
			continue;
		if (w->lost_ms && !w->noted_ms && i / PIECES == MESSAGE)
			w->noted_ms = w->f.now;
		if (++c->missing == 3)
			c->to_send = true;
	}
}

static void time_out(struct world *w)
{
	uint32_t i;

	for (i = 0; i < w->next; i++)
		if (!w->chunk[i].acked && w->f.now >= w->chunk[i].sent_ms + RTO_MS)
			w->chunk[i].to_send = true;
}

/* What is to be sent again, then what is new; a packet that is late comes behind those that it lets pass. */
static void send_some(struct world *w)
{
	unsigned n = w->per_ms;
	uint32_t i;

	for (i = 0; i < w->next && n > 0; i++) {
		if (!w->chunk[i].to_send || w->chunk[i].acked)
			continue;
		send(w, i);
		n--;
	}
	for (; n > 0 && w->next < w->n; n--) {
		const uint32_t tsn = w->next, by = w->chunk[tsn].late_by;

		w->chunk[tsn].late_by = 0;
		for (i = 1; i <= by && tsn + i < w->n; i++)
			send(w, tsn + i);
		send(w, tsn);
		w->next += by + 1;
	}
}

/* ---- a run ------------------------------------------------------------------------------------- */

static void begin(struct world *w, uint32_t sets, uint32_t messages, unsigned per_ms)
{
	memset(w, 0, sizeof(*w));
	setup_sized(&w->f, sets, 1024);
	w->n = messages * PIECES;
	w->per_ms = per_ms;
}

static void run(struct world *w)
{
	uint64_t end = w->f.now + 2000;
	uint32_t tsn, i;

	for (; w->f.now < end; later(&w->f, 1)) {
		while (take(&w->ahead, w->f.now, &tsn))
			put(&w->back, w->f.now + WIRE_MS, tsn);
		while (take(&w->back, w->f.now, &tsn))
			acknowledge(w, tsn);
		time_out(w);
		send_some(w);
		release(w);
	}
	for (i = 0; i < w->n; i++)
		assert_true(w->chunk[i].acked);
	for (i = 0; i < w->n / PIECES; i++)
		assert_int_not_equal(w->message[i], NOT_WHOLE);
}

static unsigned count(const struct world *w, enum kept kept)
{
	unsigned n = 0;
	uint32_t i;

	for (i = 0; i < w->n / PIECES; i++)
		n += w->message[i] == kept;
	return n;
}

static struct world w;

TG_TEST(SCTP_4_no_loss_and_disorder_are_in_time, TG_NEEDS_NOTHING)
{
	unsigned by;

	for (by = 0; by < 12; by++) {
		begin(&w, 128, 100, 3);
		w.chunk[MESSAGE * PIECES + 1].late_by = by;
		run(&w);
		assert_int_equal(count(&w, IN_TIME), 100);
		assert_int_equal(w.full, 0);
		teardown(&w.f);
	}
}

/*
 * A piece that is lost before us: its message's others wait for it, and so does all that comes behind them. So the
 * far end has nothing to report, and the sender hears of the loss when the waiting is over: sent again, the piece
 * comes after its others have gone, whatever the time to wait is. Nothing waits without a beginning: the
 * sender hears of a lost first piece at once, and that one alone can still be changed.
 */
TG_TEST(SCTP_4_piece_lost_before_us_is_too_late, TG_NEEDS_NOTHING)
{
	unsigned lost, per_ms, i;

	for (per_ms = 1; per_ms <= 4; per_ms++)
		for (lost = 0; lost < PIECES; lost++) {
			begin(&w, 128, 200, per_ms);
			w.chunk[MESSAGE * PIECES + lost].lose = 1;
			run(&w);
			assert_int_equal(count(&w, LATE), 1);
			for (i = 0; i < PIECES; i++)
				assert_int_equal(w.gone[MESSAGE][i], i != lost);
			assert_true(w.again_ms >= w.noted_ms);
			if (lost == 0)
				assert_in_range(w.again_ms - w.lost_ms, 2 * WIRE_MS,
						2 * WIRE_MS + 5);
			else
				assert_in_range(w.noted_ms - w.lost_ms, TG_CHUNKS_HOLD_MS - 3,
						TG_CHUNKS_HOLD_MS + 2 * WIRE_MS + 1);
			assert_int_equal(w.full, 0);
			teardown(&w.f);
		}
}

/* With nothing behind it there are no reports: T3-rtx is five times what a frame may wait. */
TG_TEST(SCTP_4_piece_lost_before_silence_is_too_late, TG_NEEDS_NOTHING)
{
	begin(&w, 128, MESSAGE + 1, 3);
	w.chunk[MESSAGE * PIECES + 2].lose = 1;
	run(&w);
	assert_int_equal(w.message[MESSAGE], LATE);
	assert_int_equal(count(&w, LATE), 1);
	assert_in_range(w.again_ms - w.lost_ms, RTO_MS, RTO_MS + 1);
	teardown(&w.f);
}

/* Lost behind us it was judged, and is changed again as it was. While its message is remembered it waits for nothing;
 * forgotten, a first piece waits in vain, with all behind it, and none of them is too late for it. */
TG_TEST(SCTP_5_piece_lost_behind_us_was_in_time, TG_NEEDS_NOTHING)
{
	unsigned waited[2], forgotten;

	for (forgotten = 0; forgotten < 2; forgotten++) {
		begin(&w, forgotten ? 8 : 128, 200, 9);
		w.chunk[MESSAGE * PIECES].lose_behind = 1;
		run(&w);
		assert_int_equal(count(&w, IN_TIME), 200);
		waited[forgotten] = w.waited;
		teardown(&w.f);
	}
	/* Of nine packets a millisecond six wait anyhow, for a third one. */
	assert_true(waited[1] >= waited[0] + 3 * (TG_CHUNKS_HOLD_MS - 3));
}

/* One packet of two hundred lost before us, sent again or not: a message is too late if some of its pieces were, but not
 * all, and no other one is. */
TG_TEST(SCTP_4_verdicts_are_too_late_for_what_was_lost_only, TG_NEEDS_NOTHING)
{
	unsigned seed_of, k, late = 0, messages = 0;
	bool want[CHUNKS_MAX / PIECES];
	uint64_t seed;
	uint32_t i;

	for (seed_of = 1; seed_of <= 8; seed_of++) {
		seed = seed_of;
		begin(&w, 128, CHUNKS_MAX / PIECES, 8);
		for (i = 0; i < w.n / PIECES; i++) {
			unsigned lost = 0;

			for (k = 0; k < PIECES; k++) {
				w.chunk[i * PIECES + k].lose =
					(tg_test_random(&seed) >> 33) % 200 == 0;
				lost += w.chunk[i * PIECES + k].lose;
			}
			want[i] = lost > 0 && lost < PIECES;
		}
		run(&w);
		for (i = 0; i < w.n / PIECES; i++)
			assert_int_equal(w.message[i], want[i] ? LATE : IN_TIME);
		late += count(&w, LATE);
		messages += w.n / PIECES;
		assert_int_equal(w.full, 0);
		teardown(&w.f);
	}
	/* Three in two hundred. */
	assert_in_range(late * 1000 / messages, 8, 22);
}

/* A flow has a fourth of the frames, 256 of 1024: waiting in vain for 20 ms fills them at 12.8 packets a millisecond. Then
 * all of them go, counted as sctp_full, and no more verdicts are too late for it. */
TG_TEST(SCTP_4_frames_of_one_flow_last_for_so_many_packets, TG_NEEDS_NOTHING)
{
	unsigned per_ms;

	for (per_ms = 11; per_ms <= 24; per_ms++) {
		begin(&w, 128, 400, per_ms);
		w.chunk[MESSAGE * PIECES + 1].lose = 1;
		run(&w);
		assert_int_equal(w.full, per_ms > 12);
		assert_int_equal(count(&w, LATE), 1);
		assert_int_equal(w.message[MESSAGE], LATE);
		teardown(&w.f);
	}
}
