/* SPDX-License-Identifier: BSD-3-Clause */
/* Text and digits to numbers. Numbers are drama and documentation ranges, or architecture §9's. */
#include <string.h>

#include "tests/support/tg_test.h"
#include "tollgate/digits.h"
#include "tollgate/num.h"

/* Singapore: closed plan, eight digits, no national prefix. */
static const struct tg_num_profile singapore = {
	.country_code = "65",
	.country_code_len = 2,
	.international_prefix = { "000", "001", "00" },
	.international_prefix_len = { 3, 3, 2 },
	.bare = TG_NUM_BARE_NATIONAL,
	.national_min = 8,
	.national_max = 8,
};

/* United Kingdom, digits without a prefix not to be trusted. */
static const struct tg_num_profile britain = {
	.country_code = "44",
	.country_code_len = 2,
	.national_prefix = "0",
	.national_prefix_len = 1,
	.international_prefix = { "00" },
	.international_prefix_len = { 2 },
	.national_min = 7,
	.national_max = 10,
};

/* North America. */
static const struct tg_num_profile nanp = {
	.country_code = "1",
	.country_code_len = 1,
	.national_prefix = "1",
	.national_prefix_len = 1,
	.international_prefix = { "011" },
	.international_prefix_len = { 3 },
	.bare = TG_NUM_BARE_NATIONAL,
	.national_min = 10,
	.national_max = 10,
};

/* Australia: its international prefix begins as nobody else's 00 does. */
static const struct tg_num_profile australia = {
	.country_code = "61",
	.country_code_len = 2,
	.national_prefix = "0",
	.national_prefix_len = 1,
	.international_prefix = { "00", "0011" },
	.international_prefix_len = { 2, 4 },
};

/* Italy: the leading zero belongs to the number. */
static const struct tg_num_profile italy = {
	.country_code = "39",
	.country_code_len = 2,
	.international_prefix = { "00" },
	.international_prefix_len = { 2 },
	.bare = TG_NUM_BARE_NATIONAL,
	.national_min = 6,
	.national_max = 11,
};

/* A wholesale trunk: country code first. */
static const struct tg_num_profile wholesale = {
	.bare = TG_NUM_BARE_INTERNATIONAL,
	.international_prefix = { "00", "011" },
	.international_prefix_len = { 2, 3 },
};

/* A trunk with a technical prefix in front of country codes. */
static const struct tg_num_profile technical = {
	.international_prefix = { "99901" },
	.international_prefix_len = { 5 },
};

static struct tg_span span(const char *text)
{
	return (struct tg_span){ (const uint8_t *)text, (uint32_t)strlen(text) };
}

/* A class and a number never contradict each other, and every number survives its text form. */
static void assert_consistent(enum tg_num_class cls, struct tg_num n)
{
	char text[TG_NUM_TEXT_MAX];
	unsigned len;

	assert_true(cls < TG_NUM_CLASS_COUNT);
	if (cls == TG_NUM_CLASS_E164)
		assert_int_equal(tg_num_kind(n), TG_NUM_E164);
	else if (cls != TG_NUM_CLASS_SHORT_CODE)
		assert_true(tg_num_is_none(n));
	if (tg_num_is_none(n))
		return;
	len = tg_num_format(n, text);
	assert_int_equal(strlen(text), len);
	assert_int_equal(tg_num_from_feed(span(text)).v, n.v);
	assert_true(tg_num_aligned(n) < tg_num_pow10(15));
}

static void check_truncated(void *ctx, const uint8_t *data, size_t len)
{
	const struct tg_span s = { data, (uint32_t)len };
	struct tg_num n = { UINT64_MAX };

	assert_consistent(tg_num_from_text(s, ctx, &n), n);
	(void)tg_num_is_emergency(s);
	(void)tg_num_from_feed(s);
}

struct text_case {
	const char *user;
	const struct tg_num_profile *profile;
	enum tg_num_class cls;
	const char *number; /* as tg_num_format prints it; "" = none */
};

