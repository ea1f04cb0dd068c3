/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Validation of a policy image, once, so that deciding need not check anything. The header and the
 * checksums say that the bytes are as they were written; this says that they make sense.
 */
#include <errno.h>
#include <string.h>

#include "tollgate/policy.h"

#define ALL_ROLES ((1u << TG_ROLE_COUNT) - 1)
#define ALL_CLASSES ((1u << TG_NUM_CLASS_COUNT) - 1)
#define ALL_CATEGORIES (((1u << TG_CATEGORY_COUNT) - 1) & ~(1u << TG_CATEGORY_NONE))

static_assert(TG_ROLE_COUNT <= 8 && TG_NUM_CLASS_COUNT <= 16 && TG_CATEGORY_COUNT <= 16,
	      "a rule has a bit for each");
static_assert(TG_POLICY_MAX_TRUNKS <= 64, "a rule has a bit for each trunk");
static_assert(TG_POLICY_MAX_RULES < TG_RULE_NONE && TG_POLICY_MAX_ANSWERS <= 256,
	      "a verdict's indices are wide enough");

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

static bool peer_valid(const struct tg_policy_trunk *t)
{
	unsigned bit;

	if ((t->peer_version == 0 && t->peer_bits != 0) ||
	    (t->peer_version == 4 && t->peer_bits > 32) ||
	    (t->peer_version == 6 && t->peer_bits > 128) ||
	    (t->peer_version != 0 && t->peer_version != 4 && t->peer_version != 6))
		return false;
	for (bit = t->peer_bits; bit < 128; bit++) {
		if (t->peer[bit / 8] >> (7 - bit % 8) & 1)
			return false;
	}
	return true;
}

static bool trunk_valid(const struct tg_policy_trunk *t)
{
	return tg_policy_name_valid(t->name, sizeof(t->name)) &&
	       (t->vlan == TG_TRUNK_ANY_VLAN || t->vlan == TG_TRUNK_NO_VLAN ||
		(t->vlan >= 1 && t->vlan <= 4094)) &&
	       t->mode < TG_MODE_COUNT && t->zero == 0 && t->answers_per_second >= 1 &&
	       t->answers_per_second <= TG_POLICY_MAX_ANSWER_RATE && peer_valid(t) &&
	       profile_valid(&t->profile);
}

static bool is_catch_all(const struct tg_policy_trunk *t)
{
	return strcmp(t->name, TG_POLICY_CATCH_ALL) == 0 && t->port == TG_TRUNK_ANY_PORT &&
	       t->vlan == TG_TRUNK_ANY_VLAN && t->peer_version == 0;
}

static bool answer_valid(const struct tg_policy_answer *a)
{
	return tg_policy_name_valid(a->name, sizeof(a->name)) && tg_policy_code_valid(a->code) &&
	       tg_policy_text_valid(a->phrase, sizeof(a->phrase)) &&
	       tg_policy_text_valid(a->reason, sizeof(a->reason)) && a->zero == 0;
}

static bool rule_valid(const struct tg_policy_rule *r, const struct tg_policy_section *s)
{
	static const uint8_t zero[sizeof(r->zero)];
	const uint64_t beyond = s->n_trunks < 64 ? ~0ull << s->n_trunks : 0;

	if (!tg_policy_name_valid(r->name, sizeof(r->name)) ||
	    memcmp(r->zero, zero, sizeof(zero)) != 0)
		return false;
	if (r->trunks == 0 || (r->trunks != TG_RULE_ANY_TRUNK && r->trunks & beyond))
		return false;
	if (r->roles == 0 || r->roles & ~ALL_ROLES || r->classes & ~ALL_CLASSES ||
	    r->categories & ~ALL_CATEGORIES)
		return false;
	if (r->score_min > r->score_max || r->score_max > TG_SCORE_MAX)
		return false;
	if (r->action == TG_ACTION_REJECT)
		return r->answer < s->n_answers;
	return (r->action == TG_ACTION_PASS || r->action == TG_ACTION_DROP) && r->answer == 0;
}

static bool layout_valid(const struct tg_policy_section *s, uint64_t length)
{
	struct tg_policy_section want;

	return s->n_trunks >= 1 && s->n_trunks <= TG_POLICY_MAX_TRUNKS &&
	       s->n_rules <= TG_POLICY_MAX_RULES && s->n_answers <= TG_POLICY_MAX_ANSWERS &&
	       tg_policy_layout(&want, s->n_trunks, s->n_rules, s->n_answers) == length &&
	       memcmp(&want, s, sizeof(want)) == 0;
}

/* The first element that does not hold, or NULL. */
static const void *first_invalid(const struct tg_policy *p, const struct tg_policy_section *s)
{
	uint32_t i;

	for (i = 0; i < p->n_trunks; i++) {
		if (!trunk_valid(&p->trunk[i]))
			return &p->trunk[i];
	}
	if (!is_catch_all(&p->trunk[p->n_trunks - 1]))
		return &p->trunk[p->n_trunks - 1];
	for (i = 0; i < p->n_answers; i++) {
		if (!answer_valid(&p->answer[i]))
			return &p->answer[i];
	}
	for (i = 0; i < p->n_rules; i++) {
		if (!rule_valid(&p->rule[i], s))
			return &p->rule[i];
	}
	return NULL;
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
	uint32_t i;
	int ret;

	ret = tg_image_check(image, length, TG_IMAGE_POLICY, err);
	if (ret != 0)
		return ret;
	where = tg_image_find(image, TG_IMAGE_SECTION_POLICY);
	if (!where || where->length < sizeof(*s))
		return refuse(err, TG_IMAGE_ERROR_LAYOUT, where ? where->offset : 0);
	base += where->offset;
	s = (const struct tg_policy_section *)base;
	if (!layout_valid(s, where->length))
		return refuse(err, TG_IMAGE_ERROR_CONTENT, where->offset);
	*p = (struct tg_policy){
		.header = image,
		.trunk = (const struct tg_policy_trunk *)(base + s->trunks_offset),
		.rule = (const struct tg_policy_rule *)(base + s->rules_offset),
		.answer = (const struct tg_policy_answer *)(base + s->answers_offset),
		.n_trunks = s->n_trunks,
		.n_rules = s->n_rules,
		.n_answers = s->n_answers,
	};
	bad = first_invalid(p, s);
	if (bad)
		return refuse(err, TG_IMAGE_ERROR_CONTENT,
			      (uint64_t)((const uint8_t *)bad - (const uint8_t *)image));
	for (i = 0; i < p->n_rules; i++)
		p->judges_unlisted |= p->rule[i].categories == 0;
	return 0;
}
