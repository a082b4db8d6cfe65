"""A kernel's last words, out of its console log, with names for the addresses in them."""

import re
import subprocess

_REPORT = re.compile(r"^KERNEL PANIC.*?(?:^END PANIC[^\n]*$|\Z)", re.DOTALL | re.MULTILINE)
_ADDRESS = re.compile(r"\[<([0-9a-f]{16})>\]")
_TAIL_LINES = 20


def report(log):
    """The panic report of StellarOS in a console log, or None."""
    match = _REPORT.search(log)
    return match[0].rstrip() if match else None


def tail(log):
    """The end of a console log."""
    return "\n".join(log.rstrip().splitlines()[-_TAIL_LINES:])


def _names(addresses, kernel):
    argv = ["riscv64-linux-gnu-addr2line", "-f", "-e", str(kernel), *addresses]
    try:
        lines = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.splitlines()
    except (FileNotFoundError, subprocess.CalledProcessError):
        return {}
    names = {}
    for address, function, place in zip(addresses, lines[0::2], lines[1::2]):
        if function != "??":
            place = "/".join(place.split(" ")[0].split("/")[-3:])
            names[address] = function if place.startswith("??") else f"{function} {place}"
    return names


def symbolise(text, kernel):
    """Adds function, file and line behind each address of the form [<ffffffff80201234>]."""
    addresses = sorted(set(_ADDRESS.findall(text)))
    if not addresses:
        return text
    names = _names(addresses, kernel)
    return _ADDRESS.sub(lambda m: " ".join(filter(None, (m[0], names.get(m[1])))), text)
