/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/sig/sip_fields.h"

#include <string.h>

#include "dataplane/sig/sip_text.h"

/* What of a message may be header. */
static uint32_t limit_of(struct tg_span message)
{
	return message.len < TG_SIP_MAX_HEADER_BYTES ? message.len : TG_SIP_MAX_HEADER_BYTES;
}

/* Behind the line that begins at `at`. */
static uint32_t line_end(struct tg_span message, uint32_t at, uint32_t limit)
{
	const uint8_t *lf = memchr(message.data + at, '\n', limit - at);

	return lf ? (uint32_t)(lf - message.data) + 1 : limit;
}

uint32_t tg_sip_fields_begin(struct tg_span message)
{
	const uint32_t limit = limit_of(message);
	uint32_t at = 0;

	while (at < limit && (message.data[at] == '\r' || message.data[at] == '\n'))
		at++;
	return at < limit ? line_end(message, at, limit) : limit;
}

static bool is_empty_line(struct tg_span message, uint32_t at, uint32_t limit)
{
	return message.data[at] == '\n' ||
	       (message.data[at] == '\r' && at + 1 < limit && message.data[at + 1] == '\n');
}

bool tg_sip_field_next(struct tg_span message, uint32_t *at, struct tg_sip_field *f)
{
	const uint32_t limit = limit_of(message);
	const uint8_t *p = message.data, *colon;
	uint32_t end;

	if (*at >= limit || is_empty_line(message, *at, limit))
		return false;
	end = line_end(message, *at, limit);
	while (end < limit && tg_sip_is_wsp(p[end])) /* RFC 3261 §7.3.1: folded */
		end = line_end(message, end, limit);
	f->line = f->name_end = f->value = *at;
	f->value_end = tg_sip_trim_lws(p, *at, end);
	*at = end;
	colon = memchr(p + f->line, ':', f->value_end - f->line);
	if (!colon)
		return true;
	f->name_end = (uint32_t)(colon - p);
	while (f->name_end > f->line && tg_sip_is_wsp(p[f->name_end - 1]))
		f->name_end--;
	f->value = tg_sip_skip_lws(p, (uint32_t)(colon - p) + 1, f->value_end);
	return true;
}

bool tg_sip_field_is(struct tg_span message, const struct tg_sip_field *f, const char *name,
		     char compact)
{
	const uint8_t *p = message.data + f->line;
	const uint32_t len = f->name_end - f->line;

	if (len == 1)
		return compact && (p[0] | 0x20) == compact;
	return len > 1 && len == strlen(name) && tg_sip_same(p, name, len);
}

bool tg_sip_field_find(struct tg_span message, const char *name, char compact,
		       struct tg_sip_field *f)
{
	uint32_t at = tg_sip_fields_begin(message);

	while (tg_sip_field_next(message, &at, f))
		if (tg_sip_field_is(message, f, name, compact))
			return true;
	return false;
}
