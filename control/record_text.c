/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/record_text.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define EXACT_DIGITS_MIN 4
#define PREFIX_DIGITS_FREE 4 /* fewer need force: +1 is a whole numbering plan */
#define DIGITS_MAX 15	     /* ITU-T E.164 §6 */

static const char *const category_names[] = { "none",
#define X(sym, name, kind) name,
					      TG_CATEGORIES(X)
#undef X
};
static_assert(TG_ARRAY_LEN(category_names) == TG_CATEGORY_COUNT, "one name a category");

static const char *const role_names[] = { "none", "caller", "called", "any" };
static const char *const kind_names[] = { "exact", "prefix", "range", "exact" };
static_assert(TG_ARRAY_LEN(kind_names) == TG_RECORD_KIND_COUNT, "one name a kind");

const char *tg_record_kind_name(unsigned kind)
{
	return kind < TG_ARRAY_LEN(kind_names) ? kind_names[kind] : "?";
}

const char *tg_record_role_name(unsigned roles)
{
	return roles < TG_ARRAY_LEN(role_names) ? role_names[roles] : "?";
}

const char *tg_category_name(unsigned category)
{
	return category < TG_ARRAY_LEN(category_names) ? category_names[category] : "?";
}

int tg_record_number_format(const struct tg_record *r, char *buf, size_t size)
{
	switch (r->kind) {
	case TG_RECORD_RANGE:
		return snprintf(buf, size, "+%" PRIu64 "-+%" PRIu64, r->lo, r->hi);
	case TG_RECORD_SHORT:
		return snprintf(buf, size, "%0*" PRIu64, r->digits, r->lo);
	default:
		return snprintf(buf, size, "+%" PRIu64, r->lo);
	}
}

const char *tg_quote(struct tg_span text, char buf[TG_QUOTED_MAX])
{
	/* Four bytes for the longest escape, three dots, the closing quote and NUL. */
	const size_t room = TG_QUOTED_MAX - 4 - 3 - 2;
	size_t n = 0;
	uint32_t i;

	buf[n++] = '"';
	for (i = 0; i < text.len && n < room; i++) {
		const uint8_t c = text.data[i];

		if (c >= ' ' && c <= '~')
			buf[n++] = (char)c;
		else
			n += (size_t)snprintf(buf + n, 5, "\\x%02x", c);
	}
	if (i < text.len) {
		memcpy(buf + n, "...", 3);
		n += 3;
	}
	buf[n++] = '"';
	buf[n] = 0;
	return buf;
}

/* What a field's parser needs to complain. */
struct field {
	const struct tg_record_fields *f;
	enum tg_record_field which;
	struct tg_span text;
	struct tg_error *err;
};

static int refuse_at(const struct field *field, uint32_t offset, const char *why)
{
	static const char *const names[] = {
#define X(sym, name) name,
		TG_RECORD_FIELDS(X)
#undef X
	};
	const uint32_t column = field->f->column[field->which];
	char quoted[TG_QUOTED_MAX];

	if (field->text.len == 0)
		return tg_error_at(field->err, -EINVAL, field->f->line, column, "%s is empty: %s",
				   names[field->which], why);
	return tg_error_at(field->err, -EINVAL, field->f->line, column ? column + offset : 0,
			   "%s %s: %s", names[field->which], tg_quote(field->text, quoted), why);
}

static bool text_is(struct tg_span s, const char *name, size_t len)
{
	return s.len == len && memcmp(s.data, name, len) == 0;
}

static int parse_kind(const struct field *f, struct tg_record *r)
{
	if (text_is(f->text, "exact", 5))
		r->kind = TG_RECORD_EXACT;
	else if (text_is(f->text, "prefix", 6))
		r->kind = TG_RECORD_PREFIX;
	else if (text_is(f->text, "range", 5))
		r->kind = TG_RECORD_RANGE;
	else
		return refuse_at(f, 0, "it is one of exact, prefix, range");
	return 0;
}

static int parse_role(const struct field *f, struct tg_record *r)
{
	if (text_is(f->text, "caller", 6))
		r->roles = TG_RECORD_CALLER;
	else if (text_is(f->text, "called", 6))
		r->roles = TG_RECORD_CALLED;
	else if (text_is(f->text, "any", 3))
		r->roles = TG_RECORD_ANY;
	else
		return refuse_at(f, 0, "it is one of caller, called, any");
	return 0;
}

