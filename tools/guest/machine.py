"""One QEMU machine: what the user may choose, and the command line that follows from it.

Both kernels get the same machine. The one difference is the transport of the virtio-serial device:
Debian's Linux has virtio-mmio as a module only, so it sees the device on PCI.
"""

import re
import struct
from dataclasses import dataclass, field

from tools.guest.errors import USAGE, ToolError
from tools.guest.process import CACHE

QEMU = "qemu-system-riscv64"
FIRMWARE = CACHE / "opensbi" / "fw_dynamic.bin"
LINUX = CACHE / "linux" / "vmlinux"
LINUX_MODULES = CACHE / "linux" / "modules"
RAM_BASE = 0x80000000
KERNEL_ADDRESS = 0x80200000
MAX_HARTS = 64
PORTS = ("in", "out", "err")
_PT_LOAD = 1
_UNITS = {"": 1 << 20, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def parse_size(text):
    """Bytes for a size as QEMU reads it: 512M, 2G, and MiB without a unit."""
    match = re.fullmatch(r"(\d+)([KMGT]?)", text.strip().upper())
    if not match or int(match[1]) == 0:
        raise ToolError(f"not a memory size: {text!r} (examples: 512M, 2G)", USAGE)
    return int(match[1]) * _UNITS[match[2]]


@dataclass
class Machine:
    """What stays the same from boot to boot."""
    smp: int = 4
    mem: int = 2 << 30
    machine: str = "virt"
    cpu: str = "rv64"
    qemu_args: list = field(default_factory=list)

    def check(self):
        """Raises ToolError for what QEMU or the kernels cannot do."""
        if not 1 <= self.smp <= MAX_HARTS:
            raise ToolError(f"--smp {self.smp}: from 1 to {MAX_HARTS} harts", USAGE)

    def describe(self):
        """The machine in a few words, for tables and JSON."""
        return f"{self.machine}, cpu {self.cpu}, {self.smp} harts, {self.mem >> 20} MiB"


def _chardev(name, fd):
    return ["-chardev", f"socket,id={name},fd={fd}"]


def timed_kernel(kernel):
    """QEMU's words that load `kernel` where it belongs while another one is entered first.

    Raises ToolError for an ELF kernel that does not begin at KERNEL_ADDRESS.
    """
    with open(kernel, "rb") as file:
        head = file.read(4096)
    if head[:4] != b"\x7fELF":
        return ["-device", f"loader,file={kernel},addr={KERNEL_ADDRESS:#x},force-raw=on"]
    table, = struct.unpack_from("<Q", head, 32)
    size, count = struct.unpack_from("<HH", head, 54)
    segments = [struct.unpack_from("<IIQQQ", head, table + i * size) for i in range(count)]
    first = min(segment[4] for segment in segments if segment[0] == _PT_LOAD)
    if first != KERNEL_ADDRESS:
        raise ToolError(f"{kernel} begins at {first:#x}, not at {KERNEL_ADDRESS:#x}")
    return ["-device", f"loader,file={kernel}"]


def qemu_argv(machine, system, kernel, initrd, append, fds):
    """The command line of QEMU.

    `fds` maps stream names (console, in, out, err, status) to sockets that QEMU inherits. `initrd`
    may be None. `append` is the kernel's command line as a list of words.
    """
    argv = [QEMU, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-machine", machine.machine, "-cpu", machine.cpu, "-smp", str(machine.smp),
            "-m", f"{machine.mem >> 10}K", "-bios", str(FIRMWARE),
            "-semihosting-config", "enable=on,target=native,userspace=off",
            "-global", "virtio-mmio.force-legacy=false", "-kernel", str(kernel)]
    if initrd is not None:
        argv += ["-initrd", str(initrd)]
    if append:
        argv += ["-append", " ".join(append)]
    argv += _chardev("console", fds["console"]) + ["-serial", "chardev:console"]
    ports = [name for name in (*PORTS, "status") if name in fds]
    if ports:
        bus = "pci" if system == "linux" else "device"
        argv += ["-device", f"virtio-serial-{bus},max_ports=8"]
    for number, name in enumerate(ports, start=1):
        argv += _chardev(name, fds[name])
        argv += ["-device", f"virtserialport,nr={number},chardev={name},name=stellar.{name}"]
    return argv + machine.qemu_args
