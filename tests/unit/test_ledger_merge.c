/* SPDX-License-Identifier: BSD-3-Clause */
/* The ledger against a merge that is written down as the rule is spoken, over random changes. */
#include "tests/support/ledger_test.h"
#include "tests/support/tg_test.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NOW 1800000000 /* 2027-01-15 */

#define NAIVE_SOURCES 4
#define NAIVE_MAX 4096

struct naive {
	struct {
		struct tg_record r;
		int source; /* NAIVE_SOURCES = operator */
	} claim[NAIVE_MAX];
	size_t n;
};

static const char *const naive_names[] = { "zulu", "alpha", "mike", "bravo", TG_SOURCE_OPERATOR };

static bool same_claim(const struct tg_record *a, const struct tg_record *b)
{
	return a->kind == b->kind && a->digits == b->digits && a->lo == b->lo && a->hi == b->hi &&
	       a->roles == b->roles;
}

static void naive_remove(struct naive *m, size_t i)
{
	m->claim[i] = m->claim[--m->n];
}

static bool naive_del(struct naive *m, const struct tg_record *r, int source)
{
	size_t i;

	for (i = 0; i < m->n; i++)
		if (m->claim[i].source == source && same_claim(&m->claim[i].r, r)) {
			naive_remove(m, i);
			return true;
		}
	return false;
}

static void naive_set(struct naive *m, const struct tg_record *r, int source)
{
	(void)naive_del(m, r, source);
	assert_true(m->n < NAIVE_MAX);
	m->claim[m->n].r = *r;
	m->claim[m->n++].source = source;
}

static void naive_clear(struct naive *m, int source)
{
	size_t i = 0;

	while (i < m->n)
		if (m->claim[i].source == source)
			naive_remove(m, i);
		else
			i++;
}

static bool covers(const struct tg_record *r, const char *digits, bool e164)
{
	char lo[24], hi[24];
	const size_t len = strlen(digits);

	snprintf(lo, sizeof(lo), "%0*" PRIu64, r->digits, r->lo);
	snprintf(hi, sizeof(hi), "%0*" PRIu64, r->digits, r->hi);
	switch (r->kind) {
	case TG_RECORD_SHORT:
		return !e164 && strcmp(digits, lo) == 0;
	case TG_RECORD_EXACT:
		return e164 && strcmp(digits, lo) == 0;
	case TG_RECORD_PREFIX:
		return e164 && strncmp(digits, lo, strlen(lo)) == 0;
	default:
		return e164 && len == r->digits && strcmp(digits, lo) >= 0 &&
		       strcmp(digits, hi) <= 0;
	}
}

static double naive_width(const struct tg_record *r)
{
	double w = (double)(r->hi - r->lo + 1);
	unsigned i;

	if (r->kind == TG_RECORD_EXACT || r->kind == TG_RECORD_SHORT)
		return 0;
	for (i = r->digits; i < 15; i++)
		w *= 10;
	return w;
}

static int naive_class(unsigned category)
{
	return category == TG_CATEGORY_ALLOW ? 0 : category == TG_CATEGORY_EMERGENCY ? 1 : 2;
}

/* The rule as the header states it, written once more. */
static bool naive_wins(const struct tg_record *a, int sa, const struct tg_record *b, int sb)
{
	if (naive_width(a) < naive_width(b) || naive_width(a) > naive_width(b))
		return naive_width(a) < naive_width(b);
	if (naive_class(a->category) != naive_class(b->category))
		return naive_class(a->category) < naive_class(b->category);
	if (a->score != b->score)
		return a->score > b->score;
	if (a->category != b->category)
		return a->category < b->category;
	return strcmp(naive_names[sa], naive_names[sb]) < 0;
}

static uint32_t naive_listing(const struct naive *m, const char *digits, bool e164, int64_t now)
{
	uint32_t slot[2] = { 0, 0 }, flags = 0;
	unsigned side;
	size_t i;

	for (side = 0; side < 2; side++) {
		ptrdiff_t best = -1;

		for (i = 0; i < m->n; i++) {
			const struct tg_record *r = &m->claim[i].r;

			if (!(r->roles >> side & 1) || (r->expires && r->expires <= now) ||
			    !covers(r, digits, e164))
				continue;
			if (best < 0 || naive_wins(r, m->claim[i].source, &m->claim[best].r,
						   m->claim[best].source))
				best = (ptrdiff_t)i;
		}
		if (best < 0)
			continue;
		slot[side] = tg_listing_slot((enum tg_category)m->claim[best].r.category,
					     m->claim[best].r.score);
		if (naive_width(&m->claim[best].r) > 0)
			flags |= side ? TG_LISTING_CALLED_BY_RANGE : TG_LISTING_CALLER_BY_RANGE;
	}
	return tg_listing_make(slot[0], slot[1]) | flags;
}

