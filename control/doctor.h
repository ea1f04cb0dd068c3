/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tgctl doctor: what of this machine stands in Tollgate's way, and what to do about it. A group of
 * checks is a file (doctor_*.c) and a line in TG_DOCTOR_GROUPS. Looks, and changes nothing.
 */
#ifndef TG_CONTROL_DOCTOR_H
#define TG_CONTROL_DOCTOR_H

#include <jansson.h>
#include <net/if.h>

#include "tollgate/base.h"

#define TG_DOCTOR_MAX_PORTS 32
#define TG_DOCTOR_MAX_FINDINGS 512

enum tg_doctor_result {
	TG_DOCTOR_OK,
	TG_DOCTOR_NOTE, /* good to know */
	TG_DOCTOR_WARN, /* works, but slower or less safe than it could */
	TG_DOCTOR_FAIL, /* does not work */
	TG_DOCTOR_RESULT_COUNT
};

/* What the kernel says of an interface elsewhere than in files. */
struct tg_doctor_port {
	char driver[32];
	/* -1: the driver does not say */
	int rx_checksum, tx_checksum, gro, lro, rx_vlan_strip;
	int xdp; /* IFLA_XDP_ATTACHED: XDP_ATTACHED_NONE, DRV, SKB, HW, MULTI; -1: unknown */
};

/* Everything that is looked at. Tests put their own in place of it. */
struct tg_doctor_env {
	const char *root; /* before /proc and /sys: "" */
	/* 0 or negative errno */
	int (*port)(const char *ifname, struct tg_doctor_port *out);
	int (*bpf)(void);	   /* a map can be made */
	int (*af_xdp)(void);	   /* a socket can be made */
	int (*clock_synced)(void); /* 0: yes, 1: no */
};
extern const struct tg_doctor_env tg_doctor_machine;

struct tg_doctor_finding {
	const char *group;
	const char *check;
	char port[IF_NAMESIZE]; /* or "" */
	enum tg_doctor_result result;
	char found[192];
	char advice[320]; /* "" if there is nothing to do */
};

struct tg_doctor {
	const struct tg_doctor_env *env;
	unsigned n_ports; /* port 2i and port 2i + 1 are a pair */
	const char *port[TG_DOCTOR_MAX_PORTS];
	const char *cores; /* "2,3" or "2-3": those that tollgate-dp is to have; NULL: not said */
	unsigned n;
	struct tg_doctor_finding finding[TG_DOCTOR_MAX_FINDINGS];
};

/* Runs all groups. d->env, the ports and cores are set before. */
void tg_doctor_run(struct tg_doctor *d);
unsigned tg_doctor_count(const struct tg_doctor *d, enum tg_doctor_result result);
/* {"checks": [...], "ok": 1, "note": 2, "warn": 3, "fail": 0}; a new reference, NULL: no memory */
json_t *tg_doctor_json(const struct tg_doctor *d);
const char *tg_doctor_result_name(enum tg_doctor_result result);

#define TG_DOCTOR_GROUPS(X) X(memory) X(bpf) X(port) X(numa) X(clock)
#define X(name) void tg_doctor_##name(struct tg_doctor *d);
TG_DOCTOR_GROUPS(X)
#undef X

/* ---- for the groups ------------------------------------------------------------------------------ */

struct tg_doctor_where {
	const char *group;
	const char *check;
	const char *port; /* or NULL */
};
/* One finding, and what to do about it. */
void tg_doctor_find(struct tg_doctor *d, struct tg_doctor_where where, enum tg_doctor_result result,
		    const char *fmt, ...) TG_PRINTF(4, 5);
/* Of the finding before. */
void tg_doctor_advise(struct tg_doctor *d, const char *fmt, ...) TG_PRINTF(2, 3);

/* The first line of a file below the root, without its end. 0 or negative errno. */
int tg_doctor_read(const struct tg_doctor *d, char *text, size_t size, const char *fmt, ...)
	TG_PRINTF(4, 5);
/* A decimal or 0x number in such a file. */
int tg_doctor_number(const struct tg_doctor *d, long long *number, const char *fmt, ...)
	TG_PRINTF(3, 4);
/* Whether a file system of this type is mounted at `where` (any place: NULL). */
bool tg_doctor_mounted(const struct tg_doctor *d, const char *type, const char *where);
/* How many entries of a folder begin with `prefix`. */
unsigned tg_doctor_entries(const struct tg_doctor *d, const char *dir, const char *prefix);

#endif
