/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/ledger_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static int no_memory(struct tg_error *err)
{
	return tg_error_set(err, -ENOMEM, "out of memory");
}

/* ---- loading ------------------------------------------------------------------------------------- */

/* Sorted batches waiting to be merged. Two of about the same size become one, so that a row is moved
 * log2(batches) times, and 365 daily imports do not cost 365 copies of the whole. */
#define STACK_MAX 64

struct stretch {
	struct tg_row *rows;
	size_t n;
	size_t bytes;
};

struct stack {
	struct stretch s[STACK_MAX];
	unsigned n;
};

static int merge_top(struct stack *st)
{
	struct stretch *const old = &st->s[st->n - 2], *const young = &st->s[st->n - 1];
	struct stretch both = { .bytes = (old->n + young->n) * sizeof(*both.rows) };

	both.rows = tg_rows_alloc(both.bytes);
	if (!both.rows)
		return -ENOMEM;
	/* What is gone matters only as long as something older lies below. */
	both.n = tg_rows_merge(old->rows, old->n, young->rows, young->n, st->n == 2, both.rows);
	tg_rows_free(old->rows, old->bytes);
	tg_rows_free(young->rows, young->bytes);
	*old = both;
	st->n--;
	return 0;
}

/* The batch's rows are taken over. */
static int push(struct stack *st, struct tg_batch *b)
{
	st->s[st->n++] = (struct stretch){ b->rows, b->info.n_rows, b->bytes };
	b->rows = NULL;
	b->bytes = 0;
	while (st->n > 1 && st->s[st->n - 2].n < 2 * st->s[st->n - 1].n + 1)
		if (merge_top(st) != 0)
			return -ENOMEM;
	return 0;
}

static int source_number(struct tg_model *m, const char *name, struct tg_error *err)
{
	const int known = tg_model_source(m, name);
	const int id = known >= 0 ? known : tg_model_source_add(m, name);

	if (id == -ENOSPC)
		return tg_error_set(err, id, "more than %u sources", TG_ROW_SOURCE_MAX);
	return id < 0 ? no_memory(err) : id;
}

static int load_batch(struct tg_ledger *l, uint32_t seq, struct stack *st, struct tg_error *err)
{
	struct tg_model *const m = &l->model;
	struct tg_batch b;
	int rc = tg_journal_read(l->journal, seq, m->head, false, &b, err), source;
	size_t i;

	if (rc)
		return rc;
	source = source_number(m, b.info.source, err);
	if (source < 0) {
		tg_batch_free(&b);
		return source;
	}
	for (i = 0; i < b.info.n_rows; i++)
		b.rows[i].meta |= (unsigned)source;
	memcpy(m->head, b.info.hash, sizeof(m->head));
	m->batch = seq;
	rc = tg_model_reserve(m, 0, b.info.n_rows);
	if (!rc) {
		tg_model_touch(m, b.rows, b.info.n_rows, seq);
		rc = push(st, &b);
	}
	tg_batch_free(&b);
	return rc ? no_memory(err) : 0;
}

static int load(struct tg_ledger *l, struct tg_error *err)
{
	struct stack st = { .n = 0 };
	struct tg_view all = { 0 };
	struct tg_run *run;
	uint32_t seq;
	/* Always known, so that only imports add sources (ledger_import.c). */
	int rc = source_number(&l->model, TG_SOURCE_OPERATOR, err);

	for (seq = 1; !rc && seq <= tg_journal_last(l->journal); seq++)
		rc = load_batch(l, seq, &st, err);
	while (!rc && st.n > 1)
		if (merge_top(&st) != 0)
			rc = no_memory(err);
	if (!rc && st.n == 1) {
		all.over = st.s[0].rows;
		all.n_over = st.s[0].n;
	}
	if (!rc) {
		run = tg_run_build(&all, NULL, 0);
		if (run)
			tg_model_rebase(&l->model, run, l->model.batch);
		else
			rc = no_memory(err);
	}
	while (st.n > 0) {
		st.n--;
		tg_rows_free(st.s[st.n].rows, st.s[st.n].bytes);
	}
	return rc;
}

static int open_parts(struct tg_ledger *l, const char *state_dir, struct tg_error *err)
{
	char *dir = NULL, *db = NULL;
	int rc;

	if (asprintf(&dir, "%s/journal", state_dir) < 0 ||
	    asprintf(&db, "%s/ledger.db", state_dir) < 0) {
		free(dir);
		return no_memory(err);
	}
	if (mkdir(state_dir, 0750) != 0 && errno != EEXIST)
		rc = tg_error_set(err, -errno, "cannot make %s: %s", state_dir, strerror(errno));
	else
		rc = tg_journal_open(dir, &l->journal, err);
	if (!rc)
		rc = load(l, err);
	if (!rc)
		rc = tg_store_open(db, l->journal, &l->store, err);
	if (!rc)
		l->indexed = tg_store_indexed(l->store);
	free(dir);
	free(db);
	return rc;
}

