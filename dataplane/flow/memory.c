/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "dataplane/flow/memory.h"

/*
 * An entry is two words. `id`: the low 48 bits of the transaction's key and 16 of the print. The
 * bucket is chosen by the key's top bits, so with 2^16 buckets (the default) all 64 are compared.
 *
 * `word`: the verdict, and when it expires, in ticks of 256 ms modulo 2^19 (37 h). An entry is alive
 * if it expires within the next LIFE_TICKS; one that nobody touched for 37 h looks alive once more
 * for 32 s, which costs a way in a bucket that has been idle since: no more.
 *
 *	bit  0-2   action
 *	bit  3-9   reason
 *	bit 10     mode
 *	bit 11-15  answer
 *	bit 16-24  rule, RULE_NONE_PACKED = TG_RULE_NONE
 *	bit 25-30  trunk
 *	bit 31-35  identity, TG_SIG_MAX_IDS = TG_SIG_NO_ID
 *	bit 36-42  epoch
 *	bit 43     in use
 *	bit 44     kept
 *	bit 45-63  expiry
 */
struct tg_memory_entry {
	uint64_t id;
	uint64_t word;
};

struct tg_memory_bucket {
	struct tg_memory_entry way[TG_MEMORY_WAYS];
};

#define PRINT_BITS 16
#define TICK_SHIFT 8 /* ms to ticks */
#define TICK_BITS 19
#define TICK_MASK ((1u << TICK_BITS) - 1)
/* 32 s are 125 ticks; one more, because the tick that is now has partly gone. */
#define LIFE_TICKS (TG_MEMORY_LIFETIME_MS / (1 << TICK_SHIFT) + 1)
#define RULE_NONE_PACKED TG_POLICY_MAX_RULES
#define IN_USE (1ull << 43)
#define KEPT (1ull << 44)
#define EXPIRY_SHIFT 45

static_assert(sizeof(struct tg_memory_bucket) == TG_CACHE_LINE, "a bucket is a cache line");
static_assert(TG_ACTION_COUNT <= 1 << 3, "an action has three bits");
static_assert(TG_REASON_COUNT <= 1 << 7, "a reason has seven bits");
static_assert(TG_MODE_COUNT <= 1 << 1, "a mode has one bit");
static_assert(TG_POLICY_MAX_ANSWERS <= 1 << 5, "an answer has five bits");
static_assert(RULE_NONE_PACKED < 1 << 9, "a rule has nine bits");
static_assert(TG_POLICY_MAX_TRUNKS <= 1 << 6, "a trunk has six bits");
static_assert(TG_SIG_MAX_IDS < 1 << 5, "an identity has five bits");
static_assert(TG_MEMORY_EPOCHS <= 1 << 7, "an epoch has seven bits");

static uint64_t n_buckets_for(uint32_t entries)
{
	const uint64_t n = ((uint64_t)entries + TG_MEMORY_WAYS - 1) / TG_MEMORY_WAYS;

	return n ? n : 1;
}

size_t tg_memory_size(uint32_t entries)
{
	return n_buckets_for(entries) * sizeof(struct tg_memory_bucket);
}

void tg_memory_init(struct tg_memory *m, void *block, uint32_t entries)
{
	m->bucket = block;
	m->n_buckets = n_buckets_for(entries);
	memset(block, 0, tg_memory_size(entries));
}

/* The key's top bits scaled to the number of buckets: one multiplication, no power of two needed. */
static struct tg_memory_bucket *bucket_of(const struct tg_memory *m, uint64_t key)
{
	return &m->bucket[(unsigned __int128)key * m->n_buckets >> 64];
}

static uint64_t make_id(struct tg_memory_key k)
{
	return k.key << PRINT_BITS | k.print;
}

static bool alive(uint64_t word, uint64_t now_ms)
{
	const uint32_t left = (uint32_t)((word >> EXPIRY_SHIFT) - (now_ms >> TICK_SHIFT)) &
			      TICK_MASK;

	return (word & IN_USE) && left - 1 < LIFE_TICKS;
}

static uint64_t pack(const struct tg_memory_record *r, uint64_t now_ms)
{
	const struct tg_verdict *v = &r->verdict;
	const uint64_t expiry = (now_ms >> TICK_SHIFT) + LIFE_TICKS;
	const unsigned rule = v->rule < RULE_NONE_PACKED ? v->rule : RULE_NONE_PACKED;
	const unsigned id = v->identity < TG_SIG_MAX_IDS ? v->identity : TG_SIG_MAX_IDS;

	return (uint64_t)(v->action & 7u) | (uint64_t)(v->reason & 127u) << 3 |
	       (uint64_t)(v->mode & 1u) << 10 | (uint64_t)(v->answer & 31u) << 11 |
	       (uint64_t)rule << 16 | (uint64_t)(v->trunk & 63u) << 25 | (uint64_t)id << 31 |
	       (uint64_t)(r->epoch & 127u) << 36 | IN_USE | (r->kept ? KEPT : 0) |
	       expiry << EXPIRY_SHIFT;
}

