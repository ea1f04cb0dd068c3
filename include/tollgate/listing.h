/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the table knows of one number: for each role a category and a score, in 24 bits, so that it
 * fits the verdict field of a packed entry at every table size (table.h).
 *
 *	bit  0-3   caller: category + 1, 0 = not listed in that role
 *	bit  4-10  caller: score 0-100
 *	bit 11-14  called: category + 1
 *	bit 15-21  called: score
 *	bit 22     caller's answer came from a prefix or range (answers only, never stored)
 *	bit 23     called's answer came from a prefix or range (answers only, never stored)
 *
 * A feed's role "any" fills both. Two roles of one number are independent, so a role that does not
 * match hides nothing.
 */
#ifndef TG_LISTING_H
#define TG_LISTING_H

#include "tollgate/base.h"
#include "tollgate/reason.h"

#define TG_LISTING_BITS 24
#define TG_LISTING_SLOT_BITS 11
#define TG_LISTING_SLOT_MASK 0x7ffu
#define TG_LISTING_STORED_MASK 0x3fffffu
#define TG_LISTING_CALLER_BY_RANGE (1u << 22)
#define TG_LISTING_CALLED_BY_RANGE (1u << 23)
#define TG_SCORE_MAX 100

/* In a delta only: the number is in no list any more, whatever the base says. Non-zero (an all-zero
 * entry is empty) and no listing: category 0 with a score. */
#define TG_LISTING_TOMBSTONE (1u << 4)

enum tg_category {
	TG_CATEGORY_NONE,
#define X(sym, name, kind) TG_CATEGORY_##sym,
	TG_CATEGORIES(X)
#undef X
	TG_CATEGORY_COUNT
};

static_assert(TG_CATEGORY_COUNT <= 16, "a category has four bits");
static_assert(TG_REASON_FRAUD == 0 && TG_REASON_EMERGENCY == TG_CATEGORY_EMERGENCY - 1,
	      "a category's reason is its index less one");

/* Which of the two slots a lookup asks. */
enum tg_side {
	TG_SIDE_CALLER,
	TG_SIDE_CALLED,
};

static inline uint32_t tg_listing_slot(enum tg_category category, unsigned score)
{
	return (uint32_t)category | score << 4;
}

static inline uint32_t tg_listing_make(uint32_t caller_slot, uint32_t called_slot)
{
	return caller_slot | called_slot << TG_LISTING_SLOT_BITS;
}

static inline uint32_t tg_listing_side(uint32_t listing, enum tg_side side)
{
	return listing >> (side == TG_SIDE_CALLED ? TG_LISTING_SLOT_BITS : 0) &
	       TG_LISTING_SLOT_MASK;
}

static inline enum tg_category tg_slot_category(uint32_t slot)
{
	return (enum tg_category)(slot & 0xf);
}

static inline unsigned tg_slot_score(uint32_t slot)
{
	return slot >> 4 & 0x7f;
}

static inline bool tg_slot_is_legal(uint32_t slot)
{
	return slot == 0 ||
	       (tg_slot_category(slot) != TG_CATEGORY_NONE &&
		tg_slot_category(slot) < TG_CATEGORY_COUNT && tg_slot_score(slot) <= TG_SCORE_MAX);
}

/* May it stand in an image? It says something of some role, and nothing else; no tombstone. Takes
 * more bits than a listing has, for whoever reads them from an image. */
static inline bool tg_listing_is_legal(uint64_t listing)
{
	return listing && !(listing & ~(uint64_t)TG_LISTING_STORED_MASK) &&
	       tg_slot_is_legal(tg_listing_side((uint32_t)listing, TG_SIDE_CALLER)) &&
	       tg_slot_is_legal(tg_listing_side((uint32_t)listing, TG_SIDE_CALLED));
}

/* Only for a category other than NONE. */
static inline enum tg_reason tg_category_reason(enum tg_category c)
{
	return (enum tg_reason)((unsigned)c - 1);
}

#endif
