/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An event's JSON form, the only one: the dataplane's event writer and `tgctl replay --json` use it.
 * Inline, so that both sides have it without a library between them; needs jansson. One object:
 *
 *	time           RFC 3339, UTC, microseconds
 *	frame          the capture's frame number; absent live
 *	protocol       "sip", "isup", "bicc"
 *	message        "INVITE", "IAM"; "SAM" or "SGM" where it made a difference
 *	caller called  the number, else the raw text; null when absent
 *	verdict        the decision, whatever the mode
 *	reason rule    of the decision; rule is null when none decided
 *	mode           "shadow" or "enforce"
 *	fate           what became of the frame: "forward", "answer", "absorb", "edit" (forwarded, changed)
 *	answer         SIP status code of a reject or divert, sent or not; else absent
 *	mark           the mark's name; absent unless it is one
 *	shadow_rule    the first rule in shadow that would have decided otherwise; absent if none
 *	counted        the reason that the frame counts in, where it is not the verdict's: memory_full,
 *	               answer_impossible, answer_capped, edit_impossible
 *	repeated       true: a retransmission, the verdict is the first one's
 *	same_call      true: another transaction of a call that was judged; else absent
 *	passports      { count, attestation: "A" "B" "C" or null, verification }; absent if there are none
 *	decided_by     index into identities, or null
 *	trunk port vlan   vlan is null when untagged
 *	source destination   "192.0.2.1:5060", "[2001:db8::1]:5060"; null in captures without IP
 *	ss7            { opc, dpc, network_appearance or null, cic, calling_category }; absent for SIP
 *	call_key       16 hex digits, a hash of the Call-ID; over SS7 of circuit and parties
 *	generation generation_hash
 *	identities     [{ source, role, class, number, raw, cut, listed: { category, score, by } }]; of
 *	               ISUP also nature, plan, presentation, screening, qualifier, by their codes in Q.763
 *
 * Numbers and raw texts are masked unless the caller says otherwise (tg_event_mask).
 */
#ifndef TG_EVENT_JSON_H
#define TG_EVENT_JSON_H

#include <arpa/inet.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tollgate/event.h"

#define TG_EVENT_SHOW_NUMBERS true
#define TG_EVENT_MASK_NUMBERS false

/* Every byte of a raw text may become \xHH. */
#define TG_EVENT_TEXT_MAX (TG_EVENT_RAW_MAX * 4 + 1)

/*
 * Raw text for people and line formats: printable ASCII as it is, anything else, and the backslash
 * itself, as \xHH. So a line stays a line, JSON stays UTF-8, and the bytes can be read back. What does
 * not fit in size - 1 bytes is left out. Returns buf.
 */
static inline const char *tg_text_escape(const void *text, size_t len, char *buf, size_t size)
{
	static const char hex[] = "0123456789abcdef";
	const uint8_t *p = text;
	size_t n = 0, i;

	for (i = 0; i < len; i++) {
		const bool plain = p[i] >= 0x20 && p[i] < 0x7f && p[i] != '\\';

		if (n + (plain ? 1 : 4) >= size)
			break;
		if (plain) {
			buf[n++] = (char)p[i];
			continue;
		}
		buf[n++] = '\\';
		buf[n++] = 'x';
		buf[n++] = hex[p[i] >> 4];
		buf[n++] = hex[p[i] & 15];
	}
	buf[n] = 0;
	return buf;
}

/*
 * Masks in place: +959771234567 becomes +95977***4567. After the '+', the first five characters stay
 * (country code and network) and the last four; of fewer than twelve, at least three are hidden, the
 * end giving way first (down to two), then the beginning; of five or fewer all are, unless they are
 * digits: a short code is nobody's number. Always three stars, so that they tell no length; the buffer
 * has three bytes to spare.
 */
static inline void tg_event_mask(char *text)
{
	char *s = text[0] == '+' ? text + 1 : text;
	const size_t n = strlen(s);
	size_t head = 0, tail = 0;

	if (n == 0 || (n <= 5 && s == text && strspn(s, "0123456789") == n))
		return;
	if (n > 5) {
		tail = n >= 12 ? 4 : n >= 10 ? n - 8 : 2;
		head = n - tail - 3 < 5 ? n - tail - 3 : 5;
	}
	memmove(s + head + 3, s + n - tail, tail + 1);
	memcpy(s + head, "***", 3);
}

