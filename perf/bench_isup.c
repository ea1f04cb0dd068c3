/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading calls over SS7 (tg_sctp_next, tg_m3ua_read, tg_isup_read) against the least that may be done with the same
 * packet: each of its bytes read once, eight at a time; and CRC32c over them, which is what its endpoint does.
 *
 * PACKETS different packets, each in a buffer of its own as frames lie in mbufs, read in order of arrival, in
 * bursts with the first two lines prefetched (as the pipeline does) in all cases.
 */
#include "perf/bursts.h"
#include "perf/doc.h"
#include "perf/traffic_ss7.h"
#include "tollgate/isup.h"
#include "tollgate/mtp3.h"
#include "tollgate/sctp.h"

/* 8192 x 2176: 17.8 MB of address space, of which packets of 150 bytes touch three lines each, 1.6 MB: three times
 * this kind of machine's L2. */
#define PACKETS 8192
#define HEAD 34 /* Ethernet, IPv4 */

struct lab {
	struct bursts b;
	struct tg_isup isup[TG_BURST];
};

static struct tg_span packet(const struct lab *lab, unsigned i)
{
	return (struct tg_span){ lab->b.in[i].data + HEAD, lab->b.in[i].len - HEAD };
}

static uint64_t touch(void *ctx)
{
	const struct lab *lab = ctx;
	uint64_t sum = 0;
	unsigned at, i;
	uint32_t k;

	for (at = 0; at < PACKETS; at += TG_BURST) {
		bursts_prefetch(&lab->b, at);
		for (i = 0; i < TG_BURST; i++) {
			const struct tg_span p = packet(lab, at + i);

			/* A multiple of four (RFC 9260 §3.2): the last word of eight may be half another's. */
			for (k = 0; k < p.len; k += 8)
				sum += tg_load_u64(p.data + k);
		}
	}
	return sum;
}

static uint64_t checksum(void *ctx)
{
	const struct lab *lab = ctx;
	uint64_t sum = 0;
	unsigned at, i;

	for (at = 0; at < PACKETS; at += TG_BURST) {
		bursts_prefetch(&lab->b, at);
		for (i = 0; i < TG_BURST; i++)
			sum += tg_sctp_checksum(packet(lab, at + i));
	}
	return sum;
}

enum depth {
	CHUNKS,
	LAYER,
	USER_PART,
	NUMBERS
};

static uint64_t read_packet(struct tg_span bytes, enum depth depth, struct tg_isup *isup)
{
	static const struct tg_num_profile profile = { .country_code_len = 0 };
	struct tg_sctp_chunk c;
	struct tg_sctp_data d;
	struct tg_mtp3 mtp3;
	struct tg_sctp s;
	uint64_t n = 0;

	if (!tg_sctp_open(bytes, &s))
		return 0;
	while (tg_sctp_next(&s, &c)) {
		if (!tg_sctp_data_read(&c, &d))
			continue;
		n++;
		if (depth == CHUNKS || tg_m3ua_read(d.user, &mtp3) != TG_REASON_NONE)
			continue;
		n++;
		if (depth == LAYER ||
		    tg_isup_read(mtp3.user, TG_ISUP_ITU, false, isup) != TG_REASON_NONE)
			continue;
		n += isup->sig.n_ids;
		if (depth == NUMBERS)
			tg_isup_normalise(isup, &profile);
	}
	return n;
}

static uint64_t read_packets(struct lab *lab, enum depth depth)
{
	uint64_t sum = 0;
	unsigned at, i;

	for (at = 0; at < PACKETS; at += TG_BURST) {
		bursts_prefetch(&lab->b, at);
		for (i = 0; i < TG_BURST; i++)
			sum += read_packet(packet(lab, at + i), depth, &lab->isup[i]);
	}
	return sum;
}

static uint64_t read_chunks(void *ctx)
{
	return read_packets(ctx, CHUNKS);
}

static uint64_t read_layer(void *ctx)
{
	return read_packets(ctx, LAYER);
}

static uint64_t read_user_part(void *ctx)
{
	return read_packets(ctx, USER_PART);
}

static uint64_t read_numbers(void *ctx)
{
	return read_packets(ctx, NUMBERS);
}

