#!/usr/bin/python3
"""QEMU's own network: the host talks to a server in the guest, the guest to one of the host.

    forward_test.py [--system linux|stellar] --server PROGRAM [--built LABEL=FILE]...

Runs outside the sandbox: the real workspace has the caches.
"""

import argparse
import hashlib
import http.server
import socket
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
# pylint: disable=wrong-import-position
from tests.wire import client  # noqa: E402
from tests.wire.guest import Guest, add_options  # noqa: E402

SIZE = 3 << 20
DATA = client.data_of("page", SIZE)


class Page(http.server.BaseHTTPRequestHandler):
    """One page, large."""

    def do_GET(self):
        """Serves it."""
        self.send_response(200)
        self.send_header("Content-Length", str(SIZE))
        self.end_headers()
        self.wfile.write(DATA)

    def log_message(self, *_):
        """Says nothing."""


def free_port(kind):
    """A port that nobody has now."""
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def incoming(options):
    """The host connects to the guest."""
    tcp, udp = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_DGRAM)
    more = ["--forward", f"tcp:{tcp}:7", "--forward", f"udp:{udp}:7"]
    with Guest(options, "user", ["/bin/server"], more) as guest:
        try:
            client.echo("127.0.0.1", tcp, SIZE, 1)
            client.echo_many("127.0.0.1", tcp, 8, 200000)
            client.echo_datagrams("127.0.0.1", udp, (1, 100, 1400))
        except (OSError, ValueError) as error:
            return guest.failed(f"incoming: {error!r}")
    return 0


def outgoing(options):
    """The guest fetches a page from the host."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://10.0.2.2:{server.server_address[1]}/"
        command = ["sh", "-c", f"wget -q -O - {url} | sha256sum"]
        with Guest(options, "user", command) as guest:
            status = guest.wait(120)
            if status != 0 or hashlib.sha256(DATA).hexdigest() not in guest.output:
                return guest.failed(f"outgoing: status {status}")
        server.shutdown()
    return 0


def main():
    parser = argparse.ArgumentParser()
    add_options(parser)
    options = parser.parse_args()
    return incoming(options) or outgoing(options)


if __name__ == "__main__":
    sys.exit(main())
