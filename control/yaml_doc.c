/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/yaml_doc.h"

/* ---- places ------------------------------------------------------------------------------------ */

struct place {
	uint64_t line;
	uint32_t column;
};

/* libyaml counts characters and takes U+0085 and U+2028 for line ends; editors count bytes (or may be
 * told to) and do not. So only its character index is used. */
static size_t byte_of_character(const struct tg_yaml *y, size_t index)
{
	size_t i = 0;

	while (i < y->len && index > 0) {
		i++;
		while (i < y->len && ((uint8_t)y->text[i] & 0xc0) == 0x80)
			i++;
		index--;
	}
	return i;
}

static struct place place_of_byte(const struct tg_yaml *y, size_t offset)
{
	struct place p = { 1, 1 };
	size_t i;

	for (i = 0; i < offset && i < y->len; i++) {
		p.column++;
		if (y->text[i] == '\n') {
			p.line++;
			p.column = 1;
		}
	}
	return p;
}

static struct place place_of_mark(const struct tg_yaml *y, const yaml_mark_t *mark)
{
	return place_of_byte(y, byte_of_character(y, mark->index));
}

int tg_yaml_refuse_node(const struct tg_yaml *y, struct tg_error *err, const yaml_node_t *node,
			const char *fmt, ...)
{
	const struct place p = node ? place_of_mark(y, &node->start_mark) : (struct place){ 1, 1 };
	char text[TG_ERROR_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return tg_error_at(err, -EINVAL, p.line, p.column, "%s", text);
}

/* ---- syntax ------------------------------------------------------------------------------------ */

static int refuse_syntax(const struct tg_yaml *y, const yaml_parser_t *parser, struct tg_error *err)
{
	const char *problem = parser->problem ? parser->problem : "cannot be read";
	struct place p;

	if (parser->error == YAML_MEMORY_ERROR)
		return tg_error_set(err, -ENOMEM, "no memory");
	if (parser->error == YAML_READER_ERROR) {
		p = place_of_byte(y, parser->problem_offset);
		return tg_error_at(err, -EINVAL, p.line, p.column, "not plain UTF-8 text: %s",
				   problem);
	}
	p = place_of_mark(y, &parser->problem_mark);
	if (parser->context)
		return tg_error_at(err, -EINVAL, p.line, p.column, "not YAML: %s %s", problem,
				   parser->context);
	return tg_error_at(err, -EINVAL, p.line, p.column, "not YAML: %s", problem);
}

static bool start_parser(const struct tg_yaml *y, yaml_parser_t *parser)
{
	if (!yaml_parser_initialize(parser))
		return false;
	yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(parser, (const unsigned char *)y->text, y->len);
	return true;
}

struct shape {
	unsigned depth;
	unsigned documents;
};

/* What libyaml would read and we do not want. NULL if the event is fine. */
static const char *unwanted(const yaml_event_t *event, struct shape *shape)
{
	switch (event->type) {
	case YAML_ALIAS_EVENT:
		return "aliases (*name) are not used here: write the value out";
	case YAML_DOCUMENT_START_EVENT:
		return ++shape->documents > 1 ? "a second document begins; there is one to a file"
					      : NULL;
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		return ++shape->depth > TG_YAML_MAX_DEPTH ? "nested too deeply" : NULL;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		shape->depth--;
		return NULL;
	default:
		return NULL;
	}
}

/* Runs over the events: the composed document, later, no longer shows aliases. */
static int check_syntax(const struct tg_yaml *y, struct tg_error *err)
{
	struct shape shape = { 0, 0 };
	yaml_parser_t parser;
	yaml_event_t event;
	bool more = true;
	int ret = 0;

	if (!start_parser(y, &parser))
		return tg_error_set(err, -ENOMEM, "no memory");
	while (ret == 0 && more) {
		const char *why;

		if (!yaml_parser_parse(&parser, &event)) {
			ret = refuse_syntax(y, &parser, err);
			break;
		}
		why = unwanted(&event, &shape);
		if (why) {
			const struct place p = place_of_mark(y, &event.start_mark);

			ret = tg_error_at(err, -EINVAL, p.line, p.column, "%s", why);
		}
		more = event.type != YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	if (ret == 0 && shape.documents == 0)
		return tg_error_at(err, -EINVAL, 1, 1, "there is nothing in it");
	return ret;
}

int tg_yaml_parse(struct tg_yaml *y, const char *text, size_t len, struct tg_error *err)
{
	yaml_parser_t parser;
	int ret;

	*y = (struct tg_yaml){ .text = text, .len = len };
	if (len > TG_YAML_MAX_BYTES)
		return tg_error_set(err, -EFBIG, "larger than %u bytes", TG_YAML_MAX_BYTES);
	ret = check_syntax(y, err);
	if (ret != 0)
		return ret;
	if (!start_parser(y, &parser))
		return tg_error_set(err, -ENOMEM, "no memory");
	if (!yaml_parser_load(&parser, &y->document))
		ret = refuse_syntax(y, &parser, err); /* an anchor defined twice */
	yaml_parser_delete(&parser);
	return ret;
}

void tg_yaml_free(struct tg_yaml *y)
{
	yaml_document_delete(&y->document);
}

/* ---- paths ------------------------------------------------------------------------------------- */

static yaml_node_t *find_key(yaml_document_t *d, const yaml_node_t *map, const char *key,
			     size_t len)
{
	const yaml_node_pair_t *pair;

	if (map->type != YAML_MAPPING_NODE)
		return NULL;
	for (pair = map->data.mapping.pairs.start; pair < map->data.mapping.pairs.top; pair++) {
		const yaml_node_t *k = yaml_document_get_node(d, pair->key);

		if (k && k->type == YAML_SCALAR_NODE && k->data.scalar.length == len &&
		    memcmp(k->data.scalar.value, key, len) == 0)
			return yaml_document_get_node(d, pair->value);
	}
	return NULL;
}

static yaml_node_t *find_entry(yaml_document_t *d, const yaml_node_t *list, unsigned long i)
{
	if (list->type != YAML_SEQUENCE_NODE ||
	    i >= (size_t)(list->data.sequence.items.top - list->data.sequence.items.start))
		return NULL;
	return yaml_document_get_node(d, list->data.sequence.items.start[i]);
}

/* As far along the path as the text goes. */
static const yaml_node_t *find(const struct tg_yaml *y, const char *path)
{
	yaml_document_t *d = (yaml_document_t *)&y->document; /* libyaml knows no const */
	yaml_node_t *node = yaml_document_get_root_node(d), *next = node;

	while (*path && next) {
		char *end;

		node = next;
		if (*path == '[') {
			next = find_entry(d, node, strtoul(path + 1, &end, 10));
			path = end + (*end == ']');
		} else {
			const size_t len = strcspn(path, ".[");

			next = find_key(d, node, path, len);
			path += len;
		}
		path += *path == '.';
	}
	return next ? next : node;
}

int tg_yaml_refuse(const struct tg_yaml *y, struct tg_error *err, const char *path, const char *fmt,
		   ...)
{
	char text[TG_ERROR_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return tg_yaml_refuse_node(y, err, find(y, path), "%s", text);
}

/* ---- loading ----------------------------------------------------------------------------------- */

/* libcyaml's own words, for what tg_yaml_check let through. */
struct complaint {
	char text[TG_ERROR_TEXT_MAX];
	unsigned long line;
	unsigned long column;
};

static TG_PRINTF(3, 0) void take_complaint(cyaml_log_t level, void *ctx, const char *fmt,
					   va_list args)
{
	struct complaint *c = ctx;
	char text[TG_ERROR_TEXT_MAX];
	const char *place;

	if (level < CYAML_LOG_ERROR)
		return;
	vsnprintf(text, sizeof(text), fmt, args);
	text[strcspn(text, "\n")] = 0;
	place = strstr(text, " (line: ");
	if (!c->text[0] && !place)
		memcpy(c->text, text, sizeof(text));
	if (place && c->line == 0)
		sscanf(place, " (line: %lu, column: %lu", &c->line, &c->column);
}

static cyaml_config_t config_with(struct complaint *c)
{
	return (cyaml_config_t){
		.log_fn = take_complaint,
		.log_ctx = c,
		.log_level = CYAML_LOG_ERROR,
		.mem_fn = cyaml_mem,
		.flags = CYAML_CFG_NO_ALIAS,
	};
}

int tg_yaml_load(const struct tg_yaml *y, const cyaml_schema_value_t *schema, void **out,
		 struct tg_error *err)
{
	struct complaint c = { .line = 0 };
	const cyaml_config_t config = config_with(&c);
	cyaml_err_t ret;
	int rc;

	*out = NULL;
	rc = tg_yaml_check(y, schema, err);
	if (rc != 0)
		return rc;
	ret = cyaml_load_data((const uint8_t *)y->text, y->len, &config, schema, out, NULL);
	if (ret == CYAML_OK)
		return 0;
	return tg_error_at(err, ret == CYAML_ERR_OOM ? -ENOMEM : -EINVAL, c.line,
			   (uint32_t)c.column, "%s", c.text[0] ? c.text : cyaml_strerror(ret));
}

void tg_yaml_unload(const cyaml_schema_value_t *schema, void *out)
{
	struct complaint c = { .line = 0 };
	const cyaml_config_t config = config_with(&c);

	cyaml_free(&config, schema, out, 0);
}
