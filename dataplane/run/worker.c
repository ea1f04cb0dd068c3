/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/run/worker.h"

#include <sys/prctl.h>
#include <time.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_pause.h>

#include "dataplane/run/act.h"
#include "dataplane/run/media.h"

/* Empty rounds before the first sleep: some 10 us, longer than the gaps inside a train of frames. */
#define SPIN_ROUNDS 64
/* The first sleep; it doubles from there, so that a pause between two calls costs little. */
#define FIRST_SLEEP_US 8
/* What the kernel may add to a sleep. Its default is 50 us. */
#define TIMER_SLACK_NS 1000
/* Planned stop: how long sockets must have been empty before the kernel is waited for, and how long
 * they may keep us. */
#define DRAIN_QUIET_NS (1000 * 1000)
#define DRAIN_LIMIT_NS (1000 * 1000 * 1000)

/* ---- the loop ---------------------------------------------------------------------------------- */

/* The word of a NIC that has one (port.c asks for it). "None" is: wrong in the frame, data verified,
 * as a host does that computes it on the way out. */
static uint8_t checksum_word(const struct tg_worker *w, uint64_t flags)
{
	const uint64_t ip = flags & RTE_MBUF_F_RX_IP_CKSUM_MASK;
	const uint64_t l4 = flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;

	if (ip == RTE_MBUF_F_RX_IP_CKSUM_BAD || l4 == RTE_MBUF_F_RX_L4_CKSUM_BAD)
		return TG_PIPELINE_CSUM_BAD;
	if (ip != RTE_MBUF_F_RX_IP_CKSUM_UNKNOWN && l4 != RTE_MBUF_F_RX_L4_CKSUM_UNKNOWN)
		return TG_PIPELINE_CSUM_GOOD;
	return w->checksum;
}

/* What needs no judging, from the first cache line of each frame; most of a trunk's frames end here. */
static void look(struct tg_burst *b)
{
	unsigned i;

#pragma GCC unroll 4
	for (i = 0; i < b->n; i++)
		__builtin_prefetch(rte_pktmbuf_mtod(b->mbuf[i], const uint8_t *));
	b->media = tg_media_find(b->mbuf, b->n, &b->bytes);
}

/* (pointer, length) frames from buffers; what lies in several is copied together to be read. */
static void view_frames(struct tg_worker *w)
{
	struct tg_burst *b = &w->burst;
	uint32_t rest = ~b->media & (uint32_t)((1ull << b->n) - 1);

	for (b->n_in = 0; rest; rest &= rest - 1, b->n_in++) {
		const unsigned i = (unsigned)__builtin_ctz(rest);
		const struct rte_mbuf *m = b->mbuf[i];
		uint32_t len = m->pkt_len;
		const uint8_t *data;

		if (tg_unlikely(m->nb_segs > 1)) {
			len = RTE_MIN(len, (uint32_t)TG_WORKER_SCRATCH);
			data = rte_pktmbuf_read(m, 0, len, w->scratch[i]);
		} else {
			data = rte_pktmbuf_mtod(m, const uint8_t *);
		}
		b->of[b->n_in] = (uint8_t)i;
		b->in[b->n_in] = (struct tg_frame_in){
			.data = data,
			.len = data ? len : 0,
			.port = b->from->id,
			.link = TG_LINK_ETHERNET,
			.checksum = checksum_word(w, m->ol_flags),
			.handle = b->mbuf[i],
		};
	}
}

/* `waited`: cycles for which it lay in another worker's ring before. */
static void count_burst(struct tg_worker *w, uint64_t start, uint64_t waited)
{
	const struct tg_table_adapt *adapt = tg_pipeline_adapt(w->pipeline);
	const uint64_t end = rte_rdtsc(), cycles = end - start;
	/* cycles below 2^31 (half a second and more) times a factor below 2^33 stay in 64 bits */
	const uint64_t ns = RTE_MIN(cycles + waited, UINT64_C(1) << 31) * w->ns_per_cycle >> 32;

	tg_count(&w->stats.rx_packets, w->burst.n);
	tg_count(&w->stats.rx_bytes, w->burst.bytes);
	tg_count(&w->stats.latency[tg_stats_latency_bucket(ns)], w->burst.n);
	tg_count(&w->stats.busy_cycles, cycles);
	tg_count(&w->stats.idle_cycles, start - w->last_tsc);
	tg_count(&w->stats.filter_negatives, adapt->filter_negatives - w->stats.filter_negatives);
	tg_count(&w->stats.filter_false, adapt->filter_false - w->stats.filter_false);
	w->last_tsc = end;
}

/* What has been sent again since: neither forwarded behind its repetition nor judged. */
static void discard(struct tg_worker *w)
{
	struct tg_burst *b = &w->burst;
	uint64_t bytes = 0;
	unsigned i;

	for (i = 0; i < b->n; i++)
		bytes += b->mbuf[i]->pkt_len;
	tg_count(&w->stats.rx_packets, b->n);
	tg_count(&w->stats.rx_bytes, bytes);
	tg_count(&w->stats.reason[TG_REASON_STALE], b->n);
	rte_pktmbuf_free_bulk(b->mbuf, b->n);
}

