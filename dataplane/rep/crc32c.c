/* SPDX-License-Identifier: BSD-3-Clause */
/* CRC-32C of a word for CPUs without the instruction: a nibble a step, one cache line of table. */
#include "tollgate/table_layout.h"

uint32_t tg_crc32c_u64_table(uint64_t v)
{
	/* Remainders of the 16 nibbles modulo the reflected polynomial 0x82f63b78. */
	static const uint32_t remainder[16] = {
		0x00000000u, 0x105ec76fu, 0x20bd8edeu, 0x30e349b1u, 0x417b1dbcu, 0x5125dad3u,
		0x61c69362u, 0x7198540du, 0x82f63b78u, 0x92a8fc17u, 0xa24bb5a6u, 0xb21572c9u,
		0xc38d26c4u, 0xd3d3e1abu, 0xe330a81au, 0xf36e6f75u,
	};
	uint32_t crc = 0;
	unsigned i;

	for (i = 0; i < 16; i++, v >>= 4)
		crc = crc >> 4 ^ remainder[(crc ^ v) & 15];
	return crc;
}
