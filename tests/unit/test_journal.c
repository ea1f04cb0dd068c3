/* SPDX-License-Identifier: BSD-3-Clause */
/* Durability: what is committed stays, what is not leaves no trace, what is damaged is named. */
#include "tests/support/ledger_test.h"
#include "tests/support/tg_test.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>
#include <sqlite3.h>

#include "control/journal.h"

#define NOW 1800000000

static void path_of(const char *dir, const char *name, char path[256])
{
	snprintf(path, 256, "%s/journal/%s", dir, name);
}

static bool is_there(const char *dir, const char *name)
{
	char path[256];

	path_of(dir, name, path);
	return access(path, F_OK) == 0;
}

static void write_file(const char *path, const void *bytes, size_t len)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	fclose(f);
}

/* Three batches: a feed, a number added, the feed once more. */
static char *three_batches(void)
{
	const struct tg_record r = tg_test_record("exact,+12025550150,caller,spam,5,,by hand");
	char *const dir = tg_test_dir();
	struct tg_ledger *l = tg_test_ledger(dir);

	assert_int_equal(tg_test_import(l, "a", TG_IMPORT_REPLACE,
					"exact,+12025550100,any,fraud,95,,one\n"
					"exact,+12025550101,any,fraud,95,,two\n",
					NULL, NULL),
			 0);
	assert_int_equal(tg_ledger_add(l, &r, NULL), 0);
	assert_int_equal(tg_test_import(l, "a", TG_IMPORT_REPLACE,
					"exact,+12025550100,any,fraud,95,,one\n", NULL, NULL),
			 0);
	tg_ledger_close(l);
	return dir;
}

/* The file as journal.h states it, read without the code that wrote it. */
TG_TEST(journal_file_is_as_documented, TG_NEEDS_NOTHING)
{
	char *const dir = three_batches();
	uint8_t hash[32], *b, *next;
	size_t len, next_len;
	uint64_t v;
	char path[256];

	path_of(dir, "0000000001.batch", path);
	b = tg_test_read_file(path, &len);
	assert_int_equal(len, 512 + 2 * 32 + 2 * 4);
	assert_memory_equal(b, "TGBATCH1", 8);
	memcpy(&v, b + 8, 8);
	assert_int_equal(v, 1);
	memcpy(&v, b + 24, 8);
	assert_int_equal(v, 2);
	assert_string_equal((char *)b + 48, "a");
	assert_string_equal((char *)b + 80, "test.csv");
	crypto_generichash(hash, 32, b + 512, len - 512, NULL, 0);
	assert_memory_equal(b + 240, hash, 32);
	crypto_generichash(hash, 32, b, 480, NULL, 0);
	assert_memory_equal(b + 480, hash, 32);
	memcpy(&v, b + 512, 8);
	assert_int_equal(v & ((1ull << 50) - 1), 12025550100);
	assert_memory_equal(b + 512 + 64, "\3one\3two", 8);
	path_of(dir, "0000000002.batch", path);
	next = tg_test_read_file(path, &next_len);
	assert_memory_equal(next + 208, hash, 32);
	free(next);
	free(b);
	tg_test_dir_remove(dir);
}

/* Every byte of every batch: changed, the ledger does not start and names the file. */
TG_TEST(journal_damage_is_refused_and_named, TG_NEEDS_NOTHING)
{
	static const char *const names[] = { "0000000001.batch", "0000000002.batch",
					     "0000000003.batch" };
	char *const dir = three_batches();
	size_t f, i, len;
	char path[256];

	for (f = 0; f < TG_ARRAY_LEN(names); f++) {
		uint8_t *b;

		path_of(dir, names[f], path);
		b = tg_test_read_file(path, &len);
		for (i = 0; i < len; i++) {
			struct tg_ledger *l = NULL;
			struct tg_error err;

			b[i] ^= 0x10;
			write_file(path, b, len);
			b[i] ^= 0x10;
			if (tg_ledger_open(dir, &l, &err) != -EBADMSG ||
			    !strstr(err.text, names[f]))
				fail_msg("%s byte %zu: %s", names[f], i, err.text);
		}
		for (i = 0; i < len + 40; i += i < len - 1 ? 37 : 1) {
			uint8_t longer[1024] = { 0 };
			struct tg_ledger *l = NULL;
			struct tg_error err;

			if (i == len)
				continue;
			assert_true(len + 40 <= sizeof(longer));
			memcpy(longer, b, len);
			write_file(path, longer, i);
			assert_int_equal(tg_ledger_open(dir, &l, &err), -EBADMSG);
			assert_non_null(strstr(err.text, names[f]));
		}
		write_file(path, b, len);
		free(b);
	}
	tg_ledger_close(tg_test_ledger(dir));
	tg_test_dir_remove(dir);
}

