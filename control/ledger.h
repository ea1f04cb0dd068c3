/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The store of record: who claims what of which number, what each batch changed, and the merge of
 * all claims into one listing per number and role.
 *
 * Durability: a batch is one file in STATE/journal, chained to its predecessor by hash. Committed is
 * what the functions below have returned from: kill -9 at any instant leaves either the batch or nothing
 * of it, and of a committed one the batch. Durable, power cuts included, it is after tg_ledger_flush,
 * which a worker thread waits for while the batch takes effect. At start the claims are loaded from the journal, every hash checked. SQLite
 * (STATE/ledger.db, WAL) indexes batches afterwards, resumably, for ad-hoc SQL: tg_ledger_index_step.
 *
 * Merge, deterministic and role by role: allow, then emergency, then the highest score, then the
 * category that stands first in TG_CATEGORIES, then the source's name. Expired claims do not count.
 *
 * Threads: every function may be called from any thread. Imports and base builds take long and run
 * in a worker thread; the others answer within milliseconds even while those run.
 */
#ifndef TG_CONTROL_LEDGER_H
#define TG_CONTROL_LEDGER_H

#include <stdio.h>

#include "control/build.h"
#include "control/error.h"
#include "control/feed.h"
#include "tollgate/num.h"

struct tg_ledger;

#define TG_SOURCE_NAME_MAX 31
#define TG_SOURCE_OPERATOR "operator" /* `tgctl number add` */

int tg_ledger_open(const char *state_dir, struct tg_ledger **ledger, struct tg_error *err);
void tg_ledger_close(struct tg_ledger *ledger);

enum tg_import_mode {
	TG_IMPORT_REPLACE, /* the feed is all that this source claims */
	TG_IMPORT_ADD,	   /* adds to it; a record with the same key replaces the older one */
};

struct tg_import {
	const char *source; /* [a-z0-9._-], at most TG_SOURCE_NAME_MAX; not TG_SOURCE_OPERATOR */
	const char *file;   /* its name, for errors and the journal */
	enum tg_import_mode mode;
	/* Without force: no prefix under 4 digits, and the table may not grow or shrink by more than
	 * 20 % (from 1,000 entries up; the first import into an empty table is free). -EPERM. */
	bool force;
	/* Phases "read", "check", "write"; units are bytes for read, records else; total 0 = not
	 * known. Called from the importing thread; false cancels. May be NULL. */
	bool (*progress)(void *ctx, const char *phase, uint64_t done, uint64_t total);
	void *ctx;
};

struct tg_import_result {
	uint64_t batch; /* sequence number in the journal */
	uint64_t records;
	uint64_t added;
	uint64_t changed;
	uint64_t removed;
};

/* All of the feed or none of it. -ECANCELED when progress said so. */
int tg_ledger_import(struct tg_ledger *ledger, FILE *in, const struct tg_import *import,
		     struct tg_import_result *result, struct tg_error *err);

/* One record of source "operator": committed on return. */
int tg_ledger_add(struct tg_ledger *ledger, const struct tg_record *record, struct tg_error *err);
/* -ENOENT if the operator has no such record (kind, number, roles). */
int tg_ledger_del(struct tg_ledger *ledger, const struct tg_record *record, struct tg_error *err);

/* Durable on return: all that was committed before the call; *durable is the last batch of which that is
 * true, also on a failure (-EIO; nothing can be committed from then on). For a worker thread. */
int tg_ledger_flush(struct tg_ledger *ledger, uint64_t *durable, struct tg_error *err);

/* One claim that bears on a number. */
struct tg_claim {
	struct tg_record record;
	char source[TG_SOURCE_NAME_MAX + 1];
	uint64_t batch;
	bool expired;
	bool decides[2]; /* per enum tg_side: this claim is what the merge took */
};

/* All claims that cover the number, the deciding ones first; *claims is malloc'd. *listing is what
 * the table says at `now`. */
int tg_ledger_lookup(struct tg_ledger *ledger, struct tg_num num, int64_t now,
		     struct tg_claim **claims, size_t *n, uint32_t *listing, struct tg_error *err);

/* A source, and what it claims now. */
struct tg_source {
	char name[TG_SOURCE_NAME_MAX + 1];
	uint64_t n_claims;
	uint64_t batch; /* its last */
	int64_t time;	/* of that batch */
};
/* All sources, by name; *sources is malloc'd. Reads every claim: for a worker thread. */
int tg_ledger_sources(struct tg_ledger *ledger, struct tg_source **sources, size_t *n,
		      struct tg_error *err);

/*
 * The input of a base image as of now, and the point up to which it speaks. The arrays belong to the
 * snapshot; free with tg_ledger_snapshot_free.
 */
struct tg_ledger_snapshot {
	struct tg_build_input input;
	uint64_t batch; /* last batch in it */
	void *owned;
};
int tg_ledger_snapshot_base(struct tg_ledger *ledger, int64_t now,
			    struct tg_ledger_snapshot *snapshot, struct tg_error *err);
/* What changed since the base or delta that was snapshot at `since_batch` (batches after it, and what has
 * expired between `since_time` and now), as a delta's input, numbers by value; base_id is the caller's
 * to set. -ESTALE when that is too much or too long ago to tell. */
int tg_ledger_snapshot_delta(struct tg_ledger *ledger, uint64_t since_batch, int64_t since_time,
			     int64_t now, struct tg_ledger_snapshot *snapshot,
			     struct tg_error *err);
void tg_ledger_snapshot_free(struct tg_ledger_snapshot *snapshot);

struct tg_ledger_status {
	uint64_t batch;		/* last committed */
	uint64_t indexed_batch; /* last that SQLite knows */
	uint64_t n_claims;
	uint64_t n_numbers;
	uint64_t n_ranges;
	uint64_t n_shorts;
	uint64_t n_sources;  /* the operator is always one */
	int64_t next_expiry; /* 0 = none */
	char chain_head[65]; /* hex */
};
void tg_ledger_status(struct tg_ledger *ledger, struct tg_ledger_status *status);

/* Would snapshot_delta tell what batches have changed? (What has expired may be too much all the same.) */
bool tg_ledger_tells_delta(struct tg_ledger *ledger, uint64_t since_batch);
/* Has so much changed since this base that a new one is due? The daemon then folds. */
bool tg_ledger_wants_base(struct tg_ledger *ledger, uint64_t since_batch);

/* Brings SQLite on by up to max_records of what is durable and it has not, in one transaction. 1 = there is more, 0 = it is up to date, or negative errno. Slow (some 300,000 records/s): for a
 * worker thread; the other functions do not wait for it. */
int tg_ledger_index_step(struct tg_ledger *ledger, uint64_t max_records, struct tg_error *err);

/* Walks the journal from its first batch: every hash, every link. */
int tg_ledger_verify(struct tg_ledger *ledger, struct tg_error *err);

#endif
