/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "dataplane/flow/patches.h"
#include "tests/support/tg_test.h"

#define WAYS TG_PATCHES_WAYS

static struct tg_patches *make(uint32_t entries)
{
	return tg_patches_init(tg_test_block(tg_patches_size(entries)), entries);
}

static struct tg_patch change(uint64_t flow, uint32_t tsn, unsigned off, const char *was,
			      const char *is)
{
	struct tg_patch p = {
		.flow = flow, .tsn = tsn, .off = (uint16_t)off, .len = (uint8_t)strlen(was)
	};

	memcpy(p.was, was, p.len);
	memcpy(p.is, is, p.len);
	return p;
}

static bool put(struct tg_patches *p, uint32_t tsn, unsigned off, const char *was, const char *is,
		uint64_t now)
{
	const struct tg_patch one = change(7, tsn, off, was, is);

	return tg_patches_put(p, &one, 1, now);
}

/* What the chunk's user data is after it, and that tg_patches_wanted agrees. */
static void expect(const struct tg_patches *p, uint64_t flow, uint32_t tsn, const char *user,
		   const char *want, uint64_t now)
{
	struct tg_guard g = tg_guard_copy(user, strlen(user));
	const bool wanted = tg_patches_wanted(p, flow, tsn,
					      (struct tg_span){ g.data, (uint32_t)g.len }, now);
	const unsigned n = tg_patches_apply(p, flow, tsn, g.data, (uint32_t)g.len, now);

	assert_memory_equal(g.data, want, g.len);
	assert_int_equal(wanted, n > 0);
	assert_int_equal(wanted, strcmp(user, want) != 0);
	tg_guard_free(&g);
}

TG_TEST(SCTP_5_retransmission_is_changed_alike, TG_NEEDS_NOTHING)
{
	struct tg_patches *p = make(1024);

	assert_true(put(p, 100, 2, "cd", "CD", 1000));
	expect(p, 7, 100, "abcdef", "abCDef", 1000);
	expect(p, 7, 100, "abcdef", "abCDef", 5000);
	expect(p, 7, 100, "abCDef", "abCDef", 5000); /* changed before */
	/* Other bytes, another chunk, another association: not this message's. */
	expect(p, 7, 100, "abxdef", "abxdef", 5000);
	expect(p, 7, 101, "abcdef", "abcdef", 5000);
	expect(p, 8, 100, "abcdef", "abcdef", 5000);
	free(p);
}

/* A chunk that ends before the change, or in the midst of it, is another one. */
TG_TEST(SCTP_5_short_chunk_is_not_changed, TG_NEEDS_NOTHING)
{
	struct tg_patches *p = make(1024);

	assert_true(put(p, 100, 2, "cd", "CD", 1000));
	expect(p, 7, 100, "abcd", "abCD", 1000);
	expect(p, 7, 100, "abc", "abc", 1000);
	expect(p, 7, 100, "ab", "ab", 1000);
	expect(p, 7, 100, "", "", 1000);
	assert_true(put(p, 101, UINT16_MAX, "cd", "CD", 1000));
	expect(p, 7, 101, "abcd", "abcd", 1000);
	free(p);
}

TG_TEST(SCTP_5_changes_age_out, TG_NEEDS_NOTHING)
{
	struct tg_patches *p = make(1024);

	assert_true(tg_patches_idle(p, 0));
	assert_true(put(p, UINT32_MAX, 0, "a", "b", 1000));
	assert_true(put(p, 0, 0, "a", "b", 2000));
	assert_false(tg_patches_idle(p, 2000 + TG_PATCHES_LIFE_MS - 1));
	expect(p, 7, UINT32_MAX, "ax", "bx", 1000 + TG_PATCHES_LIFE_MS - 1);
	expect(p, 7, UINT32_MAX, "ax", "ax", 1000 + TG_PATCHES_LIFE_MS);
	expect(p, 7, 0, "ax", "bx", 1000 + TG_PATCHES_LIFE_MS);
	assert_true(tg_patches_idle(p, 2000 + TG_PATCHES_LIFE_MS));
	expect(p, 7, 0, "ax", "ax", 2000 + TG_PATCHES_LIFE_MS);
	free(p);
}

/* Several changes of one message, in one chunk and in the pieces of it: all or none. */
TG_TEST(SCTP_4_change_over_several_pieces, TG_NEEDS_NOTHING)
{
	struct tg_patches *p = make(1024);
	struct tg_patch many[WAYS + 1];
	unsigned i;

	many[0] = change(7, 100, 4, "ef", "EF");
	many[1] = change(7, 101, 0, "gh", "GH");
	many[2] = change(7, 100, 0, "a", "A");
	assert_true(tg_patches_put(p, many, 3, 0));
	expect(p, 7, 100, "abcdef", "AbcdEF", 1);
	expect(p, 7, 101, "ghij", "GHij", 1);
	/* As many in one chunk as a set has ways, and one too many. */
	for (i = 0; i < TG_ARRAY_LEN(many); i++)
		many[i] = change(7, 200, i, "a", "b");
	assert_false(tg_patches_put(p, many, WAYS + 1, 2));
	expect(p, 7, 200, "aaaaaaaaaa", "aaaaaaaaaa", 2);
	assert_true(tg_patches_put(p, many, WAYS, 2));
	expect(p, 7, 200, "aaaaaaaaaa", "bbbbbbbbaa", 2);
	/* Twice the same is one. */
	many[WAYS] = many[0];
	assert_true(tg_patches_put(p, many, WAYS + 1, 3));
	expect(p, 7, 200, "aaaaaaaaaa", "bbbbbbbbaa", 3);
	free(p);
}

