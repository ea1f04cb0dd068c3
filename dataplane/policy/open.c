/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Validation of a policy image, once, so that deciding need not check anything. The header and the
 * checksums say that the bytes are as they were written; this says that they make sense.
 */
#include <errno.h>
#include <string.h>

#include "dataplane/policy/match.h"
#include "tollgate/numbering.h"

#define ALL_ROLES ((1u << TG_ROLE_COUNT) - 1)
#define ALL_CLASSES ((1u << TG_NUM_CLASS_COUNT) - 1)
#define ALL_CATEGORIES (((1u << TG_CATEGORY_COUNT) - 1) & ~(1u << TG_CATEGORY_NONE))

static_assert(TG_ROLE_COUNT <= 8 && TG_NUM_CLASS_COUNT <= 16 && TG_CATEGORY_COUNT <= 16,
	      "a rule has a bit for each");
static_assert(TG_ID_SOURCE_COUNT <= TG_RULE_HAS_TRAIT && TG_TRAIT_COUNT <= 16 &&
		      TG_NUMBERING_TYPE_COUNT <= 16 && TG_NUMBERING_STATE_COUNT <= 8 &&
		      TG_CONTRADICTION_COUNT <= 16 && TG_PRIVACY_COUNT <= 8,
	      "a rule has a bit for each");
static_assert(TG_PROTOCOL_COUNT <= 8 && TG_ISUP_CATEGORY_COUNT <= 8 && TG_ISUP_NATURE_COUNT <= 8 &&
		      TG_ISUP_PLAN_COUNT <= 8 && TG_ISUP_SHOWN_COUNT <= 8 &&
		      TG_ISUP_SCREENING_COUNT == 4 && TG_ISUP_INN_COUNT == 2 &&
		      TG_ISUP_QUALIFIER_COUNT <= 8,
	      "a rule has a bit for each");
static_assert(TG_POLICY_MAX_TRUNKS <= 64, "a rule has a bit for each trunk");
static_assert(TG_EXCEPTION_COUNT < 32, "a trunk has a bit for each");
static_assert(TG_POLICY_MAX_RULES < TG_RULE_NONE && TG_POLICY_MAX_ANSWERS <= 256 &&
		      TG_POLICY_MAX_MARKS <= TG_POLICY_MAX_ANSWERS,
	      "a verdict's indices are wide enough");
static_assert(TG_POLICY_MAX_INTERVALS <= UINT16_MAX && TG_POLICY_MAX_WORDS <= UINT16_MAX,
	      "a list's are");

bool tg_policy_code_valid(unsigned code)
{
	switch (code) {
	case 401: /* asks for credentials that there are none of (RFC 3261 §21.4.2) */
	case 407:
	case 408: /* "try again" (§21.4.9); SBCs take it for a dead next hop */
	case 500: /* with 503: "elsewhere", so the call comes back over another trunk */
	case 503:
		return false;
	default:
		return code >= 400 && code <= 699;
	}
}

bool tg_policy_name_valid(const char *name, size_t size)
{
	size_t i;

	for (i = 0; i < size && name[i]; i++) {
		const char c = name[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '.' || c == '_' || c == '-'))
			return false;
	}
	return i > 0 && i < size;
}

/* C0, DEL, and C1 in UTF-8 (C2 80 to C2 9F): a line end would begin a header of its own, the others
 * are for the terminal of whoever reads a trace. */
bool tg_policy_text_valid(const char *text, size_t size)
{
	size_t i;

	for (i = 0; i < size && text[i]; i++) {
		const uint8_t c = (uint8_t)text[i];

		if (c < 0x20 || c == 0x7f ||
		    (c == 0xc2 && i + 1 < size && (uint8_t)text[i + 1] < 0xa0))
			return false;
	}
	return i < size;
}

static bool is_token_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("-.!%*_+`'~", c)); /* RFC 3261 §25.1 */
}

static bool same_name(const char *line, size_t len, const char *name)
{
	size_t i;

	for (i = 0; i < len && name[i]; i++)
		if (((uint8_t)line[i] | 0x20) != (uint8_t)name[i])
			return false;
	return i == len && name[i] == 0;
}

/* What routes a message, frames it, authenticates it or says who it is from is nobody's to add; a
 * compact form (one letter) might be one of those. */
