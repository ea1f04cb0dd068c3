/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/cmd.h"

int main(int argc, char **argv)
{
	return tg_cmd_main(argc, argv);
}
