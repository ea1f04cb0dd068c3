/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An import: read and check the whole feed, compare it with what the source claims so far, and commit
 * the difference as one batch.
 */
#include "control/ledger_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/records.h"

/* The table may change by one fifth without force, from so many entries up. */
#define GUARD_FROM 1000
#define GUARD_SHARE 5

static int no_memory(struct tg_error *err)
{
	return tg_error_set(err, -ENOMEM, "out of memory");
}

static int check_source_name(const char *name, struct tg_error *err)
{
	const size_t len = strlen(name);

	if (len == 0 || len > TG_SOURCE_NAME_MAX ||
	    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") != len)
		return tg_error_set(err, -EINVAL,
				    "a source's name is 1 to %d of a-z, 0-9, '.', '_' and '-'",
				    TG_SOURCE_NAME_MAX);
	if (strcmp(name, TG_SOURCE_OPERATOR) == 0)
		return tg_error_set(err, -EINVAL,
				    "source \"" TG_SOURCE_OPERATOR "\" holds the operator's single "
				    "numbers; give the feed another name");
	return 0;
}

static int cancelled(const struct tg_import *im, const char *phase, uint64_t done, uint64_t total,
		     struct tg_error *err)
{
	if (!im->progress || im->progress(im->ctx, phase, done, total))
		return 0;
	return tg_error_set(err, -ECANCELED, "cancelled");
}

static bool reading(void *ctx, uint64_t bytes, uint64_t total, uint64_t records)
{
	const struct tg_import *const im = ctx;

	(void)records;
	return im->progress(im->ctx, "read", bytes, total);
}

/* ---- difference ---------------------------------------------------------------------------------- */

/* References of the batches that the source's claims stand in; a feed's claims mostly share one. */
struct ref_cache {
	const struct tg_journal *journal;
	struct tg_batch *batches;
	size_t n;
	size_t last;
};

static const char *old_ref(struct ref_cache *c, const struct tg_row *row, struct tg_error *err)
{
	struct tg_batch *p;
	size_t i;

	if (c->n > 0 && c->batches[c->last].info.seq == row->batch)
		return c->batches[c->last].refs + row->ref - 1;
	for (i = 0; i < c->n; i++)
		if (c->batches[i].info.seq == row->batch)
			break;
	if (i == c->n) {
		p = realloc(c->batches, (c->n + 1) * sizeof(*p));
		if (!p) {
			no_memory(err);
			return NULL;
		}
		c->batches = p;
		if (tg_journal_read(c->journal, row->batch, NULL, false, &p[c->n], err) != 0)
			return NULL;
		tg_rows_free(p[c->n].rows, p[c->n].bytes);
		p[c->n].rows = NULL;
		p[c->n].bytes = 0;
		c->n++;
	}
	c->last = i;
	return c->batches[i].refs + row->ref - 1;
}

static void ref_cache_free(struct ref_cache *c)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		tg_batch_free(&c->batches[i]);
	free(c->batches);
}

/* Does the new row say something else than the old one? 1, 0, or an error. */
static int differs(struct ref_cache *c, const struct tg_row *old, const struct tg_row *new,
		   const char *refs, struct tg_error *err)
{
	const char *a, *b;

	if (old->meta != new->meta || !old->ref != !new->ref)
		return 1;
	if (!old->ref)
		return 0;
	a = old_ref(c, old, err);
	if (!a)
		return err ? err->code : -EIO;
	b = refs + new->ref - 1;
	return memcmp(a, b, 1u + (uint8_t)b[0]) != 0;
}

struct difference {
	struct tg_row *rows; /* the batch: sorted */
	size_t n;
	size_t bytes;
	bool rows_mine; /* false once a run has them */
	char *refs;	/* that rows point to, as they will stand in the journal */
	uint64_t refs_len;
	struct tg_row_list gone; /* withdrawals, before they are merged in */
	uint64_t added, changed, removed;
};

/* What one import works on. */
struct work {
	struct tg_ledger *l;
	const struct tg_import *im;
	struct tg_records *records; /* the feed; compared, what is new or changed of it */
	unsigned source;
	struct tg_model_snapshot before;
	uint64_t entries_before;
	bool rebasing; /* holds `rebase` */
	struct difference d;
	struct tg_error *err;
};

