/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of subcommands, and what they have in common. */
#include "control/cmd.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/client.h"
#include "control/daemon.h"
#include "tollgate/bpf_abi.h"

static const struct tg_cmd cmds[] = {
	{ "status", tg_cmd_status, "", "what is in force, who is connected, what is wrong", "",
	  "  tgctl status\n"
	  "  tgctl status --json | jq .dataplane.connected\n" },
	{ "metrics", tg_cmd_metrics, "", "call attempts and what was not inspected, for Prometheus",
	  "", "  tgctl metrics > /var/lib/prometheus/node-exporter/tollgate-calls.prom\n" },
	{ "feed import", tg_cmd_feed_import, "FILE|- --source NAME [--add] [--force] [--progress]",
	  "take a whole feed in, or nothing of it",
	  "  --source NAME  whose claims these are: a-z 0-9 . _ -\n"
	  "  --add          add to what the source claims; else the feed is all of it\n"
	  "  --force        prefixes under 4 digits; a table that grows or shrinks by over 20 %\n"
	  "  --progress     show it even if standard error is no terminal\n"
	  "  Ctrl-C cancels; nothing is taken then.\n",
	  "  tgctl feed import feed.csv --source acme\n"
	  "  zcat feed.csv.gz | tgctl feed import - --source acme --force\n" },
	{ "feed list", tg_cmd_feed_list, "", "the sources, and how much each claims", "",
	  "  tgctl feed list\n" },
	{ "number add", tg_cmd_number_add,
	  "NUMBER --category C --score N [--role R] [--kind K] [--expires T] [--ref TEXT] "
	  "[--force]",
	  "list one number now",
	  "  --category C   fraud scam spam wangiri irsf robocall simbox tdos flashcall dno\n"
	  "                 unallocated invalid allow emergency\n"
	  "  --score N      0 to 100\n"
	  "  --role R       caller, called or any (default)\n"
	  "  --kind K       exact (default), prefix or range (+A-+B)\n"
	  "  --expires T    RFC 3339, such as 2027-01-01T00:00:00Z\n"
	  "  --ref TEXT     a case number, shown by lookup and explain\n"
	  "  --force        a prefix under 4 digits\n",
	  "  tgctl number add +12025550123 --category fraud --score 95 --ref case-17\n"
	  "  tgctl number add +9597 --kind prefix --role caller --category wangiri --score 60\n" },
	{ "number del", tg_cmd_number_del, "NUMBER [--role R] [--kind K]",
	  "take out what `number add` listed",
	  "  Role and kind as they were added. What feeds claim stays.\n",
	  "  tgctl number del +12025550123\n" },
	{ "number lookup", tg_cmd_number_lookup, "NUMBER", "who claims what of a number", "",
	  "  tgctl number lookup +12025550123\n"
	  "  tgctl number lookup 112\n" },
	{ "explain", tg_cmd_explain, "NUMBER | --from A --to B [--trunk T] [--protocol P]",
	  "why a call is, or would be, judged as it is",
	  "  --trunk T      a trunk of the policy; default: the catch-all\n"
	  "  --protocol P   sip (default), isup or bicc; of the last two also what is done to\n"
	  "                 the message\n"
	  "  --attestation A|B|C|none, --verification STATE\n"
	  "                 as if it came with a PASSporT of that kind (valid, bad_signature, "
	  "...);\n"
	  "                 default: with none\n"
	  "  --called-party-number N [--calling-party-number N]\n"
	  "                 what ISUP in its body says (SIP-I)\n"
	  "isup and bicc:\n"
	  "  --opc N, --dpc N, --network-appearance N\n"
	  "                 the trunk that names them, as 4556 or 2-57-4\n"
	  "isup and bicc, and ISUP in the body of SIP:\n"
	  "  --nature-from N, --nature-to N\n"
	  "                 natures of address (national, ...); default: international\n"
	  "  --presentation P, --screening S\n"
	  "                 of the calling number; default: allowed, network\n"
	  "  --calling-category C\n"
	  "                 of the calling party; default: ordinary\n"
	  "  --redirecting-number N, --original-called-number N, --location-number N\n"
	  "  --generic-number QUALIFIER=N[,...]\n"
	  "                 further parameters; the presentation number is additional_calling\n"
	  "                 All in the words that rules have.\n",
	  "  tgctl explain +12025550123\n"
	  "  tgctl explain --from +12025550123 --to +6591234567 --trunk intl-1\n"
	  "  tgctl explain --protocol isup --from +12025550123 --to +441632960123 --opc 2-57-4 "
	  "--dpc 2-57-5\n"
	  "  tgctl explain --protocol isup --from +12025550123 --to +441632960123 \\\n"
	  "        --generic-number additional_calling=+12025550199 --redirecting-number "
	  "+442079460123\n"
	  "  tgctl explain --from +12025550123 --to +6591234567 --called-party-number +6591234567 "
	  "\\\n"
	  "        --calling-party-number +12025550199\n" },
	{ "table list", tg_cmd_table_list, "", "the generations that can be gone back to", "",
	  "  tgctl table list\n" },
	{ "table rollback", tg_cmd_table_rollback, "", "back to the generation before this one",
	  "  The ledger stays as it is: the table is pinned, and what is added meanwhile is kept "
	  "but\n"
	  "  not in force, until `tgctl table activate latest`. A second rollback goes forth "
	  "again.\n",
	  "  tgctl table rollback\n" },
	{ "table activate", tg_cmd_table_activate, "latest|GENERATION",
	  "pin to a generation, or follow the ledger again", "",
	  "  tgctl table activate 12\n"
	  "  tgctl table activate latest\n" },
	{ "table verify", tg_cmd_table_verify, "",
	  "check every hash of the journal and every image on disk", "", "  tgctl table verify\n" },
	{ "table index", tg_cmd_table_index, "", "bring STATE/ledger.db up to date now, for SQL",
	  "", "  tgctl table index\n" },
	{ "policy check", tg_cmd_policy_check, "FILE", "compile a policy; needs no daemon", "",
	  "  tgctl policy check policy.yaml\n" },
	{ "policy load", tg_cmd_policy_load, "FILE", "put a policy into force", "",
	  "  tgctl policy load policy.yaml\n" },
	{ "policy show", tg_cmd_policy_show, "", "the policy loaded last", "",
	  "  tgctl policy show > policy.yaml\n" },
	{ "xdp attach", tg_cmd_xdp_attach,
	  "IF IF [--fail open|closed] [--rules FILE] [--limit MS] [--mode best|native|generic] "
	  "[--set DIR]",
	  "signalling to the dataplane, the rest port to port; as root",
	  "  Put in front of a pair of ports, before tollgate-dp is started; again: takes over\n"
	  "  what is there. It stays when everything else ends.\n"
	  "  --fail F       while the dataplane is gone: open (default), signalling passes\n"
	  "                 unfiltered; closed, it is dropped\n"
	  "  --rules FILE   in place of the rules that are there (default udp 5060, tcp 5060,\n"
	  "                 protocol sctp)\n"
	  "  --limit MS     how old a heartbeat may be (default 100)\n"
	  "  --mode M       best (default): native if both drivers can, else generic\n"
	  "  --set DIR      where it is pinned (default " TG_STEER_SET_DIR ")\n",
	  "  tgctl xdp attach eth0 eth1\n"
	  "  tgctl xdp attach eth0 eth1 --fail closed --rules rules.txt\n" },
	{ "xdp detach", tg_cmd_xdp_detach, "[--set DIR]", "remove programs, maps, links and pins",
	  "", "  tgctl xdp detach\n" },
	{ "xdp status", tg_cmd_xdp_status, "[--set DIR]",
	  "per port: state, mode, heartbeat, where packets went; needs no daemon", "",
	  "  tgctl xdp status\n"
	  "  tgctl xdp status --json | jq '.ports[].state'\n" },
	{ "xdp rule", tg_cmd_xdp_rule, "add RULE | del RULE | list | load FILE",
	  "what is signalling; changed at run time",
	  "  A RULE is one of these, what it names first in that order decides:\n"
	  "    net PREFIX [ACTION] [POLICY]     source or destination, the longest prefix\n"
	  "    vlan VID [ACTION] [POLICY]       outermost tag\n"
	  "    udp|tcp|sctp PORT[-PORT] [ACTION]\n"
	  "    protocol NAME|NUMBER [ACTION]\n"
	  "    frame REASON [ACTION]            mpls, tunnel, fragment, truncated, ...\n"
	  "  ACTION: steer (default) or forward. POLICY: open or closed, for this trunk.\n"
	  "  load puts a file (- is standard input) in place of all rules, or changes nothing.\n"
	  "  --set DIR      where it is pinned (default " TG_STEER_SET_DIR ")\n",
	  "  tgctl xdp rule add udp 5060-5080\n"
	  "  tgctl xdp rule add net 192.0.2.0/24 closed\n"
	  "  tgctl xdp rule list > rules.txt\n" },
	{ "xdp policy", tg_cmd_xdp_policy, "IF open|closed [--set DIR]",
	  "a port's signalling while the dataplane is gone", "",
	  "  tgctl xdp policy eth0 closed\n" },
	{ "xdp limit", tg_cmd_xdp_limit, "MS [--set DIR]",
	  "how old a heartbeat may be, 5 to 10000 ms", "", "  tgctl xdp limit 100\n" },
	{ "xdp metrics", tg_cmd_xdp_metrics, "[--set DIR]", "the same for Prometheus, as text", "",
	  "  tgctl xdp metrics > /var/lib/prometheus/node-exporter/tollgate.prom\n" },
	{ "bypass", tg_cmd_bypass, "on|off|auto [--set DIR]",
	  "pass signalling unfiltered, never, or while the dataplane is gone",
	  "  on             port to port in the kernel, whatever any policy says\n"
	  "  off            never: while the dataplane is gone it is dropped\n"
	  "  auto           the default: by the policy of port or rule\n",
	  "  tgctl bypass on\n" },
	{ "replay", tg_cmd_replay,
	  "--feed F [--policy P] [--at TIME] [--no-checksum] [--force] [--json] CAPTURE",
	  "judge a capture file; needs no daemon",
	  "  One line per judged message, tab-separated: frame protocol message caller called\n"
	  "  verdict reason rule; counts on standard error. No root, no huge pages.\n"
	  "  --feed F       what lists numbers; - is standard input\n"
	  "  --policy P     default: the policy that control/samples/policy-default.yaml shows\n"
	  "  --at TIME      judge as of then (RFC 3339; default now): what has expired is not "
	  "listed\n"
	  "  --no-checksum  take wrong checksums: the capture was made at the sender\n"
	  "  --force        take prefixes under 4 digits in the feed\n"
	  "  --json         an object a line, with every identity; after `replay`\n"
	  "  Exit code 1 besides: output or memory.\n",
	  "  tgctl replay --feed control/samples/feed.csv calls.pcap\n"
	  "  tgctl replay --feed feed.csv --policy policy.yaml --json calls.pcap | jq .verdict\n" },
	{ "events", tg_cmd_events, "[--follow] [--lines N] [--file F]", "verdicts as they happen",
	  "  --follow       go on as the file grows\n"
	  "  --lines N      begin N lines before the end (default 10)\n"
	  "  --file F       default: where the daemon was told that they are\n"
	  "  --json         the lines as they are\n",
	  "  tgctl events --follow\n"
	  "  tgctl events --lines 100000 --json | jq 'select(.verdict == \"reject\")'\n" },
	{ "doctor", tg_cmd_doctor, "[--cores LIST] [PORT PEER ...]",
	  "what of this machine stands in the way, and what to do; needs no daemon",
	  "  PORT PEER      interfaces, in pairs as tollgate-dp has them\n"
	  "  --cores LIST   those that tollgate-dp is to have, as its -l\n"
	  "  Looks and changes nothing. Exit code 8 if anything is reported as fail.\n",
	  "  tgctl doctor\n"
	  "  tgctl doctor --cores 2,3 eth0 eth1\n"
	  "  tgctl doctor --json eth0 eth1 | jq '.checks[] | select(.result != \"ok\")'\n" },
};

