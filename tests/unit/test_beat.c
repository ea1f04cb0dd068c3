/* SPDX-License-Identifier: BSD-3-Clause */
/* Heartbeats: when a worker beats, and the steering set as a dataplane finds it. With real traffic and
 * a real program: tests/system/test_xdp_*.sh. */
#include <errno.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "dataplane/run/beat.h"
#include "tests/support/tg_test.h"

#define MS 1000000ull

/* ---- when to beat -------------------------------------------------------------------------------- */

TG_TEST(beat_every_half_millisecond_of_a_worker_that_goes_round, TG_NEEDS_NOTHING)
{
	struct tg_pulse p = { .limit_ns = 100 * MS, .beat_ns = 1000 * MS };
	uint64_t now, beats = 0, oldest = 0;

	/* Busy or idle makes no difference as long as it goes round. */
	for (now = 1000 * MS; now < 2000 * MS; now += 100000) {
		tg_pulse_feel(&p, now);
		if (now - p.beat_ns > oldest)
			oldest = now - p.beat_ns;
		beats += tg_pulse_due(&p, now, now % 300000 == 0);
	}
	assert_int_equal(beats, 1999);
	assert_true(oldest <= TG_PULSE_NS);
	assert_false(p.late || p.discard);
	/* What the contract asks for: four times within the shortest limit, a sleep included. */
	static_assert(TG_PULSE_NS + TG_CONFIG_IDLE_MAX_US * 1000 <= TG_STEER_LIMIT_MIN_NS / 3, "");
}

TG_TEST(beat_waits_for_empty_sockets_after_standing_still, TG_NEEDS_NOTHING)
{
	static const struct {
		const char *what;
		uint64_t limit, stood;
		bool late, discard;
	} cases[] = {
		{ "a hiccup", 100 * MS, 99 * MS, false, false },
		{ "at the limit", 100 * MS, 100 * MS, false, false },
		{ "bypassed, nothing sent again yet", 100 * MS, 101 * MS, true, false },
		{ "just before T1", 100 * MS, 500 * MS, true, false },
		{ "sent again", 100 * MS, 501 * MS, true, true },
		{ "a day", 100 * MS, 86400000 * MS, true, true },
		{ "long, but never bypassed", 5000 * MS, 4000 * MS, false, false },
		{ "longer than a long limit", 5000 * MS, 5001 * MS, true, true },
	};
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		struct tg_pulse p = { .limit_ns = cases[i].limit, .beat_ns = 7 * MS };
		uint64_t now = 7 * MS + cases[i].stood;

		print_message("%s\n", cases[i].what);
		tg_pulse_feel(&p, now);
		assert_int_equal(p.late, cases[i].late);
		assert_int_equal(p.discard, cases[i].discard);
		/* Frames were found: only who was not late may say that all is well. */
		assert_int_equal(tg_pulse_due(&p, now, false), !cases[i].late);
		now += 20000;
		tg_pulse_feel(&p, now);
		assert_int_equal(tg_pulse_due(&p, now, true), cases[i].late);
		assert_false(p.late || p.discard);
		assert_int_equal(p.beat_ns, cases[i].late ? now : now - 20000);
	}
}

TG_TEST(beat_round_in_which_the_worker_stood_still_proves_nothing, TG_NEEDS_NOTHING)
{
	struct tg_pulse p = { .limit_ns = 100 * MS, .beat_ns = 0 };

	tg_pulse_feel(&p, 1 * MS);
	/* Looked into its sockets, found nothing, was stopped for 700 ms, comes to the end. */
	assert_false(tg_pulse_due(&p, 701 * MS, true));
	assert_true(p.late && p.discard);
	tg_pulse_feel(&p, 701 * MS);
	assert_false(tg_pulse_due(&p, 702 * MS, false)); /* and here they are */
	tg_pulse_feel(&p, 702 * MS);
	assert_true(tg_pulse_due(&p, 702 * MS, true));
	assert_false(p.late || p.discard);
}

