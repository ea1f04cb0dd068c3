/* SPDX-License-Identifier: BSD-3-Clause */
/* Where a stream's messages begin and end. */
#include "tollgate/sip_stream.h"

#include <string.h>

#include "dataplane/sig/sip_fields.h"
#include "dataplane/sig/sip_text.h"

#define VERSION "sip/2.0"
#define VERSION_LEN 7

/* As in sip.c: the longest method that is read. */
#define METHOD_MAX 64

/* RFC 3261 §7.2: SIP-Version SP; the first bytes of it as far as they are here. */
static enum tg_sip_start response_start(struct tg_span s)
{
	static const char begin[] = VERSION " ";
	const uint32_t n = s.len < sizeof(begin) - 1 ? s.len : (uint32_t)sizeof(begin) - 1;

	if (n == 0 || !tg_sip_same(s.data, begin, n))
		return TG_SIP_START_NO;
	return n == sizeof(begin) - 1 ? TG_SIP_START_RESPONSE : TG_SIP_START_MAYBE;
}

enum tg_sip_start tg_sip_start(struct tg_span s)
{
	const enum tg_sip_start response = response_start(s);
	const uint32_t most = s.len < METHOD_MAX ? s.len : METHOD_MAX;
	const uint8_t *lf;
	uint32_t method = 0;

	if (response == TG_SIP_START_RESPONSE)
		return response;
	while (method < most && tg_sip_is_token(s.data[method]))
		method++;
	if (method == s.len && method < METHOD_MAX)
		return TG_SIP_START_MAYBE;
	if (method == 0 || method == METHOD_MAX || !tg_sip_is_wsp(s.data[method]))
		return response;
	lf = memchr(s.data + method, '\n', s.len - method);
	if (!lf)
		return TG_SIP_START_MAYBE;
	return tg_sip_strip_version(s.data, method, (uint32_t)(lf - s.data)) ? TG_SIP_START_REQUEST
									     : TG_SIP_START_NO;
}

uint32_t tg_sip_head_end(struct tg_span s, uint32_t from)
{
	const uint8_t *lf = s.data + from, *end = s.data + s.len;

	while (lf < end && (lf = memchr(lf, '\n', (size_t)(end - lf))) != NULL) {
		lf++;
		if (lf < end && *lf == '\n')
			return (uint32_t)(lf - s.data) + 1;
		if (end - lf >= 2 && lf[0] == '\r' && lf[1] == '\n')
			return (uint32_t)(lf - s.data) + 2;
	}
	return 0;
}

static int64_t read_length(const uint8_t *p, uint32_t n)
{
	int64_t value = 0;
	uint32_t i;

	if (n == 0)
		return TG_SIP_LENGTH_BAD;
	for (i = 0; i < n; i++) {
		if ((uint8_t)(p[i] - '0') > 9)
			return TG_SIP_LENGTH_BAD;
		value = value * 10 + (p[i] - '0');
		if (value > TG_SIP_LENGTH_MAX)
			return TG_SIP_LENGTH_BAD;
	}
	return value;
}

int64_t tg_sip_content_length(struct tg_span lines)
{
	int64_t length = TG_SIP_LENGTH_ABSENT, value;
	struct tg_sip_field f;
	uint32_t at = 0;

	while (tg_sip_field_next(lines, &at, &f)) {
		if (!tg_sip_field_is(lines, &f, "content-length", 'l'))
			continue;
		value = read_length(lines.data + f.value, f.value_end - f.value);
		if (length != TG_SIP_LENGTH_ABSENT && value != length)
			return TG_SIP_LENGTH_BAD;
		length = value;
	}
	return length;
}

unsigned tg_sip_status(struct tg_span head)
{
	const uint8_t *p = head.data + VERSION_LEN + 1;
	unsigned i, code = 0;

	if (head.len < VERSION_LEN + 4 || !tg_sip_same(head.data, VERSION " ", VERSION_LEN + 1))
		return 0;
	for (i = 0; i < 3; i++) {
		if ((uint8_t)(p[i] - '0') > 9)
			return 0;
		code = code * 10 + (unsigned)(p[i] - '0');
	}
	return code;
}
