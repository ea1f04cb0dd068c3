/* SPDX-License-Identifier: BSD-3-Clause */
/* The word itself: powers, text form, feed form, names of classes. */
#include "tollgate/num.h"

static_assert(sizeof(struct tg_num) == 8, "a number is one word: tables and images rely on it");

static const char *const class_names[TG_NUM_CLASS_COUNT] = {
#define X(sym, name) name,
	TG_NUM_CLASSES(X)
#undef X
};

const char *tg_num_class_name(unsigned cls)
{
	return cls < TG_NUM_CLASS_COUNT ? class_names[cls] : "?";
}

uint64_t tg_num_pow10(unsigned e)
{
	/* 16 entries of 8 bytes: two cache lines, against up to 15 dependent multiplications. */
	static const uint64_t pow10[TG_NUM_MAX_DIGITS + 1] = {
		1ull,
		10ull,
		100ull,
		1000ull,
		10000ull,
		100000ull,
		1000000ull,
		10000000ull,
		100000000ull,
		1000000000ull,
		10000000000ull,
		100000000000ull,
		1000000000000ull,
		10000000000000ull,
		100000000000000ull,
		1000000000000000ull,
	};

	return pow10[e & TG_NUM_MAX_DIGITS];
}

struct tg_num tg_num_from_feed(struct tg_span text)
{
	const struct tg_num none = { 0 };
	const bool plus = text.len > 0 && text.data[0] == '+';
	const uint32_t n = text.len - plus;
	uint64_t value = 0;
	uint32_t i;

	if (n == 0 || n > TG_NUM_MAX_DIGITS)
		return none;
	for (i = plus; i < text.len; i++) {
		const unsigned digit = text.data[i] - (unsigned)'0';

		if (digit > 9)
			return none;
		value = value * 10 + digit;
	}
	if (!plus)
		return tg_num_make(TG_NUM_SHORT, n, value);
	return text.data[1] == '0' ? none : tg_num_make(TG_NUM_E164, n, value);
}

unsigned tg_num_format(struct tg_num n, char buf[TG_NUM_TEXT_MAX])
{
	const unsigned plus = tg_num_kind(n) == TG_NUM_E164;
	const unsigned len = tg_num_len(n);
	uint64_t value = tg_num_value(n);
	unsigned i;

	buf[0] = '+';
	for (i = len; i > 0; i--) {
		buf[plus + i - 1] = (char)('0' + value % 10);
		value /= 10;
	}
	buf[plus + len] = 0;
	return plus + len;
}
