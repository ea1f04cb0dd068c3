/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/run/port.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_kvargs.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>

#include "dataplane/run/dispatch.h"
#include "dataplane/run/log.h"
#include "tollgate/pipeline.h"

/* Covers 1 ms at 1 Mpps: signalling trunks have a hundredth of that, and a worker's longest silence
 * is its sleep. The kernel's rings behind virtual devices have 2048. */
#define DESC_HARDWARE 1024
#define DESC_VIRTUAL 2048
#define POOL_CACHE 256
/* What a trunk may carry without the NIC dropping it as too long. */
#define MTU_HARDWARE 9000

/*
 * The key under which Toeplitz hashes (a, b) as (b, a): it repeats every 16 bits, so swapping
 * addresses or ports, both multiples of 16 bits, leaves the hash as it is (Woo and Park, KAIST 2012).
 * Both directions of a call then meet in one worker.
 */
#define SYMMETRIC_KEY_MAX 64

uint16_t tg_ports_queues(unsigned asked, unsigned n_workers, unsigned n_pairs, unsigned limit)
{
	const unsigned each = (n_workers + n_pairs - 1) / n_pairs;

	if (asked)
		return (uint16_t)(asked <= limit ? asked : 0);
	return (uint16_t)(each < limit ? each : limit);
}

static int read_queue(const char *key, const char *value, void *queue)
{
	(void)key;
	*(unsigned *)queue = (unsigned)strtoul(value, NULL, 10);
	return 0;
}

/* The kernel's side of net_af_xdp: its XDP program tells queues of the interface, not ours. */
static void inspect_interface(struct tg_port *port)
{
	const struct rte_devargs *given;
	struct rte_kvargs *args;

	if (strcmp(port->info.driver_name, "net_af_xdp") != 0)
		return;
	port->ifindex = port->info.if_index;
	given = rte_dev_devargs(port->info.device);
	args = given ? rte_kvargs_parse(given->args, NULL) : NULL;
	if (args)
		(void)rte_kvargs_process(args, "start_queue", read_queue, &port->first_queue);
	rte_kvargs_free(args);
}

static int port_inspect(struct tg_port *port, struct tg_why *why)
{
	const struct rte_device *dev;
	const int rc = rte_eth_dev_info_get(port->id, &port->info);

	if (rc != 0)
		return tg_why_set(why, rc, "port %u: %s", port->id, strerror(-rc));
	if (rte_eth_dev_get_name_by_port(port->id, port->name) != 0)
		port->name[0] = 0;
	dev = port->info.device;
	port->hardware = dev && strcmp(rte_bus_name(rte_dev_bus(dev)), "vdev") != 0;
	port->socket = rte_eth_dev_socket_id(port->id);
	if (port->socket < 0 || port->socket >= RTE_MAX_NUMA_NODES)
		port->socket = (int)rte_socket_id();
	if (port->socket < 0)
		port->socket = 0;
	port->rx_desc = port->hardware ? DESC_HARDWARE : DESC_VIRTUAL;
	port->tx_desc = port->rx_desc;
	inspect_interface(port);
	return 0;
}

static int pairs_from_devices(struct tg_ports *ports, struct tg_why *why)
{
	unsigned n = 0, id;

	RTE_ETH_FOREACH_DEV(id) {
		if (n == 2 * TG_CONFIG_MAX_PAIRS)
			return tg_why_set(why, -EINVAL, "more than %d ports",
					  2 * TG_CONFIG_MAX_PAIRS);
		ports->pair[n / 2].port[n % 2].id = (uint16_t)id;
		n++;
	}
	if (n == 0)
		return tg_why_set(why, -ENODEV,
				  "no ports: name two with -a or --vdev before the \"--\"");
	if (n % 2 != 0)
		return tg_why_set(why, -EINVAL, "%u ports: they are needed in pairs (--pairs)", n);
	ports->n_pairs = n / 2;
	return 0;
}

static int pairs_from_config(struct tg_ports *ports, const struct tg_config *config,
			     struct tg_why *why)
{
	unsigned i, side;

