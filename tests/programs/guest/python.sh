#!/bin/sh
# Python's own tests of the modules named: the cases that did not pass, and the end of what it says.
python3 -m test -v "$@" >log 2>&1
status=$?
grep -E '\.\.\. (skipped|FAIL|ERROR)' log | sort -u
grep -E -A 25 '^(FAIL|ERROR): ' log | head -n 200
tail -n 12 log
exit $status
