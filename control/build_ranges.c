/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Prefixes and ranges, which nest and overlap, flattened to boundaries between which nothing changes.
 *
 * Each interval is split by role into items, and items that speak of the same role and the same
 * lengths form a class: of a class only the item that prevails matters at any place. A sweep from
 * left to right keeps each class's items in a heap, the prevailing one on top, and what has ended is
 * taken off when it comes to the top. At each boundary the tops (two or three dozen classes in
 * practice, 240 at most) are laid over one another, length by length. So n intervals cost O(n log n),
 * however they overlap.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "control/build_priv.h"

#define LENGTHS (TG_NUM_MAX_DIGITS + 1)
#define CLASSES (2 * LENGTHS * LENGTHS) /* role, digits_min, digits_max */

/* Of two items on one number the lower rank prevails: narrower, then allow, then emergency, then the
 * higher score, then the category that stands first.
 *
 *	bit 13-62 width, 11-12 allow 0, emergency 1, else 2, 4-10 100 - score, 0-3 category */
struct item {
	uint64_t lo;
	uint64_t hi;
	uint64_t rank;
	uint32_t class;
};

struct heap {
	struct item **item; /* room for all of the class */
	size_t n;
};

struct sweep {
	struct item *items; /* by lo */
	size_t n_items;
	uint64_t *places; /* where something may change, ascending */
	size_t n_places;
	struct item **slots; /* all heaps' room */
	struct heap heap[CLASSES];
	uint16_t used[CLASSES]; /* the classes that have items at all */
	unsigned n_used;
	uint32_t *known; /* hash of sets: index + 1, 0 = free */
	size_t n_known;	 /* power of two, twice the sets at least */
	size_t cap_sets;
	struct tg_flat_ranges *flat;
};

static uint64_t rank_of(uint64_t width, uint32_t slot)
{
	const enum tg_category category = tg_slot_category(slot);
	const uint64_t favour = category == TG_CATEGORY_ALLOW	    ? 0
				: category == TG_CATEGORY_EMERGENCY ? 1
								    : 2;

	return width << 13 | favour << 11 | (uint64_t)(TG_SCORE_MAX - tg_slot_score(slot)) << 4 |
	       category;
}

static uint32_t slot_of(uint64_t rank)
{
	return tg_listing_slot((enum tg_category)(rank & 15), TG_SCORE_MAX - (rank >> 4 & 127));
}

static int compare_items(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	return x->lo < y->lo ? -1 : x->lo > y->lo;
}