static int parse_category(const struct field *f, struct tg_record *r)
{
	unsigned i;

	for (i = 1; i < TG_CATEGORY_COUNT; i++) {
		const char *name = category_names[i];

		/* The first letter rejects nearly all without a call. */
		if (f->text.len > 0 && f->text.data[0] == (uint8_t)name[0] &&
		    text_is(f->text, name, strlen(name))) {
			r->category = (uint8_t)i;
			return 0;
		}
	}
	return refuse_at(f, 0,
			 "it is one of fraud, scam, spam, wangiri, irsf, robocall, simbox, tdos, "
			 "flashcall, dno, unallocated, invalid, allow, emergency");
}

static int parse_score(const struct field *f, struct tg_record *r)
{
	unsigned score = 0;
	uint32_t i;

	for (i = 0; i < f->text.len && i < 4; i++) {
		const unsigned d = (unsigned)f->text.data[i] - '0';

		if (d > 9)
			return refuse_at(f, i, "it is a whole number from 0 to 100");
		score = score * 10 + d;
	}
	if (f->text.len == 0 || f->text.len > 3 || score > TG_SCORE_MAX)
		return refuse_at(f, 0, "it is a whole number from 0 to 100");
	r->score = (uint8_t)score;
	return 0;
}

/* The bytes [from, to) of the field as digits; what stands there instead decides the message. */
static int parse_digits(const struct field *f, uint32_t from, uint32_t to, uint64_t *value)
{
	uint64_t v = 0;
	uint32_t i;

	for (i = from; i < to; i++) {
		const unsigned d = (unsigned)f->text.data[i] - '0';

		if (d > 9 && f->text.data[i] == '*')
			return refuse_at(f, i,
					 "* is not a wildcard, it is a dialled character; write "
					 "kind prefix and the leading digits");
		if (d > 9)
			return refuse_at(f, i, "only digits may stand here");
		if (i - from >= DIGITS_MAX)
			return refuse_at(f, i, "a number has at most 15 digits");
		v = v * 10 + d;
	}
	*value = v;
	return 0;
}

/* "+digits" in [from, to): an E.164 number, or the beginning of one. */
static int parse_e164(const struct field *f, uint32_t from, uint32_t to, uint64_t *value)
{
	if (from == to || f->text.data[from] != '+')
		return refuse_at(f, from, "it begins with + and a country code");
	if (from + 1 == to)
		return refuse_at(f, from, "digits are missing after +");
	if (f->text.data[from + 1] == '0')
		return refuse_at(f, from + 1, "no country code begins with 0");
	return parse_digits(f, from + 1, to, value);
}

static int parse_short(const struct field *f, struct tg_record *r)
{
	int rc = parse_digits(f, 0, f->text.len, &r->lo);

	if (rc)
		return rc;
	/* "0", "00", ... stand for a number that is not available (num.h); 000 is dialled in AU. */
	if (f->text.len == 0 || (r->lo == 0 && f->text.len != 3))
		return refuse_at(f, 0, "it is + and 4 to 15 digits, or a short code's digits");
	r->kind = TG_RECORD_SHORT;
	r->hi = r->lo;
	r->digits = (uint8_t)f->text.len;
	return 0;
}

static int parse_exact(const struct field *f, struct tg_record *r)
{
	int rc;

	if (f->text.len == 0 || f->text.data[0] != '+')
		return parse_short(f, r);
	rc = parse_e164(f, 0, f->text.len, &r->lo);
	if (rc)
		return rc;
	if (f->text.len - 1 < EXACT_DIGITS_MIN)
		return refuse_at(f, 0, "a number has at least 4 digits after +");
	r->hi = r->lo;
	r->digits = (uint8_t)(f->text.len - 1);
	return 0;
}

static int parse_prefix(const struct field *f, struct tg_record *r)
{
	char quoted[TG_QUOTED_MAX];
	int rc = parse_e164(f, 0, f->text.len, &r->lo);

	if (rc)
		return rc;
	if (f->text.len - 1 < PREFIX_DIGITS_FREE && !f->f->force)
		return tg_error_at(f->err, -EPERM, f->f->line, f->f->column[f->which],
				   "prefix %s has fewer than 4 digits and would cover a country or "
				   "more; force is needed",
				   tg_quote(f->text, quoted));
	r->hi = r->lo;
	r->digits = (uint8_t)(f->text.len - 1);
	return 0;
}

