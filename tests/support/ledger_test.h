/* SPDX-License-Identifier: BSD-3-Clause */
/* A ledger in a folder of its own, and feeds from text, for tests. */
#ifndef TG_LEDGER_TEST_H
#define TG_LEDGER_TEST_H

#include "control/ledger.h"

#define TG_TEST_FEED_HEADER "kind,number,role,category,score,expires,ref\n"

/* A new folder under /tmp; free with tg_test_dir_remove, which also frees the name. */
char *tg_test_dir(void);
void tg_test_dir_remove(char *dir);

/* Opens, or fails the test with the reason. */
struct tg_ledger *tg_test_ledger(const char *dir);

/* Imports header + lines; returns what the import returned. `result` and `err` may be NULL. */
int tg_test_import(struct tg_ledger *l, const char *source, enum tg_import_mode mode,
		   const char *lines, struct tg_import_result *result, struct tg_error *err);

/* "kind,number,role,category,score,expires,ref" as one record; fails the test if it is none. */
struct tg_record tg_test_record(const char *line);

/* The table's word on a number of architecture §3's text form, at `now`. */
uint32_t tg_test_listing(struct tg_ledger *l, const char *number, int64_t now);

#endif
