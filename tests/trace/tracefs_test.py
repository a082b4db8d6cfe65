#!/usr/bin/python3
"""The files of /sys/kernel/tracing, driven by a shell inside the booted kernel.

    tracefs_test.py --built LABEL=FILE...

Files given by --built are not built again. Runs outside the sandbox: the real workspace, found behind the link to this
file, has the caches.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

SCRIPT = r"""
cd /sys/kernel/tracing
refused() { ( "$@" ) 2>/dev/null && echo "NOT REFUSED: $*"; }
put() { echo "$1" > "$2"; }
say() { echo "$1=$(cat $2)"; }
drain() { (cat trace_pipe & sleep 0.3; kill $!) 2>/dev/null; }
say on tracing_on; say clock trace_clock; say size buffer_size_kb; say enabled events/enable
refused put 2 tracing_on; refused put x events/enable; refused put local trace_clock
refused put 1 buffer_size_kb; refused put 12x set_event_pid
echo 64 > buffer_size_kb; say new_size buffer_size_kb
echo 1 > events/user/enable; say partly events/enable; say user events/user/enable; say sched events/sched/enable
say switch events/sched/sched_switch/enable; say waking events/sched/sched_waking/enable; refused put 2 events/sched/sched_waking/enable
echo "a marker of more than sixteen characters" > trace_marker
sleep 0.01; echo 0 > tracing_on; say off tracing_on
echo "nobody records this" > trace_marker
echo BEGIN; drain; echo END
echo 1 > events/syscall/sys_exit/enable; say exit events/syscall/sys_exit/enable; say enter events/syscall/sys_enter/enable
echo 1 > tracing_on; sleep 0.01; echo 0 > tracing_on; echo SINGLE; drain; echo END
echo 1 > events/syscall/enable; echo $$ > set_event_pid; say pids set_event_pid
echo 1 > tracing_on; sleep 0.01; sh -c true; echo 0 > tracing_on; echo > set_event_pid
echo FILTERED $$; drain; echo END
echo 4 > buffer_size_kb; echo 1 > tracing_on
for i in 1 2 3 4 5 6 7 8; do cat /proc/self/stat > /dev/null; done
echo 0 > tracing_on; echo OVERRUN; drain; echo END
echo 0 > options/overwrite; say stop options/overwrite; refused put 2 options/overwrite; echo 1 > tracing_on
for i in 1 2 3 4 5 6 7 8; do cat /proc/self/stat > /dev/null; done; say full tracing_on
echo 1 > options/overwrite; say overwrite options/overwrite
echo 0 > events/enable; say end events/enable
cd /proc; say stat sys/kernel/lock_stat; refused put 2 sys/kernel/lock_stat; refused put 1 lock_stat
echo 1 > sys/kernel/lock_stat; for i in 1 2 3 4; do (for j in 1 2 3; do ls /proc; done > /dev/null 2>&1) & done; wait
echo LOCKS; cat lock_stat; echo END; echo 0 > sys/kernel/lock_stat; echo 0 > lock_stat; echo CLEARED; cat lock_stat; echo END
for i in 1 2 3 4 5 6 7 8; do (while :; do ls /proc/self > /dev/null; done) & busy="$busy $!"; done
for i in 1 2 3 4 5 6 7 8 9 10; do echo 1 > sys/kernel/lock_stat; echo 1 > /sys/kernel/tracing/events/enable
echo 0 > /sys/kernel/tracing/events/enable; echo 0 > sys/kernel/lock_stat; done; kill $busy; echo SWITCHED
"""

LOCK_COLUMNS = "class, place taken contended spins wait ns average longest hold ns average longest"


def check_locks(text):
    """Yields what is wrong with /proc/lock_stat."""
    lines = text.splitlines()
    if " ".join(lines[0].split()) != LOCK_COLUMNS:
        yield "no table of locks"
    classes, places = {}, {}
    for line in lines[1:]:
        name, *fields = re.match(r"(\(.*\)|\S+|    at \S+) +(.*)", line).groups()
        numbers = [int(n) for n in fields[0].split()]
        if name.startswith("    at "):
            places[current] = places.get(current, 0) + numbers[0]
        else:
            classes[name] = numbers
            current = name
    # A mutex and a spin lock that each program takes; release kernels count them, too.
    for name in ("mm_layout", "runq"):
        taken, _, _, _, _, _, hold, average, longest = classes.get(name, [0] * 9)
        if not taken or not hold or average > longest:
            yield f"no holds of {name}"
    # Counting goes on while the table is read, place by place after the class.
    wrong = [c for c in classes if c[0] != "(" and places.get(c, 0) < classes[c][0]]
    if wrong:
        yield f"places do not add up: {wrong}"


def between(text, begin, end="END"):
    """The lines between a line that starts with `begin` and the next `end`."""
    return re.search(rf"^{begin}.*?\n(.*?)^{end}$", text, re.M | re.S).group(1)


def check(text):
    """Yields what is wrong."""
    for wanted in ("on=1", "clock=[boot]", "size=4096", "enabled=0", "new_size=64", "partly=X",
                   "user=1", "sched=X", "switch=1", "waking=0", "exit=1", "enter=0", "off=0", "end=0", "stat=0",
                   "stop=0", "full=0", "overwrite=1"):
        if f"\n{wanted}\n" not in f"\n{text}":
            yield f"no line {wanted}"
    if "NOT REFUSED" in text:
        yield "bad input was taken"
    first = between(text, "BEGIN")
    if not re.search(r"sh-\d+ +\[\d\d\d\] +\d+\.\d{6}: marker: a marker of more more=1", first):
        yield "the marker's text is not in trace_pipe"
    if "nobody" in first:
        yield "tracing_on=0 recorded"
    if not re.search(r"task_name: .*comm=sh", first):
        yield "threads that lived before are not named"
    stamps = [float(s) for s in re.findall(r"\] +(\d+\.\d+): ", first)]
    if stamps != sorted(stamps):
        yield "records out of order"
    single = between(text, "SINGLE")
    if ": sys_exit:" not in single or ": sys_enter:" in single or ": sched_waking:" in single:
        yield "one event of a category was not switched alone"
    pid = re.search(r"^FILTERED (\d+)", text, re.M).group(1)
    if f"pids={pid}\n" not in text:
        yield "set_event_pid does not read back"
    calls = re.findall(r"-(\d+) +\[.*sys_enter", between(text, "FILTERED"))
    if not calls or set(calls) != {pid}:
        yield f"set_event_pid {pid} let through {sorted(set(calls))}"
    if not re.search(r"CPU:\d \[LOST \d+ EVENTS\]", between(text, "OVERRUN")):
        yield "a ring of one page lost nothing"
    yield from check_locks(between(text, "LOCKS"))
    if "\nSWITCHED" not in text:
        yield "switching under load did not end"
    if between(text, "CLEARED").count("\n") != 1:
        yield "lock statistics were not cleared"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--built", action="append", default=[])
    options = parser.parse_args()
    here = os.getcwd()
    built = " ".join("{}={}/{}".format(*b.split("=", 1)[:1], here, b.split("=", 1)[1])
                     for b in options.built)
    with tempfile.NamedTemporaryFile("w", suffix=".sh") as script:
        script.write(SCRIPT)
        script.flush()
        run = subprocess.run(
            [ROOT / "tools/run", "--smp", "2", "--timeout", "60", "--file", f"{script.name}:/t.sh",
             "--", "sh", "/t.sh"],
            stdout=subprocess.PIPE, text=True, check=False, env=os.environ | {"STELLAR_BUILT": built})
    wrong = [f"exit status {run.returncode}"] if run.returncode else []
    wrong += check(run.stdout)
    for text in wrong:
        print("FAIL:", text)
    if wrong:
        print(run.stdout)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
