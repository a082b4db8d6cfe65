"""Frames that no friend would send: malformed, cut short, overlapping, looping, hostile.

Everything comes from one seed. Each maker returns Ethernet frames; `live` is a connection of the
peer's whose numbers aimed attacks use.
"""

import random
import socket
import struct

from tests.wire import frames
from tests.wire.frames import ACK, FIN, GUEST, PEER, PSH, RST, SYN, URG

_OPEN_PORTS = (7, 13)
_GUEST6 = bytes.fromhex("fe80000000000000505400fffe123456")
_PEER6 = bytes.fromhex("fe800000000000000000000000000001")
_ALL_NODES = bytes.fromhex("ff020000000000000000000000000001")
_BROADCAST = b"\xff" * 6


class Fuzzer:
    """Makes hostile frames without end. `victim` is a connection that may break: set it before each batch."""

    def __init__(self, seed, live):
        self.random = random.Random(seed)
        self.live = live
        self.victim = None
        self._makers = (
            self._noise, self._ethernet_noise, self._arp, self._ipv4_header, self._fragments,
            self._icmp, self._udp, self._tcp_header, self._tcp_options, self._syn_flood,
            self._rst_storm, self._out_of_window, self._in_window, self._land, self._ipv6, self._mutant,
            self._mutant)

    def __iter__(self):
        while True:
            yield from self.random.choice(self._makers)()

    # ---- small things ----

    def _bytes(self, most):
        return self.random.randbytes(self.random.randrange(most + 1))

    def _word(self, bits):
        """A number, often one at an edge."""
        top = 1 << bits
        return self.random.choice((0, 1, top - 1, top // 2, top // 2 - 1, self.random.randrange(top),
                                   self.random.randrange(top)))

    def _address(self):
        return self.random.choice((
            PEER, GUEST, "0.0.0.0", "255.255.255.255", "127.0.0.1", "224.0.0.1", "10.77.0.0",
            "10.77.0.255", f"10.77.0.{self.random.randrange(256)}",
            socket.inet_ntoa(self.random.randbytes(4))))

    def _port(self):
        return self.random.choice((*_OPEN_PORTS, 0, 9, 65535, self.random.randrange(65536)))

    def _ip(self, protocol, payload, **fields):
        return frames.ethernet(frames.ipv4(protocol, payload, **fields))

    # ---- by layer ----

    def _noise(self):
        yield self._bytes(1514)

    def _ethernet_noise(self):
        kind = self.random.choice((frames.IPV4, frames.ARP, frames.IPV6, 0x8100, 0x0004,
                                   self.random.randrange(65536)))
        to = self.random.choice((frames.GUEST_MAC, _BROADCAST, b"\x01\0\x5e\0\0\1"))
        source = self.random.choice((frames.PEER_MAC, frames.GUEST_MAC, _BROADCAST, bytes(6)))
        yield frames.ethernet(self._bytes(1500), kind, to, source)

    def _arp(self):
        packet = frames.arp(self._word(16), self.random.choice((frames.PEER_MAC, _BROADCAST, bytes(6),
                                                                frames.GUEST_MAC)),
                            self._address(), self.random.randbytes(6), self._address())
        if self.random.random() < 0.3:
            packet = packet[:self.random.randrange(len(packet))]
        if self.random.random() < 0.3:
            packet = self._flip(packet)
        yield frames.ethernet(packet, frames.ARP, self.random.choice((frames.GUEST_MAC, _BROADCAST)))

    def _ipv4_header(self):
        options = self.random.randbytes(4 * self.random.randrange(11))
        packet = bytearray(frames.ipv4(self._word(8), self._bytes(600), self._address(),
                                       self._address(), self._word(16), self._word(16),
                                       self._word(8), options))
        if self.random.random() < 0.5:
            packet[0] = self.random.randrange(256)
        if self.random.random() < 0.5:
            packet[2:4] = struct.pack("!H", self._word(16))
        if self.random.random() < 0.7:
            size = max((packet[0] & 15) * 4, 12)
            packet[10:12] = b"\0\0"
            packet[10:12] = struct.pack("!H", frames.checksum(bytes(packet[:size])))
        yield frames.ethernet(bytes(packet))

    def _fragments(self):
        """Teardrops, holes, fragments past the end of 64 KiB, the same bytes twice, floods."""
        ident, protocol = self._word(16), self.random.choice((frames.ICMP, frames.UDP, frames.TCP, 99))
        source = self.random.choice((PEER, f"10.77.0.{self.random.randrange(3, 250)}"))
        for _ in range(self.random.randrange(1, 12)):
            offset = self.random.choice((0, 1, 2, 3, 185, 8189, 8191, self.random.randrange(8192)))
            more = 0x2000 if self.random.random() < 0.8 else 0
            yield self._ip(protocol, self._bytes(1480), ident=ident, fragment=more | offset,
                           source=source)

    def _icmp(self):
        inner = frames.ipv4(self.random.choice((frames.TCP, frames.UDP)),
                            struct.pack("!HHI", 7, self.live.sport, self._word(32)), GUEST, PEER)
        inner = inner[:self.random.randrange(len(inner) + 1)]
        message = frames.icmp(self.random.choice((0, 3, 4, 5, 8, 11, 12, 13, 17, self._word(8))),
                              self.random.choice((0, 1, 2, 3, 4, self._word(8))),
                              struct.pack("!HH", self._word(16), self._word(16)),
                              self.random.choice((inner, self._bytes(1400))))
        if self.random.random() < 0.2:
            message = message[:self.random.randrange(len(message))]
        yield self._ip(frames.ICMP, message, source=self._address(),
                       to=self.random.choice((GUEST, GUEST, self._address())))

    def _udp(self):
        source = self._address()
        datagram = frames.udp(self._port(), self._port(), self._bytes(1400), source,
                              length=self.random.choice((None, None, 0, 7, 8, 65535, self._word(16))))
        if self.random.random() < 0.2:
            datagram = datagram[:self.random.randrange(len(datagram))]
        yield self._ip(frames.UDP, datagram, source=source)

    def _tcp_header(self):
        source = self.random.choice((PEER, self._address()))
        segment = frames.tcp(self._port(), self._port(), self._word(32), self._word(32),
                             self._word(8), self._bytes(1400), self._word(16), source=source,
                             words=self.random.choice((None, self._word(4))), urgent=self._word(16))
        if self.random.random() < 0.2:
            segment = segment[:self.random.randrange(len(segment))]
        yield self._ip(frames.TCP, segment, source=source)

    def _tcp_options(self):
        options = b"".join(
            bytes((self.random.choice((0, 1, 2, 3, 4, 5, 8, 19, 34, self._word(8))),
                   self.random.choice((0, 1, 2, 3, 4, 10, 255, self._word(8))))) + self._bytes(10)
            for _ in range(self.random.randrange(6)))[:40]
        sport, flags = self.random.choice(((self._port(), SYN), (self.live.sport, ACK)))
        yield self._ip(frames.TCP, frames.tcp(sport, 7, self.live.seq, self.live.ack, flags, b"",
                                              options=options))

    # ---- aimed ----

    def _syn_flood(self):
        for _ in range(32):
            source = self.random.choice((f"10.77.0.{self.random.randrange(3, 250)}",
                                         socket.inet_ntoa(self.random.randbytes(4))))
            yield self._ip(frames.TCP, frames.tcp(self._word(16), self.random.choice(_OPEN_PORTS),
                                                  self._word(32), 0, SYN, source=source),
                           source=source)

    def _far(self, number):
        """A sequence number a long way from `number`: outside of every window."""
        return (number + (1 << 30) + self.random.randrange(1 << 30)) & 0xFFFFFFFF

    def _rst_storm(self):
        for _ in range(16):
            port = self.random.choice((self.live.sport, self.random.randrange(65536)))
            seq = self._far(self.live.seq) if port == self.live.sport else self._word(32)
            yield self._ip(frames.TCP, frames.tcp(port, 7, seq, self._word(32),
                                                  self.random.choice((RST, RST | ACK))))

    def _out_of_window(self):
        live = self.live
        flags = self.random.choice((ACK, ACK | PSH, ACK | FIN, ACK | URG, SYN | ACK))
        seq, ack = self.random.choice(((self._far(live.seq), live.ack), (live.seq, self._far(live.ack)),
                                       (self._far(live.seq), self._far(live.ack))))
        if flags & (FIN | SYN):
            seq = self._far(live.seq)
        payload = b"" if seq == live.seq else self._bytes(1400)
        yield self._ip(frames.TCP, frames.tcp(live.sport, 7, seq, ack, flags, payload))

    def _in_window(self):
        """Holes, overlaps, and what begins inside of the window but ends behind it."""
        victim = self.victim
        edge = victim.window
        for _ in range(8):
            offset = self.random.choice((0, 1, 2, edge - 1, edge - 700, edge, 1400,
                                         self.random.randrange(edge + 1)))
            flags = self.random.choice((ACK, ACK, ACK | PSH, ACK | FIN, ACK | URG))
            yield self._ip(frames.TCP, frames.tcp(victim.sport, 7, victim.seq + offset, victim.ack,
                                                  flags, self._bytes(1400)))

    def _land(self):
        """The guest as its own peer, and two echo servers that talk to each other."""
        if self.random.random() < 0.5:
            yield self._ip(frames.TCP, frames.tcp(7, 7, self._word(32), 0, SYN, source=GUEST),
                           source=GUEST)
        else:
            source = self.random.choice((GUEST, "255.255.255.255", "10.77.0.255"))
            yield self._ip(frames.UDP, frames.udp(7, 7, self._bytes(100), source), source=source)

    def _ipv6(self):
        kind = self.random.choice((0, 6, 17, 43, 44, 50, 51, 58, 59, 60, self._word(8)))
        payload = self._bytes(1400)
        if kind == 58 and self.random.random() < 0.8:
            payload = bytes((self.random.choice((128, 130, 133, 134, 135, 136, 137, self._word(8))),
                             self._word(8))) + payload
            pseudo = _PEER6 + _GUEST6 + struct.pack("!II", len(payload), 58)
            sum_of = frames.checksum(pseudo + payload[:2] + b"\0\0" + payload[4:])
            payload = payload[:2] + struct.pack("!H", sum_of) + payload[4:]
        length = self.random.choice((len(payload), len(payload), self._word(16)))
        head = struct.pack("!IHBB", 0x60000000 | self._word(28), length, kind,
                           self.random.choice((255, 64, 0, 1)))
        to = self.random.choice((_GUEST6, _GUEST6, _ALL_NODES, self.random.randbytes(16)))
        source = self.random.choice((_PEER6, _PEER6, _GUEST6, bytes(16), _ALL_NODES))
        yield frames.ethernet(head + source + to + payload, frames.IPV6)

    # ---- mutants of good frames ----

    def _flip(self, data):
        data = bytearray(data)
        for _ in range(self.random.randrange(1, 5)):
            if data:
                data[self.random.randrange(len(data))] ^= 1 << self.random.randrange(8)
        return bytes(data)

    def _mutant(self):
        good = self.random.choice((
            self._ip(frames.ICMP, frames.icmp(8, 0, b"\0\1\0\1", bytes(32))),
            self._ip(frames.UDP, frames.udp(4000, 7, b"hello")),
            self._ip(frames.TCP, frames.tcp(4000, 7, 1, 0, SYN, options=b"\2\4\5\xb4\4\2\1\3\3\7")),
            frames.ethernet(frames.arp(1, frames.PEER_MAC, PEER, bytes(6), GUEST), frames.ARP)))
        change = self.random.randrange(3)
        if change == 0:
            yield self._flip(good)
        elif change == 1:
            yield good[:self.random.randrange(len(good))]
        else:
            yield good + self._bytes(100)
