/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/server.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "control/say.h"

#define READ_CHUNK 65536
#define MAX_FDS_READ 8 /* more than one is a mistake; what came is closed */
/* What a client that asks and never reads may make us keep: above it no progress is told and no further
 * request is begun. */
#define MAX_BACKLOG (64u << 10)

/* Until the next try when there are no descriptors left to accept with. */
#define ACCEPT_PAUSE_MS 100

struct tg_server_client {
	TAILQ_ENTRY(tg_server_client) link;
	struct tg_server *server;
	int fd;
	struct event *readable;
	struct event *writable;
	struct evbuffer *in;
	struct evbuffer *out;
	int passed_fd; /* waits for its request, or -1 */
	bool busy;     /* `rq` is being worked on */
	bool no_more;  /* the client sends nothing any more: answer, then close */
	struct tg_request rq;
};

struct tg_server {
	struct tg_server_callbacks cb;
	struct event_base *loop;
	int fd;
	struct event *acceptable;
	struct event *accept_again;
	bool short_of_fds; /* and it was said */
	struct sockaddr_un address;
	unsigned n_clients;
	TAILQ_HEAD(, tg_server_client) clients;
};

uint64_t tg_server_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void end_request(struct tg_server_client *c)
{
	json_decref(c->rq.body);
	if (c->rq.fd >= 0)
		close(c->rq.fd);
	c->rq = (struct tg_request){ .fd = -1 };
	c->busy = false;
}

static void client_free(struct tg_server_client *c)
{
	if (c->busy) {
		c->server->cb.gone(c->server->cb.ctx, &c->rq);
		end_request(c);
	}
	TAILQ_REMOVE(&c->server->clients, c, link);
	/* A place has become free. */
	if (c->server->n_clients-- == TG_SERVER_MAX_CLIENTS)
		event_add(c->server->acceptable, NULL);
	if (c->readable)
		event_free(c->readable);
	if (c->writable)
		event_free(c->writable);
	if (c->passed_fd >= 0)
		close(c->passed_fd);
	if (c->in)
		evbuffer_free(c->in);
	if (c->out)
		evbuffer_free(c->out);
	close(c->fd);
	free(c);
}

/* ---- answers ------------------------------------------------------------------------------------- */

/* Only queues: the client is written to, and freed, by the loop alone. */
static void reply(struct tg_server_client *c, const char *key, json_t *value)
{
	json_t *j = json_pack("{s:o}", key, value);
	char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;

	json_decref(j);
	if (!text)
		text = strdup("{\"error\":{\"text\":\"no memory\",\"exit\":6}}");
	if (text) {
		evbuffer_add(c->out, text, strlen(text));
		evbuffer_add(c->out, "\n", 1);
	}
	free(text);
	event_add(c->writable, NULL);
}

static bool is_backlogged(const struct tg_server_client *c)
{
	return evbuffer_get_length(c->out) >= MAX_BACKLOG;
}

void tg_request_progress(struct tg_request *rq, json_t *progress)
{
	if (!is_backlogged(rq->client))
		reply(rq->client, "progress", progress);
	else
		json_decref(progress);
}

void tg_request_ok(struct tg_request *rq, json_t *result)
{
	struct tg_server_client *c = rq->client;

	end_request(c);
	reply(c, "ok", result);
}

void tg_request_error(struct tg_request *rq, enum tg_exit exit_code, const char *file,
		      const struct tg_error *err)
{
	struct tg_server_client *c = rq->client;
	/* Whatever stood in the input may be in the text; JSON wants UTF-8. */
	json_t *text = json_string(err->text);
	json_t *j = json_pack("{s:o, s:i}", "text", text ? text : json_string("not UTF-8"), "exit",
			      (int)exit_code);

	if (file)
		json_object_set_new(j, "file", json_string(file));
	if (err->line)
		json_object_set_new(j, "line", json_integer((json_int_t)err->line));
	if (err->column)
		json_object_set_new(j, "column", json_integer(err->column));
	end_request(c);
	reply(c, "error", j);
}

/* ---- requests ------------------------------------------------------------------------------------ */

static void begin_request(struct tg_server_client *c, const char *line, size_t len)
{
	struct tg_error err = { .code = -EINVAL };
	json_error_t why;

	c->busy = true;
	c->rq = (struct tg_request){ .fd = c->passed_fd,
				     .received_ns = tg_server_now_ns(),
				     .client = c };
	c->passed_fd = -1;
	c->rq.body = json_loadb(line, len, JSON_REJECT_DUPLICATES, &why);
	if (c->rq.body && json_is_object(c->rq.body)) {
		c->server->cb.request(c->server->cb.ctx, &c->rq);
		return;
	}
	tg_error_set(&err, -EINVAL, "request is no JSON object: %s",
		     c->rq.body ? "another type of value" : why.text);
	tg_request_error(&c->rq, TG_EXIT_REFUSED, NULL, &err);
}

