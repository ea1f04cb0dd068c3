/* SPDX-License-Identifier: BSD-3-Clause */
/* The control socket: a daemon's conversation, and what is none. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "dataplane/run/ctl.h"
#include "dataplane/run/log.h"
#include "dataplane/run/swap.h"
#include "tests/support/publish.h"
#include "tests/support/tg_test.h"

struct bench {
	struct tg_swap swap;
	struct tg_ctl_server server;
	struct tg_test_set set;
	char path[64];
	pthread_t thread;
};

static void sum(void *ctx, struct tg_stats *stats)
{
	(void)ctx;
	stats->rx_packets = 42;
}

static void *serve(void *arg)
{
	tg_ctl_run(arg);
	return NULL;
}

static void bench_open(struct bench *b)
{
	struct tg_why why;

	rte_log_set_global_level(RTE_LOG_ERR); /* what is refused here is refused on purpose */
	memset(b, 0, sizeof(*b));
	tg_test_set_open(&b->set);
	snprintf(b->path, sizeof(b->path), "/tmp/tg-swap-%d/dp.sock", getpid());
	assert_int_equal(tg_swap_init(&b->swap, 3), 0);
	b->server = (struct tg_ctl_server){ .swap = &b->swap, .n_ports = 2, .sum = sum };
	if (tg_ctl_open(&b->server, b->path, &why) != 0)
		fail_msg("%s", why.text);
	assert_int_equal(pthread_create(&b->thread, NULL, serve, &b->server), 0);
}

static void bench_close(struct bench *b)
{
	tg_ctl_stop(&b->server);
	pthread_join(b->thread, NULL);
	tg_ctl_close(&b->server);
	assert_int_not_equal(access(b->path, F_OK), 0);
	*strrchr(b->path, '/') = 0;
	rmdir(b->path);
	tg_swap_fini(&b->swap);
	tg_test_set_close(&b->set);
}

static void dial_with(int fd, const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	memcpy(addr.sun_path, path, strlen(path) + 1);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
}

static int dial(const char *path)
{
	const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	dial_with(fd, path);
	return fd;
}

/* One message of that type and length, or fails after half a minute. */
static void expect(int fd, enum tg_ctl_type type, void *msg, size_t len)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct tg_ctl_header h;

	assert_int_equal(poll(&p, 1, 30000), 1);
	assert_int_equal(recv(fd, msg, len, MSG_TRUNC), (ssize_t)len);
	memcpy(&h, msg, sizeof(h));
	assert_int_equal(h.magic, TG_CTL_MAGIC);
	assert_int_equal(h.version, TG_CTL_VERSION);
	assert_int_equal(h.type, type);
}

static void expect_closed(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint8_t byte;

	assert_int_equal(poll(&p, 1, 30000), 1);
	assert_int_equal(recv(fd, &byte, 1, 0), 0);
	close(fd);
}

static void send_with_fds(int fd, const void *msg, size_t len, const int *fds, unsigned n)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(8 * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { (void *)(uintptr_t)msg, len };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (n) {
		struct cmsghdr *c;

		mh.msg_control = &control;
		mh.msg_controllen = CMSG_SPACE(n * sizeof(int));
		c = CMSG_FIRSTHDR(&mh);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	}
	assert_int_equal(sendmsg(fd, &mh, 0), (ssize_t)len);
}

static struct tg_ctl_ack ask(int fd, const struct bench *b, uint64_t generation, uint32_t parts)
{
	const struct tg_ctl_publish msg = tg_test_publish(generation, parts, &b->set);
	int fds[TG_CTL_MAX_FDS];
	const unsigned n = tg_test_fds(parts, &b->set, fds);
	struct tg_ctl_ack ack;

	send_with_fds(fd, &msg, sizeof(msg), fds, n);
	expect(fd, TG_CTL_ACK, &ack, sizeof(ack));
	return ack;
}