static int parse_range(const struct field *f, struct tg_record *r)
{
	const uint8_t *dash = f->text.len ? memchr(f->text.data, '-', f->text.len) : NULL;
	const uint32_t mid = dash ? (uint32_t)(dash - f->text.data) : f->text.len;
	int rc;

	if (!dash)
		return refuse_at(f, 0, "a range is written +first-+last");
	rc = parse_e164(f, 0, mid, &r->lo);
	if (!rc)
		rc = parse_e164(f, mid + 1, f->text.len, &r->hi);
	if (rc)
		return rc;
	if (mid != f->text.len - mid - 1)
		return refuse_at(f, mid + 1, "both ends of a range have the same number of digits");
	if (mid - 1 < EXACT_DIGITS_MIN)
		return refuse_at(f, 0, "a number has at least 4 digits after +");
	if (r->lo > r->hi)
		return refuse_at(f, mid + 1, "a range's last number is not before its first");
	r->digits = (uint8_t)(mid - 1);
	return 0;
}

static int parse_number(const struct field *f, struct tg_record *r)
{
	switch (r->kind) {
	case TG_RECORD_PREFIX:
		return parse_prefix(f, r);
	case TG_RECORD_RANGE:
		return parse_range(f, r);
	default:
		return parse_exact(f, r);
	}
}

/* ---- RFC 3339 §5.6 ------------------------------------------------------------------------------- */

struct date_time {
	unsigned year, month, day, hour, minute, second;
	int offset; /* minutes east of UTC */
};

/* n digits at p, or false. */
static bool take_number(const uint8_t *p, unsigned n, unsigned *value)
{
	unsigned v = 0, i;

	for (i = 0; i < n; i++) {
		const unsigned d = (unsigned)p[i] - '0';

		if (d > 9)
			return false;
		v = v * 10 + d;
	}
	*value = v;
	return true;
}

/* time-secfrac and time-offset, from s.data[i] to the end. */
static bool take_zone(struct tg_span s, uint32_t i, struct date_time *t)
{
	unsigned hour, minute;
	uint32_t digits;

	if (i < s.len && s.data[i] == '.') {
		for (digits = ++i; i < s.len && s.data[i] >= '0' && s.data[i] <= '9'; i++)
			;
		if (i == digits)
			return false;
	}
	t->offset = 0;
	if (i + 1 == s.len && (s.data[i] == 'Z' || s.data[i] == 'z'))
		return true;
	if (i + 6 != s.len || (s.data[i] != '+' && s.data[i] != '-') || s.data[i + 3] != ':' ||
	    !take_number(s.data + i + 1, 2, &hour) || !take_number(s.data + i + 4, 2, &minute) ||
	    hour > 23 || minute > 59)
		return false;
	t->offset = (int)(hour * 60 + minute);
	if (s.data[i] == '-')
		t->offset = -t->offset;
	return true;
}

static bool take_date_time(struct tg_span s, struct date_time *t)
{
	return s.len >= 20 && take_number(s.data, 4, &t->year) && s.data[4] == '-' &&
	       take_number(s.data + 5, 2, &t->month) && s.data[7] == '-' &&
	       take_number(s.data + 8, 2, &t->day) && (s.data[10] == 'T' || s.data[10] == 't') &&
	       take_number(s.data + 11, 2, &t->hour) && s.data[13] == ':' &&
	       take_number(s.data + 14, 2, &t->minute) && s.data[16] == ':' &&
	       take_number(s.data + 17, 2, &t->second) && take_zone(s, 19, t);
}

static unsigned days_in_month(unsigned year, unsigned month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap ? 1u : 0u);
}

/* Days from 1970-01-01 in the proleptic Gregorian calendar. Years begin in March, so that the leap
 * day is a year's last; an era of 400 years has 146,097 days, and 719,468 lie before 1970. */
