#!/usr/bin/python3
"""A cable to the host's own network stack, in a namespace; on StellarOS with and without offloads.

    tap_test.py [--system linux|stellar] --server PROGRAM [--built LABEL=FILE]...

The guest looks up a name by DNS, fetches a page, and runs the server; the part behind --host does
the rest at the other end of the cable. Passes with a word when the machine has no /dev/net/tun.
Runs outside the sandbox: the real workspace has the caches.
"""

import argparse
import fcntl
import hashlib
import http.server
import os
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
from tools.guest.network import TAP  # noqa: E402

SIZE = 4 << 20
DATA = client.data_of("page", SIZE)
SUM = hashlib.sha256(DATA).hexdigest()
NAME = "wire.test"
FAR = "10.99.0.1"  # of the host, and no network of the guest's
GROUP, GROUP_PORT = "239.77.0.7", 7007
GUEST_LINK_LOCAL = "fe80::5054:ff:fe12:3456"
_SIOCSIFADDR = 0x8916
IGMP, IGMP_QUERY, IGMP_V2_REPORT, IGMP_V3_REPORT = 2, 0x11, 0x16, 0x22
GUEST_SCRIPT = f"""
%s server &
until nslookup {NAME} 10.77.0.1 | grep -q 10.77.0.99; do sleep 1; done
sum=$(wget -q -O - http://10.77.0.1:8000/data | sha256sum)
wget -q -O /dev/null http://10.77.0.1:8000/sum/${{sum%%%% *}}
ip route del default
wget -q -O /dev/null http://{FAR}:8000/early
ip route add {FAR}/32 via 10.77.0.1 && wget -q -O /dev/null http://{FAR}:8000/routed
wait
"""
# With several pairs of queues the server stays on one hart, not the first, and so must its frames.
SERVER_HART = 2
OFFLOADS = ("csum", "guest_csum", "host_tso4", "host_tso6", "guest_tso4", "guest_tso6", "guest_ecn",
            "host_ecn", "host_ufo", "guest_ufo", "host_uso", "guest_uso4", "guest_uso6")


def serve_names():
    """A name server that knows one name."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("10.77.0.1", 53))
        while True:
            query, asker = sock.recvfrom(512)
            question = query[12:query.index(b"\0", 12) + 5]
            known = question[-4:] == struct.pack("!HH", 1, 1)
            head = query[:2] + struct.pack("!HHHHH", 0x8180, 1, int(known), 0, 0)
            answer = struct.pack("!HHHIH4s", 0xC00C, 1, 1, 60, 4, socket.inet_aton("10.77.0.99"))
            sock.sendto(head + question + answer * known, asker)


class Page(http.server.BaseHTTPRequestHandler):
    """The page, and the place where its checksum is told."""
    told = threading.Event()
    routed = threading.Event()
    early = False

    def do_GET(self):
        """Serves it."""
        data = DATA if self.path == "/data" else b"thanks"
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        if self.path == f"/sum/{SUM}":
            self.told.set()
        if self.path == "/early":
            Page.early = True
        if self.path == "/routed" and self.connection.getsockname()[0] == FAR:
            self.routed.set()

    def log_message(self, *_):
        """Says nothing."""


def ping(size):
    """An echo request with `size` bytes that must come back."""
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as sock:
        sock.settimeout(2)
        request = frames.icmp(8, 0, struct.pack("!HH", os.getpid() & 0xFFFF, size), bytes(size))
        deadline = time.monotonic() + client.WAIT_S
        while time.monotonic() < deadline:
            try:
                sock.sendto(request, ("10.77.0.2", 0))
                reply = sock.recv(65536)[20:]
                if reply[:1] == b"\0" and reply[4:] == request[4:]:
                    return
            except OSError:
                time.sleep(0.1)  # no carrier yet
    raise TimeoutError(f"no answer to a ping of {size} bytes")


def until_answered(ask, what):
    """Calls ask() until it is true."""
    deadline = time.monotonic() + client.WAIT_S
    while not ask():
        if time.monotonic() > deadline:
            raise TimeoutError(what)


def ping_v6():
    """An echo request to the guest's link-local address: it hears that it is looked for."""
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as sock:
        sock.settimeout(1)
        name = (GUEST_LINK_LOCAL, 0, 0, socket.if_nametoindex(TAP))

        def ask():
            try:
                sock.sendto(struct.pack("!BBHHH", 128, 0, 0, 77, 7) + b"v6", name)
                end = time.monotonic() + 1
                while time.monotonic() < end:
                    reply = sock.recv(1500)
                    if reply[:1] == b"\x81" and reply[4:] == struct.pack("!HH", 77, 7) + b"v6":
                        return True
            except OSError:
                time.sleep(0.1)
            return False
        until_answered(ask, "no answer to a ping over IPv6")


