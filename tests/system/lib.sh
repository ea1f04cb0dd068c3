# SPDX-License-Identifier: BSD-3-Clause
# Two endpoints with a dataplane between them, and everything that is needed to end without a trace.
#
#	[caller ns] c0 ----- p0 [dataplane ns: tollgate-dp] p1 ----- s0 [callee ns]
#	10.77.0.1, fd77::1                                        10.77.0.2, fd77::2
#
# Source it, call lab_open, then the others. Every process is ended by pid, every name carries this
# shell's pid, and the trap cleans up however the script ends.

LAB_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
LAB_BUILD=${TG_BUILD:-build}
case $LAB_BUILD in /*) ;; *) LAB_BUILD=$LAB_TOP/$LAB_BUILD ;; esac
LAB_SIPP=$LAB_TOP/tests/system/sipp
LAB_PIDS=()
LAB_NS=()
CALLER4=10.77.0.1 CALLEE4=10.77.0.2 CALLER6=fd77::1 CALLEE6=fd77::2

say() { printf '%s\n' "$*"; }
die() {
	printf 'FAILED: %s\n' "$*" >&2
	exit 1
}
skip() {
	printf '%s\n' "$*"
	exit 77
}
# check DESCRIPTION ACTUAL EXPECTED
check() {
	if [ "$2" = "$3" ]; then
		say "ok: $1: $2"
	else
		die "$1: $2, expected $3"
	fi
}
# wait_for SECONDS COMMAND...: until it succeeds
wait_for() {
	local end=$(($(date +%s%N) + $1 * 1000000000))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s%N)" -lt "$end" ] || return 1
		sleep 0.02
	done
}

lab_close() {
	local p n
	trap '' INT TERM
	for p in "${LAB_PIDS[@]}"; do kill -CONT "$p" 2>/dev/null; kill -TERM "$p" 2>/dev/null; done
	for p in "${LAB_PIDS[@]}"; do
		wait_for 10 eval "! kill -0 $p" || kill -KILL "$p" 2>/dev/null
		wait "$p" 2>/dev/null
	done
	for n in "${LAB_NS[@]}"; do
		ip netns pids "$n" 2>/dev/null | xargs -r kill -KILL 2>/dev/null
		ip netns del "$n" 2>/dev/null
	done
	[ -z "${LAB_PREFIX:-}" ] || rm -rf "/var/run/dpdk/$LAB_PREFIX"
	[ -z "${LAB_DIR:-}" ] || rm -f "$LAB_DIR/owner" "$LAB_DIR/pids"
}

# lab_sweep: what a run in this folder left that was killed before it could clean up
lab_sweep() {
	local owner prefix p n
	read -r owner prefix <"$LAB_DIR/owner" || return 0
	[ ! -d "/proc/$owner" ] || return 0
	while read -r p; do
		! grep -qs "$LAB_DIR" "/proc/$p/cmdline" || kill -KILL "$p"
	done <"$LAB_DIR/pids"
	for n in "tg${owner}c" "tg${owner}d" "tg${owner}s"; do
		ip netns pids "$n" 2>/dev/null | xargs -r kill -KILL 2>/dev/null
		ip netns del "$n" 2>/dev/null
	done
	umount -l "$LAB_DIR/bpf" 2>/dev/null
	rm -rf "/var/run/dpdk/$prefix"
}

# lab_open NAME: work folder, namespaces and links
lab_open() {
	local tool
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	for tool in sipp ip ethtool jq; do
		command -v $tool >/dev/null || skip "$tool is not installed"
	done
	LAB_PREFIX=tg$1$$
	LAB_DIR=${LAB_KEEP:-$LAB_BUILD/tests/$1}
	[ ! -f "$LAB_DIR/owner" ] || lab_sweep
	rm -rf "$LAB_DIR"
	mkdir -p "$LAB_DIR"
	echo "$$ $LAB_PREFIX" >"$LAB_DIR/owner"
	: >"$LAB_DIR/pids"
	NS_C=tg$$c NS_D=tg$$d NS_S=tg$$s
	trap lab_close EXIT
	exec {LAB_OUT}>&1 # a function that is interrupted may have its own
	trap 'say >&$LAB_OUT; say "Interrupted: everything is taken down again." >&$LAB_OUT; exit 130' INT
	trap 'exit 143' TERM
	for n in $NS_C $NS_D $NS_S; do
		ip netns add $n 2>"$LAB_DIR/netns.err" || skip "no network namespaces: $(cat "$LAB_DIR/netns.err")"
		LAB_NS+=("$n")
		ip -n $n link set lo up
	done
	lab_link $NS_C c0 $NS_D p0
	lab_link $NS_S s0 $NS_D p1
	lab_address $NS_C c0 $CALLER4 $CALLER6
	lab_address $NS_S s0 $CALLEE4 $CALLEE6
	DP_PORTS=(p0 p1)
	DP_SOCKET=$LAB_DIR/dp.sock
	CTL_SOCKET=$LAB_DIR/tollgated.sock
	STATE=$LAB_DIR/state
	EVENTS=$LAB_DIR/events.jsonl
}

# lab_link NS1 IF1 NS2 IF2: a veth pair with nothing offloaded, so that frames are what is sent
lab_link() {
	ip link add "$2" netns "$1" type veth peer name "$4" netns "$3" || skip "no veth devices"
	for e in "$1 $2" "$3 $4"; do
		set -- $e
		ip netns exec "$1" ethtool -K "$2" tx off rx off tso off gso off gro off >/dev/null 2>&1
		ip netns exec "$1" sysctl -qw "net.ipv6.conf.$2.accept_ra=0" 2>/dev/null
		# What the dataplane's own kernel would say on its ports is nobody's frame.
		[ "$1" != "$NS_D" ] || ip netns exec "$1" sysctl -qw "net.ipv6.conf.$2.disable_ipv6=1" 2>/dev/null
		ip -n "$1" link set "$2" up
	done
}
# lab_address NS IF IPV4 IPV6
lab_address() {
	ip -n "$1" addr add "$3/24" dev "$2"
	ip -n "$1" addr add "$4/64" dev "$2" nodad
}

# background NAME COMMAND...: starts it, logs to $LAB_DIR/NAME.log, sets LAST_PID
background() {
	local name=$1
	shift
	"$@" >>"$LAB_DIR/$name.log" 2>&1 </dev/null &
	LAST_PID=$!
	LAB_PIDS+=("$LAST_PID")
	echo "$LAST_PID" >>"$LAB_DIR/pids"
}
# ip netns exec execs the program, so the pid is the program's own.
in_ns() {
	local ns=$1
	shift
	exec ip netns exec "$ns" "$@"
}

# vdevs DRIVER ARGUMENTS: --vdev options for DP_PORTS
vdevs() {
	local i
	for i in "${!DP_PORTS[@]}"; do echo "--vdev $1$i,iface=${DP_PORTS[$i]}$2"; done
}
# dp_start [OPTIONS AFTER --...]: on AF_XDP, unless DP_DRIVER and DP_ARGS say otherwise
dp_start() {
	background dp in_ns "$NS_D" "$LAB_BUILD/tollgate-dp" --no-huge -m 512 --no-pci -l "${DP_LCORES:-0}" \
		--file-prefix "$LAB_PREFIX" $(vdevs "${DP_DRIVER:-net_af_xdp}" "${DP_ARGS:-}") -- --images "$STATE/images" \
		--control "$DP_SOCKET" --events "$EVENTS" "$@"
	DP_PID=$LAST_PID
	wait_for 60 test -S "$DP_SOCKET" || {
		tail -n 20 "$LAB_DIR/dp.log"
		die "tollgate-dp did not start"
	}
	wait_for 30 telemetry_alive || die "no telemetry"
}
# daemon_start [OPTIONS...]
daemon_start() {
	background tollgated "$LAB_BUILD/tollgated" --state "$STATE" --socket "$CTL_SOCKET" \
		--dataplane "$DP_SOCKET" --events "$EVENTS" "$@"
	DAEMON_PID=$LAST_PID
	wait_for 60 ctl status || {
		tail -n 20 "$LAB_DIR/tollgated.log"
		die "tollgated did not start"
	}
}
ctl() { "$LAB_BUILD/tgctl" --socket "$CTL_SOCKET" "$@"; }

# telemetry COMMAND: JSON
telemetry() {
	ip netns exec "$NS_D" python3 "$LAB_TOP/tests/system/telemetry.py" "/var/run/dpdk/$LAB_PREFIX" "$1"
}
telemetry_alive() { telemetry /tollgate/stats | grep -q rx_packets; }
# reason NAME: frames that ended so
reason() { telemetry /tollgate/reasons | jq -r ".[\"$1\"] // 0"; }

# numbers PREFIX COUNT FIRST: +PREFIXnnnnnn lines
numbers() { seq -f "+$1%06.0f" "$3" $(($3 + $2 - 1)); }

# uas_start [sipp options]: the far end, IPv4 unless FAMILY=6
uas_start() {
	local addr=$CALLEE4
	[ "${FAMILY:-4}" = 6 ] && addr=$CALLEE6
	background uas in_ns "$NS_S" sipp -sf "$LAB_SIPP/uas.xml" \
		-i "$addr" -p 5060 -buff_size 212992 -nostdin -trace_logs -log_file "$LAB_DIR/uas.calls" -trace_err \
		-error_file "$LAB_DIR/uas.errors" -trace_stat -stf "$LAB_DIR/uas.stat" -fd 1 "$@"
	UAS_PID=$LAST_PID
	wait_for 30 ip netns exec "$NS_S" sh -c 'ss -uln | grep -q :5060' || die "the far end did not start"
}
# uac CALLS RATE INF-FILE [sipp options]: runs to its end; its exit code
uac() {
	local calls=$1 rate=$2 inf=$3 src=$CALLER4 dst=$CALLEE4
	shift 3
	[ "${FAMILY:-4}" = 6 ] && src=$CALLER6 && dst=[$CALLEE6]
	ip netns exec "$NS_C" sipp "$dst:5060" -sf "$LAB_SIPP/uac.xml" -i "$src" -p 5060 -buff_size 212992 -m "$calls" -r "$rate" \
		-inf "$inf" -nostdin -trace_logs -log_file "$LAB_DIR/uac.calls" -trace_err \
		-error_file "$LAB_DIR/uac.errors" -trace_stat -stf "$LAB_DIR/uac.stat" -fd 1 -timeout "${UAC_TIMEOUT:-60}s" \
		-timeout_error "$@" >>"$LAB_DIR/uac.log" 2>&1
}
# peer_losses: datagrams that sipp's own sockets had no room for, when the machine stood still
peer_losses() {
	local n
	for n in "$NS_C" "$NS_S"; do
		ip netns exec "$n" awk '/^Udp: [0-9]/ { print $6 }' /proc/net/snmp
	done | awk '{ n += $1 } END { print n + 0 }'
}
# stat_of FILE COLUMN: the last value of a column of sipp's statistics
stat_of() {
	awk -F';' -v want="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == want) c = i } END { print $c }' "$1"
}
# calls_file NAME LIST CALLED: sipp's injection file, one caller a line
calls_file() {
	{
		echo SEQUENTIAL
		sed "s/\$/;$3/" "$2"
	} >"$1"
}

# lab_policy: enforce on the caller's port; 603 with a Reason to callers listed at 80 or more
lab_policy() {
	cat >"$LAB_DIR/policy.yaml" <<-'YAML'
		version: 1
		trunks:
		  - name: lab
		    port: 0
		    mode: enforce
		    answers_per_second: 100000
		answers:
		  - { name: decline, code: 603, phrase: Decline, reason: 'Q.850;cause=21;text="Call rejected"' }
		rules:
		  - name: block-listed
		    when: { role: [caller], category: [fraud, scam], score: { min: 80 } }
		    action: reject
		    answer: decline
	YAML
}
# feed_of LIST CATEGORY SCORE: a feed of the numbers in LIST
feed_of() {
	echo kind,number,role,category,score,expires,ref
	sed "s/.*/exact,&,caller,$2,$3,,lab/" "$1"
}
# lab_run_up CALLERS LISTED: daemon with LISTED as its feed, dataplane, far end; all in force
lab_run_up() {
	calls_file "$LAB_DIR/inf" "$1" +6591234567
	feed_of "$2" fraud 95 >"$LAB_DIR/feed.csv"
	lab_policy
	daemon_start --policy "$LAB_DIR/policy.yaml"
	dp_start
	wait_for 30 daemon_connected || die "the daemon does not find the dataplane"
	ctl feed import "$LAB_DIR/feed.csv" --source lab >"$LAB_DIR/import.out" || die "import: $(cat "$LAB_DIR/import.out")"
	uas_start
}
daemon_connected() { [ "$(ctl status --json | jq .dataplane.connected)" = true ]; }

# expect_calls OFFERED REJECTED-LIST: what every counter must say after uac, with CALLERS unique
expect_calls() {
	local offered=$1 rejected
	rejected=$(wc -l <"$2")
	check "calls that ended as they should" "$(stat_of "$LAB_DIR/uac.stat" 'SuccessfulCall(C)')" "$offered"
	check "failed calls" "$(stat_of "$LAB_DIR/uac.stat" 'FailedCall(C)')" 0
	sed -n 's/^rejected //p' "$LAB_DIR/uac.calls" | sort >"$LAB_DIR/rejected"
	sort "$2" | cmp -s - "$LAB_DIR/rejected" || die "other calls were rejected than the listed ones: $LAB_DIR/rejected"
	say "ok: exactly the $rejected listed callers were rejected"
	check "answered by the far end" "$(grep -c '^answered' "$LAB_DIR/uac.calls")" $((offered - rejected))
	check "INVITEs the far end saw" "$(grep -c '^offered' "$LAB_DIR/uas.calls")" $((offered - rejected))
}