static const char exit_codes[] =
	"Exit codes: 0 ok, 2 usage, 3 feed or policy refused, 4 file cannot be read,\n"
	"5 daemon not reachable, 6 refused by the daemon, 7 durable but not in force yet,\n"
	"8 doctor: something does not work.\n";

/* ---- help ---------------------------------------------------------------------------------------- */

static int print_help(FILE *out)
{
	unsigned i;

	fputs("usage: tgctl [--socket PATH] [--json] COMMAND ...\n\n", out);
	for (i = 0; i < TG_ARRAY_LEN(cmds); i++)
		fprintf(out, "  %-15s %s\n", cmds[i].name, cmds[i].what);
	fprintf(out,
		"\n  --socket PATH   the daemon's (default %s)\n"
		"  --json          one JSON object on standard output, errors too\n"
		"  --help          after a command: its options, and examples\n\n%s",
		TG_DAEMON_SOCKET, exit_codes);
	return TG_EXIT_OK;
}

static int print_command_help(const struct tg_cmd *cmd)
{
	printf("usage: tgctl %s%s%s\n\n%s\n\n%s%sexamples:\n%s\n%s", cmd->name,
	       *cmd->usage ? " " : "", cmd->usage, cmd->what, cmd->help, *cmd->help ? "\n" : "",
	       cmd->examples, exit_codes);
	return TG_EXIT_OK;
}

