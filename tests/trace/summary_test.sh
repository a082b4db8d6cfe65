#!/bin/bash
# summary_test.sh CHECK PROTO LABEL=FILE...: tools/trace/summary must name the culprit of each prepared case first, and the traces must
# satisfy the checker; the program is the first FILE. Files are what tools/run would have Bazel build.
set -euo pipefail
source "$(dirname "$(readlink -f "$0")")/../built.sh"

check=$PWD/$1 proto=$PWD/$2
shift 2
use_built "$@"
program=$PWD/${1#*=}

# culprit CASE PATTERN: the first suspect of the case must match.
culprit() {
	"$tools/run" --timeout 100 --trace "$dir/$1.pftrace" --file "$program:/cases" -- /cases "$1" \
		>"$dir/$1.out" || fail "$1: status $?"
	/usr/bin/python3 "$check" --proto "$proto" "$dir/$1.pftrace" >"$dir/$1.found" ||
		fail "$1: $(<"$dir/$1.found")"
	"$tools/trace/summary" "$dir/$1.pftrace" >"$dir/$1.summary" || fail "$1: no summary"
	sed -n '/^Suspects/,$p' "$dir/$1.summary" | sed -n 2p | grep -qE "$2" ||
		fail "$1: $(<"$dir/$1.summary")"
}

culprit convoy 'lock convoy: 6 threads queue for the futex at 0x'
culprit ping-pong 'ping-pong between harts: cases-[0-9]+ changed its hart (3[0-9][0-9]|400) times'
culprit inversion 'priority inversion: cases-[0-9]+ \(priority 49\) waited for cases-[0-9]+ \(120\), .* cases-[0-9]+ \(89\)'
culprit collision 'futex hash collision: 0x'
for address in $(cat "$dir/collision.out"); do
	grep -q "hash collision.*$address" "$dir/collision.summary" || fail "collision: $address is not named"
done
for heading in Harts 'Wake-up latency' 'System calls' 'Futexes' 'Locks' 'Slowest critical path'; do
	grep -q "^$heading" "$dir/convoy.summary" || fail "no $heading"
done
"$tools/trace/summary" "$program" 2>"$dir/error" && fail "a summary of a program"
grep -q "not a trace\|no scheduling" "$dir/error" || fail "$(<"$dir/error")"
echo ok
