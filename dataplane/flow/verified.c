/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/flow/verified.h"

#include <string.h>

/* `word`: when it ages out, in ms, and below that the state. 0 is a time that has passed. */
#define STATE_BITS 8

struct entry {
	uint64_t key;
	uint64_t word;
};

struct tg_verified_set {
	struct entry way[TG_VERIFIED_WAYS];
};

static_assert(sizeof(struct tg_verified_set) == TG_CACHE_LINE, "a set is a cache line");

static uint64_t n_sets_for(uint32_t entries)
{
	return ((uint64_t)entries + TG_VERIFIED_WAYS - 1) / TG_VERIFIED_WAYS;
}

size_t tg_verified_size(uint32_t entries)
{
	return n_sets_for(entries) * sizeof(struct tg_verified_set);
}

void tg_verified_init(struct tg_verified *t, void *block, uint32_t entries)
{
	t->set = block;
	t->n_sets = n_sets_for(entries);
	if (t->n_sets > 0)
		memset(block, 0, tg_verified_size(entries));
}

static struct tg_verified_set *set_of(const struct tg_verified *t, uint64_t key)
{
	return &t->set[(unsigned __int128)key * t->n_sets >> 64];
}

bool tg_verified_find(const struct tg_verified *t, uint64_t key, uint64_t now_ms, uint8_t *state)
{
	const struct tg_verified_set *s;
	unsigned i;

	if (t->n_sets == 0)
		return false;
	s = set_of(t, key);
	for (i = 0; i < TG_VERIFIED_WAYS; i++) {
		if (s->way[i].key == key && s->way[i].word >> STATE_BITS > now_ms) {
			*state = (uint8_t)s->way[i].word;
			return true;
		}
	}
	return false;
}

void tg_verified_put(struct tg_verified *t, uint64_t key, uint8_t state, uint32_t for_ms,
		     uint64_t now_ms)
{
	struct tg_verified_set *s;
	struct entry *place;
	unsigned i;

	if (t->n_sets == 0)
		return;
	s = set_of(t, key);
	place = &s->way[0];
	for (i = 0; i < TG_VERIFIED_WAYS; i++) {
		if (s->way[i].key == key) {
			place = &s->way[i];
			break;
		}
		if (s->way[i].word < place->word)
			place = &s->way[i];
	}
	*place = (struct entry){ key, (now_ms + for_ms) << STATE_BITS | state };
}
