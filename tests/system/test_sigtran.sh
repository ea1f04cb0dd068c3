#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# needs: root
# ISUP calls in M3UA in SCTP between two exchanges (tools/isup_peer.c, libusrsctp), one in ten of them listed, first
# with testpmd in Tollgate's place, then through Tollgate. Each listed call reaches the sink's number only and is
# released there with cause 1; every octet of every other message arrives as it was sent; nobody sends
# more twice than without Tollgate; the association stays up.
#
#	[caller ns] c0 ------------- p0 [dataplane ns] p1 ------------- s0 [callee ns]
#	            c1 -- x0 [shim] y0 - p2            p3 ------------- s1
#
#	CALLS=300000 RATE=3000 tests/system/test_sigtran.sh       an hour of a large trunk's calls in 100 s a run
#	CALLS=300000 RATE=3000 RUNS="plain loss" tests/system/test_sigtran.sh
set -u
. "$(dirname "$0")/lib.sh"
command -v dpdk-testpmd >/dev/null || skip "dpdk-testpmd (dpdk-dev) is not installed"
lab_open sigtran
CALLS=${CALLS:-4000} RATE=${RATE:-2000}
RUNS=${RUNS:-plain bundle segment udp loss segment-loss shadow anonymise paths}
SINK=442090000000 # +44209, filled with zeros
PEER=$LAB_BUILD/tests/isup_peer
LISTED=$((CALLS / 10))

# ---- the laboratory -------------------------------------------------------------------------------

# A second address on the first link, and a second link on which a shim loses one frame of two hundred.
CALLER4_2=10.78.0.1 CALLEE4_2=10.78.0.2 LOSING_CALLER4=10.79.0.1 LOSING_CALLEE4=10.79.0.2
lab_link "$NS_C" c1 "$NS_D" x0
lab_link "$NS_D" y0 "$NS_D" p2
lab_link "$NS_S" s1 "$NS_D" p3
lab_address "$NS_C" c0 $CALLER4_2 fd78::1
lab_address "$NS_S" s0 $CALLEE4_2 fd78::2
lab_address "$NS_C" c1 $LOSING_CALLER4 fd79::1
lab_address "$NS_S" s1 $LOSING_CALLEE4 fd79::2
background shim in_ns "$NS_D" "$LAB_BUILD/tests/shim" --lose-each 200 x0 y0
DP_PORTS=(p0 p1 p2 p3)

