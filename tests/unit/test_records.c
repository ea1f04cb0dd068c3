/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/support/tg_test.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/merge.h"
#include "control/records.h"

#define HEADER "kind,number,role,category,score,expires,ref\n"

static int load_text(const char *lines, struct tg_records *records, struct tg_error *err)
{
	const struct tg_feed_options opt = { .force = true };
	char text[4096];
	FILE *f;
	int rc;

	snprintf(text, sizeof(text), HEADER "%s", lines);
	f = fmemopen(text, strlen(text), "r");
	assert_non_null(f);
	memset(err, 0, sizeof(*err));
	rc = tg_records_load_feed(f, &opt, records, err);
	fclose(f);
	return rc;
}

TG_TEST(records_keep_what_the_feed_said, TG_NEEDS_NOTHING)
{
	struct tg_records records;
	char ref[TG_FEED_REF_MAX + 1];
	struct tg_error err;
	struct tg_record r;

	assert_int_equal(
		load_text("exact,999,called,allow,0,,z\n"
			  "range,+85281000000-+85281999999,any,irsf,100,2027-01-01T00:00:00Z,same\n"
			  "prefix,+9597,caller,wangiri,60,,same\n"
			  "exact,+999999999999999,any,emergency,3,9999-12-31T23:59:59Z,\n",
			  &records, &err),
		0);
	assert_int_equal(records.n, 4);
	tg_row_unpack(&records.rows[0], &r);
	assert_int_equal(r.lo, 999999999999999);
	assert_int_equal(r.hi, 999999999999999);
	assert_int_equal(r.digits, 15);
	assert_int_equal(r.expires, 253402300799);
	assert_int_equal(r.category, TG_CATEGORY_EMERGENCY);
	assert_int_equal(records.rows[0].batch, 5);
	tg_records_ref(&records, &records.rows[0], ref);
	assert_string_equal(ref, "");
	tg_row_unpack(&records.rows[2], &r);
	assert_int_equal(r.kind, TG_RECORD_RANGE);
	assert_int_equal(r.lo, 85281000000);
	assert_int_equal(r.hi, 85281999999);
	assert_int_equal(r.roles, TG_RECORD_ANY);
	assert_int_equal(r.score, 100);
	tg_records_ref(&records, &records.rows[2], ref);
	assert_string_equal(ref, "same");
	tg_records_ref(&records, &records.rows[1], ref);
	assert_string_equal(ref, "same");
	assert_int_equal(records.refs_len, 7); /* "z" and one "same" */
	tg_records_free(&records);
}

/* TB-9: in one file a contradiction is a mistake; both places are named. */
TG_TEST(TB_9_duplicates_name_both_lines, TG_NEEDS_NOTHING)
{
	static const struct {
		const char *lines;
		uint64_t line; /* 0 = no duplicate */
		const char *text;
	} cases[] = {
		{ "exact,+12025550100,caller,scam,80,,\nexact,+12025550100,called,scam,80,,\n", 0,
		  "" },
		{ "exact,+12025550100,caller,scam,80,,\nexact,+12025550100,caller,fraud,1,,x\n", 3,
		  "exact +12025550100 for role caller is also on line 2 (role caller)" },
		{ "exact,+12025550100,any,scam,80,,\n\nexact,+12025550100,caller,scam,80,,\n", 4,
		  "exact +12025550100 for role caller is also on line 2 (role any), and any is "
		  "both" },
		{ "exact,+12025550100,called,scam,80,,\nexact,+12025550100,any,scam,80,,\n", 3,
		  "for role any is also on line 2 (role called)" },
		{ "exact,+12025550100,called,scam,80,,\nexact,+12025550100,caller,scam,80,,\n"
		  "exact,+12025550100,any,scam,80,,\n",
		  4, "for role any is also on line" },
		{ "exact,0123,any,scam,80,,\nexact,123,any,scam,80,,\n", 0, "" },
		{ "exact,1202,any,scam,80,,\nexact,+1202,any,scam,80,,\nprefix,+1202,any,scam,80,,"
		  "\n"
		  "range,+1202-+1202,any,scam,80,,\n",
		  0, "" },
		{ "range,+12020000-+12029999,any,scam,80,,\nrange,+12020000-+12029998,any,scam,80,,"
		  "\n",
		  0, "" },
		{ "range,+12020000-+12029999,any,scam,80,,\nrange,+12020000-+12029998,any,scam,80,,"
		  "\n"
		  "range,+12020000-+12029999,caller,scam,80,,\n",
		  4, "range +12020000-+12029999 for role caller is also on line 2" },
		{ "prefix,+1202,any,scam,80,,\nprefix,+1202,any,scam,80,,\n", 3,
		  "prefix +1202 for role any is also on line 2" },
	};
	struct tg_records records;
	struct tg_error err;
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		const int rc = load_text(cases[i].lines, &records, &err);

		if (rc != (cases[i].line ? -EEXIST : 0) || err.line != cases[i].line ||
		    !strstr(err.text, cases[i].text))
			fail_msg("%s: %d %" PRIu64 ": %s", cases[i].lines, rc, err.line, err.text);
		if (rc)
			assert_int_equal(records.n, 0);
		tg_records_free(&records);
	}
}

