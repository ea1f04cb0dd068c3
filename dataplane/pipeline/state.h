/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A pipeline and the burst in its hands: what pipeline.c and sctp.c, which read, and decide.c, decide_stream.c
 * and decide_ss7.c, which decide, share.
 */
#ifndef TG_PIPELINE_STATE_H
#define TG_PIPELINE_STATE_H

#include <sodium/crypto_shorthash.h>

#include "dataplane/flow/cap.h"
#include "dataplane/flow/chunks.h"
#include "dataplane/flow/circuits.h"
#include "dataplane/flow/frags.h"
#include "dataplane/flow/memory.h"
#include "dataplane/flow/patches.h"
#include "dataplane/flow/tcp.h"
#include "dataplane/flow/verified.h"
#include "tollgate/pipeline.h"
#include "tollgate/sip_edit.h"

/*
 * A datagram holds one message, a segment may hold many: 3 INVITEs of 400 bytes in one of 1460, 96 in a burst. A packet
 * of SCTP holds more: the shortest IAM is some 24 octets, 64 in M3UA in a chunk: 22 in a packet, 704 in a burst;
 * such bursts come when a path has failed over, and what waited is sent. What is beyond this passes, as sctp_full:
 * of jumbo frames, with 140 each, more than seven in a burst.
 * 2 MB, of which a burst touches what it needs.
 */
#define TG_MESSAGES_MAX 1024
#define TG_KEYS_MAX (TG_MESSAGES_MAX * TG_SIG_MAX_IDS)

/* Where a user message of SCTP stands: in one chunk, or in the parts of several. */
struct tg_ss7_place {
	struct tg_span bytes; /* the user message */
	const struct tg_chunks_part *part;
	unsigned n_parts;
	struct tg_chunks_part only; /* what `part` points to, if it is one chunk */
	bool signed_by_sctp;	    /* behind an AUTH chunk (RFC 4895): nobody may change it */
};

/* A message over SS7 in hand: an IAM, or what continues one. */
struct tg_ss7_message {
	struct tg_ss7 ss7; /* mtp3.user: ISUP's octets, in place.bytes */
	struct tg_ss7_place place;
	uint64_t route; /* keyed hash of the point codes between which it goes */
};

/* A name that has been hashed. */
struct tg_name {
	uint64_t word[2];
	uint64_t hash; /* 0: none is kept here */
};

/* Associations and pairs of point codes of a worker: tens, of which two in a hundred share a place. 48 KiB, of which as
 * many lines are touched as there are names. */
#define TG_NAMES 2048

/* By which trunk calls come in that have these addresses and point codes: the search compares each with each trunk's. */
struct tg_way {
	uint64_t addresses; /* IPv4 */
	uint64_t link;	    /* port, VLAN; 0: none is kept here */
	uint64_t route;
	uint64_t policy; /* id */
	uint8_t trunk;
};

#define TG_WAYS 256 /* associations times pairs of point codes on each: hundreds; 10 KiB */

/* A message of the burst that may have a verdict: initial INVITE, ACK or CANCEL; IAM, SAM, SGM. */
struct tg_message {
	struct tg_sig_msg *sig;	    /* a call's, to be looked up; else NULL */
	struct tg_sip *sip;	    /* NULL: over SS7 */
	struct tg_ss7_message *ss7; /* NULL: SIP */
	const struct tg_isup *isup; /* over SS7, or in SIP's body; else NULL */
	uint16_t frame;		    /* index into the burst */
	uint16_t first_key;	    /* INVITE: its identities stand at listings[first_key...] */
	uint8_t trunk;
	uint8_t first_party; /* identity of `sig` that isup->party[0] belongs to */
	bool has_key;	     /* it has a branch and a Call-ID: the memory can tell it apart */
	bool in_stream;	     /* then `stream` holds; with a response or an INVITE */
	struct tg_memory_key key;
	struct tg_memory_key
		call; /* INVITE: the same of its Call-ID and From tag; IAM: of who calls whom */
	struct tg_tcp_message stream;
};

struct tg_pipeline {
	struct tg_memory memory; /* transactions */
	struct tg_memory calls;	 /* calls, of which a transaction is a part */
	struct tg_cap cap;	 /* answers to sources; calls of priority */
	struct tg_cap limits;	 /* calls that rules count */
	struct tg_verified verified;
	struct tg_frags frags;
	struct tg_tcp *tcp;
	struct tg_chunks *chunks;
	struct tg_patches *patches;
	struct tg_circuits *circuits;
	uint64_t now_ms; /* of the burst in hand, or the last one */
	uint8_t tag_key[crypto_shorthash_KEYBYTES];
	uint8_t flow_key[crypto_shorthash_KEYBYTES]; /* see derive_flow_key */
	uint64_t print_factor;			     /* see tg_state_mix */
	uint64_t policy_id;			     /* the policy that `epoch` stands for */
	uint8_t epoch;
	struct tg_table_adapt adapt;

