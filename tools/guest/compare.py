"""The command line of tools/compare.

A round boots each kernel once per chosen program; the order of the kernels alternates from round to
round, so that a drift of the host's speed hits both. Only figures of one invocation are compared.
"""

import json
import os
import re
import sys
import tempfile
from pathlib import Path

from tools.guest import benchlist, build, commands, count, stats
from tools.guest.errors import USAGE, ToolError
from tools.guest.guest import SYSTEMS, Guest
from tools.guest.machine import Machine
from tools.guest.process import say
from tools.guest.run import Parser, guarded, size
from tools.guest.session import Streams

PLUGIN = "//perf/plugin:count"
_TICKS_PER_US = 10
_ENTRY_LINE = re.compile(r"kernel_entry 0x([0-9a-f]{16})")
_RESULT = re.compile(r'\{"name":[^{}\n]*\}')


def _options(args):
    parser = Parser(prog="tools/compare", allow_abbrev=False, description=
                    "Runs benchmarks on StellarOS and on Linux in turn and prints the ratios; "
                    "a ratio above 1 means that StellarOS is faster.")
    add = parser.add_argument
    add("name", nargs="*", metavar="NAME", help="a suite, or suite/benchmark (default: everything)")
    add("--list", action="store_true", help="list the benchmarks")
    add("--rounds", type=int, default=3, metavar="N", help="boots of each kernel (default 3)")
    add("--smp", type=int, default=4, metavar="N", help="harts, 1 to 64 (default 4)")
    add("--mem", type=size, default="2G", metavar="SIZE", help="memory (default 2G)")
    add("--machine", default="virt", metavar="TYPE", help="QEMU machine (default virt)")
    add("--cpu", default="rv64", metavar="MODEL", help="QEMU cpu (default rv64)")
    add("--system", choices=SYSTEMS, help="measure only this kernel: no ratios")
    add("--json", metavar="FILE", help="also write the results to this file")
    add("--count", action="store_true", help="count instructions, CSR accesses, code blocks and "
        "moved cache lines per operation with a QEMU plugin; no clock, one round")
    add("--lines", type=int, default=3, metavar="N",
        help="with --count: show the N most moved cache lines (default 3)")
    options = parser.parse_args(args)
    if options.rounds < 1:
        parser.error(f"--rounds {options.rounds}: at least 1")
    return options


def print_list(benchmarks):
    """All suites and benchmarks."""
    rows = [[f"{entry.suite}/{name}", text] for entry in benchmarks.programs + benchmarks.commands
            for name, text in entry.described().items()]
    print("\n".join(stats.align(rows, left=2)))


class Lab:
    """The chosen programs and batches of commands on both kernels of one machine."""

    def __init__(self, choices, batches, systems, hardware):
        self.systems = systems
        self.hardware = hardware
        self.choices = choices
        self.batches = batches
        paths = build.build(*(choice.program.target for choice in choices)) if choices else []
        self._guests = {}
        for choice, path in zip(choices, paths):
            for system in systems:
                self._guests[choice.program.suite, system] = self.guest(
                    system, [(str(path), f"/bin/{choice.program.suite}")])

    def guest(self, system, files=(), packages=()):
        """A guest of this machine with these files and packages."""
        return Guest(system, self.hardware, files=files, packages=packages)

    def kernel(self, system):
        """The file of a kernel."""
        return self._guests[self.choices[0].program.suite, system].kernel

    def run(self, choice, system, args, **extra):
        """Runs a program once in a boot of its own. Returns its output, or the console's."""
        program = choice.program
        guest = self._guests[program.suite, system]
        streams = Streams(ports=not program.as_init)
        result = guest.run([f"/bin/{program.suite}", *choice.words(args)], streams,
                           timeout=program.timeout, as_init=program.as_init, **extra)
        if result.error or result.status != 0:
            errors = result.outcome.stderr.decode(errors="replace").strip()
            raise ToolError(f"{program.suite} on {system}: "
                            f"{result.error or f'exit status {result.status}'}",
                            detail="\n".join(filter(None, (errors, result.detail))))
        output = result.outcome.console if program.as_init else result.outcome.stdout
        return output.decode(errors="replace")


def kernel_entry_us(console):
    """When the firmware entered the kernel, in microseconds of machine time, from a console log."""
    match = _ENTRY_LINE.search(console)
    if not match:
        raise ToolError("the console has no time of the kernel's entry")
    return int(match[1], 16) / _TICKS_PER_US


def json_lines(console):
    """The results in a console log; a kernel's own words may stand before or behind one."""
    return "\n".join(_RESULT.findall(console))


