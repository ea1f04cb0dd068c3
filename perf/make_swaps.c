/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A running tollgate-dp, with and without its table being swapped, as its daemon would do it:
 *
 *	make_swaps SOCKET PID ENTRIES ROUNDS SECONDS PERIOD_MS
 *
 * Builds two tables of the same numbers (each with its own secret key), then takes turns: SECONDS
 * without a swap, SECONDS with one every PERIOD_MS, counted by acknowledgement. One JSON line a turn: the
 * difference of the dataplane's own counters, and the CPU time that its busiest thread had.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/memimage.h"
#include "perf/doc.h"
#include "perf/generation.h"
#include "tollgate/ctl.h"

struct lab {
	int fd;
	int pid;
	uint64_t generation;
	struct tg_memimage *table[2];
	struct tg_memimage *policy;
	unsigned swaps;
	uint64_t swap_ns_most;	/* store to last worker's quiescent state, as acknowledged */
	double publish_ms_most; /* message to acknowledgement */
};

static double clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void sleep_until(double ms)
{
	const double left = ms - clock_ms();

	if (left > 0)
		usleep((useconds_t)(left * 1e3));
}

/* ---- the control socket -------------------------------------------------------------------------- */

static void receive(const struct lab *lab, void *message, size_t size, enum tg_ctl_type type)
{
	const ssize_t n = recv(lab->fd, message, size, 0);

	if (n != (ssize_t)size || ((const struct tg_ctl_header *)message)->type != type)
		doc_give_up("control socket",
			    n < 0 ? strerror(errno) : "another message than expected");
}

