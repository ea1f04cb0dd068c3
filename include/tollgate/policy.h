/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The decision: trunk + identities + what the table says of them -> verdict. Pure: no I/O, no time,
 * no state. The policy is an image of its own (image.h), compiled by control from YAML.
 */
#ifndef TG_POLICY_H
#define TG_POLICY_H

#include "tollgate/base.h"
#include "tollgate/image.h"
#include "tollgate/isup.h"
#include "tollgate/listing.h"
#include "tollgate/mtp3.h"
#include "tollgate/num.h"
#include "tollgate/passport.h"
#include "tollgate/reason.h"
#include "tollgate/sig.h"
#include "tollgate/sip.h"

#define TG_ACTIONS(X)                                                                              \
	X(PASS, "pass")                                                                            \
	X(REJECT, "reject")                                                                        \
	X(DIVERT, "divert") /* to a sink, or back with a 3xx */                                    \
	X(MARK, "mark")	    /* goes on, changed: a header, a display name, anonymous */            \
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
#define TG_POLICY_MAX_MARKS 32
#define TG_POLICY_MAX_INTERVALS 2048
#define TG_POLICY_MAX_WORDS 1024
#define TG_POLICY_NAME_MAX 31
#define TG_POLICY_PHRASE_MAX 63
#define TG_POLICY_REASON_MAX 191
#define TG_POLICY_CONTACT_MAX 127
#define TG_POLICY_CALL_INFO_MAX 255
#define TG_POLICY_SINK_MAX 16 /* '+' and 15 digits */
#define TG_POLICY_HEADER_MAX 191
#define TG_POLICY_DISPLAY_MAX 31
#define TG_POLICY_WORD_MAX 63

/* The layout below. Above TG_POLICY_MAX_TRUNKS: images from before it had a version begin with how many
 * trunks they have. */
#define TG_POLICY_LAYOUT 67

#define TG_POLICY_MAX_ANSWER_RATE 1000000
#define TG_POLICY_MTU_MIN 576 /* RFC 791 §3.2: what every host takes */
#define TG_POLICY_MTU_MAX 9216
#define TG_POLICY_CATCH_ALL "default"
#define TG_POLICY_NETWORK_BLOCKED "Network Blocked" /* ATIS-1000099: "603+" */

#define TG_TRUNK_ANY_PORT 0xffff
#define TG_TRUNK_ANY_VLAN 0xffff
#define TG_TRUNK_NO_VLAN 0xfffe /* untagged or priority-tagged (VID 0) only */
#define TG_TRUNK_ANY_POINT_CODE 0xffffffffu

/* An address prefix; bits beyond it are zero. */
struct tg_policy_prefix {
	uint8_t version; /* 4, 6, or 0 = any */
	uint8_t bits;
	uint8_t address[16]; /* IPv4 in the first four */
};

/*
 * What cannot be read, or a verdict that cannot be carried out: it passes, unless its trunk says drop. Each
 * is named as the reason that it is counted by. Only of UDP, where a frame that is lost is sent again: a
 * segment or a chunk less would stall every call of its connection.
 */
#define TG_EXCEPTIONS(X)                                                                           \
	/* The decision stands. */                                                                 \
	X(ANSWER_IMPOSSIBLE, "answer_impossible")                                                  \
	X(EDIT_IMPOSSIBLE, "edit_impossible")                                                      \
	X(MEMORY_FULL, "memory_full")                                                              \
	/* An INVITE, as far as it could be read. */                                               \
	X(SIP_MALFORMED, "sip_malformed")                                                          \
	X(SIP_OVERSIZE, "sip_oversize")                                                            \
	/* A datagram that was not put together. */                                                \
	X(FRAGMENT_MALFORMED, "fragment_malformed")                                                \
	X(FRAGMENT_OVERLAP, "fragment_overlap")                                                    \
	X(FRAGMENT_LIMIT, "fragment_limit")                                                        \
	X(FRAGMENTS_UNASSEMBLED, "fragments_unassembled")

enum tg_exception {
#define X(sym, name) TG_EXCEPTION_##sym,
	TG_EXCEPTIONS(X)
#undef X
	TG_EXCEPTION_COUNT
};

/* TG_EXCEPTION_COUNT: the reason is none. */
enum tg_exception tg_exception_of(unsigned reason);
const char *tg_exception_name(unsigned exception);

/*
 * A trunk: calls that enter at `port` (the outside port of a pair), with the given outermost VLAN,
 * from the given peer to the given local addresses. Matched in order; the last trunk is the catch-all
 * "default" that the compiler adds (any port, shadow), so every call has one.
 */
