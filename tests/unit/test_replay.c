/* SPDX-License-Identifier: BSD-3-Clause */
#include <fcntl.h>
#include <jansson.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/replay.h"
#include "tests/support/pkt.h"
#include "tests/support/sip_text.h"
#include "tests/support/tg_test.h"
#include "tollgate/event_json.h"

#define FEED                                                                                       \
	"kind,number,role,category,score,expires,ref\n"                                            \
	"exact,+12025550101,caller,fraud,95,,case-1\n"                                             \
	"exact,+12025550102,caller,spam,40,,\n"                                                    \
	"exact,+12025550103,caller,scam,90,2030-01-01T00:00:00Z,\n"                                \
	"prefix,+447700,called,dno,100,,\n"

/* A folder for one test's files, and what a run of replay left behind. */
struct lab {
	char dir[64];
	char feed[96];
	char capture[96];
	char *out; /* standard output, NUL-terminated */
	char *err;
	int status; /* exit code */
};

static void path_in(const struct lab *lab, const char *name, char path[96])
{
	assert_true(snprintf(path, 96, "%s/%s", lab->dir, name) < 96);
}

static void write_file(const char *path, const void *bytes, size_t len)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static void setup(struct lab *lab)
{
	*lab = (struct lab){ .dir = "/tmp/tollgate-replay-XXXXXX" };
	assert_non_null(mkdtemp(lab->dir));
	path_in(lab, "feed.csv", lab->feed);
	path_in(lab, "calls.pcap", lab->capture);
	write_file(lab->feed, FEED, strlen(FEED));
}

static void teardown(struct lab *lab)
{
	static const char *const names[] = { "feed.csv", "calls.pcap", "out", "err", "policy" };
	char path[96];
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(names); i++) {
		path_in(lab, names[i], path);
		unlink(path);
	}
	assert_int_equal(rmdir(lab->dir), 0);
	free(lab->out);
	free(lab->err);
}

static char *read_text(const struct lab *lab, const char *name)
{
	char path[96];
	size_t len;
	uint8_t *bytes;
	char *text;

	path_in(lab, name, path);
	bytes = tg_test_read_file(path, &len);
	text = realloc(bytes, len + 1);
	assert_non_null(text);
	text[len] = 0;
	return text;
}

static void redirect(const struct lab *lab, const char *name, int fd)
{
	char path[96];
	int to;

	path_in(lab, name, path);
	to = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (to < 0 || dup2(to, fd) < 0)
		_exit(99);
}

/* `arguments` ends with NULL. In a process of its own: replay is a command. */
static void run(struct lab *lab, const char *const *arguments)
{
	char name[] = "replay", *argv[16] = { name };
	int argc = 1, status;
	pid_t pid;

	while (*arguments && argc < 15)
		memcpy(&argv[argc++], arguments++, sizeof(argv[0])); /* getopt writes no argument */
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		redirect(lab, "out", 1);
		redirect(lab, "err", 2);
		status = tg_replay_main(argc, argv);
		fflush(NULL);
		_exit(status);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	lab->status = WEXITSTATUS(status);
	free(lab->out);
	free(lab->err);
	lab->out = read_text(lab, "out");
	lab->err = read_text(lab, "err");
}

#define RUN(lab, ...) run(lab, (const char *const[]){ __VA_ARGS__, NULL })
#define REPLAY(lab, ...) RUN(lab, "--feed", (lab)->feed, __VA_ARGS__)

/* ---- captures ---------------------------------------------------------------------------------- */

struct writer {
	pcap_t *pcap;
	pcap_dumper_t *dump;
	unsigned ms;
};

static struct writer open_capture(const struct lab *lab, int link_type)
{
	struct writer w = { .pcap = pcap_open_dead(link_type, 65535) };

	assert_non_null(w.pcap);
	w.dump = pcap_dump_open(w.pcap, lab->capture);
	assert_non_null(w.dump);
	return w;
}

