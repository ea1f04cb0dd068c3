/* SPDX-License-Identifier: BSD-3-Clause */
/* Swap, control socket and last good images, without ports. Threads: tests/tsan/test_swap.c. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "dataplane/run/ctl.h"
#include "dataplane/run/lastgood.h"
#include "dataplane/run/log.h"
#include "dataplane/run/swap.h"
#include "tests/support/images.h"
#include "tests/support/tg_test.h"

static const uint64_t fraud = 12025550123, other = 12025550124;

/* ---- what tests publish ------------------------------------------------------------------------ */

struct set {
	struct tg_test_image base, delta, policy;
	int base_fd, delta_fd, policy_fd;
};

static void set_open(struct set *s)
{
	s->base = tg_test_table(0, &fraud, 1);
	s->delta = tg_test_table(s->base.id, &other, 1);
	s->policy = tg_test_policy(NULL);
	s->base_fd = tg_test_memfd(&s->base, 0, TG_TEST_ALL_SEALS);
	s->delta_fd = tg_test_memfd(&s->delta, 0, TG_TEST_ALL_SEALS);
	s->policy_fd = tg_test_memfd(&s->policy, 0, TG_TEST_ALL_SEALS);
}

static void set_close(struct set *s)
{
	close(s->base_fd);
	close(s->delta_fd);
	close(s->policy_fd);
	free(s->base.bytes);
	free(s->delta.bytes);
	free(s->policy.bytes);
}

static struct tg_ctl_publish publish_of(uint64_t generation, uint32_t parts, const struct set *s)
{
	struct tg_ctl_publish msg = { .h = { TG_CTL_MAGIC, TG_CTL_VERSION, TG_CTL_PUBLISH },
				      .generation = generation,
				      .parts = parts };
	unsigned n = 0;

	if (parts & TG_CTL_PART_BASE)
		msg.length[n++] = s->base.length;
	if (parts & TG_CTL_PART_DELTA)
		msg.length[n++] = s->delta.length;
	if (parts & TG_CTL_PART_POLICY)
		msg.length[n++] = s->policy.length;
	return msg;
}

static unsigned fds_of(uint32_t parts, const struct set *s, int fds[TG_CTL_MAX_FDS])
{
	unsigned n = 0;

	if (parts & TG_CTL_PART_BASE)
		fds[n++] = s->base_fd;
	if (parts & TG_CTL_PART_DELTA)
		fds[n++] = s->delta_fd;
	if (parts & TG_CTL_PART_POLICY)
		fds[n++] = s->policy_fd;
	return n;
}

static struct tg_ctl_ack apply(struct tg_swap *swap, uint64_t generation, uint32_t parts,
			       const struct set *s)
{
	const struct tg_ctl_publish msg = publish_of(generation, parts, s);
	int fds[TG_CTL_MAX_FDS];
	const unsigned n = fds_of(parts, s, fds);
	struct tg_ctl_ack ack;

	tg_swap_apply(swap, &msg, fds, n, &ack);
	assert_int_equal(ack.h.type, TG_CTL_ACK);
	assert_int_equal(ack.generation, generation);
	if (ack.status != 0 && !ack.text[0])
		fail_msg("refused with %d and no sentence", ack.status);
	return ack;
}

#define ALL (TG_CTL_PART_BASE | TG_CTL_PART_DELTA | TG_CTL_PART_POLICY)
#define BASE_POLICY (TG_CTL_PART_BASE | TG_CTL_PART_POLICY)

/* Is the number listed by what is in force? */
static bool listed(const struct tg_swap *swap, uint64_t number)
{
	const struct tg_generation *g = tg_swap_current(swap);
	const struct tg_num num = tg_num_make(TG_NUM_E164, 11, number);
	struct tg_table_adapt adapt = { 0 };
	uint32_t listing;

	assert_non_null(g);
	tg_table_lookup_burst(&g->base, g->has_delta ? &g->delta : NULL, &adapt, &num, 1, &listing);
	return listing != 0;
}

static unsigned long mapped_kb(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%lu", &pages), 1);
	fclose(f);
	return pages * 4;
}

/* ---- generations ------------------------------------------------------------------------------- */

