/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/xdp_rules.h"
#include "tests/support/tg_test.h"

struct text {
	char bytes[8192];
};

static void append(void *ctx, const char *line)
{
	struct text *t = ctx;

	assert_true(strlen(line) < TG_XDP_RULE_TEXT_MAX);
	assert_true(strlen(t->bytes) + strlen(line) + 2 < sizeof(t->bytes));
	strcat(strcat(t->bytes, line), "\n");
}

static const char *listed(const struct tg_xdp_rules *r, struct text *t)
{
	t->bytes[0] = 0;
	tg_xdp_rules_each(r, append, t);
	return t->bytes;
}

static struct tg_xdp_rules *rules(void)
{
	struct tg_xdp_rules *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	return r;
}

/* Each line cut anywhere is taken or refused, and what is refused changes nothing. */
static void check_cut(struct tg_xdp_rules *r, const char *line)
{
	struct text before, after;
	struct tg_error err;
	size_t n;

	for (n = 0; n < strlen(line); n++) {
		struct tg_guard g = tg_guard_copy(line, n + 1);

		g.data[n] = 0;
		listed(r, &before);
		if (tg_xdp_rules_apply(r, TG_XDP_RULE_ADD, (char *)g.data, &err) != 0) {
			assert_string_equal(listed(r, &after), before.bytes);
			assert_in_range(err.column, 1, n + 1);
		}
		tg_guard_free(&g);
	}
}

TG_TEST(xdp_rules_are_read_and_written, TG_NEEDS_NOTHING)
{
	static const char *const lines[][2] = {
		{ "udp 5060", "udp 5060 steer\n" },
		{ "tcp 1-65 forward", "tcp 1-65 forward\n" },
		{ "\t sctp  2905 steer # M3UA", "sctp 2905 steer\n" },
		{ "udp 65535", "udp 65535 steer\n" },
		{ "protocol gre", "protocol gre steer\n" },
		{ "protocol 132 forward", "protocol sctp forward\n" },
		{ "protocol 255", "protocol 255 steer\n" },
		{ "net 192.0.2.0/24 closed", "net 192.0.2.0/24 closed\n" },
		{ "net 192.0.2.1 steer open", "net 192.0.2.1/32 steer open\n" },
		{ "net 0.0.0.0/0 forward", "net 0.0.0.0/0 forward\n" },
		{ "net 2001:db8::/32", "net 2001:db8::/32 steer\n" },
		{ "net ::/0 closed", "net ::/0 closed\n" },
		{ "net 2001:db8::1 closed forward", "net 2001:db8::1/128 forward closed\n" },
		{ "vlan 0 forward", "vlan 0 forward\n" },
		{ "vlan 4095 closed", "vlan 4095 closed\n" },
		{ "frame tunnel", "frame tunnel steer\n" },
		{ "", "" },
		{ "  # nothing", "" },
	};
	struct tg_error err;
	struct text t;
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(lines); i++) {
		struct tg_xdp_rules *r = rules(), *again = rules();

		check_cut(r, lines[i][0]);
		memset(r, 0, sizeof(*r));
		assert_int_equal(tg_xdp_rules_apply(r, TG_XDP_RULE_ADD, lines[i][0], &err), 0);
		assert_string_equal(listed(r, &t), lines[i][1]);
		assert_int_equal(tg_xdp_rules_parse(again, t.bytes, &err), 0);
		assert_memory_equal(r, again, sizeof(*r));
		free(r);
		free(again);
	}
}

TG_TEST(xdp_rules_refused_say_where_and_why, TG_NEEDS_NOTHING)
{
	static const struct {
		const char *line;
		uint32_t column;
		const char *why;
	} cases[] = {
		{ "upd 5060", 1, "no rule" },
		{ "udp", 4, "of what" },
		{ "udp 0", 5, "no port" },
		{ "udp 65536", 5, "no port" },
		{ "udp 99999999999999999999", 5, "no port" },
		{ "udp 7-6", 5, "no port" },
		{ "udp 5060x", 5, "no port" },
		{ "udp -5", 5, "no port" },
		{ "udp 1-20000", 5, "no room" },
		{ "udp 5060 drop", 10, "none of steer" },
		{ "udp 5060 closed", 10, "which only net and vlan" },
		{ "udp 5060 steer forward", 16, "one too many" },
		{ "vlan 7 open closed", 13, "one too many" },
		{ "vlan 4096", 6, "no VLAN ID" },
		{ "protocol 256", 10, "no IP protocol" },
		{ "protocol sip", 10, "no IP protocol" },
		{ "net 192.0.2.1/24", 5, "bits behind" },
		{ "net 192.0.2.0/33", 5, "its length" },
		{ "net 192.0.2.0/", 5, "its length" },
		{ "net 2001:db8::/129", 5, "its length" },
		{ "net 192.0.2", 5, "no address" },
		{ "net /24", 5, "no address" },
		{ "net ::ffff:192.0.2.0/96", 5, "bits behind" },
		{ "frame fraud", 7, "no way" },
		{ "frame nonsense", 7, "no way" },
		{ "net 192.0.2.0/24 steer open and more", 29, "at most 4 words" },
	};
	struct tg_xdp_rules *r = rules(), *before = rules();
	struct tg_error err;
	size_t i;

	tg_xdp_rules_default(r);
	memcpy(before, r, sizeof(*r));
	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		if (tg_xdp_rules_apply(r, TG_XDP_RULE_ADD, cases[i].line, &err) == 0)
			fail_msg("%s: taken", cases[i].line);
		if (!strstr(err.text, cases[i].why) || err.column != cases[i].column)
			fail_msg("%s: column %u, %s", cases[i].line, err.column, err.text);
		assert_memory_equal(r, before, sizeof(*r));
	}
	free(before);
	free(r);
}

