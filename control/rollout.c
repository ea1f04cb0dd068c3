/* SPDX-License-Identifier: BSD-3-Clause */
/* From "something changed" to "in force": one publication at a time, and who waits for it. */
#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "control/daemon.h"
#include "control/say.h"

/* Memory for sets to go back to at once; older ones come from disk. Ten tables of 10 M entries would
 * be 1 GB; half of that keeps the usual deltas and a few bases of 1 M to 10 M. */
#define KEEP_BYTES (512ull << 20)

/* -EBUSY: a worker still reads the generation before the last one. It is due within a burst or an idle
 * worker's sleep; one that hangs is asked about twice a second. */
#define BUSY_MS 500
/* Any other refusal may be over without a change here: memory that was short, above all. */
#define REFUSED_MS 10000

static void tell(struct tg_daemon *d, struct tg_daemon_waiter *w,
		 const struct tg_daemon_effect *effect)
{
	TAILQ_REMOVE(&d->waiters, w, link);
	w->done(w, effect);
}

/* All whose change the publication covered. One that waits for a batch which the images do not speak
 * of yet (a large import, until its base is built) goes on waiting, unless nothing will come of it. */
static void tell_covered(struct tg_daemon *d, uint64_t changes, uint64_t batch,
			 const struct tg_daemon_effect *effect)
{
	struct tg_daemon_waiter *w = TAILQ_FIRST(&d->waiters), *next;

	for (; w; w = next) {
		next = TAILQ_NEXT(w, link);
		if (w->change <= changes && (w->batch <= batch || !effect->in_force))
			tell(d, w, effect);
	}
}

static void fail_all(struct tg_daemon *d, const char *why)
{
	const struct tg_daemon_effect effect = { .why = why };

	tell_covered(d, UINT64_MAX, UINT64_MAX, &effect);
}

void tg_rollout_abandon(struct tg_daemon *d, const char *why)
{
	fail_all(d, why);
}

/* ---- what shall be in force ---------------------------------------------------------------------- */

/* Takes no references. -EAGAIN: not yet; else *err says why nothing can be published. */
static int desired_set(struct tg_daemon *d, struct tg_generations_set *set, struct tg_error *err)
{
	struct tg_ledger_status status;
	int rc;

	if (d->pinned) {
		*set = d->pin;
		return tg_generations_in_memory(set)
			       ? 0
			       : tg_error_set(err, -ENODATA, "the pinned images are not there");
	}
	if (!d->latest.base)
		return -EAGAIN;
	rc = tg_latest_refresh(&d->latest, time(NULL), err);
	if (rc != 0)
		return rc;
	tg_ledger_status(d->ledger, &status);
	*set = (struct tg_generations_set){
		.meta = { .base_batch = d->latest.base_batch,
			  .base_time = d->latest.base_time,
			  .entries = status.n_numbers + status.n_ranges + status.n_shorts },
		.base = d->latest.base,
		.delta = d->latest.delta,
		.policy = d->policy,
	};
	tg_generations_identify(set);
	return 0;
}

static bool peer_has(const struct tg_daemon *d, const struct tg_images_set *m)
{
	return d->peer.base_id == m->base_id && d->peer.delta_id == m->delta_id &&
	       d->peer.policy_id == m->policy_id;
}

/* ---- one publication ----------------------------------------------------------------------------- */

static void complete(struct tg_daemon *d, uint64_t changes, uint64_t batch,
		     const struct tg_daemon_effect *effect)
{
	if (changes > d->covered)
		d->covered = changes;
	tell_covered(d, changes, batch, effect);
}

static int send_set(struct tg_daemon *d, const struct tg_generations_set *set)
{
	const bool base = set->meta.base_id != d->peer.base_id;
	/* A new base drops the delta in force, so the delta goes with it even if it is the same. */
	const bool delta = set->delta && (base || set->meta.delta_id != d->peer.delta_id);
	const struct tg_publish_parts parts = {
		.base = base ? set->base : NULL,
		.delta = delta ? set->delta : NULL,
		.policy = set->meta.policy_id != d->peer.policy_id ? set->policy : NULL,
		.no_delta = !set->delta,
	};

	return tg_publish_send(d->publish, set->meta.number, &parts);
}

