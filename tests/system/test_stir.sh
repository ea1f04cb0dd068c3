#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# needs: root
# SIP-39: calls with PASSporTs through tollgate-dp --stir, signed by openssl. All of them pass, at once and
# byte for byte, as unverified; what their signatures are worth is counted afterwards.
set -u
. "$(dirname "$0")/lib.sh"

DIR=$LAB_BUILD/tests/stir
DP=$LAB_BUILD/tollgate-dp
LAB_PREFIX=tgstir$$
trap lab_close EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

[ "$(id -u)" -eq 0 ] || skip "needs root"
[ -x "$DP" ] && [ -x "$LAB_BUILD/tests/make_images" ] || skip "tollgate-dp or make_images is not built"
/usr/bin/python3 -c 'import scapy.all' 2>/dev/null || skip "python3-scapy is not installed"
for tool in jq openssl dpdk-telemetry.py; do
	command -v $tool >/dev/null || skip "$tool is not installed"
done
rm -rf "$DIR"
mkdir -p "$DIR"
cd "$DIR" || exit 1
LAB_DIR=$DIR

ask() { /usr/bin/python3 "$LAB_TOP/tests/system/telemetry.py" "/var/run/dpdk/$LAB_PREFIX" "$1"; }
verified() { [ "$(ask /tollgate/passports | jq '[.[]] | add')" -ge 4 ]; }
recorded() { [ "$(wc -l <events.jsonl)" -ge 5 ]; }

cat >feed.csv <<-CSV
	kind,number,role,category,score,expires,ref
CSV
cat >policy.yaml <<-'YAML'
	version: 1
	trunks: [ { name: outside, port: 0, mode: enforce } ]
	answers: [ { name: bad, code: 438, phrase: Invalid Identity Header } ]
	rules:
	  - { name: forged, when: { verification: [bad_signature] }, action: reject, answer: bad }
YAML
/usr/bin/python3 "$LAB_TOP/tests/system/stir_frames.py" certificates in0.pcap || die "stir_frames.py"
/usr/bin/python3 -c 'from scapy.all import *; wrpcap("in1.pcap", [Ether(type=0x88b5) / Raw(bytes(46))])' 2>/dev/null
"$LAB_BUILD/tests/make_images" images 1 feed.csv policy.yaml >/dev/null || die "make_images"

"$DP" --no-huge -m 512 --no-pci --file-prefix "${LAB_PREFIX}x" --vdev net_null0,no-rx=1 --vdev net_null1,no-rx=1 \
	-- --stir "$DIR/nowhere" --control "$DIR/dp.sock" >nowhere.log 2>&1
check "no folder: exit code" $? 1
grep -q "nowhere/trust" nowhere.log || die "no folder: its name is not said"
rm -rf "/var/run/dpdk/${LAB_PREFIX}x"

background dp "$DP" --no-huge -m 512 --no-pci --file-prefix "$LAB_PREFIX" \
	--vdev net_pcap0,rx_pcap=in0.pcap,tx_pcap=back.pcap --vdev net_pcap1,rx_pcap=in1.pcap,tx_pcap=out1.pcap \
	-- --images images --events events.jsonl --events-all --stir certificates --control "$DIR/dp.sock"
PID=$LAST_PID
wait_for 30 verified || {
	tail -n 20 dp.log
	die "no results: $(ask /tollgate/passports)"
}
wait_for 10 recorded || die "events: $(wc -l <events.jsonl)"
for state in valid bad_signature no_certificate stale; do
	check "$state" "$(ask /tollgate/passports | jq .$state)" 1
done
check "calls recorded as unverified" "$(jq -r 'select(.passports.verification == "unverified").verdict' events.jsonl | sort | uniq -c | xargs)" "4 pass"
check "attested" "$(jq -r 'select(.passports.attestation == "A").passports.count' events.jsonl | sort | uniq -c | xargs)" "4 1"
check "without Identity" "$(jq -r 'select(.passports == null).verdict' events.jsonl)" pass
kill -INT "$PID"
wait_for 20 eval "! kill -0 $PID 2>/dev/null || [ \$(ps -o stat= -p $PID) = Z ]" || die "does not stop"
wait "$PID"
check "exit code" $? 0
check "as it came" "$(/usr/bin/python3 - <<-'PY'
	from scapy.all import rdpcap
	print(sum(bytes(a) == bytes(b) for a, b in zip(rdpcap("in0.pcap"), rdpcap("out1.pcap"))))
PY
)" 5
say "ok"