static int note_gone(struct work *w, const struct tg_row *old)
{
	struct tg_row row = *old;

	row.meta |= TG_ROW_GONE;
	row.ref = 0;
	w->d.removed++;
	return tg_row_list_add(&w->d.gone, &row) == 0 ? 0 : no_memory(w->err);
}

/* As compare, when few records are added to many claims: looks them up one by one. */
static int compare_few(struct work *w)
{
	struct ref_cache cache = { .journal = w->l->journal };
	struct tg_row *const rows = w->records->rows;
	struct tg_row old;
	size_t i, kept = 0;
	int rc = 0;

	for (i = 0; rc >= 0 && i < w->records->n; i++) {
		const bool known = tg_view_find_row(&w->before.view, &rows[i], &old);

		rc = known ? differs(&cache, &old, &rows[i], w->records->refs, w->err) : 1;
		if (rc <= 0)
			continue;
		w->d.added += !known;
		w->d.changed += known;
		rows[kept++] = rows[i];
	}
	w->records->n = kept;
	ref_cache_free(&cache);
	return rc < 0 ? rc : 0;
}

/* A look-up misses the cache some 24 times where a walk reads on: 2 us to 10 ns or so. */
#define FEW 200

static bool are_few(const struct work *w)
{
	const struct tg_view *const v = &w->before.view;

	return w->im->mode == TG_IMPORT_ADD &&
	       w->records->n < (v->n_over + (v->base ? v->base->n : 0)) / FEW;
}

/* Leaves in the records what is new or changed, in order, and notes what has to go. */
static int compare(struct work *w)
{
	struct ref_cache cache = { .journal = w->l->journal };
	struct tg_view_iter it = tg_view_begin(&w->before.view, 0);
	struct tg_row *const rows = w->records->rows;
	size_t i = 0, kept = 0;
	int rc = 0;

	while (rc >= 0 && tg_view_next(&it)) {
		if (tg_row_source(&it.row) != w->source)
			continue;
		for (; i < w->records->n && tg_row_compare(&rows[i], &it.row) < 0; w->d.added++)
			rows[kept++] = rows[i++];
		if (i < w->records->n && tg_row_compare(&rows[i], &it.row) == 0) {
			rc = differs(&cache, &it.row, &rows[i], w->records->refs, w->err);
			if (rc > 0) {
				rows[kept++] = rows[i];
				w->d.changed++;
			}
			i++;
		} else if (w->im->mode == TG_IMPORT_REPLACE) {
			rc = note_gone(w, &it.row);
		}
	}
	if (rc >= 0 && i < w->records->n) {
		const size_t rest = w->records->n - i;

		if (kept < i)
			memmove(rows + kept, rows + i, rest * sizeof(*rows));
		kept += rest;
		w->d.added += rest;
	}
	w->records->n = kept;
	ref_cache_free(&cache);
	return rc < 0 ? rc : 0;
}

/* The batch: new and changed rows, and withdrawals, in one order. Takes the records' rows over where
 * there is nothing to merge. */
static int assemble(struct work *w)
{
	struct tg_records *const records = w->records;
	struct difference *const d = &w->d;

	d->n = records->n + d->gone.n;
	d->rows_mine = true;
	d->bytes = d->n * sizeof(*d->rows);
	if (d->gone.n == 0) {
		d->rows = records->rows;
		d->bytes = records->cap * sizeof(*d->rows);
		records->rows = NULL;
		records->cap = 0;
		return 0;
	}
	d->rows = tg_rows_alloc(d->bytes);
	if (!d->rows)
		return no_memory(w->err);
	(void)tg_rows_merge(records->rows, records->n, d->gone.rows, d->gone.n, false, d->rows);
	return 0;
}

