/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * `tgctl replay`: a capture file through the very pipeline that live traffic goes through, with a
 * table built from one feed. Needs neither root nor huge pages nor a daemon.
 */
#ifndef TG_CONTROL_REPLAY_H
#define TG_CONTROL_REPLAY_H

/*
 * argv[0] is the subcommand's name. Lines on standard output, counts and errors on standard error.
 * Returns the exit code (architecture §11): 0 the capture was read to its end, 2 usage, 3 feed or
 * policy, 4 capture; 1 when the output could not be written or memory ran out.
 */
int tg_replay_main(int argc, char **argv);

#endif
