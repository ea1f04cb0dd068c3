/* SPDX-License-Identifier: BSD-3-Clause */
#include <xxhash.h>

#include "tollgate/image.h"

#define FIXED_WORDS 4

uint64_t tg_image_id(const struct tg_image_header *h)
{
	uint64_t words[FIXED_WORDS + 2 * TG_IMAGE_MAX_SECTIONS] = {
		h->kind,
		h->base_id,
		h->hash_key,
		h->replaces_ranges,
	};
	uint32_t n = FIXED_WORDS, i;

	for (i = 0; i < h->n_sections && i < TG_IMAGE_MAX_SECTIONS; i++) {
		words[n++] = h->section[i].kind;
		words[n++] = h->section[i].checksum;
	}
	return XXH3_64bits(words, n * sizeof(words[0]));
}
