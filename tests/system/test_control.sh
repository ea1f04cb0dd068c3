#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The control plane from end to end, without root and without DPDK:
#
#   tgctl --(operator's socket)--> tollgated --(ctl.h, sealed memfds)--> fake_dp
#
# Imports, refusals, single numbers, rollback, policies, JSON, exit codes; and kill -9 of the daemon at
# random moments of imports and publications: the store stays consistent, what was in force stays in
# force, and the next daemon goes on.
# needs: nothing
set -u
BUILD=${TG_BUILD:-build}
ROUNDS=${ROUNDS:-40}
# The seed is printed, so that a failure can be tried again.
RANDOM=${SEED:=$$}
DIR=$(mktemp -d /tmp/tg-control-XXXXXX)
STATE=$DIR/state
SOCKET=$DIR/tollgated.sock
failures=0
DAEMON='' DP=''

cleanup() {
	[ -n "$DAEMON" ] && kill -9 "$DAEMON" 2>/dev/null
	[ -n "$DP" ] && kill "$DP" 2>/dev/null
	wait 2>/dev/null
	[ "$failures" = 0 ] && rm -rf "$DIR"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

fail() {
	echo "FAILED: $*"
	failures=$((failures + 1))
}
# check WHAT GOT WANTED
check() {
	if [ "$2" = "$3" ]; then echo "ok: $1"; else fail "$1: got \"$2\", wanted \"$3\""; fi
}
# exits CODE COMMAND...: its output is in $DIR/out and $DIR/err
exits() {
	local want=$1 got
	shift
	"$@" >"$DIR/out" 2>"$DIR/err"
	got=$?
	[ "$got" = "$want" ] || fail "$*: exit $got, wanted $want: $(cat "$DIR/out" "$DIR/err")"
}
ctl() { timeout 60 "$BUILD/tgctl" --socket "$SOCKET" "$@"; }
# field PATH: of the last `exits` with --json; `a.b[0]` as Python says it
field() { python3 -c 'import json,sys; v = json.load(open(sys.argv[1])); print(eval("v" + sys.argv[2]))' "$DIR/out" "$1"; }
# wait_for SECONDS COMMAND...
wait_for() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -gt $end ] && return 1
		sleep 0.05
	done
}

dp_start() {
	"$BUILD/tests/fake_dp" --socket "$DIR/dp.sock" <"$DIR/dp.in" >>"$DIR/dp.out" 2>>"$DIR/dp.err" &
	DP=$!
	wait_for 30 test -S "$DIR/dp.sock" || fail "fake_dp did not start"
}
# dp_ask COMMAND: its one line of answer
dp_ask() {
	local before answer
	before=$(wc -l <"$DIR/dp.out")
	# A generation's line may come in between: it is the state as well, but no answer to a lookup.
	answer="^generation "
	[ "$1" = state ] || answer="^${1#lookup } "
	echo "$1" >&7
	wait_for 30 eval "tail -n +$((before + 1)) '$DIR/dp.out' | grep -q '$answer'"
	tail -n +$((before + 1)) "$DIR/dp.out" | grep "$answer" | tail -n 1
}
# listed NUMBER: "fraud 95" or "-" as caller, in the dataplane
listed() { dp_ask "lookup $1" | sed 's/.* caller \(.*\) called .*/\1/'; }
daemon_start() {
	"$BUILD/tollgated" --state "$STATE" --socket "$SOCKET" --dataplane "$DIR/dp.sock" \
		--events "$DIR/events.json" "$@" >>"$DIR/tollgated.log" 2>&1 &
	DAEMON=$!
	wait_for 60 ctl status || fail "tollgated did not start: $(tail -n 3 "$DIR/tollgated.log")"
}
in_force() {
	ctl status --json | python3 -c 'import json,sys; s = json.load(sys.stdin)
sys.exit(not (s["table"]["in_force"] and not s["table"]["building"]))'
}
# feed NAME FIRST COUNT SCORE: numbers from +12025550000+FIRST on
feed() {
	{
		echo kind,number,role,category,score,expires,ref
		seq -f "exact,+1%.0f,caller,fraud,$4,," $((2025550000 + $2)) $((2025550000 + $2 + $3 - 1))
	} >"$DIR/$1"
}

