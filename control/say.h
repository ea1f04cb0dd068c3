/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What tollgated says on standard error: "tollgated: text", or with --json one object a line,
 * {"time": RFC 3339, "text": "..."}. No numbers of calls; any thread; one write a line.
 */
#ifndef TG_CONTROL_SAY_H
#define TG_CONTROL_SAY_H

#include <jansson.h>

#include "tollgate/base.h"

/* Before the first line. */
void tg_say_as_json(void);
void tg_say(const char *fmt, ...) TG_PRINTF(1, 2);

/* Now, as events have it. */
json_t *tg_say_time(void);

/* Puts '?' for what may not stand in a line of text or JSON: another process's words may be no UTF-8. */
void tg_say_clean(char *text);

#endif
