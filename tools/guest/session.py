"""A running QEMU: its streams pumped byte by byte, its end waited for.

Every stream of the guest is one end of a socket pair; QEMU inherits the other. QEMU therefore never
writes to a file of ours that could block it with its big lock held, never changes the flags of our
terminal or pipes, and what the guest sent is still in the socket when QEMU is gone.

One poll loop moves everything. Input is read from the host only when all earlier input has been
taken, so nothing piles up. The loop ends when QEMU has closed all its ends, that is when it exits.
An end of the host's input is passed on by shutting down our sending side alone: QEMU then reads
what is left and reports the port as closed to the guest.
"""

import ctypes
import os
import selectors
import signal
import socket
import subprocess
import termios
import tty
from dataclasses import dataclass, field

from tools.guest.errors import ToolError

_CHUNK = 1 << 16
_LOG_LIMIT = 32 << 20
_SOCKET_BUFFER = 1 << 20
_PR_SET_PDEATHSIG = 1
_ESCAPE = 0x01


class TimeLimit(Exception):
    """Raised by SIGALRM out of whatever the loop was doing."""


def _on_alarm(_signal, _frame):
    raise TimeLimit


class Escape(Exception):
    """The user typed Ctrl-A x."""


class CompanionEnded(Exception):
    """The host's command beside the guest is over."""


def _on_companion():
    raise CompanionEnded


@dataclass
class Streams:
    """Where the guest's streams go: host file descriptors, or None to collect in memory.

    With `ports` the program's streams are virtio ports, otherwise they are the console. The console
    is always collected, and copied to `console` when that is not None. `interactive` sends `stdin`
    to the console.
    """
    stdin: int | None = None
    stdout: int | None = None
    stderr: int | None = None
    console: int | None = None
    ports: bool = True
    interactive: bool = False


@dataclass
class Outcome:
    """How a QEMU ended. `returncode` is as in subprocess; texts are what was collected."""
    returncode: int = 0
    timed_out: bool = False
    escaped: bool = False
    companion_ended: bool = False
    console: bytearray = field(default_factory=bytearray)
    firmware: bytearray = field(default_factory=bytearray)
    errors: bytearray = field(default_factory=bytearray)
    status: bytearray = field(default_factory=bytearray)
    stdout: bytearray = field(default_factory=bytearray)
    stderr: bytearray = field(default_factory=bytearray)


def _die_with_parent():
    """In the child: QEMU must not outlive a tool that was killed."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _write_all(fd, data):
    while data:
        data = data[os.write(fd, data):]


class _Input:
    """The host's input on its way to the guest; at most one chunk is held.

    The guest's socket is duplicated because a poll set has one entry for each descriptor, and the
    other entry reads what the guest sends.
    """

    def __init__(self, selector, source, guest, interactive):
        self._selector = selector
        self._source = source
        self._guest = guest.dup()
        self._guest.setblocking(False)
        self._interactive = interactive
        self._held = b""
        self._escape_seen = False
        if source is None:
            self._end()
        else:
            self._wait_for_source()

    def _wait_for_source(self):
        self._selector.register(self._source, selectors.EVENT_READ, self.read)

    def _end(self):
        if not self._interactive:
            self._guest.shutdown(socket.SHUT_WR)

    def read(self):
        """The source is readable."""
        self._selector.unregister(self._source)
        try:
            data = os.read(self._source, _CHUNK)
        except OSError:
            data = b""
        if not data:
            self._end()
            return
        self._held = self._without_escape(data) if self._interactive else data
        self._selector.register(self._guest, selectors.EVENT_WRITE, self.write)

    def write(self):
        """The guest's socket is writable, or QEMU is gone and the input with it."""
        try:
            self._held = self._held[self._guest.send(self._held):]
        except BlockingIOError:
            return
        except OSError:
            self._selector.unregister(self._guest)
            return
        if not self._held:
            self._selector.unregister(self._guest)
            self._wait_for_source()

    def _without_escape(self, data):
        """Takes Ctrl-A out of typed input: with x it ends the run, else the next key is sent."""
        kept = bytearray()
        for byte in data:
            if self._escape_seen and byte in b"xX":
                raise Escape
            if self._escape_seen or byte != _ESCAPE:
                kept.append(byte)
            self._escape_seen = not self._escape_seen and byte == _ESCAPE
        return bytes(kept)


