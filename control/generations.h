/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The generations that can be gone back to: sets of images that were published, the last
 * TG_IMAGES_HISTORY different ones, ordered by when they were published last. A set that is published
 * again gets a new number and moves to the end, so going to and fro does not push others out.
 *
 * Threads: the loop's.
 */
#ifndef TG_CONTROL_GENERATIONS_H
#define TG_CONTROL_GENERATIONS_H

#include "control/images.h"
#include "control/memimage.h"

/* Images are NULL where the set has none (delta) or where memory was given back (id is non-zero). */
struct tg_generations_set {
	struct tg_images_set meta;
	struct tg_memimage *base;
	struct tg_memimage *delta;
	struct tg_memimage *policy;
};

struct tg_generations {
	uint64_t number; /* the highest given so far */
	unsigned n;
	struct tg_generations_set set[TG_IMAGES_HISTORY]; /* the last is the current one */
};

/* All images there that ought to be? */
static inline bool tg_generations_in_memory(const struct tg_generations_set *s)
{
	return s->base && s->policy && (s->delta || s->meta.delta_id == 0);
}

/* Fills the ids from the images. */
void tg_generations_identify(struct tg_generations_set *s);

/* References. */
void tg_generations_copy(struct tg_generations_set *to, const struct tg_generations_set *from);
void tg_generations_drop(struct tg_generations_set *s);

/* Gives the set the next number and puts it last. The caller keeps its references. Returns the entry,
 * valid until the next call. */
struct tg_generations_set *tg_generations_publish(struct tg_generations *g,
						  const struct tg_generations_set *s, int64_t now);
/* Takes the last one out again: the dataplane refused it. */
void tg_generations_refuse(struct tg_generations *g, uint64_t number);

struct tg_generations_set *tg_generations_current(struct tg_generations *g);
/* By its last or first number; NULL if it is no longer kept. */
struct tg_generations_set *tg_generations_find(struct tg_generations *g, uint64_t number);

void tg_generations_from_history(struct tg_generations *g, const struct tg_images_history *h);
void tg_generations_to_history(const struct tg_generations *g, struct tg_images_history *h);

/* Gives back memory of old sets that are on disk, oldest first, until those that are left, the current
 * one aside, take no more than `budget` bytes. */
void tg_generations_trim(struct tg_generations *g, uint64_t budget);

void tg_generations_clear(struct tg_generations *g);

#endif
