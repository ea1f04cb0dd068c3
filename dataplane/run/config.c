/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/run/config.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "tollgate/pipeline.h"

#define MAX_MEMORY (1u << 26)

int tg_why_set(struct tg_why *why, int code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(why->text, sizeof(why->text), fmt, args);
	va_end(args);
	return code;
}

/* A decimal number and nothing else. */
static bool parse_unsigned(const char *text, unsigned long max, unsigned long *out)
{
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	*out = strtoul(text, &end, 10);
	return errno == 0 && *end == 0 && *out <= max;
}

static int copy_path(char *to, size_t size, const char *option, const char *from,
		     struct tg_why *why)
{
	if (from[0] == 0)
		return tg_why_set(why, -EINVAL, "--%s: a name is missing", option);
	if (strlen(from) >= size)
		return tg_why_set(why, -ENAMETOOLONG, "--%s: longer than %zu bytes", option,
				  size - 1);
	memcpy(to, from, strlen(from) + 1);
	return 0;
}

static int parse_port(const char **text, uint16_t *port)
{
	char *end;
	unsigned long value;

	if (!isdigit((unsigned char)**text))
		return -EINVAL;
	value = strtoul(*text, &end, 10);
	if (value >= UINT16_MAX)
		return -EINVAL;
	*text = end;
	*port = (uint16_t)value;
	return 0;
}

static bool port_in_use(const struct tg_config *config, uint16_t port)
{
	unsigned i;

	for (i = 0; i < config->n_pairs; i++) {
		if (config->pair[i].port[0] == port || config->pair[i].port[1] == port)
			return true;
	}
	return false;
}

int tg_config_parse_pairs(struct tg_config *config, const char *text, struct tg_why *why)
{
	const char *pos = text;
	struct tg_config_pair pair;

	config->n_pairs = 0;
	for (;;) {
		if (parse_port(&pos, &pair.port[0]) != 0 || *pos++ != ':' ||
		    parse_port(&pos, &pair.port[1]) != 0)
			return tg_why_set(why, -EINVAL, "--pairs %s: not of the form 0:1,2:3",
					  text);
		if (pair.port[0] == pair.port[1] || port_in_use(config, pair.port[0]) ||
		    port_in_use(config, pair.port[1]))
			return tg_why_set(why, -EINVAL, "--pairs %s: a port stands there twice",
					  text);
		if (config->n_pairs == TG_CONFIG_MAX_PAIRS)
			return tg_why_set(why, -EINVAL, "--pairs: more than %d",
					  TG_CONFIG_MAX_PAIRS);
		config->pair[config->n_pairs++] = pair;
		if (*pos == 0)
			return 0;
		if (*pos++ != ',')
			return tg_why_set(why, -EINVAL, "--pairs %s: not of the form 0:1,2:3",
					  text);
	}
}

static int parse_idle(struct tg_config *config, const char *text, struct tg_why *why)
{
	unsigned long us;

	if (strcmp(text, "auto") == 0) {
		config->idle_us = TG_CONFIG_IDLE_AUTO;
		return 0;
	}
	if (strcmp(text, "off") == 0) {
		config->idle_us = TG_CONFIG_IDLE_OFF;
		return 0;
	}
	if (!parse_unsigned(text, TG_CONFIG_IDLE_MAX_US, &us) || us == 0)
		return tg_why_set(why, -EINVAL,
				  "--idle %s: must be auto, off, or 1 to %d microseconds", text,
				  TG_CONFIG_IDLE_MAX_US);
	config->idle_us = (int)us;
	return 0;
}

/* 16 raw bytes, or 32 hexadecimal digits and at most a line end. */
static int read_key(uint8_t key[16], const char *path, struct tg_why *why)
{
	uint8_t buf[64];
	size_t n, bin_len = 0;
	FILE *f = fopen(path, "re");

	if (!f)
		return tg_why_set(why, -errno, "--key-file %s: %s", path, strerror(errno));
	n = fread(buf, 1, sizeof(buf), f);
	fclose(f);
	if (n == 16) {
		memcpy(key, buf, 16);
		sodium_memzero(buf, sizeof(buf));
		return 0;
	}
	if (sodium_hex2bin(key, 16, (const char *)buf, n, "\r\n", &bin_len, NULL) != 0 ||
	    bin_len != 16) {
		sodium_memzero(buf, sizeof(buf));
		return tg_why_set(why, -EINVAL,
				  "--key-file %s: must hold 16 bytes or 32 hexadecimal digits",
				  path);
	}
	sodium_memzero(buf, sizeof(buf));
	return 0;
}