int tg_ledger_open(const char *state_dir, struct tg_ledger **ledger, struct tg_error *err)
{
	struct tg_ledger *l = calloc(1, sizeof(*l));
	int rc;

	if (!l)
		return no_memory(err);
	pthread_mutex_init(&l->import, NULL);
	pthread_mutex_init(&l->rebase, NULL);
	pthread_mutex_init(&l->commit, NULL);
	pthread_mutex_init(&l->model_lock, NULL);
	pthread_mutex_init(&l->index, NULL);
	rc = open_parts(l, state_dir, err);
	if (rc) {
		tg_ledger_close(l);
		return rc;
	}
	*ledger = l;
	return 0;
}

void tg_ledger_close(struct tg_ledger *ledger)
{
	if (!ledger)
		return;
	tg_store_close(ledger->store);
	tg_journal_close(ledger->journal);
	tg_model_fini(&ledger->model);
	pthread_mutex_destroy(&ledger->index);
	pthread_mutex_destroy(&ledger->model_lock);
	pthread_mutex_destroy(&ledger->commit);
	pthread_mutex_destroy(&ledger->rebase);
	pthread_mutex_destroy(&ledger->import);
	free(ledger);
}

/* ---- batches ------------------------------------------------------------------------------------- */

int tg_ledger_freeze(struct tg_ledger *l, struct tg_model_snapshot *s, struct tg_error *err)
{
	int rc;

	pthread_mutex_lock(&l->model_lock);
	rc = tg_model_snapshot(&l->model, s);
	pthread_mutex_unlock(&l->model_lock);
	return rc ? no_memory(err) : 0;
}

/* Under `commit`: everything that may fail before the batch is committed. */
static int make_room(struct tg_ledger *l, const char *source, const struct tg_ledger_change *change,
		     struct tg_error *err)
{
	int rc;

	pthread_mutex_lock(&l->model_lock);
	rc = source_number(&l->model, source, err);
	if (rc >= 0) {
		rc = tg_model_reserve(&l->model, change->run ? 0 : change->n, change->n);
		if (rc)
			rc = no_memory(err);
	}
	pthread_mutex_unlock(&l->model_lock);
	return rc;
}

int tg_ledger_carry_out(struct tg_ledger *l, struct tg_batch_draft *draft,
			struct tg_batch_info *info, struct tg_ledger_change *change,
			struct tg_error *err)
{
	int rc;

	pthread_mutex_lock(&l->commit);
	rc = make_room(l, info->source, change, err);
	if (rc)
		tg_batch_discard(l->journal, draft);
	else
		rc = tg_journal_commit(l->journal, draft, info, err);
	if (!rc) {
		pthread_mutex_lock(&l->model_lock);
		if (change->run) {
			change->run->own_batch = info->seq;
			tg_model_touch(&l->model, change->rows, change->n, info->seq);
			tg_model_rebase(&l->model, change->run, change->upto);
			change->run = NULL;
			l->model.batch = info->seq;
		} else {
			tg_model_apply(&l->model, change->rows, change->n, info->seq);
		}
		memcpy(l->model.head, info->hash, sizeof(l->model.head));
		pthread_mutex_unlock(&l->model_lock);
	}
	pthread_mutex_unlock(&l->commit);
	return rc;
}

/* One record of the operator's: its row, under the source's number. */
static int operator_row(struct tg_ledger *l, const struct tg_record *record, struct tg_row *row,
			struct tg_error *err)
{
	int source;

	pthread_mutex_lock(&l->model_lock);
	source = source_number(&l->model, TG_SOURCE_OPERATOR, err);
	pthread_mutex_unlock(&l->model_lock);
	if (source < 0)
		return source;
	*row = tg_row_pack(record, (unsigned)source);
	return 0;
}

static int commit_one(struct tg_ledger *l, struct tg_row *row, const char *refs,
		      enum tg_batch_op op, struct tg_error *err)
{
	struct tg_ledger_change change = { .rows = row, .n = 1 };
	struct tg_batch_info info = { .op = op, .time = (int64_t)time(NULL) };
	struct tg_batch_draft draft;
	const uint64_t refs_len = row->ref ? 1u + (uint8_t)refs[0] : 0;
	int rc = tg_batch_prepare(l->journal, row, 1, refs, refs_len, &draft, err);

	if (rc)
		return rc;
	memcpy(info.source, TG_SOURCE_OPERATOR, sizeof(TG_SOURCE_OPERATOR));
	return tg_ledger_carry_out(l, &draft, &info, &change, err);
}

int tg_ledger_add(struct tg_ledger *ledger, const struct tg_record *record, struct tg_error *err)
{
	char refs[TG_FEED_REF_MAX + 1] = { 0 };
	struct tg_row row;
	int rc = operator_row(ledger, record, &row, err);

	if (rc)
		return rc;
	if (record->ref_len > 0) {
		refs[0] = (char)record->ref_len;
		memcpy(refs + 1, record->ref, record->ref_len);
		row.ref = 1;
	}
	return commit_one(ledger, &row, refs, TG_BATCH_ADD, err);
}

