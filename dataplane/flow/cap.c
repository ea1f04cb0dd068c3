/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "dataplane/flow/cap.h"

/*
 * One of `count` in `period_ms` costs period_ms tokens, and `count` tokens come in each millisecond: so
 * refilling is one multiplication and no division, and a full bucket is their product.
 */

struct tg_cap_entry {
	uint64_t key;	  /* 0 = empty */
	uint32_t seen_ms; /* low bits of the clock; wraps after 49 days */
	uint32_t tokens;
};

struct tg_cap_set {
	struct tg_cap_entry way[TG_CAP_WAYS];
};

static_assert(sizeof(struct tg_cap_set) == TG_CACHE_LINE, "a set is a cache line");

static uint64_t n_sets_for(uint32_t entries)
{
	const uint64_t n = ((uint64_t)entries + TG_CAP_WAYS - 1) / TG_CAP_WAYS;

	return n ? n : 1;
}

size_t tg_cap_size(uint32_t entries)
{
	return n_sets_for(entries) * sizeof(struct tg_cap_set);
}

void tg_cap_init(struct tg_cap *c, void *block, uint32_t entries)
{
	c->set = block;
	c->n_sets = n_sets_for(entries);
	memset(block, 0, tg_cap_size(entries));
}

/* The key's entry, or the one to give it: empty, else the one not seen for longest. */
static struct tg_cap_entry *find(struct tg_cap *c, uint64_t key, uint32_t now)
{
	struct tg_cap_set *s = &c->set[(unsigned __int128)key * c->n_sets >> 64];
	struct tg_cap_entry *oldest = &s->way[0];
	unsigned i;

	for (i = 0; i < TG_CAP_WAYS; i++) {
		struct tg_cap_entry *e = &s->way[i];

		if (e->key == key)
			return e;
		if (oldest->key != 0 && (e->key == 0 || now - e->seen_ms > now - oldest->seen_ms))
			oldest = e;
	}
	return oldest;
}

bool tg_cap_allow(struct tg_cap *c, uint64_t key, struct tg_cap_rate rate, uint64_t now_ms)
{
	const uint64_t product = (uint64_t)rate.count * rate.period_ms;
	const uint32_t full = product < UINT32_MAX ? (uint32_t)product : UINT32_MAX;
	const uint32_t now = (uint32_t)now_ms;
	const uint64_t id = key ? key : 1; /* 0 marks an empty entry */
	struct tg_cap_entry *e = find(c, id, now);
	uint64_t tokens = full;

	if (e->key == id) {
		tokens = e->tokens + (uint64_t)(now - e->seen_ms) * rate.count;
		if (tokens > full)
			tokens = full;
	}
	e->key = id;
	e->seen_ms = now;
	e->tokens = (uint32_t)tokens;
	if (rate.count == 0 || tokens < rate.period_ms)
		return false;
	e->tokens -= rate.period_ms;
	return true;
}
