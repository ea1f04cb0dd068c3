/* SPDX-License-Identifier: BSD-3-Clause */
/* Where calls over SS7 stand in the tables: by what others choose, and a secret. */
#include <sodium/crypto_shorthash.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/pipeline/ss7.h"
#include "dataplane/sig/siphash.h"
#include "tests/support/tg_test.h"
#include "tollgate/siphash.h"

#define CALLS 1024
#define BUCKETS_SHIFT 54 /* as many buckets as calls */

/* A pipeline of which only what makes keys is set. */
static struct tg_pipeline *make(uint8_t secret)
{
	const struct tg_pipeline_config config = {
		.memory_entries = 4096,
		.cap_entries = 64,
		.key = { secret },
	};
	const size_t size = tg_pipeline_size(&config);
	void *block = aligned_alloc(TG_CACHE_LINE, (size + TG_CACHE_LINE - 1) & ~63ull);

	assert_non_null(block);
	return tg_pipeline_init(block, &config);
}

/* The keys of IAMs that differ by so much in their TSNs and in their callers. */
static void keys_of(struct tg_pipeline *pl, uint32_t tsn_step, uint64_t number_step,
		    uint64_t transaction[CALLS], uint64_t call[CALLS])
{
	static struct tg_result out[1];
	const struct tg_burst_state b = { .pl = pl, .out = out, .n = 1 };
	unsigned i;

	out[0].association = 0x0123456789abcdefull;
	memset(pl->message, 0, sizeof(pl->message));
	for (i = 0; i < CALLS; i++) {
		struct tg_ss7_message *const s = &pl->ss7[i];
		struct tg_identity *const id = s->ss7.isup.sig.id;

		s->ss7.isup.type = TG_ISUP_IAM;
		s->ss7.isup.sig.n_ids = 2;
		id[0].num = tg_num_make(TG_NUM_E164, 12, 100000000000 + number_step * i);
		id[1].num = tg_num_make(TG_NUM_E164, 12, 200000000000);
		s->place.only.tsn = 4000000000u + tsn_step * i;
		s->place.part = &s->place.only;
		s->route = 0xfedcba9876543210ull;
		pl->message[i].ss7 = s;
		pl->message[i].sig = &s->ss7.isup.sig;
		pl->message[i].isup = &s->ss7.isup;
	}
	pl->n_messages = CALLS;
	tg_ss7_keys_burst(&b);
	for (i = 0; i < CALLS; i++) {
		transaction[i] = pl->message[i].key.key;
		call[i] = pl->message[i].call.key;
		assert_true(pl->message[i].has_key);
	}
}

static int by_value(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/*
 * 1,024 keys in 1,024 buckets: one in which there are ten comes of chance in one of ten thousand such throws. And no
 * distance between neighbours comes twice: of a product all would be the same, give or take one.
 */
static void expect_spread(const uint64_t key[CALLS])
{
	uint64_t distance[CALLS - 1];
	uint8_t load[CALLS] = { 0 };
	unsigned i;

	for (i = 0; i < CALLS; i++)
		assert_true(++load[key[i] >> BUCKETS_SHIFT] < 10);
	for (i = 0; i + 1 < CALLS; i++)
		distance[i] = key[i + 1] - key[i];
	qsort(distance, CALLS - 1, sizeof(distance[0]), by_value);
	for (i = 0; i + 2 < CALLS; i++)
		assert_true(distance[i + 1] - distance[i] > 2);
}

TG_TEST(OP_11_keys_over_ss7_are_spread_whatever_the_words, TG_NEEDS_NOTHING)
{
	static const uint32_t tsn[] = { 1, 2, 255, 256, 65535, 65536, 1u << 22, ~0u };
	static const uint64_t number[] = { 1, 10, 256, 65535, 65537, 1000000, 16777216, 80000000 };
	static uint64_t transaction[CALLS], call[CALLS];
	struct tg_pipeline *pl = make(1);
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(tsn); i++) {
		keys_of(pl, tsn[i], number[i], transaction, call);
		expect_spread(transaction);
		expect_spread(call);
	}
	free(pl);
}

/* The same calls under another key: what is known of one box says nothing of another. */
TG_TEST(OP_11_keys_over_ss7_follow_the_secret, TG_NEEDS_NOTHING)
{
	static uint64_t transaction[2][CALLS], call[2][CALLS];
	unsigned same = 0, i, k;

	for (k = 0; k < 2; k++) {
		struct tg_pipeline *pl = make((uint8_t)(k + 1));

		keys_of(pl, 1, 1, transaction[k], call[k]);
		free(pl);
	}
	/* One of each is to be expected. */
	for (i = 0; i < CALLS; i++) {
		same += (transaction[0][i] ^ transaction[1][i]) >> BUCKETS_SHIFT == 0;
		same += (call[0][i] ^ call[1][i]) >> BUCKETS_SHIFT == 0;
	}
	assert_true(same < 16);
}

TG_TEST(siphash_of_words_is_siphash, TG_NEEDS_NOTHING)
{
	static uint64_t word[TG_SIPHASH_WORDS_MAX][TG_SIPHASH_LANES];
	const uint8_t key[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	uint64_t text[TG_SIPHASH_WORDS_MAX], want, got[2][TG_SIPHASH_LANES];
	unsigned n_words, n, i, k;

	for (i = 0; i < TG_SIPHASH_WORDS_MAX; i++)
		for (k = 0; k < TG_SIPHASH_LANES; k++)
			word[i][k] = (i * 8 + k + 1) * 0x9e3779b97f4a7c15ull;
	for (n_words = 0; n_words <= TG_SIPHASH_WORDS_MAX; n_words++)
		for (n = 1; n <= TG_SIPHASH_LANES; n++) {
			tg_siphash_words(key, word, n_words, n, got[0]);
			tg_siphash_words_portable(key, word, n_words, n, got[1]);
			for (i = 0; i < n; i++) {
				for (k = 0; k < n_words; k++)
					text[k] = word[k][i];
				crypto_shorthash((unsigned char *)&want, (unsigned char *)text,
						 n_words * sizeof(text[0]), key);
				assert_true(got[0][i] == want && got[1][i] == want);
			}
		}
}
