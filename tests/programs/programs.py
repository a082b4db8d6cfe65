#!/usr/bin/python3
"""Debian's unmodified programs on Linux and on StellarOS: the same scripts, output and status compared.

    programs.py [--fast] [--group NAME]... [--only NAME]... [--write] [--debug] [--built LABEL=FILE]...

programs.toml is the list; its head tells what a line means. All programs of a group run in one boot,
one after the other. If the kernel dies or hangs on one, that one has failed and a new boot goes on
behind it. --write puts the results into docs/programs.md; lines of what did not run stay as they are.
Runs outside the sandbox: the real workspace, found behind the link to this file, has the caches.
"""

import argparse
import difflib
import os
import re
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PAGE = ROOT / "docs" / "programs.md"
SYSTEMS = ("linux", "stellar")
SHELL = "dash"  # busybox's would run its own applets in the place of the programs
BOOT_S = 60
HEADER = re.compile(rb"@@ (\S+) (\d+) (-?\d+) (\d+)\n")
CASE = re.compile(r"^(\S+) \(\S+\) \.\.\. skipped (['\"])(.*)\2$", re.M)
GROUP_KEYS = {"name", "packages", "mem", "program", "script", "each", "check", "seconds", "fast",
              "broken"}
PROGRAM_KEYS = {"name", "script", "check", "hide", "status", "seconds", "fast", "broken"}


@dataclass
class Program:
    """One line of the list. `broken` is the reason why it fails on StellarOS as far as we know."""
    name: str
    script: str
    check: str = "same"
    hide: list = field(default_factory=list)
    status: int = 0
    seconds: int = 30
    fast: bool = False
    broken: str = ""


@dataclass
class Group:
    """Programs that share packages and a boot."""
    name: str
    packages: list
    programs: list
    mem: str = "2G"


@dataclass
class Outcome:
    """What a program did on one system; status None: the kernel did not live to tell."""
    status: int | None
    seconds: float = 0.0
    output: str = ""


def check_keys(table, known, where):
    """A word that nobody reads is a mistake."""
    unknown = set(table) - known
    if unknown:
        sys.exit(f"programs.toml: {where}: unknown {', '.join(sorted(unknown))}")


def load():
    """The list as groups."""
    groups = []
    for table in tomllib.loads((HERE / "programs.toml").read_text())["group"]:
        check_keys(table, GROUP_KEYS, table["name"])
        common = {key: table[key] for key in ("check", "seconds", "fast") if key in table}
        programs = []
        for name in table.get("each", []):
            programs.append(Program(f"{table['name']}-{name}", table["script"].replace("@", name),
                                    broken=table.get("broken", {}).get(name, ""), **common))
        for line in table.get("program", []):
            check_keys(line, PROGRAM_KEYS, line["name"])
            programs.append(Program(**(common | line)))
        groups.append(Group(table["name"], table["packages"], programs, table.get("mem", "2G")))
    return groups


# ---- one system ----


def parse(data):
    """Outcomes by name, in order; and whether the last one's output is whole."""
    found, at = {}, 0
    while match := HEADER.match(data, at):
        name, status, ms, size = match[1].decode(), *map(int, match.groups()[1:])
        output = data[match.end():match.end() + size]
        if len(output) < size:
            break
        found[name] = Outcome(status, ms / 1000, output.decode(errors="replace"))
        at = match.end() + size
    return found


def boot(system, group, programs, options):
    """Runs programs of a group in one boot. Returns (outcomes, what the tool said)."""
    with tempfile.TemporaryDirectory(prefix="stellar-programs-") as folder:
        scripts = Path(folder) / "programs"
        scripts.mkdir()
        for program in programs:
            (scripts / program.name).write_text(program.script)
        words = [ROOT / "tools" / "run", "--system", system, "--mem", group.mem,
                 "--timeout", str(BOOT_S + sum(program.seconds for program in programs)),
                 "--file", f"{scripts}:/programs", "--file", f"{HERE / 'guest'}:/guest"]
        if options.debug and system == "stellar":
            words.append("--debug")
        for package in [SHELL] + group.packages:
            words += ["--package", package]
        listed = "".join(f"{program.name} {program.seconds}\n" for program in programs)
        done = subprocess.run(words + ["--", "busybox", "sh", "/guest/drive.sh"], input=listed.encode(),
                              capture_output=True, check=False)
    return parse(done.stdout), done.stderr.decode(errors="replace")


