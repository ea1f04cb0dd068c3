/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/run/part.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define SEALS_WANTED (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
#define HUGE_PAGE (2ull << 20)

static const struct {
	const char *name;
	enum tg_image_kind kind;
} places[TG_PART_COUNT] = {
	[TG_PART_BASE] = { "base", TG_IMAGE_BASE },
	[TG_PART_DELTA] = { "delta", TG_IMAGE_DELTA },
	[TG_PART_POLICY] = { "policy", TG_IMAGE_POLICY },
};

const char *tg_part_name(enum tg_part_place place)
{
	return places[place].name;
}

static uint64_t round_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) / to * to;
}

static int image_refused(enum tg_part_place place, const struct tg_image_error *e,
			 struct tg_why *why)
{
	if (e->length)
		return tg_why_set(why, -EINVAL,
				  "%s: %s (section %s, offset %" PRIu64 ", within %" PRIu64
				  " bytes)",
				  places[place].name, tg_image_error_text(e->code),
				  tg_image_section_name(e->section), e->offset, e->length);
	return tg_why_set(why, -EINVAL, "%s: %s (section %s, offset %" PRIu64 ")",
			  places[place].name, tg_image_error_text(e->code),
			  tg_image_section_name(e->section), e->offset);
}

/* Takes over the mapping, whatever the outcome. */
static int part_open(const struct tg_part *mapped, struct tg_part **out, struct tg_why *why)
{
	struct tg_image_error err = { 0 };
	struct tg_part *part = calloc(1, sizeof(*part));
	int rc;

	if (!part) {
		munmap(mapped->map, mapped->map_len);
		return tg_why_set(why, -ENOMEM, "%s: out of memory", places[mapped->place].name);
	}
	*part = *mapped;
	part->refs = 1;
	if (part->place == TG_PART_POLICY)
		rc = tg_policy_open(&part->policy, part->map, part->length, &err);
	else
		rc = tg_table_open(&part->table, part->map, part->length, places[part->place].kind,
				   &err);
	if (rc != 0) {
		rc = image_refused(part->place, &err, why);
		tg_part_put(part);
		return rc;
	}
	*out = part;
	return 0;
}

int tg_part_open_memfd(int fd, enum tg_part_place place, uint64_t length, struct tg_part **part,
		       struct tg_why *why)
{
	const char *name = places[place].name;
	struct tg_part mapped = { .length = length, .place = place };
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	const int seals = fcntl(fd, F_GET_SEALS);
	struct statfs fs;
	struct stat st;

	if (seals < 0)
		return tg_why_set(why, -EINVAL, "%s: the descriptor is no memfd", name);
	if ((seals & SEALS_WANTED) != SEALS_WANTED)
		return tg_why_set(why, -EPERM,
				  "%s: not sealed against writing, shrinking, growing and sealing",
				  name);
	if (fstat(fd, &st) != 0 || fstatfs(fd, &fs) != 0)
		return tg_why_set(why, -errno, "%s: %s", name, strerror(errno));
	if (length == 0 || (uint64_t)st.st_size < length)
		return tg_why_set(why, -EINVAL,
				  "%s: the descriptor holds %" PRIu64 " bytes, %" PRIu64
				  " were announced",
				  name, (uint64_t)st.st_size, length);
	if (fs.f_type == HUGETLBFS_MAGIC)
		page = (uint64_t)fs.f_bsize; /* mmap and munmap want whole huge pages */
	mapped.map_len = round_up(length, page);

	/* Private, although nothing is ever written: before Linux 6.7 a shared mapping of a
	 * write-sealed memfd is refused, even a read-only one. Without NORESERVE a private mapping
	 * of huge pages would reserve all of them a second time. */
	mapped.map = mmap(NULL, mapped.map_len, PROT_READ, MAP_PRIVATE | MAP_NORESERVE, fd, 0);
	if (mapped.map == MAP_FAILED)
		return tg_why_set(why, -errno, "%s: cannot be mapped: %s", name, strerror(errno));
	return part_open(&mapped, part, why);
}

static int read_whole(int fd, void *to, uint64_t length)
{
	uint64_t done = 0;

	while (done < length) {
		const ssize_t n = read(fd, (uint8_t *)to + done, length - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (uint64_t)n;
	}
	return 0;
}

static int copy_file(int fd, const char *name, struct tg_part *mapped, struct tg_why *why)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	struct stat st;
	int rc;

	if (fstat(fd, &st) != 0)
		return tg_why_set(why, -errno, "%s: %s", name, strerror(errno));
	if (!S_ISREG(st.st_mode) || st.st_size == 0)
		return tg_why_set(why, -EINVAL, "%s: empty, or not a regular file", name);
	mapped->length = (uint64_t)st.st_size;
	mapped->map_len = round_up(mapped->length, HUGE_PAGE);
	/* cppcheck-suppress invalidFunctionArg; -1 is what an anonymous mapping asks for */
	mapped->map = mmap(NULL, mapped->map_len, PROT_READ | PROT_WRITE, flags, -1, 0);
	if (mapped->map == MAP_FAILED)
		return tg_why_set(why, -errno, "%s: no memory for it: %s", name, strerror(errno));
	/* Fewer TLB misses where the kernel has huge pages to give; nothing depends on it. */
	(void)madvise(mapped->map, mapped->map_len, MADV_HUGEPAGE);
	rc = read_whole(fd, mapped->map, mapped->length);
	if (rc == 0 && mprotect(mapped->map, mapped->map_len, PROT_READ) != 0)
		rc = -errno;
	if (rc != 0) {
		munmap(mapped->map, mapped->map_len);
		return tg_why_set(why, rc, "%s: %s", name, strerror(-rc));
	}
	return 0;
}

int tg_part_open_file(int dir_fd, const char *name, enum tg_part_place place, struct tg_part **part,
		      struct tg_why *why)
{
	struct tg_part mapped = { .place = place };
	struct tg_why inside = { "" };
	const int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int rc;

	if (fd < 0)
		return tg_why_set(why, -errno, "%s: %s", name, strerror(errno));
	rc = copy_file(fd, name, &mapped, why);
	close(fd);
	if (rc != 0)
		return rc;
	rc = part_open(&mapped, part, &inside);
	return rc == 0 ? 0 : tg_why_set(why, rc, "%s: %s", name, inside.text);
}

struct tg_part *tg_part_get(struct tg_part *part)
{
	/* Relaxed: who has a reference to copy needs no order to make another one. */
	if (part)
		__atomic_fetch_add(&part->refs, 1, __ATOMIC_RELAXED);
	return part;
}

void tg_part_put(struct tg_part *part)
{
	/* Release and acquire: the thread that unmaps must come after every read which the others
	 * made before they gave up their reference. */
	if (!part || __atomic_sub_fetch(&part->refs, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	munmap(part->map, part->map_len);
	free(part);
}

uint64_t tg_part_id(const struct tg_part *part)
{
	return part ? ((const struct tg_image_header *)part->map)->id : 0;
}
