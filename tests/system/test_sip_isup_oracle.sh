#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# needs: nothing
#
# SIP-I: what tgctl replay reads of ISUP in bodies, against tshark, for 400 random calls. tshark reads a body, or a
# part of a multipart; each call comes a second time in a form that it does not read (base64, nested, bare LF).
set -u -o pipefail
cd "$(dirname "$0")/../.." || exit 1
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
command -v tshark >/dev/null || { echo "tshark is not installed"; exit 77; }

tests/system/sip_isup_oracle.py make "$tmp/calls.pcap" || exit 1
tshark -r "$tmp/calls.pcap" -T fields -E occurrence=f -e isup.called -e isup.calling -e isup.original_called_number \
	-e isup.redirecting -e isup.location_number -e isup.generic_number >"$tmp/tshark" 2>"$tmp/errors" ||
	{ cat "$tmp/errors"; exit 1; }
"${TG_BUILD:-build}/tgctl" replay --feed control/samples/feed.csv --json --no-checksum "$tmp/calls.pcap" >"$tmp/replay" \
	2>"$tmp/errors" || { cat "$tmp/errors"; exit 1; }
tests/system/sip_isup_oracle.py compare "$tmp/tshark" "$tmp/replay"
