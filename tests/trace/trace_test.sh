#!/bin/bash
# trace_test.sh SYNTH CONVERT CHECK PROTO EVENTS_DOC SVG VIEW: the way from the kernel's emitters to a Perfetto file, on made-up
# machines: converted traces must satisfy an independent checker, losses must be the dump's, damage must be an error.
set -euo pipefail

synth=$1 convert=$2 check=$3 proto=$4 doc=$5 svg=$6 view=$7
dir=$(mktemp -d "${TEST_TMPDIR:-/tmp}/trace_test.XXXXXX")
trap 'rm -rf "$dir"' EXIT

fail() { echo "FAIL: $*" >&2; exit 1; }

# value KEY FILE: of KEY=VALUE lines.
value() { sed -n "s/^$1=//p" "$2"; }

# converted NAME SYNTH_OPTION...: makes NAME.strace and NAME.pftrace, checks, leaves NAME.told and NAME.found.
converted() {
	local name=$dir/$1
	shift
	"$synth" "$@" "$name.strace" >"$name.told"
	"$convert" "$name.strace" -o "$name.pftrace" >"$name.log" 2>&1 || fail "$*: $(<"$name.log")"
	/usr/bin/python3 "$check" --proto "$proto" --dump "$name.strace" "$name.pftrace" \
		>"$name.found" || fail "$*"
}

# Nothing is lost: what was told is found, up to the few wakings that the merge could not place.
for harts in 1 2 4 8; do
	converted whole --harts "$harts" --seed "$harts" --ring 4194304
	for key in switches births; do
		[[ $(value $key "$dir/whole.told") == $(value $key "$dir/whole.found") ]] ||
			fail "$harts harts: $key"
	done
	told=$(value wakings "$dir/whole.told") found=$(value wakings "$dir/whole.found")
	((found <= told && found * 100 >= told * 99)) || fail "$harts harts: $found wakings of $told"
	[[ $(value lost "$dir/whole.found") == 0 ]] || fail "$harts harts: losses"
done
(($(value flows "$dir/whole.found") > 100 && $(value wakers "$dir/whole.found") > 100)) ||
	fail "hardly any flow, or none whose waker ran there"

# A slow hart's ring reaches further back than a busy one's: what only it knows is left out. Where the others begin is chance.
for seed in 1 2 3; do
	converted overflow --ring 65536 --seed "$seed"
done
grep -q "left out from before" "$dir/overflow.log" || fail "nothing left out of uneven rings"
(($(value lost "$dir/overflow.found") > 1000)) || fail "a small ring must lose records"

converted stopped --ring 65536 --pattern on,stop
(($(value lost "$dir/stopped.found") == 1)) || fail "the first refused record ends the trace"

converted narrow --pattern futex
[[ -z $(value calls "$dir/narrow.found") && -n $(value futex_wait "$dir/narrow.found") ]] ||
	fail "only the chosen categories"

# A memory image gives the same trace as the dump.
"$synth" --image "$dir/memory" >/dev/null
"$synth" "$dir/dump" >/dev/null
"$convert" "$dir/memory" -o "$dir/memory.pftrace" >/dev/null
"$convert" "$dir/dump" -o "$dir/dump.pftrace" >/dev/null
cmp "$dir/memory.pftrace" "$dir/dump.pftrace"

# The text form has a line per record.
records=$(sed -n 's/^\([0-9]*\) records.*/\1/p' "$dir/stopped.log")
[[ $("$convert" "$dir/stopped.strace" --text | wc -l) == "$records" ]] || fail "text form"

# The picture is well-formed and shows a lane per hart; a foreign file is an error.
/usr/bin/python3 "$svg" "$dir/dump.pftrace" -o "$dir/picture.svg" --from 300us --to 350us
/usr/bin/python3 - "$dir/picture.svg" <<'PY' || fail "the picture"
import sys
import xml.dom.minidom
words = [t.firstChild.data for t in
         xml.dom.minidom.parse(sys.argv[1]).getElementsByTagName("text")]
sys.exit(not all("hart %d" % cpu in words for cpu in range(4)))
PY
! /usr/bin/python3 "$svg" "$check" -o "$dir/picture.svg" 2>/dev/null || fail "a picture of no trace"

# Damage and foreign files: one line, status 1, no crash.
refused() {
	local status=0
	"$convert" "$1" -o "$dir/bad.pftrace" 2>"$dir/bad.log" || status=$?
	((status == 1)) || fail "$1: status $status"
	[[ $(wc -l <"$dir/bad.log") == 1 ]] || fail "$1: $(<"$dir/bad.log")"
}
for size in 0 1 127 128 150 700 100000; do
	head -c "$size" "$dir/dump" >"$dir/short"
	refused "$dir/short"
done
cp "$dir/dump" "$dir/damaged"
printf '\xff\xff\xff\xff\xff\xff\xff\xff' | dd of="$dir/damaged" bs=1 seek=20000 conv=notrunc status=none
refused "$dir/damaged"
cp "$dir/dump" "$dir/other_events"
printf '\x55' | dd of="$dir/other_events" bs=1 seek=16 conv=notrunc status=none
refused "$dir/other_events"
refused "$check"
refused /dev/null
refused "$dir"
refused "$dir/nothing_here"
status=0
"$convert" --bogus 2>/dev/null || status=$?
((status == 2)) || fail "unknown option: status $status"

# The documentation's table is events.def's.
"$convert" --events >"$dir/events"
grep -qF -f <(tail -n 1 "$dir/events") "$doc" || fail "$doc: the table of events is old"
while read -r line; do
	grep -qxF -- "$line" "$doc" || fail "$doc: run 'convert --events': lacks $line"
done <"$dir/events"

# view hands out the file, and nothing else, whatever its name; then it ends.
cp "$dir/whole.pftrace" "$dir/my trace+.pftrace"
/usr/bin/python3 - "$view" "$dir/my trace+.pftrace" <<'EOF' || fail "view"
import pathlib, socket, subprocess, sys, urllib.error, urllib.request
view, file = sys.argv[1:]
with socket.create_server(("127.0.0.1", 0)) as probe:
    port = probe.getsockname()[1]
command = ["/usr/bin/python3", view, "--no-browser", "--port", str(port), "--ui", "http://page", file]
with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
    page, url = server.stdout.readline().rstrip().split("/#!/?url=")
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/other")
        sys.exit("another file was handed out")
    except urllib.error.HTTPError as error:
        assert error.code == 404, error
    with urllib.request.urlopen(url) as answer:
        assert answer.read() == pathlib.Path(file).read_bytes()
        assert page == answer.headers["Access-Control-Allow-Origin"] == "http://page"
assert server.returncode == 0
EOF

echo "ok"
