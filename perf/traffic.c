/* SPDX-License-Identifier: BSD-3-Clause */
#include "perf/traffic.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tollgate/checksum.h"
#include "tollgate/load.h"

#define CONTENT_LENGTH_DIGITS 4
#define USUAL_BODY 200
#define TAIL_BYTES (strlen("Content-Length: \r\n\r\n") + CONTENT_LENGTH_DIGITS)

struct text {
	char *at;
	char *end; /* of what headers may fill */
};

static bool append(struct text *t, const char *fmt, ...) TG_PRINTF(2, 3);

/* A line that does not fit is left out whole. */
static bool append(struct text *t, const char *fmt, ...)
{
	char line[512];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (n < 0 || n > t->end - t->at)
		return false;
	memcpy(t->at, line, (size_t)n);
	t->at += n;
	return true;
}

/* What answering needs: without these it is no INVITE, so they fit into TRAFFIC_SIZE_MIN. */
static void append_required(struct text *t, const struct traffic_call *c)
{
	append(t, "INVITE sip:+%" PRIu64 "@192.0.2.9 SIP/2.0\r\n", c->called);
	append(t, "Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK%08" PRIx64 "\r\n",
	       c->serial * 0x9e3779b1u & 0xffffffff);
	append(t, "From: <sip:+%" PRIu64 "@198.51.100.7>;tag=%" PRIx64 "\r\n", c->caller,
	       c->serial + 4096);
	append(t, "To: <sip:+%" PRIu64 "@192.0.2.9>\r\n", c->called);
	append(t, "Call-ID: %" PRIx64 "-%08" PRIx64 "@198.51.100.7\r\n", c->serial + 4096,
	       c->serial * 0x85ebca6bu & 0xffffffff);
	append(t, "CSeq: 1 INVITE\r\nMax-Forwards: 69\r\n");
	append(t, "Contact: <sip:198.51.100.7:5060>\r\n");
}

static void append_optional(struct text *t, const struct traffic_call *c)
{
	append(t, "P-Asserted-Identity: <sip:+%" PRIu64 "@carrier.example;user=phone>\r\n",
	       c->caller);
	append(t, "Record-Route: <sip:192.0.2.33;lr;ftag=%" PRIx64 ">\r\n", c->serial);
	append(t,
	       "Via: SIP/2.0/UDP 10.1.2.3:5060;received=203.0.113.3;branch=z9hG4bKa%" PRIx64
	       ";rport=5060\r\n",
	       c->serial);
	append(t, "Allow: INVITE,ACK,CANCEL,BYE,PRACK,UPDATE,INFO,OPTIONS\r\n");
	append(t, "Supported: timer,100rel,replaces\r\n");
	append(t, "Session-Expires: 1800;refresher=uac\r\nMin-SE: 90\r\n");
	append(t, "User-Agent: Carrier Switch/7.4.1 (release 2210)\r\n");
	append(t, "P-Charging-Vector: icid-value=%016" PRIx64 ";orig-ioi=carrier.example\r\n",
	       c->serial * UINT64_C(0x2545f4914f6cdd1d));
	append(t, "Privacy: none\r\nContent-Disposition: session\r\n");
	append(t,
	       "Remote-Party-ID: <sip:+%" PRIu64
	       "@198.51.100.7>;party=calling;privacy=off;screen=yes\r\n",
	       c->caller);
	append(t, "Via: SIP/2.0/UDP 10.9.8.7:5080;branch=z9hG4bKb%" PRIx64 "\r\n", c->serial);
	append(t, "Diversion: <sip:+%" PRIu64 "@198.51.100.7>;reason=unconditional;counter=1\r\n",
	       c->caller - 1);
	append(t,
	       "History-Info: <sip:+%" PRIu64 "@198.51.100.7?Reason=SIP%%3Bcause%%3D302>;index=1,"
	       " <sip:+%" PRIu64 "@192.0.2.9>;index=1.1\r\n",
	       c->caller - 1, c->called);
	append(t, "Accept: application/sdp, application/isup, multipart/mixed\r\n");
	append(t, "P-Early-Media: supported\r\nAccept-Language: en\r\n");
	append(t, "X-Trunk: carrier-east-17\r\nX-Call-Quality: 4.21\r\n");
	append(t, "Date: Mon, 23 Nov 2026 12:00:00 GMT\r\nTimestamp: 54.21\r\n");
}

