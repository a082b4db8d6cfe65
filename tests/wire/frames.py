"""Ethernet frames, built and taken apart: what a peer on the wire needs, no more."""

import socket
import struct
from dataclasses import dataclass

from tools.guest.network import TAP_GUEST, TAP_HOST

GUEST_MAC = bytes.fromhex("525400123456")
PEER_MAC = bytes.fromhex("020000000001")
GUEST, PEER = TAP_GUEST, TAP_HOST
FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
IPV4, ARP, IPV6 = 0x0800, 0x0806, 0x86DD
ICMP, TCP, UDP = 1, 6, 17


def checksum(data):
    """The internet checksum."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ethernet(payload, kind=IPV4, to=GUEST_MAC, source=PEER_MAC):
    """A frame."""
    return to + source + struct.pack("!H", kind) + payload


def arp(operation, sender_mac, sender, target_mac, target):
    """An ARP packet."""
    return struct.pack("!HHBBH6s4s6s4s", 1, IPV4, 6, 4, operation, sender_mac,
                       socket.inet_aton(sender), target_mac, socket.inet_aton(target))


def ipv4(protocol, payload, source=PEER, to=GUEST, ident=0, fragment=0, ttl=64, options=b""):
    """An IPv4 packet; `fragment` is flags and offset as they stand in the header."""
    words = 5 + len(options) // 4
    head = struct.pack("!BBHHHBBH4s4s", 0x40 | words, 0, words * 4 + len(payload), ident, fragment,
                       ttl, protocol, 0, socket.inet_aton(source), socket.inet_aton(to)) + options
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def _with_checksum(protocol, segment, at, source, to):
    pseudo = socket.inet_aton(source) + socket.inet_aton(to)
    pseudo += struct.pack("!HH", protocol, len(segment))
    return segment[:at] + struct.pack("!H", checksum(pseudo + segment)) + segment[at + 2:]


def icmp(kind, code, rest, payload=b""):
    """An ICMP message; `rest` is the header's last four bytes."""
    message = struct.pack("!BBH", kind, code, 0) + rest + payload
    return message[:2] + struct.pack("!H", checksum(message)) + message[4:]


def udp(sport, dport, payload, source=PEER, to=GUEST, length=None):
    """A UDP datagram."""
    length = 8 + len(payload) if length is None else length
    segment = struct.pack("!HHHH", sport, dport, length, 0) + payload
    return _with_checksum(UDP, segment, 6, source, to)


def tcp(sport, dport, seq, ack, flags, payload=b"", window=65535, options=b"", source=PEER,
        to=GUEST, words=None, urgent=0):
    """A TCP segment; `words` overrides the header's length."""
    options += b"\1" * (-len(options) % 4)
    words = 5 + len(options) // 4 if words is None else words
    segment = struct.pack("!HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF,
                          (words & 15) << 4, flags, window, 0, urgent) + options + payload
    return _with_checksum(TCP, segment, 16, source, to)


@dataclass
class Segment:
    """A TCP segment from the guest."""
    sport: int
    dport: int
    seq: int
    ack: int
    flags: int
    window: int
    payload: bytes


def parse_ipv4(frame):
    """(protocol, source, destination, payload) of a whole IPv4 packet; None for anything else."""
    if len(frame) < 34 or frame[12:14] != b"\x08\x00":
        return None
    size = (frame[14] & 15) * 4
    length, _, fragment = struct.unpack("!HHH", frame[16:22])
    if fragment & 0x3FFF:
        return None
    return (frame[23], socket.inet_ntoa(frame[26:30]), socket.inet_ntoa(frame[30:34]),
            frame[14 + size:14 + length])


def parse_tcp(segment):
    """The Segment in an IPv4 payload."""
    sport, dport, seq, ack, words, flags, window = struct.unpack("!HHIIBBH", segment[:16])
    return Segment(sport, dport, seq, ack, flags, window, segment[(words >> 4) * 4:])