	for (i = 0; i < config->n_pairs; i++) {
		for (side = 0; side < 2; side++) {
			const uint16_t id = config->pair[i].port[side];

			if (!rte_eth_dev_is_valid_port(id))
				return tg_why_set(why, -ENODEV, "--pairs: there is no port %u", id);
			ports->pair[i].port[side].id = id;
		}
	}
	ports->n_pairs = config->n_pairs;
	if (rte_eth_dev_count_avail() > 2 * ports->n_pairs)
		tg_log(RTE_LOG_NOTICE, "ports that are in no pair stay unused");
	return 0;
}

static int pair_queues(struct tg_port_pair *pair, const struct tg_config *config,
		       unsigned n_workers, unsigned n_pairs, struct tg_why *why)
{
	unsigned limit = TG_CONFIG_MAX_QUEUES, side;

	for (side = 0; side < 2; side++) {
		limit = RTE_MIN(limit, pair->port[side].info.max_rx_queues);
		limit = RTE_MIN(limit, pair->port[side].info.max_tx_queues);
	}
	pair->n_queues = tg_ports_queues(config->queues, n_workers, n_pairs, limit);
	if (pair->n_queues == 0)
		return tg_why_set(why, -EINVAL, "--queues %u: ports %u and %u have %u",
				  config->queues, pair->port[0].id, pair->port[1].id, limit);
	return 0;
}

/* Buffers that a port can hold: full receive and transmit rings, its own and its peer's, which
 * frames wait in as well; and what it received waits for another worker. */
static unsigned port_mbufs(const struct tg_port_pair *pair, unsigned side, unsigned n_workers)
{
	const unsigned owners = RTE_MIN(n_workers, pair->n_queues);

	return pair->n_queues * (pair->port[side].rx_desc + pair->port[side].tx_desc +
				 pair->port[!side].tx_desc) +
	       (owners > 1 ? owners * TG_DISPATCH_ROOM : 0);
}

static int make_pool(struct tg_ports *ports, int socket, unsigned n_workers, struct tg_why *why)
{
	/* A worker has a burst in hand, up to 1.5 times the cache's size in its cache, and holds
	 * fragments. */
	unsigned n = n_workers * (TG_BURST + POOL_CACHE * 3 / 2 + TG_PIPELINE_FRAG_FRAMES_DEFAULT +
				  TG_PIPELINE_SCTP_FRAMES_DEFAULT);
	unsigned i, side;
	char name[RTE_MEMPOOL_NAMESIZE];

	for (i = 0; i < ports->n_pairs; i++) {
		for (side = 0; side < 2; side++) {
			if (ports->pair[i].port[side].socket == socket)
				n += port_mbufs(&ports->pair[i], side, n_workers);
		}
	}
	snprintf(name, sizeof(name), "tg_frames_%d", socket);
	/* A power of two less one: the ring inside holds exactly that many. */
	ports->pool[socket] = rte_pktmbuf_pool_create(name, rte_align32pow2(n + 1) - 1, POOL_CACHE,
						      0, RTE_MBUF_DEFAULT_BUF_SIZE, socket);
	if (!ports->pool[socket])
		return tg_why_set(
			why, -ENOMEM,
			"no memory for %u frame buffers on node %d (with --no-huge: -m 512)", n,
			socket);
	return 0;
}

/*
 * The NIC's word on checksums, from hardware only: virtual devices compute it in software for every
 * frame, and to virtio asking for it is leave to deliver frames that have none.
 */
static uint64_t rx_offloads(const struct tg_port *port)
{
	uint64_t want = RTE_ETH_RX_OFFLOAD_SCATTER;

	if (port->hardware && !strstr(port->info.driver_name, "virtio"))
		want |= RTE_ETH_RX_OFFLOAD_CHECKSUM;
	return want & port->info.rx_offload_capa;
}

static uint64_t tx_offloads(const struct tg_ports *ports, const struct tg_port *port)
{
	uint64_t want = RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	unsigned n_pools = 0, i;

	for (i = 0; i < RTE_MAX_NUMA_NODES; i++)
		n_pools += ports->pool[i] != NULL;
	/* Its two conditions: one reference a buffer (nothing here clones), one pool a queue. */
	if (n_pools == 1)
		want |= RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
	return want & port->info.tx_offload_capa;
}

