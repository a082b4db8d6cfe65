#!/usr/bin/python3
"""Options of sockets whose effect shows on the wire only.

    options_test.py [--system linux|stellar] --server PROGRAM [--built LABEL=FILE]...

PROGRAM is tests/wire/options.c. Runs outside the sandbox: the real workspace has the caches.
"""

import re
import struct
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
# pylint: disable=wrong-import-position
from tests.wire import frames  # noqa: E402
from tests.wire.frames import ACK, PSH  # noqa: E402
from tests.wire.guest import main_of_parts  # noqa: E402
from tests.wire.peer import check  # noqa: E402

LOG, KEEP, TIMEOUT, CORK, RESET, LINGER, ERROR, HEADER, MAXSEG = 13, 21, 22, 23, 24, 25, 26, 27, 28
MAXSEG_BYTES = 80000
PEER_PORT, OWN_PROTOCOL = 9999, 253
ECONNREFUSED = 111


def say(connection):
    """The word that a service waits for. No segment is lost here, so it is sent once."""
    connection.send(ACK | PSH, b"!")
    connection.seq += 1


def log(peer):
    """What the guest's sockets ended with."""
    connection = peer.connect(LOG)
    say(connection)
    try:
        return connection.read_to_end().decode()
    finally:
        connection.close()


def until_logged(peer, pattern):
    """The match of the first line that fits."""
    found = []

    def look():
        match = re.search(pattern, log(peer), re.MULTILINE)
        if match:
            found.append(match)
    peer.until(lambda: found, look, f"the guest does not say {pattern}")
    return found[0]


def ask(peer, port):
    """A connection to a service that waits for a word."""
    connection = peer.connect(port)
    say(connection)
    return connection


def say_then_be_mute(peer, connection, seconds):
    """Says it; for so long nothing that comes is answered."""
    connection.mute = True
    say(connection)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        peer.poll(0.1)
    connection.mute = False


def keepalive(peer):
    """Probes when nothing was heard; the end when they stay without an answer."""
    connection = peer.connect(KEEP)
    peer.until(lambda: connection.probes >= 2, lambda: None, "no probes")
    check(not connection.reset, "the end in spite of answers")
    connection.mute = True
    until_logged(peer, r"^keep: ETIMEDOUT$")
    connection.close()


def user_timeout(peer):
    """Data that nobody acknowledges end the connection early."""
    connection = peer.connect(TIMEOUT, finish=False)
    connection.mute = True
    connection.send(ACK)
    start = time.monotonic()
    until_logged(peer, r"^timeout: ETIMEDOUT$")
    check(time.monotonic() - start > 1, "too early")
    connection.close()


def cork(peer):
    """Two writes, one segment."""
    connection = ask(peer, CORK)
    peer.until(lambda: len(connection.received) >= 6, lambda: None, "nothing")
    check(connection.pieces == [b"onetwo"], f"pieces: {connection.pieces}")
    connection.close()


def linger_reset(peer):
    """SO_LINGER without time: a reset."""
    connection = ask(peer, RESET)
    peer.until(lambda: connection.reset, lambda: None, "no reset")
    check(not connection.ended, "a FIN before it")
    connection.close()


def linger_waits(peer):
    """SO_LINGER with time: close() waits for the acknowledgement."""
    connection = peer.connect(LINGER)
    say_then_be_mute(peer, connection, 1.5)
    peer.until(lambda: connection.ended, lambda: None, "no end")
    waited = int(until_logged(peer, r"^linger (\d+) ms$")[1])
    check(1000 < waited < 20000, f"waited {waited} ms")
    connection.close()


def error_queue(peer):
    """An ICMP error about a datagram is in the socket's error queue, with what it was about."""
    def answer(protocol, payload):
        if protocol != frames.UDP or struct.unpack("!H", payload[2:4])[0] != PEER_PORT:
            return
        about = frames.ipv4(frames.UDP, payload, source=frames.GUEST, to=frames.PEER)
        peer.send_ip(frames.ipv4(frames.ICMP, frames.icmp(3, 3, bytes(4), about)))
    with peer.listening(answer):
        connection = ask(peer, ERROR)
        until_logged(peer, rf"^error {ECONNREFUSED} origin 2 type 3 code 3 data question port {PEER_PORT} flag 1$")
    connection.close()


def own_header(peer):
    """IP_HDRINCL: the packet goes out as the program wrote it."""
    got = []

    def hear(protocol, payload):
        if protocol == OWN_PROTOCOL:
            got.append(payload)
    with peer.listening(hear):
        connection = ask(peer, HEADER)
        peer.until(lambda: got, lambda: None, "no packet")
    check(got[0][:8] == b"headers\0", f"payload {got[0]}")
    connection.close()


def smaller_segments(peer):
    """TCP_MAXSEG while larger segments wait, and must be sent again: all arrives."""
    connection = peer.connect(MAXSEG)
    say_then_be_mute(peer, connection, 1)
    got = connection.read_to_end()
    check(got == bytes(i % 251 for i in range(MAXSEG_BYTES)), f"{len(got)} other bytes")
    connection.close()


if __name__ == "__main__":
    sys.exit(main_of_parts(keepalive, user_timeout, cork, linger_reset, linger_waits, error_queue, own_header,
                           smaller_segments))
