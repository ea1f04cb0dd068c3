/* SPDX-License-Identifier: BSD-3-Clause */
/* Small images for tests of the control plane. */
#ifndef TG_TESTS_IMAGES_H
#define TG_TESTS_IMAGES_H

#include "control/memimage.h"

/* A table of `n` numbers (values `first`, first + 1, ...; fraud 90 as caller). base_id 0: a base image,
 * else a delta against it. Fails the test if it cannot be built. */
struct tg_memimage *tg_test_table(uint64_t first, unsigned n, uint64_t base_id);
/* The default policy. */
struct tg_memimage *tg_test_policy(void);

#endif
