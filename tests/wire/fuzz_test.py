#!/usr/bin/python3
"""Throws hostile frames at a guest and asks then whether it still works.

    fuzz_test.py [--system linux|stellar] [--frames N] [--seed N] [--settle S] [--empty]
                 --server PROGRAM [--built LABEL=FILE]...

Between batches, and at the end, the guest must answer a ping, a new connection must be served, a
connection that was open all the time must still echo; at the end the memory must be back. The kernel
must not have panicked. Runs outside the sandbox: the real workspace has the caches.
"""

import argparse
import contextlib
import itertools
import re
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
# pylint: disable=wrong-import-position
from tests.wire import frames  # noqa: E402
from tests.wire.frames import ACK  # noqa: E402
from tests.wire.fuzz import Fuzzer  # noqa: E402
from tests.wire.guest import add_options, with_peer  # noqa: E402
from tests.wire.peer import REPORT_PORT, NoAnswer  # noqa: E402

BATCH = 5000
SLACK_KIB = 8192
FEW = 10
OVERRUNS = 30


def connections(peer):
    """What /proc/net/sockstat says: listeners, half-open ones and the one that asks included."""
    return int(re.search(rb"TCP: inuse (\d+)", peer.fetch(REPORT_PORT))[1])


def check_alive(peer, live, number):
    """The guest still does its work."""
    peer.ping()
    live.echo(f"still here after {number}".encode())
    connection = peer.connect(7)
    connection.echo(b"and for others")
    connection.close()


def overrun(peer):
    """A segment that begins inside of the window and ends behind it, then all that is before it."""
    victim = peer.connect(7)
    victim.echo(b"x")
    last = victim.window - 700

    def send(offset, size):
        segment = frames.tcp(victim.sport, 7, victim.seq + offset, victim.ack, ACK, bytes(size))
        peer.send_ip(frames.ipv4(frames.TCP, segment))
    send(last, 1400)
    for offset in range(0, last, 1400):
        send(offset, min(1400, last - offset))
    # A reset counts only at the number that the guest is at.
    with contextlib.suppress(NoAnswer):
        peer.until(lambda: victim.reset or last <= (victim.acked - victim.seq) & 0xFFFFFFFF < 1 << 31,
                   lambda: None, "all of it", 3)
    victim.close()


def attack(peer, count, seed):
    """All batches. Returns the free memory before them."""
    peer.ping()
    live = peer.connect(7)
    live.echo(b"hello")
    before = peer.free_kib()
    print(f"{before} KiB free", flush=True)
    for _ in range(OVERRUNS):
        overrun(peer)
    fuzzer = Fuzzer(seed, live)
    source = iter(fuzzer)
    for start in range(0, count, BATCH):
        fuzzer.victim = peer.connect(7)
        for frame in itertools.islice(source, min(BATCH, count - start)):
            peer.send(frame)
            peer.poll(0)
        check_alive(peer, live, min(start + BATCH, count))
        fuzzer.victim.close()
        print(f"{min(start + BATCH, count)} frames: alive, {peer.free_kib()} KiB free", flush=True)
    return before


def settle(peer, before, seconds, empty):
    """Half-open connections and fragments time out; then the memory must be back.

    With `empty` the connections, too, but for listeners and those of this test.
    """
    deadline = time.monotonic() + seconds
    while peer.free_kib() < before - SLACK_KIB or (empty and connections(peer) > FEW):
        if time.monotonic() > deadline:
            raise NoAnswer(f"{before - peer.free_kib()} KiB and {connections(peer)} connections are "
                           f"not back after {seconds} s")
        peer.poll(1)
    print(peer.fetch(REPORT_PORT).decode())
    print(f"before {before} KiB free, now {peer.free_kib()}")


def main():
    parser = argparse.ArgumentParser()
    add_options(parser)
    parser.add_argument("--frames", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--settle", type=int, default=120)
    parser.add_argument("--empty", action="store_true")
    options = parser.parse_args()

    def work(peer):
        before = attack(peer, options.frames, options.seed)
        settle(peer, before, options.settle, options.empty)
    return with_peer(options, work, f"seed {options.seed}: ")


if __name__ == "__main__":
    sys.exit(main())
