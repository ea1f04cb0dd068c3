# SPDX-License-Identifier: BSD-3-Clause
# The laboratory of lib.sh with the XDP program in front of the dataplane. Source lib.sh, then this;
# after lab_open: xdp_open, xdp_attach.
#
#	c0 ----- p0 [XDP] ....... devmap redirect ....... [XDP] p1 ----- s0
#	            `--> AF_XDP socket -> tollgate-dp -> p1's socket, and back
#
# `ip netns exec` gives every program a /sys without bpffs: the lab has one of its own.

LAB_FLOW=$LAB_BUILD/tests/flow
XDP_SET=

xdp_close() {
	lab_close
	umount -l "$LAB_DIR/bpf" 2>/dev/null
}

# Fails where the kernel has no bpffs to give, and says why in mount.err.
xdp_try_open() {
	mkdir -p "$LAB_DIR/bpf"
	mount -t bpf bpf "$LAB_DIR/bpf" 2>"$LAB_DIR/mount.err" || return 1
	trap xdp_close EXIT
	XDP_SET=$LAB_DIR/bpf/set
	# A veth takes what XDP redirects to it if its far end polls (NAPI), which GRO makes it do.
	ip netns exec "$NS_C" ethtool -K c0 gro on
	ip netns exec "$NS_S" ethtool -K s0 gro on
}
xdp_open() { xdp_try_open || skip "no bpffs: $(cat "$LAB_DIR/mount.err")"; }

# xdp COMMAND...: tgctl xdp in the dataplane's namespace
xdp() { ip netns exec "$NS_D" "$LAB_BUILD/tgctl" xdp "$@" --set "$XDP_SET"; }
# xdp_attach [OPTIONS...]
xdp_attach() {
	xdp attach "${DP_PORTS[0]}" "${DP_PORTS[1]}" "$@" >"$LAB_DIR/attach.log" 2>&1 || {
		cat "$LAB_DIR/attach.log"
		die "tgctl xdp attach"
	}
}
# outcome NAME...: packets of both ports with one of these outcomes
outcome() {
	xdp status --json | jq --arg names "$*" \
		'[.ports[].packets | to_entries[] | select(.key as $k | $names | split(" ") | index($k)) | .value] | add // 0'
}
BYPASSED="bypass_forced bypass_no_socket bypass_stale"
CLOSED="closed_no_socket closed_stale"

# Every queue of every port has a fresh heartbeat.
filtering() { [ "$(xdp status --json | jq '[.ports[].state] | all(. == "filtering")')" = true ]; }
wait_filtering() { wait_for "${1:-20}" filtering || die "filtering does not return: $(xdp status)"; }

# dp_again: after the one before has ended, however it did
dp_again() {
	rm -f "$DP_SOCKET"
	dp_start --xdp-set "$XDP_SET" "$@"
}
dp_kill() {
	kill -KILL "$DP_PID"
	wait "$DP_PID" 2>/dev/null
}

# flow_start NAME FROM-NS FROM-ADDR TO-NS TO-ADDR PORT RATE SECONDS: numbered datagrams
flow_start() {
	[ -x "$LAB_FLOW" ] || die "$LAB_FLOW is not built"
	background "flow-$1-recv" in_ns "$4" "$LAB_FLOW" recv "$5" "$6"
	eval "FLOW_RECV_$1=$LAST_PID"
	wait_for 5 ip netns exec "$4" sh -c "ss -uln | grep -q ':$6 '" || die "flow $1: the receiver did not start"
	background "flow-$1-send" in_ns "$2" "$LAB_FLOW" send "$3" "$5" "$6" "$7" "$8"
	eval "FLOW_SEND_$1=$LAST_PID"
}
# flow_end NAME: waits for it; then `flow NAME FIELD`
flow_end() {
	local p
	p=FLOW_SEND_$1
	wait "${!p}" || die "flow $1: $(cat "$LAB_DIR/flow-$1-send.log")"
	p=FLOW_RECV_$1
	kill "${!p}"
	wait "${!p}" || die "flow $1: $(cat "$LAB_DIR/flow-$1-recv.log")"
}
flow() { jq -s "add | .$2" "$LAB_DIR/flow-$1-send.log" "$LAB_DIR/flow-$1-recv.log"; }
