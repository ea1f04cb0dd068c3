/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Header fields one by one, for what is done with few messages: edits, and what only some policies
 * ask. Reading every message goes another way (sip.c), over the same grammar.
 */
#ifndef TG_SIG_SIP_FIELDS_H
#define TG_SIG_SIP_FIELDS_H

#include "tollgate/base.h"

/* Offsets into the message. */
struct tg_sip_field {
	uint32_t line;	   /* where it begins */
	uint32_t name_end; /* white space before the colon left out; == line: no header field */
	uint32_t value;	   /* folds are inside, white space around it is not */
	uint32_t value_end;
};

/* Behind the start line, line ends before it included: where the first field begins. */
uint32_t tg_sip_fields_begin(struct tg_span message);

/* The field at *at, which moves behind it. False at the empty line or where the header ends, and *at
 * stays: a field could be added there. */
bool tg_sip_field_next(struct tg_span message, uint32_t *at, struct tg_sip_field *f);

/* Name in lower case, and its compact form or 0. */
bool tg_sip_field_is(struct tg_span message, const struct tg_sip_field *f, const char *name,
		     char compact);

/* The first field of that name. */
bool tg_sip_field_find(struct tg_span message, const char *name, char compact,
		       struct tg_sip_field *f);

#endif
