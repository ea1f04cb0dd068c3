/* SPDX-License-Identifier: BSD-3-Clause */
/* A set is made, or taken over. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/steer.skel.h"
#include "control/xdp_private.h"

/* One port of the pair on its way into the set. */
struct joining {
	const char *ifname;
	uint32_t ifindex;
	unsigned slot;
	struct steer *skel;
	bool fresh; /* there was no link: what fails is undone */
	int link;   /* ours while it is not pinned, or -1 */
};

struct attaching {
	const struct tg_xdp_attach *a;
	struct tg_xdp_attached *out;
	struct tg_error *err;
	bool new_set;
	struct tg_xdp_maps maps; /* the first skeleton's descriptors */
	struct joining port[2];
	struct tg_xdp_rules *rules; /* two, malloc'd: as they were, and as they are once `ruled` */
	bool ruled;
};

/* ---- libbpf's words ------------------------------------------------------------------------------ */

/* Its first warning, the cause of the others, for our error; one thread attaches. */
static char first_words[256];

static int keep_words(enum libbpf_print_level level, const char *fmt, va_list args)
{
	if (level == LIBBPF_WARN && !*first_words) {
		vsnprintf(first_words, sizeof(first_words), fmt, args);
		first_words[strcspn(first_words, "\n")] = 0;
	}
	return 0;
}

/* ---- slots --------------------------------------------------------------------------------------- */

static bool link_is_on(const char *dir, unsigned slot, uint32_t ifindex)
{
	struct tg_xdp_link link;

	if (tg_xdp_link_open(dir, slot, &link) != 0)
		return false;
	close(link.fd);
	return link.ifindex == ifindex;
}

static int clear_slot(const struct attaching *at, unsigned slot)
{
	const struct tg_steer_port none = { .ifindex = 0 };
	const struct tg_steer_heartbeat never = { .ns = 0 };
	unsigned q;
	int rc;

	tg_xdp_remove_slot(at->a->dir, slot);
	bpf_map_delete_elem(at->maps.devices, &slot);
	rc = tg_xdp_put(at->maps.ports, slot, &none, "ports", at->err);
	for (q = 0; q < TG_STEER_MAX_QUEUES && rc == 0; q++)
		rc = tg_xdp_put(at->maps.heartbeats, slot * TG_STEER_MAX_QUEUES + q, &never,
				"heartbeats", at->err);
	return rc;
}

/* The pair's slots: where it is, or the first free ones. Whose interface is gone is cleared away. */
static int find_slots(struct attaching *at)
{
	int where[2] = { -1, -1 }, free_pair = -1, rc;
	struct tg_steer_port port;
	bool taken = false;
	unsigned slot, i;

	for (slot = 0; slot < TG_STEER_MAX_PORTS; slot++) {
		rc = tg_xdp_get(at->maps.ports, slot, &port, "ports", at->err);
		if (rc == 0 && port.ifindex != 0 && !link_is_on(at->a->dir, slot, port.ifindex)) {
			rc = clear_slot(at, slot);
			port.ifindex = 0;
		}
		if (rc != 0)
			return rc;
		for (i = 0; i < 2; i++) {
			if (port.ifindex == at->port[i].ifindex)
				where[i] = (int)slot;
		}
		taken = port.ifindex != 0 || (slot % 2 == 1 && taken);
		if (slot % 2 == 1 && !taken && free_pair < 0)
			free_pair = (int)slot - 1;
	}
	for (i = 0; i < 2; i++) {
		if (where[i] >= 0 && where[i ^ 1] < 0) {
			rc = tg_xdp_get(at->maps.ports, (unsigned)where[i] ^ 1, &port, "ports",
					at->err);
			if (rc == 0 && port.ifindex != 0)
				return tg_error_set(at->err, -EBUSY, "%s is paired with %s in %s",
						    at->port[i].ifname, port.ifname, at->a->dir);
			where[i ^ 1] = where[i] ^ 1;
		}
	}
	if (where[0] < 0 && free_pair < 0)
		return tg_error_set(at->err, -ENOSPC, "%s has %d ports already", at->a->dir,
				    TG_STEER_MAX_PORTS);
	if (where[0] >= 0 && (where[0] ^ 1) != where[1])
		return tg_error_set(at->err, -EBUSY, "%s and %s are in %s with other peers",
				    at->port[0].ifname, at->port[1].ifname, at->a->dir);
	for (i = 0; i < 2; i++)
		at->port[i].slot = (unsigned)(where[0] < 0 ? free_pair + (int)i : where[i]);
	return 0;
}

