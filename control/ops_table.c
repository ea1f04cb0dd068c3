/* SPDX-License-Identifier: BSD-3-Clause */
/* Generations: list, rollback, activate; the policy. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "control/ops.h"

/* ---- list ---------------------------------------------------------------------------------------- */

static json_t *set_json(const struct tg_daemon *d, const struct tg_generations_set *s)
{
	const struct tg_images_set *m = &s->meta;

	return json_pack("{s:I, s:I, s:o, s:o, s:o, s:o, s:I, s:b, s:b}", "generation",
			 (json_int_t)m->number, "first", (json_int_t)m->first, "time",
			 tg_op_time(m->time), "base", tg_op_id(m->base_id), "delta",
			 tg_op_id(m->delta_id), "policy", tg_op_id(m->policy_id), "entries",
			 (json_int_t)m->entries, "in_force",
			 d->peer.generation != 0 && m->number == d->peer.generation, "in_memory",
			 tg_generations_in_memory(s));
}

void tg_op_table_list(struct tg_daemon *d, struct tg_request *rq)
{
	json_t *sets = json_array();
	unsigned i;

	for (i = 0; i < d->generations.n; i++)
		json_array_append_new(sets, set_json(d, &d->generations.set[i]));
	tg_request_ok(rq, json_pack("{s:o, s:o}", "generations", sets, "pinned",
				    d->pinned ? json_integer((json_int_t)d->pin.meta.number)
					      : json_null()));
}

/* ---- going back, and forth ----------------------------------------------------------------------- */

/* `set` has all its images. */
static void activate(struct tg_daemon *d, struct tg_request *rq,
		     const struct tg_generations_set *set)
{
	const json_int_t from = d->generations.n ? (json_int_t)d->generations.number : 0;
	const json_int_t to = (json_int_t)set->meta.number;
	struct tg_error err = { .code = 0 };

	if (tg_daemon_pin(d, set, &err) != 0) {
		tg_request_error(rq, TG_EXIT_REFUSED, NULL, &err);
		return;
	}
	tg_op_take_effect(
		d, rq,
		json_pack("{s:I, s:I, s:b}", "activated", to, "instead_of", from, "pinned", true));
}

struct load_work {
	struct tg_op_work work; /* first: rq->work */
	struct tg_job job;
	struct tg_daemon *d;
	struct tg_request *rq; /* NULL: the client has left */
	struct tg_generations_set set;
	struct tg_error err;
	int rc;
};

static void load_gone(struct tg_op_work *work)
{
	struct load_work *w = (struct load_work *)work;

	w->rq = NULL;
}

static struct load_work *load_of(struct tg_job *job)
{
	return (struct load_work *)((char *)job - offsetof(struct load_work, job));
}

static void load_part(struct load_work *w, enum tg_image_kind kind, uint64_t id,
		      struct tg_memimage **image)
{
	if (w->rc == 0 && id != 0 && !*image)
		w->rc = tg_images_load(w->d->images, kind, id, image, &w->err);
}

static void load_run(struct tg_job *job)
{
	struct load_work *w = load_of(job);

	load_part(w, TG_IMAGE_BASE, w->set.meta.base_id, &w->set.base);
	load_part(w, TG_IMAGE_DELTA, w->set.meta.delta_id, &w->set.delta);
	load_part(w, TG_IMAGE_POLICY, w->set.meta.policy_id, &w->set.policy);
}

static void load_done(struct tg_job *job)
{
	struct load_work *w = load_of(job);

	if (w->rq) {
		w->rq->work = NULL;
		if (w->rc == 0)
			activate(w->d, w->rq, &w->set);
		else
			tg_request_error(w->rq, TG_EXIT_REFUSED, NULL, &w->err);
	}
	tg_generations_drop(&w->set);
	free(w);
}

/* At once when the images are in memory, else by way of the disk. */
static void activate_set(struct tg_daemon *d, struct tg_request *rq,
			 const struct tg_generations_set *set)
{
	struct load_work *w;

	if (tg_generations_in_memory(set)) {
		activate(d, rq, set);
		return;
	}
	w = calloc(1, sizeof(*w));
	if (!w) {
		tg_op_refuse(rq, TG_EXIT_REFUSED, "no memory");
		return;
	}
	w->work.gone = load_gone;
	w->job.run = load_run;
	w->job.done = load_done;
	w->d = d;
	w->rq = rq;
	tg_generations_copy(&w->set, set);
	rq->work = &w->work;
	tg_worker_submit(d->disk, &w->job);
}

void tg_op_table_rollback(struct tg_daemon *d, struct tg_request *rq)
{
	if (d->generations.n < 2) {
		tg_op_refuse(rq, TG_EXIT_REFUSED, "there is no earlier generation");
		return;
	}
	activate_set(d, rq, &d->generations.set[d->generations.n - 2]);
}

static void activate_latest(struct tg_daemon *d, struct tg_request *rq)
{
	struct tg_error err = { .code = 0 };

	if (tg_daemon_pin(d, NULL, &err) != 0) {
		tg_request_error(rq, TG_EXIT_REFUSED, NULL, &err);
		return;
	}
	tg_op_take_effect(d, rq,
			  json_pack("{s:s, s:I, s:b}", "activated", "latest", "instead_of",
				    (json_int_t)d->generations.number, "pinned", false));
}

void tg_op_table_activate(struct tg_daemon *d, struct tg_request *rq)
{
	const char *which = tg_op_text(rq, "generation", "");
	const struct tg_generations_set *set;
	uint64_t number;
	char *end;

	if (strcmp(which, "latest") == 0) {
		activate_latest(d, rq);
		return;
	}
	number = strtoull(which, &end, 10);
	set = *which != 0 && *end == 0 ? tg_generations_find(&d->generations, number) : NULL;
	if (set)
		activate_set(d, rq, set);
	else
		tg_op_refuse(
			rq, TG_EXIT_REFUSED,
			"generation \"%.24s\" is not kept; `tgctl table list` shows those that are",
			which);
}

/* ---- policy -------------------------------------------------------------------------------------- */

void tg_op_policy_load(struct tg_daemon *d, struct tg_request *rq)
{
	const char *text = tg_op_text(rq, "text", NULL);
	struct tg_error err = { .code = 0 };
	int rc;

	if (!text) {
		tg_op_refuse(rq, TG_EXIT_REFUSED, "the request has no policy's \"text\"");
		return;
	}
	rc = tg_daemon_set_policy(d, text, strlen(text), &err);
	if (rc != 0) {
		tg_request_error(rq, tg_op_exit(&err), tg_op_text(rq, "file", NULL), &err);
		return;
	}
	tg_op_take_effect(d, rq, json_pack("{s:o}", "policy", tg_op_id(d->policy->id)));
}

void tg_op_policy_show(struct tg_daemon *d, struct tg_request *rq)
{
	const struct tg_generations_set *set = tg_daemon_in_force(d);

	tg_request_ok(rq, json_pack("{s:s, s:o, s:o}", "text", d->policy_text, "policy",
				    tg_op_id(d->policy->id), "in_force",
				    tg_op_id(set ? set->meta.policy_id : 0)));
}
