/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counters of one worker, and their sum. Written by one thread with plain stores, read by others
 * with relaxed loads: each counter is right, a set of them is a moment's blur. Never reset.
 *
 * Also what tollgate-dp sends to tollgated (ctl.h).
 */
#ifndef TG_STATS_H
#define TG_STATS_H

#include "tollgate/base.h"
#include "tollgate/passport.h"
#include "tollgate/policy.h"
#include "tollgate/reason.h"

/* Log-linear: four buckets per power of two from 64 ns up, so 12.5 % resolution up to 2^(6+24) ns. */
#define TG_STATS_LATENCY_BUCKETS 100
#define TG_STATS_LATENCY_SHIFT 6

struct tg_stats {
	uint64_t rx_packets;
	uint64_t rx_bytes;
	uint64_t tx_packets;
	uint64_t tx_bytes;
	uint64_t tx_dropped; /* the NIC's ring stayed full */
	uint64_t no_mbuf;    /* no buffer for an answer */
	uint64_t answers_sent;
	uint64_t verdicts_repeated;    /* retransmissions: from the verdict memory */
	uint64_t events_dropped;       /* ring full: the log is slower than the calls */
	uint64_t links_taken_down;     /* ports, because the other side's link was gone */
	uint64_t links_not_taken_down; /* their driver cannot */
	uint64_t verdicts_same_call;   /* further transactions of a call: credentials, forks */
	uint64_t frames_edited;	       /* marked, or to a sink */
	uint64_t frames_dispatched;    /* SCTP, to the worker that has its association */
	uint64_t dispatch_full; /* judged where they came in: that worker is too far behind */
	/* PASSporTs by what their verification came to; unverified: as often as one found the queue full */
	uint64_t passports[TG_STIR_STATE_COUNT];
	uint64_t bodies_isup;	 /* of judged calls, not read: SIP-I */
	uint64_t bodies_encoded; /* likewise: compressed or encrypted */
	/* Frames that did not pass because their trunk says so; `reason` counts them as well. */
	uint64_t exceptions_dropped[TG_EXCEPTION_COUNT];
	uint64_t filter_negatives;
	uint64_t filter_false;
	uint64_t busy_cycles; /* TSC cycles in bursts that had packets */
	uint64_t idle_cycles;
	uint64_t reason[TG_REASON_COUNT]; /* every frame in exactly one */
	/* Frames that count as a call above, and had something else in them that ended in this, of kind BLIND. */
	uint64_t unread[TG_REASON_COUNT];
	uint64_t trunk_reason[TG_POLICY_MAX_TRUNKS][TG_REASON_COUNT]; /* judged calls */
	uint64_t trunk_action[TG_POLICY_MAX_TRUNKS][TG_MODE_COUNT][TG_ACTION_COUNT];
	uint64_t latency[TG_STATS_LATENCY_BUCKETS]; /* rx_burst to tx_burst, per frame */
};

static inline unsigned tg_stats_latency_bucket(uint64_t ns)
{
	unsigned top, bucket;

	if (ns < 1u << TG_STATS_LATENCY_SHIFT)
		return 0;
	top = 63u - (unsigned)__builtin_clzll(ns);
	bucket = 1 + (top - TG_STATS_LATENCY_SHIFT) * 4 + (unsigned)(ns >> (top - 2) & 3);
	return bucket < TG_STATS_LATENCY_BUCKETS ? bucket : TG_STATS_LATENCY_BUCKETS - 1;
}

/* The upper end of a bucket, ns. */
static inline uint64_t tg_stats_latency_upper(unsigned bucket)
{
	const unsigned top = TG_STATS_LATENCY_SHIFT + (bucket ? bucket - 1 : 0) / 4;

	if (bucket == 0)
		return 1u << TG_STATS_LATENCY_SHIFT;
	return (uint64_t)(5 + (bucket - 1) % 4) << (top - 2);
}

/* The smallest latency (ns, a bucket's upper end) that `per_mille` of the frames stay within. */
uint64_t tg_stats_latency_quantile(const struct tg_stats *s, unsigned per_mille);

/*
 * How much of what may have been a call was inspected. A frame of TLS is no call of its own, mostly, but
 * nobody can tell: `judged` of `judged + uninspected` is the least that it can be. Retransmissions of
 * judged calls and further transactions are in neither.
 */
struct tg_stats_coverage {
	uint64_t judged; /* call attempts */
	uint64_t
		uninspected; /* frames that ended in a reason of kind BLIND, or something in them did */
};
struct tg_stats_coverage tg_stats_coverage(const struct tg_stats *s);

/* Frames of an exception, by what became of them. */
struct tg_stats_exception {
	uint64_t passed;
	uint64_t dropped;
};
struct tg_stats_exception tg_stats_exception(const struct tg_stats *s, enum tg_exception e);

/* sum += one, counter by counter. */
void tg_stats_add(struct tg_stats *sum, const struct tg_stats *one);

#endif
