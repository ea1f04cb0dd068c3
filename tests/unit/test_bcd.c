/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "tests/support/tg_test.h"
#include "tollgate/num.h"

#define CAP 32

struct bcd_case {
	const char *octets;
	uint32_t len;
	bool odd;
	const char *digits;
};

static const struct bcd_case cases[] = {
	{ "", 0, false, "" },
	{ "", 0, true, "" },
	{ "\x44\x77\x00\x09\x10\x32", 6, false, "447700900123" },
	{ "\x21\x20\x55\x05\x21\x03", 6, true, "12025550123" },
	/* the filler of an odd count is not looked at: 0 by Q.763, anything in the field */
	{ "\x21\xf3", 2, true, "123" },
	{ "\x21\x73", 2, true, "123" },
	/* ST ends the address wherever it stands, also in the low nibble, also before an odd end */
	{ "\x21\xf3", 2, false, "123" },
	{ "\x21\x43\x0f", 3, false, "1234" },
	{ "\x21\x0f\x43", 3, true, "12" },
	{ "\x0f", 1, false, "" },
	{ "\x0f", 1, true, "" },
	{ "\xff\xff", 2, false, "" },
	/* codes 11 and 12, spares */
	{ "\xba\xdc\xfe", 3, false, "ABCDE" },
};

TG_TEST(IS_2_bcd_order_filler_and_end_of_pulsing, TG_NEEDS_NOTHING)
{
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		const struct tg_span s = { (const uint8_t *)cases[i].octets, cases[i].len };
		const size_t want = strlen(cases[i].digits);
		char digits[CAP];

		assert_int_equal(tg_bcd_decode(s, cases[i].odd, digits, CAP), want);
		assert_memory_equal(digits, cases[i].digits, want);
	}
}

TG_TEST(bcd_never_writes_past_cap, TG_NEEDS_NOTHING)
{
	size_t i;
	unsigned cap;

	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		const struct tg_span s = { (const uint8_t *)cases[i].octets, cases[i].len };
		const unsigned want = (unsigned)strlen(cases[i].digits);

		for (cap = 0; cap <= want; cap++) {
			char digits[CAP + 1];
			int got;

			memset(digits, '~', sizeof(digits));
			got = tg_bcd_decode(s, cases[i].odd, digits, cap);
			assert_int_equal(got, cap < want ? -1 : (int)want);
			assert_int_equal(digits[cap], '~');
		}
	}
}

/* What has less room than 16 is read one by one; all octets, each in each place, with each of them before it. */
TG_TEST(IS_2_bcd_all_at_once_is_as_one_by_one, TG_NEEDS_NOTHING)
{
	char want[16], got[CAP];
	uint8_t octets[8];
	unsigned value, at, len, odd;

	for (value = 0; value < 256 * 256; value++) {
		for (len = 4; len <= sizeof(octets); len++) {
			const struct tg_span s = { octets, len };

			memset(octets, 0x21, sizeof(octets));
			at = value % (len - 1);
			octets[at] = (uint8_t)(value >> 8);
			octets[at + 1] = (uint8_t)value;
			for (odd = 0; odd < 2; odd++) {
				const int n = tg_bcd_decode(s, odd, want, 15);
				const int m = tg_bcd_decode(s, odd, got, CAP);

				assert_int_equal(m, n < 0 ? 16 : n);
				assert_memory_equal(got, want, n < 0 ? 15 : n);
			}
		}
	}
}

static void check_truncated(void *ctx, const uint8_t *data, size_t len)
{
	const struct bcd_case *c = ctx;
	const struct tg_span s = { data, (uint32_t)len };
	char digits[CAP];
	const int n = tg_bcd_decode(s, c->odd, digits, CAP);

	/* All but the last octet read the same, whatever follows. */
	assert_in_range(n, 0, 2 * len);
	if (n > 2 && len < c->len)
		assert_memory_equal(digits, c->digits, (size_t)n - 1);
}

TG_TEST(bcd_truncated_at_each_length, TG_NEEDS_NOTHING)
{
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(cases); i++)
		tg_guard_truncate(cases[i].octets, cases[i].len, check_truncated,
				  (void *)&cases[i]);
}

TG_TEST(IS_2_codes_11_and_12_resolve_to_no_number, TG_NEEDS_NOTHING)
{
	const struct tg_span octets = { (const uint8_t *)"\x21\x20\x55\x05\x21\xb3", 6 };
	struct tg_num n;
	char digits[CAP];
	const int len = tg_bcd_decode(octets, false, digits, CAP);

	assert_int_equal(len, 12);
	assert_int_equal(tg_num_from_digits((struct tg_span){ (uint8_t *)digits, (uint32_t)len },
					    TG_NUM_NATURE_INTERNATIONAL, NULL, &n),
			 TG_NUM_CLASS_MALFORMED);
	assert_true(tg_num_is_none(n));
}
