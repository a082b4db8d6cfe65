"""The declared list of benchmarks, perf/benchmarks.toml: reads it, checks it, answers to names.

Format. One table per program of the project, two if it has benchmarks with a cable to the host and without;
it runs all of its chosen benchmarks in one boot:
  [[program]]
  suite = "futex"                first part of the names of its results (suite/benchmark/variant)
  target = "//perf:program"      Bazel label of one file, a static riscv64 ELF
  args = ["--json"]              always given when measuring; "--only BENCHMARK" is added per choice
  count_args = ["--count"]       given instead by --count; absent: cannot be counted
  timeout = 120                  seconds for one boot
  host = "//perf:peer"           what runs at the host's end of a cable meanwhile (a Bazel label)
  as_init = false                true: it is the first process itself, on the console
  since = "kernel_entry"         subtract the time at which the firmware entered the kernel (in us),
                                 read in the same boot; only with as_init
  bar = 1.5                      the ratio that its results must reach; absent: none is asked
  [program.benchmarks]
  name = "one line of description"
  [program.bars]
  "benchmark/variant" = 2.0      another bar for a benchmark, or for one variant of it

One table per unmodified program of Debian; all that are chosen of a suite run in one boot:
  [[command]]
  suite = "futex"                first and second part of the names of its results
  benchmark = "perf-wake"
  about = "one line of description"
  packages = ["linux-perf"]      Debian packages that the guest needs
  run = "perf bench futex wake -t {}"    for the shell; {} is the variant's value
  host = "wrk http://$GUEST/{}"  for the host's shell at its end of a cable, beside `run`, in a boot
                                 of its own that ends when either does; the figure is still run's
  variants = [1, 2]              values, or { NAME = value, ... }; absent: one variant, "default"
  variant = "{}-threads"         the third part of the names, made of the value or its name
  result = 'in ([\\d.]+) ms'      finds the figure in what it prints; of several their mean
  unit = "ms", better = "lower"  what the figure is
  timeout = 60                   seconds for one variant
  bar, bars                      as above; the names in bars are variants
"""

import re
import tomllib
from dataclasses import dataclass, field

from tools.guest.errors import USAGE, ToolError
from tools.guest.process import ROOT

PATH = ROOT / "perf" / "benchmarks.toml"
_WORD = re.compile(r"[a-z0-9_.:-]+")
_TYPES = {"args": list, "count_args": list, "packages": list, "variants": (list, dict), "benchmarks": dict,
          "bars": dict, "timeout": int, "as_init": bool, "bar": (int, float)}


@dataclass
class Program:
    """One [[program]] of the list."""
    suite: str
    target: str
    benchmarks: dict
    args: list = field(default_factory=list)
    count_args: list | None = None
    timeout: int = 120
    as_init: bool = False
    since: str = ""
    host: str = ""
    bar: float | None = None
    bars: dict = field(default_factory=dict)

    @property
    def key(self):
        """Tells the programs apart."""
        return self.suite, self.host

    def bar_of(self, name):
        """The bar of a result, or None."""
        _, benchmark, variant = name.split("/")
        return self.bars.get(f"{benchmark}/{variant}", self.bars.get(benchmark, self.bar))

    def problem(self):
        """What is wrong beyond missing and mistyped keys, or None."""
        if self.since not in ("", "kernel_entry") or (self.since and not self.as_init):
            return "bad since"
        return _bad_word(self.suite, *self.benchmarks)

    def described(self):
        """benchmark -> description."""
        return self.benchmarks


@dataclass
class Command:
    """One [[command]] of the list."""
    suite: str
    benchmark: str
    about: str
    packages: list
    run: str
    result: str
    unit: str
    better: str
    variants: list | dict = field(default_factory=lambda: ["default"])
    variant: str = "{}"
    timeout: int = 60
    host: str = ""
    bar: float | None = None
    bars: dict = field(default_factory=dict)

    def _lines(self, line):
        values = self.variants
        pairs = values.items() if isinstance(values, dict) else zip(values, values)
        return {f"{self.suite}/{self.benchmark}/{self.variant.replace('{}', str(name))}":
                line.replace("{}", str(value)) for name, value in pairs}

    def runs(self):
        """name -> line for the shell, of all variants."""
        return self._lines(self.run)

    def host_line(self, name):
        """What the host's shell does meanwhile; None: nothing."""
        return self._lines(self.host)[name] if self.host else None

    def bar_of(self, name):
        """The bar of a result, or None."""
        return self.bars.get(name.split("/")[2], self.bar)

    def problem(self):
        """What is wrong beyond missing and mistyped keys, or None."""
        try:
            groups = re.compile(self.result).groups
        except re.error:
            groups = 0
        if groups != 1:
            return "result is not an expression with one group"
        if self.better not in ("higher", "lower"):
            return "bad better"
        return _bad_word(*(word for name in self.runs() for word in name.split("/")))

    def described(self):
        """benchmark -> description."""
        return {self.benchmark: self.about}


