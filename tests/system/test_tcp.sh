#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# needs: root
# SIP over TCP through the dataplane, all calls in one connection and then each in its own: listed
# callers end with 603 at the caller, because the next hop saw Max-Forwards 0; all others are answered.
# No connection is reset, and nothing is sent again because of us.
set -u
. "$(dirname "$0")/lib.sh"
lab_open "tcp"

calls=200
numbers 1202555 $calls 0 >"$LAB_DIR/callers"
awk 'NR % 10 == 3' "$LAB_DIR/callers" >"$LAB_DIR/listed"
uas_start() { :; } # lab_run_up's is UDP
lab_run_up "$LAB_DIR/callers" "$LAB_DIR/listed"

# tcp_counter NS NAME: of the kernel's counters of the namespace
tcp_counter() { ip netns exec "$1" nstat -asz "$2" 2>/dev/null | awk -v n="$2" '$1 == n { print $2 }'; }
resets() { echo $(($(tcp_counter "$NS_C" TcpEstabResets) + $(tcp_counter "$NS_S" TcpEstabResets))); }
bad_segments() { echo $(($(tcp_counter "$NS_C" TcpInErrs) + $(tcp_counter "$NS_S" TcpInErrs))); }
listening() { ip netns exec "$NS_S" sh -c 'ss -tln | grep -q :5060'; }

for mode in t1 tn; do
	say "---- sipp -t $mode"
	rm -f "$LAB_DIR"/ua[cs].*
	fraud=$(reason fraud) edited=$(reason answer_edited) before=$(resets)
	background uas in_ns "$NS_S" sipp -sf "$LAB_SIPP/uas_tcp.xml" -t $mode -max_socket 2000 -i "$CALLEE4" -p 5060 \
		-nostdin -trace_logs -log_file "$LAB_DIR/uas.calls" -trace_err -error_file "$LAB_DIR/uas.errors"
	uas=$LAST_PID
	wait_for 20 listening || die "the far end did not start"
	uac $calls 100 "$LAB_DIR/inf" -t $mode -max_socket 2000 || die "sipp: exit $?, see $LAB_DIR/uac.log"
	expect_calls $calls "$LAB_DIR/listed"
	check "INVITEs whose hops were spent" "$(grep -c '^spent' "$LAB_DIR/uas.calls")" $((calls / 10))
	check "verdicts by reason fraud" "$(($(reason fraud) - fraud))" $((calls / 10))
	check "answers edited" "$(($(reason answer_edited) - edited))" $((calls / 10))
	check "connections reset while they lived" "$(($(resets) - before))" 0
	check "segments that a peer refused" "$(bad_segments)" 0
	say "segments sent again: $(tcp_counter "$NS_C" TcpRetransSegs) and $(tcp_counter "$NS_S" TcpRetransSegs)"
	kill "$uas"
	wait_for 20 eval "! kill -0 $uas"
done
for name in tcp_too_late tcp_unsynced tcp_full tcp_overlap bad_checksum; do
	check "frames counted as $name" "$(reason $name)" 0
done
check "events of enforced rejections" \
	"$(jq -c 'select(.verdict == "reject" and .mode == "enforce" and .fate == "edit")' "$EVENTS" | wc -l)" $((calls / 5))