static void check_texts(const struct text_case *cases, size_t n_cases)
{
	size_t i;

	for (i = 0; i < n_cases; i++) {
		const struct text_case *c = &cases[i];
		struct tg_num n = { UINT64_MAX };
		const enum tg_num_class cls = tg_num_from_text(span(c->user), c->profile, &n);
		char text[TG_NUM_TEXT_MAX];

		(void)tg_num_format(n, text);
		if (cls != c->cls || strcmp(tg_num_is_none(n) ? "" : text, c->number) != 0)
			fail_msg("'%s' is %s '%s', not %s '%s'", c->user, tg_num_class_name(cls),
				 tg_num_is_none(n) ? "" : text, tg_num_class_name(c->cls),
				 c->number);
		tg_guard_truncate(c->user, strlen(c->user), check_truncated, (void *)c->profile);
	}
}

#define CHECK_TEXTS(...)                                                                           \
	do {                                                                                       \
		static const struct text_case cases[] = { __VA_ARGS__ };                           \
		check_texts(cases, TG_ARRAY_LEN(cases));                                           \
	} while (0)

#define E164 TG_NUM_CLASS_E164
#define SHORT TG_NUM_CLASS_SHORT_CODE
#define MALFORMED TG_NUM_CLASS_MALFORMED
#define UNRESOLVED TG_NUM_CLASS_UNRESOLVED
#define WITHHELD TG_NUM_CLASS_WITHHELD
#define UNAVAILABLE TG_NUM_CLASS_UNAVAILABLE
#define ALPHANUMERIC TG_NUM_CLASS_ALPHANUMERIC

TG_TEST(num_word_holds_kind_length_and_digits, TG_NEEDS_NOTHING)
{
	const struct tg_num n = tg_num_make(TG_NUM_E164, 15, 999999999999999ull);

	assert_int_equal(tg_num_kind(n), TG_NUM_E164);
	assert_int_equal(tg_num_len(n), 15);
	assert_int_equal(tg_num_value(n), 999999999999999ull);
	assert_int_equal(tg_num_aligned(n), 999999999999999ull);
	assert_int_equal(tg_num_aligned(tg_num_make(TG_NUM_E164, 2, 65)), 650000000000000ull);
	assert_true(tg_num_is_none((struct tg_num){ 0 }));
}

TG_TEST(num_pow10_is_repeated_multiplication, TG_NEEDS_NOTHING)
{
	uint64_t v = 1;
	unsigned e;

	for (e = 0; e <= 15; e++, v *= 10)
		assert_int_equal(tg_num_pow10(e), v);
}

TG_TEST(num_class_names, TG_NEEDS_NOTHING)
{
	assert_string_equal(tg_num_class_name(TG_NUM_CLASS_ABSENT), "absent");
	assert_string_equal(tg_num_class_name(TG_NUM_CLASS_ALPHANUMERIC), "alphanumeric");
	assert_string_equal(tg_num_class_name(TG_NUM_CLASS_COUNT), "?");
	assert_string_equal(tg_num_class_name(UINT32_MAX), "?");
}

TG_TEST(num_plus_resolves_without_profile, TG_NEEDS_NOTHING)
{
	CHECK_TEXTS({ "+12025550123", NULL, E164, "+12025550123" },
		    { "+959771234567", NULL, E164, "+959771234567" },
		    { "+1234", NULL, E164, "+1234" }, { "+123", NULL, MALFORMED, "" },
		    { "+999999999999999", NULL, E164, "+999999999999999" },
		    { "+447700900123", &singapore, E164, "+447700900123" }, );
}