struct tg_policy_trunk {
	char name[TG_POLICY_NAME_MAX + 1];
	uint16_t port; /* TG_TRUNK_ANY_PORT */
	uint16_t vlan; /* TG_TRUNK_ANY_VLAN, TG_TRUNK_NO_VLAN or a VID */
	struct tg_policy_prefix peer;
	struct tg_policy_prefix local;
	uint8_t mode;		     /* enum tg_mode */
	uint8_t international;	     /* 0, 1: calls come from abroad */
	uint16_t mtu;		     /* longest IP packet that an edit may make */
	uint32_t answers_per_second; /* to one source address; the burst is the same number */
	uint32_t
		priority_per_second; /* calls of priority that count as such, see TG_REASON_PRIORITY */
	/* SS7. A trunk that names a point code or an appearance has no SIP calls. */
	uint32_t opc; /* TG_TRUNK_ANY_POINT_CODE */
	uint32_t dpc;
	uint32_t network_appearance;	/* of M3UA, if has_network_appearance */
	uint8_t has_network_appearance; /* 0, 1 */
	uint8_t mtp3; /* enum tg_mtp3_variant, where the routing label does not say */
	uint8_t isup; /* enum tg_isup_variant */
	/* What called digits become of a call over SS7 that is to end, filled with zeros to the length
	 * that they had; empty = none. */
	char sink[TG_POLICY_SINK_MAX + 1];
	struct tg_num_profile profile;
	uint32_t drops; /* bit per enum tg_exception: not passed, where the mode is enforce */
};

/*
 * One answer: SIP status line and headers. Which codes: tg_policy_code_valid. For DIVERT: code 3xx with
 * a Contact, or a sink number that the Request-URI becomes, or both: then the answer goes out where the
 * sink has no place. Code 0: no answer.
 */
struct tg_policy_answer {
	char name[TG_POLICY_NAME_MAX + 1];
	char phrase[TG_POLICY_PHRASE_MAX + 1];
	char reason[TG_POLICY_REASON_MAX + 1]; /* value of Reason (RFC 3326); empty = none */
	char contact[TG_POLICY_CONTACT_MAX + 1];
	char call_info[TG_POLICY_CALL_INFO_MAX + 1]; /* value of Call-Info (RFC 8688) */
	char sink[TG_POLICY_SINK_MAX + 1];
	uint8_t zero[5];
	uint16_t code;
};

/* What a MARK changes. At least one. */
#define TG_MARK_ANONYMISE 0x01 /* who calls is withheld; not with display and plus */
#define TG_MARK_PLUS 0x02      /* numbers of the caller are written with '+' */

struct tg_policy_mark {
	char name[TG_POLICY_NAME_MAX + 1];
	char header[TG_POLICY_HEADER_MAX + 1];	 /* "Name: value", empty = none */
	char display[TG_POLICY_DISPLAY_MAX + 1]; /* in front of display names, empty = none */
	uint8_t flags;				 /* TG_MARK_* */
	uint8_t zero[7];
};

/* Numbers from lo to hi, as tg_num_aligned: what an E.164 prefix covers, whatever the length. */
struct tg_policy_interval {
	uint64_t lo;
	uint64_t hi; /* included */
};

struct tg_policy_word {
	char text[TG_POLICY_WORD_MAX + 1];
};

/* A run of intervals or words; n = 0: the rule does not ask. */
struct tg_policy_list {
	uint16_t first;
	uint16_t n;
};

/* Statements that do not go together. Only numbers (class e164) contradict each other. */
#define TG_CONTRADICTIONS(X)                                                                       \
	X(FROM_PAI, "from-pai") /* From's number is none of P-Asserted-Identity's */               \
	X(FROM_RPID, "from-rpid")                                                                  \
	X(FROM_PPI, "from-ppi")                                                                    \
	X(PAI_RPID, "pai-rpid")                                                                    \
	X(FROM_IDENTITY, "from-identity") /* ... none of the PASSporTs' orig (RFC 8225) */         \
	X(PAI_IDENTITY, "pai-identity")                                                            \
	X(PAI_PAI, "pai-pai")		/* two of them differ */                                   \
	X(TO_DIVERSION, "to-diversion") /* diverted, but nobody who diverted is who was dialled */ \
	X(CALLER_DIVERSION, "caller-diversion") /* who calls is among those who diverted */        \
	X(CALLER_CALLED, "caller-called")	/* a number calls itself */                        \
	X(DIVERSION_IDENTITY,                                                                      \
	  "diversion-identity")	      /* Diversion, and the PASSporTs' div (RFC 8946) */           \
	X(CALLER_ISUP, "caller-isup") /* the body's caller, and P-Asserted-Identity, else From */  \
	X(CALLED_ISUP, "called-isup") /* the body's called number, and the Request-URI */

