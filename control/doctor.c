/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/doctor.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const result_names[TG_DOCTOR_RESULT_COUNT] = {
	[TG_DOCTOR_OK] = "ok",
	[TG_DOCTOR_NOTE] = "note",
	[TG_DOCTOR_WARN] = "warn",
	[TG_DOCTOR_FAIL] = "fail",
};

const char *tg_doctor_result_name(enum tg_doctor_result result)
{
	return result_names[result];
}

void tg_doctor_run(struct tg_doctor *d)
{
	d->n = 0;
#define X(name) tg_doctor_##name(d);
	TG_DOCTOR_GROUPS(X)
#undef X
}

/* ---- findings ------------------------------------------------------------------------------------ */

void tg_doctor_find(struct tg_doctor *d, struct tg_doctor_where where, enum tg_doctor_result result,
		    const char *fmt, ...)
{
	/* The last place is written again and again: better than a silent end. */
	const unsigned i = d->n < TG_DOCTOR_MAX_FINDINGS ? d->n++ : TG_DOCTOR_MAX_FINDINGS - 1;
	struct tg_doctor_finding *f = &d->finding[i];
	va_list args;

	memset(f, 0, sizeof(*f));
	f->group = where.group;
	f->check = where.check;
	f->result = result;
	snprintf(f->port, sizeof(f->port), "%s", where.port ? where.port : "");
	va_start(args, fmt);
	vsnprintf(f->found, sizeof(f->found), fmt, args);
	va_end(args);
}

void tg_doctor_advise(struct tg_doctor *d, const char *fmt, ...)
{
	struct tg_doctor_finding *f = &d->finding[d->n - 1];
	va_list args;

	va_start(args, fmt);
	vsnprintf(f->advice, sizeof(f->advice), fmt, args);
	va_end(args);
}

unsigned tg_doctor_count(const struct tg_doctor *d, enum tg_doctor_result result)
{
	unsigned i, n = 0;

	for (i = 0; i < d->n; i++)
		n += d->finding[i].result == result;
	return n;
}

static json_t *finding_json(const struct tg_doctor_finding *f)
{
	json_t *j = json_pack("{s:s, s:s, s:s, s:s}", "group", f->group, "check", f->check,
			      "result", result_names[f->result], "found", f->found);

	if (*f->port)
		json_object_set_new(j, "port", json_string(f->port));
	if (*f->advice)
		json_object_set_new(j, "do", json_string(f->advice));
	return j;
}

json_t *tg_doctor_json(const struct tg_doctor *d)
{
	json_t *j, *checks = json_array();
	unsigned i;

	for (i = 0; i < d->n; i++)
		json_array_append_new(checks, finding_json(&d->finding[i]));
	j = json_pack("{s:o}", "checks", checks);
	for (i = 0; j && i < TG_DOCTOR_RESULT_COUNT; i++)
		json_object_set_new(j, result_names[i], json_integer(tg_doctor_count(d, i)));
	return j;
}

/* ---- files --------------------------------------------------------------------------------------- */

static int read_line(const struct tg_doctor *d, char *text, size_t size, const char *path)
{
	char whole[PATH_MAX];
	FILE *f;

	text[0] = 0;
	if ((size_t)snprintf(whole, sizeof(whole), "%s%s", d->env->root, path) >= sizeof(whole))
		return -ENAMETOOLONG;
	f = fopen(whole, "re");
	if (!f)
		return -errno;
	if (!fgets(text, (int)size, f))
		text[0] = 0;
	fclose(f);
	text[strcspn(text, "\n")] = 0;
	return 0;
}

int tg_doctor_read(const struct tg_doctor *d, char *text, size_t size, const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(path, sizeof(path), fmt, args);
	va_end(args);
	return read_line(d, text, size, path);
}

int tg_doctor_number(const struct tg_doctor *d, long long *number, const char *fmt, ...)
{
	char path[PATH_MAX], text[64], *end;
	va_list args;
	int rc;

	va_start(args, fmt);
	vsnprintf(path, sizeof(path), fmt, args);
	va_end(args);
	rc = read_line(d, text, sizeof(text), path);
	if (rc != 0)
		return rc;
	errno = 0;
	*number = strtoll(text, &end, 0);
	return errno || end == text || *end ? -EINVAL : 0;
}

bool tg_doctor_mounted(const struct tg_doctor *d, const char *type, const char *where)
{
	char path[PATH_MAX], at[PATH_MAX], fs[64], line[2 * PATH_MAX];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "%s/proc/mounts", d->env->root);
	f = fopen(path, "re");
	if (!f)
		return false;
	static_assert(PATH_MAX == 4096, "the width below");
	while (!found && fgets(line, sizeof(line), f))
		found = sscanf(line, "%*s %4095s %63s", at, fs) == 2 && strcmp(fs, type) == 0 &&
			(!where || strcmp(at, where) == 0);
	fclose(f);
	return found;
}

unsigned tg_doctor_entries(const struct tg_doctor *d, const char *dir, const char *prefix)
{
	char path[PATH_MAX];
	const struct dirent *e;
	unsigned n = 0;
	DIR *folder;

	snprintf(path, sizeof(path), "%s%s", d->env->root, dir);
	folder = opendir(path);
	if (!folder)
		return 0;
	while ((e = readdir(folder)))
		n += strncmp(e->d_name, prefix, strlen(prefix)) == 0;
	closedir(folder);
	return n;
}
