/* SPDX-License-Identifier: BSD-3-Clause */
/* Between policy.c, which decides, and match.c, which knows what a rule's conditions mean. */
#ifndef TG_POLICY_MATCH_H
#define TG_POLICY_MATCH_H

#include "tollgate/policy.h"

/* An identity as rules see it. */
struct tg_view {
	uint16_t category_bit; /* on the side that its role asks; 0 = not listed */
	uint16_t class_bit;    /* 0 = a rule asks for its class by its header only */
	uint8_t role_bit;
	uint8_t score;
	uint8_t category;
	uint8_t index; /* in the message */
};

/* All identities in the order in which a rule tries them, and what they have between them. */
struct tg_views {
	const struct tg_policy *policy;
	const struct tg_policy_call *call;
	unsigned trunk;
	unsigned n;
	struct tg_view view[TG_SIG_MAX_IDS];
	uint16_t category_bits;
	uint16_t class_bits;
	uint8_t role_bits;
	/* Found when the first rule asks. */
	bool has_contradictions;
	uint16_t contradictions; /* bit per enum tg_contradiction */
};

/* The conditions that `extended` stands for. */
bool tg_match_identity(const struct tg_policy_rule *r, const struct tg_views *vs,
		       const struct tg_view *v);
bool tg_match_message(const struct tg_policy_rule *r, struct tg_views *vs);

#endif