enum tg_contradiction {
#define X(sym, name) TG_CONTRADICTION_##sym,
	TG_CONTRADICTIONS(X)
#undef X
	TG_CONTRADICTION_COUNT
};

/* What the originating provider says that it knows of the caller (RFC 8588 §4), by the first PASSporT that
 * says so. */
#define TG_ATTESTATIONS(X)                                                                         \
	X(A, "A")	/* him, and his right to the number */                                     \
	X(B, "B")	/* him */                                                                  \
	X(C, "C")	/* where the call came in */                                               \
	X(NONE, "none") /* nobody says */

enum tg_attestation {
#define X(sym, name) TG_ATTESTATION_##sym,
	TG_ATTESTATIONS(X)
#undef X
	TG_ATTESTATION_COUNT
};

/* Whose calls a rule's limit counts. */
#define TG_LIMITS(X)                                                                               \
	X(CALLER, "caller") /* the network's statement, or the first `limit_digits` of it */       \
	X(CALLED, "called")                                                                        \
	X(TRUNK, "trunk")

enum tg_limit {
#define X(sym, name) TG_LIMIT_##sym,
	TG_LIMITS(X)
#undef X
	TG_LIMIT_COUNT
};

/* A full bucket, calls * milliseconds, fits 32 bits (flow/cap.h). */
#define TG_LIMIT_MAX_PRODUCT UINT32_MAX

#define TG_RULE_ANY_TRUNK (~0ull)

/* Whose indicators a rule may ask for (bit per enum tg_id_source): in other parameters their bits are spare or
 * mean something else. */
#define TG_POLICY_SCREENED_SOURCES                                                                 \
	(1u << TG_ID_CALLING_NUMBER | 1u << TG_ID_GENERIC_NUMBER | 1u << TG_ID_LOCATION_NUMBER)
#define TG_POLICY_SHOWN_SOURCES /* Q.763 §3.39, §3.44 */                                         \
	(TG_POLICY_SCREENED_SOURCES | 1u << TG_ID_ORIGINAL_CALLED_NUMBER |                         \
	 1u << TG_ID_REDIRECTING_NUMBER)
#define TG_POLICY_INCOMPLETE_SOURCES (1u << TG_ID_CALLING_NUMBER | 1u << TG_ID_GENERIC_NUMBER)
#define TG_POLICY_PARTY_SOURCES (TG_POLICY_SHOWN_SOURCES | 1u << TG_ID_CALLED_NUMBER)

#define TG_RULE_HAS_TRAIT                                                                          \
	16 /* in `has`: bit per enum tg_id_source, from here on per enum tg_trait */

/*
 * A rule matches when one identity meets all conditions on identities, and the message those on
 * messages. Conditions on category or score need a listing on that identity's side. First match wins,
 * after the emergency guard and `allow`. Actions other than PASS do not apply to an identity that is
 * itself listed `allow` or `emergency`; a class asked of a caller is the class of the network's own
 * statement where there is one, unless the rule asks for the header that it stands in.
 */
