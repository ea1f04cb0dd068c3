/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * main() of a fuzz target without libFuzzer: runs it over the files of its corpus folder, each also
 * truncated at every length (every 16th beyond 4 KiB), against a guard page. `make test` always does.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX (1u << 20)

static uint8_t *area_end; /* first byte of the guard page */

static void run_guarded(const uint8_t *bytes, size_t n)
{
	memcpy(area_end - n, bytes, n);
	LLVMFuzzerTestOneInput(area_end - n, n);
}

static int run_file(const char *path)
{
	static uint8_t bytes[INPUT_MAX];
	size_t len, n;
	FILE *f = fopen(path, "rb");

	if (!f) {
		perror(path);
		return -1;
	}
	len = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	for (n = 0; n < len; n += n < 4096 ? 1 : 16)
		run_guarded(bytes, n);
	run_guarded(bytes, len);
	return 0;
}

int main(int argc, char **argv)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned n = 0;
	struct dirent *e;
	uint8_t *area;
	DIR *d;

	if (argc != 2 || !(d = opendir(argv[1]))) {
		fprintf(stderr, "usage: %s CORPUS-FOLDER\n", argv[0]);
		return 2;
	}
	area = mmap(NULL, INPUT_MAX + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
	if (area == MAP_FAILED || mprotect(area + INPUT_MAX, page, PROT_NONE) != 0)
		return 2;
	area_end = area + INPUT_MAX;
	while ((e = readdir(d))) {
		char path[4096];
		struct stat st;

		snprintf(path, sizeof(path), "%s/%s", argv[1], e->d_name);
		if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
			continue;
		if (run_file(path) != 0)
			return 1;
		n++;
	}
	closedir(d);
	printf("%u corpus files\n", n);
	return n > 0 ? 0 : 1;
}