TG_TEST(swap_publishes_parts_and_keeps_the_rest, TG_NEEDS_NOTHING)
{
	struct tg_swap swap;
	struct set s;
	uint64_t hash;

	set_open(&s);
	assert_int_equal(tg_swap_init(&swap, 2), 0);
	assert_null(tg_swap_current(&swap));
	assert_int_equal(apply(&swap, 1, BASE_POLICY, &s).status, 0);
	assert_true(listed(&swap, fraud));
	assert_false(listed(&swap, other));
	hash = tg_swap_current(&swap)->hash;

	assert_int_equal(apply(&swap, 2, TG_CTL_PART_DELTA, &s).status, 0);
	assert_true(listed(&swap, fraud)); /* the base was kept */
	assert_true(listed(&swap, other));
	assert_int_equal(tg_swap_current(&swap)->number, 2);
	assert_int_not_equal(tg_swap_current(&swap)->hash, hash);

	assert_int_equal(apply(&swap, 3, TG_CTL_PART_POLICY, &s).status, 0);
	assert_true(listed(&swap, other)); /* base and delta were kept */

	assert_int_equal(apply(&swap, 4, TG_CTL_PART_NO_DELTA, &s).status, 0);
	assert_false(listed(&swap, other));
	assert_int_equal(tg_swap_current(&swap)->hash, hash); /* the same parts as generation 1 */

	assert_int_equal(apply(&swap, 5, TG_CTL_PART_DELTA, &s).status, 0);
	assert_int_equal(apply(&swap, 6, TG_CTL_PART_BASE, &s).status, 0);
	assert_false(listed(&swap, other)); /* a new base drops the old one's delta */
	tg_swap_fini(&swap);
	set_close(&s);
}

TG_TEST(swap_refuses_and_keeps_what_is_in_force, TG_NEEDS_NOTHING)
{
	static const struct {
		uint64_t generation;
		uint32_t parts;
		int status;
		const char *says;
	} bad[] = {
		{ 5, TG_CTL_PART_POLICY, -ESTALE, "not newer" },
		{ 4, ALL, -ESTALE, "not newer" },
		{ 6, 0, -EINVAL, "parts" },
		{ 6, 0x10, -EINVAL, "parts" },
		{ 6, TG_CTL_PART_DELTA | TG_CTL_PART_NO_DELTA, -EINVAL, "both" },
	};
	const struct tg_generation *before;
	struct tg_ctl_publish msg;
	struct tg_ctl_ack ack;
	struct tg_swap swap;
	struct set s;
	unsigned i;

	set_open(&s);
	assert_int_equal(tg_swap_init(&swap, 1), 0);
	ack = apply(&swap, 1, TG_CTL_PART_POLICY, &s);
	assert_int_equal(ack.status, -EINVAL);
	assert_non_null(strstr(ack.text, "no base"));
	ack = apply(&swap, 1, TG_CTL_PART_BASE, &s);
	assert_int_equal(ack.status, -EINVAL);
	assert_non_null(strstr(ack.text, "no policy"));
	assert_null(tg_swap_current(&swap));

	assert_int_equal(apply(&swap, 5, ALL, &s).status, 0);
	before = tg_swap_current(&swap);
	for (i = 0; i < TG_ARRAY_LEN(bad); i++) {
		ack = apply(&swap, bad[i].generation, bad[i].parts, &s);
		assert_int_equal(ack.status, bad[i].status);
		assert_non_null(strstr(ack.text, bad[i].says));
	}
	msg = publish_of(6, ALL, &s);
	tg_swap_apply(&swap, &msg, &s.base_fd, 1, &ack); /* two descriptors are missing */
	assert_int_equal(ack.status, -EINVAL);
	assert_non_null(strstr(ack.text, "descriptors"));
	assert_ptr_equal(tg_swap_current(&swap), before);
	assert_true(listed(&swap, other));
	tg_swap_fini(&swap);
	set_close(&s);
}

TG_TEST(TB_11_delta_for_another_base_is_refused, TG_NEEDS_NOTHING)
{
	struct tg_test_image stranger;
	struct tg_ctl_ack ack;
	struct tg_swap swap;
	struct set s;

	set_open(&s);
	stranger = tg_test_table(s.base.id + 1, &other, 1);
	close(s.delta_fd);
	s.delta_fd = tg_test_memfd(&stranger, 0, TG_TEST_ALL_SEALS);
	s.delta.length = stranger.length;
	assert_int_equal(tg_swap_init(&swap, 1), 0);
	assert_int_equal(apply(&swap, 1, BASE_POLICY, &s).status, 0);
	ack = apply(&swap, 2, TG_CTL_PART_DELTA, &s);
	assert_int_equal(ack.status, -EINVAL);
	assert_non_null(strstr(ack.text, "delta: "));
	assert_int_equal(tg_swap_current(&swap)->number, 1);
	tg_swap_fini(&swap);
	free(stranger.bytes);
	set_close(&s);
}

