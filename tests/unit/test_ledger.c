/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/support/ledger_test.h"
#include "tests/support/tg_test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW 1800000000 /* 2027-01-15 */

static uint32_t both(enum tg_category category, unsigned score)
{
	const uint32_t slot = tg_listing_slot(category, score);

	return tg_listing_make(slot, slot);
}

static uint32_t caller(enum tg_category category, unsigned score)
{
	return tg_listing_make(tg_listing_slot(category, score), 0);
}

TG_TEST(ledger_import_lookup_and_reopen, TG_NEEDS_NOTHING)
{
	char *const dir = tg_test_dir();
	struct tg_ledger *l = tg_test_ledger(dir);
	struct tg_ledger_status before, after;
	struct tg_import_result result;
	struct tg_claim *claims;
	uint32_t listing;
	size_t n;
	const struct tg_num num = tg_num_make(TG_NUM_E164, 12, 959771234567);

	assert_int_equal(tg_test_import(l, "police", TG_IMPORT_REPLACE,
					"exact,+959771234567,caller,fraud,95,,case-17\n"
					"prefix,+9597,caller,wangiri,60,,\n"
					"range,+959771000000-+959771999999,called,irsf,70,,r\n"
					"exact,995,called,emergency,0,,\n",
					&result, NULL),
			 0);
	assert_int_equal(result.batch, 1);
	assert_int_equal(result.records, 4);
	assert_int_equal(result.added, 4);
	tg_ledger_status(l, &before);
	assert_int_equal(before.n_claims, 4);
	assert_int_equal(before.n_numbers, 1);
	assert_int_equal(before.n_ranges, 2);
	assert_int_equal(before.n_shorts, 1);
	tg_ledger_close(l);

	l = tg_test_ledger(dir);
	tg_ledger_status(l, &after);
	assert_memory_equal(&before, &after, sizeof(before));
	assert_int_equal(tg_ledger_lookup(l, num, NOW, &claims, &n, &listing, NULL), 0);
	assert_int_equal(n, 3);
	assert_string_equal(claims[0].record.ref, "case-17");
	assert_string_equal(claims[0].source, "police");
	assert_true(claims[0].decides[TG_SIDE_CALLER]);
	assert_false(claims[0].decides[TG_SIDE_CALLED]);
	assert_int_equal(claims[1].record.kind, TG_RECORD_RANGE);
	assert_true(claims[1].decides[TG_SIDE_CALLED]);
	assert_int_equal(claims[2].record.kind, TG_RECORD_PREFIX);
	assert_false(claims[2].decides[TG_SIDE_CALLER]);
	assert_int_equal(listing, (tg_listing_make(tg_listing_slot(TG_CATEGORY_FRAUD, 95),
						   tg_listing_slot(TG_CATEGORY_IRSF, 70)) |
				   TG_LISTING_CALLED_BY_RANGE));
	free(claims);
	assert_int_equal(tg_test_listing(l, "995", NOW),
			 tg_listing_make(0, tg_listing_slot(TG_CATEGORY_EMERGENCY, 0)));
	assert_int_equal(tg_test_listing(l, "+959", NOW), 0);
	assert_int_equal(tg_test_listing(l, "+9597", NOW),
			 (caller(TG_CATEGORY_WANGIRI, 60) | TG_LISTING_CALLER_BY_RANGE));
	tg_ledger_close(l);
	tg_test_dir_remove(dir);
}

TG_TEST(ledger_replace_takes_the_difference, TG_NEEDS_NOTHING)
{
	char *const dir = tg_test_dir();
	struct tg_ledger *l = tg_test_ledger(dir);
	struct tg_import_result r;

	assert_int_equal(tg_test_import(l, "a", TG_IMPORT_REPLACE,
					"exact,+12025550100,any,fraud,95,,one\n"
					"exact,+12025550101,any,fraud,95,,one\n"
					"exact,+12025550102,any,fraud,95,,\n"
					"exact,+12025550103,any,fraud,95,,one\n",
					&r, NULL),
			 0);
	assert_int_equal(tg_test_import(l, "b", TG_IMPORT_REPLACE,
					"exact,+12025550101,any,spam,95,,one\n", &r, NULL),
			 0);
	/* Same; another reference; a reference where there was none; another score; one gone. */
	assert_int_equal(tg_test_import(l, "a", TG_IMPORT_REPLACE,
					"exact,+12025550103,any,fraud,94,,one\n"
					"exact,+12025550100,any,fraud,95,,one\n"
					"exact,+12025550102,any,fraud,95,,two\n"
					"exact,+12025550104,any,fraud,95,,\n",
					&r, NULL),
			 0);
	assert_int_equal(r.records, 4);
	assert_int_equal(r.added, 1);
	assert_int_equal(r.changed, 2);
	assert_int_equal(r.removed, 1);
	assert_int_equal(tg_test_listing(l, "+12025550100", NOW), both(TG_CATEGORY_FRAUD, 95));
	assert_int_equal(tg_test_listing(l, "+12025550101", NOW), both(TG_CATEGORY_SPAM, 95));
	assert_int_equal(tg_test_listing(l, "+12025550103", NOW), both(TG_CATEGORY_FRAUD, 94));
	/* Adding changes and adds, and leaves the rest. */
	assert_int_equal(tg_test_import(l, "a", TG_IMPORT_ADD,
					"exact,+12025550103,any,fraud,94,,one\n"
					"exact,+12025550105,any,scam,1,,\n",
					&r, NULL),
			 0);
	assert_int_equal(r.added, 1);
	assert_int_equal(r.changed, 0);
	assert_int_equal(r.removed, 0);
	assert_int_equal(tg_test_listing(l, "+12025550100", NOW), both(TG_CATEGORY_FRAUD, 95));
	/* An empty feed withdraws all of its source: no error (TB-15), and nobody else's. */
	assert_int_equal(tg_test_import(l, "a", TG_IMPORT_REPLACE, "", &r, NULL), 0);
	assert_int_equal(r.removed, 5);
	assert_int_equal(tg_test_listing(l, "+12025550100", NOW), 0);
	assert_int_equal(tg_test_listing(l, "+12025550101", NOW), both(TG_CATEGORY_SPAM, 95));
	tg_ledger_close(l);
	tg_test_dir_remove(dir);
}

