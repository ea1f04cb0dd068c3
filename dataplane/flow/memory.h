/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The verdict memory: what was decided about a transaction, for 32 s (64*T1, RFC 3261 §17.1.1.2: as
 * long as an INVITE may be retransmitted), so that there is one verdict per transaction however often
 * it is sent or the table swapped. Fixed size, four ways a bucket, nothing alive is ever evicted.
 *
 * May not know what a transaction is: it gets a keyed hash of it.
 */
#ifndef TG_FLOW_MEMORY_H
#define TG_FLOW_MEMORY_H

#include "tollgate/base.h"
#include "tollgate/policy.h"

#define TG_MEMORY_WAYS 4
/* Ways that verdicts which let a call through may fill, so that a flood of good calls cannot crowd out
 * rejects: a reject always finds the fourth, unless three others were rejected in the same bucket. */
#define TG_MEMORY_PASS_WAYS 3
#define TG_MEMORY_LIFETIME_MS 32000

struct tg_memory_bucket;

/* One per pipeline; written and read by its worker only. */
struct tg_memory {
	struct tg_memory_bucket *bucket;
	uint64_t n_buckets;
};

/*
 * Which INVITE. `key`: keyed hash of the transaction, the same for its CANCEL. `print`: keyed hash of
 * the identities that were judged: a second INVITE that borrows the transaction of a good one but
 * names another caller is not its retransmission, and must not inherit its verdict.
 */
struct tg_memory_key {
	uint64_t key;
	uint16_t print;
};

/* What is remembered. `epoch` says under which policy the indices in the verdict were valid. */
struct tg_memory_record {
	struct tg_verdict verdict;
	uint8_t epoch;	 /* 0 to TG_MEMORY_EPOCHS - 1 */
	bool kept;	 /* the call did not go on: answered, dropped, or to the sink over SS7 */
	uint32_t age_ms; /* of one that was found, in steps of 256 ms */
};

#define TG_MEMORY_EPOCHS 128

/* Bytes for at least `entries` transactions (rounded up to whole buckets). */
size_t tg_memory_size(uint32_t entries);
/* `block`: tg_memory_size bytes, cache-line aligned, the caller's. */
void tg_memory_init(struct tg_memory *m, void *block, uint32_t entries);

void tg_memory_prefetch(const struct tg_memory *m, uint64_t key);

/*
 * What a look says of the bucket's ways, a bit each; it holds until something is put into this memory. `now_ms`: any
 * monotonic clock.
 */
struct tg_memory_look {
	struct tg_memory_bucket *bucket;
	uint32_t ways; /* four bits each, from TG_MEMORY_ALIVE on: alive; and kept, known, same */
};

#define TG_MEMORY_ALIVE 0
#define TG_MEMORY_KEPT 4  /* ... of a call that did not go on */
#define TG_MEMORY_KNOWN 8 /* ... of this key */
#define TG_MEMORY_SAME 12 /* ... of this key and print */

/* Those ways, a bit each. */
static inline unsigned tg_memory_ways(const struct tg_memory_look *l, unsigned which)
{
	return l->ways >> which & ((1u << TG_MEMORY_WAYS) - 1);
}

struct tg_memory_look tg_memory_look(const struct tg_memory *m, struct tg_memory_key k,
				     uint64_t now_ms);
/* Of the first of these `ways`, of which there must be one. */
struct tg_memory_record tg_memory_show(const struct tg_memory_look *l, unsigned ways,
				       uint64_t now_ms);
/* A record as it is put, which may be under several keys. */
uint64_t tg_memory_pack(const struct tg_memory_record *r, uint64_t now_ms);
/* Only after a look at this key that found none the same. false = no room: it is not remembered. */
bool tg_memory_put_at(const struct tg_memory_look *l, struct tg_memory_key k, uint64_t packed);

/* For an answer to it: a verdict that kept an INVITE of this transaction back. */
bool tg_memory_find_kept_back(const struct tg_memory *m, uint64_t key, uint64_t now_ms,
			      struct tg_memory_record *r);

/* Whatever is remembered under that key, whoever it names; of several any. */
bool tg_memory_find_any(const struct tg_memory *m, uint64_t key, uint64_t now_ms,
			struct tg_memory_record *r);

/* For a CANCEL: was its INVITE kept back by us, and no INVITE of that transaction let through? */
bool tg_memory_kept_back(const struct tg_memory *m, uint64_t key, uint64_t now_ms);

#endif
