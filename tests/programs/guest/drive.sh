#!/bin/sh
# Runs /programs/NAME by Debian's sh for each "NAME SECONDS" of its input, and tells after each, in a line of its own, name, status,
# milliseconds and the length of the output, which follows. A program that takes too long is killed: status 137.
milliseconds() {
	read -r up rest </proc/uptime
	echo $((${up%.*} * 1000 + 10 * (1${up#*.} - 100)))
}

export LC_ALL=C HOME=/root
while read -r name seconds; do
	mkdir -p /tmp/work
	cd /tmp/work || exit 1
	start=$(milliseconds)
	/bin/busybox timeout -s KILL "$seconds" /bin/sh "/programs/$name" >/tmp/output 2>&1 </dev/null
	status=$?
	echo "@@ $name $status $(($(milliseconds) - start)) $(/bin/busybox wc -c </tmp/output)"
	/bin/busybox cat /tmp/output
	cd /tmp && /bin/busybox rm -rf /tmp/work
done
