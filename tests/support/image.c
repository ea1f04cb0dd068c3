/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/support/image.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <xxhash.h>

#include "tests/support/tg_test.h"

struct tg_test_image tg_test_image_build(const struct tg_build_input *in)
{
	struct tg_test_image im = { 0 };
	struct tg_image_error image_err;
	struct tg_build *build;
	struct tg_error err = { 0 };

	if (tg_build_plan(in, &build, &im.length, &err) != 0)
		fail_msg("plan: %s", err.text);
	im.bytes = mmap(NULL, im.length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			0);
	assert_true(im.bytes != MAP_FAILED);
	if (tg_build_write(build, im.bytes, &im.id, &err) != 0)
		fail_msg("write: %s", err.text);
	tg_build_free(build);
	if (tg_table_open(&im.table, im.bytes, im.length, in->kind, &image_err) != 0)
		fail_msg("open: %s, %s at %llu", tg_image_error_text(image_err.code),
			 tg_image_section_name(image_err.section),
			 (unsigned long long)image_err.offset);
	return im;
}

void tg_test_image_free(struct tg_test_image *im)
{
	munmap(im->bytes, im->length);
	*im = (struct tg_test_image){ 0 };
}

void tg_test_image_reseal(void *image)
{
	struct tg_image_header *h = image;
	uint32_t i;

	for (i = 0; i < h->n_sections && i < TG_IMAGE_MAX_SECTIONS; i++)
		h->section[i].checksum = XXH3_64bits((uint8_t *)image + h->section[i].offset,
						     h->section[i].length);
	h->id = tg_image_id(h);
	h->checksum = XXH3_64bits(h, offsetof(struct tg_image_header, checksum));
}