class Table:
    """The rows of a comparison, filled boot by boot, in the order in which results appear."""

    def __init__(self):
        self.rows, self.errors = {}, 0

    def row(self, entry, name):
        """The row of a result of this program or command."""
        return self.rows.setdefault(name, stats.Row(name, bar=entry.bar_of(name)))

    def run_choice(self, lab, choice, system):
        """Boots a program once and takes its results."""
        program = choice.program
        load, zero, extra = os.getloadavg()[0], 0.0, {}
        if program.since:
            extra["entered_first"], = build.build(build.KERNEL_ENTRY)
        output = lab.run(choice, system, program.args, **extra)
        if program.since:
            zero = kernel_entry_us(output)
        if program.as_init:
            output = json_lines(output)
        results = [item for item in stats.parse_results(output) if choice.wants(item["name"])]
        if not results:
            raise ToolError(f"{program.suite} on {system}: no result")
        for item in results:
            row = self.row(program, item["name"])
            if "unsupported" in item:
                row.note(system, f"not supported: {item['unsupported']}")
                continue
            row.unit, row.better = item["unit"], item["better"]
            row.add(system, item["value"] - zero, load)

    def run_batch(self, lab, batch, system):
        """Runs a batch of commands once and takes their figures."""
        load = os.getloadavg()[0]

        def took(name, value, why):
            command, _ = batch.runs[name]
            row = self.row(command, name)
            row.unit, row.better = command.unit, command.better
            if why:
                row.note(system, why)
            else:
                row.add(system, value, load)
        commands.run_batch(lambda packages: lab.guest(system, packages=packages), batch, took)

    def run(self, what, lab, part, system):
        """One of the above; an error is told and counted."""
        try:
            what(lab, part, system)
        except ToolError as error:
            self.errors += 1
            say(f"error: {error}")
            if error.detail:
                print(error.detail, file=sys.stderr)


def measure(lab, rounds):
    """All rounds. Returns (rows, errors)."""
    table = Table()
    parts = [(choice.program.suite, table.run_choice, choice) for choice in lab.choices]
    parts += [(f"{batch.suite}'s commands", table.run_batch, batch) for batch in lab.batches]
    for number in range(rounds):
        for name, what, part in parts:
            for system in lab.systems if number % 2 == 0 else lab.systems[::-1]:
                if sys.stderr.isatty():
                    say(f"round {number + 1} of {rounds}: {name} on {system}")
                table.run(what, lab, part, system)
    return list(table.rows.values()), table.errors


def count_all(lab):
    """system -> name -> counts per operation, of every chosen program that can be counted."""
    plugin, = build.build(PLUGIN)
    by_system = {}
    for system in lab.systems:
        counts = by_system.setdefault(system, {})
        for choice in lab.choices:
            if choice.program.count_args is None:
                continue
            with tempfile.TemporaryDirectory(prefix="stellar-") as folder:
                out = Path(folder) / "count.json"
                output = lab.run(choice, system, choice.program.count_args, append=["nokaslr"],
                                 qemu_args=["-plugin", f"{plugin},out={out}"])
                found = count.combine(output, count.read_windows(out))
            counts.update((name, entry) for name, entry in found.items() if choice.wants(name))
        if system == "linux":
            symbols = count.symbols_of_linux(lambda files: lab.guest("linux", files))
        else:
            symbols = count.symbols_of_kernel(lab.kernel(system))
        count.add_symbols(counts, symbols)
    return by_system


def _write_json(path, objects):
    try:
        Path(path).write_text(json.dumps(objects, indent=1) + "\n")
    except OSError as error:
        raise ToolError(f"cannot write {path}: {error.strerror}") from None


def main(args):
    """Carries out one command line. Returns the exit status."""
    options = _options(args)
    benchmarks = benchlist.load()
    if options.list:
        print_list(benchmarks)
        return 0
    hardware = Machine(options.smp, options.mem, options.machine, options.cpu)
    hardware.check()
    systems = [options.system] if options.system else list(SYSTEMS)
    choices, batches = benchmarks.choose(options.name)
    if options.count and all(choice.program.count_args is None for choice in choices):
        raise ToolError("none of these benchmarks can be counted", USAGE)
    lab = Lab(choices, [] if options.count else batches, systems, hardware)
    print(f"machine: {hardware.describe()}; load average {os.getloadavg()[0]:.2f}")
    if options.count:
        by_system = count_all(lab)
        print("\n".join(count.table(by_system, options.lines)))
        objects, errors = count.to_json(by_system, hardware), 0
    else:
        rows, errors = measure(lab, options.rounds)
        print("\n".join(stats.table(rows, systems)))
        objects = [row.to_json(hardware) for row in rows]
        errors += sum(row.failed() or row.samples.keys() | row.notes.keys() < set(systems)
                      for row in rows)
    if options.json:
        _write_json(options.json, objects)
    return 1 if errors or not objects else 0


if __name__ == "__main__":
    sys.exit(guarded(lambda: main(sys.argv[1:])))
