/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sequences of segments of one connection. Input: commands of four bytes, each followed by its text.
 *
 *	byte 0   bit 0: direction; bit 1: this ends a burst; bit 2: SYN; bit 3: FIN; bit 4: RST; bit 5: the
 *	         text is a whole message of ours, by its first byte; bits 6-7: how the offset is meant
 *	byte 1   offset: 0 behind what was sent, 1 back from there, 2 ahead of it, 3 anywhere
 *	byte 2   length of the text
 *	byte 3   milliseconds that pass, times 64
 *
 * The laboratory (tests/support/tcp.h) insists that every frame goes on at its own length, changed in
 * nothing but payload, its checksum right.
 */
#include "tests/support/generation.h"
#include "tests/support/tcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const messages[] = {
	"INVITE sip:" TG_TEST_CLEAN_CALLED "@b SIP/2.0\r\nVia: SIP/2.0/TCP a;branch=z9hG4bK1\r\n"
	"Max-Forwards: 70\r\nFrom: <sip:" TG_TEST_FRAUD
	"@a>;tag=1\r\nTo: <sip:b>\r\nCall-ID: c1\r\n"
	"CSeq: 1 INVITE\r\nContent-Length: 4\r\n\r\nv=0\n",
	("SIP/2.0 483 Too Many Hops\r\nVia: SIP/2.0/TCP a;branch=z9hG4bK1\r\nFrom: "
	 "<sip:a>;tag=1\r\n"
	 "To: <sip:b>;tag=2\r\nCall-ID: c1\r\nCSeq: 1 INVITE\r\nl: 0\r\n\r\n"),
	"BYE sip:b SIP/2.0\r\nl: 100\r\n\r\n",
	"\r\n\r\n",
};

static struct tg_test_generation g;
static struct tcp_lab lab;
static void *memory;

static const struct tg_pipeline_config config = {
	.memory_entries = 64,
	.cap_entries = 64,
	.key = "fuzz",
	.frag_sets = 1,
	.frag_frames = 1,
	.tcp_flows = 8,
	.tcp_buffers = 3,
};

static uint32_t offset_of(unsigned how, uint32_t sent, uint8_t by)
{
	switch (how) {
	case 0:
		return sent;
	case 1:
		return sent > by ? sent - by : 0;
	case 2:
		return sent + by * 4u;
	default:
		return by * 1000u;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t sent[2] = { 0, 0 };

	if (!memory) {
		tcp_lab_require(tg_test_generation_init(&g, false));
		memory = aligned_alloc(TG_CACHE_LINE, tg_pipeline_size(&config));
		tcp_lab_require(memory != NULL);
	}
	tcp_lab_init(&lab, &g.gen, tg_pipeline_init(memory, &config));
	while (size >= 4) {
		const unsigned dir = data[0] & 1;
		struct tcp_segment s = {
			.dir = dir,
			.flags = (uint8_t)((data[0] & 4 ? TCP_SYN : TCP_ACK) |
					   (data[0] & 8 ? TCP_FIN : 0) |
					   (data[0] & 16 ? TCP_RST : 0)),
			.off = offset_of(data[0] >> 6, sent[dir], data[1]),
			.len = data[2],
			.ack = sent[!dir],
		};

		lab.now_ms += data[3] * 64u;
		if (s.len > size - 4)
			s.len = (uint32_t)(size - 4);
		s.bytes = data + 4;
		data += 4 + s.len;
		size -= 4 + s.len;
		if ((data[-(int)s.len - 4] & 32) && s.len > 0) {
			s.bytes = messages[*(const uint8_t *)s.bytes % TG_ARRAY_LEN(messages)];
			s.len = (uint32_t)strlen(s.bytes);
		}
		if (s.off + s.len > sent[dir] && s.off + s.len < TCP_LAB_STREAM)
			sent[dir] = s.off + s.len;
		lab.queued[lab.n] = s;
		tcp_lab_queue(&lab, &lab.queued[lab.n]);
		if (lab.n > 0 && (size == 0 || (data[0] & 2)))
			tcp_lab_run(&lab);
	}
	if (lab.n > 0)
		tcp_lab_run(&lab);
	return 0;
}
