/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/journal_private.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK_ROWS 8192 /* 256 KiB written and hashed at a time, still in L2 */

static void put32(uint8_t *p, uint32_t v)
{
	v = htole32(v);
	memcpy(p, &v, sizeof(v));
}

static void put64(uint8_t *p, uint64_t v)
{
	v = htole64(v);
	memcpy(p, &v, sizeof(v));
}

static void header_write(struct tg_batch_info *info, const uint8_t *body_hash,
			 uint8_t h[TG_JOURNAL_HEADER])
{
	memset(h, 0, TG_JOURNAL_HEADER);
	memcpy(h, TG_JOURNAL_MAGIC, sizeof(TG_JOURNAL_MAGIC) - 1);
	put64(h + 8, info->seq);
	put64(h + 16, (uint64_t)info->time);
	put64(h + 24, info->n_rows);
	put64(h + 32, info->refs_len);
	put32(h + 40, info->op);
	put32(h + 44, info->flags);
	memcpy(h + 48, info->source, strnlen(info->source, TG_JOURNAL_SOURCE_MAX));
	memcpy(h + 80, info->file, strnlen(info->file, TG_JOURNAL_FILE_MAX));
	memcpy(h + 208, info->prev, TG_JOURNAL_HASH);
	memcpy(h + 240, body_hash, TG_JOURNAL_HASH);
	crypto_generichash(info->hash, TG_JOURNAL_HASH, h, TG_JOURNAL_HASHED, NULL, 0);
	memcpy(h + TG_JOURNAL_HASHED, info->hash, TG_JOURNAL_HASH);
}

struct writer {
	int fd;
	crypto_generichash_state hash;
};