/* ---- maps and programs --------------------------------------------------------------------------- */

static int pin_at(struct bpf_map *map, const char *path, struct tg_error *err)
{
	const int rc = bpf_map__set_pin_path(map, path);

	return rc ? tg_error_set(err, rc, "%s: %s", path, strerror(-rc)) : 0;
}

/*
 * The kernel adds BPF_F_RDONLY_PROG to every DEVMAP, and libbpf 1.1 finds then that what is pinned is
 * not what it asked for. So this one is compared and taken over here.
 */
static int reuse_devices(struct bpf_map *map, const char *path, struct tg_error *err)
{
	const int fd = bpf_obj_get(path);
	struct bpf_map_info info = { .type = 0 };
	uint32_t len = sizeof(info);
	int rc;

	if (fd < 0)
		return errno == ENOENT ? pin_at(map, path, err)
				       : tg_error_set(err, -errno, "%s: %s", path, strerror(errno));
	rc = bpf_obj_get_info_by_fd(fd, &info, &len);
	if (rc == 0 && (info.type != BPF_MAP_TYPE_DEVMAP || info.key_size != 4 ||
			info.value_size != 4 || info.max_entries != TG_STEER_MAX_PORTS))
		rc = -EEXIST;
	if (rc == 0)
		rc = bpf_map__reuse_fd(map, fd);
	close(fd);
	return rc ? tg_error_set(err, rc, "%s cannot be taken over: %s", path, strerror(-rc)) : 0;
}

