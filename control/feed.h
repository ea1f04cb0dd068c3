/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reputation feeds: CSV as architecture §9 states it, read in bounded memory and checked whole. A
 * feed format is one file: feed_csv.c. Header:
 *
 *	kind,number,role,category,score,expires,ref
 *
 * Not known here: sources, merging, the store.
 */
#ifndef TG_CONTROL_FEED_H
#define TG_CONTROL_FEED_H

#include <stdio.h>

#include "control/error.h"
#include "tollgate/listing.h"

enum tg_record_kind {
	TG_RECORD_EXACT,
	TG_RECORD_PREFIX, /* numbers of at least `digits` digits that begin with lo */
	TG_RECORD_RANGE,  /* numbers of exactly `digits` digits, lo to hi inclusive */
	TG_RECORD_SHORT,  /* an exact short code (no '+'); lo is its value, digits its length */
	TG_RECORD_KIND_COUNT
};

#define TG_RECORD_CALLER 1 /* bit per enum tg_side */
#define TG_RECORD_CALLED 2
#define TG_RECORD_ANY 3

#define TG_FEED_REF_MAX 63

/* One line of a feed, or one `tgctl number add`. */
struct tg_record {
	uint64_t lo;	  /* digits as an integer */
	uint64_t hi;	  /* range: last number; else lo */
	int64_t expires;  /* seconds since the epoch, UTC; 0 = never */
	uint8_t kind;	  /* enum tg_record_kind */
	uint8_t digits;	  /* 1-15 */
	uint8_t roles;	  /* TG_RECORD_* */
	uint8_t category; /* enum tg_category */
	uint8_t score;	  /* 0-100 */
	uint8_t ref_len;
	char ref[TG_FEED_REF_MAX + 1]; /* NUL-terminated */
};

struct tg_feed_options {
	bool force; /* prefixes of fewer than four digits */
	/* Called now and then; `total` is 0 for a pipe. false cancels (-ECANCELED). May be NULL. */
	bool (*progress)(void *ctx, uint64_t bytes, uint64_t total, uint64_t records);
	void *ctx;
};

/*
 * Reads a feed to its end and hands each record to `take` (non-zero stops and is returned). 0, or a
 * negative errno with line, column and reason in *err; the caller must then drop what it took. A
 * duplicate (kind, number, role) is the caller's to find: tg_records_check_duplicates.
 */
int tg_feed_read(FILE *in, const struct tg_feed_options *opt,
		 int (*take)(void *ctx, const struct tg_record *r, uint64_t line), void *ctx,
		 struct tg_error *err);

/* The fields of one record, as the command line gives them; same rules, same messages (column 0). */
struct tg_record_text {
	const char *kind;
	const char *number;
	const char *role;
	const char *category;
	const char *score;
	const char *expires;
	const char *ref;
};
int tg_record_parse(const struct tg_record_text *text, bool force, struct tg_record *r,
		    struct tg_error *err);

/* "prefix", "+9597"; for explain, lookup and errors. */
const char *tg_record_kind_name(unsigned kind);
const char *tg_record_role_name(unsigned roles);
const char *tg_category_name(unsigned category);
int tg_record_number_format(const struct tg_record *r, char *buf, size_t size);

#endif