static int difference(struct work *w)
{
	size_t i;
	int rc;

	for (i = 0; i < w->records->n; i++) {
		w->records->rows[i].meta |= w->source;
		w->records->rows[i].batch = 0;
	}
	rc = are_few(w) ? compare_few(w) : compare(w);
	if (!rc)
		rc = assemble(w);
	if (rc)
		return rc;
	/* Before anything is made of the rows: their references are places in the batch from here on. */
	w->d.refs = tg_batch_collect_refs(w->d.rows, w->d.n, w->records->refs, &w->d.refs_len);
	return w->d.refs ? 0 : no_memory(w->err);
}

/* ---- limits -------------------------------------------------------------------------------------- */

static uint64_t entries(const uint64_t n_numbers[TG_RECORD_KIND_COUNT])
{
	uint64_t sum = 0;
	unsigned i;

	for (i = 0; i < TG_RECORD_KIND_COUNT; i++)
		sum += n_numbers[i];
	return sum;
}

static int check_growth(uint64_t before, uint64_t after, struct tg_error *err)
{
	const uint64_t change = after > before ? after - before : before - after;

	if (before < GUARD_FROM || change * GUARD_SHARE <= before)
		return 0;
	return tg_error_set(err, -EPERM,
			    "the table would go from %" PRIu64 " to %" PRIu64
			    " entries, a change of more than 20 %%; force is needed",
			    before, after);
}

/* Entries once a small batch lies over the view. */
static int entries_after(const struct tg_view *view, const struct difference *d, uint64_t before,
			 uint64_t *after)
{
	struct tg_row *const over = malloc((view->n_over + d->n + 1) * sizeof(*over));
	struct tg_view young = *view;
	size_t i;

	if (!over)
		return -ENOMEM;
	young.over = over;
	young.n_over = tg_rows_merge(view->over, view->n_over, d->rows, d->n, false, over);
	*after = before;
	for (i = 0; i < d->n; i++) {
		if (i > 0 && tg_row_same_number(&d->rows[i - 1], &d->rows[i]))
			continue;
		*after -= tg_view_has_number(view, &d->rows[i]);
		*after += tg_view_has_number(&young, &d->rows[i]);
	}
	free(over);
	return 0;
}

/* A new base speaks for everything up to a moment: from that moment on, nobody else may put one in
 * place. What the source claims has not changed since the first look. */
static int look_again(struct work *w)
{
	const struct tg_model *const m = &w->l->model;
	int rc;

	pthread_mutex_lock(&w->l->rebase);
	w->rebasing = true;
	tg_model_snapshot_free(&w->before);
	pthread_mutex_lock(&w->l->model_lock);
	w->entries_before = entries(m->n_numbers);
	rc = tg_model_snapshot(m, &w->before);
	pthread_mutex_unlock(&w->l->model_lock);
	return rc ? no_memory(w->err) : 0;
}

/* How the model will take the batch, and whether it may. */
static int plan(struct work *w, struct tg_ledger_change *change)
{
	const struct tg_view *const view = &w->before.view;
	uint64_t after;

	*change = (struct tg_ledger_change){ w->d.rows, w->d.n, NULL, 0 };
	if (w->d.n <= TG_MODEL_SMALL && view->n_over <= TG_MODEL_OVER_MAX) {
		if (entries_after(view, &w->d, w->entries_before, &after) != 0)
			return no_memory(w->err);
	} else {
		const int rc = look_again(w);

		if (rc)
			return rc;
		change->upto = w->before.batch;
		/* The first feed of all is the base as it stands: no second copy of it. */
		if (view->n_over == 0 && (!view->base || view->base->n == 0) && w->d.gone.n == 0) {
			change->run = tg_run_adopt(w->d.rows, w->d.n, w->d.bytes);
			w->d.rows_mine = false;
		} else {
			change->run = tg_run_build(view, w->d.rows, w->d.n);
		}
		if (!change->run)
			return no_memory(w->err);
		after = entries(change->run->n_numbers);
	}
	return w->im->force ? 0 : check_growth(w->entries_before, after, w->err);
}

/* ---- import -------------------------------------------------------------------------------------- */

