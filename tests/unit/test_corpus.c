/* SPDX-License-Identifier: BSD-3-Clause */
/* Corpus files that hold structs as they are in memory are those of today. */
#include <glob.h>

#include "tests/support/policy_section.h"
#include "tests/support/tg_test.h"

#define FOLDER "tests/fuzz/corpus/policy_image/"

TG_TEST(corpus_of_policy_images_is_what_policies_compile_to, TG_NEEDS_NOTHING)
{
	static const struct {
		const char *name, *policy;
	} files[] = {
		{ "actions", "tests/fuzz/corpus/policy/actions" },
		{ "default", "control/samples/policy-default.yaml" },
		{ "empty", "tests/fuzz/corpus/policy/version-only.yaml" },
		{ "enforce-demo", "control/samples/policy-enforce-demo.yaml" },
		{ "singapore", "control/samples/policy-singapore.yaml" },
		{ "ss7", "control/samples/policy-ss7.yaml" },
	};
	static uint8_t is[1u << 17];
	size_t i, len;
	glob_t g;

	assert_int_equal(glob(FOLDER "*.bin", 0, NULL, &g), 0);
	assert_int_equal(g.gl_pathc, TG_ARRAY_LEN(files)); /* each has its policy here */
	globfree(&g);
	for (i = 0; i < TG_ARRAY_LEN(files); i++) {
		const struct policy_section want = policy_section_make(files[i].policy);
		char path[128];
		FILE *f;

		if (!want.bytes)
			fail_msg("%s does not compile", files[i].policy);
		snprintf(path, sizeof(path), FOLDER "%s.bin", files[i].name);
		f = fopen(path, "rb");
		len = f ? fread(is, 1, sizeof(is), f) : 0;
		if (f)
			fclose(f);
		if (len != want.len || memcmp(is, want.bytes, len) != 0)
			fail_msg("%s is not of today's layout, or policy; "
				 "build/tests/policy_section "
				 "%s > %s",
				 path, files[i].policy, path);
		free(want.bytes);
	}
}
