/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tgctl's end of server.h: one request, its progress, its answer. Blocking.
 */
#ifndef TG_CONTROL_CLIENT_H
#define TG_CONTROL_CLIENT_H

#include <jansson.h>

#include "control/error.h"
#include "control/exit.h"

struct tg_client_call {
	const char *socket;
	json_t *request; /* taken over */
	int fd;		 /* goes with the request; -1 = none; stays the caller's */
	void (*progress)(void *ctx, json_t *progress); /* may be NULL */
	void *ctx;
};

struct tg_client_error {
	struct tg_error err;
	char file[256]; /* empty = none */
};

/* TG_EXIT_OK with *result (a new reference), or another exit code with *error. */
enum tg_exit tg_client_call(const struct tg_client_call *call, json_t **result,
			    struct tg_client_error *error);

#endif
