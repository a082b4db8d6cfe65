"""The declared list of benchmarks, perf/benchmarks.toml: reads it, checks it, answers to names.

Format, one table per program; a program runs all of its selected benchmarks in one boot:
  [[program]]
  suite = "futex"                first part of the names of its results (suite/benchmark/variant)
  target = "//perf:program"      Bazel label of one file, a static riscv64 ELF
  args = ["--json"]              always given when measuring; "--only BENCHMARK" is added per choice
  count_args = ["--count"]       given instead by --count; absent: cannot be counted
  timeout = 120                  seconds for one boot
  as_init = false                true: it is the first process itself, on the console
  since = "kernel_entry"         subtract the time at which the firmware entered the kernel (in us),
                                 read in the same boot; only with as_init
  [program.benchmarks]
  name = "one line of description"
"""

import re
import tomllib
from dataclasses import dataclass, field

from tools.guest.errors import USAGE, ToolError
from tools.guest.process import ROOT

PATH = ROOT / "perf" / "benchmarks.toml"
_WORD = re.compile(r"[a-z0-9_.:-]+")
_KEYS = {"suite": str, "target": str, "args": list, "count_args": list, "timeout": int,
         "as_init": bool, "since": str, "benchmarks": dict}


@dataclass
class Program:
    """One table of the list."""
    suite: str
    target: str
    benchmarks: dict
    args: list = field(default_factory=list)
    count_args: list | None = None
    timeout: int = 120
    as_init: bool = False
    since: str = ""


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
        return [*args, *(word for name in self.only for word in ("--only", name))]


class BenchmarkList:
    """All programs, by suite."""

    def __init__(self, programs):
        self.programs = programs

    def program(self, suite):
        """The program of a suite."""
        for program in self.programs:
            if program.suite == suite:
                return program
        raise ToolError(f"no suite {suite} in the list of benchmarks (--list shows them)", USAGE)

    def choose(self, names):
        """What to run for these names (suites, suite/benchmark or full names; none: everything)."""
        if not names:
            return [Choice(program) for program in self.programs]
        choices = {}
        for name in names:
            suite, *rest = name.split("/")
            program = self.program(suite)
            choice = choices.setdefault(suite, Choice(program))
            if not rest:
                choice.only = list(program.benchmarks)
                continue
            if rest[0] not in program.benchmarks or len(rest) > 2:
                raise ToolError(f"no benchmark {name} in the list (--list shows them)", USAGE)
            if rest[0] not in choice.only:
                choice.only.append(rest[0])
            if len(rest) == 2:
                choice.full_names.add(name)
        return list(choices.values())


def parse(text):
    """The list in a TOML text. Raises ToolError for what is not in the format."""
    try:
        tables = tomllib.loads(text).get("program", [])
    except tomllib.TOMLDecodeError as error:
        raise ToolError(f"the list of benchmarks: {error}") from None
    programs = []
    for table in tables:
        suite = table.get("suite", "?")
        for key, value in table.items():
            if key not in _KEYS or not isinstance(value, _KEYS[key]):
                raise ToolError(f"the list of benchmarks, {suite}: bad key {key}")
        for key in ("suite", "target", "benchmarks"):
            if key not in table:
                raise ToolError(f"the list of benchmarks, {suite}: no {key}")
        for word, text in ((suite, ""), *table["benchmarks"].items()):
            if not _WORD.fullmatch(word) or not isinstance(text, str):
                raise ToolError(f"the list of benchmarks, {suite}: bad benchmark {word!r}")
        since = table.get("since", "")
        if since not in ("", "kernel_entry") or (since and not table.get("as_init")):
            raise ToolError(f"the list of benchmarks, {suite}: bad since")
        programs.append(Program(**table))
    if len({program.suite for program in programs}) < len(programs):
        raise ToolError("the list of benchmarks: a suite is there twice")
    return BenchmarkList(programs)


def load():
    """The project's list."""
    try:
        return parse(PATH.read_text())
    except FileNotFoundError:
        raise ToolError(f"there is no {PATH}") from None
