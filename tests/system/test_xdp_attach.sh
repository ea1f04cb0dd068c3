#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# tgctl xdp and tgctl bypass on veth pairs, without a dataplane: attach, take over, complete what was left
# half-done, refuse what is not ours, switch, count, and leave no trace.
# needs: root bpf
set -u
. "$(dirname "$0")/lib.sh"
command -v bpftool >/dev/null || PATH=$PATH:/usr/sbin
command -v bpftool >/dev/null || skip "bpftool is not installed"

lab_open xdpattach
SET=$LAB_DIR/bpf/set
mkdir -p "$LAB_DIR/bpf"
mount -t bpf bpf "$LAB_DIR/bpf" 2>/dev/null || skip "no bpf file system can be mounted"
trap 'xdp detach >/dev/null 2>&1; lab_close; umount "$LAB_DIR/bpf" 2>/dev/null' EXIT
# XDP redirects to a veth whose far end polls.
ip netns exec "$NS_C" ethtool -K c0 gro on
ip netns exec "$NS_S" ethtool -K s0 gro on

xdp() {
	local verb=$1
	shift
	nsenter --net="/run/netns/$NS_D" "$LAB_BUILD/tgctl" xdp "$verb" "$@" --set "$SET"
}
bypass() { "$LAB_BUILD/tgctl" bypass "$1" --set "$SET"; }
of_port() { xdp status --json | jq -r ".ports[] | select(.port == \"$1\") | $2"; }
attached() { ip -n "$NS_D" link show "$1" | grep -c 'prog/xdp'; }
# refused CODE PATTERN COMMAND...: and nothing about the set changes
refused() {
	local code=$1 pattern=$2 before after rc
	shift 2
	before=$(find "$LAB_DIR/bpf" | sort; xdp rule list 2>&1)
	"$@" >"$LAB_DIR/out" 2>&1
	rc=$?
	[ $rc = "$code" ] && grep -q "$pattern" "$LAB_DIR/out" || die "$*: exit $rc, $(cat "$LAB_DIR/out")"
	after=$(find "$LAB_DIR/bpf" | sort; xdp rule list 2>&1)
	[ "$before" = "$after" ] || die "$*: refused, but not without a trace"
	say "ok: refused: $(cat "$LAB_DIR/out")"
}
# send PORT SECONDS: one datagram from the caller, from and to PORT; "arrived" or "lost"
send() {
	ip netns exec "$NS_S" python3 -c '
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], int(sys.argv[2])))
s.settimeout(float(sys.argv[3]))
open(sys.argv[4], "w").close()
try:
    print("arrived" if s.recv(100) == b"OPTIONS" else "other")
except socket.timeout:
    print("lost")
' $CALLEE4 "$1" "$2" "$LAB_DIR/listening" >"$LAB_DIR/arrived" &
	local listener=$!
	wait_for 10 test -e "$LAB_DIR/listening" || die "no listener"
	ip netns exec "$NS_C" python3 -c '
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], int(sys.argv[3])))
s.sendto(b"OPTIONS", (sys.argv[2], int(sys.argv[3])))
' $CALLER4 $CALLEE4 "$1"
	wait $listener
	rm -f "$LAB_DIR/listening"
	cat "$LAB_DIR/arrived"
}
# expect_sip arrived|lost OUTCOME: where it went is what is counted
expect_sip() {
	local before
	before=$(of_port p0 ".packets.$2")
	check "SIP, $2" "$(send 5060 $([ $1 = lost ] && echo 0.5 || echo 10))" "$1"
	check "counted" "$(of_port p0 ".packets.$2")" $((before + 1))
}
media_passes() { check "media" "$(send 16384 10)" arrived; }

# ---- what is refused
refused 6 'no interface nowhere' xdp attach p0 nowhere
refused 2 'two interfaces' xdp attach p0 p0
refused 2 'in no bpf file system' nsenter --net="/run/netns/$NS_D" "$LAB_BUILD/tgctl" xdp attach p0 p1 --set "$LAB_DIR/set"
refused 2 'fail open or closed' xdp attach p0 p1 --fail perhaps
refused 6 'nothing is attached' bypass on
printf 'udp 5060\nudp 0\n' >"$LAB_DIR/bad.rules"
refused 3 'bad.rules:2:5' xdp attach p0 p1 --rules "$LAB_DIR/bad.rules"
check "detach of nothing" "$(xdp detach)" "nothing is attached in $SET"

# ---- attach, again, and what goes through
xdp attach p0 p1 >"$LAB_DIR/attach" || die "attach"
check "mode" "$(of_port p0 .mode)" native
check "state without a dataplane" "$(of_port p0 .state)" bypass
ids=$(of_port p0 .program)-$(of_port p1 .program)
xdp attach p0 p1 | grep -q 'attached already' || die "attach again is no take-over"
check "the same programs after attach again" "$(of_port p0 .program)-$(of_port p1 .program)" "$ids"
media_passes
[ "$(of_port p0 .not_steered.not_ip)" -ge 1 ] || die "no ARP counted"
[ "$(of_port p0 .not_steered.udp)" -ge 1 ] || die "no media counted"
say "ok: ARP and media are counted: $(of_port p0 .packets.forwarded) forwarded"
expect_sip arrived bypass_no_socket
xdp policy p0 closed
check "state, closed" "$(of_port p0 .state)" closed
expect_sip lost closed_no_socket
bypass on >/dev/null
expect_sip arrived bypass_forced
bypass auto >/dev/null
xdp policy p0 open
bypass off >/dev/null
expect_sip lost closed_no_socket
bypass auto >/dev/null
xdp rule add "net $CALLER4" closed
expect_sip lost closed_no_socket
xdp rule add "net $CALLER4" forward
expect_sip arrived exempt
xdp rule del "net $CALLER4"
xdp rule list >"$LAB_DIR/rules"
refused 3 'one too many' xdp rule add vlan 7 steer forward
printf 'udp 1-16384\ntcp 5060\n' >"$LAB_DIR/many.rules"
refused 3 'many.rules:2:5' xdp rule load "$LAB_DIR/many.rules"
printf 'udp 1-16384\n' | xdp rule load - || die "load"
check "rules" "$(xdp rule list)" "udp 1-16384 steer"
printf 'tcp 1-16384\n' | xdp rule load - || die "load of all others"
xdp rule load "$LAB_DIR/rules" && xdp rule list | cmp -s - "$LAB_DIR/rules" || die "rules do not come back"
say "ok: what rule list writes, rule load reads"

