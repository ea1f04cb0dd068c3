/* SPDX-License-Identifier: BSD-3-Clause */
/* Bodies of INVITEs that are not read although they may name somebody. */
#include <string.h>

#include "dataplane/sig/sip_fields.h"
#include "dataplane/sig/sip_text.h"
#include "tollgate/sip.h"

/* RFC 3204 §3.1: application/ISUP; a part's header is text, whatever the part is encoded in (RFC 2045 §6). */
static bool has_isup_part(struct tg_span body)
{
	static const char type[] = "application/isup";
	const uint32_t slash = sizeof("application") - 1, len = sizeof(type) - 1;
	const uint8_t *p = body.data, *const end = body.data + body.len;

	while ((p = memchr(p, '/', (size_t)(end - p))) != NULL) {
		if (p - body.data >= slash && end - p >= len - slash &&
		    tg_sip_same(p - slash, type, len))
			return true;
		p++;
	}
	return false;
}

static enum tg_sip_body look_at_type(struct tg_span type, struct tg_span body, bool in_stream)
{
	if (TG_SIP_BEGINS(type.data, type.len, "application/isup"))
		return TG_SIP_BODY_ISUP;
	/* RFC 3261 §23.3: S/MIME, signed in one piece or encrypted. */
	if (TG_SIP_BEGINS(type.data, type.len, "application/pkcs7-mime"))
		return TG_SIP_BODY_ENCODED;
	if (TG_SIP_BEGINS(type.data, type.len, "multipart/"))
		return in_stream || has_isup_part(body) ? TG_SIP_BODY_ISUP : TG_SIP_BODY_CLEAR;
	return TG_SIP_BODY_CLEAR;
}

enum tg_sip_body tg_sip_body_look(const struct tg_sip *sip, bool in_stream)
{
	const struct tg_span m = sip->sig.text;
	const struct tg_span body = { m.data + sip->body_off, m.len - sip->body_off };
	uint32_t at = tg_sip_fields_begin(m);
	enum tg_sip_body found = TG_SIP_BODY_CLEAR;
	struct tg_sip_field f;

	while (tg_sip_field_next(m, &at, &f)) {
		const struct tg_span value = { m.data + f.value, f.value_end - f.value };

		/* RFC 3261 §20.12: the outer coding; what is in it cannot be seen. */
		if (tg_sip_field_is(m, &f, "content-encoding", 'e') && value.len > 0 &&
		    !TG_SIP_BEGINS(value.data, value.len, "identity"))
			return TG_SIP_BODY_ENCODED;
		if (tg_sip_field_is(m, &f, "content-type", 'c') && found == TG_SIP_BODY_CLEAR)
			found = look_at_type(value, body, in_stream);
	}
	return found;
}
