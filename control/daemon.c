/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/daemon.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "control/policy_file.h"
#include "control/say.h"
#include "control/xdp_watch.h"

/* The wall clock may be set; an expiry is looked at again at least this often. */
#define EXPIRY_LOOK_SECONDS 60

static const struct {
	const char *name;
	const char *text;
} alarms[] = {
#define X(sym, text) { #sym, text },
	TG_DAEMON_ALARMS(X)
#undef X
};

const char *tg_daemon_alarm_name(unsigned alarm)
{
	return alarm < TG_ARRAY_LEN(alarms) ? alarms[alarm].name : "?";
}

const char *tg_daemon_alarm_text(unsigned alarm)
{
	return alarm < TG_ARRAY_LEN(alarms) ? alarms[alarm].text : "?";
}

void tg_daemon_alarm(struct tg_daemon *d, enum tg_daemon_alarm alarm, bool on, const char *detail)
{
	struct tg_daemon_alarm_state *a = &d->alarm[alarm];

	if (on != a->on)
		tg_say("%s: %s%s%s", on ? "alarm" : "alarm over", alarms[alarm].text,
		       on && detail ? ": " : "", on && detail ? detail : "");
	a->on = on;
	snprintf(a->detail, sizeof(a->detail), "%s", on && detail ? detail : "");
	tg_say_clean(
		a->detail); /* another process's text, or a cut one; status replies are UTF-8 */
}

/* ---- policy -------------------------------------------------------------------------------------- */

static int compile(const char *text, size_t len, struct tg_memimage **image, struct tg_error *err)
{
	uint64_t length;
	void *bytes;
	int rc;

	rc = tg_policy_compile(text, len, &bytes, &length, err);
	if (rc != 0)
		return rc;
	rc = tg_memimage_from_bytes(bytes, length, TG_IMAGE_POLICY, image, err);
	free(bytes);
	return rc;
}

/* Takes over text (malloc'd) and image. */
static void take_policy(struct tg_daemon *d, char *text, struct tg_memimage *image)
{
	/* The same rules: the image that is in force serves on. */
	if (d->policy && d->policy->id == image->id) {
		tg_memimage_put(image);
	} else {
		tg_memimage_put(d->policy);
		d->policy = image;
	}
	free(d->policy_text);
	d->policy_text = text;
	tg_daemon_alarm(d, TG_DAEMON_ALARM_POLICY, false, NULL);
}

/* A policy that is loaded while the table is pinned applies to the pinned table. */
static int pin_policy(struct tg_daemon *d, struct tg_error *err)
{
	tg_memimage_put(d->pin.policy);
	d->pin.policy = tg_memimage_ref(d->policy);
	d->pin.meta.policy_id = d->policy->id;
	return tg_images_pin(d->images, &d->pin.meta, err);
}

int tg_daemon_set_policy(struct tg_daemon *d, const char *text, size_t len, struct tg_error *err)
{
	struct tg_memimage *image;
	char *copy;
	int rc;

	rc = compile(text, len, &image, err);
	if (rc != 0)
		return rc;
	copy = strndup(text, len);
	rc = copy ? tg_images_write_policy(d->images, text, len, err)
		  : tg_error_set(err, -ENOMEM, "no memory");
	if (rc != 0) {
		free(copy);
		tg_memimage_put(image);
		return rc;
	}
	take_policy(d, copy, image);
	return d->pinned ? pin_policy(d, err) : 0;
}

/* What was loaded last; else what the command line says; else the default. A stored text that no
 * longer compiles (an older version's) leaves the image of the last generation in force. */
static int load_policy(struct tg_daemon *d, struct tg_error *err)
{
	const struct tg_generations_set *last = tg_generations_current(&d->generations);
	struct tg_memimage *image;
	struct tg_error why;
	bool stored = true;
	char *text;
	size_t len;
	int rc;

	if (tg_images_read_policy(d->images, &text, &len, NULL) != 0) {
		stored = false;
		if (d->config.policy) {
			rc = tg_policy_read_file(d->config.policy, &text, &len, &why);
			if (rc != 0)
				return tg_error_set(err, rc, "%s: %s", d->config.policy, why.text);
		} else {
			text = strdup(tg_policy_default_text);
			len = strlen(tg_policy_default_text);
			if (!text)
				return tg_error_set(err, -ENOMEM, "no memory");
		}
	}
	rc = compile(text, len, &image, &why);
	if (rc != 0 && stored && last && last->policy) {
		d->policy = tg_memimage_ref(last->policy);
		d->policy_text = text;
		tg_daemon_alarm(d, TG_DAEMON_ALARM_POLICY, true, why.text);
		return 0;
	}
	if (rc != 0) {
		char at[TG_ERROR_TEXT_MAX + 256];
		const char *file = stored	      ? "STATE/policy.yaml"
				   : d->config.policy ? d->config.policy
						      : "default policy";

		free(text);
		return tg_error_set(err, rc, "%s", tg_error_format(&why, file, at, sizeof(at)));
	}
	take_policy(d, text, image);
	/* Loaded and pinned, but killed before its image was on disk. Any other policy than the pinned
	 * one stays out: it may be what the operator went back from. */
	if (d->pinned && !d->pin.policy && d->pin.meta.policy_id == d->policy->id) {
		d->pin.policy = tg_memimage_ref(d->policy);
		tg_daemon_alarm(d, TG_DAEMON_ALARM_PINNED, true, NULL);
	}
	return 0;
}

