/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Link state goes through: where one port of a pair loses its link, the other is taken down, so that
 * the neighbour behind it sees what it would see on a plain wire, and reroutes (traps L2-7).
 *
 * A port that we hold down says nothing of the wire behind it, so it is let up as soon as the other
 * side's link is back, and has some seconds to come up before its silence counts.
 */
#ifndef TG_RUN_LINK_H
#define TG_RUN_LINK_H

#include <pthread.h>

#include "dataplane/run/port.h"
#include "tollgate/stats.h"

/* 1000BASE-T negotiates for up to 4 s (IEEE 802.3 §40.5), and some switches wait as long again. */
#define TG_LINK_GRACE_MS 10000
/* Within this, a lost link is noticed: as fast as the neighbours' own debouncing. */
#define TG_LINK_POLL_MS 100

enum tg_link_act {
	TG_LINK_KEEP,
	TG_LINK_DOWN,
	TG_LINK_UP,
};

struct tg_link_pair {
	bool held_down[2];	 /* by us */
	uint64_t expected_ms[2]; /* until then a port may be without link, and it means nothing */
};

/* What to do to the ports of a pair whose links say `up`. The caller does it, whatever comes of it. */
void tg_link_step(struct tg_link_pair *p, const bool up[2], uint64_t now_ms,
		  enum tg_link_act act[2]);

/* The thread that asks the ports, and its counters. */
struct tg_links {
	const struct tg_ports *ports;
	struct tg_link_pair pair[TG_CONFIG_MAX_PAIRS];
	uint64_t taken_down;	 /* ports taken down because the other side's link was gone */
	uint64_t not_taken_down; /* their drivers cannot */
	pthread_t thread;
	bool quit;
	bool running;
};

/* After tg_ports_start. 0, or negative errno with *why. */
int tg_links_start(struct tg_links *links, const struct tg_ports *ports, struct tg_why *why);
/* Before the ports are stopped: lets up what is held down. Without a start, nothing. */
void tg_links_stop(struct tg_links *links);

/* Any thread. */
void tg_links_sum(const struct tg_links *links, struct tg_stats *sum);

#endif
