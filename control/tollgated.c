/* SPDX-License-Identifier: BSD-3-Clause */
/* tollgated's arguments; daemon.h is where it begins. */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "control/daemon.h"
#include "control/say.h"
#include "tollgate/bpf_abi.h"

static const char usage[] =
	"usage: tollgated [OPTIONS]\n"
	"\n"
	"Keeps the reputation table: takes feeds in, builds images, puts them into force.\n"
	"\n"
	"  --state DIR       store of record and images (default " TG_DAEMON_STATE ")\n"
	"  --socket PATH     for tgctl, mode 0660 (default " TG_DAEMON_SOCKET ")\n"
	"  --dataplane PATH  of tollgate-dp (default " TG_DAEMON_DATAPLANE ")\n"
	"  --policy FILE     applies until one is loaded with `tgctl policy load`\n"
	"  --fold N          changed numbers after which a new base is built (default 65536)\n"
	"  --events FILE     where tollgate-dp writes events, for `tgctl events`\n"
	"  --xdp-set DIR     where `tgctl xdp` pins (default " TG_STEER_SET_DIR ")\n"
	"  --json            what it says on standard error as JSON lines: time, text\n"
	"  --foreground      the default, and the only way: leave daemonising to the init system\n"
	"  --help\n"
	"\n"
	"examples:\n"
	"  tollgated --policy policy.yaml --events /var/log/tollgate/events.jsonl\n"
	"  tollgated --state /tmp/tg --socket /tmp/tg.sock --dataplane /tmp/dp.sock   # no root\n"
	"  tollgated --json 2>&1 | jq -r .text\n"
	"\n"
	"SIGTERM and SIGINT stop it cleanly; kill -9 at any moment loses nothing.\n"
	"Exit codes: 0 stopped, 1 could not start, 2 usage.\n";

static bool parse_fold(const char *text, uint64_t *fold)
{
	char *end;

	errno = 0;
	*fold = strtoull(text, &end, 10);
	return errno == 0 && *text >= '0' && *text <= '9' && *end == 0 && *fold > 0;
}

static int parse(int argc, char **argv, struct tg_daemon_config *c)
{
	static const struct option options[] = {
		{ "state", required_argument, NULL, 's' },
		{ "socket", required_argument, NULL, 'S' },
		{ "dataplane", required_argument, NULL, 'd' },
		{ "policy", required_argument, NULL, 'p' },
		{ "fold", required_argument, NULL, 'f' },
		{ "events", required_argument, NULL, 'e' },
		{ "xdp-set", required_argument, NULL, 'x' },
		{ "json", no_argument, NULL, 'j' },
		{ "foreground", no_argument, NULL, 'F' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (opt) {
		case 's':
			c->state_dir = optarg;
			break;
		case 'S':
			c->socket = optarg;
			break;
		case 'd':
			c->dataplane = optarg;
			break;
		case 'p':
			c->policy = optarg;
			break;
		case 'f':
			if (!parse_fold(optarg, &c->fold)) {
				warnx("--fold %s: not a number above 0", optarg);
				return 2;
			}
			break;
		case 'e':
			c->events = optarg;
			break;
		case 'x':
			c->xdp_set = optarg;
			break;
		case 'j':
			tg_say_as_json();
			break;
		case 'F':
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind == argc)
		return 0;
	warnx("%s: no such argument", argv[optind]);
	return 2;
}

int main(int argc, char **argv)
{
	struct tg_daemon_config config = {
		.state_dir = TG_DAEMON_STATE,
		.socket = TG_DAEMON_SOCKET,
		.dataplane = TG_DAEMON_DATAPLANE,
		.fold = TG_DAEMON_FOLD,
		.xdp_set = TG_STEER_SET_DIR,
	};
	struct tg_daemon *daemon;
	struct tg_error error;
	int rc;

	umask(0027); /* what is kept names people's numbers: for the owner and the group alone */
	rc = parse(argc, argv, &config);
	if (rc != 0)
		return rc;
	if (tg_daemon_open(&config, &daemon, &error) != 0) {
		tg_say("%s", error.text);
		return 1;
	}
	rc = tg_daemon_run(daemon);
	tg_daemon_close(daemon);
	return rc == 0 ? 0 : 1;
}
