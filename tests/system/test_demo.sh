#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# needs: root
# `make run` ends well, also after others that were interrupted (Ctrl-C) at moments of every phase, in well
# under a minute, and leaves nothing behind; it takes away what a killed one left. As an ordinary user it
# judges the bundled capture.
set -u
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" -eq 0 ] || skip "needs root"
command -v bpftool >/dev/null || PATH=$PATH:/usr/sbin
out=$LAB_BUILD/tests/demo
rm -rf "$out"
mkdir -p "$out"

# ids PID: XDP programs and maps of the demonstration with this pid, while it runs
ids() {
	local p
	for p in $(ip -n "tg$1d" -j -d link show dev p0 2>/dev/null | jq '.[0].xdp.prog.id // empty'); do
		echo "prog $p"
		bpftool prog show id "$p" -j | jq -r '.map_ids[] | "map \(.)"'
	done
}
# traces PID: what is there of it, a line each
traces() {
	local kind id
	ip netns list | grep "^tg$1[cds]"
	ls /var/run/dpdk 2>/dev/null | grep "^tgdemo$1\$"
	pgrep -af "tg$1[cds]|tgdemo$1|$LAB_BUILD/demo/" | grep -v pgrep
	grep "$LAB_BUILD/demo/bpf" /proc/mounts
	while read -r kind id; do
		! bpftool "$kind" show id "$id" >/dev/null 2>&1 || echo "$kind $id"
	done <"$out/ids"
	[ "$(cat /proc/sys/vm/nr_hugepages)" = "$hugepages" ] || echo "huge pages: $(cat /proc/sys/vm/nr_hugepages)"
}
clean() { [ -z "$(traces "$1")" ]; } # the kernel takes its time over maps
nothing_left() { wait_for 30 clean "$1" || die "left behind $2: $(traces "$1")"; }
hugepages=$(cat /proc/sys/vm/nr_hugepages)

say "---- Ctrl-C: while it sets up, while calls run, after the update, while nobody filters, after the restart"
for after in 0.2 0.9 4 7 11 12; do
	setsid env --default-signal=INT "$LAB_TOP/tests/system/demo" >"$out/after-$after.txt" 2>&1 &
	demo=$!
	sleep $after
	ids $demo >"$out/ids"
	[ $after = 0.2 ] || [ -n "$(traces $demo)" ] || die "nothing is there after $after s: this shows nothing"
	kill -INT -- "-$demo" # the whole group, as a terminal does
	wait "$demo"
	code=$?
	nothing_left $demo "by Ctrl-C after $after s"
	check "exit code after Ctrl-C after $after s" $code 130
	grep -q 'taken down' "$out/after-$after.txt" || die "it does not say so: $(tail -n 3 "$out/after-$after.txt")"
done

say "---- killed (-9), it cannot clean up: the next one does, and ends well"
setsid "$LAB_TOP/tests/system/demo" >"$out/killed.txt" 2>&1 &
killed=$!
sleep 4
kill -KILL $killed
wait $killed 2>/dev/null
[ -n "$(traces $killed)" ] || die "nothing is left of the killed one: this shows nothing"
SECONDS=0
"$LAB_TOP/tests/system/demo" >"$out/report.txt" 2>&1 &
demo=$!
sleep 8
ids $demo >"$out/ids"
wait $demo || {
	tail -n 30 "$out/report.txt"
	die "the demonstration failed"
}
took=$SECONDS
nothing_left $demo "at its end"
nothing_left $killed "of the killed one"
# Idempotent: six went before this one. A loaded machine may take twice the twenty seconds.
[ "$took" -le 50 ] || die "it took $took s"
for line in 'calls offered  *1600' 'rejected with 603' 'passed and answered .*the far end saw' 'from push to effect  *[0-9.]* ms' \
	'added latency p50 / p99  *[0-9]' 'failed / sent again  *0 / 0' 'logs, events, statistics' 'No call was lost'; do
	grep -q "$line" "$out/report.txt" || die "the report has no \"$line\""
done
say "ok: ended by itself after $took s, with its report"

say "---- as an ordinary user"
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
mkdir -p "$copy"/{build,control,tests/vectors}
cp "$LAB_BUILD/tgctl" "$copy/build/"
cp -r "$LAB_TOP/control/samples" "$copy/control/"
cp -r "$LAB_TOP/tests/system" "$copy/tests/"
cp "$LAB_TOP/tests/vectors/calls.pcap" "$copy/tests/vectors/"
chmod -R a+rX "$copy"
runuser -u nobody -- env -u TG_BUILD "$copy/tests/system/demo" >"$out/nobody.txt" 2>"$out/nobody.err" ||
	die "without root: exit $?, $(cat "$out/nobody.err")"
grep -q '^Not root' "$out/nobody.txt" || die "it does not say that it is not root"
check "calls judged without root" "$(grep -c "$(printf '\tsip\tINVITE\t')" "$out/nobody.txt")" 9
check "of them rejected" "$(grep -c "$(printf '\treject\t')" "$out/nobody.txt")" 5