/* The plain form is read eight digits at a time, a trailing separator forces the other way. */
TG_TEST(num_fast_and_general_reading_agree, TG_NEEDS_NOTHING)
{
	static const char odd[] = "0123456789/:;+-%a\xb1\xff";
	uint64_t seed = 7;
	unsigned round, i;

	for (round = 0; round < 20000; round++) {
		const unsigned len = 1 + round % 18;
		struct tg_num fast, general;
		enum tg_num_class cls;
		char text[24] = "+";

		for (i = 1; i <= len; i++)
			text[i] = (char)('0' + tg_test_random(&seed) % 10);
		if (round % 3 ==
		    0) /* one character that may not be a digit, and one beside '0'-'9' */
			text[1 + tg_test_random(&seed) % len] =
				odd[tg_test_random(&seed) % (sizeof(odd) - 1)];
		cls = tg_num_from_text(span(text), NULL, &fast);
		text[len + 1] = '-';
		text[len + 2] = 0;
		if (strchr(text, '%'))
			continue; /* the separator would become part of an escape */
		assert_int_equal(tg_num_from_text(span(text), NULL, &general), cls);
		assert_int_equal(fast.v, general.v);
	}
}

TG_TEST(num_absent_is_not_empty_digits, TG_NEEDS_NOTHING)
{
	CHECK_TEXTS({ "", NULL, TG_NUM_CLASS_ABSENT, "" },
		    { "", &singapore, TG_NUM_CLASS_ABSENT, "" }, );
}

TG_TEST(NUM_1_plus_65_and_bare_65_differ, TG_NEEDS_NOTHING)
{
	CHECK_TEXTS({ "+6591234567", &singapore, E164, "+6591234567" },
		    { "6591234567", &singapore, UNRESOLVED, "" },
		    { "91234567", &singapore, E164, "+6591234567" },
		    { "6591234567", &wholesale, E164, "+6591234567" },
		    { "6591234567", NULL, UNRESOLVED, "" }, );
}

TG_TEST(NUM_2_profile_strips_and_adds_exactly_once, TG_NEEDS_NOTHING)
{
	CHECK_TEXTS({ "0012025550123", &britain, E164, "+12025550123" },
		    { "07700900123", &britain, E164, "+447700900123" },
		    /* National digits that begin with the country code: not taken off. */
		    { "04412345678", &britain, E164, "+444412345678" },
		    { "2025550123", &nanp, E164, "+12025550123" },
		    { "12025550123", &nanp, E164, "+12025550123" },
		    { "011447700900123", &nanp, E164, "+447700900123" },
		    { "0011447700900123", &australia, E164, "+447700900123" },
		    { "0491570156", &australia, E164, "+61491570156" },
		    { "0612345678", &italy, E164, "+390612345678" },
		    { "00390612345678", &italy, E164, "+390612345678" },
		    { "00447700900123", &singapore, E164, "+447700900123" },
		    { "001447700900123", &singapore, E164, "+447700900123" },
		    { "00447700900123", &wholesale, E164, "+447700900123" },
		    { "99901447700900123", &technical, E164, "+447700900123" },
		    { "9990199901447700", &technical, E164, "+99901447700" }, /* once */
		    { "447700900123", &technical, UNRESOLVED, "" }, );
}

TG_TEST(NUM_3_ambiguous_is_unresolved_never_guessed, TG_NEEDS_NOTHING)
{
	CHECK_TEXTS({ "07700900123", NULL, UNRESOLVED, "" },
		    { "00447700900123", NULL, UNRESOLVED, "" },
		    { "7700900123", &britain, UNRESOLVED, "" },	    /* no prefix, bare unstated */
		    { "07700900123456", &britain, UNRESOLVED, "" }, /* longer than the plan */
		    { "07700900123", &wholesale, UNRESOLVED, "" },  /* whose 0? */
		    { "0112025550123", &wholesale, E164, "+2025550123" },
		    { "20255501234", &nanp, UNRESOLVED, "" }, );
	/* 0 0... where the profile has no international prefix: not national either. */
	struct tg_num_profile p = britain;
	struct tg_num n;

	p.international_prefix_len[0] = 0;
	assert_int_equal(tg_num_from_text(span("0012025550"), &p, &n), UNRESOLVED);
	/* A prefix, but no country code to put in its place. */
	p.country_code_len = 0;
	assert_int_equal(tg_num_from_text(span("07700900123"), &p, &n), UNRESOLVED);
}

