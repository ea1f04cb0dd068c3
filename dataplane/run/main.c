/* SPDX-License-Identifier: BSD-3-Clause */
/* tollgate-dp: arguments, EAL, start, wait. No logic. */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>

#include "dataplane/run/beat.h"
#include "dataplane/run/config.h"
#include "dataplane/run/ctl.h"
#include "dataplane/run/events.h"
#include "dataplane/run/lastgood.h"
#include "dataplane/run/link.h"
#include "dataplane/run/log.h"
#include "dataplane/run/port.h"
#include "dataplane/run/swap.h"
#include "dataplane/run/telemetry.h"
#include "dataplane/run/verify.h"
#include "dataplane/run/worker.h"

#define EXIT_USAGE 2

static bool quit; /* set by signals, read by workers */

struct program {
	struct tg_config config;
	struct tg_beats beats;
	struct tg_ports ports;
	struct tg_workers workers;
	struct tg_swap swap;
	struct tg_events *events;
	struct tg_verifier *verifier;
	struct tg_links links;
	struct tg_ctl_server ctl;
	struct tg_telemetry telemetry;
	pthread_t ctl_thread;
};

static void on_signal(int sig)
{
	(void)sig;
	/* Relaxed: orders nothing; pairs with the workers' relaxed load. Lock-free, hence allowed in
	 * a signal handler. */
	__atomic_store_n(&quit, true, __ATOMIC_RELAXED);
}

static void catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	signal(SIGPIPE, SIG_IGN); /* a reader of events that has gone is a write error */
}

static void sum_stats(void *ctx, struct tg_stats *sum)
{
	const struct program *p = ctx;

	tg_workers_sum(&p->workers, sum);
	sum->events_dropped += tg_events_lost(p->events);
	tg_links_sum(&p->links, sum);
}

/* The last good images, before the first frame. Without them everything passes, as no_generation. */
static void load_images(struct program *p)
{
	struct tg_held *held;
	struct tg_why why = { "" };
	uint64_t swap_ns;

	if (!p->config.images[0]) {
		tg_log(RTE_LOG_NOTICE, "no --images: everything passes until the daemon comes");
		return;
	}
	if (tg_lastgood_load(p->config.images, &held, &why) != 0 ||
	    tg_swap_publish(&p->swap, held, &swap_ns, &why) != 0) {
		tg_log(RTE_LOG_WARNING,
		       "%s: %s; everything passes, uninspected, until the daemon comes",
		       p->config.images, why.text);
		return;
	}
	tg_log(RTE_LOG_INFO, "generation %" PRIu64 " in force, from %s", held->gen.number,
	       p->config.images);
}

static void *ctl_main(void *arg)
{
	tg_ctl_run(arg);
	return NULL;
}

static int open_services(struct program *p, struct tg_why *why)
{
	unsigned i;
	int rc;

	if (p->config.events[0]) {
		rc = tg_events_open(&p->events, &p->config, p->workers.n, why);
		if (rc != 0)
			return rc;
	}
	if (p->config.stir[0]) {
		rc = tg_verifier_open(&p->verifier, p->config.stir, p->workers.n, why);
		if (rc == 0)
			rc = tg_verifier_start(p->verifier, why);
		if (rc != 0)
			return rc;
	}
	for (i = 0; i < p->workers.n; i++) {
		p->workers.worker[i]->swap = &p->swap;
		p->workers.worker[i]->quit = &quit;
		p->workers.worker[i]->events = tg_events_ring(p->events, i);
		p->workers.worker[i]->verify = tg_verifier_port(p->verifier, i);
	}
	p->telemetry = (struct tg_telemetry){ &p->swap, sum_stats, p };
	rc = tg_telemetry_open(&p->telemetry);
	if (rc != 0)
		return tg_why_set(why, rc, "telemetry: %s", strerror(-rc));
	return 0;
}

static void close_services(struct program *p)
{
	tg_telemetry_close();
	tg_verifier_close(p->verifier);
	tg_events_close(p->events);
}

