/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/xdp_watch.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/say.h"
#include "control/xdp.h"

/* As often as a heartbeat may be late by default: shorter gaps than that are no states. */
#define LOOK_MS 100
#define DETACHED TG_XDP_STATE_COUNT

struct tg_xdp_watch {
	const char *set;
	const char *events;
	struct tg_xdp_watch_callbacks cb;
	struct event *timer;
	struct tg_xdp *xdp;  /* NULL: nothing attached, or not readable */
	struct tg_error why; /* why not; code 0 while xdp is there */
	struct {
		char ifname[TG_STEER_IFNAME];
		unsigned state;
	} seen[TG_STEER_MAX_PORTS];
	char unfiltered[TG_ERROR_TEXT_MAX];
	char dropped[TG_ERROR_TEXT_MAX];
};

static const char *state_name(unsigned state)
{
	return state == DETACHED ? "detached" : tg_xdp_state_name(state);
}

/* ---- events -------------------------------------------------------------------------------------- */

/* One write of a whole line to the end, so that it goes between two of tollgate-dp's. The file may have
 * been rotated: opened anew. */
static void append_line(const char *path, json_t *event)
{
	char *line = json_dumps(event, JSON_COMPACT);
	const int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0640);

	if (line && fd >= 0) {
		const size_t n = strlen(line);

		line[n] = '\n'; /* in place of the NUL */
		if (write(fd, line, n + 1) < 0)
			tg_say("%s: %s", path, strerror(errno));
	}
	if (fd >= 0)
		close(fd);
	free(line);
}

static void tell(const struct tg_xdp_watch *w, const char *ifname, unsigned was,
		 const struct tg_xdp_port *p)
{
	const bool beats = p && p->fresh + p->stale > 0;
	const unsigned state = p ? p->state : DETACHED;
	json_t *event;

	event = json_pack("{s:o, s:s, s:s, s:s, s:s, s:o, s:I, s:I}", "time", tg_say_time(),
			  "event", "bypass", "port", ifname, "state", state_name(state), "was",
			  state_name(was), "heartbeat_age_ns",
			  beats ? json_integer((json_int_t)p->age_ns) : json_null(), "bypassed",
			  p ? (json_int_t)tg_xdp_sum(p, TG_XDP_SIGNALLING_BYPASSED) : 0, "dropped",
			  p ? (json_int_t)tg_xdp_sum(p, TG_XDP_SIGNALLING_DROPPED) : 0);
	tg_say("%s: %s, was %s", ifname, state_name(state), state_name(was));
	if (w->events && event)
		append_line(w->events, event);
	json_decref(event);
}

/* ---- looking ------------------------------------------------------------------------------------- */

static void list(char *text, const char *ifname)
{
	const size_t n = strlen(text);

	snprintf(text + n, TG_ERROR_TEXT_MAX - n, "%s%s", n ? ", " : "", ifname);
}

static void compare(struct tg_xdp_watch *w, const struct tg_xdp_status *s)
{
	const struct tg_xdp_port *at[TG_STEER_MAX_PORTS] = { NULL };
	unsigned i;

	for (i = 0; i < s->n_ports; i++)
		at[s->ports[i].slot] = &s->ports[i];
	for (i = 0; i < TG_STEER_MAX_PORTS; i++) {
		const unsigned state = at[i] ? at[i]->state : DETACHED;

		if (at[i])
			memcpy(w->seen[i].ifname, at[i]->port.ifname, sizeof(w->seen[i].ifname));
		if (w->seen[i].state != state)
			tell(w, w->seen[i].ifname, w->seen[i].state, at[i]);
		w->seen[i].state = state;
	}
}

static void raise_alarms(struct tg_xdp_watch *w, const struct tg_xdp_status *s)
{
	char unfiltered[TG_ERROR_TEXT_MAX] = "", dropped[TG_ERROR_TEXT_MAX] = "";
	unsigned i;

	for (i = 0; i < s->n_ports; i++) {
		switch (s->ports[i].state) {
		case TG_XDP_BYPASS:
		case TG_XDP_PARTIAL:
		case TG_XDP_FORCED:
			list(unfiltered, s->ports[i].port.ifname);
			break;
		case TG_XDP_CLOSED:
		case TG_XDP_GONE:
			list(dropped, s->ports[i].port.ifname);
			break;
		default:
			break;
		}
	}
	if (strcmp(unfiltered, w->unfiltered) == 0 && strcmp(dropped, w->dropped) == 0)
		return;
	memcpy(w->unfiltered, unfiltered, sizeof(unfiltered));
	memcpy(w->dropped, dropped, sizeof(dropped));
	w->cb.alarm(w->cb.ctx, unfiltered, dropped);
}

/* -ENOENT: nothing is attached. */
static int look(struct tg_xdp_watch *w, struct tg_xdp_status *s)
{
	int rc;

	if (w->xdp && !tg_xdp_is_current(w->xdp)) {
		tg_xdp_close(w->xdp);
		w->xdp = NULL;
	}
	memset(s, 0, sizeof(*s));
	rc = w->xdp ? 0 : tg_xdp_open(w->set, &w->xdp, &w->why);
	if (rc == 0)
		rc = tg_xdp_status(w->xdp, s, &w->why);
	if (rc == 0)
		w->why.code = 0;
	else
		s->n_ports = 0;
	return rc;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct tg_xdp_watch *w = arg;
	struct tg_xdp_status s;

	(void)fd;
	(void)what;
	look(w, &s);
	compare(w, &s);
	raise_alarms(w, &s);
}

json_t *tg_xdp_watch_json(struct tg_xdp_watch *watch)
{
	struct tg_xdp_status s;
	const int rc = look(watch, &s);

	if (rc == 0)
		return tg_xdp_status_json(watch->set, &s);
	if (rc == -ENOENT)
		return json_null();
	return json_pack("{s:s, s:s}", "set", watch->set, "error", watch->why.text);
}

int tg_xdp_watch_open(struct event_base *loop, const char *set, const char *events,
		      const struct tg_xdp_watch_callbacks *cb, struct tg_xdp_watch **watch)
{
	const struct timeval interval = { 0, LOOK_MS * 1000 };
	struct tg_xdp_watch *w = calloc(1, sizeof(*w));
	unsigned i;

	*watch = w;
	if (!w)
		return -ENOMEM;
	w->set = set;
	w->events = events;
	w->cb = *cb;
	for (i = 0; i < TG_STEER_MAX_PORTS; i++)
		w->seen[i].state = DETACHED;
	w->timer = event_new(loop, -1, EV_PERSIST, on_timer, w);
	if (w->timer && event_add(w->timer, &interval) == 0)
		return 0;
	tg_xdp_watch_close(w);
	*watch = NULL;
	return -ENOMEM;
}

void tg_xdp_watch_close(struct tg_xdp_watch *watch)
{
	if (!watch)
		return;
	if (watch->timer)
		event_free(watch->timer);
	tg_xdp_close(watch->xdp);
	free(watch);
}
