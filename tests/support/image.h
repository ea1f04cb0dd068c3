/* SPDX-License-Identifier: BSD-3-Clause */
/* Table images for tests, made by the builder itself. A build that fails fails the test. */
#ifndef TG_TEST_IMAGE_H
#define TG_TEST_IMAGE_H

#include "control/build.h"
#include "tollgate/table.h"

struct tg_test_image {
	void *bytes; /* page-aligned, writable */
	uint64_t length;
	uint64_t id;
	struct tg_table table; /* opened */
};

struct tg_test_image tg_test_image_build(const struct tg_build_input *in);
void tg_test_image_free(struct tg_test_image *im);

/* Makes checksums and id fit the (changed) contents again, so that a validator sees the contents. */
void tg_test_image_reseal(void *image);

#endif
