/* SPDX-License-Identifier: BSD-3-Clause */
/* Base and delta from a real ledger; and single numbers while a large import waits for its base. */
#include "control/latest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/support/tg_test.h"

#define MANY 20000 /* more than the ledger tells in a delta */

struct fixture {
	char dir[64];
	struct tg_ledger *ledger;
	struct tg_latest latest;
	struct tg_error err;
	int64_t now;
};

static void open_fixture(struct fixture *f, uint64_t fold)
{
	*f = (struct fixture){ .dir = "/tmp/tg-latest-XXXXXX", .now = time(NULL) };
	assert_non_null(mkdtemp(f->dir));
	assert_int_equal(tg_ledger_open(f->dir, &f->ledger, &f->err), 0);
	f->latest.ledger = f->ledger;
	f->latest.fold = fold;
}

static void close_fixture(struct fixture *f)
{
	char command[128];

	tg_latest_clear(&f->latest);
	tg_ledger_close(f->ledger);
	snprintf(command, sizeof(command), "rm -r '%s'", f->dir);
	assert_int_equal(system(command), 0);
}

static void new_base(struct fixture *f)
{
	struct tg_latest_base base;

	assert_int_equal(tg_latest_build_base(f->ledger, f->now, &base, &f->err), 0);
	tg_latest_set_base(&f->latest, &base);
}

static struct tg_record exact(uint64_t number, const char *score)
{
	const struct tg_record_text text = { "exact", NULL, "any", "fraud", score, "", "" };
	struct tg_record_text t = text;
	struct tg_record r;
	struct tg_error err;
	char plus[32];

	snprintf(plus, sizeof(plus), "+%llu", (unsigned long long)number);
	t.number = plus;
	assert_int_equal(tg_record_parse(&t, false, &r, &err), 0);
	return r;
}

/* What a dataplane would say as caller: the score, 0 = not listed. */
static unsigned score_of(const struct fixture *f, uint64_t number)
{
	const struct tg_latest *l = &f->latest;
	const struct tg_num num = tg_num_make(TG_NUM_E164, 11, number);
	struct tg_table_adapt adapt = { 0 };
	uint32_t listing = 0;

	tg_table_lookup_burst(&l->base->table, l->delta ? &l->delta->table : NULL, &adapt, &num, 1,
			      &listing);
	return tg_slot_score(tg_listing_side(listing, TG_SIDE_CALLER));
}

static bool add(struct fixture *f, uint64_t number, const char *score)
{
	const struct tg_record r = exact(number, score);

	assert_int_equal(tg_ledger_add(f->ledger, &r, &f->err), 0);
	return tg_latest_touch(&f->latest, &r, f->now);
}

static void refresh(struct fixture *f)
{
	assert_int_equal(tg_latest_refresh(&f->latest, f->now, &f->err), 0);
	assert_false(f->latest.dirty);
}

static void import_many(struct fixture *f, const char *expires)
{
	const struct tg_import import = { .source = "bulk", .file = "bulk.csv", .force = true };
	struct tg_import_result result;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size), *in;
	unsigned i;

	fputs("kind,number,role,category,score,expires,ref\n", out);
	for (i = 50000; i < 50000 + MANY; i++)
		fprintf(out, "exact,+120255%05u,any,fraud,60,%s,\n", i, expires);
	fclose(out);
	in = fmemopen(text, size, "r");
	assert_int_equal(tg_ledger_import(f->ledger, in, &import, &result, &f->err), 0);
	fclose(in);
	free(text);
}

TG_TEST(latest_delta_over_base, TG_NEEDS_NOTHING)
{
	struct fixture f;

	open_fixture(&f, 100);
	assert_true(tg_latest_wants_base(&f.latest)); /* there is none */
	new_base(&f);
	refresh(&f);
	assert_null(f.latest.delta); /* nothing changed: no delta */
	assert_true(add(&f, 12025550001, "91"));
	refresh(&f);
	assert_int_equal(score_of(&f, 12025550001), 91);
	assert_true(f.latest.delta->header->base_id == f.latest.base->id);
	new_base(&f);
	refresh(&f);
	assert_null(f.latest.delta);
	assert_int_equal(score_of(&f, 12025550001), 91);
	close_fixture(&f);
}

TG_TEST(latest_folds_from_so_many_on, TG_NEEDS_NOTHING)
{
	struct fixture f;
	unsigned i;

	open_fixture(&f, 3);
	new_base(&f);
	for (i = 0; i < 4; i++) {
		refresh(&f);
		assert_false(tg_latest_wants_base(&f.latest));
		assert_true(add(&f, 12025550001 + i, "91"));
	}
	refresh(&f);
	assert_true(tg_latest_wants_base(&f.latest));
	new_base(&f);
	refresh(&f);
	assert_false(tg_latest_wants_base(&f.latest));
	assert_int_equal(score_of(&f, 12025550004), 91);
	close_fixture(&f);
}

