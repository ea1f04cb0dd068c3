/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The operator's Unix socket: newline-delimited JSON, one request at a time on a connection. A
 * descriptor may come with a request (SCM_RIGHTS), so that the daemon reads a feed with the rights of
 * whoever sent it.
 *
 *	-> {"op": "import", "source": "acme", ...}
 *	<- {"progress": {...}}                       any number of them
 *	<- {"ok": {...}} or {"error": {"text", "file", "line", "column", "exit"}}
 *
 * Knows no operation. Threads: the loop's; callbacks come from the loop only.
 */
#ifndef TG_CONTROL_SERVER_H
#define TG_CONTROL_SERVER_H

#include <jansson.h>

#include "control/error.h"
#include "control/exit.h"

struct event_base;
struct tg_server;
struct tg_server_client;

#define TG_SERVER_MAX_CLIENTS 64
#define TG_SERVER_MAX_REQUEST (1u << 20) /* a policy's text is in it */

/* One request, to be answered exactly once, now or later. */
struct tg_request {
	json_t *body;	      /* an object; the server's until the answer */
	int fd;		      /* that came with it, or -1; whoever takes it sets it to -1 */
	uint64_t received_ns; /* monotonic */
	void *work;	      /* the callbacks' own */
	struct tg_server_client *client;
};

struct tg_server_callbacks {
	void (*request)(void *ctx, struct tg_request *rq);
	/* The client is gone before its answer; rq ends with this call. */
	void (*gone)(void *ctx, struct tg_request *rq);
	void *ctx;
};

/* `path` gets mode 0660. -EADDRINUSE when somebody listens there; a dead socket is replaced. */
int tg_server_open(struct event_base *loop, const char *path, const struct tg_server_callbacks *cb,
		   struct tg_server **server, struct tg_error *err);
/* Requests that are not answered yet are gone. */
void tg_server_close(struct tg_server *server);

/* Each takes over the JSON value. rq ends with ok and error. Progress is left out while the client
 * does not read. */
void tg_request_progress(struct tg_request *rq, json_t *progress);
void tg_request_ok(struct tg_request *rq, json_t *result);
/* `file` may be NULL. */
void tg_request_error(struct tg_request *rq, enum tg_exit exit_code, const char *file,
		      const struct tg_error *err);

/* Monotonic, ns. */
uint64_t tg_server_now_ns(void);

#endif