void tg_ports_rss_key(uint8_t *key, unsigned len)
{
	unsigned i;

	for (i = 0; i < len; i++)
		key[i] = i % 2 ? 0x5a : 0x6d;
}

static void set_rss(struct rte_eth_conf *conf, const struct tg_port *port, uint8_t *key)
{
	const uint8_t key_len = port->info.hash_key_size;

	conf->rx_adv_conf.rss_conf.rss_hf = (RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_TCP |
					     RTE_ETH_RSS_SCTP) &
					    port->info.flow_type_rss_offloads;
	if (!conf->rx_adv_conf.rss_conf.rss_hf) {
		tg_log(RTE_LOG_NOTICE, "port %u (%s): no RSS; who fills its queues decides",
		       port->id, port->name);
		return;
	}
	conf->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
	if (key_len == 0 || key_len > SYMMETRIC_KEY_MAX)
		return;
	tg_ports_rss_key(key, key_len);
	conf->rx_adv_conf.rss_conf.rss_key = key;
	conf->rx_adv_conf.rss_conf.rss_key_len = key_len;
}

/*
 * net_pcap, net_ring and net_null take chains although they do not say so: pcap writes the whole
 * chain, the others hand buffers on.
 */
static bool takes_chains(const struct tg_port *port, uint64_t offloads)
{
	static const char *const silent[] = { "net_pcap", "net_ring", "net_null" };
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(silent); i++) {
		if (strcmp(port->info.driver_name, silent[i]) == 0)
			return true;
	}
	return (offloads & RTE_ETH_TX_OFFLOAD_MULTI_SEGS) != 0;
}

static int port_queues(struct tg_port *port, const struct rte_eth_conf *conf, uint16_t n_queues,
		       struct rte_mempool *pool)
{
	struct rte_eth_rxconf rx = port->info.default_rxconf;
	struct rte_eth_txconf tx = port->info.default_txconf;
	uint16_t q;
	int rc;