static void fill_info(const struct tg_import *im, struct tg_batch_info *info)
{
	const char *const file = im->file ? im->file : "";
	const size_t len = strlen(file);

	memset(info, 0, sizeof(*info));
	info->op = im->mode == TG_IMPORT_REPLACE ? TG_BATCH_REPLACE : TG_BATCH_ADD_FEED;
	info->flags = im->force ? TG_BATCH_FORCED : 0;
	info->time = (int64_t)time(NULL);
	memcpy(info->source, im->source, strlen(im->source));
	if (len > TG_JOURNAL_FILE_MAX)
		memcpy(info->file, file + len - TG_JOURNAL_FILE_MAX, TG_JOURNAL_FILE_MAX);
	else
		memcpy(info->file, file, len);
}

static int commit(struct work *w, struct tg_ledger_change *change, struct tg_import_result *result)
{
	struct tg_batch_draft draft;
	struct tg_batch_info info;
	int rc = cancelled(w->im, "write", 0, w->d.n, w->err);

	if (!rc)
		rc = tg_batch_prepare(w->l->journal, w->d.rows, w->d.n, w->d.refs, w->d.refs_len,
				      &draft, w->err);
	if (rc)
		return rc;
	rc = cancelled(w->im, "write", w->d.n, w->d.n, w->err);
	if (rc) {
		tg_batch_discard(w->l->journal, &draft);
		return rc;
	}
	fill_info(w->im, &info);
	rc = tg_ledger_carry_out(w->l, &draft, &info, change, w->err);
	*result = (struct tg_import_result){ info.seq, result->records, w->d.added, w->d.changed,
					     w->d.removed };
	return rc;
}

/* The source's number (a new source gets the next one when its batch is committed: only an importer
 * adds sources, and there is one at a time), and the model as it is. */
static int look(struct work *w)
{
	struct tg_model *const m = &w->l->model;
	int source, rc;

	pthread_mutex_lock(&w->l->model_lock);
	source = tg_model_source(m, w->im->source);
	w->source = source >= 0 ? (unsigned)source : m->n_sources;
	w->entries_before = entries(m->n_numbers);
	rc = tg_model_snapshot(m, &w->before);
	pthread_mutex_unlock(&w->l->model_lock);
	if (rc)
		return no_memory(w->err);
	if (w->source >= TG_ROW_SOURCE_MAX)
		return tg_error_set(w->err, -ENOSPC, "more than %u sources", TG_ROW_SOURCE_MAX);
	return 0;
}

/* Under `import`: nobody else changes what this source claims, or the base. */
static int import_records(struct work *w, struct tg_import_result *result)
{
	struct tg_ledger_change change = { 0 };
	int rc;

	result->records = w->records->n;
	rc = look(w);
	if (!rc)
		rc = difference(w);
	if (!rc)
		rc = plan(w, &change);
	if (!rc)
		rc = commit(w, &change, result);
	if (w->rebasing)
		pthread_mutex_unlock(&w->l->rebase);
	tg_run_put(change.run);
	if (w->d.rows_mine)
		tg_rows_free(w->d.rows, w->d.bytes);
	tg_row_list_free(&w->d.gone);
	tg_rows_free(w->d.refs, w->d.refs_len);
	tg_model_snapshot_free(&w->before);
	return rc;
}

int tg_ledger_import(struct tg_ledger *ledger, FILE *in, const struct tg_import *import,
		     struct tg_import_result *result, struct tg_error *err)
{
	struct tg_import im = *import;
	const struct tg_feed_options opt = {
		.force = import->force,
		.progress = import->progress ? reading : NULL,
		.ctx = &im,
	};
	struct tg_records records = { 0 };
	struct work w = { .l = ledger, .im = import, .records = &records, .err = err };
	int rc = check_source_name(import->source, err);

	memset(result, 0, sizeof(*result));
	if (rc)
		return rc;
	rc = tg_records_load_feed(in, &opt, &records, err);
	if (rc)
		return rc;
	rc = cancelled(import, "check", records.n, records.n, err);
	if (!rc) {
		pthread_mutex_lock(&ledger->import);
		rc = import_records(&w, result);
		pthread_mutex_unlock(&ledger->import);
	}
	tg_records_free(&records);
	if (rc)
		memset(result, 0, sizeof(*result));
	return rc;
}
