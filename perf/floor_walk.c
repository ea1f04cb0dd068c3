/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The least that a dataplane which reads signalling can do: what testpmd's io mode does; for SIP a memchr for each
 * newline of the header, up to the empty line, or with `touch` not even that: a byte of each cache line of what
 * begins with a letter; for SCTP each byte of the packet read once, eight at a time. Nothing is parsed, looked
 * up, decided or counted. Takes EAL arguments with two ports; forwards from the first to the second until it
 * is ended.
 *
 *	floor_walk EAL-ARGUMENTS [-- touch]
 */
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "perf/traffic.h"
#include "tollgate/frame.h"

/* As testpmd and tollgate-dp have them in perf/dataplane. */
#define BURST 32
#define BUFFERS 16383
#define POOL_CACHE 256
#define DESCRIPTORS 2048

static volatile sig_atomic_t quit;

static void on_signal(int number)
{
	(void)number;
	quit = 1;
}

static void give_up(const char *what, int rc)
{
	fprintf(stderr, "fatal: %s: %s\n", what, strerror(rc < 0 ? -rc : rc));
	exit(1);
}

static void open_port(uint16_t port, struct rte_mempool *pool)
{
	const struct rte_eth_conf conf = { 0 };
	int rc = rte_eth_dev_configure(port, 1, 1, &conf);

	if (rc == 0)
		rc = rte_eth_rx_queue_setup(port, 0, DESCRIPTORS, 0, NULL, pool);
	if (rc == 0)
		rc = rte_eth_tx_queue_setup(port, 0, DESCRIPTORS, 0, NULL);
	if (rc == 0)
		rc = rte_eth_dev_start(port);
	if (rc != 0)
		give_up("port", rc);
}

#define IPV4_HEAD 34 /* Ethernet 14, IPv4 20 */
#define IPV4_PROTOCOL 23

/* Something that depends on each byte of the packet. */
static unsigned read_all(const struct rte_mbuf *m)
{
	const uint8_t *const p = rte_pktmbuf_mtod(m, const uint8_t *);
	uint64_t sum = 0;
	unsigned i;

	/* Frames of the lab end with a whole word of four; what lies behind is the buffer's. */
	for (i = IPV4_HEAD; i < m->data_len; i += 8)
		sum += tg_load_u64(p + i);
	return (unsigned)sum;
}

/* How many lines the header has; 0 for what does not begin with a letter. */
static unsigned walk(const struct rte_mbuf *m)
{
	const char *p = rte_pktmbuf_mtod_offset(m, const char *, TRAFFIC_FRAME_HEAD);
	const char *const end = rte_pktmbuf_mtod_offset(m, const char *, m->data_len);
	unsigned lines = 0;

	if (p >= end || *p < 'A')
		return 0;
	while ((p = memchr(p, '\n', (size_t)(end - p)))) {
		lines++;
		if (++p < end && *p == '\r')
			break;
	}
	return lines;
}

/* The sum of a byte of each cache line. */
static unsigned touch(const struct rte_mbuf *m)
{
	const uint8_t *p = rte_pktmbuf_mtod_offset(m, const uint8_t *, TRAFFIC_FRAME_HEAD);
	const uint8_t *const end = rte_pktmbuf_mtod_offset(m, const uint8_t *, m->data_len);
	unsigned sum = 0;

	if (p >= end || *p < 'A' || *p >= 0x80)
		return 0;
	for (; p < end; p += RTE_CACHE_LINE_SIZE)
		sum += *p;
	return sum;
}

static bool is_sctp(const struct rte_mbuf *m)
{
	return m->data_len > IPV4_HEAD &&
	       rte_pktmbuf_mtod(m, const uint8_t *)[IPV4_PROTOCOL] == TG_IPPROTO_SCTP;
}

int main(int argc, char **argv)
{
	struct rte_mbuf *burst[BURST];
	struct rte_mempool *pool;
	unsigned lines = 0;
	int used = rte_eal_init(argc, argv);
	bool touches;

	if (used < 0 || rte_eth_dev_count_avail() < 2)
		give_up("EAL", ENODEV);
	touches = used + 1 < argc && strcmp(argv[used + 1], "touch") == 0;
	pool = rte_pktmbuf_pool_create("frames", BUFFERS, POOL_CACHE, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
				       (int)rte_socket_id());
	if (!pool)
		give_up("frames", ENOMEM);
	open_port(0, pool);
	open_port(1, pool);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	while (!quit) {
		const uint16_t n = rte_eth_rx_burst(0, 0, burst, BURST);
		uint16_t i, sent;

		for (i = 0; i < n; i++)
			rte_prefetch0(rte_pktmbuf_mtod(burst[i], const void *));
		for (i = 0; i < n; i++)
			lines += is_sctp(burst[i]) ? read_all(burst[i])
				 : touches	   ? touch(burst[i])
						   : walk(burst[i]);
		sent = rte_eth_tx_burst(1, 0, burst, n);
		rte_pktmbuf_free_bulk(burst + sent, n - sent);
	}
	printf("%u\n", lines);
	(void)rte_eal_cleanup();
	return 0;
}
