/* SPDX-License-Identifier: BSD-3-Clause */
/* Generations and their images, without ports. Threads: tests/tsan/test_swap.c. */
#include <errno.h>
#include <stdio.h>

#include "dataplane/run/swap.h"
#include "tests/support/publish.h"
#include "tests/support/tg_test.h"

static unsigned long mapped_kb(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%lu", &pages), 1);
	fclose(f);
	return pages * 4;
}

/* ---- generations ------------------------------------------------------------------------------- */

TG_TEST(swap_publishes_parts_and_keeps_the_rest, TG_NEEDS_NOTHING)
{
	struct tg_swap swap;
	struct tg_test_set s;
	uint64_t hash;

	tg_test_set_open(&s);
	assert_int_equal(tg_swap_init(&swap, 2), 0);
	assert_null(tg_swap_current(&swap));
	assert_int_equal(tg_test_apply(&swap, 1, TG_TEST_BASE_POLICY, &s).status, 0);
	assert_true(tg_test_listed(&swap, tg_test_in_base));
	assert_false(tg_test_listed(&swap, tg_test_in_delta));
	hash = tg_swap_current(&swap)->hash;

	assert_int_equal(tg_test_apply(&swap, 2, TG_CTL_PART_DELTA, &s).status, 0);
	assert_true(tg_test_listed(&swap, tg_test_in_base)); /* the base was kept */
	assert_true(tg_test_listed(&swap, tg_test_in_delta));
	assert_int_equal(tg_swap_current(&swap)->number, 2);
	assert_int_not_equal(tg_swap_current(&swap)->hash, hash);

	assert_int_equal(tg_test_apply(&swap, 3, TG_CTL_PART_POLICY, &s).status, 0);
	assert_true(tg_test_listed(&swap, tg_test_in_delta)); /* base and delta were kept */

	assert_int_equal(tg_test_apply(&swap, 4, TG_CTL_PART_NO_DELTA, &s).status, 0);
	assert_false(tg_test_listed(&swap, tg_test_in_delta));
	assert_int_equal(tg_swap_current(&swap)->hash, hash); /* the same parts as generation 1 */

	assert_int_equal(tg_test_apply(&swap, 5, TG_CTL_PART_DELTA, &s).status, 0);
	assert_int_equal(tg_test_apply(&swap, 6, TG_CTL_PART_BASE, &s).status, 0);
	assert_false(
		tg_test_listed(&swap, tg_test_in_delta)); /* a new base drops the old one's delta */
	tg_swap_fini(&swap);
	tg_test_set_close(&s);
}

TG_TEST(swap_refuses_and_keeps_what_is_in_force, TG_NEEDS_NOTHING)
{
	static const struct {
		uint64_t generation;
		uint32_t parts;
		int status;
		const char *says;
	} bad[] = {
		{ 5, TG_CTL_PART_POLICY, -ESTALE, "not newer" },
		{ 4, TG_TEST_ALL_PARTS, -ESTALE, "not newer" },
		{ 6, 0, -EINVAL, "parts" },
		{ 6, 0x10, -EINVAL, "parts" },
		{ 6, TG_CTL_PART_DELTA | TG_CTL_PART_NO_DELTA, -EINVAL, "both" },
	};
	const struct tg_generation *before;
	struct tg_ctl_publish msg;
	struct tg_ctl_ack ack;
	struct tg_swap swap;
	struct tg_test_set s;
	unsigned i;

	tg_test_set_open(&s);
	assert_int_equal(tg_swap_init(&swap, 1), 0);
	ack = tg_test_apply(&swap, 1, TG_CTL_PART_POLICY, &s);
	assert_int_equal(ack.status, -EINVAL);
	assert_non_null(strstr(ack.text, "no base"));
	ack = tg_test_apply(&swap, 1, TG_CTL_PART_BASE, &s);
	assert_int_equal(ack.status, -EINVAL);
	assert_non_null(strstr(ack.text, "no policy"));
	assert_null(tg_swap_current(&swap));

	assert_int_equal(tg_test_apply(&swap, 5, TG_TEST_ALL_PARTS, &s).status, 0);
	before = tg_swap_current(&swap);
	for (i = 0; i < TG_ARRAY_LEN(bad); i++) {
		ack = tg_test_apply(&swap, bad[i].generation, bad[i].parts, &s);
		assert_int_equal(ack.status, bad[i].status);
		assert_non_null(strstr(ack.text, bad[i].says));
	}
	msg = tg_test_publish(6, TG_TEST_ALL_PARTS, &s);
	tg_swap_apply(&swap, &msg, &s.base_fd, 1, &ack); /* two descriptors are missing */
	assert_int_equal(ack.status, -EINVAL);
	assert_non_null(strstr(ack.text, "descriptors"));
	assert_ptr_equal(tg_swap_current(&swap), before);
	assert_true(tg_test_listed(&swap, tg_test_in_delta));
	tg_swap_fini(&swap);
	tg_test_set_close(&s);
}