/* "[2001:db8::1]:5060" */
static inline json_t *tg_event_json_address(const struct tg_event *e, const uint8_t *address,
					    uint16_t port)
{
	char text[INET6_ADDRSTRLEN] = "?";

	if (e->ip_version == 0)
		return json_null();
	inet_ntop(e->ip_version == 6 ? AF_INET6 : AF_INET, address, text, sizeof(text));
	return json_sprintf(e->ip_version == 6 ? "[%s]:%u" : "%s:%u", text, (unsigned)port);
}

static inline json_t *tg_event_json_number(struct tg_num num, bool show)
{
	char text[TG_NUM_TEXT_MAX];

	if (tg_num_is_none(num))
		return json_null();
	tg_num_format(num, text);
	if (!show)
		tg_event_mask(text);
	return json_string(text);
}

static inline json_t *tg_event_json_raw(const struct tg_event_identity *id, bool show)
{
	const size_t len = id->raw_len < TG_EVENT_RAW_MAX ? id->raw_len : TG_EVENT_RAW_MAX;
	char text[TG_EVENT_TEXT_MAX + 3];

	if (len == 0)
		return json_null();
	tg_text_escape(id->raw, len, text, TG_EVENT_TEXT_MAX);
	if (!show)
		tg_event_mask(text);
	return json_string(text);
}

/* What the table said, on the side that the identity's role asks. */
static inline json_t *tg_event_json_listed(const struct tg_event_identity *id)
{
	const enum tg_side side = tg_role_side(id->role);
	const uint32_t slot = tg_listing_side(id->listing, side);
	const uint32_t by_range = side == TG_SIDE_CALLED ? TG_LISTING_CALLED_BY_RANGE
							 : TG_LISTING_CALLER_BY_RANGE;

	if (tg_slot_category(slot) == TG_CATEGORY_NONE)
		return json_null();
	return json_pack("{s:s, s:i, s:s}", "category",
			 tg_reason_name(tg_category_reason(tg_slot_category(slot))), "score",
			 (int)tg_slot_score(slot), "by",
			 id->listing & by_range ? "range" : "exact");
}

static inline json_t *tg_event_json_identity(const struct tg_event_identity *id, bool show)
{
	json_t *o = json_pack(
		"{s:s, s:s, s:s, s:o, s:o, s:b, s:o}", "source", tg_id_source_name(id->source),
		"role", tg_role_name(id->role), "class", tg_num_class_name(id->cls), "number",
		tg_event_json_number(id->num, show), "raw", tg_event_json_raw(id, show), "cut",
		id->raw_len > TG_EVENT_RAW_MAX, "listed", tg_event_json_listed(id));

	if (id->has_party)
		json_object_update_new(o, json_pack("{s:i, s:i, s:i, s:i, s:i}", "nature",
						    (int)id->nature, "plan", (int)id->plan,
						    "presentation", (int)id->presentation,
						    "screening", (int)id->screening, "qualifier",
						    (int)id->qualifier));
	return o;
}

static inline json_t *tg_event_json_ss7(const struct tg_event *e)
{
	return json_pack("{s:I, s:I, s:o, s:I, s:i}", "opc", (json_int_t)e->opc, "dpc",
			 (json_int_t)e->dpc, "network_appearance",
			 e->has_network_appearance ? json_integer(e->network_appearance)
						   : json_null(),
			 "cic", (json_int_t)e->cic, "calling_category", (int)e->calling_category);
}

static inline json_t *tg_event_json_party(const struct tg_event *e, unsigned index, bool show)
{
	if (index >= e->n_ids || index >= TG_SIG_MAX_IDS)
		return json_null();
	if (tg_num_kind(e->id[index].num) == TG_NUM_E164)
		return tg_event_json_number(e->id[index].num, show);
	return tg_event_json_raw(&e->id[index], show);
}

static inline json_t *tg_event_json_time(uint64_t time_ns)
{
	const time_t seconds = (time_t)(time_ns / 1000000000u);
	const unsigned us = (unsigned)(time_ns % 1000000000u / 1000u);
	struct tm tm;

	if (!gmtime_r(&seconds, &tm))
		return json_null();
	return json_sprintf("%04d-%02d-%02dT%02d:%02d:%02d.%06uZ", tm.tm_year + 1900, tm.tm_mon + 1,
			    tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, us);
}

