#!/usr/bin/python3
"""Connections opened, used and killed at random leave nothing behind.

    churn_test.py [--system linux|stellar] --server PROGRAM [--built LABEL=FILE]... [--connections N]

At most ALIVE at a time; each ends by a reset, by a half close and the guest's FIN, or by a close with
bytes still under way. Then the guest's tables and memory are as before. Passes with a word where
tap devices are not allowed. Runs outside the sandbox: the real workspace has the caches.
"""

import argparse
import random
import re
import socket
import struct
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
# pylint: disable=wrong-import-position
from tests.wire import client  # noqa: E402
from tests.wire.guest import Guest, add_options, has_tap  # noqa: E402
from tools.guest.network import TAP_GUEST as GUEST  # noqa: E402

ECHO, REPORT = 7, 13
ALIVE = 30
RESET = struct.pack("ii", 1, 0)
KEPT_KIB = 8192  # what caches may have taken
WAIT_S = 60


def state():
    """Free memory in KiB and TCP sockets without the guest's own, as the guest tells."""
    text = client.fetch(GUEST, REPORT)
    free = int(re.search(r"MemFree:\s+(\d+)", text).group(1))
    return free, int(re.search(r"TCP: inuse (\d+)", text).group(1))


def use(rng):
    """A connection that has done something, or nothing."""
    connection = client.connect(GUEST, ECHO)
    connection.settimeout(WAIT_S)
    how = rng.randrange(3)
    if how:
        connection.sendall(rng.randbytes(rng.choice((1, 100, 2000, 8000))))
    if how == 2:
        connection.recv(1)
    return connection


def end(rng, connection):
    """Ends it in one of three ways."""
    how = rng.randrange(3)
    if how == 0:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    elif how == 1:
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1 << 16):
            pass
    connection.close()


def other_end(connections):
    """At the host's end of the cable."""
    rng = random.Random(1)
    before = state()
    alive = []
    for _ in range(connections):
        alive.append(use(rng))
        if len(alive) == ALIVE or rng.random() < 0.3:
            end(rng, alive.pop(rng.randrange(len(alive))))
    for connection in alive:
        end(rng, connection)
    deadline = time.monotonic() + WAIT_S
    while True:
        after = state()
        if after[1] <= before[1] and after[0] >= before[0] - KEPT_KIB:
            print(f"{connections} connections, free KiB and sockets: {before}, then {after}")
            return 0
        if time.monotonic() > deadline:
            raise TimeoutError(f"before {before}, after {after}")
        time.sleep(1)


def main():
    if sys.argv[1:2] == ["--other-end"]:
        return other_end(int(sys.argv[2]))
    parser = argparse.ArgumentParser()
    add_options(parser)
    parser.add_argument("--connections", type=int, default=10000)
    options = parser.parse_args()
    if not has_tap():
        return 0
    inside = f"{sys.executable} -P {Path(__file__).resolve()} --other-end {options.connections}"
    with Guest(options, "tap", ["server"], ["--host", inside]) as guest:
        status = guest.wait(300)
        return guest.failed(f"status {status}") if status else 0


if __name__ == "__main__":
    sys.exit(main())
