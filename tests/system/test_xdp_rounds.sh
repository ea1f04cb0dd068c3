#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# needs: root
# A hundred times tollgate-dp is started and killed (-9) at a moment of its life that is drawn, under
# traffic. The same programs, maps, links and pins are there afterwards as before, no socket, no file;
# after detach nothing is.
set -u
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/xdp.sh"
command -v bpftool >/dev/null || skip "bpftool is not installed"
lab_open xdprounds
xdp_open
xdp_attach
rounds=${ROUNDS:-100}
mkdir -p "$STATE/images"

# What there is: pins with their ids, memory of the maps, sockets, files of DPDK.
pins() { (cd "$XDP_SET" && find . | sort); }
prog_ids() {
	local p
	for p in p0 p1; do ip netns exec "$NS_D" ip -j -d link show dev $p | jq '.[0].xdp.prog.id'; done
}
map_ids() {
	local id
	for id in $(prog_ids); do bpftool prog show id "$id" -j | jq -r '.map_ids[]'; done | sort -un
}
map_memory() {
	local id
	for id in $(map_ids); do bpftool map show id "$id" -j | jq .bytes_memlock; done | awk '{ n += $1 } END { print n }'
}
sockets() { ip netns exec "$NS_D" ss --xdp -a 2>/dev/null | tail -n +2 | wc -l; }
files() { find "/var/run/dpdk/$LAB_PREFIX" 2>/dev/null | wc -l; }
trace() { echo "$(pins | md5sum) $(prog_ids | tr '\n' ' ') $(map_ids | tr '\n' ' ')"; }

start() {
	background dp in_ns "$NS_D" "$LAB_BUILD/tollgate-dp" --no-huge -m 128 --no-pci -l 0 --file-prefix "$LAB_PREFIX" \
		--vdev "net_af_xdp0,iface=p0" --vdev "net_af_xdp1,iface=p1" -- --memory 1024 \
		--control "$DP_SOCKET" --xdp-set "$XDP_SET"
	DP_PID=$LAST_PID
}
end() {
	dp_kill
	unset 'LAB_PIDS[-1]'
}

flow_start out "$NS_C" $CALLER4 "$NS_S" $CALLEE4 5060 500 3600
# What the first one makes, all the others find; and how long one takes to forward is this machine's.
start
begin=$(date +%s%N)
wait_filtering
life=$((($(date +%s%N) - begin) * 5 / 4000000)) # ms
end
programs=$(prog_ids) maps=$(map_ids)
before=$(trace) memory=$(map_memory) files=$(files)
steered=$(outcome steered)
RANDOM=4711
forwarding=0
for i in $(seq "$rounds"); do
	start
	ms=$((RANDOM % life))
	sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
	end
	now=$(outcome steered)
	[ "$now" = "$steered" ] || forwarding=$((forwarding + 1))
	steered=$now
done
kill "$FLOW_SEND_out"
flow_end out
say "ok: $rounds rounds, $forwarding of them killed while forwarding"
[ "$forwarding" -ge $((rounds / 20)) ] || die "too few rounds in which it came to forward: $forwarding"
check "programs, maps and pins" "$(trace)" "$before"
check "memory of the maps" "$(map_memory)" "$memory"
check "AF_XDP sockets" "$(sockets)" 0
check "files of DPDK" "$(files)" "$files"
check "packets twice" "$(flow out duplicates)" 0
lost=$(($(flow out sent) - $(flow out received)))
say "ok: lost of $(flow out sent) signalling packets: $lost, in flight at $forwarding kills"
# At most the limit's worth a kill: 50 packets of 500 a second, and as much again for a loaded machine.
[ "$lost" -le $((forwarding * 100)) ] || die "more was lost than was in flight"

mkdir -p "$STATE/images"
dp_again
wait_filtering
say "ok: filters again"
dp_kill
xdp detach >"$LAB_DIR/detach.log" 2>&1 || die "tgctl xdp detach: $(cat "$LAB_DIR/detach.log")"
gone() {
	local id
	for id in $programs; do ! bpftool prog show id "$id" || return 1; done
	for id in $maps; do ! bpftool map show id "$id" || return 1; done
	[ ! -e "$XDP_SET" ]
}
wait_for 10 gone || die "after detach there is still: $(ls -R "$XDP_SET" 2>/dev/null) of programs" $programs "maps" $maps
say "ok: after detach neither program nor map nor pin is left"