struct tg_policy_rule {
	char name[TG_POLICY_NAME_MAX + 1];
	uint64_t trunks; /* bit per trunk */
	/* The identity's. */
	uint16_t categories; /* bit per enum tg_category, 0 = listing does not matter */
	uint16_t classes;    /* bit per enum tg_num_class, 0 = any */
	uint16_t sources;    /* bit per enum tg_id_source, 0 = any */
	uint16_t types;	     /* bit per enum tg_numbering_type, 0 = any */
	uint8_t states;	     /* bit per enum tg_numbering_state, 0 = any */
	uint8_t roles;	     /* bit per enum tg_role */
	uint8_t score_min;   /* inclusive; only with categories */
	uint8_t score_max;
	uint8_t digits_min; /* of the number, country code included; both 0 = any */
	uint8_t digits_max;
	uint8_t same_prefix; /* begins with so many digits of the called number, and is another; 0 */
	uint8_t extended;    /* 0, 1: any condition but roles, categories, score and classes */
	struct tg_policy_list number;	  /* intervals; it is an E.164 number in one of them */
	struct tg_policy_list number_not; /* intervals; it is one in none of them */
	struct tg_policy_list region;	  /* words: ISO 3166, by the numbering plan */
	struct tg_policy_list raw;	  /* words; its text as on the wire begins with one */
	struct tg_policy_list raw_not;	  /* words; it begins with none */
	/* The message's. */
	struct tg_policy_list tgrp; /* words, in any case: one of them */
	struct tg_policy_list trunk_context;
	struct tg_policy_list orig_ioi;
	uint32_t has;	  /* all of these, see TG_RULE_HAS_TRAIT */
	uint32_t has_not; /* none of these */
	uint16_t
		contradictions; /* bit per enum tg_contradiction: any of these, 0 = does not matter */
	uint8_t privacy;	/* bit per enum tg_privacy: any of these, 0 = does not matter */
	uint8_t also; /* 0, 1: no rule of its own, but more conditions for the one before it */
	/* What then. */
	uint8_t action;	      /* enum tg_action */
	uint8_t answer;	      /* index: REJECT and DIVERT, into answers; MARK, into marks */
	uint8_t shadow;	      /* 0, 1: recorded, and the next rules are tried */
	uint8_t share;	      /* 1-100: of so many calls in a hundred; of the others as in shadow */
	uint32_t limit_calls; /* only calls beyond so many ... 0 = all */
	uint32_t limit_ms;    /* ... in this time */
	uint8_t limit;	      /* enum tg_limit */
	uint8_t limit_digits; /* 0 = all */
	/* The message's as well. */
	uint8_t attestations; /* bit per enum tg_attestation: any of these, 0 = does not matter */
	uint8_t verifications; /* bit per enum tg_stir_state: a call with PASSporTs, and any of these */
	uint8_t protocols;     /* bit per enum tg_protocol */
	uint8_t calling_categories; /* bit per enum tg_isup_category: a call with ISUP, and any of these */
	/* The identity's again: of a parameter of ISUP that says so, 0 = does not matter. */
	uint8_t natures;       /* bit per enum tg_isup_nature */
	uint8_t number_plans;  /* bit per enum tg_isup_plan */
	uint8_t presentations; /* bit per enum tg_isup_shown */
	uint8_t screenings;    /* bit per enum tg_isup_screening */
	uint8_t inns;	       /* bit per enum tg_isup_inn */
	uint8_t incompletes;   /* bit 0: complete, bit 1: incomplete */
	uint8_t qualifiers;    /* bit per enum tg_isup_qualifier */
	uint8_t zero[3];
};

/* The POLICY section begins with this; arrays follow at these offsets from the section's start. */
struct tg_policy_section {
	uint32_t layout;   /* TG_POLICY_LAYOUT */
	uint32_t n_trunks; /* 1 to TG_POLICY_MAX_TRUNKS */
	uint32_t n_rules;
	uint32_t n_answers;
	uint32_t n_marks;
	uint32_t n_intervals;
	uint32_t n_words;
	uint32_t rules_offset;
	uint32_t intervals_offset;
	uint32_t trunks_offset;
	uint32_t answers_offset;
	uint32_t marks_offset;
	uint32_t words_offset;
	uint32_t zero;
};

static_assert(sizeof(struct tg_policy_trunk) == 168 && sizeof(struct tg_policy_rule) == 128 &&
		      sizeof(struct tg_policy_answer) == 696 &&
		      sizeof(struct tg_policy_mark) == 264 &&
		      sizeof(struct tg_policy_section) == 56,
	      "an image's layout does not change without a new TG_POLICY_LAYOUT");
static_assert(TG_POLICY_LAYOUT > TG_POLICY_MAX_TRUNKS, "older images are told apart");

/* The only layout there is for the counts in *s (each within its limit): writer and reader compute it
 * alike. Fills in the rest of *s and returns the section's length. */
static inline uint64_t tg_policy_layout(struct tg_policy_section *s)
{
	s->layout = TG_POLICY_LAYOUT;
	s->zero = 0;
	s->rules_offset = sizeof(*s); /* first, those with 64-bit members */
	s->intervals_offset = s->rules_offset +
			      s->n_rules * (uint32_t)sizeof(struct tg_policy_rule);
	s->trunks_offset = s->intervals_offset +
			   s->n_intervals * (uint32_t)sizeof(struct tg_policy_interval);
	s->answers_offset = s->trunks_offset +
			    s->n_trunks * (uint32_t)sizeof(struct tg_policy_trunk);
	s->marks_offset = s->answers_offset +
			  s->n_answers * (uint32_t)sizeof(struct tg_policy_answer);
	s->words_offset = s->marks_offset + s->n_marks * (uint32_t)sizeof(struct tg_policy_mark);
	return s->words_offset + (uint64_t)s->n_words * sizeof(struct tg_policy_word);
}

