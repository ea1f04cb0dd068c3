/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One opened image: mapped read-only, validated once, counted by reference, so that a part which the
 * next generation keeps lives on without being read again. Knows no worker and no socket.
 */
#ifndef TG_RUN_PART_H
#define TG_RUN_PART_H

#include "dataplane/run/config.h"
#include "tollgate/image.h"
#include "tollgate/policy.h"
#include "tollgate/table.h"

/* Places in a generation, and the order of descriptors in a PUBLISH message. */
enum tg_part_place {
	TG_PART_BASE,
	TG_PART_DELTA,
	TG_PART_POLICY,
	TG_PART_COUNT
};

struct tg_part {
	void *map;
	size_t map_len;
	uint64_t length; /* of the image */
	enum tg_part_place place;
	uint32_t refs;
	struct tg_table table;	 /* BASE, DELTA */
	struct tg_policy policy; /* POLICY */
};

/* "base", "delta", "policy". */
const char *tg_part_name(enum tg_part_place place);

/*
 * Maps and opens what a sealed memfd holds. Refused unless it is sealed against writing, shrinking,
 * growing and further seals: after that nobody can change what was validated, or cut it off (SIGBUS).
 * The descriptor stays the caller's and may be closed. One reference is the caller's.
 */
int tg_part_open_memfd(int fd, enum tg_part_place place, uint64_t length, struct tg_part **part,
		       struct tg_why *why);

/*
 * The same from a file below `dir_fd`, which is copied: files have no seals. -ENOENT when there is
 * none.
 */
int tg_part_open_file(int dir_fd, const char *name, enum tg_part_place place, struct tg_part **part,
		      struct tg_why *why);

/* Any thread. The last reference unmaps. NULL is fine. */
struct tg_part *tg_part_get(struct tg_part *part);
void tg_part_put(struct tg_part *part);

/* The image's id, 0 for NULL. */
uint64_t tg_part_id(const struct tg_part *part);

#endif
