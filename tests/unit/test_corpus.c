/* SPDX-License-Identifier: BSD-3-Clause */
/* Corpus files that hold structs as they are in memory are those of today. */
#include <glob.h>

#include "control/image_write.h"
#include "tests/support/policy_section.h"
#include "tests/support/tg_test.h"
#include "tollgate/policy.h"

#define FOLDER "tests/fuzz/corpus/policy_image/"

static const char *policy_of(const char *file)
{
	static const struct {
		const char *file, *policy;
	} files[] = {
		{ FOLDER "actions.bin", "tests/fuzz/corpus/policy/actions" },
		{ FOLDER "default.bin", "control/samples/policy-default.yaml" },
		{ FOLDER "empty.bin", "tests/fuzz/corpus/policy/version-only.yaml" },
		{ FOLDER "enforce-demo.bin", "control/samples/policy-enforce-demo.yaml" },
		{ FOLDER "singapore.bin", "control/samples/policy-singapore.yaml" },
		{ FOLDER "ss7.bin", "control/samples/policy-ss7.yaml" },
	};
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(files); i++)
		if (strcmp(files[i].file, file) == 0)
			return files[i].policy;
	return NULL;
}

static bool is_compiled(const char *policy, const uint8_t *bytes, size_t len)
{
	const struct policy_section want = policy_section_make(policy);
	bool same;

	if (!want.bytes)
		fail_msg("%s does not compile", policy);
	same = len == want.len && memcmp(bytes, want.bytes, len) == 0;
	free(want.bytes);
	return same;
}

/* As the target makes an image of it. */
static bool opens(const uint8_t *bytes, size_t len)
{
	struct tg_image_error err;
	struct tg_image_header h;
	struct tg_policy p;
	uint8_t *image;
	bool ok;

	tg_image_begin(&h, TG_IMAGE_POLICY, 0);
	tg_image_add(&h, TG_IMAGE_SECTION_POLICY, len - 1);
	image = aligned_alloc(TG_IMAGE_ALIGN,
			      (h.length + TG_IMAGE_ALIGN - 1) / TG_IMAGE_ALIGN * TG_IMAGE_ALIGN);
	assert_non_null(image);
	memset(image, 0, h.length);
	memcpy(image + h.section[0].offset, bytes + 1, len - 1);
	tg_image_finish(image, &h);
	ok = tg_policy_open(&p, image, h.length, &err) == 0;
	free(image);
	return ok;
}

/* The others are finds of the fuzzer, made of these: all they have to do is to open. */
TG_TEST(corpus_of_policy_images_is_of_todays_layout, TG_NEEDS_NOTHING)
{
	unsigned compiled = 0;
	size_t i, len;
	glob_t g;

	assert_int_equal(glob(FOLDER "*.bin", 0, NULL, &g), 0);
	for (i = 0; i < g.gl_pathc; i++) {
		const char *const file = g.gl_pathv[i], *const policy = policy_of(file);
		uint8_t *const bytes = tg_test_read_file(file, &len);

		if (policy && !is_compiled(policy, bytes, len))
			fail_msg("%s is not what it was compiled from; build/tests/policy_section "
				 "%s > %s",
				 file, policy, file);
		if (len < 2 || bytes[0] != POLICY_SECTION_IS_CONTENTS || !opens(bytes, len))
			fail_msg("%s does not open any more", file);
		compiled += policy != NULL;
		free(bytes);
	}
	assert_int_equal(compiled, 6);
	globfree(&g);
}
