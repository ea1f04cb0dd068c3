/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Readers look numbers up in the generation in force while a publisher swaps it as fast as it can.
 * Under the thread sanitizer: no access to a generation races with its making or its freeing. In any
 * build: a reader that has loaded a generation finds exactly what that generation lists.
 */
#include <pthread.h>
#include <stdio.h>

#include "dataplane/run/swap.h"
#include "tests/support/sealed.h"

#define READERS 3
#define GENERATIONS 300

static const uint64_t listed_in_odd = 12025550123, listed_in_even = 12025550124;

struct reader {
	struct tg_swap *swap;
	const bool *quit;
	uint32_t index;
	uint64_t rounds;
	uint64_t generations; /* seen */
	uint64_t wrong;
	pthread_t thread;
};

static void look(struct reader *r, const struct tg_generation *gen)
{
	const struct tg_num nums[2] = { tg_num_make(TG_NUM_E164, 11, listed_in_odd),
					tg_num_make(TG_NUM_E164, 11, listed_in_even) };
	struct tg_table_adapt adapt = { 0 };
	uint32_t listing[2];

	tg_table_lookup_burst(&gen->base, gen->has_delta ? &gen->delta : NULL, &adapt, nums, 2,
			      listing);
	r->wrong += (listing[0] != 0) != (gen->number % 2 == 1);
	r->wrong += (listing[1] != 0) != (gen->number % 2 == 0);
	r->wrong += gen->policy.n_trunks == 0;
}

static void *read_on(void *arg)
{
	struct reader *r = arg;
	uint64_t last = 0;

	tg_swap_join(r->swap, r->index);
	while (!__atomic_load_n(r->quit, __ATOMIC_RELAXED)) {
		const struct tg_generation *gen = tg_swap_current(r->swap);

		if (gen) {
			look(r, gen);
			r->wrong += gen->number < last; /* never back to an older one */
			r->generations += gen->number != last;
			last = gen->number;
		}
		r->rounds++;
		tg_swap_quiescent(r->swap, r->index);
	}
	tg_swap_leave(r->swap, r->index);
	return NULL;
}

/* Odd and even generations differ in their base; the policy of the first one stays throughout. */
static int publish(struct tg_swap *swap, uint64_t number, const int base[2], int policy,
		   const uint64_t length[2], uint64_t policy_length)
{
	struct tg_ctl_publish msg = { .generation = number,
				      .parts = TG_CTL_PART_BASE,
				      .length = { length[number % 2], policy_length } };
	const int fds[2] = { base[number % 2], policy };
	struct tg_ctl_ack ack;

	if (number == 1)
		msg.parts |= TG_CTL_PART_POLICY;
	tg_swap_apply(swap, &msg, fds, number == 1 ? 2 : 1, &ack);
	if (ack.status != 0)
		fprintf(stderr, "generation %u: %s\n", (unsigned)number, ack.text);
	return ack.status;
}

static int swap_on(struct tg_swap *swap)
{
	const struct tg_sealed_image image[2] = { tg_sealed_table(0, &listed_in_even, 1),
						  tg_sealed_table(0, &listed_in_odd, 1) };
	const struct tg_sealed_image policy = tg_sealed_policy(NULL);
	const int base[2] = { tg_sealed_memfd(&image[0], 0, TG_SEALED_ALL),
			      tg_sealed_memfd(&image[1], 0, TG_SEALED_ALL) };
	const int policy_fd = tg_sealed_memfd(&policy, 0, TG_SEALED_ALL);
	const uint64_t length[2] = { image[0].length, image[1].length };
	uint64_t number;
	int rc = 0;

	for (number = 1; rc == 0 && number <= GENERATIONS; number++)
		rc = publish(swap, number, base, policy_fd, length, policy.length);
	close(base[0]);
	close(base[1]);
	close(policy_fd);
	free(image[0].bytes);
	free(image[1].bytes);
	free(policy.bytes);
	return rc;
}

/* A third party, as telemetry is: looks at what is in force under the lock. */
static void show(void *ctx, const struct tg_held *held)
{
	uint64_t *sum = ctx;

	if (held)
		*sum += held->gen.number + held->gen.policy.n_trunks;
}

struct onlooker {
	struct tg_swap *swap;
	const bool *quit;
	uint64_t sum;
};

static void *look_on(void *arg)
{
	struct onlooker *o = arg;

	while (!__atomic_load_n(o->quit, __ATOMIC_RELAXED)) {
		const struct timespec pause = { .tv_nsec = 200000 };

		tg_swap_info(o->swap, show, &o->sum);
		nanosleep(&pause, NULL);
	}
	return NULL;
}

int main(void)
{
	struct reader reader[READERS] = { 0 };
	struct onlooker onlooker;
	struct tg_swap swap;
	pthread_t onlooker_thread;
	bool quit = false;
	uint64_t wrong = 0;
	unsigned i;
	int rc;

	tg_sealed_must(tg_swap_init(&swap, READERS) == 0, "tg_swap_init");
	swap.timeout_ns = 60ull * 1000000000; /* the sanitizer on two cores is slow */
	onlooker = (struct onlooker){ &swap, &quit, 0 };
	pthread_create(&onlooker_thread, NULL, look_on, &onlooker);
	for (i = 0; i < READERS; i++) {
		reader[i] = (struct reader){ .swap = &swap, .quit = &quit, .index = i };
		pthread_create(&reader[i].thread, NULL, read_on, &reader[i]);
	}
	rc = swap_on(&swap);
	__atomic_store_n(&quit, true, __ATOMIC_RELAXED);
	for (i = 0; i < READERS; i++) {
		pthread_join(reader[i].thread, NULL);
		wrong += reader[i].wrong;
		printf("reader %u: %llu rounds, %llu generations\n", i,
		       (unsigned long long)reader[i].rounds,
		       (unsigned long long)reader[i].generations);
		rc |= reader[i].generations == 0;
	}
	pthread_join(onlooker_thread, NULL);
	tg_swap_fini(&swap);
	printf("%d generations, %llu wrong\n", GENERATIONS, (unsigned long long)wrong);
	return rc != 0 || wrong != 0;
}
