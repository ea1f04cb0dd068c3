/* SPDX-License-Identifier: BSD-3-Clause */
/* An attached set: opened by its pins, read, and its switches. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "control/xdp_private.h"

#define N_BEATS ((size_t)TG_STEER_MAX_PORTS * TG_STEER_MAX_QUEUES)

void tg_xdp_port_path(char *path, const char *dir, unsigned slot, const char *name)
{
	snprintf(path, TG_XDP_PATH_MAX, "%s/port%u%s%s", dir, slot, name ? "/" : "",
		 name ? name : "");
}

int tg_xdp_lock(const char *dir, struct tg_error *err)
{
	char parent[TG_XDP_PATH_MAX];
	char *slash;
	int fd;

	snprintf(parent, sizeof(parent), "%s", dir);
	slash = strrchr(parent, '/');
	if (slash)
		*slash = 0;
	fd = open(*parent ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return tg_error_set(err, -errno, "%s: %s", *parent ? parent : ".", strerror(errno));
	if (flock(fd, LOCK_EX) != 0) {
		const int rc = -errno;

		close(fd);
		return tg_error_set(err, rc, "cannot lock %s: %s", parent, strerror(-rc));
	}
	return fd;
}

int tg_xdp_put(int map, uint32_t index, const void *value, const char *name, struct tg_error *err)
{
	const int rc = bpf_map_update_elem(map, &index, value, BPF_ANY);

	return rc == 0 ? 0
		       : tg_error_set(err, rc, "map %s, entry %u: %s", name, index, strerror(-rc));
}

int tg_xdp_get(int map, uint32_t index, void *value, const char *name, struct tg_error *err)
{
	const int rc = bpf_map_lookup_elem(map, &index, value);

	return rc == 0 ? 0
		       : tg_error_set(err, rc, "map %s, entry %u: %s", name, index, strerror(-rc));
}

int tg_xdp_link_open(const char *dir, unsigned slot, struct tg_xdp_link *link)
{
	struct bpf_link_info info = { .type = 0 };
	struct bpf_prog_info prog = { .type = 0 };
	char path[TG_XDP_PATH_MAX];
	uint32_t len = sizeof(info);
	int fd;

	tg_xdp_port_path(path, dir, slot, "link");
	*link = (struct tg_xdp_link){ .fd = bpf_obj_get(path) };
	if (link->fd < 0) {
		link->fd = -1;
		return -errno;
	}
	if (bpf_obj_get_info_by_fd(link->fd, &info, &len) != 0 || info.type != BPF_LINK_TYPE_XDP) {
		close(link->fd);
		link->fd = -1;
		return -EINVAL;
	}
	link->ifindex = info.xdp.ifindex;
	link->program = info.prog_id;
	fd = bpf_prog_get_fd_by_id(info.prog_id);
	len = sizeof(prog);
	if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &prog, &len) == 0)
		memcpy(link->tag, prog.tag, sizeof(link->tag));
	if (fd >= 0)
		close(fd);
	return 0;
}

/* ---- open, close --------------------------------------------------------------------------------- */

static void maps_close(struct tg_xdp_maps *m)
{
#define X(name)                                                                                    \
	if (m->name >= 0)                                                                          \
		close(m->name);
	TG_XDP_MAPS(X)
#undef X
}

