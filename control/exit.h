/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Exit codes of tgctl, and the same numbers in the daemon's error replies ("exit"). Documented in
 * control/README.md and `tgctl --help`; scripts rely on them.
 */
#ifndef TG_CONTROL_EXIT_H
#define TG_CONTROL_EXIT_H

enum tg_exit {
	TG_EXIT_OK = 0,
	TG_EXIT_USAGE = 2,
	TG_EXIT_INPUT = 3,	 /* a feed, policy or record is refused */
	TG_EXIT_FILE = 4,	 /* a file cannot be read */
	TG_EXIT_UNREACHABLE = 5, /* no daemon */
	TG_EXIT_REFUSED = 6,	 /* the daemon refuses: not found, needs --force, ... */
	TG_EXIT_PENDING = 7,	 /* durable, but not in force yet: no dataplane, or pinned */
	TG_EXIT_UNFIT = 8,	 /* doctor: something here does not work */
};

#endif
