/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/store_sqlite.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#define SCHEMA_VERSION 1
#define STR(x) #x
#define XSTR(x) STR(x)

/* WAL with synchronous=NORMAL may lose the last transactions at a power cut, never the file's
 * consistency; progress goes with them, so they are indexed again. */
static const char pragmas[] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
			      "PRAGMA busy_timeout=5000; PRAGMA cache_size=-65536;";

static const char schema[] =
	"BEGIN;"
	"CREATE TABLE sources (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
	"CREATE TABLE batches (seq INTEGER PRIMARY KEY, time INTEGER NOT NULL, op TEXT NOT NULL,"
	" source INTEGER NOT NULL REFERENCES sources, file TEXT NOT NULL, forced INTEGER NOT NULL,"
	" records INTEGER NOT NULL, prev BLOB NOT NULL, hash BLOB NOT NULL);"
	"CREATE TABLE claims (lo INTEGER NOT NULL, kind INTEGER NOT NULL, digits INTEGER NOT NULL,"
	" hi INTEGER NOT NULL, roles INTEGER NOT NULL, source INTEGER NOT NULL,"
	" category TEXT NOT NULL, score INTEGER NOT NULL, expires INTEGER, ref TEXT,"
	" batch INTEGER NOT NULL,"
	" PRIMARY KEY (kind, digits, lo, hi, roles, source)) WITHOUT ROWID;"
	"CREATE VIEW claim_list AS SELECT"
	" CASE c.kind WHEN 1 THEN 'prefix' WHEN 2 THEN 'range' ELSE 'exact' END AS kind,"
	" CASE c.kind WHEN 2 THEN printf('+%d-+%d', lo, hi)"
	"  WHEN 3 THEN printf('%0' || digits || 'd', lo) ELSE printf('+%d', lo) END AS number,"
	" CASE c.roles WHEN 1 THEN 'caller' WHEN 2 THEN 'called' ELSE 'any' END AS role,"
	" category, score, datetime(expires, 'unixepoch') AS expires, ref, s.name AS source,"
	" c.batch, datetime(b.time, 'unixepoch') AS since"
	" FROM claims c JOIN sources s ON s.id = c.source LEFT JOIN batches b ON b.seq = c.batch;"
	/* One row: batches up to `batch` are in, and `records` of the next one. */
	"CREATE TABLE progress (batch INTEGER NOT NULL, records INTEGER NOT NULL, hash BLOB);"
	"INSERT INTO progress VALUES (0, 0, NULL);"
	"PRAGMA user_version=" XSTR(SCHEMA_VERSION) ";"
						    "COMMIT;";

#define STATEMENTS(X)                                                                              \
	X(SOURCE, "INSERT INTO sources (name) VALUES (?1) ON CONFLICT DO NOTHING")                 \
	X(SOURCE_ID, "SELECT id FROM sources WHERE name = ?1")                                     \
	X(BATCH, "INSERT OR REPLACE INTO batches VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")     \
	X(SET, "INSERT OR REPLACE INTO claims VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, "   \
	       "?11)")                                                                             \
	X(DEL, "DELETE FROM claims WHERE lo = ?1 AND kind = ?2 AND digits = ?3 AND hi = ?4 AND "   \
	       "roles = ?5 AND source = ?6")                                                       \
	X(PROGRESS, "UPDATE progress SET batch = ?1, records = ?2, hash = ?3")

enum statement {
#define X(sym, sql) STMT_##sym,
	STATEMENTS(X)
#undef X
	STMT_COUNT
};

struct tg_store {
	char *path;
	sqlite3 *db;
	sqlite3_stmt *stmt[STMT_COUNT];
	uint32_t batch; /* as in progress */
	uint64_t records;
	uint8_t hash[TG_JOURNAL_HASH]; /* of `batch` */
	struct tg_batch next; /* batch + 1 while it is being taken in; rows NULL = not loaded */
};

static int fail(const struct tg_store *s, int code, struct tg_error *err)
{
	return tg_error_set(err, code, "ledger.db: %s",
			    s->db ? sqlite3_errmsg(s->db) : "out of memory");
}

static int prepare_all(struct tg_store *s)
{
	static const char *const sql[] = {
#define X(sym, text) text,
		STATEMENTS(X)
#undef X
	};
	unsigned i;

	for (i = 0; i < STMT_COUNT; i++)
		if (sqlite3_prepare_v3(s->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &s->stmt[i],
				       NULL) != SQLITE_OK)
			return -EIO;
	return 0;
}

static int run(struct tg_store *s, enum statement which)
{
	sqlite3_stmt *const stmt = s->stmt[which];
	const int rc = sqlite3_step(stmt);

	sqlite3_reset(stmt);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? 0 : -EIO;
}

static int user_version(sqlite3 *db)
{
	sqlite3_stmt *stmt = NULL;
	int version = -1;

	if (sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &stmt, NULL) == SQLITE_OK &&
	    sqlite3_step(stmt) == SQLITE_ROW)
		version = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	return version;
}