TG_TEST(NUM_4_forms_that_are_no_number, TG_NEEDS_NOTHING)
{
	CHECK_TEXTS(
		{ "+0012025550123", &britain, MALFORMED, "" },
		{ "++12025550123", NULL, MALFORMED, "" }, { "+0", NULL, MALFORMED, "" },
		{ "+", NULL, MALFORMED, "" }, { "+()", NULL, MALFORMED, "" },
		{ "()", NULL, MALFORMED, "" }, { "+1234567890123456", NULL, MALFORMED, "" },
		{ "1234567890123456", NULL, MALFORMED, "" },
		{ "001234567890123456", &britain, MALFORMED, "" },
		{ "00123456789012345", &britain, E164, "+123456789012345" },
		{ "0001234567", &britain, MALFORMED, "" }, { "0044", &australia, MALFORMED, "" },
		{ "12345678901234567890123456789", &wholesale, MALFORMED, "" },
		{ "+1202555012a", NULL, MALFORMED, "" }, { "1202555012a", NULL, ALPHANUMERIC, "" },
		{ "+12025550123*1", NULL, MALFORMED, "" }, { "alice", NULL, ALPHANUMERIC, "" },
		/* full-width +65 and digits: UTF-8 is text */
		{ "\xef\xbc\x8b\xef\xbc\x96", NULL, ALPHANUMERIC, "" },
		{ "+\xef\xbc\x96\xef\xbc\x95", NULL, MALFORMED, "" },
		{ "1202+5550123", NULL, MALFORMED, "" },
		/* UIFN and global networks have ordinary E.164 form */
		{ "+80012345678", NULL, E164, "+80012345678" },
		{ "+883510012345", NULL, E164, "+883510012345" }, );
}

TG_TEST(NUM_4_short_and_service_codes, TG_NEEDS_NOTHING)
{
	CHECK_TEXTS({ "999", NULL, SHORT, "999" }, { "123456", NULL, SHORT, "123456" },
		    { "1234567", NULL, UNRESOLVED, "" }, { "0800", NULL, SHORT, "0800" },
		    { "1900", &singapore, SHORT, "1900" },
		    { "1234567", &singapore, SHORT, "1234567" },
		    { "08001", &britain, SHORT, "08001" }, { "112", &nanp, SHORT, "112" },
		    { "112", &wholesale, SHORT, "112" }, { "*100%23", NULL, SHORT, "" },
		    { "*31#+12025550123", &britain, SHORT, "" }, { "#", NULL, SHORT, "" }, );
	/* Not all six zeros alike: leading zeros of a short code count. */
	assert_int_not_equal(tg_num_from_feed(span("0123")).v, tg_num_from_feed(span("123")).v);
}

TG_TEST(NUM_5_feed_numbers, TG_NEEDS_NOTHING)
{
	static const struct {
		const char *text;
		enum tg_num_kind kind;
	} cases[] = {
		{ "+959771234567", TG_NUM_E164 },
		{ "+9597", TG_NUM_E164 },
		{ "+123456789012345", TG_NUM_E164 },
		{ "+1234567890123456", TG_NUM_NONE },
		{ "999", TG_NUM_SHORT },
		{ "000", TG_NUM_SHORT },
		{ "123456789012345", TG_NUM_SHORT },
		{ "1234567890123456", TG_NUM_NONE },
		{ "", TG_NUM_NONE },
		{ "+", TG_NUM_NONE },
		{ "+0", TG_NUM_NONE },
		{ "+012345", TG_NUM_NONE },
		{ "++123456", TG_NUM_NONE },
		{ "+1 2025550123", TG_NUM_NONE },
		{ "+1-2025550123", TG_NUM_NONE },
		{ "%2B12025550123", TG_NUM_NONE },
		{ "12a", TG_NUM_NONE },
		{ "+9597*", TG_NUM_NONE },
	};
	char text[TG_NUM_TEXT_MAX];
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		const struct tg_num n = tg_num_from_feed(span(cases[i].text));

		assert_int_equal(tg_num_kind(n), cases[i].kind);
		if (cases[i].kind == TG_NUM_NONE) {
			assert_true(tg_num_is_none(n));
			continue;
		}
		assert_int_equal(tg_num_format(n, text), strlen(cases[i].text));
		assert_string_equal(text, cases[i].text);
	}
	assert_true(tg_num_is_none(tg_num_from_feed((struct tg_span){ NULL, 0 })));
}