static int by_order(const void *a, const void *b)
{
	return tg_row_compare(a, b);
}

TG_TEST(records_sort_agrees_with_qsort, TG_NEEDS_NOTHING)
{
	const size_t sizes[] = { 0, 1, 2, 100, 4095, 4096, 50000 };
	uint64_t seed = 7;
	size_t s, i;

	for (s = 0; s < TG_ARRAY_LEN(sizes); s++) {
		const size_t n = sizes[s];
		struct tg_row *rows = calloc(n + 1, sizeof(*rows));
		struct tg_row *same = calloc(n + 1, sizeof(*rows));

		for (i = 0; i < n; i++) {
			const uint64_t x = tg_test_random(&seed);
			const uint64_t lo = x % 7 == 0 ? 1234 : x >> 20;

			rows[i] = (struct tg_row){ .key = (x & 3) << 54 | (x >> 4 & 15) << 50 | lo,
						   .sub = (lo + (x >> 8 & 7)) << 2 | (x >> 12 & 3),
						   .meta = x >> 16 & 3 };
			same[i] = rows[i];
		}
		tg_rows_sort(rows, n);
		qsort(same, n, sizeof(*same), by_order);
		for (i = 0; i < n; i++)
			assert_int_equal(tg_row_compare(&rows[i], &same[i]), 0);
		free(rows);
		free(same);
	}
}

/* "1 in a million": the feed is refused with the place, and nothing of it is kept. */
TG_TEST(records_one_bad_line_in_a_million, TG_NEEDS_NOTHING)
{
	const unsigned n = 1000000, bad = 765432;
	struct tg_records records;
	struct tg_error err;
	FILE *f = tmpfile();
	char at[96];
	unsigned i;

	fputs(HEADER, f);
	for (i = 0; i < n; i++)
		fprintf(f, "exact,+1202%07u,caller,fraud,%s,,\n", i * 7919u % 1000003u,
			i == bad ? "1O0" : "100");
	rewind(f);
	assert_int_equal(tg_records_load_feed(f, NULL, &records, &err), -EINVAL);
	assert_string_equal(
		tg_error_format(&err, "feed.csv", at, sizeof(at)),
		"feed.csv:765434:34: score \"1O0\": it is a whole number from 0 to 100");
	assert_int_equal(records.n, 0);
	assert_null(records.rows);
	fclose(f);
}

TG_TEST(records_build_input, TG_NEEDS_NOTHING)
{
	struct tg_records records;
	struct tg_build_input in;
	struct tg_error err;

	assert_int_equal(load_text("exact,+12025550100,caller,scam,80,,\n"
				   "exact,+12025550100,called,irsf,70,,\n"
				   "exact,+12025550101,any,fraud,90,2020-01-01T00:00:00Z,\n"
				   "exact,0123,any,allow,0,,\n"
				   "range,+85281000000-+85281999999,called,irsf,100,,\n"
				   "prefix,+9597,caller,wangiri,60,,\n",
				   &records, &err),
			 0);
	assert_int_equal(tg_records_build_input(&records, 1577836800, &in, &err), 0);
	assert_int_equal(in.kind, TG_IMAGE_BASE);
	assert_int_equal(in.created, 1577836800);
	assert_int_equal(in.n_numbers, 1); /* the other expired at that very second */
	assert_int_equal(in.numbers[0].value, 12025550100);
	assert_int_equal(in.numbers[0].listing,
			 tg_listing_make(tg_listing_slot(TG_CATEGORY_SCAM, 80),
					 tg_listing_slot(TG_CATEGORY_IRSF, 70)));
	assert_int_equal(in.n_shorts, 1);
	assert_int_equal(in.shorts[0].num, tg_num_make(TG_NUM_SHORT, 4, 123).v);
	assert_int_equal(in.n_intervals, 2);
	assert_int_equal(in.intervals[0].lo, 959700000000000);
	assert_int_equal(in.intervals[0].hi, 959799999999999);
	assert_int_equal(in.intervals[0].digits_min, 4);
	assert_int_equal(in.intervals[0].digits_max, 15);
	assert_int_equal(in.intervals[1].lo, 852810000000000);
	assert_int_equal(in.intervals[1].hi, 852819999999999);
	assert_int_equal(in.intervals[1].digits_min, 11);
	assert_int_equal(in.intervals[1].digits_max, 11);
	tg_records_input_free(&in);
	assert_int_equal(tg_records_build_input(&records, 1577836799, &in, &err), 0);
	assert_int_equal(in.n_numbers, 2);
	tg_records_input_free(&in);
	tg_records_free(&records);
}

