/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/image_write.h"
#include "control/policy_doc.h"
#include "control/policy_file.h"

#define POLICY_TEXT_VERSION 1

/* The same bytes as control/samples/policy-default.yaml; a test compares them. */
const char tg_policy_default_text[] = "# What applies where nobody gives a policy: listed in one "
				      "of five categories with a score of\n"
				      "# 80 or more: reject; listed otherwise: pass, with the "
				      "category as the reason. `allow` and\n"
				      "# emergency calls pass before any rule. Without trunks "
				      "every call is judged in shadow mode.\n"
				      "version: 1\n"
				      "answers:\n"
				      "  - name: decline\n"
				      "    code: 603\n"
				      "    phrase: Decline\n"
				      "    reason: 'Q.850;cause=21;text=\"Call rejected\"'\n"
				      "rules:\n"
				      "  - name: block-listed\n"
				      "    when:\n"
				      "      role: [caller, called]\n"
				      "      category: [fraud, scam, dno, unallocated, invalid]\n"
				      "      score: { min: 80 }\n"
				      "    action: reject\n"
				      "    answer: decline\n";

struct policy_path tg_policy_path(const char *element, const char *member)
{
	struct policy_path p;

	snprintf(p.text, sizeof(p.text), "%s.%s", element, member);
	return p;
}

int tg_policy_draft_name(const struct policy_draft *d, const char *path, const char *given,
			 char name[TG_POLICY_NAME_MAX + 1])
{
	const struct policy_path where = tg_policy_path(path, "name");
	const size_t len = strlen(given);

	if (!tg_policy_name_valid(given, len + 1))
		return tg_yaml_refuse(d->yaml, d->err, where.text,
				      "name %s: only letters, digits, '.', '_' and '-'",
				      tg_yaml_quote(given).text);
	if (len > TG_POLICY_NAME_MAX)
		return tg_yaml_refuse(d->yaml, d->err, where.text,
				      "name %s is longer than %d characters",
				      tg_yaml_quote(given).text, TG_POLICY_NAME_MAX);
	memcpy(name, given, len + 1);
	return 0;
}

static int fill_draft(struct policy_draft *d, const struct policy_doc *doc)
{
	int ret;

	if (doc->version != POLICY_TEXT_VERSION)
		return tg_yaml_refuse(d->yaml, d->err, "version",
				      "version %u is not known here, only version %d", doc->version,
				      POLICY_TEXT_VERSION);
	ret = tg_policy_draft_trunks(d, doc);
	if (ret == 0)
		ret = tg_policy_draft_answers(d, doc);
	if (ret == 0)
		ret = tg_policy_draft_marks(d, doc);
	return ret == 0 ? tg_policy_draft_rules(d, doc) : ret;
}

static int write_image(const struct policy_draft *d, void **image, uint64_t *length,
		       struct tg_error *err)
{
	struct tg_policy_section s = {
		.n_trunks = d->n_trunks,
		.n_rules = d->n_rules,
		.n_answers = d->n_answers,
		.n_marks = d->n_marks,
		.n_intervals = d->n_intervals,
		.n_words = d->n_words,
	};
	struct tg_image_header h;
	uint64_t offset, room;
	uint8_t *bytes;

	tg_image_begin(&h, TG_IMAGE_POLICY, (uint64_t)time(NULL));
	offset = tg_image_add(&h, TG_IMAGE_SECTION_POLICY, tg_policy_layout(&s));
	room = (h.length + TG_IMAGE_ALIGN - 1) / TG_IMAGE_ALIGN * TG_IMAGE_ALIGN;
	bytes = aligned_alloc(TG_IMAGE_ALIGN, room);
	if (!bytes)
		return tg_error_set(err, -ENOMEM, "no memory");
	memset(bytes, 0, room);
	memcpy(bytes + offset, &s, sizeof(s));
	memcpy(bytes + offset + s.trunks_offset, d->trunk, d->n_trunks * sizeof(d->trunk[0]));
	memcpy(bytes + offset + s.rules_offset, d->rule, d->n_rules * sizeof(d->rule[0]));
	memcpy(bytes + offset + s.answers_offset, d->answer, d->n_answers * sizeof(d->answer[0]));
	memcpy(bytes + offset + s.marks_offset, d->mark, d->n_marks * sizeof(d->mark[0]));
	memcpy(bytes + offset + s.intervals_offset, d->interval,
	       d->n_intervals * sizeof(d->interval[0]));
	memcpy(bytes + offset + s.words_offset, d->word, d->n_words * sizeof(d->word[0]));
	tg_image_finish(bytes, &h);
	*image = bytes;
	*length = h.length;
	return 0;
}

int tg_policy_compile(const char *text, size_t len, void **image, uint64_t *length,
		      struct tg_error *err)
{
	struct policy_draft *draft;
	struct policy_doc *doc;
	struct tg_yaml yaml;
	void *loaded;
	int ret;

	*image = NULL;
	*length = 0;
	ret = tg_yaml_parse(&yaml, text, len, err);
	if (ret != 0)
		return ret;
	ret = tg_yaml_load(&yaml, &tg_policy_schema, &loaded, err);
	if (ret != 0)
		goto free_yaml;
	doc = loaded;
	draft = calloc(1, sizeof(*draft));
	if (!draft) {
		ret = tg_error_set(err, -ENOMEM, "no memory");
		goto unload;
	}
	draft->yaml = &yaml;
	draft->err = err;
	ret = fill_draft(draft, doc);
	if (ret == 0)
		ret = write_image(draft, image, length, err);
	free(draft);
unload:
	tg_yaml_unload(&tg_policy_schema, loaded);
free_yaml:
	tg_yaml_free(&yaml);
	return ret;
}

int tg_policy_read_file(const char *path, char **text, size_t *len, struct tg_error *err)
{
	FILE *f = fopen(path, "re");
	int ret = 0;
	char *buf;

	if (!f)
		return tg_error_set(err, -errno, "cannot open: %s", strerror(errno));
	buf = malloc(TG_YAML_MAX_BYTES + 2); /* one more, so that too much is noticed */
	if (!buf) {
		ret = tg_error_set(err, -ENOMEM, "no memory");
		goto close_file;
	}
	errno = 0;
	*len = fread(buf, 1, TG_YAML_MAX_BYTES + 1, f);
	buf[*len] = 0;
	if (ferror(f)) {
		ret = tg_error_set(err, errno ? -errno : -EIO, "cannot read: %s", strerror(errno));
		free(buf);
		buf = NULL;
	}
	*text = buf;
close_file:
	fclose(f);
	return ret;
}

int tg_policy_compile_file(const char *path, void **image, uint64_t *length, struct tg_error *err)
{
	char *text = NULL;
	size_t len = 0;
	int ret;

	*image = NULL;
	*length = 0;
	ret = tg_policy_read_file(path, &text, &len, err);
	if (ret != 0)
		return ret;
	ret = tg_policy_compile(text, len, image, length, err);
	free(text);
	return ret;
}
