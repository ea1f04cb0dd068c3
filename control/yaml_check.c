/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A document against its schema, with complaints for people. libcyaml checks the same again when it
 * loads, but gives the place of the value before the one that is wrong, and none within a list.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/yaml_doc.h"

#define MAX_WORDS 64
#define MAX_WORD_LEN 32

/* ---- words for people -------------------------------------------------------------------------- */

struct tg_yaml_quoted tg_yaml_quote(const char *s)
{
	struct tg_yaml_quoted q = { "\"" };
	const size_t room = sizeof(q.text) - sizeof("\"...\"") - 1;
	size_t i, n = 1;

	for (i = 0; i < room && s[i]; i++)
		q.text[n++] = isprint((unsigned char)s[i]) ? s[i] : '?';
	snprintf(q.text + n, sizeof(q.text) - n, "%s\"", s[i] ? "..." : "");
	return q;
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	const unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

/* Levenshtein distance; words longer than MAX_WORD_LEN are far from everything. */
static unsigned distance(const char *a, const char *b)
{
	const size_t la = strlen(a), lb = strlen(b);
	unsigned row[MAX_WORD_LEN + 1];
	size_t i, j;

	if (la > MAX_WORD_LEN || lb > MAX_WORD_LEN)
		return MAX_WORD_LEN;
	for (j = 0; j <= lb; j++)
		row[j] = (unsigned)j;
	for (i = 1; i <= la; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (j = 1; j <= lb; j++) {
			const unsigned above = row[j];
			const bool same = tolower((unsigned char)a[i - 1]) ==
					  tolower((unsigned char)b[j - 1]);

			row[j] = min3(above + 1, row[j - 1] + 1, diagonal + !same);
			diagonal = above;
		}
	}
	return row[lb];
}

struct tg_yaml_hint tg_yaml_hint(const char *given, const char *const *words, size_t n)
{
	struct tg_yaml_hint h = { "" };
	unsigned best = 3; /* two slips of the finger; more is another word */
	size_t i, used = 0;

