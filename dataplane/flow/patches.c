/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "dataplane/flow/patches.h"

struct entry {
	uint64_t flow;
	uint64_t expiry_ms; /* 0: never used, or long ago */
	uint32_t tsn;
	uint16_t off;
	uint8_t len;
	uint8_t was[TG_PATCH_MAX];
	uint8_t is[TG_PATCH_MAX];
} TG_ALIGNED(TG_CACHE_LINE);

static_assert(sizeof(struct entry) == TG_CACHE_LINE, "a change is a cache line");

struct set {
	struct entry way[TG_PATCHES_WAYS];
};

/* Of each way, apart: what is not there is told from half a cache line, 32 KiB for 8192 changes. */
struct tags {
	uint32_t way[TG_PATCHES_WAYS]; /* 0: never used */
};

struct tg_patches {
	struct set *set;
	struct tags *tags;
	uint64_t n_sets;
	uint64_t last_ms; /* the last change expires */
} TG_ALIGNED(TG_CACHE_LINE);

static uint64_t n_sets_for(uint32_t entries)
{
	const uint64_t n = ((uint64_t)entries + TG_PATCHES_WAYS - 1) / TG_PATCHES_WAYS;

	return n ? n : 1;
}

size_t tg_patches_size(uint32_t entries)
{
	const size_t n = n_sets_for(entries), tags = n * sizeof(struct tags);

	return sizeof(struct tg_patches) + n * sizeof(struct set) +
	       (tags + TG_CACHE_LINE - 1) / TG_CACHE_LINE * TG_CACHE_LINE;
}

struct tg_patches *tg_patches_init(void *block, uint32_t entries)
{
	struct tg_patches *p = block;

	memset(block, 0, tg_patches_size(entries));
	p->set = (struct set *)((uint8_t *)block + sizeof(*p));
	p->n_sets = n_sets_for(entries);
	p->tags = (struct tags *)(p->set + p->n_sets);
	return p;
}

/*
 * Which TSNs meet in a set must not be the sender's choice: `flow` is a SipHash, both what the TSN is hidden in and what
 * the two are multiplied with, so each association has a factor of its own that nobody outside knows. The constants are
 * MurmurHash3's: the first lets a plain `flow` do as well, the second product mixes the upper half into the tag. Who
 * meets another's changes all the same gains nothing: what is pushed out is judged anew.
 */
static uint64_t hash_of(uint64_t flow, uint32_t tsn)
{
	const uint64_t factor = ((flow >> 32 | flow << 32) ^ 0xff51afd7ed558ccdull) | 1;
	const unsigned __int128 product = (unsigned __int128)(flow ^ tsn) * factor;
	uint64_t x = (uint64_t)(product >> 64) ^ (uint64_t)product;

	x *= 0xc4ceb9fe1a85ec53ull;
	return x ^ x >> 32;
}

static uint64_t index_of(const struct tg_patches *p, uint64_t hash)
{
	return (unsigned __int128)hash * p->n_sets >> 64;
}

static uint32_t tag_of(uint64_t hash)
{
	return (uint32_t)hash | 1;
}

static struct set *set_of(const struct tg_patches *p, uint64_t flow, uint32_t tsn)
{
	return &p->set[index_of(p, hash_of(flow, tsn))];
}

/* ---- putting ----------------------------------------------------------------------------------- */

/* The same place in the same chunk: two of them could not both be made. */
static bool is_same_place(const struct tg_patch *a, const struct tg_patch *b)
{
	return a->flow == b->flow && a->tsn == b->tsn && a->off == b->off && a->len == b->len &&
	       memcmp(a->was, b->was, a->len) == 0;
}

static bool is_of(const struct entry *e, const struct tg_patch *a)
{
	return e->flow == a->flow && e->tsn == a->tsn && e->off == a->off && e->len == a->len &&
	       memcmp(e->was, a->was, e->len) == 0;
}

static bool is_of_any(const struct entry *e, const struct tg_patch *patch, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		if (is_of(e, &patch[i]))
			return true;
	return false;
}

static bool is_repeated(const struct tg_patch *patch, unsigned at)
{
	unsigned i;

	for (i = 0; i < at; i++)
		if (is_same_place(&patch[i], &patch[at]))
			return true;
	return false;
}

