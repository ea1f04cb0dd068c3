/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The control socket: one daemon at a time, a newer connection replaces the older. Reads PUBLISH and
 * STATS_REQUEST, answers as tollgate/ctl.h says. One thread runs it, and that thread is the
 * generation's publisher.
 */
#ifndef TG_RUN_CTL_H
#define TG_RUN_CTL_H

#include "dataplane/run/config.h"
#include "dataplane/run/swap.h"

struct tg_ctl_server {
	struct tg_swap *swap;
	uint32_t n_ports;
	void (*sum)(void *ctx, struct tg_stats *sum); /* all workers' counters */
	void *sum_ctx;
	/* The server's own. */
	char path[TG_CONFIG_CONTROL_MAX + 1];
	int listen_fd;
	int conn_fd;
	int stop_fd;
	uint64_t started_ms;
	uint64_t accept_after_ms; /* 0, or none were to be had and it was said */
};

/*
 * Listens on `path` with mode 0600; makes its folder if only that is missing. A socket that nobody
 * listens on is replaced, one that somebody does is -EADDRINUSE. The public fields are set by then.
 */
int tg_ctl_open(struct tg_ctl_server *server, const char *path, struct tg_why *why);
/* Serves until tg_ctl_stop. */
void tg_ctl_run(struct tg_ctl_server *server);
/* Any thread, any number of times. */
void tg_ctl_stop(struct tg_ctl_server *server);
/* After tg_ctl_run has returned. Removes the socket. */
void tg_ctl_close(struct tg_ctl_server *server);

#endif
