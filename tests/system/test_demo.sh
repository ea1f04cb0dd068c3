#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# needs: root
# `make run` ends well, twice in a row, and leaves nothing behind; nor does it after Ctrl-C.
set -u
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" -eq 0 ] || skip "needs root"
out=$LAB_BUILD/tests/demo
mkdir -p "$out"

traces() {
	ip netns list | grep -c '^tg[0-9]'
	ls /var/run/dpdk 2>/dev/null | grep -c '^tgdemo'
	cat /proc/sys/vm/nr_hugepages
	pgrep -f "$LAB_BUILD/(tollgate-dp|tollgated)" | wc -l
}
before=$(traces)
for round in 1 2; do
	"$LAB_TOP/tests/system/demo" >"$out/round$round.txt" 2>&1 || {
		tail -n 30 "$out/round$round.txt"
		die "demonstration $round failed"
	}
	check "traces after round $round" "$(traces | tr '\n' ' ')" "$(echo "$before" | tr '\n' ' ')"
done
grep -q 'calls offered' "$out/round2.txt" || die "no report"

setsid env --default-signal=INT "$LAB_TOP/tests/system/demo" >"$out/interrupted.txt" 2>&1 &
demo=$!
sleep 4
kill -INT -- "-$demo"
wait "$demo"
code=$?
[ "$code" -ne 0 ] || die "an interrupted demonstration ended with success"
wait_for 30 eval "[ \"\$(traces | tr '\n' ' ')\" = \"$(echo "$before" | tr '\n' ' ')\" ]" ||
	die "traces after Ctrl-C: $(traces | tr '\n' ' ')"
say "ok: nothing left behind after Ctrl-C (exit $code)"
