/* SPDX-License-Identifier: BSD-3-Clause */
/* What the user adaptation layers share: M3UA (RFC 4666), M2UA (RFC 3331), SUA (RFC 3868). */
#ifndef TG_SIG_XUA_H
#define TG_SIG_XUA_H

#include "tollgate/cursor.h"
#include "tollgate/reason.h"

#define TG_XUA_VERSION 1 /* RFC 4666 §3.1.1 */
#define TG_XUA_HEADER 8
#define TG_XUA_PARAMETER 4 /* tag and length */

struct tg_xua {
	uint8_t message_class;
	uint8_t type;
	struct tg_cursor params; /* what tg_xua_next has not read yet */
};

/* The common header (RFC 4666 §3.1). NONE, SIGTRAN_OTHER (another version) or SIGTRAN_MALFORMED (none). A length
 * that cannot be makes params.failed: the class tells first whether it matters. */
static inline enum tg_reason tg_xua_open(struct tg_span message, struct tg_xua *x)
{
	struct tg_cursor c = tg_cursor_init(message);
	const uint8_t *const head = tg_cursor_take(&c, TG_XUA_HEADER).data;
	uint32_t length;

	x->params = c;
	if (!head)
		return TG_REASON_SIGTRAN_MALFORMED;
	x->message_class = head[2];
	x->type = head[3];
	if (head[0] != TG_XUA_VERSION)
		return TG_REASON_SIGTRAN_OTHER;
	length = tg_load_be32(head + 4);
	/* Some count the last parameter's padding, some do not, and some do not even send it. */
	x->params.failed = length < TG_XUA_HEADER || length > (((uint64_t)message.len + 3) & ~3ull);
	if (!x->params.failed && length < message.len)
		x->params.end = message.data + length;
	return TG_REASON_NONE;
}

/* The next parameter (RFC 4666 §3.2), also within another one: tag, length with its four octets of header but
 * without padding, value. False: there is none, or c->failed. */
static inline bool tg_xua_next(struct tg_cursor *c, uint16_t *tag, struct tg_span *value)
{
	const uint32_t left = (uint32_t)tg_cursor_left(c);
	uint32_t length, padded;
	struct tg_span whole;

	if (left < TG_XUA_PARAMETER || c->failed) {
		c->failed |= left > 0;
		return false;
	}
	length = tg_load_be16(c->pos + 2);
	padded = (length + 3) & ~3u;
	whole = tg_cursor_take(c, padded < left ? padded : left);
	if (length < TG_XUA_PARAMETER || length > whole.len) {
		c->failed = true;
		return false;
	}
	*tag = tg_load_be16(whole.data);
	*value = (struct tg_span){ whole.data + TG_XUA_PARAMETER, length - TG_XUA_PARAMETER };
	return true;
}

#endif
