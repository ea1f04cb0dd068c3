/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/support/tg_test.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/feed.h"

#define HEADER "kind,number,role,category,score,expires,ref\n"

struct taken {
	struct tg_record record[8];
	uint64_t line[8];
	size_t n;
};

static int take(void *ctx, const struct tg_record *r, uint64_t line)
{
	struct taken *t = ctx;

	if (t->n < TG_ARRAY_LEN(t->record)) {
		t->record[t->n] = *r;
		t->line[t->n] = line;
	}
	t->n++;
	return 0;
}

static int read_bytes(const void *bytes, size_t len, bool force, struct taken *t,
		      struct tg_error *err)
{
	const struct tg_feed_options opt = { .force = force };
	FILE *f = fmemopen((void *)(uintptr_t)bytes, len, "r");
	int rc;

	assert_non_null(f);
	memset(t, 0, sizeof(*t));
	memset(err, 0, sizeof(*err));
	rc = tg_feed_read(f, &opt, take, t, err);
	fclose(f);
	return rc;
}

static int read_text(const char *text, struct taken *t, struct tg_error *err)
{
	return read_bytes(text, strlen(text), false, t, err);
}

/* One line of a feed and what it says. */
struct good {
	const char *line;
	uint64_t lo, hi;
	int64_t expires;
	uint8_t kind, digits, roles, category, score;
	const char *ref;
};

static const struct good good[] = {
	{ "exact,+959771234567,caller,fraud,95,2027-01-01T00:00:00Z,case-17", 959771234567,
	  959771234567, 1798761600, TG_RECORD_EXACT, 12, TG_RECORD_CALLER, TG_CATEGORY_FRAUD, 95,
	  "case-17" },
	{ "prefix,+9597,caller,wangiri,60,,", 9597, 9597, 0, TG_RECORD_PREFIX, 4, TG_RECORD_CALLER,
	  TG_CATEGORY_WANGIRI, 60, "" },
	{ "range,+85281000000-+85281999999,any,unallocated,100,,", 85281000000, 85281999999, 0,
	  TG_RECORD_RANGE, 11, TG_RECORD_ANY, TG_CATEGORY_UNALLOCATED, 100, "" },
	{ "exact,999,called,emergency,0,,", 999, 999, 0, TG_RECORD_SHORT, 3, TG_RECORD_CALLED,
	  TG_CATEGORY_EMERGENCY, 0, "" },
	{ "exact,000,called,allow,0,,", 0, 0, 0, TG_RECORD_SHORT, 3, TG_RECORD_CALLED,
	  TG_CATEGORY_ALLOW, 0, "" },
	{ "exact,0123,caller,spam,1,,", 123, 123, 0, TG_RECORD_SHORT, 4, TG_RECORD_CALLER,
	  TG_CATEGORY_SPAM, 1, "" },
	{ "exact,123456789012345,caller,spam,1,,", 123456789012345, 123456789012345, 0,
	  TG_RECORD_SHORT, 15, TG_RECORD_CALLER, TG_CATEGORY_SPAM, 1, "" },
	{ "exact,+999999999999999,any,invalid,007,,", 999999999999999, 999999999999999, 0,
	  TG_RECORD_EXACT, 15, TG_RECORD_ANY, TG_CATEGORY_INVALID, 7, "" },
	{ "exact,+1202,any,dno,100,,", 1202, 1202, 0, TG_RECORD_EXACT, 4, TG_RECORD_ANY,
	  TG_CATEGORY_DNO, 100, "" },
	{ "exact,+12025550100,any,scam,80,,\"a, \"\"b\"\" c\"", 12025550100, 12025550100, 0,
	  TG_RECORD_EXACT, 11, TG_RECORD_ANY, TG_CATEGORY_SCAM, 80, "a, \"b\" c" },
	{ "\"exact\",\"+12025550100\",\"any\",\"scam\",\"80\",\"\",\"\"", 12025550100, 12025550100,
	  0, TG_RECORD_EXACT, 11, TG_RECORD_ANY, TG_CATEGORY_SCAM, 80, "" },
	{ "exact,+12025550100,any,scam,80,,caf\xc3\xa9 \xf0\x9f\x93\x9e", 12025550100, 12025550100,
	  0, TG_RECORD_EXACT, 11, TG_RECORD_ANY, TG_CATEGORY_SCAM, 80,
	  "caf\xc3\xa9 \xf0\x9f\x93\x9e" },
	{ "exact,+12025550100,any,scam,80,,"
	  "123456789012345678901234567890123456789012345678901234567890123",
	  12025550100, 12025550100, 0, TG_RECORD_EXACT, 11, TG_RECORD_ANY, TG_CATEGORY_SCAM, 80,
	  "123456789012345678901234567890123456789012345678901234567890123" },
};

