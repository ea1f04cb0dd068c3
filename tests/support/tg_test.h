/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Registration of tests with what they need, and buffers that end at a guard page.
 *
 *	TG_TEST(num_plus_resolves, TG_NEEDS_NOTHING)
 *	{
 *		assert_int_equal(...);
 *	}
 *
 * A test file needs no list elsewhere. A trap that is handled has a test named after its ID
 * (SIP_4_quoted_display_name). A missing need skips the test, counted and named.
 */
#ifndef TG_TEST_H
#define TG_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tollgate/base.h"

#define TG_NEEDS_NOTHING 0u
#define TG_NEEDS_ROOT 1u
#define TG_NEEDS_HUGEPAGES 2u /* may be reserved: root and hugetlbfs in the kernel */
#define TG_NEEDS_AVX2 4u
#define TG_NEEDS_CAPTURES 8u /* ../shared/captures beside the checkout */
#define TG_NEEDS_BPF 16u     /* XDP programs may be loaded: root, or CAP_BPF and CAP_NET_ADMIN */

struct tg_test {
	const char *name;
	void (*run)(void **state);
	unsigned needs;
	struct tg_test *next;
};

void tg_test_register(struct tg_test *t);

/* Ends the running test as skipped, counted and named. cmocka's own skip() would count as a failure. */
void tg_test_skip(const char *why);

#define TG_TEST(test_name, test_needs)                                                             \
	static void test_name(void **state);                                                       \
	static struct tg_test tg_test_##test_name = { #test_name, test_name, (test_needs), NULL }; \
	__attribute__((constructor)) static void tg_register_##test_name(void)                     \
	{                                                                                          \
		tg_test_register(&tg_test_##test_name);                                            \
	}                                                                                          \
	static void test_name(void **state __attribute__((unused)))

/*
 * A copy of len bytes whose last byte touches a PROT_NONE page, so that reading one byte past the end
 * faults even without a sanitizer. Free with tg_guard_free.
 */
struct tg_guard {
	uint8_t *data; /* what the code under test gets */
	size_t len;
	void *map;
	size_t map_len;
};
struct tg_guard tg_guard_copy(const void *data, size_t len);
void tg_guard_free(struct tg_guard *g);

/* Calls check(ctx, bytes, n) on a guarded copy truncated to each n from 0 to len. */
void tg_guard_truncate(const void *data, size_t len,
		       void (*check)(void *ctx, const uint8_t *data, size_t len), void *ctx);

/* Memory as a module's size function asks for it: on a cache line, full of something; to be freed. */
void *tg_test_block(size_t size);

/* The whole file, malloc'd; fails the test when it cannot be read. */
uint8_t *tg_test_read_file(const char *path, size_t *len);

/* Folder of captures taken by others, or NULL when it is not there. */
const char *tg_test_captures(void);

/* Where built programs are: "build". */
const char *tg_test_build_dir(void);

/* xorshift64*: the same sequence for the same seed on every machine. */
static inline uint64_t tg_test_random(uint64_t *seed)
{
	uint64_t x = *seed;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*seed = x;
	return x * 0x2545f4914f6cdd1dull;
}

#endif