/* ---- start --------------------------------------------------------------------------------------- */

static int load_part(struct tg_daemon *d, enum tg_image_kind kind, uint64_t id,
		     struct tg_memimage **image, struct tg_error *err)
{
	return id == 0 ? 0 : tg_images_load(d->images, kind, id, image, err);
}

static int load_set(struct tg_daemon *d, struct tg_generations_set *s, struct tg_error *err)
{
	int rc;

	rc = load_part(d, TG_IMAGE_BASE, s->meta.base_id, &s->base, err);
	if (rc == 0)
		rc = load_part(d, TG_IMAGE_DELTA, s->meta.delta_id, &s->delta, err);
	if (rc == 0)
		rc = load_part(d, TG_IMAGE_POLICY, s->meta.policy_id, &s->policy, err);
	return rc;
}

/* The images of the last daemon. What cannot be read is built again, from the ledger. */
static void load_images(struct tg_daemon *d)
{
	struct tg_images_history history;
	struct tg_generations_set *last;
	struct tg_images_set pin;
	struct tg_error err;
	bool have_history;
	int rc;

	rc = tg_images_read_history(d->images, &history, &err);
	if (rc != 0 && rc != -ENOENT)
		tg_say("%s", err.text);
	tg_generations_from_history(&d->generations, &history);
	last = tg_generations_current(&d->generations);
	if (last && load_set(d, last, &err) != 0)
		tg_say("last generation: %s", err.text);
	have_history = rc == 0;
	rc = tg_images_read_pin(d->images, &pin, &err);
	if (rc == -ENOENT) {
		/* A daemon that was killed between its images and its history, or between the history
		 * and the sweep, left files that nothing names. With a pin, or without a history, they
		 * may be all there is: the next publication sweeps. */
		if (have_history)
			tg_images_collect(d->images, &history);
		return;
	}
	/* Pinned and not readable is still pinned: what the operator went back from must not come
	 * into force by itself. Nothing is published until somebody decides. */
	d->pinned = true;
	d->pin = (struct tg_generations_set){ .meta = pin };
	if (rc == 0)
		rc = load_set(d, &d->pin, &err);
	tg_daemon_alarm(d, TG_DAEMON_ALARM_PINNED, true, rc != 0 ? err.text : NULL);
}

/* The newest base that a set of the history has, if it is in memory. */
static void adopt_base(struct tg_daemon *d)
{
	struct tg_generations_set *s = tg_generations_current(&d->generations);
	unsigned i;

	for (i = 0; i < d->generations.n; i++) {
		if (d->generations.set[i].meta.base_batch > s->meta.base_batch)
			return; /* pinned to an older one: the next base is built anew */
	}
	d->latest.dirty = true;
	if (!s || !s->base)
		return;
	d->latest.base = tg_memimage_ref(s->base);
	d->latest.base_batch = s->meta.base_batch;
	d->latest.base_time = s->meta.base_time;
	d->latest.batch = s->meta.base_batch;
	d->latest.delta = tg_memimage_ref(s->delta);
}

static int make_dirs(const struct tg_daemon_config *c, struct tg_error *err)
{
	char parent[256];
	char *slash;

	if (mkdir(c->state_dir, 0755) != 0 && errno != EEXIST)
		return tg_error_set(err, -errno, "cannot create %s: %s", c->state_dir,
				    strerror(errno));
	snprintf(parent, sizeof(parent), "%s", c->socket);
	slash = strrchr(parent, '/');
	if (!slash || slash == parent)
		return 0;
	*slash = 0;
	if (mkdir(parent, 0755) != 0 && errno != EEXIST)
		return tg_error_set(err, -errno, "cannot create %s: %s", parent, strerror(errno));
	return 0;
}

