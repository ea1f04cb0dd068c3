/* SPDX-License-Identifier: BSD-3-Clause */
#include "perf/huge.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define FOLDER "/sys/kernel/mm/hugepages/hugepages-2048kB/"
#define PAGE (2u << 20)
#define RESERVED FOLDER "nr_hugepages"
#define FREE FOLDER "free_hugepages"

static volatile uint64_t borrowed;

/* By system calls alone: give_back() runs in signal handlers too. */
static uint64_t read_count(const char *path)
{
	char text[24];
	uint64_t count = 0;
	ssize_t n, i;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text));
	close(fd);
	for (i = 0; i < n && text[i] >= '0' && text[i] <= '9'; i++)
		count = count * 10 + (uint64_t)(text[i] - '0');
	return count;
}

static bool write_count(uint64_t count)
{
	char text[24];
	size_t at = sizeof(text);
	ssize_t n;
	int fd = open(RESERVED, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	do {
		text[--at] = (char)('0' + count % 10);
		count /= 10;
	} while (count);
	n = write(fd, text + at, sizeof(text) - at);
	close(fd);
	return n == (ssize_t)(sizeof(text) - at);
}

/* Pages still in use become surplus, and go when their user has gone. Others may have borrowed too:
 * only what is ours is taken off. */
static void give_back(void)
{
	const uint64_t reserved = read_count(RESERVED), ours = borrowed;

	borrowed = 0;
	if (ours)
		(void)write_count(reserved > ours ? reserved - ours : 0);
}

static void on_signal(int sig)
{
	give_back();
	signal(sig, SIG_DFL);
	raise(sig);
}

bool huge_borrow(uint64_t bytes)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP };
	const uint64_t needed = (bytes + PAGE - 1) / PAGE, before = read_count(RESERVED);
	const uint64_t available = read_count(FREE);
	unsigned i;

	if (available >= needed)
		return true;
	atexit(give_back);
	for (i = 0; i < TG_ARRAY_LEN(ends); i++)
		signal(ends[i], on_signal);
	if (!write_count(before + needed - available))
		return false;
	borrowed = read_count(RESERVED) - before;
	if (read_count(FREE) >= needed)
		return true;
	give_back();
	return false;
}
