/* SPDX-License-Identifier: BSD-3-Clause */
/* What the user adaptation layers share: M3UA (RFC 4666), M2UA (RFC 3331), SUA (RFC 3868). */
#ifndef TG_SIG_XUA_H
#define TG_SIG_XUA_H

#include "tollgate/cursor.h"
#include "tollgate/reason.h"

struct tg_xua {
	uint8_t message_class;
	uint8_t type;
	struct tg_cursor params; /* what tg_xua_next has not read yet */
};

/* The common header (RFC 4666 §3.1). NONE, SIGTRAN_OTHER (another version) or SIGTRAN_MALFORMED (none). A length
 * that cannot be makes params.failed: the class tells first whether it matters. */
enum tg_reason tg_xua_open(struct tg_span message, struct tg_xua *x);

/* The next parameter (RFC 4666 §3.2), also within another one. False: there is none, or c->failed. */
bool tg_xua_next(struct tg_cursor *c, uint16_t *tag, struct tg_span *value);

#endif
