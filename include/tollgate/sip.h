/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SIP (RFC 3261): one pass over the header fields of a datagram, identities for the verdict and
 * spans for a stateless answer. No allocation, no copy, no state; every span points into the
 * datagram. Bare LF line ends are read; the body is not touched.
 */
#ifndef TG_SIP_H
#define TG_SIP_H

#include "tollgate/base.h"
#include "tollgate/reason.h"
#include "tollgate/sig.h"

#define TG_SIP_MAX_VIAS 16
#define TG_SIP_MAX_PASSPORTS 4 /* a call has one, and one more a diversion */
#define TG_SIP_MAX_HEADER_BYTES 16384

enum tg_sip_method {
	TG_SIP_OTHER,
	TG_SIP_INVITE,
	TG_SIP_ACK,
	TG_SIP_CANCEL,
};

/* {NULL, 0} where the message has none. */
struct tg_sip {
	struct tg_sig_msg sig;
	enum tg_sip_method method;
	uint32_t cseq;	    /* the number */
	uint8_t n_vias;	    /* header fields, not list members */
	bool vias_left_out; /* more than TG_SIP_MAX_VIAS: cannot be answered */
	bool duplicate;	    /* a second From, To, Call-ID or CSeq: cannot be answered */
	struct tg_span via[TG_SIP_MAX_VIAS];	       /* field values, in order, folds included */
	struct tg_span passport[TG_SIP_MAX_PASSPORTS]; /* Identity values, INVITE only */
	uint8_t n_passports;
	bool passports_left_out;
	uint16_t via_port; /* of the topmost Via, as below: sent-by port, 0 = none given */
	uint16_t body_off; /* INVITE: behind the empty line; 0 if the header was not read so far */
	struct tg_span branch;	 /* of the topmost Via */
	struct tg_span via_host; /* sent-by host of the topmost Via */
	struct tg_span rport;	 /* the topmost Via's "rport" parameter name, if it has no value */
	struct tg_span received; /* the topmost Via's received= value */
	struct tg_span from;	 /* field values as on the wire */
	struct tg_span to;
	struct tg_span call_id;
	struct tg_span cseq_value;
	struct tg_span from_tag;
	struct tg_span to_tag;
};

/*
 * Reads one datagram.
 *   TG_REASON_NONE       an initial INVITE (sip->sig holds its identities), or an ACK or CANCEL
 *                        (sip->method; only what answering needs is set)
 *   NOT_SIP              no SIP/2.0 start line: media, STUN, anything
 *   SIP_KEEPALIVE        empty, or nothing but CR, LF and NUL
 *   SIP_RESPONSE, SIP_REQUEST, SIP_IN_DIALOG
 *   SIP_MALFORMED        an INVITE that cannot be read to the end of its header
 *   SIP_OVERSIZE         header longer than TG_SIP_MAX_HEADER_BYTES
 * All of *sip is set in every case, of id[] and via[] as many as n_ids and n_vias say. An identity of
 * '+' and digits has its number, which is the same on any trunk. Another's cls is ABSENT, or WITHHELD where the
 * host is anonymous.invalid, until tg_sig_normalise.
 */
enum tg_reason tg_sip_parse(struct tg_span datagram, struct tg_sip *sip);

/*
 * What the PASSporTs of an INVITE say (passport.h): their orig and div become identities, sig.attest and
 * sig.passports are set. After tg_sip_parse, before tg_sig_normalise; takes a microsecond a PASSporT.
 */
void tg_sip_read_passports(struct tg_sip *sip);

/* What only some policies ask of an INVITE: one more walk over its header. */
void tg_sip_extra_read(const struct tg_sip *sip, struct tg_sig_extra *extra);

/*
 * Identities may stand in the body, too: ISUP's, behind those of the header (SIP-I, ITU-T Q.1912.5). A body
 * that has them, or that cannot be looked into, is told from others, so that it can be counted.
 */
