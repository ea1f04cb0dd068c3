/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports, in pairs: queues, buffers, RSS, offloads. Frames leave as they came: nothing is stripped,
 * inserted, coalesced or filtered.
 */
#ifndef TG_RUN_PORT_H
#define TG_RUN_PORT_H

#include <rte_ethdev.h>
#include <rte_mempool.h>

#include "dataplane/run/beat.h"
#include "dataplane/run/config.h"

struct tg_port {
	uint16_t id;
	bool hardware;	      /* not on the vdev bus */
	bool multi_segs;      /* transmits chained buffers */
	int socket;	      /* NUMA node whose memory it uses */
	unsigned ifindex;     /* net_af_xdp: the interface behind it, else 0 */
	unsigned first_queue; /* net_af_xdp: the interface's queue that is our queue 0 */
	uint16_t rx_desc;
	uint16_t tx_desc;
	struct rte_mempool *pool; /* that it receives into */
	struct rte_eth_dev_info info;
	char name[RTE_ETH_NAME_MAX_LEN];
};

struct tg_port_pair {
	struct tg_port port[2];
	uint16_t n_queues; /* receive and transmit, on both ports */
};

struct tg_ports {
	unsigned n_pairs;
	struct tg_port_pair pair[TG_CONFIG_MAX_PAIRS];
	struct rte_mempool *pool[RTE_MAX_NUMA_NODES]; /* by NUMA node */
};

/*
 * Configures every port of the pairs, with queues for n_workers; nothing is received before
 * tg_ports_start. Takes them in `beats` before it makes their sockets. 0, or negative errno with
 * *why, and nothing is left behind.
 */
int tg_ports_open(struct tg_ports *ports, const struct tg_config *config, struct tg_beats *beats,
		  unsigned n_workers, struct tg_why *why);
int tg_ports_start(struct tg_ports *ports, struct tg_why *why);
/* Stops and closes; workers must have left. */
void tg_ports_close(struct tg_ports *ports);

/* The key under which both directions of a call have the same Toeplitz hash. */
void tg_ports_rss_key(uint8_t *key, unsigned len);

/*
 * Queues of a pair, so that every worker of it has one: what was asked for, or one a worker, within
 * what both devices have. 0 if more was asked for than `limit`.
 */
uint16_t tg_ports_queues(unsigned asked, unsigned n_workers, unsigned n_pairs, unsigned limit);

#endif
