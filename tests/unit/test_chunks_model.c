/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random messages in random pieces, lost, repeated and out of order, against what was sent: a message is whole when
 * all of its pieces have come, once; frames come out once, in order of their flow, and wait for nothing but a
 * message that has begun. The model knows what each piece belongs to; only what comes out tells it who has gone.
 */
#include "tests/support/chunks.h"

#define FLOWS 3
#define MESSAGES 40
#define PIECES 8
#define ROUNDS 400
#define SENT_MAX (MESSAGES * PIECES * 3)
#define FRAMES_MAX (FLOWS * SENT_MAX)
#define BURST_RESULTS (TG_BURST * 3)

struct message {
	struct tg_chunks_piece piece[PIECES];
	unsigned frame[PIECES]; /* that brought it first; 0: none yet */
	char text[PIECES * 16 + 1];
	unsigned n;
	bool whole;
	bool let_go;
	bool over; /* frames that waited for it went on */
};

struct sent {
	uint8_t message;
	uint8_t piece;
};

struct flow {
	struct message message[MESSAGES];
	struct sent sent[SENT_MAX];
	unsigned n_sent;
	unsigned at;
	unsigned waiting[SENT_MAX]; /* frames, a queue */
	unsigned first;
	unsigned end;
};

struct world {
	struct fixture f;
	struct flow flow[FLOWS];
	uint64_t came_ms[FRAMES_MAX];
	bool out[FRAMES_MAX];
	unsigned frame; /* in hand */
	unsigned wholes;
	unsigned waits;
	uint64_t seed;
	/* results of the burst, and what they were */
	struct tg_chunks_result r[BURST_RESULTS];
	char copy[BURST_RESULTS][PIECES * 16 + 1];
	unsigned n_r;
	unsigned in_burst;
};

static unsigned below(struct world *w, unsigned n)
{
	return (unsigned)((tg_test_random(&w->seed) >> 33) % n);
}

/* ---- what is sent ------------------------------------------------------------------------------ */

static void make_message(struct world *w, unsigned flow, unsigned i, bool interleaved, uint32_t tsn)
{
	struct message *m = &w->flow[flow].message[i];
	const bool unordered = below(w, 3) == 0;
	const uint16_t stream = (uint16_t)below(w, 3);
	unsigned k, b, at = 0;

	memset(m, 0, sizeof(*m));
	m->n = 2 + below(w, PIECES - 1);
	for (k = 0; k < m->n; k++) {
		struct tg_chunks_piece *p = &m->piece[k];
		const unsigned len = 1 + below(w, 16);

		*p = (struct tg_chunks_piece){ .flow = flow + 1,
					       .tsn = tsn + k,
					       .message = interleaved ? i - 20 : (uint16_t)(i - 20),
					       .fsn = interleaved ? k : 0,
					       .ppid = k == 0 ? 3 : 0,
					       .stream = stream,
					       .begin = k == 0,
					       .end = k == m->n - 1,
					       .unordered = unordered,
					       .interleaved = interleaved };
		for (b = 0; b < len; b++)
			m->text[at + b] = (char)('a' + below(w, 26));
		p->bytes = (struct tg_span){ (uint8_t *)m->text + at, len };
		at += len;
	}
}

static void send_piece(struct world *w, unsigned flow, unsigned message, unsigned piece)
{
	struct flow *f = &w->flow[flow];

	f->sent[f->n_sent++] = (struct sent){ (uint8_t)message, (uint8_t)piece };
}

static void swap_near(struct world *w, unsigned flow, unsigned reach)
{
	struct flow *f = &w->flow[flow];
	unsigned i;

	for (i = 0; i + 1 < f->n_sent; i++) {
		const unsigned to = i + below(w, reach);
		const struct sent s = f->sent[i];

		if (to >= f->n_sent)
			continue;
		f->sent[i] = f->sent[to];
		f->sent[to] = s;
	}
}

static void make_flow(struct world *w, unsigned flow)
{
	static const unsigned reach[] = { 1, 1, 2, 5, 30 };
	const bool interleaved = below(w, 3) == 0;
	struct flow *f = &w->flow[flow];
	uint32_t tsn = below(w, 2) ? (uint32_t)tg_test_random(&w->seed) : UINT32_MAX - 50;
	unsigned i, k, again;

	memset(f, 0, sizeof(*f));
	for (i = 0; i < MESSAGES; i++) {
		make_message(w, flow, i, interleaved, tsn);
		tsn += f->message[i].n;
	}
	for (again = 0; again < 2; again++) /* what is lost, some of the rest too, comes later */
		for (i = 0; i < MESSAGES; i++)
			for (k = 0; k < f->message[i].n; k++)
				if (again == 0 ? below(w, 20) != 0 : below(w, 10) == 0)
					send_piece(w, flow, i, k);
	for (i = 0; i < MESSAGES; i++)
		for (k = 0; k < f->message[i].n; k++)
			if (below(w, 4) != 0)
				send_piece(w, flow, i, k);
	swap_near(w, flow, reach[below(w, TG_ARRAY_LEN(reach))]);
}

