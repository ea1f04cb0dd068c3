/* SPDX-License-Identifier: BSD-3-Clause */
/* INVITEs with ISUP in their bodies. */
#ifndef TG_TESTS_SIP_ISUP_MESSAGE_H
#define TG_TESTS_SIP_ISUP_MESSAGE_H

#include <string.h>

#include "tests/support/isup_message.h"
#include "tests/support/sip_test.h"
#include "tollgate/sip_isup.h"

#define TEXT_MAX 4096
#define MULTIPART "Content-Type: multipart/mixed;boundary=b1\r\n"
#define ISUP_PART "--b1\r\nContent-Type: application/ISUP;version=itu-t92+\r\n\r\n@\r\n"
#define SDP_PART "--b1\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n\r\n"
#define BASE64_PART                                                                                \
	"--b1\r\nContent-Type: application/isup; base=\"itu-t92+\"\r\n"                            \
	"Content-Transfer-Encoding: BASE64\r\n\r\n#\r\n"

struct text {
	uint8_t data[TEXT_MAX];
	uint32_t len;
};

static inline void add(struct text *t, const void *bytes, size_t len)
{
	assert_true(t->len + len <= sizeof(t->data));
	memcpy(t->data + t->len, bytes, len);
	t->len += (uint32_t)len;
}

/* In lines of 16 characters. */
static inline void add_base64(struct text *t, const uint8_t *p, uint32_t len)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t i;

	for (i = 0; i < len; i += 3) {
		const uint32_t v = (uint32_t)p[i] << 16 | (i + 1 < len ? p[i + 1] : 0u) << 8 |
				   (i + 2 < len ? p[i + 2] : 0u);
		const char quad[4] = { alphabet[v >> 18], alphabet[v >> 12 & 63],
				       i + 1 < len ? alphabet[v >> 6 & 63] : '=',
				       i + 2 < len ? alphabet[v & 63] : '=' };

		add(t, quad, 4);
		if (i % 12 == 9)
			add(t, "\r\n", 2);
	}
}

/* An INVITE with these fields and this body, in which @ is the IAM and # the IAM in base64. */
static inline struct text invite(const char *fields, const char *body, const struct message *iam)
{
	struct text t = { .len = 0 };

	add(&t, SIP_START SIP_FRAME SIP_FROM SIP_TO,
	    sizeof(SIP_START SIP_FRAME SIP_FROM SIP_TO) - 1);
	add(&t, fields, strlen(fields));
	add(&t, "\r\n", 2);
	for (; *body; body++) {
		if (*body == '@')
			add(&t, iam->data + 2, iam->len - 2);
		else if (*body == '#')
			add_base64(&t, iam->data + 2, iam->len - 2);
		else
			add(&t, body, 1);
	}
	return t;
}

static inline struct tg_span span_of(const struct text *t)
{
	return (struct tg_span){ t->data, t->len };
}

#endif
