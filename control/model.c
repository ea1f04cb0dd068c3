/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void tg_model_fini(struct tg_model *m)
{
	tg_run_put(m->base);
	tg_row_list_free(&m->over);
	free(m->sources);
	free(m->rank);
	free(m->touched);
	memset(m, 0, sizeof(*m));
}

int tg_model_source(const struct tg_model *m, const char *name)
{
	unsigned i;

	for (i = 0; i < m->n_sources; i++)
		if (strcmp(m->sources[i], name) == 0)
			return (int)i;
	return -1;
}

int tg_model_source_add(struct tg_model *m, const char *name)
{
	const unsigned n = m->n_sources + 1;
	char(*names)[TG_SOURCE_NAME_MAX + 1];
	uint16_t *rank;
	unsigned i, k;

	if (n > TG_ROW_SOURCE_MAX)
		return -ENOSPC;
	names = realloc(m->sources, n * sizeof(*names));
	if (!names)
		return -ENOMEM;
	m->sources = names;
	rank = realloc(m->rank, n * sizeof(*rank));
	if (!rank)
		return -ENOMEM;
	m->rank = rank;
	memset(names[n - 1], 0, sizeof(names[n - 1]));
	memcpy(names[n - 1], name, strnlen(name, TG_SOURCE_NAME_MAX));
	m->n_sources = n;
	for (i = 0; i < n; i++)
		for (rank[i] = 0, k = 0; k < n; k++)
			rank[i] += strcmp(names[k], names[i]) < 0;
	return (int)n - 1;
}

int tg_model_reserve(struct tg_model *m, size_t n_over, size_t n_touched)
{
	const size_t over = m->over.n + n_over;
	const size_t touched = m->n_touched + n_touched;

	if (over > m->over.cap) {
		const size_t cap = over + over / 2 + 64;
		struct tg_row *p = realloc(m->over.rows, cap * sizeof(*p));

		if (!p)
			return -ENOMEM;
		m->over.rows = p;
		m->over.cap = cap;
	}
	if (touched > m->cap_touched && n_touched <= TG_MODEL_TOUCHED_MAX) {
		const size_t cap = touched + touched / 2 + 64;
		struct tg_touched *p = realloc(m->touched, cap * sizeof(*p));

		if (!p)
			return -ENOMEM;
		m->touched = p;
		m->cap_touched = cap;
	}
	return 0;
}

/* Forgets the older half, whole batches of it. */
static void forget_touched(struct tg_model *m)
{
	size_t keep = m->n_touched / 2;

	while (keep < m->n_touched && m->touched[keep].batch == m->touched[keep - 1].batch)
		keep++;
	m->touched_since = (uint32_t)m->touched[keep - 1].batch;
	m->n_touched -= keep;
	memmove(m->touched, m->touched + keep, m->n_touched * sizeof(*m->touched));
}

void tg_model_touch(struct tg_model *m, const struct tg_row *rows, size_t n, uint32_t batch)
{
	size_t i;

	if (n > 0 && rows[n - 1].key >= TG_ROW_KEY_EXACT_END)
		m->ranges_touched = batch;
	if (n > TG_MODEL_TOUCHED_MAX) {
		m->n_touched = 0;
		m->touched_since = batch;
		return;
	}
	for (i = 0; i < n && rows[i].key < TG_ROW_KEY_EXACT_END; i++)
		m->touched[m->n_touched++] = (struct tg_touched){ rows[i].key, batch };
	while (m->n_touched > TG_MODEL_TOUCHED_MAX)
		forget_touched(m);
}

/* Adds (sign 1) or takes off (-1) what the model holds of the numbers and claims of these sorted rows;
 * with `batch` not 0 only of that batch's. */