TG_TEST(journal_lost_and_foreign_files, TG_NEEDS_NOTHING)
{
	char *const dir = three_batches(), *const other = three_batches();
	char path[256], from[256];
	struct tg_ledger *l = NULL;
	struct tg_error err;
	uint8_t *foreign;
	size_t len;

	/* A sound file of another journal (whose feed has another name) is no link of this chain. */
	l = tg_test_ledger(other);
	assert_int_equal(tg_test_import(l, "other", TG_IMPORT_REPLACE, "", NULL, NULL), 0);
	assert_int_equal(tg_test_import(l, "other", TG_IMPORT_REPLACE, "", NULL, NULL), 0);
	tg_ledger_close(l);
	l = tg_test_ledger(dir);
	assert_int_equal(tg_test_import(l, "a", TG_IMPORT_REPLACE, "", NULL, NULL), 0);
	assert_int_equal(tg_test_import(l, "a", TG_IMPORT_REPLACE, "", NULL, NULL), 0);
	tg_ledger_close(l);
	path_of(other, "0000000005.batch", from);
	foreign = tg_test_read_file(from, &len);
	path_of(dir, "0000000005.batch", path);
	write_file(path, foreign, len);
	assert_int_equal(tg_ledger_open(dir, &l, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "0000000005.batch"));
	assert_non_null(strstr(err.text, "does not follow"));
	free(foreign);
	path_of(dir, "0000000002.batch", path);
	unlink(path);
	assert_int_equal(tg_ledger_open(dir, &l, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "gap"));
	tg_test_dir_remove(other);
	tg_test_dir_remove(dir);
}

TG_TEST(journal_leftovers_are_removed, TG_NEEDS_NOTHING)
{
	char *const dir = three_batches();
	struct tg_ledger *l;
	struct tg_ledger_status st;
	char path[256];

	path_of(dir, "draft.7", path);
	write_file(path, "half", 4);
	path_of(dir, "notes.txt", path);
	write_file(path, "mine", 4);
	l = tg_test_ledger(dir);
	tg_ledger_status(l, &st);
	assert_int_equal(st.batch, 3);
	assert_false(is_there(dir, "draft.7"));
	assert_true(is_there(dir, "notes.txt"));
	tg_ledger_close(l);
	tg_test_dir_remove(dir);
}

/* A batch that its process did not live to flush: whole, it is taken; cut anywhere by a power cut, it
 * was never there, and SQLite has not heard of it. */