wanted() { case " $RUNS " in *" $1 "*) ;; *) return 1 ;; esac }
# stop PID
stop() {
	kill -INT "$1"
	wait_for 20 eval "! kill -0 $1 2>/dev/null" || die "process $1 does not end"
	wait "$1" 2>/dev/null
}
testpmd_start() {
	background io in_ns "$NS_D" dpdk-testpmd --no-huge -m 512 --no-pci -l 0,1 --file-prefix "$LAB_PREFIX" \
		$(vdevs net_af_xdp "") -- --forward-mode=io --auto-start --stats-period 1000 --no-lsc-interrupt --total-num-mbufs=32768
	IO_PID=$LAST_PID
	wait_for 20 grep -q "packet forwarding" "$LAB_DIR/io.log" || die "testpmd does not start: $(tail -n 5 "$LAB_DIR/io.log")"
}
# policy MODE ACTION [no-losing]: loaded, if there is a daemon
policy() {
	cat >"$LAB_DIR/policy.yaml" <<-YAML
		version: 1
		trunks:
		  - { name: lab, port: 0, mode: $1, sink: "+44209" }
		${3:+#}  - { name: losing, port: 2, mode: $1, sink: "+44209" }
		answers:
		  - { name: decline, code: 603, phrase: Decline }
		rules:
		  - name: listed
		    when: { role: [caller], category: [fraud], score: { min: 80 } }
		    action: $2
	YAML
	[ "$2" != reject ] || echo "    answer: decline" >>"$LAB_DIR/policy.yaml"
	[ -z "${DAEMON_PID:-}" ] || ctl policy load "$LAB_DIR/policy.yaml" >"$LAB_DIR/load.out" 2>&1 || die "policy: $(cat "$LAB_DIR/load.out")"
}
# Two generations that differ in what no call here carries, in turns, until it is killed.
swap_on() {
	trap 'exit 0' TERM
	while ctl table rollback >>"$LAB_DIR/swaps" 2>&1; do
		echo swapped >>"$LAB_DIR/swapped"
		sleep 0.2
	done
}

# ---- calls ----------------------------------------------------------------------------------------

# calls NAME [OPTIONS OF BOTH ENDS]: to their end; what they count is in NAME.json. No two runs have a call in
# common: an attempt that is made again some seconds later is the same call, and has the same verdict.
FIRST=0
calls() {
	local name=$1 from=$CALLER4 to=$CALLEE4 second=${SECOND:+--second} called rc
	shift
	case $name in *loss) from=$LOSING_CALLER4 to=$LOSING_CALLEE4 ;; esac
	background "$name.called" in_ns "$NS_S" "$PEER" called "$to" --sink $SINK "$@" $second ${SECOND:+$CALLEE4_2}
	called=$LAST_PID
	wait_for 20 grep -q listening "$LAB_DIR/$name.called.log" || die "$name: the called exchange does not start"
	ip netns exec "$NS_C" timeout $((CALLS / RATE + 60)) "$PEER" calling "$from" "$to" --sink $SINK --calls "$CALLS" \
		--rate "$RATE" --first $FIRST "$@" $second ${SECOND:+$CALLER4_2} >"$LAB_DIR/$name.calling.json" 2>"$LAB_DIR/$name.calling.log"
	rc=$?
	stop "$called"
	FIRST=$((FIRST + CALLS))
	[ $rc = 0 ] || die "$name: isup_peer: exit $rc: $(cat "$LAB_DIR/$name".call*)"
	grep '^{' "$LAB_DIR/$name.called.log" | cat "$LAB_DIR/$name.calling.json" - >"$LAB_DIR/$name.json"
}
# of NAME FILTER: of both ends together
of() { jq -s "map($2) | add" "$LAB_DIR/$1.json"; }
# expect NAME SINK RESTRICTED: how many listed calls went to the sink, or lost their number; the rest is as it was
expect() {
	local name=$1 sink=$2 restricted=$3
	check "$name: calls that ended as they should" "$(of "$name" .done)" $((2 * CALLS))
	check "$name: IAMs that arrived as they were sent" "$(of "$name" .identical)" $((CALLS - sink - restricted))
	check "$name: listed calls at the sink" "$(of "$name" .sink)" "$sink"
	check "$name: released there with cause 1" "$(of "$name" .released_unallocated)" "$sink"
	check "$name: listed calls whose number became restricted" "$(of "$name" .restricted)" "$restricted"
	check "$name: listed calls answered" "$(of "$name" .answered_listed)" $((LISTED - sink))
	check "$name: IAMs" "$(of "$name" .iams)" "$CALLS"
	check "$name: failed, changed otherwise, unexpected, not sent" \
		"$(of "$name" '.failed + .wrong_sink + .wrong_restricted + .changed + .altered + .unexpected + .send_errors')" 0
	check "$name: aborts, wrong checksums" "$(of "$name" '.sctp.aborted + .sctp.bad_checksum')" 0
	say "$name: $(of "$name" .sctp.data_out) chunks in $(of "$name" .sctp.packets_out) packets, $(of "$name" .sctp.fragmented) messages" \
		"in pieces; sent again $(of "$name" .sctp.retransmitted), $(of "$name" .sctp.fast) of them fast, timeouts $(of "$name" .sctp.timeouts)"
}
# no_storm NAME: not more sent again than with testpmd, but for chance: half as much again, and one in a thousand
no_storm() {
	local again base data
	again=$(of "$1" .sctp.retransmitted) base=$(of "io-$1" .sctp.retransmitted) data=$(of "$1" .sctp.data_out)
	[ "$again" -le $((base * 3 / 2 + data / 1000)) ] || die "$1: $again chunks sent again, $base without Tollgate"
	say "ok: $1: chunks sent again: $again; without Tollgate $base"
}
options_of() {
	case $1 in
	bundle) echo --bundle ;;
	segment*) echo --bundle --segment 32 ;; # three pieces of each IAM
	udp) echo --udp ;;
	esac
}

say "---- without Tollgate: $CALLS calls at $RATE a second"
testpmd_start
for name in plain bundle segment loss segment-loss; do
	wanted $name || continue
	calls io-$name $(options_of $name)
	expect io-$name 0 0
done
stop "$IO_PID"

