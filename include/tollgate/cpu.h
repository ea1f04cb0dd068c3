/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Has this CPU all that the Makefile compiles files named *_avx2.c and *_avx512.c for? For the constructors that choose
 * a variant; false on other architectures.
 */
#ifndef TG_CPU_H
#define TG_CPU_H

#include <stdbool.h>

static inline bool tg_cpu_has_avx2(void)
{
#if defined(__x86_64__)
	__builtin_cpu_init();
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
	       __builtin_cpu_supports("bmi2");
#else
	return false;
#endif
}

/* Of Ice Lake, Zen 4 and later, which do not slow down for it. */
static inline bool tg_cpu_has_avx512(void)
{
#if defined(__x86_64__)
	return tg_cpu_has_avx2() && __builtin_cpu_supports("avx512f") &&
	       __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
	       __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi") &&
	       __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("vpclmulqdq");
#else
	return false;
#endif
}

#endif
