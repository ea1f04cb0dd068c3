/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The dataplane's end of tollgate/ctl.h without a dataplane: takes images, validates them with
 * libtollgate as tollgate-dp does, acknowledges, answers lookups. One connection at a time. Inline,
 * because unit tests and tests/tools/fake_dp.c both want it.
 */
#ifndef TG_TESTS_FAKE_DP_H
#define TG_TESTS_FAKE_DP_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tollgate/ctl.h"
#include "tollgate/policy.h"
#include "tollgate/table.h"

struct fake_dp_part {
	void *map; /* NULL = none */
	uint64_t length;
	struct tg_table table;
};

struct fake_dp {
	uint64_t generation;
	struct fake_dp_part base;
	struct fake_dp_part delta;
	struct fake_dp_part policy;
	unsigned n_published;
	unsigned unsealed; /* images that could still be changed */
};

static inline uint64_t fake_dp_id(const struct fake_dp_part *p)
{
	return p->map ? ((const struct tg_image_header *)p->map)->id : 0;
}

static inline void fake_dp_unmap(struct fake_dp_part *p)
{
	if (p->map)
		munmap(p->map, p->length);
	p->map = NULL;
}

static inline void fake_dp_fini(struct fake_dp *dp)
{
	fake_dp_unmap(&dp->base);
	fake_dp_unmap(&dp->delta);
	fake_dp_unmap(&dp->policy);
}

static inline int fake_dp_hello(const struct fake_dp *dp, int fd)
{
	const struct tg_ctl_hello m = {
		.h = { TG_CTL_MAGIC, TG_CTL_VERSION, TG_CTL_HELLO },
		.generation = dp->generation,
		.base_id = fake_dp_id(&dp->base),
		.delta_id = fake_dp_id(&dp->delta),
		.policy_id = fake_dp_id(&dp->policy),
		.pid = (uint32_t)getpid(),
		.n_workers = 1,
		.n_ports = 2,
	};

	return send(fd, &m, sizeof(m), MSG_NOSIGNAL) == (ssize_t)sizeof(m) ? 0 : -errno;
}

static inline int fake_dp_open(struct fake_dp *dp, int fd, uint64_t length, enum tg_image_kind kind,
			       struct fake_dp_part *part, char *why, size_t size)
{
	const int seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
	struct tg_image_error err;
	struct tg_policy policy;
	int rc;

	if ((fcntl(fd, F_GET_SEALS) & seals) != seals)
		dp->unsealed++;
	part->length = length;
	part->map = mmap(NULL, length, PROT_READ, MAP_PRIVATE | MAP_NORESERVE, fd, 0);
	if (part->map == MAP_FAILED) {
		part->map = NULL;
		snprintf(why, size, "mmap: %s", strerror(errno));
		return -errno;
	}
	if (kind == TG_IMAGE_POLICY)
		rc = tg_policy_open(&policy, part->map, length, &err);
	else
		rc = tg_table_open(&part->table, part->map, length, kind, &err);
	if (rc != 0)
		snprintf(why, size, "%s", tg_image_error_text(err.code));
	return rc;
}

static inline void fake_dp_take(struct fake_dp_part *have, struct fake_dp_part *got)
{
	fake_dp_unmap(have);
	*have = *got;
	got->map = NULL;
}

