#!/usr/bin/python3
"""Tests of what the kernel starts on, and of what it refuses to start: numbers of harts, machines, damaged files.

Usage: boots_test.py PROBE LABEL=FILE...  The files are what tools/run would have Bazel build.
Runs outside the sandbox: the real workspace, found behind the link to this file, has the caches.
"""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROBE = os.path.abspath(sys.argv[1])
BUILT = [pair.split("=", 1) for pair in sys.argv[2:]]
LIMIT_S = 100


def environment(**more):
    """What tells tools/run not to call Bazel, which waits for this test."""
    given = " ".join(f"{label}={os.path.abspath(file)}" for label, file in BUILT)
    return dict(os.environ, STELLAR_BUILT=given, **more)


def tool(*args):
    """Runs tools/run to its end."""
    return subprocess.run([ROOT / "tools/run", "--timeout", str(LIMIT_S), *args],
                          stdin=subprocess.DEVNULL, capture_output=True, env=environment(),
                          timeout=2 * LIMIT_S, check=False)


class BootTest(unittest.TestCase):
    def harts(self, number, *options):
        result = tool("--smp", str(number), *options, "--", "nproc")
        self.assertEqual((result.returncode, result.stdout), (0, f"{number}\n".encode()),
                         result.stderr)

    def test_numbers_of_harts(self):
        for number in (1, 2, 4, 8, 16, 64):
            with self.subTest(harts=number):
                self.harts(number)

    def test_interrupts_by_message(self):
        self.harts(4, "--machine", "virt,aia=aplic-imsic")

    def test_doorbells_by_aclint(self):
        self.harts(4, "--machine", "virt,aclint=on")


class DamageTest(unittest.TestCase):
    """A line that says what is wrong and a status; no hang, no panic."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="boots.")
        self.addCleanup(self.folder.cleanup)

    def file(self, name, data):
        path = Path(self.folder.name) / name
        path.write_bytes(data)
        path.chmod(0o755)
        return str(path)

    def refused(self, status, *args):
        result = tool(*args)
        self.assertEqual(result.returncode, status, result.stderr)
        self.assertEqual(result.stdout, b"")
        self.assertNotIn(b"panic", result.stderr)
        self.assertTrue(result.stderr.strip())

    def test_damaged_programs(self):
        good = Path(PROBE).read_bytes()
        wild = bytearray(good)
        for header in range(64, 64 + 56 * good[56], 56):
            wild[header + 16:header + 48] = b"\xff" * 32
        cases = {
            "cut": good[:64],
            "no segments": good[:56] + bytes(2) + good[58:],
            "segments beyond the end": good[:32] + b"\xff" * 7 + b"\x7f" + good[40:],
            "wild segments": bytes(wild),
            "other machine": good[:18] + b"\x3e\x00" + good[20:],
            "32 bits": good[:4] + b"\x01" + good[5:],
        }
        for name, data in cases.items():
            with self.subTest(damage=name):
                self.refused(126, "--file", self.file("x", data) + ":/x", "--", "/x")

    def test_cut_root_file_system(self):
        header = b"070701" + b"00000001" * 5 + b"00000000" + b"00010000" + b"00000000" * 4 + \
            b"00000005" + b"00000000" + b"file\0\0"
        cut = self.file("cut.cpio", header + b"x" * 100)
        self.refused(125, "--qemu-arg=-initrd", f"--qemu-arg={cut}", "--", "true")

    def test_unreadable_file(self):
        path = self.file("secret", b"x")
        os.chmod(path, 0)
        if os.access(path, os.R_OK):
            self.skipTest("root reads everything")
        self.refused(125, "--file", path, "--", "true")

    def test_no_qemu(self):
        bin_folder = Path(self.folder.name) / "bin"
        bin_folder.mkdir()
        for entry in Path("/usr/bin").iterdir():
            if not entry.name.startswith("qemu"):
                (bin_folder / entry.name).symlink_to(entry)
        result = subprocess.run([sys.executable, "-P", "-m", "tools.guest.run", "--", "true"],
                                env=environment(PATH=str(bin_folder), PYTHONPATH=str(ROOT)),
                                capture_output=True, timeout=LIMIT_S, check=False)
        lines = [line for line in result.stderr.splitlines() if not line.endswith(b"...")]
        self.assertEqual((result.returncode, len(lines)), (125, 1), result.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
