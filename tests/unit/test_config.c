/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/run/config.h"
#include "dataplane/run/port.h"
#include "tests/support/tg_test.h"
#include "tollgate/pipeline.h"

#define MAX_ARGS 8

static int parse(struct tg_config *c, const char *const args[], struct tg_why *why)
{
	char *argv[MAX_ARGS + 2] = { (char *)(uintptr_t) "tollgate-dp" };
	int n = 1;

	for (; n <= MAX_ARGS && args[n - 1]; n++)
		argv[n] = (char *)(uintptr_t)args[n - 1];
	why->text[0] = 0;
	return tg_config_parse(c, n, argv, why);
}

TG_TEST(config_defaults, TG_NEEDS_NOTHING)
{
	static const char *const none[] = { NULL };
	struct tg_config c, other;
	struct tg_why why;

	assert_int_equal(parse(&c, none, &why), 0);
	assert_string_equal(c.control, TG_CONFIG_DEFAULT_CONTROL);
	assert_string_equal(c.images, "");
	assert_string_equal(c.events, "");
	assert_int_equal(c.idle_us, TG_CONFIG_IDLE_AUTO);
	assert_string_equal(c.xdp_set, TG_STEER_SET_DIR);
	assert_false(c.xdp_set_asked);
	assert_false(c.keep_links);
	assert_int_equal(c.queues, 0);
	assert_int_equal(c.n_pairs, 0);
	assert_int_equal(c.memory_entries, TG_PIPELINE_MEMORY_DEFAULT);
	assert_int_equal(parse(&other, none, &why), 0);
	assert_memory_not_equal(c.key, other.key, sizeof(c.key)); /* drawn anew at each start */
}

TG_TEST(config_reads_all_options, TG_NEEDS_NOTHING)
{
	static const char *const args[] = { "--images=/i",	 "--control=/c",    "--events=-",
					    "--events-unmasked", "--events-all",    "--queues=4",
					    "--idle=250",	 "--pairs=2:3,0:1", NULL };
	static const char *const more[] = { "--memory",	    "1024",	 "--idle",
					    "off",	    "--xdp-set", "/s",
					    "--keep-links", "--help",	 NULL };
	struct tg_config c;
	struct tg_why why;

	assert_int_equal(parse(&c, args, &why), 0);
	assert_string_equal(c.images, "/i");
	assert_string_equal(c.control, "/c");
	assert_string_equal(c.events, "-");
	assert_true(c.events_unmasked && c.events_all);
	assert_int_equal(c.queues, 4);
	assert_int_equal(c.idle_us, 250);
	assert_int_equal(c.n_pairs, 2);
	assert_int_equal(c.pair[0].port[0], 2);
	assert_int_equal(c.pair[0].port[1], 3);
	assert_int_equal(c.pair[1].port[0], 0);
	assert_int_equal(c.pair[1].port[1], 1);
	assert_int_equal(parse(&c, more, &why), 0);
	assert_int_equal(c.memory_entries, 1024);
	assert_int_equal(c.idle_us, TG_CONFIG_IDLE_OFF);
	assert_true(c.xdp_set_asked);
	assert_string_equal(c.xdp_set, "/s");
	assert_true(c.keep_links);
	assert_true(c.help);
}

TG_TEST(config_refuses_and_names_the_option, TG_NEEDS_NOTHING)
{
	static const struct {
		const char *args[4];
		const char *says; /* a part of the sentence */
	} bad[] = {
		{ { "--queues", "0" }, "--queues 0" },
		{ { "--queues", "65" }, "--queues 65" },
		{ { "--queues", "2x" }, "--queues 2x" },
		{ { "--queues", "-1" }, "--queues -1" },
		{ { "--queues", "" }, "--queues" },
		{ { "--queues", "99999999999999999999" }, "--queues" },
		{ { "--queues" }, "a value is missing" },
		{ { "--idle", "0" }, "--idle 0" },
		{ { "--idle", "1001" }, "--idle 1001" },
		{ { "--idle", "never" }, "--idle never" },
		{ { "--memory", "0" }, "--memory 0" },
		{ { "--memory", "67108865" }, "--memory 67108865" },
		{ { "--pairs", "" }, "0:1,2:3" },
		{ { "--pairs", "0" }, "0:1,2:3" },
		{ { "--pairs", "0:" }, "0:1,2:3" },
		{ { "--pairs", "0:1," }, "0:1,2:3" },
		{ { "--pairs", "0:1;2:3" }, "0:1,2:3" },
		{ { "--pairs", "0-1" }, "0:1,2:3" },
		{ { "--pairs", "0:65535" }, "0:1,2:3" },
		{ { "--pairs", "0:0" }, "twice" },
		{ { "--pairs", "0:1,1:2" }, "twice" },
		{ { "--pairs", "0:1,2:0" }, "twice" },
		{ { "--images", "" }, "--images" },
		{ { "--events-all" }, "--events" },
		{ { "--events-unmasked" }, "--events" },
		{ { "--key-file", "/nonexistent/key" }, "/nonexistent/key" },
		{ { "--nonsense" }, "--nonsense" },
		{ { "stray" }, "stray" },
	};
	struct tg_config c;
	struct tg_why why;
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(bad); i++) {
		assert_true(parse(&c, bad[i].args, &why) < 0);
		if (!strstr(why.text, bad[i].says))
			fail_msg("%s %s: \"%s\" lacks \"%s\"", bad[i].args[0],
				 bad[i].args[1] ? bad[i].args[1] : "", why.text, bad[i].says);
	}
}

