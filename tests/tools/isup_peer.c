/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two exchanges that call each other: ISUP in M3UA in SCTP (libusrsctp on raw sockets).
 *
 *	isup_peer called LOCAL-IP [--sink DIGITS]
 *	isup_peer calling LOCAL-IP REMOTE-IP --calls N --rate R [--first CALL] [--sink DIGITS]
 *	common: [--segment BYTES] [--bundle] [--second LOCAL-IP] [--udp]
 *
 * ASP and traffic maintenance first (RFC 4666 §4.3), then calls on 4,096 circuits: IAM, ACM, ANM, REL,
 * RLC. Call i comes from +8822 and i in eight digits if i is a multiple of ten (the tests list that
 * prefix), else from +8821 and i. The called end tells what has been done to an IAM on the way: nothing; the
 * called number became the sink's, which it releases with cause 1 (unallocated number) as an exchange would; the
 * calling number became restricted; or anything else. --segment makes SCTP fragment user messages; --bundle lets
 * it wait for more of them; --second is another address of the association, which takes over within some
 * seconds; --udp is RFC 6951. A JSON object with all counts ends the run.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <usrsctp.h>

#include "tests/tools/isup_octets.h"
#include "tollgate/load.h"

#define M3UA_PORT 2905
#define PPID_M3UA 3
#define CIRCUITS 4096
#define STREAMS 16
#define MESSAGE_MAX 512
#define CALL_SECONDS 20 /* then a call has failed */
#define UDP_PORT 9899

struct circuit {
	_Atomic uint32_t call; /* number + 1; 0: idle */
	_Atomic uint64_t since;
};

struct peer {
	bool calling;
	bool bundle;
	bool udp;
	bool two_paths;
	int segment;
	unsigned long calls, first, rate;
	char sink[DIGITS + 1];
	struct sockaddr_in local, second, remote;
	struct socket *socket;
	struct circuit circuit[CIRCUITS];
	atomic_bool active, lost;
	atomic_ulong done, answered, answered_listed, released[128], failed, iams, identical,
		to_sink, wrong_sink, restricted, wrong_restricted, changed, listed_through, altered,
		unexpected, send_errors;
};

static struct peer peer;
static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void say(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
}

/* ---- messages ---------------------------------------------------------------------------------- */

/* RFC 4666 §3.1.1 common header */
static unsigned make_header(uint8_t *p, uint8_t class, uint8_t type, unsigned length)
{
	p[0] = 1;
	p[1] = 0;
	p[2] = class;
	p[3] = type;
	tg_store_be32(p + 4, length);
	return 8;
}

static void send_octets(const uint8_t *p, unsigned len, uint16_t stream)
{
	struct sctp_sendv_spa spa = { .sendv_flags = SCTP_SEND_SNDINFO_VALID };

	spa.sendv_sndinfo.snd_sid = stream;
	spa.sendv_sndinfo.snd_ppid = htonl(PPID_M3UA);
	if (usrsctp_sendv(peer.socket, p, len, NULL, 0, &spa, sizeof(spa), SCTP_SENDV_SPA, 0) < 0)
		peer.send_errors++;
}

static void send_management(uint8_t class, uint8_t type)
{
	uint8_t p[8];

	send_octets(p, make_header(p, class, type, sizeof(p)), 0);
}

/* DATA (RFC 4666 §3.3.1): routing context, protocol data. Stream by SLS, which follows the circuit. */
static void send_isup(const uint8_t *user, unsigned len)
{
	const unsigned cic = user[0] | (unsigned)user[1] << 8;
	const unsigned pad = -len & 3;
	uint8_t p[MESSAGE_MAX] = { 0 };
	unsigned n = make_header(p, 1, 1, 8 + 8 + 16 + len + pad);

	tg_store_be32(p + n, 0x00060008);
	tg_store_be32(p + n + 4, 1);
	tg_store_be16(p + n + 8, 0x0210);
	tg_store_be16(p + n + 10, (uint16_t)(16 + len));
	tg_store_be32(p + n + 12, peer.calling ? 1 : 2);
	tg_store_be32(p + n + 16, peer.calling ? 2 : 1);
	p[n + 20] = 5;
	p[n + 21] = 2;
	p[n + 23] = cic & 15;
	n += 24;
	memcpy(p + n, user, len);
	send_octets(p, n + len + pad, (uint16_t)(1 + (cic & 15) % (STREAMS - 1)));
}

static void send_plain(const uint8_t *circuit, uint8_t type)
{
	uint8_t p[ISUP_MAX];

	send_isup(p, make_plain(p, circuit, type));
}

