/* SPDX-License-Identifier: BSD-3-Clause */
/* The way of an image into a dataplane: sealed memfds, the protocol of ctl.h, and its failures. */
#include "control/publish.h"

#include <event2/event.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/un.h>

#include "tests/support/fake_dp.h"
#include "tests/support/images.h"
#include "tests/support/tg_test.h"

/* Loop turns that nothing may need more of: with 5 ms each, 10 s. */
#define PATIENCE 2000

struct seen {
	unsigned hello, ack, stats, gone;
	struct tg_ctl_hello last_hello;
	struct tg_ctl_ack last_ack;
	uint64_t rx_packets;
};

struct fixture {
	struct event_base *loop;
	struct tg_publish *publish;
	struct seen seen;
	/* The other end, in a thread of its own while it serves. */
	int peer;
	struct fake_dp dp;
	pthread_t thread;
	bool serving;
	unsigned die_after; /* publications; 0 = never */
};

static void on_hello(void *ctx, const struct tg_ctl_hello *hello)
{
	struct seen *s = ctx;

	s->hello++;
	s->last_hello = *hello;
}

static void on_ack(void *ctx, const struct tg_ctl_ack *ack)
{
	struct seen *s = ctx;

	s->ack++;
	s->last_ack = *ack;
}

static void on_stats(void *ctx, const struct tg_ctl_stats *stats)
{
	struct seen *s = ctx;

	s->stats++;
	s->rx_packets = stats->sum.rx_packets;
}

static void on_gone(void *ctx, const char *why)
{
	struct seen *s = ctx;

	assert_non_null(why);
	s->gone++;
}

static struct fixture *open_fixture(const char *path)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const struct tg_publish_callbacks cb = { on_hello, on_ack, on_stats, on_gone, &f->seen };

	signal(SIGPIPE, SIG_IGN);
	f->loop = event_base_new();
	f->peer = -1;
	assert_int_equal(tg_publish_open(f->loop, path, &cb, &f->publish), 0);
	return f;
}

static void attach(struct fixture *f)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(tg_publish_attach(f->publish, pair[0]), 0);
	f->peer = pair[1];
}

static void *serve(void *arg)
{
	struct fixture *f = arg;

	if (fake_dp_hello(&f->dp, f->peer) != 0)
		return NULL;
	while (f->die_after == 0 || f->dp.n_published < f->die_after) {
		const bool last = f->die_after && f->dp.n_published + 1 == f->die_after;

		if (fake_dp_serve(&f->dp, f->peer, last) < 0)
			break;
	}
	shutdown(f->peer, SHUT_RDWR); /* dies without an acknowledgement */
	return NULL;
}

static void start_peer(struct fixture *f)
{
	f->serving = true;
	assert_int_equal(pthread_create(&f->thread, NULL, serve, f), 0);
}

static void stop_peer(struct fixture *f)
{
	if (f->serving) {
		shutdown(f->peer, SHUT_RDWR);
		pthread_join(f->thread, NULL);
	}
	f->serving = false;
	if (f->peer >= 0)
		close(f->peer);
	f->peer = -1;
}

static void close_fixture(struct fixture *f)
{
	stop_peer(f);
	tg_publish_close(f->publish);
	event_base_free(f->loop);
	fake_dp_fini(&f->dp);
	free(f);
}

static void wait_until(struct fixture *f, const unsigned *count, unsigned n)
{
	int i;

	for (i = 0; i < PATIENCE && *count < n; i++) {
		event_base_loop(f->loop, EVLOOP_NONBLOCK);
		usleep(i < 100 ? 100 : 5000);
	}
	assert_int_equal(*count, n);
}

