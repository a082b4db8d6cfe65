"""Chosen benchmarks on the kernels of one machine: boots them, times them, counts them.

A round boots each kernel once per chosen program or batch of commands; the order of the kernels
alternates from round to round, so that a drift of the host's speed hits all.
"""

import os
import re
import sys
import tempfile
from pathlib import Path

from tools.guest import build, commands, count, stats
from tools.guest.errors import ToolError
from tools.guest.guest import SYSTEMS, Guest
from tools.guest.network import Network
from tools.guest.process import say
from tools.guest.session import Streams

PLUGIN = "//perf/plugin:count"
_COUNT_TRIES = 3
_TICKS_PER_US = 10
_ENTRY_LINE = re.compile(r"kernel_entry 0x([0-9a-f]{16})")
_RESULT = re.compile(r'\{"name":[^{}\n]*\}')


class Lab:
    """The chosen programs and batches of commands on the kernels of one machine.

    `nic` is the card of those that have a cable, the same for each kernel (network.py). `systems`
    are names; `kernels` maps names that are not in SYSTEMS to files of StellarOS kernels.
    """

    def __init__(self, choices, batches, systems, hardware, kernels=None, nic=("pci", 1)):
        self.systems = systems
        self.kernels = kernels or {}
        self.hardware = hardware
        self.choices = choices
        self.batches = batches
        self._nic = nic
        self._guests = {}
        for choice in choices:
            program = choice.program
            path, *host = build.build(program.target, *filter(None, [program.host]))
            for system in systems:
                self._guests[program.key, system] = self.guest(
                    system, [(str(path), f"/bin/{program.suite}")], host=host[0] if host else None)

    def guest(self, system, files=(), packages=(), host=None):
        """A guest of this machine with these files and packages.

        `host` is a command for the host's end of its cable; without one it has no card.
        """
        network = Network("tap", nic=self._nic) if host else None
        return Guest(system if system in SYSTEMS else "stellar", self.hardware, files=files,
                     packages=packages, kernel=self.kernels.get(system), network=network,
                     host_command=host)

    def kernel(self, system):
        """The file of a kernel."""
        return self._guests[self.choices[0].program.key, system].kernel

    def boot(self, choice, system, args, timeout, **extra):
        """Runs a program once in a boot of its own.

        Returns (its output, or the console's; a ToolError if it went wrong, else None).
        """
        program = choice.program
        guest = self._guests[program.key, system]
        streams = Streams(ports=not program.as_init)
        result = guest.run([f"/bin/{program.suite}", *choice.words(args)], streams,
                           timeout=timeout, as_init=program.as_init, **extra)
        output = result.outcome.console if program.as_init else result.outcome.stdout
        error = None
        if result.error or result.status != 0:
            errors = result.outcome.stderr.decode(errors="replace").strip()
            error = ToolError(f"{program.suite} on {system}: "
                              f"{result.error or f'exit status {result.status}'}",
                              detail="\n".join(filter(None, (errors, result.detail))))
        return output.decode(errors="replace"), error

    def run(self, choice, system, args, **extra):
        """boot() whose errors are raised."""
        output, error = self.boot(choice, system, args, choice.program.timeout, **extra)
        if error:
            raise error
        return output


def kernel_entry_us(console):
    """When the firmware entered the kernel, in microseconds of machine time, from a console log."""
    match = _ENTRY_LINE.search(console)
    if not match:
        raise ToolError("the console has no time of the kernel's entry")
    return int(match[1], 16) / _TICKS_PER_US


def json_lines(console):
    """The results in a console log; a kernel's own words may stand before or behind one."""
    return "\n".join(_RESULT.findall(console))


def tell(error):
    """Prints an error that does not end the comparison."""
    say(f"error: {error}")
    if error.detail:
        print(error.detail, file=sys.stderr)


class Table:
    """The rows of a comparison, filled boot by boot, in the order in which results appear."""

    def __init__(self, words):
        self.words = words
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
        words = [] if program.as_init else self.words
        output = lab.run(choice, system, [*program.args, *words], **extra)
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
        commands.run_batch(
            lambda packages: lab.guest(system, packages=packages, host=batch.host), batch, took)

    def run(self, what, lab, part, system):
        """One of the above; an error is told and counted."""
        try:
            what(lab, part, system)
        except ToolError as error:
            self.errors += 1
            tell(error)


def measure(lab, rounds, words, after_round):
    """All rounds; `words` go to the programs. Calls after_round(rows). Returns (rows, errors)."""
    table = Table(words)
    parts = [(choice.program.suite, table.run_choice, choice) for choice in lab.choices]
    parts += [(f"{batch.suite}'s commands", table.run_batch, batch) for batch in lab.batches]
    for number in range(rounds):
        for name, what, part in parts:
            for system in lab.systems if number % 2 == 0 else lab.systems[::-1]:
                if sys.stderr.isatty():
                    say(f"round {number + 1} of {rounds}: {name} on {system}")
                table.run(what, lab, part, system)
        after_round(list(table.rows.values()))
    return list(table.rows.values()), table.errors


def _count_once(lab, choice, system, plugin, words):
    """One boot with the plugin. Returns (name -> counts, a ToolError or None)."""
    program = choice.program
    with tempfile.TemporaryDirectory(prefix="stellar-") as folder:
        out = Path(folder) / "count.json"
        output, error = lab.boot(choice, system, [*program.count_args, *words],
                                 program.timeout * max(1, lab.hardware.smp // 4),
                                 append=["nokaslr"], qemu_args=["-plugin", f"{plugin},out={out}"])
        try:
            return count.combine(output, count.read_windows(out)), error
        except ToolError as unreadable:
            return {}, error or unreadable


def _count_choice(lab, choice, system, plugin, words):
    """Counts of a program; a boot that went wrong is done again, what it had counted is kept."""
    found = {}
    for _ in range(_COUNT_TRIES):
        more, error = _count_once(lab, choice, system, plugin, words)
        found = more | found
        if not error:
            return found, 0
        tell(error)
    return found, 1


def count_all(lab, words):
    """(system -> name -> counts per operation, errors) of each chosen program that is countable."""
    plugin, = build.build(PLUGIN)
    by_system, errors = {}, 0
    for system in lab.systems:
        counts = by_system.setdefault(system, {})
        for choice in lab.choices:
            if choice.program.count_args is None:
                continue
            found, failed = _count_choice(lab, choice, system, plugin, words)
            errors += failed
            counts.update((name, entry) for name, entry in found.items() if choice.wants(name))
        if system == "linux":
            symbols = count.symbols_of_linux(lambda files: lab.guest("linux", files))
        else:
            symbols = count.symbols_of_kernel(lab.kernel(system))
        count.add_symbols(counts, symbols)
    return by_system, errors