TG_TEST(journal_takes_over_what_was_committed_and_is_whole, TG_NEEDS_NOTHING)
{
	const struct tg_record r = tg_test_record("exact,+12025550151,caller,spam,5,,unflushed");
	char *const dir = three_batches();
	struct tg_ledger_status st;
	struct tg_ledger *l;
	size_t len, cut;
	char path[256];
	uint8_t *b;
	int status;
	pid_t pid;

	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		l = tg_test_ledger(dir);
		if (tg_ledger_add(l, &r, NULL) != 0 || tg_ledger_index_step(l, 1000, NULL) != 0)
			_exit(1);
		tg_ledger_status(l, &st);
		_exit(st.batch == 4 && st.indexed_batch == 3 ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(is_there(dir, "0000000004.young"));
	path_of(dir, "0000000004.young", path);
	b = tg_test_read_file(path, &len);
	l = tg_test_ledger(dir);
	tg_ledger_status(l, &st);
	assert_int_equal(st.batch, 4);
	assert_true(tg_test_listing(l, "+12025550151", NOW) != 0);
	tg_ledger_close(l);
	assert_true(is_there(dir, "0000000004.batch"));
	assert_false(is_there(dir, "0000000004.young"));
	for (cut = 0; cut < len; cut++) {
		path_of(dir, "0000000004.batch", path);
		unlink(path);
		path_of(dir, "0000000004.young", path);
		write_file(path, b, cut);
		path_of(dir, "0000000005.young", path); /* what comes after it has to go as well */
		write_file(path, b, len);
		l = tg_test_ledger(dir);
		tg_ledger_status(l, &st);
		assert_int_equal(st.batch, 3);
		assert_false(is_there(dir, "0000000004.young"));
		assert_false(is_there(dir, "0000000005.young"));
		if (cut % 64 == 0)
			assert_int_equal(tg_ledger_add(l, &r, NULL), 0);
		tg_ledger_close(l);
	}
	free(b);
	tg_test_dir_remove(dir);
}

TG_TEST(journal_is_locked, TG_NEEDS_NOTHING)
{
	char *const dir = tg_test_dir();
	struct tg_ledger *l = tg_test_ledger(dir), *second = NULL;
	struct tg_error err;

	assert_int_equal(tg_ledger_open(dir, &second, &err), -EBUSY);
	assert_non_null(strstr(err.text, "in use"));
	tg_ledger_close(l);
	tg_ledger_close(tg_test_ledger(dir));
	tg_test_dir_remove(dir);
}

/* TB-5: the disk ends in the middle of a batch. */
TG_TEST(TB_5_full_disk_takes_nothing, TG_NEEDS_NOTHING)
{
	const struct tg_import im = { .source = "b", .file = "big.csv" };
	char *const dir = three_batches();
	struct tg_ledger *l = tg_test_ledger(dir);
	struct rlimit old, small;
	struct tg_import_result result;
	struct tg_ledger_status st;
	struct tg_error err = { 0 };
	FILE *f = tmpfile();
	unsigned i;
	int rc;

	fputs(TG_TEST_FEED_HEADER, f);
	for (i = 0; i < 3000; i++) /* a batch of 96,512 bytes */
		fprintf(f, "exact,+1202%07u,any,fraud,95,,\n", i);
	rewind(f);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	small = (struct rlimit){ 90000, old.rlim_max };
	setrlimit(RLIMIT_FSIZE, &small);
	rc = tg_ledger_import(l, f, &im, &result, &err);
	setrlimit(RLIMIT_FSIZE, &old);
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(rc, -EFBIG);
	assert_non_null(strstr(err.text, "cannot write the journal"));
	tg_ledger_status(l, &st);
	assert_int_equal(st.batch, 3);
	assert_int_equal(st.n_claims, 2);
	assert_false(is_there(dir, "draft.0"));
	/* Room again: it goes on. */
	rewind(f);
	assert_int_equal(tg_ledger_import(l, f, &im, &result, &err), 0);
	fclose(f);
	tg_ledger_close(l);
	tg_ledger_close(tg_test_ledger(dir));
	tg_test_dir_remove(dir);
}

/* ---- SQLite -------------------------------------------------------------------------------------- */

static int64_t sql_number(const char *dir, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	sqlite3 *db = NULL;
	char path[256];
	int64_t n = -1;

	snprintf(path, sizeof(path), "%s/ledger.db", dir);
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK &&
	    sqlite3_step(stmt) == SQLITE_ROW)
		n = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return n;
}

static void index_all(struct tg_ledger *l, uint64_t step)
{
	struct tg_ledger_status st;
	struct tg_error err;
	unsigned steps = 0;
	uint64_t durable;
	int rc;

	assert_int_equal(tg_ledger_flush(l, &durable, &err), 0);
	while ((rc = tg_ledger_index_step(l, step, &err)) > 0)
		assert_true(++steps < 100000);
	if (rc)
		fail_msg("index: %s", err.text);
	tg_ledger_status(l, &st);
	assert_int_equal(st.indexed_batch, st.batch);
}

static void check_sqlite(const char *dir, struct tg_ledger *l)
{
	struct tg_ledger_status st;

	tg_ledger_status(l, &st);
	assert_int_equal(sql_number(dir, "SELECT count(*) FROM claims"), st.n_claims);
	assert_int_equal(sql_number(dir, "SELECT count(*) FROM batches"), st.batch);
	assert_int_equal(sql_number(dir, "SELECT count(*) FROM pragma_integrity_check "
					 "WHERE integrity_check = 'ok'"),
			 1);
}

