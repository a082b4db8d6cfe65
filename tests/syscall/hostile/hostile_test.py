#!/usr/bin/python3
"""Compares what one kernel answers to hostile arguments with what Linux answered.

usage: hostile_test.py SYSTEM PROGRAM RECORD LABEL=FILE

RECORD holds the program's output on Linux (`hostile_test.py --record FILE` writes it) and, behind "# ", known
differences: "# CALL ARGUMENT VALUE RESULT: REASON" is what StellarOS answers instead.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
LIMIT_S = 280
SYSTEMS = {"linux": ["--system", "linux", "--smp", "2"], "stellar": ["--smp", "4"],
           "stellar_debug": ["--debug", "--smp", "4"]}


def run(system, program, built=()):
    """The lines that the program prints."""
    pairs = (pair.split("=", 1) for pair in built)
    given = " ".join(f"{label}={os.path.abspath(file)}" for label, file in pairs)
    command = [ROOT / "tools/run", *SYSTEMS[system], "--timeout", str(LIMIT_S), "--file",
               f"{os.path.abspath(program)}:/bin/hostile", "--", "hostile"]
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                            errors="replace", timeout=LIMIT_S + 60, check=False,
                            env=dict(os.environ, **({"STELLAR_BUILT": given} if given else {})))
    sys.stderr.write(result.stderr)
    return result.stdout.splitlines()


def cases(lines):
    """(call, argument, value) -> result. A call that appears twice has its turns numbered."""
    answers, turn = {}, {}
    for line in lines:
        words = line.split(None, 3)
        if len(words) != 4:
            continue
        name, argument, value, result = words
        if argument == "0":
            turn[name] = turn.get(name, 0) + 1
        answers[f"{name}/{turn.get(name, 1)}", argument, value] = result
    return answers


def known_differences(lines):
    """As cases(), for the lines behind "# "."""
    known = {}
    for line in lines:
        if line.startswith("# "):
            case, _, reason = line[2:].partition(": ")
            name, argument, value, result = case.split(None, 3)
            known[name, argument, value] = result, reason
    return known


def main(system, program, record, *built):
    recorded = Path(record).read_text(encoding="utf-8").splitlines()
    lines = run(system, program, built)
    got, wanted = cases(lines), cases(line for line in recorded if not line.startswith("#"))
    known = known_differences(recorded) if system != "linux" else {}
    wrong = 0
    for case, result in wanted.items():
        result = known.get(case, (result,))[0]
        if got.get(case) != result:
            print("wrong:", *case, "is", got.get(case), "not", result)
            wrong += 1
    if not lines or lines[-1] != "end":
        print("wrong: the program did not end")
        wrong += 1
    print(f"{len(wanted)} cases, {wrong} differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    if sys.argv[1] == "--record":
        print("\n".join(run("linux", sys.argv[2])))
        sys.exit(0)
    sys.exit(main(*sys.argv[1:]))
