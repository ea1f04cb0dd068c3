/* SPDX-License-Identifier: BSD-3-Clause */
/* SCTP chunks, and the layers that carry MTP3 in them. */
#include <string.h>

#include "tests/support/tg_test.h"
#include "tollgate/mtp3.h"
#include "tollgate/sctp.h"

/* Two bundled DATA chunks, the first with 3 octets (padded), a HEARTBEAT between them. */
static const uint8_t bundle[] = {
	0x0b, 0x59, 0x0b, 0x5a, 0x00, 0x00, 0x0e, 0x50, 0, 0, 0, 0, /* ports, tag, checksum */
	0,    3,    0,	  19,	0,    0,    0,	  1,	0, 6, 0, 42,
	0,    0,    0,	  3,	'a',  'b',  'c',  0, /* */
	4,    0,    0,	  8,	0,    1,    0,	  4, /* */
	0,    1,    0,	  20,	0,    0,    0,	  2,	0, 7, 0, 43,
	0,    0,    0,	  5,	'd',  'e',  'f',  'g', /* last fragment */
};

#define BYTES(a) ((struct tg_span){ (a), sizeof(a) })

TG_TEST(SCTP_1_bundled_chunks, TG_NEEDS_NOTHING)
{
	struct tg_sctp_chunk c;
	struct tg_sctp_data d;
	struct tg_sctp s;

	assert_true(tg_sctp_open(BYTES(bundle), &s));
	assert_int_equal(s.sport, 2905);
	assert_int_equal(s.vtag, 0xe50);
	assert_true(tg_sctp_next(&s, &c));
	assert_true(tg_sctp_data_read(&c, &d));
	assert_int_equal(d.tsn, 1);
	assert_int_equal(d.stream, 6);
	assert_int_equal(d.message, 42);
	assert_int_equal(tg_sctp_ppid(d.ppid), TG_PPID_M3UA);
	assert_true(d.begin && d.end && !d.unordered);
	assert_int_equal(d.user.len, 3);
	assert_true(tg_sctp_next(&s, &c));
	assert_int_equal(c.type, 4);
	assert_false(tg_sctp_data_read(&c, &d));
	assert_true(tg_sctp_next(&s, &c));
	assert_true(tg_sctp_data_read(&c, &d));
	assert_true(!d.begin && d.end);
	assert_memory_equal(d.user.data, "defg", 4);
	assert_false(tg_sctp_next(&s, &c));
	assert_false(s.chunks.failed);
}

TG_TEST(SCTP_2_padding_and_lengths, TG_NEEDS_NOTHING)
{
	uint8_t packet[sizeof(bundle)];
	struct tg_sctp_chunk c;
	struct tg_sctp s;

	/* the last chunk may lack its padding */
	assert_true(tg_sctp_open((struct tg_span){ bundle, TG_SCTP_HEADER + 19 }, &s));
	assert_true(tg_sctp_next(&s, &c));
	assert_false(tg_sctp_next(&s, &c));
	assert_false(s.chunks.failed);
	/* a length of zero to three leads nowhere */
	memcpy(packet, bundle, sizeof(packet));
	for (packet[15] = 0; packet[15] < 4; packet[15]++) {
		assert_true(tg_sctp_open(BYTES(packet), &s));
		assert_false(tg_sctp_next(&s, &c));
		assert_true(s.chunks.failed);
	}
	packet[14] = 1; /* behind the packet */
	assert_true(tg_sctp_open(BYTES(packet), &s));
	assert_false(tg_sctp_next(&s, &c));
	assert_true(s.chunks.failed);
}

TG_TEST(SCTP_3_crc32c, TG_NEEDS_NOTHING)
{
	uint8_t packet[sizeof(bundle)];
	/* RFC 3720 appendix B.4: of 32 octets of zero 0x8a9136aa; here the header's field counts as zero. */
	static const uint8_t zeros[32];

	assert_int_equal(tg_sctp_checksum(BYTES(zeros)), 0xaa36918a);
	memcpy(packet, bundle, sizeof(packet));
	assert_true(tg_sctp_checksum_ok(BYTES(packet))); /* zero: RFC 9653 */
	tg_store_be32(packet + 8, tg_sctp_checksum(BYTES(packet)));
	assert_true(tg_sctp_checksum_ok(BYTES(packet)));
	packet[30] ^= 1;
	assert_false(tg_sctp_checksum_ok(BYTES(packet)));
	assert_false(tg_sctp_checksum_ok((struct tg_span){ packet, 11 }));
}