static void start(struct tg_daemon *d, const struct tg_generations_set *set)
{
	const struct tg_generations_set *entry;

	entry = tg_generations_publish(&d->generations, set, time(NULL));
	tg_generations_copy(&d->sent, entry);
	d->in_flight = true;
	d->sent_changes = d->changes;
	d->sent_batch = d->pinned ? UINT64_MAX : d->latest.batch;
	d->sent_ns = tg_server_now_ns();
	if (send_set(d, &d->sent) != 0)
		return; /* gone follows from the loop, and ends this publication */
}

static void finish(struct tg_daemon *d, const struct tg_daemon_effect *effect)
{
	tg_generations_drop(&d->sent);
	d->in_flight = false;
	complete(d, d->sent_changes, d->sent_batch, effect);
}

/* Without a dataplane the set still gets its number and its place on disk: a dataplane that starts
 * before it is connected filters with it. */
static void keep_for_later(struct tg_daemon *d, const struct tg_generations_set *set)
{
	const struct tg_daemon_effect effect = { .why = "no dataplane is connected" };
	const struct tg_generations_set *current = tg_generations_current(&d->generations);

	if (!current || current->meta.base_id != set->meta.base_id ||
	    current->meta.delta_id != set->meta.delta_id ||
	    current->meta.policy_id != set->meta.policy_id || !tg_generations_in_memory(current)) {
		tg_generations_publish(&d->generations, set, time(NULL));
		tg_background_persist(d);
	}
	complete(d, d->changes, UINT64_MAX, &effect);
}

static void already_there(struct tg_daemon *d, const struct tg_generations_set *set)
{
	const struct tg_daemon_effect effect = { .in_force = true,
						 .generation = d->peer.generation };
	const struct tg_generations_set *current = tg_generations_current(&d->generations);
	const uint64_t highest = d->generations.number;

	if (!current || current->meta.number != d->peer.generation) {
		/* It went on with these images while nobody was connected: its number for them is the
		 * one that its events carry. Numbers given so far are not given again. */
		d->generations.number = d->peer.generation - 1;
		tg_generations_publish(&d->generations, set, time(NULL));
		if (highest > d->generations.number)
			d->generations.number = highest;
		tg_background_persist(d);
	}
	complete(d, d->changes, d->pinned ? UINT64_MAX : d->latest.batch, &effect);
}

void tg_rollout_kick(struct tg_daemon *d)
{
	struct tg_generations_set set;
	struct tg_error err = { .code = 0 };
	int rc;

	if (d->stopping || d->in_flight || d->covered == d->changes)
		return;
	rc = desired_set(d, &set, &err);
	/* Now: the set may have shown that what there is to tell comes with a base only. */
	if (tg_latest_wants_base(&d->latest))
		tg_background_base(d);
	if (rc == -EAGAIN)
		return; /* the first base is being built; it kicks again */
	if (rc != 0) {
		const struct tg_daemon_effect effect = { .why = err.text };

		tg_daemon_alarm(d, TG_DAEMON_ALARM_BUILD, true, err.text);
		complete(d, d->changes, UINT64_MAX, &effect);
		return;
	}
	tg_daemon_alarm(d, TG_DAEMON_ALARM_BUILD, false, NULL);
	if (!tg_publish_connected(d->publish))
		keep_for_later(d, &set);
	else if (peer_has(d, &set.meta))
		already_there(d, &set);
	else
		start(d, &set);
}

void tg_daemon_changed(struct tg_daemon *d, struct tg_daemon_waiter *w)
{
	d->changes++;
	if (w) {
		w->change = d->changes;
		TAILQ_INSERT_TAIL(&d->waiters, w, link);
	}
	tg_rollout_kick(d);
}

/* ---- what the dataplane says --------------------------------------------------------------------- */

