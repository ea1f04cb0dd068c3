/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What tollgated says on standard error: "tollgated: text", or with --json one object a line,
 * {"time": RFC 3339, "text": "..."}. No numbers of calls; any thread; one write a line.
 */
#ifndef TG_CONTROL_LOG_H
#define TG_CONTROL_LOG_H

#include <jansson.h>

#include "tollgate/base.h"

/* Before the first line. */
void tg_log_as_json(void);
void tg_log(const char *fmt, ...) TG_PRINTF(1, 2);

/* Now, as events have it. */
json_t *tg_log_time(void);

/* Puts '?' for what may not stand in a line of text or JSON: another process's words may be no UTF-8. */
void tg_log_clean(char *text);

#endif
