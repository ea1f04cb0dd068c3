/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "tests/support/tg_test.h"
#include "tollgate/stats.h"

static struct tg_stats a, b;

/* Every counter there is, now and later: the structs are treated as what they are, words. */
TG_TEST(stats_add_sums_every_counter, TG_NEEDS_NOTHING)
{
	static uint64_t word[sizeof(a) / sizeof(uint64_t)];
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(word); i++)
		word[i] = i * 3 + 1;
	memcpy(&a, word, sizeof(a));
	memcpy(&b, word, sizeof(b));
	tg_stats_add(&a, &b);
	memcpy(word, &a, sizeof(a));
	for (i = 0; i < TG_ARRAY_LEN(word); i++)
		assert_int_equal(word[i], 2 * (i * 3 + 1));
}

/* stats.h: a bucket's upper end is the first value of the next bucket. */
TG_TEST(stats_latency_buckets_meet, TG_NEEDS_NOTHING)
{
	unsigned i;

	assert_int_equal(tg_stats_latency_bucket(0), 0);
	for (i = 0; i < TG_STATS_LATENCY_BUCKETS - 1; i++) {
		const uint64_t upper = tg_stats_latency_upper(i);

		assert_int_equal(tg_stats_latency_bucket(upper - 1), i);
		assert_int_equal(tg_stats_latency_bucket(upper), i + 1);
		assert_true(i == 0 || upper * 4 <= tg_stats_latency_upper(i - 1) * 5);
	}
	assert_int_equal(tg_stats_latency_bucket(UINT64_MAX), TG_STATS_LATENCY_BUCKETS - 1);
}

TG_TEST(stats_quantile_of_nothing_is_zero, TG_NEEDS_NOTHING)
{
	memset(&a, 0, sizeof(a));
	assert_int_equal(tg_stats_latency_quantile(&a, 500), 0);
}

TG_TEST(stats_quantiles, TG_NEEDS_NOTHING)
{
	static const struct {
		unsigned per_mille, bucket;
	} cases[] = {
		{ 0, 3 },    { 1, 3 },	  { 500, 3 },  { 900, 3 },
		{ 901, 10 }, { 990, 10 }, { 991, 40 }, { 1000, 40 },
	};
	/* Also with counts where total * 1000 would not fit 64 bits. */
	static const uint64_t scales[] = { 1, 1ull << 25, 1ull << 53 };
	size_t i, k;

	for (k = 0; k < TG_ARRAY_LEN(scales); k++) {
		memset(&a, 0, sizeof(a));
		a.latency[3] = 900 * scales[k];
		a.latency[10] = 90 * scales[k];
		a.latency[40] = 10 * scales[k];
		for (i = 0; i < TG_ARRAY_LEN(cases); i++)
			assert_int_equal(tg_stats_latency_quantile(&a, cases[i].per_mille),
					 tg_stats_latency_upper(cases[i].bucket));
	}
}

/* The least that it can be: what nobody looked into may have been a call each. */
TG_TEST(P8_coverage_counts_what_may_have_been_a_call, TG_NEEDS_NOTHING)
{
	struct tg_stats_coverage c;
	unsigned i;

	memset(&a, 0, sizeof(a));
	c = tg_stats_coverage(&a);
	assert_int_equal(c.judged, 0);
	assert_int_equal(c.uninspected, 0);
	a.trunk_action[0][TG_MODE_ENFORCE][TG_ACTION_REJECT] = 7;
	a.trunk_action[TG_POLICY_MAX_TRUNKS - 1][TG_MODE_SHADOW][TG_ACTION_PASS] = 90;
	a.verdicts_repeated = 1000;
	for (i = 0; i < TG_REASON_COUNT; i++)
		a.reason[i] = tg_reason_kind(i) == TG_REASON_KIND_BLIND ? 0 : 1000;
	c = tg_stats_coverage(&a);
	assert_int_equal(c.judged, 97);
	assert_int_equal(c.uninspected, 0);
	a.reason[TG_REASON_TLS] = 2;
	a.reason[TG_REASON_NO_GENERATION] = 1;
	assert_int_equal(tg_stats_coverage(&a).uninspected, 3);
	a.unread[TG_REASON_SCTP_FULL] = 4; /* beside calls that were judged */
	c = tg_stats_coverage(&a);
	assert_int_equal(c.uninspected, 7);
	assert_int_equal(c.judged, 97);
}