int tg_cmd_usage(const struct tg_cmd_env *env, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "tgctl: %s: ", env->cmd->name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\nusage: tgctl %s %s\n", env->cmd->name, env->cmd->usage);
	return TG_EXIT_USAGE;
}

/* ---- the daemon ---------------------------------------------------------------------------------- */

static void print_json(json_t *j)
{
	json_dumpf(j, stdout, JSON_COMPACT);
	putchar('\n');
}

int tg_cmd_error(const struct tg_cmd_env *env, enum tg_exit exit_code, const char *file,
		 const struct tg_error *err)
{
	char text[TG_ERROR_TEXT_MAX + 512];
	json_t *j, *message;

	if (!env->json) {
		if (file && *file)
			fprintf(stderr, "tgctl: %s\n",
				tg_error_format(err, file, text, sizeof(text)));
		else
			fprintf(stderr, "tgctl: %s\n", err->text);
		return exit_code;
	}
	message = json_string(err->text);
	j = json_pack("{s:o, s:i}", "text", message ? message : json_string("not UTF-8"), "exit",
		      (int)exit_code);
	if (file && *file)
		json_object_set_new(j, "file", json_string(file));
	if (err->line)
		json_object_set_new(j, "line", json_integer((json_int_t)err->line));
	if (err->column)
		json_object_set_new(j, "column", json_integer(err->column));
	j = json_pack("{s:o}", "error", j);
	print_json(j);
	json_decref(j);
	return exit_code;
}

