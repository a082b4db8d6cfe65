"""The memory of a guest that will not end by itself: what its trace rings hold is still there.

QEMU is asked through its monitor (QMP): stop the harts, write the memory to a file.
"""

import json
import socket

from tools.guest.machine import RAM_BASE

_PATIENCE = 20


class Monitor:
    """QEMU's monitor on a socket in `folder`."""

    def __init__(self, folder):
        self._path = f"{folder}/monitor"

    def words(self):
        """QEMU's words for it."""
        return ["-qmp", f"unix:{self._path},server=on,wait=off"]

    def save_memory(self, size, path):
        """Writes `size` bytes of the guest's memory to `path`. False if QEMU does not answer."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(_PATIENCE)
                connection.connect(self._path)
                stream = connection.makefile("rw")
                stream.readline()
                for command, arguments in (
                        ("qmp_capabilities", {}), ("stop", {}),
                        ("pmemsave", {"val": RAM_BASE, "size": size, "filename": str(path)})):
                    if not _ask(stream, command, arguments):
                        return False
            return True
        except (OSError, ValueError):
            return False


def _ask(stream, command, arguments):
    stream.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
    stream.flush()
    for line in stream:
        answer = json.loads(line)
        if "return" in answer or "error" in answer:
            return "return" in answer
    return False