static int write_out(struct writer *w, const void *bytes, uint64_t len)
{
	const uint8_t *p = bytes;

	crypto_generichash_update(&w->hash, p, len);
	while (len > 0) {
		const ssize_t n = write(w->fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (uint64_t)n;
	}
	return 0;
}

static int write_rows(struct writer *w, const struct tg_row *rows, size_t n)
{
	struct tg_row *const chunk = malloc(CHUNK_ROWS * sizeof(*chunk));
	size_t i = 0, k;
	int rc = 0;

	if (!chunk)
		return -ENOMEM;
	while (i < n && !rc) {
		for (k = 0; k < CHUNK_ROWS && i < n; k++, i++)
			chunk[k] = (struct tg_row){
				.key = htole64(rows[i].key),
				.sub = htole64(rows[i].sub),
				.meta = htole64(rows[i].meta & ~(uint64_t)TG_ROW_SOURCE_MAX),
				.ref = htole32(rows[i].ref),
			};
		rc = write_out(w, chunk, k * sizeof(*chunk));
	}
	free(chunk);
	return rc;
}

char *tg_batch_collect_refs(struct tg_row *rows, size_t n, const char *refs, uint64_t *len)
{
	uint64_t need = 0, at = 0;
	uint32_t last = 0, last_at = 0;
	char *out;
	size_t i;

	for (i = 0; i < n; i++) {
		if (rows[i].ref && rows[i].ref != last)
			need += 1u + (uint8_t)refs[rows[i].ref - 1];
		last = rows[i].ref ? rows[i].ref : last;
	}
	*len = need;
	out = tg_rows_alloc(need);
	if (!out)
		return NULL;
	for (i = 0, last = 0; i < n; i++) {
		const uint32_t ref = rows[i].ref;

		if (!ref)
			continue;
		if (ref != last) {
			const size_t size = 1u + (uint8_t)refs[ref - 1];

			memcpy(out + at, refs + ref - 1, size);
			last = ref;
			last_at = (uint32_t)at + 1;
			at += size;
		}
		rows[i].ref = last_at;
	}
	return out;
}

static int write_body(struct writer *w, const struct tg_row *rows, size_t n, const char *refs,
		      struct tg_batch_draft *draft)
{
	int rc = lseek(w->fd, TG_JOURNAL_HEADER, SEEK_SET) < 0 ? -errno : write_rows(w, rows, n);

	if (!rc)
		rc = write_out(w, refs, draft->refs_len);
	crypto_generichash_final(&w->hash, draft->body_hash, sizeof(draft->body_hash));
	return rc;
}

int tg_batch_prepare(struct tg_journal *journal, const struct tg_row *rows, size_t n,
		     const char *refs, uint64_t refs_len, struct tg_batch_draft *draft,
		     struct tg_error *err)
{
	/* Relaxed: the number only has to be another one each time. */
	const uint32_t number = __atomic_fetch_add(&journal->drafts, 1, __ATOMIC_RELAXED);
	struct writer w;
	int rc;

	memset(draft, 0, sizeof(*draft));
	snprintf(draft->path, sizeof(draft->path), TG_JOURNAL_DRAFT "%" PRIu32, number);
	draft->fd = openat(journal->dir, draft->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (draft->fd < 0)
		return tg_error_set(err, -errno, "cannot write the journal: %s", strerror(errno));
	draft->n_rows = n;
	draft->refs_len = refs_len;
	w.fd = draft->fd;
	crypto_generichash_init(&w.hash, NULL, 0, TG_JOURNAL_HASH);
	rc = write_body(&w, rows, n, refs, draft);
	if (rc) {
		tg_batch_discard(journal, draft);
		return tg_error_set(err, rc, "cannot write the journal: %s", strerror(-rc));
	}
	return 0;
}

void tg_batch_discard(struct tg_journal *journal, struct tg_batch_draft *draft)
{
	close(draft->fd);
	(void)unlinkat(journal->dir, draft->path, 0);
}

static int head_hash(struct tg_journal *j, uint8_t head[TG_JOURNAL_HASH], struct tg_error *err)
{
	struct tg_batch b;
	int rc;

	memset(head, 0, TG_JOURNAL_HASH);
	if (!j->head_known && j->last > 0) {
		rc = tg_journal_read(j, j->last, NULL, true, &b, err);
		if (rc)
			return rc;
		memcpy(j->head, b.info.hash, TG_JOURNAL_HASH);
	}
	j->head_known = true;
	memcpy(head, j->head, TG_JOURNAL_HASH);
	return 0;
}

static bool is_broken(struct tg_journal *j)
{
	bool broken;

	pthread_mutex_lock(&j->lock);
	broken = j->broken;
	pthread_mutex_unlock(&j->lock);
	return broken;
}

static void hand_to_flusher(struct tg_journal *j, struct tg_journal_young *young)
{
	pthread_mutex_lock(&j->lock);
	*j->young_end = young;
	j->young_end = &young->next;
	pthread_mutex_unlock(&j->lock);
}

/* Under that number from here on, also across a kill. */
static int give_number(struct tg_journal *j, const struct tg_batch_draft *draft,
		       struct tg_batch_info *info)
{
	uint8_t header[TG_JOURNAL_HEADER];
	char name[32];
	ssize_t n;

	header_write(info, draft->body_hash, header);
	tg_journal_name(info->seq, true, name);
	n = pwrite(draft->fd, header, sizeof(header), 0);
	if (n != (ssize_t)sizeof(header))
		return n < 0 ? -errno : -EIO;
	return renameat(j->dir, draft->path, j->dir, name) == 0 ? 0 : -errno;
}

int tg_journal_commit(struct tg_journal *journal, struct tg_batch_draft *draft,
		      struct tg_batch_info *info, struct tg_error *err)
{
	/* First, so that nothing can fail once the batch has its number. */
	struct tg_journal_young *young = malloc(sizeof(*young));
	int rc;

	if (!young) {
		tg_batch_discard(journal, draft);
		return tg_error_set(err, -ENOMEM, "out of memory");
	}
	if (is_broken(journal))
		rc = tg_error_set(
			err, -EIO,
			"an earlier write to the journal could not be flushed; restart to "
			"see what is on disk");
	else
		rc = head_hash(journal, info->prev, err);
	if (rc == 0) {
		info->seq = journal->last + 1;
		info->n_rows = draft->n_rows;
		info->refs_len = draft->refs_len;
		rc = give_number(journal, draft, info);
		if (rc)
			tg_error_set(err, rc, "cannot write the journal: %s", strerror(-rc));
	}
	if (rc) {
		free(young);
		tg_batch_discard(journal, draft);
		return rc;
	}
	journal->last = info->seq;
	memcpy(journal->head, info->hash, TG_JOURNAL_HASH);
	*young = (struct tg_journal_young){ NULL, info->seq, draft->fd };
	hand_to_flusher(journal, young);
	return 0;
}
