/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The last good images on disk, so that a restarted dataplane filters without the daemon, and the
 * daemon without a rebuild:
 *
 *	STATE/images/base-<id>.img delta-<id>.img policy-<id>.img   named by content, never rewritten
 *	STATE/images/current    what was in force last, for tollgate-dp: text lines "generation N",
 *	                        "base FILE", "delta FILE" (may be absent), "policy FILE"
 *	STATE/images/history    JSON: the last generations, for rollback and for the next daemon
 *	STATE/images/pinned     JSON: present after a rollback, until `tgctl table activate latest`
 *	STATE/policy.yaml       the text of the policy loaded last
 *
 * Each is written beside its place, fsynced and renamed: whoever reads sees the old one or the new
 * one. Threads: any, one call at a time for each of {store, commit, collect} and for the others.
 */
#ifndef TG_CONTROL_IMAGES_H
#define TG_CONTROL_IMAGES_H

#include "control/error.h"
#include "control/memimage.h"

/* Enough to step back over a bad feed and what was added since, and over the step itself. */
#define TG_IMAGES_HISTORY 8

/* Images that decide together, by id. */
struct tg_images_set {
	uint64_t number; /* the generation it was published as last */
	uint64_t first;	 /* and at first */
	int64_t time;	 /* when, last */
	uint64_t base_id;
	uint64_t delta_id; /* 0 = none */
	uint64_t policy_id;
	uint64_t base_batch; /* what of the ledger the base speaks of: up to this batch, */
	int64_t base_time;   /* as of this time */
	uint64_t entries;
};

struct tg_images_history {
	uint64_t generation; /* the highest number given so far */
	unsigned n;
	struct tg_images_set set[TG_IMAGES_HISTORY]; /* by number, ascending; the last is current */
};

struct tg_images;

/* Makes STATE/images if need be. */
int tg_images_open(const char *state_dir, struct tg_images **images, struct tg_error *err);
void tg_images_close(struct tg_images *images);

/* -ENOENT when there is none; the history is empty then, but for a generation that `current` names. */
int tg_images_read_history(struct tg_images *images, struct tg_images_history *history,
			   struct tg_error *err);

/* From disk into a sealed, validated memfd. */
int tg_images_load(struct tg_images *images, enum tg_image_kind kind, uint64_t id,
		   struct tg_memimage **image, struct tg_error *err);

/* Writes an image unless its file is there already. */
int tg_images_store(struct tg_images *images, const struct tg_memimage *image,
		    struct tg_error *err);

/* Writes history, then current (the history's last set), once all of its images are stored. */
int tg_images_commit(struct tg_images *images, const struct tg_images_history *history,
		     struct tg_error *err);

/* Removes image files that the history does not name, and leftovers of a killed writer. */
int tg_images_collect(struct tg_images *images, const struct tg_images_history *history);

/* Every image file that the history names, read and validated. */
int tg_images_verify(struct tg_images *images, const struct tg_images_history *history,
		     struct tg_error *err);

/* Durable on return. NULL: not pinned any more. */
int tg_images_pin(struct tg_images *images, const struct tg_images_set *set, struct tg_error *err);
/* -ENOENT when nothing is pinned. */
int tg_images_read_pin(struct tg_images *images, struct tg_images_set *set, struct tg_error *err);

/* Durable on return. */
int tg_images_write_policy(struct tg_images *images, const char *text, size_t len,
			   struct tg_error *err);
/* *text is malloc'd, NUL-terminated. -ENOENT when none was loaded yet. */
int tg_images_read_policy(struct tg_images *images, char **text, size_t *len, struct tg_error *err);

#endif
