/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/run/beat.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/membarrier.h>
#include <net/if.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LINES (TG_STEER_MAX_PORTS * TG_STEER_MAX_QUEUES)
#define LINES_SIZE (LINES * sizeof(struct tg_steer_heartbeat))

/* ---- bpf(2): three of its commands do not ask for a library ------------------------------------- */

static int sys_bpf(enum bpf_cmd cmd, union bpf_attr *attr)
{
	const long rc = syscall(SYS_bpf, cmd, attr, sizeof(*attr));

	return rc < 0 ? -errno : (int)rc;
}

/* The map pinned at dir/name, if a value of it has `value_size` bytes and it has `n` of them. */
static int open_map(const char *dir, const char *name, uint32_t value_size, uint32_t n)
{
	char path[PATH_MAX];
	struct bpf_map_info info = { 0 };
	union bpf_attr attr = { .pathname = (uintptr_t)path };
	int fd, rc;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) >= sizeof(path))
		return -ENAMETOOLONG;
	fd = sys_bpf(BPF_OBJ_GET, &attr);
	if (fd < 0)
		return fd;
	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (uint32_t)fd;
	attr.info.info_len = sizeof(info);
	attr.info.info = (uintptr_t)&info;
	rc = sys_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr);
	if (rc == 0 && (info.value_size != value_size || info.max_entries != n))
		rc = -EPROTO;
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

static int lookup(int fd, uint32_t key, void *value)
{
	union bpf_attr attr = { .map_fd = (uint32_t)fd };

	attr.key = (uintptr_t)&key;
	attr.value = (uintptr_t)value;
	return sys_bpf(BPF_MAP_LOOKUP_ELEM, &attr);
}

/* ---- the set ------------------------------------------------------------------------------------- */

static int read_config(struct tg_beats *beats, const char *dir)
{
	struct tg_steer_config config;
	int rc;

	beats->config_fd = open_map(dir, "config", sizeof(config), 1);
	if (beats->config_fd < 0)
		return beats->config_fd;
	rc = lookup(beats->config_fd, 0, &config);
	return rc == 0 && config.abi != TG_STEER_ABI ? -EPROTO : rc;
}

static int read_ports(struct tg_beats *beats, const char *dir)
{
	uint32_t slot;
	int rc = 0;
	const int fd = open_map(dir, "ports", sizeof(beats->port[0]), TG_STEER_MAX_PORTS);

	if (fd < 0)
		return fd;
	for (slot = 0; rc == 0 && slot < TG_STEER_MAX_PORTS; slot++)
		rc = lookup(fd, slot, &beats->port[slot]);
	close(fd);
	return rc;
}

