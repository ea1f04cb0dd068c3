/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/run/act.h"

#include <string.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_pause.h>

/*
 * How often a full transmit ring is tried again. A try is some 100 ns, so the longest wait is about
 * 6 us: two bursts at 10 Mpps, long enough for a ring to move and short enough for the other
 * direction's receive ring (1024 frames, 100 us at 10 Mpps).
 */
#define TX_TRIES 64

/* Frames for one transmit queue. */
struct batch {
	const struct tg_port *port;
	uint16_t queue;
	unsigned n;
	uint64_t bytes;
	struct rte_mbuf *mbuf[TG_BURST];
};

static void hand_on(struct tg_worker *w, const struct batch *b, struct rte_mbuf **mbuf)
{
	uint64_t bytes = b->bytes;
	unsigned sent, tries, i;

	/* Stopped between its judging and here: the last look, next to the system call that sends. */
	if (tg_unlikely(tg_worker_overtaken(w))) {
		tg_count(&w->stats.tx_dropped, b->n);
		rte_pktmbuf_free_bulk(mbuf, b->n);
		return;
	}
	sent = rte_eth_tx_burst(b->port->id, b->queue, mbuf, (uint16_t)b->n);
	for (tries = 0; tg_unlikely(sent < b->n) && tries < TX_TRIES; tries++) {
		rte_pause();
		sent += rte_eth_tx_burst(b->port->id, b->queue, mbuf + sent,
					 (uint16_t)(b->n - sent));
	}
	tg_count(&w->stats.tx_packets, sent);
	if (tg_unlikely(sent < b->n)) {
		tg_count(&w->stats.tx_dropped, b->n - sent);
		for (i = sent; i < b->n; i++)
			bytes -= mbuf[i]->pkt_len;
		rte_pktmbuf_free_bulk(mbuf + sent, b->n - sent);
	}
	tg_count(&w->stats.tx_bytes, bytes);
}

static void transmit(struct tg_worker *w, struct batch *b)
{
	if (b->n == 0)
		return;
	hand_on(w, b, b->mbuf);
	b->n = 0;
	b->bytes = 0;
}

/* Frames that were held make a batch longer than a burst. */
static void batch_add(struct tg_worker *w, struct batch *b, struct rte_mbuf *m)
{
	if (tg_unlikely(b->n == TG_BURST))
		transmit(w, b);
	b->mbuf[b->n++] = m;
	b->bytes += m->pkt_len;
}

/* A chain for a device that takes none: one buffer if it fits, else it cannot be sent. */
static bool fits_port(const struct tg_port *port, struct rte_mbuf *m)
{
	return tg_likely(m->nb_segs == 1) || port->multi_segs || rte_pktmbuf_linearize(m) == 0;
}

static void batch_or_drop(struct tg_worker *w, struct batch *b, struct rte_mbuf *m)
{
	if (tg_unlikely(!fits_port(b->port, m))) {
		tg_count(&w->stats.tx_dropped, 1);
		rte_pktmbuf_free(m);
		return;
	}
	batch_add(w, b, m);
}

/* Fills an empty buffer, and as many after it as are needed. */
static bool fill(struct rte_mbuf *head, struct rte_mempool *pool, const uint8_t *bytes,
		 unsigned len)
{
	struct rte_mbuf *last = head;

	for (;;) {
		const unsigned room = rte_pktmbuf_tailroom(last);
		const unsigned part = len < room ? len : room;

		memcpy(rte_pktmbuf_mtod(last, void *), bytes, part);
		last->data_len = (uint16_t)part;
		head->pkt_len += part;
		bytes += part;
		len -= part;
		if (len == 0)
			return true;
		last->next = rte_pktmbuf_alloc(pool);
		if (!last->next)
			return false;
		last = last->next;
		head->nb_segs++;
	}
}

/*
 * The answer as a buffer, or NULL if there is none to be had: the caller's retransmission will be
 * answered. The request's own buffer cannot fail us in the usual case, so it carries the answer.
 */
static struct rte_mbuf *answer(struct tg_worker *w, unsigned i)
{
	struct tg_burst *b = &w->burst;
	struct rte_mbuf *m = b->mbuf[b->of[i]];
	const unsigned len = tg_answer_build(w->pipeline, b->gen, &b->in[i], &b->out[i], w->answer,
					     sizeof(w->answer));

	if (len == 0 || !RTE_MBUF_DIRECT(m) || rte_mbuf_refcnt_read(m) != 1)
		return NULL;
	rte_pktmbuf_free(m->next);
	rte_pktmbuf_reset(m);
	return fill(m, b->from->pool, w->answer, len) ? m : NULL;
}

static void record(struct tg_worker *w, unsigned i, const struct tg_result *r)
{
	const struct tg_burst *b = &w->burst;

	if (!w->events || !tg_events_want(w->events, r))
		return;
	if (w->event_ns == 0)
		w->event_ns = tg_events_now();
	if (!tg_events_put(w->events, b->gen, &b->in[i], r, w->event_ns))
		tg_count(&w->stats.events_dropped, 1);
}

