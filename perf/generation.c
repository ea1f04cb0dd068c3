/* SPDX-License-Identifier: BSD-3-Clause */
#include "perf/generation.h"

#include "control/build.h"
#include "control/policy_file.h"
#include "perf/doc.h"

/* The numbers of those who are not listed begin there, behind every table's. */
#define UNLISTED (1ull << 32)
#define CALLED (1ull << 40)

static const char policy_text[] = "version: 1\n"
				  "trunks:\n"
				  "  - name: outside\n"
				  "    port: 0\n"
				  "    mode: enforce\n"
				  "    answers_per_second: 1000000\n"
				  "    sink: '+999000000000000'\n"
				  "answers:\n"
				  "  - name: decline\n"
				  "    code: 603\n"
				  "    phrase: Decline\n"
				  "    reason: 'Q.850;cause=21;text=\"Call rejected\"'\n"
				  "rules:\n"
				  "  - name: block-listed\n"
				  "    when:\n"
				  "      role: [caller]\n"
				  "      category: [fraud, scam]\n"
				  "      score: { min: 80 }\n"
				  "    action: reject\n"
				  "    answer: decline\n";

static void make_base(struct generation *g, uint64_t n_entries)
{
	struct tg_build_input in = { .kind = TG_IMAGE_BASE, .n_numbers = n_entries };
	const uint32_t listing = tg_listing_make(tg_listing_slot(TG_CATEGORY_FRAUD, 95), 0);
	struct tg_image_error image_err;
	struct tg_build_number *numbers;
	struct tg_build *build;
	struct tg_error err;
	uint64_t id, i;
	double start;

	numbers = malloc((n_entries + 1) * sizeof(*numbers));
	if (!numbers)
		doc_give_up("memory", "none for the list");
	for (i = 0; i < n_entries; i++)
		numbers[i] = (struct tg_build_number){ bench_number(i), listing, 0 };
	in.numbers = numbers;
	start = bench_now_ns();
	if (tg_build_plan(&in, &build, &g->base_length, &err) != 0)
		doc_give_up("plan", err.text);
	g->base = bench_alloc(g->base_length, &g->pages);
	if (tg_build_write(build, g->base, &id, &err) != 0)
		doc_give_up("build", err.text);
	g->build_s = (bench_now_ns() - start) / 1e9;
	tg_build_free(build);
	free(numbers);
	if (tg_table_open(&g->gen.base, g->base, g->base_length, TG_IMAGE_BASE, &image_err) != 0)
		doc_give_up("open", tg_image_error_text(image_err.code));
}

void generation_make(struct generation *g, uint64_t n_entries)
{
	struct tg_image_error image_err;
	struct tg_error err;

	memset(g, 0, sizeof(*g));
	make_base(g, n_entries);
	if (tg_policy_compile(policy_text, strlen(policy_text), &g->policy, &g->policy_length,
			      &err) != 0)
		doc_give_up("policy", err.text);
	if (tg_policy_open(&g->gen.policy, g->policy, g->policy_length, &image_err) != 0)
		doc_give_up("policy", tg_image_error_text(image_err.code));
	g->gen.number = 1;
	g->gen.hash = tg_generation_hash(&g->gen);
}

void generation_free(struct generation *g)
{
	bench_free(g->base, g->base_length);
	free(g->policy);
}

/* 61 has no factor in common with 100: every 100 serials hold exactly `percent` of the listed,
 * but not next to each other. */
static bool is_listed(uint64_t n_entries, unsigned percent, uint64_t serial)
{
	return n_entries > 0 && serial * 61 % 100 < percent;
}

uint64_t generation_caller(uint64_t n_entries, unsigned percent, uint64_t serial)
{
	uint64_t seed = serial * 2 + 1;

	if (!is_listed(n_entries, percent, serial))
		return bench_number(UNLISTED + serial);
	(void)bench_random(&seed);
	return bench_number(bench_random(&seed) % n_entries);
}

uint64_t generation_called(uint64_t serial)
{

	return bench_number(CALLED + serial);
}

/* Message `at` of all. The messages of one call follow each other: which call they are of makes no difference. */
static struct traffic_ss7_message ss7_message(uint64_t n_entries, const struct generation_ss7 *mix,
					      uint64_t at)
{
	static const enum traffic_ss7_kind kind[] = { TRAFFIC_IAM_USUAL, TRAFFIC_ACM, TRAFFIC_ANM,
						      TRAFFIC_REL, TRAFFIC_RLC };
	const unsigned every = mix->iams == 100 ? 1 : TG_ARRAY_LEN(kind);
	const uint64_t serial = at / every;

	return (struct traffic_ss7_message){
		kind[at % every],
		{ generation_caller(n_entries, mix->listed, serial), generation_called(serial),
		  serial },
	};
}

unsigned generation_ss7_frame(uint8_t *out, uint64_t n_entries, const struct generation_ss7 *mix,
			      uint64_t serial, bool *listed)
{
	struct traffic_ss7_message m[TRAFFIC_SS7_BUNDLE_MAX];
	unsigned i;

	*listed = false;
	for (i = 0; i < mix->bundle; i++) {
		m[i] = ss7_message(n_entries, mix, serial * mix->bundle + i);
		*listed |= m[i].kind == TRAFFIC_IAM_USUAL &&
			   is_listed(n_entries, mix->listed, m[i].call.serial);
	}
	return traffic_ss7_frame(out, m, mix->bundle, serial);
}
