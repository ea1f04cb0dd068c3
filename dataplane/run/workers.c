/* SPDX-License-Identifier: BSD-3-Clause */
/* Making workers: their memory, what each polls, the rings between them. The loop is worker.c's. */
#include "dataplane/run/worker.h"

#include <errno.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_lcore.h>
#include <rte_malloc.h>

#include "dataplane/run/log.h"

static unsigned count_units(const struct tg_ports *ports)
{
	unsigned i, n = 0;

	for (i = 0; i < ports->n_pairs; i++)
		n += ports->pair[i].n_queues;
	return n;
}

static bool all_virtual(const struct tg_worker *w)
{
	unsigned i;

	for (i = 0; i < w->n_units; i++) {
		if (w->unit[i].port[0]->hardware || w->unit[i].port[1]->hardware)
			return false;
	}
	return true;
}

static void set_idle(struct tg_worker *w, const struct tg_config *config)
{
	if (config->idle_us != TG_CONFIG_IDLE_AUTO)
		w->idle_us = (unsigned)config->idle_us;
	else
		w->idle_us = all_virtual(w) ? TG_CONFIG_IDLE_AUTO_US : 0;
}

static struct tg_worker *make_worker(const struct tg_config *config, unsigned index, unsigned lcore,
				     struct tg_why *why)
{
	struct tg_pipeline_config pc = { .memory_entries = config->memory_entries,
					 .cap_entries = TG_PIPELINE_CAP_DEFAULT,
					 .verified_entries = config->stir[0]
								     ? TG_PIPELINE_VERIFIED_DEFAULT
								     : 0 };
	const int socket = (int)rte_lcore_to_socket_id(lcore);
	struct tg_worker *w = rte_zmalloc_socket("tg_worker", sizeof(*w), TG_CACHE_LINE, socket);
	void *memory = rte_malloc_socket("tg_pipeline", tg_pipeline_size(&pc), TG_CACHE_LINE,
					 socket);

	memcpy(pc.key, config->key, sizeof(pc.key));
	if (!w || !memory) {
		rte_free(w);
		rte_free(memory);
		(void)tg_why_set(
			why, -ENOMEM,
			"no memory for worker %u: %zu MB (less with --memory, more with -m)", index,
			(sizeof(*w) + tg_pipeline_size(&pc)) >> 20);
		return NULL;
	}
	w->index = index;
	w->lcore = lcore;
	w->pipeline = tg_pipeline_init(memory, &pc);
	w->tsc_hz = rte_get_tsc_hz();
	w->tsc_per_ms = w->tsc_hz / 1000;
	w->ns_per_cycle = (uint64_t)((double)(1ull << 32) * 1e9 / (double)w->tsc_hz);
	return w;
}

/* Queue by queue over the workers, so that a pair's queues lie on different cores. */
static int spread_units(struct tg_workers *workers, const struct tg_ports *ports,
			struct tg_why *why)
{
	unsigned i, unit = 0;
	uint16_t q;

	for (i = 0; i < ports->n_pairs; i++) {
		for (q = 0; q < ports->pair[i].n_queues; q++, unit++) {
			struct tg_worker *w = workers->worker[unit % workers->n];

			if (w->n_units == TG_WORKER_MAX_UNITS)
				return tg_why_set(
					why, -EINVAL,
					"more than %d queues a worker: give more cores (-l)",
					TG_WORKER_MAX_UNITS);
			w->unit[w->n_units++] = (struct tg_unit){
				.port = { &ports->pair[i].port[0], &ports->pair[i].port[1] },
				.queue = q,
				.pair = (uint16_t)i,
			};
		}
	}
	return 0;
}

/* Who has queues of a pair, ascending: so pairs of which everybody has one agree on whose an association is. */
static void find_owners(const struct tg_workers *workers, unsigned pair, struct tg_dispatch_pair *p)
{
	unsigned i, u;

	p->n = 0;
	for (i = 0; i < workers->n; i++) {
		const struct tg_worker *w = workers->worker[i];

		for (u = 0; u < w->n_units && w->unit[u].pair != pair; u++)
			;
		if (u < w->n_units)
			p->owner[p->n++] = (struct tg_dispatch_owner){ (uint16_t)i, (uint16_t)u };
	}
}

