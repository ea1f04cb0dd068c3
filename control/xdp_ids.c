/* SPDX-License-Identifier: BSD-3-Clause */
/* Ids of programs and maps: what is the same in the kernel. 0: cannot be told. */
#include <bpf/bpf.h>
#include <string.h>
#include <unistd.h>

#include "control/xdp_private.h"

unsigned tg_xdp_map_ids(uint32_t program, uint32_t *ids, unsigned max, uint8_t tag[8])
{
	struct bpf_prog_info info = { .nr_map_ids = max, .map_ids = (uint64_t)(uintptr_t)ids };
	const int fd = bpf_prog_get_fd_by_id(program);
	uint32_t len = sizeof(info);
	unsigned n = 0;

	if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &len) == 0) {
		n = info.nr_map_ids < max ? info.nr_map_ids : max;
		memcpy(tag, info.tag, 8);
	}
	if (fd >= 0)
		close(fd);
	return n;
}

uint32_t tg_xdp_program_id(int fd)
{
	struct bpf_prog_info info = { .type = 0 };
	uint32_t len = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &len) == 0 ? info.id : 0;
}

uint32_t tg_xdp_map_id(int fd)
{
	struct bpf_map_info info = { .type = 0 };
	uint32_t len = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &len) == 0 ? info.id : 0;
}