/* An opened policy image: the caller's memory, policy's fields. */
struct tg_policy {
	const struct tg_image_header *header;
	const struct tg_policy_trunk *trunk;
	const struct tg_policy_rule *rule;
	const struct tg_policy_answer *answer;
	const struct tg_policy_mark *mark;
	const struct tg_policy_interval *interval;
	const struct tg_policy_word *word;
	uint32_t n_trunks;
	uint32_t n_rules; /* with those that only add conditions */
	uint32_t n_answers;
	uint32_t n_marks;
	bool judges_unlisted; /* a rule exists that can match an identity in no list */
	bool asks_extra;      /* a rule asks for something of struct tg_sig_extra */
	bool has_shares;      /* a rule holds for a share of the calls */
	bool has_limits;      /* a rule counts calls */
	bool has_sinks;	      /* an answer has a sink */
	bool has_drops;	      /* a trunk drops an exception */
};

/*
 * What both the compiler and the reader of an image insist on.
 *   code   400-699, but none that upstream reads as "try again, or elsewhere" (408, 500, 503: it
 *          would fail the trunk over) or that asks for credentials (401, 407)
 *   display text without quotation marks and backslashes
 *   header "Name: value", and not a name that routes the message, says who it is from or where it ends
 *   name   1 to TG_POLICY_NAME_MAX of A-Z a-z 0-9 . _ -, NUL-terminated: it is a metrics label
 *   text   NUL-terminated within `size`, no control character: it goes into a SIP header as it is
 */
bool tg_policy_code_valid(unsigned code);
bool tg_policy_name_valid(const char *name, size_t size);
bool tg_policy_text_valid(const char *text, size_t size);
bool tg_policy_header_valid(const char *line, size_t size);
bool tg_policy_display_valid(const char *text, size_t size);

/* What `extended` of a rule has to be. */
bool tg_policy_rule_is_extended(const struct tg_policy_rule *r);

/* Validates everything once. 0 or -EINVAL with *err. */
int tg_policy_open(struct tg_policy *p, const void *image, uint64_t length,
		   struct tg_image_error *err);

/* By what a call came in. `peer` and `local` are its addresses, 4 or 16 bytes; NULL matches any. */
struct tg_trunk_key {
	uint16_t port;
	uint16_t vlan; /* TG_TRUNK_NO_VLAN if untagged */
	uint8_t ip_version;
	const uint8_t *peer;	    /* source */
	const uint8_t *local;	    /* destination */
	const struct tg_mtp3 *mtp3; /* NULL: not over SS7 */
};

/* Index of the first trunk that matches; the catch-all always does. Before tg_sig_normalise, which
 * wants that trunk's profile. */
unsigned tg_policy_trunk_find(const struct tg_policy *p, const struct tg_trunk_key *key);

/* How the point codes of such a packet are to be read: of the first trunk that matches in all but them. */
enum tg_mtp3_variant tg_policy_mtp3_variant(const struct tg_policy *p,
					    const struct tg_trunk_key *key);

/*
 * The `n` digits that the called number of a call over SS7 becomes which is to end (trap IS-11): those of the
 * answer's sink if it has one ("" = none), else the trunk's, then zeros. `nature` is the called number's
 * (Q.763 §3.9 b): international as the sink is; national without the country code of the trunk's profile.
 * False, and nothing written: no sink, none in that form, or it has more than n digits. Such a call is nulled.
 */
bool tg_policy_sink_digits(const struct tg_policy_trunk *t, const char *answer_sink,
			   unsigned nature, unsigned n, char digits[]);

#define TG_RULE_NONE 0xffff /* no rule decided: the guard, allow, or nothing matched */

struct tg_verdict {
	uint8_t action; /* enum tg_action: the decision, whatever the mode */
	uint8_t reason; /* enum tg_reason */
	uint8_t mode;	/* enum tg_mode: the trunk's, or shadow because the rule says so */
	uint8_t answer; /* index: REJECT and DIVERT, into answers; MARK, into marks */
	uint16_t rule;	/* index, or TG_RULE_NONE */
	uint16_t
		shadow_rule; /* the first rule in shadow that would have decided otherwise, or NONE */
	uint8_t trunk;
	uint8_t identity; /* index of the identity that decided, or TG_SIG_NO_ID */
};

