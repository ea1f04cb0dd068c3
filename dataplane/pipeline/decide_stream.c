/* SPDX-License-Identifier: BSD-3-Clause */
/* The last phase for messages of a stream: nothing of them is answered or kept back. */
#include "dataplane/pipeline/layout.h"
#include "dataplane/pipeline/state.h"
#include "dataplane/pipeline/stream.h"

/* What the verdict makes of the message, or what stands in its way. A stream takes no byte more and none
 * less, so an answer of ours, a header or a display name have no place in it. */
static enum tg_reason carry_out(const struct tg_burst_state *b, const struct tg_message *m,
				const struct tg_result *r)
{
	struct tg_sip_edits *const e = &b->pl->edits;

	if (r->verdict.action == TG_ACTION_REJECT || r->verdict.action == TG_ACTION_DROP)
		return tg_stream_block(b->pl->tcp, &m->stream, e);
	if (!tg_edit_script(&b->gen->policy, r, m->stream.head, TG_SIP_SAME_LENGTH, e))
		return TG_REASON_EDIT_IMPOSSIBLE;
	return tg_tcp_patch(b->pl->tcp, m->stream.place, e);
}

/* The call ends at the next hop, goes on changed, or goes on. Remembered in any case, but not if it
 * should have ended or been changed and could not. */
static void judge_in_stream(const struct tg_burst_state *b, const struct tg_message *m,
			    struct tg_result *r)
{
	const bool repeated = tg_decide_recall(b, m, r);
	enum tg_reason obstacle = TG_REASON_NONE;
	bool acts;

	if (!repeated)
		tg_decide_judge(b, m, r);
	r->reason = r->verdict.reason;
	acts = r->verdict.mode == TG_MODE_ENFORCE && r->verdict.action != TG_ACTION_PASS;
	if (acts) {
		obstacle = carry_out(b, m, r);
		r->fate = obstacle == TG_REASON_NONE ? TG_FATE_EDIT : TG_FATE_FORWARD;
	}
	if (obstacle != TG_REASON_NONE) {
		r->reason = (uint8_t)obstacle;
	} else if (!repeated) {
		/* For the 483 that comes back: without room for it, that is what the caller gets. */
		(void)tg_decide_commit(b, m, r,
				       acts && (r->verdict.action == TG_ACTION_REJECT ||
						r->verdict.action == TG_ACTION_DROP));
	}
}

/* Judged when the header is there, which is when it can be acted on; reported when all of it is. */
static void decide_in_stream(const struct tg_burst_state *b, const struct tg_message *m)
{
	struct tg_tcp_decision *d = tg_tcp_decision(b->pl->tcp, m->stream.place);
	struct tg_result r = {
		.fate = TG_FATE_FORWARD,
		.sig = m->sig,
		.sip = m->sip,
		.listing = &b->pl->listings[m->first_key],
	};

	if (d->valid) {
		r.verdict = tg_decide_now(b, m, d->verdict, d->epoch);
		r.repeated = d->repeated;
		r.same_call = d->same_call;
		r.reason = d->reason;
		r.fate = d->blocked ? TG_FATE_EDIT : TG_FATE_FORWARD;
	} else {
		judge_in_stream(b, m, &r);
	}
	if (m->stream.whole) {
		d->valid = false;
		tg_decide_report(b, m, &r)->fate = r.fate;
		return;
	}
	d->valid = true;
	d->verdict = r.verdict;
	d->epoch = b->pl->epoch;
	d->repeated = r.repeated;
	d->same_call = r.same_call;
	d->reason = r.reason;
	d->blocked = r.fate == TG_FATE_EDIT;
}

/* 483 to an INVITE that we changed: what policy says goes back, as far as a status line can. */
static void decide_response(const struct tg_burst_state *b, const struct tg_message *m)
{
	struct tg_memory_record rec;
	struct tg_sip_answer answer;

	if (!m->has_key || !tg_memory_find_kept_back(&b->pl->memory, m->key.key, b->now_ms, &rec) ||
	    rec.verdict.action != TG_ACTION_REJECT)
		return;
	answer = tg_layout_answer(&b->gen->policy, rec.epoch == b->pl->epoch ? rec.verdict.answer
									     : TG_ANSWER_FALLBACK);
	if (tg_stream_answer(b->pl->tcp, &m->stream, answer.code, answer.phrase, &b->pl->edits) &&
	    !b->out[m->frame].judged)
		b->out[m->frame].reason = TG_REASON_ANSWER_EDITED;
}

void tg_decide_stream(const struct tg_burst_state *b, const struct tg_message *m)
{
	if (m->stream.is_response)
		decide_response(b, m);
	else
		decide_in_stream(b, m);
}

/* Also frames that bring again what was changed before. */
void tg_decide_segments(const struct tg_burst_state *b)
{
	unsigned i;

	for (i = 0; i < b->n; i++)
		if (tg_unlikely(tg_stream_is_edited(b->pl->tcp, &b->out[i])))
			b->out[i].fate = TG_FATE_EDIT;
}
