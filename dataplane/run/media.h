/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What needs no judging, by the first cache line of each frame: RTP and RTCP, which most of a trunk's frames are.
 * May not know what becomes of it.
 */
#ifndef TG_RUN_MEDIA_H
#define TG_RUN_MEDIA_H

#include <rte_mbuf.h>

#include "tollgate/base.h"

/*
 * Bit i: mbuf[i] lies in one buffer, and tg_frame_is_media says yes. n <= TG_BURST. *bytes: what all of them have.
 */
uint32_t tg_media_find(struct rte_mbuf *const *mbuf, unsigned n, uint64_t *bytes);

#endif
