/* SPDX-License-Identifier: BSD-3-Clause */
/* One number: add, del, lookup, explain. */
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

/* {"number", "claims", "merged", "in_force"}: what sources say, what the ledger makes of it, and what
 * the dataplane is asked with. NULL: answered already. */
static json_t *number_json(struct tg_daemon *d, struct tg_request *rq, struct tg_num num)
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
	j = number_json(d, rq, num);
	if (j)
		tg_request_ok(rq, j);
}

/* ---- explain ------------------------------------------------------------------------------------- */

/* A message as it might be: caller and called where a SIP request has them, nothing else. */
struct imagined {
	struct tg_sig_msg msg;
	char text[2 * TG_NUM_TEXT_MAX];
	uint32_t len;
};

static void imagine_party(struct imagined *im, enum tg_id_source source, struct tg_num num)
{
	struct tg_identity *id = &im->msg.id[im->msg.n_ids];
	char text[TG_NUM_TEXT_MAX];

	if (tg_num_is_none(num))
		return;
	id->raw_off = (uint16_t)im->len;
	id->raw_len = (uint16_t)tg_num_format(num, text);
	memcpy(im->text + im->len, text, id->raw_len);
	im->len += id->raw_len;
	id->source = (uint8_t)source;
	id->role = (uint8_t)tg_id_source_role(source);
	if (source == TG_ID_REQUEST_URI)
		im->msg.called = im->msg.n_ids;
	else
		im->msg.caller = im->msg.n_ids;
	if (source == TG_ID_REQUEST_URI &&
	    tg_num_is_emergency((struct tg_span){ (const uint8_t *)text, id->raw_len }))
		id->flags |= TG_ID_FLAG_EMERGENCY;
	im->msg.n_ids++;
}

static void imagine(struct imagined *im, struct tg_num from, struct tg_num to)
{
	*im = (struct imagined){ .len = 0 };
	im->msg.protocol = TG_PROTOCOL_SIP;
	im->msg.message = TG_MESSAGE_INVITE;
	im->msg.caller = TG_SIG_NO_ID;
	im->msg.called = TG_SIG_NO_ID;
	imagine_party(im, TG_ID_REQUEST_URI, to);
	imagine_party(im, TG_ID_FROM, from);
	im->msg.text = (struct tg_span){ (const uint8_t *)im->text, im->len };
}

/* "603 Decline", "sink +6599", or both. */
static json_t *answer_json(const struct tg_policy_answer *a)
{
	if (!a->sink[0])
		return json_sprintf("%u %s", a->code, a->phrase);
	return a->code ? json_sprintf("sink %s, else %u %s", a->sink, a->code, a->phrase)
		       : json_sprintf("sink %s", a->sink);
}

static json_t *verdict_json(const struct tg_policy *p, const struct tg_verdict *v)
{
	json_t *j = json_pack("{s:s, s:s, s:s, s:s}", "verdict", tg_action_name(v->action),
			      "reason", tg_reason_name(v->reason), "mode", tg_mode_name(v->mode),
			      "trunk", p->trunk[v->trunk].name);

	json_object_set_new(j, "rule",
			    v->rule == TG_RULE_NONE ? json_null()
						    : json_string(tg_policy_rule_name(p, v->rule)));
	if ((v->action == TG_ACTION_REJECT || v->action == TG_ACTION_DIVERT) &&
	    v->answer < p->n_answers)
		json_object_set_new(j, "answer", answer_json(&p->answer[v->answer]));
	if (v->action == TG_ACTION_MARK && v->answer < p->n_marks)
		json_object_set_new(j, "mark", json_string(p->mark[v->answer].name));
	if (v->shadow_rule != TG_RULE_NONE && v->shadow_rule != v->rule)
		json_object_set_new(j, "shadow_rule",
				    json_string(tg_policy_rule_name(p, v->shadow_rule)));
	return j;
}

/* As if a rule's limit were used up. */
static bool spend_none(void *ctx, const struct tg_policy_rule *rule, uint64_t of)
{
	(void)ctx;
	(void)rule;
	(void)of;
	return false;
}

/* What is decided, and what beyond the limits of rules, if that differs. No header but those that carry
 * the two numbers is imagined, and the call is one of any rule's share. */
static json_t *decide(const struct tg_policy *p, struct tg_policy_call *call)
{
	struct tg_verdict v, beyond;
	json_t *j;

	tg_policy_decide(p, call, &v);
	j = verdict_json(p, &v);
	if (!p->has_limits)
		return j;
	call->spend = spend_none;
	tg_policy_decide(p, call, &beyond);
	if (memcmp(&v, &beyond, sizeof(v)) != 0)
		json_object_set_new(j, "beyond_limit", verdict_json(p, &beyond));
	return j;
}

/* What an Identity header would say, if the imagined call had one. */
struct passport_asked {
	char attest; /* 'A', 'B', 'C', or 0 */
	bool present;
	uint8_t verification; /* enum tg_stir_state */
};

