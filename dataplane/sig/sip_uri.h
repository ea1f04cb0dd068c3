/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Addresses: name-addr and addr-spec (RFC 3261 §25.1) with their header parameters, and what the URI
 * in them says of a user. Reads liberally (what peers route must be seen here too) and says when
 * the text was not well formed.
 */
#ifndef TG_SIG_SIP_URI_H
#define TG_SIG_SIP_URI_H

#include "dataplane/sig/sip_text.h"

struct tg_sip_addr {
	struct tg_span user; /* before ':' and ';', escapes kept; {NULL, 0} if there is none */
	uint8_t flags;	     /* TG_ID_FLAG_EMERGENCY, TG_ID_FLAG_TEL_LOCAL */
	bool anonymous;	     /* the host is anonymous.invalid (RFC 3323 §4.1.1.3) */
	bool well_formed;    /* quotes and angle brackets closed, a scheme in front */
	uint32_t
		params; /* offset of the first header parameter's ';', or of what ends the address */
};

/* One parameter, ";name" or ";name=value". */
struct tg_sip_param {
	struct tg_span name;
	struct tg_span value; /* quoted string with its quotes; {NULL, 0} if there is none */
	uint32_t end;	      /* offset behind it */
};

/* The address that begins at offset `at`; in a `list`, a comma ends it. */
void tg_sip_addr_read(struct tg_sip_value *v, uint32_t at, bool list, struct tg_sip_addr *a);

/* A URI that is all of the value from offset `at` on, as in a start line. */
void tg_sip_uri_read(const struct tg_sip_value *v, uint32_t at, struct tg_sip_addr *a);

/* The parameter at *at, which is moved behind it; false, and *at stays, if there is no ';'. */
bool tg_sip_param_next(struct tg_sip_value *v, uint32_t *at, struct tg_sip_param *p);

/* The parameter `name` (lower case) among those from offset `at` on. */
#define TG_SIP_NAME(literal) ((struct tg_span){ (const uint8_t *)(literal), sizeof(literal) - 1 })
bool tg_sip_param_find(struct tg_sip_value *v, uint32_t at, struct tg_span name,
		       struct tg_sip_param *p);

/* Offset of the comma that ends the list member in which `at` stands, or the value's length. */
uint32_t tg_sip_member_end(struct tg_sip_value *v, uint32_t at);

#endif
