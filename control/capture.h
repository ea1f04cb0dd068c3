/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames of a capture file (pcap, pcapng, NetXRay), with whatever stands in front of Ethernet or IP taken off,
 * so that the pipeline can have them. Knows link types, nothing above them.
 */
#ifndef TG_CONTROL_CAPTURE_H
#define TG_CONTROL_CAPTURE_H

#include "control/error.h"
#include "tollgate/frame.h"

struct tg_capture;

struct tg_capture_frame {
	const uint8_t *data; /* the library's, until the next call */
	uint32_t len;
	uint8_t link;	       /* enum tg_link: how data begins */
	enum tg_reason reason; /* TG_REASON_NONE: for the pipeline; else why it is not */
	uint64_t number;       /* from 1, as Wireshark counts */
	uint64_t time_ns;      /* since the epoch */
};

/* "-" is standard input. 0, or negative errno with *err. */
int tg_capture_open(const char *path, struct tg_capture **capture, struct tg_error *err);
/* 1 with *frame, 0 at the end, negative errno with *err (also: the file ends within a frame). */
int tg_capture_next(struct tg_capture *capture, struct tg_capture_frame *frame,
		    struct tg_error *err);
void tg_capture_close(struct tg_capture *capture);

#endif
