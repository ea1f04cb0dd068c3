/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/publish.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define RETRY_FIRST_MS 200
#define RETRY_LAST_MS 2000
/* A new base of 100 M entries is 1 GB to validate, one second at 1 GB/s: the slowest honest answer is
 * far below this, and a dataplane that hangs is told from one that works. */
#define ACK_SECONDS 30
/* HELLO is what makes a connection: without it another program sits behind that path. */
#define HELLO_SECONDS 5

struct tg_publish {
	struct event_base *loop;
	struct tg_publish_callbacks cb;
	struct sockaddr_un address;
	bool has_address;
	int fd;
	bool connected; /* HELLO seen */
	unsigned retry_ms;
	struct event *readable;
	struct event *retry;
	struct event *deadline; /* of a HELLO or an ACK */
	struct event *broken;	/* send failed: gone is told from the loop */
	char why[128];
};

union message {
	struct tg_ctl_header h;
	struct tg_ctl_hello hello;
	struct tg_ctl_ack ack;
	struct tg_ctl_stats stats;
};

static void arm(struct event *ev, unsigned ms)
{
	const struct timeval tv = { ms / 1000, (suseconds_t)(ms % 1000) * 1000 };

	event_add(ev, &tv);
}

static void drop(struct tg_publish *p, const char *why)
{
	const bool was_connected = p->connected;

	if (p->readable) {
		event_free(p->readable);
		p->readable = NULL;
	}
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
	p->connected = false;
	event_del(p->deadline);
	event_del(p->broken);
	if (p->has_address) {
		arm(p->retry, p->retry_ms);
		p->retry_ms *= 2;
		if (p->retry_ms > RETRY_LAST_MS)
			p->retry_ms = RETRY_LAST_MS;
	}
	if (was_connected)
		p->cb.gone(p->cb.ctx, why);
}

/* One packet is one message: its size is known from its type, and nothing may be cut off. */
static bool message_ok(const union message *m, ssize_t n, int flags)
{
	static const size_t sizes[TG_CTL_TYPE_COUNT] = {
		[TG_CTL_HELLO] = sizeof(struct tg_ctl_hello),
		[TG_CTL_ACK] = sizeof(struct tg_ctl_ack),
		[TG_CTL_STATS] = sizeof(struct tg_ctl_stats),
	};

	return !(flags & MSG_TRUNC) && n >= (ssize_t)sizeof(m->h) && m->h.magic == TG_CTL_MAGIC &&
	       m->h.version == TG_CTL_VERSION && m->h.type < TG_CTL_TYPE_COUNT &&
	       sizes[m->h.type] == (size_t)n;
}

static void take_message(struct tg_publish *p, union message *m)
{
	if (m->h.type == TG_CTL_HELLO) {
		if (p->connected) {
			drop(p, "the dataplane said hello twice");
			return;
		}
		p->connected = true;
		p->retry_ms = RETRY_FIRST_MS;
		event_del(p->deadline);
		p->cb.hello(p->cb.ctx, &m->hello);
	} else if (!p->connected) {
		drop(p, "the dataplane did not say hello first");
	} else if (m->h.type == TG_CTL_ACK) {
		m->ack.text[sizeof(m->ack.text) - 1] = 0;
		event_del(p->deadline);
		p->cb.ack(p->cb.ctx, &m->ack);
	} else {
		p->cb.stats(p->cb.ctx, &m->stats);
	}
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	/* 40 KB of statistics: too much for the stack's taste, and there is one loop. */
	static union message m;
	struct tg_publish *p = arg;
	struct iovec iov = { &m, sizeof(m) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	/* Without a control buffer the kernel closes descriptors that nobody asked for. */
	const ssize_t n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	(void)what;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		drop(p, n < 0 ? strerror(errno) : "the dataplane closed the connection");
	else if (!message_ok(&m, n, msg.msg_flags))
		drop(p, "the dataplane speaks another version of the protocol");
	else
		take_message(p, &m);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct tg_publish *p = arg;

	(void)fd;
	(void)what;
	drop(p, "the dataplane does not answer");
}

static void on_broken(evutil_socket_t fd, short what, void *arg)
{
	struct tg_publish *p = arg;

	(void)fd;
	(void)what;
	drop(p, p->why);
}

int tg_publish_attach(struct tg_publish *p, int fd)
{
	p->readable = event_new(p->loop, fd, EV_READ | EV_PERSIST, on_readable, p);
	if (!p->readable || event_add(p->readable, NULL) != 0) {
		close(fd);
		return -ENOMEM;
	}
	p->fd = fd;
	arm(p->deadline, HELLO_SECONDS * 1000);
	return 0;
}

/* connect() on a Unix socket is done or refused at once: EAGAIN is a full backlog. */
static void on_retry(evutil_socket_t unused, short what, void *arg)
{
	struct tg_publish *p = arg;
	const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	(void)unused;
	(void)what;
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&p->address, sizeof(p->address)) == 0) {
		if (tg_publish_attach(p, fd) == 0)
			return;
	} else if (fd >= 0) {
		close(fd);
	}
	drop(p, "not connected");
}

