/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Changes to a SIP message, as a script: which bytes go, and what stands in their place. A script is a
 * pure function of the message and what it is asked for, so a retransmission gets the same one, and it
 * may be carried out anywhere: in place where no length changes (TCP, also when the message lies in
 * several segments), or into another buffer.
 *
 * A body keeps its length (sip_isup.h is what changes one), so no Content-Length ever changes. No allocation, no
 * state.
 */
#ifndef TG_SIP_EDIT_H
#define TG_SIP_EDIT_H

#include "tollgate/base.h"
#include "tollgate/sip.h"

/* From and its display, 16 identities at most, a header line, Privacy; the Request-URI and its rn. */
#define TG_SIP_EDITS_MAX 24
#define TG_SIP_EDITS_TEXT 1536

/* Bytes [off, off + len) of the message become `text_len` bytes at text[text_off]. */
struct tg_sip_edit {
	uint32_t off;
	uint32_t len;
	uint16_t text_off;
	uint16_t text_len;
};

/* Ascending, not overlapping. */
struct tg_sip_edits {
	unsigned n;
	unsigned text_used;
	bool failed; /* no room, or two wanted the same bytes; sticky: carry out nothing */
	struct tg_sip_edit edit[TG_SIP_EDITS_MAX];
	uint8_t text[TG_SIP_EDITS_TEXT];
};

static inline void tg_sip_edits_init(struct tg_sip_edits *e)
{
	e->n = 0;
	e->text_used = 0;
	e->failed = false;
}

/* ---- what may be asked for: each adds to the script; false, and nothing added, if the message has no
 * place for it ---------------------------------------------------------------------------------- */

/*
 * The user part of the Request-URI becomes `sink` ('+' and digits), filled with zeros to the length that
 * it had; escapes and visual separators stay where they are. A routing number beside it (;rn=, RFC 4694)
 * loses its name, or the call would be routed by it. Same length. Also for an ACK or CANCEL.
 */
bool tg_sip_edit_sink(struct tg_span message, struct tg_span sink, struct tg_sip_edits *e);

/* Every Max-Forwards becomes 0, spaces before it (RFC 3261 §20.22; HCOLON allows them): a proxy behind us
 * answers 483, a B2BUA may not care. Same length. */
bool tg_sip_edit_max_forwards(struct tg_span message, struct tg_sip_edits *e);

/* A response's code and phrase; the phrase is cut or filled with spaces (RFC 3261 §25.1 Reason-Phrase)
 * to the length of the old one. Same length. */
bool tg_sip_edit_status(struct tg_span message, unsigned code, struct tg_span phrase,
			struct tg_sip_edits *e);

/* A header field, "Name: value" without line end, behind all others. */
bool tg_sip_edit_header(struct tg_span message, struct tg_span line, struct tg_sip_edits *e);

/* `prefix` in front of the display names of From and the first P-Asserted-Identity, which get one if
 * they have none. It holds neither quotation marks nor backslashes. */
bool tg_sip_edit_display(struct tg_span message, struct tg_span prefix, struct tg_sip_edits *e);

/* How an anonymous address is written; see tg_sip_edit_anonymise. */
enum tg_sip_length {
	TG_SIP_ANY_LENGTH,
	TG_SIP_SAME_LENGTH,
};

/*
 * Who calls is withheld: From, P-Asserted-Identity, P-Preferred-Identity and Remote-Party-ID name
 * anonymous@anonymous.invalid (RFC 3323 §4.1.1.3); parameters behind the address (tags) stay. A message
 * without Privacy gets "Privacy: id" (RFC 3325 §9.3).
 * Same length: filled with spaces behind the address, no Privacy; where anonymous.invalid is too long,
 * the host stays. False if an address is too short even so, or cannot be told from what is around it.
 */
bool tg_sip_edit_anonymise(struct tg_span message, enum tg_sip_length length,
			   struct tg_sip_edits *e);

/* The user parts of From and P-Asserted-Identity that are numbers (class e164, after tg_sig_normalise)
 * are written as '+' and digits. */
bool tg_sip_edit_plus(const struct tg_sip *sip, struct tg_sip_edits *e);

/* ---- carrying it out ------------------------------------------------------------------------- */

bool tg_sip_edits_same_length(const struct tg_sip_edits *e);

/* Into `out`; the length, or 0 if the script has failed or it does not fit in `cap`. */
unsigned tg_sip_edits_apply(struct tg_span message, const struct tg_sip_edits *e, uint8_t *out,
			    unsigned cap);

/* Bytes [from, from + len) of the message, wherever they lie, in place: for messages that come in pieces.
 * Only for a script of the same length. */
void tg_sip_edits_patch(const struct tg_sip_edits *e, uint32_t from, uint8_t *bytes, uint32_t len);

#endif