/* False, and answered: not one of the words that rules have. */
static bool read_passport_asked(struct tg_request *rq, struct passport_asked *asked)
{
	const char *attest = tg_op_text(rq, "attestation", NULL);
	const char *state = tg_op_text(rq, "verification", NULL);
	unsigned i = TG_STIR_UNVERIFIED;

	*asked = (struct passport_asked){ .present = attest || state };
	if (attest && strcmp(attest, "none") != 0) {
		if (strlen(attest) != 1 || !strchr("ABC", attest[0])) {
			tg_op_refuse(rq, TG_EXIT_INPUT, "attestation is A, B, C or none");
			return false;
		}
		asked->attest = attest[0];
	}
	while (state && i < TG_STIR_STATE_COUNT && strcmp(state, tg_stir_state_name(i)) != 0)
		i++;
	if (i == TG_STIR_STATE_COUNT) {
		tg_op_refuse(rq, TG_EXIT_INPUT, "there is no verification \"%.40s\"", state);
		return false;
	}
	asked->verification = (uint8_t)i;
	return true;
}

struct explained {
	unsigned trunk;
	struct passport_asked passport;
};

static json_t *judge(const struct tg_generations_set *set, const struct explained *what,
		     struct tg_num from, struct tg_num to)
{
	const unsigned trunk = what->trunk;
	const struct tg_policy *p = &set->policy->policy;
	uint32_t listing[TG_SIG_MAX_IDS] = { 0 };
	struct tg_num nums[TG_SIG_MAX_IDS];
	struct tg_table_adapt adapt = { 0 };
	struct imagined im;
	struct tg_policy_call call = { .trunk = trunk, .msg = &im.msg, .listing = listing };
	unsigned i;

	imagine(&im, from, to);
	im.msg.attest = what->passport.attest;
	im.msg.passports = what->passport.present;
	im.msg.verification = what->passport.verification;
	tg_sig_normalise(&im.msg, &p->trunk[trunk].profile);
	for (i = 0; i < im.msg.n_ids; i++)
		nums[i] = im.msg.id[i].num;
	tg_table_lookup_burst(&set->base->table, set->delta ? &set->delta->table : NULL, &adapt,
			      nums, im.msg.n_ids, listing);
	return decide(p, &call);
}

/* By name; without one the catch-all, which is the last. */
static bool find_trunk(const struct tg_policy *p, const char *name, unsigned *trunk)
{
	unsigned i;

	*trunk = p->n_trunks - 1;
	if (!name)
		return true;
	for (i = 0; i < p->n_trunks; i++) {
		if (strcmp(p->trunk[i].name, name) == 0) {
			*trunk = i;
			return true;
		}
	}
	return false;
}

/* One number in either role, or a caller and a called number. */
static json_t *verdicts(const struct tg_generations_set *set, const struct explained *what,
			struct tg_num from, struct tg_num to, bool either)
{
	const struct tg_num none = { 0 };

	if (!either)
		return json_pack("{s:o}", "call", judge(set, what, from, to));
	return json_pack("{s:o, s:o}", "as_caller", judge(set, what, from, none), "as_called",
			 judge(set, what, none, from));
}

void tg_op_explain(struct tg_daemon *d, struct tg_request *rq)
{
	const bool either = json_object_get(rq->body, "number") != NULL;
	const struct tg_generations_set *set = tg_daemon_in_force(d);
	struct tg_num from = { 0 }, to = { 0 };
	struct explained what = { 0 };
	json_t *numbers, *j = NULL;

	if (!read_passport_asked(rq, &what.passport))
		return;
	numbers = json_array();
	from = tg_op_number(rq, either ? "number" : "from");
	if (!tg_num_is_none(from) && !either)
		to = tg_op_number(rq, "to");
	if (tg_num_is_none(from) || (!either && tg_num_is_none(to))) {
		json_decref(numbers);
		return;
	}
	if (set && !find_trunk(&set->policy->policy, tg_op_text(rq, "trunk", NULL), &what.trunk)) {
		json_decref(numbers);
		tg_op_refuse(rq, TG_EXIT_REFUSED, "the policy in force has no trunk \"%.40s\"",
			     tg_op_text(rq, "trunk", ""));
		return;
	}
	j = number_json(d, rq, from);
	if (j)
		json_array_append_new(numbers, j);
	if (j && !either) {
		j = number_json(d, rq, to);
		if (j)
			json_array_append_new(numbers, j);
	}
	if (!j) {
		json_decref(numbers);
		return;
	}
	j = json_pack("{s:o}", "numbers", numbers);
	json_object_set_new(j, "generation",
			    set ? json_integer((json_int_t)set->meta.number) : json_null());
	json_object_set_new(j, "verdicts",
			    set ? verdicts(set, &what, from, to, either) : json_null());
	tg_request_ok(rq, j);
}
