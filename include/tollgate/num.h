/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A telephone number as one 64-bit word, and the only way to make one from what a message carries.
 *
 * An E.164 number has at most 15 digits and never begins with 0 (ITU-T E.164 §6), so its digits are
 * an integer below 10^15 < 2^50. Kind and length share the word; no digit buffer can overflow.
 *
 *	bit  0-49  the digits as an integer
 *	bit 50-53  how many digits (1-15)
 *	bit 54-55  enum tg_num_kind
 *
 * All zero is "no number". Two numbers are equal if and only if their words are.
 */
#ifndef TG_NUM_H
#define TG_NUM_H

#include "tollgate/base.h"

#define TG_NUM_MAX_DIGITS 15
#define TG_NUM_KIND_SHIFT 54
#define TG_NUM_TEXT_MAX (TG_NUM_MAX_DIGITS + 2) /* '+', digits, NUL */

struct tg_num {
	uint64_t v;
};

enum tg_num_kind {
	TG_NUM_NONE,
	TG_NUM_E164,  /* international, without prefix */
	TG_NUM_SHORT, /* a code that is only dialled inside a network; leading zeros count */
};

/* Why there is a number, or why there is none. Never a truncation, never a guess. */
#define TG_NUM_CLASSES(X)                                                                          \
	X(ABSENT, "absent") /* no user part, no digits */                                          \
	X(E164, "e164")                                                                            \
	X(SHORT_CODE, "short_code")	/* without a number if it has * or # */                    \
	X(WITHHELD, "withheld")		/* anonymous@anonymous.invalid, Restricted, ... */         \
	X(UNAVAILABLE, "unavailable")	/* Unavailable, Unknown, 0, 00...0 */                      \
	X(MALFORMED, "malformed")	/* 16+ digits, ++, +0, bad escapes, letters behind a + */  \
	X(UNRESOLVED, "unresolved")	/* digits whose numbering plan nobody stated */            \
	X(ALPHANUMERIC, "alphanumeric") /* a name, also one with digits in it */

enum tg_num_class {
#define X(sym, name) TG_NUM_CLASS_##sym,
	TG_NUM_CLASSES(X)
#undef X
	TG_NUM_CLASS_COUNT
};

const char *tg_num_class_name(unsigned cls);

/* What digits without a '+' mean on a trunk. */
enum tg_num_bare {
	TG_NUM_BARE_UNRESOLVED,	   /* nothing: the safe default */
	TG_NUM_BARE_INTERNATIONAL, /* country code first, as many wholesale trunks send them */
	TG_NUM_BARE_NATIONAL,	   /* a national significant number, as in closed plans (SG, HK) */
};

#define TG_NUM_INTL_PREFIXES 4
#define TG_NUM_PREFIX_MAX 7

/* A trunk's numbering profile. Lives in the policy image: fixed layout, digits without NUL. All
 * zero means that only "+..." resolves. Prefixes are tried longest first. */
struct tg_num_profile {
	uint8_t country_code_len;				/* 0-3 */
	uint8_t national_prefix_len;				/* 0-7 */
	uint8_t international_prefix_len[TG_NUM_INTL_PREFIXES]; /* 0 = unused */
	uint8_t bare;	      /* enum tg_num_bare, for digits with no prefix */
	uint8_t national_min; /* digits of a national significant number, both ends included; */
	uint8_t national_max; /* fewer than min = short code */
	char country_code[3];
	char national_prefix[TG_NUM_PREFIX_MAX];
	char international_prefix[TG_NUM_INTL_PREFIXES][TG_NUM_PREFIX_MAX];
};

/* What the message itself says of the digits (Q.763 §3.9 b, or a URI's form). */
enum tg_num_nature {
	TG_NUM_NATURE_TEXT, /* a '+' says international, else the profile decides */
	TG_NUM_NATURE_INTERNATIONAL,
	TG_NUM_NATURE_NATIONAL,
	TG_NUM_NATURE_SUBSCRIBER,
	TG_NUM_NATURE_UNKNOWN,
};

static inline struct tg_num tg_num_make(enum tg_num_kind kind, unsigned digits, uint64_t value)
{
	return (struct tg_num){ value + (1ull << 50) * digits + (1ull << 54) * kind };
}

static inline bool tg_num_is_none(struct tg_num n)
{
	return n.v == 0;
}

static inline enum tg_num_kind tg_num_kind(struct tg_num n)
{
	return (enum tg_num_kind)(n.v >> TG_NUM_KIND_SHIFT & 3);
}

static inline unsigned tg_num_len(struct tg_num n)
{
	return (unsigned)(n.v >> 50 & 15);
}

/* The digits as an integer: the exact key of an E.164 number. */
static inline uint64_t tg_num_value(struct tg_num n)
{
	return n.v & ((1ull << 50) - 1);
}

/* 10^e for e <= 15. */
uint64_t tg_num_pow10(unsigned e);

/* value * 10^(15 - length): sorts by prefix, below 10^15, so a prefix or range is an interval. */
static inline uint64_t tg_num_aligned(struct tg_num n)
{
	return tg_num_value(n) * tg_num_pow10(TG_NUM_MAX_DIGITS - tg_num_len(n));
}

/*
 * The user part of a SIP or tel URI (RFC 3261 §25.1 user, RFC 3966 §3), escapes and visual
 * separators as on the wire, without parameters. `profile` may be NULL. Sets *out to a number or to
 * none: always a number with E164, mostly with SHORT_CODE, never otherwise. Percent escapes are
 * undone once. dataplane/num/README.md has what was decided where the RFCs leave room.
 */
enum tg_num_class tg_num_from_text(struct tg_span user, const struct tg_num_profile *profile,
				   struct tg_num *out);

/* Plain ASCII digits with a nature: ISUP and MAP addresses after BCD, the inside of the above. */
enum tg_num_class tg_num_from_digits(struct tg_span digits, enum tg_num_nature nature,
				     const struct tg_num_profile *profile, struct tg_num *out);

/* A feed's number: "+digits" is E.164, up to 15 bare digits are a short code; else none. */
struct tg_num tg_num_from_feed(struct tg_span text);

/* "+6591234567" or "999"; NUL-terminated; returns the length; buf holds TG_NUM_TEXT_MAX bytes. */
unsigned tg_num_format(struct tg_num n, char buf[TG_NUM_TEXT_MAX]);

/* 112, 911, 999, 000, 110, 119, 120 as dialled (architecture §11). Escapes are undone first. */
bool tg_num_is_emergency(struct tg_span user);

/*
 * The one BCD/TBCD decoder: two digits an octet, low nibble first (Q.763 §3.9 e). Stops at the
 * filler of an odd count or at ST (15). 10-14 (codes 11, 12, spare) become 'A'-'E', which no number
 * resolves. Returns the number of characters, or -1 if `cap` is too small; writes no NUL.
 */
int tg_bcd_decode(struct tg_span bcd, bool odd, char *digits, unsigned cap);

#endif
