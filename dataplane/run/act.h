/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Carries out what the pipeline decided: forward, answer, absorb. The one place that emits packets.
 * What is forwarded leaves as it came. Order is kept per port; fragments that were held leave right
 * before the one that completes their datagram, so that datagrams complete at the endpoint in the order
 * in which they would without us.
 */
#ifndef TG_RUN_ACT_H
#define TG_RUN_ACT_H

#include "dataplane/run/worker.h"

/* Uses up all buffers of w->burst, but those that the pipeline holds, and counts. */
void tg_act_burst(struct tg_worker *w);

/* Forwards the frames that the pipeline holds no longer; UINT64_MAX as the time: all. */
void tg_act_release(struct tg_worker *w, uint64_t now_ms);

#endif
