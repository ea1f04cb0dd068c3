#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# needs: nothing
# Calls in fragments, as tshark puts them together and as `tgctl replay` does.
set -u
command -v tshark >/dev/null || { echo "tshark is not installed"; exit 77; }
/usr/bin/python3 -c 'import scapy.all' 2>/dev/null || { echo "python3-scapy is not installed"; exit 77; }
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
/usr/bin/python3 "$(dirname "$0")/fragment_oracle.py" "${TG_BUILD:-build}/tgctl" "$tmp"
