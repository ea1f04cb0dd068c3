/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/journal_private.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static uint64_t get64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

/* NULL, or what is wrong with it. */
static const char *header_read(const uint8_t h[TG_JOURNAL_HEADER], uint32_t seq,
			       struct tg_batch_info *info)
{
	memset(info, 0, sizeof(*info));
	if (memcmp(h, TG_JOURNAL_MAGIC, sizeof(TG_JOURNAL_MAGIC) - 1) != 0)
		return "it is no batch of this version";
	crypto_generichash(info->hash, TG_JOURNAL_HASH, h, TG_JOURNAL_HASHED, NULL, 0);
	if (memcmp(info->hash, h + TG_JOURNAL_HASHED, TG_JOURNAL_HASH) != 0)
		return "its header does not have the hash it states";
	if (get64(h + 8) != seq)
		return "it is another batch than its name says";
	info->seq = seq;
	info->time = (int64_t)get64(h + 16);
	info->n_rows = get64(h + 24);
	info->refs_len = get64(h + 32);
	info->op = get32(h + 40);
	info->flags = get32(h + 44);
	memcpy(info->source, h + 48, TG_JOURNAL_SOURCE_MAX);
	memcpy(info->file, h + 80, TG_JOURNAL_FILE_MAX);
	memcpy(info->prev, h + 208, TG_JOURNAL_HASH);
	if (info->n_rows > UINT32_MAX || info->refs_len > UINT32_MAX ||
	    info->op >= TG_BATCH_OP_COUNT)
		return "its header contradicts itself";
	return NULL;
}

void tg_batch_free(struct tg_batch *batch)
{
	tg_rows_free(batch->rows, batch->bytes);
	free(batch->refs);
	memset(batch, 0, sizeof(*batch));
}

static int read_all(int fd, void *buf, uint64_t len)
{
	uint8_t *p = buf;

	while (len > 0) {
		const ssize_t n = read(fd, p, len < 1u << 30 ? len : 1u << 30);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ENODATA;
		p += n;
		len -= (uint64_t)n;
	}
	return 0;
}

/* Rows of a body that has its hash: what was written is what was checked, so this only keeps a file
 * that somebody composed from leading the reader outside. */
static const char *check_rows(struct tg_batch *b)
{
	uint64_t i;

	for (i = 0; i < b->info.n_rows; i++) {
		struct tg_row *const r = &b->rows[i];

		r->key = le64toh(r->key);
		r->sub = le64toh(r->sub);
		r->meta = le64toh(r->meta) & ~(uint64_t)TG_ROW_SOURCE_MAX;
		r->ref = le32toh(r->ref);
		r->batch = b->info.seq;
		if (tg_row_kind(r) >= TG_RECORD_KIND_COUNT || r->key >> 56 != 0 ||
		    tg_row_digits(r) == 0 || tg_row_roles(r) == 0 || tg_row_lo(r) > tg_row_hi(r) ||
		    tg_row_category(r) == 0 || tg_row_category(r) >= TG_CATEGORY_COUNT ||
		    tg_row_score(r) > TG_SCORE_MAX ||
		    (i > 0 && tg_row_compare(&b->rows[i - 1], r) >= 0))
			return "its records are not in order or not possible";
		if (r->ref &&
		    (r->ref > b->info.refs_len || (uint8_t)b->refs[r->ref - 1] > TG_FEED_REF_MAX ||
		     r->ref + (uint64_t)(uint8_t)b->refs[r->ref - 1] > b->info.refs_len))
			return "its references lead outside";
	}
	return NULL;
}

static const char *read_body(int fd, const uint8_t *body_hash, struct tg_batch *b)
{
	const uint64_t rows = b->info.n_rows * TG_JOURNAL_ROW;
	uint8_t hash[TG_JOURNAL_HASH];
	crypto_generichash_state state;

	b->bytes = rows;
	b->rows = tg_rows_alloc(rows);
	b->refs = malloc(b->info.refs_len ? b->info.refs_len : 1);
	if (!b->rows || !b->refs)
		return "there is no memory for it";
	if (read_all(fd, b->rows, rows) != 0 || read_all(fd, b->refs, b->info.refs_len) != 0)
		return "it cannot be read";
	crypto_generichash_init(&state, NULL, 0, sizeof(hash));
	crypto_generichash_update(&state, (const uint8_t *)b->rows, rows);
	crypto_generichash_update(&state, (const uint8_t *)b->refs, b->info.refs_len);
	crypto_generichash_final(&state, hash, sizeof(hash));
	if (memcmp(hash, body_hash, sizeof(hash)) != 0)
		return "its records do not have the hash that its header states";
	return check_rows(b);
}

const char *tg_journal_check(int fd, uint32_t seq, const uint8_t *prev, bool headers_only,
			     struct tg_batch *b)
{
	uint8_t header[TG_JOURNAL_HEADER];
	const char *why;
	struct stat st;

	memset(b, 0, sizeof(*b));
	if (fstat(fd, &st) != 0 || read_all(fd, header, sizeof(header)) != 0)
		return "it is shorter than a header";
	why = header_read(header, seq, &b->info);
	if (why)
		return why;
	if ((uint64_t)st.st_size !=
	    TG_JOURNAL_HEADER + b->info.n_rows * TG_JOURNAL_ROW + b->info.refs_len)
		return "its length is not what its header states";
	if (prev && memcmp(prev, b->info.prev, TG_JOURNAL_HASH) != 0)
		return "it does not follow the batch before it";
	return headers_only ? NULL : read_body(fd, header + 240, b);
}

int tg_journal_read(const struct tg_journal *journal, uint32_t seq, const uint8_t *prev,
		    bool headers_only, struct tg_batch *batch, struct tg_error *err)
{
	const char *why;
	char name[32];
	int fd;

	memset(batch, 0, sizeof(*batch));
	tg_journal_name(seq, false, name);
	fd = tg_journal_open_batch(journal, seq);
	if (fd < 0)
		return tg_error_set(err, -errno, "cannot open journal/%s: %s", name,
				    strerror(errno));
	why = tg_journal_check(fd, seq, prev, headers_only, batch);
	close(fd);
	if (!why)
		return 0;
	tg_batch_free(batch);
	return tg_error_set(err, -EBADMSG,
			    "journal/%s is damaged: %s; nothing was changed, restore the file "
			    "from a copy",
			    name, why);
}

void tg_journal_ref(const struct tg_journal *journal, uint32_t seq, uint32_t ref,
		    char text[TG_FEED_REF_MAX + 1])
{
	uint8_t bytes[TG_FEED_REF_MAX + 1] = { 0 };
	uint8_t n_rows[8];
	ssize_t n;
	int fd;

	text[0] = 0;
	if (ref == 0)
		return;
	fd = tg_journal_open_batch(journal, seq);
	if (fd < 0)
		return;
	n = -1;
	if (pread(fd, n_rows, sizeof(n_rows), 24) == (ssize_t)sizeof(n_rows))
		n = pread(fd, bytes, sizeof(bytes),
			  (off_t)(TG_JOURNAL_HEADER + get64(n_rows) * TG_JOURNAL_ROW + ref - 1));
	close(fd);
	if (n < 1 || bytes[0] > TG_FEED_REF_MAX || bytes[0] > n - 1)
		return;
	memcpy(text, bytes + 1, bytes[0]);
	text[bytes[0]] = 0;
}