/* One frame, 10 ms after the one before: `head` bytes of a link header and the packet. */
static void add(struct writer *w, const void *head, size_t head_len, const uint8_t *packet,
		size_t len)
{
	static uint8_t bytes[TG_PKT_MAX + 32];
	const struct pcap_pkthdr h = {
		.ts = { 1800000000 + w->ms / 1000, w->ms % 1000 * 1000 },
		.caplen = (bpf_u_int32)(head_len + len),
		.len = (bpf_u_int32)(head_len + len),
	};

	if (head_len > 0)
		memcpy(bytes, head, head_len);
	memcpy(bytes + head_len, packet, len);
	pcap_dump((u_char *)w->dump, &h, bytes);
	w->ms += 10;
}

static void add_text(struct writer *w, const struct tg_pkt *p, const char *text, size_t len)
{
	static uint8_t frame[TG_PKT_MAX];

	add(w, NULL, 0, frame, tg_pkt_build(p, text, len, frame));
}

static void add_sip(struct writer *w, const struct tg_sip_text *t)
{
	static const struct tg_pkt p = { 0 };
	char text[TG_SIP_TEXT_MAX];

	add_text(w, &p, text, tg_sip_text(t, text));
}

static void close_capture(struct writer *w)
{
	pcap_dump_close(w->dump);
	pcap_close(w->pcap);
}

static void add_calls(struct writer *w)
{
	add_sip(w, &(struct tg_sip_text){ 0 });
	add_sip(w, &(struct tg_sip_text){ .method = "OPTIONS", .call = 9 });
	add_sip(w, &(struct tg_sip_text){ .from = "+12025550101", .call = 1 });
	add_sip(w, &(struct tg_sip_text){ .from = "+12025550101", .call = 1 }); /* again */
	add_sip(w, &(struct tg_sip_text){ .from = "+12025550101", .call = 1, .to_tag = "x" });
	add_sip(w, &(struct tg_sip_text){ .from = "+12025550102", .call = 2 });
	add_sip(w,
		&(struct tg_sip_text){ .from = "anonymous", .called = "+447700900123", .call = 3 });
	add_sip(w, &(struct tg_sip_text){ .from = "+12025550101", .called = "999", .call = 4 });
	add_sip(w,
		&(struct tg_sip_text){ .from = "6591234567",
				       .call = 5,
				       .extra = "P-Asserted-Identity: <tel:+1-202-555-0102>\r\n" });
}

/* ---- the contract ------------------------------------------------------------------------------ */

/* Architecture §9, to the byte. */
TG_TEST(replay_prints_the_contract, TG_NEEDS_NOTHING)
{
	static const char *const expect =
		"1\tsip\tINVITE\t+12025550177\t+61491570156\tpass\tunlisted\t-\n"
		"3\tsip\tINVITE\t+12025550101\t+61491570156\treject\tfraud\tblock-listed\n"
		"4\tsip\tINVITE\t+12025550101\t+61491570156\treject\tfraud\tblock-listed\n"
		"6\tsip\tINVITE\t+12025550102\t+61491570156\tpass\tspam\t-\n"
		"7\tsip\tINVITE\tanonymous\t+447700900123\treject\tdno\tblock-listed\n"
		"8\tsip\tINVITE\t+12025550101\t999\tpass\temergency\t-\n"
		"9\tsip\tINVITE\t+12025550102\t+61491570156\tpass\tspam\t-\n";
	struct writer w;
	struct lab lab;

	setup(&lab);
	w = open_capture(&lab, DLT_EN10MB);
	add_calls(&w);
	close_capture(&w);
	REPLAY(&lab, lab.capture);
	assert_string_equal(lab.out, expect);
	assert_int_equal(lab.status, 0);
	assert_non_null(strstr(lab.err, "frames 9\njudged 7\nrepeated 1\n"));
	assert_non_null(strstr(lab.err, "verdict pass 4\nverdict reject 3\n"));
	assert_non_null(strstr(lab.err, "reason sip_in_dialog 1\n"));
	teardown(&lab);
}