TG_TEST(beat_backlog_grows_old_while_it_is_worked_off, TG_NEEDS_NOTHING)
{
	struct tg_pulse p = { .limit_ns = 100 * MS, .beat_ns = 0 };

	tg_pulse_feel(&p, 450 * MS);
	assert_true(p.late && !p.discard);
	assert_false(tg_pulse_due(&p, 450 * MS, false));
	tg_pulse_feel(&p, 510 * MS); /* by now the rest has been sent again */
	assert_true(p.late && p.discard);
	assert_false(tg_pulse_due(&p, 510 * MS, false));
	tg_pulse_feel(&p, 511 * MS);
	assert_true(tg_pulse_due(&p, 511 * MS, true));
	tg_pulse_feel(&p, 511 * MS);
	assert_false(p.late || p.discard);
}

/* ---- the set ------------------------------------------------------------------------------------- */

static char set[64];

static long bpf(enum bpf_cmd cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

static int make_map(const char *name, uint32_t value_size, uint32_t n, uint32_t flags)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_ARRAY,
				.key_size = 4,
				.value_size = value_size,
				.max_entries = n,
				.map_flags = flags };
	const int fd = (int)bpf(BPF_MAP_CREATE, &attr);
	char path[96];

	assert_true(fd >= 0);
	snprintf(path, sizeof(path), "%s/%s", set, name);
	memset(&attr, 0, sizeof(attr));
	attr.pathname = (uintptr_t)path;
	attr.bpf_fd = (uint32_t)fd;
	assert_int_equal(bpf(BPF_OBJ_PIN, &attr), 0);
	return fd;
}

static void put(int fd, uint32_t key, const void *value)
{
	union bpf_attr attr = { .map_fd = (uint32_t)fd };

	attr.key = (uintptr_t)&key;
	attr.value = (uintptr_t)value;
	assert_int_equal(bpf(BPF_MAP_UPDATE_ELEM, &attr), 0);
}

static struct tg_steer_heartbeat get_line(int fd, uint32_t key)
{
	union bpf_attr attr = { .map_fd = (uint32_t)fd };
	struct tg_steer_heartbeat line;

	attr.key = (uintptr_t)&key;
	attr.value = (uintptr_t)&line;
	assert_int_equal(bpf(BPF_MAP_LOOKUP_ELEM, &attr), 0);
	return line;
}

/* A bpf file system of our own, with a set in which "lo" is in slot 2 and has no peer. */
static int set_up(uint32_t abi)
{
	const struct tg_steer_config config = { .abi = abi, .heartbeat_limit_ns = 50 * MS };
	struct tg_steer_port port = { .ifindex = if_nametoindex("lo"), .ifname = "lo" };
	const struct tg_steer_heartbeat left = { .ns = 4711, .pid = 1, .state = 1 };
	int fd, lines;

	snprintf(set, sizeof(set), "/tmp/tg-beat-XXXXXX");
	assert_non_null(mkdtemp(set));
	if (mount("bpf", set, "bpf", 0, NULL) != 0) {
		rmdir(set);
		return -1;
	}
	fd = make_map("config", sizeof(config), 1, 0);
	put(fd, 0, &config);
	close(fd);
	fd = make_map("ports", sizeof(port), TG_STEER_MAX_PORTS, 0);
	put(fd, 2, &port);
	memcpy(port.ifname, "other", 6); /* the same number, in another namespace */
	put(fd, 1, &port);
	close(fd);
	lines = make_map("heartbeats", sizeof(left), TG_STEER_MAX_PORTS * TG_STEER_MAX_QUEUES,
			 BPF_F_MMAPABLE);
	put(lines, 2 * TG_STEER_MAX_QUEUES + 63, &left);
	return lines;
}

static void tear_down(int lines)
{
	close(lines);
	umount2(set, MNT_DETACH);
	rmdir(set);
}

