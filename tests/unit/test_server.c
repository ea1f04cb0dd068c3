/* SPDX-License-Identifier: BSD-3-Clause */
/* The operator's socket: framing, descriptors, limits, clients that leave; and tgctl's end of it. */
#include <event2/event.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/client.h"
#include "control/server.h"
#include "tests/support/tg_test.h"

struct fixture {
	char dir[64];
	char path[80];
	struct event_base *loop;
	struct tg_server *server;
	struct tg_request *kept; /* of op "wait" */
	unsigned n_gone;
	unsigned n_requests;
	char from_fd[32]; /* what was read from a descriptor that came */
};

static void on_request(void *ctx, struct tg_request *rq)
{
	struct fixture *f = ctx;
	const char *op = json_string_value(json_object_get(rq->body, "op"));

	f->n_requests++;
	if (op && strcmp(op, "wait") == 0) {
		f->kept = rq;
		return;
	}
	if (op && strcmp(op, "refuse") == 0) {
		struct tg_error err;

		tg_error_at(&err, -EINVAL, 7, 3, "no good");
		tg_request_error(rq, TG_EXIT_INPUT, "feed.csv", &err);
		return;
	}
	if (rq->fd >= 0) {
		const ssize_t n = read(rq->fd, f->from_fd, sizeof(f->from_fd) - 1);

		f->from_fd[n > 0 ? n : 0] = 0;
	}
	tg_request_progress(rq, json_pack("{s:i}", "done", 1));
	tg_request_ok(rq, json_pack("{s:i}", "n", (int)f->n_requests));
}

static void on_gone(void *ctx, struct tg_request *rq)
{
	struct fixture *f = ctx;

	f->n_gone++;
	if (f->kept == rq)
		f->kept = NULL;
}

static unsigned count_fds(void)
{
	unsigned n = 0;
	int fd;

	for (fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static struct fixture *open_fixture(void)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const struct tg_server_callbacks cb = { on_request, on_gone, f };
	struct tg_error err;

	signal(SIGPIPE, SIG_IGN);
	snprintf(f->dir, sizeof(f->dir), "/tmp/tg-server-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/s", f->dir);
	f->loop = event_base_new();
	assert_int_equal(tg_server_open(f->loop, f->path, &cb, &f->server, &err), 0);
	return f;
}

static void close_fixture(struct fixture *f)
{
	tg_server_close(f->server);
	event_base_free(f->loop);
	assert_int_equal(rmdir(f->dir), 0); /* the socket is gone as well */
	free(f);
}

static void turn(struct fixture *f)
{
	int i;

	for (i = 0; i < 20; i++)
		event_base_loop(f->loop, EVLOOP_NONBLOCK);
}

static int dial(const struct fixture *f)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, f->path, strlen(f->path) + 1);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void say(struct fixture *f, int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), 0), strlen(text));
	turn(f);
}

static const char *hear(int fd)
{
	static char buf[4096];
	const ssize_t n = recv(fd, buf, sizeof(buf) - 1, MSG_DONTWAIT);

	buf[n > 0 ? n : 0] = 0;
	return n == 0 ? "EOF" : buf;
}

TG_TEST(server_answers_in_order_and_in_pieces, TG_NEEDS_NOTHING)
{
	struct fixture *f = open_fixture();
	const int fd = dial(f);

	say(f, fd, "{\"op\":");
	assert_string_equal(hear(fd), "");
	say(f, fd, "\"a\"}\n{\"op\":\"b\"}\n");
	assert_string_equal(hear(fd), "{\"progress\":{\"done\":1}}\n{\"ok\":{\"n\":1}}\n"
				      "{\"progress\":{\"done\":1}}\n{\"ok\":{\"n\":2}}\n");
	close(fd);
	turn(f);
	assert_int_equal(f->n_gone, 0); /* nothing was under way */
	close_fixture(f);
}

TG_TEST(OP_7_socket_is_for_owner_and_group, TG_NEEDS_NOTHING)
{
	struct fixture *f = open_fixture();
	struct stat st;

	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	close_fixture(f);
}

TG_TEST(server_refuses_what_is_no_request, TG_NEEDS_NOTHING)
{
	static const char *const bad[] = { "hello\n",	  "[]\n",
					   "\n",	  "{\"op\":\"a\",\"op\":\"b\"}\n",
					   "{\"op\":1\n", "\"x\"\n",
					   "\xff\xfe\n" };
	struct fixture *f = open_fixture();
	const int fd = dial(f);
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(bad); i++) {
		say(f, fd, bad[i]);
		assert_non_null(
			strstr(hear(fd), "{\"error\":{\"text\":\"request is no JSON object"));
	}
	assert_int_equal(f->n_requests, 0);
	say(f, fd, "{\"op\":\"a\"}\n"); /* the connection survives all that */
	assert_non_null(strstr(hear(fd), "{\"ok\""));
	close(fd);
	close_fixture(f);
}