static int map_lines(struct tg_beats *beats, const char *dir)
{
	const int fd = open_map(dir, "heartbeats", sizeof(struct tg_steer_heartbeat), LINES);
	void *map;

	if (fd < 0)
		return fd;
	map = mmap(NULL, LINES_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return -errno;
	beats->line = map;
	return 0;
}

int tg_beats_open(struct tg_beats *beats, const char *dir, bool asked, struct tg_why *why)
{
	int rc;

	memset(beats, 0, sizeof(*beats));
	rc = read_config(beats, dir);
	if (rc == 0)
		rc = read_ports(beats, dir);
	if (rc == 0)
		rc = map_lines(beats, dir);
	if (rc == 0)
		return 0;
	tg_beats_close(beats);
	if (!asked && (rc == -ENOENT || rc == -EPERM || rc == -EACCES))
		return 0;
	if (rc == -EPROTO)
		return tg_why_set(why, rc,
				  "%s: the XDP program there is another build's (see tgctl xdp)",
				  dir);
	return tg_why_set(why, rc, "%s: no XDP program there: %s (see tgctl xdp)", dir,
			  strerror(-rc));
}

uint64_t tg_beats_limit(const struct tg_beats *beats)
{
	struct tg_steer_config config;

	return lookup(beats->config_fd, 0, &config) == 0 ? config.heartbeat_limit_ns
							 : TG_STEER_LIMIT_DEFAULT_NS;
}

int tg_beats_slot(const struct tg_beats *beats, unsigned ifindex)
{
	char name[IF_NAMESIZE];
	int slot;

	if (!beats->line || ifindex == 0 || !if_indextoname(ifindex, name))
		return -1;
	for (slot = 0; slot < TG_STEER_MAX_PORTS; slot++) {
		/* The name, too: numbers begin anew in each network namespace. */
		if (beats->port[slot].ifindex == ifindex &&
		    strncmp(beats->port[slot].ifname, name, sizeof(name)) == 0)
			return slot;
	}
	return -1;
}

static void end_slot(struct tg_beats *beats, int slot)
{
	unsigned q;

	for (q = 0; slot >= 0 && q < TG_STEER_MAX_QUEUES; q++)
		tg_beat_end(&beats->line[(unsigned)slot * TG_STEER_MAX_QUEUES + q],
			    TG_STEER_BEAT_NONE);
}

int tg_beats_take(struct tg_beats *beats, const unsigned ifindex[2], struct tg_why *why)
{
	const int a = tg_beats_slot(beats, ifindex[0]), b = tg_beats_slot(beats, ifindex[1]);
	char name[IF_NAMESIZE] = "?";

	if (a < 0 && b < 0)
		return 0;
	if (a < 0 || b < 0 || (a ^ 1) != b) {
		(void)if_indextoname(ifindex[a < 0], name);
		return tg_why_set(why, -EINVAL,
				  "the XDP program's pairs are not ours: it has another peer for "
				  "%s than this pair",
				  name);
	}
	end_slot(beats, a);
	end_slot(beats, b);
	return 0;
}

struct tg_steer_heartbeat *tg_beats_line(const struct tg_beats *beats, unsigned ifindex,
					 unsigned queue)
{
	const int slot = tg_beats_slot(beats, ifindex);

	if (slot < 0 || queue >= TG_STEER_MAX_QUEUES)
		return NULL;
	return &beats->line[(unsigned)slot * TG_STEER_MAX_QUEUES + queue];
}

void tg_beats_close(struct tg_beats *beats)
{
	if (beats->line)
		munmap(beats->line, LINES_SIZE);
	beats->line = NULL;
	if (beats->config_fd >= 0)
		close(beats->config_fd);
	beats->config_fd = -1;
}

/* ---- beats --------------------------------------------------------------------------------------- */

/*
 * Relaxed, twice: the program reads `ns` alone, in one load, and acts on its age. Nothing else of
 * ours has to be visible with it: the frames it then sends us go through a ring with an order of its
 * own.
 */
void tg_beat(struct tg_steer_heartbeat *line, uint64_t now_ns)
{
	__atomic_store_n(&line->ns, now_ns, __ATOMIC_RELAXED);
	if (tg_unlikely(line->state != TG_STEER_BEAT_FORWARDING)) {
		line->pid = (uint32_t)getpid();
		line->state = TG_STEER_BEAT_FORWARDING;
	}
}

void tg_beat_end(struct tg_steer_heartbeat *line, enum tg_steer_beat_state state)
{
	__atomic_store_n(&line->ns, 0, __ATOMIC_RELAXED);
	line->state = state;
	line->pid = state == TG_STEER_BEAT_NONE ? 0 : (uint32_t)getpid();
}

uint64_t tg_beat_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/*
 * MEMBARRIER_CMD_GLOBAL is the kernel's synchronize_rcu(), and a poll of a NIC, with its XDP program
 * and the flush of what that redirected, is one RCU read-side section (it runs with softirqs
 * disabled). It is refused where cores run without a tick (nohz_full); there a sleep that no poll
 * outlasts has to do: softirqs end after 2 ms (MAX_SOFTIRQ_TIME), and ksoftirqd is preempted.
 */
void tg_beat_wait_for_kernel(void)
{
	const struct timespec t = { .tv_nsec = 20 * 1000 * 1000 };

	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) != 0)
		nanosleep(&t, NULL);
}

/* ---- having stood still -------------------------------------------------------------------------- */

void tg_pulse_feel(struct tg_pulse *p, uint64_t now_ns)
{
	const uint64_t age = now_ns - p->beat_ns;

	if (tg_likely(age <= p->limit_ns))
		return;
	p->late = true;
	p->discard = p->discard || age > TG_PULSE_RESENT_NS;
}

bool tg_pulse_due(struct tg_pulse *p, uint64_t now_ns, bool idle)
{
	if (tg_unlikely(p->late)) {
		if (!idle)
			return false;
		p->late = false;
		p->discard = false;
	} else {
		tg_pulse_feel(p, now_ns);
		if (p->late || now_ns - p->beat_ns < TG_PULSE_NS)
			return false;
	}
	p->beat_ns = now_ns;
	return true;
}