def run_group(system, group, programs, options):
    """Runs all programs, with a new boot behind each that the kernel does not survive."""
    outcomes, left = {}, list(programs)
    while left:
        found, said = boot(system, group, left, options)
        outcomes |= found
        left = [program for program in left if program.name not in outcomes]
        if left:
            outcomes[left[0].name] = Outcome(None, 0, said[-3000:])
            left = left[1:]
    return outcomes


# ---- judging ----


def visible(program, outcome):
    """The output without what may differ: what a pattern of `hide` matches is left out."""
    text = outcome.output
    for pattern in program.hide:
        text = re.sub(pattern, "", text, flags=re.M)
    return text


def fault(program, outcome, reference):
    """What is wrong with an outcome; empty if nothing. `reference` is Linux's, or None."""
    if outcome.status is None:
        return "the kernel died or hung:\n" + outcome.output
    text = visible(program, outcome)
    if outcome.status != program.status:
        return f"status {outcome.status} instead of {program.status}:\n{text[-3000:]}"
    if program.check != "same":
        return "" if re.search(program.check, text, re.S | re.M) else \
            f"no match of {program.check!r} in:\n{text[-3000:]}"
    if reference and text != visible(program, reference):
        lines = difflib.unified_diff(visible(program, reference).splitlines(), text.splitlines(),
                                     "linux", "stellar", lineterm="", n=1)
        return "the output differs:\n" + "\n".join(list(lines)[:60])
    return ""


@dataclass
class Row:
    """One program's results: a fault of each system, empty if it passed."""
    group: Group
    program: Program
    faults: dict
    outcomes: dict

    def verdict(self):
        """ok, broken (a known failure), or FAILED."""
        if self.faults["linux"] or bool(self.faults["stellar"]) != bool(self.program.broken):
            return "FAILED"
        return "broken" if self.program.broken else "ok"


def judge_group(group, programs, options):
    """Runs a group on both systems and prints a line for each program."""
    outcomes = {system: run_group(system, group, programs, options) for system in SYSTEMS}
    rows = []
    for program in programs:
        linux, stellar = (outcomes[system][program.name] for system in SYSTEMS)
        row = Row(group, program,
                  {"linux": fault(program, linux, None),
                   "stellar": fault(program, stellar, linux)},
                  {"linux": linux, "stellar": stellar})
        rows.append(row)
        print(f"{row.verdict():7}{program.name:32}{linux.seconds:7.1f} s{stellar.seconds:7.1f} s",
              flush=True)
        if row.verdict() != "ok":
            for system in SYSTEMS:
                if row.faults[system]:
                    print(f"    {system}: " + row.faults[system].replace("\n", "\n    "))
            if not row.faults["stellar"]:
                print(f"    stellar: passes, but is listed as broken: {program.broken}")
    sys.stdout.flush()
    return rows


# ---- the page ----


def page_line(row, when):
    """A row's line of the table, without the group and the name in front."""
    words = ["failed" if row.faults[system] else "ok" for system in SYSTEMS]
    times = [f"{row.outcomes[system].seconds:.1f}" for system in SYSTEMS]
    why = row.program.broken or row.faults["stellar"].split("\n")[0].rstrip(":")
    return " | ".join(words + times + [when, why.replace("|", "\\|")])