/* False if there is no whole request. */
static bool next_request(struct tg_server_client *c)
{
	size_t len;
	char *line;

	if (c->busy || is_backlogged(c))
		return false;
	line = evbuffer_readln(c->in, &len, EVBUFFER_EOL_LF);
	if (!line)
		return false;
	begin_request(c, line, len);
	free(line);
	return true;
}

static void refuse_oversize(struct tg_server_client *c)
{
	struct tg_error err = { .code = -EMSGSIZE };

	tg_error_set(&err, -EMSGSIZE, "request is longer than %u bytes", TG_SERVER_MAX_REQUEST);
	evbuffer_drain(c->in, evbuffer_get_length(c->in));
	c->busy = true;
	c->rq = (struct tg_request){ .fd = -1, .client = c };
	tg_request_error(&c->rq, TG_EXIT_REFUSED, NULL, &err);
	c->no_more = true;
	event_del(c->readable);
}

static void take_fds(struct tg_server_client *c, struct msghdr *msg)
{
	struct cmsghdr *m;

	for (m = CMSG_FIRSTHDR(msg); m; m = CMSG_NXTHDR(msg, m)) {
		size_t i, n;

		if (m->cmsg_level != SOL_SOCKET || m->cmsg_type != SCM_RIGHTS)
			continue;
		n = (m->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(m) + i * sizeof(int), sizeof(fd));
			if (c->passed_fd < 0)
				c->passed_fd = fd;
			else
				close(fd);
		}
	}
}

static ssize_t receive(struct tg_server_client *c)
{
	static char chunk[READ_CHUNK];
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * MAX_FDS_READ)];
	} control;
	struct iovec iov = { chunk, sizeof(chunk) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.bytes,
			      .msg_controllen = sizeof(control.bytes) };
	const ssize_t n = recvmsg(c->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n < 0)
		return -errno;
	take_fds(c, &msg);
	if (n > 0 && evbuffer_add(c->in, chunk, (size_t)n) != 0)
		return -ENOMEM;
	return n;
}

/* The end of what the client sends. A connection that is shut down one way only (`... | nc -U`) still
 * gets its answers; only one that is closed is gone. */
static bool is_closed(int fd)
{
	struct pollfd p = { .fd = fd };

	return poll(&p, 1, 0) < 0 || (p.revents & (POLLHUP | POLLERR));
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct tg_server_client *c = arg;
	const ssize_t n = receive(c);

	(void)what;
	if (n == -EAGAIN || n == -EINTR)
		return;
	if (n < 0) {
		client_free(c);
		return;
	}
	if (n == 0 && is_closed(fd)) {
		client_free(c);
		return;
	}
	if (n == 0) {
		c->no_more = true;
		event_del(c->readable);
	}
	while (next_request(c))
		;
	if (evbuffer_get_length(c->in) > TG_SERVER_MAX_REQUEST) {
		if (c->busy || is_backlogged(c))
			client_free(c); /* pipelines a megabyte, and waits for or reads nothing */
		else
			refuse_oversize(c);
	} else if (c->no_more && !c->busy) {
		event_add(c->writable, NULL); /* closes once all is written */
	}
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct tg_server_client *c = arg;

	(void)what;
	if (evbuffer_get_length(c->out) > 0 && evbuffer_write(c->out, fd) < 0 && errno != EAGAIN &&
	    errno != EINTR) {
		client_free(c);
		return;
	}
	if (evbuffer_get_length(c->out) > 0) {
		event_add(c->writable, NULL);
		return;
	}
	/* Requests that were sent before the answer to the one in front of them. */
	while (next_request(c))
		;
	if (c->no_more && !c->busy && evbuffer_get_length(c->out) == 0)
		client_free(c);
}

