#!/bin/bash
# futex_trace_test.sh CHECK PROTO LABEL=FILE...: traces of the futex contention benchmark, as the main job makes them, must
# lose nothing and show who woke whom; with rings that overflow they must be as consistent. The files are what tools/run
# would have Bazel build, the program first.
set -euo pipefail
source "$(dirname "$(readlink -f "$0")")/../built.sh"

check=$PWD/$1 proto=$PWD/$2
shift 2
use_built "$@"
program=$PWD/${1#*=}

# traced NAME OPTION...: runs, checks; leaves NAME.found.
traced() {
	local name=$dir/$1
	shift
	"$tools/run" --timeout 120 --trace "$name.pftrace" "$@" --file "$program:/bin/futex_contention" \
		-- futex_contention --duration 30 --threads 4 \
		--only mutex --only ping-pong --only broadcast --only condvar >"$name.out" ||
		fail "the benchmark: $? after $(tail -n 2 "$name.out")"
	/usr/bin/python3 "$check" --proto "$proto" "$name.pftrace" "${expected[@]}" \
		>"$name.found" || fail "the trace: $*"
	cat "$name.found"
}

value() { sed -n "s/^$1=//p" "$dir/$2.found"; }

expected=()
for key in wakers cross_hart_wakings calls futex_wait futex_wake woken flows switches; do
	expected+=(--expect "$key=100")
done
expected+=(--expect births=64 --expect spin_holders=1)
traced whole
(($(value lost whole) == 0)) || fail "$(value lost whole) records lost with default rings"

expected=(--expect wakers=1 --expect calls=1)
traced overflow --append stellar.trace_buffer=262144
(($(value lost overflow) > 1000)) || fail "a small ring must lose records"
echo "ok"
