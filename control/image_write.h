/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The writer's side of image.h, shared by tables and policies: where sections go, and the checksums
 * and the id that readers verify. Knows no section's contents.
 *
 *	struct tg_image_header h;
 *
 *	tg_image_begin(&h, TG_IMAGE_POLICY, now);
 *	offset = tg_image_add(&h, TG_IMAGE_SECTION_POLICY, bytes);
 *	image = h.length zero bytes; fill the section at image + offset
 *	id = tg_image_finish(image, &h);
 */
#ifndef TG_CONTROL_IMAGE_WRITE_H
#define TG_CONTROL_IMAGE_WRITE_H

#include "tollgate/image.h"

/* A header without sections. `created`: seconds since the epoch. */
void tg_image_begin(struct tg_image_header *h, enum tg_image_kind kind, uint64_t created);

/* Appends a section of `length` bytes; kinds in ascending order, each once, no more than
 * TG_IMAGE_MAX_SECTIONS: the caller's duty. Returns its offset; h->length grows to its end. */
uint64_t tg_image_add(struct tg_image_header *h, enum tg_image_section_kind kind, uint64_t length);

/*
 * The last step: sums the sections in `image` (h->length bytes, gaps zero), writes the header with
 * id and checksum in front of them, and returns the id. *h is updated likewise. Whatever else of the
 * header matters (base_id, hash_key, counts) is set by then.
 */
uint64_t tg_image_finish(void *image, struct tg_image_header *h);

#endif
