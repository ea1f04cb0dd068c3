#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# needs: root
# SIP-30: what rules do to real calls: a mark arrives at the far end, a caller is withheld, a call is sent elsewhere
# or to a sink, a limit lets so many pass, a share rejects near its part. Each by the caller's range.
set -u
. "$(dirname "$0")/lib.sh"
lab_open "actions"

# The lab's scenarios, with what these calls add: the far end logs mark, display and target, the caller
# takes a 302.
mkdir "$LAB_DIR/sipp"
sed 's|<log message="offered .*|<ereg regexp=".+" search_in="hdr" header="X-Tollgate:" assign_to="mark"/>\
      <ereg regexp="INVITE sip:([^@]*)" search_in="msg" assign_to="line,target"/>\
      <ereg regexp="\&quot;([^\&quot;]*)\&quot;" search_in="hdr" header="From:" assign_to="quoted,display"/>\
      <log message="offered [$caller] target [$target] display [$display] mark [$mark]"/>|
     s|<Reference variables="all"/>|<Reference variables="all,line,quoted"/>|' \
	"$LAB_SIPP/uas.xml" >"$LAB_DIR/sipp/uas.xml"
sed 's|<recv response="200" rrs.*|<recv response="302" optional="true" next="rejected">\
    <action>\
      <ereg regexp="sip:[^@]*" search_in="hdr" header="Contact:" assign_to="contact"/>\
      <log message="moved [field0] [$contact]"/>\
    </action>\
  </recv>\
  &|' "$LAB_SIPP/uac.xml" >"$LAB_DIR/sipp/uac.xml"
LAB_SIPP=$LAB_DIR/sipp

lab_policy() {
	cat >"$LAB_DIR/policy.yaml" <<-'YAML'
		version: 1
		trunks:
		  - { name: lab, port: 0, mode: enforce, answers_per_second: 100000 }
		answers:
		  - { name: decline, code: 603, phrase: Decline }
		  - { name: moved, code: 302, phrase: Moved, contact: '<sip:+6561234567@192.0.2.9>' }
		  - { name: sink, sink: '+65990' }
		marks:
		  - { name: suspect, header: 'X-Tollgate: suspect', display: '[?] ' }
		rules:
		  - { name: mark, when: { role: [caller], number: ['+120255501'] }, action: mark, mark: suspect }
		  - { name: hide, when: { role: [caller], number: ['+120255502'] }, action: anonymise }
		  - { name: move, when: { role: [caller], number: ['+120255503'] }, action: divert, answer: moved }
		  - { name: sink, when: { role: [caller], number: ['+120255504'] }, action: divert, answer: sink }
		  - name: limit
		    when: { role: [caller], number: ['+120255505'] }
		    action: reject
		    answer: decline
		    limit: { per: caller, digits: 9, calls: 5, seconds: 3600 }
		  - { name: share, when: { role: [caller], number: ['+120255506'] }, action: reject, answer: decline, share: 50 }
	YAML
}

for range in 1 2 3 4 5; do seq -f '+1202555%04.0f' $((range * 100)) $((range * 100 + 19)); done >"$LAB_DIR/callers"
seq -f '+1202555%04.0f' 600 699 >>"$LAB_DIR/callers"
seq -f '+1202555%04.0f' 700 719 >>"$LAB_DIR/callers" # nothing is done to these
echo +12025559999 >"$LAB_DIR/listed"
lab_run_up "$LAB_DIR/callers" "$LAB_DIR/listed"
uac 220 200 "$LAB_DIR/inf" || die "sipp: exit $?, see $LAB_DIR/uac.log"

seen() { grep -cE "^offered $1" "$LAB_DIR/uas.calls"; }
said() { grep -cE "^$1 \\+1202555$2" "$LAB_DIR/uac.calls"; }
check "failed calls" "$(stat_of "$LAB_DIR/uac.stat" 'FailedCall(C)')" 0
check "marked calls at the far end" "$(seen '\+120255501.. target \+6591234567 display \[\?\] Caller mark  suspect')" 20
check "withheld callers at the far end" "$(seen 'anonymous target \+6591234567 display Anonymous mark $')" 20
check "callers with a number among them" "$(seen '\+120255502')" 0
check "calls sent elsewhere" "$(grep -cE '^moved \+120255503.. sip:\+6561234567$' "$LAB_DIR/uac.calls")" 20
check "of these at the far end" "$(seen '\+120255503')" 0
check "calls to the sink" "$(seen '\+120255504.. target \+6599000000 display Caller mark $')" 20
check "calls within the limit" "$(said answered 05)" 5
check "calls beyond it" "$(said rejected 05)" 15
share=$(said rejected 06)
[ "$share" -ge 25 ] && [ "$share" -le 75 ] || die "a share of 50: $share of 100 rejected"
say "ok: a share of 50 rejected $share of 100"
check "answered by the far end otherwise" "$(said answered 06)" $((100 - share))
check "other calls untouched" "$(seen '\+120255507.. target \+6591234567 display Caller mark $')" 20
check "retransmissions" "$(stat_of "$LAB_DIR/uac.stat" 'Retransmissions(C)')" 0
check "messages changed" "$(telemetry /tollgate/stats | jq .frames_edited)" 60

wait_for 20 eval '[ "$(jq -r .rule "$EVENTS" | grep -c mark)" -ge 20 ]'
check "events name the mark" "$(jq -r 'select(.rule == "mark") | .mark + " " + .fate' "$EVENTS" | sort -u)" "suspect edit"
check "events of the share, enforced" "$(jq -r 'select(.rule == "share" and .mode == "enforce") | .verdict' "$EVENTS" | wc -l)" "$share"
ctl explain --from +12025550500 --to +6591234567 --trunk lab >"$LAB_DIR/explain"
check "explain shows what is beyond the limit" "$(grep -c 'beyond the limit: reject' "$LAB_DIR/explain")" 1
