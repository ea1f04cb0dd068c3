/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SQLite's copy of the journal, for ad-hoc SQL: tables sources, batches, claims, and the view
 * claim_list that a person reads. Made from the journal and from nothing else, so a damaged one is
 * made anew. Progress is kept in the transaction that makes it, so it resumes where it stopped.
 *
 * Not known here: merging. One thread at a time.
 */
#ifndef TG_CONTROL_STORE_SQLITE_H
#define TG_CONTROL_STORE_SQLITE_H

#include "control/journal.h"

struct tg_store;

/* -EBADMSG when the store knows batches that the journal has lost. */
int tg_store_open(const char *path, const struct tg_journal *journal, struct tg_store **store,
		  struct tg_error *err);
void tg_store_close(struct tg_store *store);

/* Last batch that is in it as a whole. */
uint32_t tg_store_indexed(const struct tg_store *store);

/* Takes in up to max_records of what the journal has up to batch `last`: 1 = there is more, 0 = it has
 * all, or negative errno. One transaction. */
int tg_store_step(struct tg_store *store, const struct tg_journal *journal, uint32_t last,
		  uint64_t max_records, struct tg_error *err);

#endif
