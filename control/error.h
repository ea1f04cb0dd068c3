/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is wrong with an input of a person's, and where. Set once by whoever notices, shown by tgctl.
 */
#ifndef TG_CONTROL_ERROR_H
#define TG_CONTROL_ERROR_H

#include "tollgate/base.h"

#define TG_ERROR_TEXT_MAX 384

struct tg_error {
	int code;		      /* negative errno */
	uint64_t line;		      /* from 1; 0 = not about a line */
	uint32_t column;	      /* from 1, in bytes; 0 = not about a column */
	char text[TG_ERROR_TEXT_MAX]; /* one sentence, no full stop, no newline */
};

/* Fills *err (may be NULL) and returns code, so that callers can `return tg_error_set(...)`. */
int tg_error_set(struct tg_error *err, int code, const char *fmt, ...) TG_PRINTF(3, 4);
int tg_error_at(struct tg_error *err, int code, uint64_t line, uint32_t column, const char *fmt,
		...) TG_PRINTF(5, 6);

/* "FILE:LINE:COLUMN: text", leaving out what is 0. Returns buf. */
const char *tg_error_format(const struct tg_error *err, const char *file, char *buf, size_t size);

#endif
