/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Carries out what the pipeline decided: forward, answer, absorb. The one place that emits packets.
 * What is forwarded leaves as it came; order is kept per port.
 */
#ifndef TG_RUN_ACT_H
#define TG_RUN_ACT_H

#include "dataplane/run/worker.h"

/* Uses up all buffers of w->burst and counts. */
void tg_act_burst(struct tg_worker *w);

#endif
