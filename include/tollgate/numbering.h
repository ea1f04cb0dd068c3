/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The world's numbering plans: does such a number exist, where, and is it fixed or mobile?
 *
 * Compiled from libphonenumber's metadata when Tollgate is built (dataplane/num/numbering.py), and
 * held to the same answers by tests. The digits are taken as they stand: what a trunk's profile adds or
 * strips has happened before. Ported numbers keep the type that their range was given.
 *
 * Pure, constant data of some 180 KiB; a lookup reads about five lines of it. Any thread.
 */
#ifndef TG_NUMBERING_H
#define TG_NUMBERING_H

#include "tollgate/num.h"

/* What is known of a number, from nothing to all. */
#define TG_NUMBERING_STATES(X)                                                                     \
	X(NOT_E164, "not_e164")	    /* a short code, or none */                                    \
	X(NO_COUNTRY, "no_country") /* the ITU has assigned no such country code */                \
	X(LENGTH, "length")	    /* no number of that country code has so many digits */        \
	X(NO_RANGE, "no_range")	    /* its length is right, but it is in no range of the plan */   \
	X(VALID, "valid")

enum tg_numbering_state {
#define X(sym, name) TG_NUMBERING_##sym,
	TG_NUMBERING_STATES(X)
#undef X
	TG_NUMBERING_STATE_COUNT
};

/* What its range is for. NANP and others do not tell mobile from fixed: FIXED_OR_MOBILE. */
#define TG_NUMBERING_TYPES(X)                                                                      \
	X(UNKNOWN, "unknown") /* unless VALID */                                                   \
	X(FIXED, "fixed")                                                                          \
	X(MOBILE, "mobile")                                                                        \
	X(FIXED_OR_MOBILE, "fixed_or_mobile")                                                      \
	X(TOLL_FREE, "toll_free")                                                                  \
	X(PREMIUM, "premium")                                                                      \
	X(SHARED_COST, "shared_cost")                                                              \
	X(VOIP, "voip")                                                                            \
	X(PERSONAL, "personal")                                                                    \
	X(PAGER, "pager")                                                                          \
	X(UAN, "uan") /* universal access: a company's one number */                               \
	X(VOICEMAIL, "voicemail")

enum tg_numbering_type {
#define X(sym, name) TG_NUMBERING_TYPE_##sym,
	TG_NUMBERING_TYPES(X)
#undef X
	TG_NUMBERING_TYPE_COUNT
};

struct tg_numbering {
	enum tg_numbering_state state;
	enum tg_numbering_type type;
	uint16_t country_code; /* 1-999, or 0 */
	/* ISO 3166, "001" for codes of no country (+800, +881, ...), "" if none. Of several countries on
	 * one code (+1, +7, +44, ...) the number's own if VALID, else the one that leads the plan. */
	const char *region;
};

struct tg_numbering tg_numbering_find(struct tg_num n);

const char *tg_numbering_state_name(unsigned state);
const char *tg_numbering_type_name(unsigned type);

#endif