TG_TEST(ledger_single_numbers, TG_NEEDS_NOTHING)
{
	char *const dir = tg_test_dir();
	struct tg_ledger *l = tg_test_ledger(dir);
	const struct tg_record r = tg_test_record("exact,+12025550100,caller,fraud,95,,by hand");
	const struct tg_record other = tg_test_record("exact,+12025550100,any,fraud,95,,");
	struct tg_claim *claims;
	struct tg_error err;
	uint32_t listing;
	size_t n;

	assert_int_equal(tg_ledger_del(l, &r, &err), -ENOENT);
	assert_non_null(strstr(err.text, "no record exact +12025550100 for role caller"));
	assert_int_equal(tg_ledger_add(l, &r, &err), 0);
	assert_int_equal(tg_test_listing(l, "+12025550100", NOW), caller(TG_CATEGORY_FRAUD, 95));
	assert_int_equal(tg_ledger_del(l, &other, &err), -ENOENT);
	assert_int_equal(tg_ledger_lookup(l, tg_num_make(TG_NUM_E164, 11, 12025550100), NOW,
					  &claims, &n, &listing, &err),
			 0);
	assert_int_equal(n, 1);
	assert_string_equal(claims[0].record.ref, "by hand");
	assert_string_equal(claims[0].source, TG_SOURCE_OPERATOR);
	free(claims);
	assert_int_equal(tg_ledger_del(l, &r, &err), 0);
	assert_int_equal(tg_test_listing(l, "+12025550100", NOW), 0);
	assert_int_equal(tg_ledger_del(l, &r, &err), -ENOENT);
	tg_ledger_close(l);
	l = tg_test_ledger(dir);
	assert_int_equal(tg_test_listing(l, "+12025550100", NOW), 0);
	assert_int_equal(tg_ledger_verify(l, &err), 0);
	tg_ledger_close(l);
	tg_test_dir_remove(dir);
}

static FILE *many(unsigned first, unsigned n, unsigned score)
{
	FILE *f = tmpfile();
	unsigned i;

	fputs(TG_TEST_FEED_HEADER, f);
	for (i = first; i < first + n; i++)
		fprintf(f, "exact,+1202%07u,caller,fraud,%u,,many-%u\n", i, score, i / 7);
	rewind(f);
	return f;
}

static int import_many(struct tg_ledger *l, const char *source, unsigned first, unsigned n,
		       bool force, struct tg_error *err)
{
	const struct tg_import im = { .source = source, .file = "many.csv", .force = force };
	struct tg_import_result result;
	FILE *f = many(first, n, 90);
	const int rc = tg_ledger_import(l, f, &im, &result, err);

	fclose(f);
	return rc;
}

/* Architecture §11: 20 % more or fewer needs force; the first import and small tables are free. Both
 * ways of taking a batch (over the base, as a new base) keep the rule. */
TG_TEST(ledger_large_changes_need_force, TG_NEEDS_NOTHING)
{
	const unsigned sizes[] = { 1000, 20000 };
	struct tg_error err;
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(sizes); i++) {
		const unsigned n = sizes[i];
		char *const dir = tg_test_dir();
		struct tg_ledger *l = tg_test_ledger(dir);
		struct tg_ledger_status before, after;

		assert_int_equal(import_many(l, "a", 0, n, false, &err), 0);
		assert_int_equal(import_many(l, "b", n, n / 5, false, &err), 0);
		tg_ledger_status(l, &before);
		assert_int_equal(before.n_numbers, n + n / 5);
		assert_int_equal(import_many(l, "c", n + n / 5, n, false, &err), -EPERM);
		assert_non_null(strstr(err.text, "20 %"));
		assert_int_equal(import_many(l, "a", 0, 1, false, &err), -EPERM);
		/* Numbers that stand already under another source change nothing. */
		assert_int_equal(import_many(l, "d", 0, n, false, &err), 0);
		tg_ledger_status(l, &after);
		assert_int_equal(after.n_numbers, before.n_numbers);
		assert_int_equal(after.n_claims, before.n_claims + n);
		assert_int_equal(after.batch, 3);
		assert_int_equal(import_many(l, "c", 2 * n, n, true, &err), 0);
		tg_ledger_close(l);
		tg_test_dir_remove(dir);
	}
}

