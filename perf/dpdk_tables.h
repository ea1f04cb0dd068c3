/* SPDX-License-Identifier: BSD-3-Clause */
/* DPDK's own tables with the numbers of bench.h in them, for bench_lookup to be compared with. */
#ifndef PERF_DPDK_TABLES_H
#define PERF_DPDK_TABLES_H

#include "tollgate/base.h"

struct rte_hash;
struct rte_member_setsum;

#define DPDK_BULK_MAX 64

/* The EAL on the core that the caller is pinned to; its memory, for tables of up to `entries`, on
 * 2 MiB pages or on small ones. Ends the program if it does not start. */
void dpdk_start(uint64_t entries, bool huge);
/* What they and the EAL need of 2 MiB pages at the most. */
uint64_t dpdk_bytes(uint64_t entries);

/* Keys are the 8 bytes of bench_number(0) to bench_number(n - 1), data is (void *)(i % 101 + 1).
 * End the program if they cannot be filled; *seconds of CPU it took. */
struct rte_hash *dpdk_hash(uint64_t n, double *seconds);
/* A Bloom filter (vBF of one set) for as many false positives as our own filter has. */
struct rte_member_setsum *dpdk_member(uint64_t n, double *seconds);

void dpdk_hash_free(struct rte_hash *hash);
void dpdk_member_free(struct rte_member_setsum *set);

/* How many of n keys are found, `bulk` at a time; n is a multiple of it. */
uint64_t dpdk_hash_count(const struct rte_hash *hash, const uint64_t *keys, unsigned n,
			 unsigned bulk);
uint64_t dpdk_member_count(const struct rte_member_setsum *set, const uint64_t *keys, unsigned n);

#endif
