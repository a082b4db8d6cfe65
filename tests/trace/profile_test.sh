#!/bin/bash
# profile_test.sh CHECK PROTO LABEL=FILE...: the kernel's sampler must find where a program's time goes that is known, with the stacks of program
# and kernel, in the Perfetto file and folded, on the release and on the debug kernel; and what kernel threads and handlers of interrupts do. The
# program is the first FILE.
set -euo pipefail
source "$(dirname "$(readlink -f "$0")")/../built.sh"

check=$PWD/$1 proto=$PWD/$2
shift 2
use_built "$@"
program=$PWD/${1#*=}

# found NAME PATTERN: samples whose stack matches. How many there are depends on the load of the host: a few prove the stack.
found() {
	awk -v pattern="$2" '$0 ~ pattern { some += $NF } END { print some + 0 }' "$dir/$1.folded"
}

# profiled NAME OPTION...
profiled() {
	local name=$1
	shift
	"$tools/run" --timeout 100 --net user "$@" --trace "$dir/$name.pftrace" --events sched --profile "$dir/$name.svg" \
		--file "$program:/hot" -- /hot 2 >"$dir/out" || fail "$name: status $?"
	/usr/bin/python3 "$check" --proto "$proto" "$dir/$name.pftrace" --expect samples=100 \
		--expect kernel_samples=10 >"$dir/found" || fail "$name: the trace"
	grep -qx lost=0 "$dir/found" || fail "$name: records were lost"
	for pattern in ';main;.*hot_outer;hot_inner' ';main;.*hot_read;trap_entry;.*sys_read' \
		';main;.*hot_fault;trap_entry;trap_user;task_fault' '^net/[0-9];thread_entry;loop_run' \
		';trap_entry;trap_user;.*irq_handle_pending;timer_run'; do
		(($(found "$name" "$pattern") >= 3)) ||
			fail "$name: $(found "$name" "$pattern") samples in $pattern of $(sort -k2nr -t' ' "$dir/$name.folded" | head -n 30)"
	done
	"$tools/trace/summary" "$dir/$name.pftrace" >"$dir/summary"
	sed -n '/^Samples/,/^$/p' "$dir/summary" | grep -q hot_inner || fail "$name: $(<"$dir/summary")"
	grep -q '<svg' "$dir/$name.svg" && grep -q hot_inner "$dir/$name.svg" || fail "$name: no picture"
}

profiled release --smp 4
profiled debug --smp 4 --debug
echo ok
