#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# needs: root
# tollgate-dp on virtual devices, without daemon and peers: what leaves is compared with what entered,
# frame by frame.
#
#	in0.pcap -> [ port 0 | tollgate-dp | port 1 ] -> out1.pcap
#	out0.pcap <-                                  <- in1.pcap
set -u
. "$(dirname "$0")/lib.sh"

DIR=$LAB_BUILD/tests/dp_vdevs
DP=$LAB_BUILD/tollgate-dp
MAKE_IMAGES=$LAB_BUILD/tests/make_images
FRAMES=$LAB_TOP/tests/system/dp_frames.py
LAB_PREFIX=tgvdev$$
trap lab_close EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

[ "$(id -u)" -eq 0 ] || skip "needs root"
[ -x "$DP" ] && [ -x "$MAKE_IMAGES" ] || skip "tollgate-dp or make_images is not built"
/usr/bin/python3 -c 'import scapy.all' 2>/dev/null || skip "python3-scapy is not installed"
command -v jq >/dev/null || skip "jq is not installed"
command -v dpdk-telemetry.py >/dev/null || skip "dpdk-telemetry.py (dpdk-dev) is not installed"
rm -rf "$DIR"
mkdir -p "$DIR"
cd "$DIR" || exit 1
LAB_DIR=$DIR

ask() { /usr/bin/python3 "$LAB_TOP/tests/system/telemetry.py" "/var/run/dpdk/$LAB_PREFIX" "$1"; }
alive() { ask /tollgate/stats | grep -q rx_packets; }
received() { [ "$(ask /tollgate/stats | jq .rx_packets)" -ge "$1" ]; }

# run NAME EAL-OPTIONS... -- OPTIONS...: starts a dataplane; its process id is DP_PID
run() {
	local name=$1
	shift
	background "$name" "$DP" --no-huge -m 512 --no-pci --file-prefix "$LAB_PREFIX" "$@" \
		--control "$DIR/dp.sock"
	DP_PID=$LAST_PID DP_NAME=$name
	wait_for 30 alive || {
		tail -n 20 "$DIR/$name.log"
		die "$name: does not start"
	}
}
# stop: SIGINT must end it, with exit code 0 and nothing left behind
stop() {
	local rc
	kill -INT "$DP_PID"
	wait_for 20 eval "! kill -0 $DP_PID 2>/dev/null || [ \$(ps -o stat= -p $DP_PID) = Z ]" ||
		die "$DP_NAME: does not stop"
	wait "$DP_PID"
	rc=$?
	[ $rc = 0 ] || tail -n 20 "$DIR/$DP_NAME.log"
	check "$DP_NAME: exit code" $rc 0
	[ ! -e "$DIR/dp.sock" ] || die "$DP_NAME: its control socket is left"
}
PCAPS=(--vdev "net_pcap0,rx_pcap=in0.pcap,tx_pcap=out0.pcap" --vdev "net_pcap1,rx_pcap=in1.pcap,tx_pcap=out1.pcap")

cat >feed.csv <<-CSV
	kind,number,role,category,score,expires,ref
	exact,+12025550123,caller,fraud,95,,test
CSV
cat >policy.yaml <<-'YAML'
	version: 1
	trunks:
	  - name: out-side
	    port: 0
	    mode: enforce
	    answers_per_second: 1000
	answers:
	  - { name: decline, code: 603, phrase: Decline, reason: 'Q.850;cause=21;text="Call rejected"' }
	rules:
	  - name: block-listed
	    when: { role: [caller], category: [fraud], score: { min: 80 } }
	    action: reject
	    answer: decline
YAML
"$MAKE_IMAGES" images 42 feed.csv policy.yaml >/dev/null || die "make_images"
echo 000102030405060708090a0b0c0d0eff >key
counts=($(/usr/bin/python3 "$FRAMES" make .)) || die "frames cannot be made"
outside=${counts[0]} inside=${counts[1]} answers=${counts[2]}