static void client_new(struct tg_server *s, int fd)
{
	struct tg_server_client *c = calloc(1, sizeof(*c));

	if (!c) {
		close(fd);
		return;
	}
	c->server = s;
	c->fd = fd;
	c->passed_fd = -1;
	c->rq.fd = -1;
	c->in = evbuffer_new();
	c->out = evbuffer_new();
	c->readable = event_new(s->loop, fd, EV_READ | EV_PERSIST, on_readable, c);
	c->writable = event_new(s->loop, fd, EV_WRITE, on_writable, c);
	TAILQ_INSERT_TAIL(&s->clients, c, link);
	s->n_clients++;
	/* Clients that are too many wait in the backlog. */
	if (s->n_clients == TG_SERVER_MAX_CLIENTS)
		event_del(s->acceptable);
	if (!c->in || !c->out || !c->readable || !c->writable || event_add(c->readable, NULL) != 0)
		client_free(c);
}

/* The connection stays in the backlog and the socket readable: without a pause the loop would spin. */
static void pause_accepting(struct tg_server *s, int error)
{
	const struct timeval tv = { 0, ACCEPT_PAUSE_MS * 1000 };

	if (!s->short_of_fds)
		tg_say("%s: cannot accept: %s; clients wait", s->address.sun_path, strerror(error));
	s->short_of_fds = true;
	event_del(s->acceptable);
	event_add(s->accept_again, &tv);
}

static void on_acceptable(evutil_socket_t fd, short what, void *arg)
{
	const int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct tg_server *s = arg;

	(void)what;
	if (client >= 0) {
		s->short_of_fds = false;
		client_new(s, client);
	} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
		pause_accepting(s, errno);
	}
}

static void on_accept_again(evutil_socket_t fd, short what, void *arg)
{
	struct tg_server *s = arg;

	(void)fd;
	(void)what;
	if (s->n_clients < TG_SERVER_MAX_CLIENTS)
		event_add(s->acceptable, NULL);
}

/* A socket file that nobody listens on is what a killed daemon leaves behind. Connecting to a file that
 * is no socket is ECONNREFUSED as well: that one is somebody's, and stays. */
static int remove_dead_socket(const struct sockaddr_un *address)
{
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat st;
	int rc = 0;

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN)
		rc = -EADDRINUSE;
	else if (errno == ECONNREFUSED && lstat(address->sun_path, &st) == 0 &&
		 S_ISSOCK(st.st_mode) && unlink(address->sun_path) != 0)
		rc = -errno;
	close(fd);
	return rc;
}

static int listen_at(struct tg_server *s)
{
	mode_t before;
	int rc;

	rc = remove_dead_socket(&s->address);
	if (rc != 0)
		return rc;
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0)
		return -errno;
	/* Not for a moment open to all; a chmod afterwards would be too late. */
	before = umask(0117);
	rc = bind(s->fd, (const struct sockaddr *)&s->address, sizeof(s->address));
	rc = rc != 0 ? -errno : 0;
	umask(before);
	if (rc == 0 && listen(s->fd, 64) != 0)
		rc = -errno;
	return rc;
}

int tg_server_open(struct event_base *loop, const char *path, const struct tg_server_callbacks *cb,
		   struct tg_server **server, struct tg_error *err)
{
	struct tg_server *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return tg_error_set(err, -ENOMEM, "no memory");
	s->cb = *cb;
	s->loop = loop;
	s->fd = -1;
	TAILQ_INIT(&s->clients);
	s->address.sun_family = AF_UNIX;
	rc = strlen(path) < sizeof(s->address.sun_path) ? 0 : -ENAMETOOLONG;
	if (rc == 0) {
		memcpy(s->address.sun_path, path, strlen(path) + 1);
		rc = listen_at(s);
	}
	if (rc != 0)
		goto fail;
	s->acceptable = event_new(loop, s->fd, EV_READ | EV_PERSIST, on_acceptable, s);
	s->accept_again = evtimer_new(loop, on_accept_again, s);
	if (!s->acceptable || !s->accept_again || event_add(s->acceptable, NULL) != 0) {
		rc = -ENOMEM;
		goto fail;
	}
	*server = s;
	return 0;
fail:
	if (s->acceptable)
		event_free(s->acceptable);
	if (s->accept_again)
		event_free(s->accept_again);
	if (s->fd >= 0)
		close(s->fd);
	free(s);
	return tg_error_set(err, rc, "cannot listen at %s: %s", path, strerror(-rc));
}

void tg_server_close(struct tg_server *s)
{
	struct tg_server_client *c;

	if (!s)
		return;
	/* client_free takes it off the list, which the analyser does not see. */
	while ((c = TAILQ_FIRST(&s->clients)) != NULL)
		client_free(c); /* NOLINT(clang-analyzer-unix.Malloc) */
	event_free(s->acceptable);
	event_free(s->accept_again);
	close(s->fd);
	unlink(s->address.sun_path);
	free(s);
}
