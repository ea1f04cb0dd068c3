/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The XDP program in front of our ports (tollgate/bpf_abi.h), as far as a dataplane has to do with it:
 * the heartbeats by which it knows that there is somebody to hand signalling to. Knows no worker and
 * no DPDK; whose heartbeat is written when is worker.c's.
 */
#ifndef TG_RUN_BEAT_H
#define TG_RUN_BEAT_H

#include "dataplane/run/config.h"
#include "tollgate/bpf_abi.h"

/* What is in front. Of a machine without XDP: `line` is NULL, and nothing below does anything. */
struct tg_beats {
	struct tg_steer_heartbeat *line; /* shared with the kernel */
	int config_fd;
	struct tg_steer_port port[TG_STEER_MAX_PORTS];
};

/*
 * Opens the steering set in folder `dir`. 0, also when there is none and it was not `asked` for;
 * negative errno with *why when it is another build's or cannot be used.
 */
int tg_beats_open(struct tg_beats *beats, const char *dir, bool asked, struct tg_why *why);
/* No line may be written any more. */
void tg_beats_close(struct tg_beats *beats);

/* How old a beat may be, now; may be changed while we run. By a system call. */
uint64_t tg_beats_limit(const struct tg_beats *beats);

/* The slot of an interface of this network namespace, -1 if the set does not have it. */
int tg_beats_slot(const struct tg_beats *beats, unsigned ifindex);

/*
 * Nobody forwards what the two ports receive, until somebody says so. To be called before their
 * sockets are made: what an earlier process left must not vouch for this one. 0 also if neither
 * port is in the set; -EINVAL with *why when the kernel would forward from one of them to another port
 * than we do.
 */
int tg_beats_take(struct tg_beats *beats, const unsigned ifindex[2], struct tg_why *why);

/* The line of a queue, NULL if it has none. */
struct tg_steer_heartbeat *tg_beats_line(const struct tg_beats *beats, unsigned ifindex,
					 unsigned queue);

/* One beat; now_ns is CLOCK_MONOTONIC. By the worker that polls the queue, and by nobody else. */
void tg_beat(struct tg_steer_heartbeat *line, uint64_t now_ns);
/* From here on the kernel forwards by itself, or drops, as the operator has it. */
void tg_beat_end(struct tg_steer_heartbeat *line, enum tg_steer_beat_state state);

/* CLOCK_MONOTONIC, which bpf_ktime_get_ns reads, too. */
uint64_t tg_beat_now(void);

/*
 * No XDP program that began before this call is still at work when it returns, so nothing more will
 * come into a socket that the last beat had vouched for.
 */
void tg_beat_wait_for_kernel(void);

/*
 * A worker's sense of having stood still. Behind its back the kernel has then let signalling pass,
 * and what waits in its sockets is older than what has passed.
 */
struct tg_pulse {
	uint64_t limit_ns; /* of tg_beats_limit, read again when it is exceeded */
	uint64_t beat_ns;  /* last beat, or the start */
	bool late;	   /* no beat before the sockets were found empty */
	bool discard;	   /* what waits in them has been sent again since */
};

/*
 * A dataplane beats ten times as often as the shortest limit wants it to (4 times): a sleep of
 * TG_CONFIG_IDLE_MAX_US lies between.
 */
#define TG_PULSE_NS (TG_STEER_LIMIT_MIN_NS / 10)
/*
 * RFC 3261 §17.1.1.1: a request without an answer is sent again after T1 = 500 ms, SCTP's data after
 * RTO.Min = 1 s (RFC 9260 §16). Younger: late is better than lost, nobody has sent it again. Older:
 * its repetition has passed, and a call that is established meanwhile must not be judged.
 */
#define TG_PULSE_RESENT_NS (500ull * 1000 * 1000)

/* At the beginning of a round. */
void tg_pulse_feel(struct tg_pulse *p, uint64_t now_ns);
/*
 * At the end of a round: whether to beat. `idle`: it found no frame. A round in which the worker stood
 * still proves nothing: it may have looked before, and everything have come since.
 */
bool tg_pulse_due(struct tg_pulse *p, uint64_t now_ns, bool idle);

#endif
