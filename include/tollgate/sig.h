/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a signalling message says about who calls whom: a list of identities, each with its role,
 * its raw form (offsets into the message: nothing is copied) and, once normalised, its number.
 */
#ifndef TG_SIG_H
#define TG_SIG_H

#include "tollgate/base.h"
#include "tollgate/num.h"
#include "tollgate/reason.h"

/* What an identity is to the call. A rule names one of these. */
#define TG_ROLES(X)                                                                                \
	X(CALLER, "caller")		      /* looked up on the caller side */                   \
	X(CALLED, "called")		      /* where the call goes; called side */               \
	X(ORIGINAL_CALLED, "original_called") /* what was dialled at first; called side */         \
	X(REDIRECTING, "redirecting")	      /* who forwarded; caller side */

enum tg_role {
#define X(sym, name) TG_ROLE_##sym,
	TG_ROLES(X)
#undef X
	TG_ROLE_COUNT
};

/* Where an identity stood. To add a SIP header: one row here, one in sig/sip_headers.h, a vector. */
#define TG_ID_SOURCES(X)                                                                           \
	X(REQUEST_URI, "request-uri", CALLED)                                                      \
	X(TO, "to", ORIGINAL_CALLED)                                                               \
	X(FROM, "from", CALLER)                                                                    \
	X(PAI, "p-asserted-identity", CALLER)                                                      \
	X(PPI, "p-preferred-identity", CALLER)                                                     \
	X(RPID, "remote-party-id", CALLER)                                                         \
	X(DIVERSION, "diversion", REDIRECTING)                                                     \
	X(HISTORY_INFO, "history-info", REDIRECTING)                                               \
	X(PASSPORT_ORIG, "passport-orig", CALLER)	/* RFC 8225 §5.2.1; has no raw form */    \
	X(PASSPORT_DIV, "passport-div", REDIRECTING)	/* RFC 8946 §3; likewise */               \
	X(CALLED_NUMBER, "called-party-number", CALLED) /* Q.763 §3.9; from here on ISUP */       \
	X(CALLING_NUMBER, "calling-party-number", CALLER)                                          \
	X(ORIGINAL_CALLED_NUMBER, "original-called-number", ORIGINAL_CALLED)                       \
	X(REDIRECTING_NUMBER, "redirecting-number", REDIRECTING)                                   \
	X(GENERIC_NUMBER, "generic-number", CALLER) /* by its qualifier */                         \
	X(LOCATION_NUMBER, "location-number", CALLER)

enum tg_id_source {
#define X(sym, name, role) TG_ID_##sym,
	TG_ID_SOURCES(X)
#undef X
	TG_ID_SOURCE_COUNT
};

static inline bool tg_id_source_is_isup(unsigned source)
{
	return source >= TG_ID_CALLED_NUMBER;
}

#define TG_PROTOCOLS(X)                                                                            \
	X(SIP, "sip")                                                                              \
	X(ISUP, "isup")                                                                            \
	X(BICC, "bicc")                                                                            \
	X(MAP, "map")

enum tg_protocol {
#define X(sym, name) TG_PROTOCOL_##sym,
	TG_PROTOCOLS(X)
#undef X
	TG_PROTOCOL_COUNT
};

/* What is judged, by its own protocol's name for it. */
#define TG_MESSAGES(X)                                                                             \
	X(INVITE, "INVITE")                                                                        \
	X(IAM, "IAM")                                                                              \
	X(SAM, "SAM") /* digits that complete an IAM */                                            \
	X(SGM, "SGM") /* parameters that do */

enum tg_sig_message {
#define X(sym, name) TG_MESSAGE_##sym,
	TG_MESSAGES(X)
#undef X
	TG_MESSAGE_COUNT
};

const char *tg_role_name(unsigned role);
const char *tg_id_source_name(unsigned source);
const char *tg_protocol_name(unsigned protocol);
const char *tg_message_name(unsigned message);
enum tg_role tg_id_source_role(unsigned source);

#define TG_ID_FLAG_EMERGENCY 0x01 /* called: an emergency number or service URN, by its raw form */
#define TG_ID_FLAG_PARTY_CALLED 0x02 /* Remote-Party-ID ;party=called: no caller */
#define TG_ID_FLAG_TEL_LOCAL 0x04    /* tel: with phone-context: stays raw */