# ---- not ours, not a pair
ip link add x0 netns "$NS_D" type veth peer name x1 netns "$NS_D"
bpftool prog load "$LAB_BUILD/bpf/steer.bpf.o" "$LAB_DIR/bpf/other" 2>/dev/null || die "bpftool"
nsenter --net="/run/netns/$NS_D" bpftool net attach xdpgeneric pinned "$LAB_DIR/bpf/other" dev x1
refused 6 'has an XDP program already' xdp attach x0 x1
printf 'udp 7 steer\n' >"$LAB_DIR/other.rules"
refused 6 'has an XDP program already' xdp attach x0 x1 --rules "$LAB_DIR/other.rules"
refused 6 'is paired with' xdp attach p0 x0
nsenter --net="/run/netns/$NS_D" bpftool net detach xdpgeneric dev x1
rm "$LAB_DIR/bpf/other"
# Interfaces of the same numbers in another namespace are not those of the set.
ip netns add "tg$$x" && LAB_NS+=("tg$$x")
index_of() { ip -n "$NS_D" -j link show "$1" | jq '.[0].ifindex'; }
ip link add y0 netns "tg$$x" index "$(index_of p0)" type veth peer name y1 netns "tg$$x" index "$(index_of p1)" || die "y0"
refused 6 'of another network namespace' nsenter --net="/run/netns/tg$$x" "$LAB_BUILD/tgctl" xdp attach y0 y1 --set "$SET"
xdp attach x0 x1 --mode generic >/dev/null || die "a second pair"
check "second pair" "$(of_port x0 '"\(.slot) \(.mode)"')" "2 generic"

# ---- half-made, gone, killed
rm "$SET/outcomes" "$SET/port1/link"
check "no link, no program" "$(attached p1)" 0
xdp attach p0 p1 >"$LAB_DIR/attach" || die "completing"
grep -q 'p0: took the place' "$LAB_DIR/attach" && grep -q 'p1: attached' "$LAB_DIR/attach" || die "$(cat "$LAB_DIR/attach")"
expect_sip arrived bypass_no_socket
ip -n "$NS_D" link del x0
check "an interface that is gone" "$(of_port x0 .state)" gone
ip link add x0 netns "$NS_D" type veth peer name x1 netns "$NS_D"
xdp attach x0 x1 >/dev/null || die "a new interface of the same name"
check "its state" "$(of_port x0 .state)" bypass
xdp detach >/dev/null || die "detach"
for delay in 0.005 0.05 0.2 0.5 0.8; do
	xdp attach p0 p1 >/dev/null 2>&1 &
	pid=$!
	sleep $delay
	# the function's own child, tgctl, which nsenter became
	pkill -KILL -P $pid 2>/dev/null
	wait $pid 2>/dev/null
done
xdp attach p0 p1 >/dev/null || die "attach after attach was killed"
media_passes
say "ok: attach completes what a killed one left"

# ---- the daemon sees it
daemon_start --xdp-set "$SET"
wait_for 10 eval '[ "$(ctl status --json | jq -r ".xdp.ports[0].state")" = bypass ]' || die "tollgated does not see the set"
wait_for 10 eval "ctl status | grep -q 'ALARM  *signalling passes unfiltered: p0, p1'" || die "no alarm: $(ctl status)"
xdp policy p1 closed
wait_for 10 grep -q '"event":"bypass","port":"p1","state":"closed","was":"bypass"' "$EVENTS" || die "no event"
bypass on >/dev/null
wait_for 10 grep -q '"event":"bypass","port":"p1","state":"forced","was":"closed"' "$EVENTS" || die "no event"
say "ok: state in status, alarm and events"
xdp metrics | grep -q '^tollgate_bypass_state{port="p1",state="forced"} 1$' || die "no metric"

# ---- without a trace
maps=$(for m in "$SET"/*; do [ -d "$m" ] || bpftool -j map show pinned "$m" | jq .id; done)
programs="$(of_port p0 .program) $(of_port p1 .program)"
xdp detach >/dev/null || die "detach"
check "programs on the ports" "$(attached p0) $(attached p1)" "0 0"
check "what is left in the file system" "$(find "$LAB_DIR/bpf" -mindepth 1 ! -name '*.debug')" ""
wait_for 10 eval '[ "$(ctl status --json | jq .xdp)" = null ]' || die "tollgated holds on to it"
wait_for 10 grep -q '"event":"bypass","port":"p1","state":"detached"' "$EVENTS" || die "no event"
for id in $maps; do wait_for 10 eval "! bpftool map show id $id" || die "map $id is left"; done
for id in $programs; do wait_for 10 eval "! bpftool prog show id $id" || die "program $id is left"; done
say "ok: $(echo $maps | wc -w) maps and 2 programs are gone"
