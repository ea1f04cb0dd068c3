/* SPDX-License-Identifier: BSD-3-Clause */
/* The last good images on disk, and the history of generations. */
#include "control/images.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/generations.h"
#include "tests/support/images.h"
#include "tests/support/tg_test.h"

struct fixture {
	char dir[64];
	struct tg_images *images;
	struct tg_memimage *base, *delta, *policy;
	struct tg_error err;
};

static void open_fixture(struct fixture *f)
{
	*f = (struct fixture){ .dir = "/tmp/tg-images-XXXXXX" };
	assert_non_null(mkdtemp(f->dir));
	assert_int_equal(tg_images_open(f->dir, &f->images, &f->err), 0);
	f->base = tg_test_table(12025550100, 10, 0);
	f->delta = tg_test_table(12025550150, 1, f->base->id);
	f->policy = tg_test_policy();
}

static void close_fixture(struct fixture *f)
{
	char command[128];

	tg_images_close(f->images);
	tg_memimage_put(f->base);
	tg_memimage_put(f->delta);
	tg_memimage_put(f->policy);
	snprintf(command, sizeof(command), "rm -r '%s'", f->dir);
	assert_int_equal(system(command), 0);
}

static struct tg_images_set set_of(const struct fixture *f, uint64_t number, bool delta)
{
	return (struct tg_images_set){ .number = number,
				       .first = number,
				       .time = 1000,
				       .base_id = f->base->id,
				       .delta_id = delta ? f->delta->id : 0,
				       .policy_id = f->policy->id,
				       .base_batch = 4,
				       .base_time = 900,
				       .entries = 11 };
}

static void store_all(struct fixture *f)
{
	assert_int_equal(tg_images_store(f->images, f->base, &f->err), 0);
	assert_int_equal(tg_images_store(f->images, f->delta, &f->err), 0);
	assert_int_equal(tg_images_store(f->images, f->policy, &f->err), 0);
}

static char *slurp(const struct fixture *f, const char *name)
{
	char path[160];
	size_t len;
	uint8_t *bytes;
	char *text;

	snprintf(path, sizeof(path), "%s/images/%s", f->dir, name);
	bytes = tg_test_read_file(path, &len);
	text = calloc(1, len + 1);
	memcpy(text, bytes, len);
	free(bytes);
	return text;
}

TG_TEST(images_come_back_as_they_were, TG_NEEDS_NOTHING)
{
	struct tg_images_history h = { .generation = 7, .n = 2 }, read;
	struct tg_memimage *image;
	char expected[256], *current;
	struct fixture f;

	open_fixture(&f);
	assert_int_equal(tg_images_read_history(f.images, &read, &f.err), -ENOENT);
	h.set[0] = set_of(&f, 6, false);
	h.set[1] = set_of(&f, 7, true);
	store_all(&f);
	assert_int_equal(tg_images_commit(f.images, &h, &f.err), 0);
	assert_int_equal(tg_images_read_history(f.images, &read, &f.err), 0);
	assert_memory_equal(&read, &h, sizeof(h));
	assert_int_equal(tg_images_load(f.images, TG_IMAGE_BASE, f.base->id, &image, &f.err), 0);
	assert_memory_equal(image->header, f.base->header, f.base->length);
	assert_true(image->stored);
	tg_memimage_put(image);
	assert_int_equal(tg_images_verify(f.images, &h, &f.err), 0);

	current = slurp(&f, "current");
	snprintf(expected, sizeof(expected),
		 "generation 7\nbase base-%016" PRIx64 ".img\ndelta delta-%016" PRIx64
		 ".img\npolicy policy-%016" PRIx64 ".img\n",
		 f.base->id, f.delta->id, f.policy->id);
	assert_string_equal(current, expected);
	free(current);

	/* Without a delta there is no such line. */
	h.n = 1;
	assert_int_equal(tg_images_commit(f.images, &h, &f.err), 0);
	current = slurp(&f, "current");
	assert_null(strstr(current, "delta"));
	free(current);
	close_fixture(&f);
}

