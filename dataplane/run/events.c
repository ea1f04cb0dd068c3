/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/run/events.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_ring_elem.h>

#include "dataplane/run/log.h"
#include "tollgate/event_json.h"

/* An event is some 1.1 KB, a ring 4.5 MB: 200 ms of a worker that rejects 20,000 calls a second. */
#define RING_EVENTS 4096
#define DRAIN_BATCH 16
#define POLL_NS 5000000
/* Sixteen identities of some 350 bytes each, and 1 KB for the rest. */
#define LINE_MAX_BYTES 16384
/* How often a reader that does not read is waited for, 100 ms at a time, once the program ends. */
#define LAST_WAITS 20
#define WAIT_MS 100

struct tg_event_ring {
	struct rte_ring *ring;
	bool all;
};

struct tg_events {
	int fd; /* does not block: the end of the program must not hang on a reader */
	bool show;
	bool stop;
	bool torn; /* the last line was not written to its end */
	unsigned last_waits;
	uint64_t lost;
	char line[LINE_MAX_BYTES];
	pthread_t thread;
	unsigned n_rings;
	struct tg_event_ring ring[];
};

bool tg_events_want_all(const struct tg_event_ring *ring)
{
	return ring->all;
}

bool tg_events_want(const struct tg_event_ring *ring, const struct tg_result *r)
{
	return ring->all || r->verdict.action != TG_ACTION_PASS || r->reason != TG_REASON_UNLISTED;
}

bool tg_events_put(struct tg_event_ring *ring, const struct tg_generation *gen,
		   const struct tg_frame_in *in, const struct tg_result *r, uint64_t time_ns)
{
	struct tg_event e;

	static_assert(sizeof(e) % 4 == 0, "ring elements are multiples of four bytes");
	if (rte_ring_full(ring->ring)) /* spares filling it in when there is no room anyway */
		return false;
	tg_event_fill(&e, gen, in, r);
	e.time_ns = time_ns;
	return rte_ring_sp_enqueue_elem(ring->ring, &e, sizeof(e)) == 0;
}

uint64_t tg_events_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static void lose(struct tg_events *ev, const char *reason)
{
	/* Relaxed: a counter that orders nothing; the writer is its only writer. */
	if (ev->lost == 0)
		tg_log(RTE_LOG_ERR, "events: cannot be written: %s", reason);
	__atomic_store_n(&ev->lost, ev->lost + 1, __ATOMIC_RELAXED);
}

/* A slow reader is waited for, the rings meanwhile fill; at the program's end not for long. */
static bool wait_for_reader(struct tg_events *ev)
{
	struct pollfd p = { .fd = ev->fd, .events = POLLOUT };

	/* Relaxed: late is as good; the writer's loop has the acquiring load. */
	if (__atomic_load_n(&ev->stop, __ATOMIC_RELAXED) && ev->last_waits++ >= LAST_WAITS)
		return false;
	(void)poll(&p, 1, WAIT_MS);
	return true;
}

