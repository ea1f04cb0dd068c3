/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/support/ledger_test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/tg_test.h"

char *tg_test_dir(void)
{
	char *dir = strdup("/tmp/tollgate-test.XXXXXX");

	assert_non_null(dir);
	assert_non_null(mkdtemp(dir));
	return dir;
}

static void remove_files(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		char path[512];

		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
		    unlink(path) != 0) {
			remove_files(path);
			(void)rmdir(path);
		}
	}
	if (d)
		closedir(d);
}

void tg_test_dir_remove(char *dir)
{
	remove_files(dir);
	(void)rmdir(dir);
	free(dir);
}

struct tg_ledger *tg_test_ledger(const char *dir)
{
	struct tg_ledger *l = NULL;
	struct tg_error err;

	if (tg_ledger_open(dir, &l, &err) != 0)
		fail_msg("%s: %s", dir, err.text);
	return l;
}

int tg_test_import(struct tg_ledger *l, const char *source, enum tg_import_mode mode,
		   const char *lines, struct tg_import_result *result, struct tg_error *err)
{
	const struct tg_import im = { .source = source, .file = "test.csv", .mode = mode };
	struct tg_import_result ignored;
	FILE *f = tmpfile();
	int rc;

	assert_non_null(f);
	fputs(TG_TEST_FEED_HEADER, f);
	fputs(lines, f);
	rewind(f);
	rc = tg_ledger_import(l, f, &im, result ? result : &ignored, err);
	fclose(f);
	return rc;
}

struct tg_record tg_test_record(const char *line)
{
	char copy[256], *at = copy, *word[7];
	struct tg_record_text text;
	struct tg_error err;
	struct tg_record r;
	unsigned i;

	snprintf(copy, sizeof(copy), "%s", line);
	for (i = 0; i < 7; i++)
		word[i] = strsep(&at, ",");
	text = (struct tg_record_text){ word[0], word[1], word[2], word[3],
					word[4], word[5], word[6] };
	if (tg_record_parse(&text, true, &r, &err) != 0)
		fail_msg("%s: %s", line, err.text);
	return r;
}

uint32_t tg_test_listing(struct tg_ledger *l, const char *number, int64_t now)
{
	const struct tg_span text = { (const uint8_t *)number, (uint32_t)strlen(number) };
	struct tg_claim *claims;
	uint32_t listing;
	size_t n;

	assert_int_equal(
		tg_ledger_lookup(l, tg_num_from_feed(text), now, &claims, &n, &listing, NULL), 0);
	free(claims);
	return listing;
}
