/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Workers hand each other SCTP packets, as tollgate-dp's do, and leave when all of them are done. Under the
 * thread sanitizer: nothing of a frame races on its way. In any build: every frame is judged once; as long as no
 * ring is full, all packets of an association are judged by one worker, those of each of its paths in order.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/run/dispatch.h"
#include "tollgate/load.h"

#define WORKERS 3
#define ASSOCIATIONS 63
#define PATHS 2
#define PATHS_HERE (ASSOCIATIONS * PATHS / WORKERS) /* that come in at one worker */
#define FRAMES 20000				    /* that each worker receives */
#define FRAME_LEN (14 + 20 + 12 + 4)
#define TSC_HZ 1000000000ull

/* In a packet, behind SCTP's header. */
struct mark {
	uint16_t path; /* of all paths of all associations */
	uint16_t number;
};

struct frame {
	struct rte_mbuf mbuf;
	uint8_t bytes[64];
	uint8_t judged;
};

struct worker {
	unsigned index;
	bool paced;
	struct frame *frame;
	unsigned received, handed_on, refused, judged, wrong;
	uint16_t sent[ASSOCIATIONS * PATHS]; /* numbers given to the paths that come in here */
	uint16_t seen[ASSOCIATIONS * PATHS];
	pthread_t thread;
};

static struct tg_dispatch *dispatch;
static struct worker worker[WORKERS];
static struct frame *frames;
/* Index + 1 of the worker that judges an association. */
static unsigned judge_of[ASSOCIATIONS];

/* The next packet that worker w receives: path p of an association comes in at worker p % WORKERS. */
static struct rte_mbuf *receive(struct worker *w)
{
	static const uint8_t header[] = { 0x08, 0, 0x45, 0, 0, 36, 0, 0, 0, 0, 64, 132 };
	struct frame *f = &w->frame[w->received];
	const unsigned path = w->received % PATHS_HERE * WORKERS + w->index;
	const struct mark mark = { (uint16_t)path, w->sent[path]++ };

	memcpy(f->bytes + 12, header, sizeof(header));
	tg_store_be16(f->bytes + 34, 2905);
	tg_store_be16(f->bytes + 36, 2905);
	tg_store_be32(f->bytes + 38, 0x1000 + path / PATHS);
	memcpy(f->bytes + 46, &mark, sizeof(mark));
	f->mbuf.buf_addr = f->bytes;
	f->mbuf.data_len = FRAME_LEN;
	w->received++;
	return &f->mbuf;
}

static void judge(struct worker *w, struct rte_mbuf *m, bool own)
{
	struct frame *f = (struct frame *)m;
	struct mark mark;
	unsigned before;

	memcpy(&mark, f->bytes + 46, sizeof(mark));
	w->wrong += f->judged++ != 0;
	w->judged++;
	if (!own)
		return;
	before = __atomic_exchange_n(&judge_of[mark.path / PATHS], w->index + 1, __ATOMIC_RELAXED);
	w->wrong += before != 0 && before != w->index + 1;
	w->wrong += w->paced && mark.number != w->seen[mark.path]++;
}

static bool take(struct worker *w, uint64_t now)
{
	const struct tg_dispatch_inbox *inbox;
	struct rte_mbuf *burst[TG_BURST];
	bool any = false;
	unsigned n_inboxes, n, i, k;
	uint64_t waited;

	tg_dispatch_round(dispatch, w->index, now);
	inbox = tg_dispatch_inboxes(dispatch, w->index, &n_inboxes);
	for (i = 0; i < n_inboxes; i++) {
		n = tg_dispatch_take(&inbox[i], burst, now, &waited);
		for (k = 0; k < n; k++)
			judge(w, burst[k], true);
		any |= n > 0;
	}
	return any;
}

static void *run(void *arg)
{
	struct worker *w = arg;
	struct rte_mbuf *burst[TG_BURST];
	struct tg_dispatch_route *const route = tg_dispatch_route(dispatch, w->index, 0, 0);
	uint64_t now = 1;
	unsigned n, kept, refused, i;
	bool all_done;

	for (; w->received < FRAMES; now++) {
		if (!take(w, now))
			sched_yield();
		if (w->paced && tg_dispatch_waits(dispatch, w->index))
			continue;
		for (n = 0; n < TG_BURST && w->received < FRAMES; n++)
			burst[n] = receive(w);
		kept = tg_dispatch_burst(route, burst, n, now, &refused);
		w->handed_on += n - kept;
		w->refused += refused;
		for (i = 0; i < kept; i++)
			judge(w, burst[i], refused == 0);
	}
	tg_dispatch_done(dispatch);
	do {
		all_done = tg_dispatch_all_done(dispatch);
		n = take(w, now);
		if (!n)
			sched_yield();
	} while (n || !all_done);
	return NULL;
}

static unsigned run_all(bool paced)
{
	struct tg_dispatch_pair pair = { .n = WORKERS };
	unsigned i, judged = 0, wrong = 0;

	memset(frames, 0, WORKERS * FRAMES * sizeof(*frames));
	memset(judge_of, 0, sizeof(judge_of));
	for (i = 0; i < WORKERS; i++)
		pair.owner[i] = (struct tg_dispatch_owner){ (uint16_t)i, 0 };
	if (tg_dispatch_open(&dispatch, WORKERS, &pair, 1, TSC_HZ) != 0)
		return 1;
	for (i = 0; i < WORKERS; i++) {
		worker[i] = (struct worker){ .index = i,
					     .paced = paced,
					     .frame = frames + (size_t)i * FRAMES };
		pthread_create(&worker[i].thread, NULL, run, &worker[i]);
	}
	for (i = 0; i < WORKERS; i++) {
		pthread_join(worker[i].thread, NULL);
		judged += worker[i].judged;
		wrong += worker[i].wrong + (paced && worker[i].refused > 0) +
			 (worker[i].handed_on == 0);
		printf("worker %u: %u received, %u handed on, %u found no room, %u judged\n", i,
		       worker[i].received, worker[i].handed_on, worker[i].refused,
		       worker[i].judged);
	}
	tg_dispatch_close(dispatch);
	for (i = 0; i < WORKERS * FRAMES; i++)
		wrong += frames[i].judged != 1;
	return wrong + (judged != WORKERS * FRAMES);
}

int main(void)
{
	unsigned wrong;

	frames = aligned_alloc(TG_CACHE_LINE, WORKERS * FRAMES * sizeof(*frames));
	if (!frames)
		return EXIT_FAILURE;
	wrong = run_all(true) + run_all(false);
	free(frames);
	if (wrong)
		fprintf(stderr, "%u things went wrong\n", wrong);
	return wrong ? EXIT_FAILURE : EXIT_SUCCESS;
}