TG_TEST(SCTP_4_i_data, TG_NEEDS_NOTHING)
{
	static const uint8_t first[] = { 0x0b, 0x59, 0x0b, 0x59, 0, 0, 0, 1, 0,	  0,  0, 0,
					 64,   2,    0,	   22,	 0, 0, 0, 9, 0,	  5,  0, 0,
					 0,    0,    1,	   0,	 0, 0, 0, 3, 'x', 'y' };
	uint8_t later[sizeof(first)];
	struct tg_sctp_chunk c;
	struct tg_sctp_data d;
	struct tg_sctp s;

	assert_true(tg_sctp_open(BYTES(first), &s));
	assert_true(tg_sctp_next(&s, &c));
	assert_true(tg_sctp_data_read(&c, &d));
	assert_true(d.interleaved && d.begin && !d.end);
	assert_int_equal(d.message, 256);
	assert_int_equal(d.ppid, TG_PPID_M3UA);
	assert_int_equal(d.fsn, 0);
	memcpy(later, first, sizeof(later));
	later[13] = 5; /* unordered, last fragment */
	assert_true(tg_sctp_open(BYTES(later), &s));
	assert_true(tg_sctp_next(&s, &c));
	assert_true(tg_sctp_data_read(&c, &d));
	assert_true(d.unordered && d.end);
	assert_int_equal(d.fsn, 3);
	assert_int_equal(d.ppid, 0);
}

TG_TEST(SCTP_8_ppid_in_either_order, TG_NEEDS_NOTHING)
{
	assert_int_equal(tg_sctp_ppid(3), 3);
	assert_int_equal(tg_sctp_ppid(0x03000000), 3);
	assert_int_equal(tg_sctp_ppid(0), 0);
}

static void walk_sctp(void *ctx, const uint8_t *data, size_t len)
{
	struct tg_sctp_chunk c;
	struct tg_sctp_data d;
	struct tg_sctp s;
	unsigned n = 0;

	if (!tg_sctp_open((struct tg_span){ data, (uint32_t)len }, &s))
		return;
	while (tg_sctp_next(&s, &c))
		n += tg_sctp_data_read(&c, &d);
	(*(unsigned *)ctx) += n;
}

TG_TEST(sctp_truncated_at_each_length, TG_NEEDS_NOTHING)
{
	unsigned chunks = 0;

	tg_guard_truncate(bundle, sizeof(bundle), walk_sctp, &chunks);
	/* the first is there from its last octet on, the second in the whole packet only */
	assert_int_equal(chunks, sizeof(bundle) - TG_SCTP_HEADER - 19 + 1 + 1);
}

/* ---- M3UA, M2UA, M2PA -------------------------------------------------------------------------- */

static const uint8_t m3ua[] = {
	1,    0,    1, 1,  0,	 0,    0,    56,		     /* DATA */
	0x00, 0x06, 0, 8,  0,	 0,    0,    7,			     /* routing context */
	0x02, 0x10, 0, 19, 0,	 0,    0x10, 0x01, 0, 0, 0x20, 0x02, /* protocol data: OPC, DPC */
	5,    2,    0, 11, 0x34, 0x02, 0x0c, 0,	 /* SI, NI, priority, SLS, user, padding */
	0x02, 0x00, 0, 8,  0,	 0,    0,    99, /* network appearance, behind it */
	0xff, 0x77, 0, 12, 1,	 2,    3,    4,	   5, 6, 7,    8, /* nobody knows this one */
};

TG_TEST(M3_1_parameters_in_any_order, TG_NEEDS_NOTHING)
{
	struct tg_mtp3 m;

	assert_int_equal(sizeof(m3ua), 56);
	assert_int_equal(tg_m3ua_read(BYTES(m3ua), &m), TG_REASON_NONE);
	assert_int_equal(m.opc, 0x1001);
	assert_int_equal(m.dpc, 0x2002);
	assert_int_equal(m.si, TG_SI_ISUP);
	assert_int_equal(m.ni, 2);
	assert_int_equal(m.sls, 11);
	assert_true(m.has_network_appearance);
	assert_int_equal(m.network_appearance, 99);
	assert_int_equal(m.user.len, 3);
	assert_memory_equal(m.user.data, "\x34\x02\x0c", 3);
}

TG_TEST(M3_1_last_padding_counted_or_not, TG_NEEDS_NOTHING)
{
	/* up to and with protocol data: 36 with padding, 35 without */
	static const uint8_t lengths[][2] = { { 36, 36 }, { 35, 36 }, { 35, 35 }, { 36, 35 } };
	uint8_t message[36];
	struct tg_mtp3 m;
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(lengths); i++) {
		memcpy(message, m3ua, sizeof(message));
		message[7] = lengths[i][0];
		assert_int_equal(tg_m3ua_read((struct tg_span){ message, lengths[i][1] }, &m),
				 TG_REASON_NONE);
		assert_int_equal(m.user.len, 3);
	}
	message[7] = 37;
	assert_int_equal(tg_m3ua_read((struct tg_span){ message, 36 }, &m),
			 TG_REASON_SIGTRAN_MALFORMED);
}