TG_TEST(images_collect_keeps_what_history_names, TG_NEEDS_NOTHING)
{
	struct tg_images_history h = { .generation = 6, .n = 1 };
	struct tg_memimage *image;
	char path[160];
	struct fixture f;
	FILE *left;

	open_fixture(&f);
	store_all(&f);
	h.set[0] = set_of(&f, 6, false);
	snprintf(path, sizeof(path), "%s/images/base-0123456789abcdef.img.tmp", f.dir);
	left = fopen(path, "w"); /* a killed writer's */
	fclose(left);
	assert_int_equal(tg_images_commit(f.images, &h, &f.err), 0);
	assert_int_equal(tg_images_collect(f.images, &h), 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(tg_images_load(f.images, TG_IMAGE_DELTA, f.delta->id, &image, &f.err),
			 -ENOENT);
	assert_int_equal(tg_images_verify(f.images, &h, &f.err), 0);
	h.set[0] = set_of(&f, 6, true);
	assert_int_equal(tg_images_verify(f.images, &h, &f.err), -ENOENT);
	close_fixture(&f);
}

/* TB-5: short, flipped, another image's name. */
TG_TEST(TB_5_images_damaged_on_disk_are_refused, TG_NEEDS_NOTHING)
{
	struct tg_memimage *image;
	char path[160], other[160];
	struct fixture f;
	uint8_t byte;
	int fd;

	open_fixture(&f);
	store_all(&f);
	snprintf(path, sizeof(path), "%s/images/base-%016" PRIx64 ".img", f.dir, f.base->id);
	fd = open(path, O_RDWR);
	assert_int_equal(pread(fd, &byte, 1, 4096), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, 4096), 1);
	assert_int_equal(tg_images_load(f.images, TG_IMAGE_BASE, f.base->id, &image, &f.err),
			 -EINVAL);
	assert_non_null(strstr(f.err.text, "base-"));
	assert_int_equal(ftruncate(fd, 100), 0);
	assert_int_equal(tg_images_load(f.images, TG_IMAGE_BASE, f.base->id, &image, &f.err),
			 -EINVAL);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(tg_images_load(f.images, TG_IMAGE_BASE, f.base->id, &image, &f.err),
			 -EINVAL);
	close(fd);
	/* A file that is too short is written again. */
	assert_int_equal(tg_images_store(f.images, f.base, &f.err), 0);
	assert_int_equal(tg_images_load(f.images, TG_IMAGE_BASE, f.base->id, &image, &f.err), 0);
	tg_memimage_put(image);
	snprintf(other, sizeof(other), "%s/images/base-%016" PRIx64 ".img", f.dir, f.base->id + 1);
	assert_int_equal(rename(path, other), 0);
	assert_int_equal(tg_images_load(f.images, TG_IMAGE_BASE, f.base->id + 1, &image, &f.err),
			 -EINVAL);
	close_fixture(&f);
}

static void write_history(void *ctx, const uint8_t *data, size_t len)
{
	struct fixture *f = ctx;
	struct tg_images_history h;
	char path[160];
	FILE *out;
	int rc;

	snprintf(path, sizeof(path), "%s/images/history", f->dir);
	out = fopen(path, "w");
	assert_int_equal(fwrite(data, 1, len, out), len);
	fclose(out);
	rc = tg_images_read_history(f->images, &h, &f->err);
	assert_true(rc == 0 || rc == -EINVAL);
	assert_true(h.n <= TG_IMAGES_HISTORY);
	assert_true(h.generation >= 7); /* `current` says so, whatever became of the history */
}

TG_TEST(images_history_cut_anywhere_keeps_the_generation, TG_NEEDS_NOTHING)
{
	struct tg_images_history h = { .generation = 7, .n = 1 };
	struct fixture f;
	char *text;

	open_fixture(&f);
	h.set[0] = set_of(&f, 7, true);
	assert_int_equal(tg_images_commit(f.images, &h, &f.err), 0);
	text = slurp(&f, "history");
	tg_guard_truncate(text, strlen(text), write_history, &f);
	free(text);
	close_fixture(&f);
}