/* Few numbers, so that claims meet. */
static struct tg_record random_record(uint64_t *seed)
{
	const uint64_t x = tg_test_random(seed);
	const unsigned kind = x % 8 < 5 ? 0 : (unsigned)(x % 8 - 4);
	struct tg_record r = { .roles = (uint8_t)(1 + (x >> 8) % 3),
			       .category = (uint8_t)(1 + (x >> 12) % (TG_CATEGORY_COUNT - 1)),
			       .score = (uint8_t)((x >> 20) % 4 * 33),
			       .kind = (uint8_t)kind };

	if ((x >> 24) % 4 == 0)
		r.expires = NOW + (int64_t)((x >> 28) % 9) - 4;
	switch (kind) {
	case TG_RECORD_PREFIX:
		r.digits = (uint8_t)(4 + (x >> 32) % 3);
		r.lo = (r.digits == 4 ? 1202 : r.digits == 5 ? 12025 : 120255) + (x >> 40) % 2;
		break;
	case TG_RECORD_RANGE:
		r.digits = 7;
		r.lo = 1202550 + (x >> 40) % 20;
		break;
	case TG_RECORD_SHORT:
		r.digits = 3;
		r.lo = 110 + (x >> 40) % 4;
		break;
	default:
		r.digits = 7;
		r.lo = 1202550 + (x >> 40) % 30;
	}
	r.hi = r.lo + (kind == TG_RECORD_RANGE ? (x >> 48) % 20 : 0);
	return r;
}

static void random_import(struct tg_ledger *l, struct naive *m, uint64_t *seed)
{
	const int source = (int)(tg_test_random(seed) % NAIVE_SOURCES);
	const bool replace = tg_test_random(seed) % 2;
	const unsigned n = (unsigned)(tg_test_random(seed) % 30);
	struct tg_record taken[32];
	char text[4096] = "";
	unsigned i, k, n_taken = 0;

	if (replace)
		naive_clear(m, source);
	for (i = 0; i < n; i++) {
		struct tg_record r = random_record(seed);
		char number[48], expires[32] = "", line[128];
		time_t t;
		struct tm tm;

		for (k = 0; k < n_taken; k++)
			if (taken[k].kind == r.kind && taken[k].lo == r.lo && taken[k].hi == r.hi &&
			    taken[k].digits == r.digits && (taken[k].roles & r.roles))
				break;
		if (k < n_taken)
			continue;
		taken[n_taken++] = r;
		naive_set(m, &r, source);
		tg_record_number_format(&r, number, sizeof(number));
		t = (time_t)r.expires;
		gmtime_r(&t, &tm);
		if (r.expires)
			strftime(expires, sizeof(expires), "%FT%TZ", &tm);
		snprintf(line, sizeof(line), "%s,%s,%s,%s,%u,%s,r%u\n", tg_record_kind_name(r.kind),
			 number, tg_record_role_name(r.roles), tg_category_name(r.category),
			 r.score, expires, i % 3);
		strncat(text, line, sizeof(text) - strlen(text) - 1);
	}
	assert_int_equal(tg_test_import(l, naive_names[source],
					replace ? TG_IMPORT_REPLACE : TG_IMPORT_ADD, text, NULL,
					NULL),
			 0);
}

static void random_step(struct tg_ledger *l, struct naive *m, uint64_t *seed)
{
	const struct tg_record r = random_record(seed);

	switch (tg_test_random(seed) % 4) {
	case 0:
		random_import(l, m, seed);
		break;
	case 1:
		assert_int_equal(tg_ledger_del(l, &r, NULL),
				 naive_del(m, &r, NAIVE_SOURCES) ? 0 : -ENOENT);
		break;
	default:
		assert_int_equal(tg_ledger_add(l, &r, NULL), 0);
		naive_set(m, &r, NAIVE_SOURCES);
	}
}

static void check_lookups(struct tg_ledger *l, const struct naive *m)
{
	unsigned i;

	for (i = 0; i < 60; i++) {
		char number[16];

		snprintf(number, sizeof(number), i < 50 ? "+%u" : "%u",
			 i < 50 ? 1202545 + i : 60 + i);
		assert_int_equal(tg_test_listing(l, number, NOW),
				 naive_listing(m, number + (i < 50), i < 50, NOW));
	}
}

