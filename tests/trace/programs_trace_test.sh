#!/bin/bash
# programs_trace_test.sh CASE CHECK PROTO LABEL=FILE...: traces of unmodified programs of Debian must satisfy the checker and lose nothing: `redis`,
# a server and its benchmark over lo, and `make`, a parallel build with many forks. Files are what tools/run would have Bazel build.
set -euo pipefail
source "$(dirname "$(readlink -f "$0")")/../built.sh"

case=$1 check=$PWD/$2 proto=$PWD/$3
shift 3
use_built "$@"

expected=()
case $case in
redis)
	packages=(--package redis-server --package redis-tools)
	for key in send receive 'stream write'; do
		expected+=(--expect "$key=1000")
	done
	for key in connect wakers 'TCP ESTABLISHED' 'TCP CLOSE'; do
		expected+=(--expect "$key=20")
	done
	cat >"$dir/run.sh" <<-'SH'
		redis-server --save '' --port 6379 >/dev/null &
		until redis-cli ping 2>/dev/null | grep -q PONG; do sleep 0.1; done
		redis-benchmark -q -n 1000 -c 20 -t set,get >/dev/null && redis-cli shutdown nosave
		wait && echo done
	SH
	;;
make)
	packages=(--package make)
	expected+=(--expect births=60 --expect exec=30 --expect page_fault=300 --expect cross_hart_wakings=5 --expect calls=1500)
	cat >"$dir/Makefile" <<-'MAKE'
		.RECIPEPREFIX := >
		parts := $(foreach i,1 2 3 4 5 6 7 8 9 10 11 12,part$(i))
		all: $(parts)
		>@cat $^ | wc -l
		part%:
		>@for j in 1 2 3; do echo $* | sed s/1/x/; done >$@
	MAKE
	packages+=(--file "$dir/Makefile")
	cat >"$dir/run.sh" <<-'SH'
		mkdir /tmp/build && cd /tmp/build && make -s -j4 -f /Makefile >lines && [ "$(cat lines)" = 36 ] && echo done
	SH
	;;
esac

"$tools/run" --timeout 100 --trace "$dir/trace.pftrace" "${packages[@]}" --file "$dir/run.sh" -- sh /run.sh >"$dir/out" ||
	fail "status $?: $(<"$dir/out")"
grep -qx done "$dir/out" || fail "$(<"$dir/out")"
/usr/bin/python3 "$check" --proto "$proto" "$dir/trace.pftrace" "${expected[@]}" >"$dir/found" || fail "the trace"
cat "$dir/found"
grep -qx lost=0 "$dir/found" || fail "records were lost"
echo ok