/* ---- what is right ----------------------------------------------------------------------------- */

static bool is_held(const struct message *m)
{
	return m->frame[0] != 0 && !m->whole && !m->let_go && !m->over;
}

/*
 * Of unordered messages in pieces that do not touch, only the one from the beginning on is known to be this
 * message's: up to where it reaches.
 */
static unsigned reach_of(const struct message *m)
{
	unsigned k = 0;

	while (k < m->n && m->frame[k] != 0)
		k++;
	return k;
}

static bool by_touch(const struct message *m)
{
	return m->piece[0].unordered && !m->piece[0].interleaved;
}

/* The first frame still here that is waited for it. */
static unsigned first_needed_by(const struct world *w, const struct message *m)
{
	const unsigned reach = by_touch(m) ? reach_of(m) : m->n;
	unsigned first = UINT32_MAX, k;

	if (!is_held(m))
		return first;
	for (k = 0; k < reach; k++)
		if (m->frame[k] != 0 && !w->out[m->frame[k]] && m->frame[k] < first)
			first = m->frame[k];
	return first;
}

static unsigned first_needed(const struct world *w, const struct flow *f)
{
	unsigned first = UINT32_MAX, i;

	for (i = 0; i < MESSAGES; i++) {
		const unsigned of = first_needed_by(w, &f->message[i]);

		first = of < first ? of : first;
	}
	return first;
}

static bool any_held(const struct flow *f)
{
	unsigned i;

	for (i = 0; i < MESSAGES; i++)
		if (is_held(&f->message[i]))
			return true;
	return false;
}

/* ---- what comes out ---------------------------------------------------------------------------- */

/* The next of its flow. Those that needed it are given up, unless nothing is missing. */
static void came_out(struct world *w, struct flow *f, const void *handle)
{
	const unsigned frame = (unsigned)(uintptr_t)handle;
	unsigned i;

	assert_true(f->first < f->end);
	assert_int_equal(f->waiting[f->first++], frame);
	for (i = 0; i < MESSAGES; i++) {
		if (first_needed_by(w, &f->message[i]) > frame)
			continue;
		assert_true(w->f.now >= w->came_ms[frame] + TG_CHUNKS_HOLD_MS);
		f->message[i].over = true;
	}
	assert_false(w->out[frame]);
	w->out[frame] = true;
}

static struct flow *flow_of(struct world *w, const void *handle)
{
	unsigned i;

	for (i = 0; i < FLOWS; i++)
		if (w->flow[i].first < w->flow[i].end &&
		    w->flow[i].waiting[w->flow[i].first] == (uintptr_t)handle)
			return &w->flow[i];
	fail_msg("frame %u is the next of no flow", (unsigned)(uintptr_t)handle);
	return NULL;
}

static void release(struct world *w)
{
	const unsigned max = 1 + below(w, 5);
	void *out[5];
	unsigned n, i;

	do {
		n = tg_chunks_release(w->f.c, w->f.now, out, max);
		for (i = 0; i < n; i++)
			came_out(w, flow_of(w, out[i]), out[i]);
	} while (n == max);
	for (i = 0; i < FLOWS; i++) {
		const struct flow *f = &w->flow[i];

		if (f->first == f->end)
			continue;
		assert_true(w->f.now < w->came_ms[f->waiting[f->first]] + TG_CHUNKS_HOLD_MS);
		assert_int_equal(f->waiting[f->first], first_needed(w, f));
	}
}

static void check_whole(struct world *w, const struct message *m, const struct tg_chunks_result *r)
{
	unsigned k;

	assert_whole(r, m->text, m->n);
	assert_int_equal(r->ppid, 3);
	for (k = 0; k < m->n; k++) {
		assert_int_equal(r->part[k].tsn, m->piece[k].tsn);
		assert_int_equal(r->part[k].len, m->piece[k].bytes.len);
		assert_int_equal(r->part[k].gone, w->out[m->frame[k]]);
	}
}

static void check_beginning(const struct message *m, unsigned piece,
			    const struct tg_chunks_result *r)
{
	const unsigned reach = reach_of(m);

	assert_int_equal(r->outcome, TG_CHUNKS_PART);
	if (reach == 0 || (by_touch(m) && piece >= reach)) {
		assert_null(r->bytes.data);
		return;
	}
	assert_int_equal(r->bytes.len, m->piece[reach - 1].bytes.data +
					       m->piece[reach - 1].bytes.len -
					       (const uint8_t *)m->text);
	assert_memory_equal(r->bytes.data, m->text, r->bytes.len);
}