static unsigned count_fds(void)
{
	unsigned n = 0;
	int fd;

	for (fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void publish(struct fixture *f, uint64_t generation, const struct tg_publish_parts *parts)
{
	const unsigned acks = f->seen.ack;

	assert_int_equal(tg_publish_send(f->publish, generation, parts), 0);
	wait_until(f, &f->seen.ack, acks + 1);
	assert_int_equal(f->seen.last_ack.generation, generation);
}

TG_TEST(publish_base_delta_policy_and_back, TG_NEEDS_NOTHING)
{
	struct fixture *f = open_fixture(NULL);
	struct tg_memimage *base = tg_test_table(12025550100, 10, 0);
	struct tg_memimage *delta = tg_test_table(12025550150, 1, base->id);
	struct tg_memimage *policy = tg_test_policy();
	const struct tg_num listed = tg_num_make(TG_NUM_E164, 11, 12025550150);

	assert_int_equal(tg_publish_send(f->publish, 1, &(struct tg_publish_parts){ .base = base }),
			 -ENOTCONN);
	attach(f);
	start_peer(f);
	wait_until(f, &f->seen.hello, 1);
	assert_true(tg_publish_connected(f->publish));
	assert_int_equal(f->seen.last_hello.generation, 0);

	publish(f, 1,
		&(struct tg_publish_parts){ .base = base, .policy = policy, .no_delta = true });
	assert_int_equal(f->seen.last_ack.status, 0);
	assert_true(f->seen.last_ack.swap_ns > 0);
	assert_int_equal(fake_dp_lookup(&f->dp, listed), 0);
	publish(f, 2, &(struct tg_publish_parts){ .delta = delta });
	assert_int_equal(f->seen.last_ack.status, 0);
	assert_int_not_equal(fake_dp_lookup(&f->dp, listed), 0);
	publish(f, 3, &(struct tg_publish_parts){ .no_delta = true });
	assert_int_equal(f->seen.last_ack.status, 0);
	assert_int_equal(fake_dp_lookup(&f->dp, listed), 0);
	assert_int_equal(f->dp.unsealed, 0);

	assert_int_equal(tg_publish_request_stats(f->publish), 0);
	wait_until(f, &f->seen.stats, 1);
	assert_int_equal(f->seen.rx_packets, 1000);
	close_fixture(f);
	tg_memimage_put(base);
	tg_memimage_put(delta);
	tg_memimage_put(policy);
}

/* TB-11: and what is in force stays so. */
TG_TEST(TB_11_publish_delta_of_another_base_is_refused, TG_NEEDS_NOTHING)
{
	struct fixture *f = open_fixture(NULL);
	struct tg_memimage *base = tg_test_table(12025550100, 10, 0);
	struct tg_memimage *delta = tg_test_table(12025550150, 1, base->id + 1);

	attach(f);
	start_peer(f);
	wait_until(f, &f->seen.hello, 1);
	publish(f, 1, &(struct tg_publish_parts){ .base = base });
	publish(f, 2, &(struct tg_publish_parts){ .delta = delta });
	assert_true(f->seen.last_ack.status < 0);
	assert_int_equal(f->dp.generation, 1);
	publish(f, 3, &(struct tg_publish_parts){ .base = base });
	assert_int_equal(f->seen.last_ack.status, 0);
	close_fixture(f);
	tg_memimage_put(base);
	tg_memimage_put(delta);
}

TG_TEST(publish_dataplane_that_dies_in_the_middle, TG_NEEDS_NOTHING)
{
	struct fixture *f = open_fixture(NULL);
	struct tg_memimage *base = tg_test_table(12025550100, 10, 0);

	attach(f);
	f->die_after = 1;
	start_peer(f);
	wait_until(f, &f->seen.hello, 1);
	assert_int_equal(tg_publish_send(f->publish, 1, &(struct tg_publish_parts){ .base = base }),
			 0);
	wait_until(f, &f->seen.gone, 1);
	assert_int_equal(f->seen.ack, 0);
	assert_false(tg_publish_connected(f->publish));
	assert_int_equal(tg_publish_send(f->publish, 2, &(struct tg_publish_parts){ .base = base }),
			 -ENOTCONN);
	stop_peer(f);

	/* It comes back, and says what it has. */
	f->die_after = 0;
	attach(f);
	start_peer(f);
	wait_until(f, &f->seen.hello, 2);
	assert_int_equal(f->seen.last_hello.generation, 1);
	assert_true(f->seen.last_hello.base_id == base->id);
	close_fixture(f);
	tg_memimage_put(base);
}

static void send_to(const struct fixture *f, const void *bytes, size_t len)
{
	(void)!send(f->peer, bytes, len, MSG_NOSIGNAL);
}

static void truncated_hello(void *ctx, const uint8_t *data, size_t len)
{
	struct fixture *f = open_fixture(NULL);
	int i;

	(void)ctx;
	attach(f);
	send_to(f, data, len);
	for (i = 0; i < 5; i++)
		event_base_loop(f->loop, EVLOOP_NONBLOCK);
	assert_int_equal(f->seen.hello, len == sizeof(struct tg_ctl_hello));
	assert_int_equal(f->seen.gone, 0); /* who never said hello was never there */
	close_fixture(f);
}

TG_TEST(publish_takes_no_hello_but_a_whole_one, TG_NEEDS_NOTHING)
{
	const struct tg_ctl_hello hello = { .h = { TG_CTL_MAGIC, TG_CTL_VERSION, TG_CTL_HELLO } };

	tg_guard_truncate(&hello, sizeof(hello), truncated_hello, NULL);
}

TG_TEST(publish_drops_who_speaks_otherwise, TG_NEEDS_NOTHING)
{
	static const struct tg_ctl_header bad[] = {
		{ TG_CTL_MAGIC + 1, TG_CTL_VERSION, TG_CTL_HELLO },
		{ TG_CTL_MAGIC, TG_CTL_VERSION + 1, TG_CTL_HELLO },
		{ TG_CTL_MAGIC, TG_CTL_VERSION, TG_CTL_ACK },
		{ TG_CTL_MAGIC, TG_CTL_VERSION, TG_CTL_PUBLISH },
		{ TG_CTL_MAGIC, TG_CTL_VERSION, TG_CTL_TYPE_COUNT },
		{ TG_CTL_MAGIC, TG_CTL_VERSION, 0xffff },
	};
	struct tg_ctl_ack m = { .h = { 0 } };
	unsigned i, k;

	for (i = 0; i < TG_ARRAY_LEN(bad); i++) {
		struct fixture *f = open_fixture(NULL);
		char byte;

		attach(f);
		m.h = bad[i];
		send_to(f, &m,
			bad[i].type == TG_CTL_HELLO ? sizeof(struct tg_ctl_hello) : sizeof(m));
		for (k = 0; k < 5; k++)
			event_base_loop(f->loop, EVLOOP_NONBLOCK);
		assert_int_equal(f->seen.hello + f->seen.ack + f->seen.gone, 0);
		/* It was hung up on. */
		assert_int_equal(recv(f->peer, &byte, 1, MSG_DONTWAIT), 0);
		close_fixture(f);
	}
}

TG_TEST(publish_acknowledgement_text_is_ended, TG_NEEDS_NOTHING)
{
	struct fixture *f = open_fixture(NULL);
	struct tg_ctl_ack m = { .h = { TG_CTL_MAGIC, TG_CTL_VERSION, TG_CTL_ACK }, .status = -1 };

	attach(f);
	fake_dp_hello(&f->dp, f->peer);
	memset(m.text, 'x', sizeof(m.text));
	send_to(f, &m, sizeof(m));
	wait_until(f, &f->seen.ack, 1);
	assert_int_equal(strlen(f->seen.last_ack.text), TG_CTL_TEXT_MAX - 1);
	close_fixture(f);
}

TG_TEST(publish_thousand_times_leaks_no_descriptor, TG_NEEDS_NOTHING)
{
	struct tg_memimage *base = tg_test_table(12025550100, 10, 0);
	struct tg_memimage *policy = tg_test_policy();
	struct fixture *f = open_fixture(NULL);
	unsigned before, i;

	attach(f);
	start_peer(f);
	wait_until(f, &f->seen.hello, 1);
	publish(f, 1, &(struct tg_publish_parts){ .base = base, .policy = policy });
	before = count_fds();
	for (i = 2; i < 1002; i++) {
		struct tg_memimage *delta = tg_test_table(12025550150 + i, 1, base->id);

		publish(f, i, &(struct tg_publish_parts){ .delta = delta });
		assert_int_equal(f->seen.last_ack.status, 0);
		tg_memimage_put(delta);
	}
	assert_int_equal(count_fds(), before);
	close_fixture(f);
	tg_memimage_put(base);
	tg_memimage_put(policy);
}

/* The dataplane comes later than the daemon, goes, and comes back. */
TG_TEST(publish_connects_and_connects_again, TG_NEEDS_NOTHING)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char dir[] = "/tmp/tg-publish-XXXXXX";
	const unsigned before = count_fds();
	struct fixture *f;
	unsigned round;
	int listener;

	assert_non_null(mkdtemp(dir));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/dp", dir);
	f = open_fixture(address.sun_path);
	event_base_loop(f->loop, EVLOOP_NONBLOCK); /* nobody there */
	for (round = 1; round <= 2; round++) {
		listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
		assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
		assert_int_equal(listen(listener, 1), 0);
		fcntl(listener, F_SETFL, O_NONBLOCK);
		while ((f->peer = accept(listener, NULL, NULL)) < 0) {
			event_base_loop(f->loop, EVLOOP_NONBLOCK);
			usleep(5000);
		}
		fake_dp_hello(&f->dp, f->peer);
		wait_until(f, &f->seen.hello, round);
		close(f->peer);
		close(listener);
		unlink(address.sun_path);
		wait_until(f, &f->seen.gone, round);
	}
	f->peer = -1;
	close_fixture(f);
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(count_fds(), before);
}

/* ---- sealed images ------------------------------------------------------------------------------- */

TG_TEST(memimage_cannot_be_changed_once_sealed, TG_NEEDS_NOTHING)
{
	struct tg_memimage *base = tg_test_table(12025550100, 10, 0);

	assert_int_equal(write(base->fd, "x", 1), -1);
	assert_int_equal(ftruncate(base->fd, 0), -1);
	assert_int_equal(ftruncate(base->fd, (off_t)base->span * 2), -1);
	assert_ptr_equal(mmap(NULL, base->span, PROT_READ | PROT_WRITE, MAP_SHARED, base->fd, 0),
			 MAP_FAILED);
	tg_memimage_put(base);
}

TG_TEST(memimage_refuses_what_is_damaged, TG_NEEDS_NOTHING)
{
	struct tg_memimage *base = tg_test_table(12025550100, 10, 0), *copy;
	uint8_t *bytes = malloc(base->length);
	const unsigned before = count_fds();
	struct tg_error err;
	uint64_t i;

	memcpy(bytes, base->header, base->length);
	for (i = 0; i < base->length; i += 1 + base->length / 199) {
		bytes[i] ^= 0x40;
		assert_int_equal(
			tg_memimage_from_bytes(bytes, base->length, TG_IMAGE_BASE, &copy, &err),
			-EINVAL);
		assert_true(err.text[0] != 0);
		bytes[i] ^= 0x40;
	}
	for (i = 1; i < base->length; i += 1 + base->length / 97)
		assert_int_equal(tg_memimage_from_bytes(bytes, i, TG_IMAGE_BASE, &copy, &err),
				 -EINVAL);
	assert_int_equal(tg_memimage_from_bytes(bytes, 0, TG_IMAGE_BASE, &copy, &err), -EINVAL);
	assert_int_equal(tg_memimage_from_bytes(bytes, base->length, TG_IMAGE_DELTA, &copy, &err),
			 -EINVAL);
	assert_int_equal(count_fds(), before);
	free(bytes);
	tg_memimage_put(base);
}