TG_TEST(store_indexes_in_small_steps, TG_NEEDS_NOTHING)
{
	char *const dir = three_batches();
	struct tg_ledger *l = tg_test_ledger(dir);
	struct tg_ledger_status st;
	struct tg_error err;

	assert_int_equal(tg_ledger_index_step(l, 1, &err), 1); /* half of the first batch */
	tg_ledger_status(l, &st);
	assert_int_equal(st.indexed_batch, 0);
	assert_int_equal(sql_number(dir, "SELECT count(*) FROM claims"), 1);
	tg_ledger_close(l);
	l = tg_test_ledger(dir); /* resumes */
	index_all(l, 1);
	check_sqlite(dir, l);
	assert_int_equal(sql_number(dir, "SELECT count(*) FROM claim_list WHERE number = "
					 "'+12025550150' AND role = 'caller' AND ref = 'by hand' "
					 "AND source = 'operator' AND batch = 2 AND score = 5"),
			 1);
	tg_ledger_close(l);
	tg_test_dir_remove(dir);
}

TG_TEST(store_is_made_anew_when_damaged, TG_NEEDS_NOTHING)
{
	char *const dir = three_batches();
	struct tg_ledger *l = tg_test_ledger(dir);
	char path[256];

	index_all(l, 1000);
	tg_ledger_close(l);
	snprintf(path, sizeof(path), "%s/ledger.db", dir);
	write_file(path, "this is no database, it only has its name", 41);
	l = tg_test_ledger(dir);
	index_all(l, 1000);
	check_sqlite(dir, l);
	tg_ledger_close(l);
	unlink(path);
	l = tg_test_ledger(dir);
	index_all(l, 2);
	check_sqlite(dir, l);
	/* Damage below the first page shows only later. */
	tg_ledger_close(l);
	assert_true(sql_number(dir, "PRAGMA wal_checkpoint(TRUNCATE)") == 0);
	{
		FILE *f = fopen(path, "r+b");
		char junk[4096];

		memset(junk, 0x5a, sizeof(junk));
		fseek(f, 4096, SEEK_SET);
		while (ftell(f) < 9 * 4096)
			fwrite(junk, 1, sizeof(junk), f);
		fclose(f);
	}
	l = tg_test_ledger(dir);
	assert_int_equal(tg_test_import(l, "c", TG_IMPORT_REPLACE,
					"exact,+12025550109,any,scam,1,,\n", NULL, NULL),
			 0);
	index_all(l, 1000);
	check_sqlite(dir, l);
	tg_ledger_close(l);
	tg_test_dir_remove(dir);
}

/* The end of a chain cannot miss itself; SQLite remembers. */
TG_TEST(store_notices_a_journal_that_lost_its_end, TG_NEEDS_NOTHING)
{
	char *const dir = three_batches();
	struct tg_ledger *l = tg_test_ledger(dir);
	struct tg_error err;
	char path[256];

	index_all(l, 1000);
	tg_ledger_close(l);
	path_of(dir, "0000000003.batch", path);
	unlink(path);
	assert_int_equal(tg_ledger_open(dir, &l, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "lost batches"));
	tg_test_dir_remove(dir);
}

/* ---- kill -9 ------------------------------------------------------------------------------------- */

/* What batch `seq` does follows from its number, so what there must be after any number of batches is
 * known without a record of what the child did. Every eleventh import is large enough to be flushed
 * apart from its header and to make a new base. */
static unsigned feed_size(uint32_t seq)
{
	return seq % 33 == 0 ? 12000 : 100 + seq % 50;
}

static int do_batch(struct tg_ledger *l, uint32_t seq)
{
	struct tg_record r = tg_test_record("exact,+12025550100,caller,fraud,95,,by hand");
	const struct tg_import im = { .source = "feed", .file = "f.csv", .force = true };
	struct tg_import_result result;
	unsigned i;
	FILE *f;
	int rc;

	r.lo = r.hi = 15550000000 + (seq % 3 == 1 ? seq : seq - 1);
	if (seq % 3 == 1)
		return tg_ledger_add(l, &r, NULL);
	if (seq % 3 == 2)
		return tg_ledger_del(l, &r, NULL);
	f = tmpfile();
	fputs(TG_TEST_FEED_HEADER, f);
	for (i = 0; i < feed_size(seq); i++)
		fprintf(f, "exact,+1202%07u,any,fraud,%u,,ref-%u\n", seq + i, seq % 101, seq + i);
	rewind(f);
	rc = tg_ledger_import(l, f, &im, &result, NULL);
	fclose(f);
	return rc;
}