static inline void tg_event_json_verdict(json_t *o, const struct tg_event *e)
{
	static const char *const fates[] = {
		[TG_FATE_FORWARD] = "forward",
		[TG_FATE_ANSWER] = "answer",
		[TG_FATE_ABSORB] = "absorb",
		[TG_FATE_EDIT] = "edit",
	};
	const struct tg_verdict *v = &e->verdict;

	json_object_set_new(o, "verdict", json_string(tg_action_name(v->action)));
	json_object_set_new(o, "reason", json_string(tg_reason_name(v->reason)));
	json_object_set_new(o, "rule",
			    v->rule == TG_RULE_NONE ? json_null() : json_string(e->rule));
	json_object_set_new(o, "mode", json_string(tg_mode_name(v->mode)));
	json_object_set_new(o, "fate",
			    json_string(e->fate < TG_ARRAY_LEN(fates) ? fates[e->fate] : "?"));
	if (e->answer_code)
		json_object_set_new(o, "answer", json_integer(e->answer_code));
	if (e->mark[0])
		json_object_set_new(o, "mark", json_string(e->mark));
	if (v->shadow_rule != TG_RULE_NONE && v->shadow_rule != v->rule)
		json_object_set_new(o, "shadow_rule", json_string(e->shadow_rule));
	if (e->same_call)
		json_object_set_new(o, "same_call", json_true());
	if (e->reason != v->reason)
		json_object_set_new(o, "counted", json_string(tg_reason_name(e->reason)));
	json_object_set_new(o, "repeated", json_boolean(e->repeated));
	json_object_set_new(o, "decided_by",
			    v->identity < e->n_ids ? json_integer(v->identity) : json_null());
}

/* What was known when the call was judged: "unverified" where the result came later. */
static inline json_t *tg_event_json_passports(const struct tg_event *e)
{
	const char attest[] = { e->attest, 0 };

	return json_pack("{s:i, s:s?, s:s}", "count", (int)e->passports, "attestation",
			 e->attest ? attest : NULL, "verification",
			 tg_stir_state_name(e->verification));
}

static inline void tg_event_json_origin(json_t *o, const struct tg_event *e)
{
	json_object_set_new(o, "trunk", json_string(e->trunk));
	json_object_set_new(o, "port", json_integer(e->port));
	json_object_set_new(o, "vlan",
			    e->vlan == TG_TRUNK_NO_VLAN ? json_null() : json_integer(e->vlan));
	json_object_set_new(o, "source", tg_event_json_address(e, e->src, e->sport));
	json_object_set_new(o, "destination", tg_event_json_address(e, e->dst, e->dport));
	json_object_set_new(o, "call_key", json_sprintf("%016" PRIx64, e->call_key));
	json_object_set_new(o, "generation", json_integer((json_int_t)e->generation));
	json_object_set_new(o, "generation_hash", json_sprintf("%016" PRIx64, e->generation_hash));
}

/* A new reference, or NULL when there is no memory. `show`: TG_EVENT_SHOW_NUMBERS or _MASK_. */
static inline json_t *tg_event_json(const struct tg_event *e, bool show)
{
	json_t *o = json_object(), *identities = json_array();
	unsigned i;

	json_object_set_new(o, "time", tg_event_json_time(e->time_ns));
	if (e->frame_number)
		json_object_set_new(o, "frame", json_integer((json_int_t)e->frame_number));
	json_object_set_new(o, "protocol", json_string(tg_protocol_name(e->protocol)));
	json_object_set_new(o, "message", json_string(tg_message_name(e->message)));
	json_object_set_new(o, "caller", tg_event_json_party(e, e->caller, show));
	json_object_set_new(o, "called", tg_event_json_party(e, e->called, show));
	tg_event_json_verdict(o, e);
	if (e->passports)
		json_object_set_new(o, "passports", tg_event_json_passports(e));
	tg_event_json_origin(o, e);
	if (e->has_mtp3)
		json_object_set_new(o, "ss7", tg_event_json_ss7(e));
	for (i = 0; i < e->n_ids && i < TG_SIG_MAX_IDS; i++)
		json_array_append_new(identities, tg_event_json_identity(&e->id[i], show));
	json_object_set_new(o, "identities", identities);
	return o;
}

#endif
