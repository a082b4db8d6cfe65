#!/usr/bin/python3
"""How fast the wire is on both kernels: round trips and streams from the host's stack over a tap.

    measure.py --server PROGRAM [--rounds N] [--seconds S] [--smp N] [--built LABEL=FILE]...

Prints the medians of both systems and their ratio. The rounds alternate between the systems, so that
the host's load is the same for both.
"""

import argparse
import json
import os
import socket
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
# pylint: disable=wrong-import-position
from tests.wire import client  # noqa: E402
from tests.wire.guest import Guest, add_options, has_tap  # noqa: E402
from tools.guest.network import TAP_GUEST as GUEST  # noqa: E402

ECHO, DISCARD, SOURCE = 7, 9, 19


def _counted(seconds, once):
    """How much once() adds up to in a second."""
    start, total = time.monotonic(), 0
    while time.monotonic() < start + seconds:
        total += once()
    return total / (time.monotonic() - start)


def tcp_round_trips(seconds, size):
    """A request and its answer at a time, a second."""
    data = bytes(size)
    with client.connect(GUEST, ECHO) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def once():
            connection.sendall(data)
            return connection.recv(size, socket.MSG_WAITALL) == data
        return _counted(seconds, once)


def udp_round_trips(seconds):
    """The same with datagrams."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((GUEST, ECHO))
        sock.settimeout(1)

        def once():
            sock.send(b"x")
            return len(sock.recv(16))
        return _counted(seconds, once)


def connections(seconds):
    """Connections opened, used and closed, a second."""
    def once():
        with socket.create_connection((GUEST, ECHO)) as connection:
            connection.sendall(b"x")
            return len(connection.recv(1))
    return _counted(seconds, once)


def to_guest(seconds):
    """MB/s into the guest; what the host's buffers took but the guest did not is little beside it."""
    data = bytes(1 << 18)
    with client.connect(GUEST, DISCARD) as connection:
        def once():
            connection.sendall(data)
            return len(data) / 1e6
        return _counted(seconds, once)


def from_guest(seconds):
    """MB/s out of the guest."""
    with client.connect(GUEST, SOURCE) as connection:
        return _counted(seconds, lambda: len(connection.recv(1 << 18)) / 1e6)


def other_end(seconds, results):
    """At the host's end of the cable: each figure once."""
    client.connect(GUEST, ECHO, 60).close()
    found = {"TCP round trips of 1 byte/s": tcp_round_trips(seconds, 1),
             "TCP round trips of 4 KiB/s": tcp_round_trips(seconds, 4096),
             "UDP round trips/s": udp_round_trips(seconds),
             "connections/s": connections(seconds),
             "into the guest, MB/s": to_guest(seconds),
             "out of the guest, MB/s": from_guest(seconds)}
    Path(results).write_text(json.dumps(found), encoding="utf-8")
    return 0


def measure(options, system):
    """One boot's figures."""
    results = f"/tmp/wire-measure.{os.getpid()}"
    options.system = system
    inside = (f"{sys.executable} -P {Path(__file__).resolve()} --other-end {results} "
              f"--seconds {options.seconds}")
    with Guest(options, "tap", ["/bin/server"], ["--host", inside]) as guest:
        status = guest.wait(300)
        if status != 0:
            sys.exit(guest.failed(f"{system}: status {status}"))
    found = json.loads(Path(results).read_text(encoding="utf-8"))
    os.unlink(results)
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--other-end", metavar="FILE")
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    if "--other-end" in sys.argv:
        options = parser.parse_args()
        return other_end(options.seconds, options.other_end)
    add_options(parser)
    options = parser.parse_args()
    if not has_tap():
        return 0
    rounds = [{system: measure(options, system) for system in ("linux", "stellar")}
              for _ in range(options.rounds)]
    print(f"{'':30}{'stellar':>10}{'linux':>10}{'ratio':>8}   load {os.getloadavg()[0]:.1f}")
    for name in rounds[0]["linux"]:
        ours, theirs = (statistics.median(found[system][name] for found in rounds)
                        for system in ("stellar", "linux"))
        print(f"{name:30}{ours:10.1f}{theirs:10.1f}{ours / theirs:8.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
