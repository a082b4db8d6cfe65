#!/bin/sh
# Checks the Promela models with spin: each as it is, which must hold, and with each of its fences left out or each of its flaws put in, which must fail.
set -eu
src=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d "${TEST_TMPDIR:-/tmp}/spin.XXXXXX")
trap 'rm -rf "$dir"' EXIT
cp "$src"/*.pml "$dir"
cd "$dir"
failed=0

# check MODEL BROKEN WANTED: 0 errors or some
check() {
	spin -a -DBROKEN="$2" "$1.pml" >spin.log 2>&1 || { cat spin.log; exit 1; }
	gcc -O2 -w -DSAFETY -DMEMLIM=2048 -o pan pan.c
	./pan -m100000 >pan.log 2>&1
	errors=$(sed -n 's/.*errors: \([0-9]*\).*/\1/p' pan.log)
	states=$(sed -n 's/ *\([0-9]*\) states, stored.*/\1/p' pan.log)
	if grep -q 'search depth too small\|out of memory' pan.log; then
		errors=incomplete
	fi
	case $3:$errors in
	holds:0 | fails:[1-9]*) echo "ok $1 broken=$2: $3 ($states states)" ;;
	*) echo "not ok $1 broken=$2: should be: $3; errors: $errors"; cat pan.log; failed=1 ;;
	esac
}

check inbox 0 holds
check inbox 1 fails
check doorbell 0 holds
check doorbell 1 fails
check doorbell 2 fails
check epoch 0 holds
for fence in 1 2 3; do
	check epoch $fence fails
done
check futex 0 holds
check futex 1 fails
check futex 2 fails
check futex_claim 0 holds
for flaw in 1 2 3; do
	check futex_claim $flaw fails
done
check futex_pi 0 holds
for flaw in 1 2 3 4; do
	check futex_pi $flaw fails
done
check futex_cycle 0 holds
check futex_cycle 1 fails
check futex_cycle 2 fails
exit $failed
