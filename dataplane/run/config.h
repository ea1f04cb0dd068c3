/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the operator asked for, checked as far as it can be without looking at devices. Const after
 * start; nothing that the program keeps is in here.
 */
#ifndef TG_RUN_CONFIG_H
#define TG_RUN_CONFIG_H

#include <limits.h>
#include <stdio.h>

#include "tollgate/base.h"
#include "tollgate/bpf_abi.h"

#define TG_CONFIG_MAX_PAIRS 16
#define TG_CONFIG_MAX_QUEUES 64
#define TG_CONFIG_CONTROL_MAX 107 /* what a Unix socket's address holds, less the NUL */
#define TG_CONFIG_IDLE_AUTO (-1)
#define TG_CONFIG_IDLE_OFF 0
/* A worker that sleeps is a worker that has not seen a new generation yet; 1 ms is a tenth of what a
 * changed number has to be in force. */
#define TG_CONFIG_IDLE_MAX_US 1000
#define TG_CONFIG_IDLE_AUTO_US 200
#define TG_CONFIG_DEFAULT_CONTROL "/run/tollgate/dp.sock"

struct tg_config_pair {
	uint16_t port[2];
};

struct tg_config {
	char images[PATH_MAX]; /* empty: wait for the daemon */
	char control[TG_CONFIG_CONTROL_MAX + 1];
	char events[PATH_MAX];	/* empty: none; "-": standard output */
	char xdp_set[PATH_MAX]; /* the XDP program in front: bpf_abi.h */
	bool xdp_set_asked;	/* not the default: it has to be there */
	char stir[PATH_MAX];	/* certificates (stir.h); empty: no PASSporT is verified */
	bool events_unmasked;
	bool events_all;
	bool keep_links; /* a link that is lost on one side is not taken down on the other */
	bool help;
	uint8_t key[16];
	unsigned queues; /* per port; 0: as many as there are workers for it */
	int idle_us;	 /* TG_CONFIG_IDLE_*, or the longest sleep */
	uint32_t memory_entries;
	unsigned n_pairs; /* 0: consecutive ports */
	struct tg_config_pair pair[TG_CONFIG_MAX_PAIRS];
};

/* Why a start failed: one sentence, no full stop. */
struct tg_why {
	char text[256];
};

/* Fills *why and returns code, so that callers can `return tg_why_set(...)`. */
int tg_why_set(struct tg_why *why, int code, const char *fmt, ...) TG_PRINTF(3, 4);

/*
 * argv[0] is the program's name, then the options after EAL's "--". Reads the key file; draws a key
 * if there is none. 0, or negative errno with *why.
 */
int tg_config_parse(struct tg_config *config, int argc, char **argv, struct tg_why *why);

/* "0:1,2:3": each port at most once. 0 or -EINVAL with *why. */
int tg_config_parse_pairs(struct tg_config *config, const char *text, struct tg_why *why);

void tg_config_usage(FILE *out, const char *program);

#endif
