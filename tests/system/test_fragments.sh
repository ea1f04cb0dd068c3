#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# needs: root
# L3-2, SIP-37: calls with an Identity header, longer than the link takes in one frame, IPv4 then IPv6.
# Clean ones reach the far end in the very frames that the caller sent, listed ones get 603 and none of
# their frames arrives. The ACKs are as long.
set -u
. "$(dirname "$0")/lib.sh"
command -v dumpcap >/dev/null || skip "dumpcap (tshark) is not installed"
/usr/bin/python3 -c 'import scapy.all' 2>/dev/null || skip "python3-scapy is not installed"
lab_open fragments

numbers 1202555 100 0 >"$LAB_DIR/callers"
awk 'NR % 5 == 3' "$LAB_DIR/callers" >"$LAB_DIR/listed"
mkdir "$LAB_DIR/sipp"
identity=$(printf 'Identity: %02700d;info=<https:\/\/cert.example.org\/c.pem>;alg=ES256;ppt=shaken' 7)
sed "s/^\( *\)Max-Forwards: 70\$/&\n\1$identity/" "$LAB_SIPP/uac.xml" >"$LAB_DIR/sipp/uac.xml"
grep -q Identity: "$LAB_DIR/sipp/uac.xml" || die "no Identity in the scenario"
cp "$LAB_SIPP/uas.xml" "$LAB_DIR/sipp/"
LAB_SIPP=$LAB_DIR/sipp
lab_run_up "$LAB_DIR/callers" "$LAB_DIR/listed"

# captured NAME NAMESPACE INTERFACE: everything that passes there
captured() {
	background "$1" in_ns "$2" dumpcap -q -P -B 16 -i "$3" -w "$LAB_DIR/$1.pcap"
	wait_for 20 test -s "$LAB_DIR/$1.pcap" || die "dumpcap: $(cat "$LAB_DIR/$1.log")"
	CAPTURES+=("$LAST_PID")
}

for family in 4 6; do
	say "---- IPv$family"
	fragments=$(reason fragment) absorbed=$(reason ack_absorbed) fraud=$(reason fraud)
	[ $family = 6 ] && {
		kill "$UAS_PID"
		wait_for 20 eval "! kill -0 $UAS_PID"
		rm -f "$LAB_DIR"/ua[cs].*
		FAMILY=6 uas_start
	}
	CAPTURES=()
	captured sent$family "$NS_C" c0
	captured arrived$family "$NS_S" s0
	FAMILY=$family uac 100 100 "$LAB_DIR/inf" || die "sipp: exit $?, see $LAB_DIR/uac.log"
	expect_calls 100 "$LAB_DIR/listed"
	check "retransmissions" "$(stat_of "$LAB_DIR/uac.stat" 'Retransmissions(C)')" 0
	wait_for 20 eval "[ \$(reason ack_absorbed) = $((absorbed + 20)) ]"
	# three frames each: 100 INVITEs and their ACKs, 80 BYEs
	check "frames of a datagram besides the one that counts" "$(($(reason fragment) - fragments))" 560
	check "ACKs absorbed" "$(($(reason ack_absorbed) - absorbed))" 20
	check "verdicts by reason fraud" "$(($(reason fraud) - fraud))" 20
	for p in "${CAPTURES[@]}"; do
		kill -INT "$p"
		wait_for 20 eval "! kill -0 $p"
	done
	/usr/bin/python3 "$LAB_TOP/tests/system/same_fragments.py" "$LAB_DIR/sent$family.pcap" \
		"$LAB_DIR/arrived$family.pcap" "$LAB_DIR/listed" || die "other frames arrived than were sent"
done
check "fragments that waited in vain" "$(reason fragments_unassembled)" 0
check "fragments without room" "$(reason fragment_limit)" 0
