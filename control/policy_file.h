/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Policy text (YAML) -> policy image. Every complaint carries line and column, but for a file that
 * cannot be read or is too large. The default policy is such a text too. The language:
 * dataplane/policy/README.md.
 */
#ifndef TG_CONTROL_POLICY_FILE_H
#define TG_CONTROL_POLICY_FILE_H

#include "control/error.h"
#include "tollgate/policy.h"

/* *image is malloc'd, page-aligned (free with free); 0 or negative errno with *err. */
int tg_policy_compile(const char *text, size_t len, void **image, uint64_t *length,
		      struct tg_error *err);
/* A policy's text: malloc'd, NUL-terminated. Of a file that is too large, enough for compile to say so. */
int tg_policy_read_file(const char *path, char **text, size_t *len, struct tg_error *err);
int tg_policy_compile_file(const char *path, void **image, uint64_t *length, struct tg_error *err);

/* "1234", or "2-57-4" in the parts that the variant (enum tg_mtp3_variant) has. False: neither. */
bool tg_policy_point_code(const char *s, unsigned variant, uint32_t *pc);

/* The documented default: what applies where nobody gives a policy. */
extern const char tg_policy_default_text[];

#endif
