/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * PASSporT (RFC 8225) in a SIP Identity header (RFC 8224): what the originating provider says of the
 * caller, and under which signature. Reading is bounded and allocates nothing; whether the signature
 * holds is not asked here (it takes a certificate and a hundred microseconds).
 */
#ifndef TG_PASSPORT_H
#define TG_PASSPORT_H

#include "tollgate/base.h"
#include "tollgate/num.h"

#define TG_PASSPORT_MAX_DEST 4 /* a call has one; a conference's list is cut, and said so */

/* Header and claims as JSON, each. SHAKEN's take some 150 and 200 bytes; rich call data (RFC 9795) with an
 * icon's address still fits. */
#define TG_PASSPORT_JSON_MAX 1024

/* RFC 8225 §8.1 "ppt": which extension's claims these are. */
#define TG_PASSPORT_TYPES(X)                                                                       \
	X(BASE, "base")	    /* none given */                                                       \
	X(SHAKEN, "shaken") /* RFC 8588 */                                                         \
	X(DIV, "div")	    /* RFC 8946: one a diversion */                                        \
	X(DIV_O, "div-o")   /* RFC 8946 §5 */                                                     \
	X(RPH, "rph")	    /* RFC 8443: priority */                                               \
	X(RCD, "rcd")	    /* RFC 9795: rich call data */                                         \
	X(OTHER, "other")

enum tg_passport_type {
#define X(sym, name) TG_PASSPORT_##sym,
	TG_PASSPORT_TYPES(X)
#undef X
	TG_PASSPORT_TYPE_COUNT
};

const char *tg_passport_type_name(unsigned type);

/*
 * Does a PASSporT's signature hold? Found out off the packet path (run/stir.h). Only BAD_SIGNATURE says that
 * somebody lied; whatever could not be found out is no failure (SIP-39).
 */
#define TG_STIR_STATES(X)                                                                          \
	X(UNVERIFIED, "unverified") /* not asked, or not yet */                                    \
	X(VALID, "valid")                                                                          \
	X(BAD_SIGNATURE, "bad_signature")                                                          \
	X(STALE, "stale")		    /* signed more than a minute ago, or in the future */  \
	X(NO_CERTIFICATE, "no_certificate") /* not in the folder, or not readable there */         \
	X(UNTRUSTED, "untrusted")	    /* expired, not valid yet, or of no authority known */ \
	X(UNSUPPORTED, "unsupported") /* compact form, another algorithm, too long, not readable */

enum tg_stir_state {
#define X(sym, name) TG_STIR_##sym,
	TG_STIR_STATES(X)
#undef X
	TG_STIR_STATE_COUNT
};

const char *tg_stir_state_name(unsigned state);

/* What the PASSporTs of one call are together. A bad one says that somebody lied, whatever stands beside
 * it; while one is not verified the call is not; and valid it is if all of them are. */
enum tg_stir_state tg_stir_worse(enum tg_stir_state a, enum tg_stir_state b);

/* Longer values are never verified: two certificates' URLs of 512 bytes beside SHAKEN's 500 fit. */
#define TG_PASSPORT_VALUE_MAX 2048

/* Spans point into the value; {NULL, 0} where there is none. */
struct tg_passport {
	struct tg_span header;	  /* base64url as on the wire; empty in the compact form */
	struct tg_span payload;	  /* likewise */
	struct tg_span signature; /* likewise, never empty */
	struct tg_span info;	  /* URI of the certificate (RFC 8224 §4.1) */
	uint64_t iat;		  /* seconds since 1970, RFC 8225 §5.1.1 */
	struct tg_num orig;	  /* none: a URI, or no number */
	struct tg_num div;	  /* who diverted, RFC 8946 §3 */
	struct tg_num dest[TG_PASSPORT_MAX_DEST];
	uint8_t n_dest;
	uint8_t type; /* enum tg_passport_type */
	char attest;  /* 'A', 'B', 'C' (RFC 8588 §4), or 0 */
	bool compact; /* no claims on the wire: they are those of the SIP header (RFC 8224 §7) */
	bool es256;   /* the only algorithm there is (RFC 8225 §8.3) */
	bool dest_left_out;
};

/*
 * One Identity value, without white space around it, a member of the list if it is one. False: not a
 * PASSporT, one that lacks what RFC 8225 §5 makes mandatory (iat, orig, dest), one whose claims stand
 * twice or are written so that two readers could read two things, or a longer one; *out is then not to
 * be used.
 */
bool tg_passport_read(struct tg_span value, struct tg_passport *out);

/* base64url without padding (RFC 7515 §2; padding is tolerated). Returns the length, or -1. */
int tg_passport_decode(struct tg_span text, uint8_t *out, unsigned cap);

#endif
