/* SPDX-License-Identifier: BSD-3-Clause */
/* SCTP: from a frame to the messages over SS7 in its packet, and back to a frame with some of their bytes changed. */
#ifndef TG_PIPELINE_SCTP_H
#define TG_PIPELINE_SCTP_H

#include "dataplane/pipeline/state.h"

/*
 * Phase 2 for b->in[i], which tg_frame_walk says has an SCTP packet: its calls become messages of the burst. Returns
 * what the frame counts as if none of them is judged. The frame's fate is HOLD if pieces of messages wait.
 */
enum tg_reason tg_packet_read(struct tg_burst_state *b, unsigned i);

/* Would its endpoint take the packet? IPv4 header, CRC32c, and UDP's checksum if it is in UDP. */
bool tg_packet_checksum_ok(const uint8_t *frame, const struct tg_frame *f);

/* Has the frame, of the association `association`, bytes that have to be changed? */
bool tg_packet_is_patched(const struct tg_pipeline *pl, const uint8_t *frame,
			  const struct tg_frame *f, uint64_t association);

/* Changes them in `frame`, a copy, and makes its checksums right. False: there are none. */
bool tg_packet_patch(const struct tg_pipeline *pl, uint8_t *frame, const struct tg_frame *f,
		     uint64_t association);

/* The association that the packet belongs to, as r->association; 0: it has no common header. */
uint64_t tg_packet_association(const struct tg_pipeline *pl, const uint8_t *frame,
			       const struct tg_frame *f);

#endif