/* libbpf takes over a map that is pinned at its path, if it fits, and pins it if there is none. */
static int open_skeleton(const struct attaching *at, struct steer **skel)
{
	char path[TG_XDP_PATH_MAX];
	int rc = 0;

	*skel = steer__open();
	if (!*skel)
		return tg_error_set(at->err, -errno, "cannot open the XDP program: %s",
				    strerror(errno));
#define X(map)                                                                                     \
	snprintf(path, sizeof(path), "%s/" #map, at->a->dir);                                      \
	if (rc == 0)                                                                               \
		rc = ((*skel)->maps.map == (*skel)->maps.devices ? reuse_devices : pin_at)(        \
			(*skel)->maps.map, path, at->err);
	TG_XDP_MAPS(X)
#undef X
	return rc;
}

static int load_skeleton(const struct attaching *at, struct steer *skel)
{
	int rc;

	*first_words = 0;
	rc = steer__load(skel);
	return rc ? tg_error_set(at->err, rc, "the kernel does not take the XDP program (%s)%s%s",
				 strerror(-rc), *first_words ? ": " : "", first_words)
		  : 0;
}

/* Before libbpf compares layouts: whose set is it? abi stays 0 until a set is complete. */
static int check_abi(struct attaching *at)
{
	struct bpf_map_info info = { .type = 0 };
	uint32_t len = sizeof(info), zero = 0;
	char path[TG_XDP_PATH_MAX];
	union {
		struct tg_steer_config config;
		uint8_t bytes[512];
	} value = { .config = { .abi = 0 } };
	int map;

	snprintf(path, sizeof(path), "%s/config", at->a->dir);
	map = bpf_obj_get(path);
	if (map < 0 && errno != ENOENT)
		return tg_error_set(at->err, -errno, "%s: %s", path, strerror(errno));
	if (map < 0) {
		at->new_set = true;
		return 0;
	}
	if (bpf_obj_get_info_by_fd(map, &info, &len) == 0 && info.value_size <= sizeof(value))
		bpf_map_lookup_elem(map, &zero, &value);
	close(map);
	at->new_set = value.config.abi == 0;
	if (!at->new_set && value.config.abi != TG_STEER_ABI)
		return tg_error_set(
			at->err, -EPROTO,
			"%s was attached by another version (%#x, this is %#x): detach it first",
			at->a->dir, value.config.abi, TG_STEER_ABI);
	return 0;
}

/* The shared maps, found or made: the slots are in them, and the programs are loaded for a slot. */
static int open_maps(struct attaching *at)
{
	struct steer *skel = NULL;
	int rc = open_skeleton(at, &skel);

	if (rc == 0) {
		bpf_program__set_autoload(skel->progs.xsk_def_prog, false);
		rc = load_skeleton(at, skel);
	}
#define X(map)                                                                                     \
	if (rc == 0)                                                                               \
		at->maps.map = fcntl(bpf_map__fd(skel->maps.map), F_DUPFD_CLOEXEC, 0);
	TG_XDP_MAPS(X)
#undef X
	steer__destroy(skel);
	return rc;
}

static int load(const struct attaching *at, struct joining *j)
{
	char path[TG_XDP_PATH_MAX];
	int rc = open_skeleton(at, &j->skel);

	if (rc != 0)
		return rc;
	j->skel->rodata->slot = j->slot;
	tg_xdp_port_path(path, at->a->dir, j->slot, "xsks_map");
	rc = pin_at(j->skel->maps.xsks_map, path, at->err);
	return rc ? rc : load_skeleton(at, j->skel);
}

/* ---- links --------------------------------------------------------------------------------------- */

/*
 * Interface numbers begin anew in each network namespace, and a pinned link does not tell its own: is
 * the program that it holds the one that runs on our interface of that number?
 */
static int identify_link(const struct attaching *at, struct joining *j)
{
	struct tg_xdp_link link;
	uint32_t running = 0;

	j->fresh = tg_xdp_link_open(at->a->dir, j->slot, &link) != 0;
	if (j->fresh)
		return 0;
	close(link.fd);
	j->fresh = link.ifindex != j->ifindex;
	if (j->fresh)
		return 0;
	bpf_xdp_query_id((int)j->ifindex, 0, &running);
	return running == link.program
		       ? 0
		       : tg_error_set(at->err, -EBUSY,
				      "%s is of another network namespace: name another --set for "
				      "%s",
				      at->a->dir, j->ifname);
}

static int program_fd(const struct joining *j)
{
	return bpf_program__fd(j->skel->progs.xsk_def_prog);
}

/* Does what runs do what we would load: the same instructions on the maps that are pinned here? */
static bool is_same(const struct joining *j, uint32_t running)
{
	uint32_t ids[64], ours[64];
	uint8_t tag[8] = { 0 }, our_tag[8] = { 1 };
	const unsigned n = tg_xdp_map_ids(running, ids, TG_ARRAY_LEN(ids), tag);
	const struct bpf_map *map;
	unsigned i;

	tg_xdp_map_ids(tg_xdp_program_id(program_fd(j)), ours, TG_ARRAY_LEN(ours), our_tag);
	if (memcmp(tag, our_tag, sizeof(tag)) != 0)
		return false;
	bpf_object__for_each_map(map, j->skel->obj)
	{
		const uint32_t id = tg_xdp_map_id(bpf_map__fd(map));

		if (bpf_map__is_internal(map)) /* the slot: each instance has its own copy */
			continue;
		for (i = 0; i < n && ids[i] != id; i++)
			;
		if (i == n)
			return false;
	}
	return true;
}

static int take_over(struct attaching *at, struct joining *j, unsigned i)
{
	struct tg_xdp_link link;
	int rc = tg_xdp_link_open(at->a->dir, j->slot, &link);

	if (rc == 0 && is_same(j, link.program)) {
		at->out->how[i] = TG_XDP_ATTACHED_SAME;
	} else if (rc == 0) {
		rc = bpf_link_update(link.fd, program_fd(j), NULL);
		at->out->how[i] = TG_XDP_ATTACHED_REPLACED;
	}
	if (rc != 0)
		tg_error_set(at->err, rc, "%s: cannot take over what is attached: %s", j->ifname,
			     strerror(-rc));
	if (link.fd >= 0)
		close(link.fd);
	return rc;
}

/* Somebody else's program: say whose. */
static int busy(const struct attaching *at, const struct joining *j)
{
	struct bpf_prog_info info = { .type = 0 };
	uint32_t id = 0, len = sizeof(info);
	int fd;

	bpf_xdp_query_id((int)j->ifindex, 0, &id);
	fd = id ? bpf_prog_get_fd_by_id(id) : -1;
	if (fd >= 0) {
		bpf_obj_get_info_by_fd(fd, &info, &len);
		close(fd);
	}
	return tg_error_set(at->err, -EBUSY, "%s has an XDP program already (%s, id %u)%s",
			    j->ifname, info.name, id,
			    strcmp(info.name, "xsk_def_prog") == 0
				    ? ": stop tollgate-dp, attach, and start it again"
				    : ": remove it first");
}

static int attach_one(const struct attaching *at, struct joining *j, enum tg_steer_mode mode)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts,
		    .flags = mode == TG_STEER_NATIVE ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE);

	j->link = bpf_link_create(program_fd(j), (int)j->ifindex, BPF_XDP, &opts);
	if (j->link >= 0)
		return 0;
	if (errno == EBUSY || errno == EEXIST)
		return busy(at, j);
	return tg_error_set(at->err, -errno, "%s: %s mode: %s", j->ifname, tg_xdp_mode_name(mode),
			    errno == 524 ? "not supported" : strerror(errno));
}