static bool header_is_taken(const char *line, size_t len)
{
	static const char *const taken[] = {
		"via",
		"from",
		"to",
		"call-id",
		"cseq",
		"contact",
		"max-forwards",
		"route",
		"record-route",
		"path",
		"service-route",
		"content-length",
		"content-type",
		"content-encoding",
		"require",
		"proxy-require",
		"supported",
		"authorization",
		"proxy-authorization",
		"identity",
		"p-asserted-identity",
		"p-preferred-identity",
		"remote-party-id",
		"diversion",
		"history-info",
		"privacy",
		"replaces",
		"join",
		"session-expires",
		"min-se",
		"refer-to",
		"referred-by",
		"p-charging-vector",
		"date",
	};
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(taken); i++)
		if (same_name(line, len, taken[i]))
			return true;
	return len < 2;
}

bool tg_policy_header_valid(const char *line, size_t size)
{
	size_t n = 0;

	if (!tg_policy_text_valid(line, size))
		return false;
	while (is_token_char(line[n]))
		n++;
	return line[n] == ':' && line[n + 1] == ' ' && line[n + 2] != 0 && line[n + 2] != ' ' &&
	       !header_is_taken(line, n);
}

bool tg_policy_display_valid(const char *text, size_t size)
{
	return tg_policy_text_valid(text, size) && !strpbrk(text, "\"\\");
}

static bool digits_valid(const char *digits, unsigned len, unsigned cap)
{
	unsigned i;

	if (len > cap)
		return false;
	for (i = 0; i < len; i++) {
		if (digits[i] < '0' || digits[i] > '9')
			return false;
	}
	return true;
}

static bool profile_valid(const struct tg_num_profile *p)
{
	unsigned i;

	for (i = 0; i < TG_NUM_INTL_PREFIXES; i++) {
		if (!digits_valid(p->international_prefix[i], p->international_prefix_len[i],
				  sizeof(p->international_prefix[i])))
			return false;
	}
	return digits_valid(p->country_code, p->country_code_len, sizeof(p->country_code)) &&
	       (p->country_code_len == 0 || p->country_code[0] != '0') &&
	       digits_valid(p->national_prefix, p->national_prefix_len,
			    sizeof(p->national_prefix)) &&
	       p->bare <= TG_NUM_BARE_NATIONAL && p->national_min <= TG_NUM_MAX_DIGITS &&
	       (p->national_max == 0 || p->national_max >= p->national_min) && /* 0 = not stated */
	       p->country_code_len + p->national_max <= TG_NUM_MAX_DIGITS;
}

static bool prefix_valid(const struct tg_policy_prefix *p)
{
	unsigned bit;

	if ((p->version == 0 && p->bits != 0) || (p->version == 4 && p->bits > 32) ||
	    (p->version == 6 && p->bits > 128) ||
	    (p->version != 0 && p->version != 4 && p->version != 6))
		return false;
	for (bit = p->bits; bit < 128; bit++) {
		if (p->address[bit / 8] >> (7 - bit % 8) & 1)
			return false;
	}
	return true;
}

/* '+' and digits, or digits, or nothing. */
static bool sink_valid(const char *sink, size_t size)
{
	const size_t len = strnlen(sink, size);
	const size_t plus = len > 0 && sink[0] == '+';

	return len < size && (len == 0 || len > plus) &&
	       digits_valid(sink + plus, (unsigned)(len - plus), TG_NUM_MAX_DIGITS);
}

static bool point_code_valid(uint32_t pc)
{
	return pc == TG_TRUNK_ANY_POINT_CODE || pc < 1u << 24;
}

/* An international number, as sink: what its national form is follows from the profile. */
static bool ss7_valid(const struct tg_policy_trunk *t)
{
	return point_code_valid(t->opc) && point_code_valid(t->dpc) &&
	       t->has_network_appearance <= 1 && t->mtp3 <= TG_MTP3_JAPAN &&
	       t->isup <= TG_ISUP_ANSI && sink_valid(t->sink, sizeof(t->sink)) &&
	       (t->sink[0] == 0 || t->sink[0] == '+');
}

