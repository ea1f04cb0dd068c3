/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * 2 MiB pages for as long as a benchmark runs. What is compared has to lie on the same kind of page:
 * on 4 KiB pages a random line costs 1.3 to 2 times as much, for its page walk.
 */
#ifndef PERF_HUGE_H
#define PERF_HUGE_H

#include "tollgate/base.h"

/*
 * Sees to it that pages for `bytes` are free, by reserving what lacks. They go back when the program
 * ends, by itself or by a signal. False, with nothing reserved, when it may not (root may) or memory
 * is too scattered; then nobody gets any. Once a program.
 */
bool huge_borrow(uint64_t bytes);

#endif
