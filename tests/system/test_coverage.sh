#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# needs: root
# P2, P8: how much of a running system's calls was inspected, in `tgctl status` and `tgctl metrics`; what could not
# be read or done passes, and with `exceptions` in the policy it does not, but for emergency calls.
set -u
. "$(dirname "$0")/lib.sh"
lab_open "coverage"

numbers 1202555 50 0 >"$LAB_DIR/callers"
awk 'NR % 10 == 3' "$LAB_DIR/callers" >"$LAB_DIR/listed"
lab_run_up "$LAB_DIR/callers" "$LAB_DIR/listed"
uac 50 100 "$LAB_DIR/inf" || die "sipp: exit $?, see $LAB_DIR/uac.log"
expect_calls 50 "$LAB_DIR/listed"

metric() { ctl metrics | awk -v m="tollgate_$1" '$1 == m { print $2 }'; }
frames() { metric "uninspected_total{reason=\"$1\"}"; }
exception() { metric "exception_policy_total{condition=\"$1\",policy=\"$2\"}"; }
pieces() { ip netns exec "$NS_S" nstat -asz IpReasmReqds | awk '$1 == "IpReasmReqds" { print $2 }'; }
seen=1 # lines of it
arrived() { tail -n "+$((seen + 1))" "$LAB_DIR/arrived" | sort | uniq -c | awk '{ printf "%s%s %d", s, $2, $1; s = ", " }'; }
faults() { # ID: no datagram's of before
	ip netns exec "$NS_C" python3 "$LAB_TOP/tests/system/fault_frames.py" send "$CALLER4" "$CALLEE4" 5066 "$(head -n 1 "$LAB_DIR/listed")" "$1" ||
		die "fault_frames.py"
}
take() {
	background take in_ns "$NS_S" python3 "$LAB_TOP/tests/system/fault_frames.py" take "$CALLEE4" 5066 "$LAB_DIR/arrived"
	wait_for 20 grep -q ready "$LAB_DIR/arrived" || die "no receiver"
}
# What waits is given up after 200 ms; all that passes has then arrived.
settled() { [ "$(frames fragments_unassembled)" = "$1" ]; }
expect_conditions() { # POLICY MALFORMED: each as often as it was provoked
	check "sip_malformed $1" "$(exception sip_malformed "$1")" "$2"
	check "sip_oversize $1" "$(exception sip_oversize "$1")" 1
	check "answer_impossible $1" "$(exception answer_impossible "$1")" 1
	check "fragment_overlap $1" "$(exception fragment_overlap "$1")" 2
	check "fragments_unassembled $1" "$(exception fragments_unassembled "$1")" 1
}

check "call attempts" "$(metric call_attempts_total)" 50
check "share inspected" "$(ctl status --json | jq .dataplane.stats.coverage.inspected_share_at_least)" 1
take
faults 1000
wait_for 20 settled 1 || die "fragments are not given up: $(ctl metrics)"
say "---- every fault passes"
check "datagrams that arrived" "$(arrived)" "dtls 2, emergency 1, malformed 3, oversize 1, unanswerable 1"
check "fragments that arrived" "$(pieces)" 15
expect_conditions pass 4
check "dropped" "$(ctl metrics | grep 'policy="drop"' | grep -vc ' 0$')" 0
check "call attempts" "$(metric call_attempts_total)" 51
for row in tls:2 sip_malformed:4 sip_oversize:1 fragment_overlap:2 fragments_unassembled:1 tcp_unsynced:0; do
	check "uninspected as ${row%:*}" "$(frames "${row%:*}")" "${row#*:}"
done
# 51 of 51 and 10
check "share inspected" "$(ctl status --json | jq '.dataplane.stats.coverage.inspected_share_at_least * 1000 | floor')" 836
ctl status >"$LAB_DIR/status"
grep -qF "at least 83.6 % of call attempts inspected: 51 judged; 10 frames" "$LAB_DIR/status" || die "$(cat "$LAB_DIR/status")"
grep -qF "fragments_unassembled 1" "$LAB_DIR/status" || die "$(cat "$LAB_DIR/status")"
check "as telemetry says" "$(telemetry /tollgate/exceptions | jq .sip_malformed_pass)" 4

say "---- a policy that drops them"
sed 's/    mode: enforce/&\n    exceptions:\n      { sip_malformed: drop, sip_oversize: drop, answer_impossible: drop, fragment_overlap: drop,\n        fragments_unassembled: drop }/' \
	"$LAB_DIR/policy.yaml" >"$LAB_DIR/strict.yaml"
ctl policy load "$LAB_DIR/strict.yaml" >"$LAB_DIR/load.out" || die "policy: $(cat "$LAB_DIR/load.out")"
seen=$(wc -l <"$LAB_DIR/arrived")
before=$(pieces)
faults 2000
wait_for 20 settled 2 || die "fragments are not given up: $(ctl metrics)"
check "datagrams that arrived" "$(arrived)" "dtls 2, emergency 1"
check "fragments that arrived" "$(($(pieces) - before))" 0
expect_conditions drop 3
check "as telemetry says" "$(telemetry /tollgate/exceptions | jq .sip_malformed_drop)" 3
ctl status | grep -qF "dropped, as policy says: answer_impossible 1, sip_malformed 3" || die "$(ctl status)"
