/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/run/link.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>

#include "dataplane/run/log.h"

/* ---- what to do -------------------------------------------------------------------------------- */

void tg_link_step(struct tg_link_pair *p, const bool up[2], uint64_t now_ms,
		  enum tg_link_act act[2])
{
	unsigned side;

	act[0] = TG_LINK_KEEP;
	act[1] = TG_LINK_KEEP;
	for (side = 0; side < 2; side++) {
		const unsigned other = !side;

		if (p->held_down[side])
			continue;
		if (up[side]) {
			p->expected_ms[side] = 0;
			if (!p->held_down[other])
				continue;
			p->held_down[other] = false;
			p->expected_ms[other] = now_ms + TG_LINK_GRACE_MS;
			act[other] = TG_LINK_UP;
		} else if (now_ms >= p->expected_ms[side] && !p->held_down[other]) {
			p->held_down[other] = true;
			act[other] = TG_LINK_DOWN;
		}
	}
}

/* ---- doing it ---------------------------------------------------------------------------------- */

static void count(uint64_t *counter)
{
	/* Relaxed: one writer; readers want a number that is not torn. */
	__atomic_store_n(counter, *counter + 1, __ATOMIC_RELAXED);
}

static void carry_out(struct tg_links *links, const struct tg_port *port, const char *cause,
		      enum tg_link_act act)
{
	int rc;

	if (act == TG_LINK_KEEP)
		return;
	if (act == TG_LINK_UP) {
		(void)rte_eth_dev_set_link_up(port->id);
		tg_log(RTE_LOG_NOTICE, "port %s: its link is back; port %s is let up", cause,
		       port->name);
		return;
	}
	rc = rte_eth_dev_set_link_down(port->id);
	count(rc == 0 ? &links->taken_down : &links->not_taken_down);
	if (rc == 0)
		tg_log(RTE_LOG_WARNING, "port %s: no link; port %s is taken down", cause,
		       port->name);
	else
		tg_log(RTE_LOG_WARNING, "port %s: no link; port %s cannot be taken down: %s", cause,
		       port->name, strerror(-rc));
}

/* A device that cannot say is taken for one with a link. */
static bool has_link(const struct tg_port *port)
{
	struct rte_eth_link link = { .link_status = RTE_ETH_LINK_UP };

	return rte_eth_link_get_nowait(port->id, &link) != 0 || link.link_status == RTE_ETH_LINK_UP;
}

static uint64_t now_ms(void)
{
	return rte_get_timer_cycles() / (rte_get_timer_hz() / 1000);
}

static void look(struct tg_links *links, unsigned i)
{
	const struct tg_port *port = links->ports->pair[i].port;
	const bool up[2] = { has_link(&port[0]), has_link(&port[1]) };
	enum tg_link_act act[2];

	tg_link_step(&links->pair[i], up, now_ms(), act);
	carry_out(links, &port[0], port[1].name, act[0]);
	carry_out(links, &port[1], port[0].name, act[1]);
}

static void *run(void *arg)
{
	const struct timespec pause = { .tv_nsec = TG_LINK_POLL_MS * 1000000l };
	struct tg_links *links = arg;
	unsigned i;

	/* Relaxed: pairs with the store in tg_links_stop and orders nothing; the join does. */
	while (!__atomic_load_n(&links->quit, __ATOMIC_RELAXED)) {
		for (i = 0; i < links->ports->n_pairs; i++)
			look(links, i);
		nanosleep(&pause, NULL);
	}
	return NULL;
}

int tg_links_start(struct tg_links *links, const struct tg_ports *ports, struct tg_why *why)
{
	unsigned i;
	int rc;

	memset(links, 0, sizeof(*links));
	links->ports = ports;
	for (i = 0; i < ports->n_pairs; i++) {
		links->pair[i].expected_ms[0] = now_ms() + TG_LINK_GRACE_MS;
		links->pair[i].expected_ms[1] = links->pair[i].expected_ms[0];
	}
	rc = -rte_ctrl_thread_create(&links->thread, "tg-links", NULL, run, links);
	if (rc != 0)
		return tg_why_set(why, rc, "no thread for the ports' links");
	links->running = true;
	return 0;
}

void tg_links_stop(struct tg_links *links)
{
	unsigned i, side;

	if (!links->running)
		return;
	__atomic_store_n(&links->quit, true, __ATOMIC_RELAXED);
	pthread_join(links->thread, NULL);
	for (i = 0; i < links->ports->n_pairs; i++) {
		for (side = 0; side < 2; side++)
			if (links->pair[i].held_down[side])
				(void)rte_eth_dev_set_link_up(links->ports->pair[i].port[side].id);
	}
	links->running = false;
}

void tg_links_sum(const struct tg_links *links, struct tg_stats *sum)
{
	sum->links_taken_down += __atomic_load_n(&links->taken_down, __ATOMIC_RELAXED);
	sum->links_not_taken_down += __atomic_load_n(&links->not_taken_down, __ATOMIC_RELAXED);
}
