/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/run/log.h"

#include <stdarg.h>
#include <stdio.h>

RTE_LOG_REGISTER(tg_log_type, tollgate, INFO);

void tg_log(uint32_t level, const char *fmt, ...)
{
	char line[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	rte_log(level, (uint32_t)tg_log_type, "tollgate-dp: %s\n", line);
}