TG_TEST(beat_lines_are_those_of_the_kernel, TG_NEEDS_ROOT)
{
	const unsigned lo = if_nametoindex("lo"), both[2] = { lo, lo }, one[2] = { lo, 0 },
		       none[2] = { 0, 0 };
	const int lines = set_up(TG_STEER_ABI);
	struct tg_steer_heartbeat *line;
	struct tg_beats beats;
	struct tg_why why;

	if (lines < 0)
		return tg_test_skip("no bpffs, or no BPF");
	assert_int_equal(tg_beats_open(&beats, set, true, &why), 0);
	assert_int_equal(tg_beats_limit(&beats), 50 * MS);
	assert_int_equal(tg_beats_slot(&beats, lo), 2);
	assert_int_equal(tg_beats_slot(&beats, 0), -1);
	assert_null(tg_beats_line(&beats, lo, TG_STEER_MAX_QUEUES));
	assert_null(tg_beats_line(&beats, 0, 0));

	/* Not a pair, in the kernel's eyes. */
	assert_int_equal(tg_beats_take(&beats, one, &why), -EINVAL);
	assert_int_equal(tg_beats_take(&beats, both, &why), -EINVAL);
	assert_non_null(strstr(why.text, "lo"));
	assert_int_equal(tg_beats_take(&beats, none, &why), 0);
	assert_int_equal(get_line(lines, 2 * TG_STEER_MAX_QUEUES + 63).ns, 4711);

	line = tg_beats_line(&beats, lo, 5);
	assert_non_null(line);
	tg_beat(line, 12345);
	assert_int_equal(get_line(lines, 2 * TG_STEER_MAX_QUEUES + 5).ns, 12345);
	assert_int_equal(get_line(lines, 2 * TG_STEER_MAX_QUEUES + 5).pid, getpid());
	assert_int_equal(line->state, TG_STEER_BEAT_FORWARDING);
	tg_beat_end(line, TG_STEER_BEAT_DRAINING);
	assert_int_equal(get_line(lines, 2 * TG_STEER_MAX_QUEUES + 5).ns, 0);
	assert_int_equal(line->state, TG_STEER_BEAT_DRAINING);
	tg_beats_close(&beats);
	tear_down(lines);
}

TG_TEST(beat_take_forgets_what_an_earlier_process_left, TG_NEEDS_ROOT)
{
	char name[IF_NAMESIZE];
	const int lines = set_up(TG_STEER_ABI);
	struct tg_beats beats;
	struct tg_why why;
	unsigned ifindex[2] = { if_nametoindex("lo"), 0 }, i;

	if (lines < 0)
		return tg_test_skip("no bpffs, or no BPF");
	for (i = 1; i < 64 && !ifindex[1]; i++) {
		if (i != ifindex[0] && if_indextoname(i, name))
			ifindex[1] = i;
	}
	assert_int_equal(tg_beats_open(&beats, set, true, &why), 0);
	if (ifindex[1]) {
		beats.port[3].ifindex = ifindex[1];
		memcpy(beats.port[3].ifname, name, sizeof(name));
		assert_int_equal(tg_beats_take(&beats, ifindex, &why), 0);
		assert_int_equal(get_line(lines, 2 * TG_STEER_MAX_QUEUES + 63).ns, 0);
		assert_int_equal(get_line(lines, 2 * TG_STEER_MAX_QUEUES + 63).state, 0);
	}
	tg_beats_close(&beats);
	tear_down(lines);
	if (!ifindex[1])
		tg_test_skip("no second interface");
}

TG_TEST(beat_set_of_another_build_is_refused, TG_NEEDS_ROOT)
{
	const int lines = set_up(TG_STEER_ABI + 1);
	struct tg_beats beats;
	struct tg_why why;

	if (lines < 0)
		return tg_test_skip("no bpffs, or no BPF");
	assert_int_equal(tg_beats_open(&beats, set, false, &why), -EPROTO);
	assert_null(beats.line);
	tear_down(lines);
}

TG_TEST(beat_no_set_is_an_error_only_if_one_was_asked_for, TG_NEEDS_NOTHING)
{
	const unsigned ifindex[2] = { 1, 1 };
	struct tg_beats beats;
	struct tg_why why = { "" };

	assert_int_equal(tg_beats_open(&beats, "/nowhere", false, &why), 0);
	assert_null(beats.line);
	assert_int_equal(tg_beats_take(&beats, ifindex, &why), 0);
	assert_null(tg_beats_line(&beats, 1, 0));
	tg_beats_close(&beats);
	assert_int_not_equal(tg_beats_open(&beats, "/nowhere", true, &why), 0);
	assert_non_null(strstr(why.text, "/nowhere"));
}

TG_TEST(beat_waiting_for_the_kernel_ends, TG_NEEDS_NOTHING)
{
	const uint64_t begin = tg_beat_now();

	tg_beat_wait_for_kernel();
	assert_true(tg_beat_now() - begin < 10000 * MS);
}