TG_TEST(replay_json_lists_every_identity, TG_NEEDS_NOTHING)
{
	const char *time, *source, *raw, *class, *category, *verdict, *mode, *fate, *called;
	int frame, score, answer;
	struct writer w;
	struct lab lab;
	json_t *o;

	setup(&lab);
	w = open_capture(&lab, DLT_EN10MB);
	add_sip(&w, &(struct tg_sip_text){ .from = "+12025550101" });
	close_capture(&w);
	REPLAY(&lab, "--json", lab.capture);
	assert_int_equal(lab.status, 0);
	assert_ptr_equal(strchr(lab.out, '\n'), lab.out + strlen(lab.out) - 1);
	o = json_loads(lab.out, 0, NULL);
	assert_non_null(o);
	assert_int_equal(json_unpack(o, "{s:s, s:i, s:s, s:s, s:s, s:i, s:s, s:n}", "time", &time,
				     "frame", &frame, "verdict", &verdict, "mode", &mode, "fate",
				     &fate, "answer", &answer, "called", &called, "vlan"),
			 0);
	assert_string_equal(time, "2027-01-15T08:00:00.000000Z");
	assert_int_equal(frame, 1);
	assert_string_equal(verdict, "reject");
	assert_string_equal(mode, "shadow");
	assert_string_equal(fate, "forward");
	assert_int_equal(answer, 603);
	assert_string_equal(called, "+61491570156"); /* whole: the operator asked for it */
	assert_int_equal(json_array_size(json_object_get(o, "identities")), 3);
	assert_int_equal(json_unpack(json_array_get(json_object_get(o, "identities"), 1),
				     "{s:s, s:s, s:s, s:{s:s, s:i}}", "source", &source, "raw",
				     &raw, "class", &class, "listed", "category", &category,
				     "score", &score),
			 0);
	assert_string_equal(source, "from");
	assert_string_equal(raw, "+12025550101");
	assert_string_equal(class, "e164");
	assert_string_equal(category, "fraud");
	assert_int_equal(score, 95);
	json_decref(o);
	teardown(&lab);
}

/* Bytes that would break a line, or JSON, are escaped; a line stays a line. */
TG_TEST(replay_escapes_raw_text, TG_NEEDS_NOTHING)
{
	struct writer w;
	struct lab lab;
	json_t *o;

	setup(&lab);
	w = open_capture(&lab, DLT_EN10MB);
	add_sip(&w, &(struct tg_sip_text){ .from = "a\x01\xff\\b" });
	close_capture(&w);
	REPLAY(&lab, lab.capture);
	assert_string_equal(lab.out, "1\tsip\tINVITE\ta\\x01\\xff\\x5cb\t+61491570156\tpass\t"
				     "unlisted\t-\n");
	REPLAY(&lab, "--json", lab.capture);
	o = json_loads(lab.out, 0, NULL);
	assert_string_equal(json_string_value(json_object_get(o, "caller")), "a\\x01\\xff\\x5cb");
	json_decref(o);
	teardown(&lab);
}

TG_TEST(replay_expiry_at_a_time, TG_NEEDS_NOTHING)
{
	static const struct {
		const char *at, *verdict;
	} cases[] = {
		{ "2029-12-31T23:59:59Z", "\treject\tscam\t" },
		{ "2030-01-01T00:00:00Z", "\tpass\tunlisted\t" },
		{ "2030-01-01T07:59:59+08:00", "\treject\tscam\t" },
	};
	struct writer w;
	struct lab lab;
	size_t i;

	setup(&lab);
	w = open_capture(&lab, DLT_EN10MB);
	add_sip(&w, &(struct tg_sip_text){ .from = "+12025550103" });
	close_capture(&w);
	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		REPLAY(&lab, "--at", cases[i].at, lab.capture);
		assert_int_equal(lab.status, 0);
		assert_non_null(strstr(lab.out, cases[i].verdict));
	}
	teardown(&lab);
}

/* Taken at the sender, a capture has checksums that the NIC fills in later. */
TG_TEST(L3_9_replay_checksums, TG_NEEDS_NOTHING)
{
	static const struct tg_pkt bad = { .bad_udp_checksum = true };
	const struct tg_sip_text t = { 0 };
	char text[TG_SIP_TEXT_MAX];
	struct writer w;
	struct lab lab;

	setup(&lab);
	w = open_capture(&lab, DLT_EN10MB);
	add_text(&w, &bad, text, tg_sip_text(&t, text));
	close_capture(&w);
	REPLAY(&lab, lab.capture);
	assert_string_equal(lab.out, "");
	assert_non_null(strstr(lab.err, "reason bad_checksum 1\n"));
	REPLAY(&lab, "--no-checksum", lab.capture);
	assert_int_equal(strncmp(lab.out, "1\tsip\tINVITE\t", 13), 0);
	teardown(&lab);
}

