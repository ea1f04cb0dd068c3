/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading the ledger: what is claimed of a number and who decides, and what the next image, base or
 * delta, is built from.
 */
#include "control/ledger_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/records.h"

/* What one delta may be asked of: each number costs some 2 us of cache misses, 8192 are 16 ms. More of
 * them, or so many entries that are no exact numbers, which a delta carries all, come with a base. */
#define DELTA_NUMBERS 8192
#define DELTA_RANGES 50000
/* Numbers touched since the base from which a new one is worth its work: until then they are carried on
 * from delta to delta, which costs each publication 60 ns a number, one millisecond. */
#define FOLD_NUMBERS 16384

static int no_memory(struct tg_error *err)
{
	return tg_error_set(err, -ENOMEM, "out of memory");
}

/* ---- lookup -------------------------------------------------------------------------------------- */

static bool is_exact(const struct tg_row *r)
{
	return tg_row_kind(r) == TG_RECORD_EXACT || tg_row_kind(r) == TG_RECORD_SHORT;
}

/* How many numbers of 15 digits a claim covers; exact ones come before all. */
static uint64_t width(const struct tg_row *r)
{
	struct tg_build_interval i;

	if (is_exact(r))
		return 0;
	i = tg_merge_interval(r);
	return i.hi - i.lo + 1;
}

/* < 0 when `a` prevails: exact, then the narrowest, then the merge's rule (architecture §11). */
static int compare_claims(const struct tg_row *a, const struct tg_row *b,
			  const struct tg_merge_order *order)
{
	const uint64_t wa = width(a), wb = width(b);

	if (wa != wb)
		return wa < wb ? -1 : 1;
	return tg_merge_compare(a, b, order);
}

/* The row that decides for a side, or -1. */
static ptrdiff_t decider(const struct tg_row_list *list, unsigned side, int64_t now,
			 const struct tg_merge_order *order)
{
	ptrdiff_t best = -1;
	size_t i;

	for (i = 0; i < list->n; i++) {
		const struct tg_row *const r = &list->rows[i];

		if (!(tg_row_roles(r) >> side & 1) || tg_row_expired(r, now))
			continue;
		if (best < 0 || compare_claims(r, &list->rows[best], order) < 0)
			best = (ptrdiff_t)i;
	}
	return best;
}

struct ranked {
	const struct tg_row *row;
	bool decides[2];
	bool expired;
	const struct tg_merge_order *order;
};

static int by_weight(const void *pa, const void *pb)
{
	const struct ranked *const a = pa, *const b = pb;
	const int da = a->decides[0] + a->decides[1], db = b->decides[0] + b->decides[1];

	if (da != db)
		return db - da;
	if (a->expired != b->expired)
		return a->expired ? 1 : -1;
	return compare_claims(a->row, b->row, a->order);
}

static uint32_t side_of_listing(const struct tg_row *r, unsigned side)
{
	const uint32_t slot = tg_listing_slot((enum tg_category)tg_row_category(r),
					      tg_row_score(r));

	if (side == TG_SIDE_CALLER)
		return tg_listing_make(slot, 0) | (is_exact(r) ? 0 : TG_LISTING_CALLER_BY_RANGE);
	return tg_listing_make(0, slot) | (is_exact(r) ? 0 : TG_LISTING_CALLED_BY_RANGE);
}

static struct ranked *rank_claims(const struct tg_row_list *list, int64_t now,
				  const struct tg_merge_order *order, uint32_t *listing)
{
	struct ranked *ranked = calloc(list->n + 1, sizeof(*ranked));
	unsigned side;
	size_t i;

	*listing = 0;
	if (!ranked)
		return NULL;
	for (i = 0; i < list->n; i++)
		ranked[i] = (struct ranked){ .row = &list->rows[i],
					     .expired = tg_row_expired(&list->rows[i], now),
					     .order = order };
	for (side = 0; side < 2; side++) {
		const ptrdiff_t best = decider(list, side, now, order);

		if (best < 0)
			continue;
		ranked[best].decides[side] = true;
		*listing |= side_of_listing(&list->rows[best], side);
	}
	qsort(ranked, list->n, sizeof(*ranked), by_weight);
	return ranked;
}

