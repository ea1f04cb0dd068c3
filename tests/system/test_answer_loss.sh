#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# needs: root
# P4, SIP-27: the first answers to listed callers are lost on the way; sipp sends its INVITE again and
# gets the same answer (same To-tag), and the ACK to it is absorbed. Clean calls are not touched.
set -u
. "$(dirname "$0")/lib.sh"
lab_open loss

ip -n "$NS_C" link del c0
lab_link "$NS_C" c0 "$NS_D" x0
lab_link "$NS_D" y0 "$NS_D" p0
lab_address "$NS_C" c0 $CALLER4 $CALLER6
background shim in_ns "$NS_D" "$LAB_BUILD/tests/shim" --lose-answers 15 x0 y0
shim=$LAST_PID
numbers 1202555 200 0 >"$LAB_DIR/callers"
awk 'NR % 10 == 3' "$LAB_DIR/callers" >"$LAB_DIR/listed"
lab_run_up "$LAB_DIR/callers" "$LAB_DIR/listed"
uac 200 200 "$LAB_DIR/inf" -trace_msg -message_file "$LAB_DIR/uac.messages" || die "sipp: exit $?"
expect_calls 200 "$LAB_DIR/listed"
check "INVITEs sent again" "$(stat_of "$LAB_DIR/uac.stat" 'Retransmissions(C)')" 15
check "verdicts from memory" "$(telemetry /tollgate/stats | jq .verdicts_repeated)" 15
wait_for 20 eval "[ \$(reason ack_absorbed) = 20 ]"
check "ACKs absorbed" "$(reason ack_absorbed)" 20
kill "$shim"
wait_for 20 eval "! kill -0 $shim"
check "answers lost on the way" "$(sed -n 's/.* lost \([0-9]*\).*/\1/p' "$LAB_DIR/shim.log")" 15