static int lock_state(struct tg_daemon *d, struct tg_error *err)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/lock", d->config.state_dir);
	d->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (d->lock_fd < 0)
		return tg_error_set(err, -errno, "cannot open %s: %s", path, strerror(errno));
	if (flock(d->lock_fd, LOCK_EX | LOCK_NB) != 0)
		return tg_error_set(err, -EBUSY, "another tollgated works in %s",
				    d->config.state_dir);
	return 0;
}

/* ---- timers and signals -------------------------------------------------------------------------- */

static void expiry_arm(struct tg_daemon *d)
{
	struct timeval tv = { EXPIRY_LOOK_SECONDS, 0 };
	struct tg_ledger_status status;
	const int64_t now = time(NULL);

	tg_ledger_status(d->ledger, &status);
	if (status.next_expiry != 0 && status.next_expiry - now < tv.tv_sec)
		tv.tv_sec = status.next_expiry > now ? status.next_expiry - now : 1;
	/* The ledger names the next one to come; what has passed is known here alone. */
	if (d->next_expiry == 0 || d->next_expiry > now)
		d->next_expiry = status.next_expiry;
	event_add(d->expiry, &tv);
	tg_daemon_alarm(d, TG_DAEMON_ALARM_EMPTY_TABLE,
			status.n_numbers + status.n_ranges + status.n_shorts == 0, NULL);
}

static void on_expiry(evutil_socket_t fd, short what, void *arg)
{
	struct tg_daemon *d = arg;

	(void)fd;
	(void)what;
	if (d->next_expiry != 0 && d->next_expiry <= time(NULL)) {
		d->next_expiry = 0;
		d->latest.dirty = true;
		tg_daemon_changed(d, NULL);
	}
	expiry_arm(d);
}

void tg_daemon_ledger_moved(struct tg_daemon *d)
{
	d->latest.dirty = true;
	expiry_arm(d);
	tg_daemon_flush(d, NULL);
	tg_background_index_soon(d);
}

static void on_index_timer(evutil_socket_t fd, short what, void *arg)
{
	struct tg_daemon *d = arg;

	(void)fd;
	(void)what;
	if (d->base_building)
		tg_background_index_soon(d); /* as in background.c */
	else
		tg_daemon_index(d);
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	tg_daemon_changed(arg, NULL);
}

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	tg_daemon_stop(arg);
}

static int make_events(struct tg_daemon *d)
{
	static const int numbers[] = { SIGTERM, SIGINT };
	unsigned i;

	d->expiry = evtimer_new(d->loop, on_expiry, d);
	d->index_timer = evtimer_new(d->loop, on_index_timer, d);
	d->retry = evtimer_new(d->loop, on_retry, d);
	if (!d->retry || !d->expiry || !d->index_timer)
		return -ENOMEM;
	for (i = 0; i < TG_ARRAY_LEN(numbers); i++) {
		d->signals[i] = evsignal_new(d->loop, numbers[i], on_signal, d);
		if (!d->signals[i] || event_add(d->signals[i], NULL) != 0)
			return -ENOMEM;
	}
	return 0;
}

/* SQLite is for looking back and takes tens of seconds after a large import: others first. */
static int open_workers(struct tg_daemon *d)
{
	const struct {
		const char *name;
		int nice;
		struct tg_worker **worker;
	} workers[] = {
		{ "tg-bulk", 0, &d->bulk },    { "tg-build", 0, &d->build },
		{ "tg-index", 10, &d->index }, { "tg-flush", 0, &d->flush },
		{ "tg-disk", 0, &d->disk },
	};
	unsigned i;
	int rc = 0;

	for (i = 0; i < TG_ARRAY_LEN(workers) && rc == 0; i++)
		rc = tg_worker_open(d->loop, workers[i].name, workers[i].nice, workers[i].worker);
	return rc;
}

static void on_xdp(void *ctx, const char *unfiltered, const char *dropped)
{
	tg_daemon_alarm(ctx, TG_DAEMON_ALARM_BYPASS, *unfiltered != 0, unfiltered);
	tg_daemon_alarm(ctx, TG_DAEMON_ALARM_CLOSED, *dropped != 0, dropped);
}

