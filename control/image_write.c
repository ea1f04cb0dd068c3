/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>
#include <xxhash.h>

#include "control/image_write.h"

void tg_image_begin(struct tg_image_header *h, enum tg_image_kind kind, uint64_t created)
{
	*h = (struct tg_image_header){
		.magic = TG_IMAGE_MAGIC,
		.version = TG_IMAGE_VERSION,
		.byte_order = TG_IMAGE_BYTE_ORDER,
		.kind = kind,
		.length = sizeof(*h),
		.created = created,
	};
}

uint64_t tg_image_add(struct tg_image_header *h, enum tg_image_section_kind kind, uint64_t length)
{
	struct tg_image_section *s = &h->section[h->n_sections++];

	s->kind = kind;
	s->offset = (h->length + TG_IMAGE_ALIGN - 1) & ~(uint64_t)(TG_IMAGE_ALIGN - 1);
	s->length = length;
	h->length = s->offset + length;
	return s->offset;
}

uint64_t tg_image_finish(void *image, struct tg_image_header *h)
{
	const uint8_t *bytes = image;
	uint32_t i;

	for (i = 0; i < h->n_sections; i++) {
		struct tg_image_section *s = &h->section[i];

		s->checksum = XXH3_64bits(bytes + s->offset, s->length);
	}
	h->id = tg_image_id(h);
	h->checksum = XXH3_64bits(h, offsetof(struct tg_image_header, checksum));
	memcpy(image, h, sizeof(*h));
	return h->id;
}
