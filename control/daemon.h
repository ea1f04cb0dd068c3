/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tollgated: what is in force, what shall be, and how the one becomes the other.
 *
 *	an operation changes the ledger, the policy or the pin -> tg_daemon_changed
 *	-> the set of images that shall be in force is built -> published -> acknowledged
 *	-> whoever waited is told; the images are written to disk
 *
 * One publication is under way at a time; what changes meanwhile goes with the next one, so that many
 * changes at once cost few publications.
 *
 * Threads: everything here is the loop's. Imports, base builds, indexing and disk writes are jobs of
 * workers (worker.h).
 */
#ifndef TG_CONTROL_DAEMON_H
#define TG_CONTROL_DAEMON_H

#include <sys/queue.h>

#include "control/generations.h"
#include "control/latest.h"
#include "control/publish.h"
#include "control/server.h"
#include "control/worker.h"

struct event;
struct event_base;
struct tg_xdp_watch;

#define TG_DAEMON_STATE "/var/lib/tollgate"
#define TG_DAEMON_SOCKET "/run/tollgate/tollgated.sock"
#define TG_DAEMON_DATAPLANE "/run/tollgate/dp.sock"

/* A delta of 65,536 numbers is 1 MB of input and less of image. The ledger itself asks for a new base
 * from some thousands of touched numbers on (tg_ledger_wants_base: its snapshot costs 2 us each); this
 * is the bound for what gathers otherwise, expiries above all. */
#define TG_DAEMON_FOLD 65536

/* What the user set; const after start. */
struct tg_daemon_config {
	const char *state_dir;
	const char *socket;
	const char *dataplane;
	const char *policy; /* applies until one is loaded; NULL = the documented default */
	const char *events; /* where tollgate-dp writes events; NULL = not told */
	const char *xdp_set;
	uint64_t fold;
};

/* What became of a change. */
struct tg_daemon_effect {
	bool in_force;
	uint64_t generation; /* with in_force */
	uint64_t swap_ns;    /* the dataplane's word */
	const char *why;     /* else: one clause */
};

struct tg_daemon_waiter {
	TAILQ_ENTRY(tg_daemon_waiter) link;
	uint64_t change; /* a publication that covers this change ... */
	uint64_t batch;	 /* ... and speaks of the ledger up to here is what it waits for */
	void (*done)(struct tg_daemon_waiter *w, const struct tg_daemon_effect *effect);
};

/* Told once all batches up to `batch` are durable, or why they are not (err, else NULL). */
struct tg_daemon_flush {
	TAILQ_ENTRY(tg_daemon_flush) link;
	uint64_t batch;
	void (*done)(struct tg_daemon_flush *f, const struct tg_error *err);
};

#define TG_DAEMON_ALARMS(X)                                                                        \
	X(EMPTY_TABLE, "the table is empty: every call passes")                                    \
	X(NO_DATAPLANE, "no dataplane is connected")                                               \
	X(REFUSED, "the dataplane refused the last publication")                                   \
	X(BUILD, "the table cannot be built")                                                      \
	X(JOURNAL, "the journal cannot be flushed to disk: nothing can be changed")                \
	X(DISK, "the last good images cannot be written to disk")                                  \
	X(PINNED, "the table is pinned to an old generation")                                      \
	X(POLICY, "the stored policy cannot be used")                                              \
	X(INDEX, "SQLite cannot be brought up to date")                                            \
	X(BYPASS, "signalling passes unfiltered")                                                  \
	X(CLOSED, "signalling is dropped")

enum tg_daemon_alarm {
#define X(sym, text) TG_DAEMON_ALARM_##sym,
	TG_DAEMON_ALARMS(X)
#undef X
	TG_DAEMON_ALARM_COUNT
};

struct tg_daemon_alarm_state {
	bool on;
	char detail[TG_ERROR_TEXT_MAX];
};

/* The dataplane, as far as we know: its hello, and what it acknowledged since. */
struct tg_daemon_peer {
	struct tg_ctl_hello hello;
	uint64_t generation;
	uint64_t base_id;
	uint64_t delta_id;
	uint64_t policy_id;
};

struct tg_daemon {
	struct tg_daemon_config config;
	uint64_t start_ns;
	int lock_fd;
	struct event_base *loop;
	struct tg_ledger *ledger;
	struct tg_images *images;
	struct tg_publish *publish;
	struct tg_server *server;
	struct tg_xdp_watch *xdp;
	/* Apart, because the one is not to wait for the other: */
	struct tg_worker *bulk;	 /* imports */
	struct tg_worker *build; /* bases */
	struct tg_worker *index; /* SQLite */
	struct tg_worker *flush; /* the journal */
	struct tg_worker *disk;	 /* images to and from disk, verification */
	bool stopping;

