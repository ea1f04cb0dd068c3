/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/run/ctl.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/run/log.h"

/* How often a generation that a time-out left behind is looked at. */
#define RECLAIM_MS 20
/* Until the next try when there are no descriptors left to accept with. */
#define ACCEPT_PAUSE_MS 100

/* What a daemon may send. One byte more than the longest, so that a longer one shows. */
union message {
	struct tg_ctl_header h;
	struct tg_ctl_publish publish;
	struct tg_ctl_stats_request stats_request;
	uint8_t bytes[sizeof(struct tg_ctl_publish) + 1];
};

struct received {
	union message msg;
	size_t len;
	int fds[TG_CTL_MAX_FDS];
	unsigned n_fds;
	bool cut; /* message or descriptors did not fit */
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/*
 * Does somebody listen there? A datagram socket asks without disturbing: a listener of another type
 * is EPROTOTYPE, a socket file that outlived its process ECONNREFUSED.
 */
static bool is_stale(const struct sockaddr_un *addr)
{
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct stat st;
	bool stale;

	if (fd < 0)
		return false;
	stale = lstat(addr->sun_path, &st) == 0 && S_ISSOCK(st.st_mode) &&
		connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) != 0 &&
		errno == ECONNREFUSED;
	close(fd);
	return stale;
}

static void make_folder(const char *path)
{
	char folder[TG_CONFIG_CONTROL_MAX + 1];
	char *slash;

	memcpy(folder, path, strlen(path) + 1);
	slash = strrchr(folder, '/');
	if (!slash || slash == folder)
		return;
	*slash = 0;
	(void)mkdir(folder, 0755); /* bind says what is wrong if this did not help */
}

static int bind_socket(int fd, const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	memcpy(addr.sun_path, path, strlen(path) + 1);
	/* Linux gives the socket file the mode of the unbound socket: no moment with a wider one. */
	if (fchmod(fd, 0600) != 0)
		return -errno;
	make_folder(path);
	if (is_stale(&addr))
		(void)unlink(path);
	if (bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) != 0)
		return -errno;
	return listen(fd, 4) == 0 ? 0 : -errno;
}

int tg_ctl_open(struct tg_ctl_server *server, const char *path, struct tg_why *why)
{
	int rc;

	if (strlen(path) > TG_CONFIG_CONTROL_MAX)
		return tg_why_set(why, -ENAMETOOLONG, "%s: too long for a socket", path);
	memcpy(server->path, path, strlen(path) + 1);
	server->conn_fd = -1;
	server->started_ms = now_ms();
	server->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (server->stop_fd < 0)
		return tg_why_set(why, -errno, "eventfd: %s", strerror(errno));
	server->listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (server->listen_fd < 0) {
		rc = tg_why_set(why, -errno, "%s: %s", path, strerror(errno));
		goto err_stop;
	}
	rc = bind_socket(server->listen_fd, path);
	if (rc != 0) {
		(void)tg_why_set(why, rc, "%s: %s", path, strerror(-rc));
		goto err_listen;
	}
	return 0;

err_listen:
	close(server->listen_fd);
err_stop:
	close(server->stop_fd);
	return rc;
}

void tg_ctl_close(struct tg_ctl_server *server)
{
	if (server->conn_fd >= 0)
		close(server->conn_fd);
	close(server->listen_fd);
	close(server->stop_fd);
	(void)unlink(server->path);
}

void tg_ctl_stop(struct tg_ctl_server *server)
{
	const uint64_t one = 1;

	if (write(server->stop_fd, &one, sizeof(one)) < 0)
		return; /* EAGAIN: told often enough */
}

static void drop_connection(struct tg_ctl_server *server, const char *reason)
{
	if (server->conn_fd < 0)
		return;
	tg_log(RTE_LOG_INFO, "control: %s", reason);
	close(server->conn_fd);
	server->conn_fd = -1;
}

/* A daemon that does not read its answers is dropped, not waited for. */
static void reply(struct tg_ctl_server *server, const void *msg, size_t len)
{
	if (server->conn_fd >= 0 &&
	    send(server->conn_fd, msg, len, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)len)
		drop_connection(server, "the daemon does not read: connection closed");
}

static struct tg_ctl_header header(enum tg_ctl_type type)
{
	return (struct tg_ctl_header){ TG_CTL_MAGIC, TG_CTL_VERSION, (uint16_t)type };
}

static void send_hello(struct tg_ctl_server *server)
{
	/* Without the lock: this is the thread that writes it. */
	const struct tg_held *held = server->swap->held;
	const struct tg_ctl_hello hello = {
		.h = header(TG_CTL_HELLO),
		.generation = held ? held->gen.number : 0,
		.base_id = held ? tg_part_id(held->part[TG_PART_BASE]) : 0,
		.delta_id = held ? tg_part_id(held->part[TG_PART_DELTA]) : 0,
		.policy_id = held ? tg_part_id(held->part[TG_PART_POLICY]) : 0,
		.pid = (uint32_t)getpid(),
		.n_workers = server->swap->n_workers,
		.n_ports = server->n_ports,
	};

	reply(server, &hello, sizeof(hello));
}

