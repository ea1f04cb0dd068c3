/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the benchmarks of whole programs work on:
 *
 *	make_lab images DIR GENERATION ENTRIES		images as tollgate-dp --images takes them
 *	make_lab capture FILE FRAMES ENTRIES LISTED MEDIA [FIRST]
 *		INVITEs of 800 bytes with LISTED % of callers out of the table of that many entries,
 *		MEDIA % of the frames RTP, serials from FIRST on
 *	make_lab ss7 FILE FRAMES ENTRIES LISTED IAMS BUNDLE
 *		packets of BUNDLE messages of ISUP in M3UA, IAMS % of them (100 or 20) IAMs, with LISTED % of callers
 *		out of the table
 *	make_lab feed FILE ENTRIES		the same list as a CSV feed
 *	make_lab numbers FIRST N		the numbers FIRST to FIRST + N - 1 of the list, one a line
 */
#include <errno.h>
#include <inttypes.h>
#include <pcap/pcap.h>
#include <sys/stat.h>

#include "perf/doc.h"
#include "perf/generation.h"
#include "perf/traffic.h"

#define SIZE 800

static uint64_t number(const char *text)
{
	char *end;
	const uint64_t n = strtoull(text, &end, 10);

	if (end == text || *end)
		doc_give_up(text, "not a number");
	return n;
}

static void write_file(const char *dir, const char *name, const void *bytes, uint64_t length)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	if (!f || fwrite(bytes, 1, length, f) != length || fclose(f) != 0)
		doc_give_up(path, strerror(errno));
}

static int make_images(char **argv)
{
	struct generation g;
	char current[256], base[64], policy[64];

	generation_make(&g, number(argv[2]));
	if (mkdir(argv[0], 0777) != 0 && errno != EEXIST)
		doc_give_up(argv[0], strerror(errno));
	snprintf(base, sizeof(base), "base-%016" PRIx64 ".img", g.gen.base.header->id);
	snprintf(policy, sizeof(policy), "policy-%016" PRIx64 ".img", g.gen.policy.header->id);
	write_file(argv[0], base, g.base, g.base_length);
	write_file(argv[0], policy, g.policy, g.policy_length);
	snprintf(current, sizeof(current), "generation %" PRIu64 "\nbase %s\npolicy %s\n",
		 number(argv[1]), base, policy);
	write_file(argv[0], "current", current, strlen(current));
	generation_free(&g);
	return 0;
}

/* ---- captures ------------------------------------------------------------------------------------ */

struct capture {
	pcap_t *pcap;
	pcap_dumper_t *file;
};

static struct capture open_capture(const char *path)
{
	struct capture c = { .pcap = pcap_open_dead(DLT_EN10MB, 65535) };

	c.file = c.pcap ? pcap_dump_open(c.pcap, path) : NULL;
	if (!c.file)
		doc_give_up(path, c.pcap ? pcap_geterr(c.pcap) : "out of memory");
	return c;
}

static void write_frame(struct capture *c, uint64_t i, const uint8_t *frame, unsigned len)
{
	const struct pcap_pkthdr h = {
		.ts = { (time_t)(i / 1000), (suseconds_t)(i % 1000) },
		.caplen = len,
		.len = len,
	};

	pcap_dump((u_char *)c->file, &h, frame);
}

static void close_capture(struct capture *c)
{
	pcap_dump_close(c->file);
	pcap_close(c->pcap);
}

static int make_capture(int argc, char **argv)
{
	const uint64_t frames = number(argv[1]), entries = number(argv[2]);
	const unsigned listed = (unsigned)number(argv[3]), media = (unsigned)number(argv[4]);
	uint64_t serial = argc > 5 ? number(argv[5]) : 0, i;
	struct capture c = open_capture(argv[0]);
	uint8_t frame[TRAFFIC_FRAME_MAX];
	unsigned len;

	for (i = 0; i < frames; i++) {
		/* 37 and 100 have no common factor: media and calls alternate. */
		if (i * 37 % 100 < media) {
			len = traffic_media_frame(frame, i);
		} else {
			const struct traffic_call call = { generation_caller(entries, listed,
									     serial),
							   generation_called(serial), serial };

			len = traffic_invite_frame(frame, SIZE, TRAFFIC_USUAL, &call);
			serial++;
		}
		write_frame(&c, i, frame, len);
	}
	close_capture(&c);
	return 0;
}

static int make_ss7(char **argv)
{
	const uint64_t frames = number(argv[1]), entries = number(argv[2]);
	const struct generation_ss7 mix = { (unsigned)number(argv[3]), (unsigned)number(argv[4]),
					    (unsigned)number(argv[5]) };
	struct capture c = open_capture(argv[0]);
	uint8_t frame[TRAFFIC_SS7_FRAME_MAX];
	bool listed;
	uint64_t i;

	if (mix.bundle == 0 || mix.bundle > TRAFFIC_SS7_BUNDLE_MAX)
		doc_give_up(argv[5], "that many messages fit no packet");
	for (i = 0; i < frames; i++)
		write_frame(&c, i, frame, generation_ss7_frame(frame, entries, &mix, i, &listed));
	close_capture(&c);
	return 0;
}

/* ---- lists --------------------------------------------------------------------------------------- */

static int make_feed(char **argv)
{
	const uint64_t entries = number(argv[1]);
	FILE *f = fopen(argv[0], "we");
	uint64_t i;

	if (!f)
		doc_give_up(argv[0], strerror(errno));
	fprintf(f, "kind,number,role,category,score,expires,ref\n");
	for (i = 0; i < entries; i++)
		fprintf(f, "exact,+%" PRIu64 ",caller,fraud,95,,\n", bench_number(i));
	if (fclose(f) != 0)
		doc_give_up(argv[0], strerror(errno));
	return 0;
}

static int print_numbers(char **argv)
{
	const uint64_t first = number(argv[0]), n = number(argv[1]);
	uint64_t i;

	for (i = 0; i < n; i++)
		printf("%" PRIu64 "\n", bench_number(first + i));
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "images") == 0 && argc == 5)
		return make_images(argv + 2);
	if (strcmp(what, "capture") == 0 && (argc == 7 || argc == 8))
		return make_capture(argc - 2, argv + 2);
	if (strcmp(what, "ss7") == 0 && argc == 8)
		return make_ss7(argv + 2);
	if (strcmp(what, "feed") == 0 && argc == 4)
		return make_feed(argv + 2);
	if (strcmp(what, "numbers") == 0 && argc == 4)
		return print_numbers(argv + 2);
	fprintf(stderr, "usage: make_lab images DIR GENERATION ENTRIES\n"
			"       make_lab capture FILE FRAMES ENTRIES LISTED MEDIA [FIRST]\n"
			"       make_lab ss7 FILE FRAMES ENTRIES LISTED IAMS BUNDLE\n"
			"       make_lab feed FILE ENTRIES\n"
			"       make_lab numbers FIRST N\n");
	return 2;
}
