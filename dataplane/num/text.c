/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The user part of a URI -> digits, a word, or neither. One pass, percent escapes undone on the way
 * and so exactly once; what is kept has a fixed size, whatever the length of the text.
 */
#include "tollgate/digits.h"
#include "tollgate/num.h"

/* The longest prefix and the longest number; one more shows that there were too many. */
#define MAX_DIALLED (TG_NUM_PREFIX_MAX + TG_NUM_MAX_DIGITS + 1)
#define MAX_WORD 12 /* "unavailable" and one more */

struct scan {
	uint32_t len;	   /* characters after escapes are undone */
	uint32_t n_digits; /* may exceed MAX_DIALLED; what is stored does not */
	bool plus;	   /* begins with '+' */
	bool inner_plus;
	bool star;   /* '*' or '#': a service code */
	bool other;  /* anything that no dial string has */
	bool broken; /* a bad escape, or a control character */
	uint8_t digits[MAX_DIALLED];
	char word[MAX_WORD]; /* lower case */
};

static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The character at *pos, escape undone (RFC 3986 §2.1), or -1; *pos moves behind it. */
static int next_char(struct tg_span s, uint32_t *pos)
{
	const uint8_t c = s.data[(*pos)++];
	int high, low;

	if (c != '%')
		return c;
	if (s.len - *pos < 2)
		return -1;
	high = hex_value(s.data[*pos]);
	low = hex_value(s.data[*pos + 1]);
	*pos += 2;
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

static void scan_char(struct scan *sc, uint8_t c)
{
	if (sc->len < MAX_WORD)
		sc->word[sc->len] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
	switch (c) {
	case '0' ... '9':
		if (sc->n_digits < MAX_DIALLED)
			sc->digits[sc->n_digits] = c;
		sc->n_digits++;
		break;
	case '-':
	case '.':
	case '(':
	case ')': /* RFC 3966 §3 visual-separator */
		break;
	case '+':
		if (sc->len == 0)
			sc->plus = true;
		else
			sc->inner_plus = true;
		break;
	case '*':
	case '#':
		sc->star = true;
		break;
	default:
		if (c < 0x20 || c == 0x7f)
			sc->broken = true;
		sc->other = true;
		break;
	}
	sc->len++;
}

static void scan_text(struct scan *sc, struct tg_span user)
{
	uint32_t pos = 0;

	*sc = (struct scan){ 0 };
	while (pos < user.len && !sc->broken) {
		const int c = next_char(user, &pos);

		if (c < 0)
			sc->broken = true;
		else
			scan_char(sc, (uint8_t)c);
	}
}

/* Sets *cls if the text is one of the words that stand for no number (see README.md). */
static bool is_word(const struct scan *sc, enum tg_num_class *cls)
{
	static const struct {
		char text[MAX_WORD];
		uint8_t len;
		uint8_t cls;
	} words[] = {
		{ "anonymous", 9, TG_NUM_CLASS_WITHHELD },
		{ "restricted", 10, TG_NUM_CLASS_WITHHELD },
		{ "private", 7, TG_NUM_CLASS_WITHHELD },
		{ "withheld", 8, TG_NUM_CLASS_WITHHELD },
		{ "unavailable", 11, TG_NUM_CLASS_UNAVAILABLE },
		{ "unknown", 7, TG_NUM_CLASS_UNAVAILABLE },
		{ "asterisk", 8, TG_NUM_CLASS_UNAVAILABLE },
	};
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(words); i++) {
		if (sc->len == words[i].len &&
		    __builtin_memcmp(sc->word, words[i].text, sc->len) == 0) {
			*cls = (enum tg_num_class)words[i].cls;
			return true;
		}
	}
	return false;
}

/* '+' and 8 to 15 digits, nothing else: nearly all there is, in a fraction of the cycles. */
static bool is_plain_e164(struct tg_span user, uint64_t *value)
{
	return user.len > TG_DIGITS_MIN && user.len <= 1 + TG_NUM_MAX_DIGITS &&
	       user.data[0] == '+' && user.data[1] != '0' &&
	       tg_digits_value(user.data + 1, user.len - 1, value);
}

enum tg_num_class tg_num_from_text(struct tg_span user, const struct tg_num_profile *profile,
				   struct tg_num *out)
{
	enum tg_num_class cls;
	struct tg_span digits;
	struct scan sc;
	uint64_t value;

	*out = (struct tg_num){ 0 };
	if (user.len == 0)
		return TG_NUM_CLASS_ABSENT;
	if (is_plain_e164(user, &value))
		return tg_num_finish_e164(value, user.len - 1, out);
	scan_text(&sc, user);
	if (sc.broken)
		return TG_NUM_CLASS_MALFORMED;
	digits.data = sc.digits;
	digits.len = sc.n_digits;
	if (sc.plus) {
		if (sc.other || sc.star || sc.inner_plus || digits.len == 0 ||
		    digits.len > TG_NUM_MAX_DIGITS || digits.data[0] == '0')
			return TG_NUM_CLASS_MALFORMED;
		return tg_num_from_digits(digits, TG_NUM_NATURE_INTERNATIONAL, profile, out);
	}
	if (is_word(&sc, &cls))
		return cls;
	if (sc.other)
		return TG_NUM_CLASS_ALPHANUMERIC;
	if (sc.star)
		return TG_NUM_CLASS_SHORT_CODE;
	if (sc.inner_plus || digits.len == 0 || digits.len > MAX_DIALLED)
		return TG_NUM_CLASS_MALFORMED;
	return tg_num_from_digits(digits, TG_NUM_NATURE_TEXT, profile, out);
}

bool tg_num_is_emergency(struct tg_span user)
{
	static const char codes[][4] = { "112", "911", "999", "000", "110", "119", "120" };
	struct scan sc;
	unsigned i;

	if (user.len < 3 || user.data[0] == '+') /* most of what is dialled ends here */
		return false;
	scan_text(&sc, user);
	if (sc.n_digits != 3 || sc.plus || sc.inner_plus || sc.star || sc.other || sc.broken)
		return false;
	for (i = 0; i < TG_ARRAY_LEN(codes); i++) {
		if (__builtin_memcmp(sc.digits, codes[i], 3) == 0)
			return true;
	}
	return false;
}
