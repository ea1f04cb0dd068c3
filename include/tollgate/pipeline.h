/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A burst of frames through frame walk, parsers, table, policy and verdict memory, in phases. Works
 * on (pointer, length) frames, so the same code serves workers, replay, tests, fuzzers and
 * benchmarks. It decides; carrying out is the caller's.
 *
 * One pipeline per worker; nothing in it is shared. No allocation, no clock, no I/O.
 */
#ifndef TG_PIPELINE_H
#define TG_PIPELINE_H

#include "tollgate/base.h"
#include "tollgate/frame.h"
#include "tollgate/isup.h"
#include "tollgate/mtp3.h"
#include "tollgate/passport.h"
#include "tollgate/policy.h"
#include "tollgate/sig.h"
#include "tollgate/sip.h"
#include "tollgate/table.h"

/* What a worker decides with; immutable once published. */
struct tg_generation {
	struct tg_table base;
	struct tg_table delta; /* only if has_delta */
	struct tg_policy policy;
	bool has_delta;
	uint64_t number;
	uint64_t hash; /* over the images' ids: with the number, in every event */
};

/* Over base, delta and policy ids; the same three give the same hash anywhere. */
uint64_t tg_generation_hash(const struct tg_generation *g);

/*
 * A packet that its endpoint would discard makes no verdict (bad_checksum). UNKNOWN is for live traffic:
 * summed up before a verdict is acted on or recorded, which is any but that a call in no list passes.
 */
#define TG_PIPELINE_CSUM_UNKNOWN 0
#define TG_PIPELINE_CSUM_GOOD 1 /* the NIC's word */
#define TG_PIPELINE_CSUM_BAD 2
#define TG_PIPELINE_CSUM_IGNORE 3 /* replay --no-checksum */
#define TG_PIPELINE_CSUM_ALWAYS 4 /* as UNKNOWN, where every verdict is recorded */

struct tg_frame_in {
	const uint8_t *data;
	uint32_t len;	  /* contiguous bytes; a frame cut short by a capture is `truncated` */
	uint16_t port;	  /* where it came in, for the trunk */
	uint8_t link;	  /* enum tg_link */
	uint8_t checksum; /* TG_PIPELINE_CSUM_* */
	void *handle;	  /* what the caller gets back of a frame that was held */
};

/* What becomes of the frame. */
enum tg_fate {
	TG_FATE_FORWARD, /* untouched to the peer port */
	TG_FATE_ANSWER,	 /* not forwarded; answer with verdict.answer (tg_answer_build) */
	TG_FATE_ABSORB,	 /* not forwarded, no answer */
	TG_FATE_HOLD, /* not now: part of something that is not all there yet; not counted either.
			  * Its handle comes back in a later result's held[], or from
			  * tg_pipeline_release */
	TG_FATE_EDIT, /* forwarded as tg_edit_build makes it, or untouched where it cannot */
};

/* A call over SS7, and where it came from. */
struct tg_ss7 {
	struct tg_mtp3 mtp3;
	struct tg_isup isup;
};

struct tg_result {
	uint8_t fate;	/* enum tg_fate; what a mode of shadow leaves of the verdict */
	uint8_t reason; /* enum tg_reason: the one counter this frame counts in */
	bool judged;	/* verdict, sig and listing hold; also of a frame that is held */
	bool repeated;	/* the verdict memory's word: a retransmission */
	bool same_call; /* not the first transaction of its call: counted already */
	bool changed;	/* over SS7: this call goes on changed, whenever its frame does */
	struct tg_verdict verdict;
	/* Frames held until now that share this one's fate (FORWARD: before it; else: not at all), in
	 * the order of arrival, and what each of them counts as; valid until the next burst. */
	uint16_t n_held;
	uint8_t held_reason;
	bool held_changes;   /* ask tg_edit_held of each */
	uint8_t first_party; /* identity of `sig` that isup->party[0] belongs to */
	/* SCTP, judged: the reason of kind BLIND in which something else in the packet ended, which
	 * `reason` does not say; 0: nothing did. */
	uint8_t unread;
	void *const *held;
	/* What `frame` describes: the frame's own bytes, or those of a datagram that it completed;
	 * valid until the next burst. Answers and events are made from it. */
	const uint8_t *data;
	struct tg_frame frame;
	/* Valid until the next burst. */
	const struct tg_sig_msg *sig; /* judged */
	const struct tg_sip *sip;     /* SIP: judged, ACK, CANCEL; else NULL */
	const struct tg_ss7 *ss7;     /* ISUP, BICC: judged; else NULL */
	const struct tg_isup *isup;   /* the same, or what SIP has in its body (SIP-I); else NULL */
	const uint32_t *listing;      /* per identity; valid until the next burst */
	/* A segment or an SCTP packet may end several messages: the next judged one, or NULL. Of its
	 * result only what a verdict needs holds; what becomes of the frame is the first one's word. */
	const struct tg_result *next;
	uint64_t association; /* SCTP: names its direction; 0 = not SCTP */
	uint32_t stream_seq;  /* TCP: where the payload stands in a stream that is read */
	uint16_t stream;      /* 0 = in none */
	uint8_t stream_dir;
};