static void child_works(const char *dir, int acks)
{
	struct tg_ledger *l = NULL;
	struct tg_ledger_status st;
	uint32_t seq;

	if (tg_ledger_open(dir, &l, NULL) != 0)
		_exit(3);
	tg_ledger_status(l, &st);
	for (seq = (uint32_t)st.batch + 1;; seq++) {
		if (do_batch(l, seq) != 0 || write(acks, &seq, sizeof(seq)) != sizeof(seq))
			_exit(4);
		if (seq % 2 && tg_ledger_index_step(l, 1 + seq % 700, NULL) < 0)
			_exit(5);
	}
}

static void check_state(struct tg_ledger *l, uint32_t seq)
{
	const uint32_t feed = seq - seq % 3;
	struct tg_ledger_status st;
	char number[32];
	unsigned i;

	tg_ledger_status(l, &st);
	assert_int_equal(st.batch, seq);
	assert_int_equal(st.n_claims, (feed ? feed_size(feed) : 0) + (seq % 3 == 1));
	for (i = 0; feed && i < feed_size(feed) + 2; i += 13) {
		snprintf(number, sizeof(number), "+1202%07u", feed + i);
		assert_int_equal(tg_slot_score(tg_listing_side(tg_test_listing(l, number, NOW), 0)),
				 i < feed_size(feed) ? feed % 101 : 0);
	}
	snprintf(number, sizeof(number), "+%" PRIu64, (uint64_t)15550000000 + seq);
	assert_int_equal(tg_test_listing(l, number, NOW) != 0, seq % 3 == 1);
}

/* One round, killed so long after so many batches: returns how many there are in all. */
static uint32_t kill_once(const char *dir, unsigned after_batches, unsigned after_us)
{
	struct tg_ledger_status st;
	struct tg_ledger *l;
	uint32_t acked = 0, n;
	int fd[2], status;
	pid_t pid;

	assert_int_equal(pipe(fd), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(fd[0]);
		child_works(dir, fd[1]);
	}
	close(fd[1]);
	while (after_batches-- > 0 && read(fd[0], &n, sizeof(n)) == sizeof(n))
		acked = n;
	usleep(after_us);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	while (read(fd[0], &n, sizeof(n)) == sizeof(n))
		acked = n;
	close(fd[0]);
	l = tg_test_ledger(dir);
	tg_ledger_status(l, &st);
	/* All that was acknowledged, and at most the one that was under way. */
	assert_true(acked == 0 || st.batch == acked || st.batch == acked + 1);
	check_state(l, (uint32_t)st.batch);
	assert_int_equal(tg_ledger_verify(l, NULL), 0);
	tg_ledger_close(l);
	return (uint32_t)st.batch;
}

/* TB-4, and the "kill -9 at any moment of an import". */
TG_TEST(TB_4_kill_9_at_any_moment, TG_NEEDS_NOTHING)
{
	char *const dir = tg_test_dir();
	uint64_t seed = 42;
	struct tg_ledger *l;
	unsigned i;
	uint32_t n = 0;

	for (i = 0; i < 48; i++) {
		const uint64_t x = tg_test_random(&seed);

		n = kill_once(dir, (unsigned)(x % 5), (unsigned)((x >> 8) % 4000));
		if (i % 8 == 7) {
			l = tg_test_ledger(dir);
			index_all(l, 5000);
			check_sqlite(dir, l);
			tg_ledger_close(l);
		}
	}
	assert_true(n > 40); /* it got somewhere, else it shows nothing */
	tg_test_dir_remove(dir);
}

/* The p99 of one number must leave room in the 10 ms that it may take until it is in force. The limit
 * is far above what a disk needs, so that a loaded machine does not fail it. */
TG_TEST(journal_single_numbers_are_fast, TG_NEEDS_NOTHING)
{
	char *const dir = tg_test_dir();
	struct tg_ledger *l = tg_test_ledger(dir);
	struct tg_record r = tg_test_record("exact,+12025550100,caller,fraud,95,,by hand");
	struct timespec a, b;
	uint64_t durable;
	unsigned i;

	clock_gettime(CLOCK_MONOTONIC, &a);
	for (i = 0; i < 200; i++) {
		r.lo = r.hi = 12025550000 + i;
		assert_int_equal(tg_ledger_add(l, &r, NULL), 0);
		assert_int_equal(tg_ledger_flush(l, &durable, NULL), 0);
		assert_int_equal(durable, i + 1);
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	assert_true((double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9 <
		    200 * 0.1);
	tg_ledger_close(l);
	tg_test_dir_remove(dir);
}
