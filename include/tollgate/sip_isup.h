/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ISUP in the body of an INVITE (SIP-I: ITU-T Q.1912.5; media type and its parameters: RFC 3204): what it adds
 * to who calls whom, and its part of an edit. No allocation, no state.
 */
#ifndef TG_SIP_ISUP_H
#define TG_SIP_ISUP_H

#include "tollgate/base.h"
#include "tollgate/isup.h"
#include "tollgate/sip.h"
#include "tollgate/sip_edit.h"

/* Longer ones are not read. An MSU has 272 octets (Q.703 §2.3.3), and what was one gets no longer in SIP. */
#define TG_SIP_ISUP_MAX 1024
/* Multiparts within multiparts that are looked into; SIP-I has one. */
#define TG_SIP_ISUP_DEPTH 4

struct tg_sip_isup {
	struct tg_span text; /* in the message, as transferred */
	bool base64;	     /* Content-Transfer-Encoding (RFC 2045 §6); else as it is */
	bool several;	 /* there are more: not to be edited, since nobody knows which one counts */
	uint8_t variant; /* enum tg_isup_variant, by the parameters version and base */
};

/* The first application/ISUP of the body, alone or a part of a multipart. The message is a whole INVITE
 * (sip->body_off). False: there is none that could be read. */
bool tg_sip_isup_find(const struct tg_sip *sip, struct tg_sip_isup *at);

/*
 * Reads it, after tg_sig_normalise: its identities, with numbers and classes, stand behind those of the header
 * from *first_party on, as many as there is room for (sig.ids_left_out). They point into *isup, which lives as
 * long as *sip. False, and sip as it was: there is no IAM that can be read.
 */
bool tg_sip_isup_read(struct tg_sip *sip, const struct tg_num_profile *profile,
		      struct tg_isup *isup, unsigned *first_party);

/*
 * What the script does to the header, done to the IAM in the body (traps IS-12), same length, base64 included;
 * `sip` is the whole message. False, and nothing added, where that is not possible. The called number becomes
 * `digits`, as many as it has; or who calls is restricted, if the IAM says who.
 */
bool tg_sip_isup_edit_called(const struct tg_sip *sip, struct tg_span digits,
			     struct tg_sip_edits *e);
bool tg_sip_isup_edit_restrict(const struct tg_sip *sip, struct tg_sip_edits *e);

#endif
