/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What every image must hold, whatever its sections mean: nothing of it is believed before it has
 * been compared with the length in hand, and nothing is looked up before all of it has been believed.
 */
#include <errno.h>
#include <xxhash.h>

#include "tollgate/image.h"

static const char *const error_text[] = {
#define X(sym, text) [TG_IMAGE_ERROR_##sym] = text,
	TG_IMAGE_ERRORS(X)
#undef X
};

static const char *const section_name[] = { [TG_IMAGE_SECTION_HEADER] = "header",
#define X(sym, name) [TG_IMAGE_SECTION_##sym] = name,
					    TG_IMAGE_SECTIONS(X)
#undef X
};

const char *tg_image_error_text(unsigned code)
{
	return code < TG_IMAGE_ERROR_COUNT ? error_text[code] : "?";
}

const char *tg_image_section_name(unsigned kind)
{
	return kind < TG_IMAGE_SECTION_COUNT ? section_name[kind] : "?";
}

static int refuse(struct tg_image_error *err, enum tg_image_error_code code, uint64_t offset,
		  uint64_t length)
{
	err->code = code;
	err->section = TG_IMAGE_SECTION_HEADER;
	err->offset = offset;
	err->length = length;
	return -EINVAL;
}

#define AT(field) offsetof(struct tg_image_header, field)

/* In this order, so that an image of another make is told from a damaged one. */
static int check_header(const struct tg_image_header *h, uint64_t length, enum tg_image_kind kind,
			struct tg_image_error *err)
{
	if (h->magic != TG_IMAGE_MAGIC)
		return refuse(err, TG_IMAGE_ERROR_MAGIC, AT(magic), sizeof(h->magic));
	if (h->byte_order != TG_IMAGE_BYTE_ORDER)
		return refuse(err, TG_IMAGE_ERROR_BYTE_ORDER, AT(byte_order), 4);
	if (h->version != TG_IMAGE_VERSION)
		return refuse(err,
			      h->version < TG_IMAGE_VERSION ? TG_IMAGE_ERROR_OLD_VERSION
							    : TG_IMAGE_ERROR_NEW_VERSION,
			      AT(version), 4);
	if (XXH3_64bits(h, AT(checksum)) != h->checksum)
		return refuse(err, TG_IMAGE_ERROR_HEADER_CHECKSUM, 0, sizeof(*h));
	if (h->kind != kind)
		return refuse(err, TG_IMAGE_ERROR_KIND, AT(kind), 4);
	if (h->length != length)
		return refuse(err, TG_IMAGE_ERROR_LENGTH, AT(length), 8);
	if (h->n_sections > TG_IMAGE_MAX_SECTIONS || h->reserved[0] || h->reserved[1] ||
	    h->reserved[2])
		return refuse(err, TG_IMAGE_ERROR_LAYOUT, AT(n_sections), 4);
	return 0;
}

/* Ascending kinds, aligned, in order, and nothing behind the last one. */
static int check_layout(const struct tg_image_header *h, struct tg_image_error *err)
{
	uint64_t end = sizeof(*h);
	uint32_t kind = 0, i;

	for (i = 0; i < TG_IMAGE_MAX_SECTIONS; i++) {
		const struct tg_image_section *s = &h->section[i];
		const uint64_t at = AT(section) + i * sizeof(*s);

		if (i >= h->n_sections) {
			if (s->kind || s->zero || s->offset || s->length || s->checksum)
				return refuse(err, TG_IMAGE_ERROR_LAYOUT, at, sizeof(*s));
			continue;
		}
		if (s->kind <= kind || s->kind >= TG_IMAGE_SECTION_COUNT || s->zero ||
		    s->offset % TG_IMAGE_ALIGN || s->offset < end ||
		    s->offset - end >= TG_IMAGE_ALIGN || s->offset > h->length ||
		    s->length > h->length - s->offset)
			return refuse(err, TG_IMAGE_ERROR_LAYOUT, at, sizeof(*s));
		kind = s->kind;
		end = s->offset + s->length;
	}
	return end == h->length ? 0 : refuse(err, TG_IMAGE_ERROR_LAYOUT, AT(length), 8);
}

static int check_bytes(const struct tg_image_header *h, struct tg_image_error *err)
{
	const uint8_t *bytes = (const uint8_t *)h;
	uint64_t end = sizeof(*h);
	uint32_t i;

	for (i = 0; i < h->n_sections; i++) {
		const struct tg_image_section *s = &h->section[i];

		for (; end < s->offset; end++)
			if (bytes[end])
				return refuse(err, TG_IMAGE_ERROR_PADDING, end, 1);
		if (XXH3_64bits(bytes + s->offset, s->length) != s->checksum) {
			refuse(err, TG_IMAGE_ERROR_CHECKSUM, s->offset, s->length);
			err->section = (enum tg_image_section_kind)s->kind;
			return -EINVAL;
		}
		end = s->offset + s->length;
	}
	return h->id == tg_image_id(h) ? 0 : refuse(err, TG_IMAGE_ERROR_ID, AT(id), 8);
}

int tg_image_check(const void *image, uint64_t length, enum tg_image_kind kind,
		   struct tg_image_error *err)
{
	const struct tg_image_header *h = image;
	int rc;

	*err = (struct tg_image_error){ .code = TG_IMAGE_ERROR_NONE };
	if (length < sizeof(*h))
		return refuse(err, TG_IMAGE_ERROR_SHORT_FILE, length, 0);
	rc = check_header(h, length, kind, err);
	if (rc == 0)
		rc = check_layout(h, err);
	if (rc == 0)
		rc = check_bytes(h, err);
	return rc;
}

const struct tg_image_section *tg_image_find(const struct tg_image_header *h,
					     enum tg_image_section_kind kind)
{
	uint32_t i;

	for (i = 0; i < h->n_sections; i++)
		if (h->section[i].kind == kind)
			return &h->section[i];
	return NULL;
}