/* A session description's lines, again and again: nobody reads them. */
static void fill_body(char *at, const char *end)
{
	static const char lines[] = "v=0\r\no=- 3724 3724 IN IP4 198.51.100.20\r\ns=-\r\n"
				    "c=IN IP4 198.51.100.20\r\nt=0 0\r\n"
				    "m=audio 20004 RTP/AVP 8 0 18 101\r\na=rtpmap:8 PCMA/8000\r\n"
				    "a=rtpmap:0 PCMU/8000\r\na=rtpmap:18 G729/8000\r\n"
				    "a=fmtp:18 annexb=no\r\na=rtpmap:101 telephone-event/8000\r\n"
				    "a=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n";
	unsigned i;

	for (i = 0; at < end; i++)
		*at++ = lines[i % (sizeof(lines) - 1)];
}

const char *traffic_headers_name(enum traffic_headers headers)
{
	static const char *const name[] = { "few", "usual", "many" };

	return name[headers];
}

unsigned traffic_invite(uint8_t *out, unsigned size, enum traffic_headers headers,
			const struct traffic_call *call, unsigned *n_lines)
{
	const unsigned reserved = headers == TRAFFIC_USUAL ? USUAL_BODY : 0;
	struct text t = { (char *)out, (char *)out + size - TAIL_BYTES };
	char tail[32];
	unsigned header, i;

	append_required(&t, call);
	t.end -= reserved;
	if (headers != TRAFFIC_FEW)
		append_optional(&t, call);
	t.end += reserved;
	append(&t, "Content-Type: application/sdp\r\n");
	header = (unsigned)(t.at - (char *)out) + (unsigned)TAIL_BYTES;
	snprintf(tail, sizeof(tail), "Content-Length: %0*u\r\n\r\n", CONTENT_LENGTH_DIGITS,
		 size - header);
	memcpy(t.at, tail, TAIL_BYTES);
	fill_body((char *)out + header, (char *)out + size);
	if (n_lines)
		for (i = 0, *n_lines = 0; i < header; i++)
			*n_lines += out[i] == '\n';
	return header;
}

/* ---- frames -------------------------------------------------------------------------------------- */

static void wrap(uint8_t *out, unsigned payload, uint16_t sport, uint16_t dport)
{
	static const uint8_t head[34] = {
		0x02, 0, 0, 0,	  0, 2,	 0x02,		 0, 0, 0,   0,	1,   0x08, 0,	0x45, 0, 0,
		0,    0, 0, 0x40, 0, 64, TG_IPPROTO_UDP, 0, 0, 198, 51, 100, 7,	   192, 0,    2, 9,
	};
	struct tg_frame f;

	memcpy(out, head, sizeof(head));
	tg_store_be16(out + 16, (uint16_t)(28 + payload));
	tg_store_be16(out + 34, sport);
	tg_store_be16(out + 36, dport);
	tg_store_be16(out + 38, (uint16_t)(8 + payload));
	tg_store_be16(out + 40, 0);
	if (tg_frame_walk(out, out + TRAFFIC_FRAME_HEAD + payload, TG_LINK_ETHERNET, &f) !=
	    TG_REASON_NONE) {
		fprintf(stderr, "traffic: a frame that cannot be read\n");
		exit(1);
	}
	tg_checksum_udp_fill(out, &f);
}

unsigned traffic_invite_frame(uint8_t *out, unsigned size, enum traffic_headers headers,
			      const struct traffic_call *call)
{
	(void)traffic_invite(out + TRAFFIC_FRAME_HEAD, size, headers, call, NULL);
	wrap(out, size, 5060, 5060);
	return TRAFFIC_FRAME_HEAD + size;
}

unsigned traffic_media_frame(uint8_t *out, uint64_t serial)
{
	uint8_t *const rtp = out + TRAFFIC_FRAME_HEAD;
	const unsigned payload = TRAFFIC_MEDIA_BYTES - TRAFFIC_FRAME_HEAD;
	const uint16_t port = (uint16_t)(20000 + serial % 4096 * 2);
	unsigned i;

	/* RFC 3550 §5.1: version 2, payload type 8 */
	rtp[0] = 0x80;
	rtp[1] = 8;
	tg_store_be16(rtp + 2, (uint16_t)(serial / 4096));
	tg_store_be32(rtp + 4, (uint32_t)(serial / 4096 * 160));
	tg_store_be32(rtp + 8, (uint32_t)(serial % 4096 * 0x9e3779b1u));
	for (i = 12; i < payload; i++)
		rtp[i] = (uint8_t)(0x55 ^ (serial * 31 + i * 7));
	wrap(out, payload, port, (uint16_t)(port + 8192));
	return TRAFFIC_MEDIA_BYTES;
}