static bool trunk_valid(const struct tg_policy_trunk *t)
{
	return tg_policy_name_valid(t->name, sizeof(t->name)) &&
	       (t->vlan == TG_TRUNK_ANY_VLAN || t->vlan == TG_TRUNK_NO_VLAN ||
		(t->vlan >= 1 && t->vlan <= 4094)) &&
	       t->mode < TG_MODE_COUNT && t->international <= 1 && t->mtu >= TG_POLICY_MTU_MIN &&
	       t->mtu <= TG_POLICY_MTU_MAX && t->answers_per_second >= 1 &&
	       t->answers_per_second <= TG_POLICY_MAX_ANSWER_RATE && t->priority_per_second >= 1 &&
	       t->priority_per_second <= TG_POLICY_MAX_ANSWER_RATE && prefix_valid(&t->peer) &&
	       prefix_valid(&t->local) && profile_valid(&t->profile) && ss7_valid(t) &&
	       t->drops >> TG_EXCEPTION_COUNT == 0;
}

static bool is_catch_all(const struct tg_policy_trunk *t)
{
	return strcmp(t->name, TG_POLICY_CATCH_ALL) == 0 && t->port == TG_TRUNK_ANY_PORT &&
	       t->vlan == TG_TRUNK_ANY_VLAN && t->peer.version == 0 && t->local.version == 0 &&
	       t->opc == TG_TRUNK_ANY_POINT_CODE && t->dpc == TG_TRUNK_ANY_POINT_CODE &&
	       !t->has_network_appearance;
}

static bool all_zero(const uint8_t *bytes, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (bytes[i])
			return false;
	return true;
}

/* One that ends a call, one that sends it elsewhere, or a sink without any. */
static bool answer_valid(const struct tg_policy_answer *a)
{
	if (!tg_policy_name_valid(a->name, sizeof(a->name)) ||
	    !tg_policy_text_valid(a->phrase, sizeof(a->phrase)) ||
	    !tg_policy_text_valid(a->reason, sizeof(a->reason)) ||
	    !tg_policy_text_valid(a->contact, sizeof(a->contact)) ||
	    !tg_policy_text_valid(a->call_info, sizeof(a->call_info)) ||
	    !sink_valid(a->sink, sizeof(a->sink)) || !all_zero(a->zero, sizeof(a->zero)))
		return false;
	if (a->code == 0)
		return a->sink[0] != 0;
	if (a->code >= 300 && a->code <= 399)
		return a->contact[0] != 0;
	return tg_policy_code_valid(a->code) && !a->sink[0] && !a->contact[0];
}

static bool diverts(const struct tg_policy_answer *a)
{
	return a->code < 400;
}

static bool mark_valid(const struct tg_policy_mark *m)
{
	const bool hides = m->flags & TG_MARK_ANONYMISE;

	return tg_policy_name_valid(m->name, sizeof(m->name)) &&
	       (m->header[0] == 0 || tg_policy_header_valid(m->header, sizeof(m->header))) &&
	       tg_policy_display_valid(m->display, sizeof(m->display)) &&
	       !(m->flags & ~(TG_MARK_ANONYMISE | TG_MARK_PLUS)) &&
	       !(hides && (m->display[0] || m->flags & TG_MARK_PLUS)) &&
	       (m->header[0] || m->display[0] || m->flags) && all_zero(m->zero, sizeof(m->zero));
}

static bool interval_valid(const struct tg_policy_interval *i)
{
	return i->lo <= i->hi && i->hi < 1000000000000000ull; /* 10^15 */
}

static bool word_valid(const struct tg_policy_word *w)
{
	return w->text[0] && tg_policy_text_valid(w->text, sizeof(w->text));
}

static bool list_valid(struct tg_policy_list list, uint32_t pool)
{
	return list.n ? (uint32_t)list.first + list.n <= pool : list.first == 0;
}

static bool isup_conditions_valid(const struct tg_policy_rule *r)
{
	return !(r->protocols >> TG_PROTOCOL_COUNT) &&
	       !(r->calling_categories >> TG_ISUP_CATEGORY_COUNT) &&
	       !(r->natures >> TG_ISUP_NATURE_COUNT) && !(r->number_plans >> TG_ISUP_PLAN_COUNT) &&
	       !(r->presentations >> TG_ISUP_SHOWN_COUNT) &&
	       !(r->screenings >> TG_ISUP_SCREENING_COUNT) && !(r->inns >> TG_ISUP_INN_COUNT) &&
	       !(r->incompletes >> 2) && !(r->qualifiers >> TG_ISUP_QUALIFIER_COUNT);
}

