/* SPDX-License-Identifier: BSD-3-Clause */
/* The topmost Via: the first member of the first Via header field (RFC 3261 §20.42). */
#ifndef TG_SIG_SIP_VIA_H
#define TG_SIG_SIP_VIA_H

#include "dataplane/sig/sip_text.h"

struct tg_sip_via {
	struct tg_span host; /* sent-by host, an IPv6 address with its brackets */
	uint16_t port;	     /* 0 = none given */
	struct tg_span branch;
	struct tg_span rport;	 /* the parameter's name, if it has no value (RFC 3581 §3) */
	struct tg_span received; /* the parameter's value */
	uint32_t rport_end;	 /* offset behind rport and a '=' without value */
	uint32_t end;		 /* offset behind the member's last parameter */
	bool well_formed;
};

/* The value from offset `at` on. */
void tg_sip_via_read(struct tg_sip_value *v, uint32_t at, struct tg_sip_via *via);

#endif
