/* SPDX-License-Identifier: BSD-3-Clause */
/* The images on disk that a start begins with. */
#include <errno.h>
#include <stdio.h>

#include "dataplane/run/lastgood.h"
#include "dataplane/run/swap.h"
#include "tests/support/publish.h"
#include "tests/support/tg_test.h"

static void put_file(const char *dir, const char *name, const void *bytes, size_t len)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	fclose(f);
}

static void make_dir(char *dir, const struct tg_test_set *s)
{
	static const char current[] = "generation 42\nbase base\ndelta delta\npolicy policy\n";

	assert_non_null(mkdtemp(dir));
	put_file(dir, "base", s->base.bytes, s->base.length);
	put_file(dir, "delta", s->delta.bytes, s->delta.length);
	put_file(dir, "policy", s->policy.bytes, s->policy.length);
	put_file(dir, "current", current, strlen(current));
}

static void remove_dir(const char *dir)
{
	static const char *const names[] = { "base", "delta", "policy", "current" };
	char path[256];
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	rmdir(dir);
}

TG_TEST(images_load_and_publish, TG_NEEDS_NOTHING)
{
	char dir[] = "/tmp/tg-images-XXXXXX";
	struct tg_held *held;
	struct tg_swap swap;
	struct tg_why why;
	uint64_t swap_ns;
	struct tg_test_set s;

	tg_test_set_open(&s);
	make_dir(dir, &s);
	assert_int_equal(tg_swap_init(&swap, 1), 0);
	if (tg_lastgood_load(dir, &held, &why) != 0)
		fail_msg("%s", why.text);
	put_file(dir, "base", "", 0); /* files may go: what was loaded is a copy */
	assert_int_equal(tg_swap_publish(&swap, held, &swap_ns, &why), 0);
	assert_int_equal(tg_swap_current(&swap)->number, 42);
	assert_true(tg_test_listed(&swap, tg_test_in_base) &&
		    tg_test_listed(&swap, tg_test_in_delta));
	/* the daemon goes on from there */
	assert_int_equal(tg_test_apply(&swap, 43, TG_CTL_PART_NO_DELTA, &s).status, 0);
	assert_false(tg_test_listed(&swap, tg_test_in_delta));
	tg_swap_fini(&swap);
	remove_dir(dir);
	tg_test_set_close(&s);
}

TG_TEST(images_say_what_is_wrong, TG_NEEDS_NOTHING)
{
	static const struct {
		const char *current;
		const char *says;
	} bad[] = {
		{ "", "missing" },
		{ "generation 1\n", "missing" },
		{ "generation 1\nbase base\n", "missing" },
		{ "generation 0\nbase base\npolicy policy\n", "current:1" },
		{ "generation -1\nbase base\npolicy policy\n", "current:1" },
		{ "generation 1x\nbase base\npolicy policy\n", "current:1" },
		{ "generation 1\ngeneration 2\n", "current:2" },
		{ "generation 1\nbase base\nbase base\n", "current:3" },
		{ "generation 1\nbase\n", "current:2" },
		{ "generation 1\nbase /etc/passwd\npolicy policy\n", "current:2" },
		{ "generation 1\nbase base\npolicy policy\nextra x\n", "current:4" },
		{ "generation 1\nbase gone\npolicy policy\n", "gone: " },
		{ "generation 1\nbase .\npolicy policy\n", ".: " },
		{ "generation 1\nbase policy\npolicy policy\n", "policy: base: " },
		{ "generation 1\nbase base\npolicy base\n", "base: policy: " },
		{ "generation 1\nbase base\ndelta base\npolicy policy\n", "base: delta: " },
	};
	static const char good[] = "generation 1\nbase base\npolicy policy\n";
	char dir[] = "/tmp/tg-images-XXXXXX";
	struct tg_held *held;
	struct tg_why why;
	struct tg_test_set s;
	unsigned i;

	tg_test_set_open(&s);
	assert_int_equal(tg_lastgood_load("/nonexistent", &held, &why), -ENOENT);
	make_dir(dir, &s);
	for (i = 0; i < TG_ARRAY_LEN(bad); i++) {
		put_file(dir, "current", bad[i].current, strlen(bad[i].current));
		assert_true(tg_lastgood_load(dir, &held, &why) < 0);
		if (!strstr(why.text, bad[i].says))
			fail_msg("\"%s\": \"%s\" lacks \"%s\"", bad[i].current, why.text,
				 bad[i].says);
	}
	put_file(dir, "current", good, strlen(good));
	((uint8_t *)s.base.bytes)[s.base.length - 1] ^= 0x80;
	put_file(dir, "base", s.base.bytes, s.base.length);
	assert_int_equal(tg_lastgood_load(dir, &held, &why), -EINVAL);
	assert_non_null(strstr(why.text, "offset"));
	remove_dir(dir);
	assert_true(tg_lastgood_load(dir, &held, &why) < 0);
	tg_test_set_close(&s);
}
