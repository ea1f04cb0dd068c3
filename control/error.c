/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/error.h"

#include <stdarg.h>
#include <stdio.h>

static void fill(struct tg_error *err, int code, const char *fmt, va_list args)
{
	err->code = code;
	err->line = 0;
	err->column = 0;
	if (vsnprintf(err->text, sizeof(err->text), fmt, args) < 0)
		err->text[0] = 0;
}

int tg_error_set(struct tg_error *err, int code, const char *fmt, ...)
{
	va_list args;

	if (!err)
		return code;
	va_start(args, fmt);
	fill(err, code, fmt, args);
	va_end(args);
	return code;
}

int tg_error_at(struct tg_error *err, int code, uint64_t line, uint32_t column, const char *fmt,
		...)
{
	va_list args;

	if (!err)
		return code;
	va_start(args, fmt);
	fill(err, code, fmt, args);
	va_end(args);
	err->line = line;
	err->column = column;
	return code;
}

const char *tg_error_format(const struct tg_error *err, const char *file, char *buf, size_t size)
{
	char place[48] = "";

	if (err->line && err->column)
		snprintf(place, sizeof(place), ":%llu:%u", (unsigned long long)err->line,
			 err->column);
	else if (err->line)
		snprintf(place, sizeof(place), ":%llu", (unsigned long long)err->line);
	snprintf(buf, size, "%s%s%s%s", file ? file : "", place, file || place[0] ? ": " : "",
		 err->text);
	return buf;
}