static int64_t days_since_epoch(unsigned year, unsigned month, unsigned day)
{
	const int64_t y = (int64_t)year - (month <= 2);
	const int64_t era = (y >= 0 ? y : y - 399) / 400;
	const int64_t of_era = y - era * 400;
	const int64_t of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* A leap second is 23:59:60 UTC at the end of a month (RFC 3339 §5.7); it has no number of its own. */
static bool leap_second_fits(int64_t seconds)
{
	const int64_t day = seconds / 86400;
	unsigned year = 1970 + (unsigned)(day / 366), month;

	if (seconds % 86400 != 0)
		return false;
	while (days_since_epoch(year + 1, 1, 1) <= day)
		year++;
	for (month = 1; month <= 12; month++)
		if (days_since_epoch(year, month, 1) == day)
			return true;
	return false;
}

static int parse_expires(const struct field *f, struct tg_record *r)
{
	struct date_time t;

	r->expires = 0;
	if (f->text.len == 0)
		return 0;
	if (!take_date_time(f->text, &t))
		return refuse_at(f, 0,
				 "it is a time as in RFC 3339, 2027-01-31T23:59:59Z, or empty");
	if (t.month < 1 || t.month > 12 || t.day < 1 || t.day > days_in_month(t.year, t.month))
		return refuse_at(f, 0, "there is no such day");
	if (t.hour > 23 || t.minute > 59 || t.second > 60)
		return refuse_at(f, 11, "there is no such time of day");
	r->expires = days_since_epoch(t.year, t.month, t.day) * 86400 + (int64_t)t.hour * 3600 +
		     (int64_t)t.minute * 60 + t.second - (int64_t)t.offset * 60;
	/* 0 means "never"; what had expired before there were such feeds is a slip. */
	if (r->expires <= 0)
		return refuse_at(f, 0, "it is after 1970");
	if (t.second == 60 && !leap_second_fits(r->expires))
		return refuse_at(f, 17,
				 "a leap second is only at 23:59:60 UTC on a month's last day");
	return 0;
}

/* ---- reference ----------------------------------------------------------------------------------- */

/* Length of the well-formed UTF-8 sequence at p (RFC 3629 §4), 0 if it is none. */
static uint32_t utf8_length(const uint8_t *p, uint32_t left)
{
	const uint32_t n = p[0] < 0x80	  ? 1
			   : p[0] < 0xc2  ? 0
			   : p[0] < 0xe0  ? 2
			   : p[0] < 0xf0  ? 3
			   : p[0] <= 0xf4 ? 4
					  : 0;
	uint32_t i;

	if (n == 0 || n > left)
		return 0;
	for (i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	/* Over-long forms, surrogates, beyond U+10FFFF. */
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

static int parse_ref(const struct field *f, struct tg_record *r)
{
	const struct tg_span s = f->text;
	uint32_t i, n;

	for (i = 0; i < s.len; i += n) {
		n = utf8_length(s.data + i, s.len - i);
		if (n == 0)
			return refuse_at(f, i, "it is not UTF-8");
		if (s.data[i] < ' ' || s.data[i] == 0x7f ||
		    (n == 2 && s.data[i] == 0xc2 && s.data[i + 1] < 0xa0))
			return refuse_at(f, i, "control characters are not allowed");
	}
	if (s.len > TG_FEED_REF_MAX)
		return refuse_at(f, TG_FEED_REF_MAX, "it has at most 63 bytes");
	if (s.len > 0)
		memcpy(r->ref, s.data, s.len);
	r->ref[s.len] = 0;
	r->ref_len = (uint8_t)s.len;
	return 0;
}

int tg_record_from_fields(const struct tg_record_fields *f, struct tg_record *r,
			  struct tg_error *err)
{
	/* In the order of the line, so that the first error from the left is the one reported. */
	static int (*const parse[])(const struct field *, struct tg_record *) = {
		[TG_RECORD_FIELD_KIND] = parse_kind,   [TG_RECORD_FIELD_NUMBER] = parse_number,
		[TG_RECORD_FIELD_ROLE] = parse_role,   [TG_RECORD_FIELD_CATEGORY] = parse_category,
		[TG_RECORD_FIELD_SCORE] = parse_score, [TG_RECORD_FIELD_EXPIRES] = parse_expires,
		[TG_RECORD_FIELD_REF] = parse_ref,
	};
	unsigned i;

	for (i = 0; i < TG_RECORD_FIELD_COUNT; i++) {
		const struct field field = { f, (enum tg_record_field)i, f->field[i], err };
		const int rc = parse[i](&field, r);

		if (rc)
			return rc;
	}
	return 0;
}

int tg_record_parse(const struct tg_record_text *text, bool force, struct tg_record *r,
		    struct tg_error *err)
{
	const char *const words[] = { text->kind,  text->number,  text->role, text->category,
				      text->score, text->expires, text->ref };
	struct tg_record_fields f = { .force = force };
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(words); i++) {
		const char *const word = words[i] ? words[i] : "";
		const size_t len = strlen(word);

		/* Longer than any field may be: the parsers refuse it all the same. */
		f.field[i] = (struct tg_span){ (const uint8_t *)word,
					       len < 4096 ? (uint32_t)len : 4096 };
	}
	return tg_record_from_fields(&f, r, err);
}