static void send_release(const uint8_t *circuit, uint8_t cause)
{
	uint8_t p[ISUP_MAX];

	send_isup(p, make_release(p, circuit, cause));
}

/* ---- the called exchange ----------------------------------------------------------------------- */

/* What became of the IAM on its way; true: it goes to the sink. */
static bool count_iam(const uint8_t *p, unsigned len)
{
	bool listed;
	const enum iam_change change = compare_iam(p, len, peer.sink, &listed);

	peer.iams++;
	peer.identical += change == IAM_SAME;
	peer.to_sink += change == IAM_SINK && listed;
	peer.wrong_sink += change == IAM_SINK && !listed;
	peer.restricted += change == IAM_RESTRICTED && listed;
	peer.wrong_restricted += change == IAM_RESTRICTED && !listed;
	peer.changed += change == IAM_CHANGED;
	peer.listed_through += listed && change != IAM_SINK;
	return change == IAM_SINK;
}

static void called_message(const uint8_t *p, unsigned len)
{
	peer.altered += p[2] != IAM && !is_as_made(p, len);
	switch (p[2]) {
	case IAM:
		if (count_iam(p, len)) {
			send_release(p, CAUSE_UNALLOCATED);
		} else {
			send_plain(p, ACM);
			send_plain(p, ANM);
		}
		break;
	case REL:
		send_plain(p, RLC);
		peer.done++;
		break;
	case RLC:
		peer.done++;
		break;
	default:
		peer.unexpected++;
	}
}

/* ---- the calling exchange ---------------------------------------------------------------------- */

static void end_call(struct circuit *c)
{
	atomic_store(&c->call, 0);
	peer.done++;
}

static void calling_message(const uint8_t *p, unsigned len)
{
	struct circuit *const c = &peer.circuit[(p[0] | (unsigned)p[1] << 8) % CIRCUITS];
	const uint32_t call = atomic_load(&c->call);

	peer.altered += !is_as_made(p, len);
	if (call == 0) {
		peer.unexpected++;
		return;
	}
	switch (p[2]) {
	case ACM:
		break;
	case ANM:
		peer.answered++;
		peer.answered_listed += (call - 1) % LISTED_EVERY == 0;
		send_release(p, CAUSE_NORMAL);
		break;
	case REL:
		if (len >= 8)
			peer.released[p[7] & 127]++;
		send_plain(p, RLC);
		end_call(c);
		break;
	case RLC:
		end_call(c);
		break;
	default:
		peer.unexpected++;
	}
}

static void place_call(uint32_t call)
{
	const unsigned cic = call % CIRCUITS;
	struct circuit *const c = &peer.circuit[cic];
	uint8_t iam[ISUP_MAX];

	while (!stop && atomic_load(&c->call) != 0) {
		if (now_ms() - atomic_load(&c->since) > CALL_SECONDS * 1000) {
			peer.failed++;
			end_call(c);
		}
		usleep(500);
	}
	atomic_store(&c->since, now_ms());
	atomic_store(&c->call, call + 1);
	send_isup(iam, make_iam(iam, call, cic));
}

static void place_calls(void)
{
	const uint64_t begin = now_ms();
	unsigned long i, due;
	uint64_t end;

	for (i = 0; i < peer.calls && !stop && !peer.lost;) {
		due = (now_ms() - begin) * peer.rate / 1000 + 1;
		for (; i < due && i < peer.calls; i++)
			place_call((uint32_t)(peer.first + i));
		usleep(1000);
	}
	for (end = now_ms() + CALL_SECONDS * 1000ull;
	     peer.done < i && now_ms() < end && !peer.lost;)
		usleep(10000);
	peer.failed += i - peer.done;
}

/* ---- M3UA -------------------------------------------------------------------------------------- */

/* ASPSM and ASPTM, RFC 4666 §3.5, §3.7: up, active, and their acknowledgements. */
static void management_message(uint8_t class, uint8_t type)
{
	if (class == 3 && type == 1)
		send_management(3, 4);
	else if (class == 3 && type == 4)
		send_management(4, 1);
	else if (class == 4 && type == 1)
		send_management(4, 3);
	else if (class != 4 || type != 3)
		peer.unexpected++;
	if (class == 4)
		peer.active = true;
}

static void message(const uint8_t *p, size_t len)
{
	const unsigned user_at = 8 + 8 + 16;
	unsigned user_len;

	if (len >= 8 && p[2] != 1) {
		management_message(p[2], p[3]);
		return;
	}
	if (len < user_at + 3) {
		peer.unexpected++;
		return;
	}
	user_len = tg_load_be16(p + 18) - 16u;
	if (user_len < 3 || user_len > len - user_at)
		peer.unexpected++;
	else if (peer.calling)
		calling_message(p + user_at, user_len);
	else
		called_message(p + user_at, user_len);
}

