/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP: from a frame to its stream's reader, and what a verdict changes in a stream. */
#ifndef TG_PIPELINE_STREAM_H
#define TG_PIPELINE_STREAM_H

#include "dataplane/flow/memory.h"
#include "dataplane/flow/tcp.h"
#include "tollgate/pipeline.h"

/*
 * Takes the segment in that r->frame describes; r's stream fields say where it stands. False: it is
 * none that its endpoint would take (bad checksum). `key` is a SipHash key.
 */
bool tg_stream_open(struct tg_tcp *t, const uint8_t *key, const struct tg_frame_in *in,
		    struct tg_result *r, struct tg_tcp_reader *reader);

/*
 * The call ends at the next hop: Max-Forwards 0, to be answered with 483. NONE, or why that is not to
 * be had (ANSWER_IMPOSSIBLE, TCP_TOO_LATE, MEMORY_FULL).
 */
enum tg_reason tg_stream_block(struct tg_tcp *t, const struct tg_tcp_message *m,
			       struct tg_sip_edits *scratch);

/* The 483 that comes back says what policy says. True if it will. */
bool tg_stream_answer(struct tg_tcp *t, const struct tg_tcp_message *m, unsigned code,
		      struct tg_span phrase, struct tg_sip_edits *scratch);

/* Does the segment have bytes to be changed? */
bool tg_stream_is_edited(const struct tg_tcp *t, const struct tg_result *r);

/* Changes them in `frame`, a copy. */
void tg_stream_edit(const struct tg_tcp *t, const struct tg_result *r, uint8_t *frame);

#endif
