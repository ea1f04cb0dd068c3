#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# needs: root
# Fail-closed: while tollgate-dp is gone no signalling passes, media does. What the callers send again
# after its return is judged: no call passed unfiltered, none is lost.
set -u
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/xdp.sh"
lab_open xdpclosed
xdp_open
xdp_attach --fail closed

numbers 1202555 60 0 >"$LAB_DIR/callers"
awk 'NR % 10 == 3' "$LAB_DIR/callers" >"$LAB_DIR/listed"
calls_file "$LAB_DIR/inf" "$LAB_DIR/callers" +6591234567
feed_of "$LAB_DIR/listed" fraud 95 >"$LAB_DIR/feed.csv"
lab_policy
daemon_start --policy "$LAB_DIR/policy.yaml"
dp_again
wait_for 10 daemon_connected || die "the daemon does not find the dataplane"
ctl feed import "$LAB_DIR/feed.csv" --source lab >"$LAB_DIR/import.out" || die "import: $(cat "$LAB_DIR/import.out")"
wait_for 10 test -s "$STATE/images/current" || die "no images on disk"
uas_start
wait_filtering
dp_kill

flow_start media "$NS_C" $CALLER4 "$NS_S" $CALLEE4 40000 1000 1
UAC_TIMEOUT=60 uac 60 120 "$LAB_DIR/inf" &
uac=$!
LAB_PIDS+=("$uac")
wait_for 10 eval "[ \$(outcome $CLOSED) -ge 60 ]" || die "signalling is not dropped: $(xdp status)"
flow_end media
check "media packets that arrived meanwhile" "$(flow media received)" "$(flow media sent)"
check "INVITEs the far end saw meanwhile" "$(grep -c '^offered' "$LAB_DIR/uas.calls" 2>/dev/null || true)" 0
check "signalling bypassed" "$(outcome $BYPASSED)" 0
dp_again
wait "$uac" || die "sipp: exit $?, see $LAB_DIR/uac.log"
expect_calls 60 "$LAB_DIR/listed"
check "signalling bypassed" "$(outcome $BYPASSED)" 0
