"""A guest that runs tests/wire/server.c by tools/run, for as long as a test needs it."""

import argparse
import contextlib
import ctypes
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from tests.wire.peer import NoAnswer, Peer
from tools.guest.network import NEW_NAMESPACE

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 900
_PR_SET_PDEATHSIG = 1


def add_options(parser):
    """What each of these tests can be told."""
    parser.add_argument("--system", default="stellar")
    parser.add_argument("--server", required=True, help="tests/wire/server.c, built")
    parser.add_argument("--smp", default="4")
    parser.add_argument("--debug", action="store_true")
    parser.add_argument("--built", action="append", default=[], metavar="LABEL=FILE",
                        help="files that tools/run need not build")
    parser.add_argument("--append", default="", help="kernel arguments")
    parser.add_argument("--nic", help="of tools/run")
    parser.add_argument("--machine", default="virt", help="of tools/run")


def has_tap():
    """The machine lets us make namespaces and tap devices. Says so if not: the test then passes."""
    able = os.access("/dev/net/tun", os.R_OK | os.W_OK) and subprocess.run(
        [*NEW_NAMESPACE, "true"], check=False).returncode == 0
    if not able:
        print("SKIPPED: no /dev/net/tun, or no namespaces")
    return able


@contextlib.contextmanager
def folder():
    """A folder with a path that is short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="wire-", dir="/tmp") as path:
        yield path


def _die_with_parent():
    """In the child: no guest outlives a test that was killed."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Guest:
    """A running guest. The program ends with the block; what it printed is in `output`."""

    def __init__(self, options, net, command, more=()):
        pairs = (pair.split("=", 1) for pair in options.built)
        given = " ".join(f"{label}={os.path.abspath(file)}" for label, file in pairs)
        words = ["--system", options.system, "--smp", options.smp, "--net", net, "--timeout",
                 str(LIMIT_S), "--file", f"{os.path.abspath(options.server)}:/bin/server", *more]
        words += ["--machine", options.machine] + ["--nic", options.nic] * bool(options.nic)
        words += ["--debug"] * options.debug + ["--append", options.append] * bool(options.append)
        self._log = tempfile.TemporaryFile("a+")
        self._process = subprocess.Popen(
            [ROOT / "tools/run", *words, "--", *command], stdin=subprocess.DEVNULL,
            stdout=self._log, stderr=subprocess.STDOUT, start_new_session=True,
            preexec_fn=_die_with_parent, env=dict(os.environ, STELLAR_BUILT=given))

    def __enter__(self):
        return self

    @property
    def output(self):
        """All that the guest and the tool have said so far."""
        self._log.seek(0)
        return self._log.read()

    def ended(self):
        """The run is over."""
        return self._process.poll() is not None

    def wait_ready(self, seconds=120):
        """Until the server has its ports."""
        deadline = time.monotonic() + seconds
        while "ready" not in self.output.splitlines():
            if self.ended() or time.monotonic() > deadline:
                raise TimeoutError("the guest's server does not start")
            time.sleep(0.1)

    def wait(self, seconds):
        """The exit status when the run ends by itself; None if it does not in time."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(seconds)
        return None

    def failed(self, why):
        """Tells what went wrong with all that is known. A panic's report may still be coming."""
        print("FAIL:", why, flush=True)
        time.sleep(2)
        self.__exit__()
        print(self.output)
        return 1

    def __exit__(self, *_):
        if not self.ended():
            self._process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def with_peer(options, work, about=""):
    """Runs work(peer) at the other end of the cable of a guest whose server is ready. The exit status."""
    with folder() as where:
        peer = Peer(where)
        with Guest(options, f"dgram:{peer.guest_path}:{peer.path}", ["/bin/server"]) as guest:
            try:
                guest.wait_ready()
                work(peer)
            except (NoAnswer, TimeoutError) as error:
                return guest.failed(f"{about}{error}")
    return 0


def main_of_parts(*parts):
    """The whole of a test that asks one guest in several parts, each called with the peer. The exit status."""
    parser = argparse.ArgumentParser()
    add_options(parser)

    def work(peer):
        peer.ping()
        for part in parts:
            part(peer)
            print(part.__name__, "done", flush=True)
    return with_peer(parser.parse_args(), work)
