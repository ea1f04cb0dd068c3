/* SPDX-License-Identifier: BSD-3-Clause */
/* Acquire and release as the language has them: the same instructions here, and the thread sanitizer
 * understands them, which it cannot of rings ordered by compiler barriers. */
#define RTE_USE_C11_MEM_MODEL 1

#include "dataplane/run/verify.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_lcore.h>
#include <rte_ring_elem.h>

#include "dataplane/run/stir.h"
#include "dataplane/run/worker.h"

/* Of one worker before the next one's turn. */
#define SERVE_BATCH 8
/* A result is worth something from the second INVITE of a call on: some 20 ms on the shortest trunk. */
#define POLL_NS 2000000

struct question {
	uint64_t key;
	uint32_t len;
	uint8_t value[TG_PASSPORT_VALUE_MAX];
};

static_assert(sizeof(struct question) % 4 == 0 && sizeof(struct tg_verification) == 16,
	      "ring elements are multiples of four bytes");

struct tg_verify_port {
	struct rte_ring *asked;
	struct rte_ring *told;
	/* The worker's: asked and not told yet. As it never exceeds TG_VERIFY_QUEUE, and both rings hold
	 * as many, the verifier always finds room for a result. */
	unsigned n_open;
} TG_ALIGNED(TG_CACHE_LINE);

struct tg_verifier {
	struct tg_stir *stir;
	bool stop;
	bool started;
	pthread_t thread;
	unsigned n_ports;
	struct tg_verify_port port[];
};

/* ---- the worker's side ------------------------------------------------------------------------- */

bool tg_verify_put(struct tg_verify_port *port, const struct tg_unverified *question)
{
	struct question q = { .key = question->key, .len = question->value.len };

	if (port->n_open == TG_VERIFY_QUEUE || q.len > sizeof(q.value))
		return false;
	memcpy(q.value, question->value.data, q.len);
	if (rte_ring_sp_enqueue_elem(port->asked, &q, sizeof(q)) != 0)
		return false;
	port->n_open++;
	return true;
}

bool tg_verify_get(struct tg_verify_port *port, struct tg_verification *result)
{
	if (rte_ring_sc_dequeue_elem(port->told, result, sizeof(*result)) != 0)
		return false;
	port->n_open--;
	return true;
}

void tg_verify_ask(struct tg_verify_port *port, struct tg_pipeline *pl, const struct tg_result *r,
		   uint64_t now_ms, struct tg_stats *stats)
{
	struct tg_unverified question[TG_SIP_MAX_PASSPORTS];
	const unsigned n = tg_pipeline_unverified(pl, r, now_ms, question);
	unsigned i;

	for (i = 0; i < n; i++) {
		if (tg_verify_put(port, &question[i]))
			tg_pipeline_asked(pl, question[i].key, now_ms);
		else
			tg_count(&stats->passports[TG_STIR_UNVERIFIED], 1);
	}
}

bool tg_verify_waits(const struct tg_verify_port *port)
{
	return port->n_open > 0;
}

void tg_verify_collect(struct tg_verify_port *port, struct tg_pipeline *pl, uint64_t now_ms,
		       struct tg_stats *stats)
{
	struct tg_verification v;

	while (tg_verify_get(port, &v)) {
		tg_pipeline_verified(pl, &v, now_ms);
		tg_count(&stats->passports[v.state], 1);
	}
}

/* ---- the thread -------------------------------------------------------------------------------- */

/* A good signature is good for as long as it is fresh (stir.h); then it is asked for again, and stale. */
static uint32_t keep_ms(enum tg_stir_state state, struct tg_span value, uint64_t now)
{
	struct tg_passport p;
	uint64_t left_ms;

	if (state != TG_STIR_VALID || !tg_passport_read(value, &p))
		return TG_VERIFY_KEEP_MS;
	left_ms = (p.iat + TG_STIR_FRESH_SECONDS - now + 1) *
		  1000; /* the second that is now, too */
	return left_ms < TG_VERIFY_KEEP_MS ? (uint32_t)left_ms : TG_VERIFY_KEEP_MS;
}