enum {
	C_TOUCH,
	C_CHECKSUM,
	C_CHUNKS,
	C_LAYER,
	C_USER_PART,
	C_NUMBERS,
	N_CASES
};

static void fill(struct lab *lab, enum traffic_ss7_kind kind)
{
	static const unsigned n_ids[] = { [TRAFFIC_IAM_USUAL] = 2, [TRAFFIC_IAM_RICH] = 8 };
	unsigned i;

	for (i = 0; i < PACKETS; i++) {
		uint8_t *const frame = lab->b.buffers + (size_t)i * BURSTS_BUFFER;
		const struct traffic_ss7_message m = {
			kind, { bench_number(2 * i), bench_number(2 * i + 1), i }
		};

		lab->b.in[i] = (struct tg_frame_in){
			.data = frame,
			.len = traffic_ss7_frame(frame, &m, 1, i),
		};
	}
	/* A fast wrong answer is worth nothing. */
	if (read_packets(lab, USER_PART) !=
	    PACKETS * (2ull + (kind <= TRAFFIC_IAM_RICH ? n_ids[kind] : 0)))
		doc_give_up("parse", "other messages than those sent");
}

static void measure(struct lab *lab, enum traffic_ss7_kind kind, struct doc *doc)
{
	struct bench_case c[N_CASES] = {
		[C_TOUCH] = { "touch", touch, { 0 } },
		[C_CHECKSUM] = { "crc32c", checksum, { 0 } },
		[C_CHUNKS] = { "chunks", read_chunks, { 0 } },
		[C_LAYER] = { "m3ua", read_layer, { 0 } },
		[C_USER_PART] = { "isup", read_user_part, { 0 } },
		[C_NUMBERS] = { "numbers", read_numbers, { 0 } },
	};
	const char *const name = traffic_ss7_name(kind);
	unsigned bytes, i;
	json_t *row;

	fill(lab, kind);
	bytes = packet(lab, 0).len;
	bench_alternate_slices(c, N_CASES, lab, PACKETS, 4);
	row = json_pack("{s:s,s:i,s:f,s:f}", "message", name, "packet_bytes", (int)bytes,
			"to_touch", bench_ratio(&c[C_USER_PART], &c[C_TOUCH]), "to_crc32c",
			bench_ratio(&c[C_USER_PART], &c[C_CHECKSUM]));
	for (i = 0; i < N_CASES; i++)
		json_object_set_new(row, c[i].name, doc_spread(&c[i]));
	doc_row(doc, row);
	printf("%-8s %5u  %6.1f %6.1f  %6.1f %6.1f %6.1f %7.1f  %6.2f %8.2f\n", name, bytes,
	       bench_ns(&c[C_TOUCH]), bench_ns(&c[C_CHECKSUM]), bench_ns(&c[C_CHUNKS]),
	       bench_ns(&c[C_LAYER]), bench_ns(&c[C_USER_PART]), bench_ns(&c[C_NUMBERS]),
	       bench_ratio(&c[C_USER_PART], &c[C_TOUCH]),
	       bench_ratio(&c[C_USER_PART], &c[C_CHECKSUM]));
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static struct lab lab;
	const char *pages;
	struct doc doc;

	(void)argc;
	doc_open(&doc, argv[0], "isup");
	lab.b.buffers = bench_alloc((size_t)PACKETS * BURSTS_BUFFER, &pages);
	printf("%d different packets of one message in buffers of %d bytes, %s pages; ns a packet, "
	       "median of %d alternating runs; each column does what the one before it does\n"
	       "                  limits        reading                        isup to\n"
	       "message  bytes   touch crc32c  chunks   m3ua   isup numbers   touch   crc32c\n",
	       PACKETS, BURSTS_BUFFER, pages, BENCH_RUNS);
	measure(&lab, TRAFFIC_IAM_USUAL, &doc);
	measure(&lab, TRAFFIC_IAM_RICH, &doc);
	measure(&lab, TRAFFIC_ACM, &doc);
	return doc_close(&doc,
			 "8192 different packets, each in a buffer of 2176 bytes (17.8 MB), one "
			 "message of ISUP in M3UA each; against reading each byte of the packet "
			 "once (touch) and CRC32c over it; chunks, m3ua, isup and numbers each "
			 "with what comes before; one core, alternating");
}