/* What the call's PASSporTs are worth, for what comes after it. */
static void ask_verifier(struct tg_worker *w, const struct tg_result *r)
{
	if (w->verify && r->sip && tg_unlikely(r->sip->n_passports > 0))
		tg_verify_ask(w->verify, w->pipeline, r, tg_worker_ms(w, rte_rdtsc()), &w->stats);
}

/* Calls, not frames: a retransmission, or another transaction of a call, is counted as such and under
 * its frame's reason only. */
static void count_verdict(struct tg_worker *w, const struct tg_result *r)
{
	const struct tg_verdict *v = &r->verdict;
	enum tg_sip_body body;

	if (r->repeated) {
		tg_count(&w->stats.verdicts_repeated, 1);
		return;
	}
	if (r->same_call) {
		tg_count(&w->stats.verdicts_same_call, 1);
		return;
	}
	tg_count(&w->stats.trunk_reason[v->trunk][r->reason], 1);
	tg_count(&w->stats.trunk_action[v->trunk][v->mode][v->action], 1);
	if (!r->sip)
		return;
	body = tg_sip_body(r->sip, r->frame.l4_proto == TG_IPPROTO_TCP);
	tg_count(&w->stats.bodies_isup, body == TG_SIP_BODY_ISUP && !r->isup);
	tg_count(&w->stats.bodies_encoded, body == TG_SIP_BODY_ENCODED);
}

/* The frame's bytes become those of w->answer, in as many buffers as it has. */
static void overwrite(struct rte_mbuf *m, const uint8_t *bytes, unsigned len)
{
	for (; m && len > 0; m = m->next) {
		const unsigned part = len < m->data_len ? len : m->data_len;

		memcpy(rte_pktmbuf_mtod(m, void *), bytes, part);
		bytes += part;
		len -= part;
	}
}

/* As long as it was: in its own buffers. Longer or shorter: in a new one. Without any, as it came: the call
 * goes on either way. */
static struct rte_mbuf *edit(struct tg_worker *w, unsigned i)
{
	struct tg_burst *b = &w->burst;
	struct rte_mbuf *m = b->mbuf[b->of[i]], *changed;
	const unsigned len = tg_edit_build(w->pipeline, b->gen, &b->in[i], &b->out[i], w->answer,
					   sizeof(w->answer));

	if (len == 0)
		return m;
	if (len == b->in[i].len) {
		overwrite(m, w->answer, len);
	} else {
		changed = rte_pktmbuf_alloc(b->from->pool);
		if (!changed || !fill(changed, b->from->pool, w->answer, len)) {
			rte_pktmbuf_free(changed);
			return m;
		}
		rte_pktmbuf_free(m);
		m = changed;
	}
	tg_count(&w->stats.frames_edited, 1);
	return m;
}

/* In its own buffers, if the messages in it were judged meanwhile. */
static void change_held(struct tg_worker *w, struct rte_mbuf *m)
{
	const uint8_t *data = rte_pktmbuf_read(m, 0, m->pkt_len, w->held);
	unsigned len = 0;

	if (m->pkt_len <= sizeof(w->held) && data)
		len = tg_edit_held(w->pipeline, data, m->pkt_len, w->answer, sizeof(w->answer));
	if (len == 0)
		return;
	overwrite(m, w->answer, len);
	tg_count(&w->stats.frames_edited, 1);
}

/* Frames that their trunk drops rather than passes for `reason`. */
static void count_dropped(struct tg_worker *w, unsigned reason, unsigned n)
{
	const enum tg_exception e = tg_exception_of(reason);

	if (e != TG_EXCEPTION_COUNT)
		tg_count(&w->stats.exceptions_dropped[e], n);
}

/* Frames that were held until this one came: they go where it goes, and before it. */
static void act_held(struct tg_worker *w, const struct tg_result *r, struct batch *forward)
{
	struct rte_mbuf *const *held = (struct rte_mbuf *const *)r->held;
	unsigned i;

	tg_count(&w->stats.reason[r->held_reason], r->n_held);
	if (r->fate == TG_FATE_ABSORB)
		count_dropped(w, r->held_reason, r->n_held);
	for (i = 0; i < r->n_held; i++) {
		if (r->fate == TG_FATE_ANSWER || r->fate == TG_FATE_ABSORB) {
			rte_pktmbuf_free(held[i]);
			continue;
		}
		if (r->held_changes)
			change_held(w, held[i]);
		batch_or_drop(w, forward, held[i]);
	}
}

/* The answer, or, without one, nothing: whatever it is, the request goes no further. */
static void act_answer(struct tg_worker *w, unsigned i, struct batch *back)
{
	struct rte_mbuf *m = answer(w, i);

	if (m) {
		tg_count(&w->stats.answers_sent, 1);
		batch_or_drop(w, back, m);
		return;
	}
	tg_count(&w->stats.no_mbuf, 1);
	rte_pktmbuf_free(w->burst.mbuf[w->burst.of[i]]);
}