TG_TEST(SCTP_4_full_change_of_twenty_bytes, TG_NEEDS_NOTHING)
{
	struct tg_patches *p = make(64);
	struct tg_patch one = change(7, 100, 1, "abcdefghijklmnopqrst", "ABCDEFGHIJKLMNOPQRST");

	assert_int_equal(one.len, TG_PATCH_MAX);
	assert_true(tg_patches_put(p, &one, 1, 0));
	expect(p, 7, 100, "xabcdefghijklmnopqrsty", "xABCDEFGHIJKLMNOPQRSTy", 1);
	one.len = 0;
	assert_false(tg_patches_put(p, &one, 1, 0));
	one.len = TG_PATCH_MAX + 1;
	assert_false(tg_patches_put(p, &one, 1, 0));
	free(p);
}

/* Judged anew with another outcome, say under another policy: the later word holds. */
TG_TEST(SCTP_5_same_place_other_change, TG_NEEDS_NOTHING)
{
	struct tg_patches *p = make(64);
	struct tg_patch two[2];

	assert_true(put(p, 100, 0, "ab", "xy", 0));
	assert_true(put(p, 100, 0, "ab", "uv", 1));
	expect(p, 7, 100, "abc", "uvc", 1);
	two[0] = change(7, 100, 0, "ab", "mn");
	two[1] = change(7, 100, 0, "ab", "op");
	assert_true(tg_patches_put(p, two, 2, 2));
	expect(p, 7, 100, "abc", "opc", 2);
	free(p);
}

/* Two messages that had the same chunk: what one change makes is not taken for what the other is about. */
TG_TEST(SCTP_5_changes_are_not_chained, TG_NEEDS_NOTHING)
{
	struct tg_patches *p = make(64);

	assert_true(put(p, 100, 0, "ab", "cd", 0));
	assert_true(put(p, 100, 0, "cd", "ef", 0));
	assert_true(put(p, 100, 0, "ef", "ab", 0));
	expect(p, 7, 100, "ab", "cd", 0);
	expect(p, 7, 100, "cd", "ef", 0);
	expect(p, 7, 100, "ef", "ab", 0);
	free(p);
}

/* Room is made by the oldest, never by those of the same message. */
TG_TEST(OP_9_oldest_change_is_pushed_out, TG_NEEDS_NOTHING)
{
	struct tg_patches *p = make(WAYS); /* one set */
	struct tg_patch many[WAYS + 1];
	uint32_t i;

	assert_int_equal(tg_patches_size(WAYS), tg_patches_size(0));
	for (i = 0; i < WAYS; i++)
		assert_true(put(p, i, 0, "a", "b", i));
	assert_true(put(p, 0, 0, "a", "b", 100)); /* again: younger now */
	assert_true(put(p, 99, 0, "a", "b", 100));
	expect(p, 7, 0, "a", "b", 100);
	expect(p, 7, 1, "a", "a", 100);
	expect(p, 7, 2, "a", "b", 100);
	expect(p, 7, 99, "a", "b", 100);
	/* All in the same millisecond. */
	for (i = 0; i < TG_ARRAY_LEN(many); i++)
		many[i] = change(8, i, 0, "a", "b");
	assert_false(tg_patches_put(p, many, WAYS + 1, 100));
	expect(p, 7, 99, "a", "b", 100); /* nothing was pushed out for it */
	assert_true(tg_patches_put(p, many + 1, WAYS, 100));
	for (i = 1; i <= WAYS; i++)
		expect(p, 8, i, "a", "b", 100);
	/* Half of them are there: those stay. */
	assert_true(tg_patches_put(p, many, WAYS / 2, 100));
	for (i = 0; i < WAYS / 2; i++)
		expect(p, 8, i, "a", "b", 100);
	free(p);
}

/* Consecutive TSNs of an association do not meet in a few sets. */
TG_TEST(OP_11_tsns_are_spread, TG_NEEDS_NOTHING)
{
	static const struct {
		uint64_t flow;
		uint32_t step;
	} cases[] = {
		{ 1, 1 }, { 0x123456789abcdefull, 1 }, { 1ull << 63, 4096 }, { 77, 1u << 20 }
	};
	unsigned i, k;

	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		struct tg_patches *p = make(4096);
		unsigned there = 0;

		for (k = 0; k < 2048; k++) {
			const struct tg_patch one = change(cases[i].flow, k * cases[i].step, 0, "a",
							   "b");

			assert_true(tg_patches_put(p, &one, 1, 0));
		}
		for (k = 0; k < 2048; k++)
			there += tg_patches_wanted(p, cases[i].flow, k * cases[i].step,
						   (struct tg_span){ (const uint8_t *)"a", 1 }, 0);
		/* Half full: 2048 in 512 sets of 8. A Poisson mean of 4 loses 0.8 % to full sets. */
		assert_in_range(there, 2048 * 97 / 100, 2048);
		free(p);
	}
}