static bool serve(struct tg_verifier *v, struct tg_verify_port *port)
{
	struct question q;
	unsigned n;

	for (n = 0; n < SERVE_BATCH; n++) {
		struct tg_verification result = { 0 };
		enum tg_stir_state state;
		struct tg_span value;
		uint64_t now;

		if (rte_ring_sc_dequeue_elem(port->asked, &q, sizeof(q)) != 0)
			break;
		now = (uint64_t)time(NULL);
		value = (struct tg_span){ q.value, q.len };
		state = tg_stir_verify(v->stir, value, now);
		result.key = q.key;
		result.state = (uint8_t)state;
		result.for_ms = keep_ms(state, value, now);
		(void)rte_ring_sp_enqueue_elem(port->told, &result,
					       sizeof(result)); /* see n_open */
	}
	return n > 0;
}

void *tg_verifier_run(void *arg)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };
	struct tg_verifier *v = arg;
	bool any;
	unsigned i;

	/* Relaxed: orders nothing, it only has to be seen some time; what still waits then is nobody's. */
	while (!__atomic_load_n(&v->stop, __ATOMIC_RELAXED)) {
		any = false;
		for (i = 0; i < v->n_ports; i++)
			any |= serve(v, &v->port[i]);
		if (!any)
			nanosleep(&pause, NULL);
	}
	return NULL;
}

int tg_verifier_start(struct tg_verifier *v, struct tg_why *why)
{
	const int rc = -rte_ctrl_thread_create(&v->thread, "tg-stir", NULL, tg_verifier_run, v);

	if (rc != 0)
		return tg_why_set(why, rc, "no thread for signatures");
	v->started = true;
	return 0;
}

void tg_verifier_stop(struct tg_verifier *v)
{
	__atomic_store_n(&v->stop, true, __ATOMIC_RELAXED); /* pairs with the load in the loop */
}

/* ---- making it --------------------------------------------------------------------------------- */

/* In plain memory: the rings are small, and tests have no EAL. */
static struct rte_ring *make_ring(const char *name, size_t element)
{
	/* One more than it holds: a ring is full with one place left. */
	const unsigned places = rte_align32pow2(TG_VERIFY_QUEUE + 1);
	const ssize_t size = rte_ring_get_memsize_elem((unsigned)element, places);
	struct rte_ring *r = size > 0 ? aligned_alloc(TG_CACHE_LINE, (size_t)size) : NULL;

	if (r && rte_ring_init(r, name, places, RING_F_SP_ENQ | RING_F_SC_DEQ) != 0) {
		free(r);
		return NULL;
	}
	return r;
}

int tg_verifier_open(struct tg_verifier **out, const char *dir, unsigned n_workers,
		     struct tg_why *why)
{
	const size_t size = sizeof(struct tg_verifier) + n_workers * sizeof(struct tg_verify_port);
	struct tg_verifier *v = aligned_alloc(TG_CACHE_LINE, size);
	unsigned i;
	int rc;

	if (!v)
		return tg_why_set(why, -ENOMEM, "out of memory");
	memset(v, 0, size);
	v->n_ports = n_workers;
	rc = tg_stir_open(dir, &v->stir, why);
	for (i = 0; i < n_workers && rc == 0; i++) {
		v->port[i].asked = make_ring("tg_verify_asked", sizeof(struct question));
		v->port[i].told = make_ring("tg_verify_told", sizeof(struct tg_verification));
		if (!v->port[i].asked || !v->port[i].told)
			rc = tg_why_set(why, -ENOMEM, "no memory for rings of PASSporTs");
	}
	if (rc != 0) {
		tg_verifier_close(v);
		return rc;
	}
	*out = v;
	return 0;
}

void tg_verifier_close(struct tg_verifier *v)
{
	unsigned i;

	if (!v)
		return;
	tg_verifier_stop(v);
	if (v->started)
		pthread_join(v->thread, NULL);
	for (i = 0; i < v->n_ports; i++) {
		free(v->port[i].asked);
		free(v->port[i].told);
	}
	tg_stir_close(v->stir);
	free(v);
}

struct tg_verify_port *tg_verifier_port(struct tg_verifier *v, unsigned i)
{
	return v ? &v->port[i] : NULL;
}