/* 0, or negative errno: then a part of it may have been written. */
static int write_whole(struct tg_events *ev, const char *bytes, size_t len)
{
	while (len > 0) {
		const ssize_t n = write(ev->fd, bytes, len);

		if (n >= 0) {
			bytes += n;
			len -= (size_t)n;
			ev->torn = len > 0;
		} else if (errno == EAGAIN) {
			if (!wait_for_reader(ev))
				return -ETIMEDOUT;
		} else if (errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

static void write_event(struct tg_events *ev, const struct tg_event *e)
{
	json_t *json = tg_event_json(e, ev->show);
	size_t n;
	int rc;

	/* A line that was cut off by a full disk must not take the next one with it. */
	ev->line[0] = '\n';
	n = json_dumpb(json, ev->line + 1, sizeof(ev->line) - 2, JSON_COMPACT);
	json_decref(json);
	if (n == 0 || n > sizeof(ev->line) - 2) {
		lose(ev, "no memory");
		return;
	}
	ev->line[n + 1] = '\n';
	rc = ev->torn ? write_whole(ev, ev->line, n + 2) : write_whole(ev, ev->line + 1, n + 1);
	if (rc != 0)
		lose(ev, strerror(-rc));
}

/* What one ring holds now; true if there was anything. */
static bool drain(struct tg_events *ev, struct rte_ring *ring)
{
	struct tg_event batch[DRAIN_BATCH];
	const unsigned n = rte_ring_sc_dequeue_burst_elem(ring, batch, sizeof(batch[0]),
							  DRAIN_BATCH, NULL);
	unsigned i;

	for (i = 0; i < n; i++)
		write_event(ev, &batch[i]);
	return n > 0;
}

static bool drain_all(struct tg_events *ev)
{
	bool any = false;
	unsigned i;

	for (i = 0; i < ev->n_rings; i++)
		any |= drain(ev, ev->ring[i].ring);
	return any;
}

static void *writer(void *arg)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };
	struct tg_events *ev = arg;
	bool any, stop;

	do {
		/* Acquire, pairs with the release store in tg_events_close, which comes after the
		 * workers' last events: a round that finds nothing after it has missed nothing. */
		stop = __atomic_load_n(&ev->stop, __ATOMIC_ACQUIRE);
		any = drain_all(ev);
		if (!any && !stop)
			nanosleep(&pause, NULL);
	} while (any || !stop);
	return NULL;
}

/* Standard output is opened anew, because not to block is a property that others share with us; what
 * cannot be opened (a socket) is used as it is. */
static int open_file(struct tg_events *ev, const char *path, struct tg_why *why)
{
	const bool is_stdout = strcmp(path, "-") == 0;

	ev->fd = open(is_stdout ? "/proc/self/fd/1" : path,
		      O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0640);
	if (ev->fd < 0 && is_stdout)
		ev->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (ev->fd < 0)
		return tg_why_set(why, -errno, "--events %s: %s", path, strerror(errno));
	return 0;
}

static void free_all(struct tg_events *ev)
{
	unsigned i;

	for (i = 0; i < ev->n_rings; i++)
		rte_ring_free(ev->ring[i].ring);
	if (ev->fd >= 0)
		close(ev->fd);
	free(ev);
}

static int make_rings(struct tg_events *ev, bool all, struct tg_why *why)
{
	char name[RTE_RING_NAMESIZE];
	unsigned i;

	for (i = 0; i < ev->n_rings; i++) {
		snprintf(name, sizeof(name), "tg_events_%u", i);
		ev->ring[i].all = all;
		ev->ring[i].ring = rte_ring_create_elem(name, sizeof(struct tg_event), RING_EVENTS,
							SOCKET_ID_ANY,
							RING_F_SP_ENQ | RING_F_SC_DEQ);
		if (!ev->ring[i].ring)
			return tg_why_set(why, -rte_errno, "no memory for a ring of events: %s",
					  rte_strerror(rte_errno));
	}
	return 0;
}

int tg_events_open(struct tg_events **out, const struct tg_config *config, unsigned n_workers,
		   struct tg_why *why)
{
	struct tg_events *ev = calloc(1, sizeof(*ev) + n_workers * sizeof(ev->ring[0]));
	int rc;

	if (!ev)
		return tg_why_set(why, -ENOMEM, "out of memory");
	ev->show = config->events_unmasked ? TG_EVENT_SHOW_NUMBERS : TG_EVENT_MASK_NUMBERS;
	if (ev->show == TG_EVENT_SHOW_NUMBERS) /* whoever asks for it, it can be read later */
		tg_log(RTE_LOG_WARNING,
		       "events: numbers are shown whole (--events-unmasked), in %s",
		       config->events);
	ev->n_rings = n_workers;
	rc = open_file(ev, config->events, why);
	if (rc == 0)
		rc = make_rings(ev, config->events_all, why);
	if (rc == 0) {
		rc = -rte_ctrl_thread_create(&ev->thread, "tg-events", NULL, writer, ev);
		if (rc != 0)
			(void)tg_why_set(why, rc, "no thread for events");
	}
	if (rc != 0) {
		free_all(ev);
		return rc;
	}
	*out = ev;
	return 0;
}

void tg_events_close(struct tg_events *ev)
{
	if (!ev)
		return;
	__atomic_store_n(&ev->stop, true, __ATOMIC_RELEASE); /* pairs with the load in writer */
	pthread_join(ev->thread, NULL);
	free_all(ev);
}

struct tg_event_ring *tg_events_ring(struct tg_events *ev, unsigned i)
{
	return ev ? &ev->ring[i] : NULL;
}

uint64_t tg_events_lost(const struct tg_events *ev)
{
	return ev ? __atomic_load_n(&ev->lost, __ATOMIC_RELAXED) : 0;
}
