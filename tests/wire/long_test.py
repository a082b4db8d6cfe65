#!/usr/bin/python3
"""Long segments, which the card cuts, on a bad cable and to a reader whose window is narrow.

    long_test.py [--system linux|stellar] [--size BYTES] [--seed N] --server PROGRAM
                 [--built LABEL=FILE]...

The cable is a tap device, where the card has all its offloads. A relay behind --host carries its frames
to the host's own TCP in a further namespace: by a seed it loses some of them, and of long ones
the middle, so that a part of a long segment is acknowledged. More is lost where the relay is late. What is sent must arrive all the same.
Passes with a word where that is not allowed. Runs outside the sandbox: the real workspace has the caches.
"""

import argparse
import ctypes
import fcntl
import hashlib
import os
import random
import select
import socket
import struct
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
# pylint: disable=wrong-import-position
from tests.wire import client, frames  # noqa: E402
from tests.wire.guest import Guest, add_options, has_tap  # noqa: E402
from tools.guest import tap  # noqa: E402
from tools.guest.network import TAP, TAP_GUEST  # noqa: E402

LOSS = 0.02
TORN = 0.1  # of the long frames
NARROW = 16384
PARTS = 20
_CLONE_NEWNET = 0x40000000
_SOL_PACKET, _PACKET_VNET_HDR, _PACKET_IGNORE_OUTGOING = 263, 15, 23
_SIOCSIFADDR = 0x8916
# The header in front of a frame with offloads; of it, GSO type and size of a segment.
_VNET = 10
_ETHERNET = 14


def near_end():
    """The frames of the guest's cable, which loses its address: nobody answers there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SIOCSIFADDR, struct.pack("16sHH4s16x", TAP.encode(), socket.AF_INET,
                                                       0, bytes(4)))
    near = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    near.setsockopt(_SOL_PACKET, _PACKET_VNET_HDR, 1)
    near.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
    near.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    near.bind((TAP, 3))
    return near


def torn(frame):
    """A long frame over IPv4 as two, without a segment between them. None: it is not long."""
    gso, _, size = struct.unpack_from("<BHH", frame, 1)
    ip = frame[_VNET + _ETHERNET:]
    if not gso or ip[0] != 0x45 or ip[9] != socket.IPPROTO_TCP:
        return None
    headers = 20 + (ip[32] >> 4) * 4
    middle = (len(ip) - headers) // size // 2 * size

    def part(begin, end):
        head = bytearray(ip[:headers])
        seq = struct.unpack_from("!I", head, 24)[0]
        struct.pack_into("!I", head, 24, (seq + begin) & 0xFFFFFFFF)
        struct.pack_into("!H", head, 2, headers + end - begin)
        struct.pack_into("!H", head, 10, 0)
        struct.pack_into("!H", head, 10, frames.checksum(bytes(head[:20])))
        return frame[:_VNET + _ETHERNET] + head + ip[headers + begin:headers + end]
    return [part(0, middle), part(middle + size, len(ip) - headers)]


class Relay(threading.Thread):
    """Carries frames both ways; harms them while `bad` is set."""

    def __init__(self, near, far, seed):
        super().__init__(daemon=True)
        self._near, self._far = near, far
        self._random = random.Random(seed)
        self.bad = False
        self.counts = {"carried": 0, "long": 0, "lost": 0, "torn": 0}

    def _harmed(self, frame):
        parts = torn(frame)
        self.counts["carried"] += 1
        self.counts["long"] += parts is not None
        if self.bad and self._random.random() < LOSS:
            self.counts["lost"] += 1
            return []
        if self.bad and parts and self._random.random() < TORN:
            self.counts["torn"] += 1
            return parts
        return [frame]

    def run(self):
        while True:
            ready, _, _ = select.select([self._near, self._far], [], [])
            try:
                if self._near in ready:
                    for frame in self._harmed(self._near.recv(1 << 17)):
                        os.write(self._far.fileno(), frame)
                if self._far in ready:
                    for frame in self._harmed(os.read(self._far.fileno(), 1 << 17)):
                        self._near.send(frame)
            except OSError:
                pass  # a frame that the other side does not take


def narrow_echo(size, seed):
    """An echo whose reader has little room and takes its time."""
    data = client.data_of(seed, size)
    back = hashlib.sha256()
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, NARROW)
        connection.settimeout(client.WAIT_S)
        connection.connect((TAP_GUEST, 7))
        threading.Thread(target=connection.sendall, args=(data,), daemon=True).start()
        while size:
            some = connection.recv(3000)
            if not some:
                raise ConnectionError(f"closed with {size} bytes to come")
            back.update(some)
            size -= len(some)
            time.sleep(0.001)
    if back.digest() != hashlib.sha256(data).digest():
        raise ValueError("the echo is not what was sent")


def other_end(size, seed):
    """At the host's end of the cable."""
    near = near_end()
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")
    # Open until the end: the relay looks at it.
    relay = Relay(near, tap.open_tap(tap.IFF_VNET_HDR), seed)
    tap.bring_up()
    relay.start()
    client.echo(TAP_GUEST, 7, size, seed)
    narrow_echo(size, seed + 1)
    if not relay.counts["long"]:
        raise ValueError("no long segment was sent")
    relay.bad = True
    start = time.monotonic()
    # Each connection makes long segments until it loses one.
    for part in range(PARTS):
        client.echo(TAP_GUEST, 7, size // PARTS, seed + 2 + part)
    print(f"{size} bytes there and back in {time.monotonic() - start:.1f} s, {relay.counts}")
    return 0


def main():
    if sys.argv[1:2] == ["--other-end"]:
        return other_end(*map(int, sys.argv[2:]))
    parser = argparse.ArgumentParser()
    add_options(parser)
    parser.add_argument("--size", type=int, default=1000000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if not has_tap():
        return 0
    inside = f"{sys.executable} -P {Path(__file__).resolve()} --other-end"
    more = ["--host", f"{inside} {options.size} {options.seed}"]
    with Guest(options, "tap", ["/bin/server"], more) as guest:
        status = guest.wait(250)
        if status != 0:
            return guest.failed(f"status {status}, seed {options.seed}")
        print(guest.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