static void connect_to(struct lab *lab, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct tg_ctl_hello hello;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	lab->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (lab->fd < 0 || connect(lab->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		doc_give_up(path, strerror(errno));
	receive(lab, &hello, sizeof(hello), TG_CTL_HELLO);
	lab->generation = hello.generation;
}

static void publish(struct lab *lab, const struct tg_memimage *table)
{
	struct tg_ctl_publish m = {
		.h = { TG_CTL_MAGIC, TG_CTL_VERSION, TG_CTL_PUBLISH },
		.generation = ++lab->generation,
		.parts = TG_CTL_PART_BASE | TG_CTL_PART_POLICY,
		.length = { table->length, lab->policy->length },
	};
	const int fds[2] = { table->fd, lab->policy->fd };
	union {
		struct cmsghdr h;
		char bytes[CMSG_SPACE(sizeof(fds))];
	} control = { .h = { .cmsg_len = CMSG_LEN(sizeof(fds)),
			     .cmsg_level = SOL_SOCKET,
			     .cmsg_type = SCM_RIGHTS } };
	struct iovec iov = { &m, sizeof(m) };
	const struct msghdr msg = { .msg_iov = &iov,
				    .msg_iovlen = 1,
				    .msg_control = &control,
				    .msg_controllen = sizeof(control) };
	const double start = clock_ms();
	struct tg_ctl_ack ack;

	memcpy(CMSG_DATA(&control.h), fds, sizeof(fds));
	if (sendmsg(lab->fd, &msg, MSG_NOSIGNAL) != (ssize_t)sizeof(m))
		doc_give_up("publish", strerror(errno));
	receive(lab, &ack, sizeof(ack), TG_CTL_ACK);
	if (ack.status != 0 || ack.generation != lab->generation)
		doc_give_up("publish", ack.text);
	lab->swaps++;
	if (ack.swap_ns > lab->swap_ns_most)
		lab->swap_ns_most = ack.swap_ns;
	if (clock_ms() - start > lab->publish_ms_most)
		lab->publish_ms_most = clock_ms() - start;
}

/* ---- what a turn was like ------------------------------------------------------------------------ */

static uint64_t busiest_thread_ns(const struct lab *lab)
{
	char path[64];
	uint64_t most = 0, ns;
	struct dirent *e;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", lab->pid);
	dir = opendir(path);
	if (!dir)
		doc_give_up(path, strerror(errno));
	while ((e = readdir(dir))) {
		char file[384];
		FILE *f;

		snprintf(file, sizeof(file), "%s/%s/schedstat", path, e->d_name);
		f = e->d_name[0] == '.' ? NULL : fopen(file, "re");
		if (f && fscanf(f, "%" SCNu64, &ns) == 1 && ns > most)
			most = ns;
		if (f)
			fclose(f);
	}
	closedir(dir);
	return most;
}

struct moment {
	struct tg_ctl_stats stats;
	uint64_t cpu_ns;
};

static void look(const struct lab *lab, struct moment *m)
{
	const struct tg_ctl_stats_request ask = { { TG_CTL_MAGIC, TG_CTL_VERSION,
						    TG_CTL_STATS_REQUEST } };

	if (send(lab->fd, &ask, sizeof(ask), MSG_NOSIGNAL) != (ssize_t)sizeof(ask))
		doc_give_up("statistics", strerror(errno));
	receive(lab, &m->stats, sizeof(m->stats), TG_CTL_STATS);
	m->cpu_ns = busiest_thread_ns(lab);
}

/* What the counters counted in between: sums of words, but for the histogram's use only. */
static void difference(struct tg_stats *d, const struct tg_stats *to, const struct tg_stats *from)
{
	const uint64_t *t = (const uint64_t *)to, *f = (const uint64_t *)from;
	uint64_t *out = (uint64_t *)d;
	size_t i;

	static_assert(sizeof(*d) % sizeof(uint64_t) == 0, "nothing but counters");
	for (i = 0; i < sizeof(*d) / sizeof(uint64_t); i++)
		out[i] = t[i] - f[i];
}

static uint64_t largest(const struct tg_stats *s)
{
	unsigned b = TG_STATS_LATENCY_BUCKETS;

	while (b > 0 && s->latency[b - 1] == 0)
		b--;
	return tg_stats_latency_upper(b ? b - 1 : 0);
}

static void turn(struct lab *lab, bool swapping, double seconds, double period_ms)
{
	static struct moment before, after;
	static struct tg_stats d;
	double start, next;

	lab->swaps = 0;
	lab->swap_ns_most = 0;
	lab->publish_ms_most = 0;
	look(lab, &before);
	start = next = clock_ms();
	while (swapping && (next += period_ms) < start + seconds * 1e3) {
		publish(lab, lab->table[lab->generation % 2]);
		sleep_until(next);
	}
	sleep_until(start + seconds * 1e3);
	look(lab, &after);
	difference(&d, &after.stats.sum, &before.stats.sum);
	printf("{\"swapping\": %s, \"packets\": %" PRIu64 ", \"cpu_ns\": %" PRIu64
	       ", \"seconds\": %.3f, \"lost\": %" PRIu64 ", \"no_generation\": %" PRIu64
	       ", \"p50_ns\": %" PRIu64 ", \"p99_ns\": %" PRIu64 ", \"p999_ns\": %" PRIu64
	       ", \"max_ns\": %" PRIu64 ", \"swaps\": %u, \"swap_ns_most\": %" PRIu64
	       ", \"publish_ms_most\": %.2f}\n",
	       swapping ? "true" : "false", d.rx_packets, after.cpu_ns - before.cpu_ns,
	       (clock_ms() - start) / 1e3, d.tx_dropped + d.no_mbuf,
	       d.reason[TG_REASON_NO_GENERATION], tg_stats_latency_quantile(&d, 500),
	       tg_stats_latency_quantile(&d, 990), tg_stats_latency_quantile(&d, 999), largest(&d),
	       lab->swaps, lab->swap_ns_most, lab->publish_ms_most);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static struct lab lab;
	struct generation g;
	struct tg_error err;
	unsigned i;

	if (argc != 7) {
		fprintf(stderr, "usage: make_swaps SOCKET PID ENTRIES ROUNDS SECONDS PERIOD_MS\n");
		return 2;
	}
	lab.pid = atoi(argv[2]);
	for (i = 0; i < 2; i++) {
		generation_make(&g, strtoull(argv[3], NULL, 10));
		if (tg_memimage_from_bytes(g.base, g.base_length, TG_IMAGE_BASE, &lab.table[i],
					   &err) != 0)
			doc_give_up("table", err.text);
		if (i == 0 && tg_memimage_from_bytes(g.policy, g.policy_length, TG_IMAGE_POLICY,
						     &lab.policy, &err) != 0)
			doc_give_up("policy", err.text);
		generation_free(&g);
	}
	connect_to(&lab, argv[1]);
	publish(&lab, lab.table[1]);
	publish(&lab, lab.table[0]);
	for (i = 0; i < strtoul(argv[4], NULL, 10); i++) {
		turn(&lab, false, atof(argv[5]), atof(argv[6]));
		turn(&lab, true, atof(argv[5]), atof(argv[6]));
	}
	return 0;
}