TG_TEST(server_refuses_an_oversize_request, TG_NEEDS_NOTHING)
{
	struct fixture *f = open_fixture();
	const int fd = dial(f);
	static char x[65536];
	unsigned i;

	memset(x, 'x', sizeof(x));
	for (i = 0; i < 17; i++) {
		(void)send(fd, x, sizeof(x), MSG_DONTWAIT | MSG_NOSIGNAL);
		turn(f);
	}
	assert_non_null(strstr(hear(fd), "longer than"));
	assert_string_equal(hear(fd), "EOF");
	close(fd);
	close_fixture(f);
}

TG_TEST(server_tells_when_a_client_leaves, TG_NEEDS_NOTHING)
{
	struct fixture *f = open_fixture();
	int fd = dial(f);

	say(f, fd, "{\"op\":\"wait\"}\n");
	assert_non_null(f->kept);
	close(fd);
	turn(f);
	assert_int_equal(f->n_gone, 1);
	assert_null(f->kept);

	/* One that only stops sending still gets its answer. */
	fd = dial(f);
	say(f, fd, "{\"op\":\"wait\"}\n");
	shutdown(fd, SHUT_WR);
	turn(f);
	assert_non_null(f->kept);
	tg_request_ok(f->kept, json_string("late"));
	turn(f);
	assert_string_equal(hear(fd), "{\"ok\":\"late\"}\n");
	assert_string_equal(hear(fd), "EOF");
	close(fd);

	/* One that is closed while the server goes down is told of, too. */
	fd = dial(f);
	say(f, fd, "{\"op\":\"wait\"}\n");
	close_fixture(f);
	close(fd);
}

TG_TEST(server_limits_clients_and_leaks_nothing, TG_NEEDS_NOTHING)
{
	const unsigned before = count_fds();
	struct fixture *f = open_fixture();
	int fd[TG_SERVER_MAX_CLIENTS + 2];
	unsigned i, round;

	for (round = 0; round < 3; round++) {
		for (i = 0; i < TG_ARRAY_LEN(fd); i++) {
			fd[i] = dial(f);
			turn(f); /* or the backlog fills, and connect() waits for us */
		}
		for (i = 0; i < TG_ARRAY_LEN(fd) - 2; i++)
			say(f, fd[i], "{\"op\":\"a\"}\n");
		turn(f);
		say(f, fd[TG_SERVER_MAX_CLIENTS], "{\"op\":\"a\"}\n");
		assert_string_equal(hear(fd[TG_SERVER_MAX_CLIENTS]), ""); /* waits */
		close(fd[0]);
		turn(f);
		assert_non_null(strstr(hear(fd[TG_SERVER_MAX_CLIENTS]), "{\"ok\""));
		for (i = 1; i < TG_ARRAY_LEN(fd); i++)
			close(fd[i]);
		turn(f);
	}
	close_fixture(f);
	assert_int_equal(count_fds(), before);
}

/* Nothing left to accept with: the client waits, the loop does not spin, and then it goes on. */
TG_TEST(server_waits_for_descriptors, TG_NEEDS_NOTHING)
{
	struct fixture *f = open_fixture();
	const int fd = dial(f), lowest = dup(fd);
	const struct timeval most = { 0, 350000 };
	struct rlimit old, none;
	unsigned turns = 0, tries;

	close(lowest);
	getrlimit(RLIMIT_NOFILE, &old);
	none = (struct rlimit){ (rlim_t)lowest, old.rlim_max };
	setrlimit(RLIMIT_NOFILE, &none);
	event_base_loopexit(f->loop, &most);
	while (!event_base_got_exit(f->loop) && turns < 1000) {
		event_base_loop(f->loop, EVLOOP_ONCE);
		turns++;
	}
	setrlimit(RLIMIT_NOFILE, &old);
	assert_true(turns < 20); /* three tries, each with its timer */
	say(f, fd, "{\"op\":\"echo\"}\n");
	for (tries = 0; tries < 600 && !strchr(hear(fd), '{'); tries++) {
		usleep(50000);
		turn(f);
	}
	assert_true(tries < 600);
	close(fd);
	turn(f);
	close_fixture(f);
}

TG_TEST(server_second_one_is_refused_and_a_dead_one_replaced, TG_NEEDS_NOTHING)
{
	struct fixture *f = open_fixture();
	const struct tg_server_callbacks cb = { on_request, on_gone, f };
	struct tg_server *second;
	struct tg_error err;
	char dead[96];
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	assert_int_equal(tg_server_open(f->loop, f->path, &cb, &second, &err), -EADDRINUSE);
	snprintf(dead, sizeof(dead), "%s/dead", f->dir);
	memcpy(address.sun_path, dead, strlen(dead) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd); /* as kill -9 leaves it */
	assert_int_equal(tg_server_open(f->loop, dead, &cb, &second, &err), 0);
	tg_server_close(second);
	close_fixture(f);
}