	struct tg_latest latest;
	struct tg_memimage *policy;
	char *policy_text;
	struct tg_generations generations;
	bool pinned;
	struct tg_generations_set
		pin; /* what is to be in force while pinned; meta.first names it */

	/* One publication at a time. */
	uint64_t changes; /* counted up by each */
	uint64_t covered; /* by the last publication that was completed */
	bool in_flight;
	struct tg_generations_set sent; /* with references */
	uint64_t sent_changes;
	uint64_t sent_batch;
	uint64_t sent_ns;
	struct tg_daemon_peer peer;
	TAILQ_HEAD(, tg_daemon_waiter) waiters;

	/* What the journal has on disk, and who waits for more of it. */
	uint64_t durable;
	bool flushing;
	TAILQ_HEAD(, tg_daemon_flush) flushes;

	/* The last publication that came into force. */
	int64_t published_time;
	uint64_t published_ns; /* send to acknowledgement */
	uint64_t published_swap_ns;

	bool base_building;
	bool persisting;
	bool persist_again;
	bool indexing;
	struct event *expiry;
	int64_t next_expiry; /* that it waits for, 0 = none */
	struct event *retry; /* of a publication that came too early */
	struct event *index_timer;
	struct event *signals[2];
	struct tg_daemon_alarm_state alarm[TG_DAEMON_ALARM_COUNT];

	TAILQ_HEAD(, status_work) status_waiters; /* ops_status.c */
	TAILQ_HEAD(, index_work) index_waiters;	  /* ops_report.c */
};

/* Loads the state and listens. -EBUSY: another daemon has this state folder. */
int tg_daemon_open(const struct tg_daemon_config *config, struct tg_daemon **daemon,
		   struct tg_error *err);
/* Until SIGTERM, SIGINT or tg_daemon_stop. */
int tg_daemon_run(struct tg_daemon *d);
void tg_daemon_stop(struct tg_daemon *d);
void tg_daemon_close(struct tg_daemon *d);

/* Something that is to be in force changed. `w` (may be NULL) is told what became of it, sooner or
 * later and exactly once; its batch is set by the caller. */
void tg_daemon_changed(struct tg_daemon *d, struct tg_daemon_waiter *w);

/* The ledger changed: what follows from it besides a publication (expiry, SQLite, alarms). */
void tg_daemon_ledger_moved(struct tg_daemon *d);

/* Pins to a set (copied, durable on return), or NULL: follow the ledger again. Call tg_daemon_changed
 * next. */
int tg_daemon_pin(struct tg_daemon *d, const struct tg_generations_set *set, struct tg_error *err);

/* Compiles the policy, writes its text down and takes it over. tg_daemon_changed is the caller's. */
int tg_daemon_set_policy(struct tg_daemon *d, const char *text, size_t len, struct tg_error *err);

/* Tells `f` (its batch and done are set) once it is durable: later, from the loop. NULL: see to it that
 * it will be. */
void tg_daemon_flush(struct tg_daemon *d, struct tg_daemon_flush *f);

/* Starts to bring SQLite up to date, now. */
void tg_daemon_index(struct tg_daemon *d);

void tg_daemon_alarm(struct tg_daemon *d, enum tg_daemon_alarm alarm, bool on, const char *detail);
const char *tg_daemon_alarm_name(unsigned alarm);
const char *tg_daemon_alarm_text(unsigned alarm);

/* What decides now: of the set that is in force, or last was. NULL when there is none in memory. */
const struct tg_generations_set *tg_daemon_in_force(const struct tg_daemon *d);

/* rollout.c, for daemon.c */
void tg_rollout_hello(void *ctx, const struct tg_ctl_hello *hello);
void tg_rollout_ack(void *ctx, const struct tg_ctl_ack *ack);
void tg_rollout_gone(void *ctx, const char *why);
void tg_rollout_abandon(struct tg_daemon *d, const char *why);
void tg_rollout_kick(struct tg_daemon *d);

/* background.c, for daemon.c and rollout.c: each starts its job unless it runs already */
void tg_background_base(struct tg_daemon *d);
void tg_background_persist(struct tg_daemon *d);
void tg_background_index_soon(struct tg_daemon *d);
/* The daemon stops: who still waits is told what the last flush came to. */
void tg_background_flush_abandon(struct tg_daemon *d);

/* ops.c */
void tg_ops_request(void *ctx, struct tg_request *rq);
void tg_ops_gone(void *ctx, struct tg_request *rq);
void tg_ops_stats(void *ctx, const struct tg_ctl_stats *stats);
/* SQLite is up to date, or *err says why not (NULL: it is). */
void tg_ops_indexed(struct tg_daemon *d, const struct tg_error *err);

#endif
