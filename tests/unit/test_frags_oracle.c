/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * flow/frags against librte_ip_frag, over generated sets of fragments: which frame completes a
 * datagram, and every byte of it. Duplicates are left out: DPDK gives such a datagram up, endpoints do
 * not. In a process of its own, because EAL takes over the one that it is started in.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_ip_frag.h>
#include <rte_mbuf.h>

#include "dataplane/flow/frags.h"
#include "tests/support/cut.h"
#include "tests/support/pkt.h"
#include "tests/support/tg_test.h"

#define SETS 4000
#define MAX_PIECES RTE_LIBRTE_IP_FRAG_MAX_FRAG
#define MAX_PAYLOAD 6000
#define BUFFER (MAX_PAYLOAD + 200 + RTE_PKTMBUF_HEADROOM)
#define LIFE 64 /* DPDK's clock here is the number of the set */

enum variant {
	VARIANT_WHOLE,
	VARIANT_ONE_MISSING,
	VARIANT_OVERLAP,
	VARIANT_COUNT
};

struct oracle {
	struct rte_mempool *pool;
	struct rte_ip_frag_tbl *table;
	struct rte_ip_frag_death_row dead;
	struct tg_frags frags;
	uint64_t seed;
	uint8_t whole[TG_PKT_MAX];
	size_t len;
	uint32_t total;
	struct tg_cut piece[MAX_PIECES];
	unsigned n;
	unsigned completed;
};

/* Not assert_*: cmocka is the parent's. */
static void must(bool holds, const char *what, unsigned set)
{
	if (holds)
		return;
	fprintf(stderr, "set %u: %s\n", set, what);
	_exit(1);
}

static uint32_t below(struct oracle *o, uint32_t n)
{
	return (uint32_t)(tg_test_random(&o->seed) >> 33) % n;
}

static void make_whole(struct oracle *o)
{
	static uint8_t payload[MAX_PAYLOAD];
	const struct tg_pkt p = { .ipv6 = below(o, 2), .n_vlan = below(o, 3) };
	const uint32_t n = 100 + below(o, MAX_PAYLOAD - 100);
	uint32_t i;

	for (i = 0; i < n; i++)
		payload[i] = (uint8_t)tg_test_random(&o->seed);
	o->len = tg_pkt_build(&p, payload, n, o->whole);
	o->total = tg_cut_total(o->whole, o->len);
}

/* At random places, in random order. */
static void cut_whole(struct oracle *o, unsigned set, enum variant variant)
{
	const unsigned n = 2 + below(o, MAX_PIECES - 1);
	uint32_t off = 0;
	unsigned i, k;

	for (i = 0; i < n && i < MAX_PIECES && off < o->total; i++) {
		const uint32_t left = o->total - off;
		uint32_t len = i + 1 == n ? left : 8 + below(o, left / 4 + 1) / 8 * 8;

		len = len < left ? len : left;
		o->piece[i] = (struct tg_cut){ off, len, off + len < o->total, set + 1 };
		off += len;
	}
	if (variant == VARIANT_ONE_MISSING) {
		i--;
		o->piece[below(o, i + 1)] = o->piece[i];
	}
	if (variant == VARIANT_OVERLAP && i > 1 && o->piece[0].len > 8) {
		o->piece[1].off -= 8;
		o->piece[1].len += o->piece[1].more ? 0 : 8;
	}
	o->n = i;
	for (k = 0; k < o->n; k++) {
		const unsigned other = k + below(o, o->n - k);
		const struct tg_cut c = o->piece[other];

		o->piece[other] = o->piece[k];
		o->piece[k] = c;
	}
}

static struct rte_mbuf *theirs(struct oracle *o, const uint8_t *frame, size_t len, unsigned set)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(o->pool);
	struct tg_frame f;
	char *at;

	must(m != NULL, "no buffer", set);
	at = rte_pktmbuf_append(m, (uint16_t)len);
	must(at != NULL, "buffer too small", set);
	memcpy(at, frame, len);
	(void)tg_frame_walk(frame, frame + len, TG_LINK_ETHERNET, &f);
	m->l2_len = f.l3_off;
	m->l3_len = (uint16_t)(f.l4_off - f.l3_off);
	at += f.l3_off;
	if (f.ip_version == 4)
		return rte_ipv4_frag_reassemble_packet(o->table, &o->dead, m, set,
						       (struct rte_ipv4_hdr *)at);
	return rte_ipv6_frag_reassemble_packet(o->table, &o->dead, m, set,
					       (struct rte_ipv6_hdr *)at,
					       (struct rte_ipv6_fragment_ext *)(at + 40));
}

