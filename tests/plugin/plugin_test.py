#!/usr/bin/python3
"""Boots guest.S at two harts with the counting plugin and checks the counts that it must give.

usage: plugin_test.py PLUGIN GUEST
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest

PLUGIN, GUEST = sys.argv[1:3]
LOOPS, CSRS, CALLS, TURNS = 1000, 10, 100, 500  # guest.S
LINE = 64


def boot(plugin_options, machine="virt"):
    """The finished QEMU process, its output kept."""
    return subprocess.run(
        ["qemu-system-riscv64", "-machine", machine, "-cpu", "rv64", "-smp", "2", "-m", "64M",
         "-bios", "none", "-kernel", GUEST, "-display", "none", "-monitor", "none", "-serial", "none",
         "-plugin", os.path.abspath(PLUGIN) + plugin_options],
        capture_output=True, text=True, timeout=50, check=False)


def symbol(name):
    """Address of a symbol of the guest, by its ELF symbol table."""
    lines = subprocess.run(["riscv64-linux-gnu-nm", GUEST], capture_output=True, text=True,
                           check=True).stdout.splitlines()
    return next(int(line.split()[0], 16) for line in lines if line.split()[2] == name)


class PluginTest(unittest.TestCase):
    """One boot; each test looks at one window."""

    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "counts.json")
            process = boot(",out=" + path)
            assert process.returncode == 0, process.stderr
            with open(path, encoding="utf-8") as file:
                cls.counts = json.load(file)

    def window(self, number):
        """The only window of that id."""
        (window,) = [w for w in self.counts["windows"] if w["id"] == number]
        self.assertEqual(window["seq"], 0)
        self.assertEqual(window["hart"], 0)
        self.assertEqual([hart["hart"] for hart in window["harts"]], [0, 1])
        return window

    def test_instructions_and_csrs(self):
        hart = self.window(1)["harts"][0]
        self.assertEqual(hart["instructions"], 2 * LOOPS + CSRS)
        self.assertEqual(hart["csr"], CSRS)
        # Each CSR access is followed by a look-up; the loop branches inside its page.
        self.assertEqual(hart["blocks"], CSRS)
        self.assertEqual((hart["xret"], hart["wfi"], hart["sfence"], hart["kernel"]), (0, 0, 0, 0))

    def test_calls_across_pages(self):
        hart = self.window(2)["harts"][0]
        self.assertEqual(hart["instructions"], 4 * CALLS)
        self.assertEqual(hart["blocks"], 2 * CALLS)

    def test_line_moves(self):
        window = self.window(3)
        line = window["lines"][0]
        self.assertEqual(int(line["paddr"], 16), symbol("turn"))
        self.assertEqual(int(line["vaddr"], 16) // LINE, symbol("turn") // LINE)
        self.assertEqual(line["moves"], line["reads"] + line["writes"])
        # A turn moves the line twice: the reader's copy, then its ownership. A hart that QEMU
        # delays between an access and its callback makes a few differ.
        for moves in (line["reads"], line["writes"]):
            self.assertGreater(moves, 2 * TURNS * 0.9)
            self.assertLessEqual(moves, 2 * TURNS + 1)
        for hart in window["harts"]:
            self.assertGreaterEqual(hart["instructions"], 7 * TURNS)

    def test_all_markers_fit(self):
        self.assertEqual(self.counts["version"], 1)
        self.assertEqual(self.counts["misplaced_markers"], 0)
        self.assertEqual(len(self.counts["windows"]), 3)


class BadInputTest(unittest.TestCase):
    """QEMU does not start and says why."""

    def check(self, options, message):
        process = boot(options)
        self.assertNotEqual(process.returncode, 0)
        self.assertIn(message, process.stderr)

    def test_no_output_file(self):
        self.check("", "usage: -plugin libcount.so,out=FILE")

    def test_unknown_option(self):
        self.check(",colour=red", "usage: -plugin libcount.so,out=FILE")

    def test_unwritable_output(self):
        self.check(",out=/nonexistent/counts.json", "No such file")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
