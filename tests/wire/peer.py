"""A host on the other end of the guest's cable, in user space: answers ARP, pings, and speaks just
enough TCP to ask whether the guest still does. QEMU carries frames as datagrams of a unix socket.
"""

import contextlib
import os
import re
import select
import socket
import struct
import time

from tests.wire import frames
from tests.wire.frames import ACK, FIN, GUEST, PEER, PSH, RST, SYN

REPORT_PORT = 13  # where tests/wire/server.c shows files of /proc
WAIT_S = 30
RESEND_S = 1


class NoAnswer(Exception):
    """The guest did not do in time what it must."""


def check(holds, what):
    """Fails with a word."""
    if not holds:
        raise NoAnswer(what)


class Peer:
    """The wire's other end. Every frame from the guest passes through _handle()."""

    def __init__(self, folder):
        self.guest_path, self.path = os.path.join(folder, "guest"), os.path.join(folder, "peer")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        self._socket.setblocking(False)
        self._listeners = []
        self._port = 20000

    @contextlib.contextmanager
    def listening(self, listener):
        """Calls listener(protocol, payload) for each IPv4 packet to the peer."""
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)

    def _handle(self, frame):
        if frame[12:14] == b"\x08\x06" and len(frame) >= 42:
            operation, = struct.unpack("!H", frame[20:22])
            if operation == 1 and frame[38:42] == socket.inet_aton(PEER):
                self.send(frames.ethernet(frames.arp(2, frames.PEER_MAC, PEER, frame[22:28], GUEST),
                                          frames.ARP, frame[6:12]))
            return
        packet = frames.parse_ipv4(frame)
        if packet and packet[1] == GUEST and packet[2] == PEER:
            for listener in list(self._listeners):
                listener(packet[0], packet[3])

    def poll(self, seconds):
        """Takes what comes within this time, or all that is there (0)."""
        while select.select([self._socket], [], [], seconds)[0]:
            try:
                self._handle(self._socket.recv(65600))
            except (BlockingIOError, ConnectionError):
                pass
            seconds = 0

    def send(self, frame):
        """Sends a frame; waits while the guest's card is full. Lost if nobody is there yet.

        QEMU takes an empty message for the end of the cable, so an empty frame cannot be sent.
        """
        deadline = None
        while frame:
            try:
                self._socket.sendto(frame, self.guest_path)
                return
            except BlockingIOError:
                deadline = deadline or time.monotonic() + WAIT_S
                if time.monotonic() > deadline:
                    raise NoAnswer("the guest's card takes no frames") from None
                self.poll(0.001)
            except OSError:
                return

    def send_ip(self, packet):
        """Sends an IPv4 packet."""
        self.send(frames.ethernet(packet))

    def until(self, done, resend, what, wait_s=WAIT_S):
        """Takes frames until done(), calling resend() now and each second."""
        deadline, again = time.monotonic() + wait_s, 0
        while not done():
            now = time.monotonic()
            if now > deadline:
                raise NoAnswer(what)
            if now >= again:
                resend()
                again = now + RESEND_S
            self.poll(0.05)

    def ping(self):
        """One echo request that must be answered with its data."""
        rest, data, got = struct.pack("!HH", 0x5A5A, 1), os.urandom(56), []

        def listener(protocol, payload):
            if protocol == frames.ICMP and payload[0] == 0 and payload[4:] == rest + data:
                got.append(True)
        with self.listening(listener):
            self.until(lambda: got, lambda: self.send_ip(
                frames.ipv4(frames.ICMP, frames.icmp(8, 0, rest, data))), "no ping")

    def connect(self, port, finish=True, sport=None):
        """A connection to the guest's port; without `finish` the last ACK of its handshake is left out."""
        self._port += 1
        return Connection(self, sport or self._port, port, finish)

    def fetch(self, port):
        """All that the guest says on a connection to `port`."""
        with contextlib.closing(self.connect(port)) as connection:
            return connection.read_to_end()

    def free_kib(self):
        """What /proc/meminfo in the guest says is free."""
        return int(re.search(rb"MemFree:\s*(\d+)", self.fetch(REPORT_PORT))[1])


class Connection:
    """A TCP connection: what arrives in order is taken, all else the guest must send again."""

    def __init__(self, peer, sport, dport, finish=True):
        self.peer, self.sport, self.dport = peer, sport, dport
        self.seq, self.ack = int.from_bytes(os.urandom(4), "big"), None
        self.received, self.ended, self.reset, self.acked = bytearray(), False, False, None
        self.window = 0
        self.mute = False  # what comes is heard, and not answered
        self.probes, self.pieces = 0, []
        self._listening = contextlib.ExitStack()
        self._listening.enter_context(peer.listening(self._listener))
        first = self.seq
        peer.until(lambda: self.ack is not None or self.reset,
                   lambda: self.send(SYN, seq=first, options=struct.pack("!BBH", 2, 4, 1460)),
                   f"no answer to a SYN to port {dport}")
        self._check()
        self.seq = first + 1
        self.first_ack = self.ack
        if finish:
            self.send(ACK)

    def _check(self):
        if self.reset:
            raise NoAnswer(f"the connection to port {self.dport} was reset")

    def _listener(self, protocol, payload):
        if protocol != frames.TCP or len(payload) < 20:
            return
        segment = frames.parse_tcp(payload)
        if segment.sport != self.dport or segment.dport != self.sport:
            return
        self.window = segment.window
        if segment.flags & RST:
            self.reset = True
        elif segment.flags & SYN:
            self.ack = (segment.seq + 1) & 0xFFFFFFFF
        elif self.ack is not None and not self.mute:
            self.acked = segment.ack
            self._take(segment)

    def _take(self, segment):
        if segment.seq == (self.ack - 1) & 0xFFFFFFFF and len(segment.payload) < 2 and not segment.flags & FIN:
            # What was acknowledged long ago: is somebody there?
            self.probes += 1
            self.send(ACK)
            return
        if segment.seq == self.ack and not self.ended:
            self.received += segment.payload
            self.pieces += [segment.payload] * bool(segment.payload)
            self.ack = (self.ack + len(segment.payload)) & 0xFFFFFFFF
            if segment.flags & FIN:
                self.ended = True
                self.ack = (self.ack + 1) & 0xFFFFFFFF
        if segment.payload or segment.flags & FIN:
            self.send(ACK)

    def send(self, flags, payload=b"", seq=None, options=b""):
        """Sends one segment."""
        segment = frames.tcp(self.sport, self.dport, self.seq if seq is None else seq,
                             self.ack or 0, flags, payload, options=options)
        self.peer.send_ip(frames.ipv4(frames.TCP, segment))

    def echo(self, data):
        """Sends `data`, at most a segment's worth, which must come back."""
        start, end = len(self.received), (self.seq + len(data)) & 0xFFFFFFFF
        first = self.seq
        self.peer.until(lambda: self.reset or (self.acked == end and
                                               len(self.received) >= start + len(data)),
                        lambda: self.send(ACK | PSH, data, seq=first), "no echo")
        self._check()
        self.seq = end
        if bytes(self.received[start:]) != data:
            raise NoAnswer("the echo is not what was sent")

    def read_to_end(self):
        """Everything until the guest closes."""
        self.peer.until(lambda: self.ended or self.reset, lambda: None, "no end of the connection")
        self._check()
        return bytes(self.received)

    def close(self):
        """Ends the connection the short way."""
        self.send(RST | ACK, seq=self.seq if self.acked is None else self.acked)
        self._listening.close()
