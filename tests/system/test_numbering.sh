#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# needs: nothing
#
# tg_numbering_find against libphonenumber, over a million numbers of every country and type.
set -u
tools=${TG_BUILD:-build}/tests
"$tools/numbering_oracle" 1000000 || exit 1
# The comparison must be able to fail: another seed is another million's beginning.
[ "$("$tools/numbering_oracle" 3000 2)" != "$("$tools/numbering_oracle" 3000 3)" ] || {
	echo "FAILED: the seed does not matter"
	exit 1
}
