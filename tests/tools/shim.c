/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * shim [--vlan VID[,VID]] [--lose-answers N] [--lose-each N] PLAIN WIRE: a bump between two interfaces, for tests on
 * machines without VLAN devices and without netem. Frames from PLAIN get the tags (outermost first)
 * on their way to WIRE; frames from WIRE must carry them and lose them. --lose-answers N loses the
 * first N SIP final answers 603 that come from WIRE. --lose-each N loses one frame of N in either direction,
 * by chance, but the same chance in every run. Counts to standard output on SIGTERM.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tollgate/load.h"

#define MAX_TAGS 2
#define TAG_LEN 4
#define MAX_FRAME 9728
#define PRIORITY 5 /* PCP of our tags: must come back on answers */

struct shim {
	uint16_t vid[MAX_TAGS];
	unsigned n_tags;
	unsigned lose, lose_each;
	uint64_t seed;
	unsigned long long to_wire, to_plain, lost, wrong_tags;
};

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static int open_raw(const char *name)
{
	const int on = 1;
	struct sockaddr_ll ll = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	ll.sll_ifindex = (int)if_nametoindex(name);
	if (fd < 0 || ll.sll_ifindex == 0 || bind(fd, (struct sockaddr *)&ll, sizeof(ll)) != 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)) != 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) != 0) {
		fprintf(stderr, "shim: %s: %s\n", name, strerror(errno));
		exit(1);
	}
	return fd;
}

/* The kernel takes the outermost tag out of the frame and tells it beside; put it back in. */
static ssize_t receive(int fd, uint8_t *frame, size_t size)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	} control;
	struct iovec iov = { .iov_base = frame + TAG_LEN, .iov_len = size - TAG_LEN };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.bytes,
			      .msg_controllen = sizeof(control.bytes) };
	const ssize_t n = recvmsg(fd, &msg, 0);
	struct cmsghdr *c;

	if (n < ETH_HLEN)
		return -1;
	for (c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		struct tpacket_auxdata aux;

		if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA)
			continue;
		memcpy(&aux, CMSG_DATA(c), sizeof(aux));
		if (!(aux.tp_status & TP_STATUS_VLAN_VALID))
			break;
		memmove(frame, frame + TAG_LEN, 2 * ETH_ALEN);
		tg_store_be16(frame + 2 * ETH_ALEN, aux.tp_status & TP_STATUS_VLAN_TPID_VALID
							    ? aux.tp_vlan_tpid
							    : ETH_P_8021Q);
		tg_store_be16(frame + 2 * ETH_ALEN + 2, aux.tp_vlan_tci);
		return n + TAG_LEN;
	}
	memmove(frame, frame + TAG_LEN, (size_t)n);
	return n;
}

static size_t add_tags(const struct shim *s, uint8_t *frame, size_t len)
{
	const size_t room = (size_t)s->n_tags * TAG_LEN;
	unsigned i;

	memmove(frame + 12 + room, frame + 12, len - 12);
	for (i = 0; i < s->n_tags; i++) {
		const bool outer = i + 1 < s->n_tags;

		tg_store_be16(frame + 12 + i * TAG_LEN, outer ? ETH_P_8021AD : ETH_P_8021Q);
		tg_store_be16(frame + 14 + i * TAG_LEN, (uint16_t)(PRIORITY << 13 | s->vid[i]));
	}
	return len + room;
}

/* 0 when the tags are not exactly ours. */
static size_t take_tags(const struct shim *s, uint8_t *frame, size_t len)
{
	const size_t room = (size_t)s->n_tags * TAG_LEN;
	unsigned i;

	if (len < ETH_HLEN + room)
		return 0;
	for (i = 0; i < s->n_tags; i++) {
		const uint16_t type = tg_load_be16(frame + 12 + i * TAG_LEN);

		if ((type != ETH_P_8021Q && type != ETH_P_8021AD) ||
		    tg_load_be16(frame + 14 + i * TAG_LEN) != (PRIORITY << 13 | s->vid[i]))
			return 0;
	}
	memmove(frame + 12, frame + 12 + room, len - 12 - room);
	return len - room;
}

/* xorshift64* */
static bool is_lost(struct shim *s)
{
	if (s->lose_each == 0)
		return false;
	s->seed ^= s->seed >> 12;
	s->seed ^= s->seed << 25;
	s->seed ^= s->seed >> 27;
	if ((s->seed * 0x2545f4914f6cdd1d >> 32) % s->lose_each != 0)
		return false;
	s->lost++;
	return true;
}

static void from_plain(struct shim *s, int in, int out)
{
	uint8_t frame[MAX_FRAME];
	const ssize_t n = receive(in, frame, sizeof(frame) - MAX_TAGS * TAG_LEN);

	if (n > 0 && !is_lost(s) && send(out, frame, add_tags(s, frame, (size_t)n), 0) > 0)
		s->to_wire++;
}

static void from_wire(struct shim *s, int in, int out)
{
	uint8_t frame[MAX_FRAME];
	const ssize_t n = receive(in, frame, sizeof(frame));
	const size_t len = n > 0 ? take_tags(s, frame, (size_t)n) : 0;

	if (n > 0 && len == 0)
		s->wrong_tags++;
	if (len == 0)
		return;
	if (s->lose > 0 && memmem(frame, len, "SIP/2.0 603", 11)) {
		s->lose--;
		s->lost++;
		return;
	}
	if (!is_lost(s) && send(out, frame, len, 0) > 0)
		s->to_plain++;
}

static int parse(struct shim *s, int argc, char **argv)
{
	static const struct option options[] = {
		{ "vlan", required_argument, NULL, 'v' },
		{ "lose-answers", required_argument, NULL, 'l' },
		{ "lose-each", required_argument, NULL, 'e' },
		{ NULL, 0, NULL, 0 },
	};
	char *next;
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'l') {
			s->lose = (unsigned)strtoul(optarg, NULL, 10);
		} else if (opt == 'e') {
			s->lose_each = (unsigned)strtoul(optarg, NULL, 10);
		} else if (opt == 'v') {
			for (next = optarg; *next && s->n_tags < MAX_TAGS; next += *next == ',')
				s->vid[s->n_tags++] = (uint16_t)strtoul(next, &next, 10);
		} else {
			return -1;
		}
	}
	return argc - optind == 2 ? 0 : -1;
}

int main(int argc, char **argv)
{
	const struct sigaction action = { .sa_handler = on_signal };
	struct shim s = { .seed = 1 };
	struct pollfd fds[2];

	if (parse(&s, argc, argv) != 0) {
		fprintf(stderr, "usage: shim [--vlan VID[,VID]] [--lose-answers N] [--lose-each N] "
				"PLAIN WIRE\n");
		return 2;
	}
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	fds[0] = (struct pollfd){ .fd = open_raw(argv[optind]), .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = open_raw(argv[optind + 1]), .events = POLLIN };
	while (!stop) {
		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[0].revents & POLLIN)
			from_plain(&s, fds[0].fd, fds[1].fd);
		if (fds[1].revents & POLLIN)
			from_wire(&s, fds[1].fd, fds[0].fd);
	}
	printf("to_wire %llu to_plain %llu lost %llu wrong_tags %llu\n", s.to_wire, s.to_plain,
	       s.lost, s.wrong_tags);
	return 0;
}
