"""What a host asks of tests/wire/server.c through its own sockets."""

import hashlib
import random
import socket
import threading
import time

WAIT_S = 60


def data_of(seed, size):
    """The same bytes for the same seed."""
    return random.Random(seed).randbytes(size)


def connect(address, port, wait_s=WAIT_S):
    """A connection, as soon as the guest takes one."""
    deadline = time.monotonic() + wait_s
    while True:
        try:
            return socket.create_connection((address, port), 10)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def _first_echo(address, port):
    """A connection that echoes: QEMU takes forwarded ones before the guest's server is there."""
    deadline = time.monotonic() + WAIT_S
    while True:
        connection = connect(address, port)
        try:
            connection.sendall(b"?")
            if connection.recv(1) == b"?":
                return connection
        except OSError:
            pass
        connection.close()
        if time.monotonic() > deadline:
            raise TimeoutError("no echo")
        time.sleep(0.2)


def _send_all(connection, data):
    """As sendall(), but the time limit is that of each piece."""
    for at in range(0, len(data), 1 << 16):
        connection.sendall(data[at:at + (1 << 16)])


def echo(address, port, size, seed, wait_s=WAIT_S):
    """Sends `size` bytes and takes them back at the same time; no piece takes longer than wait_s. Raises what goes wrong."""
    data = data_of(seed, size)
    with _first_echo(address, port) as connection:
        connection.settimeout(wait_s)
        sender = threading.Thread(target=_send_all, args=(connection, data), daemon=True)
        sender.start()
        back = hashlib.sha256()
        left = size
        while left:
            some = connection.recv(min(left, 1 << 16))
            if not some:
                raise ConnectionError(f"closed with {left} bytes to come")
            back.update(some)
            left -= len(some)
        sender.join()
        connection.shutdown(socket.SHUT_WR)
        if connection.recv(1) != b"":
            raise ValueError("more came than was sent")
    if back.digest() != hashlib.sha256(data).digest():
        raise ValueError("the echo is not what was sent")


def echo_many(address, port, connections, size):
    """Several echoes at once."""
    errors = []

    def one(seed):
        try:
            echo(address, port, size, seed)
        except (OSError, ValueError) as error:
            errors.append(error)
    threads = [threading.Thread(target=one, args=(seed,)) for seed in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def echo_datagrams(address, port, sizes):
    """Each datagram comes back whole; asked again when it is lost."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((address, port))
        sock.settimeout(2)
        for seed, size in enumerate(sizes):
            data = data_of(seed, size)
            for _ in range(20):
                try:
                    sock.send(data)
                    if sock.recv(65536) == data:
                        break
                except OSError:
                    continue
            else:
                raise TimeoutError(f"no echo of {size} bytes")


def fetch(address, port):
    """All that a port says."""
    with connect(address, port) as connection:
        text = b""
        while True:
            some = connection.recv(1 << 16)
            if not some:
                return text.decode()
            text += some