TG_TEST(latest_single_numbers_do_not_wait_for_a_base, TG_NEEDS_NOTHING)
{
	struct tg_memimage *delta;
	struct tg_latest_base base;
	struct tg_record r;
	struct fixture f;

	open_fixture(&f, 65536);
	new_base(&f);
	assert_true(add(&f, 12025550001, "91"));
	assert_true(add(&f, 12025550002, "92"));
	refresh(&f);
	import_many(&f, "");
	f.latest.dirty = true;
	assert_true(tg_latest_wants_base(&f.latest));

	/* Nothing to show yet: the delta stays the very same, no new one says the same again. */
	delta = f.latest.delta;
	refresh(&f);
	assert_ptr_equal(f.latest.delta, delta);

	/* Added, changed, taken out: at once, and what the delta said otherwise stays. */
	assert_true(add(&f, 12125550003, "93"));
	assert_true(add(&f, 12025550001, "94"));
	r = exact(12025550002, "92");
	assert_int_equal(tg_ledger_del(f.ledger, &r, &f.err), 0);
	assert_true(tg_latest_touch(&f.latest, &r, f.now));
	refresh(&f);
	assert_int_equal(score_of(&f, 12125550003), 93);
	assert_int_equal(score_of(&f, 12025550001), 94);
	assert_int_equal(score_of(&f, 12025550002), 60); /* the import's word on it, merged */
	assert_int_equal(score_of(&f, 12025550003), 0);	 /* the rest comes with the base */

	/* A prefix is not laid over: it waits. */
	r.kind = TG_RECORD_PREFIX;
	assert_false(tg_latest_touch(&f.latest, &r, f.now));

	/* A number that comes while the base is being built outlives the switch. */
	assert_int_equal(tg_latest_build_base(f.ledger, f.now, &base, &f.err), 0);
	assert_true(add(&f, 12125550004, "95"));
	tg_latest_set_base(&f.latest, &base);
	assert_int_equal(f.latest.n_overlay, 1);
	refresh(&f);
	assert_int_equal(score_of(&f, 12125550004), 95);
	assert_int_equal(score_of(&f, 12125550003), 93);
	assert_int_equal(score_of(&f, 12025550003), 60);
	assert_false(tg_latest_wants_base(&f.latest));
	assert_int_equal(f.latest.n_overlay, 0); /* the ledger tells it all again */
	close_fixture(&f);
}

TG_TEST(latest_keeps_an_earlier_daemons_delta_until_the_base, TG_NEEDS_NOTHING)
{
	struct tg_memimage *delta;
	struct fixture f;

	open_fixture(&f, 65536);
	new_base(&f);
	assert_true(add(&f, 12025550001, "91"));
	refresh(&f);
	import_many(&f, "");
	/* As after a restart: base and delta from disk, nothing that the delta was built of. */
	tg_ledger_snapshot_free(&f.latest.snapshot);
	f.latest.has_snapshot = false;
	delta = f.latest.delta;
	assert_false(add(&f, 12125550003, "93"));
	refresh(&f);
	assert_ptr_equal(f.latest.delta, delta);
	new_base(&f);
	refresh(&f);
	assert_int_equal(score_of(&f, 12125550003), 93);
	assert_int_equal(score_of(&f, 12025550001), 91);
	close_fixture(&f);
}

/* A number in the delta is what the base and all deltas since make of it. */
static void expect_as_ledger(struct fixture *f, uint64_t number)
{
	const struct tg_num num = tg_num_make(TG_NUM_E164, 11, number);
	struct tg_claim *claims;
	uint32_t listing;
	size_t n;

	assert_int_equal(tg_ledger_lookup(f->ledger, num, f->now, &claims, &n, &listing, &f->err),
			 0);
	free(claims);
	assert_int_equal(score_of(f, number),
			 tg_slot_score(tg_listing_side(listing, TG_SIDE_CALLER)));
}

static void change_something(struct fixture *f, uint64_t x)
{
	struct tg_record r = exact(12025550000 + x % 40, "50");

	r.score = (uint8_t)(1 + (x >> 8) % 100);
	if (x >> 16 & 1)
		r.expires = f->now + 1 + (int64_t)(x >> 20) % 4;
	switch (x >> 24 & 7) {
	case 0: /* a prefix of nine digits: all ten numbers below it */
		r.kind = TG_RECORD_PREFIX;
		r.digits = 10;
		r.lo = r.hi = r.lo / 10;
		/* fall through */
	default:
		assert_int_equal(tg_ledger_add(f->ledger, &r, &f->err), 0);
		break;
	case 1:
	case 2:
		(void)tg_ledger_del(f->ledger, &r, &f->err);
		break;
	case 3:
		f->now += 1;
		break;
	}
	f->latest.dirty = true;
}

TG_TEST(latest_deltas_carry_on_what_the_ones_before_said, TG_NEEDS_NOTHING)
{
	uint64_t x = 88172645463325252ull;
	struct fixture f;
	unsigned i, k;

	open_fixture(&f, 65536);
	new_base(&f);
	for (i = 0; i < 600; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		change_something(&f, x);
		if (i % 3 == 0)
			continue;
		refresh(&f);
		for (k = 0; k < 40; k++)
			expect_as_ledger(&f, 12025550000 + k);
		if (i % 100 == 50)
			new_base(&f);
	}
	close_fixture(&f);
}

/* Too much to tell in a delta, though no batch touched it: it takes a base, and asks for it. */
TG_TEST(latest_mass_expiry_asks_for_a_base, TG_NEEDS_NOTHING)
{
	struct fixture f;

	open_fixture(&f, 65536);
	import_many(&f, "2040-01-01T00:00:00Z");
	new_base(&f);
	refresh(&f);
	assert_int_equal(score_of(&f, 12025550002), 60);
	assert_false(tg_latest_wants_base(&f.latest));
	f.now = 2208988800; /* that very second */
	f.latest.dirty = true;
	refresh(&f);
	assert_true(tg_latest_wants_base(&f.latest));
	new_base(&f);
	refresh(&f);
	assert_false(tg_latest_wants_base(&f.latest));
	assert_int_equal(score_of(&f, 12025550002), 0);
	close_fixture(&f);
}
