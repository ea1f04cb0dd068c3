/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What ledger.c, ledger_import.c and ledger_query.c share. Locks, in the order in which they are taken:
 *
 *	import	one import at a time
 *	rebase	one that puts another base in place at a time: a large import, a fold
 *	commit	the order of batches: from a batch's number to its being in the model
 *	model	the model's fields; held for microseconds, or some milliseconds for 4096 rows
 *	index	SQLite; taken alone or before `model`
 */
#ifndef TG_CONTROL_LEDGER_PRIVATE_H
#define TG_CONTROL_LEDGER_PRIVATE_H

#include <pthread.h>

#include "control/journal.h"
#include "control/ledger.h"
#include "control/model.h"
#include "control/store_sqlite.h"

struct tg_ledger {
	pthread_mutex_t import;
	pthread_mutex_t rebase;
	pthread_mutex_t commit;
	pthread_mutex_t model_lock;
	pthread_mutex_t index;
	struct tg_journal *journal;
	struct tg_store *store;
	struct tg_model model;
	uint32_t indexed; /* under model_lock */
};

/* A snapshot, taking the model's lock. */
int tg_ledger_freeze(struct tg_ledger *l, struct tg_model_snapshot *s, struct tg_error *err);

/* What a batch does to the model: small ones go over the base, others come with a new base. */
struct tg_ledger_change {
	struct tg_row *rows; /* the batch's, sorted; reordered */
	size_t n;
	struct tg_run *run; /* the new base, or NULL; taken over when the change is carried out */
	uint32_t upto;	    /* that the new base speaks for, besides the rows */
};

/* Commits the draft and carries the change out. Takes `commit` and the model's lock. The draft is
 * used up in any case. info: op, flags, source and file are set. */
int tg_ledger_carry_out(struct tg_ledger *l, struct tg_batch_draft *draft,
			struct tg_batch_info *info, struct tg_ledger_change *change,
			struct tg_error *err);

#endif
