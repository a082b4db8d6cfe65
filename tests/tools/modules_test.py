#!/usr/bin/python3
"""Unit tests of the modules behind tools/run and tools/compare. No QEMU, no Bazel, no network."""

import io
import json
import os
import stat
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

sys.path.insert(0, os.getcwd())

from tools.guest import benchlist, count, cpio, machine, panic, program, rootfs, run, stats  # noqa: E402
from tools.guest import build, busybox, commands, compare, lab, plot  # noqa: E402
from tools.guest.errors import NOT_EXECUTABLE, NOT_FOUND, USAGE, ToolError  # noqa: E402
from tools.guest.network import Network, parse_kind, parse_nic  # noqa: E402
from tools.guest.tree import Tree  # noqa: E402

LIST = """
[[program]]
suite = "core"
target = "//perf:core"
args = ["--json"]
count_args = ["--json", "--count"]
[program.benchmarks]
null_syscall = "getppid"
fault = "page faults"
[[program]]
suite = "boot"
target = "//perf:boot"
as_init = true
since = "kernel_entry"
[program.benchmarks]
first_user = "first user instruction"
[[command]]
suite = "core"
benchmark = "pipe"
about = "through a pipe"
packages = ["linux-perf"]
run = "perf bench pipe {}"
variants = { one = "-t 1", two = "-t 2" }
variant = "{}-threads"
result = '(\\d+) ms'
unit = "ms"
better = "lower"
bar = 2
bars = { two-threads = 3 }
"""


def elf(machine_id=243, interpreter=b""):
    """The head of an ELF file with at most a PT_INTERP."""
    head = b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 2, machine_id, 1, 0, 64, 0, 0,
                                                   64, 56, 1 if interpreter else 0, 0, 0, 0)
    if not interpreter:
        return head
    return head + struct.pack("<IIQQQQQQ", 3, 4, 120, 0, 0, len(interpreter), 0, 1) + interpreter