mkfifo "$DIR/dp.in"
exec 7<>"$DIR/dp.in"
dp_start
daemon_start
echo "-- seed $SEED, state in $DIR"

echo "-- an empty table passes all, and says so"
wait_for 60 in_force || fail "no generation came into force"
# The daemon waits for statistics for 300 ms, which is long unless the machine stands still.
with_stats() {
	ctl status --json >"$DIR/out" && [ "$(field '["dataplane"]["stats"] is not None')" = True ]
}
wait_for 30 with_stats
check "alarm of the empty table" "$(field '["alarms"][0]["alarm"]')" EMPTY_TABLE
check "dataplane is connected" "$(field '["dataplane"]["connected"]')" True
check "statistics come through" "$(field '["dataplane"]["stats"]["actions"]["enforce"]["reject"]')" 7
check "nothing listed" "$(listed +12025550123)" -

echo "-- one number"
exits 0 ctl number add +12025550123 --category fraud --score 95 --ref case-17 --json
check "in force" "$(field '["in_force"]')" True
check "listed" "$(listed +12025550123)" "fraud 95"
exits 0 ctl number lookup +12025550123 --json
check "reference" "$(field '["claims"][0]["ref"]')" case-17
exits 0 ctl explain --from +12025550123 --to +6591234567 --json
check "verdict" "$(field '["verdicts"]["call"]["verdict"]')" reject
exits 0 ctl explain +12025550123
grep -q "as caller: reject" "$DIR/out" || fail "explain for people"
exits 0 ctl number del +12025550123
check "not listed any more" "$(listed +12025550123)" -
exits 6 ctl number del +12025550123
exits 3 ctl number add 12x --category fraud --score 95
exits 3 ctl number add +12025550123 --category frud --score 95
exits 3 ctl number add +12025550123 --category fraud --score 101
exits 3 ctl number add +12 --kind prefix --category fraud --score 50
exits 0 ctl number add +12 --kind prefix --category spam --score 50 --force
check "prefix" "$(listed +12025559999)" "spam 50"
exits 0 ctl number del +12 --kind prefix
check "prefix is gone" "$(listed +12025559999)" -
exits 0 ctl number add +12025550150-+12025550159 --role caller --category irsf --score 70
check "range" "$(listed +12025550155)" "irsf 70"
exits 0 ctl number del +12025550150-+12025550159 --role caller

echo "-- an expiry takes effect by itself"
expiry=$(($(date +%s) + 3))
exits 0 ctl number add +12025550124 --category fraud --score 80 \
	--expires "$(date -u -d "@$expiry" +%Y-%m-%dT%H:%M:%SZ)"
now=$(listed +12025550124)
# A machine that stood still until then has nothing to show.
[ "$(date +%s)" -ge $expiry ] || check "listed for now" "$now" "fraud 80"
expired() { [ "$(listed +12025550124)" = - ]; }
wait_for 60 expired || fail "the expiry did not take effect"

