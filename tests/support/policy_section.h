/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A policy as fuzz_policy_image takes it: an octet that says "the contents of a policy section", and these.
 * They hold structs as they are in memory, so what a struct gains makes the corpus' files stale.
 */
#ifndef TG_TESTS_POLICY_SECTION_H
#define TG_TESTS_POLICY_SECTION_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/policy_file.h"
#include "tollgate/image.h"

#define POLICY_SECTION_IS_CONTENTS 1

struct policy_section {
	uint8_t *bytes; /* to be freed; NULL: the policy cannot be read, or does not compile */
	size_t len;
};

static inline struct policy_section policy_section_make(const char *yaml)
{
	static char text[1u << 16];
	FILE *const f = fopen(yaml, "rb");
	const size_t n = f ? fread(text, 1, sizeof(text), f) : 0;
	struct policy_section s = { NULL, 0 };
	const struct tg_image_header *h;
	struct tg_error err = { 0 };
	uint64_t length;
	void *image;

	if (f)
		fclose(f);
	if (n == 0 || n == sizeof(text) || tg_policy_compile(text, n, &image, &length, &err) != 0)
		return s;
	h = image;
	s.len = 1 + h->section[0].length;
	s.bytes = malloc(s.len);
	if (s.bytes) {
		s.bytes[0] = POLICY_SECTION_IS_CONTENTS;
		memcpy(s.bytes + 1, (uint8_t *)image + h->section[0].offset, s.len - 1);
	}
	free(image);
	return s;
}

#endif
