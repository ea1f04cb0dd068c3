/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The decision: trunk + identities + what the table says of them -> verdict. Pure: no I/O, no time,
 * no state. The policy is an image of its own (image.h), compiled by control from YAML.
 */
#ifndef TG_POLICY_H
#define TG_POLICY_H

#include "tollgate/base.h"
#include "tollgate/image.h"
#include "tollgate/listing.h"
#include "tollgate/num.h"
#include "tollgate/reason.h"
#include "tollgate/sig.h"
#include "tollgate/sip.h"

#define TG_ACTIONS(X)                                                                              \
	X(PASS, "pass")                                                                            \
	X(REJECT, "reject")                                                                        \
	X(DIVERT, "divert") /* reserved for "SIP without holes" and SIGTRAN */                     \
	X(MARK, "mark")	    /* likewise */                                                         \
	X(DROP, "drop")

enum tg_action {
#define X(sym, name) TG_ACTION_##sym,
	TG_ACTIONS(X)
#undef X
	TG_ACTION_COUNT
};

#define TG_MODES(X)                                                                                \
	X(SHADOW, "shadow") /* decide, record, pass: the default */                                \
	X(ENFORCE, "enforce")

enum tg_mode {
#define X(sym, name) TG_MODE_##sym,
	TG_MODES(X)
#undef X
	TG_MODE_COUNT
};

const char *tg_action_name(unsigned action);
const char *tg_mode_name(unsigned mode);

#define TG_POLICY_MAX_TRUNKS 64
#define TG_POLICY_MAX_RULES 256
#define TG_POLICY_MAX_ANSWERS 32
#define TG_POLICY_NAME_MAX 31
#define TG_POLICY_PHRASE_MAX 63
#define TG_POLICY_REASON_MAX 191

#define TG_POLICY_MAX_ANSWER_RATE 1000000
#define TG_POLICY_CATCH_ALL "default"

#define TG_TRUNK_ANY_PORT 0xffff
#define TG_TRUNK_ANY_VLAN 0xffff
#define TG_TRUNK_NO_VLAN 0xfffe /* untagged or priority-tagged (VID 0) only */

/*
 * A trunk: calls that enter at `port` (the outside port of a pair), with the given outermost VLAN,
 * from the given peer prefix. Matched in order; the last trunk is the catch-all "default" that the
 * compiler adds (any port, shadow), so every call has one.
 */
struct tg_policy_trunk {
	char name[TG_POLICY_NAME_MAX + 1];
	uint16_t port;	      /* TG_TRUNK_ANY_PORT */
	uint16_t vlan;	      /* TG_TRUNK_ANY_VLAN, TG_TRUNK_NO_VLAN or a VID */
	uint8_t peer_version; /* 4, 6, or 0 = any peer */
	uint8_t peer_bits;
	uint8_t mode; /* enum tg_mode */
	uint8_t zero;
	uint8_t peer[16];	     /* IPv4 in the first four */
	uint32_t answers_per_second; /* to one source address; the burst is the same number */
	struct tg_num_profile profile;
};

/* One answer: SIP status line and Reason (RFC 3326) value. Which codes: tg_policy_code_valid. */
struct tg_policy_answer {
	char name[TG_POLICY_NAME_MAX + 1];
	char phrase[TG_POLICY_PHRASE_MAX + 1];
	char reason[TG_POLICY_REASON_MAX + 1]; /* empty = none */
	uint16_t code;
	uint16_t zero;
};

#define TG_RULE_ANY_TRUNK (~0ull)

/*
 * A rule matches when one identity meets all its conditions. Conditions on category or score need a
 * listing on that identity's side. First match wins, after the emergency guard and `allow`. Actions
 * other than PASS do not apply to an identity that is itself listed `allow` or `emergency`; a class
 * asked of a caller is the class of the network's own statement where there is one.
 */
struct tg_policy_rule {
	char name[TG_POLICY_NAME_MAX + 1];
	uint64_t trunks;     /* bit per trunk */
	uint16_t categories; /* bit per enum tg_category, 0 = listing does not matter */
	uint16_t classes;    /* bit per enum tg_num_class, 0 = any */
	uint8_t roles;	     /* bit per enum tg_role */
	uint8_t score_min;   /* inclusive; only with categories */
	uint8_t score_max;
	uint8_t action; /* enum tg_action */
	uint8_t answer; /* index, for REJECT */
	uint8_t zero[7];
};

/* The POLICY section begins with this; arrays follow at these offsets from the section's start. */
struct tg_policy_section {
	uint32_t n_trunks; /* 1 to TG_POLICY_MAX_TRUNKS */
	uint32_t n_rules;
	uint32_t n_answers;
	uint32_t trunks_offset;
	uint32_t rules_offset;
	uint32_t answers_offset;
};

