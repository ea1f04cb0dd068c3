/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/journal.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#define HEADER_BYTES 512
#define HASHED_BYTES (HEADER_BYTES - TG_JOURNAL_HASH)
#define ROW_BYTES 32
#define CHUNK_ROWS 8192 /* 256 KiB written and hashed at a time, still in L2 */
#define NAME_FORMAT "%010" PRIu32 ".batch"
#define DRAFT_PREFIX "draft."

static const char magic[8] = { 'T', 'G', 'B', 'A', 'T', 'C', 'H', '1' };

struct tg_journal {
	int dir;
	int lock;
	uint32_t last;
	uint32_t drafts; /* number of the next draft's name; relaxed, only has to differ */
	uint8_t head[TG_JOURNAL_HASH]; /* of `last`, once known */
	bool head_known;
	bool broken; /* a commit's outcome is not known */
};

static_assert(crypto_generichash_BYTES == TG_JOURNAL_HASH, "BLAKE2b-256");
static_assert(sizeof(struct tg_row) == ROW_BYTES, "read and written in place");

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

static void batch_name(uint32_t seq, char name[32])
{
	snprintf(name, 32, NAME_FORMAT, seq);
}

/* ---- header -------------------------------------------------------------------------------------- */

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

static void header_write(struct tg_batch_info *info, const uint8_t *body_hash,
			 uint8_t h[HEADER_BYTES])
{
	memset(h, 0, HEADER_BYTES);
	memcpy(h, magic, sizeof(magic));
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
	crypto_generichash(info->hash, TG_JOURNAL_HASH, h, HASHED_BYTES, NULL, 0);
	memcpy(h + HASHED_BYTES, info->hash, TG_JOURNAL_HASH);
}