def page_skipped(row):
    """Test cases that a program's own test suite left out on StellarOS, and why."""
    linux, stellar = ({name: why for name, _, why in CASE.findall(row.outcomes[system].output)}
                      for system in SYSTEMS)
    return [f"{name}: {why}" + ("" if name in linux else " (**not on Linux**)")
            for name, why in sorted(stellar.items())]


def read_page():
    """The page as it is: lines of the table and skipped cases, by program."""
    lines, skipped, name = {}, {}, ""
    for line in PAGE.read_text().splitlines() if PAGE.exists() else []:
        if match := re.match(r"\| \S+ \| (\S+) \| ((?:ok|failed|not run) .*) \|$", line):
            lines[match[1]] = match[2]
        elif match := re.match(r"### (\S+)$", line):
            name = match[1]
        elif line.startswith("- ") and name:
            skipped.setdefault(name, []).append(line[2:])
    return lines, skipped


def write_page(rows, groups):
    """Renews the lines of `rows` in docs/programs.md."""
    lines, skipped = read_page()
    when = time.strftime("%Y-%m-%d")
    for row in rows:
        lines[row.program.name] = page_line(row, when)
        skipped[row.program.name] = page_skipped(row)
    listed = [(group.name, program.name) for group in groups for program in group.programs]
    table = [f"| {group} | {name} | {lines[name]} |" for group, name in listed if name in lines]
    works = sum(lines[name].split(" | ")[1] == "ok" for _, name in listed if name in lines)
    text = [
        "# Debian's programs on StellarOS",
        "Made by `tools/programs --write`, which runs each program of "
        "[programs.toml](../tests/programs/programs.toml), unmodified from",
        "Debian trixie's riscv64 archive, on Linux and on StellarOS (4 harts, 2 GiB), and compares "
        "status and output. Those marked fast there",
        "are part of `tools/test`. The times are seconds in the guest on a shared, often "
        "overloaded, two-core host: they tell of hangs, not of speed.", "",
        f"{works} of {len(table)} work on StellarOS.", "",
        "| group | program | Linux | StellarOS | seconds on Linux | on StellarOS | run | what fails |",
        "| --- | --- | --- | --- | ---: | ---: | --- | --- |", *table, "",
        "## Cases that the programs' own tests skip on StellarOS"]
    for _, name in listed:
        if skipped.get(name):
            text += [f"### {name}", *(f"- {case}" for case in skipped[name])]
    PAGE.write_text("\n".join(text) + "\n")


def parser():
    """Command line."""
    made = argparse.ArgumentParser(prog="tools/programs", description=__doc__.splitlines()[0])
    add = made.add_argument
    add("--fast", action="store_true", help="what is part of tools/test")
    add("--group", action="append", default=[], metavar="NAME", help="this group only")
    add("--only", action="append", default=[], metavar="NAME", help="this program only")
    add("--debug", action="store_true", help="StellarOS with its checks")
    add("--write", action="store_true", help="renew docs/programs.md")
    add("--list", action="store_true", help="name the groups and programs")
    add("--built", action="append", default=[], metavar="LABEL=FILE", help=argparse.SUPPRESS)
    return made


def main():
    """Runs what the options select. Status 1 if something failed that is not known to."""
    options = parser().parse_args()
    if options.built:
        pairs = (pair.split("=", 1) for pair in options.built)
        os.environ["STELLAR_BUILT"] = " ".join(f"{label}={os.path.abspath(file)}"
                                               for label, file in pairs)
    rows, groups = [], load()
    for group in groups:
        chosen = [program for program in group.programs
                  if (not options.only or program.name in options.only)
                  and (program.fast or not options.fast)]
        if not chosen or (options.group and group.name not in options.group):
            continue
        if options.list:
            print(f"{group.name}: {' '.join(program.name for program in chosen)}")
            continue
        rows += judge_group(group, chosen, options)
    if options.write:
        write_page(rows, groups)
    failed = sum(row.verdict() == "FAILED" for row in rows)
    if not options.list:
        print(f"{len(rows) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
