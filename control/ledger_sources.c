/* SPDX-License-Identifier: BSD-3-Clause */
/* The ledger by source: how much each claims, and since when. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/ledger_private.h"

/* Names under the model's lock; what is claimed is then counted without it. */
static struct tg_source *copy_names(struct tg_ledger *l, unsigned *n)
{
	struct tg_source *sources;
	unsigned i;

	pthread_mutex_lock(&l->model_lock);
	*n = l->model.n_sources;
	sources = calloc(*n + 1u, sizeof(*sources));
	for (i = 0; sources && i < *n; i++)
		memcpy(sources[i].name, l->model.sources[i], sizeof(sources[i].name));
	pthread_mutex_unlock(&l->model_lock);
	return sources;
}

static int by_name(const void *a, const void *b)
{
	const struct tg_source *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int batch_times(struct tg_ledger *l, struct tg_source *sources, unsigned n,
		       struct tg_error *err)
{
	struct tg_batch batch;
	unsigned i;
	int rc;

	for (i = 0; i < n; i++) {
		if (sources[i].batch == 0)
			continue;
		rc = tg_journal_read(l->journal, (uint32_t)sources[i].batch, NULL, true, &batch,
				     err);
		if (rc != 0)
			return rc;
		sources[i].time = batch.info.time;
		tg_batch_free(&batch);
	}
	return 0;
}

int tg_ledger_sources(struct tg_ledger *ledger, struct tg_source **sources, size_t *n,
		      struct tg_error *err)
{
	struct tg_model_snapshot s;
	struct tg_view_iter it;
	struct tg_source *list;
	unsigned count;
	int rc;

	rc = tg_ledger_freeze(ledger, &s, err);
	if (rc != 0)
		return rc;
	/* After the snapshot: a source is named before its first batch is in the model. */
	list = copy_names(ledger, &count);
	if (!list) {
		tg_model_snapshot_free(&s);
		return tg_error_set(err, -ENOMEM, "out of memory");
	}
	for (it = tg_view_begin(&s.view, 0); tg_view_next(&it);) {
		struct tg_source *const source = &list[tg_row_source(&it.row)];

		source->n_claims++;
		if (it.row.batch > source->batch)
			source->batch = it.row.batch;
	}
	tg_model_snapshot_free(&s);
	rc = batch_times(ledger, list, count, err);
	if (rc != 0) {
		free(list);
		return rc;
	}
	qsort(list, count, sizeof(*list), by_name);
	*sources = list;
	*n = count;
	return 0;
}
