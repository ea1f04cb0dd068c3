/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/journal_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define BATCH_SUFFIX ".batch"
#define YOUNG_SUFFIX ".young"

const char *tg_batch_op_name(unsigned op)
{
	static const char *const names[] = {
#define X(sym, name) name,
		TG_BATCH_OPS(X)
#undef X
	};

	return op < TG_ARRAY_LEN(names) ? names[op] : "?";
}

uint32_t tg_journal_last(const struct tg_journal *journal)
{
	return journal->last;
}

uint32_t tg_journal_durable(struct tg_journal *journal)
{
	uint32_t durable;

	pthread_mutex_lock(&journal->lock);
	durable = journal->durable;
	pthread_mutex_unlock(&journal->lock);
	return durable;
}

void tg_journal_name(uint32_t seq, bool young, char name[32])
{
	snprintf(name, 32, "%010" PRIu32 "%s", seq, young ? YOUNG_SUFFIX : BATCH_SUFFIX);
}

int tg_journal_open_batch(const struct tg_journal *journal, uint32_t seq)
{
	/* It may be renamed between the first look and the second, once. */
	static const bool young[] = { false, true, false };
	char name[32];
	unsigned i;
	int fd = -1;

	for (i = 0; i < TG_ARRAY_LEN(young) && fd < 0; i++) {
		tg_journal_name(seq, young[i], name);
		fd = openat(journal->dir, name, O_RDONLY | O_CLOEXEC);
		if (fd < 0 && errno != ENOENT)
			break;
	}
	return fd;
}

/* ---- open ---------------------------------------------------------------------------------------- */

/* Number of a file with that suffix; 0: it is another file. */
static uint32_t number_of(const char *file, bool young)
{
	const uint32_t seq = (uint32_t)strtoul(file, NULL, 10);
	char name[32];

	tg_journal_name(seq, young, name);
	return strcmp(name, file) == 0 ? seq : 0;
}