json_t *tg_cmd_request(const char *op)
{
	return json_pack("{s:s}", "op", op);
}

void tg_cmd_add(json_t *request, const char *key, const char *value)
{
	json_t *text;

	if (!value)
		return;
	text = json_string(value);
	/* Bytes that are no UTF-8 cannot be said in JSON; what is sent instead is refused by name. */
	json_object_set_new(request, key, text ? text : json_string("?"));
}

int tg_cmd_call(const struct tg_cmd_env *env, const struct tg_cmd_call *call)
{
	const struct tg_client_call c = { .socket = env->socket,
					  .request = call->request,
					  .fd = call->fd,
					  .progress = call->progress };
	struct tg_client_error error;
	json_t *result = NULL;
	enum tg_exit rc;

	rc = tg_client_call(&c, &result, &error);
	if (call->progress)
		call->progress(NULL, NULL);
	if (rc != TG_EXIT_OK)
		return tg_cmd_error(env, rc, error.file, &error.err);
	if (env->json)
		print_json(result);
	else if (call->print)
		call->print(result);
	if (json_is_false(json_object_get(result, "in_force")))
		rc = TG_EXIT_PENDING;
	json_decref(result);
	return rc;
}

/* ---- results ------------------------------------------------------------------------------------- */

json_int_t tg_cmd_int(json_t *j, const char *key)
{
	return json_integer_value(json_object_get(j, key));
}

