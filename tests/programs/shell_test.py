#!/usr/bin/python3
"""A person at the console: an unmodified shell of Debian, driven through a pseudo-terminal.

    shell_test.py [--system linux|stellar] [--built LABEL=FILE]... [WORD...]

WORDs go to tools/run (--smp 2, --kernel ELF). Files given by --built are not built again.

Each step types something and waits for what must appear. The same steps run on both systems, Linux
first: what it shows is what is expected of StellarOS. Runs outside the sandbox: the real workspace,
found behind the link to this file, has the caches.
"""

import argparse
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WAIT = 30
PROMPT = r"/ # (\x1b\[6n)?"


class Failure(Exception):
    """A step that went wrong."""


class Terminal:
    """A program on a pseudo-terminal and all that it has shown."""

    def __init__(self, argv):
        self.shown = ""
        self._seen = 0
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            os.chdir(ROOT)
            os.execv(argv[0], argv)

    def type(self, text):
        """Sends keys."""
        os.write(self._fd, text.encode())

    def _read(self, deadline):
        ready, _, _ = select.select([self._fd], [], [], max(0, deadline - time.monotonic()))
        if not ready:
            return False
        try:
            data = os.read(self._fd, 4096)
        except OSError:
            data = b""
        self.shown += data.decode(errors="replace")
        return bool(data)

    def expect(self, pattern, seconds=WAIT):
        """Waits until `pattern` appears after what was expected before. Returns the match."""
        deadline = time.monotonic() + seconds
        while True:
            match = re.compile(pattern, re.S).search(self.shown, self._seen)
            if match:
                self._seen = match.end()
                return match
            if not self._read(deadline):
                raise Failure(f"{pattern!r} did not appear after:\n{self.shown[self._seen:]!r}")

    def end(self):
        """Waits for the program's end. Returns its exit status."""
        deadline = time.monotonic() + WAIT
        while self._read(deadline):
            pass
        if time.monotonic() >= deadline:
            raise Failure(f"the run did not end after:\n{self.shown[self._seen:]!r}")
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def kill(self):
        """Ends a run that went wrong."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def command(terminal, line, pattern):
    """Types a command; `pattern` must appear, and then the next prompt."""
    terminal.type(line + "\r")
    match = terminal.expect(pattern)
    terminal.expect(PROMPT)
    return match


def step_commands(t):
    """Commands run, one after the other."""
    command(t, "echo $((6 * 7))", r"\n42\r\n")
    command(t, "for i in 1 2 3; do echo $i; done | wc -l", r"\n3\r\n")
    command(t, "tty", r"\n/dev/(ttyS0|console)\r\n")


def step_editing(t):
    """The shell edits its line in raw mode."""
    command(t, "ecx\x7fho o\x7f\x7f good", r"\ngood\r\n")


def step_canonical(t):
    """The terminal edits the line of a program that does not: erase, word erase, kill, literal."""
    t.type("cat\r")
    t.expect("cat\r\n")
    time.sleep(1)
    t.type("abx\x7fc\r")
    t.expect("abx\x08 \x08c\r\nabc\r\n")
    t.type("one two\x17three\r")
    t.expect("one three\r\n")
    t.type("wrong\x15right\r")
    t.expect("\r\nright\r\n|\x08right\r\nright\r\n")
    t.type("a\x16\x03b\r")
    t.expect("a\\^\x08\\^Cb\r\na\x03b\r\n")
    t.type("\x04")
    t.expect(PROMPT)


def step_interrupt(t):
    """^C ends the foreground program, not the shell."""
    t.type("sleep 100\r")
    t.expect("sleep 100\r\n")
    time.sleep(1)
    t.type("\x03")
    t.expect(r"\^C")
    t.expect(PROMPT)
    command(t, "echo status $?", r"\nstatus 130\r\n")


def step_interrupt_a_spinner(t):
    """^C reaches a program that makes no system calls."""
    t.type("sh -c 'while :; do :; done'\r")
    time.sleep(2)
    t.type("\x03")
    t.expect(r"\^C")
    t.expect(PROMPT)
    command(t, "echo status $?", r"\nstatus 130\r\n")


def step_quit(t):
    r"""^\ ends it, too."""
    t.type("sleep 100\r")
    t.expect("sleep 100\r\n")
    time.sleep(1)
    t.type("\x1c")
    t.expect(r"\^\\.*Quit")
    t.expect(PROMPT)


def step_job_control(t):
    """^Z stops a program; bg, fg and jobs know it."""
    t.type("sleep 100\r")
    t.expect("sleep 100\r\n")
    time.sleep(1)
    t.type("\x1a")
    t.expect(r"\^Z.*Stopped")
    t.expect(PROMPT)
    command(t, "jobs", r"Stopped\s+sleep 100")
    command(t, "bg", r"sleep 100\r\n")
    command(t, "jobs", r"Running\s+sleep 100")
    t.type("fg\r")
    t.expect("sleep 100\r\n")
    time.sleep(1)
    t.type("\x03")
    try:
        t.expect(PROMPT, WAIT / 4)
    except Failure:
        # The shell tells of the program before it hands the terminal over: on a busy host even a second is too early.
        t.type("\x03")
        t.expect(PROMPT)


def step_background(t):
    """A background program that reads the terminal stops; it may write."""
    t.type("cat &\r")
    t.expect(PROMPT)
    time.sleep(1)
    command(t, "jobs", r"Stopped.*cat")
    command(t, "kill -9 %1; sleep 1; jobs; echo gone", r"\ngone\r\n")
    command(t, "stty tostop; sh -c 'echo text' & sleep 1; jobs", r"Stopped.*echo text")
    command(t, "stty -tostop; kill -9 %1; sleep 1; jobs; echo gone", r"\ngone\r\n")


def step_settings(t):
    """stty reads back what it sets."""
    command(t, "stty rows 33 cols 99; stty size", r"\n33 99\r\n")
    command(t, "stty rows 24 cols 80; stty size", r"\n24 80\r\n")
    command(t, "stty erase ^H; stty -a", r"erase = \^H;")
    command(t, "stty erase ^?; stty -a", r"erase = \^\?;")


def step_end(t):
    """The end of input ends the shell with the last status."""
    command(t, "sh -c 'exit 3'", "\r\n")
    t.type("\x04")
    status = t.end()
    if status != 3:
        raise Failure(f"exit status {status} instead of 3")


STEPS = [step_commands, step_editing, step_canonical, step_interrupt, step_interrupt_a_spinner,
         step_quit, step_job_control, step_background, step_settings, step_end]


def run_interactive(tool):
    """All steps in one session, as KTAP. Returns the number that failed; the first ends it."""
    terminal = Terminal(tool + ["--tty", "--", "sh"])
    name, number = "boot", 0
    try:
        terminal.expect(PROMPT)
        for number, step in enumerate(STEPS, 1):
            name = step.__name__.removeprefix("step_")
            print(f"# {step.__doc__}", flush=True)
            step(terminal)
            print(f"ok {number} {name}", flush=True)
    except Failure as failure:
        print(f"not ok {number} {name}")
        print("# " + str(failure).replace("\n", "\n# "))
        terminal.kill()
        return 1
    return 0


def run_script(tool):
    """A script without a terminal: output and status."""
    script = "for i in 1 2 3; do echo $i; done | wc -l; exit 7"
    done = subprocess.run(tool + ["--", "sh", "-c", script],
                          cwd=ROOT, capture_output=True, text=True, timeout=2 * WAIT, check=False)
    good = done.stdout == "3\n" and done.returncode == 7
    print(f"{'ok' if good else 'not ok'} {len(STEPS) + 1} script", flush=True)
    if not good:
        print(f"# status {done.returncode}, output {done.stdout!r}, errors {done.stderr!r}")
    return not good


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--system", default="stellar", choices=["linux", "stellar"])
    parser.add_argument("--built", action="append", default=[], metavar="LABEL=FILE")
    options, words = parser.parse_known_args()
    if options.built:
        pairs = (pair.split("=", 1) for pair in options.built)
        os.environ["STELLAR_BUILT"] = " ".join(f"{label}={os.path.abspath(file)}"
                                               for label, file in pairs)
    tool = [str(ROOT / "tools" / "run"), "--system", options.system] + words
    print(f"KTAP version 1\n1..{len(STEPS) + 1}", flush=True)
    failed = run_interactive(tool) + run_script(tool)
    print(f"# {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
