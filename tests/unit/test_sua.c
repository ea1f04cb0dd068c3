/* SPDX-License-Identifier: BSD-3-Clause */
/* SUA: what it carries for SCCP's users. */
#include <string.h>

#include "tests/support/tg_test.h"
#include "tollgate/load.h"
#include "tollgate/sua.h"

#define CLDT_LENGTH 104

/* RFC 3868 §3.2.1, parameters not in its order: data with two octets of padding first. */
static const uint8_t
	cldt
		[] = {
			1,    0,    7,	  1,	0,    0,    0,	  CLDT_LENGTH, 0x01,
			0x0b, 0,    6,	  0x62, 0x00, 0,    0,	     /* data */
			0x01, 0x0d, 0,	  8,	0,    0,    0,	  9, /* network appearance */
			0x00, 0x06, 0,	  8,	0,    0,    0,	  12, /* routing context: passed over */
			0x01, 0x03, 0,	  40,	0,    1,    0,	  5, /* destination: route on global title */
			0x80, 0x01, 0,	  18,	0,    0,    0,	  4,	       11,
			0,    1,    4, /* 11 digits, E.164, international */
			0x21, 0x20, 0x55, 0x05, 0x21, 0x03, 0,	  0, /* 12025550123 */
			0x80, 0x03, 0,	  8,	0,    0,    0,	  6, /* SSN HLR */
			0,    0,    0,	  4, /* a parameter that is nothing but a header */
			0x01, 0x02, 0,	  24,	0,    2,    0,	  3, /* source: route on SSN and point code */
			0x80, 0x02, 0,	  8,	0,    0,    0x12, 0x34,	       0x80,
			0x03, 0,    8,	  0,	0,    0,    8,	  0x01,	       0x15,
			0,    8,    0,	  0,	0,    1, /* protocol class: passed over */
		};

static_assert(sizeof(cldt) == CLDT_LENGTH, "as its header says");

static enum tg_reason read_sua(const uint8_t *data, size_t len, struct tg_sua *s)
{
	return tg_sua_read((struct tg_span){ data, (uint32_t)len }, s);
}

TG_TEST(M3_1_sua_parameters_in_any_order, TG_NEEDS_NOTHING)
{
	char text[TG_NUM_TEXT_MAX];
	struct tg_num num;
	struct tg_sua s;

	assert_int_equal(read_sua(cldt, sizeof(cldt), &s), TG_REASON_NONE);
	assert_int_equal(s.message, TG_SUA_CLDT);
	assert_int_equal(s.data.len, 2);
	assert_true(s.has_network_appearance);
	assert_int_equal(s.network_appearance, 9);
	assert_int_equal(s.destination.routing, 1);
	assert_true(s.destination.has_ssn && !s.destination.has_point_code);
	assert_int_equal(s.destination.ssn, 6);
	assert_int_equal(tg_sua_number(&s.destination.title, NULL, &num), TG_NUM_CLASS_E164);
	tg_num_format(num, text);
	assert_string_equal(text, "+12025550123");
	assert_int_equal(s.source.routing, 2);
	assert_true(s.source.has_point_code);
	assert_int_equal(s.source.point_code, 0x1234);
	assert_int_equal(s.source.ssn, 8);
	assert_int_equal(tg_sua_number(&s.source.title, NULL, &num), TG_NUM_CLASS_ABSENT);
	assert_true(tg_num_is_none(num));
}