struct tg_identity {
	struct tg_num num; /* none when the class says so; SIP: maybe none until normalised */
	/* User part before ':' and parameters, escapes as on the wire; ISUP: digits. */
	uint16_t raw_off;
	uint16_t raw_len; /* 0 = no user part */
	uint8_t source;	  /* enum tg_id_source */
	uint8_t role;	  /* enum tg_role */
	uint8_t cls;	  /* enum tg_num_class */
	uint8_t flags;	  /* TG_ID_FLAG_* */
};

/* R-URI, To, From, two PAI, PPI, RPID and nine of Diversion and History-Info. What does not fit is
 * counted in `ids_left_out`; the first five headers' first values always have their place. */
#define TG_SIG_MAX_IDS 16
#define TG_SIG_NO_ID 0xff

struct tg_sig_msg {
	struct tg_span text; /* the whole message, in the frame's own bytes */
	const uint8_t
		*digits; /* raw forms of identities that ISUP has: decoded, so not in the message */
	struct tg_identity id[TG_SIG_MAX_IDS];
	uint8_t n_ids;
	uint8_t ids_left_out;
	uint8_t caller;	  /* index of the network's own statement, or TG_SIG_NO_ID */
	uint8_t called;	  /* index of where the call goes, or TG_SIG_NO_ID */
	uint8_t protocol; /* enum tg_protocol */
	uint8_t message;  /* enum tg_sig_message, if it is judged */
	char attest;	  /* 'A', 'B', 'C' of the first PASSporT that has it (RFC 8588 §4), or 0 */
	uint8_t passports;	  /* that could be read */
	uint8_t passports_unread; /* Identity values that could not, or were too many */
	uint8_t verification;	  /* enum tg_stir_state (passport.h): of all of them together */
};

static inline struct tg_span tg_identity_raw(const struct tg_sig_msg *m, unsigned i)
{
	const uint8_t *const in = tg_id_source_is_isup(m->id[i].source) ? m->digits : m->text.data;

	return (struct tg_span){ in + m->id[i].raw_off, m->id[i].raw_len };
}

/* Numbers and classes of all identities that are text, under the trunk's profile (may be NULL). Once a message;
 * those of ISUP have a nature of address instead (tg_isup_normalise). */
void tg_sig_normalise(struct tg_sig_msg *m, const struct tg_num_profile *profile);

/* What else a message may have about it, beside the headers that identities come from. */
#define TG_TRAITS(X)                                                                               \
	X(REDIRECTED, "redirected")	       /* who forwarded it: by its identities */           \
	X(IDENTITY, "identity")		       /* RFC 8224 */                                      \
	X(PRIVACY, "privacy")		       /* RFC 3323, any value but none */                  \
	X(REPLACES, "replaces")		       /* or Join: a transfer (RFC 3891, RFC 3911) */      \
	X(DUPLICATE, "duplicate_header")       /* a second From, To, Call-ID or CSeq */            \
	X(CSEQ_MISMATCH, "cseq_mismatch")      /* of another method (RFC 3261 §8.1.1.5) */        \
	X(IDS_LEFT_OUT, "too_many_identities") /* more than TG_SIG_MAX_IDS */

enum tg_trait {
#define X(sym, name) TG_TRAIT_##sym,
	TG_TRAITS(X)
#undef X
	TG_TRAIT_COUNT
};

/* RFC 3323 §4.2, RFC 3325 §9.3, RFC 7044 §10.1 */
#define TG_PRIVACIES(X)                                                                            \
	X(ID, "id")                                                                                \
	X(USER, "user")                                                                            \
	X(HEADER, "header")                                                                        \
	X(SESSION, "session")                                                                      \
	X(CRITICAL, "critical")                                                                    \
	X(HISTORY, "history")                                                                      \
	X(NONE, "none")

enum tg_privacy {
#define X(sym, name) TG_PRIVACY_##sym,
	TG_PRIVACIES(X)
#undef X
	TG_PRIVACY_COUNT
};

/* Read only for a policy that asks (tg_policy.asks_extra), or before a call is kept from going on. */
struct tg_sig_extra {
	uint32_t traits;     /* bit per enum tg_trait */
	uint8_t privacy;     /* bit per enum tg_privacy */
	bool priority;	     /* Priority emergency or psap-callback (RFC 3261 §20.26, RFC 7090),
			   * Resource-Priority ets, wps or esnet (RFC 4412, RFC 7135), cpc of priority */
	struct tg_span tgrp; /* originating trunk group: of the Contact (RFC 4904 §5) */
	struct tg_span trunk_context;
	struct tg_span orig_ioi; /* P-Charging-Vector (RFC 7315 §5.6), quotes left out */
};

#endif