static void check_record(const struct good *g, const struct tg_record *r)
{
	assert_int_equal(r->lo, g->lo);
	assert_int_equal(r->hi, g->hi);
	assert_int_equal(r->expires, g->expires);
	assert_int_equal(r->kind, g->kind);
	assert_int_equal(r->digits, g->digits);
	assert_int_equal(r->roles, g->roles);
	assert_int_equal(r->category, g->category);
	assert_int_equal(r->score, g->score);
	assert_string_equal(r->ref, g->ref);
	assert_int_equal(r->ref_len, strlen(g->ref));
}

TG_TEST(feed_good_lines, TG_NEEDS_NOTHING)
{
	static const char *const ends[] = { "", "\n", "\r\n" };
	struct tg_error err;
	struct taken t;
	char text[512];
	size_t i, e;

	for (i = 0; i < TG_ARRAY_LEN(good); i++)
		for (e = 0; e < TG_ARRAY_LEN(ends); e++) {
			snprintf(text, sizeof(text), HEADER "%s%s", good[i].line, ends[e]);
			if (read_text(text, &t, &err) != 0)
				fail_msg("%s: %s", good[i].line, err.text);
			assert_int_equal(t.n, 1);
			assert_int_equal(t.line[0], 2);
			check_record(&good[i], &t.record[0]);
		}
}

/* Wherever the input ends, nothing is read behind it; the result is records or an error, no crash. */
static void read_truncated(void *ctx, const uint8_t *data, size_t len)
{
	struct tg_error err;
	struct taken t;
	int rc;

	(void)ctx;
	if (len == 0)
		return; /* fmemopen refuses it; feed_needs_its_header has the empty feed */
	rc = read_bytes(data, len, true, &t, &err);
	assert_true(rc == 0 || (rc == -EINVAL && err.line > 0 && err.column > 0 && err.text[0]));
	if (rc != 0)
		assert_true(t.n <= TG_ARRAY_LEN(good));
}

TG_TEST(feed_truncated_anywhere, TG_NEEDS_NOTHING)
{
	char text[4096] = HEADER;
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(good); i++) {
		strncat(text, good[i].line, sizeof(text) - strlen(text) - 1);
		strncat(text, "\r\n", sizeof(text) - strlen(text) - 1);
	}
	tg_guard_truncate(text, strlen(text), read_truncated, NULL);
}

TG_TEST(feed_comments_blanks_bom_and_line_numbers, TG_NEEDS_NOTHING)
{
	struct tg_error err;
	struct taken t;

	assert_int_equal(read_text("\xef\xbb\xbf# made by hand\n\n" HEADER "\r\n  \t\n"
				   "#exact,+12025550100,any,scam,80,,\n"
				   "exact,+12025550101,any,scam,80,,\n",
				   &t, &err),
			 0);
	assert_int_equal(t.n, 1);
	assert_int_equal(t.line[0], 7);
	assert_int_equal(t.record[0].lo, 12025550101);
	assert_int_equal(read_text("\xef\xbb\xbf" HEADER, &t, &err), 0);
	assert_int_equal(t.n, 0);
}

struct bad {
	const char *line;
	uint32_t column;
	const char *text; /* part of the message */
};