static void fill_claim(struct tg_ledger *l, const struct ranked *from, struct tg_claim *claim)
{
	tg_row_unpack(from->row, &claim->record);
	claim->batch = from->row->batch;
	claim->expired = from->expired;
	memcpy(claim->decides, from->decides, sizeof(claim->decides));
	tg_journal_ref(l->journal, from->row->batch, from->row->ref, claim->record.ref);
	claim->record.ref_len = (uint8_t)strlen(claim->record.ref);
	pthread_mutex_lock(&l->model_lock);
	memcpy(claim->source, l->model.sources[tg_row_source(from->row)], sizeof(claim->source));
	pthread_mutex_unlock(&l->model_lock);
}

/* Claims that cover the number, and the order of sources at that moment (malloc'd). */
static int covering(struct tg_ledger *l, struct tg_num num, struct tg_row_list *list,
		    uint16_t **rank)
{
	struct tg_view view;
	int rc = -ENOMEM;

	pthread_mutex_lock(&l->model_lock);
	*rank = malloc((l->model.n_sources + 1u) * sizeof(**rank));
	if (*rank) {
		memcpy(*rank, l->model.rank, l->model.n_sources * sizeof(**rank));
		view = tg_model_view(&l->model);
		rc = tg_view_covering(&view, num, list);
	}
	pthread_mutex_unlock(&l->model_lock);
	return rc;
}

int tg_ledger_lookup(struct tg_ledger *ledger, struct tg_num num, int64_t now,
		     struct tg_claim **claims, size_t *n, uint32_t *listing, struct tg_error *err)
{
	struct tg_row_list list = { 0 };
	struct ranked *ranked = NULL;
	struct tg_merge_order order;
	uint16_t *rank = NULL;
	int rc = covering(ledger, num, &list, &rank);
	size_t i;

	order.rank = rank;
	*claims = NULL;
	*n = 0;
	*listing = 0;
	if (!rc) {
		ranked = rank_claims(&list, now, &order, listing);
		*claims = calloc(list.n + 1, sizeof(**claims));
		if (!ranked || !*claims)
			rc = -ENOMEM;
	}
	if (!rc) {
		*n = list.n;
		for (i = 0; i < list.n; i++)
			fill_claim(ledger, &ranked[i], &(*claims)[i]);
	} else {
		free(*claims);
		*claims = NULL;
		rc = no_memory(err);
	}
	free(ranked);
	free(rank);
	tg_row_list_free(&list);
	return rc;
}

/* ---- what an image is built from ----------------------------------------------------------------- */

/* All of a view from a key on, number by number. */
static int merge_view(struct tg_merge_output *out, const struct tg_view *view, uint64_t from,
		      int64_t now, const struct tg_merge_order *order)
{
	struct tg_view_iter it = tg_view_begin(view, from);
	struct tg_row_list group = { 0 };
	bool more = tg_view_next(&it);
	int rc = 0;

	while (!rc && more) {
		group.n = 0;
		do {
			rc = tg_row_list_add(&group, &it.row);
			more = tg_view_next(&it);
		} while (!rc && more && tg_row_same_number(&group.rows[0], &it.row));
		if (!rc)
			rc = tg_merge_append(out, &group.rows[0],
					     tg_merge_listing(group.rows, group.n, now, order),
					     false);
	}
	tg_row_list_free(&group);
	return rc;
}

static void finish(struct tg_merge_output *out, enum tg_image_kind kind, int64_t now,
		   uint32_t batch, struct tg_ledger_snapshot *snapshot)
{
	snapshot->input.kind = kind;
	snapshot->input.created = (uint64_t)now;
	snapshot->batch = batch;
	tg_merge_finish(out, &snapshot->input);
}

/* Makes a new base of what has gathered over it, unless a large import is about to; small ones go on
 * meanwhile. Best effort: without it everything works, only more slowly. */