static struct tg_memory_record unpack(uint64_t word, uint64_t now_ms)
{
	const uint32_t left = (uint32_t)((word >> EXPIRY_SHIFT) - (now_ms >> TICK_SHIFT)) &
			      TICK_MASK;
	const unsigned rule = word >> 16 & 511, id = word >> 31 & 31;

	return (struct tg_memory_record){
		.verdict = {
			.action = word & 7,
			.reason = word >> 3 & 127,
			.mode = word >> 10 & 1,
			.answer = word >> 11 & 31,
			.rule = (uint16_t)(rule < RULE_NONE_PACKED ? rule : TG_RULE_NONE),
			.shadow_rule = TG_RULE_NONE,
			.trunk = word >> 25 & 63,
			.identity = (uint8_t)(id < TG_SIG_MAX_IDS ? id : TG_SIG_NO_ID),
		},
		.age_ms = (LIFE_TICKS - left) << TICK_SHIFT,
		.epoch = word >> 36 & 127,
		.kept = word & KEPT,
	};
}

void tg_memory_prefetch(const struct tg_memory *m, uint64_t key)
{
	__builtin_prefetch(bucket_of(m, key), 1);
}

bool tg_memory_find(const struct tg_memory *m, struct tg_memory_key k, uint64_t now_ms,
		    struct tg_memory_record *r)
{
	const struct tg_memory_bucket *b = bucket_of(m, k.key);
	const uint64_t id = make_id(k);
	unsigned i;

	for (i = 0; i < TG_MEMORY_WAYS; i++) {
		if (b->way[i].id == id && alive(b->way[i].word, now_ms)) {
			*r = unpack(b->way[i].word, now_ms);
			return true;
		}
	}
	return false;
}

static bool is_alive_of(const struct tg_memory_entry *e, uint64_t key, uint64_t now_ms)
{
	return (e->id ^ key << PRINT_BITS) >> PRINT_BITS == 0 && alive(e->word, now_ms);
}

bool tg_memory_find_any(const struct tg_memory *m, uint64_t key, uint64_t now_ms,
			struct tg_memory_record *r)
{
	const struct tg_memory_bucket *b = bucket_of(m, key);
	unsigned i;

	for (i = 0; i < TG_MEMORY_WAYS; i++) {
		if (is_alive_of(&b->way[i], key, now_ms)) {
			*r = unpack(b->way[i].word, now_ms);
			return true;
		}
	}
	return false;
}

bool tg_memory_put(struct tg_memory *m, struct tg_memory_key k, uint64_t now_ms,
		   const struct tg_memory_record *r)
{
	struct tg_memory_bucket *b = bucket_of(m, k.key);
	unsigned free_way = TG_MEMORY_WAYS, passes = 0, i;

	for (i = 0; i < TG_MEMORY_WAYS; i++) {
		if (!alive(b->way[i].word, now_ms))
			free_way = i;
		else if (!(b->way[i].word & KEPT))
			passes++;
	}
	if (free_way == TG_MEMORY_WAYS)
		return false;
	if (passes >= TG_MEMORY_PASS_WAYS && !r->kept)
		return false;
	b->way[free_way] = (struct tg_memory_entry){ make_id(k), pack(r, now_ms) };
	return true;
}

bool tg_memory_find_kept_back(const struct tg_memory *m, uint64_t key, uint64_t now_ms,
			      struct tg_memory_record *r)
{
	const struct tg_memory_bucket *b = bucket_of(m, key);
	unsigned i;

	for (i = 0; i < TG_MEMORY_WAYS; i++) {
		if (is_alive_of(&b->way[i], key, now_ms) && (b->way[i].word & KEPT)) {
			*r = unpack(b->way[i].word, now_ms);
			return true;
		}
	}
	return false;
}

bool tg_memory_kept_back(const struct tg_memory *m, uint64_t key, uint64_t now_ms)
{
	const struct tg_memory_bucket *b = bucket_of(m, key);
	bool kept = false;
	unsigned i;

	for (i = 0; i < TG_MEMORY_WAYS; i++) {
		if (!is_alive_of(&b->way[i], key, now_ms))
			continue;
		if (!(b->way[i].word & KEPT))
			return false;
		kept = true;
	}
	return kept;
}
