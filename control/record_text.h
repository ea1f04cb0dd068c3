/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The fields of one record as text -> struct tg_record: the rules that a feed's line and the command
 * line share. Private to control; who cuts the fields out of what is not known here.
 */
#ifndef TG_CONTROL_RECORD_TEXT_H
#define TG_CONTROL_RECORD_TEXT_H

#include "control/feed.h"

/* In the order of a feed's header line. */
#define TG_RECORD_FIELDS(X)                                                                        \
	X(KIND, "kind")                                                                            \
	X(NUMBER, "number")                                                                        \
	X(ROLE, "role")                                                                            \
	X(CATEGORY, "category")                                                                    \
	X(SCORE, "score")                                                                          \
	X(EXPIRES, "expires")                                                                      \
	X(REF, "ref")

enum tg_record_field {
#define X(sym, name) TG_RECORD_FIELD_##sym,
	TG_RECORD_FIELDS(X)
#undef X
	TG_RECORD_FIELD_COUNT
};

struct tg_record_fields {
	struct tg_span field[TG_RECORD_FIELD_COUNT]; /* unquoted */
	uint32_t column[TG_RECORD_FIELD_COUNT];	     /* of its first byte, from 1; 0 = none */
	uint64_t line;				     /* 0 = none */
	bool force;				     /* prefixes under four digits */
};

/* 0 with all of *r set, or -EINVAL (-EPERM for want of force) with *err at the offending byte. */
int tg_record_from_fields(const struct tg_record_fields *f, struct tg_record *r,
			  struct tg_error *err);

#define TG_QUOTED_MAX 72

/* "text" for a message: in quotes, long ones cut, bytes that are not printable ASCII as \xNN. */
const char *tg_quote(struct tg_span text, char buf[TG_QUOTED_MAX]);

#endif
