/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The program's own log lines, through EAL's log (level: --log-level=tollgate,debug). Never from a
 * worker's loop.
 */
#ifndef TG_RUN_LOG_H
#define TG_RUN_LOG_H

#include <rte_log.h>

#include "tollgate/base.h"

/* `level` is one of RTE_LOG_*; no newline in fmt. Lines longer than 512 bytes are cut. */
void tg_log(uint32_t level, const char *fmt, ...) TG_PRINTF(2, 3);

#endif
