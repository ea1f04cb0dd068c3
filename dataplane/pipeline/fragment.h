/* SPDX-License-Identifier: BSD-3-Clause */
/* Phase 2 for a frame that is a fragment. */
#ifndef TG_PIPELINE_FRAGMENT_H
#define TG_PIPELINE_FRAGMENT_H

#include "dataplane/flow/frags.h"
#include "tollgate/pipeline.h"

/*
 * r->frame is walked: TG_REASON_FRAGMENT. NONE: it completes a UDP datagram, which r->frame and
 * r->data are from now on. Else what it counts as, if its fate is not TG_FATE_HOLD. `key` is a SipHash
 * key.
 */
enum tg_reason tg_fragment_read(struct tg_frags *frags, const uint8_t *key,
				const struct tg_frame_in *in, uint64_t now_ms, struct tg_result *r);

#endif
