/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Digits, what the message says of them, and the trunk's profile -> a number. This is the only
 * place where a prefix is taken off or a country code put on, so it happens once. README.md lists
 * what was decided where the standards leave room.
 */
#include "tollgate/digits.h"
#include "tollgate/num.h"

#define MAX_SHORT_DEFAULT 6 /* digits without a plan; longer ones may be a subscriber's */

static const struct tg_num_profile no_profile;

static bool all_digits(struct tg_span s)
{
	uint32_t i;

	for (i = 0; i < s.len; i++) {
		if (s.data[i] < '0' || s.data[i] > '9')
			return false;
	}
	return true;
}

static bool all_zero(struct tg_span s)
{
	uint32_t i;

	for (i = 0; i < s.len; i++) {
		if (s.data[i] != '0')
			return false;
	}
	return true;
}

static uint64_t append(uint64_t value, struct tg_span s)
{
	uint32_t i;

	for (i = 0; i < s.len; i++)
		value = value * 10 + (s.data[i] - (unsigned)'0');
	return value;
}

static struct tg_span skip(struct tg_span s, uint32_t n)
{
	return (struct tg_span){ s.data + n, s.len - n };
}

/* cc may be empty: then `rest` begins with the country code. */
static enum tg_num_class e164(struct tg_span cc, struct tg_span rest, struct tg_num *out)
{
	const uint32_t len = cc.len + rest.len;
	const uint8_t first = cc.len ? cc.data[0] : (rest.len ? rest.data[0] : '0');

	if (len > TG_NUM_MAX_DIGITS || first == '0')
		return TG_NUM_CLASS_MALFORMED;
	return tg_num_finish_e164(append(append(0, cc), rest), len, out);
}

static enum tg_num_class international(struct tg_span digits, struct tg_num *out)
{
	const struct tg_span no_cc = { NULL, 0 };

	return e164(no_cc, digits, out);
}

static enum tg_num_class short_code(struct tg_span digits, struct tg_num *out)
{
	if (digits.len > TG_NUM_MAX_DIGITS)
		return TG_NUM_CLASS_MALFORMED;
	*out = tg_num_make(TG_NUM_SHORT, digits.len, append(0, digits));
	return TG_NUM_CLASS_SHORT_CODE;
}

static enum tg_num_class unresolved(struct tg_span digits)
{
	return digits.len > TG_NUM_MAX_DIGITS ? TG_NUM_CLASS_MALFORMED : TG_NUM_CLASS_UNRESOLVED;
}

/* Too few digits for a subscriber of this plan? `national` is `digits` without the prefix. */
static bool is_short(const struct tg_num_profile *p, struct tg_span digits, struct tg_span national)
{
	return p->national_min ? national.len < p->national_min : digits.len <= MAX_SHORT_DEFAULT;
}

/* `national`: a national significant number, maybe. `digits`: the same as it was dialled. */
static enum tg_num_class national_number(const struct tg_num_profile *p, struct tg_span digits,
					 struct tg_span national, struct tg_num *out)
{
	const struct tg_span cc = { (const uint8_t *)p->country_code, p->country_code_len };

	if (is_short(p, digits, national))
		return short_code(digits, out);
	if (cc.len == 0 || cc.len > sizeof(p->country_code))
		return unresolved(digits);
	if (p->national_max && national.len > p->national_max)
		return unresolved(digits);
	return e164(cc, national, out);
}

/* The prefix's length if `digits` begin with it, else 0. */
static uint32_t match_prefix(struct tg_span digits, const char *prefix, uint32_t len)
{
	if (len == 0 || len > TG_NUM_PREFIX_MAX || digits.len < len ||
	    __builtin_memcmp(digits.data, prefix, len) != 0)
		return 0;
	return len;
}

static uint32_t international_prefix(const struct tg_num_profile *p, struct tg_span digits)
{
	uint32_t longest = 0;
	unsigned i;

	for (i = 0; i < TG_NUM_INTL_PREFIXES; i++) {
		const uint32_t len = match_prefix(digits, p->international_prefix[i],
						  p->international_prefix_len[i]);

		if (len > longest)
			longest = len;
	}
	return longest;
}

/* As somebody dials them: the profile alone knows what they mean. */
static enum tg_num_class dialled(const struct tg_num_profile *p, struct tg_span digits,
				 struct tg_num *out)
{
	uint32_t n = international_prefix(p, digits);

	if (n > 0)
		return international(skip(digits, n), out);
	n = match_prefix(digits, p->national_prefix, p->national_prefix_len);
	/* No plan has a 0 behind its prefix: an international prefix that the profile lacks. */
	if (n > 0 && digits.len > n && digits.data[n] == '0')
		return unresolved(digits);
	if (n > 0 || p->bare == TG_NUM_BARE_NATIONAL)
		return national_number(p, digits, skip(digits, n), out);
	if (is_short(p, digits, digits))
		return short_code(digits, out);
	/* A leading 0 is a prefix of a plan that the profile does not describe. */
	if (p->bare == TG_NUM_BARE_INTERNATIONAL && digits.data[0] != '0')
		return international(digits, out);
	return unresolved(digits);
}

enum tg_num_class tg_num_from_digits(struct tg_span digits, enum tg_num_nature nature,
				     const struct tg_num_profile *profile, struct tg_num *out)
{
	const struct tg_num_profile *p = profile ? profile : &no_profile;
	uint64_t value;

	*out = (struct tg_num){ 0 };
	/* What nearly every number over SS7 is. */
	if (nature == TG_NUM_NATURE_INTERNATIONAL && digits.len >= TG_DIGITS_MIN &&
	    digits.len <= TG_NUM_MAX_DIGITS && digits.data[0] != '0' &&
	    tg_digits_value(digits.data, digits.len, &value))
		return tg_num_finish_e164(value, digits.len, out);
	if (digits.len == 0)
		return TG_NUM_CLASS_ABSENT;
	if (!all_digits(digits))
		return TG_NUM_CLASS_MALFORMED;
	if (all_zero(digits))
		return TG_NUM_CLASS_UNAVAILABLE;
	switch (nature) {
	case TG_NUM_NATURE_INTERNATIONAL:
		return international(digits, out);
	case TG_NUM_NATURE_NATIONAL:
		return national_number(p, digits, digits, out);
	case TG_NUM_NATURE_SUBSCRIBER:
		/* Without its area code it could be anybody's, but a closed plan has none. */
		return p->bare == TG_NUM_BARE_NATIONAL ? national_number(p, digits, digits, out)
						       : unresolved(digits);
	case TG_NUM_NATURE_TEXT:
	case TG_NUM_NATURE_UNKNOWN:
	default:
		return dialled(p, digits, out);
	}
}
