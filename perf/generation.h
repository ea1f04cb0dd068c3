/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A generation to decide with, made without a feed: bench_number(0) to bench_number(n - 1) are listed
 * as callers, fraud, score 95; a policy that rejects those on calls that enter port 0, and sends those over SS7 to a
 * sink of 15 digits.
 */
#ifndef PERF_GENERATION_H
#define PERF_GENERATION_H

#include "perf/bench.h"
#include "perf/traffic_ss7.h"
#include "tollgate/pipeline.h"

struct generation {
	struct tg_generation gen;
	void *base;
	uint64_t base_length;
	void *policy;
	uint64_t policy_length;
	const char *pages; /* that the base lies on */
	double build_s;
};

/* Ends the program if it cannot be made. */
void generation_make(struct generation *g, uint64_t n_entries);
void generation_free(struct generation *g);

/* A caller's number: listed for `percent` of the serials, evenly spread. Never the same twice among
 * those that are not listed; drawn at random among those that are. */
uint64_t generation_caller(uint64_t n_entries, unsigned percent, uint64_t serial);
uint64_t generation_called(uint64_t serial);

/* Packets of calls over SS7. */
struct generation_ss7 {
	unsigned listed; /* % of calls */
	unsigned iams;	 /* % of messages: 100, or 20, among ACM, ANM, REL and RLC */
	unsigned bundle; /* messages a packet, 1 to TRAFFIC_SS7_BUNDLE_MAX */
};

/* Frame `serial` of such packets, at most TRAFFIC_SS7_FRAME_MAX; its length. *listed: a listed one's call is in it. */
unsigned generation_ss7_frame(uint8_t *out, uint64_t n_entries, const struct generation_ss7 *mix,
			      uint64_t serial, bool *listed);

#endif
