/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/memimage.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/memfd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HUGE_PAGE (2ull << 20)
/* From two huge pages up: below, the last page's slack would be more than half of the memory, and a
 * table of 4 MiB is covered by 1,024 TLB entries of 4 KiB anyway, which the L2 TLB nearly holds. */
#define HUGE_FROM (2 * HUGE_PAGE)
#define SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

static int draft_map(struct tg_memimage_draft *draft, unsigned flags, size_t span)
{
	int rc;

	draft->fd = memfd_create("tollgate-image", MFD_CLOEXEC | MFD_ALLOW_SEALING | flags);
	if (draft->fd < 0)
		return -errno;
	draft->span = span;
	if (ftruncate(draft->fd, (off_t)span) != 0)
		goto fail;
	/* Memory that is not there must be an error here, not a SIGBUS while the image is filled. A
	 * shared map of huge pages reserves them all, plain pages are allocated. */
	if (!(flags & MFD_HUGETLB) && fallocate(draft->fd, 0, 0, (off_t)span) != 0)
		goto fail;
	draft->map = mmap(NULL, span, PROT_READ | PROT_WRITE, MAP_SHARED, draft->fd, 0);
	if (draft->map != MAP_FAILED)
		return 0;
fail:
	rc = -errno;
	close(draft->fd);
	draft->fd = -1;
	return rc;
}

int tg_memimage_begin(struct tg_memimage_draft *draft, uint64_t length, struct tg_error *err)
{
	const long page = sysconf(_SC_PAGESIZE);
	int rc = -ENOMEM;

	draft->length = length;
	if (length == 0 || length > (uint64_t)INT64_MAX - HUGE_PAGE)
		return tg_error_set(err, -EINVAL, "image length %" PRIu64 " is not possible",
				    length);
	if (length >= HUGE_FROM)
		rc = draft_map(draft, MFD_HUGETLB | MFD_HUGE_2MB,
			       (length + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE);
	if (rc != 0)
		rc = draft_map(draft, 0,
			       (length + (uint64_t)page - 1) / (uint64_t)page * (uint64_t)page);
	if (rc != 0)
		return tg_error_set(err, rc, "no memory for an image of %" PRIu64 " bytes: %s",
				    length, strerror(-rc));
	return 0;
}

void tg_memimage_discard(struct tg_memimage_draft *draft)
{
	munmap(draft->map, draft->span);
	close(draft->fd);
	draft->map = NULL;
	draft->fd = -1;
}

static int open_content(struct tg_memimage *image, struct tg_error *err)
{
	struct tg_image_error why;
	int rc;

	if (image->kind == TG_IMAGE_POLICY)
		rc = tg_policy_open(&image->policy, image->header, image->length, &why);
	else
		rc = tg_table_open(&image->table, image->header, image->length, image->kind, &why);
	if (rc != 0)
		return tg_error_set(err, rc, "%s (section %s, offset %" PRIu64 ")",
				    tg_image_error_text(why.code),
				    tg_image_section_name(why.section), why.offset);
	image->id = image->header->id;
	return 0;
}

int tg_memimage_seal(struct tg_memimage_draft *draft, enum tg_image_kind kind,
		     struct tg_memimage **image, struct tg_error *err)
{
	struct tg_memimage *im = calloc(1, sizeof(*im));
	void *map;
	int rc;

	if (!im) {
		tg_memimage_discard(draft);
		return tg_error_set(err, -ENOMEM, "no memory");
	}
	im->fd = draft->fd;
	im->kind = kind;
	im->length = draft->length;
	im->span = draft->span;
	im->refs = 1;
	/* F_SEAL_WRITE is refused while a writable shared map exists. */
	munmap(draft->map, draft->span);
	draft->map = NULL;
	draft->fd = -1;
	if (fcntl(im->fd, F_ADD_SEALS, SEALS) != 0) {
		rc = tg_error_set(err, -errno, "cannot seal an image: %s", strerror(errno));
		goto fail;
	}
	/* Private: before Linux 6.7 even a read-only shared map of a write-sealed memfd is refused.
	 * NORESERVE: else a private map reserves all its huge pages a second time. */
	map = mmap(NULL, im->span, PROT_READ, MAP_PRIVATE | MAP_NORESERVE, im->fd, 0);
	if (map == MAP_FAILED) {
		rc = tg_error_set(err, -errno, "cannot map an image: %s", strerror(errno));
		goto fail;
	}
	im->header = map;
	rc = open_content(im, err);
	if (rc != 0)
		goto fail;
	*image = im;
	return 0;
fail:
	tg_memimage_put(im);
	return rc;
}

int tg_memimage_from_bytes(const void *bytes, uint64_t length, enum tg_image_kind kind,
			   struct tg_memimage **image, struct tg_error *err)
{
	struct tg_memimage_draft draft = { .fd = -1 };
	const int rc = tg_memimage_begin(&draft, length, err);

	if (rc != 0)
		return rc;
	/* Mapped where rc is 0; the analyser thinks that errno may be 0 after a failure. */
	memcpy(draft.map, bytes, length); /* NOLINT(clang-analyzer-core.NonNullParamChecker) */
	return tg_memimage_seal(&draft, kind, image, err);
}

struct tg_memimage *tg_memimage_ref(struct tg_memimage *image)
{
	if (image)
		image->refs++;
	return image;
}

void tg_memimage_put(struct tg_memimage *image)
{
	if (!image || --image->refs > 0)
		return;
	if (image->header)
		munmap((void *)(uintptr_t)image->header, image->span);
	close(image->fd);
	free(image);
}