static int open_loop(struct tg_daemon *d, struct tg_error *err)
{
	const struct tg_server_callbacks ops = { tg_ops_request, tg_ops_gone, d };
	const struct tg_publish_callbacks dp = { tg_rollout_hello, tg_rollout_ack, tg_ops_stats,
						 tg_rollout_gone, d };
	const struct tg_xdp_watch_callbacks xdp = { on_xdp, d };
	int rc;

	d->loop = event_base_new();
	rc = d->loop ? make_events(d) : -ENOMEM;
	if (rc != 0)
		return tg_error_set(err, rc, "cannot make an event loop");
	rc = tg_server_open(d->loop, d->config.socket, &ops, &d->server, err);
	if (rc != 0)
		return rc;
	rc = tg_publish_open(d->loop, d->config.dataplane, &dp, &d->publish);
	if (rc == 0)
		rc = tg_xdp_watch_open(d->loop, d->config.xdp_set, d->config.events, &xdp, &d->xdp);
	if (rc == 0)
		rc = open_workers(d);
	return rc == 0 ? 0 : tg_error_set(err, rc, "cannot start (%s)", strerror(-rc));
}

int tg_daemon_open(const struct tg_daemon_config *config, struct tg_daemon **daemon,
		   struct tg_error *err)
{
	struct tg_daemon *d = calloc(1, sizeof(*d));
	int rc;

	if (!d)
		return tg_error_set(err, -ENOMEM, "no memory");
	d->config = *config;
	d->start_ns = tg_server_now_ns();
	d->lock_fd = -1;
	d->latest.fold = config->fold;
	TAILQ_INIT(&d->waiters);
	TAILQ_INIT(&d->flushes);
	TAILQ_INIT(&d->status_waiters);
	TAILQ_INIT(&d->index_waiters);
	/* A peer that closed its end is an error code here, not the end of the process. */
	signal(SIGPIPE, SIG_IGN);
	rc = make_dirs(config, err);
	if (rc == 0)
		rc = lock_state(d, err);
	if (rc == 0)
		rc = tg_images_open(config->state_dir, &d->images, err);
	if (rc == 0)
		rc = tg_ledger_open(config->state_dir, &d->ledger, err);
	if (rc != 0)
		goto fail;
	d->latest.ledger = d->ledger;
	load_images(d);
	rc = load_policy(d, err);
	if (rc != 0)
		goto fail;
	adopt_base(d);
	rc = open_loop(d, err);
	if (rc != 0)
		goto fail;
	tg_daemon_alarm(d, TG_DAEMON_ALARM_NO_DATAPLANE, true, "not connected yet");
	*daemon = d;
	return 0;
fail:
	tg_daemon_close(d);
	return rc;
}

int tg_daemon_run(struct tg_daemon *d)
{
	expiry_arm(d);
	tg_background_index_soon(d);
	tg_daemon_changed(d, NULL);
	return event_base_dispatch(d->loop) < 0 ? -EIO : 0;
}

void tg_daemon_stop(struct tg_daemon *d)
{
	event_base_loopbreak(d->loop);
}

static void free_events(struct tg_daemon *d)
{
	struct event *const events[] = { d->expiry, d->retry, d->index_timer, d->signals[0],
					 d->signals[1] };
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(events); i++) {
		if (events[i])
			event_free(events[i]);
	}
}

void tg_daemon_close(struct tg_daemon *d)
{
	d->stopping = true;
	if (d->loop) {
		/* Clients first: an import whose client is gone is cancelled. What is on its way to the
		 * disk still gets there. */
		tg_server_close(d->server);
		tg_worker_close(d->bulk);
		tg_worker_close(d->build);
		tg_worker_close(d->index);
		tg_worker_close(d->flush);
		tg_worker_close(d->disk);
		tg_background_flush_abandon(d);
		tg_rollout_abandon(d, "the daemon stops");
		tg_publish_close(d->publish);
		tg_xdp_watch_close(d->xdp);
	}
	tg_latest_clear(&d->latest);
	tg_generations_clear(&d->generations);
	tg_generations_drop(&d->sent);
	tg_generations_drop(&d->pin);
	tg_memimage_put(d->policy);
	free(d->policy_text);
	if (d->ledger)
		tg_ledger_close(d->ledger);
	tg_images_close(d->images);
	free_events(d);
	if (d->loop)
		event_base_free(d->loop);
	if (d->lock_fd >= 0)
		close(d->lock_fd);
	free(d);
}

int tg_daemon_pin(struct tg_daemon *d, const struct tg_generations_set *set, struct tg_error *err)
{
	struct tg_generations_set old = d->pin;
	const int rc = tg_images_pin(d->images, set ? &set->meta : NULL, err);

	if (rc != 0)
		return rc;
	d->pin = (struct tg_generations_set){ .base = NULL };
	if (set)
		tg_generations_copy(&d->pin, set);
	tg_generations_drop(&old);
	d->pinned = set != NULL;
	tg_daemon_alarm(d, TG_DAEMON_ALARM_PINNED, d->pinned, NULL);
	return 0;
}
