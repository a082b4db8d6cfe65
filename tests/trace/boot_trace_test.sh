#!/bin/bash
# boot_trace_test.sh KERNEL BIOS CONVERT CHECK PROTO: traces of the booted kernel, running its own tests on four harts, must
# satisfy the checker: with room for everything, with rings that overflow, and stopping at the first full ring.
set -euo pipefail

kernel=$1 bios=$2 convert=$3 check=$4 proto=$5
dir=$(mktemp -d "${TEST_TMPDIR:-/tmp}/boot_trace.XXXXXX")
trap 'rm -rf "$dir"' EXIT

fail() { echo "FAIL: $*" >&2; exit 1; }

# traced NAME BOOT_ARGUMENT...: boots, converts, checks; leaves NAME.found.
traced() {
	local name=$dir/$1
	shift
	timeout 120 qemu-system-riscv64 -machine virt -cpu rv64 -smp 4 -m 1G -display none -no-reboot \
		-monitor none -serial "file:$name.uart" -bios "$bios" -kernel "$kernel" \
		-semihosting-config enable=on,target=native,userspace=off \
		-append "stellar.test=sched stellar.dump=$name.strace $*" >"$name.firmware" ||
		fail "$*: $(tail -n 5 "$name.uart")"
	"$convert" "$name.strace" -o "$name.pftrace" || fail "$*: not converted"
	/usr/bin/python3 "$check" --proto "$proto" --dump "$name.strace" "$name.pftrace" \
		"${expected[@]}" >"$name.found" || fail "$*"
	cat "$name.found"
}

value() { sed -n "s/^$1=//p" "$dir/$2.found"; }

expected=(--expect kernel_thread_runs=10 --expect kernel_thread_wakings=10)
traced whole stellar.trace=on
expected=()
(($(value lost whole) == 0)) || fail "records lost with default rings"
(($(value switches whole) > 10)) || fail "hardly any switch"

traced overflow stellar.trace=on stellar.trace_buffer=4096
traced stopped stellar.trace=on,stop stellar.trace_buffer=4096
(($(value lost stopped) >= 1)) || fail "a ring of one page was never full"
echo "ok"