/* Who asks and does not read waits; the answers do not pile up here. */
TG_TEST(server_begins_no_request_for_who_does_not_read, TG_NEEDS_NOTHING)
{
	enum {
		CHUNKS = 100,
		REQUESTS = 1000
	};
	struct fixture *f = open_fixture();
	const int fd = dial(f);
	static char text[3 * REQUESTS + 1], buf[65536];
	unsigned i;

	for (i = 0; i < REQUESTS; i++)
		memcpy(text + 3 * (size_t)i, "{}\n", 4);
	for (i = 0; i < CHUNKS; i++)
		say(f, fd, text);
	assert_in_range(f->n_requests, REQUESTS, CHUNKS * REQUESTS / 2);
	/* Nothing is lost once it reads. */
	for (i = 0; i < 100000 && f->n_requests < CHUNKS * REQUESTS; i++) {
		while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
			;
		turn(f);
	}
	assert_int_equal(f->n_requests, CHUNKS * REQUESTS);
	close(fd);
	turn(f);
	close_fixture(f);
}

/* `--socket feed.csv` is a slip of the keyboard: the file stays. */
TG_TEST(server_removes_nothing_but_a_dead_socket, TG_NEEDS_NOTHING)
{
	struct fixture *f = open_fixture();
	const struct tg_server_callbacks cb = { on_request, on_gone, f };
	struct tg_server *second;
	struct tg_error err;
	char file[96];
	FILE *stream;

	snprintf(file, sizeof(file), "%s/feed.csv", f->dir);
	stream = fopen(file, "w");
	assert_non_null(stream);
	fclose(stream);
	assert_int_equal(tg_server_open(f->loop, file, &cb, &second, &err), -EADDRINUSE);
	assert_int_equal(unlink(file), 0);
	close_fixture(f);
}

/* ---- with tgctl's end ---------------------------------------------------------------------------- */

/* A loop of another thread's. It looks by itself whether to end: a wake-up from outside would need
 * libevent's locks. */
struct looper {
	struct event_base *loop;
	pthread_t thread;
	_Atomic bool stop;
};

static void look_whether_to_end(evutil_socket_t fd, short what, void *arg)
{
	struct looper *l = arg;

	(void)fd;
	(void)what;
	if (l->stop)
		event_base_loopbreak(l->loop);
}

static void *loop_thread(void *arg)
{
	struct looper *l = arg;
	struct event *tick = event_new(l->loop, -1, EV_PERSIST, look_whether_to_end, l);

	event_add(tick, &(struct timeval){ .tv_usec = 5000 });
	event_base_loop(l->loop, 0);
	event_free(tick);
	return NULL;
}

static void count_progress(void *ctx, json_t *progress)
{
	unsigned *n = ctx;

	*n += json_is_object(progress);
}

TG_TEST(client_gets_progress_answer_and_error, TG_NEEDS_NOTHING)
{
	struct fixture *f = open_fixture();
	struct tg_client_error error;
	json_t *result = NULL;
	unsigned n = 0;
	int pipe_fd[2];
	struct looper looper = { .loop = f->loop };

	assert_int_equal(pthread_create(&looper.thread, NULL, loop_thread, &looper), 0);
	assert_int_equal(pipe(pipe_fd), 0);
	assert_int_equal(write(pipe_fd[1], "feed", 4), 4);
	assert_int_equal(
		tg_client_call(&(struct tg_client_call){ .socket = f->path,
							 .request = json_pack("{s:s}", "op", "x"),
							 .fd = pipe_fd[0],
							 .progress = count_progress,
							 .ctx = &n },
			       &result, &error),
		TG_EXIT_OK);
	assert_int_equal(n, 1);
	assert_int_equal(json_integer_value(json_object_get(result, "n")), 1);
	assert_string_equal(f->from_fd, "feed"); /* read through the descriptor that was passed */
	json_decref(result);
	assert_int_equal(tg_client_call(&(struct tg_client_call){ .socket = f->path,
								  .request = json_pack(
									  "{s:s}", "op", "refuse"),
								  .fd = -1 },
					&result, &error),
			 TG_EXIT_INPUT);
	assert_string_equal(error.err.text, "no good");
	assert_string_equal(error.file, "feed.csv");
	assert_int_equal(error.err.line, 7);
	assert_int_equal(error.err.column, 3);
	looper.stop = true;
	pthread_join(looper.thread, NULL);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
	close_fixture(f);
}

TG_TEST(client_without_a_daemon, TG_NEEDS_NOTHING)
{
	struct tg_client_error error;
	json_t *result;

	assert_int_equal(tg_client_call(&(struct tg_client_call){ .socket = "/nonexistent/s",
								  .request = json_object(),
								  .fd = -1 },
					&result, &error),
			 TG_EXIT_UNREACHABLE);
	assert_non_null(strstr(error.err.text, "/nonexistent/s"));
}