/* Whatever else is there can go, so there is room if no set gets more of them than it has ways. */
static bool has_room(const struct tg_patches *p, const struct tg_patch *patch, unsigned n)
{
	unsigned i, k;

	for (i = 0; i < n; i++) {
		const struct set *s = set_of(p, patch[i].flow, patch[i].tsn);
		unsigned in_set = 0;

		if (patch[i].len == 0 || patch[i].len > TG_PATCH_MAX)
			return false;
		for (k = 0; k <= i; k++)
			in_set += set_of(p, patch[k].flow, patch[k].tsn) == s &&
				  !is_repeated(patch, k);
		if (in_set > TG_PATCHES_WAYS)
			return false;
	}
	return true;
}

/* The entry that holds it already, or the oldest that is none of this call's. */
static struct entry *place_for(struct set *s, const struct tg_patch *patch, unsigned n, unsigned at)
{
	struct entry *oldest = NULL;
	unsigned i;

	for (i = 0; i < TG_PATCHES_WAYS; i++) {
		struct entry *e = &s->way[i];

		if (is_of(e, &patch[at]))
			return e;
		if ((!oldest || e->expiry_ms < oldest->expiry_ms) && !is_of_any(e, patch, n))
			oldest = e;
	}
	return oldest;
}

bool tg_patches_put(struct tg_patches *p, const struct tg_patch *patch, unsigned n, uint64_t now_ms)
{
	unsigned i;

	if (!has_room(p, patch, n))
		return false;
	for (i = 0; i < n; i++) {
		const struct tg_patch *from = &patch[i];
		const uint64_t hash = hash_of(from->flow, from->tsn), at = index_of(p, hash);
		struct entry *to = place_for(&p->set[at], patch, n, i);

		p->tags[at].way[to - p->set[at].way] = tag_of(hash);
		*to = (struct entry){ .flow = from->flow,
				      .expiry_ms = now_ms + TG_PATCHES_LIFE_MS,
				      .tsn = from->tsn,
				      .off = from->off,
				      .len = from->len };
		memcpy(to->was, from->was, from->len);
		memcpy(to->is, from->is, from->len);
		p->last_ms = to->expiry_ms;
	}
	return true;
}

/* ---- looking up -------------------------------------------------------------------------------- */

bool tg_patches_idle(const struct tg_patches *p, uint64_t now_ms)
{
	return now_ms >= p->last_ms;
}

/* What is asked for, and what stands there. */
struct chunk {
	uint64_t flow;
	uint32_t tsn;
	uint32_t len;
	const uint8_t *user;
	uint64_t now_ms;
};

static bool applies(const struct entry *e, const struct chunk *c)
{
	return e->flow == c->flow && e->tsn == c->tsn && c->now_ms < e->expiry_ms &&
	       e->off + (uint32_t)e->len <= c->len && memcmp(c->user + e->off, e->was, e->len) == 0;
}

/* Bit per way: those that apply. */
static unsigned find(const struct tg_patches *p, const struct chunk *c)
{
	const uint64_t hash = hash_of(c->flow, c->tsn), at = index_of(p, hash);
	const struct tags *const tags = &p->tags[at];
	const uint32_t tag = tag_of(hash);
	uint32_t is_there = 0;
	unsigned found = 0, i;

	/* Mostly none: one comparison for all, in vector registers. */
	for (i = 0; i < TG_PATCHES_WAYS; i++)
		is_there |= -(uint32_t)(tags->way[i] == tag);
	if (tg_likely(!is_there))
		return 0;
	for (i = 0; i < TG_PATCHES_WAYS; i++)
		if (tags->way[i] == tag && applies(&p->set[at].way[i], c))
			found |= 1u << i;
	return found;
}

bool tg_patches_wanted(const struct tg_patches *p, uint64_t flow, uint32_t tsn, struct tg_span user,
		       uint64_t now_ms)
{
	const struct chunk c = { flow, tsn, user.len, user.data, now_ms };

	return find(p, &c) != 0;
}

unsigned tg_patches_apply(const struct tg_patches *p, uint64_t flow, uint32_t tsn, uint8_t *user,
			  uint32_t len, uint64_t now_ms)
{
	const struct chunk c = { flow, tsn, len, user, now_ms };
	const struct set *s = set_of(p, flow, tsn);
	/* All before any is made: what one makes of the bytes may be what another knows as theirs. */
	const unsigned found = find(p, &c);
	unsigned i, n = 0;

	for (i = 0; i < TG_PATCHES_WAYS; i++) {
		const struct entry *e = &s->way[i];

		if (found >> i & 1) {
			memcpy(user + e->off, e->is, e->len);
			n++;
		}
	}
	return n;
}
