/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "dataplane/flow/cap.h"

/*
 * Tokens are thousandths of an answer: `per_second` answers a second are per_second thousandths a
 * millisecond, so refilling is one multiplication and no division.
 */
#define ANSWER 1000u
/* A full bucket, 1000 * per_second, has to fit 32 bits; a million answers a second is no limit. */
#define PER_SECOND_MAX 1000000u

struct tg_cap_entry {
	uint64_t source;  /* 0 = empty */
	uint32_t seen_ms; /* low bits of the clock; wraps after 49 days */
	uint32_t tokens;
};

struct tg_cap_set {
	struct tg_cap_entry way[TG_CAP_WAYS];
};

static_assert(sizeof(struct tg_cap_set) == TG_CACHE_LINE, "a set is a cache line");
static_assert((uint64_t)PER_SECOND_MAX * ANSWER <= UINT32_MAX, "a full bucket fits its field");

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

/* The source's entry, or the one to give it: empty, else the one not seen for longest. */
static struct tg_cap_entry *find(struct tg_cap *c, uint64_t source, uint32_t now)
{
	struct tg_cap_set *s = &c->set[(unsigned __int128)source * c->n_sets >> 64];
	struct tg_cap_entry *oldest = &s->way[0];
	unsigned i;

	for (i = 0; i < TG_CAP_WAYS; i++) {
		struct tg_cap_entry *e = &s->way[i];

		if (e->source == source)
			return e;
		if (oldest->source != 0 &&
		    (e->source == 0 || now - e->seen_ms > now - oldest->seen_ms))
			oldest = e;
	}
	return oldest;
}

bool tg_cap_allow(struct tg_cap *c, uint64_t source, uint32_t per_second, uint64_t now_ms)
{
	const uint32_t rate = per_second < PER_SECOND_MAX ? per_second : PER_SECOND_MAX;
	const uint32_t full = rate * ANSWER, now = (uint32_t)now_ms;
	const uint64_t id = source ? source : 1; /* 0 marks an empty entry */
	struct tg_cap_entry *e = find(c, id, now);
	uint64_t tokens = full;

	if (e->source == id) {
		tokens = e->tokens + (uint64_t)(now - e->seen_ms) * rate;
		if (tokens > full)
			tokens = full;
	}
	e->source = id;
	e->seen_ms = now;
	e->tokens = (uint32_t)tokens;
	if (tokens < ANSWER)
		return false;
	e->tokens -= ANSWER;
	return true;
}