static bool conditions_valid(const struct tg_policy_rule *r, const struct tg_policy_section *s)
{
	const uint32_t has = ((1u << TG_ID_SOURCE_COUNT) - 1) | ((1u << TG_TRAIT_COUNT) - 1)
									<< TG_RULE_HAS_TRAIT;
	const uint64_t beyond = s->n_trunks < 64 ? ~0ull << s->n_trunks : 0;

	if (r->trunks == 0 || (r->trunks != TG_RULE_ANY_TRUNK && r->trunks & beyond))
		return false;
	if (r->roles == 0 || r->roles & ~ALL_ROLES || r->classes & ~ALL_CLASSES ||
	    r->categories & ~ALL_CATEGORIES || r->sources >> TG_ID_SOURCE_COUNT ||
	    r->types >> TG_NUMBERING_TYPE_COUNT || r->states >> TG_NUMBERING_STATE_COUNT ||
	    r->contradictions >> TG_CONTRADICTION_COUNT || r->privacy >> TG_PRIVACY_COUNT ||
	    r->attestations >> TG_ATTESTATION_COUNT || r->verifications >> TG_STIR_STATE_COUNT ||
	    r->has & ~has || r->has_not & ~has || r->extended != tg_policy_rule_is_extended(r))
		return false;
	if (!isup_conditions_valid(r) || r->score_min > r->score_max ||
	    r->score_max > TG_SCORE_MAX || r->digits_min > r->digits_max ||
	    r->digits_max > TG_NUM_MAX_DIGITS || r->same_prefix > TG_NUM_MAX_DIGITS)
		return false;
	return list_valid(r->number, s->n_intervals) && list_valid(r->number_not, s->n_intervals) &&
	       list_valid(r->region, s->n_words) && list_valid(r->raw, s->n_words) &&
	       list_valid(r->raw_not, s->n_words) && list_valid(r->tgrp, s->n_words) &&
	       list_valid(r->trunk_context, s->n_words) && list_valid(r->orig_ioi, s->n_words);
}

static bool limit_valid(const struct tg_policy_rule *r)
{
	if (r->limit_calls == 0)
		return r->limit_ms == 0 && r->limit == 0 && r->limit_digits == 0;
	return r->limit_ms > 0 && (uint64_t)r->limit_calls * r->limit_ms <= TG_LIMIT_MAX_PRODUCT &&
	       r->limit < TG_LIMIT_COUNT && r->limit_digits <= TG_NUM_MAX_DIGITS;
}

static bool outcome_valid(const struct tg_policy_rule *r, const struct tg_policy *p)
{
	switch (r->action) {
	case TG_ACTION_REJECT:
		return r->answer < p->n_answers && !diverts(&p->answer[r->answer]);
	case TG_ACTION_DIVERT:
		return r->answer < p->n_answers && diverts(&p->answer[r->answer]);
	case TG_ACTION_MARK:
		return r->answer < p->n_marks;
	case TG_ACTION_PASS:
	case TG_ACTION_DROP:
		return r->answer == 0;
	default:
		return false;
	}
}

static bool rule_valid(const struct tg_policy_rule *r, const struct tg_policy_section *s,
		       const struct tg_policy *p)
{
	if (!tg_policy_name_valid(r->name, sizeof(r->name)) ||
	    !all_zero(r->zero, sizeof(r->zero)) || r->also > 1 || r->shadow > 1 || r->share < 1 ||
	    r->share > 100)
		return false;
	/* The first has no rule before it. What only adds conditions has the outcome of its rule. */
	if (r->also && (r == p->rule || r->action != r[-1].action || r->answer != r[-1].answer))
		return false;
	return conditions_valid(r, s) && limit_valid(r) && outcome_valid(r, p);
}

static bool layout_valid(const struct tg_policy_section *s, uint64_t length)
{
	struct tg_policy_section want = *s;

	return s->n_trunks >= 1 && s->n_trunks <= TG_POLICY_MAX_TRUNKS &&
	       s->n_rules <= TG_POLICY_MAX_RULES && s->n_answers <= TG_POLICY_MAX_ANSWERS &&
	       s->n_marks <= TG_POLICY_MAX_MARKS && s->n_intervals <= TG_POLICY_MAX_INTERVALS &&
	       s->n_words <= TG_POLICY_MAX_WORDS && tg_policy_layout(&want) == length &&
	       memcmp(&want, s, sizeof(want)) == 0;
}

