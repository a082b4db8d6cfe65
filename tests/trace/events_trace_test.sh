#!/bin/bash
# events_trace_test.sh CHECK PROTO LABEL=FILE...: the trace of a program that causes every event that a program can must show each of them, with
# its arguments, and satisfy the checker; the program is the first FILE. Files are what tools/run would have Bazel build.
set -euo pipefail
source "$(dirname "$(readlink -f "$0")")/../built.sh"

check=$PWD/$1 proto=$PWD/$2
shift 2
use_built "$@"
program=$PWD/${1#*=}

expected=()
for key in semop msgsnd msgrcv mq_send mq_receive send receive 'stream write' 'socket wait' 'ipc wait'; do
	expected+=(--expect "$key=50")
done
for key in shmat shmdt connect accept futex_requeue futex_lock_pi futex_unlock_pi 'TCP LISTEN' 'TCP ESTABLISHED' 'TCP CLOSE' tcp_states; do
	expected+=(--expect "$key=1")
done
# A thread that slept for IPC or a socket was woken by an arrow.
expected+=(--expect flows=100 --expect wakers=100)
# pread64 and mmap, with what does not fit three numbers of 42 bits.
expected+=(--call 67:0xffffffffffffffff,0x1111,0x2222,0x123456789abcdef)
expected+=(--call 222:0x0,0x1000,0x1,0x12,0xfffffffffffffffe,0x5000)

"$tools/run" --timeout 100 --trace "$dir/events.pftrace" --file "$program:/events" -- /events || fail "status $?"
/usr/bin/python3 "$check" --proto "$proto" "$dir/events.pftrace" "${expected[@]}" >"$dir/found" || fail "the trace"
cat "$dir/found"
grep -qx lost=0 "$dir/found" || fail "records were lost"
echo ok