/* Of the frame, or of all messages that it ends. */
static void act_verdicts(struct tg_worker *w, unsigned i)
{
	const struct tg_result *r = &w->burst.out[i];

	if (tg_unlikely(r->unread))
		tg_count(&w->stats.unread[r->unread], 1);
	for (; r; r = r->next) {
		count_verdict(w, r);
		record(w, i, r);
		ask_verifier(w, r);
	}
}

/* Counts the frame of b->out[i], which is not held, and its verdicts: before an answer overwrites it. */
static void count_judged(struct tg_worker *w, unsigned i)
{
	const struct tg_result *r = &w->burst.out[i];

	tg_count(&w->stats.reason[r->reason], 1);
	if (r->judged)
		act_verdicts(w, i);
}

/* A frame that was judged: b->out[i]. */
static void act_judged(struct tg_worker *w, unsigned i, struct batch *forward, struct batch *back)
{
	struct tg_burst *b = &w->burst;
	const struct tg_result *r = &b->out[i];
	struct rte_mbuf *m = b->mbuf[b->of[i]];

	if (tg_unlikely(r->fate == TG_FATE_HOLD)) {
		m->port = b->from->id; /* not every driver says so */
		if (r->judged)	       /* a whole call beside the piece that is waited with */
			act_verdicts(w, i);
		return;
	}
	count_judged(w, i);
	if (tg_unlikely(r->n_held > 0))
		act_held(w, r, forward);
	if (tg_likely(r->fate == TG_FATE_FORWARD))
		batch_or_drop(w, forward, m);
	else if (r->fate == TG_FATE_ANSWER)
		act_answer(w, i, back);
	else if (r->fate == TG_FATE_EDIT)
		batch_or_drop(w, forward, edit(w, i));
	else {
		count_dropped(w, r->reason, 1);
		rte_pktmbuf_free(m);
	}
}

/* Media keeps its place between the frames that are judged. */
static void act_mixed(struct tg_worker *w, struct batch *forward, struct batch *back)
{
	const struct tg_burst *b = &w->burst;
	unsigned i, judged = 0;

	for (i = 0; i < b->n; i++) {
		if (b->media >> i & 1)
			batch_add(w, forward, b->mbuf[i]);
		else
			act_judged(w, judged++, forward, back);
	}
	transmit(w, forward);
	transmit(w, back);
}

/* Does the burst go on as it came, frame by frame? */
static bool all_go_on(const struct tg_burst *b)
{
	unsigned i, others = 0;

	for (i = 0; i < b->n_in; i++)
		others |= ((unsigned)b->out[i].fate ^ TG_FATE_FORWARD) | b->out[i].n_held |
			  (b->mbuf[b->of[i]]->nb_segs ^ 1u);
	return others == 0;
}

void tg_act_burst(struct tg_worker *w)
{
	struct tg_burst *b = &w->burst;
	const unsigned n_media = b->n - b->n_in;
	struct batch forward, back;
	unsigned i;

	forward.port = b->to;
	forward.queue = b->queue;
	w->event_ns = 0;
	if (n_media > 0)
		tg_count(&w->stats.reason[b->gen ? TG_REASON_NOT_SIP : TG_REASON_NO_GENERATION],
			 n_media);
	if (all_go_on(b)) {
		for (i = 0; i < b->n_in; i++)
			count_judged(w, i);
		forward.n = b->n;
		forward.bytes = b->bytes;
		hand_on(w, &forward, b->mbuf);
		return;
	}
	forward.n = 0;
	forward.bytes = 0;
	back.port = b->from;
	back.queue = b->queue;
	back.n = 0;
	back.bytes = 0;
	act_mixed(w, &forward, &back);
}

/* The pair's other port, and the queue on which this worker transmits to it. */
static void aim(const struct tg_worker *w, uint16_t from, struct batch *b)
{
	unsigned i, side;

	for (i = 0; i < w->n_units; i++) {
		for (side = 0; side < 2; side++) {
			if (w->unit[i].port[side]->id == from) {
				b->port = w->unit[i].port[!side];
				b->queue = w->unit[i].queue;
				return;
			}
		}
	}
}

void tg_act_release(struct tg_worker *w, uint64_t now_ms)
{
	struct tg_released freed[TG_BURST];
	struct batch b = { .port = w->unit[0].port[1], .queue = w->unit[0].queue };
	unsigned n, i;

	do {
		n = tg_pipeline_release(w->pipeline, now_ms, freed, TG_BURST);
		for (i = 0; i < n; i++) {
			struct rte_mbuf *m = freed[i].handle;

			tg_count(&w->stats.reason[freed[i].reason], 1);
			if (freed[i].drop) {
				count_dropped(w, freed[i].reason, 1);
				rte_pktmbuf_free(m);
				continue;
			}
			aim(w, m->port, &b);
			if (freed[i].changes)
				change_held(w, m);
			batch_or_drop(w, &b, m);
			transmit(w, &b); /* a frame at a time: they are few, and of any port */
		}
	} while (n == TG_BURST);
}