static void ours(struct oracle *o, const uint8_t *frame, size_t len, unsigned set,
		 struct tg_frags_result *r)
{
	struct tg_frags_piece p = { .key = set + 1, .source = set, .handle = o };
	struct tg_frame f;

	must(tg_frame_walk(frame, frame + len, TG_LINK_ETHERNET, &f) == TG_REASON_FRAGMENT,
	     "no fragment", set);
	p.head = (struct tg_span){ frame, f.l4_off };
	p.data = frame + f.l4_off;
	p.len = f.frag_len;
	p.off = f.frag_off;
	p.more = f.frag_more;
	p.ipv6 = f.ip_version == 6;
	tg_frags_begin(&o->frags);
	tg_frags_add(&o->frags, &p, 1000 + set, r);
}

static void compare_bytes(struct oracle *o, struct rte_mbuf *m, const struct tg_frags_result *r,
			  unsigned set)
{
	static uint8_t copy[TG_PKT_MAX];
	const uint32_t head = rte_pktmbuf_pkt_len(m) - r->len;
	const uint8_t *at = rte_pktmbuf_read(m, head, r->len, copy);

	must(r->len == o->total, "another length", set);
	must(at && memcmp(at, r->bytes + r->head_len, r->len) == 0, "other bytes", set);
	must(memcmp(at, o->whole + o->len - r->len, r->len) == 0, "not what was cut", set);
	o->completed++;
}

static void one_set(struct oracle *o, unsigned set)
{
	const enum variant variant = below(o, 2) ? VARIANT_WHOLE : below(o, VARIANT_COUNT);
	struct tg_frags_freed freed[TG_BURST];
	uint8_t frame[MAX_PAYLOAD + 200];
	unsigned i;

	make_whole(o);
	cut_whole(o, set, variant);
	for (i = 0; i < o->n; i++) {
		const size_t len = tg_cut(o->whole, o->len, &o->piece[i], frame);
		struct rte_mbuf *m = theirs(o, frame, len, set);
		struct tg_frags_result r;

		ours(o, frame, len, set, &r);
		must((m != NULL) == (r.outcome == TG_FRAGS_WHOLE), "complete for one only", set);
		if (m)
			compare_bytes(o, m, &r, set);
		rte_pktmbuf_free(m);
	}
	while (tg_frags_release(&o->frags, 1000 + set, freed, TG_BURST) == TG_BURST)
		;
	rte_ip_frag_free_death_row(&o->dead, 0);
}

static int run_oracle(void)
{
	static char text[][24] = { "oracle",	   "--no-huge", "--no-pci",
				   "--no-shconf",  "-m",	"96",
				   "-l",	   "0",		"--no-telemetry",
				   "--log-level=5" };
	char *argv[TG_ARRAY_LEN(text)];
	static struct oracle o = { .seed = 5 };
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(text); i++)
		argv[i] = text[i];
	if (rte_eal_init(TG_ARRAY_LEN(argv), argv) < 0)
		return 77;
	o.pool = rte_pktmbuf_pool_create("oracle", 2047, 0, 0, BUFFER, 0);
	o.table = rte_ip_frag_table_create(1024, 16, 16384, LIFE, 0);
	must(o.pool && o.table, "no memory", 0);
	tg_frags_init(&o.frags, aligned_alloc(TG_CACHE_LINE, tg_frags_size(128, 1024)), 128, 1024);
	for (i = 0; i < SETS; i++)
		one_set(&o, i);
	must(o.completed > SETS / 2, "too few were completed to say anything", i);
	return 0;
}

TG_TEST(L3_2_fragments_as_librte_ip_frag_reads_them, TG_NEEDS_NOTHING)
{
	int status = 0;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(run_oracle());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		tg_test_skip("no memory for EAL");
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}
