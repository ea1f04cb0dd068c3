/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * MTP3 user messages as SIGTRAN carries them: in M3UA (RFC 4666), M2PA (RFC 4165), M2UA (RFC 3331), or
 * bare. One function a layer; each gives the same thing: who sends to whom, which user part, its octets.
 */
#ifndef TG_MTP3_H
#define TG_MTP3_H

#include "tollgate/base.h"
#include "tollgate/reason.h"

/* Service indicators (Q.704 §14.2.1; BICC: Q.1902.3). */
enum tg_mtp3_service {
	TG_SI_SCCP = 3,
	TG_SI_TUP = 4,
	TG_SI_ISUP = 5,
	TG_SI_BICC = 13,
};

/* Length and order of point codes in a routing label. M3UA carries them in 32 bits, whatever they are. */
enum tg_mtp3_variant {
	TG_MTP3_ITU,   /* 14 bits (Q.704 §2.2) */
	TG_MTP3_ANSI,  /* 24 bits (T1.111.4 §2.2) */
	TG_MTP3_JAPAN, /* 16 bits (JT-Q704) */
};

struct tg_mtp3 {
	uint32_t opc;
	uint32_t dpc;
	uint32_t network_appearance; /* M3UA, if has_network_appearance */
	bool has_network_appearance;
	uint8_t si;  /* enum tg_mtp3_service */
	uint8_t ni;  /* network indicator: 0 international, 2 national */
	uint8_t sls; /* signalling link selection */
	struct tg_span user;
};

/*
 * Each returns
 *   TG_REASON_NONE       *m is a message of a user part
 *   SIGTRAN_OTHER        management, traffic maintenance, link status, a class that is not known
 *   SIGTRAN_MALFORMED    cannot be read to its end
 * and reads one message of that layer, without or with the padding of its last parameter.
 */
enum tg_reason tg_m3ua_read(struct tg_span message, struct tg_mtp3 *m);
/* Of a message's beginning: which user part it is for. False: not said so far, or no DATA (si is then 0). */
bool tg_m3ua_peek_service(struct tg_span start, uint8_t *si);
enum tg_reason tg_m2ua_read(struct tg_span message, enum tg_mtp3_variant variant,
			    struct tg_mtp3 *m);
enum tg_reason tg_m2pa_read(struct tg_span message, enum tg_mtp3_variant variant,
			    struct tg_mtp3 *m);

/* Service information octet, routing label, user part (Q.704 §15). */
enum tg_reason tg_mtp3_read(struct tg_span msu, enum tg_mtp3_variant variant, struct tg_mtp3 *m);

#endif