TG_TEST(SC_1_global_titles_by_indicator_and_nature, TG_NEEDS_NOTHING)
{
	static const uint8_t digits[] = { 0x21, 0x20, 0x55, 0x05, 0x21, 0x03 };
	static const struct tg_num_profile us = {
		.country_code = "1", .country_code_len = 1, .national_min = 10, .national_max = 10
	};
	static const struct {
		uint8_t indicator, plan, nature;
		enum tg_num_class want;
	} cases[] = {
		{ 4, 1, 4, TG_NUM_CLASS_E164 },	      { 4, 1, 1, TG_NUM_CLASS_UNRESOLVED },
		{ 4, 6, 4, TG_NUM_CLASS_UNRESOLVED }, { 1, 0, 4, TG_NUM_CLASS_E164 },
		{ 2, 0, 0, TG_NUM_CLASS_UNRESOLVED },
	};
	struct tg_num num;
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		const struct tg_sua_title t = {
			.indicator = cases[i].indicator,
			.plan = cases[i].plan,
			.nature = cases[i].nature,
			.n_digits = 11,
			.digits = { digits, sizeof(digits) },
		};
		const enum tg_num_class cls = tg_sua_number(&t, &us, &num);

		assert_int_equal(cls, cases[i].want);
		assert_int_equal(tg_num_is_none(num), cls != TG_NUM_CLASS_E164);
	}
}

TG_TEST(M3_3_sua_management_is_not_read, TG_NEEDS_NOTHING)
{
	/* class, type; §3.1.2 */
	static const struct {
		uint8_t message_class, type;
		enum tg_reason want;
	} cases[] = {
		{ 0, 0, TG_REASON_SIGTRAN_OTHER },  { 2, 1, TG_REASON_SIGTRAN_OTHER },
		{ 3, 1, TG_REASON_SIGTRAN_OTHER },  { 4, 1, TG_REASON_SIGTRAN_OTHER },
		{ 9, 1, TG_REASON_SIGTRAN_OTHER },  { 7, 0, TG_REASON_SIGTRAN_OTHER },
		{ 7, 3, TG_REASON_SIGTRAN_OTHER },  { 8, 0, TG_REASON_SIGTRAN_OTHER },
		{ 8, 12, TG_REASON_SIGTRAN_OTHER }, { 1, 1, TG_REASON_SIGTRAN_OTHER },
		{ 7, 2, TG_REASON_NONE },	    { 8, 1, TG_REASON_NONE },
		{ 8, 11, TG_REASON_NONE },
	};
	uint8_t m[sizeof(cldt)];
	struct tg_sua s;
	size_t i;

	memcpy(m, cldt, sizeof(m));
	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		m[2] = cases[i].message_class;
		m[3] = cases[i].type;
		assert_int_equal(read_sua(m, sizeof(m), &s), cases[i].want);
	}
	assert_int_equal(s.message, TG_SUA_CONNECTION);
	m[0] = 2;
	assert_int_equal(read_sua(m, sizeof(m), &s), TG_REASON_SIGTRAN_OTHER);
}

TG_TEST(M3_2_sua_lengths_that_cannot_be, TG_NEEDS_NOTHING)
{
	static const struct {
		unsigned at, value;
	} cases[] = {
		{ 7, 7 },    { 7, CLDT_LENGTH + 4 },
		{ 11, 3 },   { 11, 200 }, /* data */
		{ 43, 3 },   { 43, 34 },
		{ 35, 3 },   /* the title, and the address that it is in */
		{ 48, 13 },  /* digits that do not fit */
		{ 9, 0x0c }, /* no data at all */
	};
	uint8_t m[sizeof(cldt)];
	struct tg_sua s;
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		memcpy(m, cldt, sizeof(m));
		m[cases[i].at] = (uint8_t)cases[i].value;
		assert_int_equal(read_sua(m, sizeof(m), &s), TG_REASON_SIGTRAN_MALFORMED);
	}
}

static void truncated(void *ctx, const uint8_t *data, size_t len)
{
	struct tg_sua s;
	const enum tg_reason reason = read_sua(data, len, &s);

	(void)ctx;
	assert_int_equal(reason,
			 len == sizeof(cldt) ? TG_REASON_NONE : TG_REASON_SIGTRAN_MALFORMED);
}

TG_TEST(sua_truncated_at_each_length, TG_NEEDS_NOTHING)
{
	tg_guard_truncate(cldt, sizeof(cldt), truncated, NULL);
}