/* What is in force stays so on any failure. */
static inline int fake_dp_apply(struct fake_dp *dp, const struct tg_ctl_publish *m, const int *fds,
				unsigned n_fds, char *why, size_t size)
{
	struct fake_dp_part got[3] = { { .map = NULL } };
	static const enum tg_image_kind kinds[] = { TG_IMAGE_BASE, TG_IMAGE_DELTA,
						    TG_IMAGE_POLICY };
	const struct tg_table *base;
	struct tg_image_error err;
	unsigned i, n = 0;
	int rc = 0;

	if (m->generation <= dp->generation || m->parts == 0)
		rc = -ESTALE;
	for (i = 0; i < 3 && rc == 0; i++) {
		if (!(m->parts & 1u << i))
			continue;
		rc = n < n_fds
			     ? fake_dp_open(dp, fds[n], m->length[n], kinds[i], &got[i], why, size)
			     : -EINVAL;
		n++;
	}
	base = got[0].map ? &got[0].table : &dp->base.table;
	if (rc == 0 && (n != n_fds || (!got[0].map && !dp->base.map)))
		rc = -EINVAL;
	if (rc == 0 && got[1].map)
		rc = tg_table_check_delta(base, &got[1].table, &err);
	if (rc == 0) {
		if (got[0].map || (m->parts & TG_CTL_PART_NO_DELTA))
			fake_dp_unmap(&dp->delta);
		if (got[0].map)
			fake_dp_take(&dp->base, &got[0]);
		if (got[1].map)
			fake_dp_take(&dp->delta, &got[1]);
		if (got[2].map)
			fake_dp_take(&dp->policy, &got[2]);
		dp->generation = m->generation;
		dp->n_published++;
	}
	for (i = 0; i < 3; i++)
		fake_dp_unmap(&got[i]);
	return rc;
}

static inline void fake_dp_stats(const struct fake_dp *dp, int fd)
{
	static struct tg_ctl_stats m;

	m = (struct tg_ctl_stats){ .h = { TG_CTL_MAGIC, TG_CTL_VERSION, TG_CTL_STATS },
				   .generation = dp->generation };
	m.sum.rx_packets = 1000;
	m.sum.reason[TG_REASON_FRAUD] = 7;
	m.sum.reason[TG_REASON_TLS] = 2;
	m.sum.reason[TG_REASON_MPLS] = 1;
	m.sum.bodies_isup = 4;
	m.sum.trunk_action[0][TG_MODE_ENFORCE][TG_ACTION_REJECT] = 7;
	m.sum.latency[10] = 1000;
	(void)send(fd, &m, sizeof(m), MSG_NOSIGNAL);
}

static inline void fake_dp_ack(int fd, uint64_t generation, int status, const char *why)
{
	struct tg_ctl_ack m = { .h = { TG_CTL_MAGIC, TG_CTL_VERSION, TG_CTL_ACK },
				.generation = generation,
				.status = status,
				.swap_ns = 12345 };

	snprintf(m.text, sizeof(m.text), "%s", why);
	(void)send(fd, &m, sizeof(m), MSG_NOSIGNAL);
}

/* One message of the daemon's. 1 = a generation came into force, 0 = something else, negative = the
 * connection is gone. `mute`: no acknowledgement. */
static inline int fake_dp_serve(struct fake_dp *dp, int fd, bool mute)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * 8)];
	} control;
	union {
		struct tg_ctl_header h;
		struct tg_ctl_publish publish;
	} m;
	struct iovec iov = { &m, sizeof(m) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.bytes,
			      .msg_controllen = sizeof(control.bytes) };
	const ssize_t n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	const struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
	char why[TG_CTL_TEXT_MAX] = "";
	int fds[8], status;
	unsigned i, n_fds = 0;

	if (n <= 0)
		return n < 0 ? -errno : -ECONNRESET;
	if (c && c->cmsg_type == SCM_RIGHTS) {
		n_fds = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(fds, CMSG_DATA(c), n_fds * sizeof(int));
	}
	if (m.h.type == TG_CTL_STATS_REQUEST)
		fake_dp_stats(dp, fd);
	if (m.h.type != TG_CTL_PUBLISH || n != (ssize_t)sizeof(m.publish))
		return 0;
	status = fake_dp_apply(dp, &m.publish, fds, n_fds, why, sizeof(why));
	for (i = 0; i < n_fds; i++)
		close(fds[i]);
	if (!mute)
		fake_dp_ack(fd, m.publish.generation, status, status ? why : "");
	return status == 0 ? 1 : 0;
}

/* What the table in force says, 0 = nothing. */
static inline uint32_t fake_dp_lookup(const struct fake_dp *dp, struct tg_num num)
{
	struct tg_table_adapt adapt = { 0 };
	uint32_t listing = 0;

	if (dp->base.map)
		tg_table_lookup_burst(&dp->base.table, dp->delta.map ? &dp->delta.table : NULL,
				      &adapt, &num, 1, &listing);
	return listing;
}

#endif
