/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls over SS7 for benchmarks: ISUP in M3UA in SCTP, as the link of an international exchange carries it; as user
 * messages or as whole frames. The same (kind, serial, numbers) give the same bytes.
 */
#ifndef PERF_TRAFFIC_SS7_H
#define PERF_TRAFFIC_SS7_H

#include "perf/traffic.h"
#include "tollgate/base.h"

#define TRAFFIC_SS7_FRAME_MAX 1500
#define TRAFFIC_SS7_BUNDLE_MAX 5 /* rich IAMs fit a frame */

enum traffic_ss7_kind {
	TRAFFIC_IAM_USUAL, /* called and calling number, what else an exchange sends with them */
	TRAFFIC_IAM_RICH, /* ... and original called, redirecting, location, three generic numbers */
	TRAFFIC_ACM,	  /* and what else a call has */
	TRAFFIC_ANM,
	TRAFFIC_REL,
	TRAFFIC_RLC,
};

const char *traffic_ss7_name(enum traffic_ss7_kind kind);

struct traffic_ss7_message {
	enum traffic_ss7_kind kind;
	struct traffic_call call; /* its serial makes the circuit, and its packet's the rest */
};

/* The user message of SCTP; its length. At most TRAFFIC_SS7_FRAME_MAX. */
unsigned traffic_ss7_message(uint8_t *out, const struct traffic_ss7_message *m);

/* A frame: IPv4, an SCTP packet with n messages (1 to TRAFFIC_SS7_BUNDLE_MAX), right CRC32c. `serial` numbers
 * packets: it makes the association (one of 64) and the TSNs. Returns its length. */
unsigned traffic_ss7_frame(uint8_t *out, const struct traffic_ss7_message *m, unsigned n,
			   uint64_t serial);

#endif
