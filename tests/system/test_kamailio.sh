#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# needs: root
# SIP-21 to SIP-26, L3-12: a registrar and proxy behind the dataplane, which enforces a table of a million entries.
# Over UDP and TCP, IPv4 and IPv6: registrations and calls with digest authentication, numbers that have moved
# (302), forks to two contacts of which one is on the caller's side of the dataplane, PRACK, re-INVITE. First
# without any listed caller, then with every tenth listed: exactly these are rejected. Then sipp's built-in
# scenarios. Nothing fails, and nothing is sent again.
#
#	[caller ns: callers, contact that rings] - tollgate-dp - [callee ns: kamailio, contact that answers]
set -u
. "$(dirname "$0")/lib.sh"
command -v kamailio >/dev/null || skip "kamailio is not installed"
lab_open "kamailio"
calls=${CALLS:-40} entries=${ENTRIES:-1000000}

# Clean callers, and callers of whom every tenth is listed among a million others.
numbers 1202555 "$calls" 0 >"$LAB_DIR/clean"
numbers 1202556 "$calls" 0 >"$LAB_DIR/mixed"
awk 'NR % 10 == 3' "$LAB_DIR/mixed" >"$LAB_DIR/listed"
: >"$LAB_DIR/none"
lab_policy
daemon_start --policy "$LAB_DIR/policy.yaml"
dp_start
wait_for 30 daemon_connected || die "the daemon does not find the dataplane"
{
	feed_of "$LAB_DIR/listed" fraud 95
	seq -f "exact,+447%09.0f,caller,scam,90,,bulk" 1 "$entries"
} >"$LAB_DIR/feed.csv"
ctl feed import "$LAB_DIR/feed.csv" --source bulk >"$LAB_DIR/import.out" || die "import: $(cat "$LAB_DIR/import.out")"
check "entries in force" "$(ctl status --json | jq '.table | select(.in_force).entries')" $((entries + $(wc -l <"$LAB_DIR/listed")))

mkdir -p "$LAB_DIR/run"
background kamailio in_ns "$NS_S" kamailio -DD -E -m 32 -M 4 -f "$LAB_TOP/tests/system/kamailio.cfg" \
	-P "$LAB_DIR/kamailio.pid" -Y "$LAB_DIR/run" -l "udp:$CALLEE4:5060" -l "tcp:$CALLEE4:5060" \
	-l "udp:[$CALLEE6]:5060" -l "tcp:[$CALLEE6]:5060"
listens() { ip netns exec "$NS_S" sh -c 'ss -Hutln | grep -c :5060' | grep -qE '^[4-9]|^[0-9]{2}'; }
wait_for 30 listens || die "kamailio does not start: $(tail -n 5 "$LAB_DIR/kamailio.log")"

# peer NAME NS ARGUMENTS...: sipp, its calls in NAME.calls, its figures in NAME.stat
peer() {
	local name=$1 ns=$2
	shift 2
	ip netns exec "$ns" sipp "$@" -nostdin -trace_logs -log_file "$LAB_DIR/$name.calls" -trace_err \
		-error_file "$LAB_DIR/$name.errors" -trace_stat -stf "$LAB_DIR/$name.stat" -fd 1 -buff_size 212992 \
		-timeout 30s -timeout_error >>"$LAB_DIR/$name.log" 2>&1
}
# far NAME NS PORT ARGUMENTS...: one that is called, in the background, FAR_PID
far() {
	local name=$1 ns=$2 port=$3
	shift 3
	background "$name" in_ns "$ns" sipp "$@" -p "$port" -nostdin -trace_logs -log_file "$LAB_DIR/$name.calls" \
		-trace_err -error_file "$LAB_DIR/$name.errors" -buff_size 212992
	FAR_PID=$LAST_PID
	wait_for 20 ip netns exec "$ns" sh -c "ss -Hutln | grep -q ':$port '" || die "$name does not start"
}
end() {
	kill "$1"
	wait_for 20 eval "! kill -0 $1"
}
clean_run() { # NAME: all calls succeeded, and nothing was sent again
	check "$1: failed calls" "$(stat_of "$LAB_DIR/$1.stat" 'FailedCall(C)')" 0
	check "$1: retransmissions" "$(stat_of "$LAB_DIR/$1.stat" 'Retransmissions(C)')" 0
}
logged() { # WORD FILE: callers that sipp logged with it
	sed -n "s/^$1 *//p" "$LAB_DIR/$2.calls" 2>/dev/null | sort
}

