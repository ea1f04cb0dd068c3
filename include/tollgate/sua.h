/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SUA (RFC 3868): SCCP's messages without SCCP, MTP3 or point codes that must be. No state, no copy: spans point
 * into the message.
 */
#ifndef TG_SUA_H
#define TG_SUA_H

#include "tollgate/base.h"
#include "tollgate/num.h"
#include "tollgate/reason.h"

enum tg_sua_message {
	TG_SUA_CLDT,	   /* connectionless data (§3.2.1) */
	TG_SUA_CLDR,	   /* the same, given back (§3.2.2) */
	TG_SUA_CONNECTION, /* connection-oriented, any of §3.3 */
};

/* §3.10.2.3, Q.713 §3.4.2.3: a global title, and which of what it says holds. */
struct tg_sua_title {
	uint8_t indicator; /* 1 nature; 2 translation type; 3 that and plan; 4 all */
	uint8_t translation_type;
	uint8_t plan;	/* 1: E.164, 6: E.212, 7: E.214 */
	uint8_t nature; /* of address: 1 subscriber, 3 national, 4 international, else unknown */
	uint8_t n_digits;
	struct tg_span digits; /* BCD; {NULL, 0}: there is no global title */
};

struct tg_sua_address {
	uint16_t
		routing; /* §3.10.2.1: 1 global title, 2 SSN and point code, 3 host name, 4 SSN and IP */
	bool has_point_code;
	bool has_ssn;
	uint32_t point_code;
	uint8_t ssn;
	struct tg_sua_title title;
};

struct tg_sua {
	enum tg_sua_message message;
	uint32_t network_appearance; /* if has_network_appearance */
	bool has_network_appearance;
	struct tg_sua_address source;
	struct tg_sua_address destination;
	struct tg_span data; /* of SCCP's user, TCAP as a rule; {NULL, 0}: none */
};

/*
 * Reads one message.
 *   TG_REASON_NONE       a message of SCCP's users: *s. What is missing is empty, whatever the RFC makes mandatory,
 *                        but CLDT has data
 *   SIGTRAN_OTHER        management, traffic maintenance, a class or type that is not known
 *   SIGTRAN_MALFORMED    cannot be read to its end
 */
enum tg_reason tg_sua_read(struct tg_span message, struct tg_sua *s);

/* The title's number; `profile` may be NULL. Class absent: there is no title. A plan other than E.164 gives none. */
enum tg_num_class tg_sua_number(const struct tg_sua_title *t, const struct tg_num_profile *profile,
				struct tg_num *out);

#endif
