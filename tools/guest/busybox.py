"""The shell and the common commands that every root file system has: Debian's busybox-static.

Debian's package ships the program without links for its applets. Their names are a table in the
program, sorted, each ended by NUL, an empty one after the last. A name that a package or an
alternative brought stays what it is: busybox fills what is left.
"""

import hashlib

from tools.guest.errors import ToolError
from tools.guest.process import CACHE

_PROGRAM = CACHE / "linux" / "busybox"
_PATH = "usr/bin/busybox"
_FOLDERS = ("usr/bin", "usr/sbin")
_FIRST_NAMES = b"[\0[[\0"


def stamp():
    """Changes with the program."""
    return hashlib.sha256(_program()).hexdigest()


def _program():
    try:
        return _PROGRAM.read_bytes()
    except OSError:
        raise ToolError("no busybox: run tools/setup") from None


def applets(program):
    """The names of the commands that a busybox contains."""
    start = program.find(_FIRST_NAMES)
    if start < 0:
        raise ToolError("no table of applets in busybox")
    names = program[start:program.index(b"\0\0", start)]
    return [name.decode() for name in names.split(b"\0")]


def add(tree):
    """Adds busybox, unless a package has brought it, and its applets that are not there yet."""
    if not tree.lookup(tree.resolve(_PATH)):
        tree.add_file(_PATH, _program(), 0o755)
    for name in applets(tree.lookup(tree.resolve(_PATH)).data):
        if not any(tree.lookup(f"{folder}/{name}") for folder in _FOLDERS):
            tree.add_symlink(f"{_FOLDERS[0]}/{name}", "busybox")