# through_proxy NAME CALLERS LISTED TRANSPORT FAMILY NUMBER
through_proxy() {
	local name=$1 src=$CALLER4 dst=$CALLEE4 near=$CALLER4 far=$CALLEE4 via=udp sent rejected edited
	[ "$5" = 6 ] && src=$CALLER6 dst="[$CALLEE6]" near="[$CALLER6]" far="[$CALLEE6]"
	[ "$4" = t1 ] && via=tcp
	say "---- $name"
	rm -f "$LAB_DIR"/{contact,ringing}.*
	far contact "$NS_S" 5081 -sf "$LAB_SIPP/proxy_uas.xml" -i "${far//[\[\]]/}"
	local contact=$FAR_PID
	far ringing "$NS_C" 5070 -sf "$LAB_SIPP/proxy_ringing.xml" -i "$src" -t "$4"
	local ringing=$FAR_PID

	printf '%s\n' SEQUENTIAL "$6;sip:$6@$far:5081;transport=udp" "$6;sip:$6@$near:5070;transport=$via" >"$LAB_DIR/users"
	peer "$name-register" "$NS_C" "$dst:5060" -sf "$LAB_SIPP/proxy_register.xml" -i "$src" -p 5062 -t "$4" -m 2 \
		-r 20 -inf "$LAB_DIR/users" || die "registration: see $LAB_DIR/$name-register.log"
	clean_run "$name-register"

	# Every fifth dials a number that has moved.
	awk -v to="$6" 'BEGIN { print "SEQUENTIAL" } { print $1 ";" (NR % 5 == 1 ? "+302" substr(to, 2) : to) }' \
		"$2" >"$LAB_DIR/inf"
	sent=$(telemetry /tollgate/actions,lab | jq '[.[]] | add') edited=$(reason answer_edited)
	peer "$name" "$NS_C" "$dst:5060" -sf "$LAB_SIPP/proxy_uac.xml" -i "$src" -p 5060 -t "$4" -m "$calls" -r 40 \
		-inf "$LAB_DIR/inf" || die "calls: exit $?, see $LAB_DIR/$name.log and .errors"
	clean_run "$name"
	sort "$3" >"$LAB_DIR/want"
	sort "$2" | comm -23 - "$LAB_DIR/want" >"$LAB_DIR/others"
	rejected=$(wc -l <"$3")
	logged rejected "$name" | cmp -s - "$LAB_DIR/want" || die "others were rejected than the listed ones"
	logged answered "$name" | cmp -s - "$LAB_DIR/others" || die "others were answered than the rest"
	logged offered contact | cmp -s - "$LAB_DIR/others" || die "the contact that answers saw other calls"
	wait_for 10 eval '[ "$(logged rang ringing | wc -l)" -ge "$(wc -l <"$LAB_DIR/others")" ]'
	logged rang ringing | cmp -s - "$LAB_DIR/others" || die "the contact that rings saw other calls"
	say "ok: exactly the $rejected listed callers were rejected, all others reached both contacts"
	check "moved among them" "$(logged moved "$name" | wc -l)" $((calls / 5))
	check "calls counted, each once" "$(($(telemetry /tollgate/actions,lab | jq '[.[]] | add') - sent))" "$calls"
	[ "$4" = u1 ] || check "answers of the proxy edited" "$(($(reason answer_edited) - edited))" "$rejected"
	end "$contact"
	end "$ringing"
}
n=0
for list in none listed; do
	[ $list = none ] && callers=clean || callers=mixed
	for transport in u1 t1; do
		for family in 4 6; do
			n=$((n + 1))
			through_proxy "$list-$transport-IPv$family" "$LAB_DIR/$callers" "$LAB_DIR/$list" $transport \
				$family "+659100000$n"
		done
	done
done
listed=$(wc -l <"$LAB_DIR/listed")
check "verdicts by reason fraud" "$(reason fraud)" $((4 * listed))
wait_for 20 eval "[ \$(reason ack_absorbed) = $((2 * listed)) ]"
check "ACKs absorbed" "$(reason ack_absorbed)" $((2 * listed))

# built_in SCENARIO FAR-SCENARIO NEAR-OPTIONS...
built_in() {
	local far=$2 name=$1-$3-IPv$4 src=$CALLER4 dst=$CALLEE4 transport=$3
	[ "$4" = 6 ] && src=$CALLER6 dst="[$CALLEE6]"
	far "$name-far" "$NS_S" 5090 -sn "$far" -i "${dst//[\[\]]/}" -t "$transport"
	peer "$name" "$NS_C" "$dst:5090" -sn "$1" -i "$src" -p 5064 -t "$transport" -m "$calls" -r 40 ||
		die "sipp -sn $1: exit $?, see $LAB_DIR/$name.log"
	check "sipp -sn $1 -t $transport, IPv$4: calls that succeeded" \
		"$(stat_of "$LAB_DIR/$name.stat" 'SuccessfulCall(C)')" "$calls"
	clean_run "$name"
	end "$FAR_PID"
}
say "---- sipp's own scenarios"
for transport in u1 t1; do
	for family in 4 6; do
		built_in uac uas $transport $family
	done
done
built_in branchc branchs u1 4 # with pauses of 10 s
built_in branchc branchs t1 6

for name in tcp_too_late tcp_unsynced tcp_full tcp_overlap bad_checksum sip_malformed memory_full answer_impossible; do
	check "frames counted as $name" "$(reason $name)" 0
done
check "frames dropped on transmit" "$(telemetry /tollgate/stats | jq .tx_dropped)" 0
check "connections reset while they lived" \
	"$(for ns in "$NS_C" "$NS_S"; do ip netns exec "$ns" nstat -asz TcpEstabResets; done | awk '$1 == "TcpEstabResets" { n += $2 } END { print n + 0 }')" 0
