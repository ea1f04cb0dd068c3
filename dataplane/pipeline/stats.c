/* SPDX-License-Identifier: BSD-3-Clause */
#include "tollgate/stats.h"

static_assert(sizeof(struct tg_stats) % sizeof(uint64_t) == 0, "counters and nothing else");

/* Relaxed loads: pair with the worker's plain 64-bit stores; a torn value is what they prevent, an
 * order between counters is not promised. */
void tg_stats_add(struct tg_stats *sum, const struct tg_stats *one)
{
	uint64_t *to = (uint64_t *)sum;
	const uint64_t *from = (const uint64_t *)one;
	size_t i;

	for (i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		to[i] += __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

uint64_t tg_stats_latency_quantile(const struct tg_stats *s, unsigned per_mille)
{
	uint64_t total = 0, seen = 0, wanted;
	unsigned i;

	for (i = 0; i < TG_STATS_LATENCY_BUCKETS; i++)
		total += s->latency[i];
	if (total == 0)
		return 0;
	/* ceil(total * per_mille / 1000) without overflow; at least one frame. */
	wanted = total / 1000 * per_mille + (total % 1000 * per_mille + 999) / 1000;
	if (wanted == 0)
		wanted = 1;
	for (i = 0; i < TG_STATS_LATENCY_BUCKETS - 1; i++) {
		seen += s->latency[i];
		if (seen >= wanted)
			break;
	}
	return tg_stats_latency_upper(i);
}

struct tg_stats_coverage tg_stats_coverage(const struct tg_stats *s)
{
	struct tg_stats_coverage c = { 0 };
	unsigned trunk, mode, action, i;

	for (trunk = 0; trunk < TG_POLICY_MAX_TRUNKS; trunk++)
		for (mode = 0; mode < TG_MODE_COUNT; mode++)
			for (action = 0; action < TG_ACTION_COUNT; action++)
				c.judged += s->trunk_action[trunk][mode][action];
	for (i = 0; i < TG_REASON_COUNT; i++)
		if (tg_reason_kind(i) == TG_REASON_KIND_BLIND)
			c.uninspected += s->reason[i] + s->unread[i];
	return c;
}

struct tg_stats_exception tg_stats_exception(const struct tg_stats *s, enum tg_exception e)
{
	static const uint8_t reasons[] = {
#define X(sym, name) [TG_EXCEPTION_##sym] = TG_REASON_##sym,
		TG_EXCEPTIONS(X)
#undef X
	};
	const uint64_t all = s->reason[reasons[e]], dropped = s->exceptions_dropped[e];

	/* Of a worker that counts meanwhile, one may be ahead of the other. */
	return (struct tg_stats_exception){ all > dropped ? all - dropped : 0, dropped };
}
