/* SPDX-License-Identifier: BSD-3-Clause */
/* How the files that make edits write into the script. */
#ifndef TG_SIG_SIP_EDIT_H
#define TG_SIG_SIP_EDIT_H

#include "tollgate/sip_edit.h"

/*
 * Bytes [off, off + len) are replaced by `text_len` (at least one) that the caller writes at what is
 * returned; NULL, and the script has failed, if there is no room or those bytes are taken. len 0 inserts.
 */
uint8_t *tg_sip_edits_add(struct tg_sip_edits *e, uint32_t off, uint32_t len, uint32_t text_len);

/* The script as it stands, and back to there; returns false, for use in a return statement. */
struct tg_sip_edits_mark {
	unsigned text_used;
	bool failed;
};
struct tg_sip_edits_mark tg_sip_edits_mark(const struct tg_sip_edits *e);
bool tg_sip_edits_undo(struct tg_sip_edits *e, struct tg_sip_edits_mark mark);

#endif
