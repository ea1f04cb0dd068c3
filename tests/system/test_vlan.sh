#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# needs: root
# L2-1: calls in 802.1Q and in QinQ. A shim puts the tags on (this kind of machine may have no VLAN
# devices); answers must come back with the same stack and priority, or the shim loses them.
#
#	c0 -- x0 [shim] y0 -- p0 tollgate-dp p1 -- y1 [shim] x1 -- s0
set -u
. "$(dirname "$0")/lib.sh"

one_stack() {
	local tags=$1
	ip -n "$NS_C" link del c0 2>/dev/null
	ip -n "$NS_S" link del s0 2>/dev/null
	lab_link "$NS_C" c0 "$NS_D" x0
	lab_link "$NS_D" y0 "$NS_D" p0
	lab_link "$NS_D" y1 "$NS_D" p1
	lab_link "$NS_S" s0 "$NS_D" x1
	lab_address "$NS_C" c0 $CALLER4 $CALLER6
	lab_address "$NS_S" s0 $CALLEE4 $CALLEE6
	background shim0 in_ns "$NS_D" "$LAB_BUILD/tests/shim" --vlan "$tags" x0 y0
	shim0=$LAST_PID
	background shim1 in_ns "$NS_D" "$LAB_BUILD/tests/shim" --vlan "$tags" x1 y1
	lab_run_up "$LAB_DIR/callers" "$LAB_DIR/listed"
	uac 100 100 "$LAB_DIR/inf" || die "sipp: exit $?, see $LAB_DIR/uac.log"
	expect_calls 100 "$LAB_DIR/listed"
	check "retransmissions" "$(stat_of "$LAB_DIR/uac.stat" 'Retransmissions(C)')" 0
	wait_for 20 test -s "$EVENTS" # written by a thread of its own
	check "outer VLAN in events" "$(jq -r .vlan "$EVENTS" | sort -u)" "${tags%%,*}"
	kill "$shim0"
	wait_for 20 eval "! kill -0 $shim0"
	check "frames with other tags" "$(sed -n 's/.*wrong_tags //p' "$LAB_DIR/shim0.log")" 0
}

for tags in 100 200,300; do
	(
		say "---- tags $tags"
		LAB_KEEP=$LAB_BUILD/tests/vlan-$tags
		lab_open vlan
		numbers 1202555 100 0 >"$LAB_DIR/callers"
		awk 'NR % 10 == 3' "$LAB_DIR/callers" >"$LAB_DIR/listed"
		one_stack "$tags"
	) || exit $?
done