int tg_publish_open(struct event_base *loop, const char *path,
		    const struct tg_publish_callbacks *cb, struct tg_publish **publish)
{
	struct tg_publish *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->loop = loop;
	p->cb = *cb;
	p->fd = -1;
	p->retry_ms = RETRY_FIRST_MS;
	p->retry = evtimer_new(loop, on_retry, p);
	p->deadline = evtimer_new(loop, on_deadline, p);
	p->broken = evtimer_new(loop, on_broken, p);
	if (!p->retry || !p->deadline || !p->broken) {
		tg_publish_close(p);
		return -ENOMEM;
	}
	if (path) {
		p->address.sun_family = AF_UNIX;
		if (strlen(path) >= sizeof(p->address.sun_path)) {
			tg_publish_close(p);
			return -ENAMETOOLONG;
		}
		memcpy(p->address.sun_path, path, strlen(path) + 1);
		p->has_address = true;
		arm(p->retry, 0);
	}
	*publish = p;
	return 0;
}

void tg_publish_close(struct tg_publish *p)
{
	struct event *events[4];
	unsigned i;

	if (!p)
		return;
	events[0] = p->readable;
	events[1] = p->retry;
	events[2] = p->deadline;
	events[3] = p->broken;
	for (i = 0; i < TG_ARRAY_LEN(events); i++) {
		if (events[i])
			event_free(events[i]);
	}
	if (p->fd >= 0)
		close(p->fd);
	free(p);
}

bool tg_publish_connected(const struct tg_publish *p)
{
	return p->connected;
}

struct fd_list {
	int fd[TG_CTL_MAX_FDS];
	unsigned n;
};

static void add_part(struct tg_ctl_publish *m, struct fd_list *fds, uint32_t part,
		     const struct tg_memimage *image)
{
	if (!image)
		return;
	m->parts |= part;
	m->length[fds->n] = image->length;
	fds->fd[fds->n++] = image->fd;
}

/* The whole message or nothing: SOCK_SEQPACKET. A full queue means that the peer no longer reads. */
static int send_message(struct tg_publish *p, const void *message, size_t size,
			const struct fd_list *fds)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * TG_CTL_MAX_FDS)];
	} control = { .bytes = { 0 } };
	struct iovec iov = { (void *)(uintptr_t)message, size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fds && fds->n > 0) {
		const size_t len = sizeof(int) * fds->n;
		struct cmsghdr *c;

		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(len);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(len);
		memcpy(CMSG_DATA(c), fds->fd, len);
	}
	return sendmsg(p->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

int tg_publish_send(struct tg_publish *p, uint64_t generation, const struct tg_publish_parts *parts)
{
	struct tg_ctl_publish m = { .h = { TG_CTL_MAGIC, TG_CTL_VERSION, TG_CTL_PUBLISH } };
	struct fd_list fds = { .n = 0 };
	int rc;

	if (!p->connected)
		return -ENOTCONN;
	m.generation = generation;
	m.parts = parts->no_delta ? TG_CTL_PART_NO_DELTA : 0;
	add_part(&m, &fds, TG_CTL_PART_BASE, parts->base);
	add_part(&m, &fds, TG_CTL_PART_DELTA, parts->delta);
	add_part(&m, &fds, TG_CTL_PART_POLICY, parts->policy);
	rc = send_message(p, &m, sizeof(m), &fds);
	if (rc == 0) {
		arm(p->deadline, ACK_SECONDS * 1000);
		return 0;
	}
	snprintf(p->why, sizeof(p->why), "cannot send to the dataplane: %s", strerror(-rc));
	event_active(p->broken, EV_TIMEOUT, 0);
	return rc;
}

int tg_publish_request_stats(struct tg_publish *p)
{
	const struct tg_ctl_stats_request m = { .h = { TG_CTL_MAGIC, TG_CTL_VERSION,
						       TG_CTL_STATS_REQUEST } };

	/* A failure shows itself as a closed connection; statistics are not worth dropping it. */
	return p->connected ? send_message(p, &m, sizeof(m), NULL) : -ENOTCONN;
}
