/* SPDX-License-Identifier: BSD-3-Clause */
/* What a policy says of calls over SS7: sinks, conditions on parameters, contradictions with SIP. */
#include <string.h>

#include "tests/support/tg_test.h"
#include "tollgate/policy.h"

/* ---- sinks ------------------------------------------------------------------------------------- */

#define NATIONAL 3
#define INTERNATIONAL 4

static const struct tg_policy_trunk uk = {
	.sink = "+441632960999",
	.profile = { .country_code_len = 2, .country_code = "44" },
};

/* `want` NULL: there are none. */
static void expect_sink(const struct tg_policy_trunk *t, const char *answer, unsigned nature,
			const char *want)
{
	const unsigned n = want ? (unsigned)strlen(want) : 12;
	char digits[33];

	memset(digits, 'x', sizeof(digits));
	assert_int_equal(tg_policy_sink_digits(t, answer, nature, n, digits), want != NULL);
	if (want)
		assert_memory_equal(digits, want, n);
	assert_int_equal(digits[want ? n : 0], 'x'); /* nothing written behind, or at all */
}

TG_TEST(IS_11_sink_has_the_form_and_the_length_of_the_called_number, TG_NEEDS_NOTHING)
{
	expect_sink(&uk, "", INTERNATIONAL, "441632960999");
	expect_sink(&uk, "", INTERNATIONAL, "44163296099900");
	expect_sink(&uk, "", NATIONAL, "1632960999");
	expect_sink(&uk, "", NATIONAL, "163296099900000000000000");
	expect_sink(&uk, "+442079460999", INTERNATIONAL, "442079460999"); /* the answer's own */
	expect_sink(&uk, "+442079460999", NATIONAL, "2079460999");
}

TG_TEST(IS_11_no_sink_where_its_digits_have_no_place, TG_NEEDS_NOTHING)
{
	static const struct tg_policy_trunk none = { .profile = { .country_code_len = 0 } };
	struct tg_policy_trunk t = uk;
	char digits[12] = "x";
	unsigned nature;

	for (nature = 0; nature < 128; nature++)
		if (nature != NATIONAL && nature != INTERNATIONAL)
			expect_sink(&uk, "", nature, NULL);
	assert_false(tg_policy_sink_digits(&uk, "", INTERNATIONAL, 11, digits));
	assert_false(tg_policy_sink_digits(&uk, "", NATIONAL, 9, digits));
	assert_false(tg_policy_sink_digits(&uk, "", INTERNATIONAL, 0, digits));
	assert_int_equal(digits[0], 'x');
	expect_sink(&none, "", INTERNATIONAL, NULL);
	/* Of another country, or of one that the trunk does not name: no national form. */
	expect_sink(&uk, "+12025550199", NATIONAL, NULL);
	expect_sink(&none, "+441632960999", NATIONAL, NULL);
	expect_sink(&none, "+441632960999", INTERNATIONAL, "441632960999");
	/* Nothing but the country code would be left of it. */
	expect_sink(&uk, "+44", NATIONAL, NULL);
	/* Without a '+' nobody says in what form it is. */
	expect_sink(&uk, "6599", INTERNATIONAL, NULL);
	/* No sink is longer than a called number of full length, in either form. */
	memcpy(t.sink, "+441632960999123", sizeof("+441632960999123"));
	expect_sink(&t, "", INTERNATIONAL, "441632960999123");
	expect_sink(&t, "", NATIONAL, "1632960999123");
}