/* What longest match rests on: a longer prefix of the same digits is a narrower interval inside. */
TG_TEST(NUM_6_aligned_values_nest_by_prefix, TG_NEEDS_NOTHING)
{
	const struct tg_num full = tg_num_from_feed(span("+959771234567"));
	const char *prefixes[] = { "+95", "+959", "+9597", "+95977", "+959771234567" };
	uint64_t lo = 0, hi = tg_num_pow10(15);
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(prefixes); i++) {
		const struct tg_num p = tg_num_from_feed(span(prefixes[i]));
		const uint64_t first = tg_num_aligned(p);
		const uint64_t width = tg_num_pow10(15 - tg_num_len(p));

		assert_true(first >= lo && first + width <= hi);
		assert_true(tg_num_aligned(full) - first < width);
		lo = first;
		hi = first + width;
	}
}

TG_TEST(num_prefixes_are_tried_longest_first, TG_NEEDS_NOTHING)
{
	struct tg_num_profile p = wholesale;
	struct tg_num n;

	memcpy(p.international_prefix[2], "0019", 4);
	p.international_prefix_len[2] = 4;
	assert_int_equal(tg_num_from_text(span("0019447700900123"), &p, &n), E164);
	assert_int_equal(tg_num_value(n), 447700900123ull);
	/* A length that no profile can have is no prefix, and nothing behind the array is read. */
	p.international_prefix_len[0] = 255;
	p.national_prefix_len = 255;
	p.country_code_len = 255;
	assert_int_equal(tg_num_from_text(span("0044770090012"), &p, &n), UNRESOLVED);
	assert_int_equal(tg_num_from_digits(span("44770090012"), TG_NUM_NATURE_NATIONAL, &p, &n),
			 UNRESOLVED);
}

TG_TEST(SIP_7_escapes_are_undone_once, TG_NEEDS_NOTHING)
{
	CHECK_TEXTS({ "%2B85281234567", NULL, E164, "+85281234567" },
		    { "%2b852%38%31234567", NULL, E164, "+85281234567" },
		    { "%31%32", NULL, SHORT, "12" }, { "%252B85281234567", NULL, ALPHANUMERIC, "" },
		    { "+852%2581234567", NULL, MALFORMED, "" }, { "%2", NULL, MALFORMED, "" },
		    { "%", NULL, MALFORMED, "" }, { "+1202555012%3", NULL, MALFORMED, "" },
		    { "%zz", NULL, MALFORMED, "" }, { "%2g", NULL, MALFORMED, "" },
		    { "%00", NULL, MALFORMED, "" }, { "+12025550123%00", NULL, MALFORMED, "" },
		    { "alice%0d%0a", NULL, MALFORMED, "" }, { "%7f", NULL, MALFORMED, "" },
		    { "%2B+12025550123", NULL, MALFORMED, "" },
		    { "a%6cice", NULL, ALPHANUMERIC, "" }, );
}

/* RFC 3966 §3: they may stand anywhere behind the '+'. */
TG_TEST(SIP_9_visual_separators, TG_NEEDS_NOTHING)
{
	CHECK_TEXTS({ "+1-202-555-0123", NULL, E164, "+12025550123" },
		    { "+1(202)555.0123", NULL, E164, "+12025550123" },
		    { "+(1)2025550123", NULL, E164, "+12025550123" },
		    { "+12025550123-", NULL, E164, "+12025550123" },
		    { "(+1)2025550123", NULL, MALFORMED, "" },
		    { "(202)555-0123", &nanp, E164, "+12025550123" },
		    { "+1 202 555 0123", NULL, MALFORMED, "" },
		    { "1%20202", NULL, ALPHANUMERIC, "" }, { "a-b.c", NULL, ALPHANUMERIC, "" }, );
}

