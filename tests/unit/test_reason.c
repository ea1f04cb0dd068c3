/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "tests/support/tg_test.h"
#include "tollgate/num.h"
#include "tollgate/reason.h"

TG_TEST(reason_names_and_kinds, TG_NEEDS_NOTHING)
{
	assert_string_equal(tg_reason_name(TG_REASON_FRAUD), "fraud");
	assert_string_equal(tg_reason_name(TG_REASON_NO_GENERATION), "no_generation");
	assert_int_equal(tg_reason_kind(TG_REASON_UNLISTED), TG_REASON_KIND_VERDICT);
	assert_int_equal(tg_reason_kind(TG_REASON_NOT_SIP), TG_REASON_KIND_PASS);
	assert_int_equal(tg_reason_kind(TG_REASON_FRAGMENT_OVERLAP), TG_REASON_KIND_BLIND);
	assert_int_equal(tg_reason_kind(TG_REASON_ACK_ABSORBED), TG_REASON_KIND_ABSORB);
}

TG_TEST(reason_out_of_range, TG_NEEDS_NOTHING)
{
	assert_string_equal(tg_reason_name(TG_REASON_NONE), "?");
	assert_string_equal(tg_reason_name(UINT32_MAX), "?");
	assert_int_equal(tg_reason_kind(TG_REASON_NONE), TG_REASON_KIND_BLIND);
	assert_int_equal(tg_reason_kind(UINT32_MAX), TG_REASON_KIND_BLIND);
}

/* Names are telemetry keys and metric labels: two of one name would add up. */
TG_TEST(reason_names_are_distinct_labels, TG_NEEDS_NOTHING)
{
	unsigned i, j;

	for (i = 0; i < TG_REASON_COUNT; i++) {
		const char *name = tg_reason_name(i);

		assert_true(strlen(name) > 0);
		assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz_"), strlen(name));
		for (j = 0; j < i; j++)
			assert_string_not_equal(name, tg_reason_name(j));
	}
}

/* A verdict by the form of a number is named as the number's class is. */
TG_TEST(reason_names_follow_number_classes, TG_NEEDS_NOTHING)
{
	static const struct {
		enum tg_reason reason;
		enum tg_num_class cls;
	} pairs[] = {
		{ TG_REASON_NUMBER_ABSENT, TG_NUM_CLASS_ABSENT },
		{ TG_REASON_NUMBER_WITHHELD, TG_NUM_CLASS_WITHHELD },
		{ TG_REASON_NUMBER_UNAVAILABLE, TG_NUM_CLASS_UNAVAILABLE },
		{ TG_REASON_NUMBER_MALFORMED, TG_NUM_CLASS_MALFORMED },
		{ TG_REASON_NUMBER_UNRESOLVED, TG_NUM_CLASS_UNRESOLVED },
		{ TG_REASON_NUMBER_SHORT_CODE, TG_NUM_CLASS_SHORT_CODE },
		{ TG_REASON_NUMBER_ALPHANUMERIC, TG_NUM_CLASS_ALPHANUMERIC },
	};
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(pairs); i++)
		assert_string_equal(tg_reason_name(pairs[i].reason),
				    tg_num_class_name(pairs[i].cls));
}
