/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Small images and sealed memfds for tests of who opens, maps and swaps them. Built by control's own
 * builder; abort on failure. Inline, because the thread sanitizer's tests link no support library.
 */
#ifndef TG_TESTS_SEALED_H
#define TG_TESTS_SEALED_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "control/build.h"
#include "control/policy_file.h"
#include "tollgate/num.h"

struct tg_sealed_image {
	void *bytes;
	uint64_t length;
	uint64_t id;
};

static inline void tg_sealed_must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

/* E.164 numbers, all listed for callers as fraud, 95. base_id 0: a base; else a delta to it. */
static inline struct tg_sealed_image tg_sealed_table(uint64_t base_id, const uint64_t *numbers,
						     size_t n)
{
	struct tg_build_number *list = calloc(n + 1, sizeof(*list));
	struct tg_build_input in = {
		.kind = base_id ? TG_IMAGE_DELTA : TG_IMAGE_BASE,
		.base_id = base_id,
		.created = 1,
		.hash_key = 0x9e3779b97f4a7c15ull,
		.numbers = list,
		.n_numbers = n,
	};
	struct tg_sealed_image image;
	struct tg_build *build;
	struct tg_error err;
	size_t i;

	tg_sealed_must(list != NULL, "out of memory");
	for (i = 0; i < n; i++) {
		list[i].value = numbers[i];
		list[i].listing = tg_listing_make(tg_listing_slot(TG_CATEGORY_FRAUD, 95), 0);
	}
	tg_sealed_must(tg_build_plan(&in, &build, &image.length, &err) == 0, "tg_build_plan");
	image.bytes = aligned_alloc(TG_IMAGE_ALIGN, (image.length + TG_IMAGE_ALIGN - 1) /
							    TG_IMAGE_ALIGN * TG_IMAGE_ALIGN);
	tg_sealed_must(image.bytes != NULL, "out of memory");
	memset(image.bytes, 0, image.length);
	tg_sealed_must(tg_build_write(build, image.bytes, &image.id, &err) == 0, "tg_build_write");
	tg_build_free(build);
	free(list);
	return image;
}

static inline struct tg_sealed_image tg_sealed_policy(const char *yaml)
{
	struct tg_sealed_image image;
	struct tg_error err;

	if (!yaml)
		yaml = tg_policy_default_text;
	tg_sealed_must(tg_policy_compile(yaml, strlen(yaml), &image.bytes, &image.length, &err) ==
			       0,
		       "tg_policy_compile");
	image.id = ((const struct tg_image_header *)image.bytes)->id;
	return image;
}

#define TG_SEALED_ALL (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

/* The image's bytes in a memfd of `flags` (MFD_HUGETLB) with these seals. -1 if there is none such. */
static inline int tg_sealed_memfd(const struct tg_sealed_image *image, unsigned flags, int seals)
{
	const uint64_t page = flags & MFD_HUGETLB ? 2ull << 20 : 4096;
	const uint64_t size = (image->length + page - 1) / page * page;
	const int fd = memfd_create("tg-test", MFD_CLOEXEC | MFD_ALLOW_SEALING | flags);
	void *map;

	if (fd < 0)
		return -1;
	tg_sealed_must(ftruncate(fd, (off_t)size) == 0, "ftruncate");
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		close(fd);
		return -1;
	}
	memcpy(map, image->bytes, image->length);
	munmap(map, size); /* a writable mapping would forbid F_SEAL_WRITE */
	tg_sealed_must(fcntl(fd, F_ADD_SEALS, seals) == 0, "F_ADD_SEALS");
	return fd;
}

#endif
