/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "dataplane/flow/circuits.h"
#include "tests/support/tg_test.h"

#define LIFE TG_CIRCUITS_LIFE_MS

static struct tg_circuits *make(uint32_t entries)
{
	return tg_circuits_init(tg_test_block(tg_circuits_size(entries)), entries);
}

static struct tg_span span(const char *text)
{
	return (struct tg_span){ (const uint8_t *)text, (uint32_t)strlen(text) };
}

static void expect_span(struct tg_span got, const char *want)
{
	assert_int_equal(got.len, strlen(want));
	assert_memory_equal(got.data, want, got.len);
}

/* `digits` NULL: nothing is known. */
static void expect(struct tg_circuits *c, uint64_t circuit, uint64_t now, const char *iam,
		   const char *digits)
{
	struct tg_circuits_call call;

	assert_int_equal(tg_circuits_find(c, circuit, now, &call), digits != NULL);
	if (digits) {
		expect_span(call.iam, iam);
		expect_span(call.digits, digits);
	} else {
		assert_null(call.iam.data);
		assert_null(call.digits.data);
	}
}

static bool add(struct tg_circuits *c, uint64_t circuit, uint32_t tsn, const char *digits,
		uint64_t now)
{
	struct tg_circuits_call call;
	const bool known = tg_circuits_add(c, circuit, tsn, span(digits), now, &call);

	assert_int_equal(known, call.iam.data != NULL);
	return known;
}

/* Each a new one. */
static void begin(struct tg_circuits *c, uint64_t circuit, struct tg_span iam, uint64_t now)
{
	static uint32_t tsn;

	tg_circuits_begin(c, circuit, tsn++, iam, now);
}

TG_TEST(IS_3_idle_only_when_no_call_is_known, TG_NEEDS_NOTHING)
{
	struct tg_circuits *c = make(64);

	assert_true(tg_circuits_idle(c, 0));
	begin(c, 7, span("iam"), 1000);
	assert_false(tg_circuits_idle(c, 1000 + TG_CIRCUITS_LIFE_MS - 1));
	assert_true(tg_circuits_idle(c, 1000 + TG_CIRCUITS_LIFE_MS));
	assert_true(add(c, 7, 1, "1", 1000 + TG_CIRCUITS_LIFE_MS - 1));
	assert_false(tg_circuits_idle(c, 1000 + 2 * TG_CIRCUITS_LIFE_MS - 2));
	expect(c, 7, 1000 + 2 * TG_CIRCUITS_LIFE_MS - 2, "iam", "1");
	assert_true(tg_circuits_idle(c, 1000 + 2 * TG_CIRCUITS_LIFE_MS - 1));
	free(c);
}

TG_TEST(IS_3_digits_of_sams_are_added, TG_NEEDS_NOTHING)
{
	struct tg_circuits *c = make(64);
	struct tg_circuits_call call;

	assert_false(add(c, 7, 1, "1", 0)); /* no IAM */
	begin(c, 7, span("iam"), 0);
	expect(c, 7, 0, "iam", "");
	assert_true(add(c, 7, 10, "12", 100));
	assert_true(tg_circuits_add(c, 7, 12, span("3"), 200, &call));
	expect_span(call.iam, "iam");
	expect_span(call.digits, "123");
	assert_true(add(c, 7, 14, "", 200)); /* ST alone */
	expect(c, 7, 200, "iam", "123");
	expect(c, 8, 200, NULL, NULL);
	tg_circuits_end(c, 7);
	expect(c, 7, 200, NULL, NULL);
	assert_false(add(c, 7, 16, "4", 200));
	free(c);
}

TG_TEST(IS_3_retransmitted_sam_adds_nothing, TG_NEEDS_NOTHING)
{
	struct tg_circuits *c = make(64);

	begin(c, 7, span("iam"), 0);
	assert_true(add(c, 7, 10, "12", 0));
	assert_true(add(c, 7, 10, "12", 0));
	assert_true(add(c, 7, 11, "12", 0)); /* the same digits, dialled again */
	assert_true(add(c, 7, 10, "12", 0));
	assert_true(add(c, 7, 11, "12", 0));
	expect(c, 7, 0, "iam", "1212");
	free(c);
}

/* Lost and sent again, it comes behind a later one; the exchange gets them in order of the stream. TSNs wrap. */
TG_TEST(IS_3_sams_out_of_order, TG_NEEDS_NOTHING)
{
	static const struct {
		uint32_t tsn;
		const char *digits;
		const char *all;
	} sams[] = { { UINT32_MAX, "34", "34" }, { 2, "7", "347" },
		     { 0, "56", "34567" },	 { UINT32_MAX - 5, "12", "1234567" },
		     { 0, "56", "1234567" },	 { 1, "A", "123456A7" } };
	struct tg_circuits *c = make(64);
	unsigned i;

	begin(c, 7, span("iam"), 0);
	for (i = 0; i < TG_ARRAY_LEN(sams); i++) {
		assert_true(add(c, 7, sams[i].tsn, sams[i].digits, 0));
		expect(c, 7, 0, "iam", sams[i].all);
	}
	free(c);
}