TG_TEST(TB_11_delta_for_another_base_is_refused, TG_NEEDS_NOTHING)
{
	struct tg_sealed_image stranger;
	struct tg_ctl_ack ack;
	struct tg_swap swap;
	struct tg_test_set s;

	tg_test_set_open(&s);
	stranger = tg_sealed_table(s.base.id + 1, &tg_test_in_delta, 1);
	close(s.delta_fd);
	s.delta_fd = tg_sealed_memfd(&stranger, 0, TG_SEALED_ALL);
	s.delta.length = stranger.length;
	assert_int_equal(tg_swap_init(&swap, 1), 0);
	assert_int_equal(tg_test_apply(&swap, 1, TG_TEST_BASE_POLICY, &s).status, 0);
	ack = tg_test_apply(&swap, 2, TG_CTL_PART_DELTA, &s);
	assert_int_equal(ack.status, -EINVAL);
	assert_non_null(strstr(ack.text, "delta: "));
	assert_int_equal(tg_swap_current(&swap)->number, 1);
	tg_swap_fini(&swap);
	free(stranger.bytes);
	tg_test_set_close(&s);
}

TG_TEST(swap_takes_sealed_memfds_only, TG_NEEDS_NOTHING)
{
	static const int seals[] = { F_SEAL_WRITE, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_SEAL };
	struct tg_part *part = NULL;
	struct tg_sealed_image base = tg_sealed_table(0, &tg_test_in_base, 1);
	struct tg_why why;
	unsigned i;
	int fd;

	for (i = 0; i < TG_ARRAY_LEN(seals); i++) {
		fd = tg_sealed_memfd(&base, 0, TG_SEALED_ALL & ~seals[i]);
		assert_int_equal(tg_part_open_memfd(fd, TG_PART_BASE, base.length, &part, &why),
				 -EPERM);
		assert_non_null(strstr(why.text, "base: not sealed"));
		close(fd);
	}
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_true(tg_part_open_memfd(fd, TG_PART_BASE, base.length, &part, &why) < 0);
	close(fd);
	fd = tg_sealed_memfd(&base, 0, TG_SEALED_ALL);
	assert_int_equal(tg_part_open_memfd(fd, TG_PART_BASE, 0, &part, &why), -EINVAL);
	assert_int_equal(tg_part_open_memfd(fd, TG_PART_BASE, 1ull << 40, &part, &why), -EINVAL);
	assert_non_null(strstr(why.text, "announced"));
	/* a policy is no base */
	assert_int_equal(tg_part_open_memfd(fd, TG_PART_POLICY, base.length, &part, &why), -EINVAL);
	assert_int_equal(tg_part_open_memfd(fd, TG_PART_BASE, base.length, &part, &why), 0);
	assert_int_equal(tg_part_id(part), base.id);
	tg_part_put(part);
	close(fd);
	free(base.bytes);
}

/* Each length that was announced shorter than the image is refused, and none reads past it. */
TG_TEST(TB_5_cut_images_are_refused, TG_NEEDS_NOTHING)
{
	struct tg_sealed_image base = tg_sealed_table(0, &tg_test_in_base, 1);
	const int fd = tg_sealed_memfd(&base, 0, TG_SEALED_ALL);
	struct tg_part *part;
	struct tg_why why;
	uint64_t n;

	for (n = 1; n < base.length; n += n < 1024 ? 1 : 509)
		assert_int_equal(tg_part_open_memfd(fd, TG_PART_BASE, n, &part, &why), -EINVAL);
	close(fd);
	free(base.bytes);
}

TG_TEST(swap_says_where_an_image_is_damaged, TG_NEEDS_NOTHING)
{
	struct tg_sealed_image base = tg_sealed_table(0, &tg_test_in_base, 1);
	uint8_t *bytes = base.bytes;
	struct tg_part *part;
	struct tg_why why;
	int fd;

	bytes[base.length - 1] ^= 1;
	fd = tg_sealed_memfd(&base, 0, TG_SEALED_ALL);
	assert_int_equal(tg_part_open_memfd(fd, TG_PART_BASE, base.length, &part, &why), -EINVAL);
	assert_non_null(strstr(why.text, "base: "));
	assert_non_null(strstr(why.text, "section "));
	assert_non_null(strstr(why.text, "offset "));
	close(fd);
	free(base.bytes);
}

#define NR_HUGEPAGES "/proc/sys/vm/nr_hugepages"

/* Adds to the pages that are reserved; returns how many there were. */
static long reserve_huge_pages(long change)
{
	long before = 0;
	FILE *f = fopen(NR_HUGEPAGES, "r+");

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%ld", &before), 1);
	rewind(f);
	assert_true(fprintf(f, "%ld\n", before + change) > 0);
	assert_int_equal(fclose(f), 0);
	return before;
}

