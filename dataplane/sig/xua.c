/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/sig/xua.h"

#define VERSION 1 /* RFC 4666 §3.1.1 */
#define HEADER 8

enum tg_reason tg_xua_open(struct tg_span message, struct tg_xua *x)
{
	struct tg_cursor c = tg_cursor_init(message);
	const uint8_t *const head = tg_cursor_take(&c, HEADER).data;
	uint32_t length;

	if (!head)
		return TG_REASON_SIGTRAN_MALFORMED;
	x->message_class = head[2];
	x->type = head[3];
	if (head[0] != VERSION)
		return TG_REASON_SIGTRAN_OTHER;
	length = tg_load_be32(head + 4);
	/* Some count the last parameter's padding, some do not, and some do not even send it. */
	x->params = c;
	x->params.failed = length < HEADER || length > (((uint64_t)message.len + 3) & ~3ull);
	if (!x->params.failed && length < message.len)
		x->params.end = message.data + length;
	return TG_REASON_NONE;
}

/* Tag, length with its four octets of header but without padding, value. */
bool tg_xua_next(struct tg_cursor *c, uint16_t *tag, struct tg_span *value)
{
	const uint8_t *head;
	uint16_t length;
	uint32_t padding;

	if (c->failed || tg_cursor_left(c) == 0)
		return false;
	head = tg_cursor_take(c, 4).data;
	length = head ? tg_load_be16(head + 2) : 0;
	if (length < 4) {
		c->failed = true;
		return false;
	}
	*tag = tg_load_be16(head);
	*value = tg_cursor_take(c, length - 4u);
	padding = -(uint32_t)length & 3;
	tg_cursor_skip(c, padding <= tg_cursor_left(c) ? padding : (uint32_t)tg_cursor_left(c));
	return !c->failed;
}
