/* SPDX-License-Identifier: BSD-3-Clause */
/* M2PA, RFC 4165 §2: link status, and user data which has sequence numbers that nobody may touch. */
#include "tollgate/cursor.h"
#include "tollgate/mtp3.h"

#define VERSION 1
#define CLASS_M2PA 11 /* §2.1.2 */
#define TYPE_USER_DATA 1
#define HEADER 8
#define SEQUENCE_NUMBERS 8 /* §2.2: unused, BSN 24, unused, FSN 24 */

enum tg_reason tg_m2pa_read(struct tg_span message, enum tg_mtp3_variant variant, struct tg_mtp3 *m)
{
	struct tg_cursor c = tg_cursor_init(message);
	const uint8_t version = tg_cursor_u8(&c);
	uint8_t message_class, type;
	uint32_t length;

	tg_cursor_skip(&c, 1);
	message_class = tg_cursor_u8(&c);
	type = tg_cursor_u8(&c);
	length = tg_cursor_be32(&c);
	tg_cursor_skip(&c, SEQUENCE_NUMBERS);
	if (c.failed)
		return TG_REASON_SIGTRAN_MALFORMED;
	if (version != VERSION || message_class != CLASS_M2PA || type != TYPE_USER_DATA)
		return TG_REASON_SIGTRAN_OTHER;
	if (length < HEADER + SEQUENCE_NUMBERS || length > message.len)
		return TG_REASON_SIGTRAN_MALFORMED;
	/* §2.3.1: an acknowledgement without data. */
	if (length == HEADER + SEQUENCE_NUMBERS)
		return TG_REASON_SIGTRAN_OTHER;
	tg_cursor_skip(&c, 1); /* priority */
	c.end = message.data + length;
	return tg_mtp3_read(tg_cursor_take(&c, (uint32_t)tg_cursor_left(&c)), variant, m);
}
