/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A whole feed in memory: read, sorted, checked for duplicates; and its way into a table when it is
 * the only source there is (`tgctl replay --feed`). The ledger does the same for many sources.
 */
#ifndef TG_CONTROL_RECORDS_H
#define TG_CONTROL_RECORDS_H

#include <stdio.h>

#include "control/build.h"
#include "control/error.h"
#include "control/feed.h"
#include "control/rows.h"

struct tg_records {
	struct tg_row *rows; /* `batch` is the line; sorted once checked */
	size_t n;
	size_t cap;
	char *refs; /* each a length byte and that many bytes */
	size_t refs_len;
	size_t refs_cap;
};

/* Reads all of a feed, sorts it and checks it for duplicates. 0, or a negative errno with line,
 * column and reason; *records is then empty. Free with tg_records_free. `opt` may be NULL. */
int tg_records_load_feed(FILE *in, const struct tg_feed_options *opt, struct tg_records *records,
			 struct tg_error *err);
void tg_records_free(struct tg_records *records);

/* For one record, in the order of the file; `line` is kept for the duplicate check. */
int tg_records_append(struct tg_records *records, const struct tg_record *r, uint64_t line,
		      struct tg_error *err);

/* Sorts. -EEXIST, at the later line, naming both, when a (kind, number, role) stands twice; role
 * "any" is both of the others. */
int tg_records_check_duplicates(struct tg_records *records, struct tg_error *err);

/* The reference of a row, NUL-terminated; empty when it has none. */
void tg_records_ref(const struct tg_records *records, const struct tg_row *row,
		    char ref[TG_FEED_REF_MAX + 1]);

/*
 * A base image's input: what has expired at `now` is left out. kind, created and the arrays are set;
 * the arrays are malloc'd and belong to *in; free with tg_records_input_free.
 *
 *	struct tg_records records;
 *	struct tg_build_input in;
 *
 *	tg_records_load_feed(f, NULL, &records, &err) ... tg_records_build_input(&records, now, &in, &err)
 *	... tg_build_plan(&in, ...) ... tg_records_input_free(&in); tg_records_free(&records);
 */
int tg_records_build_input(const struct tg_records *records, int64_t now, struct tg_build_input *in,
			   struct tg_error *err);
void tg_records_input_free(struct tg_build_input *in);

#endif