/* Each address signal starts the timer anew (Q.764 §2.1.2). */
TG_TEST(IS_3_calls_age_out, TG_NEEDS_NOTHING)
{
	struct tg_circuits *c = make(64);

	begin(c, 7, span("iam"), 1000);
	expect(c, 7, 1000 + LIFE - 1, "iam", "");
	expect(c, 7, 1000 + LIFE, NULL, NULL);
	assert_true(add(c, 7, 10, "1", 1000 + LIFE - 1));
	expect(c, 7, 1000 + 2 * LIFE - 2, "iam", "1");
	expect(c, 7, 1000 + 2 * LIFE - 1, NULL, NULL);
	assert_false(add(c, 7, 11, "2", 1000 + 2 * LIFE - 1));
	free(c);
}

TG_TEST(IS_3_too_many_digits, TG_NEEDS_NOTHING)
{
	struct tg_circuits *c = make(64);
	char want[TG_CIRCUITS_DIGITS_MAX + 1] = "";
	uint32_t i;

	begin(c, 7, span("iam"), 0);
	for (i = 0; i < TG_CIRCUITS_DIGITS_MAX; i++) {
		const char digit[] = { (char)('0' + i % 10), 0 };

		assert_true(add(c, 7, i, digit, 0));
		want[i] = digit[0];
	}
	expect(c, 7, 0, "iam", want);
	assert_true(add(c, 7, 3, "3", 0)); /* a repetition needs no room */
	assert_false(add(c, 7, i, "1", 0));
	expect(c, 7, 0, NULL, NULL);
	begin(c, 7, span("iam"), 0);
	assert_true(add(c, 7, 1, "12345678901234567890123456789012", 0));
	begin(c, 7, span("iam"), 0);
	assert_false(add(c, 7, 1, "123456789012345678901234567890123", 0));
	expect(c, 7, 0, NULL, NULL);
	free(c);
}

/* Sent again although digits have followed: they still belong to it. */
TG_TEST(IS_3_retransmitted_iam_keeps_the_digits, TG_NEEDS_NOTHING)
{
	struct tg_circuits *c = make(64);

	tg_circuits_begin(c, 7, 9, span("iam"), 1000);
	assert_true(add(c, 7, 10, "1", 1000));
	tg_circuits_begin(c, 7, 9, span("iam"), 1001);
	expect(c, 7, 1001, "iam", "1");
	/* The next call is dialled alike; and what has the TSN is not that IAM. */
	tg_circuits_begin(c, 7, 11, span("iam"), 1002);
	expect(c, 7, 1002, "iam", "");
	assert_true(add(c, 7, 12, "1", 1002));
	tg_circuits_begin(c, 7, 11, span("iAm"), 1003);
	expect(c, 7, 1003, "iAm", "");
	/* Forgotten meanwhile. */
	tg_circuits_begin(c, 7, 11, span("iAm"), 1003 + LIFE);
	expect(c, 7, 1003 + LIFE, "iAm", "");
	free(c);
}

/* A new call on the same circuit knows nothing of the old one's digits. */
TG_TEST(IS_8_second_iam_on_a_circuit, TG_NEEDS_NOTHING)
{
	struct tg_circuits *c = make(64);

	begin(c, 7, span("iam"), 0);
	assert_true(add(c, 7, 10, "1", 0));
	begin(c, 7, span("another"), 0);
	expect(c, 7, 0, "another", "");
	assert_true(add(c, 7, 10, "2", 0));
	expect(c, 7, 0, "another", "2");
	free(c);
}

/* An SGM has no digits; what it is added to is the IAM (with the longest that is kept, and longer ones). */
TG_TEST(IS_4_iam_is_kept, TG_NEEDS_NOTHING)
{
	struct tg_circuits *c = make(64);
	char iam[TG_CIRCUITS_IAM_MAX + 2];
	struct tg_guard g;

	memset(iam, 'x', sizeof(iam));
	iam[sizeof(iam) - 1] = 0;
	g = tg_guard_copy(iam, sizeof(iam) - 2);
	tg_circuits_begin(c, 7, 1, (struct tg_span){ g.data, (uint32_t)g.len }, 0);
	tg_guard_free(&g);
	iam[sizeof(iam) - 2] = 0;
	expect(c, 7, 0, iam, "");
	iam[sizeof(iam) - 2] = 'x';
	begin(c, 7, span(iam), 0);
	expect(c, 7, 0, NULL, NULL); /* nor the earlier one */
	begin(c, 7, span("iam"), 0);
	begin(c, 7, span(""), 0);
	expect(c, 7, 0, NULL, NULL);
	free(c);
}

/* Who was heard of longest ago is forgotten. */
TG_TEST(OP_9_full_set_forgets_the_oldest_call, TG_NEEDS_NOTHING)
{
	struct tg_circuits *c = make(TG_CIRCUITS_WAYS); /* one set */
	uint64_t i;

	assert_int_equal(tg_circuits_size(TG_CIRCUITS_WAYS), tg_circuits_size(0));
	for (i = 0; i < TG_CIRCUITS_WAYS; i++)
		begin(c, i, span("iam"), i);
	assert_true(add(c, 0, 10, "1", 50));
	begin(c, 99, span("another"), 51);
	expect(c, 0, 51, "iam", "1");
	expect(c, 1, 51, NULL, NULL);
	expect(c, 2, 51, "iam", "");
	expect(c, 99, 51, "another", "");
	/* An ended one leaves its place. */
	tg_circuits_end(c, 99);
	begin(c, 100, span("third"), 52);
	expect(c, 0, 52, "iam", "1");
	expect(c, 2, 52, "iam", "");
	expect(c, 3, 52, "iam", "");
	expect(c, 100, 52, "third", "");
	free(c);
}
