/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, rc;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

/* The descriptor goes with the first bytes. */
static int send_request(int sock, const char *text, size_t len, int fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .bytes = { 0 } };
	struct iovec iov;
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		struct cmsghdr *c;

		msg.msg_control = control.bytes;
		msg.msg_controllen = sizeof(control.bytes);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	while (len > 0) {
		ssize_t n;

		iov = (struct iovec){ (void *)(uintptr_t)text, len };
		n = sendmsg(sock, &msg, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
		msg.msg_control = NULL;
		msg.msg_controllen = 0;
	}
	return 0;
}

static enum tg_exit take_error(json_t *j, struct tg_client_error *error)
{
	const char *text = json_string_value(json_object_get(j, "text"));
	const char *file = json_string_value(json_object_get(j, "file"));
	const json_int_t code = json_integer_value(json_object_get(j, "exit"));

	error->err.line = (uint64_t)json_integer_value(json_object_get(j, "line"));
	error->err.column = (uint32_t)json_integer_value(json_object_get(j, "column"));
	tg_error_at(&error->err, -EINVAL, error->err.line, error->err.column, "%s",
		    text ? text : "refused without a reason");
	snprintf(error->file, sizeof(error->file), "%s", file ? file : "");
	return code > 0 && code <= TG_EXIT_PENDING ? (enum tg_exit)code : TG_EXIT_REFUSED;
}

/* Reads lines until the answer. */
static enum tg_exit read_answer(const struct tg_client_call *call, FILE *in, json_t **result,
				struct tg_client_error *error)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	while ((n = getline(&line, &size, in)) > 0) {
		json_t *j = json_loadb(line, (size_t)n, 0, NULL);
		json_t *progress = json_object_get(j, "progress");
		json_t *refusal = json_object_get(j, "error");
		json_t *ok = json_object_get(j, "ok");

		if (ok || refusal) {
			const enum tg_exit rc = ok ? TG_EXIT_OK : take_error(refusal, error);

			if (ok)
				*result = json_incref(ok);
			json_decref(j);
			free(line);
			return rc;
		}
		if (progress && call->progress)
			call->progress(call->ctx, progress);
		json_decref(j);
	}
	free(line);
	tg_error_set(&error->err, -EPIPE, "the daemon at %s went away before its answer",
		     call->socket);
	return TG_EXIT_UNREACHABLE;
}

enum tg_exit tg_client_call(const struct tg_client_call *call, json_t **result,
			    struct tg_client_error *error)
{
	enum tg_exit code = TG_EXIT_UNREACHABLE;
	char *text = json_dumps(call->request, JSON_COMPACT);
	size_t len;
	int sock, rc;
	FILE *in;

	*error = (struct tg_client_error){ .file = "" };
	json_decref(call->request);
	if (!text) {
		tg_error_set(&error->err, -EINVAL, "an argument is not UTF-8");
		return TG_EXIT_USAGE;
	}
	sock = connect_to(call->socket);
	if (sock < 0) {
		tg_error_set(&error->err, sock, "no daemon at %s: %s", call->socket,
			     strerror(-sock));
		free(text);
		return code;
	}
	len = strlen(text);
	text[len] = '\n'; /* in the place of the NUL */
	rc = send_request(sock, text, len + 1, call->fd);
	free(text);
	in = rc == 0 ? fdopen(sock, "r") : NULL;
	if (!in) {
		tg_error_set(&error->err, rc, "cannot talk to the daemon at %s: %s", call->socket,
			     strerror(rc == 0 ? errno : -rc));
		close(sock);
		return code;
	}
	code = read_answer(call, in, result, error);
	fclose(in);
	return code;
}
