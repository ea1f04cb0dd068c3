/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ISUP (ITU-T Q.763; ANSI T1.113.3) and BICC (Q.1902.3), which differs in its call instance code alone:
 * the identities of an initial address message, and what follows it until all digits are there. No
 * allocation, no state; accumulation is flow's business.
 */
#ifndef TG_ISUP_H
#define TG_ISUP_H

#include "tollgate/base.h"
#include "tollgate/reason.h"
#include "tollgate/sig.h"

/* Q.763 table 4; all others pass. */
enum tg_isup_type {
	TG_ISUP_IAM = 0x01,
	TG_ISUP_SAM = 0x02,
	TG_ISUP_SGM = 0x38,
};

enum tg_isup_variant {
	TG_ISUP_ITU,
	TG_ISUP_ANSI,
};

/* Longest address kept as text. E.164 has 15 digits; with prefixes and routing numbers 24 are seen. */
#define TG_ISUP_DIGITS_MAX 32

/* Address presentation restricted indicator, Q.763 §3.10 e. */
enum tg_isup_presentation {
	TG_ISUP_ALLOWED,
	TG_ISUP_RESTRICTED,
	TG_ISUP_NOT_AVAILABLE,
};

/*
 * What parameters say of their digits, in words of rules. Values that are spare, reserved or a country's own
 * are `other`.
 */
#define TG_ISUP_NATURES(X) /* of address, Q.763 §3.9 b */                                         \
	X(UNKNOWN, "unknown")                                                                      \
	X(SUBSCRIBER, "subscriber")                                                                \
	X(NATIONAL, "national")                                                                    \
	X(INTERNATIONAL, "international")                                                          \
	X(NETWORK_SPECIFIC, "network_specific")                                                    \
	X(OTHER, "other")

#define TG_ISUP_PLANS(X) /* numbering plan, Q.763 §3.9 d */                                       \
	X(E164, "e164")                                                                            \
	X(DATA, "data")	      /* X.121 */                                                          \
	X(TELEX, "telex")     /* F.69 */                                                           \
	X(PRIVATE, "private") /* T1.113.3 §3.6; national use elsewhere */                         \
	X(OTHER, "other")

#define TG_ISUP_SHOWN(X) /* address presentation, Q.763 §3.10 e */                                \
	X(ALLOWED, "allowed")                                                                      \
	X(RESTRICTED, "restricted") /* by whoever calls, or by a network */                        \
	X(UNAVAILABLE, "unavailable")

#define TG_ISUP_SCREENINGS(X)		/* Q.763 §3.10 f: the wire's own values */                \
	X(NOT_VERIFIED, "not_verified") /* provided by the user */                                 \
	X(VERIFIED, "verified")		/* ... and passed */                                       \
	X(FAILED, "failed")		/* ... and not passed */                                   \
	X(NETWORK, "network")

#define TG_ISUP_INNS(X) /* routing to an internal network number, Q.763 §3.9 c */                 \
	X(ALLOWED, "allowed")                                                                      \
	X(NOT_ALLOWED, "not_allowed")

#define TG_ISUP_QUALIFIERS(X) /* of a generic number, Q.763 §3.26 a */                            \
	X(DIALLED, "dialled")                                                                      \
	X(ADDITIONAL_CALLED, "additional_called")                                                  \
	X(ADDITIONAL_CONNECTED, "additional_connected")                                            \
	X(ADDITIONAL_CALLING, "additional_calling") /* the presentation number */                  \
	X(ADDITIONAL_ORIGINAL_CALLED, "additional_original_called")                                \
	X(ADDITIONAL_REDIRECTING, "additional_redirecting")                                        \
	X(ADDITIONAL_REDIRECTION, "additional_redirection")                                        \
	X(OTHER, "other")

#define TG_ISUP_CATEGORIES(X) /* calling party's, Q.763 §3.11 */                                  \
	X(UNKNOWN, "unknown")                                                                      \
	X(OPERATOR, "operator") /* of any language */                                              \
	X(ORDINARY, "ordinary")                                                                    \
	X(PRIORITY, "priority") /* ANSI's emergency and NS/EP calls among them */                  \
	X(DATA, "data")                                                                            \
	X(TEST, "test")                                                                            \
	X(PAYPHONE, "payphone")                                                                    \
	X(OTHER, "other")

