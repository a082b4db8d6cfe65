#!/usr/bin/python3
"""A cable to the host's own network stack, in a namespace; on StellarOS with and without offloads.

    tap_test.py [--system linux|stellar] --server PROGRAM [--built LABEL=FILE]...

The guest looks up a name by DNS, fetches a page, and runs the server; the part behind --host does
the rest at the other end of the cable. Passes with a word when the machine has no /dev/net/tun.
Runs outside the sandbox: the real workspace has the caches.
"""

import argparse
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

SIZE = 4 << 20
DATA = client.data_of("page", SIZE)
SUM = hashlib.sha256(DATA).hexdigest()
NAME = "wire.test"
GUEST_SCRIPT = f"""
server &
until nslookup {NAME} 10.77.0.1 | grep -q 10.77.0.99; do sleep 1; done
sum=$(wget -q -O - http://10.77.0.1:8000/data | sha256sum)
wget -q -O /dev/null http://10.77.0.1:8000/sum/${{sum%% *}}
wait
"""
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

    def do_GET(self):
        """Serves it."""
        data = DATA if self.path == "/data" else b"thanks"
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        if self.path == f"/sum/{SUM}":
            self.told.set()

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


def other_end():
    """At the host's end of the cable."""
    threading.Thread(target=serve_names, daemon=True).start()
    server = http.server.ThreadingHTTPServer(("10.77.0.1", 8000), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for size in (56, 1472, 5000):
        ping(size)
    if not Page.told.wait(90):
        raise TimeoutError("the guest has not told the sum of its page")
    client.echo("10.77.0.2", 7, SIZE, 1)
    client.echo_many("10.77.0.2", 7, 8, 500000)
    client.echo_datagrams("10.77.0.2", 7, (1, 1472, 1473, 9000, 60000))
    print(client.fetch("10.77.0.2", 13))
    return 0


def run(options, qemu_args):
    """One guest, driven from the other end. Its exit status is the verdict."""
    inside = f"{sys.executable} -P {Path(__file__).resolve()} --other-end"
    more = ["--host", inside] + [word for arg in qemu_args for word in ("--qemu-arg", arg)]
    with Guest(options, "tap", ["sh", "-c", GUEST_SCRIPT], more) as guest:
        status = guest.wait(200)
        if status != 0:
            return guest.failed(f"status {status} with {' '.join(qemu_args) or 'offloads'}")
    return 0


def main():
    if sys.argv[1:] == ["--other-end"]:
        return other_end()
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
