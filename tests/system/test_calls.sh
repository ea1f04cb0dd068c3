#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# needs: root
# Real calls through the dataplane, IPv4 then IPv6: listed callers get 603 and their ACK is absorbed,
# all others reach the far end; nothing is retransmitted, everything is counted.
set -u
. "$(dirname "$0")/lib.sh"
family=${1:-4}
lab_open "calls"

numbers 1202555 300 0 >"$LAB_DIR/callers"
awk 'NR % 10 == 3' "$LAB_DIR/callers" >"$LAB_DIR/listed"
lab_run_up "$LAB_DIR/callers" "$LAB_DIR/listed"

for family in 4 6; do
	absorbed=$(reason ack_absorbed) fraud=$(reason fraud)
	[ $family = 6 ] && {
		kill "$UAS_PID"
		wait_for 20 eval "! kill -0 $UAS_PID"
		rm -f "$LAB_DIR"/ua[cs].*
		FAMILY=6 uas_start
	}
	FAMILY=$family uac 300 200 "$LAB_DIR/inf" || die "sipp: exit $?, see $LAB_DIR/uac.log"
	say "---- IPv$family"
	expect_calls 300 "$LAB_DIR/listed"
	check "retransmissions" "$(stat_of "$LAB_DIR/uac.stat" 'Retransmissions(C)')" 0
	wait_for 20 eval "[ \$(reason ack_absorbed) = $((absorbed + 30)) ]"
	check "ACKs absorbed" "$(($(reason ack_absorbed) - absorbed))" 30
	check "verdicts by reason fraud" "$(($(reason fraud) - fraud))" 30
done

enforced() { jq -c 'select(.verdict == "reject" and .mode == "enforce")' "$EVENTS" | wc -l; }
wait_for 20 eval '[ "$(enforced)" -ge 60 ]' # written by a thread of their own
check "events of enforced rejections" "$(enforced)" 60
for what in stats reasons actions trunks latency generation; do telemetry /tollgate/$what; done >"$LAB_DIR/telemetry"
check "OP-5 numbers in telemetry" "$(grep -cE '1202555[0-9]|6591234567' "$LAB_DIR/telemetry")" 0
check "OP-6 numbers shown whole in events" "$(grep -cE '\+1202555[0-9]{6}' "$EVENTS")" 0
