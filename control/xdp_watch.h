/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The daemon's eye on a steering set: whether signalling is filtered, passes unfiltered, or is dropped.
 * Changes nothing. A set that is not there is looked for; one that is detached is let go of.
 *
 * Each change of a port's state is a line in the event file:
 *
 *	{"time", "event": "bypass", "port", "state", "was", "heartbeat_age_ns", "bypassed", "dropped"}
 *
 * state and was: TG_XDP_STATES (xdp.h), or "detached". Threads: the loop's.
 */
#ifndef TG_CONTROL_XDP_WATCH_H
#define TG_CONTROL_XDP_WATCH_H

#include <jansson.h>

#include "tollgate/base.h"

struct event_base;
struct tg_xdp_watch;

struct tg_xdp_watch_callbacks {
	/* Ports in each of these, by name; empty: none. Called when either text changes. */
	void (*alarm)(void *ctx, const char *unfiltered, const char *dropped);
	void *ctx;
};

/* `events` (may be NULL): the file to append to. Both strings are the caller's, for as long. */
int tg_xdp_watch_open(struct event_base *loop, const char *set, const char *events,
		      const struct tg_xdp_watch_callbacks *cb, struct tg_xdp_watch **watch);
void tg_xdp_watch_close(struct tg_xdp_watch *watch);

/* tg_xdp_status_json of now; {"set", "error"} if it cannot be read; null: nothing is attached. */
json_t *tg_xdp_watch_json(struct tg_xdp_watch *watch);

#endif
