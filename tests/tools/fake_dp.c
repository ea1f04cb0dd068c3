/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A dataplane for tests of the control plane: speaks tollgate/ctl.h at --socket, keeps what it is
 * given, and prints one line for each generation that comes into force:
 *
 *	generation 3 base ... delta ... policy ...
 *
 * Commands on standard input, one a line, each answered with one line:
 *
 *	lookup +959771234567     "+959771234567 generation 3 caller fraud 95 called -"
 *	state                    the line above
 */
#include <err.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/un.h>

#include "tests/support/fake_dp.h"
#include "tollgate/num.h"
#include "tollgate/reason.h"

static void print_state(const struct fake_dp *dp)
{
	printf("generation %" PRIu64 " base %016" PRIx64 " delta %016" PRIx64 " policy %016" PRIx64
	       "\n",
	       dp->generation, fake_dp_id(&dp->base), fake_dp_id(&dp->delta),
	       fake_dp_id(&dp->policy));
}

static void print_side(const char *name, uint32_t slot)
{
	if (tg_slot_category(slot) == TG_CATEGORY_NONE)
		printf(" %s -", name);
	else
		printf(" %s %s %u", name,
		       tg_reason_name(tg_category_reason(tg_slot_category(slot))),
		       tg_slot_score(slot));
}

static void lookup(const struct fake_dp *dp, const char *text)
{
	const struct tg_span span = { (const uint8_t *)text, (uint32_t)strlen(text) };
	const uint32_t listing = fake_dp_lookup(dp, tg_num_from_feed(span));

	printf("%s generation %" PRIu64, text, dp->generation);
	print_side("caller", tg_listing_side(listing, TG_SIDE_CALLER));
	print_side("called", tg_listing_side(listing, TG_SIDE_CALLED));
	printf("\n");
}

static void command(const struct fake_dp *dp)
{
	char line[128];

	if (!fgets(line, sizeof(line), stdin))
		exit(0);
	line[strcspn(line, "\n")] = 0;
	if (strncmp(line, "lookup ", 7) == 0)
		lookup(dp, line + 7);
	else
		print_state(dp);
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	unlink(path);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
	    listen(fd, 1) != 0)
		err(1, "%s", path);
	return fd;
}

int main(int argc, char **argv)
{
	struct fake_dp dp = { .generation = 0 };
	struct pollfd p[3] = { { .fd = 0, .events = POLLIN }, { .fd = -1 }, { .fd = -1 } };

	if (argc != 3 || strcmp(argv[1], "--socket") != 0)
		errx(2, "usage: fake_dp --socket PATH");
	/* Unbuffered input: poll() must not miss a second line that stdio has read already. */
	setvbuf(stdin, NULL, _IONBF, 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	p[1] = (struct pollfd){ .fd = listen_at(argv[2]), .events = POLLIN };
	for (;;) {
		if (poll(p, 3, -1) < 0)
			err(1, "poll");
		if (p[0].revents)
			command(&dp);
		if (p[1].revents) {
			if (p[2].fd >= 0)
				close(p[2].fd);
			p[2] = (struct pollfd){ .fd = accept(p[1].fd, NULL, NULL),
						.events = POLLIN };
			if (fake_dp_hello(&dp, p[2].fd) == 0)
				continue;
		}
		if (p[2].fd >= 0 && p[2].revents) {
			const int rc = fake_dp_serve(&dp, p[2].fd, false);

			if (rc == 1)
				print_state(&dp);
			if (rc < 0) {
				close(p[2].fd);
				p[2].fd = -1;
			}
		}
	}
}
