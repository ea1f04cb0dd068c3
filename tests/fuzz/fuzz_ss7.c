/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sequences of SCTP packets through the whole pipeline. Input: commands of six bytes, each followed by its octets.
 *
 *	byte 0   bits 0-1: association (of a packet's first chunk); bit 2: this ends a packet; bit 3: begin, bit 4: end, bit 5: unordered;
 *	         bit 6: I-DATA; bit 7: this ends a burst
 *	byte 1   TSN, relative to the association's next one, signed
 *	byte 2   stream and sequence number, a nibble each
 *	byte 3   what: 0 octets of the input; 1 to 6 a message of ours (listed, clean, overlap, its SAM, its SGM, M2PA),
 *	         or the part of it from the input's first octet on; 7 AUTH; others: a chunk of that type
 *	byte 4   length of the octets
 *	byte 5   milliseconds that pass
 *
 * Every frame comes out once, in the order of its association, as long as it was; what is changed in it is user
 * data, its checksum is right, and a chunk that goes out again with the same TSN and octets goes out alike.
 */
#include <stdint.h>
#include <stdlib.h>

#include "tests/support/generation.h"
#include "tests/support/ss7.h"
#include "tollgate/checksum.h"
#include "tollgate/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ASSOCIATIONS 4
#define FRAMES_MAX 512
#define HEADERS (14 + 20)

static struct tg_test_generation g;
static struct tg_pipeline *pl;
static void *memory;

static const struct tg_pipeline_config config = {
	.memory_entries = 64,
	.cap_entries = 64,
	.key = "fuzz",
	.frag_sets = 1,
	.frag_frames = 1,
	.tcp_flows = 8,
	.tcp_buffers = 1,
	.sctp_sets = 4,
	.sctp_frames = 8,
};

struct frame {
	uint8_t bytes[HEADERS + TG_SS7_PACKET_MAX];
	uint32_t len;
	unsigned association;
	bool out;
};

static struct {
	struct frame frame[FRAMES_MAX];
	unsigned n;
	unsigned burst_from; /* first frame of the burst in hand */
	unsigned next_out[ASSOCIATIONS];
	uint32_t tsn[ASSOCIATIONS];
	struct tg_ss7_packet packet;
	unsigned association; /* of the packet */
	unsigned n_chunks;
	uint64_t now_ms;
} lab;

static void require(bool ok)
{
	if (!ok)
		abort();
}

static struct tg_ss7_text message_of(unsigned what)
{
	const struct tg_ss7_call calls[] = {
		{ .calling = "12025550101" },
		{ .cic = 1, .padding = 40 },
		{ .called = "4477009", .no_st = true, .segments = true, .cic = 2 },
		{ .type = TG_ISUP_SAM, .called = "00999", .cic = 2 },
		{ .type = TG_ISUP_SGM, .generic = "12025550101", .cic = 2 },
	};
	struct tg_ss7_text isup;

	if (what < TG_ARRAY_LEN(calls))
		return tg_ss7_message(&calls[what]);
	isup = tg_ss7_isup(&calls[0]);
	return tg_ss7_m2pa(&calls[0], TG_SI_ISUP, isup.data, isup.len);
}

/* An IPv4 packet around it; enough for the frame walk and the checksum. */
static void end_packet(void)
{
	struct frame *const f = &lab.frame[lab.n];
	uint8_t *const ip = f->bytes + 14;

	if (lab.n_chunks == 0 || lab.n == FRAMES_MAX)
		return;
	tg_ss7_packet_end(&lab.packet);
	memset(f->bytes, 0, HEADERS);
	tg_store_be16(f->bytes + 12, TG_ETHERTYPE_IPV4);
	ip[0] = 0x45;
	tg_store_be16(ip + 2, (uint16_t)(20 + lab.packet.len));
	ip[8] = 64;
	ip[9] = TG_IPPROTO_SCTP;
	ip[12] = 192;
	ip[16] = 198;
	tg_checksum_ipv4_fill(ip);
	memcpy(f->bytes + HEADERS, lab.packet.data, lab.packet.len);
	f->len = HEADERS + lab.packet.len;
	f->association = lab.association;
	f->out = false;
	lab.n++;
	lab.n_chunks = 0;
}

static void check_changed(const struct frame *f, const uint8_t *out)
{
	struct tg_sctp_chunk a, b;
	struct tg_sctp was, is;

	require(memcmp(f->bytes, out, HEADERS + 8) == 0);
	require(tg_sctp_checksum_ok((struct tg_span){ out + HEADERS, f->len - HEADERS }));
	require(tg_sctp_open((struct tg_span){ f->bytes + HEADERS, f->len - HEADERS }, &was));
	require(tg_sctp_open((struct tg_span){ out + HEADERS, f->len - HEADERS }, &is));
	while (tg_sctp_next(&was, &a)) {
		struct tg_sctp_data d;

		require(tg_sctp_next(&is, &b) && a.type == b.type && a.flags == b.flags &&
			a.value.len == b.value.len);
		if (!tg_sctp_data_read(&a, &d))
			require(memcmp(a.value.data, b.value.data, a.value.len) == 0);
	}
}

/* The frame goes on, changed or not. */
static void send_frame(struct frame *f, const uint8_t *changed, unsigned len)
{
	unsigned i;

	require(!f->out);
	f->out = true;
	for (i = lab.next_out[f->association]; &lab.frame[i] != f; i++)
		require(lab.frame[i].association != f->association || lab.frame[i].out);
	lab.next_out[f->association] = i;
	if (len > 0) {
		require(len == f->len);
		check_changed(f, changed);
	}
}

static void send_held(void *handle, bool changes)
{
	static uint8_t out[TG_ANSWER_MAX];
	struct frame *const f = &lab.frame[(uintptr_t)handle - 1];

	send_frame(f, out, changes ? tg_edit_held(pl, f->bytes, f->len, out, sizeof(out)) : 0);
}

static void run_burst(void)
{
	const unsigned n = lab.n - lab.burst_from;
	static uint8_t out[TG_ANSWER_MAX];
	struct tg_frame_in in[TG_BURST];
	struct tg_result r[TG_BURST];
	const struct tg_result *v;
	struct tg_event e;
	unsigned i, k;

	if (n == 0)
		return;
	for (i = 0; i < n; i++)
		in[i] = (struct tg_frame_in){
			.data = lab.frame[lab.burst_from + i].bytes,
			.len = lab.frame[lab.burst_from + i].len,
			.handle = (void *)(uintptr_t)(lab.burst_from + i + 1),
		};
	tg_pipeline_burst(pl, &g.gen, in, n, lab.now_ms, r);
	for (i = 0; i < n; i++) {
		struct frame *const f = &lab.frame[lab.burst_from + i];
		unsigned len = 0;

		require(r[i].reason < TG_REASON_COUNT || r[i].fate == TG_FATE_HOLD);
		for (v = r[i].judged ? &r[i] : NULL; v; v = v->next)
			tg_event_fill(&e, &g.gen, &in[i], v);
		for (k = 0; k < r[i].n_held; k++)
			send_held(r[i].held[k], r[i].held_changes);
		require(r[i].fate == TG_FATE_FORWARD || r[i].fate == TG_FATE_EDIT ||
			r[i].fate == TG_FATE_HOLD);
		if (r[i].fate == TG_FATE_HOLD)
			continue;
		if (r[i].fate == TG_FATE_EDIT)
			len = tg_edit_build(pl, &g.gen, &in[i], &r[i], out, sizeof(out));
		send_frame(f, out, len);
	}
	lab.burst_from = lab.n;
}

static void release(uint64_t now_ms)
{
	struct tg_released freed[TG_BURST];
	unsigned n, i;

	do {
		n = tg_pipeline_release(pl, now_ms, freed, TG_BURST);
		for (i = 0; i < n; i++)
			send_held(freed[i].handle, freed[i].changes);
	} while (n == TG_BURST);
}

static void add_chunk(const uint8_t *c, const uint8_t *octets, uint32_t len)
{
	const unsigned association = lab.association;
	struct tg_ss7_text m = { .len = 0 };
	const uint8_t *user = octets;
	struct tg_ss7_data d = {
		.tsn = lab.tsn[association] + (uint32_t)(int8_t)c[1],
		.stream = c[2] & 15,
		.message = c[2] >> 4,
		.fsn = c[2] >> 4,
		.flags = (uint8_t)((c[0] & 8 ? TG_SCTP_FLAG_BEGIN : 0) |
				   (c[0] & 16 ? TG_SCTP_FLAG_END : 0) |
				   (c[0] & 32 ? TG_SCTP_FLAG_UNORDERED : 0)),
		.interleaved = c[0] & 64,
		.middle = true,
		.ppid = c[3] == 6 ? TG_PPID_M2PA : TG_PPID_M3UA,
	};

	if (c[3] >= 1 && c[3] <= 6) {
		m = message_of(c[3] - 1u);
		user = m.data + (len > 0 ? octets[0] % m.len : 0);
		len = len > 1 ? octets[1] : m.len;
		if (len > m.len - (uint32_t)(user - m.data))
			len = m.len - (uint32_t)(user - m.data);
	}
	if (lab.packet.len + 32 + len > TG_SS7_PACKET_MAX)
		return;
	if (c[3] == 7)
		tg_ss7_packet_chunk(&lab.packet, TG_SCTP_AUTH, 0, octets, len);
	else if (c[3] > 7)
		tg_ss7_packet_chunk(&lab.packet, c[3], 0, octets, len);
	else
		tg_ss7_packet_data(&lab.packet, &d, user, len);
	lab.tsn[association] += c[3] < 7 && c[1] == 0;
	lab.n_chunks++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned i;

	if (!memory) {
		require(tg_test_generation_init(&g, false));
		memcpy(g.trunk[0].sink, "+44207946", 10);
		memory = aligned_alloc(TG_CACHE_LINE, tg_pipeline_size(&config));
		require(memory != NULL);
	}
	pl = tg_pipeline_init(memory, &config);
	lab.n = lab.burst_from = lab.n_chunks = 0;
	lab.now_ms = 1000;
	memset(lab.next_out, 0, sizeof(lab.next_out));
	memset(lab.tsn, 0xff, sizeof(lab.tsn));
	while (size >= 6) {
		const uint8_t *const c = data;
		const uint32_t len = c[4] <= size - 6 ? c[4] : (uint32_t)(size - 6);

		if (lab.n_chunks == 0) {
			lab.association = c[0] & 3;
			tg_ss7_packet_begin(&lab.packet, 100 + lab.association);
		}
		add_chunk(c, data + 6, len);
		data += 6 + len;
		size -= 6 + len;
		if (c[0] & 4 || size < 6)
			end_packet();
		if (c[0] & 128 || size < 6 || lab.n - lab.burst_from == TG_BURST) {
			run_burst();
			lab.now_ms += c[5];
			release(lab.now_ms);
		}
	}
	release(UINT64_MAX);
	for (i = 0; i < lab.n; i++)
		require(lab.frame[i].out);
	return 0;
}