TG_TEST(config_refuses_names_that_do_not_fit, TG_NEEDS_NOTHING)
{
	char longest[TG_CONFIG_CONTROL_MAX + 2];
	const char *args[] = { "--control", longest, NULL };
	struct tg_config c;
	struct tg_why why;

	memset(longest, 'a', sizeof(longest));
	longest[TG_CONFIG_CONTROL_MAX] = 0;
	assert_int_equal(parse(&c, args, &why), 0);
	assert_string_equal(c.control, longest);
	longest[TG_CONFIG_CONTROL_MAX] = 'a';
	longest[TG_CONFIG_CONTROL_MAX + 1] = 0;
	assert_int_equal(parse(&c, args, &why), -ENAMETOOLONG);
}

TG_TEST(config_refuses_more_pairs_than_it_holds, TG_NEEDS_NOTHING)
{
	char text[16 * (TG_CONFIG_MAX_PAIRS + 1)] = "";
	struct tg_config c;
	struct tg_why why;
	unsigned i, n = 0;

	for (i = 0; i < TG_CONFIG_MAX_PAIRS; i++)
		n += (unsigned)snprintf(text + n, sizeof(text) - n, "%s%u:%u", i ? "," : "", 2 * i,
					2 * i + 1);
	assert_int_equal(tg_config_parse_pairs(&c, text, &why), 0);
	assert_int_equal(c.n_pairs, TG_CONFIG_MAX_PAIRS);
	snprintf(text + n, sizeof(text) - n, ",98:99");
	assert_int_equal(tg_config_parse_pairs(&c, text, &why), -EINVAL);
}

/* The key file's contents -> the key, or refused. */
static int parse_key(const void *bytes, size_t len, uint8_t key[16])
{
	char path[] = "/tmp/tg-key-XXXXXX";
	const char *args[] = { "--key-file", path, NULL };
	const int fd = mkstemp(path);
	struct tg_config c;
	struct tg_why why;
	int rc;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), (ssize_t)len);
	close(fd);
	rc = parse(&c, args, &why);
	unlink(path);
	memcpy(key, c.key, 16);
	return rc;
}

TG_TEST(config_reads_keys_raw_and_hex, TG_NEEDS_NOTHING)
{
	static const uint8_t raw[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255 };
	static const char hex[] = "000102030405060708090a0b0c0d0eff\r\n";
	uint8_t key[16];
	size_t n;

	assert_int_equal(parse_key(raw, sizeof(raw), key), 0);
	assert_memory_equal(key, raw, 16);
	assert_int_equal(parse_key(hex, strlen(hex), key), 0);
	assert_memory_equal(key, raw, 16);
	assert_int_equal(parse_key(hex, 32, key), 0);
	assert_memory_equal(key, raw, 16);
	for (n = 0; n < 32; n++) {
		if (n != 16) /* sixteen bytes are a raw key, whatever they look like */
			assert_int_equal(parse_key(hex, n, key), -EINVAL);
	}
	assert_int_equal(parse_key("g00102030405060708090a0b0c0d0eff", 32, key), -EINVAL);
	assert_int_equal(parse_key("000102030405060708090a0b0c0d0eff00", 34, key), -EINVAL);
}

TG_TEST(config_queues_of_a_pair, TG_NEEDS_NOTHING)
{
	static const struct {
		unsigned asked, workers, pairs, limit;
		uint16_t want;
	} cases[] = {
		{ 0, 1, 1, 1, 1 },		       /* one core, one queue */
		{ 0, 4, 1, 64, 4 },		       /* a queue for each worker */
		{ 0, 4, 2, 64, 2 },		       /* the pairs share the workers */
		{ 0, 3, 2, 64, 2 },		       /* no core left out */
		{ 0, 1, 4, 64, 1 },		       /* every pair has one at least */
		{ 0, 8, 1, 2, 2 },		       /* the device has no more */
		{ 4, 1, 1, 64, 4 },		       /* as asked, even for one worker */
		{ 4, 1, 1, 4, 4 },  { 5, 8, 1, 4, 0 }, /* asked for more than there are: refused */
	};
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(cases); i++)
		assert_int_equal(tg_ports_queues(cases[i].asked, cases[i].workers, cases[i].pairs,
						 cases[i].limit),
				 cases[i].want);
}