static void count(struct tg_model *m, const struct tg_row *rows, size_t n, uint32_t batch, int sign)
{
	const struct tg_view view = tg_model_view(m);
	const uint64_t one = sign > 0 ? 1 : UINT64_MAX;
	const struct tg_row *last = NULL;
	struct tg_row found;
	size_t i;

	for (i = 0; i < n; i++) {
		if (batch && rows[i].batch != batch)
			continue;
		if (tg_view_find_row(&view, &rows[i], &found))
			m->n_claims += one;
		if ((!last || !tg_row_same_number(last, &rows[i])) &&
		    tg_view_has_number(&view, &rows[i]))
			m->n_numbers[tg_row_kind(&rows[i])] += one;
		last = &rows[i];
	}
}

/* Rows with an identity that is there already take its place; the others are moved to the front of
 * `rows`, in order. Returns how many. */
static size_t overwrite(struct tg_row_list *over, struct tg_row *rows, size_t n)
{
	size_t fresh = 0, i;

	for (i = 0; i < n; i++) {
		const struct tg_row *const at = tg_rows_find_row(over->rows, over->n, &rows[i]);

		if (at)
			over->rows[at - over->rows] = rows[i];
		else
			rows[fresh++] = rows[i];
	}
	return fresh;
}

/* From the back, in place: there is room (tg_model_reserve). */
static void insert(struct tg_row_list *over, const struct tg_row *rows, size_t n)
{
	size_t from = over->n, to = over->n + n;

	over->n = to;
	while (n > 0) {
		if (from > 0 && tg_row_compare(&over->rows[from - 1], &rows[n - 1]) > 0)
			over->rows[--to] = over->rows[--from];
		else
			over->rows[--to] = rows[--n];
	}
}

void tg_model_apply(struct tg_model *m, struct tg_row *rows, size_t n, uint32_t batch)
{
	size_t i;

	for (i = 0; i < n; i++)
		rows[i].batch = batch;
	tg_model_touch(m, rows, n, batch);
	count(m, rows, n, 0, -1);
	/* `rows` is reordered below: counted afterwards is what now stands in `over`. */
	insert(&m->over, rows, overwrite(&m->over, rows, n));
	count(m, m->over.rows, m->over.n, batch, 1);
	m->batch = batch;
}

void tg_model_rebase(struct tg_model *m, struct tg_run *run, uint32_t upto)
{
	const size_t n = m->over.n;
	size_t i, kept = 0;

	for (i = 0; i < n; i++)
		if (m->over.rows[i].batch > upto)
			m->over.rows[kept++] = m->over.rows[i];
	tg_run_put(m->base);
	m->base = run;
	m->n_claims = run->n;
	memcpy(m->n_numbers, run->n_numbers, sizeof(m->n_numbers));
	m->over.n = 0;
	for (i = 0; i < kept; i++) {
		count(m, &m->over.rows[i], 1, 0, -1);
		m->over.n = i + 1;
		count(m, &m->over.rows[i], 1, 0, 1);
	}
}

int tg_model_snapshot(const struct tg_model *m, struct tg_model_snapshot *s)
{
	memset(s, 0, sizeof(*s));
	s->over = malloc(m->over.n ? m->over.n * sizeof(*s->over) : 1);
	s->rank = malloc(m->n_sources ? m->n_sources * sizeof(*s->rank) : 1);
	if (!s->over || !s->rank) {
		tg_model_snapshot_free(s);
		return -ENOMEM;
	}
	if (m->over.n > 0)
		memcpy(s->over, m->over.rows, m->over.n * sizeof(*s->over));
	if (m->n_sources > 0)
		memcpy(s->rank, m->rank, m->n_sources * sizeof(*s->rank));
	s->base = tg_run_get(m->base);
	s->view = (struct tg_view){ s->base, s->over, m->over.n };
	s->batch = m->batch;
	return 0;
}

void tg_model_snapshot_free(struct tg_model_snapshot *s)
{
	free(s->over);
	free(s->rank);
	tg_run_put(s->base);
	memset(s, 0, sizeof(*s));
}