static int on_receive(struct socket *s, union sctp_sockstore from, void *data, size_t len,
		      struct sctp_rcvinfo info, int flags, void *ulp)
{
	(void)from;
	(void)info;
	(void)ulp;
	if (!data) {
		peer.lost = true;
		return 1;
	}
	/* Before accept() has returned the first message may be here. */
	if (!peer.socket)
		peer.socket = s;
	if (!(flags & MSG_NOTIFICATION))
		message(data, len);
	free(data);
	return 1;
}

/* ---- SCTP -------------------------------------------------------------------------------------- */

static void set_option(struct socket *s, int option, const void *value, socklen_t len)
{
	if (usrsctp_setsockopt(s, IPPROTO_SCTP, option, value, len) != 0)
		say("isup_peer: option %d: %s\n", option, strerror(errno));
}

/*
 * Timers as SS7 wants them (RFC 4666 leaves them to the operator), so that a path that fails is left within
 * some seconds: two timeouts of at most a second. Otherwise the library's own, which are RFC 9260's.
 */
static void set_library(void)
{
	usrsctp_init(peer.udp ? UDP_PORT : 0, NULL, NULL);
	usrsctp_sysctl_set_sctp_ecn_enable(0);
	usrsctp_sysctl_set_sctp_no_csum_on_loopback(0);
	/* A second of calls waits while a path is found dead; 512 chunks are the library's own limit. */
	usrsctp_sysctl_set_sctp_max_chunks_on_queue(1 << 16);
	if (peer.two_paths) {
		usrsctp_sysctl_set_sctp_rto_min_default(300);
		usrsctp_sysctl_set_sctp_rto_max_default(1000);
		usrsctp_sysctl_set_sctp_delayed_sack_time_default(50);
		usrsctp_sysctl_set_sctp_path_rtx_max_default(1);
		usrsctp_sysctl_set_sctp_heartbeat_interval_default(500);
	}
}

static int bind_all(struct socket *s)
{
	if (usrsctp_bind(s, (struct sockaddr *)&peer.local, sizeof(peer.local)) != 0)
		return -1;
	return peer.two_paths
		       ? usrsctp_bindx(s, (struct sockaddr *)&peer.second, 1, SCTP_BINDX_ADD_ADDR)
		       : 0;
}

