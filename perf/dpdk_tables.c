/* SPDX-License-Identifier: BSD-3-Clause */
#include "perf/dpdk_tables.h"

#include <inttypes.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_hash.h>
#include <rte_lcore.h>
#include <rte_member.h>
#include <sched.h>

#include "perf/doc.h"

static_assert(DPDK_BULK_MAX == RTE_HASH_LOOKUP_BULK_MAX, "the most it takes");

/* A key slot of 16 bytes, a 64-byte bucket for 8 entries, 4 bytes of the ring of free slots; both of
 * the latter rounded up to a power of two: 28 to 52 bytes an entry, after which the numbers are few. */
uint64_t dpdk_bytes(uint64_t entries)
{
	return entries * 56 + (256u << 20);
}

/* DPDK 22.11 refuses --no-huge with --in-memory. */
void dpdk_start(uint64_t entries, bool huge)
{
	char line[256], *argv[16], *rest = line;
	int argc = 0;

	snprintf(line, sizeof(line),
		 huge ? "bench --no-pci --no-telemetry --log-level=error --lcores=0@%d --in-memory"
		      : "bench --no-pci --no-telemetry --log-level=error --lcores=0@%d --no-huge "
			"--file-prefix=tollgate_bench -m %" PRIu64,
		 sched_getcpu(), dpdk_bytes(entries) >> 20);
	while (argc < 15 && (argv[argc] = strsep(&rest, " ")))
		argc++;
	argv[argc] = NULL;
	if (rte_eal_init(argc, argv) < 0)
		doc_give_up("rte_eal_init", rte_strerror(rte_errno));
}

struct rte_hash *dpdk_hash(uint64_t n, double *seconds)
{
	const struct rte_hash_parameters p = {
		.name = "bench",
		.entries = (uint32_t)(n + n / 8),
		.key_len = sizeof(uint64_t),
		.socket_id = (int)rte_socket_id(),
	};
	const double start = bench_now_ns();
	struct rte_hash *hash = rte_hash_create(&p);
	uint64_t i;

	if (!hash)
		doc_give_up("rte_hash_create", rte_strerror(rte_errno));
	for (i = 0; i < n; i++) {
		const uint64_t key = bench_number(i);

		if (rte_hash_add_key_data(hash, &key, (void *)(uintptr_t)(i % 101 + 1)) != 0)
			doc_give_up("rte_hash_add_key_data", "no room");
	}
	*seconds = (bench_now_ns() - start) / 1e9;
	return hash;
}

struct rte_member_setsum *dpdk_member(uint64_t n, double *seconds)
{
	const struct rte_member_parameters p = {
		.name = "bench_member",
		.type = RTE_MEMBER_TYPE_VBF,
		.num_keys = (uint32_t)n,
		.key_len = sizeof(uint64_t),
		.num_set = 1,
		.false_positive_rate = 0.013f,
		.prim_hash_seed = 1,
		.sec_hash_seed = 11,
		.socket_id = (int)rte_socket_id(),
	};
	const double start = bench_now_ns();
	struct rte_member_setsum *set = rte_member_create(&p);
	uint64_t i;

	if (!set)
		doc_give_up("rte_member_create", rte_strerror(rte_errno));
	for (i = 0; i < n; i++) {
		const uint64_t key = bench_number(i);

		if (rte_member_add(set, &key, 1) < 0)
			doc_give_up("rte_member_add", "no room");
	}
	*seconds = (bench_now_ns() - start) / 1e9;
	return set;
}

void dpdk_hash_free(struct rte_hash *hash)
{
	rte_hash_free(hash);
}

void dpdk_member_free(struct rte_member_setsum *set)
{
	rte_member_free(set);
}

uint64_t dpdk_hash_count(const struct rte_hash *hash, const uint64_t *keys, unsigned n,
			 unsigned bulk)
{
	const void *key[DPDK_BULK_MAX];
	void *data[DPDK_BULK_MAX];
	uint64_t count = 0, mask;
	unsigned at, i;
	int found;

	for (at = 0; at < n; at += bulk) {
		for (i = 0; i < bulk; i++)
			key[i] = &keys[at + i];
		mask = 0;
		found = rte_hash_lookup_bulk_data(hash, key, bulk, &mask, data);
		if (found > 0)
			count += (uint64_t)found;
	}
	return count;
}

uint64_t dpdk_member_count(const struct rte_member_setsum *set, const uint64_t *keys, unsigned n)
{
	const void *key[RTE_MEMBER_LOOKUP_BULK_MAX];
	member_set_t sets[RTE_MEMBER_LOOKUP_BULK_MAX];
	uint64_t count = 0;
	unsigned at, i;

	for (at = 0; at < n; at += RTE_MEMBER_LOOKUP_BULK_MAX) {
		for (i = 0; i < RTE_MEMBER_LOOKUP_BULK_MAX; i++)
			key[i] = &keys[at + i];
		count += (uint64_t)rte_member_lookup_bulk(set, key, RTE_MEMBER_LOOKUP_BULK_MAX,
							  sets);
	}
	return count;
}
