#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# needs: root
# TB-1 to TB-3, P4: 10,000 calls at 1,000 a second, one in ten listed, while a table of a million
# entries is swapped every 200 ms between two prebuilt generations that agree on the callers in the
# test. Exactly the listed ones are rejected; no other call fails or is retransmitted.
set -u
. "$(dirname "$0")/lib.sh"
lab_open swap
calls=${CALLS:-10000} rate=${RATE:-1000} entries=${ENTRIES:-1000000} every=200 # ms

numbers 1202555 "$calls" 0 >"$LAB_DIR/callers"
awk 'NR % 10 == 3' "$LAB_DIR/callers" >"$LAB_DIR/listed"
calls_file "$LAB_DIR/inf" "$LAB_DIR/callers" +6591234567
lab_policy
daemon_start --policy "$LAB_DIR/policy.yaml"
dp_start
wait_for 30 daemon_connected || die "daemon and dataplane did not find each other"
{
	feed_of "$LAB_DIR/listed" fraud 95
	seq -f "exact,+447%09.0f,caller,spam,50,,bulk" 1 "$entries"
} >"$LAB_DIR/feed.csv"
ctl feed import "$LAB_DIR/feed.csv" --source bulk >"$LAB_DIR/import.out" || die "import failed"
# The second generation differs in a hundred thousand entries that no call in this test carries.
sed "s/^exact,+4470\(.*\),spam,50/exact,+4470\1,scam,60/" "$LAB_DIR/feed.csv" >"$LAB_DIR/feed2.csv"
ctl feed import "$LAB_DIR/feed2.csv" --source bulk >"$LAB_DIR/import2.out" || die "second import failed"
first=$(telemetry /tollgate/generation | jq .number)
based_on_all() { [ "$(telemetry /tollgate/generation | jq ".base_entries >= $entries")" = true ]; }
wait_for 30 based_on_all || die "the table in force is not of $entries entries: $(telemetry /tollgate/generation)"
bases() { ctl table list --json | jq -r '.generations[-2:][].base'; }
check "tables that take turns" "$(bases | sort -u | wc -l)" 2

uas_start
(
	trap 'exit 0' TERM
	n=0 start=$(date +%s%N)
	while :; do
		ctl table rollback >>"$LAB_DIR/swaps" 2>&1 || echo "swap failed" >>"$LAB_DIR/swap.errors"
		n=$((n + 1))
		echo $n >"$LAB_DIR/swap.count"
		rest=$(((start + n * every * 1000000 - $(date +%s%N)) / 1000000))
		[ $rest -le 0 ] || sleep "$(printf '0.%03d' $rest)"
	done
) &
swapper=$!
LAB_PIDS+=("$swapper")
UAC_TIMEOUT=90 uac "$calls" "$rate" "$LAB_DIR/inf"
code=$?
# A run in which the endpoints themselves lost datagrams says nothing of what is between them.
if [ "$(peer_losses)" -gt 0 ] && [ -z "${SECOND_RUN:-}" ]; then
	say "the endpoints lost $(peer_losses) datagrams in their own sockets: once more"
	lab_close
	trap - EXIT INT TERM
	SECOND_RUN=1 exec "$0"
fi
[ $code -eq 0 ] || die "sipp: exit $code, see $LAB_DIR/uac.log; lost in its own sockets: $(peer_losses)"
kill "$swapper"
wait "$swapper" 2>/dev/null
last=$(telemetry /tollgate/generation | jq .number)

expect_calls "$calls" "$LAB_DIR/listed"
check "retransmissions" "$(stat_of "$LAB_DIR/uac.stat" 'Retransmissions(C)')" 0
[ ! -s "$LAB_DIR/swap.errors" ] || die "a swap failed: $(tail -n 3 "$LAB_DIR/swaps")"
swaps=$((last - first))
say "swaps acknowledged while calls ran: $swaps"
# A quarter less than one each 200 ms: a loaded machine keeps the operator's shell from its core, too.
[ "$swaps" -ge $((calls * 1000 / rate / every * 3 / 4)) ] || die "too few swaps for one each $every ms: $swaps"
wait_for 20 eval "[ \$(reason ack_absorbed) = $(wc -l <"$LAB_DIR/listed") ]" || die "not every ACK was absorbed"
check "frames dropped on transmit" "$(telemetry /tollgate/stats | jq .tx_dropped)" 0
