/* SPDX-License-Identifier: BSD-3-Clause */
/* A set's folder: made, and removed with all that is pinned in it. */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "control/xdp_private.h"

#define SYS_BPF "/sys/fs/bpf"

static bool is_bpffs(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == BPF_FS_MAGIC;
}

int tg_xdp_make_dir(const char *dir, struct tg_error *err)
{
	char parent[TG_XDP_PATH_MAX];
	char *slash;

	if (strlen(dir) > TG_XDP_DIR_MAX || dir[0] != '/')
		return tg_error_set(err, -EINVAL,
				    "a set's folder is an absolute path of up to %d characters",
				    TG_XDP_DIR_MAX);
	snprintf(parent, sizeof(parent), "%s", dir);
	slash = strrchr(parent, '/');
	if (strchr(slash, '.'))
		return tg_error_set(err, -EINVAL, "%s: a bpf file system takes no dots in names",
				    dir);
	*slash = 0;
	if (!is_bpffs(parent) && strcmp(parent, SYS_BPF) == 0 &&
	    mount("bpf", SYS_BPF, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") != 0)
		return tg_error_set(err, -errno,
				    "cannot mount a bpf file system on " SYS_BPF ": %s",
				    strerror(errno));
	if (!is_bpffs(parent))
		return tg_error_set(err, -EINVAL,
				    "%s is in no bpf file system: mount -t bpf bpf %s", dir,
				    *parent ? parent : "/");
	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		return tg_error_set(err, -errno, "cannot make %s: %s", dir, strerror(errno));
	return 0;
}

bool tg_xdp_remove_slot(const char *dir, unsigned slot)
{
	char path[TG_XDP_PATH_MAX];
	struct tg_xdp_link link;
	bool attached = false;

	if (tg_xdp_link_open(dir, slot, &link) == 0) {
		attached = link.ifindex != 0;
		/* At once, and not when the kernel gets round to the last reference. */
		bpf_link_detach(link.fd);
		close(link.fd);
	}
	tg_xdp_port_path(path, dir, slot, "link");
	unlink(path);
	tg_xdp_port_path(path, dir, slot, "xsks_map");
	unlink(path);
	tg_xdp_port_path(path, dir, slot, NULL);
	rmdir(path);
	return attached;
}

int tg_xdp_remove_set(const char *dir, unsigned *ports, struct tg_error *err)
{
	char path[TG_XDP_PATH_MAX];
	unsigned slot;

	*ports = 0;
	for (slot = 0; slot < TG_STEER_MAX_PORTS; slot++)
		*ports += tg_xdp_remove_slot(dir, slot);
#define X(map)                                                                                     \
	snprintf(path, sizeof(path), "%s/" #map, dir);                                             \
	unlink(path);
	TG_XDP_MAPS(X)
#undef X
	if (rmdir(dir) != 0)
		return tg_error_set(err, -errno, "cannot remove %s: %s", dir, strerror(errno));
	return 0;
}

int tg_xdp_detach(const char *dir, unsigned *ports, struct tg_error *err)
{
	int lock, rc;

	*ports = 0;
	if (strlen(dir) > TG_XDP_DIR_MAX || access(dir, F_OK) != 0)
		return tg_error_set(err, -ENOENT, "nothing is attached in %s", dir);
	if (!is_bpffs(dir))
		return tg_error_set(err, -EINVAL, "%s is in no bpf file system", dir);
	lock = tg_xdp_lock(dir, err);
	if (lock < 0)
		return lock;
	rc = tg_xdp_remove_set(dir, ports, err);
	close(lock);
	return rc;
}