static void drop_links(struct attaching *at)
{
	unsigned i;

	for (i = 0; i < 2; i++) {
		if (at->port[i].link < 0)
			continue;
		bpf_link_detach(at->port[i].link);
		close(at->port[i].link);
		at->port[i].link = -1;
	}
}

static int attach_fresh(struct attaching *at, enum tg_steer_mode mode)
{
	unsigned i;
	int rc = 0;

	for (i = 0; i < 2 && rc == 0; i++) {
		at->out->how[i] = TG_XDP_ATTACHED_NEW;
		rc = at->port[i].fresh ? attach_one(at, &at->port[i], mode)
				       : take_over(at, &at->port[i], i);
	}
	if (rc != 0)
		drop_links(at);
	return rc;
}

/* Both ports alike: a native program cannot redirect to a driver that knows nothing of XDP. */
static int attach_pair(struct attaching *at)
{
	const bool generic_only = at->a->mode == TG_XDP_GENERIC;
	struct tg_steer_port there;
	unsigned i;
	int rc;

	for (i = 0; i < 2; i++) {
		if (at->port[i].fresh)
			continue;
		rc = tg_xdp_get(at->maps.ports, at->port[i].slot, &there, "ports", at->err);
		at->out->mode = there.mode;
		return rc ? rc : attach_fresh(at, there.mode);
	}
	at->out->mode = generic_only ? TG_STEER_GENERIC : TG_STEER_NATIVE;
	rc = attach_fresh(at, at->out->mode);
	if (rc == 0 || at->a->mode != TG_XDP_BEST || rc == -EBUSY || rc == -EPERM || rc == -ENODEV)
		return rc;
	snprintf(at->out->why_generic, sizeof(at->out->why_generic), "%.127s", at->err->text);
	at->out->mode = TG_STEER_GENERIC;
	return attach_fresh(at, TG_STEER_GENERIC);
}

static int pin_links(struct attaching *at)
{
	char path[TG_XDP_PATH_MAX];
	unsigned i;

	for (i = 0; i < 2; i++) {
		if (at->port[i].link < 0)
			continue;
		tg_xdp_port_path(path, at->a->dir, at->port[i].slot, "link");
		if (bpf_obj_pin(at->port[i].link, path) != 0)
			return tg_error_set(at->err, -errno, "cannot pin %s: %s", path,
					    strerror(errno));
		close(at->port[i].link);
		at->port[i].link = -1;
	}
	return 0;
}

/* ---- all of it ----------------------------------------------------------------------------------- */

static int fill_rules(struct attaching *at)
{
	struct tg_xdp_rules *pair = malloc(2 * sizeof(*pair));
	int rc;

	at->rules = pair;
	if (!pair)
		return tg_error_set(at->err, -ENOMEM, "no memory");
	rc = tg_xdp_load_rules(&at->maps, &pair[0], at->err);
	if (rc != 0)
		return rc;
	if (at->a->rules)
		pair[1] = *at->a->rules;
	else
		tg_xdp_rules_default(&pair[1]);
	rc = tg_xdp_apply_rules(&at->maps, &pair[0], &pair[1], at->err);
	at->ruled = rc == 0;
	return rc;
}

/* What the programs read before they run. abi comes last: it says that the set is complete. */
static int fill_set(struct attaching *at)
{
	const struct tg_steer_config config = { .abi = TG_STEER_ABI,
						.bypass = TG_STEER_BYPASS_AUTO,
						.heartbeat_limit_ns = TG_STEER_LIMIT_DEFAULT_NS };
	int rc;

	if (!at->new_set && !at->a->rules)
		return 0;
	rc = fill_rules(at);
	if (rc == 0 && at->new_set)
		rc = tg_xdp_put(at->maps.config, 0, &config, "config", at->err);
	return rc;
}

