"""Run inside a new network namespace: makes the host's end of a guest's cable.

The argument is the number of queues that its user will open.

Prints "ready", then keeps the namespace until its standard input ends.
"""

import fcntl
import socket
import struct
import sys

from tools.guest.network import TAP, TAP_HOST

_TUNSETIFF, _TUNSETPERSIST = 0x400454CA, 0x400454CB
_IFF_TAP, _IFF_NO_PI, IFF_VNET_HDR, _IFF_MULTI_QUEUE = 0x2, 0x1000, 0x4000, 0x100
_SIOCSIFFLAGS, _SIOCSIFADDR, _SIOCSIFNETMASK = 0x8914, 0x8916, 0x891C
_IFF_UP = 0x1


def _request(name, data):
    return struct.pack("16s24s", name.encode(), data)


def _address(text):
    return struct.pack("=HH4s", socket.AF_INET, 0, socket.inet_aton(text))


def open_tap(flags=0):
    """Makes the tap device, which lives as long as the file that is returned."""
    tun = open("/dev/net/tun", "r+b", buffering=0)
    fcntl.ioctl(tun, _TUNSETIFF, _request(TAP, struct.pack("=H", _IFF_TAP | _IFF_NO_PI | flags)))
    return tun


def bring_up():
    """Gives the tap device its address and brings it and lo up."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SIOCSIFADDR, _request(TAP, _address(TAP_HOST)))
        fcntl.ioctl(control, _SIOCSIFNETMASK, _request(TAP, _address("255.255.255.0")))
        for name in ("lo", TAP):
            fcntl.ioctl(control, _SIOCSIFFLAGS, _request(name, struct.pack("=H", _IFF_UP)))


def main():
    """The device outlives this program's file, for QEMU to open."""
    several = _IFF_MULTI_QUEUE if int(sys.argv[1]) > 1 else 0
    with open_tap(IFF_VNET_HDR | several) as tun:
        fcntl.ioctl(tun, _TUNSETPERSIST, 1)
    bring_up()
    print("ready", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