static void fold(struct tg_ledger *l)
{
	struct tg_model_snapshot s;
	struct tg_run *run = NULL;

	if (pthread_mutex_trylock(&l->rebase) != 0)
		return;
	if (tg_ledger_freeze(l, &s, NULL) == 0) {
		if (s.view.n_over > 0)
			run = tg_run_build(&s.view, NULL, 0);
		if (run) {
			pthread_mutex_lock(&l->commit);
			pthread_mutex_lock(&l->model_lock);
			tg_model_rebase(&l->model, run, s.batch);
			pthread_mutex_unlock(&l->model_lock);
			pthread_mutex_unlock(&l->commit);
		}
		tg_model_snapshot_free(&s);
	}
	pthread_mutex_unlock(&l->rebase);
}

int tg_ledger_snapshot_base(struct tg_ledger *ledger, int64_t now,
			    struct tg_ledger_snapshot *snapshot, struct tg_error *err)
{
	struct tg_merge_output out = { 0 };
	struct tg_model_snapshot s;
	struct tg_merge_order order;
	int rc;

	memset(snapshot, 0, sizeof(*snapshot));
	fold(ledger);
	rc = tg_ledger_freeze(ledger, &s, err);
	if (rc)
		return rc;
	order.rank = s.rank;
	if (s.view.n_over == 0 && s.base)
		rc = tg_merge_rows(&out, s.base->rows, s.base->n, now, &order);
	else
		rc = merge_view(&out, &s.view, 0, now, &order);
	if (!rc)
		finish(&out, TG_IMAGE_BASE, now, s.batch, snapshot);
	tg_merge_free(&out);
	tg_model_snapshot_free(&s);
	return rc ? no_memory(err) : 0;
}

/* Exact numbers of which something may have changed, and whether anything else did. */
struct changed {
	uint64_t *keys;
	size_t n, cap;
	bool ranges;
};

static int add_key(struct changed *c, uint64_t key)
{
	if (key >= TG_ROW_KEY_EXACT_END) {
		c->ranges = true;
		return 0;
	}
	if (c->n == c->cap) {
		const size_t cap = c->cap ? c->cap * 2 : 256;
		uint64_t *p = realloc(c->keys, cap * sizeof(*p));

		if (!p)
			return -ENOMEM;
		c->keys = p;
		c->cap = cap;
	}
	c->keys[c->n++] = key;
	return 0;
}