def group():
    """A datagram to a group that the guest's server has joined comes back."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("10.77.0.1"))
        sock.settimeout(1)

        def ask():
            try:
                sock.sendto(b"to the group", (GROUP, GROUP_PORT))
                return sock.recvfrom(100) == (b"to the group", ("10.77.0.2", GROUP_PORT))
            except TimeoutError:
                return False
        until_answered(ask, "no answer from the group")


def group_report():
    """Asked which groups it has joined, the guest names the group."""
    query = struct.pack("!BBHI", IGMP_QUERY, 10, 0, 0)
    query = query[:2] + struct.pack("!H", frames.checksum(query)) + query[4:]
    kinds = (IGMP_V2_REPORT, IGMP_V3_REPORT)
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(frames.IPV4)) as tap, \
            socket.socket(socket.AF_INET, socket.SOCK_RAW, IGMP) as sock:
        tap.bind((TAP, frames.IPV4))
        tap.settimeout(0.5)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("10.77.0.1"))

        def ask():
            sock.sendto(query, ("224.0.0.1", 0))
            end = time.monotonic() + 2
            while time.monotonic() < end:
                try:
                    packet = tap.recv(2000)
                except TimeoutError:
                    continue
                message = packet[(packet[0] & 15) * 4:]
                if packet[9] == IGMP and packet[12:16] == socket.inet_aton("10.77.0.2") and \
                        message[0] in kinds and socket.inet_aton(GROUP) in message:
                    return True
            return False
        until_answered(ask, "the guest does not tell of its group")


def check_steered(report):
    """The loop of the server's hart did most of the work, by /proc/net/softnet_stat at the report's end."""
    lines = [line.split() for line in report.splitlines()]
    items = [int(words[0], 16) for words in lines if len(words) == 15]
    if 2 * items[SERVER_HART] < sum(items):
        raise ValueError(f"frames of the server on hart {SERVER_HART} went to others: {items}")


def other_end(steered):
    """At the host's end of the cable."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SIOCSIFADDR, struct.pack("=16sHH4s16x", b"lo:1", socket.AF_INET, 0,
                                                       socket.inet_aton(FAR)))
    threading.Thread(target=serve_names, daemon=True).start()
    server = http.server.ThreadingHTTPServer(("", 8000), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for size in (56, 1472, 5000):
        ping(size)
    if not Page.told.wait(90):
        raise TimeoutError("the guest has not told the sum of its page")
    if not Page.routed.wait(90) or Page.early:
        raise TimeoutError("the guest did not come by the route that it set, or came without it")
    ping_v6()
    group()
    group_report()
    client.echo("10.77.0.2", 7, SIZE, 1)
    client.echo_many("10.77.0.2", 7, 8, 500000)
    client.echo_datagrams("10.77.0.2", 7, (1, 1472, 1473, 9000, 60000))
    report = client.fetch("10.77.0.2", 13)
    print(report)
    if steered:
        check_steered(report)
    return 0


def run(options, qemu_args):
    """One guest, driven from the other end. Its exit status is the verdict."""
    several = "queues" in (options.nic or "")
    script = GUEST_SCRIPT % (f"taskset {1 << SERVER_HART:x}" if several else "")
    inside = f"{sys.executable} -P {Path(__file__).resolve()} --other-end" + " --steered" * several
    more = ["--host", inside] + [word for arg in qemu_args for word in ("--qemu-arg", arg)]
    with Guest(options, "tap", ["sh", "-c", script], more) as guest:
        status = guest.wait(200)
        if status != 0:
            return guest.failed(f"status {status} with {' '.join(qemu_args) or 'offloads'}")
    return 0


def main():
    if sys.argv[1:2] == ["--other-end"]:
        return other_end(sys.argv[2:] == ["--steered"])
    parser = argparse.ArgumentParser()
    add_options(parser)
    options = parser.parse_args()
    if not has_tap():
        return 0
    device = "virtio-net-pci" if (options.nic or "mmio").startswith("pci") else "virtio-net-device"
    without = [word for name in OFFLOADS for word in ("-global", f"{device}.{name}=off")]
    status = run(options, [])
    if status or options.system == "linux":
        return status
    return run(options, without)


if __name__ == "__main__":
    sys.exit(main())