def _bad_word(*words):
    bad = [word for word in words if not _WORD.fullmatch(word)]
    return f"bad name {bad[0]!r}" if bad else None


@dataclass
class Choice:
    """What to run of one program: benchmarks (none: all), and full names to keep (none: all)."""
    program: Program
    only: list = field(default_factory=list)
    full_names: set = field(default_factory=set)

    def wants(self, name):
        """Whether a result of this name was asked for."""
        benchmark = "/".join(name.split("/")[:2])
        asked = {full for full in self.full_names if full.startswith(benchmark + "/")}
        return not asked or name in asked

    def words(self, args):
        """The command line of the program behind its name."""
        full = {name.split("/")[1] for name in self.full_names}
        names = [name for name in self.only if name not in full] + sorted(self.full_names)
        return [*args, *(word for name in names for word in ("--only", name))]


@dataclass
class Batch:
    """Commands of one suite that run in one boot: name of the result -> (command, shell line).

    One with a part on the host is alone; `host` is that part.
    """
    suite: str
    host: str | None = None
    runs: dict = field(default_factory=dict)

    def packages(self):
        """All Debian packages that the guest needs."""
        return sorted({name for command, _ in self.runs.values() for name in command.packages})


class BenchmarkList:
    """All programs and commands."""

    def __init__(self, programs, commands):
        self.programs = programs
        self.commands = commands

    def program(self, suite):
        """The program of a suite."""
        for program in self.programs:
            if program.suite == suite:
                return program
        raise ToolError(f"no suite {suite} in the list of benchmarks (--list shows them)", USAGE)

    def choose(self, names):
        """(choices, batches) for these names: suites, suite/benchmark, or full; none: everything."""
        if not names:
            names = dict.fromkeys(entry.suite for entry in [*self.programs, *self.commands])
        choices, batches = {}, {}
        for name in names:
            if self._choose_programs(name, choices) + self._choose_commands(name, batches) == 0:
                raise ToolError(f"no benchmark {name} in the list (--list shows them)", USAGE)
        return list(choices.values()), list(batches.values())

    def _choose_programs(self, name, choices):
        return sum(self._choose_program(program, name, choices) for program in self.programs)

    @staticmethod
    def _choose_program(program, name, choices):
        suite, *rest = name.split("/")
        if suite != program.suite or len(rest) > 2 or (rest and rest[0] not in program.benchmarks):
            return 0
        choice = choices.setdefault(program.key, Choice(program))
        for benchmark in rest[:1] or program.benchmarks:
            if benchmark not in choice.only:
                choice.only.append(benchmark)
        if len(rest) == 2:
            choice.full_names.add(name)
        return 1

    def _choose_commands(self, name, batches):
        found = 0
        for command in self.commands:
            for full, line in command.runs().items():
                if full == name or full.startswith(name + "/"):
                    host = command.host_line(full)
                    batch = batches.setdefault(full if host else command.suite,
                                               Batch(command.suite, host))
                    batch.runs[full] = (command, line)
                    found += 1
        return found


def _entry(kind, table):
    """A Program or Command from its table."""
    where = f"the list of benchmarks, {table.get('suite', '?')}"
    for key, value in table.items():
        if key not in kind.__dataclass_fields__ or not isinstance(value, _TYPES.get(key, str)):
            raise ToolError(f"{where}: bad key {key}")
    try:
        entry = kind(**table)
    except TypeError as error:
        raise ToolError(f"{where}: {error}") from None
    problem = entry.problem()
    if problem:
        raise ToolError(f"{where}: {problem}")
    return entry


def parse(text):
    """The list in a TOML text. Raises ToolError for what is not in the format."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ToolError(f"the list of benchmarks: {error}") from None
    programs = [_entry(Program, table) for table in tables.get("program", [])]
    commands = [_entry(Command, table) for table in tables.get("command", [])]
    names = [(entry.suite, name) for entry in programs + commands for name in entry.described()]
    if len(set(names)) < len(names) or len({p.key for p in programs}) < len(programs):
        raise ToolError("the list of benchmarks: a suite or benchmark is there twice")
    return BenchmarkList(programs, commands)


def load():
    """The project's list."""
    try:
        return parse(PATH.read_text())
    except FileNotFoundError:
        raise ToolError(f"there is no {PATH}") from None
