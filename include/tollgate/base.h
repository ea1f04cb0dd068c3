/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What every other file may take for granted: fixed-width types, spans, a few attributes.
 * Shared with BPF programs, hence no libc beyond the freestanding headers.
 */
#ifndef TG_BASE_H
#define TG_BASE_H

#ifdef __bpf__
#define static_assert _Static_assert /* there is no libc below */
#else
#include <assert.h>
#endif
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TG_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define TG_CACHE_LINE 64

#define tg_likely(x) __builtin_expect(!!(x), 1)
#define tg_unlikely(x) __builtin_expect(!!(x), 0)
#define TG_ALIGNED(n) __attribute__((aligned(n)))
#define TG_ALWAYS_INLINE static inline __attribute__((always_inline))
#define TG_CONSTRUCTOR __attribute__((constructor)) /* runs before main() */
#define TG_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* How many frames are worked on at once: one rx burst, and the depth at which the table's
 * memory-level parallelism is spent (24 L1 miss buffers; see table.h). */
#define TG_BURST 32

/*
 * Zeros, n constant, for what each packet has: in pieces of which the compiler makes four stores. Of much
 * more at once it makes a `rep stos`, which takes some 30 cycles to begin.
 */
TG_ALWAYS_INLINE void tg_clear(void *p, size_t n)
{
	size_t i;

	for (i = 0; i + 64 <= n; i += 64)
		__builtin_memset((uint8_t *)p + i, 0, 64);
	__builtin_memset((uint8_t *)p + i, 0, n - i);
}

/* A run of bytes that somebody else owns. { NULL, 0 } is "absent". */
struct tg_span {
	const uint8_t *data;
	uint32_t len;
};

#endif