/* First of the touched numbers that belongs to a batch after `since`. */
static size_t touched_after(const struct tg_model *m, uint64_t since)
{
	size_t lo = 0, n = m->n_touched;

	while (n > 0) {
		const size_t half = n / 2;

		if (m->touched[lo + half].batch <= since) {
			lo += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return lo;
}

static bool too_many_ranges(const struct tg_model *m, uint64_t since)
{
	return m->ranges_touched > since && m->n_numbers[TG_RECORD_PREFIX] +
							    m->n_numbers[TG_RECORD_RANGE] +
							    m->n_numbers[TG_RECORD_SHORT] >
						    DELTA_RANGES;
}

/* Under the model's lock. */
static bool tells_delta(const struct tg_model *m, uint64_t since)
{
	return since >= m->touched_since && since <= m->batch &&
	       m->n_touched - touched_after(m, since) <= DELTA_NUMBERS &&
	       !too_many_ranges(m, since);
}

/* Under the model's lock: what batches touched, and a snapshot to work with. */
static int collect_touched(struct tg_ledger *l, uint64_t since, struct changed *c,
			   struct tg_model_snapshot *s)
{
	const struct tg_model *const m = &l->model;
	int rc = 0;
	size_t i;

	pthread_mutex_lock(&l->model_lock);
	if (!tells_delta(m, since))
		rc = -ESTALE;
	for (i = touched_after(m, since); !rc && i < m->n_touched; i++)
		rc = add_key(c, m->touched[i].key);
	c->ranges = m->ranges_touched > since;
	if (!rc)
		rc = tg_model_snapshot(m, s);
	pthread_mutex_unlock(&l->model_lock);
	return rc;
}

/* What expires in (since, now], in the base by its index, above it by looking at all. */
static int collect_expired(const struct tg_view *v, int64_t since, int64_t now, struct changed *c)
{
	const struct tg_run *const run = v->base;
	size_t lo = 0, n = run ? run->n_by_expiry : 0, i;
	int rc = 0;

	while (n > 0) {
		const size_t half = n / 2;

		if (tg_row_expires(&run->rows[run->by_expiry[lo + half]]) <= since) {
			lo += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	for (; !rc && run && lo < run->n_by_expiry; lo++) {
		const struct tg_row *const r = &run->rows[run->by_expiry[lo]];

		if (tg_row_expires(r) > now)
			break;
		if (c->n >= 2 * DELTA_NUMBERS)
			return -ESTALE;
		rc = add_key(c, r->key);
	}
	for (i = 0; !rc && i < v->n_over; i++)
		if (tg_row_expires(&v->over[i]) > since && tg_row_expires(&v->over[i]) <= now)
			rc = add_key(c, v->over[i].key);
	return rc;
}

static int by_key(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static int merge_changed(struct tg_merge_output *out, const struct tg_model_snapshot *s,
			 struct changed *c, int64_t now)
{
	const struct tg_merge_order order = { s->rank };
	struct tg_row_list claims = { 0 };
	int rc = 0;
	size_t i;

	if (c->n > 1)
		qsort(c->keys, c->n, sizeof(*c->keys), by_key);
	for (i = 0; !rc && i < c->n; i++) {
		const struct tg_row number = { .key = c->keys[i] };

		if (i > 0 && c->keys[i] == c->keys[i - 1])
			continue;
		claims.n = 0;
		rc = tg_view_claims(&s->view, number.key, tg_row_lo(&number), &claims);
		if (!rc)
			rc = tg_merge_append(out, &number,
					     tg_merge_listing(claims.rows, claims.n, now, &order),
					     true);
	}
	if (!rc && c->ranges)
		rc = merge_view(out, &s->view, TG_ROW_KEY_EXACT_END, now, &order);
	tg_row_list_free(&claims);
	return rc;
}

int tg_ledger_snapshot_delta(struct tg_ledger *ledger, uint64_t since_batch, int64_t since_time,
			     int64_t now, struct tg_ledger_snapshot *snapshot, struct tg_error *err)
{
	struct tg_model_snapshot s = { 0 };
	struct tg_merge_output out = { 0 };
	struct changed c = { 0 };
	int rc;

	memset(snapshot, 0, sizeof(*snapshot));
	rc = collect_touched(ledger, since_batch, &c, &s);
	if (!rc)
		rc = collect_expired(&s.view, since_time, now, &c);
	if (!rc)
		rc = merge_changed(&out, &s, &c, now);
	if (!rc) {
		finish(&out, TG_IMAGE_DELTA, now, s.batch, snapshot);
		snapshot->input.replaces_ranges = c.ranges;
	}
	tg_merge_free(&out);
	tg_model_snapshot_free(&s);
	free(c.keys);
	if (rc == -ESTALE)
		return tg_error_set(err, rc, "too much has changed for a delta: a new base is due");
	return rc ? no_memory(err) : 0;
}

void tg_ledger_snapshot_free(struct tg_ledger_snapshot *snapshot)
{
	tg_records_input_free(&snapshot->input);
	memset(snapshot, 0, sizeof(*snapshot));
}

bool tg_ledger_tells_delta(struct tg_ledger *ledger, uint64_t since_batch)
{
	bool tells;

	pthread_mutex_lock(&ledger->model_lock);
	tells = tells_delta(&ledger->model, since_batch);
	pthread_mutex_unlock(&ledger->model_lock);
	return tells;
}

bool tg_ledger_wants_base(struct tg_ledger *ledger, uint64_t since_batch)
{
	const struct tg_model *const m = &ledger->model;
	bool wants;

	pthread_mutex_lock(&ledger->model_lock);
	wants = since_batch < m->touched_since || since_batch > m->batch ||
		m->n_touched - touched_after(m, since_batch) > FOLD_NUMBERS ||
		too_many_ranges(m, since_batch);
	pthread_mutex_unlock(&ledger->model_lock);
	return wants;
}
