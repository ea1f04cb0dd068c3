/* SPDX-License-Identifier: BSD-3-Clause */
/* One number: add, del, lookup. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/ops.h"

/* ---- add, del ------------------------------------------------------------------------------------ */

/* "+A-+B" is a range and everything else an exact number, unless the request says. */
static const char *kind_of(const struct tg_request *rq, const char *number)
{
	return tg_op_text(rq, "kind", strchr(number, '-') ? "range" : "exact");
}

static bool read_record(struct tg_request *rq, bool whole, struct tg_record *record)
{
	const char *number = tg_op_text(rq, "number", "");
	const struct tg_record_text text = {
		.kind = kind_of(rq, number),
		.number = number,
		.role = tg_op_text(rq, "role", "any"),
		/* What is deleted is named by kind, number and role alone. */
		.category = whole ? tg_op_text(rq, "category", "") : "fraud",
		.score = whole ? tg_op_text(rq, "score", "") : "0",
		.expires = tg_op_text(rq, "expires", ""),
		.ref = tg_op_text(rq, "ref", ""),
	};
	struct tg_error err = { .code = 0 };

	if (tg_record_parse(&text, tg_op_flag(rq, "force") || !whole, record, &err) == 0)
		return true;
	tg_request_error(rq, TG_EXIT_INPUT, NULL, &err);
	return false;
}

static json_t *record_json(const struct tg_record *r)
{
	char number[64];

	tg_record_number_format(r, number, sizeof(number));
	return json_pack("{s:s, s:s, s:s}", "kind", tg_record_kind_name(r->kind), "number", number,
			 "role", tg_record_role_name(r->roles));
}

/* What does not show with the next delta waits for the base that speaks up to here. */
static void record_changed(struct tg_daemon *d, struct tg_request *rq, const struct tg_record *r)
{
	struct tg_ledger_status status = { .batch = 0 };

	if (!tg_latest_touch(&d->latest, r, time(NULL)))
		tg_ledger_status(d->ledger, &status);
	tg_op_ledger_changed(d, rq, record_json(r), status.batch);
}

void tg_op_add(struct tg_daemon *d, struct tg_request *rq)
{
	struct tg_error err = { .code = 0 };
	struct tg_record record;

	if (!read_record(rq, true, &record))
		return;
	if (tg_ledger_add(d->ledger, &record, &err) != 0)
		tg_request_error(rq, tg_op_exit(&err), NULL, &err);
	else
		record_changed(d, rq, &record);
}

void tg_op_del(struct tg_daemon *d, struct tg_request *rq)
{
	struct tg_error err = { .code = 0 };
	struct tg_record record;

	if (!read_record(rq, false, &record))
		return;
	if (tg_ledger_del(d->ledger, &record, &err) != 0)
		tg_request_error(rq, tg_op_exit(&err), NULL, &err);
	else
		record_changed(d, rq, &record);
}

/* ---- lookup -------------------------------------------------------------------------------------- */

json_t *tg_op_number_json(struct tg_daemon *d, struct tg_request *rq, struct tg_num num)
{
	struct tg_error err = { .code = 0 };
	char text[TG_NUM_TEXT_MAX];
	struct tg_claim *claims;
	uint32_t merged, in_force;
	json_t *j, *array;
	size_t n;

	if (tg_ledger_lookup(d->ledger, num, time(NULL), &claims, &n, &merged, &err) != 0) {
		tg_request_error(rq, tg_op_exit(&err), NULL, &err);
		return NULL;
	}
	array = tg_op_claims(claims, n);
	free(claims);
	tg_num_format(num, text);
	j = json_pack("{s:s, s:o, s:o}", "number", text, "claims", array, "merged",
		      tg_op_listing(merged));
	json_object_set_new(j, "in_force",
			    tg_op_table_lookup(d, num, &in_force) ? tg_op_listing(in_force)
								  : json_null());
	return j;
}

void tg_op_lookup(struct tg_daemon *d, struct tg_request *rq)
{
	const struct tg_num num = tg_op_number(rq, "number");
	json_t *j;

	if (tg_num_is_none(num))
		return;
	j = tg_op_number_json(d, rq, num);
	if (j)
		tg_request_ok(rq, j);
}