TG_TEST(ledger_refuses_bad_input_whole, TG_NEEDS_NOTHING)
{
	static const char *const names[] = { "", "Police", "a b", "operator",
					     "12345678901234567890123456789012" };
	char *const dir = tg_test_dir();
	struct tg_ledger *l = tg_test_ledger(dir);
	struct tg_ledger_status st;
	struct tg_error err;
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(names); i++)
		assert_int_equal(tg_test_import(l, names[i], TG_IMPORT_REPLACE, "", NULL, &err),
				 -EINVAL);
	assert_int_equal(tg_test_import(l, "a", TG_IMPORT_REPLACE,
					"exact,+12025550100,any,fraud,95,,\n"
					"exact,+12025550101,any,froud,95,,\n",
					NULL, &err),
			 -EINVAL);
	assert_int_equal(err.line, 3);
	assert_int_equal(err.column, 24);
	assert_int_equal(tg_test_import(l, "a", TG_IMPORT_REPLACE,
					"exact,+12025550100,any,fraud,95,,\n"
					"exact,+12025550100,caller,fraud,95,,\n",
					NULL, &err),
			 -EEXIST);
	assert_int_equal(err.line, 3);
	tg_ledger_status(l, &st);
	assert_int_equal(st.batch, 0);
	assert_int_equal(st.n_claims, 0);
	assert_int_equal(st.n_sources, 1);
	tg_ledger_close(l);
	tg_test_dir_remove(dir);
}

/* A batch that comes with a new base: its references and batch number are right at once and after a
 * restart, and the same feed once more changes nothing. */
TG_TEST(ledger_large_batches_keep_references, TG_NEEDS_NOTHING)
{
	char *const dir = tg_test_dir();
	struct tg_ledger *l = tg_test_ledger(dir);
	unsigned i;

	assert_int_equal(import_many(l, "first", 0, 10, false, NULL), 0);
	for (i = 0; i < 3; i++) {
		const struct tg_import im = { .source = "a", .file = "many.csv" };
		struct tg_import_result result;
		struct tg_claim *claims;
		uint32_t listing;
		FILE *f = many(0, 20000, 90);
		size_t n;

		assert_int_equal(tg_ledger_import(l, f, &im, &result, NULL), 0);
		fclose(f);
		assert_int_equal(result.batch, 2 + i);
		assert_int_equal(result.added, i == 0 ? 20000 : 0);
		assert_int_equal(result.changed, 0);
		assert_int_equal(result.removed, 0);
		assert_int_equal(tg_ledger_lookup(l, tg_num_make(TG_NUM_E164, 11, 12020015555), NOW,
						  &claims, &n, &listing, NULL),
				 0);
		assert_int_equal(n, 1);
		assert_int_equal(claims[0].batch, 2);
		assert_string_equal(claims[0].record.ref, "many-2222");
		free(claims);
		if (i == 1) {
			tg_ledger_close(l);
			l = tg_test_ledger(dir);
		}
	}
	tg_ledger_close(l);
	tg_test_dir_remove(dir);
}

static bool cancel_at(void *ctx, const char *phase, uint64_t done, uint64_t total)
{
	(void)done;
	(void)total;
	return strcmp(phase, ctx) != 0;
}

/* TB-10: in whatever phase an import is cancelled, nothing of it is left. */
TG_TEST(TB_10_imports_can_be_cancelled, TG_NEEDS_NOTHING)
{
	static const char *const phases[] = { "read", "check", "write" };
	char *const dir = tg_test_dir();
	struct tg_ledger *l = tg_test_ledger(dir);
	struct tg_ledger_status st;
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(phases); i++) {
		const struct tg_import im = { .source = "a",
					      .file = "many.csv",
					      .progress = cancel_at,
					      .ctx = (void *)(uintptr_t)phases[i] };
		struct tg_import_result result;
		struct tg_error err;
		FILE *f = many(0, 20000, 90);

		assert_int_equal(tg_ledger_import(l, f, &im, &result, &err), -ECANCELED);
		fclose(f);
		tg_ledger_status(l, &st);
		assert_int_equal(st.batch, 0);
		assert_int_equal(st.n_claims, 0);
	}
	tg_ledger_close(l);
	tg_test_dir_remove(dir);
}