/* The model's numbers, counted from scratch. */
static void check_counts(struct tg_ledger *l, const struct naive *m)
{
	uint64_t kinds[TG_RECORD_KIND_COUNT] = { 0 };
	struct tg_ledger_status st;
	size_t i, k;

	for (i = 0; i < m->n; i++) {
		struct tg_record r = m->claim[i].r;

		for (k = 0; k < i; k++) {
			r.roles = m->claim[k].r.roles;
			if (same_claim(&m->claim[k].r, &r))
				break;
		}
		kinds[r.kind] += k == i;
	}
	tg_ledger_status(l, &st);
	assert_int_equal(st.n_claims, m->n);
	assert_int_equal(st.n_numbers, kinds[TG_RECORD_EXACT]);
	assert_int_equal(st.n_ranges, kinds[TG_RECORD_PREFIX] + kinds[TG_RECORD_RANGE]);
	assert_int_equal(st.n_shorts, kinds[TG_RECORD_SHORT]);
}

/* An image's exact part as a map. */
struct exact {
	uint64_t value[4096];
	uint32_t listing[4096];
	size_t n;
};

static void apply_input(struct exact *e, const struct tg_build_input *in)
{
	size_t i, k;

	for (i = 0; i < in->n_numbers; i++) {
		for (k = 0; k < e->n && e->value[k] != in->numbers[i].value; k++)
			;
		assert_true(k < TG_ARRAY_LEN(e->value));
		e->value[k] = in->numbers[i].value;
		e->listing[k] = in->numbers[i].listing == TG_LISTING_TOMBSTONE
					? 0
					: in->numbers[i].listing;
		if (k == e->n)
			e->n++;
	}
}

static uint32_t exact_of(const struct exact *e, uint64_t value)
{
	size_t k;

	for (k = 0; k < e->n; k++)
		if (e->value[k] == value)
			return e->listing[k];
	return 0;
}

/* base + delta says of every exact number what a base made now would say; the same for the ranges. */
static void check_delta(struct tg_ledger *l, const struct tg_ledger_snapshot *base,
			int64_t base_time)
{
	struct tg_ledger_snapshot now, delta;
	struct exact *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));
	const struct tg_build_input *ranges;
	uint64_t v;

	assert_int_equal(tg_ledger_snapshot_base(l, NOW, &now, NULL), 0);
	assert_int_equal(tg_ledger_snapshot_delta(l, base->batch, base_time, NOW, &delta, NULL), 0);
	assert_int_equal(delta.input.kind, TG_IMAGE_DELTA);
	assert_int_equal(delta.batch, now.batch);
	apply_input(a, &base->input);
	apply_input(a, &delta.input);
	apply_input(b, &now.input);
	for (v = 1202540; v < 1202600; v++)
		assert_int_equal(exact_of(a, v), exact_of(b, v));
	ranges = delta.input.replaces_ranges ? &delta.input : &base->input;
	assert_int_equal(ranges->n_intervals, now.input.n_intervals);
	assert_int_equal(ranges->n_shorts, now.input.n_shorts);
	if (ranges->n_intervals > 0)
		assert_memory_equal(ranges->intervals, now.input.intervals,
				    ranges->n_intervals * sizeof(*ranges->intervals));
	if (ranges->n_shorts > 0)
		assert_memory_equal(ranges->shorts, now.input.shorts,
				    ranges->n_shorts * sizeof(*ranges->shorts));
	if (!delta.input.replaces_ranges)
		assert_int_equal(delta.input.n_intervals + delta.input.n_shorts, 0);
	tg_ledger_snapshot_free(&now);
	tg_ledger_snapshot_free(&delta);
	free(a);
	free(b);
}

TG_TEST(TB_9_ledger_agrees_with_a_naive_merge, TG_NEEDS_NOTHING)
{
	uint64_t seed;

	for (seed = 1; seed <= 6; seed++) {
		struct naive *m = calloc(1, sizeof(*m));
		char *const dir = tg_test_dir();
		struct tg_ledger *l = tg_test_ledger(dir);
		struct tg_ledger_snapshot base;
		uint64_t random = seed * 0x9e3779b97f4a7c15ull;
		unsigned i;

		assert_int_equal(tg_ledger_snapshot_base(l, NOW - 2, &base, NULL), 0);
		for (i = 0; i < 60; i++) {
			random_step(l, m, &random);
			if (i % 10 == 0) {
				check_lookups(l, m);
				check_counts(l, m);
				check_delta(l, &base, NOW - 2);
			}
			if (i == 30) {
				tg_ledger_snapshot_free(&base);
				assert_int_equal(tg_ledger_snapshot_base(l, NOW - 2, &base, NULL),
						 0);
			}
			if (i % 20 == 15) {
				tg_ledger_close(l);
				l = tg_test_ledger(dir);
				check_counts(l, m);
			}
		}
		check_lookups(l, m);
		check_counts(l, m);
		check_delta(l, &base, NOW - 2);
		tg_ledger_snapshot_free(&base);
		tg_ledger_close(l);
		tg_test_dir_remove(dir);
		free(m);
	}
}