static const struct bad bad[] = {
	{ "Exact,+12025550100,any,scam,80,,", 1, "kind \"Exact\": it is one of exact" },
	{ ",+12025550100,any,scam,80,,", 1, "kind is empty" },
	{ " exact,+12025550100,any,scam,80,,", 1, "kind \" exact\"" },
	{ "exact,+1202555010x,any,scam,80,,", 18, "number \"+1202555010x\": only digits" },
	{ "exact,+1202555*,any,scam,80,,", 15, "* is not a wildcard" },
	{ "prefix,+1202*,any,scam,80,,", 13, "* is not a wildcard" },
	{ "exact,*,any,scam,80,,", 7, "* is not a wildcard" },
	{ "exact,+1234567890123456,any,scam,80,,", 23, "at most 15 digits" },
	{ "exact,1234567890123456,any,scam,80,,", 22, "at most 15 digits" },
	{ "exact,+120,any,scam,80,,", 7, "at least 4 digits" },
	{ "exact,+,any,scam,80,,", 7, "digits are missing after +" },
	{ "exact,++12025550100,any,scam,80,,", 8, "only digits" },
	{ "exact,+02025550100,any,scam,80,,", 8, "no country code begins with 0" },
	{ "exact,+1 2025550100,any,scam,80,,", 9, "only digits" },
	{ "exact,,any,scam,80,,", 7, "number is empty" },
	{ "exact,0,any,scam,80,,", 7, "number \"0\"" },
	{ "exact,00,any,scam,80,,", 7, "number \"00\"" },
	{ "exact,0000,any,scam,80,,", 7, "number \"0000\"" },
	{ "prefix,,any,scam,80,,", 8, "number is empty" },
	{ "prefix,0,any,scam,80,,", 8, "begins with + and a country code" },
	{ "prefix,00,any,scam,80,,", 8, "begins with + and a country code" },
	{ "prefix,+0,any,scam,80,,", 9, "no country code begins with 0" },
	{ "prefix,+,any,scam,80,,", 8, "digits are missing" },
	{ "prefix,9597,any,scam,80,,", 8, "begins with +" },
	{ "prefix,+959,any,scam,80,,", 8, "fewer than 4 digits" },
	{ "prefix,+1234567890123456,any,scam,80,,", 24, "at most 15 digits" },
	{ "range,+85281000000,any,scam,80,,", 7, "a range is written +first-+last" },
	{ "range,+85281000000-85281999999,any,scam,80,,", 20, "begins with +" },
	{ "range,+85281000000-+8528199999,any,scam,80,,", 20, "same number of digits" },
	{ "range,+85281999999-+85281000000,any,scam,80,,", 20, "not before its first" },
	{ "range,+85281000000-,any,scam,80,,", 20, "begins with +" },
	{ "range,-+85281000000,any,scam,80,,", 7, "begins with +" },
	{ "range,-,any,scam,80,,", 7, "begins with +" },
	{ "range,+852-+853,any,scam,80,,", 7, "at least 4 digits" },
	{ "range,+85281000000-+85281999999-,any,scam,80,,", 32, "only digits" },
	{ "range,,any,scam,80,,", 7, "number is empty" },
	{ "exact,+12025550100,,scam,80,,", 20, "role is empty" },
	{ "exact,+12025550100,both,scam,80,,", 20, "role \"both\": it is one of" },
	{ "exact,+12025550100,any,scams,80,,", 24, "category \"scams\": it is one of" },
	{ "exact,+12025550100,any,none,80,,", 24, "category \"none\"" },
	{ "exact,+12025550100,any,,80,,", 24, "category is empty" },
	{ "exact,+12025550100,any,scam,101,,", 29, "score \"101\"" },
	{ "exact,+12025550100,any,scam,-1,,", 29, "from 0 to 100" },
	{ "exact,+12025550100,any,scam,8.0,,", 30, "whole number" },
	{ "exact,+12025550100,any,scam,0050,,", 29, "whole number" },
	{ "exact,+12025550100,any,scam,99999999999,,", 29, "whole number" },
	{ "exact,+12025550100,any,scam,,,", 29, "score is empty" },
	{ "exact,+12025550100,any,scam,80,never,", 32, "RFC 3339" },
	{ "exact,+12025550100,any,scam,80,,a\tb", 34, "control characters" },
	{ "exact,+12025550100,any,scam,80,,a\x7f", 34, "control characters" },
	{ "exact,+12025550100,any,scam,80,,a\xc2\x85", 34, "control characters" },
	{ "exact,+12025550100,any,scam,80,,a\rb", 34, "control characters" },
	{ "exact,+12025550100,any,scam,80,,ab\xc3", 35, "not UTF-8" },
	{ "exact,+12025550100,any,scam,80,,\xff", 33, "ref \"\\xff\": it is not UTF-8" },
	{ "exact,+12025550100,any,scam,80,,\xc0\x80", 33, "not UTF-8" },
	{ "exact,+12025550100,any,scam,80,,\xed\xa0\x80", 33, "not UTF-8" },
	{ "exact,+12025550100,any,scam,80,,\xf4\x90\x80\x80", 33, "not UTF-8" },
	{ "exact,+12025550100,any,scam,80,,"
	  "1234567890123456789012345678901234567890123456789012345678901234",
	  96, "at most 63 bytes" },
	{ "exact,+12025550100,any,scam,80,,a,b", 34, "7 fields" },
	{ "exact,+12025550100,any,scam,80,", 32, "ends after 6 of 7 fields" },
	{ "exact", 6, "ends after 1 of 7 fields" },
	{ "exact,+12025550100,any,scam,80,,\"abc", 33, "not closed" },
	{ "exact,+12025550100,any,scam,80,,\"", 33, "not closed" },
	{ "exact,+12025550100,any,scam,80,,\"a\"b", 36, "closing quote" },
	{ "exact,+12025550100,any,scam,80,,\"a\",b", 36, "7 fields" },
	{ "exact,\"+1202\",any,scam,80,,\"a\"\"", 28, "not closed" },
};

