/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/run/lastgood.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The daemon may replace the whole set between our reading `current` and opening what it names. */
#define ATTEMPTS 3

struct current {
	uint64_t generation;
	char file[TG_PART_COUNT][NAME_MAX + 1]; /* empty: none */
};

static int parse_generation(const char *value, uint64_t *generation)
{
	char *end;

	errno = 0;
	*generation = strtoull(value, &end, 10);
	return value[0] >= '0' && value[0] <= '9' && *end == 0 && errno == 0 && *generation != 0
		       ? 0
		       : -EINVAL;
}

/* One "key value"; each key at most once. */
static int parse_line(char *line, struct current *current)
{
	char *value = strchr(line, ' ');
	unsigned i;

	if (!value)
		return -EINVAL;
	*value++ = 0;
	if (strcmp(line, "generation") == 0 && current->generation == 0)
		return parse_generation(value, &current->generation);
	for (i = 0; i < TG_PART_COUNT; i++) {
		if (strcmp(line, tg_part_name((enum tg_part_place)i)) != 0)
			continue;
		if (current->file[i][0] || value[0] == 0 || value[0] == '/' ||
		    strlen(value) > NAME_MAX)
			return -EINVAL;
		memcpy(current->file[i], value, strlen(value) + 1);
		return 0;
	}
	return -EINVAL;
}

static int read_current(int dir_fd, struct current *current, struct tg_why *why)
{
	char line[NAME_MAX + 32];
	unsigned number = 0;
	FILE *f = NULL;
	int rc = 0;
	const int fd = openat(dir_fd, "current", O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		f = fdopen(fd, "r");
	if (!f) {
		rc = tg_why_set(why, -errno, "current: %s", strerror(errno));
		if (fd >= 0)
			close(fd);
		return rc;
	}
	memset(current, 0, sizeof(*current));
	while (rc == 0 && fgets(line, sizeof(line), f)) {
		number++;
		line[strcspn(line, "\n")] = 0;
		rc = parse_line(line, current);
	}
	fclose(f);
	if (rc != 0)
		return tg_why_set(why, -EINVAL, "current:%u: not understood", number);
	if (!current->generation || !current->file[TG_PART_BASE][0] ||
	    !current->file[TG_PART_POLICY][0])
		return tg_why_set(why, -EINVAL, "current: generation, base or policy is missing");
	return 0;
}

static int load_once(int dir_fd, struct tg_held **held, struct tg_why *why)
{
	struct tg_part *part[TG_PART_COUNT] = { NULL };
	struct current current = { 0 };
	unsigned i;
	int rc;

	rc = read_current(dir_fd, &current, why);
	if (rc != 0)
		return rc == -ENOENT ? -ENODATA : rc;
	for (i = 0; rc == 0 && i < TG_PART_COUNT; i++) {
		if (current.file[i][0])
			rc = tg_part_open_file(dir_fd, current.file[i], (enum tg_part_place)i,
					       &part[i], why);
	}
	if (rc == 0)
		rc = tg_held_compose(current.generation, part, held, why);
	for (i = 0; i < TG_PART_COUNT; i++)
		tg_part_put(part[i]);
	return rc;
}

int tg_lastgood_load(const char *dir, struct tg_held **held, struct tg_why *why)
{
	const int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	unsigned attempt = 0;
	int rc;

	if (dir_fd < 0)
		return tg_why_set(why, -errno, "%s", strerror(errno));
	do
		rc = load_once(dir_fd, held, why);
	while (rc == -ENOENT && ++attempt < ATTEMPTS);
	close(dir_fd);
	return rc;
}
