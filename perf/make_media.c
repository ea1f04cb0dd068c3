/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Media for perf/xdp: UDP of 172 bytes (RTP with 20 ms of G.711) from one namespace to another.
 *
 *	make_media flood SRC DST PORT SECONDS         as fast as one thread can
 *	make_media pace SRC DST PORT RATE SECONDS     evenly, each packet with the time it was sent
 *	make_media watch ADDR PORT                    until SIGTERM: how long paced packets took, as JSON
 *
 * Time is the kernel's, taken when the far end's interface has the packet: no wake-up is in it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PACKET 172
#define BATCH 32
#define SAMPLES_MAX (1 << 20)

static volatile sig_atomic_t quit;

static void on_signal(int sig)
{
	(void)sig;
	quit = 1;
}

static uint64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static struct sockaddr_in address(const char *addr, const char *port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };

	if (inet_pton(AF_INET, addr, &sin.sin_addr) != 1) {
		fprintf(stderr, "%s: no address\n", addr);
		exit(2);
	}
	return sin;
}

static int open_bound(const char *addr, const char *port)
{
	const struct sockaddr_in sin = address(addr, port);
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), size = 16 << 20;

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (fd < 0 || bind(fd, (const struct sockaddr *)&sin, sizeof(sin)) != 0) {
		perror(addr);
		exit(1);
	}
	return fd;
}

static int open_connected(char **argv)
{
	const struct sockaddr_in to = address(argv[3], argv[4]);
	const int fd = open_bound(argv[2], "0");

	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0) {
		perror(argv[3]);
		exit(1);
	}
	return fd;
}

static int flood(char **argv)
{
	const int fd = open_connected(argv);
	const uint64_t begin = clock_ns(CLOCK_MONOTONIC), cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	const uint64_t end = begin + (uint64_t)(atof(argv[5]) * 1e9);
	static uint8_t packet[PACKET];
	struct iovec iov = { packet, sizeof(packet) };
	struct mmsghdr messages[BATCH];
	uint64_t sent = 0;
	unsigned i;
	int n;

	memset(messages, 0, sizeof(messages));
	for (i = 0; i < BATCH; i++)
		messages[i].msg_hdr = (struct msghdr){ .msg_iov = &iov, .msg_iovlen = 1 };
	while (!quit && clock_ns(CLOCK_MONOTONIC) < end) {
		n = sendmmsg(fd, messages, BATCH, 0);
		sent += n > 0 ? (unsigned)n : 0;
	}
	printf("{\"sent\": %" PRIu64 ", \"ns\": %" PRIu64 ", \"cpu_ns\": %" PRIu64 "}\n", sent,
	       clock_ns(CLOCK_MONOTONIC) - begin, clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu);
	return 0;
}

static int pace(char **argv)
{
	const int fd = open_connected(argv);
	const double rate = atof(argv[5]);
	const uint64_t total = (uint64_t)(rate * atof(argv[6]));
	const uint64_t begin = clock_ns(CLOCK_MONOTONIC);
	uint8_t packet[PACKET] = { 0 };
	uint64_t i, now;

	for (i = 0; i < total && !quit; i++) {
		const uint64_t due = begin + (uint64_t)((double)i * 1e9 / rate);
		const struct timespec t = { (time_t)(due / 1000000000u),
					    (long)(due % 1000000000u) };

		(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
		now = clock_ns(CLOCK_REALTIME);
		memcpy(packet, &now, sizeof(now));
		(void)send(fd, packet, sizeof(packet), 0);
	}
	return 0;
}

static int by_value(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* When the interface had it, or 0. */
static uint64_t stamp_of(struct msghdr *m)
{
	const struct cmsghdr *c;
	struct timespec t;

	for (c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, (struct cmsghdr *)(uintptr_t)c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&t, CMSG_DATA(c), sizeof(t));
		return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
	}
	return 0;
}

static int watch(char **argv)
{
	const struct timeval wait = { .tv_usec = 50000 };
	const int fd = open_bound(argv[2], argv[3]), on = 1;
	uint64_t *took = calloc(SAMPLES_MAX, sizeof(*took)), n = 0, sent, stamp;
	uint8_t packet[2048] = { 0 }, control[128];
	ssize_t len;

	if (!took)
		return 1;
	setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	while (n < SAMPLES_MAX) {
		struct iovec iov = { packet, sizeof(packet) };
		struct msghdr m = { .msg_iov = &iov,
				    .msg_iovlen = 1,
				    .msg_control = control,
				    .msg_controllen = sizeof(control) };

		len = recvmsg(fd, &m, 0);
		if (len < 0 && quit)
			break;
		stamp = len == PACKET ? stamp_of(&m) : 0;
		memcpy(&sent, packet, sizeof(sent));
		if (stamp > sent)
			took[n++] = stamp - sent;
	}
	qsort(took, n, sizeof(*took), by_value);
	printf("{\"packets\": %" PRIu64, n);
	if (n)
		printf(", \"p50_ns\": %" PRIu64 ", \"p90_ns\": %" PRIu64 ", \"p99_ns\": %" PRIu64,
		       took[n / 2], took[n * 9 / 10], took[n * 99 / 100]);
	printf("}\n");
	free(took);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int argc;
		int (*run)(char **argv);
	} modes[] = { { "flood", 6, flood }, { "pace", 7, pace }, { "watch", 4, watch } };
	struct sigaction sa = { .sa_handler = on_signal };
	unsigned i;

	sigaction(SIGTERM, &sa, NULL);
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (argc == modes[i].argc && strcmp(argv[1], modes[i].name) == 0)
			return modes[i].run(argv);
	}
	fprintf(stderr, "usage: see the head of perf/make_media.c\n");
	return 2;
}
