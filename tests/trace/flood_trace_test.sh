#!/bin/bash
# flood_trace_test.sh CHECK PROTO LABEL=FILE...: eight harts that record everything, faster than their rings can hold, must lose nothing that they
# do not count: from the first number of each that is left to the last none is missing. The program is the first FILE.
set -euo pipefail
source "$(dirname "$(readlink -f "$0")")/../built.sh"

check=$PWD/$1 proto=$PWD/$2
shift 2
use_built "$@"
program=$PWD/${1#*=}

# flooded NAME NUMBERS OPTION...: leaves NAME.found.
flooded() {
	local name=$1 numbers=$2
	shift 2
	"$tools/run" --smp 8 --timeout 100 --trace "$dir/$name.pftrace" --events on,sample "$@" \
		--file "$program:/flood" -- /flood 8 "$numbers" || fail "$name: status $?"
	/usr/bin/python3 "$check" --proto "$proto" "$dir/$name.pftrace" --numbered "$numbers" \
		>"$dir/$name.found" || fail "$name: the trace"
	cat "$dir/$name.found"
}

flooded small 2000 --append stellar.trace_buffer=131072
grep -qE '^lost=[1-9]' "$dir/small.found" || fail "a small ring must lose records"
flooded whole 500
grep -qx lost=0 "$dir/whole.found" || fail "records lost with rings of the default size"
grep -qx numbered=4000 "$dir/whole.found" || fail "markers are missing"
echo ok
