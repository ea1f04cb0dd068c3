#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# needs: root
# OP-2, OP-14. Planned stops and restarts under numbered signalling both ways: not a packet is lost or comes twice; a
# hand-over moves at most a packet of the flow behind its successor. After kill -9 and each of five SIGSTOPs
# beyond T1 the loss is what was in the sockets, and what comes after is in order, wherever in its round
# the worker was stopped; but for what it was sending in that instant.
set -u
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/xdp.sh"
lab_open xdporder
xdp_open
xdp_attach
rounds=${ROUNDS:-5} rate=1000
mkdir -p "$STATE/images"
dp_again
wait_filtering

# A stop takes 1 to 2 seconds on a loaded machine, and so does a start.
flow_start out "$NS_C" $CALLER4 "$NS_S" $CALLEE4 5060 $rate 3600
flow_start in "$NS_S" $CALLEE4 "$NS_C" $CALLER4 5060 $rate 3600
for i in $(seq "$rounds"); do
	kill -TERM "$DP_PID"
	wait "$DP_PID" || die "round $i: the planned stop ended with $?"
	dp_again
	wait_filtering
done
end_flows() {
	kill "$FLOW_SEND_out" "$FLOW_SEND_in"
	flow_end out
	flow_end in
}
end_flows
for f in out in; do
	check "lost of $(flow $f sent), flow $f, $rounds planned stops and restarts" "$(($(flow $f sent) - $(flow $f received)))" 0
	check "twice" "$(flow $f duplicates)" 0
	say "ok: behind its successor: $(flow $f reordered)"
	[ "$(flow $f reordered)" -le "$rounds" ] || die "more than one packet a hand-over came out of order: $(flow $f reordered)"
done

stops=5
say "---- kill -9, restart, $stops times SIGSTOP beyond T1"
rm -f "$LAB_DIR"/flow-*.log
flow_start out "$NS_C" $CALLER4 "$NS_S" $CALLEE4 5060 $rate 3600
flow_start in "$NS_S" $CALLEE4 "$NS_C" $CALLER4 5060 $rate 3600
wait_for 5 eval "[ \$(outcome steered) -gt 1000 ]"
dp_kill
dp_again
wait_filtering
for i in $(seq "$stops"); do
	kill -STOP "$DP_PID"
	sleep 0.7
	kill -CONT "$DP_PID"
	wait_filtering
done
stale=$(reason stale)
end_flows
lost=0
for f in out in; do
	check "twice, flow $f" "$(flow $f duplicates)" 0
	# A packet between the last look at the clock and the end of its system call: usually none.
	say "ok: behind their successors, flow $f: $(flow $f reordered)"
	[ "$(flow $f reordered)" -le "$stops" ] || die "what was overtaken was sent: $(flow $f reordered) packets"
	lost=$((lost + $(flow $f sent) - $(flow $f received)))
done
# In flight at SIGSTOP: until the limit (100 ms) has passed. At kill -9: until the kernel has taken the
# dead sockets out of the map or the limit has passed, whichever comes first.
say "ok: lost $lost: $stale of them while it stood still, $((lost - stale)) when it was killed"
[ "$stale" -gt 0 ] || die "nothing was in flight: this shows nothing"
[ "$lost" -le $((2 * (stops + 1) * rate * 3 / 20)) ] || die "more was lost than arrives within the limit"
