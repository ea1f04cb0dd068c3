/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls as they might be, for `tgctl explain`: a caller and a called number where a message of the protocol has
 * them, and what else was asked for. A call over SIP may have ISUP in its body (SIP-I). Pure but for the complaints.
 */
#ifndef TG_CONTROL_IMAGINE_H
#define TG_CONTROL_IMAGINE_H

#include <jansson.h>

#include "control/error.h"
#include "tollgate/policy.h"

/* A number in a parameter of ISUP. */
struct tg_imagine_number {
	struct tg_num num;
	uint8_t source;	   /* enum tg_id_source */
	uint8_t qualifier; /* of a generic number, of the wire */
};

/* Called, calling, redirecting, original called and location number, and as many generic ones as a message has
 * room for beside these and the two headers. */
#define TG_IMAGINE_MORE (TG_SIG_MAX_IDS - 2)

/* Everything but the caller and the called number. Text is the request's own, NULL where it says nothing. */
struct tg_imagine {
	uint8_t protocol; /* enum tg_protocol: SIP, ISUP, BICC */
	/* SIP: of an Identity header */
	bool has_passport;
	char attest;	      /* 'A', 'B', 'C', or 0 */
	uint8_t verification; /* enum tg_stir_state */
	/* ISUP, BICC */
	const char *opc, *dpc; /* as in a policy */
	const char *network_appearance;
	uint32_t appearance; /* if network_appearance */
	/* ISUP, BICC, and SIP with ISUP in its body */
	bool has_isup;
	int nature_from; /* enum tg_isup_nature, -1: not said */
	int nature_to;
	uint8_t presentation; /* enum tg_isup_shown: the wire's values, but for one of two that restrict */
	uint8_t screening; /* enum tg_isup_screening: the wire's values */
	uint8_t category;  /* of the wire */
	unsigned n_more;
	struct tg_imagine_number
		more[TG_IMAGINE_MORE]; /* in a body also its called and calling number */
};

/* A message, and what the decision wants to know of it. Not to be copied: the parts point to each other. */
struct tg_imagined {
	struct tg_sig_msg sip;
	char text[2 * TG_NUM_TEXT_MAX]; /* of sip */
	uint32_t len;
	struct tg_isup isup;
	struct tg_sig_extra extra;
	struct tg_sig_msg *msg; /* sip, or isup.sig */
	bool has_isup;
	bool is_ss7;
	unsigned first_party; /* identity of msg that isup.party[0] belongs to */
};

/* From the members of a request. 0 or -EINVAL: a word that rules do not have, or that belongs to another
 * protocol. */
int tg_imagine_read(const json_t *request, struct tg_imagine *how, struct tg_error *err);

/*
 * The trunk that such a call comes in on: `name`, else the first that names its point codes or appearance, else
 * the catch-all. -ENOENT: there is none of that name, none that names them, or the one named does not get them.
 */
int tg_imagine_trunk(const struct tg_policy *p, const struct tg_imagine *how, const char *name,
		     unsigned *trunk, struct tg_error *err);

/* The message, numbers and classes included; a number that is none is left out. -EINVAL: a number has no form
 * of that nature on the trunk. */
int tg_imagine(const struct tg_imagine *how, const struct tg_policy_trunk *trunk,
	       const struct tg_num party[2], struct tg_imagined *im, struct tg_error *err);

/* {"level", "effect", "called"}: what a verdict does to the message on the wire (SS7), or would while in shadow;
 * NULL if the call passes. */
json_t *tg_imagined_wire(const struct tg_policy *p, const struct tg_imagined *im,
			 const struct tg_verdict *v);

#endif