/* The first element that does not hold, or NULL. Rules last: they name the others. */
static const void *first_invalid(const struct tg_policy *p, const struct tg_policy_section *s)
{
	uint32_t i;

	for (i = 0; i < p->n_trunks; i++)
		if (!trunk_valid(&p->trunk[i]))
			return &p->trunk[i];
	if (!is_catch_all(&p->trunk[p->n_trunks - 1]))
		return &p->trunk[p->n_trunks - 1];
	for (i = 0; i < p->n_answers; i++)
		if (!answer_valid(&p->answer[i]))
			return &p->answer[i];
	for (i = 0; i < p->n_marks; i++)
		if (!mark_valid(&p->mark[i]))
			return &p->mark[i];
	for (i = 0; i < s->n_intervals; i++)
		if (!interval_valid(&p->interval[i]))
			return &p->interval[i];
	for (i = 0; i < s->n_words; i++)
		if (!word_valid(&p->word[i]))
			return &p->word[i];
	for (i = 0; i < p->n_rules; i++)
		if (!rule_valid(&p->rule[i], s, p))
			return &p->rule[i];
	return NULL;
}

/* What is so of the whole policy, so that a call need not look at every rule to know. */
static void sum_up(struct tg_policy *p)
{
	const uint32_t by_identities = 1u << (TG_RULE_HAS_TRAIT + TG_TRAIT_REDIRECTED);
	const uint32_t traits = ~by_identities >> TG_RULE_HAS_TRAIT << TG_RULE_HAS_TRAIT;
	uint32_t i;

	for (i = 0; i < p->n_rules; i++) {
		const struct tg_policy_rule *r = &p->rule[i];

		p->judges_unlisted |= r->categories == 0 && !r->also;
		p->asks_extra |= ((r->has | r->has_not) & traits) || r->privacy || r->tgrp.n ||
				 r->trunk_context.n || r->orig_ioi.n;
		p->has_shares |= r->share < 100;
		p->has_limits |= r->limit_calls > 0;
	}
	for (i = 0; i < p->n_answers; i++)
		p->has_sinks |= p->answer[i].sink[0] != 0;
	for (i = 0; i < p->n_trunks; i++)
		p->has_drops |= p->trunk[i].drops != 0;
}

static int refuse(struct tg_image_error *err, enum tg_image_error_code code, uint64_t offset)
{
	*err = (struct tg_image_error){
		.code = code,
		.section = TG_IMAGE_SECTION_POLICY,
		.offset = offset,
	};
	return -EINVAL;
}

int tg_policy_open(struct tg_policy *p, const void *image, uint64_t length,
		   struct tg_image_error *err)
{
	const struct tg_image_section *where;
	const struct tg_policy_section *s;
	const uint8_t *base = image;
	const void *bad;
	int ret;

	ret = tg_image_check(image, length, TG_IMAGE_POLICY, err);
	if (ret != 0)
		return ret;
	where = tg_image_find(image, TG_IMAGE_SECTION_POLICY);
	if (!where || where->length < sizeof(*s))
		return refuse(err, TG_IMAGE_ERROR_LAYOUT, where ? where->offset : 0);
	base += where->offset;
	s = (const struct tg_policy_section *)base;
	if (s->layout != TG_POLICY_LAYOUT)
		return refuse(err,
			      s->layout < TG_POLICY_LAYOUT ? TG_IMAGE_ERROR_OLD_VERSION
							   : TG_IMAGE_ERROR_NEW_VERSION,
			      where->offset);
	if (!layout_valid(s, where->length))
		return refuse(err, TG_IMAGE_ERROR_CONTENT, where->offset);
	*p = (struct tg_policy){
		.header = image,
		.trunk = (const struct tg_policy_trunk *)(base + s->trunks_offset),
		.rule = (const struct tg_policy_rule *)(base + s->rules_offset),
		.answer = (const struct tg_policy_answer *)(base + s->answers_offset),
		.mark = (const struct tg_policy_mark *)(base + s->marks_offset),
		.interval = (const struct tg_policy_interval *)(base + s->intervals_offset),
		.word = (const struct tg_policy_word *)(base + s->words_offset),
		.n_trunks = s->n_trunks,
		.n_rules = s->n_rules,
		.n_answers = s->n_answers,
		.n_marks = s->n_marks,
	};
	bad = first_invalid(p, s);
	if (bad)
		return refuse(err, TG_IMAGE_ERROR_CONTENT,
			      (uint64_t)((const uint8_t *)bad - (const uint8_t *)image));
	sum_up(p);
	return 0;
}
