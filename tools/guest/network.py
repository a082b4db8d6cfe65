"""The guest's network card: what QEMU connects it to, and what both kernels need to use it.

user: QEMU's own network (10.0.2.0/24), no rights needed. The guest reaches the host's network; the
      host reaches the guest through forwarded ports.
tap:  a virtual cable into a network namespace of its own (10.77.0.0/24), made for the run in a user
      namespace. The host's network is neither touched nor reachable. A command can run at the
      host's end of the cable.
dgram:GUEST:PEER: a cable to another program, with the addresses of tap: each frame is a message from
      the unix datagram socket GUEST, which QEMU makes, to PEER, or back.

The card is a virtio device, on the PCI bus or behind memory-mapped registers (--nic). With several
pairs of queues it is on PCI, and at a tap, which is the only one that has them too.

The address is a boot argument in Linux's form, ip=; StellarOS reads it itself, on Linux init does,
as Debian's kernel cannot. Debian's kernel has its driver as modules: they go into /etc/stellar.
"""

import lzma
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tools.guest.errors import USAGE, ToolError
from tools.guest.machine import LINUX_MODULES

TAP = "tap0"
TAP_HOST, TAP_GUEST = "10.77.0.1", "10.77.0.2"
_USER_GUEST, _USER_GATEWAY, _USER_DNS = "10.0.2.15", "10.0.2.2", "10.0.2.3"
_MASK = "255.255.255.0"
_MAC = "52:54:00:12:34:56"
_TUN = "/dev/net/tun"
# A user and a network namespace for the command that follows.
NEW_NAMESPACE = ("unshare", "--user", "--map-root-user", "--net")
# In the order in which they are loaded. The transport on PCI is part of the kernel.
_MODULES = ("net/core/failover.ko.xz", "drivers/net/net_failover.ko.xz",
            "drivers/net/virtio_net.ko.xz")
_MMIO_MODULE = "drivers/virtio/virtio_mmio.ko.xz"
_DEVICES = {"mmio": "virtio-net-device", "pci": "virtio-net-pci,romfile="}
# Where each kernel has its card when nobody says.
_NICS = {"stellar": "mmio", "linux": "pci"}
_MAX_QUEUES = 64


def _split_forward(text):
    """PROTOCOL:[ADDRESS:]HOST:GUEST -> QEMU's words for it."""
    match = re.fullmatch(r"(tcp|udp):(?:(\d+\.\d+\.\d+\.\d+):)?(\d+):(\d+)", text)
    if not match or not all(1 <= int(port) <= 65535 for port in match.group(3, 4)):
        raise ToolError(f"--forward {text}: must be tcp:HOSTPORT:GUESTPORT or udp:...", USAGE)
    protocol, address, host, guest = match.groups()
    return f"hostfwd={protocol}:{address or '127.0.0.1'}:{host}-:{guest}"


def parse_kind(text):
    """The value of --net. Raises ValueError."""
    words = text.split(":")
    if words[0] not in ("none", "user", "tap", "dgram") or \
            len(words) != (3 if words[0] == "dgram" else 1) or "," in text:
        raise ValueError
    return text


def parse_nic(text):
    """The value of --nic, mmio or pci[,queues=N] -> (bus, pairs of queues). Raises ValueError."""
    match = re.fullmatch(r"(mmio|pci)(?:,queues=(\d+))?", text)
    if not match:
        raise ValueError
    bus, queues = match[1], int(match[2] or 1)
    if not 1 <= queues <= _MAX_QUEUES or (queues > 1 and bus == "mmio"):
        raise ValueError
    return bus, queues