TG_TEST(SIP_13_withheld_and_unavailable_have_many_spellings, TG_NEEDS_NOTHING)
{
	CHECK_TEXTS(
		{ "anonymous", NULL, WITHHELD, "" }, { "Anonymous", NULL, WITHHELD, "" },
		{ "ANONYMOUS", &singapore, WITHHELD, "" }, { "restricted", NULL, WITHHELD, "" },
		{ "Private", NULL, WITHHELD, "" }, { "withheld", NULL, WITHHELD, "" },
		{ "+266696687", NULL, WITHHELD, "" }, { "00266696687", &britain, WITHHELD, "" },
		{ "266696687", &wholesale, WITHHELD, "" }, { "266696687", NULL, UNRESOLVED, "" },
		{ "%61nonymous", NULL, WITHHELD, "" }, { "Unavailable", NULL, UNAVAILABLE, "" },
		{ "unknown", NULL, UNAVAILABLE, "" }, { "asterisk", NULL, UNAVAILABLE, "" },
		{ "0", NULL, UNAVAILABLE, "" }, { "0000000000", &britain, UNAVAILABLE, "" },
		{ "000", &australia, UNAVAILABLE, "" }, { "+000", NULL, MALFORMED, "" },
		{ "anonymous1", NULL, ALPHANUMERIC, "" }, { "anonymou", NULL, ALPHANUMERIC, "" },
		{ "unavailables", NULL, ALPHANUMERIC, "" },
		{ "unavailablesssssssss", NULL, ALPHANUMERIC, "" }, );
}

TG_TEST(num_natures_of_isup_addresses, TG_NEEDS_NOTHING)
{
	static const struct {
		const char *digits;
		enum tg_num_nature nature;
		const struct tg_num_profile *profile;
		enum tg_num_class cls;
		const char *number;
	} cases[] = {
		{ "12025550123", TG_NUM_NATURE_INTERNATIONAL, NULL, E164, "+12025550123" },
		{ "0012025550123", TG_NUM_NATURE_INTERNATIONAL, &britain, MALFORMED, "" },
		{ "266696687", TG_NUM_NATURE_INTERNATIONAL, NULL, WITHHELD, "" },
		{ "112", TG_NUM_NATURE_INTERNATIONAL, NULL, MALFORMED, "" },
		{ "7700900123", TG_NUM_NATURE_NATIONAL, &britain, E164, "+447700900123" },
		{ "7700900123", TG_NUM_NATURE_NATIONAL, NULL, UNRESOLVED, "" },
		/* the nature says that there is no prefix, so none is taken off */
		{ "2025550123", TG_NUM_NATURE_NATIONAL, &nanp, E164, "+12025550123" },
		{ "12025550123", TG_NUM_NATURE_NATIONAL, &nanp, UNRESOLVED, "" },
		{ "999", TG_NUM_NATURE_NATIONAL, &britain, SHORT, "999" },
		{ "91234567", TG_NUM_NATURE_SUBSCRIBER, &singapore, E164, "+6591234567" },
		{ "900123", TG_NUM_NATURE_SUBSCRIBER, &britain, UNRESOLVED, "" },
		{ "900123", TG_NUM_NATURE_SUBSCRIBER, NULL, UNRESOLVED, "" },
		{ "07700900123", TG_NUM_NATURE_UNKNOWN, &britain, E164, "+447700900123" },
		{ "0012025550123", TG_NUM_NATURE_UNKNOWN, &britain, E164, "+12025550123" },
		{ "12025550123", TG_NUM_NATURE_UNKNOWN, NULL, UNRESOLVED, "" },
		{ "1202555012A", TG_NUM_NATURE_INTERNATIONAL, NULL, MALFORMED, "" },
		{ "12B", TG_NUM_NATURE_UNKNOWN, NULL, MALFORMED, "" },
		{ "0000", TG_NUM_NATURE_NATIONAL, &britain, UNAVAILABLE, "" },
		{ "", TG_NUM_NATURE_INTERNATIONAL, NULL, TG_NUM_CLASS_ABSENT, "" },
		{ "1234567890123456", TG_NUM_NATURE_SUBSCRIBER, NULL, MALFORMED, "" },
		{ "12345678901234", TG_NUM_NATURE_NATIONAL, &italy, UNRESOLVED, "" },
	};
	char text[TG_NUM_TEXT_MAX];
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		struct tg_num n = { UINT64_MAX };
		const enum tg_num_class cls = tg_num_from_digits(
			span(cases[i].digits), cases[i].nature, cases[i].profile, &n);

		assert_consistent(cls, n);
		(void)tg_num_format(n, text);
		if (cls != cases[i].cls)
			fail_msg("'%s' nature %d is %s", cases[i].digits, cases[i].nature,
				 tg_num_class_name(cls));
		assert_string_equal(tg_num_is_none(n) ? "" : text, cases[i].number);
	}
}