	/* What is remembered of the message that is being decided: by tg_decide_recall and tg_decide_judge, for
	 * tg_decide_commit. Nothing is put in between. */
	struct tg_memory_look transaction;
	struct tg_memory_look call;

	/* The burst in hand. */
	unsigned n_messages;
	unsigned n_keys;
	unsigned n_more;
	struct tg_message message[TG_MESSAGES_MAX];
	unsigned n_nums;
	struct tg_num nums[TG_KEYS_MAX]; /* each number of a message once */
	uint32_t found[TG_KEYS_MAX];	 /* what the table says of nums[] */
	uint16_t num_of[TG_KEYS_MAX];	 /* index into nums[], for every identity */
	uint32_t listings[TG_KEYS_MAX];
	struct tg_sip sip[TG_MESSAGES_MAX + 1]; /* the last one for what is looked at only */
	struct tg_result more[TG_MESSAGES_MAX]; /* of frames that end several messages */
	bool may_be_patched;			/* there are changes at all */
	uint32_t is_patched; /* bit per frame: known to hold bytes that are to be changed */
	uint64_t
		new_patches; /* bit per hash of an association for which a change was put in this burst */
	unsigned n_ss7;
	struct tg_ss7_message ss7[TG_MESSAGES_MAX]; /* SIP: the ISUP in a body, if there is one */
	struct tg_name name[TG_NAMES];		    /* see tg_state_name */
	struct tg_way way[TG_WAYS];		    /* see ss7.c */
	struct tg_sip_edits edits;
	uint8_t scratch[TG_ANSWER_MAX]; /* see is_answerable and is_editable */
} TG_ALIGNED(TG_CACHE_LINE);

/* What every phase needs, so that none takes ten parameters. */
struct tg_burst_state {
	struct tg_pipeline *pl;
	const struct tg_generation *gen;
	const struct tg_frame_in *in;
	struct tg_result *out;
	unsigned n;
	uint64_t now_ms;
};

/* By what the frame came in, for its trunk. `mtp3` may be NULL. */
struct tg_trunk_key tg_state_trunk_key(const struct tg_frame_in *in, const struct tg_result *r,
				       const struct tg_mtp3 *mtp3);

/* SipHash under the key that places transactions, sources and numbers in our tables. */
uint64_t tg_state_hash(const struct tg_pipeline *pl, const void *bytes, size_t len);

/*
 * One more word into the print of a transaction or a call (16 bits, struct tg_memory_key): a product with a secret
 * factor, and its two halves added, which is the product modulo 2^64 - 1. Never a place in a table: those are
 * SipHashes, since this is linear. Equal distances between words stay equal, so that words in arithmetic progression
 * crowd a few places for some factors, and two words that met would show which others meet.
 *
 * Why it will do for a print: `h` begins as a SipHash of the transaction that nobody outside knows, and prints are
 * compared within one transaction only, of which the sender sees no more than what becomes of his call. Of two lists
 * that differ the prints differ in all but 2^-16 of the factors, as long as the difference d of the words in hand has
 * no large factor in common with 2^64 - 1 = 3 * 5 * 17 * 257 * 641 * 65537 * 6700417: with g of it in common, d * factor
 * has (2^64 - 1) / g values, and is 0 for g in 2^64. But a difference of (2^64 - 1) / 257 is eight bits of h ^ word
 * that have to be right, which h hides (1 in 128): 2^-15, and no other divisor gives more. Texts that are no numbers
 * are SipHashes (tg_state_identity), so nobody makes two of them alike.
 */
static inline uint64_t tg_state_mix(const struct tg_pipeline *pl, uint64_t h, uint64_t word)
{
	const unsigned __int128 product = (unsigned __int128)(h ^ word) * pl->print_factor;

	return (uint64_t)product + (uint64_t)(product >> 64);
}

/* An identity in one word: its number (below 2^56), or the SipHash of a form that is none; nothing at all is 0. */
static inline uint64_t tg_state_identity(const struct tg_pipeline *pl, const struct tg_sig_msg *sig,
					 unsigned i)
{
	const uint64_t number = sig->id[i].num.v;

	if (tg_likely(number) || sig->id[i].raw_len == 0)
		return number;
	return tg_state_hash(pl, tg_identity_raw(sig, i).data, sig->id[i].raw_len);
}

