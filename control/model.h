/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the ledger holds in memory: all claims as a run with young rows over it, the sources, the
 * numbers of entries, and which numbers each recent batch touched. No locks, no files: ledger.c holds
 * the locks, and says at each function which.
 */
#ifndef TG_CONTROL_MODEL_H
#define TG_CONTROL_MODEL_H

#include "control/ledger.h"
#include "control/merge.h"
#include "control/run.h"

/* So many changed rows, at most, go over the base; more make a new base. Each costs a few binary
 * searches of some 24 misses under the model's lock: 4096 take some 10 ms. */
#define TG_MODEL_SMALL 4096
/* Young rows above which an import makes a new base itself, a second of work at 10 M. Far above what asks
 * for a fold in the background (ledger_query.c), so that batches go on while it runs; 2 MB, which every
 * snapshot copies in 0.2 ms. */
#define TG_MODEL_OVER_MAX 65536
/* Touched numbers that are remembered: 16 MiB. */
#define TG_MODEL_TOUCHED_MAX (1u << 20)

struct tg_touched {
	uint64_t key; /* of an exact number */
	uint64_t batch;
};

struct tg_model {
	struct tg_run *base; /* may be NULL */
	struct tg_row_list over;
	uint64_t n_claims;
	uint64_t n_numbers[TG_RECORD_KIND_COUNT];
	uint32_t batch;
	uint8_t head[32];
	char (*sources)[TG_SOURCE_NAME_MAX + 1];
	uint16_t *rank; /* place of each source's name in alphabetical order */
	unsigned n_sources;
	struct tg_touched *touched; /* by batch */
	size_t n_touched;
	size_t cap_touched;
	uint32_t touched_since;	 /* batches after this one are all in it */
	uint32_t ranges_touched; /* last batch that touched a prefix, range or short code */
};

void tg_model_fini(struct tg_model *m);

static inline struct tg_view tg_model_view(const struct tg_model *m)
{
	return (struct tg_view){ m->base, m->over.rows, m->over.n };
}

/* The source's number, or -1. */
int tg_model_source(const struct tg_model *m, const char *name);
/* Appends a source; its number, or -ENOMEM, -ENOSPC. */
int tg_model_source_add(struct tg_model *m, const char *name);

/* Makes room for so many young rows and touched numbers, so that the functions below cannot fail: to
 * be called before a batch is committed. */
int tg_model_reserve(struct tg_model *m, size_t n_over, size_t n_touched);

/* Puts a batch of at most TG_MODEL_SMALL rows over the base. Reorders `rows`. */
void tg_model_apply(struct tg_model *m, struct tg_row *rows, size_t n, uint32_t batch);

/* Takes over `run` in the base's place. Young rows of batches up to `upto` are in it, and go. */
void tg_model_rebase(struct tg_model *m, struct tg_run *run, uint32_t upto);
/* Notes what a batch touched; sorted rows. Part of tg_model_apply. */
void tg_model_touch(struct tg_model *m, const struct tg_row *rows, size_t n, uint32_t batch);

/* A moment of the model, to be worked on without its lock. */
struct tg_model_snapshot {
	struct tg_view view;
	struct tg_row *over;
	struct tg_run *base;
	uint16_t *rank;
	uint32_t batch;
};
int tg_model_snapshot(const struct tg_model *m, struct tg_model_snapshot *s);
void tg_model_snapshot_free(struct tg_model_snapshot *s);

#endif
