/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The last good images on disk, which tollgated keeps so that a restarted dataplane filters without
 * it. DIR/current is replaced by rename and says:
 *
 *	generation 42
 *	base base-0123456789abcdef
 *	delta delta-0123456789abcdef     (if there is one)
 *	policy policy-0123456789abcdef
 *
 * File names are relative to DIR.
 */
#ifndef TG_RUN_LASTGOOD_H
#define TG_RUN_LASTGOOD_H

#include "dataplane/run/config.h"
#include "dataplane/run/swap.h"

/* 0 with *held, or negative errno with *why that names the file and, in it, the line or the section. */
int tg_lastgood_load(const char *dir, struct tg_held **held, struct tg_why *why);

#endif