TG_TEST(images_pin_and_policy_text, TG_NEEDS_NOTHING)
{
	struct tg_images_set set, read;
	struct fixture f;
	char *text;
	size_t len;

	open_fixture(&f);
	set = set_of(&f, 5, true);
	assert_int_equal(tg_images_read_pin(f.images, &read, &f.err), -ENOENT);
	assert_int_equal(tg_images_pin(f.images, &set, &f.err), 0);
	assert_int_equal(tg_images_read_pin(f.images, &read, &f.err), 0);
	assert_memory_equal(&read, &set, sizeof(set));
	assert_int_equal(tg_images_pin(f.images, NULL, &f.err), 0);
	assert_int_equal(tg_images_pin(f.images, NULL, &f.err), 0);
	assert_int_equal(tg_images_read_pin(f.images, &read, &f.err), -ENOENT);

	assert_int_equal(tg_images_read_policy(f.images, &text, &len, &f.err), -ENOENT);
	assert_int_equal(tg_images_write_policy(f.images, "version: 1\n", 11, &f.err), 0);
	assert_int_equal(tg_images_read_policy(f.images, &text, &len, &f.err), 0);
	assert_int_equal(len, 11);
	assert_string_equal(text, "version: 1\n");
	free(text);
	close_fixture(&f);
}

/* ---- generations --------------------------------------------------------------------------------- */

static uint64_t put(struct tg_generations *g, struct tg_memimage *base, struct tg_memimage *delta,
		    struct tg_memimage *policy)
{
	struct tg_generations_set s = { .base = base, .delta = delta, .policy = policy };

	tg_generations_identify(&s);
	return tg_generations_publish(g, &s, 1000)->meta.number;
}

TG_TEST(generations_number_and_forget, TG_NEEDS_NOTHING)
{
	struct tg_generations g = { .number = 40 };
	struct tg_memimage *base[TG_IMAGES_HISTORY + 2];
	struct tg_images_history h;
	struct fixture f;
	unsigned i;

	open_fixture(&f);
	for (i = 0; i < TG_ARRAY_LEN(base); i++) {
		base[i] = tg_test_table(12025550100 + i, 3, 0);
		assert_int_equal(put(&g, base[i], NULL, f.policy), 41 + i);
	}
	assert_int_equal(g.n, TG_IMAGES_HISTORY);
	assert_null(tg_generations_find(&g, 41));
	assert_non_null(tg_generations_find(&g, 43));
	/* To and fro between two sets pushes no other out. */
	for (i = 0; i < 20; i++)
		assert_int_equal(put(&g, base[8 + i % 2], NULL, f.policy), 51 + i);
	assert_int_equal(g.n, TG_IMAGES_HISTORY);
	assert_non_null(tg_generations_find(&g, 43));
	assert_int_equal(tg_generations_find(&g, 49)->meta.number, 69); /* by its first number */
	assert_int_equal(tg_generations_current(&g)->meta.number, 70);
	tg_generations_refuse(&g, 69); /* not the last */
	assert_int_equal(g.n, TG_IMAGES_HISTORY);
	tg_generations_refuse(&g, 70);
	assert_int_equal(tg_generations_current(&g)->meta.number, 69);
	assert_int_equal(g.number, 70); /* a number is given once */
	tg_generations_to_history(&g, &h);
	assert_int_equal(h.n, TG_IMAGES_HISTORY - 1);
	tg_generations_clear(&g);
	for (i = 0; i < TG_ARRAY_LEN(base); i++) {
		assert_int_equal(base[i]->refs, 1);
		tg_memimage_put(base[i]);
	}
	close_fixture(&f);
}

TG_TEST(generations_give_back_only_what_is_on_disk, TG_NEEDS_NOTHING)
{
	struct tg_generations g = { .number = 0 };
	struct tg_memimage *a = tg_test_table(1202555, 3, 0), *b = tg_test_table(1203555, 3, 0);
	struct fixture f;

	open_fixture(&f);
	put(&g, a, NULL, f.policy);
	put(&g, b, NULL, f.policy);
	put(&g, f.base, NULL, f.policy);
	tg_generations_trim(&g, 0);
	assert_true(tg_generations_in_memory(&g.set[0])); /* nowhere else */
	a->stored = true;
	tg_generations_trim(&g, 1ull << 30);
	assert_true(tg_generations_in_memory(&g.set[0]));
	tg_generations_trim(&g, b->span);
	assert_null(g.set[0].base);
	assert_non_null(g.set[0].policy); /* the current set's as well */
	assert_true(tg_generations_in_memory(&g.set[1]));
	assert_true(tg_generations_in_memory(&g.set[2]));
	tg_generations_clear(&g);
	tg_memimage_put(a);
	tg_memimage_put(b);
	close_fixture(&f);
}
