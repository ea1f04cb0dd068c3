/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A small generation to judge with: a handful of listed numbers and a policy with one enforcing trunk.
 * Inline, because fuzz targets link no other support.
 *
 *	listed as caller: +12025550101 fraud 95, +12025550102 spam 40, +12025550103 tdos 90,
 *	                  +12025550104 allow; +4477009001.. (prefix) scam 90
 *	listed as called: +447700900999 irsf 85
 *
 *	port 0   "outside", enforced, G->answers_per_second answers (100)
 *	others   "default", shadow
 *
 *	rule 0 "bad-callers"   caller; fraud, scam, irsf from 80: reject with answer 0 (has a Reason)
 *	rule 1 "bad-called"    called; irsf from 80: reject with answer 1
 *	rule 2 "flood"         caller; tdos: drop
 */
#ifndef TG_TESTS_GENERATION_H
#define TG_TESTS_GENERATION_H

#include <stdlib.h>
#include <string.h>

#include "control/build.h"
#include "tollgate/pipeline.h"

#define TG_TEST_FRAUD "+12025550101"
#define TG_TEST_SPAM "+12025550102"
#define TG_TEST_TDOS "+12025550103"
#define TG_TEST_ALLOWED "+12025550104"
#define TG_TEST_SCAM_BY_PREFIX "+447700900123"
#define TG_TEST_IRSF_CALLED "+447700900999"
#define TG_TEST_CLEAN "+12025550177"
#define TG_TEST_CLEAN_CALLED "+61491570156"

#define TG_TEST_REASON "SIP;cause=603;text=\"blocked by the test\""

struct tg_test_generation {
	struct tg_generation gen;
	void *image;
	struct tg_image_header policy_header;
	struct tg_policy_trunk trunk[2];
	struct tg_policy_rule rule[3];
	struct tg_policy_answer answer[2];
};

static inline uint32_t tg_test_caller(enum tg_category c, unsigned score)
{
	return tg_listing_make(tg_listing_slot(c, score), 0);
}

static inline uint32_t tg_test_called(enum tg_category c, unsigned score)
{
	return tg_listing_make(0, tg_listing_slot(c, score));
}

static inline bool tg_test_table(struct tg_test_generation *g, const struct tg_build_input *in)
{
	struct tg_image_error err;
	struct tg_build *build;
	uint64_t length, id;
	bool ok;

	if (tg_build_plan(in, &build, &length, NULL) != 0)
		return false;
	length = (length + TG_IMAGE_ALIGN - 1) / TG_IMAGE_ALIGN * TG_IMAGE_ALIGN;
	g->image = aligned_alloc(TG_IMAGE_ALIGN, length);
	if (!g->image)
		return false;
	memset(g->image, 0, length);
	ok = tg_build_write(build, g->image, &id, NULL) == 0;
	tg_build_free(build);
	length = ((const struct tg_image_header *)g->image)->length;
	return ok && tg_table_open(&g->gen.base, g->image, length, TG_IMAGE_BASE, &err) == 0;
}

static inline void tg_test_policy(struct tg_test_generation *g)
{
	const uint16_t bad = 1u << TG_CATEGORY_FRAUD | 1u << TG_CATEGORY_SCAM |
			     1u << TG_CATEGORY_IRSF;

	g->trunk[0] = (struct tg_policy_trunk){
		.name = "outside",
		.port = 0,
		.vlan = TG_TRUNK_ANY_VLAN,
		.opc = TG_TRUNK_ANY_POINT_CODE,
		.dpc = TG_TRUNK_ANY_POINT_CODE,
		.mode = TG_MODE_ENFORCE,
		.answers_per_second = 100,
		.priority_per_second = 1,
		.mtu = 1500,
	};
	g->trunk[1] = (struct tg_policy_trunk){
		.name = "default",
		.port = TG_TRUNK_ANY_PORT,
		.vlan = TG_TRUNK_ANY_VLAN,
		.opc = TG_TRUNK_ANY_POINT_CODE,
		.dpc = TG_TRUNK_ANY_POINT_CODE,
		.answers_per_second = 100,
		.priority_per_second = 1,
		.mtu = 1500,
	};
	g->rule[0] = (struct tg_policy_rule){
		.name = "bad-callers",
		.trunks = TG_RULE_ANY_TRUNK,
		.categories = bad,
		.roles = 1u << TG_ROLE_CALLER,
		.score_min = 80,
		.score_max = 100,
		.action = TG_ACTION_REJECT,
		.share = 100,
	};
	g->rule[1] = g->rule[0];
	memcpy(g->rule[1].name, "bad-called", sizeof("bad-called"));
	g->rule[1].roles = 1u << TG_ROLE_CALLED;
	g->rule[1].answer = 1;
	g->rule[2] = g->rule[0];
	memcpy(g->rule[2].name, "flood", sizeof("flood"));
	g->rule[2].categories = 1u << TG_CATEGORY_TDOS;
	g->rule[2].action = TG_ACTION_DROP;
	g->answer[0] = (struct tg_policy_answer){
		.name = "declined", .phrase = "Decline", .reason = TG_TEST_REASON, .code = 603
	};
	g->answer[1] = (struct tg_policy_answer){ .name = "forbidden",
						  .phrase = "Forbidden",
						  .code = 403 };
	g->policy_header.id = 1;
	g->gen.policy = (struct tg_policy){
		.header = &g->policy_header,
		.trunk = g->trunk,
		.rule = g->rule,
		.answer = g->answer,
		.n_trunks = TG_ARRAY_LEN(g->trunk),
		.n_rules = TG_ARRAY_LEN(g->rule),
		.n_answers = TG_ARRAY_LEN(g->answer),
	};
}

/* `empty`: the same policy over a table that lists nothing. */
static inline bool tg_test_generation_init(struct tg_test_generation *g, bool empty)
{
	static const uint64_t scam_lo = 447700900100000ull, scam_hi = 447700900199999ull;
	const struct tg_build_number numbers[] = {
		{ 12025550101, tg_test_caller(TG_CATEGORY_FRAUD, 95), 0 },
		{ 12025550102, tg_test_caller(TG_CATEGORY_SPAM, 40), 0 },
		{ 12025550103, tg_test_caller(TG_CATEGORY_TDOS, 90), 0 },
		{ 12025550104, tg_test_caller(TG_CATEGORY_ALLOW, 0), 0 },
		{ 447700900999, tg_test_called(TG_CATEGORY_IRSF, 85), 0 },
	};
	const struct tg_build_interval intervals[] = {
		{ scam_lo, scam_hi, tg_test_caller(TG_CATEGORY_SCAM, 90), 10, 15, { 0 } },
	};
	const struct tg_build_input in = {
		.kind = TG_IMAGE_BASE,
		.hash_key = 0x9e3779b97f4a7c15,
		.numbers = numbers,
		.n_numbers = empty ? 0 : TG_ARRAY_LEN(numbers),
		.intervals = intervals,
		.n_intervals = empty ? 0 : TG_ARRAY_LEN(intervals),
	};

	memset(g, 0, sizeof(*g));
	tg_test_policy(g);
	g->gen.number = empty ? 2 : 1;
	if (!tg_test_table(g, &in))
		return false;
	g->gen.hash = tg_generation_hash(&g->gen);
	return true;
}

static inline void tg_test_generation_fini(struct tg_test_generation *g)
{
	free(g->image);
}

#endif