echo "-- feeds"
feed a.csv 1000 20000 81
exits 0 ctl feed import "$DIR/a.csv" --source acme --json
check "records" "$(field '["records"]')" 20000
check "feed in force" "$(listed +12025551000)" "fraud 81"
exits 0 ctl feed import - --source pipe --json < <(head -n 3 "$DIR/a.csv")
check "from a pipe" "$(field '["records"]')" 2
# Progress is told a few times a second: of a feed that takes longer than that. The result has its own line.
exits 0 ctl feed import - --source pipe --progress < <(head -n 3 "$DIR/a.csv"; sleep 1)
grep -q "$(printf '\r[a-z]*  *[0-9]')" "$DIR/err" || fail "no progress: $(cat "$DIR/err")"
grep -q "$(printf ' \r$')" "$DIR/err" || fail "progress is left on the line: $(cat "$DIR/err")"
# A million lines, of which one, near the end, has a score that is none.
feed million.csv 1000 1000000 81
sed '999990s/,81,/,181,/' "$DIR/million.csv" >"$DIR/bad.csv"
exits 3 ctl feed import "$DIR/bad.csv" --source acme --force
grep -q "bad.csv:999990:[0-9]*: score" "$DIR/err" || fail "where the feed is bad: $(cat "$DIR/err")"
exits 3 "$BUILD/tgctl" replay --feed "$DIR/bad.csv" tests/vectors/calls.pcap
grep -q "bad.csv:999990:[0-9]*: score" "$DIR/err" || fail "where replay finds it bad: $(cat "$DIR/err")"
exits 3 ctl feed import "$DIR/bad.csv" --source acme --json
check "line of the error" "$(field '["error"]["line"]')" 999990
check "nothing of it was taken" "$(listed +12025551001)" "fraud 81"
feed small.csv 1000 10 82
exits 6 ctl feed import "$DIR/small.csv" --source acme
grep -q "force is needed" "$DIR/err" || fail "a shrinking table is refused: $(cat "$DIR/err")"
exits 4 ctl feed import "$DIR/nonexistent" --source acme
exits 4 ctl feed import "$DIR" --source acme
exits 3 ctl feed import "$DIR/a.csv" --source 'No Such!'
exits 0 ctl feed list --json
check "sources" "$(field '["sources"].__len__()')" 3

echo "-- an import is cancelled when its client goes"
mkfifo "$DIR/fifo"
sleep 30 >"$DIR/fifo" &
HOLD=$!
"$BUILD/tgctl" --socket "$SOCKET" feed import - --source slow <"$DIR/fifo" >"$DIR/slow.out" 2>&1 &
IMPORT=$!
sleep 0.5
kill $IMPORT # as Ctrl-C does; a shell's background jobs ignore SIGINT
wait $IMPORT 2>/dev/null
# The one that waited behind it gets through only because it was cancelled: its pipe is still open.
exits 0 timeout 25 "$BUILD/tgctl" --socket "$SOCKET" feed import "$DIR/a.csv" --source acme
kill $HOLD
exits 0 ctl feed list
grep -q slow "$DIR/out" && fail "something of a cancelled import was taken"

