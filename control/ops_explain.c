/* SPDX-License-Identifier: BSD-3-Clause */
/* explain: who claims what of a call's numbers, and what would become of it. */
#include <string.h>

#include "control/imagine.h"
#include "control/ops.h"

/* "603 Decline", "sink +6599", or both. */
static json_t *answer_json(const struct tg_policy_answer *a)
{
	if (!a->sink[0])
		return json_sprintf("%u %s", a->code, a->phrase);
	return a->code ? json_sprintf("sink %s, else %u %s", a->sink, a->code, a->phrase)
		       : json_sprintf("sink %s", a->sink);
}

static json_t *verdict_json(const struct tg_policy *p, const struct tg_verdict *v,
			    const struct tg_imagined *im)
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
	if (im->is_ss7 && v->action != TG_ACTION_PASS)
		json_object_set_new(j, "wire", tg_imagined_wire(p, im, v));
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

static void judge_once(const struct tg_policy *p, const struct tg_policy_call *call,
		       struct tg_verdict *v)
{
	tg_policy_decide(p, call, v);
	if (v->action != TG_ACTION_PASS)
		(void)tg_policy_guard_priority(call->extra, v);
}

/* What is decided, and what beyond the limits of rules, if that differs. No header but those that carry
 * the two numbers is imagined, and the call is one of any rule's share. */
static json_t *decide(const struct tg_policy *p, struct tg_policy_call *call,
		      const struct tg_imagined *im)
{
	struct tg_verdict v, beyond;
	json_t *j;

	judge_once(p, call, &v);
	j = verdict_json(p, &v, im);
	if (!p->has_limits)
		return j;
	call->spend = spend_none;
	judge_once(p, call, &beyond);
	if (memcmp(&v, &beyond, sizeof(v)) != 0)
		json_object_set_new(j, "beyond_limit", verdict_json(p, &beyond, im));
	return j;
}

struct explained {
	const struct tg_generations_set *set;
	struct tg_imagine how;
	unsigned trunk;
};

/* NULL: answered already. */
static json_t *judge(struct tg_request *rq, const struct explained *what, struct tg_num from,
		     struct tg_num to)
{
	const struct tg_generations_set *set = what->set;
	const struct tg_policy *p = &set->policy->policy;
	const struct tg_num party[] = { from, to };
	uint32_t listing[TG_SIG_MAX_IDS] = { 0 };
	struct tg_num nums[TG_SIG_MAX_IDS];
	struct tg_table_adapt adapt = { 0 };
	struct tg_error err = { .code = 0 };
	struct tg_imagined im;
	struct tg_policy_call call = { .trunk = what->trunk, .listing = listing };
	unsigned i;

	if (tg_imagine(&what->how, &p->trunk[what->trunk], party, &im, &err) != 0) {
		tg_request_error(rq, TG_EXIT_INPUT, NULL, &err);
		return NULL;
	}
	call.msg = im.msg;
	call.isup = im.has_isup ? &im.isup : NULL;
	call.first_party = im.first_party;
	call.extra = &im.extra;
	for (i = 0; i < im.msg->n_ids; i++)
		nums[i] = im.msg->id[i].num;
	tg_table_lookup_burst(&set->base->table, set->delta ? &set->delta->table : NULL, &adapt,
			      nums, im.msg->n_ids, listing);
	return decide(p, &call, &im);
}

/* One number in either role, or a caller and a called number. NULL: answered already. */
static json_t *verdicts(struct tg_request *rq, const struct explained *what,
			const struct tg_num party[2], bool either)
{
	const struct tg_num none = { 0 };
	json_t *first = judge(rq, what, party[0], either ? none : party[1]);
	json_t *second = first && either ? judge(rq, what, none, party[0]) : NULL;

	if (!first || !either)
		return first ? json_pack("{s:o}", "call", first) : NULL;
	if (!second) {
		json_decref(first);
		return NULL;
	}
	return json_pack("{s:o, s:o}", "as_caller", first, "as_called", second);
}

static unsigned add_once(struct tg_num nums[], unsigned n, struct tg_num num)
{
	unsigned i;

	for (i = 0; i < n; i++)
		if (nums[i].v == num.v)
			return n;
	nums[n] = num;
	return n + 1;
}

/* Of one number, or of both, and of those beside them, each once; NULL: answered already. */
static json_t *numbers(struct tg_daemon *d, struct tg_request *rq, const struct explained *what,
		       const struct tg_num party[2], bool either)
{
	struct tg_num nums[2 + TG_IMAGINE_MORE] = { party[0] };
	json_t *j, *array = json_array();
	unsigned n = either ? 1 : add_once(nums, 1, party[1]), i;

	for (i = 0; i < what->how.n_more; i++)
		n = add_once(nums, n, what->how.more[i].num);
	for (i = 0; i < n; i++) {
		j = tg_op_number_json(d, rq, nums[i]);
		if (!j) {
			json_decref(array);
			return NULL;
		}
		json_array_append_new(array, j);
	}
	return array;
}

/* False, and answered: no numbers, or a call that cannot be. */
static bool read_request(struct tg_request *rq, struct explained *what, struct tg_num party[2],
			 bool either)
{
	struct tg_error err = { .code = 0 };

	if (tg_imagine_read(rq->body, &what->how, &err) != 0) {
		tg_request_error(rq, TG_EXIT_INPUT, NULL, &err);
		return false;
	}
	party[0] = tg_op_number(rq, either ? "number" : "from");
	if (tg_num_is_none(party[0]))
		return false;
	if (!either) {
		party[1] = tg_op_number(rq, "to");
		if (tg_num_is_none(party[1]))
			return false;
	}
	if (!what->set || tg_imagine_trunk(&what->set->policy->policy, &what->how,
					   tg_op_text(rq, "trunk", NULL), &what->trunk, &err) == 0)
		return true;
	tg_request_error(rq, TG_EXIT_REFUSED, NULL, &err);
	return false;
}

void tg_op_explain(struct tg_daemon *d, struct tg_request *rq)
{
	const bool either = json_object_get(rq->body, "number") != NULL;
	struct explained what = { .set = tg_daemon_in_force(d) };
	struct tg_num party[2] = { { 0 }, { 0 } };
	json_t *about, *judged;

	if (!read_request(rq, &what, party, either))
		return;
	judged = what.set ? verdicts(rq, &what, party, either) : json_null();
	if (!judged)
		return;
	about = numbers(d, rq, &what, party, either);
	if (!about) {
		json_decref(judged);
		return;
	}
	tg_request_ok(rq, json_pack("{s:o, s:o, s:o}", "numbers", about, "generation",
				    what.set ? json_integer((json_int_t)what.set->meta.number)
					     : json_null(),
				    "verdicts", judged));
}