	for (i = 0; i < n; i++) {
		const unsigned d = distance(given, words[i]);

		if (d < best && d < strlen(words[i])) {
			best = d;
			snprintf(h.text, sizeof(h.text), " (did you mean \"%s\"?)", words[i]);
		}
	}
	if (h.text[0])
		return h;
	for (i = 0; i < n && used < sizeof(h.text); i++)
		used += (size_t)snprintf(h.text + used, sizeof(h.text) - used, "%s%s",
					 i == 0 ? "; one of: " : ", ", words[i]);
	return h;
}

/* ---- the walk ---------------------------------------------------------------------------------- */

struct check {
	const struct tg_yaml *y;
	struct tg_error *err;
};

static int check_value(const struct check *c, const cyaml_schema_value_t *s,
		       const yaml_node_t *node, const char *key);

static yaml_node_t *get(const struct check *c, int index)
{
	/* libyaml knows no const */
	return yaml_document_get_node((yaml_document_t *)&c->y->document, index);
}

static const char *text_of(const yaml_node_t *node)
{
	return (const char *)node->data.scalar.value;
}

static int expect(const struct check *c, const yaml_node_t *node, yaml_node_type_t type,
		  const char *key)
{
	static const char *const names[] = {
		[YAML_NO_NODE] = "nothing",
		[YAML_SCALAR_NODE] = "one value",
		[YAML_SEQUENCE_NODE] = "a list, as in [a, b]",
		[YAML_MAPPING_NODE] = "a mapping of keys to values",
	};

	if (node->type == type)
		return 0;
	return tg_yaml_refuse_node(c->y, c->err, node, "%s must be %s", key, names[type]);
}

/* C strings end at a NUL, so what stands behind one would be ignored in silence. */
static int check_text(const struct check *c, const yaml_node_t *node, const char *key)
{
	const int ret = expect(c, node, YAML_SCALAR_NODE, key);

	if (ret == 0 && strlen(text_of(node)) != node->data.scalar.length)
		return tg_yaml_refuse_node(c->y, c->err, node, "%s has a NUL character in it", key);
	return ret;
}

static int check_string(const struct check *c, const cyaml_schema_value_t *s,
			const yaml_node_t *node, const char *key)
{
	const int ret = check_text(c, node, key);

	if (ret != 0)
		return ret;
	if (node->data.scalar.length < s->string.min)
		return tg_yaml_refuse_node(c->y, c->err, node, "%s is empty", key);
	if (node->data.scalar.length > s->string.max)
		return tg_yaml_refuse_node(c->y, c->err, node, "%s is longer than %u bytes", key,
					   s->string.max);
	return 0;
}

/* Decimal only: libcyaml leaves it to strtoull, to which 010 is eight. */
static int check_uint(const struct check *c, const yaml_node_t *node, const char *key)
{
	const int ret = check_text(c, node, key);
	const char *t;

	if (ret != 0)
		return ret;
	t = text_of(node);
	if (*t == 0 || t[strspn(t, "0123456789")] != 0)
		return tg_yaml_refuse_node(c->y, c->err, node, "%s must be a whole number, not %s",
					   key, tg_yaml_quote(t).text);
	if (*t == '0' && t[1])
		return tg_yaml_refuse_node(c->y, c->err, node, "%s: write %s without leading zeros",
					   key, tg_yaml_quote(t).text);
	if (strlen(t) > 10 || strtoull(t, NULL, 10) > UINT32_MAX)
		return tg_yaml_refuse_node(c->y, c->err, node, "%s is too large", key);
	return 0;
}

static int check_word(const struct check *c, const cyaml_schema_value_t *s, const yaml_node_t *node,
		      const char *key)
{
	const int ret = check_text(c, node, key);
	const char *words[MAX_WORDS];
	uint32_t i;

	if (ret != 0)
		return ret;
	for (i = 0; i < s->enumeration.count && i < MAX_WORDS; i++) {
		words[i] = s->enumeration.strings[i].str;
		if (strcmp(words[i], text_of(node)) == 0)
			return 0;
	}
	return tg_yaml_refuse_node(c->y, c->err, node, "unknown %s %s%s", key,
				   tg_yaml_quote(text_of(node)).text,
				   tg_yaml_hint(text_of(node), words, i).text);
}

static int check_list(const struct check *c, const cyaml_schema_value_t *s, const yaml_node_t *node,
		      const char *key)
{
	const bool flags = s->type == CYAML_FLAGS;
	const size_t min = flags ? 1 : s->sequence.min;
	const size_t max = flags ? s->enumeration.count : s->sequence.max;
	const yaml_node_item_t *item;
	int ret = expect(c, node, YAML_SEQUENCE_NODE, key);
	size_t n = 0;

	if (ret != 0)
		return ret;
	for (item = node->data.sequence.items.start; item < node->data.sequence.items.top; item++) {
		const yaml_node_t *entry = get(c, *item);

		if (++n > max)
			return tg_yaml_refuse_node(c->y, c->err, entry, "%s: more than %zu entries",
						   key, max);
		ret = flags ? check_word(c, s, entry, key)
			    : check_value(c, s->sequence.entry, entry, key);
		if (ret != 0)
			return ret;
	}
	if (n < min)
		return tg_yaml_refuse_node(c->y, c->err, node,
					   "%s: the list is empty; leave the key out instead", key);
	return 0;
}

static const cyaml_schema_field_t *find_field(const cyaml_schema_value_t *s, const char *key)
{
	const cyaml_schema_field_t *f;

	for (f = s->mapping.fields; f->key; f++) {
		if (strcmp(f->key, key) == 0)
			return f;
	}
	return NULL;
}

static int refuse_key(const struct check *c, const cyaml_schema_value_t *s, const yaml_node_t *node)
{
	const char *words[MAX_WORDS];
	size_t n;

	for (n = 0; n < MAX_WORDS && s->mapping.fields[n].key; n++)
		words[n] = s->mapping.fields[n].key;
	return tg_yaml_refuse_node(c->y, c->err, node, "unknown key %s%s",
				   tg_yaml_quote(text_of(node)).text,
				   tg_yaml_hint(text_of(node), words, n).text);
}

static int check_missing(const struct check *c, const cyaml_schema_value_t *s,
			 const yaml_node_t *node, uint64_t seen, const char *key)
{
	size_t i;

	for (i = 0; s->mapping.fields[i].key; i++) {
		if (!(seen >> i & 1) && !(s->mapping.fields[i].value.flags & CYAML_FLAG_OPTIONAL))
			return tg_yaml_refuse_node(c->y, c->err, node, "%s: key \"%s\" is missing",
						   key, s->mapping.fields[i].key);
	}
	return 0;
}

static int check_mapping(const struct check *c, const cyaml_schema_value_t *s,
			 const yaml_node_t *node, const char *key)
{
	const yaml_node_pair_t *pair;
	uint64_t seen = 0;
	int ret = expect(c, node, YAML_MAPPING_NODE, key);

	if (ret != 0)
		return ret;
	for (pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
		const yaml_node_t *k = get(c, pair->key);
		const cyaml_schema_field_t *f;
		uint64_t bit;

		ret = check_text(c, k, "a key");
		if (ret != 0)
			return ret;
		f = find_field(s, text_of(k));
		if (!f)
			return refuse_key(c, s, k);
		bit = 1ull << (f - s->mapping.fields);
		if (seen & bit)
			return tg_yaml_refuse_node(c->y, c->err, k, "key \"%s\" is given twice",
						   f->key);
		seen |= bit;
		ret = check_value(c, &f->value, get(c, pair->value), f->key);
		if (ret != 0)
			return ret;
	}
	return check_missing(c, s, node, seen, key);
}

static int check_value(const struct check *c, const cyaml_schema_value_t *s,
		       const yaml_node_t *node, const char *key)
{
	switch (s->type) {
	case CYAML_UINT:
		return check_uint(c, node, key);
	case CYAML_ENUM:
		return check_word(c, s, node, key);
	case CYAML_STRING:
		return check_string(c, s, node, key);
	case CYAML_FLAGS:
	case CYAML_SEQUENCE:
		return check_list(c, s, node, key);
	case CYAML_MAPPING:
		return check_mapping(c, s, node, key);
	default:
		return tg_error_set(c->err, -ENOTSUP, "%s: the schema has a type of its own", key);
	}
}

int tg_yaml_check(const struct tg_yaml *y, const cyaml_schema_value_t *schema, struct tg_error *err)
{
	const struct check c = { y, err };
	const yaml_node_t *root = get(&c, 1);

	if (!root)
		return tg_yaml_refuse_node(y, err, NULL, "there is nothing in it");
	return check_value(&c, schema, root, "the document");
}
