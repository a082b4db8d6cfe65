"""Finds the program in the root file system before the boot, so that a wrong name costs no boot.

Only what a kernel would refuse for certain is refused here, with execve's reasons: not there (127),
not executable, for another machine, or with an interpreter that is not there (126 and 127).
"""

import stat
import struct

from tools.guest.errors import NOT_EXECUTABLE, NOT_FOUND, ToolError

_EM_RISCV = 243
_PT_INTERP = 3
_HEAD = 4096
_MAX_SCRIPTS = 4


def _interpreter_of_elf(name, head):
    """The PT_INTERP of an ELF file for this machine, or None."""
    if len(head) < 64:
        raise ToolError(f"{name}: the ELF file ends inside its header", NOT_EXECUTABLE)
    machine, = struct.unpack_from("<H", head, 18)
    if head[4:6] != b"\2\1" or machine != _EM_RISCV:
        raise ToolError(f"{name}: an ELF file for another machine than riscv64", NOT_EXECUTABLE)
    table, = struct.unpack_from("<Q", head, 32)
    size, count = struct.unpack_from("<HH", head, 54)
    for i in range(count):
        at = table + i * size
        if size < 56 or at + 56 > len(head):
            break
        kind, _, offset, _, _, length = struct.unpack_from("<IIQQQQ", head, at)
        if kind == _PT_INTERP:
            return head[offset:offset + length].rstrip(b"\0").decode(errors="surrogateescape")
    return None


def _interpreter(name, head):
    """What the kernel must load to run a file that begins with `head`, or None."""
    if head[:4] == b"\x7fELF":
        return _interpreter_of_elf(name, head)
    if head[:2] != b"#!":
        raise ToolError(f"{name}: neither an ELF file nor a script with #!", NOT_EXECUTABLE)
    words = head[2:].split(b"\n", 1)[0].split()
    if not words:
        raise ToolError(f"{name}: a script that names no interpreter", NOT_EXECUTABLE)
    return words[0].decode(errors="surrogateescape")


def _check(tree, name, path):
    node = tree.lookup(path)
    if node is None or stat.S_ISLNK(node.mode):
        return False
    if not stat.S_ISREG(node.mode):
        raise ToolError(f"{name}: not a file", NOT_EXECUTABLE)
    if not node.mode & 0o111:
        raise ToolError(f"{name}: not executable", NOT_EXECUTABLE)
    return True


def find(tree, name, search_path):
    """The canonical path of what the guest will execute for argv[0]. Raises ToolError."""
    dirs = [""] if "/" in name else [folder + "/" for folder in search_path.split(":")]
    for folder in dirs:
        path = tree.resolve(folder + name)
        if _check(tree, name, path):
            break
    else:
        raise ToolError(f"{name}: no such program in the guest (--file or --package adds one)",
                        NOT_FOUND)
    asked, wanted = name, path
    for _ in range(_MAX_SCRIPTS):
        interpreter = _interpreter(asked, tree.head(wanted, _HEAD))
        if interpreter is None:
            break
        wanted = tree.resolve(interpreter)
        if not _check(tree, interpreter, wanted):
            raise ToolError(f"{asked}: its interpreter {interpreter} is not in the guest",
                            NOT_FOUND)
        asked = interpreter
    return path