struct tg_pipeline_config {
	uint32_t memory_entries; /* verdict memory: transactions kept for 32 s (64*T1) */
	uint32_t cap_entries;	 /* sources whose answers are counted */
	uint8_t key
		[16]; /* SipHash key: To-tags, transactions; the same on all boxes of a cluster */
	uint32_t limit_entries; /* numbers whose calls rules count; 0 = default */
	uint32_t frag_sets;	/* datagrams put together at a time; 0 = default */
	uint32_t frag_frames;	/* frames held at a time; 0 = default */
	uint32_t tcp_flows;	/* connections that are read; 0 = TG_PIPELINE_TCP_FLOWS_DEFAULT */
	uint32_t tcp_buffers;	/* messages in pieces at one time, 25 KiB each; 0 = default */
	uint32_t sctp_sets;	/* user messages in pieces at one time, 5 KiB each; 0 = default */
	uint32_t sctp_frames;	/* frames that wait for pieces; 0 = default */
	uint32_t verified_entries; /* PASSporTs of which something is known; 0 = nobody verifies */
};

/* 128 datagrams of 66 KiB are 8.2 MiB. Under a flood the oldest is given up first: at 1 M forged
 * fragments a second a datagram has 128 us to arrive in, five times what 3 kB need at 1 Gbit/s (two
 * frames of 12 us behind the first). */
#define TG_PIPELINE_FRAG_SETS_DEFAULT 128
#define TG_PIPELINE_FRAG_FRAMES_DEFAULT 1024

#define TG_PIPELINE_MEMORY_DEFAULT (1u << 18)
#define TG_PIPELINE_CAP_DEFAULT (1u << 12)
#define TG_PIPELINE_TCP_FLOWS_DEFAULT 8192
#define TG_PIPELINE_TCP_BUFFERS_DEFAULT 256
#define TG_PIPELINE_LIMITS_DEFAULT (1u << 16) /* 1 MiB a worker */
/* 128 messages in pieces, or remembered, are 0.8 MiB; a message is complete within a round trip of its sender's window. */
#define TG_PIPELINE_SCTP_SETS_DEFAULT 128
#define TG_PIPELINE_SCTP_FRAMES_DEFAULT 1024

/* 1 MiB a worker; 2048 new PASSporTs a second fill it in the 32 s for which a result is kept. */
#define TG_PIPELINE_VERIFIED_DEFAULT (1u << 16)

struct tg_pipeline;

/* Bytes that tg_pipeline_init wants, cache-line aligned; 0 if the configuration is not possible. */
size_t tg_pipeline_size(const struct tg_pipeline_config *config);
struct tg_pipeline *tg_pipeline_init(void *memory, const struct tg_pipeline_config *config);

/*
 * Judges in[0..n), n <= TG_BURST; out[i] belongs to in[i]. `gen` may be NULL: everything passes with
 * no_generation. `now_ms`: any monotonic clock. Frames must stay in place until out is used up; of a
 * frame that is held only the handle is kept, its bytes are copied.
 */
void tg_pipeline_burst(struct tg_pipeline *pl, const struct tg_generation *gen,
		       const struct tg_frame_in *in, unsigned n, uint64_t now_ms,
		       struct tg_result *out);

/*
 * verdict.answer of a verdict that was remembered from before a policy swap: the answer it named may
 * be gone, so the built-in 603 Decline goes out. Its verdict.rule is TG_RULE_NONE.
 */