/* NULL, or what is wrong with it. */
static const char *header_read(const uint8_t h[HEADER_BYTES], uint32_t seq,
			       struct tg_batch_info *info)
{
	memset(info, 0, sizeof(*info));
	if (memcmp(h, magic, sizeof(magic)) != 0)
		return "it is no batch of this version";
	crypto_generichash(info->hash, TG_JOURNAL_HASH, h, HASHED_BYTES, NULL, 0);
	if (memcmp(info->hash, h + HASHED_BYTES, TG_JOURNAL_HASH) != 0)
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

/* ---- open ---------------------------------------------------------------------------------------- */

/* Removes drafts, counts batches. */
static int scan(struct tg_journal *j, const char *dir, struct tg_error *err)
{
	const int fd = openat(j->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *const d = fd >= 0 ? fdopendir(fd) : NULL;
	uint32_t count = 0;
	struct dirent *e;

	if (!d) {
		const int code = -errno;

		if (fd >= 0)
			close(fd);
		return tg_error_set(err, code, "cannot read %s: %s", dir, strerror(-code));
	}
	while ((e = readdir(d))) {
		const char *const end = strchr(e->d_name, '.');
		char name[32];
		uint32_t seq;

		if (strncmp(e->d_name, DRAFT_PREFIX, strlen(DRAFT_PREFIX)) == 0) {
			(void)unlinkat(j->dir, e->d_name, 0);
			continue;
		}
		if (!end || strcmp(end, ".batch") != 0)
			continue;
		seq = (uint32_t)strtoul(e->d_name, NULL, 10);
		batch_name(seq, name);
		if (seq == 0 || strcmp(name, e->d_name) != 0)
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
	j->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (j->dir < 0) {
		rc = tg_error_set(err, -errno, "cannot open %s: %s", dir, strerror(errno));
		goto free_journal;
	}
	j->lock = openat(j->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (j->lock < 0) {
		rc = tg_error_set(err, -errno, "cannot lock %s: %s", dir, strerror(errno));
		goto close_dir;
	}
	if (flock(j->lock, LOCK_EX | LOCK_NB) != 0) {
		rc = tg_error_set(err, -EBUSY, "%s is in use by another process", dir);
		goto close_lock;
	}
	rc = scan(j, dir, err);
	if (rc)
		goto close_lock;
	*journal = j;
	return 0;

close_lock:
	close(j->lock);
close_dir:
	close(j->dir);
free_journal:
	free(j);
	return rc;
}

void tg_journal_close(struct tg_journal *journal)
{
	if (!journal)
		return;
	close(journal->lock);
	close(journal->dir);
	free(journal);
}

/* ---- reading ------------------------------------------------------------------------------------- */

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
	const uint64_t rows = b->info.n_rows * ROW_BYTES;
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

static const char *read_batch(int fd, uint32_t seq, const uint8_t *prev, bool headers_only,
			      struct tg_batch *b)
{
	uint8_t header[HEADER_BYTES];
	const char *why;
	struct stat st;

	if (fstat(fd, &st) != 0 || read_all(fd, header, sizeof(header)) != 0)
		return "it is shorter than a header";
	why = header_read(header, seq, &b->info);
	if (why)
		return why;
	if ((uint64_t)st.st_size != HEADER_BYTES + b->info.n_rows * ROW_BYTES + b->info.refs_len)
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
	batch_name(seq, name);
	fd = openat(journal->dir, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return tg_error_set(err, -errno, "cannot open journal/%s: %s", name,
				    strerror(errno));
	why = read_batch(fd, seq, prev, headers_only, batch);
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
	char name[32];
	ssize_t n;
	int fd;

	text[0] = 0;
	if (ref == 0)
		return;
	batch_name(seq, name);
	fd = openat(journal->dir, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = -1;
	if (pread(fd, n_rows, sizeof(n_rows), 24) == (ssize_t)sizeof(n_rows))
		n = pread(fd, bytes, sizeof(bytes),
			  (off_t)(HEADER_BYTES + get64(n_rows) * ROW_BYTES + ref - 1));
	close(fd);
	if (n < 1 || bytes[0] > TG_FEED_REF_MAX || bytes[0] > n - 1)
		return;
	memcpy(text, bytes + 1, bytes[0]);
	text[bytes[0]] = 0;
}

/* ---- writing ------------------------------------------------------------------------------------- */

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
	int rc = lseek(w->fd, HEADER_BYTES, SEEK_SET) < 0 ? -errno : write_rows(w, rows, n);

	if (!rc)
		rc = write_out(w, refs, draft->refs_len);
	crypto_generichash_final(&w->hash, draft->body_hash, sizeof(draft->body_hash));
	/* Now, while nobody waits; what is small goes along with the header. */
	if (!rc && n > CHUNK_ROWS && fdatasync(w->fd) != 0)
		rc = -errno;
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
	snprintf(draft->path, sizeof(draft->path), DRAFT_PREFIX "%" PRIu32, number);
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

int tg_journal_commit(struct tg_journal *journal, struct tg_batch_draft *draft,
		      struct tg_batch_info *info, struct tg_error *err)
{
	uint8_t header[HEADER_BYTES];
	char name[32];
	int rc;

	if (journal->broken) {
		tg_batch_discard(journal, draft);
		return tg_error_set(err, -EIO,
				    "an earlier write to the journal failed half-way; "
				    "restart to see what is on disk");
	}
	rc = head_hash(journal, info->prev, err);
	if (rc) {
		tg_batch_discard(journal, draft);
		return rc;
	}
	info->seq = journal->last + 1;
	info->n_rows = draft->n_rows;
	info->refs_len = draft->refs_len;
	header_write(info, draft->body_hash, header);
	batch_name(info->seq, name);
	if (pwrite(draft->fd, header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
	    fdatasync(draft->fd) != 0 ||
	    renameat(journal->dir, draft->path, journal->dir, name) != 0) {
		rc = errno ? -errno : -EIO;
		tg_batch_discard(journal, draft);
		return tg_error_set(err, rc, "cannot write the journal: %s", strerror(-rc));
	}
	close(draft->fd);
	if (fsync(journal->dir) != 0) {
		journal->broken = true;
		return tg_error_set(err, -EIO, "cannot flush the journal's folder: %s",
				    strerror(errno));
	}
	journal->last = info->seq;
	memcpy(journal->head, info->hash, TG_JOURNAL_HASH);
	return 0;
}