TG_TEST(num_country_code_makes_sixteen_digits, TG_NEEDS_NOTHING)
{
	struct tg_num_profile p = britain;
	struct tg_num n;

	p.national_max = 0;
	assert_int_equal(tg_num_from_text(span("01234567890123"), &p, &n), E164);
	assert_int_equal(tg_num_len(n), 15);
	assert_int_equal(tg_num_from_text(span("012345678901234"), &p, &n), MALFORMED);
	assert_true(tg_num_is_none(n));
}

TG_TEST(SIP_36_emergency_numbers_as_dialled, TG_NEEDS_NOTHING)
{
	static const char *const yes[] = { "112", "911", "999",	      "000",  "110",
					   "119", "120", "%31%31%32", "9-1-1" };
	static const char *const no[] = { "",	  "11",	  "1120",   "+112", "0112", "113",
					  "*112", "112a", "%2",	    "%00",  "112%", "9999",
					  "111",  "sos",  "112%00", "#911", "1+12" };
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(yes); i++)
		assert_true(tg_num_is_emergency(span(yes[i])));
	for (i = 0; i < TG_ARRAY_LEN(no); i++) {
		if (tg_num_is_emergency(span(no[i])))
			fail_msg("'%s' is no emergency number", no[i]);
	}
}

TG_TEST(num_format_of_none_is_empty, TG_NEEDS_NOTHING)
{
	char text[TG_NUM_TEXT_MAX] = "x";

	assert_int_equal(tg_num_format((struct tg_num){ 0 }, text), 0);
	assert_string_equal(text, "");
}

/* The short cut reads what the long way reads, or says that it cannot. */
static void check_plain(const char *text, uint32_t len)
{
	uint8_t bytes[64];
	struct tg_num plain, number;
	enum tg_num_class cls = TG_NUM_CLASS_COUNT;
	struct tg_span user = { bytes + 16, len };

	memset(bytes, '7', sizeof(bytes)); /* digits all around: none of them may count */
	memcpy(bytes + 16, text, len);
	if (!tg_num_from_plain_text(user, &plain, &cls))
		return;
	assert_int_equal(cls, tg_num_from_text(user, NULL, &number));
	if (cls == TG_NUM_CLASS_E164)
		assert_int_equal(plain.v, number.v);
}

TG_TEST(num_plain_text_is_a_short_cut, TG_NEEDS_NOTHING)
{
	static const char digits[] = "+1987654320123456789";
	enum tg_num_class cls;
	struct tg_num n;
	uint32_t len, at;
	unsigned c;

	for (len = 0; len < sizeof(digits); len++) {
		char text[sizeof(digits)];

		check_plain(digits, len);
		for (at = 0; at < len; at++) {
			for (c = 0; c < 256; c++) {
				memcpy(text, digits, len);
				text[at] = (char)c;
				check_plain(text, len);
			}
		}
	}
	check_plain("+266696687", 10);
	assert_true(tg_num_from_plain_text(
		(struct tg_span){ (const uint8_t *)"sip:........+12025550123" + 12, 12 }, &n,
		&cls));
	assert_int_equal(n.v, tg_num_make(TG_NUM_E164, 11, 12025550123ull).v);
}
