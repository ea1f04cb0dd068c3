/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What journal.c (opening, flushing), journal_read.c and journal_write.c share. `commit` needs no lock:
 * one caller at a time, and what it writes is its own; what the flusher takes from it is under `lock`.
 */
#ifndef TG_CONTROL_JOURNAL_PRIVATE_H
#define TG_CONTROL_JOURNAL_PRIVATE_H

#include <pthread.h>

#include <sodium.h>

#include "control/journal.h"

#define TG_JOURNAL_MAGIC "TGBATCH1"
#define TG_JOURNAL_HEADER 512
#define TG_JOURNAL_HASHED (TG_JOURNAL_HEADER - TG_JOURNAL_HASH)
#define TG_JOURNAL_ROW 32
#define TG_JOURNAL_DRAFT "draft."

static_assert(crypto_generichash_BYTES == TG_JOURNAL_HASH, "BLAKE2b-256");
static_assert(sizeof(struct tg_row) == TG_JOURNAL_ROW, "read and written in place");

/* Committed, and not flushed yet. The descriptor stays open: it is what a failure to write is told to. */
struct tg_journal_young {
	struct tg_journal_young *next;
	uint32_t seq;
	int fd;
};

struct tg_journal {
	int dir;
	int lock_fd;
	uint32_t last;
	uint32_t drafts; /* number of the next draft's name; relaxed, only has to differ */
	uint8_t head[TG_JOURNAL_HASH]; /* of `last`, once known */
	bool head_known;
	pthread_mutex_t flush;		/* one flusher at a time */
	pthread_mutex_t lock;		/* over what follows */
	struct tg_journal_young *young; /* ascending */
	struct tg_journal_young **young_end;
	uint32_t durable;
	bool broken; /* a flush's outcome is not known */
};

/* DIR/0000000001.batch, and .young until it is flushed. */
void tg_journal_name(uint32_t seq, bool young, char name[32]);

/* Descriptor of batch `seq`, whether flushed or not; or -1 with errno. */
int tg_journal_open_batch(const struct tg_journal *journal, uint32_t seq);

/* Reads and checks an open batch: NULL, or what is wrong with it. *b is to be freed in either case. */
const char *tg_journal_check(int fd, uint32_t seq, const uint8_t *prev, bool headers_only,
			     struct tg_batch *b);

#endif
