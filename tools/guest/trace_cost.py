"""tools/trace/cost: what tracing costs on both kernels, in instructions, counted by the QEMU plugin.

The same shell script on both enables events through tracefs and runs the counted benchmarks: with nothing enabled, with the
scheduler's events, and with all that both have for them. What an event costs is the difference to nothing, over the events
that one operation makes.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tools.guest import build, count
from tools.guest.errors import ToolError
from tools.guest.guest import SYSTEMS, Guest
from tools.guest.lab import PLUGIN
from tools.guest.machine import Machine
from tools.guest.process import say
from tools.guest.session import Streams
from tools.guest.stats import align

# Benchmark, suite's target, what to enable on each system, events of one operation.
_CASES = (
    ("core/null-syscall/getppid", "//perf/core",
     {"stellar": ["syscall"], "linux": ["raw_syscalls"]}, 2, "system call: enter, exit"),
    ("core/yield/same-hart", "//perf/core",
     {"stellar": ["sched"], "linux": ["sched/sched_switch"]}, 1, "switch"),
)
_SCRIPT = """[ -e /sys/kernel/tracing/tracing_on ] || mount -t tracefs tracefs /sys/kernel/tracing
cd /sys/kernel/tracing
for event in $EVENTS; do echo 1 > events/$event/enable || exit 1; done
exec /bin/bench --json --count --only $ONLY
"""
_TIMEOUT = 240


def _count(system, hardware, program, plugin, only, events):
    """Counts of one benchmark with these events enabled."""
    guest = Guest(system, hardware, files=[(str(program), "/bin/bench")])
    guest.tree.add_file("bench.sh", f"ONLY={only}\nEVENTS='{' '.join(events)}'\n{_SCRIPT}".encode(), 0o755)
    with tempfile.TemporaryDirectory(prefix="stellar-") as folder:
        out = Path(folder) / "count.json"
        result = guest.run(["sh", "/bench.sh"], Streams(), append=["nokaslr"],
                           qemu_args=["-plugin", f"{plugin},out={out}"], timeout=_TIMEOUT)
        if result.status:
            raise ToolError(f"{only} on {system}: {result.error or result.outcome.stderr.decode()}")
        return count.combine(result.outcome.stdout.decode(), count.read_windows(out))[only]


def _measure(hardware):
    plugin, = build.build(PLUGIN)
    rows = []
    for only, target, enabled, nr_events, what in _CASES:
        program, = build.build(target)
        for system in SYSTEMS:
            say(f"counting {only} on {system}")
            off = _count(system, hardware, program, plugin, only, [])
            on = _count(system, hardware, program, plugin, only, enabled[system])
            each = (on["instructions"] - off["instructions"]) / nr_events
            rows.append([only, system, f"{off['instructions']:.0f}", f"{on['instructions']:.0f}",
                         f"{each:.0f}", f"{(on['csr'] - off['csr']) / nr_events:.1f}", what])
    return rows


def main():
    """The command line."""
    parser = argparse.ArgumentParser(prog="tools/trace/cost", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smp", type=int, default=2, metavar="N", help="harts (default %(default)s)")
    args = parser.parse_args()
    try:
        rows = _measure(Machine(args.smp))
    except ToolError as error:
        say(f"error: {error}")
        return 1
    head = ["benchmark", "system", "off", "on", "an event", "its CSRs", "events of one operation"]
    print("\n".join(align([head, *rows], left=2)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