static int read_progress(struct tg_store *s)
{
	sqlite3_stmt *stmt = NULL;
	int rc = -EIO;

	if (sqlite3_prepare_v2(s->db, "SELECT batch, records, hash FROM progress", -1, &stmt,
			       NULL) == SQLITE_OK &&
	    sqlite3_step(stmt) == SQLITE_ROW) {
		s->batch = (uint32_t)sqlite3_column_int64(stmt, 0);
		s->records = (uint64_t)sqlite3_column_int64(stmt, 1);
		memset(s->hash, 0, sizeof(s->hash));
		if (sqlite3_column_bytes(stmt, 2) == TG_JOURNAL_HASH)
			memcpy(s->hash, sqlite3_column_blob(stmt, 2), sizeof(s->hash));
		rc = 0;
	}
	sqlite3_finalize(stmt);
	return rc;
}

static void close_db(struct tg_store *s)
{
	unsigned i;

	for (i = 0; i < STMT_COUNT; i++) {
		sqlite3_finalize(s->stmt[i]);
		s->stmt[i] = NULL;
	}
	tg_batch_free(&s->next);
	sqlite3_close(s->db);
	s->db = NULL;
}

/* Opens what is there, or makes an empty one. Any error is a reason to begin anew. */
static int open_db(struct tg_store *s)
{
	if (sqlite3_open_v2(s->path, &s->db,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
			    NULL) != SQLITE_OK ||
	    sqlite3_exec(s->db, pragmas, NULL, NULL, NULL) != SQLITE_OK)
		return -EIO;
	if (user_version(s->db) == 0 && sqlite3_exec(s->db, schema, NULL, NULL, NULL) != SQLITE_OK)
		return -EIO;
	if (user_version(s->db) != SCHEMA_VERSION || read_progress(s) != 0)
		return -EIO;
	return prepare_all(s);
}

static int begin_anew(struct tg_store *s, struct tg_error *err)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	unsigned i;

	close_db(s);
	for (i = 0; i < TG_ARRAY_LEN(suffixes); i++) {
		char *path;

		if (asprintf(&path, "%s%s", s->path, suffixes[i]) < 0)
			return tg_error_set(err, -ENOMEM, "out of memory");
		(void)unlink(path);
		free(path);
	}
	return open_db(s) == 0 ? 0 : fail(s, -EIO, err);
}

/* Was it made from this journal? */
static int compare_with_journal(struct tg_store *s, const struct tg_journal *journal,
				struct tg_error *err)
{
	struct tg_batch b;
	bool same;

	if (s->batch > tg_journal_last(journal))
		return tg_error_set(err, -EBADMSG,
				    "the journal has lost batches: ledger.db knows %" PRIu32
				    ", the journal ends at %" PRIu32
				    "; restore it, or remove ledger.db to go on without them",
				    s->batch, tg_journal_last(journal));
	if (s->batch == 0)
		return 0;
	if (tg_journal_read(journal, s->batch, NULL, true, &b, err) != 0)
		return err ? err->code : -EBADMSG;
	same = memcmp(b.info.hash, s->hash, sizeof(s->hash)) == 0;
	return same ? 0 : begin_anew(s, err);
}

int tg_store_open(const char *path, const struct tg_journal *journal, struct tg_store **store,
		  struct tg_error *err)
{
	struct tg_store *s = calloc(1, sizeof(*s));
	struct tg_error local;
	int rc;

	if (!s || !(s->path = strdup(path))) {
		free(s);
		return tg_error_set(err, -ENOMEM, "out of memory");
	}
	rc = open_db(s) == 0 ? 0 : begin_anew(s, err);
	if (!rc)
		rc = compare_with_journal(s, journal, err ? err : &local);
	if (rc) {
		tg_store_close(s);
		return rc;
	}
	*store = s;
	return 0;
}

void tg_store_close(struct tg_store *store)
{
	if (!store)
		return;
	close_db(store);
	free(store->path);
	free(store);
}

uint32_t tg_store_indexed(const struct tg_store *store)
{
	return store->batch;
}

/* ---- taking in ----------------------------------------------------------------------------------- */

static int source_id(struct tg_store *s, const char *name, int64_t *id)
{
	sqlite3_stmt *const stmt = s->stmt[STMT_SOURCE_ID];
	int rc;

	sqlite3_bind_text(s->stmt[STMT_SOURCE], 1, name, -1, SQLITE_STATIC);
	if (run(s, STMT_SOURCE) != 0)
		return -EIO;
	sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
	rc = sqlite3_step(stmt);
	*id = sqlite3_column_int64(stmt, 0);
	sqlite3_reset(stmt);
	return rc == SQLITE_ROW ? 0 : -EIO;
}

