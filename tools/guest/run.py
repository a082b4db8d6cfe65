"""The command line of tools/run."""

import argparse
import os
import shlex
import signal
import sys
import tempfile
from pathlib import Path

from tools.guest import benchlist, build, samples
from tools.guest.errors import FAILED, USAGE, ToolError
from tools.guest.flame import flame_graph
from tools.guest.guest import SYSTEMS, Guest
from tools.guest.machine import Machine, parse_size
from tools.guest.memory import Monitor
from tools.guest.network import Network, parse_kind, parse_nic
from tools.guest.process import run_quietly, say
from tools.guest.session import Streams

_EPILOG = """\
Without CMD, runs the futex contention benchmark, then a short run of it to write a trace.

exit status: the program's (128+N if signal N killed it); 2 wrong usage, 124 time limit,
125 the run failed (build, QEMU, kernel panic), 126 not executable, 127 no such program

examples:
  tools/run -- sh
  tools/run --package coreutils -- ls -l /
  tools/run --system linux --package redis-server -- redis-server --version
  tools/run --file ./a.out --trace a.pftrace -- /a.out 1 2 3
  tools/run --package nginx --forward tcp:8080:80 -- nginx -g 'daemon off;'
  tools/run --net tap --package iperf3 --host 'sleep 9; iperf3 -c $GUEST' -- iperf3 -s
"""

# Every benchmark once, about a second in all.
_TRACED = ["--duration", "30", "--threads", "4", "--only", "mutex", "--only", "ping-pong",
           "--only", "broadcast", "--only", "condvar"]


class Parser(argparse.ArgumentParser):
    """Errors are one line."""

    def error(self, message):
        self.exit(USAGE, f"{self.prog}: error: {message} (--help lists the options)\n")


def seconds(text):
    """A positive number of seconds."""
    value = float(text)
    if not value > 0:
        raise ValueError
    return value


def size(text):
    """A memory size in bytes."""
    try:
        return parse_size(text)
    except ToolError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def net(text):
    """The kind of network."""
    return parse_kind(text)


def nic(text):
    """The network card."""
    return parse_nic(text)


def split_file(text):
    """HOST[:GUEST] -> (host, guest). GUEST is absolute; without it the file goes to /NAME."""
    host, colon, guest = text.rpartition(":/")
    if not colon or os.path.exists(text):
        host, guest = text, os.path.basename(os.path.abspath(text))
    elif text.endswith("/"):
        guest = f"{guest.rstrip('/')}/{os.path.basename(os.path.abspath(host))}"
    if not os.path.exists(host):
        raise ToolError(f"--file {text}: there is no {host}")
    return host, "/" + guest