	rx.offloads = conf->rxmode.offloads;
	tx.offloads = conf->txmode.offloads;
	for (q = 0; q < n_queues; q++) {
		rc = rte_eth_rx_queue_setup(port->id, q, port->rx_desc, (unsigned)port->socket, &rx,
					    pool);
		if (rc != 0)
			return rc;
		rc = rte_eth_tx_queue_setup(port->id, q, port->tx_desc, (unsigned)port->socket,
					    &tx);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static int port_configure(const struct tg_ports *ports, struct tg_port *port, uint16_t n_queues,
			  struct tg_why *why)
{
	struct rte_eth_conf conf = { .rxmode.offloads = rx_offloads(port),
				     .txmode.offloads = tx_offloads(ports, port) };
	uint8_t key[SYMMETRIC_KEY_MAX];
	int rc;

	port->pool = ports->pool[port->socket];
	port->multi_segs = takes_chains(port, conf.txmode.offloads);
	if (n_queues > 1)
		set_rss(&conf, port, key);
	/* A virtual device has the length limit of what is behind it. */
	if (port->hardware && (conf.rxmode.offloads & RTE_ETH_RX_OFFLOAD_SCATTER) &&
	    port->multi_segs)
		conf.rxmode.mtu = RTE_MIN(port->info.max_mtu, (uint16_t)MTU_HARDWARE);
	rc = rte_eth_dev_configure(port->id, n_queues, n_queues, &conf);
	if (rc == 0)
		rc = rte_eth_dev_adjust_nb_rx_tx_desc(port->id, &port->rx_desc, &port->tx_desc);
	if (rc == 0)
		rc = port_queues(port, &conf, n_queues, port->pool);
	if (rc != 0)
		return tg_why_set(why, rc, "port %u (%s): cannot be set up with %u queues: %s",
				  port->id, port->name, n_queues, strerror(-rc));
	return 0;
}

static int find_ports(struct tg_ports *ports, const struct tg_config *config, struct tg_why *why)
{
	unsigned i, side;
	int rc;

	rc = config->n_pairs ? pairs_from_config(ports, config, why)
			     : pairs_from_devices(ports, why);
	for (i = 0; rc == 0 && i < ports->n_pairs; i++) {
		for (side = 0; rc == 0 && side < 2; side++)
			rc = port_inspect(&ports->pair[i].port[side], why);
	}
	return rc;
}

static int configure_all(struct tg_ports *ports, const struct tg_config *config, unsigned n_workers,
			 struct tg_why *why)
{
	unsigned i, side;
	int rc = 0;

	for (i = 0; rc == 0 && i < ports->n_pairs; i++)
		rc = pair_queues(&ports->pair[i], config, n_workers, ports->n_pairs, why);
	for (i = 0; rc == 0 && i < 2 * ports->n_pairs; i++) {
		const int socket = ports->pair[i / 2].port[i % 2].socket;

		if (!ports->pool[socket])
			rc = make_pool(ports, socket, n_workers, why);
	}
	for (i = 0; rc == 0 && i < ports->n_pairs; i++) {
		for (side = 0; rc == 0 && side < 2; side++)
			rc = port_configure(ports, &ports->pair[i].port[side],
					    ports->pair[i].n_queues, why);
	}
	return rc;
}

static int take_beats(const struct tg_ports *ports, struct tg_beats *beats, struct tg_why *why)
{
	unsigned i;
	int rc = 0;

	for (i = 0; rc == 0 && i < ports->n_pairs; i++) {
		const unsigned ifindex[2] = { ports->pair[i].port[0].ifindex,
					      ports->pair[i].port[1].ifindex };

		rc = tg_beats_take(beats, ifindex, why);
	}
	return rc;
}

int tg_ports_open(struct tg_ports *ports, const struct tg_config *config, struct tg_beats *beats,
		  unsigned n_workers, struct tg_why *why)
{
	int rc;

	memset(ports, 0, sizeof(*ports));
	rc = find_ports(ports, config, why);
	if (rc != 0) {
		ports->n_pairs = 0;
		return rc;
	}
	rc = take_beats(ports, beats, why);
	if (rc == 0)
		rc = configure_all(ports, config, n_workers, why);
	if (rc != 0)
		tg_ports_close(ports);
	return rc;
}

int tg_ports_start(struct tg_ports *ports, struct tg_why *why)
{
	unsigned i;
	int rc;

	for (i = 0; i < 2 * ports->n_pairs; i++) {
		const struct tg_port *port = &ports->pair[i / 2].port[i % 2];

		rc = rte_eth_dev_start(port->id);
		if (rc != 0)
			return tg_why_set(why, rc, "port %u (%s): does not start: %s", port->id,
					  port->name, strerror(-rc));
		/* Frames are for others. A device that has no such mode shows all of them. */
		rc = rte_eth_promiscuous_enable(port->id);
		if (rc == 0 || rc == -ENOTSUP)
			rc = rte_eth_allmulticast_enable(port->id);
		if (rc != 0 && rc != -ENOTSUP)
			return tg_why_set(why, rc, "port %u (%s): no promiscuous mode: %s",
					  port->id, port->name, strerror(-rc));
		tg_log(RTE_LOG_INFO, "port %u (%s, %s) <-> port %u, %u queues", port->id,
		       port->name, port->info.driver_name, ports->pair[i / 2].port[!(i % 2)].id,
		       ports->pair[i / 2].n_queues);
	}
	return 0;
}

void tg_ports_close(struct tg_ports *ports)
{
	unsigned i;

	for (i = 0; i < 2 * ports->n_pairs; i++) {
		const uint16_t id = ports->pair[i / 2].port[i % 2].id;

		(void)rte_eth_dev_stop(id);
		(void)rte_eth_dev_close(id);
	}
	for (i = 0; i < RTE_MAX_NUMA_NODES; i++) {
		rte_mempool_free(ports->pool[i]);
		ports->pool[i] = NULL;
	}
	ports->n_pairs = 0;
}
