#!/usr/bin/python3
"""How connections begin: data that accept() waits for, a full accept queue, first numbers, floods of SYNs.

    open_test.py [--system linux|stellar] --server PROGRAM [--built LABEL=FILE]...

Runs outside the sandbox: the real workspace has the caches.
"""

import random
import re
import socket
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
# pylint: disable=wrong-import-position
from tests.wire import frames  # noqa: E402
from tests.wire.frames import ACK, PSH, SYN  # noqa: E402
from tests.wire.guest import main_of_parts  # noqa: E402
from tests.wire.peer import REPORT_PORT, check  # noqa: E402

DEFER_PORT, QUEUE_PORT, RELEASE_PORT = 11, 15, 17
PLACES = 5  # of the server's short queue: its backlog of 4, and one more
SYN_RECV = "03"
FLOOD_ROUNDS, FLOOD = 30, 150
SLACK_KIB = 8192


def state(peer, connection):
    """The state of a connection in the guest's /proc/net/tcp, two hexadecimal digits; None if it is not there."""
    line = re.compile(rb"\s+\d+: \w+:%04X \w+:%04X (\w\w)" % (connection.dport, connection.sport))
    found = line.search(peer.fetch(REPORT_PORT))
    return found and found[1].decode()


def deferred(peer):
    """The server accepts when data come, not before."""
    connection = peer.connect(DEFER_PORT)
    check(state(peer, connection) == SYN_RECV, "it was accepted without data")
    connection.echo(b"data")
    check(state(peer, connection) == "01", "it is not established")
    connection.close()
    both = peer.connect(DEFER_PORT, finish=False)
    both.echo(b"data with the handshake's last ACK")
    both.close()


def full_queue(peer):
    """An ACK for which there is no place is lost, not answered by a reset; the data bring another one."""
    some = [peer.connect(QUEUE_PORT, finish=False) for _ in range(PLACES + 1)]
    for connection in some:
        connection.send(ACK)
    last = some[-1]
    for connection in some[:-1]:
        peer.until(lambda c=connection: state(peer, c) == "01", lambda: None, "not in the queue")
    last.send(ACK | PSH, b"early")
    peer.poll(1)
    check(not last.reset, "reset instead of silence")
    check(state(peer, last) != "01", "more places than there should be")
    for _ in range(PLACES):
        peer.connect(RELEASE_PORT).close()
    for connection in some[:-1]:
        connection.echo(b"accepted")

    def again():
        last.send(ACK | PSH, b"early")
        peer.connect(RELEASE_PORT).close()
    peer.until(lambda: last.reset or bytes(last.received) == b"early", again, "never accepted")
    check(not last.reset, "reset in the end")
    for connection in some:
        connection.close()


def first_numbers(peer):
    """Those of one pair of ports grow with time, those of two have nothing to do with each other."""
    one = peer.connect(7, sport=30001)
    one.close()
    other = peer.connect(7, sport=30002)
    other.close()
    again = peer.connect(7, sport=30001)
    again.close()
    grown = (again.first_ack - one.first_ack) & 0xFFFFFFFF
    check(0 < grown < 1 << 31, f"the same ports got a number {grown:#x} on")
    apart = (other.first_ack - one.first_ack) & 0xFFFFFFFF
    check(1 << 20 < apart < (1 << 32) - (1 << 20), f"other ports got a number {apart:#x} on")


def flood(peer):
    """SYNs from everywhere before and in the middle of a handshake: who means it gets in."""
    source = random.Random(1)
    before = peer.free_kib()

    def syns():
        for _ in range(FLOOD):
            address = socket.inet_ntoa(source.randbytes(4))
            segment = frames.tcp(source.randrange(1024, 65536), 7, source.getrandbits(32), 0, SYN, source=address)
            peer.send_ip(frames.ipv4(frames.TCP, segment, source=address))
        peer.poll(0)
    for _ in range(FLOOD_ROUNDS):
        syns()
        connection = peer.connect(7, finish=False)
        syns()
        connection.send(ACK)
        connection.echo(b"in spite of all")
        connection.close()
    check(peer.free_kib() > before - SLACK_KIB, f"{before - peer.free_kib()} KiB are gone")


if __name__ == "__main__":
    sys.exit(main_of_parts(deferred, full_queue, first_numbers, flood))
