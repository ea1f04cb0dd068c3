/* SPDX-License-Identifier: BSD-3-Clause */
/* Phase 2 for a frame that is a fragment. */
#ifndef TG_PIPELINE_FRAGMENT_H
#define TG_PIPELINE_FRAGMENT_H

#include "dataplane/pipeline/state.h"

/*
 * `r` is the burst's result i. r->frame is walked: TG_REASON_FRAGMENT. NONE: it completes a UDP datagram, which r->frame and
 * r->data are from now on. Else what it counts as, if its fate is not TG_FATE_HOLD; ABSORB: its trunk drops
 * what is not put together for that reason.
 */
enum tg_reason tg_fragment_read(const struct tg_burst_state *b, unsigned i);

#endif
