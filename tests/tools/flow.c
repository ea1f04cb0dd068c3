/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A flow of numbered UDP datagrams, and what became of it: media for tests, or anything whose order and
 * completeness matters.
 *
 *	flow send SRC DST PORT RATE SECONDS    prints {"sent": N}
 *	flow recv ADDR PORT                    until SIGTERM or SIGINT: what came, as JSON
 *
 * RTP-like: a G.711 packet of 20 ms, 12 bytes of header (RFC 3550 §5.1) and 160 of payload, which
 * carries the number.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "tollgate/base.h"

#define HEADER 12
#define PAYLOAD 160
#define RECEIVE_BUFFER (64 << 20)

static volatile sig_atomic_t quit;

static void on_signal(int sig)
{
	(void)sig;
	quit = 1;
}

static int fail(const char *what)
{
	perror(what);
	return 1;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int open_bound(const char *addr, const char *port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), size = RECEIVE_BUFFER;

	if (fd < 0)
		return -1;
	/* As root beyond rmem_max: what is lost here says nothing of what is between. */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	if (inet_pton(AF_INET, addr, &sin.sin_addr) != 1 ||
	    bind(fd, (struct sockaddr *)&sin, sizeof(sin)) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* ---- send ---------------------------------------------------------------------------------------- */

static void fill(uint8_t *packet, uint64_t number)
{
	memset(packet, 0xd5, HEADER + PAYLOAD); /* A-law silence */
	packet[0] = 0x80;
	packet[1] = 8;
	packet[2] = (uint8_t)(number >> 8);
	packet[3] = (uint8_t)number;
	memcpy(packet + HEADER, &number, sizeof(number));
}

static int send_flow(int argc, char **argv)
{
	uint8_t packet[HEADER + PAYLOAD];
	uint64_t total, sent, begin, due;
	double rate;
	int fd;

	if (argc != 7)
		return 2;
	rate = atof(argv[5]);
	total = (uint64_t)(rate * atof(argv[6]));
	fd = open_bound(argv[2], "0");
	if (fd < 0)
		return fail(argv[2]);
	{
		struct sockaddr_in to = { .sin_family = AF_INET,
					  .sin_port = htons((uint16_t)atoi(argv[4])) };

		if (inet_pton(AF_INET, argv[3], &to.sin_addr) != 1 ||
		    connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
			return fail(argv[3]);
	}
	begin = now_ns();
	for (sent = 0; sent < total && !quit; sent++) {
		due = begin + (uint64_t)((double)sent * 1e9 / rate);
		if (due > now_ns()) {
			const struct timespec t = { (time_t)(due / 1000000000u),
						    (long)(due % 1000000000u) };

			(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
		}
		fill(packet, sent);
		while (send(fd, packet, sizeof(packet), 0) < 0 && errno != EINTR) {
			if (errno != ENOBUFS && errno != ECONNREFUSED)
				return fail("send");
		}
	}
	printf("{\"sent\": %" PRIu64 "}\n", sent);
	return 0;
}

/* ---- receive ------------------------------------------------------------------------------------- */

struct seen {
	uint64_t received, duplicates, reordered, foreign, highest, longest_gap_ns, last_ns;
	uint8_t *bits;
	uint64_t n_bits;
};

static bool mark(struct seen *s, uint64_t number)
{
	if (number >= s->n_bits) {
		const uint64_t n = (number + (1 << 20)) & ~UINT64_C(0xfffff);
		uint8_t *bits = realloc(s->bits, n / 8);

		if (!bits)
			abort();
		memset(bits + s->n_bits / 8, 0, (n - s->n_bits) / 8);
		s->bits = bits;
		s->n_bits = n;
	}
	if (s->bits[number / 8] & 1u << number % 8)
		return false;
	s->bits[number / 8] |= (uint8_t)(1u << number % 8);
	return true;
}

static void take(struct seen *s, const uint8_t *packet, ssize_t len)
{
	const uint64_t now = now_ns();
	uint64_t number;

	if (len != HEADER + PAYLOAD) {
		s->foreign++;
		return;
	}
	memcpy(&number, packet + HEADER, sizeof(number));
	if (number > UINT32_MAX || !mark(s, number)) {
		s->duplicates++;
		return;
	}
	if (s->received && now - s->last_ns > s->longest_gap_ns)
		s->longest_gap_ns = now - s->last_ns;
	s->last_ns = now;
	if (s->received++ && number < s->highest)
		s->reordered++;
	else
		s->highest = number;
}

static int recv_flow(int argc, char **argv)
{
	const struct timeval wait = { .tv_usec = 50000 };
	struct seen s = { 0 };
	uint8_t packet[2048];
	ssize_t n;
	int fd;

	if (argc != 4)
		return 2;
	fd = open_bound(argv[2], argv[3]);
	if (fd < 0)
		return fail(argv[2]);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	for (;;) {
		n = recv(fd, packet, sizeof(packet), 0);
		if (n >= 0)
			take(&s, packet, n);
		else if (quit && errno != EINTR)
			break; /* after a wait in which nothing came */
	}
	printf("{\"received\": %" PRIu64 ", \"missing_below_highest\": %" PRIu64
	       ", \"duplicates\": %" PRIu64 ", \"reordered\": %" PRIu64 ", \"foreign\": %" PRIu64
	       ", \"longest_gap_ms\": %.1f}\n",
	       s.received, s.received ? s.highest + 1 - s.received : 0, s.duplicates, s.reordered,
	       s.foreign, (double)s.longest_gap_ns / 1e6);
	free(s.bits);
	return 0;
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_signal };
	int rc = 2;

	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	if (argc > 1 && strcmp(argv[1], "send") == 0)
		rc = send_flow(argc, argv);
	else if (argc > 1 && strcmp(argv[1], "recv") == 0)
		rc = recv_flow(argc, argv);
	if (rc == 2)
		fprintf(stderr, "usage: %s send SRC DST PORT RATE SECONDS | recv ADDR PORT\n",
			argv[0]);
	return rc;
}