/* The time; and when the limit is over, the limit as it is now, before anything is dropped for it. */
static uint64_t now_within_limit(struct tg_worker *w)
{
	const uint64_t now = tg_beat_now();

	if (tg_unlikely(now - w->pulse.beat_ns > w->pulse.limit_ns))
		w->pulse.limit_ns = tg_beats_limit(w->beats);
	return now;
}

bool tg_worker_overtaken(struct tg_worker *w)
{
	if (w->n_lines == 0)
		return false;
	tg_pulse_feel(&w->pulse, now_within_limit(w));
	return w->pulse.discard;
}

/* One direction of one unit. */
static void set_direction(struct tg_burst *b, const struct tg_unit *unit, unsigned side)
{
	b->from = unit->port[side];
	b->to = unit->port[!side];
	b->queue = unit->queue;
}

/* Phase by phase over a burst. */
static void judge(struct tg_worker *w, uint64_t start, uint64_t waited)
{
	struct tg_burst *b = &w->burst;

	b->gen = tg_swap_current(w->swap); /* once: the whole burst is judged with one generation */
	look(b);
	view_frames(w);
	if (b->n_in > 0)
		tg_pipeline_burst(w->pipeline, b->gen, b->in, b->n_in, tg_worker_ms(w, start),
				  b->out);
	if (b->n > 0)
		tg_act_burst(w);
	count_burst(w, start, waited);
}

/* Whose association is another worker's; that one counts what it takes. */
static void hand_on(struct tg_worker *w, struct tg_dispatch_route *route, uint64_t now)
{
	struct tg_burst *b = &w->burst;
	const unsigned n = b->n;
	unsigned refused;

	b->n = tg_dispatch_burst(route, b->mbuf, n, now, &refused);
	tg_count(&w->stats.frames_dispatched, n - b->n);
	tg_count(&w->stats.dispatch_full, refused);
}

static bool work(struct tg_worker *w, const struct tg_unit *unit, unsigned side)
{
	struct tg_burst *b = &w->burst;
	uint64_t start;

	set_direction(b, unit, side);
	b->n = rte_eth_rx_burst(b->from->id, b->queue, b->mbuf, TG_BURST);
	if (b->n == 0)
		return false;
	w->behind |= b->n == TG_BURST;
	/* Once they are taken, and not only once a round: a process is stopped where it likes, in the
	 * system calls of the poll before this one most of all, and finds a full socket here. */
	if (tg_unlikely(tg_worker_overtaken(w))) {
		discard(w);
		return true;
	}
	start = rte_rdtsc();
	if (unit->route[side])
		hand_on(w, unit->route[side], start);
	judge(w, start, 0);
	return true;
}

/* What other workers have received for this one, as if it had. Whether there was a frame. */
static bool empty_inboxes(struct tg_worker *w)
{
	const uint64_t now = rte_rdtsc();
	struct tg_burst *b = &w->burst;
	bool any = false;
	uint64_t waited;
	unsigned i;

	tg_dispatch_round(w->dispatch, w->index, now);
	for (i = 0; i < w->n_inboxes; i++) {
		const uint64_t start = i == 0 ? now : rte_rdtsc();

		set_direction(b, &w->unit[w->inbox[i].unit], w->inbox[i].side);
		b->n = tg_dispatch_take(&w->inbox[i], b->mbuf, start, &waited);
		if (b->n == 0)
			continue;
		any = true;
		w->behind |= b->n == TG_BURST;
		if (tg_unlikely(tg_worker_overtaken(w)))
			discard(w);
		else
			judge(w, start, waited);
	}
	return any;
}

/*
 * Once a millisecond: frames are held for 200, and nobody waits for a tenth of one more. Not while the
 * queues are full, as after a stop: what a frame waits for may lie in them. A worker that never
 * catches up gives up what it holds once a second.
 */
static void release_held(struct tg_worker *w, uint64_t now)
{
	if (now < w->release_tsc || (w->behind && now < w->release_tsc + w->tsc_hz))
		return;
	w->release_tsc = now + w->tsc_per_ms;
	tg_act_release(w, tg_worker_ms(w, now));
}

/*
 * Nothing to do: first spin, then sleep for twice as long each time up to the limit. So a machine of
 * two cores runs the dataplane and its peers; a frame that arrives meanwhile waits in the ring.
 */
static void back_off(struct tg_worker *w)
{
	struct timespec t = { 0 };
	unsigned doublings, us;

	rte_pause();
	if (w->idle_us == 0 || ++w->empty_polls <= SPIN_ROUNDS)
		return;
	doublings = RTE_MIN(w->empty_polls - SPIN_ROUNDS - 1, 16u);
	us = RTE_MIN((unsigned)FIRST_SLEEP_US << doublings, w->idle_us);
	if (w->empty_polls > SPIN_ROUNDS + 16)
		w->empty_polls = SPIN_ROUNDS + 16; /* no wrap after a quiet night */
	t.tv_nsec = (long)us * 1000;
	nanosleep(&t, NULL);
}