enum tg_isup_nature {
#define X(sym, name) TG_ISUP_NATURE_##sym,
	TG_ISUP_NATURES(X)
#undef X
	TG_ISUP_NATURE_COUNT
};

enum tg_isup_plan {
#define X(sym, name) TG_ISUP_PLAN_##sym,
	TG_ISUP_PLANS(X)
#undef X
	TG_ISUP_PLAN_COUNT
};

enum tg_isup_shown {
#define X(sym, name) TG_ISUP_SHOWN_##sym,
	TG_ISUP_SHOWN(X)
#undef X
	TG_ISUP_SHOWN_COUNT
};

enum tg_isup_screening {
#define X(sym, name) TG_ISUP_SCREENING_##sym,
	TG_ISUP_SCREENINGS(X)
#undef X
	TG_ISUP_SCREENING_COUNT
};

enum tg_isup_inn {
#define X(sym, name) TG_ISUP_INN_##sym,
	TG_ISUP_INNS(X)
#undef X
	TG_ISUP_INN_COUNT
};

enum tg_isup_qualifier {
#define X(sym, name) TG_ISUP_QUALIFIER_##sym,
	TG_ISUP_QUALIFIERS(X)
#undef X
	TG_ISUP_QUALIFIER_COUNT
};

enum tg_isup_category {
#define X(sym, name) TG_ISUP_CATEGORY_##sym,
	TG_ISUP_CATEGORIES(X)
#undef X
	TG_ISUP_CATEGORY_COUNT
};

/* From the wire's values to these. */
enum tg_isup_nature tg_isup_nature(unsigned nature);
enum tg_isup_plan tg_isup_plan(unsigned plan);
enum tg_isup_shown tg_isup_shown(unsigned presentation);
enum tg_isup_qualifier tg_isup_qualifier(unsigned qualifier);
enum tg_isup_category tg_isup_category(unsigned category);

/* And back: a value of the wire that is read as `nature`, `qualifier` or `category`. */
unsigned tg_isup_nature_wire(enum tg_isup_nature nature);
unsigned tg_isup_qualifier_wire(enum tg_isup_qualifier qualifier);
unsigned tg_isup_category_wire(enum tg_isup_category category);

/* Of a generic number, by its qualifier on the wire. */
static inline enum tg_role tg_isup_generic_role(unsigned qualifier)
{
	switch (qualifier) { /* Q.763 §3.26 a */
	case 1:		     /* additional called */
	case 7:		     /* additional original called */
		return TG_ROLE_ORIGINAL_CALLED;
	case 8: /* additional redirecting */
		return TG_ROLE_REDIRECTING;
	default: /* 6: additional calling; what is not known is judged as a caller's */
		return TG_ROLE_CALLER;
	}
}

/* What the parameter says of its digits, beside the digits. */
struct tg_isup_party {
	uint16_t digits_off;  /* of the first octet of digits, in the message */
	uint8_t digits_len;   /* octets */
	uint8_t nature;	      /* of address, Q.763 §3.9 b */
	uint8_t plan;	      /* 1: E.164 */
	uint8_t presentation; /* enum tg_isup_presentation */
	uint8_t screening; /* 0 user provided, not verified; 1 verified, passed; 2 failed; 3 network */
	uint8_t qualifier; /* of a generic number, Q.763 §3.26 a */
	bool odd;
	bool inn_not_allowed; /* called number: routing to an internal number is not (§3.9 c) */
	bool incomplete;      /* number incomplete indicator */
};

/* Before the first raw form, so that what is read backwards from a form's end stays in `text` (tollgate/digits.h). */
#define TG_ISUP_TEXT_BEGIN 16

struct tg_isup {
	struct tg_sig_msg
		sig;  /* raw forms are digits in `text` below: not to be copied without it */
	uint32_t cic; /* circuit, or BICC's call instance code */
	uint8_t circuit_octets; /* that it has in the message: 2, BICC 4, in SIP 0 */
	uint8_t type;		/* enum tg_isup_type */
	uint8_t category;	/* calling party's, Q.763 §3.11 */
	uint8_t variant;	/* enum tg_isup_variant */
	bool bicc;
	bool more_follows; /* IAM: a segmentation message will (Q.763 §3.12, simple segmentation) */
	bool end_of_digits;			    /* ST: the called number is complete */
	struct tg_isup_party party[TG_SIG_MAX_IDS]; /* beside sig.id */
	char text[TG_ISUP_TEXT_BEGIN + TG_SIG_MAX_IDS * TG_ISUP_DIGITS_MAX];
};

