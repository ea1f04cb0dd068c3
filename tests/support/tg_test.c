/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/support/tg_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct tg_guard tg_guard_copy(const void *data, size_t len)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const size_t body = (len + page - 1) / page * page;
	struct tg_guard g = { .len = len, .map_len = body + page };

	g.map = mmap(NULL, g.map_len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (g.map == MAP_FAILED || mprotect((uint8_t *)g.map + body, page, PROT_NONE) != 0)
		fail_msg("guard page: no memory");
	g.data = (uint8_t *)g.map + body - len;
	if (len > 0)
		memcpy(g.data, data, len);
	return g;
}

void tg_guard_free(struct tg_guard *g)
{
	munmap(g->map, g->map_len);
}

void tg_guard_truncate(const void *data, size_t len,
		       void (*check)(void *ctx, const uint8_t *data, size_t len), void *ctx)
{
	size_t n;

	for (n = 0; n <= len; n++) {
		struct tg_guard g = tg_guard_copy(data, n);

		check(ctx, g.data, n);
		tg_guard_free(&g);
	}
}

void *tg_test_block(size_t size)
{
	void *block;

	assert_true(size > 0 && size % TG_CACHE_LINE == 0);
	block = aligned_alloc(TG_CACHE_LINE, size);
	assert_non_null(block);
	memset(block, 0xa5, size);
	return block;
}

uint8_t *tg_test_read_file(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");
	uint8_t *bytes;
	long size;

	if (!f)
		fail_msg("cannot open %s", path);
	fseek(f, 0, SEEK_END);
	size = ftell(f);
	rewind(f);
	bytes = malloc((size_t)size + 1);
	if (!bytes || fread(bytes, 1, (size_t)size, f) != (size_t)size)
		fail_msg("cannot read %s", path);
	fclose(f);
	bytes[size] = 0;
	*len = (size_t)size;
	return bytes;
}

const char *tg_test_captures(void)
{
	static const char path[] = "../shared/captures";

	return access(path, R_OK) == 0 ? path : NULL;
}