TG_TEST(feed_bad_lines_say_where_and_why, TG_NEEDS_NOTHING)
{
	struct tg_error err;
	struct taken t;
	char text[512];
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(bad); i++) {
		snprintf(text, sizeof(text), HEADER "# one line before it\n%s\n", bad[i].line);
		assert_int_not_equal(read_text(text, &t, &err), 0);
		if (err.line != 3 || err.column != bad[i].column || !strstr(err.text, bad[i].text))
			fail_msg("%s: %" PRIu64 ":%" PRIu32 ": %s", bad[i].line, err.line,
				 err.column, err.text);
		assert_int_equal(t.n, 0);
	}
}

TG_TEST(feed_needs_its_header, TG_NEEDS_NOTHING)
{
	static const struct bad headers[] = {
		{ "kind,number,role,category,score,expires\n", 40, "header line" },
		{ "Kind,number,role,category,score,expires,ref\n", 1, "header line \"Kind," },
		{ "kind,number,role,category,score,expires,ref,x\n", 44, "header line" },
		{ "exact,+12025550100,any,scam,80,,\n", 1, "header line" },
		{ "\n\n", 1, "no header line" },
	};
	struct tg_error err;
	struct taken t;
	FILE *null = fopen("/dev/null", "r");
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(headers); i++) {
		assert_int_equal(read_text(headers[i].line, &t, &err), -EINVAL);
		assert_int_equal(err.column, headers[i].column);
		assert_true(err.line >= 1);
		assert_non_null(strstr(err.text, headers[i].text));
	}
	assert_int_equal(tg_feed_read(null, NULL, take, &t, &err), -EINVAL);
	assert_non_null(strstr(err.text, "no header line"));
	fclose(null);
}

TG_TEST(feed_nul_bytes_are_refused, TG_NEEDS_NOTHING)
{
	static const char in_comment[] = HEADER "# a\0b\n";
	static const char in_number[] = HEADER "exact,+1202555\0"
					       "100,any,scam,80,,\n";
	static const char in_ref[] = HEADER "exact,+12025550100,any,scam,80,,a\0b\n";
	struct tg_error err;
	struct taken t;

	assert_int_equal(read_bytes(in_comment, sizeof(in_comment) - 1, false, &t, &err), -EINVAL);
	assert_int_equal(err.column, 4);
	assert_int_equal(read_bytes(in_number, sizeof(in_number) - 1, false, &t, &err), -EINVAL);
	assert_int_equal(err.column, 15);
	assert_non_null(strstr(err.text, "\"+1202555\\x00"));
	assert_int_equal(read_bytes(in_ref, sizeof(in_ref) - 1, false, &t, &err), -EINVAL);
	assert_int_equal(err.column, 34);
}