#define TG_ANSWER_FALLBACK 0xff
#define TG_ANSWER_FALLBACK_CODE 603

/* Longest answer frame: three tags, IPv6, UDP, and the header bytes of a 9000-byte INVITE. */
#define TG_ANSWER_MAX 9216

/*
 * The whole frame that answers r->data: addresses and ports turned round, VLAN stack and DSCP kept
 * (ECN cleared), checksums computed. `r` must be this frame's result with fate TG_FATE_ANSWER; `out`
 * must not be the frame itself. Returns the length. The pipeline has tried it before it decided so:
 * with TG_ANSWER_MAX bytes, 0 is only possible for a retransmission that differs from its original.
 * On 0, or without a buffer, absorb the frame, do not forward it: the verdict is remembered, its CANCEL
 * will be absorbed, and the next retransmission is answered.
 */
unsigned tg_answer_build(const struct tg_pipeline *pl, const struct tg_generation *gen,
			 const struct tg_frame_in *in, const struct tg_result *r, uint8_t *out,
			 unsigned cap);

/*
 * The whole frame as it goes on; MACs, tags, TTL and identification as they were, lengths and checksums
 * right (a UDP checksum that was left out stays so). A datagram's message is marked, or goes to a sink; a
 * segment or an SCTP packet has the bytes changed that the verdicts of its stream ask for, in this burst or again. `r` must
 * be this frame's result with fate TG_FATE_EDIT. Returns the length, or 0 if the message has no place for
 * the change, would be longer than its trunk's MTU, or came in fragments: forward it untouched.
 */
unsigned tg_edit_build(const struct tg_pipeline *pl, const struct tg_generation *gen,
		       const struct tg_frame_in *in, const struct tg_result *r, uint8_t *out,
		       unsigned cap);

/*
 * A frame that was held goes now: has it, as its handle has it, bytes that have to be changed? Those of a message in
 * pieces that was judged meanwhile, or of a retransmission. Returns the length of the frame as it goes on, or 0: untouched.
 */
unsigned tg_edit_held(const struct tg_pipeline *pl, const uint8_t *frame, uint32_t len,
		      uint8_t *out, unsigned cap);

/* A held frame that is not waited for any longer: count it as `reason`, and forward it, or drop it. */
struct tg_released {
	void *handle;
	uint8_t reason;
	bool drop;
	bool changes; /* ask tg_edit_held */
};

/*
 * Frames that were held long enough (TG_FRAGS_HOLD_MS), or whose place was needed: up to `max` of
 * them; call every few milliseconds, until it returns less than max. UINT64_MAX as the time: all.
 */
unsigned tg_pipeline_release(struct tg_pipeline *pl, uint64_t now_ms, struct tg_released *out,
			     unsigned max);

/*
 * Whether PASSporTs hold is found out elsewhere, after the call that brings them has been judged: a call is
 * never held for it. What is known by then is sip->sig.verification, which rules may ask for.
 *
 * The caller takes from a judged result what nobody has been asked about, has it verified where it likes,
 * says so (asked: for some seconds it is not given out again), and hands in what came out. The thread
 * is always the pipeline's own. `key` stands for the value, and for nothing outside this pipeline.
 */
struct tg_unverified {
	uint64_t key;
	struct tg_span value; /* at most TG_PASSPORT_VALUE_MAX bytes; valid as long as r->sip */
};

struct tg_verification {
	uint64_t key;
	uint32_t for_ms; /* how long it holds: a signature goes stale */
	uint8_t state;	 /* enum tg_stir_state */
	uint8_t zero[3];
};

unsigned tg_pipeline_unverified(const struct tg_pipeline *pl, const struct tg_result *r,
				uint64_t now_ms, struct tg_unverified out[TG_SIP_MAX_PASSPORTS]);
void tg_pipeline_asked(struct tg_pipeline *pl, uint64_t key, uint64_t now_ms);
void tg_pipeline_verified(struct tg_pipeline *pl, const struct tg_verification *v, uint64_t now_ms);

/* Statistics of the table's filter in this pipeline. */
const struct tg_table_adapt *tg_pipeline_adapt(const struct tg_pipeline *pl);

#endif
