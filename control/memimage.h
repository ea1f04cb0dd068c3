/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An image in a sealed memfd: what is published, kept for rollback and written to disk. Sealed means
 * that nobody, the daemon included, can change or shrink it any more, so a reader that validated it
 * once may trust it for ever.
 *
 *	struct tg_memimage_draft draft;
 *
 *	tg_memimage_begin(&draft, length, &err); fill draft.map
 *	tg_memimage_seal(&draft, TG_IMAGE_BASE, &image, &err)
 *
 * Threads: a draft and its sealing may live in any thread; references are counted by the main one.
 */
#ifndef TG_CONTROL_MEMIMAGE_H
#define TG_CONTROL_MEMIMAGE_H

#include "control/error.h"
#include "tollgate/image.h"
#include "tollgate/policy.h"
#include "tollgate/table.h"

struct tg_memimage {
	int fd;
	enum tg_image_kind kind;
	uint64_t length; /* of the image; the memfd may be longer (huge pages) */
	uint64_t id;
	const struct tg_image_header *header; /* the read-only map */
	size_t span;			      /* bytes mapped */
	union {
		struct tg_table table;	 /* BASE, DELTA: opened, hence valid */
		struct tg_policy policy; /* POLICY */
	};
	unsigned refs;
	bool stored; /* on disk as well; the disk worker's until it says so */
};

struct tg_memimage_draft {
	int fd;
	void *map; /* writable, zero, page-aligned */
	uint64_t length;
	size_t span;
};

/* Negative errno with *err; then there is nothing to discard. */
int tg_memimage_begin(struct tg_memimage_draft *draft, uint64_t length, struct tg_error *err);

/* Seals and validates. The draft is gone in either case. *image has one reference. */
int tg_memimage_seal(struct tg_memimage_draft *draft, enum tg_image_kind kind,
		     struct tg_memimage **image, struct tg_error *err);
void tg_memimage_discard(struct tg_memimage_draft *draft);

/* begin, copy, seal. */
int tg_memimage_from_bytes(const void *bytes, uint64_t length, enum tg_image_kind kind,
			   struct tg_memimage **image, struct tg_error *err);

/* Both take NULL. */
struct tg_memimage *tg_memimage_ref(struct tg_memimage *image);
void tg_memimage_put(struct tg_memimage *image);

/* 0 for NULL, as ctl.h has it. */
static inline uint64_t tg_memimage_id(const struct tg_memimage *image)
{
	return image ? image->id : 0;
}

#endif