TG_TEST(xdp_rules_are_deleted_by_name, TG_NEEDS_NOTHING)
{
	struct tg_xdp_rules *r = rules();
	struct tg_error err;
	struct text t;

	assert_int_equal(tg_xdp_rules_parse(r,
					    "udp 5060-5070\nnet 192.0.2.0/24\nnet 192.0.2.0/25 "
					    "closed\nvlan 7\nprotocol gre\nframe mpls\n",
					    &err),
			 0);
	assert_int_equal(tg_xdp_rules_apply(r, TG_XDP_RULE_DEL, "udp 5061-5069", &err), 0);
	assert_int_equal(tg_xdp_rules_apply(r, TG_XDP_RULE_DEL, "net 192.0.2.0/24", &err), 0);
	assert_int_equal(tg_xdp_rules_apply(r, TG_XDP_RULE_DEL, "protocol 47", &err), 0);
	assert_string_equal(listed(r, &t), "net 192.0.2.0/25 closed\nvlan 7 steer\nudp 5060 steer\n"
					   "udp 5070 steer\nframe mpls steer\n");
	/* Not there, not whole, and more than a name. */
	assert_int_equal(tg_xdp_rules_apply(r, TG_XDP_RULE_DEL, "vlan 8", &err), -ENOENT);
	assert_int_equal(tg_xdp_rules_apply(r, TG_XDP_RULE_DEL, "udp 5060-5070", &err), -ENOENT);
	assert_int_equal(tg_xdp_rules_apply(r, TG_XDP_RULE_DEL, "net 192.0.2.0/24", &err), -ENOENT);
	assert_int_equal(tg_xdp_rules_apply(r, TG_XDP_RULE_DEL, "vlan 7 steer", &err), -EINVAL);
	free(r);
}

TG_TEST(xdp_rules_have_a_bound, TG_NEEDS_NOTHING)
{
	struct tg_xdp_rules *r = rules();
	struct tg_error err;
	char line[64];
	unsigned i;

	assert_int_equal(tg_xdp_rules_apply(r, TG_XDP_RULE_ADD, "udp 1-16384", &err), 0);
	assert_int_equal(tg_xdp_rules_apply(r, TG_XDP_RULE_ADD, "udp 7 forward", &err), 0);
	assert_int_equal(tg_xdp_rules_apply(r, TG_XDP_RULE_ADD, "tcp 1", &err), -ENOSPC);
	assert_int_equal(tg_xdp_rules_apply(r, TG_XDP_RULE_DEL, "udp 7", &err), 0);
	assert_int_equal(tg_xdp_rules_apply(r, TG_XDP_RULE_ADD, "tcp 1", &err), 0);
	for (i = 0; i < TG_STEER_MAX_NET_RULES; i++) {
		snprintf(line, sizeof(line), "net 10.%u.%u.0/24", i / 256, i % 256);
		assert_int_equal(tg_xdp_rules_apply(r, TG_XDP_RULE_ADD, line, &err), 0);
	}
	assert_int_equal(tg_xdp_rules_apply(r, TG_XDP_RULE_ADD, line, &err), 0);
	assert_int_equal(tg_xdp_rules_apply(r, TG_XDP_RULE_ADD, "net 11.0.0.0/8", &err), -ENOSPC);
	free(r);
}

TG_TEST(xdp_rules_of_a_file_name_the_line, TG_NEEDS_NOTHING)
{
	struct tg_xdp_rules *r = rules();
	struct tg_error err;

	assert_int_equal(tg_xdp_rules_parse(r, "# ours\n\nudp 5060\r\nnet nowhere", &err), -EINVAL);
	assert_int_equal(err.line, 4);
	assert_int_equal(err.column, 5);
	free(r);
}
