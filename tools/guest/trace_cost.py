"""tools/trace/cost: what tracing costs on both kernels, in instructions, counted by the QEMU plugin, or in nanoseconds.

The same shell script on both enables events through tracefs and runs the benchmarks: with nothing enabled, with the
scheduler's events, and with all that both have for them. What an event costs is the difference to nothing, over the events
that one operation makes. Times are medians over rounds, in each of which every boot has its turn.
"""

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tools.guest import build, count
from tools.guest.errors import ToolError
from tools.guest.guest import SYSTEMS, Guest
from tools.guest.lab import PLUGIN
from tools.guest.machine import Machine
from tools.guest.process import say
from tools.guest.session import Streams
from tools.guest.stats import align, parse_results

@dataclass(frozen=True)
class _Case:
    """A benchmark with some events enabled; `nr_events` of one operation, 0: they differ between the systems."""
    only: str
    target: str
    mode: str
    events: dict  # system -> what to enable
    nr_events: int


# What StellarOS has events for, by Linux's names.
_EVERYTHING = {"stellar": ["."], "linux": ["sched", "raw_syscalls", "irq", "ipi", "timer", "exceptions", "tlb", "sock",
                                           "tcp", "signal", "task"]}
_GETPPID, _YIELD = ("core/null-syscall/getppid", "//perf/core"), ("core/yield/same-hart", "//perf/core")
_FUTEX = "futex/ping-pong/same-hart", "//perf/futex_contention"
_SCHED = {"stellar": ["sched"], "linux": ["sched"]}
_CASES = (
    _Case(*_GETPPID, "system calls", {"stellar": ["syscall/sys_enter", "syscall/sys_exit"], "linux": ["raw_syscalls"]}, 2),
    _Case(*_GETPPID, "scheduler", _SCHED, 0),
    _Case(*_GETPPID, "everything", _EVERYTHING, 0),
    _Case(*_YIELD, "switches", {"stellar": ["sched/sched_switch"], "linux": ["sched/sched_switch"]}, 1),
    _Case(*_YIELD, "everything", _EVERYTHING, 0),
    _Case(*_FUTEX, "scheduler", _SCHED, 0),
    _Case(*_FUTEX, "everything", _EVERYTHING, 0),
)
_SCRIPT = """[ -e /sys/kernel/tracing/tracing_on ] || mount -t tracefs tracefs /sys/kernel/tracing
cd /sys/kernel/tracing
for event in $EVENTS; do
	[ -e events/$event/enable ] || continue
	echo 1 > events/$event/enable || exit 1
done
exec /bin/bench --json $MODE --only $ONLY
"""
_TIMEOUT = 240


def _run(system, hardware, program, only, events, mode, qemu_args):
    """What one benchmark prints with these events enabled."""
    guest = Guest(system, hardware, files=[(str(program), "/bin/bench")])
    script = f"ONLY={only}\nEVENTS='{' '.join(events)}'\nMODE={mode}\n{_SCRIPT}"
    guest.tree.add_file("bench.sh", script.encode(), 0o755)
    result = guest.run(["sh", "/bench.sh"], Streams(), append=["nokaslr"], qemu_args=qemu_args, timeout=_TIMEOUT)
    if result.status:
        raise ToolError(f"{only} on {system}: {result.error or result.outcome.stderr.decode()}")
    return result.outcome.stdout.decode()


def _count(system, hardware, program, plugin, only, events):
    """Counts of one benchmark with these events enabled."""
    with tempfile.TemporaryDirectory(prefix="stellar-") as folder:
        out = Path(folder) / "count.json"
        printed = _run(system, hardware, program, only, events, "--count", ["-plugin", f"{plugin},out={out}"])
        return count.combine(printed, count.read_windows(out))[only]


def _time(system, hardware, program, only, events):
    """Nanoseconds of one operation."""
    result, = parse_results(_run(system, hardware, program, only, events, "", []))
    if result.get("unit") != "ns/op":
        raise ToolError(f"{only} on {system}: no time")
    return result["value"]


def _row(case, system, off, on):
    each = [f"{(on[key] - off[key]) / case.nr_events:.{digits}f}" if case.nr_events else ""
            for key, digits in (("instructions", 0), ("csr", 1))]
    return [case.only, case.mode, system, f"{off['instructions']:.0f}", f"{on['instructions']:.0f}", *each]


def _measure_times(hardware, wanted, rounds):
    """One row for each case and system; every boot once a round."""
    boots = {}
    for case in _CASES:
        if wanted in case.only:
            for system in SYSTEMS:
                boots[case.only, case.target, system, ()] = []
                boots[case.only, case.target, system, tuple(case.events[system])] = []
    for i in range(rounds):
        for (only, target, system, events), times in boots.items():
            say(f"round {i + 1} of {rounds}: {only} on {system} with {' '.join(events) or 'nothing'}")
            times.append(_time(system, hardware, build.build(target)[0], only, events))
    rows = []
    for case in _CASES:
        for system in SYSTEMS if wanted in case.only else ():
            off, on = (median(boots[case.only, case.target, system, events])
                       for events in ((), tuple(case.events[system])))
            each = f"{(on - off) / case.nr_events:.0f}" if case.nr_events else ""
            rows.append([case.only, case.mode, system, f"{off:.0f}", f"{on:.0f}", each])
    return rows


def _measure(hardware, wanted):
    plugin, = build.build(PLUGIN)
    rows, off = [], {}
    for case in _CASES:
        if wanted not in case.only:
            continue
        program, = build.build(case.target)
        for system in SYSTEMS:
            say(f"counting {case.only} on {system}: {case.mode}")
            key = case.only, system
            if key not in off:
                off[key] = _count(system, hardware, program, plugin, case.only, [])
            on = _count(system, hardware, program, plugin, case.only, case.events[system])
            rows.append(_row(case, system, off[key], on))
    return rows


def main():
    """The command line."""
    parser = argparse.ArgumentParser(prog="tools/trace/cost", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smp", type=int, default=2, metavar="N", help="harts (default %(default)s)")
    parser.add_argument("--time", type=int, default=0, metavar="ROUNDS", help="nanoseconds, medians of this many rounds")
    parser.add_argument("benchmark", nargs="?", default="", help="part of a benchmark's name (default: all)")
    args = parser.parse_args()
    try:
        rows = _measure_times(Machine(args.smp), args.benchmark, args.time) if args.time \
            else _measure(Machine(args.smp), args.benchmark)
    except ToolError as error:
        say(f"error: {error}")
        return 1
    head = ["benchmark", "enabled", "system", "off", "on", "an event", *([] if args.time else ["its CSRs"])]
    print("\n".join(align([head, *rows], left=3)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