echo "-- policies"
cat >"$DIR/bad.yaml" <<-'YAML'
	version: 1
	nonsense: [1, 2
YAML
exits 0 "$BUILD/tgctl" policy check control/samples/policy-enforce-demo.yaml
exits 0 "$BUILD/tgctl" policy check control/samples/policy-default.yaml
check "what is in it" "$(sed 's/.*: //' "$DIR/out")" "1 trunk (with the catch-all), 1 rule, 1 answer"
exits 3 "$BUILD/tgctl" policy check "$DIR/bad.yaml"
grep -q "bad.yaml:[0-9]*:[0-9]*: " "$DIR/err" || fail "where the policy is bad: $(cat "$DIR/err")"
exits 4 "$BUILD/tgctl" policy check "$DIR/nonexistent"
exits 0 ctl policy load control/samples/policy-enforce-demo.yaml
# OP-1: what is refused leaves what was there, in force and on disk.
before=$(dp_ask state)
exits 3 ctl policy load "$DIR/bad.yaml"
check "OP-1 in force after a refused policy" "$(dp_ask state)" "$before"
exits 0 ctl policy show
cmp -s "$DIR/out" control/samples/policy-enforce-demo.yaml || fail "policy show gives another text"

echo "-- a call is explained as if it came with a PASSporT"
cat >"$DIR/passports.yaml" <<-'YAML'
	version: 1
	answers: [ { name: no, code: 438, phrase: Invalid Identity Header } ]
	rules:
	  - { name: forged, when: { verification: [bad_signature] }, action: reject, answer: no }
	  - { name: weak, when: { attestation: [C] }, action: anonymise }
YAML
exits 0 ctl policy load "$DIR/passports.yaml"
explained() {
	exits 0 ctl explain --from +12025550177 --to +6591234567 "$@" --json
	check "with ${*:-none}" "$(field '["verdicts"]["call"]["verdict"]')" "$expected"
}
expected=pass explained
expected=mark explained --attestation C
expected=pass explained --attestation A --verification valid
expected=reject explained --attestation A --verification bad_signature
exits 3 ctl explain --from +12025550177 --to +6591234567 --attestation D
exits 3 ctl explain --from +12025550177 --to +6591234567 --verification failed

echo "-- a call over SS7 is explained, and what happens to its message"
exits 0 ctl policy load control/samples/policy-ss7.yaml
over_ss7() { exits 0 ctl explain --protocol isup --opc 2-57-4 --dpc 2-57-5 --from +12025550177 "$@"; }
over_ss7 --to +441632960123 --json
check "a call over SS7" "$(field '["verdicts"]["call"]["verdict"]')" pass
check "its trunk" "$(field '["verdicts"]["call"]["trunk"]')" carrier-a
over_ss7 --to +441632960123 --screening failed --nature-from unknown --json
check "its rule" "$(field '["verdicts"]["call"]["rule"]')" caller-not-international
check "its level, in shadow" "$(field '["verdicts"]["call"]["wire"]["level"]')" N0
check "its called number" "$(field '["verdicts"]["call"]["wire"]["called"]')" 441632960999
over_ss7 --to +441632960123 --nature-from unknown --nature-to national
grep -q "on the wire: nothing (N0); enforced: the called number becomes 1632960999" "$DIR/out" ||
	fail "the wire for people: $(cat "$DIR/out")"
over_ss7 --to +441632960123 --nature-from unknown --calling-category priority --json
check "a call of priority" "$(field '["verdicts"]["call"]["reason"]')" priority
over_ss7 --to +441632960123 --generic-number additional_calling=+12025550123,dialled=118 \
	--redirecting-number +442079460123 --json
check "the numbers of its parameters" "$(field '["numbers"][3]["number"]') $(field '["numbers"].__len__()')" "+12025550123 5"
exits 0 ctl explain --from +12025550177 --to +441632960123 --called-party-number +441632960123 --calling-party-number +12025550123
grep -q "^+12025550123" "$DIR/out" || fail "a number of ISUP in a body: $(cat "$DIR/out")"
exits 3 ctl explain --protocol isup --from +12025550177 --to +6591234567 --nature-to local
exits 3 ctl explain --protocol isup --from +12025550177 --to +6591234567 --generic-number shown=+12025550123
exits 3 ctl explain --protocol isup --from +12025550177 --to +6591234567 --opc 2-57-4 --dpc 2-57-5 --nature-to national
exits 6 ctl explain --protocol isup --from +12025550177 --to +6591234567 --opc 1
exits 0 ctl policy load control/samples/policy-enforce-demo.yaml

echo "-- a policy that was gone back from stays out of force, across a restart too"
policy_in_force() { dp_ask state | sed 's/.* policy //'; }
good=$(policy_in_force)
exits 0 ctl policy load control/samples/policy-default.yaml
bad=$(policy_in_force)
[ "$bad" != "$good" ] || fail "the two policies are one"
exits 0 ctl table rollback
check "policy gone back to" "$(policy_in_force)" "$good"
kill "$DAEMON" && wait "$DAEMON"
daemon_start
wait_for 60 in_force || fail "nothing in force after the restart"
check "policy after the restart" "$(policy_in_force)" "$good"
exits 0 ctl table activate latest
check "policy loaded last" "$(policy_in_force)" "$bad"
exits 0 ctl policy load control/samples/policy-enforce-demo.yaml

echo "-- going back, and forth"
exits 0 ctl number add +12025550125 --category fraud --score 91
exits 0 ctl table rollback --json
check "rollback is in force" "$(field '["in_force"]')" True
check "what it undoes" "$(listed +12025550125)" -
exits 7 ctl number add +12025550126 --category fraud --score 92 --json
check "while pinned: durable only" "$(field '["in_force"]')" False
exits 0 ctl status --json
check "status says pinned" "$(field '["table"]["pinned"] is not None')" True
kill "$DAEMON" && wait "$DAEMON"
check "clean stop" $? 0
daemon_start
wait_for 60 in_force
check "pinned across a restart" "$(listed +12025550125)" -
exits 0 ctl table activate latest --json
check "latest" "$(listed +12025550125) $(listed +12025550126)" "fraud 91 fraud 92"
for i in 1 2 3 4 5 6 7 8 9 10; do
	exits 0 ctl table rollback
	check "swap $i" "$(listed +12025550126)" "$([ $((i % 2)) = 1 ] && echo - || echo fraud 92)"
done
exits 6 ctl table activate 1234567
exits 0 ctl table list --json
first=$(field '["generations"][0]["generation"]')
exits 0 ctl table activate "$first"
exits 0 ctl table activate latest
exits 0 ctl table verify --json
exits 0 ctl table index --json
check "SQLite is up to date" "$(field '["indexed_batch"] == v["batch"]')" True

echo "-- TB-12: going back while an import runs, which commits and stays out of force"
exits 0 ctl number add +12025550129 --category fraud --score 90
mkfifo "$DIR/slow"
ctl feed import - --source slow --progress <"$DIR/slow" >"$DIR/slow.out" 2>&1 &
IMPORT=$!
exec 8>"$DIR/slow" # until this is closed, the import runs
head -n 3 "$DIR/a.csv" >&8
wait_for 30 grep -q '[a-z]' "$DIR/slow.out" || fail "the import does not begin"
exits 0 ctl table rollback --json
check "rollback is in force" "$(field '["in_force"]') $(listed +12025550129)" "True -"
kill -0 $IMPORT || fail "the import has ended before: $(cat "$DIR/slow.out")"
exec 8>&-
wait $IMPORT
check "import: durable, not in force" $? 7
check "still gone back" "$(listed +12025550129)" -
exits 0 ctl table activate latest
check "all of it afterwards" "$(listed +12025550129)" "fraud 90"
exits 0 ctl feed list
grep -q "^slow  *2 " "$DIR/out" || fail "the import is not there: $(cat "$DIR/out")"

echo "-- pinned until the history has forgotten the newest images: they are on disk again afterwards"
exits 0 ctl number add +12025550128 --category fraud --score 94
exits 0 ctl table rollback
for i in 1 2 3 4 5 6 7 8 9; do
	sed "s/score: { min: [0-9]*/score: { min: $((80 + i))/" control/samples/policy-default.yaml >"$DIR/pin.yaml"
	exits 0 ctl policy load "$DIR/pin.yaml"
done
exits 0 ctl table activate latest --json
latest=$(field '["generation"]')
on_disk() {
	grep -qx "generation $latest" "$STATE/images/current" &&
		sed -n 's/^[a-z]* \(.*\.img\)$/\1/p' "$STATE/images/current" |
		(cd "$STATE/images" && xargs ls)
}
wait_for 60 on_disk || fail "what \`current\` names is not on disk: $(cat "$STATE/images/current"; ls "$STATE/images")"
exits 0 ctl policy load control/samples/policy-enforce-demo.yaml

echo "-- without a dataplane, and without a daemon"
kill "$DP" && wait "$DP" 2>/dev/null
no_dp() { ctl status --json | grep -q '"connected":false'; }
wait_for 60 no_dp || fail "the daemon does not see that the dataplane is gone"
exits 7 ctl number add +12025550127 --category fraud --score 93 --json
check "durable, not in force" "$(field '["why"]')" "no dataplane is connected"
dp_start
taken() { [ "$(listed +12025550127)" = "fraud 93" ]; }
wait_for 60 taken || fail "a dataplane that comes back does not get the table"
if "$BUILD/tollgated" --state "$STATE" --socket "$DIR/other.sock" >"$DIR/second.log" 2>&1; then
	fail "a second daemon started in the same state"
fi
grep -q "another tollgated" "$DIR/second.log" || fail "second daemon: $(cat "$DIR/second.log")"
check "second daemon, exit code" "$("$BUILD/tollgated" --state "$STATE" --socket "$DIR/other.sock" >/dev/null 2>&1; echo $?)" 1
"$BUILD/tollgated" --json --state "$DIR/other" --socket "$DIR/other.sock" --dataplane "$DIR/no.sock" 2>"$DIR/second.log" &
SECOND=$!
wait_for 30 grep -q '"text":"alarm: the table is empty' "$DIR/second.log" || fail "--json: $(cat "$DIR/second.log")"
kill $SECOND && wait $SECOND
check "stopped by SIGTERM, exit code" $? 0
python3 -c 'import json, sys
for line in sys.stdin: json.loads(line)["time"].index("T")' <"$DIR/second.log" || fail "--json: $(cat "$DIR/second.log")"
exits 5 "$BUILD/tgctl" --socket "$DIR/nonexistent" status
exits 2 ctl nonsense
exits 2 ctl number add +12025550123
head -c 100000 /dev/urandom | timeout 5 python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
try: s.sendall(sys.stdin.buffer.read())
except OSError: pass' "$SOCKET"
exits 0 ctl status

# The fake dataplane says 7 calls judged, 2 frames of TLS and 1 of MPLS.
echo "-- coverage"
wait_for 30 with_stats
check "share inspected" "$(field '["dataplane"]["stats"]["coverage"]["inspected_share_at_least"]')" 0.7
check "frames uninspected" "$(field '["dataplane"]["stats"]["coverage"]["uninspected"]')" 3
says() { ctl "$1" | grep -qF -- "$2"; }
wait_for 30 says status "at least 70.0 % of call attempts inspected: 7 judged; 3 frames that may" || fail "coverage: $(ctl status; ctl metrics)"
wait_for 30 says status "uninspected  tls 2, mpls 1" || fail "coverage: $(ctl status; ctl metrics)"
wait_for 30 says status "4 with ISUP" || fail "coverage: $(ctl status; ctl metrics)"
wait_for 30 says metrics 'tollgate_uninspected_total{reason="tls"} 2' || fail "coverage: $(ctl status; ctl metrics)"
wait_for 30 says metrics 'tollgate_uninspected_total{reason="sip_malformed"} 0' || fail "coverage: $(ctl status; ctl metrics)"
wait_for 30 says metrics 'tollgate_call_attempts_total 7' || fail "coverage: $(ctl status; ctl metrics)"
wait_for 30 says metrics 'tollgate_uninspected_bodies_total{kind="isup"} 4' || fail "coverage: $(ctl status; ctl metrics)"

echo "-- OP-5: no number is a label, however many are listed"
ctl metrics >"$DIR/metrics"
check "labels" "$(sed -n 's/^tollgate_[a-z_]*{\([a-z]*\)=.*/\1/p' "$DIR/metrics" | sort -u | tr '\n' ' ')" "condition kind reason "
grep -qE '[0-9]{7}' "$DIR/metrics" && fail "a number in metrics: $(grep -E '[0-9]{7}' "$DIR/metrics")"

# The reader of JSON that matters is not ours.
echo "-- --json is JSON"
for command in status "feed list" "table list" "policy show" "number lookup +12025550123" "number lookup 112" \
	"explain +12025550123" "table verify" "number lookup x"; do
	# shellcheck disable=SC2086
	ctl $command --json 2>/dev/null | python3 -m json.tool >/dev/null || fail "$command --json"
done

# ---- kill -9 -------------------------------------------------------------------------------------
# Two feeds of one source that differ in their scores and in how many they are, and a number added
# meanwhile. After each kill the source is whole, the old or the new one; what was acknowledged is
# there; the dataplane has gone on with what it had; the next daemon publishes.
echo "-- kill -9, $ROUNDS rounds"
feed k0.csv 1000 20000 60
feed k1.csv 1000 20700 61
claims() {
	ctl feed list --json >"$DIR/out"
	field "[\"sources\"][[s['source'] for s in json.load(open('$DIR/out'))['sources']].index('acme')]['claims']"
}
exits 0 ctl feed import "$DIR/k0.csv" --source acme
have=0 committed=0
for ((round = 1; round <= ROUNDS; round++)); do
	want=$((1 - have))
	number=+120255$((20000 + round))
	before=$(dp_ask state)
	ctl feed import "$DIR/k$want.csv" --source acme --force >"$DIR/import.out" 2>&1 &
	IMPORT=$!
	ctl number add $number --category scam --score 77 --role caller >"$DIR/add.out" 2>&1 &
	ADD=$!
	# An import of 20,000 lines takes some 20 ms, its base, the publication and the images on disk some 100
	# more: kills fall before, in, and after each; every other one in the import.
	sleep "0.$(printf %04d $((RANDOM % (round % 2 ? 300 : 1500))))"
	kill -9 "$DAEMON"
	wait "$DAEMON" 2>/dev/null
	wait $ADD
	added=$?
	wait $IMPORT
	imported=$?
	during=$(dp_ask state)
	[ -n "$during" ] || fail "round $round: the dataplane has no table (it had: $before)"
	case $(listed +12025551500) in
	"fraud 6$have" | "fraud 6$want") ;;
	*) fail "round $round: the dataplane decides with neither feed" ;;
	esac
	daemon_start
	wait_for 60 in_force || fail "round $round: nothing comes into force after the restart"
	n=$(claims)
	case $n in
	20000) have=0 ;;
	20700) have=1 ;;
	*) fail "round $round: the source is neither the old feed nor the new one: $n claims" ;;
	esac
	[ $have = $want ] && committed=$((committed + 1))
	[ $imported = 0 ] && [ $have != $want ] && fail "round $round: an acknowledged import is lost"
	[ $added = 0 ] && [ "$(listed $number)" != "scam 77" ] && fail "round $round: an acknowledged number is lost"
	for probe in 1500 11000 20999; do
		[ "$(listed +1$((2025550000 + probe)))" = "fraud 6$have" ] ||
			fail "round $round: the dataplane does not decide with what the store has"
	done
	[ "$(listed +12025571500)" = "$([ $have = 1 ] && echo fraud 61 || echo -)" ] ||
		fail "round $round: the end of the feed"
	[ "$(dp_ask state | cut -d' ' -f2)" -ge "$(echo "$during" | cut -d' ' -f2)" ] ||
		fail "round $round: the generation's number went back"
	ctl table verify >/dev/null || fail "round $round: the store is not consistent"
