/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Walks the automaton that numbering.py makes of the plans' patterns: a digit a step, until what
 * follows only has to have the right length.
 */
#include "tollgate/numbering.h"

/* One a country code. */
struct country {
	uint16_t code;
	uint16_t root;
	uint16_t lengths; /* bit n: numbers of n digits behind the code exist */
	uint8_t region;
};

/* The end of a walk: bit n of lengths[i] set and n digits left: outcome[i]. */
struct leaf {
	uint16_t outcome[2]; /* region << 4 | type */
	uint16_t lengths[2];
};

/*
 * regions[][4], countries[], by_prefix[1000] -> country (0: none) by the first three digits,
 * nodes[NODES][10] -> a node, or NODES + a leaf; leaves[].
 */
#include "dataplane/num/numbering_data.h"

static_assert(NODES + LEAVES <= UINT16_MAX, "both are counted in 16 bits");
static_assert(TG_ARRAY_LEN(countries) <= UINT8_MAX + 1, "by_prefix is one byte");
static_assert(TG_ARRAY_LEN(regions) <= 1 << 12 && TG_NUMBERING_TYPE_COUNT <= 1 << 4,
	      "an outcome is 12 bits of region and 4 of type");

static const char *const state_names[TG_NUMBERING_STATE_COUNT] = {
#define X(sym, name) name,
	TG_NUMBERING_STATES(X)
#undef X
};

static const char *const type_names[TG_NUMBERING_TYPE_COUNT] = {
#define X(sym, name) name,
	TG_NUMBERING_TYPES(X)
#undef X
};

const char *tg_numbering_state_name(unsigned state)
{
	return state < TG_NUMBERING_STATE_COUNT ? state_names[state] : "?";
}

const char *tg_numbering_type_name(unsigned type)
{
	return type < TG_NUMBERING_TYPE_COUNT ? type_names[type] : "?";
}

/* Where the digits lead; 0 if there is no such range. */
static uint16_t walk(uint16_t root, const uint8_t *digits, unsigned n)
{
	const struct leaf *leaf;
	uint16_t at = root;
	unsigned i = 0;

	while (at < NODES) {
		if (i == n)
			return 0;
		at = nodes[at][digits[i++]];
	}
	leaf = &leaves[at - NODES];
	if (leaf->lengths[0] >> (n - i) & 1)
		return leaf->outcome[0];
	return leaf->lengths[1] >> (n - i) & 1 ? leaf->outcome[1] : 0;
}

struct tg_numbering tg_numbering_find(struct tg_num n)
{
	struct tg_numbering found = { TG_NUMBERING_NOT_E164, TG_NUMBERING_TYPE_UNKNOWN, 0, "" };
	const unsigned len = tg_num_len(n);
	uint64_t value = tg_num_value(n);
	uint8_t digits[TG_NUM_MAX_DIGITS + 3] = { 0 }; /* "+44" has no third digit */
	const struct country *c;
	uint16_t outcome;
	unsigned cc_len, i;

	if (tg_num_kind(n) != TG_NUM_E164)
		return found;
	for (i = len; i > 0; i--) {
		digits[i - 1] = value % 10;
		value /= 10;
	}
	c = &countries[by_prefix[digits[0] * 100 + digits[1] * 10 + digits[2]]];
	cc_len = c->code < 10 ? 1 : c->code < 100 ? 2 : 3;
	found.state = TG_NUMBERING_NO_COUNTRY;
	if (c->code == 0 || len < cc_len)
		return found;
	found.country_code = c->code;
	outcome = walk(c->root, digits + cc_len, len - cc_len);
	if (outcome) {
		found.state = TG_NUMBERING_VALID;
		found.type = (enum tg_numbering_type)(outcome & 15);
		found.region = regions[outcome >> 4];
	} else {
		found.state = c->lengths >> (len - cc_len) & 1 ? TG_NUMBERING_NO_RANGE
							       : TG_NUMBERING_LENGTH;
		found.region = regions[c->region];
	}
	return found;
}