TG_TEST(swap_takes_sealed_memfds_only, TG_NEEDS_NOTHING)
{
	static const int seals[] = { F_SEAL_WRITE, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_SEAL };
	struct tg_part *part = NULL;
	struct tg_test_image base = tg_test_table(0, &fraud, 1);
	struct tg_why why;
	unsigned i;
	int fd;

	for (i = 0; i < TG_ARRAY_LEN(seals); i++) {
		fd = tg_test_memfd(&base, 0, TG_TEST_ALL_SEALS & ~seals[i]);
		assert_int_equal(tg_part_open_memfd(fd, TG_PART_BASE, base.length, &part, &why),
				 -EPERM);
		assert_non_null(strstr(why.text, "base: not sealed"));
		close(fd);
	}
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_true(tg_part_open_memfd(fd, TG_PART_BASE, base.length, &part, &why) < 0);
	close(fd);
	fd = tg_test_memfd(&base, 0, TG_TEST_ALL_SEALS);
	assert_int_equal(tg_part_open_memfd(fd, TG_PART_BASE, 0, &part, &why), -EINVAL);
	assert_int_equal(tg_part_open_memfd(fd, TG_PART_BASE, 1ull << 40, &part, &why), -EINVAL);
	assert_non_null(strstr(why.text, "announced"));
	/* a policy is no base */
	assert_int_equal(tg_part_open_memfd(fd, TG_PART_POLICY, base.length, &part, &why), -EINVAL);
	assert_int_equal(tg_part_open_memfd(fd, TG_PART_BASE, base.length, &part, &why), 0);
	assert_int_equal(tg_part_id(part), base.id);
	tg_part_put(part);
	close(fd);
	free(base.bytes);
}

/* Each length that was announced shorter than the image is refused, and none reads past it. */
TG_TEST(TB_5_cut_images_are_refused, TG_NEEDS_NOTHING)
{
	struct tg_test_image base = tg_test_table(0, &fraud, 1);
	const int fd = tg_test_memfd(&base, 0, TG_TEST_ALL_SEALS);
	struct tg_part *part;
	struct tg_why why;
	uint64_t n;

	for (n = 1; n < base.length; n += n < 1024 ? 1 : 509)
		assert_int_equal(tg_part_open_memfd(fd, TG_PART_BASE, n, &part, &why), -EINVAL);
	close(fd);
	free(base.bytes);
}

TG_TEST(swap_says_where_an_image_is_damaged, TG_NEEDS_NOTHING)
{
	struct tg_test_image base = tg_test_table(0, &fraud, 1);
	uint8_t *bytes = base.bytes;
	struct tg_part *part;
	struct tg_why why;
	int fd;

	bytes[base.length - 1] ^= 1;
	fd = tg_test_memfd(&base, 0, TG_TEST_ALL_SEALS);
	assert_int_equal(tg_part_open_memfd(fd, TG_PART_BASE, base.length, &part, &why), -EINVAL);
	assert_non_null(strstr(why.text, "base: "));
	assert_non_null(strstr(why.text, "section "));
	assert_non_null(strstr(why.text, "offset "));
	close(fd);
	free(base.bytes);
}

#define NR_HUGEPAGES "/proc/sys/vm/nr_hugepages"

/* Adds to the pages that are reserved; returns how many there were. */
static long reserve_huge_pages(long change)
{
	long before = 0;
	FILE *f = fopen(NR_HUGEPAGES, "r+");

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%ld", &before), 1);
	rewind(f);
	assert_true(fprintf(f, "%ld\n", before + change) > 0);
	assert_int_equal(fclose(f), 0);
	return before;
}

/* One page is enough for a memfd of one: the mapping must not reserve it a second time. */
TG_TEST(swap_maps_huge_page_memfds, TG_NEEDS_HUGEPAGES)
{
	struct tg_test_image base = tg_test_table(0, &fraud, 1);
	struct tg_part *part;
	struct tg_why why;
	int fd;

	reserve_huge_pages(1);
	fd = tg_test_memfd(&base, MFD_HUGETLB, TG_TEST_ALL_SEALS);
	if (fd >= 0 && tg_part_open_memfd(fd, TG_PART_BASE, base.length, &part, &why) == 0) {
		assert_int_equal(part->map_len, 2 << 20);
		assert_int_equal(tg_part_id(part), base.id);
		tg_part_put(part);
		why.text[0] = 0;
	}
	if (fd >= 0)
		close(fd);
	reserve_huge_pages(-1);
	free(base.bytes);
	assert_true(fd >= 0);
	assert_string_equal(why.text, "");
}

