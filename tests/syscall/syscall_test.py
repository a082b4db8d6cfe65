#!/usr/bin/python3
"""Boots one kernel with one system-call test program and judges its KTAP output.

usage: syscall_test.py [--cpu MODEL] SYSTEM PROGRAM KNOWN [LABEL=FILE]

SYSTEM is linux, stellar or stellar_debug; LABEL=FILE is what tools/run would have Bazel build; MODEL is
QEMU's processor. A test that KNOWN lists must fail, any other must not: so the list cannot outlive its reasons.
Runs outside the sandbox: the real workspace, found behind the link to this file, has the caches.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HARTS = {"linux": "2", "stellar": "4", "stellar_debug": "4"}
LIMIT_S = 260


def run(system, program, built, cpu):
    """The finished tools/run of the program."""
    name = os.path.basename(program)
    options = {"linux": ["--system", "linux"], "stellar": [], "stellar_debug": ["--debug"]}[system]
    options += ["--cpu", cpu] if cpu else []
    command = [ROOT / "tools/run", *options, "--smp", HARTS[system], "--timeout", str(LIMIT_S),
               "--file", f"{os.path.abspath(program)}:/bin/{name}", "--", name]
    pairs = (pair.split("=", 1) for pair in built)
    given = " ".join(f"{label}={os.path.abspath(file)}" for label, file in pairs)
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          errors="replace", timeout=LIMIT_S + 60, check=False,
                          env=dict(os.environ, STELLAR_BUILT=given))


def known_failures(path, system, program):
    """test -> reason, for this kernel and program. A line: kernel, program, test, reason."""
    known = {}
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        kernel, name, test, reason = line.split(None, 3)
        if system.startswith(kernel) and name == os.path.basename(program):
            known[test] = reason
    return known


def judge(output, known):
    """What is wrong with the output, one line each."""
    lines = output.splitlines()
    matches = (re.fullmatch(r"(ok|not ok) \d+ (\w+)(?: # SKIP)?", line) for line in lines)
    results = {match[2]: match[1] for match in matches if match}
    plan = [int(line[3:]) for line in lines if re.fullmatch(r"1\.\.\d+", line)]
    wrong = [f"{name} failed" for name, result in results.items()
             if result == "not ok" and name not in known]
    wrong += [f"{name} is a known failure ({reason}) but passed" for name, reason in known.items()
              if results.get(name) == "ok"]
    wrong += [line for line in lines if line.startswith("Bail out!")]
    if plan != [len(results)] or not results:
        wrong.append(f"{len(results)} results, plan {plan}")
    return wrong


def main(*args):
    cpu = None
    if args[0] == "--cpu":
        cpu, args = args[1], args[2:]
    system, program, known_file, *built = args
    known = known_failures(known_file, system, program)
    result = run(system, program, built, cpu)
    sys.stdout.write(result.stdout)
    sys.stderr.write(result.stderr)
    wrong = judge(result.stdout, known)
    if result.returncode != (1 if known else 0):
        wrong.append(f"exit status {result.returncode}")
    for line in wrong:
        print("wrong:", line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