/* Is it a message of which tg_isup_read would say ISUP_OTHER? Its type is none of enum tg_isup_type, in any variant. */
static inline bool tg_isup_is_other(struct tg_span message, bool bicc)
{
	const uint32_t at = bicc ? 4 : 2;

	return message.len > at && message.data[at] != TG_ISUP_IAM &&
	       message.data[at] != TG_ISUP_SAM && message.data[at] != TG_ISUP_SGM;
}

/*
 * Reads one message of the user part.
 *   TG_REASON_NONE       IAM: identities; SAM: the digits that follow, as a called number; SGM: the
 *                        identities of its optional part
 *   ISUP_OTHER           any other message
 *   ISUP_MALFORMED       a pointer or a length leads out of the message, the end of the optional part is
 *                        missing, or a mandatory parameter
 * `bicc`: four octets of call instance code in place of two of circuit. Numbers and classes come with
 * tg_isup_normalise.
 */
enum tg_reason tg_isup_read(struct tg_span message, enum tg_isup_variant variant, bool bicc,
			    struct tg_isup *isup);

/* A message as SIP carries it (ITU-T Q.1912.5 §5.4.1, RFC 3204 §3.1): it begins with its type. */
enum tg_reason tg_isup_read_encapsulated(struct tg_span message, enum tg_isup_variant variant,
					 struct tg_isup *isup);

/*
 * What later messages add to an IAM that was read; before tg_isup_normalise. It can no longer be edited.
 * Append: the digits of a SAM ('0' to '9', 'A' to 'E') to the called number's; false, and nothing added, if
 * there is no called number that they belong to, or no room (TG_ISUP_DIGITS_MAX in all).
 * Merge: the identities of an SGM; what does not fit is counted in ids_left_out.
 */
bool tg_isup_append(struct tg_isup *isup, struct tg_span digits);
void tg_isup_merge(struct tg_isup *isup, const struct tg_isup *sgm);

/* As tg_sig_normalise, by the nature of address. A plan other than E.164 gives no number; presentation
 * "address not available" is class unavailable. */
void tg_isup_normalise(struct tg_isup *isup, const struct tg_num_profile *profile);

/* Adds what it says, in other words, of what rules ask of SIP's headers: who may not be shown, which calls come first. */
void tg_isup_extra_add(const struct tg_isup *isup, struct tg_sig_extra *extra);

/* Subscriber with priority (Q.763 §3.11 category 11), and ANSI's emergency and NS/EP calls (224 to 226), which
 * are national use elsewhere: a call too many passes rather than one too few (traps IS-13). */
bool tg_isup_is_priority(const struct tg_isup *isup);

/*
 * Same-length edits of the IAM that `isup` was read from, in the message's own bytes. All say false, and
 * change nothing, where it is not possible.
 */
/* The called digits become `digits`, of which there must be as many as the parameter has now (without ST,
 * which stays, as does the filler). */
bool tg_isup_set_called(uint8_t *message, uint32_t len, const struct tg_isup *isup,
			struct tg_span digits);
/* Whose presentation says whether who calls is shown. */
static inline bool tg_isup_names_caller(const struct tg_identity *id)
{
	return id->source == TG_ID_CALLING_NUMBER ||
	       (id->source == TG_ID_GENERIC_NUMBER && id->role == TG_ROLE_CALLER);
}

/* The presentation of the calling number, and of generic numbers of who calls, becomes restricted (Q.731.4);
 * where no address is available there is nothing to hide. False without a calling number. */
bool tg_isup_restrict(uint8_t *message, uint32_t len, const struct tg_isup *isup);
/*
 * The IAM becomes a message that no exchange knows, and that tells it to discard it without a word (Q.763 §3.33,
 * Q.764 §2.9.5): the circuit stays idle. The first seven octets behind the circuit's change, and the last; of
 * longer messages two more for every 257 octets.
 */
bool tg_isup_null(uint8_t *message, uint32_t len, const struct tg_isup *isup);

#endif