static int put_row(struct tg_store *s, const struct tg_row *r, int64_t source)
{
	/* A batch with records has rows: tg_journal_read, which the analyser does not follow. */
	const bool gone = r->meta & TG_ROW_GONE; /* NOLINT(clang-analyzer-core.NullDereference) */
	sqlite3_stmt *const stmt = s->stmt[gone ? STMT_DEL : STMT_SET];

	sqlite3_bind_int64(stmt, 1, (int64_t)tg_row_lo(r));
	sqlite3_bind_int(stmt, 2, (int)tg_row_kind(r));
	sqlite3_bind_int(stmt, 3, (int)tg_row_digits(r));
	sqlite3_bind_int64(stmt, 4, (int64_t)tg_row_hi(r));
	sqlite3_bind_int(stmt, 5, (int)tg_row_roles(r));
	sqlite3_bind_int64(stmt, 6, source);
	if (gone)
		return run(s, STMT_DEL);
	sqlite3_bind_text(stmt, 7, tg_category_name(tg_row_category(r)), -1, SQLITE_STATIC);
	sqlite3_bind_int(stmt, 8, (int)tg_row_score(r));
	if (tg_row_expires(r))
		sqlite3_bind_int64(stmt, 9, tg_row_expires(r));
	else
		sqlite3_bind_null(stmt, 9);
	if (r->ref)
		sqlite3_bind_text(stmt, 10, s->next.refs + r->ref,
				  (uint8_t)s->next.refs[r->ref - 1], SQLITE_STATIC);
	else
		sqlite3_bind_null(stmt, 10);
	sqlite3_bind_int64(stmt, 11, r->batch);
	return run(s, STMT_SET);
}

static int put_batch(struct tg_store *s, int64_t source)
{
	const struct tg_batch_info *const b = &s->next.info;
	sqlite3_stmt *const stmt = s->stmt[STMT_BATCH];

	sqlite3_bind_int64(stmt, 1, b->seq);
	sqlite3_bind_int64(stmt, 2, b->time);
	sqlite3_bind_text(stmt, 3, tg_batch_op_name(b->op), -1, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 4, source);
	sqlite3_bind_text(stmt, 5, b->file, -1, SQLITE_STATIC);
	sqlite3_bind_int(stmt, 6, (b->flags & TG_BATCH_FORCED) != 0);
	sqlite3_bind_int64(stmt, 7, (int64_t)b->n_rows);
	sqlite3_bind_blob(stmt, 8, b->prev, TG_JOURNAL_HASH, SQLITE_STATIC);
	sqlite3_bind_blob(stmt, 9, b->hash, TG_JOURNAL_HASH, SQLITE_STATIC);
	return run(s, STMT_BATCH);
}

static int put_progress(struct tg_store *s)
{
	sqlite3_stmt *const stmt = s->stmt[STMT_PROGRESS];

	sqlite3_bind_int64(stmt, 1, s->batch);
	sqlite3_bind_int64(stmt, 2, (int64_t)s->records);
	sqlite3_bind_blob(stmt, 3, s->hash, TG_JOURNAL_HASH, SQLITE_STATIC);
	return run(s, STMT_PROGRESS);
}

/* Up to *budget records of the next batch; a batch costs one besides, so that thousands of single ones
 * make no endless transaction. */
static int take_in(struct tg_store *s, uint64_t *budget)
{
	int64_t source;
	int rc = source_id(s, s->next.info.source, &source);

	if (!rc && s->records == 0)
		rc = put_batch(s, source);
	while (!rc && s->next.info.n_rows > s->records && *budget > 0) {
		rc = put_row(s, &s->next.rows[s->records++], source);
		(*budget)--;
	}
	if (rc || s->records < s->next.info.n_rows)
		return rc;
	s->batch = s->next.info.seq;
	s->records = 0;
	memcpy(s->hash, s->next.info.hash, sizeof(s->hash));
	tg_batch_free(&s->next);
	*budget -= *budget > 0;
	return 0;
}

static int step(struct tg_store *s, const struct tg_journal *journal, uint32_t last,
		uint64_t budget, struct tg_error *err)
{
	int rc = 0;

	while (!rc && budget > 0 && s->batch < last) {
		if (!s->next.rows) {
			/* Not seen before: the journal's own checks, and the link. */
			rc = tg_journal_read(journal, s->batch + 1, s->hash, false, &s->next, err);
			if (rc)
				return rc;
		}
		rc = take_in(s, &budget);
	}
	if (!rc)
		rc = put_progress(s);
	return rc ? fail(s, rc, err) : 0;
}

int tg_store_step(struct tg_store *store, const struct tg_journal *journal, uint32_t last,
		  uint64_t max_records, struct tg_error *err)
{
	const uint32_t batch = store->batch;
	const uint64_t records = store->records;
	int rc;

	if (store->batch >= last)
		return 0;
	if (sqlite3_exec(store->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK) {
		rc = fail(store, -EIO, err);
	} else {
		rc = step(store, journal, last, max_records ? max_records : 1, err);
		if (!rc && sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
			rc = fail(store, -EIO, err);
	}
	if (!rc)
		return store->batch < last ? 1 : 0;
	switch (sqlite3_errcode(store->db)) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_ERROR: /* a table is not what it was */
	case SQLITE_CONSTRAINT:
		return begin_anew(store, err) == 0 ? 1 : -EIO;
	default:
		/* Full disk, locked, unreadable journal: what was in before is still in. */
		(void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
		tg_batch_free(&store->next);
		store->batch = batch;
		store->records = records;
		(void)read_progress(store);
		return rc;
	}
}
