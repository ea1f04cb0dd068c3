/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counters on DPDK's telemetry socket (dpdk-telemetry.py): /tollgate/stats, reasons, trunks, actions,
 * latency, generation. Base units; no telephone number is a key or a value.
 */
#ifndef TG_RUN_TELEMETRY_H
#define TG_RUN_TELEMETRY_H

#include "dataplane/run/swap.h"
#include "tollgate/stats.h"

struct tg_telemetry {
	struct tg_swap *swap;
	void (*sum)(void *ctx, struct tg_stats *sum); /* any thread */
	void *sum_ctx;
};

/* One per process: DPDK's callbacks have no context. *source must last until tg_telemetry_close,
 * after which the commands answer with nothing. */
int tg_telemetry_open(const struct tg_telemetry *source);
void tg_telemetry_close(void);

#endif