/* All of them: what the last failed with is said of all. */
static int maps_open(struct tg_xdp_maps *m, const char *dir, struct tg_error *err)
{
	char path[TG_XDP_PATH_MAX];
	int rc = 0;

#define X(map)                                                                                     \
	snprintf(path, sizeof(path), "%s/" #map, dir);                                             \
	m->map = bpf_obj_get(path);                                                                \
	if (m->map < 0)                                                                            \
		rc = tg_error_set(err, -errno, "%s: %s", path, strerror(errno));
	TG_XDP_MAPS(X)
#undef X
	return rc;
}

static int identify(struct tg_xdp *x, struct tg_error *err)
{
	struct tg_steer_config config;
	char path[TG_XDP_PATH_MAX + 8];
	struct stat st;
	int rc;

	snprintf(path, sizeof(path), "%s/config", x->dir);
	if (stat(path, &st) != 0)
		return tg_error_set(err, -errno, "%s: %s", path, strerror(errno));
	x->inode = st.st_ino;
	rc = tg_xdp_get(x->maps.config, 0, &config, "config", err);
	if (rc == 0 && config.abi != TG_STEER_ABI)
		rc = tg_error_set(
			err, -EPROTO,
			"%s was attached by another version (%#x, this is %#x): detach it, and "
			"attach it with this one",
			x->dir, config.abi, TG_STEER_ABI);
	return rc;
}

static int not_there(const char *dir, struct tg_error *err)
{
	return tg_error_set(err, -ENOENT, "nothing is attached in %s: tgctl xdp attach", dir);
}

int tg_xdp_open(const char *dir, struct tg_xdp **xdp, struct tg_error *err)
{
	struct tg_xdp *x;
	void *beats;
	int rc;

	*xdp = NULL;
	if (strlen(dir) > TG_XDP_DIR_MAX)
		return tg_error_set(err, -ENAMETOOLONG, "a set's path has at most %d characters",
				    TG_XDP_DIR_MAX);
	if (access(dir, F_OK) != 0)
		return errno == ENOENT || errno == ENOTDIR
			       ? not_there(dir, err)
			       : tg_error_set(err, -errno, "%s: %s", dir, strerror(errno));
	x = calloc(1, sizeof(*x));
	if (!x)
		return tg_error_set(err, -ENOMEM, "no memory");
	snprintf(x->dir, sizeof(x->dir), "%s", dir);
	x->n_cpus = (unsigned)libbpf_num_possible_cpus();
	rc = maps_open(&x->maps, dir, err);
	if (rc == 0)
		rc = identify(x, err);
	if (rc != 0)
		goto fail;
	beats = mmap(NULL, N_BEATS * sizeof(*x->beats), PROT_READ, MAP_SHARED, x->maps.heartbeats,
		     0);
	if (beats == MAP_FAILED) {
		rc = tg_error_set(err, -errno, "map heartbeats: %s", strerror(errno));
		goto fail;
	}
	x->beats = beats;
	*xdp = x;
	return 0;
fail:
	maps_close(&x->maps);
	free(x);
	return rc == -ENOENT ? not_there(dir, err) : rc;
}

void tg_xdp_close(struct tg_xdp *xdp)
{
	if (!xdp)
		return;
	munmap((void *)(uintptr_t)xdp->beats, N_BEATS * sizeof(*xdp->beats));
	maps_close(&xdp->maps);
	free(xdp);
}

bool tg_xdp_is_current(const struct tg_xdp *xdp)
{
	char path[TG_XDP_PATH_MAX + 8];
	struct stat st;

	snprintf(path, sizeof(path), "%s/config", xdp->dir);
	return stat(path, &st) == 0 && st.st_ino == xdp->inode;
}

/* ---- switches ------------------------------------------------------------------------------------ */

/* Read, changed and written as a whole under the lock; the kernel copies word by word, so that the
 * program sees each field old or new. */
static int change_config(struct tg_xdp *x, const uint32_t *bypass, const uint64_t *limit,
			 struct tg_error *err)
{
	const int lock = tg_xdp_lock(x->dir, err);
	struct tg_steer_config config;
	int rc;

	if (lock < 0)
		return lock;
	rc = tg_xdp_get(x->maps.config, 0, &config, "config", err);
	if (bypass)
		config.bypass = *bypass;
	if (limit)
		config.heartbeat_limit_ns = *limit;
	if (rc == 0)
		rc = tg_xdp_put(x->maps.config, 0, &config, "config", err);
	close(lock);
	return rc;
}

int tg_xdp_set_bypass(struct tg_xdp *xdp, enum tg_steer_bypass bypass, struct tg_error *err)
{
	const uint32_t value = bypass;

	return change_config(xdp, &value, NULL, err);
}

int tg_xdp_set_limit(struct tg_xdp *xdp, uint64_t ns, struct tg_error *err)
{
	if (ns < TG_STEER_LIMIT_MIN_NS || ns > TG_STEER_LIMIT_MAX_NS)
		return tg_error_set(err, -EINVAL, "a heartbeat's limit is %llu to %llu ms",
				    TG_STEER_LIMIT_MIN_NS / 1000000,
				    TG_STEER_LIMIT_MAX_NS / 1000000);
	return change_config(xdp, NULL, &ns, err);
}

int tg_xdp_set_policy(struct tg_xdp *xdp, const char *ifname, enum tg_steer_policy policy,
		      struct tg_error *err)
{
	const int lock = tg_xdp_lock(xdp->dir, err);
	struct tg_steer_port port;
	bool found = false;
	unsigned slot;
	int rc = 0;

	if (lock < 0)
		return lock;
	for (slot = 0; slot < TG_STEER_MAX_PORTS && !found && rc == 0; slot++) {
		rc = tg_xdp_get(xdp->maps.ports, slot, &port, "ports", err);
		found = rc == 0 && port.ifindex != 0 && strcmp(port.ifname, ifname) == 0;
		if (!found)
			continue;
		port.policy = policy;
		rc = tg_xdp_put(xdp->maps.ports, slot, &port, "ports", err);
	}
	close(lock);
	if (rc == 0 && !found)
		rc = tg_error_set(err, -ENOENT, "%s is no port of %s", ifname, xdp->dir);
	return rc;
}

/* ---- status -------------------------------------------------------------------------------------- */

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void look_at_beats(const struct tg_xdp *x, uint64_t limit, uint64_t now,
			  struct tg_xdp_port *p)
{
	unsigned q;

	for (q = 0; q < TG_STEER_MAX_QUEUES; q++) {
		const struct tg_steer_heartbeat *b = &x->beats[p->slot * TG_STEER_MAX_QUEUES + q];
		/* One writer, aligned: old or new, never torn. Nothing else is read by it. */
		const uint64_t ns = __atomic_load_n(&b->ns, __ATOMIC_RELAXED);
		const int64_t age = (int64_t)(now - ns);

		if (__atomic_load_n(&b->state, __ATOMIC_RELAXED) == TG_STEER_BEAT_DRAINING)
			p->draining = true;
		if (ns == 0)
			continue;
		p->pid = __atomic_load_n(&b->pid, __ATOMIC_RELAXED);
		if (age > (int64_t)limit || age < -(int64_t)limit)
			p->stale++;
		else
			p->fresh++;
		if (age > 0 && (uint64_t)age > p->age_ns)
			p->age_ns = (uint64_t)age;
	}
}

static enum tg_xdp_state state_of(const struct tg_xdp_port *p, uint32_t bypass)
{
	if (p->program == 0)
		return TG_XDP_GONE;
	if (bypass == TG_STEER_BYPASS_ON)
		return TG_XDP_FORCED;
	if (p->fresh > 0)
		return p->stale > 0 ? TG_XDP_PARTIAL : TG_XDP_FILTERING;
	return bypass == TG_STEER_BYPASS_OFF || p->port.policy == TG_STEER_FAIL_CLOSED
		       ? TG_XDP_CLOSED
		       : TG_XDP_BYPASS;
}

/* n entries of a per-CPU array from `first` on, all CPUs of each; one system call, malloc'd. */
static void *read_array(const struct tg_xdp *x, int map, uint32_t first, uint32_t n, size_t size)
{
	void *values = calloc((size_t)n * x->n_cpus, size);
	uint32_t *keys = calloc(n, sizeof(*keys));
	uint32_t before = first - 1, last = 0, got = n;
	int rc = -1;

	/* The batch begins behind `before`; in front of entry 0 that is nothing. */
	if (values && keys)
		rc = bpf_map_lookup_batch(map, first ? &before : NULL, &last, keys, values, &got,
					  NULL);
	free(keys);
	if ((rc == 0 || rc == -ENOENT) && got == n)
		return values;
	free(values);
	return NULL;
}

static int read_counts(const struct tg_xdp *x, struct tg_xdp_port *p, struct tg_error *err)
{
	const struct tg_steer_count *counts = read_array(x, x->maps.outcomes,
							 p->slot * TG_STEER_OUTCOMES_STRIDE,
							 TG_STEER_OUTCOME_COUNT, sizeof(*counts));
	const uint64_t *packets = read_array(x, x->maps.reasons, p->slot * TG_STEER_MAX_REASONS,
					     TG_REASON_COUNT + 1, sizeof(*packets));
	const bool ok = counts && packets;
	unsigned i;

	for (i = 0; ok && i < TG_STEER_OUTCOME_COUNT * x->n_cpus; i++) {
		p->outcome[i / x->n_cpus].packets += counts[i].packets;
		p->outcome[i / x->n_cpus].bytes += counts[i].bytes;
	}
	for (i = 0; ok && i < (TG_REASON_COUNT + 1) * x->n_cpus; i++)
		p->reason[i / x->n_cpus] += packets[i];
	free((void *)(uintptr_t)counts);
	free((void *)(uintptr_t)packets);
	return ok ? 0 : tg_error_set(err, -EIO, "the counters cannot be read");
}

static int read_port(const struct tg_xdp *x, const struct tg_steer_config *config, uint64_t now,
		     struct tg_xdp_port *p, struct tg_error *err)
{
	struct tg_xdp_link link;

	if (tg_xdp_link_open(x->dir, p->slot, &link) == 0) {
		if (link.ifindex != 0 && link.ifindex == p->port.ifindex)
			p->program = link.program;
		memcpy(p->tag, link.tag, sizeof(p->tag));
		close(link.fd);
	}
	look_at_beats(x, config->heartbeat_limit_ns, now, p);
	p->state = state_of(p, config->bypass);
	return read_counts(x, p, err);
}

int tg_xdp_status(struct tg_xdp *xdp, struct tg_xdp_status *s, struct tg_error *err)
{
	const uint64_t now = now_ns();
	unsigned slot;
	int rc;

	memset(s, 0, sizeof(*s));
	rc = tg_xdp_get(xdp->maps.config, 0, &s->config, "config", err);
	for (slot = 0; slot < TG_STEER_MAX_PORTS && rc == 0; slot++) {
		struct tg_xdp_port *p = &s->ports[s->n_ports];

		p->slot = slot;
		rc = tg_xdp_get(xdp->maps.ports, slot, &p->port, "ports", err);
		if (rc != 0 || p->port.ifindex == 0)
			continue;
		rc = read_port(xdp, &s->config, now, p, err);
		s->n_ports++;
	}
	return rc;
}