static int compare_places(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void make_items(struct sweep *s, const struct tg_build_interval *intervals, uint64_t n)
{
	uint64_t i;
	unsigned side;

	for (i = 0; i < n; i++)
		for (side = TG_SIDE_CALLER; side <= TG_SIDE_CALLED; side++) {
			const struct tg_build_interval *v = &intervals[i];
			const uint32_t slot = tg_listing_side(v->listing, (enum tg_side)side);

			if (!slot)
				continue;
			s->items[s->n_items++] = (struct item){
				.lo = v->lo,
				.hi = v->hi,
				.rank = rank_of(v->hi - v->lo, slot),
				.class = (side * LENGTHS + v->digits_min) * LENGTHS + v->digits_max,
			};
		}
}

static void make_places(struct sweep *s)
{
	size_t i, n = 0;

	s->places[n++] = 0;
	for (i = 0; i < s->n_items; i++) {
		s->places[n++] = s->items[i].lo;
		if (s->items[i].hi + 1 < TG_NUMBERS_END)
			s->places[n++] = s->items[i].hi + 1;
	}
	qsort(s->places, n, sizeof(*s->places), compare_places);
	for (i = 0; i < n; i++)
		if (i == 0 || s->places[i] != s->places[i - 1])
			s->places[s->n_places++] = s->places[i];
}

static void make_heaps(struct sweep *s)
{
	size_t count[CLASSES] = { 0 }, i, at = 0;

	for (i = 0; i < s->n_items; i++)
		count[s->items[i].class]++;
	for (i = 0; i < CLASSES; i++) {
		if (!count[i])
			continue;
		s->heap[i].item = s->slots + at;
		s->used[s->n_used++] = (uint16_t)i;
		at += count[i];
	}
}

static void heap_push(struct heap *h, struct item *item)
{
	size_t at = h->n++;

	for (; at > 0 && h->item[(at - 1) / 2]->rank > item->rank; at = (at - 1) / 2)
		h->item[at] = h->item[(at - 1) / 2];
	h->item[at] = item;
}

static void heap_pop(struct heap *h)
{
	struct item *last = h->item[--h->n];
	size_t at = 0, child;

	while ((child = 2 * at + 1) < h->n) {
		if (child + 1 < h->n && h->item[child + 1]->rank < h->item[child]->rank)
			child++;
		if (h->item[child]->rank >= last->rank)
			break;
		h->item[at] = h->item[child];
		at = child;
	}
	if (h->n)
		h->item[at] = last;
}

/* What holds at `place`, once every item that begins up to there has been pushed. */
static void set_at(struct sweep *s, uint64_t place, struct tg_range_set *set)
{
	uint64_t best[2][LENGTHS];
	unsigned i, len;

	memset(best, 0xff, sizeof(best));
	for (i = 0; i < s->n_used; i++) {
		const unsigned class = s->used[i];
		const unsigned side = class / (LENGTHS * LENGTHS);
		struct heap *h = &s->heap[class];

		while (h->n && h->item[0]->hi < place)
			heap_pop(h);
		if (!h->n)
			continue;
		for (len = class / LENGTHS % LENGTHS; len <= class % LENGTHS; len++)
			if (h->item[0]->rank < best[side][len])
				best[side][len] = h->item[0]->rank;
	}
	*set = (struct tg_range_set){ 0 };
	for (len = 1; len < LENGTHS; len++) {
		const uint64_t caller = best[TG_SIDE_CALLER][len],
			       called = best[TG_SIDE_CALLED][len];

		set->listing[len] = tg_listing_make(caller == UINT64_MAX ? 0 : slot_of(caller),
						    called == UINT64_MAX ? 0 : slot_of(called));
	}
}

/* Makes room for one more set and keeps the hash at most half full. */
static int grow_sets(struct sweep *s)
{
	const size_t cap = s->cap_sets ? s->cap_sets * 2 : 64;
	struct tg_range_set *sets;
	uint32_t *known;
	size_t i;

	if (s->flat->n_sets < s->cap_sets)
		return 0;
	sets = realloc(s->flat->sets, cap * sizeof(*sets));
	if (!sets)
		return -ENOMEM;
	s->flat->sets = sets;
	known = calloc(2 * cap, sizeof(*known));
	if (!known)
		return -ENOMEM;
	free(s->known);
	s->known = known;
	s->n_known = 2 * cap;
	s->cap_sets = cap;
	for (i = 0; i < s->flat->n_sets; i++) {
		size_t at = XXH3_64bits(&sets[i], sizeof(sets[i])) & (s->n_known - 1);

		while (s->known[at])
			at = (at + 1) & (s->n_known - 1);
		s->known[at] = (uint32_t)i + 1;
	}
	return 0;
}

/* The index of a set, which is added if it is new. */
static int intern(struct sweep *s, const struct tg_range_set *set, uint32_t *index)
{
	struct tg_flat_ranges *flat = s->flat;
	size_t at;
	int rc = grow_sets(s);

	if (rc)
		return rc;
	at = XXH3_64bits(set, sizeof(*set)) & (s->n_known - 1);
	for (; s->known[at]; at = (at + 1) & (s->n_known - 1)) {
		*index = s->known[at] - 1;
		if (memcmp(&flat->sets[*index], set, sizeof(*set)) == 0)
			return 0;
	}
	*index = (uint32_t)flat->n_sets;
	s->known[at] = *index + 1;
	flat->sets[flat->n_sets++] = *set;
	return 0;
}

static int run_sweep(struct sweep *s)
{
	struct tg_flat_ranges *flat = s->flat;
	struct tg_range_set set = { 0 };
	uint32_t index;
	size_t i, next = 0;
	int rc = intern(s, &set, &index); /* set 0 is empty */

	for (i = 0; i < s->n_places && rc == 0; i++) {
		for (; next < s->n_items && s->items[next].lo <= s->places[i]; next++)
			heap_push(&s->heap[s->items[next].class], &s->items[next]);
		set_at(s, s->places[i], &set);
		rc = intern(s, &set, &index);
		if (rc == 0 && (i == 0 || index != flat->bounds[flat->n_bounds - 1].set))
			flat->bounds[flat->n_bounds++] =
				(struct tg_range_bound){ .from = s->places[i], .set = index };
	}
	return rc;
}

/*
 * An index of about two cells a bound (8 bytes beside the bound's 16) leaves less than one step of
 * search where prefixes are spread evenly; real ones stand in heaps, where each halving is a step in a
 * few cache lines. From 2^6 cells, so that few prefixes need no search, to 2^16 (256 KiB, half of a
 * core's L2): the first four to five digits.
 */
static unsigned index_shift(uint64_t n_bounds)
{
	unsigned bits = 6;

	while (bits < 16 && 1ull << bits < 2 * n_bounds)
		bits++;
	return TG_KEY_BITS - bits;
}

int tg_build_flatten(const struct tg_build_interval *intervals, uint64_t n,
		     struct tg_flat_ranges *flat)
{
	struct sweep *s = calloc(1, sizeof(*s));
	int rc = -ENOMEM;

	*flat = (struct tg_flat_ranges){ 0 };
	if (!s)
		return -ENOMEM;
	s->flat = flat;
	s->items = malloc(2 * n * sizeof(*s->items));
	s->slots = malloc(2 * n * sizeof(struct item *));
	s->places = malloc((4 * n + 1) * sizeof(*s->places));
	flat->bounds = malloc((4 * n + 1) * sizeof(*flat->bounds));
	if (s->items && s->slots && s->places && flat->bounds) {
		make_items(s, intervals, n);
		qsort(s->items, s->n_items, sizeof(*s->items), compare_items);
		make_places(s);
		make_heaps(s);
		rc = run_sweep(s);
		flat->shift = index_shift(flat->n_bounds);
	}
	free(s->places);
	free((void *)s->slots);
	free(s->items);
	free(s->known);
	free(s);
	if (rc)
		tg_build_flat_free(flat);
	return rc;
}

void tg_build_flat_free(struct tg_flat_ranges *flat)
{
	free(flat->bounds);
	free(flat->sets);
	*flat = (struct tg_flat_ranges){ 0 };
}

void tg_build_range_index(const struct tg_flat_ranges *flat, uint32_t *index)
{
	const uint64_t cells = tg_range_cells(flat->shift);
	uint64_t bound = 0, i;

	for (i = 0; i < cells; i++) {
		while (bound + 1 < flat->n_bounds &&
		       flat->bounds[bound + 1].from <= i << flat->shift)
			bound++;
		index[i] = (uint32_t)bound;
	}
	index[cells] = (uint32_t)(flat->n_bounds - 1);
}