/* The main lcore is a worker too. */
static void run_workers(struct program *p)
{
	unsigned i;

	for (i = 1; i < p->workers.n; i++)
		rte_eal_remote_launch(tg_worker_run, p->workers.worker[i],
				      p->workers.worker[i]->lcore);
	tg_worker_run(p->workers.worker[0]);
	rte_eal_mp_wait_lcore();
}

static int run(struct program *p, struct tg_why *why)
{
	int rc;

	rc = tg_beats_open(&p->beats, p->config.xdp_set, p->config.xdp_set_asked, why);
	if (rc != 0)
		return rc;
	rc = tg_ports_open(&p->ports, &p->config, &p->beats, rte_lcore_count(), why);
	if (rc != 0)
		goto out_beats;
	rc = tg_workers_open(&p->workers, &p->config, &p->ports, &p->beats, why);
	if (rc != 0)
		goto out_ports;
	rc = tg_swap_init(&p->swap, p->workers.n);
	if (rc != 0) {
		rc = tg_why_set(why, rc, "no memory for %u workers' states", p->workers.n);
		goto out_workers;
	}
	load_images(p);
	rc = open_services(p, why);
	if (rc != 0)
		goto out_services;
	rc = tg_ports_start(&p->ports, why);
	if (rc != 0)
		goto out_services;
	p->ctl = (struct tg_ctl_server){
		.swap = &p->swap, .n_ports = 2 * p->ports.n_pairs, .sum = sum_stats, .sum_ctx = p
	};
	rc = tg_ctl_open(&p->ctl, p->config.control, why);
	if (rc != 0)
		goto out_services;
	rc = -rte_ctrl_thread_create(&p->ctl_thread, "tg-control", NULL, ctl_main, &p->ctl);
	if (rc != 0) {
		rc = tg_why_set(why, rc, "no thread for the control socket");
		goto out_ctl;
	}
	if (!p->config.keep_links)
		rc = tg_links_start(&p->links, &p->ports, why);
	if (rc == 0)
		run_workers(p);
	tg_links_stop(&p->links);
	tg_ctl_stop(&p->ctl);
	pthread_join(p->ctl_thread, NULL);
out_ctl:
	tg_ctl_close(&p->ctl);
out_services:
	close_services(p);
	tg_swap_fini(&p->swap);
out_workers:
	tg_workers_close(&p->workers);
out_ports:
	tg_ports_close(&p->ports);
out_beats:
	tg_beats_close(&p->beats);
	return rc;
}

static void usage_hook(const char *program)
{
	tg_config_usage(stdout, program);
}

/* argv[0..n) are EAL's, argv[n] is "--" or the end; our options are read first, so that a typing
 * error shows before hardware is touched. */
static int split(int argc, char **argv)
{
	int n = 0;

	while (n < argc && strcmp(argv[n], "--") != 0)
		n++;
	return n;
}

int main(int argc, char **argv)
{
	static struct program program;
	char *none[] = { argv[0], NULL };
	const int n = split(argc, argv);
	struct tg_why why = { "" };
	int rc;

	if (n < argc) {
		argv[n] = argv[0];
		rc = tg_config_parse(&program.config, argc - n, argv + n, &why);
		argv[n] = NULL;
	} else {
		rc = tg_config_parse(&program.config, 1, none, &why);
	}
	if (rc != 0) {
		fprintf(stderr, "%s: %s (see %s -- --help)\n", argv[0], why.text, argv[0]);
		return EXIT_USAGE;
	}
	if (program.config.help) {
		tg_config_usage(stdout, argv[0]);
		return EXIT_SUCCESS;
	}
	catch_signals();
	rte_set_application_usage_hook(usage_hook);
	if (rte_eal_init(n, argv) < 0) {
		fprintf(stderr, "%s: EAL does not start: %s\n", argv[0], rte_strerror(rte_errno));
		return EXIT_FAILURE;
	}
	rc = run(&program, &why);
	if (rc != 0)
		fprintf(stderr, "%s: %s\n", argv[0], why.text);
	rte_eal_cleanup();
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
