/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Workers ask about more PASSporTs than their queues hold, while one thread verifies. Under the thread
 * sanitizer: nothing of a question or a result races. In any build: each question that was taken has exactly
 * one answer, under its own key and to its own worker, and what found no room has none.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/run/verify.h"

#define WORKERS 2
#define QUESTIONS 4000

struct asker {
	struct tg_verify_port *port;
	uint64_t first; /* its keys begin here */
	unsigned taken;
	unsigned refused;
	unsigned answered;
	unsigned wrong;
	uint8_t asked[QUESTIONS]; /* 1: waits, 2: answered */
	pthread_t thread;
};

static void collect(struct asker *a)
{
	struct tg_verification v;

	while (tg_verify_get(a->port, &v)) {
		const uint64_t i = v.key - a->first;

		a->wrong += i >= QUESTIONS || a->asked[i] != 1 || v.state != TG_STIR_UNSUPPORTED ||
			    v.for_ms != TG_VERIFY_KEEP_MS;
		if (i < QUESTIONS)
			a->asked[i] = 2;
		a->answered++;
	}
}

static void *ask_on(void *arg)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	struct asker *a = arg;
	unsigned i;

	for (i = 0; i < QUESTIONS; i++) {
		char value[TG_PASSPORT_VALUE_MAX];
		struct tg_unverified q = { .key = a->first + i };

		memset(value, 'a' + (int)(i % 26), sizeof(value));
		q.value = (struct tg_span){ (const uint8_t *)value, i % sizeof(value) + 1 };
		if (tg_verify_put(a->port, &q)) {
			a->taken++;
			a->asked[i] = 1;
		} else {
			a->refused++;
			nanosleep(&pause, NULL);
		}
		collect(a);
	}
	for (i = 0; i < 60000 && tg_verify_waits(a->port); i++) {
		nanosleep(&pause, NULL);
		collect(a);
	}
	a->wrong += a->answered != a->taken || tg_verify_waits(a->port);
	return NULL;
}

int main(void)
{
	static struct asker asker[WORKERS];
	char dir[] = "/tmp/tg-verify-XXXXXX", trust[64];
	struct tg_verifier *verifier;
	struct tg_why why = { "" };
	pthread_t thread;
	unsigned i, wrong = 0;

	if (!mkdtemp(dir))
		return EXIT_FAILURE;
	snprintf(trust, sizeof(trust), "%s/trust", dir);
	if (mkdir(trust, 0755) != 0 || tg_verifier_open(&verifier, dir, WORKERS, &why) != 0) {
		fprintf(stderr, "%s: %s\n", dir, why.text);
		return EXIT_FAILURE;
	}
	for (i = 0; i < WORKERS; i++) {
		asker[i].port = tg_verifier_port(verifier, i);
		asker[i].first = (uint64_t)(i + 1) * 1000000;
		pthread_create(&asker[i].thread, NULL, ask_on, &asker[i]);
	}
	/* The first questions find nobody at work: queues fill. */
	pthread_create(&thread, NULL, tg_verifier_run, verifier);
	for (i = 0; i < WORKERS; i++) {
		pthread_join(asker[i].thread, NULL);
		wrong += asker[i].wrong;
		printf("worker %u: %u asked, %u found no room, %u answered\n", i, asker[i].taken,
		       asker[i].refused, asker[i].answered);
	}
	tg_verifier_stop(verifier);
	pthread_join(thread, NULL);
	tg_verifier_close(verifier);
	rmdir(trust);
	rmdir(dir);
	if (wrong)
		fprintf(stderr, "%u answers were wrong\n", wrong);
	return wrong ? EXIT_FAILURE : EXIT_SUCCESS;
}