TG_TEST(swap_unmaps_what_nobody_uses, TG_NEEDS_NOTHING)
{
	struct tg_swap swap;
	unsigned long after_first;
	struct set s;
	uint64_t n;

	set_open(&s);
	assert_int_equal(tg_swap_init(&swap, 1), 0);
	assert_int_equal(apply(&swap, 1, ALL, &s).status, 0);
	after_first = mapped_kb();
	for (n = 2; n < 200; n++)
		assert_int_equal(apply(&swap, n, n % 3 ? ALL : TG_CTL_PART_DELTA, &s).status, 0);
	assert_true(mapped_kb() < after_first + 1024); /* 200 sets would be several MB */
	tg_swap_fini(&swap);
	set_close(&s);
}

/* ---- workers that do not answer ---------------------------------------------------------------- */

TG_TEST(TB_3_stuck_worker_keeps_its_generation, TG_NEEDS_NOTHING)
{
	const struct tg_generation *old;
	struct tg_ctl_ack ack;
	struct tg_swap swap;
	struct set s;

	set_open(&s);
	assert_int_equal(tg_swap_init(&swap, 2), 0);
	swap.timeout_ns = 2000000;
	assert_int_equal(apply(&swap, 1, BASE_POLICY, &s).status, 0);
	tg_swap_join(&swap, 0);
	tg_swap_join(&swap, 1);
	old = tg_swap_current(&swap);

	tg_swap_quiescent(&swap, 1);
	ack = apply(&swap, 2, ALL, &s); /* worker 0 does not answer */
	assert_int_equal(ack.status, -ETIMEDOUT);
	assert_true(ack.swap_ns >= swap.timeout_ns);
	assert_int_equal(tg_swap_current(&swap)->number, 2); /* in force for all others */
	assert_int_equal(old->number, 1);
	assert_int_equal(old->base.header->id, s.base.id); /* still mapped */
	assert_false(tg_swap_reclaim(&swap));

	ack = apply(&swap, 3, ALL, &s);
	assert_int_equal(ack.status, -EBUSY);
	assert_int_equal(tg_swap_current(&swap)->number, 2);

	tg_swap_quiescent(&swap, 1);
	assert_false(tg_swap_reclaim(&swap)); /* the other worker's word does not count for it */
	tg_swap_quiescent(&swap, 0);
	assert_true(tg_swap_reclaim(&swap));
	tg_swap_leave(&swap, 0);
	tg_swap_leave(&swap, 1);
	assert_int_equal(apply(&swap, 4, ALL, &s).status, 0);
	tg_swap_fini(&swap);
	set_close(&s);
}

TG_TEST(swap_does_not_wait_for_workers_that_left, TG_NEEDS_NOTHING)
{
	struct tg_swap swap;
	struct set s;

	set_open(&s);
	assert_int_equal(tg_swap_init(&swap, 1), 0);
	swap.timeout_ns = 2000000;
	tg_swap_join(&swap, 0);
	tg_swap_leave(&swap, 0);
	assert_int_equal(apply(&swap, 1, ALL, &s).status, 0);
	assert_int_equal(apply(&swap, 2, ALL, &s).status, 0);
	tg_swap_fini(&swap);
	set_close(&s);
}

/* ---- control socket ---------------------------------------------------------------------------- */

struct bench {
	struct tg_swap swap;
	struct tg_ctl_server server;
	struct set set;
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
	set_open(&b->set);
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
	set_close(&b->set);
}

static int dial(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	memcpy(addr.sun_path, path, strlen(path) + 1);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

/* One message of that type and length, or fails after five seconds. */
static void expect(int fd, enum tg_ctl_type type, void *msg, size_t len)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct tg_ctl_header h;

	assert_int_equal(poll(&p, 1, 5000), 1);
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

	assert_int_equal(poll(&p, 1, 5000), 1);
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
	const struct tg_ctl_publish msg = publish_of(generation, parts, &b->set);
	int fds[TG_CTL_MAX_FDS];
	const unsigned n = fds_of(parts, &b->set, fds);
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
	assert_int_equal(ask(fd, &b, 7, ALL).status, 0);
	assert_int_equal(ask(fd, &b, 7, ALL).status, -ESTALE);
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
	good = publish_of(1, ALL, &b.set);
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
	assert_int_equal(ask(fd, &b, 1, ALL).status, 0); /* and nobody was disturbed */
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

/* ---- last good images -------------------------------------------------------------------------- */

static void put_file(const char *dir, const char *name, const void *bytes, size_t len)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	fclose(f);
}