enum option_id {
	OPT_IMAGES = 256,
	OPT_CONTROL,
	OPT_EVENTS,
	OPT_XDP_SET,
	OPT_EVENTS_UNMASKED,
	OPT_EVENTS_ALL,
	OPT_KEY_FILE,
	OPT_QUEUES,
	OPT_IDLE,
	OPT_MEMORY,
	OPT_PAIRS,
	OPT_KEEP_LINKS,
	OPT_STIR,
	OPT_HELP,
};

static const struct option options[] = {
	{ "images", required_argument, NULL, OPT_IMAGES },
	{ "control", required_argument, NULL, OPT_CONTROL },
	{ "events", required_argument, NULL, OPT_EVENTS },
	{ "xdp-set", required_argument, NULL, OPT_XDP_SET },
	{ "events-unmasked", no_argument, NULL, OPT_EVENTS_UNMASKED },
	{ "events-all", no_argument, NULL, OPT_EVENTS_ALL },
	{ "key-file", required_argument, NULL, OPT_KEY_FILE },
	{ "queues", required_argument, NULL, OPT_QUEUES },
	{ "idle", required_argument, NULL, OPT_IDLE },
	{ "memory", required_argument, NULL, OPT_MEMORY },
	{ "pairs", required_argument, NULL, OPT_PAIRS },
	{ "keep-links", no_argument, NULL, OPT_KEEP_LINKS },
	{ "stir", required_argument, NULL, OPT_STIR },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

static int apply_number(struct tg_config *config, int opt, const char *arg, struct tg_why *why)
{
	unsigned long value;

	if (opt == OPT_QUEUES) {
		if (!parse_unsigned(arg, TG_CONFIG_MAX_QUEUES, &value) || value == 0)
			return tg_why_set(why, -EINVAL, "--queues %s: must be 1 to %d", arg,
					  TG_CONFIG_MAX_QUEUES);
		config->queues = (unsigned)value;
		return 0;
	}
	if (!parse_unsigned(arg, MAX_MEMORY, &value) || value == 0)
		return tg_why_set(why, -EINVAL, "--memory %s: must be 1 to %u transactions", arg,
				  MAX_MEMORY);
	config->memory_entries = (uint32_t)value;
	return 0;
}

static int apply_option(struct tg_config *config, int opt, const char *arg, struct tg_why *why)
{
	switch (opt) {
	case OPT_IMAGES:
		return copy_path(config->images, sizeof(config->images), "images", arg, why);
	case OPT_CONTROL:
		return copy_path(config->control, sizeof(config->control), "control", arg, why);
	case OPT_EVENTS:
		return copy_path(config->events, sizeof(config->events), "events", arg, why);
	case OPT_XDP_SET:
		config->xdp_set_asked = true;
		return copy_path(config->xdp_set, sizeof(config->xdp_set), "xdp-set", arg, why);
	case OPT_STIR:
		return copy_path(config->stir, sizeof(config->stir), "stir", arg, why);
	case OPT_EVENTS_UNMASKED:
		config->events_unmasked = true;
		return 0;
	case OPT_EVENTS_ALL:
		config->events_all = true;
		return 0;
	case OPT_KEY_FILE:
		return read_key(config->key, arg, why);
	case OPT_IDLE:
		return parse_idle(config, arg, why);
	case OPT_PAIRS:
		return tg_config_parse_pairs(config, arg, why);
	case OPT_KEEP_LINKS:
		config->keep_links = true;
		return 0;
	case OPT_HELP:
		config->help = true;
		return 0;
	default:
		return apply_number(config, opt, arg, why);
	}
}

static int check_together(const struct tg_config *config, struct tg_why *why)
{
	struct tg_pipeline_config pc = { .memory_entries = config->memory_entries,
					 .cap_entries = TG_PIPELINE_CAP_DEFAULT };

	if (!config->events[0] && (config->events_unmasked || config->events_all))
		return tg_why_set(
			why, -EINVAL,
			"--events-unmasked and --events-all mean nothing without --events");
	if (tg_pipeline_size(&pc) == 0)
		return tg_why_set(why, -EINVAL, "--memory %u: not possible",
				  config->memory_entries);
	return 0;
}

int tg_config_parse(struct tg_config *config, int argc, char **argv, struct tg_why *why)
{
	int opt, rc;

	if (sodium_init() < 0)
		return tg_why_set(why, -EIO, "libsodium does not start");
	memset(config, 0, sizeof(*config));
	memcpy(config->xdp_set, TG_STEER_SET_DIR, sizeof(TG_STEER_SET_DIR));
	memcpy(config->control, TG_CONFIG_DEFAULT_CONTROL, sizeof(TG_CONFIG_DEFAULT_CONTROL));
	config->idle_us = TG_CONFIG_IDLE_AUTO;
	config->memory_entries = TG_PIPELINE_MEMORY_DEFAULT;
	randombytes_buf(config->key, sizeof(config->key));

	optind = 0; /* glibc: begin anew, whatever EAL or a test has parsed before */
	opterr = 0;
	while ((opt = getopt_long(argc, argv, "+:", options, NULL)) != -1) {
		if (opt == ':')
			return tg_why_set(why, -EINVAL, "%s: a value is missing", argv[optind - 1]);
		if (opt == '?')
			return tg_why_set(why, -EINVAL, "%s: no such option", argv[optind - 1]);
		rc = apply_option(config, opt, optarg, why);
		if (rc != 0)
			return rc;
	}
	if (optind < argc)
		return tg_why_set(why, -EINVAL, "%s: not an option", argv[optind]);
	return check_together(config, why);
}

void tg_config_usage(FILE *out, const char *program)
{
	fprintf(out,
		"Usage: %s [EAL options] -- [options]\n"
		"\n"
		"Judges the calls that pass between pairs of ports. EAL options are those of every "
		"DPDK\n"
		"application (-l, -a, --vdev, --no-huge, ...).\n"
		"\n"
		"  --images DIR          last good images, filtered with from the start "
		"(DIR/current)\n"
		"  --control PATH        where the daemon connects (" TG_CONFIG_DEFAULT_CONTROL
		")\n"
		"  --events FILE|-       verdicts as JSON lines, appended; numbers masked\n"
		"  --events-unmasked     whole numbers\n"
		"  --events-all          calls in no list too\n"
		"  --key-file FILE       16 bytes or 32 hex digits, the same on all boxes of a "
		"cluster\n"
		"                        (drawn at random at start)\n"
		"  --queues N            receive queues a port (one for each worker of a pair)\n"
		"  --idle auto|off|US    longest sleep of a worker without packets, 1 to %d us\n"
		"                        (auto: off with a real NIC, %d us on virtual devices)\n"
		"  --memory N            transactions remembered a worker (%u)\n"
		"  --pairs A:B,C:D       ports that belong together (0:1,2:3,...)\n"
		"  --keep-links          do not take a port down whose peer has lost its link\n"
		"  --xdp-set DIR         the XDP program in front, see tgctl xdp\n"
		"                        (" TG_STEER_SET_DIR ", if it is there)\n"
		"  --stir DIR            verify PASSporTs (Identity) with the certificates in "
		"DIR/trust\n"
		"                        and DIR/certs; beside the calls, which never wait for it\n"
		"  --help                this text\n"
		"\n"
		"Two ports of a NIC, bound to vfio-pci, two workers:\n"
		"  %s -l 2,3 -a 0000:3b:00.0 -a 0000:3b:00.1 -- --images /var/lib/tollgate/images\n"
		"Two Linux interfaces, without huge pages:\n"
		"  %s -l 0 --no-huge -m 512 --no-pci --vdev net_af_xdp0,iface=eth1 \\\n"
		"      --vdev net_af_xdp1,iface=eth2 -- --events -\n"
		"\n"
		"SIGINT or SIGTERM ends it with exit code 0; 1: it could not start; 2: usage.\n",
		program, TG_CONFIG_IDLE_MAX_US, TG_CONFIG_IDLE_AUTO_US, TG_PIPELINE_MEMORY_DEFAULT,
		program, program);
}