const char *tg_cmd_text(json_t *j, const char *key)
{
	const char *text = json_string_value(json_object_get(j, key));

	return text ? text : "-";
}

void tg_cmd_print_effect(json_t *r)
{
	if (json_is_false(json_object_get(r, "in_force")))
		printf("durable, but not in force yet: %s\n", tg_cmd_text(r, "why"));
	else
		printf("in force as generation %lld after %.1f ms (durable after %.1f ms)\n",
		       (long long)tg_cmd_int(r, "generation"),
		       (double)tg_cmd_int(r, "effect_ns") / 1e6,
		       (double)tg_cmd_int(r, "durable_ns") / 1e6);
}

/* ---- dispatch ------------------------------------------------------------------------------------ */

/* How many words of argv the command's name takes, 0 if it is another. */
static int match(const struct tg_cmd *cmd, int argc, char **argv)
{
	const char *space = strchr(cmd->name, ' ');
	const size_t first = space ? (size_t)(space - cmd->name) : strlen(cmd->name);

	if (argc < 1 || strlen(argv[0]) != first || strncmp(argv[0], cmd->name, first) != 0)
		return 0;
	if (!space)
		return 1;
	return argc > 1 && strcmp(argv[1], space + 1) == 0 ? 2 : 0;
}

struct globals {
	struct tg_cmd_env env;
	bool help;
};

/* Takes the global options out, wherever they stand before "--"; the new argc, or -1. Of `replay`,
 * which has options of its own, only those in front of it. */
static int take_globals(struct globals *g, int argc, char **argv)
{
	bool stop = false;
	int i, n = 1;

	for (i = 1; i < argc; i++) {
		stop = stop || strcmp(argv[i], "--") == 0 ||
		       (n == 2 && strcmp(argv[1], "replay") == 0);
		if (stop && strcmp(argv[i], "--help") != 0 && strcmp(argv[i], "-h") != 0) {
			argv[n++] = argv[i];
		} else if (strcmp(argv[i], "--json") == 0) {
			g->env.json = true;
		} else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			g->help = true;
		} else if (strncmp(argv[i], "--socket=", 9) == 0) {
			g->env.socket = argv[i] + 9;
		} else if (strcmp(argv[i], "--socket") == 0) {
			if (++i == argc)
				return -1;
			g->env.socket = argv[i];
		} else {
			argv[n++] = argv[i];
		}
	}
	argv[n] = NULL;
	return n;
}

static int no_such_command(int argc, char **argv)
{
	unsigned i;

	if (argc < 2) {
		print_help(stderr);
		return TG_EXIT_USAGE;
	}
	fprintf(stderr, "tgctl: no command \"%s%s%s\"", argv[1], argc > 2 ? " " : "",
		argc > 2 ? argv[2] : "");
	for (i = 0; i < TG_ARRAY_LEN(cmds); i++) {
		const size_t n = strlen(argv[1]);

		if (strncmp(cmds[i].name, argv[1], n) == 0 && cmds[i].name[n] == ' ')
			fprintf(stderr, "; there is \"%s\"", cmds[i].name);
	}
	fputs("; see tgctl --help\n", stderr);
	return TG_EXIT_USAGE;
}

int tg_cmd_main(int argc, char **argv)
{
	struct globals g = { .env = { .socket = TG_DAEMON_SOCKET } };
	unsigned i;

	argc = take_globals(&g, argc, argv);
	if (argc < 0) {
		fputs("tgctl: --socket needs a path\n", stderr);
		return TG_EXIT_USAGE;
	}
	for (i = 0; i < TG_ARRAY_LEN(cmds); i++) {
		const int words = match(&cmds[i], argc - 1, argv + 1);

		if (words == 0)
			continue;
		if (g.help)
			return print_command_help(&cmds[i]);
		g.env.cmd = &cmds[i];
		return cmds[i].run(&g.env, argc - words, argv + words);
	}
	return g.help && argc < 2 ? print_help(stdout) : no_such_command(argc, argv);
}