class _Output:
    """One stream out of the guest or out of QEMU: copied to `sink`, collected in `log`, or both."""

    def __init__(self, selector, source, sink, log):
        self._selector = selector
        self._source = source
        self._sink = sink
        self._log = log
        selector.register(source, selectors.EVENT_READ, self.read)
        self.open = True

    def read(self):
        """The source is readable."""
        try:
            data = os.read(self._source.fileno(), _CHUNK)
        except ConnectionResetError:
            data = b""
        if not data:
            self._selector.unregister(self._source)
            self.open = False
        if self._sink is not None:
            _write_all(self._sink, data)
        if self._log is not None:
            self._log += data
            del self._log[:-_LOG_LIMIT]


class Session:
    """One run of QEMU: make it, build the command line with fds(), then run()."""

    def __init__(self, streams, with_status):
        self._streams = streams
        self._ours, self._theirs = {}, {}
        names = ["console"] + (["in", "out", "err"] if streams.ports else [])
        for name in names + (["status"] if with_status else []):
            ours, theirs = socket.socketpair()
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BUFFER)
            self._ours[name], self._theirs[name] = ours, theirs

    def fds(self):
        """Stream name -> descriptor for QEMU's command line."""
        return {name: theirs.fileno() for name, theirs in self._theirs.items()}

    def run(self, argv, timeout=None, before_kill=None, companion=None):
        """Runs QEMU to its end, for at most `timeout` seconds. Returns the Outcome.

        `companion` is the descriptor of a process (pidfd); QEMU is ended when that process ends.

        `before_kill` is called when the time is up, or the user wants an end, while QEMU still runs.
        """
        try:
            process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                pass_fds=list(self.fds().values()), start_new_session=True,
                preexec_fn=_die_with_parent)
        except FileNotFoundError:
            raise ToolError(f"{argv[0]} is not installed: run tools/setup") from None
        for theirs in self._theirs.values():
            theirs.close()
        outcome = Outcome()
        terminal = self._raw_terminal()
        previous = signal.signal(signal.SIGALRM, _on_alarm)
        signal.setitimer(signal.ITIMER_REAL, timeout or 0)
        try:
            self._pump(process, outcome, companion)
            outcome.returncode = process.wait()
        except TimeLimit:
            outcome.timed_out = True
        except Escape:
            outcome.escaped = True
        except CompanionEnded:
            outcome.companion_ended = True
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, previous)
            if before_kill and (outcome.timed_out or outcome.escaped):
                before_kill()
            process.kill()
            process.wait()
            if terminal is not None:
                termios.tcsetattr(self._streams.stdin, termios.TCSADRAIN, terminal)
        return outcome

    def _raw_terminal(self):
        stdin = self._streams.stdin
        if not self._streams.interactive or stdin is None or not os.isatty(stdin):
            return None
        settings = termios.tcgetattr(stdin)
        tty.setraw(stdin)
        return settings

    def _pump(self, process, outcome, companion):
        streams, ours = self._streams, self._ours
        selector = selectors.PollSelector()
        if companion is not None:
            selector.register(companion, selectors.EVENT_READ, _on_companion)
        outputs = [_Output(selector, ours["console"], streams.console, outcome.console),
                   _Output(selector, process.stdout, None, outcome.firmware),
                   _Output(selector, process.stderr, None, outcome.errors)]
        for name, sink, log in (("out", streams.stdout, outcome.stdout),
                                ("err", streams.stderr, outcome.stderr),
                                ("status", None, outcome.status)):
            if name in ours:
                log = log if sink is None else None
                outputs.append(_Output(selector, ours[name], sink, log))
        guest_in = ours.get("console" if streams.interactive else "in")
        if guest_in is not None:
            _Input(selector, streams.stdin, guest_in, streams.interactive)
        while any(output.open for output in outputs):
            for key, _ in selector.select():
                key.data()
