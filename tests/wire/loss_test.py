#!/usr/bin/python3
"""A bad cable: frames are lost, come late or twice, by a seed. What is sent must arrive all the same.

    loss_test.py [--system linux|stellar] [--loss PERCENT] [--size BYTES] [--seed N] --server PROGRAM
                 [--built LABEL=FILE]...

The peer is the host's own TCP behind a tap device in a namespace; a relay between the device and
QEMU does the harm. Passes with a word where that is not allowed. Runs outside the sandbox:
the real workspace has the caches.
"""

import argparse
import heapq
import os
import random
import select
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
# pylint: disable=wrong-import-position
from tests.wire import client  # noqa: E402
from tests.wire.guest import Guest, add_options, folder, has_tap  # noqa: E402
from tools.guest import tap  # noqa: E402
from tools.guest.network import NEW_NAMESPACE, TAP_GUEST  # noqa: E402

LATE_S = 0.02
INSIDE = "WIRE_TEST_INSIDE"


class Relay(threading.Thread):
    """Carries frames both ways between the tap device and QEMU's socket."""

    def __init__(self, tun, where, loss, seed):
        super().__init__(daemon=True)
        self.paths = f"{where}/guest", f"{where}/peer"
        self._tun = tun
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.paths[1])
        self._random = random.Random(seed)
        self._loss = loss
        self._late = []
        self.counts = {"carried": 0, "lost": 0, "late": 0, "twice": 0}

    def _to_guest(self, frame):
        try:
            self._socket.sendto(frame, self.paths[0])
        except OSError:
            pass  # the guest is not there yet

    def _to_host(self, frame):
        try:
            os.write(self._tun.fileno(), frame)
        except OSError:
            pass  # not a frame that the host takes

    def _carry(self, frame, deliver):
        """Loses it, delays it, doubles it, or none of these."""
        self.counts["carried"] += 1
        if self._random.random() < self._loss:
            self.counts["lost"] += 1
        elif self._random.random() < self._loss:
            self.counts["late"] += 1
            due = time.monotonic() + self._random.random() * LATE_S
            heapq.heappush(self._late, (due, self.counts["carried"], deliver, frame))
        else:
            deliver(frame)
            if self._random.random() < self._loss / 4:
                self.counts["twice"] += 1
                deliver(frame)

    def run(self):
        while True:
            wait = max(0, self._late[0][0] - time.monotonic()) if self._late else None
            ready, _, _ = select.select([self._tun, self._socket], [], [], wait)
            if self._tun in ready:
                self._carry(os.read(self._tun.fileno(), 65536), self._to_guest)
            if self._socket in ready:
                self._carry(self._socket.recv(65536), self._to_host)
            while self._late and self._late[0][0] <= time.monotonic():
                _, _, deliver, frame = heapq.heappop(self._late)
                deliver(frame)


def transfer(options, loss):
    """One guest behind one bad cable."""
    with folder() as where, tap.open_tap() as tun:
        tap.bring_up()
        relay = Relay(tun, where, loss / 100, options.seed)
        relay.start()
        with Guest(options, "dgram:" + ":".join(relay.paths), ["/bin/server"]) as guest:
            try:
                client.connect(TAP_GUEST, 7, 120).close()
                start = time.monotonic()
                client.echo(TAP_GUEST, 7, options.size, options.seed, 120)
            except (OSError, ValueError) as error:
                return guest.failed(f"loss {loss}%, seed {options.seed}: {error!r} {relay.counts}")
        took = time.monotonic() - start
        print(f"loss {loss}%: {options.size} bytes there and back in {took:.1f} s, {relay.counts}")
    return 0


def main():
    parser = argparse.ArgumentParser()
    add_options(parser)
    parser.add_argument("--loss", type=float, action="append")
    parser.add_argument("--size", type=int, default=1 << 19)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if INSIDE in os.environ:
        return transfer(options, options.loss[-1])
    if not has_tap():
        return 0
    for loss in options.loss or (1, 10):
        status = subprocess.run([*NEW_NAMESPACE, sys.executable, "-P", *sys.argv, f"--loss={loss}"],
                                check=False, env=dict(os.environ, **{INSIDE: "1"})).returncode
        if status:
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main())