@dataclass
class Network:
    """What the guest's card is, and what it is connected to."""
    kind: str = "none"
    forwards: list = field(default_factory=list)
    nic: tuple | None = None

    def __post_init__(self):
        self._forward_words = [_split_forward(text) for text in self.forwards]
        if self.forwards and self.kind != "user":
            raise ToolError("--forward needs --net user", USAGE)
        if self.nic and self.kind == "none":
            raise ToolError("--nic needs --net", USAGE)
        if self.queues > 1 and self.kind != "tap":
            raise ToolError("--nic with several queues needs --net tap", USAGE)

    @property
    def queues(self):
        """Pairs of queues of the card."""
        return self.nic[1] if self.nic else 1

    def _bus(self, system):
        return self.nic[0] if self.nic else _NICS[system]

    def add_files(self, tree, system):
        """Puts into the root file system what the guest needs for its card."""
        if self.kind == "none":
            return
        if self.kind == "user":
            tree.add_file("etc/resolv.conf", f"nameserver {_USER_DNS}\n".encode())
        if system == "linux":
            mmio = [_MMIO_MODULE] if self._bus(system) == "mmio" else []
            for number, name in enumerate([*mmio, *_MODULES]):
                module = lzma.decompress((LINUX_MODULES / "kernel" / name).read_bytes())
                tree.add_file(f"etc/stellar/module{number}", module)

    def boot_words(self):
        """The kernel's arguments: the card's address."""
        if self.kind == "none":
            return []
        guest, gateway = (TAP_GUEST, TAP_HOST)
        if self.kind == "user":
            guest, gateway = _USER_GUEST, _USER_GATEWAY
        return [f"ip={guest}::{gateway}:{_MASK}::eth0:off"]

    def qemu_words(self, system):
        """QEMU's arguments: the card and what it is connected to."""
        kind, *paths = self.kind.split(":")
        if kind == "none":
            return []
        if kind == "user":
            netdev = ",".join(["user,id=net0", *self._forward_words])
        elif kind == "tap":
            netdev = f"tap,id=net0,ifname={TAP},script=no,downscript=no,queues={self.queues}"
        else:
            netdev = (f"dgram,id=net0,local.type=unix,local.path={paths[0]},"
                      f"remote.type=unix,remote.path={paths[1]}")
        device = f"{_DEVICES[self._bus(system)]},netdev=net0,mac={_MAC}"
        if self.queues > 1:
            # One interrupt for each queue, one for changes of the configuration, one for commands.
            device += f",mq=on,vectors={2 * self.queues + 2}"
        return ["-netdev", netdev, "-device", device]


class Namespace:
    """A user and network namespace with the host's end of the cable, for as long as it is open."""

    def __init__(self, queues=1):
        """`queues`: that the tap device has."""
        if not os.access(_TUN, os.R_OK | os.W_OK):
            raise ToolError(f"--net tap needs {_TUN}, which is not there or not readable")
        holder = [sys.executable, "-P", "-m", "tools.guest.tap", str(queues)]
        self._holder = subprocess.Popen(
            [*NEW_NAMESPACE, *holder], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=dict(os.environ, PYTHONPATH=str(Path(__file__).resolve().parents[2])))
        if self._holder.stdout.readline() != "ready\n":
            _, errors = self._holder.communicate()
            reason = errors.strip().splitlines()[-1:] or ["no reason given"]
            raise ToolError(f"--net tap: cannot make a network namespace: {reason[0]}")

    def enter(self, argv):
        """The command that runs argv inside, and ends with its parent."""
        pid = str(self._holder.pid)
        return ["nsenter", "--preserve-credentials", "--user", "--net", "--target", pid, "setpriv",
                "--pdeathsig", "KILL", *argv]

    def close(self):
        """The namespace goes with its last process."""
        self._holder.communicate()


class HostCommand:
    """A shell command of the host's side, in the namespace if there is one."""

    def __init__(self, text, namespace):
        argv = ["/bin/sh", "-c", text]
        guest, host = (TAP_GUEST, TAP_HOST) if namespace else ("127.0.0.1", "127.0.0.1")
        self._process = subprocess.Popen(
            namespace.enter(argv) if namespace else argv, stdin=subprocess.DEVNULL,
            start_new_session=True, env=dict(os.environ, GUEST=guest, HOST=host))
        self.fd = os.pidfd_open(self._process.pid)

    def close(self):
        """Ends what still runs. Returns the exit status; None if it had not ended by itself."""
        status = self._process.poll()
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._process.wait()
        os.close(self.fd)
        return 128 - status if status is not None and status < 0 else status
