/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The daemon's end of ctl.h: the connection to tollgate-dp, kept up and made again, and a generation's
 * way through it. Does not know where images come from nor what is to be in force.
 *
 * Threads: the loop's. Callbacks come from the loop, never from inside a call of the functions below.
 */
#ifndef TG_CONTROL_PUBLISH_H
#define TG_CONTROL_PUBLISH_H

#include "control/memimage.h"
#include "tollgate/ctl.h"

struct event_base;
struct tg_publish;

struct tg_publish_callbacks {
	/* The dataplane is there, and this is in force. */
	void (*hello)(void *ctx, const struct tg_ctl_hello *hello);
	void (*ack)(void *ctx, const struct tg_ctl_ack *ack);
	void (*stats)(void *ctx, const struct tg_ctl_stats *stats);
	/* After a hello: it is gone. What was sent and not acknowledged may or may not be in force. */
	void (*gone)(void *ctx, const char *why);
	void *ctx;
};

/* Connects to the dataplane's socket, again and again, from the loop's next turn on. `path` NULL:
 * only what tg_publish_attach is given. */
int tg_publish_open(struct event_base *loop, const char *path,
		    const struct tg_publish_callbacks *cb, struct tg_publish **publish);
void tg_publish_close(struct tg_publish *publish);

/* Takes over a connected SOCK_SEQPACKET descriptor instead of connecting. */
int tg_publish_attach(struct tg_publish *publish, int fd);

/* Between hello and gone. */
bool tg_publish_connected(const struct tg_publish *publish);

/* What changes against what is in force; NULL = stays. */
struct tg_publish_parts {
	const struct tg_memimage *base;
	const struct tg_memimage *delta;
	const struct tg_memimage *policy;
	bool no_delta;
};

/* One at a time: the next after ack or gone. -ENOTCONN; any other error also drops the connection
 * (gone follows), as does a dataplane that does not acknowledge within 30 s. */
int tg_publish_send(struct tg_publish *publish, uint64_t generation,
		    const struct tg_publish_parts *parts);

int tg_publish_request_stats(struct tg_publish *publish);

#endif