/* TB-15: an empty feed is a table that lists nothing. */
TG_TEST(TB_15_empty_feed_is_an_empty_table, TG_NEEDS_NOTHING)
{
	struct tg_records records;
	struct tg_build_input in;
	struct tg_error err;

	assert_int_equal(load_text("", &records, &err), 0);
	assert_int_equal(tg_records_build_input(&records, 0, &in, &err), 0);
	assert_int_equal(in.n_numbers + in.n_intervals + in.n_shorts, 0);
	tg_records_input_free(&in);
	tg_records_free(&records);
}

static struct tg_row claim(unsigned category, unsigned score, unsigned roles, unsigned source)
{
	const struct tg_record r = { .lo = 1234,
				     .hi = 1234,
				     .digits = 4,
				     .roles = (uint8_t)roles,
				     .category = (uint8_t)category,
				     .score = (uint8_t)score };

	return tg_row_pack(&r, source);
}

/* TB-9: each rule of the merge decides a pair; whatever order the claims come in. */
TG_TEST(TB_9_merge_is_deterministic, TG_NEEDS_NOTHING)
{
	static const uint16_t rank[] = { 1, 0 }; /* the second source's name comes first */
	const struct tg_merge_order order = { rank };
	const struct {
		struct tg_row winner, loser;
	} pairs[] = {
		{ claim(TG_CATEGORY_ALLOW, 0, 3, 0), claim(TG_CATEGORY_EMERGENCY, 100, 3, 1) },
		{ claim(TG_CATEGORY_ALLOW, 0, 3, 0), claim(TG_CATEGORY_FRAUD, 100, 3, 1) },
		{ claim(TG_CATEGORY_EMERGENCY, 0, 3, 0), claim(TG_CATEGORY_FRAUD, 100, 3, 1) },
		{ claim(TG_CATEGORY_DNO, 81, 3, 0), claim(TG_CATEGORY_FRAUD, 80, 3, 1) },
		{ claim(TG_CATEGORY_FRAUD, 80, 3, 0), claim(TG_CATEGORY_SCAM, 80, 3, 1) },
		{ claim(TG_CATEGORY_FRAUD, 80, 3, 1), claim(TG_CATEGORY_FRAUD, 80, 3, 0) },
	};
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(pairs); i++) {
		const struct tg_row two[] = { pairs[i].winner, pairs[i].loser };
		const struct tg_row turned[] = { pairs[i].loser, pairs[i].winner };
		const uint32_t slot = tg_listing_slot((enum tg_category)tg_row_category(&two[0]),
						      tg_row_score(&two[0]));

		assert_true(tg_merge_compare(&two[0], &two[1], &order) < 0);
		assert_true(tg_merge_compare(&two[1], &two[0], &order) > 0);
		assert_int_equal(tg_merge_listing(two, 2, 0, &order), tg_listing_make(slot, slot));
		assert_int_equal(tg_merge_listing(turned, 2, 0, &order),
				 tg_listing_make(slot, slot));
	}
}

TG_TEST(records_roles_are_independent, TG_NEEDS_NOTHING)
{
	const struct tg_row rows[] = {
		claim(TG_CATEGORY_FRAUD, 90, TG_RECORD_CALLER, 0),
		claim(TG_CATEGORY_ALLOW, 0, TG_RECORD_CALLED, 1),
		claim(TG_CATEGORY_SPAM, 10, TG_RECORD_ANY, 2),
	};

	assert_int_equal(tg_merge_listing(rows, 3, 0, NULL),
			 tg_listing_make(tg_listing_slot(TG_CATEGORY_FRAUD, 90),
					 tg_listing_slot(TG_CATEGORY_ALLOW, 0)));
}

static size_t load_sample(const char *path, struct tg_records *records)
{
	FILE *f = fopen(path, "r");
	struct tg_error err;

	assert_non_null(f);
	if (tg_records_load_feed(f, NULL, records, &err) != 0)
		fail_msg("%s:%" PRIu64 ":%" PRIu32 ": %s", path, err.line, err.column, err.text);
	fclose(f);
	return records->n;
}

/* Every kind, role and category stands in the sample, and the update really changes something. */
TG_TEST(records_samples_are_complete, TG_NEEDS_NOTHING)
{
	unsigned kinds = 0, roles = 0, categories = 0;
	struct tg_records a, b;
	size_t i;

	load_sample("control/samples/feed.csv", &a);
	load_sample("control/samples/feed-update.csv", &b);
	for (i = 0; i < a.n; i++) {
		kinds |= 1u << tg_row_kind(&a.rows[i]);
		roles |= 1u << tg_row_roles(&a.rows[i]);
		categories |= 1u << tg_row_category(&a.rows[i]);
	}
	assert_int_equal(kinds, (1u << TG_RECORD_KIND_COUNT) - 1);
	assert_int_equal(roles, 1u << 1 | 1u << 2 | 1u << 3);
	assert_int_equal(categories, (1u << TG_CATEGORY_COUNT) - 2);
	assert_true(a.n != b.n || memcmp(a.rows, b.rows, a.n * sizeof(*a.rows)) != 0);
	tg_records_free(&a);
	tg_records_free(&b);
}
