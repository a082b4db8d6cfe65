"""One program in one boot of one kernel: root file system, machine, streams and result together."""

import contextlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tools.guest import build, machine, panic, program, rootfs
from tools.guest.errors import FAILED, NOT_EXECUTABLE, NOT_FOUND, TIMEOUT, ToolError
from tools.guest.network import HostCommand, Namespace, Network
from tools.guest.process import say
from tools.guest.session import Outcome, Session, Streams

SYSTEMS = ("stellar", "linux")
_ESCAPED = 130


@dataclass
class Result:
    """`status` is the exit status of the run; `error` is one line when the run itself failed."""
    status: int
    outcome: Outcome
    error: str = ""
    detail: str = ""


def environment():
    """The environment of the guest's first program."""
    return {"PATH": rootfs.PATH, "HOME": "/root", "USER": "root", "LOGNAME": "root",
            "SHELL": "/bin/sh", "TERM": os.environ.get("TERM", "linux")}


class Guest:
    """A kernel and a root file system, ready to run programs on."""

    def __init__(self, system, hardware, packages=(), files=(), debug=False, kernel=None,
                 verbose=False, network=None, host_command=None):
        """`files` are (host path, guest path); `kernel` replaces the built or downloaded one.

        `host_command` is run by the host's shell beside the guest; the run ends with it.
        """
        hardware.check()
        self.system = system
        self.hardware = hardware
        self.verbose = verbose
        self.network = network or Network()
        self.host_command = host_command
        self._archive, self.tree = rootfs.base(packages)
        for host, guest in files:
            self.tree.add_host(os.path.realpath(host), guest)
        self.network.add_files(self.tree, system)
        self.kernel = self._find_kernel(kernel, debug)
        if not machine.FIRMWARE.exists():
            raise ToolError("no firmware: run tools/setup")

    def _find_kernel(self, kernel, debug):
        if self.system == "linux":
            init, = build.build(build.LINUX_INIT)
            self.tree.add_file("init", init.read_bytes(), 0o755)
            kernel = kernel or machine.LINUX
        elif kernel is None:
            kernel, = build.build(build.KERNEL_DEBUG if debug else build.KERNEL)
        if not os.access(kernel, os.R_OK):
            raise ToolError(f"cannot read the kernel {kernel}")
        return Path(kernel)

    def _boot_words(self, argv, ports, as_init):
        if self.system == "linux":
            init = "/" + program.find(self.tree, argv[0], rootfs.PATH) if as_init else "/init"
            return ["console=ttyS0", f"rdinit={init}", "panic=-1",
                    "loglevel=7" if self.verbose else "quiet"]
        return [f"stellar.loglevel={7 if self.verbose else 0}"] + ["stellar.ports=1"] * ports

    def _make_initrd(self, argv, folder):
        if argv:
            program.find(self.tree, argv[0], rootfs.PATH)
            rootfs.add_command(self.tree, argv, environment())
        initrd = Path(folder) / "rootfs.cpio"
        length = rootfs.assemble(self._archive, self.tree, initrd)
        needed = rootfs.memory_needed(length, self.hardware.smp)
        if self.hardware.mem < needed:
            raise ToolError(f"--mem {self.hardware.mem >> 20}M is too small for this root file "
                            f"system: it needs {-(-needed >> 20)}M")
        return initrd

    def run(self, argv, streams=None, append=(), qemu_args=(), timeout=None, as_init=False,
            entered_first=None, before_kill=None):
        """Boots and runs argv (a list; empty when the kernel has a job of its own) to its end.

        `append` are words for the kernel's command line, `qemu_args` words for QEMU's, `timeout`
        is in seconds. `as_init` makes the program itself the first process, on the console.
        `entered_first` is a file that the firmware enters in the kernel's place (kernel_entry.S).
        `before_kill` is called before a run that does not end is ended.
        """
        streams = streams or Streams()
        with_status = self.system == "linux" and not as_init
        with tempfile.TemporaryDirectory(prefix="stellar-") as folder:
            initrd = self._make_initrd(argv, folder)
            words = self._boot_words(argv, streams.ports, as_init) + self.network.boot_words()
            words += list(append)
            session = Session(streams, with_status)
            command = machine.qemu_argv(self.hardware, self.system, entered_first or self.kernel,
                                        initrd, words, session.fds()) + list(qemu_args)
            if entered_first:
                command += machine.timed_kernel(self.kernel)
            command += self.network.qemu_words(self.system)
            if self.verbose:
                say(" ".join(command))
            outcome = self._run_on_network(session, command, timeout, before_kill)
        return self._judge(outcome, timeout, with_status)

    def _run_on_network(self, session, command, timeout, before_kill):
        with contextlib.ExitStack() as stack:
            namespace = companion = None
            if self.network.kind == "tap":
                namespace = stack.enter_context(contextlib.closing(
                    Namespace(self.network.queues)))
                command = namespace.enter(command)
            if self.host_command:
                companion = HostCommand(self.host_command, namespace)
            try:
                outcome = session.run(command, timeout, before_kill, companion and companion.fd)
            finally:
                status = companion and companion.close()
            if outcome.companion_ended:
                outcome.returncode = status
            return outcome

    def _judge(self, outcome, timeout, with_status):
        log = outcome.console.decode(errors="replace").replace("\r", "")
        errors = outcome.errors.decode(errors="replace").strip()
        if outcome.timed_out:
            return Result(TIMEOUT, outcome, f"the time limit of {timeout:g} s passed",
                          panic.tail(log))
        if outcome.escaped:
            return Result(_ESCAPED, outcome)
        if outcome.companion_ended and not panic.report(log):
            return Result(outcome.returncode, outcome)
        if outcome.returncode < 0:
            return Result(FAILED, outcome, f"QEMU was killed by signal {-outcome.returncode}",
                          errors)
        if outcome.returncode and not outcome.firmware and not log:
            reason = errors.splitlines()[0] if errors else f"status {outcome.returncode}"
            return Result(FAILED, outcome, f"QEMU did not start: {reason}")
        if self.system == "linux":
            return self._judge_linux(outcome, log, with_status)
        report = panic.report(log)
        if report:
            return Result(FAILED, outcome, "the kernel panicked",
                          panic.symbolise(report, self.kernel))
        status = outcome.returncode
        failed = status in (FAILED, NOT_EXECUTABLE, NOT_FOUND)
        return Result(status, outcome, detail=panic.tail(log) if failed else "")

    @staticmethod
    def _judge_linux(outcome, log, with_status):
        if not with_status:
            return Result(outcome.returncode, outcome)
        words = outcome.status.decode().split()
        if len(words) != 2 or words[0] != "exit":
            return Result(FAILED, outcome, "Linux ended without the program's status",
                          panic.tail(log))
        return Result(int(words[1]), outcome)
