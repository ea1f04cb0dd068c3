#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# needs: root
# Media never reaches user space: RTP-like flows both ways while calls run. Every media packet arrives,
# in order; the dataplane has received the signalling and nothing else, counted on both sides.
set -u
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/xdp.sh"
lab_open xdpmedia
xdp_open
# The limit is not what this is about, and a loaded machine keeps a worker from its core for long.
xdp_attach --limit 10000

numbers 1202555 400 0 >"$LAB_DIR/callers"
awk 'NR % 10 == 3' "$LAB_DIR/callers" >"$LAB_DIR/listed"
calls_file "$LAB_DIR/inf" "$LAB_DIR/callers" +6591234567
feed_of "$LAB_DIR/listed" fraud 95 >"$LAB_DIR/feed.csv"
lab_policy
daemon_start --policy "$LAB_DIR/policy.yaml"
dp_again
wait_for 10 daemon_connected || die "the daemon does not find the dataplane"
ctl feed import "$LAB_DIR/feed.csv" --source lab >"$LAB_DIR/import.out" || die "import: $(cat "$LAB_DIR/import.out")"
uas_start
wait_filtering

flow_start out "$NS_C" $CALLER4 "$NS_S" $CALLEE4 40000 5000 3
flow_start in "$NS_S" $CALLEE4 "$NS_C" $CALLER4 40002 5000 3
uac 400 200 "$LAB_DIR/inf" || die "sipp: exit $?, see $LAB_DIR/uac.log"
flow_end out
flow_end in

expect_calls 400 "$LAB_DIR/listed"
for f in out in; do
	check "media packets that arrived ($f)" "$(flow $f received)" "$(flow $f sent)"
	check "out of order ($f)" "$(flow $f reordered)" 0
	check "twice ($f)" "$(flow $f duplicates)" 0
done
media=$(($(flow out sent) + $(flow in sent)))
[ "$(outcome forwarded)" -ge "$media" ] || die "the kernel forwarded $(outcome forwarded), media were $media"
wait_for 5 eval "[ \$(telemetry /tollgate/stats | jq .rx_packets) = \$(outcome steered) ]"
check "frames in user space" "$(telemetry /tollgate/stats | jq .rx_packets)" "$(outcome steered)"
check "of them no signalling" "$(telemetry /tollgate/reasons | jq '.not_sip + .not_ip + .icmp + .other_transport')" 0
say "ok: $media media packets in the kernel, $(outcome steered) of signalling to the dataplane"