/* What is written over an IAM where a verdict is enforced (traps IS-11); each keeps its length. */
enum tg_ss7_effect {
	TG_SS7_NONE,	 /* nothing: the call passes, or the mark has no place in an IAM */
	TG_SS7_RESTRICT, /* tg_isup_restrict */
	TG_SS7_SINK, /* the called digits become `digits`, of which there are as many as before */
	TG_SS7_NULL, /* tg_isup_null: no sink has its form and length */
};

/* Of a call that is neither answered nor kept back, whatever the verdict's mode. `isup` is the IAM; the trunk is
 * one of the policy's. */
enum tg_ss7_effect tg_policy_ss7_effect(const struct tg_policy *p, const struct tg_verdict *v,
					const struct tg_isup *isup,
					char digits[TG_ISUP_DIGITS_MAX]);

/*
 * A call as rules see it. `listing` has one entry per identity of `msg`; which of its two sides counts
 * follows from the identity's role.
 */
struct tg_policy_call {
	unsigned trunk;
	const struct tg_sig_msg *msg;
	const uint32_t *listing;
	const struct tg_sig_extra *extra; /* if the policy asks_extra; NULL: there is none of it */
	/* ISUP, BICC, and SIP with ISUP in its body; else NULL. Identity i of `msg` is its party
	 * i - first_party. */
	const struct tg_isup *isup;
	unsigned first_party;
	uint32_t share; /* hash of the call, the same for its retransmissions: see has_shares */
	/* One of a rule's calls for `of`, a number or a trunk; false: none is left. NULL: one always is. */
	bool (*spend)(void *ctx, const struct tg_policy_rule *r, uint64_t of);
	void *ctx;
};

/*
 * Order of decision:
 *   1. emergency guard: the called identity (SIP: the Request-URI, never the To) is an emergency
 *      number or URN, or listed `emergency`: pass;
 *   2. `allow` listed for the caller (the network's statement) or the called identity: pass;
 *   3. rules in order, first match; within a rule caller, called, then the rest as they stand. A rule
 *      in shadow decides only if no other does;
 *   4. nothing matched: pass, with the category of the first listed identity as reason, or unlisted.
 * The reason of a rule is the first of these that it asked for: limit, category, contradiction, class,
 * number plan; else `rule`. A Remote-Party-ID of the called party (TG_ID_FLAG_PARTY_CALLED) has no say.
 */
void tg_policy_decide(const struct tg_policy *p, const struct tg_policy_call *call,
		      struct tg_verdict *v);

/* Nearly every call: in no list, to no emergency number, and no rule could mind. Its verdict is tg_policy_unlisted. */
static inline bool tg_policy_passes(const struct tg_policy *p, const struct tg_sig_msg *msg,
				    const uint32_t *listing)
{
	uint32_t listed = 0;
	uint8_t flags = 0;
	unsigned i;

	for (i = 0; i < msg->n_ids; i++) {
		listed |= listing[i];
		flags |= msg->id[i].flags;
	}
	return !listed && !(flags & TG_ID_FLAG_EMERGENCY) && !p->judges_unlisted;
}

/* A call of this trunk passes, since nobody says anything of it. */
static inline struct tg_verdict tg_policy_unlisted(const struct tg_policy *p, unsigned trunk)
{
	return (struct tg_verdict){
		.action = TG_ACTION_PASS,
		.reason = TG_REASON_UNLISTED,
		.mode = p->trunk[trunk].mode,
		.rule = TG_RULE_NONE,
		.shadow_rule = TG_RULE_NONE,
		.trunk = (uint8_t)trunk,
		.identity = TG_SIG_NO_ID,
	};
}

/*
 * The second guard, before a call is kept from going on or diverted: one of priority passes. True if it is;
 * the verdict is then PASS with TG_REASON_PRIORITY. No policy and no list overrides it.
 */
bool tg_policy_guard_priority(const struct tg_sig_extra *extra, struct tg_verdict *v);

/* The side of a listing that an identity in this role is judged by. */
static inline enum tg_side tg_role_side(unsigned role)
{
	return role == TG_ROLE_CALLED || role == TG_ROLE_ORIGINAL_CALLED ? TG_SIDE_CALLED
									 : TG_SIDE_CALLER;
}

/* "-" for TG_RULE_NONE or an index out of range. */
const char *tg_policy_rule_name(const struct tg_policy *p, unsigned rule);

#endif