def _parser():
    parser = Parser(prog="tools/run", usage="tools/run [options] [-- CMD ARG...]", epilog=_EPILOG,
                    description="Boots a kernel in QEMU and runs CMD in it.", allow_abbrev=False,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--smp", type=int, default=4, metavar="N", help="harts, 1 to 64 (default 4)")
    add("--mem", type=size, default="2G", metavar="SIZE", help="memory (default 2G)")
    add("--system", choices=SYSTEMS, default="stellar", help="the kernel (default stellar)")
    add("--package", action="append", default=[], metavar="NAME",
        help="put this Debian trixie riscv64 package and all that it depends on into the guest")
    add("--file", action="append", default=[], metavar="HOST[:GUEST]",
        help="put this file or folder into the guest (default at /NAME)")
    add("--net", type=net, metavar="KIND",
        help="the network card eth0: none (default), user (QEMU's network 10.0.2.0/24; default with "
        "--forward), tap (a namespace of its own, 10.77.0.0/24, the guest is .2), or "
        "dgram:GUEST:PEER (a message a frame between these two unix sockets)")
    add("--nic", type=nic, metavar="BUS",
        help="where the card is: mmio (default of stellar), pci (default of linux), or "
        "pci,queues=N with N pairs of queues (--net tap)")
    add("--forward", action="append", default=[], metavar="PROTO:HOST:GUEST",
        help="tcp or udp: port HOST of 127.0.0.1 leads to port GUEST of the guest (--net user)")
    add("--host", metavar="CMD", help="run this shell command on the host, with --net tap at the "
        "host's end of the cable; $GUEST is the guest's address. The run ends with its status")
    add("--trace", metavar="FILE", help="write a trace for Perfetto (stellar only)")
    add("--events", default="on", metavar="LIST",
        help="what --trace records: categories of docs/tracing.md with commas, and stop (default all)")
    add("--profile", metavar="OUT.svg", help="sample where the time goes; write a flame graph, and "
        "OUT.folded; with --trace the samples are in that file too (stellar only)")
    add("--append", action="append", default=[], metavar="ARGS", help="kernel arguments to add")
    add("--machine", default="virt", metavar="TYPE", help="QEMU machine (default virt)")
    add("--cpu", default="rv64", metavar="MODEL", help="QEMU cpu (default rv64)")
    add("--debug", action="store_true", help="the debug kernel: assertions, checks, -O1")
    add("--kernel", metavar="FILE", help="this kernel, not the one that Bazel builds")
    add("--gdb", action="store_true", help="wait for a debugger and print how to start it")
    add("--timeout", type=seconds, metavar="SECONDS", help="end the run after this time")
    add("--tty", action="store_true", help="give the program the console as its terminal, even "
        "where stdin and stdout are not terminals; Ctrl-A x ends the run")
    add("--test", metavar="NAME", help="run this in-kernel test, or all, not a program")
    add("--verbose", action="store_true", help="show firmware, kernel log and QEMU's command line")
    add("--qemu-arg", action="append", default=[], metavar="ARG", help="a word for QEMU")
    return parser


def parse(args):
    """The options and the command of a command line."""
    command = []
    if "--" in args:
        at = args.index("--")
        args, command = args[:at], args[at + 1:]
        if not command:
            _parser().error("no command after --")
    # argparse takes an option's value for an option when it begins with a dash, as QEMU's do.
    joined, rest = [], iter(args)
    for word in rest:
        if word in ("--qemu-arg", "--append"):
            word = f"{word}={next(rest, '')}"
        joined.append(word)
    options, extra = _parser().parse_known_args(joined)
    if extra:
        kind = "option" if extra[0].startswith("-") else "word"
        hint = "" if kind == "option" else "; a command comes after --"
        _parser().error(f"unknown {kind}: {extra[0]}{hint}")
    for wrong, text in ((options.profile and options.system != "stellar", "--profile"),
                        (options.trace and options.system != "stellar", "--trace"),
                        (options.test and options.system != "stellar", "--test"),
                        (options.debug and options.system != "stellar", "--debug")):
        if wrong:
            _parser().error(f"{text} needs --system stellar")
    if options.events != "on" and command and not options.trace:
        _parser().error("--events needs --trace")
    if options.profile and not command:
        _parser().error("--profile needs a command")
    if options.test and command:
        _parser().error("--test runs no command")
    return options, command


def _streams(options):
    def is_terminal(stream):
        return stream is not None and stream.isatty()
    interactive = options.tty or (is_terminal(sys.stdin) and is_terminal(sys.stdout))
    if options.test:
        return Streams(console=1, ports=False)
    if interactive:
        return Streams(stdin=0, console=1, ports=False, interactive=True)
    return Streams(stdin=0, stdout=1, stderr=2, console=2 if options.verbose else None)


def _window_size():
    """The word that tells StellarOS how large the host's terminal is; a UART cannot."""
    try:
        size = os.get_terminal_size(0)
    except OSError:
        return []
    return [f"stellar.winsize={size.lines}x{size.columns}"] if size.lines else []


def _debugger(guest, folder):
    """QEMU's words for a debugger, after telling the user how to start it."""
    path = f"{folder}/gdb"
    say(f"waiting for: gdb-multiarch {shlex.quote(str(guest.kernel))} -ex 'target remote {path}'")
    return ["-S", "-gdb", f"unix:path={path},server=on,wait=off"]


def _convert(convert, dump, out):
    found = run_quietly([str(convert), str(dump), "-o", str(out)], "converting the trace")
    say(f"trace: {out}: {found.strip()}; open it at ui.perfetto.dev")


def _events(options):
    """What the kernel records."""
    if not options.profile:
        return options.events
    return f"{options.events},sample" if options.trace else "sample"


def _add_samples(convert, dump, guest, options, trace, title):
    """Resolves the samples: into the trace, and into a flame graph."""
    found, missed = samples.read(convert, dump, guest.kernel, guest.tree)
    if not found:
        say("no samples: the run was too short")
        return
    if trace:
        with open(trace, "ab") as file:
            file.writelines(samples.packets(found))
    if options.profile:
        more = f", {missed} missed" if missed else ""
        stacks = samples.fold(found)
        Path(options.profile).write_text(flame_graph(stacks, title))
        folded = Path(options.profile).with_suffix(".folded")
        folded.write_text("".join(f"{';'.join(stack)} {n}\n" for stack, n in sorted(stacks.items())))
        say(f"profile: {options.profile}, {folded}: {len(found)} samples{more}")


def _guest(options):
    hardware = Machine(options.smp, options.mem, options.machine, options.cpu, options.qemu_arg)
    network = Network(options.net or ("user" if options.forward else "none"), options.forward,
                      options.nic)
    return Guest(options.system, hardware, options.package, map(split_file, options.file),
                 options.debug, options.kernel, options.verbose, network, options.host)


def _boot(guest, options, command, streams, trace=None):
    """One boot: tells what went wrong, writes the file `trace`. Returns the exit status."""
    words = [word for text in options.append for word in text.split()]
    with tempfile.TemporaryDirectory(prefix="stellar-") as folder:
        dump = Path(folder) / "trace.strace"
        monitor = Monitor(folder)
        records = trace or options.profile
        if records:
            words += [f"stellar.trace={_events(options)}", f"stellar.dump={dump}"]
        if options.test:
            words.append(f"stellar.test={options.test}")
        if streams.interactive and options.system == "stellar":
            words += _window_size()
        qemu_args = (_debugger(guest, folder) if options.gdb else []) + monitor.words() * bool(records)
        result = guest.run(
            command, streams, words, qemu_args, options.timeout,
            before_kill=records and (lambda: monitor.save_memory(options.mem, dump)))
        if options.verbose:
            said = result.outcome.firmware + result.outcome.errors
            sys.stderr.write(said.decode(errors="replace"))
        if result.error:
            say(f"error: {result.error}")
        if result.detail and not options.verbose:
            print(result.detail, file=sys.stderr)
        if records and (dump.exists() or not result.error):
            if not dump.exists():
                raise ToolError("the kernel wrote no trace")
            convert, = build.build(build.TRACE_CONVERT)
            if trace:
                _convert(convert, dump, trace)
            if "sample" in _events(options).split(","):
                _add_samples(convert, dump, guest, options, trace, " ".join(command))
    return result.status


def _main_job(options):
    """The futex contention benchmark: measured undisturbed, then again for a trace.

    Whole runs make more records than the rings hold, and recording costs time, so the trace is of
    a short run in a boot of its own, whose table nobody needs.
    """
    suite = benchlist.load().program("futex")
    path, = build.build(suite.target)
    program = "/bin/futex_contention"
    options.file.append(f"{path}:{program}")
    guest = _guest(options)
    status = _boot(guest, options, [program], _streams(options))
    if status or options.system != "stellar":
        return status
    say(f"tracing a short run of it: {' '.join(_TRACED)}")
    return _boot(guest, options, [program, *_TRACED], Streams(stderr=2),
                 options.trace or "futex_contention.pftrace")


def run(options, command):
    """Carries out one command line. Returns the exit status."""
    if not command and not options.test:
        return _main_job(options)
    return _boot(_guest(options), options, command, _streams(options), options.trace)


def guarded(main):
    """Runs main() and turns what ends it into an exit status."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        return main()
    except ToolError as error:
        say(f"error: {error}")
        if error.detail:
            print(error.detail, file=sys.stderr)
        return error.status
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 128 + signal.SIGPIPE
    except OSError as error:
        say(f"error: {error}")
        return FAILED


if __name__ == "__main__":
    sys.exit(guarded(lambda: run(*parse(sys.argv[1:]))))