static void keep_result(struct world *w, const struct tg_chunks_result *r)
{
	if (r->bytes.len == 0)
		return;
	assert_true(w->n_r < BURST_RESULTS);
	w->r[w->n_r] = *r;
	memcpy(w->copy[w->n_r++], r->bytes.data, r->bytes.len);
}

static void next_burst(struct world *w)
{
	unsigned i;

	for (i = 0; i < w->n_r; i++)
		assert_memory_equal(w->r[i].bytes.data, w->copy[i], w->r[i].bytes.len);
	w->n_r = 0;
	w->in_burst = 0;
	later(&w->f, below(w, 3) == 0 ? below(w, 9) : 0);
}

/* ---- a round ----------------------------------------------------------------------------------- */

static void add_next(struct world *w, struct flow *f)
{
	const struct sent s = f->sent[f->at++];
	struct message *m = &f->message[s.message];
	const bool done = m->whole || m->let_go;
	struct tg_chunks_result r = add_piece(&w->f, &m->piece[s.piece]);
	unsigned k;

	if (m->frame[s.piece] == 0 && !(m->let_go))
		m->frame[s.piece] = w->frame;
	if (done) {
		assert_pass(&r, TG_REASON_SCTP_PART);
		return;
	}
	for (k = 0; k < m->n && m->frame[k] != 0; k++)
		;
	keep_result(w, &r);
	if (k == m->n) {
		check_whole(w, m, &r);
		m->whole = true;
		w->wholes++;
		return;
	}
	check_beginning(m, s.piece, &r);
	if (!by_touch(m) && below(w, 40) == 0) {
		tg_chunks_let_go(w->f.c, r.set);
		m->let_go = true;
	}
}

static void give_frame(struct world *w, struct flow *f, unsigned flow)
{
	struct tg_chunks_held h;
	unsigned i;
	bool waits;

	f->waiting[f->end++] = w->frame;
	w->came_ms[w->frame] = w->f.now;
	waits = tg_chunks_frame(w->f.c, flow + 1, (void *)(uintptr_t)w->frame, &h);
	assert_int_equal(waits, any_held(f));
	assert_int_equal(h.reason, TG_REASON_NONE);
	w->waits += waits;
	if (waits) {
		assert_int_equal(h.n, 0);
		return;
	}
	for (i = 0; i < h.n; i++)
		came_out(w, f, h.handle[i]);
	came_out(w, f, (void *)(uintptr_t)w->frame);
	assert_int_equal(f->first, f->end);
}

static bool step(struct world *w)
{
	const unsigned flow = below(w, FLOWS);
	struct flow *f = &w->flow[flow];
	unsigned n = below(w, 8) == 0 ? 0 : 1 + below(w, 3), i;

	if (w->in_burst == TG_BURST || below(w, 3) == 0) {
		next_burst(w);
		if (below(w, 3) != 0)
			release(w);
	}
	w->in_burst++;
	w->frame++;
	for (i = 0; i < n && f->at < f->n_sent; i++)
		add_next(w, f);
	give_frame(w, f, flow);
	for (i = 0; i < FLOWS; i++)
		if (w->flow[i].at < w->flow[i].n_sent)
			return true;
	return false;
}

static void play_round(struct world *w)
{
	unsigned i;

	w->frame = 0;
	memset(w->out, 0, sizeof(w->out));
	for (i = 0; i < FLOWS; i++)
		make_flow(w, i);
	setup_sized(&w->f, 1024, 4096);
	w->n_r = 0;
	w->in_burst = 0;
	while (step(w))
		assert_true(w->frame + 1 < FRAMES_MAX);
	next_burst(w);
	w->f.now += TG_CHUNKS_HOLD_MS;
	release(w);
	assert_true(tg_chunks_idle(w->f.c));
	for (i = 1; i <= w->frame; i++)
		assert_true(w->out[i]);
	teardown(&w->f);
}

TG_TEST(SCTP_4_random_messages_as_sent, TG_NEEDS_NOTHING)
{
	static struct world w;
	unsigned i;

	w.seed = 0x5c79;
	for (i = 0; i < ROUNDS; i++)
		play_round(&w);
	/* Enough of what it is about has happened. */
	assert_true(w.wholes > ROUNDS * FLOWS * MESSAGES / 2);
	assert_true(w.waits > ROUNDS * FLOWS * MESSAGES / 4);
}
