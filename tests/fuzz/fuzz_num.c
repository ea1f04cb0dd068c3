/* SPDX-License-Identifier: BSD-3-Clause */
/* Octets: profile bits, nature, then a user part that is also read as digits, BCD and a feed's. */
#include <string.h>

#include "tollgate/num.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BCD_MAX 64
#define TEXT_MAX 64

static void must(bool holds)
{
	if (!holds)
		__builtin_trap();
}

static void check(enum tg_num_class cls, struct tg_num n)
{
	char text[TG_NUM_TEXT_MAX];
	unsigned len;

	must(cls < TG_NUM_CLASS_COUNT);
	must((cls == TG_NUM_CLASS_E164) == (tg_num_kind(n) == TG_NUM_E164));
	must(tg_num_is_none(n) || cls == TG_NUM_CLASS_E164 || cls == TG_NUM_CLASS_SHORT_CODE);
	if (tg_num_is_none(n))
		return;
	must(tg_num_aligned(n) < tg_num_pow10(TG_NUM_MAX_DIGITS));
	len = tg_num_format(n, text);
	must(tg_num_from_feed((struct tg_span){ (const uint8_t *)text, len }).v == n.v);
}

/* A separator at the end changes no number, but takes the general way through the text. */
static void check_general(struct tg_span s, const struct tg_num_profile *p, struct tg_num want)
{
	uint8_t text[TEXT_MAX + 1];
	struct tg_num n;

	if (s.len > TEXT_MAX)
		return;
	memcpy(text, s.data, s.len);
	text[s.len] = '-';
	if (tg_num_from_text((struct tg_span){ text, s.len + 1 }, p, &n) == TG_NUM_CLASS_E164 ||
	    tg_num_kind(want) == TG_NUM_E164)
		must(n.v == want.v);
}

static struct tg_num_profile make_profile(uint8_t bits)
{
	struct tg_num_profile p = {
		.country_code = "44",
		.country_code_len = bits & 1 ? 2 : 0,
		.national_prefix = "0",
		.national_prefix_len = bits >> 1 & 1,
		.international_prefix = { "00", "0011", "1" },
		.international_prefix_len = { 2, bits >> 2 & 4, bits >> 3 & 1 },
		.national_min = bits >> 5 & 1 ? 7 : 0,
		.national_max = bits >> 5 & 1 ? 10 : 0,
	};

	p.bare = bits >> 6 < 3 ? bits >> 6 : 0;
	return p;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tg_num_profile profile;
	char digits[2 * BCD_MAX];
	enum tg_num_class cls;
	struct tg_span s;
	struct tg_num n;
	int len;

	if (size < 2)
		return 0;
	profile = make_profile(data[0]);
	s = (struct tg_span){ data + 2, (uint32_t)(size - 2) };
	cls = tg_num_from_text(s, &profile, &n);
	check(cls, n);
	must(!tg_num_is_emergency(s) || cls != TG_NUM_CLASS_E164);
	check_general(s, &profile, n);
	cls = tg_num_from_text(s, NULL, &n);
	check(cls, n);
	cls = tg_num_from_digits(s, data[1] % 5u, &profile, &n);
	check(cls, n);
	len = tg_bcd_decode(s, data[1] & 0x80, digits, sizeof(digits));
	must(len >= -1 && len <= (int)sizeof(digits));
	must(s.len > BCD_MAX || len >= 0);
	if (len >= 0) {
		cls = tg_num_from_digits((struct tg_span){ (uint8_t *)digits, (uint32_t)len },
					 data[1] % 5u, &profile, &n);
		check(cls, n);
	}
	return 0;
}
