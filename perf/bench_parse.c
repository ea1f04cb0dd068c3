/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading INVITEs (tg_sip_parse) against the least that any reader of lines must do: a memchr for each
 * newline over the same bytes, once over the whole message and once over its header alone.
 *
 * MESSAGES different messages, each in a buffer of its own as frames lie in mbufs, read in order of
 * arrival, in bursts with the first two lines prefetched (as the pipeline does) in all cases.
 */
#include "perf/doc.h"
#include "perf/traffic.h"
#include "tollgate/sip.h"

/* Buffers of 2176 bytes, an mbuf's data room and head: 17.8 MB of address space, of which a message
 * of 800 bytes fills 6.6 MB: twelve times this kind of machine's L2. */
#define MESSAGES 8192
#define BUFFER 2176

struct lab {
	uint8_t *buffers;
	unsigned size;
	unsigned header;
	unsigned lines;
	struct tg_sip sip[TG_BURST];
};

static const uint8_t *message(const struct lab *lab, unsigned i)
{
	return lab->buffers + (size_t)i * BUFFER;
}

static void prefetch(const struct lab *lab, unsigned at)
{
	unsigned i;

	for (i = 0; i < TG_BURST; i++) {
		__builtin_prefetch(message(lab, at + i));
		__builtin_prefetch(message(lab, at + i) + TG_CACHE_LINE);
	}
}

static uint64_t walk(const struct lab *lab, unsigned len)
{
	uint64_t lines = 0;
	unsigned at, i;

	for (at = 0; at < MESSAGES; at += TG_BURST) {
		prefetch(lab, at);
		for (i = 0; i < TG_BURST; i++) {
			const uint8_t *p = message(lab, at + i), *const end = p + len;

			while ((p = memchr(p, '\n', (size_t)(end - p)))) {
				lines++;
				p++;
			}
		}
	}
	return lines;
}

static uint64_t walk_message(void *ctx)
{
	const struct lab *lab = ctx;

	return walk(lab, lab->size);
}

static uint64_t walk_header(void *ctx)
{
	const struct lab *lab = ctx;

	return walk(lab, lab->header);
}

static uint64_t parse(struct lab *lab)
{
	uint64_t sum = 0;
	unsigned at, i;

	for (at = 0; at < MESSAGES; at += TG_BURST) {
		prefetch(lab, at);
		for (i = 0; i < TG_BURST; i++) {
			const struct tg_span text = { message(lab, at + i), lab->size };

			if (tg_sip_parse(text, &lab->sip[i]) == TG_REASON_NONE)
				sum += lab->sip[i].sig.n_ids;
		}
	}
	return sum;
}

static uint64_t parse_best(void *ctx)
{
	(void)tg_sip_variant_set(NULL);
	return parse(ctx);
}

static uint64_t parse_avx2(void *ctx)
{
	return tg_sip_variant_set("avx2") ? parse(ctx) : 0;
}

static uint64_t parse_portable(void *ctx)
{
	(void)tg_sip_variant_set("portable");
	return parse(ctx);
}

enum {
	WALK_MESSAGE,
	WALK_HEADER,
	PARSE_BEST,
	PARSE_AVX2,
	PARSE_PORTABLE,
	N_CASES
};

static void fill(struct lab *lab, enum traffic_headers headers)
{
	unsigned i;

	for (i = 0; i < MESSAGES; i++) {
		const struct traffic_call call = { bench_number(2 * i), bench_number(2 * i + 1),
						   i };

		lab->header = traffic_invite(lab->buffers + (size_t)i * BUFFER, lab->size, headers,
					     &call, &lab->lines);
	}
	/* A fast wrong answer is worth nothing. */
	if (parse(lab) < MESSAGES * 3ull)
		doc_give_up("parse", "an INVITE without R-URI, To and From");
}

static void measure(struct lab *lab, enum traffic_headers headers, struct doc *doc)
{
	const char *const which = traffic_headers_name(headers);
	struct bench_case c[N_CASES] = {
		[WALK_MESSAGE] = { "walk_message", walk_message, { 0 } },
		[WALK_HEADER] = { "walk_header", walk_header, { 0 } },
		[PARSE_BEST] = { "parse_best", parse_best, { 0 } },
		[PARSE_AVX2] = { "parse_avx2", parse_avx2, { 0 } },
		[PARSE_PORTABLE] = { "parse_portable", parse_portable, { 0 } },
	};
	json_t *row;
	unsigned i;

	fill(lab, headers);
	bench_alternate(c, N_CASES, lab, MESSAGES);
	row = json_pack("{s:i,s:s,s:i,s:i,s:f,s:f}", "bytes", (int)lab->size, "headers", which,
			"header_bytes", (int)lab->header, "lines", (int)lab->lines, "bytes_per_ns",
			lab->size / bench_ns(&c[PARSE_BEST]), "ratio",
			bench_ratio(&c[PARSE_BEST], &c[WALK_MESSAGE]));
	for (i = 0; i < N_CASES; i++)
		json_object_set_new(row, c[i].name, doc_spread(&c[i]));
	doc_row(doc, row);
	printf("%5u %-5s %6u %5u  %7.0f %7.0f  %7.0f (%4.2f, %4.2f)  %7.0f  %7.0f (%4.2f)  %5.2f\n",
	       lab->size, which, lab->header, lab->lines, bench_ns(&c[WALK_MESSAGE]),
	       bench_ns(&c[WALK_HEADER]), bench_ns(&c[PARSE_BEST]),
	       bench_ratio(&c[PARSE_BEST], &c[WALK_MESSAGE]),
	       bench_ratio(&c[PARSE_BEST], &c[WALK_HEADER]), bench_ns(&c[PARSE_AVX2]),
	       bench_ns(&c[PARSE_PORTABLE]), bench_ratio(&c[PARSE_PORTABLE], &c[WALK_MESSAGE]),
	       lab->size / bench_ns(&c[PARSE_BEST]));
	fflush(stdout);
	if (lab->size == 800)
		doc_mark(doc, DOC_AT_MOST, 2.0, bench_ratio(&c[PARSE_BEST], &c[WALK_MESSAGE]),
			 "parse: SIP of 800 bytes, %s headers, to a newline walk", which);
}

int main(int argc, char **argv)
{
	static const unsigned sizes[] = { 400, 800, 1500 };
	static struct lab lab;
	const char *pages;
	struct doc doc;
	unsigned i;

	(void)argc;
	doc_open(&doc, argv[0], "parse");
	lab.buffers = bench_alloc((size_t)MESSAGES * BUFFER, &pages);
	printf("%d different INVITEs in buffers of %d bytes, %s pages; ns a message, median of %d "
	       "alternating runs\n"
	       "                            newline walk     tg_sip_parse (to walks)       avx2    "
	       "portable\n"
	       "bytes hdrs  header lines  message  header     best  (msg., header)              "
	       "(message)"
	       "   bytes/ns\n",
	       MESSAGES, BUFFER, pages, BENCH_RUNS);
	for (i = 0; i < TG_ARRAY_LEN(sizes); i++) {
		lab.size = sizes[i];
		measure(&lab, TRAFFIC_FEW, &doc);
		if (sizes[i] > TRAFFIC_SIZE_MIN)
			measure(&lab, TRAFFIC_USUAL, &doc);
		measure(&lab, TRAFFIC_MANY, &doc);
	}
	return doc_close(&doc, "8192 different INVITEs, each in a buffer of 2176 bytes (17.8 MB); "
			       "against memchr for every newline of the same message, and of its "
			       "header alone; one core, alternating");
}