static int connect_workers(struct tg_workers *workers, unsigned n_pairs, struct tg_why *why)
{
	struct tg_dispatch_pair pair[TG_CONFIG_MAX_PAIRS];
	unsigned i, u, side;

	for (i = 0; i < n_pairs; i++)
		find_owners(workers, i, &pair[i]);
	if (tg_dispatch_open(&workers->dispatch, workers->n, pair, n_pairs, rte_get_tsc_hz()) != 0)
		return tg_why_set(why, -ENOMEM, "no memory for rings between workers");
	for (i = 0; i < workers->n; i++) {
		struct tg_worker *w = workers->worker[i];

		w->dispatch = workers->dispatch;
		w->inbox = tg_dispatch_inboxes(w->dispatch, i, &w->n_inboxes);
		for (u = 0; u < w->n_units; u++) {
			for (side = 0; side < 2; side++)
				w->unit[u].route[side] = tg_dispatch_route(w->dispatch, i,
									   w->unit[u].pair, side);
		}
	}
	return 0;
}

/* Every queue that the XDP program may hand us frames from has a line that only its worker writes. */
static void find_lines(struct tg_workers *workers, const struct tg_beats *beats)
{
	unsigned i, u, side;

	for (i = 0; i < workers->n; i++) {
		struct tg_worker *w = workers->worker[i];

		for (u = 0; u < w->n_units; u++) {
			for (side = 0; side < 2; side++) {
				const struct tg_port *port = w->unit[u].port[side];
				struct tg_steer_heartbeat *line = tg_beats_line(
					beats, port->ifindex, port->first_queue + w->unit[u].queue);

				if (line)
					w->line[w->n_lines++] = line;
			}
		}
		w->beats = beats;
		w->pulse.limit_ns = w->n_lines ? tg_beats_limit(beats) : 0;
	}
}

/* The main lcore first: it would spin in rte_eal_wait_lcore if it had no work. */
static int make_workers(struct tg_workers *workers, const struct tg_config *config, unsigned n,
			struct tg_why *why)
{
	unsigned lcore = rte_get_main_lcore();

	while (workers->n < n) {
		struct tg_worker *w = make_worker(config, workers->n, lcore, why);

		if (!w)
			return -ENOMEM;
		workers->worker[workers->n] = w;
		lcore = rte_get_next_lcore(workers->n ? lcore : UINT_MAX, 1, 0);
		workers->n++;
	}
	return 0;
}

int tg_workers_open(struct tg_workers *workers, const struct tg_config *config,
		    const struct tg_ports *ports, const struct tg_beats *beats, struct tg_why *why)
{
	const unsigned n_lcores = rte_lcore_count(), n_units = count_units(ports);
	const unsigned n = RTE_MIN(n_lcores, n_units);
	unsigned i;
	int rc;

	memset(workers, 0, sizeof(*workers));
	if (n == 0)
		return tg_why_set(why, -EINVAL, "no cores, or no queues");
	rc = make_workers(workers, config, n, why);
	if (rc == 0)
		rc = spread_units(workers, ports, why);
	if (rc == 0)
		rc = connect_workers(workers, ports->n_pairs, why);
	if (rc != 0) {
		tg_workers_close(workers);
		return rc;
	}
	find_lines(workers, beats);
	for (i = 0; i < n; i++)
		set_idle(workers->worker[i], config);
	if (n < n_lcores)
		tg_log(RTE_LOG_NOTICE,
		       "%u of %u lcores have work: as many as there are pairs times queues", n,
		       n_lcores);
	return 0;
}

void tg_workers_close(struct tg_workers *workers)
{
	unsigned i;

	tg_dispatch_close(workers->dispatch);
	for (i = 0; i < workers->n; i++) {
		rte_free(workers->worker[i]->pipeline);
		rte_free(workers->worker[i]);
	}
	memset(workers, 0, sizeof(*workers));
}

void tg_workers_sum(const struct tg_workers *workers, struct tg_stats *sum)
{
	unsigned i;

	memset(sum, 0, sizeof(*sum));
	for (i = 0; i < workers->n; i++)
		tg_stats_add(sum, &workers->worker[i]->stats);
}
