/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/say.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tollgate/event_json.h"

static bool as_json;

void tg_say_as_json(void)
{
	as_json = true;
}

json_t *tg_say_time(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return tg_event_json_time((uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec);
}

void tg_say_clean(char *text)
{
	for (; *text; text++) {
		if (*text < ' ' || *text > '~')
			*text = '?';
	}
}

void tg_say(const char *fmt, ...)
{
	char text[1024], *line = NULL;
	json_t *j;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	tg_say_clean(text);
	if (as_json) {
		j = json_pack("{s:o, s:s}", "time", tg_say_time(), "text", text);
		line = json_dumps(j, JSON_COMPACT);
		json_decref(j);
	}
	if (line)
		fprintf(stderr, "%s\n", line);
	else
		fprintf(stderr, "tollgated: %s\n", text);
	free(line);
}
