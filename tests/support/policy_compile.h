/* SPDX-License-Identifier: BSD-3-Clause */
/* Policy texts that compile, and texts that are refused at a place. */
#ifndef TG_TESTS_POLICY_COMPILE_H
#define TG_TESTS_POLICY_COMPILE_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/policy_file.h"
#include "tests/support/tg_test.h"
#include "tollgate/policy.h"

struct refusal {
	const char *text;
	const char *at; /* "line:column: " and the sentence's beginning */
};

#define TRUNK(rest) "version: 1\ntrunks:\n  - { name: a, port: 0, " rest " }\n"
#define ANSWER(rest) "version: 1\nanswers:\n  - { name: a, " rest " }\n"
#define RULE(rest)                                                                                 \
	"version: 1\nanswers:\n  - { name: a, code: 603, phrase: x }\nrules:\n  - name: r\n"       \
	"    " rest "\n"
#define REJECT(rest) RULE("action: reject\n    answer: a\n    " rest)

static inline void expect_refusal(const struct refusal *r, size_t len)
{
	struct tg_error err = { 0 };
	char said[TG_ERROR_TEXT_MAX + 32];
	uint64_t length = 1;
	void *image = said;

	if (tg_policy_compile(r->text, len, &image, &length, &err) == 0)
		fail_msg("accepted; expected %s", r->at);
	assert_int_equal(err.code, -EINVAL);
	assert_null(image);
	snprintf(said, sizeof(said), "%u:%u: %s", (unsigned)err.line, err.column, err.text);
	if (strncmp(said, r->at, strlen(r->at)) != 0)
		fail_msg("%s\n   expected %s\n   of\n%s", said, r->at, r->text);
	assert_null(strchr(err.text, '\n'));
	assert_int_not_equal(err.text[strlen(err.text) - 1], '.');
}

static inline void expect_refusals(const struct refusal *rows, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		expect_refusal(&rows[i], strlen(rows[i].text));
}

#define CHECK(rows) expect_refusals(rows, TG_ARRAY_LEN(rows))

static inline struct tg_policy compile(const char *text, void **image)
{
	struct tg_image_error ierr;
	struct tg_error err;
	struct tg_policy p;
	uint64_t length;

	if (tg_policy_compile(text, strlen(text), image, &length, &err) != 0)
		fail_msg("%u:%u: %s", (unsigned)err.line, err.column, err.text);
	assert_int_equal((uintptr_t)*image % TG_IMAGE_ALIGN, 0);
	assert_int_equal(tg_policy_open(&p, *image, length, &ierr), 0);
	return p;
}

#endif