done
echo "ok: $ROUNDS kills, of which $committed after the import's commit"

# Images go to disk, and are swept there, after the acknowledgement: this becomes true, and stays so.
images_of_history() {
	ctl table list --json | python3 -c '
import json, os, sys
named = {"%s-%s.img" % (k, s[k]) for s in json.load(sys.stdin)["generations"]
	 for k in ("base", "delta", "policy") if s[k] and int(s[k], 16)}
found = {f for f in os.listdir(sys.argv[1]) if f.endswith((".img", ".tmp"))}
print("on disk only:", sorted(found - named), "in the history only:", sorted(named - found))
sys.exit(found != named)' "$STATE/images"
}
if wait_for 60 images_of_history; then
	echo "ok: images on disk are those of the history"
else
	fail "images on disk are not those of the history: $(images_of_history)"
fi
kill "$DAEMON" && wait "$DAEMON"
check "clean stop at the end" $? 0

# What a kill between two steps of writing images leaves; and the dataplane has nothing new to take, so
# that no publication sweeps.
echo "-- what nothing names is swept at the start"
cp "$(find "$STATE/images" -name 'base-*.img' | head -n 1)" "$STATE/images/base-0123456789abcdef.img"
: >"$STATE/images/delta-0123456789abcdef.img.tmp"
daemon_start
wait_for 60 in_force || fail "nothing in force after the restart"
images_of_history >"$DIR/out" || fail "after the sweep: $(cat "$DIR/out")"
kill "$DAEMON" && wait "$DAEMON"
DAEMON=''
[ "$failures" = 0 ] || {
	echo "$failures failures; see $DIR"
	exit 1
}
echo "all well"