say "---- through Tollgate, enforced"
{
	echo kind,number,role,category,score,expires,ref
	echo prefix,+8822,caller,fraud,95,,lab
	seq -f "exact,+447%09.0f,caller,spam,50,,bulk" 1 1000
} >"$LAB_DIR/feed.csv"
policy enforce reject
daemon_start --policy "$LAB_DIR/policy.yaml"
dp_start
wait_for 30 daemon_connected || die "the daemon does not find the dataplane"
ctl feed import "$LAB_DIR/feed.csv" --source lab >"$LAB_DIR/import.out" || die "import: $(cat "$LAB_DIR/import.out")"
sed 's/spam,50/scam,60/' "$LAB_DIR/feed.csv" >"$LAB_DIR/feed2.csv"
ctl feed import "$LAB_DIR/feed2.csv" --source lab >"$LAB_DIR/import.out" || die "import: $(cat "$LAB_DIR/import.out")"
judged=0 late=0
for name in plain bundle segment udp loss segment-loss; do
	wanted $name || continue
	if [ $name = plain ]; then
		swap_on &
		swapper=$!
		LAB_PIDS+=("$swapper")
	fi
	calls $name $(options_of $name)
	if [ $name = plain ]; then
		kill $swapper
		wait $swapper 2>/dev/null
		say "tables swapped meanwhile: $(wc -l <"$LAB_DIR/swapped")"
		[ "$(wc -l <"$LAB_DIR/swapped")" -gt $((CALLS / RATE)) ] || die "too few: $(tail -n 3 "$LAB_DIR/swaps")"
	fi
	if [ $name = segment-loss ]; then
		# A piece that was lost comes again after its message's others have gone: not changed half.
		late=$((LISTED - $(of $name .sink)))
		say "listed calls that went on, a piece having been lost: $late of $LISTED"
		[ $late -le $((LISTED / 50 + 1)) ] || die "too many"
	fi
	expect $name $((LISTED - late)) 0
	[ $name = udp ] || no_storm $name
	judged=$((judged + CALLS))
done
# The log is written beside the calls.
events() { jq -s "[.[] | select($1)] | length" "$EVENTS"; }
wait_for 10 eval "[ \$(events '.fate == \"edit\"') -ge $((judged / 10 - late)) ]"
check "events of listed calls, enforced, edited" "$(events '.reason == "fraud" and .mode == "enforce" and .fate == "edit"')" $((judged / 10 - late))

if wanted shadow; then
	say "---- in shadow"
	policy shadow reject
	calls shadow
	expect shadow 0 0
	wait_for 10 eval "[ \$(events '.mode == \"shadow\"') = $LISTED ]"
	check "events of listed calls that passed" "$(events '.mode == "shadow" and .verdict == "reject" and .fate == "forward"')" $LISTED
fi
if wanted anonymise; then
	say "---- listed calling numbers become restricted"
	policy enforce anonymise
	calls anonymise
	expect anonymise 0 $LISTED
fi
nothing_lost() {
	telemetry /tollgate/reasons | jq -c 'with_entries(select(.value > 0))'
	telemetry /tollgate/stats | jq -c '{rx_packets, tx_packets, frames_edited, frames_dispatched, dispatch_full}'
	check "frames dropped on transmit" "$(telemetry /tollgate/stats | jq .tx_dropped)" 0
	check "messages not read" "$(telemetry /tollgate/reasons | jq '.sctp_malformed + .sctp_unassembled + .isup_malformed + .sigtran_malformed')" 0
}
nothing_lost

# Two paths over two queues that two workers have, and the first path is cut. usrsctp sends from any of its
# addresses to the primary one of its peer's.
if wanted paths && [ "$(nproc)" -gt 1 ]; then
	say "---- two paths, two queues, two workers; one path dies"
	policy enforce reject no-losing
	stop "$DP_PID"
	DP_PORTS=(p0 p1) DP_DRIVER=net_af_packet DP_ARGS=,qpairs=2,blocksz=65536,framesz=2048,framecnt=2048 DP_LCORES=0,1
	dp_start
	wait_for 30 daemon_connected || die "the daemon does not find the dataplane"
	(
		sleep "$(jq -n "$CALLS / $RATE / 2")"
		ip -n "$NS_C" addr del $CALLER4/24 dev c0
		ip -n "$NS_S" addr del $CALLEE4/24 dev s0
	) &
	SECOND=yes calls paths
	expect paths $LISTED 0
	nothing_lost
fi
say "passed"
