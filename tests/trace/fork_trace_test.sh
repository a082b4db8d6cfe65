#!/bin/bash
# fork_trace_test.sh CHECK PROTO LABEL=FILE...: the trace of a shell that forks and runs many programs on four harts must satisfy the
# checker. Files are what tools/run would have Bazel build.
set -euo pipefail
source "$(dirname "$(readlink -f "$0")")/../built.sh"

check=$PWD/$1 proto=$PWD/$2
shift 2
use_built "$@"

cat >"$dir/build.sh" <<'SH'
mkdir /tmp/build && cd /tmp/build
for i in 1 2 3 4 5 6 7 8; do
	(
		for j in 1 2 3 4; do echo "$i $j" | sed 's/1/x/' | wc -c >"part.$i.$j"; done
		cat part.$i.* | sort >"all.$i"
	) &
done
wait
ls | wc -l
SH
"$tools/run" --timeout 100 --trace "$dir/fork.pftrace" --file "$dir/build.sh" -- sh /build.sh >"$dir/out" ||
	fail "status $?"
[[ $(<"$dir/out") == 40 ]] || fail "the build made $(<"$dir/out") files"
/usr/bin/python3 "$check" --proto "$proto" "$dir/fork.pftrace" --expect births=100 --expect calls=1000 \
	--expect page_fault=100 --expect cross_hart_wakings=10 >"$dir/found" || fail "the trace: $(<"$dir/found")"
grep -qx lost=0 "$dir/found" || fail "records were lost"
echo ok
