#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# needs: captures
# `tgctl replay` over every capture, with and without checksums, against what tshark read in it.
set -u
exec /usr/bin/python3 "$(dirname "$0")/replay_captures.py" "${TG_BUILD:-build}/tgctl" ../shared/captures