TG_TEST(feed_long_lines_are_refused, TG_NEEDS_NOTHING)
{
	const size_t sizes[] = { 1023, 1024, 1025, 1026, 1027, 300000, 1000000 };
	struct tg_error err;
	struct taken t;
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(sizes); i++) {
		const size_t at = strlen(HEADER);
		char *text = malloc(at + sizes[i] + 2);

		assert_non_null(text);
		memcpy(text, HEADER, at);
		memset(text + at, '#', sizes[i]);
		memcpy(text + at + sizes[i], "\r\n", 2);
		if (sizes[i] <= 1024) {
			assert_int_equal(read_bytes(text, at + sizes[i] + 2, false, &t, &err), 0);
		} else {
			assert_int_equal(read_bytes(text, at + sizes[i] + 2, false, &t, &err),
					 -EINVAL);
			assert_int_equal(err.line, 2);
			assert_int_equal(err.column, 1025);
		}
		free(text);
	}
}

TG_TEST(TB_8_feed_expires, TG_NEEDS_NOTHING)
{
	static const struct {
		const char *text;
		int64_t seconds; /* 0 = refused */
	} cases[] = {
		{ "2027-01-01T00:00:00Z", 1798761600 },
		{ "2027-01-01t00:00:00z", 1798761600 },
		{ "2027-01-01T08:00:00+08:00", 1798761600 },
		{ "2026-12-31T19:30:00-04:30", 1798761600 },
		{ "2027-01-01T00:00:00.999Z", 1798761600 },
		{ "2027-01-01T00:00:00-00:00", 1798761600 },
		{ "2000-02-29T12:00:00Z", 951825600 },
		{ "2028-02-29T00:00:00Z", 1835395200 },
		{ "1970-01-01T00:00:01Z", 1 },
		{ "9999-12-31T23:59:59Z", 253402300799 },
		{ "2016-12-31T23:59:60Z", 1483228800 },
		{ "2017-01-01T07:59:60+08:00", 1483228800 },
		{ "2016-12-30T23:59:60Z", 0 },
		{ "2016-12-31T22:59:60Z", 0 },
		{ "2016-12-31T23:58:60Z", 0 },
		{ "1970-01-01T00:00:00Z", 0 },
		{ "1969-12-31T23:59:59Z", 0 },
		{ "0000-01-01T00:00:00Z", 0 },
		{ "2027-02-29T00:00:00Z", 0 },
		{ "1900-02-29T00:00:00Z", 0 },
		{ "2027-00-01T00:00:00Z", 0 },
		{ "2027-13-01T00:00:00Z", 0 },
		{ "2027-04-31T00:00:00Z", 0 },
		{ "2027-01-00T00:00:00Z", 0 },
		{ "2027-01-01T24:00:00Z", 0 },
		{ "2027-01-01T00:60:00Z", 0 },
		{ "2027-01-01T00:00:61Z", 0 },
		{ "2027-01-01T00:00:00", 0 },
		{ "2027-01-01 00:00:00Z", 0 },
		{ "2027-01-01", 0 },
		{ "2027-01-01T00:00:00.Z", 0 },
		{ "2027-01-01T00:00:00+24:00", 0 },
		{ "2027-01-01T00:00:00+0800", 0 },
		{ "2027-01-01T00:00:00Zx", 0 },
		{ "27-01-01T00:00:00Z00", 0 },
		{ "2027-1-01T00:00:00Z0", 0 },
		{ "+027-01-01T00:00:00Z", 0 },
	};
	struct tg_record_text text = { "exact", "+12025550100", "any", "scam", "80", NULL, NULL };
	struct tg_error err;
	struct tg_record r;
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		text.expires = cases[i].text;
		if (tg_record_parse(&text, false, &r, &err) == 0
			    ? r.expires != cases[i].seconds || cases[i].seconds == 0
			    : cases[i].seconds != 0)
			fail_msg("%s", cases[i].text);
	}
}