/* ---- link types -------------------------------------------------------------------------------- */

TG_TEST(replay_reads_all_link_types, TG_NEEDS_NOTHING)
{
	static const struct {
		int link_type;
		const char *head;
		unsigned head_len;
		bool ipv6;
		const char *reason; /* NULL: judged */
	} cases[] = {
		{ DLT_RAW, "", 0, false, NULL },
		{ DLT_RAW, "", 0, true, NULL },
		{ DLT_IPV4, "", 0, false, NULL },
		{ DLT_IPV6, "", 0, true, NULL },
		{ DLT_NULL, "\x02\0\0\0", 4, false, NULL },
		{ DLT_NULL, "\0\0\0\x02", 4, false, NULL },
		{ DLT_NULL, "\x1e\0\0\0", 4, true, NULL },
		{ DLT_NULL, "\x07\0\0\0", 4, false, "not_ip" },
		{ DLT_LOOP, "\0\0\0\x02", 4, false, NULL },
		{ DLT_LOOP, "\0\0\0\x18", 4, true, NULL },
		{ DLT_LINUX_SLL, "\0\0\0\1\0\6\0\0\0\0\0\0\0\0\x08\0", 16, false, NULL },
		{ DLT_LINUX_SLL, "\0\0\0\1\0\6\0\0\0\0\0\0\0\0\x86\xdd", 16, true, NULL },
		{ DLT_LINUX_SLL, "\0\0\0\1\0\6\0\0\0\0\0\0\0\0\x08\x06", 16, false, "not_ip" },
		{ DLT_LINUX_SLL, "\0\0\0\1\0\6\0\0\0\0\0\0\0\0\x81\0\0\5\x08\0", 20, false, NULL },
		{ DLT_LINUX_SLL2, "\x08\0\0\0\0\0\0\1\0\1\0\6\0\0\0\0\0\0\0\0", 20, false, NULL },
		{ DLT_IEEE802_11, "\0\0\0\0", 4, false, "link_type" },
	};
	struct lab lab;
	size_t i;

	setup(&lab);
	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		const struct tg_pkt p = { .no_ethernet = true, .ipv6 = cases[i].ipv6 };
		const struct tg_sip_text t = { .from = "+12025550101" };
		struct writer w = open_capture(&lab, cases[i].link_type);
		static uint8_t frame[TG_PKT_MAX];
		char text[TG_SIP_TEXT_MAX], want[64] = "judged 1\n";

		add(&w, cases[i].head, cases[i].head_len, frame,
		    tg_pkt_build(&p, text, tg_sip_text(&t, text), frame));
		close_capture(&w);
		REPLAY(&lab, lab.capture);
		assert_int_equal(lab.status, 0);
		if (cases[i].reason)
			snprintf(want, sizeof(want), "reason %s 1\n", cases[i].reason);
		assert_non_null(strstr(lab.err, want));
		assert_int_equal(strlen(lab.out) > 0, cases[i].reason == NULL);
	}
	teardown(&lab);
}