static int fill_port(struct attaching *at, const struct joining *j)
{
	struct tg_steer_port port;
	int rc = tg_xdp_get(at->maps.ports, j->slot, &port, "ports", at->err);

	port.ifindex = j->ifindex;
	snprintf(port.ifname, sizeof(port.ifname), "%s", j->ifname);
	if (at->a->has_policy)
		port.policy = at->a->policy;
	if (rc == 0)
		rc = tg_xdp_put(at->maps.devices, j->slot, &j->ifindex, "devices", at->err);
	return rc ? rc : tg_xdp_put(at->maps.ports, j->slot, &port, "ports", at->err);
}

static int note_mode(struct attaching *at, const struct joining *j)
{
	struct tg_steer_port port;
	const int rc = tg_xdp_get(at->maps.ports, j->slot, &port, "ports", at->err);

	port.mode = at->out->mode;
	return rc ? rc : tg_xdp_put(at->maps.ports, j->slot, &port, "ports", at->err);
}

static int join(struct attaching *at)
{
	unsigned i;
	int rc;

	rc = check_abi(at);
	if (rc == 0)
		rc = open_maps(at);
	if (rc == 0)
		rc = find_slots(at);
	for (i = 0; i < 2 && rc == 0; i++)
		rc = identify_link(at, &at->port[i]);
	for (i = 0; i < 2 && rc == 0; i++)
		rc = load(at, &at->port[i]);
	if (rc == 0)
		rc = fill_set(at);
	for (i = 0; i < 2 && rc == 0; i++)
		rc = fill_port(at, &at->port[i]);
	if (rc == 0)
		rc = attach_pair(at);
	for (i = 0; i < 2 && rc == 0; i++)
		rc = note_mode(at, &at->port[i]);
	return rc ? rc : pin_links(at);
}

/* Back to what was there. */
static void undo(struct attaching *at)
{
	struct tg_error *const err = at->err;
	unsigned i, ports;

	at->err = NULL; /* the first error is the one to tell */
	drop_links(at);
	if (at->new_set)
		tg_xdp_remove_set(at->a->dir, &ports, NULL);
	for (i = 0; i < 2 && !at->new_set; i++) {
		if (at->port[i].fresh && at->port[i].skel)
			clear_slot(at, at->port[i].slot);
	}
	if (at->ruled && !at->new_set)
		tg_xdp_apply_rules(&at->maps, &at->rules[1], &at->rules[0], NULL);
	at->err = err;
}

static int resolve(struct attaching *at)
{
	unsigned i;

	for (i = 0; i < 2; i++) {
		struct joining *j = &at->port[i];

		j->ifname = at->a->ifname[i];
		j->link = -1;
		j->ifindex = if_nametoindex(j->ifname);
		if (j->ifindex == 0)
			return tg_error_set(at->err, -ENODEV, "there is no interface %s here",
					    j->ifname);
	}
	return at->port[0].ifindex == at->port[1].ifindex
		       ? tg_error_set(at->err, -EINVAL, "a pair is two interfaces")
		       : 0;
}

int tg_xdp_attach(const struct tg_xdp_attach *a, struct tg_xdp_attached *out, struct tg_error *err)
{
	struct attaching at = { .a = a, .out = out, .err = err };
	libbpf_print_fn_t print;
	int lock, rc;

	memset(out, 0, sizeof(*out));
#define X(name) at.maps.name = -1;
	TG_XDP_MAPS(X)
#undef X
	rc = resolve(&at);
	if (rc == 0)
		rc = tg_xdp_make_dir(a->dir, err);
	if (rc != 0)
		return rc;
	lock = tg_xdp_lock(a->dir, err);
	if (lock < 0)
		return lock;
	print = libbpf_set_print(keep_words);
	rc = join(&at);
	if (rc != 0)
		undo(&at);
	libbpf_set_print(print);
	steer__destroy(at.port[0].skel);
	steer__destroy(at.port[1].skel);
	free(at.rules);
#define X(name)                                                                                    \
	if (at.maps.name >= 0)                                                                     \
		close(at.maps.name);
	TG_XDP_MAPS(X)
#undef X
	close(lock);
	return rc;
}