static struct socket *open_socket(void)
{
	struct sctp_udpencaps encaps = { .sue_address.ss_family = AF_INET,
					 .sue_port = htons(UDP_PORT) };
	const struct sctp_initmsg streams = { .sinit_num_ostreams = STREAMS,
					      .sinit_max_instreams = STREAMS };
	const struct sctp_assoc_value segment = { .assoc_value = (uint32_t)peer.segment };
	const int on = 1, room = 8 << 20;
	struct socket *s = usrsctp_socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP, on_receive, NULL, 0,
					  NULL);

	if (!s)
		return NULL;
	usrsctp_setsockopt(s, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	usrsctp_setsockopt(s, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	set_option(s, SCTP_INITMSG, &streams, sizeof(streams));
	if (!peer.bundle)
		set_option(s, SCTP_NODELAY, &on, sizeof(on));
	if (peer.segment)
		set_option(s, SCTP_MAXSEG, &segment, sizeof(segment));
	if (peer.udp)
		set_option(s, SCTP_REMOTE_UDP_ENCAPS_PORT, &encaps, sizeof(encaps));
	if (bind_all(s) != 0) {
		say("isup_peer: bind: %s\n", strerror(errno));
		return NULL;
	}
	return s;
}

static int run_called(void)
{
	struct socket *const s = open_socket();

	if (!s || usrsctp_listen(s, 1) != 0)
		return 1;
	printf("listening\n");
	fflush(stdout);
	usrsctp_set_non_blocking(s, 1);
	while (!stop) {
		struct socket *const a = usrsctp_accept(s, NULL, NULL);

		if (a) {
			usrsctp_set_non_blocking(a, 1);
			peer.lost = false;
			peer.socket = a;
		}
		usleep(10000);
	}
	return 0;
}

static int run_calling(void)
{
	struct socket *const s = open_socket();
	const uint64_t end = now_ms() + 10000;

	if (!s)
		return 1;
	if (usrsctp_connect(s, (struct sockaddr *)&peer.remote, sizeof(peer.remote)) != 0) {
		say("isup_peer: connect: %s\n", strerror(errno));
		return 1;
	}
	usrsctp_set_non_blocking(s, 1);
	peer.socket = s;
	send_management(3, 1);
	while (!peer.active && now_ms() < end)
		usleep(10000);
	if (!peer.active) {
		say("isup_peer: no traffic maintenance\n");
		return 1;
	}
	place_calls();
	return 0;
}

static void report(void)
{
	struct sctpstat st;

	usrsctp_get_stat(&st);
	printf("{\"done\": %lu, \"answered\": %lu, \"answered_listed\": %lu, "
	       "\"released_unallocated\": %lu, \"failed\": %lu, \"iams\": %lu, \"identical\": %lu, "
	       "\"sink\": %lu, \"wrong_sink\": %lu, \"restricted\": %lu, \"wrong_restricted\": "
	       "%lu, ",
	       peer.done, peer.answered, peer.answered_listed, peer.released[CAUSE_UNALLOCATED],
	       peer.failed, peer.iams, peer.identical, peer.to_sink, peer.wrong_sink,
	       peer.restricted, peer.wrong_restricted);
	printf("\"changed\": %lu, \"listed_through\": %lu, \"altered\": %lu, \"unexpected\": %lu, "
	       "\"send_errors\": %lu, ",
	       peer.changed, peer.listed_through, peer.altered, peer.unexpected, peer.send_errors);
	printf("\"sctp\": {\"packets_out\": %u, \"data_out\": %u, \"retransmitted\": %u, \"fast\": "
	       "%u, "
	       "\"timeouts\": %u, \"duplicates_in\": %u, \"bad_checksum\": %u, \"aborted\": %u, "
	       "\"fragmented\": %u}}\n",
	       st.sctps_outpackets, st.sctps_senddata, st.sctps_sendretransdata,
	       st.sctps_sendfastretrans, st.sctps_timodata, st.sctps_recvdupdata,
	       st.sctps_checksumerrors, st.sctps_aborted, st.sctps_fragusrmsgs);
	fflush(stdout);
}

static int set_address(struct sockaddr_in *a, const char *text)
{
	memset(a, 0, sizeof(*a));
	a->sin_family = AF_INET;
	a->sin_port = htons(M3UA_PORT);
	return inet_pton(AF_INET, text, &a->sin_addr) == 1 ? 0 : -1;
}

static int parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "calls", required_argument, NULL, 'c' },
		{ "first", required_argument, NULL, 'f' },
		{ "rate", required_argument, NULL, 'r' },
		{ "sink", required_argument, NULL, 's' },
		{ "segment", required_argument, NULL, 'g' },
		{ "bundle", no_argument, NULL, 'b' },
		{ "second", required_argument, NULL, '2' },
		{ "udp", no_argument, NULL, 'u' },
		{ NULL, 0, NULL, 0 },
	};
	int o;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o == 'c')
			peer.calls = strtoul(optarg, NULL, 10);
		else if (o == 'f')
			peer.first = strtoul(optarg, NULL, 10);
		else if (o == 'r')
			peer.rate = strtoul(optarg, NULL, 10);
		else if (o == 's' && strlen(optarg) == DIGITS)
			strcpy(peer.sink, optarg);
		else if (o == 'g')
			peer.segment = atoi(optarg);
		else if (o == 'b')
			peer.bundle = true;
		else if (o == '2' && set_address(&peer.second, optarg) == 0)
			peer.two_paths = true;
		else if (o == 'u')
			peer.udp = true;
		else
			return -1;
	}
	argv += optind;
	argc -= optind;
	peer.calling = argc == 3 && strcmp(argv[0], "calling") == 0;
	if (!peer.calling && (argc != 2 || strcmp(argv[0], "called") != 0))
		return -1;
	if (peer.calling &&
	    (peer.calls == 0 || peer.rate == 0 || set_address(&peer.remote, argv[2]) != 0))
		return -1;
	return set_address(&peer.local, argv[1]);
}

int main(int argc, char **argv)
{
	int rc;

	if (parse(argc, argv) != 0) {
		say("usage: isup_peer called LOCAL | calling LOCAL REMOTE --calls N --rate R "
		    "[--first CALL] "
		    "[--sink 12DIGITS] [--segment BYTES] [--bundle] [--second LOCAL] [--udp]\n");
		return 2;
	}
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	set_library();
	rc = peer.calling ? run_calling() : run_called();
	if (rc == 0)
		report();
	/* The association is closed in order; what else the library has runs in threads that end with us. */
	if (peer.socket)
		usrsctp_close(peer.socket);
	usleep(200000);
	return rc != 0 || peer.lost ? 1 : peer.failed != 0;
}
