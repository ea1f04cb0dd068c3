/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/images.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_MAX_LEN 40
#define TMP_SUFFIX ".tmp"
#define SMALL_FILE_MAX (1u << 20)

struct tg_images {
	int state; /* directories */
	int dir;
};

static int fail(struct tg_error *err, const char *what, const char *name)
{
	const int rc = -errno;

	return tg_error_set(err, rc, "cannot %s %s: %s", what, name, strerror(-rc));
}

static const char *kind_name(enum tg_image_kind kind)
{
	return kind == TG_IMAGE_BASE ? "base" : kind == TG_IMAGE_DELTA ? "delta" : "policy";
}

static void file_name(enum tg_image_kind kind, uint64_t id, char name[NAME_MAX_LEN])
{
	snprintf(name, NAME_MAX_LEN, "%s-%016" PRIx64 ".img", kind_name(kind), id);
}

int tg_images_open(const char *state_dir, struct tg_images **images, struct tg_error *err)
{
	struct tg_images *im = calloc(1, sizeof(*im));
	int rc;

	if (!im)
		return tg_error_set(err, -ENOMEM, "no memory");
	im->dir = -1;
	im->state = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (im->state < 0) {
		rc = fail(err, "open", state_dir);
		goto close_all;
	}
	if (mkdirat(im->state, "images", 0755) != 0 && errno != EEXIST) {
		rc = fail(err, "create", "images");
		goto close_all;
	}
	im->dir = openat(im->state, "images", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (im->dir < 0) {
		rc = fail(err, "open", "images");
		goto close_all;
	}
	*images = im;
	return 0;
close_all:
	tg_images_close(im);
	return rc;
}

void tg_images_close(struct tg_images *im)
{
	if (!im)
		return;
	if (im->dir >= 0)
		close(im->dir);
	if (im->state >= 0)
		close(im->state);
	free(im);
}

/* ---- files that appear whole or not at all ------------------------------------------------------- */

static int write_all(int fd, const void *bytes, size_t len)
{
	const char *p = bytes;

	while (len > 0) {
		const ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_file(int dir, const char *name, const void *bytes, size_t len,
		      struct tg_error *err)
{
	char tmp[NAME_MAX_LEN + sizeof(TMP_SUFFIX)];
	int fd, rc;

	snprintf(tmp, sizeof(tmp), "%s" TMP_SUFFIX, name);
	fd = openat(dir, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return fail(err, "create", tmp);
	rc = write_all(fd, bytes, len);
	if (rc == 0 && fsync(fd) != 0)
		rc = -errno;
	close(fd);
	if (rc == 0 && renameat(dir, tmp, dir, name) != 0)
		rc = -errno;
	/* The rename itself has to survive a power cut, too. */
	if (rc == 0 && fsync(dir) != 0)
		rc = -errno;
	if (rc == 0)
		return 0;
	unlinkat(dir, tmp, 0);
	return tg_error_set(err, rc, "cannot write %s: %s", name, strerror(-rc));
}

/* *text is malloc'd, NUL-terminated. */
static int read_file(int dir, const char *name, char **text, size_t *len, struct tg_error *err)
{
	const int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	size_t n = 0;
	ssize_t got;
	char *buf;

	if (fd < 0)
		return fail(err, "open", name);
	buf = malloc(SMALL_FILE_MAX + 1);
	if (!buf) {
		close(fd);
		return tg_error_set(err, -ENOMEM, "no memory");
	}
	do {
		got = read(fd, buf + n, SMALL_FILE_MAX - n);
		n += got > 0 ? (size_t)got : 0;
	} while (got > 0 || (got < 0 && errno == EINTR));
	if (got < 0) {
		const int rc = fail(err, "read", name);

		free(buf);
		close(fd);
		return rc;
	}
	close(fd);
	buf[n] = 0;
	*text = buf;
	*len = n;
	return 0;
}

/* ---- images -------------------------------------------------------------------------------------- */

int tg_images_store(struct tg_images *im, const struct tg_memimage *image, struct tg_error *err)
{
	char name[NAME_MAX_LEN];
	struct stat st;

	file_name(image->kind, image->id, name);
	/* Renamed into place after fsync, so it is whole if it is there. */
	if (fstatat(im->dir, name, &st, 0) == 0 && (uint64_t)st.st_size == image->length)
		return 0;
	return write_file(im->dir, name, image->header, image->length, err);
}

static int read_into(int fd, void *to, uint64_t len)
{
	char *p = to;

	while (len > 0) {
		const ssize_t n = read(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		p += n;
		len -= (uint64_t)n;
	}
	return 0;
}

static int load_file(int fd, const char *name, enum tg_image_kind kind, struct tg_memimage **image,
		     struct tg_error *err)
{
	struct tg_memimage_draft draft;
	struct tg_error why;
	struct stat st;
	int rc;

	if (fstat(fd, &st) != 0)
		return fail(err, "read", name);
	rc = tg_memimage_begin(&draft, (uint64_t)st.st_size, err);
	if (rc != 0)
		return rc;
	rc = read_into(fd, draft.map, draft.length);
	if (rc != 0) {
		tg_memimage_discard(&draft);
		return tg_error_set(err, rc, "cannot read %s: %s", name, strerror(-rc));
	}
	rc = tg_memimage_seal(&draft, kind, image, &why);
	return rc == 0 ? 0 : tg_error_set(err, rc, "%s: %s", name, why.text);
}

int tg_images_load(struct tg_images *im, enum tg_image_kind kind, uint64_t id,
		   struct tg_memimage **image, struct tg_error *err)
{
	char name[NAME_MAX_LEN];
	int fd, rc;

	file_name(kind, id, name);
	fd = openat(im->dir, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail(err, "open", name);
	rc = load_file(fd, name, kind, image, err);
	close(fd);
	if (rc != 0)
		return rc;
	/* Set where rc is 0; the analyser thinks that errno may be 0 after a failure. */
	if ((*image)->id != id) { /* NOLINT(clang-analyzer-core.NullDereference) */
		tg_memimage_put(*image);
		return tg_error_set(err, -EINVAL, "%s: holds another image", name);
	}
	(*image)->stored = true;
	return 0;
}

/* ---- history, current, pinned -------------------------------------------------------------------- */

/* Ids are 64 bits and JSON numbers are not everywhere: hexadecimal text. */
static json_t *id_to_json(uint64_t id)
{
	return json_sprintf("%016" PRIx64, id);
}

static json_t *set_to_json(const struct tg_images_set *s)
{
	return json_pack("{s:I, s:I, s:I, s:o, s:o, s:o, s:I, s:I, s:I}", "generation",
			 (json_int_t)s->number, "first", (json_int_t)s->first, "time",
			 (json_int_t)s->time, "base", id_to_json(s->base_id), "delta",
			 id_to_json(s->delta_id), "policy", id_to_json(s->policy_id), "base_batch",
			 (json_int_t)s->base_batch, "base_time", (json_int_t)s->base_time,
			 "entries", (json_int_t)s->entries);
}

static int set_from_json(json_t *j, struct tg_images_set *s)
{
	json_int_t number, first, when, batch, base_time, entries;
	const char *base, *delta, *policy;

	if (json_unpack(j, "{s:I, s:I, s:I, s:s, s:s, s:s, s:I, s:I, s:I}", "generation", &number,
			"first", &first, "time", &when, "base", &base, "delta", &delta, "policy",
			&policy, "base_batch", &batch, "base_time", &base_time, "entries",
			&entries) != 0)
		return -EINVAL;
	*s = (struct tg_images_set){
		.number = (uint64_t)number,
		.first = (uint64_t)first,
		.time = when,
		.base_id = strtoull(base, NULL, 16),
		.delta_id = strtoull(delta, NULL, 16),
		.policy_id = strtoull(policy, NULL, 16),
		.base_batch = (uint64_t)batch,
		.base_time = base_time,
		.entries = (uint64_t)entries,
	};
	return 0;
}

static int write_json(struct tg_images *im, const char *name, json_t *j, struct tg_error *err)
{
	char *text = j ? json_dumps(j, JSON_INDENT(1)) : NULL;
	int rc;

	json_decref(j);
	if (!text)
		return tg_error_set(err, -ENOMEM, "no memory");
	rc = write_file(im->dir, name, text, strlen(text), err);
	free(text);
	return rc;
}

static json_t *read_json(struct tg_images *im, const char *name, int *rc, struct tg_error *err)
{
	json_error_t why;
	json_t *j;
	char *text;
	size_t len;

	*rc = read_file(im->dir, name, &text, &len, err);
	if (*rc != 0)
		return NULL;
	j = json_loadb(text, len, 0, &why);
	free(text);
	if (!j)
		*rc = tg_error_set(err, -EINVAL, "%s: %s", name, why.text);
	return j;
}

static int write_current(struct tg_images *im, const struct tg_images_set *s, struct tg_error *err)
{
	char base[NAME_MAX_LEN], delta[NAME_MAX_LEN], policy[NAME_MAX_LEN];
	char text[4 * NAME_MAX_LEN + 64];
	int n;

	file_name(TG_IMAGE_BASE, s->base_id, base);
	file_name(TG_IMAGE_DELTA, s->delta_id, delta);
	file_name(TG_IMAGE_POLICY, s->policy_id, policy);
	n = snprintf(text, sizeof(text), "generation %" PRIu64 "\nbase %s\n%s%s%spolicy %s\n",
		     s->number, base, s->delta_id ? "delta " : "", s->delta_id ? delta : "",
		     s->delta_id ? "\n" : "", policy);
	return write_file(im->dir, "current", text, (size_t)n, err);
}

int tg_images_commit(struct tg_images *im, const struct tg_images_history *h, struct tg_error *err)
{
	json_t *sets = json_array();
	unsigned i;
	int rc;

	for (i = 0; i < h->n; i++)
		json_array_append_new(sets, set_to_json(&h->set[i]));
	rc = write_json(
		im, "history",
		json_pack("{s:I, s:o}", "generation", (json_int_t)h->generation, "sets", sets),
		err);
	if (rc != 0 || h->n == 0)
		return rc;
	return write_current(im, &h->set[h->n - 1], err);
}

/* The dataplane may have counted on from a `current` that outlived its history. */
static uint64_t current_generation(struct tg_images *im)
{
	uint64_t generation = 0;
	char *text;
	size_t len;

	if (read_file(im->dir, "current", &text, &len, NULL) != 0)
		return 0;
	if (sscanf(text, "generation %" SCNu64, &generation) != 1)
		generation = 0;
	free(text);
	return generation;
}

int tg_images_read_history(struct tg_images *im, struct tg_images_history *h, struct tg_error *err)
{
	json_int_t generation = 0;
	json_t *j, *sets = NULL, *set;
	size_t i;
	int rc;

	*h = (struct tg_images_history){ .generation = current_generation(im) };
	j = read_json(im, "history", &rc, err);
	if (!j)
		return rc;
	if (json_unpack(j, "{s:I, s:o}", "generation", &generation, "sets", &sets) != 0)
		rc = tg_error_set(err, -EINVAL, "history: not what this program writes");
	if ((uint64_t)generation > h->generation)
		h->generation = (uint64_t)generation;
	json_array_foreach(sets, i, set) {
		if (h->n == TG_IMAGES_HISTORY || set_from_json(set, &h->set[h->n]) != 0) {
			rc = tg_error_set(err, -EINVAL, "history: set %zu is not readable", i + 1);
			break;
		}
		h->n++;
	}
	json_decref(j);
	return rc;
}

static bool names_file(const struct tg_images_history *h, const char *file)
{
	char name[NAME_MAX_LEN];
	unsigned i;

	for (i = 0; i < h->n; i++) {
		file_name(TG_IMAGE_BASE, h->set[i].base_id, name);
		if (strcmp(file, name) == 0)
			return true;
		file_name(TG_IMAGE_DELTA, h->set[i].delta_id, name);
		if (strcmp(file, name) == 0)
			return true;
		file_name(TG_IMAGE_POLICY, h->set[i].policy_id, name);
		if (strcmp(file, name) == 0)
			return true;
	}
	return false;
}

static bool has_suffix(const char *name, const char *suffix)
{
	const size_t n = strlen(name), s = strlen(suffix);

	return n >= s && strcmp(name + n - s, suffix) == 0;
}

int tg_images_collect(struct tg_images *im, const struct tg_images_history *h)
{
	const int fd = openat(im->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *e;

	if (!dir) {
		const int rc = -errno;

		if (fd >= 0)
			close(fd);
		return rc;
	}
	while ((e = readdir(dir)) != NULL) {
		const bool leftover = has_suffix(e->d_name, ".img" TMP_SUFFIX);

		if (leftover || (has_suffix(e->d_name, ".img") && !names_file(h, e->d_name)))
			unlinkat(im->dir, e->d_name, 0);
	}
	closedir(dir);
	return 0;
}

int tg_images_verify(struct tg_images *im, const struct tg_images_history *h, struct tg_error *err)
{
	unsigned i, k;

	for (i = 0; i < h->n; i++) {
		const struct tg_images_set *s = &h->set[i];
		const uint64_t ids[] = { s->base_id, s->delta_id, s->policy_id };
		static const enum tg_image_kind kinds[] = { TG_IMAGE_BASE, TG_IMAGE_DELTA,
							    TG_IMAGE_POLICY };

		for (k = 0; k < TG_ARRAY_LEN(ids); k++) {
			struct tg_memimage *image = NULL;
			int rc;

			if (ids[k] == 0)
				continue;
			rc = tg_images_load(im, kinds[k], ids[k], &image, err);
			if (rc != 0)
				return rc;
			tg_memimage_put(image);
		}
	}
	return 0;
}

int tg_images_pin(struct tg_images *im, const struct tg_images_set *set, struct tg_error *err)
{
	if (set)
		return write_json(im, "pinned", set_to_json(set), err);
	if (unlinkat(im->dir, "pinned", 0) != 0 && errno != ENOENT)
		return fail(err, "remove", "pinned");
	return fsync(im->dir) == 0 ? 0 : fail(err, "write", "images");
}

int tg_images_read_pin(struct tg_images *im, struct tg_images_set *set, struct tg_error *err)
{
	json_t *j;
	int rc;

	j = read_json(im, "pinned", &rc, err);
	if (!j)
		return rc;
	if (set_from_json(j, set) != 0)
		rc = tg_error_set(err, -EINVAL, "pinned: not what this program writes");
	json_decref(j);
	return rc;
}

int tg_images_write_policy(struct tg_images *im, const char *text, size_t len, struct tg_error *err)
{
	return write_file(im->state, "policy.yaml", text, len, err);
}

int tg_images_read_policy(struct tg_images *im, char **text, size_t *len, struct tg_error *err)
{
	return read_file(im->state, "policy.yaml", text, len, err);
}