/* tg_state_hash of two words; never 0. Of which few pairs come again and again: the second one remembers them. Who
 * makes up names has them hashed each time, and aims at nothing. */
uint64_t tg_state_name_hash(const struct tg_pipeline *pl, const uint64_t word[2]);

/* Where, is nothing but a matter of speed: Fibonacci hashing's factor (2^64 over the golden ratio) will do. */
static inline uint64_t tg_state_name(struct tg_pipeline *pl, const uint64_t word[2])
{
	struct tg_name *const n =
		&pl->name[(word[0] ^ word[1]) * 0x9e3779b97f4a7c15ull >> 32 & (TG_NAMES - 1)];

	if (tg_unlikely(n->word[0] != word[0] || n->word[1] != word[1] || n->hash == 0))
		*n = (struct tg_name){ { word[0], word[1] }, tg_state_name_hash(pl, word) };
	return n->hash;
}

/* By which trunk frame i came in; its IP header is walked. */
unsigned tg_state_trunk(const struct tg_burst_state *b, unsigned i);

/* Would its endpoint take the packet? Otherwise it makes no verdict and no evidence (traps L3-9). */
bool tg_state_checksum_ok(const struct tg_frame_in *in, const struct tg_result *r);

/* Once its PASSporTs are read: sip->sig.verification (verification.c). */
void tg_verification_read(const struct tg_burst_state *b, struct tg_sip *sip);

/* The last phase: what becomes of each message, in the order of arrival. */
void tg_decide_burst(const struct tg_burst_state *b);

/* A verdict of some time ago. Its indices are those of the policy of then: under another one the trunk
 * is found anew, the rule has no name any more, and the answer becomes the built-in one. */
struct tg_verdict tg_decide_now(const struct tg_burst_state *b, const struct tg_message *m,
				struct tg_verdict v, uint8_t epoch);

/* The first verdict on this transaction, if it is remembered: r->verdict and r->repeated. */
bool tg_decide_recall(const struct tg_burst_state *b, const struct tg_message *m,
		      struct tg_result *r);

/* Its call's verdict, if that has one, else one of its own: r->verdict and r->same_call. */
void tg_decide_judge(const struct tg_burst_state *b, const struct tg_message *m,
		     struct tg_result *r);

/* The first verdict, or one of its own; false: its packet makes none, since its endpoint will discard it. Where rules
 * count calls the checksum is looked at before, since asking them takes a call. `r` may be the frame's result. */
bool tg_decide_find(const struct tg_burst_state *b, const struct tg_message *m,
		    struct tg_result *r);

/* Remembers a fresh verdict, for its transaction and its call. False: kept back, and no room. */
bool tg_decide_commit(const struct tg_burst_state *b, const struct tg_message *m,
		      const struct tg_result *r, bool kept);

/* Messages of a stream (decide_stream.c): nothing of them is answered or kept back. */
void tg_decide_stream(const struct tg_burst_state *b, const struct tg_message *m);
void tg_decide_segments(const struct tg_burst_state *b);

/* Where a verdict on the message goes: into its frame's result, or one that follows it. All but the verdict is there. */
struct tg_result *tg_decide_place(const struct tg_burst_state *b, const struct tg_message *m);

/* A frame's first verdict is its frame's as well, but for its fate; others follow it. */
struct tg_result *tg_decide_report(const struct tg_burst_state *b, const struct tg_message *m,
				   const struct tg_result *v);

/* Messages over SS7 (decide_ss7.c): changed in place, or not. */
void tg_decide_ss7(const struct tg_burst_state *b, const struct tg_message *m);
void tg_decide_packets(const struct tg_burst_state *b);

/*
 * What cannot be read, or not carried out, where a trunk says that it does not pass (exception.c).
 *   drops         of frame i's trunk: bit per enum tg_exception; 0 in shadow
 *   is_spared     all the same: what there is of a message shows another method, or a call of emergency
 *                 or priority
 */
uint32_t tg_exception_drops(const struct tg_burst_state *b, unsigned i);
bool tg_exception_is_spared(const struct tg_burst_state *b, unsigned i, struct tg_span text);
void tg_decide_exceptions(const struct tg_burst_state *b);

/* What the verdict wants changed; false: nothing, or it has no place (edit.c). Of a stream's message,
 * `text` is its header. */
bool tg_edit_script(const struct tg_policy *p, const struct tg_result *r, struct tg_span text,
		    enum tg_sip_length length, struct tg_sip_edits *e);

#endif
