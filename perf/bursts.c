/* SPDX-License-Identifier: BSD-3-Clause */
#include "perf/bursts.h"

#include "perf/huge.h"

#define FORGET_MS 40000 /* past the verdict memory's 32 s */

static uint64_t read_sizes(int argc, char **argv, struct bursts_sizes *s)
{
	uint64_t most = 0;
	unsigned i;

	*s = (struct bursts_sizes){ { 1000000, 10000000 }, 2 };
	if (argc > 1)
		for (s->n = 0; s->n < TG_ARRAY_LEN(s->entries) && (int)s->n + 1 < argc; s->n++)
			s->entries[s->n] = strtoull(argv[s->n + 1], NULL, 10);
	for (i = 0; i < s->n; i++)
		most = s->entries[i] > most ? s->entries[i] : most;
	return most;
}

void bursts_open(struct bursts *b, int argc, char **argv, struct bursts_sizes *sizes,
		 const char **pages)
{
	const uint64_t entries = read_sizes(argc, argv, sizes);
	const struct tg_pipeline_config config = {
		.memory_entries = TG_PIPELINE_MEMORY_DEFAULT,
		.cap_entries = TG_PIPELINE_CAP_DEFAULT,
	};
	const size_t buffers = (size_t)BURSTS_FRAMES * BURSTS_BUFFER;
	const size_t pipeline = tg_pipeline_size(&config);

	/* Table and filter at 11.25 bytes an entry, pages begun, buffers, verdict memory. */
	(void)huge_borrow(entries * 12 + (8u << 20) + buffers + pipeline);
	b->buffers = bench_alloc(buffers, pages);
	b->pl = tg_pipeline_init(bench_alloc(pipeline, pages), &config);
}

void bursts_use(struct bursts *b, struct generation *g)
{
	b->g = g;
	b->unlisted = g->gen;
	memset(&b->unlisted.base, 0, sizeof(b->unlisted.base));
}

uint64_t bursts_run(struct bursts *b, const struct tg_generation *gen, unsigned from, unsigned n)
{
	uint64_t kept = 0;
	unsigned at, i;

	b->now_ms += FORGET_MS;
	for (at = from; at < from + n; at += TG_BURST) {
		tg_pipeline_burst(b->pl, gen, &b->in[at], TG_BURST, b->now_ms, b->out);
		for (i = 0; i < TG_BURST; i++)
			kept += b->out[i].fate != TG_FATE_FORWARD;
	}
	return kept;
}

uint64_t bursts_total(void *ctx)
{
	struct bursts *b = ctx;

	return bursts_run(b, &b->g->gen, bursts_next_slice(b), BURSTS_SLICE);
}

uint64_t bursts_empty_table(void *ctx)
{
	struct bursts *b = ctx;

	return bursts_run(b, &b->unlisted, bursts_next_slice(b), BURSTS_SLICE);
}