/* One page is enough for a memfd of one: the mapping must not reserve it a second time. */
TG_TEST(swap_maps_huge_page_memfds, TG_NEEDS_HUGEPAGES)
{
	struct tg_sealed_image base = tg_sealed_table(0, &tg_test_in_base, 1);
	struct tg_part *part;
	struct tg_why why;
	int fd;

	reserve_huge_pages(1);
	fd = tg_sealed_memfd(&base, MFD_HUGETLB, TG_SEALED_ALL);
	if (fd >= 0 && tg_part_open_memfd(fd, TG_PART_BASE, base.length, &part, &why) == 0) {
		assert_int_equal(part->map_len, 2 << 20);
		assert_int_equal(tg_part_id(part), base.id);
		tg_part_put(part);
		why.text[0] = 0;
	}
	if (fd >= 0)
		close(fd);
	reserve_huge_pages(-1);
	free(base.bytes);
	assert_true(fd >= 0);
	assert_string_equal(why.text, "");
}

TG_TEST(swap_unmaps_what_nobody_uses, TG_NEEDS_NOTHING)
{
	struct tg_swap swap;
	unsigned long after_first;
	struct tg_test_set s;
	uint64_t n;

	tg_test_set_open(&s);
	assert_int_equal(tg_swap_init(&swap, 1), 0);
	assert_int_equal(tg_test_apply(&swap, 1, TG_TEST_ALL_PARTS, &s).status, 0);
	after_first = mapped_kb();
	for (n = 2; n < 200; n++)
		assert_int_equal(
			tg_test_apply(&swap, n, n % 3 ? TG_TEST_ALL_PARTS : TG_CTL_PART_DELTA, &s)
				.status,
			0);
	assert_true(mapped_kb() < after_first + 1024); /* 200 sets would be several MB */
	tg_swap_fini(&swap);
	tg_test_set_close(&s);
}

/* ---- workers that do not answer ---------------------------------------------------------------- */

TG_TEST(TB_3_stuck_worker_keeps_its_generation, TG_NEEDS_NOTHING)
{
	const struct tg_generation *old;
	struct tg_ctl_ack ack;
	struct tg_swap swap;
	struct tg_test_set s;

	tg_test_set_open(&s);
	assert_int_equal(tg_swap_init(&swap, 2), 0);
	swap.timeout_ns = 2000000;
	assert_int_equal(tg_test_apply(&swap, 1, TG_TEST_BASE_POLICY, &s).status, 0);
	tg_swap_join(&swap, 0);
	tg_swap_join(&swap, 1);
	old = tg_swap_current(&swap);

	tg_swap_quiescent(&swap, 1);
	ack = tg_test_apply(&swap, 2, TG_TEST_ALL_PARTS, &s); /* worker 0 does not answer */
	assert_int_equal(ack.status, -ETIMEDOUT);
	assert_true(ack.swap_ns >= swap.timeout_ns);
	assert_int_equal(tg_swap_current(&swap)->number, 2); /* in force for all others */
	assert_int_equal(old->number, 1);
	assert_int_equal(old->base.header->id, s.base.id); /* still mapped */
	assert_false(tg_swap_reclaim(&swap));

	ack = tg_test_apply(&swap, 3, TG_TEST_ALL_PARTS, &s);
	assert_int_equal(ack.status, -EBUSY);
	assert_int_equal(tg_swap_current(&swap)->number, 2);

	tg_swap_quiescent(&swap, 1);
	assert_false(tg_swap_reclaim(&swap)); /* the other worker's word does not count for it */
	tg_swap_quiescent(&swap, 0);
	assert_true(tg_swap_reclaim(&swap));
	tg_swap_leave(&swap, 0);
	tg_swap_leave(&swap, 1);
	assert_int_equal(tg_test_apply(&swap, 4, TG_TEST_ALL_PARTS, &s).status, 0);
	tg_swap_fini(&swap);
	tg_test_set_close(&s);
}

TG_TEST(swap_does_not_wait_for_workers_that_left, TG_NEEDS_NOTHING)
{
	struct tg_swap swap;
	struct tg_test_set s;

	tg_test_set_open(&s);
	assert_int_equal(tg_swap_init(&swap, 1), 0);
	swap.timeout_ns = 2000000;
	tg_swap_join(&swap, 0);
	tg_swap_leave(&swap, 0);
	assert_int_equal(tg_test_apply(&swap, 1, TG_TEST_ALL_PARTS, &s).status, 0);
	assert_int_equal(tg_test_apply(&swap, 2, TG_TEST_ALL_PARTS, &s).status, 0);
	tg_swap_fini(&swap);
	tg_test_set_close(&s);
}