/* NetXRay 1.1, which libpcap does not read: the calls of the pcap, with their times. */
TG_TEST(replay_reads_netxray, TG_NEEDS_NOTHING)
{
	static uint8_t file[128 + 28 + TG_PKT_MAX] = "XCP\0"
						     "001.100";
	const struct tg_sip_text t = { .from = "+12025550101" };
	const struct tg_pkt p = { 0 };
	char text[TG_SIP_TEXT_MAX];
	struct lab lab;
	size_t len, cut;

	setup(&lab);
	len = tg_pkt_build(&p, text, tg_sip_text(&t, text), file + 128 + 28);
	memcpy(file + 12, "\0\xd2\x49\x6b", 4); /* 1800000000 */
	file[16] = 1;				/* frames */
	file[24] = 128;				/* the first record */
	file[128] = 250;			/* us */
	file[128 + 8] = file[128 + 10] = (uint8_t)len;
	file[128 + 9] = file[128 + 11] = (uint8_t)(len >> 8);
	write_file(lab.capture, file, 128 + 28 + len);
	REPLAY(&lab, "--json", lab.capture);
	assert_int_equal(lab.status, 0);
	assert_non_null(strstr(lab.out, "\"time\":\"2027-01-15T08:00:00.000250Z\",\"frame\":1,"));
	assert_non_null(strstr(lab.out, "\"verdict\":\"reject\""));
	for (cut = 4; cut < 128 + 28 + len; cut += 41) {
		write_file(lab.capture, file, cut);
		REPLAY(&lab, lab.capture);
		assert_int_equal(lab.status, 4);
	}
	teardown(&lab);
}

/* ---- what goes wrong --------------------------------------------------------------------------- */

/* Cut anywhere: what was whole is printed, then 4; only whole packets make a capture. */
TG_TEST(replay_of_a_cut_capture, TG_NEEDS_NOTHING)
{
	const char *first = "1\tsip\tINVITE\t+12025550101\t";
	struct writer w;
	struct lab lab;
	size_t len, cut, one;
	uint8_t *bytes;

	setup(&lab);
	w = open_capture(&lab, DLT_EN10MB);
	add_sip(&w, &(struct tg_sip_text){ .from = "+12025550101" });
	pcap_dump_flush(w.dump);
	one = (size_t)pcap_dump_ftell(w.dump);
	add_sip(&w, &(struct tg_sip_text){ .call = 1 });
	close_capture(&w);
	bytes = tg_test_read_file(lab.capture, &len);
	for (cut = 0; cut < len; cut += cut < 64 ? 8 : 97) {
		const bool has_first = cut >= one;

		write_file(lab.capture, bytes, cut);
		REPLAY(&lab, lab.capture);
		/* A file of nothing but the header is an empty capture. */
		assert_int_equal(lab.status, cut == 24 || cut == one ? 0 : 4);
		assert_int_equal(strncmp(lab.out, first, strlen(first)) == 0, has_first);
		assert_true(lab.status == 0 || strstr(lab.err, "calls.pcap: "));
	}
	write_file(lab.capture, bytes, one);
	REPLAY(&lab, lab.capture);
	assert_int_equal(lab.status, 0);
	free(bytes);
	teardown(&lab);
}

TG_TEST(replay_exit_codes, TG_NEEDS_NOTHING)
{
	char policy[96], nowhere[96];
	struct writer w;
	struct lab lab;

	setup(&lab);
	path_in(&lab, "policy", policy);
	path_in(&lab, "nowhere", nowhere);
	w = open_capture(&lab, DLT_EN10MB);
	close_capture(&w);

	RUN(&lab, lab.capture);
	assert_int_equal(lab.status, 2);
	REPLAY(&lab, "--bogus", lab.capture);
	assert_int_equal(lab.status, 2);
	REPLAY(&lab, lab.capture, lab.capture);
	assert_int_equal(lab.status, 2);
	RUN(&lab, "--feed", lab.feed);
	assert_int_equal(lab.status, 2);
	RUN(&lab, "--feed", "-", "-");
	assert_int_equal(lab.status, 2);
	REPLAY(&lab, "--at", "yesterday", lab.capture);
	assert_int_equal(lab.status, 2);
	assert_non_null(strstr(lab.err, "--at yesterday"));
	REPLAY(&lab, "--at", "", lab.capture);
	assert_int_equal(lab.status, 2);

	RUN(&lab, "--feed", nowhere, lab.capture);
	assert_int_equal(lab.status, 3);
	REPLAY(&lab, "--policy", nowhere, lab.capture);
	assert_int_equal(lab.status, 3);
	write_file(policy, "version: 1\nrulez: []\n", 21);
	REPLAY(&lab, "--policy", policy, lab.capture);
	assert_int_equal(lab.status, 3);
	assert_non_null(strstr(lab.err, "policy:2:"));

	REPLAY(&lab, nowhere);
	assert_int_equal(lab.status, 4);
	REPLAY(&lab, lab.feed); /* no capture at all */
	assert_int_equal(lab.status, 4);
	teardown(&lab);
}

