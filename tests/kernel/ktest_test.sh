#!/bin/bash
# Boots KERNEL with FIRMWARE on HARTS harts, runs all tests inside it and judges the KTAP text: the plan must be fulfilled.
# Usage: ktest_test.sh KERNEL FIRMWARE HARTS [SUITE]
set -u
kernel=$1 firmware=$2 harts=$3 suite=${4:-all}
log=${TEST_TMPDIR:-$(mktemp -d)}/console

timeout 240 qemu-system-riscv64 -nodefaults -no-user-config -display none -no-reboot -machine virt -cpu rv64 \
	-smp "$harts" -m 512M -bios "$firmware" -kernel "$kernel" -serial "file:$log" \
	-semihosting-config enable=on,target=native,userspace=off -append "stellar.test=$suite" </dev/null >/dev/null
status=$?
cat "$log"
planned=$(sed -n 's/^1\.\.\([0-9]*\).*/\1/p' "$log" | tail -n 1)
passed=$(grep -c '^ok ' "$log")
if [ "$status" -ne 0 ] || [ -z "$planned" ] || [ "$passed" -ne "$planned" ]; then
	echo "FAILED: QEMU's status $status, $passed of ${planned:-?} tests ok" >&2
	exit 1
fi
