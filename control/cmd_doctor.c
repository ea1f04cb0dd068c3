/* SPDX-License-Identifier: BSD-3-Clause */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/cmd.h"
#include "control/doctor.h"

/* `text` under the advice, broken at blanks. */
static void print_folded(const char *text)
{
	const size_t width = 84;
	size_t n, cut;

	for (n = strlen(text); n > 0; n = strlen(text)) {
		cut = n;
		if (n > width) {
			for (cut = width; cut > 0 && text[cut] != ' '; cut--)
				;
			if (cut == 0)
				cut = strcspn(text, " ");
		}
		printf("      %.*s\n", (int)cut, text);
		text += cut;
		text += strspn(text, " ");
	}
}

static void print_findings(const struct tg_doctor *d)
{
	unsigned i;

	for (i = 0; i < d->n; i++) {
		const struct tg_doctor_finding *f = &d->finding[i];

		printf("%-5s %s%s%s, %s: %s\n", tg_doctor_result_name(f->result), f->group,
		       *f->port ? " " : "", f->port, f->check, f->found);
		if (*f->advice)
			print_folded(f->advice);
	}
	printf("%u fail, %u warn, %u note, %u ok\n", tg_doctor_count(d, TG_DOCTOR_FAIL),
	       tg_doctor_count(d, TG_DOCTOR_WARN), tg_doctor_count(d, TG_DOCTOR_NOTE),
	       tg_doctor_count(d, TG_DOCTOR_OK));
}

static int print_report(const struct tg_cmd_env *env, const struct tg_doctor *d)
{
	json_t *j;

	if (!env->json) {
		print_findings(d);
	} else {
		j = tg_doctor_json(d);
		json_dumpf(j, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(j);
	}
	return tg_doctor_count(d, TG_DOCTOR_FAIL) ? TG_EXIT_UNFIT : TG_EXIT_OK;
}

int tg_cmd_doctor(const struct tg_cmd_env *env, int argc, char **argv)
{
	static const struct option options[] = {
		{ "cores", required_argument, NULL, 'c' },
		{ NULL, 0, NULL, 0 },
	};
	struct tg_doctor *d = calloc(1, sizeof(*d));
	int opt, rc;

	if (!d)
		return TG_EXIT_FILE;
	d->env = &tg_doctor_machine;
	opterr = 0;
	while ((opt = getopt_long(argc, argv, "", options, NULL)) == 'c')
		d->cores = optarg;
	if (opt != -1)
		rc = tg_cmd_usage(env, "%s: no such option, or its value is missing",
				  argv[optind - 1]);
	else if (argc - optind > TG_DOCTOR_MAX_PORTS || (argc - optind) % 2 != 0)
		rc = tg_cmd_usage(env, "ports are named in pairs, up to %d of them",
				  TG_DOCTOR_MAX_PORTS / 2);
	else
		rc = TG_EXIT_OK;
	for (; rc == TG_EXIT_OK && optind < argc; optind++)
		d->port[d->n_ports++] = argv[optind];
	if (rc == TG_EXIT_OK) {
		tg_doctor_run(d);
		rc = print_report(env, d);
	}
	free(d);
	return rc;
}
