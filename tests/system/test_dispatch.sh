#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# needs: root
# L3-11, SCTP-6: associations of two paths, each of which comes in by another queue, through two workers. One
# worker forwards all of an association's direction, each path in order, every frame once and as it was; what is
# not SCTP stays in its queue. Then the same frames over and over, until the end: what was received is forwarded.
#
#	in0a, in0b -> [ port 0 | tollgate-dp, 2 workers | port 1 ] -> out1a, out1b      and back
set -u
. "$(dirname "$0")/lib.sh"

DIR=$LAB_BUILD/tests/dispatch
FRAMES=$LAB_TOP/tests/system/dispatch_frames.py
LAB_PREFIX=tgdisp$$
trap lab_close EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

[ "$(id -u)" -eq 0 ] || skip "needs root"
[ "$(nproc)" -gt 1 ] || skip "needs two cores"
/usr/bin/python3 -c 'import scapy.all' 2>/dev/null || skip "python3-scapy is not installed"
command -v jq >/dev/null || skip "jq is not installed"
rm -rf "$DIR"
mkdir -p "$DIR"
cd "$DIR" || exit 1
LAB_DIR=$DIR

ask() { /usr/bin/python3 "$LAB_TOP/tests/system/telemetry.py" "/var/run/dpdk/$LAB_PREFIX" "$1"; }
counted() { [ "$(ask /tollgate/reasons | jq add)" -ge "$1" ]; }
port() { echo "net_pcap$1,rx_pcap=in$1a.pcap,rx_pcap=in$1b.pcap,tx_pcap=out$1a.pcap,tx_pcap=out$1b.pcap$2"; }
# run [MORE ARGUMENTS OF THE DEVICES]
run() {
	background dp "$LAB_BUILD/tollgate-dp" --no-huge -m 512 --no-pci --file-prefix "$LAB_PREFIX" -l 0,1 \
		--vdev "$(port 0 "${1:-}")" --vdev "$(port 1 "${1:-}")" -- --control "$DIR/dp.sock"
	DP_PID=$LAST_PID
}
stop() {
	kill -INT "$DP_PID"
	wait_for 20 eval "! kill -0 $DP_PID 2>/dev/null || [ \$(ps -o stat= -p $DP_PID) = Z ]" || die "does not stop"
	wait "$DP_PID"
	check "exit code" $? 0
}

total=$("$FRAMES" make .) || die "frames cannot be made"
run
wait_for 60 counted "$total" || die "not all frames were received: $(ask /tollgate/stats) $(tail -n 20 dp.log)"
check "every frame is judged once" "$(ask /tollgate/reasons | jq add)" "$total"
stats=$(ask /tollgate/stats)
check "frames received" "$(jq .rx_packets <<<"$stats")" "$total"
check "frames for which there was no room" "$(jq .dispatch_full <<<"$stats")" 0
dispatched=$(jq .frames_dispatched <<<"$stats")
stop
here=$("$FRAMES" check .) || die "see $DIR"
# 80 directions of associations, with 10 packets by each queue
[ "$here" -gt 20 ] && [ "$here" -lt 60 ] || die "one worker has $here of 80"
check "frames handed on" "$dispatched" 800

for i in 1 2 3; do
	run ,infinite_rx=1
	wait_for 60 counted 20000 || die "no frames: $(tail -n 20 dp.log)"
	stop
	"$FRAMES" ended . || die "see $DIR"
done
say "passed"