static void make_dir(char *dir, const struct set *s)
{
	static const char current[] = "generation 42\nbase base\ndelta delta\npolicy policy\n";

	assert_non_null(mkdtemp(dir));
	put_file(dir, "base", s->base.bytes, s->base.length);
	put_file(dir, "delta", s->delta.bytes, s->delta.length);
	put_file(dir, "policy", s->policy.bytes, s->policy.length);
	put_file(dir, "current", current, strlen(current));
}

static void remove_dir(const char *dir)
{
	static const char *const names[] = { "base", "delta", "policy", "current" };
	char path[256];
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	rmdir(dir);
}

TG_TEST(images_load_and_publish, TG_NEEDS_NOTHING)
{
	char dir[] = "/tmp/tg-images-XXXXXX";
	struct tg_held *held;
	struct tg_swap swap;
	struct tg_why why;
	uint64_t swap_ns;
	struct set s;

	set_open(&s);
	make_dir(dir, &s);
	assert_int_equal(tg_swap_init(&swap, 1), 0);
	if (tg_lastgood_load(dir, &held, &why) != 0)
		fail_msg("%s", why.text);
	put_file(dir, "base", "", 0); /* files may go: what was loaded is a copy */
	assert_int_equal(tg_swap_publish(&swap, held, &swap_ns, &why), 0);
	assert_int_equal(tg_swap_current(&swap)->number, 42);
	assert_true(listed(&swap, fraud) && listed(&swap, other));
	/* the daemon goes on from there */
	assert_int_equal(apply(&swap, 43, TG_CTL_PART_NO_DELTA, &s).status, 0);
	assert_false(listed(&swap, other));
	tg_swap_fini(&swap);
	remove_dir(dir);
	set_close(&s);
}

TG_TEST(images_say_what_is_wrong, TG_NEEDS_NOTHING)
{
	static const struct {
		const char *current;
		const char *says;
	} bad[] = {
		{ "", "missing" },
		{ "generation 1\n", "missing" },
		{ "generation 1\nbase base\n", "missing" },
		{ "generation 0\nbase base\npolicy policy\n", "current:1" },
		{ "generation -1\nbase base\npolicy policy\n", "current:1" },
		{ "generation 1x\nbase base\npolicy policy\n", "current:1" },
		{ "generation 1\ngeneration 2\n", "current:2" },
		{ "generation 1\nbase base\nbase base\n", "current:3" },
		{ "generation 1\nbase\n", "current:2" },
		{ "generation 1\nbase /etc/passwd\npolicy policy\n", "current:2" },
		{ "generation 1\nbase base\npolicy policy\nextra x\n", "current:4" },
		{ "generation 1\nbase gone\npolicy policy\n", "gone: " },
		{ "generation 1\nbase .\npolicy policy\n", ".: " },
		{ "generation 1\nbase policy\npolicy policy\n", "base: " },
		{ "generation 1\nbase base\npolicy base\n", "policy: " },
		{ "generation 1\nbase base\ndelta base\npolicy policy\n", "delta: " },
	};
	static const char good[] = "generation 1\nbase base\npolicy policy\n";
	char dir[] = "/tmp/tg-images-XXXXXX";
	struct tg_held *held;
	struct tg_why why;
	struct set s;
	unsigned i;

	set_open(&s);
	assert_int_equal(tg_lastgood_load("/nonexistent", &held, &why), -ENOENT);
	make_dir(dir, &s);
	for (i = 0; i < TG_ARRAY_LEN(bad); i++) {
		put_file(dir, "current", bad[i].current, strlen(bad[i].current));
		assert_true(tg_lastgood_load(dir, &held, &why) < 0);
		if (!strstr(why.text, bad[i].says))
			fail_msg("\"%s\": \"%s\" lacks \"%s\"", bad[i].current, why.text,
				 bad[i].says);
	}
	put_file(dir, "current", good, strlen(good));
	((uint8_t *)s.base.bytes)[s.base.length - 1] ^= 0x80;
	put_file(dir, "base", s.base.bytes, s.base.length);
	assert_int_equal(tg_lastgood_load(dir, &held, &why), -EINVAL);
	assert_non_null(strstr(why.text, "offset"));
	remove_dir(dir);
	assert_true(tg_lastgood_load(dir, &held, &why) < 0);
	set_close(&s);
}
