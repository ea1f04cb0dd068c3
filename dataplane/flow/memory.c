/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "dataplane/flow/memory.h"

#ifdef __SSE4_2__
#include <immintrin.h>
#endif

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
static_assert(TG_MEMORY_WAYS == 4, "a look is at two pairs");

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

uint64_t tg_memory_pack(const struct tg_memory_record *r, uint64_t now_ms)
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

/* ---- looking ------------------------------------------------------------------------------------ */

/* The word of an entry that expires in one tick, but for what is below: minus this, one that is alive has less than
 * LIFE_TICKS in the place of its expiry. */
static uint64_t next_tick(uint64_t now_ms)
{
	return ((now_ms >> TICK_SHIFT) + 1) << EXPIRY_SHIFT;
}

#ifdef __SSE4_2__
/* The upper halves of four words: their signs are what is asked for. */
static inline __m128i upper(__m128i low, __m128i high)
{
	return _mm_castps_si128(
		_mm_shuffle_ps(_mm_castsi128_ps(low), _mm_castsi128_ps(high), 0xdd));
}

static inline __m128i alive(__m128i words, __m128i next)
{
	const __m128i left = _mm_srli_epi64(_mm_sub_epi64(words, next), EXPIRY_SHIFT);
	const __m128i in_use = _mm_slli_epi64(words, 20);

	return _mm_and_si128(_mm_cmpgt_epi64(_mm_set1_epi64x(LIFE_TICKS), left), in_use);
}

static inline __m128i of_key(__m128i ids, __m128i id)
{
	return _mm_cmpeq_epi64(_mm_srli_epi64(_mm_xor_si128(ids, id), PRINT_BITS),
			       _mm_setzero_si128());
}

static inline uint32_t look_at(const struct tg_memory_entry *way, uint64_t id64, uint64_t next64)
{
	const __m128i id = _mm_set1_epi64x((long long)id64);
	const __m128i next = _mm_set1_epi64x((long long)next64);
	const __m128i e0 = _mm_load_si128((const void *)(way + 0));
	const __m128i e1 = _mm_load_si128((const void *)(way + 1));
	const __m128i e2 = _mm_load_si128((const void *)(way + 2));
	const __m128i e3 = _mm_load_si128((const void *)(way + 3));
	const __m128i id0 = _mm_unpacklo_epi64(e0, e1), id2 = _mm_unpacklo_epi64(e2, e3);
	const __m128i word0 = _mm_unpackhi_epi64(e0, e1), word2 = _mm_unpackhi_epi64(e2, e3);
	const __m128i kept = upper(_mm_slli_epi64(word0, 19), _mm_slli_epi64(word2, 19));
	const __m128i is_alive = upper(alive(word0, next), alive(word2, next));
	const __m128i known = upper(of_key(id0, id), of_key(id2, id));
	const __m128i same = upper(_mm_cmpeq_epi64(id0, id), _mm_cmpeq_epi64(id2, id));

	return (uint32_t)_mm_movemask_epi8(
		_mm_packs_epi16(_mm_packs_epi32(is_alive, kept), _mm_packs_epi32(known, same)));
}

static_assert(IN_USE == 1ull << (63 - 20) && KEPT == 1ull << (63 - 19), "shifted to the sign");
#else
static inline uint32_t look_at(const struct tg_memory_entry *way, uint64_t id, uint64_t next)
{
	uint32_t ways = 0;
	unsigned i;

	for (i = 0; i < TG_MEMORY_WAYS; i++) {
		const uint64_t word = way[i].word, other = way[i].id ^ id;
		const bool alive = word & IN_USE && (word - next) >> EXPIRY_SHIFT < LIFE_TICKS;

		ways |= ((uint32_t)alive << TG_MEMORY_ALIVE |
			 (uint32_t)((word & KEPT) != 0) << TG_MEMORY_KEPT |
			 (uint32_t)(other >> PRINT_BITS == 0) << TG_MEMORY_KNOWN |
			 (uint32_t)(other == 0) << TG_MEMORY_SAME)
			<< i;
	}
	return ways;
}
#endif

struct tg_memory_look tg_memory_look(const struct tg_memory *m, struct tg_memory_key k,
				     uint64_t now_ms)
{
	struct tg_memory_bucket *const b = bucket_of(m, k.key);
	const uint32_t ways = look_at(b->way, make_id(k), next_tick(now_ms));

	/* What is not alive is nothing else either. */
	return (struct tg_memory_look){ b, ways & (ways & 15) * 0x1111 };
}

struct tg_memory_record tg_memory_show(const struct tg_memory_look *l, unsigned ways,
				       uint64_t now_ms)
{
	return unpack(l->bucket->way[__builtin_ctz(ways)].word, now_ms);
}

static bool show_any(const struct tg_memory_look *l, unsigned ways, uint64_t now_ms,
		     struct tg_memory_record *r)
{
	if (!ways)
		return false;
	*r = tg_memory_show(l, ways, now_ms);
	return true;
}

bool tg_memory_find_any(const struct tg_memory *m, uint64_t key, uint64_t now_ms,
			struct tg_memory_record *r)
{
	const struct tg_memory_look l = tg_memory_look(m, (struct tg_memory_key){ .key = key },
						       now_ms);

	return show_any(&l, tg_memory_ways(&l, TG_MEMORY_KNOWN), now_ms, r);
}

bool tg_memory_find_kept_back(const struct tg_memory *m, uint64_t key, uint64_t now_ms,
			      struct tg_memory_record *r)
{
	const struct tg_memory_look l = tg_memory_look(m, (struct tg_memory_key){ .key = key },
						       now_ms);

	return show_any(&l,
			tg_memory_ways(&l, TG_MEMORY_KNOWN) & tg_memory_ways(&l, TG_MEMORY_KEPT),
			now_ms, r);
}

bool tg_memory_kept_back(const struct tg_memory *m, uint64_t key, uint64_t now_ms)
{
	const struct tg_memory_look l = tg_memory_look(m, (struct tg_memory_key){ .key = key },
						       now_ms);

	const unsigned known = tg_memory_ways(&l, TG_MEMORY_KNOWN);

	return known && !(known & ~tg_memory_ways(&l, TG_MEMORY_KEPT));
}

/* ---- putting ------------------------------------------------------------------------------------ */

bool tg_memory_put_at(const struct tg_memory_look *l, struct tg_memory_key k, uint64_t packed)
{
	const unsigned alive = tg_memory_ways(l, TG_MEMORY_ALIVE);
	const unsigned unused = alive ^ ((1u << TG_MEMORY_WAYS) - 1);
	const int passes = __builtin_popcount(alive & ~tg_memory_ways(l, TG_MEMORY_KEPT));

	if (!unused || (passes >= TG_MEMORY_PASS_WAYS && !(packed & KEPT)))
		return false;
	l->bucket->way[__builtin_ctz(unused)] = (struct tg_memory_entry){ make_id(k), packed };
	return true;
}
