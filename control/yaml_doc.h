/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One YAML text under a libcyaml schema, such that every complaint names line and column. libyaml
 * keeps the position of each node, libcyaml fills the C structures; the schema is written once and
 * serves both the check, which words the complaint, and the load. Knows no particular schema.
 *
 * Not accepted, because nobody needs it and each has surprised somebody: aliases, several documents,
 * numbers in octal or hexadecimal, a key given twice, NUL in a string, UTF-16.
 */
#ifndef TG_CONTROL_YAML_DOC_H
#define TG_CONTROL_YAML_DOC_H

#include <cyaml/cyaml.h>
#include <yaml.h>

#include "control/error.h"

/* Far above any policy: 64 trunks, 32 answers and 256 rules take some 60 KB. */
#define TG_YAML_MAX_BYTES (1u << 20)
#define TG_YAML_MAX_DEPTH 16

struct tg_yaml {
	const char *text; /* the caller's, for as long as this is used */
	size_t len;
	yaml_document_t document;
};

/* Syntax. 0 or negative errno with *err; only after 0 is there something to free. */
int tg_yaml_parse(struct tg_yaml *y, const char *text, size_t len, struct tg_error *err);
void tg_yaml_free(struct tg_yaml *y);

/* Keys, types and words against the schema. Understands UINT, ENUM, FLAGS, STRING, MAPPING and
 * SEQUENCE; an empty list is an error wherever the schema's minimum is not 0, and for FLAGS. */
int tg_yaml_check(const struct tg_yaml *y, const cyaml_schema_value_t *schema,
		  struct tg_error *err);

/* tg_yaml_check, then *out as the schema says, freed with tg_yaml_unload. */
int tg_yaml_load(const struct tg_yaml *y, const cyaml_schema_value_t *schema, void **out,
		 struct tg_error *err);
void tg_yaml_unload(const cyaml_schema_value_t *schema, void *out);

/* Sets *err to -EINVAL at the value of `path` ("rules[3].when.score"), or at the nearest thing around
 * it that is in the text. Returns -EINVAL. */
int tg_yaml_refuse(const struct tg_yaml *y, struct tg_error *err, const char *path, const char *fmt,
		   ...) TG_PRINTF(4, 5);
/* The same at a node; NULL = the beginning. */
int tg_yaml_refuse_node(const struct tg_yaml *y, struct tg_error *err, const yaml_node_t *node,
			const char *fmt, ...) TG_PRINTF(4, 5);

/* A person's text for use in a sentence: in quotes, cut to what fits, nothing that moves a cursor. */
struct tg_yaml_quoted {
	char text[56];
};
struct tg_yaml_quoted tg_yaml_quote(const char *s);

/* ' (did you mean "x"?)' if a word is close to the given one, else '; one of: a, b, c'. */
struct tg_yaml_hint {
	char text[256];
};
struct tg_yaml_hint tg_yaml_hint(const char *given, const char *const *words, size_t n);

#endif