void tg_rollout_hello(void *ctx, const struct tg_ctl_hello *hello)
{
	struct tg_daemon *d = ctx;

	d->peer = (struct tg_daemon_peer){
		.hello = *hello,
		.generation = hello->generation,
		.base_id = hello->base_id,
		.delta_id = hello->delta_id,
		.policy_id = hello->policy_id,
	};
	if (hello->generation > d->generations.number)
		d->generations.number = hello->generation;
	tg_say("dataplane connected: pid %u, generation %" PRIu64, hello->pid, hello->generation);
	tg_daemon_alarm(d, TG_DAEMON_ALARM_NO_DATAPLANE, false, NULL);
	tg_daemon_changed(d, NULL);
}

static void acknowledged(struct tg_daemon *d, const struct tg_ctl_ack *ack)
{
	const struct tg_daemon_effect effect = { .in_force = true,
						 .generation = ack->generation,
						 .swap_ns = ack->swap_ns };
	const struct tg_images_set *m = &d->sent.meta;

	d->peer.generation = m->number;
	d->peer.base_id = m->base_id;
	d->peer.delta_id = m->delta_id;
	d->peer.policy_id = m->policy_id;
	d->published_time = time(NULL);
	d->published_ns = tg_server_now_ns() - d->sent_ns;
	d->published_swap_ns = ack->swap_ns;
	tg_daemon_alarm(d, TG_DAEMON_ALARM_REFUSED, false, NULL);
	finish(d, &effect);
	tg_background_persist(d);
	tg_generations_trim(&d->generations, KEEP_BYTES);
}

static void retry_later(struct tg_daemon *d, unsigned ms)
{
	const struct timeval tv = { ms / 1000, (suseconds_t)(ms % 1000) * 1000 };

	event_add(d->retry, &tv);
}

void tg_rollout_ack(void *ctx, const struct tg_ctl_ack *ack)
{
	struct tg_daemon *d = ctx;

	if (!d->in_flight || ack->generation != d->sent.meta.number) {
		tg_say("dataplane acknowledged generation %" PRIu64 ", which was not asked for",
		       ack->generation);
		return;
	}
	/* -ETIMEDOUT: in force, but a worker still reads the old one; the dataplane keeps that. */
	if (ack->status == 0 || ack->status == -ETIMEDOUT) {
		if (ack->status != 0)
			tg_say("generation %" PRIu64 ": %s", ack->generation, ack->text);
		acknowledged(d, ack);
	} else {
		char why[TG_CTL_TEXT_MAX + 64];
		const struct tg_daemon_effect effect = { .why = why };

		snprintf(why, sizeof(why), "the dataplane refused it: %s", ack->text);
		tg_say("generation %" PRIu64 ": %s", ack->generation, why);
		tg_daemon_alarm(d, TG_DAEMON_ALARM_REFUSED, true, ack->text);
		tg_generations_refuse(&d->generations, ack->generation);
		finish(d, &effect);
		/* It may have taken another set's place in the history, whose files are on disk still. */
		if (ack->status != -EBUSY)
			tg_background_persist(d);
		retry_later(d, ack->status == -EBUSY ? BUSY_MS : REFUSED_MS);
	}
	tg_rollout_kick(d);
}

void tg_rollout_gone(void *ctx, const char *why)
{
	struct tg_daemon *d = ctx;
	const struct tg_daemon_effect effect = { .why = why };

	tg_say("dataplane gone: %s", why);
	d->peer = (struct tg_daemon_peer){ .generation = 0 };
	tg_daemon_alarm(d, TG_DAEMON_ALARM_NO_DATAPLANE, true, why);
	/* Not written to disk: if these images were what it died of, it would die of them again. The
	 * next hello says whether they are in force. */
	if (d->in_flight)
		finish(d, &effect);
	tg_rollout_kick(d);
}

const struct tg_generations_set *tg_daemon_in_force(const struct tg_daemon *d)
{
	unsigned i = d->generations.n;

	while (i-- > 0) {
		const struct tg_generations_set *s = &d->generations.set[i];

		if (d->peer.generation != 0 && s->meta.number != d->peer.generation)
			continue;
		return tg_generations_in_memory(s) ? s : NULL;
	}
	return NULL;
}
