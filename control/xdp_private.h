/* SPDX-License-Identifier: BSD-3-Clause */
/* What xdp_*.c share: names of pins, the lock, an open set. libbpf's types stay inside. */
#ifndef TG_CONTROL_XDP_PRIVATE_H
#define TG_CONTROL_XDP_PRIVATE_H

#include "control/xdp.h"

#define TG_XDP_PATH_MAX 512
#define TG_XDP_DIR_MAX 400 /* "/portNN/" and the longest name fit behind it */

/* The shared maps: field of struct tg_xdp, and pin. */
#define TG_XDP_MAPS(X)                                                                             \
	X(config)                                                                                  \
	X(ports)                                                                                   \
	X(heartbeats)                                                                              \
	X(rule_nets)                                                                               \
	X(rule_vlans)                                                                              \
	X(rule_ports)                                                                              \
	X(rule_protocols)                                                                          \
	X(rule_reasons)                                                                            \
	X(outcomes)                                                                                \
	X(reasons)                                                                                 \
	X(devices)

struct tg_xdp_maps {
#define X(name) int name;
	TG_XDP_MAPS(X)
#undef X
};

struct tg_xdp {
	char dir[TG_XDP_PATH_MAX];
	uint64_t inode; /* of the config pin: the set's identity */
	struct tg_xdp_maps maps;
	const struct tg_steer_heartbeat *beats; /* mapped, read-only */
	unsigned n_cpus;
};

/* What a pinned link is on. */
struct tg_xdp_link {
	int fd; /* or -1 */
	uint32_t ifindex;
	uint32_t program;
	uint8_t tag[8];
};

/* DIR/portSLOT/NAME, or DIR/portSLOT without a name. */
void tg_xdp_port_path(char *path, const char *dir, unsigned slot, const char *name);

/* Checks the path, mounts a bpf file system on /sys/fs/bpf if that is where it is, makes the folder. */
int tg_xdp_make_dir(const char *dir, struct tg_error *err);
/* Takes the pins of one slot away; true if a program was attached by them. */
bool tg_xdp_remove_slot(const char *dir, unsigned slot);
/* All of a set; *ports: how many had a program attached. The lock is the caller's. */
int tg_xdp_remove_set(const char *dir, unsigned *ports, struct tg_error *err);

/* One changer at a time: the descriptor to close, or negative errno. */
int tg_xdp_lock(const char *dir, struct tg_error *err);

/* -ENOENT: no link is pinned. ifindex 0: its interface is gone. */
int tg_xdp_link_open(const char *dir, unsigned slot, struct tg_xdp_link *link);

/* The ids of a program's maps, sorted or not, and its tag; how many. */
unsigned tg_xdp_map_ids(uint32_t program, uint32_t *ids, unsigned max, uint8_t tag[8]);
uint32_t tg_xdp_program_id(int fd);
uint32_t tg_xdp_map_id(int fd);

int tg_xdp_apply_rules(const struct tg_xdp_maps *maps, const struct tg_xdp_rules *from,
		       const struct tg_xdp_rules *to, struct tg_error *err);
int tg_xdp_load_rules(const struct tg_xdp_maps *maps, struct tg_xdp_rules *r, struct tg_error *err);

/* bpf_map_update_elem and bpf_map_lookup_elem with an index, and an error that names the map. */
int tg_xdp_put(int map, uint32_t index, const void *value, const char *name, struct tg_error *err);
int tg_xdp_get(int map, uint32_t index, void *value, const char *name, struct tg_error *err);

#endif