static_assert(sizeof(struct tg_policy_trunk) == 108 && sizeof(struct tg_policy_rule) == 56 &&
		      sizeof(struct tg_policy_answer) == 292 &&
		      sizeof(struct tg_policy_section) == 24,
	      "an image's layout does not change without a new version");

/* The only layout there is for these counts (each within its limit): writer and reader compute it
 * alike. Fills *s and returns the section's length. */
static inline uint64_t tg_policy_layout(struct tg_policy_section *s, uint32_t n_trunks,
					uint32_t n_rules, uint32_t n_answers)
{
	s->n_trunks = n_trunks;
	s->n_rules = n_rules;
	s->n_answers = n_answers;
	s->rules_offset = sizeof(*s); /* first: the only one with 64-bit members */
	s->trunks_offset = s->rules_offset + n_rules * (uint32_t)sizeof(struct tg_policy_rule);
	s->answers_offset = s->trunks_offset + n_trunks * (uint32_t)sizeof(struct tg_policy_trunk);
	return s->answers_offset + (uint64_t)n_answers * sizeof(struct tg_policy_answer);
}

/* An opened policy image: the caller's memory, policy's fields. */
struct tg_policy {
	const struct tg_image_header *header;
	const struct tg_policy_trunk *trunk;
	const struct tg_policy_rule *rule;
	const struct tg_policy_answer *answer;
	uint32_t n_trunks;
	uint32_t n_rules;
	uint32_t n_answers;
	bool judges_unlisted; /* a rule exists that can match an identity in no list */
};

/*
 * What both the compiler and the reader of an image insist on.
 *   code   400-699, but none that upstream reads as "try again, or elsewhere" (408, 500, 503: it
 *          would fail the trunk over) or that asks for credentials (401, 407)
 *   name   1 to TG_POLICY_NAME_MAX of A-Z a-z 0-9 . _ -, NUL-terminated: it is a metrics label
 *   text   NUL-terminated within `size`, no control character: it goes into a SIP header as it is
 */
bool tg_policy_code_valid(unsigned code);
bool tg_policy_name_valid(const char *name, size_t size);
bool tg_policy_text_valid(const char *text, size_t size);

/* Validates everything once. 0 or -EINVAL with *err. */
int tg_policy_open(struct tg_policy *p, const void *image, uint64_t length,
		   struct tg_image_error *err);

/* By what a call came in. `peer` is its source address, 4 or 16 bytes. */
struct tg_trunk_key {
	uint16_t port;
	uint16_t vlan; /* TG_TRUNK_NO_VLAN if untagged */
	uint8_t ip_version;
	const uint8_t *peer;
};

/* Index of the first trunk that matches; the catch-all always does. Before tg_sig_normalise, which
 * wants that trunk's profile. */
unsigned tg_policy_trunk_find(const struct tg_policy *p, const struct tg_trunk_key *key);

#define TG_RULE_NONE 0xffff /* no rule decided: the guard, allow, or nothing matched */

struct tg_verdict {
	uint8_t action; /* enum tg_action: the decision, whatever the mode */
	uint8_t reason; /* enum tg_reason */
	uint8_t mode;	/* enum tg_mode of the trunk */
	uint8_t answer; /* index into the policy's answers, for REJECT */
	uint16_t rule;	/* index, or TG_RULE_NONE */
	uint8_t trunk;
	uint8_t identity; /* index of the identity that decided, or TG_SIG_NO_ID */
};

/*
 * `listing` has one entry per identity of `msg`; which of its two sides counts follows from the
 * identity's role. Order of decision:
 *   1. emergency guard: the called identity (SIP: the Request-URI, never the To) is an emergency
 *      number or URN, or listed `emergency`: pass;
 *   2. `allow` listed for the caller (the network's statement) or the called identity: pass;
 *   3. rules in order, first match; within a rule caller, called, then the rest as they stand;
 *   4. nothing matched: pass, with the category of the first listed identity as reason, or unlisted.
 * The reason of a rule is the category or the number class that it asked for, else `rule`. A
 * Remote-Party-ID of the called party (TG_ID_FLAG_PARTY_CALLED) has no say.
 */
void tg_policy_decide(const struct tg_policy *p, unsigned trunk, const struct tg_sig_msg *msg,
		      const uint32_t *listing, struct tg_verdict *v);

/* The side of a listing that an identity in this role is judged by. */
static inline enum tg_side tg_role_side(unsigned role)
{
	return role == TG_ROLE_CALLED || role == TG_ROLE_ORIGINAL_CALLED ? TG_SIDE_CALLED
									 : TG_SIDE_CALLER;
}

/* "-" for TG_RULE_NONE or an index out of range. */
const char *tg_policy_rule_name(const struct tg_policy *p, unsigned rule);

#endif
