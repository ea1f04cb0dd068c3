/* SPDX-License-Identifier: BSD-3-Clause */
/* Dispatch of the operator's requests, and what their answers have in common. */
#include "control/ops.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct {
	const char *name;
	void (*run)(struct tg_daemon *d, struct tg_request *rq);
} ops[] = {
#define X(sym, name) { name, tg_op_##sym },
	TG_OPS(X)
#undef X
};

void tg_ops_request(void *ctx, struct tg_request *rq)
{
	const char *name = tg_op_text(rq, "op", "");
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(ops); i++) {
		if (strcmp(ops[i].name, name) == 0) {
			ops[i].run(ctx, rq);
			return;
		}
	}
	tg_op_refuse(rq, TG_EXIT_REFUSED, "no operation is called \"%.40s\"", name);
}

void tg_ops_gone(void *ctx, struct tg_request *rq)
{
	struct tg_op_work *work = rq->work;

	(void)ctx;
	if (work)
		work->gone(work);
}

/* ---- requests ------------------------------------------------------------------------------------ */

const char *tg_op_text(const struct tg_request *rq, const char *key, const char *fallback)
{
	const char *text = json_string_value(json_object_get(rq->body, key));

	return text ? text : fallback;
}

bool tg_op_flag(const struct tg_request *rq, const char *key)
{
	return json_is_true(json_object_get(rq->body, key));
}

struct tg_num tg_op_number(struct tg_request *rq, const char *key)
{
	const char *text = tg_op_text(rq, key, "");
	const struct tg_span span = { (const uint8_t *)text, (uint32_t)strlen(text) };
	const struct tg_num num = tg_num_from_feed(span);

	if (tg_num_is_none(num))
		tg_op_refuse(rq, TG_EXIT_INPUT,
			     "\"%.40s\" is no number: \"+\" and up to 15 digits, or a short code",
			     text);
	return num;
}

/* ---- answers ------------------------------------------------------------------------------------- */

void tg_op_refuse(struct tg_request *rq, enum tg_exit exit_code, const char *fmt, ...)
{
	struct tg_error err = { .code = -EINVAL };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err.text, sizeof(err.text), fmt, ap);
	va_end(ap);
	tg_request_error(rq, exit_code, NULL, &err);
}

enum tg_exit tg_op_exit(const struct tg_error *err)
{
	if (err->line != 0 || err->code == -EINVAL || err->code == -EEXIST ||
	    err->code == -ERANGE || err->code == -EILSEQ)
		return TG_EXIT_INPUT;
	return err->code == -EIO || err->code == -EISDIR || err->code == -EBADF ? TG_EXIT_FILE
										: TG_EXIT_REFUSED;
}

json_t *tg_op_time(int64_t seconds)
{
	const time_t t = seconds;
	char text[32];
	struct tm tm;

	if (seconds == 0 || !gmtime_r(&t, &tm))
		return json_null();
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return json_string(text);
}

json_t *tg_op_id(uint64_t id)
{
	return id ? json_sprintf("%016" PRIx64, id) : json_null();
}

static json_t *listing_side(uint32_t listing, enum tg_side side, uint32_t by_range)
{
	const uint32_t slot = tg_listing_side(listing, side);

	if (tg_slot_category(slot) == TG_CATEGORY_NONE)
		return json_null();
	return json_pack("{s:s, s:i, s:s}", "category", tg_category_name(tg_slot_category(slot)),
			 "score", (int)tg_slot_score(slot), "by",
			 listing & by_range ? "range" : "exact");
}

json_t *tg_op_listing(uint32_t listing)
{
	return json_pack("{s:o, s:o}", "caller",
			 listing_side(listing, TG_SIDE_CALLER, TG_LISTING_CALLER_BY_RANGE),
			 "called",
			 listing_side(listing, TG_SIDE_CALLED, TG_LISTING_CALLED_BY_RANGE));
}

static json_t *claim_json(const struct tg_claim *c)
{
	const struct tg_record *r = &c->record;
	json_t *decides = json_array();
	char number[64];

	if (c->decides[TG_SIDE_CALLER])
		json_array_append_new(decides, json_string("caller"));
	if (c->decides[TG_SIDE_CALLED])
		json_array_append_new(decides, json_string("called"));
	tg_record_number_format(r, number, sizeof(number));
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:o, s:s, s:I, s:b, s:o}", "source",
			 c->source, "kind", tg_record_kind_name(r->kind), "number", number, "role",
			 tg_record_role_name(r->roles), "category", tg_category_name(r->category),
			 "score", (int)r->score, "expires", tg_op_time(r->expires), "ref", r->ref,
			 "batch", (json_int_t)c->batch, "expired", c->expired, "decides", decides);
}

json_t *tg_op_claims(const struct tg_claim *claims, size_t n)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < n; i++)
		json_array_append_new(array, claim_json(&claims[i]));
	return array;
}