say "---- frames that pass are the same bytes, listed callers are answered on their port"
run pcap -l 0 "${PCAPS[@]}" -- --images images --events events.jsonl --key-file key
wait_for 30 received $((outside + inside)) || die "not all frames were received: $(ask /tollgate/stats)"
counted() { [ "$(ask /tollgate/reasons | jq add)" -ge "$1" ]; }
wait_for 5 counted $((outside + inside)) # one fragment has no others: it is held for 200 ms
check "generation in force" "$(ask /tollgate/generation | jq .number)" 42
check "numbers in it" "$(ask /tollgate/generation | jq .base_entries)" 1
check "answers" "$(ask /tollgate/stats | jq .answers_sent)" "$answers"
check "retransmissions" "$(ask /tollgate/stats | jq .verdicts_repeated)" 2
check "every frame has one reason" "$(ask /tollgate/reasons | jq 'add')" $((outside + inside))
check "wrong checksum" "$(ask /tollgate/reasons | jq .bad_checksum)" 1
check "fragments that waited in vain" "$(ask /tollgate/reasons | jq .fragments_unassembled)" 1
check "calls rejected" "$(ask /tollgate/actions,out-side | jq .enforce_reject)" $((answers - 2))
check "calls from inside are never enforced" "$(ask /tollgate/actions | jq .shadow_reject)" 2
check "calls of the trunk" "$(ask /tollgate/trunks | jq .out_side)" "$(ask /tollgate/trunks,out-side | jq add)"
check "an unknown trunk" "$(ask /tollgate/trunks,nowhere)" null
check "frames with a latency" "$(ask /tollgate/latency | jq .frames)" $((outside + inside))
[ "$(ask /tollgate/latency | jq '.p50_ns > 0 and .p50_ns <= .p99_ns and .p99_ns <= .p999_ns and .p999_ns <= .max_ns')" = true ] ||
	die "latency: $(ask /tollgate/latency)"
echo /tollgate/stats | timeout 5 dpdk-telemetry.py -f "$LAB_PREFIX" >person.txt 2>&1
grep -q '"rx_packets"' person.txt || die "dpdk-telemetry.py does not show the counters: $(cat person.txt)"
stop
/usr/bin/python3 "$FRAMES" check . || die "frames differ"
check "events" "$(jq -s 'length' events.jsonl)" $((answers + 2))
check "events answered" "$(jq -s '[.[] | select(.fate == "answer" and .rule == "block-listed")] | length' events.jsonl)" "$answers"
! grep -q 12025550123 events.jsonl || die "a number is not masked"

say "---- ACKs to those answers are absorbed, after a restart too; others pass"
acks=$(/usr/bin/python3 "$FRAMES" acks .) || die "ACKs cannot be made"
run acks -l 0 --vdev net_pcap0,rx_pcap=ack0.pcap,tx_pcap=ack_out0.pcap \
	--vdev net_pcap1,rx_pcap=in1.pcap,tx_pcap=ack_out1.pcap -- --images images --key-file key --pairs 1:0
wait_for 30 received $((acks + inside)) || die "not all ACKs were received"
check "absorbed" "$(ask /tollgate/reasons | jq .ack_absorbed)" $((acks - 1))
stop
check "ACKs that passed" "$(/usr/bin/python3 "$FRAMES" count ack_out1.pcap)" 1

say "---- without images, or with damaged ones, everything passes, and the log says why"
run none -l 0 --vdev net_pcap0,rx_pcap=in0.pcap,tx_pcap=none0.pcap \
	--vdev net_pcap1,rx_pcap=in1.pcap,tx_pcap=none1.pcap -- --images nowhere
wait_for 30 received $((outside + inside)) || die "not all frames were received"
check "not inspected" "$(ask /tollgate/reasons | jq .no_generation)" $((outside + inside))
stop
/usr/bin/python3 "$FRAMES" same none1.pcap in0.pcap && /usr/bin/python3 "$FRAMES" same none0.pcap in1.pcap ||
	die "frames differ"
grep -q 'nowhere: .*everything passes' none.log || die "the log does not say why"
cp -r images damaged
printf '\001' | dd of=damaged/base bs=1 seek=4100 conv=notrunc 2>/dev/null
run damaged -l 0 "${PCAPS[@]}" -- --images damaged --events -
check "generation in force" "$(ask /tollgate/generation | jq .number)" 0
stop
grep -q 'damaged: base: .*section exact, offset' damaged.log || die "the log does not say where"

say "---- OP-6: numbers are shown whole only where that was asked for, and the log says so"
! grep -q 'numbers are shown whole' pcap.log || die "the log says that numbers are shown, and they are not"
run unmasked -l 0 "${PCAPS[@]}" -- --images images --events unmasked.jsonl --events-unmasked --key-file key
wait_for 30 received $((outside + inside)) || die "not all frames were received"
stop
grep -q '+12025550123' unmasked.jsonl || die "a number is masked"
grep -q 'numbers are shown whole.*unmasked.jsonl' unmasked.log || die "the log does not say that numbers are shown"

