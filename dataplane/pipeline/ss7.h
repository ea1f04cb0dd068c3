/* SPDX-License-Identifier: BSD-3-Clause */
/* From user messages of SCTP, or bare MSUs, to calls over SS7. */
#ifndef TG_PIPELINE_SS7_H
#define TG_PIPELINE_SS7_H

#include "dataplane/pipeline/state.h"

/* A frame in the reading. */
struct tg_ss7_reader {
	struct tg_burst_state *b;
	unsigned frame;
	enum tg_reason reason; /* of what was read so far */
	bool is_signed;	       /* behind an AUTH chunk */
	bool in_pieces;	       /* it has a piece of a message */
};

/* The frame counts as one thing: not inspected before inspected, and what says more before what says less. */
void tg_ss7_note(struct tg_ss7_reader *p, enum tg_reason reason);

/* A whole user message, in one chunk (then `part` is NULL) or in the parts of several. */
struct tg_ss7_user {
	struct tg_span bytes;
	uint32_t ppid;
	uint32_t tsn; /* of the one chunk */
	const struct tg_chunks_part *part;
	unsigned n_parts;
};

/* A call becomes a message of the burst; anything else is noted. */
void tg_ss7_read_message(struct tg_ss7_reader *p, const struct tg_ss7_user *u);

/* Does what begins like this, a message in pieces, say already that there is no call in it? */
bool tg_ss7_is_no_call(uint32_t ppid, struct tg_span start);

/* Keyed hash of the circuit on which it goes, between its point codes. */
uint64_t tg_ss7_circuit(const struct tg_pipeline *pl, const struct tg_ss7_message *s);

/* Phase 3: the keys of all calls over SS7 of the burst; their identities have numbers. */
void tg_ss7_keys_burst(const struct tg_burst_state *b);

/* Phase 2 for a frame of a capture that begins at MTP3: what it counts as, if no call in it is judged. */
enum tg_reason tg_ss7_read_msu(struct tg_burst_state *b, unsigned i);

#endif
