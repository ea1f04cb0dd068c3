/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The journal: one file a batch, DIR/%010u.batch, never changed once it has its name. All numbers are
 * little-endian; hashes are BLAKE2b-256 (libsodium crypto_generichash).
 *
 * A batch is committed when its file is whole and is called %010u.young: a kill cannot take it back any
 * more, for the next process takes it over. It is durable, power cuts included, when it is flushed and
 * called .batch. The two are apart so that what is committed can take effect while the disk works.
 * *
 *	offset  bytes
 *	     0      8  "TGBATCH1"
 *	     8      8  sequence number, from 1
 *	    16      8  time, seconds since the epoch, UTC
 *	    24      8  number of records
 *	    32      8  length of the references' text
 *	    40      4  operation (enum tg_batch_op)
 *	    44      4  flags (TG_BATCH_*)
 *	    48     32  source, NUL-padded
 *	    80    128  file that was imported, NUL-padded, its end when it is longer
 *	   208     32  hash of the predecessor's header; zero for the first
 *	   240     32  hash of what follows the header
 *	   272    208  zero
 *	   480     32  hash of the 480 bytes before: the link of the chain
 *	   512         records, 32 bytes each, sorted: key, sub, meta (rows.h, source 0), four zero
 *		bytes, ref
 *	               references: each a length byte and that many bytes
 *
 * A record sets its claim, or with TG_ROW_GONE withdraws it. Not known here: what claims mean.
 * Threads: tg_batch_prepare, tg_journal_flush and the readers from any; tg_journal_commit from one at a
 * time.
 */
#ifndef TG_CONTROL_JOURNAL_H
#define TG_CONTROL_JOURNAL_H

#include "control/error.h"
#include "control/rows.h"

#define TG_JOURNAL_HASH 32
#define TG_JOURNAL_FILE_MAX 127
#define TG_JOURNAL_SOURCE_MAX 31

#define TG_BATCH_OPS(X)                                                                            \
	X(REPLACE, "import-replace")                                                               \
	X(ADD_FEED, "import-add")                                                                  \
	X(ADD, "add")                                                                              \
	X(DEL, "del")

enum tg_batch_op {
#define X(sym, name) TG_BATCH_##sym,
	TG_BATCH_OPS(X)
#undef X
	TG_BATCH_OP_COUNT
};

#define TG_BATCH_FORCED 0x1 /* the operator overrode the limits */

struct tg_batch_info {
	uint32_t seq;
	uint32_t op;
	uint32_t flags;
	int64_t time;
	uint64_t n_rows;
	uint64_t refs_len;
	char source[TG_JOURNAL_SOURCE_MAX + 1];
	char file[TG_JOURNAL_FILE_MAX + 1];
	uint8_t prev[TG_JOURNAL_HASH];
	uint8_t hash[TG_JOURNAL_HASH];
};

const char *tg_batch_op_name(unsigned op);

struct tg_journal;

/* Makes DIR when it is not there, finds the last batch by name (tg_journal_read tells whether it is
 * sound), flushes what was committed after it and is whole, removes what a crash left of others. -EBUSY
 * when another process has it open. */
int tg_journal_open(const char *dir, struct tg_journal **journal, struct tg_error *err);
/* Flushes. */
void tg_journal_close(struct tg_journal *journal);

uint32_t tg_journal_last(const struct tg_journal *journal);
/* The last that is durable. From any thread. */
uint32_t tg_journal_durable(struct tg_journal *journal);

/* A batch in memory. Rows are sorted; their batch is seq, their source 0. */
struct tg_batch {
	struct tg_batch_info info;
	struct tg_row *rows;
	size_t bytes; /* behind rows */
	char *refs;
};
void tg_batch_free(struct tg_batch *batch);

/*
 * Reads and checks one batch: its hashes, its shape, and that it follows `prev` (the predecessor's
 * hash; NULL = not asked). With `headers_only` rows and references are left out and not checked.
 * -EBADMSG, naming the file, when it is not what was committed.
 */
int tg_journal_read(const struct tg_journal *journal, uint32_t seq, const uint8_t *prev,
		    bool headers_only, struct tg_batch *batch, struct tg_error *err);

/* The reference of a row of batch `seq`, NUL-terminated; empty when there is none or it cannot be
 * read. */
void tg_journal_ref(const struct tg_journal *journal, uint32_t seq, uint32_t ref,
		    char text[TG_FEED_REF_MAX + 1]);

/* A body in a file without a number. */
struct tg_batch_draft {
	int fd;
	char path[32];
	uint64_t n_rows;
	uint64_t refs_len;
	uint8_t body_hash[TG_JOURNAL_HASH];
};

/* The references that the rows point to, in the rows' order and runs of equal ones once: a text of
 * *len bytes, to which the rows point from then on; free with tg_rows_free. NULL = no memory. */
char *tg_batch_collect_refs(struct tg_row *rows, size_t n, const char *refs, uint64_t *len);

/* Seven parameters: two arrays, the journal, the draft and the error. Rows point into `refs`. */
int tg_batch_prepare(struct tg_journal *journal, const struct tg_row *rows, size_t n,
		     const char *refs, uint64_t refs_len, struct tg_batch_draft *draft,
		     struct tg_error *err);
void tg_batch_discard(struct tg_journal *journal, struct tg_batch_draft *draft);

/*
 * Makes the draft the journal's next batch: committed on return. info->op, flags, time, source and file
 * are the caller's; the rest is filled in. On an error nothing was committed.
 */
int tg_journal_commit(struct tg_journal *journal, struct tg_batch_draft *draft,
		      struct tg_batch_info *info, struct tg_error *err);

/* Durable on return: all that was committed before the call. After a failure nobody can tell what is on
 * disk: every later commit and flush is refused (-EIO). */
int tg_journal_flush(struct tg_journal *journal, struct tg_error *err);

#endif