enum tg_sip_body {
	TG_SIP_BODY_CLEAR, /* none, or it has no identities */
	TG_SIP_BODY_ISUP, /* or another multipart that is in a stream, so its parts are not at hand */
	TG_SIP_BODY_ENCODED, /* compressed or encrypted */
};

/* What stands in Content-Type and Content-Encoding, and between the parts of a multipart. */
enum tg_sip_body tg_sip_body_look(const struct tg_sip *sip, bool in_stream);

/* Of a judged INVITE. Session descriptions, which begin with their version (RFC 8866 §5), are told by two bytes:
 * a multipart with a preamble that looks like one goes uncounted. */
static inline enum tg_sip_body tg_sip_body(const struct tg_sip *sip, bool in_stream)
{
	const struct tg_span m = sip->sig.text;
	const uint32_t at = sip->body_off;
	const bool here = at != 0 && at + 1 < m.len;

	if (tg_likely(here ? m.data[at] == 'v' && m.data[at + 1] == '=' : !in_stream))
		return TG_SIP_BODY_CLEAR;
	return tg_sip_body_look(sip, in_stream);
}

/* False: tg_sip_parse would say NOT_SIP. What a start line begins with is ASCII (RFC 3261 §7); media
 * begins with the version, two bits, which are 10 (RFC 3550 §5.1). One byte of a datagram tells. */
static inline bool tg_sip_may_begin(struct tg_span datagram)
{
	return datagram.len == 0 || datagram.data[0] < 0x80;
}

/* How to answer: what policy says, copied out of its image. Spans outlive the call. */
struct tg_sip_answer {
	uint16_t code; /* 300-699 */
	struct tg_span phrase;
	struct tg_span reason;	  /* value of a Reason header (RFC 3326), or absent */
	struct tg_span contact;	  /* of a 3xx: value of its Contact header, or absent */
	struct tg_span call_info; /* value of a Call-Info header (RFC 8688 §3.2.1), or absent */
};

#define TG_SIP_TAG_LEN 15

/*
 * The To-tag of our answers: a keyed hash (SipHash-2-4) of Call-ID, From tag, topmost branch and
 * CSeq number, so that the same request gets the same tag without state (RFC 3261 §8.2.7) and the
 * ACK is recognised. `key` has 16 bytes.
 */
void tg_sip_to_tag(const struct tg_sip *sip, const uint8_t *key, char tag[TG_SIP_TAG_LEN]);
bool tg_sip_to_tag_is_ours(const struct tg_sip *sip, const uint8_t *key);

/* The keys of n messages for the verdict memory, several at a time: in a quarter of the time. */
struct tg_sip_keys {
	const struct tg_sip *sip;
	uint64_t transaction; /* SipHash of branch, Call-ID and CSeq number */
	uint64_t call;	      /* of Call-ID and From tag, whatever the branch and CSeq */
};
void tg_sip_keys_burst(struct tg_sip_keys *keys, unsigned n, const uint8_t *key);

/*
 * The stateless final answer to an INVITE (traps §1.2): Vias in order (received and rport of the
 * topmost filled in per RFC 3261 §18.2.1 and RFC 3581 §4), From, To with tag, Call-ID, CSeq, Contact,
 * Reason, Call-Info, Content-Length. `source` is the textual source address, `source_port` its UDP port. Returns the
 * length, or 0 if it cannot be built or does not fit in cap.
 */
struct tg_sip_source {
	char text[48];
	uint16_t port;
};
unsigned tg_sip_answer_build(const struct tg_sip *sip, const struct tg_sip_answer *answer,
			     const struct tg_sip_source *source, const char tag[TG_SIP_TAG_LEN],
			     uint8_t *out, unsigned cap);

/* The CPU variant in use ("avx512", "avx2", "portable"), and a way for tests to force one; NULL = best. */
const char *tg_sip_variant(void);
bool tg_sip_variant_set(const char *name);

#endif