TG_TEST(M3_2_other_versions_classes_and_types, TG_NEEDS_NOTHING)
{
	static const uint8_t at[] = { 0, 2, 3 };
	uint8_t message[sizeof(m3ua)];
	struct tg_mtp3 m;
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(at); i++) {
		memcpy(message, m3ua, sizeof(message));
		message[at[i]] = 3;
		assert_int_equal(tg_m3ua_read(BYTES(message), &m), TG_REASON_SIGTRAN_OTHER);
	}
}

TG_TEST(M3_4_point_codes_of_14_24_and_16_bits, TG_NEEDS_NOTHING)
{
	static const uint8_t itu[] = { 0xc5, 0x83, 0xaf, 0x40, 0x5b, 0xd5 };
	static const uint8_t ansi[] = { 0x85, 3, 2, 1, 6, 5, 4, 0x1f, 0xd5 };
	static const uint8_t japan[] = { 0x85, 0x34, 0x12, 0x78, 0x56, 0x0b, 0xd5 };
	static const uint8_t management[] = { 0x80, 0x83, 0xaf, 0x40, 0x5b, 0xd5 };
	struct tg_mtp3 m;

	/* tshark on a capture of others: DPC 12163, OPC 11522, SLS 5 */
	assert_int_equal(tg_mtp3_read(BYTES(itu), TG_MTP3_ITU, &m), TG_REASON_NONE);
	assert_int_equal(m.dpc, 12163);
	assert_int_equal(m.opc, 11522);
	assert_int_equal(m.sls, 5);
	assert_int_equal(m.ni, 3);
	assert_int_equal(tg_mtp3_read(BYTES(ansi), TG_MTP3_ANSI, &m), TG_REASON_NONE);
	assert_int_equal(m.dpc, 0x010203);
	assert_int_equal(m.opc, 0x040506);
	assert_int_equal(m.sls, 0x1f);
	assert_int_equal(tg_mtp3_read(BYTES(japan), TG_MTP3_JAPAN, &m), TG_REASON_NONE);
	assert_int_equal(m.dpc, 0x1234);
	assert_int_equal(m.opc, 0x5678);
	assert_int_equal(m.sls, 11);
	assert_int_equal(tg_mtp3_read(BYTES(management), TG_MTP3_ITU, &m), TG_REASON_SIGTRAN_OTHER);
}

TG_TEST(M3_5_m2pa_user_data_and_link_status, TG_NEEDS_NOTHING)
{
	uint8_t message[] = { 1, 0, 11, 1, 0, 0,    0,	  23,	0,    0,    0,	 1,
			      0, 0, 0,	2, 0, 0xc5, 0x83, 0xaf, 0x40, 0x5b, 0xd5 };
	struct tg_mtp3 m;

	assert_int_equal(tg_m2pa_read(BYTES(message), TG_MTP3_ITU, &m), TG_REASON_NONE);
	assert_int_equal(m.dpc, 12163);
	assert_int_equal(m.user.len, 1);
	message[7] = 16; /* acknowledgement */
	assert_int_equal(tg_m2pa_read((struct tg_span){ message, 16 }, TG_MTP3_ITU, &m),
			 TG_REASON_SIGTRAN_OTHER);
	message[3] = 2; /* link status */
	assert_int_equal(tg_m2pa_read(BYTES(message), TG_MTP3_ITU, &m), TG_REASON_SIGTRAN_OTHER);
	message[3] = 1;
	message[7] = 24;
	assert_int_equal(tg_m2pa_read(BYTES(message), TG_MTP3_ITU, &m),
			 TG_REASON_SIGTRAN_MALFORMED);
}

TG_TEST(m2ua_and_drafts_of_m3ua_carry_an_msu, TG_NEEDS_NOTHING)
{
	uint8_t m2ua[] = { 1, 0,  6,	1,    0,    0,	  0,	20,   3, 0,
			   0, 10, 0xc5, 0x83, 0xaf, 0x40, 0x5b, 0xd5, 0, 0 };
	struct tg_mtp3 m;

	assert_int_equal(tg_m2ua_read(BYTES(m2ua), TG_MTP3_ITU, &m), TG_REASON_NONE);
	assert_int_equal(m.dpc, 12163);
	m2ua[2] = 1;
	m2ua[8] = 0;
	m2ua[9] = 2;
	assert_int_equal(tg_m3ua_read(BYTES(m2ua), &m), TG_REASON_NONE);
	assert_int_equal(m.dpc, 12163);
}

static void read_m3ua(void *ctx, const uint8_t *data, size_t len)
{
	struct tg_mtp3 m;

	(*(unsigned *)ctx) += tg_m3ua_read((struct tg_span){ data, (uint32_t)len }, &m) ==
			      TG_REASON_NONE;
}

TG_TEST(m3ua_truncated_at_each_length, TG_NEEDS_NOTHING)
{
	unsigned whole = 0;

	tg_guard_truncate(m3ua, sizeof(m3ua), read_m3ua, &whole);
	assert_int_equal(whole, 1);
}