bool tg_op_table_lookup(const struct tg_daemon *d, struct tg_num num, uint32_t *listing)
{
	const struct tg_generations_set *s = tg_daemon_in_force(d);
	struct tg_table_adapt adapt = { 0 };

	*listing = 0;
	if (!s)
		return false;
	tg_table_lookup_burst(&s->base->table, s->delta ? &s->delta->table : NULL, &adapt, &num, 1,
			      listing);
	return true;
}

/* ---- operations that change something ------------------------------------------------------------ */

/* Answered when it is in force, or is known not to come into force, and durable. */
struct effect_work {
	struct tg_op_work work; /* first: rq->work */
	struct tg_daemon_waiter waiter;
	struct tg_daemon_flush flush;
	struct tg_request *rq; /* NULL: the client has left */
	uint64_t received_ns;
	json_t *reply;
	unsigned pending;    /* of the two */
	struct tg_error err; /* of the flush */
};

static void effect_gone(struct tg_op_work *work)
{
	struct effect_work *w = (struct effect_work *)work;

	w->rq = NULL;
}

static void set_since(struct effect_work *w, const char *key)
{
	json_object_set_new(w->reply, key,
			    json_integer((json_int_t)(tg_server_now_ns() - w->received_ns)));
}

static void add_effect(struct effect_work *w, const struct tg_daemon_effect *effect)
{
	json_object_set_new(w->reply, "in_force", json_boolean(effect->in_force));
	if (!effect->in_force) {
		json_object_set_new(w->reply, "why", json_string(effect->why));
		return;
	}
	json_object_set_new(w->reply, "generation", json_integer((json_int_t)effect->generation));
	json_object_set_new(w->reply, "swap_ns", json_integer((json_int_t)effect->swap_ns));
	set_since(w, "effect_ns");
}

static void effect_step(struct effect_work *w)
{
	if (--w->pending > 0)
		return;
	if (w->rq && w->err.code == 0) {
		tg_request_ok(w->rq, w->reply);
	} else {
		if (w->rq)
			tg_request_error(w->rq, tg_op_exit(&w->err), NULL, &w->err);
		json_decref(w->reply);
	}
	free(w);
}

static void effect_done(struct tg_daemon_waiter *waiter, const struct tg_daemon_effect *effect)
{
	struct effect_work *w =
		(struct effect_work *)((char *)waiter - offsetof(struct effect_work, waiter));

	add_effect(w, effect);
	effect_step(w);
}

static void effect_flushed(struct tg_daemon_flush *flush, const struct tg_error *err)
{
	struct effect_work *w =
		(struct effect_work *)((char *)flush - offsetof(struct effect_work, flush));

	if (err)
		w->err = *err;
	set_since(w, "durable_ns");
	effect_step(w);
}

/* Takes the reply over. NULL: answered. What was committed is so all the same. */
static struct effect_work *effect_new(struct tg_request *rq, json_t *reply)
{
	struct effect_work *w = calloc(1, sizeof(*w));

	if (!w) {
		json_decref(reply);
		tg_op_refuse(rq, TG_EXIT_REFUSED, "no memory to wait until it is in force");
		return NULL;
	}
	w->work.gone = effect_gone;
	w->waiter.done = effect_done;
	w->flush.done = effect_flushed;
	w->rq = rq;
	w->received_ns = rq->received_ns;
	w->reply = reply;
	w->pending = 1;
	rq->work = &w->work;
	return w;
}

void tg_op_take_effect(struct tg_daemon *d, struct tg_request *rq, json_t *reply)
{
	struct effect_work *w = effect_new(rq, reply);

	if (w)
		set_since(w, "durable_ns");
	tg_daemon_changed(d, w ? &w->waiter : NULL);
}

/* The new base is built all the same, to be there when it is wanted. */
static void changed_while_pinned(struct tg_daemon *d, struct effect_work *w)
{
	char why[96];
	const struct tg_daemon_effect effect = { .why = why };

	snprintf(why, sizeof(why),
		 "the table is pinned to generation %" PRIu64
		 " until `tgctl table activate latest`",
		 d->pin.meta.number);
	if (w)
		add_effect(w, &effect);
	if (tg_latest_wants_base(&d->latest))
		tg_background_base(d);
}

void tg_op_ledger_changed(struct tg_daemon *d, struct tg_request *rq, json_t *reply, uint64_t batch)
{
	struct effect_work *w = effect_new(rq, reply);
	struct tg_ledger_status status;

	tg_daemon_ledger_moved(d);
	if (w) {
		w->waiter.batch = batch;
		w->pending = d->pinned ? 1 : 2;
	}
	if (d->pinned)
		changed_while_pinned(d, w);
	else
		tg_daemon_changed(d, w ? &w->waiter : NULL);
	if (w) {
		/* Under way since the ledger moved. */
		tg_ledger_status(d->ledger, &status);
		w->flush.batch = status.batch;
		tg_daemon_flush(d, &w->flush);
	}
}
