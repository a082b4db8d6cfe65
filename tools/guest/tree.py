"""A root file system in memory, on top of an archive that was written before.

Paths are canonical: no leading slash, no "." or "..", symlinks in every parent followed. So a file
of a package that was built for /lib lands in usr/lib, and no kernel has to follow a link while it
unpacks. A path added twice keeps its last entry, as when concatenated archives are unpacked.
"""

import json
import os
import stat
from dataclasses import dataclass

from tools.guest import cpio
from tools.guest.errors import ToolError

_MAX_LINKS = 40


@dataclass
class Node:
    """One entry. `data` is None when the content lies in the base archive at `offset`."""
    mode: int
    data: bytes | None = b""
    uid: int = 0
    gid: int = 0
    mtime: int = 0
    rdev: tuple = (0, 0)
    size: int = 0
    offset: int = 0
    target: str = ""


class Tree:
    """Nodes by path. With `base` (an index that save_index() wrote) only what is new is held."""

    def __init__(self, base_archive=None, base_index=None):
        self.nodes = {}
        self._base_archive = base_archive
        self._base = {}
        if base_index is not None:
            for path, (mode, size, offset, target) in json.loads(base_index.read_text()).items():
                self._base[path] = Node(mode, None, size=size, offset=offset, target=target)

    def lookup(self, path):
        """The node at a canonical path, or None. The root is a directory."""
        if path == "":
            return Node(stat.S_IFDIR | 0o755)
        return self.nodes.get(path) or self._base.get(path)

    def resolve(self, path, follow_last=True):
        """The canonical form of a path in the guest; the end of it need not exist."""
        todo = [part for part in path.split("/") if part not in ("", ".")][::-1]
        done, links = [], 0
        while todo:
            part = todo.pop()
            if part == "..":
                done = done[:-1]
                continue
            node = self.lookup("/".join(done + [part]))
            if node is None or not stat.S_ISLNK(node.mode) or (not todo and not follow_last):
                done.append(part)
                continue
            links += 1
            if links > _MAX_LINKS:
                raise ToolError(f"/{path.lstrip('/')}: too many symbolic links")
            if node.target.startswith("/"):
                done = []
            todo += [p for p in node.target.split("/") if p not in ("", ".")][::-1]
        return "/".join(done)

    def _put(self, path, node):
        path = self.resolve(path, follow_last=False)
        old = self.lookup(path)
        if old and stat.S_ISDIR(old.mode) and not stat.S_ISDIR(node.mode):
            raise ToolError(f"/{path} is a directory in the guest")
        parent = os.path.dirname(path)
        above = self.lookup(parent)
        if above is None:
            self.add_dir(parent)
        elif not stat.S_ISDIR(above.mode):
            raise ToolError(f"/{parent} is not a directory in the guest")
        self.nodes[path] = node

    def add_dir(self, path, mode=0o755, uid=0, gid=0, mtime=0):
        """Adds a directory and those above it. A symlink to a directory stays what it is."""
        path = self.resolve(path)
        if path:
            self._put(path, Node(stat.S_IFDIR | mode, b"", uid, gid, mtime))

    def add_file(self, path, data, mode=0o644, uid=0, gid=0, mtime=0):
        """Adds a regular file, or replaces what is there."""
        self._put(path, Node(stat.S_IFREG | mode, data, uid, gid, mtime, size=len(data)))

    def add_symlink(self, path, target):
        """Adds a symbolic link, or replaces what is there."""
        raw = target.encode(errors="surrogateescape")
        self._put(path, Node(stat.S_IFLNK | 0o777, raw, size=len(raw), target=target))

    def add_device(self, path, major, minor, mode=0o666):
        """Adds a character device."""
        self._put(path, Node(stat.S_IFCHR | mode, rdev=(major, minor)))

    def add_host(self, host, guest):
        """Adds a file or a folder of the host, whole, at the guest path. Owner is root."""
        try:
            status = os.lstat(host) if os.path.islink(host) else os.stat(host)
            mode, mtime = stat.S_IMODE(status.st_mode), int(status.st_mtime)
            if stat.S_ISLNK(status.st_mode):
                self.add_symlink(guest, os.readlink(host))
            elif stat.S_ISDIR(status.st_mode):
                self.add_dir(guest, mode, mtime=mtime)
                for name in sorted(os.listdir(host)):
                    self.add_host(os.path.join(host, name), f"{guest}/{name}")
            elif stat.S_ISREG(status.st_mode):
                with open(host, "rb") as file:
                    self.add_file(guest, file.read(), mode, mtime=mtime)
            else:
                raise ToolError(f"{host}: neither a file, a folder nor a symbolic link")
        except OSError as error:
            raise ToolError(f"cannot read {host}: {error.strerror}") from None

    def head(self, path, length):
        """The first bytes of the file at a canonical path."""
        node = self.lookup(path)
        if node.data is not None:
            return node.data[:length]
        with open(self._base_archive, "rb") as file:
            file.seek(node.offset)
            return file.read(min(length, node.size))

    def write(self, out):
        """Writes the new nodes as an archive to a binary file. Returns its length."""
        writer = cpio.Writer(out)
        for path, node in self.nodes.items():
            node.offset = writer.add(path, node.mode, node.data, node.uid, node.gid, node.mtime,
                                     node.rdev)
        return writer.finish()

    def save_index(self, path):
        """Writes what a later Tree needs to stand on the archive that write() made."""
        index = {name: (node.mode, node.size, node.offset, node.target)
                 for name, node in self.nodes.items()}
        path.write_text(json.dumps(index))