static void send_stats(struct tg_ctl_server *server)
{
	const struct tg_held *held = server->swap->held;
	struct tg_ctl_stats *stats = calloc(1, sizeof(*stats));

	if (!stats) {
		drop_connection(server, "out of memory: connection closed");
		return;
	}
	stats->h = header(TG_CTL_STATS);
	stats->generation = held ? held->gen.number : 0;
	stats->generation_hash = held ? held->gen.hash : 0;
	stats->uptime_ms = now_ms() - server->started_ms;
	server->sum(server->sum_ctx, &stats->sum);
	reply(server, stats, sizeof(*stats));
	free(stats);
}

static void refuse(struct tg_ctl_server *server, const char *text)
{
	struct tg_ctl_ack ack = { .h = header(TG_CTL_ACK), .status = -EPROTO };

	memcpy(ack.text, text, strlen(text));
	reply(server, &ack, sizeof(ack));
	drop_connection(server, text);
}

static void publish(struct tg_ctl_server *server, const struct received *r)
{
	struct tg_ctl_ack ack;

	tg_swap_apply(server->swap, &r->msg.publish, r->fds, r->n_fds, &ack);
	if (ack.status == 0)
		tg_log(RTE_LOG_DEBUG, "generation %" PRIu64 " in force after %" PRIu64 " us",
		       ack.generation, ack.swap_ns / 1000);
	else
		tg_log(RTE_LOG_WARNING, "generation %" PRIu64 ": %s", ack.generation, ack.text);
	reply(server, &ack, sizeof(ack));
}

static void handle(struct tg_ctl_server *server, const struct received *r)
{
	if (r->cut || r->len < sizeof(r->msg.h) || r->msg.h.magic != TG_CTL_MAGIC)
		refuse(server, "message of another protocol");
	else if (r->msg.h.version != TG_CTL_VERSION)
		refuse(server, "message of another version");
	else if (r->msg.h.type == TG_CTL_PUBLISH && r->len == sizeof(r->msg.publish))
		publish(server, r);
	else if (r->msg.h.type == TG_CTL_STATS_REQUEST && r->len == sizeof(r->msg.stats_request))
		send_stats(server);
	else
		refuse(server, "message of unknown type or wrong length");
}

static void take_fds(struct msghdr *mh, struct received *r)
{
	struct cmsghdr *c;
	int fd;

	for (c = CMSG_FIRSTHDR(mh); c; c = CMSG_NXTHDR(mh, c)) {
		size_t n, i;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (r->n_fds < TG_CTL_MAX_FDS) {
				r->fds[r->n_fds++] = fd;
			} else {
				r->cut = true;
				close(fd);
			}
		}
	}
}

/* 1: a message; 0: nothing to read; -1: the connection is gone. */
static int receive(int fd, struct received *r)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE((TG_CTL_MAX_FDS + 1) * sizeof(int))];
	} control;
	struct iovec iov = { &r->msg, sizeof(r->msg.bytes) };
	struct msghdr mh = { .msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control) };
	ssize_t n;

	memset(r, 0, sizeof(*r));
	n = recvmsg(fd, &mh, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	if (n == 0)
		return -1;
	r->len = (size_t)n;
	r->cut = (mh.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
	take_fds(&mh, r);
	return 1;
}

static void serve(struct tg_ctl_server *server)
{
	struct received r;
	unsigned i;
	const int rc = receive(server->conn_fd, &r);

	if (rc < 0)
		drop_connection(server, "the daemon has gone; what is in force stays");
	if (rc <= 0)
		return;
	handle(server, &r);
	for (i = 0; i < r.n_fds; i++)
		close(r.fds[i]);
}

/* The connection stays in the backlog and the socket readable: without a pause this loop would spin. */
static void pause_accepting(struct tg_ctl_server *server, int error)
{
	if (error != EMFILE && error != ENFILE && error != ENOBUFS && error != ENOMEM)
		return;
	if (server->accept_after_ms == 0)
		tg_log(RTE_LOG_ERR, "control: cannot accept: %s; the daemon waits",
		       strerror(error));
	server->accept_after_ms = now_ms() + ACCEPT_PAUSE_MS;
}

static void welcome(struct tg_ctl_server *server)
{
	const int fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0) {
		pause_accepting(server, errno);
		return;
	}
	server->accept_after_ms = 0;
	drop_connection(server, "a newer connection replaces the daemon's");
	server->conn_fd = fd;
	tg_log(RTE_LOG_INFO, "control: a daemon has connected");
	send_hello(server);
}

void tg_ctl_run(struct tg_ctl_server *server)
{
	for (;;) {
		const bool paused = now_ms() < server->accept_after_ms;
		struct pollfd fds[] = {
			{ .fd = server->stop_fd, .events = POLLIN },
			{ .fd = paused ? -1 : server->listen_fd, .events = POLLIN },
			{ .fd = server->conn_fd, .events = POLLIN }, /* -1 is skipped */
		};
		const bool clean = tg_swap_reclaim(server->swap);

		if (poll(fds, TG_ARRAY_LEN(fds), clean && !paused ? -1 : RECLAIM_MS) < 0)
			continue;
		if (fds[0].revents)
			return;
		if (fds[2].revents)
			serve(server);
		if (fds[1].revents)
			welcome(server);
	}
}
