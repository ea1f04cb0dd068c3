/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Initial address messages whose call is not complete with them: digits follow in SAMs (overlap sending, Q.764
 * §2.1.2), other parameters in an SGM (simple segmentation, §2.1.12). The IAM's octets are kept, and digits are
 * added, so that the whole is read and judged as one. What is found out then comes too late to be acted on: the
 * IAM has gone. It is counted and recorded (traps IS-3, IS-4).
 *
 * Fixed size, one worker's own, no clock. `circuit` is a keyed 64-bit hash of what a circuit is known by (point
 * codes, network, circuit or call instance code). Where a set is full, the oldest goes: it fails open.
 */
#ifndef TG_FLOW_CIRCUITS_H
#define TG_FLOW_CIRCUITS_H

#include "tollgate/base.h"

#define TG_CIRCUITS_WAYS 4
#define TG_CIRCUITS_IAM_MAX 384 /* a longer one is not kept: an MSU of narrow-band links has 272 */
#define TG_CIRCUITS_DIGITS_MAX 32
/* Address signals come within T35, 15 to 20 s, of each other (Q.764 table A.1); an SGM within T34, 2 to 4 s. */
#define TG_CIRCUITS_LIFE_MS 20000

struct tg_circuits;

size_t tg_circuits_size(uint32_t entries);
/* `block`: tg_circuits_size bytes, cache-line aligned, the caller's. */
struct tg_circuits *tg_circuits_init(void *block, uint32_t entries);

/*
 * An IAM that may be continued; takes the place of an earlier one on the same circuit, and of its digits, unless it
 * is that one again (`tsn` and octets). An empty one, or one that is too long, is not kept.
 */
void tg_circuits_begin(struct tg_circuits *c, uint64_t circuit, uint32_t tsn, struct tg_span iam,
		       uint64_t now_ms);

/* What is known of the circuit's call. Valid until the next call of any of these. */
struct tg_circuits_call {
	struct tg_span iam;
	struct tg_span digits; /* of all SAMs so far, as text ('0' to '9', 'A' to 'E') */
};

/*
 * The digits of one more SAM, which `tsn` tells from its retransmission: repeated digits are not added twice, and
 * those of a SAM that was lost and comes behind a later one are put where they belong. From now on it is kept for
 * TG_CIRCUITS_LIFE_MS again. False: nothing is known of the circuit, or there are more digits than are kept (then
 * it is forgotten); `call` is empty.
 */
bool tg_circuits_add(struct tg_circuits *c, uint64_t circuit, uint32_t tsn, struct tg_span digits,
		     uint64_t now_ms, struct tg_circuits_call *call);
bool tg_circuits_find(struct tg_circuits *c, uint64_t circuit, uint64_t now_ms,
		      struct tg_circuits_call *call);

/* Nothing was begun or added for TG_CIRCUITS_LIFE_MS: nothing is known of any circuit. */
bool tg_circuits_idle(const struct tg_circuits *c, uint64_t now_ms);

/* The call has been found out about, or its address is complete. */
void tg_circuits_end(struct tg_circuits *c, uint64_t circuit);

#endif