static DIR *list(const struct tg_journal *j, const char *dir, int *rc, struct tg_error *err)
{
	const int fd = openat(j->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *const d = fd >= 0 ? fdopendir(fd) : NULL;

	*rc = d ? 0 : tg_error_set(err, -errno, "cannot read %s: %s", dir, strerror(errno));
	if (!d && fd >= 0)
		close(fd);
	return d;
}

/* Counts batches. */
static int scan(struct tg_journal *j, const char *dir, struct tg_error *err)
{
	uint32_t count = 0;
	struct dirent *e;
	int rc;
	DIR *const d = list(j, dir, &rc, err);

	if (!d)
		return rc;
	while ((e = readdir(d))) {
		const uint32_t seq = number_of(e->d_name, false);

		if (seq == 0)
			continue;
		count++;
		if (seq > j->last)
			j->last = seq;
	}
	closedir(d);
	if (count != j->last)
		return tg_error_set(err, -EBADMSG,
				    "journal %s has a gap: %" PRIu32 " batches are there, the last "
				    "is %" PRIu32,
				    dir, count, j->last);
	return 0;
}

/* Flushes one batch and gives it its name for good; the folder is the caller's to flush. */
static int settle(struct tg_journal *j, uint32_t seq, int fd)
{
	char from[32], to[32];

	tg_journal_name(seq, true, from);
	tg_journal_name(seq, false, to);
	return fdatasync(fd) == 0 && renameat(j->dir, from, j->dir, to) == 0 ? 0 : -errno;
}

/* The batch after the last, if the last daemon wrote one and was killed before it was flushed: 1 = it
 * is whole and follows, and was taken; 0 = there is none. */
static int adopt_next(struct tg_journal *j, struct tg_error *err)
{
	uint8_t prev[TG_JOURNAL_HASH] = { 0 };
	const uint32_t seq = j->last + 1;
	struct tg_batch b;
	const char *why;
	char name[32];
	int fd, rc;

	tg_journal_name(seq, true, name);
	fd = openat(j->dir, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	rc = j->last ? tg_journal_read(j, j->last, NULL, true, &b, err) : 0;
	if (rc == 0 && j->last)
		memcpy(prev, b.info.hash, sizeof(prev));
	if (rc == 0) {
		why = tg_journal_check(fd, seq, prev, false, &b);
		tg_batch_free(&b);
		/* A power cut left a part of it. Nobody was told that it is durable. */
		rc = why ? 0 : settle(j, seq, fd) == 0;
	}
	close(fd);
	if (rc == 1)
		j->last = seq;
	return rc;
}

static bool is_leftover(const char *file)
{
	return strncmp(file, TG_JOURNAL_DRAFT, strlen(TG_JOURNAL_DRAFT)) == 0 ||
	       number_of(file, true) != 0;
}

/* Takes what was committed and is whole, removes what was not. */
static int adopt(struct tg_journal *j, const char *dir, struct tg_error *err)
{
	const uint32_t before = j->last;
	struct dirent *e;
	DIR *d;
	int rc;

	do
		rc = adopt_next(j, err);
	while (rc > 0);
	if (rc < 0)
		return rc;
	if (j->last > before && fsync(j->dir) != 0)
		return tg_error_set(err, -errno, "cannot flush %s: %s", dir, strerror(errno));
	d = list(j, dir, &rc, err);
	if (!d)
		return rc;
	while ((e = readdir(d)))
		if (is_leftover(e->d_name))
			(void)unlinkat(j->dir, e->d_name, 0);
	closedir(d);
	j->durable = j->last;
	return 0;
}

int tg_journal_open(const char *dir, struct tg_journal **journal, struct tg_error *err)
{
	struct tg_journal *j;
	int rc;

	if (sodium_init() < 0)
		return tg_error_set(err, -EIO, "libsodium does not start");
	if (mkdir(dir, 0750) != 0 && errno != EEXIST)
		return tg_error_set(err, -errno, "cannot make %s: %s", dir, strerror(errno));
	j = calloc(1, sizeof(*j));
	if (!j)
		return tg_error_set(err, -ENOMEM, "out of memory");
	j->young_end = &j->young;
	pthread_mutex_init(&j->flush, NULL);
	pthread_mutex_init(&j->lock, NULL);
	j->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (j->dir < 0) {
		rc = tg_error_set(err, -errno, "cannot open %s: %s", dir, strerror(errno));
		goto free_journal;
	}
	j->lock_fd = openat(j->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (j->lock_fd < 0) {
		rc = tg_error_set(err, -errno, "cannot lock %s: %s", dir, strerror(errno));
		goto close_dir;
	}
	if (flock(j->lock_fd, LOCK_EX | LOCK_NB) != 0) {
		rc = tg_error_set(err, -EBUSY, "%s is in use by another process", dir);
		goto close_lock;
	}
	rc = scan(j, dir, err);
	if (rc == 0)
		rc = adopt(j, dir, err);
	if (rc)
		goto close_lock;
	*journal = j;
	return 0;

close_lock:
	close(j->lock_fd);
close_dir:
	close(j->dir);
free_journal:
	pthread_mutex_destroy(&j->lock);
	pthread_mutex_destroy(&j->flush);
	free(j);
	return rc;
}

void tg_journal_close(struct tg_journal *journal)
{
	if (!journal)
		return;
	(void)tg_journal_flush(journal, NULL);
	close(journal->lock_fd);
	close(journal->dir);
	pthread_mutex_destroy(&journal->lock);
	pthread_mutex_destroy(&journal->flush);
	free(journal);
}

/* ---- flush --------------------------------------------------------------------------------------- */

/* In order, so that what a power cut leaves has no gap. Frees the list. */
static int settle_all(struct tg_journal *j, struct tg_journal_young *young, uint32_t *durable)
{
	struct tg_journal_young *next;
	int rc = 0;

	for (; young; young = next) {
		next = young->next;
		if (rc == 0)
			rc = settle(j, young->seq, young->fd);
		*durable = young->seq;
		close(young->fd);
		free(young);
	}
	if (rc == 0 && fsync(j->dir) != 0)
		rc = -errno;
	return rc;
}

int tg_journal_flush(struct tg_journal *journal, struct tg_error *err)
{
	struct tg_journal_young *young;
	uint32_t durable;
	bool broken;
	int rc = 0;

	pthread_mutex_lock(&journal->flush);
	pthread_mutex_lock(&journal->lock);
	young = journal->young;
	broken = journal->broken;
	journal->young = NULL;
	journal->young_end = &journal->young;
	pthread_mutex_unlock(&journal->lock);
	if (young) {
		rc = settle_all(journal, young, &durable);
		pthread_mutex_lock(&journal->lock);
		if (rc != 0)
			journal->broken = true;
		else if (!journal->broken)
			journal->durable = durable;
		broken = journal->broken;
		pthread_mutex_unlock(&journal->lock);
	}
	pthread_mutex_unlock(&journal->flush);
	if (!broken)
		return 0;
	return tg_error_set(err, -EIO,
			    "the journal cannot be flushed to disk%s%s; restart to see what is "
			    "there",
			    rc ? ": " : "", rc ? strerror(-rc) : "");
}
