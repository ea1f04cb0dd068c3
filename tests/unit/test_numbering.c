/* SPDX-License-Identifier: BSD-3-Clause */
/* The whole plan is compared with libphonenumber by tests/system/test_numbering.sh. */
#include <string.h>

#include "tests/support/tg_test.h"
#include "tollgate/numbering.h"

struct numbering_case {
	const char *number;
	const char *state;
	const char *type;
	uint16_t code;
	const char *region;
};

static struct tg_num number(const char *text)
{
	const struct tg_span s = { (const uint8_t *)text, (uint32_t)strlen(text) };

	return tg_num_from_feed(s);
}

static void check_numbers(const struct numbering_case *cases, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		const struct numbering_case *c = &cases[i];
		const struct tg_numbering got = tg_numbering_find(number(c->number));

		if (strcmp(tg_numbering_state_name(got.state), c->state) != 0 ||
		    strcmp(tg_numbering_type_name(got.type), c->type) != 0 ||
		    got.country_code != c->code || strcmp(got.region, c->region) != 0)
			fail_msg("%s is %s %s +%u %s", c->number,
				 tg_numbering_state_name(got.state),
				 tg_numbering_type_name(got.type), got.country_code, got.region);
	}
}

TG_TEST(NUM_4_numbering_plans_of_the_world, TG_NEEDS_NOTHING)
{
	static const struct numbering_case cases[] = {
		{ "+442079460123", "valid", "fixed", 44, "GB" },
		{ "+447700900123", "no_range", "unknown", 44, "GB" }, /* drama */
		{ "+447400123456", "valid", "mobile", 44, "GB" },
		{ "+441534456789", "valid", "fixed", 44, "JE" },
		{ "+441481256789", "valid", "fixed", 44, "GG" },
		{ "+12025550123", "valid", "fixed_or_mobile", 1, "US" },
		{ "+12425550123", "no_range", "unknown", 1, "US" },
		{ "+12423591234", "valid", "mobile", 1, "BS" },
		{ "+18005550199", "valid", "toll_free", 1, "US" },
		{ "+11234567890", "no_range", "unknown", 1, "US" },
		{ "+1202555012", "length", "unknown", 1, "US" },
		{ "+74951234567", "valid", "fixed", 7, "RU" },
		{ "+77123456789", "valid", "fixed", 7, "KZ" },
		{ "+390612345678", "valid", "fixed", 39, "IT" }, /* the zero stays */
		{ "+3961234567890", "no_range", "unknown", 39, "IT" },
		{ "+5491123456789", "valid", "mobile", 54, "AR" },
		{ "+493012345", "valid", "fixed", 49, "DE" }, /* lengths vary */
		{ "+49301234567", "valid", "fixed", 49, "DE" },
		{ "+6591234567", "valid", "mobile", 65, "SG" },
		{ "+6561234567", "valid", "fixed", 65, "SG" },
		{ "+85221234567", "valid", "fixed", 852, "HK" },
		{ "+85251234567", "valid", "mobile", 852, "HK" },
		{ "+8613123456789", "valid", "mobile", 86, "CN" },
		{ "+61491570156", "valid", "mobile", 61, "AU" },
		{ "+80012345678", "valid", "toll_free", 800, "001" }, /* UIFN */
		{ "+882131234567", "no_range", "unknown", 882, "001" },
		{ "+979123456789", "valid", "premium", 979, "001" },
	};

	check_numbers(cases, TG_ARRAY_LEN(cases));
}

TG_TEST(NUM_4_unassigned_country_codes, TG_NEEDS_NOTHING)
{
	static const struct numbering_case cases[] = {
		{ "+2101234567", "no_country", "unknown", 0, "" },
		{ "+38812345678", "no_country", "unknown", 0, "" },
		{ "+69812345678", "no_country", "unknown", 0, "" },
		{ "+999123456789", "no_country", "unknown", 0, "" },
		{ "+44", "length", "unknown", 44, "GB" },
		{ "+85", "no_country", "unknown", 0, "" },
		{ "999", "not_e164", "unknown", 0, "" },
		{ "", "not_e164", "unknown", 0, "" },
	};

	check_numbers(cases, TG_ARRAY_LEN(cases));
}

TG_TEST(numbering_answers_every_word, TG_NEEDS_NOTHING)
{
	uint64_t x = 88172645463325252ull;
	unsigned i;

	for (i = 0; i < 200000; i++) {
		struct tg_numbering got;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		got = tg_numbering_find((struct tg_num){ x }); /* also words that are no number */
		assert_true(got.state < TG_NUMBERING_STATE_COUNT);
		assert_true(got.type < TG_NUMBERING_TYPE_COUNT);
		assert_int_equal(got.state == TG_NUMBERING_VALID,
				 got.type != TG_NUMBERING_TYPE_UNKNOWN);
	}
	assert_string_equal(tg_numbering_state_name(TG_NUMBERING_STATE_COUNT), "?");
	assert_string_equal(tg_numbering_type_name(TG_NUMBERING_TYPE_COUNT), "?");
}
