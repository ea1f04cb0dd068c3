/* SPDX-License-Identifier: BSD-3-Clause */
/* Decimal digits eight at a time, for the forms that nearly every number on a trunk has. */
#ifndef TG_DIGITS_H
#define TG_DIGITS_H

#include "tollgate/load.h"
#include "tollgate/num.h"

#define TG_DIGITS_MIN 8
#define TG_DIGITS_MAX 16

/* The first character in the lowest byte, on any machine. */
static inline uint64_t tg_digits_load8(const uint8_t *p)
{
	const uint64_t v = tg_load_u64(p);

	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? v : __builtin_bswap64(v);
}

/* Eight times 0x30-0x39? The high nibble is 3 now and, unless there is a carry, after adding 6. */
static inline bool tg_digits_all8(uint64_t chars)
{
	const uint64_t high = 0xf0f0f0f0f0f0f0f0ull;

	return ((chars & high) | ((chars + 0x0606060606060606ull) & high) >> 4) ==
	       0x3333333333333333ull;
}

/* Eight digit values, one a byte, most significant in the lowest byte: pairs, fours, all. */
static inline uint64_t tg_digits_value8(uint64_t d)
{
	d = (d * 10 + (d >> 8)) & 0x00ff00ff00ff00ffull;
	d = (d * 100 + (d >> 16)) & 0x0000ffff0000ffffull;
	return (d * 10000 + (d >> 32)) & 0xffffffffull;
}

/*
 * The value of n digits, TG_DIGITS_MIN <= n <= TG_DIGITS_MAX; false if one of them is none. Two
 * loads that overlap where n < 16, so no byte outside is read; what the second has twice counts as zero.
 */
static inline bool tg_digits_value(const uint8_t *p, uint32_t n, uint64_t *value)
{
	const uint64_t zeros = 0x3030303030303030ull;
	const uint64_t head = tg_digits_load8(p), tail = tg_digits_load8(p + n - 8);
	static const uint32_t scale[9] = { 1,	   10,	    100,      1000,	10000,
					   100000, 1000000, 10000000, 100000000 };
	const unsigned rest = n - 8;
	uint64_t low;

	if (!tg_digits_all8(head) || !tg_digits_all8(tail))
		return false;
	low = rest ? (tail - zeros) & ~0ull << 8 * (8 - rest) : 0;
	*value = tg_digits_value8(head - zeros) * scale[rest] + tg_digits_value8(low);
	return true;
}

#if defined(__SSE4_1__)
#include <immintrin.h>

/*
 * The value of the n <= 16 digits that end at `end`; the 16 bytes before it may be read. All at once:
 * bytes to pairs, fours and eights of digits, each by one multiplication and addition.
 */
static inline bool tg_digits_value_before(const uint8_t *end, uint32_t n, uint64_t *value)
{
	static const uint8_t keep[32] = { [16 ... 31] = 0xff };
	const __m128i tens = _mm_set1_epi16(0x010a), hundreds = _mm_set1_epi32(0x00010064);
	const __m128i myriads = _mm_set1_epi32(0x00012710), nine = _mm_set1_epi8(9);
	__m128i d = _mm_loadu_si128((const __m128i *)(const void *)(end - 16));
	uint64_t halves;

	d = _mm_and_si128(_mm_sub_epi8(d, _mm_set1_epi8('0')),
			  _mm_loadu_si128((const __m128i *)(const void *)(keep + n)));
	if (!_mm_testz_si128(_mm_subs_epu8(d, nine), _mm_set1_epi8(-1)))
		return false;
	d = _mm_madd_epi16(_mm_maddubs_epi16(d, tens), hundreds);
	d = _mm_madd_epi16(_mm_packus_epi32(d, d), myriads);
	halves = (uint64_t)_mm_cvtsi128_si64(d);
	*value = (halves & 0xffffffff) * 100000000 + (halves >> 32);
	return true;
}
#else
static inline bool tg_digits_value_before(const uint8_t *end, uint32_t n, uint64_t *value)
{
	return tg_digits_value(end - n, n, value);
}
#endif

/* +266696687: the letters A N O N Y M O U S on a telephone's keys. */
#define TG_NUM_SPELLS_ANONYMOUS 266696687u

/* The only way to an E.164 number: `len` digits of this value that do not begin with 0. Shorter
 * than four is no country code with a subscriber: nothing to call. */
static inline enum tg_num_class tg_num_finish_e164(uint64_t value, uint32_t len, struct tg_num *out)
{
	if (len < 4 || len > TG_NUM_MAX_DIGITS)
		return TG_NUM_CLASS_MALFORMED;
	if (value == TG_NUM_SPELLS_ANONYMOUS)
		return TG_NUM_CLASS_WITHHELD;
	*out = tg_num_make(TG_NUM_E164, len, value);
	return TG_NUM_CLASS_E164;
}

/*
 * tg_num_from_digits for what nearly every number over SS7 is, 8 to 15 digits of an international number, where the 16
 * bytes that end with them may be read. False: anything else.
 */
static inline bool tg_num_from_plain_digits(struct tg_span digits, struct tg_num *out,
					    enum tg_num_class *cls)
{
	uint64_t value;

	if (digits.len - TG_DIGITS_MIN > TG_NUM_MAX_DIGITS - TG_DIGITS_MIN ||
	    digits.data[0] == '0' ||
	    !tg_digits_value_before(digits.data + digits.len, digits.len, &value))
		return false;
	*cls = tg_num_finish_e164(value, digits.len, out);
	return true;
}

/*
 * tg_num_from_text for the form that nearly all have, '+' and 8 to 15 digits, where the 16 bytes that end with
 * the user part may be read (as in a message, behind a scheme): in a tenth of the time. False: any other form.
 */
static inline bool tg_num_from_plain_text(struct tg_span user, struct tg_num *out,
					  enum tg_num_class *cls)
{
	uint64_t value;

	if (user.len - 1 - TG_DIGITS_MIN > TG_NUM_MAX_DIGITS - TG_DIGITS_MIN ||
	    user.data[0] != '+' || user.data[1] == '0' ||
	    !tg_digits_value_before(user.data + user.len, user.len - 1, &value))
		return false;
	*cls = tg_num_finish_e164(value, user.len - 1, out);
	return true;
}

#endif
