#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# needs: root
# TB-4, OP-3: the daemon is killed and started again while calls run: verdicts stay. Then the
# dataplane is started with no daemon at all: it filters from the last good images on disk; and with
# a damaged image it passes everything and says why.
set -u
. "$(dirname "$0")/lib.sh"
lab_open gone

numbers 1202555 1000 0 >"$LAB_DIR/callers"
awk 'NR % 10 == 3' "$LAB_DIR/callers" >"$LAB_DIR/listed"
lab_run_up "$LAB_DIR/callers" "$LAB_DIR/listed"
uac 1000 250 "$LAB_DIR/inf" &
uac=$!
sleep 1
kill -KILL "$DAEMON_PID"
wait "$DAEMON_PID" 2>/dev/null
sleep 1
daemon_start --policy "$LAB_DIR/policy.yaml"
wait "$uac" || die "sipp: exit $?, see $LAB_DIR/uac.log"
expect_calls 1000 "$LAB_DIR/listed"
check "retransmissions" "$(stat_of "$LAB_DIR/uac.stat" 'Retransmissions(C)')" 0
wait_for 30 eval "ctl status --json | jq -e '.dataplane.connected'" || die "the daemon did not find the dataplane again"

again() { # NAME: a fresh dataplane and the same calls
	kill "$DP_PID"
	wait_for 30 eval "! kill -0 $DP_PID" || die "tollgate-dp did not stop"
	kill "$UAS_PID"
	wait_for 30 eval "! kill -0 $UAS_PID"
	rm -f "$LAB_DIR"/ua[cs].* "$DP_SOCKET"
	dp_start
	uas_start
	uac 1000 500 "$LAB_DIR/inf" || die "sipp: exit $?, see $LAB_DIR/uac.log"
}

say "---- OP-3: dataplane alone; how old its table is can be asked for"
kill "$DAEMON_PID"
wait_for 30 eval "! kill -0 $DAEMON_PID" || die "tollgated did not stop"
again
expect_calls 1000 "$LAB_DIR/listed"
age=$(($(date +%s) - $(telemetry /tollgate/generation | jq .base_created)))
[ $age -ge 0 ] && [ $age -le 300 ] || die "the table is $age s old"
say "ok: the table is $age s old"

say "---- dataplane alone, image damaged"
base=$(sed -n 's/^base //p' "$STATE/images/current")
printf '\377' | dd of="$STATE/images/$base" bs=1 seek=200 conv=notrunc 2>/dev/null
again
: >"$LAB_DIR/nobody"
expect_calls 1000 "$LAB_DIR/nobody"
grep -q "$base" "$LAB_DIR/dp.log" || die "the log does not say which image is damaged"
say "ok: $(grep "$base" "$LAB_DIR/dp.log" | tail -n 1)"
