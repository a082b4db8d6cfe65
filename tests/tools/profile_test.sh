#!/bin/bash
# profile_test.sh SYSTEM PROBE LABEL=FILE...: tools/profile of a program that reads /dev/zero: the kernel's functions for it must be among
# the samples with their callers, and the picture and the folded stacks must say the same.
set -euo pipefail
source "$(dirname "$(readlink -f "$0")")/../built.sh"

system=$1 probe=$PWD/$2
shift 2
use_built "$@"
read=sys_read
[[ $system == stellar ]] || read=ksys_read

"$tools/profile" --system "$system" --smp 2 --timeout 120 --period 10000 --file "$probe:/bin/probe" -o "$dir/p.svg" \
	--folded "$dir/folded" -- sh -c 'dd if=/dev/zero of=/dev/null bs=1 count=20000; probe exit 7' \
	>"$dir/table" 2>"$dir/err" && fail "the program's status is 7"
[[ $? == 7 ]] || fail "status $?: $(<"$dir/err")"
grep -q "^function .* own .* samples$" "$dir/table" || fail "no table"
grep -qE "(^|;)$read(;| )" "$dir/folded" || fail "nothing below $read: $(head -20 "$dir/folded")"
awk '{ n += $NF } END { exit !(n > 50) }' "$dir/folded" || fail "hardly any sample"
grep -q "<title>$read: " "$dir/p.svg" || fail "$read is not in the picture"
"$tools/profile" --period 0 -- true 2>/dev/null && fail "a period of 0 was taken"
"$tools/profile" 2>/dev/null && fail "no command was taken"
echo ok