int tg_ledger_del(struct tg_ledger *ledger, const struct tg_record *record, struct tg_error *err)
{
	struct tg_row_list list = { 0 };
	struct tg_row row;
	char number[48];
	bool found = false;
	struct tg_view view;
	size_t i;
	int rc = operator_row(ledger, record, &row, err);

	if (rc)
		return rc;
	pthread_mutex_lock(&ledger->model_lock);
	view = tg_model_view(&ledger->model);
	rc = tg_view_claims(&view, row.key, record->hi, &list);
	pthread_mutex_unlock(&ledger->model_lock);
	for (i = 0; i < list.n && !found; i++)
		found = tg_row_compare(&list.rows[i], &row) == 0;
	if (found)
		row.meta = list.rows[i - 1].meta | TG_ROW_GONE;
	tg_row_list_free(&list);
	if (rc)
		return no_memory(err);
	if (!found) {
		tg_record_number_format(record, number, sizeof(number));
		return tg_error_set(err, -ENOENT,
				    "the operator has no record %s %s for role %s; what feeds say "
				    "is changed by their next import",
				    tg_record_kind_name(record->kind), number,
				    tg_record_role_name(record->roles));
	}
	return commit_one(ledger, &row, "", TG_BATCH_DEL, err);
}

int tg_ledger_flush(struct tg_ledger *ledger, uint64_t *durable, struct tg_error *err)
{
	const int rc = tg_journal_flush(ledger->journal, err);

	*durable = tg_journal_durable(ledger->journal);
	return rc;
}

/* ---- upkeep -------------------------------------------------------------------------------------- */

int tg_ledger_index_step(struct tg_ledger *ledger, uint64_t max_records, struct tg_error *err)
{
	uint32_t last;
	int rc;

	pthread_mutex_lock(&ledger->index);
	/* Not what a power cut may still take: SQLite must not know more than the journal. */
	last = tg_journal_durable(ledger->journal);
	rc = tg_store_step(ledger->store, ledger->journal, last, max_records, err);
	pthread_mutex_lock(&ledger->model_lock);
	ledger->indexed = tg_store_indexed(ledger->store);
	pthread_mutex_unlock(&ledger->model_lock);
	pthread_mutex_unlock(&ledger->index);
	return rc;
}

static int64_t sooner(int64_t best, int64_t expires, int64_t now)
{
	if (expires <= now)
		return best;
	return best == 0 || expires < best ? expires : best;
}

/* The first in the run that is still to come, and the young rows'. A withdrawn row's expiry may be
 * among them: a look too many, never one too few. */
static int64_t next_expiry(const struct tg_view *v, int64_t now)
{
	const struct tg_run *const run = v->base;
	size_t lo = 0, n = run ? run->n_by_expiry : 0, i;
	int64_t best = 0;

	while (n > 0) {
		const size_t half = n / 2;

		if (tg_row_expires(&run->rows[run->by_expiry[lo + half]]) <= now) {
			lo += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	if (run && lo < run->n_by_expiry)
		best = tg_row_expires(&run->rows[run->by_expiry[lo]]);
	for (i = 0; i < v->n_over; i++)
		if (!(v->over[i].meta & TG_ROW_GONE))
			best = sooner(best, tg_row_expires(&v->over[i]), now);
	return best;
}

void tg_ledger_status(struct tg_ledger *ledger, struct tg_ledger_status *status)
{
	const int64_t now = (int64_t)time(NULL);
	const struct tg_model *const m = &ledger->model;
	struct tg_view view;
	unsigned i;

	memset(status, 0, sizeof(*status));
	pthread_mutex_lock(&ledger->model_lock);
	view = tg_model_view(m);
	status->batch = m->batch;
	status->indexed_batch = ledger->indexed;
	status->n_claims = m->n_claims;
	status->n_numbers = m->n_numbers[TG_RECORD_EXACT];
	status->n_ranges = m->n_numbers[TG_RECORD_PREFIX] + m->n_numbers[TG_RECORD_RANGE];
	status->n_shorts = m->n_numbers[TG_RECORD_SHORT];
	status->n_sources = m->n_sources;
	status->next_expiry = next_expiry(&view, now);
	for (i = 0; i < sizeof(m->head); i++)
		snprintf(status->chain_head + 2 * (size_t)i, 3, "%02x", m->head[i]);
	pthread_mutex_unlock(&ledger->model_lock);
}

int tg_ledger_verify(struct tg_ledger *ledger, struct tg_error *err)
{
	uint8_t prev[TG_JOURNAL_HASH] = { 0 };
	uint32_t last, seq;
	struct tg_batch b;
	int rc;

	pthread_mutex_lock(&ledger->model_lock);
	last = ledger->model.batch;
	pthread_mutex_unlock(&ledger->model_lock);
	for (seq = 1; seq <= last; seq++) {
		rc = tg_journal_read(ledger->journal, seq, prev, false, &b, err);
		if (rc)
			return rc;
		memcpy(prev, b.info.hash, sizeof(prev));
		tg_batch_free(&b);
	}
	return 0;
}
