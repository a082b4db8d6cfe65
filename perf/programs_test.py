#!/usr/bin/python3
"""Boots Linux with each benchmark program as its first process and checks what the program prints.

usage: programs_test.py LINUX FIRMWARE FUTEX CORE PROCESS IPC NET BOOT

Linux is the oracle: a program whose check fails there is wrong itself. A first process that ends
makes Linux panic with the exit code in the message, which is how the status is seen.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

LINUX, FIRMWARE, FUTEX, CORE, PROCESS, IPC, NET, BOOT = sys.argv[1:9]


def run(program, *words):
    """(status, output lines) of the program as the first process of Linux."""
    with tempfile.TemporaryDirectory() as folder:
        initrd = os.path.join(folder, "initrd.cpio")
        with open(program, "rb") as source, open(os.path.join(folder, "init"), "wb") as init:
            init.write(source.read())
            os.chmod(init.fileno(), 0o755)
        with open(initrd, "wb") as archive:
            subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=folder, input=b"init\n",
                           stdout=archive, check=True)
        process = subprocess.run(
            ["qemu-system-riscv64", "-machine", "virt", "-cpu", "rv64", "-smp", "2", "-m", "512M",
             "-bios", FIRMWARE, "-kernel", LINUX, "-initrd", initrd,
             "-append", "console=ttyS0 rdinit=/init quiet panic=-1 -- " + " ".join(words),
             "-display", "none", "-monitor", "none", "-serial", "stdio", "-no-reboot"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=120,
            check=False)
    code = re.search(r"exitcode=0x([0-9a-f]{8})", process.stdout)
    assert code, process.stdout[-2000:]
    return int(code[1], 16) >> 8, process.stdout.replace("\r", "").splitlines()


def results(lines):
    """name -> JSON object of the result lines."""
    objects = [json.loads(line) for line in lines if line.startswith("{")]
    names = [item["name"] for item in objects]
    assert len(set(names)) == len(names), names
    return dict(zip(names, objects))


class ProgramsTest(unittest.TestCase):
    """One boot a test."""

    def check_suite(self, program, suite, number, missing="$"):
        """`missing` is an expression for what a first process without devices or lo cannot run."""
        status, lines = run(program, "--quick", "--json")
        said = [line for line in lines if line.startswith(os.path.basename(program) + ":")]
        self.assertEqual(status, 0, said)
        items = results(lines)
        self.assertEqual(len(items), number)
        for name, item in items.items():
            self.assertRegex(name, "^" + suite + r"/[a-z0-9_.:-]+/[a-z0-9_.:-]+$")
            self.assertEqual("unsupported" in item, bool(re.fullmatch(missing, name)), name)
            if "unsupported" in item:
                continue
            self.assertIn((item["unit"], item["better"]), (("ns/op", "lower"), ("MB/s", "higher")))
            self.assertGreater(item["value"], 0)
            self.assertLessEqual(item["min"], item["value"])
            self.assertGreaterEqual(item["max"], item["value"])

    def test_futex(self):
        self.check_suite(FUTEX, "futex", 85)

    def test_core(self):
        self.check_suite(CORE, "core", 12)

    def test_process(self):
        self.check_suite(PROCESS, "process", 57, "process/(read/zero|write/null)")

    def test_ipc(self):
        self.check_suite(IPC, "ipc", 68)

    def test_net(self):
        self.check_suite(NET, "net", 64, "net/(tcp|udp|epoll|eth0).*")

    def test_boot(self):
        status, lines = run(BOOT)
        self.assertEqual(status, 0)
        item = results(lines)["boot/first_user/default"]
        self.assertEqual(item["unit"], "us")
        self.assertGreater(item["value"], 0)

    def test_only_and_table(self):
        status, lines = run(CORE, "--quick", "--threads=2,3", "--only=core/null-syscall",
                            "--only=fault/3-threads")
        self.assertEqual(status, 0)
        rows = [line.split()[0] for line in lines if line.startswith("core/")]
        self.assertEqual(rows, ["core/null-syscall/getppid", "core/fault/3-threads"])

    def test_bad_option(self):
        status, lines = run(FUTEX, "--colour")
        self.assertEqual(status, 2)
        self.assertIn("futex_contention: unknown option --colour; see --help", lines)

    def test_unknown_name(self):
        status, lines = run(FUTEX, "--only=mutes")
        self.assertEqual(status, 2)
        self.assertIn("futex_contention: no benchmark is called mutes; see --list", lines)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
