/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/support/images.h"

#include <stdlib.h>
#include <string.h>

#include "control/build.h"
#include "control/policy_file.h"
#include "tests/support/tg_test.h"

struct tg_memimage *tg_test_table(uint64_t first, unsigned n, uint64_t base_id)
{
	struct tg_build_number *numbers = calloc(n + 1u, sizeof(*numbers));
	struct tg_build_input in = { .kind = base_id ? TG_IMAGE_DELTA : TG_IMAGE_BASE,
				     .base_id = base_id,
				     .created = 1,
				     .numbers = numbers,
				     .n_numbers = n };
	struct tg_memimage_draft draft;
	struct tg_memimage *image;
	struct tg_build *build;
	uint64_t length, id;
	struct tg_error err;
	unsigned i;

	assert_non_null(numbers);
	for (i = 0; i < n; i++)
		numbers[i] = (struct tg_build_number){
			first + i, tg_listing_make(tg_listing_slot(TG_CATEGORY_FRAUD, 90), 0), 0
		};
	assert_int_equal(tg_build_plan(&in, &build, &length, &err), 0);
	assert_int_equal(tg_memimage_begin(&draft, length, &err), 0);
	assert_int_equal(tg_build_write(build, draft.map, &id, &err), 0);
	tg_build_free(build);
	free(numbers);
	assert_int_equal(tg_memimage_seal(&draft, in.kind, &image, &err), 0);
	assert_true(image->id == id);
	return image;
}

struct tg_memimage *tg_test_policy(void)
{
	struct tg_memimage *image;
	struct tg_error err;
	uint64_t length;
	void *bytes;

	assert_int_equal(tg_policy_compile(tg_policy_default_text, strlen(tg_policy_default_text),
					   &bytes, &length, &err),
			 0);
	assert_int_equal(tg_memimage_from_bytes(bytes, length, TG_IMAGE_POLICY, &image, &err), 0);
	free(bytes);
	return image;
}