say "---- OP-4: a log reader that does not read holds up neither frames nor the end"
mkfifo fifo
background reader /usr/bin/python3 -c 'import fcntl, os, time
fd = os.open("fifo", os.O_RDONLY)
fcntl.fcntl(fd, 1031, 4096)  # F_SETPIPE_SZ
open("reading", "w").close()
time.sleep(60)'
exec 9<>fifo # the reader need not wait for a writer, nor this shell for the reader
wait_for 30 test -e reading
run slow -l 0 "${PCAPS[@]}" -- --images images --events fifo --key-file key
exec 9>&-
wait_for 30 received $((outside + inside)) || die "not all frames were received"
stop
/usr/bin/python3 "$FRAMES" check . || die "frames differ"
grep -q 'events: cannot be written' slow.log || die "the log does not say that events were lost"

say "---- several queues and workers"
two() { echo "net_pcap$1,rx_pcap=in$1.pcap,rx_pcap=in$1.pcap,tx_pcap=two$1a.pcap,tx_pcap=two$1b.pcap"; }
if [ "$(nproc)" -gt 1 ]; then
	run workers -l 0,1 --vdev "$(two 0)" --vdev "$(two 1)" -- --images images --events events2.jsonl --key-file key
	wait_for 30 received $((2 * (outside + inside))) || die "not all frames were received"
	stop
	for q in a b; do
		cp two0$q.pcap out0.pcap
		cp two1$q.pcap out1.pcap
		/usr/bin/python3 "$FRAMES" check . || die "queue $q: frames differ"
	done
	check "events of both workers" "$(jq -s length events2.jsonl)" $((2 * (answers + 2)))
fi

say "---- other devices start, run and stop"
run null -l 0 --vdev net_null0 --vdev net_null1 -- --images images
wait_for 30 received 1000 || die "net_null: no frames"
stop
run ring -l 0 --vdev net_ring0 --vdev net_ring1 -- --idle auto
ticks() { awk '{ print $14 + $15 }' "/proc/$DP_PID/stat"; }
idle=$(ticks)
sleep 2
idle=$((($(ticks) - idle) * 100 / (2 * $(getconf CLK_TCK))))
[ $idle -le 30 ] || die "a worker without packets takes $idle % of a core" # 6 % is usual
say "ok: a worker without packets takes $idle % of a core"
stop
if [ -c /dev/net/tun ]; then
	run tap -l 0 --vdev "net_tap0,iface=tg$$a" --vdev "net_tap1,iface=tg$$b" -- --images images
	ip link set "tg$$a" up
	ip addr add 10.78.0.1/24 dev "tg$$a"
	(echo >/dev/udp/10.78.0.2/9) 2>/dev/null # asks by ARP who that is
	wait_for 30 received 1 || die "net_tap: no frames"
	# L2-7. Links that were seen count at once; 10 s are for those that were not.
	is_up() { ip link show "$1" | grep -q '[<,]UP[,>]'; }
	is_down() { ! is_up "$1"; }
	wait_for 10 is_up "tg$$b" || die "net_tap: the other port is not up"
	sleep 0.3 # two looks at both
	ip link set "tg$$a" down
	wait_for 10 is_down "tg$$b" || die "a lost link was not passed on"
	ip link set "tg$$a" up
	wait_for 10 is_up "tg$$b" || die "a link that is back was not passed on"
	check "links taken down" "$(ask /tollgate/stats | jq .links_taken_down)" 1
	stop
fi

say "---- what cannot work is refused with a sentence"
refused() {
	local rc=$1 says=$2
	shift 2
	timeout 10 "$DP" --no-huge -m 256 --no-pci --file-prefix "$LAB_PREFIX" -l 0 "$@" >refused.log 2>&1
	check "exit code" $? "$rc"
	grep -q -e "$says" refused.log || die "no \"$says\" in: $(tail -n 3 refused.log)"
}
refused 1 "no ports" -- --control dp.sock
refused 1 "needed in pairs" --vdev net_null0 -- --control dp.sock
refused 1 "there is no port 7" --vdev net_null0 --vdev net_null1 -- --pairs 0:7
refused 1 "have 1" "${PCAPS[@]}" -- --queues 2
refused 1 "/nonexistent" --vdev net_null0 --vdev net_null1 -- --control /nonexistent/folder/dp.sock
refused 2 "no such option" --vdev net_null0 --vdev net_null1 -- --nonsense
say "passed"
