"""The command line of tools/compare. Only figures of one invocation are compared."""

import json
import os
import re
import sys
from pathlib import Path

from tools.guest import benchlist, count, lab, plot, stats
from tools.guest.errors import USAGE, ToolError
from tools.guest.guest import SYSTEMS
from tools.guest.machine import Machine
from tools.guest.run import Parser, guarded, nic, size


def numbers(text):
    """The numbers of a list like 1,4,64."""
    try:
        return [int(word) for word in text.split(",")]
    except ValueError:
        raise ToolError(f"not a list of numbers: {text!r}", USAGE) from None


def _options(args):
    parser = Parser(prog="tools/compare", allow_abbrev=False, description=
                    "Runs benchmarks on StellarOS and on Linux in turn and prints the ratios; "
                    "a ratio above 1 means that StellarOS is faster.")
    add = parser.add_argument
    add("name", nargs="*", metavar="NAME", help="a suite, or suite/benchmark (default: everything)")
    add("--list", action="store_true", help="list the benchmarks")
    add("--rounds", type=int, default=3, metavar="N", help="boots of each kernel (default 3)")
    add("--smp", type=numbers, default=[4], metavar="LIST",
        help="harts, 1 to 64; of several numbers, separated by commas, each in turn (default 4)")
    add("--threads", type=numbers, metavar="LIST", help="threads of the benchmarks that have a "
        "choice (default 1,2,4,8,16; with --count 1, 4 and as many as harts)")
    add("--mem", type=size, default="2G", metavar="SIZE", help="memory (default 2G)")
    add("--machine", default="virt", metavar="TYPE", help="QEMU machine (default virt)")
    add("--cpu", default="rv64", metavar="MODEL", help="QEMU cpu (default rv64)")
    add("--nic", type=nic, default=("pci", 1), metavar="BUS", help="the card of the benchmarks over "
        "eth0, as in tools/run (default pci, for both kernels)")
    add("--system", choices=SYSTEMS, help="measure only this kernel: no ratios")
    add("--also", action="append", default=[], metavar="LABEL=KERNEL",
        help="measure this StellarOS kernel, too")
    add("--json", metavar="FILE", help="also write the results to this file")
    add("--html", metavar="FILE", help="also write a page with tables and pictures")
    add("--svg", metavar="FILE", help="also write the pictures alone")
    add("--from", action="append", default=[], metavar="FILE", dest="old", help="measure "
        "nothing: show the results (of NAMEs) that --json wrote to these files")
    add("--count", action="store_true", help="count instructions, CSR accesses, code blocks and "
        "moved cache lines per operation with a QEMU plugin; no clock, one round")
    add("--lines", type=int, default=3, metavar="N",
        help="with --count: show the N most moved cache lines (default 3)")
    options = parser.parse_args(args)
    if options.rounds < 1:
        parser.error(f"--rounds {options.rounds}: at least 1")
    if not all(re.fullmatch(r"[a-z0-9-]+=.+", text) for text in options.also):
        parser.error("--also: LABEL=KERNEL")
    if options.old and not options.html and not options.svg:
        parser.error("--from needs --html or --svg")
    return options


def print_list(benchmarks):
    """All suites and benchmarks."""
    rows = [[f"{entry.suite}/{name}", text] for entry in benchmarks.programs + benchmarks.commands
            for name, text in entry.described().items()]
    print("\n".join(stats.align(rows, left=2)))


def _write(path, text):
    try:
        Path(path).write_text(text)
    except OSError as error:
        raise ToolError(f"cannot write {path}: {error.strerror}") from None


def _write_json(options, objects):
    if options.json:
        _write(options.json, json.dumps(objects, indent=1) + "\n")


def _old_results(options):
    found = []
    for path in options.old:
        try:
            found += json.loads(Path(path).read_text())
        except (OSError, json.JSONDecodeError) as error:
            raise ToolError(f"cannot read {path}: {error}") from None
    return [item for item in found if not options.name or
            any((item["name"] + "/").startswith(name + "/") for name in options.name)]


def _words(options, harts):
    """What the programs are told about threads."""
    threads = options.threads or (sorted({1, min(4, harts), harts}) if options.count else [])
    return ["--threads", ",".join(map(str, threads))] if threads else []


def compare(options, choices, batches, hardware, before):
    """Everything on one machine. Returns (objects for --json, errors).

    What is measured so far is written, behind the objects `before`, after each round.
    """
    kernels = dict(text.split("=", 1) for text in options.also)
    systems = [options.system] if options.system else list(SYSTEMS)
    systems[:1] += kernels
    tested = lab.Lab(choices, [] if options.count else batches, systems, hardware, kernels,
                     options.nic)
    print(f"machine: {hardware.describe()}; load average {os.getloadavg()[0]:.2f}")
    if options.count:
        by_system, errors = lab.count_all(tested, _words(options, hardware.smp))
        print("\n".join(count.table(by_system, options.lines)), flush=True)
        return count.to_json(by_system, hardware), errors

    def keep(rows):
        _write_json(options, before + [row.to_json(hardware, systems) for row in rows])
    rows, errors = lab.measure(tested, options.rounds, _words(options, hardware.smp), keep)
    print("\n".join(stats.table(rows, systems)), flush=True)
    errors += sum(row.failed() or row.samples.keys() | row.notes.keys() < set(systems)
                  for row in rows)
    return [row.to_json(hardware, systems) for row in rows], errors


def _measure(options):
    """All machines. Returns (objects, errors)."""
    choices, batches = benchlist.load().choose(options.name)
    if options.count and all(choice.program.count_args is None for choice in choices):
        raise ToolError("none of these benchmarks can be counted", USAGE)
    machines = [Machine(harts, options.mem, options.machine, options.cpu) for harts in options.smp]
    for hardware in machines:
        hardware.check()
    objects, errors = [], 0
    for hardware in machines:
        more, failed = compare(options, choices, batches, hardware, objects)
        objects += more
        errors += failed
        _write_json(options, objects)
    return objects, errors


def main(args):
    """Carries out one command line. Returns the exit status."""
    options = _options(args)
    if options.list:
        print_list(benchlist.load())
        return 0
    objects, errors = (_old_results(options), 0) if options.old else _measure(options)
    if options.svg:
        _write(options.svg, plot.svg(objects))
    if options.html:
        _write(options.html, plot.html(objects))
    return 1 if errors or not objects else 0


if __name__ == "__main__":
    sys.exit(guarded(lambda: main(sys.argv[1:])))