/* All queues once; whether there was a frame. */
static bool make_round(struct tg_worker *w)
{
	bool any = false;
	unsigned i;

	w->behind = false;
	if (w->n_inboxes > 0)
		any = empty_inboxes(w);
	for (i = 0; i < w->n_units; i++) {
		any |= work(w, &w->unit[i], 0);
		any |= work(w, &w->unit[i], 1);
	}
	/* Reading the counter takes as long as two packets of media. */
	release_held(w, any ? w->last_tsc : rte_rdtsc());
	if (w->verify && tg_verify_waits(w->verify))
		tg_verify_collect(w->verify, w->pipeline, tg_worker_ms(w, rte_rdtsc()), &w->stats);
	/* Nothing of a generation is in hand between rounds: results are used up in act, and events
	 * carry copies. */
	tg_swap_quiescent(w->swap, w->index);
	return any;
}

/*
 * The same, and the heartbeats: here, because whoever comes here has received from all its queues and
 * handed on what it received. The clock is read before anything is decided by it: a process that is
 * stopped in between writes a beat that is as old as its stop.
 */
static bool make_round_and_beat(struct tg_worker *w)
{
	uint64_t now = now_within_limit(w);
	unsigned i;
	bool any, late;

	tg_pulse_feel(&w->pulse, now);
	late = w->pulse.late;
	any = make_round(w);
	now = now_within_limit(w);
	/* Felt late in its middle, the round is not idle: sockets it had passed may be full since. */
	if (tg_pulse_due(&w->pulse, now, !any && late == w->pulse.late)) {
		for (i = 0; i < w->n_lines; i++)
			tg_beat(w->line[i], now);
	}
	return any;
}

/* A round before the kernel takes over: also what others have to send for this worker has to be gone. */
static bool make_last_round(struct tg_worker *w)
{
	return make_round(w) || (w->dispatch && tg_dispatch_waits(w->dispatch, w->index));
}

/*
 * Planned stop, with an XDP program in front. What is in the sockets when the kernel takes over is
 * overtaken: so they are emptied first, as far as that is quick. Then the kernel is told to do without
 * us, and the rest is emptied. A program that had begun before may still hand us frames; most are there
 * within microseconds, and once the kernel has been waited for there are no more.
 */
static void drain(struct tg_worker *w)
{
	uint64_t begin = tg_beat_now(), now, busy;
	unsigned i;

	(void)tg_worker_overtaken(w);
	/* From here the last beats grow old on purpose: nothing is dropped for it. */
	w->pulse.limit_ns = UINT64_MAX;
	while (make_last_round(w) && tg_beat_now() - begin < DRAIN_QUIET_NS)
		;
	for (i = 0; i < w->n_lines; i++)
		tg_beat_end(w->line[i], TG_STEER_BEAT_DRAINING);
	begin = now = busy = tg_beat_now();
	for (; now - busy < DRAIN_QUIET_NS && now - begin < DRAIN_LIMIT_NS; now = tg_beat_now()) {
		if (make_last_round(w))
			busy = now;
	}
	tg_beat_wait_for_kernel();
	while (make_round(w) && tg_beat_now() - begin < DRAIN_LIMIT_NS)
		;
	for (i = 0; i < w->n_lines; i++)
		tg_beat_end(w->line[i], TG_STEER_BEAT_NONE);
}

/* Nothing is received any more; what others have in hand for this worker is forwarded before it leaves. */
static void wait_for_others(struct tg_worker *w)
{
	bool all_done, any;

	tg_dispatch_done(w->dispatch);
	w->empty_polls = 0;
	do {
		all_done = tg_dispatch_all_done(w->dispatch); /* before the look */
		any = empty_inboxes(w);
		release_held(w, rte_rdtsc());
		tg_swap_quiescent(w->swap, w->index);
		if (any)
			w->empty_polls = 0;
		else if (!all_done)
			back_off(w);
	} while (any || !all_done);
}

int tg_worker_run(void *arg)
{
	struct tg_worker *w = arg;
	bool any;

	(void)prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS, 0, 0, 0);
	w->checksum = w->events && tg_events_want_all(w->events) ? TG_PIPELINE_CSUM_ALWAYS
								 : TG_PIPELINE_CSUM_UNKNOWN;
	tg_swap_join(w->swap, w->index);
	w->last_tsc = rte_rdtsc();
	w->pulse.beat_ns = tg_beat_now();
	/* Relaxed: the flag orders nothing, it only has to be seen some time. */
	while (!__atomic_load_n(w->quit, __ATOMIC_RELAXED)) {
		any = w->n_lines ? make_round_and_beat(w) : make_round(w);
		if (any)
			w->empty_polls = 0;
		else
			back_off(w);
	}
	if (w->n_lines)
		drain(w);
	if (w->dispatch)
		wait_for_others(w);
	tg_act_release(w, UINT64_MAX);
	tg_swap_leave(w->swap, w->index);
	return 0;
}
