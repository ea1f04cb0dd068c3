/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Traffic for benchmarks: INVITEs as carriers send them, of a stated size, each another call, and
 * media; as messages or as whole frames. The same (shape, serial, numbers) give the same bytes.
 */
#ifndef PERF_TRAFFIC_H
#define PERF_TRAFFIC_H

#include "tollgate/base.h"

#define TRAFFIC_MESSAGE_MAX 4096
#define TRAFFIC_FRAME_HEAD 42 /* Ethernet 14, IPv4 20, UDP 8 */
#define TRAFFIC_FRAME_MAX (TRAFFIC_FRAME_HEAD + TRAFFIC_MESSAGE_MAX)
#define TRAFFIC_MEDIA_BYTES 214 /* 20 ms of G.711: RTP 12 + 160 octets, and the heads */
#define TRAFFIC_SIZE_MIN 400

/* What the headers of an INVITE are. */
enum traffic_headers {
	TRAFFIC_FEW,   /* what RFC 3261 requires and no more; an SDP body fills up to the size */
	TRAFFIC_USUAL, /* some of what a trunk between carriers carries, and a body of 200 bytes */
	TRAFFIC_MANY,  /* as many as fit of that; little body */
};

const char *traffic_headers_name(enum traffic_headers headers);

struct traffic_call {
	uint64_t caller; /* E.164 digits as an integer */
	uint64_t called;
	uint64_t serial; /* makes branch, tag and Call-ID */
};

/* An INVITE of exactly `size` bytes (TRAFFIC_SIZE_MIN to TRAFFIC_MESSAGE_MAX). Returns the length of its
 * header, empty line included; *n_lines (may be NULL) how many lines that has. */
unsigned traffic_invite(uint8_t *out, unsigned size, enum traffic_headers headers,
			const struct traffic_call *call, unsigned *n_lines);

/* The frame around an INVITE: IPv4, UDP 5060, right checksums. Returns its length. */
unsigned traffic_invite_frame(uint8_t *out, unsigned size, enum traffic_headers headers,
			      const struct traffic_call *call);

/* One RTP packet of stream serial % 4096. Returns TRAFFIC_MEDIA_BYTES. */
unsigned traffic_media_frame(uint8_t *out, uint64_t serial);

#endif
