/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/records.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "control/merge.h"

#define ROWS_FIRST 65536 /* 2 MiB: mapped, not from the heap, so that mremap can grow it */

static int no_memory(struct tg_error *err)
{
	return tg_error_set(err, -ENOMEM, "out of memory");
}

void tg_records_free(struct tg_records *records)
{
	tg_rows_free(records->rows, records->cap * sizeof(*records->rows));
	free(records->refs);
	memset(records, 0, sizeof(*records));
}

static int grow_rows(struct tg_records *records)
{
	const size_t size = sizeof(*records->rows);
	const size_t cap = records->cap ? records->cap * 2 : ROWS_FIRST;
	struct tg_row *rows;

	if (!records->rows) {
		rows = tg_rows_alloc(cap * size);
	} else {
		/* Moves pages, not bytes. */
		rows = mremap(records->rows, records->cap * size, cap * size, MREMAP_MAYMOVE);
		if (rows == MAP_FAILED)
			rows = NULL;
		else
			(void)madvise(rows, cap * size, MADV_HUGEPAGE);
	}
	if (!rows)
		return -ENOMEM;
	records->rows = rows;
	records->cap = cap;
	return 0;
}

/* Where the reference stands in the text, plus one; a feed often repeats the same one line by line. */
static int add_ref(struct tg_records *records, const struct tg_record *r, uint32_t *ref,
		   struct tg_error *err)
{
	const size_t need = records->refs_len + r->ref_len + 1;
	const uint32_t last = records->n ? records->rows[records->n - 1].ref : 0;

	*ref = 0;
	if (r->ref_len == 0)
		return 0;
	if (last && (uint8_t)records->refs[last - 1] == r->ref_len &&
	    memcmp(records->refs + last, r->ref, r->ref_len) == 0) {
		*ref = last;
		return 0;
	}
	if (need > UINT32_MAX)
		return tg_error_set(err, -E2BIG, "more than 4 GiB of references in one feed");
	if (need > records->refs_cap) {
		const size_t cap = records->refs_cap ? records->refs_cap * 2 : 4096;
		char *p = realloc(records->refs, cap);

		if (!p)
			return no_memory(err);
		records->refs = p;
		records->refs_cap = cap;
	}
	*ref = (uint32_t)records->refs_len + 1;
	records->refs[records->refs_len] = (char)r->ref_len;
	memcpy(records->refs + records->refs_len + 1, r->ref, r->ref_len);
	records->refs_len = need;
	return 0;
}

int tg_records_append(struct tg_records *records, const struct tg_record *r, uint64_t line,
		      struct tg_error *err)
{
	struct tg_row row = tg_row_pack(r, 0);
	int rc;

	if (line > UINT32_MAX)
		return tg_error_at(err, -E2BIG, line, 0, "more than 2^32 lines in one feed");
	rc = add_ref(records, r, &row.ref, err);
	if (rc)
		return rc;
	if (records->n == records->cap && grow_rows(records) != 0)
		return no_memory(err);
	row.batch = (uint32_t)line;
	records->rows[records->n++] = row;
	return 0;
}

void tg_records_ref(const struct tg_records *records, const struct tg_row *row,
		    char ref[TG_FEED_REF_MAX + 1])
{
	const uint8_t len = row->ref ? (uint8_t)records->refs[row->ref - 1] : 0;

	if (len)
		memcpy(ref, records->refs + row->ref, len);
	ref[len] = 0;
}

/* Of a stretch of rows on one number, the one before rows[at] whose roles overlap with its own. */
static const struct tg_row *overlapping(const struct tg_row *rows, size_t first, size_t at)
{
	size_t i;

	for (i = first; i < at; i++)
		if (tg_row_roles(&rows[i]) & tg_row_roles(&rows[at]))
			return &rows[i];
	return NULL;
}

static int duplicate(const struct tg_row *a, const struct tg_row *b, struct tg_error *err)
{
	const struct tg_row *const early = a->batch < b->batch ? a : b;
	const struct tg_row *const late = early == a ? b : a;
	const char *const hint = tg_row_roles(a) == tg_row_roles(b) ? ""
								    : ", and any is both roles";
	struct tg_record r;
	char number[48];

	tg_row_unpack(late, &r);
	tg_record_number_format(&r, number, sizeof(number));
	return tg_error_at(err, -EEXIST, late->batch, 1,
			   "%s %s for role %s is also on line %" PRIu32 " (role %s)%s",
			   tg_record_kind_name(r.kind), number, tg_record_role_name(r.roles),
			   early->batch, tg_record_role_name(tg_row_roles(early)), hint);
}

int tg_records_check_duplicates(struct tg_records *records, struct tg_error *err)
{
	const struct tg_row *const rows = records->rows;
	size_t first = 0, i;

	tg_rows_sort(records->rows, records->n);
	for (i = 1; i < records->n; i++) {
		const struct tg_row *other;

		if (!tg_row_same_number(&rows[first], &rows[i])) {
			first = i;
			continue;
		}
		/* At most caller and called stand before i: the third already overlaps. */
		other = overlapping(rows, first, i);
		if (other)
			return duplicate(other, &rows[i], err);
	}
	return 0;
}

struct load {
	struct tg_records *records;
	struct tg_error *err;
};

static int take(void *ctx, const struct tg_record *r, uint64_t line)
{
	const struct load *load = ctx;

	return tg_records_append(load->records, r, line, load->err);
}

int tg_records_load_feed(FILE *in, const struct tg_feed_options *opt, struct tg_records *records,
			 struct tg_error *err)
{
	struct load load = { records, err };
	int rc;

	memset(records, 0, sizeof(*records));
	rc = tg_feed_read(in, opt, take, &load, err);
	if (!rc)
		rc = tg_records_check_duplicates(records, err);
	if (rc)
		tg_records_free(records);
	return rc;
}

int tg_records_build_input(const struct tg_records *records, int64_t now, struct tg_build_input *in,
			   struct tg_error *err)
{
	struct tg_merge_output out = { 0 };

	memset(in, 0, sizeof(*in));
	in->kind = TG_IMAGE_BASE;
	in->created = (uint64_t)now;
	if (tg_merge_rows(&out, records->rows, records->n, now, NULL) != 0) {
		tg_merge_free(&out);
		return no_memory(err);
	}
	tg_merge_finish(&out, in);
	return 0;
}

void tg_records_input_free(struct tg_build_input *in)
{
	/* const only for the builder: see tg_records_build_input. */
	free((void *)(uintptr_t)in->numbers);
	free((void *)(uintptr_t)in->intervals);
	free((void *)(uintptr_t)in->shorts);
	memset(in, 0, sizeof(*in));
}
