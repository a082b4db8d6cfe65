"""tools/profile: where the instructions of a run go, on either kernel.

A QEMU plugin samples every hart once in a number of instructions, with the kernel's callers; nothing runs in the guest for it. Samples
count work, not time: a hart that sleeps has none. Prints the functions that took most, and writes a flame graph (-o) or folded
stacks (--folded), which other tools read too. A program given by --file is resolved if it is linked statically; other programs
of the guest appear as "user", the firmware as "firmware".

  tools/profile -o out.svg -- sh -c 'for i in 1 2 3; do ls /; done'
  tools/profile --system linux --file ./a.out -o linux.svg -- /a.out
"""

import argparse
import collections
import sys
import tempfile
from pathlib import Path

from tools.guest import build, count
from tools.guest.errors import ToolError
from tools.guest.flame import flame_graph
from tools.guest.guest import SYSTEMS, Guest
from tools.guest.machine import RAM_BASE, Machine, parse_size
from tools.guest.process import say
from tools.guest.run import split_file
from tools.guest.session import Streams
from tools.guest.stats import align

_PLUGIN = "//perf/plugin:sample"
_UPPER_HALF = 1 << 63
_FIRMWARE_SIZE = 0x200000


class Names:
    """Function names for addresses."""

    def __init__(self, kernel, program):
        self._kernel, self._program = kernel, program

    def _of(self, address, is_call):
        """`is_call`: a return address, which may lie behind the function's last instruction."""
        if address >= _UPPER_HALF:
            name = self._kernel.name(address - is_call)
            return name.rpartition("+")[0] or name
        if RAM_BASE <= address < RAM_BASE + _FIRMWARE_SIZE:
            return "firmware"
        if self._program:
            name = self._program.name(address)
            if not name.startswith("0x"):
                return name.rpartition("+")[0] or name
        return "user"

    def stack(self, addresses):
        """Innermost first, as sampled, to outermost first, by name."""
        names = [self._of(address, i > 0) for i, address in enumerate(addresses)]
        return tuple(names[::-1])


def fold(lines, names):
    """Stack of names -> samples."""
    stacks = collections.Counter()
    for line in lines:
        _, *addresses = line.split()
        stacks[names.stack([int(address, 16) for address in addresses])] += 1
    return stacks


def table(stacks, rows):
    """The functions with most samples of their own."""
    own, whole = collections.Counter(), collections.Counter()
    for stack, samples in stacks.items():
        own[stack[-1]] += samples
        for name in set(stack):
            whole[name] += samples
    total = sum(own.values())
    head = ["function", "own", "with callees", "samples"]
    return align([head, *([name, f"{100 * n / total:.1f} %", f"{100 * whole[name] / total:.1f} %", str(n)]
                          for name, n in own.most_common(rows))])


def _symbols(guest, hardware, files, command):
    if guest.system == "linux":
        kernel = count.symbols_of_linux(lambda more: Guest("linux", hardware, files=more))
    else:
        kernel = count.symbols_of_kernel(guest.kernel)
    own = [host for host, path in files if Path(path).name == Path(command[0]).name]
    return Names(kernel, count.symbols_of_kernel(own[0]) if own else None)


def _profile(args, command):
    plugin, = build.build(_PLUGIN)
    hardware = Machine(args.smp, parse_size(args.mem), args.machine, args.cpu)
    files = [split_file(text) for text in args.file]
    guest = Guest(args.system, hardware, args.package, files)
    with tempfile.TemporaryDirectory(prefix="stellar-") as folder:
        out = Path(folder) / "samples"
        words = ["-plugin", f"{plugin},out={out},period={args.period}{',boot=1' * args.boot}"]
        result = guest.run(command, Streams(stdin=0, stdout=2, stderr=2), append=["nokaslr"],
                           qemu_args=words, timeout=args.timeout)
        if result.error:
            say(f"error: {result.error}")
        lines = out.read_text().splitlines() if out.exists() else []
    if not lines:
        raise ToolError("no samples: the run was too short for --period")
    return result.status, fold(lines, _symbols(guest, hardware, files, command))


def _parser():
    parser = argparse.ArgumentParser(prog="tools/profile", usage="tools/profile [options] -- CMD ARG...",
                                     description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--system", choices=SYSTEMS, default="stellar")
    add("--smp", type=int, default=4, metavar="N")
    add("--mem", default="2G", metavar="SIZE")
    add("--machine", default="virt", metavar="TYPE")
    add("--cpu", default="rv64", metavar="MODEL")
    add("--package", action="append", default=[], metavar="NAME")
    add("--file", action="append", default=[], metavar="HOST[:GUEST]")
    add("--timeout", type=float, metavar="SECONDS")
    add("--period", type=int, default=20000, metavar="N",
        help="instructions of a hart between samples (default %(default)s)")
    add("--boot", action="store_true", help="begin at reset, not with the first program")
    add("--rows", type=int, default=20, metavar="N", help="rows of the table (default %(default)s)")
    add("-o", dest="svg", metavar="OUT.svg", help="write a flame graph")
    add("--folded", metavar="FILE", help="write folded stacks")
    return parser


def main(args):
    """The command line. The program's output goes to stderr, the table to stdout; the status is the program's."""
    parser = _parser()
    if "--" not in args and not {"-h", "--help"} & set(args):
        parser.error("no command: it comes after --")
    at = args.index("--") if "--" in args else len(args)
    options, command = parser.parse_args(args[:at]), args[at + 1:]
    if not command:
        parser.error("no command after --")
    if options.period < 1:
        parser.error("--period: a number above 0")
    try:
        status, stacks = _profile(options, command)
        print("\n".join(table(stacks, options.rows)))
        if options.folded:
            text = "".join(f"{';'.join(stack)} {n}\n" for stack, n in sorted(stacks.items()))
            Path(options.folded).write_text(text)
        if options.svg:
            Path(options.svg).write_text(flame_graph(stacks, " ".join(command)))
    except ToolError as error:
        say(f"error: {error}")
        return error.status
    except OSError as error:
        say(f"error: {error.filename}: {error.strerror}")
        return 125
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