/* A bad line is named; nothing is judged by half a feed. */
TG_TEST(replay_refuses_a_bad_feed, TG_NEEDS_NOTHING)
{
	static const char *const feeds[][2] = {
		{ FEED "exact,+12025550109,caller,fraud,101,,\n", "feed.csv:6:" },
		{ FEED "exact,+12025550101,caller,scam,10,,\n", "feed.csv:6" }, /* a duplicate */
		{ "kind,number\n", "feed.csv:1:" },
	};
	struct writer w;
	struct lab lab;
	size_t i;

	setup(&lab);
	w = open_capture(&lab, DLT_EN10MB);
	add_calls(&w);
	close_capture(&w);
	for (i = 0; i < TG_ARRAY_LEN(feeds); i++) {
		write_file(lab.feed, feeds[i][0], strlen(feeds[i][0]));
		REPLAY(&lab, lab.capture);
		assert_int_equal(lab.status, 3);
		assert_string_equal(lab.out, "");
		assert_non_null(strstr(lab.err, feeds[i][1]));
	}
	teardown(&lab);
}

/* ---- the JSON form's helpers ------------------------------------------------------------------- */

/* OP-6: enough to recognise a number that one knows, too little to learn one. */
TG_TEST(OP_6_numbers_are_masked, TG_NEEDS_NOTHING)
{
	static const char *const cases[][2] = {
		{ "+959771234567", "+95977***4567" },
		{ "+123456789012345", "+12345***2345" },
		{ "+12025550101", "+12025***101" },
		{ "+6591234567", "+65912***67" },
		{ "+659123456", "+6591***56" },
		{ "+65912345", "+659***45" },
		{ "+659123", "+6***23" },
		{ "+65912", "+***" },
		{ "999", "999" },
		{ "10086", "10086" },
		{ "alice", "***" },
		{ "x", "***" },
		{ "anonymous", "anon***us" },
		{ "", "" },
	};
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		char text[32];

		snprintf(text, sizeof(text), "%s", cases[i][0]);
		tg_event_mask(text);
		assert_string_equal(text, cases[i][1]);
	}
}

TG_TEST(event_text_is_escaped_within_its_room, TG_NEEDS_NOTHING)
{
	char buf[9];

	assert_string_equal(tg_text_escape("a b\t", 4, buf, sizeof(buf)), "a b\\x09");
	assert_string_equal(tg_text_escape("\0\xff\n", 3, buf, sizeof(buf)), "\\x00\\xff");
	assert_string_equal(tg_text_escape("123456789", 9, buf, sizeof(buf)), "12345678");
	assert_string_equal(tg_text_escape("12345\n", 6, buf, sizeof(buf)), "12345");
	assert_string_equal(tg_text_escape("\\", 1, buf, sizeof(buf)), "\\x5c");
}

/* The live form masks every place where a number can stand. */
TG_TEST(OP_6_masked_event_shows_no_number, TG_NEEDS_NOTHING)
{
	struct tg_event e = { .n_ids = 2, .called = 1, .ip_version = 4 };
	char *text;
	json_t *o;
	unsigned i;

	for (i = 0; i < 2; i++) {
		e.id[i].num = tg_num_make(TG_NUM_E164, 12, 959771234567);
		e.id[i].cls = TG_NUM_CLASS_E164;
		e.id[i].raw_len = 13;
		memcpy(e.id[i].raw, "+959771234567", 13);
	}
	o = tg_event_json(&e, TG_EVENT_MASK_NUMBERS);
	text = json_dumps(o, JSON_COMPACT);
	assert_null(strstr(text, "1234567"));
	assert_non_null(strstr(text, "\"caller\":\"+95977***4567\""));
	free(text);
	json_decref(o);
	o = tg_event_json(&e, TG_EVENT_SHOW_NUMBERS);
	assert_string_equal(json_string_value(json_object_get(o, "called")), "+959771234567");
	json_decref(o);
}