static unsigned open_descriptors(void)
{
	unsigned n = 0;
	int fd;

	for (fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* Nothing left to accept with: the daemon waits, the thread does not spin, and then it goes on. */
TG_TEST(ctl_waits_for_descriptors, TG_NEEDS_NOTHING)
{
	const struct timespec while_out = { .tv_nsec = 300000000 };
	struct tg_ctl_hello hello;
	struct timespec before, after;
	struct rlimit old, none;
	clockid_t clock;
	struct bench b;
	int fd, lowest;

	bench_open(&b);
	assert_int_equal(pthread_getcpuclockid(b.thread, &clock), 0);
	getrlimit(RLIMIT_NOFILE, &old);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	lowest = dup(fd);
	close(lowest);
	none = (struct rlimit){ (rlim_t)lowest, old.rlim_max };
	setrlimit(RLIMIT_NOFILE, &none);
	dial_with(fd, b.path);
	clock_gettime(clock, &before);
	nanosleep(&while_out, NULL);
	clock_gettime(clock, &after);
	setrlimit(RLIMIT_NOFILE, &old);
	/* A tenth of the time would be a hundred times what it takes. */
	assert_true((after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec <
		    30000000);
	expect(fd, TG_CTL_HELLO, &hello, sizeof(hello));
	close(fd);
	bench_close(&b);
}

TG_TEST(ctl_speaks_the_protocol, TG_NEEDS_NOTHING)
{
	const struct tg_ctl_stats_request request = { { TG_CTL_MAGIC, TG_CTL_VERSION,
							TG_CTL_STATS_REQUEST } };
	static struct tg_ctl_stats stats;
	struct tg_ctl_hello hello;
	unsigned descriptors;
	struct stat st;
	struct bench b;
	int fd, second;

	bench_open(&b);
	assert_int_equal(stat(b.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	fd = dial(b.path);
	expect(fd, TG_CTL_HELLO, &hello, sizeof(hello));
	assert_int_equal(hello.generation, 0);
	assert_int_equal(hello.n_workers, 3);
	assert_int_equal(hello.n_ports, 2);
	assert_int_equal(hello.pid, getpid());

	descriptors = open_descriptors();
	assert_int_equal(ask(fd, &b, 7, TG_TEST_ALL_PARTS).status, 0);
	assert_int_equal(ask(fd, &b, 7, TG_TEST_ALL_PARTS).status, -ESTALE);
	assert_int_equal(ask(fd, &b, 8, TG_CTL_PART_DELTA).status, 0);

	send_with_fds(fd, &request, sizeof(request), NULL, 0);
	expect(fd, TG_CTL_STATS, &stats, sizeof(stats));
	/* The descriptors that came are closed: they were before this request was read. */
	assert_int_equal(open_descriptors(), descriptors);
	assert_int_equal(stats.generation, 8);
	assert_int_equal(stats.generation_hash, tg_swap_current(&b.swap)->hash);
	assert_int_equal(stats.sum.rx_packets, 42);

	second = dial(b.path); /* the daemon was restarted */
	expect(second, TG_CTL_HELLO, &hello, sizeof(hello));
	assert_int_equal(hello.generation, 8);
	assert_int_equal(hello.base_id, b.set.base.id);
	assert_int_equal(hello.delta_id, b.set.delta.id);
	assert_int_equal(hello.policy_id, b.set.policy.id);
	expect_closed(fd);
	assert_int_equal(ask(second, &b, 9, TG_CTL_PART_NO_DELTA).status, 0);
	close(second);
	bench_close(&b);
}

TG_TEST(ctl_refuses_what_it_does_not_know, TG_NEEDS_NOTHING)
{
	struct tg_ctl_publish good, msg;
	struct tg_ctl_hello hello;
	struct tg_ctl_ack ack;
	unsigned descriptors, i;
	struct bench b;
	int fd;

	bench_open(&b);
	descriptors = open_descriptors();
	good = tg_test_publish(1, TG_TEST_ALL_PARTS, &b.set);
	for (i = 0; i < 6; i++) {
		const int many[5] = { b.set.base_fd, b.set.delta_fd, b.set.policy_fd, b.set.base_fd,
				      b.set.base_fd };
		uint8_t bytes[sizeof(msg) + 8] = { 0 };
		size_t len = sizeof(msg);

		msg = good;
		msg.h.magic ^= i == 0;
		msg.h.version += i == 1;
		msg.h.type = i == 2 ? TG_CTL_TYPE_COUNT : msg.h.type;
		len = i == 3 ? len - 1 : i == 4 ? len + 8 : len;
		memcpy(bytes, &msg, sizeof(msg));
		fd = dial(b.path);
		expect(fd, TG_CTL_HELLO, &hello, sizeof(hello));
		send_with_fds(fd, bytes, len, many, i == 5 ? 5 : 3);
		expect(fd, TG_CTL_ACK, &ack, sizeof(ack));
		assert_int_equal(ack.status, -EPROTO);
		assert_true(ack.text[0] != 0);
		expect_closed(fd);
	}
	assert_null(tg_swap_current(&b.swap));
	fd = dial(b.path);
	expect(fd, TG_CTL_HELLO, &hello, sizeof(hello));       /* so it is done with the last one */
	assert_int_equal(open_descriptors(), descriptors + 2); /* this connection's two ends */
	close(fd);
	bench_close(&b);
}

TG_TEST(ctl_replaces_a_dead_socket_but_not_a_live_one, TG_NEEDS_NOTHING)
{
	struct tg_ctl_server second = { .swap = NULL };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct tg_ctl_hello hello;
	struct tg_why why;
	struct bench b;
	int fd;

	bench_open(&b);
	fd = dial(b.path);
	expect(fd, TG_CTL_HELLO, &hello, sizeof(hello));
	assert_int_equal(tg_ctl_open(&second, b.path, &why), -EADDRINUSE);
	assert_int_equal(ask(fd, &b, 1, TG_TEST_ALL_PARTS).status,
			 0); /* and nobody was disturbed */
	close(fd);
	bench_close(&b);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "/tmp/tg-dead-%d", getpid());
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	close(fd); /* what kill -9 leaves behind */
	assert_int_equal(tg_ctl_open(&second, addr.sun_path, &why), 0);
	tg_ctl_close(&second);

	fd = open(addr.sun_path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(fd); /* somebody's file is not ours to remove */
	assert_int_equal(tg_ctl_open(&second, addr.sun_path, &why), -EADDRINUSE);
	assert_int_equal(unlink(addr.sun_path), 0);
}
