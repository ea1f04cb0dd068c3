/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Captures of the Sniffer family (NetXRay 1.1, Ethernet), which old archives hold, tshark reads and
 * libpcap does not. The layout was read off such files: header 128 bytes, records of 28 and a frame.
 */
#ifndef TG_CONTROL_NETXRAY_H
#define TG_CONTROL_NETXRAY_H

#include <stdio.h>

#include "control/capture.h"

struct tg_netxray;

/* Is it such a file? Leaves the position at the start. A pipe is never one. */
bool tg_netxray_detect(FILE *in);

/* Takes `in` over, also when it fails. Results as those of tg_capture_open and tg_capture_next. */
int tg_netxray_open(FILE *in, struct tg_netxray **x, struct tg_error *err);
int tg_netxray_next(struct tg_netxray *x, struct tg_capture_frame *frame, struct tg_error *err);
void tg_netxray_close(struct tg_netxray *x);

#endif