TG_TEST(feed_record_of_the_command_line, TG_NEEDS_NOTHING)
{
	struct tg_record_text text = { "prefix", "+1", "any", "scam", "80", "", "why not" };
	char number[48];
	struct tg_error err;
	struct tg_record r;

	assert_int_equal(tg_record_parse(&text, false, &r, &err), -EPERM);
	assert_int_equal(err.line, 0);
	assert_int_equal(err.column, 0);
	assert_int_equal(tg_record_parse(&text, true, &r, &err), 0);
	assert_string_equal(r.ref, "why not");
	tg_record_number_format(&r, number, sizeof(number));
	assert_string_equal(number, "+1");
	text.kind = "range";
	text.number = "+85281000000-+85281999999";
	assert_int_equal(tg_record_parse(&text, false, &r, &err), 0);
	tg_record_number_format(&r, number, sizeof(number));
	assert_string_equal(number, text.number);
	text.kind = "exact";
	text.number = "000";
	assert_int_equal(tg_record_parse(&text, false, &r, &err), 0);
	tg_record_number_format(&r, number, sizeof(number));
	assert_string_equal(number, "000");
	assert_string_equal(tg_record_kind_name(r.kind), "exact");
	text.number = "+12025550x";
	assert_int_equal(tg_record_parse(&text, false, &r, &err), -EINVAL);
	assert_int_equal(err.column, 0);
}

static bool stop_at_two(void *ctx, uint64_t bytes, uint64_t total, uint64_t records)
{
	unsigned *calls = ctx;

	(void)bytes;
	(void)total;
	(void)records;
	return ++*calls < 2;
}

/* TB-10: cancelled in the middle; a feed that comes through a pipe, in pieces. */
TG_TEST(TB_10_feed_can_be_cancelled_and_comes_through_pipes, TG_NEEDS_NOTHING)
{
	unsigned calls = 0, i;
	const struct tg_feed_options opt = { .progress = stop_at_two, .ctx = &calls };
	FILE *in;
	struct tg_error err;
	struct taken t = { .n = 0 };
	int fd[2];

	assert_int_equal(pipe(fd), 0);
	in = fdopen(fd[0], "r");
	assert_int_equal(write(fd[1], HEADER, strlen(HEADER)), (ssize_t)strlen(HEADER));
	for (i = 0; i < 100; i++) {
		char line[64];
		const int n = snprintf(line, sizeof(line), "exact,+1202555%04u,any,scam,80,,\n", i);

		assert_int_equal(write(fd[1], line, (size_t)n / 2), n / 2);
		assert_int_equal(write(fd[1], line + n / 2, (size_t)(n - n / 2)), n - n / 2);
	}
	close(fd[1]);
	assert_int_equal(tg_feed_read(in, NULL, take, &t, &err), 0);
	assert_int_equal(t.n, 100);
	assert_int_equal(t.record[7].lo, 12025550007);
	fclose(in);

	in = tmpfile();
	fputs(HEADER, in);
	for (i = 0; i < 20000; i++)
		fprintf(in, "exact,+1202%07u,any,scam,80,,\n", i);
	rewind(in);
	assert_int_equal(tg_feed_read(in, &opt, take, &t, &err), -ECANCELED);
	assert_int_equal(calls, 2);
	fclose(in);
}

/* Lines that lie across the reader's blocks at every place. */
TG_TEST(feed_lines_across_blocks, TG_NEEDS_NOTHING)
{
	unsigned pad;

	for (pad = 0; pad < 40; pad++) {
		FILE *f = tmpfile();
		struct taken t = { .n = 0 };
		struct tg_error err;
		unsigned i;

		fprintf(f, "#%*s\n" HEADER, (int)pad, "");
		for (i = 0; i < 10000; i++)
			fprintf(f, "exact,+1202%07u,any,scam,80,,\n", i);
		rewind(f);
		assert_int_equal(tg_feed_read(f, NULL, take, &t, &err), 0);
		assert_int_equal(t.n, 10000);
		fclose(f);
	}
}