class CpioTest(unittest.TestCase):
    def archive(self, tree):
        out = io.BytesIO()
        length = tree.write(out)
        self.assertEqual(length, len(out.getvalue()))
        return out.getvalue()

    def test_large_files_own_their_pages(self):
        tree = Tree()
        for i, size in enumerate((0, 1, 4095, 4096, 4097, 8192, 100000)):
            tree.add_file("d/" + "n" * (i * 40 + 1), os.urandom(size))
        archive = self.archive(tree)
        self.assertEqual(len(archive) % cpio.PAGE, 0)
        for name, mode, data, offset in cpio.read(archive):
            if stat.S_ISREG(mode) and len(data) >= cpio.PAGE:
                self.assertEqual(offset % cpio.PAGE, 0, name)
                self.assertFalse(any(archive[offset + len(data):offset + -(-len(data) // 4096) * 4096]))

    def test_round_trip_and_concatenation(self):
        tree = rootfs.base_tree()
        tree.add_file("bin/x", b"data", 0o755)
        archive = self.archive(tree)
        self.assertEqual(archive, self.archive(tree))
        entries = {name: (mode, data) for name, mode, data, _ in cpio.read(archive + archive)}
        self.assertEqual(entries["usr/bin/x"], (stat.S_IFREG | 0o755, b"data"))
        self.assertEqual(entries["bin"], (stat.S_IFLNK | 0o777, b"usr/bin"))
        self.assertTrue(stat.S_ISCHR(entries["dev/console"][0]))
        self.assertEqual(entries["etc"][0], stat.S_IFDIR | 0o755)

    def test_gnu_cpio_reads_it(self):
        tree = rootfs.base_tree()
        tree.add_file("bin/large", bytes(10000))
        out = subprocess.run(["cpio", "-t", "--quiet"], input=self.archive(tree), capture_output=True)
        self.assertIn(b"usr/bin/large\n", out.stdout)

    def test_truncated(self):
        tree = Tree()
        tree.add_file("x", bytes(5000))
        with self.assertRaises(ValueError):
            list(cpio.read(self.archive(tree)[:6000]))


class TreeTest(unittest.TestCase):
    def test_parents_are_made_and_links_followed(self):
        tree = rootfs.base_tree()
        tree.add_file("lib/a/b", b"x")
        self.assertIsNotNone(tree.lookup("usr/lib/a"))
        self.assertEqual(tree.resolve("/lib/../bin/./x"), "usr/bin/x")
        tree.add_symlink("loop", "loop")
        with self.assertRaises(ToolError):
            tree.resolve("loop/x")

    def test_parents_come_first(self):
        tree = Tree()
        tree.add_file("a/b/c", b"x")
        tree.add_dir("a/b", 0o700)
        tree.add_dir("a")
        self.assertEqual(list(tree.nodes), ["a", "a/b", "a/b/c"])
        self.assertEqual(tree.lookup("a/b").mode, stat.S_IFDIR | 0o700)

    def test_conflicts(self):
        tree = rootfs.base_tree()
        with self.assertRaises(ToolError):
            tree.add_file("etc", b"")
        with self.assertRaises(ToolError):
            tree.add_file("etc/passwd/x", b"")

    def test_base_and_top(self):
        with tempfile.TemporaryDirectory() as folder:
            archive, index = Path(folder) / "a", Path(folder) / "i"
            base = rootfs.base_tree()
            base.add_file("usr/bin/tool", elf(), 0o755)
            with open(archive, "wb") as out:
                base.write(out)
            base.save_index(index)
            top = Tree(archive, index)
            self.assertEqual(top.head("usr/bin/tool", 4), b"\x7fELF")
            self.assertEqual(program.find(top, "tool", rootfs.PATH), "usr/bin/tool")
            top.add_file("sbin/other", b"y")
            self.assertEqual(list(top.nodes), ["usr/sbin/other"])

    def test_host_folder(self):
        with tempfile.TemporaryDirectory() as folder:
            os.makedirs(f"{folder}/d/e")
            Path(folder, "d/e/f").write_bytes(b"1")
            os.symlink("f", f"{folder}/d/e/l")
            tree = Tree()
            tree.add_host(f"{folder}/d", "/x")
            self.assertEqual(tree.lookup("x/e/f").data, b"1")
            self.assertEqual(tree.lookup("x/e/l").target, "f")
            with self.assertRaises(ToolError):
                tree.add_host(f"{folder}/none", "/y")


class ProgramTest(unittest.TestCase):
    def status(self, name, data, mode=0o755):
        tree = rootfs.base_tree()
        tree.add_file("bin/p", data, mode)
        with self.assertRaises(ToolError) as caught:
            program.find(tree, name, rootfs.PATH)
        return caught.exception.status

    def test_refused(self):
        self.assertEqual(self.status("q", elf()), NOT_FOUND)
        self.assertEqual(self.status("/q", elf()), NOT_FOUND)
        self.assertEqual(self.status("p", elf(), 0o644), NOT_EXECUTABLE)
        self.assertEqual(self.status("p", elf(62)), NOT_EXECUTABLE)
        self.assertEqual(self.status("p", elf()[:30]), NOT_EXECUTABLE)
        self.assertEqual(self.status("p", b"text"), NOT_EXECUTABLE)
        self.assertEqual(self.status("p", b""), NOT_EXECUTABLE)
        self.assertEqual(self.status("/etc", elf()), NOT_EXECUTABLE)
        self.assertEqual(self.status("p", b"#!/bin/sh\n"), NOT_FOUND)
        self.assertEqual(self.status("p", elf(interpreter=b"/lib/ld.so\0")), NOT_FOUND)

    def test_found(self):
        tree = rootfs.base_tree()
        tree.add_file("lib/ld.so", elf(), 0o755)
        tree.add_file("bin/dynamic", elf(interpreter=b"/lib/ld.so\0"), 0o755)
        tree.add_file("bin/script", b"#! /bin/dynamic -x\n", 0o755)
        tree.add_symlink("bin/link", "script")
        self.assertEqual(program.find(tree, "link", rootfs.PATH), "usr/bin/script")


class BusyboxTest(unittest.TestCase):
    PROGRAM = b"\x7fELF...\0[\0[[\0ls\0sh\0\0\1more"

    def test_applets(self):
        self.assertEqual(busybox.applets(self.PROGRAM), ["[", "[[", "ls", "sh"])
        with self.assertRaises(ToolError):
            busybox.applets(b"no table")

    def test_fills_what_is_missing(self):
        tree = rootfs.base_tree()
        tree.add_file("bin/busybox", self.PROGRAM, 0o755)
        tree.add_file("sbin/ls", b"of a package", 0o755)
        busybox.add(tree)
        self.assertEqual(tree.resolve("bin/sh"), "usr/bin/busybox")
        self.assertIsNone(tree.lookup("usr/bin/ls"))


class CommandLineTest(unittest.TestCase):
    def usage_error(self, function, *args):
        err, sys.stderr = sys.stderr, io.StringIO()
        try:
            with self.assertRaises((SystemExit, ToolError)) as caught:
                function(list(args))
            text = sys.stderr.getvalue() or str(caught.exception) + "\n"
        finally:
            sys.stderr = err
        self.assertEqual(getattr(caught.exception, "status", None) or caught.exception.code, USAGE)
        self.assertEqual(text.count("\n"), 1, text)

    def test_run(self):
        options, command = run.parse(["--smp", "2", "--qemu-arg", "-s", "--", "sh", "-c", "a -- b"])
        self.assertEqual((options.smp, options.qemu_arg, options.mem), (2, ["-s"], 2 << 30))
        self.assertEqual(command, ["sh", "-c", "a -- b"])

    def test_run_refuses(self):
        for args in (["--bogus"], ["ls"], ["--"], ["--smp", "x"], ["--mem", "0"], ["--mem", "1Q"],
                     ["--system", "bsd"], ["--timeout", "-1"], ["--timeout", "nan"], ["--sm", "1"],
                     ["--system", "linux", "--trace", "f"], ["--test", "all", "--", "x"]):
            self.usage_error(run.parse, *args)

    def test_compare_refuses(self):
        for args in (["--bogus"], ["--rounds", "0"], ["--rounds", "x"], ["--system", "bsd"],
                     ["--smp", "1,x"], ["--also", "x"], ["--from", "x"], ["--smp", "65", "core"]):
            self.usage_error(compare.main, *args)

    def test_harts(self):
        for harts in (0, -1, 65):
            with self.assertRaises(ToolError):
                machine.Machine(smp=harts).check()
        machine.Machine(smp=64).check()

    def test_sizes(self):
        self.assertEqual(machine.parse_size("512"), 512 << 20)
        self.assertEqual(machine.parse_size("64k"), 64 << 10)
        self.assertEqual(machine.parse_size("2G"), 2 << 30)

    def test_files(self):
        with tempfile.TemporaryDirectory() as folder:
            file = f"{folder}/a.out"
            Path(file).touch()
            self.assertEqual(run.split_file(file), (file, "/a.out"))
            self.assertEqual(run.split_file(f"{file}:/bin/b"), (file, "/bin/b"))
            self.assertEqual(run.split_file(f"{file}:/bin/"), (file, "/bin/a.out"))
            with self.assertRaises(ToolError):
                run.split_file(f"{folder}/none:/x")


class NetworkTest(unittest.TestCase):
    def test_cards(self):
        self.assertEqual(Network().qemu_words("stellar") + Network().boot_words(), [])
        netdev, card = Network("user", ["tcp:8080:80", "udp:0.0.0.0:53:54"]).qemu_words("linux")[1::2]
        self.assertEqual(netdev, "user,id=net0,hostfwd=tcp:127.0.0.1:8080-:80,"
                                 "hostfwd=udp:0.0.0.0:53-:54")
        self.assertIn("virtio-net-pci", card)
        self.assertIn("ifname=tap0", Network("tap").qemu_words("stellar")[1])
        self.assertIn("remote.path=/b", Network("dgram:/a:/b").qemu_words("stellar")[1])
        self.assertEqual(Network("tap").boot_words(),
                         ["ip=10.77.0.2::10.77.0.1:255.255.255.0::eth0:off"])

    def test_buses(self):
        for system in ("stellar", "linux"):
            self.assertIn("virtio-net-pci", Network("user", nic=("pci", 1)).qemu_words(system)[3])
            self.assertIn("virtio-net-device", Network("user", nic=("mmio", 1)).qemu_words(system)[3])
        netdev, card = Network("tap", nic=parse_nic("pci,queues=4")).qemu_words("stellar")[1::2]
        self.assertIn("queues=4", netdev)
        self.assertIn("mq=on,vectors=10", card)
        for text in ("", "isa", "pci,queues=0", "pci,queues=65", "pci,queues=", "mmio,queues=2"):
            with self.assertRaises(ValueError):
                parse_nic(text)
        for kind, nic in (("none", ("pci", 1)), ("user", ("pci", 2))):
            with self.assertRaises(ToolError):
                Network(kind, nic=nic)

    def test_refused(self):
        for text in ("tcp:80", "sctp:1:2", "tcp:0:1", "tcp:1:65536", "tcp:a:b", "tcp:1.2.3:1:2", ""):
            with self.assertRaises(ToolError):
                Network("user", [text])
        with self.assertRaises(ToolError):
            Network("tap", ["tcp:1:2"])
        for text in ("", "bridge", "user:x", "dgram", "dgram:a", "dgram:a,b:c"):
            with self.assertRaises(ValueError):
                parse_kind(text)


class BenchmarkListTest(unittest.TestCase):
    def test_choose(self):
        benchmarks = benchlist.parse(LIST)
        everything, batches = benchmarks.choose([])
        self.assertEqual([choice.words(["-j"]) for choice in everything],
                         [["-j", "--only", "null_syscall", "--only", "fault"],
                          ["-j", "--only", "first_user"]])
        self.assertEqual(list(batches[0].runs), ["core/pipe/one-threads", "core/pipe/two-threads"])
        (choice,), batches = benchmarks.choose(["core/fault", "core/null_syscall/1"])
        self.assertEqual(batches, [])
        self.assertEqual(choice.words([]), ["--only", "fault", "--only", "core/null_syscall/1"])
        self.assertTrue(choice.wants("core/fault/4"))
        self.assertTrue(choice.wants("core/null_syscall/1"))
        self.assertFalse(choice.wants("core/null_syscall/2"))

    def test_commands(self):
        choices, (batch,) = benchlist.parse(LIST).choose(["core/pipe/two-threads"])
        self.assertEqual((choices, batch.packages()), ([], ["linux-perf"]))
        (name, (command, line)), = batch.runs.items()
        self.assertEqual((name, line), ("core/pipe/two-threads", "perf bench pipe -t 2"))
        self.assertEqual(command.bar_of(name), 3)
        self.assertEqual(command.bar_of("core/pipe/one-threads"), 2)

    def test_host(self):
        """Parts with a cable to the host: a second program of a suite, commands with boots of their own."""
        program = LIST.split("[[program]]")[1].replace("fault =", "wire =")
        program = program.replace("null_syscall", "rtt").replace("args", 'host = "//perf:peer"\nargs', 1)
        command = LIST[LIST.index("[[command]]"):].replace('"pipe"', '"web"')
        command = command.replace("unit", 'host = "load {}"\nunit')
        benchmarks = benchlist.parse(f"{LIST}\n[[program]]{program}\n{command}")
        choices, batches = benchmarks.choose(["core"])
        self.assertEqual([choice.program.host for choice in choices], ["", "//perf:peer"])
        self.assertEqual([choice.only for choice in choices], [["null_syscall", "fault"], ["rtt", "wire"]])
        self.assertEqual([(batch.host, len(batch.runs)) for batch in batches],
                         [(None, 2), ("load -t 1", 1), ("load -t 2", 1)])

    def test_refused(self):
        for name in ("nosuch", "core/nosuch", "core/fault/1/2"):
            with self.assertRaises(ToolError) as caught:
                benchlist.parse(LIST).choose([name])
            self.assertEqual(caught.exception.status, USAGE)
        for text in (LIST + LIST, LIST.replace("suite", "siute"), "[[program]", LIST + "x = 1",
                     LIST.replace('["--json"]', "3"), LIST.replace('(\\d+)', "("), LIST.replace("kernel_entry", "x")):
            with self.assertRaises(ToolError):
                benchlist.parse(text)


class CommandsTest(unittest.TestCase):
    """Commands of Debian's programs in a guest that is made up."""

    def setUp(self):
        _, (self.batch,) = benchlist.parse(LIST).choose(["core/pipe"])
        self.command = self.batch.runs["core/pipe/one-threads"][0]

    def run_batch(self, *outputs):
        """What a batch gives when its boots print `outputs`."""
        took, boots = {}, iter(outputs)

        class Guest:
            tree = Tree()

            def run(self, _argv, _streams, timeout):
                assert timeout > 60
                stdout = next(boots).encode()
                return SimpleNamespace(error="it broke", detail="",
                                       outcome=SimpleNamespace(stdout=stdout))
        commands.run_batch(lambda _: Guest(), self.batch,
                           lambda name, value, why: took.update({name.split("/")[2]: value or why}))
        self.assertEqual(list(boots), [])
        return took

    def test_figures(self):
        figure = commands.figure
        self.assertEqual(figure(self.command, 0, "2 ms\n4 ms\n"), (3, None))
        self.assertEqual(figure(self.command, 1, "2 ms\n")[1], "failed: exit status 1: 2 ms")
        self.assertEqual(figure(self.command, 0, "0 ms\n")[1], "failed: exit status 0: 0 ms")
        self.assertEqual(figure(self.command, 137, "")[1], "failed: no end after 60 s")
        self.assertEqual(figure(self.command, 1, "x\nfutex: Function not implemented\ny")[1],
                         "not supported: futex: Function not implemented")

    def test_one_boot(self):
        text = ("@begin core/pipe/one-threads\n5 ms\n\n@end 0\n"
                "@begin core/pipe/two-threads\nno\n\n@end 1\n")
        self.assertEqual(self.run_batch(text), {"one-threads": 5,
                                                "two-threads": "failed: exit status 1: no"})

    def test_boot_that_dies(self):
        took = self.run_batch("@begin core/pipe/one-threads\n5 ms\n",
                              "@begin core/pipe/two-threads\n7 ms\n\n@end 0\n")
        self.assertEqual(took, {"one-threads": "failed: it broke", "two-threads": 7})
        took = self.run_batch("")
        self.assertEqual(set(took.values()), {"failed: it broke"})

    def test_script(self):
        shell = commands.script(self.batch.runs)
        check = subprocess.run(["sh", "-n"], input=shell, text=True, capture_output=True)
        self.assertEqual((check.returncode, check.stderr), (0, ""))


class StatsTest(unittest.TestCase):
    def test_ratio(self):
        row = stats.Row("core/x/1", "ns", "lower")
        for stellar, linux in ((10, 100), (20, 90), (1, 500)):
            row.add("stellar", stellar, 1.0)
            row.add("linux", linux, 2.0)
        self.assertEqual(row.summary("stellar"), {"median": 10, "min": 1, "max": 20, "rounds": 3})
        self.assertEqual(row.ratio(), 10)
        row.better = "higher"
        self.assertEqual(row.ratio(), 0.1)
        self.assertEqual(row.load(), 1.5)
        item = json.loads(json.dumps(row.to_json(machine.Machine(smp=8))))
        self.assertEqual((item["name"], item["harts"], item["machine"]), ("core/x/1", 8, "virt"))
        self.assertLessEqual({"unit", "better", "stellar", "linux", "ratio"}, item.keys())
        self.assertEqual(len(stats.table([row], ["stellar", "linux"])), 2)

    def test_bar(self):
        row = stats.Row("core/x/1", "ns", "lower", bar=2)
        for value in (10, 20, 30):
            row.add("stellar", value, 0)
            row.add("linux", value + 5, 0)
        self.assertTrue(row.below())
        self.assertIn("below 2", stats.table([row], ["stellar", "linux"])[1])
        row.bar = 1
        self.assertFalse(row.below())
        row.better = "higher"
        self.assertFalse(row.below(), "the ranges overlap")
        row.samples["linux"] = [100]
        self.assertTrue(row.below())

    def test_notes(self):
        row = stats.Row("core/x/1", bar=2)
        row.add("stellar", 1, 0)
        row.note("stellar", "failed: exit status 1")
        row.note("linux", "not supported: y")
        self.assertTrue(row.failed())
        self.assertIsNone(row.summary("stellar"))
        lines = stats.table([row], ["stellar", "linux"])
        self.assertIn("failed in 1 of 2", lines[1])
        self.assertIn("not supported", lines[1])
        self.assertEqual(row.to_json(machine.Machine())["notes"]["stellar"], "failed: exit status 1")

    def test_one_side_missing(self):
        row = stats.Row("core/x/1", "ns", "lower")
        row.add("linux", 1, 0)
        self.assertIsNone(row.ratio())
        self.assertIn("-", stats.table([row], ["stellar", "linux"])[1])

    def test_results(self):
        good = {"name": "core/x/1", "unit": "ns", "better": "lower", "value": 1.5}
        self.assertEqual(stats.parse_results(json.dumps(good) + "\n\n"), [good])
        for change in ({"value": 0}, {"value": "1"}, {"value": float("nan")}, {"better": "more"},
                       {"name": "core/x"}, {"name": "a b/c/d"}, {"value": True}):
            with self.assertRaises(ToolError):
                stats.parse_results(json.dumps({**good, **change}))
        unsupported = {"name": "core/x/1", "unsupported": "why"}
        self.assertEqual(stats.parse_results(json.dumps(unsupported)), [unsupported])
        for text in ("hello", "[]", '{"name":"a/b/c"}'):
            with self.assertRaises(ToolError):
                stats.parse_results(text)


class PlotTest(unittest.TestCase):
    def results(self, variants, harts=(4,), **sides):
        items = []
        for variant in variants:
            for number in harts:
                row = stats.Row(f"core/x/{variant}", "ns", "lower", bar=2)
                for system in sides or ("stellar", "linux"):
                    row.add(system, 10 * number, 0)
                items.append(row.to_json(machine.Machine(smp=number), ["stellar", "linux", *sides]))
        return json.loads(json.dumps(items))

    def titles(self, results):
        return [chart[0] for chart in plot.charts(results)]

    def test_charts(self):
        self.assertEqual(self.titles(self.results(["1-threads", "4-threads"])),
                         ["core/x, 4-hart machine"])
        self.assertEqual(self.titles(self.results(["default"], (1, 4))), ["core/x/default"])
        self.assertEqual(self.titles(self.results(["1-threads", "default"])), [])
        counts = [{"name": "core/x/1-threads", "unit": "per operation", "better": "lower",
                   "machine": "virt", "harts": harts, "stellar": {"csr": 1}} for harts in (1, 2)]
        self.assertEqual(self.titles(counts), [])

    def test_svg(self):
        results = self.results(["1-threads", "4-threads"], (1, 4), stellar=1, ticket=1, mcs=1)
        root = ElementTree.fromstring(plot.svg(results))
        self.assertTrue(root.tag.endswith("svg"))
        self.assertEqual(plot.svg(results).count("<circle"), 4 * 2 * 3)
        page = plot.html(results)
        self.assertIn("core/x/1-threads", page)
        self.assertEqual(page.count("<tr"), 5)
        self.assertIn("</svg>", plot.svg([]))


class CountTest(unittest.TestCase):
    def test_minimum_of_repeats(self):
        def window(seq, instructions):
            return {"id": 3, "seq": seq, "hart": 0, "harts": [
                {"hart": 0, "instructions": instructions, "csr": 20, "write_moves": 20, "xret": 40},
                {"hart": 1, "instructions": 100, "csr": 0, "read_moves": 10, "xret": 10}],
                "lines": [{"paddr": "0x80", "vaddr": "0xffffffff00001010", "moves": 30,
                           "write_pc": "0xffffffff00001000"}]}
        windows = {(3, seq): window(seq, n) for seq, n in enumerate((1000, 900, 2000))}
        line = '{"name":"core/x/1","window":3,"ops":10}\n'
        counts = count.combine(line * 3, windows)
        self.assertEqual(counts["core/x/1"]["instructions"], 100)
        self.assertEqual(counts["core/x/1"]["csr"], 2)
        self.assertEqual(counts["core/x/1"]["moves"], 3)
        count.add_symbols(counts, count.Symbols("ffffffff00001000 d table\nffffffff00002000 d other\nU undefined"))
        self.assertEqual(counts["core/x/1"]["lines"][0]["symbol"], "table+0x10")
        by_system = {"stellar": counts, "linux": {}}
        self.assertTrue(count.table(by_system, 1)[-1].endswith("line 0x80 table+0x10, written in table"))
        self.assertIsNone(count.to_json(by_system, machine.Machine())[0]["ratio"])
        one_hart = count.combine(line.replace('"ops"', '"one_hart":true,"ops"'), windows)
        self.assertEqual(one_hart["core/x/1"]["instructions"], 100)
        self.assertEqual(one_hart["core/x/1"]["moves"], 2)
        endless = count.combine('{"name":"core/x/1","window":3,"calls":2}\n', windows)
        self.assertEqual(endless["core/x/1"]["instructions"], 1100 * 2 / 50)
        with self.assertRaises(ToolError):
            count.combine(line * 4, windows)

    def test_console(self):
        log = 'kernel_entry 0x00000000000186a0\n[ 1.0] words {"name":"a"}\r\nKernel panic\r\n'
        self.assertEqual(lab.json_lines(log), '{"name":"a"}')
        self.assertEqual(lab.kernel_entry_us(log), 10000)


class BuildTest(unittest.TestCase):
    def test_outputs(self):
        events = [
            {"id": {"namedSet": {"id": "0"}}, "namedSetOfFiles": {"files": [{"uri": "file:///a%20b"}]}},
            {"id": {"namedSet": {"id": "1"}}, "namedSetOfFiles": {"fileSets": [{"id": "0"}]}},
            {"id": {"targetCompleted": {"label": "//x:y"}},
             "completed": {"outputGroup": [{"name": "default", "fileSets": [{"id": "1"}]}]}},
        ]
        self.assertEqual(build._outputs(events), {"//x:y": [Path("/a b")]})


class PanicTest(unittest.TestCase):
    def test_report(self):
        log = "a\nKERNEL PANIC: oh\nline\nEND PANIC\nb\n"
        self.assertEqual(panic.report(log), "KERNEL PANIC: oh\nline\nEND PANIC")
        self.assertEqual(panic.report("KERNEL PANIC: cut"), "KERNEL PANIC: cut")
        self.assertIsNone(panic.report("all is well"))
        self.assertEqual(len(panic.tail("x\n" * 100).splitlines()), 20)


if __name__ == "__main__":
    unittest.main()
