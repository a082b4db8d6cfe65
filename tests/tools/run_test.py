#!/usr/bin/python3
"""Tests of tools/run on a booted guest: streams, exit status, ends of input, time limit, refusals.

Usage: run_test.py SYSTEM PROBE LABEL=FILE...  The files are what tools/run would have Bazel build.
Runs outside the sandbox: the real workspace, found behind the link to this file, has the caches.
"""

import hashlib
import os
import random
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SYSTEM, PROBE = sys.argv[1], os.path.abspath(sys.argv[2])
BUILT = [pair.split("=", 1) for pair in sys.argv[3:]]
LIMIT_S = 100


def environment():
    """What tells tools/run not to call Bazel, which waits for this test."""
    given = " ".join(f"{label}={os.path.abspath(file)}" for label, file in BUILT)
    return dict(os.environ, STELLAR_BUILT=given)


def tool(*args, stdin=b"", name="run"):
    """Runs tools/run to its end."""
    return subprocess.run([ROOT / "tools" / name, *args], input=stdin, capture_output=True,
                          env=environment(), timeout=2 * LIMIT_S, check=False)


def probe(*args, stdin=b"", options=()):
    """Runs the probe program in a guest."""
    return tool("--system", SYSTEM, "--smp", "2", "--timeout", str(LIMIT_S), *options,
                "--file", f"{PROBE}:/bin/probe", "--", "probe", *args, stdin=stdin)


class GuestTest(unittest.TestCase):
    def test_streams(self):
        result = probe("streams")
        self.assertEqual((result.returncode, result.stdout), (0, b"out\n"))
        self.assertIn(b"err\n", result.stderr)

    def test_status(self):
        for args, status in ((("exit", "7"), 7), (("exit", "255"), 255), (("kill", "9"), 137)):
            self.assertEqual(probe(*args).returncode, status, args)

    def test_arguments(self):
        result = probe("args", "a b", "", "é")
        self.assertEqual(result.stdout.decode().splitlines(),
                         ["[a b]", "[]", "[é]", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:"
                          "/usr/bin:/sbin:/bin", "cwd=/"])

    def test_binary_round_trip(self):
        data = random.Random(1).randbytes(10 << 20)
        result = probe("cat", stdin=data)
        self.assertEqual(result.returncode, 0)
        self.assertEqual(hashlib.sha256(result.stdout).digest(), hashlib.sha256(data).digest())

    def test_time_limit(self):
        result = probe("sleep", options=("--timeout", "8"))
        self.assertEqual(result.returncode, 124)
        self.assertIn(b"time limit", result.stderr)

    @unittest.skipIf(SYSTEM == "linux", "only StellarOS has such traces")
    def test_trace_of_a_run_that_does_not_end(self):
        with tempfile.TemporaryDirectory() as folder:
            trace = Path(folder) / "t.pftrace"
            result = probe("sleep", options=("--timeout", "4", "--trace", str(trace), "--events",
                                             "syscall"))
            self.assertEqual(result.returncode, 124)
            summary = subprocess.run([ROOT / "tools/trace/summary", trace], capture_output=True,
                                     check=False)
            self.assertEqual(summary.returncode, 0, summary.stderr)
            self.assertIn(b"no records lost", summary.stdout)

    def test_reader_goes_away(self):
        command = [sys.executable, "-c", "import sys; sys.stdin.buffer.read(1)"]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as reader:
            result = subprocess.run(
                [ROOT / "tools/run", "--system", SYSTEM, "--timeout", str(LIMIT_S), "--file",
                 f"{PROBE}:/bin/probe", "--", "probe", "fill", "8"], stdin=subprocess.DEVNULL,
                stdout=reader.stdin, timeout=2 * LIMIT_S, check=False,
                env=environment())
        self.assertEqual(result.returncode, 141)


class RefusalTest(unittest.TestCase):
    """Bad input ends with one line and a status, without a boot."""

    def refused(self, status, *args, name="run"):
        result = tool(*args, name=name)
        self.assertEqual(result.returncode, status, args)
        lines = [line for line in result.stderr.splitlines() if not line.endswith(b"...")]
        self.assertEqual(len(lines), 1, result.stderr)
        self.assertEqual(result.stdout, b"")

    def test_refusals(self):
        base = ("--system", SYSTEM, "--file", f"{PROBE}:/bin/probe")
        self.refused(2, "--bogus")
        self.refused(2, *base, "--smp", "0", "--", "probe")
        self.refused(125, *base, "--mem", "32M", "--", "probe")
        self.refused(125, *base, "--machine", "nosuch", "--", "probe")
        self.refused(125, *base, "--file", "/nosuch", "--", "probe")
        self.refused(125, *base, "--package", "no-such-package", "--", "probe")
        self.refused(127, *base, "--", "nosuch")
        self.refused(126, *base, "--file", "/bin/true:/x", "--", "/x")
        self.refused(2, "--events", "sched", *base, "--", "probe")
        self.refused(2, "nosuch", name="compare")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
